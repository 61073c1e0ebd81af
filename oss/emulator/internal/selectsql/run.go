package selectsql

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Sink takes what Run gives. An error ends Run.
type Sink interface {
	// Data takes whole records. scanned is how many bytes of the object have
	// been read. p is valid during the call only.
	Data(p []byte, scanned int64) error

	// Alive is called now and then while nothing is found.
	Alive(scanned int64) error
}

// flushAt is how many bytes of output make a Data, and aliveEvery how many of
// input go by without any before an Alive.
const (
	flushAt    = 64 << 10
	aliveEvery = 8 << 20
)

// Run runs a statement on the data. It returns how many bytes of the object
// it has read; an *Error, or an error of r or of out.
func Run(sql string, r io.Reader, opts Options, out Sink) (scanned int64, err error) {
	o, err := opts.check()
	if err != nil {
		return 0, err
	}
	q, err := parse(sql)
	if err != nil {
		return 0, err
	}
	src, err := newSource(r, o)
	if err != nil {
		return 0, err
	}
	e := &engine{q: q, o: o, out: out, src: src}
	if o.JSON {
		err = e.json()
	} else {
		err = e.csv()
	}
	if err == nil {
		err = e.totals()
	}
	return e.scanned(), errors.Join(err, e.flushAll())
}

// engine is one run.
type engine struct {
	q    *query
	o    *Options
	out  Sink
	src  *source
	off  func() int64 // bytes of the data, decompressed
	buf  []byte
	last int64 // scanned when out was last called
	rows int64 // given

	skipped int64
	fields  []string // of the record to be written
	broken  error    // of out
}

func (e *engine) scanned() int64 {
	if e.o.GZIP || e.off == nil {
		return e.src.n
	}
	return e.off()
}

// csv runs over records of CSV.
func (e *engine) csv() error {
	if len(e.q.from) > 0 {
		return badSQL("CSV has no paths in FROM")
	}
	c := newCSV(e.src, e.o)
	e.off = func() int64 { return c.off }
	if e.o.Header == NoHeader {
		if err := e.bind(nil); err != nil {
			return err
		}
	}
	for header := e.o.Header != NoHeader; ; header = false {
		fields, err := c.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return e.src.failed(err)
		}
		if header {
			if err := e.begin(fields); err != nil {
				return err
			}
			continue
		}
		switch e.o.Range.place(c.lines+c.notes-1, c.start) { // a comment is a line, too
		case -1:
			continue
		case 1:
			return nil
		}
		if done, err := e.take(&csvRecord{fields, e.o.NumbersAsText}); done || err != nil {
			return err
		}
	}
}

func newCSV(src *source, o *Options) *csvReader {
	c := &csvReader{
		r: src.buf, off: src.skipMark(), record: o.RecordDelimiter, field: o.FieldDelimiter[0], quote: o.Quote[0],
		note: o.Comment[0], multi: !o.OneLine,
	}
	c.special[c.field], c.special[c.quote], c.special[c.record[0]] = true, true, true
	return c
}

// begin takes the header line.
func (e *engine) begin(header []string) error {
	names := header
	if e.o.Header == IgnoreHeader {
		names = nil
	}
	if err := e.bind(names); err != nil || !e.o.OutputHeader {
		return err
	}
	e.fields = e.fields[:0]
	if e.q.all || e.keepsAll() {
		e.fields = append(e.fields, header...)
	} else {
		for _, it := range e.q.items {
			if c, ok := it.x.(*column); ok && !it.named && len(c.path) == 1 && c.index < len(header) {
				it.name = header[c.index]
			}
			e.fields = append(e.fields, it.name)
		}
	}
	e.writeCSV()
	return nil
}

// bind finds the columns that the statement names.
func (e *engine) bind(header []string) error {
	for _, c := range e.q.columns {
		name := c.path[0].name
		c.index = slices.Index(header, name)
		if c.index < 0 {
			c.index = slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), name) })
		}
		if c.index >= 0 {
			continue
		}
		n, ok := position(name)
		if !ok {
			return badSQL("there is no column '%s'", name)
		}
		c.index = n
	}
	return nil
}

// position reads a name as _1.
func position(name string) (int, bool) {
	digits, ok := strings.CutPrefix(name, "_")
	n, err := strconv.Atoi(digits)
	return n - 1, ok && err == nil && n > 0
}

