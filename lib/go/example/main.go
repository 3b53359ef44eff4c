// SPDX-License-Identifier: BSD-2-Clause

// example is an echo server over TCP and UDP on percore's stack:
//
//	./example --conf config.ini --proc-type=primary --proc-id=0
//
// with, for instance, this config.ini:
//
//	[run]
//	eal = --no-huge --vdev=net_tap0,iface=percore0
//	[net]
//	addr = 192.0.2.1/24
//
// PORT in the environment is another port than 7. A second process with --proc-type=secondary and another port shares the stack.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"percore"
	"percore/net"
)

func main() {
	stack, err := percore.Start(os.Args)
	if err != nil {
		fail(err)
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "7"
	}
	l, err := net.Listen("tcp", ":"+port)
	if err != nil {
		fail(err)
	}
	p, err := net.ListenPacket("udp", ":"+port)
	if err != nil {
		fail(err)
	}
	go datagrams(p)
	go connections(l)
	fmt.Printf("echo on port %s: ready\n", port)
	os.Exit(stack.Wait()) // SIGINT and SIGTERM stop the stack; that of another process may end
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}

func connections(l net.Listener) {
	for {
		c, err := l.Accept()
		var passing interface{ Temporary() bool }
		if errors.As(err, &passing) && passing.Temporary() { // no descriptor is left: who waits stays in the queue
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if err != nil {
			if !errors.Is(err, net.ErrClosed) { // the stack of another process has ended
				fmt.Fprintln(os.Stderr, err)
			}
			return
		}
		go func() {
			defer c.Close()
			_, _ = io.Copy(c, c)
		}()
	}
}

func datagrams(p net.PacketConn) {
	buf := make([]byte, 65536)
	for {
		n, from, err := p.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			_, _ = p.WriteTo(buf[:n], from)
		}
	}
}
