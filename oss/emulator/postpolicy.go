package emulator

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// postPolicy is what the signer of a form allows to be uploaded with it.
type postPolicy struct {
	expiration time.Time
	conditions []postCondition
	// The size of the file is between min and max, both inclusive.
	min, max int64
}

// postCondition is a condition on one field of a form.
type postCondition struct {
	op     string // eq, starts-with, in, not-in
	field  string // in lower case
	values []string
	text   string // as errors show it
}

// failPolicy is a policy that cannot be understood.
func failPolicy(ec, msg string) error {
	e := fail("InvalidPolicyDocument").withEC(ec)
	e.msg = "Invalid Policy: " + msg
	return e
}

// failedPolicy is a form that its policy does not allow.
func failedPolicy(ec, msg string) error {
	e := fail("AccessDenied").withEC(ec)
	e.msg = "Invalid according to Policy: " + msg
	return e
}

// parsePostPolicy reads the field policy: base64 of a JSON object.
func parsePostPolicy(field string) (*postPolicy, error) {
	raw, err := base64.StdEncoding.DecodeString(field)
	if err != nil {
		return nil, failPolicy("0006-00000201", "it is not base64.")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		return nil, failPolicy("0006-00000201", "it is not a JSON object.")
	}
	for name := range members {
		if name != "expiration" && name != "conditions" {
			return nil, failPolicy("0006-00000206", "Unexpected: "+name+".")
		}
	}
	expiration, conditions := members["expiration"], members["conditions"]
	switch {
	case expiration == nil && conditions == nil:
		return nil, failPolicy("0006-00000209", "Policy missing expiration and conditions.")
	case conditions == nil:
		return nil, failPolicy("0006-00000207", "Policy missing conditions.")
	case expiration == nil:
		return nil, failPolicy("0006-00000208", "Policy missing expiration.")
	}
	p := &postPolicy{max: maxObject}
	if p.expiration, err = parseExpiration(expiration); err != nil {
		return nil, err
	}
	var list []json.RawMessage
	if json.Unmarshal(conditions, &list) != nil {
		return nil, failPolicy("0006-00000214", "Conditions must be a list.")
	}
	if len(list) == 0 {
		return nil, failPolicy("0006-00000215", "Conditions must not be empty.")
	}
	for _, item := range list {
		if err := p.add(item); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func parseExpiration(raw json.RawMessage) (time.Time, error) {
	var s *string
	if json.Unmarshal(raw, &s) != nil || s == nil {
		return time.Time{}, failPolicy("0006-00000210", "expiration must be a string.")
	}
	if *s == "" {
		return time.Time{}, failPolicy("0006-00000211", "expiration must not be empty.")
	}
	t, err := time.Parse(time.RFC3339, *s)
	if err != nil {
		return time.Time{}, failPolicy("0006-00000212", "expiration must be an ISO 8601 time in GMT.")
	}
	return t, nil
}

// add reads one condition: {"field": "value"} or ["op", "$field", value].
func (p *postPolicy) add(raw json.RawMessage) error {
	var simple map[string]json.RawMessage
	if json.Unmarshal(raw, &simple) == nil {
		if len(simple) != 1 {
			return failPolicy("0006-00000219", "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")
		}
		for name, value := range simple {
			return p.addMatch("eq", name, value, raw)
		}
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return failPolicy("0006-00000216", "Invalid Condition: a condition is a list or an object.")
	}
	if len(list) < 2 {
		return failPolicy("0006-00000216", "Invalid Condition: the matching mode or the field is missing.")
	}
	op, ok := jsonString(list[0])
	if !ok {
		return failPolicy("0006-00000217", "Invalid Condition: the matching mode must be a string.")
	}
	op = strings.ToLower(op)
	if len(list) != 3 {
		return failPolicy("0006-00000218", "Invalid Condition: wrong number of arguments of "+op+".")
	}
	switch op {
	case "content-length-range":
		var low, high int64
		if json.Unmarshal(list[1], &low) != nil || json.Unmarshal(list[2], &high) != nil || low < 0 || high < low {
			return failPolicy("0006-00000224", "Invalid content-length-range.")
		}
		p.min, p.max = max(p.min, low), min(p.max, high)
		return nil
	case "eq", "starts-with", "in", "not-in":
		name, ok := jsonString(list[1])
		if !ok {
			return failPolicy("0006-00000224", "Invalid Condition: the name of a field must be a string.")
		}
		return p.addMatch(op, name, list[2], raw)
	}
	return failPolicy("0006-00000217", "Invalid Condition: unknown matching mode "+op+".")
}

// addMatch adds a condition on a field, whose name may do without its "$".
func (p *postPolicy) addMatch(op, field string, value, raw json.RawMessage) error {
	c := postCondition{op: op, field: strings.ToLower(strings.TrimPrefix(field, "$"))}
	if op == "in" || op == "not-in" {
		if json.Unmarshal(value, &c.values) != nil || c.values == nil {
			return failPolicy("0006-00000224", "Invalid Condition: "+op+" needs a list of strings.")
		}
	} else {
		v, ok := jsonString(value)
		if !ok {
			return failPolicy("0006-00000224", "Invalid Condition: "+op+" needs a string.")
		}
		c.values = []string{v}
	}
	if c.field == "" {
		return failPolicy("0006-00000218", "Invalid Condition: a field without name.")
	}
	var b bytes.Buffer
	_ = json.Compact(&b, raw) // it is JSON
	c.text = b.String()
	p.conditions = append(p.conditions, c)
	return nil
}

func jsonString(raw json.RawMessage) (string, bool) {
	var s *string
	if json.Unmarshal(raw, &s) != nil || s == nil {
		return "", false
	}
	return *s, true
}

// check holds the fields of a form against the policy; the size of the file
// shows later.
func (p *postPolicy) check(field func(lower string) (string, bool), now time.Time) error {
	if !now.Before(p.expiration) {
		return failedPolicy("0006-00000213", "Policy expired.")
	}
	for _, c := range p.conditions {
		v, ok := field(c.field)
		switch {
		case !ok:
			return failedPolicy("0006-00000226", "Policy Condition failed: "+c.text)
		case !c.holds(v):
			return failedPolicy("0006-00000227", "Policy Condition failed: "+c.text)
		}
	}
	return nil
}

func (c *postCondition) holds(v string) bool {
	switch c.op {
	case "starts-with":
		return strings.HasPrefix(v, c.values[0])
	case "not-in":
		return !slices.Contains(c.values, v)
	}
	return slices.Contains(c.values, v)
}

// names reports whether there is a condition on a field.
func (p *postPolicy) names(field string) bool {
	return slices.ContainsFunc(p.conditions, func(c postCondition) bool { return c.field == field })
}

// tooLarge is the answer to a file above the bounds, tooSmall to one below.
func (p *postPolicy) tooLarge() error {
	return fail("EntityTooLarge").with("MaxSizeAllowed", strconv.FormatInt(p.max, 10))
}

func (p *postPolicy) tooSmall(size int64) error {
	return fail("EntityTooSmall").withEC("").
		with("MinSizeAllowed", strconv.FormatInt(p.min, 10)).with("ProposedSize", strconv.FormatInt(size, 10))
}
