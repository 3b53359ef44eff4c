/* SPDX-License-Identifier: BSD-2-Clause */

/* Equal routes: flows are shared by addresses and ports, and each keeps its path. */

#include <arpa/inet.h>
#include <stdlib.h>

#include <percore/control.h>

#include "frame.h"
#include "wt.h"

#define FAR   "198.51.100.7"
#define NET   "198.51.100.0/24"
#define FLOWS 32

/* the last bytes of the gateways' MAC addresses */
enum { ONE = 0x11, TWO = 0x12 };

static struct pc_route route(const char *dest, const char *gateway)
{
	struct pc_route r = {.port = -1};

	if (pc_prefix_parse(dest, &r.dest) != 0 || pc_addr_parse(gateway, &r.gateway) != 0)
		abort();
	return r;
}

static struct pc_route by(unsigned gateway)
{
	return route(NET, gateway == ONE ? "192.0.2.251" : "192.0.2.252");
}

static void know(struct wt *w, unsigned gateway)
{
	const struct pc_route r = by(gateway);
	const uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)gateway};

	OK(pc_stack_set_neigh(w->st, 0, &r.gateway, mac));
	OK(pc_route_add(w->st, &r));
}

static void start(struct wt *w)
{
	wt_start(w);
	wt_settle(w);
	wt_drop(w);
	know(w, ONE);
	know(w, TWO);
}

/* Every path is looked up anew. */
static void outdate(struct wt *w)
{
	const struct pc_route other = route("203.0.113.0/24", "192.0.2.251");

	OK(pc_route_add(w->st, &other));
	OK(pc_route_del(w->st, &other));
}

/* Which gateway the next frame goes by, which must be there. */
static uint8_t next_by(struct wt *w, double ms)
{
	const struct frame *f = wt_next_frame(w, ms);

	if (f == NULL)
		wt_fail(w, WT_HERE, "nothing was sent");
	return f->b[5];
}

/* Fails unless both gateways have a fair share. */
static void check_shared(struct wt *w, const uint8_t *way, unsigned n)
{
	unsigned one = 0;

	for (unsigned i = 0; i < n; i++) {
		CHECK(way[i] == ONE || way[i] == TWO);
		one += way[i] == ONE;
	}
	IN(one, n / 5, n - n / 5);
}

static void send_tcp(struct wt *w, uint16_t pport, uint8_t flags, uint32_t seq, uint32_t ack,
                     uint16_t len)
{
	static const uint8_t data[100];
	const struct tcp_seg s = {.sport = pport,
	                          .dport = WT_PORT,
	                          .seq = seq,
	                          .ack = ack,
	                          .flags = flags,
	                          .wnd = 60000,
	                          .len = len};
	struct frame_ends e = wt_ends(w);
	struct frame f;

	e.src_be = inet_addr(FAR);
	frame_tcp(&f, &e, &s, data, NULL, 0);
	wt_inject_frame(w, &f);
}

/* From the SYN-ACK on, also when that is repeated and when all paths are looked up anew. */
static void passive(struct wt *w)
{
	uint8_t way[FLOWS];

	start(w);
	wt_listen(w, FLOWS);
	for (unsigned i = 0; i < FLOWS; i++) {
		const uint16_t port = (uint16_t)(20000 + i);
		const struct frame *f;
		struct frame_info info;
		uint32_t iss;

		send_tcp(w, port, TCP_SYN, 1000, 0, 0);
		f = wt_next_frame(w, 0);
		CHECK(f != NULL && frame_read(f, &info) == NULL &&
		      info.seg.flags == (TCP_SYN | TCP_ACK));
		iss = info.seg.seq;
		way[i] = f->b[5];
		outdate(w);
		send_tcp(w, port, TCP_SYN, 1000, 0, 0);
		EQ(next_by(w, 0), way[i]);
		send_tcp(w, port, TCP_ACK, 1001, iss + 1, 0);
		send_tcp(w, port, TCP_ACK | TCP_PSH, 1001, iss + 1, 100);
		EQ(next_by(w, 300), way[i]);
		outdate(w);
		send_tcp(w, port, TCP_ACK | TCP_PSH, 1101, iss + 1, 100);
		EQ(next_by(w, 300), way[i]);
		wt_drop(w);
	}
	check_shared(w, way, FLOWS);
}

static void active(struct wt *w)
{
	const struct sockaddr_in a = wt_addr(FAR, 443);
	uint8_t way[FLOWS];

	start(w);
	for (unsigned i = 0; i < FLOWS; i++) {
		const int fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);

		ERR(pc_connect(w->st, fd, (const struct sockaddr *)&a, sizeof(a)), EINPROGRESS);
		way[i] = next_by(w, 0);
		outdate(w);
		EQ(next_by(w, 1100), way[i]); /* the SYN once more */
		OK(pc_close(w->st, fd));
		wt_drop(w);
	}
	check_shared(w, way, FLOWS);
}

