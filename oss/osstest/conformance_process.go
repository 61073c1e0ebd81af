package osstest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	_ "image/jpeg" // decoded
	"image/png"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss"
)

// onlyHere skips what a real service bills for, or answers differently from
// region to region.
func onlyHere(t *testing.T, b *oss.Bucket) {
	t.Helper()
	if u, err := url.Parse(b.Client().Endpoint()); err != nil || u.Hostname() != "127.0.0.1" {
		t.Skip("needs a server of our own")
	}
}

func selected(t *testing.T, b *oss.Bucket, key, sql string, opts *oss.SelectOptions) (string, error) {
	t.Helper()
	r, err := b.SelectObject(t.Context(), key, sql, opts)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	return string(text), err
}

func testSelect(t *testing.T, b *oss.Bucket) {
	onlyHere(t, b)
	put(t, b, "people.csv", []byte("name,age\nAnn,30\n\"Bob, jr\",4\nCid,70\n"))
	put(t, b, "people.json", []byte(`{"people":[{"name":"Ann","age":30},{"name":"Bob","age":4}]}`))
	for _, test := range []struct {
		key, sql string
		opts     oss.SelectOptions
		want     string
	}{
		{"people.csv", "select name from ossobject where age > 20", oss.SelectOptions{FileHeaderInfo: "USE"}, "Ann\nCid\n"},
		{"people.csv", "select * from ossobject limit 1", oss.SelectOptions{FileHeaderInfo: "IGNORE", OutputHeader: true}, "name,age\nAnn,30\n"},
		{"people.csv", "select _2 from ossobject", oss.SelectOptions{LineRange: "1-2", OutputRecordDelimiter: ";"}, "30;4;"},
		{"people.csv", "select _1 from ossobject", oss.SelectOptions{LineRange: "-2"}, "\"Bob, jr\"\nCid\n"},
		{"people.csv", "select count(*) from ossobject", oss.SelectOptions{OutputRaw: true}, "4\n"},
		{"people.json", "select name from ossobject.people[*] where age < 20", oss.SelectOptions{Format: oss.SelectJSON, JSONType: "DOCUMENT"}, "{\"name\":\"Bob\"}\n"},
	} {
		test.opts.EnablePayloadCRC = !test.opts.OutputRaw
		var scanned int64
		test.opts.OnProgress = func(n, _ int64) { scanned = n }
		got, err := selected(t, b, test.key, test.sql, &test.opts)
		if err != nil || got != test.want || scanned == 0 && !test.opts.OutputRaw {
			t.Errorf("%s: %q, %v, %d bytes scanned", test.sql, got, err, scanned)
		}
	}
	_, err := selected(t, b, "people.csv", "select * from ossobject order by _1", nil)
	if e, ok := errors.AsType[*oss.ServerError](err); !ok || e.Status != 400 || e.Code != "InvalidSqlParameter" {
		t.Errorf("order by: %v", err)
	}
	put(t, b, "broken.csv", []byte("a,b\n\"c\n"))
	got, err := selected(t, b, "broken.csv", "select _1 from ossobject", nil)
	if wantError(t, err, oss.ErrSelectOperationFailed); got != "a\n" {
		t.Errorf("before the failure: %q", got)
	}
	_, err = selected(t, b, "none", "select * from ossobject", nil)
	wantError(t, err, oss.ErrNotFound)
}

func testSelectMeta(t *testing.T, b *oss.Bucket) {
	onlyHere(t, b)
	put(t, b, "csv", []byte("a,b,c\n1,2,3\n4,5"))
	m, err := b.CreateSelectObjectMeta(t.Context(), "csv", nil)
	if err != nil || m.Rows != 3 || m.Columns != 3 || m.Splits != 1 || m.RequestID == "" {
		t.Errorf("%+v, %v", m, err)
	}
	put(t, b, "json", []byte("{}\n{\"a\":1}"))
	m, err = b.CreateSelectObjectMeta(t.Context(), "json", &oss.SelectOptions{Format: oss.SelectJSON, JSONType: "LINES", OverwriteIfExists: true})
	if err != nil || m.Rows != 2 || m.Splits != 1 {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := b.CreateSelectObjectMeta(t.Context(), "csv", &oss.SelectOptions{CompressionType: "GZIP"}); err == nil {
		t.Error("lines of a compressed object are counted")
	}
	_, err = b.CreateSelectObjectMeta(t.Context(), "none", nil)
	wantError(t, err, oss.ErrNotFound)
}

// testProcess processes an image, by GET and into another object.
func testProcess(t *testing.T, b *oss.Bucket) {
	onlyHere(t, b)
	ctx := t.Context()
	img := image.NewNRGBA(image.Rect(0, 0, 40, 20))
	for x := range 40 {
		for y := range 20 {
			img.SetNRGBA(x, y, color.NRGBA{uint8(6 * x), uint8(12 * y), 100, 255})
		}
	}
	var data bytes.Buffer
	if err := png.Encode(&data, img); err != nil {
		t.Fatal(err)
	}
	put(t, b, "a.png", data.Bytes())
	get := func(key, process string) ([]byte, error) {
		t.Helper()
		r, err := b.GetObject(ctx, key, &oss.GetObjectOptions{Process: process})
		if err != nil {
			return nil, err
		}
		defer r.Body.Close()
		return io.ReadAll(r.Body)
	}
	text, err := get("a.png", "image/info")
	var info map[string]struct{ Value string }
	if jsonErr := json.Unmarshal(text, &info); err != nil || jsonErr != nil || info["ImageWidth"].Value != "40" || info["Format"].Value != "png" {
		t.Errorf("info: %s, %v, %v", text, err, jsonErr)
	}
	if _, err := b.PutBucketStyle(ctx, "small", "image/resize,w_10/format,jpg"); err != nil {
		t.Fatal(err)
	}
	code := func(s string) string { return strings.TrimRight(base64.URLEncoding.EncodeToString([]byte(s)), "=") }
	r, err := b.ProcessObject(ctx, "a.png", "style/small|sys/saveas,o_"+code("b.jpg")+",b_"+code(b.Name()))
	if err != nil || r.Object != "b.jpg" || r.Bucket != b.Name() || r.Status != "OK" || r.FileSize == 0 {
		t.Errorf("%+v, %v", r, err)
	}
	saved, err := get("b.jpg", "")
	if err != nil || int64(len(saved)) != r.FileSize {
		t.Errorf("%d bytes, %v", len(saved), err)
	}
	if cfg, format, err := image.DecodeConfig(bytes.NewReader(saved)); err != nil || format != "jpeg" || cfg.Width != 10 || cfg.Height != 5 {
		t.Errorf("%s, %+v, %v", format, cfg, err)
	}
	for _, process := range []string{"image/nosuch", "image/resize,w_x", "image/format,webp", "video/snapshot,t_1", "image/crop,x_100"} {
		_, err := get("a.png", process)
		if e, ok := errors.AsType[*oss.ServerError](err); !ok || e.Code != "InvalidArgument" {
			t.Errorf("%s: %v", process, err)
		}
	}
	_, err = b.ProcessObject(ctx, "none", "image/resize,w_1|sys/saveas,o_"+code("c"))
	wantError(t, err, oss.ErrNotFound)
	if _, err := b.AsyncProcessObject(ctx, "a.png", "video/convert,f_avi|sys/saveas,o_"+code("c")); err == nil {
		t.Error("a video is converted")
	}
}
