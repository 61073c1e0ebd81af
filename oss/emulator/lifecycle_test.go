package emulator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss/emulator"
)

func TestApplyLifecycle(t *testing.T) {
	now := testTime
	s := newClientOptions(t, &emulator.Options{Now: func() time.Time { return now }})
	for i := range 1203 { // more than two batches
		s.put(fmt.Sprintf("old/%04d", i), "x")
	}
	s.put("old/tagged", "x", "x-oss-tagging", "keep=yes")
	s.put("cold/k", "x")
	s.initiate("up/a")
	s.initiate("stay")
	const rules = `<LifecycleConfiguration>
<Rule><ID>1</ID><Prefix>old/</Prefix><Status>Enabled</Status><Expiration><Days>3</Days></Expiration><Filter><Not><Prefix>old/tagged</Prefix><Tag><Key>keep</Key><Value>yes</Value></Tag></Not></Filter></Rule>
<Rule><ID>2</ID><Prefix>cold/</Prefix><Status>Enabled</Status><Transition><Days>2</Days><StorageClass>IA</StorageClass></Transition></Rule>
<Rule><ID>3</ID><Prefix>up/</Prefix><Status>Enabled</Status><AbortMultipartUpload><Days>1</Days></AbortMultipartUpload></Rule>
<Rule><ID>4</ID><Prefix>ver/</Prefix><Status>Enabled</Status><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration><NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration></Rule>
<Rule><ID>5</ID><Prefix>off/</Prefix><Status>Disabled</Status><Expiration><Days>1</Days></Expiration></Rule>
</LifecycleConfiguration>`
	s.want(s.do("PUT", target(testBucket, "", "lifecycle"), rules), 200, "")
	s.put("off/k", "x")
	server := s.h.(*emulator.Server)
	apply := func(want emulator.LifecycleResult) {
		t.Helper()
		got, err := server.ApplyLifecycle(now)
		if err != nil || *got != want {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	apply(emulator.LifecycleResult{})
	now = testTime.AddDate(0, 0, 1)
	apply(emulator.LifecycleResult{Aborted: 1})
	now = testTime.AddDate(0, 0, 2)
	apply(emulator.LifecycleResult{Transitioned: 1})
	now = testTime.AddDate(0, 0, 3)
	apply(emulator.LifecycleResult{Expired: 1203})
	apply(emulator.LifecycleResult{})
	s.now = now
	list := s.want(s.do("GET", target(testBucket, "", "list-type=2"), ""), 200, "").body
	for _, key := range []string{"old/tagged", "cold/k", "off/k"} {
		if !strings.Contains(list, "<Key>"+key+"<") {
			t.Errorf("no %s in %s", key, list)
		}
	}
	if strings.Contains(list, "old/0") || !strings.Contains(list, "<StorageClass>IA<") {
		t.Error(list)
	}

	// Versions: an old one goes, then the marker that hides nothing.
	s.want(s.do("PUT", target(testBucket, "", "versioning"), fmt.Sprintf(versioned, "Enabled")), 200, "")
	s.put("ver/k", "one")
	s.want(s.do("DELETE", target(testBucket, "ver/k", ""), ""), 204, "")
	apply(emulator.LifecycleResult{})
	now = now.AddDate(0, 0, 1)
	s.now = now
	apply(emulator.LifecycleResult{Noncurrent: 1})
	apply(emulator.LifecycleResult{Markers: 1})
	s.put("old/new", "x")
	now = now.AddDate(0, 0, 4)
	apply(emulator.LifecycleResult{Expired: 1}) // a delete marker
	s.now = now
	if a := s.want(s.get("old/new"), 404, "NoSuchKey"); a.header.Get("x-oss-delete-marker") != "true" {
		t.Error(a.header)
	}
}
