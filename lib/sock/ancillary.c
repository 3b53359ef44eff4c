/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ancillary data.
 *
 * The items and their order are Linux's. For an IPv4 datagram, an AF_INET6 socket gets the items of
 * both families, as far as it has asked for them.
 */
#include "sock/ancillary.h"

#include <string.h>

#include <asm/socket.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/udp.h>
#include <rte_common.h>

/* missing from older systems' headers; Linux's values */
#ifndef IPV6_2292HOPLIMIT
#define IPV6_2292HOPLIMIT 8
#endif
#define TIMESTAMPING_TX_COMPLETION (1 << 18)

#define SECOND_NS 1000000000

/* ---- out ------------------------------------------------------------------------------------- */

struct ancillary ancillary_begin(struct msghdr *msg)
{
	const struct ancillary a = {.msg = msg,
	                            .left = msg->msg_control != NULL ? msg->msg_controllen : 0};

	msg->msg_controllen = 0;
	return a;
}

void ancillary_put(struct ancillary *a, int level, int type, const void *data, size_t len)
{
	struct cmsghdr h = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};
	char *at = (char *)a->msg->msg_control + a->msg->msg_controllen;
	size_t space;

	if (a->left < h.cmsg_len)
		a->msg->msg_flags |= MSG_CTRUNC;
	if (a->left < sizeof(h))
		return;
	h.cmsg_len = RTE_MIN(h.cmsg_len, a->left);
	space = RTE_MIN(CMSG_SPACE(len), a->left);
	memcpy(at, &h, sizeof(h));
	memcpy(at + sizeof(h), data, h.cmsg_len - sizeof(h));
	a->msg->msg_controllen += space;
	a->left -= space;
}

static void put_int(struct ancillary *a, int level, int type, int value)
{
	ancillary_put(a, level, type, &value, sizeof(value));
}

static void put_time(struct ancillary *a, struct ctx *ctx, uint16_t tell, uint64_t at_ns)
{
	const uint64_t ns = at_ns != 0 ? at_ns : ctx_time_of_day(ctx);
	const struct timespec ts = {.tv_sec = (time_t)(ns / SECOND_NS),
	                            .tv_nsec = (long)(ns % SECOND_NS)};
	const struct timeval tv = {.tv_sec = ts.tv_sec, .tv_usec = ts.tv_nsec / 1000};

	const struct scm_timestamping stamps = {.ts = {ts}};

	const bool is_new = tell & UDP_TELL_NEW;

	/* the new forms are identical where time_t has 64 bits */
	if (tell & UDP_TELL_TIME_NS)
		ancillary_put(a, SOL_SOCKET, is_new ? SO_TIMESTAMPNS_NEW : SO_TIMESTAMPNS_OLD, &ts,
		              sizeof(ts));
	else if (tell & UDP_TELL_TIME)
		ancillary_put(a, SOL_SOCKET, is_new ? SO_TIMESTAMP_NEW : SO_TIMESTAMP_OLD, &tv,
		              sizeof(tv));
	if (tell & UDP_TELL_STAMPS)
		ancillary_put(a, SOL_SOCKET, is_new ? SO_TIMESTAMPING_NEW : SO_TIMESTAMPING_OLD,
		              &stamps, sizeof(stamps));
}

/* Our address to answer from: the datagram's destination or, if that is a group, its interface's
 * address. */
static uint32_t answer_from(const struct netifs *ifs, const struct udp_info *info)
{
	uint16_t laddr = netifs_find(ifs, &info->dst.addr);

	if (laddr == LADDR_NONE)
		laddr = netifs_find_first(ifs, info->netif);
	return laddr != LADDR_NONE ? pc_addr_get_ip4(&ifs->addr[laddr].addr) : 0;
}

/* the original destination, which nothing changes on its way through the stack */
static void put_dst(struct ancillary *a, bool ip6, const struct udp_info *info)
{
	struct sockaddr_in6 sa = {0};
	socklen_t len = sizeof(sa);

	sock_write_addr(ip6, &info->dst, info->netif, (struct sockaddr *)&sa, &len);
	ancillary_put(a, ip6 ? IPPROTO_IPV6 : IPPROTO_IP, ip6 ? IPV6_ORIGDSTADDR : IP_ORIGDSTADDR,
	              &sa, len);
}

