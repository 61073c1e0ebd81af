package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
)

const probeLong = `Go through a connection step by step, with the time of each, and say what is wrong.

  osssync probe                      as far as the list of buckets
  osssync probe oss://BUCKET[/KEY]   and into a bucket: list, put, get, delete

  credentials  who asks, and how long it takes to find out
  dns          the addresses of the host
  tcp          a connection
  tls          the certificate, and until when it holds
  clock        this machine's, against the service's
  sign         a signed request: are keys, region and permission right?
  list, put, get, delete
               each with its time; what is put lies below KEY, has 1 KiB, and is
               deleted at the end

A step that fails does not stop those that do not need it. Exit code: that of the
first step that failed.

Examples:
  osssync probe
  osssync probe oss://my-bucket/tmp/ -e oss-cn-hangzhou.aliyuncs.com --json
`

// probeLine is a step, as JSON.
type probeLine struct {
	V       int     `json:"v"`
	Type    string  `json:"type"`
	Step    string  `json:"step"`
	Result  string  `json:"result"` // ok, slow, failed, skipped
	Seconds float64 `json:"seconds"`
	Detail  string  `json:"detail,omitempty"`
	Error   string  `json:"error,omitempty"`
	Hint    string  `json:"hint,omitempty"`
}

type probeSummary struct {
	V        int    `json:"v"`
	Type     string `json:"type"`
	OK       int    `json:"ok"`
	Slow     int    `json:"slow"`
	Failed   int    `json:"failed"`
	Skipped  int    `json:"skipped"`
	ExitCode int    `json:"exit_code"`
}

func newProbeCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "probe [oss://BUCKET[/KEY]]", Short: "Find out what is wrong with a connection", Long: probeLong + "\n" + exitHelp, Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p := &probe{app: a, cmd: cmd}
			if len(args) > 0 {
				var err error
				if p.place, err = parseRemote(args[0]); err != nil {
					return err
				}
			}
			return p.run(cmd.Context())
		},
	}
}

// probe is one probe.
type probe struct {
	app     *app
	cmd     *cobra.Command
	place   place
	service *service

	host, port string
	secure     bool
	addresses  []string
	conn       net.Conn

	sum   probeSummary
	first error // that failed
	tasks map[string]bool
}

// probeTime bounds one step.
const probeTime = 30 * time.Second

func (p *probe) run(ctx context.Context) (err error) {
	a := p.app
	p.tasks = map[string]bool{}
	if a.settings.err != nil {
		return a.settings.err
	}
	// Whatever is wrong with the endpoint or the keys is found before anything
	// is asked, and is an error of its own.
	p.step(ctx, "credentials", "", 2*time.Second, func(context.Context) (string, error) {
		var buckets []string
		if p.place.bucket != "" {
			buckets = append(buckets, p.place.bucket)
		}
		var err error
		if p.service, err = a.connect(p.cmd, buckets...); err != nil {
			return "", err
		}
		if p.service.dir != "" {
			return "those of the embedded server", nil
		}
		_, origin := a.whoAsks(ctx)
		return origin, nil
	})
	if p.service == nil {
		return p.end(ctx)
	}
	defer func() { err = errors.Join(err, p.service.close()) }()
	endpoint := p.bucket().Client().Endpoint()
	through, err := p.locate(endpoint)
	if err != nil {
		return err
	}
	p.step(ctx, "dns", "", 500*time.Millisecond, func(ctx context.Context) (string, error) { return p.resolve(ctx, through) })
	p.step(ctx, "tcp", "dns", 500*time.Millisecond, p.dial)
	if p.secure && through == "" {
		p.step(ctx, "tls", "tcp", time.Second, p.handshake)
	}
	if p.conn != nil {
		p.conn.Close()
	}
	p.step(ctx, "clock", "", 2*time.Second, func(ctx context.Context) (string, error) { return p.clock(ctx, endpoint) })
	p.requests(ctx)
	return p.end(ctx)
}

// bucket is the bucket that is asked for; without one it leads to the service.
func (p *probe) bucket() *oss.Bucket {
	return p.service.bucket(place{bucket: cmp.Or(p.place.bucket, "none")})
}

// locate finds out whom to connect to: the service, or a proxy before it.
func (p *probe) locate(endpoint string) (through string, err error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", err
	}
	p.secure, p.host, p.port = u.Scheme == "https", u.Hostname(), u.Port()
	_, notIP := netip.ParseAddr(p.host)
	style := p.app.target(p.place.bucket).addressing
	if p.place.bucket != "" && notIP != nil && (style == "virtual" || style == "" && p.host != "localhost") {
		p.host = p.place.bucket + "." + p.host
	}
	if p.port == "" {
		p.port = map[bool]string{true: "443", false: "80"}[p.secure]
	}
	session, err := p.app.session()
	if err != nil {
		return "", err
	}
	find := session.Proxy
	if find == nil {
		find = http.ProxyFromEnvironment
	}
	proxy, err := find(&http.Request{URL: u})
	if err != nil {
		return "", &usageError{message: "the proxy of the environment is no URL"}
	}
	if proxy == nil {
		return "", nil
	}
	p.host, p.port = proxy.Hostname(), cmp.Or(proxy.Port(), map[string]string{"https": "443", "socks5": "1080"}[proxy.Scheme], "80")
	return "the proxy ", nil
}

