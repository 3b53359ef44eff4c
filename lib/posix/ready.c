/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is ready on a socket, as Linux's tcp_poll() and udp_poll() report it, read from shared
 * memory.
 *
 * Flags are read before positions: the lcore writes the bytes first, and then the flag that they
 * were the last.
 */
#include "posix/client.h"
#include "posix/reader.h"
#include "posix/sock.h"
#include "posix/wait.h"

#define READ_BITS  (EPOLLIN | EPOLLRDNORM)
#define WRITE_BITS (EPOLLOUT | EPOLLWRNORM)

uint64_t part_bytes(uint32_t part)
{
	const struct chan_sock *s = chan_sock(client.chan, part);

	if (at_load(&s->state) == CHAN_LISTEN)
		return word_count(&s->accepted);
	return at_load_sc(&s->rx.head) - at_load(&s->rx.tail);
}

static bool any_part_bytes(uint32_t sock)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	uint32_t n = sock_parts(s);

	for (uint32_t i = 0; i < n; i++)
		if (part_bytes(s->part[i]) > 0)
			return true;
	return n == 0 && part_bytes(sock) > 0;
}

/* As on Linux, a third has to be free; otherwise the lcore is asked to report when it is. */
static bool has_room(uint32_t sock, bool want_out)
{
	struct fifo tx = chan_tx(client.chan, sock);

	if (fifo_pending(&tx) <= tx.size / 3 * 2)
		return true;
	if (!want_out)
		return false;
	at_store_sc(&chan_sock(client.chan, sock)->tx_want, 1);
	return at_load_sc(&tx.pos->head) - at_load_sc(&tx.pos->tail) <= tx.size / 3 * 2;
}

static uint32_t shut_bits(uint32_t flags)
{
	const bool rx = flags & (CHAN_RX_END | CHAN_RX_SHUT), tx = flags & CHAN_TX_SHUT;

	return (rx ? READ_BITS | EPOLLRDHUP : 0) | (rx && tx ? (uint32_t)EPOLLHUP : 0);
}

/* SO_RCVLOWAT less one, limited to half of the fifo. */
static uint64_t least_bytes(uint32_t sock)
{
	const uint32_t lowat = at_load(&chan_sock(client.chan, sock)->rcvlowat);
	uint32_t most;

	if (lowat == 0)
		return 0;
	most = chan_rx(client.chan, sock).size / 2;
	return lowat < most ? lowat : most;
}

static uint32_t stream_ready(uint32_t sock, bool want_out)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	uint32_t flags = at_load(&s->flags), state = at_load(&s->state), mask = shut_bits(flags);

	if (state == CHAN_CONNECTING)
		return mask;
	if (flags & CHAN_HUP)
		mask |= EPOLLHUP;
	if (part_bytes(sock) > least_bytes(sock) + oob_look(s, 0).hole)
		mask |= READ_BITS;
	if (oob_is_told(s))
		mask |= EPOLLPRI;
	if ((flags & CHAN_TX_SHUT) || has_room(sock, want_out))
		mask |= WRITE_BITS;
	return mask;
}

/* Whether an error queue is not empty. */
static bool any_part_reports(uint32_t sock)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	const uint32_t n = sock_parts(s);

	for (uint32_t i = 0; i < n; i++)
		if (at_load(&chan_sock(client.chan, s->part[i])->flags) & CHAN_REPORTS)
			return true;
	return n == 0 && (at_load(&s->flags) & CHAN_REPORTS) != 0;
}

static uint32_t dgram_ready(uint32_t sock, bool want_out)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	uint32_t mask = shut_bits(at_load(&s->flags));

	if (any_part_reports(sock))
		mask |= EPOLLERR;
	if (any_part_bytes(sock))
		mask |= READ_BITS;
	if (has_room(sock, want_out))
		mask |= WRITE_BITS;
	return mask;
}

uint32_t sock_ready(uint32_t sock, bool want_out)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	uint32_t error = at_load_sc(&s->error) != 0 ? EPOLLERR : 0;

	if (client_is_down())
		return EPOLLERR | EPOLLHUP | READ_BITS | WRITE_BITS;
	if (at_load(&s->state) == CHAN_LISTEN)
		return any_part_bytes(sock) ? READ_BITS : 0; /* no error, as on Linux */
	if (told_waits(s))
		error |= EPOLLERR;
	return error | (s->type == CHAN_STREAM ? stream_ready(sock, want_out)
	                                       : dgram_ready(sock, want_out));
}
