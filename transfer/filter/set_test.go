package filter_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/osssync/osssync/transfer/filter"
)

// build makes a Set of rules as a file of filters has them.
func build(t testing.TB, b filter.Builder, rules string) *filter.Set {
	t.Helper()
	if err := b.Read(strings.NewReader(rules), filter.Filters, "rules"); err != nil {
		t.Fatal(err)
	}
	s, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFirstMatchDecides(t *testing.T) {
	rules := "\ufeff# photos\r\n\r\n  - thumbs/  \r\n; another comment\n+ *.jpg\n- *.jpg\n- /raw/*\n"
	s := build(t, filter.Builder{}, rules)
	for name, want := range map[string]string{
		"a.jpg":          "in: + *.jpg (rules:5)",
		"thumbs/a.jpg":   "out: - thumbs/ (rules:3)",
		"x/thumbs/y.jpg": "out: - thumbs/ (rules:3)",
		"raw/a":          "out: - /raw/* (rules:7)",
		"raw/a.jpg":      "in: + *.jpg (rules:5)",
		"raw/a/b":        "in: nothing leaves it out",
		"":               "in: nothing leaves it out",
	} {
		if have := s.Match(name, filter.Info{}).String(); have != want {
			t.Errorf("%q: %s, want %s", name, have, want)
		}
	}
}

func TestIncludeImpliesTheRest(t *testing.T) {
	var b filter.Builder
	for _, err := range []error{
		b.Include("/a", "--include"), b.Rule("!", "--filter"), b.Exclude("*.bak", "--exclude"), b.Include("*.txt", "--include"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"a":     "out: - ** (implied by --include)",
		"x.txt": "in: + *.txt (--include)",
		"x.bak": "out: - *.bak (--exclude)",
	} {
		if have := s.MatchName(name).String(); have != want {
			t.Errorf("%q: %s, want %s", name, have, want)
		}
	}
	// A ! takes back the implication, too.
	if err := b.Rule("!", ""); err != nil {
		t.Fatal(err)
	}
	if s, err = b.Build(); err != nil || !s.MatchName("a").In {
		t.Errorf("after !: %v, %v", s, err)
	}
	// A file without includes includes nothing.
	if err := b.Read(strings.NewReader("# none\n"), filter.Includes, "empty"); err != nil {
		t.Fatal(err)
	}
	if s, err = b.Build(); err != nil || s.MatchName("a").In {
		t.Errorf("no includes: %v, %v", s, err)
	}
}

// A Set does not change with the Builder it came from.
func TestBuilderGoesOn(t *testing.T) {
	var b filter.Builder
	for _, p := range []string{"a", "b", "c"} {
		if err := b.Include(p, ""); err != nil {
			t.Fatal(err)
		}
	}
	s := build(t, b, "")
	for _, p := range []string{"d", "e"} {
		if err := b.Include(p, ""); err != nil {
			t.Fatal(err)
		}
	}
	build(t, b, "")
	if s.MatchName("d").In || s.MatchName("x").In || !s.MatchName("c").In {
		t.Error("it did")
	}
}

func TestReadKinds(t *testing.T) {
	var b filter.Builder
	for _, file := range []struct {
		kind filter.Kind
		text string
	}{{filter.Excludes, "# x\n; y\n *.bak \n"}, {filter.Includes, "; z\n/a/\n"}} {
		if err := b.Read(strings.NewReader(file.text), file.kind, "f"); err != nil {
			t.Fatal(err)
		}
	}
	want := "\"- *.bak\"\n\"+ /a/\"\n\"- **\"\n"
	if have := build(t, b, "").String(); have != want {
		t.Errorf("rules are %s, want %s", have, want)
	}
}

func TestRuleErrors(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"*.jpg", `f:1: "*.jpg": want + PATTERN`},
		{"+*.jpg", "f:1: "},
		{"# x\n\n- [\n", `f:3: "[": a [ without its ]`},
		{"+ \n", "f:1: "},
		{"\xff\xfe+\x00", "UTF-16"},
		{strings.Repeat("#\n", 40<<20), "64 MiB"},
	} {
		var b filter.Builder
		err := b.Read(strings.NewReader(tc.text), filter.Filters, "f")
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%.20q: error is %v, want %s", tc.text, err, tc.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("\ufeff# x\r\n+ a\n- **\n!\n", 0, "a/b")
	f.Add("*.jpg\n/a/\n", 1, "x.jpg")
	f.Add("{a,b}[!c]\\*\n", 2, "ad*")
	f.Fuzz(func(t *testing.T, text string, kind int, name string) {
		var b filter.Builder
		err := b.Read(strings.NewReader(text), filter.Kind(kind), "f")
		if err != nil {
			syntax, ok := errors.AsType[*filter.SyntaxError](err)
			if ok && (syntax.Err == nil || !strings.HasPrefix(syntax.Source, "f:")) {
				t.Errorf("%q: %#v", text, syntax)
			}
			return
		}
		s, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		v := s.MatchName(name)
		if v.Rule != "" && v.Source == "" {
			t.Errorf("%q: %+v comes from nowhere", text, v)
		}
		s.Warnings()
		if i := strings.LastIndexByte(name, '/'); v.In && !s.Dir(name[:i+1]) {
			t.Errorf("%q: %q is in, and its folder passed over", text, name)
		}
	})
}

func TestBounds(t *testing.T) {
	now := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) filter.Info { return filter.Info{ModTime: now.Add(-d)} }
	const day = 24 * time.Hour
	size := func(n int64) filter.Info { return filter.Info{Size: n} }
	class := func(c string) filter.Info { return filter.Info{StorageClass: c} }
	for _, tc := range []struct {
		name string
		b    filter.Builder
		in   []filter.Info
		out  []filter.Info
		want string // of what is out
	}{
		{"min-size", filter.Builder{MinSize: 10}, []filter.Info{size(10), size(-1)}, []filter.Info{size(9), {}}, "out: smaller than 10 bytes (--min-size)"},
		{"max-size", filter.Builder{MaxSize: new(int64(10))}, []filter.Info{size(10), size(-1), {}}, []filter.Info{size(11)}, "out: larger than 10 bytes (--max-size)"},
		{"max-size 0", filter.Builder{MaxSize: new(int64)}, []filter.Info{{}}, []filter.Info{size(1)}, "out: larger than 0 bytes (--max-size)"},
		{
			"min-age",
			filter.Builder{MinAge: 2 * day},
			[]filter.Info{ago(2 * day), ago(3 * day), {}},
			[]filter.Info{ago(2*day - 1), ago(-day)},
			"out: modified after 2026-03-08T00:00:00Z (--min-age)",
		},
		{
			"max-age",
			filter.Builder{MaxAge: 2 * day},
			[]filter.Info{ago(2 * day), ago(-day), {}},
			[]filter.Info{ago(2*day + 1)},
			"out: modified before 2026-03-08T00:00:00Z (--max-age)",
		},
		{
			"min-mtime",
			filter.Builder{MinTime: now},
			[]filter.Info{ago(0), ago(-1), {}},
			[]filter.Info{ago(1)},
			"out: modified before 2026-03-10T00:00:00Z (--min-mtime)",
		},
		{
			"max-mtime",
			filter.Builder{MaxTime: now},
			[]filter.Info{ago(0), ago(1), {}},
			[]filter.Info{ago(-1)},
			"out: modified after 2026-03-10T00:00:00Z (--max-mtime)",
		},
		{
			"class",
			filter.Builder{StorageClasses: []string{"IA", "archive"}},
			[]filter.Info{class("IA"), class("Archive"), class("")},
			[]filter.Info{class("Standard"), class("ColdArchive")},
			"out: not of class IA, archive (--only-storage-class)",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.b.Now = now
			s := build(t, tc.b, "- /no\n")
			for _, info := range tc.in {
				if v := s.Match("a", info); !v.In {
					t.Errorf("%+v: %s", info, v)
				}
				if v := s.Match("no", info); v.In || v.Rule != "- /no" {
					t.Errorf("%+v: %s", info, v)
				}
			}
			for _, info := range tc.out {
				if v := s.Match("a", info); v.String() != tc.want {
					t.Errorf("%+v: %s, want %s", info, v, tc.want)
				}
			}
			if !s.MatchName("a").In {
				t.Error("the name alone is out")
			}
		})
	}
}

