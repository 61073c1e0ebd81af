package osstest

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
)

// testPostForm uploads by a signed form, as a browser does.
func testPostForm(t *testing.T, b *oss.Bucket) {
	form, err := b.SignPostPolicy(t.Context(), time.Hour, &oss.PostPolicyOptions{
		Key: "up/${filename}", MaxSize: 100, Fields: map[string]string{"x-oss-meta-a": "b", "success_action_status": "201"},
	})
	if err != nil {
		t.Fatal(err)
	}
	post := func(change map[string]string, data string) int {
		t.Helper()
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		for name, value := range form.Fields {
			if v, ok := change[name]; ok {
				value = v
			}
			if err := w.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
		file, err := w.CreateFormFile("file", "name.txt")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(file, data); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, form.URL, &body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", w.FormDataContentType())
		resp, err := b.Client().Transport().RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	if status := post(nil, "data"); status != http.StatusCreated {
		t.Fatalf("status %d", status)
	}
	if r := read(t, b, "up/name.txt", nil, []byte("data")); r.Meta["a"] != "b" {
		t.Errorf("metadata %v", r.Meta)
	}
	for name, status := range map[string]int{
		"another field":   post(map[string]string{"x-oss-meta-a": "c"}, "data"),
		"another key":     post(map[string]string{"key": "elsewhere/x"}, "data"),
		"another policy":  post(map[string]string{"policy": form.Fields["policy"] + "="}, "data"),
		"more than allow": post(nil, string(make([]byte, 101))),
	} {
		if status/100 != 4 {
			t.Errorf("%s: status %d", name, status)
		}
	}
}
