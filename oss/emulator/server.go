package emulator

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/osssync/osssync/oss/emulator/internal/sign"
	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// Options tunes a Server. The zero value is a server in memory.
type Options struct {
	// Dir is where everything is kept, made if it is missing and readable by
	// the owner alone. Empty keeps everything in memory, until Close.
	Dir string

	// AccessKeyID and AccessKeySecret are the credentials the server knows,
	// besides Credentials. If both are empty it makes a random pair.
	AccessKeyID, AccessKeySecret string

	// Credentials are further keys, all of the same owner.
	Credentials []Credential

	// Region is what V4 signatures must be made for and what buckets say of
	// their location. Empty means cn-hangzhou.
	Region string

	// RequestLog gets one JSON object per line and finished request. Writes
	// never overlap; an error of theirs is logged once and ends the log.
	RequestLog io.Writer

	// Now is the server's clock, for tests; nil means time.Now. It may be
	// called by many goroutines at once.
	Now func() time.Time

	// RestoreDelay is how long it takes, by Now, to restore an archived
	// object: minutes to hours at the real service. 0 means
	// DefaultRestoreDelay, negative at once.
	RestoreDelay time.Duration

	// Logger gets internal errors, and at the start what a crash had left and
	// was removed; nil means none.
	Logger *slog.Logger

	// Domains are names of the endpoint besides those it knows by their look,
	// such as "oss.example": BUCKET.DOMAIN addresses a bucket.
	Domains []string

	// CNAMEs maps the names of hosts to the buckets that they stand for: the
	// whole path of a request to such a host is a key.
	CNAMEs map[string]string

	// TLSDir makes Start serve https, with certificates of an authority of its
	// own that is kept in this folder, made if it is missing; see CAFile. The
	// authority is good only for localhost, Domains, CNAMEs, what lies below
	// them, and the server's addresses, and is made anew where it does not
	// cover these. Empty means http.
	TLSDir string

	// Faults are the failures to stage from the start on; see SetFaults.
	Faults []Fault
}

// InUseError says that another process serves the directory.
type InUseError struct {
	Dir string
	// Holder describes the other process, for people; may be empty.
	Holder string
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("directory %s is in use by %s", e.Dir, cmp.Or(e.Holder, "another process"))
}

// DefaultRestoreDelay is long enough to meet an object that is being restored,
// and short enough to wait for one that was.
const DefaultRestoreDelay = 3 * time.Second

// closeTimeout is how long Close waits for requests before it cuts them off.
const closeTimeout = 10 * time.Second

// Server is an OSS-compatible http.Handler; make one with Open. It is safe
// for concurrent use.
type Server struct {
	opts        Options
	store       *store.Store
	credentials map[string]Credential // by access key id
	verifier    sign.Verifier
	routes      map[routeKey]*route
	log         requestLog
	faults      atomic.Pointer[faultSet] // nil: none
	closing     chan struct{}            // closed by Close: what waits stops waiting
	pictures    chan struct{}            // holds one for each image being processed

	mu      sync.Mutex
	closed  bool
	active  int           // requests in ServeHTTP
	idle    chan struct{} // made by Close, closed when active falls to 0
	servers []*http.Server
	fresh   map[net.Conn]bool // accepted, but no request has come yet
	serving sync.WaitGroup
}

// Open makes a server and opens its store. It returns *InUseError at once if
// another process has opts.Dir. The server must be closed.
func Open(opts *Options) (*Server, error) {
	s := &Server{fresh: make(map[net.Conn]bool), closing: make(chan struct{}), pictures: make(chan struct{}, maxPictures)}
	if opts != nil {
		s.opts = *opts
	}
	o := &s.opts
	o.Region = cmp.Or(o.Region, "cn-hangzhou")
	if o.Now == nil {
		o.Now = time.Now
	}
	o.RestoreDelay = max(0, cmp.Or(o.RestoreDelay, DefaultRestoreDelay))
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	switch {
	case o.AccessKeyID == "" && o.AccessKeySecret == "":
		o.AccessKeyID, o.AccessKeySecret = "LTAI"+randomHex(8), randomHex(16)
	case o.AccessKeyID == "" || o.AccessKeySecret == "":
		return nil, errors.New("open emulator: access key id and secret go together")
	}
	var err error
	if s.credentials, err = indexCredentials(o); err != nil {
		return nil, fmt.Errorf("open emulator: %w", err)
	}
	if err := o.checkNames(); err != nil {
		return nil, fmt.Errorf("open emulator: %w", err)
	}
	if err := s.SetFaults(o.Faults); err != nil {
		return nil, fmt.Errorf("open emulator: %w", err)
	}
	s.routes = routeTable()
	s.log = requestLog{w: o.RequestLog, logger: o.Logger}
	if o.Dir == "" {
		s.store = store.NewMemory()
		return s, nil
	}
	st, err := store.OpenDir(o.Dir)
	if err != nil {
		if locked, ok := errors.AsType[*store.LockedError](err); ok {
			return nil, &InUseError{Dir: o.Dir, Holder: locked.Holder}
		}
		return nil, fmt.Errorf("open emulator: %w", err)
	}
	s.store = st
	if swept := st.Swept(); swept.Blobs > 0 {
		o.Logger.Info("removed what a crash had left", "dir", o.Dir, "files", swept.Blobs, "bytes", swept.Bytes)
	}
	return s, nil
}