// Ages count from when the Set is made, if nobody says otherwise.
func TestAgeCountsFromNow(t *testing.T) {
	s := build(t, filter.Builder{MaxAge: time.Hour}, "")
	if !s.Match("a", filter.Info{ModTime: time.Now()}).In || s.Match("a", filter.Info{ModTime: time.Now().Add(-2 * time.Hour)}).In {
		t.Error(s.Match("a", filter.Info{ModTime: time.Now()}))
	}
}

func TestBoundsErrors(t *testing.T) {
	now := time.Now()
	for _, b := range []filter.Builder{
		{MinSize: -1},
		{MaxSize: new(int64(-1))},
		{MinSize: 2, MaxSize: new(int64(1))},
		{MinAge: -1},
		{MaxAge: -1},
		{MinAge: 2, MaxAge: 1},
		{MinTime: now, MaxTime: now.Add(-1)},
		{StartAfter: "b", EndWith: "b"},
		{StartAfter: "b", EndWith: "a"},
	} {
		_, err := b.Build()
		if _, ok := errors.AsType[*filter.BoundsError](err); !ok {
			t.Errorf("%+v: %v", b, err)
		}
	}
}

func TestRange(t *testing.T) {
	s := build(t, filter.Builder{StartAfter: "b", EndWith: "d/x"}, "")
	for name, in := range map[string]bool{"a": false, "b": false, "b!": true, "b/c": true, "d": true, "d/x": true, "d/x/y": false, "d/y": false, "e": false} {
		if v := s.MatchName(name); v.In != in {
			t.Errorf("%q: %s", name, v)
		}
	}
	for dir, want := range map[string]bool{"": true, "a": false, "b": true, "c/": true, "d": true, "d/x": false, "e": false} {
		if have := s.Dir(dir); have != want {
			t.Errorf("Dir(%q) = %t", dir, have)
		}
	}
	if s := build(t, filter.Builder{EndWith: "d/"}, ""); !s.MatchName("d/").In || !s.Dir("d") {
		t.Error("d/ is passed over")
	}
	if start, end := s.Range(); start != "b" || end != "d/x" {
		t.Errorf("Range is %q, %q", start, end)
	}
}

