package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/osssync/osssync/oss"
)

// objectStatLine is what stat says of an object.
type objectStatLine struct {
	V    int    `json:"v"`
	Type string `json:"type"`
	Kind string `json:"kind"`
	listedFields
	ContentType   string            `json:"content_type,omitempty"`
	VersionID     string            `json:"version_id,omitempty"`
	CRC64         string            `json:"crc64,omitempty"` // in decimal: more than a JSON number holds
	ACL           string            `json:"acl,omitempty"`
	SymlinkTarget string            `json:"symlink_target,omitempty"`
	Meta          map[string]string `json:"meta,omitempty"`
	Headers       map[string]string `json:"headers,omitempty"`
}

func newObjectStatLine(p place, m *oss.ObjectMeta, acl, target string) objectStatLine {
	line := objectStatLine{
		V: jsonVersion, Type: "stat", Kind: "object",
		listedFields: listedFields{
			URL: p.url(), Key: p.key, Size: m.Size, ETag: m.ETag, LastModified: m.LastModified,
			StorageClass: m.StorageClass, ObjectType: m.Type,
		},
		ContentType: m.ContentType, VersionID: m.VersionID, ACL: acl, SymlinkTarget: target, Meta: m.Meta,
		Headers: make(map[string]string),
	}
	if m.HasCRC64 {
		line.CRC64 = strconv.FormatUint(m.CRC64, 10)
	}
	for name, value := range describing(m.Header) {
		line.Headers[strings.ToLower(name)] = value
	}
	return line
}

// bucketStatLine is what stat says of a bucket. Usage is missing where the
// caller may not see it.
type bucketStatLine struct {
	V                int               `json:"v"`
	Type             string            `json:"type"`
	Kind             string            `json:"kind"`
	URL              string            `json:"url"`
	Name             string            `json:"name"`
	Location         string            `json:"location"`
	Created          time.Time         `json:"created"`
	ExtranetEndpoint string            `json:"extranet_endpoint"`
	IntranetEndpoint string            `json:"intranet_endpoint"`
	ACL              string            `json:"acl"`
	Owner            string            `json:"owner"`
	StorageClass     string            `json:"storage_class"`
	Redundancy       string            `json:"redundancy"`
	Versioning       string            `json:"versioning,omitempty"`
	Encryption       string            `json:"encryption,omitempty"`
	KMSMasterKeyID   string            `json:"kms_master_key_id,omitempty"`
	ResourceGroup    string            `json:"resource_group,omitempty"`
	BlockPublic      bool              `json:"block_public_access"`
	Usage            *bucketUsageField `json:"usage,omitempty"`
}

// bucketUsageField is what the service last counted.
type bucketUsageField struct {
	Objects int64     `json:"objects"`
	Bytes   int64     `json:"bytes"`
	Uploads int64     `json:"uploads"`
	At      time.Time `json:"at"`
}

func newBucketStatLine(p place, info *oss.BucketInfo, usage *oss.BucketStat) bucketStatLine {
	line := bucketStatLine{
		V: jsonVersion, Type: "stat", Kind: "bucket", URL: p.url(), Name: info.Name, Location: info.Location,
		Created: info.CreationDate, ExtranetEndpoint: info.ExtranetEndpoint, IntranetEndpoint: info.IntranetEndpoint,
		ACL: info.ACL, Owner: info.Owner.ID, StorageClass: info.StorageClass, Redundancy: info.DataRedundancyType,
		Versioning: info.Versioning, Encryption: encryption(info), KMSMasterKeyID: info.KMSMasterKeyID,
		ResourceGroup: info.ResourceGroupID, BlockPublic: info.BlockPublicAccess,
	}
	if usage != nil {
		line.Usage = &bucketUsageField{Objects: usage.ObjectCount, Bytes: usage.Storage, Uploads: usage.MultipartUploadCount, At: usage.LastModified.Time}
	}
	return line
}
