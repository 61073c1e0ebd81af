package oss

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// scanner reads the XML of the service in one pass over its bytes, without
// reflection and with few allocations. It knows elements, text, references,
// CDATA, comments and declarations; attributes and namespaces are passed over,
// names are local names. It accepts control characters, which XML 1.0 does not
// and keys do.
type scanner struct {
	data  []byte
	at    int
	stack [maxXMLDepth][]byte // names of the open elements
	depth int
	empty bool // the element just opened was <name/>: its end is still due
}

const maxXMLDepth = 32

var (
	errXMLSyntax = errors.New("malformed XML")
	errXMLEnd    = errors.New("truncated XML")
	errXMLDepth  = errors.New("XML is nested too deeply")
)

// root enters the root element, which must be named so.
func (s *scanner) root(name string) error {
	got, ok, err := s.child()
	if err != nil {
		return err
	}
	if !ok {
		return errXMLEnd
	}
	if string(got) != name {
		return errors.New("want XML of " + name + ", not " + quote(string(got[:min(len(got), 64)])))
	}
	return nil
}

// child enters the next child of the open element and gives its name, or leaves
// the element and gives false. Text between children is passed over.
func (s *scanner) child() (name []byte, ok bool, err error) {
	if s.empty {
		s.empty = false
		s.depth--
		return nil, false, nil
	}
	for {
		i := bytes.IndexByte(s.data[s.at:], '<')
		if i < 0 {
			return nil, false, errXMLEnd
		}
		if s.depth == 0 && len(bytes.TrimSpace(bytes.TrimPrefix(s.data[s.at:s.at+i], []byte("\ufeff")))) > 0 {
			return nil, false, errXMLSyntax
		}
		s.at += i
		skipped, err := s.markup()
		if err != nil {
			return nil, false, err
		}
		if skipped {
			continue
		}
		if s.at+1 < len(s.data) && s.data[s.at+1] == '/' {
			return nil, false, s.leave()
		}
		name, err := s.enter()
		return name, err == nil, err
	}
}

// markup passes over a comment, declaration, instruction or, between elements,
// CDATA at s.at.
func (s *scanner) markup() (bool, error) {
	rest := s.data[s.at:]
	var end string
	switch {
	case bytes.HasPrefix(rest, []byte("<?")):
		end = "?>"
	case bytes.HasPrefix(rest, []byte("<!--")):
		rest, end = rest[4:], "-->"
		s.at += 4
	case bytes.HasPrefix(rest, []byte("<![CDATA[")) && s.depth > 0:
		end = "]]>"
	case bytes.HasPrefix(rest, []byte("<!")):
		return false, errXMLSyntax // a DOCTYPE: no answer of the service has one
	default:
		return false, nil
	}
	i := bytes.Index(rest, []byte(end))
	if i < 0 {
		return false, errXMLEnd
	}
	s.at += i + len(end)
	return true, nil
}

// enter reads the start tag at s.at.
func (s *scanner) enter() ([]byte, error) {
	p := s.at + 1
	for p < len(s.data) && !isTagEnd(s.data[p]) {
		p++
	}
	if p == len(s.data) {
		return nil, errXMLEnd
	}
	name := s.data[s.at+1 : p]
	if !isXMLName(name) {
		return nil, errXMLSyntax
	}
	for p < len(s.data) && s.data[p] != '>' {
		switch s.data[p] {
		case '"', '\'':
			i := bytes.IndexByte(s.data[p+1:], s.data[p])
			if i < 0 {
				return nil, errXMLEnd
			}
			p += i + 1
		case '<':
			return nil, errXMLSyntax
		}
		p++
	}
	if p >= len(s.data) {
		return nil, errXMLEnd
	}
	if s.depth == maxXMLDepth {
		return nil, errXMLDepth
	}
	s.stack[s.depth] = name
	s.depth++
	s.empty = s.data[p-1] == '/'
	s.at = p + 1
	return localName(name), nil
}

// leave reads the end tag at s.at, which must be that of the open element.
func (s *scanner) leave() error {
	i := bytes.IndexByte(s.data[s.at:], '>')
	if i < 0 {
		return errXMLEnd
	}
	name := bytes.TrimRight(s.data[s.at+2:s.at+i], " \t\r\n")
	if s.depth == 0 || !bytes.Equal(name, s.stack[s.depth-1]) {
		return errXMLSyntax
	}
	s.depth--
	s.at += i + 1
	return nil
}

