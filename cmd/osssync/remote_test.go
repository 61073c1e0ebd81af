package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/osssync/osssync/oss"
)

// object VERB BUCKET KEY... does to objects of the server of startserver what no
// command does: "upload" begins uploads, "link" makes each a link to the last,
// "versions" makes the bucket keep versions.
func cmdObject(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: object verb bucket key...")
	}
	client, err := oss.New(ts.Getenv("OSS_ENDPOINT"),
		oss.StaticCredentials(ts.Getenv("OSS_ACCESS_KEY_ID"), ts.Getenv("OSS_ACCESS_KEY_SECRET"), ""), nil)
	ts.Check(err)
	defer client.CloseIdleConnections()
	ctx, b, keys := context.Background(), client.Bucket(args[1]), args[2:]
	switch args[0] {
	case "versions":
		_, err = b.PutBucketVersioning(ctx, "Enabled")
		ts.Check(err)
	case "upload":
		for _, key := range keys {
			_, err := b.InitMultipartUpload(ctx, key, nil)
			ts.Check(err)
		}
	case "link":
		for _, key := range keys[:len(keys)-1] {
			_, err := b.PutSymlink(ctx, key, keys[len(keys)-1], nil)
			ts.Check(err)
		}
	default:
		ts.Fatalf("unknown verb %s", args[0])
	}
}

// fetch FILE OUT gets the URL that stands in FILE, and writes what is answered
// to OUT.
func cmdFetch(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: fetch file out")
	}
	resp, err := http.Get(strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if resp.StatusCode != http.StatusOK {
		ts.Fatalf("%s: %s", resp.Status, body)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), body, 0o600))
}
