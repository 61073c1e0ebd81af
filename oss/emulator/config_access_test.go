package emulator_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss/emulator"
)

func TestPreflight(t *testing.T) {
	c := newClient(t)
	c.put("k", "x")
	anonymous := &client{t: t, h: c.h, anonymous: true}
	options := func(key, origin, method, headers string) *answer {
		return anonymous.do("OPTIONS", target(testBucket, key, ""), "", "Origin", origin,
			"Access-Control-Request-Method", method, "Access-Control-Request-Headers", headers)
	}
	c.want(options("k", "http://a.example", "PUT", "x-oss-test"), 403, "AccessForbidden")
	c.want(c.do("OPTIONS", target(testBucket, "k", ""), "", "Origin", "http://a.example", "Access-Control-Request-Method", "PUT",
		"Authorization", "OSS nobody:x"), 403, "AccessForbidden")
	rule := func(origin, more string) string {
		return "<CORSRule><AllowedOrigin>" + origin + "</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>" + more + "</CORSRule>"
	}
	c.want(c.config("PUT", "cors", "<CORSConfiguration>"+
		rule("http://*.example", "<AllowedHeader>X-OSS-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds>")+
		rule("*", "")+"<ResponseVary>true</ResponseVary></CORSConfiguration>"), 200, "")
	for _, tc := range []struct {
		origin, method, headers string
		allow, age              string // allow "" means refused
	}{
		{"http://a.example", "PUT", "x-oss-test, X-OSS-a", "http://a.example", "60"},
		{"http://a.example", "PUT", "", "http://a.example", "60"},
		{"http://a.example", "PUT", "x-other", "", ""},
		{"http://a.example", "DELETE", "", "", ""},
		{"http://elsewhere", "GET", "", "*", ""},
		{"http://elsewhere", "GET", "x-oss-test", "", ""},
	} {
		for _, key := range []string{"k", ""} {
			a := options(key, tc.origin, tc.method, tc.headers)
			status := 200
			if tc.allow == "" {
				status = 403
			}
			h := a.header
			if a.status != status || h.Get("Access-Control-Allow-Origin") != tc.allow || h.Get("Access-Control-Max-Age") != tc.age {
				t.Errorf("%+v: %d %v", tc, a.status, h)
			}
			if status == 200 && (h.Get("Access-Control-Allow-Methods") != "GET, PUT" || h.Get("Access-Control-Allow-Headers") != tc.headers) {
				t.Errorf("%+v: %v", tc, h)
			}
		}
	}
	c.want(options("k", "", "GET", ""), 400, "InvalidArgument")
	c.want(anonymous.do("OPTIONS", target("missing", "k", ""), "", "Origin", "http://a", "Access-Control-Request-Method", "GET"), 404, "NoSuchBucket")

	a := c.get("k", "Origin", "http://a.example")
	if h := a.header; a.status != 200 || h.Get("Access-Control-Allow-Origin") != "http://a.example" || h.Get("Access-Control-Expose-Headers") != "ETag" || h.Get("Vary") != "Origin" {
		t.Error(a.status, a.header)
	}
	if a := c.get("missing", "Origin", "http://a.example"); a.status != 404 || a.header.Get("Access-Control-Allow-Origin") == "" {
		t.Error("an error without CORS headers", a.header)
	}
	if a := c.do("DELETE", target(testBucket, "k", ""), "", "Origin", "http://a.example"); a.status != 204 || a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error(a.status, a.header)
	}
}

