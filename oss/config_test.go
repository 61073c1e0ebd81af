package oss_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
)

// configCall is a call, what it must send and what it makes of an answer.
type configCall struct {
	name   string
	call   func(context.Context, *oss.Client, *oss.Bucket) (any, error)
	line   string   // method, path and query
	header []string // "Name: value" lines that must be there
	body   string   // without the XML declaration
	answer string
	head   string // a header line of the answer
	want   any    // without Response
}

// on is a *Response call, whose answer says nothing.
func on(f func(context.Context, *oss.Bucket) (*oss.Response, error)) func(context.Context, *oss.Client, *oss.Bucket) (any, error) {
	return func(ctx context.Context, _ *oss.Client, b *oss.Bucket) (any, error) { return f(ctx, b) }
}

// of is a call of a bucket with a result.
func of[R any](f func(context.Context, *oss.Bucket) (R, error)) func(context.Context, *oss.Client, *oss.Bucket) (any, error) {
	return func(ctx context.Context, _ *oss.Client, b *oss.Bucket) (any, error) { return f(ctx, b) }
}

// account is a call of the account.
func account[R any](f func(context.Context, *oss.Client) (R, error)) func(context.Context, *oss.Client, *oss.Bucket) (any, error) {
	return func(ctx context.Context, c *oss.Client, _ *oss.Bucket) (any, error) { return f(ctx, c) }
}

func at(text string) oss.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return oss.Time{Time: t.UTC()}
}

func runConfigCalls(t *testing.T, calls []configCall) {
	for _, v := range calls {
		t.Run(v.name, func(t *testing.T) {
			rt := answerer(func(r *http.Request) (*http.Response, error) {
				checkConfigRequest(t, r, v)
				head := v.head
				if head == "" {
					head = "X-Oss-None: none"
				}
				return answer(200, v.answer, head), nil
			})
			c := newClient(t, rt, nil)
			got, err := v.call(t.Context(), c, c.Bucket("examplebucket"))
			if err != nil {
				t.Fatal(err)
			}
			checkConfigResult(t, got, v.want)
			checkForeignAnswers(t, v)
		})
	}
}

func checkConfigRequest(t *testing.T, r *http.Request, v configCall) {
	t.Helper()
	line := r.Method + " " + r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		line += "?" + r.URL.RawQuery
	}
	if line != v.line {
		t.Errorf("sent %s\nwant %s", line, v.line)
	}
	for _, h := range v.header {
		name, value, _ := strings.Cut(h, ": ")
		if got := r.Header.Get(name); got != value {
			t.Errorf("header %s is %q, want %q", name, got, value)
		}
	}
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			t.Error(err)
		}
	}
	text := strings.TrimPrefix(string(body), `<?xml version="1.0" encoding="UTF-8"?>`+"\n")
	if text != v.body {
		t.Errorf("sent body\n%s\nwant\n%s", text, v.body)
	}
	if md5 := r.Header.Get("Content-Md5"); (md5 != "") != (v.body != "") && r.URL.RawQuery != "x-oss-write-get-object-response" {
		t.Errorf("Content-MD5 is %q", md5)
	}
}

