package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss/emulator"
)

const serveLong = `Serve the OSS protocol from a folder, for tests and offline work, until it is
interrupted. When it is ready stdout gets one line of JSON with the endpoint and,
where keys were made, the keys; stderr says the same for people.

Without --access-key-id and --access-key-secret (or OSSSYNC_ACCESS_KEY_ID and
OSSSYNC_ACCESS_KEY_SECRET) it makes a pair of keys. Only
this machine can reach it, unless --listen names another address and
--listen-anyway is given: requests are signed, but not encrypted without --tls.

A bucket is addressed by path, or as BUCKET.localhost; --domain adds names to
localhost, and --cname a host that is a bucket. --tls serves https, with an
authority of its own that clients must trust: its certificate, ca.pem, is in
--tls-dir and named in the line of JSON. It is good for these names alone.

--faults stages failures: one per line of its file, KIND[=VALUE] [CONDITION=VALUE]...

  503 on=UploadPart key=logs/* nth=3     the third part below logs/ is refused
  latency=20ms jitter=10ms prob=0.1      one request in ten is slower
  lost on=PutObject every=10             done, but the client never hears of it

  answering   503[=CODE] qps=N throttle=RATE expire html[=STATUS] stall[=D]
              reset[=before|body|after]
  spoiling    lost[=STATUS] truncate[=N] flip[=N] etag=wrong crc=wrong repeat
              endearly shuffle vanish change clock=D latency=D bandwidth=RATE
  with        retry=D location=URL jitter=D at=N dir=up|down per=connection|total
  conditions  on=OPERATION bucket=NAME key=PATTERN nth=N every=N max=N prob=P
              seed=N from=D to=D

The package oss/emulator says what each does. At the end stderr says how often
each came true; the request log names it in each line.
`

// defaultListen is 677, "OSS" on a telephone's keys, and a zero: no service
// that developers run is known to use it.
const defaultListen = "127.0.0.1:6770"

func newServeCommand(a *app) *cobra.Command {
	v := &serving{app: a}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the OSS protocol from a folder",
		Long:  serveLong + "\n" + exitHelp,
		Args:  upTo(0),
		RunE:  func(cmd *cobra.Command, _ []string) error { return v.run(cmd.Context()) },
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&v.dir, "dir", "", "keep everything in `DIR` (default: in memory, until the end)")
	cmd.Flags().StringVar(&v.listen, "listen", defaultListen, "listen on `ADDR`, port 0 for any that is free; also --addr")
	cmd.Flags().BoolVar(&v.anyway, "listen-anyway", false, "allow an address that other machines can reach")
	cmd.Flags().StringArrayVar(&v.domains, "domain", nil, "let BUCKET.`NAME` address a bucket, as BUCKET.localhost does; may be repeated")
	cmd.Flags().StringToStringVar(&v.cnames, "cname", nil, "let a host be a bucket: `HOST=BUCKET`; may be repeated")
	cmd.Flags().BoolVar(&v.tls, "tls", false, "serve https")
	cmd.Flags().StringVar(&v.tlsDir, "tls-dir", "", "keep the authority of --tls in `DIR` (default: tls in --dir)")
	cmd.Flags().StringVar(&v.faults, "faults", "", "stage the failures in `FILE`, one per line")
	cmd.Flags().StringVar(&v.requestLog, "request-log", "", "append a line of JSON per request to `FILE`")
	return cmd
}

// serving is one serve.
type serving struct {
	app        *app
	dir        string
	listen     string
	anyway     bool
	domains    []string
	cnames     map[string]string
	tls        bool
	tlsDir     string
	faults     string
	requestLog string
}

// readyLine tells a program where to go. Keys that the caller gave are not
// repeated.
type readyLine struct {
	V               int    `json:"v"`
	Type            string `json:"type"`
	Endpoint        string `json:"endpoint"`
	AccessKeyID     string `json:"access_key_id"`
	AccessKeySecret string `json:"access_key_secret,omitempty"`
	CAFile          string `json:"ca_file,omitempty"`
}

