package main

import (
	"context"
	_ "embed"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/osssync/osssync/oss"
)

const completionLong = `Print the script that teaches a shell to complete osssync's command lines: commands,
flags and their values, ids of jobs, buckets and keys.

  bash        echo 'source <(osssync completion bash)' >> ~/.bashrc
  zsh         osssync completion zsh > "${fpath[1]}/_osssync"
  fish        osssync completion fish > ~/.config/fish/completions/osssync.fish
  powershell  osssync completion powershell | Out-String | Invoke-Expression

The script for bash needs nothing but bash: a file of its name below
~/.local/share/bash-completion/completions is read by the package bash-completion only.

What follows oss:// is asked of the service, with the configuration and environment
there is: for at most a second and 100 names, and without a word if that fails.
`

// bashCompletion is the script for bash. That of cobra needs the package
// bash-completion, and knows no quotes.
//
//go:embed completion.bash
var bashCompletion string

//go:embed completion.zsh
var zshCompletion string

// fishCompletion writes cobra's script for fish, which takes an open quote for a
// part of the word, without that.
func fishCompletion(root *cobra.Command, w io.Writer) error {
	var script strings.Builder
	if err := root.GenFishCompletion(&script, true); err != nil {
		return err
	}
	_, err := strings.NewReplacer(
		"(string escape -- (commandline -ct))", "(string escape -- (string unescape -- (commandline -ct)))",
		"(commandline -t | string escape --style=regex)", "(commandline -t | string unescape | string escape --style=regex)",
	).WriteString(w, script.String())
	return err
}

func newCompletionCommand(a *app) *cobra.Command {
	shells := map[string]func(*cobra.Command, io.Writer) error{
		"bash":       func(_ *cobra.Command, w io.Writer) error { _, err := io.WriteString(w, bashCompletion); return err },
		"zsh":        func(_ *cobra.Command, w io.Writer) error { _, err := io.WriteString(w, zshCompletion); return err },
		"fish":       fishCompletion,
		"powershell": func(root *cobra.Command, w io.Writer) error { return root.GenPowerShellCompletionWithDesc(w) },
	}
	names := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use: "completion bash|zsh|fish|powershell", Short: "Print a script for a shell to complete with", Long: completionLong + "\n" + exitHelp,
		ValidArgs: names,
		Args:      exactly(1, "the name of a shell: "+strings.Join(names, ", ")),
		RunE: func(cmd *cobra.Command, args []string) error {
			generate := shells[strings.ToLower(args[0])]
			if generate == nil {
				e := &usageError{message: "no completion for " + printable(args[0]), hint: "there is one for " + strings.Join(names, ", ")}
				if near := nearest(args[0], names); near != "" {
					e.message += "; did you mean " + near + "?"
				}
				return e
			}
			return generate(cmd.Root(), a.stdout)
		},
	}
}

// Bounds of what completion asks for: a person waits, and reads what comes.
const (
	completionTime  = time.Second
	completionNames = 100
)

// addCompletion lets every command of the tree complete what it takes.
func (a *app) addCompletion(cmd *cobra.Command) {
	if cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 {
		switch use := cmd.Use; {
		case strings.Contains(use, "oss://"), strings.Contains(use, "SRC"):
			cmd.ValidArgsFunction = a.completePlace
		case strings.HasSuffix(use, " J") || strings.HasSuffix(use, " J..."):
			cmd.ValidArgsFunction = a.completeJob
		case strings.Contains(use, "FILE"):
		case !cmd.HasSubCommands():
			cmd.ValidArgsFunction = cobra.NoFileCompletions
		}
	}
	cmd.Flags().VisitAll(a.completeFlag(cmd))
	cmd.PersistentFlags().VisitAll(a.completeFlag(cmd))
	for _, c := range cmd.Commands() {
		a.addCompletion(c)
	}
}