func TestPolicy(t *testing.T) {
	c := newClient(t)
	anonymous := &client{t: t, h: c.h, anonymous: true}
	c.put("public", "x", "x-oss-object-acl", "public-read")
	c.put("private/a", "x")
	statement := func(effect, action, principal, resource, more string) string {
		return fmt.Sprintf(`{"Effect":%q,"Action":%q,"Principal":[%q],"Resource":"acs:oss:*:*:%s/%s"%s}`, effect, action, principal, testBucket, resource, more)
	}
	allow, deny := statement("Allow", "oss:Get*", "*", "private/*", ""), statement("Deny", "oss:GetObject", "*", "*", "")
	for _, tc := range []struct {
		name            string
		statements      []string
		public, private int
		isPublic        string
	}{
		{"none", nil, 200, 403, ""},
		{"allow", []string{allow}, 200, 200, "true"},
		{"deny", []string{deny}, 403, 403, "false"},
		{"deny wins", []string{allow, deny}, 403, 403, "true"},
		{"no principal", []string{strings.Replace(allow, `"Principal":["*"],`, "", 1)}, 200, 200, "true"},
		{"other principal", []string{statement("Allow", "oss:*", "123", "*", "")}, 200, 403, "false"},
		{"other action", []string{statement("Deny", "oss:PutObject", "*", "*", "")}, 200, 403, "false"},
		{"other account", []string{strings.Replace(allow, "*:*:", "*:42:", 1)}, 200, 403, "true"},
		{"condition", []string{statement("Allow", "oss:*", "*", "*", `,"Condition":{"Bool":{"acs:SecureTransport":["true"]}}`)}, 200, 403, "false"},
		{"condition of a denial", []string{statement("Deny", "oss:*", "*", "*", `,"Condition":{"Bool":{"acs:SecureTransport":["true"]}}`)}, 403, 403, "false"},
		{"question mark", []string{statement("Allow", "oss:GetObjec?", "*", "private/?", "")}, 200, 200, "true"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.statements == nil {
				if got := c.config("GET", "policyStatus", "").element("IsPublic"); got != "false" {
					t.Errorf("public is %q", got)
				}
			} else {
				c.want(c.config("PUT", "policy", `{"Version":"1","Statement":[`+strings.Join(tc.statements, ",")+`]}`), 200, "")
				if got := c.config("GET", "policyStatus", "").element("IsPublic"); got != tc.isPublic {
					t.Errorf("public is %s", got)
				}
			}
			if a := anonymous.get("public"); a.status != tc.public {
				t.Errorf("public object: %d", a.status)
			}
			for _, method := range []string{"GET", "HEAD"} {
				if a := anonymous.do(method, target(testBucket, "private/a", ""), ""); a.status != tc.private {
					t.Errorf("%s of the private object: %d", method, a.status)
				}
			}
			if a := c.get("private/a"); a.status != 200 {
				t.Errorf("the owner: %d", a.status)
			}
		})
	}
}

func TestAccessBlock(t *testing.T) {
	c := newClient(t)
	anonymous := &client{t: t, h: c.h, anonymous: true}
	c.put("k", "x", "x-oss-object-acl", "public-read")
	c.want(anonymous.get("k"), 200, "")
	for _, path := range []string{"/?publicAccessBlock", target(testBucket, "", "publicAccessBlock")} {
		c.want(c.do("PUT", path, configDoc("publicAccessBlock")), 200, "")
		c.want(anonymous.get("k"), 403, "AccessDenied")
		c.want(c.config("PUT", "acl", "", "x-oss-acl", "public-read"), 403, "AccessDenied")
		c.want(c.config("PUT", "acl", "", "x-oss-acl", "private"), 200, "")
		c.want(c.config("PUT", "policy", policyOf("Allow", "oss:*", "*")), 403, "AccessDenied")
		c.want(c.config("PUT", "policy", policyOf("Allow", "oss:*", "123")), 200, "")
		c.want(c.do("DELETE", path, ""), 204, "")
	}
	c.want(anonymous.get("k"), 200, "")
	c.want(c.config("PUT", "requestPayment", configDoc("requestPayment")), 200, "")
	if a := anonymous.get("k"); a.status != 403 || a.header.Get("x-oss-ec") != "0003-00000703" {
		t.Error(a.status, a.header)
	}
	c.want(c.get("k"), 200, "")
}

