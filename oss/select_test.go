package oss_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss"
)

// frame is one frame of a select's answer, as the service writes it.
func frame(kind uint32, scanned uint64, payload string) []byte {
	b := binary.BigEndian.AppendUint32(nil, kind|1<<24)
	b = binary.BigEndian.AppendUint32(b, uint32(8+len(payload)))
	b = binary.BigEndian.AppendUint32(b, 0)
	from := len(b)
	b = append(binary.BigEndian.AppendUint64(b, scanned), payload...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[from:]))
}

func endFrame(kind uint32, status uint32, counts []byte, message string) []byte {
	p := binary.BigEndian.AppendUint64(nil, 100)
	p = binary.BigEndian.AppendUint32(p, status)
	return frame(kind, 100, string(p)+string(counts)+message)
}

const (
	dataFrame = 8388609
	keepFrame = 8388612
	lastFrame = 8388613
	csvFrame  = 8388614
	jsonFrame = 8388615
)

// selecting is a bucket whose server answers with body, and the last request.
func selecting(t *testing.T, body []byte, header ...string) (*oss.Bucket, *string) {
	t.Helper()
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = r.URL.RawQuery + " " + string(b)
		w.Header().Set("x-oss-request-id", "0123456789ABCDEF01234567")
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(206)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	client, err := oss.New(server.URL, oss.StaticCredentials("id", "secret", ""), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return client.Bucket("bucket"), &got
}

func TestSelectObject(t *testing.T) {
	good := bytes.Join([][]byte{
		frame(dataFrame, 10, "a,b\n"), frame(keepFrame, 20, ""), frame(dataFrame, 30, ""), frame(dataFrame, 40, "c,d\n"), endFrame(lastFrame, 206, nil, ""),
	}, nil)
	damaged := bytes.Clone(good)
	damaged[20] ^= 1
	for _, test := range []struct {
		name   string
		body   []byte
		header []string
		want   string
		err    error
		text   string
	}{
		{"records", good, nil, "a,b\nc,d\n", nil, ""},
		{"raw", []byte("a,b\n"), []string{"x-oss-select-output-raw", "true"}, "a,b\n", nil, ""},
		{"damaged", damaged, nil, "", oss.ErrIntegrity, ""},
		{"failed", append(frame(dataFrame, 1, "a\n"), endFrame(lastFrame, 400, nil, "InvalidCsvLine.Line 7 is bad.")...), nil, "a\n", oss.ErrSelectOperationFailed, "InvalidCsvLine"},
		{"cut", good[:len(good)-30], nil, "a,b\nc,d\n", io.ErrUnexpectedEOF, ""},
		{"cut in a record", good[:22], nil, "a,", io.ErrUnexpectedEOF, ""},
		{"endless", []byte{1, 0x80, 0, 1, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, nil, "", nil, "a frame of 4294967295 bytes"},
		{"html", []byte("<!DOCTYPE html><html><body>sign in</body></html>"), nil, "", nil, "a frame of"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, request := selecting(t, test.body, test.header...)
			var scanned []int64
			r, err := b.SelectObject(t.Context(), "k", "select * from ossobject", &oss.SelectOptions{
				FileHeaderInfo: "USE", FieldDelimiter: ",", LineRange: "1-2", EnablePayloadCRC: true,
				OnProgress: func(n, _ int64) { scanned = append(scanned, n) },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			got, err := io.ReadAll(r.Body)
			if test.name != "damaged" && string(got) != test.want {
				t.Errorf("%q", got)
			}
			if (err != nil) != (test.err != nil || test.text != "") || test.err != nil && !errors.Is(err, test.err) || err != nil && !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v", err)
			}
			if !strings.HasPrefix(*request, "x-oss-process=csv%2Fselect ") || !strings.Contains(*request, "<SelectRequest><Expression>c2VsZWN0ICogZnJvbSBvc3NvYmplY3Q=</Expression>") ||
				!strings.Contains(*request, "<Range>line-range=1-2</Range>") {
				t.Errorf("request %s", *request)
			}
			if test.name == "records" && (len(scanned) != 5 || scanned[3] != 40) {
				t.Errorf("progress %v", scanned)
			}
		})
	}
}

func TestCreateSelectObjectMeta(t *testing.T) {
	counts := binary.BigEndian.AppendUint32(nil, 3)
	counts = binary.BigEndian.AppendUint64(counts, 1000)
	b, request := selecting(t, endFrame(csvFrame, 200, binary.BigEndian.AppendUint32(counts, 7), ""))
	m, err := b.CreateSelectObjectMeta(t.Context(), "k", &oss.SelectOptions{OverwriteIfExists: true})
	if err != nil || m.Splits != 3 || m.Rows != 1000 || m.Columns != 7 || m.RequestID == "" {
		t.Errorf("%+v, %v", m, err)
	}
	if !strings.HasPrefix(*request, "x-oss-process=csv%2Fmeta ") || !strings.Contains(*request, "<CsvMetaRequest>") || !strings.Contains(*request, "<OverwriteIfExists>true<") {
		t.Error(*request)
	}
	b, _ = selecting(t, endFrame(jsonFrame, 200, counts, ""))
	if m, err = b.CreateSelectObjectMeta(t.Context(), "k", &oss.SelectOptions{Format: oss.SelectJSON, JSONType: "LINES"}); err != nil || m.Rows != 1000 || m.Columns != 0 {
		t.Errorf("%+v, %v", m, err)
	}
	b, _ = selecting(t, endFrame(lastFrame, 200, nil, ""))
	if _, err := b.CreateSelectObjectMeta(t.Context(), "k", nil); err == nil {
		t.Error("an answer without counts is accepted")
	}
	for _, o := range []*oss.SelectOptions{{Format: "xml"}, {Format: oss.SelectJSON}, {LineRange: "1", SplitRange: "2"}} {
		if _, err := b.SelectObject(t.Context(), "k", "", o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func TestSelectObjectToFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out")
	b, _ := selecting(t, append(frame(dataFrame, 1, "a\n"), endFrame(lastFrame, 206, nil, "")...))
	if _, err := b.SelectObjectToFile(t.Context(), "k", name, "select", nil); err != nil {
		t.Fatal(err)
	}
	b, _ = selecting(t, frame(dataFrame, 1, "half\n"))
	if _, err := b.SelectObjectToFile(t.Context(), "k", name, "select", nil); err == nil {
		t.Error("a broken answer makes a file")
	}
	if got, err := os.ReadFile(name); string(got) != "a\n" {
		t.Errorf("%q, %v", got, err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(name), ".oss-*")); len(left) > 0 {
		t.Error(left)
	}
}

func FuzzSelect(f *testing.F) {
	f.Add(append(frame(dataFrame, 1, "a\n"), endFrame(lastFrame, 206, nil, "")...))
	f.Add(endFrame(csvFrame, 500, make([]byte, 16), "InternalError.x"))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, _ := selecting(t, body)
		if r, err := b.SelectObject(t.Context(), "k", "select", &oss.SelectOptions{EnablePayloadCRC: true}); err == nil {
			_, _ = io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
	})
}
