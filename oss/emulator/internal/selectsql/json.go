package selectsql

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Limits of JSON. The service's own are of this order.
const (
	maxRecord   = 1 << 20  // a record of CSV or of JSON lines, in bytes
	maxDocument = 32 << 20 // a document, in bytes
	maxDepth    = 256
)

// node is a value of JSON. Objects keep their order, and numbers their digits.
type node struct {
	kind  nodeKind
	text  string // of strings: decoded; of numbers: as written
	names []string
	nodes []*node
}

type nodeKind byte

const (
	nullNode nodeKind = iota
	falseNode
	trueNode
	numberNode
	stringNode
	arrayNode
	objectNode
)

// jsonReader reads values of JSON, one after the other.
type jsonReader struct {
	r     *bufio.Reader
	off   int64 // bytes read
	left  int64 // bytes that the value at hand may still have
	depth int
}

// jsonError says where the text is not JSON.
type jsonError struct {
	off  int64
	what string
}

func (e *jsonError) Error() string { return fmt.Sprintf("at byte %d: %s", e.off, e.what) }

func (j *jsonReader) fail(what string) error { return &jsonError{j.off, what} }

// read gives the next byte; io.EOF is an error of its own only between values.
func (j *jsonReader) read() (byte, error) {
	c, err := j.r.ReadByte()
	if err != nil {
		return 0, err
	}
	j.off++
	if j.left--; j.left < 0 {
		return 0, j.fail("a value is too long")
	}
	return c, nil
}

func (j *jsonReader) unread() {
	_ = j.r.UnreadByte() // never fails after ReadByte
	j.off--
	j.left++
}

// skip gives the next byte that is neither white space nor in also.
func (j *jsonReader) skip(also string) (byte, error) {
	for {
		c, err := j.read()
		if err != nil {
			return 0, err
		}
		if c != ' ' && c != '\n' && c != '\r' && c != '\t' && strings.IndexByte(also, c) < 0 {
			return c, nil
		}
	}
}

// between finds the start of the next value, io.EOF if there is none. Commas
// between values are skipped if commas are allowed.
func (j *jsonReader) between(commas bool) error {
	also := ""
	if commas {
		also = ","
	}
	j.left = 1 << 62
	_, err := j.skip(also)
	if err == nil {
		j.unread()
	}
	return err
}

// value reads a value of at most limit bytes.
func (j *jsonReader) value(limit int64) (*node, error) {
	j.left, j.depth = limit, 0
	n, err := j.any()
	if err == io.EOF {
		err = j.fail("it ends within a value")
	}
	return n, err
}

func (j *jsonReader) any() (*node, error) {
	c, err := j.skip("")
	if err != nil {
		return nil, err
	}
	switch {
	case c == '{' || c == '[':
		if j.depth++; j.depth > maxDepth {
			return nil, j.fail("too many levels")
		}
		defer func() { j.depth-- }()
		if c == '{' {
			return j.object()
		}
		return j.array()
	case c == '"':
		s, err := j.str()
		return &node{kind: stringNode, text: s}, err
	case c == '-' || isDigit(c):
		return j.number(c)
	case c == 't':
		return &node{kind: trueNode}, j.rest("rue")
	case c == 'f':
		return &node{kind: falseNode}, j.rest("alse")
	case c == 'n':
		return &node{kind: nullNode}, j.rest("ull")
	}
	return nil, j.fail(fmt.Sprintf("%q begins no value", c))
}

func (j *jsonReader) rest(word string) error {
	for i := range len(word) {
		c, err := j.read()
		if err != nil {
			return err
		}
		if c != word[i] {
			return j.fail("not a value")
		}
	}
	return nil
}

func (j *jsonReader) number(c byte) (*node, error) {
	digits := []byte{c}
	for {
		c, err := j.read()
		if err != nil && err != io.EOF {
			return nil, err
		}
		if err == nil && (isDigit(c) || c == '.' || c == '+' || c == '-' || c == 'e' || c == 'E') {
			digits = append(digits, c)
			continue
		}
		if err == nil {
			j.unread()
		}
		if _, ok := number(string(digits)); !ok {
			return nil, j.fail("not a number")
		}
		return &node{kind: numberNode, text: string(digits)}, nil
	}
}

func (j *jsonReader) array() (*node, error) {
	n := &node{kind: arrayNode}
	for first := true; ; first = false {
		c, err := j.skip("")
		if err != nil {
			return nil, err
		}
		switch {
		case c == ']' && (first || len(n.nodes) > 0):
			return n, nil
		case first:
			j.unread()
		case c != ',':
			return nil, j.fail("a comma is wanted in the array")
		}
		v, err := j.any()
		if err != nil {
			return nil, err
		}
		n.nodes = append(n.nodes, v)
	}
}

