// SPDX-License-Identifier: BSD-2-Clause

package net_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	gonet "net"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"percore/net"
)

// The same calls on percore and on Go's own package over the kernel: addresses and errors must be the same, except for ports.

type control = func(network, address string, c syscall.RawConn) error

// api has what differs between the packages.
type api struct {
	dial         func(network, address string, local gonet.Addr, timeout time.Duration, ctl control) (gonet.Conn, error)
	listen       func(network, address string, ctl control) (gonet.Listener, error)
	listenPacket func(network, address string, ctl control) (gonet.PacketConn, error)
	dialTCP      func(network string, local, remote *gonet.TCPAddr) (gonet.Conn, error)
	tcpAddr      func(network, address string) (*gonet.TCPAddr, error)
	udpAddr      func(network, address string) (*gonet.UDPAddr, error)
}

var ours = &api{
	dial: func(network, address string, local gonet.Addr, timeout time.Duration, ctl control) (gonet.Conn, error) {
		return (&net.Dialer{LocalAddr: local, Timeout: timeout, Control: ctl}).Dial(network, address)
	},
	listen: func(network, address string, ctl control) (gonet.Listener, error) {
		return (&net.ListenConfig{Control: ctl}).Listen(context.Background(), network, address)
	},
	listenPacket: func(network, address string, ctl control) (gonet.PacketConn, error) {
		return (&net.ListenConfig{Control: ctl}).ListenPacket(context.Background(), network, address)
	},
	dialTCP: func(network string, local, remote *gonet.TCPAddr) (gonet.Conn, error) {
		return net.DialTCP(network, local, remote)
	},
	tcpAddr: net.ResolveTCPAddr,
	udpAddr: net.ResolveUDPAddr,
}

var theirs = &api{
	dial: func(network, address string, local gonet.Addr, timeout time.Duration, ctl control) (gonet.Conn, error) {
		return (&gonet.Dialer{LocalAddr: local, Timeout: timeout, Control: ctl}).Dial(network, address)
	},
	listen: func(network, address string, ctl control) (gonet.Listener, error) {
		return (&gonet.ListenConfig{Control: ctl}).Listen(context.Background(), network, address)
	},
	listenPacket: func(network, address string, ctl control) (gonet.PacketConn, error) {
		return (&gonet.ListenConfig{Control: ctl}).ListenPacket(context.Background(), network, address)
	},
	dialTCP: func(network string, local, remote *gonet.TCPAddr) (gonet.Conn, error) {
		return gonet.DialTCP(network, local, remote)
	},
	tcpAddr: gonet.ResolveTCPAddr,
	udpAddr: gonet.ResolveUDPAddr,
}

// Both packages' connections have these methods beside Conn's.
type stream interface {
	gonet.Conn
	io.ReaderFrom
	CloseRead() error
	CloseWrite() error
	SetKeepAlivePeriod(time.Duration) error
	SetLinger(int) error
	SetReadBuffer(int) error
	SyscallConn() (syscall.RawConn, error)
}

// record is what was seen.
type record struct{ lines []string }

var ports = regexp.MustCompile(`:\d{4,5}\b`)

var lookups = regexp.MustCompile(`lookup (tcp|udp)[46]/`)

func (r *record) add(label string, values ...any) {
	for _, v := range values {
		switch v := v.(type) {
		case error:
			label += " | " + describe(v)
		case gonet.Addr:
			label += fmt.Sprintf(" | %T %s %s", v, v.Network(), v)
		default:
			label += fmt.Sprintf(" | %v", v)
		}
	}
	// newer versions of Go look services up for "udp4" instead of "udp"
	label = lookups.ReplaceAllString(label, "lookup $1/")
	r.lines = append(r.lines, ports.ReplaceAllString(label, ":PORT"))
}

// describe has all of an error that programs may look at.
func describe(err error) string {
	s := fmt.Sprintf("%q", err.Error())
	for e := err; e != nil; e = errors.Unwrap(e) {
		if o, good := e.(*gonet.OpError); good {
			s += fmt.Sprintf(" %s %s %v %v timeout %v temporary %v", o.Op, o.Net, o.Source, o.Addr, o.Timeout(), o.Temporary())
		} else if o, good := e.(syscall.Errno); good {
			s += fmt.Sprintf(" errno %d", int(o))
		}
	}
	for _, is := range []error{gonet.ErrClosed, context.Canceled, io.EOF, gonet.ErrWriteToConnected} {
		s += fmt.Sprint(" ", errors.Is(err, is))
	}
	return s + fmt.Sprint(" ", errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded))
}

