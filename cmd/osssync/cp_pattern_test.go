package main

import (
	"testing"

	"github.com/osssync/osssync/transfer/filter"
)

// A pattern of cp lets in what the same one of ls and rm does.
func TestFilterPattern(t *testing.T) {
	keys := []string{
		"a", "b", "ab", "a/b", "a/b/c", "a/x/b", "a/x/y/b", "x/a", "x/y/a", "x/y/a/b", "2024-01/x1.csv", "2024-01/x/x1.csv", "[a]", "a*b", "a,b", "{", "a/", "漢/字",
	}
	for _, pattern := range []string{
		"*", "**", "?", "a*", "a/*", "a/**", "**/a", "**/b", "a/**/b", "**/a/**", "**/x/**/b", "[ab]", "[!a]", "{a,b}", "{a,x}/*", "2024-*/x?.csv", "*/*", `\[a\]`, `a\*b`, "a?b", "漢/?",
	} {
		for _, recursive := range []bool{false, true} {
			text, want := filterPattern(pattern), matches
			if recursive {
				text, want = withBelow(text), covers
			}
			var b filter.Builder
			if err := b.Include(text, "test"); err != nil {
				t.Errorf("%s: %v", pattern, err)
				continue
			}
			set, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range keys {
				if have := set.MatchName(key).In; have != want(pattern, key) {
					t.Errorf("%s as %s (recursive %t): %q is in: %t, want %t", pattern, text, recursive, key, have, !have)
				}
			}
		}
	}
}
