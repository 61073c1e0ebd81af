package transfer_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/emulator"
	"github.com/osssync/osssync/transfer"
	"golang.org/x/sync/errgroup"
)

// rough is a world whose server has faults, and whose client loses patience
// early.
func rough(t *testing.T, faults string) *world {
	t.Helper()
	w := newWorld(t)
	parsed, err := emulator.ParseFaults(strings.NewReader(faults))
	if err != nil {
		t.Fatal(err)
	}
	session := oss.NewSession(&oss.SessionOptions{ReadTimeout: patience})
	id, secret := w.server.Credentials()
	client, err := oss.New(w.endpoint, oss.StaticCredentials(id, secret, ""), &oss.Options{
		Region: "cn-hangzhou", HTTPClient: &http.Client{Transport: session.Transport, CheckRedirect: session.CheckRedirect},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(session.CloseIdleConnections)
	w.put("from", nil) // faults begin after what the test itself needs
	plain := w.bucket
	w.bucket = client.Bucket("bucket")
	w.plain = plain
	w.arm = func() {
		if err := w.server.SetFaults(parsed); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

const patience = 300 * time.Millisecond

// matrixFaults are staged for every kind of job at every size. UP stands for
// what sends an object or a part, DOWN for what fetches one.
var matrixFaults = []string{
	"500 max=2", "503=ServiceUnavailable max=2", "503=SlowDown max=2 retry=1s", "429 max=2",
	"html max=2", "html=502 max=2", "400=RequestTimeout max=1",
	"reset=before max=2", "reset=body max=2", "reset=after max=2", "truncate=5 max=2",
	"lost max=1", "lost=500 max=1", "lost=200 max=1",
	"flip=0 dir=up max=2", "flip=0 dir=down max=2", "crc=wrong max=1", "etag=wrong nth=2",
	"stall=1m max=1", "latency=5ms jitter=5ms", "bandwidth=20M", "clock=1h",
	"vanish on=UploadPart nth=2", "vanish on=CompleteMultipartUpload nth=1", "lost on=CompleteMultipartUpload max=2",
	"503 on=InitiateMultipartUpload max=2", "lost on=InitiateMultipartUpload max=1", "html on=CompleteMultipartUpload max=1",
	"change on=GetObject nth=2", "prob=0.2 seed=3 KIND=503", "prob=0.2 seed=4 KIND=reset=body",
}

// matrixSizes are those at which something changes: nothing, a byte, the
// threshold and one more, a byte less than whole parts, the threshold of copies
// and one more.
var matrixSizes = []int{0, 1, partSize, partSize + 1, 3*partSize - 1, copyPart + 1}

// TestMatrix stages every fault in every job at every size: each ends right,
// and each fault comes true.
func TestMatrix(t *testing.T) {
	var (
		mu    sync.Mutex
		fired = map[string]int{}
	)
	var g errgroup.Group // they mostly wait between tries
	g.SetLimit(64)
	for _, fault := range matrixFaults {
		for _, size := range matrixSizes {
			for _, kind := range []string{"upload", "download", "copy", "relay"} {
				g.Go(func() error {
					t.Run(fmt.Sprint(kind, " ", size, " ", fault), func(t *testing.T) {
						n := runMatrix(t, kind, size, fault)
						mu.Lock()
						defer mu.Unlock()
						fired[fault] += n
					})
					return nil
				})
			}
		}
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, fault := range matrixFaults {
		if fired[fault] == 0 {
			t.Errorf("%s never came true", fault)
		}
	}
}

func runMatrix(t *testing.T, kind string, size int, fault string) (fired int) {
	if rest, k, ok := strings.Cut(fault, " KIND="); ok {
		fault = k + " " + rest
	}
	w := rough(t, fault)
	data := noise(size, size)
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
	write(t, src, data)
	if _, err := w.plain.PutObject(t.Context(), "from", bytes.NewReader(data), nil); err != nil {
		t.Fatal(err)
	}
	e := w.engine(func(o *transfer.Options) { o.Attempts = 10 })
	run := map[string]func() (*transfer.Report, error){
		"upload":   func() (*transfer.Report, error) { return e.Upload(t.Context(), src, w.at("to"), nil) },
		"download": func() (*transfer.Report, error) { return e.Download(t.Context(), w.at("from"), dst, nil) },
		"copy":     func() (*transfer.Report, error) { return e.Copy(t.Context(), w.at("from"), w.at("to"), nil) },
		"relay": func() (*transfer.Report, error) {
			return e.Copy(t.Context(), w.at("from"), w.at("to"), &transfer.CopyOptions{Relay: true})
		},
	}[kind]
	w.arm()
	report, err := run()
	for _, c := range w.server.FaultCounts() {
		fired += c.Fired
	}
	if err := w.server.SetFaults(nil); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatalf("%v; the fault came true %d times", err, fired)
	}
	if report.Objects.Done != 1 || report.Objects.Failed != 0 {
		t.Errorf("report %+v", report)
	}
	w.bucket = w.plain
	want := data
	if strings.HasPrefix(fault, "change") && fired > 0 {
		want = w.get("from")
	}
	got := w.get("to")
	if kind == "download" {
		got, _ = os.ReadFile(dst)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes arrived, not the %d of the source", len(got), len(want))
	}
	left := tree(t, dir)
	delete(left, "src")
	delete(left, "dst")
	if len(left) > 0 || w.uploads() > 0 {
		t.Errorf("%d files and %d uploads are left", len(left), w.uploads())
	}
	return fired
}

// Credentials that end are asked for once more by the piece they end under;
// without new ones the job parks, and no object has failed.
func TestExpiredCredentials(t *testing.T) {
	for _, test := range []struct {
		name, fault string
		parks       bool
	}{
		{"renewed", "expire on=UploadPart nth=4", false},
		{"not renewed", "expire on=UploadPart", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := rough(t, test.fault)
			data := noise(70, 10*partSize)
			src := filepath.Join(t.TempDir(), "src")
			write(t, filepath.Join(src, "large"), data)
			write(t, filepath.Join(src, "larger"), data)
			w.arm()
			run := func() (*transfer.Report, error) {
				return w.engine(oneByOne, func(o *transfer.Options) { o.Concurrency = 1 }).Sync(t.Context(), transfer.Local(src), w.at("p"), nil)
			}
			report, err := run()
			if !test.parks {
				if err != nil || report.Objects.Failed > 0 || report.Retries == 0 {
					t.Fatalf("%v, %+v", err, report)
				}
				return
			}
			if oss.Classify(err) != oss.ClassExpired || report.State != transfer.StateParked || !report.Resumable || report.Objects.Failed > 0 {
				t.Fatalf("%v, %+v", err, report)
			}
			if err := w.server.SetFaults(nil); err != nil {
				t.Fatal(err)
			}
			if report, err = run(); err != nil || !report.Resumed || report.Objects.Done != 2 {
				t.Errorf("%v, %+v", err, report)
			}
		})
	}
}
