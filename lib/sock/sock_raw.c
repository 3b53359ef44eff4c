/* SPDX-License-Identifier: BSD-2-Clause */
/* Raw and packet sockets. */
#include "sock/sock_raw.h"

#include <string.h>

#include <linux/icmp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/icmp6.h>
#include <rte_mbuf.h>

#define ARPHRD_ETHER_ 1

static int fd_of(const struct sockets *s, int index)
{
	return index < 0 ? index : (int)s->first_udp + index;
}

int sock_raw_open(struct sockets *s, int domain, int type, int protocol)
{
	if (domain == AF_PACKET) {
		if (type != SOCK_RAW && type != SOCK_DGRAM)
			return -ESOCKTNOSUPPORT;
		return fd_of(s, udp_open_packet(s->udp, type == SOCK_DGRAM,
		                                __builtin_bswap16((uint16_t)protocol)));
	}
	if (protocol <= 0 || protocol > 255)
		return protocol == 0 ? -EPROTONOSUPPORT : -EINVAL;
	if (domain == AF_INET6 && protocol == IPPROTO_RAW) /* it would imply IPV6_HDRINCL */
		return -EPROTONOSUPPORT;
	return fd_of(s, udp_open_raw(s->udp, domain == AF_INET6, (uint8_t)protocol));
}

/* ---- names ----------------------------------------------------------------------------------- */

static int read_ll(const struct sockaddr *addr, socklen_t len, struct sockaddr_ll *ll)
{
	if (addr == NULL || len < offsetof(struct sockaddr_ll, sll_addr))
		return -EINVAL;
	memset(ll, 0, sizeof(*ll));
	memcpy(ll, addr, RTE_MIN(len, (socklen_t)sizeof(*ll)));
	return ll->sll_family == AF_PACKET ? 0 : -EINVAL;
}

int sock_raw_bind(struct sockets *s, const struct sock_ref *ref, const struct sockaddr *addr,
                  socklen_t len)
{
	struct sockaddr_ll ll;
	struct sock_addr a;
	int err;

	if (ref->udp->kind == UDP_PACKET) {
		err = read_ll(addr, len, &ll);
		return err != 0 ? err
		                : udp_bind_packet(s->udp, ref->udp, ll.sll_ifindex - 1,
		                                  __builtin_bswap16(ll.sll_protocol));
	}
	err = sock_read_addr(s, ref, SOCK_BIND, addr, len, &a);
	return err != 0 ? err : udp_bind_raw(s->udp, ref->udp, &a.e.addr);
}

int sock_raw_connect(struct sockets *s, const struct sock_ref *ref, const struct sockaddr *addr,
                     socklen_t len)
{
	struct sock_addr a;
	int err;

	if (ref->udp->kind == UDP_PACKET)
		return -EOPNOTSUPP;
	if (addr->sa_family == AF_UNSPEC)
		return udp_connect_raw(s->udp, ref->udp, NULL, LADDR_NONE);
	err = sock_read_addr(s, ref, SOCK_CONNECT, addr, len, &a);
	return err != 0 ? err : udp_connect_raw(s->udp, ref->udp, &a.e.addr, a.laddr);
}

void sock_raw_getsockname(const struct sockets *s, const struct sock_ref *ref,
                          struct sockaddr *addr, socklen_t *len)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET,
	                         .sll_protocol = __builtin_bswap16(ref->udp->ethertype),
	                         .sll_ifindex = ref->udp->netif,
	                         .sll_hatype = ARPHRD_ETHER_};

	if (ref->udp->netif != 0) {
		ll.sll_halen = 6;
		memcpy(ll.sll_addr, ip_port(s->ip, (uint8_t)(ref->udp->netif - 1))->info.mac, 6);
	}
	memcpy(addr, &ll, RTE_MIN(*len, (socklen_t)sizeof(ll)));
	*len = sizeof(ll);
}

void sock_raw_write_ll(const struct sock_ref *ref, const struct rte_mbuf *m, struct msghdr *msg)
{
	const struct pkt *note = pkt_of_const(m);
	const uint8_t *eth = (const uint8_t *)m->buf_addr + note->rx.l3_off;
	struct sockaddr_ll ll = {.sll_family = AF_PACKET,
	                         .sll_protocol = __builtin_bswap16(udp_protocol_of(eth)),
	                         .sll_ifindex = note->rx.netif + 1,
	                         .sll_hatype = ARPHRD_ETHER_,
	                         .sll_pkttype = note->rx.flags,
	                         .sll_halen = 6};

	(void)ref;
	memcpy(ll.sll_addr, eth + 6, 6);
	memcpy(msg->msg_name, &ll, RTE_MIN(msg->msg_namelen, (socklen_t)sizeof(ll)));
	msg->msg_namelen = sizeof(ll);
}

/* ---- sending --------------------------------------------------------------------------------- */

