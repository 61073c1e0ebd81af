package selectsql

import (
	"bufio"
	"io"
)

// maxFields bounds the fields of a record of CSV.
const maxFields = 10_000

// csvReader reads records of CSV (RFC 4180). Empty records and comments are
// none.
type csvReader struct {
	r      *bufio.Reader
	off    int64 // bytes read
	start  int64 // where the last record begins
	record string
	field  byte
	quote  byte  // 0: none
	note   byte  // begins a comment; 0: none
	multi  bool  // quoted fields may have delimiters of records
	lines  int64 // records read
	notes  int64 // comments read

	special [256]bool // bytes that may end an unquoted field, or begin a quoted one

	buf  []byte
	ends []int // of the fields in buf
}

func (c *csvReader) read() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.off++
	}
	return b, err
}

// next reads a record; its fields are valid until the next call. It returns
// io.EOF at the end.
func (c *csvReader) next() ([]string, error) {
	for {
		c.start = c.off
		b, err := c.read()
		if err != nil {
			return nil, err
		}
		if b == c.note && c.note != 0 {
			if err := c.skipRecord(); err != nil {
				return nil, err
			}
			c.notes++
			continue
		}
		c.unread()
		if err := c.fields(); err != nil {
			return nil, err
		}
		if len(c.ends) > 1 || len(c.buf) > 0 {
			c.lines++
			return c.split(), nil
		}
	}
}

func (c *csvReader) unread() {
	_ = c.r.UnreadByte() // never fails after ReadByte
	c.off--
}

func (c *csvReader) split() []string {
	text, from := string(c.buf), 0
	out := make([]string, len(c.ends))
	for i, end := range c.ends {
		out[i], from = text[from:end], end
	}
	return out
}

// atDelimiter reports whether b, just read, completes a delimiter of records,
// which it then reads to its end.
func (c *csvReader) atDelimiter(b byte) bool {
	if b != c.record[0] {
		return false
	}
	rest := c.record[1:]
	if rest == "" {
		return true
	}
	if next, err := c.r.Peek(len(rest)); err != nil || string(next) != rest {
		return false
	}
	n, _ := c.r.Discard(len(rest))
	c.off += int64(n)
	return true
}

func (c *csvReader) skipRecord() error {
	for {
		b, err := c.read()
		if err == io.EOF || err == nil && c.atDelimiter(b) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// fields reads the fields of a record into buf.
func (c *csvReader) fields() error {
	c.buf, c.ends = c.buf[:0], c.ends[:0]
	for {
		last, err := c.oneField()
		if err != nil {
			return err
		}
		c.ends = append(c.ends, len(c.buf))
		switch {
		case last:
			return nil
		case len(c.ends) > maxFields:
			return c.broken("it has too many fields")
		}
	}
}

// oneField reads a field with what ends it; last says that the record ends too.
func (c *csvReader) oneField() (last bool, err error) {
	from := len(c.buf)
	quoted := false
	for {
		if !quoted {
			c.plain()
		}
		b, err := c.read()
		switch {
		case err == io.EOF:
			return true, nil
		case err != nil:
			return false, err
		case b == c.field:
			return false, nil
		case c.atDelimiter(b):
			if n := len(c.buf); c.record == "\n" && !quoted && n > from && c.buf[n-1] == '\r' {
				c.buf = c.buf[:n-1]
			}
			return true, nil
		case quoted && b == '\r' && c.record == "\n":
			continue
		case quoted:
			return false, c.broken("something follows a quoted field")
		case b == c.quote && c.quote != 0 && len(c.buf) == from:
			if err := c.quotedField(); err != nil {
				return false, err
			}
			quoted = true
			continue
		case b == c.quote && c.quote != 0:
			if again, err := c.read(); err != nil || again != c.quote {
				return false, c.broken("a quote stands alone in a field")
			}
		}
		c.buf = append(c.buf, b)
		if len(c.buf) > maxRecord {
			return false, c.broken("it is too long")
		}
	}
}

// plain takes the bytes at hand that stand for nothing but themselves.
func (c *csvReader) plain() {
	p, _ := c.r.Peek(c.r.Buffered()) // what is buffered is there
	n := 0
	for n < len(p) && !c.special[p[n]] {
		n++
	}
	c.buf = append(c.buf, p[:n]...)
	n, _ = c.r.Discard(n)
	c.off += int64(n)
}

// quotedField reads up to the closing quote.
func (c *csvReader) quotedField() error {
	for {
		b, err := c.read()
		switch {
		case err == io.EOF:
			return c.broken("a quote is not closed")
		case err != nil:
			return err
		case b == c.quote:
			if next, err := c.r.Peek(1); err != nil || next[0] != c.quote {
				return nil
			}
			c.off++
			_, _ = c.r.Discard(1) // Peek has it
		case !c.multi && b == c.record[0]:
			return c.broken("a quote is not closed")
		}
		c.buf = append(c.buf, b)
		if len(c.buf) > maxRecord {
			return c.broken("it is too long")
		}
	}
}

func (c *csvReader) broken(what string) error {
	return badData("InvalidCsvLine", "The record at byte %d is not CSV: %s.", c.start, what)
}
