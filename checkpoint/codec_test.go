package checkpoint_test

import (
	"bytes"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"pgregory.net/rapid"
)

func genTime(t *rapid.T, label string) time.Time {
	return time.Unix(rapid.Int64().Draw(t, label+" s"), rapid.Int64Range(0, 999_999_999).Draw(t, label+" ns")).UTC()
}

func genETag(t *rapid.T) string {
	return rapid.OneOf(rapid.StringMatching(`[0-9A-F]{32}`), rapid.StringMatching(`[0-9a-f]{32}`), rapid.String(), rapid.StringMatching(`[0-9A-F]{32}-7`)).Draw(t, "etag")
}

func genIdentity(t *rapid.T) checkpoint.Identity {
	return checkpoint.Identity{
		Size: rapid.Int64().Draw(t, "size"), ModTime: rapid.Int64().Draw(t, "mtime"), ChangeTime: rapid.Int64().Draw(t, "ctime"),
		Device: rapid.Uint64().Draw(t, "dev"), Inode: rapid.Uint64().Draw(t, "ino"), ETag: genETag(t),
		VersionID: rapid.String().Draw(t, "version"), CRC64: rapid.Uint64().Draw(t, "crc"), HasCRC64: rapid.Bool().Draw(t, "has crc"),
	}
}

func genObject(t *rapid.T, key string) checkpoint.Object {
	return checkpoint.Object{
		Key: key, State: checkpoint.State(rapid.Byte().Draw(t, "state")), Source: genIdentity(t), PartSize: rapid.Int64().Draw(t, "part size"),
		UploadID: rapid.String().Draw(t, "upload"), TempName: rapid.String().Draw(t, "temp"), Nonce: rapid.String().Draw(t, "nonce"),
		CRC64: rapid.Uint64().Draw(t, "crc"), Started: genTime(t, "started"), Material: rapid.String().Draw(t, "material"),
		Bucket: rapid.String().Draw(t, "bucket"), Target: rapid.String().Draw(t, "target"), Before: genIdentity(t),
	}
}

func genPart(t *rapid.T, number int) checkpoint.Part {
	return checkpoint.Part{Number: number, Size: rapid.Int64().Draw(t, "size"), CRC64: rapid.Uint64().Draw(t, "crc"), ETag: genETag(t)}
}

func genSettled(t *rapid.T, key string) checkpoint.Settled {
	return checkpoint.Settled{Key: key, Source: genIdentity(t), Dest: genIdentity(t), At: genTime(t, "at")}
}

func genFailure(t *rapid.T, key string) checkpoint.Failure {
	return checkpoint.Failure{
		Key: key, Operation: rapid.String().Draw(t, "op"), Cause: rapid.StringN(-1, 200, 1024).Draw(t, "cause"), Status: rapid.Int().Draw(t, "status"),
		Code: rapid.String().Draw(t, "code"), RequestID: rapid.String().Draw(t, "request"), Attempts: rapid.Int().Draw(t, "attempts"),
		Retryable: rapid.Bool().Draw(t, "retryable"), At: genTime(t, "at"),
	}
}

func genChange(t *rapid.T, key string) checkpoint.Change {
	c := checkpoint.Change{Key: key, Before: genIdentity(t), Kept: rapid.String().Draw(t, "kept"), At: genTime(t, "at")}
	for range rapid.IntRange(0, checkpoint.MaxAfter).Draw(t, "after") {
		c.After = append(c.After, genIdentity(t))
	}
	return c
}

func TestRoundtrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.String().Draw(t, "key")
		numbers := rapid.SliceOfNDistinct(rapid.IntRange(1, checkpoint.PartsPerBlock), 1, 8, rapid.ID[int]).Draw(t, "numbers")
		slices.Sort(numbers)
		offset := rapid.IntRange(0, checkpoint.MaxPartNumber/checkpoint.PartsPerBlock-1).Draw(t, "block") * checkpoint.PartsPerBlock
		var parts []checkpoint.Part
		for _, n := range numbers {
			parts = append(parts, genPart(t, offset+n))
		}
		job := checkpoint.Job{
			ID: rapid.String().Draw(t, "id"), Kind: rapid.String().Draw(t, "kind"), Source: rapid.String().Draw(t, "source"),
			Destination: rapid.String().Draw(t, "destination"), State: rapid.String().Draw(t, "state"), Created: genTime(t, "created"),
			Spec: rapid.String().Draw(t, "spec"),
		}
		if options := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "options"); len(options) > 0 {
			job.Options = options
		}
		for _, v := range []any{job, genObject(t, key), parts, genSettled(t, key), genFailure(t, key), genChange(t, key), checkpoint.Object{Key: key}, checkpoint.Settled{}} {
			got, err := checkpoint.Roundtrip(v)
			if err != nil || !reflect.DeepEqual(got, v) {
				t.Fatalf("%T: %v\n got %+v\nwant %+v", v, err, got, v)
			}
		}
	})
}

