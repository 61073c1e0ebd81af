package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
)

const presignLong = `Print a URL with which anybody can make one request until it expires. Nothing is
sent, and nobody checks that the object is there. The key is taken as it stands.

  osssync presign oss://BUCKET/KEY                       GET, for 15 minutes
  osssync presign oss://BUCKET/KEY --expires-duration 7d
  osssync presign oss://BUCKET/KEY --method PUT --header 'Content-Type: text/csv'
  osssync presign oss://BUCKET/a.jpg --query 'x-oss-process=image/resize,w_100'

The headers given are signed and must be sent with the request. The longest that V4
signs for is 7 days, and a URL signed with temporary credentials ends with them.

`

// presignDefault is how long a URL is good for, as in ossutil.
const presignDefault = 15 * time.Minute

func newPresignCommand(a *app) *cobra.Command {
	g := &presigning{app: a, expires: timeout(presignDefault)}
	cmd := &cobra.Command{
		Use:     "presign oss://BUCKET/KEY",
		Aliases: []string{"sign"},
		Short:   "Print a URL that lets others in for a while",
		Long:    presignLong + exitHelp,
		Args:    exactly(1, "the URL of an object"),
		RunE:    func(cmd *cobra.Command, args []string) error { return g.run(cmd, args) },
	}
	g.method = choice{allowed: []string{"GET", "HEAD", "PUT", "POST", "DELETE"}, value: "GET"}
	cmd.Flags().SortFlags = false
	cmd.Flags().Var(&g.expires, "expires-duration", "how long it is good for, as 15m, 12h, 7d, or in seconds; also --timeout")
	cmd.Flags().Var(&g.method, "method", "GET, HEAD, PUT, POST or DELETE")
	cmd.Flags().StringVar(&g.versionID, "version-id", "", "this version `ID` of the object")
	cmd.Flags().StringArrayVar(&g.headers, "header", nil, "`'NAME: VALUE'` that the request will send; may be repeated")
	cmd.Flags().StringArrayVar(&g.query, "query", nil, "`NAME=VALUE` to sign into the URL; may be repeated; also --query-param")
	return cmd
}

// presigning is one presign.
type presigning struct {
	app       *app
	expires   timeout
	method    choice
	versionID string
	headers   []string
	query     []string
}

// presignLine is a signed URL, as JSON.
type presignLine struct {
	V         int               `json:"v"`
	Type      string            `json:"type"`
	URL       string            `json:"url"`
	SignedURL string            `json:"signed_url"`
	Method    string            `json:"method"`
	Expires   time.Time         `json:"expires"`
	Headers   map[string]string `json:"headers,omitempty"`
}

func (g *presigning) run(cmd *cobra.Command, args []string) error {
	places, err := parseKeys(args)
	if err != nil {
		return err
	}
	opts, err := g.options()
	if err != nil {
		return err
	}
	if local, err := g.app.useLocal(cmd); err != nil {
		return err
	} else if local {
		return &usageError{
			message: "the server of --local ends with the command: nobody would answer the URL",
			hint:    "run the server with: osssync serve --dir DIR, and give its --endpoint",
		}
	}
	return g.app.with(cmd, nil, func(s *service) error { return g.sign(cmd.Context(), s, places[0], opts) })
}

func (g *presigning) sign(ctx context.Context, s *service, p place, opts *oss.SignURLOptions) error {
	expires := time.Now().Add(time.Duration(g.expires)).UTC().Truncate(time.Second)
	signed, err := s.bucket(p).SignURL(ctx, g.method.value, p.key, time.Duration(g.expires), opts)
	if _, usage := errors.AsType[*oss.UsageError](err); usage && time.Duration(g.expires) > 7*24*time.Hour {
		return &usageError{message: "--expires-duration: a URL is good for at most 7 days", hint: "give 7d or less, and make a new one when that is over"}
	}
	if err != nil {
		return err
	}
	if g.app.flags.json {
		line := presignLine{
			V: jsonVersion, Type: "presign", URL: p.url(), SignedURL: signed, Method: g.method.value,
			Expires: expires, Headers: make(map[string]string),
		}
		for name, values := range opts.Header {
			line.Headers[name] = strings.Join(values, ", ")
		}
		return g.app.writeJSON(g.app.stdout, line)
	}
	_, err = fmt.Fprintln(g.app.stdout, signed)
	return err
}

// options are what the flags add to the URL. Every header given is signed.
func (g *presigning) options() (*oss.SignURLOptions, error) {
	opts := &oss.SignURLOptions{Header: http.Header{}, Query: url.Values{}}
	for _, text := range g.headers {
		name, value, ok := strings.Cut(text, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, &usageError{message: "--header " + printable(text) + ": want 'NAME: VALUE'"}
		}
		opts.Header.Add(name, strings.TrimSpace(value))
		if lower := strings.ToLower(name); !strings.HasPrefix(lower, "x-oss-") && !strings.HasPrefix(lower, "content-") {
			opts.AdditionalHeaders = append(opts.AdditionalHeaders, name)
		}
	}
	for _, text := range g.query {
		name, value, _ := strings.Cut(text, "=")
		if name == "" {
			return nil, &usageError{message: "--query " + printable(text) + ": want NAME=VALUE"}
		}
		opts.Query.Add(name, value)
	}
	if g.versionID != "" {
		opts.Query.Set("versionId", g.versionID)
	}
	return opts, nil
}
