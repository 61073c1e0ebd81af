package emulator

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// The parameters, or headers, that name access points.
const (
	accessPointName   = "x-oss-access-point-name"
	objectProcessName = "x-oss-access-point-for-object-process-name"
)

const accessPointShape = `CreateAccessPointConfiguration{AccessPointName:text NetworkOrigin:internet|vpc VpcConfiguration?{VpcId:text}}`

const objectProcessConfig = `ObjectProcessConfiguration{AllowedFeatures?{AllowedFeature*}
	TransformationConfigurations{TransformationConfiguration+{Actions{Action:text+}
		ContentTransformation{FunctionCompute?{FunctionArn:text FunctionAssumeRoleArn:text}}}}}`

const objectProcessShape = `CreateAccessPointForObjectProcessConfiguration{AllowAnonymousAccessForObjectProcess?
	AccessPointName:text ` + objectProcessConfig + "}"

// validAccessPoint is the service's rule for names of access points.
func validAccessPoint(name string) bool {
	return len(name) >= 3 && len(name) <= 50 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" &&
		name[0] != '-' && name[len(name)-1] != '-' && !strings.HasSuffix(name, "-ossalias")
}

// accessPoint reads an access point of the request's bucket.
func (rq *request) accessPoint(tx *store.Tx, name string) (*element, error) {
	doc, err := configDoc(tx, rq.bucket, "accessPoint", name)
	if err == nil && doc == nil {
		err = fail("NoSuchAccessPoint").with("AccessPointName", name)
	}
	return doc, err
}

func needAccessPoint(rq *request, tx *store.Tx) error {
	_, err := rq.accessPoint(tx, rq.named(accessPointName))
	return err
}

// objectProcess reads the access point for object processing that the request
// names.
func (rq *request) objectProcess(tx *store.Tx) (*element, error) {
	name := rq.named(objectProcessName)
	doc, err := configDoc(tx, rq.bucket, "objectProcess", name)
	if err == nil && doc == nil {
		err = fail("NoSuchAccessPointForObjectProcess").with("AccessPointForObjectProcessName", name)
	}
	return doc, err
}

func needObjectProcess(rq *request, tx *store.Tx) error {
	_, err := rq.objectProcess(tx)
	return err
}

// needNewName refuses an access point's name that the account has already.
func needNewName(tx *store.Tx, family, name, code string) error {
	for b, err := range tx.Buckets("") {
		if err != nil {
			return err
		}
		c, err := tx.Config(b.Name, family, name)
		if err != nil {
			return err
		}
		if c != nil {
			return fail(code).with("AccessPointName", name)
		}
	}
	return nil
}

// arn names a resource of the account in the region.
func (rq *request) arn(resource string) string {
	return "acs:oss:" + rq.s.opts.Region + ":" + ownerID + ":" + resource
}

func (rq *request) createAccessPoint() error {
	body, err := rq.readElement(accessPointShape)
	if err != nil {
		return err
	}
	name, origin := body.get("AccessPointName"), body.get("NetworkOrigin")
	if !validAccessPoint(name) {
		return failArgument("AccessPointName", name, "The name of the access point is not valid.")
	}
	if (origin == "vpc") != (body.find("VpcConfiguration") != nil) {
		return failSchema("VpcConfiguration")
	}
	alias := name + "-" + strings.ToLower(randomHex(12)) + "-ossalias"
	doc := node("GetAccessPointResult", leaf("AccessPointName", name), leaf("Bucket", rq.bucket), leaf("AccountId", ownerID),
		leaf("NetworkOrigin", origin), leaf("AccessPointArn", rq.arn("accesspoint/"+name)), leaf("CreationDate", timeText(rq.now)),
		leaf("Alias", alias), leaf("Status", "enable"),
		node("Endpoints", leaf("PublicEndpoint", alias+"."+rq.s.location()+".aliyuncs.com"),
			leaf("InternalEndpoint", alias+"."+rq.s.location()+"-internal.aliyuncs.com")))
	if v := body.find("VpcConfiguration"); v != nil {
		doc.children = append(doc.children, v)
	}
	err = rq.updateConfig(func(tx *store.Tx) error {
		if err := needNewName(tx, "accessPoint", name, "AccessPointAlreadyExists"); err != nil {
			return err
		}
		return rq.putConfig(tx, "accessPoint", name, doc.bytes())
	})
	if err == nil {
		rq.writeElement(node("CreateAccessPointResult", leaf("AccessPointArn", doc.get("AccessPointArn")), leaf("Alias", alias)))
	}
	return err
}

