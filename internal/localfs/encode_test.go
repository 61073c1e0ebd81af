package localfs

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestEncodeName(t *testing.T) {
	temp := TempName("seed")
	tests := []struct{ name, key, unix, windows string }{
		{"plain", "a/b.txt", "a/b.txt", "a/b.txt"},
		{"empty inside", "a//b", "a/%/b", "a/%/b"},
		{"slash in front", "/a", "%/a", "%/a"},
		{"slashes", "//", "%/%/%", "%/%/%"},
		{"dot", "a/./b", "a/%2E/b", "a/%2E/b"},
		{"up", "../a", "%2E%2E/a", "%2E%2E/a"},
		{"three dots", "...", "...", "..%2E"},
		{"temporary", temp, "%2E" + temp[1:], "%2E" + temp[1:]},
		{"nul, which no key has", "a%00", "a%00", "a%00"},
		{"a file's name that is not utf-8", "a%FFé", "a\xffé", "a\xffé"},
		{"the same with escapes", "a%FF%2541", "a\xff%41", "a\xff%41"},
		{"what is escaped like it", "a%25FF", "a%FF", "a%FF"},
		{"twice", "a%2525FF", "a%25FF", "a%25FF"},
		{"not utf-8, and nul", "%FF%00", "%FF%00", "%FF%00"},
		{"not utf-8, and no file's", "x%FF/..", "x\xff/%2E%2E", "x\xff/%2E%2E"},
		{"an escape of utf-8", "%C3%A9", "%C3%A9", "%C3%A9"},
		{"a percent alone", "%", "%", "%"},
		{"a percent as a folder", "%/a", "%25/a", "%25/a"},
		{"a percent in a folder", "a/%", "a/%25", "a/%25"},
		{"an escaped percent", "%25", "%25", "%25"},
		{"a percent", "100%", "100%", "100%"},
		{"no escape", "a%20b%2Fc", "a%20b%2Fc", "a%20b%2Fc"},
		{"an escape", "%2E%2E", "%252E%252E", "%252E%252E"},
		{"an escape of an escape", "%252E%252E", "%25252E%25252E", "%25252E%25252E"},
		{"an escape with another", "%2E%20", "%2E%20", "%2E%20"},
		{"trailing dot", "a.", "a.", "a%2E"},
		{"trailing space", "a /b", "a /b", "a%20/b"},
		{"trailing escape", "a%20", "a%20", "a%2520"},
		{"colon", "a:b?", "a:b?", "a%3Ab%3F"},
		{"control", "a\tb", "a\tb", "a%09b"},
		{"device", "con.txt", "con.txt", "%63on.txt"},
		{"device in a folder", "x/LPT\u00b9 .a/b", "x/LPT\u00b9 .a/b", "x/%4CPT\u00b9 .a/b"},
		{"nearly a device", "COM", "COM", "COM"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for rules, want := range map[nameRules]string{{}: tt.unix, {windows: true}: tt.windows} {
				got := rules.mapKey(tt.key, nameRules.encode)
				if got != want {
					t.Errorf("%+v: got %q, want %q", rules, got, want)
				}
				if back := rules.mapKey(got, nameRules.decode); back != tt.key {
					t.Errorf("%+v: %q comes back as %q", rules, got, back)
				}
			}
		})
	}
}

// Every key comes back from its path, every path from its key, and whatever a
// key is made of can be a file: what has an inverse maps no two to one.
func TestEncodeIsReversible(t *testing.T) {
	piece := rapid.SampledFrom([]string{
		"%", "%2", "%2E", "%25", "%2e", "2E", "25", "E", ".", "..", " ", "/", "a", "C", "CON", "COM1", "nul", ":", "\\", "\x00", "\x1f", "\xff", "é", "%FF", "%25FF", "%00", "%C3%A9", "\xc3", "\xa9", "%C3", "/",
		TempName("x"), TempName("x")[:1], TempName("x")[1:],
	})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(piece, 1, 8).Draw(t, "key"), "")
		for _, rules := range []nameRules{{}, {windows: true}} {
			checkName(t, rules, text)
		}
	})
}

func FuzzEncodeKey(f *testing.F) {
	for _, key := range []string{"a", "a//b", "..", "%2E%2E", "%252E", "%", "CON", "a:b ", "\xff", "%FF"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if len(key) > 1<<12 {
			return
		}
		for _, rules := range []nameRules{{}, {windows: true}} {
			checkName(t, rules, key)
		}
	})
}

func checkName(t interface {
	Helper()
	Fatalf(string, ...any)
}, rules nameRules, key string,
) {
	t.Helper()
	if key == "" {
		return // it is none
	}
	if !utf8.ValidString(key) || strings.IndexByte(key, 0) >= 0 {
		checkFile(t, rules, key)
		return // it is none
	}
	path := rules.mapKey(key, nameRules.encode)
	raw := rules
	raw.raw = true
	for name := range strings.SplitSeq(path, "/") {
		if reason := raw.reason(name); reason != "" {
			t.Fatalf("%+v: %q is made %q, which %s", rules, key, path, reason)
		}
	}
	if back := rules.mapKey(path, nameRules.decode); back != key {
		t.Fatalf("%+v: %q is made %q, which comes back as %q", rules, key, path, back)
	}
	checkFile(t, rules, key)
}

// checkFile checks path as that of a file, if one can have it.
func checkFile(t interface {
	Helper()
	Fatalf(string, ...any)
}, rules nameRules, path string,
) {
	t.Helper()
	raw := rules
	raw.raw = true
	for name := range strings.SplitSeq(path, "/") {
		if raw.reason(name) != "" {
			return
		}
	}
	key := rules.mapKey(path, nameRules.decode)
	if !utf8.ValidString(key) {
		t.Fatalf("%+v: the file %q gets %q, which is not UTF-8", rules, path, key)
	}
	if back := rules.mapKey(key, nameRules.encode); back != path {
		t.Fatalf("%+v: the file %q comes back as %q", rules, path, back)
	}
}
