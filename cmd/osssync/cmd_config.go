package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/osssync/osssync/oss"
)

const configLong = `Write a configuration file, check one, or show what is in force.

  osssync config                  ask for endpoint or region, and keys, on a terminal
  osssync config -e HOST -i ID    or take them from flags and environment: see below
  osssync config show [NAME...]   every setting, its value, and where it comes from
  osssync config check            is the file in order, and private? What means nothing
                                  in it gets a warning

The file is ossutil's, in INI form, so that ossutil can use it too: by default
~/.ossutilconfig, else --config-file; with --profile NAME the keys go to
[profile NAME]. Only the given keys are changed, and the file becomes readable by its
owner alone. A secret is best given as OSSSYNC_ACCESS_KEY_SECRET, or asked for: a
command line can be read by others. What can be given: --endpoint, --region, --mode,
--access-key-id, --access-key-secret, --sts-token, --role-arn, --role-session-name,
--external-id, --ecs-role-name, --oidc-provider-arn, --oidc-token-file, --sts-endpoint,
--addressing-style, --sign-version, --proxy and the time limits.

Both generations of the file are read: [Credentials], [Bucket-Endpoint],
[Bucket-Cname], [AkService] of ossutil 1 and [default], [profile NAME],
[buckets NAME] of ossutil 2. ~/.config/osssync/config, of the same form, is read
before it, and can have a default for nearly every long flag besides, in [default] or
[profile NAME]: bandwidth-limit = 5M, log-file = ~/osssync.log, checkers = 4. Those of
every command hold everywhere; of others, these: filters, comparison and max-delete
for sync, check and cp or mv -r; what is kept of files (dirs, preserve, links, sparse)
and of objects (acl, storage-class, cache-control) where it has a meaning;
expires-duration, older-than, human-readable, short-format, prices. What deletes,
forces or names one thing is for a command line: config check says so. A flag wins over an environment variable, and that over a file. Keys in the
environment are OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and OSS_SESSION_TOKEN or, without
those, ALIBABA_CLOUD_ACCESS_KEY_ID, …_ACCESS_KEY_SECRET and …_SECURITY_TOKEN.

Examples:
  osssync config --region cn-hangzhou -i LTAI… --mode AK
  osssync config show endpoint access-key-id
  osssync config show --profile backup --json
`

// configKeys are the flags that config writes, and the keys they get in a file
// that does not have them yet.
var configKeys = [][2]string{
	{"endpoint", "endpoint"},
	{"region", "region"},
	{"mode", "mode"},
	{"access-key-id", "accessKeyID"},
	{"access-key-secret", "accessKeySecret"},
	{"sts-token", "stsToken"},
	{"role-arn", "roleArn"},
	{"role-session-name", "roleSessionName"},
	{"external-id", "externalId"},
	{"ecs-role-name", "ecsRoleName"},
	{"oidc-provider-arn", "oidcProviderArn"},
	{"oidc-token-file", "oidcTokenFile"},
	{"sts-endpoint", "stsEndpoint"},
	{"addressing-style", "addressingStyle"},
	{"sign-version", "signVersion"},
	{"proxy", "proxy"},
	{"connect-timeout", "connectTimeout"},
	{"read-timeout", "readTimeout"},
	{"retry-times", "retryTimes"},
}

func newConfigCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "config [show|check]", Short: "Write, check or show the configuration", Long: configLong + "\n" + exitHelp,
		Args: subcommandOr(0), RunE: func(cmd *cobra.Command, _ []string) error { return a.writeConfig(cmd) },
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "show [NAME...]", Short: "Show every setting and where it comes from", Long: configLong + "\n" + exitHelp,
			RunE: func(cmd *cobra.Command, args []string) error { return a.showConfig(cmd, args) },
		},
		&cobra.Command{
			Use: "check", Short: "Check the configuration file", Long: configLong + "\n" + exitHelp, Args: upTo(0),
			RunE: func(cmd *cobra.Command, _ []string) error { return a.checkConfig(cmd) },
		},
	)
	return cmd
}

// configFile is the file that config writes and checks.
func (a *app) configFile() (string, error) {
	if name := cmp.Or(a.flags.configFile, a.environment("OSSUTIL_CONFIG_FILE")); name != "" {
		return name, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", &usageError{message: err.Error(), hint: "give --config-file FILE"}
	}
	return filepath.Join(home, ".ossutilconfig"), nil
}

