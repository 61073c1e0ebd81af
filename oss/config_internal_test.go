package oss

import (
	"encoding/xml"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"
)

// documents has an empty value of each kind of document, by root element.
func documents() map[string]Document {
	return map[string]Document{
		"LifecycleConfiguration":         new(BucketLifecycle),
		"CORSConfiguration":              new(BucketCORS),
		"WebsiteConfiguration":           new(BucketWebsite),
		"BucketLoggingStatus":            new(BucketLogging),
		"RefererConfiguration":           new(BucketReferer),
		"HttpsConfiguration":             new(HTTPSConfiguration),
		"BucketCallbackPolicy":           new(CallbackPolicies),
		"ServerSideEncryptionRule":       new(ServerSideEncryptionRule),
		"Tagging":                        new(BucketTagging),
		"QoSConfiguration":               new(QoSConfiguration),
		"InventoryConfiguration":         new(InventoryConfiguration),
		"ReplicationConfiguration":       new(ReplicationRule),
		"BucketCnameConfiguration":       new(BucketCNAME),
		"MetaQuery":                      new(MetaQuery),
		"CreateAccessPointConfiguration": new(AccessPointConfiguration),
		"AsyncFetchTaskConfiguration":    new(AsyncFetchTask),
		"LiveChannelConfiguration":       new(LiveChannelConfiguration),
	}
}

// answers has an empty value of each answer that is XML.
func answers() []any {
	return []any{
		new(GetBucketLifecycleResult), new(GetBucketCORSResult), new(GetBucketWebsiteResult), new(GetBucketLoggingResult),
		new(GetBucketRefererResult), new(GetBucketHTTPSConfigResult), new(GetBucketCallbackPolicyResult),
		new(GetBucketEncryptionResult), new(GetBucketTaggingResult), new(GetBucketRequestPaymentResult),
		new(GetBucketTransferAccelerationResult), new(GetBucketArchiveDirectReadResult), new(GetBucketAccessMonitorResult),
		new(GetBucketResourceGroupResult), new(GetUserQoSInfoResult), new(GetBucketQoSInfoResult),
		new(GetBucketStorageCapacityResult), new(GetRequesterQoSInfoResult), new(ListRequesterQoSInfosResult),
		new(ListResourcePoolsResult), new(GetResourcePoolInfoResult), new(ListResourcePoolBucketsResult),
		new(GetBucketInventoryConfigurationResult), new(ListBucketInventoryConfigurationsResult), new(GetBucketWORMResult),
		new(GetBucketReplicationResult), new(GetBucketReplicationLocationResult), new(GetBucketReplicationProgressResult),
		new(CNAMEToken), new(ListBucketCNAMEResult), new(GetBucketMetaQueryStatusResult), new(DoBucketMetaQueryResult),
		new(GetBucketStyleResult), new(ListBucketStyleResult), new(DataRedundancyTransitionResult),
		new(ListDataRedundancyTransitionResult), new(CreateAccessPointResult), new(GetAccessPointResult),
		new(ListAccessPointsResult), new(GetPublicAccessBlockResult), new(PutAsyncFetchTaskResult),
		new(GetAsyncFetchTaskResult), new(CreateLiveChannelResult), new(GetLiveChannelResult), new(ListLiveChannelResult),
		new(GetLiveChannelStatResult), new(GetLiveChannelHistoryResult), new(DescribeRegionsResult),
	}
}

// fill sets v to something that XML can hold.
func fill(t *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.StringOfN(rapid.SampledFrom([]rune("ab/ *<>&'\"\r\n\t]]>文é\U0001F600")), 0, 6, -1).Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64Range(-1, 1<<30).Draw(t, "int"))
	case reflect.Float64:
		v.SetFloat(rapid.Float64Range(-1e9, 1e9).Draw(t, "float"))
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "there") {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem())
		}
	case reflect.Slice:
		n := rapid.IntRange(0, 3).Draw(t, "length")
		for range n {
			e := reflect.New(v.Type().Elem()).Elem()
			fill(t, e)
			v.Set(reflect.Append(v, e))
		}
	case reflect.Struct:
		switch p := v.Addr().Interface().(type) {
		case *Response:
			return
		case *Time:
			if rapid.Bool().Draw(t, "at all") {
				p.Time = time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "time"), 0).UTC()
			}
			return
		}
		for _, field := range v.Fields() {
			fill(t, field)
		}
	default:
		t.Fatalf("no value for a %s", v.Type())
	}
}

