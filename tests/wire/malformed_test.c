/* SPDX-License-Identifier: BSD-2-Clause */

/* Bytes that no honest peer sends: options, lengths, checksums. */

#include <stdlib.h>

#include "wt.h"

/* A SYN with these options is answered; returns the size of the first segment sent to that peer. */
static uint32_t syn_with(struct wt *w, const void *raw, uint8_t len)
{
	uint32_t mss;

	wt_flow(w);
	if (w->lfd == 0)
		wt_listen(w, 100);
	INJECT(.flags = S, .raw = raw, .raw_len = len);
	EQ(wt_next(w, 0)->seg.flags, SA);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	w->flow.ts_on = false;
	wt_send(w, 1460);
	mss = wt_next(w, 0)->seg.len;
	wt_drop(w);
	return mss;
}

#define SYN_WITH(...) \
	syn_with(w, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void unknown_options(struct wt *w)
{
	EQ(SYN_WITH(200, 6, 1, 2, 3, 4, 2, 4, 3, 232), 1000);
	EQ(SYN_WITH(99, 2, 2, 4, 3, 232), 1000);
	EQ(SYN_WITH(2, 4, 3, 232, 77, 3, 0), 1000);
}

static void unaligned_options(struct wt *w)
{
	EQ(SYN_WITH(1, 2, 4, 3, 232, 1, 1), 1000);
	EQ(SYN_WITH(1, 1, 1, 2, 4, 3, 232), 1000);
	EQ(SYN_WITH(3, 3, 2, 2, 4, 3, 232), 1000);
}

static void end_of_options(struct wt *w)
{
	EQ(SYN_WITH(2, 4, 3, 232, 0, 2, 4, 2, 24), 1000); /* what follows EOL is padding */
	EQ(SYN_WITH(0, 2, 4, 3, 232), wt_mss_default());
}

static void illegal_lengths(struct wt *w)
{
	EQ(SYN_WITH(200, 0, 2, 4, 3, 232), wt_mss_default());
	EQ(SYN_WITH(200, 1, 2, 4, 3, 232), wt_mss_default());
	EQ(SYN_WITH(200, 50, 2, 4, 3, 232), wt_mss_default());
	EQ(SYN_WITH(2, 4, 3, 232, 8, 0), 1000);
	SYN_WITH(2, 3, 5);
	SYN_WITH(2, 0);
	SYN_WITH(2);
	SYN_WITH(3, 2);
	SYN_WITH(3, 200);
	SYN_WITH(4, 3, 1);
	SYN_WITH(8, 9, 1, 2, 3, 4, 5, 6, 7);
	SYN_WITH(8);
	SYN_WITH(5, 9, 1, 2, 3, 4, 5, 6, 7);
	SYN_WITH(1, 1, 1, 1, 1, 1, 1, 254);
}

static void options_in_any_segment(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10,
	       .raw = (uint8_t[]){2, 4, 0, 64, 3, 3, 14, 4, 2, 200, 3, 1}, .raw_len = 12);
	wt_read(w, 10);
	wt_send(w, 1460);
	EXPECT(.flags = PA, .seq = 1, .ack = 11, .len = 1460); /* MSS outside SYN means nothing */
	INJECT(.flags = A, .seq = 11, .ack = 1461, .raw = (uint8_t[]){5, 0, 0, 0}, .raw_len = 4);
	EQ(wt_info(w).tcpi_unacked, 0);
}

static void sack_option_lengths(struct wt *w)
{
	w->peer.sackok = true;
	wt_established(w);
	wt_send(w, 2920);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .raw = (uint8_t[]){5, 2, 1, 1}, .raw_len = 4);
	INJECT(.flags = A, .seq = 1, .ack = 1,
	       .raw = (uint8_t[]){5, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0}, .raw_len = 12);
	INJECT(.flags = A, .seq = 1, .ack = 1, .raw = (uint8_t[40]){5, 40, 1}, .raw_len = 40);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 2921);
	EQ(wt_info(w).tcpi_unacked, 0);
}

static void bad_checksum(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .bad_cksum = true);
	NOTHING(1000);
	EQ(wt_count(w, PC_DROP_TCP_CHECKSUM), 1);
	INJECT(.flags = R, .seq = 1, .bad_cksum = true);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
}

/* A correct data segment, to be damaged. */
static struct frame data_frame(struct wt *w, uint32_t len)
{
	const struct frame_ends e = wt_ends(w);
	static uint8_t zero[1460];
	struct tcp_seg t = {.sport = w->flow.pport,
	                    .dport = w->flow.lport,
	                    .seq = w->flow.irs + 1,
	                    .ack = w->flow.iss + 1,
	                    .flags = PA,
	                    .wnd = 1000,
	                    .len = len};
	struct frame f;

	frame_tcp(&f, &e, &t, zero, NULL, 0);
	return f;
}

/* Recomputes the TCP checksum over what the IP header says is there. */
static void fix_tcp(struct wt *w, struct frame *f)
{
	const struct frame_ends e = wt_ends(w);
	uint16_t len = (uint16_t)(f->len - 34), sum;

	f->b[50] = f->b[51] = 0;
	sum = frame_fold(frame_sum(f->b + 34, len, frame_l4_sum(e.src_be, e.dst_be, 6, len)));
	f->b[50] = (uint8_t)(sum >> 8);
	f->b[51] = (uint8_t)sum;
}

