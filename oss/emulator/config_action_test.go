package emulator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss/emulator"
)

func TestWorm(t *testing.T) {
	now := testTime
	c := newClientOptions(t, &emulator.Options{Now: func() time.Time { return now }})
	days := func(root string, n int) string {
		return fmt.Sprintf("<%s><RetentionPeriodInDays>%d</RetentionPeriodInDays></%s>", root, n, root)
	}
	const initiate, extend = "InitiateWormConfiguration", "ExtendWormConfiguration"
	c.want(c.config("GET", "worm", ""), 404, "NoSuchWORMConfiguration")
	c.want(c.config("DELETE", "worm", ""), 404, "NoSuchWORMConfiguration")
	c.want(c.config("POST", "worm", days(initiate, 0)), 400, "InvalidArgument")
	c.want(c.config("POST", "worm", "<"+initiate+"></"+initiate+">"), 400, "MalformedXML")
	id := c.want(c.config("POST", "worm", days(initiate, 1)), 200, "").header.Get("x-oss-worm-id")
	state := func(want string) {
		t.Helper()
		a := c.want(c.config("GET", "worm", ""), 200, "")
		if got := a.element("State") + a.element("RetentionPeriodInDays"); got != want {
			t.Errorf("state is %s, want %s", got, want)
		}
	}
	state("InProgress1")
	c.want(c.config("POST", "worm", days(initiate, 1)), 400, "InvalidWORMConfiguration")
	c.want(c.config("POST", "wormExtend&wormId="+id, days(extend, 2)), 400, "InvalidWORMConfiguration")
	c.want(c.config("POST", "wormId=x", ""), 404, "NoSuchWORMConfiguration")
	c.want(c.config("DELETE", "worm", ""), 204, "")

	c.want(c.config("POST", "worm", days(initiate, 1)), 200, "")
	now = now.Add(25 * time.Hour)
	c.now = now
	state("Expired1")
	id = c.want(c.config("POST", "worm", days(initiate, 2)), 200, "").header.Get("x-oss-worm-id")
	c.want(c.config("POST", "wormId="+id, ""), 200, "")
	state("Locked2")
	c.want(c.config("POST", "wormId="+id, ""), 403, "WORMConfigurationLocked")
	c.want(c.config("DELETE", "worm", ""), 403, "WORMConfigurationLocked")
	c.want(c.config("POST", "worm", days(initiate, 2)), 403, "WORMConfigurationLocked")
	c.want(c.config("POST", "wormId="+id+"&wormExtend", days(extend, 2)), 400, "InvalidWORMConfiguration")
	c.want(c.config("POST", "wormExtend&wormId="+id, days(extend, 3)), 200, "")
	state("Locked3")
}

func replication(bucket, more string) string {
	return "<ReplicationConfiguration><Rule>" + more + "<Destination><Bucket>" + bucket +
		"</Bucket><Location>oss-cn-beijing</Location></Destination></Rule></ReplicationConfiguration>"
}

