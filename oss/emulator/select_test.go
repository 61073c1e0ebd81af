package emulator_test

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss/emulator"
)

// selectRequest is a document of SelectObject; input and rest are XML.
func selectRequest(sql, input, rest string) string {
	return "<SelectRequest><Expression>" + b64(sql) + "</Expression><InputSerialization>" + input + "</InputSerialization>" + rest + "</SelectRequest>"
}

func (c *client) selectCSV(key, sql, input, rest string, header ...string) *answer {
	c.t.Helper()
	return c.do("POST", target(testBucket, key, "x-oss-process=csv%2Fselect"), selectRequest(sql, "<CSV>"+input+"</CSV>", rest), header...)
}

// frame is a frame of an answer, without the sums, which frames has checked.
type frame struct {
	kind    uint32
	scanned uint64
	payload string
}

func (a *answer) frames(t *testing.T) (all []frame) {
	t.Helper()
	for b := []byte(a.body); len(b) > 0; {
		if len(b) < 24 {
			t.Fatalf("%d bytes behind the frames %+v", len(b), all)
		}
		n := int(binary.BigEndian.Uint32(b[4:]))
		if n < 8 || len(b) < 16+n || b[0] != 1 || binary.BigEndian.Uint32(b[8:]) != crc32.ChecksumIEEE(b[:8]) ||
			binary.BigEndian.Uint32(b[12+n:]) != crc32.ChecksumIEEE(b[12:12+n]) {
			t.Fatalf("%q is no frame", b[:16])
		}
		all = append(all, frame{binary.BigEndian.Uint32(b) & 0xffffff, binary.BigEndian.Uint64(b[12:]), string(b[20 : 12+n])})
		b = b[16+n:]
	}
	return all
}

// records are the data of an answer, with what the last frame says: the
// status, and what went wrong.
func (a *answer) records(t *testing.T) (data string, status uint32, text string) {
	t.Helper()
	all := a.frames(t)
	for i, f := range all {
		last := i+1 == len(all)
		switch {
		case f.kind == 8388609 && !last:
			data += f.payload
		case f.kind == 8388613 && last:
			return data, binary.BigEndian.Uint32([]byte(f.payload[8:])), f.payload[12:]
		default:
			t.Fatalf("frame %d is of type %d", i, f.kind)
		}
	}
	t.Fatalf("no frames in %q", a.body)
	return "", 0, ""
}

func TestSelectFrames(t *testing.T) {
	c := newClient(t)
	var b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&b, "%d,a value\n", i)
	}
	text := b.String()
	c.put("k", text)
	a := c.want(c.selectCSV("k", "select * from ossobject", "", ""), 206, "")
	if h := a.header; h.Get("x-oss-select-output-raw") != "false" || h.Get("x-oss-hash-crc64ecma") != "" || h.Get("Content-Length") != "" {
		t.Errorf("headers %v", h)
	}
	data, status, message := a.records(t)
	if data != text || status != 206 || message != "" {
		t.Errorf("%d bytes, status %d, %q", len(data), status, message)
	}
	last := uint64(0)
	for _, f := range a.frames(t) {
		if f.scanned < last || f.kind == 8388613 && f.scanned != uint64(len(text)) {
			t.Errorf("%d bytes scanned after %d", f.scanned, last)
		}
		last = f.scanned
	}
	if n := len(a.frames(t)); n < 4 {
		t.Errorf("%d frames", n)
	}
	a = c.want(c.selectCSV("k", "select _1 from ossobject where _1 < 2", "", "<OutputSerialization><OutputRawData>true</OutputRawData></OutputSerialization>"), 206, "")
	if a.body != "0\n1\n" || a.header.Get("x-oss-select-output-raw") != "true" {
		t.Errorf("%q, %v", a.body, a.header)
	}
}

