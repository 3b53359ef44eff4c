/* SPDX-License-Identifier: BSD-2-Clause */

/* What a stack tells of its sockets, connections, neighbours and denied networks (percore/inspect.h). */

#include <percore/control.h>
#include <percore/inspect.h>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <string.h>

#include "wt.h"

#define MOST 64

/* every state, as TCP_INFO numbers them */
enum {
	ESTAB = 1,
	SYN_SENT,
	SYN_RECV,
	FIN_WAIT_1,
	FIN_WAIT_2,
	TIME_WAIT,
	CLOSE,
	CLOSE_WAIT,
	LAST_ACK,
	LISTEN,
	CLOSING
};

static struct pc_socket_info list[MOST];

/* all that match, by steps of few */
static unsigned walk(const struct wt *w, const struct pc_socket_match *m, unsigned step)
{
	struct pc_socket_walk at = {0};
	unsigned n = 0;

	while (!at.done && n + step <= MOST)
		n += pc_stack_walk_sockets(w->st, &at, m, list + n, step);
	return n;
}

static unsigned in_state(const struct wt *w, unsigned state)
{
	return walk(w, &(struct pc_socket_match){.states = 1u << state}, 4);
}

/* the connection of the test, and no other, is in a state */
static void is_in(struct wt *w, unsigned state, bool has_fd)
{
	struct pc_endpoint peer = {.port = w->flow.pport};

	EQ(in_state(w, state), 1);
	EQ(list[0].proto, IPPROTO_TCP);
	EQ(list[0].family, wt_ip6 ? AF_INET6 : AF_INET);
	EQ(list[0].local.port, w->flow.lport);
	EQ(list[0].remote.port, peer.port);
	CHECK(!pc_addr_is_any(&list[0].local.addr) && !pc_addr_is_any(&list[0].remote.addr));
	EQ(list[0].fd, has_fd ? w->flow.fd : -1);
}

static void nothing(struct wt *w)
{
	wt_start(w);
	EQ(walk(w, &(struct pc_socket_match){0}, 1), 0);
}

static void listening(struct wt *w)
{
	wt_listen(w, 7);
	wt_syn_received(w);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	EQ(in_state(w, LISTEN), 1);
	EQ(list[0].fd, w->lfd);
	EQ(list[0].rcv_queue, 1); /* waits for accept() */
	EQ(list[0].snd_queue, 7);
	EQ(list[0].local.port, w->flow.lport);
	EQ(list[0].remote.port, 0);
	is_in(w, ESTAB, false); /* nobody has it yet */
	wt_accept(w);
	is_in(w, ESTAB, true);
}

/* ---- a state each ---------------------------------------------------------------------------- */

static void syn_sent(struct wt *w)
{
	wt_syn_sent(w);
	is_in(w, SYN_SENT, true);
}

static void syn_received(struct wt *w)
{
	wt_syn_received(w);
	is_in(w, SYN_RECV, false);
	EQ(list[0].retries, 0);
	wt_pass(w, 1100);
	EQ(in_state(w, SYN_RECV), 1);
	EQ(list[0].retries, 1);
	wt_drop(w);
}

static void established(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 30);
	wt_send(w, 100);
	EXPECT(.flags = PA, .seq = 1, .ack = 31, .len = 100);
	is_in(w, ESTAB, true);
	EQ(list[0].rcv_queue, 30);
	EQ(list[0].snd_queue, 100);
	IN(list[0].cwnd, list[0].mss, 64 * 1460);
	wt_pass(w, 3000);
	is_in(w, ESTAB, true);
	IN(list[0].retries, 1, 8);
	IN(list[0].idle_ms, 2990, 3010);
	wt_drop(w);
}

static void fin_wait_1(struct wt *w)
{
	wt_fin_wait_1(w);
	is_in(w, FIN_WAIT_1, list[0].fd >= 0);
}

static void fin_wait_2(struct wt *w)
{
	wt_fin_wait_2(w);
	EQ(in_state(w, FIN_WAIT_2), 1);
}

static void closing(struct wt *w)
{
	wt_closing(w);
	EQ(in_state(w, CLOSING), 1);
}

static void time_wait(struct wt *w)
{
	wt_time_wait(w);
	is_in(w, TIME_WAIT, false);
	wt_pass(w, 2.0 * (double)w->cfg.tcp_msl_ms + 1000);
	EQ(in_state(w, TIME_WAIT), 0);
}

static void close_wait(struct wt *w)
{
	wt_close_wait(w);
	is_in(w, CLOSE_WAIT, true);
}

static void last_ack(struct wt *w)
{
	wt_last_ack(w);
	is_in(w, LAST_ACK, false);
}

/* a socket that is only bound, and one that is not even that */
static void unconnected(struct wt *w)
{
	struct sockaddr_in a = wt_addr("0.0.0.0", 4321);
	int bound;

	wt_start(w);
	CHECK(pc_socket(w->st, AF_INET, SOCK_STREAM, 0) >= 0);
	bound = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	OK(pc_bind(w->st, bound, (struct sockaddr *)&a, sizeof(a)));
	EQ(in_state(w, CLOSE), 2);
	EQ(walk(w, &(struct pc_socket_match){.port = 4321}, 4), 1);
	EQ(list[0].fd, bound);
	EQ(list[0].family, AF_INET);
	CHECK(pc_addr_is_ip4(&list[0].local.addr));
}

