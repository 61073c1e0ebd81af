package main

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

const statLong = `Show what the service says about an object or a bucket.

  osssync stat oss://BUCKET/KEY
  osssync stat oss://BUCKET
`

func newStatCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "stat oss://BUCKET[/KEY]",
		Short: "Show an object's or bucket's properties",
		Long:  statLong + "\n" + exitHelp,
		Args:  exactly(1, "the URL of an object or bucket"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := parseRemote(args[0])
			if err != nil {
				return err
			}
			return a.with(cmd, []string{p.bucket}, func(s *service) error {
				fields, err := a.stat(cmd, s, p)
				if err != nil {
					return err
				}
				return a.printFields(fields)
			})
		},
	}
	return cmd
}

// field is one property, in the order it is printed in.
type field struct{ name, value string }

func (a *app) stat(cmd *cobra.Command, s *service, p place) ([]field, error) {
	if p.key == "" {
		info, err := s.bucket(p).GetBucketInfo(cmd.Context())
		if err != nil {
			return nil, err
		}
		return []field{
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
		}, nil
	}
	meta, err := s.bucket(p).HeadObject(cmd.Context(), p.key, nil)
	if err != nil {
		return nil, err
	}
	fields := []field{
		{"Content-Length", strconv.FormatInt(meta.Size, 10)},
		{"Content-Type", meta.ContentType},
		{"ETag", meta.ETag},
		{"Last-Modified", timestamp(meta.LastModified)},
	}
	return append(fields, headerFields(meta.Header)...), nil
}

// headerFields are the other headers that describe the object.
func headerFields(h http.Header) []field {
	var fields []field
	for name, values := range h {
		known := strings.HasPrefix(name, "X-Oss-") || strings.HasPrefix(name, "Content-") ||
			name == "Cache-Control" || name == "Expires"
		if known && !slices.Contains([]string{
			"Content-Length", "Content-Type", "X-Oss-Request-Id", "X-Oss-Server-Time", "X-Oss-Ec",
		}, name) {
			fields = append(fields, field{name, strings.Join(values, ", ")})
		}
	}
	slices.SortFunc(fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return fields
}

// printFields writes one field per line, or all as one object of JSON.
func (a *app) printFields(fields []field) error {
	if a.flags.json {
		line := map[string]any{"v": jsonVersion, "type": "stat"}
		for _, f := range fields {
			line[strings.ToLower(f.name)] = f.value
		}
		return a.writeJSON(a.stdout, line)
	}
	for _, f := range fields {
		if f.value == "" {
			continue
		}
		if _, err := fmt.Fprintf(a.stdout, "%-30s: %s\n", printable(f.name), printable(f.value)); err != nil {
			return err
		}
	}
	return nil
}
