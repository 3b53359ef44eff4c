/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a raw socket for ICMP or ICMPv6. Send times are kept by sequence number, so that the
 * round-trip time does not depend on the payload of the answer.
 */
#include "ping.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <percore/control.h>
#include <percore/socket.h>

#define MS_NS       1000000
#define PATIENCE_NS UINT64_C(30000000000)

static bool is_ip4(const struct ping *p)
{
	return pc_addr_is_ip4(&p->to);
}

/* ---- sending --------------------------------------------------------------------------------- */

static uint16_t checksum(const uint8_t *b, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)(b[i] << 8 | b[i + 1]);
	if (n % 2 != 0)
		sum += (uint32_t)b[n - 1] << 8;
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

static socklen_t address_of(const struct pc_addr *to, uint32_t port, struct sockaddr_storage *sa)
{
	const struct pc_endpoint e = {.addr = *to};
	socklen_t len = sizeof(*sa);

	memset(sa, 0, sizeof(*sa));
	pc_endpoint_to_sockaddr(&e, AF_UNSPEC, (struct sockaddr *)sa, &len);
	if (!pc_addr_is_ip4(to) && to->b[0] == 0xfe && (to->b[1] & 0xc0) == 0x80)
		((struct sockaddr_in6 *)(void *)sa)->sin6_scope_id = port + 1;
	return len;
}

/* Says whether a first request that cannot be sent may succeed soon: duplicate address detection of
 * a new IPv6 address takes a second or two (RFC 4862), a router may be heard, or a lease obtained.
 * For an IPv4 destination, one IPv4 address is enough. */
static bool is_early(const struct ping *p, uint64_t now_ns)
{
	struct pc_stack_addr list[PC_MAX_ADDRS];
	const unsigned n = pc_stack_get_addrs(p->st, list, PC_MAX_ADDRS);

	if (p->stats.sent > 0 || now_ns >= p->begin_ns + PATIENCE_NS)
		return false;
	for (unsigned i = 0; is_ip4(p) && i < n && i < PC_MAX_ADDRS; i++)
		if (pc_addr_is_ip4(&list[i].addr.addr) && list[i].ready)
			return false;
	return true;
}

static void send_request(struct ping *p, uint64_t now_ns)
{
	const uint16_t seq = (uint16_t)(p->stats.sent + 1);
	const size_t n = 8 + p->plan->size;
	struct sockaddr_storage to;
	const socklen_t len = address_of(&p->to, p->plan->port, &to);
	uint8_t *d = p->data;
	uint16_t sum;

	memset(d, 0, 8);
	d[0] = is_ip4(p) ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	d[4] = (uint8_t)(p->id >> 8);
	d[5] = (uint8_t)p->id;
	d[6] = (uint8_t)(seq >> 8);
	d[7] = (uint8_t)seq;
	for (size_t i = 0; i < p->plan->size; i++)
		d[8 + i] = (uint8_t)i;
	sum = is_ip4(p) ? checksum(d, n) : 0;
	d[2] = (uint8_t)(sum >> 8);
	d[3] = (uint8_t)sum;
	if (pc_sendto(p->st, p->fd, d, n, 0, (const struct sockaddr *)&to, len) < 0) {
		if (errno != EMSGSIZE && is_early(p, now_ns))
			return;
		printf("ping: sendmsg: %s\n", strerror(errno));
		p->stats.errors++;
	}
	if (p->stats.sent++ == 0)
		p->stats.first_ns = now_ns;
	p->stats.last_ns = now_ns;
	p->sent_ns[seq] = now_ns;
	p->answered[seq / 8] &= (uint8_t) ~(1u << seq % 8);
}

/* ---- receiving ------------------------------------------------------------------------------- */

static void count_answer(struct ping *p, uint64_t rtt_ns, bool again)
{
	struct ping_stats *s = &p->stats;

	if (again) {
		s->duplicates++;
		return;
	}
	s->received++;
	s->min_ns = s->received == 1 || rtt_ns < s->min_ns ? rtt_ns : s->min_ns;
	s->max_ns = rtt_ns > s->max_ns ? rtt_ns : s->max_ns;
	s->sum_ns += rtt_ns;
	s->sum_square += (double)rtt_ns * (double)rtt_ns;
}

