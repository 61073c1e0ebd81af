package emulator

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

const (
	// callbackTimeout is how long one callback may take, as with the service.
	callbackTimeout = 5 * time.Second

	// maxCallback is the largest description of a callback, and
	// maxCallbackAnswer the largest answer to one, in bytes.
	maxCallback       = 5 << 10
	maxCallbackAnswer = 3 << 20
)

// callback is what x-oss-callback asks for once an object is stored.
type callback struct {
	URL      string `json:"callbackUrl"`
	Host     string `json:"callbackHost"`
	Body     string `json:"callbackBody"`
	BodyType string `json:"callbackBodyType"`
	Policy   string `json:"callbackPolicy"` // of the bucket, in place of all above

	vars map[string]string // of x-oss-callback-var
}

const (
	callbackForm = "application/x-www-form-urlencoded"
	callbackJSON = "application/json"
)

// readCallback reads what to call, nil for nothing.
func (rq *request) readCallback() (*callback, error) {
	var c callback
	asked, err := rq.callbackParam("callback", &c)
	if err != nil || !asked {
		return nil, err
	}
	if _, err := rq.callbackParam("callback-var", &c.vars); err != nil {
		return nil, err
	}
	if c.Policy != "" {
		if err := rq.readCallbackPolicy(&c); err != nil {
			return nil, err
		}
	}
	bad := func(name string) error {
		return failArgument(name, "", "The callback configuration is not valid: "+name+".")
	}
	switch {
	case c.URL == "" || strings.Count(c.URL, ";") >= 5:
		return nil, bad("callbackUrl")
	case c.Body == "" || strings.Contains(c.Body, "$("): // a variable is ${name}
		return nil, bad("callbackBody")
	case c.BodyType != "" && c.BodyType != callbackForm && c.BodyType != callbackJSON:
		return nil, bad("callbackBodyType")
	}
	for address := range strings.SplitSeq(c.URL, ";") {
		if _, err := callbackAddress(address); err != nil {
			return nil, bad("callbackUrl")
		}
	}
	maps.DeleteFunc(c.vars, func(name, _ string) bool { return !strings.HasPrefix(name, "x:") }) // ignored, not refused
	return &c, nil
}

// callbackAddress reads one address of callbackUrl, which may go without
// http://. Its host must be localhost, an IP address or have a domain.
func callbackAddress(s string) (*url.URL, error) {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "://") {
		s = "http://" + s
	}
	u, err := url.Parse(s)
	if err != nil {
		return nil, err
	}
	if host := u.Hostname(); !loopback(host) && !strings.ContainsAny(host, ".:") {
		return nil, fmt.Errorf("host %q has no domain", host)
	}
	return u, nil
}

// readCallbackPolicy takes what c.Policy names from the bucket's configuration.
// Variables of the request's own come before those of the policy.
func (rq *request) readCallbackPolicy(c *callback) error {
	var doc *element
	err := rq.viewConfig(func(tx *store.Tx) (err error) {
		doc, err = configDoc(tx, rq.bucket, "policy&comp=callback", "")
		return err
	})
	if err != nil {
		return err
	}
	var item *element
	if doc != nil {
		for _, e := range doc.all("PolicyItem") {
			if e.get("PolicyName") == c.Policy {
				item = e
			}
		}
	}
	if item == nil {
		return failArgument("callbackPolicy", c.Policy, "The bucket has no callback policy of this name.")
	}
	// What is stored was checked to be base64 of JSON, but not of which.
	read := func(field string, into any) error {
		raw, err := base64.StdEncoding.DecodeString(item.get(field))
		if err != nil || len(raw) > 0 && json.Unmarshal(raw, into) != nil {
			return failArgument("callbackPolicy", c.Policy, "The callback policy is not valid: "+field+".")
		}
		return nil
	}
	vars := make(map[string]string)
	if err := cmp.Or(read("Callback", c), read("CallbackVar", &vars)); err != nil {
		return err
	}
	maps.Copy(vars, c.vars)
	c.vars = vars
	return nil
}