func checkConfigResult(t *testing.T, got, want any) {
	t.Helper()
	if r, ok := got.(*oss.Response); ok {
		if r.Status != 200 || r.RequestID != "ID" || want != nil {
			t.Errorf("got %+v", r)
		}
		return
	}
	field := reflect.ValueOf(got).Elem().FieldByName("Response")
	if r, ok := field.Interface().(oss.Response); !ok || r.Status != 200 || r.RequestID != "ID" {
		t.Errorf("the result's Response is %+v", field)
	}
	field.SetZero()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// checkForeignAnswers: an answer that is none, and an error within a 200, are
// errors of every call whose answer is XML.
func checkForeignAnswers(t *testing.T, v configCall) {
	t.Helper()
	if !strings.HasPrefix(v.answer, "<") {
		return
	}
	for _, text := range []string{"", "<html><body>sign in</body></html>", "<Other/>", v.answer[:len(v.answer)/2], errorXML("InternalError")} {
		c := newClient(t, always(200, text), nil)
		got, err := v.call(t.Context(), c, c.Bucket("examplebucket"))
		if err == nil || !reflect.ValueOf(got).IsNil() {
			t.Errorf("answer %.30q: %+v, %v", text, got, err)
		}
	}
}

func yes() *bool { return new(true) }

func TestConfigOfBuckets(t *testing.T) {
	lifecycle := `<LifecycleConfiguration><Rule><ID>r</ID><Prefix>logs/</Prefix><Status>Enabled</Status><Tag><Key>k</Key><Value>v</Value></Tag>` +
		`<Filter><ObjectSizeGreaterThan>1</ObjectSizeGreaterThan><Not><Prefix>logs/keep</Prefix><Tag><Key>a</Key><Value>b</Value></Tag></Not></Filter>` +
		`<Expiration><Days>30</Days></Expiration>` +
		`<Transition><Days>10</Days><StorageClass>IA</StorageClass><IsAccessTime>true</IsAccessTime><ReturnToStdWhenVisit>false</ReturnToStdWhenVisit></Transition>` +
		`<NoncurrentVersionExpiration><NoncurrentDays>5</NoncurrentDays></NoncurrentVersionExpiration>` +
		`<NoncurrentVersionTransition><NoncurrentDays>3</NoncurrentDays><StorageClass>Archive</StorageClass></NoncurrentVersionTransition>` +
		`<AbortMultipartUpload><CreatedBeforeDate>2024-06-12T00:00:00.000Z</CreatedBeforeDate></AbortMultipartUpload></Rule></LifecycleConfiguration>`
	rules := oss.BucketLifecycle{Rules: []oss.LifecycleRule{{
		ID: "r", Prefix: "logs/", Status: "Enabled", Tags: []oss.Tag{{Key: "k", Value: "v"}},
		Filter:                       &oss.LifecycleFilter{ObjectSizeGreaterThan: 1, Not: []oss.LifecycleFilterNot{{Prefix: "logs/keep", Tag: &oss.Tag{Key: "a", Value: "b"}}}},
		Expiration:                   &oss.LifecycleExpiration{Days: 30},
		Transitions:                  []oss.StorageTransition{{Days: 10, StorageClass: "IA", IsAccessTime: yes(), ReturnToStdWhenVisit: new(false)}},
		NoncurrentVersionExpiration:  &oss.NoncurrentVersionExpiration{NoncurrentDays: 5},
		NoncurrentVersionTransitions: []oss.NoncurrentVersionStorageTransition{{NoncurrentDays: 3, StorageClass: "Archive"}},
		AbortMultipartUpload:         &oss.LifecycleAbort{CreatedBeforeDate: at("2024-06-12T00:00:00Z")},
	}}}
	cors := `<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>` +
		`<AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule><ResponseVary>true</ResponseVary></CORSConfiguration>`
	corsRules := oss.BucketCORS{Rules: []oss.CORSRule{{
		AllowedOrigins: []string{"*"}, AllowedMethods: []string{"GET", "PUT"}, AllowedHeaders: []string{"*"}, ExposeHeaders: []string{"ETag"}, MaxAgeSeconds: 60,
	}}, ResponseVary: yes()}
	website := `<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix><SupportSubDir>true</SupportSubDir><Type>0</Type></IndexDocument>` +
		`<ErrorDocument><Key>error.html</Key><HttpStatus>404</HttpStatus></ErrorDocument><RoutingRules><RoutingRule><RuleNumber>1</RuleNumber>` +
		`<Condition><KeyPrefixEquals>abc/</KeyPrefixEquals><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals><IncludeHeader><Key>host</Key><Equals>a</Equals></IncludeHeader></Condition>` +
		`<Redirect><RedirectType>Mirror</RedirectType><PassQueryString>true</PassQueryString><MirrorURL>http://example.com/</MirrorURL><MirrorCheckMd5>false</MirrorCheckMd5>` +
		`<MirrorHeaders><PassAll>true</PassAll><Pass>a</Pass><Remove>b</Remove><Set><Key>c</Key><Value>d</Value></Set></MirrorHeaders></Redirect></RoutingRule></RoutingRules></WebsiteConfiguration>`
	site := oss.BucketWebsite{
		IndexFile: "index.html", SupportSubDir: yes(), SubDirType: new(0), ErrorFile: "error.html", ErrorStatus: 404,
		Rules: []oss.RoutingRule{{
			Number:    1,
			Condition: oss.RoutingCondition{KeyPrefixEquals: "abc/", HTTPErrorCodeReturnedEquals: 404, IncludeHeaders: []oss.RoutingHeader{{Key: "host", Equals: "a"}}},
			Redirect: &oss.RoutingRedirect{
				RedirectType: "Mirror", PassQueryString: yes(), MirrorURL: "http://example.com/", MirrorCheckMD5: new(false),
				MirrorHeaders: &oss.MirrorHeaders{PassAll: yes(), Pass: []string{"a"}, Remove: []string{"b"}, Set: []oss.MirrorHeader{{Key: "c", Value: "d"}}},
			},
		}},
	}

	runConfigCalls(t, []configCall{
		{
			name: "PutBucketLifecycle", line: "PUT /?lifecycle", body: lifecycle, header: []string{"X-Oss-Allow-Same-Action-Overlap: true"},
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketLifecycle(ctx, &rules, &oss.PutBucketLifecycleOptions{AllowSameActionOverlap: true})
			}),
		},
		{
			name: "GetBucketLifecycle", line: "GET /?lifecycle", answer: lifecycle, want: &oss.GetBucketLifecycleResult{BucketLifecycle: rules},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketLifecycleResult, error) {
				return b.GetBucketLifecycle(ctx)
			}),
		},
		{
			name: "DeleteBucketLifecycle", line: "DELETE /?lifecycle",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) { return b.DeleteBucketLifecycle(ctx) }),
		},
		{
			name: "PutBucketCORS", line: "PUT /?cors", body: cors,
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketCORS(ctx, &corsRules, nil)
			}),
		},
		{
			name: "PutBucketCORS as raw XML", line: "PUT /?cors&x-oss-new=1", body: "<CORSConfiguration><New/></CORSConfiguration>", header: []string{"X-Oss-A: b"},
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketCORS(ctx, oss.RawXML("<CORSConfiguration><New/></CORSConfiguration>"),
					&oss.ConfigOptions{Header: http.Header{"x-oss-a": {"b"}}, Query: url.Values{"x-oss-new": {"1"}}})
			}),
		},
		{
			name: "GetBucketCORS", line: "GET /?cors", answer: cors, want: &oss.GetBucketCORSResult{BucketCORS: corsRules},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketCORSResult, error) {
				return b.GetBucketCORS(ctx)
			}),
		},
		{
			name: "DeleteBucketCORS", line: "DELETE /?cors",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) { return b.DeleteBucketCORS(ctx) }),
		},
		{
			name: "PutBucketWebsite", line: "PUT /?website", body: website,
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketWebsite(ctx, &site, nil)
			}),
		},
		{
			name: "GetBucketWebsite", line: "GET /?website", answer: website, want: &oss.GetBucketWebsiteResult{BucketWebsite: site},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketWebsiteResult, error) {
				return b.GetBucketWebsite(ctx)
			}),
		},
		{
			name: "DeleteBucketWebsite", line: "DELETE /?website",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) { return b.DeleteBucketWebsite(ctx) }),
		},
	})
}

