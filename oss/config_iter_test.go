package oss_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
)

// names maps a listing to the names of its entries.
func names[E any](seq iter.Seq2[E, error], name func(E) string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for e, err := range seq {
			if !yield(name(e), err) {
				return
			}
		}
	}
}

// configLists has each listing of configurations: how an answer looks and where
// the request says where to begin.
var configLists = []struct {
	name   string
	param  string // of the query, "" for the body
	root   string
	next   string
	entry  string
	listed func(context.Context, *oss.Client, *oss.Bucket) iter.Seq2[string, error]
}{
	{
		"InventoryConfigurations", "continuation-token", "ListInventoryConfigurationsResult", "NextContinuationToken", "<InventoryConfiguration><Id>%s</Id></InventoryConfiguration>",
		func(ctx context.Context, _ *oss.Client, b *oss.Bucket) iter.Seq2[string, error] {
			return names(b.InventoryConfigurations(ctx), func(e oss.InventoryConfiguration) string { return e.ID })
		},
	},
	{
		"RequesterQoSInfos", "continuation-token", "ListBucketRequesterQoSInfosResult", "NextContinuationToken", "<RequesterQoSInfo><Requester>%s</Requester></RequesterQoSInfo>",
		func(ctx context.Context, _ *oss.Client, b *oss.Bucket) iter.Seq2[string, error] {
			return names(b.RequesterQoSInfos(ctx, nil), func(e oss.RequesterQoSInfo) string { return e.Requester })
		},
	},
	{
		"ResourcePoolRequesterQoSInfos", "continuation-token", "ListResourcePoolRequesterQoSInfosResult", "NextContinuationToken", "<RequesterQoSInfo><Requester>%s</Requester></RequesterQoSInfo>",
		func(ctx context.Context, c *oss.Client, _ *oss.Bucket) iter.Seq2[string, error] {
			return names(c.ResourcePoolRequesterQoSInfos(ctx, "p", &oss.PageOptions{MaxKeys: 2}), func(e oss.RequesterQoSInfo) string { return e.Requester })
		},
	},
	{
		"ResourcePools", "continuation-token", "ListResourcePoolsResult", "NextContinuationToken", "<ResourcePool><Name>%s</Name></ResourcePool>",
		func(ctx context.Context, c *oss.Client, _ *oss.Bucket) iter.Seq2[string, error] {
			return names(c.ResourcePools(ctx, nil), func(e oss.ResourcePool) string { return e.Name })
		},
	},
	{
		"ResourcePoolBuckets", "continuation-token", "ListResourcePoolBucketsResult", "NextContinuationToken", "<ResourcePoolBucket><Name>%s</Name></ResourcePoolBucket>",
		func(ctx context.Context, c *oss.Client, _ *oss.Bucket) iter.Seq2[string, error] {
			return names(c.ResourcePoolBuckets(ctx, "p", nil), func(e oss.ResourcePoolBucket) string { return e.Name })
		},
	},
	{
		"DataRedundancyTransitions", "continuation-token", "ListBucketDataRedundancyTransition", "NextContinuationToken",
		"<BucketDataRedundancyTransition><TaskId>%s</TaskId></BucketDataRedundancyTransition>",
		func(ctx context.Context, c *oss.Client, _ *oss.Bucket) iter.Seq2[string, error] {
			return names(c.DataRedundancyTransitions(ctx, nil), func(e oss.DataRedundancyTransition) string { return e.TaskID })
		},
	},
	{
		"AccessPoints of a bucket", "continuation-token", "ListAccessPointsResult", "NextContinuationToken",
		"<AccessPoints><AccessPoint><AccessPointName>%s</AccessPointName></AccessPoint></AccessPoints>",
		func(ctx context.Context, _ *oss.Client, b *oss.Bucket) iter.Seq2[string, error] {
			return names(b.AccessPoints(ctx, nil), func(e oss.AccessPoint) string { return e.Name })
		},
	},
	{
		"AccessPoints", "continuation-token", "ListAccessPointsResult", "NextContinuationToken",
		"<AccessPoints><AccessPoint><AccessPointName>%s</AccessPointName></AccessPoint></AccessPoints>",
		func(ctx context.Context, c *oss.Client, _ *oss.Bucket) iter.Seq2[string, error] {
			return names(c.AccessPoints(ctx, nil), func(e oss.AccessPoint) string { return e.Name })
		},
	},
	{
		"LiveChannels", "marker", "ListLiveChannelResult", "NextMarker", "<LiveChannel><Name>%s</Name></LiveChannel>",
		func(ctx context.Context, _ *oss.Client, b *oss.Bucket) iter.Seq2[string, error] {
			return names(b.LiveChannels(ctx, nil), func(e oss.LiveChannel) string { return e.Name })
		},
	},
	{
		"MetaQueryFiles", "", "MetaQuery", "NextToken", "<Files><File><Filename>%s</Filename></File></Files>",
		func(ctx context.Context, _ *oss.Client, b *oss.Bucket) iter.Seq2[string, error] {
			return names(b.MetaQueryFiles(ctx, &oss.MetaQuery{Query: "{}"}), func(e oss.MetaQueryFile) string { return e.Filename })
		},
	},
}

