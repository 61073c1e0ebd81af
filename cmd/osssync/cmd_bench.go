package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

const benchLong = `Measure a service: how much goes through, and how long each request takes.

  osssync bench upload oss://BUCKET/PREFIX     whole objects, each in one request
  osssync bench download oss://BUCKET/PREFIX   the same back; they are put there first
  osssync bench list oss://BUCKET/PREFIX       pages of a listing of --count objects
  osssync bench small oss://BUCKET/PREFIX      put, head, get and delete of small objects
  osssync bench tune oss://BUCKET/PREFIX       uploads with 1, 2, 4 … 64, or -j, at once: which is best?

Each of --sizes is measured on its own, by -j requests at once, until --count requests
are done or --duration is over, whichever is first. Everything is below a prefix of its
own and is deleted at the end, after Ctrl-C too. Nothing is tried again: what
fails is counted. On a real service requests and traffic cost money.

Examples:
  osssync bench upload oss://bench/ --local /tmp/cloud
  osssync bench small oss://my-bucket/tmp/ -j 32 --sizes 1Ki,64Ki --duration 5s
  osssync bench list oss://my-bucket/tmp/ --count 5000 --json
  osssync bench tune oss://my-bucket/tmp/ --sizes 8Mi
`

// Bounds of what one bench does, where flags do not say.
const (
	benchDuration  = 10 * time.Second
	benchCount     = 1000
	benchJobs      = transfer.DefaultConcurrency
	benchObjects   = 64       // that a download reads, and a listing has at least one of
	benchBytes     = 64 << 20 // of objects that a download reads
	benchCleanTime = time.Minute
)

// benchLine is what one kind of request came to, as JSON.
type benchLine struct {
	V          int             `json:"v"`
	Type       string          `json:"type"`
	Kind       string          `json:"kind"`
	Operation  string          `json:"operation"`
	Size       int64           `json:"size"`
	Operations int64           `json:"operations"`
	Errors     int64           `json:"errors"`
	Error      string          `json:"error,omitempty"`
	Bytes      int64           `json:"bytes"`
	Seconds    float64         `json:"seconds"`
	Rate       float64         `json:"rate"`
	PerSecond  float64         `json:"per_second"`
	LatencyMS  percentiles     `json:"latency_ms"`
	Histogram  []histogramLine `json:"histogram"`
}

func newBenchCommand(a *app) *cobra.Command {
	b := &bench{app: a}
	cmd := &cobra.Command{
		Use: "bench upload|download|list|small|tune", Short: "Measure a service", Long: benchLong + "\n" + exitHelp, Args: subcommandOr(0),
		RunE: func(*cobra.Command, []string) error {
			return &usageError{message: "nothing to measure", hint: "osssync bench upload oss://BUCKET/PREFIX", help: true}
		},
	}
	for _, kind := range []struct {
		name, short, sizes string
		duration           time.Duration
		run                func(context.Context, int64) error
	}{
		{"upload", "Measure uploads", "64Ki,1Mi,16Mi", benchDuration, b.upload},
		{"download", "Measure downloads", "64Ki,1Mi,16Mi", benchDuration, b.download},
		{"list", "Measure listings", "0", benchDuration, b.list},
		{"small", "Measure small requests", "4Ki", benchDuration, b.small},
		{"tune", "Find the best number of requests at once", "8Mi", tuneDuration, b.tune},
	} {
		sub := &cobra.Command{
			Use: kind.name + " oss://BUCKET/PREFIX", Short: kind.short, Long: benchLong + "\n" + exitHelp, Args: exactly(1, "oss://BUCKET/PREFIX"),
		}
		var sizes []string
		var n count
		var duration time.Duration
		n = count{min: 1, max: 1_000_000}
		sub.Flags().StringSliceVar(&sizes, "sizes", nil, "`SIZES` of the objects, as 4Ki,1Mi (default "+kind.sizes+")")
		sub.Flags().Var(&n, "count", fmt.Sprintf("at most `N` requests of each kind, or objects to list (default %d)", benchCount))
		sub.Flags().DurationVar(&duration, "duration", kind.duration, "at most this `TIME` for each size, up to 10m")
		sub.RunE = func(cmd *cobra.Command, args []string) error {
			if sizes == nil {
				sizes = splitSizes(kind.sizes)
			}
			b.kind, b.count, b.duration = kind.name, n.value, duration
			return b.run(cmd, args[0], sizes, kind.run)
		}
		cmd.AddCommand(sub)
	}
	return cmd
}

