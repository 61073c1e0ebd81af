package main

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
)

const lsLong = `List buckets, objects, or uploads that were begun and not completed.

  osssync ls                       the account's buckets
  osssync ls oss://BUCKET/PREFIX   the objects whose keys begin with PREFIX
  osssync ls -d oss://BUCKET/P/    one level below P/
  osssync ls -m oss://BUCKET       unfinished uploads
`

func newLsCommand(a *app) *cobra.Command {
	l := &listing{app: a, limit: count{min: 1, max: 1 << 40}}
	cmd := &cobra.Command{
		Use:   "ls [oss://BUCKET[/PREFIX]]",
		Short: "List buckets and objects",
		Long:  lsLong + "\n" + exitHelp,
		Args:  upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return l.run(cmd, args)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVarP(&l.short, "short-format", "s", false, "only the URLs")
	cmd.Flags().BoolVarP(&l.oneLevel, "directory", "d", false, "only one level, folders as one line")
	cmd.Flags().BoolVarP(&l.uploads, "multipart", "m", false, "unfinished uploads in place of objects")
	cmd.Flags().Var(&l.limit, "limited-num", "stop after `N` lines")
	return cmd
}

// listing is one ls.
type listing struct {
	app      *app
	short    bool
	oneLevel bool
	uploads  bool
	limit    count

	out *bufio.Writer
	n   int64
}

// flushEvery rows reach the reader together.
const flushEvery = 1000

// row is one line of a listing.
type row struct {
	url  string
	long string // what stands before the URL
	json any
}

func (l *listing) run(cmd *cobra.Command, args []string) error {
	l.out = bufio.NewWriterSize(l.app.stdout, 64<<10)
	if len(args) == 0 || args[0] == scheme {
		if l.uploads {
			return &usageError{message: "-m lists the uploads of a bucket", hint: "osssync ls -m oss://BUCKET"}
		}
		return l.app.with(cmd, nil, func(s *service) error { return l.buckets(cmd, s) })
	}
	p, err := parseRemote(args[0])
	if err != nil {
		return err
	}
	return l.app.with(cmd, []string{p.bucket}, func(s *service) error {
		if l.uploads {
			return l.multipart(cmd, s, p)
		}
		return l.objects(cmd, s, p)
	})
}

func (l *listing) buckets(cmd *cobra.Command, s *service) error {
	return l.print("Bucket Number is", fmt.Sprintf("%-29s  %-20s  %-13s  %s", "CreationTime", "Region", "StorageClass", "BucketName"),
		func(yield func(row, error) bool) {
			for b, err := range s.client.Buckets(cmd.Context(), nil) {
				url := scheme + b.Name
				if !yield(row{
					url:  url,
					long: fmt.Sprintf("%-29s  %-20s  %-13s", timestamp(b.CreationDate), printable(b.Location), printable(b.StorageClass)),
					json: bucketLine{V: jsonVersion, Type: "bucket", URL: url, Name: b.Name, Region: b.Region, StorageClass: b.StorageClass, Created: b.CreationDate},
				}, err) {
					return
				}
			}
		})
}

func (l *listing) objects(cmd *cobra.Command, s *service, p place) error {
	opts := &oss.ListObjectsV2Options{Prefix: p.key}
	title := "Object Number is"
	if l.oneLevel {
		opts.Delimiter, title = "/", "Object and Directory Number is"
	}
	return l.print(title, fmt.Sprintf("%-29s  %14s  %-13s  %-36s  %s", "LastModifiedTime", "Size(B)", "StorageClass", "ETAG", "ObjectName"),
		func(yield func(row, error) bool) {
			for o, err := range s.bucket(p).Objects(cmd.Context(), opts) {
				r := row{url: scheme + p.bucket + "/" + o.Key}
				if o.IsPrefix {
					r.long = fmt.Sprintf("%-29s  %14s  %-13s  %-36s", "", "", "", "")
					r.json = prefixLine{V: jsonVersion, Type: "prefix", URL: r.url, Key: o.Key}
				} else {
					r.long = fmt.Sprintf("%-29s  %14d  %-13s  %-36s", timestamp(o.LastModified), o.Size, printable(o.StorageClass), printable(o.ETag))
					r.json = listedLine{
						V: jsonVersion, Type: "object", URL: r.url, Key: o.Key, Size: o.Size, ETag: o.ETag,
						LastModified: o.LastModified, StorageClass: o.StorageClass, ObjectType: o.Type,
					}
				}
				if !yield(r, err) {
					return
				}
			}
		})
}

func (l *listing) multipart(cmd *cobra.Command, s *service, p place) error {
	return l.print("UploadId Number is", fmt.Sprintf("%-29s  %-36s  %s", "InitiatedTime", "UploadID", "ObjectName"),
		func(yield func(row, error) bool) {
			for u, err := range s.bucket(p).MultipartUploads(cmd.Context(), &oss.ListMultipartUploadsOptions{Prefix: p.key}) {
				line := newUploadLine(p, u)
				if !yield(row{
					url:  line.URL,
					long: fmt.Sprintf("%-29s  %-36s", timestamp(u.Initiated), printable(u.UploadID)),
					json: line,
				}, err) {
					return
				}
			}
		})
}

// print writes rows as they come. What came before an error is printed.
func (l *listing) print(title, header string, rows func(func(row, error) bool)) error {
	var failure error
	if !l.short && !l.app.flags.json {
		failure = l.line(header)
	}
	for r, err := range rows {
		if err == nil && failure == nil && l.limit.value > 0 && l.n >= l.limit.value {
			break
		}
		if failure = firstError(failure, err); failure != nil {
			break
		}
		if failure = l.row(r); failure != nil {
			break
		}
		if l.n++; l.n%flushEvery == 0 {
			failure = l.out.Flush()
		}
	}
	if failure == nil {
		failure = l.end(title)
	}
	return firstError(failure, l.out.Flush())
}

func (l *listing) row(r row) error {
	switch {
	case l.app.flags.json:
		return l.app.writeJSON(l.out, r.json)
	case l.short:
		return l.line(printable(r.url))
	}
	return l.line(r.long + "  " + printable(r.url))
}

func (l *listing) end(title string) error {
	if l.app.flags.json {
		return l.app.writeJSON(l.out, countLine{V: jsonVersion, Type: "summary", Count: l.n})
	}
	return l.line(fmt.Sprintf("%s: %d", title, l.n))
}

func (l *listing) line(s string) error {
	_, err := io.WriteString(l.out, s+"\n")
	return err
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// timestamp is t as ossutil writes it, in UTC.
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 -0700 MST")
}
