package emulator

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

const liveShape = `LiveChannelConfiguration{Description? Status:enabled|disabled?
	Target?{Type? FragDuration:1..100? FragCount:1..100? PlaylistName?}}`

const (
	maxLiveDescription = 128
	maxLiveName        = 64 // the vendor's tests have 65 refused
)

// checkLiveName refuses names a channel cannot have.
func (rq *request) checkLiveName() error {
	if len(rq.key) > maxLiveName || strings.Contains(rq.key, "/") {
		return failArgument("LiveChannel", rq.key, "The name of the live channel is not valid.")
	}
	return nil
}

// liveChannel reads the channel that the request's key names.
func (rq *request) liveChannel(tx *store.Tx) (*store.Config, *element, error) {
	c, err := tx.Config(rq.bucket, "live", rq.key)
	if err != nil {
		return nil, nil, err
	}
	if c == nil {
		return nil, nil, fail("NoSuchLiveChannel").with("LiveChannel", rq.key)
	}
	doc, err := parseAnyDocument(c.Doc)
	return c, doc, err
}

// liveURLs are where a channel is played and published.
func (rq *request) liveURLs(channel, playlist string) []*element {
	host := rq.bucket + "." + cmp.Or(rq.host(), rq.s.location()+serviceDomain) + "/"
	return []*element{
		node("PublishUrls", leaf("Url", "rtmp://"+host+"live/"+channel)),
		node("PlayUrls", leaf("Url", "http://"+host+channel+"/"+playlist)),
	}
}

func (rq *request) putLiveChannel() error {
	if err := rq.checkLiveName(); err != nil {
		return err
	}
	doc, err := rq.readElement(liveShape)
	if err != nil {
		return err
	}
	if d := doc.get("Description"); len(d) > maxLiveDescription {
		return failArgument("Description", d, "The description is too long.")
	}
	t := doc.find("Target")
	if t == nil {
		t = node("Target")
		doc.children = append(doc.children, t)
	}
	for _, d := range [][2]string{{"Type", "HLS"}, {"FragDuration", "5"}, {"FragCount", "3"}, {"PlaylistName", "playlist.m3u8"}} {
		if t.get(d[0]) == "" {
			t.set(d[0], d[1])
		}
	}
	if v := t.get("Type"); v != "HLS" {
		return failArgument("Type", v, "The type of the target must be HLS.")
	}
	playlist := t.get("PlaylistName")
	if !strings.HasSuffix(playlist, ".m3u8") || len(playlist) < 6 || len(playlist) > 128 {
		return failArgument("PlaylistName", playlist, "The name of the playlist is not valid.")
	}
	if doc.get("Status") == "" {
		doc.set("Status", "enabled")
	}
	err = rq.updateConfig(func(tx *store.Tx) error { return rq.putConfig(tx, "live", rq.key, doc.bytes()) })
	if err == nil {
		rq.writeElement(node("CreateLiveChannelResult", rq.liveURLs(rq.key, playlist)...))
	}
	return err
}

func (rq *request) viewLive(show func(*store.Config, *element) *element) error {
	var out *element
	err := rq.viewConfig(func(tx *store.Tx) error {
		c, doc, err := rq.liveChannel(tx)
		if err == nil {
			out = show(c, doc)
		}
		return err
	})
	if err == nil {
		rq.writeElement(out)
	}
	return err
}

func (rq *request) getLiveChannel() error {
	return rq.viewLive(func(_ *store.Config, doc *element) *element { return doc })
}

// liveStat says that nobody pushes: the emulator speaks no RTMP.
func (rq *request) liveStat() error {
	return rq.viewLive(func(_ *store.Config, doc *element) *element {
		if doc.get("Status") == "disabled" {
			return node("LiveChannelStat", leaf("Status", "Disabled"))
		}
		return node("LiveChannelStat", leaf("Status", "Idle"))
	})
}

func (rq *request) liveHistory() error {
	return rq.viewLive(func(*store.Config, *element) *element { return node("LiveChannelHistory") })
}

func (rq *request) putLiveStatus() error {
	status := rq.param("status")
	if status != "enabled" && status != "disabled" {
		return failArgument("status", status, "The status must be enabled or disabled.")
	}
	return rq.updateConfig(func(tx *store.Tx) error {
		_, doc, err := rq.liveChannel(tx)
		if err != nil {
			return err
		}
		doc.set("Status", status)
		return rq.putConfig(tx, "live", rq.key, doc.bytes())
	})
}

// deleteLiveChannel succeeds also for a channel that is not there, as a
// repeated deletion does.
func (rq *request) deleteLiveChannel() error {
	if err := rq.checkLiveName(); err != nil {
		return err
	}
	err := rq.updateConfig(func(tx *store.Tx) error { return tx.DeleteConfig(rq.bucket, "live", rq.key) })
	if err == nil {
		rq.w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func (rq *request) listLiveChannels() error {
	limit, err := rq.intParam("max-keys", 100, 1, 1000)
	if err != nil {
		return err
	}
	prefix, marker := rq.param("prefix"), rq.param("marker")
	out := node("ListLiveChannelResult", leaf("Prefix", prefix), leaf("Marker", marker), leaf("MaxKeys", strconv.Itoa(limit)))
	var p configPage
	err = rq.viewConfig(func(tx *store.Tx) (err error) {
		p, err = rq.page(tx, "live", prefix, marker, limit)
		return err
	})
	if err != nil {
		return err
	}
	out.set("IsTruncated", strconv.FormatBool(p.next != ""))
	if p.next != "" {
		out.set("NextMarker", p.next)
	}
	for _, c := range p.list {
		doc, err := parseAnyDocument(c.Doc)
		if err != nil {
			return err
		}
		e := node("LiveChannel", leaf("Name", c.Name), leaf("Description", doc.get("Description")),
			leaf("Status", doc.get("Status")), leaf("LastModified", timeText(c.Modified)))
		e.children = append(e.children, rq.liveURLs(c.Name, doc.get("Target/PlaylistName"))...)
		out.children = append(out.children, e)
	}
	rq.writeElement(out)
	return nil
}

// liveChannels counts a bucket's channels.
func liveChannels(tx *store.Tx, bucket string) (n int64, err error) {
	for _, err := range tx.Configs(bucket, "live", "") {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// vodPlaylist answers requests for a playlist of what was pushed to a channel
// between two times: as nothing ever was, there is none.
func (rq *request) vodPlaylist() error {
	channel := rq.key
	if rq.r.Method == http.MethodPost {
		i := strings.LastIndexByte(channel, '/')
		if i < 0 || !strings.HasSuffix(channel, ".m3u8") {
			return failArgument("PlaylistName", channel, "The name of the playlist is not valid.")
		}
		channel = channel[:i]
	}
	var span [2]int64
	for i, name := range []string{"startTime", "endTime"} {
		v := rq.param(name)
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < 0 {
			return failArgument(name, v, name+" must be a Unix time.")
		}
		span[i] = n
	}
	if span[1] <= span[0] || span[1]-span[0] > 24*60*60 {
		return failArgument("endTime", rq.param("endTime"), "endTime must be after startTime, by a day at most.")
	}
	err := rq.viewConfig(func(tx *store.Tx) error {
		c, err := tx.Config(rq.bucket, "live", channel)
		if err == nil && c == nil {
			err = fail("NoSuchLiveChannel").with("LiveChannel", channel)
		}
		return err
	})
	if err != nil {
		return err
	}
	return failArgument("startTime", rq.param("startTime"), "No ts file found in specified time span.")
}
