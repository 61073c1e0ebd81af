package emulator

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

const (
	maxLifecycleRules = 1000
	maxLifecycleID    = 255
)

const lifecycleShape = `LifecycleConfiguration{Rule+{ID? Prefix? Status:Enabled|Disabled Tag*{Key:text Value?} AtimeBase:0..?
	Expiration?{Days:1..2147483647? Date:date? CreatedBeforeDate:date? ExpiredObjectDeleteMarker:bool?}
	Transition*{Days:1..2147483647? CreatedBeforeDate:date? StorageClass:text IsAccessTime:bool? ReturnToStdWhenVisit:bool? AllowSmallFile:bool?}
	AbortMultipartUpload?{Days:1..2147483647? Date:date? CreatedBeforeDate:date?}
	NoncurrentVersionExpiration?{NoncurrentDays:1..2147483647}
	NoncurrentVersionTransition*{NoncurrentDays:1..2147483647 StorageClass:text IsAccessTime:bool? ReturnToStdWhenVisit:bool? AllowSmallFile:bool?}
	Filter?{ObjectSizeGreaterThan:0..? ObjectSizeLessThan:1..? Not*{Prefix? Tag?{Key:text Value?}}}}}`

// lifecycleRule is an enabled rule of a bucket's lifecycle, decoded.
type lifecycleRule struct {
	id, prefix string
	tags       []tag // all of which an object must have
	not        []lifecycleNot
	// above and below bound the size, both exclusive; 0 means no bound.
	above, below int64

	expire           lifecycleTime // current versions
	expireMarkers    bool          // delete markers with nothing under them
	abort            lifecycleTime // uploads, by prefix alone
	transitions      []lifecycleTransition
	expireNoncurrent lifecycleTime // since the version was replaced
	noncurrent       []lifecycleTransition
}

// lifecycleNot exempts objects with a prefix and, if it has a key, a tag.
type lifecycleNot struct {
	prefix string
	tag    tag
}

type lifecycleTransition struct {
	when  lifecycleTime
	class string
}

// lifecycleTime is when an action is due; the zero value never.
type lifecycleTime struct {
	days          int       // after the last change
	date          time.Time // for all there is
	createdBefore time.Time // for all that was last changed before
}

// due reports whether an action on something last changed at a time is due.
// The service acts once a day; the emulator does not wait for its midnight.
func (w lifecycleTime) due(changed, now time.Time) bool {
	switch {
	case w.days > 0:
		return !now.Before(changed.AddDate(0, 0, w.days))
	case !w.date.IsZero():
		return !now.Before(w.date)
	case !w.createdBefore.IsZero():
		return changed.Before(w.createdBefore)
	}
	return false
}

// matches reports whether a rule is about an object.
func (r *lifecycleRule) matches(key string, size int64, tags []tag) bool {
	if !strings.HasPrefix(key, r.prefix) || r.above > 0 && size <= r.above || r.below > 0 && size >= r.below {
		return false
	}
	for _, t := range r.tags {
		if !slices.Contains(tags, t) {
			return false
		}
	}
	for _, n := range r.not {
		if strings.HasPrefix(key, n.prefix) && (n.tag.key == "" || slices.Contains(tags, n.tag)) {
			return false
		}
	}
	return true
}

// lifecycleRules returns the enabled rules of a bucket's lifecycle.
func lifecycleRules(tx *store.Tx, bucket string) ([]lifecycleRule, error) {
	doc, err := configDoc(tx, bucket, "lifecycle", "")
	if err != nil || doc == nil {
		return nil, err
	}
	var out []lifecycleRule
	for _, e := range doc.all("Rule") {
		if e.get("Status") == "Enabled" {
			out = append(out, decodeLifecycleRule(e))
		}
	}
	return out, nil
}

