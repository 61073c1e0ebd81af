package oss

import (
	"context"
	"net/http"
)

// BucketWebsite makes the bucket a web site: a page for its folders, one for
// errors, and redirects.
type BucketWebsite struct {
	// IndexFile is the key that a request for "/" gets, such as index.html.
	IndexFile string `xml:"IndexDocument>Suffix,omitempty"`

	// SupportSubDir gives requests for folders below "/" their own IndexFile
	// too, and SubDirType says how: 0 by a redirect, 1 by NoSuchKey, 2 by the
	// index file itself.
	SupportSubDir *bool `xml:"IndexDocument>SupportSubDir"`
	SubDirType    *int  `xml:"IndexDocument>Type"`

	// ErrorFile is the key that a request gets whose object does not exist,
	// with status ErrorStatus: 404, or 200.
	ErrorFile   string `xml:"ErrorDocument>Key,omitempty"`
	ErrorStatus int    `xml:"ErrorDocument>HttpStatus,omitempty"`

	// Rules are tried in the order of their numbers.
	Rules []RoutingRule `xml:"RoutingRules>RoutingRule"`
}

func (w *BucketWebsite) document() (string, []byte, error) {
	return marshalDocument("WebsiteConfiguration", w, "IndexDocument", "ErrorDocument", "RoutingRules")
}

// RoutingRule redirects the requests that match, or fetches what they ask for
// from elsewhere.
type RoutingRule struct {
	Number    int              `xml:"RuleNumber"`
	Condition RoutingCondition `xml:"Condition"`
	Redirect  *RoutingRedirect `xml:"Redirect"`
}

// RoutingCondition matches a request that agrees with all of its fields.
type RoutingCondition struct {
	KeyPrefixEquals string `xml:",omitempty"`
	KeySuffixEquals string `xml:",omitempty"`

	// HTTPErrorCodeReturnedEquals is the status that the request would get,
	// such as 404.
	HTTPErrorCodeReturnedEquals int `xml:"HttpErrorCodeReturnedEquals,omitempty"`

	// IncludeHeaders must all be sent.
	IncludeHeaders []RoutingHeader `xml:"IncludeHeader"`
}

// RoutingHeader is a header of a request and its value.
type RoutingHeader struct {
	Key    string
	Equals string
}

// RoutingRedirect says where a matching request goes. RedirectType decides which
// of the other fields count.
type RoutingRedirect struct {
	// RedirectType is Mirror (the service fetches the object), External or
	// AliCDN (the client is redirected) or Internal (another key).
	RedirectType    string
	PassQueryString *bool

	// External and AliCDN.
	Protocol         string `xml:",omitempty"` // http or https
	HostName         string `xml:",omitempty"`
	HTTPRedirectCode int    `xml:"HttpRedirectCode,omitempty"` // 301, 302 or 307

	// External, AliCDN and Internal. ${key} stands for the key asked for.
	ReplaceKeyWith       string `xml:",omitempty"`
	ReplaceKeyPrefixWith string `xml:",omitempty"`
	EnableReplacePrefix  *bool

	// Mirror.
	MirrorURL             string `xml:",omitempty"`
	MirrorURLSlave        string `xml:",omitempty"`
	MirrorURLProbe        string `xml:",omitempty"`
	MirrorPassQueryString *bool
	MirrorFollowRedirect  *bool
	MirrorCheckMD5        *bool `xml:"MirrorCheckMd5"`
	MirrorSNI             *bool
	MirrorHeaders         *MirrorHeaders
}

// MirrorHeaders says which headers go to the source of a mirror.
type MirrorHeaders struct {
	PassAll *bool
	Pass    []string
	Remove  []string
	Set     []MirrorHeader
}

// MirrorHeader is a header for the source of a mirror. Set wins over Pass and
// PassAll.
type MirrorHeader struct {
	Key   string
	Value string
}

// PutBucketWebsite sets the bucket's site to a *BucketWebsite.
func (b *Bucket) PutBucketWebsite(ctx context.Context, website Document, opts *ConfigOptions) (*Response, error) {
	return b.config("PutBucketWebsite", http.MethodPut, "website").body("WebsiteConfiguration", website, opts).send(ctx)
}

// GetBucketWebsiteResult is the answer to GetBucketWebsite.
type GetBucketWebsiteResult struct {
	Response `xml:"-"`
	BucketWebsite
}

// GetBucketWebsite gives the bucket's site. errors.Is: ErrNoSuchWebsite.
func (b *Bucket) GetBucketWebsite(ctx context.Context) (*GetBucketWebsiteResult, error) {
	return get[GetBucketWebsiteResult](ctx, b.config("GetBucketWebsite", http.MethodGet, "website"), "WebsiteConfiguration")
}

// DeleteBucketWebsite makes the bucket no site any more.
func (b *Bucket) DeleteBucketWebsite(ctx context.Context) (*Response, error) {
	return b.config("DeleteBucketWebsite", http.MethodDelete, "website").send(ctx)
}
