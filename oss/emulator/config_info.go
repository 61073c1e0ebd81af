package emulator

import (
	"cmp"
	"slices"
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// bucketSettings is what GetBucketInfo says of a bucket's configuration.
type bucketSettings struct {
	group, accessMonitor, acceleration, replication string

	blocked    bool
	encryption *element
	logging    *element // where logs go, under the name BucketPolicy
}

func enabled(yes bool) string {
	if yes {
		return "Enabled"
	}
	return "Disabled"
}

// settings reads them for the request's bucket.
func (rq *request) settings(tx *store.Tx) (*bucketSettings, error) {
	docs := make(map[string]*element)
	for _, f := range []string{"accessmonitor", "transferAcceleration", "encryption", "logging"} {
		doc, err := configDoc(tx, rq.bucket, f, "")
		if err != nil {
			return nil, err
		}
		if doc == nil {
			doc = node(f)
		}
		docs[f] = doc
	}
	rules, err := rq.replicationRules(tx)
	if err != nil {
		return nil, err
	}
	group, err := resourceGroup(tx, rq.bucket)
	if err != nil {
		return nil, err
	}
	s := &bucketSettings{
		group:         group,
		accessMonitor: cmp.Or(docs["accessmonitor"].get("Status"), enabled(false)),
		acceleration:  enabled(docs["transferAcceleration"].get("Enabled") == "true"),
		replication:   enabled(len(rules) > 0),
		encryption:    node("ServerSideEncryptionRule", leaf("SSEAlgorithm", "None")),
		logging: node("BucketPolicy", leaf("LogBucket", docs["logging"].get("LoggingEnabled/TargetBucket")),
			leaf("LogPrefix", docs["logging"].get("LoggingEnabled/TargetPrefix"))),
	}
	if e := docs["encryption"].find("ApplyServerSideEncryptionByDefault"); e != nil {
		s.encryption = node("ServerSideEncryptionRule", e.children...)
	}
	s.blocked, err = accessBlocked(tx, rq.bucket)
	return s, err
}

// resourceGroup is the group a bucket belongs to.
func resourceGroup(tx *store.Tx, bucket string) (string, error) {
	doc, err := configDoc(tx, bucket, "resourceGroup", "")
	if err != nil || doc == nil {
		return defaultResourceGroup, err
	}
	return doc.get("ResourceGroupId"), nil
}

// bucketFilter is what ListBuckets asks for besides names.
type bucketFilter struct {
	tags   []tag // "*" as a value is any
	group  string
	nobody bool // no bucket is in the region asked for
}

// bucketFilter reads tag-key and tag-value; tagging, a list like "k":"v" with
// the quotes; the resource group's header; and regionList.
func (rq *request) bucketFilter() bucketFilter {
	f := bucketFilter{group: rq.header("x-oss-resource-group-id")}
	if k := rq.param("tag-key"); k != "" {
		f.tags = append(f.tags, tag{k, cmp.Or(rq.param("tag-value"), "*")})
	}
	for item := range strings.SplitSeq(rq.param("tagging"), ",") {
		k, v, _ := strings.Cut(item, ":")
		if k = strings.Trim(k, `" `); k != "" {
			f.tags = append(f.tags, tag{k, cmp.Or(strings.Trim(v, `" `), "*")})
		}
	}
	if regions := rq.param("regionList"); regions != "" {
		list := strings.Split(regions, ",")
		f.nobody = !slices.Contains(list, rq.s.opts.Region) && !slices.Contains(list, rq.s.location())
	}
	return f
}

// listed is what a list of buckets says of one, besides what the store has.
type listed struct {
	group string
	tags  []*element // if tags were asked for
}

// match reports whether a bucket is asked for, and what to say of it.
func (f *bucketFilter) match(tx *store.Tx, bucket string) (l listed, ok bool, err error) {
	l.group, err = resourceGroup(tx, bucket)
	if err != nil || f.nobody || f.group != "" && f.group != l.group {
		return l, false, err
	}
	if len(f.tags) == 0 {
		return l, true, nil
	}
	doc, err := configDoc(tx, bucket, "tagging", "")
	if err != nil || doc == nil {
		return l, false, err
	}
	l.tags = doc.find("TagSet").all("Tag")
	for _, want := range f.tags {
		if !slices.ContainsFunc(l.tags, func(t *element) bool {
			return t.get("Key") == want.key && (want.value == "*" || t.get("Value") == want.value)
		}) {
			return l, false, nil
		}
	}
	return l, true, nil
}
