package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/osssync/osssync/oss"
)

// scenario is a task that people have, and its measurement.
type scenario struct {
	name  string
	tree  bool // it moves the tree, else the large file; see work
	fresh bool // each run needs a server without its result

	// prepare brings lab and server to where the scenario begins.
	prepare func(context.Context, *lab) error

	// run measures it once and checks what came of it.
	run func(context.Context, *lab) (sample, error)
}

var scenarios = []scenario{
	{name: "up-large", fresh: true, run: upLarge},
	{name: "down-large", prepare: putLarge, run: downLarge},
	{name: "up-small", tree: true, fresh: true, run: upSmall},
	{name: "down-small", tree: true, prepare: putTree, run: downSmall},
	{name: "list", prepare: putKeys, run: list},
	{name: "noop", tree: true, prepare: syncTree, run: noop},
	{name: "noop-checksum", tree: true, prepare: syncChecksum, run: noopChecksum},
	{name: "resume-up", fresh: true, run: resumeUp},
	{name: "resume-down", prepare: putLarge, run: resumeDown},
}

func scenarioNames() []string {
	var names []string
	for _, s := range scenarios {
		names = append(names, s.name)
	}
	return names
}

// measure fills the row with all runs.
func (s scenario) measure(ctx context.Context, c *config, d *data, dir string, r *row) (err error) {
	var l *lab
	defer func() {
		if l != nil {
			err = errors.Join(err, l.close())
		}
	}()
	var samples []sample
	for range c.runs {
		if l != nil && s.fresh {
			old := l
			l = nil
			if err := old.close(); err != nil {
				return err
			}
		}
		if l == nil {
			opened, err := openLab(ctx, c, d, dir)
			if err != nil {
				return err
			}
			l = opened
			if s.prepare != nil {
				if err := s.prepare(ctx, l); err != nil {
					return err
				}
			}
		}
		one, err := s.run(ctx, l)
		if err != nil {
			return err
		}
		samples = append(samples, one)
	}
	r.fill(samples)
	return nil
}

const (
	largeKey   = "large.bin"
	largeURL   = "oss://" + bucketName + "/" + largeKey
	treePrefix = "tree/"
	treeURL    = "oss://" + bucketName + "/" + treePrefix
	keysPrefix = "keys/"
	keysURL    = "oss://" + bucketName + "/" + keysPrefix
)

func putLarge(ctx context.Context, l *lab) error {
	path, _, err := l.data.large()
	if err == nil {
		_, err = l.osssync(ctx, "cp", path, largeURL)
	}
	return err
}

func putTree(ctx context.Context, l *lab) error {
	root, _, err := l.data.tree()
	if err == nil {
		_, err = l.osssync(ctx, "cp", "-r", root, treeURL)
	}
	return err
}

func syncTree(ctx context.Context, l *lab) error {
	root, _, err := l.data.tree()
	if err == nil {
		_, err = l.osssync(ctx, "sync", root, treeURL)
	}
	return err
}

// seeders is how many requests put keys at a time.
const seeders = 16

// keyAt is the key of a number, in the order of keys.
func keyAt(i int) string { return fmt.Sprintf("%sfolder-%04d/object-%07d", keysPrefix, i/1000, i) }

// putKeys makes objects of one byte; the library does that faster than files
// could be made for the binary.
func putKeys(ctx context.Context, l *lab) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var seeding sync.WaitGroup
	for range seeders {
		seeding.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= l.config.keys || ctx.Err() != nil {
					return
				}
				if _, err := l.server.bucket.PutObject(ctx, keyAt(i), strings.NewReader("x"), nil); err != nil {
					cancel(err)
				}
			}
		})
	}
	seeding.Wait()
	return context.Cause(ctx)
}

func upLarge(ctx context.Context, l *lab) (sample, error) {
	path, want, err := l.data.large()
	if err != nil {
		return sample{}, err
	}
	l.freshState()
	one, err := l.once(ctx, "cp", path, largeURL)
	if err != nil {
		return sample{}, err
	}
	return one, l.checkObject(ctx, largeKey, want)
}

func downLarge(ctx context.Context, l *lab) (sample, error) {
	l.freshState()
	path := l.newPath("large")
	one, err := l.once(ctx, "cp", largeURL, path)
	if err != nil {
		return sample{}, err
	}
	return one, errors.Join(checkFile(path, l.data.largeSum), os.Remove(path))
}

