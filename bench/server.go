package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/osssync/osssync/oss"
)

const (
	region     = "cn-hangzhou"
	bucketName = "bench"

	// stopTime is how long the server may take to end when it is asked to.
	stopTime = 15 * time.Second
)

// server is "osssync serve", in memory.
type server struct {
	cmd    *exec.Cmd
	cancel context.CancelFunc
	log    string // its request log

	endpoint, id, secret string
	client               *oss.Client
	bucket               *oss.Bucket
}

// startServer returns once the server answers and has the bucket.
func startServer(ctx context.Context, binary, dir string) (_ *server, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &server{cancel: cancel, log: filepath.Join(dir, "requests.jsonl")}
	s.cmd = exec.CommandContext(ctx, binary, "serve", "--listen", "127.0.0.1:0", "--region", region, "--request-log", s.log)
	s.cmd.Env = plainEnviron()
	s.cmd.WaitDelay = stopTime
	s.cmd.Cancel = func() error {
		if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
			return s.cmd.Process.Kill() // Windows has no such signal
		}
		return nil
	}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		cancel()
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		cancel()
		return nil, fmt.Errorf("start the server: %w", err)
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	var ready struct {
		Endpoint        string `json:"endpoint"`
		AccessKeyID     string `json:"access_key_id"`
		AccessKeySecret string `json:"access_key_secret"`
	}
	if err := json.NewDecoder(bufio.NewReader(stdout)).Decode(&ready); err != nil {
		return nil, fmt.Errorf("the server's first line: %w", err)
	}
	s.endpoint, s.id, s.secret = ready.Endpoint, ready.AccessKeyID, ready.AccessKeySecret
	s.client, err = oss.New(s.endpoint, oss.StaticCredentials(s.id, s.secret, ""), &oss.Options{Region: region})
	if err != nil {
		return nil, err
	}
	s.bucket = s.client.Bucket(bucketName)
	_, err = s.bucket.CreateBucket(ctx, nil)
	return s, err
}

// close ends the process. How it ends is not a result.
func (s *server) close() {
	if s.client != nil {
		s.client.CloseIdleConnections()
	}
	s.cancel()
	_ = s.cmd.Wait()
}

// plainEnviron is this process's environment without what would change an
// osssync.
func plainEnviron() []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "OSS_") && !strings.HasPrefix(e, "OSSSYNC_") {
			env = append(env, e)
		}
	}
	return env
}

// environ is that of a client of the server at endpoint, which may be a relay's.
func (s *server) environ(endpoint string) []string {
	return append(plainEnviron(), "OSS_ENDPOINT="+endpoint, "OSS_REGION="+region,
		"OSS_ACCESS_KEY_ID="+s.id, "OSS_ACCESS_KEY_SECRET="+s.secret)
}

// requests are those of one operation.
type requests struct {
	N        int   `json:"n"`
	Failed   int   `json:"failed,omitempty"` // refused, or cut off
	BytesIn  int64 `json:"bytes_in,omitempty"`
	BytesOut int64 `json:"bytes_out,omitempty"`
}

// quiet is how long the request log must stand still to be complete: a line is
// written just after the last byte of its answer.
const quiet = 20 * time.Millisecond

// mark returns the end of the request log once it stands still.
func (s *server) mark(ctx context.Context) (int64, error) {
	for last := int64(-1); ; {
		info, err := os.Stat(s.log)
		if err != nil || info.Size() == last {
			return last, err
		}
		last = info.Size()
		select {
		case <-time.After(quiet):
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// since counts the requests in the log from one mark to another, by operation.
func (s *server) since(from, to int64) (map[string]requests, error) {
	f, err := os.Open(s.log)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	counts := make(map[string]requests)
	for lines := json.NewDecoder(io.NewSectionReader(f, from, to-from)); ; {
		var line struct {
			Op       string `json:"op"`
			Status   int    `json:"status"`
			BytesIn  int64  `json:"bytes_in"`
			BytesOut int64  `json:"bytes_out"`
		}
		switch err := lines.Decode(&line); {
		case errors.Is(err, io.EOF):
			return counts, nil
		case err != nil:
			return nil, fmt.Errorf("request log: %w", err)
		}
		c := counts[line.Op]
		c.N++
		c.BytesIn += line.BytesIn
		c.BytesOut += line.BytesOut
		if line.Status >= 400 {
			c.Failed++
		}
		counts[line.Op] = c
	}
}
