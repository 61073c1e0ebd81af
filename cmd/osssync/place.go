package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// place is one SRC or DST of a command line. A bucket makes it remote, stdio
// makes it stdin or stdout, otherwise path is local.
type place struct {
	bucket, key string
	path        string
	stdio       bool
}

const scheme = "oss://"

var (
	schemePattern = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]+)://`)
	bucketPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)
	queryPattern  = regexp.MustCompile(`\?[A-Za-z0-9_.-]+=`)
)

// parsePlace reads SRC or DST: exactly oss://bucket[/key], "-", or a path.
func parsePlace(arg string) (place, error) {
	switch {
	case arg == "":
		return place{}, &usageError{message: "empty source or destination"}
	case arg == "-":
		return place{stdio: true}, nil
	case strings.HasPrefix(arg, scheme):
		return parseURL(arg)
	}
	match := schemePattern.FindStringSubmatch(arg)
	if match == nil {
		return place{path: arg}, nil
	}
	if match[1] != "file" {
		return place{}, &usageError{
			message: fmt.Sprintf("%s:// is not supported", match[1]),
			hint:    "write oss://bucket/key for an object, anything else for a file",
		}
	}
	rest := strings.TrimPrefix(arg, "file://")
	if rest == "" {
		return place{}, &usageError{message: "no path in file://"}
	}
	return place{path: rest}, nil
}

// parseURL reads oss://bucket[/key]. Nothing that may be a secret is repeated
// in its errors. The key is taken as it stands, without decoding.
func parseURL(arg string) (place, error) {
	rest := strings.TrimPrefix(arg, scheme)
	bucket, key, _ := strings.Cut(rest, "/")
	switch {
	case strings.Contains(bucket, "@"):
		return place{}, &usageError{
			message: "the URL holds a user name or password, which do not belong there",
			hint:    "set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET",
		}
	case strings.Contains(bucket, "?"), queryPattern.MatchString(key):
		return place{}, &usageError{
			message: "the URL holds a query, which oss:// does not have",
			hint:    "write oss://bucket/key; a version is chosen with --version-id",
		}
	case bucket == "":
		return place{}, &usageError{message: "no bucket in URL", hint: "write oss://bucket/key"}
	case !bucketPattern.MatchString(bucket):
		return place{}, &usageError{message: fmt.Sprintf("bucket name %q must be 3-63 of a-z 0-9 -, and begin and end with a letter or digit", bucket)}
	case strings.ContainsRune(key, 0):
		return place{}, &usageError{message: "the key holds a NUL byte"}
	}
	return place{bucket: bucket, key: key}, nil
}

// remote parses arg and demands an oss:// URL.
func parseRemote(arg string) (place, error) {
	p, err := parsePlace(arg)
	if err == nil && p.bucket == "" {
		err = &usageError{message: fmt.Sprintf("%s is not an oss:// URL", printable(arg)), hint: "write oss://bucket/key"}
	}
	return p, err
}

func (p place) remote() bool { return p.bucket != "" }
func (p place) local() bool  { return p.bucket == "" && !p.stdio }

// isTree reports whether a remote place can only be a prefix.
func (p place) isTree() bool { return p.remote() && (p.key == "" || strings.HasSuffix(p.key, "/")) }

// String is p as a command line names it, fit for a terminal.
func (p place) String() string {
	switch {
	case p.stdio:
		return "-"
	case p.remote():
		return printable(scheme + p.bucket + "/" + p.key)
	}
	return printable(p.path)
}

// keyFor is the key that the file at source gets below p: "into" p if p ends
// in a slash, else p itself.
func (p place) keyFor(source string) string {
	if p.isTree() {
		return p.key + filepath.Base(source)
	}
	return p.key
}

// pathFor is the path that the object at key gets at p: "into" p if p ends in
// a slash or is a folder, else p itself.
func (p place) pathFor(key string) (string, error) {
	if !os.IsPathSeparator(p.path[len(p.path)-1]) && !isDir(p.path) {
		return p.path, nil
	}
	name := path.Base(key)
	local, err := filepath.Localize(name)
	if err != nil || name == "." {
		return "", &usageError{
			message: fmt.Sprintf("key %q has no name that a file could take", key),
			hint:    "name the file as the destination",
		}
	}
	return filepath.Join(p.path, local), nil
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// url is p as a command line names it, as it stands.
func (p place) url() string {
	switch {
	case p.stdio:
		return "-"
	case p.remote() && p.key == "":
		return scheme + p.bucket
	case p.remote():
		return scheme + p.bucket + "/" + p.key
	}
	return p.path
}
