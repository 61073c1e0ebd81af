package oss

import (
	"context"
	"iter"
	"net/http"
	"strconv"
	"time"
)

// LiveChannelConfiguration is a channel that RTMP streams are pushed to and that
// the service stores as HLS.
type LiveChannelConfiguration struct {
	Description string `xml:",omitempty"`

	// ChannelStatus is enabled or disabled. "" leaves it to the service:
	// enabled.
	ChannelStatus string `xml:"Status,omitempty"`

	Target LiveChannelTarget
}

// LiveChannelTarget is how a stream is stored.
type LiveChannelTarget struct {
	Type         string // HLS
	FragDuration int    `xml:",omitempty"` // seconds of a TS file, 1 to 100; 0 means 5
	FragCount    int    `xml:",omitempty"` // TS files in the playlist, 1 to 100; 0 means 3
	PlaylistName string `xml:",omitempty"` // ends in .m3u8; "" means playlist.m3u8
}

func (c *LiveChannelConfiguration) document() (string, []byte, error) {
	return marshalDocument("LiveChannelConfiguration", c)
}

// live is a call on a channel.
func (b *Bucket) live(op, method, channel string) *config {
	return newConfig(b.objectCall(op, method, channel), "live")
}

// CreateLiveChannelResult is the answer to CreateLiveChannel.
type CreateLiveChannelResult struct {
	Response   `xml:"-"`
	PublishURL string `xml:"PublishUrls>Url"` // RTMP, to be signed by SignRTMPURL
	PlayURL    string `xml:"PlayUrls>Url"`    // HLS
}

// CreateLiveChannel makes the channel, or replaces its configuration by a
// *LiveChannelConfiguration (PutLiveChannel).
func (b *Bucket) CreateLiveChannel(ctx context.Context, channel string, live Document, opts *ConfigOptions) (*CreateLiveChannelResult, error) {
	return get[CreateLiveChannelResult](ctx, b.live("CreateLiveChannel", http.MethodPut, channel).body("LiveChannelConfiguration", live, opts), "CreateLiveChannelResult")
}

// DeleteLiveChannel removes the channel; what was stored stays. errors.Is:
// ErrChannelStillLive.
func (b *Bucket) DeleteLiveChannel(ctx context.Context, channel string) (*Response, error) {
	return b.live("DeleteLiveChannel", http.MethodDelete, channel).send(ctx)
}

// GetLiveChannelResult is the answer to GetLiveChannel.
type GetLiveChannelResult struct {
	Response `xml:"-"`
	LiveChannelConfiguration
}

// GetLiveChannel gives the channel's configuration (GetLiveChannelInfo).
// errors.Is: ErrNoSuchLiveChannel.
func (b *Bucket) GetLiveChannel(ctx context.Context, channel string) (*GetLiveChannelResult, error) {
	return get[GetLiveChannelResult](ctx, b.live("GetLiveChannel", http.MethodGet, channel), "LiveChannelConfiguration")
}

// LiveChannel is a channel in a listing.
type LiveChannel struct {
	Name          string
	Description   string
	ChannelStatus string `xml:"Status"` // enabled or disabled
	LastModified  Time
	PublishURL    string `xml:"PublishUrls>Url"`
	PlayURL       string `xml:"PlayUrls>Url"`
}

// ListLiveChannelOptions tunes ListLiveChannel and LiveChannels. The zero value
// lists from the first channel.
type ListLiveChannelOptions struct {
	Prefix string

	// Marker is the name after which the listing begins.
	Marker string

	// MaxKeys bounds a page, 1 to 1000. 0 leaves it to the service, which
	// takes 100.
	MaxKeys int
}

// ListLiveChannelResult is a page of channels, by name.
type ListLiveChannelResult struct {
	Response    `xml:"-"`
	Channels    []LiveChannel `xml:"LiveChannel"`
	IsTruncated bool

	// NextMarker is the Marker of the next page.
	NextMarker string
}

// ListLiveChannel lists a page of the bucket's channels.
func (b *Bucket) ListLiveChannel(ctx context.Context, opts *ListLiveChannelOptions) (*ListLiveChannelResult, error) {
	var o ListLiveChannelOptions
	if opts != nil {
		o = *opts
	}
	c := b.config("ListLiveChannel", http.MethodGet, "live").maxKeys(o.MaxKeys)
	c.setOpt("prefix", o.Prefix)
	c.setOpt("marker", o.Marker)
	return get[ListLiveChannelResult](ctx, c, "ListLiveChannelResult")
}

