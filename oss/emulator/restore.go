package emulator

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// archived reports whether objects of a class cannot be read as they are.
func archived(class string) bool { return strings.Contains(class, "Archive") }

// maxRestoreDays is the longest an object can stay restored.
const maxRestoreDays = 365

// restoreHeader is the x-oss-restore header of an object; empty for none.
func restoreHeader(o *store.Object, now time.Time) string {
	r := o.Restore
	switch {
	case r.Asked.IsZero() || now.After(r.Expires):
		return ""
	case now.Before(r.Ready):
		return `ongoing-request="true"`
	}
	return fmt.Sprintf(`ongoing-request="false", expiry-date="%s"`, r.Expires.UTC().Format(http.TimeFormat))
}

// restoreInfo is what listings say of an archived object.
func (d *document) restoreInfo(o *store.Object, now time.Time) {
	if r := restoreHeader(o, now); r != "" {
		d.text("RestoreInfo", r)
	}
}

// mayRead refuses the bytes of an archived object that is not restored. Those
// of class Archive can be read all the same where the bucket says so.
func (rq *request) mayRead(tx *store.Tx, o *store.Object) error {
	if !archived(o.Class) || o.Type == store.Symlink {
		return nil
	}
	if strings.Contains(restoreHeader(o, rq.now), "false") {
		return nil
	}
	if o.Class == "Archive" {
		doc, err := configDoc(tx, rq.bucket, "bucketArchiveDirectRead", "")
		if err != nil || doc != nil && doc.get("Enabled") == "true" {
			return err
		}
	}
	return fail("InvalidObjectState").with("ObjectName", o.Key)
}

// restoreObject brings an archived object back for some days: 202 the first
// time, 409 while that goes on, 200 when it is there, whose end moves.
func (rq *request) restoreObject() error {
	days, tier, err := rq.restoreRequest()
	if err != nil {
		return err
	}
	status := http.StatusAccepted
	err = rq.changeObject(func(o *store.Object) error {
		if !archived(o.Class) {
			return fail("OperationNotSupported").with("Resource", "Restore")
		}
		if tier != "" && o.Class == "Archive" { // which comes back at one speed
			return fail("MalformedXML")
		}
		end := func(from time.Time) time.Time { return from.Add(time.Duration(days) * 24 * time.Hour) }
		switch h := restoreHeader(o, rq.now); {
		case strings.Contains(h, "true"):
			return fail("RestoreAlreadyInProgress")
		case h != "":
			status = http.StatusOK
			o.Restore.Expires = end(rq.now)
		default:
			ready := rq.now.Add(rq.s.opts.RestoreDelay)
			o.Restore = store.Restore{Asked: rq.now, Ready: ready, Expires: end(ready)}
			if o.Class != "Archive" {
				rq.set("x-oss-object-restore-priority", cmp.Or(tier, "Standard"))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	rq.set("Content-Length", "0")
	rq.w.WriteHeader(status)
	return nil
}

// restoreRequest reads the body of RestoreObject, which may be empty.
func (rq *request) restoreRequest() (days int, tier string, err error) {
	body, err := rq.readDocument()
	if err != nil || len(body) == 0 {
		return 1, "", err
	}
	root, err := parseDocument(body, "RestoreRequest")
	if err != nil {
		return 0, "", fail("MalformedXML")
	}
	days = 1
	for _, e := range root.children {
		switch e.name {
		case "Days":
			days, err = strconv.Atoi(strings.TrimSpace(string(e.text)))
			if err != nil || days < 1 || days > maxRestoreDays {
				return 0, "", fail("MalformedXML").withEC("0016-00000704")
			}
		case "JobParameters":
			tier, _ = e.child("Tier")
			if tier != "Expedited" && tier != "Standard" && tier != "Bulk" {
				return 0, "", failArgument("Tier", tier, "The tier must be Expedited, Standard or Bulk.").withEC("0016-00000703")
			}
		}
	}
	return days, tier, nil
}

// cleanRestored ends the time of a restored object.
func (rq *request) cleanRestored() error {
	err := rq.changeObject(func(o *store.Object) error {
		switch h := restoreHeader(o, rq.now); {
		case !archived(o.Class):
			return fail("OperationNotSupported").with("Resource", "CleanRestoredObject")
		case h == "":
			return fail("ArchiveRestoreFileStale").with("Key", o.Key)
		case strings.Contains(h, "true"):
			return fail("ArchiveRestoreNotFinished").with("Key", o.Key)
		}
		o.Restore = store.Restore{}
		return nil
	})
	if err == nil {
		rq.w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// sealObject ends an appendable object: nothing more can be appended.
func (rq *request) sealObject() error {
	position, ok := parseOffset(rq.param("position"))
	if !ok {
		return failArgument("position", rq.param("position"), "Position must be a number that is not negative.")
	}
	return rq.changeObject(func(o *store.Object) error {
		next := strconv.FormatInt(o.Size, 10)
		switch {
		case o.Type != store.Appendable:
			return fail("ObjectNotAppendable").with("Key", o.Key).withHeader("x-oss-next-append-position", next)
		case position != o.Size:
			return fail("PositionNotEqualToLength").with("Key", o.Key).withHeader("x-oss-next-append-position", next)
		case o.Sealed.IsZero():
			o.Sealed = rq.now
		}
		rq.set("x-oss-sealed-time", o.Sealed.UTC().Format(http.TimeFormat))
		return nil
	})
}
