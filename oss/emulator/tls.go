package emulator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The files of Options.TLSDir.
const (
	caFile    = "ca.pem"
	caKeyFile = "ca-key.pem"
)

const (
	caName   = "OSS emulator"
	caLife   = 10 * 365 * 24 * time.Hour
	caRenew  = 30 * 24 * time.Hour // before its end
	leafLife = 30 * 24 * time.Hour
)

// CAFile is the certificate in PEM that clients must trust to reach the server
// by https, or "" if it serves http.
func (s *Server) CAFile() string {
	if s.opts.TLSDir == "" {
		return ""
	}
	return filepath.Join(s.opts.TLSDir, caFile)
}

// authority signs the server's certificates. It may sign only for the server's
// own names and addresses, so that trusting it gives nothing else away.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey // of the authority
	leaf *ecdsa.PrivateKey // of the server
}

// secure wraps a listener that serves https.
func (s *Server) secure(l net.Listener) (net.Listener, error) {
	names, addresses := s.tlsNames(l.Addr())
	a, err := openAuthority(s.opts.TLSDir, names, addresses)
	if err != nil {
		return nil, err
	}
	return tls.NewListener(l, &tls.Config{NextProtos: []string{"http/1.1"}, GetCertificate: a.certificate}), nil
}

// tlsNames is what the server may be called: its domains and all names below
// them, and its addresses.
func (s *Server) tlsNames(addr net.Addr) (names []string, addresses []*net.IPNet) {
	names = append([]string{"localhost"}, s.opts.Domains...)
	for host := range s.opts.CNAMEs {
		names = append(names, host)
	}
	slices.Sort(names)
	single := func(ip net.IP) *net.IPNet {
		if ip4 := ip.To4(); ip4 != nil {
			ip = ip4
		}
		return &net.IPNet{IP: ip, Mask: net.CIDRMask(8*len(ip), 8*len(ip))}
	}
	addresses = []*net.IPNet{{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}, single(net.IPv6loopback)}
	tcp, ok := addr.(*net.TCPAddr)
	switch {
	case !ok:
	case tcp.IP.IsUnspecified():
		local, err := net.InterfaceAddrs()
		if err != nil {
			break // then only the loopback addresses are served well
		}
		for _, a := range local {
			if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() {
				addresses = append(addresses, single(n.IP))
			}
		}
	case !tcp.IP.IsLoopback():
		addresses = append(addresses, single(tcp.IP))
	}
	return slices.Compact(names), addresses
}

// openAuthority reads the authority of a folder, or makes one if there is none
// or it has ended or does not cover the names.
func openAuthority(dir string, names []string, addresses []*net.IPNet) (*authority, error) {
	leaf, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	a, err := readAuthority(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case a.cert.Subject.CommonName != caName:
		return nil, fmt.Errorf("%s is not the server's own", filepath.Join(dir, caFile))
	case time.Until(a.cert.NotAfter) > caRenew && covers(a.cert, names, addresses):
		a.leaf = leaf
		return a, nil
	}
	if a, err = newAuthority(names, addresses); err != nil {
		return nil, err
	}
	a.leaf = leaf
	return a, a.write(dir)
}

func covers(ca *x509.Certificate, names []string, addresses []*net.IPNet) bool {
	for _, n := range names {
		if !slices.Contains(ca.PermittedDNSDomains, n) {
			return false
		}
	}
	for _, a := range addresses {
		if !slices.ContainsFunc(ca.PermittedIPRanges, func(r *net.IPNet) bool { return r.Contains(a.IP) }) {
			return false
		}
	}
	return true
}

func readAuthority(dir string) (*authority, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, caFile), filepath.Join(dir, caKeyFile))
	if err != nil {
		return nil, err
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s: not a key of the server's kind", filepath.Join(dir, caKeyFile))
	}
	return &authority{cert: pair.Leaf, key: key}, nil
}

func newAuthority(names []string, addresses []*net.IPNet) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: newSerial(), Subject: pkix.Name{CommonName: caName},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(caLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage:                    x509.KeyUsageCertSign,
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: names, PermittedIPRanges: addresses,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &authority{cert: cert, key: key}, err
}

func newSerial() *big.Int {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[0] &= 0x7f           // positive
	return new(big.Int).SetBytes(b[:])
}

// write keeps the authority in a folder, its key for the owner alone.
func (a *authority) write(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name, kind string
		der        []byte
	}{{caKeyFile, "PRIVATE KEY", key}, {caFile, "CERTIFICATE", a.cert.Raw}} {
		temp, err := os.CreateTemp(dir, ".new-*") // mode 0600
		if err != nil {
			return err
		}
		err = pem.Encode(temp, &pem.Block{Type: f.kind, Bytes: f.der})
		if err = errors.Join(err, temp.Close()); err == nil {
			err = os.Rename(temp.Name(), filepath.Join(dir, f.name))
		}
		if err != nil {
			return errors.Join(err, os.Remove(temp.Name()))
		}
	}
	return nil
}

// certificate makes the certificate of one connection, for the name the client
// asks for and the address it came to. Made anew each time, it never ends, and
// bucket names need no wildcard, which some clients refuse below localhost.
func (a *authority) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	if !slices.ContainsFunc(a.cert.PermittedDNSDomains, func(d string) bool { return name == d || strings.HasSuffix(name, "."+d) }) {
		name = "localhost"
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: newSerial(), Subject: pkix.Name{CommonName: caName + " server"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(leafLife),
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if local, ok := hello.Conn.LocalAddr().(*net.TCPAddr); ok && covers(a.cert, nil, []*net.IPNet{{IP: local.IP}}) {
		template.IPAddresses = append(template.IPAddresses, local.IP)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &a.leaf.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("certificate for %q: %w", name, err)
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: a.leaf}, nil
}
