package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	mrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/emulator"
)

const selftestRegion = "cn-hangzhou"

// crashTest kills a process at every point of every scenario and resumes it.
type crashTest struct {
	app     *app
	only    string
	verbose bool

	server   *emulator.Server
	endpoint string
	bucket   *oss.Bucket
	traffic  traffic
	dir      string
	source   map[string][]byte // by name; what every scenario moves
	large    []byte            // what the large one is to replace where it is to be put back

	points  map[string]bool // killed at
	rounds  int
	missing []string // points that were never reached
	found   findings
}

// findings is what must not be.
type findings struct {
	lost, corrupt, orphans, temps int
	resent                        int64
	first                         string // the first of them, in words
}

func (f *findings) note(counter *int, format string, args ...any) {
	*counter++
	if f.first == "" {
		f.first = fmt.Sprintf(format, args...)
	}
}

// traffic sums up what the server sent and received of objects.
type traffic struct {
	mu    sync.Mutex
	bytes int64
}

func (t *traffic) Write(p []byte) (int, error) {
	var line struct {
		Op       string `json:"op"`
		BytesIn  int64  `json:"bytes_in"`
		BytesOut int64  `json:"bytes_out"`
	}
	if err := json.Unmarshal(p, &line); err != nil {
		return 0, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch line.Op {
	case "PutObject", "UploadPart":
		t.bytes += line.BytesIn
	case "GetObject":
		t.bytes += line.BytesOut
	}
	return len(p), nil
}

// take is what has come since the last call.
func (t *traffic) take() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.bytes
	t.bytes = 0
	return n
}

