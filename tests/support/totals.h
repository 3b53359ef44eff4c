/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SUPPORT_TOTALS_H
#define SUPPORT_TOTALS_H

/* Those members of Linux's struct tcp_info that the C library's does not have: the two cannot be included together. */

#include <stdint.h>
#include <sys/socket.h>

#define TOTALS_ROOM 512

struct totals {
	uint64_t bytes_acked, bytes_received, bytes_sent, bytes_retrans;
	uint64_t delivery_rate, busy_us, rwnd_us, sndbuf_us;
	uint32_t segs_in, segs_out, data_segs_in, data_segs_out;
	uint32_t total_retrans, delivered, dsack_dups, rcv_ooopack;
	uint32_t notsent, min_rtt, snd_wnd;
	uint64_t pacing_rate, max_pacing_rate;
	uint32_t delivered_ce, reord_seen;
};

/** totals_read takes them out of the result of getsockopt(TCP_INFO), len bytes of which were written. */
struct totals totals_read(const void *info, socklen_t len);

#endif
