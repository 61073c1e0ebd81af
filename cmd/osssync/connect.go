package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// service is where a command's requests go.
type service struct {
	client *oss.Client

	// name and dir belong to the embedded server of --local: its name in a
	// job's id, and the folder that is never part of a tree.
	name, dir string
	make      func(bucket string) error
	reach     func(*http.Client) (*oss.Client, error)

	// Buckets that are reached elsewhere than by client; nil is by client.
	elsewhere func(bucket string) *oss.Client
	mu        sync.Mutex
	special   map[string]*oss.Client

	close func() error
}

// connect reaches the service that flags and environment name. The embedded
// server is started, with buckets made if they are missing. Every connect is
// followed by one close.
func (a *app) connect(cmd *cobra.Command, buckets ...string) (*service, error) {
	useLocal, err := a.useLocal(cmd)
	if err != nil {
		return nil, err
	}
	if useLocal {
		return a.connectLocal(buckets)
	}
	if a.settings.err != nil {
		return nil, a.settings.err
	}
	named := bucketsOf(cmd)
	t := a.target("")
	if t.endpoint == "" && len(named) > 0 {
		t = a.target(named[0])
	}
	if t.endpoint == "" {
		return nil, &usageError{
			message: "no endpoint",
			hint:    "give --endpoint or --region, set OSS_ENDPOINT or OSS_REGION, run: osssync config, or try --local DIR",
		}
	}
	return a.connectTo(cmd.Context(), t, true)
}

// bucketsOf are the buckets that the arguments of a command name.
func bucketsOf(cmd *cobra.Command) (names []string) {
	for _, arg := range cmd.Flags().Args() {
		if p, err := parsePlace(arg); err == nil && p.remote() {
			names = append(names, p.bucket)
		}
	}
	return names
}

// connectTo reaches the service at t. With others, buckets that the
// configuration knows elsewhere are reached there.
func (a *app) connectTo(ctx context.Context, t target, others bool) (*service, error) {
	creds, err := a.credentials(ctx)
	if err != nil {
		return nil, err
	}
	client, err := a.newClient(t, creds)
	if err != nil {
		return nil, err
	}
	s := &service{client: client, special: map[string]*oss.Client{}}
	s.close = func() error {
		client.CloseIdleConnections()
		for _, c := range s.special {
			c.CloseIdleConnections()
		}
		return nil
	}
	if others {
		s.elsewhere = func(bucket string) *oss.Client {
			t := a.target(bucket)
			if !t.special {
				return nil
			}
			c, err := a.newClient(t, creds)
			if err != nil {
				a.warn("%s: %s", t.origin, oneLine(err.Error()))
			}
			return c
		}
	}
	return s, nil
}

// useLocal decides between --local and --endpoint: what stands on the command
// line wins over the environment.
func (a *app) useLocal(cmd *cobra.Command) (bool, error) {
	if a.flags.local == "" {
		if cmd.Flags().Lookup("local").Changed {
			// An unset variable in a script must not reach the real service.
			return false, &usageError{message: "--local names no folder", hint: "give a folder for the embedded server's data"}
		}
		return false, nil
	}
	endpoint := cmd.Flags().Lookup("endpoint")
	if endpoint == nil || !endpoint.Changed {
		return true, nil
	}
	if cmd.Flags().Lookup("local").Changed {
		return false, &usageError{message: "--local and --endpoint name two services", hint: "give one of them"}
	}
	return false, nil
}

func (a *app) newClient(t target, creds oss.CredentialsProvider) (*oss.Client, error) {
	if a.http == nil {
		session, err := a.session()
		if err != nil {
			return nil, err
		}
		a.http = a.newSession(session)
	}
	opts := &oss.Options{
		Region:     t.region,
		HTTPClient: a.http, // its connections serve all clients
		AppName:    "osssync-cli",

		RequestPayer: a.flags.payer.value != "",
	}
	switch a.flags.signVersion.value {
	case "v1":
		opts.Signature = oss.SignatureV1
	case "v2":
		opts.Signature = oss.SignatureV2
	case "v4":
		opts.Signature = oss.SignatureV4
	}
	switch strings.ToLower(t.addressing) {
	case "virtual":
		opts.Addressing = oss.AddressingVirtualHost
	case "path":
		opts.Addressing = oss.AddressingPath
	case "cname":
		opts.Addressing = oss.AddressingCNAME
	}
	client, err := oss.New(t.endpoint, creds, opts)
	if e, ok := errors.AsType[*oss.UsageError](err); ok && e.Field == "Options.Region" && t.region == "" {
		return nil, &usageError{message: "--sign-version v4 needs the region", hint: "give --region, or set OSS_REGION"}
	} else if ok && e.Field == "endpoint" {
		return nil, &usageError{message: fmt.Sprintf("endpoint (%s): %s", t.origin, e.Reason), hint: "an endpoint is a host such as oss-cn-hangzhou.aliyuncs.com"}
	}
	if err == nil {
		a.warnPlain(client.Endpoint())
	}
	return client, err
}

