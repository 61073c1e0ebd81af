package selectsql_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/osssync/osssync/oss/emulator/internal/selectsql"
)

// sink keeps what it is given.
type sink struct {
	bytes.Buffer
	alive int
	last  int64
	err   error
}

func (s *sink) Data(p []byte, scanned int64) error {
	s.Write(p)
	s.last = scanned
	return s.err
}

func (s *sink) Alive(int64) error {
	s.alive++
	return s.err
}

func run(t *testing.T, sql, data string, o selectsql.Options) (string, error) {
	t.Helper()
	var s sink
	_, err := selectsql.Run(sql, iotest.HalfReader(strings.NewReader(data)), o, &s)
	return s.String(), err
}

func code(err error) string {
	if e, ok := errors.AsType[*selectsql.Error](err); ok {
		return e.Code
	}
	return ""
}

const people = "name,age,city,when\n" +
	"Ann,30,Ulm,2024-01-02\n" +
	"Bob,4,\"Bad Tölz, \"\"old\"\"\",2023-05-06 07:08:09\n" +
	"# a comment, with an open \" quote\n" +
	"\n" +
	"Cid,,Ulm\n" +
	"Dan,100,,2024-02-03"

func TestCSV(t *testing.T) {
	use := selectsql.Options{Header: selectsql.UseHeader}
	ignore := selectsql.Options{Header: selectsql.IgnoreHeader}
	for _, test := range []struct {
		sql  string
		o    selectsql.Options
		want string
	}{
		{"select * from ossobject limit 2", use, "Ann,30,Ulm,2024-01-02\nBob,4,\"Bad Tölz, \"\"old\"\"\",2023-05-06 07:08:09\n"},
		{"select _1 from ossobject", selectsql.Options{}, "name\nAnn\nBob\nCid\nDan\n"},
		{"SELECT _2, _1 FROM OSSObject o WHERE o._1 > 'B';", ignore, "4,Bob\n,Cid\n100,Dan\n"},
		{"select NAME from ossobject where Age >= 30", use, "Ann\nDan\n"},
		{"select name from ossobject as s where s.age + 70 = ossobject.age * 1 or s.age * 25 = 100", use, "Bob\n"},
		{`select "name" from ossobject where "age" = 4`, use, "Bob\n"},
		{"select name from ossobject where not (age < 100) and not age is null", use, "Dan\n"},
		{"select name from ossobject where age between 4 and 30", use, "Ann\nBob\n"},
		{"select name from ossobject where age not between 4 and 30", use, "Dan\n"},
		{"select name from ossobject where city in ('Ulm', 'Linz')", use, "Ann\nCid\n"},
		{"select name from ossobject where age in (4, 100)", use, "Bob\nDan\n"},
		{"select name from ossobject where city not in ('Ulm')", use, "Bob\nDan\n"},
		{"select name from ossobject where city like 'Bad T_lz%'", use, "Bob\n"},
		{"select name from ossobject where city not like '%l%'", use, "Dan\n"},
		{"select name from ossobject where city like '%!_%' escape '!'", use, ""},
		{"select name from ossobject where when is null", use, "Cid\n"},
		{"select name from ossobject where when is not null and city = ''", use, "Dan\n"},
		{"select name from ossobject where (name || '-' || city) = 'Ann-Ulm'", use, "Ann\n"},
		{"select name from ossobject where cast(when as timestamp) > cast('2024-01-15' as timestamp)", use, "Dan\n"},
		{"select name from ossobject where cast(age as double) % 8 = 4", use, "Bob\nDan\n"},
		{"select name from ossobject where -age = -4", use, "Bob\n"},
		{"select count(*), count(when), sum(age), avg(cast(age as int)), min(cast(age as int)), max(cast(age as double)), min(name) from ossobject", use, "4,3,134,44.666666666666664,4,100,Ann\n"},
		{"select count(*) + 1, sum(age) from ossobject where age > 1000", use, "1,\n"},
		{"select count(*) from ossobject limit 0", use, ""},
		{"select cast(age as int) * 2 as twice from ossobject where name = 'Bob'", use, "8\n"},
		{"select * from ossobject limit 0", use, ""},
		{"select * from ossobject'", use, people[19:strings.Index(people, "#")] + "Cid,,Ulm\nDan,100,,2024-02-03\n"},
		{"select age from ossobject where name = 'Ann'", selectsql.Options{Header: selectsql.UseHeader, KeepAllColumns: true}, ",30,,\n"},
		{"select Age as a, name from ossobject limit 1", selectsql.Options{Header: selectsql.UseHeader, OutputHeader: true}, "a,name\n30,Ann\n"},
		{"select * from ossobject limit 1", selectsql.Options{Header: selectsql.IgnoreHeader, OutputHeader: true}, "name,age,city,when\nAnn,30,Ulm,2024-01-02\n"},
		{"select name from ossobject", selectsql.Options{Header: selectsql.UseHeader, Range: selectsql.Range{Unit: selectsql.Lines, First: 2, Last: 4}}, "Bob\nCid\n"},
		{"select name from ossobject", selectsql.Options{Header: selectsql.UseHeader, Range: selectsql.Range{Unit: selectsql.Splits, Last: 0}}, "Ann\nBob\nCid\nDan\n"},
		{"select name from ossobject", selectsql.Options{Header: selectsql.UseHeader, Range: selectsql.Range{Unit: selectsql.Splits, First: 1, Last: 5}}, ""},
		{"select name from ossobject", selectsql.Options{Header: selectsql.UseHeader, Range: selectsql.Range{Unit: selectsql.Bytes, First: 1, Last: 19}}, "Ann\n"},
		{"select name from ossobject", selectsql.Options{Header: selectsql.UseHeader, OutputRecordDelimiter: "\r\n"}, "Ann\r\nBob\r\nCid\r\nDan\r\n"},
		{"select name, city from ossobject limit 2", selectsql.Options{Header: selectsql.UseHeader, OutputFieldDelimiter: ";", OutputQuote: "'"}, "Ann;Ulm\nBob;Bad Tölz, \"old\"\n"},
		{"select name from ossobject", selectsql.Options{Header: selectsql.UseHeader, SkipPartial: true}, "Ann\nBob\nCid\nDan\n"},
		{"select name from ossobject where when <> ''", selectsql.Options{Header: selectsql.UseHeader, SkipPartial: true, MaxSkipped: 1}, "Ann\nBob\nDan\n"},
		{"select _1 from ossobject where _2 > 20", selectsql.Options{MaxSkipped: 1}, "Ann\nDan\n"},
	} {
		got, err := run(t, test.sql, people, test.o)
		if err != nil || got != test.want {
			t.Errorf("%s: %q, %v; want %q", test.sql, got, err, test.want)
		}
	}
}

