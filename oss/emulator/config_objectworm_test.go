package emulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss/emulator"
)

// TestObjectWorm: a version under retention or legal hold cannot be deleted, and
// retention only grows.
func TestObjectWorm(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := newClientOptions(t, &emulator.Options{Now: func() time.Time { return now }})
	c.now = now
	config := func(rule string) string {
		return "<ObjectWormConfiguration><ObjectWormEnabled>Enabled</ObjectWormEnabled>" + rule + "</ObjectWormConfiguration>"
	}
	c.want(c.config("GET", "objectWorm", ""), 404, "NoSuchObjectWormConfiguration")
	c.want(c.config("PUT", "objectWorm", config("")), 400, "InvalidRequest") // without versions
	c.want(c.do("PUT", target(testBucket, "k", ""), "x", "x-oss-object-worm-legal-hold", "ON"), 400, "InvalidRequest")
	c.want(c.config("PUT", "versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"), 200, "")
	retention := func(mode string, after time.Duration, header ...string) *answer {
		return c.do("PUT", target(testBucket, "k", "retention"), "<Retention><Mode>"+mode+"</Mode><RetainUntilDate>"+
			c.now.Add(after).Format("2006-01-02T15:04:05.000Z")+"</RetainUntilDate></Retention>", header...)
	}
	hold := func(status string) *answer {
		return c.do("PUT", target(testBucket, "k", "legalHold"), "<LegalHold><Status>"+status+"</Status></LegalHold>")
	}
	id := c.want(c.do("PUT", target(testBucket, "k", ""), "x"), 200, "").header.Get("x-oss-version-id")
	remove := func(id string, header ...string) *answer {
		return c.do("DELETE", target(testBucket, "k", "versionId="+id), "", header...)
	}
	c.want(retention("GOVERNANCE", time.Hour), 400, "InvalidRequest") // nobody has asked for it
	c.want(c.config("PUT", "objectWorm", config("<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days><Years>1</Years></DefaultRetention></Rule>")), 400, "MalformedXML")
	c.want(c.config("PUT", "objectWorm", config("<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule>")), 200, "")
	if a := c.want(c.config("GET", "objectWorm", ""), 200, ""); a.element("Days") != "1" {
		t.Error(a.body)
	}

	c.want(c.do("GET", target(testBucket, "k", "retention"), ""), 404, "NoSuchObjectRetention")
	c.want(retention("COMPLIANCE", -time.Hour), 400, "InvalidArgument")
	c.want(retention("GOVERNANCE", 2*time.Hour), 200, "")
	c.want(retention("GOVERNANCE", time.Hour), 409, "FileImmutable")
	c.want(retention("GOVERNANCE", time.Hour, "x-oss-bypass-governance-retention", "true"), 200, "")
	c.want(retention("COMPLIANCE", time.Hour), 200, "")
	c.want(retention("GOVERNANCE", time.Hour, "x-oss-bypass-governance-retention", "true"), 409, "FileImmutable")
	if a := c.want(c.do("GET", target(testBucket, "k", "retention"), ""), 200, ""); a.element("Mode") != "COMPLIANCE" || a.element("RetainUntilDate") != "2026-01-02T04:04:05.000Z" {
		t.Error(a.body)
	}
	if a := c.do("HEAD", target(testBucket, "k", ""), ""); a.header.Get("x-oss-object-worm-mode") != "COMPLIANCE" {
		t.Error(a.header)
	}
	c.want(remove(id, "x-oss-bypass-governance-retention", "true"), 409, "FileImmutable")
	second := c.want(c.do("PUT", target(testBucket, "k", ""), "y"), 200, "").header.Get("x-oss-version-id") // covers it, no more
	if a := c.do("HEAD", target(testBucket, "k", ""), ""); a.header.Get("x-oss-object-worm-retain-until-date") != "2026-01-03T03:04:05.000Z" {
		t.Errorf("the bucket's retention: %v", a.header)
	}
	c.want(remove(second), 409, "FileImmutable")
	c.want(remove(second, "x-oss-bypass-governance-retention", "true"), 204, "")
	c.want(c.do("DELETE", target(testBucket, "k", ""), ""), 204, "") // a marker
	c.want(c.deleteObjects("", "<Delete><Object><Key>k</Key><VersionId>"+id+"</VersionId></Object></Delete>"), 409, "FileImmutable")

	now = now.Add(2 * time.Hour)
	c.now = now
	marker := c.config("GET", "versions", "").elements("VersionId")
	c.want(remove(marker[0]), 204, "")
	c.want(hold("ON"), 200, "")
	if a := c.want(c.do("GET", target(testBucket, "k", "legalHold"), ""), 200, ""); a.element("Status") != "ON" {
		t.Error(a.body)
	}
	c.want(remove(id), 409, "FileImmutable")
	c.want(hold("OFF"), 200, "")
	c.want(remove(id), 204, "")

	put := func(header ...string) *answer { return c.do("PUT", target(testBucket, "own", ""), "x", header...) }
	c.want(put("x-oss-object-worm-mode", "COMPLIANCE"), 400, "InvalidArgument")
	c.want(put("x-oss-object-worm-legal-hold", "YES"), 400, "InvalidArgument")
	until := c.now.Add(time.Minute).Format(time.RFC3339)
	c.want(put("x-oss-object-worm-mode", "COMPLIANCE", "x-oss-object-worm-retain-until-date", until, "x-oss-object-worm-legal-hold", "ON"), 200, "")
	a := c.do("HEAD", target(testBucket, "own", ""), "")
	if !strings.HasPrefix(a.header.Get("x-oss-object-worm-retain-until-date"), strings.TrimSuffix(until, "Z")) || a.header.Get("x-oss-object-worm-legal-hold") != "ON" {
		t.Error(a.header)
	}
}
