package emulator

import (
	"encoding/base64"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/selectsql"
	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// selectObject runs SQL on an object (SelectObject). What is wrong with the
// request is an error as any; what is wrong with the data stands in the last
// frame, behind the records found before.
func (rq *request) selectObject() error {
	doc, err := rq.selectDocument("SelectRequest")
	if err != nil {
		return err
	}
	opts, raw, err := rq.selectOptions(doc)
	if err != nil {
		return err
	}
	sql, err := decodeOption(doc, "Expression", "InvalidSqlParameter")
	if err != nil {
		return err
	}
	f, r, err := rq.openWhole()
	if err != nil {
		return err
	}
	defer r.Close()
	if err := rq.lastRecords(opts, r); err != nil {
		return err
	}
	rq.setVersion(f.Object)
	w := &selectWriter{frameWriter: frameWriter{rq: rq, status: http.StatusPartialContent}, raw: raw}
	scanned, err := selectsql.Run(sql, r, *opts, w)
	if w.gone {
		rq.code = "Aborted"
		return nil
	}
	e, failed := errors.AsType[*selectsql.Error](err)
	switch {
	case err != nil && !failed && w.begun:
		rq.cut()
		return nil
	case err != nil && (!failed || !e.InData || raw && !w.begun):
		return selectError(err)
	case failed && raw:
		rq.cut()
		return nil
	}
	w.begin(raw)
	if !raw {
		w.end(endFrame, scanned, e, nil)
	}
	return nil
}

// createSelectMeta counts the records of an object (CreateSelectObjectMeta).
// Nothing is kept: ranges are found anew by every select.
func (rq *request) createSelectMeta() error {
	name, kind := "CsvMetaRequest", uint32(csvMetaFrame)
	if rq.selectsJSON() {
		name, kind = "JsonMetaRequest", jsonMetaFrame
	}
	doc, err := rq.selectDocument(name)
	if err != nil {
		return err
	}
	opts, _, err := rq.selectOptions(doc)
	switch {
	case err != nil:
		return err
	case opts.GZIP:
		return badCompression("The lines of a compressed object cannot be counted.")
	case opts.Document:
		return failArgument("Type", "DOCUMENT", "The lines of a JSON document cannot be counted.")
	}
	f, r, err := rq.openWhole()
	if err != nil {
		return err
	}
	defer r.Close()
	n, err := selectsql.Count(r, *opts)
	e, failed := errors.AsType[*selectsql.Error](err)
	if err != nil && (!failed || !e.InData) {
		return selectError(err)
	}
	rq.setVersion(f.Object)
	w := &frameWriter{rq: rq, status: http.StatusOK}
	w.begin(false)
	w.end(kind, n.Scanned, e, &n)
	return nil
}

func (rq *request) selectsJSON() bool { return strings.HasPrefix(rq.param(processParam), "json/") }

// selectDocument reads the request's document.
func (rq *request) selectDocument(root string) (*element, error) {
	body, err := rq.readDocument()
	if err != nil {
		return nil, err
	}
	doc, err := parseDocument(body, root)
	if err != nil {
		return nil, fail("MalformedXML")
	}
	return doc, nil
}

// selectError is the answer to what selectsql refuses.
func selectError(err error) error {
	e, ok := errors.AsType[*selectsql.Error](err)
	if !ok {
		return err
	}
	return &apiError{status: http.StatusBadRequest, code: e.Code, ec: e.EC, msg: e.Message}
}

func badCompression(msg string) error {
	return &apiError{status: http.StatusBadRequest, code: "InvalidCompressionFormat", ec: "0016-00000826", msg: msg}
}

// selectOptions reads what the document says of the data; raw says that the
// records are to come without frames.
func (rq *request) selectOptions(doc *element) (o *selectsql.Options, raw bool, err error) {
	o = &selectsql.Options{JSON: rq.selectsJSON()}
	switch v := strings.ToUpper(doc.get("InputSerialization/CompressionType")); v {
	case "", "NONE":
	case "GZIP":
		o.GZIP = true
	default:
		return nil, false, badCompression("The compression type is not None or GZIP.")
	}
	in, out := "InputSerialization/CSV/", "OutputSerialization/CSV/"
	if o.JSON {
		in, out = "InputSerialization/JSON/", "OutputSerialization/JSON/"
	}
	for _, f := range []struct {
		to         *string
		path, code string
	}{
		{&o.RecordDelimiter, in + "RecordDelimiter", "InvalidInputRecordDelimiter"},
		{&o.FieldDelimiter, in + "FieldDelimiter", "InvalidInputFieldDelimiter"},
		{&o.Quote, in + "QuoteCharacter", "InvalidInputQuote"},
		{&o.Comment, in + "CommentCharacter", "InvalidCommentCharacter"},
		{&o.OutputRecordDelimiter, out + "RecordDelimiter", "InvalidOutputRecordDelimiter"},
		{&o.OutputFieldDelimiter, out + "FieldDelimiter", "InvalidOutputFieldDelimiter"},
		{&o.OutputQuote, out + "QuoteCharacter", "InvalidOutputQuote"},
	} {
		if *f.to, err = decodeOption(doc, f.path, f.code); err != nil {
			return nil, false, err
		}
	}
	oneLine := strings.EqualFold(doc.get(in+"AllowQuotedRecordDelimiter"), "false")
	for _, f := range []struct {
		to   *bool
		path string
	}{
		{&o.NumbersAsText, in + "ParseJsonNumberAsString"},
		{&o.OutputHeader, "OutputSerialization/OutputHeader"},
		{&o.KeepAllColumns, "OutputSerialization/KeepAllColumns"},
		{&raw, "OutputSerialization/OutputRawData"},
		{&o.SkipPartial, "Options/SkipPartialDataRecord"},
	} {
		*f.to = strings.EqualFold(strings.TrimSpace(doc.get(f.path)), "true")
	}
	o.OneLine = oneLine
	if v := strings.TrimSpace(doc.get("Options/MaxSkippedRecordsAllowed")); v != "" {
		if o.MaxSkipped, err = strconv.ParseInt(v, 10, 64); err != nil || o.MaxSkipped < 0 {
			return nil, false, fail("InvalidMaxSkippedRecordsAllowed")
		}
	}
	switch v := strings.ToUpper(doc.get(in + "FileHeaderInfo")); v {
	case "", "NONE":
	case "IGNORE":
		o.Header = selectsql.IgnoreHeader
	case "USE":
		o.Header = selectsql.UseHeader
	default:
		return nil, false, failArgument("FileHeaderInfo", v, "The FileHeaderInfo is not None, Ignore or Use.")
	}
	if o.JSON {
		switch v := strings.ToUpper(doc.get(in + "Type")); v {
		case "DOCUMENT":
			o.Document = true
		case "LINES":
		default:
			return nil, false, failArgument("Type", v, "The type of JSON is not DOCUMENT or LINES.")
		}
	}
	return o, raw, rq.selectRange(o, strings.TrimSpace(doc.get(in+"Range")))
}

// decodeOption reads a text that stands in base64.
func decodeOption(doc *element, path, code string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(doc.get(path)))
	if err != nil {
		return "", &apiError{status: http.StatusBadRequest, code: code, msg: path + " is not in base64."}
	}
	return string(b), nil
}

