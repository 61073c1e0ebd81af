package emulator_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/osssync/osssync/oss/emulator"
)

// atScale asks, in the environment, for the sizes the server is meant for: a
// million keys, an object of 100 GiB. They take minutes, and 8 GiB of disk.
const atScale = "EMULATOR_SCALE"

// maxGrowth is how much the heap may grow, whatever is stored, in bytes.
const maxGrowth = 16 << 20

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func flat(t *testing.T, before int64) {
	t.Helper()
	now := heap()
	t.Logf("heap: %d KiB before, %d KiB now", before>>10, now>>10)
	if now-before > maxGrowth {
		t.Errorf("the heap grew by %d bytes", now-before)
	}
}

// TestManyKeys fills one bucket and reads all of it, page by page.
func TestManyKeys(t *testing.T) {
	const folder, writers = 1000, 64
	keys := 5_000
	if os.Getenv(atScale) != "" {
		keys = 1_000_000
	}
	c := newClientOptions(t, &emulator.Options{Dir: t.TempDir()})
	key := func(i int) string { return fmt.Sprintf("f%05d/k%07d", i/folder, i) }
	before, start := heap(), time.Now()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < keys; i = int(next.Add(1)) - 1 {
				if a := c.do("PUT", target(testBucket, key(i), ""), "0123456789abcdef"); a.status != 200 {
					t.Errorf("%s: %d %s", key(i), a.status, a.body)
					return
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d keys in %v", keys, time.Since(start))
	start = time.Now()
	got, pages, slowest := 0, 0, time.Duration(0)
	for marker, more := "", true; more; pages++ {
		begun := time.Now()
		a := c.want(c.do("GET", target(testBucket, "", "max-keys=1000&marker="+escape(marker, false)), ""), 200, "")
		slowest = max(slowest, time.Since(begun))
		for _, k := range a.elements("Key") {
			if k != key(got) {
				t.Fatalf("key %d is %s, want %s", got, k, key(got))
			}
			got++
		}
		marker, more = a.element("NextMarker"), a.element("IsTruncated") == "true"
	}
	if got != keys {
		t.Errorf("listed %d keys", got)
	}
	t.Logf("%d pages in %v, the slowest in %v", pages, time.Since(start), slowest)
	begun := time.Now()
	a := c.want(c.do("GET", target(testBucket, "", "delimiter=/&max-keys=1000"), ""), 200, "")
	if n := strings.Count(a.body, "<CommonPrefixes>"); n != keys/folder {
		t.Errorf("%d folders", n)
	}
	t.Logf("%d folders in %v", keys/folder, time.Since(begun))
	begun = time.Now()
	if a := c.want(c.do("GET", target(testBucket, "", "stat"), ""), 200, ""); a.element("ObjectCount") != fmt.Sprint(keys) {
		t.Error(a.body)
	}
	t.Logf("GetBucketStat in %v", time.Since(begun))
	flat(t, before)
}

// fillAt writes what is at an offset, a multiple of 8, of an endless stream.
func fillAt(p []byte, off int64) {
	for i := 0; i+8 <= len(p); i += 8 {
		binary.LittleEndian.PutUint64(p[i:], uint64(off+int64(i))*0x9E3779B97F4A7C15)
	}
}

// stream reads the first bytes of that stream.
type stream struct{ off, size int64 }

func (s *stream) Read(p []byte) (int, error) {
	n := min(int64(len(p)), s.size-s.off) &^ 7
	if n == 0 {
		return 0, io.EOF
	}
	fillAt(p[:n], s.off)
	s.off += n
	return int(n), nil
}

// judge is a ResponseWriter that compares a body with the stream, which begins
// again every size bytes, and keeps none of it.
type judge struct {
	off, size int64
	n         int64
	status    int
	header    http.Header
	word      []byte
	bad       bool
}

func (j *judge) Header() http.Header    { return j.header }
func (j *judge) WriteHeader(status int) { j.status = status }

func (j *judge) Write(p []byte) (int, error) {
	j.n += int64(len(p))
	for all := p; len(all) > 0; {
		take := min(8-len(j.word), len(all))
		j.word, all = append(j.word, all[:take]...), all[take:]
		if len(j.word) == 8 {
			var want [8]byte
			fillAt(want[:], j.off%j.size)
			j.bad = j.bad || string(j.word) != string(want[:])
			j.off += 8
			j.word = j.word[:0]
		}
	}
	return len(p), nil
}

// TestHugeObject makes an object of many copies of another, of which no byte
// is copied, and reads it by ranges across the borders of its parts.
func TestHugeObject(t *testing.T) {
	const parts = 20
	size := int64(1 << 20)
	if os.Getenv(atScale) != "" {
		size = 5 << 30
	}
	c := newClientOptions(t, &emulator.Options{Dir: t.TempDir()})
	before, start := heap(), time.Now()
	r := httptest.NewRequestWithContext(t.Context(), "PUT", "http://127.0.0.1"+target(testBucket, "source", ""), &stream{size: size})
	r.ContentLength = size
	signV4(r, testTime)
	c.want(c.send(r), 200, "")
	t.Logf("source of %d bytes in %v", size, time.Since(start))
	start = time.Now()
	id := c.initiate("huge")
	for n := 1; n <= parts; n++ {
		q := fmt.Sprintf("partNumber=%d&uploadId=%s", n, id)
		c.want(c.do("PUT", target(testBucket, "huge", q), "", "x-oss-copy-source", "/"+testBucket+"/source"), 200, "")
	}
	c.want(c.complete("huge", id, "", "x-oss-complete-all", "yes"), 200, "")
	t.Logf("object of %d bytes in %v", parts*size, time.Since(start))
	c.want(c.do("DELETE", target(testBucket, "source", ""), ""), 204, "")
	if got := c.want(c.do("HEAD", target(testBucket, "huge", ""), ""), 200, "").header.Get("Content-Length"); got != fmt.Sprint(parts*size) {
		t.Errorf("length is %s", got)
	}
	read := func(off, n int64) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), "GET", "http://127.0.0.1"+target(testBucket, "huge", ""), nil)
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", off, off+n-1))
		signV4(r, testTime)
		j := &judge{off: off, size: size, header: http.Header{}}
		c.h.ServeHTTP(j, r)
		if j.status != 206 || j.n != n || j.bad || len(j.word) > 0 {
			t.Errorf("%d bytes from %d on: status %d, %d bytes, bad %v", n, off, j.status, j.n, j.bad)
		}
	}
	start = time.Now()
	for n := int64(1); n < parts; n++ {
		read(n*size-4096, 8192)
	}
	read(parts*size-8, 8)
	t.Logf("%d ranges in %v", parts, time.Since(start))
	start = time.Now()
	read(7*size+size/2, size)
	t.Logf("one range of %d bytes in %v", size, time.Since(start))
	flat(t, before)
}
