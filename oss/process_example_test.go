package oss_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	_ "image/jpeg" // decoded
	"image/png"
	"io"
	"log"
	"strings"

	"github.com/osssync/osssync/oss"
)

func ExampleBucket_SelectObject() {
	bucket, closeAll := open()
	defer closeAll()
	ctx := context.Background()
	csv := "name,city,age\nAnn,Ulm,30\nBob,Linz,41\nCid,Ulm,52\n"
	if _, err := bucket.PutObject(ctx, "people.csv", strings.NewReader(csv), nil); err != nil {
		log.Fatal(err)
	}
	result, err := bucket.SelectObject(ctx, "people.csv", "select name, age from ossobject where city = 'Ulm' and age > 40", &oss.SelectOptions{
		FileHeaderInfo: "USE", EnablePayloadCRC: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer result.Body.Close()
	text, err := io.ReadAll(result.Body) // an error too if the service fails midway
	fmt.Printf("%s%v\n", text, err)
	// Output:
	// Cid,52
	// <nil>
}

func ExampleBucket_ProcessObject() {
	bucket, closeAll := open()
	defer closeAll()
	ctx := context.Background()
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 400, 300))); err != nil {
		log.Fatal(err)
	}
	if _, err := bucket.PutObject(ctx, "picture.png", &picture, nil); err != nil {
		log.Fatal(err)
	}
	// The name of the result is in URL-safe base64.
	save := "|sys/saveas,o_" + base64.RawURLEncoding.EncodeToString([]byte("small.jpg"))
	result, err := bucket.ProcessObject(ctx, "picture.png", "image/resize,w_100/format,jpg"+save)
	if err != nil {
		log.Fatal(err)
	}
	small, err := bucket.GetObject(ctx, result.Object, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer small.Body.Close()
	config, format, err := image.DecodeConfig(small.Body)
	fmt.Println(result.Object, format, config.Width, config.Height, err)
	// Output: small.jpg jpeg 100 75 <nil>
}