// LiveChannels lists all pages of the bucket's channels, by name.
func (b *Bucket) LiveChannels(ctx context.Context, opts *ListLiveChannelOptions) iter.Seq2[LiveChannel, error] {
	var o ListLiveChannelOptions
	if opts != nil {
		o = *opts
	}
	return pages("ListLiveChannel", b.name, o.Marker, func(marker string) (listing[LiveChannel], *Response, error) {
		r, err := b.ListLiveChannel(ctx, &ListLiveChannelOptions{Prefix: o.Prefix, Marker: marker, MaxKeys: o.MaxKeys})
		if err != nil {
			return listing[LiveChannel]{}, nil, err
		}
		return listing[LiveChannel]{r.Channels, r.IsTruncated, r.NextMarker}, &r.Response, nil
	})
}

// GetLiveChannelStatResult is the answer to GetLiveChannelStat.
type GetLiveChannelStatResult struct {
	Response      `xml:"-"`
	ChannelStatus string `xml:"Status"` // Disabled, Live or Idle
	RemoteAddr    string // of the one who pushes, IP:port
	ConnectedTime Time

	// Video and Audio are nil while nothing is pushed.
	Video *LiveChannelVideo
	Audio *LiveChannelAudio
}

// LiveChannelVideo is the picture of a stream.
type LiveChannelVideo struct {
	Width     int
	Height    int
	FrameRate int
	Bandwidth int64 // bit/s
	Codec     string
}

// LiveChannelAudio is the sound of a stream.
type LiveChannelAudio struct {
	SampleRate int
	Bandwidth  int64 // bit/s
	Codec      string
}

// GetLiveChannelStat asks what is being pushed to the channel.
func (b *Bucket) GetLiveChannelStat(ctx context.Context, channel string) (*GetLiveChannelStatResult, error) {
	return get[GetLiveChannelStatResult](ctx, b.live("GetLiveChannelStat", http.MethodGet, channel).with("comp", "stat"), "LiveChannelStat")
}

// PutLiveChannelStatus sets the channel to enabled or disabled.
func (b *Bucket) PutLiveChannelStatus(ctx context.Context, channel, status string) (*Response, error) {
	return b.live("PutLiveChannelStatus", http.MethodPut, channel).with("status", status).send(ctx)
}

// GetLiveChannelHistoryResult is the answer to GetLiveChannelHistory.
type GetLiveChannelHistoryResult struct {
	Response `xml:"-"`

	// Records are the last pushes, at most 10.
	Records []LiveRecord `xml:"LiveRecord"`
}

// LiveRecord is a push that has ended.
type LiveRecord struct {
	StartTime  Time
	EndTime    Time
	RemoteAddr string // IP:port
}

// GetLiveChannelHistory gives the last pushes to the channel.
func (b *Bucket) GetLiveChannelHistory(ctx context.Context, channel string) (*GetLiveChannelHistoryResult, error) {
	return get[GetLiveChannelHistoryResult](ctx, b.live("GetLiveChannelHistory", http.MethodGet, channel).with("comp", "history"), "LiveChannelHistory")
}

// PostVODPlaylist stores a playlist of what was pushed to the channel from start
// to end, a day at most, under the key CHANNEL/PLAYLIST (PostVodPlaylist).
func (b *Bucket) PostVODPlaylist(ctx context.Context, channel, playlist string, start, end time.Time) (*Response, error) {
	c := b.vod("PostVODPlaylist", http.MethodPost, channel+"/"+playlist, start, end)
	c.need("channel", channel)
	c.need("playlist", playlist)
	return c.send(ctx)
}

// GetVODPlaylistResult is the answer to GetVODPlaylist.
type GetVODPlaylistResult struct {
	Response

	// Playlist is in the form of M3U8.
	Playlist string
}

// GetVODPlaylist gives a playlist of what was pushed to the channel from start
// to end, a day at most (GetVodPlaylist).
func (b *Bucket) GetVODPlaylist(ctx context.Context, channel string, start, end time.Time) (*GetVODPlaylistResult, error) {
	resp, text, err := b.vod("GetVODPlaylist", http.MethodGet, channel, start, end).text(ctx)
	if err != nil {
		return nil, err
	}
	return &GetVODPlaylistResult{resp, text}, nil
}

func (b *Bucket) vod(op, method, key string, start, end time.Time) *config {
	c := newConfig(b.objectCall(op, method, key), "vod")
	if !end.After(start) {
		c.err = usageError(op, "end", "is not after start")
	}
	return c.with("startTime", strconv.FormatInt(start.Unix(), 10)).with("endTime", strconv.FormatInt(end.Unix(), 10))
}
