//go:build unix

package main_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/emulator"
)

// partSize is the smallest the service takes, so that small files have many
// parts.
const partSize = 100 << 10

// parallel and jobs bound what is in flight: pieces of one object, requests.
const (
	parallel = 4
	jobs     = 8
)

const (
	prefix  = "tree/"
	bigFile = "big-1.bin"
)

// sum is what the content of a file or object is known by.
type sum [sha256.Size]byte

// sample is the tree that is transferred: what each name holds, and what some
// of them hold before.
type sample struct {
	dir         string
	now, before map[string]sum
	old         map[string][]byte // the content that before describes
}

func newSample(t *testing.T) *sample {
	t.Helper()
	s := &sample{dir: t.TempDir(), now: map[string]sum{}, before: map[string]sum{}, old: map[string][]byte{}}
	s.add(t, "big-0.bin", 4<<20+17)
	s.add(t, bigFile, 50*partSize)
	s.add(t, "d3/big-2.bin", 3<<20-1)
	s.add(t, "d1/threshold.bin", 2*partSize)
	s.add(t, "d1/above.bin", 2*partSize+1)
	s.add(t, "ünïcode ☃/'quoted' $name.txt", 77)
	sizes := []int{0, 1, 7, 4095, 4096, 20_000, partSize - 1, partSize, partSize + 1, 60_000}
	for i := range 110 {
		s.add(t, fmt.Sprintf("d%d/sub %d/f%03d.txt", i%7, i%3, i), sizes[i%len(sizes)])
	}
	i := 0
	for name := range s.now {
		if i++; i%4 == 0 || name == bigFile {
			s.old[name] = noise(name+" before", 30_000)
			s.before[name] = sha256.Sum256(s.old[name])
		}
	}
	return s
}

func (s *sample) add(t *testing.T, name string, size int) {
	t.Helper()
	data := noise(name, size)
	s.now[name] = sha256.Sum256(data)
	write(t, filepath.Join(s.dir, name), data)
}

