package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
	"github.com/osssync/osssync/transfer/filter"
	"pgregory.net/rapid"
)

// TestSyncIsTheModel drives two sides through random histories of changes and
// runs of Sync, some broken off at a random step and made again, some with a
// change in between. What comes out is what a model of a few lines says: it has
// both sides in memory, and no streams, records or requests.
func TestSyncIsTheModel(t *testing.T) {
	// The same histories are told every time, unless -rapid.seed and
	// -rapid.checks ask for others.
	checks := "50"
	if underRace {
		checks = "20"
	}
	for name, value := range map[string]string{"rapid.checks": checks, "rapid.seed": "1"} {
		if f := flag.Lookup(name); f.Value.String() == f.DefValue {
			if err := f.Value.Set(value); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = f.Value.Set(f.DefValue) }()
		}
	}
	t.Logf("-rapid.seed %s -rapid.checks %s", flag.Lookup("rapid.seed").Value, flag.Lookup("rapid.checks").Value)
	for _, direction := range []string{"up", "down", "across"} {
		t.Run(direction, func(t *testing.T) {
			w, n := newWorld(t), 0
			rapid.Check(t, func(rt *rapid.T) {
				n++
				newModelled(t, rt, w, direction, n).tell(rt)
			})
		})
	}
}

// modelled is the two sides of a history.
type modelled struct {
	*world
	direction string
	side      [2]modelSide // source and destination
	names     []string     // that there may be

	// agreed is what both sides had of a name when a run saw the same size and
	// time. Where an object has that content still it looks untouched: its time
	// is in no listing.
	agreed map[string][2]string
}

// modelSide is a folder, or a prefix of the bucket.
type modelSide struct {
	dir, prefix string
}

// modelFile is what one side has of a name.
type modelFile struct {
	data string
	time int64 // a file's, or that of the file an object was made of; seconds since 1970
}

// modelNames sort differently as names and as keys, and none is the folder of
// another.
var modelNames = []string{"a", "a.b", "b-", "b/c", "b/d/e", "b.x/y", "c d/é", "z/1"}

// modelTimes are before and after every upload of the test.
var modelTimes = []int64{1_000_000_000, 1_000_000_001, 4_000_000_000, 4_000_000_001}

func newModelled(t *testing.T, rt *rapid.T, w *world, direction string, n int) *modelled {
	state, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		rt.Fatal(err)
	}
	own := *w
	own.state = filepath.Join(state, "state")
	m := &modelled{world: &own, direction: direction, names: modelNames, agreed: map[string][2]string{}}
	for i := range m.side {
		if direction == "up" && i == 0 || direction == "down" && i == 1 {
			m.side[i].dir = filepath.Join(state, "side")
			if err := os.Mkdir(m.side[i].dir, 0o700); err != nil {
				rt.Fatal(err)
			}
		} else {
			m.side[i].prefix = fmt.Sprintf("%d/%d/", n, i)
		}
	}
	if direction == "across" {
		m.names = append(slices.Clone(modelNames), "b", "z/1/x", "b/d/")
	}
	return m
}

// tell tells one history.
func (m *modelled) tell(rt *rapid.T) {
	for _, name := range m.names {
		m.begin(rt, name)
	}
	var o transfer.SyncOptions
	for i := range rapid.IntRange(1, 3).Draw(rt, "runs") {
		for range rapid.IntRange(0, 3).Draw(rt, "changes") {
			m.change(rt)
		}
		if i == 0 || rapid.Bool().Draw(rt, "other options") {
			o = drawModelOptions(rt)
		}
		for rapid.IntRange(0, 2).Draw(rt, "break off") == 0 {
			m.run(rt, o, rapid.IntRange(1, 90).Draw(rt, "at step"))
			for range max(0, rapid.IntRange(-2, 2).Draw(rt, "changes between")) {
				m.change(rt)
			}
		}
		m.run(rt, o, 0)
	}
}

// begin gives a name to the source, the destination, both or neither, and has
// both differ in little.
func (m *modelled) begin(rt *rapid.T, name string) {
	f := drawModelFile(rt, name)
	with := rapid.SampledFrom([]string{"neither", "source", "source", "destination", "same", "data", "time", "data and time", "other"}).Draw(rt, name)
	if with == "neither" {
		return
	}
	if with != "destination" {
		m.write(rt, m.side[0], name, f)
	}
	switch with {
	case "source":
		return
	case "data":
		f.data = drawModelData(rt, len(f.data))
	case "data and time":
		f.data, f.time = strings.Repeat("z", len(f.data)), f.time+1
	case "time":
		f.time = rapid.SampledFrom(modelTimes).Draw(rt, "time")
	case "other":
		f = drawModelFile(rt, name)
	}
	m.write(rt, m.side[1], name, f)
}

