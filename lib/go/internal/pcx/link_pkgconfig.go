// SPDX-License-Identifier: BSD-2-Clause

//go:build !percore_static

package pcx

// libpercore.so, which needs DPDK's shared libraries. No variable is needed: pkg-config has no flag that cgo refuses, as DPDK's
// would be (-mrtm, since 23.11).

// #cgo pkg-config: percore-go
import "C"
