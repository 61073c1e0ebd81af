package localfs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"runtime"
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
	if reason := keyReason(key); reason != "" {
		return &KeyError{Key: key, Reason: reason}
	}
	return nil
}

func keyReason(key string) string {
	switch {
	case key == "":
		return "is empty"
	case strings.IndexByte(key, 0) >= 0:
		return "has a NUL byte"
	case !utf8.ValidString(key):
		return string(SkippedName)
	}
	var last string
	for name := range strings.SplitSeq(key, "/") {
		switch {
		case name == "":
			return "has an empty name between slashes"
		case name == ".":
			return `has the name "."`
		case name == "..":
			return "leaves the target folder"
		case len(name) > maxName:
			return fmt.Sprintf("has a name of over %d bytes", maxName)
		}
		if runtime.GOOS == "windows" {
			if reason := windowsReason(name); reason != "" {
				return reason
			}
		}
		last = name
	}
	if isTempName(last) {
		return "has the name of a temporary file of osssync"
	}
	return ""
}

// windowsReason says why name cannot be a file name on Windows, or would be
// silently changed into another one there.
func windowsReason(name string) string {
	if i := strings.IndexFunc(name, func(c rune) bool {
		return c < ' ' || strings.ContainsRune(`<>:"\|?*`, c)
	}); i >= 0 {
		return fmt.Sprintf("has a character that Windows does not allow in a name: %q", name[i])
	}
	if strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") {
		return "has a name that ends in a dot or a space, which Windows drops"
	}
	if _, err := filepath.Localize(name); err != nil {
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
	sum := sha256.Sum256([]byte(seed))
	return tempPrefix + hex.EncodeToString(sum[:tempDigits/2]) + tempSuffix
}

// isTempName reports whether name is one of ours, also in another case, since
// some file systems do not tell cases apart.
func isTempName(name string) bool {
	if len(name) != len(tempPrefix)+tempDigits+len(tempSuffix) || name[0] != '.' {
		return false
	}
	name = strings.ToLower(name)
	digits, ok := strings.CutPrefix(name, tempPrefix)
	if !ok {
		return false
	}
	digits, ok = strings.CutSuffix(digits, tempSuffix)
	if !ok {
		return false
	}
	_, err := hex.DecodeString(digits)
	return err == nil
}

// checkTemp checks the two names that a temporary file has to do with.
func checkTemp(key, tempName string) error {
	if !isTempName(tempName) {
		return &KeyError{Key: tempName, Reason: "is not the name of a temporary file of osssync"}
	}
	return CheckKey(key)
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
