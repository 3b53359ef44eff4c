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
	uint16_t n; /* 0: there is none, every packet passes whole */
	struct sock_filter insn[CBPF_MAX];
};

/** cbpf_check says whether n instructions are a filter that may run: known instructions, jumps that land
 * inside, scratch memory that exists, no division by 0, and a return at the end. */
bool cbpf_check(const struct sock_filter *insn, uint32_t n);

/**
 * cbpf_run runs a filter on what begins at off in m. Returns how many bytes of it are wanted, 0: none;
 * UINT32_MAX without a filter. A load beyond the packet makes it unwanted.
 */
uint32_t cbpf_run(const struct cbpf *f, const struct rte_mbuf *m, uint32_t off);

#endif
