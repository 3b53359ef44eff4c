/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of search.c that send and receive, with every call, flag and control message. */

#include "search.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/udp.h>
#include <string.h>

#define MESSAGES 3

static char bytes[70000];

/* ---- control messages to send ----------------------------------------------------------------- */

/* Room for one, aligned as the headers are. */
struct control {
	_Alignas(struct cmsghdr) char at[CMSG_SPACE(64)];
	size_t len;
};

static void fill_info4(struct world *w, void *data)
{
	static const in_addr_t from[] = {0, INADDR_LOOPBACK};
	struct in_pktinfo info = {.ipi_ifindex = search_dice(w, 4) == 0 ? 99 : 0};

	info.ipi_spec_dst.s_addr = htonl(SEARCH_PICK(w, from));
	memcpy(data, &info, sizeof(info));
}

static void fill_info6(struct world *w, void *data)
{
	struct in6_pktinfo info = {.ipi6_ifindex = search_dice(w, 4) == 0 ? 99 : 0};

	if (search_dice(w, 2) == 0)
		info.ipi6_addr = in6addr_loopback;
	else if (search_dice(w, 4) == 0)
		info.ipi6_addr.s6_addr[0] = 0x20;
	memcpy(data, &info, sizeof(info));
}

static void fill_number(struct world *w, void *data)
{
	static const int numbers[] = {0, 1, -1, 2, 64, 255, 256, 100};
	const int number = SEARCH_PICK(w, numbers);

	memcpy(data, &number, sizeof(number));
}

static const struct {
	int level, type;
	unsigned len;
	void (*fill)(struct world *w, void *data);
} controls[] = {
    {IPPROTO_IP, IP_TTL, 4, fill_number},
    {IPPROTO_IP, IP_TOS, 4, fill_number},
    {IPPROTO_IP, IP_TOS, 1, fill_number},
    {IPPROTO_IP, IP_PKTINFO, sizeof(struct in_pktinfo), fill_info4},
    {IPPROTO_IPV6, IPV6_HOPLIMIT, 4, fill_number},
    {IPPROTO_IPV6, IPV6_TCLASS, 4, fill_number},
    {IPPROTO_IPV6, IPV6_PKTINFO, sizeof(struct in6_pktinfo), fill_info6},
    {SOL_UDP, UDP_SEGMENT, 2, fill_number},
    {SOL_SOCKET, SO_MARK, 4, fill_number},
    {SOL_SOCKET, 99, 4, fill_number},
    {IPPROTO_IP, 99, 4, fill_number},
    {99, 1, 4, fill_number},
};

static void draw_control(struct world *w, struct control *c)
{
	const unsigned i = search_dice(w, sizeof(controls) / sizeof(controls[0]));
	struct cmsghdr *h = (struct cmsghdr *)c->at;

	memset(c, 0, sizeof(*c));
	*h = (struct cmsghdr){.cmsg_level = controls[i].level, .cmsg_type = controls[i].type};
	controls[i].fill(w, CMSG_DATA(h));
	h->cmsg_len = CMSG_LEN(controls[i].len);
	c->len = CMSG_SPACE(controls[i].len);
	if (search_dice(w, 12) == 0)
		h->cmsg_len += search_dice(w, 80) - 20;
	bed_log(&w->l->bed, "[%d %d %zu: ", h->cmsg_level, h->cmsg_type, h->cmsg_len);
	for (unsigned k = 0; k < controls[i].len; k++)
		bed_log(&w->l->bed, "%02x", CMSG_DATA(h)[k]);
	bed_log(&w->l->bed, "] ");
}

/* ---- sending ---------------------------------------------------------------------------------- */

static size_t draw_size(struct world *w, unsigned slot)
{
	static const size_t sizes[] = {0, 1, 2, 5, 17, 100, 100, 1000};
	static const size_t large[] = {1472, 2000, 9000, 30000, 65000};

	if (!w->stream[slot] && search_dice(w, 16) == 0)
		return SEARCH_PICK(w, large);
	return SEARCH_PICK(w, sizes);
}

/* When bytes leave that MSG_MORE holds back is another story (cork_test.c). */
static int draw_send_flags(struct world *w, unsigned slot)
{
	static const int flags[] = {0,
	                            0,
	                            0,
	                            0,
	                            0,
	                            MSG_MORE,
	                            MSG_EOR,
	                            MSG_CONFIRM,
	                            MSG_DONTWAIT,
	                            MSG_OOB,
	                            MSG_DONTROUTE,
	                            MSG_SYN,
	                            MSG_TRUNC,
	                            MSG_PEEK};
	const int f = SEARCH_PICK(w, flags);

	return (f == MSG_MORE && w->stream[slot] ? 0 : f) | MSG_NOSIGNAL;
}

