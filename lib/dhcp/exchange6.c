/* SPDX-License-Identifier: BSD-2-Clause */

/* Retransmits the messages of a DHCPv6 client until they are answered (RFC 8415 section 15); see
 * client6.h. */

#include <percore/port.h>
#include <percore/socket.h>
#include <rte_common.h>

#include "base/rng.h"
#include "dhcp/client6.h"

#define SERVER_PORT 547
#define CLIENT_PORT 546

/** Times of a message (section 7.6) in seconds, and how often it is sent; 0: unlimited. */
struct timing {
	uint16_t irt_s, mrt_s, mrd_s;
	uint8_t mrc;
};

static struct timing timing_of(uint8_t type)
{
	static const struct timing of[] = {
	    [DHCP6_SOLICIT] = {.irt_s = 1, .mrt_s = 3600},
	    [DHCP6_REQUEST] = {.irt_s = 1, .mrt_s = 30, .mrc = 10},
	    [DHCP6_CONFIRM] = {.irt_s = 1, .mrt_s = 4, .mrd_s = 10},
	    [DHCP6_RENEW] = {.irt_s = 10, .mrt_s = 600},
	    [DHCP6_REBIND] = {.irt_s = 10, .mrt_s = 600},
	    [DHCP6_RELEASE] = {.irt_s = 1, .mrc = 4},
	    [DHCP6_DECLINE] = {.irt_s = 1, .mrc = 4},
	    [DHCP6_INFORMATION_REQUEST] = {.irt_s = 1, .mrt_s = 3600},
	};

	return of[type];
}

/* MRT, which a server may have changed */
static uint64_t longest_ns(const struct pc_dhcp6 *d, uint8_t type)
{
	const uint32_t told_s = type == DHCP6_SOLICIT               ? d->sol_max_rt_s
	                        : type == DHCP6_INFORMATION_REQUEST ? d->inf_max_rt_s
	                                                            : 0;

	return (told_s != 0 ? told_s : timing_of(type).mrt_s) * DHCP6_SECOND_NS;
}

/* a time, randomized by a factor RAND between -0.1 and 0.1 */
static uint64_t spread(struct pc_dhcp6 *d, uint64_t ns)
{
	return ns - ns / 10 + ns / 1000 * rng_below(&d->st->ctx.rng, 201);
}

/* The first wait; for offers it is longer than IRT (section 18.2.1). */
static uint64_t first_wait(struct pc_dhcp6 *d, uint8_t type)
{
	const uint64_t irt_ns = timing_of(type).irt_s * DHCP6_SECOND_NS;

	if (type == DHCP6_SOLICIT)
		return irt_ns + irt_ns / 1000 * (1 + rng_below(&d->st->ctx.rng, 100));
	return spread(d, irt_ns);
}

static uint64_t next_wait(struct pc_dhcp6 *d, const struct exchange6 *x)
{
	const uint64_t max_ns = longest_ns(d, x->type);
	uint64_t ns;

	if (x->tries == 0)
		return first_wait(d, x->type);
	ns = x->rt_ns + spread(d, x->rt_ns);
	return max_ns != 0 && ns > max_ns ? spread(d, max_ns) : ns;
}

/* ---- sending --------------------------------------------------------------------------------- */

/* It is bound to the link-local address, so that only hosts on the link can answer. */
static int open_socket(const struct pc_dhcp6 *d)
{
	const int fd = pc_socket(d->st, AF_INET6, SOCK_DGRAM, 0), ifindex = d->port + 1, on = 1;
	struct sockaddr_in6 us = {.sin6_family = AF_INET6,
	                          .sin6_port = __builtin_bswap16(CLIENT_PORT),
	                          .sin6_scope_id = (uint32_t)ifindex};

	if (fd < 0)
		return -1;
	memcpy(us.sin6_addr.s6_addr, ip_laddr(&d->st->ip, client6_netif(d)->link_local)->b, 16);
	pc_setsockopt(d->st, fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (pc_setsockopt(d->st, fd, SOL_SOCKET, SO_BINDTOIFINDEX, &ifindex, sizeof(ifindex)) ==
	        0 &&
	    pc_bind(d->st, fd, (const struct sockaddr *)&us, sizeof(us)) == 0)
		return fd;
	pc_close(d->st, fd);
	return -1;
}

/* Sends to All_DHCP_Relay_Agents_and_Servers (section 7.1). A message that cannot be sent, for
 * example because there is no socket, is retransmitted later. */
static void send_message(struct pc_dhcp6 *d, const struct dhcp6_query *q)
{
	const struct sockaddr_in6 to = {.sin6_family = AF_INET6,
	                                .sin6_port = __builtin_bswap16(SERVER_PORT),
	                                .sin6_addr.s6_addr = {0xff, 2, [13] = 1, [15] = 2},
	                                .sin6_scope_id = (uint32_t)d->port + 1};
	uint8_t msg[DHCP6_QUERY_MAX];

	if (d->fd < 0)
		d->fd = open_socket(d);
	if (d->fd >= 0)
		(void)pc_sendto(d->st, d->fd, msg, dhcp6_write(msg, &d->self, q), 0,
		                (const struct sockaddr *)&to, sizeof(to));
}

void exchange6_begin(struct pc_dhcp6 *d, struct exchange6 *x, enum dhcp6_type type)
{
	*x = (struct exchange6){.type = (uint8_t)type,
	                        .xid = (uint32_t)rng_next(&d->st->ctx.rng) & 0xffffff,
	                        .begin_ns = d->now_ns};
}

bool exchange6_next(struct pc_dhcp6 *d, struct exchange6 *x, struct dhcp6_query *q)
{
	const struct timing t = timing_of(x->type);
	const uint64_t end_ns = t.mrd_s != 0 ? x->begin_ns + t.mrd_s * DHCP6_SECOND_NS : UINT64_MAX;
	const uint64_t elapsed = (d->now_ns - x->begin_ns) / (DHCP6_SECOND_NS / 100);

	if ((t.mrc != 0 && x->tries == t.mrc) || d->now_ns >= end_ns)
		return false;
	x->rt_ns = next_wait(d, x);
	x->at_ns = RTE_MIN(d->now_ns + x->rt_ns, end_ns);
	if (x->tries < UINT8_MAX)
		x->tries++;
	q->type = x->type;
	q->xid = x->xid;
	q->elapsed = (uint16_t)RTE_MIN(elapsed, UINT64_C(0xffff));
	send_message(d, q);
	return true;
}

uint64_t exchange6_jitter(struct pc_dhcp6 *d)
{
	return rng_below(&d->st->ctx.rng, 1000) * (DHCP6_SECOND_NS / 1000);
}
