package crypto

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
)

// ParseMasterKey reads an RSA key pair from PEM: a public key as PUBLIC KEY or
// RSA PUBLIC KEY, a private one as PRIVATE KEY or RSA PRIVATE KEY (PKCS #8 or
// #1), without a passphrase. Either may be nil. The error repeats nothing of the
// keys.
func ParseMasterKey(publicPEM, privatePEM []byte, description map[string]string) (MasterKey, error) {
	k := MasterKey{Description: description}
	var err error
	if publicPEM != nil {
		if k.Public, err = parsePublic(publicPEM); err != nil {
			return MasterKey{}, fmt.Errorf("crypto: public key: %w", err)
		}
	}
	if privatePEM != nil {
		if k.Private, err = parsePrivate(privatePEM); err != nil {
			return MasterKey{}, fmt.Errorf("crypto: private key: %w", err)
		}
	}
	return k, nil
}

func parsePublic(text []byte) (*rsa.PublicKey, error) {
	block, err := decodePEM(text)
	if err != nil {
		return nil, err
	}
	switch block.Type {
	case "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	case "PUBLIC KEY":
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		if k, ok := key.(*rsa.PublicKey); ok {
			return k, nil
		}
		return nil, errors.New("is not of RSA")
	}
	return nil, errors.New("PEM holds " + strconv.Quote(block.Type))
}

func parsePrivate(text []byte) (*rsa.PrivateKey, error) {
	block, err := decodePEM(text)
	if err != nil {
		return nil, err
	}
	switch block.Type {
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		if k, ok := key.(*rsa.PrivateKey); ok {
			return k, nil
		}
		return nil, errors.New("is not of RSA")
	}
	return nil, errors.New("PEM holds " + strconv.Quote(block.Type))
}

func decodePEM(text []byte) (*pem.Block, error) {
	block, _ := pem.Decode(text)
	switch {
	case block == nil:
		return nil, errors.New("is no PEM")
	case block.Headers["DEK-Info"] != "" || block.Type == "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("has a passphrase: remove it first, for example with openssl pkey")
	}
	return block, nil
}

// Ends of the names of a local key pair's files.
const (
	publicSuffix  = ".public_key.pem"
	privateSuffix = ".private_key.pem"
)

const localBits = 2048 // of a key pair made here

// OpenLocalKey reads the key pair NAME.private_key.pem and NAME.public_key.pem in
// dir, the files of the Python SDK's LocalRsaProvider. What is missing it makes:
// the folder, a new pair of 2048 bits, the public half of a private key. Give the
// pair to NewRSAProvider with RSAOptions.OAEP. Several processes may do so at
// once. Who loses the private key's file loses what was encrypted with it.
func OpenLocalKey(dir, name string) (MasterKey, error) {
	private := filepath.Join(dir, name+privateSuffix)
	public := filepath.Join(dir, name+publicSuffix)
	text, err := os.ReadFile(private)
	if errors.Is(err, fs.ErrNotExist) {
		_, orphan := os.Stat(public)
		if orphan != nil {
			if err := makeKey(dir, private); err != nil {
				return MasterKey{}, err
			}
		}
		// Another process may have made both since: the private one first.
		text, err = os.ReadFile(private)
		if orphan == nil && errors.Is(err, fs.ErrNotExist) {
			return MasterKey{}, fmt.Errorf("crypto: %s is there, but not %s", public, private)
		}
	}
	if err != nil {
		return MasterKey{}, err
	}
	k, err := ParseMasterKey(nil, text, nil)
	if err != nil {
		return MasterKey{}, fmt.Errorf("%s: %w", private, err)
	}
	return k, openPublic(public, &k)
}

// openPublic reads the public half of k, or writes it.
func openPublic(name string, k *MasterKey) error {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		der, err := x509.MarshalPKIXPublicKey(&k.Private.PublicKey)
		if err != nil {
			return err
		}
		k.Public = &k.Private.PublicKey
		return create(name, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o644)
	}
	if err != nil {
		return err
	}
	if k.Public, err = parsePublic(text); err != nil {
		return fmt.Errorf("crypto: %s: %w", name, err)
	}
	if !k.Public.Equal(&k.Private.PublicKey) {
		return fmt.Errorf("crypto: %s is not of the private key beside it", name)
	}
	return nil
}

func makeKey(dir, name string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	key, err := rsa.GenerateKey(rand.Reader, localBits)
	if err != nil {
		return err
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	return create(name, pem.EncodeToMemory(block), 0o600)
}

// create makes the file name, whole or not at all, unless there is one: that of
// another process is as good, and may be in use already.
func create(name string, text []byte, mode fs.FileMode) error {
	temp := name + "." + rand.Text()[:8]
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Link(temp, name)
	}
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if err = errors.Join(err, os.Remove(temp)); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// syncDir makes the names in a folder durable: a key must not be lost after its
// first use. Windows keeps names with the files' own flushes.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
