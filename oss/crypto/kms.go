package crypto

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
)

// KMS is what KMSProvider needs of a client of the vendor's Key Management
// Service. All texts are those of the service's API, as they are: plain texts
// that stand for bytes are base64 already. It must be safe for concurrent use.
type KMS interface {
	// GenerateDataKey makes a key with KeySpec AES_256 (GenerateDataKey).
	GenerateDataKey(ctx context.Context, keyID string) (plaintext, ciphertextBlob string, err error)

	// Encrypt wraps plaintext (Encrypt).
	Encrypt(ctx context.Context, keyID, plaintext string) (ciphertextBlob string, err error)

	// Decrypt unwraps what one of the two made (Decrypt).
	Decrypt(ctx context.Context, ciphertextBlob string) (plaintext string, err error)
}

// KMSOptions tunes a KMSProvider. The zero value is ready to use.
type KMSOptions struct {
	// Description is stored with each object. Reading does not look at it:
	// the service knows the key of what it has wrapped.
	Description map[string]string

	// SingleBase64 stores the service's text as it is, for readers with the
	// vendor's first Go SDK. Without it the text is put into base64 once
	// more, for readers with the Python SDK. Both are always read.
	SingleBase64 bool
}

// KMSProvider wraps content keys with a key of the vendor's Key Management
// Service. It is safe for concurrent use if its KMS is.
type KMSProvider struct {
	kms         KMS
	keyID       string
	description string
	single      bool
}

// NewKMSProvider makes a provider that writes with the key keyID and reads what
// kms can decrypt. The error is an *oss.UsageError.
func NewKMSProvider(kms KMS, keyID string, opts *KMSOptions) (*KMSProvider, error) {
	if kms == nil {
		return nil, usageError("", "KMS", "is nil")
	}
	if keyID == "" {
		return nil, usageError("", "keyID", "is empty")
	}
	p := &KMSProvider{kms: kms, keyID: keyID}
	if opts != nil {
		p.description, p.single = descriptionText(opts.Description), opts.SingleBase64
	}
	return p, nil
}

// NewMaterial implements Provider, with two calls of the service.
func (p *KMSProvider) NewMaterial(ctx context.Context) (*Material, *Stream, error) {
	text, wrappedKey, err := p.kms.GenerateDataKey(ctx, p.keyID)
	if err != nil {
		return nil, nil, fmt.Errorf("crypto: KMS GenerateDataKey: %w", err)
	}
	key, err := decodeField(fieldKey, text)
	if err != nil {
		return nil, nil, err
	}
	_, iv := newSecrets()
	stream, err := NewStream(key, iv)
	if err != nil {
		return nil, nil, err
	}
	wrappedIV, err := p.kms.Encrypt(ctx, p.keyID, base64.StdEncoding.EncodeToString(iv))
	if err != nil {
		return nil, nil, fmt.Errorf("crypto: KMS Encrypt: %w", err)
	}
	m := &Material{
		Key: p.encode(wrappedKey), Start: p.encode(wrappedIV),
		Cipher: CipherAESCTR, Wrap: WrapKMS, Description: p.description,
	}
	return m, stream, nil
}

func (p *KMSProvider) encode(blob string) string {
	if p.single {
		return blob
	}
	return base64.StdEncoding.EncodeToString([]byte(blob))
}

// Open implements Provider, with two calls of the service. An error of the
// service is in the chain of the one returned.
func (p *KMSProvider) Open(ctx context.Context, m *Material) (*Stream, error) {
	if m.Wrap != WrapKMS {
		return nil, materialError(fieldWrap, strconv.Quote(m.Wrap)+" is not "+WrapKMS, nil)
	}
	text, err := p.decrypt(ctx, m.Key)
	if err != nil {
		return nil, err
	}
	key, err := decodeField(fieldKey, text)
	if err != nil {
		return nil, err
	}
	if text, err = p.decrypt(ctx, m.Start); err != nil {
		return nil, err
	}
	iv, err := p.counter(m, text)
	if err != nil {
		return nil, err
	}
	return NewStream(key, iv)
}

func (p *KMSProvider) counter(m *Material, text string) ([]byte, error) {
	if m.Legacy {
		return legacyCounter([]byte(text))
	}
	return decodeField(fieldStart, text)
}

func (p *KMSProvider) decrypt(ctx context.Context, text string) (string, error) {
	plain, err := p.kms.Decrypt(ctx, blobOf(text))
	if err != nil {
		return "", fmt.Errorf("crypto: KMS Decrypt: %w", err)
	}
	return plain, nil
}

// blobOf is the service's text within a value of the metadata. A blob is the
// base64 of bytes that are not all printable; only that of a further base64
// decodes to text.
func blobOf(value string) string {
	once, err := base64.StdEncoding.DecodeString(value)
	if err != nil || len(once) == 0 {
		return value
	}
	for _, c := range once {
		if c <= ' ' || c > '~' {
			return value
		}
	}
	return string(once)
}
