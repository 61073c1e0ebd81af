package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer/filter"
)

const duLong = `Add up the sizes of objects, or of the files that cp -r would send.

  osssync du oss://BUCKET/PREFIX
  osssync du -d 1 oss://BUCKET/P/        each folder below P/ as well
  osssync du 'oss://BUCKET/**/*.csv'
  osssync du --all-versions oss://BUCKET what old versions cost
  osssync du DIR

A folder's line comes when it is over; the last line is the whole. Uploads that were
never completed are in no sum: see osssync ls -m.

`

func newDuCommand(a *app) *cobra.Command {
	d := &du{app: a, depth: count{min: 0, max: 1000}}
	cmd := &cobra.Command{
		Use:   "du oss://BUCKET[/PREFIX]|DIR...",
		Short: "Add up sizes",
		Long:  duLong + globHelp + "\n" + exitHelp,
		Args:  atLeastOne("the URL of a bucket or prefix, or a folder"),
		RunE:  func(cmd *cobra.Command, args []string) error { return d.run(cmd, args) },
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().VarP(&d.depth, "depth", "d", "a line for each folder down to this many `LEVELS` as well")
	cmd.Flags().BoolVar(&d.versions, "all-versions", false, "every version, not only the current ones")
	addRaw(cmd, &d.raw)
	d.filters.register(cmd)
	return cmd
}

// du is one du.
type du struct {
	app      *app
	depth    count
	versions bool
	raw      bool
	filters  filterFlags
	set      *filter.Set

	out    *bufio.Writer
	failed int64 // names that could not be read
}

// sums are what du adds up, of a folder or of all.
type sums struct{ objects, bytes int64 }

func (s *sums) add(t sums) {
	s.objects += t.objects
	s.bytes += t.bytes
}

// usageLine is a folder's sums, as JSON, or with Type "summary" a name's.
type usageLine struct {
	V       int    `json:"v"`
	Type    string `json:"type"`
	URL     string `json:"url,omitempty"`
	Path    string `json:"path,omitempty"`
	Objects int64  `json:"objects"`
	Bytes   int64  `json:"bytes"`

	NoncurrentObjects *int64 `json:"noncurrent_objects,omitempty"`
	NoncurrentBytes   *int64 `json:"noncurrent_bytes,omitempty"`
	DeleteMarkers     *int64 `json:"delete_markers,omitempty"`
}

// classLine is a storage class's sums, as JSON.
type classLine struct {
	V            int    `json:"v"`
	Type         string `json:"type"`
	StorageClass string `json:"storage_class"`
	Objects      int64  `json:"objects"`
	Bytes        int64  `json:"bytes"`
}

func (d *du) run(cmd *cobra.Command, args []string) error {
	places := make([]place, len(args))
	for i, arg := range args {
		p, err := parsePlace(arg)
		switch {
		case err != nil:
			return err
		case p.stdio:
			return &usageError{message: "stdin has no size"}
		case p.local() && d.versions:
			return &usageError{message: fmt.Sprintf("--all-versions, but %s is a folder of this machine", p)}
		}
		places[i] = p
	}
	var err error
	if d.set, err = d.filters.set(cmd.Context(), d.app); err != nil {
		return err
	}
	d.out = bufio.NewWriterSize(d.app.stdout, 64<<10)
	all := func(r *requester) error {
		err := d.header()
		for _, p := range places {
			if err != nil {
				break
			}
			if p.remote() {
				err = d.remote(cmd.Context(), r, p)
			} else {
				err = d.local(cmd.Context(), p)
			}
		}
		return firstError(err, d.out.Flush())
	}
	if buckets := namedBuckets(places); len(buckets) == 0 {
		err = all(nil)
	} else {
		err = d.app.withEngine(cmd, buckets, all)
	}
	if err == nil && d.failed > 0 {
		err = &unreadError{d.failed}
	}
	return err
}

// remote adds up what p stands for.
func (d *du) remote(ctx context.Context, r *requester, p place) error {
	what := objects
	if d.versions {
		what = versions
	}
	sel, err := r.selectTree(ctx, p, what, d.raw, d.set)
	if err != nil {
		return err
	}
	t := &tally{du: d, place: p, base: strings.Count(sel.prefix, "/"), classes: make(map[string]sums)}
	if d.versions {
		for v, err := range r.engine.ObjectVersions(ctx, r.bucket(p), &oss.ListObjectVersionsOptions{Prefix: sel.prefix}) {
			if err != nil {
				return err
			}
			if sel.has(v.Key, objectInfo(v.ObjectSummary)) {
				if err := t.version(v); err != nil {
					return err
				}
			}
		}
	} else {
		for o, err := range r.engine.ObjectsIn(ctx, r.bucket(p), &oss.ListObjectsV2Options{Prefix: sel.prefix}, sel.enters) {
			if err != nil {
				return err
			}
			if sel.has(o.Key, objectInfo(o)) {
				if err := t.object(o.Key, o.Size, o.StorageClass); err != nil {
					return err
				}
			}
		}
	}
	return t.end()
}

// tally adds up keys that come in order, with memory for the folders on the
// way to the current one.
type tally struct {
	*du
	place   place
	base    int      // slashes of a key that lies in no folder below place
	open    []string // folders that the last key lies in, outermost first
	sums    []sums   // of them
	total   sums
	classes map[string]sums

	old     sums // versions that are not current
	markers int64
}

func (t *tally) version(v oss.VersionSummary) error {
	if v.IsDeleteMarker {
		t.markers++
		return nil
	}
	if !v.IsLatest {
		t.old.add(sums{1, v.Size})
	}
	return t.object(v.Key, v.Size, v.StorageClass)
}

// maxClasses bounds what a strange server makes us remember.
const maxClasses = 32

func (t *tally) object(key string, bytes int64, class string) error {
	one := sums{1, bytes}
	if err := t.enter(key); err != nil {
		return err
	}
	if n := len(t.sums); n > 0 {
		t.sums[n-1].add(one)
	} else {
		t.total.add(one)
	}
	if _, known := t.classes[class]; !known && len(t.classes) >= maxClasses {
		class = "other"
	}
	c := t.classes[class]
	c.add(one)
	t.classes[class] = c
	return nil
}

// enter closes the folders that key does not lie in and opens those it does.
func (t *tally) enter(key string) error {
	for n := len(t.open); n > 0 && !strings.HasPrefix(key, t.open[n-1]); n-- {
		if err := t.leave(); err != nil {
			return err
		}
	}
	if int64(len(t.open)) >= t.depth.value {
		return nil
	}
	slashes := 0
	for i := range len(key) {
		if key[i] != '/' {
			continue
		}
		if slashes++; slashes > t.base+len(t.open) {
			t.open, t.sums = append(t.open, key[:i+1]), append(t.sums, sums{})
			if int64(len(t.open)) >= t.depth.value {
				break
			}
		}
	}
	return nil
}

// leave prints the innermost folder and adds it to the one around it.
func (t *tally) leave() error {
	n := len(t.open) - 1
	folder, s := t.open[n], t.sums[n]
	t.open, t.sums = t.open[:n], t.sums[:n]
	if n > 0 {
		t.sums[n-1].add(s)
	} else {
		t.total.add(s)
	}
	return t.folder(place{bucket: t.place.bucket, key: folder}, s)
}

// end prints what is left, and the whole.
func (t *tally) end() error {
	for len(t.open) > 0 {
		if err := t.leave(); err != nil {
			return err
		}
	}
	for _, class := range slices.SortedFunc(maps.Keys(t.classes), cmp.Compare) {
		s := t.classes[class]
		err := t.line(classLine{V: jsonVersion, Type: "class", StorageClass: class, Objects: s.objects, Bytes: s.bytes}, s, "of class "+printable(class))
		if err != nil {
			return err
		}
	}
	line := t.usage("summary", t.place, t.total)
	if t.versions {
		line.NoncurrentObjects, line.NoncurrentBytes, line.DeleteMarkers = &t.old.objects, &t.old.bytes, &t.markers
		if !t.app.flags.json {
			err := firstError(t.line(nil, t.old, "versions that are not current"), t.line(nil, sums{objects: t.markers}, "delete markers, in no sum"))
			if err != nil {
				return err
			}
		}
	}
	return t.line(line, t.total, t.app.name(t.place.url()))
}

func (d *du) usage(kind string, p place, s sums) usageLine {
	line := usageLine{V: jsonVersion, Type: kind, Objects: s.objects, Bytes: s.bytes}
	if p.remote() {
		line.URL = p.url()
	} else {
		line.Path = p.url()
	}
	return line
}

func (d *du) folder(p place, s sums) error {
	return d.line(d.usage("usage", p, s), s, d.app.name(p.url()))
}

func (d *du) header() error {
	if d.app.flags.json {
		return nil
	}
	_, err := fmt.Fprintf(d.out, "%10s  %16s  %12s  %s\n", "Size", "Bytes", "Objects", "Name")
	return err
}

// line prints sums under a name that is fit for a terminal, or v as JSON.
func (d *du) line(v any, s sums, name string) error {
	if d.app.flags.json {
		return d.app.writeJSON(d.out, v)
	}
	_, err := fmt.Fprintf(d.out, "%10s  %16d  %12d  %s\n", size(s.bytes), s.bytes, s.objects, name)
	return err
}
