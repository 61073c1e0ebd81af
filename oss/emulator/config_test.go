package emulator_test

import (
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss/emulator"
)

// configs has a document of every family that is put and got whole.
var configs = []struct {
	query, doc string
	absent     string   // code, or a piece of the document there is without one
	kept       []string // pieces of the answer besides doc
	header     []string
	forever    bool // there is no DELETE
}{
	{query: "lifecycle", absent: "NoSuchLifecycle", doc: "<LifecycleConfiguration><Rule><ID>r</ID><Prefix>log/</Prefix><Status>Enabled</Status>" +
		"<Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>"},
	{query: "cors", absent: "NoSuchCORSConfiguration", doc: "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>" +
		"<AllowedHeader>*</AllowedHeader><ExposeHeader>x-a</ExposeHeader><MaxAgeSeconds>100</MaxAgeSeconds></CORSRule><ResponseVary>false</ResponseVary></CORSConfiguration>"},
	{query: "website", absent: "NoSuchWebsiteConfiguration", doc: "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument>" +
		"<RoutingRules><RoutingRule><RuleNumber>1</RuleNumber><Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition>" +
		"<Redirect><RedirectType>Mirror</RedirectType><MirrorURL>http://a.example/</MirrorURL><MirrorSNI>true</MirrorSNI>" + mirrorDefaults + "</Redirect></RoutingRule></RoutingRules></WebsiteConfiguration>"},
	{query: "logging", absent: "<BucketLoggingStatus></BucketLoggingStatus>", doc: "<BucketLoggingStatus><LoggingEnabled><TargetBucket>" + testBucket +
		"</TargetBucket><TargetPrefix>p/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>"},
	{
		query: "userDefinedLogFieldsConfig", absent: "NoSuchUserDefinedLogFieldsConfig",
		doc: "<UserDefinedLogFieldsConfiguration><HeaderSet><header>h</header></HeaderSet><ParamSet><parameter>p</parameter></ParamSet></UserDefinedLogFieldsConfiguration>",
	},
	{query: "referer", absent: "<AllowEmptyReferer>true<", forever: true, doc: "<RefererConfiguration><AllowEmptyReferer>false</AllowEmptyReferer><AllowTruncateQueryString>true</AllowTruncateQueryString>" +
		"<RefererList><Referer>http://*.example</Referer></RefererList><RefererBlacklist><Referer>http://b.example</Referer></RefererBlacklist></RefererConfiguration>"},
	{query: "policy&comp=callback", absent: "BucketCallbackPolicyNotExist", doc: "<BucketCallbackPolicy><PolicyItem><PolicyName>a</PolicyName>" +
		"<Callback>e30=</Callback></PolicyItem></BucketCallbackPolicy>"},
	{
		query: "encryption", absent: "NoSuchServerSideEncryptionRule",
		doc: "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>" +
			"<KMSDataEncryption>SM4</KMSDataEncryption></ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>",
	},
	{query: "tagging", absent: "<TagSet></TagSet>", doc: "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>"},
	{query: "requestPayment", absent: ">BucketOwner<", forever: true, doc: "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>"},
	{
		query: "transferAcceleration", absent: "NoSuchTransferAccelerationConfiguration",
		doc: "<TransferAccelerationConfiguration><Enabled>true</Enabled></TransferAccelerationConfiguration>",
	},
	{query: "accessmonitor", absent: ">Disabled<", forever: true, doc: "<AccessMonitorConfiguration><Status>Enabled</Status></AccessMonitorConfiguration>"},
	{
		query: "resourceGroup", absent: ">rg-default<", forever: true,
		doc: "<BucketResourceGroupConfiguration><ResourceGroupId>rg-acfmx7a</ResourceGroupId></BucketResourceGroupConfiguration>",
	},
	{
		query: "bucketArchiveDirectRead", absent: "<Enabled>false<", forever: true,
		doc: "<ArchiveDirectReadConfiguration><Enabled>true</Enabled></ArchiveDirectReadConfiguration>",
	},
	{
		query: "httpsConfig", absent: "<Enable>false<", forever: true,
		doc: "<HttpsConfiguration><TLS><Enable>true</Enable><TLSVersion>TLSv1.2</TLSVersion></TLS><CipherSuite><Enable>true</Enable>" +
			"<CustomCipherSuite>A</CustomCipherSuite></CipherSuite></HttpsConfiguration>",
	},
	{
		query: "publicAccessBlock", absent: "<BlockPublicAccess>false<",
		doc: "<PublicAccessBlockConfiguration><BlockPublicAccess>true</BlockPublicAccess></PublicAccessBlockConfiguration>",
	},
	{
		query: "style&styleName=s1", absent: "NoSuchStyle", kept: []string{"<Name>s1<", "<Content>image/resize,p_50<", "<Category>image<"},
		doc: "<Style><Content>image/resize,p_50</Content></Style>",
	},
	{query: "inventory&inventoryId=i1", absent: "NoSuchInventory", doc: inventory("i1")},
	{query: "qosInfo", absent: "NoSuchBucketQosInfo", kept: []string{"<TotalQps>100<", "<IntranetUploadBandwidth>-1<"}, doc: "<QoSConfiguration><TotalQps>100</TotalQps></QoSConfiguration>"},
	{
		query: "requesterQosInfo&qosRequester=123", absent: "NoSuchRequesterQosInfo", kept: []string{"<RequesterQoSInfo><Requester>123<", "<TotalQps>100<"},
		doc: "<QoSConfiguration><TotalQps>100</TotalQps></QoSConfiguration>",
	},
	{query: "qos", absent: ">-1<", forever: true, doc: "<BucketUserQos><StorageCapacity>100</StorageCapacity></BucketUserQos>"},
	{query: "quota", absent: "NoSuchBucketStorageQuota", doc: "<QuotaConfiguration><StorageQuota>100</StorageQuota><Mode>Strict</Mode></QuotaConfiguration>"},
	{query: "overwriteConfig", absent: "NoSuchBucketOverwriteConfig", doc: "<OverwriteConfiguration><Rule><ID>1</ID><Action>forbid</Action>" +
		"<Prefix>a</Prefix><Principals><Principal>1</Principal></Principals></Rule></OverwriteConfiguration>"},
	{query: "responseHeader", absent: "NoSuchBucketResponseHeader", doc: "<ResponseHeaderConfiguration><Rule><Name>r</Name><Filters><Operation>Put</Operation></Filters>" +
		"<HideHeaders><Header>Last-Modified</Header></HideHeaders></Rule></ResponseHeaderConfiguration>"},
	{query: "policy", absent: "NoSuchBucketPolicy", doc: policyOf("Deny", "oss:PutObject", "1234")},
}

