/* SPDX-License-Identifier: BSD-2-Clause */
#include "null_http.h"

#include <stdio.h>
#include <string.h>

#include <rte_byteorder.h>

#define BODY_LEN 512

void null_http_init(struct null_http *h)
{
	const int n = snprintf((char *)h->bytes, NULL_HTTP_MAX,
	                       "HTTP/1.1 200 OK\r\n"
	                       "Server: percore\r\n"
	                       "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
	                       "Content-Type: application/octet-stream\r\n"
	                       "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
	                       "ETag: \"2ebc9e51-200\"\r\n"
	                       "Accept-Ranges: bytes\r\n"
	                       "Content-Length: %d\r\n\r\n",
	                       BODY_LEN);

	memset(h->bytes + n, 'x', BODY_LEN);
	h->len = (uint32_t)n + BODY_LEN;
	for (uint32_t i = h->len; i < sizeof(h->bytes); i++)
		h->bytes[i] = h->bytes[i - h->len];
	for (uint32_t i = 0; i < sizeof(h->bytes); i++)
		h->sums[i + 1] = h->sums[i] + ((uint32_t)h->bytes[i] << (i % 2 * 8));
}

/* The sum, for the Internet checksum, of len bytes of the responses. */
static uint32_t sum_of(const struct null_http *h, uint32_t at, uint32_t len)
{
	const uint32_t sum = stream_fold(h->sums[at + len] - h->sums[at]);

	return at % 2 == 0 ? sum : (sum & 0xff) << 8 | sum >> 8;
}

static uint32_t *base_of(struct null_http *h, const struct null_view *v)
{
	const uint8_t *last = v->addresses + v->address_len - 1; /* of the client's address */

	return &h->base[(rte_be_to_cpu_16(v->in.tcp->src_port) + *last * 4099u) % NULL_HTTP_CONNS];
}

/* How many bytes a request has that data begins with; all, if it has no end. */
static uint32_t request_len(const uint8_t *data, uint32_t len)
{
	const uint8_t *end = memmem(data, len, "\r\n\r\n", 4);

	return end != NULL ? (uint32_t)(end - data) + 4 : len;
}

/* Sends len bytes of responses, of which the first is whole, in full segments. */
static void send_responses(struct load *l, const struct null_http *h, const struct null_head *head,
                           uint32_t seq, uint32_t len)
{
	/* own_mss is for IPv4, as null has no address of its own */
	const uint32_t more = head->tcp_at - (uint32_t)WIRE_TCP + (head->times ? WIRE_OPTIONS : 0);
	const uint32_t mss = l->own_mss - more;

	for (uint32_t at = 0, n; at < len; at += n) {
		n = RTE_MIN(len - at, mss);
		null_send(l, head, seq + at, RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG, h->bytes + at, n,
		          sum_of(h, at, n));
	}
}

bool null_http_input(struct load *l, struct null_http *h, const struct null_view *v)
{
	const struct segment *in = &v->in;
	const bool fin = (in->flags & RTE_TCP_FIN_FLAG) != 0;
	uint32_t *base = base_of(h, v), each, seq = in->ack, n;
	struct null_head head;

	if ((in->flags & RTE_TCP_SYN_FLAG) != 0)
		*base = in->seq + 1;
	if ((in->flags & (RTE_TCP_SYN_FLAG | RTE_TCP_RST_FLAG)) != 0)
		return false; /* the former is sent back */
	if (in->len == 0 && !fin)
		return true;
	null_head_make(l, &head, v, in->seq + in->len + fin, in->options >= WIRE_OPTIONS);
	if (in->len > 0) {
		each = request_len(in->data, in->len);
		n = RTE_MIN(in->len / each, NULL_HTTP_RUN);
		seq = *base + (in->seq - *base) / each * h->len;
		send_responses(l, h, &head, seq, n * h->len);
		seq += n * h->len;
	}
	if (fin)
		null_send(l, &head, seq, RTE_TCP_ACK_FLAG | RTE_TCP_FIN_FLAG, h->bytes, 0, 0);
	return true;
}