// json runs over values of JSON.
func (e *engine) json() error {
	j := newJSON(e.src)
	e.off = func() int64 { return j.off }
	if e.o.Document {
		n, err := j.value(maxDocument)
		if err == nil {
			if err = j.between(false); err == nil {
				err = j.fail("something follows the document")
			} else if err == io.EOF {
				err = nil
			}
		}
		if err != nil {
			err = e.src.failed(err)
			if bad, ok := errors.AsType[*Error](err); ok {
				bad.InData = false // nothing has been given
			}
			return err
		}
		_, err = e.takeNode(n)
		return err
	}
	for line := int64(0); ; line++ {
		n, start, err := j.line()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return e.src.failed(err)
		}
		switch e.o.Range.place(line, start) {
		case -1:
			continue
		case 1:
			return nil
		}
		if done, err := e.takeNode(n); done || err != nil {
			return err
		}
	}
}

func newJSON(src *source) *jsonReader { return &jsonReader{r: src.buf, off: src.skipMark()} }

// line reads a value and tells where it starts; io.EOF: there is none.
func (j *jsonReader) line() (n *node, start int64, err error) {
	if err := j.between(true); err != nil {
		return nil, 0, err
	}
	start = j.off
	n, err = j.value(maxRecord)
	return n, start, err
}

var errDone = errors.New("enough")

func (e *engine) takeNode(n *node) (done bool, err error) {
	err = n.each(e.q.from, func(n *node) error {
		done, err := e.take(&jsonRecord{n, e.o.NumbersAsText})
		if err == nil && done {
			return errDone
		}
		return err
	})
	if err == errDone {
		return true, nil
	}
	return false, err
}

// take runs the statement on one record; done says that no more are needed.
func (e *engine) take(r record) (done bool, err error) {
	if e.q.limit >= 0 && e.rows >= e.q.limit {
		return true, nil
	}
	if now := e.scanned(); now-e.last >= aliveEvery && len(e.buf) == 0 {
		e.last = now
		if e.broken = e.out.Alive(now); e.broken != nil {
			return false, e.broken
		}
	}
	if e.o.SkipPartial {
		for _, c := range e.q.columns {
			if _, ok := r.column(c); !ok {
				return false, e.skip("A record lacks a column of the statement.")
			}
		}
	}
	switch err := e.apply(r); {
	case errors.Is(err, errUnfit):
		return false, e.skip("The data of a record does not fit the types of the statement.")
	case err != nil:
		return false, err
	}
	if len(e.buf) >= flushAt {
		err = e.flush()
	}
	return e.q.limit >= 0 && e.rows >= e.q.limit && len(e.q.aggs) == 0, err
}

// skip leaves a record out.
func (e *engine) skip(why string) error {
	if e.skipped++; e.skipped > e.o.MaxSkipped {
		return badData("TooManySkippedRecords", "%s More than %d records would be skipped.", why, e.o.MaxSkipped)
	}
	return nil
}

func (e *engine) apply(r record) error {
	if e.q.where != nil {
		v, err := e.q.where.eval(r)
		if err != nil {
			return err
		}
		if yes, _, err := v.asBool(); err != nil || !yes {
			return err
		}
	}
	if len(e.q.aggs) > 0 {
		values := make([]value, len(e.q.aggs))
		for i, a := range e.q.aggs {
			var err error
			if values[i], err = a.peek(r); err != nil {
				return err
			}
		}
		for i, a := range e.q.aggs {
			a.add(values[i])
		}
		return nil
	}
	return e.give(r)
}

// totals gives the aggregates.
func (e *engine) totals() error {
	if len(e.q.aggs) == 0 || e.q.limit == 0 {
		return nil
	}
	return e.give(nil)
}

// give writes a record of the result.
func (e *engine) give(r record) error {
	values := make([]value, len(e.q.items))
	for i, it := range e.q.items {
		var err error
		if values[i], err = it.x.eval(r); err != nil {
			return err
		}
	}
	e.rows++
	if e.o.JSON {
		e.giveJSON(r, values)
		return nil
	}
	e.fields = e.fields[:0]
	switch row, _ := r.(*csvRecord); {
	case e.q.all:
		e.fields = append(e.fields, row.fields...)
	case row != nil && e.keepsAll():
		e.fields = append(e.fields, make([]string, len(row.fields))...)
		for i, it := range e.q.items {
			if c := it.x.(*column); c.index < len(e.fields) {
				e.fields[c.index] = values[i].String()
			}
		}
	default:
		for _, v := range values {
			e.fields = append(e.fields, v.String())
		}
	}
	e.writeCSV()
	return nil
}

// keepsAll says that other columns stay, empty, as can be if every item is a
// column.
func (e *engine) keepsAll() bool {
	return e.o.KeepAllColumns && !slices.ContainsFunc(e.q.items, func(it item) bool {
		_, ok := it.x.(*column)
		return !ok
	})
}