// mirrorDefaults are what a mirror rule says that leaves them open.
const mirrorDefaults = "<PassQueryString>false</PassQueryString><MirrorPassQueryString>false</MirrorPassQueryString><MirrorPassOriginalSlashes>false</MirrorPassOriginalSlashes><MirrorFollowRedirect>true</MirrorFollowRedirect><MirrorCheckMd5>false</MirrorCheckMd5>"

func inventory(id string) string {
	return "<InventoryConfiguration><Id>" + id + "</Id><IsEnabled>true</IsEnabled><Destination><OSSBucketDestination><Format>CSV</Format>" +
		"<AccountId>1</AccountId><RoleArn>acs:ram::1:role/r</RoleArn><Bucket>acs:oss:::dest-bucket</Bucket><Encryption><SSE-OSS></SSE-OSS></Encryption>" +
		"</OSSBucketDestination></Destination><Schedule><Frequency>Daily</Frequency></Schedule><IncludedObjectVersions>All</IncludedObjectVersions></InventoryConfiguration>"
}

func policyOf(effect, action, principal string) string {
	return fmt.Sprintf(`{"Version":"1","Statement":[{"Effect":%q,"Action":[%q],"Principal":[%q],"Resource":["acs:oss:*:*:%s","acs:oss:*:*:%s/*"]}]}`,
		effect, action, principal, testBucket, testBucket)
}

