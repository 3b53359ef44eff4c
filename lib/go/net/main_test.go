// SPDX-License-Identifier: BSD-2-Clause

package net_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"percore"
	"percore/net"
)

var stack *percore.Stack

// ready waits until duplicate address detection is over.
func ready() {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		addrs, _ := net.InterfaceAddrs()
		for _, a := range addrs {
			if a.String() == "2001:db8::1/64" {
				return
			}
		}
	}
}

// The stack of these tests has a port that nothing comes from; they talk by its loopback.
func TestMain(m *testing.M) {
	args := []string{"net.test", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry", "-m", "256",
		"--vdev=net_null0,no-rx=1", "--", "--addr", "192.0.2.1/24", "--addr", "2001:db8::1/64",
		"--set", "run.privileges=0", "--set", "run.idle=3", "--set", "run.idle_us=50"}
	var err error
	if stack, err = percore.Start(args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	ready() // its addresses of IPv6 take a second
	status := m.Run()
	before := time.Now()
	stack.Stop()
	if s := stack.Wait(); s != 0 && status == 0 {
		fmt.Fprintln(os.Stderr, "the stack ended with status", s)
		status = s
	}
	fmt.Fprintln(os.Stderr, "stopped in", time.Since(before).Round(time.Millisecond))
	os.Exit(status)
}
