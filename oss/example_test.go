package oss_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/emulator"
)

// open starts a server to try the examples on, with a bucket. With the real
// service this would be
//
//	oss.New("oss-cn-hangzhou.aliyuncs.com", oss.EnvironmentCredentials(), nil)
func open() (bucket *oss.Bucket, closeAll func()) {
	server, err := emulator.Open(nil)
	if err != nil {
		log.Fatal(err)
	}
	endpoint, err := server.Start("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if err := server.CreateBucket("examplebucket"); err != nil {
		log.Fatal(err)
	}
	id, secret := server.Credentials()
	client, err := oss.New(endpoint, oss.StaticCredentials(id, secret, ""), nil)
	if err != nil {
		log.Fatal(err)
	}
	return client.Bucket("examplebucket"), func() {
		client.CloseIdleConnections()
		if err := server.Close(); err != nil {
			log.Fatal(err)
		}
	}
}

func ExampleBucket_PutObject() {
	bucket, closeAll := open()
	defer closeAll()
	ctx := context.Background()

	_, err := bucket.PutObject(ctx, "notes/today.txt", strings.NewReader("some text"), nil)
	if err != nil {
		log.Fatal(err)
	}
	object, err := bucket.GetObject(ctx, "notes/today.txt", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer object.Body.Close()
	text, err := io.ReadAll(object.Body) // an error too if a byte had changed on the way
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s, %d bytes\n", text, object.ContentType, object.Size)
	// Output: some text: text/plain; charset=utf-8, 9 bytes
}

func ExampleBucket_GetObject_range() {
	bucket, closeAll := open()
	defer closeAll()
	ctx := context.Background()
	if _, err := bucket.PutObject(ctx, "digits", strings.NewReader("0123456789"), nil); err != nil {
		log.Fatal(err)
	}

	object, err := bucket.GetObject(ctx, "digits", &oss.GetObjectOptions{Range: oss.RangeBetween(2, 4)})
	if err != nil {
		log.Fatal(err)
	}
	defer object.Body.Close()
	text, err := io.ReadAll(object.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s at %d of %d\n", text, object.Offset, object.Total)
	// Output: 234 at 2 of 10
}

func ExampleBucket_Objects() {
	bucket, closeAll := open()
	defer closeAll()
	ctx := context.Background()
	for _, key := range []string{"a", "photos/1", "photos/2", "z"} {
		if _, err := bucket.PutObject(ctx, key, nil, nil); err != nil {
			log.Fatal(err)
		}
	}

	for entry, err := range bucket.Objects(ctx, &oss.ListObjectsV2Options{Delimiter: "/"}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(entry.Key, entry.IsPrefix)
	}
	// Output:
	// a false
	// photos/ true
	// z false
}

func ExampleBucket_CompleteMultipartUpload() {
	bucket, closeAll := open()
	defer closeAll()
	ctx := context.Background()

	upload, err := bucket.InitMultipartUpload(ctx, "large", nil)
	if err != nil {
		log.Fatal(err)
	}
	var parts []oss.Part
	for i, text := range []string{strings.Repeat("x", 100<<10), "the end"} {
		part, err := bucket.UploadPart(ctx, "large", upload.UploadID, i+1, strings.NewReader(text), nil)
		if err != nil {
			log.Fatal(err)
		}
		parts = append(parts, part.Part)
	}
	done, err := bucket.CompleteMultipartUpload(ctx, "large", upload.UploadID, parts, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(done.ETag[len(done.ETag)-2:], done.HasCRC64)
	// Output: -2 true
}

func ExampleClassify() {
	bucket, closeAll := open()
	defer closeAll()

	_, err := bucket.GetObject(context.Background(), "missing", nil)
	fmt.Println(errors.Is(err, oss.ErrNoSuchKey), oss.Classify(err))
	// Output: true permanent
}
