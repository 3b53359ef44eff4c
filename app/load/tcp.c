/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: what the clients send.  A segment is a copy of a template; its checksum is combined
 * from precomputed sums.  After a loss, a connection goes back to its oldest unacknowledged byte
 * and retransmits everything from there: simple, and enough for requests; mend.c is for streams.
 */
#include "tcp.h"

#include <string.h>
#include <sys/mman.h>

#include <rte_byteorder.h>

#include "early.h"
#include "mend.h"
#include "slow.h"

#define DEFAULT_MSS     536u /* RFC 9293 3.7.1 */
#define SYN_OPTIONS_MAX 40u

/*
 * Copies the template and fills in the IP header for tcp_len bytes after it; *sum becomes the sum
 * of the constant parts of the TCP header, and of its pseudo header.
 */
static inline struct rte_tcp_hdr *put_ip4(const struct load *l, uint8_t *frame, uint32_t i,
                                          uint32_t tcp_len, uint32_t *sum)
{
	struct wire_head *h = (struct wire_head *)frame;
	uint32_t source = rte_cpu_to_be_32(client_address(l, i));

	memcpy(h, &l->wire.head, sizeof(*h));
	h->ip.src_addr = source;
	h->ip.total_length = rte_cpu_to_be_16((uint16_t)(sizeof(h->ip) + tcp_len));
	h->ip.hdr_checksum = (uint16_t)~stream_fold((uint64_t)l->wire.ip_sum +
	                                            wire_sum_words(source) + h->ip.total_length);
	*sum = l->wire.tcp_sum + wire_sum_words(source) + rte_cpu_to_be_16((uint16_t)tcp_len);
	return (struct rte_tcp_hdr *)(frame + WIRE_TCP);
}

static inline struct rte_tcp_hdr *put_ip6(const struct load *l, uint8_t *frame, uint32_t i,
                                          uint32_t tcp_len, uint32_t *sum)
{
	struct wire_head6 *h = (struct wire_head6 *)frame;
	uint32_t source = rte_cpu_to_be_32(client_address(l, i));

	memcpy(h, &l->wire.head6, sizeof(*h));
	wire_set_low(&h->ip.src_addr, source);
	h->ip.payload_len = rte_cpu_to_be_16((uint16_t)tcp_len);
	*sum = l->wire.tcp_sum + wire_sum_words(source) + rte_cpu_to_be_16((uint16_t)tcp_len);
	return (struct rte_tcp_hdr *)(frame + WIRE6_TCP);
}

static inline struct rte_tcp_hdr *put_tcp_ip(const struct load *l, uint8_t *frame, uint32_t i,
                                             uint32_t tcp_len, uint32_t *sum)
{
	return likely(!l->wire.ip6) ? put_ip4(l, frame, i, tcp_len, sum)
	                            : put_ip6(l, frame, i, tcp_len, sum);
}

/* Fills in the headers of a segment with len bytes of data, whose sum is data_sum. */
static inline void fill_head(struct load *l, uint8_t *frame, const struct client *c, uint32_t i,
                             uint32_t seq, uint8_t flags, uint32_t len, uint32_t data_sum)
{
	const struct wire *w = &l->wire;
	uint32_t sum, times[2];
	struct rte_tcp_hdr *tcp = put_tcp_ip(l, frame, i, w->len - w->tcp_at + len, &sum);

	tcp->src_port = rte_cpu_to_be_16(client_port(l, i));
	tcp->sent_seq = rte_cpu_to_be_32(seq);
	tcp->recv_ack = rte_cpu_to_be_32(c->rcv);
	tcp->tcp_flags = flags;
	if (unlikely(l->receivers != NULL))
		l->receivers[i].told = c->rcv;
	sum += data_sum + tcp->src_port + wire_sum_words(tcp->sent_seq) +
	       wire_sum_words(tcp->recv_ack) + ((uint32_t)flags << 8);
	if (w->timestamps) {
		times[0] = rte_cpu_to_be_32(w->time);
		times[1] = rte_cpu_to_be_32(c->peer_time);
		memcpy((uint8_t *)(tcp + 1) + 4, times, sizeof(times));
		sum += wire_sum_words(times[0]) + wire_sum_words(times[1]);
	}
	if (is_slow(l, i)) {
		sum += 0xffffu ^ tcp->rx_win;
		tcp->rx_win = rte_cpu_to_be_16(slow_window(l, c, i));
		sum += tcp->rx_win;
	}
	tcp->cksum = (uint16_t)~stream_fold(sum);
}

