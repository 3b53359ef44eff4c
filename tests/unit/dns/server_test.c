/* SPDX-License-Identifier: BSD-2-Clause */
/* percore-dns's server on one stack, and a client on another, over a wire in memory. */
#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <percore/percore.h>

#include "../../support/eal.h"
#include "server.h"
#include "text.h"

#define SERVER 0x0a000001
#define OTHER  0x0a000003
#define CLIENT 0x0a000002

static struct rte_mempool *pool;
static struct pc_port *ends[2];
static struct pc_stack *st, *cl;
static struct server *sv;
static struct counts counts;
static struct store *store;
static uint64_t now;
static char file[] = "/tmp/percore-dns-XXXXXX", text[TEXT_MAX];
static const struct dns_config dns = {
    .listen = 53, .udp_max = 1232, .idle_ms = 1000, .backlog = 64};
static struct server_config config = {.dns = &dns, .answer = {.udp_max = 1232}};

static const struct ask web = {.name = "web.example", .type = 1},
                        many = {.name = "many.example", .type = 1};

static struct pc_stack *make_stack(struct pc_port *port, uint32_t addr, uint32_t other)
{
	struct pc_prefix prefix = {.addr = pc_addr_ip4(htonl(addr)), .len = 96 + 24};
	struct pc_stack_config c;
	struct pc_stack *s;

	pc_stack_config_init(&c);
	c.stack_max_connections = 64;
	c.stack_seed = addr;
	c.tcp_sndbuf = c.tcp_sndbuf_max = 8192;
	c.tcp_rcvbuf = c.tcp_rcvbuf_max = 8192;
	s = pc_stack_create(&c, pool);
	CU_ASSERT_FATAL(s != NULL && pc_stack_add_port(s, port) == 0);
	CU_ASSERT_FATAL(pc_stack_add_addr(s, 0, &prefix) == 0);
	prefix.addr = pc_addr_ip4(htonl(other));
	CU_ASSERT_FATAL(other == 0 || pc_stack_add_addr(s, 0, &prefix) == 0);
	return s;
}

static void write_zone(unsigned serial)
{
	FILE *f = fopen(file, "w");

	CU_ASSERT_FATAL(f != NULL);
	fprintf(f, "$TTL 60\n@ SOA ns h %u 1 1 1 1\n@ NS ns\nweb A 192.0.2.1\n", serial);
	for (int i = 0; i < 60; i++)
		fprintf(f, "some A 10.1.0.%d\n", i);
	for (int i = 0; i < 1000; i++)
		fprintf(f, "many A 10.0.%d.%d\n", i / 250, i % 250);
	fclose(f);
}

static void begin(void)
{
	const struct pc_wire_config wire = {.pool = pool};
	char why[256], source[64];
	int fd;

	now = 1000000000;
	counts = (struct counts){0};
	strcpy(file, "/tmp/percore-dns-XXXXXX");
	fd = mkstemp(file);
	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
	write_zone(1);
	snprintf(source, sizeof(source), "example=%s", file);
	store = config.store = store_create();
	CU_ASSERT_FATAL(store_add_file(store, source, why, sizeof(why)) == 0);
	CU_ASSERT_FATAL(store_load(store, why, sizeof(why)) == 0);
	CU_ASSERT_FATAL(pc_port_wire(&wire, ends) == 0);
	st = make_stack(ends[0], SERVER, OTHER);
	cl = make_stack(ends[1], CLIENT, 0);
	sv = server_start(st, &config, &counts, why, sizeof(why));
	CU_ASSERT_FATAL(sv != NULL);
}

/* One turn of the server, one of the client; a millisecond passes. */
static void turns(int n)
{
	while (n-- > 0) {
		now += 1000000;
		pc_stack_poll(st, now);
		server_turn(sv, now);
		pc_stack_flush(st, now);
		pc_stack_poll(cl, now);
		pc_stack_flush(cl, now);
	}
}

static uint32_t connections(void)
{
	struct pc_stack_usage usage;

	pc_stack_get_usage(st, &usage);
	return usage.connections;
}

