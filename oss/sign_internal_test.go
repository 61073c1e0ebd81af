package oss

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// vector is a request with what the vendor's own signers make of it.
type vector struct {
	Name, Method, Bucket, Key string
	Query, Headers            map[string]string
	Additional                []string
	Token                     bool
	Region, Product           string
	Authorization, Signature  string
	StringToSign              string `json:"string_to_sign"`
}

func (v *vector) signing() *signing {
	s := &signing{
		method: v.Method, bucket: v.Bucket, key: v.Key, header: make(http.Header),
		now: time.Unix(1718180130, 0),
		creds: Credentials{
			AccessKeyID: "LTAItestAccessKey01", AccessKeySecret: "testSecretKey0123456789abcdef",
		},
	}
	if v.Token {
		s.creds.SecurityToken = "CAIStestSecurityToken=="
	}
	for name, value := range v.Query {
		s.query = append(s.query, param{name, value})
	}
	for name, value := range v.Headers {
		s.header.Set(name, value)
	}
	for _, name := range v.Additional {
		s.additional = append(s.additional, strings.ToLower(name))
	}
	slices.Sort(s.additional)
	return s
}

func (v *vector) signer(t *testing.T) signer {
	o := Options{Region: "cn-hangzhou", Signature: SignatureV4}
	switch v.Name[:2] {
	case "V1":
		o.Signature = SignatureV1
	case "V2":
		o.Signature = SignatureV2
	}
	if v.Product == "oss-cloudbox" {
		o.CloudBoxID = v.Region
	}
	s, err := newSigner(o, "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSignatureVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 19 {
		t.Fatalf("%d vectors, want 19", len(vectors))
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			s := v.signing()
			if v.Authorization != "" {
				v.signer(t).header(s)
				if got := s.header.Get("Authorization"); got != v.Authorization {
					t.Errorf("got  %s\nwant %s", got, v.Authorization)
				}
				return
			}
			got := v.signer(t).query(s, time.Hour)
			if got.value != v.Signature {
				t.Errorf("got  %s\nwant %s", got.value, v.Signature)
			}
		})
	}
}

// The example of the vendor's documentation, "Include signatures in the
// Authorization header".
func TestSignatureV1Documentation(t *testing.T) {
	s := &signing{
		method: "PUT", bucket: "oss-example", key: "nelson", header: http.Header{
			"Content-Md5":       {"ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM="},
			"Content-Type":      {"text/html"},
			"X-Oss-Magic":       {"abracadabra"},
			"X-Oss-Meta-Author": {"foo@bar.com"},
		},
		now: time.Date(2005, 11, 17, 18, 49, 58, 0, time.UTC),
		creds: Credentials{
			AccessKeyID: "44CF9590006BF252F707", AccessKeySecret: "OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV",
		},
	}
	signerV1{}.header(s)
	if got, want := s.header.Get("Authorization"), "OSS 44CF9590006BF252F707:26NBxoKdsyly4EDv6inkoDft/yA="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDayKeyChanges(t *testing.T) {
	s := &signerV4{region: "cn-hangzhou", product: "oss"}
	day := s.key("secret", "20240612")
	if s.key("secret", "20240612") != day {
		t.Error("the same day and secret gave another key")
	}
	if s.key("secret", "20240613") == day || s.key("other", "20240613") == s.key("secret", "20240613") {
		t.Error("another day or secret gave the same key")
	}
}

func BenchmarkSign(b *testing.B) {
	for _, v := range []struct {
		name   string
		signer signer
	}{
		{"version=V1", signerV1{}},
		{"version=V2", signerV2{}},
		{"version=V4", &signerV4{region: "cn-hangzhou", product: "oss"}},
	} {
		b.Run(v.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s := signing{
					method: "PUT", bucket: "examplebucket", key: "dir/nelson-0001.bin",
					header: http.Header{
						"Content-Type": {"application/octet-stream"}, "User-Agent": {"x"}, "Accept-Encoding": {"identity"},
					},
					query: []param{{"partNumber", "3"}, {"uploadId", "0004B9894A22E5B1888A1E29F8236E2D"}},
					now:   time.Unix(1718180130, 0),
					creds: Credentials{AccessKeyID: "LTAItestAccessKey01", AccessKeySecret: "testSecretKey0123456789abcdef"},
				}
				v.signer.header(&s)
			}
		})
	}
}
