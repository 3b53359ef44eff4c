// SPDX-License-Identifier: BSD-2-Clause

package net_test

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"percore"
	"percore/net"
)

const patience = 20 * time.Second

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// pair has both ends of a connection over the stack's loopback.
func pair(network, address string) (c1, c2 net.Conn, stop func(), err error) {
	l, err := net.Listen(network, address)
	if err != nil {
		return nil, nil, nil, err
	}
	defer l.Close()
	c1, err = net.Dial(network, l.Addr().String())
	if err != nil {
		return nil, nil, nil, err
	}
	c2, err = l.Accept()
	if err != nil {
		c1.Close()
		return nil, nil, nil, err
	}
	return c1, c2, func() { c1.Close(); c2.Close() }, nil
}

func tcpPair(t *testing.T) (*net.TCPConn, *net.TCPConn) {
	t.Helper()
	c1, c2, stop, err := pair("tcp4", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(stop)
	return c1.(*net.TCPConn), c2.(*net.TCPConn)
}

func TestConn(t *testing.T) {
	for _, where := range [][2]string{{"tcp4", "127.0.0.1:0"}, {"tcp6", "[::1]:0"}} {
		t.Run(where[0]+" "+where[1], func(t *testing.T) {
			nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) { return pair(where[0], where[1]) })
		})
	}
}

func TestPipe(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		c1, c2 := net.Pipe()
		return c1, c2, func() { c1.Close(); c2.Close() }, nil
	})
}

// opError looks at an error as programs do.
func opError(t *testing.T, err error, op, network string, is error) *net.OpError {
	t.Helper()
	var e *net.OpError
	if !errors.As(err, &e) || e.Op != op || e.Net != network || !errors.Is(err, is) {
		t.Fatalf("%#v (%v), expected %s %s: %v", err, err, op, network, is)
	}
	return e
}

func TestErrors(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	_, err = net.Listen("tcp4", l.Addr().String())
	e := opError(t, err, "listen", "tcp4", syscall.EADDRINUSE)
	if _, good := e.Err.(*os.SyscallError); !good || e.Addr.String() != l.Addr().String() {
		t.Fatalf("%#v", e)
	}
	must(t, l.Close())
	if err = l.Close(); !errors.Is(err, net.ErrClosed) {
		t.Fatal(err)
	}
	_, err = net.Dial("tcp4", l.Addr().String())
	e = opError(t, err, "dial", "tcp4", syscall.ECONNREFUSED)
	if e.Addr.String() != l.Addr().String() || e.Timeout() {
		t.Fatalf("%#v", e)
	}
	_, err = net.Dial("tcp", "127.0.0.1")
	if err == nil || !strings.Contains(err.Error(), "missing port in address") {
		t.Fatal(err)
	}
	_, err = net.Dial("tcp7", "127.0.0.1:1")
	opError(t, err, "dial", "tcp7", net.UnknownNetworkError("tcp7"))
	_, err = net.ListenIP("ip4:icmp", nil)
	opError(t, err, "listen", "ip4:icmp", syscall.ESOCKTNOSUPPORT)
	_, err = net.DialIP("ip4:icmp", nil, &net.IPAddr{})
	opError(t, err, "dial", "ip4:icmp", syscall.ESOCKTNOSUPPORT)
	_, err = net.Dial("ip4:icmp", "127.0.0.1")
	opError(t, err, "dial", "ip4:icmp", syscall.ESOCKTNOSUPPORT)
	var none *net.TCPConn
	if _, err = none.Read(nil); err != syscall.EINVAL {
		t.Fatal(err)
	}
	var nowhere *net.TCPListener
	if _, err = nowhere.Accept(); err != syscall.EINVAL {
		t.Fatal(err)
	}
}

func TestDeadlineError(t *testing.T) {
	c, _ := tcpPair(t)
	must(t, c.SetReadDeadline(time.Now().Add(10*time.Millisecond)))
	_, err := c.Read(make([]byte, 1))
	e := opError(t, err, "read", "tcp4", os.ErrDeadlineExceeded)
	if !e.Timeout() || !e.Temporary() || e.Source != c.LocalAddr() || e.Addr != c.RemoteAddr() {
		t.Fatalf("%#v", e)
	}
	l, err := net.ListenTCP("tcp4", nil)
	must(t, err)
	defer l.Close()
	must(t, l.SetDeadline(time.Now().Add(10*time.Millisecond)))
	_, err = l.AcceptTCP()
	if e = opError(t, err, "accept", "tcp4", os.ErrDeadlineExceeded); !e.Timeout() {
		t.Fatal(err)
	}
}

func TestCloseWakesAccept(t *testing.T) {
	l, err := net.Listen("tcp", ":0")
	must(t, err)
	result := make(chan error, 3)
	for i := 0; i < 3; i++ {
		go func() { _, err := l.Accept(); result <- err }()
	}
	time.Sleep(10 * time.Millisecond)
	must(t, l.Close())
	for i := 0; i < 3; i++ {
		opError(t, <-result, "accept", "tcp", net.ErrClosed)
	}
}

