package transfer

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/osssync/osssync/internal/lister"
)

// division is how the listing of one side is divided into ranges.
type division struct {
	before []lister.Cut    // by the run that this one goes on with
	now    lister.Position // of the prefix that is being listed
}

// cuts are those to go on with.
func (d *division) cuts() []lister.Cut {
	if cuts := d.now.Cuts(); cuts != nil {
		return cuts
	}
	return d.before // it has not begun
}

// within has a listing begin with the ranges of the run before. d may be nil.
func (d *division) within(o lister.Options) lister.Options {
	if d != nil {
		o.Cuts, o.Position = d.before, &d.now
	}
	return o
}

// cut is a lister.Cut as a checkpoint has it.
type cut struct {
	Same int    `json:"s,omitempty"` // bytes in front that are those of the name before
	Rest string `json:"r,omitempty"` // of the name, which is relative to its side
	Page bool   `json:"p,omitempty"`
}

// cutsMost bounds the cuts of a side in the checkpoint, in bytes. A listing has
// some 70 ahead of what it yields: they fit if their names differ in 200 bytes and
// less. Those of both sides take half of what a record may have.
const cutsMost = 16 << 10

// pack brings cuts of keys below path into the form of the checkpoint, those
// behind a name. The nearest come first, and those beyond cutsMost are left out.
func pack(cuts []lister.Cut, path, after string) (packed []cut) {
	before, size := "", 0
	for _, c := range cuts {
		name, ok := strings.CutPrefix(c.At, path)
		if !ok || name <= after || !utf8.ValidString(name) {
			continue
		}
		same := 0
		for same < len(name) && same < len(before) && name[same] == before[same] {
			same++
		}
		for same < len(name) && same > 0 && !utf8.RuneStart(name[same]) {
			same--
		}
		p := cut{Same: same, Rest: name[same:], Page: c.Page}
		text, err := json.Marshal(p)
		if size += len(text) + len(","); err != nil || size > cutsMost {
			break
		}
		packed, before = append(packed, p), name
	}
	return packed
}

// unpack is the opposite of pack. What makes no sense, and what follows it, is
// left out.
func unpack(packed []cut, path string) (cuts []lister.Cut) {
	before := ""
	for _, p := range packed {
		if p.Same < 0 || p.Same > len(before) {
			break
		}
		before = before[:p.Same] + p.Rest
		cuts = append(cuts, lister.Cut{At: path + before, Page: p.Page})
	}
	return cuts
}
