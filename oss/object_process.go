package oss

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// UpdateObjectMeta replaces an object's metadata in place, by a CopyObject onto
// itself: what headers do not name is gone after it, but for the Content-Type,
// which the service keeps. ACL and tags stay unless headers name them.
func (b *Bucket) UpdateObjectMeta(ctx context.Context, key string, headers ObjectHeaders) (*CopyObjectResult, error) {
	o := &CopyObjectOptions{ObjectHeaders: headers, MetadataDirective: "REPLACE"}
	if headers.Tagging != "" {
		o.TaggingDirective = "Replace"
	}
	return b.CopyObject(ctx, b.name, key, key, o)
}

// ProcessObjectResult is the answer to ProcessObject.
type ProcessObjectResult struct {
	Response

	// Bucket and Object are where the result was stored, FileSize its length
	// in bytes.
	Bucket   string
	Object   string
	FileSize int64

	// Status is OK.
	Status string

	// Body is the whole answer, as JSON.
	Body []byte
}

// ProcessObject has the service process an object and store the result, as by
// "image/resize,w_100|sys/saveas,o_dGVzdC5qcGc,b_dGVzdA" (PostProcess). To read
// what processing makes, without storing it, use GetObjectOptions.Process.
func (b *Bucket) ProcessObject(ctx context.Context, key, process string) (*ProcessObjectResult, error) {
	resp, body, err := b.process(ctx, "ProcessObject", key, "x-oss-process", process)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Bucket, Object, Status string
		FileSize               any // a number, or a number in quotes
	}
	res := &ProcessObjectResult{Response: newResponse(resp), Body: body}
	if json.Unmarshal(body, &answer) == nil { // not every kind of processing answers with JSON
		res.Bucket, res.Object, res.Status = answer.Bucket, answer.Object, answer.Status
		res.FileSize = jsonInt(answer.FileSize)
	}
	return res, nil
}

// AsyncProcessObjectResult is the answer to AsyncProcessObject.
type AsyncProcessObjectResult struct {
	Response

	EventID string
	TaskID  string

	// AsyncRequestID names the task to the processing service.
	AsyncRequestID string

	// Body is the whole answer, as JSON.
	Body []byte
}

// AsyncProcessObject has the service begin to process an object, as by
// "video/convert,f_avi|sys/saveas,…" (AsyncProcess).
func (b *Bucket) AsyncProcessObject(ctx context.Context, key, process string) (*AsyncProcessObjectResult, error) {
	resp, body, err := b.process(ctx, "AsyncProcessObject", key, "x-oss-async-process", process)
	if err != nil {
		return nil, err
	}
	var answer struct{ EventID, RequestID, TaskID string } // in any case of letters
	res := &AsyncProcessObjectResult{Response: newResponse(resp), Body: body}
	if json.Unmarshal(body, &answer) == nil {
		res.EventID, res.AsyncRequestID, res.TaskID = answer.EventID, answer.RequestID, answer.TaskID
	}
	return res, nil
}

func (b *Bucket) process(ctx context.Context, op, key, name, process string) (*http.Response, []byte, error) {
	r := b.objectCall(op, http.MethodPost, key)
	if process == "" {
		return nil, nil, usageError(op, "process", "is empty")
	}
	r.set(name, "")
	r.setBody(io.NewSectionReader(strings.NewReader(name+"="+process), 0, int64(len(name)+1+len(process))), nil)
	return b.client.doText(ctx, r)
}

func jsonInt(v any) int64 {
	switch v := v.(type) {
	case float64:
		return int64(v)
	case string:
		n, _ := parseOffset(v)
		return n
	}
	return 0
}
