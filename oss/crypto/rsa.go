package crypto

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"strconv"
)

// MasterKey is an RSA key pair with its description. Only the public half is
// needed to encrypt, only the private one to decrypt.
type MasterKey struct {
	// Description tells master keys apart. It is stored in plain text with
	// each object; nil stores none.
	Description map[string]string

	Public  *rsa.PublicKey
	Private *rsa.PrivateKey
}

// RSAOptions tunes an RSAProvider. The zero value is ready to use.
type RSAOptions struct {
	// OAEP wraps with OAEP and SHA-1 in place of PKCS #1 v1.5. Of the
	// vendor's SDKs only the Python one reads it. Both are always read.
	OAEP bool

	// Others are further master keys for reading: those used before, or
	// by others. Their descriptions differ.
	Others []MasterKey
}

// RSAProvider wraps content keys with RSA. It is safe for concurrent use.
type RSAProvider struct {
	current     *rsa.PublicKey
	description string
	oaep        bool
	private     map[string]*rsa.PrivateKey // by canonical description
}

// NewRSAProvider makes a provider that writes with current and reads what was
// written with any of the keys given. The error is an *oss.UsageError.
func NewRSAProvider(current MasterKey, opts *RSAOptions) (*RSAProvider, error) {
	var o RSAOptions
	if opts != nil {
		o = *opts
	}
	p := &RSAProvider{
		current:     current.Public,
		description: descriptionText(current.Description),
		oaep:        o.OAEP,
		private:     make(map[string]*rsa.PrivateKey),
	}
	if p.current == nil && current.Private != nil {
		p.current = &current.Private.PublicKey
	}
	for _, k := range append([]MasterKey{current}, o.Others...) {
		text := descriptionText(k.Description)
		if k.Public == nil && k.Private == nil {
			return nil, usageError("", "MasterKey", "has neither a public nor a private key")
		}
		if k.Public != nil && k.Private != nil && !k.Private.PublicKey.Equal(k.Public) {
			return nil, usageError("", "MasterKey", "public and private key are of different pairs")
		}
		if _, twice := p.private[canonical(text)]; twice {
			return nil, usageError("", "MasterKey", "two keys have the description "+strconv.Quote(text))
		}
		p.private[canonical(text)] = k.Private
	}
	return p, nil
}

// NewMaterial implements Provider.
func (p *RSAProvider) NewMaterial(_ context.Context) (*Material, *Stream, error) {
	key, iv := newSecrets()
	stream, err := NewStream(key, iv)
	if err != nil {
		return nil, nil, err
	}
	m := &Material{Cipher: CipherAESCTR, Wrap: WrapPKCS1, Description: p.description}
	if p.oaep {
		m.Wrap = WrapOAEP
	}
	if m.Key, err = p.wrap(key); err != nil {
		return nil, nil, fmt.Errorf("crypto: wrapping the content key: %w", err)
	}
	if m.Start, err = p.wrap(iv); err != nil {
		return nil, nil, fmt.Errorf("crypto: wrapping the counter: %w", err)
	}
	return m, stream, nil
}

func (p *RSAProvider) wrap(secret []byte) (string, error) {
	var out []byte
	var err error
	if p.oaep {
		out, err = rsa.EncryptOAEP(sha1.New(), rand.Reader, p.current, secret, nil)
	} else {
		//lint:ignore SA1019 the format all of the vendor's SDKs read
		out, err = rsa.EncryptPKCS1v15(rand.Reader, p.current, secret)
	}
	return base64.StdEncoding.EncodeToString(out), err
}

// Open implements Provider. A private key other than the one that belongs to
// the object is noticed before any plain text is given out.
func (p *RSAProvider) Open(_ context.Context, m *Material) (*Stream, error) {
	if m.Wrap != WrapPKCS1 && m.Wrap != WrapOAEP {
		return nil, materialError(fieldWrap, strconv.Quote(m.Wrap)+" is not of an RSA key", nil)
	}
	private, ok := p.private[canonical(m.Description)]
	if !ok {
		return nil, fmt.Errorf("%w with the description %q", ErrNoMasterKey, m.Description)
	}
	if private == nil {
		return nil, fmt.Errorf("%w: only the public one of the description %q", ErrNoMasterKey, m.Description)
	}
	key, err := unwrap(private, m.Wrap, fieldKey, m.Key)
	if err != nil {
		return nil, err
	}
	iv, err := unwrap(private, m.Wrap, fieldStart, m.Start)
	if err != nil {
		return nil, err
	}
	if m.Legacy {
		if iv, err = legacyCounter(iv); err != nil {
			return nil, err
		}
	}
	return NewStream(key, iv)
}

func unwrap(private *rsa.PrivateKey, wrap, field, text string) ([]byte, error) {
	wrapped, err := decodeField(field, text)
	if err != nil {
		return nil, err
	}
	var secret []byte
	if wrap == WrapOAEP {
		secret, err = rsa.DecryptOAEP(sha1.New(), nil, private, wrapped, nil)
	} else {
		//lint:ignore SA1019 the format all of the vendor's SDKs write
		secret, err = rsa.DecryptPKCS1v15(nil, private, wrapped)
	}
	if err != nil {
		return nil, materialError(field, "was not wrapped with this master key, or is damaged", err)
	}
	return secret, nil
}
