/* SPDX-License-Identifier: BSD-2-Clause */
/* percore-echo's services on one stack, and a client on another, over a wire in memory. */
#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include <rte_mbuf.h>

#include "../../support/eal.h"
#include "../unit.h"
#include "services.h"

#define SERVER       0x0a000001
#define CLIENT       0x0a000002
#define ECHO_PORT    7
#define DISCARD_PORT 9
#define SOURCE_PORT  19

static struct rte_mempool *pool;
static struct pc_port *ends[2];
static struct server *sv;
static struct pc_stack *cl;
static uint64_t now;

static struct pc_stack *make_stack(struct pc_port *port, uint32_t addr)
{
	const struct pc_prefix prefix = {.addr = pc_addr_ip4(htonl(addr)), .len = 96 + 24};
	struct pc_stack_config config;
	struct pc_stack *st;

	pc_stack_config_init(&config);
	config.stack_max_connections = 64;
	config.stack_seed = addr;
	config.tcp_sndbuf = config.tcp_sndbuf_max = 8192;
	config.tcp_rcvbuf = config.tcp_rcvbuf_max = 8192;
	st = pc_stack_create(&config, pool);
	CU_ASSERT_FATAL(st != NULL && pc_stack_add_port(st, port) == 0);
	CU_ASSERT_FATAL(pc_stack_add_addr(st, 0, &prefix) == 0);
	return st;
}

static void begin(void)
{
	const struct pc_wire_config wire = {.pool = pool};
	const uint32_t n = 1024;

	now = 1000000000;
	CU_ASSERT_FATAL(pc_port_wire(&wire, ends) == 0);
	sv = calloc(1, sizeof(*sv) + n * sizeof(sv->socks[0]));
	sv->st = make_stack(ends[0], SERVER);
	sv->nb_socks = n;
	sv->epoll = pc_epoll_create(sv->st);
	for (size_t i = 0; i < sizeof(sv->pattern); i++)
		sv->pattern[i] = (uint8_t)i;
	CU_ASSERT_EQUAL_FATAL(service_open(sv, SOCK_STREAM, ECHO_PORT, ECHO), 0);
	CU_ASSERT_EQUAL_FATAL(service_open(sv, SOCK_DGRAM, ECHO_PORT, ECHO), 0);
	CU_ASSERT_EQUAL_FATAL(service_open(sv, SOCK_STREAM, DISCARD_PORT, DISCARD), 0);
	CU_ASSERT_EQUAL_FATAL(service_open(sv, SOCK_DGRAM, DISCARD_PORT, DISCARD), 0);
	CU_ASSERT_EQUAL_FATAL(service_open(sv, SOCK_STREAM, SOURCE_PORT, SOURCE), 0);
	cl = make_stack(ends[1], CLIENT);
}

/* One turn of the server, one of the client; a millisecond passes. */
static void turn(void)
{
	now += 1000000;
	pc_stack_poll(sv->st, now);
	service_turn(sv);
	pc_stack_flush(sv->st, now);
	pc_stack_poll(cl, now);
	pc_stack_flush(cl, now);
}

static void turns(int n)
{
	while (n-- > 0)
		turn();
}

static uint32_t connections(void)
{
	struct pc_stack_usage usage;

	pc_stack_get_usage(sv->st, &usage);
	return usage.connections;
}

static void end(void)
{
	service_close_all(sv);
	CU_ASSERT_EQUAL(sv->nb_rests, 0);
	turns(20);
	pc_epoll_close(sv->st, sv->epoll);
	pc_stack_destroy(sv->st);
	pc_stack_destroy(cl);
	free(sv);
	pc_port_close(ends[0]);
	pc_port_close(ends[1]);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

static int dial(int type, uint16_t port)
{
	const struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(SERVER)};
	int fd = pc_socket(cl, AF_INET, type, 0);

	(void)pc_connect(cl, fd, (const struct sockaddr *)&to, sizeof(to));
	turns(8);
	return fd;
}

/* Connects, and sends with the last segment of the handshake, which the server has not seen yet. */
static int dial_and_send(uint16_t port, const char *data, size_t len)
{
	const struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(SERVER)};
	const int fd = pc_socket(cl, AF_INET, SOCK_STREAM, 0);

	(void)pc_connect(cl, fd, (const struct sockaddr *)&to, sizeof(to));
	pc_stack_flush(cl, now);
	pc_stack_poll(sv->st, now);
	pc_stack_flush(sv->st, now);
	pc_stack_poll(cl, now);
	CU_ASSERT_EQUAL(pc_send(cl, fd, data, len, 0), (ssize_t)len);
	pc_stack_flush(cl, now);
	return fd;
}