/* Of several messages the kernel's later ones see what the peer says to the first, if nobody is there: here it is still
 * under way. And they go into one segment, which has one urgent byte. */
static bool may_send_several(struct world *w, unsigned slot, int flags)
{
	struct pollfd p = {.fd = w->fd[slot], .events = POLLRDHUP};

	return w->stream[slot] && !(flags & MSG_OOB) && w->l->c->poll(&p, 1, 0) == 0;
}

/* Which error comes first if there are two is not compared; ancillary data of streams is ignored here. */
static bool may_control(struct world *w, unsigned slot, int flags)
{
	struct pollfd p = {.fd = w->fd[slot]};

	return !w->stream[slot] && !w->spent[slot] && !(flags & MSG_OOB) &&
	       w->l->c->poll(&p, 1, 0) == 0;
}

static void send_messages(struct world *w, unsigned slot, int flags, union place *p, socklen_t len)
{
	struct mmsghdr m[MESSAGES];
	struct iovec v[MESSAGES][2];
	struct control c;
	const unsigned n = may_send_several(w, slot, flags) ? 1 + search_dice(w, MESSAGES) : 1;
	const bool controlled = may_control(w, slot, flags) && search_dice(w, 2) == 0;

	memset(m, 0, sizeof(m));
	if (controlled)
		draw_control(w, &c);
	for (unsigned i = 0; i < n; i++) {
		v[i][0] = (struct iovec){bytes, draw_size(w, slot) % 1400};
		v[i][1] = (struct iovec){bytes, search_dice(w, 10)};
		m[i].msg_hdr = (struct msghdr){.msg_iov = v[i], .msg_iovlen = 2};
		m[i].msg_hdr.msg_name = len > 0 ? p : NULL;
		m[i].msg_hdr.msg_namelen = len;
		m[i].msg_hdr.msg_control = controlled ? c.at : NULL;
		m[i].msg_hdr.msg_controllen = controlled ? c.len : 0;
		bed_log(&w->l->bed, "%zu+%zu ", v[i][0].iov_len, v[i][1].iov_len);
	}
	if (n == 1 && search_dice(w, 2) == 0) {
		live_log(w->l, "sendmsg", w->l->c->sendmsg(w->fd[slot], &m[0].msg_hdr, flags));
		return;
	}
	live_log(w->l, "sendmmsg", w->l->c->sendmmsg(w->fd[slot], m, n, flags));
	for (unsigned i = 0; i < n; i++)
		bed_log(&w->l->bed, " %u\n", m[i].msg_len);
}

bool search_is_mapped(const union place *p)
{
	return p->sa.sa_family == AF_INET ||
	       (p->sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&p->in6.sin6_addr));
}

/* What differs as docs/not-implemented.md says: a mapped address for a socket of AF_INET6 that is connected to another
 * address, and MSG_OOB on datagram sockets of AF_INET6. And which error comes first if there are two: here that of a
 * shutdown, of ancillary data or of a length comes before that of the other family. */
static bool is_left_out(struct world *w, unsigned slot, const union place *p, socklen_t len,
                        int flags)
{
	union place peer;
	socklen_t peer_len = sizeof(peer);
	int domain = 0;
	socklen_t domain_len = sizeof(domain);

	(void)w->l->c->getsockopt(w->fd[slot], SOL_SOCKET, SO_DOMAIN, &domain, &domain_len);
	if (w->stream[slot] || domain != AF_INET6)
		return false;
	return (flags & MSG_OOB) ||
	       (len > 0 && search_is_mapped(p) &&
	        w->l->c->getpeername(w->fd[slot], &peer.sa, &peer_len) == 0) ||
	       (len > 0 && search_is_mapped(p) && p->in.sin_port == 0) ||
	       (len > 0 && !search_is_mapped(p) &&
	        w->l->c->getsockname(w->fd[slot], &peer.sa, &peer_len) == 0 &&
	        search_is_mapped(&peer));
}

void search_bind_after_all(struct world *w, unsigned slot)
{
	union place name;
	socklen_t len = sizeof(name);

	if (w->stream[slot] || w->l->bed.host == NULL ||
	    w->l->c->getsockname(w->fd[slot], &name.sa, &len) != 0 || name.in.sin_port != 0)
		return;
	(void)w->l->c->bind(w->fd[slot], &name.sa, len);
}

