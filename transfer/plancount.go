package transfer

import "time"

// PlanCounts sums up a plan.
type PlanCounts struct {
	Uploads   int64 `json:"uploads"` // objects
	Downloads int64 `json:"downloads"`
	Copies    int64 `json:"copies"`
	Deletes   int64 `json:"deletes"`
	Removes   int64 `json:"removes"`  // of a move: sources
	Replaced  int64 `json:"replaced"` // of the first three: something is there
	Bytes     int64 `json:"bytes"`    // that are transferred or copied
	Skipped   int64 `json:"skipped"`  // objects that need nothing
	Failed    int64 `json:"failed"`   // objects that could not be looked at

	// PutRequests and GetRequests are those that Apply will make if all goes
	// well, by the class that the service charges them as: uploads, copies,
	// deletions and listings are of the first, downloads and HEAD of the second
	// (Alibaba Cloud, "API operation calling fees"). Answers that an object is
	// not there are free.
	PutRequests int64 `json:"put_requests"`
	GetRequests int64 `json:"get_requests"`

	// Classes has what storage classes other than Standard charge extra for.
	Classes map[string]ClassCounts `json:"classes,omitempty"`
}

// ClassCounts is what a storage class charges extra for.
type ClassCounts struct {
	// Small objects are uploaded or copied, and charged as if they had the
	// class's MinimumSize: by SmallBytes more than they have.
	Small      int64 `json:"small,omitempty"`
	SmallBytes int64 `json:"small_bytes,omitempty"`

	// Early objects are deleted or replaced before the class's MinimumTime is
	// over, and charged to its end.
	Early      int64 `json:"early,omitempty"`
	EarlyBytes int64 `json:"early_bytes,omitempty"`
}

// Minimum is the least that a storage class charges for an object.
type Minimum struct {
	Size int64         // bytes
	Time time.Duration // from its last modification
}

// MinimumOf is that of a storage class as OSS names it (Alibaba Cloud, "Storage
// fees" and "How am I charged for objects whose storage duration is less than
// the minimum"); zero for Standard and unknown ones.
func MinimumOf(class string) Minimum {
	const (
		size = 64 << 10
		day  = 24 * time.Hour
	)
	switch class {
	case "IA":
		return Minimum{size, 30 * day}
	case "Archive":
		return Minimum{size, 60 * day}
	case "ColdArchive", "DeepColdArchive":
		return Minimum{size, 180 * day}
	}
	return Minimum{}
}

// planned gathers a tree's PlanCounts.
type planned struct{ counts PlanCounts }

func (p *planned) class(name string, change func(*ClassCounts)) {
	if p.counts.Classes == nil {
		p.counts.Classes = map[string]ClassCounts{}
	}
	c := p.counts.Classes[name]
	change(&c)
	p.counts.Classes[name] = c
}

// transfer counts one action. Calls come one after the other.
func (p *planned) transfer(t *tree, a action) {
	c := &p.counts
	c.Bytes += a.src.size
	if a.exists {
		c.Replaced++
		p.gone(t, a.dst)
	}
	switch t.direction {
	case up:
		c.Uploads++
	case down:
		c.Downloads++
	case across:
		c.Copies++
	}
	if class := t.options.Headers.StorageClass; t.direction != down && a.src.size < MinimumOf(class).Size {
		p.class(class, func(c *ClassCounts) { c.Small, c.SmallBytes = c.Small+1, c.SmallBytes+MinimumOf(class).Size-a.src.size })
	}
	put, get := t.requests(a)
	c.PutRequests += put
	c.GetRequests += get
}

// moved counts a source that is to be removed: it is asked for, and removed.
func (p *planned) moved(t *tree, a action) {
	p.counts.Removes++
	if t.direction != up {
		p.counts.PutRequests++
		p.counts.GetRequests++
		p.gone(t, a.src)
	}
	if a.same { // is it there, and the CRC-64 of each object
		p.counts.GetRequests += [...]int64{up: 1, down: 2, across: 3}[t.direction]
	}
}

// remove counts a deletion.
func (p *planned) remove(t *tree, there entry) {
	// For each batch one more listing and one request; a source in a bucket is
	// asked for each name, and that it is not there is free.
	if t.direction != down && p.counts.Deletes%deleteBatch == 0 {
		p.counts.PutRequests += 2
	}
	p.counts.Deletes++
	p.gone(t, there)
}

// gone counts what is deleted or replaced before its time.
func (p *planned) gone(t *tree, there entry) {
	if least := MinimumOf(there.class).Time; least > 0 && t.report.Started.Sub(there.modTime) < least {
		p.class(there.class, func(c *ClassCounts) { c.Early, c.EarlyBytes = c.Early+1, c.EarlyBytes+there.size })
	}
}

// requests is what Apply needs for an action, by class.
func (t *tree) requests(a action) (put, get int64) {
	size, partSize, threshold := a.src.size, t.Engine.opts.PartSize, t.Engine.opts.MultipartThreshold
	relayed := t.direction == across && (t.options.Relay || !sameService(t.src.Bucket, t.dst.Bucket))
	if t.direction == across && !relayed {
		partSize = min(partSize*copyFactor, maxPartSize)
		threshold = max(threshold, partSize)
	}
	large := size > threshold
	parts := int64(1)
	if actual, err := partSizeFor(size, partSize); err == nil && large {
		parts = (size + actual - 1) / actual
	}
	switch {
	case t.direction == down && a.src.link:
		return 0, 2 // is it as it was seen, and where does it lead to?
	case t.direction == down && t.isFolder(a.name, size):
		return 0, 1
	case t.direction == down && large:
		return 0, parts + 1 // HEAD
	case t.direction == down:
		return 0, 1
	case large:
		put = parts + 2 // initiate, complete
	default:
		put = 1
	}
	if a.exists && a.dst.link {
		put++ // a listing of it
	} else if a.exists {
		get++ // is it still the one that was listed?
		if large {
			get++ // before the first part, too
		}
		if t.options.Backup != (Location{}) {
			put++
		}
	}
	if t.direction == across {
		switch {
		case relayed:
			get += parts + 1
		case large, t.options.KeepACL, len(a.src.etag) != md5HexSize:
			get++
		}
		if t.options.KeepACL {
			get++
		}
	}
	return put, get
}
