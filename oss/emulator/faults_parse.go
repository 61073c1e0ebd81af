package emulator

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"strconv"
	"strings"
	"time"
)

// maxFaultLine bounds a line of ParseFaults, in bytes.
const maxFaultLine = 64 << 10

// ParseFaults reads one fault a line. Empty lines and what follows a # at the
// beginning of a word are ignored.
func ParseFaults(r io.Reader) ([]Fault, error) {
	var out []Fault
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxFaultLine)
	n := 0
	for lines.Scan() {
		n++
		words, err := splitWords(lines.Text())
		if err == nil && len(words) == 0 {
			continue
		}
		var f Fault
		if err == nil {
			err = f.parse(words)
		}
		if err != nil {
			return nil, fmt.Errorf("faults: line %d: %w", n, err)
		}
		out = append(out, f)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("faults: line %d: %w", n+1, err)
	}
	return out, nil
}

// splitWords splits a line at spaces. A quoted value is unquoted; it is a
// literal of Go.
func splitWords(line string) ([][2]string, error) {
	var words [][2]string
	for {
		line = strings.TrimLeft(line, " \t\r")
		if line == "" || line[0] == '#' {
			return words, nil
		}
		end := strings.IndexAny(line, " \t\r=")
		if end < 0 {
			return append(words, [2]string{line, ""}), nil
		}
		name := line[:end]
		if line[end] != '=' {
			words, line = append(words, [2]string{name, ""}), line[end:]
			continue
		}
		line = line[end+1:]
		var value string
		if strings.HasPrefix(line, `"`) {
			quoted, err := strconv.QuotedPrefix(line)
			if err == nil {
				value, err = strconv.Unquote(quoted)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: the quotes do not match: %w", name, err)
			}
			line = line[len(quoted):]
		} else {
			end = strings.IndexAny(line, " \t\r")
			if end < 0 {
				end = len(line)
			}
			value, line = line[:end], line[end:]
		}
		if value == "" {
			return nil, fmt.Errorf("%s has no value", name)
		}
		words = append(words, [2]string{name, value})
	}
}

// quoteFault writes a value so that splitWords reads it back.
func quoteFault(v string) string {
	if strings.ContainsAny(v, "\"'` \t") || strconv.Quote(v) != `"`+v+`"` {
		return strconv.Quote(v)
	}
	return v
}

// faultKind says how a kind is written.
type faultKind struct {
	value string // what stands behind "="; "" for nothing
	must  bool   // it cannot be left out
	words string // the values of "word"
	attrs string // what else it has, besides the conditions
}

var faultKinds = map[string]faultKind{
	"latency":   {value: "duration", must: true, attrs: "jitter"},
	"clock":     {value: "duration", must: true},
	"stall":     {value: "duration", attrs: "at"},
	"bandwidth": {value: "rate", must: true, attrs: "per"},
	"throttle":  {value: "rate", must: true, attrs: "retry"},
	"qps":       {value: "count", must: true, attrs: "retry"},
	"reset":     {value: "word", words: "before body after", attrs: "at"},
	"truncate":  {value: "bytes"},
	"flip":      {value: "bytes", attrs: "dir"},
	"lost":      {value: "status"},
	"html":      {value: "status"},
	"etag":      {value: "word", must: true, words: "wrong"},
	"crc":       {value: "word", must: true, words: "wrong"},
	"repeat":    {},
	"endearly":  {},
	"shuffle":   {},
	"vanish":    {},
	"expire":    {},
	"change":    {},
}

// kindOf finds the description of a kind; a status has a code.
func kindOf(kind string) (faultKind, bool) {
	if n, err := parseStatus(kind); err == nil && strconv.FormatInt(n, 10) == kind {
		return faultKind{value: "code", attrs: "retry location"}, true
	}
	k, ok := faultKinds[kind]
	return k, ok
}