static uint8_t datagram(struct wt *w, int fd, uint16_t port)
{
	const struct sockaddr_in a = wt_addr(FAR, port);

	EQ(pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&a, sizeof(a)), 1);
	return next_by(w, 0);
}

/* One socket to many ports, in either order; connected ones. */
static void datagrams(struct wt *w)
{
	int fd;
	uint8_t way[FLOWS];

	start(w);
	fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);
	for (unsigned i = 0; i < FLOWS; i++)
		way[i] = datagram(w, fd, (uint16_t)(i + 1));
	outdate(w);
	for (unsigned i = FLOWS; i-- > 0;) {
		EQ(datagram(w, fd, (uint16_t)(i + 1)), way[i]);
		EQ(datagram(w, fd, (uint16_t)(i + 1)), way[i]);
	}
	check_shared(w, way, FLOWS);
	OK(pc_close(w->st, fd));
	for (unsigned i = 0; i < FLOWS; i++) {
		const struct sockaddr_in a = wt_addr(FAR, 53);

		fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);
		OK(pc_connect(w->st, fd, (const struct sockaddr *)&a, sizeof(a)));
		for (unsigned k = 0; k < 2; k++) {
			EQ(pc_send(w->st, fd, "x", 1, 0), 1);
			if (k == 0)
				way[i] = next_by(w, 0);
			else
				EQ(next_by(w, 0), way[i]);
			outdate(w);
		}
		OK(pc_close(w->st, fd));
	}
	check_shared(w, way, FLOWS);
}

/* The fragments of a datagram have no ports of their own, and go the way of the whole. */
static void fragments(struct wt *w)
{
	static const uint8_t data[4000];
	const int fd = (start(w), pc_socket(w->st, AF_INET, SOCK_DGRAM, 0));
	uint8_t way[FLOWS];

	for (unsigned i = 0; i < FLOWS; i++) {
		const struct sockaddr_in a = wt_addr(FAR, (uint16_t)(i + 1));

		way[i] = datagram(w, fd, (uint16_t)(i + 1));
		EQ(pc_sendto(w->st, fd, data, sizeof(data), 0, (const struct sockaddr *)&a,
		             sizeof(a)),
		   (ssize_t)sizeof(data));
		for (unsigned k = 0; k < 3; k++)
			EQ(next_by(w, 0), way[i]);
	}
	check_shared(w, way, FLOWS);
}

/* Without ports in the hash a destination has one path; echoes have none in any case. */
static void by_address(struct wt *w)
{
	uint8_t way;
	int fd;

	w->cfg.ip_multipath_hash = 0;
	start(w);
	fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);
	way = datagram(w, fd, 1);
	for (unsigned i = 1; i < FLOWS; i++)
		EQ(datagram(w, fd, (uint16_t)(i + 1)), way);
}

/* A gateway that goes takes its own flows along and no others, and gets them back. */
static void gateway_goes(struct wt *w)
{
	const struct pc_route two = by(TWO);
	uint8_t way[FLOWS];
	int fd;

	start(w);
	fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);
	for (unsigned i = 0; i < FLOWS; i++)
		way[i] = datagram(w, fd, (uint16_t)(i + 1));
	OK(pc_route_del(w->st, &two));
	for (unsigned i = 0; i < FLOWS; i++)
		EQ(datagram(w, fd, (uint16_t)(i + 1)), ONE);
	OK(pc_route_add(w->st, &two));
	for (unsigned i = 0; i < FLOWS; i++)
		EQ(datagram(w, fd, (uint16_t)(i + 1)), way[i]);
}

static void weights(struct wt *w)
{
	struct pc_route two = by(TWO);
	struct pc_route_info list[8];
	unsigned n[2] = {0}, seen = 0;
	int fd;

	start(w);
	OK(pc_route_del(w->st, &two));
	two.weight = 257;
	ERR(pc_route_add(w->st, &two), EINVAL);
	two.weight = 7;
	OK(pc_route_add(w->st, &two));
	fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);
	for (unsigned i = 0; i < 800; i++)
		n[datagram(w, fd, (uint16_t)(i + 1)) == TWO]++;
	IN(n[0], 60, 145); /* of 100 on the average */
	for (unsigned i = 0, all = pc_route_list(w->st, list, 8); i < all; i++)
		seen += list[i].route.weight == 7;
	EQ(seen, 1);
	EQ(pc_stack_validate(w->st, NULL), 0);
}

static const struct wt_case cases[] = {
    {"RFC 2991 4: a connection from outside keeps its path", passive},
    {"RFC 2991 4: a connection of ours keeps its path", active},
    {"RFC 2991 4: datagrams keep the path of their ports", datagrams},
    {"fragments go the way of their datagram", fragments},
    {"ip.multipath_hash 0: a destination has one path", by_address},
    {"RFC 2991 4: only the flows of a gateway that goes move", gateway_goes},
    {"weights", weights},
};

WT_MAIN("multipath")
