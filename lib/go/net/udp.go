// SPDX-License-Identifier: BSD-2-Clause

package net

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"unsafe"
)

// order is the machine's, of what C reads.
var order = func() binary.ByteOrder {
	one := uint16(1)
	if *(*byte)(unsafe.Pointer(&one)) == 1 {
		return binary.LittleEndian
	}
	return binary.BigEndian
}()

// UDPConn is a datagram socket of percore's, with a peer or without.
type UDPConn struct{ socket }

func (c *UDPConn) ok() bool { return c != nil && c.fd != nil }

func (c *UDPConn) Read(b []byte) (int, error) {
	if !c.ok() {
		return 0, invalid()
	}
	n, err := c.fd.Read(b)
	return n, c.fail("read", err)
}

func (c *UDPConn) Write(b []byte) (int, error) {
	if !c.ok() {
		return 0, invalid()
	}
	n, err := c.fd.SendMsg("write", b, nil, netip.AddrPort{}, c.domain)
	return n, c.fail("write", err)
}

// from is the sender as Go's package has it: of an IPv4 socket in 4 bytes, of one that serves both mapped.
func (c *UDPConn) ReadFromUDPAddrPort(b []byte) (n int, addr netip.AddrPort, err error) {
	if !c.ok() {
		return 0, addr, invalid()
	}
	n, _, _, addr, err = c.fd.RecvMsg("recvfrom", b, nil)
	return n, addr, c.fail("read", err)
}

func (c *UDPConn) ReadFromUDP(b []byte) (int, *UDPAddr, error) {
	n, addr, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	return n, UDPAddrFromAddrPort(plain(addr)), nil
}

func (c *UDPConn) ReadFrom(b []byte) (int, Addr, error) {
	n, addr, err := c.ReadFromUDP(b)
	if err != nil {
		return n, nil, err
	}
	return n, addr, nil
}

func (c *UDPConn) ReadMsgUDPAddrPort(b, oob []byte) (n, oobn, flags int, addr netip.AddrPort, err error) {
	if !c.ok() {
		return 0, 0, 0, addr, invalid()
	}
	n, oobn, flags, addr, err = c.fd.RecvMsg("recvmsg", b, oob)
	return n, oobn, flags, addr, c.fail("read", err)
}

func (c *UDPConn) ReadMsgUDP(b, oob []byte) (n, oobn, flags int, addr *UDPAddr, err error) {
	n, oobn, flags, from, err := c.ReadMsgUDPAddrPort(b, oob)
	if from.IsValid() {
		addr = UDPAddrFromAddrPort(plain(from))
	}
	return n, oobn, flags, addr, err
}

// send sends a datagram to an address, or to the peer if it is none.
func (c *UDPConn) send(what string, b, oob []byte, addr netip.AddrPort) (n, oobn int, err error) {
	if !c.ok() {
		return 0, 0, invalid()
	}
	fail := func(err error) (int, int, error) {
		return 0, 0, &OpError{Op: "write", Net: c.network, Source: c.local, Addr: udpAddrOf(addr), Err: err}
	}
	if c.remote != nil && (addr.IsValid() || what == "sendto") {
		return fail(ErrWriteToConnected)
	}
	if c.remote == nil && !addr.IsValid() {
		return fail(errMissingAddress)
	}
	if c.domain == syscall.AF_INET && addr.IsValid() && !addr.Addr().Unmap().Is4() {
		return fail(&AddrError{Err: "non-IPv4 address", Addr: addr.Addr().String()})
	}
	n, err = c.fd.SendMsg(what, b, oob, addr, c.domain)
	if err != nil {
		return fail(err)
	}
	return n, len(oob), nil
}

func udpAddrOf(a netip.AddrPort) Addr {
	if !a.IsValid() {
		return nil
	}
	return UDPAddrFromAddrPort(a)
}

func (c *UDPConn) WriteMsgUDPAddrPort(b, oob []byte, addr netip.AddrPort) (n, oobn int, err error) {
	return c.send("sendmsg", b, oob, addr)
}

func (c *UDPConn) WriteMsgUDP(b, oob []byte, addr *UDPAddr) (n, oobn int, err error) {
	return c.sendTo("sendmsg", b, oob, addr)
}

// sendTo takes nil for the peer, and no address in particular for this machine, in the socket's family.
func (c *UDPConn) sendTo(what string, b, oob []byte, addr *UDPAddr) (n, oobn int, err error) {
	if addr == nil || !c.ok() {
		return c.send(what, b, oob, netip.AddrPort{})
	}
	if err = wrongLength(addr); err != nil {
		return 0, 0, &OpError{Op: "write", Net: c.network, Source: c.local, Addr: addr, Err: err}
	}
	return c.send(what, b, oob, target(addrPort(addr), c.domain))
}

func (c *UDPConn) WriteToUDPAddrPort(b []byte, addr netip.AddrPort) (int, error) {
	n, _, err := c.send("sendto", b, nil, addr)
	return n, err
}

func (c *UDPConn) WriteToUDP(b []byte, addr *UDPAddr) (int, error) {
	n, _, err := c.sendTo("sendto", b, nil, addr)
	return n, err
}