func TestReferer(t *testing.T) {
	c := newClient(t)
	anonymous := &client{t: t, h: c.h, anonymous: true}
	c.put("k", "x", "x-oss-object-acl", "public-read")
	for _, tc := range []struct {
		name, doc string
		refused   []string
		allowed   []string
	}{
		{
			"white", "<AllowEmptyReferer>false</AllowEmptyReferer><RefererList><Referer>http://*.a.example</Referer><Referer>http://b?.example/x</Referer></RefererList>",
			[]string{"", "http://a.example", "http://b.example/x"},
			[]string{"http://w.a.example", "http://b1.example/x?q=1"},
		},
		{
			"empty", "<AllowEmptyReferer>true</AllowEmptyReferer><RefererList><Referer>http://a</Referer></RefererList>",
			[]string{"http://b"},
			[]string{"", "http://a"},
		},
		{
			"no lists", "<AllowEmptyReferer>false</AllowEmptyReferer><RefererList><Referer></Referer></RefererList>",
			nil,
			[]string{"", "http://b"},
		},
		{
			"black", "<AllowEmptyReferer>true</AllowEmptyReferer><RefererList></RefererList><RefererBlacklist><Referer>http://*bad*</Referer></RefererBlacklist>",
			[]string{"http://bad.example"},
			[]string{"", "http://good.example"},
		},
		{
			"query", "<AllowEmptyReferer>true</AllowEmptyReferer><AllowTruncateQueryString>false</AllowTruncateQueryString><RefererList><Referer>http://a</Referer></RefererList>",
			[]string{"http://a?q"},
			[]string{"http://a"},
		},
		{
			"path", "<AllowEmptyReferer>true</AllowEmptyReferer><TruncatePath>true</TruncatePath><RefererList><Referer>http://a</Referer></RefererList>",
			nil,
			[]string{"http://a/b/c?q"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c.want(c.config("PUT", "referer", "<RefererConfiguration>"+tc.doc+"</RefererConfiguration>"), 200, "")
			for _, r := range tc.refused {
				if a := anonymous.get("k", "Referer", r); a.status != 403 || !strings.Contains(a.body, "referer policy") {
					t.Errorf("%q is not refused: %d", r, a.status)
				}
				if a := c.get("k", "Referer", r); a.status != 200 {
					t.Errorf("%q refuses the owner: %d", r, a.status)
				}
			}
			for _, r := range tc.allowed {
				if a := anonymous.get("k", "Referer", r); a.status != 200 {
					t.Errorf("%q is refused: %d", r, a.status)
				}
			}
		})
	}
}

