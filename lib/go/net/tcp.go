// SPDX-License-Identifier: BSD-2-Clause

package net

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"time"

	"percore/internal/pcx"
)

const (
	defaultKeepAlive = 15 * time.Second
	backlog          = 4096
	copyBytes        = 64 << 10
)

// TCPConn is a connection of percore's.
type TCPConn struct{ socket }

// TCPListener is a listener of percore's.
type TCPListener struct {
	s         socket // not embedded: a listener has no peer and no buffers
	keepAlive time.Duration
}

// newTCPConn makes a connection of a socket; its peer is known, as one that is gone by now is told by nobody.
func newTCPConn(fd *pcx.FD, peer netip.AddrPort, network string, domain int, keepAlive time.Duration) *TCPConn {
	c := &TCPConn{socket{fd: fd, network: network, domain: domain}}
	c.local = TCPAddrFromAddrPort(plain(fd.Name(false)))
	c.remote = TCPAddrFromAddrPort(plain(peer))
	_ = fd.SetInt(syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	if keepAlive >= 0 {
		if keepAlive == 0 {
			keepAlive = defaultKeepAlive
		}
		_ = c.SetKeepAlive(true)
		_ = c.SetKeepAlivePeriod(keepAlive)
	}
	runtime.SetFinalizer(c, func(lost *TCPConn) { _ = lost.fd.Close() }) // as in Go's, nobody has closed it
	return c
}

func (c *TCPConn) ok() bool { return c != nil && c.fd != nil }

func (c *TCPConn) Read(b []byte) (int, error) {
	if !c.ok() {
		return 0, invalid()
	}
	n, err := c.fd.Read(b)
	if n == 0 && err == nil && len(b) > 0 {
		err = io.EOF
	}
	return n, c.fail("read", err)
}

func (c *TCPConn) Write(b []byte) (int, error) {
	if !c.ok() {
		return 0, invalid()
	}
	n, err := c.fd.Write(b)
	return n, c.fail("write", err)
}

// ReadFrom copies r to the connection, through a buffer of its own.
func (c *TCPConn) ReadFrom(r io.Reader) (int64, error) {
	if !c.ok() {
		return 0, invalid()
	}
	n, err := io.CopyBuffer(onlyWriter{c}, onlyReader{r}, make([]byte, copyBytes))
	return n, c.fail("readfrom", err)
}

type onlyWriter struct{ io.Writer }
type onlyReader struct{ io.Reader }

func (c *TCPConn) shutdown(how int) error {
	if !c.ok() {
		return invalid()
	}
	return c.fail("close", c.fd.Shutdown(how))
}

func (c *TCPConn) CloseRead() error  { return c.shutdown(syscall.SHUT_RD) }
func (c *TCPConn) CloseWrite() error { return c.shutdown(syscall.SHUT_WR) }

func number(on bool) int {
	if on {
		return 1
	}
	return 0
}

func (c *TCPConn) SetKeepAlive(on bool) error {
	return c.set(syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, number(on))
}

// SetKeepAlivePeriod sets the time to the first probe and between probes, in whole seconds.
func (c *TCPConn) SetKeepAlivePeriod(d time.Duration) error {
	seconds := int((d + time.Second - 1) / time.Second)
	if err := c.set(syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, seconds); err != nil {
		return err
	}
	return c.set(syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, seconds)
}

// SetLinger is SO_LINGER: 0 resets at Close, less than 0 is the default.
func (c *TCPConn) SetLinger(seconds int) error {
	if !c.ok() {
		return invalid()
	}
	value := make([]byte, 8)
	if seconds >= 0 {
		order.PutUint32(value, 1)
		order.PutUint32(value[4:], uint32(seconds))
	}
	return c.fail("set", c.fd.SetBytes(syscall.SOL_SOCKET, syscall.SO_LINGER, value))
}

func (c *TCPConn) SetNoDelay(on bool) error {
	return c.set(syscall.IPPROTO_TCP, syscall.TCP_NODELAY, number(on))
}

// ---- listeners

// Accept waits for the next connection.
func (l *TCPListener) Accept() (Conn, error) {
	c, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (l *TCPListener) AcceptTCP() (*TCPConn, error) {
	if l == nil || !l.s.ok() {
		return nil, invalid()
	}
	fd, peer, err := l.s.fd.Accept()
	if err != nil {
		return nil, l.s.told("accept", err)
	}
	return newTCPConn(fd, peer, l.s.network, l.s.domain, l.keepAlive), nil
}

func (l *TCPListener) Addr() Addr { return l.s.LocalAddr() }

// Close ends Accept, with ErrClosed.
func (l *TCPListener) Close() error {
	if l == nil || !l.s.ok() {
		return invalid()
	}
	return l.s.told("close", l.s.fd.Close())
}

// SetDeadline sets when Accept ends.
func (l *TCPListener) SetDeadline(t time.Time) error {
	if l == nil {
		return invalid()
	}
	return l.s.deadline(t, true, true)
}

func (l *TCPListener) File() (*os.File, error) { return l.s.File() }

func (l *TCPListener) SyscallConn() (syscall.RawConn, error) {
	if _, err := l.s.SyscallConn(); err != nil {
		return nil, err
	}
	return rawListener{rawConn{&l.s}}, nil
}

// rawListener has nothing to read or write, as Go's.
type rawListener struct{ rawConn }

func (rawListener) Read(func(fd uintptr) bool) error  { return syscall.EINVAL }
func (rawListener) Write(func(fd uintptr) bool) error { return syscall.EINVAL }

func (l *TCPListener) listen(network string, at *TCPAddr, ctl control) error {
	s, err := open(network, syscall.SOCK_STREAM, at, nil, ctl)
	if err != nil {
		return err
	}
	if err = s.fd.Listen(backlog); err != nil {
		_ = s.fd.Close()
		return err
	}
	s.local = TCPAddrFromAddrPort(s.fd.Name(false))
	l.s = *s
	runtime.SetFinalizer(l, func(lost *TCPListener) { _ = lost.s.fd.Close() })
	return nil
}

func listenTCP(network string, at *TCPAddr, ctl control, keepAlive time.Duration) (*TCPListener, error) {
	l := &TCPListener{keepAlive: keepAlive}
	if err := l.listen(network, at, ctl); err != nil {
		return nil, &OpError{Op: "listen", Net: network, Addr: tcpAddr(at), Err: err}
	}
	return l, nil
}

func isTCP(network string) bool { return network == "tcp" || network == "tcp4" || network == "tcp6" }

func ListenTCP(network string, laddr *TCPAddr) (*TCPListener, error) {
	if laddr == nil {
		laddr = &TCPAddr{}
	}
	if !isTCP(network) {
		return nil, &OpError{Op: "listen", Net: network, Addr: laddr, Err: UnknownNetworkError(network)}
	}
	return listenTCP(network, laddr, nil, 0)
}

func DialTCP(network string, laddr, raddr *TCPAddr) (*TCPConn, error) {
	if !isTCP(network) {
		return nil, dialError(network, tcpAddr(laddr), tcpAddr(raddr), UnknownNetworkError(network))
	}
	if raddr == nil {
		return nil, dialError(network, tcpAddr(laddr), nil, errMissingAddress)
	}
	return dialTCP(context.Background(), network, laddr, raddr, nil, 0)
}

func dialTCP(ctx context.Context, network string, laddr, raddr *TCPAddr, ctl control, keepAlive time.Duration) (*TCPConn, error) {
	to := destination(network, laddr, raddr)
	s, err := open(network, syscall.SOCK_STREAM, laddr, raddr, ctl)
	if err == nil {
		if err = s.connect(ctx, to); err != nil {
			_ = s.fd.Close()
		}
	}
	if err != nil {
		return nil, dialError(network, tcpAddr(laddr), tcpAddr(raddr), err)
	}
	reached := s.fd.Name(true)
	if !reached.IsValid() {
		reached = target(to, s.domain)
	}
	return newTCPConn(s.fd, reached, network, s.domain, keepAlive), nil
}

var errMissingAddress = errors.New("missing address")

func tcpAddr(a *TCPAddr) Addr {
	if a == nil {
		return nil
	}
	return a
}

func dialError(network string, source, to Addr, err error) error {
	return &OpError{Op: "dial", Net: network, Source: source, Addr: to, Err: err}
}
