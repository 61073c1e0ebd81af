package localfs

import (
	"runtime"
	"strings"
	"unicode/utf8"
)

// EncodeKey is key as a path of names that files can have on this system: the
// table in the package's comment says how. Every key has another one, and
// DecodeKey takes it back. What is not UTF-8 or has a NUL byte is no key and
// stays. The result may still be too long for CheckKey, and need not be UTF-8.
func EncodeKey(key string) string { return hostNames.mapKey(key, nameRules.encode) }

// DecodeKey is the key that EncodeKey makes path of. A path that it makes of no
// key is a key as it stands, and EncodeKey leaves that one as it is: paths that
// pass CheckKey, and those that only are not UTF-8, have each another key.
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
	raw     bool // it need not be UTF-8
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

// encode is one name of a key as a file's.
func (r nameRules) encode(name string) string {
	switch o, escaped := r.origin(name); {
	case o == originKey:
		return r.escape(name)
	case o == originFile && escaped:
		return unescape(name)
	}
	return name
}

// decode takes encode back.
func (r nameRules) decode(name string) string {
	switch o, escaped := r.origin(name); {
	case o == originFile:
		return r.escape(name)
	case o == originKey && escaped:
		return unescape(name)
	}
	return name
}

// origin is what a name is escaped from, once or more often: escaped says that
// it is, for that name itself has the origin, too.
//
// Names of keys are escaped on the way to a file, and names of files on the way
// to a key. No escape is itself one that has to be escaped, so that a name has
// one origin at most, and what looks like an escape and has none stays as it is
// on both ways.
type origin int

const (
	originNone origin = iota
	originKey         // the name of a key that no file can have
	originFile        // the name of a file that no key can have
)

func (r nameRules) origin(name string) (o origin, escaped bool) {
	for {
		reason := r.reason(name)
		switch {
		case strings.IndexByte(name, 0) >= 0:
			return originNone, false
		case !utf8.ValidString(name):
			if r.raw = true; r.reason(name) == "" {
				return originFile, escaped
			}
			return originNone, false
		case reason != "":
			return originKey, escaped
		}
		plain := unescape(name)
		if plain == name || r.escape(plain) != name || r.alone && plain == "" {
			return originNone, false
		}
		name, escaped = plain, true
	}
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