func (p *probe) resolve(ctx context.Context, through string) (string, error) {
	if _, err := netip.ParseAddr(p.host); err == nil {
		p.addresses = []string{p.host}
		return through + p.host + " is an address", nil
	}
	var err error
	if p.addresses, err = net.DefaultResolver.LookupHost(ctx, p.host); err != nil {
		return "", &oss.TransportError{Operation: "dns", Err: err}
	}
	return through + p.host + " is " + strings.Join(p.addresses[:min(len(p.addresses), 4)], ", "), nil
}

func (p *probe) dial(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(time.Duration(p.app.flags.connectTimeout), oss.DefaultConnectTimeout))
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(p.host, p.port))
	if err != nil {
		return "", &oss.TransportError{Operation: "tcp", Err: err}
	}
	p.conn = conn
	return "connected to " + conn.RemoteAddr().String(), nil
}

func (p *probe) handshake(ctx context.Context) (string, error) {
	conn := tls.Client(p.conn, &tls.Config{ServerName: p.host, InsecureSkipVerify: p.app.flags.skipVerify}) //nolint:gosec // if so asked
	if err := conn.HandshakeContext(ctx); err != nil {
		return "", &oss.TransportError{Operation: "tls", Err: err}
	}
	state := conn.ConnectionState()
	cert := state.PeerCertificates[0]
	return fmt.Sprintf("%s, certificate of %s by %s until %s", tls.VersionName(state.Version), oneLine(cmp.Or(cert.Subject.CommonName, strings.Join(cert.DNSNames, " "))),
		oneLine(cert.Issuer.CommonName), cert.NotAfter.Format(time.DateOnly)), nil
}

// Bounds of the clock's error. The service allows 15 minutes (OSS, "Signature
// version 4").
const (
	clockWarns = time.Minute
	clockFails = 15 * time.Minute
)

// clock compares clocks by the Date of any answer, with half the way there and
// back taken off.
func (p *probe) clock(ctx context.Context, endpoint string) (string, error) {
	session, err := p.app.session()
	if err != nil {
		return "", err
	}
	client := oss.NewSession(session)
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, endpoint+"/", nil)
	if err != nil {
		return "", err
	}
	began := time.Now()
	resp, err := client.Transport.RoundTrip(req)
	if err != nil {
		return "", &oss.TransportError{Operation: "clock", Err: err}
	}
	resp.Body.Close()
	there, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return "the service tells no time", nil
	}
	here := began.Add(time.Since(began) / 2)
	off := here.Sub(there).Round(time.Second)
	switch {
	case off.Abs() > clockFails:
		return "", &clockError{off}
	case off.Abs() > clockWarns:
		return "off by " + off.String() + "; " + clockAdvice, nil
	}
	return "right to " + max(off.Abs(), time.Second).String(), nil
}

const clockAdvice = "set it, and keep it right with NTP (timedatectl set-ntp true)"

// clockError says that the clock is too wrong for requests to be taken.
type clockError struct{ off time.Duration }

func (e *clockError) Error() string {
	return fmt.Sprintf("this machine's clock is off by %s, more than the service allows", e.off)
}

// requests are the steps that are signed.
func (p *probe) requests(ctx context.Context) {
	if p.place.bucket == "" {
		p.step(ctx, "sign", "tcp", 2*time.Second, func(ctx context.Context) (string, error) {
			r, err := p.service.client.ListBuckets(ctx, &oss.ListBucketsOptions{MaxKeys: 100})
			if err != nil {
				return "", err
			}
			more := ""
			if r.IsTruncated {
				more = " or more"
			}
			return fmt.Sprintf("the service takes the signature; %s%s", number(int64(len(r.Buckets)), "bucket"), more), nil
		})
		return
	}
	b := p.bucket()
	p.step(ctx, "sign", "tcp", 2*time.Second, func(ctx context.Context) (string, error) {
		info, err := b.GetBucketInfo(ctx)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("the service takes the signature; the bucket is in %s, %s", oneLine(info.Location), oneLine(info.StorageClass)), nil
	})
	p.step(ctx, "list", "tcp", 2*time.Second, func(ctx context.Context) (string, error) {
		r, err := b.ListObjectsV2(ctx, &oss.ListObjectsV2Options{Prefix: p.place.key, MaxKeys: 10})
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%s on the first page of at most 10", number(int64(len(r.Objects)), "object")), nil
	})
	var unique [8]byte
	rand.Read(unique[:]) //nolint:errcheck // never fails
	key, data := p.place.key+".osssync-probe-"+hex.EncodeToString(unique[:]), bytes.Repeat([]byte("osssync "), 128)
	p.step(ctx, "put", "tcp", 2*time.Second, func(ctx context.Context) (string, error) {
		_, err := b.PutObject(ctx, key, bytes.NewReader(data), nil)
		return fmt.Sprintf("%s as %s", size(int64(len(data))), printable(key)), err
	})
	p.step(ctx, "get", "put", 2*time.Second, func(ctx context.Context) (string, error) {
		r, err := b.GetObject(ctx, key, nil)
		if err != nil {
			return "", err
		}
		defer r.Body.Close()
		have, err := io.ReadAll(io.LimitReader(r.Body, int64(len(data))+1))
		if err == nil && !bytes.Equal(have, data) {
			err = fmt.Errorf("what came back is not what was sent: %w", oss.ErrIntegrity)
		}
		return "came back as it was sent", err
	})
	// Whatever became of the put, and of ctx.
	p.step(context.WithoutCancel(ctx), "delete", "tcp", 2*time.Second, func(ctx context.Context) (string, error) {
		_, err := b.DeleteObject(ctx, key, nil)
		return "what was put is gone", err
	})
}

