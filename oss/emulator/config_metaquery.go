package emulator

import (
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

const metaQueryShape = `MetaQuery{NextToken? MaxResults:0..? Query? Sort? Order:asc|desc? SimpleQuery?
	Aggregations?{Aggregation*{Field:text Operation:min|max|average|sum|count|distinct|group}}}`

func (rq *request) openMetaQuery() error {
	mode := rq.param("mode")
	if mode != "" && mode != "basic" && mode != "semantic" {
		return failArgument("mode", mode, "The mode must be basic or semantic.")
	}
	return rq.updateConfig(func(tx *store.Tx) error {
		c, err := tx.Config(rq.bucket, "metaQuery", "")
		if err != nil {
			return err
		}
		if c != nil {
			return fail("MetaQueryAlreadyExist").with("BucketName", rq.bucket)
		}
		doc := node("MetaQueryStatus", leaf("State", "Ready"), leaf("Phase", "FullScanning"),
			leaf("CreateTime", rq.now.UTC().Format(time.RFC3339)), leaf("UpdateTime", rq.now.UTC().Format(time.RFC3339)))
		doc.set("MetaQueryMode", cmp.Or(mode, "basic"))
		return rq.putConfig(tx, "metaQuery", "", doc.bytes())
	})
}

// metaQueryScan is how long a new index says that it is being made.
const metaQueryScan = 2 * time.Second

// metaQuery reads the state of the index, which is always up to date: it is
// the server's own.
func (rq *request) metaQuery(tx *store.Tx) (*element, error) {
	c, err := tx.Config(rq.bucket, "metaQuery", "")
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, fail("MetaQueryNotExist").with("BucketName", rq.bucket)
	}
	doc, err := parseAnyDocument(c.Doc)
	if err == nil && rq.now.Sub(c.Modified) >= metaQueryScan {
		doc.set("State", "Running")
		doc.set("Phase", "IncrementalScanning")
	}
	return doc, err
}

func (rq *request) metaQueryStatus() error {
	var doc *element
	err := rq.viewConfig(func(tx *store.Tx) (err error) {
		doc, err = rq.metaQuery(tx)
		return err
	})
	if err == nil {
		rq.writeElement(doc)
	}
	return err
}

func (rq *request) closeMetaQuery() error {
	return rq.updateConfig(func(tx *store.Tx) error {
		if _, err := rq.metaQuery(tx); err != nil {
			return err
		}
		return tx.DeleteConfig(rq.bucket, "metaQuery", "")
	})
}

// metaQueryAction refuses the calls on data sets, which ordinary buckets have
// none of.
func (rq *request) metaQueryAction() error {
	return fail("OperationNotSupported").withEC("0037-00000001").with("Action", rq.param("action"))
}

// metaCondition is a node of a query: a comparison, or a combination.
type metaCondition struct {
	Field, Operation string
	Value            json.RawMessage
	SubQueries       []metaCondition
}

// value is the text to compare with; queries may quote numbers or not.
func (c *metaCondition) value() string {
	var s string
	if json.Unmarshal(c.Value, &s) == nil {
		return s
	}
	return string(c.Value)
}

// check refuses a query that names what there is not.
func (c *metaCondition) check() error {
	switch c.Operation {
	case "and", "or", "not":
		if len(c.SubQueries) == 0 {
			return failArgument("SubQueries", "", "A combination has no sub-queries.")
		}
		for i := range c.SubQueries {
			if err := c.SubQueries[i].check(); err != nil {
				return err
			}
		}
		return nil
	case "eq", "gt", "gte", "lt", "lte", "match", "prefix":
		if _, ok := metaValue(&store.Object{}, c.Field); !ok {
			return failArgument("Field", c.Field, "The field is not supported.")
		}
		return nil
	}
	return failArgument("Operation", c.Operation, "The operation is not supported.")
}

func (c *metaCondition) holds(o *store.Object) bool {
	one := func(s metaCondition) bool { return s.holds(o) }
	switch c.Operation {
	case "and":
		return !slices.ContainsFunc(c.SubQueries, func(s metaCondition) bool { return !s.holds(o) })
	case "or":
		return slices.ContainsFunc(c.SubQueries, one)
	case "not":
		return !slices.ContainsFunc(c.SubQueries, one)
	}
	have, _ := metaValue(o, c.Field)
	want := c.value()
	switch c.Operation {
	case "prefix":
		return strings.HasPrefix(have, want)
	case "match":
		return strings.Contains(have, want)
	}
	d := compareMeta(have, want)
	return c.Operation == "eq" && d == 0 || c.Operation == "gt" && d > 0 || c.Operation == "gte" && d >= 0 ||
		c.Operation == "lt" && d < 0 || c.Operation == "lte" && d <= 0
}

