// Package filter decides which files and objects belong to a transfer.
//
// A name is the path below the root of the transfer: of oss://BUCKET/photos/a.jpg
// in a copy of oss://BUCKET/photos/ it is a.jpg. Names are compared byte by
// byte; capital and small letters differ. A name belongs to the transfer if all
// of these let it in:
//
//   - the list of names, if there is one (Names);
//   - the range of names (Builder.StartAfter, Builder.EndWith);
//   - the rules, in their order: the first one whose pattern matches decides, and
//     what no rule matches is in;
//   - the bounds of size, time and storage class.
//
// # Patterns
//
// A character stands for itself, but for these:
//
//	?       one character but /
//	*       any number of characters but /
//	**      any number of characters
//	[a-z]   one of these characters, never /; [!a-z] or [^a-z] one that is not
//	{a,b}   one of these patterns, which may have braces themselves
//	\*      the character after the \, which is no letter or digit
//	/       between the parts of a name; also at either end of a pattern
//
// A pattern that begins with / matches from the root. Any other matches the end
// of a name from the beginning of one of its parts. A pattern that ends in /
// stands for a folder: for everything below it.
//
//	*.jpg       a.jpg, x/y/a.jpg                 not a.jpg/b
//	/*.jpg      a.jpg                            not x/a.jpg
//	tmp/        tmp/a, x/tmp/y/b                 not a file called tmp
//	/tmp/       tmp/a, tmp/y/b                   not x/tmp/a
//	/a/*        a/b                              not a/b/c
//	/a/**/z     a/b/z, a/b/c/z                   not a/z: there are two slashes
//	*.{gz,xz}   a.gz, x/a.xz
//	/20[12]?/   2019/a, 2024/x/b
//	\[a\]*      [a], x/[a]b
//
// These are the patterns of rclone and ossutil 2, without regular expressions
// and with one more thing that + tmp/ does: it lets in what is below tmp.
//
// # Rules
//
// A rule is "+ PATTERN", which lets in, or "- PATTERN", which leaves out. In a
// file there is one on a line; empty lines and those that begin with # or ; are
// comments, and "!" takes back all rules before it.
//
//	# photos, but no previews
//	- thumbs/
//	+ *.{jpg,raw}
//	- **
//
// Builder.Exclude is a rule with -. Builder.Include is one with +, and
// besides makes "- **" the last rule of all: whoever says what to include does
// not want the rest. Rules that are given with + do not.
//
// Rules are about files, not folders, and what is in does not depend on what
// was decided of the folder around it. A folder is passed over, without a look
// into it, if no name below it can be in (Set.Dir): that is why "- thumbs/" or
// "- /cache/**" saves time and "- *.tmp" does not.
//
// # Time
//
// A pattern becomes an automaton that reads a name once, all its possibilities
// side by side. No pattern makes it slower than the length of the name times
// that of the pattern. Most names are decided before, by a comparison with the
// texts that begin and end the pattern: see BenchmarkMatch.
package filter
