package transfer_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// plan writes the plan of a sync that deletes.
func (s *sides) plan(change func(*transfer.SyncOptions)) (string, *transfer.Report) {
	s.t.Helper()
	o := &transfer.SyncOptions{Delete: true}
	if change != nil {
		change(o)
	}
	var b bytes.Buffer
	report, err := s.engine().Plan(s.t.Context(), s.src, s.dst, &b, o)
	if err != nil {
		s.t.Fatal(err)
	}
	return b.String(), report
}

func (s *sides) apply(ctx context.Context, text string, change func(*transfer.ApplyOptions)) (*transfer.Report, error) {
	s.t.Helper()
	p, err := transfer.ReadPlan(strings.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	o := &transfer.ApplyOptions{}
	o.Bucket = func(string, string) (*oss.Bucket, error) { return s.bucket, nil }
	if change != nil {
		change(o)
	}
	return s.engine().Apply(ctx, p, o)
}

// remove removes one name from a side.
func (s *sides) remove(dst bool, name string) {
	s.t.Helper()
	folder, prefix := s.from, "from/"
	if dst {
		folder, prefix = s.to, "to/"
	}
	var err error
	if folder != "" {
		err = os.Remove(filepath.Join(folder, filepath.FromSlash(name)))
	} else {
		_, err = s.bucket.DeleteObject(s.t.Context(), prefix+name, nil)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// charged is the number of successful requests by the class they are charged as.
func (s *sides) charged() (put, get int64) {
	for _, op := range []string{"PutObject", "CopyObject", "InitiateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload", "DeleteObject", "DeleteMultipleObjects", "ListObjectsV2"} {
		put += int64(len(s.log.requests(s.t, op)))
	}
	for _, op := range []string{"GetObject", "HeadObject"} {
		get += int64(len(s.log.requests(s.t, op)))
	}
	return put, get
}

// names are those of a plan's actions.
func names(t *testing.T, text string) (all []string) {
	t.Helper()
	for line := range strings.Lines(text) {
		var l struct{ Type, Action, Name, Reason string }
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if l.Type == "action" {
			all = append(all, l.Action+" "+l.Name+": "+l.Reason)
		}
	}
	return all
}

var actions = map[string]string{"up": "put", "down": "get", "across": "copy"}

func TestPlanAndApply(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		t.Run(direction, func(t *testing.T) {
			s := newSides(t, direction)
			s.add(false, "a", "b/c", "same", "z")
			s.set(false, "large", noise(1, 5*partSize+7))
			s.add(true, "b.x", "gone/d", "same", "z")
			s.set(true, "b/c", []byte("another length"))
			if _, err := s.sync(func(o *transfer.SyncOptions) {
				o.Filter, o.Delete = choose(t, "+ same", "+ z", "- **"), false
			}); err != nil {
				t.Fatal(err)
			}
			before := s.contents()
			compare := func(o *transfer.SyncOptions) { o.Compare = transfer.CompareChecksum }
			text, report := s.plan(compare)
			do := actions[direction]
			want := []string{do + " a: new", do + " b/c: size differs", do + " large: new", "delete b.x: not at the source", "delete gone/d: not at the source"}
			if got := names(t, text); !slices.Equal(got, want) {
				t.Fatalf("planned is %q, want %q", got, want)
			}
			n := report.Plan
			if n.Uploads+n.Downloads+n.Copies != 3 || n.Deletes != 2 || n.Replaced != 1 || n.Skipped != 2 || n.Bytes != 5*partSize+7+1+3 {
				t.Errorf("%+v", n)
			}
			if again, _ := s.plan(compare); !slices.Equal(names(t, again), want) || !maps.Equal(before, s.contents()) {
				t.Errorf("planning has changed something: %q", names(t, again))
			}
			s.log.forget()
			applied, err := s.apply(t.Context(), text, nil)
			if err != nil || applied.Objects.Done != 5 || applied.Objects.Deleted != 2 || applied.Kind != "apply" || applied.JobID != report.JobID {
				t.Fatalf("%+v, %v", applied, err)
			}
			if put, get := s.charged(); put != n.PutRequests || get != n.GetRequests {
				t.Errorf("took %d and %d requests, planned were %d and %d", put, get, n.PutRequests, n.GetRequests)
			}
			if got := s.have(); !slices.Equal(got, []string{"a", "b/c", "large", "same", "z"}) {
				t.Errorf("left are %q", got)
			}
			if again, report := s.plan(compare); len(names(t, again)) != 0 || report.Plan.PutRequests != 0 {
				t.Errorf("planned again is %q", names(t, again))
			}
			// What is done is done, and is not done again.
			s.log.forget()
			applied, err = s.apply(t.Context(), text, nil)
			if err != nil || applied.Objects.Skipped != 5 || applied.Objects.Done != 0 {
				t.Errorf("again: %+v, %v", applied.Objects, err)
			}
			if moved := len(s.log.requests(t, "PutObject")) + len(s.log.requests(t, "GetObject")) + len(s.log.requests(t, "CopyObject")); moved > 0 {
				t.Errorf("%d objects moved again", moved)
			}
			if n := len(s.log.requests(t, "HeadObject")); direction == "up" && n != 3 {
				t.Errorf("%d questions for 3 objects that are done by the checkpoint", n)
			}
		})
	}
}

// TestPlanOfCopy: everything is copied, and what is there is said.
func TestPlanOfCopy(t *testing.T) {
	s := newSides(t, "up")
	s.add(false, "a", "b")
	s.add(true, "b", "c")
	text, _ := s.plan(func(o *transfer.SyncOptions) { o.Delete, o.Compare = false, transfer.CompareNone })
	if got := names(t, text); !slices.Equal(got, []string{"put a: new", "put b: replaced"}) {
		t.Errorf("planned is %q", got)
	}
	if report, err := s.apply(t.Context(), text, nil); err != nil || report.Objects.Done != 2 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestStalePlan(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		for _, large := range []bool{false, true} {
			t.Run(fmt.Sprint(direction, " large=", large), func(t *testing.T) { testStalePlan(t, direction, large) })
		}
	}
}

func testStalePlan(t *testing.T, direction string, large bool) {
	s := newSides(t, direction)
	content := func(n int) []byte {
		if large {
			return noise(n, 3*partSize+n)
		}
		return noise(n, 10+n)
	}
	all := []string{"appears", "changes", "fine", "from changes", "from goes", "goes"}
	for i, name := range all {
		s.set(false, name, content(i))
	}
	s.add(true, "changes", "fine", "from changes", "goes", "only here")
	text, _ := s.plan(func(o *transfer.SyncOptions) { o.Delete, o.Compare, o.Relay = false, transfer.CompareSize, large })
	if got := names(t, text); len(got) != len(all) {
		t.Fatalf("planned is %q", got)
	}
	s.set(true, "appears", []byte("theirs"))
	s.set(true, "changes", []byte("theirs, too"))
	s.remove(true, "goes")
	s.set(false, "from changes", content(50))
	s.remove(false, "from goes")
	theirs := s.contents()
	report, err := s.apply(t.Context(), text, nil)
	if !errors.Is(err, transfer.ErrStale) || !errors.Is(err, transfer.ErrIncomplete) || report.Objects.Stale != 5 || report.Objects.Failed != 5 || report.Objects.Done != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	theirs["fine"] = string(content(2))
	if have := s.contents(); !maps.Equal(have, theirs) {
		t.Errorf("somebody's object was replaced: have %d, want %d", len(have), len(theirs))
	}
	if n := s.uploads(); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
}

// TestStaleDeletes: what somebody has written since stays, and so does what the
// source has by now.
func TestStaleDeletes(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		t.Run(direction, func(t *testing.T) {
			s := newSides(t, direction)
			s.add(false, "a")
			s.add(true, "back", "changed", "gone", "old")
			text, _ := s.plan(nil)
			s.add(false, "back")
			s.set(true, "changed", []byte("theirs"))
			s.remove(true, "gone")
			report, err := s.apply(t.Context(), text, nil)
			if !errors.Is(err, transfer.ErrStale) || report.Objects.Stale != 2 || report.Objects.Deleted != 1 || report.Objects.Skipped != 1 || report.Objects.Total != 5 {
				t.Fatalf("%+v, %v", report, err)
			}
			if got := s.have(); !slices.Equal(got, []string{"a", "back", "changed"}) {
				t.Errorf("left are %q", got)
			}
		})
	}
}

// TestStaleKeepsDeletes: nothing is deleted if something was not transferred.
func TestStaleKeepsDeletes(t *testing.T) {
	for _, ignore := range []bool{false, true} {
		s := newSides(t, "up")
		s.add(false, "a", "b")
		s.add(true, "old")
		text, _ := s.plan(func(o *transfer.SyncOptions) { o.IgnoreErrors = ignore })
		s.set(false, "a", []byte("longer than it was"))
		report, err := s.apply(t.Context(), text, nil)
		if !errors.Is(err, transfer.ErrStale) || report.Objects.Stale != 1 {
			t.Fatalf("%+v, %v", report, err)
		}
		if got := slices.Contains(s.have(), "old"); got == ignore || !slices.Contains(s.have(), "b") || (len(report.Warnings) == 0) == !ignore {
			t.Errorf("ignoring errors %t: left are %q, %q", ignore, s.have(), report.Warnings)
		}
	}
}

func TestApplyGoesOn(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		t.Run(direction, func(t *testing.T) {
			s := newSides(t, direction)
			for i := range 40 {
				s.add(false, fmt.Sprintf("%02d", i))
			}
			s.add(true, "old")
			text, _ := s.plan(nil)
			ctx, cancel := context.WithCancel(t.Context())
			stopAfter(s.world, 10, cancel, func(r *http.Request) bool {
				return r.Method == http.MethodPut || r.Method == http.MethodGet && strings.Contains(r.URL.Path, "from/")
			})
			first, err := s.apply(ctx, text, nil)
			s.wire.between(nil)
			if !errors.Is(err, context.Canceled) || first.State != transfer.StateInterrupted || first.Objects.Done == 0 {
				t.Fatalf("%+v, %v", first, err)
			}
			second, err := s.apply(t.Context(), text, nil)
			if err != nil || second.Objects.Skipped < first.Objects.Done || second.Objects.Skipped+second.Objects.Done != 41 || !second.Resumed {
				t.Errorf("%+v, %v", second, err)
			}
			if n := len(s.have()); n != 40 {
				t.Errorf("%d are there", n)
			}
		})
	}
}