func TestDir(t *testing.T) {
	for _, tc := range []struct{ rules, list, pass string }{ // folders to list, and to pass over
		{"", "a a/b/c", ""},
		{"- *.tmp", "a a.tmp", ""},
		{"- a/", "b xa ax", "a a/ b/a a/b"},
		{"- /a/", "b b/a", "a a/b"},
		{"- /a/**", "b", "a a/b"},
		{"- /a/*", "b a a/b", ""},
		{"- a/**\n+ a/b", "b", "a"},
		{"+ a/b\n- a/**", "b a", ""},
		{"+ /a/b\n- **", "a a/", "a// b/"},
		{"+ /a/b/*.jpg\n- **", "a a/b", "b a/c a/b/c ab"},
		{"+ /a/b/*.jpg\n- *", "a a/b", "b a/c a/b/c"},
		{"+ *.jpg\n- **", "a b/c", ""},
		{"+ /a/**/x\n- **", "a a/b a/b/c", "b"},
		{"- cache/\n+ /a/\n- **", "a a/b", "cache a/cache b"},
		{"+ /{a,b/c}/d\n- **", "a b b/c", "c b/a a/d"},
		{"+ /a[12]/\n- **", "a1 a2/x", "a a3 1"},
		{"- **", "", "a a/b"},
		{"+ **\n- **", "a", ""},
	} {
		s := build(t, filter.Builder{}, tc.rules)
		for dir := range strings.FieldsSeq(tc.list) {
			if !s.Dir(dir) {
				t.Errorf("%q: %q is passed over", tc.rules, dir)
			}
		}
		for dir := range strings.FieldsSeq(tc.pass) {
			if s.Dir(dir) {
				t.Errorf("%q: %q is listed", tc.rules, dir)
			}
		}
	}
}

// drawSet draws a Set of every kind of condition on names.
func drawSet(t *rapid.T) *filter.Set {
	var b filter.Builder
	for range rapid.IntRange(0, 4).Draw(t, "rules") {
		add := rapid.SampledFrom([]func(string, string) error{
			b.Include, b.Exclude, func(p, source string) error { return b.Rule("+ "+p, source) },
		}).Draw(t, "kind")
		if err := add(patterns().Draw(t, "pattern"), ""); err != nil {
			t.Fatal(err)
		}
	}
	if rapid.Bool().Draw(t, "closed") {
		if err := b.Exclude("*", ""); err != nil {
			t.Fatal(err)
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "range") == 0 {
		b.StartAfter, b.EndWith = names().Draw(t, "start"), names().Draw(t, "end")
	}
	if rapid.IntRange(0, 3).Draw(t, "listed") == 0 {
		b.Names = &filter.Names{}
		for range rapid.IntRange(0, 9).Draw(t, "names") {
			b.Names.Add(names().Draw(t, "listed name"))
		}
	}
	s, err := b.Build()
	if err != nil {
		b.StartAfter = ""
		if s, err = b.Build(); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// Nothing that is in is missed by who lists only what Dir, Prefixes and Range
// say.
func TestNothingIsPassedOver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSet(t)
		prefixes := s.Prefixes()
		for i, p := range prefixes {
			if i > 0 && (p <= prefixes[i-1] || strings.HasPrefix(p, prefixes[i-1])) {
				t.Fatalf("prefixes %q overlap or have no order", prefixes)
			}
		}
		start, end := s.Range()
		for range 20 {
			name := names().Draw(t, "name")
			if !s.MatchName(name).In {
				continue
			}
			for i := range len(name) {
				if name[i] == '/' && !s.Dir(name[:i+1]) {
					t.Fatalf("%q is in, and %q passed over", name, name[:i+1])
				}
			}
			if !s.Dir("") {
				t.Fatalf("%q is in, and the root passed over", name)
			}
			if !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
				t.Fatalf("%q is in, and has none of the prefixes %q", name, prefixes)
			}
			if name <= start || end != "" && name > end {
				t.Fatalf("%q is in, but not in its range", name)
			}
		}
	})
}