// selectRange reads a range of lines or splits from the document, or of bytes
// from the header. A negative First is that many from the end.
func (rq *request) selectRange(o *selectsql.Options, text string) error {
	bad := fail("InvalidSelectRange")
	kind, span, _ := strings.Cut(text, "=")
	switch kind {
	case "line-range":
		o.Range.Unit = selectsql.Lines
	case "split-range":
		o.Range.Unit = selectsql.Splits
	case "":
		var ok bool
		if span, ok = strings.CutPrefix(rq.header("Range"), "bytes="); !ok {
			return nil
		}
		if !o.OneLine {
			bad.msg = "A range of bytes needs AllowQuotedRecordDelimiter to be false."
			return bad
		}
		o.Range.Unit = selectsql.Bytes
	default:
		return bad
	}
	if o.Document || o.GZIP {
		bad.msg = "A JSON document and a compressed object are read as a whole."
		return bad
	}
	first, last, ok := strings.Cut(span, "-")
	r := &o.Range
	r.Last = math.MaxInt64
	var errFirst, errLast error
	if first != "" {
		r.First, errFirst = strconv.ParseInt(first, 10, 64)
	}
	if last != "" {
		r.Last, errLast = strconv.ParseInt(last, 10, 64)
	}
	if !ok || errFirst != nil || errLast != nil || first+last == "" || r.First > r.Last {
		return bad
	}
	if first == "" {
		r.First, r.Last = -r.Last, math.MaxInt64
	}
	return nil
}

// lastRecords finds out where the last lines, splits or bytes begin, if that
// is what is asked for.
func (rq *request) lastRecords(o *selectsql.Options, r *objectReader) error {
	if o.Range.First >= 0 {
		return nil
	}
	total := r.size
	if o.Range.Unit != selectsql.Bytes {
		n, err := selectsql.Count(r, *o)
		if err != nil {
			return selectError(err)
		}
		total = n.Lines
		if o.Range.Unit == selectsql.Splits {
			total = n.Splits
		}
		r.rewind()
	}
	o.Range.First = max(total+o.Range.First, 0)
	return nil
}

// openWhole opens all bytes of the request's object, for the server to read.
func (rq *request) openWhole() (*found, *objectReader, error) {
	var f *found
	c, err := rq.s.store.Open(func(tx *store.Tx) (_ []store.Segment, err error) {
		if f, err = rq.find(tx); err != nil {
			return nil, err
		}
		return f.data.Segments, rq.mayRead(tx, f.data)
	})
	if err != nil {
		return nil, nil, err
	}
	return f, &objectReader{c: c, size: f.data.Size}, nil
}
