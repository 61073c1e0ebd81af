package oss_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss"
)

// Both generations of ossutil's file, in one.
func TestConfigFileSettings(t *testing.T) {
	t.Setenv("OSSUTIL_PROFILE", "")
	name := filepath.Join(t.TempDir(), "config")
	write := func(text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`
[Credentials]
endpoint = v1
accessKeyID = id1
accessKeySecret = MARKER
[Default]
readTimeOut = 40
[Bucket-Endpoint]
a-b = host1
ab = host2
both = host3
[Bucket-Cname]
both = cname
[default]
region = r
[profile  other]
End-Point = "v2"
[buckets a-b]
region = r2
addressing_style = path
[buckets empty]
`)
	f, err := oss.ReadConfigFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range [][4]string{
		{"", "endpoint", "v1", "Credentials"},
		{"default", "read-timeout", "40", "Default"},
		{"", "region", "r", "default"},
		{"other", "endpoint", "v2", "profile other"},
		{"other", "region", "", ""},
		{"none", "endpoint", "", ""},
	} {
		if value, section := f.Setting(test[0], test[1]); value != test[2] || section != test[3] {
			t.Errorf("%s of %q is %q in %q", test[1], test[0], value, section)
		}
	}
	for bucket, want := range map[string]oss.BucketSetting{
		"a-b":   {Region: "r2", Addressing: "path", Section: "buckets a-b"},
		"ab":    {Endpoint: "host2", Section: "Bucket-Endpoint"},
		"both":  {Endpoint: "cname", Addressing: "cname", Section: "Bucket-Cname"},
		"empty": {},
	} {
		if got, ok := f.Bucket(bucket); got != want || ok != (want.Section != "") {
			t.Errorf("%s: %+v, %v", bucket, got, ok)
		}
	}
	if got := f.Profiles(); !slices.Equal(got, []string{"default", "other"}) {
		t.Errorf("profiles %q", got)
	}
	if !f.HasCredentials("") || f.HasCredentials("other") {
		t.Error("HasCredentials")
	}
	p, err := f.Credentials("other", map[string]string{"access-key-id": "id2", "access_key_secret": "s"})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := p.Credentials(t.Context()); err != nil || c.AccessKeyID != "id2" || c.SecurityToken != "" {
		t.Errorf("%v, %v", c, err)
	}
	if _, err := (*oss.ConfigFile)(nil).Credentials("", nil); err == nil {
		t.Error("no file has credentials")
	}

	write("[default]\nMARKER\n")
	if _, err := oss.ReadConfigFile(name); err == nil || !strings.Contains(err.Error(), "line 2") || strings.Contains(err.Error(), "MARKER") {
		t.Errorf("torn: %v", err)
	}
	if _, err := oss.ReadConfigFile(name + "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}
