package main

import (
	"context"
	"errors"
	"strings"

	"github.com/osssync/osssync/transfer"
	"github.com/osssync/osssync/transfer/filter"
)

// expands reports whether SRC is a pattern, unless something has its very name.
func (c *copying) expands() bool {
	return c.globs && !c.flags.raw && c.src.remote() && isPattern(c.src.key)
}

// expand makes a SRC that is a pattern the folder it begins in, and c.pattern
// what is below that. If something is there by its very name, SRC stays.
func (c *copying) expand(s *service) error {
	engine, err := c.app.engine()
	if err != nil {
		return err
	}
	r := &requester{service: s, engine: engine}
	choose := r.selectKeys
	if c.flags.recursive {
		choose = func(ctx context.Context, p place, what content, raw bool) (*selection, error) {
			return r.selectTree(ctx, p, what, raw, nil)
		}
	}
	sel, err := choose(c.cmd.Context(), c.src, objects, false)
	if err != nil || sel.pattern == "" {
		return err
	}
	switch {
	case c.dst.stdio:
		return &usageError{message: "a pattern cannot go to stdout", hint: "write them with: osssync cat " + quoteWord(c.src.url())}
	case c.flags.versionID != "":
		return &usageError{message: "--version-id names one version of one object, and SRC is a pattern"}
	case c.flags.filter.includes():
		return &usageError{message: "SRC is a pattern, which includes, and so does a filter", hint: "copy the folder with -r and filters, or exclude from the pattern with --exclude"}
	}
	folder := sel.prefix[:strings.LastIndexByte(sel.prefix, '/')+1]
	c.origin, c.src.key, c.pattern = c.src, folder, sel.pattern[len(folder):]
	return nil
}

// filter is that of the flags and of the pattern.
func (c *copying) filter() (*filter.Set, error) {
	if c.pattern == "" {
		return c.flags.filter.set(c.cmd.Context(), c.app)
	}
	f := c.flags.filter
	f.last = filterPattern(c.pattern)
	if c.flags.recursive {
		f.last = withBelow(f.last)
	}
	return f.set(c.cmd.Context(), c.app)
}

// filterPattern is a pattern of names as the filters have it, from the root. In
// names **/ stands for no folder as well.
func filterPattern(pattern string) string {
	parts := strings.Split(pattern, "/")
	var b strings.Builder
	b.WriteByte('/')
	for i, part := range parts {
		switch {
		case i == len(parts)-1:
			b.WriteString(part)
		case part == "**":
			b.WriteString("{,**/}")
		default:
			b.WriteString(part + "/")
		}
	}
	return b.String()
}

// withBelow is the pattern, and what lies below what it matches.
func withBelow(pattern string) string {
	if strings.HasSuffix(pattern, "/") {
		return pattern
	}
	return pattern + "{,/**}"
}

// engineCall is a call of the engine that makes a job.
type engineCall func(context.Context, *transfer.Engine, transfer.JobOptions) (*transfer.Report, error)

// matched names the pattern if it lets nothing in.
func (c *copying) matched(call engineCall) engineCall {
	if c.pattern == "" {
		return call
	}
	return func(ctx context.Context, e *transfer.Engine, o transfer.JobOptions) (*transfer.Report, error) {
		report, err := call(ctx, e, o)
		if errors.Is(err, transfer.ErrNoMatch) {
			err = &noMatchError{c.origin}
			report.Error = err.Error()
		}
		return report, err
	}
}
