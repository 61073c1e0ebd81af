package emulator

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

const (
	defaultResourceGroup = "rg-default"

	maxCORSRules      = 20
	maxOverwriteRules = 100
	maxBucketTags     = 20
	maxRoutingRules   = 20
)

func checkCORS(_ *request, _ *store.Tx, doc *element) error {
	rules := doc.all("CORSRule")
	if len(rules) > maxCORSRules {
		return failArgument("CORSRule", strconv.Itoa(len(rules)), "The number of CORS rules exceeds the limit.")
	}
	for _, rule := range rules {
		for _, h := range rule.all("AllowedHeader") {
			h.text = bytes.ToLower(h.text)
		}
		for name, stars := range map[string]int{"AllowedOrigin": 1, "AllowedHeader": 1, "ExposeHeader": 0} {
			for _, v := range rule.texts(name) {
				if strings.Count(v, "*") > stars {
					return failArgument(name, v, name+" has too many asterisks.")
				}
			}
		}
	}
	if doc.find("ResponseVary") == nil {
		doc.set("ResponseVary", "false")
	}
	return nil
}

// checkAccessMonitor keeps it on while a lifecycle rule goes by access times.
func checkAccessMonitor(rq *request, tx *store.Tx, doc *element) error {
	if doc.get("Status") == "Enabled" {
		return nil
	}
	lifecycle, err := configDoc(tx, rq.bucket, "lifecycle", "")
	if err != nil || lifecycle == nil {
		return err
	}
	for _, r := range lifecycle.all("Rule") {
		for _, t := range append(r.all("Transition"), r.all("NoncurrentVersionTransition")...) {
			if t.get("IsAccessTime") == "true" {
				return fail("AccessMonitorDisableNotAllowed")
			}
		}
	}
	return nil
}

// checkReferer says what the document leaves open.
func checkReferer(_ *request, _ *store.Tx, doc *element) error {
	if doc.find("AllowTruncateQueryString") == nil {
		doc.set("AllowTruncateQueryString", "true")
	}
	return nil
}

// mirrorDefaults are what a mirror rule says that leaves them open: names and
// values, as the vendor's Go and Java tests have them.
var mirrorDefaults = [][2]string{
	{"PassQueryString", "false"},
	{"MirrorPassQueryString", "false"},
	{"MirrorPassOriginalSlashes", "false"},
	{"MirrorFollowRedirect", "true"},
	{"MirrorCheckMd5", "false"},
}

// setDefaults gives e those children that it lacks.
func setDefaults(e *element, defaults [][2]string) {
	for _, d := range defaults {
		if e.find(d[0]) == nil {
			e.set(d[0], d[1])
		}
	}
}

// checkWebsite says what a rule leaves open, besides checking it.
func checkWebsite(_ *request, _ *store.Tx, doc *element) error {
	rules := doc.find("RoutingRules")
	if doc.find("IndexDocument") == nil && doc.find("ErrorDocument") == nil && rules == nil {
		return failSchema("IndexDocument")
	}
	if s := doc.get("IndexDocument/Suffix"); strings.Contains(s, "/") {
		return failArgument("Suffix", s, "The suffix of the index document is not valid.")
	}
	if rules == nil {
		return nil
	}
	if n := len(rules.children); n > maxRoutingRules {
		return failArgument("RoutingRules", strconv.Itoa(n), "The number of routing rules exceeds the limit.")
	}
	seen := make(map[string]bool)
	for _, rule := range rules.all("RoutingRule") {
		number, status := rule.get("RuleNumber"), rule.get("Condition/HttpErrorCodeReturnedEquals")
		if seen[number] {
			return failArgument("RuleNumber", number, "The number of a routing rule is not unique.")
		}
		seen[number] = true
		redirect := rule.find("Redirect")
		if redirect.find("RedirectType") == nil {
			redirect.set("RedirectType", "External")
		}
		if redirect.get("RedirectType") == "Mirror" {
			if status != "404" && rule.find("LuaConfig") == nil { // a script has its own conditions
				return failArgument("HttpErrorCodeReturnedEquals", status, "A mirror rule must have the condition 404.")
			}
			if u := rule.get("Redirect/MirrorURL"); !strings.HasPrefix(u, "http://") && !strings.HasPrefix(u, "https://") {
				return failArgument("MirrorURL", u, "The mirror URL is not valid.")
			}
			if pass := redirect.get("MirrorPassQueryString"); pass != "" {
				redirect.set("PassQueryString", pass) // the one covers the other
			}
			setDefaults(redirect, mirrorDefaults)
			if h := redirect.find("MirrorHeaders"); h != nil {
				setDefaults(h, [][2]string{{"PassAll", "false"}})
			}
		}
	}
	return nil
}

