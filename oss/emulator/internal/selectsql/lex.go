package selectsql

import "strings"

type tokenKind byte

const (
	endToken    tokenKind = iota
	wordToken             // a keyword or a name
	quotedToken           // a name in quotes
	textToken
	numberToken
	signToken // an operator or a bracket
)

// token is one word of a statement. For words, text is as written.
type token struct {
	kind tokenKind
	text string
}

func (t token) is(keyword string) bool {
	return t.kind == wordToken && strings.EqualFold(t.text, keyword)
}

func (t token) sign(s string) bool { return t.kind == signToken && t.text == s }

func (t token) String() string {
	if t.kind == endToken {
		return "the end"
	}
	return "'" + t.text + "'"
}

// signs are the operators, longer ones before those they begin with.
var signs = []string{"<>", "<=", ">=", "!=", "||", "==", "=", "<", ">", "+", "-", "*", "/", "%", "(", ")", "[", "]", ",", ".", ";"}

// lex splits a statement into its tokens, without the last one, endToken.
func lex(s string) ([]token, error) {
	var out []token
	for {
		s = strings.TrimLeft(s, " \t\r\n")
		if s == "" {
			return out, nil
		}
		switch c := s[0]; {
		case c == '\'' || c == '"' || c == '`':
			text, rest, ok := cutQuoted(s)
			if !ok {
				if strings.TrimSpace(s[1:]) == "" {
					return out, nil // the service takes a lone quote at the end for nothing
				}
				return nil, badSQL("a quote is not closed")
			}
			kind := quotedToken
			if c == '\'' {
				kind = textToken
			}
			out, s = append(out, token{kind, text}), rest
		case isDigit(c) || c == '.' && len(s) > 1 && isDigit(s[1]) && !follows(out):
			n := numberLen(s)
			out, s = append(out, token{numberToken, s[:n]}), s[n:]
		case isLetter(c):
			n := 1
			for n < len(s) && (isLetter(s[n]) || isDigit(s[n])) {
				n++
			}
			out, s = append(out, token{wordToken, s[:n]}), s[n:]
		default:
			op := ""
			for _, o := range signs {
				if strings.HasPrefix(s, o) {
					op = o
					break
				}
			}
			if op == "" {
				return nil, badSQL("%q is not part of any statement", c)
			}
			out, s = append(out, token{signToken, op}), s[len(op):]
		}
	}
}

// follows reports whether a dot here would be a step of a path.
func follows(out []token) bool {
	if len(out) == 0 {
		return false
	}
	t := out[len(out)-1]
	return t.kind == wordToken || t.kind == quotedToken || t.sign("]")
}

// cutQuoted cuts what is quoted off the front of s. A quote in it is doubled.
func cutQuoted(s string) (text, rest string, ok bool) {
	q := s[:1]
	var b strings.Builder
	for s = s[1:]; ; {
		part, after, found := strings.Cut(s, q)
		if !found {
			return "", "", false
		}
		b.WriteString(part)
		if !strings.HasPrefix(after, q) {
			return b.String(), after, true
		}
		b.WriteString(q)
		s = after[1:]
	}
}

// numberLen is the length of the number that s begins with.
func numberLen(s string) int {
	n, dot := 0, false
	for n < len(s) && (isDigit(s[n]) || s[n] == '.' && !dot) {
		dot = dot || s[n] == '.'
		n++
	}
	if n < len(s) && (s[n] == 'e' || s[n] == 'E') {
		m := n + 1
		if m < len(s) && (s[m] == '+' || s[m] == '-') {
			m++
		}
		for ; m < len(s) && isDigit(s[m]); m++ {
			n = m + 1
		}
	}
	return n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isLetter counts all of UTF-8 beyond ASCII as letters.
func isLetter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80 || c == '$' || c == '@'
}
