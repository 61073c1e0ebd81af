package localfs_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/internal/localfs"
)

// Every operation of a download is reported, before and after.
func TestWatch(t *testing.T) {
	dir := t.TempDir()
	root, err := localfs.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	var seen []string
	root.Watch(func(s localfs.Step) {
		if !filepath.IsAbs(s.Path) || !strings.HasPrefix(s.Path, dir) {
			t.Errorf("%s of %q", s.Op, s.Path)
		}
		if s.Done {
			seen = append(seen, s.Op+".")
		} else {
			seen = append(seen, s.Op)
		}
	})
	tempName := localfs.TempName("x")
	temp, err := root.CreateTemp("a/b", tempName, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := temp.WriteAt([]byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		temp.SyncData(), temp.Finish(1, time.Time{}, localfs.DefaultMode), root.Publish("a/b", tempName), root.SyncDirs("a/b"),
		root.RemoveTemp("a/b", tempName), root.Remove("a/b"), root.Publish("a/b", tempName),
	} {
		if err != nil && !strings.Contains(err.Error(), tempName) {
			t.Fatal(err)
		}
	}
	want := []string{
		"make folder", "make folder.", "create", "create.", "write", "write.", "sync data", "sync data.", "sync", "sync.",
		"rename", "rename.", "sync folder", "sync folder.", "sync folder", "sync folder.", "remove", "remove", "remove.", "rename",
	}
	if !slices.Equal(seen, want) {
		t.Errorf("steps:\n%q\nwant\n%q", seen, want)
	}
}
