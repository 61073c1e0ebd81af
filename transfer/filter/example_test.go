package filter_test

import (
	"fmt"
	"strings"

	"github.com/osssync/osssync/transfer/filter"
)

func Example() {
	const rules = `
# photos, but no previews
- thumbs/
+ *.{jpg,raw}
- **
`
	b := filter.Builder{MinSize: 1}
	if err := b.Read(strings.NewReader(rules), filter.Filters, "photos.rules"); err != nil {
		fmt.Println(err)
		return
	}
	set, err := b.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(set.Match("2026/a.jpg", filter.Info{Size: 4096}))
	fmt.Println(set.Match("2026/empty.jpg", filter.Info{Size: 0}))
	fmt.Println(set.Match("2026/thumbs/a.jpg", filter.Info{Size: 4096}))
	fmt.Println(set.Match("2026/notes.txt", filter.Info{Size: 4096}))
	fmt.Println("look into 2026:", set.Dir("2026"))
	fmt.Println("look into 2026/thumbs:", set.Dir("2026/thumbs"))
	// Output:
	// in: + *.{jpg,raw} (photos.rules:4)
	// out: smaller than 1 bytes (--min-size)
	// out: - thumbs/ (photos.rules:3)
	// out: - ** (photos.rules:5)
	// look into 2026: true
	// look into 2026/thumbs: false
}

// The patterns of the package comment.
func Example_patterns() {
	for _, line := range []string{
		"*.jpg      a.jpg x/y/a.jpg a.jpg/b",
		"/*.jpg     a.jpg x/a.jpg",
		"tmp/       tmp/a x/tmp/y/b tmp",
		"/tmp/      tmp/a tmp/y/b x/tmp/a",
		"/a/*       a/b a/b/c",
		"/a/**/z    a/b/z a/b/c/z a/z",
		"*.{gz,xz}  a.gz x/a.xz",
		"/20[12]?/  2019/a 2024/x/b 2034/a",
		`\[a\]*     [a] x/[a]b a`,
	} {
		fields := strings.Fields(line)
		var b filter.Builder
		if err := b.Include(fields[0], "--include"); err != nil {
			fmt.Println(err)
			continue
		}
		set, err := b.Build()
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Print(fields[0], ":")
		for _, name := range fields[1:] {
			not := ""
			if !set.MatchName(name).In {
				not = "not "
			}
			fmt.Print(" ", not, name)
		}
		fmt.Println()
	}
	// Output:
	// *.jpg: a.jpg x/y/a.jpg not a.jpg/b
	// /*.jpg: a.jpg not x/a.jpg
	// tmp/: tmp/a x/tmp/y/b not tmp
	// /tmp/: tmp/a tmp/y/b not x/tmp/a
	// /a/*: a/b not a/b/c
	// /a/**/z: a/b/z a/b/c/z not a/z
	// *.{gz,xz}: a.gz x/a.xz
	// /20[12]?/: 2019/a 2024/x/b not 2034/a
	// \[a\]*: [a] x/[a]b not a
}

// Names that a list has and the source does not.
func ExampleSet_Roll() {
	var names filter.Names
	if err := names.Read(strings.NewReader("# weekly\na.txt\nc.txt\nz.txt\n"), "weekly.lst", false); err != nil {
		fmt.Println(err)
		return
	}
	b := filter.Builder{Names: &names}
	set, err := b.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	roll := set.Roll()
	for _, name := range []string{"a.txt", "b.txt", "d.txt"} { // the source, in byte order
		for _, missing := range roll.Pass(name) {
			fmt.Println("missing", missing)
		}
		fmt.Println(name, set.MatchName(name).In)
	}
	for _, missing := range roll.End() {
		fmt.Println("missing", missing)
	}
	// Output:
	// a.txt true
	// b.txt false
	// missing c.txt
	// d.txt false
	// missing z.txt
}
