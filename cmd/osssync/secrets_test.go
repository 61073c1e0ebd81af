//go:build !windows

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss/emulator"
)

// forms are the ways in which a secret could be written down.
func forms(secret string) map[string][]byte {
	quoted, _ := json.Marshal(secret)
	m := map[string][]byte{
		"plain": []byte(secret), "query": []byte(url.QueryEscape(secret)), "path": []byte(url.PathEscape(secret)), "hex": []byte(hex.EncodeToString([]byte(secret))),
		"JSON": bytes.Trim(quoted, `"`), "quoted": []byte(strings.Trim(strconv.Quote(secret), `"`)),
	}
	for shift := range 3 { // wherever in a longer text it stood
		text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + secret))
		if shift > 0 {
			text = text[4:]
		}
		m["base64 "+strconv.Itoa(shift)] = []byte(text[:len(text)-4])
	}
	return m
}

// TestSecrets runs commands that go well, fail in many ways, and are stopped,
// all with logs at their finest, and looks for the secrets in all they have
// printed and in every file they have written: state, logs, reports, plans.
func TestSecrets(t *testing.T) {
	const secret, token = `Mark+er/sec"ret=%41\x`, `Tok+en/Mark"er=%42\y`
	server, err := emulator.Open(&emulator.Options{AccessKeyID: "ID", AccessKeySecret: secret})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	endpoint, err := server.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := server.CreateBucket("bkt"); err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	t.Chdir(work)
	for name, value := range map[string]string{
		"HOME": work, "XDG_CONFIG_HOME": "", "XDG_STATE_HOME": "", "TMPDIR": work, "OSS_ENDPOINT": endpoint, "OSS_REGION": "cn-hangzhou",
		"OSS_ACCESS_KEY_ID": "ID", "OSS_ACCESS_KEY_SECRET": secret, "OSSSYNC_LOG_FILE": "log", "OSSSYNC_LOGLEVEL": "debug", "OSSSYNC_RETRY_TIMES": "1",
	} {
		t.Setenv(name, value)
	}
	for name, n := range map[string]int{"tree/a": 10, "tree/big": 3 << 20} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, make([]byte, n), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var said bytes.Buffer
	ran := 0
	do := func(ctx context.Context, faults string, args ...string) {
		t.Helper()
		stage(t, &partCounter{server: server}, faults)
		_, stdout, stderr := command(ctx, args...)
		said.WriteString(stdout + stderr)
		ran++
	}
	small := []string{"--part-size", "1Mi", "--bigfile-threshold", "1Mi"}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, faults := range []string{"", "503", "403=AccessDenied", "403=SignatureDoesNotMatch", "expire", "html", "reset", "lost", "clock=2h", "truncate=1"} {
		do(t.Context(), faults, append([]string{"sync", "tree", "oss://bkt/t/", "--report", "report", "--json"}, small...)...)
		do(t.Context(), faults, append([]string{"cp", "-r", "oss://bkt/t/", "down", "-k", secret, "-i", "ID"}, small...)...)
		do(t.Context(), faults, "ls", "oss://bkt", "-t", token, "-i", "ID", "-k", secret)
		do(t.Context(), faults, "probe", "oss://bkt/p/")
		do(stopped, faults, "cp", "tree/big", "oss://bkt/big", "--no-resume")
		do(t.Context(), faults, "jobs", "--json")
	}
	for _, args := range [][]string{
		{"plan", "-o", "plan.jsonl", "sync", "tree", "oss://bkt/other/"},
		{"apply", "plan.jsonl"},
		{"config", "show"},
		{"config", "show", "-k", secret, "-t", token},
		{"presign", "oss://bkt/t/a"},
		{"gc", "-n"},
		{"check", "tree", "oss://bkt/t/"},
		{"cp", "--acess-key-secret", secret},
		{"cp", "-k" + secret, "--no-such"},
		{"ls", "oss://ID:" + secret + "@bkt/x"},
		{"ls", "oss://bkt/k?Signature=" + secret},
		{"ls", "oss://bkt", "--proxy", "http://u:" + url.PathEscape(secret) + "@127.0.0.1:1"},
	} {
		do(t.Context(), "", args...)
	}
	files := 0
	all := map[string][]byte{"what was printed": said.Bytes()}
	err = filepath.WalkDir(work, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		all[name], err = os.ReadFile(name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat("log"); err != nil || info.Size() == 0 || files < 6 || said.Len() < 10_000 {
		t.Errorf("%d commands wrote %d files and %d bytes: too little to tell; log: %v", ran, files, said.Len(), err)
	}
	for what, text := range all {
		for _, s := range []string{secret, token} {
			for form, mark := range forms(s) {
				if i := bytes.Index(text, mark); i >= 0 {
					t.Errorf("%s holds a secret (%s) after %q", what, form, text[max(0, i-100):i])
				}
			}
		}
	}
}
