package transfer

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"iter"
	"time"
	"unicode/utf8"

	"github.com/osssync/osssync/internal/localfs"
)

// PlanVersion is the version of a plan's form. A plan of another version is
// refused.
const PlanVersion = 1

// A plan is lines of JSON: a planHeader, a planLine for each action, transfers
// before deletions and both in the order of their names' bytes, and a planEnd.

// planHeader says what the plan is of. It holds no secret.
type planHeader struct {
	Version     int               `json:"v"`
	Type        string            `json:"type"` // "plan"
	Operation   string            `json:"operation"`
	Source      string            `json:"source"`
	Destination string            `json:"destination"`
	Options     map[string]string `json:"options,omitempty"` // that shape the result; Call has all
	Job         string            `json:"job"`
	Created     time.Time         `json:"created"`
	Call        call              `json:"call"`
}

// planLine is one action.
type planLine struct {
	Type        string `json:"type"`   // "action"
	Action      string `json:"action"` // "put", "get", "copy", "delete", "remove"
	Name        string `json:"name"`   // below source and destination
	Reason      string `json:"reason"`
	Size        int64  `json:"size"`            // bytes that move, or are deleted
	Moves       bool   `json:"moves,omitempty"` // then the source is removed
	Source      *seen  `json:"source,omitempty"`
	Destination *seen  `json:"destination,omitempty"` // nil: nothing was there
}

// planEnd is the last line.
type planEnd struct {
	Type    string     `json:"type"` // "end"
	Actions int64      `json:"actions"`
	Counts  PlanCounts `json:"counts"`
	SHA256  string     `json:"sha256"` // of all lines before, in hexadecimal
}

// seen is the state of one side of a name as the plan has seen it: of a file
// its size, times, inode, device, names and mode, of an object its size and ETag.
type seen struct {
	Size    int64  `json:"size"`
	ModTime int64  `json:"mtime"`           // ns since 1970
	Changed int64  `json:"ctime,omitempty"` // ns since 1970
	Inode   uint64 `json:"inode,omitempty"`
	Device  uint64 `json:"device,omitempty"`
	Links   uint64 `json:"links,omitempty"` // names of a file that has several
	Mode    uint32 `json:"mode,omitempty"`  // a file's, as io/fs counts its bits
	ETag    string `json:"etag,omitempty"`
	Class   string `json:"class,omitempty"`
	Link    bool   `json:"link,omitempty"`   // it is a symbolic link
	Target  string `json:"target,omitempty"` // the name that a link at the source leads to, below its side
}

func (e entry) seen() *seen {
	if e.etag != "" {
		return &seen{Size: e.size, ModTime: e.modTime.UnixNano(), ETag: e.etag, Class: e.class, Link: e.link || e.skip == reasonSymlink, Target: e.target}
	}
	s := &seen{Size: e.id.Size, ModTime: e.id.ModTime, Changed: e.id.ChangeTime, Inode: e.id.Inode, Device: e.id.Device, Mode: uint32(e.id.Mode), Link: e.id.Mode&fs.ModeSymlink != 0, Target: e.target}
	if e.id.Links > 1 {
		s.Links = e.id.Links
	}
	return s
}

// entry is what s was made of.
func (s *seen) entry(name string) entry {
	e := entry{name: name, size: s.Size, modTime: time.Unix(0, s.ModTime), etag: s.ETag, class: s.Class, link: s.Link, target: s.Target}
	if s.Link || fs.FileMode(s.Mode).IsDir() {
		e.size = 0
	}
	if s.ETag == "" {
		e.id = localfs.Identity{Size: s.Size, ModTime: s.ModTime, ChangeTime: s.Changed, Inode: s.Inode, Device: s.Device, Links: max(s.Links, 1), Mode: fs.FileMode(s.Mode)}
	}
	return e
}

// PlanError says why a plan cannot be applied. Nothing was done.
type PlanError struct {
	Line   int64 // counted from 1; 0 if it is not one line
	Reason string
	Err    error // what else is known; may be nil
}

func (e *PlanError) Error() string {
	text := "the plan " + e.Reason
	if e.Line > 0 {
		text = fmt.Sprintf("the plan's line %d %s", e.Line, e.Reason)
	}
	if e.Err != nil {
		text += ": " + oneLine(e.Err.Error())
	}
	return text
}

func (e *PlanError) Unwrap() error { return e.Err }

// planWriteError says that a plan could not be written, which ends the job.
type planWriteError struct{ err error }

func (e *planWriteError) Error() string { return "write the plan: " + e.err.Error() }
func (e *planWriteError) Unwrap() error { return e.err }

