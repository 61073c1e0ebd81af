package crypto_test

import (
	"bytes"
	"encoding/hex"
	"io"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/osssync/osssync/oss/crypto"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// count is the bytes from, from+1, ... of n.
func count(from byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = from + byte(i)
	}
	return b
}

// The vector was made with openssl and the Python SDK. Its counter carries out
// of the low 32 bits.
const vector = "f40cb859f4dbb6924c409fe6977e44fde3293807f32e4fce2614b26e4c792796f83657d2829abd67760b6f33f4b8efa7" +
	"a788a6eadcd27b63e0da4e9493058e30c2e8a0a7609339831be4a4fb0e4f72f8f131a9a09fdb18e1c57480898977a4e011343962"

func TestVector(t *testing.T) {
	s := newStream(t, "a1a2a3a4a5a6a7a800000000fffffffe")
	want := unhex(t, vector)
	for off := range 100 {
		for _, end := range []int{off, min(off+17, 100), 100} {
			got := count(byte(off), end-off)
			s.XORKeyStreamAt(got, int64(off))
			if !bytes.Equal(got, want[off:end]) {
				t.Fatalf("%d to %d: got %x, want %x", off, end, got, want[off:end])
			}
		}
	}
}

func newStream(t testing.TB, iv string) *crypto.Stream {
	t.Helper()
	s, err := crypto.NewStream(count(0, crypto.KeySize), unhex(t, iv))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A block far away is the first block of a stream whose counter was added by
// big integers.
func TestCarry(t *testing.T) {
	for _, v := range []struct {
		name, iv string
		off      int64
	}{
		{"none", "00000000000000000000000000000000", 1600},
		{"low half", "0000000000000007ffffffffffffffff", 16},
		{"low half, far", "00000000000000ffffffffffff000000", 1 << 62},
		{"all", "ffffffffffffffffffffffffffffffff", 16},
		{"all, far", "fffffffffffffffffffffffffffffffe", 1<<62 + 16*5},
	} {
		n := new(big.Int).SetBytes(unhex(t, v.iv))
		n.Add(n, big.NewInt(v.off/16)).Mod(n, new(big.Int).Lsh(big.NewInt(1), 128))
		iv := n.FillBytes(make([]byte, 16))
		got, want := make([]byte, 64), make([]byte, 64)
		newStream(t, v.iv).XORKeyStreamAt(got, v.off)
		newStream(t, hex.EncodeToString(iv)).XORKeyStreamAt(want, 0)
		if !bytes.Equal(got, want) {
			t.Errorf("%s: got %x, want %x", v.name, got, want)
		}
	}
}

func TestStreamSizes(t *testing.T) {
	for _, v := range []struct{ key, iv int }{{31, 16}, {33, 16}, {16, 16}, {0, 16}, {32, 15}, {32, 0}} {
		if _, err := crypto.NewStream(make([]byte, v.key), make([]byte, v.iv)); err == nil {
			t.Errorf("key of %d, counter of %d bytes: no error", v.key, v.iv)
		}
	}
}

// TestReader compares reading in any steps, and after any seek, with the whole.
func TestReader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		iv := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "iv")
		text := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "text")
		off := rapid.Int64Range(0, 1<<40).Draw(t, "off")
		s, err := crypto.NewStream(count(0, crypto.KeySize), iv)
		if err != nil {
			t.Fatal(err)
		}
		want := bytes.Clone(text)
		s.XORKeyStreamAt(want, off)
		r := s.Reader(bytes.NewReader(text), off)
		for range rapid.IntRange(0, 5).Draw(t, "steps") {
			at := rapid.IntRange(0, len(text)).Draw(t, "at")
			if _, err := r.(io.Seeker).Seek(int64(at), io.SeekStart); err != nil {
				t.Fatal(err)
			}
			n := rapid.IntRange(0, len(text)-at).Draw(t, "n")
			got := make([]byte, n)
			if _, err := io.ReadFull(r, got); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want[at:at+n]) {
				t.Fatalf("%d from %d: got %x, want %x", n, at, got, want[at:at+n])
			}
		}
	})
}
