package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
)

// settings are where the values of this run come from.
type settings struct {
	files   []*oss.ConfigFile // the first that has a key wins
	missing string            // the file that was looked for last
	err     error             // why they could not be read
	profile string            // "" = OSSUTIL_PROFILE, else default

	// named says that the profile stands on the command line: then the
	// environment's keys are not meant.
	named bool

	// origins say, by the names of flags, where a value came from that is
	// not the default.
	origins map[string]string
}

// ownConfig is the name of osssync's own configuration file.
func ownConfig() string {
	dir := os.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, "osssync", "config")
}

// environment reads a variable of ossutil's, unless they are to be ignored.
func (a *app) environment(name string) string {
	if a.flags.ignoreEnv {
		return ""
	}
	return os.Getenv(name)
}

// readSettings reads the configuration files and sets the flags that neither
// the command line nor the environment sets. What is wrong with a file is the
// error of those commands that need it.
func (a *app) readSettings(cmd *cobra.Command) {
	s := &a.settings
	s.profile = cmp.Or(a.flags.profile, a.environment("OSSUTIL_PROFILE"))
	if f := cmd.Flags().Lookup("profile"); f != nil {
		s.named = f.Changed
	}
	names := []string{ownConfig(), ""}
	named := cmp.Or(a.flags.configFile, a.environment("OSSUTIL_CONFIG_FILE"))
	if home, err := os.UserHomeDir(); err == nil {
		names[1] = filepath.Join(home, ".ossutilconfig")
	}
	if named != "" {
		names = []string{named}
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		s.missing = name
		file, err := oss.ReadConfigFile(name)
		switch {
		case err == nil:
			s.files = append(s.files, file)
		case errors.Is(err, fs.ErrNotExist) && named == "":
		default:
			s.err = &usageError{message: "configuration: " + oneLine(err.Error()), hint: "check it with: osssync config check"}
			return
		}
	}
	if s.profile != "" && s.profile != "default" {
		s.err = s.checkProfile()
	}
	if s.err == nil {
		s.err = a.fromFiles(cmd)
	}
}

// checkProfile refuses a profile that is in no file.
func (s *settings) checkProfile() error {
	var known []string
	for _, f := range s.files {
		known = append(known, f.Profiles()...)
	}
	if slices.Contains(known, s.profile) {
		return nil
	}
	e := &usageError{message: fmt.Sprintf("no profile %s in %s", printable(s.profile), printable(s.missing)), hint: "make it with: osssync config --profile " + quoteWord(s.profile)}
	if near := nearest(s.profile, known); near != "" {
		e.message += "; did you mean " + near + "?"
	}
	return e
}

// setting is a value of the files and where it stands.
func (s *settings) setting(key string) (value, origin string) {
	for _, f := range s.files {
		if v, section := f.Setting(s.profile, key); v != "" {
			return v, fileOrigin(f, section)
		}
	}
	return "", ""
}

func fileOrigin(f *oss.ConfigFile, section string) string {
	if section == "" {
		return "file " + printable(f.Name())
	}
	return fmt.Sprintf("file %s [%s]", printable(f.Name()), printable(section))
}

// fileFlags are the flags that any configuration file may set, besides those of
// the service and the credentials. A file of ossutil's holds others, which mean
// something else here; osssync's own file may set all that isDefault allows.
var fileFlags = []string{
	"sign-version", "addressing-style", "connect-timeout", "read-timeout", "proxy", "skip-verify-cert",
	"retry-times", "job", "parallel", "part-size", "bigfile-threshold",
}

// fromFiles sets flags from the files.
func (a *app) fromFiles(cmd *cobra.Command) error {
	for _, name := range fileFlags {
		f := cmd.Root().PersistentFlags().Lookup(name)
		if f == nil || cmd.Flags().Lookup(name) != f || a.settings.origins[name] != "" {
			continue // the -j of run is another one
		}
		value, origin := a.settings.setting(name)
		if name == "proxy" && value == "" {
			value, origin = a.settings.oldProxy()
		}
		if value == "" {
			continue
		}
		if err := f.Value.Set(value); err != nil {
			return &usageError{message: fmt.Sprintf("%s: %s: %v", origin, name, err), hint: "check it with: osssync config check"}
		}
		a.settings.origins[name] = origin
	}
	return a.fromOwn(cmd)
}

// oldProxy is the proxy of a file of version 1.
func (s *settings) oldProxy() (value, origin string) {
	host, origin := s.setting("proxyHost")
	if host == "" {
		return "", ""
	}
	if !strings.Contains(host, "://") {
		host = "http://" + host
	}
	u, err := url.Parse(host)
	if err != nil {
		return host, origin
	}
	if user, _ := s.setting("proxyUser"); user != "" {
		password, _ := s.setting("proxyPwd")
		u.User = url.UserPassword(user, password)
	}
	return u.String(), origin
}

