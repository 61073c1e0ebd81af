package localfs_test

import (
	"crypto/rand"
	"errors"
	"slices"
	"syscall"
	"testing"

	"github.com/osssync/osssync/internal/localfs"
)

// defaultMode is what a umask of 027 leaves of 0666.
const defaultMode = 0o640

func TestDiskFull(t *testing.T) {
	r := create(t)
	_, err := r.CreateTemp("a/b", localfs.TempName(rand.Text()), 1<<60)
	if !localfs.IsDiskFull(err) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("more than any disk has: %v", err)
	}
	if got, want := names(t, r.Dir()), []string{"a/"}; !slices.Equal(got, want) {
		t.Errorf("left %q", got)
	}
	if !localfs.IsDiskFull(syscall.EDQUOT) || localfs.IsDiskFull(syscall.EFBIG) || localfs.IsDiskFull(nil) {
		t.Error("not the errors of a full disk")
	}
}