static void end(void)
{
	server_drain(sv, now);
	CU_ASSERT(sv->oldest == 0 && sv->newest == 0);
	server_finish(sv);
	pc_stack_destroy(st);
	pc_stack_destroy(cl);
	pc_port_close(ends[0]);
	pc_port_close(ends[1]);
	store_free(store);
	unlink(file);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

/* rcvbuf: its SO_RCVBUF, 0: the default */
static int dial_with(int type, uint32_t addr, int rcvbuf)
{
	const struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(addr)};
	int fd = pc_socket(cl, AF_INET, type, 0);

	if (rcvbuf != 0)
		CU_ASSERT_EQUAL(
		    pc_setsockopt(cl, fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf)), 0);
	(void)pc_connect(cl, fd, (const struct sockaddr *)&to, sizeof(to));
	turns(8);
	return fd;
}

static int dial(int type, uint32_t addr)
{
	return dial_with(type, addr, 0);
}

/* A query as it goes over TCP. Returns its bytes. */
static size_t frame(const struct ask *a, uint8_t m[514])
{
	const size_t n = ask_write(a, m + 2);

	m[0] = (uint8_t)(n >> 8);
	m[1] = (uint8_t)n;
	return n + 2;
}

static void send_query(int fd, const struct ask *a)
{
	uint8_t m[514];
	const size_t n = frame(a, m);

	CU_ASSERT_EQUAL(pc_send(cl, fd, m, n, 0), (ssize_t)n);
}

/* Reads n bytes of the stream, in turns. Returns how many came before it ended or stood still. */
static size_t read_bytes(int fd, uint8_t *buf, size_t n)
{
	size_t got = 0;

	for (int i = 0; i < 500 && got < n; i++) {
		const ssize_t k = pc_recv(cl, fd, buf + got, n - got < 700 ? n - got : 700, 0);

		if (k > 0)
			got += (size_t)k;
		else if (k == 0 || errno != EAGAIN)
			break;
		turns(1);
	}
	return got;
}

/* The next answer of a connection as text; "end" if there is none. */
static const char *read_answer(int fd)
{
	static uint8_t m[65536];
	size_t len;

	if (read_bytes(fd, m, 2) < 2)
		return "end";
	len = (size_t)m[0] << 8 | m[1];
	return read_bytes(fd, m, len) == len ? text_of(m, len, text) : "end";
}

static bool is_web(const char *answer)
{
	return strcmp(answer, "NOERROR aa\nqd web.example. A\nan web.example. 60 A 192.0.2.1\n") ==
	       0;
}

static bool is_many(const char *answer)
{
	unsigned n = 0;

	for (const char *p = answer; (p = strstr(p, "\nan ")) != NULL; p++)
		n++;
	return n == 1000 && strncmp(answer, "NOERROR aa\n", 11) == 0;
}

/* ---- datagrams ---------------------------------------------------------------------------------- */

static void the_answer_comes_from_the_address_that_was_asked(void)
{
	uint8_t m[512], got[512];
	size_t n;
	ssize_t len;

	begin();
	for (unsigned i = 0; i < 2; i++) {
		/* a connected socket hears nobody else */
		const int fd = dial(SOCK_DGRAM, i == 0 ? SERVER : OTHER);

		n = ask_write(&web, m);
		CU_ASSERT_EQUAL(pc_send(cl, fd, m, n, 0), (ssize_t)n);
		turns(5);
		len = pc_recv(cl, fd, got, sizeof(got), 0);
		CU_ASSERT_FATAL(len > 0);
		CU_ASSERT(is_web(text_of(got, (size_t)len, text)));
	}
	CU_ASSERT(counts.dns_udp == 2 && counts.dns_noerror == 2 && counts.dns_unsent == 0);
	end();
}

static void more_datagrams_than_a_turn_takes(void)
{
	uint8_t m[512];
	const size_t n = ask_write(&web, m);
	int fd;

	begin();
	fd = dial(SOCK_DGRAM, SERVER);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 10; i++)
			(void)pc_send(cl, fd, m, n, 0);
		pc_stack_flush(cl, now);
		pc_stack_poll(st, now);
	}
	server_turn(sv, now);
	CU_ASSERT(counts.dns_udp == 128 && server_next_deadline(sv) == 0);
	turns(3);
	CU_ASSERT(counts.dns_udp == 200 && server_next_deadline(sv) > now);
	CU_ASSERT(counts.dns_noerror == 200 && counts.dns_unsent == 0);
	end();
}

