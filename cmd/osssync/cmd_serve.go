package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
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
--listen-anyway is given: requests are signed, but not encrypted.
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
	cmd.Flags().StringVar(&v.requestLog, "request-log", "", "append a line of JSON per request to `FILE`")
	return cmd
}

// serving is one serve.
type serving struct {
	app        *app
	dir        string
	listen     string
	anyway     bool
	requestLog string
}

// readyLine tells a program where to go. Keys that the caller gave are not
// repeated.
type readyLine struct {
	Endpoint        string `json:"endpoint"`
	AccessKeyID     string `json:"access_key_id"`
	AccessKeySecret string `json:"access_key_secret,omitempty"`
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
	f := &v.app.flags
	if (f.accessKeyID == "") != (f.accessKeySecret == "") {
		return &usageError{message: "--access-key-id and --access-key-secret go together"}
	}
	opts := &emulator.Options{
		Dir: v.dir, AccessKeyID: f.accessKeyID, AccessKeySecret: f.accessKeySecret, Region: f.region, Logger: v.app.log,
	}
	if v.dir != "" {
		if err := checkServerDir(v.dir); err != nil {
			return err
		}
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
	if err != nil {
		return err
	}
	endpoint, err := server.Start(v.listen)
	if err == nil {
		if err = v.ready(server, endpoint); err == nil {
			<-ctx.Done()
			v.app.printf("stopping")
		}
	}
	return errors.Join(err, server.Close())
}

// ready announces the server.
func (v *serving) ready(server *emulator.Server, endpoint string) error {
	id, secret := server.Credentials()
	line := readyLine{Endpoint: endpoint, AccessKeyID: id, AccessKeySecret: secret}
	shown := secret
	if v.app.flags.accessKeySecret != "" {
		line.AccessKeySecret, shown = "", "..."
	}
	var b strings.Builder
	fmt.Fprintf(&b, "osssync: serving %s at %s; stop with Ctrl-C. To use it elsewhere:\n", cmp.Or(printable(v.dir), "memory"), endpoint)
	for _, pair := range [][2]string{
		{"OSS_ENDPOINT", endpoint},
		{"OSS_REGION", cmp.Or(v.app.flags.region, "cn-hangzhou")},
		{"OSS_ACCESS_KEY_ID", id},
		{"OSS_ACCESS_KEY_SECRET", shown},
	} {
		fmt.Fprintf(&b, "export %s=%s\n", pair[0], quoteWord(pair[1]))
	}
	if _, err := io.WriteString(v.app.stderr, b.String()); err != nil {
		v.app.log.Info("stderr is closed", "err", err)
	}
	return v.app.writeJSON(v.app.stdout, line)
}
