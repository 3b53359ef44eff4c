// SPDX-License-Identifier: BSD-2-Clause

package net_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"percore/net"
)

func listenUDP(t *testing.T, network, address string) *net.UDPConn {
	t.Helper()
	c, err := net.ListenPacket(network, address)
	must(t, err)
	t.Cleanup(func() { c.Close() })
	must(t, c.SetDeadline(time.Now().Add(patience)))
	return c.(*net.UDPConn)
}

func TestUDP(t *testing.T) {
	s := listenUDP(t, "udp4", "127.0.0.1:0")
	dialed, err := net.DialUDP("udp", nil, s.LocalAddr().(*net.UDPAddr))
	must(t, err)
	defer dialed.Close()
	buf := make([]byte, 100)
	for _, text := range []string{"one", "", "three"} {
		_, err = dialed.Write([]byte(text))
		must(t, err)
		n, from, err := s.ReadFromUDPAddrPort(buf)
		must(t, err)
		if string(buf[:n]) != text || from.String() != dialed.LocalAddr().String() {
			t.Fatal(string(buf[:n]), from)
		}
		_, err = s.WriteToUDPAddrPort(buf[:n], from)
		must(t, err)
		must(t, dialed.SetReadDeadline(time.Now().Add(patience)))
		n, err = dialed.Read(buf)
		if n != len(text) || err != nil {
			t.Fatal(n, err)
		}
	}
	_, err = dialed.WriteTo(buf, s.LocalAddr())
	opError(t, err, "write", "udp", net.ErrWriteToConnected)
	_, err = s.WriteTo(buf, &net.UDPAddr{IP: net.ParseIP("2001:db8::1"), Port: 9})
	var a *net.AddrError
	if !errors.As(err, &a) {
		t.Fatal(err)
	}
	_, err = s.WriteTo(make([]byte, 70000), s.LocalAddr())
	opError(t, err, "write", "udp4", syscall.EMSGSIZE)
	must(t, s.SetReadDeadline(time.Now().Add(-1)))
	_, _, err = s.ReadFrom(buf)
	opError(t, err, "read", "udp4", os.ErrDeadlineExceeded)
}

// A socket of both families tells of IPv4 senders as Go's: mapped by AddrPort, in four bytes by UDPAddr.
func TestUDPBoth(t *testing.T) {
	l, err := net.ListenUDP("udp", nil)
	must(t, err)
	defer l.Close()
	must(t, l.SetDeadline(time.Now().Add(patience)))
	port := uint16(l.LocalAddr().(*net.UDPAddr).Port)
	for _, host := range []string{"127.0.0.1", "::1"} {
		c := listenUDP(t, "udp", net.JoinHostPort(host, "0"))
		_, err = c.WriteToUDPAddrPort([]byte("x"), netip.AddrPortFrom(netip.MustParseAddr(host), port))
		must(t, err)
		_, oobn, flags, from, err := l.ReadMsgUDP(make([]byte, 9), make([]byte, 9))
		must(t, err)
		if from.String() != c.LocalAddr().String() || oobn != 0 || flags != 0 {
			t.Fatal(from, oobn, flags)
		}
		_, _, err = l.WriteMsgUDP([]byte("yz"), nil, from)
		must(t, err)
		n, back, err := c.ReadFrom(make([]byte, 9))
		if n != 2 || err != nil || back.(*net.UDPAddr).Port != int(port) {
			t.Fatal(n, back, err)
		}
	}
}

func TestRefusedDatagram(t *testing.T) {
	s := listenUDP(t, "udp4", "127.0.0.1:0")
	c, err := net.Dial("udp4", s.LocalAddr().String())
	must(t, err)
	defer c.Close()
	s.Close()
	must(t, c.SetDeadline(time.Now().Add(patience)))
	_, err = c.Write([]byte("x"))
	must(t, err)
	_, err = c.Read(make([]byte, 1))
	opError(t, err, "read", "udp4", syscall.ECONNREFUSED)
}

func TestMulticast(t *testing.T) {
	ifi, err := net.InterfaceByIndex(1)
	must(t, err)
	for _, a := range [][2]string{{"udp4", "224.0.0.251:5353"}, {"udp6", "[ff02::fb]:5353"}} {
		group, err := net.ResolveUDPAddr(a[0], a[1])
		must(t, err)
		c, err := net.ListenMulticastUDP(a[0], ifi, group)
		must(t, err)
		defer c.Close()
		second, err := net.ListenMulticastUDP(a[0], ifi, group)
		must(t, err)
		must(t, second.Close())
		must(t, c.SetDeadline(time.Now().Add(patience)))
		// the group's datagrams, and those to the port of any other address
		sender := listenUDP(t, a[0], ":0")
		for _, to := range []*net.UDPAddr{group, {Port: 5353}} {
			if to.IP.To4() == nil && to.IP != nil {
				to.Zone = ifi.Name
			}
			_, err = sender.WriteTo([]byte("question"), to)
			must(t, err)
			n, from, err := c.ReadFrom(make([]byte, 9))
			must(t, err)
			_, err = c.WriteTo([]byte("answer"), from) // from an address that is the stack's
			must(t, err)
			n, from, err = sender.ReadFrom(make([]byte, 9))
			if n != 6 || err != nil || from.(*net.UDPAddr).IP.IsMulticast() || !c.LocalAddr().(*net.UDPAddr).IP.IsUnspecified() {
				t.Fatal(n, from, err, c.LocalAddr())
			}
		}
	}
}

// answers is a resolver whose server, on the stack, knows these addresses for every name.
func answers(t *testing.T, addrs ...string) *net.Resolver {
	s := listenUDP(t, "udp4", "127.0.0.1:0")
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := s.ReadFrom(buf)
			if err != nil {
				return
			}
			s.WriteTo(answer(buf[:n], addrs), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", s.LocalAddr().String())
	}}
}

func answer(question []byte, addrs []string) []byte {
	var m dnsmessage.Message
	if m.Unpack(question) != nil {
		return nil
	}
	m.Response, m.Additionals = true, nil
	for _, a := range addrs {
		ip := netip.MustParseAddr(a)
		h := dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 1}
		if ip.Is4() && m.Questions[0].Type == dnsmessage.TypeA {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: ip.As4()}})
		} else if ip.Is6() && m.Questions[0].Type == dnsmessage.TypeAAAA {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: ip.As16()}})
		}
	}
	b, _ := m.Pack()
	return b
}

func TestResolver(t *testing.T) {
	r := answers(t, "192.0.2.7", "2001:db8::7")
	got, err := r.LookupHost(context.Background(), "host.example.")
	must(t, err)
	if s := strings.Join(got, " "); !strings.Contains(s, "192.0.2.7") || !strings.Contains(s, "2001:db8::7") {
		t.Fatal(s)
	}
	a, err := net.ResolveTCPAddr("tcp", "localhost:http")
	if err != nil || a.String() != "127.0.0.1:80" {
		t.Fatal(a, err)
	}
}
