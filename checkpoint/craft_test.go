package checkpoint_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/osssync/osssync/checkpoint"
)

// TestDamageCycle points a branch page at itself: bbolt would follow it until
// the stack is full, which no recover can stop.
func TestDamageCycle(t *testing.T) {
	name, b := damageFixture(t)
	branches := 0
	for at := 2 * damagePage; at < len(b); at += damagePage {
		p := b[at : at+damagePage]
		if binary.NativeEndian.Uint16(p[8:]) != 1 {
			continue
		}
		branches++
		binary.NativeEndian.PutUint64(p[16+8:], binary.NativeEndian.Uint64(p))
	}
	if branches == 0 {
		t.Fatal("the fixture has no branch page")
	}
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
	if setAside, _ := damageResult(t, dir); !setAside {
		t.Error("not set aside")
	}
}

// TestDamageFreelist lists every page as free, one by one: bbolt would write
// over pages in use.
func TestDamageFreelist(t *testing.T) {
	name, intact := damageFixture(t)
	dir := t.TempDir()
	path := filepath.Join(dir, name)
	refused := 0
	for at := 2 * damagePage; at < len(intact); at += damagePage {
		b := bytes.Clone(intact)
		p := b[at : at+damagePage]
		if binary.NativeEndian.Uint16(p[8:]) != 0x10 || binary.NativeEndian.Uint16(p[10:]) == 0 {
			continue
		}
		for id := range uint64(len(intact) / damagePage) {
			binary.NativeEndian.PutUint64(p[16:], id)
			must(t, os.WriteFile(path, b, 0o600))
			if checkpoint.Survey(path) != nil {
				refused++
			}
		}
	}
	if refused < 60 {
		t.Errorf("%d refused", refused)
	}
}

// leafPages returns the offsets of leaf pages with more than one key.
func leafPages(b []byte) (offsets []int) {
	for at := 2 * damagePage; at < len(b); at += damagePage {
		if binary.NativeEndian.Uint16(b[at+8:]) == 2 && binary.NativeEndian.Uint16(b[at+10:]) > 1 {
			offsets = append(offsets, at)
		}
	}
	return offsets
}

// TestDamageLostKeys takes the last key out of leaf pages, which leaves a
// sound tree: only the counts know.
func TestDamageLostKeys(t *testing.T) {
	name, intact := damageFixture(t)
	noticed := 0
	for _, at := range leafPages(intact) {
		for _, flip := range []bool{false, true} {
			b := bytes.Clone(intact)
			count := binary.NativeEndian.Uint16(b[at+10:])
			binary.NativeEndian.PutUint16(b[at+10:], count-1)
			if flip { // and damages a record of the same page
				e := b[at+16:]
				e[binary.NativeEndian.Uint32(e[4:])+binary.NativeEndian.Uint32(e[8:])+5] ^= 1
			}
			dir := t.TempDir()
			must(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
			setAside, missing := damageResult(t, dir)
			if missing && !setAside {
				t.Fatalf("page %d: a lost key went unnoticed", at/damagePage)
			}
			if setAside {
				noticed++
			}
		}
	}
	if noticed < 40 {
		t.Errorf("%d noticed", noticed)
	}
}

// TestDamageStaleRecord puts an earlier value of a key back.
func TestDamageStaleRecord(t *testing.T) {
	dir := t.TempDir()
	c := mustOpen(t, dir, testJob)
	path := filepath.Join(dir, c.Job().ID+".db")
	older, newer := testSettled("key", 1), testSettled("key", 2)
	must(t, c.Settle(newer))
	must(t, c.Close())
	from, err := checkpoint.SettledRecord(newer)
	must(t, err)
	to, err := checkpoint.SettledRecord(older)
	must(t, err)
	b, err := os.ReadFile(path)
	must(t, err)
	if len(from) != len(to) || !bytes.Contains(b, from) {
		t.Fatal("the record is not in the file")
	}
	must(t, os.WriteFile(path, bytes.ReplaceAll(b, from, to), 0o600))
	c = mustOpen(t, dir, testJob)
	if s, ok, err := c.Settled("key"); ok || err != nil || c.SetAside() == "" {
		t.Errorf("%+v, %v, %v, set aside %q", s, ok, err, c.SetAside())
	}
}

// TestDamageTree makes trees that bbolt would walk without complaint, and lose
// its way in.
func TestDamageTree(t *testing.T) {
	name, intact := damageFixture(t)
	path := filepath.Join(t.TempDir(), name)
	survey := func(t *testing.T, b []byte) error {
		t.Helper()
		must(t, os.WriteFile(path, b, 0o600))
		return checkpoint.Survey(path)
	}
	must(t, survey(t, intact))
	branchKey := func(t *testing.T, change int) {
		tried, refused := 0, 0
		for at := 2 * damagePage; at < len(intact); at += damagePage {
			if binary.NativeEndian.Uint16(intact[at+8:]) != 1 {
				continue
			}
			for i := 1; i < int(binary.NativeEndian.Uint16(intact[at+10:])); i++ {
				b := bytes.Clone(intact)
				e := b[at+16+16*i:]
				pos, size := binary.NativeEndian.Uint32(e), binary.NativeEndian.Uint32(e[4:])
				if !bytes.HasPrefix(e[pos:], []byte("small/")) || change < 0 && e[pos+size-1] == '0' { // what is below a 0 is no key that is there
					continue
				}
				last := pos + size - 1
				e[last] = byte(int(e[last]) + change)
				tried++
				if survey(t, b) != nil {
					refused++
				}
			}
		}
		if refused < tried/2 || refused == 0 {
			t.Errorf("%d of %d refused", refused, tried)
		}
	}
	t.Run("branch key too high", func(t *testing.T) { branchKey(t, 1) })
	t.Run("branch key too low", func(t *testing.T) { branchKey(t, -1) })
	t.Run("two buckets of one tree", func(t *testing.T) {
		b := bytes.Clone(intact)
		for at := 0; ; {
			settled := bytes.Index(b[at:], []byte("settled"))
			if settled < 0 {
				break
			}
			at += settled + len("settled")
			parts := bytes.LastIndex(b[:at], []byte("parts"))
			if parts > at-damagePage {
				copy(b[parts+len("parts"):], b[at:at+8])
			}
		}
		if survey(t, b) == nil {
			t.Error("accepted")
		}
	})
}
