// SPDX-License-Identifier: BSD-2-Clause

package pcx

// #include "glue.h"
import "C"

import (
	"os"
	"runtime"
	"sync"
	"syscall"
)

// events is one set of percore's with all sockets in it, and a thread that waits in it. An event, which is an edge, leaves a
// mark with the sides that it concerns; who finds one there looks again.
type events struct {
	gate sync.RWMutex // who makes a call that belongs to no socket, or makes one, holds it; stop closes it
	mu   sync.RWMutex
	fds  map[uint64]*FD
	ep   C.int
	open bool
	bell *os.File // its other end is in the set, too
	done chan struct{}
}

var poller events

const bellID = 0

func (p *events) start() error {
	ep := C.glue_epoll_create()
	if ep < 0 {
		return os.NewSyscallError("epoll_create1", errno(int(ep)))
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	if rc := C.glue_epoll_add(ep, C.int(r.Fd()), bellID, true); rc < 0 {
		return os.NewSyscallError("epoll_ctl", errno(int(rc)))
	}
	p.mu.Lock()
	p.fds, p.ep, p.open, p.bell, p.done = make(map[uint64]*FD), ep, true, w, make(chan struct{})
	p.mu.Unlock()
	go p.serve(r)
	return nil
}

// enter lets a call by, until leave, unless there is no stack.
func (p *events) enter() error {
	p.gate.RLock()
	p.mu.RLock()
	open := p.open
	p.mu.RUnlock()
	if !open {
		p.gate.RUnlock()
		return syscall.ENETDOWN
	}
	return nil
}

func (p *events) leave() { p.gate.RUnlock() }

func (p *events) add(f *FD) error {
	f.id = nextID()
	p.mu.Lock()
	if !p.open {
		p.mu.Unlock()
		return os.NewSyscallError("epoll_ctl", syscall.ENETDOWN)
	}
	p.fds[f.id] = f
	p.mu.Unlock()
	if rc := C.glue_epoll_add(p.ep, f.fd, C.uint64_t(f.id), false); rc < 0 {
		p.remove(f)
		return os.NewSyscallError("epoll_ctl", errno(int(rc)))
	}
	return nil
}

func (p *events) remove(f *FD) {
	p.mu.Lock()
	delete(p.fds, f.id)
	p.mu.Unlock()
}

func (p *events) tell(id uint64, what uint32) {
	p.mu.RLock()
	f := p.fds[id]
	p.mu.RUnlock()
	if f == nil {
		return
	}
	if what&(epollIn|epollRdhup|epollErr|epollHup) != 0 {
		f.in.wake()
	}
	if what&(epollOut|epollErr|epollHup) != 0 {
		f.out.wake()
	}
}

// serve has a thread of its own: it sleeps in a call of C.
func (p *events) serve(r *os.File) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(p.done)
	defer r.Close()
	var e [128]C.struct_glue_event
	for {
		n := C.glue_epoll_wait(p.ep, &e[0], C.int(len(e)))
		if n == -C.int(syscall.EINTR) {
			continue
		}
		if n < 0 {
			p.tellAll() // the stack is gone; their next calls say so
			lost()
			return
		}
		for i := 0; i < int(n); i++ {
			if e[i].id == bellID {
				return
			}
			p.tell(uint64(e[i].id), uint32(e[i].events))
		}
	}
}

func (p *events) tellAll() {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, f := range p.fds {
		f.in.wake()
		f.out.wake()
	}
}

// stop closes all sockets, waits until nobody is in a call with one, and ends the thread.
func (p *events) stop() {
	p.mu.Lock()
	if !p.open {
		p.mu.Unlock()
		return
	}
	p.open = false
	p.mu.Unlock()
	p.gate.Lock() // nobody is in such a call any more, and none is let by
	p.gate.Unlock()
	p.mu.Lock()
	var all []*FD
	for _, f := range p.fds {
		all = append(all, f)
	}
	p.mu.Unlock()
	for _, f := range all {
		_ = f.Close()
	}
	for _, f := range all {
		<-f.gone
	}
	_ = p.bell.Close() // the end of the pipe is an event, too
	<-p.done
	C.glue_close(p.ep)
}