static void data_offset(struct wt *w)
{
	struct frame f;

	wt_established(w);
	for (unsigned words = 0; words < 16; words++) {
		f = data_frame(w, 8);
		f.b[46] = (uint8_t)(words << 4);
		fix_tcp(w, &f);
		if (words >= 5 && words <= 7)
			continue;
		wt_inject_frame(w, &f);
	}
	NOTHING(1000);
	EQ(wt_count(w, PC_DROP_TCP_OFFSET), 13);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), EAGAIN);
}

static void reserved_bits(struct wt *w)
{
	struct frame f;

	wt_established(w);
	f = data_frame(w, 8);
	f.b[46] |= 0x0f;
	fix_tcp(w, &f);
	wt_inject_frame(w, &f);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 9);
}

static void truncated(struct wt *w)
{
	struct frame f;

	wt_established(w);
	for (uint16_t len = 0; len < 34 + 20 + 8; len++) {
		f = data_frame(w, 8);
		f.len = len;
		wt_inject_frame(w, &f); /* the IP total length now lies */
	}
	for (uint16_t l4 = 0; l4 < 20; l4++) {
		f = data_frame(w, 8);
		f.b[16] = 0;
		f.b[17] = (uint8_t)(20 + l4);
		frame_fix_ip4(&f);
		f.len = (uint16_t)(34 + l4);
		wt_inject_frame(w, &f); /* a TCP header cut short */
	}
	NOTHING(1000);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), EAGAIN);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_read(w, 10);
	wt_drop(w);
}

static void padded(struct wt *w)
{
	struct frame f;

	wt_established(w);
	f = data_frame(w, 1);
	memset(f.b + f.len, 0xee, 20);
	f.len = (uint16_t)(f.len + 20); /* Ethernet padding is no payload */
	wt_inject_frame(w, &f);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 2);
}

static void ports_zero(struct wt *w)
{
	struct frame f;

	wt_established(w);
	f = data_frame(w, 8);
	f.b[34] = f.b[35] = 0;
	fix_tcp(w, &f);
	wt_inject_frame(w, &f);
	f = data_frame(w, 8);
	f.b[36] = f.b[37] = 0;
	fix_tcp(w, &f);
	wt_inject_frame(w, &f);
	NOTHING(1000);
	EQ(wt_count(w, PC_DROP_TCP_PORT_ZERO), 2);
}

/* xorshift: the same frames each time. */
static uint32_t next_random(uint32_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 17;
	*s ^= *s << 5;
	return *s;
}

static void random_damage(struct wt *w)
{
	uint32_t s = 2463534242u;

	wt_established(w);
	for (unsigned i = 0; i < 20000; i++) {
		struct frame f = data_frame(w, next_random(&s) % 64);
		unsigned n = 1 + next_random(&s) % 6;

		for (unsigned k = 0; k < n; k++)
			f.b[next_random(&s) % f.len] = (uint8_t)next_random(&s);
		if (next_random(&s) % 2)
			fix_tcp(w, &f);
		if (next_random(&s) % 2)
			frame_fix_ip4(&f);
		if (next_random(&s) % 8 == 0)
			f.len = (uint16_t)(next_random(&s) % f.len);
		wt_queue_frame(w, &f);
		if (i % 100 != 99)
			continue;
		wt_settle(w);
		while (probe_sent(w->probe) != NULL)
			probe_take(w->probe);
	}
}

static void random_segments(struct wt *w)
{
	uint32_t s = 88675123u;

	wt_established(w);
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t r = next_random(&s);

		INJECT(.flags = (uint8_t)(next_random(&s) & (i % 16 == 0 ? 0x3f : 0x38)),
		       .seq = r % 4000 - 1000, .ack = next_random(&s) % 4 == 0 ? r % 3000 : 1,
		       .len = next_random(&s) % 300, .wnd = (int32_t)(next_random(&s) % 65536));
		while (probe_sent(w->probe) != NULL)
			probe_take(w->probe);
		if (i % 500 == 499) { /* another victim */
			pc_close(w->st, w->flow.fd);
			wt_settle(w);
			INJECT(.flags = R, .seq = 1);
			wt_pass(w, 400000);
			while (probe_sent(w->probe) != NULL)
				probe_take(w->probe);
			wt_flow(w);
			wt_syn_received(w);
			INJECT(.flags = A, .seq = 1, .ack = 1);
			wt_accept(w);
		}
	}
}

static const struct wt_case cases[] = {
    {"RFC 9293 MUST-6: unknown options are skipped", unknown_options},
    {"RFC 9293 MUST-64: options begin at any byte", unaligned_options},
    {"RFC 9293 3.1: nothing follows EOL", end_of_options},
    {"RFC 9293 MUST-7: illegal option lengths do no harm", illegal_lengths},
    {"RFC 9293 MUST-5: options in any segment", options_in_any_segment},
    {"RFC 2018 3: illegal lengths of SACK", sack_option_lengths},
    {"RFC 9293 MUST-3: a wrong checksum has no effect", bad_checksum},
    {"RFC 9293 3.1: data offset below 5 or beyond the segment", data_offset},
    {"RFC 9293 3.1: reserved bits are ignored", reserved_bits},
    {"RFC 1122 3.2.1.1: truncated frames", truncated},
    {"RFC 894: padding is not payload", padded},
    {"port 0 is nobody's", ports_zero},
    {"20000 damaged frames", random_damage},
    {"20000 senseless segments", random_segments},
};

WT_MAIN("malformed")