// planWriter writes a plan. Its methods are not called at once.
type planWriter struct {
	out     *bufio.Writer
	sum     hash.Hash
	actions int64
}

func newPlanWriter(w io.Writer) *planWriter {
	return &planWriter{out: bufio.NewWriter(w), sum: sha256.New()}
}

// line adds one line. A nil writer has no use for it.
func (w *planWriter) line(v any) error {
	if w == nil {
		return nil
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	if err == nil {
		w.sum.Write(text.Bytes())
		_, err = w.out.Write(text.Bytes())
	}
	if err != nil {
		return &planWriteError{err}
	}
	return nil
}

func (w *planWriter) action(l planLine) error {
	if w == nil {
		return nil
	}
	w.actions++
	return w.line(l)
}

// end adds the last line, without which a plan is none.
func (w *planWriter) end(counts PlanCounts) error {
	err := w.line(planEnd{Type: "end", Actions: w.actions, Counts: counts, SHA256: hex.EncodeToString(w.sum.Sum(nil))})
	if err == nil {
		if err = w.out.Flush(); err != nil {
			return &planWriteError{err}
		}
	}
	return err
}

// Plan is a plan that was read to its end and found whole, ready to be applied.
// It is not for several Apply at once.
type Plan struct {
	// Operation is "sync", "copy" or "move", Job the id of the job that it is of.
	Operation, Job string

	// Source and Destination are as a command line names them.
	Source, Destination string

	// Service is that of JobOptions, Endpoint that of the client it was made
	// with.
	Service, Endpoint string

	Created time.Time
	Counts  PlanCounts

	header planHeader
	sum    string
	r      io.ReadSeeker
}

// ReadPlan reads what Engine.Plan wrote, from the start, and checks that it is
// whole, of this version, and as it was written. What is wrong is a PlanError.
// Apply reads r again.
func ReadPlan(r io.ReadSeeker) (*Plan, error) {
	p := &Plan{r: r}
	for _, err := range p.lines() {
		if err != nil {
			return nil, err
		}
	}
	h := p.header
	p.Operation, p.Job, p.Created = h.Operation, h.Job, h.Created
	p.Source, p.Destination = h.Call.Source.String(), h.Call.Destination.String()
	p.Service, p.Endpoint = h.Call.Service, h.Call.endpoint()
	return p, nil
}

// Bounds of a line, in bytes: a header may hold a list of names.
const (
	maxPlanHeader = 256 << 20
	maxPlanLine   = 64 << 10
)

// lines yields the actions of the plan and checks all that there is to check.
func (p *Plan) lines() iter.Seq2[planLine, error] {
	return func(yield func(planLine, error) bool) {
		if _, err := p.r.Seek(0, io.SeekStart); err != nil {
			yield(planLine{}, &PlanError{Reason: "cannot be read", Err: err})
			return
		}
		in := planReader{in: bufio.NewReaderSize(p.r, maxPlanLine), sum: sha256.New()}
		if err := in.header(&p.header); err != nil {
			yield(planLine{}, err)
			return
		}
		for {
			line, end, err := in.next(&p.header.Call)
			if err != nil {
				yield(planLine{}, err)
				return
			}
			if end == nil {
				if !yield(line, nil) {
					return
				}
				continue
			}
			if p.sum != "" && p.sum != end.SHA256 {
				yield(planLine{}, &PlanError{Reason: "was changed while it was applied"})
			}
			p.sum, p.Counts = end.SHA256, end.Counts
			return
		}
	}
}

// planReader reads a plan line by line.
type planReader struct {
	in      *bufio.Reader
	sum     hash.Hash
	number  int64
	actions int64
	last    planLine
}

func (r *planReader) wrong(reason string, err error) error {
	return &PlanError{Line: r.number, Reason: reason, Err: err}
}

// read returns the next line of at most most bytes.
func (r *planReader) read(most int) ([]byte, error) {
	r.number++
	var line []byte
	for {
		piece, err := r.in.ReadSlice('\n')
		if len(line)+len(piece) > most {
			return nil, r.wrong("is too long", nil)
		}
		line = append(line, piece...)
		switch {
		case err == nil:
			return line, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case err == io.EOF:
			return line, io.EOF
		default:
			return nil, r.wrong("cannot be read", err)
		}
	}
}

func (r *planReader) header(h *planHeader) error {
	line, err := r.read(maxPlanHeader)
	if err == io.EOF {
		return &PlanError{Reason: "is empty, or has no whole line"}
	}
	if err != nil {
		return err
	}
	var what struct {
		Version int    `json:"v"`
		Type    string `json:"type"`
	}
	switch err := json.Unmarshal(line, &what); {
	case err != nil || what.Type != "plan":
		return r.wrong("is not the beginning of a plan", err)
	case what.Version != PlanVersion:
		return r.wrong(fmt.Sprintf("says version %d, and this release knows %d: make the plan anew", what.Version, PlanVersion), nil)
	}
	r.sum.Write(line)
	*h = planHeader{}
	if err := strictly(line, h); err != nil {
		return r.wrong("is no header that this release knows", err)
	}
	if h.Call.Method != "sync" || h.Call.Source.Bucket == "" && h.Call.Destination.Bucket == "" {
		return r.wrong("says nothing that can be applied", nil)
	}
	return nil
}

// next returns the next action, or the end.
func (r *planReader) next(c *call) (line planLine, end *planEnd, err error) {
	text, err := r.read(maxPlanLine)
	switch {
	case err == io.EOF:
		return line, nil, &PlanError{Reason: fmt.Sprintf("is cut: it has no end after %d actions", r.actions)}
	case err != nil:
		return line, nil, err
	}
	if bytes.HasPrefix(text, []byte(`{"type":"end"`)) {
		end = new(planEnd)
		if err := strictly(text, end); err != nil {
			return line, nil, r.wrong("is no end that this release knows", err)
		}
		if end.Actions != r.actions || end.SHA256 != hex.EncodeToString(r.sum.Sum(nil)) {
			return line, nil, &PlanError{Reason: "is not as it was written: the sum at its end is another one"}
		}
		if _, err := r.in.ReadByte(); err != io.EOF {
			return line, nil, r.wrong("is the end, and there is more behind it", nil)
		}
		return line, end, nil
	}
	r.sum.Write(text)
	if err := strictly(text, &line); err != nil {
		return line, nil, r.wrong("is no action that this release knows", err)
	}
	if reason := line.wrong(c, r.last); reason != "" {
		return line, nil, r.wrong(reason, nil)
	}
	r.actions++
	r.last = line
	return line, nil, nil
}

// strictly reads one JSON value that has nothing unknown in it.
func strictly(line []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("more than one value")
	}
	return nil
}

