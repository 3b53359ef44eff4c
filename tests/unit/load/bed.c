/* SPDX-License-Identifier: BSD-2-Clause */
#include "bed.h"

#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../support/eal.h"
#include "../../support/stack_on.h"
#include "report.h"

#define SOCKETS   4096
#define HTTP_PORT 80

static struct rte_mempool *pool;

static const struct load_config defaults = {
#define LOAD_DEFAULT(section, name, def, min, max, unit, sentence) .name = def,
    LOAD_KEYS(LOAD_DEFAULT)
#undef LOAD_DEFAULT
};

void bed_begin(struct bed *b, const char *mode)
{
	memset(b, 0, sizeof(*b));
	b->config = defaults;
	b->config.mode = mode_find(mode);
	b->config.server = pc_addr_ip4(htonl(BED_SERVER));
	b->config.path = "/";
	b->config.label = "";
	b->config.progress = 0;
	b->config.conns = 20;
	b->config.run_ms = 60;
	b->config.warm_ms = 10;
	b->config.wait_ms = 1000;
	b->now = UINT64_C(1000000000000);
	if (pool == NULL) {
		eal_start();
		pool = eal_pool("load", 32767);
	}
}

void bed_ip6(struct bed *b)
{
	CU_ASSERT_FATAL(pc_addr_parse("2001:db8::1", &b->config.server) == 0);
}

/* ---- the server ------------------------------------------------------------------------------- */

static void open_http(struct bed *b)
{
	struct sockaddr_in6 sin = {.sin6_family = AF_INET6, .sin6_port = htons(HTTP_PORT)};
	struct epoll_event ev = {.events = EPOLLIN};
	struct pc_stack *st = b->sv->st;

	b->http_epoll = pc_epoll_create(st);
	b->listener = pc_socket(st, AF_INET6, SOCK_STREAM, 0);
	ev.data.fd = b->listener;
	CU_ASSERT_FATAL(pc_bind(st, b->listener, (struct sockaddr *)&sin, sizeof(sin)) == 0);
	CU_ASSERT_FATAL(pc_listen(st, b->listener, 1024) == 0);
	CU_ASSERT_FATAL(pc_epoll_ctl(st, b->http_epoll, EPOLL_CTL_ADD, b->listener, &ev) == 0);
}

static void make_server(struct bed *b)
{
	struct pc_prefix prefix;
	struct pc_stack_config config;
	struct server *sv = calloc(1, sizeof(*sv) + SOCKETS * sizeof(sv->socks[0]));

	pc_stack_config_init(&config);
	config.stack_max_connections = SOCKETS - 200;
	config.stack_seed = 1;
	config.ip6_dad = 0;
	sv->st = stack_on(&config, pool, b->ends[0], "10.0.0.1/16");
	CU_ASSERT_FATAL(pc_prefix_parse("2001:db8::1/64", &prefix) == 0);
	CU_ASSERT_FATAL(pc_stack_add_addr(sv->st, 0, &prefix) == 0);
	sv->nb_socks = SOCKETS;
	sv->epoll = pc_epoll_create(sv->st);
	for (size_t i = 0; i < sizeof(sv->pattern); i++)
		sv->pattern[i] = (uint8_t)i;
	CU_ASSERT_EQUAL_FATAL(service_open(sv, SOCK_STREAM, 7, ECHO), 0);
	CU_ASSERT_EQUAL_FATAL(service_open(sv, SOCK_DGRAM, 7, ECHO), 0);
	CU_ASSERT_EQUAL_FATAL(service_open(sv, SOCK_STREAM, 9, DISCARD), 0);
	CU_ASSERT_EQUAL_FATAL(service_open(sv, SOCK_STREAM, 19, SOURCE), 0);
	b->sv = sv;
	open_http(b);
}

static void accept_http(struct bed *b)
{
	struct epoll_event ev = {.events = EPOLLIN};

	while ((ev.data.fd = pc_accept(b->sv->st, b->listener, NULL, NULL)) > 0)
		CU_ASSERT(pc_epoll_ctl(b->sv->st, b->http_epoll, EPOLL_CTL_ADD, ev.data.fd, &ev) ==
		          0);
}

static void answer_http(struct bed *b, int fd)
{
	char in[8192], out[BED_BODY + 200], *end = in;
	ssize_t n = pc_recv(b->sv->st, fd, in, sizeof(in), 0), sent;
	int head;

	if (n <= 0) {
		pc_close(b->sv->st, fd);
		return;
	}
	while ((end = memmem(end, (size_t)(in + n - end), "\r\n\r\n", 4)) != NULL) {
		end += 4;
		b->answered++;
		head = snprintf(out, sizeof(out),
		                "HTTP/1.1 200 OK\r\nDate: %020llu\r\nContent-Length: %d\r\n\r\n",
		                (unsigned long long)b->now, BED_BODY);
		memset(out + head, 'b', BED_BODY);
		if (b->spoil != 0 && b->answered % b->spoil == 0)
			out[head + 500] ^= 1;
		sent = pc_send(b->sv->st, fd, out, (size_t)head + BED_BODY, 0);
		/* a client may have given up while the programs did nothing */
		CU_ASSERT(sent == head + BED_BODY || (sent == -1 && b->mute_to != 0));
	}
}

