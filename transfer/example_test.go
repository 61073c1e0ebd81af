package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

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

// A part of what is missing of a job: what failed with one code, and nothing else.
// The other failures stay in the checkpoint, and in the report.
func ExampleEngine_Resume() {
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
	for _, key := range []string{"p/good", "p/../evil"} {
		if _, err := client.Bucket("bucket").PutObject(ctx, key, strings.NewReader("x"), nil); err != nil {
			log.Fatal(err)
		}
	}

	engine, err := transfer.New(&transfer.Options{StateDir: filepath.Join(dir, "state")})
	if err != nil {
		log.Fatal(err)
	}
	report, err := engine.Sync(ctx, transfer.Remote(client.Bucket("bucket"), "p/"), transfer.Local(filepath.Join(dir, "down")), nil)
	fmt.Println(report.State, report.Objects.Failed, "failed:", err != nil)
	report, err = engine.Resume(ctx, report.JobID, &transfer.ResumeOptions{
		Bucket: func(_, name string) (*oss.Bucket, error) { return client.Bucket(name), nil },
		Part:   transfer.Part{Codes: []string{"AccessDenied", "503"}},
	})
	fmt.Println(errors.Is(err, transfer.ErrNoMatch), report.Left)
	// Output:
	// incomplete 1 failed: true
	// true left: 1 failed earlier
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
