package main

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// copyFlags are those of cp, mv and sync.
type copyFlags struct {
	recursive      bool
	raw            bool
	force          bool
	update         bool
	ignoreExisting bool
	sizeOnly       bool
	checksum       bool
	existing       bool
	modifyWindow   time.Duration
	dryRun         bool
	allowEmpty     bool
	acl            choice
	storageClass   choice
	metadata       []string
	served         servedFlags
	tagging        string
	keepACL        bool
	ifUnchanged    bool
	remove         deleteFlags
	backupDir      string
	filter         filterFlags
	files          nameFlags
	versionID      string
	plan           *planFlags // nil: to be done, not planned
	byteRange      string
}

var (
	objectACLs     = []string{"default", "private", "public-read", "public-read-write"}
	bucketACLs     = objectACLs[1:]
	storageClasses = []string{"Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"}
)

// register adds the flags that cp, mv and sync share.
func (f *copyFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVarP(&f.force, "force", "f", false, "accepted as ossutil has it: nothing is ever asked")
	flags.BoolVarP(&f.update, "update", "u", false, "only what is newer at SRC or missing at DST")
	flags.BoolVar(&f.ignoreExisting, "ignore-existing", false, "only what is missing at DST")
	flags.BoolVar(&f.sizeOnly, "size-only", false, "only what differs in size or is missing at DST")
	flags.BoolVar(&f.checksum, "checksum", false, "what differs in size or CRC-64; sums of what nobody has touched since the last sync are remembered")
	flags.BoolVar(&f.existing, "existing", false, "nothing that is missing at DST")
	flags.DurationVar(&f.modifyWindow, "modify-window", 0, "times that are no more than `DURATION` apart are the same, such as 2s")
	flags.BoolVarP(&f.dryRun, "dry-run", "n", false, "say what would be done and do nothing")
	f.registerHeaders(cmd)
	f.filter.register(cmd)
	f.files.register(cmd)
	flags.BoolVar(&f.keepACL, "keep-acl", false, "between buckets: copies have the access of their sources")
	flags.BoolVar(&f.ifUnchanged, "if-unchanged", false, "for trees: replace nothing that somebody else writes at DST meanwhile (costs a request for each small object that is there)")
}

// registerHeaders adds the flags that tell what is stored with an object.
func (f *copyFlags) registerHeaders(cmd *cobra.Command) {
	flags := cmd.Flags()
	f.acl = choice{allowed: objectACLs}
	flags.Var(&f.acl, "acl", "access to the objects: "+strings.Join(objectACLs, ", "))
	f.storageClass = choice{allowed: storageClasses}
	flags.Var(&f.storageClass, "storage-class", "class of the objects: "+strings.Join(storageClasses, ", "))
	flags.StringArrayVar(&f.metadata, "metadata", nil, "user metadata `NAME=VALUE`, several with & between or by repeating the flag; of a copied object in place of all it had")
	f.served.register(cmd)
	flags.StringVar(&f.tagging, "tagging", "", "tags of the objects, as `NAME=VALUE`, several with & between")
}

// compareFlags are the names of the given flags that compare trees.
func (f *copyFlags) compareFlags() []string {
	var given []string
	for name, set := range map[string]bool{"update": f.update, "ignore-existing": f.ignoreExisting, "size-only": f.sizeOnly, "checksum": f.checksum} {
		if set {
			given = append(given, "--"+name)
		}
	}
	slices.Sort(given)
	return given
}

// compare is how command, cp, mv or sync, decides what to transfer.
func (f *copyFlags) compare(command string) transfer.Compare {
	switch {
	case f.update:
		return transfer.CompareUpdate
	case f.ignoreExisting:
		return transfer.CompareExisting
	case f.sizeOnly:
		return transfer.CompareSize
	case f.checksum:
		return transfer.CompareChecksum
	case command != "sync":
		return transfer.CompareNone
	}
	return transfer.CompareModTime
}