func (c *UDPConn) WriteTo(b []byte, addr Addr) (int, error) {
	if !c.ok() {
		return 0, invalid()
	}
	a, good := addr.(*UDPAddr)
	if !good {
		return 0, &OpError{Op: "write", Net: c.network, Source: c.local, Addr: addr, Err: syscall.EINVAL}
	}
	return c.WriteToUDP(b, a)
}

// ---- making them

func isUDP(network string) bool { return network == "udp" || network == "udp4" || network == "udp6" }

func udpAddr(a *UDPAddr) Addr {
	if a == nil {
		return nil
	}
	return a
}

func newUDPConn(s *socket) *UDPConn {
	c := &UDPConn{*s}
	c.local = UDPAddrFromAddrPort(plain(s.fd.Name(false)))
	if c.remote == nil {
		c.local = UDPAddrFromAddrPort(s.fd.Name(false))
	}
	runtime.SetFinalizer(c, func(lost *UDPConn) { _ = lost.fd.Close() })
	return c
}

func listenUDP(network string, at *UDPAddr, ctl control) (*UDPConn, error) {
	s, err := open(network, syscall.SOCK_DGRAM, at, nil, ctl)
	if err != nil {
		return nil, &OpError{Op: "listen", Net: network, Addr: udpAddr(at), Err: err}
	}
	return newUDPConn(s), nil
}

func ListenUDP(network string, laddr *UDPAddr) (*UDPConn, error) {
	if laddr == nil {
		laddr = &UDPAddr{}
	}
	if !isUDP(network) {
		return nil, &OpError{Op: "listen", Net: network, Addr: laddr, Err: UnknownNetworkError(network)}
	}
	return listenUDP(network, laddr, nil)
}

func DialUDP(network string, laddr, raddr *UDPAddr) (*UDPConn, error) {
	if !isUDP(network) {
		return nil, dialError(network, udpAddr(laddr), udpAddr(raddr), UnknownNetworkError(network))
	}
	if raddr == nil {
		return nil, dialError(network, udpAddr(laddr), nil, errMissingAddress)
	}
	return dialUDP(context.Background(), network, laddr, raddr, nil)
}

func dialUDP(ctx context.Context, network string, laddr, raddr *UDPAddr, ctl control) (*UDPConn, error) {
	to := destination(network, laddr, raddr)
	s, err := open(network, syscall.SOCK_DGRAM, laddr, raddr, ctl)
	if err == nil {
		if err = s.connect(ctx, to); err != nil {
			_ = s.fd.Close()
		}
	}
	if err != nil {
		return nil, dialError(network, udpAddr(laddr), udpAddr(raddr), err)
	}
	s.remote = raddr // if nobody can tell: of port 0
	if reached := s.fd.Name(true); reached.IsValid() {
		s.remote = UDPAddrFromAddrPort(plain(reached))
	}
	return newUDPConn(s), nil
}

// ListenMulticastUDP joins a group on an interface of the stack's; nil: the one that the route to the group has. The socket has
// the group's port of every address; what it sends to groups leaves by that interface, and does not come back to the stack.
func ListenMulticastUDP(network string, ifi *Interface, gaddr *UDPAddr) (*UDPConn, error) {
	if !isUDP(network) {
		return nil, &OpError{Op: "listen", Net: network, Addr: udpAddr(gaddr), Err: UnknownNetworkError(network)}
	}
	if gaddr == nil || gaddr.IP == nil {
		return nil, &OpError{Op: "listen", Net: network, Addr: udpAddr(gaddr), Err: errMissingAddress}
	}
	c, err := listenUDP(network, gaddr, nil)
	if err != nil {
		return nil, err
	}
	if err = c.join(ifi, gaddr.IP); err != nil {
		_ = c.Close()
		return nil, &OpError{Op: "listen", Net: network, Addr: gaddr, Err: err}
	}
	return c, nil
}

func (c *UDPConn) join(ifi *Interface, group net.IP) error {
	index := uint32(0)
	if ifi != nil {
		index = uint32(ifi.Index)
	}
	four := group.To4()
	level, join, by, loop := syscall.IPPROTO_IPV6, syscall.IPV6_JOIN_GROUP, syscall.IPV6_MULTICAST_IF, syscall.IPV6_MULTICAST_LOOP
	r := append(append(make([]byte, 0, 20), group.To16()...), 0, 0, 0, 0) // struct ipv6_mreq
	out := r[16:]
	if four != nil {
		level, join, by, loop = syscall.IPPROTO_IP, syscall.IP_ADD_MEMBERSHIP, syscall.IP_MULTICAST_IF, syscall.IP_MULTICAST_LOOP
		r = append(append(make([]byte, 0, 12), four...), make([]byte, 8)...) // struct ip_mreqn
		out = append(make([]byte, 8), r[8:]...)
	}
	order.PutUint32(r[len(r)-4:], index)
	order.PutUint32(out[len(out)-4:], index)
	err := c.fd.SetBytes(level, join, r)
	if err == nil && ifi != nil {
		err = c.fd.SetBytes(level, by, out)
	}
	if err == nil {
		err = c.fd.SetInt(level, loop, 0)
	}
	return err
}
