package osstest

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Rule is a fault and when it happens. The zero value of a condition does not
// restrict; conditions are joined by "and". A rule is written
//
//	KIND [=VALUE] [on=OPERATION] [key=PATTERN] [nth=N] [every=N] [max=N] [prob=P]
//
// for example "503 on=UploadPart nth=3" or "latency=50ms prob=0.1". Kinds:
//
//	500, 503 ...    answer with that status, the server sees nothing
//	refuse          fail before anything is sent
//	broken[=N]      break the connection after N bytes of the request's body
//	lost            let the server do it, then lose the answer
//	cut[=N]         break the connection after N bytes of the answer's body
//	flip[=N]        invert byte N of the answer's body
//	flipsend[=N]    invert byte N of the request's body
//	stall           no answer until the context ends
//	latency=D       wait for D first
type Rule struct {
	// Kind is one of the words above, or a status.
	Kind string

	// At is the byte that broken, cut and flip mean.
	At int64

	// Delay belongs to latency.
	Delay time.Duration

	// Code is the OSS error code of a status.
	Code string

	// On is an operation as Operation names it, Key a pattern of path.Match.
	On  string
	Key string

	// Nth picks one of the matching requests, Every each Nth of them, from 1.
	Nth   int
	Every int

	// Max bounds how often the rule fires.
	Max int

	// Prob is a probability.
	Prob float64
}

// ParseRule reads a rule.
func ParseRule(text string) (Rule, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return Rule{}, errors.New("osstest: an empty rule")
	}
	var r Rule
	kind, value, _ := strings.Cut(words[0], "=")
	r.Kind = kind
	if err := r.parseKind(value); err != nil {
		return Rule{}, fmt.Errorf("osstest: rule %q: %w", text, err)
	}
	for _, word := range words[1:] {
		if err := r.parseCondition(word); err != nil {
			return Rule{}, fmt.Errorf("osstest: rule %q: %w", text, err)
		}
	}
	return r, nil
}

func (r *Rule) parseKind(value string) (err error) {
	switch r.Kind {
	case "refuse", "lost", "stall":
		if value != "" {
			return errors.New(r.Kind + " takes no value")
		}
	case "broken", "cut", "flip", "flipsend":
		if value != "" {
			if r.At, err = strconv.ParseInt(value, 10, 64); err == nil && r.At < 0 {
				err = errors.New("a negative offset")
			}
		}
	case "latency":
		r.Delay, err = time.ParseDuration(value)
	default:
		status, numErr := strconv.Atoi(r.Kind)
		if numErr != nil || status < 300 || status > 599 {
			return errors.New("no such kind of fault")
		}
		r.Code = value
	}
	return err
}

func (r *Rule) parseCondition(word string) (err error) {
	name, value, ok := strings.Cut(word, "=")
	if !ok || value == "" {
		return fmt.Errorf("want name=value, not %q", word)
	}
	switch name {
	case "on":
		r.On = value
	case "key":
		r.Key = value
		_, err = path.Match(value, "")
	case "nth":
		r.Nth, err = strconv.Atoi(value)
	case "every":
		r.Every, err = strconv.Atoi(value)
	case "max":
		r.Max, err = strconv.Atoi(value)
	case "prob":
		r.Prob, err = strconv.ParseFloat(value, 64)
	default:
		return fmt.Errorf("no such condition: %s", name)
	}
	if err == nil && (r.Nth < 0 || r.Every < 0 || r.Max < 0 || r.Prob < 0 || r.Prob > 1) {
		err = fmt.Errorf("%s is out of range", name)
	}
	return err
}

// String writes the form ParseRule reads.
func (r Rule) String() string {
	var s strings.Builder
	s.WriteString(r.Kind)
	switch {
	case r.Kind == "latency":
		s.WriteString("=" + r.Delay.String())
	case r.Code != "":
		s.WriteString("=" + r.Code)
	case r.At != 0:
		s.WriteString("=" + strconv.FormatInt(r.At, 10))
	}
	for _, c := range []struct{ name, value string }{
		{"on", r.On},
		{"key", r.Key},
		{"nth", number(r.Nth)},
		{"every", number(r.Every)},
		{"max", number(r.Max)},
	} {
		if c.value != "" {
			s.WriteString(" " + c.name + "=" + c.value)
		}
	}
	if r.Prob != 0 {
		s.WriteString(" prob=" + strconv.FormatFloat(r.Prob, 'g', -1, 64))
	}
	return s.String()
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// Faults is a transport that fails by rules. The first rule that fires decides,
// but for latency, after which the next ones are looked at. It is safe for
// concurrent use; with prob the order of concurrent requests decides which of
// them fail.
type Faults struct {
	next http.RoundTripper

	mu    sync.Mutex
	rand  *rand.Rand
	rules []ruleState
}

type ruleState struct {
	Rule
	matched  int // requests
	fired    int // of them chosen
	happened int // of those that had the byte to spoil, or needed none
}

// NewFaults puts faults before next. seed is that of prob. A rule that cannot
// be read ends the test.
func NewFaults(t testing.TB, next http.RoundTripper, seed uint64, rules ...string) *Faults {
	t.Helper()
	f := &Faults{next: next, rand: rand.New(rand.NewPCG(seed, seed))}
	for _, text := range rules {
		r, err := ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		f.rules = append(f.rules, ruleState{Rule: r})
	}
	return f
}

// Check fails the test if a fault never happened: such a test proves nothing. A
// body too short for the byte to cut or flip is no fault.
func (f *Faults) Check(t testing.TB) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		if r.happened == 0 {
			t.Errorf("osstest: the fault %q never happened (%d requests matched)", r.String(), r.matched)
		}
	}
}

