package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// sample is a product whose binary is a few bytes.
func sample(t *testing.T, system, version string) *product {
	t.Helper()
	p := &product{
		os: system, arch: "amd64", version: version, time: time.Unix(1_700_000_000, 0), binary: []byte("#!/bin/sh\n"),
		manual: []file{{name: "osssync.1", mode: 0o644, data: []byte(".TH OSSSYNC 1\n")}},
	}
	for _, name := range []string{"README.md", "LICENSE"} {
		p.texts = append(p.texts, file{name: name, mode: 0o644, data: []byte(name)})
	}
	var err error
	for _, name := range units {
		if p.units, err = addFile(p.units, "systemd", name); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// The same input gives the same bytes, and an archive holds nobody's name.
func TestPackages(t *testing.T) {
	for _, tc := range []struct{ system, title, program string }{
		{"linux", "osssync_v1.2.3_linux_amd64", "osssync"},
		{"windows", "osssync_v1.2.3_windows_amd64", "osssync.exe"},
	} {
		t.Run(tc.system, func(t *testing.T) {
			made, err := sample(t, tc.system, "v1.2.3").packages()
			if err != nil {
				t.Fatal(err)
			}
			again, err := sample(t, tc.system, "v1.2.3").packages()
			if err != nil || !slices.EqualFunc(made, again, func(a, b file) bool { return a.name == b.name && bytes.Equal(a.data, b.data) }) {
				t.Errorf("%v: not the same twice", err)
			}
			names := tarNames(t, made[0].data)
			if tc.system == "windows" {
				names = zipNames(t, made[0].data)
			}
			if want := tc.title + "/" + tc.program; !slices.Contains(names, want) {
				t.Errorf("%s has no %s: %q", made[0].name, want, names)
			}
			if !strings.HasPrefix(made[0].name, tc.title+".") {
				t.Errorf("archive is %s", made[0].name)
			}
		})
	}
}

func tarNames(t *testing.T, data []byte) (names []string) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Skip("not a tar archive")
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "root" || !h.ModTime.Equal(time.Unix(1_700_000_000, 0)) {
			t.Errorf("%s is %s's (%d), of %s", h.Name, h.Uname, h.Uid, h.ModTime)
		}
		names = append(names, h.Name)
	}
}

func zipNames(t *testing.T, data []byte) (names []string) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	return names
}

// Debian's own tool reads the package, and its checksums hold.
func TestDebian(t *testing.T) {
	tool, err := exec.LookPath("dpkg-deb")
	if err != nil {
		t.Skip("no dpkg-deb here")
	}
	deb, err := sample(t, "linux", "v1.2.3-rc.1").debian()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "p.deb")
	if err := os.WriteFile(name, deb, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ args, want string }{
		{"--field p.deb Package Version Architecture", "Package: osssync\nVersion: 1.2.3~rc.1\nArchitecture: amd64\n"},
		{"--contents p.deb", "./usr/bin/osssync\n"},
		{"--contents p.deb", "usr/lib/systemd/system/osssync@.timer\n"},
		{"--contents p.deb", "usr/share/man/man1/osssync.1.gz\n"},
		{"--contents p.deb", "usr/share/doc/osssync/copyright\n"},
		{"--raw-extract p.deb x", ""},
	} {
		cmd := exec.CommandContext(t.Context(), tool, strings.Fields(tc.args)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), strings.TrimPrefix(tc.want, "./")) {
			t.Errorf("dpkg-deb %s: %v\n%s", tc.args, err, out)
		}
	}
	sums := exec.CommandContext(t.Context(), "md5sum", "--check", "DEBIAN/md5sums")
	sums.Dir = filepath.Join(dir, "x")
	if out, err := sums.CombinedOutput(); err != nil {
		t.Errorf("md5sum: %v\n%s", err, out)
	}
}

func TestDebianVersion(t *testing.T) {
	for have, want := range map[string]string{
		"v1.2.3": "1.2.3", "v1.2.3-rc.1": "1.2.3~rc.1", "v0.0.0-20261125124505-07551c79dd39": "0.0.0~20261125124505~07551c79dd39",
	} {
		if got := (&product{version: have}).debianVersion(); got != want {
			t.Errorf("%s becomes %s, want %s", have, got, want)
		}
	}
}

// systemd finds nothing wrong with the units, but that osssync is not installed.
func TestUnits(t *testing.T) {
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze here")
	}
	dir := t.TempDir()
	for _, name := range units {
		text, err := os.ReadFile(filepath.Join("systemd", name))
		if err != nil {
			t.Fatal(err)
		}
		text = bytes.ReplaceAll(text, []byte("/usr/bin/osssync"), []byte("/bin/true"))
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), tool, "verify", "--man=no", filepath.Join(dir, units[0]), filepath.Join(dir, units[1])).CombinedOutput()
	if strings.Contains(string(out), dir) || strings.Contains(string(out), "osssync@") {
		t.Errorf("%v\n%s", err, out)
	}
}
