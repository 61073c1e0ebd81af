package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// grow makes a tree with files around every boundary and names that sort
// differently as names and as keys.
func grow(t *testing.T, dir string) map[string]string {
	t.Helper()
	for i, name := range []string{
		"a", "a.b", "a-b", "a b/c d", "a/../ab", "dir/x", "dir.x/y", "dir-x/y", "deep/er/and/deeper/f", "empty",
		"ünï/çødé", "plus+per%cent&amp;#?", "large", "larger", "b/1", "b/2", "b/3", "..dots", "...",
	} {
		size := i * 17
		switch name {
		case "empty":
			size = 0
		case "large":
			size = 10*partSize + 3
		case "larger":
			size = 15 * partSize
		}
		write(t, filepath.Join(dir, filepath.FromSlash(name)), noise(100+i, size))
	}
	return tree(t, dir)
}

func TestTreeUpAndDown(t *testing.T) {
	w := newWorld(t)
	src, dst := t.TempDir(), t.TempDir()
	want := grow(t, src)
	report, err := w.engine().Sync(t.Context(), transfer.Local(src), w.at("p"), nil)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(len(want))
	if report.Objects.Done != n || report.Objects.Total != n || report.State != transfer.StateDone {
		t.Errorf("report %+v", report)
	}
	for name, content := range want {
		if string(w.get("p/"+name)) != content {
			t.Errorf("object %s differs", name)
		}
	}
	if _, err := w.engine().Sync(t.Context(), w.at("p/"), transfer.Local(dst), nil); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, dst); !maps.Equal(got, want) {
		t.Errorf("trees differ: %v and %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}

	t.Run("again", func(t *testing.T) {
		for _, sides := range [][2]transfer.Location{
			{transfer.Local(src), w.at("p/")}, {w.at("p/"), transfer.Local(dst)},
		} {
			w.log.forget()
			report, err := w.engine().Sync(t.Context(), sides[0], sides[1], nil)
			if err != nil {
				t.Fatal(err)
			}
			if report.Objects.Skipped != n || report.Objects.Done != 0 || report.Bytes.Done != 0 {
				t.Errorf("second run: %+v", report)
			}
			for _, op := range []string{"PutObject", "GetObject", "HeadObject", "UploadPart", "InitiateMultipartUpload"} {
				if got := w.log.requests(t, op); len(got) != 0 {
					t.Errorf("second run made %d %s", len(got), op)
				}
			}
		}
	})
	t.Run("again without state", func(t *testing.T) {
		w.state = t.TempDir()
		for _, sides := range [][2]transfer.Location{
			{transfer.Local(src), w.at("p/")}, {w.at("p/"), transfer.Local(dst)},
		} {
			report, err := w.engine().Sync(t.Context(), sides[0], sides[1], nil)
			if err != nil {
				t.Fatal(err)
			}
			if report.Objects.Skipped != n {
				t.Errorf("run without a checkpoint: %+v", report.Objects)
			}
		}
	})
	t.Run("one changes", func(t *testing.T) {
		write(t, filepath.Join(src, "b", "2"), []byte("new content"))
		report, err := w.engine().Sync(t.Context(), transfer.Local(src), w.at("p/"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if report.Objects.Done != 1 || string(w.get("p/b/2")) != "new content" {
			t.Errorf("%+v", report.Objects)
		}
		report, err = w.engine().Sync(t.Context(), w.at("p/"), transfer.Local(dst), nil)
		if err != nil {
			t.Fatal(err)
		}
		if report.Objects.Done != 1 || !maps.Equal(tree(t, src), tree(t, dst)) {
			t.Errorf("%+v", report.Objects)
		}
	})
	t.Run("somebody else changes an object, size kept", func(t *testing.T) {
		w.put("p/b/2", []byte("NEW CONTENT"))
		report, err := w.engine().Sync(t.Context(), transfer.Local(src), w.at("p/"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if report.Objects.Done != 1 || string(w.get("p/b/2")) != "new content" {
			t.Errorf("%+v", report.Objects)
		}
	})
}

func TestCopyTakesEverything(t *testing.T) {
	w := newWorld(t)
	src := t.TempDir()
	n := int64(len(grow(t, src)))
	for range 2 {
		report, err := w.engine().Sync(t.Context(), transfer.Local(src), w.at("p/"), &transfer.SyncOptions{Compare: transfer.CompareNone})
		if err != nil {
			t.Fatal(err)
		}
		if report.Objects.Done != n || report.Objects.Skipped != 0 {
			t.Errorf("%+v", report.Objects)
		}
	}
	if left := tree(t, w.state); len(left) != 0 {
		t.Errorf("a finished copy left %d files of state", len(left))
	}
}

// An interrupted copy goes on, takes nothing twice, and sees what changed in
// between on either side.
func TestCopyGoesOn(t *testing.T) {
	for _, direction := range []string{"up", "down"} {
		t.Run(direction, func(t *testing.T) {
			w := newWorld(t)
			src := t.TempDir()
			for i := range 50 {
				write(t, filepath.Join(src, fmt.Sprintf("f%02d", i)), noise(i, 1000))
			}
			from, to := transfer.Local(src), w.at("p/")
			one := func(r *http.Request) bool { return r.Method == http.MethodPut }
			op := "PutObject"
			if direction == "down" {
				if _, err := w.engine().Sync(t.Context(), from, to, nil); err != nil {
					t.Fatal(err)
				}
				from, to = w.at("p/"), transfer.Local(t.TempDir())
				one = func(r *http.Request) bool { return r.Method == http.MethodGet && !r.URL.Query().Has("list-type") }
				op = "GetObject"
			}
			w.log.forget()
			ctx, cancel := context.WithCancel(t.Context())
			stopAfter(w, 20, cancel, one)
			o := &transfer.SyncOptions{Compare: transfer.CompareNone}
			first, err := w.engine(func(o *transfer.Options) { o.Concurrency = 1 }).Sync(ctx, from, to, o)
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			w.wire.between(nil)
			w.log.forget()
			want := 50 - first.Objects.Done + 2
			if direction == "up" {
				write(t, filepath.Join(src, "f00"), []byte("changed"))
				if _, err := w.bucket.DeleteObject(t.Context(), "p/f01", nil); err != nil {
					t.Fatal(err)
				}
			} else {
				write(t, filepath.Join(to.Path, "f00"), []byte("changed"))
				if err := os.Remove(filepath.Join(to.Path, "f01")); err != nil {
					t.Fatal(err)
				}
			}
			second, err := w.engine().Sync(t.Context(), from, to, o)
			if err != nil {
				t.Fatal(err)
			}
			again := int64(len(w.log.requests(t, op)))
			if first.Resumed || again != want || second.Objects.Skipped != 50-want || !second.Resumed {
				t.Errorf("first %+v, second %+v, %d requests, want %d", first.Objects, second.Objects, again, want)
			}
			if direction == "up" && string(w.get("p/f00")) != "changed" {
				t.Error("a file that changed in between was taken for done")
			}
			if direction == "down" && !maps.Equal(tree(t, src), tree(t, to.Path)) {
				t.Error("trees differ")
			}
		})
	}
}

func TestHostileKeys(t *testing.T) {
	w := newWorld(t)
	good := []string{"ok", "a..b", "..a/x", "dir/file", "x", "x.temp", "white space", "new\nline", "esc\x1b[31m"}
	bad := []string{"../up", "a/../../up", "/abs", "x/..", "./dot", "a//b", "data/", ".osssync-0123456789abcdef.part"}
	// Of a file and a folder of one name, whichever comes first arrives.
	pair := []string{"pair/f", "pair/f/below"}
	for _, key := range slices.Concat(good, bad, pair) {
		w.put("p/"+key, []byte(key))
	}
	parent := t.TempDir()
	dst := filepath.Join(parent, "dst")
	report, err := w.engine().Sync(t.Context(), w.at("p/"), transfer.Local(dst), nil)
	if !errors.Is(err, transfer.ErrIncomplete) {
		t.Fatalf("got %v", err)
	}
	if report.Objects.Done != int64(len(good)+1) || report.Objects.Failed != int64(len(bad)+1) || len(report.Failures) != len(bad)+1 {
		t.Errorf("%+v %v", report.Objects, report.Failures)
	}
	got := tree(t, dst)
	for _, key := range good {
		if got[key] != key {
			t.Errorf("%q did not arrive", key)
		}
	}
	if all := tree(t, parent); len(all) != len(good)+1 {
		t.Errorf("files beside the destination: %v", slices.Sorted(maps.Keys(all)))
	}
	for _, f := range report.Failures {
		if f.Operation != "download" || f.Cause == "" || strings.ContainsAny(f.String(), "\x00\n\x1b") {
			t.Errorf("failure %+v reads %q", f, f)
		}
	}
}

// One object that fails does not stop the rest, and is named.
func TestOneFails(t *testing.T) {
	w := newWorld(t)
	src := t.TempDir()
	want := grow(t, src)
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/b/2") {
			return &http.Response{
				StatusCode: 403, Header: http.Header{"X-Oss-Request-Id": {"ID"}}, Request: r,
				Body: io.NopCloser(strings.NewReader(`<Error><Code>AccessDenied</Code><Message>no</Message></Error>`)),
			}, nil
		}
		return send()
	})
	var failed []transfer.ObjectEvent
	report, err := w.engine().Sync(t.Context(), transfer.Local(src), w.at("p/"), &transfer.SyncOptions{
		JobOptions: transfer.JobOptions{OnObject: func(e transfer.ObjectEvent) {
			if e.Outcome == transfer.OutcomeFailed {
				failed = append(failed, e)
			}
		}},
	})
	if !errors.Is(err, transfer.ErrIncomplete) {
		t.Fatal(err)
	}
	f := report.Failures[0]
	if report.Objects.Failed != 1 || report.Objects.Done != int64(len(want)-1) || f.Key != "p/b/2" || f.Status != 403 || f.Code != "AccessDenied" {
		t.Errorf("%+v", report)
	}
	if len(failed) != 1 || failed[0].Key != "p/b/2" {
		t.Errorf("events %+v", failed)
	}
	w.wire.between(nil)
	report, err = w.engine().Sync(t.Context(), transfer.Local(src), w.at("p/"), nil)
	if err != nil || report.Objects.Done != 1 {
		t.Errorf("%v %+v", err, report.Objects)
	}
}

func TestJobFailsAsAWhole(t *testing.T) {
	w := newWorld(t)
	src := t.TempDir()
	grow(t, src)
	if report, err := w.engine().Sync(t.Context(), transfer.Local(src), transfer.Remote(w.bucket.Client().Bucket("missing"), "p/"), nil); !errors.Is(err, oss.ErrNoSuchBucket) || report.State != transfer.StateFailed {
		t.Errorf("missing bucket: %v", err)
	}
	if _, err := w.engine().Sync(t.Context(), transfer.Local(filepath.Join(src, "missing")), w.at("p/"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing folder: %v", err)
	}
	client, err := oss.New(w.endpoint, oss.StaticCredentials("wrong", "wrong", ""), &oss.Options{Region: "cn-hangzhou", HTTPClient: &http.Client{Transport: w.wire}})
	if err != nil {
		t.Fatal(err)
	}
	w.log.forget()
	report, err := w.engine().Sync(t.Context(), transfer.Local(src), transfer.Remote(client.Bucket("bucket"), "p/"), nil)
	if !errors.Is(err, oss.ErrInvalidAccessKeyID) || report.Objects.Failed != 0 {
		t.Errorf("wrong key: %v %+v", err, report.Objects)
	}
}

func TestCompareModes(t *testing.T) {
	w := newWorld(t)
	src := t.TempDir()
	old, recent := time.Unix(1_500_000_000, 0), time.Now().Add(time.Hour)
	for name, at := range map[string]time.Time{"old": old, "recent": recent} {
		write(t, filepath.Join(src, name), []byte("12345"))
		if err := os.Chtimes(filepath.Join(src, name), at, at); err != nil {
			t.Fatal(err)
		}
		w.put("p/"+name, []byte("54321"))
	}
	write(t, filepath.Join(src, "new"), nil)
	for _, test := range []struct {
		compare transfer.Compare
		want    []string
	}{
		{transfer.CompareModTime, []string{"new", "recent"}},
		{transfer.CompareSize, []string{"new"}},
		{transfer.CompareUpdate, []string{"new", "recent"}},
		{transfer.CompareExisting, []string{"new"}},
		{transfer.CompareNone, []string{"new", "old", "recent"}},
	} {
		var got []string
		report, err := w.engine().Sync(t.Context(), transfer.Local(src), w.at("p/"), &transfer.SyncOptions{
			Compare: test.compare, DryRun: true,
			JobOptions: transfer.JobOptions{OnObject: func(e transfer.ObjectEvent) {
				if e.Outcome == transfer.OutcomePlanned {
					got = append(got, strings.TrimPrefix(e.Key, "p/"))
				}
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(got)
		if !slices.Equal(got, test.want) || report.Objects.Done != 0 {
			t.Errorf("mode %d plans %v, want %v", test.compare, got, test.want)
		}
	}
	if len(tree(t, w.state)) != 0 || w.get("p/new") != nil {
		t.Error("a dry run left something")
	}
}

func TestOpenStateFolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // it has no such modes
	}
	w := newWorld(t)
	if err := os.Chmod(w.state, 0o777); err != nil {
		t.Fatal(err)
	}
	report, err := w.engine().Sync(t.Context(), transfer.Local(t.TempDir()), w.at("p/"), nil)
	if err != nil || len(report.Warnings) != 1 || !strings.Contains(report.Warnings[0], "chmod 700") {
		t.Errorf("%v, warnings %v", err, report.Warnings)
	}
}

func TestExclude(t *testing.T) {
	w := newWorld(t)
	src := t.TempDir()
	write(t, filepath.Join(src, "in"), nil)
	write(t, filepath.Join(src, "out", "side"), nil)
	w.state = filepath.Join(src, "state")
	report, err := w.engine().Sync(t.Context(), transfer.Local(src), w.at("p/"), &transfer.SyncOptions{
		Exclude: []string{filepath.Join(src, "out")},
	})
	if err != nil || report.Objects.Total != 1 {
		t.Errorf("%v %+v", err, report.Objects)
	}
}

// What a run had under way is given up when its source is gone.
func TestVanishedSourceIsAborted(t *testing.T) {
	w := newWorld(t)
	src := t.TempDir()
	write(t, filepath.Join(src, "large"), noise(1, 20*partSize))
	write(t, filepath.Join(src, "small"), noise(2, 10))
	ctx, cancel := context.WithCancel(t.Context())
	stopAfter(w, 3, cancel, isPart)
	if _, err := w.engine().Sync(ctx, transfer.Local(src), w.at("p/"), nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	w.wire.between(nil)
	if w.uploads() != 1 {
		t.Fatal("no upload under way")
	}
	if err := os.Remove(filepath.Join(src, "large")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.engine().Sync(t.Context(), transfer.Local(src), w.at("p/"), nil); err != nil {
		t.Fatal(err)
	}
	if n := w.uploads(); n != 0 {
		t.Errorf("%d uploads left", n)
	}
}

func TestNoResume(t *testing.T) {
	w := newWorld(t)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, noise(1, 20*partSize))
	ctx, cancel := context.WithCancel(t.Context())
	stopAfter(w, 5, cancel, isPart)
	if _, err := w.engine().Upload(ctx, src, w.at("k"), nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	w.wire.between(nil)
	report, err := w.engine().Upload(t.Context(), src, w.at("k"), &transfer.UploadOptions{JobOptions: transfer.JobOptions{NoResume: true}})
	if err != nil || report.Bytes.Resumed != 0 || w.uploads() != 0 {
		t.Errorf("%v %+v, %d uploads left", err, report.Bytes, w.uploads())
	}
}

func TestListingThatMakesNoSense(t *testing.T) {
	w := newWorld(t)
	w.put("p/a", nil)
	w.put("p/b", nil)
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		resp, err := send()
		if err == nil && r.URL.Query().Has("list-type") {
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			body = bytes.ReplaceAll(body, []byte("p%2Fa"), []byte("p%2Fc"))
			resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		}
		return resp, err
	})
	_, err := w.engine().Sync(t.Context(), w.at("p/"), transfer.Local(t.TempDir()), nil)
	if _, ok := errors.AsType[*transfer.ListingError](err); !ok {
		t.Errorf("got %v", err)
	}
}

// A prefix without objects may be a mistyped one.
func TestCopyOfNothing(t *testing.T) {
	w := newWorld(t)
	o := &transfer.SyncOptions{Compare: transfer.CompareNone}
	if _, err := w.engine().Sync(t.Context(), w.at("typo/"), transfer.Local(t.TempDir()), o); !errors.Is(err, transfer.ErrNoMatch) {
		t.Errorf("got %v", err)
	}
	o.AllowEmpty = true
	if _, err := w.engine().Sync(t.Context(), w.at("typo/"), transfer.Local(t.TempDir()), o); err != nil {
		t.Error(err)
	}
}

func TestDelete(t *testing.T) {
	w := newWorld(t)
	for i := range 25 {
		w.put(fmt.Sprintf("p/%02d\x01", i), []byte("x"))
	}
	w.put("q", []byte("x"))
	report, err := w.engine().Delete(t.Context(), w.at("p/"), &transfer.DeleteOptions{Recursive: true, DryRun: true})
	if err != nil || report.Objects.Total != 25 || report.Objects.Done != 0 {
		t.Errorf("dry run: %v %+v", err, report.Objects)
	}
	report, err = w.engine().Delete(t.Context(), w.at("p/"), &transfer.DeleteOptions{Recursive: true})
	if err != nil || report.Objects.Done != 25 || w.get("p/00\x01") != nil || w.get("q") == nil {
		t.Errorf("%v %+v", err, report.Objects)
	}
	if _, err := w.engine().Delete(t.Context(), w.at("q"), nil); err != nil || w.get("q") != nil {
		t.Error("one object is left:", err)
	}
}

func TestProgress(t *testing.T) {
	w := newWorld(t)
	src := t.TempDir()
	n := int64(len(grow(t, src)))
	var fails atomic.Int64
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.Method == http.MethodPut && fails.Add(1)%10 == 0 {
			_, _ = io.CopyN(io.Discard, r.Body, 500) // part of the body counts, then it is lost
			r.Body.Close()
			return nil, io.ErrUnexpectedEOF
		}
		return send()
	})
	var calls []transfer.Progress
	report, err := w.engine(func(o *transfer.Options) { o.Attempts = 10 }).Sync(t.Context(), transfer.Local(src), w.at("p/"), &transfer.SyncOptions{
		JobOptions: transfer.JobOptions{ProgressEvery: time.Millisecond, OnProgress: func(p transfer.Progress) { calls = append(calls, p) }},
	})
	if err != nil {
		t.Fatal(err)
	}
	var last transfer.Progress
	for i, p := range calls {
		switch {
		case p.BytesDone > p.BytesTotal, p.BytesDone < last.BytesDone, p.ObjectsTotal < last.ObjectsTotal, p.ObjectsDone < last.ObjectsDone:
			t.Fatalf("call %d goes back or too far: %+v after %+v", i, p, last)
		case p.Final != (i == len(calls)-1), len(p.Active) > transfer.MaxActive:
			t.Fatalf("call %d: %+v", i, p)
		}
		last = p
	}
	if last.ObjectsDone != n || last.BytesDone != last.BytesTotal || last.BytesDone != report.Bytes.Done || last.Retries == 0 || last.Phase != transfer.PhaseDone {
		t.Errorf("last call %+v, report %+v", last, report)
	}
}