// noise is n bytes that depend on the name.
func noise(name string, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(sha256.Sum256([]byte(name))).Read(b) // never fails
	return b
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// way is a command line.
type way struct {
	verb   string
	upload bool
}

var ways = []way{
	{"cp -r", true},
	{"sync", true},
	{"cp", true},
	{"cp -r", false},
	{"sync", false},
	{"cp", false},
}

func (w way) String() string {
	if w.upload {
		return w.verb + " up"
	}
	return w.verb + " down"
}

// single says that one file goes, not the tree.
func (w way) single() bool { return w.verb == "cp" }

// args is the command line for the local folder.
func (w way) args(local string) []string {
	args := strings.Fields(w.verb)
	args = append(args, "--part-size=100Ki", "--bigfile-threshold=200Ki", "--no-progress",
		fmt.Sprintf("--parallel=%d", parallel), fmt.Sprintf("--job=%d", jobs))
	remote := "oss://bucket/" + prefix
	if w.single() {
		local, remote = filepath.Join(local, bigFile), remote+bigFile
	}
	if w.upload {
		return append(args, local, remote)
	}
	return append(args, remote, local)
}

// arena is one round: a server, a destination, a program that is killed, and
// what may be seen of it.
type arena struct {
	t      *testing.T
	way    way
	sample *sample
	want   map[string]sum // what the destination has in the end
	gate   *gate
	log    *eventLog
	bucket *oss.Bucket // reaches the server past the gate
	binary string
	env    []string
	local  string
	state  string
	done   []milestone // at each kill
}

func newArena(t *testing.T, binary string, s *sample, w way) *arena {
	t.Helper()
	a := &arena{t: t, way: w, sample: s, log: &eventLog{}, binary: binary, state: t.TempDir(), local: s.dir, want: s.now}
	if w.single() {
		a.want = map[string]sum{bigFile: s.now[bigFile]}
	}
	server, err := emulator.Open(&emulator.Options{RequestLog: a.log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := server.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	id, secret := server.Credentials()
	client, err := oss.New("http://127.0.0.1:1", oss.StaticCredentials(id, secret, ""), &oss.Options{
		Region: "cn-hangzhou", HTTPClient: &http.Client{Transport: direct{server}},
	})
	if err != nil {
		t.Fatal(err)
	}
	a.bucket = client.Bucket("bucket")
	a.gate = newGate(t, server)
	a.env = []string{
		"HOME=" + t.TempDir(), "PATH=" + filepath.Dir(binary) + ":" + os.Getenv("PATH"), "OSSSYNC_CHECKPOINT_DIR=" + a.state,
		"OSS_ENDPOINT=" + a.gate.web.URL, "OSS_REGION=cn-hangzhou", "OSS_ACCESS_KEY_ID=" + id, "OSS_ACCESS_KEY_SECRET=" + secret,
	}
	a.furnish()
	return a
}

// furnish brings the source where it belongs, and what the destination holds
// before.
func (a *arena) furnish() {
	a.t.Helper()
	if !a.way.upload {
		a.local = a.t.TempDir()
	}
	for name := range a.want {
		old, hasOld := a.sample.old[name]
		switch {
		case a.way.upload && hasOld:
			a.put(name, old)
		case a.way.upload:
		case hasOld:
			write(a.t, filepath.Join(a.local, name), old)
			fallthrough
		default:
			data, err := os.ReadFile(filepath.Join(a.sample.dir, name))
			if err != nil {
				a.t.Fatal(err)
			}
			a.put(name, data)
		}
	}
}

func (a *arena) put(name string, data []byte) {
	a.t.Helper()
	if _, err := a.bucket.PutObject(a.t.Context(), prefix+name, bytes.NewReader(data), nil); err != nil {
		a.t.Fatal(err)
	}
}

// ended is what became of a run.
type ended struct {
	code   int // -1: killed
	stderr string
	took   time.Duration // from the signal to the end
}

// run executes a command line and sends sig at the moment. When it returns the
// server has nothing left to do.
func (a *arena) run(m *moment, sig os.Signal, name string, args ...string) ended {
	a.t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Stderr = a.env, &stderr
	m.prepare()
	a.gate.arm(m)
	a.log.listen(true)
	if err := cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	if m.when == atStart {
		time.AfterFunc(m.delay, m.reach)
	}
	var (
		watcher sync.WaitGroup
		sent    time.Time
	)
	watcher.Go(func() {
		select {
		case <-m.reached:
			sent = time.Now()
			if err := cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
				a.t.Error(err)
			}
		case <-m.ended:
		}
	})
	err := cmd.Wait()
	now := time.Now()
	close(m.ended)
	watcher.Wait()
	if _, exit := errors.AsType[*exec.ExitError](err); err != nil && !exit {
		a.t.Fatal(err)
	}
	a.gate.quiesce(a.t)
	a.log.listen(false)
	out := ended{code: cmd.ProcessState.ExitCode(), stderr: stderr.String()}
	if !sent.IsZero() {
		out.took = now.Sub(sent)
	}
	return out
}

// start is run of the arena's own command line.
func (a *arena) start(m *moment, sig os.Signal) ended {
	a.t.Helper()
	return a.run(m, sig, a.binary, a.way.args(a.local)...)
}

var tempName = regexp.MustCompile(`^\.osssync-[0-9a-f]{32}\.part$`)

// look reads the destination. Every name there must hold what it holds in the
// end or held before, and nothing in between; finished says that all of it is
// there, and no temporary file.
func (a *arena) look() (finished bool) {
	a.t.Helper()
	left := len(a.want)
	seen := func(name string, r io.Reader) {
		h := sha256.New()
		if _, err := io.Copy(h, r); err != nil {
			a.t.Fatal(err)
		}
		have := sum(h.Sum(nil))
		before, hasBefore := a.sample.before[name]
		switch want, known := a.want[name]; {
		case !known:
			a.t.Errorf("%q is at the destination and was never sent", name)
		case have == want:
			left--
		case !hasBefore || have != before:
			a.t.Errorf("%q holds neither its new content nor its old one", name)
		}
	}
	temps := 0
	if a.way.upload {
		a.eachObject(seen)
	} else {
		temps = a.eachFile(seen)
	}
	return left == 0 && temps == 0
}

func (a *arena) eachObject(seen func(name string, r io.Reader)) {
	a.t.Helper()
	for o, err := range a.bucket.Objects(a.t.Context(), nil) {
		if err != nil {
			a.t.Fatal(err)
		}
		r, err := a.bucket.GetObject(a.t.Context(), o.Key, nil)
		if err != nil {
			a.t.Fatal(err)
		}
		seen(strings.TrimPrefix(o.Key, prefix), r.Body)
		r.Body.Close()
	}
}

func (a *arena) eachFile(seen func(name string, r io.Reader)) (temps int) {
	a.t.Helper()
	err := filepath.WalkDir(a.local, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if tempName.MatchString(d.Name()) {
			temps++
			return nil
		}
		name, err := filepath.Rel(a.local, path)
		if err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		seen(filepath.ToSlash(name), f)
		return nil
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return temps
}

// piece is what one request moves: part or range number of a large object, or
// with number 0 a whole small one.
type piece struct {
	name   string
	number int
}

// piece returns what e moved, or tried to, and whether all of it arrived as
// far as the server can know. ok is false for other requests.
func (a *arena) piece(e event) (p piece, finished, ok bool) {
	p.name = strings.TrimPrefix(e.Key, prefix)
	switch e.Op {
	case "PutObject":
		return p, e.Status == http.StatusOK, true
	case "UploadPart":
		p.number, _ = strconv.Atoi(e.Part)
		return p, e.Status == http.StatusOK, true
	case "GetObject":
		var first, last int64
		size := int64(-1)
		if n, _ := fmt.Sscanf(e.Range, "bytes=%d-%d", &first, &last); n == 2 {
			p.number, size = int(first/partSize)+1, last-first+1
		} else if info, err := os.Stat(filepath.Join(a.sample.dir, p.name)); err == nil {
			size = info.Size()
		}
		return p, e.Status/100 == 2 && e.BytesOut == size, true
	}
	return p, false, false
}

// books is what the checkpoint says is done.
type books struct {
	settled map[string]bool
	pieces  map[piece]bool
}

func (b books) has(p piece) bool { return b.settled[p.name] || b.pieces[p] }

// books reads the checkpoint as it is on the disk. found is false if there is
// none.
func (a *arena) books() (b books, found bool, err error) {
	// Which job it is, the file itself says to whoever asks for another.
	c, err := a.openCopy(checkpoint.Job{})
	other, ok := errors.AsType[*checkpoint.MismatchError](err)
	if !ok {
		if errors.Is(err, fs.ErrNotExist) {
			return b, false, nil
		}
		if err == nil {
			err = errors.Join(errors.New("checkpoint was opened as another job's"), c.Close())
		}
		return b, false, err
	}
	if c, err = a.openCopy(other.Found); err != nil {
		return b, false, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	b = books{settled: map[string]bool{}, pieces: map[piece]bool{}}
	for o, err := range c.Objects() {
		if err != nil {
			return b, true, err
		}
		parts, err := c.Parts(o.Key)
		if err != nil {
			return b, true, err
		}
		for _, p := range parts {
			b.pieces[piece{o.Key, p.Number}] = true
		}
	}
	for name := range a.want {
		_, known, err := c.Settled(name)
		if err != nil {
			return b, true, err
		}
		if known {
			b.settled[name] = true
		}
	}
	return b, true, nil
}

// openCopy opens a copy of the checkpoint as that of job, and fails if it is
// not whole.
func (a *arena) openCopy(job checkpoint.Job) (*checkpoint.Checkpoint, error) {
	files, err := filepath.Glob(filepath.Join(a.state, "*.db"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fs.ErrNotExist
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		return nil, err
	}
	name, dir := filepath.Base(files[0]), a.t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		return nil, err
	}
	job.ID = strings.TrimSuffix(name, ".db")
	c, err := checkpoint.Open(dir, job, &checkpoint.Options{Unsafe: true})
	if err == nil && c.SetAside() != "" {
		err = errors.Join(errors.New("checkpoint is damaged"), c.Close())
	}
	return c, err
}

// uploads counts the multipart uploads the server has open. Between the
// server's making one and the program's hearing of it lies a moment when a
// kill leaves an upload that nobody knows: it is empty, and never named in a
// request. The engine cannot tell it from somebody else's, so those are
// counted apart.
func (a *arena) uploads() (known, unheard int) {
	a.t.Helper()
	named := map[string]bool{}
	for _, e := range a.log.all(a.t) {
		named[e.UploadID] = true
	}
	for u, err := range a.bucket.MultipartUploads(a.t.Context(), nil) {
		if err != nil {
			a.t.Fatal(err)
		}
		parts, err := a.bucket.ListParts(a.t.Context(), u.Key, u.UploadID, nil)
		if err != nil {
			a.t.Fatal(err)
		}
		if named[u.UploadID] || len(parts.Parts) > 0 {
			known++
		} else {
			unheard++
		}
	}
	return known, unheard
}
