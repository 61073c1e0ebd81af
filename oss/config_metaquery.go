package oss

import (
	"context"
	"iter"
	"net/http"
)

// OpenBucketMetaQuery makes the service index the bucket's objects by their
// metadata (OpenMetaQuery).
func (b *Bucket) OpenBucketMetaQuery(ctx context.Context) (*Response, error) {
	return b.metaQuery("OpenBucketMetaQuery", "add").send(ctx)
}

// CloseBucketMetaQuery drops the index (CloseMetaQuery).
func (b *Bucket) CloseBucketMetaQuery(ctx context.Context) (*Response, error) {
	return b.metaQuery("CloseBucketMetaQuery", "delete").send(ctx)
}

func (b *Bucket) metaQuery(op, comp string) *config {
	return b.config(op, http.MethodPost, "metaQuery").with("comp", comp)
}

// GetBucketMetaQueryStatusResult is the answer to GetBucketMetaQueryStatus.
type GetBucketMetaQueryStatusResult struct {
	Response   `xml:"-"`
	State      string // Ready, Stop, Running, Retrying, Failed or Deleted
	Phase      string // FullScanning or IncrementalScanning
	CreateTime Time
	UpdateTime Time
}

// GetBucketMetaQueryStatus asks how far the index is (GetMetaQueryStatus).
func (b *Bucket) GetBucketMetaQueryStatus(ctx context.Context) (*GetBucketMetaQueryStatusResult, error) {
	return get[GetBucketMetaQueryStatusResult](ctx, b.config("GetBucketMetaQueryStatus", http.MethodGet, "metaQuery"), "MetaQueryStatus", "MetaQuery")
}

// MetaQuery asks for objects by their metadata.
type MetaQuery struct {
	// NextToken is that of the page before.
	NextToken string `xml:",omitempty"`

	// MaxResults bounds a page, 1 to 100. 0 leaves it to the service.
	MaxResults int `xml:",omitempty"`

	// Query is the condition, a JSON text such as
	// {"Field": "Size", "Value": "1048576", "Operation": "gt"}.
	Query string

	Sort  string `xml:",omitempty"` // the field to sort by
	Order string `xml:",omitempty"` // asc or desc

	// Aggregations ask for statistics in place of objects.
	Aggregations []MetaQueryAggregation `xml:"Aggregations>Aggregation"`
}

// MetaQueryAggregation asks for a statistic.
type MetaQueryAggregation struct {
	Field     string
	Operation string // min, max, average, sum, count, distinct or group
}

func (q *MetaQuery) document() (string, []byte, error) {
	return marshalDocument("MetaQuery", q, "Aggregations")
}

// DoBucketMetaQueryResult is a page of what a query found.
type DoBucketMetaQueryResult struct {
	Response     `xml:"-"`
	NextToken    string                       // of the next page, "" on the last
	Files        []MetaQueryFile              `xml:"Files>File"`
	Aggregations []MetaQueryAggregationResult `xml:"Aggregations>Aggregation"`
}

// MetaQueryFile is an object that a query found.
type MetaQueryFile struct {
	Filename         string // the key
	Size             int64
	FileModifiedTime Time
	FileCreateTime   Time
	FileAccessTime   Time
	ObjectType       string `xml:"OSSObjectType"`
	StorageClass     string `xml:"OSSStorageClass"`
	ObjectACL        string
	ETag             string // as the service writes it, quoted
	CRC64            string `xml:"OSSCRC64"`
	TaggingCount     int    `xml:"OSSTaggingCount"`
	Tagging          []Tag  `xml:"OSSTagging>Tagging"`
	UserMeta         []Tag  `xml:"OSSUserMeta>UserMeta"` // names with x-oss-meta-
}

// MetaQueryAggregationResult is a statistic over what a query found.
type MetaQueryAggregationResult struct {
	Field     string
	Operation string
	Value     float64
	Groups    []MetaQueryGroup `xml:"Groups>Group"`
}

// MetaQueryGroup is how often a value occurs.
type MetaQueryGroup struct {
	Value string
	Count int64
}

// DoBucketMetaQuery asks the index a *MetaQuery (DoMetaQuery).
func (b *Bucket) DoBucketMetaQuery(ctx context.Context, query Document, opts *ConfigOptions) (*DoBucketMetaQueryResult, error) {
	return get[DoBucketMetaQueryResult](ctx, b.metaQuery("DoBucketMetaQuery", "query").body("MetaQuery", query, opts), "MetaQuery")
}

// MetaQueryFiles lists all pages of the objects that a query finds.
func (b *Bucket) MetaQueryFiles(ctx context.Context, query *MetaQuery) iter.Seq2[MetaQueryFile, error] {
	var q MetaQuery
	if query != nil {
		q = *query
	}
	return pages("DoBucketMetaQuery", b.name, q.NextToken, func(token string) (listing[MetaQueryFile], *Response, error) {
		q.NextToken = token
		r, err := b.DoBucketMetaQuery(ctx, &q, nil)
		if err != nil {
			return listing[MetaQueryFile]{}, nil, err
		}
		return listing[MetaQueryFile]{r.Files, r.NextToken != "", r.NextToken}, &r.Response, nil
	})
}
