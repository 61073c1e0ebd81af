package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/emulator"
	"github.com/osssync/osssync/transfer"
)

// A nightly job: what differs is uploaded, and every failure is named. Against
// the cloud the client is oss.New("https://oss-cn-hangzhou.aliyuncs.com",
// oss.EnvironmentCredentials(), nil).
func ExampleEngine_Sync() {
	ctx := context.Background()
	client, stop, err := embedded()
	if err != nil {
		log.Fatal(err)
	}
	defer stop()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "hello.txt"), []byte("hello"), 0o644); err != nil {
		log.Fatal(err)
	}

	engine, err := transfer.New(&transfer.Options{StateDir: filepath.Join(dir, "state")})
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		report, err := engine.Sync(ctx, transfer.Local(dir), transfer.Remote(client.Bucket("bucket"), "data/"), nil)
		if errors.Is(err, transfer.ErrIncomplete) {
			for _, f := range report.Failures {
				log.Println(f)
			}
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(report.State, report.Objects.Done, "sent,", report.Objects.Skipped, "unchanged")
	}
	// Output:
	// done 1 sent, 0 unchanged
	// done 0 sent, 1 unchanged
}

// One large file: interrupted, the same call sends only what is missing.
func ExampleEngine_Upload() {
	client, stop, err := embedded()
	if err != nil {
		log.Fatal(err)
	}
	defer stop()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "image.raw")
	if err := os.WriteFile(path, make([]byte, 40<<20), 0o644); err != nil {
		log.Fatal(err)
	}

	engine, err := transfer.New(&transfer.Options{StateDir: filepath.Join(dir, "state")})
	if err != nil {
		log.Fatal(err)
	}
	report, err := engine.Upload(context.Background(), path, transfer.Remote(client.Bucket("bucket"), "image.raw"), &transfer.UploadOptions{
		Headers: oss.ObjectHeaders{StorageClass: "IA"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.State, report.Bytes.Done)
	// Output: done 41943040
}

// embedded starts a server in memory with one bucket.
func embedded() (*oss.Client, func(), error) {
	server, err := emulator.Open(nil)
	if err != nil {
		return nil, nil, err
	}
	endpoint, err := server.Start("127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	if err := server.CreateBucket("bucket"); err != nil {
		return nil, nil, err
	}
	id, secret := server.Credentials()
	client, err := oss.New(endpoint, oss.StaticCredentials(id, secret, ""), &oss.Options{Region: "cn-hangzhou"})
	if err != nil {
		return nil, nil, err
	}
	return client, func() { client.CloseIdleConnections(); server.Close() }, nil
}
