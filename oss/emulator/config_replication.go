package emulator

import (
	"strings"
	"time"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

const replicationShape = `ReplicationConfiguration{Rule+{ID? PrefixSet?{Prefix*} Action? RTC?{Status:enabled|disabled}
	Destination{Bucket:text Location:text TransferType:internal|oss_acc?} HistoricalObjectReplication:enabled|disabled? SyncRole?
	SourceSelectionCriteria?{SseKmsEncryptedObjects{Status:Enabled|Disabled}} EncryptionConfiguration?{ReplicaKmsKeyID?}}}`

// replicationSettles is how long a rule is starting and, deleted, is closing:
// clients of the service have to expect both.
const replicationSettles = time.Minute

// replicationRules reads the rules of the request's bucket, each in the state
// of now.
func (rq *request) replicationRules(tx *store.Tx) ([]*element, error) {
	var out []*element
	for c, err := range tx.Configs(rq.bucket, "replication", "") {
		if err != nil {
			return nil, err
		}
		rule, err := parseAnyDocument(c.Doc)
		if err != nil {
			return nil, err
		}
		if rq.now.After(c.Modified.Add(replicationSettles)) {
			switch rule.get("Status") {
			case "closing":
				continue
			case "starting":
				rule.set("Status", "doing")
			}
		}
		out = append(out, rule)
	}
	return out, nil
}

// replicationRule finds the rule of an id.
func (rq *request) replicationRule(tx *store.Tx, id string) (*element, error) {
	rules, err := rq.replicationRules(tx)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		if r.get("ID") == id {
			return r, nil
		}
	}
	return nil, fail("NoSuchReplicationRule").with("ID", id)
}

func (rq *request) putReplication() error {
	body, err := rq.readElement(replicationShape)
	if err != nil {
		return err
	}
	ids := []string{}
	err = rq.updateConfig(func(tx *store.Tx) error {
		rules, err := rq.replicationRules(tx)
		if err != nil {
			return err
		}
		added := body.all("Rule")
		for _, r := range added {
			if err := rq.completeReplicationRule(r, rules); err != nil {
				return err
			}
			rules = append(rules, r)
			ids = append(ids, r.get("ID"))
		}
		for _, r := range added {
			if err := rq.putConfig(tx, "replication", r.get("ID"), r.bytes()); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		rq.set("x-oss-replication-rule-id", strings.Join(ids, ","))
	}
	return err
}

// completeReplicationRule checks a new rule and says what it leaves open.
func (rq *request) completeReplicationRule(r *element, others []*element) error {
	target := r.get("Destination/Bucket")
	if !validBucket(target) || target == rq.bucket {
		return failArgument("Bucket", target, "The target bucket is not valid.")
	}
	if r.get("ID") == "" {
		r.set("ID", strings.ToLower(randomHex(16)))
	}
	for _, o := range others {
		if o.get("Destination/Bucket") == target || o.get("ID") == r.get("ID") {
			return fail("BucketReplicationAlreadyExist").with("ID", o.get("ID"))
		}
	}
	for _, d := range [][2]string{{"Action", "ALL"}, {"HistoricalObjectReplication", "enabled"}} {
		if r.get(d[0]) == "" {
			r.set(d[0], d[1])
		}
	}
	for a := range strings.SplitSeq(r.get("Action"), ",") {
		if a != "ALL" && a != "PUT" && a != "DELETE" && a != "ABORT" {
			return failSchema("Action")
		}
	}
	r.set("Status", "starting")
	return nil
}

func (rq *request) putRTC() error {
	body, err := rq.readElement(`ReplicationRule{RTC{Status:enabled|disabled} ID:text}`)
	if err != nil {
		return err
	}
	return rq.updateConfig(func(tx *store.Tx) error {
		rule, err := rq.replicationRule(tx, body.get("ID"))
		if err != nil {
			return err
		}
		if rule.find("RTC") == nil {
			rule.children = append(rule.children, node("RTC"))
		}
		rule.find("RTC").set("Status", body.get("RTC/Status"))
		return rq.putConfig(tx, "replication", body.get("ID"), rule.bytes())
	})
}

func (rq *request) deleteReplication() error {
	body, err := rq.readElement(`ReplicationRules{ID:text+}`)
	if err != nil {
		return err
	}
	return rq.updateConfig(func(tx *store.Tx) error {
		var rules []*element
		for _, id := range body.texts("ID") {
			r, err := rq.replicationRule(tx, id)
			if err != nil {
				return err
			}
			rules = append(rules, r)
		}
		for _, r := range rules {
			r.set("Status", "closing")
			if err := rq.putConfig(tx, "replication", r.get("ID"), r.bytes()); err != nil {
				return err
			}
		}
		return nil
	})
}

func (rq *request) getReplication() error {
	var rules []*element
	err := rq.viewConfig(func(tx *store.Tx) (err error) {
		rules, err = rq.replicationRules(tx)
		return err
	})
	if err != nil {
		return err
	}
	if len(rules) == 0 {
		return fail("NoSuchReplicationRule")
	}
	rq.writeElement(node("ReplicationConfiguration", rules...))
	return nil
}

// replicationProgress says that nothing has been copied: the emulator knows no
// other regions.
func (rq *request) replicationProgress() error {
	var rules []*element
	err := rq.viewConfig(func(tx *store.Tx) (err error) {
		if id, ok := rq.lookup("rule-id"); ok {
			rule, err := rq.replicationRule(tx, id)
			rules = []*element{rule}
			return err
		}
		rules, err = rq.replicationRules(tx)
		return err
	})
	if err != nil {
		return err
	}
	out := node("ReplicationProgress")
	for _, r := range rules {
		p := node("Rule")
		for _, name := range []string{"ID", "PrefixSet", "Action", "Destination", "Status", "HistoricalObjectReplication"} {
			if e := r.find(name); e != nil {
				p.children = append(p.children, e)
			}
		}
		p.children = append(p.children, node("Progress", leaf("HistoricalObject", "0.00"), leaf("NewObject", timeText(rq.now))))
		out.children = append(out.children, p)
	}
	rq.writeElement(out)
	return nil
}

func (rq *request) replicationLocation() error {
	if _, err := rq.thisBucket(); err != nil {
		return err
	}
	locations, types, rtc := node("ReplicationLocation"), node("LocationTransferTypeConstraint"), node("LocationRTCConstraint")
	for _, r := range rq.s.regions() {
		l := "oss-" + r
		if l == rq.s.location() {
			continue
		}
		locations.children = append(locations.children, leaf("Location", l))
		types.children = append(types.children, node("LocationTransferType", leaf("Location", l),
			node("TransferTypes", leaf("Type", "internal"), leaf("Type", "oss_acc"))))
		rtc.children = append(rtc.children, leaf("Location", l))
	}
	locations.children = append(locations.children, types, rtc)
	rq.writeElement(locations)
	return nil
}