/* ---- datagrams ------------------------------------------------------------------------------- */

static void datagrams(struct wt *w)
{
	struct sockaddr_in a = wt_addr("0.0.0.0", 53), to = wt_addr("0.0.0.0", 9);
	int fd;

	wt_start(w);
	to.sin_addr.s_addr = w->flow.peer_be;
	fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);
	OK(pc_bind(w->st, fd, (struct sockaddr *)&a, sizeof(a)));
	EQ(walk(w, &(struct pc_socket_match){.proto = IPPROTO_UDP}, 4), 1);
	EQ(list[0].fd, fd);
	EQ(list[0].state, CLOSE);
	EQ(list[0].local.port, 53);
	EQ(list[0].remote.port, 0);
	OK(pc_connect(w->st, fd, (struct sockaddr *)&to, sizeof(to)));
	EQ(walk(w, &(struct pc_socket_match){.proto = IPPROTO_UDP, .states = 1u << ESTAB}, 4), 1);
	EQ(list[0].remote.port, 9);
	EQ(walk(w, &(struct pc_socket_match){.proto = IPPROTO_TCP}, 4), 0);
	OK(pc_close(w->st, fd));
	EQ(walk(w, &(struct pc_socket_match){0}, 4), 0);
}

/* ---- raw and packet sockets ------------------------------------------------------------------ */

static unsigned of_kind(const struct wt *w, uint8_t kind)
{
	return walk(w, &(struct pc_socket_match){.kind = kind}, 4);
}

static void raw(struct wt *w)
{
	struct sockaddr_in to = wt_addr(WT_PEER, 0);
	struct pc_socket_match peer = {.has_peer = true};
	const int port = 1;
	int fd, fd6;

	wt_start(w);
	OK(fd = pc_socket(w->st, AF_INET, SOCK_RAW, IPPROTO_UDP));
	EQ(walk(w, &(struct pc_socket_match){0}, 4), 1);
	EQ(of_kind(w, PC_SOCKET_PACKET), 0);
	EQ(of_kind(w, PC_SOCKET_RAW), 1);
	EQ(list[0].fd, fd);
	EQ(list[0].kind, PC_SOCKET_RAW);
	EQ(list[0].proto, IPPROTO_UDP);
	EQ(list[0].family, AF_INET);
	EQ(list[0].state, CLOSE);
	EQ(list[0].ifindex, 0);
	CHECK(pc_addr_is_ip4(&list[0].local.addr) && pc_addr_is_ip4(&list[0].remote.addr));
	/* it is no UDP socket, and has no peer yet */
	EQ(walk(w, &(struct pc_socket_match){.proto = IPPROTO_UDP}, 4), 0);
	OK(pc_prefix_parse("0.0.0.0/0", &peer.peer));
	EQ(walk(w, &peer, 4), 0);
	OK(pc_connect(w->st, fd, (struct sockaddr *)&to, sizeof(to)));
	OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_BINDTOIFINDEX, &port, sizeof(port)));
	EQ(walk(w, &peer, 4), 1);
	EQ(list[0].state, ESTAB);
	EQ(list[0].ifindex, 1);
	OK(fd6 = pc_socket(w->st, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6));
	EQ(of_kind(w, PC_SOCKET_RAW), 2);
	OK(pc_close(w->st, fd));
	EQ(of_kind(w, PC_SOCKET_RAW), 1);
	EQ(list[0].fd, fd6);
	EQ(list[0].family, AF_INET6);
	CHECK(pc_addr_is_any(&list[0].local.addr));
	OK(pc_close(w->st, fd6));
	EQ(of_kind(w, 0), 0);
}

static void packet(struct wt *w)
{
	struct sockaddr_ll ll = {
	    .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP), .sll_ifindex = 1};
	int fd;

	wt_start(w);
	OK(fd = pc_socket(w->st, AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)));
	EQ(of_kind(w, PC_SOCKET_RAW), 0);
	EQ(of_kind(w, PC_SOCKET_PACKET), 1);
	EQ(list[0].fd, fd);
	EQ(list[0].family, AF_PACKET);
	EQ(list[0].ethertype, ETH_P_ALL);
	EQ(list[0].ifindex, 0);
	EQ(list[0].state, CLOSE);
	OK(pc_bind(w->st, fd, (struct sockaddr *)&ll, sizeof(ll)));
	EQ(of_kind(w, PC_SOCKET_PACKET), 1);
	EQ(list[0].ethertype, ETH_P_ARP);
	EQ(list[0].ifindex, 1);
	OK(pc_close(w->st, fd));
}

/* ---- many, and some of them ------------------------------------------------------------------ */