func TestLikeGo(t *testing.T) {
	l, err := gonet.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("the kernel has no IPv6 here: ", err)
	}
	l.Close()
	for name, play := range map[string]func(*testing.T, *api, *record){"dial": playDial, "listen": playListen,
		"resolve": playResolve, "closed": playClosed, "errors": playErrors, "datagrams": playDatagrams} {
		t.Run(name, func(t *testing.T) {
			var got, want record
			play(t, ours, &got)
			play(t, theirs, &want)
			for i, line := range want.lines {
				if i >= len(got.lines) {
					t.Fatal("percore stops before ", line)
				}
				if got.lines[i] != line {
					t.Errorf("\npercore %s\nGo      %s", got.lines[i], line)
				}
			}
		})
	}
}

var tcpNetworks, udpNetworks = []string{"tcp", "tcp4", "tcp6"}, []string{"udp", "udp4", "udp6"}

func playDial(t *testing.T, a *api, r *record) {
	l, err := a.listen("tcp", ":0", nil)
	must(t, err)
	defer l.Close()
	listener := l.Addr().(*gonet.TCPAddr).Port
	try := func(network, address string, local gonet.Addr) {
		told := "" // of the first attempt: [::] from IPv4 needs two, and with the kernel one
		c, err := a.dial(network, address, local, patience, func(network, address string, c syscall.RawConn) error {
			if told == "" {
				told = network + " " + address
			}
			return nil
		})
		label := fmt.Sprint("dial ", network, " ", address, " from ", local)
		if err != nil {
			r.add(label, err)
			return
		}
		r.add(label, told, c.LocalAddr(), c.RemoteAddr())
		c.Close()
	}
	one := gonet.ParseIP("::1")
	for _, network := range append(append([]string{"tcp5", ""}, tcpNetworks...), udpNetworks...) {
		for _, host := range []string{"", "0.0.0.0", "[::]", "127.0.0.1", "[::1]"} {
			for _, local := range []gonet.Addr{nil, &gonet.TCPAddr{}, &gonet.UDPAddr{}, &gonet.TCPAddr{IP: gonet.IPv4(127, 0, 0, 1)},
				&gonet.UDPAddr{IP: one}, &gonet.TCPAddr{IP: one}, (*gonet.TCPAddr)(nil), &gonet.IPAddr{}} {
				try(network, fmt.Sprint(host, ":", listener), local)
			}
		}
		for _, address := range []string{"", ":", "127.0.0.1", "[::1]", "127.0.0.1:nosuch", "127.0.0.1:65536", "127.0.0.1:1", "[::1]:1",
			"127.0.0.1:0"} {
			try(network, address, nil)
		}
		_, err := a.dial(network, fmt.Sprint(":", listener), nil, -1, nil)
		r.add("no time "+network, err)
	}
	for _, to := range []*gonet.TCPAddr{nil, {Port: listener}, {IP: gonet.IPv4zero, Port: listener}, {IP: one, Port: listener}} {
		for _, network := range tcpNetworks {
			c, err := a.dialTCP(network, nil, to)
			r.add(fmt.Sprint("DialTCP ", network, " ", to), err)
			if err == nil {
				r.add("connected", c.LocalAddr(), c.RemoteAddr())
				c.Close()
			}
		}
	}
	if _, err = a.dialTCP("tcp", nil, &gonet.TCPAddr{IP: gonet.IP{1, 2, 3}, Port: listener}); err == nil {
		t.Error("three bytes are no address")
	}
}

func playListen(t *testing.T, a *api, r *record) {
	for _, address := range []string{"", ":", ":0", "0.0.0.0:0", "[::]:0", "127.0.0.1:0", "[::1]:0", "127.0.0.1", "127.0.0.1:nosuch",
		"203.0.113.1:0"} {
		var told []string
		ctl := func(network, address string, c syscall.RawConn) error {
			told = append(told, network+" "+address)
			return nil
		}
		for _, network := range tcpNetworks {
			l, err := a.listen(network, address, ctl)
			r.add("listen "+network+" "+address, told, err)
			if err != nil {
				continue
			}
			_, err = a.listen(network, l.Addr().String(), nil)
			r.add("at", l.Addr(), err)
			l.Close()
		}
		for _, network := range udpNetworks {
			p, err := a.listenPacket(network, address, ctl)
			r.add("listenPacket "+network+" "+address, told, err)
			if err != nil {
				continue
			}
			r.add("at", p.LocalAddr(), p.(gonet.Conn).RemoteAddr())
			p.Close()
		}
	}
}

func playResolve(t *testing.T, a *api, r *record) {
	for _, network := range append(append([]string{"", "ip"}, tcpNetworks...), udpNetworks...) {
		for _, address := range []string{"", ":", ":80", ":http", ":tftp", "127.0.0.1:80", "[::1]:80", "[::]:80", "0.0.0.0:80",
			"[::ffff:192.0.2.1]:80", "192.0.2.1", "192.0.2.1:70000", "192.0.2.1:x", "[::1:80", "01.2.3.4:1"} {
			if to, err := a.tcpAddr(network, address); err != nil {
				r.add("tcp "+network+" "+address, err)
			} else {
				r.add("tcp "+network+" "+address, to, len(to.IP))
			}
			if to, err := a.udpAddr(network, address); err != nil {
				r.add("udp "+network+" "+address, err)
			} else {
				r.add("udp "+network+" "+address, to, len(to.IP))
			}
		}
	}
}