// checkLogging wants the bucket for the logs to be there. Without a prefix the
// answers say that it is empty.
func checkLogging(_ *request, tx *store.Tx, doc *element) error {
	enabled := doc.find("LoggingEnabled")
	if enabled == nil {
		return nil
	}
	if enabled.find("TargetPrefix") == nil {
		enabled.set("TargetPrefix", "")
	}
	target := enabled.get("TargetBucket")
	b, err := tx.Bucket(target)
	if err == nil && b == nil {
		err = fail("InvalidTargetBucketForLogging").with("TargetBucket", target)
	}
	return err
}

func checkEncryption(_ *request, _ *store.Tx, doc *element) error {
	rule := doc.find("ApplyServerSideEncryptionByDefault")
	rule.children = slices.DeleteFunc(rule.children, func(e *element) bool { return len(e.children) == 0 && len(e.text) == 0 })
	algorithm, key, data := rule.get("SSEAlgorithm"), rule.get("KMSMasterKeyID"), rule.get("KMSDataEncryption")
	switch {
	case algorithm != "AES256" && algorithm != "KMS" && algorithm != "SM4":
		return fail("InvalidEncryptionAlgorithmError").with("SSEAlgorithm", algorithm)
	case key != "" && algorithm != "KMS":
		return failArgument("KMSMasterKeyID", key, "KMSMasterKeyID is not applicable if SSEAlgorithm is not KMS.")
	case data != "" && data != "SM4" && data != "AES256":
		return failArgument("KMSDataEncryption", data, "KMSDataEncryption is not valid.")
	case algorithm != "KMS": // the service drops it
		rule.children = slices.DeleteFunc(rule.children, func(e *element) bool { return e.name == "KMSDataEncryption" })
	}
	return nil
}

// encryptionOfBucket is the default encryption that PutBucket's headers ask
// for, or nil.
func (rq *request) encryptionOfBucket() (*element, error) {
	rule := node("ApplyServerSideEncryptionByDefault", leaf("SSEAlgorithm", rq.header(sseHeader)),
		leaf("KMSMasterKeyID", rq.header(sseHeader+"-key-id")), leaf("KMSDataEncryption", rq.header("x-oss-server-side-data-encryption")))
	doc := node("ServerSideEncryptionRule", rule)
	if rq.header(sseHeader) == "" {
		return nil, nil
	}
	return doc, checkEncryption(rq, nil, doc)
}

// bucketSSE is how new objects of a bucket are encrypted if a request does
// not say it: headers, in order, or none.
func bucketSSE(tx *store.Tx, bucket string) ([]store.Header, error) {
	doc, err := configDoc(tx, bucket, "encryption", "")
	if err != nil || doc == nil {
		return nil, err
	}
	var out []store.Header
	for _, h := range []struct{ name, path string }{
		{"x-oss-server-side-data-encryption", "KMSDataEncryption"},
		{sseHeader, "SSEAlgorithm"},
		{sseHeader + "-key-id", "KMSMasterKeyID"},
	} {
		if v := doc.get("ApplyServerSideEncryptionByDefault/" + h.path); v != "" {
			out = append(out, store.Header{Name: h.name, Value: v})
		}
	}
	return out, nil
}

func checkBucketTags(_ *request, _ *store.Tx, doc *element) error {
	seen := make(map[string]bool)
	for _, t := range doc.find("TagSet").all("Tag") {
		key, value := t.get("Key"), t.get("Value")
		reserved := strings.HasPrefix(key, "http://") || strings.HasPrefix(key, "https://") || strings.HasPrefix(key, "Aliyun")
		if len(key) > 64 || len(value) > 128 || reserved || seen[key] {
			return fail("InvalidTag").with("Key", key).with("Value", value)
		}
		seen[key] = true
		t.set("Value", value)
	}
	if len(seen) > maxBucketTags {
		return fail("InvalidTag").with("TagCount", strconv.Itoa(len(seen)))
	}
	return nil
}

func checkResourceGroup(_ *request, _ *store.Tx, doc *element) error {
	id := doc.get("ResourceGroupId")
	if id == "" {
		doc.set("ResourceGroupId", defaultResourceGroup)
		return nil
	}
	rest, ok := strings.CutPrefix(id, "rg-")
	if !ok || rest == "" || strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return fail("ResourceGroupIdPreCheckError").with("ResourceGroupId", id)
	}
	return nil
}

func checkHTTPS(_ *request, _ *store.Tx, doc *element) error {
	tls, cipher := doc.find("TLS"), doc.find("CipherSuite")
	if tls == nil && cipher == nil {
		return failSchema("TLS")
	}
	if tls == nil {
		return nil
	}
	if tls.get("Enable") == "true" && tls.find("TLSVersion") == nil {
		return failSchema("TLSVersion")
	}
	seen := make(map[string]bool) // the service drops what comes twice
	tls.children = slices.DeleteFunc(tls.children, func(e *element) bool {
		v := string(e.text)
		drop := e.name == "TLSVersion" && seen[v]
		seen[v] = true
		return drop
	})
	return nil
}

// checkQoS keeps a bucket's limits below the account's.
func checkQoS(_ *request, _ *store.Tx, doc *element) error {
	return completeQoS(doc, userBandwidth, userQPS)
}

