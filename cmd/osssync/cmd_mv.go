package main

import "github.com/spf13/cobra"

const mvLong = `Move a file or object, or with -r a whole tree, to, from or between buckets.

Each source is removed once its copy is durable at DST and has the source's CRC-64,
and only if it is still what was copied: what was changed meanwhile stays, and is a
failure. So does whatever could not be copied. Folders that are empty without what
was moved go too, DIR itself stays. With --links a link goes once the other side has one
that leads to the same name, with --dirs a folder once its object is there and nothing
is left in it, one that was empty as well.

Run an interrupted command again and it goes on where it stopped: at any moment a
name is at SRC or whole at DST.

Examples:
  osssync mv video.mov oss://bucket/archive/     one file into archive/
  osssync mv oss://bucket/a oss://bucket/b       rename: no byte of it comes here
  osssync mv oss://bucket/report.pdf .           one object, to this folder
  osssync mv -r logs oss://bucket/logs           the contents of a folder
  osssync mv -r oss://bucket/in/ oss://other/    what lies below a prefix
  osssync mv 'oss://bucket/2024-*/*.csv' old/    what matches, with its folders
  osssync mv -r -n logs oss://bucket/logs        what would be done

What is at DST already is replaced. With -r and --checksum what has the same content
there is not sent again, and its source removed all the same; sizes and times are
never taken for a proof of that.
`

func newMvCommand(a *app, plan *planFlags) *cobra.Command {
	f := copyFlags{plan: plan}
	cmd := &cobra.Command{
		Use:   "mv SRC DST",
		Short: "Move files and objects",
		Long:  mvLong + "\n" + globHelp + "\n" + nameHelp + "\n" + exitHelp,
		Args:  oneSource,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.newCopy(cmd, args, &f)
			switch {
			case err != nil:
				return err
			case c.src.stdio, c.dst.stdio:
				return &usageError{message: "a stream is copied, not moved", hint: "use osssync cp"}
			}
			c.globs = true
			return c.run()
		},
	}
	cmd.Flags().SortFlags = false
	addRaw(cmd, &f.raw)
	cmd.Flags().BoolVarP(&f.recursive, "recursive", "r", false, "move a whole tree")
	f.register(cmd)
	cmd.Flags().BoolVar(&f.allowEmpty, "allow-empty", false, "with -r: a prefix without objects is no error")
	return cmd
}