// FuzzDecode: no bytes panic or ask for much memory, and what is accepted is
// stable: encoded and decoded again it is the same.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{}, uint32(0))
	f.Add([]byte{1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0}, uint32(0))
	f.Add(bytes.Repeat([]byte{0xFF}, 40), uint32(1))
	f.Add([]byte("\x04abcd\x00\x00\x00\x00\x00\x00\xFF\xFF\xFF\xFF\x0F"), uint32(math.MaxUint32))
	f.Add(append([]byte{2, 1, 0, 0, 0, 0}, make([]byte, 30)...), uint32(7))
	f.Fuzz(func(t *testing.T, payload []byte, block uint32) {
		for _, v := range checkpoint.DecodeAny(payload, block) {
			if again, err := checkpoint.Roundtrip(v); err != nil || !reflect.DeepEqual(again, v) {
				if failure, ok := v.(checkpoint.Failure); ok && len(failure.Cause) > 1024 {
					continue // cut on the way in
				}
				t.Fatalf("%T is not stable: %v\n got %+v\nwant %+v", v, err, again, v)
			}
		}
	})
}

// FuzzUnframe: a frame is accepted only where it was made, and unchanged.
func FuzzUnframe(f *testing.F) {
	f.Add("key", []byte("payload"), uint(3))
	f.Add("", []byte{}, uint(0))
	f.Fuzz(func(t *testing.T, key string, payload []byte, bit uint) {
		_, _ = checkpoint.Unframe(key, payload) // must not panic
		rec, err := checkpoint.Frame(key, payload)
		if err != nil {
			return
		}
		if got, err := checkpoint.Unframe(key, rec); err != nil || !bytes.Equal(got, payload) {
			t.Fatalf("got %q, %v, want %q", got, err, payload)
		}
		if _, err := checkpoint.Unframe(key+"x", rec); err == nil {
			t.Fatal("accepted under another key")
		}
		if _, err := checkpoint.UnframeSettled(key, rec); err == nil {
			t.Fatal("accepted in another bucket")
		}
		rec[bit/8%uint(len(rec))] ^= 1 << (bit % 8)
		if _, err := checkpoint.Unframe(key, rec); err == nil {
			t.Fatalf("accepted with bit %d flipped", bit)
		}
	})
}

func TestJobID(t *testing.T) {
	type job struct {
		kind, source, destination string
		options                   map[string]string
	}
	jobs := []job{
		{"upload", "/a", "oss://b/", nil},
		{"download", "/a", "oss://b/", nil},
		{"upload", "/aoss:", "//b/", nil},
		{"upload/a", "", "oss://b/", nil},
		{"upload", "/a", "oss://b/", map[string]string{"x": "y"}},
		{"upload", "/a", "oss://b/", map[string]string{"xy": ""}},
		{"upload", "/a", "oss://b/", map[string]string{"": "xy"}},
		{"upload", "/a", "oss://b/", map[string]string{"x": "", "y": ""}},
	}
	seen := make(map[string]job)
	for _, j := range jobs {
		id := checkpoint.JobID(j.kind, j.source, j.destination, j.options)
		if len(id) != 16 || strings.Trim(id, "0123456789abcdef") != "" {
			t.Errorf("id %q", id)
		}
		if other, twice := seen[id]; twice {
			t.Errorf("%+v and %+v have the same id", j, other)
		}
		seen[id] = j
		if again := checkpoint.JobID(j.kind, j.source, j.destination, maps.Clone(j.options)); again != id {
			t.Errorf("%+v: %s, then %s", j, id, again)
		}
	}
	// The id names files of earlier runs: it must never change.
	if id := checkpoint.JobID("upload", "/a", "oss://b/", nil); id != "10c0d1eaa290ea35" {
		t.Errorf("id of the first release's job is now %s", id)
	}
}

func TestStateString(t *testing.T) {
	for s, want := range map[checkpoint.State]string{checkpoint.StateIntent: "intent", checkpoint.StateCompleting: "completing", 0: "state 0", 77: "state 77"} {
		if s.String() != want {
			t.Errorf("%d: %q, want %q", s, s, want)
		}
	}
}

// What the first schema wrote lacks the fields that came later.
func TestOlderRecords(t *testing.T) {
	job := checkpoint.Job{ID: "i", Kind: "k", Created: time.Unix(1, 0).UTC(), Options: map[string]string{"a": "b"}}
	object := checkpoint.Object{Key: "k", UploadID: "u", Started: time.Unix(2, 0).UTC()}
	change := checkpoint.Change{Key: "k", Kept: "p", At: time.Unix(3, 0).UTC()}
	for _, v := range []any{job, object, change} {
		got, err := checkpoint.Older(v)
		if err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%v: %+v", err, got)
		}
	}
}