// TestApplyWithoutState: what an earlier apply has done is known by its content
// where no record says so, and only if all of it is there.
func TestApplyWithoutState(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		t.Run(direction, func(t *testing.T) {
			s := newSides(t, direction)
			s.add(false, "a", "b", "other")
			s.set(false, "large", noise(1, 3*partSize))
			text, _ := s.plan(nil)
			if _, err := s.apply(t.Context(), text, nil); err != nil {
				t.Fatal(err)
			}
			s.state = t.TempDir()
			s.set(true, "other", []byte("OTHER"))
			report, err := s.apply(t.Context(), text, nil)
			if !errors.Is(err, transfer.ErrStale) || report.Objects.Skipped != 3 || report.Objects.Stale != 1 {
				t.Fatalf("%+v, %v", report, err)
			}
			if direction == "up" { // the same bytes, but not the file's time
				s.set(true, "a", []byte("a"))
				s.state = t.TempDir()
				if report, _ := s.apply(t.Context(), text, nil); report.Objects.Stale != 2 {
					t.Errorf("%+v", report.Objects)
				}
			}
		})
	}
}

// TestApplyWithBackup: what a plan replaced and deleted can be taken back.
func TestApplyWithBackup(t *testing.T) {
	s := newSides(t, "across")
	s.add(false, "a", "b")
	s.add(true, "old")
	s.set(true, "a", []byte("what was there"))
	before := s.contents()
	text, _ := s.plan(func(o *transfer.SyncOptions) { o.Backup = s.at("kept/") })
	report, err := s.apply(t.Context(), text, nil)
	if err != nil || report.Objects.Done != 3 {
		t.Fatalf("%+v, %v", report, err)
	}
	if _, err := s.engine().Resume(t.Context(), report.JobID, &transfer.ResumeOptions{Bucket: func(string, string) (*oss.Bucket, error) { return s.bucket, nil }}); err == nil || !strings.Contains(err.Error(), "apply the plan again") {
		t.Errorf("resume: %v", err)
	}
	if _, err := s.undo(report.JobID, nil); err != nil || !maps.Equal(s.contents(), before) {
		t.Errorf("undone is %v, %v", s.contents(), err)
	}
}