func TestReplication(t *testing.T) {
	now := testTime
	c := newClientOptions(t, &emulator.Options{Now: func() time.Time { return now }})
	status := func(want string) {
		t.Helper()
		for _, q := range []string{"replication", "replicationProgress", "replicationProgress&rule-id=r1"} {
			if got := c.want(c.config("GET", q, ""), 200, "").element("Status"); got != want {
				t.Errorf("%s: status is %q, want %q", q, got, want)
			}
		}
	}
	c.want(c.config("GET", "replication", ""), 404, "NoSuchReplicationRule")
	c.want(c.config("GET", "replicationProgress&rule-id=x", ""), 404, "NoSuchReplicationRule")
	c.want(c.config("POST", "replication&comp=add", replication(testBucket, "")), 400, "InvalidArgument")
	c.want(c.config("POST", "replication&comp=add", replication("target", "<Action>READ</Action>")), 400, "MalformedXML")
	c.want(c.config("POST", "replication&comp=add", replication("target", "<ID>r1</ID><PrefixSet><Prefix>p</Prefix></PrefixSet>")), 200, "")
	c.want(c.config("POST", "comp=add&replication", replication("target", "")), 400, "BucketReplicationAlreadyExist")
	status("starting")
	a := c.config("GET", "replication", "")
	if a.element("Action") != "ALL" || a.element("HistoricalObjectReplication") != "enabled" || a.element("Prefix") != "p" {
		t.Error(a.body)
	}
	now = now.Add(2 * time.Minute)
	c.now = now
	status("doing")
	c.want(c.config("PUT", "rtc", "<ReplicationRule><RTC><Status>enabled</Status></RTC><ID>r1</ID></ReplicationRule>"), 200, "")
	c.want(c.config("PUT", "rtc", "<ReplicationRule><RTC><Status>enabled</Status></RTC><ID>r2</ID></ReplicationRule>"), 404, "NoSuchReplicationRule")
	c.want(c.config("POST", "replication&comp=delete", "<ReplicationRules><ID>r2</ID></ReplicationRules>"), 404, "NoSuchReplicationRule")
	c.want(c.config("POST", "replication&comp=delete", "<ReplicationRules><ID>r1</ID></ReplicationRules>"), 200, "")
	status("closing")
	now = now.Add(2 * time.Minute)
	c.now = now
	c.want(c.config("GET", "replication", ""), 404, "NoSuchReplicationRule")
	a = c.want(c.config("GET", "replicationLocation", ""), 200, "")
	if strings.Contains(a.body, "cn-hangzhou") || !strings.Contains(a.body, "<Location>oss-cn-beijing</Location>") {
		t.Error(a.body)
	}
}

func TestCname(t *testing.T) {
	c := newClient(t)
	cname := func(domain string) string {
		return "<BucketCnameConfiguration><Cname><Domain>" + domain + "</Domain></Cname></BucketCnameConfiguration>"
	}
	c.want(c.config("GET", "cname=a.test&comp=token", ""), 404, "CnameTokenNotFound")
	token := c.want(c.config("POST", "cname&comp=token", cname("A.test")), 200, "").element("Token")
	if got := c.want(c.config("GET", "cname=a.test&comp=token", ""), 200, "").element("Token"); got != token || token == "" {
		t.Errorf("token is %q, was %q", got, token)
	}
	c.want(c.config("POST", "cname&comp=token", cname("no domain")), 400, "InvalidArgument")
	c.want(c.config("POST", "cname&comp=add", cname("example.com")), 403, "NeedVerifyDomainOwnership")
	c.want(c.config("POST", "cname&comp=add", cname("a.test")), 200, "")
	c.want(c.do("PUT", target("other", "", ""), ""), 200, "")
	c.want(c.do("POST", target("other", "", "cname&comp=add"), cname("a.test")), 409, "CnameAlreadyExists")
	a := c.want(c.config("GET", "cname", ""), 200, "")
	if a.element("Domain") != "a.test" || a.element("Status") != "Enabled" || a.element("Owner") != "1000000000000001" {
		t.Error(a.body)
	}
	c.want(c.config("POST", "cname&comp=delete", cname("a.test")), 200, "")
	if got := c.config("GET", "cname", "").elements("Domain"); got != nil {
		t.Error(got)
	}
}

