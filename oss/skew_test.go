package oss_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/emulator"
)

// The first attempt by a clock that is wrong fails, and the client learns the
// server's time from it.
func TestClockSkew(t *testing.T) {
	for _, signature := range []oss.SignatureVersion{oss.SignatureV1, oss.SignatureV2, oss.SignatureV4} {
		server, err := emulator.Open(&emulator.Options{Now: func() time.Time { return time.Now().Add(time.Hour) }})
		if err != nil {
			t.Fatal(err)
		}
		endpoint, err := server.Start("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		id, secret := server.Credentials()
		client, err := oss.New(endpoint, oss.StaticCredentials(id, secret, ""), &oss.Options{Region: "cn-hangzhou", Signature: signature})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Bucket("bucket").CreateBucket(t.Context(), nil)
		if !errors.Is(err, oss.ErrRequestTimeTooSkewed) || oss.Classify(err) != oss.ClassRetryable {
			t.Errorf("%v: first attempt: %v", signature, err)
		}
		if _, err := client.Bucket("bucket").CreateBucket(t.Context(), nil); err != nil {
			t.Errorf("%v: second attempt: %v", signature, err)
		}
		client.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestSignRTMPURL(t *testing.T) {
	client, err := oss.New("https://oss-cn-hangzhou.aliyuncs.com", oss.StaticCredentials("id", "secret", "token"), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := client.Bucket("bucket").SignRTMPURL(t.Context(), "channel", "list.m3u8", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "rtmp" || u.Host != "bucket.oss-cn-hangzhou.aliyuncs.com" || u.Path != "/live/channel" {
		t.Error(text)
	}
	for _, name := range []string{"playlistName", "security-token", "OSSAccessKeyId", "Expires", "Signature"} {
		if u.Query().Get(name) == "" {
			t.Errorf("no %s in %s", name, text)
		}
	}
	if _, err := client.Bucket("bucket").SignRTMPURL(t.Context(), "", "x", time.Hour); err == nil || !strings.Contains(err.Error(), "key") {
		t.Error(err)
	}
}