func TestCSVForms(t *testing.T) {
	for _, test := range []struct {
		name, data string
		o          selectsql.Options
		want       string
	}{
		{"crlf by default", "a,b\r\n\"c\"\r\n", selectsql.Options{}, "a\nc\n"},
		{"crlf", "a,b\r\nc\nd,e\r\n", selectsql.Options{RecordDelimiter: "\r\n"}, "a\n\"c\nd\"\n"},
		{"mark", "\ufeffa,b\n", selectsql.Options{}, "a\n"},
		{"tabs", "a\tb\n", selectsql.Options{FieldDelimiter: "\t"}, "a\n"},
		{"own quote", "'a,b',c\n", selectsql.Options{Quote: "'"}, "\"a,b\"\n"},
		{"own comment", ";a\n#b\n", selectsql.Options{Comment: ";"}, "#b\n"},
		{"line feed in quotes", "\"a\nb\",c\n", selectsql.Options{}, "\"a\nb\"\n"},
		{"empty", "", selectsql.Options{}, ""},
		{"comment at the end", "a\n#b", selectsql.Options{}, "a\n"},
	} {
		got, err := run(t, "select _1 from ossobject", test.data, test.o)
		if err != nil || got != test.want {
			t.Errorf("%s: %q, %v; want %q", test.name, got, err, test.want)
		}
	}
}