void client_send_data(struct load *l, const struct client *c, uint32_t i, uint32_t seq,
                      uint8_t flags, uint32_t len)
{
	struct rte_mbuf *m = out_mbuf(&l->out);
	uint8_t *frame;

	if (unlikely(m == NULL))
		return;
	frame = rte_pktmbuf_mtod(m, uint8_t *);
	fill_head(l, frame, c, i, seq, flags, len, stream_sum(&l->stream, seq, len));
	memcpy(frame + l->wire.len, stream_at(&l->stream, seq), len);
	out_push(&l->out, m, l->wire.len + len);
}

void client_send_bare(struct load *l, const struct client *c, uint32_t i, uint32_t seq,
                      uint8_t flags)
{
	struct rte_mbuf *m = out_mbuf(&l->out);

	if (unlikely(m == NULL))
		return;
	fill_head(l, rte_pktmbuf_mtod(m, uint8_t *), c, i, seq, flags, 0, 0);
	out_push(&l->out, m, l->wire.len);
}

static uint16_t client_sum(const struct load *l, const uint8_t *frame,
                           const struct rte_tcp_hdr *tcp, uint32_t len)
{
	if (l->wire.ip6)
		return wire_l4_sum6((const struct rte_ipv6_hdr *)(frame + WIRE_IP), tcp, len);
	return wire_l4_sum((const struct rte_ipv4_hdr *)(frame + WIRE_IP), tcp, len);
}

void client_send_sacks(struct load *l, const struct client *c, uint32_t i,
                       const struct range *blocks, uint32_t n)
{
	struct rte_mbuf *m = out_mbuf(&l->out);
	uint8_t *frame, *p;
	struct rte_tcp_hdr *tcp;
	uint32_t len = n > 0 ? 4 + 8 * n : 0, tcp_len = l->wire.len - l->wire.tcp_at + len;

	if (m == NULL)
		return;
	frame = rte_pktmbuf_mtod(m, uint8_t *);
	fill_head(l, frame, c, i, c->nxt, RTE_TCP_ACK_FLAG, len, 0);
	tcp = (struct rte_tcp_hdr *)(frame + l->wire.tcp_at);
	tcp->data_off = (uint8_t)(tcp_len / 4 << 4);
	p = frame + l->wire.len;
	if (n > 0)
		memcpy(p, (const uint8_t[]){1, 1, 5, (uint8_t)(len - 2)}, 4);
	for (p += 4; n > 0; n--, blocks++, p += 8) {
		const uint32_t edges[2] = {rte_cpu_to_be_32(blocks->from),
		                           rte_cpu_to_be_32(blocks->to)};

		memcpy(p, edges, sizeof(edges));
	}
	tcp->cksum = 0;
	tcp->cksum = client_sum(l, frame, tcp, tcp_len);
	out_push(&l->out, m, l->wire.len + len);
}

/* Writes the options of a SYN. Returns their length, a multiple of 4. */
static uint32_t put_options(const struct load *l, uint8_t *p, bool sack)
{
	const struct load_config *config = l->config;
	const uint8_t *start = p;
	uint32_t time = rte_cpu_to_be_32(l->wire.time);

	*p++ = 2;
	*p++ = 4;
	*p++ = (uint8_t)(l->own_mss >> 8);
	*p++ = (uint8_t)l->own_mss;
	if (l->scale < 15) {
		*p++ = 1;
		*p++ = 3;
		*p++ = 3;
		*p++ = (uint8_t)l->scale;
	}
	if (config->timestamps || sack) {
		*p++ = sack ? 4 : 1;
		*p++ = sack ? 2 : 1;
	}
	if (config->timestamps) {
		*p++ = 8;
		*p++ = 10;
		memcpy(p, &time, sizeof(time));
		memset(p + 4, 0, 4);
		p += 8;
	} else if (sack) {
		*p++ = 1;
		*p++ = 1;
	}
	return (uint32_t)(p - start);
}

