package main

import (
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestPatterns(t *testing.T) {
	for _, tc := range []struct {
		pattern, key    string
		matches, covers bool
	}{
		{"a/*", "a/b", true, true},
		{"a/*", "a/b/c", false, true},
		{"a/*", "a/", true, true},
		{"a/*", "ab", false, false},
		{"a/*/", "a/b", false, false},
		{"a/*/", "a/b/", true, true},
		{"a/*/", "a/b/c", false, true},
		{"2024-*/x?.csv", "2024-01/x1.csv", true, true},
		{"2024-*/x?.csv", "2024-01/y/x1.csv", false, false},
		{"2024-*/x?.csv", "2024-01/x1.csv/z", false, true},
		{"**/*.csv", "x.csv", true, true},
		{"**/*.csv", "a/b/x.csv", true, true},
		{"**", "a/b", true, true},
		{"a/**", "a", false, false},
		{"*/**", "a", false, false},
		{"*/**", "a/b/c", true, true},
		{"a/**", "a/", true, true},
		{"**/", "a", false, false},
		{"**/", "a/b", false, true},
		{"{a,b}/[0-9]", "b/7", true, true},
		{"{a,b}/[0-9]", "c/7", false, false},
		{`a\*?`, "a*b", true, true},
		{`a\*?`, "axb", false, false},
		{"a//?", "a//b", true, true},
		{"?", "ü", true, true},
	} {
		t.Run(tc.pattern+" "+tc.key, func(t *testing.T) {
			if !isPattern(tc.pattern) {
				t.Errorf("%q is no pattern", tc.pattern)
			}
			if have := matches(tc.pattern, tc.key); have != tc.matches {
				t.Errorf("matches is %v", have)
			}
			if have := covers(tc.pattern, tc.key); have != tc.covers {
				t.Errorf("covers is %v", have)
			}
			if (tc.matches || tc.covers) && !strings.HasPrefix(tc.key, literalPrefix(tc.pattern)) {
				t.Errorf("a listing of %q misses it", literalPrefix(tc.pattern))
			}
		})
	}
	for _, name := range []string{"", "a/b", "a{b", "a[b", `a\b`, "[", "{a,b"} {
		if isPattern(name) {
			t.Errorf("%q is taken for a pattern", name)
		}
	}
}

// TestLiteralPrefix holds what is listed against what is covered: nothing that
// a pattern covers may lie outside.
func TestLiteralPrefix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alphabet := rapid.SampledFrom([]string{"a", "b", "/", "*", "**", "?", "[ab]", "{a,b}", `\*`, "/**/", "/**"})
		pattern := strings.Join(rapid.SliceOfN(alphabet, 0, 5).Draw(t, "pattern"), "")
		key := rapid.StringMatching(`[ab/*]{1,6}`).Draw(t, "key")
		if isPattern(pattern) && covers(pattern, key) && !strings.HasPrefix(key, literalPrefix(pattern)) {
			t.Errorf("%q covers %q, which does not begin with %q", pattern, key, literalPrefix(pattern))
		}
	})
}

func TestPasteable(t *testing.T) {
	for in, want := range map[string]string{
		"oss://b/k": "oss://b/k",
		"a b":       "a b",
		"it's":      "it's",
		"a\nb":      `$'a\012b'`,
		"\x1b[2J":   `$'\033[2J'`,
		"\u202e'\\": `$'\342\200\256\'\\'`,
		"\xff7ü":    `$'\3777ü'`,
		"\ufffd\n":  "$'\ufffd\\012'",
		"":          "",
	} {
		if have := pasteable(in); have != want {
			t.Errorf("pasteable(%q) = %s, want %s", in, have, want)
		}
	}
}

// TestPasteableInAShell reads back what was printed. Blanks and the like are
// left to whoever pastes.
func TestPasteableInAShell(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	var all, words strings.Builder
	for b := 1; b < 256; b++ {
		s := "x" + string([]byte{byte(b)}) + "7\n"
		all.WriteString(s + "|")
		words.WriteString(" " + pasteable(s) + "'|'")
	}
	out, err := exec.Command(bash, "-c", "printf %s"+strings.ReplaceAll(words.String(), "'|' ", "'|'")).Output()
	if err != nil || string(out) != all.String() {
		t.Errorf("read back as %q, want %q: %v", out, all.String(), err)
	}
}

// On a terminal a name is one word of a shell, whatever is in it.
func TestShellName(t *testing.T) {
	for in, want := range map[string]string{
		"oss://b/k-ü.txt": "oss://b/k-ü.txt",
		"a b":             "'a b'",
		"it's $x":         `'it'\''s $x'`,
		"s*.txt":          "'s*.txt'",
		"a\nb":            `$'a\012b'`,
		"":                "''",
	} {
		if have := shellName(in); have != want && runtime.GOOS != "windows" {
			t.Errorf("shellName(%q) = %s, want %s", in, have, want)
		}
	}
}
