package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var stamp = time.Date(2024, 6, 12, 8, 15, 30, 123e6, time.UTC)

// open opens a store in dir, or in memory if dir is empty.
func open(t testing.TB, dir string) *store.Store {
	t.Helper()
	s := store.NewMemory()
	if dir != "" {
		var err error
		if s, err = store.OpenDir(dir); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// blob stores bytes in a blob.
func blob(t testing.TB, s *store.Store, data string) []store.Segment {
	t.Helper()
	w, err := s.NewBlob(int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(data)); err != nil {
		t.Fatal(err)
	}
	segs, err := w.Sync()
	if err != nil {
		t.Fatal(err)
	}
	return segs
}

func object(key string, segs []store.Segment) *store.Object {
	o := &store.Object{Key: key, Modified: stamp, ETag: "E", Class: "Standard", Segments: segs}
	for _, g := range segs {
		o.Size += g.Len
	}
	return o
}

func put(t testing.TB, s *store.Store, o *store.Object) {
	t.Helper()
	if err := s.Update(func(tx *store.Tx) error { return tx.PutObject("b", o) }); err != nil {
		t.Fatal(err)
	}
}

func openObject(s *store.Store, key string) (c *store.Content, size int64, err error) {
	c, err = s.Open(func(tx *store.Tx) ([]store.Segment, error) {
		o, err := tx.Object("b", key)
		if err != nil {
			return nil, err
		}
		if o == nil {
			return nil, fs.ErrNotExist
		}
		size = o.Size
		return o.Segments, nil
	})
	return c, size, err
}

// read returns an object's bytes; no object is "none".
func read(t testing.TB, s *store.Store, key string) string {
	t.Helper()
	c, size, err := openObject(s, key)
	if errors.Is(err, fs.ErrNotExist) {
		return "none"
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var b bytes.Buffer
	if err := c.CopyTo(&b, 0, size); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func blobFiles(t testing.TB, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "blobs", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestAgainstModel does random things to a store and a map, and counts the
// files: a blob lives as long as something refers to it.
func TestAgainstModel(t *testing.T) {
	for _, disk := range []bool{false, true} {
		t.Run(fmt.Sprintf("disk=%v", disk), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				dir := ""
				if disk {
					var err error
					if dir, err = os.MkdirTemp(t.TempDir(), ""); err != nil {
						rt.Fatal(err)
					}
				}
				s := open(t, dir)
				defer func() { _ = s.Close() }()
				model := make(map[string]string)
				key := rapid.SampledFrom([]string{"a", "b", "c"})
				steps := rapid.IntRange(1, 12).Draw(rt, "steps")
				for i := range steps {
					k := key.Draw(rt, "key")
					switch op := rapid.SampledFrom([]string{"put", "inline", "delete", "copy", "join", "reopen"}).Draw(rt, "op"); op {
					case "put", "inline":
						data := strings.Repeat(fmt.Sprint(i), rapid.IntRange(0, 20).Draw(rt, "size"))
						segs := store.Inline([]byte(data))
						if op == "put" {
							segs = blob(t, s, data)
						}
						put(t, s, object(k, segs))
						model[k] = data
					case "delete":
						if err := s.Update(func(tx *store.Tx) error { return tx.DeleteObject("b", k) }); err != nil {
							rt.Fatal(err)
						}
						delete(model, k)
					case "copy", "join": // another object's bytes, or a piece of them and our own
						from := key.Draw(rt, "from")
						err := s.Update(func(tx *store.Tx) error {
							src, err := tx.Object("b", from)
							if err != nil || src == nil {
								return err
							}
							segs, data := src.Segments, model[from]
							if old, err := tx.Object("b", k); err != nil {
								return err
							} else if op == "join" && old != nil {
								n := src.Size / 2
								segs = slices.Concat(old.Segments, store.Slice(segs, n/2, n))
								data = model[k] + data[n/2:n/2+n]
							}
							model[k] = data
							return tx.PutObject("b", object(k, segs))
						})
						if err != nil {
							rt.Fatal(err)
						}
					case "reopen":
						if disk {
							if err := s.Close(); err != nil {
								rt.Fatal(err)
							}
							s = open(t, dir)
						}
					}
				}
				live := make(map[uint64]bool)
				for k, want := range model {
					if got := read(t, s, k); got != want {
						rt.Fatalf("%s is %q, want %q", k, got, want)
					}
				}
				var keys []string
				err := s.View(func(tx *store.Tx) error {
					for row := range tx.Objects("b", "") {
						keys = append(keys, row.Key)
						o, err := tx.Object("b", row.Key)
						if err != nil {
							return err
						}
						for _, g := range o.Segments {
							if g.Blob != 0 {
								live[g.Blob] = true
							}
						}
					}
					return nil
				})
				if err != nil {
					rt.Fatal(err)
				}
				if want := slices.Sorted(maps.Keys(model)); !slices.Equal(keys, want) {
					rt.Fatalf("keys are %q, want %q", keys, want)
				}
				if disk {
					if n := len(blobFiles(t, dir)); n != len(live) {
						rt.Fatalf("%d files for %d blobs", n, len(live))
					}
				}
			})
		})
	}
}

// TestReadersUndisturbed opens an object of two blobs, replaces it, and reads
// on.
func TestReadersUndisturbed(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		s := open(t, dir)
		put(t, s, object("k", slices.Concat(blob(t, s, "first"), blob(t, s, "second"))))
		c, size, err := openObject(s, "k")
		if err != nil {
			t.Fatal(err)
		}
		put(t, s, object("k", blob(t, s, "new")))
		var b bytes.Buffer
		if err := c.CopyTo(&b, 2, size-3); err != nil || b.String() != "rstsecon" {
			t.Errorf("read %q, %v", b.String(), err)
		}
		if err := c.CopyTo(&b, 10, 2); err == nil {
			t.Error("read over the end")
		}
		c.Close()
		if got := read(t, s, "k"); got != "new" {
			t.Errorf("read %q", got)
		}
		if dir != "" {
			if names := blobFiles(t, dir); len(names) != 1 {
				t.Errorf("files left: %q", names)
			}
		}
	}
}

// TestConcurrent overwrites and reads one object from many goroutines.
func TestConcurrent(t *testing.T) {
	dir := t.TempDir()
	for _, dir := range []string{"", dir} {
		s := open(t, dir)
		put(t, s, object("k", blob(t, s, strings.Repeat("0", 1000))))
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				for range 25 {
					put(t, s, object("k", blob(t, s, strings.Repeat(fmt.Sprint(w), 1000))))
				}
			})
			wg.Go(func() {
				for range 100 {
					if got := read(t, s, "k"); len(got) != 1000 || strings.Trim(got, got[:1]) != "" {
						t.Errorf("torn read: %q", got)
					}
				}
			})
		}
		wg.Wait()
	}
	if names := blobFiles(t, dir); len(names) != 1 {
		t.Errorf("files left: %d", len(names))
	}
}