// decodeLifecycleRule trusts what checkLifecycle let in.
func decodeLifecycleRule(e *element) lifecycleRule {
	r := lifecycleRule{id: e.get("ID"), prefix: e.get("Prefix")}
	for _, t := range e.all("Tag") {
		r.tags = append(r.tags, tag{t.get("Key"), t.get("Value")})
	}
	if f := e.find("Filter"); f != nil {
		r.above, _ = strconv.ParseInt(f.get("ObjectSizeGreaterThan"), 10, 64)
		r.below, _ = strconv.ParseInt(f.get("ObjectSizeLessThan"), 10, 64)
		for _, n := range f.all("Not") {
			r.not = append(r.not, lifecycleNot{n.get("Prefix"), tag{n.get("Tag/Key"), n.get("Tag/Value")}})
		}
	}
	if x := e.find("Expiration"); x != nil {
		r.expire, r.expireMarkers = decodeLifecycleTime(x), x.get("ExpiredObjectDeleteMarker") == "true"
	}
	if x := e.find("AbortMultipartUpload"); x != nil {
		r.abort = decodeLifecycleTime(x)
	}
	if x := e.find("NoncurrentVersionExpiration"); x != nil {
		r.expireNoncurrent = decodeLifecycleTime(x)
	}
	for _, t := range e.all("Transition") {
		r.transitions = append(r.transitions, lifecycleTransition{decodeLifecycleTime(t), t.get("StorageClass")})
	}
	for _, t := range e.all("NoncurrentVersionTransition") {
		r.noncurrent = append(r.noncurrent, lifecycleTransition{decodeLifecycleTime(t), t.get("StorageClass")})
	}
	return r
}

func decodeLifecycleTime(e *element) lifecycleTime {
	var w lifecycleTime
	w.days, _ = strconv.Atoi(e.get("Days"))
	if n := e.get("NoncurrentDays"); n != "" {
		w.days, _ = strconv.Atoi(n)
	}
	w.date, _ = parseDate(e.get("Date"))
	w.createdBefore, _ = parseDate(e.get("CreatedBeforeDate"))
	return w
}

// checkLifecycle is PutBucketLifecycle's own validation. It gives ids to
// rules without one.
func checkLifecycle(rq *request, tx *store.Tx, doc *element) error {
	rules := doc.all("Rule")
	if len(rules) > maxLifecycleRules {
		return failSchema("Rule")
	}
	monitor, err := configDoc(tx, rq.bucket, "accessmonitor", "")
	if err != nil {
		return err
	}
	accessTimes := monitor != nil && monitor.get("Status") == "Enabled"
	ids := make(map[string]bool, len(rules))
	for _, r := range rules {
		id := r.get("ID")
		if id == "" {
			id = strings.ToLower(randomHex(16))
			r.set("ID", id)
		}
		if len(id) > maxLifecycleID || ids[id] {
			return failArgument("ID", id, "Rule ID is not unique or too long.")
		}
		ids[id] = true
		if err := checkLifecycleRule(r, accessTimes); err != nil {
			return err
		}
	}
	if strings.EqualFold(rq.header("x-oss-allow-same-action-overlap"), "true") {
		return checkLifecycleOverlap(rules, "AbortMultipartUpload") // which is never allowed
	}
	return checkLifecycleOverlap(rules, lifecycleActions...)
}

var lifecycleActions = []string{
	"Expiration", "Transition", "AbortMultipartUpload", "NoncurrentVersionExpiration", "NoncurrentVersionTransition",
}

func checkLifecycleRule(r *element, accessTimes bool) error {
	if !slices.ContainsFunc(lifecycleActions, func(a string) bool { return r.find(a) != nil }) {
		return failSchema("Rule")
	}
	for _, a := range lifecycleActions {
		for _, e := range r.all(a) {
			if err := checkLifecycleAction(e, accessTimes); err != nil {
				return err
			}
		}
	}
	for _, t := range r.all("Tag") {
		// Longer than a tag can be is no mistake: such a rule matches nothing.
		if key, value := t.get("Key"), t.get("Value"); !validTagText(key) || !validTagText(value) {
			return fail("InvalidTag").with("Key", key).with("Value", value)
		}
	}
	if r.find("Tag") != nil && (r.find("AbortMultipartUpload") != nil || r.find("Expiration/ExpiredObjectDeleteMarker") != nil) {
		return fail("InvalidRequest").with("ErrorDetail", "the action does not go with Tag")
	}
	if err := checkTransitionOrder(r.all("Transition"), r.find("Expiration"), "Days"); err != nil {
		return err
	}
	noncurrent := r.all("NoncurrentVersionTransition")
	if err := checkTransitionOrder(noncurrent, r.find("NoncurrentVersionExpiration"), "NoncurrentDays"); err != nil {
		return err
	}
	return checkLifecycleFilter(r)
}

