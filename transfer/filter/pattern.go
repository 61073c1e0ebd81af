package filter

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// maxPattern bounds a pattern, in bytes: the longest path of a file system, and
// four times the longest key.
const maxPattern = 4096

// The ways in which a pattern can be wrong.
var (
	errEmpty     = errors.New("an empty pattern")
	errTooLong   = errors.New("a pattern of more than 4096 bytes")
	errUTF8      = errors.New("a pattern that is not UTF-8")
	errStars     = errors.New("more than two stars in a row")
	errBackslash = errors.New(`a \ at the end`)
	errEscape    = errors.New(`a \ before a letter or digit: it only takes the meaning from a character that has one`)
	errOpenClass = errors.New("a [ without its ]")
	errClass     = errors.New(`an empty class; a ] in it is written \]`)
	errNested    = errors.New(`a [ within a class is written \[`)
	errRange     = errors.New("a range in a class that ends before it begins")
	errBracket   = errors.New(`a ] without its [; alone it is written \]`)
	errOpenBrace = errors.New("a { without its }")
	errBrace     = errors.New(`a } without its {; alone it is written \}`)
	errRegexp    = errors.New("{{ for a regular expression, which is not understood here")
)

// pattern is a compiled pattern. It is safe for concurrent use.
//
// The automaton decides; prefix, suffix and needle are what every match has,
// looked at first because that takes a fraction of the time. Where they decide
// alone, shape says so.
type pattern struct {
	automaton

	rooted bool   // begins at the root, no leading part is skipped
	prefix string // how what matches begins; only of a rooted pattern
	suffix string // how what matches ends
	needle string // what it contains besides
	shape  shape
	tail   bool // may match all that is below some folder
}

// shape says for which patterns the automaton is not needed.
type shape uint8

const (
	shapeAny     shape = iota // it is
	shapeLiteral              // has no special character
	shapeStar                 // rooted, one * between two texts that may be empty
	shapeDeep                 // rooted, one ** between such
)

// match reports whether the pattern matches the whole of name.
func (p *pattern) match(name string) bool {
	if !strings.HasPrefix(name, p.prefix) || !strings.HasSuffix(name, p.suffix) {
		return false
	}
	middle := len(name) - len(p.prefix) - len(p.suffix)
	switch p.shape {
	case shapeLiteral:
		return middle == 0 || !p.rooted && name[middle-1] == '/'
	case shapeDeep:
		return middle >= 0
	case shapeStar:
		return middle >= 0 && strings.IndexByte(name[len(p.prefix):len(p.prefix)+middle], '/') < 0
	}
	return strings.Contains(name, p.needle) && p.automaton.match(name)
}

// below tells what the pattern makes of the names below a folder, which ends in
// a slash or is "": whether it may match some, and whether it surely matches all.
func (p *pattern) below(folder string) (some, all bool) {
	switch {
	case p.rooted && !strings.HasPrefix(folder, p.prefix) && !strings.HasPrefix(p.prefix, folder):
		return false, false
	case !p.rooted && !p.tail:
		return true, false
	}
	return p.automaton.below(folder)
}

// compile makes a pattern of its text.
func compile(text string) (*pattern, error) {
	switch {
	case text == "":
		return nil, errEmpty
	case len(text) > maxPattern:
		return nil, errTooLong
	case !utf8.ValidString(text):
		return nil, errUTF8
	}
	p := &pattern{}
	text, p.rooted = strings.CutPrefix(text, "/")
	if text == "" || endsInSlash(text) {
		text += "**" // a folder is everything below it
	}
	// A star at the beginning takes what stands before the last part as well:
	// *.jpg is **.jpg from the root.
	if rest, ok := strings.CutPrefix(text, "*"); ok && !p.rooted && !strings.HasPrefix(text, "***") {
		text, p.rooted = "**"+strings.TrimPrefix(rest, "*"), true
	}
	c := &compiler{text: text, words: (len(text)+3)/64 + 1}
	whole := c.empty()
	if !p.rooted { // as if it began with {,**/}
		c.join(&whole, c.star(isDeep))
		c.join(&whole, c.one(position{kind: isRune, r: '/'}))
		whole.nullable = true
	}
	body, err := c.sequence()
	switch {
	case err != nil:
		return nil, err
	case c.at < len(c.text):
		return nil, errBrace // sequence stops at nothing else
	}
	c.join(&whole, body)
	p.automaton = c.finish(whole)
	p.known(c.runs)
	for i := range p.positions {
		p.tail = p.tail || p.takesAll(i)
	}
	return p, nil
}

