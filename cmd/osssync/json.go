package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// jsonVersion is the version of every JSON line. Within a version fields may be
// added; none changes its meaning.
const jsonVersion = 1

type startLine struct {
	V           int    `json:"v"`
	Type        string `json:"type"`
	Command     string `json:"command"`
	Source      string `json:"source"`
	Destination string `json:"destination,omitempty"`
	Job         string `json:"job"`
	Resumed     bool   `json:"resumed"`
	DryRun      bool   `json:"dry_run,omitempty"`
}

type progressLine struct {
	V              int            `json:"v"`
	Type           string         `json:"type"`
	Job            string         `json:"job"`
	Phase          transfer.Phase `json:"phase"`
	ObjectsTotal   int64          `json:"objects_total"`
	ObjectsDone    int64          `json:"objects_done"`
	ObjectsSkipped int64          `json:"objects_skipped"`
	ObjectsFailed  int64          `json:"objects_failed"`
	BytesTotal     int64          `json:"bytes_total"`
	BytesDone      int64          `json:"bytes_done"`
	BytesResumed   int64          `json:"bytes_resumed"`
	TotalsKnown    bool           `json:"totals_known"`
	Rate           float64        `json:"rate"`
	MeanRate       float64        `json:"mean_rate"`
	ETASeconds     *float64       `json:"eta_seconds,omitempty"`
	ElapsedSeconds float64        `json:"elapsed_seconds"`
	Retries        int64          `json:"retries"`
	Throttled      int64          `json:"throttled"`
	Running        int            `json:"running"`
	Limit          int            `json:"limit"`
	Active         []activeLine   `json:"active,omitempty"`
}

// activeLine is an object under way, within a progressLine.
type activeLine struct {
	Key            string  `json:"key"`
	Size           int64   `json:"size"`
	Done           int64   `json:"done"`
	Parts          int     `json:"parts,omitempty"`
	PartsDone      int     `json:"parts_done,omitempty"`
	ElapsedSeconds float64 `json:"elapsed_seconds"`
}

type objectLine struct {
	V         int               `json:"v"`
	Type      string            `json:"type"`
	Key       string            `json:"key"`
	Operation string            `json:"operation"`
	Outcome   transfer.Outcome  `json:"outcome"`
	Reason    string            `json:"reason,omitempty"`
	Size      int64             `json:"size"`
	Failure   *transfer.Failure `json:"failure,omitempty"`
}

type summaryLine struct {
	V    int    `json:"v"`
	Type string `json:"type"`
	*transfer.Report
	ElapsedSeconds float64     `json:"elapsed_seconds"`
	ExitCode       int         `json:"exit_code"`
	Continue       string      `json:"continue,omitempty"`
	DryRun         bool        `json:"dry_run,omitempty"`
	Planned        int64       `json:"planned,omitempty"`
	PlannedBytes   int64       `json:"planned_bytes,omitempty"`
	PlannedDeletes int64       `json:"planned_deletes,omitempty"` // of planned
	PlannedRemoves int64       `json:"planned_removes,omitempty"` // sources of a move
	Cost           *costFields `json:"cost,omitempty"`
}

type listedLine struct {
	V    int    `json:"v"`
	Type string `json:"type"`
	listedFields
}

// listedFields are what every line about an object says.
type listedFields struct {
	URL          string    `json:"url"`
	Key          string    `json:"key"`
	Size         int64     `json:"size"`
	ETag         string    `json:"etag"`
	LastModified time.Time `json:"last_modified"`
	StorageClass string    `json:"storage_class"`
	ObjectType   string    `json:"object_type"`
}

func newListedLine(url string, o oss.ObjectSummary) listedLine {
	return listedLine{V: jsonVersion, Type: "object", listedFields: listedFields{
		URL: url, Key: o.Key, Size: o.Size, ETag: o.ETag,
		LastModified: o.LastModified, StorageClass: o.StorageClass, ObjectType: o.Type,
	}}
}

// objectVersionLine is a version of an object or, with DeleteMarker, the mark
// that it was deleted.
type objectVersionLine struct {
	listedLine
	VersionID    string `json:"version_id"`
	Latest       bool   `json:"latest"`
	DeleteMarker bool   `json:"delete_marker"`
}

func newObjectVersionLine(url string, v oss.VersionSummary) objectVersionLine {
	line := objectVersionLine{listedLine: newListedLine(url, v.ObjectSummary), VersionID: v.VersionID, Latest: v.IsLatest, DeleteMarker: v.IsDeleteMarker}
	line.Type = "version"
	return line
}

type prefixLine struct {
	V    int    `json:"v"`
	Type string `json:"type"`
	URL  string `json:"url"`
	Key  string `json:"key"`
}