// callbackParam decodes a header x-oss-NAME or parameter NAME, base64 of JSON.
func (rq *request) callbackParam(name string, into any) (asked bool, err error) {
	text, param := rq.header("x-oss-"+name), rq.param(name)
	if text != "" && param != "" {
		return false, failArgument(name, param, "The callback is in both the header and the query.")
	}
	if text += param; text == "" {
		return false, nil
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(text) > maxCallback || json.Unmarshal(raw, into) != nil {
		return false, failArgument(name, text, "The callback configuration is not base64 of a JSON object.")
	}
	return true, nil
}

// call makes the callback for o, which is stored by now, and answers with what
// comes back; or with CallbackFailed. This server calls nobody but this
// machine: for any other address the callback has failed.
func (rq *request) call(c *callback, o *store.Object) error {
	failed := func(msg string) error {
		e := fail("CallbackFailed")
		e.msg = msg
		return e
	}
	msg := "Error status : 301."
	for address := range strings.SplitSeq(c.URL, ";") {
		u, err := callbackAddress(address)
		if err != nil || u.Scheme != "http" || !loopback(u.Hostname()) {
			continue
		}
		answer, status, err := rq.post(u, c, o)
		switch {
		case err != nil:
			msg = "Error status : -1."
		case status != http.StatusOK:
			msg = "Error status : " + strconv.Itoa(status) + "."
		case !json.Valid(answer):
			msg = "Response body is not valid json format."
		default:
			rq.set("Content-Type", callbackJSON)
			rq.set("Content-Length", strconv.Itoa(len(answer)))
			_, _ = rq.w.Write(answer) // the client's loss: all is stored
			return nil
		}
	}
	return failed(msg)
}

// loopback reports whether a host is surely this machine.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
}

func (rq *request) post(u *url.URL, c *callback, o *store.Object) (answer []byte, status int, err error) {
	r, err := http.NewRequestWithContext(rq.r.Context(), http.MethodPost, u.String(), strings.NewReader(rq.callbackBody(c, o)))
	if err != nil {
		return nil, 0, err
	}
	if c.Host != "" {
		r.Host = c.Host
	}
	if c.BodyType == callbackJSON {
		r.Header.Set("Content-Type", callbackJSON)
	} else {
		r.Header.Set("Content-Type", callbackForm)
	}
	r.Header.Set("x-oss-bucket", rq.bucket)
	r.Header.Set("x-oss-request-id", rq.id)
	r.Header.Set("x-oss-requester", ownerID)
	client := http.Client{
		Timeout:       callbackTimeout,
		Transport:     &http.Transport{DisableKeepAlives: true}, // no proxy: it would not be this machine
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxCallbackAnswer+1))
	if err == nil && len(answer) > maxCallbackAnswer {
		err = io.ErrShortBuffer
	}
	return answer, resp.StatusCode, err
}

// callbackBody fills in the variables. Text is escaped as the type of the body
// needs it: quoted in JSON, percent-encoded in a form.
func (rq *request) callbackBody(c *callback, o *store.Object) string {
	client, _, _ := net.SplitHostPort(rq.r.RemoteAddr)
	values := map[string]string{
		"bucket": rq.bucket, "object": rq.key, "etag": o.ETag, "size": strconv.FormatInt(o.Size, 10),
		"mimeType": headerValue(o.Headers, "content-type"), "crc64": strconv.FormatUint(o.CRC64, 10),
		"contentMd5": o.MD5, "clientIp": client, "reqId": rq.id, "operation": rq.op,
	}
	maps.Copy(values, c.vars)
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v := values[name]
		switch {
		case c.BodyType != callbackJSON:
			v = url.QueryEscape(v)
		case name != "size":
			v = quoteJSON(v)
		}
		pairs = append(pairs, "${"+name+"}", v)
	}
	return strings.NewReplacer(pairs...).Replace(c.Body)
}

func quoteJSON(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}
