// SPDX-License-Identifier: BSD-2-Clause

// storm runs the stack for go_bench.py, under the worst load of goroutines and garbage collection
// if STORM is set.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"percore"
)

var keep [8][][]byte

func main() {
	stack, err := percore.Start(os.Args)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if os.Getenv("STORM") != "" {
		for i := range keep {
			go yield(i)
		}
		go collect()
	}
	fmt.Println("storm: ready")
	status := stack.Wait()
	var s debug.GCStats
	debug.ReadGCStats(&s)
	fmt.Printf("%d collections, %v of pauses\n", s.NumGC, s.PauseTotal.Round(time.Microsecond))
	os.Exit(status)
}

// yield yields for ever, and now and then allocates memory, much of which stays in use.
func yield(i int) {
	for n := 0; ; n++ {
		runtime.Gosched()
		if n%100 == 0 {
			keep[i] = append(keep[i][:n/100%200], make([]byte, 16<<10))
		}
	}
}

func collect() {
	for {
		runtime.GC()
	}
}
