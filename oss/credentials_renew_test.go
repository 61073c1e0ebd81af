package oss_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/osssync/osssync/oss"
)

// Whoever asked may give up; who waits for it does not fail with that.
func TestWhoAsksGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		p := oss.RefreshingCredentials(oss.CredentialsFunc(func(ctx context.Context) (oss.Credentials, error) {
			asked.Add(1)
			select {
			case <-ctx.Done():
				return oss.Credentials{}, ctx.Err()
			case <-time.After(time.Second):
				return oss.Credentials{AccessKeyID: "id", AccessKeySecret: "s"}, nil
			}
		}))
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := p.Credentials(ctx); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if c, err := p.Credentials(t.Context()); err != nil || c.AccessKeyID != "id" {
				t.Errorf("%s, %v", c.AccessKeyID, err)
			}
		})
		synctest.Wait()
		cancel()
		wg.Wait()
		if n := asked.Load(); n != 2 {
			t.Errorf("asked %d times", n)
		}
	})
}

// A file's profile and a chain pass on that credentials were refused.
func TestInvalidateReachesTheSource(t *testing.T) {
	var n atomic.Int32
	var fail atomic.Bool
	p := oss.ChainedCredentials(oss.RefreshingCredentials(issue(&n, &fail)))
	for i, want := range []string{"id1", "id2"} {
		c, err := p.Credentials(t.Context())
		if err != nil || c.AccessKeyID != want {
			t.Errorf("%d: %s, %v", i, c.AccessKeyID, err)
		}
		p.(interface{ Invalidate(oss.Credentials) }).Invalidate(c)
	}
	program := fmt.Sprintf("[default]\nmode=Process\ncredential_process=%s -test.run=^TestProcessCredentials$\n", os.Args[0])
	name := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(name, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	file := oss.ConfigFileCredentials(name, "")
	for _, id := range []string{"one", "two"} {
		t.Setenv("OSS_TEST_PROCESS", `{"AccessKeyId":"`+id+`","AccessKeySecret":"s"}`)
		c, err := file.Credentials(t.Context())
		if err != nil || c.AccessKeyID != id {
			t.Errorf("%s, %v; want %s", c.AccessKeyID, err, id)
		}
		file.(interface{ Invalidate(oss.Credentials) }).Invalidate(c)
	}
}
