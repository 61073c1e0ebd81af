package crypto_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/crypto"
	"github.com/osssync/osssync/oss/emulator"
)

func Example() {
	server, err := emulator.Open(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	endpoint, err := server.Start("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if err := server.CreateBucket("examplebucket"); err != nil {
		log.Fatal(err)
	}
	id, secret := server.Credentials()
	client, err := oss.New(endpoint, oss.StaticCredentials(id, secret, ""), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.CloseIdleConnections()

	private, err := rsa.GenerateKey(rand.Reader, 2048) // in earnest: ParseMasterKey, from a safe place
	if err != nil {
		log.Fatal(err)
	}
	provider, err := crypto.NewRSAProvider(crypto.MasterKey{Public: &private.PublicKey, Private: private}, nil)
	if err != nil {
		log.Fatal(err)
	}
	bucket, err := crypto.NewBucket(client.Bucket("examplebucket"), provider, nil)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	if _, err := bucket.PutObject(ctx, "k", strings.NewReader("nobody else reads this"), nil); err != nil {
		log.Fatal(err)
	}
	object, err := bucket.GetObject(ctx, "k", &oss.GetObjectOptions{Range: oss.RangeBetween(0, 10)})
	if err != nil {
		log.Fatal(err)
	}
	defer object.Body.Close()
	text, err := io.ReadAll(object.Body)
	fmt.Println(string(text), err)
	// Output: nobody else <nil>
}