func TestAccessPoints(t *testing.T) {
	c := newClient(t)
	const head = "x-oss-access-point-name"
	create := func(name, more string) *answer {
		return c.config("PUT", "accessPoint", "<CreateAccessPointConfiguration><AccessPointName>"+name+"</AccessPointName>"+more+"</CreateAccessPointConfiguration>")
	}
	const internet = "<NetworkOrigin>internet</NetworkOrigin>"
	c.want(create("ap-1", ""), 400, "MalformedXML")
	c.want(create("ap-1", "<NetworkOrigin>vpc</NetworkOrigin>"), 400, "MalformedXML")
	c.want(create("AP", internet), 400, "InvalidArgument")
	alias := c.want(create("ap-1", internet), 200, "").element("Alias")
	c.want(create("ap-1", internet), 409, "AccessPointAlreadyExists")
	c.want(create("ap-2", "<NetworkOrigin>vpc</NetworkOrigin><VpcConfiguration><VpcId>v</VpcId></VpcConfiguration>"), 200, "")
	c.want(c.do("PUT", target("other", "", ""), ""), 200, "")
	c.want(c.do("PUT", target("other", "", "accessPoint"), "<CreateAccessPointConfiguration><AccessPointName>ap-0</AccessPointName>"+internet+"</CreateAccessPointConfiguration>"), 200, "")
	a := c.want(c.config("GET", "accessPoint", "", head, "ap-1"), 200, "")
	if a.element("Alias") != alias || a.element("Status") != "enable" || a.element("BlockPublicAccess") != "false" ||
		a.element("AccessPointArn") != "acs:oss:cn-hangzhou:1000000000000001:accesspoint/ap-1" {
		t.Error(a.body)
	}
	c.want(c.config("GET", "accessPoint", "", head, "ap-9"), 404, "NoSuchAccessPoint")

	var got []string
	for token, more := "", true; more; {
		a := c.want(c.do("GET", "/?accessPoint&max-keys=1&continuation-token="+token, ""), 200, "")
		got = append(got, a.elements("AccessPointName")...)
		token, more = strings.ReplaceAll(a.element("NextContinuationToken"), "/", "%2F"), a.element("IsTruncated") == "true"
	}
	if fmt.Sprint(got) != "[ap-1 ap-2 ap-0]" {
		t.Errorf("access points of the account: %v", got)
	}
	if got := c.config("GET", "accessPoint&continuation-token=ap-1", "").elements("AccessPointName"); fmt.Sprint(got) != "[ap-2]" {
		t.Errorf("access points of the bucket: %v", got)
	}

	policy := policyOf("Allow", "oss:*", "1234")
	c.want(c.config("GET", "accessPointPolicy", "", head, "ap-1"), 404, "NoSuchAccessPointPolicy")
	c.want(c.config("PUT", "accessPointPolicy", policy, head, "ap-9"), 404, "NoSuchAccessPoint")
	c.want(c.config("PUT", "accessPointPolicy", policy), 400, "InvalidArgument")
	c.want(c.config("PUT", "accessPointPolicy", policy, head, "ap-1"), 200, "")
	if a := c.want(c.config("GET", "accessPointPolicy", "", head, "ap-1"), 200, ""); a.body != policy {
		t.Error(a.body)
	}
	block := configDoc("publicAccessBlock")
	c.want(c.config("PUT", "publicAccessBlock&x-oss-access-point-name=ap-1", block), 200, "")
	for q, want := range map[string]string{"&x-oss-access-point-name=ap-1": "true", "&x-oss-access-point-name=ap-2": "false", "": "false"} {
		if got := c.want(c.config("GET", "publicAccessBlock"+q, ""), 200, "").element("BlockPublicAccess"); got != want {
			t.Errorf("block %q is %s, want %s", q, got, want)
		}
	}
	c.want(c.config("DELETE", "accessPoint", "", head, "ap-1"), 204, "")
	c.want(c.config("DELETE", "accessPoint", "", head, "ap-1"), 404, "NoSuchAccessPoint")
	c.want(create("ap-1", internet), 200, "")
	c.want(c.config("GET", "accessPointPolicy", "", head, "ap-1"), 404, "NoSuchAccessPointPolicy")
}

