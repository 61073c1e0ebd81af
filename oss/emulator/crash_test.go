package emulator_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/osssync/osssync/oss/emulator"
)

// crashDir names, in the environment, the directory a child has to serve.
const crashDir = "EMULATOR_CRASH_DIR"

// crashRounds asks, in the environment, for another number of rounds.
const crashRounds = "EMULATOR_CRASH_ROUNDS"

// serveUntilKilled prints its endpoint and serves until its input ends.
func serveUntilKilled(dir string) int {
	s, err := emulator.Open(&emulator.Options{Dir: dir, AccessKeyID: testID, AccessKeySecret: testSecret})
	if err != nil {
		fmt.Println("error:", err)
		return 1
	}
	endpoint, err := s.Start("127.0.0.1:0")
	if err != nil {
		fmt.Println("error:", err)
		return 1
	}
	fmt.Println(endpoint)
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := s.Close(); err != nil {
		fmt.Println("error:", err)
		return 1
	}
	return 0
}

// child is a server in a process of its own.
type child struct {
	cmd      *exec.Cmd
	stdin    io.WriteCloser
	endpoint string
}

func startChild(t *testing.T, dir string) *child {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "http://") {
		t.Fatalf("child says %q, %v", line, err)
	}
	return &child{cmd, stdin, strings.TrimSpace(line)}
}

func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

func (c *child) do(ctx context.Context, hc *http.Client, method, target, body string, header ...string) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.endpoint+target, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	signV4(r, time.Now())
	res, err := hc.Do(r)
	if err != nil {
		return 0, "", err
	}
	b, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	return res.StatusCode, string(b), err
}

// content is what a writer puts under a key in one round: the sizes are on
// both sides of what is kept inline.
func content(key string, round int) string {
	unit := fmt.Sprintf("%s round %d;", key, round)
	return strings.Repeat(unit, 1+(len(key)*round*37+round)%3*300)
}

// TestKilled hammers a server with PUTs, kills it, and looks whether the next
// one has everything that was acknowledged, and nothing torn.
func TestKilled(t *testing.T) {
	const writers, keys = 8, 12
	rounds := 6
	if n, err := strconv.Atoi(os.Getenv(crashRounds)); err == nil && n > 0 {
		rounds = n
	}
	dir := t.TempDir()
	c := startChild(t, dir)
	hc := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: writers}}
	defer hc.CloseIdleConnections()
	if status, body, err := c.do(t.Context(), hc, "PUT", "/"+testBucket+"/", ""); status != 200 {
		t.Fatal(status, body, err)
	}
	type state struct{ acked, tried int } // rounds of the last write that was answered, and begun
	states := make(map[string]state)
	var mu sync.Mutex
	round := 0
	for range rounds {
		round++
		base := round * 1000
		stop := make(chan struct{})
		var wg sync.WaitGroup
		var acks sync.WaitGroup
		acks.Add(1)
		var first sync.Once
		for w := range writers {
			wg.Go(func() {
				defer first.Do(acks.Done)
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					key := fmt.Sprintf("w%d/k%d", w, i%keys)
					n := base + i
					mu.Lock()
					s := states[key]
					s.tried = n
					states[key] = s
					mu.Unlock()
					status, _, err := c.do(t.Context(), hc, "PUT", target(testBucket, key, ""), content(key, n))
					if err != nil || status != 200 {
						return // killed
					}
					mu.Lock()
					s.acked = n
					states[key] = s
					mu.Unlock()
					if i == 20+rand.IntN(60) || i > 90 {
						first.Do(acks.Done)
					}
				}
			})
		}
		acks.Wait()
		c.kill()
		close(stop)
		wg.Wait()
		hc.CloseIdleConnections()
		c = startChild(t, dir)
		for key, s := range states {
			status, body, err := c.do(t.Context(), hc, "GET", target(testBucket, key, ""), "")
			if err != nil {
				t.Fatal(err)
			}
			whole := status == 404 && s.acked == 0 || status == 200 && (body == content(key, s.acked) || body == content(key, s.tried))
			if !whole {
				t.Fatalf("round %d: %s is %d with %d bytes beginning %.30q; acknowledged %d, tried %d", round, key, status, len(body), body, s.acked, s.tried)
			}
			// What is there now is the truth for the next round.
			if status == 200 && body == content(key, s.tried) {
				s.acked = s.tried
			}
			states[key] = s
		}
	}
	if n := countBlobs(t, dir); n > writers*keys {
		t.Errorf("%d blobs for at most %d objects", n, writers*keys)
	}
	_ = c.stdin.Close()
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("server ended with %v", err)
	}
}

func countBlobs(t *testing.T, dir string) int {
	t.Helper()
	n := 0
	err := filepath.WalkDir(filepath.Join(dir, "blobs"), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
