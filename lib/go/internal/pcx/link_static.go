// SPDX-License-Identifier: BSD-2-Clause

//go:build percore_static

package pcx

// percore and DPDK in the program (-tags percore_static). DPDK's drivers come by --whole-archive, which cgo refuses in sources
// unless CGO_LDFLAGS_ALLOW lets it by; and CGO_CFLAGS_ALLOW its compiler flag -mrtm: docs/go.md.

// #cgo pkg-config: --static percore-static
import "C"
