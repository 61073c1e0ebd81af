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
// The cursors of the ranges are kept nowhere: what is yielded in order has one
// cursor, the last key that its caller is done with, and StartAfter goes on from there.
// What a window holds ahead of it is listed again, and no more; a cursor
// for each range would have to keep the pages themselves.
package lister