func TestConfigOfSmallDocuments(t *testing.T) {
	referer := `<RefererConfiguration><AllowEmptyReferer>false</AllowEmptyReferer><AllowTruncateQueryString>true</AllowTruncateQueryString>` +
		`<RefererList><Referer>http://a.example</Referer></RefererList><RefererBlacklist><Referer>http://b.example</Referer></RefererBlacklist></RefererConfiguration>`
	sites := oss.BucketReferer{AllowTruncateQueryString: yes(), Referers: []string{"http://a.example"}, BlackReferers: []string{"http://b.example"}}
	logging := `<BucketLoggingStatus><LoggingEnabled><TargetBucket>logs</TargetBucket><TargetPrefix>a/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>`
	tls := `<HttpsConfiguration><TLS><Enable>true</Enable><TLSVersion>TLSv1.2</TLSVersion><TLSVersion>TLSv1.3</TLSVersion></TLS></HttpsConfiguration>`
	tlsVersions := oss.HTTPSConfiguration{TLSEnabled: true, TLSVersions: []string{"TLSv1.2", "TLSv1.3"}}
	encryption := `<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>id</KMSMasterKeyID>` +
		`<KMSDataEncryption>SM4</KMSDataEncryption></ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>`
	sse := oss.ServerSideEncryptionRule{SSEAlgorithm: "KMS", KMSMasterKeyID: "id", KMSDataEncryption: "SM4"}
	tagging := `<Tagging><TagSet><Tag><Key>a</Key><Value>1&amp;2</Value></Tag></TagSet></Tagging>`
	tags := oss.BucketTagging{Tags: []oss.Tag{{Key: "a", Value: "1&2"}}}

	runConfigCalls(t, []configCall{
		{
			name: "PutBucketLogging", line: "PUT /?logging", body: logging,
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketLogging(ctx, &oss.BucketLogging{TargetBucket: "logs", TargetPrefix: "a/"}, nil)
			}),
		},
		{
			name: "PutBucketLogging of none", line: "PUT /?logging", body: "<BucketLoggingStatus></BucketLoggingStatus>",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketLogging(ctx, &oss.BucketLogging{}, nil)
			}),
		},
		{
			name: "GetBucketLogging", line: "GET /?logging", answer: logging,
			want: &oss.GetBucketLoggingResult{BucketLogging: oss.BucketLogging{TargetBucket: "logs", TargetPrefix: "a/"}},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketLoggingResult, error) {
				return b.GetBucketLogging(ctx)
			}),
		},
		{
			name: "DeleteBucketLogging", line: "DELETE /?logging",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) { return b.DeleteBucketLogging(ctx) }),
		},
		{
			name: "PutBucketReferer", line: "PUT /?referer", body: referer,
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketReferer(ctx, &sites, nil)
			}),
		},
		{
			name: "PutBucketReferer of all", line: "PUT /?referer",
			body: "<RefererConfiguration><AllowEmptyReferer>true</AllowEmptyReferer><RefererList></RefererList></RefererConfiguration>",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketReferer(ctx, &oss.BucketReferer{AllowEmptyReferer: true}, nil)
			}),
		},
		{
			name: "GetBucketReferer", line: "GET /?referer", answer: referer, want: &oss.GetBucketRefererResult{BucketReferer: sites},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketRefererResult, error) {
				return b.GetBucketReferer(ctx)
			}),
		},
		{
			name: "PutBucketHTTPSConfig", line: "PUT /?httpsConfig", body: tls,
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketHTTPSConfig(ctx, &tlsVersions, nil)
			}),
		},
		{
			name: "GetBucketHTTPSConfig", line: "GET /?httpsConfig", answer: tls, want: &oss.GetBucketHTTPSConfigResult{HTTPSConfiguration: tlsVersions},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketHTTPSConfigResult, error) {
				return b.GetBucketHTTPSConfig(ctx)
			}),
		},
		{
			name: "PutBucketEncryption", line: "PUT /?encryption", body: encryption,
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketEncryption(ctx, &sse, nil)
			}),
		},
		{
			name: "GetBucketEncryption", line: "GET /?encryption", answer: encryption, want: &oss.GetBucketEncryptionResult{ServerSideEncryptionRule: sse},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketEncryptionResult, error) {
				return b.GetBucketEncryption(ctx)
			}),
		},
		{
			name: "DeleteBucketEncryption", line: "DELETE /?encryption",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) { return b.DeleteBucketEncryption(ctx) }),
		},
		{
			name: "PutBucketTagging", line: "PUT /?tagging", body: tagging,
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketTagging(ctx, &tags, nil)
			}),
		},
		{
			name: "GetBucketTagging", line: "GET /?tagging", answer: tagging, want: &oss.GetBucketTaggingResult{BucketTagging: tags},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketTaggingResult, error) {
				return b.GetBucketTagging(ctx)
			}),
		},
		{
			name: "DeleteBucketTagging", line: "DELETE /?tagging",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) { return b.DeleteBucketTagging(ctx) }),
		},
		{
			name: "DeleteBucketTagging of two", line: "DELETE /?tagging=a%2Cb",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.DeleteBucketTagging(ctx, "a", "b")
			}),
		},
	})
}

