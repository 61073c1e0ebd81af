package main

import (
	"errors"
	"sync"
)

// localServers are the embedded servers of a run, whose lines share them: only
// one process, and one server in it, can have a folder. The zero value is ready
// to use.
type localServers struct {
	mu      sync.Mutex
	servers map[string]*service // by folder
}

// use returns the server of a folder, which start starts if none of the lines
// has yet. It stays open until close.
func (l *localServers) use(dir string, start func() (*service, error)) (*service, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.servers[dir]
	if s == nil {
		var err error
		if s, err = start(); err != nil {
			return nil, err
		}
		if l.servers == nil {
			l.servers = map[string]*service{}
		}
		l.servers[dir] = s
	}
	return &service{reach: s.reach, name: s.name, dir: s.dir, make: s.make, close: func() error { return nil }}, nil
}

// close stops all of them.
func (l *localServers) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var err error
	for _, s := range l.servers {
		err = errors.Join(err, s.close())
	}
	l.servers = nil
	return err
}
