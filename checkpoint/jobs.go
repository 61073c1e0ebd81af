package checkpoint

import (
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
)

// jobsTries is how often the header of a running job is read. Each commit may
// reuse pages of the one before last, so a reader without a lock can be
// overtaken; that needs two commits within a few page reads.
const jobsTries = 4

// Jobs lists the headers of all jobs in a folder in the order of their IDs. It
// takes no locks and writes nothing, so it disturbs no running job. A file
// that cannot be read gives a Job of nothing but its ID, and the reason
// (*VersionError, say); the listing goes on after it. A folder that is not
// there has no jobs.
func Jobs(dir string) iter.Seq2[Job, error] {
	return func(yield func(Job, error) bool) {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			yield(Job{}, err)
			return
		}
		for _, e := range entries {
			id, ok := strings.CutSuffix(e.Name(), fileSuffix)
			if !ok || !validID(id) {
				continue
			}
			job, err := readJob(filepath.Join(dir, e.Name()))
			if errors.Is(err, fs.ErrNotExist) {
				continue // removed since
			}
			if err != nil {
				job = Job{ID: id}
			}
			if info, err := e.Info(); err == nil {
				job.Updated = info.ModTime()
			}
			if !yield(job, err) {
				return
			}
		}
	}
}

func readJob(path string) (job Job, err error) {
	for range jobsTries {
		found := contents{meta: make(map[string][]byte)}
		if _, err = surveyFile(path, metaBucket.name(), found.visit); err == nil {
			job, err = found.header(path)
		}
		if !isDamage(err) {
			break
		}
	}
	return job, err
}

// Discard removes a checkpoint that cannot be read. The error is *HeldError if
// its job is open.
func Discard(dir, id string) error {
	held, err := acquire(filepath.Join(dir, id+".lock"))
	if err != nil {
		return err
	}
	err = os.Remove(filepath.Join(dir, id+fileSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, held.remove())
}

// SetAsides lists by path the damaged files that Open has set aside in a folder.
func SetAsides(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var paths []string
	for _, e := range entries {
		if id, _, ok := strings.Cut(e.Name(), fileSuffix+damagedSuffix); ok && validID(id) {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths, nil
}

// Tidy removes from a folder the locks that processes left which were killed
// between removing their checkpoint and its lock. They cost nothing but room.
func Tidy(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), ".lock")
		if !ok || !validID(id) || exists(filepath.Join(dir, id+fileSuffix)) {
			continue
		}
		held, err := acquire(filepath.Join(dir, e.Name()))
		switch {
		case err != nil: // somebody has it, or it cannot be had: no matter
		case exists(filepath.Join(dir, id+fileSuffix)): // a job began since
			err = held.release()
		default:
			err = held.remove()
		}
		if _, busy := errors.AsType[*HeldError](err); err != nil && !busy {
			return err
		}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