// TestPlanStorageClasses: small objects and such that go before their time.
func TestPlanStorageClasses(t *testing.T) {
	s := newSides(t, "up")
	s.set(false, "large", noise(1, 64<<10))
	s.set(false, "small", noise(1, 1000))
	class := func(key, class string) {
		if _, err := s.bucket.PutObject(t.Context(), "to/"+key, strings.NewReader("x"), &oss.PutObjectOptions{ObjectHeaders: oss.ObjectHeaders{StorageClass: class}}); err != nil {
			t.Fatal(err)
		}
	}
	class("large", "Archive")
	class("old", "IA")
	class("older", "Standard")
	_, report := s.plan(func(o *transfer.SyncOptions) { o.Headers.StorageClass = "IA" })
	want := map[string]transfer.ClassCounts{
		"IA":      {Small: 1, SmallBytes: 64<<10 - 1000, Early: 1, EarlyBytes: 1},
		"Archive": {Early: 1, EarlyBytes: 1},
	}
	if got := report.Plan.Classes; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("have %v, want %v", got, want)
	}
}

// sealed is a plan with another sum at its end: as one who knows it would edit
// it.
func sealed(text string) string {
	lines := strings.SplitAfter(text, "\n")
	last := len(lines) - 2
	sum := sha256.Sum256([]byte(strings.Join(lines[:last], "")))
	i := strings.Index(lines[last], `"sha256":"`) + len(`"sha256":"`)
	lines[last] = lines[last][:i] + hex.EncodeToString(sum[:]) + lines[last][i+64:]
	return strings.Join(lines, "")
}