static void on_answer(struct ping *p, const uint8_t *m, size_t n, const struct pc_addr *from,
                      int ttl, uint64_t now_ns)
{
	const uint16_t seq = (uint16_t)(m[6] << 8 | m[7]);
	const uint64_t rtt_ns = now_ns - p->sent_ns[seq];
	const bool again = p->answered[seq / 8] & 1u << seq % 8;
	char text[PC_ADDR_STRLEN];

	if (p->sent_ns[seq] == 0)
		return;
	p->answered[seq / 8] |= (uint8_t)(1u << seq % 8);
	count_answer(p, rtt_ns, again);
	p->stats.last_ns = now_ns;
	if (p->plan->quiet)
		return;
	printf("%zu bytes from %s: icmp_seq=%u ttl=%d time=%.3f ms%s\n", n,
	       pc_addr_format(from, text), seq, ttl, (double)rtt_ns / MS_NS,
	       again ? " (DUP!)" : "");
	fflush(stdout);
}

static const char *name_of_error(const struct ping *p, uint8_t type, uint8_t code)
{
	static const char *const unreachable[] = {
	    "Destination Net Unreachable", "Destination Host Unreachable",
	    "Destination Protocol Unreachable", "Destination Port Unreachable", "Frag needed"};

	if (is_ip4(p))
		return type == ICMP_TIME_EXCEEDED ? "Time to live exceeded"
		       : code < 5                 ? unreachable[code]
		                                  : "Destination Unreachable";
	switch (type) {
	case ICMP6_TIME_EXCEEDED:
		return "Time exceeded: Hop limit";
	case ICMP6_PACKET_TOO_BIG:
		return "Packet too big";
	default:
		return "Destination unreachable";
	}
}

/* Handles an error that quotes one of our requests, after an IP header without options or
 * extensions. */
static void on_error(struct ping *p, const uint8_t *m, size_t n, const struct pc_addr *from)
{
	const size_t quote = is_ip4(p) ? 8 + 20 : 8 + 40;
	char text[PC_ADDR_STRLEN];

	if (n < quote + 8 || m[quote + 4] != p->id >> 8 || m[quote + 5] != (p->id & 0xff))
		return;
	p->stats.errors++;
	if (!p->plan->quiet)
		printf("From %s icmp_seq=%u %s\n", pc_addr_format(from, text),
		       (unsigned)(m[quote + 6] << 8 | m[quote + 7]), name_of_error(p, m[0], m[1]));
	fflush(stdout);
}

/* Handles a message; m is the ICMP message, without an IPv4 header. */
static void on_message(struct ping *p, const uint8_t *m, size_t n, const struct pc_addr *from,
                       int ttl, uint64_t now_ns)
{
	const uint8_t reply = is_ip4(p) ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;

	if (n < 8)
		return;
	if (m[0] == reply) {
		if (m[4] == p->id >> 8 && m[5] == (p->id & 0xff))
			on_answer(p, m, n, from, ttl, now_ns);
		return;
	}
	if (is_ip4(p) ? m[0] == ICMP_DEST_UNREACH || m[0] == ICMP_TIME_EXCEEDED : m[0] < 128)
		on_error(p, m, n, from);
}

static void receive(struct ping *p, uint64_t now_ns)
{
	char items[CMSG_SPACE(sizeof(int))];
	struct sockaddr_storage from;
	struct iovec v = {p->data, sizeof(p->data)};
	struct pc_endpoint e;
	ssize_t n;

	for (;;) {
		struct msghdr m = {.msg_name = &from,
		                   .msg_namelen = sizeof(from),
		                   .msg_iov = &v,
		                   .msg_iovlen = 1,
		                   .msg_control = items,
		                   .msg_controllen = sizeof(items)};
		const struct cmsghdr *h;
		size_t skip = 0;
		int ttl = 0;

		n = pc_recvmsg(p->st, p->fd, &m, 0);
		if (n < 0)
			return;
		if (pc_endpoint_from_sockaddr(&e, (struct sockaddr *)&from, m.msg_namelen) != 0)
			continue;
		h = CMSG_FIRSTHDR(&m);
		if (is_ip4(p)) {
			skip = (size_t)(p->data[0] & 0xf) * 4;
			ttl = p->data[8];
		} else if (h != NULL && h->cmsg_type == IPV6_HOPLIMIT) {
			memcpy(&ttl, CMSG_DATA(h), sizeof(ttl));
		}
		if ((size_t)n >= skip)
			on_message(p, p->data + skip, (size_t)n - skip, &e.addr, ttl, now_ns);
	}
}

