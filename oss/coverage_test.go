package oss_test

import (
	"bufio"
	"errors"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// coverageRow is a line of testdata/oss2-coverage.tsv: something oss2 has and
// the symbol that stands for it here, or the reason why there is none.
type coverageRow struct{ group, name, symbol, note string }

func coverageRows(t *testing.T) []coverageRow {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "oss2-coverage.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rows []coverageRow
	for s := bufio.NewScanner(f); s.Scan(); {
		if strings.HasPrefix(s.Text(), "#") {
			continue
		}
		fields := strings.Split(s.Text(), "\t")
		if len(fields) == 3 {
			fields = append(fields, "")
		}
		if len(fields) != 4 || fields[0] == "" || fields[1] == "" || fields[2] == "" {
			t.Fatalf("the line %q has not the columns group, name, symbol and note", s.Text())
		}
		rows = append(rows, coverageRow{fields[0], fields[1], fields[2], fields[3]})
	}
	return rows
}

// TestOSS2Coverage: what the table says is here is here, and nothing of oss2 is
// left out of the table.
func TestOSS2Coverage(t *testing.T) {
	rows := coverageRows(t)
	counts := map[string]int{}
	seen := map[string]bool{}
	packages := map[string]*types.Package{}
	for _, r := range rows {
		counts[r.group]++
		if id := r.group + " " + r.name; seen[id] {
			t.Errorf("%s is there twice", id)
		} else {
			seen[id] = true
		}
		if r.symbol == "-" {
			if isClientGroup(r.group) {
				t.Errorf("%s.%s has no counterpart", r.group, r.name)
			}
			if len(r.note) < 8 {
				t.Errorf("%s %s has neither a symbol nor a reason", r.group, r.name)
			}
			continue
		}
		if err := findSymbol(packages, r.symbol); err != nil {
			t.Errorf("%s %s: %s: %v", r.group, r.name, r.symbol, err)
		}
	}
	// The numbers are those of oss2 2.19.1, counted in its syntax tree.
	for group, want := range map[string]int{"Service": 16, "Bucket": 153, "CryptoBucket": 13, "models": 176, "exceptions": 48 + 5} {
		if counts[group] != want {
			t.Errorf("the table has %d of %s, want %d", counts[group], group, want)
		}
	}
}

func isClientGroup(group string) bool {
	return group == "Service" || group == "Bucket" || group == "CryptoBucket"
}

// findSymbol looks for FOLDER.Name or FOLDER.Type.Member.
func findSymbol(packages map[string]*types.Package, symbol string) error {
	slash := strings.LastIndexByte(symbol, '/') + 1
	folder, path, _ := strings.Cut(symbol[slash:], ".")
	folder = symbol[:slash] + folder
	if packages[folder] == nil {
		p, err := checkFolder(filepath.Join("..", filepath.FromSlash(folder)))
		if err != nil {
			return err
		}
		packages[folder] = p
	}
	name, member, hasMember := strings.Cut(path, ".")
	object := packages[folder].Scope().Lookup(name)
	if object == nil || !object.Exported() {
		return errors.New("there is no " + name)
	}
	if !hasMember {
		return nil
	}
	found, _, _ := types.LookupFieldOrMethod(object.Type(), true, packages[folder], member)
	if found == nil || !found.Exported() {
		return errors.New(name + " has no " + member)
	}
	return nil
}

// checkFolder type-checks a package by itself: its imports are taken for empty,
// which leaves its own names and members as they are.
func checkFolder(folder string) (*types.Package, error) {
	b, err := build.ImportDir(folder, 0)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range b.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(folder, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	config := types.Config{
		IgnoreFuncBodies: true,
		Importer:         noImports{},
		Error:            func(error) {}, // about what the imports would have had
	}
	p, _ := config.Check(b.Name, fset, files, nil) //nolint:errcheck // the same
	return p, nil
}

// noImports gives every import as an empty package.
type noImports struct{}

func (noImports) Import(path string) (*types.Package, error) {
	p := types.NewPackage(path, path[strings.LastIndexByte(path, '/')+1:])
	p.MarkComplete()
	return p, nil
}