func TestSelectOptions(t *testing.T) {
	c := newClient(t)
	c.put("k", "name;age\r\n'Ann;x';30\r\n!note\r\nBob;4\r\nCid\r\n")
	c.put("json", `{"a":[{"b":1},{"b":2.50}]}`)
	option := func(name, value string) string { return "<" + name + ">" + b64(value) + "</" + name + ">" }
	in := option("RecordDelimiter", "\r\n") + option("FieldDelimiter", ";") + option("QuoteCharacter", "'") + option("CommentCharacter", "!")
	out := "<OutputSerialization><CSV>" + option("RecordDelimiter", "|") + option("FieldDelimiter", "\t") + "</CSV><KeepAllColumns>TRUE</KeepAllColumns>" +
		"<OutputHeader>True</OutputHeader></OutputSerialization><Options><SkipPartialDataRecord>true</SkipPartialDataRecord><MaxSkippedRecordsAllowed>1</MaxSkippedRecordsAllowed></Options>"
	for _, test := range []struct{ name, got, want string }{
		{"all", c.first(c.selectCSV("k", "select age from ossobject", in+"<FileHeaderInfo>Use</FileHeaderInfo>", out)), "name\tage|\t30|\t4|"},
		{"lines", c.first(c.selectCSV("k", "select _1 from ossobject", in+"<FileHeaderInfo>IGNORE</FileHeaderInfo><Range>line-range=1-3</Range>", "")), "Ann;x\nBob\n"},
		{"last lines", c.first(c.selectCSV("k", "select _1 from ossobject", in+"<Range>line-range=-2</Range>", "")), "Bob\nCid\n"},
		{"first lines", c.first(c.selectCSV("k", "select _2 from ossobject", in+"<Range>line-range=3-</Range>", "")), "4\n\n"},
		{"last split", c.first(c.selectCSV("k", "select count(*) from ossobject", in+"<Range>split-range=-1</Range>", "")), "4\n"},
		{"bytes", c.first(c.selectCSV("k", "select _1 from ossobject", in+"<AllowQuotedRecordDelimiter>false</AllowQuotedRecordDelimiter>", "", "Range", "bytes=1-12")), "Ann;x\n"},
		{"last bytes", c.first(c.selectCSV("k", "select _1 from ossobject", in+"<AllowQuotedRecordDelimiter>false</AllowQuotedRecordDelimiter>", "", "Range", "bytes=-5")), "Cid\n"},
		{"json", c.first(c.do("POST", target(testBucket, "json", "x-oss-process=json%2Fselect"), selectRequest("select b from ossobject.a[*] where b > 1",
			"<JSON><Type>Document</Type><ParseJsonNumberAsString>true</ParseJsonNumberAsString></JSON>", "<OutputSerialization><JSON>"+option("RecordDelimiter", ",")+"</JSON></OutputSerialization>"))), `{"b":2.50},`},
	} {
		if test.got != test.want {
			t.Errorf("%s: %q, want %q", test.name, test.got, test.want)
		}
	}
}

// first checks that all went well and gives the records.
func (c *client) first(a *answer) string {
	c.t.Helper()
	c.want(a, 206, "")
	data, status, text := a.records(c.t.(*testing.T))
	if status != 206 {
		c.t.Errorf("status %d %q", status, text)
	}
	return data
}

