package selectsql

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of statements, as the service documents them but for maxNesting,
// which bounds the stack.
const (
	maxStatement = 16 << 10 // bytes
	maxItems     = 1000
	maxNesting   = 100
)

// query is a parsed statement. Running it changes its aggregates.
type query struct {
	all     bool // SELECT *
	items   []item
	from    []step // into each record; nil: the record itself
	where   expr   // nil: all
	limit   int64  // -1: none
	columns []*column
	aggs    []*aggregate
}

type item struct {
	x     expr
	name  string // in the output
	named bool   // by AS
}

type parser struct {
	tokens []token
	q      *query
	alias  []string // names of the table
	depth  int

	// where the parser is decides what is allowed
	inAggregate bool
	plain       bool // a column stood outside of an aggregate
	inWhere     bool
}

// parse reads a statement.
func parse(sql string) (*query, error) {
	if strings.TrimSpace(sql) == "" {
		return nil, &Error{Code: "InvalidSqlParameter", EC: "0016-00000823", Message: "The SQL expression is empty."}
	}
	if len(sql) > maxStatement {
		return nil, badSQL("the statement has more than %d bytes", maxStatement)
	}
	if !utf8.ValidString(sql) {
		return nil, badSQL("the statement is not UTF-8")
	}
	tokens, err := lex(sql)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: append(tokens, token{}), q: &query{limit: -1}, alias: []string{"ossobject"}}
	if err := p.statement(); err != nil {
		return nil, err
	}
	for _, c := range p.q.columns {
		p.unqualify(c)
	}
	return p.q, nil
}

func (p *parser) peek() token { return p.tokens[0] }

func (p *parser) next() token {
	t := p.tokens[0]
	if t.kind != endToken {
		p.tokens = p.tokens[1:]
	}
	return t
}

// keyword takes a keyword if it comes next.
func (p *parser) keyword(w string) bool {
	if p.peek().is(w) {
		p.next()
		return true
	}
	return false
}

func (p *parser) sign(s string) bool {
	if p.peek().sign(s) {
		p.next()
		return true
	}
	return false
}

func (p *parser) expect(s string) error {
	if !p.sign(s) {
		return badSQL("'%s' is wanted, not %s", s, p.peek())
	}
	return nil
}

func (p *parser) statement() error {
	if !p.keyword("select") {
		return badSQL("a statement begins with SELECT, not with %s", p.peek())
	}
	if err := p.list(); err != nil {
		return err
	}
	if err := p.table(); err != nil {
		return err
	}
	if p.keyword("where") {
		p.inWhere = true
		x, err := p.condition()
		if err != nil {
			return err
		}
		p.q.where = x
	}
	if p.keyword("limit") {
		t := p.next()
		n, err := strconv.ParseInt(t.text, 10, 64)
		if t.kind != numberToken || err != nil {
			return badSQL("LIMIT takes a number, not %s", t)
		}
		p.q.limit = n
	}
	p.sign(";")
	if t := p.peek(); t.kind != endToken {
		return badSQL("%s is not supported here", t)
	}
	return nil
}

func (p *parser) list() error {
	if p.sign("*") {
		p.q.all = true
		return nil
	}
	for {
		x, err := p.additive()
		if err != nil {
			return err
		}
		it := item{x: x, name: "_" + strconv.Itoa(len(p.q.items)+1)}
		if c, ok := x.(*column); ok {
			it.name = c.path[len(c.path)-1].name
			for i := len(c.path) - 1; it.name == ""; i-- {
				it.name = c.path[i].name
			}
		}
		for p.keyword("as") { // of several names the service takes the last
			t := p.next()
			if t.kind != wordToken && t.kind != quotedToken {
				return badSQL("AS takes a name, not %s", t)
			}
			it.name, it.named = t.text, true
		}
		if p.q.items = append(p.q.items, it); len(p.q.items) > maxItems {
			return badSQL("more than %d items", maxItems)
		}
		if !p.sign(",") {
			break
		}
	}
	if p.plain && len(p.q.aggs) > 0 {
		return badSQL("columns beside aggregates would need GROUP BY, which is not supported")
	}
	return nil
}

// clauses are words that end the name of the table.
var clauses = []string{"where", "limit", "group", "order", "join", "inner", "left", "right", "full", "having", "union", "on"}