// maxKey is the longest key of the service, in bytes (OSS, "Limits").
const maxKey = 1023

// wrong says what of the line does not fit the call, or comes after last in the
// wrong order.
func (l planLine) wrong(c *call, last planLine) string {
	fromFile, toFile := c.Source.Bucket == "", c.Destination.Bucket == ""
	remove := l.Action == actionDelete
	switch {
	case l.Type != "action":
		return "is neither an action nor the end"
	case remove && !c.Delete:
		return "deletes, and the plan's options do not allow it"
	case l.Moves != (c.RemoveSource && !remove && l.Action != actionRemove), l.Action == actionRemove && !c.RemoveSource:
		return "does not fit the plan's options: what is moved is not what is copied"
	case !remove && l.Action != actionRemove && l.Action != actionOf(directionOf(c.Source.Bucket, c.Destination.Bucket)):
		return fmt.Sprintf("says %q, which does not fit the plan's source and destination", l.Action)
	case l.Size < 0, l.Source != nil && l.Source.Size < 0, l.Destination != nil && l.Destination.Size < 0:
		return "has a negative size"
	case remove && (l.Source != nil || l.Destination == nil) || !remove && l.Source == nil, l.Action == actionRemove && l.Destination == nil:
		return "does not say what was seen"
	case l.Source != nil && (l.Source.ETag == "") != fromFile, l.Destination != nil && (l.Destination.ETag == "") != toFile:
		return "has the state of a file for an object, or of an object for a file"
	case last.Action == actionDelete && !remove:
		return "transfers after the deletions"
	case (last.Action == actionDelete) == remove && last.Name != "" && l.Name <= last.Name:
		return "is not in the order of names"
	}
	if fromFile && !remove || toFile {
		if err := c.Files.checkName(l.Name, l.Size == 0 && (toFile && !remove || c.Files.Folders)); err != nil {
			return "names no file: " + oneLine(err.Error())
		}
	}
	if c.Single && (l.Name != cmp.Or(c.localName(), c.Destination.Only) || l.Name == "") {
		return "names another object than the plan is of"
	}
	if l.Source != nil && l.Source.Link {
		if c.Files.Links != LinksKeep || c.Files.checkName(l.Source.Target, false) != nil {
			return "has a link that the plan's options do not keep, or that leads nowhere"
		}
	}
	for _, side := range []where{c.Source, c.Destination} {
		if key := side.key(l.Name); side.Bucket != "" && (l.Name == "" || len(key) > maxKey || !utf8.ValidString(key)) {
			return "names no key"
		}
	}
	return ""
}