func TestSelectErrors(t *testing.T) {
	c := newClient(t)
	c.put("k", "a,b\n\"c\n")
	c.put("cold", "a", "x-oss-storage-class", "Archive")
	for _, test := range []struct{ sql, input, rest, code string }{
		{"", "", "", "InvalidSqlParameter"},
		{"select name from ossobject", "", "", "InvalidSqlParameter"},
		{"select * from ossobject", "<FileHeaderInfo>x</FileHeaderInfo>", "", "InvalidArgument"},
		{"select * from ossobject", "<Range>line-range=3-2</Range>", "", "InvalidSelectRange"},
		{"select * from ossobject", "<Range>line-range=x</Range>", "", "InvalidSelectRange"},
		{"select * from ossobject", "<Range>lines=1-2</Range>", "", "InvalidSelectRange"},
		{"select * from ossobject", "<Range>line-range=-</Range>", "", "InvalidSelectRange"},
		{"select * from ossobject", "<FieldDelimiter>" + b64("ab") + "</FieldDelimiter>", "", "InvalidInputFieldDelimiter"},
		{"select * from ossobject", "<RecordDelimiter>?</RecordDelimiter>", "", "InvalidInputRecordDelimiter"},
		{"select * from ossobject", "", "<Options><MaxSkippedRecordsAllowed>abc</MaxSkippedRecordsAllowed></Options>", "InvalidMaxSkippedRecordsAllowed"},
	} {
		c.want(c.selectCSV("k", test.sql, test.input, test.rest), 400, test.code)
	}
	c.want(c.selectCSV("k", "select * from ossobject", "", "", "Range", "bytes=0-1"), 400, "InvalidSelectRange")
	c.want(c.selectCSV("none", "select * from ossobject", "", ""), 404, "NoSuchKey")
	c.want(c.selectCSV("cold", "select * from ossobject", "", ""), 403, "InvalidObjectState")
	post := func(process, body string) *answer {
		return c.do("POST", target(testBucket, "k", "x-oss-process="+process), body)
	}
	c.want(post("csv%2Fselect", "<x/>"), 400, "MalformedXML")
	c.want(post("csv%2Fselect", selectRequest("select 1 from ossobject", "<CompressionType>ZIP</CompressionType>", "")), 400, "InvalidCompressionFormat")
	c.want(post("csv%2Fselect", selectRequest("select 1 from ossobject", "<CompressionType>GZIP</CompressionType>", "")), 400, "DecompressFailure")
	c.want(post("json%2Fselect", selectRequest("select * from ossobject", "<JSON><Type>x</Type></JSON>", "")), 400, "InvalidArgument")
	c.want(post("json%2Fselect", selectRequest("select * from ossobject", "<JSON><Type>DOCUMENT</Type></JSON>", "")), 400, "InvalidJsonData")
	c.want(post("json%2Fselect", selectRequest("select * from ossobject", "<JSON><Type>DOCUMENT</Type><Range>line-range=1-2</Range></JSON>", "")), 400, "InvalidSelectRange")
	c.want(post("json%2Fmeta", "<JsonMetaRequest><InputSerialization><JSON><Type>DOCUMENT</Type></JSON></InputSerialization></JsonMetaRequest>"), 400, "InvalidArgument")
	c.want(post("csv%2Fmeta", "<JsonMetaRequest></JsonMetaRequest>"), 400, "MalformedXML")
	raw := "<OutputSerialization><OutputRawData>true</OutputRawData></OutputSerialization>"
	c.put("broken at once", "\"c\n")
	c.want(c.selectCSV("broken at once", "select * from ossobject", "", raw), 400, "InvalidCsvLine")

	data, status, text := c.want(c.selectCSV("k", "select * from ossobject", "", ""), 206, "").records(t)
	if data != "a,b\n" || status != 400 || !strings.HasPrefix(text, "InvalidCsvLine.") {
		t.Errorf("%q, %d, %q", data, status, text)
	}
}