// TestFailedUpdate: an update that refuses fails alone.
func TestFailedUpdate(t *testing.T) {
	s := open(t, t.TempDir())
	refused := errors.New("refused")
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			err := s.Update(func(tx *store.Tx) error {
				if i%2 == 0 {
					return refused
				}
				return tx.PutObject("b", object(fmt.Sprint(i), nil))
			})
			if want := i%2 == 0; errors.Is(err, refused) != want || (err != nil) != want {
				t.Errorf("update %d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	put(t, s, object("k", blob(t, s, "kept")))
	blob(t, s, "never referred to")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	shard := filepath.Dir(blobFiles(t, dir)[0])
	other := filepath.Join(dir, "blobs", "00000777")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{filepath.Join(shard, "000000000fff"), filepath.Join(other, "000000777000"), filepath.Join(shard, "foreign.txt"), filepath.Join(dir, "blobs", "foreign")} {
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s = open(t, dir)
	var left []string
	for _, n := range blobFiles(t, dir) {
		left = append(left, filepath.Base(n))
	}
	if want := []string{"000000000001", "foreign.txt"}; !slices.Equal(left, want) {
		t.Errorf("left are %q, want %q", left, want)
	}
	if _, err := os.Stat(other); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("empty folder is left: %v", err)
	}
	put(t, s, object("l", blob(t, s, "new")))
	if read(t, s, "k") != "kept" || read(t, s, "l") != "new" {
		t.Error("bytes differ")
	}
}

// TestHalfMadeIndex: what a crash leaves of the first start is made anew.
func TestHalfMadeIndex(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.db.new"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	put(t, s, object("k", blob(t, s, "x")))
	if got := read(t, s, "k"); got != "x" {
		t.Errorf("read %q", got)
	}
}

// TestDamagedIndex is refused, and the lock given back.
func TestDamagedIndex(t *testing.T) {
	dir := t.TempDir()
	index := filepath.Join(dir, "index.db")
	for range 2 {
		if err := os.WriteFile(index, bytes.Repeat([]byte("x"), 8192), 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := store.OpenDir(dir); err == nil {
			_ = s.Close()
			t.Fatal("damaged index accepted")
		} else if _, locked := errors.AsType[*store.LockedError](err); locked {
			t.Fatal(err)
		}
	}
	if err := os.Remove(index); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

func TestUploads(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		s := open(t, dir)
		err := s.Update(func(tx *store.Tx) error { return tx.PutUpload("b", &store.Upload{Key: "k", ID: "U", Initiated: stamp}) })
		if err != nil {
			t.Fatal(err)
		}
		for _, data := range []string{"old", "new"} {
			segs := blob(t, s, data)
			if err := s.Update(func(tx *store.Tx) error {
				return tx.PutPart("b", "U", &store.Part{Number: 1, Size: 3, Modified: stamp, Segments: segs})
			}); err != nil {
				t.Fatal(err)
			}
		}
		if dir != "" && len(blobFiles(t, dir)) != 1 {
			t.Error("replaced part is left")
		}
		err = s.Update(func(tx *store.Tx) error { // complete
			for p, err := range tx.Parts("U", 1) {
				if err != nil {
					return err
				}
				if err := tx.PutObject("b", object("k", p.Segments)); err != nil {
					return err
				}
			}
			return tx.DeleteUpload("b", "k", "U")
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, s, "k"); got != "new" {
			t.Errorf("object is %q", got)
		}
		err = s.View(func(tx *store.Tx) error {
			u, err := tx.Upload("b", "k", "U")
			if u != nil {
				t.Error("upload is left")
			}
			for range tx.Parts("U", 1) {
				t.Error("part is left")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestClosed(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		s := open(t, dir)
		for range 2 {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		nothing := func(*store.Tx) error { return nil }
		if err := s.Update(nothing); !errors.Is(err, store.ErrClosed) {
			t.Errorf("update gives %v", err)
		}
		if err := s.View(nothing); !errors.Is(err, store.ErrClosed) {
			t.Errorf("view gives %v", err)
		}
	}
}

// TestOpenPinsWhatItFinds: the first look finds an object that is replaced
// before its blobs are pinned. What is opened in the end must be pinned too.
func TestOpenPinsWhatItFinds(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		s := open(t, dir)
		stale := blob(t, s, "old")
		put(t, s, object("k", stale))
		put(t, s, object("k", blob(t, s, "new")))
		looks := 0
		c, err := s.Open(func(tx *store.Tx) ([]store.Segment, error) {
			if looks++; looks == 1 {
				return stale, nil
			}
			o, err := tx.Object("b", "k")
			return o.Segments, err
		})
		if err != nil {
			t.Fatal(err)
		}
		put(t, s, object("k", nil))
		var b bytes.Buffer
		if err := c.CopyTo(&b, 0, 3); err != nil || b.String() != "new" {
			t.Errorf("read %q, %v", b.String(), err)
		}
		c.Close()
	}
}
