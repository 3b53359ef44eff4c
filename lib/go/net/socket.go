// SPDX-License-Identifier: BSD-2-Clause

package net

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"percore/internal/pcx"
)

// socket is what connections and listeners have in common; op is what an *OpError names.
type socket struct {
	fd      *pcx.FD
	network string // as it was asked for
	domain  int
	local   Addr
	remote  Addr // nil: none
}

func invalid() error { return syscall.EINVAL }

func (s *socket) fail(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &OpError{Op: op, Net: s.network, Source: s.local, Addr: s.remote, Err: err}
}

// told is fail for settings, of which Go's errors name the socket's own address.
func (s *socket) told(op string, err error) error {
	if err == nil {
		return nil
	}
	return &OpError{Op: op, Net: s.network, Addr: s.local, Err: err}
}

func (s *socket) ok() bool { return s != nil && s.fd != nil }

func (s *socket) Close() error {
	if !s.ok() {
		return invalid()
	}
	return s.fail("close", s.fd.Close())
}

func (s *socket) LocalAddr() Addr {
	if !s.ok() {
		return nil
	}
	return s.local
}

func (s *socket) RemoteAddr() Addr {
	if !s.ok() {
		return nil
	}
	return s.remote
}

func (s *socket) deadline(t time.Time, in, out bool) error {
	if !s.ok() {
		return invalid()
	}
	return s.told("set", s.fd.SetDeadline(t, in, out))
}

func (s *socket) SetDeadline(t time.Time) error      { return s.deadline(t, true, true) }
func (s *socket) SetReadDeadline(t time.Time) error  { return s.deadline(t, true, false) }
func (s *socket) SetWriteDeadline(t time.Time) error { return s.deadline(t, false, true) }

func (s *socket) set(level, name, value int) error {
	if !s.ok() {
		return invalid()
	}
	return s.fail("set", s.fd.SetInt(level, name, value))
}

func (s *socket) setBuffer(name, bytes int) error {
	if !s.ok() {
		return invalid()
	}
	return s.told("set", s.fd.SetInt(syscall.SOL_SOCKET, name, bytes))
}

func (s *socket) SetReadBuffer(bytes int) error  { return s.setBuffer(syscall.SO_RCVBUF, bytes) }
func (s *socket) SetWriteBuffer(bytes int) error { return s.setBuffer(syscall.SO_SNDBUF, bytes) }

// File fails with syscall.EOPNOTSUPP: an *os.File is the kernel's, and a socket of percore's is nothing to the kernel.
func (s *socket) File() (*os.File, error) {
	if !s.ok() {
		return nil, invalid()
	}
	return nil, s.told("file", syscall.EOPNOTSUPP)
}

// SyscallConn has the descriptor of percore/posix.h: calls of package syscall fail on it, pcx_ calls in C code do not.
func (s *socket) SyscallConn() (syscall.RawConn, error) {
	if !s.ok() {
		return nil, invalid()
	}
	return rawConn{s}, nil
}

type rawConn struct{ s *socket }

func (r rawConn) Control(f func(fd uintptr)) error   { return r.s.told("raw-control", r.s.fd.Control(f)) }
func (r rawConn) Read(f func(fd uintptr) bool) error { return r.s.fail("raw-read", r.s.fd.RawRead(f)) }
func (r rawConn) Write(f func(fd uintptr) bool) error {
	return r.s.fail("raw-write", r.s.fd.RawWrite(f))
}

// ---- which socket an address needs

// family of "tcp", "tcp4", "udp6" and so on: 0 for either.
func family(network string) int {
	switch network[len(network)-1] {
	case '4':
		return syscall.AF_INET
	case '6':
		return syscall.AF_INET6
	}
	return 0
}

// domainOf chooses the socket's family: a listener on no address in particular serves both, by IPv6.
func domainOf(network string, local, remote netip.AddrPort) int {
	if f := family(network); f != 0 {
		return f
	}
	l, r := local.Addr(), remote.Addr()
	if !remote.IsValid() {
		if !l.IsValid() || l.IsUnspecified() {
			return syscall.AF_INET6
		}
	}
	if (l.IsValid() && !l.Unmap().Is4()) || (r.IsValid() && !r.Unmap().Is4()) {
		return syscall.AF_INET6
	}
	return syscall.AF_INET
}

type control func(network, address string, c syscall.RawConn) error