void client_send_syn(struct load *l, const struct client *c, uint32_t i)
{
	struct rte_mbuf *m = out_mbuf(&l->out);
	uint8_t options[SYN_OPTIONS_MAX];
	struct rte_tcp_hdr *tcp;
	uint32_t len, sum;

	if (m == NULL)
		return;
	len = put_options(l, options, client_offers_sack(l, i));
	tcp = put_tcp_ip(l, rte_pktmbuf_mtod(m, uint8_t *), i, (uint32_t)sizeof(*tcp) + len, &sum);
	memcpy(tcp + 1, options, len);
	len += (uint32_t)sizeof(*tcp);
	tcp->src_port = rte_cpu_to_be_16(client_port(l, i));
	tcp->sent_seq = rte_cpu_to_be_32(c->una);
	tcp->recv_ack = 0;
	tcp->tcp_flags = RTE_TCP_SYN_FLAG;
	tcp->data_off = (uint8_t)(len / 4 << 4);
	if (is_slow(l, i))
		tcp->rx_win = rte_cpu_to_be_16((uint16_t)slow_syn_window(l));
	tcp->cksum = 0;
	tcp->cksum = client_sum(l, rte_pktmbuf_mtod(m, uint8_t *), tcp, len);
	out_push(&l->out, m, l->wire.tcp_at + len);
}

void client_open(struct load *l, uint32_t i)
{
	struct client *c = &l->clients[i];
	/* the server accepts a connection that it still has in TIME-WAIT if the ISN has grown: it
	 * grows with time (RFC 9293 3.4.1), in steps that keep the stream's phase where needed */
	uint32_t iss = (l->stamp + i * 2654435761u);

	if (l->talk->learns)
		iss = (iss & ~l->stream.mask) - 1;
	*c = (struct client){
	    .una = iss, .nxt = iss + 1, .stamp = l->stamp, .state = CLIENT_SYN_SENT};
	c->tick = l->tick % CLIENT_TICKS;
	l->pending++;
	l->active++;
	client_send_syn(l, c, i);
}

void client_leave(struct load *l, struct client *c, enum client_state state)
{
	const bool was_gone = client_is_gone(c);

	if (c->state == CLIENT_SYN_SENT)
		l->pending--;
	else if (c->state == CLIENT_OPEN)
		l->established--;
	c->state = state & 7;
	if (!was_gone && client_is_gone(c))
		l->active--;
	if (l->receivers != NULL && state != CLIENT_OPEN)
		early_forget(l, (uint32_t)(c - l->clients));
	if (l->senders != NULL && state != CLIENT_OPEN)
		mend_forget(l, (uint32_t)(c - l->clients));
}

void client_close(struct load *l, struct client *c, uint32_t i)
{
	client_send_bare(l, c, i, c->nxt, RTE_TCP_FIN_FLAG | RTE_TCP_ACK_FLAG);
	c->nxt++;
	c->tick = l->tick % CLIENT_TICKS;
	client_leave(l, c, CLIENT_FIN_WAIT);
}

void client_reset(struct load *l, struct client *c, uint32_t i)
{
	client_send_bare(l, c, i, c->nxt, RTE_TCP_RST_FLAG | RTE_TCP_ACK_FLAG);
	client_leave(l, c, CLIENT_CLOSED);
}

/* The request that contains a sequence number. */
struct place {
	uint32_t number; /* of the request, counted from the oldest unanswered one, which is 1 */
	uint32_t end;    /* of that request */
};

/* Walks the requests, because their lengths differ. */
static struct place find_request(const struct load *l, const struct client *c, uint32_t seq)
{
	struct place p = {1, c->mark + client_request(l, c->mark)};

	for (; (int32_t)(seq - p.end) >= 0; p.number++)
		p.end += client_request(l, p.end);
	return p;
}

/* Returns the end of what may be sent of the requests, as far as the server's window allows. */
static inline uint32_t limit_of(const struct load *l, const struct client *c, uint32_t i)
{
	uint32_t end = c->mark;

	if (is_slow(l, i) && l->learnt)
		return end + (uint32_t)l->config->slow_ask;
	if (likely(l->sizes == NULL))
		return end + l->window;
	for (uint64_t k = 0; k < l->config->depth; k++)
		end += client_request(l, end);
	return end;
}

/*
 * Returns how many of the left bytes go into the next segment; slow readers ignore request borders.
 */
static inline uint32_t piece(const struct load *l, const struct client *c, uint32_t i,
                             uint32_t left)
{
	uint32_t into;

	if (unlikely(l->config->coalesce != 0) || is_slow(l, i))
		return RTE_MIN(left, l->peer_mss);
	if (unlikely(l->sizes != NULL)) {
		left = find_request(l, c, c->nxt).end - c->nxt;
	} else if (left > l->request) {
		into = (c->nxt - c->mark) % l->request;
		left = l->request - into;
	}
	return RTE_MIN(left, l->peer_mss);
}

