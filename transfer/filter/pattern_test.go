package filter_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/osssync/osssync/transfer/filter"
)

// matcher compiles one pattern by way of the package's front door.
func matcher(t testing.TB, pattern string) func(name string) bool {
	t.Helper()
	var b filter.Builder
	if err := b.Include(pattern, "test"); err != nil {
		t.Fatal(err)
	}
	s, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return func(name string) bool { return s.MatchName(name).In }
}

func TestPattern(t *testing.T) {
	for _, tc := range []struct{ pattern, yes, no string }{ // names with blanks between
		{"file.jpg", "file.jpg dir/file.jpg a/b/file.jpg", "afile.jpg dir/afile.jpg file.jpg/x file.jpgx FILE.jpg"},
		{"/file.jpg", "file.jpg", "dir/file.jpg afile.jpg file.jpg/x"},
		{"dir/file", "dir/file a/dir/file", "adir/file dir/a/file"},
		{"*.jpg", "a.jpg dir/a.jpg .jpg a/.jpg", "a.png a.jpg/b jpg"},
		{"/*.jpg", "a.jpg .jpg", "dir/a.jpg a.jpg/b"},
		{"/a/*", "a/b a/", "a/b/c b a"},
		{"a/*/c", "a/b/c x/a/b/c a//c", "a/c a/b/b/c"},
		{"*", "a a/b a/b/c", ""},
		{"/*", "a abc", "a/b"},
		{"**", "a a/b", ""},
		{"/**", "a a/b", ""},
		{"dir/**", "dir/a sub/dir/a/b dir/", "dir xdir/a"},
		{"dir/", "dir/a sub/dir/a/b dir/", "dir xdir/a"},
		{"/dir/", "dir/a dir/a/b", "sub/dir/a"},
		{"/", "a a/b", ""},
		{"/a**z", "az abz a/b/z", "a xaz azb"},
		{"/a*z", "az abz", "a/z xaz azb a"},
		{"/aa*aa", "aaaa aabaa", "aaa aa"},
		{"/aa**aa", "aaaa aa/aa", "aaa aa"},
		{"a**/b", "a/b ax/b a/x/b y/a/b", "ab a/xb"},
		{"/var/**/ncw", "var/a/ncw var/a/b/ncw var//ncw", "var/ncw x/var/a/ncw"},
		{"*.t?t", "a.txt d/a.tzt .tét .t\xfft", "a.tt a.t/t a.txtx a.tééüt"},
		{"*.{jpg,png}", "a.jpg d/b.png", "a.gif a.{jpg,png}"},
		{"{a,b/}c", "ac b/c x/ac x/b/c", "c bc"},
		{"/{,x}y", "y xy", "xxy ,y"},
		{"/{a,b{c,d}}e", "ae bce bde", "be ace"},
		{"/{a,*}/z", "a/z qq/z /z", "z a/b/z"},
		{"*.[a-z]", "f.a d/f.z", "f.0 f.A f.aa f./"},
		{"/[!a-c]x", "dx éx", "ax cx /x x ddx"},
		{"/[^a]", "b", "a / bb"},
		{"/[a-]x", "ax -x", "bx"},
		{"/[-a]x", "ax -x", "bx"},
		{"/[一-龥]", "漢", "a 漢漢"},
		{`/[\]\-\\]`, `] - \`, "a"},
		{`*.\?\*`, "a.?*", "a.bc"},
		{`\{a,b\}`, "{a,b} d/{a,b}", "a b"},
		{"a,b", "a,b", "a b"},
		{`a\/`, "a/ x/a/", "a/b"},
		{`/a\\/`, `a\/b`, `a/b`},
		{"漢*", "漢字 d/漢", "字漢"},
		{"/[\ufffd]", "\ufffd", "\xff"},
		{"/a{}*{}b", "ab axb", "a/b a"},
		{".*", ".x d/.x d/..", "x .x/a"},
		{"(a+b)|$^", "(a+b)|$^", "aab"},
	} {
		m := matcher(t, tc.pattern)
		for name := range strings.FieldsSeq(tc.yes) {
			if !m(name) {
				t.Errorf("%s does not match %q", tc.pattern, name)
			}
		}
		for name := range strings.FieldsSeq(tc.no) {
			if m(name) {
				t.Errorf("%s matches %q", tc.pattern, name)
			}
		}
	}
}

// The longest pattern there may be, of each of its forms.
func TestLongPattern(t *testing.T) {
	for _, n := range []int{60, 61, 62, 63, 64, 65, 127, 128, 4094, 4095, 4096} {
		for _, rest := range []string{"", "/", "/?"} {
			m := matcher(t, strings.Repeat("?", n-len(rest))+rest)
			name := strings.Repeat("é", n-len(rest)) + strings.Replace(rest, "?", "b", 1)
			if !m(name) || !m("dir/"+name) || m("b"+name) {
				t.Errorf("%d characters, %q: no match", n, rest)
			}
		}
	}
}

func TestPatternErrors(t *testing.T) {
	for pattern, want := range map[string]string{
		"":                         "empty pattern",
		"***":                      "two stars",
		"a***b":                    "two stars",
		"a[b":                      "[ without",
		"a[b-":                     "[ without",
		"[":                        "[ without",
		"a]":                       "] without",
		"[]":                       "empty class",
		"[!]":                      "empty class",
		"[[:alpha:]]":              `\[`,
		"[b-a]":                    "before it begins",
		"{a":                       "{ without",
		"{a,{b}":                   "{ without",
		"a}":                       "} without",
		"a}b{":                     "} without",
		"{{a.*}}":                  "regular expression",
		`a\`:                       `a \ at the end`,
		`\d`:                       "letter or digit",
		`[\w]`:                     "letter or digit",
		`[a\`:                      `a \ at the end`,
		"a\xff":                    "UTF-8",
		strings.Repeat("a", 1<<16): "4096 bytes",
	} {
		var b filter.Builder
		err := b.Exclude(pattern, "x.txt:3")
		syntax, ok := errors.AsType[*filter.SyntaxError](err)
		switch {
		case !ok:
			t.Errorf("%.20q: error is %v", pattern, err)
		case !strings.Contains(syntax.Err.Error(), want):
			t.Errorf("%.20q: error is %v, want %s", pattern, err, want)
		case !strings.HasPrefix(err.Error(), "x.txt:3: "):
			t.Errorf("%.20q: error %v does not begin with the source", pattern, err)
		}
	}
}

// naive is what a pattern means, by trying everything: braces are written out,
// and each star tries each length. It knows only well-formed patterns.
func naive(pattern, name string) bool {
	pattern, rooted := strings.CutPrefix(pattern, "/")
	for _, p := range spellOut(markStars(pattern)) {
		if try(p, name) {
			return true
		}
		for i := range len(name) {
			if !rooted && name[i] == '/' && try(p, name[i+1:]) {
				return true
			}
		}
	}
	return false
}

// star and deep stand for * and **, so that stars that meet stay apart.
const star, deep = "\x01", "\x02"

func markStars(p string) string {
	for {
		i := find(p, '*')
		if i < 0 {
			return p
		}
		if strings.HasPrefix(p[i:], "**") {
			p = p[:i] + deep + p[i+2:]
		} else {
			p = p[:i] + star + p[i+1:]
		}
	}
}

// spellOut writes out the first brace of p, and those in the results.
func spellOut(p string) []string {
	open := find(p, '{')
	if open < 0 {
		return []string{p}
	}
	var alternatives []string
	depth, begin, end := 0, open+1, 0
	for i := open; end == 0; i++ {
		switch p[i] {
		case '\\':
			i++
		case '[':
			i += find(p[i:], ']')
		case '{':
			depth++
		case '}', ',':
			if depth == 1 {
				alternatives = append(alternatives, p[begin:i])
				begin = i + 1
			}
			if p[i] == '}' {
				if depth--; depth == 0 {
					end = i + 1
				}
			}
		}
	}
	var all []string
	for _, a := range alternatives {
		all = append(all, spellOut(p[:open]+a+p[end:])...)
	}
	return all
}

// find is the place of the first c in p that is neither escaped nor in a class.
func find(p string, c byte) int {
	for i := 0; i < len(p); i++ {
		switch {
		case p[i] == '\\':
			i++
		case p[i] == c:
			return i
		case p[i] == '[' && c != ']':
			i += find(p[i:], ']')
		}
	}
	return -1
}

func try(p, name string) bool {
	if p == "" {
		return name == ""
	}
	if p[:1] == star || p[:1] == deep {
		for i := 0; ; i++ {
			if try(p[1:], name[i:]) {
				return true
			}
			if i == len(name) || name[i] == '/' && p[:1] == star {
				return false
			}
		}
	}
	if name == "" {
		return false
	}
	r, size := utf8.DecodeRuneInString(name)
	if r == utf8.RuneError && size == 1 {
		r = -1 // no character of a class
	}
	rest := name[size:]
	switch p[0] {
	case '?':
		return r != '/' && try(p[1:], rest)
	case '[':
		end := find(p, ']')
		return r != '/' && inClass(p[1:end], r) && try(p[end+1:], rest)
	case '\\':
		p = p[1:]
	}
	_, width := utf8.DecodeRuneInString(p)
	return strings.HasPrefix(name, p[:width]) && try(p[width:], name[width:])
}

func inClass(class string, r rune) bool {
	negated := class[0] == '!' || class[0] == '^'
	if negated {
		class = class[1:]
	}
	list := []rune(class)
	next := func() rune {
		if list[0] == '\\' {
			list = list[1:]
		}
		c := list[0]
		list = list[1:]
		return c
	}
	for len(list) > 0 {
		lo := next()
		hi := lo
		if len(list) > 1 && list[0] == '-' {
			list = list[1:]
			hi = next()
		}
		if lo <= r && r <= hi {
			return !negated
		}
	}
	return negated
}

// patterns draws well-formed patterns over few letters, so that they match
// often.
func patterns() *rapid.Generator[string] {
	var sequence func(depth int) *rapid.Generator[string]
	sequence = func(depth int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			var p strings.Builder
			stars := false // come last: no ** is made of two *
			for range rapid.IntRange(0, 4).Draw(t, "elements") {
				kinds := []string{"a", "b", "é", "/", "?", `\*`, "[a-é]", "[!a]", "lit"}
				if !stars {
					kinds = append(kinds, "*", "**", "**/")
				}
				if depth < 2 {
					kinds = append(kinds, "{}")
				}
				e := rapid.SampledFrom(kinds).Draw(t, "element")
				stars = strings.HasSuffix(e, "*") && e != `\*`
				switch e {
				case "lit":
					e = rapid.StringOfN(rapid.SampledFrom([]rune("ab/.")), 1, 4, -1).Draw(t, "text")
				case "{}":
					one := sequence(depth+1).Draw(t, "one")
					if strings.HasPrefix(one, "{") {
						one = "a" + one // {{ is something else
					}
					other := sequence(depth+1).Draw(t, "other")
					e = "{" + one + "," + other + "}"
				}
				p.WriteString(e)
			}
			return p.String()
		})
	}
	return rapid.Custom(func(t *rapid.T) string {
		p := sequence(0).Draw(t, "pattern")
		if rapid.Bool().Draw(t, "rooted") {
			p = "/" + p
		}
		if p == "" {
			p = "*"
		}
		return p
	})
}

func names() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		s := rapid.StringOfN(rapid.SampledFrom([]rune("abé/.*X")), 1, 9, -1).Draw(t, "name")
		if rapid.IntRange(0, 9).Draw(t, "bad") == 0 {
			i := rapid.IntRange(0, len(s)).Draw(t, "at")
			s = s[:i] + "\xc3" + s[i:]
		}
		return s
	})
}

// meaning is pattern without the abbreviation of a / at its end.
func meaning(pattern string) string {
	rest, ok := strings.CutSuffix(pattern, "/")
	if ok && strings.HasSuffix(strings.ReplaceAll(rest, `\\`, ""), `\`) {
		return pattern
	}
	if ok {
		return pattern + "**"
	}
	return pattern
}

func TestPatternIsWhatItMeans(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		pattern := patterns().Draw(r, "pattern")
		var b filter.Builder
		if err := b.Include(pattern, ""); err != nil {
			r.Fatalf("%q: %v", pattern, err)
		}
		s, err := b.Build()
		if err != nil {
			r.Fatal(err)
		}
		for range 20 {
			name := names().Draw(r, "name")
			if have, want := s.MatchName(name).In, naive(meaning(pattern), name); have != want {
				r.Fatalf("%q matches %q: %t, want %t", pattern, name, have, want)
			}
		}
	})
}

// Names made for a pattern: the random ones above rarely match long ones.
func FuzzPattern(f *testing.F) {
	f.Add("*.jpg", "a/b.jpg")
	f.Add("/a/**/{b,c*}/[!x-z]?", "a/b/c/d")
	f.Add(`\[*\]`, "[x]")
	f.Add("{a,{b,c}}/", "c/d")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 40 || len(name) > 40 {
			return
		}
		var b filter.Builder
		if b.Include(pattern, "") != nil {
			return
		}
		s, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		have := s.MatchName(name).In
		if strings.Count(pattern, "*") > 6 || strings.Count(pattern, ",") > 6 || strings.ContainsAny(pattern, star+deep) {
			return // takes the naive way too long, or means something else to it
		}
		if want := naive(meaning(pattern), name); have != want {
			t.Errorf("%q matches %q: %t, want %t", pattern, name, have, want)
		}
		if i := strings.LastIndexByte(name, '/'); have && (!s.Dir(name[:i+1]) || !s.Dir("")) {
			t.Errorf("%q matches %q, whose folder is not to be listed", pattern, name)
		}
	})
}