func (p *parser) table() error {
	if !p.keyword("from") {
		return badSQL("FROM is wanted, not %s", p.peek())
	}
	if t := p.next(); !t.is("ossobject") {
		return badSQL("the table is ossobject, not %s", t)
	}
	var err error
	if p.q.from, err = p.steps(nil, true); err != nil {
		return err
	}
	as := p.keyword("as")
	t := p.peek()
	if t.kind == quotedToken || t.kind == wordToken && !slices.Contains(clauses, strings.ToLower(t.text)) {
		p.alias = append(p.alias, p.next().text)
	} else if as {
		return badSQL("AS takes a name, not %s", t)
	}
	return nil
}

// steps reads the steps of a path behind its first name.
func (p *parser) steps(path []step, all bool) ([]step, error) {
	for {
		switch {
		case p.sign("."):
			t := p.next()
			if t.kind != wordToken && t.kind != quotedToken {
				return nil, badSQL("a name is wanted after '.', not %s", t)
			}
			path = append(path, step{name: t.text})
		case p.sign("["):
			t := p.next()
			n, err := strconv.Atoi(t.text)
			switch {
			case all && t.sign("*"):
				path = append(path, step{kind: allStep})
			case t.kind == textToken || t.kind == quotedToken:
				path = append(path, step{name: t.text})
			case t.kind == numberToken && err == nil:
				path = append(path, step{kind: indexStep, index: n})
			default:
				return nil, badSQL("%s is no place in an array", t)
			}
			if err := p.expect("]"); err != nil {
				return nil, err
			}
		default:
			return path, nil
		}
	}
}

// unqualify drops the name of the table in front of a column.
func (p *parser) unqualify(c *column) {
	if len(c.path) < 2 || c.path[1].kind != nameStep {
		return
	}
	if slices.ContainsFunc(p.alias, func(a string) bool { return strings.EqualFold(a, c.path[0].name) }) {
		c.path = c.path[1:]
	}
}

// nested guards the stack against statements of brackets alone.
func (p *parser) nested(f func() (expr, error)) (expr, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, badSQL("more than %d levels of brackets", maxNesting)
	}
	defer func() { p.depth-- }()
	return f()
}

func (p *parser) condition() (expr, error) {
	return p.nested(func() (expr, error) {
		return p.chain(func() (expr, error) {
			return p.chain(p.negation, "AND")
		}, "OR")
	})
}

// chain reads operands with a keyword between them.
func (p *parser) chain(operand func() (expr, error), word string) (expr, error) {
	x, err := operand()
	for err == nil && p.keyword(word) {
		var y expr
		if y, err = operand(); err == nil {
			x = &binary{word, x, y}
		}
	}
	return x, err
}

func (p *parser) negation() (expr, error) {
	if p.keyword("not") {
		x, err := p.nested(p.negation)
		return &not{x}, err
	}
	return p.comparison()
}

func (p *parser) comparison() (expr, error) {
	x, err := p.additive()
	if err != nil {
		return nil, err
	}
	for _, op := range []string{"<>", "!=", "<=", ">=", "==", "=", "<", ">"} {
		if !p.sign(op) {
			continue
		}
		y, err := p.additive()
		switch op {
		case "!=":
			op = "<>"
		case "==":
			op = "="
		}
		return &binary{op, x, y}, err
	}
	if p.keyword("is") {
		negated := p.keyword("not")
		if !p.keyword("null") {
			return nil, badSQL("IS takes NULL, not %s", p.peek())
		}
		return negate(&isNull{x}, negated), nil
	}
	negated := p.keyword("not")
	var y expr
	switch {
	case p.keyword("like"):
		y, err = p.like(x)
	case p.keyword("between"):
		y, err = p.between(x)
	case p.keyword("in"):
		y, err = p.in(x)
	case negated:
		return nil, badSQL("NOT is not followed by LIKE, BETWEEN or IN, but by %s", p.peek())
	default:
		return x, nil
	}
	return negate(y, negated), err
}

func negate(x expr, yes bool) expr {
	if yes {
		return &not{x}
	}
	return x
}

func (p *parser) like(x expr) (expr, error) {
	pattern, err := p.additive()
	if err != nil {
		return nil, err
	}
	l := &like{x: x, pattern: pattern}
	if p.keyword("escape") {
		t := p.next()
		r, n := utf8.DecodeRuneInString(t.text)
		if t.kind != textToken || n == 0 || n != len(t.text) {
			return nil, badSQL("ESCAPE takes one character, not %s", t)
		}
		l.escape = r
	}
	return l, nil
}

func (p *parser) between(x expr) (expr, error) {
	low, err := p.additive()
	if err != nil {
		return nil, err
	}
	if !p.keyword("and") {
		return nil, badSQL("BETWEEN takes AND, not %s", p.peek())
	}
	high, err := p.additive()
	return &binary{"AND", &binary{">=", x, low}, &binary{"<=", x, high}}, err
}