func TestConfigIterators(t *testing.T) {
	for _, v := range configLists {
		t.Run(v.name, func(t *testing.T) {
			// page is the text of one page.
			page := func(entries []string, next string) string {
				var text strings.Builder
				text.WriteString("<" + v.root + ">")
				for _, e := range entries {
					fmt.Fprintf(&text, v.entry, e)
				}
				if next != "" {
					text.WriteString("<IsTruncated>true</IsTruncated><" + v.next + ">" + next + "</" + v.next + ">")
				}
				return text.String() + "</" + v.root + ">"
			}
			list := func(pages map[string]string) iter.Seq2[string, error] {
				c := newClient(t, answerer(func(r *http.Request) (*http.Response, error) {
					from := r.URL.Query().Get(v.param)
					if v.param == "" {
						text, err := io.ReadAll(r.Body)
						if err != nil {
							return nil, err
						}
						_, from, _ = strings.Cut(string(text), "<NextToken>")
						from, _, _ = strings.Cut(from, "<")
					}
					text, ok := pages[from]
					if !ok {
						return answer(400, errorXML("InvalidArgument")), nil
					}
					return answer(200, text), nil
				}), nil)
				return v.listed(t.Context(), c, c.Bucket("examplebucket"))
			}

			three := map[string]string{"": page([]string{"a", "b"}, "t1"), "t1": page(nil, "t2"), "t2": page([]string{"c"}, "")}
			if got, err := collect(list(three)); err != nil || !slices.Equal(got, []string{"a", "b", "c"}) {
				t.Errorf("got %q, %v", got, err)
			}
			for e := range list(three) {
				if e != "a" {
					t.Errorf("the first is %q", e)
				}
				break
			}
			for name, pages := range map[string]map[string]string{
				"same token again": {"": page([]string{"a"}, "t1"), "t1": page([]string{"b"}, "t1")},
				"circle":           {"": page([]string{"a"}, "t1"), "t1": page([]string{"b"}, "t2"), "t2": page([]string{"c"}, "t1")},
			} {
				got, err := collect(list(pages))
				if _, ok := errors.AsType[*oss.AnswerError](err); !ok || len(got) > 3 {
					t.Errorf("%s: got %q, %v", name, got, err)
				}
			}
			got, err := collect(list(map[string]string{"": page([]string{"a"}, "t1")}))
			if !errors.Is(err, oss.ErrInvalidArgument) || !slices.Equal(got, []string{"a"}) {
				t.Errorf("an error in the middle: got %q, %v", got, err)
			}
		})
	}
}

