package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/osssync/osssync/oss"
)

var (
	regionPattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	likeRegion    = regexp.MustCompile(`^[a-z]{2}(-[a-z0-9]+)+$`)
)

// checkValue says what is wrong with a value that is to be written under key, ""
// if nothing is. It repeats no value: somebody may have pasted a secret.
func checkValue(key, value string) string {
	switch {
	case strings.ContainsAny(value, "\r\n\x00") || value != strings.TrimSpace(value):
		return "it has a line break, or blanks at its beginning or end"
	case key == "endpoint", key == "stsEndpoint":
		if wrong := wrongEndpoint(value); wrong != "" {
			return wrong
		}
		if !strings.ContainsAny(value, ".:") && value != "localhost" {
			return "it is no host such as oss-cn-hangzhou.aliyuncs.com; one without a dot is written http://HOST"
		}
	case key == "region" && !regionPattern.MatchString(value):
		return "it is no region such as cn-hangzhou; a host is an endpoint"
	case slices.Contains([]string{"accessKeyID", "accessKeySecret", "stsToken"}, key) && strings.ContainsFunc(value, notInKey):
		return "it has blanks, or characters that no key has"
	}
	return ""
}

// wrongEndpoint says why no service can be at endpoint, "" if one can. It does
// not repeat it: it may hold a password.
func wrongEndpoint(endpoint string) string {
	_, err := oss.New(endpoint, oss.AnonymousCredentials(), nil)
	if e, ok := errors.AsType[*oss.UsageError](err); ok {
		return oneLine(e.Reason)
	}
	return ""
}

func notInKey(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }

// dialogue asks for settings on a terminal.
type dialogue struct {
	app   *app
	in    *os.File
	lines *bufio.Reader
	pairs [][2]string
}

// askConfig asks on a terminal, in the order of ossutil.
func (a *app) askConfig() ([][2]string, error) {
	in, ok := a.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return nil, &usageError{
			message: "nothing to write, and no terminal to ask on",
			hint:    "give flags, such as: osssync config --region cn-hangzhou -i ID, with OSSSYNC_ACCESS_KEY_SECRET set",
		}
	}
	d := &dialogue{app: a, in: in, lines: bufio.NewReader(in)}
	endpoint, err := d.ask("endpoint", "Endpoint, such as oss-cn-hangzhou.aliyuncs.com, or a region, such as cn-hangzhou", false)
	if err != nil {
		return nil, err
	}
	id, err := d.ask("accessKeyID", "Access key ID (empty: none)", false)
	if err != nil {
		return nil, err
	}
	if id != "" {
		if _, err := d.ask("accessKeySecret", "Access key secret (not shown)", true); err != nil {
			return nil, err
		}
		if _, err := d.ask("stsToken", "Security token (empty: none; not shown)", true); err != nil {
			return nil, err
		}
	}
	if endpoint != "" && regionOf(endpoint) == "" && !likeRegion.MatchString(endpoint) {
		if _, err := d.ask("region", "Region of that endpoint, such as cn-hangzhou (empty: not known)", false); err != nil {
			return nil, err
		}
	}
	if len(d.pairs) == 0 {
		return nil, &usageError{message: "nothing was given; nothing is written"}
	}
	return d.pairs, nil
}

// ask asks for one value until it is one, or empty, and keeps it.
func (d *dialogue) ask(key, question string, secret bool) (string, error) {
	for {
		fmt.Fprintf(d.app.stderr, "%s: ", question)
		value, err := d.read(secret)
		if err != nil || value == "" {
			return "", err
		}
		kept := key
		if key == "endpoint" && likeRegion.MatchString(value) {
			kept = "region"
		}
		wrong := checkValue(kept, value)
		if wrong == "" {
			d.pairs = append(d.pairs, [2]string{kept, value})
			return value, nil
		}
		d.app.printf("%s", wrong)
	}
}

// read reads a line; a secret one is not shown.
func (d *dialogue) read(secret bool) (string, error) {
	var line string
	var err error
	if secret && d.lines.Buffered() == 0 {
		var typed []byte
		typed, err = term.ReadPassword(int(d.in.Fd()))
		fmt.Fprintln(d.app.stderr)
		line = string(typed)
	} else {
		line, err = d.lines.ReadString('\n')
	}
	if errors.Is(err, io.EOF) {
		if err = nil; line == "" {
			err = context.Canceled
		}
	}
	return strings.TrimSpace(line), err
}

// Keys of ossutil's that no flag of osssync's is called by, and sections.
var (
	ossutilKeys = []string{
		"language", "outputdir", "ramrolearn", "useragent", "proxyhost", "proxyuser", "proxypwd", "ecsak",
		"sourceprofile", "credentialprocess", "stsregion", "output", "outputformat", "cloudboxid", "disableverify",
	}
	ossutilSections = []string{"default", "Default", "Credentials", "credentials", "AkService"}
	bucketSections  = []string{"Bucket-Endpoint", "Bucket-Cname"} // their keys are names of buckets
)

// warnUnknown warns of sections and keys of a file that mean nothing, or nothing
// there. It names no values.
func (a *app) warnUnknown(root *cobra.Command, name string, text []byte) {
	own, known, misplaced := isOwn(name), slices.Clone(ossutilKeys), map[string]string{}
	everyFlag(root, func(f *pflag.Flag) {
		global := root.PersistentFlags().Lookup(f.Name) == f
		for _, spelling := range spellings(f.Name) {
			key := plainKey(spelling)
			switch anyFile := global && isAnyFile(f.Name); {
			case anyFile, own && isDefault(root, f):
				known = append(known, key)
			case isDefault(root, f):
				misplaced[key] = "has no effect in a file of ossutil's; it belongs into " + printable(ownConfig())
			default:
				misplaced[key] = "has no effect in a file; it is for the command line"
			}
		}
	})
	n, skip := 0, false
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		if section, ok := sectionOf(line); ok {
			skip = slices.Contains(bucketSections, section)
			kind, of, named := strings.Cut(section, " ")
			if !skip && !slices.Contains(ossutilSections, section) && (!named || of == "" || kind != "profile" && kind != "buckets") {
				a.warn("%s:%d: [%s] is no section that osssync reads", printable(name), n, printable(section))
				skip = true
			}
			continue
		}
		key, _, ok := strings.Cut(line, "=")
		if !ok || skip || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") || slices.Contains(known, plainKey(key)) {
			continue
		}
		if why := misplaced[plainKey(key)]; why != "" {
			a.warn("%s:%d: %s %s", printable(name), n, printable(strings.TrimSpace(key)), why)
			continue
		}
		meant := ""
		if near := nearest(plainKey(key), known); near != "" {
			meant = "; did you mean " + near + "?"
		}
		a.warn("%s:%d: %s means nothing to osssync%s", printable(name), n, printable(strings.TrimSpace(key)), meant)
	}
}

// isAnyFile reports whether a file of either kind may set the flag of that name.
func isAnyFile(name string) bool {
	return slices.Contains(fileFlags, name) || name == "loglevel" || slices.ContainsFunc(configKeys, func(k [2]string) bool { return k[0] == name })
}

// plainKey is the name of a key without case, dashes and blanks: its spellings
// are one.
func plainKey(key string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "", "\t", "").Replace(key))
}