// compareMeta compares as numbers or as times where both are, else as text.
func compareMeta(a, b string) int {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	s, errS := time.Parse(time.RFC3339Nano, a)
	t, errT := time.Parse(time.RFC3339Nano, b)
	if errS == nil && errT == nil {
		return s.Compare(t)
	}
	return strings.Compare(a, b)
}

// metaValue is a field of an object; false means that there is no such field.
func metaValue(o *store.Object, field string) (string, bool) {
	if key, ok := strings.CutPrefix(field, "OSSUserMeta."); ok {
		return headerValue(o.Headers, "x-oss-meta-"+strings.ToLower(key)), true
	}
	if key, ok := strings.CutPrefix(field, "OSSTagging."); ok {
		tags, _ := splitTags(o.Tags) // stored ones are well formed
		for _, t := range tags {
			if t.key == key {
				return t.value, true
			}
		}
		return "", true
	}
	switch field {
	case "Filename":
		return o.Key, true
	case "Size":
		return strconv.FormatInt(o.Size, 10), true
	case "FileModifiedTime":
		return o.Modified.UTC().Format(time.RFC3339Nano), true
	case "OSSObjectType":
		return o.Type.String(), true
	case "OSSStorageClass":
		return o.Class, true
	case "ObjectACL":
		return o.ACL, true
	case "ETag":
		return `"` + o.ETag + `"`, true
	case "OSSCRC64":
		return strconv.FormatUint(o.CRC64, 10), true
	case "OSSTaggingCount":
		tags, _ := splitTags(o.Tags)
		return strconv.Itoa(len(tags)), true
	case "ContentType":
		return headerValue(o.Headers, "content-type"), true
	case "ServerSideEncryption":
		return headerValue(o.Headers, sseHeader), true
	}
	return "", false
}

// metaFile is an object as answers have it.
func metaFile(o *store.Object) *element {
	file := node("File")
	for _, name := range []string{
		"Filename", "Size", "FileModifiedTime", "OSSObjectType", "OSSStorageClass", "ObjectACL", "ETag", "OSSCRC64",
		"OSSTaggingCount", "ContentType", "ServerSideEncryption",
	} {
		if v, _ := metaValue(o, name); v != "" {
			file.set(name, v)
		}
	}
	tags, _ := splitTags(o.Tags)
	slices.SortFunc(tags, func(a, b tag) int { return strings.Compare(a.key, b.key) })
	if len(tags) > 0 {
		tagging := node("OSSTagging")
		for _, t := range tags {
			tagging.children = append(tagging.children, node("Tagging", leaf("Key", t.key), leaf("Value", t.value)))
		}
		file.children = append(file.children, tagging)
	}
	meta := node("OSSUserMeta")
	for _, h := range o.Headers {
		if name, ok := strings.CutPrefix(h.Name, "x-oss-meta-"); ok {
			meta.children = append(meta.children, node("UserMeta", leaf("Key", name), leaf("Value", h.Value)))
		}
	}
	if len(meta.children) > 0 {
		file.children = append(file.children, meta)
	}
	return file
}

// metaHit is a found object: its key and what hits are sorted by.
type metaHit struct{ key, by string }

// metaQueryRun is a query on its way over a bucket.
type metaQueryRun struct {
	where      *metaCondition // nil: everything
	sort       string
	aggregates []*metaAggregate
	hits       []metaHit
}

func (rq *request) doMetaQuery() error {
	body, err := rq.readElement(metaQueryShape)
	if err != nil {
		return err
	}
	run, err := newMetaQueryRun(body, rq.param("mode"))
	if err != nil {
		return err
	}
	limit, skip := 100, 0
	if n, _ := strconv.Atoi(body.get("MaxResults")); n > 0 { // the shape has it
		limit = min(n, limit) // asking for more is no error
	}
	if v := body.get("NextToken"); v != "" {
		if skip, err = strconv.Atoi(v); err != nil || skip < 0 {
			return failArgument("NextToken", v, "The token is not valid.")
		}
	}
	out, next, files := node("MetaQuery"), "", node("Files")
	err = rq.viewConfig(func(tx *store.Tx) error {
		if _, err := rq.metaQuery(tx); err != nil {
			return err
		}
		if err := run.scan(tx, rq.bucket); err != nil {
			return err
		}
		if body.get("Order") == "desc" {
			slices.Reverse(run.hits)
		}
		run.hits = run.hits[min(skip, len(run.hits)):]
		if len(run.hits) > limit {
			run.hits, next = run.hits[:limit], strconv.Itoa(skip+limit)
		}
		for _, h := range run.hits {
			o, err := tx.Object(rq.bucket, h.key)
			if err != nil {
				return err
			}
			files.children = append(files.children, metaFile(o))
		}
		return nil
	})
	if err != nil {
		return err
	}
	out.children = append(out.children, leaf("NextToken", next))
	if len(run.aggregates) == 0 {
		out.children = append(out.children, files)
	} else {
		list := node("Aggregations")
		for _, a := range run.aggregates {
			list.children = append(list.children, a.element())
		}
		out.children = append(out.children, list)
	}
	rq.writeDocument(http.StatusOK, &document{b: out.bytes()})
	return nil
}

