/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of search.c that set and read options, with right and wrong lengths. */

#include "search.h"

#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

enum {
	READ = 1, /* set by nobody: it would make results depend on time or on sizes of buffers */
	NO_VALUE =
	    2, /* not compared: it differs from machine to machine, or an accepted socket has it of a packet */
};

static const struct {
	int level, name;
	unsigned flags;
	unsigned size;
} options[] = {
    {SOL_SOCKET, SO_DEBUG, 0, 4},
    {SOL_SOCKET, SO_REUSEADDR, 0, 4},
    {SOL_SOCKET, SO_REUSEADDR, 0, 4},
    {SOL_SOCKET, SO_TYPE, 0, 4},
    {SOL_SOCKET, SO_ERROR, 0, 4},
    {SOL_SOCKET, SO_DONTROUTE, 0, 4},
    {SOL_SOCKET, SO_BROADCAST, 0, 4},
    {SOL_SOCKET, SO_SNDBUF, READ | NO_VALUE, 4},
    {SOL_SOCKET, SO_RCVBUF, READ | NO_VALUE, 4},
    {SOL_SOCKET, SO_KEEPALIVE, 0, 4},
    {SOL_SOCKET, SO_OOBINLINE, 0, 4},
    {SOL_SOCKET, SO_NO_CHECK, 0, 4},
    {SOL_SOCKET, SO_PRIORITY, 0, 4},
    {SOL_SOCKET, SO_LINGER, 0, 8},
    {SOL_SOCKET, SO_REUSEPORT, 0, 4},
    {SOL_SOCKET, SO_REUSEPORT, 0, 4},
    {SOL_SOCKET, SO_PASSCRED, 0, 4},
    {SOL_SOCKET, SO_PEERCRED, NO_VALUE, 12},
    {SOL_SOCKET, SO_RCVLOWAT, 0, 4},
    {SOL_SOCKET, SO_SNDLOWAT, 0, 4},
    {SOL_SOCKET, SO_RCVTIMEO, 0, 16},
    {SOL_SOCKET, SO_SNDTIMEO, 0, 16},
    {SOL_SOCKET, SO_TIMESTAMP, READ, 4},
    {SOL_SOCKET, SO_ACCEPTCONN, 0, 4},
    {SOL_SOCKET, SO_TIMESTAMPNS, READ, 4},
    {SOL_SOCKET, SO_MARK, 0, 4},
    {SOL_SOCKET, SO_TIMESTAMPING, READ, 4},
    {SOL_SOCKET, SO_PROTOCOL, 0, 4},
    {SOL_SOCKET, SO_DOMAIN, 0, 4},
    {SOL_SOCKET, SO_PEEK_OFF, 0, 4},
    {SOL_SOCKET, SO_LOCK_FILTER, READ, 4},
    {SOL_SOCKET, SO_SELECT_ERR_QUEUE, 0, 4},
    {SOL_SOCKET, SO_BUSY_POLL, 0, 4},
    {SOL_SOCKET, SO_MAX_PACING_RATE, READ, 4},
    {SOL_SOCKET, SO_INCOMING_CPU, READ | NO_VALUE, 4},
    {SOL_SOCKET, SO_COOKIE, NO_VALUE, 8},
    {SOL_SOCKET, SO_ZEROCOPY, 0, 4},
    {SOL_SOCKET, SO_BINDTOIFINDEX, READ, 4},
    {SOL_SOCKET, 999, 0, 4},
    {IPPROTO_IP, IP_TOS, 0, 4},
    {IPPROTO_IP, IP_TTL, READ, 4},
    {IPPROTO_IP, IP_RECVERR, 0, 4},
    {IPPROTO_IP, IP_RECVERR, 0, 4},
    {IPPROTO_IP, IP_MTU_DISCOVER, 0, 4},
    {IPPROTO_IP, IP_FREEBIND, READ, 4},
    {IPPROTO_IP, IP_TRANSPARENT, READ, 4},
    {IPPROTO_IP, IP_MINTTL, 0, 4},
    {IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, READ, 4},
    {IPPROTO_IP, IP_MULTICAST_TTL, NO_VALUE, 4},
    {IPPROTO_IP, IP_MULTICAST_LOOP, 0, 4},
    {IPPROTO_IP, IP_MULTICAST_ALL, NO_VALUE, 4},
    {IPPROTO_IP, IP_UNICAST_IF, READ, 4},
    {IPPROTO_IP, IP_NODEFRAG, 0, 4},
    {IPPROTO_IP, IP_CHECKSUM, READ, 4},
    {IPPROTO_IP, 47, 0, 4},
    {IPPROTO_IPV6, IPV6_V6ONLY, 0, 4},
    {IPPROTO_IPV6, IPV6_V6ONLY, 0, 4},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS, READ, 4},
    {IPPROTO_IPV6, IPV6_MULTICAST_HOPS, NO_VALUE, 4},
    {IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0, 4},
    {IPPROTO_IPV6, IPV6_MULTICAST_IF, READ | NO_VALUE, 4},
    {IPPROTO_IPV6, IPV6_MTU_DISCOVER, 0, 4},
    {IPPROTO_IPV6, IPV6_RECVERR, 0, 4},
    {IPPROTO_IPV6, IPV6_RECVERR, 0, 4},
    {IPPROTO_IPV6, IPV6_TCLASS, 0, 4},
    {IPPROTO_IPV6, IPV6_DONTFRAG, 0, 4},
    {IPPROTO_IPV6, IPV6_MINHOPCOUNT, 0, 4},
    {IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, READ, 4},
    {IPPROTO_IPV6, IPV6_FREEBIND, READ, 4},
    {IPPROTO_IPV6, 199, 0, 4},
    {IPPROTO_TCP, TCP_NODELAY, READ, 4},
    {IPPROTO_TCP, TCP_MAXSEG, READ | NO_VALUE, 4},
    {IPPROTO_TCP, TCP_CORK, READ, 4},
    {IPPROTO_TCP, TCP_KEEPIDLE, 0, 4},
    {IPPROTO_TCP, TCP_KEEPINTVL, 0, 4},
    {IPPROTO_TCP, TCP_KEEPCNT, 0, 4},
    {IPPROTO_TCP, TCP_SYNCNT, 0, 4},
    {IPPROTO_TCP, TCP_LINGER2, 0, 4},
    {IPPROTO_TCP, TCP_DEFER_ACCEPT, READ, 4},
    {IPPROTO_TCP, TCP_WINDOW_CLAMP, READ | NO_VALUE, 4},
    {IPPROTO_TCP, TCP_QUICKACK, READ | NO_VALUE, 4},
    {IPPROTO_TCP, TCP_USER_TIMEOUT, READ, 4},
    {IPPROTO_TCP, TCP_FASTOPEN, READ, 4},
    {IPPROTO_TCP, TCP_FASTOPEN_CONNECT, READ, 4},
    {IPPROTO_TCP, TCP_NOTSENT_LOWAT, READ, 4},
    {IPPROTO_TCP, TCP_INQ, 0, 4},
    {IPPROTO_TCP, TCP_THIN_DUPACK, 0, 4},
    {IPPROTO_TCP, 999, 0, 4},
    {SOL_UDP, UDP_CORK, READ, 4},
    {SOL_UDP, UDP_SEGMENT, READ, 4},
    {SOL_UDP, UDP_GRO, READ, 4},
    {SOL_UDP, 99, 0, 4},
    {777, 1, 0, 4},
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

