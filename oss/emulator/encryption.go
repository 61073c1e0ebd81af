package emulator

import (
	"slices"
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

const (
	sseHeader     = "x-oss-server-side-encryption"
	sseKeyHeader  = "x-oss-server-side-encryption-key-id"
	sseDataHeader = "x-oss-server-side-data-encryption"

	// defaultKMSKey stands for the key that the service makes for an account
	// which names none.
	defaultKMSKey = "6f2d7c1e-0c54-4f0b-9a37-5b1f8e3d2a90"
)

// completeEncryption makes of the headers that a request has the ones that
// answers have: with KMS there is a key, and only with KMS is there a method
// for the data. Nothing is encrypted; what was asked for is what is said.
func completeEncryption(hs []store.Header) []store.Header {
	if headerValue(hs, sseHeader) == "KMS" {
		if headerValue(hs, sseKeyHeader) == "" {
			hs = append(hs, store.Header{Name: sseKeyHeader, Value: defaultKMSKey})
		}
	} else {
		hs = slices.DeleteFunc(hs, func(h store.Header) bool { return h.Name == sseKeyHeader || h.Name == sseDataHeader })
	}
	slices.SortFunc(hs, func(x, y store.Header) int { return strings.Compare(x.Name, y.Name) })
	return hs
}

// refuseEncryption is for what is encrypted as its upload was begun.
func (rq *request) refuseEncryption() error {
	for _, name := range []string{sseHeader, sseDataHeader} {
		if v := rq.header(name); v != "" {
			return failArgument(name, v, name+" is not allowed here: it is set when the upload is initiated.")
		}
	}
	return nil
}