func (c *client) config(method, query, body string, header ...string) *answer {
	c.t.Helper()
	return c.do(method, target(testBucket, "", query), body, header...)
}

func TestConfigRoundTrip(t *testing.T) {
	for _, tc := range configs {
		t.Run(tc.query, func(t *testing.T) {
			c := newClient(t)
			absent := func() {
				t.Helper()
				a := c.config("GET", tc.query, "")
				if strings.HasPrefix(tc.absent, "NoSuch") || strings.HasSuffix(tc.absent, "NotExist") {
					c.want(a, 404, tc.absent)
				} else if c.want(a, 200, ""); !strings.Contains(a.body, tc.absent) {
					t.Errorf("without a document, answer is %s", a.body)
				}
			}
			absent()
			sum := md5.Sum([]byte(tc.doc))
			c.want(c.config("PUT", tc.query, tc.doc, "Content-MD5", base64.StdEncoding.EncodeToString(sum[:])), 200, "")
			a := c.want(c.config("GET", tc.query, ""), 200, "")
			if tc.kept == nil && !strings.HasSuffix(a.body, tc.doc) {
				t.Errorf("answer is %s", a.body)
			}
			for _, piece := range tc.kept {
				if !strings.Contains(a.body, piece) {
					t.Errorf("answer without %s: %s", piece, a.body)
				}
			}
			if typ := a.header.Get("Content-Type"); (typ == "application/json") != (tc.doc[0] == '{') {
				t.Errorf("content type is %s", typ)
			}
			c.want(c.config("PUT", tc.query, tc.doc, "Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="), 400, "InvalidDigest")
			if tc.forever {
				c.want(c.config("DELETE", tc.query, ""), 501, "NotImplemented")
				return
			}
			c.want(c.config("DELETE", tc.query, ""), 204, "")
			absent()
			c.want(c.config("DELETE", tc.query, ""), 204, "")
		})
	}
}

