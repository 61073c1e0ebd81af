package interop_test

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/png"
	"io"
	"strings"
	"testing"

	sdk2 "github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	sdk1 "github.com/aliyun/aliyun-oss-go-sdk/oss"
)

const people = "name,age\nAnn,30\n\"Bob, jr\",4\n"

// saveAs is the step that stores a result.
func saveAs(key string) string {
	return "|sys/saveas,o_" + base64.URLEncoding.EncodeToString([]byte(key))
}

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	check(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 20))))
	return b.Bytes()
}

func width(t *testing.T, data []byte) int {
	t.Helper()
	return must(png.DecodeConfig(bytes.NewReader(data)))(t).Width
}

func TestV2Select(t *testing.T) {
	forEachV2(t, func(t *testing.T, _ *rig, c *sdk2.Client) {
		ctx, b, key := t.Context(), sdk2.Ptr(bucket), sdk2.Ptr(oddKey)
		putV2(t, c, oddKey, []byte(people))
		meta := must(c.CreateSelectObjectMeta(ctx, &sdk2.CreateSelectObjectMetaRequest{Bucket: b, Key: key, MetaRequest: &sdk2.CsvMetaRequest{}}))(t)
		equal(t, "rows", meta.RowsCount, 3)
		equal(t, "columns", meta.ColumnsCount, 2)
		for _, raw := range []bool{false, true} {
			query := func(sql string) (*sdk2.SelectObjectResult, error) {
				return c.SelectObject(ctx, &sdk2.SelectObjectRequest{Bucket: b, Key: key, SelectRequest: &sdk2.SelectRequest{
					Expression:                sdk2.Ptr(sql),
					InputSerializationSelect:  sdk2.InputSerializationSelect{CsvBodyInput: &sdk2.CSVSelectInput{FileHeaderInfo: sdk2.Ptr("Use")}},
					OutputSerializationSelect: sdk2.OutputSerializationSelect{OutputRawData: sdk2.Ptr(raw), EnablePayloadCrc: sdk2.Ptr(!raw)},
				}})
			}
			res := must(query("select age, name from ossobject where age < 20"))(t)
			equal(t, "records", string(must(io.ReadAll(res.Body))(t)), "4,\"Bob, jr\"\n")
			check(t, res.Body.Close())
			_, err := query("select nobody from ossobject")
			equal(t, "code", codeV2(err), "InvalidSqlParameter")
		}

		putV2(t, c, "picture", picture(t))
		equal(t, "width", width(t, getV2(t, c, &sdk2.GetObjectRequest{Key: sdk2.Ptr("picture"), Process: sdk2.Ptr("image/resize,w_10")})), 10)
		done := must(c.ProcessObject(ctx, &sdk2.ProcessObjectRequest{Bucket: b, Key: sdk2.Ptr("picture"), Process: sdk2.Ptr("image/resize,w_8" + saveAs(oddKey))}))(t)
		equal(t, "result", done.Object, oddKey)
		equal(t, "status", done.ProcessStatus, "OK")
		equal(t, "width", width(t, getV2(t, c, &sdk2.GetObjectRequest{Key: key})), 8)
	})
}

func TestV1Select(t *testing.T) {
	forEachV1(t, func(t *testing.T, _ *rig, b *sdk1.Bucket) {
		check(t, b.PutObject(oddKey, strings.NewReader(people)))
		equal(t, "rows", must(b.CreateSelectCsvObjectMeta(oddKey, sdk1.CsvMetaRequest{}))(t).RowsCount, 3)
		crc := true
		req := sdk1.SelectRequest{Expression: "select age, name from ossobject where age < 20"}
		req.InputSerializationSelect.CsvBodyInput.FileHeaderInfo = "Use"
		req.OutputSerializationSelect.EnablePayloadCrc = &crc
		body := must(b.SelectObject(oddKey, req))(t)
		equal(t, "records", string(must(io.ReadAll(body))(t)), "4,\"Bob, jr\"\n")
		check(t, body.Close())

		check(t, b.PutObject("picture", bytes.NewReader(picture(t))))
		equal(t, "width", width(t, getV1(t, b, "picture", sdk1.Process("image/resize,w_10"))), 10)
		done := must(b.ProcessObject("picture", "image/resize,w_8"+saveAs(oddKey)))(t)
		equal(t, "result", done.Object, oddKey)
		equal(t, "width", width(t, getV1(t, b, oddKey)), 8)
	})
}
