package oss_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/osssync/osssync/oss"
)

// issue makes credentials that hold for an hour and count up.
func issue(n *atomic.Int32, fail *atomic.Bool) oss.CredentialsProvider {
	return oss.CredentialsFunc(func(context.Context) (oss.Credentials, error) {
		i := n.Add(1)
		if fail.Load() {
			return oss.Credentials{}, errors.New("no answer")
		}
		return oss.Credentials{AccessKeyID: fmt.Sprint("id", i), AccessKeySecret: "s", Expires: time.Now().Add(time.Hour)}, nil
	})
}

func TestRefreshingCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int32
		var fail atomic.Bool
		p := oss.RefreshingCredentials(issue(&n, &fail))
		want := func(id string, asked int32) {
			t.Helper()
			c, err := p.Credentials(t.Context())
			if err != nil || c.AccessKeyID != id || n.Load() != asked {
				t.Errorf("%s, %v, asked %d times; want %s, %d", c.AccessKeyID, err, n.Load(), id, asked)
			}
		}
		want("id1", 1)
		time.Sleep(50 * time.Minute)
		want("id1", 1)
		time.Sleep(2 * time.Minute) // the last 15 %
		fail.Store(true)
		want("id1", 2) // the refresh fails: what holds goes on
		want("id1", 2)
		time.Sleep(31 * time.Second)
		want("id1", 3)
		fail.Store(false)
		time.Sleep(31 * time.Second)
		want("id4", 4)
		time.Sleep(2 * time.Hour)
		fail.Store(true)
		if _, err := p.Credentials(t.Context()); err == nil {
			t.Error("credentials that have ended are given out")
		}
		fail.Store(false)
		want("id6", 6)
		c, _ := p.Credentials(t.Context())
		p.(interface{ Invalidate(oss.Credentials) }).Invalidate(c)
		want("id7", 7)
		p.(interface{ Invalidate(oss.Credentials) }).Invalidate(c) // old news
		want("id7", 7)
	})
}

// Many who wait ask once.
func TestOneRefreshForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		p := oss.RefreshingCredentials(oss.CredentialsFunc(func(context.Context) (oss.Credentials, error) {
			asked.Add(1)
			time.Sleep(time.Second)
			return oss.Credentials{AccessKeyID: "id", AccessKeySecret: "s"}, nil
		}))
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				c := t.Context()
				if i == 50 {
					c = ctx
				}
				got, err := p.Credentials(c)
				if (err != nil || got.AccessKeyID != "id") && !errors.Is(err, context.Canceled) {
					t.Errorf("%v, %v", got.AccessKeyID, err)
				}
			})
		}
		synctest.Wait()
		cancel()
		wg.Wait()
		if n := asked.Load(); n > 2 { // 2 if the one who gave up was the one who asked
			t.Errorf("asked %d times", n)
		}
	})
}

// Many who wait share a failure, and a source that has nothing else is not asked
// for every refused request.
func TestOneFailureForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		same := oss.Credentials{AccessKeyID: "id", AccessKeySecret: "s", Expires: time.Now().Add(time.Hour)}
		err := errors.New("out of order")
		p := oss.RefreshingCredentials(oss.CredentialsFunc(func(context.Context) (oss.Credentials, error) {
			asked.Add(1)
			time.Sleep(time.Second)
			return same, err
		}))
		all := func() (failed int) {
			var wg sync.WaitGroup
			var n atomic.Int32
			for range 40 {
				wg.Go(func() {
					if _, err := p.Credentials(t.Context()); err != nil {
						n.Add(1)
					}
				})
			}
			wg.Wait()
			return int(n.Load())
		}
		if n := all(); n != 40 || asked.Load() != 1 {
			t.Errorf("%d failed, asked %d times", n, asked.Load())
		}
		err = nil
		if n := all(); n != 0 || asked.Load() != 2 {
			t.Errorf("%d failed, asked %d times", n, asked.Load())
		}
		for range 40 {
			p.(interface{ Invalidate(oss.Credentials) }).Invalidate(same)
			if n := all(); n != 0 || asked.Load() != 3 {
				t.Fatalf("%d failed, asked %d times", n, asked.Load())
			}
		}
		time.Sleep(2 * time.Hour)
		if n := all(); n != 40 || asked.Load() != 4 {
			t.Errorf("ended credentials: %d failed, asked %d times", n, asked.Load())
		}
	})
}

