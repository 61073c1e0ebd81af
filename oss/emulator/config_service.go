package emulator

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// What the account may use, in Gbit/s and requests a second.
const (
	userBandwidth = 10
	userQPS       = 10_000
)

const unlimitedQoS = "<QoSConfiguration><TotalUploadBandwidth>-1</TotalUploadBandwidth><IntranetUploadBandwidth>-1</IntranetUploadBandwidth>" +
	"<ExtranetUploadBandwidth>-1</ExtranetUploadBandwidth><TotalDownloadBandwidth>-1</TotalDownloadBandwidth>" +
	"<IntranetDownloadBandwidth>-1</IntranetDownloadBandwidth><ExtranetDownloadBandwidth>-1</ExtranetDownloadBandwidth>" +
	"<TotalQps>-1</TotalQps><IntranetQps>-1</IntranetQps><ExtranetQps>-1</ExtranetQps></QoSConfiguration>"

// regions are the ones the emulator knows of: its own, and a few of the
// service's for lists to be lists.
func (s *Server) regions() []string {
	all := []string{
		"cn-beijing", "cn-chengdu", "cn-guangzhou", "cn-hangzhou", "cn-hongkong", "cn-shanghai", "cn-shenzhen",
		"ap-northeast-1", "ap-south-1", "ap-southeast-1", "eu-central-1", "us-east-1", "us-west-1",
	}
	if !slices.Contains(all, s.opts.Region) {
		all = append(all, s.opts.Region)
	}
	return all
}

func (rq *request) describeRegions() error {
	want := rq.param("regions")
	out := node("RegionInfoList")
	for _, r := range rq.s.regions() {
		name := "oss-" + r
		if want != "" && want != name {
			continue
		}
		out.children = append(out.children, node("RegionInfo", leaf("Region", name),
			leaf("InternetEndpoint", name+".aliyuncs.com"), leaf("InternalEndpoint", name+"-internal.aliyuncs.com"),
			leaf("AccelerateEndpoint", "oss-accelerate.aliyuncs.com")))
	}
	if len(out.children) == 0 {
		return fail("NoSuchRegion").with("Region", want)
	}
	rq.writeElement(out)
	return nil
}

func (rq *request) userQoS() error {
	out := node("QoSConfiguration", leaf("Region", rq.s.location()))
	for _, what := range []struct {
		name  string
		limit int64
	}{{"UploadBandwidth", userBandwidth}, {"DownloadBandwidth", userBandwidth}, {"Qps", userQPS}} {
		out.set("Total"+what.name, strconv.FormatInt(what.limit, 10))
		out.set("Intranet"+what.name, "-1")
		out.set("Extranet"+what.name, "-1")
	}
	rq.writeElement(out)
	return nil
}

// listCloudBoxes lists none: an account without the hardware has none.
func (rq *request) listCloudBoxes() error {
	limit, err := rq.intParam("max-keys", 100, 1, 1000)
	if err != nil {
		return err
	}
	out := node("ListCloudBoxResult", leaf("Prefix", rq.param("prefix")), leaf("Marker", rq.param("marker")),
		leaf("MaxKeys", strconv.Itoa(limit)), leaf("IsTruncated", "false"),
		node("Owner", leaf("ID", ownerID), leaf("DisplayName", ownerID)), node("CloudBoxes"))
	rq.writeElement(out)
	return nil
}

// writeGetObjectResponse answers for a function that no request waits for: no
// object is read through an access point for object processing here.
func (rq *request) writeGetObjectResponse() error {
	for _, h := range []string{"x-oss-request-route", "x-oss-request-token", "x-oss-fwd-status"} {
		if rq.header(h) == "" {
			return fail("MissingArgument").with("ArgumentName", h)
		}
	}
	if n, err := strconv.Atoi(rq.header("x-oss-fwd-status")); err != nil || n < 100 || n > 599 {
		return failArgument("x-oss-fwd-status", rq.header("x-oss-fwd-status"), "The status is not valid.")
	}
	return failArgument("x-oss-request-token", rq.header("x-oss-request-token"), "No request waits for this answer.")
}