func (a *app) writeConfig(cmd *cobra.Command) error {
	name, err := a.configFile()
	if err != nil {
		return err
	}
	var pairs [][2]string
	for _, k := range configKeys {
		f := cmd.Flags().Lookup(k[0])
		if f == nil || strings.HasPrefix(cmp.Or(a.settings.origins[k[0]], "file"), "file") {
			continue
		}
		pairs = append(pairs, [2]string{k[1], f.Value.String()})
	}
	text, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &usageError{message: err.Error()}
	}
	if len(pairs) == 0 {
		if pairs, err = a.askConfig(); err != nil {
			return err
		}
	}
	for _, p := range pairs {
		if wrong := checkValue(p[0], p[1]); wrong != "" {
			return &usageError{message: p[0] + ": " + wrong}
		}
	}
	section := "default"
	switch profile := a.settings.profile; {
	case profile != "" && profile != "default":
		section = "profile " + profile
	case !hasSection(text, "default") && hasSection(text, "Credentials"):
		section = "Credentials" // a file of version 1 stays one
	}
	if strings.ContainsAny(section, "[]\r\n#;") {
		return &usageError{message: "--profile: a name without brackets, # and ;"}
	}
	if err := replaceFile(name, setINI(text, section, pairs)); err != nil {
		return err
	}
	if !a.flags.onlyErrors {
		a.printf("wrote %s [%s]; try it with: osssync probe, or osssync ls", printable(name), printable(section))
	}
	return nil
}

// sectionOf is the section that begins on a line of an INI file.
func sectionOf(line string) (name string, ok bool) {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "[") {
		return "", false
	}
	name, _, ok = strings.Cut(line[1:], "]")
	return strings.Join(strings.Fields(name), " "), ok
}

func hasSection(text []byte, section string) bool {
	for line := range strings.Lines(string(text)) {
		if name, ok := sectionOf(line); ok && name == section {
			return true
		}
	}
	return false
}

// setINI sets keys in a section of an INI file and leaves everything else as it
// is, comments too. A key is found in any of its spellings.
func setINI(text []byte, section string, pairs [][2]string) []byte {
	var out []string
	end, in := -1, false // where the section ends
	done := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if name, ok := sectionOf(line); ok {
			in = name == section
		} else if key, _, ok := strings.Cut(line, "="); in && ok && !strings.HasPrefix(strings.TrimSpace(line), "#") {
			for _, p := range pairs {
				if plainKey(p[0]) == plainKey(key) {
					line = strings.TrimRight(key, " \t") + " = " + p[1]
					done[p[0]] = true
				}
			}
		}
		out = append(out, line)
		if in && strings.TrimSpace(line) != "" {
			end = len(out)
		}
	}
	var add []string
	for _, p := range pairs {
		if !done[p[0]] {
			add = append(add, p[0]+" = "+p[1])
		}
	}
	if end < 0 {
		if len(out) > 0 {
			out = append(out, "")
		}
		out = append(out, "["+section+"]")
		end = len(out)
	}
	return []byte(strings.Join(slices.Insert(out, end, add...), "\n") + "\n")
}

