package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/osssync/osssync/transfer"
)

// globalFlags are those that every command takes.
type globalFlags struct {
	local           string
	endpoint        string
	region          string
	accessKeyID     string
	accessKeySecret string
	stsToken        string
	mode            choice
	signVersion     choice
	addressing      choice
	connectTimeout  timeout
	readTimeout     timeout
	proxy           string
	skipVerify      bool
	retryTimes      count
	job             count
	parallel        count
	checkers        count
	encoding        choice
	partSize        byteSize
	threshold       byteSize
	stateDir        string
	noResume        bool
	adopt           bool
	noCheckpoint    bool
	trust           bool
	unsafeState     bool
	json            bool
	quiet           bool
	noProgress      bool
	onlyErrors      bool
	logFile         string
	logLevel        choice
	logFormat       choice
	report          string
	limits          limitFlags
	payer           choice

	configFile    string
	profile       string
	ignoreEnv     bool
	roleARN       string
	roleSession   string
	externalID    string
	ecsRole       string
	oidcProvider  string
	oidcTokenFile string
	stsEndpoint   string
}

// aliases are further spellings of flags, as other tools have them.
var aliases = map[string]string{
	"jobs": "job", "state-dir": "checkpoint-dir", "dryrun": "dry-run", "addr": "listen", "ram-role-arn": "role-arn",
	"timeout": "expires-duration", "bwlimit": "bandwidth-limit", "redundancy-type": "redundancy", "query-param": "query",
	"log": "log-file", "enable-symlink-dir": "follow-symlinks", "disable-all-symlink": "skip-links",
}

func normalize(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	if real, ok := aliases[name]; ok {
		name = real
	}
	return pflag.NormalizedName(name)
}