/* Sends what the socket takes of the bytes from *sent to total; byte n is n mod 251. */
static void send_some(int fd, uint64_t *sent, uint64_t total)
{
	uint8_t buf[1000];
	ssize_t n = 1;

	while (n > 0 && *sent < total) {
		size_t len = total - *sent < sizeof(buf) ? total - *sent : sizeof(buf);

		for (size_t i = 0; i < len; i++)
			buf[i] = (uint8_t)((*sent + i) % 251);
		n = pc_send(cl, fd, buf, len, 0);
		if (n > 0)
			*sent += (uint64_t)n;
	}
}

/* Reads at most max bytes and checks them against modulo. Returns what pc_recv did last. */
static ssize_t read_some(int fd, uint64_t *got, uint64_t max, unsigned modulo)
{
	uint8_t buf[700];
	ssize_t n = 1;

	for (uint64_t end_at = *got + max; n > 0 && *got < end_at;) {
		n = pc_recv(cl, fd, buf, sizeof(buf), 0);
		for (ssize_t i = 0; i < n; i++, (*got)++)
			if (buf[i] != (uint8_t)(*got % modulo))
				CU_FAIL_FATAL("the stream is damaged");
	}
	return n;
}

static void no_byte_is_lost_to_a_slow_reader(void)
{
	uint64_t sent = 0, got = 0, stuck;
	const uint64_t total = 300000;
	int fd;

	begin();
	fd = dial(SOCK_STREAM, ECHO_PORT);
	for (int i = 0; i < 300; i++) { /* nobody reads: every buffer on the way fills */
		send_some(fd, &sent, total);
		turn();
	}
	stuck = sent;
	CU_ASSERT(stuck < 6 * 8192 + 4096);
	for (int i = 0; i < 100000 && got < total; i++) {
		send_some(fd, &sent, total);
		read_some(fd, &got, 1000, 251);
		turn();
	}
	CU_ASSERT_EQUAL(got, total);
	CU_ASSERT_EQUAL(sv->nb_rests, 0);
	end();
}

static void half_close_is_answered_after_the_last_byte(void)
{
	uint64_t sent = 0, got = 0;
	int fd;

	begin();
	fd = dial(SOCK_STREAM, ECHO_PORT);
	send_some(fd, &sent, 5000);
	CU_ASSERT_EQUAL(pc_shutdown(cl, fd, SHUT_WR), 0);
	turns(50);
	CU_ASSERT_EQUAL(read_some(fd, &got, 100000, 251), 0); /* the end */
	CU_ASSERT_EQUAL(got, 5000);
	pc_close(cl, fd);
	turns(10);
	CU_ASSERT_EQUAL(connections(), 0);
	end();
}

/* a client that only sends, until an mbuf waits in the server; returns its socket */
static int stuck(void)
{
	uint64_t sent = 0;
	const int fd = dial(SOCK_STREAM, ECHO_PORT);

	for (int i = 0; i < 100; i++) {
		send_some(fd, &sent, 100000);
		turn();
	}
	CU_ASSERT_EQUAL(sv->nb_rests, 1);
	return fd;
}