// target is where the requests for a bucket go.
type target struct {
	derived                      bool // nobody has named the endpoint: it is the region's
	endpoint, region, addressing string
	origin, regionOrigin         string // of endpoint and region
	special                      bool   // it is this bucket's own
}

// target decides where requests for a bucket go: flag, then environment, then
// what the files say of the bucket, then what they say of all. bucket "" is
// none. The endpoint is "" if nothing names one.
func (a *app) target(bucket string) target {
	t := target{addressing: a.flags.addressing.value}
	var regions, endpoints [][2]string // value and origin, the first wins
	add := func(list *[][2]string, value, origin string) {
		if value != "" {
			*list = append(*list, [2]string{value, origin})
		}
	}
	add(&endpoints, a.flags.endpoint, cmp.Or(a.settings.origins["endpoint"], "flag"))
	add(&regions, a.flags.region, cmp.Or(a.settings.origins["region"], "flag"))
	add(&endpoints, a.environment("OSS_ENDPOINT"), "environment OSS_ENDPOINT")
	add(&regions, a.environment("OSS_REGION"), "environment OSS_REGION")
	chosen, chosenRegion := len(endpoints) > 0, len(regions) > 0
	for _, f := range a.settings.files {
		b, ok := f.Bucket(bucket)
		if bucket == "" || !ok {
			continue
		}
		origin := fileOrigin(f, b.Section)
		t.special = !chosen
		if b.Endpoint == "" && b.Region != "" && !chosenRegion {
			add(&endpoints, endpointOf(b.Region), origin)
		}
		add(&endpoints, b.Endpoint, origin)
		add(&regions, b.Region, origin)
		if !chosen && a.settings.origins["addressing-style"] == "" {
			t.addressing = cmp.Or(b.Addressing, t.addressing)
		}
		break
	}
	value, origin := a.settings.setting("endpoint")
	if at := regionOf(value); at != "" && len(regions) > 0 && regions[0][0] != at {
		value = "" // another region is asked for than this endpoint is in
	}
	add(&endpoints, value, origin)
	value, origin = a.settings.setting("region")
	add(&regions, value, origin)
	if len(regions) > 0 {
		t.region, t.regionOrigin = regions[0][0], regions[0][1]
		t.derived = len(endpoints) == 0
		add(&endpoints, endpointOf(t.region), "from the region, "+t.regionOrigin)
	}
	if len(endpoints) > 0 {
		t.endpoint, t.origin = endpoints[0][0], endpoints[0][1]
	}
	return t
}

func endpointOf(region string) string { return "https://oss-" + region + ".aliyuncs.com" }

var standardEndpoint = regexp.MustCompile(`^(?:https?://)?oss-([a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com/?$`)

// regionOf is the region in the name of one of the vendor's endpoints.
func regionOf(endpoint string) string {
	match := standardEndpoint.FindStringSubmatch(endpoint)
	if match == nil || strings.HasPrefix(match[1], "accelerate") {
		return ""
	}
	return match[1]
}

// credentialFlags are the flags and the variables of other tools that say who
// asks, by the key that a configuration file has for it.
func (a *app) credentialFlags() []struct{ key, flag, value, variable string } {
	f := &a.flags
	return []struct{ key, flag, value, variable string }{
		{"rolearn", "role-arn", f.roleARN, "OSS_ROLE_ARN"},
		{"rolesessionname", "role-session-name", f.roleSession, "OSS_ROLE_SESSION_NAME"},
		{"externalid", "external-id", f.externalID, ""},
		{"ecsrolename", "ecs-role-name", f.ecsRole, ""},
		{"oidcproviderarn", "oidc-provider-arn", f.oidcProvider, ""},
		{"oidctokenfile", "oidc-token-file", f.oidcTokenFile, ""},
		{"stsendpoint", "sts-endpoint", f.stsEndpoint, ""},
	}
}

// noCredentials says what is missing.
func noCredentials(what string) error {
	return &usageError{
		message: what,
		hint:    "set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET (and OSS_SESSION_TOKEN), or run: osssync config, or give --mode Anonymous, or try --local DIR",
	}
}

// environmentKeys are the access key of the environment and the prefix of its
// variables: ossutil's or, without those, that of the vendor's other tools.
func (a *app) environmentKeys() (prefix, id, secret, token string) {
	for _, v := range [][2]string{{"OSS_", "SESSION_TOKEN"}, {"ALIBABA_CLOUD_", "SECURITY_TOKEN"}} {
		prefix = v[0]
		id, secret, token = a.environment(prefix+"ACCESS_KEY_ID"), a.environment(prefix+"ACCESS_KEY_SECRET"), a.environment(prefix+v[1])
		if id != "" || secret != "" {
			break
		}
	}
	return prefix, id, secret, token
}

