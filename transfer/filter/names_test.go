package filter_test

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/osssync/osssync/transfer/filter"
)

func TestReadNames(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		raw        bool
		want       []string
	}{
		{"empty", "", false, nil},
		{"lines", "b\na\n\nb\n", false, []string{"a", "b"}},
		{"no end", "a", false, []string{"a"}},
		{"windows", "\ufeffa b\r\nc\r\n", false, []string{"a b", "c"}},
		{"comments", "# x\n  # y\na#b\n;c\n", false, []string{";c", "a#b"}},
		{"blanks", "  a b \t\n", false, []string{"a b"}},
		{"from the root", "./a\n/b\n.//./c\n././/\n.d\n../e\n", false, []string{"../e", ".d", "a", "b", "c"}},
		{"raw", "\ufeffa \r\n# b\n\n./c\n", true, []string{"# b", "./c", "\ufeffa \r"}},
		{"nul", "a\nb\x00 # c \x00\x00./d", false, []string{" # c ", "a\nb", "d"}},
		{"raw nul", "./a\x00#\r\x00", true, []string{"#\r", "./a"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var n filter.Names
			if err := n.Read(iotest.OneByteReader(strings.NewReader(tc.text)), "list", tc.raw); err != nil {
				t.Fatal(err)
			}
			s := build(t, filter.Builder{Names: &n}, "")
			if have := s.Roll().End(); !slices.Equal(have, tc.want) {
				t.Errorf("have %q, want %q", have, tc.want)
			}
		})
	}
}

func FuzzReadNames(f *testing.F) {
	f.Add("a\r\n./b\n#c\n", false)
	f.Add("a\x00\n\x00", true)
	f.Fuzz(func(t *testing.T, text string, raw bool) {
		var n filter.Names
		if err := n.Read(strings.NewReader(text), "list", raw); err != nil {
			return
		}
		s := build(t, filter.Builder{Names: &n}, "")
		list := s.Roll().End()
		if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
			t.Errorf("%q: %q has no order", text, list)
		}
		for _, name := range list {
			if name == "" || !strings.Contains(text, name) || !s.MatchName(name).In || !raw && strings.HasPrefix(name, "/") {
				t.Errorf("%q: %q is no name of it", text, name)
			}
		}
	})
}

func TestReadNamesErrors(t *testing.T) {
	var n filter.Names
	if err := n.Read(strings.NewReader("\xff\xfea\x00"), "list", false); !errors.Is(err, filter.ErrUTF16) {
		t.Errorf("error is %v", err)
	}
	if err := n.Read(iotest.ErrReader(io.ErrClosedPipe), "list", false); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error is %v", err)
	}
}

func TestNamesLimit(t *testing.T) {
	var n filter.Names
	for _, list := range []string{"one", "two"} {
		if err := n.Read(strings.NewReader("d/"+list), list+".txt", false); err != nil {
			t.Fatal(err)
		}
	}
	n.Add("d/x.tmp")
	n.Add("f/x.tmp")
	s := build(t, filter.Builder{Names: &n}, "- *.tmp")
	for name, want := range map[string]string{
		"d/one":   "in: on the list (one.txt, two.txt)",
		"d/three": "out: not on the list (one.txt, two.txt)",
		"d":       "out: not on the list (one.txt, two.txt)",
		"d/x.tmp": "out: - *.tmp (rules:1)",
	} {
		if have := s.MatchName(name).String(); have != want {
			t.Errorf("%s: %s, want %s", name, have, want)
		}
	}
	for dir, want := range map[string]bool{"": true, "d": true, "d/one": false, "c": false, "e": false, "f": false} {
		if s.Dir(dir) != want {
			t.Errorf("Dir(%q) is not %t", dir, want)
		}
	}
	if have := build(t, filter.Builder{Names: &filter.Names{}}, ""); have.Dir("") || have.MatchName("a").In {
		t.Error("an empty list lets something in")
	}
}

func TestRoll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.SliceOf(rapid.StringOfN(rapid.SampledFrom([]rune("ab/")), 1, 3, -1))
		listed, present := some.Draw(t, "listed"), some.Draw(t, "present")
		var b filter.Builder
		b.Names = &filter.Names{}
		for _, name := range listed {
			b.Names.Add(name)
		}
		if err := b.Exclude("a/", ""); err != nil {
			t.Fatal(err)
		}
		s, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(present)
		roll := s.Roll()
		var have []string
		for _, name := range present {
			have = append(have, roll.Pass(name)...)
		}
		have = append(have, roll.End()...)
		var want []string
		for _, name := range listed {
			if !slices.Contains(present, name) && !strings.HasPrefix(name, "a/") && !strings.Contains(name, "/a/") {
				want = append(want, name)
			}
		}
		slices.Sort(want)
		if want = slices.Compact(want); !slices.Equal(have, want) {
			t.Fatalf("missing are %q, want %q", have, want)
		}
	})
}

// millions is a list of two million names in no order, a quarter of which are
// there twice.
func millions(w io.Writer) error {
	b := bufio.NewWriterSize(w, 1<<20)
	for i := range 2_000_000 {
		n := i * 7_368_787 % 1_500_000
		line := append([]byte("photos/2026/"), strconv.Itoa(n%1000)...)
		line = append(line, "/image-with-a-longish-name-"...)
		line = append(strconv.AppendInt(line, int64(n), 10), ".jpg\r\n"...)
		if _, err := b.Write(line); err != nil {
			return err
		}
	}
	return b.Flush()
}

func TestMillionsOfNames(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	r, w := io.Pipe()
	go func() { w.CloseWithError(millions(w)) }()
	var n filter.Names
	if err := n.Read(r, "list", false); err != nil {
		t.Fatal(err)
	}
	s := build(t, filter.Builder{Names: &n}, "")
	if have := len(s.Roll().End()); have != 1_500_000 {
		t.Errorf("%d names", have)
	}
	if !s.MatchName("photos/2026/1/image-with-a-longish-name-1001.jpg").In || s.MatchName("photos/2026/1/image-with-a-longish-name-1002.jpg").In {
		t.Error("not the names that were listed")
	}
	if !s.Dir("photos/2026/999") || s.Dir("photos/2026/1000") {
		t.Error("not the folders of the names that were listed")
	}
}
