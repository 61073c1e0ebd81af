package selectsql

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"errors"
	"io"
)

// Header says what the first record of CSV is.
type Header byte

// What the first record may be.
const (
	NoHeader     Header = iota // data
	IgnoreHeader               // names, which the statement does not use
	UseHeader                  // names of the columns
)

// Unit is what a Range counts.
type Unit byte

// The units. All is no range.
const (
	All Unit = iota
	Lines
	Splits
	Bytes // where a record begins
)

// SplitSize is the length of a split, in bytes: a record belongs to the split
// in which it begins.
const SplitSize = 4 << 20

// Range is what part of the data is read: First and what follows, up to and
// with Last. Both count from 0.
type Range struct {
	Unit        Unit
	First, Last int64
}

// place says whether a record is before, in or behind the range.
func (r Range) place(line, off int64) int {
	var at int64
	switch r.Unit {
	case All:
		return 0
	case Lines:
		at = line
	case Splits:
		at = off / SplitSize
	case Bytes:
		at = off
	}
	switch {
	case at < r.First:
		return -1
	case at > r.Last:
		return 1
	}
	return 0
}

// Options tell how the data is written and what is done with it. The zero
// value reads CSV of commas and line feeds.
type Options struct {
	JSON     bool
	Document bool // of JSON: all is one value; else one follows the other
	GZIP     bool

	// CSV. Delimiters left empty are "\n" and ",", Quote is `"`; a Comment
	// left empty is "#".
	Header          Header
	RecordDelimiter string // at most two bytes
	FieldDelimiter  string // one byte
	Quote           string // one byte
	Comment         string // one byte

	// OneLine says that quoted fields have no delimiters of records.
	OneLine bool

	// NumbersAsText keeps the numbers of JSON as they are written.
	NumbersAsText bool

	Range Range

	// Output. Empty delimiters are "\n" and ",", an empty quote is `"`.
	OutputRecordDelimiter string
	OutputFieldDelimiter  string
	OutputQuote           string
	OutputHeader          bool
	KeepAllColumns        bool

	// SkipPartial leaves out records without a column that the statement
	// names. MaxSkipped is how many records may be left out, these and those
	// whose data does not fit.
	SkipPartial bool
	MaxSkipped  int64
}

// check fills in what is empty and refuses what cannot be.
func (o Options) check() (*Options, error) {
	o.RecordDelimiter = cmp.Or(o.RecordDelimiter, "\n")
	o.FieldDelimiter = cmp.Or(o.FieldDelimiter, ",")
	o.Quote = cmp.Or(o.Quote, `"`)
	o.Comment = cmp.Or(o.Comment, "#")
	o.OutputRecordDelimiter = cmp.Or(o.OutputRecordDelimiter, "\n")
	o.OutputFieldDelimiter = cmp.Or(o.OutputFieldDelimiter, ",")
	o.OutputQuote = cmp.Or(o.OutputQuote, `"`)
	switch {
	case len(o.RecordDelimiter) > 2:
		return nil, badOption("InvalidInputRecordDelimiter", "The record delimiter has more than two bytes.")
	case len(o.FieldDelimiter) > 1 || o.FieldDelimiter == o.RecordDelimiter:
		return nil, badOption("InvalidInputFieldDelimiter", "The field delimiter is not one byte of its own.")
	case len(o.Quote) > 1 || o.Quote == o.FieldDelimiter:
		return nil, badOption("InvalidInputQuote", "The quote is not one byte of its own.")
	case len(o.Comment) > 1:
		return nil, badOption("InvalidCommentCharacter", "The comment character is not one byte.")
	}
	return &o, nil
}

func badOption(code, message string) error { return &Error{Code: code, Message: message} }

// source is the data, with how much of it has been read.
type source struct {
	raw io.Reader
	n   int64
	err error // of raw
	buf *bufio.Reader
}

// readStep is how much is read at once, in bytes.
const readStep = 64 << 10

func newSource(raw io.Reader, o *Options) (*source, error) {
	s := &source{raw: raw}
	if !o.GZIP {
		s.buf = bufio.NewReaderSize(s, readStep)
		return s, nil
	}
	z, err := gzip.NewReader(bufio.NewReaderSize(s, readStep))
	if err != nil {
		if s.err != nil {
			return nil, s.err
		}
		return nil, badOption("DecompressFailure", "The object is not in the format of GZIP.")
	}
	s.buf = bufio.NewReaderSize(z, readStep)
	return s, nil
}

// Read reads the object itself, compressed or not.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.raw.Read(p)
	s.n += int64(n)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// skipMark drops a byte order mark and gives its length.
func (s *source) skipMark() int64 {
	if mark, _ := s.buf.Peek(3); string(mark) != "\ufeff" {
		return 0
	}
	n, _ := s.buf.Discard(3) // Peek has them
	return int64(n)
}

// failed turns an error of reading into what it means: the object cannot be
// read, or its data is wrong.
func (s *source) failed(err error) error {
	if s.err != nil {
		return s.err
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	if e, ok := errors.AsType[*jsonError](err); ok {
		return badData("InvalidJsonData", "The object is not JSON %s.", e.Error())
	}
	return badData("DecompressFailure", "The object is not in the format of GZIP: %v.", err)
}
