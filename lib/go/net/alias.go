// SPDX-License-Identifier: BSD-2-Clause

// Package net is Go's package net with percore's sockets: TCP and UDP of both families go through the stack of percore.Start or
// percore.Attach. Every exported name of Go 1.19's is here:
//
//   - what is no socket (addresses, parsing, errors, Pipe) is Go's own, by an alias or a call;
//   - TCPConn, TCPListener, UDPConn, Dialer, ListenConfig and Interface are percore's;
//   - Unix sockets, and with them "unix" in Dial and Listen, are the kernel's;
//   - raw IP sockets, File, and FileConn of percore's sockets fail with an error that wraps syscall.EOPNOTSUPP or
//     syscall.ESOCKTNOSUPPORT: a descriptor of percore means nothing to the kernel;
//   - DefaultResolver is Go's, with its questions sent through the stack (those to name servers on 127/8 and ::1 through the kernel).
//
// Errors are *OpError with *os.SyscallError and a syscall.Errno inside, as in Go's.
package net

import (
	"net"
	"net/netip"
)

// Go's own types.
type (
	Addr                = net.Addr
	AddrError           = net.AddrError
	Buffers             = net.Buffers
	Conn                = net.Conn
	DNSConfigError      = net.DNSConfigError
	DNSError            = net.DNSError
	Error               = net.Error
	Flags               = net.Flags
	HardwareAddr        = net.HardwareAddr
	IP                  = net.IP
	IPAddr              = net.IPAddr
	IPConn              = net.IPConn
	IPMask              = net.IPMask
	IPNet               = net.IPNet
	InvalidAddrError    = net.InvalidAddrError
	Listener            = net.Listener
	MX                  = net.MX
	NS                  = net.NS
	OpError             = net.OpError
	PacketConn          = net.PacketConn
	ParseError          = net.ParseError
	Resolver            = net.Resolver
	SRV                 = net.SRV
	TCPAddr             = net.TCPAddr
	UDPAddr             = net.UDPAddr
	UnixAddr            = net.UnixAddr
	UnixConn            = net.UnixConn
	UnixListener        = net.UnixListener
	UnknownNetworkError = net.UnknownNetworkError
)

const (
	IPv4len = net.IPv4len
	IPv6len = net.IPv6len

	FlagUp           = net.FlagUp
	FlagBroadcast    = net.FlagBroadcast
	FlagLoopback     = net.FlagLoopback
	FlagPointToPoint = net.FlagPointToPoint
	FlagMulticast    = net.FlagMulticast
)

var (
	ErrClosed           = net.ErrClosed
	ErrWriteToConnected = net.ErrWriteToConnected

	IPv4bcast     = net.IPv4bcast
	IPv4allsys    = net.IPv4allsys
	IPv4allrouter = net.IPv4allrouter
	IPv4zero      = net.IPv4zero

	IPv6zero                   = net.IPv6zero
	IPv6unspecified            = net.IPv6unspecified
	IPv6loopback               = net.IPv6loopback
	IPv6interfacelocalallnodes = net.IPv6interfacelocalallnodes
	IPv6linklocalallnodes      = net.IPv6linklocalallnodes
	IPv6linklocalallrouters    = net.IPv6linklocalallrouters
)

// Pipe is Go's.
func Pipe() (Conn, Conn) { return net.Pipe() }

// Addresses and their texts, as in Go's package.
func CIDRMask(ones, bits int) IPMask          { return net.CIDRMask(ones, bits) }
func IPv4(a, b, c, d byte) IP                 { return net.IPv4(a, b, c, d) }
func IPv4Mask(a, b, c, d byte) IPMask         { return net.IPv4Mask(a, b, c, d) }
func JoinHostPort(host, port string) string   { return net.JoinHostPort(host, port) }
func ParseCIDR(s string) (IP, *IPNet, error)  { return net.ParseCIDR(s) }
func ParseIP(s string) IP                     { return net.ParseIP(s) }
func ParseMAC(s string) (HardwareAddr, error) { return net.ParseMAC(s) }
func SplitHostPort(hostport string) (host, port string, err error) {
	return net.SplitHostPort(hostport)
}
func TCPAddrFromAddrPort(addr netip.AddrPort) *TCPAddr { return net.TCPAddrFromAddrPort(addr) }
func UDPAddrFromAddrPort(addr netip.AddrPort) *UDPAddr { return net.UDPAddrFromAddrPort(addr) }
func ResolveUnixAddr(network, address string) (*UnixAddr, error) {
	return net.ResolveUnixAddr(network, address)
}
func DialUnix(network string, laddr, raddr *UnixAddr) (*UnixConn, error) {
	return net.DialUnix(network, laddr, raddr)
}
func ListenUnix(network string, laddr *UnixAddr) (*UnixListener, error) {
	return net.ListenUnix(network, laddr)
}
func ListenUnixgram(network string, laddr *UnixAddr) (*UnixConn, error) {
	return net.ListenUnixgram(network, laddr)
}