static unsigned draw_option(struct world *w)
{
	return search_dice(w, OPTIONS);
}

void search_set_option(struct world *w, unsigned slot)
{
	static const int values[] = {0, 0,  1,  1,  1,  2,   3,   4,    5,
	                             6, -1, -2, 16, 64, 255, 256, 1000, 100000};
	static const socklen_t lens[] = {0, 1, 2, 3, 4, 5, 8, 12, 16, 20, 100, (socklen_t)-1};
	const unsigned i = draw_option(w);
	int value[32] = {SEARCH_PICK(w, values), SEARCH_PICK(w, values)};
	socklen_t len = options[i].size;

	if (search_dice(w, 5) == 0)
		len = SEARCH_PICK(w, lens);
	if (options[i].size == 16) {
		memset(value, 0, sizeof(value));
		value[search_dice(w, 4)] = SEARCH_PICK(w, values);
	}
	if (options[i].flags & READ) {
		bed_log(&w->l->bed, "nothing\n");
		return;
	}
	bed_log(&w->l->bed, "%d %d len %d %x %x ", options[i].level, options[i].name, (int)len,
	        (unsigned)value[0], (unsigned)value[1]);
	live_log(w->l, "set",
	         w->l->c->setsockopt(w->fd[slot], options[i].level, options[i].name, value, len));
}

