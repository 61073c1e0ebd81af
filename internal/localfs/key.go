package localfs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// maxName is the longest file name, in bytes, on the file systems in use.
const maxName = 255

// KeyError says why a key cannot be a file below a root.
type KeyError struct {
	Key    string
	Reason string
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("key %q: %s", e.Key, e.Reason)
}

// CheckKey returns a *KeyError if key cannot be a file below a root on this
// system. Two keys that pass it are two files, except on file systems that
// fold case or normalise Unicode.
func CheckKey(key string) error {
	_, err := checked(key, key, hostNames)
	return err
}

// CheckEncoded is CheckKey for the file that EncodeKey gives a key.
func CheckEncoded(key string) error {
	_, err := checkedEncoded(key, EncodeKey(key))
	return err
}

func keyReason(key string, rules nameRules) string {
	if key == "" {
		return "is empty"
	}
	for name := range strings.SplitSeq(key, "/") {
		if reason := rules.reason(name); reason != "" {
			// A folder may be named so, and then is in nobody's way.
			if reason == reasonTemp && !strings.HasSuffix("/"+key, "/"+name) {
				continue
			}
			return reason
		}
		if len(name) > maxName {
			return fmt.Sprintf("has a name of over %d bytes", maxName)
		}
	}
	return ""
}

const reasonTemp = "has the name of a temporary file of osssync"

// reason says why name can be no file's, whatever its length.
func (r nameRules) reason(name string) string {
	switch {
	case name == "":
		return "has an empty name between slashes"
	case name == ".":
		return `has the name "."`
	case name == "..":
		return "leaves the target folder"
	case strings.IndexByte(name, 0) >= 0:
		return "has a NUL byte"
	case !r.raw && !utf8.ValidString(name):
		return string(SkippedName)
	case r.windows:
		if reason := windowsReason(name); reason != "" {
			return reason
		}
	}
	if isTempName(name) {
		return reasonTemp
	}
	return ""
}

// windowsReason says why name cannot be a file name on Windows, or would be
// silently changed into another one there.
func windowsReason(name string) string {
	if i := strings.IndexFunc(name, func(c rune) bool {
		return c < ' ' || strings.ContainsRune(windowsForbidden, c)
	}); i >= 0 {
		return fmt.Sprintf("has a character that Windows does not allow in a name: %q", name[i])
	}
	if strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") {
		return "has a name that ends in a dot or a space, which Windows drops"
	}
	if isDevice(name) {
		return "has a name that Windows reserves"
	}
	return ""
}

const (
	tempPrefix = ".osssync-"
	tempSuffix = ".part"
	tempDigits = 16
)

// TempName returns the name of the temporary file that belongs to seed:
// ".osssync-<16 hex digits>.part". The same seed gives the same name, so that a
// later run finds what a killed one left. No key maps to such a name.
func TempName(seed string) string {
	return tempPrefix + digits(seed) + tempSuffix
}

// OwnedTempName is TempName with 16 digits more, before those of seed, that
// follow from owner: Temps finds all that one owner has left.
func OwnedTempName(owner, seed string) string {
	return tempPrefix + digits(owner) + digits(seed) + tempSuffix
}

// digits are those of a temporary name that stand for text.
func digits(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:tempDigits/2])
}

// isOwned reports whether name is one that OwnedTempName gives that owner.
func isOwned(name, owner string) bool {
	return isTempName(name) && strings.HasPrefix(name, tempPrefix+digits(owner)) &&
		len(name) == len(tempPrefix)+2*tempDigits+len(tempSuffix)
}

// isTempName reports whether name is one of ours, of either kind, also in another case, since
// some file systems do not tell cases apart.
func isTempName(name string) bool {
	if n := len(name) - len(tempPrefix) - len(tempSuffix); n != tempDigits && n != 2*tempDigits || name[0] != '.' {
		return false
	}
	name = strings.ToLower(name)
	hexDigits, ok := strings.CutPrefix(name, tempPrefix)
	if !ok {
		return false
	}
	hexDigits, ok = strings.CutSuffix(hexDigits, tempSuffix)
	if !ok {
		return false
	}
	_, err := hex.DecodeString(hexDigits)
	return err == nil
}

// localTemp is local for a key that a temporary file belongs to, whose name it
// checks.
func (r *Root) localTemp(key, tempName string) (string, error) {
	if !isTempName(tempName) {
		return "", &KeyError{Key: tempName, Reason: "is not the name of a temporary file of osssync"}
	}
	return r.local(key)
}

// localFolder is local for a folder, whose key may end in a slash.
func (r *Root) localFolder(key string) (string, error) {
	key = strings.TrimSuffix(key, "/")
	if r.encode {
		return checkedEncoded(key, encodeFolder(key))
	}
	return checked(key, key, hostNames)
}

// folderKey is the key, without a slash at its end, that localFolder makes path of.
func (r *Root) folderKey(path string) string {
	if r.encode {
		return strings.TrimSuffix(DecodeKey(path+"/%"), "/")
	}
	return path
}

// local is the path below the root of the file that key stands for.
func (r *Root) local(key string) (string, error) {
	if r.encode {
		return checkedEncoded(key, EncodeKey(key))
	}
	return checked(key, key, hostNames)
}

// checked is the path of key, if it can be one.
func checked(key, path string, rules nameRules) (string, error) {
	if reason := keyReason(path, rules); reason != "" {
		return "", &KeyError{Key: key, Reason: reason}
	}
	return path, nil
}

// checkedEncoded is checked for an encoded path. It is another one for each key
// that is UTF-8, and need not be so itself.
func checkedEncoded(key, path string) (string, error) {
	rules := hostNames
	if rules.raw = true; !utf8.ValidString(key) {
		return "", &KeyError{Key: key, Reason: string(SkippedName)}
	}
	return checked(key, path, rules)
}

// SplitRoot splits the path of one file into the directory to open as a Root
// and the file's key in it. It looks at the text only. key is "" where the
// path can only mean a directory: "/", "..", "" or a path that ends in a
// separator; dir is then that directory.
func SplitRoot(path string) (dir, key string) {
	clean := filepath.Clean(path)
	base := filepath.Base(clean)
	if path == "" || filepath.Dir(clean) == clean || base == "." || base == ".." || endsInSeparator(path) {
		return clean, ""
	}
	return filepath.Dir(clean), base
}

func endsInSeparator(path string) bool {
	return filepath.ToSlash(path[len(path)-1:]) == "/"
}

// splitKey splits a key into its folder ("" for the root) and its name.
func splitKey(key string) (dir, name string) {
	i := strings.LastIndexByte(key, '/')
	if i < 0 {
		return "", key
	}
	return key[:i], key[i+1:]
}