/* the walk goes on where it stopped, whatever the size of its steps, and misses none */
static void in_steps(struct wt *w)
{
	const struct pc_socket_match estab = {.states = 1u << ESTAB};

	wt_established(w);
	for (int i = 0; i < 9; i++) {
		wt_flow(w);
		wt_syn_received(w);
		INJECT(.flags = A, .seq = 1, .ack = 1);
		wt_accept(w);
	}
	for (unsigned step = 1; step <= 11; step++) {
		EQ(walk(w, &estab, step), 10);
		for (unsigned i = 0; i < 10; i++)
			for (unsigned k = 0; k < i; k++)
				CHECK(list[i].fd != list[k].fd);
	}
	EQ(walk(w, &(struct pc_socket_match){0}, 7), 11);
}

/* a walk through places of which few are taken ends, and takes more calls than one */
static void far_apart(struct wt *w)
{
	struct pc_socket_walk at = {0};
	int fd[1500], last;
	unsigned n = 0, calls = 0;

	w->cfg.stack_max_connections = 2000;
	wt_start(w);
	for (unsigned i = 0; i < 1500; i++)
		CHECK((fd[i] = pc_socket(w->st, AF_INET, SOCK_STREAM, 0)) >= 0);
	for (unsigned i = 0; i < 1499; i++)
		OK(pc_close(w->st, fd[i]));
	last = fd[1499];
	for (; !at.done && calls < 10; calls++)
		n += pc_stack_walk_sockets(w->st, &at, &(struct pc_socket_match){0}, list, MOST);
	EQ(n, 1);
	EQ(list[0].fd, last);
	IN(calls, 2, 3);
}

static void some_of_them(struct wt *w)
{
	struct pc_socket_match m = {.has_peer = true};

	wt_established(w);
	EQ(walk(w, &(struct pc_socket_match){.port = w->flow.lport}, 4), 2); /* the listener, too */
	EQ(walk(w, &(struct pc_socket_match){.port = w->flow.pport}, 4), 1);
	OK(pc_prefix_parse(wt_ip6 ? "::/0" : "0.0.0.0/0", &m.peer));
	EQ(walk(w, &m, 4), 1);
	OK(pc_prefix_parse("203.0.113.0/24", &m.peer));
	EQ(walk(w, &m, 4), 0);
}

/* ---- neighbours and networks ----------------------------------------------------------------- */

static void neighbours(struct wt *w)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
	struct pc_neigh_info e[8];
	struct pc_addr a;
	unsigned n, fixed = 0, reachable = 0;

	wt_established(w);
	n = pc_stack_get_neighs(w->st, 0, e, 8);
	OK(pc_addr_parse("10.0.0.77", &a));
	OK(pc_stack_set_neigh(w->st, 0, &a, mac));
	EQ(pc_stack_get_neighs(w->st, 0, e, 8), n + 1);
	for (unsigned i = 0; i < n + 1; i++) {
		reachable += e[i].state == PC_NEIGH_REACHABLE;
		if (!e[i].fixed)
			continue;
		fixed++;
		CHECK(pc_addr_equal(&e[i].addr, &a) && memcmp(e[i].mac, mac, 6) == 0);
		EQ(e[i].port, 0);
	}
	EQ(fixed, 1);
	IN(reachable, 1, n + 1);
	/* a part of the list */
	memset(e, 0xff, sizeof(e));
	EQ(pc_stack_get_neighs(w->st, n, e, 1), n + 1);
	EQ(e[0].port, 0);
	EQ(e[1].port, -1);
}

static void networks(struct wt *w)
{
	struct pc_prefix p[2], got[3];

	wt_start(w);
	EQ(pc_stack_get_denied(w->st, 0, got, 3), 0);
	OK(pc_prefix_parse("203.0.113.0/24", &p[0]));
	OK(pc_prefix_parse("2001:db8::/32", &p[1]));
	OK(pc_stack_deny(w->st, &p[0]));
	OK(pc_stack_deny(w->st, &p[1]));
	EQ(pc_stack_get_denied(w->st, 0, got, 3), 2);
	CHECK(pc_addr_equal(&got[0].addr, &p[0].addr) && got[0].len == p[0].len);
	EQ(pc_stack_get_denied(w->st, 1, got, 3), 2);
	CHECK(pc_addr_equal(&got[0].addr, &p[1].addr));
}

static const struct wt_case cases[] = {
    {"nothing", nothing},
    {"a listener, and who waits for accept()", listening},
    {"SYN-SENT", syn_sent},
    {"SYN-RECEIVED, asked again", syn_received},
    {"ESTABLISHED, with what waits, and a silent peer", established},
    {"FIN-WAIT-1", fin_wait_1},
    {"FIN-WAIT-2", fin_wait_2},
    {"CLOSING", closing},
    {"TIME-WAIT, and its end", time_wait},
    {"CLOSE-WAIT", close_wait},
    {"LAST-ACK", last_ack},
    {"sockets without a connection (IPv4)", unconnected},
    {"datagram sockets (IPv4)", datagrams},
    {"raw sockets (IPv4)", raw},
    {"packet sockets", packet},
    {"walks in steps of any size", in_steps},
    {"a walk looks at so many places in a call (IPv4)", far_apart},
    {"by port and by peer", some_of_them},
    {"neighbours (IPv4)", neighbours},
    {"denied networks", networks},
};

WT_MAIN("inspect")
