package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

type versionLine struct {
	V        int    `json:"v"`
	Type     string `json:"type"`
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Commit   string `json:"commit,omitempty"`
}

const versionLong = `Print the version, the release of Go and the commit that osssync was built from.

Examples:
  osssync version
  osssync version --json
`

func newVersionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long:  versionLong + "\n" + exitHelp,
		Args:  upTo(0),
		RunE: func(*cobra.Command, []string) error {
			v := readVersion()
			if a.flags.json {
				return a.writeJSON(a.stdout, v)
			}
			commit := ""
			if v.Commit != "" {
				commit = ", commit " + v.Commit
			}
			_, err := fmt.Fprintf(a.stdout, "osssync %s (%s, %s%s)\n", v.Version, v.Go, v.Platform, commit)
			return err
		},
	}
}

// readVersion takes everything from what the toolchain wrote into the binary.
func readVersion() versionLine {
	v := versionLine{V: jsonVersion, Type: "version", Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			v.Commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true" && v.Commit != "":
			v.Commit += " with changes"
		}
	}
	return v
}