void search_get_option(struct world *w, unsigned slot)
{
	static const socklen_t lens[] = {0, 1, 2, 3, 4, 5, 8, 12, 16, 20, 100, (socklen_t)-1};
	const unsigned i = draw_option(w);
	unsigned char value[100];
	socklen_t len = options[i].size;

	if (search_dice(w, 4) == 0)
		len = SEARCH_PICK(w, lens);
	if (options[i].level != SOL_SOCKET && (int)len < 0) /* some levels take it for much room */
		len = sizeof(value);
	memset(value, 0xaa, sizeof(value));
	bed_log(&w->l->bed, "%d %d len %d ", options[i].level, options[i].name, (int)len);
	live_log(w->l, "get",
	         w->l->c->getsockopt(w->fd[slot], options[i].level, options[i].name, value, &len));
	bed_log(&w->l->bed, " %d ", (int)len);
	for (unsigned k = 0; k < len && k < 16 && !(options[i].flags & NO_VALUE); k++)
		bed_log(&w->l->bed, "%02x", value[k]);
	bed_log(&w->l->bed, "\n");
}

void search_tell(struct world *w, unsigned slot)
{
	static const struct {
		int level, name;
	} told[] = {
	    {IPPROTO_IP, IP_PKTINFO},          {IPPROTO_IP, IP_RECVTTL},
	    {IPPROTO_IP, IP_RECVTOS},          {IPPROTO_IP, IP_RECVORIGDSTADDR},
	    {IPPROTO_IP, IP_RECVERR},          {IPPROTO_IP, IP_RECVOPTS},
	    {IPPROTO_IP, IP_RETOPTS},          {IPPROTO_IPV6, IPV6_RECVPKTINFO},
	    {IPPROTO_IPV6, IPV6_RECVHOPLIMIT}, {IPPROTO_IPV6, IPV6_RECVTCLASS},
	    {IPPROTO_IPV6, IPV6_RECVERR},      {IPPROTO_IPV6, IPV6_RECVORIGDSTADDR},
	    {SOL_SOCKET, SO_TIMESTAMP},        {SOL_SOCKET, SO_TIMESTAMPNS},
	    {SOL_SOCKET, SO_RXQ_OVFL},         {SOL_UDP, UDP_GRO},
	    {IPPROTO_IPV6, IPV6_RECVFRAGSIZE}, {IPPROTO_IP, IP_RECVFRAGSIZE},
	};
	const unsigned i = search_dice(w, sizeof(told) / sizeof(told[0]));
	const int on = search_dice(w, 5) > 0;

	if (w->stream[slot] && told[i].level == SOL_SOCKET) { /* no times with streams here */
		bed_log(&w->l->bed, "nothing\n");
		return;
	}
	bed_log(&w->l->bed, "%d %d %d ", told[i].level, told[i].name, on);
	live_log(w->l, "tell",
	         w->l->c->setsockopt(w->fd[slot], told[i].level, told[i].name, &on, sizeof(on)));
}
