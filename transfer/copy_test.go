package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// copyPart is how much the service copies at a time with the engine of a world.
const copyPart = 8 * partSize

func isPartCopy(r *http.Request) bool { return isPart(r) && r.Header.Get("X-Oss-Copy-Source") != "" }

// ornate makes an object with metadata, tags and an ACL.
func (w *world) ornate(key string, data []byte) {
	w.t.Helper()
	_, err := w.bucket.PutObject(w.t.Context(), key, bytes.NewReader(data), &oss.PutObjectOptions{ObjectHeaders: oss.ObjectHeaders{
		ContentType: "text/x-ornate", CacheControl: "no-cache", Meta: map[string]string{"color": "green"}, Tagging: "a=1&b=x%20y", ACL: "public-read",
	}})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) checkOrnate(key, acl string) {
	w.t.Helper()
	meta, err := w.bucket.HeadObject(w.t.Context(), key, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if meta.ContentType != "text/x-ornate" || meta.Header.Get("Cache-Control") != "no-cache" || meta.Meta["color"] != "green" {
		w.t.Errorf("metadata of the copy: %q %q %v", meta.ContentType, meta.Header.Get("Cache-Control"), meta.Meta)
	}
	tags, err := w.bucket.GetObjectTagging(w.t.Context(), key, nil)
	if got := fmt.Sprint(tags); err != nil || got != "[{a 1} {b x y}]" {
		w.t.Errorf("tags of the copy: %s, %v", got, err)
	}
	if got, err := w.bucket.GetObjectACL(w.t.Context(), key, nil); err != nil || got != acl {
		w.t.Errorf("ACL of the copy is %q, should be %q; %v", got, acl, err)
	}
}

func TestCopy(t *testing.T) {
	other := newWorld(t)
	for _, size := range []int{0, 1, partSize, partSize + 1, copyPart, copyPart + 1, 3*copyPart + 7} {
		for _, test := range []struct {
			name  string
			relay bool
			to    func(w *world) *world
		}{
			{"by the service", false, func(w *world) *world { return w }},
			{"through this machine", true, func(w *world) *world { return w }},
			{"to another service", false, func(*world) *world { return other }},
		} {
			t.Run(fmt.Sprint(test.name, " ", size), func(t *testing.T) {
				w := newWorld(t)
				to := test.to(w)
				data := noise(size, size)
				w.ornate("from", data)
				for _, keepACL := range []bool{false, true} {
					w.log.forget()
					report, err := w.engine().Copy(t.Context(), w.at("from"), to.at("to"), &transfer.CopyOptions{Relay: test.relay, KeepACL: keepACL})
					if err != nil {
						t.Fatal(err)
					}
					if report.Objects.Done != 1 || report.Bytes.Done != int64(size) || len(report.Warnings) > 0 {
						t.Errorf("report %+v", report)
					}
					reads := len(w.log.requests(t, "GetObject"))
					if byService := !test.relay && to == w; byService != (reads == 0) {
						t.Errorf("%d reads by this machine", reads)
					}
					if !bytes.Equal(to.get("to"), data) {
						t.Fatal("the copy differs")
					}
					acl := "default"
					if keepACL {
						acl = "public-read"
					}
					to.checkOrnate("to", acl)
				}
				if n := to.uploads(); n != 0 {
					t.Errorf("%d uploads left", n)
				}
			})
		}
	}
}

func TestCopyReplaces(t *testing.T) {
	for _, size := range []int{10, copyPart + 1} {
		w := newWorld(t)
		w.ornate("from", noise(1, size))
		_, err := w.engine().Copy(t.Context(), w.at("from"), w.at("to"), &transfer.CopyOptions{Headers: oss.ObjectHeaders{
			Meta: map[string]string{"shape": "round"}, Tagging: "c=3", StorageClass: "IA",
		}})
		if err != nil {
			t.Fatal(err)
		}
		meta, err := w.bucket.HeadObject(t.Context(), "to", nil)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(meta.Meta) != "map[shape:round]" || meta.StorageClass != "IA" || meta.Header.Get("Cache-Control") != "" {
			t.Errorf("size %d: metadata %v, class %s", size, meta.Meta, meta.StorageClass)
		}
		if tags, err := w.bucket.GetObjectTagging(t.Context(), "to", nil); fmt.Sprint(tags) != "[{c 3}]" || err != nil {
			t.Errorf("size %d: tags %v, %v", size, tags, err)
		}
	}
}

func TestCopyRefuses(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	for name, call := range map[string]func() (*transfer.Report, error){
		"onto itself": func() (*transfer.Report, error) { return e.Copy(t.Context(), w.at("k"), w.at("k"), nil) },
		"no key":      func() (*transfer.Report, error) { return e.Copy(t.Context(), w.at("k"), w.at(""), nil) },
		"local":       func() (*transfer.Report, error) { return e.Copy(t.Context(), transfer.Local("k"), w.at("k"), nil) },
		"a tree into itself": func() (*transfer.Report, error) {
			return e.Sync(t.Context(), w.at("a"), w.at("a/b"), nil)
		},
		"a tree over its source": func() (*transfer.Report, error) {
			return e.Sync(t.Context(), w.at("a/b"), w.at("a"), nil)
		},
	} {
		report, err := call()
		if _, ok := errors.AsType[*transfer.UsageError](err); !ok || report != nil {
			t.Errorf("%s: %v, %+v", name, err, report)
		}
	}
}

// A copy that was broken off goes on with the parts that are there.
func TestObjectCopyGoesOn(t *testing.T) {
	for _, relay := range []bool{false, true} {
		t.Run(fmt.Sprint("relay ", relay), func(t *testing.T) {
			w := newWorld(t)
			size, parts := 10*copyPart, 10
			if relay {
				size = 10 * partSize
			}
			data := noise(2, size)
			w.put("from", data)
			ctx, cancel := context.WithCancel(t.Context())
			stopAfter(w, 4, cancel, isPart)
			o := &transfer.CopyOptions{Relay: relay}
			report, err := w.engine(oneByOne).Copy(ctx, w.at("from"), w.at("to"), o)
			if !errors.Is(err, context.Canceled) || !report.Resumable {
				t.Fatalf("interrupted copy: %v, %+v", err, report)
			}
			w.wire.between(nil)
			report, err = w.engine().Copy(t.Context(), w.at("from"), w.at("to"), o)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(w.get("to"), data) {
				t.Error("the copy differs")
			}
			sent := len(w.log.requests(t, "UploadPart")) + len(w.log.requests(t, "UploadPartCopy"))
			if sent != parts || report.Bytes.Resumed != int64(4*size/10) || w.uploads() != 0 {
				t.Errorf("%d parts in two runs, %d uploads left, report %+v", sent, w.uploads(), report.Bytes)
			}
		})
	}
}

// The upload of an earlier run holds something else: nothing of it becomes an
// object.
func TestCopyProvesParts(t *testing.T) {
	w := newWorld(t)
	data := noise(3, 4*copyPart)
	w.put("from", data)
	w.put("to", []byte("old"))
	ctx, cancel := context.WithCancel(t.Context())
	stopAfter(w, 2, cancel, isPart)
	if _, err := w.engine(oneByOne).Copy(ctx, w.at("from"), w.at("to"), nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	w.wire.between(nil)
	for u, err := range w.bucket.MultipartUploads(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.bucket.UploadPart(t.Context(), "to", u.UploadID, 1, bytes.NewReader(noise(4, copyPart)), nil); err != nil {
			t.Fatal(err)
		}
	}
	report, err := w.engine().Copy(t.Context(), w.at("from"), w.at("to"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(w.get("to"), data) || report.Bytes.Resumed != 0 || len(report.Warnings) != 1 || w.uploads() != 0 {
		t.Errorf("the copy is not its source, or the old upload was used: %+v", report)
	}
	if n := len(w.log.requests(t, "CompleteMultipartUpload")); n != 1 {
		t.Errorf("%d uploads were completed", n)
	}
}

func TestSourceChangesDuringCopy(t *testing.T) {
	for _, test := range []struct {
		name  string
		size  int
		relay bool
	}{{"parts", 4 * copyPart, false}, {"relayed parts", 4 * partSize, true}, {"relayed whole", partSize, true}} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.put("from", noise(5, test.size))
			data := noise(6, test.size)
			var once atomic.Bool
			w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
				moves := isPartCopy(r) || r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/from")
				if moves && once.CompareAndSwap(false, true) {
					w.wire.between(nil)
					w.put("from", data)
				}
				return send()
			})
			if _, err := w.engine().Copy(t.Context(), w.at("from"), w.at("to"), &transfer.CopyOptions{Relay: test.relay}); err != nil {
				t.Fatal(err)
			}
			if !once.Load() || !bytes.Equal(w.get("to"), data) || w.uploads() != 0 {
				t.Error("the copy is not the new object")
			}
		})
	}
}

