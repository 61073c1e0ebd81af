package oss

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strings"

	"github.com/osssync/osssync/internal/file"
)

// SelectFormat is what a select reads and writes.
type SelectFormat string

// The formats.
const (
	SelectCSV  SelectFormat = "csv"
	SelectJSON SelectFormat = "json"
)

// SelectOptions tunes SelectObject and CreateSelectObjectMeta. The zero value
// reads CSV without a header line.
type SelectOptions struct {
	// Format "" means CSV.
	Format SelectFormat

	// CompressionType is NONE or GZIP.
	CompressionType string

	// CSV input. FileHeaderInfo is NONE, IGNORE or USE; "" leaves the
	// delimiters to the service: "\n", ",", `"`, "#".
	FileHeaderInfo             string
	RecordDelimiter            string
	FieldDelimiter             string
	QuoteCharacter             string
	CommentCharacter           string
	AllowQuotedRecordDelimiter *bool // nil: true

	// JSON input. JSONType is DOCUMENT or LINES.
	JSONType                string
	ParseJSONNumberAsString bool

	// LineRange and SplitRange, as "5-10", read only these lines or splits;
	// CreateSelectObjectMeta must have been called before.
	LineRange  string
	SplitRange string

	// Output.
	OutputRecordDelimiter string
	OutputFieldDelimiter  string
	KeepAllColumns        bool
	OutputHeader          bool

	// OutputRaw asks for records without frames: then nothing tells a
	// failure in their midst from their end.
	OutputRaw bool

	// EnablePayloadCRC has each frame's CRC-32 compared.
	EnablePayloadCRC bool

	SkipPartialDataRecord    bool
	MaxSkippedRecordsAllowed int64

	// OverwriteIfExists has CreateSelectObjectMeta count again.
	OverwriteIfExists bool

	// OnProgress is told of the bytes of the object that were scanned.
	OnProgress ProgressFunc

	// Header holds anything else.
	Header http.Header
}

// SelectObjectResult is an open answer to SelectObject. Its Body must be
// closed.
type SelectObjectResult struct {
	ObjectMeta

	// Body reads the records. Instead of io.EOF it gives a *ServerError that
	// matches ErrSelectOperationFailed if the service failed in their midst.
	Body io.ReadCloser
}

// SelectObject runs an SQL query on an object (SelectObject), as
// "select _1, _3 from ossobject where _2 > 5".
func (b *Bucket) SelectObject(ctx context.Context, key, sql string, opts *SelectOptions) (*SelectObjectResult, error) {
	o, err := selectOptions("SelectObject", opts)
	if err != nil {
		return nil, err
	}
	r := b.objectCall("SelectObject", http.MethodPost, key)
	r.set("x-oss-process", string(o.Format)+"/select")
	addHeaders(r.header, o.Header)
	if err := r.marshalBody(o.request(sql)); err != nil {
		return nil, err
	}
	resp, err := b.client.do(ctx, r)
	if err != nil {
		return nil, err
	}
	res := &SelectObjectResult{ObjectMeta: *newObjectMeta(resp)}
	res.Body = newFrames(ctx, r, resp, o)
	return res, nil
}

// SelectObjectToFile is SelectObject into a file, which shows all records or
// what it was before.
func (b *Bucket) SelectObjectToFile(ctx context.Context, key, name, sql string, opts *SelectOptions) (*SelectObjectResult, error) {
	result, err := b.SelectObject(ctx, key, sql, opts)
	if err != nil {
		return nil, err
	}
	if err := file.Write(name, result.Body); err != nil {
		return nil, err
	}
	return result, nil
}

// SelectObjectMeta is the answer to CreateSelectObjectMeta.
type SelectObjectMeta struct {
	Response

	// Splits and Rows count what SplitRange and LineRange number. Columns is
	// 0 for JSON.
	Splits  int64
	Rows    int64
	Columns int64
}

