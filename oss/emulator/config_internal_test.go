package emulator

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/osssync/osssync/oss/emulator/internal/sign"
	"github.com/osssync/osssync/oss/emulator/internal/store"
)

func TestFamiliesAreWhole(t *testing.T) {
	for _, f := range append(bucketFamilies(), serviceFamilies()...) {
		if (f.shape == "") != (f.text != nil) {
			t.Errorf("%s: a family has a shape or checks text", f.sub)
		}
		if f.absent == "" {
			t.Errorf("%s: no answer for absent documents", f.sub)
		}
		if f.absent[0] == '<' {
			doc, err := parseAnyDocument([]byte(f.absent))
			if err != nil {
				t.Errorf("%s: %v in %s", f.sub, err, f.absent)
			} else if err := parseShape(f.shape).check(doc); err != nil {
				t.Errorf("%s: the default is refused: %v", f.sub, err)
			}
		} else if _, ok := errorTable[f.absent]; !ok {
			t.Errorf("%s: code %s is not in the table", f.sub, f.absent)
		}
	}
}

// Every sub-resource must be one that the routing sees.
func TestConfigRoutesAreReachable(t *testing.T) {
	seen := make(map[routeKey]bool)
	for _, r := range configRoutes() {
		if seen[r.routeKey] {
			t.Errorf("%+v twice", r.routeKey)
		}
		seen[r.routeKey] = true
		var query []sign.Param
		for i, name := range strings.Split(r.sub, "&") {
			name, value, _ := strings.Cut(name, "=")
			if i > 0 && value == "" {
				value = "x"
			}
			query = append(query, sign.Param{Name: name, Value: value})
		}
		for range query {
			rq := request{r: mustRequest(t, r.method), query: query}
			if got := rq.subResource(); got != r.sub {
				t.Errorf("%v selects %q, want %q", query, got, r.sub)
			}
			query = append(query[1:], query[0])
		}
	}
}

func TestShape(t *testing.T) {
	sh := parseShape("R{A B:bool? C:1..5* D:x|y+ E?{F:text G:date?}}")
	for _, tc := range []struct{ doc, code string }{
		{"<R><A/><D>x</D></R>", ""},
		{"<R><A>any</A><B>true</B><C>1</C><C> 5 </C><D>x</D><D>y</D><E><F>f</F><G>2020-01-01T00:00:00.000Z</G></E><New><X/></New></R>", ""},
		{"<R><D>x</D></R>", "MalformedXML"},
		{"<R>text</R>", "MalformedXML"},
		{"<R><A/><A/><D>x</D></R>", "MalformedXML"},
		{"<R><A><X/></A><D>x</D></R>", "MalformedXML"},
		{"<R><A/></R>", "MalformedXML"},
		{"<R><A/><D>z</D></R>", "MalformedXML"},
		{"<R><A/><D>x</D><B>yes</B></R>", "MalformedXML"},
		{"<R><A/><D>x</D><C>six</C></R>", "MalformedXML"},
		{"<R><A/><D>x</D><C>6</C></R>", "InvalidArgument"},
		{"<R><A/><D>x</D><C>0</C></R>", "InvalidArgument"},
		{"<R><A/><D>x</D><E/></R>", "MalformedXML"},
		{"<R><A/><D>x</D><E><F> </F></E></R>", "MalformedXML"},
		{"<R><A/><D>x</D><E><F>f</F><G>2020</G></E></R>", "MalformedXML"},
	} {
		doc, err := parseDocument([]byte(tc.doc), "R")
		if err != nil {
			t.Fatal(tc.doc, err)
		}
		code := ""
		if err := sh.check(doc); err != nil {
			code, _, _ = strings.Cut(err.Error(), ":")
		}
		if code != tc.code {
			t.Errorf("%s: %q, want %q", tc.doc, code, tc.code)
		}
	}
}

// The canonical form of a document is its own canonical form, and what was
// let in once is let in again.
func FuzzConfigDocument(f *testing.F) {
	families := append(bucketFamilies(), serviceFamilies()...)
	for i, fam := range families {
		f.Add(i, []byte(fam.absent))
	}
	f.Add(0, []byte("<LifecycleConfiguration><Rule><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>"))
	f.Fuzz(func(t *testing.T, i int, body []byte) {
		if i < 0 || i >= len(families) {
			return
		}
		if families[i].shape == "" {
			_, _ = parsePolicy(body)
			return
		}
		doc, err := parseAnyDocument(body)
		if err != nil {
			return
		}
		sh := parseShape(families[i].shape)
		if sh.check(doc) != nil {
			return
		}
		once := doc.bytes()
		again, err := parseAnyDocument(once)
		if err != nil {
			t.Fatalf("canonical form is not well formed: %q", once)
		}
		if twice := again.bytes(); !bytes.Equal(once, twice) {
			t.Fatalf("canonical forms differ:\n%q\n%q", once, twice)
		}
		if err := sh.check(again); err != nil {
			t.Fatalf("canonical form is refused: %v: %q", err, once)
		}
	})
}