// TestBadData finds what was right before what is wrong.
func TestBadData(t *testing.T) {
	for _, test := range []struct {
		name, sql, data string
		o               selectsql.Options
		want, code      string
	}{
		{"open quote", "select _1 from ossobject", "a\n\"b\n", selectsql.Options{}, "a\n", "InvalidCsvLine"},
		{"a single quote", "select _1 from ossobject", "a\nb\"c\n", selectsql.Options{}, "a\n", "InvalidCsvLine"},
		{"behind a quote", "select _1 from ossobject", "a\n\"b\"c\n", selectsql.Options{}, "a\n", "InvalidCsvLine"},
		{"quote over two lines", "select _1 from ossobject", "a\n\"b\nc\"\n", selectsql.Options{OneLine: true}, "a\n", "InvalidCsvLine"},
		{"fields", "select _1 from ossobject", "a\n" + strings.Repeat(",", 20_000), selectsql.Options{}, "a\n", "InvalidCsvLine"},
		{"long", "select _1 from ossobject", "a\n" + strings.Repeat("b", 2<<20), selectsql.Options{}, "a\n", "InvalidCsvLine"},
		{"partial", "select _1, _2 from ossobject", "a,b\nc\n", selectsql.Options{SkipPartial: true}, "a,b\n", "TooManySkippedRecords"},
		{"type", "select _1 from ossobject where cast(_1 as int) > 0", "1\nx\n2\n", selectsql.Options{}, "1\n", "TooManySkippedRecords"},
		{"lines", "select a from ossobject", `{"a":1} {"a":}`, selectsql.Options{JSON: true}, "{\"a\":1}\n", "InvalidJsonData"},
		{"half a line", "select a from ossobject", `{"a":1} {"a"`, selectsql.Options{JSON: true}, "{\"a\":1}\n", "InvalidJsonData"},
		{"document", "select a from ossobject", `{"a":1} {"a":1}`, selectsql.Options{JSON: true, Document: true}, "", "InvalidJsonData"},
		{"deep", "select a from ossobject", strings.Repeat("[", 1_000_000), selectsql.Options{JSON: true}, "", "InvalidJsonData"},
		{"long line", "select a from ossobject", `"` + strings.Repeat("a", 2<<20) + `"`, selectsql.Options{JSON: true}, "", "InvalidJsonData"},
		{"no gzip", "select _1 from ossobject", "a\n", selectsql.Options{GZIP: true}, "", "DecompressFailure"},
		{"half a gzip", "select _1 from ossobject", zip("a\n")[:15], selectsql.Options{GZIP: true}, "a\n", "DecompressFailure"},
	} {
		got, err := run(t, test.sql, test.data, test.o)
		if code(err) != test.code || got != test.want {
			t.Errorf("%s: %q, %v", test.name, got, err)
		}
	}
}

func zip(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(s))
	_ = z.Close()
	return b.String()
}

func TestJSON(t *testing.T) {
	const doc = `{"n": {"list": [{"a": 1, "b": {"c": "x/y\u00e9\ud83d\ude00\n"}}, {"A": 2.50, "b": null}, {"a": "3", "t": true}, 7]}, "k": "v"}`
	const lines = `{"a":1,"b":[10,20,{"c":1e2}]}, {"a":2}` + "\n\n" + `{"a":123456789.123456789,"b":false}`
	document, line := selectsql.Options{JSON: true, Document: true}, selectsql.Options{JSON: true}
	for _, test := range []struct {
		sql, data string
		o         selectsql.Options
		want      string
	}{
		{"select * from ossobject", doc, document, `{"n":{"list":[{"a":1,"b":{"c":"x\/yé😀\n"}},{"A":2.50,"b":null},{"a":"3","t":true},7]},"k":"v"}` + "\n"},
		{"select k, n.list[1].A as two, no from ossobject", doc, document, `{"k":"v","two":2.50}` + "\n"},
		{"select s.a, s.b.c from ossobject.n.list[*] s where s.a < 5", doc, document, `{"a":1,"c":"x\/yé😀\n"}` + "\n" + `{"a":2.50}` + "\n" + `{"a":"3"}` + "\n"},
		{"select b from ossobject.n.list[*] where t", doc, document, "{}\n"},
		{"select * from ossobject.n.list[3]", doc, document, "7\n"},
		{"select * from ossobject.k[*]", doc, document, ""},
		{"select count(*), sum(a), max(a) from ossobject.n.list[*]", doc, document, `{"_1":4,"_2":6.5,"_3":"3"}` + "\n"},
		{"select avg(a) from ossobject where a > 5000", lines, line, `{"_1":123456789.12345679}` + "\n"},
		{"select avg(a) from ossobject where a > 5e9", lines, line, `{"_1":null}` + "\n"},
		{"select b[2].c, b[0] from ossobject where a = 1", lines, line, `{"c":1e2,"b":10}` + "\n"},
		{"select a from ossobject where b = false", lines, line, `{"a":123456789.123456789}` + "\n"},
		{"select a as x as y from ossobject limit 1", lines, selectsql.Options{JSON: true, OutputRecordDelimiter: ","}, `{"y":1},`},
		{"select cast(a as decimal) + 0.1 from ossobject where cast(a as decimal) = 123456789.1234567890", lines, selectsql.Options{JSON: true, NumbersAsText: true}, `{"_1":123456789.223456789}` + "\n"},
		{"select cast(a as string), cast(a as bool), 'q' from ossobject where a = 2", lines, line, `{"_1":"2","_2":true,"_3":"q"}` + "\n"},
		{"select * from ossobject", lines, selectsql.Options{JSON: true, Range: selectsql.Range{Unit: selectsql.Lines, First: 1, Last: 1}}, "{\"a\":2}\n"},
		{"select _2 from ossobject", "[1,[2]]", line, "{\"_2\":[2]}\n"},
		{"select * from ossobject", "", line, ""},
	} {
		got, err := run(t, test.sql, test.data, test.o)
		if err != nil || got != test.want {
			t.Errorf("%s: %q, %v; want %q", test.sql, got, err, test.want)
		}
	}
	if got, err := run(t, "select _2.a[1].b, _1 from ossobject", `x,"{""a"":[0,{""b"":5}]}"`+"\ny,no\n", selectsql.Options{}); err != nil || got != "5,x\n,y\n" {
		t.Errorf("JSON in CSV: %q, %v", got, err)
	}
}