// CreateSelectObjectMeta has the service count the lines of an object, which
// selects by range need (CreateSelectObjectMeta).
func (b *Bucket) CreateSelectObjectMeta(ctx context.Context, key string, opts *SelectOptions) (*SelectObjectMeta, error) {
	o, err := selectOptions("CreateSelectObjectMeta", opts)
	if err != nil {
		return nil, err
	}
	r := b.objectCall("CreateSelectObjectMeta", http.MethodPost, key)
	r.set("x-oss-process", string(o.Format)+"/meta")
	addHeaders(r.header, o.Header)
	if err := r.marshalBody(o.metaRequest()); err != nil {
		return nil, err
	}
	resp, err := b.client.do(ctx, r)
	if err != nil {
		return nil, err
	}
	f := newFrames(ctx, r, resp, o)
	defer f.Close()
	if _, err := io.Copy(io.Discard, f); err != nil {
		return nil, err
	}
	if f.meta == nil {
		return nil, r.answerError(resp, "no counts in the answer")
	}
	f.meta.Response = newResponse(resp)
	return f.meta, nil
}

func selectOptions(op string, opts *SelectOptions) (*SelectOptions, error) {
	var o SelectOptions
	if opts != nil {
		o = *opts
	}
	if o.Format == "" {
		o.Format = SelectCSV
	}
	switch {
	case o.Format != SelectCSV && o.Format != SelectJSON:
		return nil, usageError(op, "format", quote(string(o.Format))+" is not csv or json")
	case o.LineRange != "" && o.SplitRange != "":
		return nil, usageError(op, "range", "is given in lines and in splits")
	case o.Format == SelectJSON && o.JSONType != "DOCUMENT" && o.JSONType != "LINES":
		return nil, usageError(op, "JSON type", quote(o.JSONType)+" is not DOCUMENT or LINES")
	}
	return &o, nil
}

// The documents of the requests. Characters are in base64, as the protocol has
// them.
type (
	xmlSelect struct {
		XMLName    xml.Name
		Expression string         `xml:",omitempty"`
		Input      xmlSelectInput `xml:"InputSerialization"`
		Output     *xmlSelectOutput
		Options    *xmlSelectOptions
		Overwrite  *bool `xml:"OverwriteIfExists"`
	}
	xmlSelectInput struct {
		CompressionType string        `xml:",omitempty"`
		CSV             *xmlSelectCSV `xml:"CSV"`
		JSON            *xmlSelectJSON
	}
	xmlSelectCSV struct {
		FileHeaderInfo             string `xml:",omitempty"`
		RecordDelimiter            string `xml:",omitempty"`
		FieldDelimiter             string `xml:",omitempty"`
		QuoteCharacter             string `xml:",omitempty"`
		CommentCharacter           string `xml:",omitempty"`
		Range                      string `xml:",omitempty"`
		AllowQuotedRecordDelimiter *bool
	}
	xmlSelectJSON struct {
		Type                    string `xml:",omitempty"`
		Range                   string `xml:",omitempty"`
		ParseJSONNumberAsString bool   `xml:"ParseJsonNumberAsString,omitempty"`
		RecordDelimiter         string `xml:",omitempty"`
	}
	xmlSelectOutput struct {
		XMLName          xml.Name `xml:"OutputSerialization"`
		CSV              *xmlSelectCSV
		JSON             *xmlSelectJSON
		KeepAllColumns   bool
		OutputRawData    bool
		EnablePayloadCRC bool `xml:"EnablePayloadCrc"`
		OutputHeader     bool
	}
	xmlSelectOptions struct {
		SkipPartialDataRecord    bool
		MaxSkippedRecordsAllowed int64 `xml:",omitempty"`
	}
)

