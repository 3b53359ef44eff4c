/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a socket's reader is told besides its data: the number of unread bytes (TCP_INQ), and that
 * buffers sent with MSG_ZEROCOPY may be reused (msg_zerocopy in Linux's networking documentation).
 * SO_OOBINLINE concerns the reader, too.
 *
 * Data sent are copied to a fifo, so a buffer may be reused as soon as the call returns; the
 * notification has SO_EE_CODE_ZEROCOPY_COPIED, as on Linux where it has to copy.
 */
#include "posix/client.h"
#include "posix/reader.h"
#include "posix/sock.h"

#include <linux/errqueue.h>
#include <netinet/tcp.h>
#include <string.h>

static uint32_t bit_of_option(int level, int name)
{
	if (level == IPPROTO_TCP && name == TCP_INQ)
		return CHAN_TELL_INQ;
	if (level != SOL_SOCKET)
		return 0;
	return name == SO_ZEROCOPY ? CHAN_TELL_COPIES : name == SO_OOBINLINE ? CHAN_TELL_INLINE : 0;
}

bool told_is_option(const struct chan_sock *s, int level, int name)
{
	const uint32_t bit = bit_of_option(level, name);

	return bit == CHAN_TELL_COPIES || (bit != 0 && s->type == CHAN_STREAM);
}

int told_set(struct chan_sock *s, int level, int name, const void *value, socklen_t len)
{
	const uint32_t bit = bit_of_option(level, name);
	int on;

	if (len < sizeof(on))
		return -EINVAL;
	memcpy(&on, value, sizeof(on));
	if (on != 0 && on != 1 && bit != CHAN_TELL_INLINE)
		return -EINVAL;
	if (on)
		(void)at_or(&s->tells, bit);
	else
		(void)at_and(&s->tells, ~bit);
	return 0;
}

int told_get(const struct chan_sock *s, int level, int name)
{
	return (at_load(&s->tells) & bit_of_option(level, name)) != 0;
}

/* Stores one control message, if there is room for its header. */
static void put_told(struct msghdr *m, size_t room, int level, int type, const void *data,
                     size_t len)
{
	struct cmsghdr h = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};

	if (room < h.cmsg_len)
		m->msg_flags |= MSG_CTRUNC;
	if (room < sizeof(h))
		return;
	h.cmsg_len = h.cmsg_len < room ? h.cmsg_len : room;
	memcpy(m->msg_control, &h, sizeof(h));
	memcpy((char *)m->msg_control + sizeof(h), data, h.cmsg_len - sizeof(h));
	m->msg_controllen = CMSG_SPACE(len) < room ? CMSG_SPACE(len) : room;
}

void told_left(uint32_t sock, struct msghdr *m, size_t room)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	int left;

	if (!(at_load(&s->tells) & CHAN_TELL_INQ))
		return;
	left = (int)part_bytes(sock);
	if (left == 0 && (at_load(&s->flags) & CHAN_RX_END))
		left = 1;
	put_told(m, room, IPPROTO_TCP, TCP_CM_INQ, &left, sizeof(left));
}

void told_copied(uint32_t sock)
{
	struct chan_sock *s = chan_sock(client.chan, sock);

	if (!(at_load(&s->tells) & CHAN_TELL_COPIES))
		return;
	(void)at_add(&s->copies, 1);
	chan_kick(client.chan, client.proc, sock); /* the lcore wakes sleepers */
}

bool told_waits(const struct chan_sock *s)
{
	return at_load(&s->copies) != at_load(&s->copies_told);
}

ssize_t told_errors(uint32_t sock, struct msghdr *m, size_t room)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	const uint32_t last = at_load(&s->copies), first = at_swap(&s->copies_told, last);
	const struct {
		struct sock_extended_err ee;
		struct sockaddr_in6 none;
	} e = {.ee = {.ee_origin = SO_EE_ORIGIN_ZEROCOPY,
	              .ee_code = SO_EE_CODE_ZEROCOPY_COPIED,
	              .ee_info = first,
	              .ee_data = last - 1}};

	if (first == last)
		return -EAGAIN;
	m->msg_flags |= MSG_ERRQUEUE;
	m->msg_namelen = 0;
	put_told(
	    m, room, s->ip6 ? IPPROTO_IPV6 : IPPROTO_IP, s->ip6 ? IPV6_RECVERR : IP_RECVERR, &e,
	    sizeof(e.ee) + (s->ip6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in)));
	return 0;
}
