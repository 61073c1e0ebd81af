package emulator

import "net/http"

// otherConfigRoutes has the configuration that is more than one document to
// put and get. All of it is the owner's.
func otherConfigRoutes() []route {
	r := func(method string, l level, sub, op string, handle func(*request) error) route {
		return route{routeKey: routeKey{method, l, sub, false}, op: op, handle: handle}
	}
	return []route{
		r("GET", onService, "tagging", "ListBuckets", (*request).listBuckets),
		r("GET", onService, "regions", "DescribeRegions", (*request).describeRegions),
		r("GET", onService, "qosInfo", "GetUserQosInfo", (*request).userQoS),
		r("GET", onService, "cloudboxes", "ListCloudBoxes", (*request).listCloudBoxes),
		r("GET", onService, "accessPoint", "ListAccessPoints", (*request).listAccessPoints),
		r("GET", onService, "accessPointForObjectProcess", "ListAccessPointsForObjectProcess", (*request).listObjectProcess),
		r("GET", onService, "redundancyTransition", "ListUserDataRedundancyTransition", (*request).listAllRedundancyTransitions),
		r("GET", onService, "resourcePool", "ListResourcePools", (*request).listResourcePools),
		r("GET", onService, "resourcePoolInfo", "GetResourcePoolInfo", (*request).resourcePoolInfo),
		r("GET", onService, "resourcePoolBuckets", "ListResourcePoolBuckets", (*request).listResourcePoolBuckets),
		r("GET", onService, "requesterQosInfo", "ListResourcePoolRequesterQosInfos", (*request).listPoolRequesterQoS),
		r("GET", onService, "requesterQosInfo&qosRequester", "GetResourcePoolRequesterQosInfo", (*request).getPoolRequesterQoS),
		r("POST", onService, "dataPipeline", "DoDataPipeLineAction", (*request).dataPipeline),
		r("POST", onService, writeResponse, "WriteGetObjectResponse", (*request).writeGetObjectResponse),

		r("GET", onBucket, "policyStatus", "GetBucketPolicyStatus", (*request).policyStatus),
		r("DELETE", onBucket, "tagging", "DeleteBucketTags", (*request).deleteBucketTags),
		r("GET", onBucket, "inventory", "ListBucketInventory", (*request).listInventories),
		r("GET", onBucket, "style", "ListStyle", (*request).listStyles),
		r("GET", onBucket, "style&styleName", "GetStyle", (*request).getStyle),
		r("GET", onBucket, "requesterQosInfo", "ListBucketRequesterQosInfos", (*request).listBucketRequesterQoS),
		r("GET", onBucket, "requesterQosInfo&qosRequester", "GetBucketRequesterQosInfo", (*request).getBucketRequesterQoS),

		r("POST", onBucket, "worm", "InitiateBucketWorm", (*request).initiateWorm),
		r("POST", onBucket, "wormId", "CompleteBucketWorm", (*request).completeWorm),
		r("POST", onBucket, "wormExtend", "ExtendBucketWorm", (*request).extendWorm),
		r("DELETE", onBucket, "worm", "AbortBucketWorm", (*request).abortWorm),
		r("GET", onBucket, "worm", "GetBucketWorm", (*request).getWorm),

		r("POST", onBucket, "replication&comp=add", "PutBucketReplication", (*request).putReplication),
		r("POST", onBucket, "replication&comp=delete", "DeleteBucketReplication", (*request).deleteReplication),
		r("GET", onBucket, "replication", "GetBucketReplication", (*request).getReplication),
		r("GET", onBucket, "replicationLocation", "GetBucketReplicationLocation", (*request).replicationLocation),
		r("GET", onBucket, "replicationProgress", "GetBucketReplicationProgress", (*request).replicationProgress),
		r("PUT", onBucket, "rtc", "PutBucketRtc", (*request).putRTC),

		r("POST", onBucket, "cname&comp=token", "CreateCnameToken", (*request).createCnameToken),
		r("GET", onBucket, "cname&comp=token", "GetCnameToken", (*request).getCnameToken),
		r("POST", onBucket, "cname&comp=add", "PutCname", (*request).putCname),
		r("POST", onBucket, "cname&comp=delete", "DeleteCname", (*request).deleteCname),
		r("GET", onBucket, "cname", "ListCname", (*request).listCname),

		r("POST", onBucket, "metaQuery&comp=add", "OpenMetaQuery", (*request).openMetaQuery),
		r("POST", onBucket, "metaQuery&comp=query", "DoMetaQuery", (*request).doMetaQuery),
		r("POST", onBucket, "metaQuery&comp=delete", "CloseMetaQuery", (*request).closeMetaQuery),
		r("POST", onBucket, "metaQuery", "DoMetaQueryAction", (*request).metaQueryAction),
		r("GET", onBucket, "metaQuery", "GetMetaQueryStatus", (*request).metaQueryStatus),

		r("PUT", onBucket, "accessPoint", "CreateAccessPoint", (*request).createAccessPoint),
		r("GET", onBucket, "accessPoint", "ListAccessPoints", (*request).listAccessPoints),
		r("GET", onBucket, "accessPoint&"+accessPointName, "GetAccessPoint", (*request).getAccessPoint),
		r("DELETE", onBucket, "accessPoint&"+accessPointName, "DeleteAccessPoint", (*request).deleteAccessPoint),
		r("PUT", onBucket, "accessPointForObjectProcess", "CreateAccessPointForObjectProcess", (*request).createObjectProcess),
		r("GET", onBucket, "accessPointForObjectProcess", "GetAccessPointForObjectProcess", (*request).getObjectProcess),
		r("DELETE", onBucket, "accessPointForObjectProcess", "DeleteAccessPointForObjectProcess", (*request).deleteObjectProcess),
		r("PUT", onBucket, "accessPointConfigForObjectProcess", "PutAccessPointConfigForObjectProcess", (*request).putObjectProcessConfig),
		r("GET", onBucket, "accessPointConfigForObjectProcess", "GetAccessPointConfigForObjectProcess", (*request).getObjectProcessConfig),

		r("POST", onBucket, "redundancyTransition", "CreateBucketDataRedundancyTransition", (*request).createRedundancyTransition),
		r("GET", onBucket, "redundancyTransition", "ListBucketDataRedundancyTransition", (*request).listRedundancyTransitions),
		r("GET", onBucket, "redundancyTransition&"+redundancyTask, "GetBucketDataRedundancyTransition", (*request).getRedundancyTransition),
		r("DELETE", onBucket, "redundancyTransition&"+redundancyTask, "DeleteBucketDataRedundancyTransition", (*request).deleteRedundancyTransition),
		r("POST", onBucket, "asyncFetch", "PutAsyncFetchTask", (*request).putAsyncFetch),
		r("GET", onBucket, "asyncFetch", "GetAsyncFetchTask", (*request).getAsyncFetch),

		r("GET", onBucket, "live", "ListLiveChannel", (*request).listLiveChannels),
		r("PUT", onObject, "live", "PutLiveChannel", (*request).putLiveChannel),
		r("PUT", onObject, "live&status", "PutLiveChannelStatus", (*request).putLiveStatus),
		r("GET", onObject, "live", "GetLiveChannelInfo", (*request).getLiveChannel),
		r("GET", onObject, "live&comp=stat", "GetLiveChannelStat", (*request).liveStat),
		r("GET", onObject, "live&comp=history", "GetLiveChannelHistory", (*request).liveHistory),
		r("DELETE", onObject, "live", "DeleteLiveChannel", (*request).deleteLiveChannel),
		r("GET", onObject, "vod", "GetVodPlaylist", (*request).vodPlaylist),
		r("POST", onObject, "vod", "PostVodPlaylist", (*request).vodPlaylist),
	}
}

// writeResponse is the parameter of WriteGetObjectResponse.
const writeResponse = "x-oss-write-get-object-response"

// qualifiers are the parameters, or headers, that select among the operations
// of a sub-resource, as comp does.
var qualifiers = map[string]string{
	"accessPoint":          accessPointName,
	"publicAccessBlock":    accessPointName,
	"inventory":            "inventoryId",
	"style":                "styleName",
	"requesterQosInfo":     "qosRequester",
	"redundancyTransition": redundancyTask,
	"live":                 "status",
}

// qualified completes a sub-resource with what selects among its operations.
func (rq *request) qualified(sub string) string {
	if comp := rq.param("comp"); comp != "" {
		return sub + "&comp=" + comp
	}
	if sub == processParam && rq.r.Method == http.MethodPost {
		return rq.selectSub()
	}
	if q, ok := qualifiers[sub]; ok && rq.named(q) != "" {
		return sub + "&" + q
	}
	return sub
}
