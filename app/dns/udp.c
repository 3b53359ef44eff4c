/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagrams.  The answer leaves from the address that was asked, whichever of ours that is: what the stack tells about
 * a datagram (IPV6_PKTINFO) goes with the answer.
 */
#include <errno.h>

#include <percore/socket.h>

#include "server.h"

#define DATAGRAMS_PER_TURN 128

static bool answer_one(struct server *s)
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
	v = (struct iovec){s->out, 0};
	/* a port 0 is nobody's */
	if (from.sin6_port == 0)
		s->counts->dns_dropped++;
	else
		v.iov_len = answer_make(&s->config->answer, s->zones, s->in, (size_t)n, false,
		                        s->out, s->counts);
	if (v.iov_len > 0 && pc_sendmsg(s->st, s->udp, &m, MSG_NOSIGNAL) < 0)
		s->counts->dns_unsent++;
	return true;
}

bool udp_serve(struct server *s)
{
	for (int i = 0; i < DATAGRAMS_PER_TURN; i++)
		if (!answer_one(s))
			return false;
	return true;
}
