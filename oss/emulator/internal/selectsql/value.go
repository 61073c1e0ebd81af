package selectsql

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

type kind byte

const (
	nullKind kind = iota
	boolKind
	intKind
	floatKind
	decimalKind
	textKind
	timeKind
	treeKind // an object or array
)

// value is what an expression has. text holds the text of textKind, and how
// numbers and times are written if their source says so.
type value struct {
	kind kind
	b    bool
	i    int64
	f    float64
	d    *big.Rat
	t    time.Time
	text string
	node *node // what it was in JSON, for the output; or nil
}

var null value

// errUnfit says that a record's data is not of the type that the statement
// needs.
var errUnfit = errors.New("the type of the data does not fit the statement")

func boolean(b bool) value { return value{kind: boolKind, b: b} }

func integer(i int64) value { return value{kind: intKind, i: i} }

func float(f float64) value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return null
	}
	return value{kind: floatKind, f: f}
}

func textValue(s string) value { return value{kind: textKind, text: s} }

// maxDecimal bounds the size of a decimal, in bits; what grows larger becomes
// a double.
const maxDecimal = 4096

func decimal(d *big.Rat) value {
	if d.Num().BitLen()+d.Denom().BitLen() > maxDecimal {
		f, _ := d.Float64()
		return float(f)
	}
	return value{kind: decimalKind, d: d}
}

// number reads a number as JSON and SQL write it.
func number(s string) (value, bool) {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return value{kind: intKind, i: i, text: s}, true
	}
	if s == "" || strings.Trim(s, "0123456789+-.eE") != "" {
		return null, false // ParseFloat knows hexadecimal, Inf and NaN
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return null, false
	}
	return value{kind: floatKind, f: f, text: s}, true
}

// rat is the exact value of a number.
func (v value) rat() *big.Rat {
	switch v.kind {
	case decimalKind:
		return v.d
	case intKind:
		return new(big.Rat).SetInt64(v.i)
	}
	if d, ok := parseRat(v.text); ok {
		return d
	}
	if d := new(big.Rat).SetFloat64(v.f); d != nil {
		return d
	}
	return new(big.Rat)
}

// parseRat reads a decimal of a reasonable size: a short "1e999999999" would
// fill the memory.
func parseRat(s string) (*big.Rat, bool) {
	const maxDigits, maxExponent = 512, 308
	if s == "" || len(s) > maxDigits || strings.Trim(s, "0123456789+-.eE") != "" {
		return nil, false
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if e, err := strconv.Atoi(s[i+1:]); err != nil || e > maxExponent || e < -maxExponent {
			return nil, false
		}
	}
	return new(big.Rat).SetString(s)
}

func (v value) float() float64 {
	switch v.kind {
	case intKind:
		return float64(v.i)
	case decimalKind:
		f, _ := v.d.Float64()
		return f
	}
	return v.f
}

func (v value) isNumber() bool {
	return v.kind == intKind || v.kind == floatKind || v.kind == decimalKind
}

// asNumber turns a value into a number: null if there is nothing, errUnfit if
// it is none.
func (v value) asNumber() (value, error) {
	switch v.kind {
	case nullKind, intKind, floatKind, decimalKind:
		return v, nil
	case textKind:
		s := strings.TrimSpace(v.text)
		if s == "" {
			return null, nil
		}
		if n, ok := number(s); ok {
			return n, nil
		}
	}
	return null, errUnfit
}

// asBool turns a value into a truth value; known is false for null.
func (v value) asBool() (b, known bool, err error) {
	switch v.kind {
	case nullKind:
		return false, false, nil
	case boolKind:
		return v.b, true, nil
	case textKind:
		switch strings.ToLower(strings.TrimSpace(v.text)) {
		case "true":
			return true, true, nil
		case "false":
			return false, true, nil
		case "":
			return false, false, nil
		}
	}
	return false, false, errUnfit
}

var timeLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999",
	"2006-01-02 15:04", "2006-01-02", "2006/01/02 15:04:05", "2006/01/02", "20060102150405", "20060102", "2006-01", "2006",
}

func (v value) asTime() (value, error) {
	switch v.kind {
	case nullKind, timeKind:
		return v, nil
	case textKind:
		s := strings.TrimSpace(v.text)
		if s == "" {
			return null, nil
		}
		for _, layout := range timeLayouts {
			if t, err := time.Parse(layout, s); err == nil {
				return value{kind: timeKind, t: t, text: s}, nil
			}
		}
	}
	return null, errUnfit
}

// String is how the value is written, outside of JSON.
func (v value) String() string {
	switch v.kind {
	case boolKind:
		return strconv.FormatBool(v.b)
	case intKind:
		if v.text == "" {
			return strconv.FormatInt(v.i, 10)
		}
	case floatKind:
		if v.text == "" {
			return formatFloat(v.f)
		}
	case decimalKind:
		n, exact := v.d.FloatPrec()
		if !exact {
			n = 20
		}
		return v.d.FloatString(n)
	case treeKind:
		return string(v.node.append(nil))
	}
	return v.text
}