// An answer that was lost is asked for: the service copies once.
func TestCopyLosesAnswer(t *testing.T) {
	for _, test := range []struct {
		name, op string
		size     int
		relay    bool
		lost     func(*http.Request) bool
	}{
		{"copy", "CopyObject", 100, false, func(r *http.Request) bool { return r.Header.Get("X-Oss-Copy-Source") != "" }},
		{"put", "PutObject", 100, true, func(r *http.Request) bool { return r.Method == http.MethodPut }},
		{"complete", "CompleteMultipartUpload", 2 * copyPart, false, func(r *http.Request) bool {
			return r.Method == http.MethodPost && r.URL.Query().Has("uploadId")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			data := noise(7, test.size)
			w.ornate("from", data)
			w.log.forget()
			var once atomic.Bool
			w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
				resp, err := send()
				if err == nil && test.lost(r) && once.CompareAndSwap(false, true) {
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					return nil, errors.New("connection reset")
				}
				return resp, err
			})
			if _, err := w.engine().Copy(t.Context(), w.at("from"), w.at("to"), &transfer.CopyOptions{Relay: test.relay}); err != nil {
				t.Fatal(err)
			}
			if n := len(w.log.requests(t, test.op)); !once.Load() || n != 1 || !bytes.Equal(w.get("to"), data) {
				t.Errorf("%d successful calls of %s", n, test.op)
			}
		})
	}
}

