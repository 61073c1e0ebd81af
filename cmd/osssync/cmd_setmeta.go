package main

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
)

const setMetaLong = `Change the headers and user metadata that objects are served with. No byte of them
moves, and access, tags, class and encryption stay.

  osssync set-meta oss://BUCKET/KEY 'Content-Type: text/csv' 'X-Oss-Meta-Team: data'
  osssync set-meta -u oss://BUCKET/KEY 'Cache-Control: no-cache'
  osssync set-meta --delete -r oss://BUCKET/P/ X-Oss-Meta-Team
  osssync set-meta -u oss://BUCKET/KEY 'Cache-Control:no-cache#X-Oss-Meta-A:b'

What is given takes the place of all there was, but for the Content-Type; -u keeps
the others. One object is at most 5 GiB, and an archived one is restored first.

`

// servedHeaders are those that set-meta sets besides user metadata.
var servedHeaders = []string{"Content-Type", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Expires"}

const metaHeader = "X-Oss-Meta-"

func newSetMetaCommand(a *app) *cobra.Command {
	var update, remove bool
	i := &inPlace{app: a, verb: "set the metadata of"}
	cmd := &cobra.Command{
		Use:   "set-meta oss://BUCKET/KEY 'NAME: VALUE'...",
		Short: "Change headers and metadata of objects",
		Long:  setMetaLong + globHelp + "\n" + exitHelp,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return &usageError{message: "missing the URL of an object and a header", help: true}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := parseRemote(args[0])
			if err != nil {
				return err
			}
			if update && remove {
				return &usageError{message: "--delete keeps the others as it is: it goes without --update"}
			}
			change, err := parseHeaders(args[1:], remove)
			if err != nil {
				return err
			}
			i.do = func(ctx context.Context, r *requester, p place) error {
				return r.setMeta(ctx, p, i.versionID, change, update || remove)
			}
			return i.run(cmd, p)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVarP(&update, "update", "u", false, "keep what is not named")
	cmd.Flags().BoolVar(&remove, "delete", false, "remove the headers named, keep the others")
	i.register(cmd)
	return cmd
}

// parseHeaders reads the headers to set, or with remove those to remove, which
// get the value "". Several stand in one argument with # between, as ossutil has
// them.
func parseHeaders(args []string, remove bool) (map[string]string, error) {
	change := make(map[string]string)
	for _, arg := range args {
		if remove {
			if strings.Contains(arg, ":") {
				return nil, &usageError{message: printable(arg) + ": --delete takes names alone"}
			}
			for text := range strings.SplitSeq(arg, "#") {
				name := http.CanonicalHeaderKey(strings.TrimSpace(text))
				if err := checkServed(name, text); err != nil {
					return nil, err
				}
				change[name] = ""
			}
			continue
		}
		for _, text := range splitHeaders(arg) {
			name, value, err := parseHeader(text)
			if err != nil {
				err.hint = cmp.Or(err.hint, "remove a header with --delete")
				return nil, err
			}
			change[name] = value
		}
	}
	return change, nil
}

// setMeta changes the headers of p, which must not change meanwhile.
func (r *requester) setMeta(ctx context.Context, p place, versionID string, change map[string]string, keep bool) error {
	var now *oss.ObjectMeta
	return r.engine.Try(ctx, "", func(ctx context.Context) (err error) {
		if now, err = r.bucket(p).HeadObject(ctx, p.key, &oss.HeadObjectOptions{VersionID: versionID}); err != nil {
			return err
		}
		headers := changed(now, change, keep)
		// A copy has the bucket's ACL unless it is given one.
		headers.ACL, err = r.bucket(p).GetObjectACL(ctx, p.key, &oss.VersionOptions{VersionID: versionID})
		if err != nil {
			return err
		}
		_, err = r.bucket(p).CopyObject(ctx, p.bucket, p.key, p.key, &oss.CopyObjectOptions{
			ObjectHeaders: headers, MetadataDirective: "REPLACE", SourceVersionID: versionID, IfMatch: now.ETag,
		})
		return err
	})
}

// changed are the headers that an object gets which has those of now.
func changed(now *oss.ObjectMeta, change map[string]string, keep bool) oss.ObjectHeaders {
	all := make(map[string]string)
	if keep {
		for _, name := range servedHeaders {
			all[name] = now.Header.Get(name)
		}
		for name, value := range now.Meta {
			all[http.CanonicalHeaderKey(metaHeader+name)] = value
		}
	}
	maps.Copy(all, change)
	h := oss.ObjectHeaders{
		StorageClass:              now.StorageClass,
		ServerSideEncryption:      now.Header.Get("X-Oss-Server-Side-Encryption"),
		ServerSideEncryptionKeyID: now.Header.Get("X-Oss-Server-Side-Encryption-Key-Id"),
		ServerSideDataEncryption:  now.Header.Get("X-Oss-Server-Side-Data-Encryption"),
	}
	setServed(&h, all)
	if h.ContentType == "" {
		h.ContentType = now.ContentType
	}
	return h
}