// register adds the flags to f with their help.
func (g *globalFlags) register(f *pflag.FlagSet) {
	f.StringVar(&g.local, "local", "", "use the embedded server with its data in `DIR`: no account, no network; buckets are made as they are named; one process at a time")
	f.StringVarP(&g.endpoint, "endpoint", "e", "", "`HOST` of the service; with http:// in front unencrypted (default OSS_ENDPOINT, else from the region)")
	f.StringVar(&g.region, "region", "", "`REGION` such as cn-hangzhou (default OSS_REGION, else from the endpoint)")
	f.StringVarP(&g.accessKeyID, "access-key-id", "i", "", "access key `ID` (default OSS_ACCESS_KEY_ID)")
	f.StringVarP(&g.accessKeySecret, "access-key-secret", "k", "", "access key `SECRET`; other users can read a command line: better set OSS_ACCESS_KEY_SECRET")
	f.StringVarP(&g.stsToken, "sts-token", "t", "", "security `TOKEN` of temporary credentials; better set OSS_SESSION_TOKEN")
	f.StringVarP(&g.configFile, "config-file", "c", "", "read ossutil's configuration from `FILE` (default OSSUTIL_CONFIG_FILE, else ~/.config/osssync/config and ~/.ossutilconfig)")
	f.StringVar(&g.profile, "profile", "", "`NAME` of the profile in it; its keys win over those of the environment (default OSSUTIL_PROFILE)")
	f.BoolVar(&g.ignoreEnv, "ignore-env-var", false, "do not read OSS_ and OSSUTIL_ variables")
	g.mode = choice{allowed: credentialModes}
	f.Var(&g.mode, "mode", "kind of credentials: "+strings.Join(credentialModes, ", ")+" (default: what is there)")
	f.StringVar(&g.roleARN, "role-arn", "", "assume the RAM role of this `ARN` (default OSS_ROLE_ARN); also --ram-role-arn")
	f.StringVar(&g.roleSession, "role-session-name", "", "`NAME` of the session of the role (default OSS_ROLE_SESSION_NAME, else osssync)")
	f.StringVar(&g.externalID, "external-id", "", "external `ID` that the role asks for")
	f.StringVar(&g.ecsRole, "ecs-role-name", "", "`NAME` of the ECS machine's role (default: ask the machine)")
	f.StringVar(&g.oidcProvider, "oidc-provider-arn", "", "`ARN` of the OIDC provider (default ALIBABA_CLOUD_OIDC_PROVIDER_ARN)")
	f.StringVar(&g.oidcTokenFile, "oidc-token-file", "", "`FILE` of the OIDC token (default ALIBABA_CLOUD_OIDC_TOKEN_FILE)")
	f.StringVar(&g.stsEndpoint, "sts-endpoint", "", "`HOST` of the STS (default sts.aliyuncs.com)")
	g.signVersion = choice{allowed: []string{"v1", "v2", "v4"}}
	f.Var(&g.signVersion, "sign-version", "signature: v1, v2 or v4 (default v4 where the region is known, else v1)")
	g.addressing = choice{allowed: []string{"virtual", "path", "cname"}}
	f.Var(&g.addressing, "addressing-style", "where the bucket stands in a URL: virtual, path or cname (default by the endpoint)")
	g.payer = choice{allowed: []string{"requester"}}
	f.Var(&g.payer, "request-payer", "requester: agree to pay for requests to a bucket whose owner wants that")
	g.encoding = choice{allowed: []string{"url"}}
	f.Var(&g.encoding, "encoding-type", "url: in SRC, DST and URLs, keys and names of files are written with %XX and + for a blank, as of ossutil; implies --raw")
	f.Var(&g.connectTimeout, "connect-timeout", "give up connecting after this time, as 10 or 10s")
	f.Var(&g.readTimeout, "read-timeout", "give up a request that moves no byte for this time, as 60 or 1m")
	f.StringVar(&g.proxy, "proxy", "", "HTTP proxy `URL` (default HTTPS_PROXY, HTTP_PROXY, NO_PROXY)")
	f.BoolVar(&g.skipVerify, "skip-verify-cert", false, "do not check the service's certificate: anybody on the way can read and change everything")
	g.retryTimes = count{min: 0, max: 100, value: -1}
	f.Var(&g.retryTimes, "retry-times", "`N` further tries of a request that failed (default 9)")
	g.job, g.parallel = count{min: 1, max: 1024, auto: true}, count{min: 1, max: 1024, auto: true}
	f.VarP(&g.job, "job", "j", fmt.Sprintf("`N` requests at once, 1 to 1024 or auto (auto is %d); also --jobs", transfer.DefaultConcurrency))
	f.Var(&g.parallel, "parallel", fmt.Sprintf("`N` parts of one object at once, 1 to 1024 or auto (auto is %d)", transfer.DefaultParallel))
	g.checkers = count{min: 1, max: 1024}
	f.Var(&g.checkers, "checkers", "`N` objects at once that are compared by asking for them or reading files, at most --job (default as many)")
	f.Var(&g.partSize, "part-size", "`SIZE` of a part, as 8Mi, 64M or bytes; K, M, G, T are binary, like Ki, Mi, Gi, Ti (default 8Mi)")
	f.Var(&g.threshold, "bigfile-threshold", "`SIZE` above which an object moves in parts (default 16Mi)")
	f.StringVar(&g.stateDir, "checkpoint-dir", "", "keep checkpoints in `DIR`; also --state-dir (default ~/.local/state/osssync or XDG_STATE_HOME)")
	f.BoolVar(&g.noResume, "no-resume", false, "forget what an interrupted run of the same command has done")
	f.BoolVar(&g.adopt, "adopt", false, "go on with an open upload of the same key that no checkpoint here knows, its parts proven; nobody else may be uploading there")
	f.BoolVar(&g.trust, "trust-checkpoint", false, "do not read back what an earlier run has downloaded")
	f.BoolVar(&g.noCheckpoint, "no-checkpoint", false, "keep no checkpoint: an interrupted run starts over")
	f.BoolVar(&g.unsafeState, "state-dir-unsafe", false, "allow checkpoints on a network file system")
	f.BoolVar(&g.json, "json", false, "one JSON object per line on stdout; see: osssync help json")
	f.BoolVarP(&g.quiet, "quiet", "q", false, "no progress")
	f.BoolVar(&g.noProgress, "no-progress", false, "no progress")
	f.BoolVar(&g.onlyErrors, "only-show-errors", false, "nothing but errors")
	f.StringVar(&g.logFile, "log-file", "", "append a log to `FILE`: begin, warnings, failures, what ended it, and the summary; also --log")
	g.logLevel = choice{allowed: []string{"off", "error", "info", "debug"}}
	f.Var(&g.logLevel, "loglevel", "off, error, info or debug (default info with --log-file, else off)")
	g.logFormat = choice{allowed: []string{"text", "json"}}
	f.Var(&g.logFormat, "log-format", "text or json (default json with --log-file, else text)")
	f.StringVar(&g.report, "report", "", "write the job's report to `FILE`, as JSON")
	g.limits.register(f)
}

var credentialModes = []string{"AK", "StsToken", "RamRoleArn", "ChainableRamRoleArn", "EcsRamRole", "OIDC", "Process", "Anonymous"}