// credentialSource chooses who asks: flag, then environment, then file. They
// are never missing silently: that would be a request as nobody.
func (a *app) credentialSource() (provider oss.CredentialsProvider, origin string, err error) {
	f, s := &a.flags, &a.settings
	instead := map[string]string{}
	for _, c := range a.credentialFlags() {
		value := c.value
		if value == "" && c.variable != "" && !s.named {
			value = a.environment(c.variable)
		}
		if value != "" {
			instead[c.key] = value
		}
	}
	env, envID, envSecret, envToken := a.environmentKeys()
	keys := func(id, secret, token, from string) {
		instead["accesskeyid"], instead["accesskeysecret"], instead["ststoken"], origin = id, secret, token, from
		instead["sourceprofile"] = ""
	}
	switch {
	case f.mode.value == "Anonymous":
		return oss.AnonymousCredentials(), "anonymous", nil
	case f.accessKeyID != "" && f.accessKeySecret != "":
		keys(f.accessKeyID, f.accessKeySecret, f.stsToken, cmp.Or(s.origins["access-key-id"], "flag"))
	case f.accessKeyID != "" || f.accessKeySecret != "" || f.stsToken != "":
		return nil, "", &usageError{
			message: "--access-key-id and --access-key-secret go together",
			hint:    "leave both out if OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET or a configuration file have the key, or set OSSSYNC_ACCESS_KEY_ID and OSSSYNC_ACCESS_KEY_SECRET",
		}
	case !s.named && (envID != "" || envSecret != ""):
		if envID == "" || envSecret == "" {
			missing := env + "ACCESS_KEY_SECRET"
			if envID == "" {
				missing = env + "ACCESS_KEY_ID"
			}
			return nil, "", noCredentials(missing + " is not set")
		}
		keys(envID, envSecret, envToken, "environment "+env+"ACCESS_KEY_ID")
	}
	mode := f.mode.value
	switch {
	case mode == "AK" && instead["ststoken"] != "":
		return nil, "", noCredentials("--mode AK, but a token is set")
	case mode == "StsToken" && instead["accesskeyid"] != "" && instead["ststoken"] == "":
		return nil, "", noCredentials("--mode StsToken, but no token")
	case mode != "":
		instead["mode"] = mode
	case instead["oidcproviderarn"] != "":
		instead["mode"] = "OIDC"
	case instead["rolearn"] != "":
		instead["mode"] = "RamRoleArn"
	case instead["accesskeyid"] != "":
		instead["mode"] = "" // keys alone are who asks, whatever the profile says
		instead["rolearn"], instead["ramrolearn"] = "", ""
		if strings.HasPrefix(origin, "environment OSS_") {
			return oss.EnvironmentCredentials(), origin, nil
		}
	case instead["ecsrolename"] != "":
		instead["mode"] = "EcsRamRole"
	}
	file := s.credentialsFile()
	if file == nil && instead["accesskeyid"] == "" && instead["mode"] == "" {
		if a.environment("ALIBABA_CLOUD_ACCESS_KEY_ID") != "" || a.environment("ALIBABA_CLOUD_OIDC_TOKEN_FILE") != "" || a.environment("ALIBABA_CLOUD_ECS_METADATA") != "" {
			return oss.DefaultCredentials(), "environment ALIBABA_CLOUD_…", nil
		}
		return nil, "", noCredentials("no credentials")
	}
	if file != nil {
		if err := checkMode(file.Name(), a.warn); err != nil {
			return nil, "", err
		}
		_, section := file.Setting(s.profile, "accessKeyID")
		origin = cmp.Or(origin, fileOrigin(file, section))
	}
	origin = cmp.Or(origin, "flag")
	provider, err = file.Credentials(s.profile, instead)
	if err != nil {
		return nil, "", noCredentials(oneLine(err.Error()))
	}
	return provider, origin, nil
}

// credentialsFile is the file whose profile says who asks, nil if none does.
func (s *settings) credentialsFile() *oss.ConfigFile {
	for _, f := range s.files {
		if f.HasCredentials(s.profile) {
			return f
		}
	}
	return nil
}

// checkMode warns of a file of secrets that others can read, and refuses one
// that others can write: it may name a program to run.
func checkMode(name string, warn func(string, ...any)) error {
	info, err := os.Stat(name)
	if err != nil || runtime.GOOS == "windows" {
		return nil
	}
	switch mode := info.Mode().Perm(); {
	case mode&0o022 != 0:
		return &usageError{message: printable(name) + " can be written by other users, who could put their own keys there", hint: "chmod 600 " + quoteWord(name)}
	case mode&0o044 != 0:
		warn("%s holds secrets and can be read by other users; make it yours alone: chmod 600 %s", printable(name), quoteWord(name))
	}
	return nil
}
