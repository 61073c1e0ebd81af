package crypto

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"strconv"
)

// Provider wraps content keys with a master key. It must be safe for concurrent
// use.
type Provider interface {
	// NewMaterial makes a content key and counter of chance, wrapped and as
	// they are. Each object and each multipart upload needs its own.
	NewMaterial(ctx context.Context) (*Material, *Stream, error)

	// Open unwraps what NewMaterial, or another SDK, has wrapped. The error
	// matches ErrNoMasterKey if the master key is not here, and is a
	// *MaterialError if what it unwraps cannot be a key.
	Open(ctx context.Context, m *Material) (*Stream, error)
}

// descriptionText is a description as metadata has it: JSON in plain ASCII with
// sorted names, "" for none.
func descriptionText(description map[string]string) string {
	if len(description) == 0 {
		return ""
	}
	text, err := json.Marshal(description)
	if err != nil {
		return "" // not of strings
	}
	var b bytes.Buffer
	for _, r := range string(text) {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			writeEscape(&b, 0xd800+r>>10)
			writeEscape(&b, 0xdc00+r&0x3ff)
		default:
			writeEscape(&b, r)
		}
	}
	return b.String()
}

func writeEscape(b *bytes.Buffer, r rune) {
	s := strconv.FormatInt(int64(r)+0x10000, 16)
	b.WriteString(`\u` + s[1:])
}

// canonical is a form of the JSON text in which equal descriptions are equal
// texts: SDKs differ in blanks, order and escapes. What is no JSON stays as is.
func canonical(text string) string {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return text
	}
	if _, err := d.Token(); err != io.EOF {
		return text
	}
	if m, ok := v.(map[string]any); v == nil || ok && len(m) == 0 {
		return ""
	}
	out, err := json.Marshal(v)
	if err != nil {
		return text
	}
	return string(out)
}

func decodeField(field, text string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, materialError(field, "is no base64", err)
	}
	return b, nil
}

// legacyCounter reads the counter of the first format: decimal digits.
func legacyCounter(text []byte) ([]byte, error) {
	const maxDigits = 39 // of 2^128
	n := new(big.Int)
	bad := len(text) == 0 || len(text) > maxDigits
	for _, c := range text {
		bad = bad || c < '0' || c > '9'
	}
	if !bad {
		_, ok := n.SetString(string(text), 10)
		bad = !ok || n.BitLen() > 8*BlockSize
	}
	if bad {
		return nil, materialError(fieldStart, "is no decimal number of 128 bits", nil)
	}
	return n.FillBytes(make([]byte, BlockSize)), nil
}
