package main

import (
	"slices"
	"strings"
	"testing"
)

func TestSplitLine(t *testing.T) {
	for text, want := range map[string][]string{
		"":                             nil,
		"  # all":                      nil,
		"cp a b":                       {"cp", "a", "b"},
		"cp\ta  b \r":                  {"cp", "a", "b"},
		`cp 'a b' "c d"`:               {"cp", "a b", "c d"},
		`cp a\ b 'c'"d"e ''`:           {"cp", "a b", "cde", ""},
		`cp "a\"b" "c\d" 'e\f' "\\"`:   {"cp", `a"b`, `c\d`, `e\f`, `\`},
		`cp oss://b/k#1 # and no more`: {"cp", "oss://b/k#1"},
		`cp $HOME * ~`:                 {"cp", "$HOME", "*", "~"},
		`cp a\`:                        {"cp", `a\`},
	} {
		if got, err := splitLine(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{`'a`, `"a`, `a"b\"`} {
		if got, err := splitLine(text); err == nil {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func FuzzSplitLine(f *testing.F) {
	f.Add(`cp 'a b' "c" \d # e`)
	f.Fuzz(func(t *testing.T, text string) {
		args, err := splitLine(text)
		if err != nil {
			return
		}
		var line strings.Builder
		for _, a := range args {
			line.WriteString(" '" + quoteForTest(a) + "'")
		}
		if again, err := splitLine(line.String()); err != nil || !slices.Equal(again, args) {
			t.Errorf("%q becomes %q, %v", args, again, err)
		}
	})
}

// quoteForTest is the inside of '…'.
func quoteForTest(s string) string {
	var out strings.Builder
	for i := range len(s) {
		if s[i] == '\'' {
			out.WriteString(`'\''`)
		} else {
			out.WriteString(s[i : i+1])
		}
	}
	return out.String()
}

func TestWorse(t *testing.T) {
	for _, test := range [][3]int{{0, 4, 4}, {4, 2, 2}, {2, 4, 2}, {6, 5, 5}, {0, 0, 0}, {1, 10, 1}, {9, 0, 9}} {
		if got := worse(test[0], test[1]); got != test[2] {
			t.Errorf("worse(%d, %d) = %d", test[0], test[1], got)
		}
	}
}