func TestDocumentsRoundTrip(t *testing.T) {
	for root, d := range documents() {
		t.Run(root, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				want := reflect.New(reflect.TypeOf(d).Elem())
				fill(t, want.Elem())
				if d, ok := want.Interface().(*InventoryConfiguration); ok {
					d.Destination.Bucket = strings.TrimPrefix(d.Destination.Bucket, bucketARN)
				}
				name, text, err := want.Interface().(Document).document()
				if err != nil || name != root {
					t.Fatalf("root %s, %v", name, err)
				}
				if err := checkRoot(text, root); err != nil {
					t.Fatalf("%v in %s", err, text)
				}
				got := reflect.New(reflect.TypeOf(d).Elem()).Interface()
				if rule, ok := got.(*ReplicationRule); ok {
					got = &struct{ Rule *ReplicationRule }{rule}
				}
				if err := decodeXML(text, got, root); err != nil {
					t.Fatalf("%v in %s", err, text)
				}
				if w, ok := got.(*struct{ Rule *ReplicationRule }); ok {
					got = w.Rule
				}
				if !reflect.DeepEqual(got, want.Interface()) {
					t.Fatalf("%s\ngave %+v\nnot  %+v", text, got, want.Interface())
				}
			})
		})
	}
}

func TestAnswersRoundTrip(t *testing.T) {
	for _, a := range answers() {
		typ := reflect.TypeOf(a).Elem()
		t.Run(typ.Name(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				want := reflect.New(typ)
				fill(t, want.Elem())
				text, err := xml.Marshal(want.Interface())
				if err != nil {
					t.Fatal(err)
				}
				got := reflect.New(typ).Interface()
				if err := decodeXML(text, got, typ.Name()); err != nil {
					t.Fatalf("%v in %s", err, text)
				}
				if !reflect.DeepEqual(got, want.Interface()) {
					t.Fatalf("%s\ngave %+v\nnot  %+v", text, got, want.Interface())
				}
			})
		})
	}
}

// FuzzAnswers decodes anything as every answer, with the same outcome as
// encoding/xml has where it accepts it too.
func FuzzAnswers(f *testing.F) {
	for _, text := range []string{
		"<LifecycleConfiguration><Rule><ID>a</ID><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>",
		"<CORSConfiguration><CORSRule><MaxAgeSeconds/></CORSRule><ResponseVary>true</ResponseVary></CORSConfiguration>",
		"<InventoryConfiguration><Destination><OSSBucketDestination><Bucket>acs:oss:::b</Bucket><Encryption><SSE-OSS/></Encryption></OSSBucketDestination></Destination></InventoryConfiguration>",
		"<WormConfiguration><State>Locked</State><CreationDate>2024-06-12T08:15:30</CreationDate></WormConfiguration>",
		"<html>", "", "<a>&#1;</a>", "<a xmlns='x'><a><a/></a></a>",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := scanner{data: []byte(text)}
		root, _, _ := s.child() //nolint:errcheck // then there is no root
		for _, a := range answers() {
			b := reflect.New(reflect.TypeOf(a).Elem()).Interface()
			if decodeXML([]byte(text), a, string(root)) == nil && xml.Unmarshal([]byte(text), b) == nil && !reflect.DeepEqual(a, b) {
				t.Fatalf("%T: got %+v, want %+v", a, a, b)
			}
		}
	})
}

