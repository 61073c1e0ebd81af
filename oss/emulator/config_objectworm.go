package emulator

import (
	"strconv"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// Retention and legal hold of single versions: they cannot be deleted. A bucket
// keeps its versions for it, so that nothing is overwritten.
const (
	objectWormShape = `ObjectWormConfiguration{ObjectWormEnabled:Enabled
		Rule?{DefaultRetention{Mode:GOVERNANCE|COMPLIANCE Days:1..36500? Years:1..100?}}}`
	retentionShape = `Retention{Mode:GOVERNANCE|COMPLIANCE RetainUntilDate:date}`
	legalHoldShape = `LegalHold{Status:ON|OFF}`

	governance = "GOVERNANCE" // which an owner may shorten, asking for it

	bypassGovernance = "x-oss-bypass-governance-retention"
	wormHeader       = "x-oss-object-worm-"
)

// checkObjectWorm wants a bucket that keeps versions, and one length of time.
func checkObjectWorm(rq *request, tx *store.Tx, doc *element) error {
	if err := rq.needVersioning(tx); err != nil {
		return err
	}
	if rq.versioning != store.VersioningEnabled {
		return fail("InvalidRequest").with("BucketName", rq.bucket)
	}
	if d := doc.find("Rule/DefaultRetention"); d != nil && (d.find("Days") == nil) == (d.find("Years") == nil) {
		return fail("MalformedXML").with("ErrorDetail", "a default retention has either days or years")
	}
	return nil
}

// objectWorm is the configuration of the request's bucket; nil if there is none.
func (rq *request) objectWorm(tx *store.Tx) (*element, error) {
	return configDoc(tx, rq.bucket, "objectWorm", "")
}

// lockNew gives a new version the retention that the request asks for, or else
// the one that the bucket has for all.
func (rq *request) lockNew(tx *store.Tx, o *store.Object) error {
	o.Lock = store.Lock{}
	mode, until, hold := rq.header(wormHeader+"mode"), rq.header(wormHeader+"retain-until-date"), rq.header(wormHeader+"legal-hold")
	doc, err := rq.objectWorm(tx)
	if err != nil {
		return err
	}
	if doc == nil {
		if mode+until+hold != "" {
			return fail("InvalidRequest").with("BucketName", rq.bucket)
		}
		return nil
	}
	switch hold {
	case "", "OFF":
	case "ON":
		o.Lock.Hold = true
	default:
		return failArgument(wormHeader+"legal-hold", hold, "The legal hold must be ON or OFF.")
	}
	if mode+until != "" {
		o.Lock.Mode = mode
		if o.Lock.Until, err = parseDate(until); err != nil || !o.Lock.Until.After(rq.now) || mode != governance && mode != "COMPLIANCE" {
			return failArgument(wormHeader+"mode", mode, "Retention needs a mode, and a date in the future.")
		}
	} else if d := doc.find("Rule/DefaultRetention"); d != nil {
		days, _ := strconv.Atoi(d.get("Days")) // the shape had them
		years, _ := strconv.Atoi(d.get("Years"))
		o.Lock.Mode, o.Lock.Until = d.get("Mode"), o.Modified.AddDate(years, 0, days)
	}
	return nil
}

// mayRemove refuses to delete a version under retention or legal hold.
func (rq *request) mayRemove(o *store.Object) error {
	bypass := o.Lock.Mode == governance && !o.Lock.Hold && rq.header(bypassGovernance) == "true"
	if o.Lock.Holds(rq.now) && !bypass {
		return fail("FileImmutable").with("Key", o.Key)
	}
	return nil
}

// lock changes what protects the request's version.
func (rq *request) lock(change func(*store.Lock) error) error {
	return rq.s.store.Update(func(tx *store.Tx) error {
		o, err := rq.findOne(tx)
		if err != nil {
			return err
		}
		doc, err := rq.objectWorm(tx)
		if err != nil {
			return err
		}
		if doc == nil {
			return fail("InvalidRequest").with("BucketName", rq.bucket)
		}
		if err := change(&o.Lock); err != nil {
			return err
		}
		rq.setVersion(o)
		return tx.ChangeVersion(rq.bucket, o)
	})
}

func (rq *request) putRetention() error {
	doc, err := rq.readElement(retentionShape)
	if err != nil {
		return err
	}
	until, err := parseDate(doc.get("RetainUntilDate"))
	if err != nil || !until.After(rq.now) {
		return failArgument("RetainUntilDate", doc.get("RetainUntilDate"), "The retain until date must be in the future.")
	}
	mode := doc.get("Mode")
	return rq.lock(func(l *store.Lock) error {
		held := rq.now.Before(l.Until)
		weaker := until.Before(l.Until) || mode == governance && l.Mode != governance
		if held && weaker && (l.Mode != governance || rq.header(bypassGovernance) != "true") {
			return fail("FileImmutable").with("Key", rq.key)
		}
		l.Mode, l.Until = mode, until
		return nil
	})
}

func (rq *request) getRetention() error {
	o, err := rq.thisObject()
	if err != nil {
		return err
	}
	if o.Lock.Mode == "" {
		return fail("NoSuchObjectRetention").with("Key", rq.key)
	}
	rq.writeElement(node("Retention", leaf("Mode", o.Lock.Mode), leaf("RetainUntilDate", o.Lock.Until.UTC().Format(xmlTime))))
	return nil
}

func (rq *request) putLegalHold() error {
	doc, err := rq.readElement(legalHoldShape)
	if err != nil {
		return err
	}
	return rq.lock(func(l *store.Lock) error {
		l.Hold = doc.get("Status") == "ON"
		return nil
	})
}

func (rq *request) getLegalHold() error {
	o, err := rq.thisObject()
	if err != nil {
		return err
	}
	status := "OFF"
	if o.Lock.Hold {
		status = "ON"
	}
	rq.writeElement(node("LegalHold", leaf("Status", status)))
	return nil
}

// setLock says what protects the object.
func (rq *request) setLock(l store.Lock) {
	if l.Mode != "" {
		rq.set(wormHeader+"mode", l.Mode)
		rq.set(wormHeader+"retain-until-date", l.Until.UTC().Format(xmlTime))
	}
	if l.Hold {
		rq.set(wormHeader+"legal-hold", "ON")
	}
}
