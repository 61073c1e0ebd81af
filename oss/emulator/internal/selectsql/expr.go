package selectsql

import "unicode/utf8"

// record is one row of the data.
type record interface {
	// column gives what a column has; ok is false if the record lacks it.
	column(c *column) (v value, ok bool)
}

// expr is a node of an expression.
type expr interface {
	eval(r record) (value, error)
}

// column names a value of a record.
type column struct {
	path  []step // the first one names the column
	index int    // in CSV, from 0
}

// step is one step into JSON: a name, a place in an array, or all places.
type step struct {
	name  string
	index int
	kind  stepKind
}

type stepKind byte

const (
	nameStep stepKind = iota
	indexStep
	allStep
)

func (c *column) eval(r record) (value, error) {
	v, _ := r.column(c)
	return v, nil
}

type literal struct{ v value }

func (l literal) eval(record) (value, error) { return l.v, nil }

type castExpr struct {
	x  expr
	to kind
}

func (c *castExpr) eval(r record) (value, error) {
	v, err := c.x.eval(r)
	if err != nil {
		return null, err
	}
	return cast(v, c.to)
}

// binary is arithmetic, a comparison, AND, OR or ||.
type binary struct {
	op   string
	a, b expr
}

func (e *binary) eval(r record) (value, error) {
	a, err := e.a.eval(r)
	if err != nil {
		return null, err
	}
	if e.op == "AND" || e.op == "OR" {
		return e.logic(r, a)
	}
	b, err := e.b.eval(r)
	if err != nil {
		return null, err
	}
	switch e.op {
	case "+", "-", "*", "/", "%":
		return arithmetic(e.op, a, b)
	case "||":
		if a.kind == nullKind || b.kind == nullKind {
			return null, nil
		}
		return textValue(a.String() + b.String()), nil
	}
	return compareBy(e.op, a, b)
}

// logic is AND and OR: null is neither true nor false.
func (e *binary) logic(r record, left value) (value, error) {
	decisive := e.op == "OR" // the side that decides alone
	a, aKnown, err := left.asBool()
	if err != nil || aKnown && a == decisive {
		return boolean(decisive), err
	}
	right, err := e.b.eval(r)
	if err != nil {
		return null, err
	}
	b, bKnown, err := right.asBool()
	switch {
	case err != nil:
		return null, err
	case bKnown && b == decisive:
		return boolean(decisive), nil
	case aKnown && bKnown:
		return boolean(!decisive), nil
	}
	return null, nil
}

func compareBy(op string, a, b value) (value, error) {
	order, known, err := compare(a, b)
	if err != nil || !known {
		return null, err
	}
	switch op {
	case "=":
		return boolean(order == 0), nil
	case "<>":
		return boolean(order != 0), nil
	case "<":
		return boolean(order < 0), nil
	case "<=":
		return boolean(order <= 0), nil
	case ">":
		return boolean(order > 0), nil
	}
	return boolean(order >= 0), nil
}

type not struct{ x expr }

func (n *not) eval(r record) (value, error) {
	v, err := n.x.eval(r)
	if err != nil {
		return null, err
	}
	b, known, err := v.asBool()
	if err != nil || !known {
		return null, err
	}
	return boolean(!b), nil
}

type isNull struct{ x expr }

func (e *isNull) eval(r record) (value, error) {
	v, err := e.x.eval(r)
	return boolean(v.kind == nullKind), err
}

type in struct {
	x    expr
	list []expr
}

func (e *in) eval(r record) (value, error) {
	x, err := e.x.eval(r)
	if err != nil {
		return null, err
	}
	unknown := false
	for _, item := range e.list {
		v, err := item.eval(r)
		if err != nil {
			return null, err
		}
		order, known, err := compare(x, v)
		switch {
		case err != nil:
			return null, err
		case known && order == 0:
			return boolean(true), nil
		case !known:
			unknown = true
		}
	}
	if unknown {
		return null, nil
	}
	return boolean(false), nil
}

type like struct {
	x, pattern expr
	escape     rune // 0: none
}

func (e *like) eval(r record) (value, error) {
	x, err := e.x.eval(r)
	if err != nil {
		return null, err
	}
	p, err := e.pattern.eval(r)
	if err != nil || x.kind == nullKind || p.kind == nullKind {
		return null, err
	}
	return boolean(matchLike(x.String(), p.String(), e.escape)), nil
}

// matchLike matches the whole of s against a pattern, in which % is any text
// and _ any character. It goes back to the last % only, so that no pattern
// takes more than the product of the two lengths.
func matchLike(s, pattern string, escape rune) bool {
	retryS, retryP := "", ""
	retry := false
	for s != "" || pattern != "" {
		p, n := utf8.DecodeRuneInString(pattern)
		switch {
		case pattern == "":
		case p == escape && escape != 0 && len(pattern) > n:
			var m int
			if p, m = utf8.DecodeRuneInString(pattern[n:]); s != "" {
				if c, k := utf8.DecodeRuneInString(s); c == p {
					s, pattern = s[k:], pattern[n+m:]
					continue
				}
			}
		case p == '%':
			pattern = pattern[n:]
			retryS, retryP, retry = s, pattern, true
			continue
		case s != "":
			if c, k := utf8.DecodeRuneInString(s); p == '_' || c == p {
				s, pattern = s[k:], pattern[n:]
				continue
			}
		}
		if !retry || retryS == "" {
			return false
		}
		_, k := utf8.DecodeRuneInString(retryS)
		retryS = retryS[k:]
		s, pattern = retryS, retryP
	}
	return true
}

// aggregate is COUNT, SUM, AVG, MIN or MAX, with what it has seen.
type aggregate struct {
	function string // in upper case
	x        expr   // nil: COUNT(*)
	count    int64
	acc      value
}

// eval gives the result for the records that add has seen.
func (a *aggregate) eval(record) (value, error) {
	switch a.function {
	case "COUNT":
		return integer(a.count), nil
	case "AVG":
		if a.count == 0 {
			return null, nil
		}
		return arithmetic("/", a.acc, integer(a.count))
	}
	return a.acc, nil
}

// peek evaluates the argument for a record; it changes nothing, so that a
// record that does not fit can still be left out as a whole.
func (a *aggregate) peek(r record) (value, error) {
	if a.x == nil {
		return boolean(true), nil
	}
	v, err := a.x.eval(r)
	if err == nil && (a.function == "SUM" || a.function == "AVG") {
		return v.asNumber()
	}
	if err == nil && a.acc.kind != nullKind && (a.function == "MIN" || a.function == "MAX") {
		_, _, err = compare(v, a.acc)
	}
	return v, err
}

func (a *aggregate) add(v value) {
	if v.kind == nullKind {
		return
	}
	v.node = nil
	a.count++
	switch a.function {
	case "SUM", "AVG":
		if a.acc.kind == nullKind {
			a.acc = v
		} else if sum, err := arithmetic("+", a.acc, v); err == nil {
			a.acc = sum
		}
	case "MIN", "MAX":
		order, known, err := compare(v, a.acc)
		if a.acc.kind == nullKind || err == nil && known && (order < 0) == (a.function == "MIN") && order != 0 {
			a.acc = v
		}
	}
}
