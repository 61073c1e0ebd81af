package oss_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss"
)

func TestCredentialsPrintRedacted(t *testing.T) {
	c := oss.Credentials{AccessKeyID: "IDIDID", AccessKeySecret: "SECRET", SecurityToken: "TOKEN"}
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("x", "a", c, "b", &c, "c", struct{ C oss.Credentials }{c})
	text, err := json.Marshal(map[string]any{"a": c, "b": &c})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{
		c.String(), c.GoString(), log.String(), string(text),
		fmt.Sprintf("%v %+v %#v %s %q %x %d", c, c, c, c, c, c, c),
		fmt.Sprintf("%v %+v %#v", &c, []oss.Credentials{c}, struct{ C *oss.Credentials }{&c}),
	} {
		for _, secret := range []string{"SECRET", "TOKEN", "IDIDID", fmt.Sprintf("%x", "SECRET")} {
			if strings.Contains(s, secret) {
				t.Errorf("%s in %s", secret, s)
			}
		}
	}
}

func TestEnvironmentCredentials(t *testing.T) {
	set := func(id, secret, token string) {
		t.Setenv("OSS_ACCESS_KEY_ID", id)
		t.Setenv("OSS_ACCESS_KEY_SECRET", secret)
		t.Setenv("OSS_SESSION_TOKEN", token)
	}
	p := oss.EnvironmentCredentials()
	set("a", "b", "")
	if c, err := p.Credentials(t.Context()); err != nil || c.AccessKeyID != "a" || c.AccessKeySecret != "b" || c.SecurityToken != "" {
		t.Errorf("%v", err)
	}
	set("c", "d", "e") // read anew
	if c, err := p.Credentials(t.Context()); err != nil || c.AccessKeyID != "c" || c.SecurityToken != "e" {
		t.Errorf("%v", err)
	}
	for _, missing := range []string{"OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET"} {
		set("a", "b", "")
		t.Setenv(missing, "")
		if _, err := p.Credentials(t.Context()); err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("without %s: %v", missing, err)
		}
	}
}

func TestWrongCredentials(t *testing.T) {
	for _, c := range []oss.Credentials{
		{AccessKeyID: "id", AccessKeySecret: "SECRET\n"},
		{AccessKeyID: "id ", AccessKeySecret: "SECRET"},
		{AccessKeyID: "id", AccessKeySecret: "SECRET", SecurityToken: "SECRET\r\nX: y"},
		{AccessKeyID: "id"},
		{AccessKeySecret: "SECRET"},
	} {
		p := oss.CredentialsFunc(func(context.Context) (oss.Credentials, error) { return c, nil })
		client, err := oss.New("oss.example.com", p, &oss.Options{HTTPClient: &http.Client{Transport: refuse(t)}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Bucket("bucket").HeadObject(t.Context(), "key", nil)
		if _, ok := errors.AsType[*oss.UsageError](err); !ok || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("got %v", err)
		}
	}
}

func TestFailingProvider(t *testing.T) {
	cause := errors.New("metadata service is down")
	p := oss.CredentialsFunc(func(context.Context) (oss.Credentials, error) { return oss.Credentials{}, cause })
	client, err := oss.New("oss.example.com", p, &oss.Options{HTTPClient: &http.Client{Transport: refuse(t)}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Bucket("bucket").HeadObject(t.Context(), "key", nil)
	if _, ok := errors.AsType[*oss.CredentialsError](err); !ok || !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

func TestAnonymousIsUnsigned(t *testing.T) {
	client, err := oss.New("oss.example.com", oss.AnonymousCredentials(), &oss.Options{
		HTTPClient: &http.Client{Transport: answerer(func(r *http.Request) (*http.Response, error) {
			for _, name := range []string{"Authorization", "X-Oss-Date", "Date", "X-Oss-Security-Token"} {
				if r.Header.Get(name) != "" {
					t.Errorf("header %s was sent", name)
				}
			}
			return answer(200, ""), nil
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Bucket("bucket").HeadObject(t.Context(), "key", nil); err != nil {
		t.Error(err)
	}
}
