package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const runLong = `Run the command lines of a file, or of stdin, several at once in this one process.

  osssync run FILE
  osssync run -

Each line is what would stand after "osssync": cp a.txt oss://bucket/a. Words are
taken apart as a shell does, with '…', "…" and \; nothing is expanded: no $, no *. #
begins a comment. Flags before "run", such as --endpoint, hold for every line, unless
it has its own; -j says how many lines run at once. A line that fails does not stop the others.

Output is that of the lines, with the number of its line before each: [3]. With --json
each object has "line", and an object of type "line" says how each ended; the last, of
type "run", sums up.

Interrupted, it begins no more lines and says how many are left. Run again it runs all
lines: those that were cut off go on, and finished ones are done once more, unless they are
such as find nothing to do: sync, or cp -u.

Exit code: the worst of those of the lines, the worst of all being, from the left, 5, 6,
2, 3, 1, 7, 4, 11, 10, 8, 9.

Examples:
  osssync run -j 8 nightly.txt
  find . -name '*.log' -printf "cp '%p' 'oss://logs/%f'\n" | osssync run -
The last does for every name without a ' or a line break in it; for such use cp -r
with --include.
`

// defaultLines is how many lines run at once. Each has workers of its own.
const defaultLines = 4

// runLine says how a line ended, as JSON.
type runLine struct {
	V              int     `json:"v"`
	Line           int     `json:"line"`
	Type           string  `json:"type"`
	Command        string  `json:"command"`
	ExitCode       int     `json:"exit_code"`
	ElapsedSeconds float64 `json:"elapsed_seconds"`
}

// textLine is a line of plain text that a line printed, as JSON.
type textLine struct {
	V    int    `json:"v"`
	Line int    `json:"line"`
	Type string `json:"type"`
	Text string `json:"text"`
}

type runSummary struct {
	V              int     `json:"v"`
	Type           string  `json:"type"`
	Lines          int     `json:"lines"`
	Failed         int     `json:"failed"`
	FailedLines    []int   `json:"failed_lines,omitempty"`
	NotBegun       int     `json:"not_begun,omitempty"`
	ExitCode       int     `json:"exit_code"`
	Continue       string  `json:"continue,omitempty"`
	ElapsedSeconds float64 `json:"elapsed_seconds"`
}

// runError says that some lines failed.
type runError struct {
	message string
	code    int
}

func (e *runError) Error() string { return e.message }

// severity lists exit codes, the worst first.
var severity = []int{exitInterrupted, exitIntegrity, exitServer, exitLocal, exitUsage, exitSafety, exitIncomplete, exitHeld, exitParked, exitLimit, exitNothing, exitOK}

func worse(a, b int) int {
	rank := func(code int) int {
		if i := slices.Index(severity, code); i >= 0 {
			return i
		}
		return -1
	}
	if rank(b) < rank(a) {
		return b
	}
	return a
}

func newRunCommand(a *app) *cobra.Command {
	lines := count{min: 1, max: 1024}
	cmd := &cobra.Command{
		Use: "run FILE|-", Short: "Run the command lines of a file", Long: runLong + "\n" + exitHelp, Args: exactly(1, "FILE, or - for stdin"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if lines.value == 0 {
				lines.value = defaultLines
			}
			return a.runFile(cmd, args[0], int(lines.value))
		},
	}
	cmd.Flags().VarP(&lines, "job", "j", fmt.Sprintf("`N` lines at once, 1 to 1024 (default %d); also --jobs", defaultLines))
	return cmd
}

func (a *app) runFile(cmd *cobra.Command, name string, parallel int) (err error) {
	if a.flags.report != "" {
		return &usageError{message: "--report is for one command", hint: "give it on the lines, each a file of its own"}
	}
	var in io.Reader = newPatientReader(cmd.Context(), a.stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return &usageError{message: err.Error()}
		}
		defer f.Close()
		in = f
	}
	ctx, release, err := a.hold(cmd.Context())
	if err != nil {
		return err
	}
	defer release()
	b := &batch{app: a, global: inherited(cmd), locals: &localServers{}, began: time.Now()}
	if f, ok := in.(*os.File); ok {
		info, err := f.Stat()
		b.whole = err == nil && info.Mode().IsRegular()
		b.again = commandLine(cmd, []string{name})
	}
	defer func() { err = errors.Join(err, b.locals.close()) }()
	if err := b.all(ctx, in, parallel); err != nil {
		return err
	}
	return b.summary(ctx)
}