// Control characters are legal in keys and prefixes, and come as references.
func TestAnswerWithControlCharacters(t *testing.T) {
	const text = "<LifecycleConfiguration><Rule><ID>a<![CDATA[<&]]>b</ID><Prefix>x&#x1;\x02&amp;</Prefix><Status/></Rule></LifecycleConfiguration>"
	var r GetBucketLifecycleResult
	if err := decodeXML([]byte(text), &r, "LifecycleConfiguration"); err != nil {
		t.Fatal(err)
	}
	if got := r.Rules[0]; got.Prefix != "x\x01\x02&" || got.ID != "a<&b" {
		t.Errorf("got %+v", got)
	}
	for _, text := range []string{
		"<LifecycleConfiguration><Rule><ID>&bad;</ID></Rule></LifecycleConfiguration>",
		"<LifecycleConfiguration><Rule><ID>&#xffffffff;</ID></Rule></LifecycleConfiguration>",
		"<LifecycleConfiguration><Rule></LifecycleConfiguration>",
		"<LifecycleConfiguration><Rule>",
		"<LifecycleConfiguration>" + strings.Repeat("<Rule>", 40) + strings.Repeat("</Rule>", 40) + "</LifecycleConfiguration>",
		"<!DOCTYPE x><LifecycleConfiguration/>",
	} {
		if err := decodeXML([]byte(text), &r, "LifecycleConfiguration"); err == nil {
			t.Errorf("%.60s is taken", text)
		}
	}
}

func TestTimeReadsWhatTheServiceWrites(t *testing.T) {
	want := time.Date(2024, 6, 12, 8, 15, 30, 0, time.UTC)
	for _, v := range []struct {
		text string
		want time.Time
	}{
		{"2024-06-12T08:15:30.000Z", want},
		{"2024-06-12T16:15:30+08:00", want},
		{" 2024-06-12T08:15:30 ", want},
		{"Wed, 12 Jun 2024 08:15:30 GMT", want},
		{"1718180130", want},
		{"", time.Time{}},
		{"soon", time.Time{}},
		{"-1", time.Time{}},
		{"9999999999999", time.Time{}},
	} {
		var got Time
		if err := got.UnmarshalText([]byte(v.text)); err != nil || !got.Equal(v.want) {
			t.Errorf("%q: got %v, %v", v.text, got, err)
		}
	}
}

// A document that is not what the call sends is refused before it is sent.
func TestDocumentRefused(t *testing.T) {
	b := (&Client{endpoint: endpoint{scheme: "http", host: "localhost"}}).Bucket("examplebucket")
	for _, v := range []struct {
		name string
		d    Document
		want string // "" means accepted
	}{
		{"typed", &BucketCORS{Rules: []CORSRule{{AllowedOrigins: []string{"*"}}}}, ""},
		{"the value of an answer", &(&GetBucketCORSResult{}).BucketCORS, ""},
		{"raw", RawXML("<?xml version='1.0'?><CORSConfiguration><New>&#x1;</New></CORSConfiguration>"), ""},
		{"nil", nil, "is nil"},
		{"typed nil", (*BucketCORS)(nil), "is nil"},
		{"nil referer", (*BucketReferer)(nil), "is nil"},
		{"nil rule", (*ReplicationRule)(nil), "is nil"},
		{"other document", &BucketLogging{}, "want XML of CORSConfiguration"},
		{"other raw document", RawXML("<BucketLoggingStatus/>"), "want XML of CORSConfiguration"},
		{"empty", RawXML(""), "truncated XML"},
		{"cut", RawXML("<CORSConfiguration><CORSRule>"), "truncated XML"},
		{"no XML", RawXML("{}"), "truncated XML"},
		{"control character", &BucketCORS{Rules: []CORSRule{{AllowedOrigins: []string{"\x01"}}}}, "a character that XML cannot hold"},
	} {
		c := b.config("PutBucketCORS", http.MethodPut, "cors").body("CORSConfiguration", v.d, nil)
		if v.want == "" {
			if c.err != nil || c.call.body == nil {
				t.Errorf("%s: %v", v.name, c.err)
			}
			continue
		}
		if e, ok := errors.AsType[*UsageError](c.err); !ok || !strings.Contains(e.Reason, v.want) {
			t.Errorf("%s: got %v", v.name, c.err)
		}
	}
}

func TestReadXML(t *testing.T) {
	if x, err := ReadXML(strings.NewReader("<a/>")); err != nil || string(x) != "<a/>" {
		t.Errorf("%q, %v", x, err)
	}
	if _, err := ReadXML(strings.NewReader(strings.Repeat("a", maxDocument+1))); err == nil {
		t.Error("no bound")
	}
	broken := errors.New("broken")
	if _, err := ReadXML(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
