package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// MaxListed bounds each list of a Contents.
const MaxListed = 10_000

// Contents is what the checkpoint of a job holds.
type Contents struct {
	Job Job

	// Done counts the settled objects, DoneBytes sums their sizes.
	Done, DoneBytes int64

	// InFlight counts the objects in flight. Their sizes sum up to
	// InFlightBytes; PartBytes of those are in finished parts.
	InFlight, InFlightBytes, PartBytes int64

	// Failed counts the failures.
	Failed int64

	// Damaged counts the records that cannot be trusted. Open drops them.
	Damaged int64

	// Objects are those in flight and Failures those there are, in key order,
	// at most MaxListed of each. PartsOf has the bytes in finished parts of
	// those objects that have any.
	Objects  []Object
	Failures []Failure
	PartsOf  map[string]int64
}

// Inspect reads the checkpoint of a job as Jobs does: without a lock, and
// without writing. Of a job that runs it gives some state of the last moments.
// The error is fs.ErrNotExist if there is no such job, *VersionError if a newer
// release wrote the file; Damaged reports whether it says that the file cannot
// be trusted.
func Inspect(dir, id string) (*Contents, error) {
	if !validID(id) {
		return nil, fmt.Errorf("checkpoint: %q: %w", id, fs.ErrNotExist)
	}
	path := filepath.Join(dir, id+fileSuffix)
	var c *Contents
	var err error
	for range jobsTries {
		if c, err = inspect(path); err == nil || !isDamage(err) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err == nil {
		c.Job.Updated = info.ModTime()
	}
	return c, nil
}

// Damaged reports whether err says that a file cannot be trusted, so that Open
// would set it aside, and not that it could not be read.
func Damaged(err error) bool { return isDamage(err) }

func inspect(path string) (*Contents, error) {
	c := &Contents{PartsOf: make(map[string]int64)}
	found := contents{meta: make(map[string][]byte)}
	_, err := surveyFile(path, "", func(bucket string, key, value []byte) {
		found.visit(bucket, key, value)
		c.count(bucket, string(key), value)
	})
	if err != nil {
		return nil, err
	}
	if c.Job, err = found.header(path); err != nil {
		return nil, err
	}
	c.Damaged = int64(len(found.damaged))
	return c, found.check()
}

// count adds one record. A damaged one counts as nothing here.
func (c *Contents) count(bucket, key string, rec []byte) {
	switch bucket {
	case objectBucket.name():
		if o, err := open(objectBucket, key, rec, decodeObject); err == nil {
			c.InFlight++
			c.InFlightBytes += o.Source.Size
			if len(c.Objects) < MaxListed {
				c.Objects = append(c.Objects, o)
			}
		}
	case partBucket.name():
		object, block, ok := splitBlockKey([]byte(key))
		payload, err := unframe(partBucket, key, rec)
		if !ok || err != nil {
			return
		}
		parts, err := decodeBlock(block, payload)
		if err != nil {
			return
		}
		sum := int64(0)
		for _, p := range parts {
			sum += p.Size
		}
		c.PartBytes += sum
		if _, known := c.PartsOf[object]; known || len(c.PartsOf) < MaxListed {
			c.PartsOf[object] += sum
		}
	case settledBucket.name():
		if s, err := open(settledBucket, key, rec, decodeSettled); err == nil {
			c.Done++
			c.DoneBytes += max(s.Source.Size, s.Dest.Size)
		}
	case failureBucket.name():
		if f, err := open(failureBucket, key, rec, decodeFailure); err == nil {
			c.Failed++
			if len(c.Failures) < MaxListed {
				c.Failures = append(c.Failures, f)
			}
		}
	}
}

// Holder returns the process that has a job open, and whether one has: pid is 0
// if it is not known. Only where the process that had it last is still alive
// does it try the lock, for a moment.
func Holder(dir, id string) (pid int, held bool) {
	if !validID(id) {
		return 0, false
	}
	f, err := os.OpenFile(filepath.Join(dir, id+".lock"), os.O_RDWR|openNoFollow, 0)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	pid = readPID(f)
	if pid == 0 || !alive(pid) {
		return pid, false
	}
	if err := lockFile(f); err != nil {
		return pid, errors.Is(err, errLocked)
	}
	unlockFile(f)
	return pid, false
}
