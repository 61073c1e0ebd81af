package main

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"errors"
	"fmt"
	"strings"
)

// debianVersion brings a version of Go's into Debian's form. What comes before
// a release, v1.2.3-rc.1 or a pseudo-version, sorts before it.
func (p *product) debianVersion() string {
	return strings.ReplaceAll(strings.TrimPrefix(p.version, "v"), "-", "~")
}

func (p *product) debianName() string {
	return strings.Join([]string{"osssync", p.debianVersion(), p.arch}, "_")
}

// debian is the Debian package of p (deb(5)). It depends on nothing: the binary
// is static, but for https it needs the system's certificates.
func (p *product) debian() ([]byte, error) {
	content := []file{{name: "usr/bin/osssync", mode: 0o755, data: p.binary}}
	for _, u := range p.units {
		content = append(content, file{name: "usr/lib/systemd/system/" + u.name, mode: u.mode, data: u.data})
	}
	for _, t := range p.texts {
		name := t.name
		if name == "LICENSE" {
			name = "copyright"
		}
		content = append(content, file{name: "usr/share/doc/osssync/" + name, mode: t.mode, data: t.data})
	}
	for _, m := range p.manual {
		packed, err := gzipped(m.data)
		if err != nil {
			return nil, err
		}
		content = append(content, file{name: "usr/share/man/man1/" + m.name + ".gz", mode: m.mode, data: packed})
	}
	size := 0
	var sums strings.Builder
	for i := range content {
		size += len(content[i].data)
		fmt.Fprintf(&sums, "%x  %s\n", md5.Sum(content[i].data), content[i].name)
	}
	control := fmt.Sprintf(`Package: osssync
Version: %s
Architecture: %s
Maintainer: osssync <https://github.com/osssync/osssync/issues>
Installed-Size: %d
Recommends: ca-certificates
Section: net
Priority: optional
Homepage: https://github.com/osssync/osssync
Description: resumable bulk transfer for Alibaba Cloud OSS
 Copies and synchronises files and objects, verifies them end to end, and goes
 on where it was interrupted. Has an embedded server to try it without an
 account. osssync@.service and osssync@.timer run a sync every night.
`, p.debianVersion(), p.arch, (size+1023)/1024)
	data, err := tarball("", content, p.time)
	if err != nil {
		return nil, err
	}
	meta, err := tarball("", []file{
		{name: "control", mode: 0o644, data: []byte(control)},
		{name: "md5sums", mode: 0o644, data: []byte(sums.String())},
	}, p.time)
	if err != nil {
		return nil, err
	}
	return ar([]file{
		{name: "debian-binary", data: []byte("2.0\n")},
		{name: "control.tar.gz", data: meta},
		{name: "data.tar.gz", data: data},
	}, p.time), nil
}

func gzipped(data []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = z.Write(data)
	err = errors.Join(err, z.Close())
	return out.Bytes(), err
}