func drawModelFile(rt *rapid.T, name string) modelFile {
	f := modelFile{time: rapid.SampledFrom(modelTimes).Draw(rt, "time")}
	if !strings.HasSuffix(name, "/") {
		f.data = drawModelData(rt, rapid.SampledFrom([]int{0, 1, 1, 3, 3, 3, 3, 3, 3, 3, 3, 2*partSize + 1}).Draw(rt, "size"))
	}
	return f
}

// change is what somebody does to one side.
func (m *modelled) change(rt *rapid.T) {
	side := m.side[rapid.IntRange(0, 1).Draw(rt, "side")]
	name := rapid.SampledFrom(m.names).Draw(rt, "name")
	all := m.read(rt, side)
	f, there := all[name]
	switch rapid.SampledFrom([]string{"new", "remove", "touch", "secret", "secret", "secret"}).Draw(rt, "change") {
	case "remove":
		m.remove(rt, side, name)
		return
	case "touch":
		if !there {
			return
		}
		f.time = rapid.SampledFrom(modelTimes).Draw(rt, "time")
	case "secret": // often other content, with size and time as they were
		if !there {
			return
		}
		f.data = drawModelData(rt, len(f.data))
	default:
		f = drawModelFile(rt, name)
	}
	m.write(rt, side, name, f)
}

func drawModelData(rt *rapid.T, size int) string {
	return strings.Repeat(rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "data"), size)
}

func (m *modelled) write(rt *rapid.T, s modelSide, name string, f modelFile) {
	if s.dir == "" {
		o := &oss.PutObjectOptions{ObjectHeaders: oss.ObjectHeaders{Meta: map[string]string{transfer.MetaModTime: strconv.FormatInt(f.time, 10)}}}
		if _, err := m.bucket.PutObject(m.t.Context(), s.prefix+name, bytes.NewReader([]byte(f.data)), o); err != nil {
			rt.Fatal(err)
		}
		return
	}
	path := filepath.Join(s.dir, filepath.FromSlash(name))
	at := time.Unix(f.time, 0)
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(f.data), 0o600), os.Chtimes(path, at, at))
	if err != nil {
		rt.Fatal(err)
	}
}

func (m *modelled) remove(rt *rapid.T, s modelSide, name string) {
	var err error
	if s.dir == "" {
		_, err = m.bucket.DeleteObject(m.t.Context(), s.prefix+name, nil)
	} else if err = os.Remove(filepath.Join(s.dir, filepath.FromSlash(name))); errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		rt.Fatal(err)
	}
}

// isTemp says whether a file is one of the engine's that is not yet whole.
func isTemp(name string) bool {
	return strings.HasPrefix(name[strings.LastIndexByte(name, '/')+1:], ".osssync-")
}

// read is all that one side has, but for temporary files.
func (m *modelled) read(rt *rapid.T, s modelSide) map[string]modelFile {
	all := map[string]modelFile{}
	if s.dir != "" {
		for name, data := range tree(m.t, s.dir) {
			if isTemp(name) {
				continue
			}
			info, err := os.Stat(filepath.Join(s.dir, filepath.FromSlash(name)))
			if err != nil {
				rt.Fatal(err)
			}
			all[name] = modelFile{data: data, time: info.ModTime().Unix()}
		}
		return all
	}
	for o, err := range m.bucket.Objects(m.t.Context(), &oss.ListObjectsV2Options{Prefix: s.prefix}) {
		if err != nil {
			rt.Fatal(err)
		}
		r, err := m.bucket.GetObject(m.t.Context(), o.Key, nil)
		if err != nil {
			rt.Fatal(err)
		}
		var b bytes.Buffer
		_, err = b.ReadFrom(r.Body)
		r.Body.Close()
		seconds, _, _ := strings.Cut(r.Meta[transfer.MetaModTime], ".")
		at, numErr := strconv.ParseInt(seconds, 10, 64)
		if err := errors.Join(err, numErr); err != nil {
			rt.Fatal(o.Key, err)
		}
		all[strings.TrimPrefix(o.Key, s.prefix)] = modelFile{data: b.String(), time: at}
	}
	return all
}

func (m *modelled) location(s modelSide) transfer.Location {
	if s.dir != "" {
		return transfer.Local(s.dir)
	}
	return m.at(s.prefix)
}

