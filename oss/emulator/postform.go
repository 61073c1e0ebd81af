package emulator

import (
	"cmp"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// maxFormField is the longest value of a field of a form, and maxForm the
	// most of all together, in bytes; the file is apart.
	maxFormField = 64 << 10
	maxForm      = 1 << 20
)

// postForm is a form that uploads an object, read up to the bytes of its file.
type postForm struct {
	rq       *request
	parts    *multipart.Reader
	fields   map[string]string // by name in lower case
	file     *multipart.Part
	fileName string // without folders
	ended    bool   // the file
}

// readForm reads the fields of a form, which end with the file.
func (rq *request) readForm() (*postForm, error) {
	typ, params, err := mime.ParseMediaType(rq.header("Content-Type"))
	if err != nil || typ != "multipart/form-data" {
		return nil, fail("RequestIsNotMultiPartContent")
	}
	boundary := params["boundary"]
	if boundary == "" || len(boundary) > 256 {
		return nil, fail("MalformedPOSTRequest")
	}
	f := &postForm{rq: rq, parts: multipart.NewReader(rq.body, boundary), fields: make(map[string]string)}
	for size := 0; ; {
		part, err := f.parts.NextRawPart()
		if err != nil {
			return nil, f.failed(err)
		}
		name := strings.ToLower(part.FormName())
		switch {
		case name == "" || !utf8.ValidString(name):
			return nil, fail("MalformedPOSTRequest")
		case name == "file":
			f.file, f.fileName = part, baseName(part.FileName())
			return f, nil
		}
		value, err := io.ReadAll(io.LimitReader(part, maxFormField+1))
		if err != nil {
			return nil, f.failed(err)
		}
		size += len(name) + len(value)
		if len(value) > maxFormField || size > maxForm {
			return nil, fail("FieldItemTooLong").with("Field", name)
		}
		if !utf8.Valid(value) {
			return nil, fail("MalformedPOSTRequest")
		}
		f.fields[name] = string(value)
	}
}

// baseName is a file's name without the folders that some browsers send.
func baseName(name string) string { return name[strings.LastIndexAny(name, `/\`)+1:] }

// failed is the answer to a form that could not be read on: the body has
// failed, or else it is not such a form.
func (f *postForm) failed(error) error {
	if err := f.rq.body.err; err != nil {
		return f.rq.bodyError(err)
	}
	return fail("MalformedPOSTRequest")
}

// Read reads the file.
func (f *postForm) Read(p []byte) (int, error) {
	n, err := f.file.Read(p)
	f.ended = f.ended || errors.Is(err, io.EOF)
	return n, err
}

func (f *postForm) atEnd() bool { return f.ended }

// finish reads what comes after the file: nothing, or the button that browsers
// send.
func (f *postForm) finish() error {
	for {
		part, err := f.parts.NextRawPart()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return f.failed(err)
		case strings.EqualFold(part.FormName(), "file"):
			return fail("IncorrectNumberOfFilesInPOSTRequest")
		case !strings.EqualFold(part.FormName(), "submit"):
			return fail("MalformedPOSTRequest")
		}
	}
}

// field is what a policy calls a field, by its name in lower case.
func (f *postForm) field(name string) (string, bool) {
	v, ok := f.fields[name]
	switch {
	case name == "bucket":
		return f.rq.bucket, true
	case name == "content-type" && !ok:
		v = f.file.Header.Get("Content-Type")
		ok = v != ""
	}
	return v, ok
}

// key is the object's key: the field with the file's name in it.
func (f *postForm) key() (string, error) {
	key, ok := f.fields["key"]
	if !ok {
		return "", failArgument("key", "", "The form must have a field named key, before the file.")
	}
	key = strings.ReplaceAll(key, "${filename}", f.fileName)
	if key == "" {
		return "", failArgument("key", "", "The key must not be empty.")
	}
	if !validKey(key) {
		return "", fail("InvalidObjectName").with("ObjectName", key)
	}
	return key, nil
}

// header is the fields as the headers that they are in PutObject.
func (f *postForm) header() http.Header {
	h := make(http.Header)
	for name, v := range f.fields {
		if strings.HasPrefix(name, "x-oss-") || name == "content-md5" || slices.Contains(storedHeaders, name) {
			h.Set(name, v)
		}
	}
	h.Del("x-oss-content-type")
	typ := cmp.Or(f.fields["x-oss-content-type"], f.file.Header.Get("Content-Type"), f.fields["content-type"])
	if h.Del("Content-Type"); typ != "" {
		h.Set("Content-Type", typ)
	}
	if cb := f.fields["callback"]; cb != "" {
		h.Set("x-oss-callback", cb)
	}
	return h
}
