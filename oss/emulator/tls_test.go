package emulator_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss/emulator"
)

// trusting returns a client that trusts only the authority in file, and finds
// every name at addr.
func trusting(t *testing.T, file, addr string) *http.Client {
	t.Helper()
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, addr)
	}
	hc := &http.Client{Transport: &http.Transport{DialContext: dial, TLSClientConfig: trustedBy(t, file)}}
	t.Cleanup(hc.CloseIdleConnections)
	return hc
}

// trustedBy trusts the authority in file alone.
func trustedBy(t testing.TB, file string) *tls.Config {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatal("no certificate in the file")
	}
	return &tls.Config{RootCAs: pool}
}

func getPage(t *testing.T, hc *http.Client, url string, sign bool) (*answer, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if sign {
		signV4(r, time.Now())
	}
	res, err := hc.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return &answer{res.StatusCode, res.Header, string(b)}, err
}

func TestTLS(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	open := func(domains ...string) (*emulator.Server, string) {
		t.Helper()
		s, endpoint := start(t, &emulator.Options{TLSDir: dir, Domains: domains, CNAMEs: map[string]string{"www.shop.test": testBucket}})
		if !strings.HasPrefix(endpoint, "https://127.0.0.1:") || s.CAFile() != filepath.Join(dir, "ca.pem") {
			t.Fatalf("endpoint %s, authority %s", endpoint, s.CAFile())
		}
		return s, strings.TrimPrefix(endpoint, "https://")
	}
	s, addr := open()
	hc := trusting(t, s.CAFile(), addr)
	for _, host := range []string{addr, "localhost", testBucket + ".localhost", "WWW.shop.test", "oss.test"} {
		_, err := getPage(t, hc, "https://"+host+"/", false)
		if ok := host != "oss.test"; ok != (err == nil) {
			t.Errorf("%s: %v", host, err)
		}
	}
	before, err := os.ReadFile(s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	// The same names: the same authority. A new name: a new one.
	s, addr = open()
	if a, err := getPage(t, trustingPEM(t, before, addr), "https://"+addr+"/", false); err != nil || a.status != 403 {
		t.Errorf("%v, %v", a, err)
	}
	_, addr = open("oss.test")
	if _, err := getPage(t, trusting(t, s.CAFile(), addr), "https://"+testBucket+".oss.test/", false); err != nil {
		t.Error(err)
	}
}

// trustingPEM trusts the authority whose PEM is given.
func trustingPEM(t *testing.T, text []byte, addr string) *http.Client {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return trusting(t, file, addr)
}

// TestTLSAuthority: trusting it gives nothing but this server away.
func TestTLSAuthority(t *testing.T) {
	dir := t.TempDir()
	start(t, &emulator.Options{TLSDir: dir})
	text, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if !ca.IsCA || !ca.PermittedDNSDomainsCritical || strings.Join(ca.PermittedDNSDomains, " ") != "localhost" || len(ca.PermittedIPRanges) != 2 {
		t.Errorf("%v %v", ca.PermittedDNSDomains, ca.PermittedIPRanges)
	}
	info, err := os.Stat(filepath.Join(dir, "ca-key.pem"))
	if err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("%v, %v", entries, err)
	}
}

// TestTLSForeignFiles: an authority that is not the server's is left alone.
func TestTLSForeignFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ca-key.pem"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := emulator.Open(&emulator.Options{TLSDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if endpoint, err := s.Start("127.0.0.1:0"); err == nil {
		t.Errorf("serves at %s", endpoint)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "ca.pem")); err != nil || string(text) != "mine" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestNames(t *testing.T) {
	opts := &emulator.Options{
		Domains: []string{"oss.test", "Odd-Name."}, CNAMEs: map[string]string{"www.shop.test": testBucket},
	}
	c := newClientOptions(t, opts)
	if err := c.h.(*emulator.Server).CreateBucket("oss-odd"); err != nil {
		t.Fatal(err)
	}
	c.put("a/b", "x")
	for _, tc := range []struct{ host, path string }{
		{"127.0.0.1", "/" + testBucket + "/a/b"},
		{"[::1]:80", "/" + testBucket + "/a/b"},
		{"localhost:6770", "/" + testBucket + "/a/b"},
		{testBucket + ".localhost:6770", "/a/b"},
		{"oss.test", "/" + testBucket + "/a/b"},
		{"OSS.test.:80", "/" + testBucket + "/a/b"},
		{testBucket + ".oss.test", "/a/b"},
		{testBucket + ".odd-name:80", "/a/b"},
		{"odd-name:80", "/" + testBucket + "/a/b"},
		{"www.shop.test", "/a/b"},
		{"WWW.shop.test:443", "/a/b"},
		{testBucket + ".oss-cn-hangzhou.aliyuncs.com", "/a/b"},
		{"oss-cn-hangzhou.aliyuncs.com", "/" + testBucket + "/a/b"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://127.0.0.1/"+testBucket+"/a/b", nil)
		if err != nil {
			t.Fatal(err)
		}
		signV4(r, c.now) // the resource is the same, whatever the address
		r.Host, r.URL.Path = tc.host, tc.path
		if a := c.send(r); a.status != 200 || a.body != "x" {
			t.Errorf("%s%s: %d %s", tc.host, tc.path, a.status, a.body)
		}
	}
	for _, bad := range []*emulator.Options{
		{Domains: []string{""}},
		{Domains: []string{"a b"}},
		{Domains: []string{"127.0.0.1"}},
		{Domains: []string{"a:80"}},
		{Domains: []string{".a"}},
		{CNAMEs: map[string]string{"a..b": testBucket}},
		{CNAMEs: map[string]string{"a.b": "B"}},
	} {
		if s, err := emulator.Open(bad); err == nil {
			_ = s.Close()
			t.Errorf("%v %v is taken", bad.Domains, bad.CNAMEs)
		}
	}
}

// TestBoundName: a name that PutCname binds is the bucket's.
func TestBoundName(t *testing.T) {
	c := newClient(t)
	c.put("www", "x")
	at := func(host string) *answer {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://127.0.0.1/"+testBucket+"/www", nil)
		if err != nil {
			t.Fatal(err)
		}
		signV4(r, c.now)
		r.Host, r.URL.Path = host, "/www"
		return c.send(r)
	}
	c.want(at("www.shop.test"), 404, "NoSuchBucket")
	const doc = "<BucketCnameConfiguration><Cname><Domain>www.shop.test</Domain></Cname></BucketCnameConfiguration>"
	c.want(c.do("POST", target(testBucket, "", "cname&comp=add"), doc), 200, "")
	if a := c.want(at("www.shop.test:80"), 200, ""); a.body != "x" {
		t.Error(a.body)
	}
	c.want(c.do("POST", target(testBucket, "", "cname&comp=delete"), doc), 200, "")
	c.want(at("www.shop.test"), 404, "NoSuchBucket")
}

func TestIPv6(t *testing.T) {
	s, err := emulator.Open(&emulator.Options{AccessKeyID: testID, AccessKeySecret: testSecret, TLSDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.CreateBucket(testBucket); err != nil {
		t.Fatal(err)
	}
	endpoint, err := s.Start("[::1]:0")
	if err != nil {
		t.Logf("this machine has no IPv6: %v", err)
		return
	}
	a, err := getPage(t, trusting(t, s.CAFile(), strings.TrimPrefix(endpoint, "https://")), endpoint+"/"+testBucket+"/", true)
	if err != nil || a.status != 200 || !strings.HasPrefix(endpoint, "https://[::1]:") {
		t.Errorf("%s: %+v, %v", endpoint, a, err)
	}
}