func (c *crashTest) run(ctx context.Context) (err error) {
	todo := scenarios()
	if c.only != "" {
		todo = slices.DeleteFunc(todo, func(s scenario) bool { return s.name != c.only })
		if len(todo) == 0 {
			return &usageError{message: fmt.Sprintf("--only %s: want one of %s", printable(c.only), strings.Join(scenarioNames(), ", "))}
		}
	}
	if c.dir, err = os.MkdirTemp("", "osssync-selftest-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.dir)) }()
	if c.server, err = emulator.Open(&emulator.Options{RequestLog: &c.traffic, Region: selftestRegion}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.server.Close()) }()
	if c.endpoint, err = c.server.Start("127.0.0.1:0"); err != nil {
		return err
	}
	c.points = map[string]bool{}
	if err := c.seed(ctx); err != nil {
		return err
	}
	for _, s := range todo {
		if err := c.scenario(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return c.verdict()
}

// verdict prints the line and makes an error of what must not be.
func (c *crashTest) verdict() error {
	f := &c.found
	small, large := c.sizes()
	bound := int64(selftestParallel+large*syncWindowParts)*selftestPart + small
	_, err := fmt.Fprintf(c.app.stdout, "points=%d rounds=%d lost=%d corrupt=%d orphan_uploads=%d resent_bytes_max=%d temp_files=%d unreached=%d resent_bytes_allowed=%d\n",
		len(c.points), c.rounds, f.lost, f.corrupt, f.orphans, f.resent, f.temps, len(c.missing), bound)
	switch {
	case err != nil:
		return err
	case f.first != "":
		return &selftestError{f.first}
	case f.resent > bound:
		return &selftestError{fmt.Sprintf("%d bytes were sent again in one round, more than %d", f.resent, bound)}
	case len(c.missing) > 0:
		return &selftestError{"points never reached: " + strings.Join(c.missing, "; ")}
	}
	return nil
}

// syncWindowParts is what may be written to one file and not be recorded at a
// kill, in parts: a group being synced, and one gathering behind it.
const syncWindowParts = 2 * selftestParallel

// sizes is how many bytes are in objects that have no parts, for those that were
// done within one group commit before a kill are done again, and how many
// objects have parts.
func (c *crashTest) sizes() (small int64, large int) {
	for _, data := range c.source {
		if len(data) <= selftestPart {
			small += int64(len(data))
		} else {
			large++
		}
	}
	return small, large
}

// selftestError says what the test found.
type selftestError struct{ found string }

func (e *selftestError) Error() string { return "selftest: " + e.found }

// seed makes what the scenarios move, on both sides.
func (c *crashTest) seed(ctx context.Context) error {
	c.source = map[string][]byte{selftestOne: random(12*selftestPart - 7)}
	for i := range 12 {
		c.source[fmt.Sprintf("d%d/small%02d", i%3, i)] = random(1000 * i)
	}
	c.source["e/other"] = random(4*selftestPart + 1)
	c.large = random(11*selftestPart - 3)
	id, secret := c.server.Credentials()
	client, err := oss.New(c.endpoint, oss.StaticCredentials(id, secret, ""), &oss.Options{Region: selftestRegion})
	if err != nil {
		return err
	}
	if err := c.server.CreateBucket(selftestBucket); err != nil {
		return err
	}
	c.bucket = client.Bucket(selftestBucket)
	for name, data := range c.source {
		if _, err := c.bucket.PutObject(ctx, selftestFrom+name, bytes.NewReader(data), nil); err != nil {
			return err
		}
		file := filepath.Join(c.dir, selftestSource, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			return err
		}
	}
	c.traffic.take()
	return nil
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) //nolint:errcheck // never fails
	return b
}

// scenario finds the points of s and tries each.
func (c *crashTest) scenario(ctx context.Context, s scenario) error {
	fresh, err := c.trace(ctx, s, nil)
	if err != nil {
		return err
	}
	resumed, err := c.trace(ctx, s, []point{s.middle})
	if err != nil {
		return err
	}
	for _, p := range c.points2try(s, "first run", fresh, s.fresh) {
		if err := c.round(ctx, s, []point{p}); err != nil {
			return err
		}
	}
	for _, p := range c.points2try(s, "second run", resumed, s.resumed) {
		if err := c.round(ctx, s, []point{s.middle, p}); err != nil {
			return err
		}
	}
	return nil
}

// points2try chooses the points for each step that a traced run took: the
// first, the middle and the last time. What was demanded and not taken is
// missing.
func (c *crashTest) points2try(s scenario, run string, traced map[point]int, demanded []string) []point {
	for _, op := range demanded {
		if traced[point{op: op}] == 0 || traced[point{op: op, done: true}] == 0 {
			c.missing = append(c.missing, s.name+", "+run+": "+op)
		}
	}
	var all []point
	for p, times := range traced {
		for _, n := range slices.Compact([]int{1, (times + 1) / 2, times}) {
			all = append(all, point{p.op, p.done, n})
		}
	}
	slices.SortFunc(all, func(a, b point) int { return strings.Compare(a.String(), b.String()) })
	return all
}

// trace is an uninterrupted run after kills at the given points; it returns
// how often each step was taken.
func (c *crashTest) trace(ctx context.Context, s scenario, kills []point) (map[point]int, error) {
	r, err := c.newRound(ctx, s)
	if err != nil {
		return nil, err
	}
	defer r.clean(ctx)
	for _, p := range kills {
		if _, err := r.child(ctx, p, false); err != nil {
			return nil, err
		}
	}
	out, err := r.child(ctx, point{}, true)
	if err != nil {
		return nil, err
	}
	steps := map[point]int{}
	for line := range strings.Lines(out) {
		p, err := parsePoint(strings.TrimSpace(line))
		if err != nil {
			return nil, err
		}
		steps[point{op: p.op, done: p.done}] = p.n
	}
	return steps, nil
}

// round kills a run at each of the given points in turn, goes on after the
// last, and checks what came out. Every other round is killed once more on its
// way, at random.
func (c *crashTest) round(ctx context.Context, s scenario, kills []point) error {
	r, err := c.newRound(ctx, s)
	if err != nil {
		return err
	}
	defer r.clean(ctx)
	c.rounds++
	if c.rounds%2 == 0 {
		kills = append(slices.Clone(kills), point{"checkpoint commit", mrand.IntN(2) == 0, 1 + mrand.IntN(3)})
	}
	killed, ended := int64(0), false
	for _, p := range kills {
		out, err := r.child(ctx, p, false)
		if err != nil {
			return err
		}
		if ended = out != childKilled; ended {
			break // it took fewer steps than the traced run
		}
		killed++
		c.points[s.name+" "+p.String()] = true
		if err := r.checkNames(ctx, &c.found, p); err != nil {
			return err
		}
		if ended = p.op == "checkpoint remove" && p.done; ended {
			break // the job has ended: run again, it would be another one
		}
	}
	if !ended {
		if _, err := r.child(ctx, point{}, false); err != nil {
			return fmt.Errorf("after a kill %v: %w", kills, err)
		}
	}
	if err := r.checkEnd(ctx, &c.found, kills); err != nil {
		return err
	}
	again := c.traffic.take() - r.expected()
	c.found.resent = max(c.found.resent, again/max(killed, 1))
	if c.verbose {
		_, err = fmt.Fprintf(c.app.stdout, "%s: killed %v, %d bytes again\n", s.name, kills, again)
	}
	return err
}

// crashRound is one round's own places.
type crashRound struct {
	test *crashTest
	s    scenario
	dir  string
	key  string
}

// old is what the large object's name has before.
func (r *crashRound) old() []byte {
	if r.s.undoes {
		return r.test.large
	}
	return []byte("old")
}

// wanted is what a name is to have in the end; nil is nothing.
func (r *crashRound) wanted(name string) []byte {
	switch {
	case !r.s.undoes:
		return r.names()[name]
	case name == selftestOne:
		return r.old()
	}
	return nil
}

// newRound makes a folder and a prefix of its own, with something old at the
// destination of the large object.
func (c *crashTest) newRound(ctx context.Context, s scenario) (*crashRound, error) {
	r := &crashRound{test: c, s: s, dir: filepath.Join(c.dir, "round"), key: "to/"}
	if err := os.MkdirAll(filepath.Join(r.dir, selftestTarget), 0o700); err != nil {
		return nil, err
	}
	err := r.supply(ctx)
	if err != nil {
		return nil, err
	}
	if s.down {
		err = os.WriteFile(filepath.Join(r.dir, selftestTarget, selftestOne), r.old(), 0o600)
	} else {
		_, err = c.bucket.PutObject(ctx, r.key+selftestOne, bytes.NewReader(r.old()), nil)
	}
	c.traffic.take()
	return r, err
}

// supply gives the round its source: one of its own if it is to be moved.
func (r *crashRound) supply(ctx context.Context) error {
	files := filepath.Join(r.test.dir, selftestSource)
	switch {
	case !r.s.moves:
		return os.Symlink(files, filepath.Join(r.dir, selftestSource))
	case !r.s.down:
		return os.CopyFS(filepath.Join(r.dir, selftestSource), os.DirFS(files))
	}
	for name := range r.names() {
		if _, err := r.test.bucket.CopyObject(ctx, selftestBucket, selftestFrom+name, selftestTaken+name, nil); err != nil {
			return err
		}
	}
	return nil
}

// clean removes what the round made.
func (r *crashRound) clean(ctx context.Context) {
	if err := os.RemoveAll(r.dir); err != nil {
		r.test.app.printf("warning: %v", err)
	}
	for _, prefix := range []string{r.key, selftestTaken, selftestKept} {
		for o, err := range r.test.bucket.Objects(ctx, &oss.ListObjectsV2Options{Prefix: prefix}) {
			if err == nil {
				_, err = r.test.bucket.DeleteObject(ctx, o.Key, nil)
			}
			if err != nil {
				r.test.app.printf("warning: %v", err)
				return
			}
		}
	}
}

// stays says whether a name is still at the source of a move.
func (r *crashRound) stays(ctx context.Context, name string) (bool, error) {
	if !r.s.down {
		_, err := os.Stat(filepath.Join(r.dir, selftestSource, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return err == nil, err
	}
	_, err := r.test.bucket.HeadObject(ctx, selftestTaken+name, nil)
	if errors.Is(err, oss.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

const childKilled = "killed"

// child runs the scenario in a process of its own, which dies at p. Without p
// it must succeed; it returns what the process printed, or childKilled.
func (r *crashRound) child(ctx context.Context, p point, trace bool) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	args := []string{"selftest", "act", r.s.name, "--dir", r.dir, "--key", r.key}
	if p.n > 0 {
		args = append(args, "--at", p.String())
	}
	if trace {
		args = append(args, "--trace")
	}
	id, secret := r.test.server.Credentials()
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Args[0] = os.Args[0] // what it was called as, should that decide what it is
	cmd.Env = append(os.Environ(), "OSS_ENDPOINT="+r.test.endpoint, "OSS_ACCESS_KEY_ID="+id, "OSS_ACCESS_KEY_SECRET="+secret)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && p.n > 0 && !exit.Success() && exit.ExitCode() < 1 {
		return childKilled, nil
	}
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, oneLine(stderr.String()))
	}
	return string(out), nil
}

// names are those the scenario moves, with their content.
func (r *crashRound) names() map[string][]byte {
	if r.s.tree {
		return r.test.source
	}
	return map[string][]byte{selftestOne: r.test.source[selftestOne]}
}

// expected is what must cross the network once.
func (r *crashRound) expected() (n int64) {
	if r.s.name == "copy" {
		return 0
	}
	for _, data := range r.names() {
		n += int64(len(data))
	}
	if r.s.name == "relay" {
		n *= 2
	}
	return n
}

// content is what a name has at the destination; nil is nothing.
func (r *crashRound) content(ctx context.Context, name string) ([]byte, error) {
	if r.s.down {
		b, err := os.ReadFile(filepath.Join(r.dir, selftestTarget, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return b, err
	}
	result, err := r.test.bucket.GetObject(ctx, r.key+name, nil)
	if errors.Is(err, oss.ErrNoSuchKey) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer result.Body.Close()
	b, err := io.ReadAll(result.Body)
	r.test.traffic.forget(int64(len(b)))
	return b, err
}

// forget takes back what the test itself has read.
func (t *traffic) forget(n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bytes -= n
}

// checkNames looks at every name right after a kill: it shows the old or the
// new content, nothing between, and the new one if its source was moved.
func (r *crashRound) checkNames(ctx context.Context, f *findings, p point) error {
	for name, want := range r.names() {
		got, err := r.content(ctx, name)
		if err != nil {
			return err
		}
		old := got == nil || bytes.Equal(got, r.old())
		if name != selftestOne {
			old = got == nil
		}
		if !old && !bytes.Equal(got, want) {
			f.note(&f.corrupt, "%s: killed %s, %s shows %d bytes that are neither old nor new", r.s.name, p, name, len(got))
		}
		if !r.s.moves || bytes.Equal(got, want) {
			continue
		}
		stays, err := r.stays(ctx, name)
		if err != nil {
			return err
		}
		if !stays {
			f.note(&f.lost, "%s: killed %s, %s is at neither side", r.s.name, p, name)
		}
	}
	return nil
}

// checkEnd looks at what is there after the last run: everything, and nothing
// else.
func (r *crashRound) checkEnd(ctx context.Context, f *findings, kills []point) error {
	for _, name := range slices.Sorted(maps.Keys(r.names())) {
		got, err := r.content(ctx, name)
		switch want := r.wanted(name); {
		case err != nil:
			return err
		case want == nil && got != nil:
			f.note(&f.temps, "%s: killed %v, %s is left", r.s.name, kills, name)
		case want != nil && got == nil:
			f.note(&f.lost, "%s: killed %v, %s is not there", r.s.name, kills, name)
		case !bytes.Equal(got, want):
			f.note(&f.corrupt, "%s: killed %v, %s differs from its source", r.s.name, kills, name)
		case r.s.moves:
			stays, err := r.stays(ctx, name)
			if err != nil {
				return err
			}
			if stays {
				f.note(&f.temps, "%s: killed %v, the source of %s is left", r.s.name, kills, name)
			}
		}
	}
	for u, err := range r.test.bucket.MultipartUploads(ctx, nil) {
		if err != nil {
			return err
		}
		f.note(&f.orphans, "%s: killed %v, upload %s of %s is left", r.s.name, kills, u.UploadID, u.Key)
	}
	return filepath.WalkDir(r.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); strings.HasPrefix(name, ".osssync-") || strings.HasSuffix(name, ".new") {
			f.note(&f.temps, "%s: killed %v, %s is left", r.s.name, kills, path)
		}
		return nil
	})
}
