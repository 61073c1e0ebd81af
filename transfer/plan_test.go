package transfer_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/osssync/osssync/transfer"
)

// A long listing is fetched by several requests at once and still comes whole
// and in order.
func TestListingAtOnce(t *testing.T) {
	w := newWorld(t)
	var want []string
	for i := range 6000 {
		want = append(want, fmt.Sprintf("p/%03d/%04d", i/700, i))
	}
	var puts sync.WaitGroup
	for some := range slices.Chunk(want, 1500) {
		puts.Go(func() {
			for _, key := range some {
				w.put(key, nil)
			}
		})
	}
	puts.Wait()
	w.put("q", nil)

	var mu sync.Mutex
	guessed := 0
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.URL.Query().Get("start-after") != "" {
			mu.Lock()
			guessed++
			mu.Unlock()
		}
		return send()
	})
	var got []string
	_, err := w.engine().Delete(t.Context(), w.at("p/"), &transfer.DeleteOptions{
		Recursive: true, DryRun: true,
		JobOptions: transfer.JobOptions{OnObject: func(e transfer.ObjectEvent) { got = append(got, e.Key) }},
	})
	slices.Sort(got) // batches end in any order
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%d keys of %d, %v", len(got), len(want), err)
	}
	if guessed == 0 {
		t.Error("all pages came one after the other")
	}
}