func TestAccessPointsForObjectProcess(t *testing.T) {
	c := newClient(t)
	const head = "x-oss-access-point-for-object-process-name"
	const config = "<ObjectProcessConfiguration><AllowedFeatures><AllowedFeature>GetObject-Range</AllowedFeature></AllowedFeatures>" +
		"<TransformationConfigurations><TransformationConfiguration><Actions><Action>GetObject</Action></Actions><ContentTransformation>" +
		"<FunctionCompute><FunctionArn>f</FunctionArn><FunctionAssumeRoleArn>r</FunctionAssumeRoleArn></FunctionCompute></ContentTransformation>" +
		"</TransformationConfiguration></TransformationConfigurations></ObjectProcessConfiguration>"
	create := func() *answer {
		return c.config("PUT", "accessPointForObjectProcess", "<CreateAccessPointForObjectProcessConfiguration><AccessPointName>ap-1</AccessPointName>"+
			config+"</CreateAccessPointForObjectProcessConfiguration>", head, "fc-1")
	}
	c.want(create(), 404, "NoSuchAccessPoint")
	c.want(c.config("PUT", "accessPoint", "<CreateAccessPointConfiguration><AccessPointName>ap-1</AccessPointName><NetworkOrigin>internet</NetworkOrigin></CreateAccessPointConfiguration>"), 200, "")
	c.want(create(), 200, "")
	c.want(create(), 409, "AccessPointForObjectProcessAlreadyExists")
	a := c.want(c.config("GET", "accessPointForObjectProcess", "", head, "fc-1"), 200, "")
	if a.element("AccessPointNameForObjectProcess") != "fc-1" || a.element("Status") != "enable" || a.element("AccessPointName") != "ap-1" {
		t.Error(a.body)
	}
	put := "<PutAccessPointConfigForObjectProcessConfiguration><PublicAccessBlockConfiguration><BlockPublicAccess>true</BlockPublicAccess></PublicAccessBlockConfiguration>" +
		config + "</PutAccessPointConfigForObjectProcessConfiguration>"
	c.want(c.config("PUT", "accessPointConfigForObjectProcess", put, head, "fc-1"), 200, "")
	c.want(c.config("PUT", "accessPointConfigForObjectProcess", put, head, "fc-2"), 404, "NoSuchAccessPointForObjectProcess")
	a = c.want(c.config("GET", "accessPointConfigForObjectProcess", "", head, "fc-1"), 200, "")
	if a.element("BlockPublicAccess") != "true" || !strings.Contains(a.body, config) {
		t.Error(a.body)
	}
	if got := c.want(c.do("GET", "/?accessPointForObjectProcess", ""), 200, "").elements("AccessPointNameForObjectProcess"); len(got) != 1 {
		t.Error(got)
	}
	c.want(c.config("PUT", "accessPointPolicyForObjectProcess", policyOf("Allow", "oss:GetObject", "1"), head, "fc-1"), 200, "")
	c.want(c.config("GET", "accessPointPolicyForObjectProcess", "", head, "fc-1"), 200, "")
	c.want(c.config("DELETE", "accessPointForObjectProcess", "", head, "fc-1"), 204, "")
	c.want(c.config("GET", "accessPointForObjectProcess", "", head, "fc-1"), 404, "NoSuchAccessPointForObjectProcess")
}

