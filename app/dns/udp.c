/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagrams. A response is sent from the address that the query was sent to: the control message
 * with that address (IPV6_PKTINFO) is passed back to the stack.
 */
#include <errno.h>
#include <string.h>

#include <percore/socket.h>

#include "../shared/asker.h"
#include "server.h"

#define DATAGRAMS_PER_TURN 128

static struct cookie_client sender_of(const struct server *s, const struct sockaddr_in6 *from)
{
	struct cookie_client c = {.addr_len = 16, .now_s = server_now_s(s)};

	if (IN6_IS_ADDR_V4MAPPED(&from->sin6_addr))
		c.addr_len = 4;
	memcpy(c.addr, from->sin6_addr.s6_addr + 16 - c.addr_len, c.addr_len);
	return c;
}

/* Applies dns.rrl_rate to a response. Returns its length, or 0 if it is not sent. */
static size_t limit(struct server *s, const struct sockaddr_in6 *to, struct answer *a)
{
	struct pc_addr addr;
	enum rrl_verdict v;

	if (s->rrl == NULL || a->len == 0 || a->cookie == COOKIE_GOOD)
		return a->len;
	memcpy(&addr, &to->sin6_addr, sizeof(addr));
	v = rrl_judge(s->rrl, &addr, a, s->now_ns);
	if (v == RRL_SEND)
		return a->len;
	if (v == RRL_DROP) {
		s->counts->dns_rrl_dropped++;
		return 0;
	}
	s->counts->dns_rrl_slipped++;
	if (a->kind != ANSWER_ERROR) /* that is short, and would be the same over TCP */
		answer_cut(a);
	return a->len;
}

static size_t make_answer(struct server *s, const struct sockaddr_in6 *from, size_t n)
{
	const struct answer_from how = {.client = sender_of(s, from)};
	struct answer a = {.out = s->out};

	if (!asker_is_one(ntohs(from->sin6_port))) {
		s->counts->dns_dropped++;
		return 0;
	}
	(void)answer_make(&s->config->answer, s->zones, &how, s->in, n, &a, s->counts);
	return limit(s, from, &a);
}

static bool answer_datagram(struct server *s)
{
	struct sockaddr_in6 from;
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct iovec v = {s->in, sizeof(s->in)};
	struct msghdr m = {.msg_iov = &v,
	                   .msg_iovlen = 1,
	                   .msg_name = &from,
	                   .msg_namelen = sizeof(from),
	                   .msg_control = control,
	                   .msg_controllen = sizeof(control)};
	const ssize_t n = pc_recvmsg(s->st, s->udp, &m, 0);

	if (n < 0)
		return errno != EAGAIN;
	s->counts->dns_udp++;
	v = (struct iovec){s->out, make_answer(s, &from, (size_t)n)};
	if (v.iov_len > 0 && pc_sendmsg(s->st, s->udp, &m, MSG_NOSIGNAL) < 0)
		s->counts->dns_unsent++;
	return true;
}

bool udp_serve(struct server *s)
{
	for (int i = 0; i < DATAGRAMS_PER_TURN; i++)
		if (!answer_datagram(s))
			return false;
	return true;
}
