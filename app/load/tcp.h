/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_TCP_H
#define LOAD_TCP_H

/*
 * Many TCP clients in little memory: sending, opening and closing; tcp_in.c has the receiving side,
 * tcp_timers.c the timeouts.
 */

#include "load.h"
#include "parties.h"
#include "ranges.h"

#define CLIENT_SACKS_MAX 4u /* SACK blocks of an acknowledgement; one less with timestamps */

/** client_address returns the address of a connection, host byte order. */
static inline uint32_t client_address(const struct load *l, uint32_t i)
{
	return l->wire.first + (i >> l->port_bits);
}

/** client_port returns its port. */
static inline uint16_t client_port(const struct load *l, uint32_t i)
{
	return (uint16_t)(l->wire.first_port + (i & ((1u << l->port_bits) - 1)));
}

/**
 * client_find returns the connection of an address and port (host byte order); UINT32_MAX: none.
 */
static inline uint32_t client_find(const struct load *l, uint32_t address, uint16_t port)
{
	uint32_t host = address - l->wire.first, low = (uint32_t)port - l->wire.first_port;

	if (unlikely(low >> l->port_bits != 0 || host > (l->nb_clients - 1) >> l->port_bits))
		return UINT32_MAX;
	low |= host << l->port_bits;
	return low < l->nb_clients ? low : UINT32_MAX;
}

/** client_waits says whether a connection has an unanswered request. */
static inline bool client_waits(const struct client *c)
{
	return c->nxt != c->mark;
}

/** client_offers_sack says whether a connection's SYN permits SACK. */
static inline bool client_offers_sack(const struct load *l, uint32_t i)
{
	return l->config->sack != 0 && (l->receivers != NULL || l->senders != NULL) &&
	       !is_slow(l, i);
}

/**
 * client_hears records that a connection has received some of what it waits for; all it sent is
 * acknowledged.
 */
static inline void client_hears(const struct load *l, struct client *c)
{
	c->tick = l->tick % CLIENT_TICKS;
	c->tries = 0;
}

/** client_request returns the length of the request that begins at seq. */
static inline uint32_t client_request(const struct load *l, uint32_t seq)
{
	return likely(l->sizes == NULL) ? l->request : sizes_at(l->sizes, seq);
}

/** client_send_data sends len bytes of the stream from seq on. */
void client_send_data(struct load *l, const struct client *c, uint32_t i, uint32_t seq,
                      uint8_t flags, uint32_t len);

/** client_send_bare sends a segment without data. */
void client_send_bare(struct load *l, const struct client *c, uint32_t i, uint32_t seq,
                      uint8_t flags);

/** client_send_syn sends or retransmits a SYN. */
void client_send_syn(struct load *l, const struct client *c, uint32_t i);

/** client_send_sacks sends an acknowledgement with n blocks of SACK. */
void client_send_sacks(struct load *l, const struct client *c, uint32_t i,
                       const struct range *blocks, uint32_t n);

/**
 * client_send_requests sends what the window and the depth allow, at least one segment if force.
 */
bool client_send_requests(struct load *l, struct client *c, uint32_t i, bool force);

/** client_ask sends one request if none is in flight. Returns whether it did. */
bool client_ask(struct load *l, uint32_t i);

/** client_open sends a SYN. */
void client_open(struct load *l, uint32_t i);

/** client_close sends a FIN. */
void client_close(struct load *l, struct client *c, uint32_t i);

/** client_reset sends a RST and forgets the connection. */
void client_reset(struct load *l, struct client *c, uint32_t i);

/** client_leave changes the state and updates the counts of connections by state. */
void client_leave(struct load *l, struct client *c, enum client_state state);

/** client_rewind goes back to the oldest unacknowledged byte and retransmits from there. */
void client_rewind(struct load *l, struct client *c, uint32_t i);

/** client_input handles a received burst. */
void client_input(struct load *l, struct rte_mbuf **pkts, unsigned n);

/** client_acknowledge sends the pending acknowledgements that no request has carried. */
void client_acknowledge(struct load *l);

/** client_timers checks the share of the table that is due after elapsed_ns. */
void client_timers(struct load *l, uint64_t elapsed_ns);

/** client_settled goes on scanning the table, and says whether no connection waits any more. */
bool client_settled(struct load *l);

/** client_judge counts the connections that still wait as stuck. */
void client_judge(struct load *l);

/** client_make_table makes a table of closed connections. Returns 0, or -1 with a line in why. */
int client_make_table(struct load *l, char *why, size_t why_len);

/** client_free frees the table. */
void client_free(struct load *l);

#endif
