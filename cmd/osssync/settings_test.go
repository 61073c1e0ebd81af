package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/osssync/osssync/oss/emulator"
)

// credentialService is a server that knows one long-lived key and one with a
// token, an STS that gives the latter to who has the former, and a metadata
// service that gives it to everybody.
func credentialService(t *testing.T) (endpoint, sts string) {
	t.Helper()
	server, err := emulator.Open(&emulator.Options{
		AccessKeyID: "long", AccessKeySecret: "longsecret",
		Credentials: []emulator.Credential{{AccessKeyID: "short", AccessKeySecret: "MARKERSHORT", SecurityToken: "MARKERTOKEN"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err = server.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	if err := server.CreateBucket("bkt"); err != nil {
		t.Fatal(err)
	}
	const given = `{"AccessKeyId":"short","AccessKeySecret":"MARKERSHORT","SecurityToken":"MARKERTOKEN","Expiration":"2099-01-01T00:00:00Z"}`
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/latest/meta-data/"):
			fmt.Fprint(w, given)
		case r.FormValue("Action") == "AssumeRole" && r.FormValue("AccessKeyId") == "long" && r.FormValue("RoleArn") == "acs:ram::1:role/r":
			fmt.Fprintf(w, `{"Credentials":%s}`, given)
		case r.FormValue("Action") == "AssumeRoleWithOIDC" && r.FormValue("OIDCToken") == "oidc":
			fmt.Fprintf(w, `{"Credentials":%s}`, given)
		default:
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	t.Cleanup(front.Close)
	return endpoint, front.URL
}

// Every mode of ossutil's, from a file and from flags, reaches the service.
func TestCredentialModes(t *testing.T) {
	endpoint, sts := credentialService(t)
	dir := t.TempDir()
	for _, name := range []string{"OSS_ENDPOINT", "OSS_REGION", "OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN", "OSSSYNC_LOCAL", "OSS_ROLE_ARN"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", dir)
	t.Setenv("XDG_CONFIG_HOME", dir)
	token := filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte("oidc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	helper := filepath.Join(dir, "helper")
	if err := os.WriteFile(helper, []byte("#!/bin/sh\necho '{\"AccessKeyId\":\"short\",\"AccessKeySecret\":\"MARKERSHORT\",\"SecurityToken\":\"MARKERTOKEN\"}'\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	long := "accessKeyID = long\naccess_key_secret = longsecret\n"
	role := "ram-role-arn = acs:ram::1:role/r\nsts_endpoint = " + sts + "\n"
	for _, test := range []struct {
		name, file string
		flags      []string
		env        map[string]string
		code       int
	}{
		{name: "AK", file: "[default]\nmode=AK\n" + long},
		{name: "AK of version 1", file: "[Credentials]\nlanguage=CH\n" + long},
		{name: "StsToken", file: "[default]\nmode=StsToken\naccessKeyId=short\naccessKeySecret=MARKERSHORT\nststoken=MARKERTOKEN\n"},
		{name: "RamRoleArn", file: "[default]\nmode=RamRoleArn\n" + long + role},
		{name: "chain", file: "[default]\nmode=ChainableRamRoleArn\nsource_profile=base\n" + role + "[profile base]\n" + long},
		{name: "OIDC", file: "[default]\nmode=OIDC\n" + role + "oidc-provider-arn=p\noidc-token-file=" + token + "\n"},
		{name: "EcsRamRole of version 1", file: "[AkService]\necsAk=" + sts + "/latest/meta-data/ram/security-credentials/r\n"},
		{name: "process", file: "[default]\nmode=Process\ncredential_process=" + helper + "\n"},
		{name: "anonymous", file: "[default]\nmode=Anonymous\n", code: exitServer},
		{name: "no such mode", file: "[default]\nmode=Magic\n" + long, code: exitUsage},
		{name: "a role by flags", file: "[default]\n" + long, flags: []string{"--ram-role-arn", "acs:ram::1:role/r", "--sts-endpoint", sts}},
		{name: "another role by flags", file: "[default]\n" + long, flags: []string{"--role-arn", "acs:ram::1:role/other", "--sts-endpoint", sts}, code: exitLocal},
		{name: "a role by variables", env: map[string]string{
			"OSS_ACCESS_KEY_ID": "long", "OSS_ACCESS_KEY_SECRET": "longsecret", "OSS_ROLE_ARN": "acs:ram::1:role/r", "OSSSYNC_STS_ENDPOINT": sts,
		}},
		{name: "OIDC by flags", flags: []string{"--mode", "oidc", "--role-arn", "r", "--oidc-provider-arn", "p", "--oidc-token-file", token, "--sts-endpoint", sts}},
		{name: "keys of the environment, not the file's role", file: "[default]\nmode=RamRoleArn\nram-role-arn=nobody\n", env: map[string]string{
			"OSS_ACCESS_KEY_ID": "long", "OSS_ACCESS_KEY_SECRET": "longsecret",
		}},
		{name: "keys on the command line, not the environment's token", flags: []string{"-i", "long", "-k", "longsecret"}, env: map[string]string{
			"OSS_ACCESS_KEY_ID": "x", "OSS_ACCESS_KEY_SECRET": "y", "OSS_SESSION_TOKEN": "z",
		}},
		{name: "variables of the vendor's other tools", env: map[string]string{"ALIBABA_CLOUD_ACCESS_KEY_ID": "long", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "longsecret"}},
		{name: "they win over a file", file: "[default]\naccessKeyID=x\naccessKeySecret=y\n", env: map[string]string{
			"ALIBABA_CLOUD_ACCESS_KEY_ID": "short", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "MARKERSHORT", "ALIBABA_CLOUD_SECURITY_TOKEN": "MARKERTOKEN",
		}},
		{name: "ossutil's win over them", env: map[string]string{
			"OSS_ACCESS_KEY_ID": "long", "OSS_ACCESS_KEY_SECRET": "longsecret",
			"ALIBABA_CLOUD_ACCESS_KEY_ID": "x", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "y", "ALIBABA_CLOUD_SECURITY_TOKEN": "z",
		}},
		{name: "half of them, and a file", file: "[default]\n" + long, env: map[string]string{"ALIBABA_CLOUD_ACCESS_KEY_ID": "long"}, code: exitUsage},
		{name: "they are ignored", file: "[default]\n" + long, flags: []string{"--ignore-env-var"}, env: map[string]string{
			"ALIBABA_CLOUD_ACCESS_KEY_ID": "x", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "y",
		}},
		{name: "nothing but the name of a session", env: map[string]string{"OSS_ROLE_SESSION_NAME": "n"}, code: exitUsage},
	} {
		t.Run(test.name, func(t *testing.T) {
			if strings.Contains(test.file, "Process") && runtime.GOOS == "windows" {
				t.Skip("the program is a shell script")
			}
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			args := []string{"ls", "oss://bkt", "-e", endpoint, "--region", "cn-hangzhou"}
			if test.file != "" {
				name := filepath.Join(dir, "config")
				if err := os.WriteFile(name, []byte(test.file), 0o600); err != nil {
					t.Fatal(err)
				}
				args = append(args, "-c", name)
			}
			code, _, stderr := command(t.Context(), append(args, test.flags...)...)
			if code != test.code {
				t.Errorf("exit code %d, want %d\n%s", code, test.code, stderr)
			}
			show := append(append([]string{"config", "show"}, args[2:]...), test.flags...)
			if _, stdout, stderr := command(t.Context(), show...); strings.Contains(stdout+stderr, "MARKER") || strings.Contains(stdout, "longsecret") {
				t.Errorf("a secret is shown:\n%s%s", stdout, stderr)
			}
		})
	}
}

// Every flag of every command can be a variable.
func TestEveryFlagIsAVariable(t *testing.T) {
	examples := []string{"7Mi", "7", "7s", "true", "a=b", "2026-01-31", "50%", "text"}
	n := 0
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		cmd.LocalFlags()
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name == "help" {
				return
			}
			n++
			of := examples
			if c, ok := f.Value.(*choice); ok {
				of = c.allowed
			}
			i := slices.IndexFunc(of, func(text string) bool { return f.Value.Set(text) == nil })
			if i < 0 {
				return // a type of its own has its own tests
			}
			example := of[i]
			t.Setenv(envPrefix+strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_")), example)
			var s settings
			if err := s.fromEnvironment(cmd); err != nil {
				t.Errorf("%s --%s=%s: %v", cmd.CommandPath(), f.Name, example, err)
			}
			if s.origins[f.Name] == "" {
				t.Errorf("%s --%s is not read from the environment: %q", cmd.CommandPath(), f.Name, f.Value)
			}
			os.Unsetenv(envPrefix + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_")))
		})
		for _, c := range cmd.Commands() {
			visit(c)
		}
	}
	visit(newRootCommand(&app{stdout: os.Stdout, stderr: os.Stderr}))
	if n < 200 {
		t.Errorf("only %d flags seen", n)
	}
}
