package localfs

import (
	"runtime"
	"strings"
	"unicode/utf8"
)

// EncodeKey is key as a path of names that files can have on this system: the
// table in the package's comment says how. Every key has another one, and
// DecodeKey takes it back. The result may still be too long for CheckKey.
func EncodeKey(key string) string { return hostNames.mapKey(key, nameRules.encode) }

// DecodeKey is the key that EncodeKey makes path of. A path that it makes of no
// key is a key as it stands, and EncodeKey leaves that one as it is: paths that
// pass CheckKey, too, have each another key.
func DecodeKey(path string) string { return hostNames.mapKey(path, nameRules.decode) }

// encodeFolder is the path of the folder that key, without a slash at its end, is
// the name of.
func encodeFolder(key string) string {
	return strings.TrimSuffix(EncodeKey(key+"/"), "/%")
}

// nameRules says which names files can have.
type nameRules struct {
	windows bool
	alone   bool // the name is all of its key, which is never empty
}

var hostNames = nameRules{windows: runtime.GOOS == "windows"}

func (r nameRules) mapKey(key string, name func(nameRules, string) string) string {
	if strings.IndexByte(key, '/') < 0 {
		r.alone = true
		return name(r, key)
	}
	var b strings.Builder
	b.Grow(len(key))
	for i, one := 0, ""; ; i++ {
		rest, more := "", false
		one, rest, more = strings.Cut(key, "/")
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(name(r, one))
		if !more {
			return b.String()
		}
		key = rest
	}
}

// encode is one name of a key as a file's. One that a file can have, and that
// decode leaves as it is, stays.
func (r nameRules) encode(name string) string {
	if r.isEncoded(name) {
		return r.escape(name)
	}
	return name
}

// decode takes encode back. What only looks like an escape, since encode would
// not have made it, stays.
func (r nameRules) decode(name string) string {
	if plain, ok := r.decoded(name); ok {
		return plain
	}
	return name
}

// isEncoded says whether encode changes name: files cannot have it, or it is
// what encode makes of another name.
func (r nameRules) isEncoded(name string) bool {
	if r.reason(name) != "" {
		return true
	}
	_, ok := r.decoded(name)
	return ok
}

// decoded is the name that encode makes this one of, if there is one. It is
// shorter, so the two functions that ask each other come to an end.
func (r nameRules) decoded(name string) (plain string, ok bool) {
	if plain = unescape(name); plain == name || r.escape(plain) != name || r.alone && plain == "" {
		return "", false
	}
	return plain, r.isEncoded(plain)
}

// escape writes %XX for each byte that files cannot have in their names there,
// and for each % that would be read as the begin of that.
func (r nameRules) escape(name string) string {
	if name == "" {
		return "%"
	}
	var b strings.Builder
	first := name == "." || name == ".." || isTempName(name) || r.windows && isDevice(name)
	for i := 0; i < len(name); {
		c, n := utf8.DecodeRuneInString(name[i:])
		last := i+n == len(name)
		switch {
		case c == utf8.RuneError && n == 1,
			c == 0,
			i == 0 && first, name == "..",
			r.windows && (c < ' ' || strings.ContainsRune(windowsForbidden, c)),
			r.windows && last && (c == '.' || c == ' '),
			name == "%",
			isEscape(name[i:]):
			const digits = "0123456789ABCDEF"
			b.WriteByte('%')
			b.WriteByte(digits[name[i]>>4])
			b.WriteByte(digits[name[i]&15])
			i++
		default:
			b.WriteString(name[i : i+n])
			i += n
		}
	}
	return b.String()
}

// unescape replaces each %XX.
func unescape(name string) string {
	if name == "%" {
		return ""
	}
	if strings.IndexByte(name, '%') < 0 {
		return name
	}
	b := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		if !isEscape(name[i:]) {
			b = append(b, name[i])
			continue
		}
		b = append(b, hexDigit(name[i+1])<<4|hexDigit(name[i+2]))
		i += 2
	}
	return string(b)
}

// isEscape says whether s begins with % and two digits, as escape writes them.
func isEscape(s string) bool {
	upper := func(c byte) bool { return '0' <= c && c <= '9' || 'A' <= c && c <= 'F' }
	return len(s) >= 3 && s[0] == '%' && upper(s[1]) && upper(s[2])
}

func hexDigit(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c - 'A' + 10
}

// windowsForbidden are the characters that Windows allows in no name, beside
// those below the space.
const windowsForbidden = `<>:"\|?*`

// isDevice says whether Windows takes name for that of a device, whatever
// follows behind a dot ("Naming Files, Paths, and Namespaces").
func isDevice(name string) bool {
	if i := strings.IndexAny(name, ".:"); i >= 0 {
		name = name[:i]
	}
	name = strings.ToUpper(strings.TrimRight(name, " "))
	switch name {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	port, ok := strings.CutPrefix(name, "COM")
	if !ok {
		port, ok = strings.CutPrefix(name, "LPT")
	}
	switch port {
	case "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³":
		return ok
	}
	return false
}