// text gives the text of the open element and leaves it. Children are passed
// over.
func (s *scanner) text() (string, error) {
	b, err := s.bytes()
	return string(b), err
}

// bytes is text without a copy where the element holds plain text only.
func (s *scanner) bytes() ([]byte, error) {
	if s.empty {
		s.empty = false
		s.depth--
		return nil, nil
	}
	depth := s.depth
	var joined []byte
	for whole := true; ; whole = false {
		i := bytes.IndexByte(s.data[s.at:], '<')
		if i < 0 {
			return nil, errXMLEnd
		}
		run, err := unescapeXML(s.data[s.at : s.at+i])
		if err != nil {
			return nil, err
		}
		s.at += i
		if s.at+1 < len(s.data) && s.data[s.at+1] == '/' {
			if err := s.leave(); err != nil {
				return nil, err
			}
			if whole {
				return run, nil
			}
			return append(joined, run...), nil
		}
		joined = append(joined, run...)
		if joined, err = s.inside(joined, depth); err != nil {
			return nil, err
		}
	}
}

// inside reads what stands at s.at within a text: CDATA belongs to it.
func (s *scanner) inside(text []byte, depth int) ([]byte, error) {
	const open = "<![CDATA["
	start := s.at
	skipped, err := s.markup()
	switch {
	case err != nil:
		return nil, err
	case skipped && bytes.HasPrefix(s.data[start:], []byte(open)):
		return appendLines(text, s.data[start+len(open):s.at-len("]]>")]), nil
	case skipped:
		return text, nil
	}
	if _, err := s.enter(); err != nil {
		return nil, err
	}
	return text, s.skipTo(depth)
}

// skip leaves the open element, whatever it holds.
func (s *scanner) skip() error { return s.skipTo(s.depth - 1) }

func (s *scanner) skipTo(depth int) error {
	for s.depth > depth {
		if _, _, err := s.child(); err != nil {
			return err
		}
	}
	return nil
}

func isTagEnd(c byte) bool {
	return c == '>' || c == '/' || c == ' ' || c == '\t' || c == '\r' || c == '\n'
}

func isXMLName(name []byte) bool {
	for i, c := range name {
		ok := isAlnum(c) || c == '_' || c == ':' || c >= 0x80 || i > 0 && (c == '-' || c == '.')
		if !ok || i == 0 && c >= '0' && c <= '9' {
			return false
		}
	}
	return len(name) > 0
}

func localName(name []byte) []byte {
	if i := bytes.IndexByte(name, ':'); i > 0 && i+1 < len(name) {
		return name[i+1:]
	}
	return name
}

// unescapeXML resolves references and line ends. It gives p itself if there are
// none.
func unescapeXML(p []byte) ([]byte, error) {
	if bytes.IndexByte(p, '&') < 0 && bytes.IndexByte(p, '\r') < 0 {
		return p, nil
	}
	out := make([]byte, 0, len(p))
	for {
		i := bytes.IndexByte(p, '&')
		if i < 0 {
			return appendLines(out, p), nil
		}
		out = appendLines(out, p[:i])
		n := bytes.IndexByte(p[i:], ';')
		if n < 0 {
			return nil, errXMLSyntax
		}
		r, err := reference(string(p[i+1 : i+n]))
		if err != nil {
			return nil, err
		}
		out = utf8.AppendRune(out, r)
		p = p[i+n+1:]
	}
}

// appendLines appends p with every line end made a line feed.
func appendLines(out, p []byte) []byte {
	for i, c := range p {
		switch {
		case c != '\r':
			out = append(out, c)
		case i+1 == len(p) || p[i+1] != '\n':
			out = append(out, '\n')
		}
	}
	return out
}

func reference(name string) (rune, error) {
	switch name {
	case "amp":
		return '&', nil
	case "lt":
		return '<', nil
	case "gt":
		return '>', nil
	case "quot":
		return '"', nil
	case "apos":
		return '\'', nil
	}
	digits, ok := strings.CutPrefix(name, "#")
	if !ok {
		return 0, errXMLSyntax
	}
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || !utf8.ValidRune(rune(n)) || n > utf8.MaxRune {
		return 0, errXMLSyntax
	}
	return rune(n), nil
}
