package lister

import (
	"math/bits"
	"strings"
	"unicode/utf8"

	"github.com/osssync/osssync/oss"
)

// maxKey is the most bytes of a key, and of what a listing may start after
// (OSS, "Object naming conventions").
const maxKey = 1023

// learnEvery is which keys of a page the alphabet learns from: each sixteenth
// shows almost all characters at a cost below that of comparing the keys.
const learnEvery = 16

// scale says how far some pages took us: from one key to another.
type scale struct {
	from, to string
	pages    float64
}

// trail is the way that the last pages took, in order. It spans the gaps between
// folders, which no page alone can see.
type trail struct {
	steps [16]scale
	n     int
}

func (t *trail) add(from, to string, pages float64) {
	t.steps[t.n%len(t.steps)] = scale{from, to, pages}
	t.n++
}

func (t *trail) scale() scale {
	if t.n == 0 {
		return scale{}
	}
	s := t.steps[max(0, t.n-len(t.steps))%len(t.steps)]
	s.to, s.pages = t.steps[(t.n-1)%len(t.steps)].to, 0
	for i := max(0, t.n-len(t.steps)); i < t.n; i++ {
		s.pages += t.steps[i%len(t.steps)].pages
	}
	return s
}

// cut is where a range could be cut for some pages.
type cut struct {
	known bool
	at    string // "": the range seems to end before that
}

// guess returns a key some pages ahead within r, "" if r seems to end before that.
func (l *listing) guess(r *keyRange, pages int) string {
	// The further guess is better: a range that turns out too long is cut
	// again, one that is too short has cost a request.
	own := l.alphabet.ahead(r.after, r.scale, float64(pages), len(l.Prefix))
	far := l.alphabet.ahead(r.after, l.trail.scale(), float64(pages), len(l.Prefix))
	if at := l.within(r, max(own, far)); at != "" {
		return at
	}
	if r.read == 0 {
		return ""
	}
	// One of them says that it ends before that. But what is twice as long by its
	// own pages is cut: the keys lie closer here than they did.
	if r.to != "" && r.read < stride &&
		l.within(r, l.alphabet.ahead(r.after, r.scale, 2*float64(pages), len(l.Prefix))) == "" {
		return ""
	}
	if at := l.within(r, min(own, far)); at != "" {
		return at
	}
	return l.within(r, l.alphabet.between(r.after, r.to, len(l.Prefix)))
}

// within is key if a range could be cut there, else "".
func (l *listing) within(r *keyRange, key string) string {
	if key <= r.after || r.to != "" && key >= r.to || len(key) > maxKey || !strings.HasPrefix(key, l.Prefix) || !utf8.ValidString(key) {
		return ""
	}
	return key
}

// behind is what a listing that has come to key goes on after: that, or the end of
// the outermost folder around it that is not wanted. That end sorts behind all that
// anybody has there; what might come after it is listed.
func (l *listing) behind(key string) string {
	if l.Enter == nil || !strings.HasPrefix(key, l.Prefix) {
		return key
	}
	for i := len(l.Prefix); i < len(key); i++ {
		if key[i] != '/' || l.Enter(key[:i+1]) {
			continue
		}
		if end := key[:i+1] + string(utf8.MaxRune); len(end) <= maxKey {
			return max(key, end)
		}
		break
	}
	return key
}

// alphabet is the characters that keys have at their places. It makes numbers of
// keys and keys of numbers: a key is a fraction whose digits are its characters,
// each in a base of what was seen at such a place. So what all keys
// have in common takes no room in a number. The order of numbers is that of
// the keys' bytes, for UTF-8 sorts as its code points do.
type alphabet struct {
	places  map[place]*digits
	letters [2]uint64 // all that were seen, as in digits
}

// place is where in a word a character stands, and what was in front of the word.
// Numbers have as many digits as others at their place, mostly.
type place struct {
	mark  rune // no letter or digit; 0 at the front of a key
	word  int  // at most maxWord
	index int
}