func (e *engine) giveJSON(r record, values []value) {
	if e.q.all {
		e.buf = r.(*jsonRecord).n.append(e.buf)
		e.buf = append(e.buf, e.o.OutputRecordDelimiter...)
		return
	}
	e.buf = append(e.buf, '{')
	first := true
	for i, it := range e.q.items {
		v := values[i]
		if c, ok := it.x.(*column); ok {
			if _, there := r.column(c); !there {
				continue
			}
		}
		if !first {
			e.buf = append(e.buf, ',')
		}
		first = false
		e.buf = append(appendString(e.buf, it.name), ':')
		e.buf = v.appendJSON(e.buf)
	}
	e.buf = append(append(e.buf, '}'), e.o.OutputRecordDelimiter...)
}

func (v value) appendJSON(b []byte) []byte {
	switch {
	case v.node != nil:
		return v.node.append(b)
	case v.kind == nullKind:
		return append(b, "null"...)
	case v.kind == textKind || v.kind == timeKind:
		return appendString(b, v.text)
	}
	return append(b, v.String()...)
}

// writeCSV writes e.fields, quoted where they need to be.
func (e *engine) writeCSV() {
	q := e.o.OutputQuote
	special := q + e.o.OutputFieldDelimiter + e.o.OutputRecordDelimiter + "\r\n"
	for i, f := range e.fields {
		if i > 0 {
			e.buf = append(e.buf, e.o.OutputFieldDelimiter...)
		}
		if !strings.ContainsAny(f, special) {
			e.buf = append(e.buf, f...)
			continue
		}
		e.buf = append(e.buf, q...)
		e.buf = append(e.buf, strings.ReplaceAll(f, q, q+q)...)
		e.buf = append(e.buf, q...)
	}
	e.buf = append(e.buf, e.o.OutputRecordDelimiter...)
}

func (e *engine) flush() error {
	p := e.buf
	e.buf, e.last = e.buf[:0], e.scanned()
	e.broken = e.out.Data(p, e.last)
	return e.broken
}

// flushAll gives what was found, also before a failure.
func (e *engine) flushAll() error {
	if len(e.buf) == 0 || e.broken != nil {
		return nil
	}
	return e.flush()
}

type csvRecord struct {
	fields        []string
	numbersAsText bool
}

func (r *csvRecord) column(c *column) (value, bool) {
	if c.index >= len(r.fields) {
		return null, false
	}
	if len(c.path) == 1 {
		return textValue(r.fields[c.index]), true
	}
	j := jsonReader{r: bufio.NewReader(strings.NewReader(r.fields[c.index]))}
	n, err := j.value(maxRecord)
	if err != nil {
		return null, false
	}
	if n = n.walk(c.path[1:]); n == nil {
		return null, false
	}
	return n.value(r.numbersAsText), true
}

type jsonRecord struct {
	n             *node
	numbersAsText bool
}

func (r *jsonRecord) column(c *column) (value, bool) {
	n := r.n.walk(c.path)
	if n == nil {
		if i, ok := position(c.path[0].name); ok {
			if n = r.n.step(step{kind: indexStep, index: i}); n != nil {
				n = n.walk(c.path[1:])
			}
		}
	}
	if n == nil {
		return null, false
	}
	return n.value(r.numbersAsText), true
}

// Counts are what CreateSelectObjectMeta finds. Columns are those of the first
// record of CSV.
type Counts struct {
	Rows, Splits, Columns int64
	Lines                 int64 // what a Range of Lines counts: rows and comments
	Scanned               int64 // bytes
}

// Count counts records, the header among them.
func Count(r io.Reader, opts Options) (n Counts, err error) {
	o, err := opts.check()
	if err != nil {
		return n, err
	}
	src, err := newSource(r, o)
	if err != nil {
		return n, err
	}
	if o.JSON {
		j := newJSON(src)
		for err == nil {
			if _, _, err = j.line(); err == nil {
				n.Rows++
			}
		}
		n.Lines, n.Scanned = n.Rows, j.off
	} else {
		c := newCSV(src, o)
		for err == nil {
			var fields []string
			if fields, err = c.next(); err == nil && c.lines == 1 {
				n.Columns = int64(len(fields))
			}
		}
		n.Rows, n.Lines, n.Scanned = c.lines, c.lines+c.notes, c.off
	}
	n.Splits = (n.Scanned + SplitSize - 1) / SplitSize
	if err == io.EOF {
		return n, nil
	}
	return n, src.failed(err)
}
