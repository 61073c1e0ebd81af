package oss

import (
	"context"
	"net/http"
)

const cnameRoot = "BucketCnameConfiguration"

// BucketCNAME binds a domain to the bucket, perhaps with a certificate.
type BucketCNAME struct {
	Domain      string            `xml:"Cname>Domain"`
	Certificate *CNAMECertificate `xml:"Cname>CertificateConfiguration"`
}

// CNAMECertificate is a certificate for a domain, in PEM.
type CNAMECertificate struct {
	CertID      string `xml:"CertId,omitempty"`
	Certificate string `xml:",omitempty"`
	PrivateKey  string `xml:",omitempty"`

	// PreviousCertID is the certificate to replace. Force replaces whichever
	// there is.
	PreviousCertID string `xml:"PreviousCertId,omitempty"`
	Force          bool   `xml:",omitempty"`

	// DeleteCertificate removes the domain's certificate.
	DeleteCertificate bool `xml:",omitempty"`
}

func (c *BucketCNAME) document() (string, []byte, error) { return marshalDocument(cnameRoot, c) }

// CNAMEToken proves that the domain is the caller's: a TXT record _dnsauth of
// the domain must hold it when PutBucketCNAME is called.
type CNAMEToken struct {
	Response   `xml:"-"`
	Bucket     string
	CNAME      string `xml:"Cname"`
	Token      string
	ExpireTime Time
}

// CreateBucketCNAMEToken makes a token for a domain (CreateCnameToken).
func (b *Bucket) CreateBucketCNAMEToken(ctx context.Context, domain string) (*CNAMEToken, error) {
	return get[CNAMEToken](ctx, b.cname("CreateBucketCNAMEToken", "token", domain), "CnameToken")
}

// GetBucketCNAMEToken gives the token that was made for a domain
// (GetCnameToken).
func (b *Bucket) GetBucketCNAMEToken(ctx context.Context, domain string) (*CNAMEToken, error) {
	c := &config{call: b.newCall("GetBucketCNAMEToken", http.MethodGet)}
	return get[CNAMEToken](ctx, c.with("cname", domain).with("comp", "token"), "CnameToken")
}

// PutBucketCNAME binds the domain of a *BucketCNAME to the bucket (PutCname).
func (b *Bucket) PutBucketCNAME(ctx context.Context, cname Document, opts *ConfigOptions) (*Response, error) {
	return b.config("PutBucketCNAME", http.MethodPost, "cname").with("comp", "add").body(cnameRoot, cname, opts).send(ctx)
}

// DeleteBucketCNAME takes the domain off the bucket (DeleteCname).
func (b *Bucket) DeleteBucketCNAME(ctx context.Context, domain string) (*Response, error) {
	return b.cname("DeleteBucketCNAME", "delete", domain).send(ctx)
}

func (b *Bucket) cname(op, comp, domain string) *config {
	c := b.config(op, http.MethodPost, "cname").with("comp", comp)
	c.need("domain", domain)
	return c.xmlBody(cnameRoot, BucketCNAME{Domain: domain})
}

// ListBucketCNAMEResult is the answer to ListBucketCNAME.
type ListBucketCNAMEResult struct {
	Response `xml:"-"`
	Bucket   string
	Owner    string
	CNAMEs   []CNAMEInfo `xml:"Cname"`
}

// CNAMEInfo is a domain that is bound to a bucket.
type CNAMEInfo struct {
	Domain          string
	LastModified    Time
	Status          string // Enabled or Disabled
	IsPurgeCDNCache bool   `xml:"IsPurgeCdnCache"`
	Certificate     *CNAMECertificateInfo
}

// CNAMECertificateInfo is a certificate that the service has.
type CNAMECertificateInfo struct {
	Type           string // CAS or Upload
	CertID         string `xml:"CertId"`
	Status         string // Enabled or Disabled
	CreationDate   Time
	Fingerprint    string
	ValidStartDate Time
	ValidEndDate   Time
}

// ListBucketCNAME gives the domains that are bound to the bucket (ListCname).
func (b *Bucket) ListBucketCNAME(ctx context.Context) (*ListBucketCNAMEResult, error) {
	return get[ListBucketCNAMEResult](ctx, b.config("ListBucketCNAME", http.MethodGet, "cname"), "ListCnameResult")
}