func TestLifecycleDocuments(t *testing.T) {
	c := newClient(t)
	rule := func(id, prefix, body string) string {
		return "<Rule><ID>" + id + "</ID><Prefix>" + prefix + "</Prefix><Status>Enabled</Status>" + body + "</Rule>"
	}
	const (
		days  = "<Expiration><Days>10</Days></Expiration>"
		abort = "<AbortMultipartUpload><Days>1</Days></AbortMultipartUpload>"
		tags  = "<Tag><Key>a</Key><Value>b</Value></Tag>"
	)
	transition := func(days int, class string) string {
		return fmt.Sprintf("<Transition><Days>%d</Days><StorageClass>%s</StorageClass></Transition>", days, class)
	}
	put := func(rules string, header ...string) *answer {
		return c.config("PUT", "lifecycle", "<LifecycleConfiguration>"+rules+"</LifecycleConfiguration>", header...)
	}
	for _, tc := range []struct{ name, rules, code string }{
		{"all", rule("1", "a", transition(5, "IA")+transition(7, "Archive")+days+abort+
			"<NoncurrentVersionExpiration><NoncurrentDays>9</NoncurrentDays></NoncurrentVersionExpiration>"+
			"<NoncurrentVersionTransition><NoncurrentDays>3</NoncurrentDays><StorageClass>IA</StorageClass></NoncurrentVersionTransition>"), ""},
		{"filter", rule("1", "a/", days+"<Filter><ObjectSizeGreaterThan>1</ObjectSizeGreaterThan><ObjectSizeLessThan>9</ObjectSizeLessThan>"+
			"<Not><Prefix>a/b</Prefix>"+tags+"</Not></Filter>"), ""},
		{"date", rule("1", "", "<Expiration><Date>2016-12-25T00:00:00.000Z</Date></Expiration>"), ""},
		{"created before", rule("1", "", "<Expiration><CreatedBeforeDate>2016-12-25T00:00:00.000Z</CreatedBeforeDate></Expiration>"), ""},
		{"marker", rule("1", "", "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"), ""},
		{"two prefixes", rule("1", "a", days) + rule("2", "b", days), ""},
		{"two actions", rule("1", "a", days) + rule("2", "a", abort), ""},
		{"two tags", rule("1", "a", tags+days) + rule("2", "a", strings.Replace(tags, "b<", "c<", 1)+days), ""},
		{"long tag", rule("1", "a", strings.Replace(tags, "b<", strings.Repeat("b", 300)+"<", 1)+days), ""},
		{"tag with a percent sign", rule("1", "a", strings.Replace(tags, "b<", "%<", 1)+days), "InvalidTag"},
		{"no action", rule("1", "a", ""), "MalformedXML"},
		{"no status", "<Rule>" + days + "</Rule>", "MalformedXML"},
		{"no days", rule("1", "", "<Expiration><Days>0</Days></Expiration>"), "InvalidArgument"},
		{"two times", rule("1", "", "<Expiration><Days>1</Days><Date>2016-12-25T00:00:00.000Z</Date></Expiration>"), "MalformedXML"},
		{"no time", rule("1", "", "<Expiration></Expiration>"), "MalformedXML"},
		{"no midnight", rule("1", "", "<Expiration><Date>2016-12-25T01:00:00.000Z</Date></Expiration>"), "InvalidArgument"},
		{"no date", rule("1", "", "<Expiration><Date>yesterday</Date></Expiration>"), "MalformedXML"},
		{"same id", rule("1", "a", days) + rule("1", "b", days), "InvalidArgument"},
		{"long id", rule(strings.Repeat("x", 256), "a", days), "InvalidArgument"},
		{"overlap", rule("1", "a/", days) + rule("2", "a/b", days), "InvalidArgument"},
		{"overlap of all", rule("1", "a/", days) + rule("2", "", days), "InvalidArgument"},
		{"transition after expiration", rule("1", "a", transition(11, "IA")+days), "InvalidArgument"},
		{"warmer later", rule("1", "a", transition(5, "IA")+transition(2, "Archive")+days), "InvalidArgument"},
		{"to Standard", rule("1", "a", transition(5, "Standard")+days), "InvalidArgument"},
		{"to nowhere", rule("1", "a", transition(5, "Gold")), "InvalidArgument"},
		{"same class", rule("1", "a", transition(5, "IA")+transition(6, "IA")), "InvalidArgument"},
		{"days and dates", rule("1", "a", transition(5, "IA")+"<Expiration><CreatedBeforeDate>2016-12-25T00:00:00.000Z</CreatedBeforeDate></Expiration>"), "InvalidRequest"},
		{"tag and abort", rule("1", "a", tags+abort), "InvalidRequest"},
		{"sizes", rule("1", "a", days+"<Filter><ObjectSizeGreaterThan>9</ObjectSizeGreaterThan><ObjectSizeLessThan>9</ObjectSizeLessThan></Filter>"), "InvalidArgument"},
		{"not elsewhere", rule("1", "a/", days+"<Filter><Not><Prefix>b</Prefix></Not></Filter>"), "InvalidArgument"},
		{"not at all", rule("1", "a/", days+"<Filter><Not><Prefix>a/</Prefix></Not></Filter>"), "InvalidArgument"},
		{"access time", rule("1", "a", "<Transition><Days>1</Days><StorageClass>IA</StorageClass><IsAccessTime>true</IsAccessTime><ReturnToStdWhenVisit>true</ReturnToStdWhenVisit></Transition>"), "MalformedXML"},
		{"not XML", "<Rule>", "MalformedXML"},
	} {
		status := 400
		if tc.code == "" {
			status = 200
		}
		if a := put(tc.rules); a.status != status || a.code() != tc.code {
			t.Errorf("%s: answer is %d %s %s, want %s", tc.name, a.status, a.code(), a.element("Message"), tc.code)
		}
	}
	overlap := rule("1", "a/", days) + rule("2", "a/b", days)
	if got := put(overlap).element("Message"); got != "Overlap for same action type Expiration" {
		t.Error(got)
	}
	c.want(put(overlap, "x-oss-allow-same-action-overlap", "true"), 200, "")
	c.want(put(strings.ReplaceAll(overlap, days, abort), "x-oss-allow-same-action-overlap", "true"), 400, "InvalidArgument")
	c.want(c.config("PUT", "accessmonitor", configDoc("accessmonitor")), 200, "")
	c.want(put("<Rule><Status>Enabled</Status><Transition><Days>1</Days><StorageClass>IA</StorageClass><IsAccessTime>true</IsAccessTime>"+
		"<ReturnToStdWhenVisit>true</ReturnToStdWhenVisit></Transition></Rule>"), 200, "")
	c.want(c.config("PUT", "accessmonitor", "<AccessMonitorConfiguration><Status>Disabled</Status></AccessMonitorConfiguration>"), 400, "AccessMonitorDisableNotAllowed")
	if id := c.config("GET", "lifecycle", "").element("ID"); len(id) != 32 {
		t.Errorf("the rule without an id got %q", id)
	}
}