func TestPrefixes(t *testing.T) {
	for _, tc := range []struct {
		rules, names string
		want         []string
	}{
		{"", "", []string{""}},
		{"- *.tmp", "", []string{""}},
		{"+ /a/x*\n+ /b/**\n- **", "", []string{"a/x", "b/"}},
		{"+ /b/\n+ /a\n+ /a/b\n- *", "", []string{"a", "b/"}},
		{"+ /a/\n+ *.jpg\n- *", "", []string{""}},
		{"+ /a/\n- /b/", "", []string{""}},
		{"- /a/\n- **", "", nil},
		{"", "p/q/a p/q/b", []string{"p/q/"}},
		{"+ /a/\n+ /b/\n+ /c/\n- *", "a/x1 a/x2 c/y d/z", []string{"a/x", "c/y"}},
		{"", "x漢 x漣", []string{"x"}}, // which share two bytes more
		{"- /a/", "a/x b/y", []string{"b/y"}},
		{"+ /s{a,b}\n- *", "", []string{"s"}},
		{strings.Repeat("+ /dir/", 1) + "1\n" + "+ /dir/2/\n+ /dir/3\n+ /dir/4\n+ /dir/5\n+ /dir/6\n+ /dir/7\n+ /dir/8\n+ /dir/9\n" +
			"+ /dir/a\n+ /dir/b\n+ /dir/c\n+ /dir/d\n+ /dir/e\n+ /dir/f\n+ /dir/g\n+ /dir/h\n- *", "", []string{"dir/"}},
	} {
		var b filter.Builder
		if tc.names != "" {
			b.Names = &filter.Names{}
			for name := range strings.FieldsSeq(tc.names) {
				b.Names.Add(name)
			}
		}
		if have := build(t, b, tc.rules).Prefixes(); !slices.Equal(have, tc.want) {
			t.Errorf("%q, %q: %q, want %q", tc.rules, tc.names, have, tc.want)
		}
	}
}

func TestWarnings(t *testing.T) {
	for _, tc := range []struct {
		name     string
		includes []string
		rules    string
		want     string
	}{
		{"nothing", nil, "", ""},
		{"only includes", []string{"*.jpg"}, "", "only includes are given"},
		{"only +", nil, "+ *.jpg", "leave nothing out"},
		{"closed", nil, "+ *.jpg\n- **", ""},
		{"exclude", nil, "- *.jpg", ""},
		{"both", []string{"*.jpg"}, "- *.txt", ""},
		{"aws", nil, "- *\n+ *.jpg", "- * (rules:1) matches everything: + *.jpg (rules:2) after it does nothing"},
		{"aws the other way", []string{"*"}, "- *.tmp", "- *.tmp (rules:1) after it does nothing"},
		{"twice", nil, "- **\n- *", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var b filter.Builder
			for _, p := range tc.includes {
				if err := b.Include(p, "--include"); err != nil {
					t.Fatal(err)
				}
			}
			have := build(t, b, tc.rules).Warnings()
			if tc.want == "" && len(have) > 0 || tc.want != "" && (len(have) != 1 || !strings.Contains(have[0], tc.want)) {
				t.Errorf("warnings are %q, want %q", have, tc.want)
			}
		})
	}
}

