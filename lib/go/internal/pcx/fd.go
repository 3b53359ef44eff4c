// SPDX-License-Identifier: BSD-2-Clause

// Package pcx has percore's sockets as Go wants them: calls that never block a thread, goroutines that sleep until one set of
// pcx_epoll_wait tells of their socket, and deadlines.
//
// Ownership: an FD is closed once; calls that are under way hold a reference, and the descriptor goes back to percore with
// the last one. A number that is given out again is another FD with another id, so no event reaches the wrong one.
package pcx

// #include "glue.h"
import "C"

import (
	"context"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

const (
	epollIn, epollOut, epollErr, epollHup, epollRdhup = 0x1, 0x4, 0x8, 0x10, 0x2000
	nameBytes                                         = 128 // struct sockaddr_storage
)

// side is one direction of a socket: who calls, until when, and whether something has happened since it last looked.
type side struct {
	mu    sync.Mutex // one caller at a time
	ready chan struct{}
	until deadline
	name  [nameBytes]byte // of who sent a datagram; under mu
}

func (s *side) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// FD is a socket of percore.
type FD struct {
	fd     C.int
	id     uint64
	in     side
	out    side
	closed chan struct{}

	mu      sync.Mutex
	refs    int // calls under way
	closing bool
	gone    chan struct{} // the descriptor is percore's again
}

func errno(rc int) error {
	return syscall.Errno(-rc)
}

// asking has a place for each call that waits for the answer of an lcore, and with it a thread of Go's. Goroutines that find no
// place wait without one: a storm of them would have a thread each, of which Go allows 10,000.
var asking = make(chan struct{}, 32)

func ask(call func() C.int) int {
	asking <- struct{}{}
	defer func() { <-asking }()
	return int(call())
}

func newFD(fd C.int) (*FD, error) {
	f := &FD{fd: fd, closed: make(chan struct{}), gone: make(chan struct{})}
	f.in.ready, f.out.ready = make(chan struct{}, 1), make(chan struct{}, 1)
	if err := poller.add(f); err != nil {
		C.glue_close(fd)
		return nil, err
	}
	return f, nil
}

// Socket makes a socket of percore's; ENETDOWN: there is no stack.
func Socket(domain, typ, protocol int) (*FD, error) {
	if err := poller.enter(); err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	defer poller.leave()
	fd := ask(func() C.int { return C.glue_socket(C.int(domain), C.int(typ), C.int(protocol)) })
	if fd < 0 {
		return nil, os.NewSyscallError("socket", errno(fd))
	}
	return newFD(C.int(fd))
}

func (f *FD) hold() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closing {
		return net.ErrClosed
	}
	f.refs++
	return nil
}

func (f *FD) release() {
	f.mu.Lock()
	f.refs--
	last := f.closing && f.refs == 0
	f.mu.Unlock()
	if last {
		f.destroy()
	}
}

func (f *FD) destroy() {
	poller.remove(f)
	f.in.until.set(time.Time{})
	f.out.until.set(time.Time{})
	C.glue_close(f.fd)
	close(f.gone)
}

// Close lets go of the socket, and returns when percore has it: its port is free. Calls that are under way return net.ErrClosed.
func (f *FD) Close() error {
	f.mu.Lock()
	if f.closing {
		f.mu.Unlock()
		return net.ErrClosed
	}
	f.closing = true
	last := f.refs == 0
	f.mu.Unlock()
	close(f.closed)
	if last {
		f.destroy()
	}
	<-f.gone
	return nil
}

// try makes a call until it is something else than EAGAIN or the deadline of its side has come.
func (f *FD) try(s *side, what string, call func() int) (int, error) {
	if err := f.hold(); err != nil {
		return 0, err
	}
	defer f.release()
	s.mu.Lock()
	defer s.mu.Unlock()
	return f.tryLocked(s, what, call)
}

func (f *FD) tryLocked(s *side, what string, call func() int) (int, error) {
	for {
		over := s.until.channel()
		select {
		case <-f.closed:
			return 0, net.ErrClosed
		case <-over:
			return 0, os.ErrDeadlineExceeded
		default:
		}
		n := call()
		if n >= 0 {
			return n, nil
		}
		if n == -int(syscall.EINTR) {
			continue
		}
		if n != -int(syscall.EAGAIN) {
			return 0, os.NewSyscallError(what, errno(n))
		}
		select {
		case <-s.ready:
		case <-f.closed:
		case <-over:
		}
	}
}

var nothing [1]byte

// some is p, or bytes to point at if there are none. (What is pointed at is always written as &p[0] in the call: so cgo looks at
// the bytes alone, and not for pointers in what they may be a part of.)
func some(p []byte) []byte {
	if len(p) == 0 {
		return nothing[:]
	}
	return p
}

