//go:build unix

package transfer_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/osssync/osssync/transfer"
)

// Of a and a/b one can be, also of encoded names, where a file's may be %.
func TestFileAndFolderOfOneEncodedName(t *testing.T) {
	w := newWorld(t)
	for _, key := range []string{"%", "%/x", "/", "/lead", "a/", "a//b", "b//c"} {
		w.put("p/"+key, []byte(key))
	}
	w.put("p/a//", nil)
	w.put("p/b/", nil)
	o := transfer.SyncOptions{Files: transfer.FileOptions{EncodeNames: true}}
	dir := t.TempDir()
	r := w.sync(w.at("p"), transfer.Local(dir), o)
	// %/x is in a folder %25, and b/ is one itself.
	if got := failed(r); !slices.Equal(got, []string{"p//", "p//lead", "p/a//", "p/a//b"}) || r.Objects.Done != 5 {
		t.Errorf("failed %q, %+v", got, r.Objects)
	}
	for _, f := range r.Failures {
		if !strings.Contains(f.Cause, "below a key that is a file, ") {
			t.Errorf("%s: cause %s", f.Key, f.Cause)
		}
	}
	if got := tree(t, dir); got["a/%"] != "a/" || got["%"] != "%" {
		t.Errorf("files %q", got)
	}
	dir = t.TempDir()
	write(t, filepath.Join(dir, "%", "old"), []byte("x"))
	r = w.sync(w.at("p"), transfer.Local(dir), o)
	if got := failed(r); !slices.Equal(got, []string{"p/%", "p/a//", "p/a//b"}) {
		t.Errorf("with a folder there: failed %q", got)
	}
}

// An object that stands for a folder is brought once, also where folders are not
// compared.
func TestFolderMarkersAgain(t *testing.T) {
	for _, encode := range []bool{false, true} {
		w := newWorld(t)
		dir := t.TempDir()
		for _, key := range []string{"e1/", "e1/e2/", "f/"} {
			w.put("p/"+key, nil)
		}
		o := transfer.SyncOptions{Files: transfer.FileOptions{EncodeNames: encode}}
		if r := w.sync(w.at("p"), transfer.Local(dir), o); r.Objects.Done != 3 {
			t.Fatalf("%+v, %v", r.Objects, r.Failures)
		}
		if r := w.sync(w.at("p"), transfer.Local(dir), o); r.Objects.Done != 0 || r.Objects.Skipped != 3 {
			t.Errorf("again: %+v, %v", r.Objects, r.Failures)
		}
		if err := os.Remove(filepath.Join(dir, "f")); err != nil {
			t.Fatal(err)
		}
		o.DryRun = true
		if r := w.sync(w.at("p"), transfer.Local(dir), o); r.Plan.Downloads != 1 || r.Objects.Skipped != 2 {
			t.Errorf("dry run: %+v, %+v", r.Plan, r.Objects)
		}
		write(t, filepath.Join(dir, "f"), []byte("a file"))
		o.DryRun = false
		if r := w.sync(w.at("p"), transfer.Local(dir), o); r.Objects.Failed != 1 || r.Objects.Skipped != 2 {
			t.Errorf("a file in the way: %+v", r.Objects)
		}
	}
}

// A move takes one of a file's names after the other: what it does itself is no
// change of the source.
func TestMoveOfHardLinks(t *testing.T) {
	w := newWorld(t)
	src := t.TempDir()
	for name, size := range map[string]int{"small": 10, "large": 3*partSize + 1} {
		write(t, filepath.Join(src, name), noise(1, size))
		for _, other := range []string{"a", "b", "z"} {
			if err := os.Link(filepath.Join(src, name), filepath.Join(src, other+name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	r := w.sync(transfer.Local(src), w.at("p"), transfer.SyncOptions{Compare: transfer.CompareNone, RemoveSource: true})
	if r.Objects.Done != 8 || r.Objects.Removed != 8 {
		t.Errorf("%+v, %v", r.Objects, r.Failures)
	}
	if !bytes.Equal(w.get("p/zlarge"), noise(1, 3*partSize+1)) || len(tree(t, src)) > 0 {
		t.Error("not moved")
	}
}

// Names that no key has get one, which gives them back; what only looks like an
// escape is a name.
func TestEncodeNamesOfFiles(t *testing.T) {
	w := newWorld(t)
	src, dst := t.TempDir(), t.TempDir()
	for i, name := range []string{"bad\xff", "dir\xfe/%FE", "%FF", "%25FF", "a%00", "\xff%41", "caf\xe9/caf\xc3\xa9"} {
		write(t, filepath.Join(src, name), noise(i, i+1))
	}
	symlink(t, "bad\xff", filepath.Join(src, "link"))
	o := transfer.SyncOptions{Files: transfer.FileOptions{EncodeNames: true, Links: transfer.LinksKeep}, Delete: true}
	w.sync(transfer.Local(src), w.at("p"), o)
	want := []string{"%2525FF", "%25FF", "%FF%2541", "a%00", "bad%FF", "caf%E9/caf\u00e9", "dir%FE/%25FE", "link -> p/bad%FF"}
	if got := w.keysOf("p/"); !slices.Equal(got, want) {
		t.Fatalf("keys %q", got)
	}
	if r := w.sync(w.at("p"), transfer.Local(dst), o); r.Objects.Done != 8 {
		t.Errorf("down: %+v, %v", r.Objects, r.Failures)
	}
	if got, want := tree(t, dst), tree(t, src); !maps.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	for _, sides := range [][2]transfer.Location{{transfer.Local(src), w.at("p")}, {w.at("p"), transfer.Local(dst)}} {
		if r := w.sync(sides[0], sides[1], o); r.Objects.Skipped != 8 || r.Objects.Total != 8 {
			t.Errorf("again: %+v, %v", r.Objects, r.Failures)
		}
	}
}
