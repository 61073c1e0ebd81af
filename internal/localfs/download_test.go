package localfs_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/osssync/osssync/internal/localfs"
)

// create opens a new root in a new directory, both closed and removed by the
// test's end.
func create(t testing.TB) *localfs.Root {
	t.Helper()
	r, err := localfs.CreateRoot(filepath.Join(t.TempDir(), "root"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// put brings content to key the way a download does.
func put(r *localfs.Root, key, content string) error {
	name := localfs.TempName(rand.Text())
	tmp, err := r.CreateTemp(key, name, int64(len(content)))
	if err != nil {
		return err
	}
	if _, err := tmp.WriteAt([]byte(content), 0); err != nil {
		return errors.Join(err, tmp.Close(), r.RemoveTemp(key, name))
	}
	if err := tmp.Finish(int64(len(content)), time.Time{}, localfs.DefaultMode); err != nil {
		return errors.Join(err, r.RemoveTemp(key, name))
	}
	if err := r.Publish(key, name); err != nil {
		return errors.Join(err, r.RemoveTemp(key, name))
	}
	return r.SyncDirs(key)
}

func TestDownload(t *testing.T) {
	r := create(t)
	const key = "a/b/c.bin"
	name := localfs.TempName(rand.Text())
	content := bytes.Repeat([]byte("0123456789abcdef"), 16<<10)
	half := int64(len(content) / 2)

	tmp, err := r.CreateTemp(key, name, int64(len(content))+100)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tmp.WriteAt(content[half:], half); err != nil {
		t.Fatal(err)
	}
	if err := tmp.SyncData(); err != nil {
		t.Fatal(err)
	}
	if err := tmp.Close(); err != nil { // the process ends here
		t.Fatal(err)
	}

	tmp, err = r.OpenTemp(key, name)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, half)
	if _, err := tmp.ReadAt(got, half); err != nil || !bytes.Equal(got, content[half:]) {
		t.Fatalf("read back: %v", err)
	}
	if _, err := tmp.WriteAt(content[:half], 0); err != nil {
		t.Fatal(err)
	}
	before, err := tmp.Identity()
	if err != nil {
		t.Fatal(err)
	}
	modTime := time.Unix(1_500_000_000, 123456000)
	if err := tmp.Finish(int64(len(content)), modTime, 0o640|fs.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Stat(key); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the final name before Publish: %v", err)
	}
	if err := r.Publish(key, name); err != nil {
		t.Fatal(err)
	}
	if err := r.SyncDirs(key); err != nil {
		t.Fatal(err)
	}

	f, id, err := r.Open(key)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if id.Size != int64(len(content)) || id.ModTime != modTime.UnixNano() || id.Inode != before.Inode {
		t.Errorf("identity %+v", id)
	}
	if id.Mode != 0o640 {
		t.Errorf("mode %v", id.Mode)
	}
	stat, err := r.Stat(key)
	if err != nil || stat != id {
		t.Errorf("Stat %+v, %v; Open %+v", stat, err, id)
	}
	if got, err := os.ReadFile(filepath.Join(r.Dir(), "a", "b", "c.bin")); err != nil || !bytes.Equal(got, content) {
		t.Errorf("content differs, %v", err)
	}
}

// Many downloads at once, into folders that each of them may have to make.
func TestConcurrentDownloads(t *testing.T) {
	r := create(t)
	var want []string
	var wg sync.WaitGroup
	for i := range 8 {
		for j := range 8 {
			key := fmt.Sprintf("a/%d/b/%d", j, i)
			want = append(want, key)
			wg.Go(func() {
				if err := put(r, key, key); err != nil {
					t.Errorf("%s: %v", key, err)
				}
			})
		}
	}
	wg.Wait()
	slices.Sort(want)
	if got := walk(t, r, nil); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// Ranges of one file are written and synced by several workers.
func TestConcurrentRanges(t *testing.T) {
	r := create(t)
	const part, parts = 64 << 10, 16
	name := localfs.TempName(rand.Text())
	tmp, err := r.CreateTemp("k", name, part*parts)
	if err != nil {
		t.Fatal(err)
	}
	var want []byte
	var wg sync.WaitGroup
	for i := range int64(parts) {
		data := bytes.Repeat([]byte{byte(i)}, part)
		want = append(want, data...)
		wg.Go(func() {
			_, err := tmp.WriteAt(data, i*part)
			if err := errors.Join(err, tmp.SyncData()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(tmp.Finish(part*parts, time.Time{}, localfs.DefaultMode), r.Publish("k", name)); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(r.Dir(), "k")); err != nil || !bytes.Equal(got, want) {
		t.Errorf("content differs, %v", err)
	}
}

func BenchmarkDownload(b *testing.B) {
	r := create(b)
	if err := r.MkdirAll("some/folder"); err != nil {
		b.Fatal(err)
	}
	content := bytes.Repeat([]byte("x"), 16<<10)
	b.ReportAllocs()
	for b.Loop() {
		name := localfs.TempName(rand.Text())
		tmp, err := r.CreateTemp("some/folder/file", name, int64(len(content)))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := tmp.WriteAt(content, 0); err != nil {
			b.Fatal(err)
		}
		if err := tmp.Finish(int64(len(content)), time.Time{}, 0o644); err != nil {
			b.Fatal(err)
		}
		if err := r.Publish("some/folder/file", name); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	r := create(b)
	plant(b, r.Dir(), "some/folder/file")
	b.ReportAllocs()
	for b.Loop() {
		f, _, err := r.Open("some/folder/file")
		if err != nil {
			b.Fatal(err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
