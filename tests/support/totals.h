/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SUPPORT_TOTALS_H
#define SUPPORT_TOTALS_H

/*
 * The members of Linux's struct tcp_info that the C library's lacks: one file cannot include both.
 */

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

/** totals_read extracts them from the len bytes that getsockopt(TCP_INFO) wrote. */
struct totals totals_read(const void *info, socklen_t len);

#endif