func TestChainedCredentials(t *testing.T) {
	none := oss.CredentialsFunc(func(context.Context) (oss.Credentials, error) { return oss.Credentials{}, errors.New("not here") })
	p := oss.ChainedCredentials(none, oss.StaticCredentials("id", "s", ""))
	if c, err := p.Credentials(t.Context()); err != nil || c.AccessKeyID != "id" {
		t.Error(err)
	}
	if _, err := oss.ChainedCredentials(none, none).Credentials(t.Context()); err == nil || strings.Count(err.Error(), "not here") != 2 {
		t.Error(err)
	}
}

const tokenJSON = `{"Code":"Success","AccessKeyId":"STS.id","AccessKeySecret":"secret","SecurityToken":"token","Expiration":"2999-01-02T03:04:05Z"}`

func checkToken(t *testing.T, p oss.CredentialsProvider) {
	t.Helper()
	c, err := p.Credentials(t.Context())
	if err != nil || c.AccessKeyID != "STS.id" || c.AccessKeySecret != "secret" || c.SecurityToken != "token" || c.Expires.Year() != 2999 {
		t.Errorf("%q %q %v %v", c.AccessKeyID, c.SecurityToken, c.Expires, err)
	}
}

func TestECSRoleCredentials(t *testing.T) {
	for _, v2 := range []bool{true, false} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token" && v2:
				fmt.Fprint(w, "metatoken")
			case r.Method == http.MethodPut:
				w.WriteHeader(404)
			case v2 && r.Header.Get("X-aliyun-ecs-metadata-token") != "metatoken":
				w.WriteHeader(403)
			case r.URL.Path == "/latest/meta-data/ram/security-credentials/":
				fmt.Fprint(w, "my role\n")
			case r.URL.Path == "/latest/meta-data/ram/security-credentials/my role":
				fmt.Fprint(w, tokenJSON)
			default:
				w.WriteHeader(404)
			}
		}))
		defer server.Close()
		checkToken(t, oss.ECSRoleCredentials(&oss.ECSRoleOptions{Endpoint: server.URL}))
		checkToken(t, oss.ECSRoleCredentials(&oss.ECSRoleOptions{Endpoint: server.URL, Role: "my role"}))
		_, err := oss.ECSRoleCredentials(&oss.ECSRoleOptions{Endpoint: server.URL, Role: "other"}).Credentials(t.Context())
		if err == nil || !strings.Contains(err.Error(), `role "other": answered 404`) {
			t.Error(err)
		}
		_, err = oss.ECSRoleCredentials(&oss.ECSRoleOptions{Endpoint: server.URL, NoTokenFallback: true}).Credentials(t.Context())
		if (err == nil) != v2 {
			t.Errorf("without a fallback: %v", err)
		}
	}
}

