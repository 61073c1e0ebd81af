package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
)

// servedFlags are the flags of the headers that objects are served with.
type servedFlags struct {
	contentType, cacheControl, contentDisposition, contentEncoding, expires string

	meta []string // any of the headers and user metadata, as ossutil 1 has them
}

func (f *servedFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.contentType, "content-type", "", "`TYPE` that the objects are served with (default by the name)")
	flags.StringVar(&f.cacheControl, "cache-control", "", "Cache-Control `VALUE` that the objects are served with, as no-cache or max-age=3600")
	flags.StringVar(&f.contentDisposition, "content-disposition", "", "Content-Disposition `VALUE` that the objects are served with, as attachment")
	flags.StringVar(&f.contentEncoding, "content-encoding", "", "Content-Encoding `VALUE` that the objects are served with, as gzip; they are stored as they are")
	flags.StringVar(&f.expires, "expires", "", "Expires header that the objects are served with, a `DATE` as of HTTP")
	flags.StringArrayVar(&f.meta, "meta", nil, "headers and metadata as of ossutil, `NAME:VALUE#NAME:VALUE`: one of those above, Content-Language or X-Oss-Meta-…")
}

func (f *servedFlags) given() bool {
	return f.contentType+f.cacheControl+f.contentDisposition+f.contentEncoding+f.expires != "" || len(f.meta) > 0
}

// addTo adds what the flags say to h. A header's own flag wins over --meta.
func (f *servedFlags) addTo(h *oss.ObjectHeaders) error {
	all := make(map[string]string)
	for _, list := range f.meta {
		for _, text := range splitHeaders(list) {
			name, value, err := parseHeader(text)
			if err != nil {
				err.message = "--meta " + err.message
				return err
			}
			all[name] = value
		}
	}
	for name, value := range map[string]string{
		"Content-Type": f.contentType, "Cache-Control": f.cacheControl, "Content-Disposition": f.contentDisposition,
		"Content-Encoding": f.contentEncoding, "Expires": f.expires,
	} {
		if value != "" {
			all[name] = value
		}
	}
	setServed(h, all)
	return nil
}

// setServed sets the headers and the metadata of h to those of all, by name.
// Metadata whose value is "" is left out.
func setServed(h *oss.ObjectHeaders, all map[string]string) {
	h.ContentType, h.CacheControl, h.ContentDisposition = all["Content-Type"], all["Cache-Control"], all["Content-Disposition"]
	h.ContentEncoding, h.ContentLanguage, h.Expires = all["Content-Encoding"], all["Content-Language"], all["Expires"]
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if meta, ok := strings.CutPrefix(name, metaHeader); ok && all[name] != "" {
			if h.Meta == nil {
				h.Meta = make(map[string]string)
			}
			h.Meta[strings.ToLower(meta)] = all[name]
		}
	}
}

// splitHeaders parts NAME:VALUE#NAME:VALUE, as ossutil writes several headers.
// A # that no NAME: follows is part of a value.
func splitHeaders(list string) []string {
	var out []string
	for piece := range strings.SplitSeq(list, "#") {
		name, _, ok := strings.Cut(piece, ":")
		switch {
		case len(out) == 0 || ok && isToken(strings.TrimSpace(name)):
			out = append(out, piece)
		default:
			out[len(out)-1] += "#" + piece
		}
	}
	return out
}

// parseHeader reads NAME: VALUE, a header that objects are served with.
func parseHeader(text string) (name, value string, failure *usageError) {
	name, value, ok := strings.Cut(text, ":")
	name, value = http.CanonicalHeaderKey(strings.TrimSpace(name)), strings.TrimSpace(value)
	if !ok || value == "" {
		return "", "", &usageError{message: printable(text) + ": want 'NAME: VALUE'"}
	}
	return name, value, checkServed(name, text)
}

// checkServed refuses a name that is none of a header that objects are served
// with; text is what was given.
func checkServed(name, text string) *usageError {
	if isServed(name) || isToken(name) && strings.HasPrefix(name, metaHeader) && name != metaHeader {
		return nil
	}
	e := &usageError{message: printable(text) + ": want " + strings.Join(servedHeaders, ", ") + " or X-Oss-Meta-…"}
	if strings.HasPrefix(strings.ToLower(text), "x-oss-object-acl") {
		e.hint = "osssync set-acl oss://BUCKET/KEY ACL; for cp, --acl ACL"
	}
	return e
}

func isServed(name string) bool {
	return slices.ContainsFunc(servedHeaders, func(s string) bool { return strings.EqualFold(s, name) })
}

// checkMetadata refuses names of --metadata that would become metadata though a
// header is meant: X-Oss-Meta-Cache-Control is served to nobody as one.
func checkMetadata(name, value string) error {
	message := fmt.Sprintf("--metadata %s: that is not the name of user metadata", printable(name))
	plain, prefixed := strings.CutPrefix(http.CanonicalHeaderKey(name), metaHeader)
	switch {
	case prefixed:
		return &usageError{message: message, hint: fmt.Sprintf("leave the prefix out: --metadata %s", quoteWord(strings.ToLower(plain)+"="+value))}
	case isServed(name):
		return &usageError{message: message, hint: fmt.Sprintf("for the header give --meta %s", quoteWord(http.CanonicalHeaderKey(name)+":"+value))}
	}
	return nil
}