func checkRequesterQoS(_ *request, _ *store.Tx, doc *element) error {
	return completeQoS(doc, math.MaxInt64, math.MaxInt64)
}

// completeQoS adds what is missing: -1 is no limit. No part may be more than
// the total, and no total more than the limit above.
func completeQoS(doc *element, bandwidth, qps int64) error {
	for _, what := range []struct {
		name string
		most int64
	}{{"UploadBandwidth", bandwidth}, {"DownloadBandwidth", bandwidth}, {"Qps", qps}} {
		most := what.most
		for _, part := range []string{"Total", "Intranet", "Extranet"} {
			name := part + what.name
			if doc.find(name) == nil {
				doc.set(name, "-1")
			}
			text := doc.get(name)
			n, _ := strconv.ParseInt(text, 10, 64) // the shape has it
			if n > most {
				return failArgument(name, text, name+" exceeds the limit above it.")
			}
			if part == "Total" && n >= 0 {
				most = n
			}
		}
	}
	return nil
}

func checkOverwrite(_ *request, _ *store.Tx, doc *element) error {
	rules := doc.all("Rule")
	if len(rules) > maxOverwriteRules {
		return failSchema("Rule")
	}
	seen := make(map[string]bool)
	for _, r := range rules {
		id := r.get("ID")
		if id == "" {
			id = strings.ToLower(randomHex(16))
			r.set("ID", id)
		}
		if seen[id] {
			return failSchema("ID")
		}
		seen[id] = true
	}
	return nil
}

// mayNotOverwrite says whether a bucket's configuration forbids the owner to
// replace an object. A rule for certain principals holds for the owner only
// if it names the owner, or everyone.
func mayNotOverwrite(tx *store.Tx, bucket, key string) (bool, error) {
	doc, err := configDoc(tx, bucket, "overwriteConfig", "")
	if err != nil || doc == nil {
		return false, err
	}
	for _, r := range doc.all("Rule") {
		if !strings.HasPrefix(key, r.get("Prefix")) || !strings.HasSuffix(key, r.get("Suffix")) {
			continue
		}
		p := r.find("Principals")
		if p == nil || len(p.children) == 0 {
			return true, nil
		}
		if who := p.texts("Principal"); slices.Contains(who, ownerID) || slices.Contains(who, "*") {
			return true, nil
		}
	}
	return false, nil
}

func checkCallbackPolicy(_ *request, _ *store.Tx, doc *element) error {
	seen := make(map[string]bool)
	for _, item := range doc.all("PolicyItem") {
		name := item.get("PolicyName")
		if seen[name] {
			return failArgument("PolicyName", name, "The name of a policy is not unique.")
		}
		seen[name] = true
		for _, field := range []string{"Callback", "CallbackVar"} {
			v := item.get(field)
			b, err := base64.StdEncoding.DecodeString(v)
			if v != "" && (err != nil || !json.Valid(b)) {
				return failArgument(field, v, field+" is not the Base64 form of a JSON document.")
			}
		}
	}
	return nil
}

// checkStyle lets the document say what the request says besides.
func checkStyle(rq *request, _ *store.Tx, doc *element) error {
	content := doc.get("Content")
	if content == "" || len(content) > 4096 {
		return failArgument("Content", content, "Style content is invalid.")
	}
	if c := rq.param("category"); c != "" {
		doc.set("Category", c)
	}
	return nil
}

const inventoryShape = `InventoryConfiguration{Id:text IsEnabled:bool
	Destination{OSSBucketDestination{Format:text AccountId RoleArn Bucket:text Prefix?}}
	Schedule{Frequency:Daily|Weekly|Monthly} IncludedObjectVersions:All|Current
	Filter?{Prefix? LastModifyBeginTimeStamp:0..? LastModifyEndTimeStamp:0..? LowerSizeBound:0..? UpperSizeBound:0..? StorageClass?}
	OptionalFields?{Field:text*}}`

const maxInventories = 1000

func checkInventory(rq *request, tx *store.Tx, doc *element) error {
	id, dest := doc.get("Id"), doc.get("Destination/OSSBucketDestination/Bucket")
	if id != rq.param("inventoryId") {
		return failArgument("Id", id, "The inventory id does not match the parameter inventoryId.")
	}
	if name, ok := strings.CutPrefix(dest, "acs:oss:::"); !ok || !validBucket(name) {
		return failArgument("Bucket", dest, "The destination bucket is not valid.")
	}
	if f := doc.find("Filter"); f != nil && f.get("StorageClass") != "" {
		classes := strings.Split(f.get("StorageClass"), ",")
		slices.Sort(classes)
		f.set("StorageClass", strings.Join(classes, ","))
	}
	n := 0
	for c, err := range tx.Configs(rq.bucket, "inventory", "") {
		if err != nil {
			return err
		}
		if c.Name != id {
			n++
		}
	}
	if n >= maxInventories {
		return fail("InvalidArgument").with("ArgumentName", "inventoryId")
	}
	return nil
}