func TestReadPlanRefuses(t *testing.T) {
	s := newSides(t, "down")
	s.add(false, "a", "b/c")
	s.add(true, "w", "x")
	text, _ := s.plan(nil)
	if sealed(text) != text {
		t.Fatal("the sum is not that of the lines")
	}
	line := func(n int) string { return strings.SplitAfter(text, "\n")[n] }
	withoutLine := func(n int) string { return strings.Replace(text, line(n), "", 1) }
	for _, tc := range []struct{ name, text, want string }{
		{"empty", "", "is empty"},
		{"cut", text[:len(text)-1], "is cut: it has no end after 4 actions"},
		{"cut in a line", text[:strings.Index(text, `"b/c"`)], "is cut: it has no end after 1 action"},
		{"cut after the header", line(0), "is cut"},
		{"cut in the header", line(0)[:20], "no whole line"},
		{"a report", `{"version":1}` + "\n", "line 1 is not the beginning of a plan"},
		{"words", "hello\nworld\n", "line 1 is not the beginning"},
		{"newer", strings.Replace(text, `{"v":1,`, `{"v":2,`, 1), "line 1 says version 2, and this release knows 1"},
		{"unknown option", strings.Replace(text, `"call":{`, `"call":{"Faster":true,`, 1), `unknown field "Faster"`},
		{"a line less", withoutLine(2), "not as it was written"},
		{"a byte", strings.Replace(text, `"size":1,`, `"size":2,`, 1), "not as it was written"},
		{"more", text + line(1), "line 6 is the end, and there is more"},
		{"no JSON", strings.Replace(text, line(2), "{\n", 1), "line 3 is no action"},
		{"unknown field", sealed(strings.Replace(text, `{"type":"action",`, `{"type":"action","force":true,`, 1)), `unknown field "force"`},
		{"two values", sealed(strings.Replace(text, line(1), strings.TrimSpace(line(1))+"{}\n", 1)), "more than one value"},
		{"leaves the folder", sealed(strings.Replace(text, `"name":"a"`, `"name":"../a"`, 1)), "line 2 names no file: .* leaves the target folder"},
		{"absolute", sealed(strings.Replace(text, `"name":"a"`, `"name":"/a"`, 1)), "names no file"},
		{"no name", sealed(strings.Replace(text, `"name":"a"`, `"name":""`, 1)), "names no file"},
		{"deletes outside", sealed(strings.Replace(text, `"name":"x"`, `"name":"x/../../y"`, 1)), "names no file"},
		{"long key", sealed(strings.Replace(text, `"name":"b/c"`, `"name":"b`+strings.Repeat("/d", 600)+`"`, 1)), "names no key"},
		{"long line", sealed(strings.Replace(text, `"reason":"new"`, `"reason":"`+strings.Repeat("n", 70_000)+`"`, 1)), "line 2 is too long"},
		{"other way", sealed(strings.Replace(text, `"action":"get"`, `"action":"put"`, 1)), `says "put", which does not fit`},
		{"not allowed", sealed(strings.Replace(text, `"Delete":true,`, "", 1)), "the plan's options do not allow"},
		{"twice", sealed(strings.Replace(text, line(2), line(1), 1)), "not in the order of names"},
		{"mixed", sealed(strings.Replace(strings.Replace(text, line(2), "", 1), line(3), line(3)+line(2), 1)), "transfers after the deletions"},
		{"nothing seen", sealed(strings.Replace(text, line(3), `{"type":"action","action":"delete","name":"w","reason":"","size":1}`+"\n", 1)), "does not say what was seen"},
		{"a file for an object", sealed(strings.Replace(text, `"etag":`, `"class":`, 1)), "the state of a file for an object"},
		{"negative", sealed(strings.Replace(text, `"size":1,`, `"size":-1,`, 1)), "negative size"},
		{"moves", sealed(strings.Replace(text, `"size":1,`, `"size":1,"moves":true,`, 1)), "what is moved is not what is copied"},
		{"removes", sealed(strings.Replace(text, `"action":"get"`, `"action":"remove"`, 1)), "what is moved is not what is copied"},
		{"two local sides", strings.Replace(text, `"Bucket":"bucket"`, `"Bucket":""`, 1), "nothing that can be applied"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := transfer.ReadPlan(strings.NewReader(tc.text))
			if _, ok := errors.AsType[*transfer.PlanError](err); !ok || !regexp.MustCompile(tc.want).MatchString(err.Error()) {
				t.Errorf("want %q, have %v", tc.want, err)
			}
		})
	}
}