// What is wrong in a document is told as the service does.
func TestConfigRefused(t *testing.T) {
	c := newClient(t)
	for _, tc := range []struct{ query, doc, code string }{
		{"cors", "", "MalformedXML"},
		{"cors", "<A></A>", "MalformedXML"},
		{"cors", "<CORSConfiguration></CORSConfiguration>", "MalformedXML"},
		{"cors", "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>", "MalformedXML"},
		{"cors", cors("<AllowedMethod>PATCH</AllowedMethod>"), "MalformedXML"},
		{"cors", cors("<MaxAgeSeconds>-1</MaxAgeSeconds>"), "InvalidArgument"},
		{"cors", cors("<MaxAgeSeconds>x</MaxAgeSeconds>"), "MalformedXML"},
		{"cors", cors("<MaxAgeSeconds>1</MaxAgeSeconds><MaxAgeSeconds>1</MaxAgeSeconds>"), "MalformedXML"},
		{"cors", cors("<AllowedOrigin>*.*</AllowedOrigin>"), "InvalidArgument"},
		{"cors", cors("<ExposeHeader>*</ExposeHeader>"), "InvalidArgument"},
		{"cors", "<CORSConfiguration>" + strings.Repeat("<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>", 21) + "</CORSConfiguration>", "InvalidArgument"},
		{"website", "<WebsiteConfiguration></WebsiteConfiguration>", "MalformedXML"},
		{"website", "<WebsiteConfiguration><IndexDocument><Suffix>a/b</Suffix></IndexDocument></WebsiteConfiguration>", "InvalidArgument"},
		{"website", strings.Replace(configDoc("website"), ">404<", ">403<", 1), "InvalidArgument"},
		{"website", strings.Replace(configDoc("website"), "http://a.example/", "a", 1), "InvalidArgument"},
		{"logging", strings.Replace(configDoc("logging"), testBucket, "missing", 1), "InvalidTargetBucketForLogging"},
		{"referer", "<RefererConfiguration></RefererConfiguration>", "MalformedXML"},
		{"referer", "<RefererConfiguration><AllowEmptyReferer>yes</AllowEmptyReferer></RefererConfiguration>", "MalformedXML"},
		{"encryption", strings.Replace(configDoc("encryption"), "KMS<", "random<", 1), "InvalidEncryptionAlgorithmError"},
		{"encryption", strings.Replace(configDoc("encryption"), "KMS<", "AES256<", 1), "InvalidArgument"},
		{"encryption", strings.Replace(configDoc("encryption"), "SM4<", "X<", 1), "InvalidArgument"},
		{"tagging", strings.Repeat("<Tagging>", 40), "MalformedXML"},
		{"tagging", "<Tagging><TagSet><Tag><Key>a</Key></Tag><Tag><Key>a</Key></Tag></TagSet></Tagging>", "InvalidTag"},
		{"tagging", "<Tagging><TagSet><Tag><Key>Aliyun</Key></Tag></TagSet></Tagging>", "InvalidTag"},
		{"tagging", "<Tagging><TagSet><Tag><Key>" + strings.Repeat("k", 65) + "</Key></Tag></TagSet></Tagging>", "InvalidTag"},
		{"requestPayment", "<RequestPaymentConfiguration><Payer>Nobody</Payer></RequestPaymentConfiguration>", "MalformedXML"},
		{"resourceGroup", "<BucketResourceGroupConfiguration><ResourceGroupId>rg-not-exist</ResourceGroupId></BucketResourceGroupConfiguration>", "ResourceGroupIdPreCheckError"},
		{"httpsConfig", "<HttpsConfiguration><TLS><Enable>true</Enable></TLS></HttpsConfiguration>", "MalformedXML"},
		{"httpsConfig", "<HttpsConfiguration><TLS><Enable>true</Enable><TLSVersion>aaa</TLSVersion></TLS></HttpsConfiguration>", "MalformedXML"},
		{"httpsConfig", "<HttpsConfiguration></HttpsConfiguration>", "MalformedXML"},
		{"style&styleName=s", "<Style><Content></Content></Style>", "InvalidArgument"},
		{"style&styleName=@%25", "<Style><Content>x</Content></Style>", "InvalidArgument"},
		{"inventory&inventoryId=i2", inventory("i1"), "InvalidArgument"},
		{"inventory&inventoryId=i1", strings.Replace(inventory("i1"), "acs:oss:::", "", 1), "InvalidArgument"},
		{"inventory&inventoryId=i1", strings.Replace(inventory("i1"), "Daily", "Hourly", 1), "MalformedXML"},
		{"qos", "<BucketUserQos><StorageCapacity>-2</StorageCapacity></BucketUserQos>", "InvalidArgument"},
		{"qosInfo", "<QoSConfiguration><TotalUploadBandwidth>11</TotalUploadBandwidth></QoSConfiguration>", "InvalidArgument"},
		{"qosInfo", "<QoSConfiguration><TotalQps>5</TotalQps><IntranetQps>6</IntranetQps></QoSConfiguration>", "InvalidArgument"},
		{"overwriteConfig", "<OverwriteConfiguration><Rule><Action>allow</Action></Rule></OverwriteConfiguration>", "MalformedXML"},
		{"overwriteConfig", "<OverwriteConfiguration><Rule><ID>1</ID><Action>forbid</Action></Rule><Rule><ID>1</ID><Action>forbid</Action></Rule></OverwriteConfiguration>", "MalformedXML"},
		{"policy&comp=callback", "<BucketCallbackPolicy><PolicyItem><PolicyName>a</PolicyName><Callback>x</Callback></PolicyItem></BucketCallbackPolicy>", "InvalidArgument"},
		{"policy", "{", "InvalidPolicyDocument"},
		{"policy", `{"Version":"2","Statement":[]}`, "InvalidPolicyDocument"},
		{"policy", `{"Version":"1","Statement":[]}`, "InvalidPolicyDocument"},
		{"policy", policyOf("Maybe", "oss:*", "*"), "InvalidPolicyDocument"},
		{"policy", `{"Version":"1","Statement":[{"Effect":"Allow","Resource":["*"]}]}`, "InvalidPolicyDocument"},
		{"policy", `{"Version":"1","Statement":[{"Effect":"Allow","Action":["*"]}]}`, "InvalidPolicyDocument"},
		{"policy", policyOf("Deny", "oss:*", "*") + "x", "InvalidPolicyDocument"},
	} {
		a := c.config("PUT", tc.query, tc.doc)
		if a.status != 400 || a.code() != tc.code {
			t.Errorf("%s %s: answer is %d %s, want %s", tc.query, tc.doc, a.status, a.code(), tc.code)
		}
	}
	a := c.config("PUT", "cors", cors("<MaxAgeSeconds>-1</MaxAgeSeconds>"))
	if a.element("ArgumentName") != "MaxAgeSeconds" || a.element("ArgumentValue") != "-1" {
		t.Error(a.body)
	}
	a = c.do("PUT", target("missing", "", "overwriteConfig"), configDoc("overwriteConfig"))
	if a.status != 400 || a.code() != "MalformedXML" || a.header.Get("x-oss-ec") != "0015-00000231" {
		t.Error(a.body)
	}
	for _, tc := range configs {
		if a := c.do("GET", target("missing", "", tc.query), ""); a.code() != "NoSuchBucket" {
			t.Errorf("%s of a missing bucket: %d %s", tc.query, a.status, a.code())
		}
		anonymous := &client{t: t, h: c.h, anonymous: true}
		if a := anonymous.config("GET", tc.query, ""); a.status != 403 || a.code() != "AccessDenied" {
			t.Errorf("anonymous %s: %d %s", tc.query, a.status, a.code())
		}
	}
}

