package emulator

import (
	"cmp"
	"net"
	"net/http"
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

const (
	// ownerID is the one account, as documents show it.
	ownerID = "1000000000000001"

	maxBuckets = 100
)

func (rq *request) listBuckets() error {
	limit, err := rq.intParam("max-keys", 100, 1, 1000)
	if err != nil {
		return err
	}
	prefix, marker := rq.param("prefix"), rq.param("marker")
	if strings.ContainsFunc(prefix, func(r rune) bool { return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') }) {
		return failArgument("prefix", prefix, "The prefix is no part of a bucket's name.")
	}
	filter := rq.bucketFilter()
	var list []*store.Bucket
	about := make(map[string]listed)
	truncated := false
	err = rq.s.store.View(func(tx *store.Tx) error {
		for b, err := range tx.Buckets(max(prefix, marker)) {
			switch {
			case err != nil:
				return err
			case b.Name == marker:
				continue
			case !strings.HasPrefix(b.Name, prefix):
				return nil
			}
			l, ok, err := filter.match(tx, b.Name)
			switch {
			case err != nil:
				return err
			case !ok:
				continue
			case len(list) == limit:
				truncated = true
				return nil
			}
			list = append(list, b)
			about[b.Name] = l
		}
		return nil
	})
	if err != nil {
		return err
	}
	var d document
	d.open("ListAllMyBucketsResult")
	if truncated {
		d.text("Prefix", prefix)
		d.text("Marker", marker)
		d.int("MaxKeys", int64(limit))
		d.bool("IsTruncated", true)
		d.text("NextMarker", list[len(list)-1].Name)
	}
	d.owner()
	d.open("Buckets")
	for _, b := range list {
		d.open("Bucket")
		rq.bucketElements(&d, b, about[b.Name].group)
		d.text("Region", rq.s.opts.Region)
		if tags := about[b.Name].tags; tags != nil {
			d.open("TagSet")
			for _, t := range tags {
				d.element(t)
			}
			d.close("TagSet")
		}
		d.close("Bucket")
	}
	d.close("Buckets")
	d.close("ListAllMyBucketsResult")
	rq.writeDocument(http.StatusOK, &d)
	return nil
}

// bucketElements writes what ListBuckets and GetBucketInfo have in common.
func (rq *request) bucketElements(d *document, b *store.Bucket, group string) {
	d.text("Name", b.Name)
	d.time("CreationDate", b.Created)
	d.text("Location", rq.s.location())
	extranet, intranet := rq.endpoints()
	d.text("ExtranetEndpoint", extranet)
	d.text("IntranetEndpoint", intranet)
	d.text("StorageClass", b.Class)
	d.text("ResourceGroupId", group)
}

// endpoints returns where the answer says that a bucket is reached. A client
// goes on with what it reads here, so whoever came to this server by its own
// address gets that one, and not the name of the real service; with the
// scheme, since clients differ in what they take one without for.
func (rq *request) endpoints() (extranet, intranet string) {
	host := rq.host()
	if host == "" {
		return rq.s.location() + serviceDomain, rq.s.location() + "-internal" + serviceDomain
	}
	scheme := "http://"
	if rq.r.TLS != nil {
		scheme = "https://"
	}
	return scheme + host, scheme + host
}

const serviceDomain = ".aliyuncs.com"

// host is this server's own, as the client named it; "" if it is under a name
// of the real service.
func (rq *request) host() string {
	host := rq.r.Host
	if rq.bucket != "" {
		host = strings.TrimPrefix(host, rq.bucket+".")
	}
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if strings.HasSuffix(strings.ToLower(name), serviceDomain) {
		return ""
	}
	return host
}

func (rq *request) putBucket() error {
	b := rq.s.newBucket(rq.bucket)
	acl := rq.header("x-oss-acl")
	if acl != "" && !validBucketACL(acl) {
		return failArgument("x-oss-acl", acl, "The bucket ACL is not valid.")
	}
	body, err := rq.readDocument()
	if err != nil {
		return err
	}
	class, redundancy, err := rq.parseBucketConfiguration(body)
	if err != nil {
		return err
	}
	sse, err := rq.encryptionOfBucket()
	if err != nil {
		return err
	}
	b.ACL, b.Class, b.Redundancy = cmp.Or(acl, b.ACL), cmp.Or(class, b.Class), cmp.Or(redundancy, b.Redundancy)
	err = rq.s.store.Update(func(tx *store.Tx) error {
		old, err := tx.Bucket(b.Name)
		if err != nil {
			return err
		}
		if old != nil {
			if class != "" && class != old.Class {
				return fail("BucketAlreadyExists").with("BucketName", b.Name)
			}
			old.ACL = cmp.Or(acl, old.ACL)
			return tx.PutBucket(old)
		}
		if err := mayAddBucket(tx); err != nil {
			return err
		}
		if sse != nil {
			if err := rq.putConfig(tx, "encryption", "", sse.bytes()); err != nil {
				return err
			}
		}
		return tx.PutBucket(b)
	})
	if err == nil {
		rq.set("Location", "/"+b.Name)
	}
	return err
}

// mayAddBucket refuses one more bucket than an account may have.
func mayAddBucket(tx *store.Tx) error {
	n := 0
	for range tx.Buckets("") {
		n++
	}
	if n >= maxBuckets {
		return fail("TooManyBuckets")
	}
	return nil
}

// parseBucketConfiguration reads the body of PutBucket, which may be empty.
func (rq *request) parseBucketConfiguration(body []byte) (class, redundancy string, err error) {
	if len(body) == 0 {
		return "", "", nil
	}
	root, err := parseDocument(body, "CreateBucketConfiguration")
	if err != nil {
		return "", "", fail("MalformedXML")
	}
	if place, ok := root.child("LocationConstraint"); ok && place != rq.s.location() && place != rq.s.opts.Region {
		return "", "", fail("InvalidLocationConstraint").with("LocationConstraint", place)
	}
	class, _ = root.child("StorageClass")
	if class != "" && !validClass(class) {
		return "", "", failArgument("StorageClass", class, "The storage class is not valid.")
	}
	redundancy, _ = root.child("DataRedundancyType")
	if redundancy != "" && redundancy != "LRS" && redundancy != "ZRS" {
		return "", "", failArgument("DataRedundancyType", redundancy, "The data redundancy type is not valid.")
	}
	return class, redundancy, nil
}

func hasVersions(tx *store.Tx, bucket string) bool {
	for range tx.Versions(bucket, "") {
		return true
	}
	return false
}

func (rq *request) deleteBucket() error {
	err := rq.s.store.Update(func(tx *store.Tx) error {
		if err := needBucket(tx, rq.bucket); err != nil {
			return err
		}
		live, err := liveChannels(tx, rq.bucket)
		if err != nil {
			return err
		}
		if live > 0 || !tx.BucketEmpty(rq.bucket) {
			e := fail("BucketNotEmpty").with("BucketName", rq.bucket)
			if live == 0 && !hasVersions(tx, rq.bucket) {
				e.msg = "The bucket has Multipart Uploads. Please delete them first."
			}
			return e
		}
		return tx.DeleteBucket(rq.bucket)
	})
	if err != nil {
		return err
	}
	rq.w.WriteHeader(http.StatusNoContent)
	return nil
}

// findBucket reads a bucket; that there is none is NoSuchBucket.
func findBucket(tx *store.Tx, name string) (*store.Bucket, error) {
	b, err := tx.Bucket(name)
	if err == nil && b == nil {
		err = fail("NoSuchBucket").with("BucketName", name)
	}
	return b, err
}

func needBucket(tx *store.Tx, name string) error {
	_, err := findBucket(tx, name)
	return err
}

// thisBucket reads the request's bucket.
func (rq *request) thisBucket() (b *store.Bucket, err error) {
	err = rq.s.store.View(func(tx *store.Tx) error {
		b, err = findBucket(tx, rq.bucket)
		return err
	})
	return b, err
}

func (rq *request) headBucket() error {
	if _, err := rq.thisBucket(); err != nil {
		return err
	}
	rq.set("x-oss-bucket-region", rq.s.location())
	rq.set("Content-Type", "application/xml")
	return nil
}

func (rq *request) bucketInfo() error {
	var b *store.Bucket
	var set *bucketSettings
	err := rq.s.store.View(func(tx *store.Tx) (err error) {
		if b, err = findBucket(tx, rq.bucket); err == nil {
			set, err = rq.settings(tx)
		}
		return err
	})
	if err != nil {
		return err
	}
	var d document
	d.open("BucketInfo")
	d.open("Bucket")
	rq.bucketElements(&d, b, set.group)
	d.text("DataRedundancyType", b.Redundancy)
	if b.Versioning != "" {
		d.text("Versioning", b.Versioning)
	}
	d.text("AccessMonitor", set.accessMonitor)
	d.text("TransferAcceleration", set.acceleration)
	d.text("CrossRegionReplication", set.replication)
	d.bool("BlockPublicAccess", set.blocked)
	d.text("Comment", "")
	d.owner()
	d.grant(b.ACL)
	d.element(set.encryption)
	d.element(set.logging)
	d.close("Bucket")
	d.close("BucketInfo")
	rq.writeDocument(http.StatusOK, &d)
	return nil
}

func (rq *request) bucketLocation() error {
	if _, err := rq.thisBucket(); err != nil {
		return err
	}
	var d document
	d.text("LocationConstraint", rq.s.location())
	rq.writeDocument(http.StatusOK, &d)
	return nil
}

func (rq *request) bucketStat() error {
	var st *store.Stat
	live := int64(0)
	err := rq.s.store.View(func(tx *store.Tx) (err error) {
		if err := needBucket(tx, rq.bucket); err != nil {
			return err
		}
		if st, err = tx.Stat(rq.bucket); err != nil {
			return err
		}
		live, err = liveChannels(tx, rq.bucket)
		return err
	})
	if err != nil {
		return err
	}
	var total store.ClassStat
	for _, c := range st.Classes {
		total.Bytes += c.Bytes
		total.Objects += c.Objects
	}
	var d document
	d.open("BucketStat")
	d.int("Storage", total.Bytes)
	d.int("ObjectCount", total.Objects)
	d.int("MultipartUploadCount", st.Uploads)
	d.int("LiveChannelCount", live)
	modified := rq.now.Unix()
	if total.Objects == 0 && st.Uploads == 0 {
		modified = 0 // as the service says of a bucket it has not counted yet
	}
	d.int("LastModifiedTime", modified)
	for _, name := range storageClasses {
		c, element := st.Classes[name], name
		if name == "IA" {
			element = "InfrequentAccess"
		}
		d.int(element+"Storage", c.Bytes)
		if name != classStandard {
			d.int(element+"RealStorage", c.Bytes)
		}
		d.int(element+"ObjectCount", c.Objects)
	}
	d.int("MultipartPartCount", st.Parts)
	d.int("DeleteMarkerCount", st.Markers)
	d.close("BucketStat")
	rq.writeDocument(http.StatusOK, &d)
	return nil
}
