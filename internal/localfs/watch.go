package localfs

// Step is one operation that changes what is on the disk. It is reported twice:
// before it, and with Done set after it has succeeded.
type Step struct {
	Op   string // "create", "write", "sync data", "sync", "rename", "sync folder", "remove", "make folder"
	Path string // absolute
	To   string // of a rename
	Done bool
}

// Watch makes the root, and every Temp opened from it after, report its steps
// to f, on the goroutine that takes them. It is there to end the process at a
// step, or to follow what a power cut would leave.
func (r *Root) Watch(f func(Step)) { r.watch = f }

// step reports s if anybody watches, does it, and reports it as done.
func (w watcher) step(s Step, do func() error) error {
	if w == nil {
		return do()
	}
	w(s)
	if err := do(); err != nil {
		return err
	}
	s.Done = true
	w(s)
	return nil
}

type watcher func(Step)
