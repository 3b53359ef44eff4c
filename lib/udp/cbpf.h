/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UDP_CBPF_H
#define UDP_CBPF_H

/*
 * Classic BPF (bpf(4), SO_ATTACH_FILTER): a filter of at most CBPF_MAX instructions, checked once
 * and then run on packets.  Jumps only go forward, so a filter terminates.
 */

#include <stdbool.h>
#include <stdint.h>

#include <linux/filter.h>

#define CBPF_MAX 256

struct rte_mbuf;

struct cbpf {
	uint16_t n; /* 0: no filter, every packet passes in full */
	struct sock_filter insn[CBPF_MAX];
};

/** cbpf_check says whether n instructions form a valid filter: known instructions, jumps within it,
 * scratch memory within bounds, no division by a constant 0, and a return at the end. */
bool cbpf_check(const struct sock_filter *insn, uint32_t n);

/**
 * cbpf_run runs a filter on the data at off in m. Returns how many bytes to keep, 0: none, so drop
 * the packet; UINT32_MAX without a filter. A load beyond the packet rejects it.
 */
uint32_t cbpf_run(const struct cbpf *f, const struct rte_mbuf *m, uint32_t off);

#endif
