package lister_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/osssync/osssync/internal/lister"
	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/emulator"
	"github.com/osssync/osssync/oss/osstest"
)

// Against the embedded server, whose listings are staged to take 50 ms, the union of
// what is listed at once is that of one page after the other. The figures in
// bench/results/lister.txt are those that this prints with -v.
func TestAgainstEmulator(t *testing.T) {
	const n, pageSize = 8000, 50
	synctest.Test(t, func(t *testing.T) {
		server, err := emulator.Open(nil)
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		id, secret := server.Credentials()
		client, err := oss.New("http://oss.test", oss.StaticCredentials(id, secret, ""), &oss.Options{
			Region: "cn-hangzhou", HTTPClient: &http.Client{Transport: osstest.Transport(server)},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"flat numbers", "deep", "skewed folders", "UTF-8", "geometric"} {
			i := slices.IndexFunc(layouts, func(l layout) bool { return l.name == name })
			keys := layouts[i].sorted(n)
			bucket := client.Bucket("layout-" + string(rune('a'+i)))
			if err := server.CreateBucket(bucket.Name()); err != nil {
				t.Fatal(err)
			}
			var seeding sync.WaitGroup
			for worker := range 4 {
				seeding.Go(func() {
					for j := worker; j < len(keys); j += 4 {
						if _, err := bucket.PutObject(t.Context(), keys[j], strings.NewReader(""), nil); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			seeding.Wait()
			faults, err := emulator.ParseFaults(strings.NewReader("latency=50ms on=ListObjectsV2"))
			if err != nil {
				t.Fatal(err)
			}
			if err := server.SetFaults(faults); err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			want, count := digest(t, lister.Options{Page: bucket.ListObjectsV2, Parallel: 1, PageSize: pageSize})
			alone := time.Since(begun)
			begun = time.Now()
			got, _ := digest(t, lister.Options{Page: bucket.ListObjectsV2, PageSize: pageSize})
			together := time.Since(begun)
			if got != want || count != len(keys) {
				t.Errorf("%s: %d keys of %d, or others at once", name, count, len(keys))
			}
			faster := float64(alone) / float64(together)
			t.Logf("%s: %d keys in pages of %d: %v, one page after the other %v, %.2f times as fast", name, count, pageSize, together, alone, faster)
			if faster < 2 {
				t.Errorf("%s: %.2f times as fast", name, faster)
			}
		}
	})
}
