// SPDX-License-Identifier: BSD-2-Clause

// Package percore runs percore's TCP/IP stack in a Go process; package percore/net has its sockets, as Go's package net.
//
//	stack, err := percore.Start(os.Args) // ./program --conf config.ini --proc-type=primary --proc-id=0
//	...
//	l, err := net.Listen("tcp", ":80") // of "percore/net"
//	http.Serve(l, nil)
//
// The main lcore is a thread of Go's own that is locked and bound to the lcore's CPU; further lcores are EAL's threads. All of
// them run C code only: the scheduler and the garbage collector neither move nor stop them. Go's other threads leave
// the lcores' CPUs if there are others, and GOMAXPROCS becomes the number of those, unless the environment has it.
package percore

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"percore/internal/pcx"
)

// Stack is the stack of this process, or the one of another process that it uses.
type Stack struct {
	primary bool
}

// ErrBegun is the error of Start and Attach in a process that has a stack, or has had one.
var ErrBegun = pcx.ErrBegun

// Start starts a stack, or uses that of another process, by a command line as os.Args: [EAL options] -- [options] as every
// program on percore has it, or the options of launchers, of which none needs a "--":
//
//	--conf FILE         settings, EAL's options among them (run.eal)
//	--proc-type TYPE    primary: start a stack, which other processes may use; secondary: use the primary's; auto: whichever
//	                    is possible
//	--proc-id N         taken, and not needed: the stack spreads connections over its lcores by itself
//	--socket PATH       where the primary is to be found
//
// SIGINT and SIGTERM stop the stack in order; who catches them with package signal gets them as well.
func Start(args []string) (*Stack, error) {
	l, err := parse(args)
	if err != nil {
		return nil, err
	}
	if l.kind == "secondary" || l.kind == "auto" {
		err = pcx.Attach(l.socket)
		if err == nil {
			go stopBySignal()
			return &Stack{}, nil
		}
		if l.kind == "secondary" {
			return nil, errors.New("percore: no primary process is listening at " + l.socket + ": " + err.Error())
		}
	}
	if err = pcx.Start(l.command()); err != nil {
		return nil, err
	}
	go stopBySignal()
	return &Stack{primary: true}, nil
}

// Attach uses the stack of another process, which has run.sockets = path; no DPDK is started, and signals are the program's.
func Attach(path string) (*Stack, error) {
	if err := pcx.Attach(path); err != nil {
		return nil, err
	}
	return &Stack{}, nil
}

func stopBySignal() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM)
	<-c
	signal.Stop(c) // the next one ends the process, unless the program has it
	pcx.Stop()
}

// Primary says whether the stack is in this process.
func (s *Stack) Primary() bool { return s.primary }

// Stop closes all sockets, lets the stack send what they still had (for run.drain_ms at most), and ends it. A process has one
// stack in its life.
func (s *Stack) Stop() { pcx.Stop() }

// Wait waits for the end of the stack, by Stop or a signal, and returns the status that the process is to end with. It is 1 if
// the stack was another process's and has ended without a Stop of this one.
func (s *Stack) Wait() int { return pcx.Wait() }

// Lcore tells where the stack runs.
type Lcore struct {
	Thread int // the kernel's number of the main lcore's thread
	CPU    int
	NUMA   int // node; -1: any
	Lcores int // how many there are
	Left   int // CPUs that are left for Go's threads; 0: they share those of the lcores
}

// Lcore of a stack in this process.
func (s *Stack) Lcore() Lcore {
	var l Lcore
	if s.primary {
		l.Thread, l.CPU, l.NUMA, l.Lcores, l.Left = pcx.Lcore()
	}
	return l
}
