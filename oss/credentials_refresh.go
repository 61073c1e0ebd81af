package oss

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// RefreshingCredentials keeps what source gives and asks it again ahead of the
// end: in the last 15 % of the time the credentials hold, and at least 5
// minutes, but never in the first half. One caller asks while the others go on
// with what there is; without any that is valid they wait for that one and share
// what it gets. A refresh that fails, or gives the same again, is repeated after
// 30 s while the credentials still hold.
//
// The result has a method Invalidate, by which a Client makes it ask at once
// after the service has refused credentials as expired.
func RefreshingCredentials(source CredentialsProvider) CredentialsProvider {
	return &refresher{source: source, now: time.Now}
}

const (
	refreshLead  = 5 * time.Minute
	refreshPause = 30 * time.Second
)

// invalidator is a provider that can be told of credentials that were refused.
type invalidator interface{ Invalidate(refused Credentials) }

// refresher has no goroutine: whoever needs credentials asks for them.
type refresher struct {
	source CredentialsProvider
	now    func() time.Time

	mu      sync.Mutex
	creds   Credentials
	have    bool
	renewAt time.Time // zero: never
	only    time.Time // until then the source has nothing but creds, refused or not
	asking  *refresh  // nil: nobody asks
}

// refresh is one question to the source, for all who wait.
type refresh struct {
	done  chan struct{} // closed when the rest holds
	creds Credentials
	err   error
	ended bool // it was given up by the one who asked, which says nothing
}

// Credentials gives credentials that hold.
func (r *refresher) Credentials(ctx context.Context) (Credentials, error) {
	for {
		r.mu.Lock()
		now := r.now()
		valid := r.have && !r.creds.endedAt(now)
		due := !valid || !r.renewAt.IsZero() && !now.Before(r.renewAt)
		creds, asking := r.creds, r.asking
		if valid && (!due || asking != nil) {
			r.mu.Unlock()
			return creds, nil
		}
		if asking == nil {
			r.asking = &refresh{done: make(chan struct{})}
			r.mu.Unlock()
			return r.ask(ctx, creds, valid)
		}
		r.mu.Unlock()
		select {
		case <-asking.done:
			if !asking.ended {
				return asking.creds, asking.err
			}
		case <-ctx.Done():
			return Credentials{}, context.Cause(ctx)
		}
	}
}

func (c *Credentials) endedAt(now time.Time) bool {
	return !c.Expires.IsZero() && !now.Before(c.Expires)
}

// ask renews, for all who wait. Until a failure matters the old credentials go
// on.
func (r *refresher) ask(ctx context.Context, old Credentials, valid bool) (creds Credentials, err error) {
	err = errors.New("the source of credentials panicked") // unless it returns
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		now := r.now()
		if err == nil && creds.endedAt(now) {
			creds, err = Credentials{}, fmt.Errorf("the source gave credentials that ended at %s", creds.Expires.UTC().Format(time.RFC3339))
		}
		switch {
		case err == nil && creds != old:
			r.creds, r.have, r.renewAt, r.only = creds, true, renewal(now, creds.Expires), time.Time{}
		case err == nil:
			r.have, r.renewAt = true, now.Add(refreshPause)
			r.only = r.renewAt
		case valid:
			creds, err = old, nil
			r.renewAt = now.Add(refreshPause)
		}
		a := r.asking
		a.creds, a.err, a.ended = creds, err, err != nil && ctx.Err() != nil
		close(a.done)
		r.asking = nil
	}()
	return r.source.Credentials(ctx)
}

// renewal is when credentials that hold until expires are due, if they were
// given now.
func renewal(now, expires time.Time) time.Time {
	if expires.IsZero() {
		return time.Time{}
	}
	lifetime := expires.Sub(now)
	lead := min(max(lifetime*15/100, refreshLead), lifetime/2)
	return expires.Add(-lead)
}

// Invalidate makes the next call ask again, if refused are still the
// credentials at hand and the source may have others.
func (r *refresher) Invalidate(refused Credentials) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.creds == refused && !r.now().Before(r.only) {
		r.have = false
	}
}

// ChainedCredentials gives the credentials of the first of several providers
// that has any, and stays with it. If none has, the error holds all reasons.
func ChainedCredentials(providers ...CredentialsProvider) CredentialsProvider {
	return &chain{providers: providers}
}

type chain struct {
	providers []CredentialsProvider

	mu     sync.Mutex
	chosen CredentialsProvider
}

// Credentials gives those of the provider that was found.
func (c *chain) Credentials(ctx context.Context) (Credentials, error) {
	c.mu.Lock()
	chosen := c.chosen
	c.mu.Unlock()
	if chosen != nil {
		return chosen.Credentials(ctx)
	}
	var reasons []error
	for _, p := range c.providers {
		creds, err := p.Credentials(ctx)
		if err == nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.chosen = p
			return creds, nil
		}
		if ctx.Err() != nil {
			return Credentials{}, context.Cause(ctx)
		}
		reasons = append(reasons, err)
	}
	return Credentials{}, &noCredentialsError{reasons}
}

// Invalidate passes on to the provider that was found.
func (c *chain) Invalidate(refused Credentials) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.chosen.(invalidator); ok {
		p.Invalidate(refused)
	}
}

type noCredentialsError struct{ reasons []error }

func (e *noCredentialsError) Error() string {
	var text strings.Builder
	text.WriteString("no provider has credentials")
	for _, err := range e.reasons {
		text.WriteString("; " + err.Error())
	}
	return text.String()
}

func (e *noCredentialsError) Unwrap() []error { return e.reasons }

// DefaultCredentials looks where users of the vendor's tools have theirs: in
// the environment (EnvironmentCredentials, then ALIBABA_CLOUD_ACCESS_KEY_ID and
// so on), a role by OIDC (OIDCCredentials), ossutil's configuration file, and
// the role of an ECS machine if ALIBABA_CLOUD_ECS_METADATA names it.
func DefaultCredentials() CredentialsProvider {
	return ChainedCredentials(
		EnvironmentCredentials(), cloudEnvironment(), OIDCCredentials(nil), ConfigFileCredentials("", ""), ecsFromEnvironment(),
	)
}