static int send_frame(struct sockets *s, const struct sock_ref *ref, struct rte_mbuf *m,
                      const struct sockaddr *to, socklen_t len)
{
	struct sockaddr_ll ll;
	int err;

	if (to == NULL)
		return udp_send_packet(s->udp, ref->udp, m, -1, NULL, 0);
	err = read_ll(to, len, &ll);
	/* the address of its destination must be whole */
	if (err == 0 && ref->udp->cooked && len < offsetof(struct sockaddr_ll, sll_addr) + 6)
		err = -EINVAL;
	return err != 0 ? err
	                : udp_send_packet(s->udp, ref->udp, m, ll.sll_ifindex - 1, ll.sll_addr,
	                                  __builtin_bswap16(ll.sll_protocol));
}

int sock_raw_send(struct sockets *s, const struct sock_ref *ref, struct rte_mbuf *m,
                  const struct sockaddr *to, socklen_t len, const struct udp_ctl *ctl)
{
	struct udp_ctl with_scope = *ctl;
	struct sock_addr a = {.e = ref->udp->remote, .laddr = LADDR_NONE};
	int err;

	if (ref->udp->kind == UDP_PACKET)
		return send_frame(s, ref, m, to, len);
	if (to != NULL) {
		err = sock_read_addr(s, ref, SOCK_SEND, to, len, &a);
		if (err != 0)
			return err;
	} else if (pc_addr_is_any(&a.e.addr)) {
		return -EDESTADDRREQ;
	}
	if (with_scope.laddr == LADDR_NONE && ref->udp->laddr == LADDR_NONE)
		with_scope.laddr = a.laddr;
	return udp_send_raw(s->udp, ref->udp, m, &a.e.addr, &with_scope);
}

/* ---- options --------------------------------------------------------------------------------- */

static int set_filter(struct sockets *s, struct udp_sock *u, const void *value, socklen_t len)
{
	struct sock_fprog prog;

	if (len != sizeof(prog))
		return -EINVAL;
	memcpy(&prog, value, sizeof(prog));
	if (u->kept.truths & KEPT_LOCKED)
		return -EPERM;
	return prog.len == 0 ? -EINVAL : udp_set_filter(s->udp, u, prog.filter, prog.len);
}

/* Copies at most size bytes of the set of ICMP types to block. */
static int set_icmp_filter(struct udp_sock *u, const void *value, socklen_t len, size_t size)
{
	if (len < 4)
		return -EINVAL;
	memcpy(u->icmp_filter, value, RTE_MIN((size_t)len, size));
	return 0;
}

static int detach_filter(struct sockets *s, struct udp_sock *u)
{
	if (u->kept.truths & KEPT_LOCKED)
		return -EPERM;
	return u->filter == 0 ? -ENOENT : udp_set_filter(s->udp, u, NULL, 0);
}

int sock_raw_get(const struct sock_ref *ref, int level, int name, void *value, socklen_t *len)
{
	const struct udp_sock *u = ref->udp;
	const bool ip6 = level == IPPROTO_ICMPV6;

	if (u->kind != UDP_RAW || u->ip6 != ip6 || name != (ip6 ? ICMP6_FILTER : ICMP_FILTER))
		return -ENOPROTOOPT;
	if (u->proto != (ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return -EOPNOTSUPP;
	*len = RTE_MIN(*len, (socklen_t)(ip6 ? sizeof(u->icmp_filter) : 4));
	memcpy(value, u->icmp_filter, *len);
	return 0;
}

int sock_raw_set(struct sockets *s, const struct sock_ref *ref, int level, int name,
                 const void *value, socklen_t len)
{
	struct udp_sock *u = ref->udp;
	int on = 0;

	if (sock_is_plain(ref))
		return -ENOPROTOOPT;
	if (level == SOL_SOCKET && name == SO_ATTACH_FILTER)
		return set_filter(s, u, value, len);
	if (level == SOL_SOCKET && name == SO_DETACH_FILTER)
		return detach_filter(s, u);
	if (u->kind != UDP_RAW)
		return -ENOPROTOOPT;
	if (level == SOL_RAW && name == ICMP_FILTER)
		return u->proto == IPPROTO_ICMP && !u->ip6 ? set_icmp_filter(u, value, len, 4)
		                                           : -EOPNOTSUPP;
	if (level == IPPROTO_ICMPV6 && name == ICMP6_FILTER && u->ip6)
		return u->proto == IPPROTO_ICMPV6
		           ? set_icmp_filter(u, value, len, sizeof(u->icmp_filter))
		           : -EOPNOTSUPP;
	if (level != IPPROTO_IP || name != IP_HDRINCL || u->ip6)
		return -ENOPROTOOPT;
	if (len < 1)
		return -EINVAL;
	memcpy(&on, value, RTE_MIN(len, (socklen_t)sizeof(on)));
	u->header_included = on != 0;
	return 0;
}