const envPrefix = "OSSSYNC_"

// fromEnvironment sets the flags that the command line does not set and the
// environment does: --part-size from OSSSYNC_PART_SIZE.
// It notes where each value comes from.
func (s *settings) fromEnvironment(cmd *cobra.Command) error {
	s.origins = map[string]string{}
	var failure error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed {
			s.origins[f.Name] = "flag"
		}
		if f.Changed || f.Name == "help" || failure != nil {
			return
		}
		value, origin := environmentDefault(f.Name)
		if value == "" {
			return
		}
		if err := f.Value.Set(value); err != nil {
			failure = &usageError{message: fmt.Sprintf("%s: %v", strings.TrimPrefix(origin, "environment "), err)}
		}
		s.origins[f.Name] = origin
	})
	return failure
}

// environmentDefault is what the environment says of a flag, in any of its
// spellings, "" if nothing.
func environmentDefault(name string) (value, origin string) {
	for _, spelling := range spellings(name) {
		variable := envPrefix + strings.ToUpper(strings.ReplaceAll(spelling, "-", "_"))
		if value := os.Getenv(variable); value != "" {
			return value, "environment " + variable
		}
	}
	return "", ""
}

// secretFlags never appear in what is printed, and are warned about.
var secretFlags = []string{"access-key-secret", "sts-token"}

// warnSecrets says that a command line is no place for a secret.
func (a *app) warnSecrets(cmd *cobra.Command) {
	for _, name := range secretFlags {
		if f := cmd.Flags().Lookup(name); f != nil && f.Changed {
			a.warn("other users of this machine can read --%s on a command line; set OSSSYNC_%s in its place", name, strings.ToUpper(strings.ReplaceAll(name, "-", "_")))
		}
	}
}

// checkHosts refuses hosts with a user in front: what is printed later, as the
// command line that goes on, would have the password in it.
func (g *globalFlags) checkHosts() error {
	for _, f := range [][2]string{{"endpoint", g.endpoint}, {"sts-endpoint", g.stsEndpoint}} {
		if strings.Contains(f[1], "@") {
			return &usageError{message: "--" + f[0] + ": must not hold a user or password"}
		}
	}
	return nil
}

// byteSize is a flag of bytes: 100Mi, 5G, 4096.
type byteSize int64

func (b *byteSize) String() string {
	if *b == 0 {
		return ""
	}
	return fmt.Sprint(int64(*b))
}
func (b *byteSize) Type() string { return "size" }

func (b *byteSize) Set(s string) error {
	n, err := parseSize(s)
	*b = byteSize(n)
	return err
}

// count is a flag of a number within bounds; 0 stands for auto.
type count struct {
	min, max, value int64
	auto            bool
}

func (c *count) String() string {
	if c.value < c.min {
		return "" // not set, or auto
	}
	return fmt.Sprint(c.value)
}
func (c *count) Type() string { return "n" }

func (c *count) Set(s string) error {
	if c.auto && s == "auto" {
		c.value = 0
		return nil
	}
	n, err := parseDigits(s)
	if err != nil || n < c.min || n > c.max {
		return fmt.Errorf("want a number from %d to %d", c.min, c.max)
	}
	c.value = n
	return nil
}

// choice is a flag of a few words, told apart without regard to case.
type choice struct {
	allowed []string
	value   string
}

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return "word" }

func (c *choice) Set(s string) error {
	i := slices.IndexFunc(c.allowed, func(w string) bool { return strings.EqualFold(w, s) })
	if i < 0 {
		return fmt.Errorf("want one of %s", strings.Join(c.allowed, ", "))
	}
	c.value = c.allowed[i]
	return nil
}

// timeout is a flag of a duration, in seconds if it has no unit.
type timeout time.Duration

func (t *timeout) String() string {
	if *t == 0 {
		return ""
	}
	return time.Duration(*t).String()
}
func (t *timeout) Type() string { return "time" }

func (t *timeout) Set(s string) error {
	d, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, digits := parseDigits(days); digits == nil && n < 1e5 {
			d, err = time.Duration(n)*24*time.Hour, nil
		}
	}
	if n, digits := parseDigits(s); digits == nil && n < 1e9 {
		d, err = time.Duration(n)*time.Second, nil
	}
	if err != nil || d <= 0 {
		return fmt.Errorf("want a time such as 10 (seconds), 500ms or 2m")
	}
	*t = timeout(d)
	return nil
}