// Who closes a listener may listen at its address again, also if somebody has waited for connections.
func TestCloseFreesPort(t *testing.T) {
	for i := 0; i < 50; i++ {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		must(t, err)
		for k := 0; k < 3; k++ {
			go func() { _, _ = l.Accept() }()
		}
		time.Sleep(time.Millisecond)
		must(t, l.Close())
		again, err := net.Listen("tcp4", l.Addr().String())
		must(t, err)
		must(t, again.Close())
	}
}

// What a program has lost without closing it is closed by the collector, as in Go's package.
func TestLost(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	where := func() string {
		_, err := net.Dial("tcp4", l.Addr().String())
		must(t, err)
		p, err := net.ListenPacket("udp4", "127.0.0.1:0")
		must(t, err)
		return p.LocalAddr().String()
	}()
	s, err := l.Accept()
	must(t, err)
	defer s.Close()
	for end := time.Now().Add(patience); ; {
		runtime.GC()
		must(t, s.SetReadDeadline(time.Now().Add(10*time.Millisecond)))
		_, err = s.Read(make([]byte, 1))
		p, err2 := net.ListenPacket("udp4", where)
		if err2 == nil {
			must(t, p.Close())
		}
		if err == io.EOF && err2 == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal(err, err2)
		}
	}
}

func TestSecondStack(t *testing.T) {
	if _, err := percore.Start([]string{"again"}); !errors.Is(err, percore.ErrBegun) {
		t.Fatal(err)
	}
	if _, err := percore.Attach("/nowhere"); !errors.Is(err, percore.ErrBegun) {
		t.Fatal(err)
	}
}

func TestDualStack(t *testing.T) {
	l, err := net.Listen("tcp", ":0")
	must(t, err)
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, host := range []string{"127.0.0.1", "192.0.2.1", "::1", "2001:db8::1", "", "localhost"} {
		c, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), patience)
		must(t, err)
		s, err := l.Accept()
		must(t, err)
		if a, b := c.LocalAddr().String(), s.RemoteAddr().String(); a != b {
			t.Errorf("%q: %s is %s", host, a, b)
		}
		s.Close()
		c.Close()
	}
}

// A listener of IPv6 alone leaves the port to one of IPv4.
func TestOneFamily(t *testing.T) {
	six, err := net.Listen("tcp6", ":0")
	must(t, err)
	defer six.Close()
	_, port, _ := net.SplitHostPort(six.Addr().String())
	four, err := net.Listen("tcp4", ":"+port)
	must(t, err)
	defer four.Close()
	c, err := net.Dial("tcp", "127.0.0.1:"+port)
	must(t, err)
	defer c.Close()
	s, err := four.Accept()
	must(t, err)
	s.Close()
	if _, err = net.Dial("tcp4", "[::1]:"+port); err == nil {
		t.Error("an address of IPv6 for tcp4")
	}
}

func TestHalfClose(t *testing.T) {
	c, s := tcpPair(t)
	must(t, c.SetLinger(-1))
	must(t, c.SetNoDelay(false))
	must(t, c.SetKeepAlive(true))
	must(t, c.SetKeepAlivePeriod(1500*time.Millisecond))
	must(t, c.SetReadBuffer(65536))
	must(t, c.SetWriteBuffer(65536))
	raw, err := c.SyscallConn()
	must(t, err)
	must(t, raw.Control(func(fd uintptr) {}))
	_, err = c.Write([]byte("question"))
	must(t, err)
	must(t, c.CloseWrite())
	got, err := io.ReadAll(s)
	must(t, err)
	n, err := s.ReadFrom(io.LimitReader(strings.NewReader(strings.Repeat("answer", 100000)), 500000))
	if string(got) != "question" || n != 500000 {
		t.Fatal(string(got), n, err)
	}
	must(t, s.Close())
	got, err = io.ReadAll(c)
	if len(got) != 500000 || err != nil {
		t.Fatal(len(got), err)
	}
	_, err = c.File()
	opError(t, err, "file", "tcp4", syscall.EOPNOTSUPP)
	err = c.CloseRead() // both directions have ended
	opError(t, err, "close", "tcp4", syscall.ENOTCONN)
}

func TestLingerResets(t *testing.T) {
	c, s := tcpPair(t)
	must(t, c.SetLinger(0))
	must(t, c.Close())
	must(t, s.SetDeadline(time.Now().Add(patience)))
	_, err := s.Read(make([]byte, 1))
	opError(t, err, "read", "tcp4", syscall.ECONNRESET)
}

// A byte of each of many writers arrives, whatever their goroutines' threads are.
func TestManyGoroutines(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	var wait sync.WaitGroup
	for i := 0; i < 100; i++ {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			c, err := net.Dial("tcp4", l.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(patience))
			text := strings.Repeat(string(rune('a'+i%26)), 3000+i)
			for k := 0; k < 5; k++ {
				got := make([]byte, len(text))
				if _, err = c.Write([]byte(text)); err == nil {
					_, err = io.ReadFull(c, got)
				}
				if err != nil || string(got) != text {
					t.Error(i, k, err)
					return
				}
			}
		}(i)
	}
	wait.Wait()
}

