package filter_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/osssync/osssync/transfer/filter"
)

// hundred is a hundred rules as people write them.
func hundred() string {
	var rules strings.Builder
	for i := range 20 {
		fmt.Fprintf(&rules, "- *.tmp%d\n- cache%d/\n- /var/run%d/**\n- ~*.bak%d\n- /home/*/dir%d/*.{o,a,so}\n", i, i, i, i, i)
	}
	return rules.String()
}

func BenchmarkMatch(b *testing.B) {
	many := hundred()
	for _, bc := range []struct{ name, rules, key string }{
		{"rules=1/suffix", "- *.tmp", "photos/2026/03/10/IMG_20260310_120000.jpg"},
		{"rules=1/folder", "- node_modules/", "src/web/node_modules/left-pad/index.js"},
		{"rules=100/none", many, "photos/2026/03/10/IMG_20260310_120000.jpg"},
		{"rules=100/last", many, "home/me/dir19/x.so"},
		{"rules=100/deep", many, "home/" + strings.Repeat("a/", 400) + "x.so"},
		{"rules=1/hostile", "- " + strings.Repeat("*a", 100) + "[bc]", strings.Repeat("a", 1000)},
		{"rules=1/longest", "- " + strings.Repeat("*a", 2045) + "[bc]", strings.Repeat("a", 1000)},
		{"rules=1/nested", "- /" + strings.Repeat("{a,", 30) + "a" + strings.Repeat("}*", 30) + "[bc]", strings.Repeat("a", 1000)},
	} {
		s := build(b, filter.Builder{}, bc.rules)
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.MatchName(bc.key)
			}
		})
	}
}

func BenchmarkDir(b *testing.B) {
	s := build(b, filter.Builder{}, hundred()+"+ /photos/**/*.jpg\n- *\n")
	b.ReportAllocs()
	for b.Loop() {
		s.Dir("photos/2026/03/10")
	}
}

func BenchmarkBuild(b *testing.B) {
	rules := hundred()
	b.ReportAllocs()
	for b.Loop() {
		build(b, filter.Builder{}, rules)
	}
}

func BenchmarkReadNames(b *testing.B) {
	var list bytes.Buffer
	if err := millions(&list); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(list.Len()))
	b.ReportAllocs()
	for b.Loop() {
		var n filter.Names
		if err := n.Read(bytes.NewReader(list.Bytes()), "list", false); err != nil {
			b.Fatal(err)
		}
		build(b, filter.Builder{Names: &n}, "")
	}
}
