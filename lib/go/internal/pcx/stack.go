// SPDX-License-Identifier: BSD-2-Clause

package pcx

// #include <stdlib.h>
// #include "glue.h"
import "C"

import (
	"errors"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"unsafe"
)

// Life of the process's stack: one in its life, as EAL starts once.
var life struct {
	mu      sync.Mutex
	begun   bool
	own     bool // the stack is in this process
	stopped sync.Once
	over    sync.Once // closes ended, of another process's stack
	ended   chan struct{}
	status  int
}

// ErrBegun: there is a stack already, or was one.
var ErrBegun = errors.New("percore: this process has already started a stack")

func begin() error {
	life.mu.Lock()
	defer life.mu.Unlock()
	if life.begun {
		return ErrBegun
	}
	life.begun = true
	life.ended = make(chan struct{})
	return nil
}

// Start runs a stack in this process, as pc_run with these arguments, and returns when sockets can be made.
func Start(args []string) error {
	if err := begin(); err != nil {
		return err
	}
	life.own = true
	go func() {
		runtime.LockOSThread() // for ever: this thread is the main lcore's
		argv := (*[1 << 16]*C.char)(C.calloc(C.size_t(len(args)+1), C.size_t(unsafe.Sizeof(uintptr(0)))))
		for i, a := range args {
			argv[i] = C.CString(a)
		}
		life.status = int(C.glue_run(C.int(len(args)), &argv[0]))
		close(life.ended)
		select {} // the thread is bound to a CPU and not to be anybody else's
	}()
	if !C.glue_wait_up() {
		<-life.ended
		return errors.New("percore: the stack failed to start; see stderr")
	}
	if left := int(C.glue_cpus_left()); left > 0 && os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(left)
	}
	return poller.start()
}

// Attach uses the stack of another process, which listens at a UNIX socket.
func Attach(path string) error {
	if err := begin(); err != nil {
		return err
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	if rc := C.glue_attach(name); rc < 0 {
		life.mu.Lock()
		life.begun = false
		life.mu.Unlock()
		return &os.PathError{Op: "attach", Path: path, Err: errno(int(rc))}
	}
	return poller.start()
}

// Stop closes all sockets and ends the stack, or lets go of the other process's.
func Stop() {
	life.mu.Lock()
	begun := life.begun
	life.mu.Unlock()
	if !begun {
		return
	}
	life.stopped.Do(func() {
		poller.stop()
		if life.own {
			C.glue_stop()
		} else {
			let(0)
		}
	})
}

// let ends the waits for a stack of another process.
func let(status int) {
	life.over.Do(func() {
		life.status = status
		close(life.ended)
	})
}

// lost says that the stack is gone.
func lost() {
	if !life.own {
		let(1)
	}
}

// Wait waits for the end and returns the status that the process is to end with.
func Wait() int {
	<-life.ended
	return life.status
}

// Lcore is the main lcore: the kernel's number of its thread, its CPU and NUMA node; how many lcores there are, and on how
// many CPUs Go's threads are left.
func Lcore() (thread, cpu, numa, lcores, left int) {
	return int(C.glue_lcore_thread()), int(C.glue_lcore_cpu()), int(C.glue_lcore_numa()), int(C.glue_lcores()),
		int(C.glue_cpus_left())
}

// Local is an address of the stack's.
type Local struct {
	Prefix netip.Prefix
	Port   int
}

// Locals tells the addresses that are ready.
func Locals() ([]Local, error) {
	if err := poller.enter(); err != nil {
		return nil, os.NewSyscallError("locals", err)
	}
	defer poller.leave()
	var some [64]C.struct_glue_local
	n := ask(func() C.int { return C.glue_locals(&some[0], C.int(len(some))) })
	if n < 0 {
		return nil, os.NewSyscallError("locals", errno(n))
	}
	var list []Local
	for _, l := range some[:n] {
		ip := netip.AddrFrom16(*(*[16]byte)(unsafe.Pointer(&l.addr[0])))
		if l.is6 == 0 {
			ip = netip.AddrFrom4(*(*[4]byte)(unsafe.Pointer(&l.addr[0])))
		}
		list = append(list, Local{netip.PrefixFrom(ip, int(l.prefix)), int(l.port)})
	}
	return list, nil
}
