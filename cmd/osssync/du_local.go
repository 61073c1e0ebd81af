package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/osssync/osssync/transfer"
	"github.com/osssync/osssync/transfer/filter"
)

// local adds up the regular files of a folder: links are not followed, as cp -r
// does not.
func (d *du) local(ctx context.Context, p place) error {
	info, err := os.Stat(p.path)
	if err != nil {
		return err
	}
	total := sums{1, info.Size()}
	if info.IsDir() {
		total, err = d.walk(ctx, p.path, "", 0)
		if err != nil {
			return err
		}
	}
	return d.line(d.usage("summary", p, total), total, d.app.name(p.path))
}

// readAtOnce is how many names of a folder are in memory.
const readAtOnce = 1000

// walk adds up the folder at path, which lies so many levels deep and, to
// filters, begins names with name. What cannot
// be read is said and left out. Its memory is that for names of folders.
func (d *du) walk(ctx context.Context, path, name string, level int64) (sums, error) {
	var (
		total   sums
		folders []string
	)
	f, err := os.Open(path)
	if err != nil {
		d.unread(err)
		return total, nil
	}
	for {
		entries, err := f.ReadDir(readAtOnce)
		for _, entry := range entries {
			switch {
			case entry.IsDir():
				if d.set.Dir(name + entry.Name()) {
					folders = append(folders, entry.Name())
				}
			case entry.Type().IsRegular():
				info, err := entry.Info()
				if errors.Is(err, fs.ErrNotExist) {
					continue // it has gone meanwhile
				}
				if err != nil {
					d.unread(err)
					continue
				}
				if d.set.Match(name+entry.Name(), filter.Info{Size: info.Size(), ModTime: info.ModTime()}).In {
					total.add(sums{1, info.Size()})
				}
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			d.unread(err)
			break
		}
		if ctx.Err() != nil {
			break
		}
	}
	if err := f.Close(); err != nil {
		return total, err
	}
	for _, folder := range folders {
		if ctx.Err() != nil {
			return total, context.Cause(ctx)
		}
		inner := filepath.Join(path, folder)
		s, err := d.walk(ctx, inner, name+folder+"/", level+1)
		if err != nil {
			return total, err
		}
		total.add(s)
		if level < d.depth.value {
			if err := d.folder(place{path: inner + string(filepath.Separator)}, s); err != nil {
				return total, err
			}
		}
	}
	return total, nil
}

func (d *du) unread(err error) {
	d.failed++
	d.app.printf("error: %s", oneLine(err.Error()))
	d.app.log.Error("failed", "err", err)
}

// unreadError says that the sums are too small. It matches
// transfer.ErrIncomplete.
type unreadError struct{ failed int64 }

func (e *unreadError) Error() string {
	return fmt.Sprintf("%s could not be read and is in no sum", number(e.failed, "name"))
}

// Is makes errors.Is(err, transfer.ErrIncomplete) true.
func (e *unreadError) Is(target error) bool { return target == transfer.ErrIncomplete }
