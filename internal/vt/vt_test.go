package vt_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/osssync/osssync/internal/vt"
)

func TestTerminal(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     []string
	}{
		{"lines", "a\r\nb\r\n", []string{"a", "b"}},
		{"no return", "a\nb", []string{"a", " b"}},
		{"over", "abc\rx", []string{"xbc"}},
		{"up", "a\r\nb\r\n\x1b[2AX", []string{"X", "b"}},
		{"up too far", "a\r\n\x1b[9AX", []string{"X"}},
		{"rest of the line", "abc\rx\x1b[K", []string{"x"}},
		{"rest of the screen", "a\r\nb\r\nc\r\n\x1b[2A\x1b[J", []string{"a"}},
		{"wraps", "0123456789ab", []string{"0123456789", "ab"}},
		{"is cut", "\x1b[?7l0123456789ab\x1b[?7h\r\nc", []string{"012345678b", "c"}},
		{"wide", "漢字", []string{"漢字"}},
		{"wide wraps", "012345678漢", []string{"012345678", "漢"}},
		{"combining", "e\u0301x", []string{"e\u0301x"}},
		{"scrolls", "1\r\n2\r\n3\r\n4\r\n5", []string{"2", "3", "4", "5"}},
		{"colours", "\x1b[31mred\x1b[0m", []string{"red"}},
		{"cut in two", "ab\x1b[", []string{"ab"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, whole := range []bool{true, false} {
				term := vt.New(10, 4)
				if whole {
					_, _ = term.Write([]byte(tc.in))
				} else {
					for i := range len(tc.in) {
						_, _ = term.Write([]byte{tc.in[i]})
					}
				}
				if have := term.Screen(); !slices.Equal(have, tc.want) {
					t.Errorf("whole %t: have %q, want %q", whole, have, tc.want)
				}
			}
		})
	}
}

func TestResize(t *testing.T) {
	term := vt.New(20, 5)
	_, _ = term.Write([]byte("0123456789\r\nabc\r\n"))
	term.Resize(4, 5)
	if have, want := term.Screen(), []string{"4567", "89", "abc"}; !slices.Equal(have, want) && !slices.Equal(have, append([]string{"0123"}, want...)) {
		t.Errorf("have %q", have)
	}
	_, _ = term.Write([]byte("\x1b[1Ax"))
	term.Resize(20, 5)
	if have, want := term.All(), []string{"0123456789", "xbc"}; !slices.Equal(have, want) {
		t.Errorf("have %q, want %q", have, want)
	}
}

func FuzzTerminal(f *testing.F) {
	f.Add("a\x1b[2Ab\x1b[K漢\xff\x1b]0;x\a", 3, 2, 1, 7)
	f.Fuzz(func(t *testing.T, in string, cols, rows, cols2, rows2 int) {
		small := func(n int) int { return n % 100 }
		term := vt.New(small(cols), small(rows))
		_, _ = term.Write([]byte(in))
		term.Resize(small(cols2), small(rows2))
		_, _ = term.Write([]byte(in))
		if strings.Contains(strings.Join(term.All(), ""), "\x1b") {
			t.Error("an escape character is on the screen")
		}
	})
}
