package emulator

import (
	"net/http"
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// family is a kind of configuration document: PUT sets it, GET returns it,
// DELETE removes it. What families have beyond that has routes of its own.
type family struct {
	// sub is the sub-resource and, unless store says another, the family's
	// name in the store.
	sub, store string
	// op is the operation's name without Put, Get or Delete.
	op      string
	methods string
	// shape is what documents must look like; empty: not XML, see text.
	shape string
	// check is what shape cannot say. It may complete the document.
	check func(rq *request, tx *store.Tx, doc *element) error
	// text checks documents that are not XML.
	text func(rq *request, doc []byte) error
	// absent is the answer to GET if there is no document: a document if it
	// begins with "<", or else an error's code.
	absent string
	// by is the parameter or header that names one of many documents.
	by string
	// under is the parameter that names what the document belongs to, if
	// that is neither a bucket nor the account.
	under string
	// needs is what must be there for every operation.
	needs func(rq *request, tx *store.Tx) error
	// blind families look at their document before their bucket: that there is
	// none is MalformedXML. The vendor's own tests say so of the service.
	blind bool

	parsed *shape
}

// table is the family's name in the store.
func (f *family) table() string {
	if f.store != "" {
		return f.store
	}
	return f.sub
}

// name is which of the family's documents a request is about.
func (f *family) name(rq *request) (string, error) {
	if f.by == "" {
		return "", nil
	}
	name := rq.named(f.by)
	if !validConfigName(name) {
		return "", failArgument(f.by, name, "The name is missing or not valid.")
	}
	if f.under != "" {
		name = rq.param(f.under) + "/" + name
	}
	return name, nil
}

// validConfigName bounds the names that come in parameters and headers.
func validConfigName(s string) bool {
	ok := len(s) > 0 && len(s) <= 63
	for i := range len(s) {
		c := s[i]
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.')
	}
	return ok
}

// named returns a parameter, or else the header of that name.
func (rq *request) named(name string) string {
	if v := rq.param(name); v != "" {
		return v
	}
	return rq.header(name)
}

// needScope is NoSuchBucket if the request is about a bucket that is not there.
func (rq *request) needScope(tx *store.Tx, f *family) error {
	if rq.bucket != "" {
		if err := needBucket(tx, rq.bucket); err != nil {
			return err
		}
	}
	if f != nil && f.needs != nil {
		return f.needs(rq, tx)
	}
	return nil
}

// readConfig reads and checks the document of a PUT.
func (f *family) readConfig(rq *request) (*element, []byte, error) {
	body, err := rq.readDocument()
	if err != nil {
		return nil, nil, err
	}
	if f.parsed == nil {
		return nil, body, f.text(rq, body)
	}
	doc, err := parseDocument(body, f.parsed.name)
	if err != nil {
		return nil, nil, fail("MalformedXML")
	}
	return doc, nil, f.parsed.check(doc)
}

func (f *family) put(rq *request) error {
	name, err := f.name(rq)
	if err != nil {
		return err
	}
	doc, text, err := f.readConfig(rq)
	if err != nil {
		return err
	}
	return rq.s.store.Update(func(tx *store.Tx) error {
		if err := rq.needScope(tx, f); err != nil {
			if f.blind {
				return failSchema(f.parsed.name)
			}
			return err
		}
		if doc != nil {
			if f.check != nil {
				if err := f.check(rq, tx, doc); err != nil {
					return err
				}
			}
			text = doc.bytes()
		}
		return rq.putConfig(tx, f.table(), name, text)
	})
}

// putConfig stores a document of the request's bucket, or of the account.
func (rq *request) putConfig(tx *store.Tx, family, name string, doc []byte) error {
	return tx.PutConfig(&store.Config{Bucket: rq.bucket, Family: family, Name: name, Modified: rq.now, Doc: doc})
}

func (f *family) get(rq *request) error {
	name, err := f.name(rq)
	if err != nil {
		return err
	}
	var c *store.Config
	err = rq.s.store.View(func(tx *store.Tx) error {
		if err := rq.needScope(tx, f); err != nil {
			return err
		}
		c, err = tx.Config(rq.bucket, f.table(), name)
		return err
	})
	switch {
	case err != nil:
		return err
	case c != nil && f.parsed == nil:
		rq.set("Content-Type", "application/json")
		_, _ = rq.w.Write(c.Doc) // an error here is the client's absence
		return nil
	case c != nil:
		rq.writeDocument(http.StatusOK, &document{b: c.Doc})
		return nil
	case f.absent[0] == '<':
		rq.writeDocument(http.StatusOK, &document{b: []byte(f.absent)})
		return nil
	}
	return f.missing(rq)
}

// missing is the error that there is no such document.
func (f *family) missing(rq *request) error {
	e := fail(f.absent).with("BucketName", rq.bucket)
	if f.by != "" {
		e = e.with(f.by, rq.named(f.by))
	}
	return e
}

func (f *family) delete(rq *request) error {
	name, err := f.name(rq)
	if err != nil {
		return err
	}
	err = rq.s.store.Update(func(tx *store.Tx) error {
		if err := rq.needScope(tx, f); err != nil {
			return err
		}
		return tx.DeleteConfig(rq.bucket, f.table(), name)
	})
	if err != nil {
		return err
	}
	rq.w.WriteHeader(http.StatusNoContent)
	return nil
}

// configDoc reads a document that the server has stored; nil if there is none.
func configDoc(tx *store.Tx, bucket, family, name string) (*element, error) {
	c, err := tx.Config(bucket, family, name)
	if err != nil || c == nil {
		return nil, err
	}
	return parseAnyDocument(c.Doc)
}

// viewConfig calls fn in a transaction if the request's bucket is there.
func (rq *request) viewConfig(fn func(tx *store.Tx) error) error {
	return rq.s.store.View(func(tx *store.Tx) error {
		if err := rq.needScope(tx, nil); err != nil {
			return err
		}
		return fn(tx)
	})
}

// updateConfig is viewConfig for changes.
func (rq *request) updateConfig(fn func(tx *store.Tx) error) error {
	return rq.s.store.Update(func(tx *store.Tx) error {
		if err := rq.needScope(tx, nil); err != nil {
			return err
		}
		return fn(tx)
	})
}

// readElement reads a request's document of a given shape.
func (rq *request) readElement(shape string) (*element, error) {
	f := family{parsed: parseShape(shape)}
	doc, _, err := f.readConfig(rq)
	return doc, err
}

// writeElement answers with a document.
func (rq *request) writeElement(e *element) {
	rq.writeDocument(http.StatusOK, &document{b: e.bytes()})
}

// configPage is one page of a family's documents.
type configPage struct {
	list []*store.Config
	next string // what to go on after; empty: this is the last page
}

// page reads up to limit documents whose names have a prefix and come after a
// given one.
func (rq *request) page(tx *store.Tx, family, prefix, after string, limit int) (p configPage, err error) {
	for c, err := range tx.Configs(rq.bucket, family, max(prefix, after)) {
		switch {
		case err != nil:
			return p, err
		case c.Name == after:
			continue
		case !strings.HasPrefix(c.Name, prefix):
			return p, nil
		case len(p.list) == limit:
			p.next = p.list[limit-1].Name
			return p, nil
		}
		p.list = append(p.list, c)
	}
	return p, nil
}