// lateEOF tells of the end of a body only when asked once more.
type lateEOF struct{ io.ReadCloser }

func (l *lateEOF) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// Bytes that are damaged on their way here are never made an object.
func TestRelayDetectsDamage(t *testing.T) {
	w := newWorld(t)
	data := noise(8, partSize)
	w.put("from", data)
	w.put("to", []byte("old"))
	var damaged atomic.Int32
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		resp, err := send()
		if err == nil && r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/from") {
			damaged.Add(1)
			resp.Body = &lateEOF{&flip{ReadCloser: resp.Body, at: partSize - 1}}
		}
		return resp, err
	})
	_, err := w.engine().Copy(t.Context(), w.at("from"), w.at("to"), &transfer.CopyOptions{Relay: true})
	if !errors.Is(err, oss.ErrIntegrity) || damaged.Load() != 3 {
		t.Errorf("%d damaged bodies: %v", damaged.Load(), err)
	}
	w.wire.between(nil)
	if string(w.get("to")) != "old" {
		t.Error("a damaged object is visible")
	}
}

func TestSyncAcross(t *testing.T) {
	other := newWorld(t)
	for _, test := range []struct {
		name string
		to   func(w *world) transfer.Location
	}{
		{"within a bucket", func(w *world) transfer.Location { return w.at("dst/") }},
		{"to another service", func(*world) transfer.Location { return other.at("dst/") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			to := test.to(w)
			want := map[string][]byte{}
			for i := range 40 {
				name := fmt.Sprintf("d%d/k%02d", i%3, i)
				want[name] = noise(i, 1000*i)
			}
			want["large"] = noise(99, copyPart+partSize)
			for name, data := range want {
				w.put("src/"+name, data)
			}
			sync := func() *transfer.Report {
				t.Helper()
				report, err := w.engine().Sync(t.Context(), w.at("src"), to, nil)
				if err != nil {
					t.Fatal(err)
				}
				for name, data := range want {
					b, err := to.Bucket.GetObject(t.Context(), "dst/"+name, nil)
					if err != nil {
						t.Fatal(err)
					}
					got, err := io.ReadAll(b.Body)
					b.Body.Close()
					if err != nil || !bytes.Equal(got, data) {
						t.Fatalf("%s differs, %v", name, err)
					}
				}
				return report
			}
			if r := sync(); r.Objects.Done != 41 {
				t.Errorf("first run: %+v", r.Objects)
			}
			w.log.forget()
			if r := sync(); r.Objects.Done != 0 || r.Objects.Skipped != 41 {
				t.Errorf("second run: %+v", r.Objects)
			}
			if n := len(w.log.requests(t, "HeadObject")); n != 0 {
				t.Errorf("second run asked %d times", n)
			}
			want["large"][5] ^= 1
			w.put("src/large", want["large"])
			if r := sync(); r.Objects.Done != 1 {
				t.Errorf("after a change: %+v", r.Objects)
			}
			w.state = t.TempDir() // without an index only CRC-64s tell
			if r := sync(); r.Objects.Done != 0 || r.Objects.Skipped != 41 {
				t.Errorf("without an index: %+v", r.Objects)
			}
		})
	}
}

// The copy of a link is what it leads to, as a download is; the service would copy
// the link itself.
func TestCopyOfLink(t *testing.T) {
	for _, size := range []int{0, 1, partSize + 1, copyPart + 1} {
		for _, move := range []bool{false, true} {
			t.Run(fmt.Sprint(size, " ", move), func(t *testing.T) {
				w := newWorld(t)
				data := noise(size, size)
				w.ornate("file", data)
				if _, err := w.bucket.PutSymlink(t.Context(), "link", "file", nil); err != nil {
					t.Fatal(err)
				}
				r, err := w.engine().Copy(t.Context(), w.at("link"), w.at("to"), &transfer.CopyOptions{RemoveSource: move})
				if err != nil || r.Objects.Done != 1 || r.Objects.Failed > 0 {
					t.Fatal(r, err)
				}
				if !bytes.Equal(w.get("to"), data) || !bytes.Equal(w.get("file"), data) {
					t.Error("another content")
				}
				meta, err := w.bucket.HeadObject(t.Context(), "to", nil)
				if err != nil || meta.Type == "Symlink" {
					t.Errorf("%+v, %v", meta, err)
				}
				if _, err := w.bucket.GetSymlink(t.Context(), "link", nil); errors.Is(err, oss.ErrNotFound) != move {
					t.Errorf("the link: %v", err)
				}
			})
		}
	}
	w := newWorld(t)
	if _, err := w.bucket.PutSymlink(t.Context(), "link", "nothing", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.engine().Copy(t.Context(), w.at("link"), w.at("to"), nil); !errors.Is(err, oss.ErrSymlinkTargetNotExist) {
		t.Error(err)
	}
}
