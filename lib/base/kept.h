/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_KEPT_H
#define BASE_KEPT_H

/*
 * Socket options that a socket stores and returns.  Most have no effect in the stack; rcvlowat, the
 * port range and the minimum TTL do, and the socket calls use a few more.  When zeroed, all options
 * have Linux's defaults.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Bits of truths that the socket calls use. */
#define KEPT_NO_QUICKACK (UINT64_C(1) << 63) /* TCP_QUICKACK was turned off */
enum {
	KEPT_LOCKED = 1u << 6,    /* SO_LOCK_FILTER: a filter stays as it is */
	KEPT_PKTINFO = 1u << 12,  /* IP_PKTINFO: IP_PKTOPTIONS returns it */
	KEPT_TOS = 1u << 13,      /* IP_RECVTOS: likewise */
	KEPT_TTL = 1u << 14,      /* IP_RECVTTL: likewise */
	KEPT_NO_PORT = 1u << 21,  /* IP_BIND_ADDRESS_NO_PORT */
	KEPT_ZEROCOPY = 1u << 26, /* SO_ZEROCOPY: the error queue reports on MSG_ZEROCOPY */
	KEPT_INQ = 1u << 27,      /* TCP_INQ: recvmsg returns how much is left */
};

#define KEPT_OUT_OF_BAND (UINT64_C(1) << 58) /* TCP: SO_OOBINLINE is 0 */

#define KEPT_SMALL 8

/* Indexes into small of options that TCP uses (tcp/gtsm.h). */
enum {
	KEPT_MINTTL = 2,  /* IP_MINTTL */
	KEPT_MINHOPS = 5, /* IPV6_MINHOPCOUNT */
};

struct kept {
	uint64_t truths;                /* boolean options: a bit each, set if not the default */
	uint8_t small[KEPT_SMALL];      /* one-byte numbers */
	uint16_t port_first, port_last; /* IP_LOCAL_PORT_RANGE; 0: as configured */
	int32_t priority;               /* SO_PRIORITY */
	int32_t mark;                   /* SO_MARK */
	int32_t busy_poll;              /* SO_BUSY_POLL, us */
	int32_t cpu;                    /* SO_INCOMING_CPU + 1 */
	uint32_t rcvlowat;              /* SO_RCVLOWAT - 1, bytes */
	int32_t timestamping;           /* SO_TIMESTAMPING */
	int32_t tx_delay;               /* TCP_TX_DELAY, us */
};

/** kept_equal says whether two sockets have the same options. */
static inline bool kept_equal(const struct kept *a, const struct kept *b)
{
	return a->truths == b->truths && a->priority == b->priority && a->mark == b->mark &&
	       a->busy_poll == b->busy_poll && a->cpu == b->cpu && a->rcvlowat == b->rcvlowat &&
	       a->timestamping == b->timestamping && a->tx_delay == b->tx_delay &&
	       memcmp(a->small, b->small, KEPT_SMALL) == 0 && a->port_first == b->port_first &&
	       a->port_last == b->port_last;
}

/** kept_ports narrows a range of ephemeral ports to that of a socket; an end of the socket's range
 * that lies outside is ignored. */
static inline void kept_ports(const struct kept *k, uint16_t *first, uint16_t *last)
{
	const uint16_t low = *first, high = *last;

	if (k->port_first >= low && k->port_first <= high)
		*first = k->port_first;
	if (k->port_last >= low && k->port_last <= high)
		*last = k->port_last;
}

#endif