// completeFlag lets a flag of a few words complete them.
func (a *app) completeFlag(cmd *cobra.Command) func(*pflag.Flag) {
	return func(f *pflag.Flag) {
		f.Usage = strings.ReplaceAll(f.Usage, "`", "")
		var complete cobra.CompletionFunc
		if c, ok := f.Value.(*choice); ok {
			complete = cobra.FixedCompletions(c.allowed, cobra.ShellCompDirectiveNoFileComp)
		}
		if f.Name == "profile" {
			complete = func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
				a.quiet(cmd)
				var names []string
				for _, file := range a.settings.files {
					names = append(names, file.Profiles()...)
				}
				return names, cobra.ShellCompDirectiveNoFileComp
			}
		}
		if complete != nil {
			_ = cmd.RegisterFlagCompletionFunc(f.Name, complete) // fails if it has one already
		}
	}
}

// quiet reads settings as begin does, and lets nothing be said from now on.
func (a *app) quiet(cmd *cobra.Command) bool {
	a.stderr = io.Discard
	if err := a.settings.fromEnvironment(cmd); err != nil {
		return false
	}
	a.readSettings(cmd)
	return a.settings.err == nil
}

func (a *app) completeJob(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if !a.quiet(cmd) || len(args) > 0 && !strings.HasSuffix(cmd.Use, "...") {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	engine, err := a.engine()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var ids []string
	for job, err := range engine.Jobs(cmd.Context()) {
		if err != nil || len(ids) == completionNames {
			break
		}
		ids = append(ids, cobra.CompletionWithDesc(job.ID, oneLine(string(job.State)+", "+job.Source+" to "+job.Destination)))
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// completePlace completes buckets and keys; anything else is left to the shell.
func (a *app) completePlace(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	if !strings.HasPrefix(begun, scheme) {
		if begun != "" && strings.HasPrefix(scheme, begun) {
			return append(filesBelow(begun), scheme), cobra.ShellCompDirectiveNoSpace
		}
		return nil, cobra.ShellCompDirectiveDefault
	}
	parent := cmd.Context()
	if parent == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(parent, completionTime)
	defer cancel()
	cmd.SetContext(ctx)
	found := make(chan []string, 1)
	go func() { found <- a.namesBelow(ctx, cmd, strings.TrimPrefix(begun, scheme)) }()
	select {
	case names := <-found:
		return names, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	case <-ctx.Done(): // whatever hangs there ends with the process
		return nil, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	}
}

// filesBelow are the files and folders of the working folder whose names begin
// like that.
func filesBelow(begun string) (names []string) {
	entries, err := os.ReadDir(".")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, begun) && printable(name) == name {
			if e.IsDir() {
				name += "/"
			}
			names = append(names, name)
		}
	}
	return names
}

// namesBelow are the URLs that begin with what is written already, nil whatever
// goes wrong.
func (a *app) namesBelow(ctx context.Context, cmd *cobra.Command, begun string) (urls []string) {
	if !a.quiet(cmd) {
		return nil
	}
	if a.flags.local != "" {
		if _, err := os.Stat(a.flags.local); err != nil {
			return nil // and would be made
		}
	}
	s, err := a.connect(cmd)
	if err != nil {
		return nil
	}
	defer s.close() //nolint:errcheck // nobody to tell
	add := func(text string) {
		if printable(text) == text && !strings.ContainsAny(text, "\t") {
			urls = append(urls, scheme+text)
		}
	}
	bucket, key, within := strings.Cut(begun, "/")
	if !within {
		r, err := s.client.ListBuckets(ctx, &oss.ListBucketsOptions{Prefix: bucket, MaxKeys: completionNames})
		if err != nil {
			return nil
		}
		for _, b := range r.Buckets {
			add(b.Name + "/")
		}
		return urls
	}
	if !bucketPattern.MatchString(bucket) {
		return nil
	}
	r, err := s.bucket(place{bucket: bucket}).ListObjectsV2(ctx, &oss.ListObjectsV2Options{Prefix: key, Delimiter: "/", MaxKeys: completionNames})
	if err != nil {
		return nil
	}
	for _, prefix := range r.CommonPrefixes {
		add(bucket + "/" + prefix)
	}
	for _, o := range r.Objects {
		add(bucket + "/" + o.Key)
	}
	return urls
}
