package oss

import (
	"context"
	"net/http"
)

// AsyncFetchTask makes the service fetch an object from a URL.
type AsyncFetchTask struct {
	URL    string `xml:"Url"`
	Object string // the key to store it under

	Host       string `xml:",omitempty"` // the Host header for URL
	ContentMD5 string `xml:",omitempty"` // base64; other content is not stored

	// Callback is called when it is done: base64 of the service's JSON.
	Callback           string `xml:",omitempty"`
	CallbackWhenFailed bool   `xml:",omitempty"` // also when it failed

	// IgnoreSameKey leaves an object that exists alone. nil means true.
	IgnoreSameKey *bool
}

func (t *AsyncFetchTask) document() (string, []byte, error) {
	return marshalDocument("AsyncFetchTaskConfiguration", t)
}

// PutAsyncFetchTaskResult is the answer to PutAsyncFetchTask.
type PutAsyncFetchTaskResult struct {
	Response `xml:"-"`
	TaskID   string `xml:"TaskId"`
}

// PutAsyncFetchTask begins an *AsyncFetchTask.
func (b *Bucket) PutAsyncFetchTask(ctx context.Context, task Document, opts *ConfigOptions) (*PutAsyncFetchTaskResult, error) {
	return get[PutAsyncFetchTaskResult](ctx,
		b.config("PutAsyncFetchTask", http.MethodPost, "asyncFetch").body("AsyncFetchTaskConfiguration", task, opts), "AsyncFetchTaskResult")
}

// GetAsyncFetchTaskResult is the answer to GetAsyncFetchTask.
type GetAsyncFetchTaskResult struct {
	Response `xml:"-"`
	TaskID   string `xml:"TaskId"`

	// State is Running, Retry, Success, FetchSuccessCallbackFailed or
	// Failed.
	State        string
	ErrorMessage string         `xml:"ErrorMsg"`
	Task         AsyncFetchTask `xml:"TaskInfo"`
}

// GetAsyncFetchTask asks how far a task is.
func (b *Bucket) GetAsyncFetchTask(ctx context.Context, taskID string) (*GetAsyncFetchTaskResult, error) {
	return get[GetAsyncFetchTaskResult](ctx,
		b.config("GetAsyncFetchTask", http.MethodGet, "asyncFetch").withHeader("X-Oss-Task-Id", taskID), "AsyncFetchTaskInfo", "AsyncFetchTaskResult")
}
