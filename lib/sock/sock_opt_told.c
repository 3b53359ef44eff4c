/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Socket options that report something other than an int or a setting: an address, counters,
 * messages, or that there is nothing to report.
 */
#include <string.h>

#include <netinet/tcp.h>

#include "sock/ancillary.h"
#include "sock/sock_opt.h"
#include "sock/sock_opt_kept.h"
#include "sock/sock_raw.h"
#include "tcp/tcp_conn.h"

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif
#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

/* SO_MEMINFO's fields, from linux/sock_diag.h */
enum { MEM_RCVBUF = 1, MEM_SNDBUF = 3, MEM_FIELDS = 9 };

static int tell(const void *from, size_t size, void *value, socklen_t *len)
{
	*len = (socklen_t)RTE_MIN((size_t)*len, size);
	memcpy(value, from, *len);
	return 0;
}

static int tell_peer(struct pc_stack *st, int fd, void *value, socklen_t *len)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof(sa);

	if (pc_getpeername(st, fd, (struct sockaddr *)&sa, &n) != 0)
		return -ENOTCONN;
	return n < *len ? -EINVAL : tell(&sa, n, value, len);
}

static int tell_memory(const struct sock_ref *ref, void *value, socklen_t *len)
{
	uint32_t m[MEM_FIELDS] = {0};

	m[MEM_RCVBUF] = ref->tcp != NULL ? ref->tcp->rcv_max : ref->udp->rcv_max;
	m[MEM_SNDBUF] = ref->tcp != NULL ? ref->tcp->snd_max : ref->udp->snd_max;
	return tell(m, sizeof(m), value, len);
}

/* struct so_timestamping: the flags, and no clock */
static int tell_timestamping(struct sockets *s, const struct sock_ref *ref, void *value,
                             socklen_t *len)
{
	int flags[2] = {0, 0};
	const int err = sock_kept_get(s, ref, SOL_SOCKET, SO_TIMESTAMPING, &flags[0]);

	return err != 0 ? err : tell(flags, sizeof(flags), value, len);
}

/* IP_PKTOPTIONS on TCP: which of our addresses the peer uses, in the form of a datagram's ancillary
 * data */