func TestLiveChannels(t *testing.T) {
	c := newClient(t)
	live := func(method, key, query, body string) *answer {
		return c.do(method, target(testBucket, key, query), body)
	}
	channel := func(target string) string {
		return "<LiveChannelConfiguration><Description>d</Description><Status>enabled</Status>" + target + "</LiveChannelConfiguration>"
	}
	hls := func(duration, count int, name string) string {
		return channel(fmt.Sprintf("<Target><Type>HLS</Type><FragDuration>%d</FragDuration><FragCount>%d</FragCount><PlaylistName>%s</PlaylistName></Target>", duration, count, name))
	}
	if a := c.want(c.config("GET", "live", ""), 200, ""); a.element("IsTruncated") != "false" || a.element("MaxKeys") != "100" {
		t.Error(a.body)
	}
	c.want(live("PUT", "a", "live", channel("<Target><Type>RTMP</Type></Target>")), 400, "InvalidArgument")
	c.want(live("PUT", "a", "live", hls(200, 99, "x.m3u8")), 400, "InvalidArgument")
	c.want(live("PUT", "a", "live", hls(100, 0, "x.m3u8")), 400, "InvalidArgument")
	c.want(live("PUT", "a", "live", hls(100, 99, "playlist.ts")), 400, "InvalidArgument")
	for _, method := range []string{"PUT", "DELETE"} {
		c.want(live(method, strings.Repeat("x", 65), "live", channel("")), 400, "InvalidArgument")
	}
	a := c.want(live("PUT", "a", "live", channel("")), 200, "")
	if got := fmt.Sprint(a.elements("Url")); got != "[rtmp://examplebucket.127.0.0.1/live/a http://examplebucket.127.0.0.1/a/playlist.m3u8]" {
		t.Error(got)
	}
	for _, key := range []string{"b1", "b2", "b3"} {
		c.want(live("PUT", key, "live", hls(10, 5, "x.m3u8")), 200, "")
	}
	a = c.want(live("GET", "b1", "live", ""), 200, "")
	if a.element("FragDuration") != "10" || a.element("FragCount") != "5" || a.element("PlaylistName") != "x.m3u8" || a.element("Description") != "d" {
		t.Error(a.body)
	}
	c.want(live("GET", "missing", "live", ""), 404, "NoSuchLiveChannel")
	for _, tc := range []struct{ query, want string }{
		{"", "[a b1 b2 b3]false"}, {"&prefix=b", "[b1 b2 b3]false"}, {"&prefix=b&max-keys=2", "[b1 b2]trueb2"}, {"&marker=b2&prefix=b", "[b3]false"},
	} {
		a := c.want(c.config("GET", "live"+tc.query, ""), 200, "")
		if got := fmt.Sprint(a.elements("Name")) + a.element("IsTruncated") + a.element("NextMarker"); got != tc.want {
			t.Errorf("%q: got %s, want %s", tc.query, got, tc.want)
		}
	}
	if got := c.config("GET", "stat", "").element("LiveChannelCount"); got != "4" {
		t.Error(got)
	}
	for status, want := range map[string]string{"disabled": "Disabled", "enabled": "Idle"} {
		c.want(live("PUT", "a", "live&status="+status, ""), 200, "")
		if got := c.want(live("GET", "a", "live&comp=stat", ""), 200, "").element("Status"); got != want {
			t.Errorf("status is %s, want %s", got, want)
		}
	}
	c.want(live("PUT", "a", "live&status=x", ""), 400, "InvalidArgument")
	c.want(live("GET", "a", "live&comp=history", ""), 200, "")
	c.want(live("GET", "missing", "live&comp=history", ""), 404, "NoSuchLiveChannel")
	c.want(live("POST", "a/p.m3u8", "vod&startTime=1&endTime=100", ""), 400, "InvalidArgument")
	c.want(live("GET", "a", "vod&startTime=1&endTime=100", ""), 400, "InvalidArgument")
	c.want(live("GET", "missing", "vod&startTime=1&endTime=100", ""), 404, "NoSuchLiveChannel")
	c.want(live("GET", "a", "vod&startTime=9&endTime=9", ""), 400, "InvalidArgument")
	c.want(c.config("DELETE", "", ""), 409, "BucketNotEmpty")
	for _, key := range []string{"a", "b1", "b2", "b3", "missing"} {
		c.want(live("DELETE", key, "live", ""), 204, "")
	}
	c.want(c.config("DELETE", "", ""), 204, "")
}

