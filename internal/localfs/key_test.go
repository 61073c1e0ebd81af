package localfs_test

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/osssync/osssync/internal/localfs"
)

func TestCheckKey(t *testing.T) {
	temp := localfs.TempName(rand.Text())
	long := strings.Repeat("x", 255)
	tests := []struct {
		name, key, reason string // reason "": a good key
	}{
		{"plain", "a", ""},
		{"folders", "a/b/c.txt", ""},
		{"dots inside", "a..b", ""},
		{"dots in front", "..a", ""},
		{"three dots", "...", ""},
		{"hidden", ".a", ""},
		{"dash", "-rf", ""},
		{"utf-8", "é/日本/🙂", ""},
		{"longest name", long + "/" + long, ""},
		{"deep", strings.Repeat("a/", 500) + "a", ""},
		{"folder like a temporary file", temp + "/a", ""},
		{"nearly a temporary file", temp + "x", ""},
		{"other digits", ".osssync-0123456789abcdeg.part", ""},
		{"few digits", ".osssync-0123456789abcde.part", ""},

		{"empty", "", "is empty"},
		{"dot", ".", `has the name "."`},
		{"dot first", "./a", `has the name "."`},
		{"dot inside", "a/./b", `has the name "."`},
		{"dot last", "a/.", `has the name "."`},
		{"up", "..", "leaves the target folder"},
		{"up first", "../a", "leaves the target folder"},
		{"up inside", "a/../../b", "leaves the target folder"},
		{"up and in", "a/../b", "leaves the target folder"},
		{"up last", "a/..", "leaves the target folder"},
		{"absolute", "/etc/passwd", "has an empty name between slashes"},
		{"slash", "/", "has an empty name between slashes"},
		{"two slashes", "a//b", "has an empty name between slashes"},
		{"folder marker", "a/", "has an empty name between slashes"},
		{"nul", "a\x00b", "has a NUL byte"},
		{"nul last", "a\x00", "has a NUL byte"},
		{"not utf-8", "a\xffb", "name is not UTF-8"},
		{"surrogate", "\xed\xa0\x80", "name is not UTF-8"},
		{"overlong slash", "..\xc0\xafa", "name is not UTF-8"},
		{"long name", "a/" + long + "x", "has a name of over 255 bytes"},
		{"temporary", temp, "has the name of a temporary file of osssync"},
		{"temporary in a folder", "a/" + temp, "has the name of a temporary file of osssync"},
		{"temporary in capitals", strings.ToUpper(temp), "has the name of a temporary file of osssync"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := localfs.CheckKey(tt.key)
			if tt.reason == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			e, ok := errors.AsType[*localfs.KeyError](err)
			if !ok || e.Key != tt.key || e.Reason != tt.reason {
				t.Fatalf("got %v, want %q", err, tt.reason)
			}
		})
	}
}

func TestKeyErrorIsOneLine(t *testing.T) {
	err := localfs.CheckKey("../\n\x1b[31m\u202e")
	if got, want := err.Error(), `key "../\n\x1b[31m\u202e": leaves the target folder`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// FuzzCheckKey holds the check against io/fs, which has the same idea of a
// valid path but knows no lengths, no NUL and no temporary files.
func FuzzCheckKey(f *testing.F) {
	for _, key := range hostileKeys() {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		err := localfs.CheckKey(key)
		if err == nil {
			if !fs.ValidPath(key) || key == "." || strings.Contains(key, "\x00") {
				t.Fatalf("%q passes and is no valid path", key)
			}
			if p := filepath.FromSlash(key); !filepath.IsLocal(p) || filepath.Clean(p) != p {
				t.Fatalf("%q passes and is not local", key)
			}
			return
		}
		if _, ok := errors.AsType[*localfs.KeyError](err); !ok {
			t.Fatalf("%q: %T", key, err)
		}
		if strings.ContainsAny(err.Error(), "\n\r\x1b\x00") {
			t.Fatalf("%q: control bytes in %q", key, err)
		}
		longest := 0
		for name := range strings.SplitSeq(key, "/") {
			longest = max(longest, len(name))
		}
		if runtime.GOOS != "windows" && fs.ValidPath(key) && key != "." && longest <= 255 &&
			!strings.Contains(key, "\x00") && !strings.Contains(strings.ToLower(key), ".osssync-") {
			t.Fatalf("%q is refused for no reason: %v", key, err)
		}
	})
}