static void put_info4(struct ancillary *a, const struct netifs *ifs, uint16_t tell,
                      const struct udp_info *info)
{
	const struct in_pktinfo pi = {.ipi_ifindex = info->netif + 1,
	                              .ipi_spec_dst.s_addr = answer_from(ifs, info),
	                              .ipi_addr.s_addr = pc_addr_get_ip4(&info->dst.addr)};

	if (tell & UDP_TELL_PKTINFO)
		ancillary_put(a, IPPROTO_IP, IP_PKTINFO, &pi, sizeof(pi));
	if (tell & UDP_TELL_TTL)
		put_int(a, IPPROTO_IP, IP_TTL, info->ttl);
	if (tell & UDP_TELL_TOS)
		ancillary_put(a, IPPROTO_IP, IP_TOS, &info->tos, sizeof(info->tos));
	if (tell & UDP_TELL_DST)
		put_dst(a, false, info);
}

static void put_info6(struct ancillary *a, uint16_t tell, const struct udp_info *info)
{
	struct in6_pktinfo pi = {.ipi6_ifindex = info->netif + 1u};

	memcpy(&pi.ipi6_addr, info->dst.addr.b, sizeof(pi.ipi6_addr));
	if (tell & UDP_TELL_PKTINFO6)
		ancillary_put(a, IPPROTO_IPV6, IPV6_PKTINFO, &pi, sizeof(pi));
	if (pc_addr_is_ip4(&info->dst.addr))
		return;
	if (tell & UDP_TELL_HOPS)
		put_int(a, IPPROTO_IPV6, IPV6_HOPLIMIT, info->ttl);
	if (tell & UDP_TELL_TCLASS)
		put_int(a, IPPROTO_IPV6, IPV6_TCLASS, info->tos);
	if (tell & UDP_TELL_DST6)
		put_dst(a, true, info);
}

/* of whichever family the packet is */
static void put_info(struct ancillary *a, const struct sockets *s, const struct udp_sock *u,
                     const struct udp_info *info)
{
	if (u->ip6)
		put_info6(a, u->tell, info);
	if (pc_addr_is_ip4(&info->dst.addr))
		put_info4(a, &s->ip->ifs, u->tell, info);
}

void ancillary_put_arrival(struct ancillary *a, const struct sockets *s, const struct sock_ref *ref,
                           uint64_t at_ns)
{
	const uint16_t tell = ref->udp->tell;

	if (tell & UDP_TELL_ANY_TIME)
		put_time(a, s->ctx, tell, at_ns);
	if ((tell & UDP_TELL_DROPS) && ref->udp->drops != 0)
		ancillary_put(a, SOL_SOCKET, SO_RXQ_OVFL, &ref->udp->drops,
		              sizeof(ref->udp->drops));
}

void ancillary_put_info(struct ancillary *a, const struct sockets *s, const struct sock_ref *ref,
                        const struct udp_info *info)
{
	ancillary_put_arrival(a, s, ref, info->at_ns);
	put_info(a, s, ref->udp, info);
}

void ancillary_put_report(struct ancillary *a, const struct sockets *s, const struct sock_ref *ref,
                          const struct udp_report *r)
{
	const bool ip4 = pc_addr_is_ip4(&r->to.addr), ip6 = ref->udp->ip6;
	const struct pc_endpoint from = {.addr = r->offender};
	const struct udp_info info = {
	    .dst = {.addr = r->dst}, .netif = r->netif, .ttl = r->ttl, .tos = r->tos};
	struct {
		struct sock_extended_err ee;
		union {
			struct sockaddr_in in;
			struct sockaddr_in6 in6;
		} offender;
	} e = {.ee = {.ee_errno = (uint32_t)r->error,
	              .ee_type = r->type,
	              .ee_code = r->code,
	              .ee_info = r->info,
	              .ee_origin = SO_EE_ORIGIN_LOCAL}};
	socklen_t len = sizeof(e.offender);

	if (ref->udp->tell & UDP_TELL_ANY_TIME)
		put_time(a, s->ctx, ref->udp->tell, r->at_ns);
	if (udp_is_icmp(r)) {
		e.ee.ee_origin = ip4 ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6;
		sock_write_addr(ip6, &from, r->netif, (struct sockaddr *)&e.offender, &len);
		put_info(a, s, ref->udp, &info);
	}
	ancillary_put(a, ip6 ? IPPROTO_IPV6 : IPPROTO_IP, ip6 ? IPV6_RECVERR : IP_RECVERR, &e,
	              sizeof(e.ee) + (ip6 ? sizeof(e.offender.in6) : sizeof(e.offender.in)));
}