func TestMetaQuery(t *testing.T) {
	c := newClient(t)
	c.want(c.config("GET", "metaQuery", ""), 404, "MetaQueryNotExist")
	c.want(c.config("POST", "metaQuery&comp=query", "<MetaQuery></MetaQuery>"), 404, "MetaQueryNotExist")
	c.want(c.config("POST", "metaQuery&comp=add&mode=x", ""), 400, "InvalidArgument")
	c.want(c.config("POST", "metaQuery&comp=add", ""), 200, "")
	c.want(c.config("POST", "metaQuery&comp=add", ""), 409, "MetaQueryAlreadyExist")
	if a := c.want(c.config("GET", "metaQuery", ""), 200, ""); a.element("State") != "Ready" || a.element("MetaQueryMode") != "basic" {
		t.Error(a.body)
	}
	c.put("a", "1", "x-oss-meta-color", "red", "x-oss-tagging", "k=v&a=b")
	c.put("b", "22", "x-oss-storage-class", "IA")
	c.put("c/d", "10chars---", "x-oss-meta-color", "blue")
	query := func(query, more string) *answer {
		return c.config("POST", "metaQuery&comp=query", "<MetaQuery><Query>"+strings.ReplaceAll(query, "&", "&amp;")+"</Query>"+more+"</MetaQuery>")
	}
	for _, tc := range []struct{ query, more, want string }{
		{"", "", "[a b c/d]"},
		{`{"Field":"Size","Value":"2","Operation":"gte"}`, "", "[b c/d]"},
		{`{"Field":"Size","Value":2,"Operation":"lt"}`, "", "[a]"},
		{`{"Field":"Filename","Value":"c/","Operation":"prefix"}`, "", "[c/d]"},
		{`{"Field":"OSSStorageClass","Value":"IA","Operation":"eq"}`, "", "[b]"},
		{`{"Field":"OSSUserMeta.color","Value":"red","Operation":"eq"}`, "", "[a]"},
		{`{"Field":"OSSTagging.k","Value":"v","Operation":"match"}`, "", "[a]"},
		{`{"Operation":"and","SubQueries":[{"Field":"Size","Value":"1","Operation":"gt"},{"Field":"Size","Value":"9","Operation":"lt"}]}`, "", "[b]"},
		{`{"Operation":"or","SubQueries":[{"Field":"Size","Value":"1","Operation":"lte"},{"Field":"Filename","Value":"b","Operation":"eq"}]}`, "", "[a b]"},
		{`{"Operation":"not","SubQueries":[{"Field":"Size","Value":"1","Operation":"eq"}]}`, "", "[b c/d]"},
		{`{"Field":"FileModifiedTime","Value":"` + testTime.Add(time.Hour).Format(time.RFC3339) + `","Operation":"lt"}`, "", "[a b c/d]"},
		{"", "<Sort>Size</Sort><Order>desc</Order>", "[c/d b a]"},
		{"", "<MaxResults>2</MaxResults>", "[a b]2"},
		{"", "<MaxResults>2</MaxResults><NextToken>2</NextToken>", "[c/d]"},
		{"", "<MaxResults>80369</MaxResults>", "[a b c/d]"},
		{"", "<NextToken>200</NextToken>", "[]"},
	} {
		a := c.want(query(tc.query, tc.more), 200, "")
		if got := fmt.Sprint(a.elements("Filename")) + a.element("NextToken"); got != tc.want {
			t.Errorf("%s %s: got %s, want %s", tc.query, tc.more, got, tc.want)
		}
	}
	if got := c.want(query("", ""), 200, "").elements("Key"); !slices.Equal(got, []string{"a", "k", "color", "color"}) { // of tags and metadata
		t.Error(got)
	}
	for _, tc := range []struct{ query, more, code string }{
		{"{", "", "InvalidArgument"},
		{`{"Field":"Nothing","Value":"2","Operation":"gte"}`, "", "InvalidArgument"},
		{`{"Field":"Size","Value":"2","Operation":"like"}`, "", "InvalidArgument"},
		{`{"Operation":"and"}`, "", "InvalidArgument"},
		{"", "<Sort>Nothing</Sort>", "InvalidArgument"},
		{"", "<NextToken>x</NextToken>", "InvalidArgument"},
		{"", "<MaxResults>-1</MaxResults>", "InvalidArgument"},
		{"", "<Order>up</Order>", "MalformedXML"},
	} {
		c.want(query(tc.query, tc.more), 400, tc.code)
	}
	var aggregations strings.Builder
	for _, op := range []string{"sum", "max", "min", "average", "count", "distinct", "group"} {
		aggregations.WriteString("<Aggregation><Field>Size</Field><Operation>" + op + "</Operation></Aggregation>")
	}
	a := c.want(query("", "<Aggregations>"+aggregations.String()+"</Aggregations>"), 200, "")
	if got := fmt.Sprint(a.elements("Value"), a.elements("Count"), a.elements("Filename")); got != "[13 10 1 4.333333333333333 3 3 1 10 2] [1 1 1] []" {
		t.Error(got)
	}
	if got := c.want(c.config("POST", "metaQuery&comp=query&mode=semantic", "<MetaQuery><Query>snow</Query></MetaQuery>"), 200, "").elements("Filename"); got != nil {
		t.Error(got)
	}
	c.want(c.config("POST", "metaQuery&action=createDataset", ""), 400, "OperationNotSupported")
	c.want(c.config("POST", "metaQuery&comp=delete", ""), 200, "")
	c.want(c.config("POST", "metaQuery&comp=delete", ""), 404, "MetaQueryNotExist")
}