// TestPlanChangesMeanwhile: a plan is read twice, and both times the same.
func TestPlanChangesMeanwhile(t *testing.T) {
	s := newSides(t, "up")
	s.add(false, "a", "b")
	text, _ := s.plan(nil)
	path := filepath.Join(t.TempDir(), "plan")
	write(t, path, []byte(text))
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := transfer.ReadPlan(f)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, []byte(sealed(strings.Replace(text, `"name":"b"`, `"name":"c"`, 1))))
	o := &transfer.ApplyOptions{}
	o.Bucket = func(string, string) (*oss.Bucket, error) { return s.bucket, nil }
	if _, err = s.engine().Apply(t.Context(), p, o); err == nil || !strings.Contains(err.Error(), "was changed while it was applied") {
		t.Errorf("%v", err)
	}
}

// TestPlanReasons: what differs, found by all the ways to compare.
func TestPlanReasons(t *testing.T) {
	s := newSides(t, "up")
	s.add(false, "a", "b", "c")
	past := time.Now().Add(-time.Hour)
	for _, name := range []string{"a", "c"} {
		if err := os.Chtimes(filepath.Join(s.from, name), past, past); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.sync(nil); err != nil {
		t.Fatal(err)
	}
	s.set(true, "a", []byte("A"))
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(s.from, "b"), later, later); err != nil {
		t.Fatal(err)
	}
	for compare, want := range map[transfer.Compare][]string{
		transfer.CompareModTime:  {"put a: changed since it was last the same", "put b: changed since it was last the same"},
		transfer.CompareChecksum: {"put a: content differs"},
		transfer.CompareUpdate:   {"put b: newer"},
	} {
		text, _ := s.plan(func(o *transfer.SyncOptions) { o.Compare = compare })
		if got := names(t, text); !slices.Equal(got, want) {
			t.Errorf("%v: planned is %q, want %q", compare, got, want)
		}
	}
	s.state = t.TempDir() // nobody knows of the sync
	text, _ := s.plan(nil)
	if got := names(t, text); !slices.Equal(got, []string{"put b: time differs"}) {
		t.Errorf("without state: planned is %q", got)
	}
}

