//go:build unix

package localfs_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/osssync/osssync/internal/localfs"
)

// walked are the keys of a walk, with what is wrong with them.
func walked(t *testing.T, root *localfs.Root, opts *localfs.WalkOptions) (keys []string) {
	t.Helper()
	for e, err := range root.Walk(t.Context(), opts) {
		switch {
		case err != nil && e.Key == "":
			t.Fatal(err)
		case errors.Is(err, localfs.ErrLoop):
			e.Key += " loops"
		case errors.Is(err, localfs.ErrDangling):
			e.Key += " dangles"
		case err != nil:
			e.Key += ": " + err.Error()
		case e.Skipped != "":
			e.Key += " is skipped: " + string(e.Skipped)
		}
		keys = append(keys, e.Key)
	}
	return keys
}

func makeFiles(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func openRoot(t *testing.T, dir string) *localfs.Root {
	t.Helper()
	root, err := localfs.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return root
}

// Keys come in their order, which is not that of the files, and open what they
// are of.
func TestWalkDecodes(t *testing.T) {
	dir := t.TempDir()
	makeFiles(t, dir, "%", "%25", "x/%", "x/%25", "a/%/b", "a/%2E/c", "a/b", "%2E%2E/x", "100%", "z%2Fy", "a\xff")
	root := openRoot(t, dir)
	root.EncodeNames()
	got := walked(t, root, nil)
	want := []string{"%", "%25", "../x", "100%", "a/./c", "a//b", "a/b", "x/", "x/%", "a%FF", "z%2Fy"}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for key, name := range map[string]string{"%": "%", "%25": "%25", "../x": "%2E%2E/x", "a/./c": "a/%2E/c", "a//b": "a/%/b", "x/": "x/%", "x/%": "x/%25"} {
		f, _, err := root.Open(key)
		if err != nil {
			t.Errorf("%q: %v", key, err)
			continue
		}
		text := make([]byte, 100)
		n, _ := f.Read(text)
		_ = f.Close()
		if string(text[:n]) != name {
			t.Errorf("%q opens %q, want %q", key, text[:n], name)
		}
	}
	if got, want := root.Path("a//b"), filepath.Join(dir, "a", "%", "b"); got != want {
		t.Errorf("path %s, want %s", got, want)
	}
}

func TestWalkFollows(t *testing.T) {
	dir, away := t.TempDir(), t.TempDir()
	makeFiles(t, dir, "d/file", "d.x", "e/f/deep")
	makeFiles(t, away, "secret", "excluded/file")
	for name, target := range map[string]string{
		"away": away, "link": "d/file", "d-link": "d", "d/up": "..", "e/f/self": ".", "nowhere": "gone", "circle": "circle", "e/twice": "../d",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	root := openRoot(t, dir)
	root.FollowLinks()
	got := walked(t, root, &localfs.WalkOptions{Exclude: []string{filepath.Join(away, "excluded")}})
	got = slices.DeleteFunc(got, func(key string) bool { return key[:1] == "c" }) // the system's word for it
	want := []string{
		"away/secret", "d-link/file", "d-link/up/ loops", "d.x", "d/file", "d/up/ loops", "e/f/deep", "e/f/self/ loops",
		"e/twice/file", "e/twice/up/ loops", "link", "nowhere dangles",
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got  %q\nwant %q", got, want)
	}
	for _, key := range []string{"away/secret", "link", "d-link/file", "e/twice/file"} {
		f, id, err := root.Open(key)
		if err != nil {
			t.Errorf("open %s: %v", key, err)
			continue
		}
		_ = f.Close()
		if now, err := root.Stat(key); err != nil || now != id || !id.Mode.IsRegular() {
			t.Errorf("stat %s: %+v, %v, want %+v", key, now, err, id)
		}
	}
	if _, _, err := root.Open("nowhere"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a link to nowhere: %v", err)
	}
	if _, _, err := root.Open("away"); !errors.Is(err, localfs.ErrIsFolder) {
		t.Errorf("a link to a folder: %v", err)
	}
}

func TestWalkFolders(t *testing.T) {
	dir := t.TempDir()
	makeFiles(t, dir, "a/b/c", "a.x")
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	got := walked(t, openRoot(t, dir), &localfs.WalkOptions{Folders: true})
	if want := []string{"a.x", "a/", "a/b/", "a/b/c", "empty/"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTempLink(t *testing.T) {
	dir := t.TempDir()
	root := openRoot(t, dir)
	temp := localfs.TempName("x")
	if err := root.CreateTempLink("sub/link", temp, "../target"); err != nil {
		t.Fatal(err)
	}
	if err := root.CreateTempLink("sub/link", temp, "other"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second time: %v", err)
	}
	if err := root.Publish("sub/link", temp); err != nil {
		t.Fatal(err)
	}
	if got, err := root.Readlink("sub/link"); got != "../target" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	makeFiles(t, dir, "file")
	if _, err := root.Readlink("file"); err == nil {
		t.Error("a file is no link")
	}
	if err := root.CreateTempLink("sub/link/below", temp, "x"); !errors.Is(err, localfs.ErrSymlink) {
		t.Errorf("through a link: %v", err)
	}
}
