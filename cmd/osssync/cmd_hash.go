package main

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc64"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

const hashLong = `Print the CRC-64 or MD5 of files and objects, to compare one with the other.

  osssync hash FILE oss://BUCKET/KEY
  osssync hash --type md5 oss://BUCKET/KEY
  osssync hash -                             stdin

The CRC-64 of an object is what the service keeps: no byte of it is read. An MD5 has
to read it all. Of several names, those that fail do not stop the others.

`

func newHashCommand(a *app) *cobra.Command {
	h := &hashing{app: a, kind: choice{allowed: []string{"crc64", "md5"}, value: "crc64"}}
	cmd := &cobra.Command{
		Use:   "hash FILE|oss://BUCKET/KEY...",
		Short: "Print the CRC-64 or MD5 of files and objects",
		Long:  hashLong + globHelp + "\n" + exitHelp,
		Args:  atLeastOne("a file or the URL of an object"),
		RunE:  func(cmd *cobra.Command, args []string) error { return h.run(cmd, args) },
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().Var(&h.kind, "type", "crc64 or md5")
	cmd.Flags().StringVar(&h.versionID, "version-id", "", "this version `ID` of the one object")
	addRaw(cmd, &h.raw)
	return cmd
}

// hashing is one hash.
type hashing struct {
	app       *app
	kind      choice
	versionID string
	raw       bool

	lines bool // several names: one line each
}

// hashLine is a sum, as JSON.
type hashLine struct {
	V         int    `json:"v"`
	Type      string `json:"type"`
	URL       string `json:"url,omitempty"`
	Path      string `json:"path,omitempty"`
	Algorithm string `json:"algorithm"`
	Value     string `json:"value"`
	Size      int64  `json:"size"`
}

func (h *hashing) run(cmd *cobra.Command, args []string) error {
	places := make([]place, len(args))
	for i, arg := range args {
		p, err := parsePlace(arg)
		if err == nil && p.remote() && p.key == "" {
			err = &usageError{message: p.String() + " is a bucket", hint: "write oss://bucket/key"}
		}
		if err != nil {
			return err
		}
		places[i] = p
		h.lines = h.lines || len(args) > 1 || p.remote() && !h.raw && isPattern(p.key)
	}
	buckets := namedBuckets(places)
	if h.versionID != "" && (len(places) > 1 || len(buckets) == 0) {
		return &usageError{message: "--version-id names a version of one object"}
	}
	one := func(r *requester) error {
		return h.app.several(cmd.Context(), r, places, h.raw || h.versionID != "", func(p place) error {
			return h.one(cmd.Context(), r, p)
		})
	}
	if len(buckets) == 0 {
		return one(nil) // files need no account
	}
	return h.app.withEngine(cmd, buckets, one)
}

func (h *hashing) one(ctx context.Context, r *requester, p place) error {
	sum, length, err := h.sum(ctx, r, p)
	if err != nil {
		return err
	}
	value := hex.EncodeToString(sum)
	if h.kind.value == "crc64" {
		value = strconv.FormatUint(binary.BigEndian.Uint64(sum), 10)
	}
	if h.app.flags.json {
		line := hashLine{V: jsonVersion, Type: "hash", Algorithm: h.kind.value, Value: value, Size: length, Path: p.url()}
		if p.remote() {
			line.URL, line.Path = line.Path, ""
		}
		return h.app.writeJSON(h.app.stdout, line)
	}
	text := fmt.Sprintf("%-28s: %s\n", "CRC64-ECMA", value)
	switch {
	case h.lines:
		text = value + "  " + h.app.name(p.url()) + "\n"
	case h.kind.value == "md5":
		text = fmt.Sprintf("%-28s: %s\n%-28s: %s\n", "MD5", strings.ToUpper(value), "Content-MD5", base64.StdEncoding.EncodeToString(sum))
	}
	_, err = io.WriteString(h.app.stdout, text)
	return err
}

// sum hashes what is at p and gives its length in bytes.
func (h *hashing) sum(ctx context.Context, r *requester, p place) (sum []byte, length int64, err error) {
	var sink hash.Hash = md5.New()
	if h.kind.value == "crc64" {
		sink = crc64.New(crc64.MakeTable(crc64.ECMA))
	}
	counted := &countingWriter{w: sink}
	switch {
	case p.stdio:
		_, err = io.Copy(counted, newPatientReader(ctx, h.app.stdin))
	case p.remote() && h.kind.value == "crc64":
		var meta *oss.ObjectMeta
		err = r.engine.Try(ctx, "", func(ctx context.Context) (err error) {
			meta, err = r.bucket(p).HeadObject(ctx, p.key, &oss.HeadObjectOptions{VersionID: h.versionID})
			return err
		})
		if err != nil {
			return nil, 0, err
		}
		if meta.HasCRC64 {
			return binary.BigEndian.AppendUint64(nil, meta.CRC64), meta.Size, nil
		}
		fallthrough // an old object, whose sum the service does not know
	case p.remote():
		_, err = r.engine.DownloadTo(ctx, r.location(p), counted, &transfer.DownloadOptions{
			JobOptions: transfer.JobOptions{Service: r.name}, VersionID: h.versionID,
		})
	default:
		err = readFile(ctx, p.path, counted)
	}
	return sink.Sum(nil), counted.n, err
}

// readFile writes a file to w until ctx ends.
func readFile(ctx context.Context, name string, w io.Writer) error {
	if isDir(name) {
		return &usageError{message: printable(name) + " is a folder", hint: "name the files in it"}
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	_, err = io.Copy(w, newPatientReader(ctx, f))
	return err
}

// countingWriter counts what passes.
type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