func TestConfigOfPolicies(t *testing.T) {
	const policy = `{"Version":"1","Statement":[]}`
	callbacks := `<BucketCallbackPolicy><PolicyItem><PolicyName>p</PolicyName><Callback>e30=</Callback><CallbackVar></CallbackVar></PolicyItem></BucketCallbackPolicy>`
	policies := oss.CallbackPolicies{Policies: []oss.CallbackPolicy{{PolicyName: "p", Callback: "e30="}}}
	runConfigCalls(t, []configCall{
		{
			name: "PutBucketPolicy", line: "PUT /?policy", body: policy, header: []string{"Content-Type: application/json"},
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) { return b.PutBucketPolicy(ctx, policy) }),
		},
		{
			name: "GetBucketPolicy", line: "GET /?policy", answer: policy, want: &oss.GetBucketPolicyResult{Policy: policy},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketPolicyResult, error) {
				return b.GetBucketPolicy(ctx)
			}),
		},
		{
			name: "DeleteBucketPolicy", line: "DELETE /?policy",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) { return b.DeleteBucketPolicy(ctx) }),
		},
		{
			name: "PutBucketCallbackPolicy", line: "PUT /?comp=callback&policy", body: callbacks,
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketCallbackPolicy(ctx, &policies, nil)
			}),
		},
		{
			name: "GetBucketCallbackPolicy", line: "GET /?comp=callback&policy", answer: callbacks, want: &oss.GetBucketCallbackPolicyResult{CallbackPolicies: policies},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketCallbackPolicyResult, error) {
				return b.GetBucketCallbackPolicy(ctx)
			}),
		},
		{
			name: "DeleteBucketCallbackPolicy", line: "DELETE /?comp=callback&policy",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.DeleteBucketCallbackPolicy(ctx)
			}),
		},
		{
			name: "PutBucketRequestPayment", line: "PUT /?requestPayment", body: "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketRequestPayment(ctx, "Requester")
			}),
		},
		{
			name: "GetBucketRequestPayment", line: "GET /?requestPayment", answer: "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>",
			want: &oss.GetBucketRequestPaymentResult{Payer: "BucketOwner"},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketRequestPaymentResult, error) {
				return b.GetBucketRequestPayment(ctx)
			}),
		},
		{
			name: "PutBucketTransferAcceleration", line: "PUT /?transferAcceleration",
			body: "<TransferAccelerationConfiguration><Enabled>true</Enabled></TransferAccelerationConfiguration>",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketTransferAcceleration(ctx, true)
			}),
		},
		{
			name: "GetBucketTransferAcceleration", line: "GET /?transferAcceleration",
			answer: "<TransferAccelerationConfiguration><Enabled>true</Enabled></TransferAccelerationConfiguration>",
			want:   &oss.GetBucketTransferAccelerationResult{Enabled: true},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketTransferAccelerationResult, error) {
				return b.GetBucketTransferAcceleration(ctx)
			}),
		},
		{
			name: "PutBucketArchiveDirectRead", line: "PUT /?bucketArchiveDirectRead",
			body: "<ArchiveDirectReadConfiguration><Enabled>false</Enabled></ArchiveDirectReadConfiguration>",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketArchiveDirectRead(ctx, false)
			}),
		},
		{
			name: "GetBucketArchiveDirectRead", line: "GET /?bucketArchiveDirectRead",
			answer: "<ArchiveDirectReadConfiguration><Enabled>true</Enabled></ArchiveDirectReadConfiguration>",
			want:   &oss.GetBucketArchiveDirectReadResult{Enabled: true},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketArchiveDirectReadResult, error) {
				return b.GetBucketArchiveDirectRead(ctx)
			}),
		},
		{
			name: "PutBucketAccessMonitor", line: "PUT /?accessmonitor", body: "<AccessMonitorConfiguration><Status>Enabled</Status></AccessMonitorConfiguration>",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketAccessMonitor(ctx, "Enabled")
			}),
		},
		{
			name: "GetBucketAccessMonitor", line: "GET /?accessmonitor", answer: "<AccessMonitorConfiguration><Status>Disabled</Status></AccessMonitorConfiguration>",
			want: &oss.GetBucketAccessMonitorResult{AccessMonitor: "Disabled"},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketAccessMonitorResult, error) {
				return b.GetBucketAccessMonitor(ctx)
			}),
		},
		{
			name: "PutBucketResourceGroup", line: "PUT /?resourceGroup",
			body: "<BucketResourceGroupConfiguration><ResourceGroupId>rg-a</ResourceGroupId></BucketResourceGroupConfiguration>",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketResourceGroup(ctx, "rg-a")
			}),
		},
		{
			name: "GetBucketResourceGroup", line: "GET /?resourceGroup",
			answer: "<BucketResourceGroupConfiguration><ResourceGroupId>rg-a</ResourceGroupId></BucketResourceGroupConfiguration>",
			want:   &oss.GetBucketResourceGroupResult{ResourceGroupID: "rg-a"},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketResourceGroupResult, error) {
				return b.GetBucketResourceGroup(ctx)
			}),
		},
	})
}