// Happened is how often each fault happened, in the order of the rules.
func (f *Faults) Happened() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := make([]int, len(f.rules))
	for i, r := range f.rules {
		n[i] = r.happened
	}
	return n
}

// CloseIdleConnections passes the call on.
func (f *Faults) CloseIdleConnections() {
	if t, ok := f.next.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// choose gives the fault of a request, and how long to wait before.
func (f *Faults) choose(op, key string) (rule *ruleState, wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.rules {
		r := &f.rules[i]
		if !r.fires(op, key, f.rand) {
			continue
		}
		r.fired++
		switch r.Kind {
		case "latency":
			r.happened++
			wait += r.Delay
			continue
		case "cut", "flip", "flipsend", "broken":
		default:
			r.happened++
		}
		return r, wait
	}
	return nil, wait
}

func (r *ruleState) fires(op, key string, random *rand.Rand) bool {
	if r.On != "" && r.On != op {
		return false
	}
	if r.Key != "" {
		if ok, err := path.Match(r.Key, key); err != nil || !ok {
			return false
		}
	}
	r.matched++
	switch {
	case r.Nth > 0 && r.matched != r.Nth,
		r.Every > 0 && r.matched%r.Every != 0,
		r.Max > 0 && r.fired >= r.Max,
		r.Prob > 0 && random.Float64() >= r.Prob:
		return false
	}
	return true
}

var errReset = fmt.Errorf("osstest: %w", syscall.ECONNRESET)

// RoundTrip implements http.RoundTripper.
func (f *Faults) RoundTrip(req *http.Request) (*http.Response, error) {
	rule, wait := f.choose(Operation(req))
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-req.Context().Done():
			closeBody(req)
			return nil, req.Context().Err()
		}
	}
	if rule == nil {
		return f.next.RoundTrip(req)
	}
	switch rule.Kind {
	case "refuse":
		closeBody(req)
		return nil, errReset
	case "stall":
		<-req.Context().Done()
		closeBody(req)
		return nil, req.Context().Err()
	case "lost":
		resp, err := f.next.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		io.Copy(io.Discard, resp.Body) //nolint:errcheck // the answer is lost anyway
		resp.Body.Close()
		return nil, errReset
	case "broken", "flipsend":
		if req.Body != nil && req.Body != http.NoBody {
			body := req.Body
			req = req.Clone(req.Context())
			req.Body = f.spoil(body, rule)
		}
		return f.next.RoundTrip(req)
	case "cut", "flip":
		resp, err := f.next.RoundTrip(req)
		if err == nil {
			resp.Body = f.spoil(resp.Body, rule)
		}
		return resp, err
	}
	return rule.answer(req), nil
}

// spoil puts rule over a body, and notes when it comes true.
func (f *Faults) spoil(src io.ReadCloser, rule *ruleState) io.ReadCloser {
	return &spoiltBody{src: src, rule: &rule.Rule, happen: sync.OnceFunc(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		rule.happened++
	})}
}

// answer is the status of r as the service would say it.
func (r *Rule) answer(req *http.Request) *http.Response {
	if req.Body != nil {
		io.Copy(io.Discard, req.Body) //nolint:errcheck // a server reads what it refuses
		req.Body.Close()
	}
	status, _ := strconv.Atoi(r.Kind) //nolint:errcheck // parseKind saw to it
	code := r.Code
	if code == "" {
		code = map[int]string{500: "InternalError", 503: "ServiceUnavailable", 403: "AccessDenied", 404: "NoSuchKey", 412: "PreconditionFailed"}[status]
	}
	body := "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>a fault of the test</Message>" +
		"<RequestId>0123456789ABCDEF01234567</RequestId></Error>"
	if req.Method == http.MethodHead {
		body = ""
	}
	return &http.Response{
		Status: r.Kind + " " + http.StatusText(status), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"X-Oss-Request-Id": {"0123456789ABCDEF01234567"}, "Content-Type": {"application/xml"}},
		ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)), Request: req,
	}
}

// spoiltBody cuts or changes a body.
type spoiltBody struct {
	src  io.ReadCloser
	rule *Rule
	n    int64

	happen func()
}

func (b *spoiltBody) Read(p []byte) (int, error) {
	breaks := b.rule.Kind == "cut" || b.rule.Kind == "broken"
	if breaks {
		if b.n >= b.rule.At {
			b.happen()
			return 0, errReset
		}
		p = p[:min(int64(len(p)), b.rule.At-b.n)]
	}
	n, err := b.src.Read(p)
	if i := b.rule.At - b.n; !breaks && i >= 0 && i < int64(n) {
		p[i] ^= 0xff
		b.happen()
	}
	b.n += int64(n)
	return n, err
}

func (b *spoiltBody) Close() error { return b.src.Close() }
