package oss_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/osssync/osssync/oss"
)

func ExampleBucket_SignURL() {
	bucket, closeAll := open()
	defer closeAll()
	ctx := context.Background()
	if _, err := bucket.PutObject(ctx, "report.txt", strings.NewReader("for you"), nil); err != nil {
		log.Fatal(err)
	}
	u, err := bucket.SignURL(ctx, http.MethodGet, "report.txt", time.Hour, nil)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := http.Get(u) // anybody can, for an hour
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	fmt.Println(resp.StatusCode, string(text), err)
	// Output: 200 for you <nil>
}

func ExampleBucket_GetObjectToFile() {
	bucket, closeAll := open()
	defer closeAll()
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if _, err := bucket.PutObject(ctx, "k", strings.NewReader("some text"), nil); err != nil {
		log.Fatal(err)
	}
	name := filepath.Join(dir, "k.txt")
	if _, err := bucket.GetObjectToFile(ctx, "k", name, &oss.GetObjectOptions{Range: oss.RangeLast(4)}); err != nil {
		log.Fatal(err)
	}
	text, err := os.ReadFile(name)
	fmt.Println(string(text), err)
	// Output: text <nil>
}

func ExampleBucket_AppendObject() {
	bucket, closeAll := open()
	defer closeAll()
	ctx := context.Background()
	var position int64
	for _, line := range []string{"one\n", "two\n"} {
		r, err := bucket.AppendObject(ctx, "log", position, strings.NewReader(line), nil)
		if err != nil {
			log.Fatal(err)
		}
		position = r.NextPosition
	}
	fmt.Println(position)
	// Output: 8
}

func ExampleBucket_PutObjectTagging() {
	bucket, closeAll := open()
	defer closeAll()
	ctx := context.Background()
	if _, err := bucket.PutObject(ctx, "k", nil, nil); err != nil {
		log.Fatal(err)
	}
	if _, err := bucket.PutObjectTagging(ctx, "k", []oss.Tag{{Key: "project", Value: "osssync"}}, nil); err != nil {
		log.Fatal(err)
	}
	tags, err := bucket.GetObjectTagging(ctx, "k", nil)
	fmt.Println(tags, err)
	// Output: [{project osssync}] <nil>
}

func ExampleChainedCredentials() {
	// The environment, else a profile of ossutil's, else the machine's role.
	credentials := oss.ChainedCredentials(
		oss.EnvironmentCredentials(),
		oss.ConfigFileCredentials("", "nightly"),
		oss.ECSRoleCredentials(nil),
	)
	_, err := oss.New("oss-cn-hangzhou.aliyuncs.com", credentials, nil)
	fmt.Println(err)
	// Output: <nil>
}
