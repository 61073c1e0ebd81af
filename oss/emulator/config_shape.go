package emulator

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// shape is what the service demands of an element of a configuration
// document. It is written as text, so that the table of families reads like
// the documents:
//
//	CORSConfiguration{CORSRule+{AllowedMethod:GET|PUT+ MaxAgeSeconds:0..999?}}
//
// A name alone is an element that must come once and holds any text. After a
// colon stands what the text must be: "text" (not empty), "bool", "date", a
// range of numbers, or one of several words. At the end stands how often:
// "?", "*" and "+" as in regular expressions. Braces hold the children.
//
// Elements the shape does not name are kept as they are, for the service
// learns new ones faster than this table does.
type shape struct {
	name     string
	many     bool // more than one may come
	optional bool // none need come
	kind     shapeKind
	words    []string
	lo, hi   int64
	children []*shape // nil for leaves
}

type shapeKind byte

const (
	anyText shapeKind = iota
	someText
	aBool
	aDate
	aNumber
	aWord
)

// parseShape panics on a shape that is not well formed: all of them are
// constants.
func parseShape(s string) *shape {
	list, rest := parseShapes(s)
	if len(list) != 1 || rest != "" {
		panic(fmt.Sprintf("shape %q is not well formed", s))
	}
	return list[0]
}

func parseShapes(s string) (list []*shape, rest string) {
	for {
		s = strings.TrimLeft(s, " \n\t")
		end := strings.IndexAny(s, " \n\t{}")
		if end < 0 {
			end = len(s)
		}
		if end == 0 {
			return list, s
		}
		sh := parseShapeHead(s[:end])
		s = s[end:]
		if strings.HasPrefix(s, "{") {
			sh.children, s = parseShapes(s[1:])
			if !strings.HasPrefix(s, "}") {
				panic("shape of " + sh.name + " is not closed")
			}
			s = s[1:]
		}
		list = append(list, sh)
	}
}

func parseShapeHead(s string) *shape {
	sh := &shape{}
	switch s[len(s)-1] {
	case '?':
		sh.optional = true
	case '*':
		sh.optional, sh.many = true, true
	case '+':
		sh.many = true
	}
	if sh.optional || sh.many {
		s = s[:len(s)-1]
	}
	name, kind, typed := strings.Cut(s, ":")
	sh.name = name
	lo, hi, isRange := strings.Cut(kind, "..")
	switch {
	case !typed:
	case kind == "text":
		sh.kind = someText
	case kind == "bool":
		sh.kind = aBool
	case kind == "date":
		sh.kind = aDate
	case isRange:
		sh.kind, sh.lo, sh.hi = aNumber, shapeNumber(lo, math.MinInt64), shapeNumber(hi, math.MaxInt64)
	default:
		sh.kind, sh.words = aWord, strings.Split(kind, "|")
	}
	return sh
}

func shapeNumber(s string, open int64) int64 {
	if s == "" {
		return open
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic("shape has no number at " + s)
	}
	return n
}

// check refuses a document that has another shape: with MalformedXML, as the
// service does where its own schema speaks, and with InvalidArgument for
// numbers out of bounds. It trims what is not free text.
func (sh *shape) check(e *element) error {
	if sh.children == nil {
		return sh.checkLeaf(e)
	}
	if len(e.children) == 0 && len(bytes.TrimSpace(e.text)) > 0 {
		return failSchema(e.name)
	}
	for _, want := range sh.children {
		n := 0
		for _, c := range e.children {
			if c.name != want.name {
				continue
			}
			n++
			if err := want.check(c); err != nil {
				return err
			}
		}
		if n == 0 && !want.optional || n > 1 && !want.many {
			return failSchema(want.name)
		}
	}
	return nil
}

func (sh *shape) checkLeaf(e *element) error {
	if len(e.children) > 0 {
		return failSchema(e.name)
	}
	if sh.kind == anyText {
		return nil
	}
	e.text = bytes.TrimSpace(e.text)
	text, ok := string(e.text), true
	switch sh.kind {
	case someText:
		ok = text != ""
	case aBool: // one of the vendor's clients writes True
		text = strings.ToLower(text)
		e.text, ok = []byte(text), text == "true" || text == "false"
	case aDate:
		_, err := parseDate(text)
		ok = err == nil
	case aNumber:
		n, err := strconv.ParseInt(text, 10, 64)
		if err == nil && (n < sh.lo || n > sh.hi) {
			return failArgument(sh.name, text, "The value of "+sh.name+" is out of range.")
		}
		ok = err == nil
	case aWord:
		ok = slices.Contains(sh.words, text)
	}
	if !ok {
		return failSchema(sh.name)
	}
	return nil
}

// failSchema is MalformedXML that says where.
func failSchema(name string) *apiError {
	return fail("MalformedXML").withEC("0015-00000231").with("ErrorDetail", "the element "+name+" is missing or not valid")
}

// parseDate reads a time of a document. The service takes midnights only;
// the rules that care say so.
func parseDate(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	return t.UTC(), err
}

// node makes an element with children.
func node(name string, children ...*element) *element {
	return &element{name: name, children: children}
}

// leaf makes an element with text.
func leaf(name, text string) *element {
	return &element{name: name, text: []byte(text)}
}

// find returns the first descendant at a path of names like "A/B", or nil.
func (e *element) find(path string) *element {
	for name := range strings.SplitSeq(path, "/") {
		i := slices.IndexFunc(e.children, func(c *element) bool { return c.name == name })
		if i < 0 {
			return nil
		}
		e = e.children[i]
	}
	return e
}

// get returns the text at a path, or "".
func (e *element) get(path string) string {
	if f := e.find(path); f != nil {
		return string(f.text)
	}
	return ""
}

// all returns the children of that name.
func (e *element) all(name string) []*element {
	var out []*element
	for _, c := range e.children {
		if c.name == name {
			out = append(out, c)
		}
	}
	return out
}

// texts returns the texts of the children of that name.
func (e *element) texts(name string) []string {
	var out []string
	for _, c := range e.all(name) {
		out = append(out, string(c.text))
	}
	return out
}

// set gives a child a text, adding the child if there is none.
func (e *element) set(name, text string) {
	if f := e.find(name); f != nil {
		f.text, f.children = []byte(text), nil
		return
	}
	e.children = append(e.children, leaf(name, text))
}

// element writes e without the space between its elements.
func (d *document) element(e *element) {
	if len(e.children) == 0 {
		d.text(e.name, string(e.text))
		return
	}
	d.open(e.name)
	for _, c := range e.children {
		d.element(c)
	}
	d.close(e.name)
}

// bytes is the canonical form of a document, without its prolog. A root
// without children loses its text, which can only be space.
func (e *element) bytes() []byte {
	var d document
	if len(e.children) == 0 {
		e.text = nil
	}
	d.element(e)
	return d.b
}
