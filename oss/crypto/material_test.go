package crypto_test

import (
	"encoding/json"
	"errors"
	"maps"
	"testing"

	"github.com/osssync/osssync/oss/crypto"
)

const pre = "client-side-encryption-"

func envelope() map[string]string {
	return map[string]string{
		pre + "key": "a2V5", pre + "start": "c3RhcnQ=", pre + "cek-alg": crypto.CipherAESCTR,
		pre + "wrap-alg": crypto.WrapPKCS1, pre + "matdesc": `{"k": "v"}`,
		pre + "data-size": "300000", pre + "part-size": "102400",
	}
}

func TestMeta(t *testing.T) {
	m, ok, err := crypto.MaterialFromMeta(envelope())
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if m.DataSize != 300000 || m.PartSize != 102400 || m.Legacy {
		t.Errorf("got %+v", m)
	}
	if !maps.Equal(m.Meta(), envelope()) {
		t.Errorf("got %v", m.Meta())
	}
	text, err := m.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	var again crypto.Material
	if err := again.UnmarshalText(text); err != nil || again != *m {
		t.Errorf("got %+v, %v", again, err)
	}
}

func TestDamagedMeta(t *testing.T) {
	for _, field := range []string{"key", "start", "cek-alg", "wrap-alg"} {
		meta := envelope()
		delete(meta, pre+field)
		_, ok, err := crypto.MaterialFromMeta(meta)
		if e, is := errors.AsType[*crypto.MaterialError](err); !is || ok || e.Field != field {
			t.Errorf("without %s: got %t, %v", field, ok, err)
		}
	}
	meta := envelope()
	meta[pre+"cek-alg"] = "AES/GCM/NoPadding"
	if _, _, err := crypto.MaterialFromMeta(meta); err == nil {
		t.Error("another cipher was taken")
	}
	if m, ok, err := crypto.MaterialFromMeta(map[string]string{"a": "b"}); m != nil || ok || err != nil {
		t.Errorf("plain: got %v, %t, %v", m, ok, err)
	}
}

func FuzzMaterial(f *testing.F) {
	text, _ := json.Marshal(envelope())
	f.Add(text)
	f.Add([]byte(`{"oss-crypto-key":"a","oss-crypto-start":"b","oss-cek-alg":"AES/GCM/NoPadding","oss-wrap-alg":"rsa"}`))
	f.Add([]byte(`{"client-side-encryption-key":"a"}`))
	f.Add([]byte(`[1`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var m, again crypto.Material
		if m.UnmarshalText(text) != nil {
			return
		}
		out, err := m.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if err := again.UnmarshalText(out); err != nil || again != m {
			t.Fatalf("%+v became %+v, %v", m, again, err)
		}
	})
}
