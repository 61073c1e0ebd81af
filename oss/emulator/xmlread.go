package emulator

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of request documents. The largest legal one lists 10,000 parts.
const (
	maxDocument = 2 << 20
	maxDepth    = 32
	maxElements = 50_000
)

var errXML = errors.New("document is not well formed")

// element is a node of a request's document. Names have lost their prefix.
type element struct {
	name     string
	text     []byte // of leaves: unescaped, not trimmed
	children []*element
}

// child returns the text of the first child of that name.
func (e *element) child(name string) (text string, ok bool) {
	for _, c := range e.children {
		if c.name == name {
			return string(c.text), true
		}
	}
	return "", false
}

// parseDocument reads a request's document. It is tolerant where the service
// is, which encoding/xml is not: keys may contain control characters, raw or
// as references. It knows no entities but the five, and no document types.
func parseDocument(src []byte, root string) (*element, error) {
	e, err := parseAnyDocument(src)
	if err == nil && e.name != root {
		return nil, errXML
	}
	return e, err
}

// parseAnyDocument is parseDocument for any root.
func parseAnyDocument(src []byte) (*element, error) {
	if len(src) > maxDocument || !utf8.Valid(src) {
		return nil, errXML
	}
	p := &xmlParser{s: strings.TrimPrefix(string(src), "\ufeff")}
	top := &element{}
	stack := []*element{top}
	for p.s != "" {
		i := strings.IndexByte(p.s, '<')
		if i < 0 {
			i = len(p.s)
		}
		here := stack[len(stack)-1]
		if err := p.addText(here, p.s[:i]); err != nil {
			return nil, err
		}
		p.s = p.s[i:]
		if p.s == "" {
			break
		}
		var err error
		if stack, err = p.markup(stack); err != nil {
			return nil, err
		}
	}
	if len(stack) != 1 || len(top.children) != 1 || len(bytes.TrimSpace(top.text)) > 0 {
		return nil, errXML
	}
	return top.children[0], nil
}

type xmlParser struct {
	s        string
	elements int
}

func (p *xmlParser) addText(e *element, raw string) error {
	if raw == "" {
		return nil
	}
	text, err := unescape(raw)
	e.text = append(e.text, text...)
	return err
}

// markup reads what begins with "<" and returns the new stack.
func (p *xmlParser) markup(stack []*element) ([]*element, error) {
	here := stack[len(stack)-1]
	switch {
	case strings.HasPrefix(p.s, "<?"):
		return stack, p.skip("?>")
	case strings.HasPrefix(p.s, "<!--"):
		return stack, p.skip("-->")
	case strings.HasPrefix(p.s, "<![CDATA["):
		body, rest, ok := strings.Cut(p.s[len("<![CDATA["):], "]]>")
		if !ok {
			return nil, errXML
		}
		here.text = append(here.text, body...)
		p.s = rest
		return stack, nil
	}
	tag, rest, ok := strings.Cut(p.s[1:], ">")
	if !ok || tag == "" || tag[0] == '!' {
		return nil, errXML
	}
	p.s = rest
	if tag[0] == '/' {
		if len(stack) == 1 || localName(tag[1:]) != here.name {
			return nil, errXML
		}
		return stack[:len(stack)-1], nil
	}
	tag, empty := strings.CutSuffix(tag, "/")
	e := &element{name: localName(tag)}
	p.elements++
	if e.name == "" || len(stack) > maxDepth || p.elements > maxElements {
		return nil, errXML
	}
	here.children = append(here.children, e)
	if empty {
		return stack, nil
	}
	return append(stack, e), nil
}

func (p *xmlParser) skip(end string) error {
	_, rest, ok := strings.Cut(p.s, end)
	if !ok {
		return errXML
	}
	p.s = rest
	return nil
}

// localName takes the name out of a tag: without prefix and attributes.
func localName(tag string) string {
	if i := strings.IndexAny(tag, " \t\r\n"); i >= 0 {
		tag = tag[:i]
	}
	if i := strings.IndexByte(tag, ':'); i >= 0 {
		tag = tag[i+1:]
	}
	return tag
}

func unescape(s string) (string, error) {
	i := strings.IndexByte(s, '&')
	if i < 0 {
		return s, nil
	}
	var b strings.Builder
	for i >= 0 {
		b.WriteString(s[:i])
		ref, rest, ok := strings.Cut(s[i+1:], ";")
		r, known := reference(ref)
		if !ok || !known {
			return "", errXML
		}
		b.WriteRune(r)
		s = rest
		i = strings.IndexByte(s, '&')
	}
	b.WriteString(s)
	return b.String(), nil
}

func reference(ref string) (rune, bool) {
	switch ref {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	num, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return 0, false
	}
	base := 10
	if len(num) > 0 && (num[0] == 'x' || num[0] == 'X') {
		num, base = num[1:], 16
	}
	n, err := strconv.ParseUint(num, base, 21)
	r := rune(n)
	return r, err == nil && n > 0 && utf8.ValidRune(r)
}