// endsInSlash reports whether text ends in a slash that nothing escapes.
func endsInSlash(text string) bool {
	rest, ok := strings.CutSuffix(text, "/")
	return ok && (len(rest)-len(strings.TrimRight(rest, `\`)))%2 == 0
}

// known takes what every match has from the runs of plain characters at the top
// level of the pattern.
func (p *pattern) known(runs []string) {
	last := len(runs) - 1
	if p.rooted {
		p.prefix = runs[0]
	} else if last > 0 {
		p.needle = runs[0]
	}
	if last > 0 || !p.rooted {
		p.suffix = runs[last]
	}
	for i := 1; i < last; i++ {
		if len(runs[i]) > len(p.needle) {
			p.needle = runs[i]
		}
	}
	special := utf8.RuneCountInString(p.prefix)
	switch {
	case last == 0:
		p.shape = shapeLiteral
	case !p.rooted || len(p.positions) != special+1+utf8.RuneCountInString(p.suffix):
	case p.positions[special].kind == isStar:
		p.shape = shapeStar
	case p.positions[special].kind == isDeep:
		p.shape = shapeDeep
	}
}

// compiler builds the automaton of a pattern while it reads it.
type compiler struct {
	text  string
	at    int
	depth int // of braces
	words int // of a set

	positions []position
	follow    []set
	runs      []string // plain text at the top level; a new one begins after each special element
}

// sequence reads elements up to the end, or to the , or } that ends an
// alternative.
func (c *compiler) sequence() (fragment, error) {
	whole := c.empty()
	run := ""
	for c.at < len(c.text) {
		b := c.text[c.at]
		if b == '}' || b == ',' && c.depth > 0 {
			break
		}
		element, plain, err := c.element()
		if err != nil {
			return whole, err
		}
		c.join(&whole, element)
		switch {
		case c.depth > 0:
		case plain != "":
			run += plain
		default:
			c.runs = append(c.runs, run)
			run = ""
		}
	}
	if c.depth == 0 {
		c.runs = append(c.runs, run)
	}
	return whole, nil
}

// element reads one element. Plain is its text if it stands for itself.
func (c *compiler) element() (f fragment, plain string, err error) {
	r, size := utf8.DecodeRuneInString(c.text[c.at:])
	switch r {
	case '*':
		f, err = c.stars()
		return f, "", err
	case '?':
		c.at++
		return c.one(position{kind: isOne}), "", nil
	case '[':
		f, err = c.class()
		return f, "", err
	case '{':
		f, err = c.alternatives()
		return f, "", err
	case ']':
		return f, "", errBracket
	case '\\':
		if r, err = c.escaped(); err != nil {
			return f, "", err
		}
	default:
		c.at += size
	}
	return c.one(position{kind: isRune, r: r}), string(r), nil
}

// escaped reads a backslash and the character after it.
func (c *compiler) escaped() (rune, error) {
	c.at++
	if c.at == len(c.text) {
		return 0, errBackslash
	}
	r, size := utf8.DecodeRuneInString(c.text[c.at:])
	if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
		return 0, errEscape
	}
	c.at += size
	return r, nil
}

func (c *compiler) stars() (fragment, error) {
	begin := c.at
	for c.at < len(c.text) && c.text[c.at] == '*' {
		c.at++
	}
	kind := isStar
	switch c.at - begin {
	case 1:
	case 2:
		kind = isDeep
	default:
		return fragment{}, errStars
	}
	return c.star(kind), nil
}

// alternatives reads {a,b}.
func (c *compiler) alternatives() (fragment, error) {
	if strings.HasPrefix(c.text[c.at:], "{{") {
		return fragment{}, errRegexp
	}
	c.depth++
	whole := fragment{first: c.set(), last: c.set()}
	for {
		c.at++ // { or ,
		f, err := c.sequence()
		if err != nil {
			return f, err
		}
		whole.first.or(f.first)
		whole.last.or(f.last)
		whole.nullable = whole.nullable || f.nullable
		if c.at == len(c.text) {
			return whole, errOpenBrace
		}
		if c.text[c.at] == '}' {
			break
		}
	}
	c.at++
	c.depth--
	return whole, nil
}

// class reads [a-z] or [!a-z].
func (c *compiler) class() (fragment, error) {
	p := position{kind: isClass}
	c.at++
	if c.at < len(c.text) && (c.text[c.at] == '!' || c.text[c.at] == '^') {
		p.negated = true
		c.at++
	}
	for {
		if c.at == len(c.text) {
			return fragment{}, errOpenClass
		}
		if c.text[c.at] == ']' {
			break
		}
		lo, err := c.classRune()
		if err != nil {
			return fragment{}, err
		}
		hi := lo
		if rest := c.text[c.at:]; strings.HasPrefix(rest, "-") && !strings.HasPrefix(rest, "-]") {
			c.at++
			if hi, err = c.classRune(); err != nil {
				return fragment{}, err
			}
		}
		if hi < lo {
			return fragment{}, errRange
		}
		p.ranges = append(p.ranges, runeRange{lo, hi})
	}
	if p.ranges == nil {
		return fragment{}, errClass
	}
	c.at++
	return c.one(p), nil
}

func (c *compiler) classRune() (rune, error) {
	r, size := utf8.DecodeRuneInString(c.text[c.at:])
	switch {
	case size == 0:
		return 0, errOpenClass
	case r == '\\':
		return c.escaped()
	case r == '[':
		return 0, errNested
	}
	c.at += size
	return r, nil
}