void ancillary_put_copied(struct ancillary *a, bool ip6, uint32_t first, uint32_t last)
{
	const struct {
		struct sock_extended_err ee;
		struct sockaddr_in6 none;
	} e = {.ee = {.ee_origin = SO_EE_ORIGIN_ZEROCOPY,
	              .ee_code = SO_EE_CODE_ZEROCOPY_COPIED,
	              .ee_info = first,
	              .ee_data = last}};

	ancillary_put(a, ip6 ? IPPROTO_IPV6 : IPPROTO_IP, ip6 ? IPV6_RECVERR : IP_RECVERR, &e,
	              sizeof(e.ee) +
	                  (ip6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in)));
}

/* ---- in -------------------------------------------------------------------------------------- */

/* Chooses the source address of a datagram: a given one, or one of a given interface. The
 * loopback, as reported for datagrams that arrived over it, takes only what is for this host, and
 * from any source. */
static int choose_laddr(const struct sockets *s, const struct pc_addr *addr, uint32_t ifindex,
                        const struct pc_addr *to, struct udp_ctl *ctl)
{
	const struct netifs *ifs = &s->ip->ifs;
	const bool looped = ifindex == NETIF_LO + 1;

	if (ifindex > ifs->n && !looped)
		return -ENODEV;
	if (looped && netifs_find(ifs, to) == LADDR_NONE)
		return -ENETUNREACH;
	if (!pc_addr_is_any(addr)) {
		ctl->laddr = netifs_find(ifs, addr);
		if (ctl->laddr == LADDR_NONE || !netifs_is_usable(ifs, ctl->laddr) ||
		    (ifindex != 0 && !looped && ifs->addr[ctl->laddr].netif != ifindex - 1))
			return -EINVAL;
	} else if (ifindex != 0 && !looped) {
		ctl->laddr = ip_source(s->ip, (uint8_t)(ifindex - 1), to);
		return ctl->laddr != LADDR_NONE ? 0 : -EADDRNOTAVAIL;
	}
	return 0;
}

static int read_pktinfo(const struct sockets *s, const void *data, const struct pc_addr *to,
                        struct udp_ctl *ctl)
{
	struct pc_addr addr = {0};
	struct in_pktinfo pi;

	memcpy(&pi, data, sizeof(pi));
	if (pi.ipi_spec_dst.s_addr != 0)
		addr = pc_addr_ip4(pi.ipi_spec_dst.s_addr);
	return choose_laddr(s, &addr, (uint32_t)pi.ipi_ifindex, to, ctl);
}

static int read_pktinfo6(const struct sockets *s, const void *data, const struct pc_addr *to,
                         struct udp_ctl *ctl)
{
	struct pc_addr addr;
	struct in6_pktinfo pi;

	memcpy(&pi, data, sizeof(pi));
	memcpy(addr.b, &pi.ipi6_addr, sizeof(addr.b));
	if (pc_addr_is_ip4(to) && !pc_addr_is_ip4(&addr))
		return -EINVAL;
	if (pc_addr_is_ip4(&addr) && pc_addr_get_ip4(&addr) == 0)
		addr = (struct pc_addr){0};
	return choose_laddr(s, &addr, pi.ipi6_ifindex, to, ctl);
}

static int read_number(const void *data, int least, int16_t *to)
{
	int value;

	memcpy(&value, data, sizeof(value));
	if (value < least || value > 255)
		return -EINVAL;
	*to = (int16_t)value;
	return 0;
}

/* SO_TIMESTAMPING of one datagram: which stamps of sending, of which there are none here */
static int judge_stamps(const void *data)
{
	const uint32_t of_sending = SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_TX_SOFTWARE |
	                            SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_ACK |
	                            TIMESTAMPING_TX_COMPLETION;
	uint32_t flags;

	memcpy(&flags, data, sizeof(flags));
	return flags & ~of_sending ? -EINVAL : 0;
}