// Read returns 0 at the end of a stream; what is read from a datagram socket may be empty, too. To read nothing waits for
// nothing.
func (f *FD) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, f.Control(func(uintptr) {})
	}
	to := some(p)
	return f.try(&f.in, "read", func() int {
		return int(C.glue_recv(f.fd, unsafe.Pointer(&to[0]), C.size_t(len(p)), 0))
	})
}

// Write writes all of p to a stream.
func (f *FD) Write(p []byte) (int, error) {
	if err := f.hold(); err != nil {
		return 0, err
	}
	defer f.release()
	f.out.mu.Lock()
	defer f.out.mu.Unlock()
	done := 0
	for {
		left := some(p[done:])
		n, err := f.tryLocked(&f.out, "write", func() int {
			return int(C.glue_send(f.fd, unsafe.Pointer(&left[0]), C.size_t(len(p)-done), 0))
		})
		done += n
		if err != nil || done == len(p) {
			return done, err
		}
	}
}

// RecvMsg reads a datagram, and what comes with it into oob; what is the call that an error names.
func (f *FD) RecvMsg(what string, p, oob []byte) (n, oobn, flags int, from netip.AddrPort, err error) {
	var out [3]C.int32_t
	to, more := some(p), some(oob)
	n, err = f.try(&f.in, what, func() int {
		rc := int(C.glue_recvmsg(f.fd, unsafe.Pointer(&to[0]), C.size_t(len(p)), unsafe.Pointer(&more[0]), C.size_t(len(oob)), 0,
			unsafe.Pointer(&f.in.name[0]), &out[0]))
		if rc >= 0 && out[0] > 0 {
			from = decode(f.in.name[:])
		}
		return rc
	})
	return n, int(out[1]), int(out[2]), from, err
}

// SendMsg sends a datagram, to the peer if to is no address; what is the call that an error names.
func (f *FD) SendMsg(what string, p, oob []byte, to netip.AddrPort, domain int) (int, error) {
	name, err := encode(to, domain)
	if err != nil {
		return 0, err
	}
	from, more, at := some(p), some(oob), some(name)
	return f.try(&f.out, what, func() int {
		return ask(func() C.int {
			return C.int(C.glue_sendmsg(f.fd, unsafe.Pointer(&from[0]), C.size_t(len(p)), unsafe.Pointer(&more[0]),
				C.size_t(len(oob)), unsafe.Pointer(&at[0]), C.int(len(name))))
		})
	})
}

// Bind gives the socket a name; an address that is not valid stands for any.
func (f *FD) Bind(a netip.AddrPort, domain int) error {
	name, err := encode(a, domain)
	if err != nil {
		return err
	}
	at := some(name)
	return f.call("bind", func() C.int { return C.glue_bind(f.fd, unsafe.Pointer(&at[0]), C.int(len(name))) })
}

// Listen makes it a listener.
func (f *FD) Listen(backlog int) error {
	return f.call("listen", func() C.int { return C.glue_listen(f.fd, C.int(backlog)) })
}

// Accept waits for a connection.
func (f *FD) Accept() (*FD, netip.AddrPort, error) {
	var from netip.AddrPort
	if err := f.hold(); err != nil { // until the new one is known: the stack does not end before
		return nil, from, err
	}
	defer f.release()
	fd, err := f.try(&f.in, "accept4", func() int {
		rc := int(C.glue_accept(f.fd, unsafe.Pointer(&f.in.name[0])))
		if rc == -int(syscall.ECONNABORTED) {
			return -int(syscall.EINTR) // it was gone before we came
		}
		if rc >= 0 {
			from = decode(f.in.name[:])
		}
		return rc
	})
	if err != nil {
		return nil, from, err
	}
	c, err := newFD(C.int(fd))
	return c, from, err
}