static void serve(struct bed *b)
{
	struct server *sv = b->sv;
	struct epoll_event ev[64];
	int n;

	n = pc_epoll_wait(sv->st, sv->epoll, ev, 64);
	for (int i = 0; i < n; i++)
		service_serve(sv, &ev[i]);
	n = pc_epoll_wait(sv->st, b->http_epoll, ev, 64);
	for (int i = 0; i < n; i++)
		if (ev[i].data.fd == b->listener)
			accept_http(b);
		else
			answer_http(b, ev[i].data.fd);
}

static bool is_mute(const struct bed *b)
{
	return b->now >= b->mute_from && b->now < b->mute_to;
}

static void turn_server(struct bed *b)
{
	struct server *sv = b->sv;

	pc_stack_poll(sv->st, b->now);
	if (!is_mute(b))
		serve(b);
	pc_stack_flush(sv->st, b->now);
}

/* ---- life ------------------------------------------------------------------------------------- */

static struct load *make_load(const struct load_config *config, struct pc_port *port, uint64_t now)
{
	struct pc_prefix own = {.addr = pc_addr_ip4(htonl(BED_CLIENT)), .len = 96 + 16};
	const struct pc_run_ports ports = {
	    .ports = &port, .nb_ports = 1, .pool = pool, .addr = &own};
	char why[128] = "";
	struct load *l;

	if (!pc_addr_is_ip4(&config->server))
		CU_ASSERT_FATAL(pc_prefix_parse(BED_CLIENT6, &own) == 0);
	l = load_create(config, &ports, now, why, sizeof(why));

	if (l == NULL)
		printf("load_create: %s\n", why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	return l;
}

static void make_wire(struct bed *b, const struct pc_fault_config *faults)
{
	const struct pc_wire_config wire = {.pool = pool, .capacity = 16384};
	struct pc_fault_config f;

	CU_ASSERT_FATAL(pc_port_wire(&wire, b->ends) == 0);
	if (faults != NULL) {
		f = *faults;
		f.pool = pool;
		b->ends[1] = pc_port_fault(b->ends[1], &f);
		CU_ASSERT_PTR_NOT_NULL_FATAL(b->ends[1]);
	}
}

void bed_start(struct bed *b, const struct pc_fault_config *faults)
{
	make_wire(b, faults);
	make_server(b);
	b->load = make_load(&b->config, b->ends[1], b->now);
}

void bed_start_other(struct bed *b, const char *mode, const struct pc_fault_config *faults)
{
	make_wire(b, faults);
	b->other_config = b->config;
	b->other_config.mode = mode_find(mode);
	b->other_config.run_ms = 100000;
	b->other = make_load(&b->other_config, b->ends[0], b->now);
	b->load = make_load(&b->config, b->ends[1], b->now);
}

void bed_start_hand(struct bed *b)
{
	make_wire(b, NULL);
	b->load = make_load(&b->config, b->ends[1], b->now);
}

struct rte_mempool *bed_pool(void)
{
	return pool;
}

static bool turn(struct bed *b)
{
	bool more;

	/* while the server's programs stand still little happens, and seconds have many turns */
	b->now += is_mute(b) ? 10 * BED_STEP_NS : BED_STEP_NS;
	more = load_turn(b->load, b->now);
	if (b->now >= b->stall_from && b->now < b->stall_to)
		return more;
	if (b->sv != NULL)
		turn_server(b);
	else
		load_turn(b->other, b->now);
	return more;
}

void bed_until(struct bed *b, enum phase phase)
{
	uint64_t end = b->now + UINT64_C(60000000000);

	while (b->load->phase < phase && b->now < end)
		turn(b);
	CU_ASSERT_EQUAL(b->load->phase, phase);
}

void bed_for(struct bed *b, uint64_t ms)
{
	const uint64_t end = b->now + ms * 1000000;

	while (b->now < end && turn(b))
		;
}

void bed_run(struct bed *b, double seconds)
{
	uint64_t end = b->now + (uint64_t)(seconds * 1e9);
	bool more = true;

	while (more && b->now < end)
		more = turn(b);
	CU_ASSERT(!more); /* it ends by itself */
}

void bed_linger(struct bed *b, double seconds)
{
	const uint64_t end = b->now + (uint64_t)(seconds * 1e9);

	while (bed_connections(b) > 0 && b->now < end)
		turn(b);
}

uint32_t bed_connections(const struct bed *b)
{
	struct pc_stack_usage usage;

	pc_stack_get_usage(b->sv->st, &usage);
	return usage.connections;
}

uint64_t bed_answers(const struct bed *b)
{
	return b->load->at_end.answers - b->load->at_run.answers;
}

void bed_check(const struct bed *b)
{
	if (load_has_fault(b->load)) {
		printf("%s: %s\n", b->config.mode->name, b->load->why);
		report_summary(b->load, stdout);
	}
	CU_ASSERT(!load_has_fault(b->load));
}

void bed_check_over(const struct bed *b)
{
	bed_check(b);
	if (b->sv != NULL)
		CU_ASSERT_EQUAL(bed_connections(b), 0);
}

void bed_whole(struct bed *b, double seconds)
{
	bed_start(b, NULL);
	bed_run(b, seconds);
	bed_check_over(b);
}

void bed_end(struct bed *b)
{
	load_destroy(b->load);
	if (b->sv != NULL) {
		service_close_all(b->sv);
		pc_stack_destroy(b->sv->st);
		free(b->sv);
	} else if (b->other != NULL) {
		load_destroy(b->other);
	}
	pc_port_close(b->ends[0]);
	pc_port_close(b->ends[1]);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}
