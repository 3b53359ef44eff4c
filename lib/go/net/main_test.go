// SPDX-License-Identifier: BSD-2-Clause

package net_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"percore"
)

var stack *percore.Stack

// The stack of these tests has a port that nothing comes from; they talk by its loopback.
func TestMain(m *testing.M) {
	args := []string{"net.test", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry", "-m", "256",
		"--vdev=net_null0,no-rx=1", "--", "--addr", "192.0.2.1/24", "--addr", "2001:db8::1/64",
		"--set", "run.privileges=0", "--set", "run.idle_us=50"}
	var err error
	if stack, err = percore.Start(args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
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
