package crypto_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/osssync/osssync/oss/crypto"
)

// Whoever asks at once gets one key, and nothing but the pair is left.
func TestOpenLocalKeyAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	var keys [4]crypto.MasterKey
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], err = crypto.OpenLocalKey(dir, "name"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, k := range keys {
		if k.Private == nil || k.Public == nil || !k.Private.Equal(keys[0].Private) || !k.Public.Equal(keys[0].Public) {
			t.Error("another key")
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Error(entries, err)
	}
	if runtime.GOOS == "windows" { // has no such permissions
		return
	}
	for name, want := range map[string]os.FileMode{"": 0o700, "name.private_key.pem": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%q: got %v, %v", name, info.Mode(), err)
		}
	}
}

// A public key alone is not replaced: what was encrypted with it would be lost.
func TestOpenLocalKeyHalf(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "name.public_key.pem"), file(t, "public.pem"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := crypto.OpenLocalKey(dir, "name"); err == nil {
		t.Error("a pair was made beside a public key")
	}
	if err := os.WriteFile(filepath.Join(dir, "name.private_key.pem"), file(t, "pkcs1.pem"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := crypto.OpenLocalKey(dir, "name"); err != nil {
		t.Error(err)
	}
}

func TestParseMasterKeyRefuses(t *testing.T) {
	const begin, end = "-----BEGIN ", "\nAAAA\n-----END "
	pemOf := func(kind string) string { return begin + kind + "-----" + end + kind + "-----\n" }
	for name, text := range map[string]string{
		"no PEM":      "secret",
		"no key":      pemOf("CERTIFICATE"),
		"damaged":     pemOf("RSA PRIVATE KEY"),
		"damaged 8":   pemOf("PRIVATE KEY"),
		"damaged 1":   pemOf("RSA PUBLIC KEY"),
		"damaged SPK": pemOf("PUBLIC KEY"),
		"passphrase":  pemOf("ENCRYPTED PRIVATE KEY"),
		"passphrase 1": begin + "RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n" +
			end + "RSA PRIVATE KEY-----\n",
	} {
		if _, err := crypto.ParseMasterKey([]byte(text), nil, nil); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s as a public key: got %v", name, err)
		}
		if _, err := crypto.ParseMasterKey(nil, []byte(text), nil); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s as a private key: got %v", name, err)
		}
	}
}
