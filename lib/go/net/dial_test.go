// SPDX-License-Identifier: BSD-2-Clause

package net

import (
	"context"
	"syscall"
	"testing"
	"time"
)

// Happy Eyeballs: the first address does not answer, and the other family's is tried before the first one's time is over.
func TestFallback(t *testing.T) {
	l, err := ListenTCP("tcp4", &TCPAddr{IP: IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dead, alive := []IPAddr{{IP: ParseIP("2001:db8::99")}}, []IPAddr{{IP: IPv4(127, 0, 0, 1)}}
	port := l.Addr().(*TCPAddr).Port
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, delay := range []time.Duration{0, time.Millisecond} {
		d := Dialer{FallbackDelay: delay}
		c, err := d.race(ctx, "tcp", dead, alive, port)
		if err != nil || c.RemoteAddr().String() != l.Addr().String() {
			t.Fatal(c, err)
		}
		c.Close()
		if c, err = d.race(ctx, "tcp", alive, dead, port); err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	// the first one fails at once: nobody waits for the delay
	d := Dialer{FallbackDelay: time.Hour}
	refused := []IPAddr{{IP: ParseIP("::1")}}
	c, err := d.race(ctx, "tcp", refused, alive, port)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if _, err = d.race(ctx, "tcp", refused, refused, port); err == nil {
		t.Fatal("connected to nobody")
	}
}

func TestSplit(t *testing.T) {
	four, six := IPAddr{IP: IPv4(127, 0, 0, 1)}, IPAddr{IP: ParseIP("::1")}
	for _, c := range []struct {
		network       string
		delay         time.Duration
		addrs         []IPAddr
		first, second int
	}{
		{"tcp", 0, []IPAddr{four, six, four}, 2, 1},
		{"tcp", 0, []IPAddr{six, four, four}, 1, 2},
		{"tcp", 0, []IPAddr{six}, 1, 0},
		{"tcp", -1, []IPAddr{four, six}, 2, 0},
		{"udp", 0, []IPAddr{four, six}, 2, 0},
	} {
		first, second := (&Dialer{FallbackDelay: c.delay}).split(c.network, c.addrs)
		if len(first) != c.first || len(second) != c.second {
			t.Errorf("%+v: %v, %v", c, first, second)
		}
	}
}

// Who listens to a group of an interface sends to groups by that interface.
func TestGroupInterface(t *testing.T) {
	c, err := ListenMulticastUDP("udp6", &Interface{Index: 1}, &UDPAddr{IP: ParseIP("ff02::fb")})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if index, err := c.fd.GetInt(syscall.IPPROTO_IPV6, syscall.IPV6_MULTICAST_IF); index != 1 || err != nil {
		t.Fatal(index, err)
	}
}