/* Times one request at a time: the one that ends with the next segment, or contains it. */
static inline void begin_timing(const struct load *l, struct client *c, uint32_t len)
{
	uint32_t last = c->nxt + len - c->mark - 1, ahead;

	if (likely(l->sizes == NULL))
		ahead = last / l->request + 1;
	else
		ahead = find_request(l, c, c->mark + last).number;
	if (ahead > CLIENT_WAIT_MAX)
		return;
	c->wait = ahead & CLIENT_WAIT_MAX;
	c->stamp = l->stamp;
}

bool client_send_requests(struct load *l, struct client *c, uint32_t i, bool force)
{
	uint32_t limit = limit_of(l, c, i), window = c->una + c->wnd * CLIENT_WND_UNIT, len;
	bool sent = false;

	while ((int32_t)(limit - c->nxt) > 0) {
		len = piece(l, c, i, limit - c->nxt);
		if ((int32_t)(window - c->nxt - len) < 0 && !force)
			break;
		if (unlikely(out_backlog(&l->out) > OUT_QUEUE - 512))
			break;
		if (c->una == c->nxt)
			c->tick = l->tick % CLIENT_TICKS;
		/* in an open loop a request is timed from when it was due */
		if (c->wait == 0 && l->period_ns == 0)
			begin_timing(l, c, len);
		client_send_data(l, c, i, c->nxt, RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG, len);
		c->nxt += len;
		sent = true;
		force = false;
	}
	return sent;
}

bool client_ask(struct load *l, uint32_t i)
{
	struct client *c = &l->clients[i];

	return c->state == CLIENT_OPEN && !client_waits(c) && l->talk->send(l, c, i, false);
}

void client_rewind(struct load *l, struct client *c, uint32_t i)
{
	l->faults.retransmitted++;
	if (c->state == CLIENT_FIN_WAIT || c->state == CLIENT_LAST_ACK) {
		client_send_bare(l, c, i, c->nxt - 1, RTE_TCP_FIN_FLAG | RTE_TCP_ACK_FLAG);
		return;
	}
	if (l->senders != NULL)
		mend_forget(l, i);
	c->nxt = c->una;
	l->talk->send(l, c, i, true);
}

/* ---- memory ----------------------------------------------------------------------------------- */

/* Sets how many connections the table holds, and how many addresses they are spread over. */
static void size_table(struct load *l)
{
	const struct load_config *config = l->config;
	uint64_t n = config->conns;

	if (l->plan == &plan_connrate)
		n = config->slots > n ? config->slots : RTE_MAX(4 * n, UINT64_C(262144));
	l->nb_clients = (uint32_t)n;
	l->port_bits = 15;
	while (l->port_bits > 0 && config->sources > 0 &&
	       (n - 1) >> l->port_bits < config->sources - 1)
		l->port_bits--;
}

/* The table is in ordinary memory: hugepages are left to the server. */
static uint64_t table_bytes(const struct load *l)
{
	return RTE_ALIGN((uint64_t)l->nb_clients * sizeof(struct client), UINT64_C(2) << 20);
}

void client_free(struct load *l)
{
	munmap(l->clients, table_bytes(l));
	l->clients = NULL;
}

int client_make_table(struct load *l, char *why, size_t why_len)
{
	uint64_t bytes;

	size_table(l);
	bytes = table_bytes(l);
	l->clients = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (l->clients == MAP_FAILED) {
		l->clients = NULL;
		snprintf(why, why_len, "not enough memory for %u connections", l->nb_clients);
		return -1;
	}
	(void)madvise(l->clients, bytes, MADV_HUGEPAGE);
	memset(l->clients, 0, bytes);
	return 0;
}

static int tcp_init(struct load *l, char *why, size_t why_len)
{
	if (client_make_table(l, why, why_len) != 0)
		return -1;
	l->peer_mss = RTE_MIN(l->own_mss, DEFAULT_MSS);
	l->learnt = !l->talk->learns;
	if (slow_init(l, why, why_len) != 0 || l->talk->init(l, why, why_len) != 0)
		return -1;
	if (mend_start(l, why, why_len) != 0)
		return -1;
	return early_start(l, why, why_len); /* not before an answer is known */
}

const struct engine engine_tcp = {
    .init = tcp_init,
    .input = client_input,
    .quiet = client_acknowledge,
    .timers = client_timers,
    .settled = client_settled,
    .judge = client_judge,
    .resolves = true,
};
