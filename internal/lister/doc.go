// Package lister lists the keys of a bucket by several requests at once and
// yields them in order, as one request after another would.
//
// What is split is the range of keys, not a tree of folders: a range is listed
// page by page, and where requests may still be made, it is cut at a guessed key
// between where it has come to and its end, and both halves go on. How far ahead
// the cut is made depends on the keys seen: as far as some pages took until now,
// in an alphabet of the characters that came, and never on what the keys mean.
// A guess is never wrong, at worst useless: it may find nothing, or more
// than it was to find, which is then cut again.
//
// Ranges near to what is yielded come first, and pages wait in a window of
// bounded size, so memory does not depend on the number of keys. It
// takes two pages before the first guess: what fits into one or two pages costs as many
// requests as ever. Guesses that find nothing make the next ones rarer.
//
// A listing that was stopped goes on from cursors. Its caller keeps the last key that
// it is done with, which is the StartAfter of the next listing, and the Cuts of a
// Position: where each range had come to and where it was to end, and the last key of each page that
// was fetched and not yet yielded. The next listing begins with these ranges, many at
// once. A page that was fetched is a range whose end is known: it takes one request, and
// no guess is made in it. The others are listed and cut as ever. So what a window had
// ahead of its caller is fetched once more and no oftener, at the speed that the
// first listing had come to. Cuts are no more than hints. Whatever they
// are, a range begins where the one before ends, so no key is lost or comes twice, and
// keys that came or went meanwhile are found where they are.
package lister
