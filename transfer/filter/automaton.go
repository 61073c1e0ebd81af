package filter

import (
	"math/bits"
	"slices"
	"unicode/utf8"
)

// automaton decides whether a pattern matches. It has one position for each
// element that takes characters, and from each the set of those that may take
// the next (Glushkov's construction). All ways through it are gone at once, so
// that the time is that of the name's length times the number of positions open
// at once, whatever the pattern; nothing is tried twice.
type automaton struct {
	positions []position
	words     int    // of a set
	first     set    // open at the beginning
	follow    []span // open after a position took a character
}

// position is one element that takes a character.
type position struct {
	kind    kind
	negated bool
	r       rune
	ranges  []runeRange
}

type kind uint8

const (
	isRune  kind = iota // r
	isOne               // ?
	isStar              // *
	isDeep              // **
	isClass             // [a-z]
)

type runeRange struct{ lo, hi rune }

// takes reports whether p takes the character r.
func (p *position) takes(r rune) bool {
	switch p.kind {
	case isRune:
		return r == p.r
	case isDeep:
		return true
	case isClass:
		if r == '/' {
			return false
		}
		for _, rr := range p.ranges {
			if rr.lo <= r && r <= rr.hi {
				return !p.negated
			}
		}
		return p.negated
	}
	return r != '/'
}

// set is a set of positions. The number after the last position stands for the
// end of the pattern.
type set []uint64

func (s set) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s set) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

func (s set) or(other set) {
	for i, w := range other {
		s[i] |= w
	}
}

// span is a set without the empty words at both ends: few positions follow one.
type span struct {
	at    int // the set's word that words begins with
	words set
}

func (s set) span() span {
	at := 0
	for at < len(s)-1 && s[at] == 0 {
		at++
	}
	end := len(s)
	for end > at+1 && s[end-1] == 0 {
		end--
	}
	return span{at, s[at:end]}
}

func (s span) has(i int) bool {
	w := i/64 - s.at
	return w >= 0 && w < len(s.words) && s.words[w]&(1<<(i%64)) != 0
}

func (s set) empty() bool {
	for _, w := range s {
		if w != 0 {
			return false
		}
	}
	return true
}

// all yields the members that are positions.
func (s set) all(yield func(int) bool) {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			if !yield(i*64 + bits.TrailingZeros64(w)) {
				return
			}
		}
	}
}

// maxWords is that of the longest pattern: what stands before a pattern without
// a root, and the end, have positions too.
const maxWords = (maxPattern+4)/64 + 1

// match reports whether the automaton takes the whole of name.
func (a *automaton) match(name string) bool {
	if a.words == 1 {
		return a.run(name)>>len(a.positions)&1 != 0
	}
	var buf [2 * maxWords]uint64
	return a.runLong(name, &buf).has(len(a.positions))
}

// run is the set of positions open after name, of an automaton of one word.
func (a *automaton) run(name string) uint64 {
	open := a.first[0]
	end := uint64(1) << len(a.positions)
	for len(name) > 0 && open != 0 {
		r, size := character(name)
		name = name[size:]
		var next uint64
		for w := open &^ end; w != 0; w &= w - 1 {
			i := bits.TrailingZeros64(w)
			if a.positions[i].takes(r) {
				next |= a.follow[i].words[0]
			}
		}
		open = next
	}
	return open
}

// runLong is run for any number of words. The result is a part of buf.
func (a *automaton) runLong(name string, buf *[2 * maxWords]uint64) set {
	open, next := set(buf[:a.words]), set(buf[maxWords:maxWords+a.words])
	copy(open, a.first)
	for len(name) > 0 && !open.empty() {
		r, size := character(name)
		name = name[size:]
		clear(next)
		for j, w := range open {
			for ; w != 0; w &= w - 1 {
				i := j*64 + bits.TrailingZeros64(w)
				if i < len(a.positions) && a.positions[i].takes(r) {
					next[a.follow[i].at:].or(a.follow[i].words)
				}
			}
		}
		open, next = next, open
	}
	return open
}

// below tells what the automaton makes of the names that begin with prefix:
// whether it may take some of them, and whether it surely takes all.
func (a *automaton) below(prefix string) (some, all bool) {
	var buf [2 * maxWords]uint64
	open := a.runLong(prefix, &buf)
	for i := range open.all {
		if a.takesAll(i) {
			return true, true
		}
		some = true
	}
	return some, false
}

// takesAll reports whether position i, once open, lets every name match.
func (a *automaton) takesAll(i int) bool {
	end := len(a.positions)
	return i < end && a.positions[i].kind == isDeep && a.follow[i].has(end)
}

// character is the first character of name and its length in bytes. A byte that
// is not part of UTF-8 is a character of its own, and no rune.
func character(name string) (rune, int) {
	if b := name[0]; b < utf8.RuneSelf {
		return rune(b), 1
	}
	r, size := utf8.DecodeRuneInString(name)
	if r == utf8.RuneError && size == 1 {
		return utf8.MaxRune + 1 + rune(name[0]), 1
	}
	return r, size
}

// fragment is a part of an automaton under construction.
type fragment struct {
	first, last set  // positions at its beginning and end
	nullable    bool // matches nothing, too
}

func (c *compiler) set() set { return make(set, c.words) }

func (c *compiler) empty() fragment {
	return fragment{first: c.set(), last: c.set(), nullable: true}
}

// one is the fragment of a new position.
func (c *compiler) one(p position) fragment {
	i := len(c.positions)
	c.positions = append(c.positions, p)
	c.follow = append(c.follow, c.set())
	f := fragment{first: c.set(), last: c.set()}
	f.first.add(i)
	f.last.add(i)
	return f
}

// star is the fragment of a new position that takes any number of characters.
func (c *compiler) star(k kind) fragment {
	f := c.one(position{kind: k})
	c.join(&f, f)
	f.nullable = true
	return f
}

// join appends b to a.
func (c *compiler) join(a *fragment, b fragment) {
	for i := range a.last.all {
		c.follow[i].or(b.first)
	}
	if a.nullable {
		a.first.or(b.first)
	}
	if b.nullable {
		a.last.or(b.last)
	} else {
		copy(a.last, b.last)
	}
	a.nullable = a.nullable && b.nullable
}

// finish makes the automaton of the whole pattern.
func (c *compiler) finish(whole fragment) automaton {
	end := len(c.positions)
	for i := range whole.last.all {
		c.follow[i].add(end)
	}
	if whole.nullable {
		whole.first.add(end)
	}
	a := automaton{positions: c.positions, words: end/64 + 1, follow: make([]span, end)}
	a.first = slices.Clone(whole.first[:a.words])
	spans := make([]span, end)
	total := 0
	for i, s := range c.follow {
		spans[i] = s[:a.words].span()
		total += len(spans[i].words)
	}
	words := make(set, 0, total) // together, and no longer than need be
	for i, s := range spans {
		words = append(words, s.words...)
		a.follow[i] = span{s.at, words[len(words)-len(s.words):]}
	}
	return a
}
