package main

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"time"
)

// A clock that is wrong is found without a signature, and by how much.
func TestProbeClock(t *testing.T) {
	newService(t)
	for _, test := range []struct {
		off  time.Duration
		want string
	}{
		{0, `(?m)^clock +(ok|slow) .*right to [123]s`},
		{-5 * time.Minute, `(?m)^clock +(ok|slow) .*off by (5m0s|4m59s|5m1s); set it`},
		{20 * time.Minute, `(?m)^clock +failed .*off by -(20m0s|19m59s|20m1s), more than`},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(test.off).UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusForbidden)
		}))
		_, stdout, _ := command(t.Context(), "probe", "-e", server.URL)
		server.Close()
		if !regexp.MustCompile(test.want).MatchString(stdout) {
			t.Errorf("off by %s:\n%s", test.off, stdout)
		}
	}
}
