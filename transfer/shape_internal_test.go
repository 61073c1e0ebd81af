package transfer

import (
	"testing"

	"github.com/osssync/osssync/oss"
)

// TestShapeHeaders: a job that stores another header is another job, which does
// not go on with an upload that was begun with the old one.
func TestShapeHeaders(t *testing.T) {
	for name, h := range map[string]oss.ObjectHeaders{
		"Content-Type": {ContentType: "x"}, "Cache-Control": {CacheControl: "x"}, "Content-Disposition": {ContentDisposition: "x"},
		"Content-Encoding": {ContentEncoding: "x"}, "Content-Language": {ContentLanguage: "x"}, "Expires": {Expires: "x"},
		"ACL": {ACL: "x"}, "tags": {Tagging: "x"}, "class": {StorageClass: "x"}, "metadata": {Meta: map[string]string{"a": "x"}},
	} {
		if len(shape(h)) != 1 {
			t.Errorf("%s does not shape the job: %v", name, shape(h))
		}
	}
}