func (v *serving) run(ctx context.Context) (err error) {
	near, err := isLoopback(v.listen)
	if err != nil {
		return &usageError{message: "--listen: " + oneLine(err.Error()), hint: "write host:port, such as " + defaultListen}
	}
	if !near && !v.anyway {
		return &usageError{
			message: fmt.Sprintf("--listen %s: other machines can reach this address", printable(v.listen)),
			hint:    "use 127.0.0.1, or give --listen-anyway",
		}
	}
	opts, err := v.options()
	if err != nil {
		return err
	}
	if v.requestLog != "" {
		file, err := os.OpenFile(v.requestLog, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return &usageError{message: "--request-log: " + err.Error()}
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		opts.RequestLog = file
	}
	server, err := emulator.Open(opts)
	if _, busy := errors.AsType[*emulator.InUseError](err); err != nil && !busy && v.dir == "" {
		return &usageError{message: err.Error()} // in memory only options can be wrong
	}
	if err != nil {
		return err
	}
	endpoint, err := server.Start(v.listen)
	if err == nil {
		if err = v.ready(server, endpoint); err == nil {
			<-ctx.Done()
			v.app.printf("stopping")
			for _, c := range server.FaultCounts() {
				v.app.printf("fault %s: %d of %d requests", printable(c.Fault.String()), c.Fired, c.Matched)
			}
		}
	}
	return errors.Join(err, server.Close())
}

// options reads what the flags say of the server.
func (v *serving) options() (*emulator.Options, error) {
	f := &v.app.flags
	if (f.accessKeyID == "") != (f.accessKeySecret == "") {
		return nil, &usageError{message: "--access-key-id and --access-key-secret go together"}
	}
	opts := &emulator.Options{
		Dir: v.dir, AccessKeyID: f.accessKeyID, AccessKeySecret: f.accessKeySecret, Region: f.region, Logger: v.app.log,
		Domains: v.domains, CNAMEs: v.cnames,
	}
	if v.dir != "" {
		if err := checkServerDir(v.dir); err != nil {
			return nil, err
		}
	}
	switch {
	case v.tlsDir != "":
		opts.TLSDir = v.tlsDir
	case v.tls && v.dir != "":
		opts.TLSDir = filepath.Join(v.dir, "tls")
	case v.tls:
		return nil, &usageError{message: "--tls has no folder for its authority", hint: "give --tls-dir, or --dir"}
	}
	if v.faults != "" {
		file, err := os.Open(v.faults)
		if err != nil {
			return nil, &usageError{message: "--faults: " + err.Error()}
		}
		defer file.Close()
		if opts.Faults, err = emulator.ParseFaults(file); err != nil {
			return nil, &usageError{message: fmt.Sprintf("--faults %s: %s", printable(v.faults), oneLine(err.Error()))}
		}
	}
	return opts, nil
}

// ready announces the server.
func (v *serving) ready(server *emulator.Server, endpoint string) error {
	id, secret := server.Credentials()
	line := readyLine{V: jsonVersion, Type: "serve", Endpoint: endpoint, AccessKeyID: id, AccessKeySecret: secret, CAFile: server.CAFile()}
	if abs, err := filepath.Abs(line.CAFile); err == nil && line.CAFile != "" {
		line.CAFile = abs
	}
	exports := [][2]string{
		{"OSS_ENDPOINT", endpoint},
		{"OSS_REGION", cmp.Or(v.app.flags.region, "cn-hangzhou")},
		{"OSS_ACCESS_KEY_ID", id},
	}
	own := v.app.flags.accessKeySecret != ""
	if own {
		line.AccessKeySecret = ""
	} else {
		exports = append(exports, [2]string{"OSS_ACCESS_KEY_SECRET", secret})
	}
	if line.CAFile != "" {
		exports = append(exports, [2]string{"SSL_CERT_FILE", line.CAFile})
	}
	var b strings.Builder
	fmt.Fprintf(&b, "osssync: serving %s at %s; stop with Ctrl-C. To use it elsewhere:\n", cmp.Or(printable(v.dir), "memory"), endpoint)
	for _, pair := range exports {
		fmt.Fprintf(&b, "export %s=%s\n", pair[0], quoteWord(pair[1]))
	}
	if own {
		b.WriteString("# and OSS_ACCESS_KEY_SECRET, as you gave it\n")
	}
	if _, err := io.WriteString(v.app.stderr, b.String()); err != nil {
		v.app.log.Info("stderr is closed", "err", err)
	}
	return v.app.writeJSON(v.app.stdout, line)
}