static void a_reset_frees_what_waited(void)
{
	const struct linger hard = {.l_onoff = 1};
	int fd;

	begin();
	fd = stuck();
	CU_ASSERT_EQUAL(pc_setsockopt(cl, fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
	pc_close(cl, fd);
	turns(10);
	CU_ASSERT_EQUAL(connections(), 0);
	for (uint32_t i = 1; i < sv->nb_socks; i++)
		CU_ASSERT(sv->socks[i].kind == CLOSED || sv->socks[i].kind >= LISTENER);
	end();
}

static void a_connection_that_is_stuck_can_be_closed(void)
{
	begin();
	(void)stuck();
	end(); /* with an mbuf waiting in the server */
}

static void others_are_served_beside_one_that_is_stuck(void)
{
	uint64_t sent = 0, got = 0;
	int fd;

	begin();
	(void)stuck();
	fd = dial(SOCK_STREAM, ECHO_PORT);
	send_some(fd, &sent, 5000);
	turns(20);
	read_some(fd, &got, 5000, 251);
	CU_ASSERT_EQUAL(got, 5000);
	CU_ASSERT_EQUAL(sv->nb_rests, 1);
	end();
}

static void the_source_counts(void)
{
	uint64_t got = 0;
	int fd;

	begin();
	fd = dial(SOCK_STREAM, SOURCE_PORT);
	for (int i = 0; i < 20000 && got < 200000; i++) {
		read_some(fd, &got, 3000, 256);
		turn();
	}
	CU_ASSERT(got >= 200000);
	/* a FIN is no reason to stop */
	CU_ASSERT_EQUAL(pc_shutdown(cl, fd, SHUT_WR), 0);
	for (int i = 0; i < 20000 && got < 250000; i++) {
		read_some(fd, &got, 3000, 256);
		turn();
	}
	CU_ASSERT(got >= 250000);
	end();
}

static void discard_takes_everything(void)
{
	uint64_t sent = 0;
	uint8_t byte;
	int fd;

	begin();
	fd = dial(SOCK_STREAM, DISCARD_PORT);
	for (int i = 0; i < 5000 && sent < 100000; i++) {
		send_some(fd, &sent, 100000);
		turn();
	}
	CU_ASSERT_EQUAL(sent, 100000);
	pc_shutdown(cl, fd, SHUT_WR);
	turns(20);
	CU_ASSERT_EQUAL(pc_recv(cl, fd, &byte, 1, 0), 0);
	end();
}

static void datagrams_are_echoed_but_not_between_echo_ports(void)
{
	const struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(ECHO_PORT)};
	const struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons(ECHO_PORT), .sin_addr.s_addr = htonl(SERVER)};
	char buf[2000];
	int fd, bound;

	begin();
	fd = dial(SOCK_DGRAM, ECHO_PORT);
	CU_ASSERT_EQUAL(pc_send(cl, fd, "hello", 5, 0), 5);
	CU_ASSERT_EQUAL(pc_send(cl, fd, "", 0, 0), 0);
	turns(8);
	CU_ASSERT_EQUAL(pc_recv(cl, fd, buf, sizeof(buf), 0), 5);
	CU_ASSERT_EQUAL(memcmp(buf, "hello", 5), 0);
	CU_ASSERT_EQUAL(pc_recv(cl, fd, buf, sizeof(buf), 0), 0);
	CU_ASSERT_EQUAL(pc_recv(cl, fd, buf, sizeof(buf), 0), -1);
	bound = pc_socket(cl, AF_INET, SOCK_DGRAM, 0);
	CU_ASSERT_EQUAL(pc_bind(cl, bound, (const struct sockaddr *)&own, sizeof(own)), 0);
	CU_ASSERT_EQUAL(
	    pc_sendto(cl, bound, "loop", 4, 0, (const struct sockaddr *)&to, sizeof(to)), 4);
	fd = dial(SOCK_DGRAM, DISCARD_PORT);
	CU_ASSERT_EQUAL(pc_send(cl, fd, "gone", 4, 0), 4);
	turns(8);
	CU_ASSERT_EQUAL(pc_recv(cl, bound, buf, sizeof(buf), 0), -1);
	CU_ASSERT_EQUAL(pc_recv(cl, fd, buf, sizeof(buf), 0), -1);
	end();
}

/* Two of echo, daytime, quotes, chargen and time would answer each other without end: who forges the sender's address needs one datagram. */
static void services_are_not_answered(void)
{
	static const uint16_t ports[] = {7, 13, 17, 19, 37, 20};
	const struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons(ECHO_PORT), .sin_addr.s_addr = htonl(SERVER)};
	const size_t n = sizeof(ports) / sizeof(ports[0]);
	char buf[16];

	begin();
	for (size_t i = 0; i < n; i++) {
		const struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(ports[i])};
		const int fd = pc_socket(cl, AF_INET, SOCK_DGRAM, 0);

		CU_ASSERT_EQUAL(pc_bind(cl, fd, (const struct sockaddr *)&own, sizeof(own)), 0);
		CU_ASSERT_EQUAL(
		    pc_sendto(cl, fd, "loop", 4, 0, (const struct sockaddr *)&to, sizeof(to)), 4);
		turns(8);
		CU_ASSERT_EQUAL(pc_recv(cl, fd, buf, sizeof(buf), 0), i < n - 1 ? -1 : 4);
	}
	end();
}

/* the end of the handshake and the request in one burst */
static void a_request_is_answered_in_the_turn_of_its_connection(void)
{
	char buf[8];
	int fd;

	begin();
	fd = dial(SOCK_STREAM, ECHO_PORT); /* after it, the peers know each other's MAC */
	pc_close(cl, fd);
	turns(8);
	fd = dial_and_send(ECHO_PORT, "early", 5);
	turn();
	CU_ASSERT_EQUAL(pc_recv(cl, fd, buf, sizeof(buf), 0), 5);
	end();
}

static const struct unit_case cases[] = {
    {"no byte is lost to a slow reader", no_byte_is_lost_to_a_slow_reader},
    {"half-close is answered after the last byte", half_close_is_answered_after_the_last_byte},
    {"a reset frees what waited", a_reset_frees_what_waited},
    {"a connection that is stuck can be closed", a_connection_that_is_stuck_can_be_closed},
    {"others are served beside one that is stuck", others_are_served_beside_one_that_is_stuck},
    {"the source counts", the_source_counts},
    {"discard takes everything", discard_takes_everything},
    {"datagrams are echoed, but not between echo ports",
     datagrams_are_echoed_but_not_between_echo_ports},
    {"services that answer to anything are not answered", services_are_not_answered},
    {"a request is answered in the turn of its connection",
     a_request_is_answered_in_the_turn_of_its_connection},
};

int main(void)
{
	eal_start();
	pool = eal_pool("echo", 4095);
	return unit_run("app/echo", cases, sizeof(cases) / sizeof(cases[0]));
}