func drawModelOptions(rt *rapid.T) transfer.SyncOptions {
	o := transfer.SyncOptions{AllowEmpty: true, MaxDelete: transfer.DeleteLimit{None: true}}
	o.Compare = rapid.SampledFrom([]transfer.Compare{
		transfer.CompareModTime, transfer.CompareSize, transfer.CompareNone, transfer.CompareUpdate, transfer.CompareExisting, transfer.CompareChecksum,
	}).Draw(rt, "compare")
	o.ExistingOnly = rapid.IntRange(0, 5).Draw(rt, "existing only") == 0
	o.IfUnchanged = rapid.IntRange(0, 5).Draw(rt, "if unchanged") == 0
	switch rapid.IntRange(0, 2).Draw(rt, "then") {
	case 0:
		o.Delete = true
		o.AllowEmptySource = rapid.Bool().Draw(rt, "allow empty source")
		o.DeleteExcluded = rapid.Bool().Draw(rt, "delete excluded")
	case 1:
		o.RemoveSource = true
	}
	if rapid.Bool().Draw(rt, "filter") {
		b := filter.Builder{MinSize: rapid.SampledFrom([]int64{0, 0, 2}).Draw(rt, "min size")}
		if rapid.IntRange(0, 3).Draw(rt, "max size") == 0 {
			b.MaxSize = new(int64(3))
		}
		for range rapid.IntRange(0, 3).Draw(rt, "rules") {
			pattern := rapid.SampledFrom([]string{"a", "/a*", "b/", "/b/d/", "*.b", "/b/**", "c d/*", "[12]", "z/", "/z/1", "é", "**", "b*"}).Draw(rt, "pattern")
			add := b.Exclude
			if rapid.Bool().Draw(rt, "include") {
				add = b.Include
			}
			if err := add(pattern, "model"); err != nil {
				rt.Fatal(err)
			}
		}
		set, err := b.Build()
		if err != nil {
			rt.Fatal(err)
		}
		o.Filter = set
	}
	return o
}

// absent stands for no content.
const absent = "(absent)"

// fate is what may become of a name.
type fate struct {
	before  string   // at the destination
	after   []string // there, any of these
	remains bool     // at the source
	deleted bool
	unknown bool // nobody can tell which
}

