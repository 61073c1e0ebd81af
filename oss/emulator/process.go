package emulator

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"errors"
	"hash/crc64"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/picture"
	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// The parameters that ask for processing, and what POST makes of the first.
const (
	processParam      = "x-oss-process"
	asyncProcessParam = "x-oss-async-process"
	selectSub         = processParam + "=select"
	selectMetaSub     = processParam + "=meta"
)

// maxPictures is how many images are processed at once: each may take some
// 500 MB.
const maxPictures = 2

// selectSub tells select from other processing.
func (rq *request) selectSub() string {
	switch rq.param(processParam) {
	case "csv/select", "json/select":
		return selectSub
	case "csv/meta", "json/meta":
		return selectMetaSub
	}
	return processParam
}

// getProcessed answers GET with what processing makes of the object.
func (rq *request) getProcessed() error {
	f, r, err := rq.openWhole()
	if err != nil {
		return err
	}
	defer r.Close()
	cond := conditions{
		match: rq.header("If-Match"), unmodified: rq.header("If-Unmodified-Since"),
		noneMatch: rq.header("If-None-Match"), modified: rq.header("If-Modified-Since"),
	}
	if err := cond.check(f.data.ETag, f.Modified); err != nil {
		return err
	}
	res, err := rq.picture(rq.param(processParam), r)
	if err != nil {
		return err
	}
	rq.setVersion(f.Object)
	rq.set("ETag", `"`+f.data.ETag+`"`)
	rq.set("Last-Modified", f.Modified.UTC().Format(http.TimeFormat))
	rq.set("Content-Type", res.Type)
	for _, p := range rq.query {
		if name, ok := strings.CutPrefix(p.Name, "response-"); ok && overridable[name] {
			rq.set(name, p.Value)
		}
	}
	rq.answer(res.Data)
	return nil
}

// answer sends the whole of a body.
func (rq *request) answer(body []byte) {
	rq.set("Content-Length", strconv.Itoa(len(body)))
	rq.limit.announce(int64(len(body)))
	w := &frameWriter{rq: rq}
	rq.w.WriteHeader(http.StatusOK)
	if err := w.write(body); err != nil {
		rq.code = "Aborted"
	}
}