// Connect connects, until the context ends.
func (f *FD) Connect(ctx context.Context, a netip.AddrPort, domain int) error {
	name, err := encode(a, domain)
	if err != nil {
		return err
	}
	if err := f.hold(); err != nil {
		return err
	}
	defer f.release()
	at := some(name)
	rc := ask(func() C.int { return C.glue_connect(f.fd, unsafe.Pointer(&at[0]), C.int(len(name))) })
	for rc == -int(syscall.EINPROGRESS) || rc == -int(syscall.EINTR) || rc == -int(syscall.EALREADY) {
		select {
		case <-f.out.ready:
		case <-f.closed:
			return net.ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
		rc = f.outcome()
	}
	if rc < 0 {
		return os.NewSyscallError("connect", errno(rc))
	}
	return nil
}

// outcome says what has become of an attempt: 0, a negative errno, or -EINPROGRESS.
func (f *FD) outcome() int {
	var e C.int
	n := ask(func() C.int {
		return C.glue_getsockopt(f.fd, syscall.SOL_SOCKET, syscall.SO_ERROR, unsafe.Pointer(&e), C.int(unsafe.Sizeof(e)))
	})
	if n < 0 {
		return n
	}
	if e != 0 {
		return -int(e)
	}
	var name [nameBytes]byte
	n = ask(func() C.int { return C.glue_name(f.fd, unsafe.Pointer(&name[0]), true) })
	if n == -int(syscall.ENOTCONN) {
		return -int(syscall.EINPROGRESS)
	}
	return n
}

func (f *FD) call(what string, call func() C.int) error {
	if err := f.hold(); err != nil {
		return err
	}
	defer f.release()
	rc := ask(call)
	for rc == -int(syscall.EINTR) {
		rc = ask(call)
	}
	if rc < 0 {
		return os.NewSyscallError(what, errno(rc))
	}
	return nil
}

// Shutdown is shutdown(2).
func (f *FD) Shutdown(how int) error {
	return f.call("shutdown", func() C.int { return C.glue_shutdown(f.fd, C.int(how)) })
}

// Name is getsockname(2) or getpeername(2).
func (f *FD) Name(peer bool) netip.AddrPort {
	var name [nameBytes]byte
	what := "getsockname"
	if peer {
		what = "getpeername"
	}
	if f.call(what, func() C.int { return C.glue_name(f.fd, unsafe.Pointer(&name[0]), C.bool(peer)) }) != nil {
		return netip.AddrPort{}
	}
	return decode(name[:])
}

// SetInt sets an option that is a number.
func (f *FD) SetInt(level, name, value int) error {
	v := C.int(value)
	return f.call("setsockopt", func() C.int {
		return C.glue_setsockopt(f.fd, C.int(level), C.int(name), unsafe.Pointer(&v), C.int(unsafe.Sizeof(v)))
	})
}

// GetInt gets one.
func (f *FD) GetInt(level, name int) (int, error) {
	var v C.int
	err := f.call("getsockopt", func() C.int {
		return C.glue_getsockopt(f.fd, C.int(level), C.int(name), unsafe.Pointer(&v), C.int(unsafe.Sizeof(v)))
	})
	return int(v), err
}

// SetBytes sets any option.
func (f *FD) SetBytes(level, name int, value []byte) error {
	at := some(value)
	return f.call("setsockopt", func() C.int {
		return C.glue_setsockopt(f.fd, C.int(level), C.int(name), unsafe.Pointer(&at[0]), C.int(len(value)))
	})
}

// Control hands the descriptor to a function, which may make calls of percore/posix.h with it.
func (f *FD) Control(use func(fd uintptr)) error {
	if err := f.hold(); err != nil {
		return err
	}
	defer f.release()
	use(uintptr(f.fd))
	return nil
}

// RawRead and RawWrite call a function until it returns true, waiting in between.
func (f *FD) RawRead(use func(fd uintptr) bool) error  { return f.raw(&f.in, use) }
func (f *FD) RawWrite(use func(fd uintptr) bool) error { return f.raw(&f.out, use) }

func (f *FD) raw(s *side, use func(fd uintptr) bool) error {
	_, err := f.try(s, "raw", func() int {
		if use(uintptr(f.fd)) {
			return 0
		}
		return -int(syscall.EAGAIN)
	})
	return err
}

// SetDeadline sets when reading (in) and writing (out) ends.
func (f *FD) SetDeadline(t time.Time, in, out bool) error {
	if err := f.hold(); err != nil {
		return err
	}
	defer f.release()
	if in {
		f.in.until.set(t)
	}
	if out {
		f.out.until.set(t)
	}
	return nil
}

// deadline is a time after which nobody waits any more; a channel that is closed then tells of it.
type deadline struct {
	mu    sync.Mutex
	timer *time.Timer
	over  chan struct{}
	came  bool
	round uint64 // counts settings: a timer of an earlier one does nothing
}

func (d *deadline) channel() chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over == nil {
		d.over = make(chan struct{})
	}
	return d.over
}

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.round++
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	if d.over == nil || d.came {
		d.over, d.came = make(chan struct{}), false
	}
	if t.IsZero() {
		return
	}
	left, round := time.Until(t), d.round
	if left <= 0 {
		d.came = true
		close(d.over)
		return
	}
	d.timer = time.AfterFunc(left, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.round == round && !d.came {
			d.came = true
			close(d.over)
		}
	})
}

var lastID uint64

func nextID() uint64 { return atomic.AddUint64(&lastID, 1) }