// A Set's text does not change from one run of a command to the next, and with
// everything that counts.
func TestString(t *testing.T) {
	sets := []func() filter.Builder{
		func() filter.Builder { return filter.Builder{} },
		func() filter.Builder { return filter.Builder{MinSize: 1} },
		func() filter.Builder { return filter.Builder{MaxSize: new(int64)} },
		func() filter.Builder { return filter.Builder{MinAge: time.Hour} },
		func() filter.Builder { return filter.Builder{MaxAge: time.Hour} },
		func() filter.Builder { return filter.Builder{MinTime: time.Unix(1, 0)} },
		func() filter.Builder { return filter.Builder{MaxTime: time.Unix(1, 0)} },
		func() filter.Builder { return filter.Builder{StartAfter: "a"} },
		func() filter.Builder { return filter.Builder{EndWith: "a"} },
		func() filter.Builder { return filter.Builder{StorageClasses: []string{"IA"}} },
		func() filter.Builder { return filter.Builder{Names: &filter.Names{}} },
		func() filter.Builder {
			var n filter.Names
			n.Add("b")
			n.Add("a")
			return filter.Builder{Names: &n}
		},
	}
	seen := map[string]bool{}
	for i, make := range sets {
		for _, rules := range []string{"", "- a", "+ a"} {
			one, other := build(t, make(), rules).String(), build(t, make(), rules).String()
			if one != other {
				t.Errorf("%d: %q and %q", i, one, other)
			}
			if seen[one] {
				t.Errorf("%d, %q: %q is that of another", i, rules, one)
			}
			seen[one] = true
			if other = reread(t, build(t, make(), rules)).String(); one != other {
				t.Errorf("%d: %q became %q", i, one, other)
			}
		}
	}
}

// reread is s marshalled and unmarshalled.
func reread(t interface {
	Helper()
	Fatal(args ...any)
}, s *filter.Set,
) *filter.Set {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var other *filter.Set
	if err := json.Unmarshal(text, &other); err != nil {
		t.Fatal(err)
	}
	return other
}

// A Set that was saved decides as before, and says the same.
func TestSaved(t *testing.T) {
	if reread(t, nil) != nil {
		t.Error("nil became something")
	}
	rapid.Check(t, func(t *rapid.T) {
		s := drawSet(t)
		other := reread(t, s)
		if s.String() != other.String() || !slices.Equal(s.Warnings(), other.Warnings()) || !slices.Equal(s.Prefixes(), other.Prefixes()) {
			t.Fatalf("%q became %q", s, other)
		}
		for range 20 {
			name := names().Draw(t, "name")
			if have, want := other.MatchName(name), s.MatchName(name); have != want {
				t.Fatalf("%q: %s, want %s", name, have, want)
			}
		}
	})
}

func FuzzSaved(f *testing.F) {
	f.Add(`{"Rules":[{"Include":true,"Pattern":"a"}],"Implied":true,"MaxSize":0,"Limited":true,"Names":["YQ=="],"MinTime":"2026-01-01T00:00:00Z"}`)
	f.Fuzz(func(t *testing.T, text string) {
		var s filter.Set
		if s.UnmarshalJSON([]byte(text)) != nil {
			return
		}
		if other := reread(t, &s); s.String() != other.String() {
			t.Errorf("%q became %q", &s, other)
		}
		if n, size := s.Listed(); int64(n) > size+1 {
			t.Errorf("%d names in %d bytes", n, size)
		}
	})
}

func TestSavedErrors(t *testing.T) {
	for _, text := range []string{
		"", "[]", `{"Rules":[{"Pattern":"["}]}`, `{"MinSize":-1}`, `{"Names":["YQ=="]}`, `{"StartAfter":"!"}`, `{"MinSize":2,"MaxSize":1}`,
	} {
		var s filter.Set
		if err := s.UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

func TestNil(t *testing.T) {
	var s *filter.Set
	start, end := s.Range()
	if !s.Match("a", filter.Info{}).In || !s.MatchName("a").In || !s.Dir("a") || !slices.Equal(s.Prefixes(), []string{""}) || start+end != "" ||
		len(s.Warnings()) > 0 || s.String() != "" || len(s.Roll().End()) > 0 {
		t.Error("nil leaves something out")
	}
}

func TestMatchMakesNoGarbage(t *testing.T) {
	s := build(t, filter.Builder{MinSize: 1}, "- tmp/\n- /a/*/b/{c,d}*\n+ *.jpg\n- "+strings.Repeat("[ab]*", 40))
	names := []string{"x/tmp/y", "a/b/b/cc", "x.jpg", strings.Repeat("ab", 100)}
	n := testing.AllocsPerRun(100, func() {
		for _, name := range names {
			s.Match(name, filter.Info{Size: 1})
		}
	})
	if n > 0 {
		t.Errorf("%g allocations", n)
	}
}
