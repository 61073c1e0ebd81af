package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Answers come in ossutil's order; what cannot be one is asked for again.
func TestConfigDialogue(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("OSSSYNC_REGION", "")
	for _, test := range []struct {
		name, typed, want string
		refused           int
	}{
		{
			name:  "the vendor's",
			typed: "LTAI5tABC\nu:MARKER@h\noss-cn-hangzhou.aliyuncs.com\nLTAI bad host\nLTAI5tABC\nMARKER secret\nMARKERsecret\n\n",
			want:  "[default]\nendpoint = oss-cn-hangzhou.aliyuncs.com\naccessKeyID = LTAI5tABC\naccessKeySecret = MARKERsecret\n", refused: 4,
		},
		{
			name:  "a region",
			typed: "cn-beijing\nID\nMARKER\nMARKERtoken\n",
			want:  "[default]\nregion = cn-beijing\naccessKeyID = ID\naccessKeySecret = MARKER\nstsToken = MARKERtoken\n",
		},
		{
			name:  "another host",
			typed: "http://127.0.0.1:9000\n\nhttp://x/y\ncn-beijing\n",
			want:  "[default]\nendpoint = http://127.0.0.1:9000\nregion = cn-beijing\n", refused: 1,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			outside, inside := openTerminal(t)
			defer inside.Close()
			if _, err := outside.WriteString(test.typed); err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(t.TempDir(), "config")
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), []string{"config", "-c", name}, inside, &stdout, &stderr); code != exitOK {
				t.Fatalf("exit code %d\n%s", code, stderr.String())
			}
			text, err := os.ReadFile(name)
			if err != nil || string(text) != test.want {
				t.Errorf("%v\n%s", err, text)
			}
			if n := strings.Count(stderr.String(), "osssync: ") - 1; n != test.refused || strings.Contains(stderr.String(), "MARKER") {
				t.Errorf("%d refused\n%s", n, stderr.String())
			}
		})
	}
}