/* ---- the run --------------------------------------------------------------------------------- */

static void set_option(struct ping *p, int level, int name, int value)
{
	pc_setsockopt(p->st, p->fd, level, name, &value, sizeof(value));
}

/* Binds the socket to the port of a link-local destination. Returns 0 or -1 with errno. */
static int bind_to_port(struct ping *p)
{
	const int index = (int)p->plan->port + 1;

	return pc_setsockopt(p->st, p->fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof(index));
}

int ping_start(struct ping *p, struct pc_stack *st, const struct ping_plan *plan,
               const struct pc_addr *to)
{
	p->st = st;
	p->plan = plan;
	p->to = *to;
	p->id = (uint16_t)getpid();
	p->fd = is_ip4(p) ? pc_socket(st, AF_INET, SOCK_RAW, IPPROTO_ICMP)
	                  : pc_socket(st, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
	if (p->fd < 0 || (pc_addr_is_link_local(to) && bind_to_port(p) != 0))
		return -1;
	set_option(p, SOL_SOCKET, SO_BROADCAST, 1);
	set_option(p, SOL_SOCKET, SO_RCVBUF, 1 << 22);
	if (!is_ip4(p))
		set_option(p, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
	if (plan->pmtudisc >= 0)
		set_option(p, is_ip4(p) ? IPPROTO_IP : IPPROTO_IPV6,
		           is_ip4(p) ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, plan->pmtudisc);
	if (plan->ttl != 0)
		set_option(p, is_ip4(p) ? IPPROTO_IP : IPPROTO_IPV6,
		           is_ip4(p) ? IP_TTL : IPV6_UNICAST_HOPS, (int)plan->ttl);
	return 0;
}

bool ping_turn(struct ping *p, uint64_t now_ns)
{
	const struct ping_plan *plan = p->plan;
	const struct ping_stats *s = &p->stats;
	const bool all = plan->count != 0 && s->sent == plan->count;

	receive(p, now_ns);
	if (all)
		return s->received + s->errors < s->sent &&
		       now_ns < p->next_ns - plan->interval_ms * MS_NS + plan->timeout_ms * MS_NS;
	if (p->begin_ns == 0)
		p->begin_ns = now_ns;
	if (now_ns >= p->next_ns) {
		send_request(p, now_ns);
		p->next_ns = now_ns + (s->sent > 0 ? plan->interval_ms : 100) * MS_NS;
	}
	return true;
}

int ping_report(const struct ping *p, const char *name)
{
	const struct ping_stats *s = &p->stats;
	const double n = s->received > 0 ? (double)s->received : 1;
	const double mean = (double)s->sum_ns / n;
	const double spread = sqrt(fmax(0, s->sum_square / n - mean * mean));

	printf("\n--- %s ping statistics ---\n", name);
	printf("%" PRIu64 " packets transmitted, %" PRIu64 " received", s->sent, s->received);
	if (s->duplicates > 0)
		printf(", +%" PRIu64 " duplicates", s->duplicates);
	if (s->errors > 0)
		printf(", +%" PRIu64 " errors", s->errors);
	printf(", %.6g%% packet loss, time %" PRIu64 "ms\n",
	       s->sent > 0 ? 100.0 * (double)(s->sent - s->received) / (double)s->sent : 0,
	       (s->last_ns - s->first_ns) / MS_NS);
	if (s->received > 0)
		printf("rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", (double)s->min_ns / MS_NS,
		       mean / MS_NS, (double)s->max_ns / MS_NS, spread / MS_NS);
	fflush(stdout);
	return s->received > 0 ? 0 : 1;
}
