// Command release builds what is released: static binaries for every platform
// in archives, Debian packages, and their checksums. The same commit gives the
// same bytes, on whatever machine and in whatever folder it is built: binaries
// hold no paths, archives no names or times but the commit's.
//
//	go run ./internal/release -o dist
//
// The version is the one that the toolchain finds in the commit's tags, and that
// "osssync version" prints.
//
// Beside it stand examples of how osssync is run: a container file, a systemd
// service and timer, which the packages have too, and a Kubernetes CronJob.
package main

import (
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// platforms are the ones that are released.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

// units are the files of systemd, in the folder of that name.
var units = []string{"osssync@.service", "osssync@.timer"}

func main() {
	out := flag.String("o", "dist", "write to this `folder`")
	only := flag.String("only", "", "build only these `platforms`, as linux/amd64,darwin/arm64")
	flag.Parse()
	wanted := platforms
	if *only != "" {
		wanted = strings.Split(*only, ",")
	}
	if err := release(context.Background(), *out, wanted); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release builds for the wanted platforms into out and says what it made.
func release(ctx context.Context, out string, wanted []string) error {
	root, err := output(ctx, "go", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "osssync-release")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	if err := os.MkdirAll(out, 0o755); err != nil { //nolint:gosec // for everybody
		return err
	}
	pages, err := manual(ctx, root, filepath.Join(scratch, "man"))
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, platform := range wanted {
		p, err := build(ctx, root, scratch, platform)
		if err != nil {
			return err
		}
		p.manual = pages
		made, err := p.packages()
		if err != nil {
			return err
		}
		for _, f := range made {
			if err := os.WriteFile(filepath.Join(out, f.name), f.data, 0o644); err != nil { //nolint:gosec // for everybody
				return err
			}
			line := fmt.Sprintf("%x  %s\n", sha256.Sum256(f.data), f.name)
			fmt.Print(line)
			sums.WriteString(line)
		}
	}
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(sums.String()), 0o644) //nolint:gosec // for everybody
}

// product is osssync for one platform.
type product struct {
	os, arch string
	version  string    // as the toolchain has it, such as v1.2.3
	time     time.Time // of the commit
	binary   []byte
	texts    []file // README and so on
	manual   []file // pages of section 1
	units    []file // of systemd
}

// build compiles for one platform and reads the version from the result.
func build(ctx context.Context, root, scratch, platform string) (*product, error) {
	p := &product{}
	var ok bool
	if p.os, p.arch, ok = strings.Cut(platform, "/"); !ok {
		return nil, fmt.Errorf("platform %q: want os/arch", platform)
	}
	name := filepath.Join(scratch, "osssync-"+p.os+"-"+p.arch)
	cmd := exec.CommandContext(ctx, "go", "build", "-o", name, "-trimpath", "-buildvcs=true", "-ldflags=-s -w -buildid=", "./cmd/osssync")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	cmd.Env = append(os.Environ(), "GOOS="+p.os, "GOARCH="+p.arch, "CGO_ENABLED=0", "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=-mod=readonly", "GOEXPERIMENT=")
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go build for %s: %w", platform, err)
	}
	info, err := buildinfo.ReadFile(name)
	if err != nil {
		return nil, err
	}
	p.version = info.Main.Version
	if p.time, err = time.Parse(time.RFC3339, setting(info, "vcs.time")); err != nil {
		return nil, fmt.Errorf("%s says nothing of its commit: build in a clone of the repository", name)
	}
	if p.binary, err = os.ReadFile(name); err != nil {
		return nil, err
	}
	for _, name := range []string{"README.md", "CHANGELOG.md", "JSON.md", "LICENSE"} {
		if p.texts, err = addFile(p.texts, root, name); err != nil {
			return nil, err
		}
	}
	for _, name := range units {
		if p.units, err = addFile(p.units, filepath.Join(root, "internal", "release", "systemd"), name); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func setting(info *debug.BuildInfo, key string) string {
	i := slices.IndexFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == key })
	if i < 0 {
		return ""
	}
	return info.Settings[i].Value
}

// manual has this machine's build write the manual pages.
func manual(ctx context.Context, root, dir string) ([]file, error) {
	cmd := exec.CommandContext(ctx, "go", "run", "./cmd/osssync", "man", dir)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("osssync man: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var pages []file
	for _, e := range entries {
		if pages, err = addFile(pages, dir, e.Name()); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

// file is one file of an archive or package.
type file struct {
	name string
	mode fs.FileMode
	data []byte
}

func addFile(files []file, dir, name string) ([]file, error) {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	return append(files, file{name: name, mode: 0o644, data: data}), nil
}

// packages are the archives and packages of p.
func (p *product) packages() ([]file, error) {
	title := strings.Join([]string{"osssync", p.version, p.os, p.arch}, "_")
	program := file{name: "osssync", mode: 0o755, data: p.binary}
	if p.os == "windows" {
		program.name += ".exe"
		data, err := zipped(title, append([]file{program}, p.texts...), p.time)
		return []file{{name: title + ".zip", data: data}}, err
	}
	content := append([]file{program}, p.texts...)
	for _, page := range p.manual {
		content = append(content, file{name: "man/" + page.name, mode: page.mode, data: page.data})
	}
	data, err := tarball(title, content, p.time)
	if err != nil {
		return nil, err
	}
	made := []file{{name: title + ".tar.gz", data: data}}
	if p.os == "linux" {
		deb, err := p.debian()
		if err != nil {
			return nil, err
		}
		made = append(made, file{name: p.debianName() + ".deb", data: deb})
	}
	return made, nil
}

func output(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	return strings.TrimSpace(string(out)), err
}