// randomHex returns n random bytes in upper-case hex.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return fmt.Sprintf("%X", b)
}

// Credentials returns the key pair that requests must be signed with.
func (s *Server) Credentials() (id, secret string) {
	return s.opts.AccessKeyID, s.opts.AccessKeySecret
}

// Start listens on a TCP address such as "127.0.0.1:0" and serves until Close.
// It returns the endpoint to give to clients, like "http://127.0.0.1:41234",
// or "https://..." with Options.TLSDir.
func (s *Server) Start(addr string) (endpoint string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", http.ErrServerClosed
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("start emulator: %w", err)
	}
	scheme, address := "http://", l.Addr().String()
	if s.opts.TLSDir != "" {
		scheme = "https://"
		secure, err := s.secure(l)
		if err != nil {
			return "", fmt.Errorf("start emulator: %w", errors.Join(err, l.Close()))
		}
		l = secure
	}
	srv := &http.Server{
		Handler:           http.HandlerFunc(s.serveWire),
		ConnState:         s.track,
		ReadHeaderTimeout: 15 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.opts.Logger.Handler(), slog.LevelDebug),
	}
	s.servers = append(s.servers, srv)
	s.serving.Go(func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.opts.Logger.Error("serve", "addr", addr, "err", err)
		}
	})
	return scheme + address, nil
}

// Close stops listening, waits up to ten seconds for running requests, cuts
// off the rest and closes the store. It may be called twice.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		s.serving.Wait()
		return nil
	}
	s.closed = true
	close(s.closing)
	s.idle = make(chan struct{})
	if s.active == 0 {
		close(s.idle)
	}
	servers := s.servers
	for c := range s.fresh { // Shutdown would give each of them five seconds
		_ = c.Close()
	}
	s.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var errs []error
	for _, srv := range servers {
		if err := srv.Shutdown(ctx); err != nil {
			errs = append(errs, srv.Close())
		}
	}
	select {
	case <-s.idle:
	case <-ctx.Done():
	}
	s.serving.Wait()
	return errors.Join(append(errs, s.store.Close())...)
}

// track keeps the connections that have not been used yet.
func (s *Server) track(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(s.fresh, c)
	case s.closed:
		_ = c.Close()
	default:
		s.fresh[c] = true
	}
}

// enter counts a request in, unless the server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.active++
	return true
}

func (s *Server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active--
	if s.active == 0 && s.idle != nil {
		close(s.idle)
	}
}

// CreateBucket makes a private bucket if there is none of that name.
func (s *Server) CreateBucket(name string) error {
	if !validBucket(name) {
		return fmt.Errorf("create bucket %q: name must be 3 to 63 of a-z, 0-9 and -", name)
	}
	err := s.store.Update(func(tx *store.Tx) error {
		old, err := tx.Bucket(name)
		if err != nil || old != nil {
			return err
		}
		return tx.PutBucket(s.newBucket(name))
	})
	if err != nil {
		return fmt.Errorf("create bucket %q: %w", name, err)
	}
	return nil
}

func (s *Server) newBucket(name string) *store.Bucket {
	return &store.Bucket{
		Name: name, Created: s.opts.Now(), ACL: aclPrivate, Class: classStandard, Redundancy: "LRS",
	}
}

// location is the region as buckets name it.
func (s *Server) location() string { return "oss-" + s.opts.Region }

// newRequestID is unique and has the service's shape: 24 upper-case hex digits.
func newRequestID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	var out [24]byte
	hex.Encode(out[:], b[:])
	for i, c := range out {
		if c >= 'a' {
			out[i] = c - 'a' + 'A'
		}
	}
	return string(out[:])
}