func TestTasks(t *testing.T) {
	c := newClient(t)
	c.put("there", "x")
	fetch := func(url, key, more string) *answer {
		return c.config("POST", "asyncFetch", "<AsyncFetchTaskConfiguration><Url>"+url+"</Url><Object>"+key+"</Object>"+more+"</AsyncFetchTaskConfiguration>")
	}
	c.want(fetch("ftp://a/", "k", ""), 400, "InvalidArgument")
	c.want(fetch("http://a/", "/k", ""), 400, "InvalidObjectName")
	c.want(fetch("http://a/", "there", "<IgnoreSameKey>false</IgnoreSameKey>"), 400, "ObjectAlreadyExists")
	id := c.want(fetch("http://a/", "k", ""), 200, "").element("TaskId")
	a := c.want(c.config("GET", "asyncFetch", "", "x-oss-task-id", id), 200, "")
	if a.element("State") != "Failed" || a.element("Url") != "http://a/" || a.element("ErrorMsg") == "" {
		t.Error(a.body)
	}
	c.want(c.config("GET", "asyncFetch", "", "x-oss-task-id", "x"), 404, "NoSuchAsyncFetchTask")

	const task = "&x-oss-redundancy-transition-taskid="
	c.want(c.config("POST", "redundancyTransition&x-oss-target-redundancy-type=LRS", ""), 400, "InvalidArgument")
	id = c.want(c.config("POST", "redundancyTransition&x-oss-target-redundancy-type=ZRS", ""), 200, "").element("TaskId")
	c.want(c.config("POST", "redundancyTransition&x-oss-target-redundancy-type=ZRS", ""), 409, "BucketDataRedundancyTransitionTaskExist")
	if a := c.want(c.config("GET", "redundancyTransition"+task+id, ""), 200, ""); a.element("Status") != "Queueing" || a.element("Bucket") != testBucket {
		t.Error(a.body)
	}
	for _, a := range []*answer{c.config("GET", "redundancyTransition", ""), c.do("GET", "/?redundancyTransition", "")} {
		if got := c.want(a, 200, "").elements("TaskId"); len(got) != 1 || got[0] != id {
			t.Error(got)
		}
	}
	c.want(c.config("DELETE", "redundancyTransition"+task+id, ""), 204, "")
	c.want(c.config("DELETE", "redundancyTransition"+task+id, ""), 404, "NoSuchBucketDataRedundancyTransition")
}

func TestConfigLists(t *testing.T) {
	now := testTime
	c := newClientOptions(t, &emulator.Options{Now: func() time.Time { return now }})
	c.want(c.config("GET", "inventory", ""), 404, "NoSuchInventory")
	for i := range 101 {
		id := fmt.Sprintf("i%03d", i)
		c.want(c.config("PUT", "inventory&inventoryId="+id, inventory(id)), 200, "")
	}
	a := c.want(c.config("GET", "inventory", ""), 200, "")
	if n := len(a.elements("Id")); n != 100 || a.element("IsTruncated") != "true" {
		t.Errorf("%d inventories", n)
	}
	a = c.want(c.config("GET", "inventory&continuation-token="+a.element("NextContinuationToken"), ""), 200, "")
	if got := a.elements("Id"); fmt.Sprint(got) != "[i100]" || a.element("IsTruncated") != "false" || a.element("ContinuationToken") != "i099" {
		t.Error(a.body)
	}
	for _, name := range []string{"b", "a"} {
		now = now.Add(time.Second)
		c.now = now
		c.want(c.config("PUT", "style&styleName="+name+"&category=document", "<Style><Content>x</Content></Style>"), 200, "")
	}
	a = c.want(c.config("GET", "style", ""), 200, "")
	if got := fmt.Sprint(a.elements("Name"), a.elements("Category")); got != "[b a] [document document]" {
		t.Error(got)
	}
	for _, uid := range []string{"1", "2", "3"} {
		c.want(c.config("PUT", "requesterQosInfo&qosRequester="+uid, configDoc("qosInfo")), 200, "")
	}
	a = c.want(c.config("GET", "requesterQosInfo&max-keys=2", ""), 200, "")
	if got := fmt.Sprint(a.elements("Requester"), a.element("NextContinuationToken"), a.element("IsTruncated")); got != "[1 2]2true" {
		t.Error(got)
	}
	if got := c.config("GET", "requesterQosInfo&continuation-token=2", "").elements("Requester"); fmt.Sprint(got) != "[3]" {
		t.Error(got)
	}
}