func collect(seq iter.Seq2[string, error]) (all []string, err error) {
	for e, err := range seq {
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	return all, nil
}

// Without an argument that a call is nothing without, it would be another call:
// the deletion of all styles for one, say. Nothing is sent.
func TestConfigArgumentsMissing(t *testing.T) {
	c := newClient(t, refuse(t), nil)
	b := c.Bucket("examplebucket")
	now := time.Unix(1718180130, 0)
	for name, call := range map[string]func(context.Context) error{
		"policy":              func(ctx context.Context) error { _, err := b.PutBucketPolicy(ctx, ""); return err },
		"style to put":        func(ctx context.Context) error { _, err := b.PutBucketStyle(ctx, "", "c"); return err },
		"style to get":        func(ctx context.Context) error { _, err := b.GetBucketStyle(ctx, ""); return err },
		"style to delete":     func(ctx context.Context) error { _, err := b.DeleteBucketStyle(ctx, ""); return err },
		"tag to delete":       func(ctx context.Context) error { _, err := b.DeleteBucketTagging(ctx, ""); return err },
		"inventory":           func(ctx context.Context) error { _, err := b.GetBucketInventoryConfiguration(ctx, ""); return err },
		"inventory to delete": func(ctx context.Context) error { _, err := b.DeleteBucketInventoryConfiguration(ctx, ""); return err },
		"inventory to put": func(ctx context.Context) error {
			_, err := b.PutBucketInventoryConfiguration(ctx, &oss.InventoryConfiguration{}, nil)
			return err
		},
		"inventory of nil": func(ctx context.Context) error {
			_, err := b.PutBucketInventoryConfiguration(ctx, nil, nil)
			return err
		},
		"days":              func(ctx context.Context) error { _, err := b.InitBucketWORM(ctx, 0); return err },
		"worm to complete":  func(ctx context.Context) error { _, err := b.CompleteBucketWORM(ctx, ""); return err },
		"worm to extend":    func(ctx context.Context) error { _, err := b.ExtendBucketWORM(ctx, "", 1); return err },
		"rule to delete":    func(ctx context.Context) error { _, err := b.DeleteBucketReplication(ctx, ""); return err },
		"rule":              func(ctx context.Context) error { _, err := b.GetBucketReplicationProgress(ctx, ""); return err },
		"domain for token":  func(ctx context.Context) error { _, err := b.CreateBucketCNAMEToken(ctx, ""); return err },
		"domain of token":   func(ctx context.Context) error { _, err := b.GetBucketCNAMEToken(ctx, ""); return err },
		"domain to delete":  func(ctx context.Context) error { _, err := b.DeleteBucketCNAME(ctx, ""); return err },
		"redundancy":        func(ctx context.Context) error { _, err := b.CreateBucketDataRedundancyTransition(ctx, ""); return err },
		"transition":        func(ctx context.Context) error { _, err := b.GetBucketDataRedundancyTransition(ctx, ""); return err },
		"access point":      func(ctx context.Context) error { _, err := b.GetAccessPoint(ctx, ""); return err },
		"point to delete":   func(ctx context.Context) error { _, err := b.DeleteAccessPoint(ctx, ""); return err },
		"policy of a point": func(ctx context.Context) error { _, err := b.GetAccessPointPolicy(ctx, ""); return err },
		"block of a point": func(ctx context.Context) error {
			_, err := b.PutAccessPointPublicAccessBlock(ctx, "", true)
			return err
		},
		"task":            func(ctx context.Context) error { _, err := b.GetAsyncFetchTask(ctx, ""); return err },
		"requester":       func(ctx context.Context) error { _, err := b.DeleteBucketRequesterQoSInfo(ctx, ""); return err },
		"pool":            func(ctx context.Context) error { _, err := c.GetResourcePoolInfo(ctx, ""); return err },
		"pool of buckets": func(ctx context.Context) error { _, err := c.ListResourcePoolBuckets(ctx, "", nil); return err },
		"pool's requester": func(ctx context.Context) error {
			_, err := c.DeleteResourcePoolRequesterQoSInfo(ctx, "", "p")
			return err
		},
		"channel": func(ctx context.Context) error { _, err := b.DeleteLiveChannel(ctx, ""); return err },
		"status":  func(ctx context.Context) error { _, err := b.PutLiveChannelStatus(ctx, "ch", ""); return err },
		"playlist": func(ctx context.Context) error {
			_, err := b.PostVODPlaylist(ctx, "ch", "", now, now.Add(1e9))
			return err
		},
		"channel of a list": func(ctx context.Context) error {
			_, err := b.PostVODPlaylist(ctx, "", "p", now, now.Add(1e9))
			return err
		},
		"time": func(ctx context.Context) error { _, err := b.GetVODPlaylist(ctx, "ch", now, now); return err },
		"route": func(ctx context.Context) error {
			_, err := c.WriteGetObjectResponse(ctx, "", "t", 200, nil, nil)
			return err
		},
		"page too large": func(ctx context.Context) error {
			_, err := c.ListAccessPoints(ctx, &oss.PageOptions{MaxKeys: 1001})
			return err
		},
		"page below nothing": func(ctx context.Context) error {
			_, err := c.ListAccessPoints(ctx, &oss.PageOptions{MaxKeys: -1})
			return err
		},
	} {
		if _, ok := errors.AsType[*oss.UsageError](call(t.Context())); !ok {
			t.Errorf("%s: got %v, want a UsageError", name, call(t.Context()))
		}
	}
	if _, err := bucketOf(t, always(200, "")).InitBucketWORM(t.Context(), 1); err == nil {
		t.Error("InitBucketWORM without an id in the answer is no success")
	}
}
