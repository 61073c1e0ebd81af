package lint_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/osssync/osssync"

// arrows lists, for each package, which of our own it may import. "*" is all.
// What only tests import stands in testArrows.
var arrows = map[string][]string{
	"":                 {},
	"bench":            {"*"},
	"checkpoint":       {},
	"cmd/osssync":      {"transfer", "oss", "oss/emulator", "oss/limit", "transfer/filter"},
	"internal/capture": {"internal/vt"},
	"internal/crc64":   {},
	"internal/file":    {},
	"internal/lint":    {},
	"internal/lister":  {"oss"},
	"internal/localfs": {},
	"internal/release": {},
	"internal/vt":      {},
	"oss":              {"internal/crc64", "internal/file"},
	"oss/crypto":       {"oss", "internal/crc64", "internal/file"},
	"oss/emulator":     {"oss/emulator/internal/*"},
	"oss/limit":        {},
	"oss/osstest":      {"oss", "oss/emulator"},
	"scheduler":        {},
	"transfer":         {"oss", "oss/crypto", "scheduler", "checkpoint", "internal/crc64", "internal/lister", "internal/localfs", "transfer/filter"},
	"transfer/filter":  {},
}

// owners lists the one package that imports a third-party module, outside of
// tests. The emulator's store is a database of its own.
var owners = map[string][]string{
	"go.etcd.io/bbolt":                 {"checkpoint", "oss/emulator"},
	"github.com/cenkalti/backoff/v4":   {"scheduler"},
	"github.com/vbauerster/mpb/v8":     {"cmd/osssync"},
	"github.com/spf13/cobra":           {"cmd/osssync"},
	"github.com/spf13/pflag":           {"cmd/osssync"},
	"github.com/mattn/go-runewidth":    {"cmd/osssync", "internal/capture", "internal/vt"},
	"golang.org/x/term":                {"cmd/osssync"},
	"github.com/bmatcuk/doublestar/v4": {"cmd/osssync"},
	"golang.org/x/sync/errgroup":       {"transfer"},
	"golang.org/x/sys/cpu":             {"internal/crc64"},
	"golang.org/x/sys/unix":            {"internal/localfs", "checkpoint", "cmd/osssync", "oss/emulator", "bench", "internal/capture"},
	"golang.org/x/sys/windows":         {"internal/localfs", "checkpoint", "cmd/osssync", "oss/emulator"},
}

const (
	maxFileLines = 600
	maxFuncLines = 120
)

var topLevel = []string{
	".ci", ".git", ".gitignore", "LICENSE", "bench", "checkpoint", "cmd", "doc.go", "example_test.go", "go.mod", "go.sum",
	"internal", "oss", "oss-data", "osssync", "scheduler", "transfer",
}

// file is one Go file of the module.
type file struct {
	path  string // slash-separated, from the module's root
	pkg   string // its folder
	test  bool
	lines int
	ast   *ast.File
	fset  *token.FileSet
}

