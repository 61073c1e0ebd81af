package emulator

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// inventoriesPerPage is how many inventory configurations an answer has.
const inventoriesPerPage = 100

func (rq *request) listInventories() error {
	var p configPage
	err := rq.viewConfig(func(tx *store.Tx) (err error) {
		p, err = rq.page(tx, "inventory", "", rq.param("continuation-token"), inventoriesPerPage)
		return err
	})
	if err != nil {
		return err
	}
	if len(p.list) == 0 {
		return fail("NoSuchInventory").with("BucketName", rq.bucket)
	}
	var d document
	d.open("ListInventoryConfigurationsResult")
	for _, c := range p.list {
		d.b = append(d.b, c.Doc...)
	}
	d.bool("IsTruncated", p.next != "")
	if token := rq.param("continuation-token"); token != "" {
		d.text("ContinuationToken", token)
	}
	if p.next != "" {
		d.text("NextContinuationToken", p.next)
	}
	d.close("ListInventoryConfigurationsResult")
	rq.writeDocument(http.StatusOK, &d)
	return nil
}

// styleElement is a stored style as answers have it.
func styleElement(c *store.Config) (*element, error) {
	doc, err := parseAnyDocument(c.Doc)
	if err != nil {
		return nil, err
	}
	category := doc.get("Category")
	if category == "" {
		category = "image"
	}
	return node("Style", leaf("Name", c.Name), leaf("Content", doc.get("Content")), leaf("Category", category),
		leaf("CreateTime", c.Created.UTC().Format(http.TimeFormat)), leaf("LastModifyTime", c.Modified.UTC().Format(http.TimeFormat))), nil
}

func (rq *request) getStyle() error {
	var out *element
	err := rq.viewConfig(func(tx *store.Tx) error {
		c, err := tx.Config(rq.bucket, "style", rq.param("styleName"))
		if err != nil {
			return err
		}
		if c == nil {
			return fail("NoSuchStyle").with("StyleName", rq.param("styleName"))
		}
		out, err = styleElement(c)
		return err
	})
	if err == nil {
		rq.writeElement(out)
	}
	return err
}

// listStyles lists the oldest first.
func (rq *request) listStyles() error {
	out := node("StyleList")
	err := rq.viewConfig(func(tx *store.Tx) error {
		var list []*store.Config
		for c, err := range tx.Configs(rq.bucket, "style", "") {
			if err != nil {
				return err
			}
			list = append(list, c)
		}
		slices.SortStableFunc(list, func(a, b *store.Config) int { return a.Created.Compare(b.Created) })
		for _, c := range list {
			e, err := styleElement(c)
			if err != nil {
				return err
			}
			out.children = append(out.children, e)
		}
		return nil
	})
	if err == nil {
		rq.writeElement(out)
	}
	return err
}

// deleteBucketTags removes all tags, or those that the parameter names.
func (rq *request) deleteBucketTags() error {
	names := slices.DeleteFunc(strings.Split(rq.param("tagging"), ","), func(s string) bool { return s == "" })
	err := rq.updateConfig(func(tx *store.Tx) error {
		doc, err := configDoc(tx, rq.bucket, "tagging", "")
		if err != nil || doc == nil {
			return err
		}
		set := doc.find("TagSet")
		set.children = slices.DeleteFunc(set.children, func(t *element) bool {
			return len(names) == 0 || slices.Contains(names, t.get("Key"))
		})
		if len(set.children) == 0 {
			return tx.DeleteConfig(rq.bucket, "tagging", "")
		}
		return rq.putConfig(tx, "tagging", "", doc.bytes())
	})
	if err == nil {
		rq.w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// qosElement is the limits of one requester.
func qosElement(c *store.Config) (*element, error) {
	doc, err := parseAnyDocument(c.Doc)
	_, uid, under := strings.Cut(c.Name, "/")
	if !under {
		uid = c.Name
	}
	return node("RequesterQoSInfo", leaf("Requester", uid), doc), err
}

// getRequesterQoS answers for a bucket or, with a name before the requester's,
// for a resource pool.
func (rq *request) getRequesterQoS(under string) error {
	var out *element
	err := rq.viewConfig(func(tx *store.Tx) error {
		c, err := tx.Config(rq.bucket, "requesterQosInfo", under+rq.param("qosRequester"))
		if err != nil {
			return err
		}
		if c == nil {
			return fail("NoSuchRequesterQosInfo").with("Requester", rq.param("qosRequester"))
		}
		out, err = qosElement(c)
		return err
	})
	if err == nil {
		rq.writeElement(out)
	}
	return err
}

func (rq *request) listRequesterQoS(under string, out *element) error {
	limit, err := rq.intParam("max-keys", 100, 1, 1000)
	if err != nil {
		return err
	}
	token := rq.param("continuation-token")
	next := ""
	err = rq.viewConfig(func(tx *store.Tx) error {
		p, err := rq.page(tx, "requesterQosInfo", under, under+token, limit)
		if err != nil {
			return err
		}
		next = strings.TrimPrefix(p.next, under)
		for _, c := range p.list {
			e, err := qosElement(c)
			if err != nil {
				return err
			}
			out.children = append(out.children, e)
		}
		return nil
	})
	if err != nil {
		return err
	}
	rq.writePaged(out, token, next)
	return nil
}

// writePaged answers with a page of a list that goes by continuation tokens.
func (rq *request) writePaged(out *element, token, next string) {
	out.children = append(out.children, leaf("ContinuationToken", token), leaf("NextContinuationToken", next),
		leaf("IsTruncated", strconv.FormatBool(next != "")))
	rq.writeElement(out)
}

func (rq *request) getBucketRequesterQoS() error { return rq.getRequesterQoS("") }

func (rq *request) listBucketRequesterQoS() error {
	return rq.listRequesterQoS("", node("ListBucketRequesterQoSInfosResult", leaf("Bucket", rq.bucket)))
}
