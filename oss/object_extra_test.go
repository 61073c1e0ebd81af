package oss_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss"
)

func TestEncodeTags(t *testing.T) {
	tags := []oss.Tag{{Key: "a", Value: "1"}, {Key: "b c", Value: "x+y=&/é"}, {Key: "empty"}}
	const want = "a=1&b%20c=x%2By%3D%26%2F%C3%A9&empty="
	got := oss.EncodeTags(tags...)
	if got != want || oss.EncodeTags() != "" {
		t.Errorf("%s, want %s", got, want)
	}
	values, err := url.ParseQuery(got)
	for _, tag := range tags {
		if values.Get(tag.Key) != tag.Value || err != nil {
			t.Errorf("%q comes back as %q, %v", tag.Value, values.Get(tag.Key), err)
		}
	}
}

func TestEncodeCallback(t *testing.T) {
	c := oss.Callback{
		URLs: []string{"http://a.example/x?y=z&w", "http://b.example"}, Host: "c.example",
		Body: "k=${object}&v=${x:who}", BodyType: "application/x-www-form-urlencoded", Vars: map[string]string{"who": "é"},
	}
	callback, vars, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		callback: `{"callbackUrl":"http://a.example/x?y=z\u0026w;http://b.example","callbackHost":"c.example",` +
			`"callbackBody":"k=${object}\u0026v=${x:who}","callbackBodyType":"application/x-www-form-urlencoded"}`,
		vars: `{"x:who":"é"}`,
	} {
		if got, err := base64.StdEncoding.DecodeString(text); string(got) != want || err != nil {
			t.Errorf("%s, want %s", got, want)
		}
	}
	short := oss.Callback{URLs: []string{"http://a"}, Body: "b"}
	if _, vars, err := short.Encode(); vars != "" || err != nil {
		t.Errorf("%q, %v", vars, err)
	}
	for name, wrong := range map[string]oss.Callback{
		"no URL":    {Body: "b"},
		"six URLs":  {URLs: make([]string, 6), Body: "b"},
		"two in on": {URLs: []string{"http://a;http://b"}, Body: "b"},
		"no body":   {URLs: []string{"http://a"}},
		"large":     {URLs: []string{"http://a"}, Body: strings.Repeat("b", 5000)},
		"upper":     {URLs: []string{"http://a"}, Body: "b", Vars: map[string]string{"Who": "x"}},
		"prefixed":  {URLs: []string{"http://a"}, Body: "b", Vars: map[string]string{"x:who": "x"}},
	} {
		_, _, err := wrong.Encode()
		if _, ok := errors.AsType[*oss.UsageError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProcessObject(t *testing.T) {
	var sent string
	serve := func(text string) *oss.Bucket {
		return bucketOf(t, answerer(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			sent = r.Method + " " + r.URL.RawQuery + " " + string(body)
			return answer(200, text, "Content-Type: application/json"), err
		}))
	}
	for _, v := range []struct {
		answer string
		size   int64
	}{
		{`{"bucket":"b","fileSize":3267,"object":"o.jpg","status":"OK"}`, 3267},
		{`{"bucket":"b","fileSize":"3267","object":"o.jpg","status":"OK"}`, 3267},
		{`{"bucket":"b","object":"o.jpg","status":"OK"}`, 0},
	} {
		r, err := serve(v.answer).ProcessObject(t.Context(), "k", "image/resize,w_1|sys/saveas,o_bw")
		if err != nil || r.Bucket != "b" || r.Object != "o.jpg" || r.Status != "OK" || r.FileSize != v.size || string(r.Body) != v.answer {
			t.Errorf("%s: %+v, %v", v.answer, r, err)
		}
		if want := "POST x-oss-process x-oss-process=image/resize,w_1|sys/saveas,o_bw"; sent != want {
			t.Errorf("sent %s, want %s", sent, want)
		}
	}
	if r, err := serve("not JSON").ProcessObject(t.Context(), "k", "x"); err != nil || string(r.Body) != "not JSON" {
		t.Errorf("%+v, %v", r, err)
	}
	r, err := serve(`{"EventId":"e","RequestId":"r","TaskId":"t"}`).AsyncProcessObject(t.Context(), "k", "video/convert,f_avi")
	if err != nil || r.EventID != "e" || r.AsyncRequestID != "r" || r.TaskID != "t" || sent != "POST x-oss-async-process x-oss-async-process=video/convert,f_avi" {
		t.Errorf("%+v, %v, sent %s", r, err, sent)
	}
}

// A traffic limit is within bounds or nothing is sent, by whatever way it came.
func TestTrafficLimit(t *testing.T) {
	for limit, ok := range map[string]bool{
		"245759": false, "245760": true, "838860800": true, "838860801": false, "1m": false, "-1": false,
	} {
		b := bucketOf(t, answerer(func(r *http.Request) (*http.Response, error) {
			if !ok || r.Header.Get("X-Oss-Traffic-Limit") != limit {
				t.Errorf("limit %s sent as %q", limit, r.Header.Get("X-Oss-Traffic-Limit"))
			}
			return answer(200, ""), nil
		}))
		_, err := b.HeadObject(t.Context(), "key", &oss.HeadObjectOptions{Header: http.Header{"x-oss-traffic-limit": {limit}}})
		if _, refused := errors.AsType[*oss.UsageError](err); refused == ok {
			t.Errorf("limit %s: %v", limit, err)
		}
	}
	b := bucketOf(t, refuse(t))
	for name, call := range map[string]func(context.Context, int64) error{
		"put": func(ctx context.Context, n int64) error {
			_, err := b.PutObject(ctx, "k", nil, &oss.PutObjectOptions{TrafficLimit: n})
			return err
		},
		"get": func(ctx context.Context, n int64) error {
			_, err := b.GetObject(ctx, "k", &oss.GetObjectOptions{TrafficLimit: n})
			return err
		},
		"part": func(ctx context.Context, n int64) error {
			_, err := b.UploadPart(ctx, "k", "id", 1, nil, &oss.UploadPartOptions{TrafficLimit: n})
			return err
		},
		"copy": func(ctx context.Context, n int64) error {
			_, err := b.CopyObject(ctx, "source", "k", "k", &oss.CopyObjectOptions{TrafficLimit: n})
			return err
		},
	} {
		for _, n := range []int64{-1, 1, oss.MinTrafficLimit - 1, oss.MaxTrafficLimit + 1} {
			if _, ok := errors.AsType[*oss.UsageError](call(t.Context(), n)); !ok {
				t.Errorf("%s: %d is taken", name, n)
			}
		}
	}
}

// The CRC-64 in the answer to a range is that of the whole object.
func TestCRCOfARangeIsTheWhole(t *testing.T) {
	const whole, part = "0123456789", "234"
	b := bucketOf(t, always(206, part, "Content-Range: bytes 2-4/10", "X-Oss-Hash-Crc64ecma: "+crc(whole)))
	r, err := b.GetObject(t.Context(), "key", &oss.GetObjectOptions{Range: oss.RangeBetween(2, 4)})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if got, err := io.ReadAll(r.Body); string(got) != part || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if !r.HasCRC64 || strconv.FormatUint(r.ObjectMeta.CRC64, 10) != crc(whole) || strconv.FormatUint(r.CRC64(), 10) != crc(part) {
		t.Errorf("the object's is %d, that of the bytes %d", r.ObjectMeta.CRC64, r.CRC64())
	}
}

// A URL is sent as it is, or not at all, and is not repeated in an error.
func TestWrongURLs(t *testing.T) {
	b := bucketOf(t, refuse(t))
	for _, u := range []string{"", "key?Signature=SECRET", "ftp://host/key?Signature=SECRET", "http:///key?Signature=SECRET", "http://h/%zz?Signature=SECRET"} {
		_, err := b.GetObjectWithURL(t.Context(), u, nil)
		if _, ok := errors.AsType[*oss.UsageError](err); !ok || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", u, err)
		}
	}
}