// newMetaQueryRun reads a query. A semantic one finds nothing: the emulator
// does not look into objects.
func newMetaQueryRun(body *element, mode string) (*metaQueryRun, error) {
	run := &metaQueryRun{sort: cmp.Or(body.get("Sort"), "Filename")}
	if _, ok := metaValue(&store.Object{}, run.sort); !ok {
		return nil, failArgument("Sort", run.sort, "The field is not supported.")
	}
	if q := body.get("Query"); mode == "semantic" {
		run.where = &metaCondition{Field: "Size", Operation: "lt", Value: json.RawMessage("0")}
	} else if strings.TrimSpace(q) != "" {
		run.where = &metaCondition{}
		if err := json.Unmarshal([]byte(q), run.where); err != nil {
			return nil, failArgument("Query", q, "The query is not well formed.")
		}
		if err := run.where.check(); err != nil {
			return nil, err
		}
	}
	if a := body.find("Aggregations"); a != nil {
		for _, e := range a.all("Aggregation") {
			field := e.get("Field")
			if _, ok := metaValue(&store.Object{}, field); !ok {
				return nil, failArgument("Field", field, "The field is not supported.")
			}
			run.aggregates = append(run.aggregates, &metaAggregate{
				field: field, op: e.get("Operation"), min: math.Inf(1), max: math.Inf(-1), groups: make(map[string]int64),
			})
		}
	}
	return run, nil
}

// scan finds the objects, or aggregates them.
func (run *metaQueryRun) scan(tx *store.Tx, bucket string) error {
	for row := range tx.Objects(bucket, "") {
		o, err := tx.Object(bucket, row.Key)
		if err != nil {
			return err
		}
		if o == nil || run.where != nil && !run.where.holds(o) {
			continue
		}
		for _, a := range run.aggregates {
			a.add(o)
		}
		if len(run.aggregates) == 0 {
			by, _ := metaValue(o, run.sort)
			run.hits = append(run.hits, metaHit{o.Key, by})
		}
	}
	slices.SortStableFunc(run.hits, func(a, b metaHit) int {
		if run.sort == "Filename" {
			return strings.Compare(a.by, b.by)
		}
		return compareMeta(a.by, b.by)
	})
	return nil
}

// metaAggregate gathers one aggregation.
type metaAggregate struct {
	field, op     string
	n             int64
	sum, min, max float64
	groups        map[string]int64
}

func (a *metaAggregate) add(o *store.Object) {
	v, _ := metaValue(o, a.field)
	a.n++
	if x, err := strconv.ParseFloat(v, 64); err == nil {
		a.sum, a.min, a.max = a.sum+x, min(a.min, x), max(a.max, x)
	}
	if a.op == "group" || a.op == "distinct" {
		a.groups[v]++
	}
}

func (a *metaAggregate) element() *element {
	e := node("Aggregation", leaf("Field", a.field), leaf("Operation", a.op))
	var v float64
	switch {
	case a.op == "group":
		groups := node("Groups")
		for _, name := range slices.Sorted(maps.Keys(a.groups)) {
			groups.children = append(groups.children, node("Group", leaf("Value", name), leaf("Count", strconv.FormatInt(a.groups[name], 10))))
		}
		e.children = append(e.children, groups)
		return e
	case a.op == "count":
		v = float64(a.n)
	case a.op == "distinct":
		v = float64(len(a.groups))
	case a.n == 0:
	case a.op == "sum":
		v = a.sum
	case a.op == "average":
		v = a.sum / float64(a.n)
	case a.op == "min" && !math.IsInf(a.min, 0):
		v = a.min
	case a.op == "max" && !math.IsInf(a.max, 0):
		v = a.max
	}
	e.set("Value", strconv.FormatFloat(v, 'f', -1, 64))
	return e
}