func TestWildcardMatchesAsRegexp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*?]{0,8}`).Draw(t, "pattern")
		s := rapid.StringMatching(`[ab]{0,8}`).Draw(t, "s")
		re := regexp.MustCompile("^" + strings.NewReplacer("*", ".*", "?", ".").Replace(pattern) + "$")
		if got, want := wildcard(pattern, s), re.MatchString(s); got != want {
			t.Fatalf("wildcard(%q, %q) is %v", pattern, s, got)
		}
	})
}

func TestLifecycleRules(t *testing.T) {
	st := store.NewMemory()
	defer func() { _ = st.Close() }()
	var rules []lifecycleRule
	err := st.Update(func(tx *store.Tx) (err error) {
		doc := []byte(`<LifecycleConfiguration>
		<Rule><ID>off</ID><Status>Disabled</Status><Expiration><Days>1</Days></Expiration></Rule>
		<Rule><ID>on</ID><Prefix>a/</Prefix><Status>Enabled</Status><Tag><Key>k</Key><Value>v</Value></Tag>
		<Expiration><Days>3</Days></Expiration><NoncurrentVersionExpiration><NoncurrentDays>4</NoncurrentDays></NoncurrentVersionExpiration>
		<Transition><Days>2</Days><StorageClass>IA</StorageClass></Transition>
		<Filter><ObjectSizeGreaterThan>10</ObjectSizeGreaterThan><ObjectSizeLessThan>20</ObjectSizeLessThan><Not><Prefix>a/b</Prefix></Not>
		<Not><Prefix>a/</Prefix><Tag><Key>keep</Key><Value>1</Value></Tag></Not></Filter></Rule></LifecycleConfiguration>`)
		if err := tx.PutConfig(&store.Config{Bucket: "b", Family: "lifecycle", Doc: doc}); err != nil {
			return err
		}
		rules, err = lifecycleRules(tx, "b")
		return err
	})
	if err != nil || len(rules) != 1 {
		t.Fatal(rules, err)
	}
	r := rules[0]
	if r.id != "on" || r.expire.days != 3 || r.expireNoncurrent.days != 4 || len(r.transitions) != 1 || r.transitions[0].class != "IA" || r.transitions[0].when.days != 2 {
		t.Errorf("rule is %+v", r)
	}
	has := []tag{{"k", "v"}}
	for _, tc := range []struct {
		key  string
		size int64
		tags []tag
		want bool
	}{
		{"a/x", 15, has, true},
		{"b/x", 15, has, false},
		{"a/x", 10, has, false},
		{"a/x", 20, has, false},
		{"a/x", 15, nil, false},
		{"a/bx", 15, has, false},
		{"a/x", 15, append(has, tag{"keep", "1"}), false},
		{"a/x", 15, append(has, tag{"keep", "2"}), true},
	} {
		if got := r.matches(tc.key, tc.size, tc.tags); got != tc.want {
			t.Errorf("matches %+v: %v", tc, got)
		}
	}
	day := func(n int) time.Time { return time.Date(2024, 1, n, 0, 0, 0, 0, time.UTC) }
	for _, tc := range []struct {
		name         string
		when         lifecycleTime
		changed, now int
		want         bool
	}{
		{"never", lifecycleTime{}, 1, 30, false},
		{"early", lifecycleTime{days: 3}, 1, 3, false},
		{"due", lifecycleTime{days: 3}, 1, 4, true},
		{"before the date", lifecycleTime{date: day(5)}, 1, 4, false},
		{"on the date", lifecycleTime{date: day(5)}, 4, 5, true},
		{"created before", lifecycleTime{createdBefore: day(5)}, 4, 4, true},
		{"created after", lifecycleTime{createdBefore: day(5)}, 5, 30, false},
	} {
		if got := tc.when.due(day(tc.changed), day(tc.now)); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func mustRequest(t *testing.T, method string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