/* Sends n queries from a port, and reads the answers. Returns how many were whole; *cut: how many had TC or BADCOOKIE. */
static unsigned exchange(uint16_t port, const struct ask *a, unsigned n, unsigned *cut)
{
	const struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(port)};
	const struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(SERVER)};
	const int fd = pc_socket(cl, AF_INET, SOCK_DGRAM, 0);
	uint8_t m[512], got[1500];
	const size_t len = ask_write(a, m);
	unsigned whole = 0;
	ssize_t k;

	CU_ASSERT_EQUAL(pc_bind(cl, fd, (const struct sockaddr *)&from, sizeof(from)), 0);
	CU_ASSERT_EQUAL(pc_connect(cl, fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	*cut = 0;
	while (n-- > 0) {
		CU_ASSERT_EQUAL(pc_send(cl, fd, m, len, 0), (ssize_t)len);
		turns(1);
	}
	turns(5);
	while ((k = pc_recv(cl, fd, got, sizeof(got), 0)) > 0) {
		const char *t = text_of(got, (size_t)k, text);

		whole += strncmp(t, "NOERROR aa\n", 11) == 0;
		*cut += strncmp(t, "NOERROR tc\n", 11) == 0 || t[0] == '?';
	}
	pc_close(cl, fd);
	return whole;
}

/* An ICMP error about an answer to a port of the client: the path is said to be too narrow for more than 552 bytes. */
static void forge_too_big(uint16_t port)
{
	const struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(SERVER)};
	uint8_t m[8 + 28] = {3, 4, 0, 0, 0, 0, 552 >> 8, 552 & 0xff, 0x45, 0, 552 >> 8, 552 & 0xff};
	const uint32_t from_be = htonl(SERVER), to_be = htonl(CLIENT);
	const int fd = pc_socket(cl, AF_INET, SOCK_RAW, IPPROTO_ICMP);
	uint32_t sum = 0;

	m[8 + 9] = IPPROTO_UDP;
	memcpy(m + 8 + 12, &from_be, 4);
	memcpy(m + 8 + 16, &to_be, 4);
	m[8 + 21] = 53;
	m[8 + 22] = (uint8_t)(port >> 8);
	m[8 + 23] = (uint8_t)port;
	for (unsigned i = 0; i < sizeof(m); i += 2)
		sum += (uint32_t)m[i] << 8 | m[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	m[2] = (uint8_t)(~sum >> 8);
	m[3] = (uint8_t)~sum;
	CU_ASSERT_EQUAL(
	    pc_sendto(cl, fd, m, sizeof(m), 0, (const struct sockaddr *)&to, sizeof(to)),
	    (ssize_t)sizeof(m));
	turns(3);
	pc_close(cl, fd);
}

/* RFC 9715: nobody has answers sent in fragments, of which he can forge the second without a guess at the first. */
static void answers_come_in_one_piece(void)
{
	const struct ask some = {.name = "some.example", .type = 1, .udp_size = 1232};
	const uint64_t *value;
	unsigned cut;

	begin();
	value = pc_stack_counters(st)->value;
	CU_ASSERT(exchange(5555, &some, 1, &cut) == 1 && cut == 0);
	forge_too_big(5555);
	CU_ASSERT_EQUAL(value[PC_DROP_ICMP_DONE], 1);
	CU_ASSERT(exchange(5555, &some, 1, &cut) == 1 && cut == 0);
	CU_ASSERT_EQUAL(value[PC_IP_FRAGMENTED], 0);
	end();
}

/* echo, daytime, qotd, chargen, time: they would answer to our answer */
static void services_that_answer_to_anything(void)
{
	static const uint16_t ports[] = {7, 13, 17, 19, 37};
	unsigned cut;

	begin();
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		CU_ASSERT(exchange(ports[i], &web, 1, &cut) == 0 && cut == 0);
	CU_ASSERT(counts.dns_dropped == 5 && counts.dns_noerror == 0);
	CU_ASSERT(exchange(20, &web, 1, &cut) == 1);
	end();
}

static void answers_are_limited(void)
{
	struct ask knows = web, has = web;
	const char *cookie;
	char both[64];
	unsigned cut;

	config.rrl =
	    (struct rrl_config){.rate = 5, .slip = 2, .entries = 64, .len4 = 24, .len6 = 56};
	begin();
	/* 20 in 20 ms: 5 at once; the rest is dropped and cut in turn */
	CU_ASSERT(exchange(1000, &web, 20, &cut) == 5 && cut == 7);
	CU_ASSERT(counts.dns_rrl_dropped == 8 && counts.dns_rrl_slipped == 7);
	/* a client that knows of cookies is told to come with ours, and has no limit then */
	((struct zones *)(uintptr_t)store_zones(store))->cookies.n = 1;
	knows.udp_size = has.udp_size = 1232;
	knows.cookie = "0102030405060708";
	CU_ASSERT(exchange(1001, &knows, 2, &cut) == 0 && cut == 1);
	cookie = strstr(text, "10=0102030405060708");
	CU_ASSERT_FATAL(cookie != NULL && strncmp(text, "?\n", 2) == 0);
	snprintf(both, sizeof(both), "%.48s", cookie + 3);
	has.cookie = both;
	CU_ASSERT(exchange(1002, &has, 20, &cut) == 20 && cut == 0);
	/* errors are short: they are not cut */
	CU_ASSERT(exchange(1003, &(struct ask){.name = "else.where", .type = 1}, 9, &cut) == 0);
	CU_ASSERT(counts.dns_rrl_slipped == 7 + 1 + 2 && counts.dns_refused == 9);
	end();
	config.rrl = (struct rrl_config){0};
}

/* ---- RFC 7766 ----------------------------------------------------------------------------------- */

static void queries_in_a_row_and_in_pieces(void)
{
	uint8_t m[514];
	size_t n = frame(&web, m);
	int fd;

	begin();
	fd = dial(SOCK_STREAM, SERVER);
	for (int i = 0; i < 100; i++)
		send_query(fd, &web);
	for (int i = 0; i < 100; i++)
		CU_ASSERT(is_web(read_answer(fd)));
	for (size_t i = 0; i < n; i++) {
		CU_ASSERT_EQUAL(pc_send(cl, fd, m + i, 1, 0), 1);
		turns(2);
	}
	CU_ASSERT(is_web(read_answer(fd)));
	/* one and a half, then the rest and an end */
	send_query(fd, &web);
	CU_ASSERT_EQUAL(pc_send(cl, fd, m, 9, 0), 9);
	CU_ASSERT(is_web(read_answer(fd)));
	CU_ASSERT_EQUAL(pc_send(cl, fd, m + 9, n - 9, 0), (ssize_t)(n - 9));
	send_query(fd, &web);
	CU_ASSERT_EQUAL(pc_shutdown(cl, fd, SHUT_WR), 0);
	CU_ASSERT(is_web(read_answer(fd)) && is_web(read_answer(fd)));
	CU_ASSERT(strcmp(read_answer(fd), "end") == 0);
	CU_ASSERT(counts.dns_tcp == 104 && counts.dns_noerror == 104 &&
	          counts.dns_connections == 1);
	CU_ASSERT(counts.dns_broken == 0 && counts.dns_idle == 0);
	end();
}

/* the end of the handshake and the query in one burst */
static void a_query_is_answered_in_the_turn_of_its_connection(void)
{
	const struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(SERVER)};
	uint8_t m[512];
	int fd;

	begin();
	fd = dial(SOCK_STREAM, SERVER); /* after it, the peers know each other's MAC */
	pc_close(cl, fd);
	turns(8);
	fd = pc_socket(cl, AF_INET, SOCK_STREAM, 0);
	(void)pc_connect(cl, fd, (const struct sockaddr *)&to, sizeof(to));
	pc_stack_flush(cl, now);
	pc_stack_poll(st, now);
	pc_stack_flush(st, now);
	pc_stack_poll(cl, now);
	send_query(fd, &web);
	pc_stack_flush(cl, now);
	CU_ASSERT_EQUAL(counts.dns_connections, 1);
	turns(1);
	CU_ASSERT_EQUAL(counts.dns_connections, 2);
	CU_ASSERT(pc_recv(cl, fd, m, sizeof(m), MSG_PEEK) > 2);
	CU_ASSERT(is_web(read_answer(fd)));
	pc_close(cl, fd);
	turns(8);
	end();
}