func TestServiceCalls(t *testing.T) {
	c := newClient(t)
	if got := c.want(c.do("GET", "/?regions=oss-cn-hangzhou", ""), 200, "").elements("Region"); fmt.Sprint(got) != "[oss-cn-hangzhou]" {
		t.Error(got)
	}
	if got := c.want(c.do("GET", "/?regions", ""), 200, "").elements("Region"); len(got) < 2 {
		t.Error(got)
	}
	c.want(c.do("GET", "/?regions=oss-nowhere", ""), 404, "NoSuchRegion")
	if a := c.want(c.do("GET", "/?qosInfo", ""), 200, ""); a.element("TotalQps") != "10000" || a.element("Region") != "oss-cn-hangzhou" {
		t.Error(a.body)
	}
	c.want(c.do("GET", "/?cloudboxes", ""), 200, "")
	c.want(c.do("POST", "/?x-oss-write-get-object-response", "x"), 400, "MissingArgument")
	c.want(c.do("POST", "/?x-oss-write-get-object-response", "x", "x-oss-request-route", "r", "x-oss-request-token", "t", "x-oss-fwd-status", "200"), 400, "InvalidArgument")
	block := configDoc("publicAccessBlock")
	c.want(c.do("PUT", "/?publicAccessBlock", block), 200, "")
	if got := c.do("GET", "/?publicAccessBlock", "").element("BlockPublicAccess"); got != "true" {
		t.Error(got)
	}
	c.want(c.do("DELETE", "/?publicAccessBlock", ""), 204, "")
	(&client{t: t, h: c.h, anonymous: true}).want((&client{t: t, h: c.h, anonymous: true}).do("GET", "/?publicAccessBlock", ""), 403, "AccessDenied")
}

func TestResourcePools(t *testing.T) {
	c := newClient(t)
	s, ok := c.h.(*emulator.Server)
	if !ok {
		t.Fatal("the handler is no server")
	}
	if a := c.want(c.do("GET", "/?resourcePool", ""), 200, ""); a.element("IsTruncated") != "false" {
		t.Error(a.body)
	}
	if s.CreateResourcePool("no name") == nil {
		t.Error("a pool with a bad name")
	}
	for _, name := range []string{"p1", "p10", "p2"} {
		if err := s.CreateResourcePool(name, "b2", "b1"); err != nil {
			t.Fatal(err)
		}
	}
	a := c.want(c.do("GET", "/?resourcePool&max-keys=2", ""), 200, "")
	if got := fmt.Sprint(a.elements("Name"), a.element("NextContinuationToken")); got != "[p1 p10]p10" {
		t.Error(got)
	}
	if a := c.want(c.do("GET", "/?resourcePoolInfo&resourcePool=p1", ""), 200, ""); a.element("Name") != "p1" || a.element("TotalQps") != "-1" {
		t.Error(a.body)
	}
	c.want(c.do("GET", "/?resourcePool=missing&resourcePoolInfo", ""), 404, "NoSuchResourcePool")
	a = c.want(c.do("GET", "/?resourcePoolBuckets&resourcePool=p1&max-keys=1", ""), 200, "")
	if got := fmt.Sprint(a.elements("Name"), a.element("NextContinuationToken"), a.element("IsTruncated")); got != "[b1]b1true" {
		t.Error(got)
	}
	const q = "/?requesterQosInfo&qosRequester=%d&resourcePool=%s"
	c.want(c.do("PUT", fmt.Sprintf(q, 1, "missing"), configDoc("qosInfo")), 404, "NoSuchResourcePool")
	for i := range 3 {
		c.want(c.do("PUT", fmt.Sprintf(q, i, "p1"), configDoc("qosInfo")), 200, "")
	}
	c.want(c.do("PUT", fmt.Sprintf(q, 9, "p10"), configDoc("qosInfo")), 200, "")
	if a := c.want(c.do("GET", fmt.Sprintf(q, 1, "p1"), ""), 200, ""); a.element("Requester") != "1" || a.element("TotalQps") != "100" {
		t.Error(a.body)
	}
	a = c.want(c.do("GET", "/?requesterQosInfo&resourcePool=p1&max-keys=2", ""), 200, "")
	if got := fmt.Sprint(a.elements("Requester"), a.element("NextContinuationToken")); got != "[0 1]1" {
		t.Error(got)
	}
	a = c.want(c.do("GET", "/?requesterQosInfo&resourcePool=p1&continuation-token=1", ""), 200, "")
	if got := fmt.Sprint(a.elements("Requester"), a.element("IsTruncated")); got != "[2]false" {
		t.Error(got)
	}
	c.want(c.do("DELETE", fmt.Sprintf(q, 1, "p1"), ""), 204, "")
	c.want(c.do("GET", fmt.Sprintf(q, 1, "p1"), ""), 404, "NoSuchRequesterQosInfo")
}