// checkLifecycleAction wants exactly one way to say when, and midnights.
func checkLifecycleAction(e *element, accessTimes bool) error {
	n := 0
	for _, name := range []string{"Days", "NoncurrentDays", "Date", "CreatedBeforeDate", "ExpiredObjectDeleteMarker"} {
		w := e.find(name)
		if w == nil {
			continue
		}
		n++
		if strings.HasSuffix(name, "Date") {
			if t, err := parseDate(string(w.text)); err != nil || !t.Equal(t.Truncate(24*time.Hour)) {
				return failArgument(name, string(w.text), "'Date' must be at midnight GMT.")
			}
		}
	}
	if n != 1 {
		return failSchema(e.name)
	}
	if !strings.HasSuffix(e.name, "Transition") {
		return nil
	}
	class, byAccess := e.get("StorageClass"), e.get("IsAccessTime") == "true"
	switch {
	case !validClass(class) || class == classStandard:
		return failArgument("StorageClass", class, "The storage class of a transition is not valid.")
	case byAccess && !accessTimes:
		return failSchema("IsAccessTime")
	case byAccess && class == "IA" && e.find("ReturnToStdWhenVisit") == nil:
		return failSchema("ReturnToStdWhenVisit")
	}
	return nil
}

// checkTransitionOrder wants colder classes later, and expiration last; days
// and dates do not mix.
func checkTransitionOrder(transitions []*element, expiration *element, days string) error {
	last := make(map[string]int)
	for _, t := range transitions {
		n, _ := strconv.Atoi(t.get(days))
		if expiration != nil && expiration.find("ExpiredObjectDeleteMarker") == nil && (expiration.find(days) == nil) != (n == 0) {
			return fail("InvalidRequest").with("ErrorDetail", "days and dates in one rule")
		}
		class := t.get("StorageClass")
		if _, again := last[class]; again {
			return failArgument("StorageClass", class, "The storage class of a transition is not unique.")
		}
		last[class] = n
	}
	before := 0
	for _, class := range storageClasses {
		if n, ok := last[class]; ok && n > 0 {
			if n <= before {
				return failArgument("Days", strconv.Itoa(n), "Days of a transition must be more than those of a warmer class.")
			}
			before = n
		}
	}
	if expiration != nil {
		if n, _ := strconv.Atoi(expiration.get(days)); n > 0 && n <= before {
			return failArgument("Days", strconv.Itoa(n), "Days of the expiration must be more than those of any transition.")
		}
	}
	return nil
}

func checkLifecycleFilter(r *element) error {
	f := r.find("Filter")
	if f == nil {
		return nil
	}
	above, _ := strconv.ParseInt(f.get("ObjectSizeGreaterThan"), 10, 64)
	below, err := strconv.ParseInt(f.get("ObjectSizeLessThan"), 10, 64)
	if err == nil && below <= above {
		return failArgument("ObjectSizeLessThan", strconv.FormatInt(below, 10), "ObjectSizeLessThan must be more than ObjectSizeGreaterThan.")
	}
	prefix := r.get("Prefix")
	for _, n := range f.all("Not") {
		p := n.get("Prefix")
		if !strings.HasPrefix(p, prefix) || p == prefix && n.find("Tag") == nil {
			return failArgument("Prefix", p, "The prefix of Not must be longer than the rule's and begin with it.")
		}
	}
	return nil
}

// checkLifecycleOverlap refuses two rules with one of some actions and the same
// tags of which one's prefix begins with the other's.
func checkLifecycleOverlap(rules []*element, actions ...string) error {
	for i, a := range rules {
		for _, b := range rules[:i] {
			pa, pb := a.get("Prefix"), b.get("Prefix")
			if !strings.HasPrefix(pa, pb) && !strings.HasPrefix(pb, pa) || !sameTags(a.all("Tag"), b.all("Tag")) {
				continue
			}
			for _, action := range actions {
				if a.find(action) != nil && b.find(action) != nil {
					return failArgument("Prefix", pa, "Overlap for same action type "+action)
				}
			}
		}
	}
	return nil
}

func sameTags(a, b []*element) bool {
	if len(a) != len(b) {
		return false
	}
	for _, t := range a {
		if !slices.ContainsFunc(b, func(u *element) bool {
			return u.get("Key") == t.get("Key") && u.get("Value") == t.get("Value")
		}) {
			return false
		}
	}
	return true
}