// CreateResourcePool makes a pool of buckets, which the service has no call
// for, and puts buckets into it; of a pool that exists it replaces the buckets.
func (s *Server) CreateResourcePool(name string, buckets ...string) error {
	if !validConfigName(name) {
		return fmt.Errorf("create resource pool %q: name is not valid", name)
	}
	now := s.opts.Now()
	pool := node("ResourcePool")
	for _, b := range slices.Sorted(slices.Values(buckets)) {
		pool.children = append(pool.children, node("ResourcePoolBucket", leaf("Name", b), leaf("JoinTime", timeText(now))))
	}
	err := s.store.Update(func(tx *store.Tx) error {
		return tx.PutConfig(&store.Config{Family: "resourcePool", Name: name, Modified: now, Doc: pool.bytes()})
	})
	if err != nil {
		return fmt.Errorf("create resource pool %q: %w", name, err)
	}
	return nil
}

// resourcePool reads the pool that the request names.
func (rq *request) resourcePool(tx *store.Tx) (*store.Config, error) {
	name := rq.param("resourcePool")
	c, err := tx.Config("", "resourcePool", name)
	if err == nil && c == nil {
		err = fail("NoSuchResourcePool").with("ResourcePool", name)
	}
	return c, err
}

func needResourcePool(rq *request, tx *store.Tx) error {
	_, err := rq.resourcePool(tx)
	return err
}

func (rq *request) listResourcePools() error {
	limit, err := rq.intParam("max-keys", 100, 1, 1000)
	if err != nil {
		return err
	}
	token := rq.param("continuation-token")
	var p configPage
	err = rq.s.store.View(func(tx *store.Tx) (err error) {
		p, err = rq.page(tx, "resourcePool", "", token, limit)
		return err
	})
	if err != nil {
		return err
	}
	out := node("ListResourcePoolsResult", leaf("Region", rq.s.opts.Region), leaf("Owner", ownerID))
	for _, c := range p.list {
		out.children = append(out.children, node("ResourcePool", leaf("Name", c.Name), leaf("CreateTime", timeText(c.Created))))
	}
	rq.writePaged(out, token, p.next)
	return nil
}

func (rq *request) resourcePoolInfo() error {
	var c *store.Config
	err := rq.s.store.View(func(tx *store.Tx) (err error) {
		c, err = rq.resourcePool(tx)
		return err
	})
	if err != nil {
		return err
	}
	qos, err := parseAnyDocument([]byte(unlimitedQoS))
	if err != nil {
		return err
	}
	rq.writeElement(node("GetResourcePoolInfoResponse", leaf("Region", rq.s.opts.Region), leaf("Name", c.Name), leaf("Owner", ownerID),
		leaf("CreateTime", timeText(c.Created)), qos))
	return nil
}

func (rq *request) listResourcePoolBuckets() error {
	limit, err := rq.intParam("max-keys", 100, 1, 1000)
	if err != nil {
		return err
	}
	token := rq.param("continuation-token")
	out := node("ListResourcePoolBucketsResult", leaf("ResourcePool", rq.param("resourcePool")))
	next := ""
	err = rq.s.store.View(func(tx *store.Tx) error {
		c, err := rq.resourcePool(tx)
		if err != nil {
			return err
		}
		pool, err := parseAnyDocument(c.Doc)
		if err != nil {
			return err
		}
		n := 0
		for _, b := range pool.children {
			if b.get("Name") <= token {
				continue
			}
			if n == limit {
				next = out.children[len(out.children)-1].get("Name")
				break
			}
			n++
			out.children = append(out.children, b)
		}
		return nil
	})
	if err != nil {
		return err
	}
	rq.writePaged(out, token, next)
	return nil
}

func (rq *request) getPoolRequesterQoS() error {
	if err := rq.s.store.View(func(tx *store.Tx) error { return needResourcePool(rq, tx) }); err != nil {
		return err
	}
	return rq.getRequesterQoS(rq.param("resourcePool") + "/")
}

func (rq *request) listPoolRequesterQoS() error {
	if err := rq.s.store.View(func(tx *store.Tx) error { return needResourcePool(rq, tx) }); err != nil {
		return err
	}
	pool := rq.param("resourcePool")
	return rq.listRequesterQoS(pool+"/", node("ListResourcePoolRequesterQoSInfosResult", leaf("ResourcePool", pool)))
}