// TestPlanInOrder: what is found out late is still said at its place.
func TestPlanInOrder(t *testing.T) {
	s := newSides(t, "across")
	s.add(false, "a", "b", "c")
	s.add(true, "a", "b", "c")
	for _, name := range []string{"a", "b"} {
		s.set(true, name, []byte("X"))
	}
	answered := make(chan struct{})
	s.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		switch {
		case r.Method == http.MethodHead && strings.HasSuffix(r.URL.Path, "from/a"):
			<-answered
		case r.Method == http.MethodHead && strings.HasSuffix(r.URL.Path, "to/b"):
			defer close(answered)
		}
		return send()
	})
	text, _ := s.plan(func(o *transfer.SyncOptions) { o.Delete = false })
	if got := names(t, text); !slices.Equal(got, []string{"copy a: content differs", "copy b: content differs"}) {
		t.Errorf("planned is %q", got)
	}
}

// TestPlanOfWhatCannotBe: a key that is no file is a failure of the plan's, too.
func TestPlanOfWhatCannotBe(t *testing.T) {
	s := newSides(t, "down")
	s.add(false, "../../evil", "a")
	var b bytes.Buffer
	report, err := s.engine().Plan(t.Context(), s.src, s.dst, &b, nil)
	if !errors.Is(err, transfer.ErrIncomplete) || report.Plan.Failed != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	if applied, err := s.apply(t.Context(), b.String(), nil); err != nil || applied.Objects.Done != 1 {
		t.Errorf("%+v, %v", applied, err)
	}
}

type fullDisk struct{ left int }

func (f *fullDisk) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errors.New("no space")
	}
	return len(p), nil
}

func TestPlanThatCannotBeWritten(t *testing.T) {
	s := newSides(t, "up")
	for i := range 100 {
		s.add(false, fmt.Sprint(i))
	}
	for _, left := range []int{0, 5000} {
		report, err := s.engine().Plan(t.Context(), s.src, s.dst, &fullDisk{left}, nil)
		if err == nil || !strings.Contains(err.Error(), "write the plan: no space") || report.State != transfer.StateFailed {
			t.Errorf("%+v, %v", report, err)
		}
	}
}

func FuzzReadPlan(f *testing.F) {
	f.Add(`{"v":1,"type":"plan","operation":"sync","source":"/s","destination":"d","job":"1","created":"2026-11-25T12:58:25Z","call":{"Method":"sync","Source":{"Path":"/s"},"Destination":{"Endpoint":"http://127.0.0.1:1","Bucket":"bkt","Path":"p/"},"Delete":true}}
{"type":"action","action":"put","name":"a","reason":"new","size":4,"source":{"size":4,"mtime":1,"ctime":2,"inode":3,"device":4}}
{"type":"end","actions":1,"counts":{"uploads":1},"sha256":"0000000000000000000000000000000000000000000000000000000000000000"}
`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, text := range []string{text, tryTo(sealed, text)} {
			p, err := transfer.ReadPlan(strings.NewReader(text))
			if _, ok := errors.AsType[*transfer.PlanError](err); !ok && err != nil || (p == nil) == (err == nil) {
				t.Errorf("%v, %v", p, err)
			}
		}
	})
}

// tryTo returns text as it is if change cannot be done to it.
func tryTo(change func(string) string, text string) (changed string) {
	defer func() {
		if recover() != nil {
			changed = text
		}
	}()
	return change(text)
}