// open makes a socket with a name, and hands it to the program's control function before it has one; to is nil of one that
// listens.
func open(network string, typ int, from, to Addr, ctl control) (*socket, error) {
	if err := wrongLength(from); err != nil {
		return nil, err
	}
	local, remote, listens, about := addrPort(from), netip.AddrPort{}, to == nil, from
	if !listens {
		if err := wrongLength(to); err != nil {
			return nil, err
		}
		remote, about = destination(network, from, to), to
	}
	s := &socket{network: network, domain: domainOf(network, local, remote)}
	var err error
	if s.fd, err = pcx.Socket(s.domain, typ, 0); err != nil {
		return nil, err
	}
	if s.domain == syscall.AF_INET6 {
		only := 0
		if family(network) == syscall.AF_INET6 || local.Addr().IsValid() && !local.Addr().IsUnspecified() && listens {
			only = 1
		}
		err = s.fd.SetInt(syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, only)
	}
	group := listens && typ == syscall.SOCK_DGRAM && local.Addr().IsMulticast()
	if err == nil && (group || listens && typ == syscall.SOCK_STREAM) {
		err = s.fd.SetInt(syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	}
	if err == nil && typ == syscall.SOCK_DGRAM {
		err = s.fd.SetInt(syscall.SOL_SOCKET, syscall.SO_BROADCAST, 1)
	}
	if err == nil && ctl != nil {
		err = ctl(controlName(network, s.domain), about.String(), rawConn{s})
	}
	if err == nil && (listens || local.IsValid() || local.Port() != 0) {
		name := local
		if group || !name.Addr().IsValid() { // of a group every address, as in Go's: unicast to the port is received, too
			name = netip.AddrPortFrom(unspecified(s.domain), local.Port())
		}
		err = s.fd.Bind(name, s.domain)
	}
	if err != nil {
		_ = s.fd.Close()
		return nil, err
	}
	return s, nil
}

func unspecified(domain int) netip.Addr {
	if domain == syscall.AF_INET {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// controlName is the network that a control function is told: with the family.
func controlName(network string, domain int) string {
	base := strings.TrimRight(network, "46")
	if domain == syscall.AF_INET {
		return base + "4"
	}
	return base + "6"
}

// connect connects a socket. A context that ends is a time-out or a cancellation, as in Go's Dial.
func (s *socket) connect(ctx context.Context, to netip.AddrPort) error {
	return mapErr(s.fd.Connect(ctx, target(to, s.domain), s.domain))
}

func mapErr(err error) error {
	switch err {
	case context.DeadlineExceeded:
		return errTimedOut
	case context.Canceled:
		return errCanceled
	}
	return err
}

// destination is the address to dial; no host at all is this machine, too, in the family of the network or of the local address.
func destination(network string, from, to Addr) netip.AddrPort {
	a := addrPort(to)
	if a.Addr().IsValid() {
		return a
	}
	return target(a, domainOf(network, addrPort(from), netip.AddrPortFrom(netip.IPv4Unspecified(), 0)))
}

// target of a connection to no address in particular: this machine.
func target(to netip.AddrPort, domain int) netip.AddrPort {
	if to.Addr().IsValid() && !to.Addr().IsUnspecified() {
		return to
	}
	if domain == syscall.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), to.Port())
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte{15: 1}), to.Port())
}

// plain is an address as Go's types have it: IPv4 in 16 bytes is IPv4.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

var errTimedOut, errCanceled error = timedOut{}, canceled{}

// timedOut is the end of a Dial's time: to programs that look for a context's and to those that look for a deadline's.
type timedOut struct{}

func (timedOut) Error() string   { return "i/o timeout" }
func (timedOut) Timeout() bool   { return true }
func (timedOut) Temporary() bool { return true }
func (timedOut) Is(target error) bool {
	return target == context.DeadlineExceeded || target == os.ErrDeadlineExceeded
}

type canceled struct{}

func (canceled) Error() string        { return "operation was canceled" }
func (canceled) Is(target error) bool { return target == context.Canceled }

// addrPort of Go's types; nothing of nil.
func addrPort(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *TCPAddr:
		if a != nil {
			return withZone(a.AddrPort(), a.IP)
		}
	case *UDPAddr:
		if a != nil {
			return withZone(a.AddrPort(), a.IP)
		}
	}
	return netip.AddrPort{}
}

// ipOf one of Go's types; of nil none.
func ipOf(a Addr) IP {
	switch a := a.(type) {
	case *TCPAddr:
		if a != nil {
			return a.IP
		}
	case *UDPAddr:
		if a != nil {
			return a.IP
		}
	}
	return nil
}

// wrongLength tells of bytes that are no address.
func wrongLength(a Addr) error {
	if ip := ipOf(a); len(ip) != 0 && ip.To16() == nil {
		return &AddrError{Err: "neither an IPv4 nor an IPv6 address", Addr: ip.String()}
	}
	return nil
}

func withZone(a netip.AddrPort, ip IP) netip.AddrPort {
	if ip.To4() != nil {
		return plain(a)
	}
	return a
}
