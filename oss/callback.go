package oss

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
)

// Callback is a request that the service sends to a server of the caller's once
// an upload is stored, and whose answer it passes on as CallbackBody (OSS,
// "Callback"). PutObject and CompleteMultipartUpload take it encoded.
type Callback struct {
	// URLs are where to send it: one to five, of which the first that
	// answers counts.
	URLs []string

	// Host stands in the Host header. "" means that of the URL.
	Host string

	// Body is what to send, with ${bucket}, ${object}, ${etag}, ${size},
	// ${mimeType} and ${x:NAME} filled in by the service.
	Body string

	// BodyType is its type: "" means application/x-www-form-urlencoded, with
	// values encoded so; the other is application/json.
	BodyType string

	// SNI has the service name the host in a TLS handshake.
	SNI bool

	// Vars are values for ${x:NAME} by NAME, in lower case and without "x:".
	Vars map[string]string
}

// maxCallback bounds a callback and its variables in bytes, each encoded.
const maxCallback = 5 << 10

// Encode gives the values of ObjectHeaders.Callback and CallbackVar, and of the
// query parameters callback and callback-var of a signed URL. vars is "" where
// there are none.
func (c *Callback) Encode() (callback, vars string, err error) {
	const op = "Callback"
	if len(c.URLs) < 1 || len(c.URLs) > 5 {
		return "", "", usageError(op, "URLs", strconv.Itoa(len(c.URLs))+" is not 1 to 5")
	}
	for _, u := range c.URLs {
		if u == "" || strings.ContainsAny(u, "; \r\n") {
			return "", "", usageError(op, "URLs", quote(u)+" is no URL")
		}
	}
	if c.Body == "" {
		return "", "", usageError(op, "Body", "is empty")
	}
	callback, err = encodeJSON(op, "Callback", struct {
		URL      string `json:"callbackUrl"`
		Host     string `json:"callbackHost,omitempty"`
		Body     string `json:"callbackBody"`
		BodyType string `json:"callbackBodyType,omitempty"`
		SNI      bool   `json:"callbackSNI,omitempty"`
	}{strings.Join(c.URLs, ";"), c.Host, c.Body, c.BodyType, c.SNI})
	if err != nil || len(c.Vars) == 0 {
		return callback, "", err
	}
	named := make(map[string]string, len(c.Vars))
	for name, value := range c.Vars {
		if name == "" || name != strings.ToLower(name) || strings.ContainsAny(name, ":{}") {
			return "", "", usageError(op, "Vars", quote(name)+" is no name in lower case")
		}
		named["x:"+name] = value
	}
	vars, err = encodeJSON(op, "Vars", named)
	return callback, vars, err
}

// encodeJSON gives base64 of v as JSON.
func encodeJSON(op, field string, v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", usageError(op, field, err.Error())
	}
	s := base64.StdEncoding.EncodeToString(text)
	if len(s) > maxCallback {
		return "", usageError(op, field, "is larger than 5 KiB")
	}
	return s, nil
}
