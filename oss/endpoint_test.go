package oss_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
)

func TestEndpoint(t *testing.T) {
	for _, v := range []struct {
		name, text string
		style      oss.AddressingStyle
		want       string // URL of bucket b-1, key "k y"
	}{
		{"no scheme", "oss-cn-hangzhou.aliyuncs.com", 0, "https://b-1.oss-cn-hangzhou.aliyuncs.com/k%20y"},
		{"http", "http://oss-cn-hangzhou.aliyuncs.com/", 0, "http://b-1.oss-cn-hangzhou.aliyuncs.com/k%20y"},
		{"upper case", "HTTPS://OSS-cn-hangzhou.aliyuncs.com", 0, "https://b-1.oss-cn-hangzhou.aliyuncs.com/k%20y"},
		{"spaces around", "  oss.example.com  ", 0, "https://b-1.oss.example.com/k%20y"},
		{"trailing dot", "oss.example.com.", 0, "https://b-1.oss.example.com/k%20y"},
		{"port", "http://oss.example.com:8080", 0, "http://b-1.oss.example.com:8080/k%20y"},
		{"IP", "http://127.0.0.1:9000", 0, "http://127.0.0.1:9000/b-1/k%20y"},
		{"IPv6", "http://[::1]:9000", 0, "http://[::1]:9000/b-1/k%20y"},
		{"IPv6 without port", "http://::1", 0, "http://[::1]/b-1/k%20y"},
		{"localhost", "http://localhost:9000", 0, "http://localhost:9000/b-1/k%20y"},
		{"localhost as a virtual host", "http://localhost:9000", oss.AddressingVirtualHost, "http://b-1.localhost:9000/k%20y"},
		{"path", "oss.example.com", oss.AddressingPath, "https://oss.example.com/b-1/k%20y"},
		{"cname", "cdn.example.com", oss.AddressingCNAME, "https://cdn.example.com/k%20y"},
		{"xn", "xn--bcher-kva.example", 0, "https://b-1.xn--bcher-kva.example/k%20y"},
	} {
		t.Run(v.name, func(t *testing.T) {
			c, err := oss.New(v.text, nil, &oss.Options{Addressing: v.style})
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Bucket("b-1").SignURL(t.Context(), http.MethodGet, "k y", time.Hour, nil)
			if err != nil || got != v.want {
				t.Errorf("got %s, %v, want %s", got, err, v.want)
			}
		})
	}
}

func TestWrongEndpoint(t *testing.T) {
	for _, text := range []string{
		"", " ", "https://", "ftp://oss.example.com", "https://id:SECRET@oss.example.com", "oss.example.com/SECRET",
		"oss.example.com?key=SECRET", "oss.example.com#SECRET", "oss.example.com:0", "oss.example.com:65536",
		"oss.example.com:http", "oss.example.com:", "bücher.example", "oss..example.com", ".", "a b", "oss\n.example.com",
		strings.Repeat("a", 64) + ".com", "[::1", "http://[fe80::1%25eth0]",
	} {
		_, err := oss.New(text, nil, nil)
		if _, ok := err.(*oss.UsageError); !ok {
			t.Errorf("%q: got %v, want a UsageError", text, err)
		} else if strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%q: the error repeats a secret: %v", text, err)
		}
	}
	if _, err := oss.New("http://127.0.0.1", nil, &oss.Options{Addressing: oss.AddressingVirtualHost}); err == nil {
		t.Error("virtual hosts of an IP address were accepted")
	}
}

func TestRegionOfEndpoint(t *testing.T) {
	for endpoint, want := range map[string]string{
		"oss-cn-hangzhou.aliyuncs.com":          "cn-hangzhou",
		"oss-cn-hangzhou-internal.aliyuncs.com": "cn-hangzhou",
		"http://oss-us-west-1.aliyuncs.com:80":  "us-west-1",
		"cn-beijing.oss.aliyuncs.com":           "cn-beijing",
		"oss-accelerate.aliyuncs.com":           "",
		"oss-accelerate-overseas.aliyuncs.com":  "",
		"127.0.0.1:9000":                        "",
		"oss.example.com":                       "",
	} {
		var authorization string
		c, err := oss.New(endpoint, oss.StaticCredentials("id", "secret", ""), &oss.Options{
			HTTPClient: &http.Client{Transport: answerer(func(r *http.Request) (*http.Response, error) {
				authorization = r.Header.Get("Authorization")
				return answer(204, ""), nil
			})},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Bucket("bucket").DeleteObject(t.Context(), "key", nil); err != nil {
			t.Fatal(err)
		}
		if want == "" {
			if !strings.HasPrefix(authorization, "OSS id:") {
				t.Errorf("%s: want V1, got %s", endpoint, authorization)
			}
		} else if !strings.Contains(authorization, "/"+want+"/oss/aliyun_v4_request") {
			t.Errorf("%s: want region %s in %s", endpoint, want, authorization)
		}
	}
}

func TestWrongOptions(t *testing.T) {
	for _, o := range []oss.Options{
		{Signature: oss.SignatureV4},
		{Signature: 9},
		{Region: "cn/hangzhou"},
		{AppName: "a\r\nX: y"},
	} {
		if _, err := oss.New("oss.example.com", nil, &o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}
