/* SPDX-License-Identifier: BSD-2-Clause */
#include "null_source.h"

#include <string.h>

#include <rte_byteorder.h>

#define SILENT_NS (100 * UINT64_C(1000000)) /* without progress, then everything again */

/* Begins a stream by a SYN, whose options are the server's too, as it is sent back. */
static void begin_stream(const struct load *l, struct null_stream *s, const struct null_view *v)
{
	uint32_t mss = 536; /* RFC 9293 3.7.1 */
	bool times = false;

	*s = (struct null_stream){.used = true};
	s->base = s->una = s->next = s->limit = v->in.seq + 1;
	for (const uint8_t *p = wire_option(&v->in, NULL); p != NULL; p = wire_option(&v->in, p)) {
		if (p[0] == 2 && p[1] == 4)
			mss = (uint32_t)p[2] << 8 | p[3];
		else if (p[0] == 3 && p[1] == 3)
			s->scale = p[2] < 14 ? p[2] : 14;
		else if (p[0] == 8 && p[1] == 10)
			times = true;
	}
	s->mss = RTE_MIN(RTE_MAX(mss, LOAD_MSS_LEAST), l->own_mss) - (times ? WIRE_OPTIONS : 0);
	null_head_make(l, &s->head, v, s->base, times);
}

/* Sends what the window permits: full segments, shorter ones only if nothing is under way. */
static void send_more(struct load *l, struct null_stream *s)
{
	while ((int32_t)(s->limit - s->next) > 0 && out_backlog(&l->out) < OUT_HIGH) {
		const uint32_t len = RTE_MIN(s->mss, s->limit - s->next), at = s->next - s->base;

		if (len < s->mss && s->next != s->una)
			return;
		null_send(l, &s->head, s->next, RTE_TCP_ACK_FLAG, stream_at(&l->stream, at), len,
		          stream_sum(&l->stream, at, len));
		s->next += len;
	}
}

static void acknowledged(struct load *l, struct null_stream *s, const struct segment *in)
{
	if ((int32_t)(in->ack - s->una) < 0)
		return;
	if (in->ack != s->una) {
		s->una = in->ack;
		s->silent_ns = 0;
		s->dups = 0;
		if ((int32_t)(s->una - s->next) > 0)
			s->next = s->una; /* it had gone back too far */
	} else if (s->next != s->una && s->dups < 3 && ++s->dups == 3) {
		s->next = s->una; /* go-back-N */
	}
	s->limit = s->una + (in->wnd << s->scale);
	null_head_note_time(&s->head, in);
	send_more(l, s);
}

bool null_source_input(struct load *l, struct null_sources *all, const struct null_view *v)
{
	const uint32_t i = rte_be_to_cpu_16(v->in.tcp->src_port) % NULL_STREAMS;
	struct null_stream *s = &all->stream[i];

	if ((v->in.flags & RTE_TCP_SYN_FLAG) != 0) {
		begin_stream(l, s, v);
		all->end = RTE_MAX(all->end, i + 1);
		return false;
	}
	if (!s->used || !null_comes_from(v, &s->head))
		return false;
	if ((v->in.flags & (RTE_TCP_FIN_FLAG | RTE_TCP_RST_FLAG)) != 0) {
		s->used = false;
		return false;
	}
	acknowledged(l, s, &v->in);
	return true;
}

void null_source_resume(struct load *l, struct null_sources *all)
{
	for (uint32_t i = 0; i < all->end; i++)
		if (all->stream[i].used)
			send_more(l, &all->stream[i]);
}

void null_source_timers(struct load *l, struct null_sources *all, uint64_t elapsed_ns)
{
	for (uint32_t i = 0; i < all->end; i++) {
		struct null_stream *s = &all->stream[i];

		if (!s->used || s->next == s->una)
			continue;
		s->silent_ns += elapsed_ns;
		if (s->silent_ns < SILENT_NS)
			continue;
		s->silent_ns = 0;
		s->dups = 0;
		s->next = s->una;
		send_more(l, s);
	}
}