func TestNewTempName(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		name := localfs.TempName(rand.Text())
		if seen[name] || len(name) != len(".osssync-0123456789abcdef.part") {
			t.Fatalf("name %q", name)
		}
		seen[name] = true
		if localfs.CheckKey(name) == nil {
			t.Fatalf("%q can be a key", name)
		}
	}
}

func TestSplitRoot(t *testing.T) {
	tests := []struct{ name, path, dir, key string }{
		{"name", "a", ".", "a"},
		{"relative", "a/b", "a", "b"},
		{"absolute", "/a/b", "/a", "b"},
		{"in the root", "/a", "/", "a"},
		{"unclean", "a//./b/../c", "a", "c"},
		{"dash", "-rf", ".", "-rf"},
		{"up and a name", "../a", "..", "a"},
		{"root", "/", "/", ""},
		{"empty", "", ".", ""},
		{"here", ".", ".", ""},
		{"up", "..", "..", ""},
		{"two up", "../..", "../..", ""},
		{"ends in a slash", "a/b/", "a/b", ""},
		{"goes back", "a/..", ".", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, key := localfs.SplitRoot(filepath.FromSlash(tt.path))
			if filepath.ToSlash(dir) != tt.dir || key != tt.key {
				t.Errorf("got %q, %q, want %q, %q", dir, key, tt.dir, tt.key)
			}
		})
	}
}

// hostileKeys are keys that try to get out, to block, or to land on another
// key's file.
func hostileKeys() []string {
	keys := []string{
		"", "/", "//", "///", ".", "..", "...", "./", "../", ".../", "/.", "/..", "~", "~/x", "~root/x",
		"-", "-rf", "--", "a/", "a//", "a//b", "/a", "//a", "a/.", "a/..", "a/./b", "a/../b", "./a", "../a",
		"../../a", "a/../../b", "a/b/../../../c", "a/b/c/../../../../d", "....//a", "..././a", "..;/a", ".. /a",
		".../..", "a/.../..", "..\x00/a", "a\x00", "\x00", "a\x00/../b", "..\\a", "..\\..\\a", "\\a", "\\\\host\\share\\a",
		"a\\..\\..\\b", "C:\\a", "C:a", "C:/a", "c:..\\a", "\\\\?\\C:\\a", "\\\\.\\PhysicalDrive0", "file:///etc/passwd",
		"CON", "con", "NUL", "nul.txt", "COM1", "LPT9.log", "AUX", "PRN", "CONIN$", "COM\u00b9", "a:stream", "a::$DATA",
		"a.", "a ", "a. .", "a<b", "a>b", "a|b", "a?b", "a*b", "a\"b",
		"%2e%2e/a", "%2e%2e%2fa", "..%2fa", "..%5ca", "%00", "a%00b", "..%c0%afa", "..\xc0\xafa", "\xc0\xae\xc0\xae/a",
		"\xff", "a/\xfe/b", "\xed\xa0\x80", "\u2025/a", "\uff0e\uff0e/a", "..\u2215a", "..\uff0fa", "\u202ea", "a\u200bb",
		"\n", "a\nb", "a\rb", "\t", "\x1b[2J", "\x07", "\x7f", "$(id)", "`id`", "${HOME}/a", "%s%n%d", "a;b", "a&b", "a|b/c",
		"link/a", "link/b/c", "link", "link/", "link/..", "link/../a", "linkfile", "linkfile/a", "dangling", "dangling/a",
		"up/a", "up/up/a", "loop", "loop/a", "abs/a", "abs/etc/passwd", "inner/a", "inner/link/a", "fifo", "fifo/a", "dir", "file", "file/a",
		"dir/../link/a", "dir/link/a", ".osssync-0123456789abcdef.part", "dir/.osssync-0123456789abcdef.part",
		".OSSSYNC-0123456789ABCDEF.PART", ".git/hooks/post-checkout", ".ssh/authorized_keys", "proc/self/fd/1", "dev/stdin",
		strings.Repeat("../", 100) + "etc/passwd", strings.Repeat("a/", 600) + "a", strings.Repeat("a", 256), strings.Repeat("/", 1023),
		strings.Repeat("x", 255), strings.Repeat("\u00e9", 128), strings.Repeat("a", 5000),
	}
	for _, dots := range []string{"..", "../..", "../../..", "link/..", "dir/../..", "up"} {
		for _, rest := range []string{"outside/secret", "outside/new", "root/file", "./outside/secret"} {
			keys = append(keys, dots+"/"+rest)
		}
	}
	return keys
}