func (o *SelectOptions) request(sql string) *xmlSelect {
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	out := &xmlSelectOutput{
		KeepAllColumns: o.KeepAllColumns, OutputRawData: o.OutputRaw, EnablePayloadCRC: o.EnablePayloadCRC, OutputHeader: o.OutputHeader,
	}
	if o.Format == SelectCSV {
		out.CSV = &xmlSelectCSV{RecordDelimiter: b64(o.OutputRecordDelimiter), FieldDelimiter: b64(o.OutputFieldDelimiter)}
	} else {
		out.JSON = &xmlSelectJSON{RecordDelimiter: b64(o.OutputRecordDelimiter)}
	}
	return &xmlSelect{
		XMLName: xml.Name{Local: "SelectRequest"}, Expression: b64(sql), Input: o.input(), Output: out,
		Options: &xmlSelectOptions{o.SkipPartialDataRecord, o.MaxSkippedRecordsAllowed},
	}
}

func (o *SelectOptions) metaRequest() *xmlSelect {
	name := "CsvMetaRequest"
	if o.Format == SelectJSON {
		name = "JsonMetaRequest"
	}
	r := &xmlSelect{XMLName: xml.Name{Local: name}, Input: o.input()}
	if o.OverwriteIfExists {
		r.Overwrite = &o.OverwriteIfExists
	}
	return r
}

func (o *SelectOptions) input() xmlSelectInput {
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	rng := ""
	switch {
	case o.LineRange != "":
		rng = "line-range=" + o.LineRange
	case o.SplitRange != "":
		rng = "split-range=" + o.SplitRange
	}
	in := xmlSelectInput{CompressionType: o.CompressionType}
	if o.Format == SelectJSON {
		in.JSON = &xmlSelectJSON{Type: o.JSONType, Range: rng, ParseJSONNumberAsString: o.ParseJSONNumberAsString}
		return in
	}
	in.CSV = &xmlSelectCSV{
		FileHeaderInfo: o.FileHeaderInfo, RecordDelimiter: b64(o.RecordDelimiter), FieldDelimiter: b64(o.FieldDelimiter),
		QuoteCharacter: b64(o.QuoteCharacter), CommentCharacter: b64(o.CommentCharacter), Range: rng,
		AllowQuotedRecordDelimiter: o.AllowQuotedRecordDelimiter,
	}
	return in
}

// frames reads the body of a select: frames of a type, a length, a checksum of
// the two, a payload, and its CRC-32. The payload begins with the number of
// bytes scanned.
type frames struct {
	ctx      context.Context //nolint:containedctx // governs reading, as for every body
	call     *call
	resp     *http.Response
	raw      bool
	check    bool
	progress ProgressFunc
	total    int64

	left int64 // of the data frame at hand
	sum  uint32
	meta *SelectObjectMeta
	err  error // sticky
}

// Types of frames, without the version in their first byte.
const (
	frameData     = 8388609
	frameContinue = 8388612
	frameEnd      = 8388613
	frameMetaCSV  = 8388614
	frameMetaJSON = 8388615

	maxFrame = 64 << 20 // a data frame of the service has at most a few MB
	maxEnd   = 64 << 10
)

func newFrames(ctx context.Context, r *call, resp *http.Response, o *SelectOptions) *frames {
	return &frames{
		ctx: ctx, call: r, resp: resp, check: o.EnablePayloadCRC, progress: o.OnProgress, total: -1,
		raw: strings.EqualFold(resp.Header.Get("X-Oss-Select-Output-Raw"), "true"),
	}
}

// Close ends the answer.
func (f *frames) Close() error { return f.resp.Body.Close() }

// Read gives the records.
func (f *frames) Read(p []byte) (n int, err error) {
	if f.err != nil || len(p) == 0 {
		return 0, f.err
	}
	if f.raw {
		n, err = f.resp.Body.Read(p)
		if err != nil && err != io.EOF {
			err = f.call.transportError(f.ctx, err)
		}
		f.err = err
		return n, err
	}
	for f.left == 0 {
		if f.err = f.next(); f.err != nil {
			return 0, f.err
		}
	}
	n, err = f.resp.Body.Read(p[:min(int64(len(p)), f.left)])
	f.left -= int64(n)
	f.sum = crc32.Update(f.sum, crc32.IEEETable, p[:n])
	switch {
	case f.left == 0:
		f.err = f.trailer()
		if f.err != nil {
			return 0, f.err
		}
	case err == io.EOF:
		f.err = f.call.transportError(f.ctx, io.ErrUnexpectedEOF)
	case err != nil:
		f.err = f.call.transportError(f.ctx, err)
	}
	return n, f.err
}

