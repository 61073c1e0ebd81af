package transfer

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/localfs"
)

// takeBackFolders takes back the changes to folders, when all is back that lies in
// them: the deepest first, so that those above are empty, or get their time last.
func (u *undo) takeBackFolders(ctx context.Context) error {
	for _, change := range slices.Backward(u.folders) {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		name := strings.TrimSuffix(change.Key, folderChange)
		operation, key := "restore", name+"/"
		if change.Kept == "" {
			operation = "delete"
		}
		u.seen(false, 0)
		if u.dryRun {
			u.event(ObjectEvent{Key: key, Operation: operation, Outcome: OutcomePlanned})
			continue
		}
		reason, err := u.folder(name, change)
		switch {
		case fatal(err):
			return err
		case err != nil:
			u.fail(key, operation, err)
			continue
		case reason != "":
			u.skip(operation, key, reason, 0)
		default:
			u.done(operation, key, "folder", 0)
		}
		if reason == reasonNotEmpty && u.failed() > 0 {
			continue // it may be, once what failed is mended
		}
		if err := u.journal.DropChange(change.Key); err != nil {
			return err
		}
	}
	return nil
}

// reasonNotEmpty is why a folder stays.
const reasonNotEmpty = "not empty"

// folder removes a folder that the job has made, if nothing is in it, or makes one
// again that it has removed. reason is why nothing is to be done.
func (u *undo) folder(name string, change checkpoint.Change) (reason string, err error) {
	id, err := u.root.StatFolder(name)
	there := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, localfs.ErrIsFile) {
		return "", err
	}
	if change.Kept == "" {
		switch {
		case !there:
			return reasonNotThere, nil
		case len(u.root.RemoveEmpty([]string{name})) == 0:
			return reasonNotEmpty, nil
		}
		return "", u.root.SyncDirs(name)
	}
	mode, err := strconv.ParseUint(change.Kept, 8, 32)
	switch {
	case err != nil:
		return "", err
	case there && id.Mode.Perm() == fs.FileMode(mode):
		return reasonExists, nil
	}
	if err := u.root.MkdirAll(name); err != nil {
		return "", err
	}
	err = u.root.SetFolder(name, localfs.Attributes{Mode: fs.FileMode(mode), ModTime: time.Unix(0, change.Before.ModTime), Sync: true})
	if err != nil {
		return "", err
	}
	return "", u.root.SyncDirs(name)
}
