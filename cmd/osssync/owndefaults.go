package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/osssync/osssync/oss"
)

// commandOnly are flags of every command that osssync's own file cannot set:
// they say which file is read, or are about one run.
var commandOnly = []string{"help", "config-file", "profile", "ignore-env-var", "no-resume", "adopt", "report"}

// scope says for which command lines an option of osssync's own file holds.
type scope int

const (
	everywhere scope = iota // wherever the flag is
	trees                   // sync, check, and cp and mv with -r
	fileTrees               // trees, with files at one side or both
	toFiles                 // downloads
	toBucket                // cp, mv, sync and append to a bucket
)

// commandDefaults are the flags of single commands that osssync's own file can
// set. What deletes, forces, or names the one thing to work on is for a command
// line.
var commandDefaults = map[string]scope{
	"include": trees, "exclude": trees, "filter": trees, "include-from": trees, "exclude-from": trees, "filter-from": trees,
	"min-size": trees, "max-size": trees, "min-age": trees, "max-age": trees, "only-storage-class": trees,
	"checksum": trees, "size-only": trees, "update": trees, "ignore-existing": trees, "modify-window": trees,
	"max-delete": trees, "keep-acl": trees,
	"encode-names": fileTrees, "follow-symlinks": fileTrees, "skip-links": fileTrees, "links": fileTrees, "dirs": fileTrees, "preserve": fileTrees,
	"sparse": toFiles, "acl": toBucket, "storage-class": toBucket, "cache-control": toBucket,
	"expires-duration": everywhere, "human-readable": everywhere, "short-format": everywhere, "older-than": everywhere, "prices": everywhere,
}

// isDefault reports whether osssync's own file can set f, a flag of a command
// below root.
func isDefault(root *cobra.Command, f *pflag.Flag) bool {
	if root.PersistentFlags().Lookup(f.Name) != f {
		_, ok := commandDefaults[f.Name]
		return ok
	}
	identity := slices.ContainsFunc(configKeys, func(k [2]string) bool { return k[0] == f.Name })
	return !slices.Contains(commandOnly, f.Name) && (!identity || slices.Contains(fileFlags, f.Name))
}

// holds reports whether a default for f is one for this command line.
func holds(cmd *cobra.Command, f *pflag.Flag) bool {
	if !isDefault(cmd.Root(), f) {
		return false
	}
	if cmd.Root().PersistentFlags().Lookup(f.Name) == f {
		return true
	}
	args := cmd.Flags().Args()
	remote := func(arg string) bool { return strings.HasPrefix(arg, scheme) }
	tree := cmd.Name() == "sync" || cmd.Name() == "check"
	if cmd.Name() == "cp" || cmd.Name() == "mv" {
		tree, _ = cmd.Flags().GetBool("recursive")
	}
	switch commandDefaults[f.Name] {
	case trees:
		return tree
	case fileTrees:
		return tree && !(len(args) == 2 && remote(args[0]) && remote(args[1]))
	case toFiles:
		return len(args) == 2 && remote(args[0]) && !remote(args[1]) && args[1] != "-"
	case toBucket:
		return slices.Contains([]string{"cp", "mv", "sync", "append"}, cmd.Name()) && len(args) == 2 && remote(args[1])
	}
	return true
}

// isOwn reports whether name is osssync's own configuration file.
func isOwn(name string) bool {
	file, err := os.Stat(name)
	if err != nil {
		return false
	}
	own, err := os.Stat(ownConfig())
	return err == nil && os.SameFile(file, own)
}

// ownDefault is what osssync's own file says of a flag, in any of its spellings:
// in the profile's section or, without a word there, in that of all.
func (s *settings) ownDefault(name string) (value, origin string) {
	i := slices.IndexFunc(s.files, func(f *oss.ConfigFile) bool { return isOwn(f.Name()) })
	if i < 0 {
		return "", ""
	}
	for _, profile := range []string{s.profile, "default"} {
		for _, key := range spellings(name) {
			if v, section := s.files[i].Setting(profile, key); v != "" {
				return fromHome(v), fileOrigin(s.files[i], section)
			}
		}
	}
	return "", ""
}

// spellings are the name of a flag and its aliases.
func spellings(name string) []string {
	list := []string{name}
	for alias, real := range aliases {
		if real == name {
			list = append(list, alias)
		}
	}
	slices.Sort(list[1:])
	return list
}

// fromHome is a value with ~/ at its beginning replaced by the home folder, as a
// shell does it on a command line.
func fromHome(value string) string {
	rest, ok := strings.CutPrefix(value, "~/")
	home, err := os.UserHomeDir()
	if !ok || err != nil {
		return value
	}
	return filepath.Join(home, rest)
}

// fromOwn sets the flags of cmd that osssync's own file has defaults for and
// nothing before it has set.
func (a *app) fromOwn(cmd *cobra.Command) (err error) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if err != nil || a.settings.origins[f.Name] != "" || !holds(cmd, f) {
			return
		}
		value, origin := a.settings.ownDefault(f.Name)
		if value == "" {
			return
		}
		if wrong := f.Value.Set(value); wrong != nil {
			err = &usageError{message: fmt.Sprintf("%s: %s: %v", origin, f.Name, wrong), hint: "check it with: osssync config check"}
		}
		a.settings.origins[f.Name] = origin
	})
	return err
}

// everyFlag calls fn for each flag of cmd and of all below it.
func everyFlag(cmd *cobra.Command, fn func(*pflag.Flag)) {
	cmd.LocalFlags().VisitAll(fn)
	for _, c := range cmd.Commands() {
		everyFlag(c, fn)
	}
}

// showDefaults calls add for the flags of single commands that the environment
// or osssync's own file sets.
func (a *app) showDefaults(root *cobra.Command, add func(name, value, origin string)) {
	shown := map[string]bool{}
	everyFlag(root, func(f *pflag.Flag) {
		if shown[f.Name] || root.PersistentFlags().Lookup(f.Name) != nil || !isDefault(root, f) {
			return
		}
		shown[f.Name] = true
		value, origin := environmentDefault(f.Name)
		if value == "" {
			value, origin = a.settings.ownDefault(f.Name)
		}
		if value != "" {
			add(f.Name, value, origin)
		}
	})
}

// checkDefaults says what is wrong with the values of osssync's own file.
func checkDefaults(file *oss.ConfigFile, profile string) error {
	wrong := map[string]error{} // by flag; nil where some command takes it
	root := newRootCommand(&app{})
	everyFlag(root, func(f *pflag.Flag) {
		if !isDefault(root, f) {
			return
		}
		for _, key := range spellings(f.Name) {
			value, _ := file.Setting(profile, key)
			if old, seen := wrong[f.Name]; value == "" || seen && old == nil {
				continue
			}
			wrong[f.Name] = f.Value.Set(fromHome(value))
		}
	})
	for _, name := range slices.Sorted(maps.Keys(wrong)) {
		if wrong[name] != nil {
			return &usageError{message: fmt.Sprintf("%s (profile %s): %v", name, printable(profile), wrong[name])}
		}
	}
	return nil
}
