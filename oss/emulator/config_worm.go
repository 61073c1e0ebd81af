package emulator

import (
	"net/http"
	"strconv"
	"time"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

const (
	// wormDays is the longest retention there is: seventy years.
	wormDaysShape = "{RetentionPeriodInDays:1..25550}"

	// wormConfirmation is how long a policy may wait to be locked.
	wormConfirmation = 24 * time.Hour

	wormInProgress = "InProgress"
	wormLocked     = "Locked"
	wormExpired    = "Expired"
)

// worm reads the retention policy of the request's bucket; nil if there is
// none. Its state is the one of now.
func (rq *request) worm(tx *store.Tx) (*element, error) {
	doc, err := configDoc(tx, rq.bucket, "worm", "")
	if err != nil || doc == nil {
		return nil, err
	}
	made, err := parseDate(doc.get("CreationDate"))
	if err == nil && doc.get("State") == wormInProgress && rq.now.After(made.Add(wormConfirmation)) {
		doc.set("State", wormExpired)
	}
	return doc, err
}

// wormHolds reports whether a retention policy forbids to change an object last
// changed at a time.
func (rq *request) wormHolds(doc *element, changed time.Time) bool {
	days, _ := strconv.Atoi(doc.get("RetentionPeriodInDays")) // the shape had it
	return doc.get("State") != wormExpired && rq.now.Before(changed.AddDate(0, 0, days))
}

// putWorm stores a policy.
func (rq *request) putWorm(tx *store.Tx, doc *element) error {
	return rq.putConfig(tx, "worm", "", doc.bytes())
}

func (rq *request) initiateWorm() error {
	body, err := rq.readElement("InitiateWormConfiguration" + wormDaysShape)
	if err != nil {
		return err
	}
	id := randomHex(16)
	err = rq.updateConfig(func(tx *store.Tx) error {
		old, err := rq.worm(tx)
		switch {
		case err != nil:
			return err
		case old != nil && old.get("State") == wormLocked:
			return fail("WORMConfigurationLocked")
		case old != nil && old.get("State") == wormInProgress:
			return fail("InvalidWORMConfiguration").with("WormId", old.get("WormId"))
		}
		return rq.putWorm(tx, node("WormConfiguration", leaf("WormId", id), leaf("State", wormInProgress),
			leaf("RetentionPeriodInDays", body.get("RetentionPeriodInDays")), leaf("CreationDate", timeText(rq.now))))
	})
	if err == nil {
		rq.set("x-oss-worm-id", id)
	}
	return err
}

// changeWorm changes the policy that the request names.
func (rq *request) changeWorm(change func(doc *element) error) error {
	return rq.updateConfig(func(tx *store.Tx) error {
		doc, err := rq.worm(tx)
		if err != nil {
			return err
		}
		if doc == nil || doc.get("WormId") != rq.param("wormId") {
			return fail("NoSuchWORMConfiguration").with("WormId", rq.param("wormId"))
		}
		if err := change(doc); err != nil {
			return err
		}
		return rq.putWorm(tx, doc)
	})
}

func (rq *request) completeWorm() error {
	return rq.changeWorm(func(doc *element) error {
		switch doc.get("State") {
		case wormLocked:
			return fail("WORMConfigurationLocked")
		case wormExpired:
			return fail("InvalidWORMConfiguration")
		}
		doc.set("State", wormLocked)
		return nil
	})
}

func (rq *request) extendWorm() error {
	body, err := rq.readElement("ExtendWormConfiguration" + wormDaysShape)
	if err != nil {
		return err
	}
	days := body.get("RetentionPeriodInDays")
	return rq.changeWorm(func(doc *element) error {
		more, _ := strconv.Atoi(days)
		now, _ := strconv.Atoi(doc.get("RetentionPeriodInDays"))
		if doc.get("State") != wormLocked || more <= now {
			return fail("InvalidWORMConfiguration").with("RetentionPeriodInDays", days)
		}
		doc.set("RetentionPeriodInDays", days)
		return nil
	})
}

func (rq *request) abortWorm() error {
	err := rq.updateConfig(func(tx *store.Tx) error {
		doc, err := rq.worm(tx)
		switch {
		case err != nil:
			return err
		case doc == nil:
			return fail("NoSuchWORMConfiguration")
		case doc.get("State") == wormLocked:
			return fail("WORMConfigurationLocked")
		}
		return tx.DeleteConfig(rq.bucket, "worm", "")
	})
	if err == nil {
		rq.w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func (rq *request) getWorm() error {
	var doc *element
	err := rq.viewConfig(func(tx *store.Tx) (err error) {
		doc, err = rq.worm(tx)
		return err
	})
	if err != nil {
		return err
	}
	if doc == nil {
		return fail("NoSuchWORMConfiguration")
	}
	if made, err := parseDate(doc.get("CreationDate")); err == nil {
		days, _ := strconv.Atoi(doc.get("RetentionPeriodInDays"))
		doc.set("ExpirationDate", timeText(made.AddDate(0, 0, days)))
	}
	rq.writeElement(doc)
	return nil
}

// timeText is a time as documents have it.
func timeText(t time.Time) string { return t.UTC().Truncate(time.Second).Format(xmlTime) }
