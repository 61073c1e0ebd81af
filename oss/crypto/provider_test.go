package crypto_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/crypto"
)

func file(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func masterKey(t testing.TB, name string, description map[string]string) crypto.MasterKey {
	t.Helper()
	k, err := crypto.ParseMasterKey(nil, file(t, name), description)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newRSA(t testing.TB, name string, description map[string]string, opts *crypto.RSAOptions) *crypto.RSAProvider {
	t.Helper()
	p, err := crypto.NewRSAProvider(masterKey(t, name, description), opts)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func opens(t *testing.T, p crypto.Provider, m *crypto.Material, want *crypto.Stream) {
	t.Helper()
	s, err := p.Open(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	a, b := make([]byte, 40), make([]byte, 40)
	s.XORKeyStreamAt(a, 5)
	want.XORKeyStreamAt(b, 5)
	if !bytes.Equal(a, b) {
		t.Error("another stream")
	}
}

// What openssl wrapped with testdata/public.pem.
func TestRSAFixtures(t *testing.T) {
	p := newRSA(t, "pkcs1.pem", nil, nil)
	for wrap, name := range map[string]string{crypto.WrapPKCS1: "pkcs1", crypto.WrapOAEP: "oaep"} {
		m := &crypto.Material{Key: string(file(t, name+".k.b64")), Start: string(file(t, name+".i.b64")), Cipher: crypto.CipherAESCTR, Wrap: wrap}
		opens(t, p, m, newStream(t, "a1a2a3a4a5a6a7a800000000fffffffe"))
	}
	m, ok, err := crypto.MaterialFromMeta(map[string]string{
		"oss-crypto-key": string(file(t, "oaep.k.b64")), "oss-crypto-start": string(file(t, "oaep.d.b64")),
		"oss-cek-alg": "AES/GCM/NoPadding", "oss-wrap-alg": "rsa",
	})
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	opens(t, p, m, newStream(t, "00000000000000000000000000000008"))
}

func TestRotation(t *testing.T) {
	older := newRSA(t, "pkcs8.pem", map[string]string{"a": "1", "b": "é😀"}, nil)
	newer := newRSA(t, "pkcs1.pem", map[string]string{"a": "2"}, &crypto.RSAOptions{
		OAEP: true, Others: []crypto.MasterKey{masterKey(t, "pkcs8.pem", map[string]string{"b": "é😀", "a": "1"})},
	})
	m, s, err := older.NewMaterial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsFunc(m.Description, func(r rune) bool { return r > '~' }) {
		t.Errorf("description %q is not ASCII", m.Description)
	}
	opens(t, newer, m, s)
	m.Description = `{ "b" : "\u00e9😀" , "a":"1" }`
	opens(t, newer, m, s)
	m, s, err = newer.NewMaterial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	opens(t, newer, m, s)
	if _, err := older.Open(t.Context(), m); !errors.Is(err, crypto.ErrNoMasterKey) {
		t.Errorf("got %v", err)
	}
}

func TestWrongKey(t *testing.T) {
	for _, oaep := range []bool{false, true} {
		m, _, err := newRSA(t, "pkcs1.pem", nil, &crypto.RSAOptions{OAEP: oaep}).NewMaterial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = newRSA(t, "pkcs8.pem", nil, nil).Open(t.Context(), m)
		if e, ok := errors.AsType[*crypto.MaterialError](err); !ok || oss.Classify(err) != oss.ClassPermanent {
			t.Errorf("got %v, %v", e, err)
		}
	}
}

func TestPublicKeyOnly(t *testing.T) {
	for _, name := range []string{"public.pem", "public1.pem"} {
		k, err := crypto.ParseMasterKey(file(t, name), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		p, err := crypto.NewRSAProvider(k, nil)
		if err != nil {
			t.Fatal(err)
		}
		m, s, err := p.NewMaterial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Open(t.Context(), m); !errors.Is(err, crypto.ErrNoMasterKey) {
			t.Errorf("got %v", err)
		}
		opens(t, newRSA(t, "pkcs1.pem", nil, nil), m, s)
	}
}

func TestOpenLocalKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	first, err := crypto.OpenLocalKey(dir, "name")
	if err != nil {
		t.Fatal(err)
	}
	second, err := crypto.OpenLocalKey(dir, "name")
	if err != nil || !second.Private.Equal(first.Private) {
		t.Fatal("another key", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Error(entries, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "name.public_key.pem"), file(t, "public.pem"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := crypto.OpenLocalKey(dir, "name"); err == nil {
		t.Error("a public key of another pair was taken")
	}
}

// kms is a key service without a secret: its blobs are bytes in base64.
type kms struct{}

const blobMark = "\x00\x01blob\xff"

func (kms) GenerateDataKey(ctx context.Context, id string) (string, string, error) {
	text := base64.StdEncoding.EncodeToString(count(0, crypto.KeySize))
	blob, err := kms{}.Encrypt(ctx, id, text)
	return text, blob, err
}

func (kms) Encrypt(_ context.Context, _, text string) (string, error) {
	return base64.StdEncoding.EncodeToString([]byte(blobMark + text)), nil
}

func (kms) Decrypt(_ context.Context, blob string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(blob)
	text, ok := strings.CutPrefix(string(b), blobMark)
	if err != nil || !ok {
		return "", errors.New("no blob")
	}
	return text, nil
}

func TestKMS(t *testing.T) {
	for _, single := range []bool{false, true} {
		p, err := crypto.NewKMSProvider(kms{}, "id", &crypto.KMSOptions{SingleBase64: single})
		if err != nil {
			t.Fatal(err)
		}
		m, s, err := p.NewMaterial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		opens(t, p, m, s)
		b, _ := base64.StdEncoding.DecodeString(m.Key)
		if strings.HasPrefix(string(b), blobMark) != single {
			t.Errorf("single %t: got %q", single, m.Key)
		}
		start, _ := kms{}.Encrypt(t.Context(), "", "8")
		m.Start, m.Legacy = start, true
		opens(t, p, m, newStream(t, "00000000000000000000000000000008"))
		m.Key = "AAAA"
		if _, err := p.Open(t.Context(), m); err == nil {
			t.Error("a damaged key was taken")
		}
	}
}