// model says what a run makes of the two sides, and whether it may delete.
func (m *modelled) model(o transfer.SyncOptions, src, dst map[string]modelFile) (fates map[string]fate, unsafe bool) {
	fates = map[string]fate{}
	chosen, extras := 0, 0
	for name, s := range src {
		if o.Filter.Match(name, filter.Info{Size: int64(len(s.data))}).In {
			chosen++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(union(src, dst))) {
		s, inSrc := src[name]
		d, inDst := dst[name]
		f := fate{before: absent, remains: inSrc}
		if inDst {
			f.before = d.data
		}
		f.after = []string{f.before}
		in := inSrc && o.Filter.MatchName(name).In
		switch {
		case !in:
			if o.Delete && inDst && (o.DeleteExcluded || o.Filter.Match(name, filter.Info{Size: int64(len(d.data))}).In) {
				f.deleted, f.after = true, []string{absent}
				extras++
			}
		case !o.Filter.Match(name, filter.Info{Size: int64(len(s.data))}).In, o.ExistingOnly && !inDst:
		default:
			seen := sameLook(s, d) || m.agreed[name] == [2]string{s.data, d.data}
			f.transfer(o, m.direction, s, d, inDst, seen)
		}
		fates[name] = f
	}
	if unsafe = extras > 0 && chosen == 0 && !o.AllowEmptySource; unsafe {
		for name, f := range fates {
			if f.deleted {
				f.deleted, f.after = false, []string{f.before}
				fates[name] = f
			}
		}
	}
	return fates, unsafe
}

func sameLook(s, d modelFile) bool { return len(s.data) == len(d.data) && s.time == d.time }

// transfer is the fate of a name that the source has and the filter lets in.
// same says that both sides may look so.
func (f *fate) transfer(o transfer.SyncOptions, direction string, s, d modelFile, inDst, same bool) {
	copied, maybe := true, false
	switch {
	case !inDst:
	case o.Compare == transfer.CompareExisting:
		copied = false
	case o.Compare == transfer.CompareUpdate:
		if direction == "across" {
			maybe = true // both are of about now
			break
		}
		copied = s.time > d.time || s.time == d.time && len(s.data) != len(d.data)
		if !copied && o.RemoveSource {
			f.remains = s.data != d.data
		}
	case o.RemoveSource, o.Compare == transfer.CompareNone, o.Compare == transfer.CompareChecksum:
		// What is the same is the same after, too.
	case o.Compare == transfer.CompareSize:
		copied = len(s.data) != len(d.data)
	case same && direction != "across":
		maybe = true // only a record of an earlier run can tell
	}
	switch {
	case maybe:
		f.after = []string{s.data, f.before}
		f.unknown = o.RemoveSource
	case copied:
		f.after = []string{s.data}
		f.remains = !o.RemoveSource
	}
}

func union(a, b map[string]modelFile) map[string]modelFile {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// run is one run, broken off at a step if that is not 0, and the look at what
// it left.
func (m *modelled) run(rt *rapid.T, o transfer.SyncOptions, stopAt int) {
	src, dst := m.read(rt, m.side[0]), m.read(rt, m.side[1])
	fates, unsafe := m.model(o, src, dst)
	for name, s := range src {
		if d, there := dst[name]; there && sameLook(s, d) {
			m.agreed[name] = [2]string{s.data, d.data}
		}
	}
	ctx, cancel := context.WithCancel(m.t.Context())
	defer cancel()
	var steps atomic.Int64
	e := m.engine(func(e *transfer.Options) {
		e.Watch = func(transfer.Step) {
			if steps.Add(1) == int64(stopAt) {
				cancel()
			}
		}
	})
	report, err := e.Sync(ctx, m.location(m.side[0]), m.location(m.side[1]), &o)
	broken := errors.Is(err, context.Canceled)
	switch {
	case broken && stopAt > 0:
	case unsafe && errors.Is(err, transfer.ErrUnsafe):
	case err != nil || unsafe:
		rt.Fatalf("%v, should it be unsafe: %t; options %s, report %+v", err, unsafe, modelText(o), report)
	}
	m.look(rt, o, fates, src, broken)
	if !broken && !unsafe {
		m.lookForLitter(rt)
	}
}

// look compares the sides with the model. Of a run that was broken off each
// name may still have what it had.
func (m *modelled) look(rt *rapid.T, o transfer.SyncOptions, fates map[string]fate, before map[string]modelFile, broken bool) {
	src, dst := m.read(rt, m.side[0]), m.read(rt, m.side[1])
	undone, deleted := "", ""
	for name, f := range fates {
		have := absent
		if d, there := dst[name]; there {
			have = d.data
		}
		after := slices.Contains(f.after, have)
		if !after && !(broken && have == f.before) {
			rt.Errorf("%q at the destination is %s, was %s, should be %s; options %s", name, short(have), short(f.before), short(f.after...), modelText(o))
		}
		if f.deleted && have == absent {
			deleted = name
		}
		if !f.deleted && !after {
			undone = name
		}
		_, was := before[name]
		left, remains := src[name]
		switch {
		case remains && left != before[name]:
			rt.Errorf("%q at the source was changed", name)
		case was && !remains && (f.remains && !f.unknown || have != before[name].data):
			rt.Errorf("%q is gone from the source, %s is at the destination, should remain: %t; options %s", name, short(have), f.remains, modelText(o))
		case remains && !f.remains && !broken:
			rt.Errorf("%q is still at the source; options %s", name, modelText(o))
		}
	}
	if deleted != "" && undone != "" {
		rt.Errorf("%q was deleted before %q was transferred", deleted, undone)
	}
	for name := range dst {
		if _, known := fates[name]; !known {
			rt.Errorf("%q is at the destination", name)
		}
	}
}

// lookForLitter is for the end of a run that went through.
func (m *modelled) lookForLitter(rt *rapid.T) {
	for u, err := range m.bucket.MultipartUploads(m.t.Context(), &oss.ListMultipartUploadsOptions{Prefix: m.side[1].prefix}) {
		if err != nil {
			rt.Fatal(err)
		}
		rt.Errorf("an upload of %s is left", u.Key)
	}
	for _, s := range m.side {
		if s.dir == "" {
			continue
		}
		for name := range tree(m.t, s.dir) {
			if isTemp(name) {
				rt.Errorf("%s is left", name)
			}
		}
	}
}

// short is contents in a few characters each.
func short(all ...string) string {
	var words []string
	for _, s := range all {
		if len(s) > 10 {
			s = fmt.Sprintf("%s… (%d bytes)", s[:1], len(s))
		}
		words = append(words, strconv.Quote(s))
	}
	return strings.Join(words, " or ")
}

func modelText(o transfer.SyncOptions) string {
	return fmt.Sprintf("compare %d, existing only %t, if unchanged %t, delete %t (excluded %t, empty %t), move %t, filter %q",
		o.Compare, o.ExistingOnly, o.IfUnchanged, o.Delete, o.DeleteExcluded, o.AllowEmptySource, o.RemoveSource, o.Filter.String())
}
