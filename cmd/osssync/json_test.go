package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestJSONDocument runs the commands of JSON.md, compares what they print with
// what stands there, and its list of fields with the help.
func TestJSONDocument(t *testing.T) {
	if filepath.Separator != '/' {
		t.Skip("paths are written with slashes")
	}
	file, err := filepath.Abs("../../JSON.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	for name, value := range map[string]string{"OSSSYNC_LOCAL": "cloud", "OSSSYNC_CHECKPOINT_DIR": filepath.Join(dir, "state")} {
		t.Setenv(name, value)
	}
	for name, content := range map[string]string{"photos/a.jpg": "one\n", "photos/b.jpg": "twotwo\n", "a.txt": "a\n"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	have := regexp.MustCompile("(?ms)^```(.*?)\n(.*?)^```$").ReplaceAllStringFunc(string(text), func(block string) string {
		head, body, _ := strings.Cut(block, "\n")
		switch head {
		case "```sh":
			return head + "\n" + runExamples(t, body) + "```"
		case "```json progress":
			var out bytes.Buffer
			p := states["transferring"]
			p.JobID = "3f2a9c81d0e4b756"
			(&app{stdout: &out}).progressJSON(p)
			return head + "\n" + out.String() + "```"
		case "```":
			return head + "\n" + jsonHelp + "```"
		}
		return block
	})
	if *update {
		if err := os.WriteFile(file, []byte(have), 0o644); err != nil { //nolint:gosec // a document
			t.Fatal(err)
		}
		return
	}
	old, now := strings.Split(string(text), "\n"), strings.Split(have, "\n")
	for i := range max(len(old), len(now)) {
		if i >= len(old) || i >= len(now) || old[i] != now[i] {
			t.Fatalf("JSON.md:%d differs (-update writes it anew); the program prints\n%s", i+1, strings.Join(now[min(i, len(now)):min(i+3, len(now))], "\n"))
		}
	}
}

// runExamples runs the commands of a block, and returns it with their output.
func runExamples(t *testing.T, block string) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(block) {
		typed, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			continue // the output as it was
		}
		b.WriteString(line)
		words := strings.Fields(typed)
		if words[0] == "echo" {
			if err := os.WriteFile(words[3], []byte(words[1]+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		_, stdout, _ := command(t.Context(), words[1:]...)
		b.WriteString(settle(t, stdout))
	}
	return b.String()
}

// settle puts constants in the place of what differs from run to run.
func settle(t *testing.T, text string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	text = strings.ReplaceAll(text, dir, "/home/me")
	for _, r := range []struct{ pattern, constant string }{
		{`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^"]*"`, `"2026-03-01T02:03:04Z"`},
		{`("(?:x-oss-meta-)?mtime":)"[^"]*"`, `$1"1772330584.123456789"`},
		{`("last-modified":)"[^"]*"`, `$1"Sun, 01 Mar 2026 02:03:04 GMT"`},
		{`("[mc]time":)[0-9]+`, `${1}1772330584123456789`},
		{`("(?:inode|device)":)[0-9]+`, `${1}4711`},
		{`("sha256":)"[^"]*"`, `$1"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"`},
		{`("(?:elapsed|age)_seconds":)[0-9.e+-]+`, `${1}1.25`},
		{`\b[0-9a-f]{16}\b`, "3f2a9c81d0e4b756"},
		{`("request_id":)"[^"]*"`, `$1"65E1A2B3C4D5E6F708192A3B"`},
		{`("[eE]ndpoint":)"[^"]*"`, `$1"http://127.0.0.1:8080"`},
		{`"version":"[^"]*","go":"[^"]*","platform":"[^"]*"(,"commit":"[^"]*")?`, `"version":"v1.2.3","go":"go1.26.0","platform":"linux/amd64","commit":"1f2e3d4c5b6a"`},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.constant)
	}
	lines := slices.Collect(strings.Lines(text))
	for i := range lines { // objects come to their end in any order
		for j := i; j > 0 && isObject(lines[j]) && isObject(lines[j-1]) && lines[j] < lines[j-1]; j-- {
			lines[j], lines[j-1] = lines[j-1], lines[j]
		}
	}
	return strings.Join(lines, "")
}

func isObject(line string) bool { return strings.HasPrefix(line, `{"v":1,"type":"object"`) }

// TestJSONHelp: every field that is printed stands in the help, at its type.
func TestJSONHelp(t *testing.T) {
	said := map[string]string{}
	last := ""
	for line := range strings.Lines(jsonHelp) {
		switch {
		case strings.HasPrefix(line, "   "):
			said[last] += line
		case strings.HasPrefix(line, "  "):
			last, line, _ = strings.Cut(line[2:], " ")
			said[last] += line
		}
	}
	said["failure"] += said["object"]
	said["summary"] += said["object"]
	said["version"] += said["object"]
	for _, tc := range []struct {
		kind string
		line any
	}{
		{"start", startLine{}},
		{"progress", progressLine{}},
		{"object", objectLine{}},
		{"object", listedLine{}},
		{"version", objectVersionLine{}},
		{"version", versionLine{}},
		{"summary", summaryLine{}},
		{"summary", countLine{}},
		{"summary", usageLine{}},
		{"usage", usageLine{}},
		{"class", classLine{}},
		{"prefix", prefixLine{}},
		{"bucket", bucketLine{}},
		{"upload", uploadLine{}},
		{"stat", objectStatLine{}},
		{"stat", bucketStatLine{}},
		{"hash", hashLine{}},
		{"presign", presignLine{}},
		{"done", doneLine{}},
		{"job", jobLine{}},
		{"in_flight", flightLine{}},
		{"failure", failureLine{}},
		{"garbage", garbageLine{}},
		{"checked", checkedLine{}},
		{"setting", settingLine{}},
		{"verdict", verdictLine{}},
		{"line", runLine{}},
		{"text", textLine{}},
		{"serve", readyLine{}},
		{"error", errorLine{}},
	} {
		about := said[tc.kind]
		if tc.kind == "usage" { // noncurrent ones are in its summary
			about += said["summary"]
		}
		words := regexp.MustCompile(`[a-z0-9_]+`).FindAllString(about, -1)
		for _, name := range fieldNames(reflect.TypeOf(tc.line)) {
			if name != "v" && name != "type" && !slices.Contains(words, name) {
				t.Errorf("help json says nothing of %q in a %s", name, tc.kind)
			}
		}
	}
}

// fieldNames are the names of all JSON fields of a type, those within included.
func fieldNames(t reflect.Type) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || fmt.Sprint(t) == "time.Time" {
		return nil
	}
	var names []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" {
			names = append(names, name)
		}
		names = append(names, fieldNames(f.Type)...)
	}
	return names
}