// picture processes an image as "image/..." or "style/NAME" says.
func (rq *request) picture(process string, r *objectReader) (*picture.Result, error) {
	process, err := rq.resolveStyle(process)
	if err != nil {
		return nil, err
	}
	operations, ok := strings.CutPrefix(process, "image/")
	if !ok {
		return nil, failArgument(processParam, process, "Unsupported operation: "+process)
	}
	if r.size > picture.MaxSource {
		return nil, pictureError(&picture.Error{Code: "ImageTooLarge", Message: "The image is too large."})
	}
	select {
	case rq.s.pictures <- struct{}{}:
		defer func() { <-rq.s.pictures }()
	case <-rq.r.Context().Done():
		return nil, fail("RequestTimeout")
	case <-rq.s.closing:
		return nil, fail("ServiceUnavailable")
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	res, err := picture.Process(data, operations)
	if err != nil {
		return nil, pictureError(err)
	}
	return res, nil
}

func pictureError(err error) error {
	if e, ok := errors.AsType[*picture.Error](err); ok {
		return &apiError{status: http.StatusBadRequest, code: e.Code, msg: e.Message}
	}
	return err
}

// resolveStyle replaces "style/NAME" by what the style says.
func (rq *request) resolveStyle(process string) (string, error) {
	name, ok := strings.CutPrefix(process, "style/")
	if !ok {
		return process, nil
	}
	var content string
	err := rq.viewConfig(func(tx *store.Tx) error {
		doc, err := configDoc(tx, rq.bucket, "style", name)
		if err == nil && doc == nil {
			err = fail("NoSuchStyle").with("StyleName", name)
		}
		if err == nil {
			content = strings.TrimSpace(doc.get("Content"))
		}
		return err
	})
	return content, err
}

// processObject processes an object and stores the result (ProcessObject).
func (rq *request) processObject() error {
	process, err := rq.processRequest(processParam)
	if err != nil {
		return err
	}
	steps := strings.Split(process, "|")
	save, ok := strings.CutPrefix(steps[len(steps)-1], "sys/saveas,")
	if !ok || len(steps) != 2 {
		return failArgument(processParam, process, "operation not support post: "+process)
	}
	to, err := rq.saveAs(save)
	if err != nil {
		return err
	}
	_, r, err := rq.openWhole()
	if err != nil {
		return err
	}
	defer r.Close()
	res, err := rq.picture(steps[0], r)
	if err != nil {
		return err
	}
	if err := to.keep(res); err != nil {
		return err
	}
	body, err := json.MarshalIndent(struct {
		Bucket   string `json:"bucket"`
		FileSize int    `json:"fileSize"`
		Object   string `json:"object"`
		Status   string `json:"status"`
	}{to.named, len(res.Data), to.rq.key, "OK"}, "", "    ")
	if err != nil {
		return err
	}
	rq.set("Content-Type", "application/json")
	rq.answer(body)
	return nil
}

// processLater answers for a bucket that no project of media processing is
// attached to, as none can be: nothing is ever processed later.
func (rq *request) processLater() error {
	if _, err := rq.processRequest(asyncProcessParam); err != nil {
		return err
	}
	if _, err := rq.lookUp(); err != nil {
		return err
	}
	return fail("Imm Client")
}

// processRequest reads what is to be done from the body, name=..., or from
// the parameter itself.
func (rq *request) processRequest(name string) (string, error) {
	body, err := rq.readDocument()
	if err != nil {
		return "", err
	}
	process, ok := strings.CutPrefix(string(body), name+"=")
	if !ok {
		process = rq.param(name)
	}
	if process == "" {
		e := fail("InvalidRequest")
		e.msg = "no " + name + " parameter found"
		return "", e
	}
	return strings.TrimSpace(process), nil
}

// destination is where a result is stored.
type destination struct {
	rq    *request // as if it were a request to put the result
	named string   // the bucket, if it was named
}

// saveAs reads o_KEY and b_BUCKET, both in URL-safe base64 with or without
// padding.
func (rq *request) saveAs(text string) (*destination, error) {
	behind := *rq
	to := &destination{rq: &behind}
	behind.key = ""
	for item := range strings.SplitSeq(text, ",") {
		kind, value, _ := strings.Cut(item, "_")
		b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(value, "="))
		if err != nil {
			return nil, failArgument("saveas", item, "The parameter of saveas is not in URL-safe base64.")
		}
		switch kind {
		case "o":
			behind.key = string(b)
		case "b":
			behind.bucket, to.named = string(b), string(b)
		default:
			return nil, failArgument("saveas", item, "Unsupported parameter of saveas.")
		}
	}
	if !validKey(behind.key) {
		return nil, fail("InvalidObjectName").with("ObjectName", behind.key)
	}
	return to, nil
}

// keep stores a result.
func (to *destination) keep(res *picture.Result) error {
	rq := to.rq
	a, err := rq.readAttributes()
	if err != nil {
		return err
	}
	a.headers = slices.DeleteFunc(a.headers, func(h store.Header) bool { return strings.EqualFold(h.Name, "Content-Type") })
	a.headers = append(a.headers, store.Header{Name: "content-type", Value: res.Type})
	sum := md5.Sum(res.Data)
	c := &content{size: int64(len(res.Data)), md5: sum[:], crc: crc64.Checksum(res.Data, crcTable)}
	if len(res.Data) <= maxInline {
		c.segments = store.Inline(bytes.Clone(res.Data))
	} else if c.segments, err = rq.storeBlob(res.Data); err != nil {
		return err
	}
	_, err = rq.commit(a, c)
	for _, name := range []string{"ETag", "Content-MD5", "x-oss-hash-crc64ecma"} {
		rq.w.Header().Del(name) // they are not this answer's
	}
	return err
}

// storeBlob makes a blob of bytes that nothing refers to yet.
func (rq *request) storeBlob(p []byte) ([]store.Segment, error) {
	blob, err := rq.s.store.NewBlob(int64(len(p)))
	if err != nil {
		return nil, err
	}
	if _, err := blob.Write(p); err != nil {
		blob.Discard()
		return nil, err
	}
	return blob.Sync()
}

// dataPipeline answers for an account without data pipelines, as there are
// none here (DoDataPipeLineAction).
func (rq *request) dataPipeline() error {
	if action := rq.param("action"); action != "listDataPipelineConfigurations" {
		return fail("NoSuchDataPipeline")
	}
	var d document
	d.open("ListDataPipelineConfigurationsResult")
	d.open("DataPipelineConfigurations")
	d.close("DataPipelineConfigurations")
	d.close("ListDataPipelineConfigurationsResult")
	rq.writeDocument(http.StatusOK, &d)
	return nil
}
