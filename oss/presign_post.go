package oss

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// PostPolicyOptions says what a signed form may upload. The zero value allows
// one object of any key and size.
type PostPolicyOptions struct {
	// Key is the only key allowed, KeyPrefix what every key must begin with.
	// "${filename}" at the end of Key stands for the name of the user's file.
	Key       string
	KeyPrefix string

	// MinSize and MaxSize bound the file in bytes. MaxSize 0 means 5 GB.
	MinSize, MaxSize int64

	// Fields are further fields of the form, with the values they must have:
	// Content-Type, x-oss-object-acl, x-oss-meta-*, success_action_status…
	Fields map[string]string

	// Conditions are further conditions as the policy has them, such as
	// ["starts-with", "$x-oss-meta-a", "b"].
	Conditions []any
}

// PostForm is a form that uploads without credentials: an HTTP POST of
// multipart/form-data to URL, with Fields, then the field "key" where Fields has
// none, and last the field "file".
type PostForm struct {
	URL    string
	Fields map[string]string
}

// SignPostPolicy makes a form with which whoever has it may upload until it
// expires (PostObject), as a browser does. It sends nothing.
func (b *Bucket) SignPostPolicy(ctx context.Context, expires time.Duration, opts *PostPolicyOptions) (*PostForm, error) {
	const op = "SignPostPolicy"
	var o PostPolicyOptions
	if opts != nil {
		o = *opts
	}
	switch {
	case expires < time.Second:
		return nil, usageError(op, "expires", "is less than a second")
	case o.Key != "" && o.KeyPrefix != "":
		return nil, usageError(op, "key", "is given whole and as a prefix")
	case o.MinSize < 0 || o.MaxSize < 0 || o.MaxSize > 0 && o.MaxSize < o.MinSize:
		return nil, usageError(op, "size", "has bounds that allow nothing")
	}
	if err := checkBucketName(op, b.name); err != nil {
		return nil, err
	}
	c := b.client
	creds, err := c.credentials(ctx)
	if err != nil {
		return nil, err
	}
	if creds.anonymous() {
		return nil, usageError(op, "credentials", "are needed to sign")
	}
	now := c.clock().UTC()
	fields := maps.Clone(o.Fields)
	if fields == nil {
		fields = map[string]string{}
	}
	if o.Key != "" {
		fields["key"] = o.Key
	}
	v4, isV4 := c.signer.(*signerV4)
	if isV4 {
		day := v4.key(creds.AccessKeySecret, now.Format(timeV4)[:8])
		fields["x-oss-signature-version"] = algorithmV4
		fields["x-oss-credential"] = creds.AccessKeyID + "/" + day.scope
		fields["x-oss-date"] = now.Format(timeV4)
		if creds.SecurityToken != "" {
			fields["x-oss-security-token"] = creds.SecurityToken
		}
	}
	policy, err := o.policy(b.name, now.Add(expires), fields)
	if err != nil {
		return nil, usageError(op, "conditions", err.Error())
	}
	fields["policy"] = policy
	if isV4 {
		fields["x-oss-signature"] = v4.text(creds.AccessKeySecret, now, policy)
	} else {
		fields["OSSAccessKeyId"], fields["Signature"] = creds.AccessKeyID, base64HMACSHA1(creds.AccessKeySecret, []byte(policy))
		if creds.SecurityToken != "" {
			fields["x-oss-security-token"] = creds.SecurityToken
		}
	}
	host, path := c.endpoint.locate(b.name, "")
	return &PostForm{URL: c.urlOf(host, path, "", "").String(), Fields: fields}, nil
}

// policy is the document, in base64: every field must have its value.
func (o *PostPolicyOptions) policy(bucket string, expires time.Time, fields map[string]string) (string, error) {
	conditions := []any{map[string]string{"bucket": bucket}}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		switch value := fields[name]; {
		case name == "key" && strings.Contains(value, "${filename}"):
			before, _, _ := strings.Cut(value, "${filename}")
			conditions = append(conditions, []string{"starts-with", "$key", before})
		default:
			conditions = append(conditions, []string{"eq", "$" + name, value})
		}
	}
	if o.KeyPrefix != "" {
		conditions = append(conditions, []string{"starts-with", "$key", o.KeyPrefix})
	}
	if o.MinSize > 0 || o.MaxSize > 0 {
		most := o.MaxSize
		if most == 0 {
			most = 5 << 30
		}
		conditions = append(conditions, []any{"content-length-range", o.MinSize, most})
	}
	text, err := json.Marshal(map[string]any{
		"expiration": expires.Format("2006-01-02T15:04:05.000Z"),
		"conditions": append(conditions, o.Conditions...),
	})
	return base64.StdEncoding.EncodeToString(text), err
}

// SignRTMPURL gives a URL to push a live stream of an RTMP channel to, until it
// expires. playlist is the name of the playlist that is made. The signature is
// V1, the only one that RTMP has.
func (b *Bucket) SignRTMPURL(ctx context.Context, channel, playlist string, expires time.Duration) (string, error) {
	const op = "SignRTMPURL"
	if err := checkBucketName(op, b.name); err != nil {
		return "", err
	}
	if err := checkKey(op, channel); err != nil {
		return "", err
	}
	if expires < time.Second {
		return "", usageError(op, "expires", "is less than a second")
	}
	c := b.client
	creds, err := c.credentials(ctx)
	if err != nil {
		return "", err
	}
	query := []param{{"playlistName", playlist}}
	if creds.SecurityToken != "" {
		query = append(query, param{"security-token", creds.SecurityToken})
	}
	if !creds.anonymous() {
		until := itoa(c.clock().Add(expires).Unix())
		var text strings.Builder
		text.WriteString(until + "\n")
		for _, p := range query { // which are in order
			text.WriteString(p.name + ":" + p.value + "\n")
		}
		text.WriteString("/" + b.name + "/" + channel)
		query = append(query, param{"OSSAccessKeyId", creds.AccessKeyID}, param{"Expires", until},
			param{"Signature", base64HMACSHA1(creds.AccessKeySecret, []byte(text.String()))})
	}
	host, path := c.endpoint.locate(b.name, "")
	u := url.URL{Scheme: "rtmp", Host: host, Path: strings.TrimSuffix(path, "/") + "/live/" + channel, RawQuery: string(appendQuery(nil, query))}
	return u.String(), nil
}