// next reads the head of a frame, and all of one that is not data.
func (f *frames) next() error {
	var head [20]byte
	if _, err := io.ReadFull(f.resp.Body, head[:]); err != nil {
		return f.call.transportError(f.ctx, unexpected(err)) // the end frame must come first
	}
	kind := binary.BigEndian.Uint32(head[0:]) & 0xffffff
	length := int64(binary.BigEndian.Uint32(head[4:]))
	scanned := int64(binary.BigEndian.Uint64(head[12:]))
	f.sum = crc32.Update(0, crc32.IEEETable, head[12:])
	if length < 8 || length > maxFrame {
		return f.call.answerError(f.resp, fmt.Sprintf("a frame of %d bytes", length))
	}
	if f.progress != nil {
		f.progress(scanned, f.total)
	}
	switch kind {
	case frameData:
		if f.left = length - 8; f.left == 0 {
			return f.trailer()
		}
		return nil
	case frameContinue, frameEnd, frameMetaCSV, frameMetaJSON:
	default:
		return f.call.answerError(f.resp, fmt.Sprintf("a frame of type %d", kind))
	}
	if length > maxEnd {
		return f.call.answerError(f.resp, fmt.Sprintf("an end frame of %d bytes", length))
	}
	rest := make([]byte, length-8)
	if _, err := io.ReadFull(f.resp.Body, rest); err != nil {
		return f.call.transportError(f.ctx, unexpected(err))
	}
	f.sum = crc32.Update(f.sum, crc32.IEEETable, rest)
	if err := f.trailer(); err != nil || kind == frameContinue {
		return err
	}
	return f.end(kind, rest)
}

// trailer reads and compares the checksum behind a payload.
func (f *frames) trailer() error {
	var sum [4]byte
	if _, err := io.ReadFull(f.resp.Body, sum[:]); err != nil {
		return f.call.transportError(f.ctx, unexpected(err))
	}
	if want := binary.BigEndian.Uint32(sum[:]); f.check && want != 0 && want != f.sum {
		return &IntegrityError{
			Operation: f.call.op, Bucket: f.call.bucket, Key: f.call.key,
			RequestID: f.resp.Header.Get("X-Oss-Request-Id"), Expected: uint64(want), Actual: uint64(f.sum),
		}
	}
	return nil
}

// end reads an end frame: how much was scanned, the status, counts of a meta
// request, and what went wrong.
func (f *frames) end(kind uint32, b []byte) error {
	sizes := map[uint32]int{frameEnd: 12, frameMetaCSV: 28, frameMetaJSON: 24}
	if len(b) < sizes[kind] {
		return f.call.answerError(f.resp, "a short end frame")
	}
	status := int(binary.BigEndian.Uint32(b[8:]))
	text := string(b[sizes[kind]:])
	if status/100 != 2 {
		code, message, _ := strings.Cut(text, ".")
		return fmt.Errorf("%w: %w", ErrSelectOperationFailed, &ServerError{
			Operation: f.call.op, Bucket: f.call.bucket, Key: f.call.key, Status: status, Code: code, Message: message,
			RequestID: f.resp.Header.Get("X-Oss-Request-Id"), Header: f.resp.Header,
		})
	}
	if kind != frameEnd {
		f.meta = &SelectObjectMeta{Splits: int64(binary.BigEndian.Uint32(b[12:])), Rows: int64(binary.BigEndian.Uint64(b[16:]))}
		if kind == frameMetaCSV {
			f.meta.Columns = int64(binary.BigEndian.Uint32(b[24:]))
		}
	}
	return io.EOF
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