/* level and type in one number, for any values */
#define ITEM(level, type) ((uint64_t)(uint32_t)(level) << 32 | (uint32_t)(type))

static int read_item(const struct sockets *s, const struct cmsghdr *h, const struct pc_addr *to,
                     struct udp_ctl *ctl)
{
	const void *data = (const char *)h + sizeof(*h);
	const size_t len = h->cmsg_len - sizeof(*h);
	uint16_t segment;

	switch (ITEM(h->cmsg_level, h->cmsg_type)) {
	case ITEM(SOL_SOCKET, SCM_RIGHTS): /* of AF_UNIX: Linux ignores them elsewhere */
	case ITEM(SOL_SOCKET, SCM_CREDENTIALS):
		return 0;
	case ITEM(SOL_SOCKET, SO_PRIORITY): /* without effect, like the options */
	case ITEM(SOL_SOCKET, SO_MARK):
		return len == sizeof(int) ? 0 : -EINVAL;
	case ITEM(SOL_SOCKET, SO_TIMESTAMPING_OLD):
	case ITEM(SOL_SOCKET, SO_TIMESTAMPING_NEW):
		return len == sizeof(int) ? judge_stamps(data) : -EINVAL;
	case ITEM(IPPROTO_IP, IP_PKTINFO):
		return len == sizeof(struct in_pktinfo) ? read_pktinfo(s, data, to, ctl) : -EINVAL;
	case ITEM(IPPROTO_IPV6, IPV6_PKTINFO):
	case ITEM(IPPROTO_IPV6, IPV6_2292PKTINFO):
		return len >= sizeof(struct in6_pktinfo) ? read_pktinfo6(s, data, to, ctl)
		                                         : -EINVAL;
	case ITEM(IPPROTO_IP, IP_TTL):
		return len == sizeof(int) ? read_number(data, 1, &ctl->ttl) : -EINVAL;
	case ITEM(IPPROTO_IP, IP_TOS):
		if (len == 1) {
			ctl->tos = *(const uint8_t *)data;
			return 0;
		}
		return len == sizeof(int) ? read_number(data, 0, &ctl->tos) : -EINVAL;
	case ITEM(IPPROTO_IPV6, IPV6_HOPLIMIT):
	case ITEM(IPPROTO_IPV6, IPV6_2292HOPLIMIT):
		return len == sizeof(int) ? read_number(data, -1, &ctl->ttl) : -EINVAL;
	case ITEM(IPPROTO_IPV6, IPV6_TCLASS):
		return len == sizeof(int) ? read_number(data, -1, &ctl->tos) : -EINVAL;
	case ITEM(IPPROTO_UDP, UDP_SEGMENT):
		if (len != sizeof(segment))
			return -EINVAL;
		memcpy(&segment, data, sizeof(segment));
		ctl->segment = segment;
		return 0;
	default:
		return -EINVAL;
	}
}

/* Linux ignores items of a level that it does not know, and those of the other family. */
static bool is_for_us(const struct udp_sock *u, const struct cmsghdr *h, bool ip4)
{
	if (u->kind == UDP_PACKET)
		return h->cmsg_level == SOL_SOCKET;
	/* the source of an AF_INET6 socket's IPv4 datagram may be a mapped address */
	if (u->ip6 && h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_PKTINFO)
		return true;
	switch (h->cmsg_level) {
	case SOL_SOCKET:
	case IPPROTO_UDP:
		return true;
	case IPPROTO_IP:
		return ip4;
	case IPPROTO_IPV6:
		return !ip4;
	default:
		return false;
	}
}

int ancillary_read(const struct sockets *s, const struct sock_ref *ref, const struct msghdr *msg,
                   const struct pc_addr *to, struct udp_ctl *ctl)
{
	struct msghdr m = {.msg_control = msg->msg_control, .msg_controllen = msg->msg_controllen};
	const bool ip4 = pc_addr_is_ip4(to);
	int err = 0;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h != NULL && err == 0; h = CMSG_NXTHDR(&m, h)) {
		if (h->cmsg_len < sizeof(*h) ||
		    h->cmsg_len > (size_t)((char *)m.msg_control + m.msg_controllen - (char *)h))
			return -EINVAL;
		if (is_for_us(ref->udp, h, ip4))
			err = read_item(s, h, to, ctl);
	}
	return err;
}