func (f *Fault) parse(words [][2]string) error {
	f.Kind = words[0][0]
	kind, ok := kindOf(f.Kind)
	if !ok {
		return fmt.Errorf("no such kind of fault: %s", strconv.Quote(f.Kind))
	}
	if err := f.parseValue(kind, words[0][1]); err != nil {
		return fmt.Errorf("%s: %w", f.Kind, err)
	}
	seen := make(map[string]bool)
	for _, w := range words[1:] {
		name, value := w[0], w[1]
		if value == "" {
			return fmt.Errorf("want NAME=VALUE, not %s", strconv.Quote(name))
		}
		if seen[name] {
			return fmt.Errorf("%s is given twice", name)
		}
		seen[name] = true
		err := f.parseAttribute(kind, name, value)
		if errors.Is(err, errNoCondition) {
			err = f.parseCondition(name, value)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if f.On != "" && !f.spoils(f.On) {
		return fmt.Errorf("on: %s has nothing to do with %s", f.Kind, f.On)
	}
	if f.To > 0 && f.To <= f.From {
		return errors.New("to is not after from")
	}
	return nil
}

func (f *Fault) parseValue(kind faultKind, value string) (err error) {
	if value == "" {
		if kind.must {
			return errors.New("it needs a value")
		}
		return nil
	}
	switch kind.value {
	case "duration":
		f.Delay, err = time.ParseDuration(value)
		if err == nil && (f.Delay == 0 || f.Delay < 0 && f.Kind != "clock") {
			err = errRange
		}
	case "rate":
		if f.N, err = parseBytes(value); err == nil && f.N == 0 {
			err = errRange
		}
	case "count":
		var n int
		n, err = parseCount(value)
		f.N = int64(n)
	case "bytes":
		f.N, err = parseBytes(value)
	case "status":
		f.N, err = parseStatus(value)
	case "word":
		f.Word, err = oneOf(value, kind.words)
	case "code":
		f.Code = value
	default:
		err = errors.New("it takes no value")
	}
	return err
}

var (
	errRange       = errors.New("out of range")
	errNoCondition = errors.New("no such condition for this fault")
)

// parseAttribute reads what belongs to some kinds only.
func (f *Fault) parseAttribute(kind faultKind, name, value string) (err error) {
	if _, err := oneOf(name, kind.attrs); err != nil {
		return errNoCondition
	}
	switch name {
	case "jitter":
		f.Jitter, err = parsePositive(value)
	case "retry":
		f.Retry, err = parsePositive(value)
	case "location":
		f.Location = value
		if strings.ContainsAny(value, "\r\n") {
			err = errors.New("not a URL")
		}
	case "at":
		if f.At, err = parseBytes(value); err == nil && f.Kind == "reset" && f.Word != "body" {
			err = errors.New("only reset=body has it")
		}
	case "dir":
		f.Dir, err = oneOf(value, "up down")
	case "per":
		f.Per, err = oneOf(value, "connection total")
	}
	return err
}

func (f *Fault) parseCondition(name, value string) (err error) {
	switch name {
	case "on":
		f.On = value
		if !operations()[value] {
			err = errors.New("no such operation")
		}
	case "bucket":
		f.Bucket = value
	case "key":
		f.Key = value
		_, err = path.Match(value, "")
	case "nth":
		f.Nth, err = parseCount(value)
	case "every":
		f.Every, err = parseCount(value)
	case "max":
		f.Max, err = parseCount(value)
	case "prob":
		if f.Prob, err = strconv.ParseFloat(value, 64); err == nil && (math.IsNaN(f.Prob) || f.Prob <= 0 || f.Prob > 1) {
			err = errRange
		}
	case "seed":
		f.Seed, err = strconv.ParseUint(value, 10, 64)
	case "from":
		f.From, err = parsePositive(value)
	case "to":
		f.To, err = parsePositive(value)
	default:
		err = errNoCondition
	}
	return err
}

func oneOf(value, words string) (string, error) {
	for w := range strings.FieldsSeq(words) {
		if w == value {
			return value, nil
		}
	}
	return "", fmt.Errorf("want one of: %s", words)
}

func parseCount(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err == nil && n < 1 {
		err = errRange
	}
	return n, err
}

func parsePositive(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err == nil && d <= 0 {
		err = errRange
	}
	return d, err
}

func parseStatus(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil && (n < 200 || n > 599) {
		err = errRange
	}
	return n, err
}

const byteUnits = "KMG"

// parseBytes reads a number of bytes, perhaps in K, M or G of 1024.
func parseBytes(s string) (int64, error) {
	shift := 0
	if s != "" {
		if i := strings.IndexByte(byteUnits, s[len(s)-1]); i >= 0 {
			s, shift = s[:len(s)-1], 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil && (n < 0 || n > math.MaxInt64>>shift) {
		err = errRange
	}
	return n << shift, err
}

func formatBytes(n int64) string {
	unit := ""
	for i := 0; i < len(byteUnits) && n != 0 && n%1024 == 0; i++ {
		n, unit = n/1024, byteUnits[i:i+1]
	}
	return strconv.FormatInt(n, 10) + unit
}

// String writes the form that ParseFaults reads.
func (f Fault) String() string {
	kind, _ := kindOf(f.Kind)
	value := ""
	switch kind.value {
	case "duration":
		value = nonZero(f.Delay, time.Duration.String)
	case "rate", "bytes":
		value = nonZero(f.N, formatBytes)
	case "count", "status":
		value = nonZero(f.N, func(n int64) string { return strconv.FormatInt(n, 10) })
	case "word":
		value = f.Word
	case "code":
		value = f.Code
	}
	var b strings.Builder
	b.WriteString(f.Kind)
	if value != "" {
		b.WriteString("=" + quoteFault(value))
	}
	for _, a := range [...][2]string{
		{"jitter", nonZero(f.Jitter, time.Duration.String)},
		{"retry", nonZero(f.Retry, time.Duration.String)},
		{"location", f.Location},
		{"at", nonZero(f.At, formatBytes)},
		{"dir", f.Dir},
		{"per", f.Per},
		{"on", f.On},
		{"bucket", f.Bucket},
		{"key", f.Key},
		{"nth", nonZero(f.Nth, strconv.Itoa)},
		{"every", nonZero(f.Every, strconv.Itoa)},
		{"max", nonZero(f.Max, strconv.Itoa)},
		{"prob", nonZero(f.Prob, func(p float64) string { return strconv.FormatFloat(p, 'g', -1, 64) })},
		{"seed", nonZero(f.Seed, func(n uint64) string { return strconv.FormatUint(n, 10) })},
		{"from", nonZero(f.From, time.Duration.String)},
		{"to", nonZero(f.To, time.Duration.String)},
	} {
		if a[1] != "" {
			b.WriteString(" " + a[0] + "=" + quoteFault(a[1]))
		}
	}
	return b.String()
}

func nonZero[T comparable](v T, format func(T) string) string {
	var zero T
	if v == zero {
		return ""
	}
	return format(v)
}

// validate finds what cannot be written and read back.
func (f Fault) validate() error {
	text := f.String()
	back, err := ParseFaults(strings.NewReader(text))
	if err == nil && (len(back) != 1 || back[0] != f) {
		err = errors.New("fields that the kind does not use")
	}
	if err != nil {
		return fmt.Errorf("fault %s: %w", cmp.Or(text, "without a kind"), err)
	}
	return nil
}
