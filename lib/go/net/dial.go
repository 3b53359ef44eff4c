// SPDX-License-Identifier: BSD-2-Clause

package net

import (
	"context"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

const defaultFallbackDelay = 300 * time.Millisecond

// Dialer has the fields of Go's. Control is called with a RawConn as of SyscallConn.
type Dialer struct {
	Timeout       time.Duration
	Deadline      time.Time
	LocalAddr     Addr
	DualStack     bool // as in Go's: it does nothing any more
	FallbackDelay time.Duration
	KeepAlive     time.Duration
	Resolver      *Resolver
	Cancel        <-chan struct{}
	Control       func(network, address string, c syscall.RawConn) error
}

func Dial(network, address string) (Conn, error) { return new(Dialer).Dial(network, address) }

func DialTimeout(network, address string, timeout time.Duration) (Conn, error) {
	return (&Dialer{Timeout: timeout}).Dial(network, address)
}

func (d *Dialer) Dial(network, address string) (Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

func (d *Dialer) resolver() *Resolver {
	if d.Resolver != nil {
		return d.Resolver
	}
	return DefaultResolver
}

// limit is the context with all that may end the attempt.
func (d *Dialer) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	end := d.Deadline
	if d.Timeout != 0 {
		if t := time.Now().Add(d.Timeout); end.IsZero() || t.Before(end) {
			end = t
		}
	}
	var cancel context.CancelFunc
	if end.IsZero() {
		ctx, cancel = context.WithCancel(ctx)
	} else {
		ctx, cancel = context.WithDeadline(ctx, end)
	}
	if d.Cancel != nil {
		go func() {
			select {
			case <-d.Cancel:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	return ctx, cancel
}

// DialContext connects to an address by name or number. Of a name with addresses of both families the other one is tried
// after FallbackDelay, too (RFC 6555), and the first connection is taken.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (Conn, error) {
	if ctx == nil {
		panic("nil context")
	}
	switch {
	case strings.HasPrefix(network, "unix"):
		return (&net.Dialer{Timeout: d.Timeout, Deadline: d.Deadline, LocalAddr: d.LocalAddr, Control: d.Control}).
			DialContext(ctx, network, address)
	case strings.HasPrefix(network, "ip"):
		return nil, dialError(network, d.LocalAddr, nil, syscall.ESOCKTNOSUPPORT)
	case !isTCP(network) && !isUDP(network):
		return nil, dialError(network, nil, nil, UnknownNetworkError(network))
	case address == "":
		return nil, dialError(network, nil, nil, errMissingAddress)
	}
	ctx, cancel := d.limit(ctx)
	defer cancel()
	addrs, port, err := lookup(ctx, d.resolver(), network, address)
	if err == nil {
		addrs, err = d.matching(network, addrs)
	}
	if err != nil {
		return nil, dialError(network, nil, nil, err)
	}
	first, second := d.split(network, addrs)
	if len(second) == 0 {
		return d.inTurn(ctx, network, first, port)
	}
	return d.race(ctx, network, first, second, port)
}

// matching leaves out the addresses that are of another family than the local address.
func (d *Dialer) matching(network string, addrs []IPAddr) ([]IPAddr, error) {
	if d.LocalAddr == nil {
		return addrs, nil
	}
	if strings.TrimRight(network, "46") != d.LocalAddr.Network() {
		return nil, &AddrError{Err: "mismatched local address type", Addr: d.LocalAddr.String()}
	}
	var good []IPAddr
	local := ipOf(d.LocalAddr)
	for _, a := range addrs {
		if wildcard(local) || wildcard(a.IP) || (local.To4() == nil) == (a.IP.To4() == nil) {
			good = append(good, a)
		}
	}
	if len(good) == 0 {
		return nil, &AddrError{Err: "no suitable address found", Addr: d.LocalAddr.String()}
	}
	return good, nil
}

func wildcard(ip IP) bool { return ip == nil || ip.IsUnspecified() }

// split puts the addresses of the other family than the first one's apart, if there is to be a race.
func (d *Dialer) split(network string, addrs []IPAddr) (first, second []IPAddr) {
	if !isTCP(network) || d.FallbackDelay < 0 {
		return addrs, nil
	}
	for _, a := range addrs {
		if (a.IP.To4() == nil) == (addrs[0].IP.To4() == nil) {
			first = append(first, a)
		} else {
			second = append(second, a)
		}
	}
	return first, second
}

type outcome struct {
	c   Conn
	err error
}

func (d *Dialer) race(ctx context.Context, network string, first, second []IPAddr, port int) (Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan outcome)
	try := func(addrs []IPAddr) {
		c, err := d.inTurn(ctx, network, addrs, port)
		select {
		case results <- outcome{c, err}:
		case <-ctx.Done():
			if c != nil {
				_ = c.Close()
			}
		}
	}
	go try(first)
	delay := d.FallbackDelay
	if delay == 0 {
		delay = defaultFallbackDelay
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	begun, ended := false, 0
	var why error
	for {
		select {
		case <-timer.C:
			begun = true
			go try(second)
		case r := <-results:
			if r.err == nil {
				return r.c, nil
			}
			if why == nil {
				why = r.err
			}
			if ended++; ended == 2 {
				return nil, why
			}
			if !begun && timer.Stop() {
				begun = true
				go try(second)
			}
		case <-ctx.Done():
			if why == nil {
				why = dialError(network, d.LocalAddr, nil, mapErr(ctx.Err()))
			}
			return nil, why
		}
	}
}

// share gives each of several addresses its part of the time that is left, two seconds at least.
func share(ctx context.Context, left int) (context.Context, context.CancelFunc) {
	end, limited := ctx.Deadline()
	if !limited || left == 1 {
		return ctx, func() {}
	}
	rest := time.Until(end)
	part := rest / time.Duration(left)
	if part < 2*time.Second {
		part = 2 * time.Second
	}
	if part > rest {
		part = rest
	}
	return context.WithTimeout(ctx, part)
}

// inTurn tries one address after the other; the first error is told.
func (d *Dialer) inTurn(ctx context.Context, network string, addrs []IPAddr, port int) (Conn, error) {
	var why error
	for i, a := range addrs {
		part, cancel := share(ctx, len(addrs)-i)
		c, err := d.one(part, network, a, port)
		cancel()
		if err == nil {
			return c, nil
		}
		if why == nil {
			why = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	if why == nil {
		why = dialError(network, d.LocalAddr, nil, errMissingAddress)
	}
	return nil, why
}

// one tries one address, unless the context has ended already.
func (d *Dialer) one(ctx context.Context, network string, a IPAddr, port int) (Conn, error) {
	if isTCP(network) {
		return d.oneTCP(ctx, network, &TCPAddr{IP: a.IP, Port: port, Zone: a.Zone})
	}
	return d.oneUDP(ctx, network, &UDPAddr{IP: a.IP, Port: port, Zone: a.Zone})
}

func (d *Dialer) oneTCP(ctx context.Context, network string, to *TCPAddr) (Conn, error) {
	from, _ := d.LocalAddr.(*TCPAddr)
	if err := ctx.Err(); err != nil {
		return nil, dialError(network, d.LocalAddr, to, mapErr(err))
	}
	c, err := dialTCP(ctx, network, from, to, d.Control, d.KeepAlive)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (d *Dialer) oneUDP(ctx context.Context, network string, to *UDPAddr) (Conn, error) {
	from, _ := d.LocalAddr.(*UDPAddr)
	if err := ctx.Err(); err != nil {
		return nil, dialError(network, d.LocalAddr, to, mapErr(err))
	}
	c, err := dialUDP(ctx, network, from, to, d.Control)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// DialIP and ListenIP fail with syscall.ESOCKTNOSUPPORT: raw sockets are for programs on lcores.
func DialIP(network string, laddr, raddr *IPAddr) (*IPConn, error) {
	return nil, dialError(network, ipAddr(laddr), ipAddr(raddr), syscall.ESOCKTNOSUPPORT)
}

func ListenIP(network string, laddr *IPAddr) (*IPConn, error) {
	return nil, &OpError{Op: "listen", Net: network, Addr: ipAddr(laddr), Err: syscall.ESOCKTNOSUPPORT}
}

func ipAddr(a *IPAddr) Addr {
	if a == nil {
		return nil
	}
	return a
}

// FileConn, FileListener and FilePacketConn take the kernel's sockets, by Go's functions.
func FileConn(f *os.File) (Conn, error)             { return net.FileConn(f) }
func FileListener(f *os.File) (Listener, error)     { return net.FileListener(f) }
func FilePacketConn(f *os.File) (PacketConn, error) { return net.FilePacketConn(f) }

// ---- listening

// ListenConfig has the fields of Go's.
type ListenConfig struct {
	Control   func(network, address string, c syscall.RawConn) error
	KeepAlive time.Duration
}

func Listen(network, address string) (Listener, error) {
	return new(ListenConfig).Listen(context.Background(), network, address)
}

func ListenPacket(network, address string) (PacketConn, error) {
	return new(ListenConfig).ListenPacket(context.Background(), network, address)
}

func (lc *ListenConfig) kernel() *net.ListenConfig { return &net.ListenConfig{Control: lc.Control} }

// at finds the one address to listen at; of a name IPv4's first.
func at(ctx context.Context, network, address string) (IPAddr, int, error) {
	addrs, port, err := lookup(ctx, DefaultResolver, network, address)
	if err != nil {
		return IPAddr{}, 0, &OpError{Op: "listen", Net: network, Err: err}
	}
	for _, a := range addrs {
		if a.IP.To4() != nil {
			return a, port, nil
		}
	}
	return addrs[0], port, nil
}

func (lc *ListenConfig) Listen(ctx context.Context, network, address string) (Listener, error) {
	if strings.HasPrefix(network, "unix") {
		return lc.kernel().Listen(ctx, network, address)
	}
	if !isTCP(network) {
		return nil, &OpError{Op: "listen", Net: network, Err: UnknownNetworkError(network)}
	}
	a, port, err := at(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l, err := listenTCP(network, &TCPAddr{IP: a.IP, Port: port, Zone: a.Zone}, lc.Control, lc.KeepAlive)
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (lc *ListenConfig) ListenPacket(ctx context.Context, network, address string) (PacketConn, error) {
	switch {
	case strings.HasPrefix(network, "unix"):
		return lc.kernel().ListenPacket(ctx, network, address)
	case strings.HasPrefix(network, "ip"):
		return nil, &OpError{Op: "listen", Net: network, Err: syscall.ESOCKTNOSUPPORT}
	case !isUDP(network):
		return nil, &OpError{Op: "listen", Net: network, Err: UnknownNetworkError(network)}
	}
	a, port, err := at(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c, err := listenUDP(network, &UDPAddr{IP: a.IP, Port: port, Zone: a.Zone}, lc.Control)
	if err != nil {
		return nil, err
	}
	return c, nil
}