void search_send(struct world *w, unsigned slot)
{
	const int flags = draw_send_flags(w, slot);
	const size_t n = draw_size(w, slot);
	const bool named =
	    !(w->spent[slot] && !w->stream[slot]) && search_dice(w, w->stream[slot] ? 10 : 2) == 0;
	union place p;
	socklen_t len = named ? search_place(w, slot, &p) : 0;

	w->spent[slot] |= !w->stream[slot] && (flags & MSG_MORE);
	if (is_left_out(w, slot, &p, len, flags)) {
		bed_log(&w->l->bed, "nothing\n");
		return;
	}

	memset(bytes, 'a' + (int)(w->stamp++ % 26), sizeof(bytes));
	bed_log(&w->l->bed, "%x ", (unsigned)flags);
	if (named)
		search_log_place(w, &p, len);
	if (search_dice(w, 3) == 0) {
		send_messages(w, slot, flags, &p, len);
		search_bind_after_all(w, slot);
		return;
	}
	bed_log(&w->l->bed, "%zu ", n);
	if (search_dice(w, 6) == 0)
		live_log(w->l, "write", w->l->c->write(w->fd[slot], bytes, n));
	else
		live_log(
		    w->l, "sendto",
		    w->l->c->sendto(w->fd[slot], bytes, n, flags, len > 0 ? &p.sa : NULL, len));
	search_bind_after_all(w, slot);
}

/* ---- control messages received ---------------------------------------------------------------- */

static void log_error(struct world *w, const void *data, size_t len)
{
	struct sock_extended_err e;
	union place from;

	if (len < sizeof(e))
		return;
	memcpy(&e, data, sizeof(e));
	bed_log(&w->l->bed, "%s %u %u %u %u %u ", bed_errno((int)e.ee_errno), e.ee_origin,
	        e.ee_type, e.ee_code, e.ee_info, e.ee_data);
	memset(&from, 0, sizeof(from));
	memcpy(&from, (const char *)data + sizeof(e),
	       len - sizeof(e) < sizeof(from) ? len - sizeof(e) : sizeof(from));
	search_log_place(w, &from, (socklen_t)(len - sizeof(e)));
}

static void log_info4(struct world *w, const void *data)
{
	struct in_pktinfo info;

	memcpy(&info, data, sizeof(info));
	bed_log(&w->l->bed, "%d ", info.ipi_ifindex);
	search_log_ip(w, AF_INET, &info.ipi_spec_dst);
	bed_log(&w->l->bed, " ");
	search_log_ip(w, AF_INET, &info.ipi_addr);
}

static void log_info6(struct world *w, const void *data)
{
	struct in6_pktinfo info;

	memcpy(&info, data, sizeof(info));
	bed_log(&w->l->bed, "%u ", info.ipi6_ifindex);
	search_log_ip(w, AF_INET6, &info.ipi6_addr);
}

static void log_control(struct world *w, const struct cmsghdr *h)
{
	const size_t len = h->cmsg_len - CMSG_LEN(0);
	const unsigned char *data = CMSG_DATA(h);
	const bool ip4 = h->cmsg_level == IPPROTO_IP, ip6 = h->cmsg_level == IPPROTO_IPV6;
	union place p;

	bed_log(&w->l->bed, "[%d %d %zu ", h->cmsg_level, h->cmsg_type, len);
	memset(&p, 0, sizeof(p));
	memcpy(&p, data, len < sizeof(p) ? len : sizeof(p));
	if ((ip4 && h->cmsg_type == IP_RECVERR) || (ip6 && h->cmsg_type == IPV6_RECVERR))
		log_error(w, data, len);
	else if (ip4 && h->cmsg_type == IP_PKTINFO && len >= sizeof(struct in_pktinfo))
		log_info4(w, data);
	else if (ip6 && h->cmsg_type == IPV6_PKTINFO && len >= sizeof(struct in6_pktinfo))
		log_info6(w, data);
	else if ((ip4 && h->cmsg_type == IP_ORIGDSTADDR) ||
	         (ip6 && h->cmsg_type == IPV6_ORIGDSTADDR))
		search_log_place(w, &p, (socklen_t)len);
	else if (h->cmsg_level != SOL_SOCKET) /* there are times */
		for (size_t i = 0; i < len && i < 16; i++)
			bed_log(&w->l->bed, "%02x", data[i]);
	bed_log(&w->l->bed, "] ");
}

/* ---- receiving -------------------------------------------------------------------------------- */