// bench is one bench.
type bench struct {
	app      *app
	kind     string
	count    int64
	duration time.Duration
	jobs     int

	bucket *oss.Bucket
	prefix string

	mu     sync.Mutex
	made   map[string]bool // keys to delete at the end
	failed int64
	first  error
}

// maxBenchSize bounds an object: it is sent in one request.
const maxBenchSize = 1 << 30

func (b *bench) run(cmd *cobra.Command, target string, texts []string, measure func(context.Context, int64) error) error {
	p, err := parseRemote(target)
	if err != nil {
		return err
	}
	if b.count <= 0 {
		b.count = benchCount
	}
	if b.duration <= 0 || b.duration > 10*time.Minute {
		return &usageError{message: "--duration: want a time such as 10s, up to 10m"}
	}
	var sizes []int64
	for _, text := range texts {
		n, err := parseSize(text)
		if err != nil || n > maxBenchSize {
			return &usageError{message: fmt.Sprintf("--sizes %s: want sizes such as 4Ki,1Mi, up to 1Gi", printable(text))}
		}
		sizes = append(sizes, n)
	}
	if b.jobs = int(b.app.flags.job.value); b.jobs == 0 {
		b.jobs = benchJobs
	}
	return b.app.with(cmd, []string{p.bucket}, func(s *service) (err error) {
		var unique [8]byte
		rand.Read(unique[:]) //nolint:errcheck // never fails
		b.bucket, b.made = s.bucket(p), map[string]bool{}
		b.prefix = p.key + ".osssync-bench-" + hex.EncodeToString(unique[:]) + "/"
		defer func() { err = errors.Join(err, b.clean(cmd.Context())) }()
		for _, n := range sizes {
			if err := measure(cmd.Context(), n); err != nil {
				return err
			}
			if err := cmd.Context().Err(); err != nil {
				return context.Cause(cmd.Context())
			}
			if err := b.clean(cmd.Context()); err != nil {
				return err
			}
		}
		if b.failed > 0 {
			return fmt.Errorf("%s failed, the first: %w", number(b.failed, "request"), b.first)
		}
		return nil
	})
}

// clean deletes what was made, whatever became of ctx.
func (b *bench) clean(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), benchCleanTime)
	defer cancel()
	keys := make(chan string)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	for range b.jobs {
		wg.Go(func() {
			for key := range keys {
				_, err := b.bucket.DeleteObject(ctx, key, nil)
				mu.Lock()
				if err == nil || errors.Is(err, oss.ErrNoSuchBucket) {
					delete(b.made, key)
				} else if first == nil {
					first = fmt.Errorf("what was made is still there, below %s: %w", printable(b.prefix), err)
				}
				mu.Unlock()
			}
		})
	}
	var all []string
	for key := range b.made {
		all = append(all, key)
	}
	for _, key := range all {
		keys <- key
	}
	close(keys)
	wg.Wait()
	return first
}

// key is the n-th object. It is noted before it is made.
func (b *bench) key(n int64) string { return fmt.Sprintf("%s%08d", b.prefix, n) }

func (b *bench) put(ctx context.Context, n, length int64) error {
	key := b.key(n)
	b.mu.Lock()
	b.made[key] = true
	b.mu.Unlock()
	_, err := b.bucket.PutObject(ctx, key, io.NewSectionReader(pattern{}, 0, length), nil)
	return err
}

func (b *bench) get(ctx context.Context, n int64) error {
	r, err := b.bucket.GetObject(ctx, b.key(n), nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r.Body)
	return errors.Join(err, r.Body.Close())
}

// repeat measures fn and prints what it came to.
func (b *bench) repeat(ctx context.Context, operation string, length, each, n int64, fn func(ctx context.Context, i int64) error) error {
	line, err := b.measure(ctx, operation, length, each, n, fn)
	if err != nil {
		return err
	}
	return b.print(line)
}