// headers is what is stored with uploaded objects.
func (f *copyFlags) headers(upload bool) (oss.ObjectHeaders, error) {
	h := oss.ObjectHeaders{ACL: f.acl.value, StorageClass: f.storageClass.value}
	if !upload {
		if h.ACL != "" || h.StorageClass != "" || len(f.metadata) > 0 || f.tagging != "" || f.served.given() {
			return h, &usageError{message: "--acl, --storage-class, --metadata, --tagging and headers are for objects, not for files"}
		}
		return h, nil
	}
	if err := f.served.addTo(&h); err != nil {
		return h, err
	}
	for _, list := range f.metadata {
		for pair := range strings.SplitSeq(list, "&") {
			name, value, ok := strings.Cut(pair, "=")
			if !ok || !isToken(name) {
				return h, &usageError{message: fmt.Sprintf("--metadata %s: want NAME=VALUE", printable(pair))}
			}
			if err := checkMetadata(name, value); err != nil {
				return h, err
			}
			if h.Meta == nil {
				h.Meta = map[string]string{}
			}
			h.Meta[strings.ToLower(name)] = value
		}
	}
	var err error
	h.Tagging, err = encodeTags(f.tagging)
	return h, err
}

// isToken reports whether name can be part of a header's name.
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// encodeTags brings a=1&b=2 into the form of the x-oss-tagging header.
// What is percent-encoded already stays what it means.
func encodeTags(list string) (string, error) {
	if list == "" {
		return "", nil
	}
	var pairs []string
	for pair := range strings.SplitSeq(list, "&") {
		name, value, _ := strings.Cut(pair, "=")
		for _, s := range []*string{&name, &value} {
			plain, err := url.PathUnescape(*s)
			if err != nil || (s == &name && plain == "") {
				return "", &usageError{message: fmt.Sprintf("--tagging %s: want NAME=VALUE", printable(pair))}
			}
			*s = url.QueryEscape(plain)
		}
		pairs = append(pairs, name+"="+value)
	}
	return strings.Join(pairs, "&"), nil
}

// ownFiles are the paths that this run itself writes, which are no part of any
// tree.
func (a *app) ownFiles(s *service) ([]string, error) {
	state, err := a.stateDir()
	if err != nil {
		return nil, err
	}
	var own []string
	for _, name := range []string{s.dir, state, a.flags.logFile, a.flags.report} {
		if name == "" {
			continue
		}
		path, err := filepath.Abs(name)
		if err != nil {
			return nil, &usageError{message: err.Error()}
		}
		own = append(own, path)
	}
	return own, nil
}

// deleteFlags are those of a sync that deletes.
type deleteFlags struct {
	on               bool
	most             deleteLimit
	allowEmptySource bool
	excluded         bool
	ignoreErrors     bool
}

func (f *deleteFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.on, "delete", false, "remove from DST what SRC does not have, at the end and only if all went well")
	flags.Var(&f.most, "max-delete", "with --delete: delete nothing if it would be more than `N` objects or P% of DST; none means no limit (1000, or 25% if that is more)")
	flags.BoolVar(&f.allowEmptySource, "allow-empty-source", false, "with --delete: an empty SRC empties DST")
	flags.BoolVar(&f.excluded, "delete-excluded", false, "with --delete: remove what the filters leave out by name, too")
	flags.BoolVar(&f.ignoreErrors, "ignore-errors", false, "with --delete: delete though some objects could not be transferred")
}

// check refuses flags that have no meaning without --delete.
func (f *deleteFlags) check(cmd *cobra.Command) error {
	for _, name := range []string{"max-delete", "allow-empty-source", "delete-excluded", "ignore-errors"} {
		if !f.on && cmd.Flags().Changed(name) {
			return &usageError{message: "--" + name + " is for --delete"}
		}
	}
	return nil
}

// deleteLimit is a flag of N, P% or none.
type deleteLimit struct {
	limit transfer.DeleteLimit
	text  string
}

func (d *deleteLimit) String() string { return d.text }
func (d *deleteLimit) Type() string   { return "N" }

func (d *deleteLimit) Set(s string) error {
	var l transfer.DeleteLimit
	percent, isPercent := strings.CutSuffix(s, "%")
	var err error
	switch {
	case s == "none":
		l.None = true
	case isPercent:
		l.Percent, err = strconv.ParseFloat(percent, 64)
		if err == nil && !(l.Percent > 0 && l.Percent <= 100) {
			err = strconv.ErrRange
		}
	default:
		l.Objects, err = parseDigits(s)
		if err == nil && l.Objects == 0 {
			err = strconv.ErrRange
		}
	}
	if err != nil {
		return errors.New("want a number of objects, a share such as 10%, or none")
	}
	d.limit, d.text = l, s
	return nil
}