func upSmall(ctx context.Context, l *lab) (sample, error) {
	root, want, err := l.data.tree()
	if err != nil {
		return sample{}, err
	}
	l.freshState()
	one, err := l.once(ctx, "cp", "-r", root, treeURL)
	if err != nil {
		return sample{}, err
	}
	return one, l.checkObjects(ctx, want)
}

func downSmall(ctx context.Context, l *lab) (sample, error) {
	l.freshState()
	root := l.newPath("tree")
	one, err := l.once(ctx, "cp", "-r", treeURL, root)
	if err != nil {
		return sample{}, err
	}
	return one, checkTree(root, l.data.treeSums)
}

func list(ctx context.Context, l *lab) (sample, error) {
	out := l.newPath("listing")
	one, err := l.measure(ctx, func() (usage, error) {
		return l.child(ctx, l.server.endpoint, out, "ls", keysURL)
	})
	if err != nil {
		return sample{}, err
	}
	return one, checkLines(out, l.config.keys, func(i int) string { return "oss://" + bucketName + "/" + keyAt(i) })
}

func noop(ctx context.Context, l *lab) (sample, error) {
	root, want, err := l.data.tree()
	if err != nil {
		return sample{}, err
	}
	one, err := l.once(ctx, "sync", root, treeURL)
	if err != nil {
		return sample{}, err
	}
	if n := one.requests["PutObject"].N; n > 0 {
		return sample{}, fmt.Errorf("%d files were sent again", n)
	}
	return one, l.checkObjects(ctx, want)
}

func syncChecksum(ctx context.Context, l *lab) error {
	root, _, err := l.data.tree()
	if err == nil {
		_, err = l.osssync(ctx, "sync", "--checksum", root, treeURL)
	}
	return err
}

// noopChecksum is the second night: nothing is asked for but listings, and no file
// is read.
func noopChecksum(ctx context.Context, l *lab) (sample, error) {
	root, want, err := l.data.tree()
	if err != nil {
		return sample{}, err
	}
	one, err := l.once(ctx, "sync", "--checksum", root, treeURL)
	if err != nil {
		return sample{}, err
	}
	for op, r := range one.requests {
		if op != "ListObjectsV2" && r.N > 0 {
			return sample{}, fmt.Errorf("%d requests %s", r.N, op)
		}
	}
	// What is left are answers, and the checkpoint's pages.
	if tree := int64(l.config.files) * l.config.fileSize; one.read > tree/2 && tree > 64<<20 {
		return sample{}, fmt.Errorf("%d bytes were read, of a tree of %d", one.read, tree)
	}
	return one, l.checkObjects(ctx, want)
}

func resumeUp(ctx context.Context, l *lab) (sample, error) {
	path, want, err := l.data.large()
	if err != nil {
		return sample{}, err
	}
	l.freshState()
	one, err := l.killed(ctx, true, l.config.size, "cp", path, largeURL)
	if err != nil {
		return sample{}, err
	}
	return one, l.checkObject(ctx, largeKey, want)
}

func resumeDown(ctx context.Context, l *lab) (sample, error) {
	l.freshState()
	folder := l.newPath("resumed")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return sample{}, err
	}
	path := filepath.Join(folder, largeKey)
	one, err := l.killed(ctx, false, l.config.size, "cp", largeURL, path)
	if err != nil {
		return sample{}, err
	}
	// The folder must hold nothing else: no temporary file of the killed one.
	return one, errors.Join(checkTree(folder, map[string]sum{largeKey: l.data.largeSum}), os.RemoveAll(folder))
}

// checkObject compares an object with what it must hold.
func (l *lab) checkObject(ctx context.Context, key string, want sum) (err error) {
	object, err := l.server.bucket.GetObject(ctx, key, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, object.Body.Close()) }()
	got, err := sumOf(object.Body)
	if err == nil && got != want {
		err = fmt.Errorf("%s: %w", key, errContent)
	}
	return err
}

// checkObjects compares the tree on the server: every object, and nothing
// besides.
func (l *lab) checkObjects(ctx context.Context, want map[string]sum) error {
	found := 0
	for o, err := range l.server.bucket.Objects(ctx, &oss.ListObjectsV2Options{Prefix: treePrefix}) {
		if err != nil {
			return err
		}
		s, ok := want[strings.TrimPrefix(o.Key, treePrefix)]
		if !ok {
			return fmt.Errorf("%s: %w: not in the source", o.Key, errContent)
		}
		if err := l.checkObject(ctx, o.Key, s); err != nil {
			return err
		}
		found++
	}
	return checkCount(found, len(want))
}
