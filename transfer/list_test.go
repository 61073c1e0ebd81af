package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// TestListingsGoOn breaks every second page of listings, the first included.
func TestListingsGoOn(t *testing.T) {
	w := newWorld(t)
	if _, err := w.bucket.PutBucketVersioning(t.Context(), "Enabled"); err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 9 {
		key := fmt.Sprintf("p/%d", i)
		w.put(key, []byte("x"))
		want = append(want, key)
	}
	w.put("p/0", []byte("xx"))
	w.put("p/f/1", nil)
	for range 5 {
		if _, err := w.bucket.InitMultipartUpload(t.Context(), "p/u", nil); err != nil {
			t.Fatal(err)
		}
	}
	requests := 0
	w.wire.between(func(_ *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if requests++; requests%2 == 1 {
			return nil, io.ErrUnexpectedEOF
		}
		return send()
	})
	e := w.engine(func(o *transfer.Options) { o.Concurrency = 1 })

	var keys []string
	for o, err := range e.Objects(t.Context(), w.bucket, &oss.ListObjectsV2Options{Prefix: "p/", Delimiter: "/", MaxKeys: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	if !slices.Equal(keys, append(want, "p/f/")) {
		t.Errorf("objects: %q", keys)
	}
	versions := map[string]bool{}
	for v, err := range e.ObjectVersions(t.Context(), w.bucket, &oss.ListObjectVersionsOptions{Prefix: "p/", MaxKeys: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		if versions[v.Key+v.VersionID] {
			t.Errorf("%s comes twice", v.Key)
		}
		versions[v.Key+v.VersionID] = true
	}
	if len(versions) != 11 {
		t.Errorf("%d versions, want 11", len(versions))
	}
	uploads := map[string]bool{}
	for u, err := range e.MultipartUploads(t.Context(), w.bucket, &oss.ListMultipartUploadsOptions{MaxUploads: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		uploads[u.UploadID] = true
	}
	if len(uploads) != 5 {
		t.Errorf("%d uploads, want 5", len(uploads))
	}
	if requests < 20 {
		t.Errorf("%d requests: pages were not small", requests)
	}
}

func TestListingGivesUp(t *testing.T) {
	w := newWorld(t)
	requests := 0
	w.wire.between(func(*http.Request, func() (*http.Response, error)) (*http.Response, error) {
		requests++
		return nil, io.ErrUnexpectedEOF
	})
	for _, err := range w.engine().Objects(t.Context(), w.bucket, nil) {
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %v", err)
		}
	}
	if requests != 3 {
		t.Errorf("%d requests, want the 3 tries of the engine", requests)
	}
	requests = 0
	err := w.engine().Try(t.Context(), "head", func(ctx context.Context) error {
		_, err := w.bucket.HeadObject(ctx, "k", nil)
		return err
	})
	if !errors.Is(err, io.ErrUnexpectedEOF) || requests != 3 {
		t.Errorf("%d requests: %v", requests, err)
	}
	var usage *transfer.UsageError
	for _, err := range w.engine().ObjectVersions(t.Context(), w.bucket, &oss.ListObjectVersionsOptions{Delimiter: "/"}) {
		if !errors.As(err, &usage) {
			t.Errorf("got %v", err)
		}
	}
	for _, err := range w.engine().MultipartUploads(t.Context(), w.bucket, &oss.ListMultipartUploadsOptions{Delimiter: "/"}) {
		if !errors.As(err, &usage) {
			t.Errorf("got %v", err)
		}
	}
}

// TestDeleteUnseen deletes an object that it may not look at.
func TestDeleteUnseen(t *testing.T) {
	w := newWorld(t)
	w.put("p", []byte("x"))
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.Method == http.MethodHead {
			return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
		}
		return send()
	})
	report, err := w.engine().Delete(t.Context(), w.at("p"), nil)
	w.wire.between(nil)
	if err != nil || report.Objects.Done != 1 || w.get("p") != nil {
		t.Errorf("%v, %+v", err, report)
	}
	if _, err := w.engine().Delete(t.Context(), transfer.Remote(w.bucket.Client().Bucket("nowhere"), "p"), nil); !errors.Is(err, oss.ErrNoSuchBucket) {
		t.Error(err)
	}
}

func TestDeleteVersions(t *testing.T) {
	w := newWorld(t)
	if _, err := w.bucket.PutBucketVersioning(t.Context(), "Enabled"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for _, key := range []string{"p", "p/a", "p/b"} {
			w.put(key, []byte("x"))
		}
	}
	left := func() (n int, ids []string) {
		for v, err := range w.bucket.ObjectVersions(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			ids = append(ids, v.VersionID)
		}
		return n, ids
	}
	e := w.engine()
	var usage *transfer.UsageError
	if _, err := e.Delete(t.Context(), w.at("p"), &transfer.DeleteOptions{Versions: true, VersionID: "x"}); !errors.As(err, &usage) {
		t.Errorf("two ways to say what: %v", err)
	}
	_, ids := left()
	if _, err := e.Delete(t.Context(), w.at("p"), &transfer.DeleteOptions{VersionID: ids[1]}); err != nil {
		t.Fatal(err)
	}
	if n, now := left(); n != 8 || slices.Contains(now, ids[1]) {
		t.Errorf("%d versions are left of 9, want 8", n)
	}
	if _, err := e.Delete(t.Context(), w.at("p"), nil); err != nil { // a marker
		t.Fatal(err)
	}
	if n, _ := left(); n != 9 || w.get("p") != nil {
		t.Errorf("%d versions are left, want 9", n)
	}
	// Where there is only a marker, or nothing was ever, no other one is made.
	for _, key := range []string{"p", "never"} {
		report, err := e.Delete(t.Context(), w.at(key), nil)
		if err != nil || report.Objects.Done != 0 || report.Objects.Skipped != 1 {
			t.Errorf("%s: %v, %+v", key, err, report.Objects)
		}
	}
	if n, _ := left(); n != 9 {
		t.Errorf("%d versions are left, want 9", n)
	}
	var reasons int
	report, err := e.Delete(t.Context(), w.at("p"), &transfer.DeleteOptions{Versions: true, JobOptions: transfer.JobOptions{
		OnObject: func(e transfer.ObjectEvent) {
			if e.Key == "p" && e.Reason != "" {
				reasons++
			}
		},
	}})
	if n, _ := left(); err != nil || n != 6 || report.Objects.Done != 3 || reasons != 3 {
		t.Errorf("%d versions are left, want 6; %d reasons: %v", n, reasons, err)
	}
	_, err = e.Delete(t.Context(), w.at("p/"), &transfer.DeleteOptions{
		Recursive: true, Versions: true, Match: func(o oss.ObjectSummary) bool { return o.Key == "p/b" },
	})
	if n, _ := left(); err != nil || n != 3 || w.get("p/a") == nil {
		t.Errorf("%d versions are left, want 3: %v", n, err)
	}
}