// What a bucket's configuration does to its objects.
func TestConfigEffects(t *testing.T) {
	now := testTime
	c := newClientOptions(t, &emulator.Options{Now: func() time.Time { return now }})
	c.want(c.config("PUT", "encryption", configDoc("encryption")), 200, "")
	for name, want := range map[string]string{
		"x-oss-server-side-encryption": "KMS", "x-oss-server-side-encryption-key-id": "k", "x-oss-server-side-data-encryption": "SM4",
	} {
		for _, a := range []*answer{c.put("k", "x"), c.get("k")} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if got := c.put("aes", "x", "x-oss-server-side-encryption", "AES256").header.Get(name); want != "KMS" && got != "" {
			t.Errorf("the request's own encryption got the bucket's %s: %s", name, got)
		}
	}

	c.want(c.config("PUT", "overwriteConfig", "<OverwriteConfiguration><Rule><Action>forbid</Action><Prefix>log/</Prefix><Suffix>.txt</Suffix></Rule>"+
		"<Rule><Action>forbid</Action><Prefix>else/</Prefix><Principals><Principal>42</Principal></Principals></Rule></OverwriteConfiguration>"), 200, "")
	for _, key := range []string{"log/a.txt", "log/a.bin", "else/a"} {
		c.put(key, "x")
		status, code := 200, ""
		if key == "log/a.txt" {
			status, code = 409, "FileAlreadyExists"
		}
		c.want(c.do("PUT", target(testBucket, key, ""), "y"), status, code)
		c.want(c.do("PUT", target(testBucket, key, ""), "", "x-oss-copy-source", "/"+testBucket+"/k"), status, code)
	}
	c.want(c.do("DELETE", target(testBucket, "log/a.txt", ""), ""), 204, "")

	c.want(c.config("POST", "worm", "<InitiateWormConfiguration><RetentionPeriodInDays>2</RetentionPeriodInDays></InitiateWormConfiguration>"), 200, "")
	c.put("fresh", "x")
	c.want(c.do("PUT", target(testBucket, "fresh", ""), "y"), 409, "FileImmutable")
	c.want(c.do("DELETE", target(testBucket, "fresh", ""), ""), 409, "FileImmutable")
	c.want(c.do("DELETE", target(testBucket, "missing", ""), ""), 204, "")
	id := c.config("GET", "worm", "").element("WormId")
	c.want(c.config("POST", "wormId="+id, ""), 200, "")
	now = now.Add(49 * time.Hour)
	c.now = now
	c.want(c.do("PUT", target(testBucket, "fresh", ""), "y"), 200, "")
	c.want(c.do("DELETE", target(testBucket, "fresh", ""), ""), 409, "FileImmutable")
	c.want(c.do("DELETE", target(testBucket, "k", ""), ""), 204, "")

	c.want(c.get("dir/"), 404, "NoSuchKey")
	for _, tc := range []struct{ sub, want string }{{"false", "top"}, {"true", "sub"}} {
		c.put("index.html", "top")
		c.put("dir/index.html", "sub")
		c.want(c.config("PUT", "website", "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix><SupportSubDir>"+tc.sub+"</SupportSubDir></IndexDocument></WebsiteConfiguration>"), 200, "")
		if a := c.want(c.get("dir/"), 200, ""); a.body != tc.want {
			t.Errorf("index document is %q, want %q", a.body, tc.want)
		}
		now = now.Add(49 * time.Hour)
		c.now = now
	}
	c.want(c.get("dir"), 404, "NoSuchKey")
	c.want(c.get("other/"), 404, "NoSuchKey")

	sse := []string{"x-oss-server-side-encryption", "KMS", "x-oss-server-side-data-encryption", "SM4"}
	c.want(c.do("PUT", target("sse-bucket", "", ""), "", sse...), 200, "")
	if a := c.want(c.do("GET", target("sse-bucket", "", "encryption"), ""), 200, ""); a.element("SSEAlgorithm") != "KMS" || a.element("KMSDataEncryption") != "SM4" {
		t.Error(a.body)
	}
	c.want(c.do("PUT", target("bad-bucket", "", ""), "", "x-oss-server-side-encryption", "X"), 400, "InvalidEncryptionAlgorithmError")
	c.want(c.do("PUT", target("ia-bucket", "", ""), "<CreateBucketConfiguration><StorageClass>IA</StorageClass></CreateBucketConfiguration>"), 200, "")
	c.want(c.do("PUT", target("ia-bucket", "k", ""), "x"), 200, "")
	c.want(c.do("PUT", target("ia-bucket", "standard", ""), "x", "x-oss-storage-class", "Standard"), 200, "")
	if got := fmt.Sprint(c.do("GET", target("ia-bucket", "", ""), "").elements("StorageClass")); got != "[IA Standard]" {
		t.Error(got)
	}
}