// replaceFile writes a file that its owner alone can read, and that never shows
// half of it. A link stays one.
func replaceFile(name string, text []byte) (err error) {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".osssync-config-*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// settingLine is a setting, as JSON.
type settingLine struct {
	V      int    `json:"v"`
	Type   string `json:"type"`
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

// redacted stands for a secret that is set.
const redacted = "********"

// showConfig prints every setting that is in force.
func (a *app) showConfig(cmd *cobra.Command, only []string) error {
	if a.settings.err != nil {
		return a.settings.err
	}
	var lines []settingLine
	add := func(name, value, origin string) {
		if value != "" && slices.Contains(secretFlags, name) {
			value = redacted
		}
		switch {
		case name == "proxy" && value != "" && value != "env":
			value = withoutUser(value)
		case name == "endpoint" || name == "sts-endpoint":
			value = hideUser(value)
		}
		lines = append(lines, settingLine{V: jsonVersion, Type: "setting", Name: name, Value: value, Origin: origin})
	}
	t := a.target("")
	id, origin := a.whoAsks(cmd.Context())
	cmd.InheritedFlags().VisitAll(func(f *pflag.Flag) {
		value, from := f.Value.String(), cmp.Or(a.settings.origins[f.Name], "default")
		switch f.Name {
		case "endpoint":
			value, from = t.endpoint, cmp.Or(t.origin, "default")
		case "region":
			value, from = cmp.Or(t.region, regionOf(t.endpoint)), cmp.Or(t.regionOrigin, "from the endpoint")
		case "profile":
			value = cmp.Or(a.settings.profile, "default")
			if from == "default" && a.environment("OSSUTIL_PROFILE") != "" {
				from = "environment OSSUTIL_PROFILE"
			}
		case "config-file":
			if value == "" {
				var names []string
				for _, file := range a.settings.files {
					names = append(names, file.Name())
				}
				value = strings.Join(names, " ")
			}
			if from == "default" && a.environment("OSSUTIL_CONFIG_FILE") != "" {
				from = "environment OSSUTIL_CONFIG_FILE"
			}
		case "access-key-id":
			value, from = id.AccessKeyID, origin
		case "access-key-secret":
			value, from = id.AccessKeySecret, origin
		case "sts-token":
			value, from = id.SecurityToken, origin
		case "help":
			return
		}
		if from == "default" {
			if v, at := a.settings.setting(f.Name); v != "" && slices.ContainsFunc(configKeys, func(k [2]string) bool { return k[0] == f.Name }) {
				value, from = v, at
			}
		}
		add(f.Name, value, from)
	})
	a.showDefaults(cmd.Root(), add)
	for _, name := range only {
		if !slices.ContainsFunc(lines, func(l settingLine) bool { return l.Name == name }) {
			e := &usageError{message: "no setting " + printable(name), hint: "see: osssync config show"}
			var names []string
			for _, l := range lines {
				names = append(names, l.Name)
			}
			if near := nearest(name, names); near != "" {
				e.message += "; did you mean " + near + "?"
			}
			return e
		}
	}
	for _, l := range lines {
		if len(only) > 0 && !slices.Contains(only, l.Name) {
			continue
		}
		var err error
		if a.flags.json {
			err = a.writeJSON(a.stdout, l)
		} else {
			_, err = fmt.Fprintf(a.stdout, "%-18s = %s  (%s)\n", l.Name, cmp.Or(printable(l.Value), "-"), l.Origin)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// whoAsks is who requests would be signed for. Where that takes a request, or a
// program, it is not found out, and only the origin is told.
func (a *app) whoAsks(ctx context.Context) (oss.Credentials, string) {
	provider, origin, err := a.credentialSource()
	if err != nil {
		return oss.Credentials{}, "not set: " + oneLine(err.Error())
	}
	mode, _ := a.settings.setting("mode")
	mode = cmp.Or(a.flags.mode.value, mode)
	if role := cmp.Or(a.flags.roleARN, a.environment("OSS_ROLE_ARN")); role != "" && a.flags.mode.value == "" {
		mode = "RamRoleArn"
	}
	for _, remote := range []string{"RamRoleArn", "ChainableRamRoleArn", "EcsRamRole", "OIDC", "Process"} {
		if strings.EqualFold(mode, remote) {
			return oss.Credentials{}, "by " + remote + ", " + origin
		}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	c, err := provider.Credentials(ctx)
	if err != nil {
		return oss.Credentials{}, "not set: " + oneLine(err.Error())
	}
	return c, origin
}

// checkConfig checks the files that are read: the named one, or osssync's own and
// ossutil's.
func (a *app) checkConfig(cmd *cobra.Command) error {
	name, err := a.configFile()
	if err != nil {
		return err
	}
	if cmp.Or(a.flags.configFile, a.environment("OSSUTIL_CONFIG_FILE")) == "" {
		if own := ownConfig(); own != "" && isOwn(own) {
			if err := a.checkFile(cmd, own); err != nil {
				return err
			}
			if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
				return nil
			}
		}
	}
	return a.checkFile(cmd, name)
}

func (a *app) checkFile(cmd *cobra.Command, name string) error {
	file, err := oss.ReadConfigFile(name)
	if err != nil {
		return &usageError{message: oneLine(err.Error()), hint: "make one with: osssync config"}
	}
	if text, err := os.ReadFile(name); err == nil {
		a.warnUnknown(cmd.Root(), name, text)
	}
	if isOwn(name) {
		for _, p := range file.Profiles() {
			if err := checkDefaults(file, p); err != nil {
				return err
			}
		}
	}
	if a.settings.err != nil {
		return a.settings.err
	}
	open := ""
	if err := checkMode(name, func(format string, args ...any) { open = fmt.Sprintf(format, args...) }); err != nil {
		return err
	}
	if open != "" && (!isOwn(name) || slices.ContainsFunc(file.Profiles(), file.HasCredentials)) {
		return &usageError{message: open}
	}
	profiles := file.Profiles()
	if a.settings.profile != "" {
		profiles = []string{a.settings.profile}
	}
	for _, p := range profiles {
		if file.HasCredentials(p) {
			if _, err := file.Credentials(p, nil); err != nil {
				return &usageError{message: oneLine(err.Error()) + " (profile " + printable(p) + ")"}
			}
		}
		for _, key := range []string{"endpoint", "stsEndpoint"} {
			if host, _ := file.Setting(p, key); host != "" {
				if wrong := wrongEndpoint(host); wrong != "" {
					return &usageError{message: fmt.Sprintf("%s (profile %s): %s", key, printable(p), wrong)}
				}
			}
		}
	}
	for _, name := range file.Buckets() {
		if b, _ := file.Bucket(name); b.Endpoint != "" {
			if wrong := wrongEndpoint(b.Endpoint); wrong != "" {
				return &usageError{message: fmt.Sprintf("endpoint of bucket %s: %s", printable(name), wrong)}
			}
		}
	}
	if a.flags.json {
		return a.writeJSON(a.stdout, settingLine{V: jsonVersion, Type: "checked", Name: name, Value: strings.Join(profiles, " "), Origin: "file"})
	}
	_, err = fmt.Fprintf(a.stdout, "%s is in order; profiles: %s\n", printable(name), printable(strings.Join(profiles, ", ")))
	return err
}