static int tell_messages(struct sockets *s, const struct tcb *t, void *value, socklen_t *len)
{
	const uint64_t wanted = tcp_tuning(s->tcp, t)->kept.truths;
	const struct pc_endpoint here = tcp_local(s->tcp, t);
	const struct in_addr addr = {pc_addr_is_ip4(&here.addr) ? pc_addr_get_ip4(&here.addr) : 0};
	const bool accepted = t->flow.laddr != LADDR_NONE && t->flow.rport != 0;
	const struct in_pktinfo info = {
	    .ipi_ifindex = accepted ? t->netif + 1 : 0, .ipi_spec_dst = addr, .ipi_addr = addr};
	struct msghdr m = {.msg_control = value, .msg_controllen = *len};
	struct ancillary a = ancillary_begin(&m);
	const int ttl = 1, tos = 0;

	if (wanted & KEPT_PKTINFO)
		ancillary_put(&a, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	if (wanted & KEPT_TTL)
		ancillary_put(&a, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	if (wanted & KEPT_TOS)
		ancillary_put(&a, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	*len = (socklen_t)m.msg_controllen;
	return 0;
}

static int tell_nothing(socklen_t *len)
{
	*len = 0;
	return 0;
}

#ifndef IPV6_ADDRFORM
#define IPV6_ADDRFORM 1
#endif

static bool is_connected(const struct sock_ref *ref)
{
	return ref->tcp != NULL ? ref->tcp->state == TCP_S_ESTABLISHED : udp_is_connected(ref->udp);
}

/* IPV6_ADDRFORM cannot be set: it would turn an AF_INET6 socket with an IPv4 peer into an AF_INET one. */
static int tell_family(const struct sock_ref *ref, void *value, socklen_t *len)
{
	static const int family = AF_INET6;

	return is_connected(ref) ? tell(&family, sizeof(family), value, len) : -ENOTCONN;
}

/* IPV6_PATHMTU (RFC 3542 section 11.4): as on Linux, without the address */
static int tell_path_mtu(struct pc_stack *st, int fd, void *value, socklen_t *len)
{
	struct ip6_mtuinfo info = {.ip6m_mtu = 0};
	socklen_t n = sizeof(info.ip6m_mtu);

	if (*len < sizeof(info))
		return -EINVAL;
	if (pc_getsockopt(st, fd, IPPROTO_IPV6, IPV6_MTU, &info.ip6m_mtu, &n) != 0)
		return -errno;
	return tell(&info, sizeof(info), value, len);
}

static int tell_of_socket(struct pc_stack *st, int fd, const struct sock_ref *ref, int name,
                          void *value, socklen_t *len)
{
	static const int none = 0;

	switch (name) {
	case SO_BINDTODEVICE:
		return tell_nothing(len);
	case SO_BINDTOIFINDEX: /* for datagram sockets see sock_opt_udp.c */
		return ref->tcp != NULL ? tell(&none, sizeof(none), value, len) : -ENOPROTOOPT;
	case SO_PEERNAME:
		return tell_peer(st, fd, value, len);
	case SO_MEMINFO:
		return tell_memory(ref, value, len);
	case SO_TIMESTAMPING:
		return tell_timestamping(sockets_of(st), ref, value, len);
	default:
		return -ENOPROTOOPT;
	}
}

int sock_told_get(struct pc_stack *st, int fd, const struct sock_ref *ref, int level, int name,
                  void *value, socklen_t *len)
{
	if (level == SOL_SOCKET)
		return tell_of_socket(st, fd, ref, name, value, len);
	if ((level == SOL_RAW || level == IPPROTO_ICMPV6) && !sock_is_plain(ref))
		return sock_raw_get(ref, level, name, value, len);
	if (level == IPPROTO_IP && name == IP_OPTIONS)
		return tell_nothing(len);
	if (level == IPPROTO_IPV6 && name == IPV6_ADDRFORM && sock_is_plain(ref))
		return tell_family(ref, value, len);
	if (level == IPPROTO_IPV6 && name == IPV6_PATHMTU && sock_is_plain(ref))
		return tell_path_mtu(st, fd, value, len);
	if (level == IPPROTO_IP && name == IP_PKTOPTIONS && ref->tcp != NULL)
		return tell_messages(sockets_of(st), ref->tcp, value, len);
	if (level == IPPROTO_TCP && name == TCP_ULP && ref->tcp != NULL)
		return tell_nothing(len);
	if (level == IPPROTO_TCP && name == TCP_TIMESTAMP && ref->tcp != NULL) {
		const uint32_t now = tcp_tsval(sockets_of(st)->tcp, ref->tcp->ts_offset);

		return tell(&now, sizeof(now), value, len);
	}
	return -ENOPROTOOPT;
}

/* These can only be set to what they are. */
int sock_told_set(const struct sock_ref *ref, int level, int name, const void *value, socklen_t len)
{
	int index;

	if (level == SOL_SOCKET && name == SO_BINDTODEVICE)
		return len == 0 || *(const char *)value == '\0' ? 0 : -ENODEV;
	if (level == SOL_SOCKET && name == SO_BINDTOIFINDEX && ref->tcp != NULL) {
		if (len < sizeof(index))
			return -EINVAL;
		memcpy(&index, value, sizeof(index));
		return index == 0 ? 0 : -ENODEV;
	}
	if (level == IPPROTO_IP && name == IP_LOCAL_PORT_RANGE && len != sizeof(uint32_t))
		return -EINVAL; /* other IP options may be a byte */
	if (level == IPPROTO_IP && name == IP_OPTIONS && len == 0)
		return 0;
	if (level == IPPROTO_TCP && name == TCP_ULP && ref->tcp != NULL)
		return len < 1 ? -EINVAL : -ENOENT;
	return -ENOPROTOOPT;
}
