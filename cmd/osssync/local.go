package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/emulator"
)

// connectLocal starts the embedded server on its folder and makes the buckets.
func (a *app) connectLocal(buckets []string) (*service, error) {
	dir, err := filepath.Abs(a.flags.local)
	if err != nil {
		return nil, &usageError{message: "--local: " + err.Error()}
	}
	start := func() (*service, error) {
		if err := checkServerDir(dir); err != nil {
			return nil, err
		}
		server, err := emulator.Open(&emulator.Options{Dir: dir, Logger: a.log})
		if err != nil {
			return nil, err
		}
		s, err := startLocal(server, dir)
		if err != nil {
			return nil, errors.Join(err, server.Close())
		}
		return s, nil
	}
	var s *service
	if a.locals != nil {
		s, err = a.locals.use(dir, start)
	} else {
		s, err = start()
	}
	if err != nil {
		return nil, err
	}
	if s.client, err = s.reach(a.newSession(&oss.SessionOptions{NoProxy: true})); err != nil {
		return nil, errors.Join(err, s.close())
	}
	closing := s.close
	s.close = func() error {
		s.client.CloseIdleConnections()
		return closing()
	}
	for _, name := range buckets {
		if err := s.make(name); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	return s, nil
}

func startLocal(server *emulator.Server, dir string) (*service, error) {
	endpoint, err := server.Start("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	id, secret := server.Credentials()
	return &service{
		name: localService + dir, dir: dir, make: server.CreateBucket, close: server.Close,
		reach: func(session *http.Client) (*oss.Client, error) {
			return oss.New(endpoint, oss.StaticCredentials(id, secret, ""), &oss.Options{HTTPClient: session})
		},
	}, nil
}

// serverIndex is the file by which a folder of the embedded server is known.
const serverIndex = "index.db"

// checkServerDir refuses a folder that holds something else: the server would
// mix its files with a person's.
func checkServerDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &usageError{message: err.Error()}
	}
	if len(entries) == 0 {
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, serverIndex)); err != nil {
		return &usageError{
			message: fmt.Sprintf("%s holds files that are not the embedded server's", printable(dir)),
			hint:    "name a new or empty folder",
		}
	}
	return nil
}

// checkApart refuses a local side within the embedded server's own folder.
func (s *service) checkApart(places ...place) error {
	for _, p := range places {
		if s.dir == "" || !p.local() {
			continue
		}
		path, err := filepath.Abs(p.path)
		if err != nil {
			return &usageError{message: err.Error()}
		}
		rel, err := filepath.Rel(s.dir, path)
		if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return &usageError{message: fmt.Sprintf("%s lies in the embedded server's folder", p)}
		}
	}
	return nil
}
