// SPDX-License-Identifier: BSD-2-Clause

//go:build !percore_static

package pcx

// libpercore.so and DPDK's shared libraries. No variable is needed: pkg-config --libs has no flag that cgo refuses.

// #cgo pkg-config: percore
import "C"