// TestSelectRawCut: without frames, a failure amid the records can only cut
// the connection.
func TestSelectRawCut(t *testing.T) {
	_, endpoint := start(t, &emulator.Options{})
	hc := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer hc.CloseIdleConnections()
	send := func(method, query, body string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), method, endpoint+target(testBucket, "k", query), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		signV4(r, time.Now())
		res, err := hc.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	_ = send("PUT", "", "a\n\"b\n").Body.Close()
	res := send("POST", "x-oss-process=csv%2Fselect", selectRequest("select * from ossobject", "", "<OutputSerialization><OutputRawData>true</OutputRawData></OutputSerialization>"))
	defer res.Body.Close()
	if got, err := io.ReadAll(res.Body); err == nil || string(got) != "a\n" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestSelectFaults stages faults in the answers to select.
func TestSelectFaults(t *testing.T) {
	a := newArena(t)
	if _, err := a.do("PUT", target(testBucket, "k", ""), strings.Repeat("some,text\n", 20_000)); err != nil {
		t.Fatal(err)
	}
	query := func() (*answer, error) {
		return a.do("POST", target(testBucket, "k", "x-oss-process=csv%2Fselect"), selectRequest("select * from ossobject", "", ""))
	}
	for _, fault := range []string{"lost on=SelectObject", "truncate=100000 on=SelectObject", "reset on=SelectObject"} {
		a.faults(fault)
		if got, err := query(); err == nil || fault[0] == 'l' && got != nil { // of a lost answer there is nothing at all
			t.Errorf("%s: status %d, %d bytes", fault, got.status, len(got.body))
		}
		a.fired(1)
	}
	a.faults("503 on=SelectObject nth=1")
	if got, err := query(); err != nil || got.status != 503 {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := query(); err != nil || got.status != 206 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestSelectMeta(t *testing.T) {
	c := newClient(t)
	c.put("k", "a,b,c\n1,2\n")
	c.put("broken", "a\n\"")
	c.put("json", "{} []")
	meta := func(key, format, root, input string) string {
		t.Helper()
		a := c.want(c.do("POST", target(testBucket, key, "x-oss-process="+format+"%2Fmeta"), "<"+root+"><InputSerialization>"+input+"</InputSerialization></"+root+">"), 200, "")
		all := a.frames(t)
		if len(all) != 1 {
			t.Fatalf("%d frames", len(all))
		}
		p := []byte(all[0].payload)
		text := fmt.Sprint(all[0].kind, binary.BigEndian.Uint64(p), binary.BigEndian.Uint32(p[8:]), binary.BigEndian.Uint32(p[12:]), binary.BigEndian.Uint64(p[16:]))
		if all[0].kind == 8388614 {
			return text + fmt.Sprint(" ", binary.BigEndian.Uint32(p[24:]), string(p[28:]))
		}
		return text + string(p[24:])
	}
	if got := meta("k", "csv", "CsvMetaRequest", ""); got != "8388614 10 200 1 2 3" {
		t.Error(got)
	}
	if got := meta("broken", "csv", "CsvMetaRequest", ""); !strings.HasPrefix(got, "8388614 3 400 1 1 1InvalidCsvLine.") {
		t.Error(got)
	}
	if got := meta("json", "json", "JsonMetaRequest", "<JSON><Type>LINES</Type></JSON>"); got != "8388615 5 200 1 2" {
		t.Error(got)
	}
	c.want(c.do("POST", target(testBucket, "k", "x-oss-process=csv%2Fmeta"), "<CsvMetaRequest><InputSerialization><CompressionType>GZIP</CompressionType></InputSerialization></CsvMetaRequest>"), 400, "InvalidCompressionFormat")
}

// TestSelectAccess: who may read may select, who may only read may not count,
// nor store results.
func TestSelectAccess(t *testing.T) {
	c := newClient(t)
	c.put("open", "a\n", "x-oss-object-acl", "public-read")
	c.put("closed", "a\n")
	c.anonymous = true
	if got := c.first(c.selectCSV("open", "select * from ossobject", "", "")); got != "a\n" {
		t.Error(got)
	}
	c.want(c.selectCSV("closed", "select * from ossobject", "", ""), 403, "AccessDenied")
	c.want(c.do("POST", target(testBucket, "open", "x-oss-process=csv%2Fmeta"), "<CsvMetaRequest/>"), 403, "AccessDenied")
	c.want(c.do("POST", target(testBucket, "open", "x-oss-process"), "x-oss-process=image/info|sys/saveas,o_YQ"), 403, "AccessDenied")
	c.want(c.do("POST", target(testBucket, "open", "x-oss-async-process"), "x-oss-async-process=image/info"), 403, "AccessDenied")
	c.want(c.do("GET", target(testBucket, "closed", "x-oss-process=image%2Finfo"), ""), 403, "AccessDenied")
}
