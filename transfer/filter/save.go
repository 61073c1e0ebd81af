package filter

import (
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// saved is the JSON of a Set: what a Builder was given. Names may have any
// bytes, and so are no JSON strings.
type saved struct {
	Rules          []savedRule   `json:",omitempty"`
	Implied        bool          `json:",omitempty"`
	MinSize        int64         `json:",omitempty"`
	MaxSize        *int64        `json:",omitempty"`
	MinAge         time.Duration `json:",omitempty"` // nanoseconds
	MaxAge         time.Duration `json:",omitempty"`
	MinTime        time.Time     `json:",omitzero"`
	MaxTime        time.Time     `json:",omitzero"`
	StartAfter     []byte        `json:",omitempty"`
	EndWith        []byte        `json:",omitempty"`
	StorageClasses []string      `json:",omitempty"`
	Limited        bool          `json:",omitempty"` // to Names
	Names          [][]byte      `json:",omitempty"`
	Sources        []string      `json:",omitempty"` // of Names
}

type savedRule struct {
	Include bool `json:",omitempty"`
	Pattern string
	Source  string `json:",omitempty"`
}

// MarshalJSON makes a text from which UnmarshalJSON makes the same Set. With a
// list of names it is longer than the list.
func (s *Set) MarshalJSON() ([]byte, error) {
	if s == nil {
		return []byte("null"), nil
	}
	b := &s.made
	v := saved{
		Implied: b.implied, MinSize: b.MinSize, MaxSize: b.MaxSize, MinAge: b.MinAge, MaxAge: b.MaxAge, MinTime: b.MinTime, MaxTime: b.MaxTime,
		StartAfter: []byte(b.StartAfter), EndWith: []byte(b.EndWith), StorageClasses: b.StorageClasses, Limited: s.limited,
	}
	for _, r := range b.rules {
		v.Rules = append(v.Rules, savedRule{Include: r.include, Pattern: r.verdict.Rule[len("+ "):], Source: r.verdict.Source})
	}
	for _, name := range s.names {
		v.Names = append(v.Names, []byte(name))
	}
	if s.limited {
		v.Sources = b.Names.sources
	}
	return json.Marshal(v)
}

// UnmarshalJSON makes s what the marshalled Set was; ages count from now. It is
// to be called before s is used.
func (s *Set) UnmarshalJSON(text []byte) error {
	var v saved
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	b := Builder{
		implied: v.Implied, MinSize: v.MinSize, MaxSize: v.MaxSize, MinAge: v.MinAge, MaxAge: v.MaxAge, MinTime: v.MinTime, MaxTime: v.MaxTime,
		StartAfter: string(v.StartAfter), EndWith: string(v.EndWith), StorageClasses: v.StorageClasses,
	}
	for _, r := range v.Rules {
		if err := b.add(r.Include, r.Pattern, r.Source); err != nil {
			return err
		}
	}
	switch {
	case v.Limited:
		b.Names = &Names{sources: v.Sources}
		for _, name := range v.Names {
			b.Names.Add(string(name))
		}
	case len(v.Names) > 0:
		return errors.New("a list of names that is none")
	}
	built, err := b.Build()
	if err != nil {
		return err
	}
	*s = *built
	return nil
}

// Listed is the number of names on the Set's list, and their length in bytes; 0
// if it has none. It tells what a marshalled Set would take.
func (s *Set) Listed() (names int, bytes int64) {
	if s == nil {
		return 0, 0
	}
	for _, name := range s.names {
		bytes += int64(len(name))
	}
	return len(s.names), bytes
}

// keep is a copy of b that does not change with it, for MarshalJSON. The names
// are the Set's.
func (b *Builder) keep() Builder {
	k := *b
	k.rules = slices.Clone(b.rules)
	k.StorageClasses = slices.Clone(b.StorageClasses)
	if b.MaxSize != nil {
		k.MaxSize = new(*b.MaxSize)
	}
	if b.Names != nil {
		k.Names = &Names{sources: slices.Clone(b.Names.sources)}
	}
	return k
}