// withAccessBlock adds the public access block of an access point.
func (rq *request) withAccessBlock(tx *store.Tx, doc *element, name string) error {
	block, err := configDoc(tx, rq.bucket, "publicAccessBlock", name)
	if err != nil {
		return err
	}
	if block == nil {
		block = node("PublicAccessBlockConfiguration", leaf("BlockPublicAccess", "false"))
	}
	doc.children = append(doc.children, block)
	return nil
}

func (rq *request) getAccessPoint() error {
	name := rq.named(accessPointName)
	var doc *element
	err := rq.viewConfig(func(tx *store.Tx) (err error) {
		if doc, err = rq.accessPoint(tx, name); err != nil {
			return err
		}
		return rq.withAccessBlock(tx, doc, name)
	})
	if err == nil {
		rq.writeElement(doc)
	}
	return err
}

func (rq *request) deleteAccessPoint() error {
	name := rq.named(accessPointName)
	return rq.removeAll(func(tx *store.Tx) error { return needAccessPoint(rq, tx) }, name,
		"accessPoint", "accessPointPolicy", "publicAccessBlock")
}

// removeAll removes the documents of one name of several families.
func (rq *request) removeAll(needs func(*store.Tx) error, name string, families ...string) error {
	err := rq.updateConfig(func(tx *store.Tx) error {
		if err := needs(tx); err != nil {
			return err
		}
		for _, f := range families {
			if err := tx.DeleteConfig(rq.bucket, f, name); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		rq.w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// pick makes an element of some of another's children.
func pick(name string, from *element, children ...string) *element {
	out := node(name)
	for _, c := range children {
		if e := from.find(c); e != nil {
			out.children = append(out.children, e)
		}
	}
	return out
}

// listAccessPoints lists those of the request's bucket, or of the account.
func (rq *request) listAccessPoints() error {
	show := func(c *store.Config) (*element, error) {
		doc, err := parseAnyDocument(c.Doc)
		if err != nil {
			return nil, err
		}
		return pick("AccessPoint", doc, "Bucket", "AccessPointName", "Alias", "NetworkOrigin", "VpcConfiguration", "Status"), nil
	}
	points, next, err := rq.listConfigs("accessPoint", show)
	if err != nil {
		return err
	}
	limit, err := rq.intParam("max-keys", 100, 1, 1000)
	if err != nil {
		return err
	}
	rq.writePaged(node("ListAccessPointsResult", leaf("AccountId", ownerID), leaf("MaxKeys", strconv.Itoa(limit)),
		node("AccessPoints", points...)), rq.param("continuation-token"), next)
	return nil
}

// listConfigs reads the page of a family's documents that the request asks
// for: of its bucket, or of all buckets.
func (rq *request) listConfigs(family string, show func(*store.Config) (*element, error)) (list []*element, next string, err error) {
	token := rq.param("continuation-token")
	if rq.bucket == "" {
		return rq.listAcrossBuckets(family, token, show)
	}
	limit, err := rq.intParam("max-keys", 100, 1, 1000)
	if err != nil {
		return nil, "", err
	}
	err = rq.viewConfig(func(tx *store.Tx) error {
		p, err := rq.page(tx, family, "", token, limit)
		if err != nil {
			return err
		}
		next = p.next
		for _, c := range p.list {
			e, err := show(c)
			if err != nil {
				return err
			}
			list = append(list, e)
		}
		return nil
	})
	return list, next, err
}

func (rq *request) createObjectProcess() error {
	body, err := rq.readElement(objectProcessShape)
	if err != nil {
		return err
	}
	name := rq.named(objectProcessName)
	if !validAccessPoint(name) {
		return failArgument(objectProcessName, name, "The name of the access point is not valid.")
	}
	alias := name + "-" + strings.ToLower(randomHex(12)) + "-opapalias"
	doc := node("GetAccessPointForObjectProcessResult", leaf("AccessPointNameForObjectProcess", name),
		leaf("AccessPointForObjectProcessAlias", alias), leaf("AccessPointName", body.get("AccessPointName")), leaf("AccountId", ownerID),
		leaf("AccessPointForObjectProcessArn", rq.arn("accesspointforobjectprocess/"+name)), leaf("CreationDate", timeText(rq.now)),
		leaf("Status", "enable"),
		node("Endpoints", leaf("PublicEndpoint", alias+".oss-"+rq.s.opts.Region+".oss-object-process.aliyuncs.com"),
			leaf("InternalEndpoint", alias+".oss-"+rq.s.opts.Region+"-internal.oss-object-process.aliyuncs.com")),
		leaf("AllowAnonymousAccessForObjectProcess", orFalse(body.get("AllowAnonymousAccessForObjectProcess"))))
	config := node("Config", body.find("ObjectProcessConfiguration"))
	err = rq.updateConfig(func(tx *store.Tx) error {
		if _, err := rq.accessPoint(tx, body.get("AccessPointName")); err != nil {
			return err
		}
		if err := needNewName(tx, "objectProcess", name, "AccessPointForObjectProcessAlreadyExists"); err != nil {
			return err
		}
		if err := rq.putConfig(tx, "objectProcess", name, doc.bytes()); err != nil {
			return err
		}
		return rq.putConfig(tx, "objectProcessConfig", name, config.bytes())
	})
	if err == nil {
		rq.writeElement(pick("CreateAccessPointForObjectProcessResult", doc, "AccessPointForObjectProcessArn", "AccessPointForObjectProcessAlias"))
	}
	return err
}

func orFalse(s string) string {
	if s == "" {
		return "false"
	}
	return s
}

// accessBlockOf is the part of a configuration that says so, or "false".
func accessBlockOf(config *element) *element {
	if b := config.find("PublicAccessBlockConfiguration"); b != nil {
		return b
	}
	return node("PublicAccessBlockConfiguration", leaf("BlockPublicAccess", "false"))
}

// objectProcessParts reads an access point for object processing, and its
// configuration.
func (rq *request) objectProcessParts() (doc, config *element, err error) {
	err = rq.viewConfig(func(tx *store.Tx) (err error) {
		if doc, err = rq.objectProcess(tx); err != nil {
			return err
		}
		config, err = configDoc(tx, rq.bucket, "objectProcessConfig", rq.named(objectProcessName))
		return err
	})
	return doc, config, err
}

func (rq *request) getObjectProcess() error {
	doc, config, err := rq.objectProcessParts()
	if err == nil {
		doc.children = append(doc.children, accessBlockOf(config))
		rq.writeElement(doc)
	}
	return err
}

func (rq *request) getObjectProcessConfig() error {
	doc, config, err := rq.objectProcessParts()
	if err == nil {
		out := pick("GetAccessPointConfigForObjectProcessResult", config, "ObjectProcessConfiguration")
		out.children = append(out.children, doc.find("AllowAnonymousAccessForObjectProcess"), accessBlockOf(config))
		rq.writeElement(out)
	}
	return err
}

func (rq *request) putObjectProcessConfig() error {
	body, err := rq.readElement(`PutAccessPointConfigForObjectProcessConfiguration{AllowAnonymousAccessForObjectProcess?
		PublicAccessBlockConfiguration?{BlockPublicAccess:bool} ` + objectProcessConfig + "}")
	if err != nil {
		return err
	}
	return rq.updateConfig(func(tx *store.Tx) error {
		doc, err := rq.objectProcess(tx)
		if err != nil {
			return err
		}
		name := rq.named(objectProcessName)
		doc.set("AllowAnonymousAccessForObjectProcess", orFalse(body.get("AllowAnonymousAccessForObjectProcess")))
		if err := rq.putConfig(tx, "objectProcess", name, doc.bytes()); err != nil {
			return err
		}
		config := pick("Config", body, "ObjectProcessConfiguration", "PublicAccessBlockConfiguration")
		return rq.putConfig(tx, "objectProcessConfig", name, config.bytes())
	})
}

func (rq *request) deleteObjectProcess() error {
	return rq.removeAll(func(tx *store.Tx) error { return needObjectProcess(rq, tx) }, rq.named(objectProcessName),
		"objectProcess", "objectProcessConfig", "accessPointPolicyForObjectProcess")
}

func (rq *request) listObjectProcess() error {
	points, next, err := rq.listConfigs("objectProcess", func(c *store.Config) (*element, error) {
		doc, err := parseAnyDocument(c.Doc)
		if err != nil {
			return nil, err
		}
		return pick("AccessPointForObjectProcess", doc, "AccessPointNameForObjectProcess", "AccessPointForObjectProcessAlias",
			"AccessPointName", "Status", "AllowAnonymousAccessForObjectProcess"), nil
	})
	if err != nil {
		return err
	}
	rq.writePaged(node("ListAccessPointsForObjectProcessResult", leaf("AccountId", ownerID),
		node("AccessPointsForObjectProcess", points...)), rq.param("continuation-token"), next)
	return nil
}