// step runs one step, unless the one it needs has failed, and prints it.
func (p *probe) step(ctx context.Context, name, needs string, slow time.Duration, fn func(context.Context) (string, error)) {
	line := probeLine{V: jsonVersion, Type: "step", Step: name, Result: "ok"}
	var err error
	began := time.Now()
	switch {
	case ctx.Err() != nil:
		return
	case needs != "" && !p.tasks[needs]:
		line.Result, line.Detail = "skipped", needs+" failed"
		p.sum.Skipped++
	default:
		limited, cancel := context.WithTimeout(ctx, probeTime)
		line.Detail, err = fn(limited)
		cancel()
	}
	line.Seconds = time.Since(began).Seconds()
	switch {
	case err != nil:
		line.Result, line.Detail, line.Error, line.Hint = "failed", "", err.Error(), probeHint(err)
		p.sum.Failed++
		p.first = cmp.Or(p.first, err)
	case line.Result == "skipped":
	case time.Since(began) > slow:
		line.Result, line.Hint = "slow", slowHints[name]
		p.sum.Slow++
		p.tasks[name] = true
	default:
		p.sum.OK++
		p.tasks[name] = true
	}
	p.print(line)
}

func (p *probe) print(l probeLine) {
	a := p.app
	if a.flags.json {
		a.emit(l)
		return
	}
	text := fmt.Sprintf("%-12s %-8s %9s  %s", l.Step, l.Result, elapsed(time.Duration(l.Seconds*float64(time.Second))), oneLine(l.Detail+l.Error))
	if l.Hint != "" {
		text += "\n" + strings.Repeat(" ", 33) + l.Hint
	}
	fmt.Fprintln(a.stdout, text) //nolint:errcheck // a reader that left stops nothing
}

// slowHints say what a slow step means.
var slowHints = map[string]string{
	"credentials": "the source of the credentials is slow: the STS, the machine's metadata, or the program that is asked",
	"dns":         "the name server is slow: use another one, or a local cache",
	"tcp":         "the service is far away or the way is crowded: use an endpoint of a nearer region, or an accelerate endpoint",
	"tls":         "the handshake is slow: something between inspects it, or this machine is busy",
	"clock":       "the service, or a proxy, is slow to answer",
	"sign":        "the service is slow to answer",
	"list":        "listings are slow: the prefix holds very many deleted versions, or the service is busy",
	"put":         "small writes are slow: more requests at once help (-j)",
	"get":         "small reads are slow: more requests at once help (-j)",
	"delete":      "the service is slow to answer",
}

func probeHint(err error) string {
	if _, ok := errors.AsType[*clockError](err); ok {
		return clockAdvice
	}
	return strings.TrimSuffix(hintFor(err), "; "+seeProbe)
}

// probeError carries the first failure to the exit code.
type probeError struct {
	failed int
	err    error
}

func (e *probeError) Error() string {
	return fmt.Sprintf("%s failed, the first: %s", number(int64(e.failed), "step"), e.err)
}

func (e *probeError) Unwrap() error { return e.err }

func (p *probe) end(ctx context.Context) error {
	a := p.app
	var err error
	if p.first != nil {
		err = &probeError{failed: p.sum.Failed, err: p.first}
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if p.sum.ExitCode = exitCode(err); a.flags.json {
		p.sum.V, p.sum.Type = jsonVersion, "summary"
		a.emit(p.sum)
	}
	if err == nil && !a.flags.onlyErrors && !a.flags.json {
		if p.sum.Slow > 0 {
			a.printf("it works, but %s slow", map[bool]string{true: "one step is", false: fmt.Sprintf("%d steps are", p.sum.Slow)}[p.sum.Slow == 1])
		} else {
			a.printf("all is well")
		}
	}
	return err
}
