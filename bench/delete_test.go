package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// slowBucket is an endlessBucket that takes its time, and deletes nothing of what
// it is told to.
type slowBucket struct {
	endlessBucket
	list, remove time.Duration // for a page, and for 1000 objects
}

// RoundTrip implements http.RoundTripper.
func (s *slowBucket) RoundTrip(r *http.Request) (*http.Response, error) {
	if !r.URL.Query().Has("delete") {
		time.Sleep(s.list)
		return s.endlessBucket.RoundTrip(r)
	}
	time.Sleep(s.remove)
	var asked struct {
		Object []struct{ Key string }
	}
	if err := xml.NewDecoder(r.Body).Decode(&asked); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("<DeleteResult><EncodingType>url</EncodingType>")
	for _, o := range asked.Object {
		b.WriteString("<Deleted><Key>" + url.QueryEscape(o.Key) + "</Key></Deleted>")
	}
	b.WriteString("</DeleteResult>")
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header:        http.Header{"Content-Type": {"application/xml"}, "X-Oss-Request-Id": {"1"}},
		ContentLength: int64(b.Len()), Body: io.NopCloser(&b),
	}, nil
}

// A recursive delete lists many pages at once, a fraction of the time that they take
// one after another, and has as many batches under way as there may be requests. The
// figures in bench/results/listing.txt are those that this prints with -v.
func TestDeleteListsAtOnce(t *testing.T) {
	const keys, list = 200_000, 50 * time.Millisecond
	alone := keys / 1000 * list
	for _, remove := range []time.Duration{0, 100 * time.Millisecond, 400 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			slow := &slowBucket{endlessBucket: endlessBucket{keys: keys}, list: list, remove: remove}
			client, err := oss.New("http://oss.test", oss.StaticCredentials("id", "secret", ""), &oss.Options{
				Region: "cn-hangzhou", HTTPClient: &http.Client{Transport: slow},
			})
			if err != nil {
				t.Fatal(err)
			}
			engine, err := transfer.New(nil)
			if err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			report, err := engine.Delete(t.Context(), transfer.Remote(client.Bucket("from"), ""), &transfer.DeleteOptions{Recursive: true})
			took := time.Since(begun)
			if err != nil || report.Objects.Done != keys {
				t.Fatalf("%+v, %v", report, err)
			}
			t.Logf("%d keys, %v for a page, %v for 1000 deletions: %v, the pages alone %v one after another, %d requests", keys, list, remove, took, alone, slow.requests.Load())
			if want := alone/3 + keys/1000*remove/transfer.DefaultConcurrency*5/4; took > want {
				t.Errorf("%v, want at most %v", took, want)
			}
		})
	}
}
