/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_KEPT_H
#define BASE_KEPT_H

/*
 * Socket options that a socket stores and returns.  Most have no effect in the stack: rcvlowat, the
 * range of ports and the minimum TTL do, and the calls use a few more.  Zeroed: the defaults of
 * Linux.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* bits of truths that the calls go by */
#define KEPT_NO_QUICKACK (UINT64_C(1) << 63) /* TCP_QUICKACK was turned off */
enum {
	KEPT_PKTINFO = 1u << 12,  /* IP_PKTINFO: IP_PKTOPTIONS tells it */
	KEPT_TOS = 1u << 13,      /* IP_RECVTOS: so it does */
	KEPT_TTL = 1u << 14,      /* IP_RECVTTL: so it does */
	KEPT_NO_PORT = 1u << 21,  /* IP_BIND_ADDRESS_NO_PORT */
	KEPT_ZEROCOPY = 1u << 26, /* SO_ZEROCOPY: MSG_ZEROCOPY is answered in the error queue */
	KEPT_INQ = 1u << 27,      /* TCP_INQ: recvmsg tells what is left */
};

#define KEPT_OUT_OF_BAND (UINT64_C(1) << 58) /* of TCP: SO_OOBINLINE 0 */

#define KEPT_SMALL 8

/* of small, that TCP goes by (tcp/gtsm.h) */
enum {
	KEPT_MINTTL = 2,  /* IP_MINTTL */
	KEPT_MINHOPS = 5, /* IPV6_MINHOPCOUNT */
};

struct kept {
	uint64_t
	    truths; /* of options that are on or off: a bit each, set when it is not the default */
	uint8_t small[KEPT_SMALL];      /* numbers of a byte */
	uint16_t port_first, port_last; /* IP_LOCAL_PORT_RANGE; 0: as configured */
	int32_t priority;               /* SO_PRIORITY */
	int32_t mark;                   /* SO_MARK */
	int32_t busy_poll;              /* SO_BUSY_POLL, us */
	int32_t cpu;                    /* SO_INCOMING_CPU + 1 */
	uint32_t rcvlowat;              /* SO_RCVLOWAT - 1, bytes */
	int32_t timestamping;           /* SO_TIMESTAMPING */
	int32_t tx_delay;               /* TCP_TX_DELAY, us */
};

/** kept_equal says whether two sockets have the same. */
static inline bool kept_equal(const struct kept *a, const struct kept *b)
{
	return a->truths == b->truths && a->priority == b->priority && a->mark == b->mark &&
	       a->busy_poll == b->busy_poll && a->cpu == b->cpu && a->rcvlowat == b->rcvlowat &&
	       a->timestamping == b->timestamping && a->tx_delay == b->tx_delay &&
	       memcmp(a->small, b->small, KEPT_SMALL) == 0 && a->port_first == b->port_first &&
	       a->port_last == b->port_last;
}

/** kept_ports narrows a range of ephemeral ports by that of a socket; an end that lies outside of it counts for nothing. */
static inline void kept_ports(const struct kept *k, uint16_t *first, uint16_t *last)
{
	const uint16_t low = *first, high = *last;

	if (k->port_first >= low && k->port_first <= high)
		*first = k->port_first;
	if (k->port_last >= low && k->port_last <= high)
		*last = k->port_last;
}

#endif