type bucketLine struct {
	V            int       `json:"v"`
	Type         string    `json:"type"`
	URL          string    `json:"url"`
	Name         string    `json:"name"`
	Region       string    `json:"region"`
	StorageClass string    `json:"storage_class"`
	Created      time.Time `json:"created"`
}

type uploadLine struct {
	V         int       `json:"v"`
	Type      string    `json:"type"`
	URL       string    `json:"url"`
	Key       string    `json:"key"`
	UploadID  string    `json:"upload_id"`
	Initiated time.Time `json:"initiated"`
}

func newUploadLine(p place, u oss.MultipartUpload) uploadLine {
	return uploadLine{
		V: jsonVersion, Type: "upload", URL: scheme + p.bucket + "/" + u.Key,
		Key: u.Key, UploadID: u.UploadID, Initiated: u.Initiated,
	}
}

type countLine struct {
	V     int    `json:"v"`
	Type  string `json:"type"`
	Count int64  `json:"count"`
}

// doneLine says that a command without a job has done what it was asked for.
type doneLine struct {
	V       int    `json:"v"`
	Type    string `json:"type"`
	Command string `json:"command"`
	URL     string `json:"url"`
}

type errorLine struct {
	V        int    `json:"v"`
	Type     string `json:"type"`
	URL      string `json:"url,omitempty"`
	Error    string `json:"error"`
	Hint     string `json:"hint,omitempty"`
	ExitCode int    `json:"exit_code"`
}

const jsonHelp = `With --json stdout gets one JSON object per line. Each has "v", the version of
this form (1), and "type". Within a version fields are only added. Sizes are
bytes, times RFC 3339, durations seconds.

cp, mv, sync, rm, resume, retry, apply, plan (with -o FILE; planned objects are in it):
  start     command, source, destination, job, resumed (goes on with a run that
            did not end), dry_run
  progress  every second: job, phase (starting, listing, transferring, finishing),
            objects_total, objects_done, objects_skipped, objects_failed,
            bytes_total, bytes_done, bytes_resumed, totals_known (totals grow
            no more), rate and mean_rate (bytes per second, of the last seconds
            and since the start), eta_seconds (absent if not known),
            elapsed_seconds, retries, throttled, running and limit (requests
            at once, and how many may be), active: a list of at most 8 objects
            under way {key, size, done, parts, parts_done, elapsed_seconds}
  object    what was done, failed, or, in a dry run, is planned; skipped ones
            are only counted: key, operation (upload, download, copy, delete;
            remove for the source of a move: a key or a path),
            outcome (done, failed, planned), reason, size,
            failure {key, operation, cause, status, code, request_id, attempts,
            retryable}
  summary   the last line: version (of the report within), job, kind, source,
            destination, state (done, incomplete, interrupted, parked, failed,
            held), error, resumed, resumable, started, finished,
            objects {total, done, skipped, failed, changed, stale (left alone by
            apply), deleted, removed},
            bytes {done, resumed}, retries, failures (at most 1000, each as in
            object), left (what resume --state, --code or --include left out, if
            anything is missing: {failed (of the failed), in_flight, pending,
            deletions}), warnings, elapsed_seconds, exit_code, continue (the command
            line that goes on), and for a dry run dry_run, planned,
            planned_bytes, planned_deletes, planned_removes, and for that of a
            tree plan {uploads, downloads, copies, deletes, removes, replaced, bytes, skipped, failed,
            put_requests, get_requests, classes {CLASS: small, small_bytes, early,
            early_bytes}}, and with --cost cost {put_requests, get_requests,
            amount, currency, prices, date}

check:
  start     as of cp
  progress  as of cp
  object    of each name that is not the same on both sides: key (below SRC and
            DST), operation (check), outcome (differs, missing_source,
            missing_destination, failed), reason, size, failure
  summary   as of cp, with the state different if there are differences, and
            check {same, same_bytes, differ, missing_source,
            missing_destination, unreadable}

rm -m, rm -a:
  upload    what was, or in a dry run would be, aborted: as in ls
  summary   the last line: count

ls:
  object    url, key, size, etag, last_modified, storage_class, object_type
  prefix    url, key
  version   as object, and version_id, latest, delete_marker
  bucket    url, name, region, storage_class, created
  upload    url, key, upload_id, initiated
  summary   the last line: count

stat:
  stat      kind (object, bucket), url; of an object key, size, etag,
            last_modified, storage_class, object_type, content_type, version_id,
            crc64 (decimal, a string), acl, symlink_target, meta {}, headers {};
            of a bucket name, location, created, extranet_endpoint,
            intranet_endpoint, acl, owner, storage_class, redundancy, versioning,
            encryption, kms_master_key_id, resource_group, block_public_access,
            usage {objects, bytes, uploads, at}

du:
  usage     url or path, objects, bytes: a folder, with -d
  class     storage_class, objects, bytes
  summary   for each name: url or path, objects, bytes, noncurrent_objects,
            noncurrent_bytes, delete_markers

hash:
  hash      url or path, algorithm (crc64, md5), value (decimal; hexadecimal), size

presign:
  presign   url, signed_url, method, expires, headers {} to send with it

mb, rb, restore, set-acl, set-meta:
  done      command, url
  summary   the last line where there may be many: count

read-symlink:
  symlink   url, target_url, target

jobs:
  job       job, kind, source, destination, endpoint, state, pid, created, updated,
            age_seconds, objects_done, objects_in_flight, objects_failed, bytes_done,
            bytes_in_flight, bytes_arrived, resumable, continue, reason (what stopped
            its last run), error, options
  in_flight (show, export) job, key, state, size, arrived, part_size, upload_id,
            temporary_name, started
  failure   (show, export) job, and as in object
  garbage   (rm) as in gc
  summary   (list) the last line: count

gc:
  garbage   kind, name, job, since, removed, error

config:
  setting   name, value, origin
  checked   name, value, origin

filter-test:
  verdict   key, in, rule (what decided; absent if nothing did), source (the flag, or the
            file and line), listed (of a key that ends in /: it would be looked into)

probe:
  step      step, result (ok, slow, failed, skipped), seconds, detail, error, hint
  summary   the last line: ok, slow, failed, skipped, exit_code

bench:
  bench     kind, operation, size, operations, errors, bytes, seconds, rate (bytes per
            second), per_second, latency_ms {p50, p90, p99, max}, histogram
            [{below_ms, count}]
  tune      of bench tune: size, jobs (the smallest number of requests at once that
            is as good as the best), rate, measured: a list of {jobs, rate, p50_ms}

state check:
  checked   job, state (sound, locked, newer, damaged, unreadable, set aside), reason, pid

ctl:
  setting   job, setting (bandwidth-limit), value: of a running job, "" for no limit

serve:
  serve     endpoint, access_key_id, access_key_secret (absent if it was given), ca_file
            (with --tls): it answers from now on. Also without --json

run:
  the lines of each command, with "line", its number, in every object; then
  text      line, text: what a command printed that is no JSON, as help does
  line      line, command, exit_code, elapsed_seconds: how that line ended
  run       the last line: lines (that were begun), failed, failed_lines, not_begun,
            exit_code, continue, elapsed_seconds

version:
  version   version, go, platform, commit

cat, and a copy to stdout, go without --json. help and --help, completion and man print
their text all the same.

Any command that fails before it has begun, or for one of several names:
  error     error, hint, exit_code, url (of the one name)
`