func (p *parser) in(x expr) (expr, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	e := &in{x: x}
	for {
		y, err := p.additive()
		if err != nil {
			return nil, err
		}
		e.list = append(e.list, y)
		if !p.sign(",") {
			return e, p.expect(")")
		}
	}
}

func (p *parser) additive() (expr, error) { return p.operators(p.product, "+", "-", "||") }

func (p *parser) product() (expr, error) { return p.operators(p.unary, "*", "/", "%") }

// operators reads operands with any of ops between them.
func (p *parser) operators(operand func() (expr, error), ops ...string) (expr, error) {
	x, err := operand()
	for err == nil {
		op := p.peek()
		if op.kind != signToken || !slices.Contains(ops, op.text) {
			break
		}
		if op.text == "||" && !p.inWhere {
			return nil, badSQL("|| is allowed in conditions only")
		}
		p.next()
		var y expr
		if y, err = operand(); err == nil {
			x = &binary{op.text, x, y}
		}
	}
	return x, err
}

func (p *parser) unary() (expr, error) {
	switch {
	case p.sign("-"):
		if t := p.peek(); t.kind == numberToken {
			p.next()
			return numberLiteral("-" + t.text)
		}
		x, err := p.nested(p.unary)
		return &binary{"-", literal{integer(0)}, x}, err
	case p.sign("+"):
		return p.nested(p.unary)
	}
	return p.primary()
}

func numberLiteral(s string) (expr, error) {
	v, ok := number(s)
	if !ok {
		return nil, badSQL("'%s' is no number", s)
	}
	return literal{v}, nil
}

func (p *parser) primary() (expr, error) {
	t := p.next()
	switch t.kind {
	case textToken:
		return literal{textValue(t.text)}, nil
	case numberToken:
		return numberLiteral(t.text)
	case signToken:
		if t.text != "(" {
			break
		}
		inner := p.condition
		if !p.inWhere {
			inner = func() (expr, error) { return p.nested(p.additive) }
		}
		x, err := inner()
		if err != nil {
			return nil, err
		}
		return x, p.expect(")")
	case quotedToken:
		return p.column(t)
	case wordToken:
		return p.word(t)
	}
	return nil, badSQL("a value is wanted, not %s", t)
}

func (p *parser) word(t token) (expr, error) {
	if p.peek().sign("(") {
		return p.function(t)
	}
	switch strings.ToLower(t.text) {
	case "true", "false":
		return literal{boolean(t.is("true"))}, nil
	case "null":
		return literal{null}, nil
	case "select", "from", "where", "limit", "as", "and", "or", "not", "group", "order", "by", "distinct":
		return nil, badSQL("a value is wanted, not %s", t)
	}
	return p.column(t)
}

func (p *parser) column(t token) (expr, error) {
	path, err := p.steps([]step{{name: t.text}}, false)
	if err != nil {
		return nil, err
	}
	c := &column{path: path}
	p.q.columns = append(p.q.columns, c)
	p.plain = p.plain || !p.inAggregate && !p.inWhere
	return c, nil
}

func (p *parser) function(t token) (expr, error) {
	p.next() // the bracket
	name := strings.ToUpper(t.text)
	switch name {
	case "CAST":
		return p.cast()
	case "COUNT", "SUM", "AVG", "MIN", "MAX":
	default:
		return nil, badSQL("there is no function %s", t)
	}
	if p.inAggregate || p.inWhere {
		return nil, badSQL("%s is not allowed here", name)
	}
	a := &aggregate{function: name}
	p.q.aggs = append(p.q.aggs, a)
	if name == "COUNT" && p.sign("*") {
		return a, p.expect(")")
	}
	p.inAggregate = true
	x, err := p.nested(p.additive)
	p.inAggregate = false
	if err != nil {
		return nil, err
	}
	a.x = x
	return a, p.expect(")")
}

func (p *parser) cast() (expr, error) {
	x, err := p.nested(p.additive)
	if err != nil {
		return nil, err
	}
	if !p.keyword("as") {
		return nil, badSQL("CAST takes AS, not %s", p.peek())
	}
	t := p.next()
	to, ok := castTypes[strings.ToLower(t.text)]
	if t.kind != wordToken || !ok {
		return nil, badSQL("there is no type %s", t)
	}
	if p.sign("(") { // a length or a precision, which binds nothing here
		for !p.sign(")") {
			if n := p.next(); n.kind != numberToken && !n.sign(",") {
				return nil, badSQL("a length is wanted, not %s", n)
			}
		}
	}
	return &castExpr{x, to}, p.expect(")")
}