func cors(more string) string {
	return "<CORSConfiguration><CORSRule><AllowedOrigin>http://a.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod>" + more + "</CORSRule></CORSConfiguration>"
}

func configDoc(query string) string {
	for _, tc := range configs {
		if tc.query == query {
			return tc.doc
		}
	}
	return ""
}

// TestEncryptionOfData: what only KMS knows is dropped for the others.
func TestEncryptionOfData(t *testing.T) {
	c := newClient(t)
	c.want(c.config("PUT", "encryption", "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"+
		"<KMSDataEncryption>SM4</KMSDataEncryption></ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>"), 200, "")
	if a := c.want(c.config("GET", "encryption", ""), 200, ""); a.element("SSEAlgorithm") != "AES256" || strings.Contains(a.body, "SM4") {
		t.Error(a.body)
	}
}

// What the table does not name is kept, and space between elements is not.
func TestConfigCanonical(t *testing.T) {
	c := newClient(t)
	doc := "<?xml version=\"1.0\"?>\n<x:AccessMonitorConfiguration xmlns:x=\"y\">\n  <Status> Enabled\n</Status>\n  <New><A>1 &amp; 2</A></New>\n</x:AccessMonitorConfiguration>\n"
	c.want(c.config("PUT", "accessmonitor", doc), 200, "")
	want := "<AccessMonitorConfiguration><Status>Enabled</Status><New><A>1 &amp; 2</A></New></AccessMonitorConfiguration>"
	if a := c.config("GET", "accessmonitor", ""); !strings.HasSuffix(a.body, want) {
		t.Error(a.body)
	}
	c.want(c.config("PUT", "httpsConfig", "<HttpsConfiguration><TLS><Enable>true</Enable><TLSVersion>TLSv1.2</TLSVersion><TLSVersion>TLSv1.2</TLSVersion></TLS></HttpsConfiguration>"), 200, "")
	if got := c.config("GET", "httpsConfig", "").elements("TLSVersion"); len(got) != 1 {
		t.Error(got)
	}
	for _, tc := range []struct{ query, doc, want string }{
		{"httpsConfig", "<HttpsConfiguration><TLS><Enable>False</Enable></TLS></HttpsConfiguration>", "<Enable>false<"},
		{"referer", "<RefererConfiguration><AllowEmptyReferer>True</AllowEmptyReferer></RefererConfiguration>", "<AllowEmptyReferer>true</AllowEmptyReferer><AllowTruncateQueryString>true<"},
		{"cors", cors(""), "<ResponseVary>false<"},
		{"website", "<WebsiteConfiguration><IndexDocument><Suffix></Suffix></IndexDocument></WebsiteConfiguration>", "<Suffix></Suffix>"},
		{
			"website", "<WebsiteConfiguration><RoutingRules><RoutingRule><RuleNumber>1</RuleNumber><Condition><KeyPrefixEquals>a</KeyPrefixEquals></Condition>" +
				"<Redirect><HostName>a.example</HostName></Redirect></RoutingRule></RoutingRules></WebsiteConfiguration>", "<RedirectType>External</RedirectType></Redirect>",
		},
		{"website", strings.Replace(configDoc("website"), mirrorDefaults, "<MirrorHeaders><Pass>a</Pass></MirrorHeaders>", 1), "<MirrorHeaders><Pass>a</Pass><PassAll>false</PassAll></MirrorHeaders>" + mirrorDefaults},
		{"logging", "<BucketLoggingStatus><LoggingEnabled><TargetBucket>" + testBucket + "</TargetBucket></LoggingEnabled></BucketLoggingStatus>", "<TargetPrefix></TargetPrefix>"},
		{"website", strings.Replace(configDoc("website"), "<MirrorPassQueryString>false<", "<MirrorPassQueryString>True<", 1), "<PassQueryString>true<"},
	} {
		c.want(c.config("PUT", tc.query, tc.doc), 200, "")
		if a := c.config("GET", tc.query, ""); !strings.Contains(a.body, tc.want) {
			t.Errorf("%s without %s: %s", tc.query, tc.want, a.body)
		}
	}
	c.want(c.config("PUT", "logging", configDoc("logging")), 200, "")
	c.want(c.config("PUT", "logging", "<BucketLoggingStatus></BucketLoggingStatus>"), 200, "")
	if a := c.config("GET", "logging", ""); strings.Contains(a.body, "LoggingEnabled") {
		t.Error(a.body)
	}
}

