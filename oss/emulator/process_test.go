package emulator_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/png"
	"strings"
	"testing"
)

func pngOf(t *testing.T, w, h int) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func urlCode(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) }

func TestGetProcessed(t *testing.T) {
	c := newClient(t)
	source := pngOf(t, 40, 20)
	etag := c.put("k", source, "Content-Type", "text/plain").header.Get("ETag")
	c.want(c.do("PUT", target(testBucket, "link", "symlink"), "", "x-oss-symlink-target", "k"), 200, "")
	c.want(c.do("PUT", target(testBucket, "", "style&styleName=small"), "<Style><Content>image/resize,w_10</Content></Style>"), 200, "")
	get := func(key, process string, header ...string) *answer {
		return c.do("GET", target(testBucket, key, "x-oss-process="+escape(process, false)), "", header...)
	}
	for _, test := range []struct {
		key, process, format string
		width, height        int
	}{
		{"k", "image/resize,w_20/rotate,90", "png", 10, 20},
		{"link", "image/format,jpg", "jpeg", 40, 20},
		{"k", "style/small", "png", 10, 5},
	} {
		a := c.want(get(test.key, test.process), 200, "")
		cfg, format, err := image.DecodeConfig(strings.NewReader(a.body))
		if err != nil || format != test.format || cfg.Width != test.width || cfg.Height != test.height || a.header.Get("Content-Type") != "image/"+test.format {
			t.Errorf("%s: %s, %+v, %v, %v", test.process, format, cfg, err, a.header)
		}
		if a.header.Get("ETag") == "" || a.header.Get("x-oss-hash-crc64ecma") != "" || a.header.Get("Content-MD5") != "" {
			t.Errorf("headers %v", a.header)
		}
	}
	a := c.want(get("k", "image/info"), 200, "")
	var info map[string]struct{ Value string }
	if err := json.Unmarshal([]byte(a.body), &info); err != nil || info["ImageWidth"].Value != "40" || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s, %v", a.body, err)
	}
	c.want(get("k", "image/info", "If-None-Match", etag), 304, "")
	c.want(get("k", "image/info", "If-Match", `"x"`), 412, "PreconditionFailed")
	c.want(get("k", "image/nosuch"), 400, "InvalidArgument")
	c.want(get("k", "doc/preview"), 400, "InvalidArgument")
	c.want(get("k", "csv/select"), 400, "InvalidArgument")
	c.want(get("k", "style/none"), 404, "NoSuchStyle")
	c.want(get("none", "image/info"), 404, "NoSuchKey")
	c.put("text", "no image")
	c.want(get("text", "image/resize,w_1"), 400, "InvalidArgument")
	c.put("long", strings.Repeat("x", 21<<20))
	c.want(get("long", "image/info"), 400, "ImageTooLarge")
}

func TestProcessObject(t *testing.T) {
	c := newClient(t)
	c.put("k", pngOf(t, 400, 300))
	c.want(c.do("PUT", target("otherbucket", "", ""), ""), 200, "")
	post := func(key, process string, header ...string) *answer {
		return c.do("POST", target(testBucket, key, "x-oss-process"), "x-oss-process="+process, header...)
	}
	check := func(a *answer, bucket, named, key string, width int) {
		t.Helper()
		c.want(a, 200, "")
		var got struct {
			Bucket, Object, Status string
			FileSize               int
		}
		if err := json.Unmarshal([]byte(a.body), &got); err != nil || got.Bucket != named || got.Object != key || got.Status != "OK" || a.header.Get("ETag") != "" {
			t.Errorf("%s, %v", a.body, err)
		}
		saved := c.want(c.do("GET", target(bucket, key, ""), ""), 200, "")
		cfg, err := png.DecodeConfig(strings.NewReader(saved.body))
		if err != nil || cfg.Width != width || len(saved.body) != got.FileSize || saved.header.Get("Content-Type") != "image/png" || saved.header.Get("Content-MD5") != md5Base64(saved.body) {
			t.Errorf("%+v, %v, %v", cfg, err, saved.header)
		}
	}
	check(post("k", "image/resize,w_100|sys/saveas,o_"+urlCode("small")), testBucket, "", "small", 100)
	check(post("k", "image/resize,w_50|sys/saveas,o_"+strings.TrimRight(urlCode("a/b c"), "=")+",b_"+urlCode("otherbucket")), "otherbucket", "otherbucket", "a/b c", 50)
	check(post("k", "image/resize,p_400|sys/saveas,o_"+urlCode("k")), testBucket, "", "k", 1600) // larger than what goes into a record
	c.want(c.do("PUT", target(testBucket, "", "versioning"), "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"), 200, "")
	if a := c.want(post("k", "image/resize,w_100|sys/saveas,o_"+urlCode("small")), 200, ""); a.header.Get("x-oss-version-id") == "" {
		t.Error("no version id")
	}
	for _, process := range []string{
		"image/resize,w_100", "image/resize,w_100|saveas,o_" + urlCode("x"), "image/resize,w_100|sys/saveas,o_?", "image/resize,w_100|sys/saveas,x_" + urlCode("x"),
		"image/nosuch|sys/saveas,o_" + urlCode("x"), "video/convert|sys/saveas,o_" + urlCode("x"), "image/info|image/info|sys/saveas,o_" + urlCode("x"),
	} {
		c.want(post("k", process), 400, "InvalidArgument")
	}
	c.want(post("k", "image/resize,w_100|sys/saveas,b_"+urlCode("otherbucket")), 400, "InvalidObjectName")
	c.want(post("k", "image/resize,w_100|sys/saveas,o_"+urlCode("x")+",b_"+urlCode("nosuchbucket")), 404, "NoSuchBucket")
	c.want(post("none", "image/resize,w_100|sys/saveas,o_"+urlCode("x")), 404, "NoSuchKey")
	c.want(post("k", "image/resize,w_100|sys/saveas,o_"+urlCode("x"), "Content-MD5", md5Base64("else")), 400, "InvalidDigest")
	c.want(c.do("POST", target(testBucket, "k", "x-oss-process"), ""), 400, "InvalidRequest")
	c.want(c.do("GET", target(testBucket, "x", ""), ""), 404, "NoSuchKey")
}

func TestAsyncProcess(t *testing.T) {
	c := newClient(t)
	c.put("k", "x")
	post := func(key, body string) *answer {
		return c.do("POST", target(testBucket, key, "x-oss-async-process"), body)
	}
	a := c.want(post("k", "x-oss-async-process=video/convert,f_avi|sys/saveas,o_"+urlCode("x")), 400, "Imm Client")
	if !strings.Contains(a.element("Message"), "ResourceNotFound") {
		t.Error(a.body)
	}
	c.want(post("none", "x-oss-async-process=video/convert"), 404, "NoSuchKey")
	if a := c.want(post("k", ""), 400, "InvalidRequest"); a.element("Message") != "no x-oss-async-process parameter found" {
		t.Error(a.body)
	}
}

func TestDataPipeline(t *testing.T) {
	c := newClient(t)
	c.want(c.do("POST", "/?dataPipeline&action=listDataPipelineConfigurations", ""), 200, "")
	c.want(c.do("POST", "/?dataPipeline&action=getDataPipelineConfiguration", ""), 404, "NoSuchDataPipeline")
	c.want(c.do("POST", "/?dataPipeline&action=putDataPipelineConfiguration", ""), 404, "NoSuchDataPipeline")
}