const (
	// maxWord is the last word that is told from those behind it.
	maxWord = 8

	// maxPlaces bounds what keys that were made for it could make us remember.
	maxPlaces = 1 << 12

	// learnAbove is how much of what all keys of a page have in common is
	// learned: where numbers go up to that do not fit.
	learnAbove = 16 // bytes
)

// next is the place behind r.
func (p place) next(r rune) place {
	if r < utf8.RuneSelf && !isAlphanumeric(r) {
		return place{mark: r, word: min(p.word+1, maxWord)}
	}
	p.index++
	return p
}

func isAlphanumeric(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

// behind is the place behind s.
func behind(s string) (p place) {
	for _, r := range s {
		p = p.next(r)
	}
	return p
}

// digits is the base of the digit at some place.
type digits struct {
	end       int       // 1 if a key may end here
	ascii     [2]uint64 // a bit for each character that is known
	n         int       // how many, with the end
	low, high rune      // the least and greatest of the others; 0 if none is known
}

// nothing is known of places where no key has been yet.
var nothing digits

func (a *alphabet) at(p place) *digits {
	if d := a.places[p]; d != nil {
		return d
	}
	return &nothing
}

// learn learns from a key, but for its first bytes.
func (a *alphabet) learn(key string, skip int) {
	p := behind(key[:skip])
	for _, r := range key[skip:] {
		a.add(p).learn(r, &a.letters)
		p = p.next(r)
	}
	d := a.add(p)
	d.n += 1 - d.end
	d.end = 1
}

// learnPage learns from some keys of a page.
func (a *alphabet) learnPage(page []oss.ObjectSummary) {
	if len(page) == 0 {
		return
	}
	first, last := page[0].Key, page[len(page)-1].Key
	skip := len(common(first, last))
	for above := max(0, skip-learnAbove); skip > above; {
		skip = before(first, skip)
	}
	for i := 0; i < len(page); i += learnEvery {
		a.learn(page[i].Key, skip)
	}
	a.learn(last, skip)
}

func (a *alphabet) add(p place) *digits {
	d := a.places[p]
	if d == nil {
		if a.places == nil {
			a.places = map[place]*digits{}
		}
		if len(a.places) == maxPlaces {
			clear(a.places)
		}
		d = &digits{}
		a.places[p] = d
	}
	return d
}

const (
	allDigits = 0x3ff << '0'
	lower     = 0x3ffffff << ('a' - 64)
	upper     = 0x3ffffff << ('A' - 64)
)

// learn adds r, and what will come at its place though it has not yet: keys come
// in order, so at the front of numbers and names all have the same at first.
func (d *digits) learn(r rune, letters *[2]uint64) {
	if r >= utf8.RuneSelf {
		low, high := r&^0xff, r|0xff
		if d.high > 0 {
			low, high = min(low, d.low), max(high, d.high)
		}
		d.low, d.high = low, high
		return
	}
	word, bit := r/64, uint64(1)<<(r%64)
	letters[word] |= bit
	switch {
	case '0' <= r && r <= '9':
		d.ascii[0] |= allDigits
	case word == 0:
		d.ascii[0] |= bit
	default:
		d.ascii[1] |= bit
		for _, class := range []uint64{lower, upper} {
			if seen := d.ascii[1] & class; seen&(seen-1) != 0 {
				d.ascii[1] |= letters[1] & class
			}
		}
	}
	d.n = d.end + bits.OnesCount64(d.ascii[0]) + bits.OnesCount64(d.ascii[1])
}

// others is how many digits stand for all characters beyond ASCII: with one for
// each, those of ASCII would be lost among them.
func (d *digits) others() float64 {
	if d.high == 0 {
		return 0
	}
	return float64(min(d.high-d.low+1, 64))
}

// base is the number of digits. The least stands for the end of a key.
func (d *digits) base() float64 { return float64(d.n) + d.others() }

// place is where r is among the digits, and its share of one.
func (d *digits) place(r rune) (at, width float64) {
	if r < utf8.RuneSelf {
		word, bit := r/64, uint64(1)<<(r%64)
		below := d.end + bits.OnesCount64(d.ascii[word]&(bit-1))
		if word == 1 {
			below += bits.OnesCount64(d.ascii[0])
		}
		return float64(below), float64(bits.OnesCount64(d.ascii[word] & bit))
	}
	if d.high == 0 {
		return d.base(), 0
	}
	width = d.others() / float64(d.high-d.low+1)
	return float64(d.n) + float64(min(max(r, d.low), d.high)-d.low)*width, width
}

// character is the one at a place, which is not that of the end.
func (d *digits) character(at float64) rune {
	if at >= float64(d.n) && d.high > 0 {
		r := min(d.low+rune((at-float64(d.n))*float64(d.high-d.low+1)/d.others()), d.high)
		if r >= 0xD800 && r < 0xE000 {
			return 0xE000 // the surrogates are no characters
		}
		return r
	}
	i := min(int(at), d.n-1) - d.end
	for word, seen := range d.ascii {
		if n := bits.OnesCount64(seen); i >= n {
			i -= n
			continue
		}
		for ; i > 0; i-- {
			seen &= seen - 1
		}
		return rune(word*64 + bits.TrailingZeros64(seen))
	}
	return 0
}

// finest is the least difference between numbers that is one.
const finest = 1e-15

// number is what follows the first p bytes of key, as a fraction.
func (a *alphabet) number(key string, p int) float64 {
	sum, unit, where := 0.0, 1.0, behind(key[:p])
	for _, r := range key[p:] {
		d := a.at(where)
		if d.n == 0 && d.high == 0 {
			break
		}
		at, width := d.place(r)
		sum += unit * at / d.base()
		if unit *= width / d.base(); unit < finest {
			break
		}
		where = where.next(r)
	}
	return sum
}

// text is head and behind it a short string whose number there is v, or below by
// less than about.
func (a *alphabet) text(head string, v, about float64) string {
	b := []byte(head)
	unit, where := 1.0, behind(head)
	for unit > max(about, finest) && len(b) <= maxKey {
		d := a.at(where)
		at := v * d.base()
		if at < float64(d.end) || d.n+int(d.high) == 0 {
			break
		}
		r := d.character(at)
		b = utf8.AppendRune(b, r)
		place, width := d.place(r)
		if width == 0 {
			break
		}
		v = min(max((at-place)/width, 0), 1)
		unit *= width / d.base()
		where = where.next(r)
	}
	return string(b)
}

// ahead returns a key that lies some pages after one, on a scale, or "". The
// first floor bytes of all keys are the same.
func (a *alphabet) ahead(after string, s scale, pages float64, floor int) string {
	if s.pages == 0 || len(after) < floor {
		return ""
	}
	// The numbers begin where the keys differ, or further in front if that
	// digit cannot grow as far.
	at := common(common(after, s.from), s.to)
	for p := len(at); p >= floor; p = before(at, p) {
		step := (a.number(s.to, p) - a.number(s.from, p)) * pages / s.pages
		if step < finest {
			return ""
		}
		if v := a.number(after, p) + step; v < 1 {
			return a.text(after[:p], v, step/16)
		}
	}
	return ""
}

// between returns a key in the middle of two, or "". The first floor bytes of
// all keys are the same; to may be "", the end of them.
func (a *alphabet) between(after, to string, floor int) string {
	if len(after) < floor {
		return ""
	}
	p, high := floor, 1.0
	if to != "" {
		p = len(common(after, to))
		high = a.number(to, p)
	}
	low := a.number(after, p)
	return a.text(after[:p], (low+high)/2, (high-low)/16)
}

// common is what both begin with, in whole characters.
func common(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	for n > 0 && n < len(a) && !utf8.RuneStart(a[n]) {
		n--
	}
	return a[:n]
}

// before is where the character in front of byte p of s begins, -1 at the
// front.
func before(s string, p int) int {
	if p == 0 {
		return -1
	}
	_, size := utf8.DecodeLastRuneInString(s[:p])
	return p - size
}