// newJSONTopic is the help topic "json".
func newJSONTopic() *cobra.Command {
	return &cobra.Command{Use: "json", Short: "What --json prints", Long: jsonHelp}
}

// emit writes v as one line to stdout, from any goroutine. Neither a reader that
// left nor a full disk stops a job; the latter is an error at its end.
func (a *app) emit(v any) {
	a.stdoutMu.Lock()
	defer a.stdoutMu.Unlock()
	if err := a.writeJSON(a.stdout, v); err != nil {
		if a.lost == nil {
			a.lost = err
		}
		a.log.Info("line not written", "err", err)
	}
}

// lostOutput is why something is missing on stdout, nil if none is or nobody reads
// them.
func (a *app) lostOutput() error {
	a.stdoutMu.Lock()
	defer a.stdoutMu.Unlock()
	switch {
	case quietPipe(a.lost):
		return nil
	case a.lost == nil:
		if p, ok := a.stdout.(*pipeWriter); ok && p.lost.Load() != nil {
			return fmt.Errorf("write to stdout: %w", *p.lost.Load())
		}
		return nil
	}
	return fmt.Errorf("lines of --json are lost: %w", a.lost)
}

// wantsJSON reports whether a command line whose flags could not be read asks
// for JSON, or the environment does.
func wantsJSON(args []string) bool {
	want, _ := strconv.ParseBool(os.Getenv(envPrefix + "JSON"))
	for _, arg := range args {
		if arg == "--" {
			break
		}
		if name, value, given := strings.Cut(arg, "="); name == "--json" {
			said, _ := strconv.ParseBool(value)
			want = !given || said
		}
	}
	return want
}

// writeJSON writes v as one line.
func (a *app) writeJSON(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}
