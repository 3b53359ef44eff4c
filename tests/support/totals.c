/* SPDX-License-Identifier: BSD-2-Clause */
#include "totals.h"

#include <linux/tcp.h>
#include <string.h>

struct totals totals_read(const void *info, socklen_t len)
{
	struct tcp_info i;

	memset(&i, 0, sizeof(i));
	memcpy(&i, info, len < sizeof(i) ? len : sizeof(i));
	return (struct totals){.bytes_acked = i.tcpi_bytes_acked,
	                       .bytes_received = i.tcpi_bytes_received,
	                       .bytes_sent = i.tcpi_bytes_sent,
	                       .bytes_retrans = i.tcpi_bytes_retrans,
	                       .delivery_rate = i.tcpi_delivery_rate,
	                       .busy_us = i.tcpi_busy_time,
	                       .rwnd_us = i.tcpi_rwnd_limited,
	                       .sndbuf_us = i.tcpi_sndbuf_limited,
	                       .segs_in = i.tcpi_segs_in,
	                       .segs_out = i.tcpi_segs_out,
	                       .data_segs_in = i.tcpi_data_segs_in,
	                       .data_segs_out = i.tcpi_data_segs_out,
	                       .total_retrans = i.tcpi_total_retrans,
	                       .delivered = i.tcpi_delivered,
	                       .dsack_dups = i.tcpi_dsack_dups,
	                       .rcv_ooopack = i.tcpi_rcv_ooopack,
	                       .notsent = i.tcpi_notsent_bytes,
	                       .min_rtt = i.tcpi_min_rtt,
	                       .snd_wnd = i.tcpi_snd_wnd,
	                       .pacing_rate = i.tcpi_pacing_rate,
	                       .max_pacing_rate = i.tcpi_max_pacing_rate,
	                       .delivered_ce = i.tcpi_delivered_ce,
	                       .reord_seen = i.tcpi_reord_seen};
}