// Configuration outlives the server, but not its bucket.
func TestConfigLasts(t *testing.T) {
	dir := t.TempDir()
	for i := range 2 {
		s, err := emulator.Open(&emulator.Options{
			Dir: dir, AccessKeyID: testID, AccessKeySecret: testSecret,
			Now: func() time.Time { return testTime },
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.CreateBucket(testBucket); err != nil {
			t.Fatal(err)
		}
		c := &client{t: t, h: s, now: testTime}
		for _, tc := range configs {
			if i == 0 {
				c.want(c.config("PUT", tc.query, tc.doc), 200, "")
			} else {
				c.want(c.config("GET", tc.query, ""), 200, "")
			}
		}
		if i == 1 {
			c.want(c.config("DELETE", "", ""), 204, "")
			c.want(c.config("PUT", "", ""), 200, "")
			for _, tc := range configs {
				if a := c.config("GET", tc.query, ""); tc.kept == nil && strings.HasSuffix(a.body, tc.doc) {
					t.Errorf("%s outlives its bucket: %s", tc.query, a.body)
				}
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBucketTagsDelete(t *testing.T) {
	c := newClient(t)
	c.want(c.config("PUT", "tagging", tagging("a", "1", "b", "2", "c", "3")), 200, "")
	c.want(c.config("DELETE", "tagging=a%2Cc", ""), 204, "")
	if got := c.config("GET", "tagging", "").elements("Key"); len(got) != 1 || got[0] != "b" {
		t.Error(got)
	}
	c.want(c.config("DELETE", "tagging", ""), 204, "")
	if got := c.config("GET", "tagging", "").elements("Key"); got != nil {
		t.Error(got)
	}
}

// TestScriptedMirror: a rule with a script needs no condition.
func TestScriptedMirror(t *testing.T) {
	c := newClient(t)
	doc := func(more string) string {
		return "<WebsiteConfiguration><RoutingRules><RoutingRule><RuleNumber>1</RuleNumber><Condition><KeyPrefixEquals>k</KeyPrefixEquals></Condition><Redirect><RedirectType>Mirror</RedirectType>" +
			"<MirrorURL>http://a.example/</MirrorURL></Redirect>" + more + "</RoutingRule></RoutingRules></WebsiteConfiguration>"
	}
	c.want(c.config("PUT", "website", doc("")), 400, "InvalidArgument")
	c.want(c.config("PUT", "website", doc("<LuaConfig><Script>a.lua</Script></LuaConfig>")), 200, "")
}

func TestListBucketsFilter(t *testing.T) {
	c := newClient(t)
	c.want(c.do("PUT", target("other", "", ""), ""), 200, "")
	c.want(c.config("PUT", "tagging", tagging("k", "v", "a", "b")), 200, "")
	c.want(c.do("PUT", target("other", "", "tagging"), tagging("k", "w")), 200, "")
	c.want(c.config("PUT", "resourceGroup", configDoc("resourceGroup")), 200, "")
	for _, tc := range []struct{ query, group, want string }{
		{"tag-key=k&tag-value=v", "", "[examplebucket]"},
		{"tag-key=k", "", "[examplebucket other]"},
		{"tag-key=x", "", "[]"},
		{"tagging=%22k%22%3A%22v%22", "", "[examplebucket]"},
		{"tagging=%22k%22%3A%22v%22%2C%22a%22%3A%22b%22", "", "[examplebucket]"},
		{"tagging=%22k%22%3A%22v%22%2C%22a%22%3A%22c%22", "", "[]"},
		{"", "rg-acfmx7a", "[examplebucket]"},
		{"", "rg-default", "[other]"},
		{"regionList=oss-cn-beijing", "", "[]"},
		{"regionList=cn-beijing,cn-hangzhou", "", "[examplebucket other]"},
		{"tag-key=k&max-keys=1", "", "[examplebucket]"},
	} {
		a := c.want(c.do("GET", "/?"+tc.query, "", "x-oss-resource-group-id", tc.group), 200, "")
		if got := fmt.Sprint(a.elements("Name")); got != tc.want {
			t.Errorf("%q %q: got %s, want %s", tc.query, tc.group, got, tc.want)
		}
	}
	a := c.want(c.do("GET", "/?tag-key=a", ""), 200, "")
	if got := fmt.Sprint(a.elements("Key"), a.elements("Value")); got != "[k a] [v b]" {
		t.Errorf("a bucket found by a tag says of its tags %s", got)
	}
}

func TestBucketInfoOfConfig(t *testing.T) {
	c := newClient(t)
	for _, q := range []string{"accessmonitor", "transferAcceleration", "encryption", "logging", "resourceGroup", "publicAccessBlock"} {
		c.want(c.config("PUT", q, configDoc(q)), 200, "")
	}
	c.want(c.config("POST", "replication&comp=add", replication("target-1", "")), 200, "")
	a := c.want(c.config("GET", "bucketInfo", ""), 200, "")
	for name, want := range map[string]string{
		"AccessMonitor": "Enabled", "TransferAcceleration": "Enabled", "CrossRegionReplication": "Enabled", "BlockPublicAccess": "true",
		"SSEAlgorithm": "KMS", "KMSMasterKeyID": "k", "KMSDataEncryption": "SM4", "LogBucket": testBucket, "LogPrefix": "p/", "ResourceGroupId": "rg-acfmx7a",
	} {
		if got := a.element(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