// A storm of calls takes no thread each: who waits for the stack waits as a goroutine.
func TestStorm(t *testing.T) {
	threads := func() int {
		list, err := os.ReadDir("/proc/self/task")
		must(t, err)
		return len(list)
	}
	before := threads()
	var wait sync.WaitGroup
	for i := 0; i < 2000; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if c, err := net.Dial("tcp4", "127.0.0.1:9"); err == nil {
				c.Close()
				t.Error("somebody listens")
			}
		}()
	}
	wait.Wait()
	if after := threads(); after > before+60 {
		t.Errorf("%d threads, and %d before", after, before)
	}
}

// Who has gone before the server looks is known by his address all the same.
func TestGonePeer(t *testing.T) {
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	defer l.Close()
	c, err := net.Dial("tcp4", l.Addr().String())
	must(t, err)
	must(t, c.(*net.TCPConn).SetLinger(0))
	must(t, c.Close())
	time.Sleep(20 * time.Millisecond)
	must(t, l.SetDeadline(time.Now().Add(patience)))
	s, err := l.Accept()
	must(t, err)
	defer s.Close()
	if s.RemoteAddr().String() != c.LocalAddr().String() || s.LocalAddr().String() != l.Addr().String() {
		t.Fatal(s.LocalAddr(), s.RemoteAddr())
	}
}

// A context that has ended begins nothing, also where there would be nothing to wait for.
func TestDialAfterTheEnd(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, network := range []string{"tcp", "udp"} {
		_, err = new(net.Dialer).DialContext(ctx, network, l.Addr().String())
		if e := opError(t, err, "dial", network, context.Canceled); e.Addr.String() != l.Addr().String() {
			t.Fatalf("%#v", e)
		}
		_, err = (&net.Dialer{Deadline: time.Unix(1, 0)}).Dial(network, l.Addr().String())
		opError(t, err, "dial", network, os.ErrDeadlineExceeded)
	}
	must(t, l.(*net.TCPListener).SetDeadline(time.Now().Add(20*time.Millisecond)))
	if c, err := l.Accept(); err == nil {
		t.Fatal("a connection from ", c.RemoteAddr())
	}
}

func TestDialContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error)
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}}
	go func() { _, err := d.DialContext(ctx, "tcp", "192.0.2.99:9"); result <- err }() // nobody answers ARP there
	time.Sleep(10 * time.Millisecond)
	cancel()
	err := <-result
	if opError(t, err, "dial", "tcp", context.Canceled); !strings.HasSuffix(err.Error(), "operation was canceled") {
		t.Fatal(err)
	}
	_, err = net.DialTimeout("tcp", "192.0.2.99:9", 20*time.Millisecond)
	opError(t, err, "dial", "tcp", context.DeadlineExceeded)
	if e := opError(t, err, "dial", "tcp", os.ErrDeadlineExceeded); !e.Timeout() {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	close(stop)
	_, err = (&net.Dialer{Cancel: stop}).Dial("tcp", "192.0.2.99:9")
	opError(t, err, "dial", "tcp", context.Canceled)
}

func TestControl(t *testing.T) {
	var told []string
	ctl := func(network, address string, c syscall.RawConn) error {
		told = append(told, network+" "+address)
		return c.Control(func(fd uintptr) {})
	}
	l, err := (&net.ListenConfig{Control: ctl}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	c, err := (&net.Dialer{Control: ctl}).Dial("tcp", l.Addr().String())
	must(t, err)
	c.Close()
	if strings.Join(told, ", ") != "tcp4 127.0.0.1:0, tcp4 "+l.Addr().String() {
		t.Fatal(told)
	}
	no := errors.New("no")
	_, err = (&net.Dialer{Control: func(string, string, syscall.RawConn) error { return no }}).Dial("udp", "127.0.0.1:9")
	opError(t, err, "dial", "udp", no)
}

func TestUnixIsTheKernels(t *testing.T) {
	path := t.TempDir() + "/s"
	l, err := net.Listen("unix", path)
	must(t, err)
	defer l.Close()
	c, err := net.Dial("unix", path)
	must(t, err)
	c.Close()
}

func TestInterfaces(t *testing.T) {
	addrs, err := net.InterfaceAddrs()
	must(t, err)
	var list []string
	for _, a := range addrs {
		list = append(list, a.String())
	}
	if s := strings.Join(list, " "); !strings.Contains(s, "192.0.2.1/24") || !strings.Contains(s, "2001:db8::1/64") {
		t.Fatal(s)
	}
	all, err := net.Interfaces()
	must(t, err)
	if len(all) != 1 || all[0].Name != "percore0" || all[0].Index != 1 {
		t.Fatal(all)
	}
	ifi, err := net.InterfaceByName("percore0")
	must(t, err)
	if addrs, err = ifi.Addrs(); err != nil || len(addrs) < 2 {
		t.Fatal(addrs, err)
	}
	if _, err = net.InterfaceByIndex(7); err == nil || err.Error() != "route ip+net: no such network interface" {
		t.Fatal(err)
	}
}