// inherited are the global flags of the command line of run, for its lines.
func inherited(cmd *cobra.Command) (args []string) {
	cmd.InheritedFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Changed {
			return
		}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			for _, one := range list.GetSlice() {
				args = append(args, "--"+f.Name+"="+one)
			}
		} else {
			args = append(args, "--"+f.Name+"="+f.Value.String())
		}
	})
	return args
}

// batch is one run.
type batch struct {
	app    *app
	global []string
	locals *localServers
	began  time.Time
	whole  bool       // the lines can be counted without waiting for them
	again  string     // the command line that runs all again, "" if their source is spent
	output sync.Mutex // of whole lines

	mu       sync.Mutex
	lines    int
	failed   []int
	notBegun int // of those that were read or can be counted
	code     int
}

// all runs the lines of in. It returns when those that were begun have ended.
func (b *batch) all(ctx context.Context, in io.Reader, parallel int) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	slots := make(chan struct{}, parallel)
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		text := lines.Text()
		if n == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		args, err := splitLine(text)
		if err == nil && len(args) == 0 {
			continue
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			if b.notBegun++; b.whole {
				continue
			}
			return nil
		}
		wg.Go(func() {
			defer func() { <-slots }()
			b.one(ctx, n, args, err)
		})
	}
	if err := lines.Err(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("read the lines to run: %w", err)
	}
	return nil
}