// sts is a security token service that wants form fields.
func sts(t *testing.T, want map[string]string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range want {
			if got := r.FormValue(name); value == "?" && got == "" || value == "" && got != "" || value != "?" && got != value {
				w.WriteHeader(400)
				fmt.Fprintf(w, `{"Code":"Wrong","Message":"%s is %s"}`, name, got)
				return
			}
		}
		fmt.Fprintf(w, `{"RequestId":"x","Credentials":%s}`, tokenJSON)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestAssumeRole(t *testing.T) {
	server := sts(t, map[string]string{
		"Action": "AssumeRole", "RoleArn": "acs:ram::1:role/r", "RoleSessionName": "night", "DurationSeconds": "1800", "ExternalId": "x",
		"AccessKeyId": "id", "SecurityToken": "t", "Signature": "?", "SignatureNonce": "?", "Timestamp": "?", "Policy": "",
	})
	o := &oss.AssumeRoleOptions{Endpoint: server.URL, SessionName: "night", Duration: 30 * time.Minute, ExternalID: "x"}
	checkToken(t, oss.AssumeRoleCredentials(oss.StaticCredentials("id", "secret", "t"), "acs:ram::1:role/r", o))
	_, err := oss.AssumeRoleCredentials(oss.StaticCredentials("id", "secret", "t"), "other", o).Credentials(t.Context())
	if err == nil || !strings.Contains(err.Error(), `STS AssumeRole of "other": answered 400 Wrong RoleArn is other`) {
		t.Error(err)
	}
}

func TestOIDC(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("jwt\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := sts(t, map[string]string{
		"Action": "AssumeRoleWithOIDC", "RoleArn": "role", "OIDCProviderArn": "provider", "OIDCToken": "jwt", "Signature": "", "AccessKeyId": "",
	})
	t.Setenv("ALIBABA_CLOUD_ROLE_ARN", "role")
	t.Setenv("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "provider")
	t.Setenv("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "")
	o := &oss.AssumeRoleOptions{Endpoint: server.URL}
	if _, err := oss.OIDCCredentials(o).Credentials(t.Context()); err == nil || !strings.Contains(err.Error(), "ALIBABA_CLOUD_OIDC_TOKEN_FILE") {
		t.Error(err)
	}
	t.Setenv("ALIBABA_CLOUD_OIDC_TOKEN_FILE", token)
	checkToken(t, oss.OIDCCredentials(o))
}

func TestProcessCredentials(t *testing.T) {
	if os.Getenv("OSS_TEST_PROCESS") != "" { // this program is the one that is run
		fmt.Print(os.Getenv("OSS_TEST_PROCESS"))
		os.Exit(0)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := func() oss.CredentialsProvider {
		return oss.ProcessCredentials(self, "-test.run=^TestProcessCredentials$")
	}
	t.Setenv("OSS_TEST_PROCESS", tokenJSON)
	checkToken(t, p())
	for output, reason := range map[string]string{"{}": "no credentials", "secret": "no JSON", strings.Repeat("x", 100_000): "larger than"} {
		t.Setenv("OSS_TEST_PROCESS", output)
		if _, err := p().Credentials(t.Context()); err == nil || !strings.Contains(err.Error(), reason) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v", err)
		}
	}
}

func TestSTSEndpointWithUser(t *testing.T) {
	by := oss.StaticCredentials("id", "secret", "")
	_, err := oss.AssumeRoleCredentials(by, "arn", &oss.AssumeRoleOptions{Endpoint: "http://u:MARKER@127.0.0.1:1"}).Credentials(t.Context())
	if err == nil || strings.Contains(err.Error(), "MARKER") || !strings.Contains(err.Error(), "must not hold a user or password") {
		t.Error(err)
	}
}

func TestConfigFile(t *testing.T) {
	server := sts(t, map[string]string{"Action": "AssumeRole", "RoleArn": "arn", "AccessKeyId": "base"})
	text := fmt.Sprintf("\xef\xbb\xbf# made by ossutil\n[default]\naccess-key-id = \"id2\"\nAccessKeySecret=s2\n\n"+
		"[profile sts]\nmode=StsToken\naccess_key_id=id3\naccess-key-secret=s3\nsts-token=t3\n"+
		"[profile base]\naccessKeyID=base\naccessKeySecret=sb\n"+
		"[profile role]\nmode=RamRoleArn\nrole-arn=arn\nsource_profile=base\nsts-endpoint=%[1]s\n"+
		"[profile loop]\nmode=RamRoleArn\nrole-arn=arn\nsource-profile=loop\n"+
		"[profile oidc]  # in a pod\nmode=OIDC\nram-role-arn=arn\noidc-provider-arn=p\noidc-token-file=/none\n"+
		"[profile chain]\nmode=ChainableRamRoleArn\nram_role_arn=arn\nsource_profile=base\nsts-endpoint=%[1]s\n"+
		"[profile user]\nmode=RamRoleArn\nrole-arn=arn\nsource_profile=base\nsts-endpoint=https://u:MARKER@127.0.0.1:1\n"+
		"[profile quotes]\nmode=Process\ncredential_process='/none/a program' \"x y\" ''\n[profile open]\nmode=Process\ncredential_process=a 'b\n"+
		"[profile nobody]\nmode=Anonymous\n[profile odd]\nmode=Telepathy\n[profile half]\nmode=AK\naccesskeyid=x\n", server.URL)
	v2 := filepath.Join(t.TempDir(), "v2")
	v1 := filepath.Join(t.TempDir(), "v1")
	mixed := filepath.Join(t.TempDir(), "mixed")
	named := filepath.Join(t.TempDir(), "named")
	for name, content := range map[string]string{
		mixed: "[default]\nregion=cn-hangzhou\n[credentials]\naccessKeyID=id4\naccessKeySecret=s4\n",
		named: "[profile default] ; of version 2\naccessKeyID=id5\naccessKeySecret=s5\n", v2: text, v1: "[Credentials]\nlanguage=EN\naccessKeyID=id1\naccessKeySecret=s1\nstsToken=t1\n[Bucket-Endpoint]\nb=h\n",
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ file, profile, id, secret, token, err string }{
		{v1, "", "id1", "s1", "t1", ""},
		{v2, "", "id2", "s2", "", ""},
		{v2, "default", "id2", "s2", "", ""},
		{v2, "sts", "id3", "s3", "t3", ""},
		{v2, "role", "STS.id", "secret", "token", ""},
		{v2, "nobody", "", "", "", ""},
		{mixed, "", "id4", "s4", "", ""},
		{named, "", "id5", "s5", "", ""},
		{v2, "chain", "STS.id", "secret", "token", ""},
		{v2, "oidc", "", "", "", "OIDC token: open /none"},
		{v2, "quotes", "", "", "", "program \"/none/a program\""},
		{v2, "user", "", "", "", "stsEndpoint must not hold a user or password"},
		{v2, "open", "", "", "", "quotes of credential_process"},
		{v2, "loop", "", "", "", "leads back to itself"},
		{v2, "odd", "", "", "", `mode "Telepathy"`},
		{v2, "half", "", "", "", "no access key"},
		{v2, "none", "", "", "", `no profile "none"`},
		{v2 + "x", "", "", "", "", "no such file"},
	} {
		c, err := oss.ConfigFileCredentials(test.file, test.profile).Credentials(t.Context())
		if c.AccessKeyID != test.id || c.AccessKeySecret != test.secret || c.SecurityToken != test.token {
			t.Errorf("%s: %q", test.profile, c.AccessKeyID)
		}
		if (err != nil) != (test.err != "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %v", test.profile, err)
		}
	}
	t.Setenv("OSSUTIL_CONFIG_FILE", v2)
	t.Setenv("OSSUTIL_PROFILE", "sts")
	if c, err := oss.ConfigFileCredentials("", "").Credentials(t.Context()); err != nil || c.AccessKeyID != "id3" {
		t.Error(err)
	}
	for _, name := range []string{"OSS_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ROLE_ARN", "ALIBABA_CLOUD_ECS_METADATA"} {
		t.Setenv(name, "")
	}
	if c, err := oss.DefaultCredentials().Credentials(t.Context()); err != nil || c.AccessKeyID != "id3" {
		t.Error(err)
	}
}

func TestSignPostPolicyDocument(t *testing.T) {
	client, err := oss.New("https://oss-cn-hangzhou.aliyuncs.com", oss.StaticCredentials("id", "secret", "token"), nil)
	if err != nil {
		t.Fatal(err)
	}
	form, err := client.Bucket("bucket").SignPostPolicy(t.Context(), time.Hour, &oss.PostPolicyOptions{
		Key: "dir/${filename}", MaxSize: 10, Fields: map[string]string{"x-oss-meta-a": "b"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if form.URL != "https://bucket.oss-cn-hangzhou.aliyuncs.com/" || len(form.Fields["x-oss-signature"]) != 64 || form.Fields["key"] != "dir/${filename}" {
		t.Errorf("%+v", form)
	}
	var document struct {
		Expiration time.Time
		Conditions []any
	}
	text := form.Fields["policy"]
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(decoded, &document) != nil || len(document.Conditions) != 8 {
		t.Errorf("%s", decoded)
	}
}