// formatFloat gives the fewest digits that tell f from its neighbours, without
// an exponent where people would not write one.
func formatFloat(f float64) string {
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// compare orders two values; known is false if either is null, or an object.
func compare(a, b value) (order int, known bool, err error) {
	if a.kind == nullKind || b.kind == nullKind || a.kind == treeKind || b.kind == treeKind {
		return 0, false, nil
	}
	switch {
	case a.isNumber() || b.isNumber():
		if a, err = a.asNumber(); err != nil {
			return 0, false, err
		}
		if b, err = b.asNumber(); err != nil || a.kind == nullKind || b.kind == nullKind {
			return 0, false, err
		}
		return compareNumbers(a, b), true, nil
	case a.kind == timeKind || b.kind == timeKind:
		if a, err = a.asTime(); err != nil {
			return 0, false, err
		}
		if b, err = b.asTime(); err != nil || a.kind == nullKind || b.kind == nullKind {
			return 0, false, err
		}
		return a.t.Compare(b.t), true, nil
	case a.kind == boolKind || b.kind == boolKind:
		x, ok, err := a.asBool()
		if err != nil || !ok {
			return 0, false, err
		}
		y, ok, err := b.asBool()
		if err != nil || !ok {
			return 0, false, err
		}
		return truth(x) - truth(y), true, nil
	}
	return strings.Compare(a.text, b.text), true, nil
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

func compareNumbers(a, b value) int {
	switch {
	case a.kind == intKind && b.kind == intKind:
		switch {
		case a.i < b.i:
			return -1
		case a.i > b.i:
			return 1
		}
		return 0
	case a.kind == decimalKind || b.kind == decimalKind:
		return a.rat().Cmp(b.rat())
	}
	x, y := a.float(), b.float()
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// arithmetic is a op b, null if either is null or the divisor is zero.
func arithmetic(op string, a, b value) (value, error) {
	a, err := a.asNumber()
	if err != nil {
		return null, err
	}
	b, err = b.asNumber()
	if err != nil || a.kind == nullKind || b.kind == nullKind {
		return null, err
	}
	if a.kind == intKind && b.kind == intKind {
		if v, ok := intArithmetic(op, a.i, b.i); ok {
			return v, nil
		}
	}
	if (a.kind == decimalKind || b.kind == decimalKind) && op != "%" {
		return decimalArithmetic(op, a.rat(), b.rat()), nil
	}
	x, y := a.float(), b.float()
	switch op {
	case "+":
		return float(x + y), nil
	case "-":
		return float(x - y), nil
	case "*":
		return float(x * y), nil
	case "/":
		return float(x / y), nil
	}
	return float(math.Mod(x, y)), nil
}

// intArithmetic reports false if the result is no int64.
func intArithmetic(op string, a, b int64) (value, bool) {
	switch op {
	case "+":
		c := a + b
		return integer(c), (c > a) == (b > 0)
	case "-":
		c := a - b
		return integer(c), (c < a) == (b > 0)
	case "*":
		if a == 0 || b == 0 {
			return integer(0), true
		}
		c := a * b
		return integer(c), c/b == a && (a != -1 || b != math.MinInt64) && (b != -1 || a != math.MinInt64)
	}
	switch {
	case b == 0:
		return null, true
	case b == -1:
		return null, false // the least number has no counterpart
	case op == "%":
		return integer(a % b), true
	}
	return integer(a / b), a%b == 0
}

func decimalArithmetic(op string, a, b *big.Rat) value {
	c := new(big.Rat)
	switch op {
	case "+":
		c.Add(a, b)
	case "-":
		c.Sub(a, b)
	case "*":
		c.Mul(a, b)
	default:
		if b.Sign() == 0 {
			return null
		}
		c.Quo(a, b)
	}
	return decimal(c)
}

// castTypes names the types of CAST.
var castTypes = map[string]kind{
	"int": intKind, "integer": intKind, "bigint": intKind, "long": intKind, "double": floatKind, "float": floatKind, "real": floatKind,
	"decimal": decimalKind, "numeric": decimalKind, "string": textKind, "varchar": textKind, "char": textKind,
	"bool": boolKind, "boolean": boolKind, "timestamp": timeKind, "datetime": timeKind, "date": timeKind,
}

func cast(v value, to kind) (value, error) {
	switch to {
	case textKind:
		if v.kind == nullKind {
			return null, nil
		}
		return textValue(v.String()), nil
	case boolKind:
		if v.isNumber() {
			return boolean(v.float() != 0), nil
		}
		b, known, err := v.asBool()
		if err != nil || !known {
			return null, err
		}
		return boolean(b), nil
	case timeKind:
		return v.asTime()
	}
	if v.kind == boolKind {
		v = integer(int64(truth(v.b)))
	}
	if to == decimalKind && v.kind == textKind {
		if d, ok := parseRat(strings.TrimSpace(v.text)); ok {
			return decimal(d), nil
		}
	}
	n, err := v.asNumber()
	if err != nil || n.kind == nullKind {
		return null, err
	}
	switch to {
	case intKind:
		if n.kind == intKind {
			return n, nil
		}
		f := math.Trunc(n.float())
		if f < math.MinInt64 || f >= math.MaxInt64 {
			return null, errUnfit
		}
		return integer(int64(f)), nil
	case floatKind:
		if n.kind == floatKind {
			return n, nil
		}
		return float(n.float()), nil
	}
	return decimal(n.rat()), nil
}