func TestBadStatements(t *testing.T) {
	for _, sql := range []string{
		"", "  ", "x", "select", "select *", "select * from", "select * from other", "select * ossobject", "select from ossobject",
		"select * from ossobject where", "select * from ossobject where avg(_1) > 1", "select _1 || _2 from ossobject",
		"select (_1 || _2) from ossobject", "select * from ossobject group by _1", "select * from ossobject order by _1",
		"select * from ossobject a join ossobject b on a._1 = b._1", "select _1, count(*) from ossobject", "select count(_1 + sum(_2)) from ossobject",
		"select name from ossobject", "select _0 from ossobject", "select * from ossobject where _1 like", "select * from ossobject where _1 = 'a",
		"select * from ossobject where _1 in ()", "select * from ossobject where _1 between 1", "select * from ossobject where _1 is 1",
		"select * from ossobject where (_1 = 1", "select * from ossobject limit x", "select * from ossobject limit 1.5", "select * from ossobject limit 1 1",
		"select cast(_1) from ossobject", "select cast(_1 as blob) from ossobject", "select nosuch(_1) from ossobject", "select *, _1 from ossobject",
		"select _1 from ossobject where _1 = 1e999", "select * from ossobject where _1 not 1", "select * from ossobject where _1 like 'a' escape 'bc'",
		"select _1 as from ossobject", "select * from ossobject as", "select _1[x] from ossobject", "select _1[0 from ossobject", "select _1. from ossobject",
		"select * from ossobject.a", "select \x00 from ossobject", "select '\xff' from ossobject", "select * from ossobject union select 1",
		"select * from ossobject where " + strings.Repeat("(", 5000) + "1", "select * from ossobject where " + strings.Repeat("not ", 4000) + "true",
		"select " + strings.Repeat("-", 5000) + "1 from ossobject", "select '" + strings.Repeat("a", 20_000) + "' from ossobject",
		"select " + strings.Repeat("1,", 2000) + "1 from ossobject",
	} {
		if got, err := run(t, sql, "1,2\n", selectsql.Options{}); code(err) != "InvalidSqlParameter" {
			t.Errorf("%.80s: %q, %v", sql, got, err)
		}
	}
	for want, o := range map[string]selectsql.Options{
		"InvalidInputRecordDelimiter": {RecordDelimiter: "abc"}, "InvalidInputFieldDelimiter": {FieldDelimiter: "ab"},
		"InvalidInputQuote": {Quote: ","}, "InvalidCommentCharacter": {Comment: "##"},
	} {
		if _, err := run(t, "select * from ossobject", "", o); code(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestArithmetic(t *testing.T) {
	for _, test := range [][2]string{
		{"1 + 2 * 3", "7"},
		{"(1 + 2) * 3", "9"},
		{"7 / 2", "3.5"},
		{"8 / 2", "4"},
		{"7 % 4", "3"},
		{"1 / 0", ""},
		{"1 % 0", ""},
		{"1 - 2 - 3", "-4"},
		{"9223372036854775807 + 1", "9223372036854776000"},
		{"-9223372036854775808 / -1", "9223372036854776000"},
		{"9223372036854775807 * 2", "18446744073709552000"},
		{"cast('0.1' as decimal) + cast('0.2' as decimal)", "0.3"},
		{"cast('1' as decimal) / 3", "0.33333333333333333333"},
		{"cast(1 as decimal) / 0", ""},
		{"1.5e3 + 0", "1500"},
		{"1e300 * 1e300", ""},
		{"cast('1e9999999' as decimal)", "skip"},
		{"cast('12.9' as int)", "12"},
		{"cast('' as int)", ""},
		{"cast('abc' as int)", "skip"},
		{"cast('true' as bool)", "true"},
		{"cast(1e30 as int)", "skip"},
		{"null + 1", ""},
		{"cast('2024-01-02' as timestamp)", "2024-01-02"},
		{"0.1 + 0.2", "0.30000000000000004"},
		{"- (1)", "-1"},
		{"+1", "1"},
		{"1e-9 * 1", "1e-09"},
	} {
		got, err := run(t, "select "+test[0]+" from ossobject", "x\n", selectsql.Options{})
		if test[1] == "skip" {
			if code(err) == "" {
				t.Errorf("%s: %q", test[0], got)
			}
			continue
		}
		if err != nil || got != test[1]+"\n" {
			t.Errorf("%s: %q, %v; want %s", test[0], got, err, test[1])
		}
	}
}

// TestLogic has the truth tables, with null for what is not known.
func TestLogic(t *testing.T) {
	for condition, want := range map[string]bool{
		"true and null": false, "not (false and null)": true, "true or null": true, "null or true": true, "not (null or false)": false,
		"null is null": true, "(null = null) is null": true, "not null is null": false, "(1 in (2, null)) is null": true, "1 in (1, null)": true,
		"(null like 'a') is null": true, "'a' < 'b' and 'B' < 'a'": true, "2 < 10 and '2' < 10": true, "'2' > '10'": true, "1 = 1.0": true,
		"1 <> 2 and 1 != 2 and 2 == 2": true, "true > false": true, "'' = 0": false, "not ('' = 0)": false,
		"cast('1.10' as decimal) = 1.1": true, "'%' like '!%' escape '!'": true, "'ab' like '!a_' escape '!'": true, "'aXbXc' like 'a%b%c'": true,
		"'' like '%'": true, "'' like '_'": false, "'日本' like '__'": true, "'abc' like 'abc%%'": true, "'abc' like ''": false,
		"'" + strings.Repeat("a", 3000) + "' like '" + strings.Repeat("%a", 1000) + "%b'": false,
	} {
		got, err := run(t, "select 1 from ossobject where "+condition, "x\n", selectsql.Options{})
		if err != nil || (got != "") != want {
			t.Errorf("%.60s: %q, %v", condition, got, err)
		}
	}
}

func TestScanned(t *testing.T) {
	line := strings.Repeat("text", 1000) + ",12\n"
	data := strings.Repeat(line, 26<<20/len(line))
	for _, test := range []struct {
		sql         string
		want, alive int
	}{
		{"select * from ossobject where _2 = 13", len(data), 3},
		{"select * from ossobject limit 1", len(line), 0},
	} {
		var s sink
		n, err := selectsql.Run(test.sql, strings.NewReader(data), selectsql.Options{}, &s)
		if err != nil || n != int64(test.want) || s.alive != test.alive {
			t.Errorf("%s: scanned %d, %d times alive, %v", test.sql, n, s.alive, err)
		}
	}
	packed := zip(data)
	var s sink
	if n, err := selectsql.Run("select count(*) from ossobject", strings.NewReader(packed), selectsql.Options{GZIP: true}, &s); err != nil || n != int64(len(packed)) || s.String() != strconv.Itoa(len(data)/len(line))+"\n" {
		t.Errorf("%d, %v, %q", n, err, s.String())
	}
}

func TestErrorsOfOthers(t *testing.T) {
	broken := errors.New("broken")
	var s sink
	if _, err := selectsql.Run("select * from ossobject", iotest.ErrReader(broken), selectsql.Options{}, &s); !errors.Is(err, broken) || code(err) != "" {
		t.Error(err)
	}
	if _, err := selectsql.Run("select * from ossobject", iotest.ErrReader(broken), selectsql.Options{GZIP: true}, &s); !errors.Is(err, broken) || code(err) != "" {
		t.Error(err)
	}
	for sql, data := range map[string]string{"select * from ossobject": "a\n", "select * from ossobject where false": strings.Repeat(strings.Repeat("a", 1000)+"\n", 10_000)} {
		s = sink{err: broken}
		if _, err := selectsql.Run(sql, strings.NewReader(data), selectsql.Options{}, &s); !errors.Is(err, broken) {
			t.Error(err)
		}
	}
}

func TestCount(t *testing.T) {
	for _, test := range []struct {
		data string
		o    selectsql.Options
		want selectsql.Counts
	}{
		{people, selectsql.Options{}, selectsql.Counts{Rows: 5, Splits: 1, Columns: 4, Lines: 6, Scanned: int64(len(people))}},
		{"", selectsql.Options{}, selectsql.Counts{}},
		{strings.Repeat(strings.Repeat("a", 1023)+"\n", 8<<10), selectsql.Options{}, selectsql.Counts{Rows: 8 << 10, Splits: 2, Columns: 1, Lines: 8 << 10, Scanned: 2 * selectsql.SplitSize}},
		{"{}\n{},[]", selectsql.Options{JSON: true}, selectsql.Counts{Rows: 3, Splits: 1, Lines: 3, Scanned: 8}},
	} {
		if got, err := selectsql.Count(strings.NewReader(test.data), test.o); err != nil || got != test.want {
			t.Errorf("%.20q: %+v, %v", test.data, got, err)
		}
	}
	if n, err := selectsql.Count(strings.NewReader("a\n\"b"), selectsql.Options{}); code(err) != "InvalidCsvLine" || n.Rows != 1 {
		t.Error(n, err)
	}
}

// TestSplits: every record is in one split.
func TestSplits(t *testing.T) {
	var b strings.Builder
	for i := range 10_000 {
		b.WriteString(strconv.Itoa(i) + strings.Repeat(",abc", 250) + "\n")
	}
	total := 0
	for i := range int64(3) {
		got, err := run(t, "select count(*) from ossobject", b.String(), selectsql.Options{Range: selectsql.Range{Unit: selectsql.Splits, First: i, Last: i}})
		n, numErr := strconv.Atoi(strings.TrimSpace(got))
		if err != nil || numErr != nil || n == 0 {
			t.Errorf("%q, %v", got, err)
		}
		total += n
	}
	if total != 10_000 {
		t.Errorf("%d records in all splits", total)
	}
}

// FuzzSelect looks for panics, and for results that are not read again.
func FuzzSelect(f *testing.F) {
	f.Add("select _1, cast(_2 as decimal) from ossobject where _1 like '%a_' escape '!' and _2 between 1 and 2 or _3 is null limit 3", people, byte(0))
	f.Add("select count(*), avg(a.b[0]) from ossobject.x[*] a where a.b[0] in (1, 'x') and -a.c % 2 = 1", `{"x":[{"b":[1],"c":"\u00e9\ud800"}]}`, byte(3))
	f.Add("select * from ossobject", zip(people), byte(4))
	f.Add("select * from ossobject'", "a,\"b\"\"\"\r\n", byte(8))
	f.Fuzz(func(t *testing.T, sql, data string, flags byte) {
		o := selectsql.Options{JSON: flags&1 != 0, Document: flags&2 != 0, GZIP: flags&4 != 0, OneLine: flags&8 != 0, SkipPartial: flags&16 != 0, MaxSkipped: 100}
		if flags&32 != 0 {
			o.Header, o.OutputHeader = selectsql.UseHeader, true
		}
		o.KeepAllColumns, o.NumbersAsText = flags&64 != 0, flags&128 != 0
		var s sink
		_, err := selectsql.Run(sql, io.LimitReader(strings.NewReader(data), 1<<16), o, &s)
		if err != nil {
			return
		}
		again := selectsql.Options{JSON: o.JSON, OneLine: false, Comment: "\x00"}
		if _, err := selectsql.Count(&s, again); err != nil {
			t.Fatalf("%q gives %q, which is not read again: %v", sql, s.String(), err)
		}
	})
}
