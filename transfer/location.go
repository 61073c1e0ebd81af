package transfer

import (
	"strconv"
	"strings"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/crypto"
)

// Location is one side of a job: a file or folder of this machine, or a key or
// prefix of a bucket.
type Location struct {
	// Bucket is nil for this machine's file system.
	Bucket *oss.Bucket

	// Keys encrypt, on this machine, what is written to the bucket and
	// decrypt what is read from it; nil leaves bytes as they are. What is not
	// encrypted is read all the same. Uploads, downloads and Sync between a
	// folder and a bucket take them; copies between buckets keep the
	// encryption their source has.
	Keys crypto.Provider

	// Path is a local path, or a key. As the side of a tree a key is a
	// prefix that ends in "/"; the slash is added where it is missing.
	Path string

	only string // of a tree of one name: the file below Path, or the whole key; "" for others
}

// Local is the file or folder at path.
func Local(path string) Location { return Location{Path: path} }

// Remote is the object, or the tree of objects, at key in bucket.
func Remote(bucket *oss.Bucket, key string) Location {
	return Location{Bucket: bucket, Path: key}
}

// String is the location as a command line names it, with what could harm a
// terminal quoted.
func (l Location) String() string {
	s := l.whole()
	if l.Bucket != nil {
		s = "oss://" + l.Bucket.Name() + "/" + s
	}
	return printable(s)
}

// bucketName is "" for this machine.
func (l Location) bucketName() string {
	if l.Bucket == nil {
		return ""
	}
	return l.Bucket.Name()
}

// printable quotes s if it has bytes that do not belong on a terminal.
func printable(s string) string {
	for _, r := range s {
		if !strconv.IsPrint(r) {
			return strconv.Quote(s)
		}
	}
	if strings.ToValidUTF8(s, "") != s {
		return strconv.Quote(s)
	}
	return s
}

// oneLine makes a text that may hold names and a server's words fit for a line
// of a log or a terminal.
func oneLine(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return s
	}
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimRight(s, "\n"), "\n") {
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		for _, r := range line {
			if strconv.IsPrint(r) {
				b.WriteRune(r)
			} else {
				b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
			}
		}
	}
	return b.String()
}

// treePrefix is the key prefix that a tree at key has.
func treePrefix(key string) string {
	if key == "" || strings.HasSuffix(key, "/") {
		return key
	}
	return key + "/"
}
