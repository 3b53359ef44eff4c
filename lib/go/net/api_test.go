// SPDX-License-Identifier: BSD-2-Clause

package net_test

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// imports reads percore's own packages from their sources, and takes Go's as they are compiled.
type imports struct {
	files *token.FileSet
	std   types.Importer
	made  map[string]*types.Package
}

func (i *imports) Import(path string) (*types.Package, error) {
	if !strings.HasPrefix(path, "percore") {
		return i.std.Import(path)
	}
	if p := i.made[path]; p != nil {
		return p, nil
	}
	_, here, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(here), "..", strings.TrimPrefix(path, "percore"))
	info, err := build.ImportDir(dir, 0)
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, name := range append(info.GoFiles, info.CgoFiles...) {
		f, err := parser.ParseFile(i.files, filepath.Join(dir, name), nil, 0)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	c := types.Config{Importer: i, FakeImportC: true}
	if len(info.CgoFiles) > 0 {
		c.Error = func(error) {} // nothing is known of what is in C
	}
	p, err := c.Check(path, i.files, files, nil)
	i.made[path] = p
	if len(info.CgoFiles) > 0 {
		err = nil
	}
	return p, err
}

// signature is what a function takes and returns, without names, or the type of a variable or field.
func signature(o types.Object) string {
	s, isFunc := o.Type().(*types.Signature)
	qualifier := func(p *types.Package) string { return strings.TrimPrefix(p.Path(), "percore/") }
	if !isFunc {
		return types.TypeString(o.Type(), qualifier)
	}
	bare := func(t *types.Tuple) *types.Tuple {
		var list []*types.Var
		for i := 0; i < t.Len(); i++ {
			list = append(list, types.NewVar(token.NoPos, nil, "", t.At(i).Type()))
		}
		return types.NewTuple(list...)
	}
	return types.TypeString(types.NewSignature(nil, bare(s.Params()), bare(s.Results()), s.Variadic()), qualifier)
}

var (
	aMember = regexp.MustCompile(`^method \(\*?(\w+)\) (\w+)`)
	aField  = regexp.MustCompile(`^type (\w+) struct, (\w+) `)
	aName   = regexp.MustCompile(`^(?:func|type|var|const) (\w+)`)
)

func member(p *types.Package, of, name string) types.Object {
	t := p.Scope().Lookup(of)
	if t == nil {
		return nil
	}
	o, _, _ := types.LookupFieldOrMethod(t.Type(), true, p, name)
	return o
}

// entry finds what a line of Go's lists of its API names.
func entry(p *types.Package, line string) types.Object {
	if m := aMember.FindStringSubmatch(line); m != nil {
		return member(p, m[1], m[2])
	}
	if m := aField.FindStringSubmatch(line); m != nil {
		return member(p, m[1], m[2])
	}
	return p.Scope().Lookup(aName.FindStringSubmatch(line)[1])
}

// Each exported name of Go's package net is one of ours, with the same type.
func TestAPI(t *testing.T) {
	lists, _ := filepath.Glob(filepath.Join(runtime.GOROOT(), "api", "go1*.txt"))
	if len(lists) == 0 {
		lists, _ = filepath.Glob("/usr/share/go-1.19/api/go1*.txt")
	}
	if len(lists) == 0 {
		t.Skip("Go's api/*.txt are not here")
	}
	i := &imports{token.NewFileSet(), importer.Default(), make(map[string]*types.Package)}
	ours, err := i.Import("percore/net")
	must(t, err)
	gos, err := i.Import("net")
	must(t, err)
	checked := 0
	for _, list := range lists {
		var minor int
		if n, _ := fmt.Sscanf(filepath.Base(list), "go1.%d.txt", &minor); n == 1 && minor > 19 {
			continue // of a newer Go
		}
		f, err := os.Open(list)
		must(t, err)
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			line := lines.Text()
			if !strings.HasPrefix(line, "pkg net, ") {
				continue
			}
			line = strings.TrimPrefix(line, "pkg net, ")
			if strings.Contains(line, "embedded ") {
				continue
			}
			a, b := entry(gos, line), entry(ours, line)
			if a == nil {
				continue // of a newer Go
			}
			checked++
			if b == nil {
				t.Errorf("missing: %s", line)
			} else if _, isType := a.(*types.TypeName); !isType && signature(a) != signature(b) {
				t.Errorf("%s: ours is %s", line, signature(b))
			}
		}
	}
	t.Logf("%d entries", checked)
	if checked < 300 {
		t.Errorf("only %d entries were found", checked)
	}
}
