/* SPDX-License-Identifier: BSD-2-Clause */

/* What TCP_INFO counts (RFC 4898), on the kernel and on percore. */

#include "bed.h"
#include "totals.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

static struct totals look(struct bed *b, int side, int fd)
{
	char raw[TOTALS_ROOM];
	socklen_t len = sizeof(raw);

	memset(raw, 0, sizeof(raw));
	b->call->getsockopt(b, side, fd, IPPROTO_TCP, TCP_INFO, raw, &len);
	return totals_read(raw, len);
}

static void log_totals(struct bed *b, const char *what, int side, int fd)
{
	const struct totals t = look(b, side, fd);

	bed_log(b, "%s %s: acked %lu received %lu sent %lu again %lu", what,
	        side == NEAR ? "near" : "far", t.bytes_acked, t.bytes_received, t.bytes_sent,
	        t.bytes_retrans);
	bed_log(b, " data segments in %u out %u retransmitted %u delivered %u", t.data_segs_in,
	        t.data_segs_out, t.total_retrans, t.delivered);
	bed_log(b, " dsacks %u early %u not sent %u\n", t.dsack_dups, t.rcv_ooopack, t.notsent);
}

static void both(struct bed *b, const char *what, const int fd[2])
{
	log_totals(b, what, NEAR, fd[NEAR]);
	log_totals(b, what, FAR, fd[FAR]);
}

static void counts(struct bed *b)
{
	struct totals t;
	int fd[2];

	bed_pair(b, fd);
	both(b, "open", fd);
	t = look(b, NEAR, fd[NEAR]);
	bed_log(b, "segments in %u, some out: %d\n", t.segs_in, t.segs_out > 0);
	bed_log(b, "unlimited: %d\n", t.max_pacing_rate == UINT64_MAX);
	bed_send(b, NEAR, fd[NEAR], 1000);
	b->call->settle(b);
	bed_recv(b, FAR, fd[FAR], 1000);
	both(b, "one way", fd);
	bed_send(b, FAR, fd[FAR], 7);
	b->call->settle(b);
	bed_recv(b, NEAR, fd[NEAR], 7);
	log_totals(b, "both ways", NEAR, fd[NEAR]);
	t = look(b, NEAR, fd[NEAR]);
	bed_log(b, "a rate: %d, a round trip: %d, a window: %d\n", t.delivery_rate > 0,
	        t.min_rtt != UINT32_MAX, t.snd_wnd > 0);
	bed_log(b, "limited: %lu %lu\n", t.rwnd_us, t.sndbuf_us);
	b->call->shutdown(b, NEAR, fd[NEAR], SHUT_WR);
	b->call->settle(b);
	log_totals(b, "half closed", FAR, fd[FAR]);
	b->call->shutdown(b, FAR, fd[FAR], SHUT_WR);
	b->call->settle(b);
	log_totals(b, "closed", FAR, fd[FAR]);
	b->call->close(b, FAR, fd[FAR]);
	b->call->close(b, NEAR, fd[NEAR]);
}

static const struct bed_case cases[] = {
    {"TCP_INFO: bytes and segments", counts},
};

int main(int argc, char **argv)
{
	return bed_main(argc, argv, "totals", cases, sizeof(cases) / sizeof(cases[0]));
}