// ends of a connection.
func (a *api) ends(t *testing.T) (c, s stream, l gonet.Listener) {
	l, err := a.listen("tcp", "127.0.0.1:0", nil)
	must(t, err)
	dialed, err := a.dial("tcp", l.Addr().String(), nil, 0, nil)
	must(t, err)
	accepted, err := l.Accept()
	must(t, err)
	t.Cleanup(func() { dialed.Close(); accepted.Close(); l.Close() })
	return dialed.(stream), accepted.(stream), l
}

func playClosed(t *testing.T, a *api, r *record) {
	c, _, l := a.ends(t)
	raw, err := c.SyscallConn()
	must(t, err)
	must(t, c.Close())
	for _, n := range []int{0, 9} {
		_, err = c.Read(make([]byte, n))
		r.add("read", err)
		_, err = c.Write(make([]byte, n))
		r.add("write", err)
	}
	_, err = c.ReadFrom(strings.NewReader("x"))
	r.add("readfrom", err)
	r.add("close", c.Close(), c.CloseRead(), c.CloseWrite(), c.LocalAddr(), c.RemoteAddr())
	r.add("set", c.SetDeadline(time.Now()), c.SetLinger(1), c.SetKeepAlivePeriod(time.Second), c.SetReadBuffer(1))
	r.add("raw", raw.Control(func(uintptr) {}), raw.Read(func(uintptr) bool { return true }))
	raw, err = l.(interface {
		SyscallConn() (syscall.RawConn, error)
	}).SyscallConn()
	must(t, err)
	r.add("raw listener", raw.Control(func(uintptr) {}), raw.Read(func(uintptr) bool { return true }))
	must(t, l.Close())
	_, err = l.Accept()
	r.add("listener", err, l.Close(), l.Addr())
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("cannot be read") }

func playErrors(t *testing.T, a *api, r *record) {
	c, _, _ := a.ends(t)
	n, err := c.ReadFrom(io.MultiReader(strings.NewReader("abc"), failing{}))
	r.add("a reader that fails", n, err)
	r.add("settings", c.SetKeepAlivePeriod(10*time.Hour)) // of 0 newer versions of Go make 15 s
	must(t, c.SetDeadline(time.Unix(0, 0)))
	for _, n := range []int{0, 9} {
		_, err = c.Read(make([]byte, n))
		r.add("read", err)
		_, err = c.Write(make([]byte, n))
		r.add("write", err)
	}
	_, err = io.Copy(c, strings.NewReader("x"))
	r.add("copy", err)
}

func playDatagrams(t *testing.T, a *api, r *record) {
	for _, network := range []string{"udp", "udp4", "udp6"} {
		p, err := a.listenPacket(network, "localhost:0", nil)
		if err != nil {
			continue // of udp6, without a name for ::1
		}
		defer p.Close()
		c, err := a.dial(network, p.LocalAddr().String(), nil, 0, nil)
		must(t, err)
		defer c.Close()
		_, err = c.Write(make([]byte, 70000))
		r.add("too large", err)
		_, err = p.WriteTo(make([]byte, 70000), c.LocalAddr())
		r.add("too large", err)
		_, err = p.(gonet.Conn).Write(nil)
		r.add("no peer", err)
		_, err = c.(gonet.PacketConn).WriteTo(nil, p.LocalAddr())
		r.add("a peer", err)
		_, err = p.WriteTo(nil, &gonet.TCPAddr{})
		r.add("another address", err)
		_, err = p.WriteTo(nil, (*gonet.UDPAddr)(nil))
		r.add("no address", err)
		_, err = c.(interface {
			WriteToUDP([]byte, *gonet.UDPAddr) (int, error)
		}).WriteToUDP(nil, nil)
		r.add("no address, but a peer", err)
		n, err := c.Read(nil)
		r.add("nothing to read", n, err)
		if _, err = p.WriteTo(nil, &gonet.UDPAddr{IP: gonet.IP{1, 2, 3}, Port: 9}); err == nil {
			t.Error("three bytes are no address")
		}
		must(t, p.Close())
		_, _, err = p.ReadFrom(nil)
		r.add("closed", err)
		must(t, c.SetDeadline(time.Now().Add(patience)))
		_, err = c.Write(nil)
		must(t, err)
		_, _, err = c.(gonet.PacketConn).ReadFrom(nil)
		r.add("refused", err)
	}
}