func files(t *testing.T) []file {
	t.Helper()
	root := filepath.Join("..", "..")
	var all []file
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && p != root {
			nested, err := filepath.Glob(filepath.Join(p, "go.mod"))
			if strings.HasPrefix(name, ".") || name == "testdata" || name == "oss-data" || len(nested) > 0 {
				return filepath.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		src, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, p, src, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		pkg := path.Dir(rel)
		if pkg == "." {
			pkg = ""
		}
		all = append(all, file{
			path: rel, pkg: pkg, test: strings.HasSuffix(rel, "_test.go"),
			lines: strings.Count(string(src), "\n"), ast: parsed, fset: fset,
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("found only %d Go files: looking in the wrong place", len(all))
	}
	return all
}

// family is the entry of arrows that a package belongs to.
func family(pkg string) string {
	if strings.HasPrefix(pkg, "oss/emulator/") {
		return "oss/emulator"
	}
	return pkg
}

func TestArrows(t *testing.T) {
	for _, f := range files(t) {
		allowed, known := arrows[family(f.pkg)]
		if !known {
			t.Errorf("%s: package %q has no place in the design; give it one in arrows", f.path, f.pkg)
			continue
		}
		for _, imp := range f.ast.Imports {
			name, _ := strconv.Unquote(imp.Path.Value)
			own, isOwn := strings.CutPrefix(name, module)
			own = strings.TrimPrefix(own, "/")
			switch {
			case isOwn && !f.test && own != "oss/osstest" && mayImport(f.pkg, own, allowed):
			case isOwn && f.test && (own == f.pkg || own != "cmd/osssync" && own != "bench"):
			case isOwn:
				t.Errorf("%s imports %s: against the arrows", f.path, own)
			case !f.test:
				checkOwner(t, f, name)
			}
		}
	}
}

func mayImport(from, to string, allowed []string) bool {
	if family(from) == family(to) {
		return true
	}
	return slices.ContainsFunc(allowed, func(a string) bool {
		ok, _ := path.Match(a, to)
		return ok || a == "*"
	})
}

func checkOwner(t *testing.T, f file, name string) {
	first, _, _ := strings.Cut(name, "/")
	if !strings.Contains(first, ".") {
		return // the standard library
	}
	for prefix, packages := range owners {
		if name == prefix || strings.HasPrefix(name, prefix+"/") {
			if !slices.Contains(packages, family(f.pkg)) {
				t.Errorf("%s imports %s, which belongs to %s", f.path, name, strings.Join(packages, " and "))
			}
			return
		}
	}
	t.Errorf("%s imports %s, which has no owner: does it earn its place?", f.path, name)
}

func TestSizes(t *testing.T) {
	for _, f := range files(t) {
		if f.lines > maxFileLines {
			t.Errorf("%s has %d lines, more than %d: is it still one subject?", f.path, f.lines, maxFileLines)
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			n := f.fset.Position(fn.End()).Line - f.fset.Position(fn.Pos()).Line + 1
			if n > maxFuncLines {
				t.Errorf("%s: %s has %d lines, more than %d", f.path, fn.Name.Name, n, maxFuncLines)
			}
		}
	}
}

func TestPackageComments(t *testing.T) {
	comments := map[string][]string{}
	for _, f := range files(t) {
		if f.test {
			continue
		}
		if _, seen := comments[f.pkg]; !seen {
			comments[f.pkg] = nil
		}
		if f.ast.Doc != nil {
			comments[f.pkg] = append(comments[f.pkg], f.path)
		}
	}
	for pkg, where := range comments {
		if len(where) != 1 {
			t.Errorf("package %q has %d package comments, want one: %v", pkg, len(where), where)
		}
		base := path.Base(pkg)
		if slices.Contains([]string{"util", "utils", "common", "helpers", "misc", "types"}, base) {
			t.Errorf("package %q: a name that says nothing", pkg)
		}
	}
}

func TestExportedNamesHaveComments(t *testing.T) {
	for _, f := range files(t) {
		if f.test || strings.HasPrefix(f.pkg, "cmd/") {
			continue
		}
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) && !obvious(d.Name.Name) {
					t.Errorf("%s: %s has no comment", f.path, d.Name.Name)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if ts, ok := s.(*ast.TypeSpec); ok && ts.Name.IsExported() && ts.Doc == nil && d.Doc == nil {
						t.Errorf("%s: %s has no comment", f.path, ts.Name.Name)
					}
				}
			}
		}
	}
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if index, ok := typ.(*ast.IndexExpr); ok {
		typ = index.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

// obvious names methods whose interface says all there is to say.
func obvious(name string) bool {
	return slices.Contains([]string{"Error", "Unwrap", "String", "Read", "Write", "Close"}, name)
}

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(topLevel, e.Name()) && !strings.HasSuffix(e.Name(), ".md") {
			t.Errorf("%s does not belong to the top level", e.Name())
		}
	}
}