/* Who sends hundreds at once does not keep others waiting. */
static void a_share_of_a_turn(void)
{
	uint8_t m[514], got[512];
	const size_t n = frame(&web, m);
	int fd, other, udp;

	begin();
	fd = dial(SOCK_STREAM, SERVER);
	other = dial(SOCK_STREAM, SERVER);
	udp = dial(SOCK_DGRAM, SERVER);
	for (int i = 0; i < 150; i++)
		CU_ASSERT_EQUAL(pc_send(cl, fd, m, n, 0), (ssize_t)n);
	pc_stack_flush(cl, now);
	pc_stack_poll(st, now);
	send_query(other, &web);
	CU_ASSERT_EQUAL(pc_send(cl, udp, m + 2, n - 2, 0), (ssize_t)(n - 2));
	pc_stack_flush(cl, now);
	pc_stack_poll(st, now);
	server_turn(sv, now);
	CU_ASSERT(counts.dns_tcp == 32 + 1 && counts.dns_udp == 1);
	CU_ASSERT(server_next_deadline(sv) == 0);
	turns(1);
	CU_ASSERT(counts.dns_tcp == 64 + 1);
	CU_ASSERT(pc_recv(cl, udp, got, sizeof(got), 0) > 0 && is_web(read_answer(other)));
	for (int i = 0; i < 150; i++)
		CU_ASSERT(is_web(read_answer(fd)));
	CU_ASSERT(counts.dns_tcp == 151 && server_next_deadline(sv) > now);
	/* one that ends while it waits for its turn, and whose number is another's then */
	for (int i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(pc_send(cl, fd, m, n, 0), (ssize_t)n);
	turns(1);
	pc_close(cl, fd);
	fd = dial(SOCK_STREAM, SERVER);
	send_query(fd, &web);
	CU_ASSERT(is_web(read_answer(fd)));
	end();
}

/* half a query and an end: nothing more can come of it */
static void an_end_within_a_query(void)
{
	uint8_t m[514];
	int fd;

	begin();
	(void)frame(&web, m);
	fd = dial(SOCK_STREAM, SERVER);
	CU_ASSERT_EQUAL(pc_send(cl, fd, m, 9, 0), 9);
	CU_ASSERT_EQUAL(pc_shutdown(cl, fd, SHUT_WR), 0);
	turns(10);
	CU_ASSERT(sv->oldest == 0 && counts.dns_idle == 0);
	end();
}

/* Each answer is twice as large as the send buffer: it is made anew for each part, and counted once. */
static void answers_larger_than_the_buffer(void)
{
	int fd;

	begin();
	fd = dial(SOCK_STREAM, SERVER);
	for (int i = 0; i < 10; i++)
		send_query(fd, &many);
	send_query(fd, &web);
	turns(50); /* nobody reads */
	CU_ASSERT(counts.dns_tcp < 3 && connections() == 1);
	for (int i = 0; i < 10; i++)
		CU_ASSERT(is_many(read_answer(fd)));
	CU_ASSERT(is_web(read_answer(fd)));
	CU_ASSERT(counts.dns_tcp == 11 && counts.dns_noerror == 11);
	end();
}

/* An answer takes longer than a connection may be idle, of step bytes each 100 ms; one that nobody takes any more ends it. */
static void read_slowly(size_t step, int rcvbuf)
{
	uint8_t part[1000];
	int fd;

	begin();
	fd = dial_with(SOCK_STREAM, SERVER, rcvbuf);
	for (int i = 0; i < 10; i++)
		send_query(fd, &many);
	for (int i = 0; i < 60; i++) {
		turns(100);
		CU_ASSERT(pc_recv(cl, fd, part, step, 0) > 0);
	}
	CU_ASSERT(counts.dns_idle == 0 && counts.dns_tcp < 9 && connections() == 1);
	turns(2100);
	CU_ASSERT(counts.dns_idle == 1 && sv->oldest == 0);
	end();
}

/* Also so slowly that there is no room to go on with the answer for longer than that. */
static void who_reads_slowly_is_not_idle(void)
{
	read_slowly(1000, 0);
	read_slowly(180, 1024);
}

static void other_zones_end_an_answer_that_has_begun(void)
{
	int fd, other, whole = 0;
	FILE *null;

	begin();
	fd = dial(SOCK_STREAM, SERVER);
	other = dial(SOCK_STREAM, SERVER);
	send_query(other, &web);
	CU_ASSERT(is_web(read_answer(other)));
	send_query(fd, &many); /* what the buffers of both sides take, and more */
	send_query(fd, &many);
	turns(20);
	write_zone(2);
	store_leave(
	    sv->reader); /* nobody turns meanwhile: what waits for readers would wait for long */
	null = fopen("/dev/null", "w");
	store_reload(store, null, null);
	fclose(null);
	sv->reader = store_attach(store);
	while (is_many(read_answer(fd)))
		whole++;
	CU_ASSERT(whole < 2 && strcmp(read_answer(fd), "end") == 0 && counts.dns_broken == 1);
	send_query(other, &web);
	CU_ASSERT(is_web(read_answer(other)));
	end();
}

static void who_asks_nothing_is_closed(void)
{
	uint8_t m[514];
	int fd, busy;

	begin();
	fd = dial(SOCK_STREAM, SERVER);
	busy = dial(SOCK_STREAM, SERVER);
	(void)frame(&web, m);
	for (int i = 0; i < 9; i++) { /* bytes are no query */
		CU_ASSERT_EQUAL(pc_send(cl, fd, m + i, 1, 0), 1);
		send_query(busy, &web);
		CU_ASSERT(is_web(read_answer(busy)));
		turns(90);
	}
	CU_ASSERT(counts.dns_idle == 0 && server_next_deadline(sv) <= now + 500000000);
	turns(300);
	CU_ASSERT(counts.dns_idle == 1);
	CU_ASSERT(strcmp(read_answer(fd), "end") == 0);
	send_query(busy, &web);
	CU_ASSERT(is_web(read_answer(busy)));
	turns(1100);
	CU_ASSERT(counts.dns_idle == 2 && sv->oldest == 0);
	end();
}

static void nonsense_ends_a_connection(void)
{
	int fd;

	begin();
	fd = dial(SOCK_STREAM, SERVER);
	send_query(fd, &web);
	CU_ASSERT_EQUAL(pc_send(cl, fd, "\0\4nono", 6, 0), 6);
	CU_ASSERT(is_web(read_answer(fd)));
	CU_ASSERT(strcmp(read_answer(fd), "end") == 0);
	CU_ASSERT(counts.dns_broken == 1 && counts.dns_tcp == 1);
	end();
}

/* RFC 7766 section 6.2.4: bytes that are not read, or come later, would make the end a reset, and the reset take away answers. */
static void nonsense_takes_no_answer_away(void)
{
	const struct ask some = {.name = "some.example", .type = 1};
	int fd;

	begin();
	fd = dial_with(SOCK_STREAM, SERVER, 1024); /* most of the answers are still to be sent */
	for (int i = 0; i < 4; i++)
		send_query(fd, &some);
	CU_ASSERT_EQUAL(pc_send(cl, fd, "\0\4nono", 6, 0), 6);
	turns(20);
	CU_ASSERT_EQUAL(counts.dns_tcp, 4);
	CU_ASSERT_EQUAL(counts.dns_broken, 1);
	send_query(fd, &some); /* which is not answered any more */
	turns(5);
	for (int i = 0; i < 4; i++)
		CU_ASSERT(strncmp(read_answer(fd), "NOERROR aa\n", 11) == 0);
	CU_ASSERT(strcmp(read_answer(fd), "end") == 0);
	CU_ASSERT(counts.dns_tcp == 4 && connections() == 1);
	pc_close(cl, fd);
	turns(5);
	CU_ASSERT(sv->oldest == 0 && counts.dns_broken == 1 && counts.dns_idle == 0);
	end();
}

/* Who closes nothing after that, and reads nothing, is not waited for any longer than others. */
static void nonsense_and_then_silence(void)
{
	const struct ask some = {.name = "some.example", .type = 1};
	int fd[2];

	begin();
	for (int i = 0; i < 2; i++) {
		fd[i] = dial_with(SOCK_STREAM, SERVER, 1024);
		send_query(fd[i], i == 0 ? &web : &some);
		CU_ASSERT_EQUAL(pc_send(cl, fd[i], "\0\4nono", 6, 0), 6);
		turns(20);
	}
	CU_ASSERT_EQUAL(counts.dns_broken, 2);
	CU_ASSERT(is_web(read_answer(fd[0])) && sv->oldest != 0);
	turns(2500);
	CU_ASSERT(sv->oldest == 0 && counts.dns_idle == 0);
	CU_ASSERT(strcmp(read_answer(fd[0]), "end") == 0);
	end();
}

static void half_a_query_and_an_end_take_no_answer_away(void)
{
	const struct ask some = {.name = "some.example", .type = 1};
	uint8_t m[514];
	int fd;

	begin();
	fd = dial_with(SOCK_STREAM, SERVER, 1024);
	for (int i = 0; i < 4; i++)
		send_query(fd, &some);
	(void)frame(&web, m);
	CU_ASSERT_EQUAL(pc_send(cl, fd, m, 9, 0), 9);
	CU_ASSERT_EQUAL(pc_shutdown(cl, fd, SHUT_WR), 0);
	turns(20);
	for (int i = 0; i < 4; i++)
		CU_ASSERT(strncmp(read_answer(fd), "NOERROR aa\n", 11) == 0);
	CU_ASSERT(strcmp(read_answer(fd), "end") == 0 && sv->oldest == 0);
	end();
}

static void a_reset_is_an_end(void)
{
	const struct linger hard = {.l_onoff = 1};
	int fd;

	begin();
	fd = dial(SOCK_STREAM, SERVER);
	send_query(fd, &many);
	turns(10);
	CU_ASSERT_EQUAL(pc_setsockopt(cl, fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
	pc_close(cl, fd);
	turns(10);
	CU_ASSERT(sv->oldest == 0 && connections() == 0);
	end();
}

/* What has been answered when the server stops arrives, also if half a query is behind it that nobody reads any more. */
static void a_stop_takes_no_answer_away(void)
{
	const struct ask some = {.name = "some.example", .type = 1};
	uint8_t m[514];
	int fd;

	begin();
	fd = dial_with(SOCK_STREAM, SERVER, 1024);
	for (int i = 0; i < 4; i++)
		send_query(fd, &some);
	(void)frame(&web, m);
	CU_ASSERT_EQUAL(pc_send(cl, fd, m, 9, 0), 9);
	turns(20);
	CU_ASSERT_EQUAL(counts.dns_tcp, 4);
	server_drain(sv, now);
	for (int i = 0; i < 4; i++)
		CU_ASSERT(strncmp(read_answer(fd), "NOERROR aa\n", 11) == 0);
	CU_ASSERT(strcmp(read_answer(fd), "end") == 0);
	end();
}

int main(void)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {
	    {"the answer comes from the address that was asked",
	     the_answer_comes_from_the_address_that_was_asked},
	    {"more datagrams than a turn takes", more_datagrams_than_a_turn_takes},
	    {"answers come in one piece", answers_come_in_one_piece},
	    {"services that answer to anything", services_that_answer_to_anything},
	    {"answers are limited", answers_are_limited},
	    {"queries in a row and in pieces", queries_in_a_row_and_in_pieces},
	    {"a query is answered in the turn of its connection",
	     a_query_is_answered_in_the_turn_of_its_connection},
	    {"a share of a turn", a_share_of_a_turn},
	    {"an end within a query", an_end_within_a_query},
	    {"answers larger than the buffer", answers_larger_than_the_buffer},
	    {"who reads slowly is not idle", who_reads_slowly_is_not_idle},
	    {"other zones end an answer that has begun", other_zones_end_an_answer_that_has_begun},
	    {"who asks nothing is closed", who_asks_nothing_is_closed},
	    {"nonsense ends a connection", nonsense_ends_a_connection},
	    {"nonsense takes no answer away", nonsense_takes_no_answer_away},
	    {"nonsense, and then silence", nonsense_and_then_silence},
	    {"half a query and an end take no answer away",
	     half_a_query_and_an_end_take_no_answer_away},
	    {"a reset is an end", a_reset_is_an_end},
	    {"a stop takes no answer away", a_stop_takes_no_answer_away},
	};
	CU_pSuite suite;
	unsigned failures;

	eal_start();
	pool = eal_pool("dns", 4096);
	if (CU_initialize_registry() != CUE_SUCCESS)
		return EXIT_FAILURE;
	suite = CU_add_suite("dns server", NULL, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_add_test(suite, cases[i].name, cases[i].run);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