// measure calls fn for 0, 1, 2 … from b.jobs goroutines until n calls are done or
// the time is over. each is the bytes of a call.
func (b *bench) measure(ctx context.Context, operation string, length, each, n int64, fn func(ctx context.Context, i int64) error) (benchLine, error) {
	limited, cancel := context.WithTimeout(ctx, b.duration)
	defer cancel()
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		next int64
		h    histogram

		refused error // the first, of a service that has done nothing yet
		line    = benchLine{V: jsonVersion, Type: "bench", Kind: b.kind, Operation: operation, Size: length}
	)
	began := time.Now()
	for range b.jobs {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				over := i >= n || limited.Err() != nil || refused != nil
				if !over {
					next++ // what is taken is done: there are no gaps
				}
				mu.Unlock()
				if over {
					return
				}
				start := time.Now()
				err := fn(ctx, i) // one that was begun is measured to its end
				took := time.Since(start)
				mu.Lock()
				switch {
				case err == nil:
					line.Operations++
					line.Bytes += each
					h.add(took)
				case ctx.Err() == nil:
					line.Errors++
					if b.first == nil {
						b.first = err
					}
					if line.Error == "" {
						line.Error = err.Error()
					}
					if line.Operations == 0 && exitCode(err) == exitServer {
						refused = err
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return line, context.Cause(ctx)
	}
	if refused != nil && line.Operations == 0 {
		return line, refused
	}
	took := time.Since(began).Seconds()
	b.failed += line.Errors
	line.Seconds, line.Rate, line.PerSecond = took, float64(line.Bytes)/took, float64(line.Operations)/took
	line.LatencyMS, line.Histogram = h.percentiles(), h.lines()
	return line, nil
}

func (b *bench) print(l benchLine) error {
	a := b.app
	if a.flags.json {
		return a.writeJSON(a.stdout, l)
	}
	what := l.Operation
	if l.Size > 0 {
		what += " of " + size(l.Size)
	}
	text := fmt.Sprintf("%-18s %7d in %s, %.0f/s", what, l.Operations, elapsed(time.Duration(l.Seconds*float64(time.Second))), l.PerSecond)
	if l.Bytes > 0 {
		text += ", " + size(int64(l.Rate)) + "/s"
	}
	if l.Errors > 0 {
		text += fmt.Sprintf(", %d FAILED: %s", l.Errors, oneLine(l.Error))
	}
	p := l.LatencyMS
	text += fmt.Sprintf("\n  latency: p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, max %.1f ms\n", p.P50, p.P90, p.P99, p.Max)
	_, err := io.WriteString(a.stdout, text+drawHistogram(l.Histogram))
	return err
}

func (b *bench) upload(ctx context.Context, length int64) error {
	return b.repeat(ctx, "put", length, length, b.count, func(ctx context.Context, i int64) error {
		return b.put(ctx, i%benchObjects, length) // the same few names: the service keeps no more than these
	})
}

// prepare puts n objects.
func (b *bench) prepare(ctx context.Context, n, length int64) error {
	var wg sync.WaitGroup
	errs := make([]error, b.jobs)
	for w := range b.jobs {
		wg.Go(func() {
			for i := int64(w); i < n && errs[w] == nil && ctx.Err() == nil; i += int64(b.jobs) {
				errs[w] = b.put(ctx, i, length)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

func (b *bench) download(ctx context.Context, length int64) error {
	objects := max(1, min(benchObjects, benchBytes/max(1, length)))
	if err := b.prepare(ctx, objects, length); err != nil {
		return err
	}
	return b.repeat(ctx, "get", length, length, b.count, func(ctx context.Context, i int64) error { return b.get(ctx, i%objects) })
}

func (b *bench) list(ctx context.Context, length int64) error {
	if err := b.prepare(ctx, b.count, length); err != nil {
		return err
	}
	const page = 1000
	pages := (b.count + page - 1) / page
	return b.repeat(ctx, "list page", 0, 0, max(pages, benchObjects), func(ctx context.Context, i int64) error {
		r, err := b.bucket.ListObjectsV2(ctx, &oss.ListObjectsV2Options{Prefix: b.prefix, StartAfter: b.key((i%pages)*page - 1), MaxKeys: page})
		if want := min(page, b.count-(i%pages)*page); err == nil && int64(len(r.Objects)) != want {
			err = fmt.Errorf("a page has %d objects, want %d", len(r.Objects), want)
		}
		return err
	})
}

func (b *bench) small(ctx context.Context, length int64) error {
	put := b.count
	for _, step := range []struct {
		name string
		each int64
		run  func(ctx context.Context, i int64) error
	}{
		{"put", length, func(ctx context.Context, i int64) error { return b.put(ctx, i, length) }},
		{"head", 0, func(ctx context.Context, i int64) error {
			_, err := b.bucket.HeadObject(ctx, b.key(i), nil)
			return err
		}},
		{"get", length, b.get},
		{"delete", 0, func(ctx context.Context, i int64) error {
			_, err := b.bucket.DeleteObject(ctx, b.key(i), nil)
			return err
		}},
	} {
		if err := b.repeat(ctx, step.name, length, step.each, put, step.run); err != nil {
			return err
		}
		if step.name == "put" {
			// Of those that the time was enough for, all are there.
			if put = int64(len(b.made)); put == 0 {
				return nil
			}
		}
	}
	return nil
}
