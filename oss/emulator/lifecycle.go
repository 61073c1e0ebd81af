package emulator

import (
	"errors"
	"time"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// LifecycleResult counts what ApplyLifecycle did.
type LifecycleResult struct {
	Expired      int // current objects that were deleted, or got a delete marker
	Noncurrent   int // old versions that were deleted
	Markers      int // delete markers with nothing under them that were deleted
	Transitioned int // versions that changed their storage class
	Aborted      int // multipart uploads
}

// lifecycleBatch bounds one transaction: others get their turn in between.
const lifecycleBatch = 500

// ApplyLifecycle carries out what the lifecycle of every bucket says is due at
// that time, at once, as the service does once a day. Current objects expire by
// their last change, old versions by the time the next one came.
func (s *Server) ApplyLifecycle(now time.Time) (*LifecycleResult, error) {
	if !s.enter() {
		return nil, errors.New("apply lifecycle: server is closed")
	}
	defer s.leave()
	res := &LifecycleResult{}
	var buckets []*store.Bucket
	err := s.store.View(func(tx *store.Tx) error {
		for b, err := range tx.Buckets("") {
			if err != nil {
				return err
			}
			buckets = append(buckets, b)
		}
		return nil
	})
	for _, b := range buckets {
		if err == nil {
			err = s.applyLifecycle(b, now, res)
		}
	}
	return res, err
}

// lifecycleStep is one change that is due.
type lifecycleStep func(tx *store.Tx) error

// applyLifecycle goes through one bucket: what is due is found in one
// transaction and done in another, batch by batch.
func (s *Server) applyLifecycle(b *store.Bucket, now time.Time, res *LifecycleResult) error {
	l := &lifecycleRun{s: s, bucket: b, now: now, res: res}
	for _, find := range []func(tx *store.Tx, from string) (next string, err error){l.versions, l.uploads} {
		for from, more := "", true; more; {
			l.steps = l.steps[:0]
			var next string
			err := s.store.View(func(tx *store.Tx) (err error) {
				if l.rules, err = lifecycleRules(tx, b.Name); err != nil || len(l.rules) == 0 {
					return err
				}
				next, err = find(tx, from)
				return err
			})
			if err != nil {
				return err
			}
			if len(l.steps) > 0 {
				err := s.store.Update(func(tx *store.Tx) error {
					for _, step := range l.steps {
						if err := step(tx); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
			from, more = next, next != ""
		}
	}
	return nil
}

// lifecycleRun is the lifecycle of one bucket being applied.
type lifecycleRun struct {
	s      *Server
	bucket *store.Bucket
	now    time.Time
	res    *LifecycleResult
	rules  []lifecycleRule
	steps  []lifecycleStep
}

// versions finds what is due of the objects from a key on, and returns the key
// to go on from.
func (l *lifecycleRun) versions(tx *store.Tx, from string) (next string, err error) {
	var newer *store.Object // the version before, of the same key
	var last *store.Object
	single := false // last is the only version of its key
	for row := range tx.Versions(l.bucket.Name, from) {
		o, err := row.Object()
		if err != nil {
			return "", err
		}
		if last == nil || last.Key != o.Key {
			l.lonelyMarker(last, single)
			if len(l.steps) >= lifecycleBatch {
				return o.Key, nil
			}
			newer, single = nil, true
		} else {
			newer, single = last, false
		}
		l.version(o, newer)
		last = o
	}
	l.lonelyMarker(last, single)
	return "", nil
}

// lonelyMarker takes a delete marker away that hides nothing.
func (l *lifecycleRun) lonelyMarker(o *store.Object, single bool) {
	if o == nil || !single || !o.Marker {
		return
	}
	for _, r := range l.rules {
		if r.expireMarkers && r.matches(o.Key, 0, nil) {
			l.do(o, func(tx *store.Tx) error {
				l.res.Markers++
				return tx.DeleteVersion(l.bucket.Name, o)
			})
			return
		}
	}
}

// version finds what is due of one version. newer is the version that took its
// place; nil if it is the current one.
func (l *lifecycleRun) version(o, newer *store.Object) {
	tags, err := splitTags(o.Tags)
	if err != nil {
		return // cannot be: they were checked
	}
	changed := o.Modified
	if newer != nil {
		changed = newer.Modified
	}
	class := ""
	for _, r := range l.rules {
		if !r.matches(o.Key, o.Size, tags) {
			continue
		}
		expire, transitions := r.expire, r.transitions
		if newer != nil {
			expire, transitions = r.expireNoncurrent, r.noncurrent
		}
		held := newer != nil && o.Lock.Holds(l.now)
		if expire.due(changed, l.now) && (newer != nil || !o.Marker) && !held {
			l.do(o, func(tx *store.Tx) error { return l.expire(tx, o, newer != nil) })
			return
		}
		for _, t := range transitions {
			if t.when.due(changed, l.now) {
				class = t.class
			}
		}
	}
	if class != "" && class != o.Class && !o.Marker {
		l.do(o, func(tx *store.Tx) error {
			l.res.Transitioned++
			o.Class = class
			return tx.ChangeVersion(l.bucket.Name, o)
		})
	}
}

func (l *lifecycleRun) expire(tx *store.Tx, o *store.Object, noncurrent bool) error {
	switch {
	case noncurrent:
		l.res.Noncurrent++
		return tx.DeleteVersion(l.bucket.Name, o)
	case l.bucket.Versioning == "":
		l.res.Expired++
		return tx.DeleteObject(l.bucket.Name, o.Key)
	}
	l.res.Expired++
	return tx.AddMarker(l.bucket.Versioning, l.bucket.Name, &store.Object{Key: o.Key, VersionID: newVersionID(), Modified: l.now})
}

// do keeps a step, which is left out if the version it is about has changed by
// then.
func (l *lifecycleRun) do(o *store.Object, step lifecycleStep) {
	l.steps = append(l.steps, func(tx *store.Tx) error {
		now, err := tx.Version(l.bucket.Name, o.Key, o.VersionID)
		if err != nil || now == nil || now.Seq != o.Seq || now.ETag != o.ETag || !now.Modified.Equal(o.Modified) {
			return err
		}
		return step(tx)
	})
}

// uploads finds the uploads that are due.
func (l *lifecycleRun) uploads(tx *store.Tx, from string) (next string, err error) {
	for row := range tx.Uploads(l.bucket.Name, from) {
		u, err := row.Upload()
		if err != nil {
			return "", err
		}
		if len(l.steps) >= lifecycleBatch {
			return u.Key + "\x00" + u.ID, nil
		}
		for _, r := range l.rules {
			if r.matches(u.Key, r.above+1, nil) && r.abort.due(u.Initiated, l.now) {
				l.steps = append(l.steps, func(tx *store.Tx) error {
					now, err := tx.Upload(l.bucket.Name, u.Key, u.ID)
					if err != nil || now == nil {
						return err
					}
					l.res.Aborted++
					return tx.DeleteUpload(l.bucket.Name, u.Key, u.ID)
				})
				break
			}
		}
	}
	return "", nil
}
