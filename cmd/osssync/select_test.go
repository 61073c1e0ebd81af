package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss"
)

// Commands that choose by filters do not list what those leave out in full.
func TestExcludedFolderIsNotListed(t *testing.T) {
	service := newService(t)
	client, err := oss.New(os.Getenv("OSS_ENDPOINT"), oss.StaticCredentials(os.Getenv("OSS_ACCESS_KEY_ID"), os.Getenv("OSS_ACCESS_KEY_SECRET"), ""),
		&oss.Options{Region: "cn-hangzhou", HTTPClient: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	put := func(key string) {
		if _, err := client.Bucket("bkt").PutObject(t.Context(), key, strings.NewReader("1"), nil); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 4000 {
		put(fmt.Sprintf("d/cache/%04d", i))
	}
	put("d/a")
	put("d/z")
	for _, args := range [][]string{
		{"ls", "-s", "--exclude", "/cache/", "oss://bkt/d/"},
		{"ls", "-s", "--exclude", "/cache/", "oss://bkt/d"},
		{"du", "--exclude", "/cache/", "oss://bkt/d/"},
		{"set-meta", "-r", "--exclude", "/cache/", "oss://bkt/d/", "X-Oss-Meta-A:b"},
		{"rm", "-r", "-f", "--exclude", "/cache/", "oss://bkt/d/"},
	} {
		stage(t, service, "403 on=ListObjectsV2 nth=4")
		code, stdout, stderr := command(t.Context(), args...)
		if text := stdout + stderr; code != exitOK || !strings.Contains(text, "2") || strings.Contains(text, "cache/0") {
			t.Errorf("%q: exit code %d\n%s%s", args, code, stdout, stderr)
		}
	}
}