static unsigned sum(const char *p, long n)
{
	unsigned s = 0;

	for (long i = 0; i < n && i < (long)sizeof(bytes); i++)
		s = s * 31 + (unsigned char)p[i];
	return s;
}

static int draw_recv_flags(struct world *w)
{
	static const int flags[] = {0,
	                            0,
	                            0,
	                            0,
	                            MSG_PEEK,
	                            MSG_PEEK,
	                            MSG_TRUNC,
	                            MSG_PEEK | MSG_TRUNC,
	                            MSG_WAITALL,
	                            MSG_WAITALL | MSG_PEEK,
	                            MSG_DONTWAIT,
	                            MSG_ERRQUEUE,
	                            MSG_ERRQUEUE,
	                            MSG_ERRQUEUE | MSG_PEEK,
	                            MSG_OOB,
	                            MSG_CMSG_CLOEXEC,
	                            MSG_MORE};

	return SEARCH_PICK(w, flags);
}

static size_t draw_room(struct world *w)
{
	static const size_t rooms[] = {0, 1, 5, 26, 1000, 4000, 4000, 66000};

	return SEARCH_PICK(w, rooms);
}

static void recv_messages(struct world *w, unsigned slot, int flags)
{
	static const socklen_t lens[] = {sizeof(union place), 28, 16, 8, 0};
	static const size_t rooms[] = {0, 8, 16, 20, 24, 28, 40, 64, 256, 256, 256, 256};
	static _Alignas(struct cmsghdr) char control[MESSAGES][256];
	struct mmsghdr m[MESSAGES];
	struct iovec v[MESSAGES];
	union place p[MESSAGES];
	const unsigned n = 1 + search_dice(w, MESSAGES);
	long rc;

	memset(m, 0, sizeof(m));
	memset(p, 0, sizeof(p));
	for (unsigned i = 0; i < n; i++) {
		v[i] = (struct iovec){bytes + i * 20000, draw_room(w) % 20000};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1};
		m[i].msg_hdr.msg_name = search_dice(w, 8) == 0 ? NULL : &p[i];
		m[i].msg_hdr.msg_namelen = SEARCH_PICK(w, lens);
		m[i].msg_hdr.msg_control = control[i];
		m[i].msg_hdr.msg_controllen = SEARCH_PICK(w, rooms);
	}
	if (n == 1)
		rc = m[0].msg_len = (unsigned)w->l->c->recvmsg(w->fd[slot], &m[0].msg_hdr, flags);
	else
		rc = w->l->c->recvmmsg(w->fd[slot], m, n, flags, NULL);
	live_log(w->l, n == 1 ? "recvmsg" : "recvmmsg", (int)rc);
	for (unsigned i = 0; i < n; i++) {
		struct msghdr *h = &m[i].msg_hdr;

		if (n == 1 ? (int)rc < 0 : (long)i >= rc)
			break;
		bed_log(&w->l->bed, " %u: %u flags %x control %zu ", m[i].msg_len,
		        sum(v[i].iov_base,
		            (long)(m[i].msg_len < v[i].iov_len ? m[i].msg_len : v[i].iov_len)),
		        (unsigned)h->msg_flags, h->msg_controllen);
		if (h->msg_name != NULL)
			search_log_place(w, &p[i], h->msg_namelen);
		for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c))
			log_control(w, c);
		bed_log(&w->l->bed, "\n");
	}
}

void search_recv(struct world *w, unsigned slot)
{
	static const socklen_t lens[] = {sizeof(union place), 28, 16, 8, 0};
	const int flags = draw_recv_flags(w);
	const size_t n = draw_room(w);
	union place p = {.sa.sa_family = 77};
	socklen_t len = SEARCH_PICK(w, lens);
	long rc;

	bed_log(&w->l->bed, "%x %zu ", (unsigned)flags, n);
	switch (search_dice(w, 5)) {
	case 0:
		rc = w->l->c->read(w->fd[slot], bytes, n);
		live_log(w->l, "read", rc);
		break;
	case 1:
		rc = w->l->c->recvfrom(w->fd[slot], bytes, n, flags, &p.sa, &len);
		live_log(w->l, "recvfrom", rc);
		if (rc >= 0)
			search_log_place(w, &p, len);
		break;
	case 2:
		rc = w->l->c->recv(w->fd[slot], bytes, n, flags);
		live_log(w->l, "recv", rc);
		break;
	default:
		recv_messages(w, slot, flags);
		return;
	}
	bed_log(&w->l->bed, " sum %u\n", sum(bytes, rc < (long)n ? rc : (long)n));
}
