package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
)

const statLong = `Show what the service says about objects or buckets.

  osssync stat oss://BUCKET/KEY...
  osssync stat --version-id ID oss://BUCKET/KEY
  osssync stat oss://BUCKET

Of several names, those that fail do not stop the others.

`

func newStatCommand(a *app) *cobra.Command {
	var (
		versionID string
		raw       bool
	)
	cmd := &cobra.Command{
		Use:   "stat oss://BUCKET[/KEY]...",
		Short: "Show properties of objects and buckets",
		Long:  statLong + globHelp + "\n" + exitHelp,
		Args:  atLeastOne("the URL of an object or bucket"),
		RunE: func(cmd *cobra.Command, args []string) error {
			places := make([]place, len(args))
			for i, arg := range args {
				var err error
				if places[i], err = parseRemote(arg); err != nil {
					return err
				}
			}
			if versionID != "" && (len(places) > 1 || places[0].key == "") {
				return &usageError{message: "--version-id names a version of one object"}
			}
			return a.withEngine(cmd, namedBuckets(places), func(r *requester) error {
				n := 0
				return a.several(cmd.Context(), r, places, raw || versionID != "", func(p place) error {
					fields, line, err := r.stat(cmd.Context(), p, versionID)
					if err != nil {
						return err
					}
					if n++; n > 1 && !a.flags.json {
						fmt.Fprintln(a.stdout) //nolint:errcheck // the next write says so
					}
					return a.printFields(fields, line)
				})
			})
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&versionID, "version-id", "", "this version `ID` of the one object")
	addRaw(cmd, &raw)
	return cmd
}

// field is one property, in the order it is printed in.
type field struct{ name, value string }

// stat asks about p. line is what --json prints of it.
func (r *requester) stat(ctx context.Context, p place, versionID string) (fields []field, line any, err error) {
	if p.key == "" {
		return r.statBucket(ctx, p)
	}
	version := &oss.VersionOptions{VersionID: versionID}
	var (
		meta        *oss.ObjectMeta
		acl, target string
	)
	err = r.engine.Try(ctx, "", func(ctx context.Context) (err error) {
		meta, err = r.bucket(p).HeadObject(ctx, p.key, &oss.HeadObjectOptions{VersionID: versionID})
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	err = r.engine.Try(ctx, "", func(ctx context.Context) (err error) {
		acl, err = r.bucket(p).GetObjectACL(ctx, p.key, version)
		return err
	})
	if err != nil && !errors.Is(err, oss.ErrAccessDenied) { // to read is not to see who else may
		return nil, nil, err
	}
	if meta.Type == "Symlink" {
		err = r.engine.Try(ctx, "", func(ctx context.Context) (err error) {
			target, err = r.bucket(p).GetSymlink(ctx, p.key, version)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
	}
	fields = []field{
		{"URL", p.url()},
		{"Content-Length", strconv.FormatInt(meta.Size, 10)},
		{"Content-Type", meta.ContentType},
		{"ETag", meta.ETag},
		{"Last-Modified", timestamp(meta.LastModified)},
		{"ACL", acl},
		{"Symlink-Target", target},
	}
	return append(fields, headerFields(meta.Header)...), newObjectStatLine(p, meta, acl, target), nil
}

func (r *requester) statBucket(ctx context.Context, p place) (fields []field, line any, err error) {
	var (
		info  *oss.BucketInfo
		usage *oss.BucketStat
	)
	err = r.engine.Try(ctx, "", func(ctx context.Context) (err error) {
		info, err = r.bucket(p).GetBucketInfo(ctx)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	err = r.engine.Try(ctx, "", func(ctx context.Context) (err error) {
		usage, err = r.bucket(p).GetBucketStat(ctx)
		return err
	})
	if err != nil && !errors.Is(err, oss.ErrAccessDenied) {
		return nil, nil, err
	}
	fields = []field{
		{"URL", p.url()},
		{"Name", info.Name},
		{"Location", info.Location},
		{"CreationDate", timestamp(info.CreationDate)},
		{"ExtranetEndpoint", info.ExtranetEndpoint},
		{"IntranetEndpoint", info.IntranetEndpoint},
		{"ACL", info.ACL},
		{"Owner", info.Owner.ID},
		{"StorageClass", info.StorageClass},
		{"RedundancyType", info.DataRedundancyType},
		{"Versioning", info.Versioning},
		{"Encryption", encryption(info)},
		{"KMSMasterKeyID", info.KMSMasterKeyID},
		{"AccessMonitor", info.AccessMonitor},
		{"TransferAcceleration", info.TransferAcceleration},
		{"CrossRegionReplication", info.CrossRegionReplication},
		{"ResourceGroup", info.ResourceGroupID},
		{"BlockPublicAccess", onlyTrue(info.BlockPublicAccess)},
		{"Comment", info.Comment},
	}
	if usage != nil {
		fields = append(fields,
			field{"Objects", strconv.FormatInt(usage.ObjectCount, 10)},
			field{"Storage", fmt.Sprintf("%d (%s)", usage.Storage, size(usage.Storage))},
			field{"Uploads", strconv.FormatInt(usage.MultipartUploadCount, 10)},
			field{"CountedAt", timestamp(usage.LastModified.Time)},
		)
	}
	return fields, newBucketStatLine(p, info, usage), nil
}

// encryption is the algorithm of a bucket that has one.
func encryption(info *oss.BucketInfo) string {
	if info.SSEAlgorithm == "None" {
		return ""
	}
	return info.SSEAlgorithm
}

func onlyTrue(b bool) string {
	if b {
		return "true"
	}
	return ""
}

// headerFields are the other headers that describe the object.
func headerFields(h http.Header) []field {
	var fields []field
	for name, value := range describing(h) {
		if !slices.Contains([]string{"Content-Length", "Content-Type"}, name) {
			fields = append(fields, field{name, value})
		}
	}
	slices.SortFunc(fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return fields
}

// describing are the headers that say something of the object, and not of the
// answer.
func describing(h http.Header) map[string]string {
	m := make(map[string]string)
	for name, values := range h {
		known := strings.HasPrefix(name, "X-Oss-") || strings.HasPrefix(name, "Content-") ||
			name == "Cache-Control" || name == "Expires"
		if known && !slices.Contains([]string{"X-Oss-Request-Id", "X-Oss-Server-Time", "X-Oss-Ec"}, name) {
			m[name] = strings.Join(values, ", ")
		}
	}
	return m
}

// printFields writes one field per line, or line as JSON.
func (a *app) printFields(fields []field, line any) error {
	if a.flags.json {
		return a.writeJSON(a.stdout, line)
	}
	for _, f := range fields {
		value := printable(f.value)
		if f.name == "URL" {
			value = a.name(f.value)
		}
		if f.value == "" {
			continue
		}
		if _, err := fmt.Fprintf(a.stdout, "%-30s: %s\n", printable(f.name), value); err != nil {
			return err
		}
	}
	return nil
}