func (j *jsonReader) object() (*node, error) {
	n := &node{kind: objectNode}
	for first := true; ; first = false {
		c, err := j.skip("")
		if err != nil {
			return nil, err
		}
		if c == '}' {
			return n, nil
		}
		if !first {
			if c != ',' {
				return nil, j.fail("a comma is wanted in the object")
			}
			if c, err = j.skip(""); err != nil {
				return nil, err
			}
		}
		if c != '"' {
			return nil, j.fail("a name is wanted in the object")
		}
		name, err := j.str()
		if err != nil {
			return nil, err
		}
		if c, err = j.skip(""); err != nil {
			return nil, err
		}
		if c != ':' {
			return nil, j.fail("a colon is wanted in the object")
		}
		v, err := j.any()
		if err != nil {
			return nil, err
		}
		n.names, n.nodes = append(n.names, name), append(n.nodes, v)
	}
}

func (j *jsonReader) str() (string, error) {
	var b []byte
	for {
		b = j.plain(b)
		c, err := j.read()
		switch {
		case err != nil:
			return "", err
		case c == '"':
			return string(b), nil
		case c != '\\':
			b = append(b, c)
			continue
		}
		if c, err = j.read(); err != nil {
			return "", err
		}
		switch c {
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case '"', '\\', '/':
			b = append(b, c)
		case 'u':
			r, err := j.escaped()
			if err != nil {
				return "", err
			}
			b = utf8.AppendRune(b, r)
		default:
			return "", j.fail("not an escape of JSON")
		}
	}
}

// plain appends the bytes at hand that stand for nothing but themselves.
func (j *jsonReader) plain(b []byte) []byte {
	p, _ := j.r.Peek(j.r.Buffered()) // what is buffered is there
	p = p[:min(int64(len(p)), max(j.left, 0))]
	n := 0
	for n < len(p) && p[n] != '"' && p[n] != '\\' {
		n++
	}
	b = append(b, p[:n]...)
	n, _ = j.r.Discard(n)
	j.off += int64(n)
	j.left -= int64(n)
	return b
}

// escaped reads what follows "\u", with the other half of a pair.
func (j *jsonReader) escaped() (rune, error) {
	r, err := j.hex()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	if next, err := j.r.Peek(2); err != nil || next[0] != '\\' || next[1] != 'u' {
		return utf8.RuneError, nil
	}
	for range 2 {
		if _, err := j.read(); err != nil {
			return 0, err
		}
	}
	low, err := j.hex()
	return utf16.DecodeRune(r, low), err
}

func (j *jsonReader) hex() (rune, error) {
	var digits [4]byte
	for i := range digits {
		c, err := j.read()
		if err != nil {
			return 0, err
		}
		digits[i] = c
	}
	n, err := strconv.ParseUint(string(digits[:]), 16, 16)
	if err != nil {
		return 0, j.fail("not four hexadecimal digits")
	}
	return rune(n), nil
}

// append writes the node as the service does: without spaces, and with
// slashes escaped.
func (n *node) append(b []byte) []byte {
	switch n.kind {
	case nullNode:
		return append(b, "null"...)
	case falseNode:
		return append(b, "false"...)
	case trueNode:
		return append(b, "true"...)
	case numberNode:
		return append(b, n.text...)
	case stringNode:
		return appendString(b, n.text)
	case arrayNode:
		b = append(b, '[')
		for i, v := range n.nodes {
			if i > 0 {
				b = append(b, ',')
			}
			b = v.append(b)
		}
		return append(b, ']')
	}
	b = append(b, '{')
	for i, v := range n.nodes {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, n.names[i]), ':')
		b = v.append(b)
	}
	return append(b, '}')
}

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\' || c == '/':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c < 0x20:
			b = append(b, fmt.Sprintf(`\u%04x`, c)...)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// value is the node as SQL has it.
func (n *node) value(numbersAsText bool) value {
	v := value{kind: treeKind}
	switch n.kind {
	case nullNode:
		v.kind = nullKind
	case falseNode, trueNode:
		v = boolean(n.kind == trueNode)
	case stringNode:
		v = textValue(n.text)
	case numberNode:
		if v, _ = number(n.text); numbersAsText {
			v = textValue(n.text)
		}
	}
	v.node = n
	return v
}

// step goes one step into the node, nil if there is nothing.
func (n *node) step(s step) *node {
	if s.kind == indexStep {
		if n.kind == arrayNode && s.index >= 0 && s.index < len(n.nodes) {
			return n.nodes[s.index]
		}
		return nil
	}
	if n.kind != objectNode {
		return nil
	}
	var other *node
	for i, name := range n.names {
		if name == s.name {
			return n.nodes[i]
		}
		if other == nil && strings.EqualFold(name, s.name) {
			other = n.nodes[i]
		}
	}
	return other
}

func (n *node) walk(path []step) *node {
	for _, s := range path {
		if n = n.step(s); n == nil {
			return nil
		}
	}
	return n
}

// each calls f with all that path leads to.
func (n *node) each(path []step, f func(*node) error) error {
	for i, s := range path {
		if s.kind != allStep {
			if n = n.step(s); n == nil {
				return nil
			}
			continue
		}
		if n.kind != arrayNode {
			return nil
		}
		for _, v := range n.nodes {
			if err := v.each(path[i+1:], f); err != nil {
				return err
			}
		}
		return nil
	}
	return f(n)
}
