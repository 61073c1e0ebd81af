package emulator

import (
	"net/http"
	"strings"
	"time"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

const cnameShape = `BucketCnameConfiguration{Cname{Domain:text CertificateConfiguration?{CertId? Certificate? PrivateKey?
	PreviousCertId? Force:bool? DeleteCertificate:bool?} IsWildCard:bool?}}`

// cnameTokenLife is how long a token proves the ownership of a domain.
const cnameTokenLife = 72 * time.Hour

// readCname reads the document of all cname requests.
func (rq *request) readCname() (doc *element, domain string, err error) {
	doc, err = rq.readElement(cnameShape)
	if err != nil {
		return nil, "", err
	}
	domain = strings.ToLower(doc.get("Cname/Domain"))
	if !validDomain(domain) {
		return nil, "", failArgument("Domain", domain, "The domain is not valid.")
	}
	return doc.find("Cname"), domain, nil
}

func validDomain(d string) bool {
	if len(d) > 253 || !strings.Contains(d, ".") {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimPrefix(d, "*."), ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// ownDomain reports whether a domain needs no proof of ownership: those that
// are reserved for tests and for the own machine. All others would have to be
// looked up in the DNS, which the emulator does not ask.
func ownDomain(d string) bool {
	for _, tld := range []string{".test", ".localhost", ".example", ".internal"} {
		if strings.HasSuffix(d, tld) {
			return true
		}
	}
	return false
}

func (rq *request) createCnameToken() error {
	_, domain, err := rq.readCname()
	if err != nil {
		return err
	}
	doc := node("CnameToken", leaf("Bucket", rq.bucket), leaf("Cname", domain),
		leaf("Token", strings.ToLower(randomHex(16))), leaf("ExpireTime", rq.now.UTC().Add(cnameTokenLife).Format(http.TimeFormat)))
	err = rq.updateConfig(func(tx *store.Tx) error {
		old, err := rq.cnameToken(tx, domain)
		if err != nil {
			return err
		}
		if old != nil {
			doc = old
			return nil
		}
		return rq.putConfig(tx, "cnameToken", domain, doc.bytes())
	})
	if err == nil {
		rq.writeElement(doc)
	}
	return err
}

// cnameToken reads a token that has not expired.
func (rq *request) cnameToken(tx *store.Tx, domain string) (*element, error) {
	c, err := tx.Config(rq.bucket, "cnameToken", domain)
	if err != nil || c == nil || rq.now.After(c.Modified.Add(cnameTokenLife)) {
		return nil, err
	}
	return parseAnyDocument(c.Doc)
}

func (rq *request) getCnameToken() error {
	domain := strings.ToLower(rq.param("cname"))
	var doc *element
	err := rq.viewConfig(func(tx *store.Tx) (err error) {
		doc, err = rq.cnameToken(tx, domain)
		return err
	})
	if err != nil {
		return err
	}
	if doc == nil {
		return fail("CnameTokenNotFound").with("Cname", domain)
	}
	rq.writeElement(doc)
	return nil
}

func (rq *request) putCname() error {
	doc, domain, err := rq.readCname()
	if err != nil {
		return err
	}
	return rq.updateConfig(func(tx *store.Tx) error {
		if !ownDomain(domain) {
			return fail("NeedVerifyDomainOwnership").with("Domain", domain)
		}
		for b, err := range tx.Buckets("") {
			if err != nil {
				return err
			}
			c, err := tx.Config(b.Name, "cname", domain)
			if err != nil {
				return err
			}
			if c != nil && b.Name != rq.bucket {
				return fail("CnameAlreadyExists").with("Domain", domain)
			}
		}
		info := node("Cname", leaf("Domain", domain), leaf("LastModified", timeText(rq.now)), leaf("Status", "Enabled"))
		if cert := doc.find("CertificateConfiguration"); cert != nil && cert.get("DeleteCertificate") != "true" {
			info.children = append(info.children, node("Certificate", leaf("Type", "CAS"), leaf("CertId", cert.get("CertId")),
				leaf("Status", "Enabled"), leaf("CreationDate", timeText(rq.now))))
		}
		return rq.putConfig(tx, "cname", domain, info.bytes())
	})
}

func (rq *request) deleteCname() error {
	_, domain, err := rq.readCname()
	if err != nil {
		return err
	}
	return rq.updateConfig(func(tx *store.Tx) error { return tx.DeleteConfig(rq.bucket, "cname", domain) })
}

func (rq *request) listCname() error {
	out := node("ListCnameResult", leaf("Bucket", rq.bucket), leaf("Owner", ownerID))
	err := rq.viewConfig(func(tx *store.Tx) error {
		for c, err := range tx.Configs(rq.bucket, "cname", "") {
			if err != nil {
				return err
			}
			e, err := parseAnyDocument(c.Doc)
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