// one runs one line.
func (b *batch) one(ctx context.Context, n int, args []string, err error) {
	began := time.Now()
	prefix := "[" + strconv.Itoa(n) + "] "
	stdout := &lineWriter{mu: &b.output, w: b.app.stdout, prefix: prefix}
	stderr := &lineWriter{mu: &b.output, w: b.app.stderr, prefix: prefix}
	if b.app.flags.json {
		stdout.prefix, stdout.line = "", n
	}
	a := &app{
		stdin: noStdin{}, stdout: &pipeWriter{w: stdout}, stderr: stderr, log: slog.New(slog.DiscardHandler),
		locals: b.locals, within: true, line: n, limits: b.app.limited(),
	}
	code, word := exitUsage, ""
	if len(args) > 0 && args[0] == "osssync" {
		args = args[1:]
	}
	if len(args) > 0 {
		word = printable(args[0])
	}
	if err != nil {
		a.flags.json = b.app.flags.json
		b.app.log.Error("ended", "line", n, "err", err, "exit_code", code)
		a.explain(&usageError{message: err.Error()}, code)
	} else {
		code = a.execute(ctx, append(slices.Clone(b.global), args...))
	}
	stdout.flush()
	stderr.flush()
	if b.app.flags.json {
		b.output.Lock()
		b.app.emit(runLine{V: jsonVersion, Line: n, Type: "line", Command: word, ExitCode: code, ElapsedSeconds: time.Since(began).Seconds()})
		b.output.Unlock()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines++
	b.code = worse(b.code, code)
	if code != exitOK {
		b.failed = append(b.failed, n)
	}
}

// summary says how all went.
func (b *batch) summary(ctx context.Context) error {
	slices.Sort(b.failed)
	took := time.Since(b.began)
	if end := bound(ctx); end != nil {
		b.code = end.code
	} else if ctx.Err() != nil {
		b.code = exitInterrupted
	}
	again := b.again
	if ctx.Err() == nil {
		again = "" // what failed would fail again, and all else be done anew
	}
	if b.app.flags.json {
		b.app.emit(runSummary{
			V: jsonVersion, Type: "run", Lines: b.lines, Failed: len(b.failed), FailedLines: b.failed, NotBegun: b.notBegun,
			ExitCode: b.code, Continue: again, ElapsedSeconds: took.Seconds(),
		})
	}
	if b.code == exitOK {
		if !b.app.flags.onlyErrors {
			b.app.printf("done: %s in %s, 0 failed", number(int64(b.lines), "line"), elapsed(took))
		}
		return nil
	}
	var numbers []string
	for _, n := range b.failed[:min(len(b.failed), maxShown)] {
		numbers = append(numbers, strconv.Itoa(n))
	}
	if len(b.failed) > maxShown {
		numbers = append(numbers, "…")
	}
	text := fmt.Sprintf("%d of %s failed in %s", len(b.failed), number(int64(b.lines), "line"), elapsed(took))
	if len(numbers) > 0 {
		text += ": " + strings.Join(numbers, ", ")
	}
	if ctx.Err() != nil {
		text = "interrupted: " + text + b.rest(again)
	}
	return &runError{message: text, code: b.code}
}

// rest says what an interrupted run has left, and how to go on.
func (b *batch) rest(again string) string {
	text := ""
	switch {
	case b.whole:
		text = fmt.Sprintf("; %s not begun", number(int64(b.notBegun), "line"))
	default:
		text = "; what else the input has is not begun"
	}
	if again != "" {
		text += "; to go on, from the first line: " + again
	}
	return text
}

// noStdin is what the lines of a run read: they would take it from each other.
type noStdin struct{}

func (noStdin) Read([]byte) (int, error) { return 0, errors.New("a line of run has no stdin") }

// lineWriter writes whole lines, each with a prefix, among those of others.
type lineWriter struct {
	mu     *sync.Mutex
	w      io.Writer
	prefix string
	line   int // of JSON: its number is added; 0 = no JSON

	own sync.Mutex
	buf []byte
}

// longLine is where a line without an end is broken.
const longLine = 64 << 10

func (l *lineWriter) Write(p []byte) (int, error) {
	l.own.Lock()
	defer l.own.Unlock()
	l.buf = append(l.buf, p...)
	for {
		i := bytes.IndexByte(l.buf, '\n')
		if i < 0 && len(l.buf) < longLine {
			return len(p), nil
		}
		if i < 0 {
			i = len(l.buf) - 1
		}
		if err := l.put(l.buf[:i+1]); err != nil {
			return 0, err
		}
		l.buf = append(l.buf[:0], l.buf[i+1:]...)
	}
}

func (l *lineWriter) put(line []byte) error {
	text := l.prefix + strings.TrimSuffix(string(line), "\n") + "\n"
	if l.line > 0 {
		text = numbered(text, l.line)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := io.WriteString(l.w, text)
	return err
}

// numbered is a line of JSON with the number of the line that printed it. What
// is no JSON, such as a help text, becomes a textLine.
func numbered(text string, line int) string {
	if rest, ok := strings.CutPrefix(text, `{"v":1,`); ok && json.Valid([]byte(text)) {
		return fmt.Sprintf(`{"v":1,"line":%d,%s`, line, rest)
	}
	wrapped, err := json.Marshal(textLine{V: jsonVersion, Line: line, Type: "text", Text: strings.TrimSuffix(text, "\n")})
	if err != nil {
		return "" // a number and strings can be written
	}
	return string(wrapped) + "\n"
}

// flush writes what has no end yet.
func (l *lineWriter) flush() {
	l.own.Lock()
	defer l.own.Unlock()
	if len(l.buf) > 0 {
		l.put(l.buf) //nolint:errcheck // a reader that left stops nothing
		l.buf = nil
	}
}

// splitLine takes a line apart as a shell does, without expanding anything.
func splitLine(text string) (args []string, err error) {
	var word strings.Builder
	quote, within := byte(0), false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote == '\'' && c != quote, quote == '"' && c != quote && c != '\\':
			word.WriteByte(c)
		case quote != 0 && c == quote:
			quote = 0
		case c == '\\' && i+1 < len(text):
			if i++; quote == '"' && !strings.ContainsRune(`"\$`+"`", rune(text[i])) {
				word.WriteByte('\\')
			}
			word.WriteByte(text[i])
			within = true
		case c == '\'' || c == '"':
			quote, within = c, true
		case c == '#' && !within:
			return args, nil
		case c == ' ' || c == '\t' || c == '\r':
			if within {
				args = append(args, word.String())
			}
			word.Reset()
			within = false
		default:
			word.WriteByte(c)
			within = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("the line has a %c without its end", quote)
	}
	if within {
		args = append(args, word.String())
	}
	return args, nil
}