// credentials takes them from where credentialSource finds them, and asks once:
// what is wrong with them shows before anything begins.
func (a *app) credentials(ctx context.Context) (oss.CredentialsProvider, error) {
	provider, _, err := a.credentialSource()
	if err != nil {
		return nil, err
	}
	if _, err := provider.Credentials(ctx); err != nil {
		return nil, err
	}
	return provider, nil
}

// session turns the network flags into what oss calls a session.
func (a *app) session() (*oss.SessionOptions, error) {
	opts := &oss.SessionOptions{
		ConnectTimeout:     time.Duration(a.flags.connectTimeout),
		ReadTimeout:        time.Duration(a.flags.readTimeout),
		InsecureSkipVerify: a.flags.skipVerify,
	}
	if a.flags.skipVerify && !a.warnedVerify {
		a.warnedVerify = true
		a.warn("the service's certificate is not checked: anybody on the way can read and change everything")
	}
	if a.flags.proxy != "" && a.flags.proxy != "env" {
		u, err := url.Parse(a.flags.proxy)
		if err != nil || u.Host == "" {
			return nil, &usageError{message: "--proxy is no URL such as http://host:3128"}
		}
		opts.Proxy = http.ProxyURL(u)
	} else if err := checkProxies(); err != nil {
		return nil, err
	}
	return opts, nil
}

// checkProxies refuses variables that net/http takes for no proxy at all: who
// sets one does not mean to go without. What they hold may be secret.
func checkProxies() error {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		value := os.Getenv(name)
		if value == "" {
			continue
		}
		u, err := url.Parse(value)
		if err != nil || u.Host == "" {
			u, err = url.Parse("http://" + value) // a host alone is enough
		}
		if err != nil || u.Hostname() == "" {
			return &usageError{message: name + " is no URL such as http://host:3128", hint: "set it right, or unset it to go without a proxy"}
		}
	}
	return nil
}

// newSession makes connections that are held to the limits of this run and log
// their requests.
func (a *app) newSession(opts *oss.SessionOptions) *http.Client {
	session := oss.NewSession(opts)
	session.Transport = &loggedTransport{base: a.limited().limiter.Transport(session.Transport), log: a.log}
	return session
}

// warnPlain warns of requests that travel unencrypted over a network.
func (a *app) warnPlain(endpoint string) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" || isNear(u.Hostname()) {
		return
	}
	a.warn("requests to %s are not encrypted: others on the way can read and change the data; use https://", u.Host)
}

// isNear reports whether host is this machine, or only reached within the
// vendor's network.
func isNear(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.Contains(host, "-internal.")
}

// isLoopback reports whether the address to listen on is this machine's only.
func isLoopback(addr string) (bool, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false, err
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && ip.IsLoopback()), nil
}

// engine makes the engine that the flags ask for.
func (a *app) engine() (*transfer.Engine, error) {
	if job := cmp.Or(a.flags.job.value, transfer.DefaultConcurrency); a.flags.checkers.value > job {
		a.warn("--checkers %d is no more than %d: comparing has no more requests than --job", a.flags.checkers.value, job)
	}
	state := ""
	if !a.flags.noCheckpoint {
		var err error
		if state, err = a.stateDir(); err != nil {
			return nil, err
		}
	}
	return transfer.New(&transfer.Options{
		TrustCheckpoint:    a.flags.trust,
		StateDir:           state,
		AllowNetworkState:  a.flags.unsafeState,
		Concurrency:        int(a.flags.job.value),
		Parallel:           int(a.flags.parallel.value),
		Checkers:           int(a.flags.checkers.value),
		PartSize:           int64(a.flags.partSize),
		MultipartThreshold: int64(a.flags.threshold),
		Attempts:           int(a.flags.retryTimes.value + 1),
		Logger:             a.log,
	})
}

func (a *app) stateDir() (string, error) {
	if a.flags.stateDir != "" {
		return a.flags.stateDir, nil
	}
	dir, err := transfer.DefaultStateDir()
	if err != nil {
		return "", &usageError{message: err.Error(), hint: "give --checkpoint-dir DIR"}
	}
	return dir, nil
}

// bucket is the bucket of p.
func (s *service) bucket(p place) *oss.Bucket {
	if s.elsewhere == nil {
		return s.client.Bucket(p.bucket)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, known := s.special[p.bucket]
	if !known {
		if c = s.elsewhere(p.bucket); c == nil {
			c = s.client
		}
		s.special[p.bucket] = c
	}
	return c.Bucket(p.bucket)
}

// location is p as the engine names it.
func (s *service) location(p place) transfer.Location {
	if p.remote() {
		return transfer.Remote(s.bucket(p), p.key)
	}
	return transfer.Local(p.path)
}

// with runs fn against the service and closes it after.
func (a *app) with(cmd *cobra.Command, buckets []string, fn func(*service) error) error {
	s, err := a.connect(cmd, buckets...)
	if err != nil {
		return err
	}
	return errors.Join(fn(s), s.close())
}
