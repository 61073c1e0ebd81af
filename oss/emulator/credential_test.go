package emulator_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/emulator"
)

// Keys besides the server's own, by every version of the signature.
func TestCredentials(t *testing.T) {
	now := time.Now()
	server, err := emulator.Open(&emulator.Options{
		Now: func() time.Time { return now },
		Credentials: []emulator.Credential{
			{AccessKeyID: "second", AccessKeySecret: "s2"},
			{AccessKeyID: "off", AccessKeySecret: "s3", Disabled: true},
			{AccessKeyID: "STS.id", AccessKeySecret: "s4", SecurityToken: "token", Expires: now.Add(time.Hour)},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := server.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if err := server.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	for _, signature := range []oss.SignatureVersion{oss.SignatureV1, oss.SignatureV2, oss.SignatureV4} {
		for _, test := range []struct {
			id, secret, token string
			err               error
			code              string
		}{
			{"second", "s2", "", nil, ""},
			{"second", "s2", "token", nil, "InvalidSecurityToken"},
			{"none", "s", "", nil, "InvalidAccessKeyId"},
			{"off", "s3", "", nil, "UserDisable"},
			{"STS.id", "s4", "token", nil, ""},
			{"STS.id", "s4", "other", nil, "InvalidSecurityToken"},
			{"STS.id", "s4", "", nil, "InvalidSecurityToken"},
			{"STS.id", "wrong", "token", nil, "SignatureDoesNotMatch"},
		} {
			client, err := oss.New(endpoint, oss.StaticCredentials(test.id, test.secret, test.token), &oss.Options{Region: "cn-hangzhou", Signature: signature})
			if err != nil {
				t.Fatal(err)
			}
			b := client.Bucket("bucket")
			_, err = b.PutObject(t.Context(), "k", strings.NewReader("x"), nil)
			if code := fmt.Sprint(err); (err != nil) != (test.code != "") || err != nil && !strings.Contains(code, test.code) {
				t.Errorf("%v %s %s: %v, want %s", signature, test.id, test.token, err, test.code)
			}
			if test.code == "" {
				u, err := b.SignURL(t.Context(), "GET", "k", time.Minute, nil)
				if err != nil {
					t.Fatal(err)
				}
				w := httptest.NewRecorder()
				server.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", u, nil))
				if w.Code != 200 {
					t.Errorf("%v %s: presigned: %d %s", signature, test.id, w.Code, w.Body)
				}
			}
			client.CloseIdleConnections()
		}
	}
	now = now.Add(2 * time.Hour)
	client, err := oss.New(endpoint, oss.StaticCredentials("STS.id", "s4", "token"), &oss.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	if _, err := client.Bucket("bucket").GetObject(t.Context(), "k", nil); oss.Classify(err) != oss.ClassExpired {
		t.Errorf("after its end: %v", err)
	}
	for _, bad := range [][]emulator.Credential{{{AccessKeyID: "x"}}, {{AccessKeyID: "x", AccessKeySecret: "y"}, {AccessKeyID: "x", AccessKeySecret: "z"}}} {
		if s, err := emulator.Open(&emulator.Options{Credentials: bad}); err == nil {
			s.Close()
			t.Errorf("%v is accepted", bad)
		}
	}
}
