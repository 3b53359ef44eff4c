/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients that write nonsense: into sockets, rings, calls and fifos of the channel.  Whatever they do, the lcore must
 * keep its own structures in order, and serve another client.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <percore/percore.h>

#include "../../support/bed.h"
#include "../../support/eal.h"
#include "../unit.h"
#include "serve/service.h"

#define SLOT 1

static struct rte_mempool *pool;
static struct bed b;
static struct chan *c;
static uint32_t seed;

static uint32_t draw(uint32_t n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % n;
}

static void turn(void)
{
	b.now += 1000000;
	for (int side = 0; side < 2; side++) {
		pc_stack_poll(b.st[side], b.now);
		if (side == NEAR)
			pc_service_turn(b.service, b.now);
		pc_stack_flush(b.st[side], b.now);
	}
}

static void start(void)
{
	const struct pc_host_config hc = {.nb_lcores = 1, .max_sockets = 32};

	bed_percore(&b, pool);
	b.host = pc_host_create(&hc);
	CU_ASSERT_FATAL(b.host != NULL);
	b.service = pc_host_add(b.host, 0, b.st[NEAR]);
	CU_ASSERT_FATAL(b.service != NULL);
	c = b.host->chan;
	/* a process that has attached, without the process */
	at_store(&b.host->slot[SLOT], CHAN_PROC_LIVE);
	at_or(&b.host->live[0], UINT64_C(1) << SLOT);
}

/* The slot dies; nothing of it is left. */
static void finish(void)
{
	for (uint32_t i = 0; i < c->nb_socks; i++)
		memset(chan_sock(c, i)->holders, 0, sizeof(chan_sock(c, i)->holders));
	at_add(&b.host->deaths[SLOT], 1);
	at_store(&b.host->slot[SLOT], CHAN_PROC_DYING);
	for (uint32_t i = 0; i < c->nb_socks; i++) {
		/* what a sweep would find, too */
		if (service_owns(b.service, i))
			service_look(b.service, i);
	}
	for (int i = 0; i < 5; i++)
		turn();
	for (int side = 0; side < 2; side++)
		CU_ASSERT_EQUAL(pc_stack_validate(b.st[side], stderr), 0);
	pc_host_destroy(b.host);
	b.host = NULL;
	bed_close(&b);
}

static void post(uint32_t value)
{
	(void)post_push(chan_post(c, SLOT, 0), c->post_cells, value);
}

static int64_t call(enum chan_op op, uint32_t sock, int32_t x, int32_t y, const void *data,
                    uint32_t len)
{
	struct chan_call *call_ = &chan_proc(c, SLOT)->call[0];

	*call_ = (struct chan_call){
	    .state = CHAN_CALL_POSTED, .op = op, .sock = sock, .a = x, .b = y, .len = len};
	if (data != NULL)
		memcpy(call_->data, data, len < CHAN_CALL_DATA ? len : CHAN_CALL_DATA);
	post(CHAN_POST_CALL | 0);
	turn();
	return at_load(&call_->state) == CHAN_CALL_DONE ? call_->result : -1;
}

/* ---- single faults ---------------------------------------------------------------------------- */

static void numbers_out_of_range(void)
{
	start();
	post(CHAN_POST_CALL | CHAN_CALLS);
	post(CHAN_POST_CALL | 0x7fffffff);
	post(c->nb_socks);
	post(0x7fffffff);
	post(3); /* which is free */
	turn();
	CU_ASSERT_EQUAL(call(CHAN_OP_BIND, 5, 0, 0, NULL, 0), -EBADF);
	CU_ASSERT_EQUAL(call(CHAN_OP_BIND, UINT32_MAX, 0, 0, NULL, UINT32_MAX), -EBADF);
	CU_ASSERT_EQUAL(call(99, 0, 0, 0, NULL, 0), -EBADF);
	finish();
}

static void sockets_that_see_what_is_others(void)
{
	const struct {
		uint64_t n;
		const void *filter;
	} program = {1, NULL};
	int64_t sock;

	start();
	CU_ASSERT_EQUAL(call(CHAN_OP_SOCKET, CHAN_NONE, AF_PACKET, SOCK_RAW, NULL, 0),
	                -EAFNOSUPPORT);
	CU_ASSERT_EQUAL(call(CHAN_OP_SOCKET, CHAN_NONE, AF_PACKET, SOCK_DGRAM, NULL, 0),
	                -EAFNOSUPPORT);
	CU_ASSERT_EQUAL(call(CHAN_OP_SOCKET, CHAN_NONE, AF_INET, SOCK_RAW, NULL, 0),
	                -ESOCKTNOSUPPORT);
	CU_ASSERT_EQUAL(
	    call(CHAN_OP_SOCKET, CHAN_NONE, AF_INET6, SOCK_RAW | SOCK_NONBLOCK, NULL, 0),
	    -ESOCKTNOSUPPORT);
	CU_ASSERT_EQUAL(b.service->nb_used, 0);
	sock = call(CHAN_OP_SOCKET, CHAN_NONE, AF_INET, SOCK_DGRAM, NULL, 0);
	CU_ASSERT_FATAL(sock >= 0);
	CU_ASSERT_EQUAL(call(CHAN_OP_SETSOCKOPT, (uint32_t)sock, SOL_SOCKET, SO_ATTACH_FILTER,
	                     &program, sizeof(program)),
	                -ENOPROTOOPT);
	finish();
}

/* What does not fit any more is marked again, once there is room. */
static void a_full_event_queue(void)
{
	uint32_t *words, sock;
	struct word_ring *r;
	int64_t made;

	start();
	made = call(CHAN_OP_SOCKET, CHAN_NONE, AF_INET, SOCK_STREAM, NULL, 0);
	CU_ASSERT_FATAL(made >= 0);
	sock = (uint32_t)made;
	r = chan_events(c, 0, 0, &words);
	chan_sock(c, sock)->subs[0] = 1;
	r->head = r->tail + c->queue_words;
	service_notify(b.service, sock, NEWS_IN);
	CU_ASSERT_EQUAL(chan_sock(c, sock)->queued[0], 0);
	r->head = r->tail;
	service_notify(b.service, sock, NEWS_IN);
	CU_ASSERT_EQUAL(chan_sock(c, sock)->queued[0], 1);
	CU_ASSERT_EQUAL(word_count(r), 1);
	finish();
}

/* A slot belongs to its connection, whatever the client writes there. */
static void a_slot_that_says_it_is_free(void)
{
	int one[2], two[2], first, second;

	start();
	/* the control thread, which may begin late, must see nothing of these */
	CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, one) == 0);
	CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, two) == 0);
	first = host_attach(b.host, one[0]);
	CU_ASSERT_FATAL(first > 0);
	memset(chan_proc(c, 0), 0xff, CHAN_PROCS * sizeof(struct chan_proc));
	memset(c->head->live, 0, sizeof(c->head->live));
	second = host_attach(b.host, two[0]);
	CU_ASSERT_NOT_EQUAL(first, second);
	CU_ASSERT_EQUAL(host_reap(b.host), 0);
	CU_ASSERT_NOT_EQUAL(b.host->conn[first], -1);
	CU_ASSERT_EQUAL(b.host->slot[first], CHAN_PROC_LIVE);
	/* nobody else's posts lie unread */
	CU_ASSERT_EQUAL(call(CHAN_OP_SOCKET, CHAN_NONE, AF_INET, SOCK_DGRAM, NULL, 0), 0);
	finish();
	close(one[1]);
	close(two[1]);
}

static void a_socket_of_somebody_else(void)
{
	int64_t sock;

	start();
	sock = call(CHAN_OP_SOCKET, CHAN_NONE, AF_INET, SOCK_STREAM, NULL, 0);
	CU_ASSERT_FATAL(sock >= 0);
	chan_sock(c, (uint32_t)sock)->holders[1] = 4;
	chan_sock(c, (uint32_t)sock)->holders[0] = 0;
	CU_ASSERT_EQUAL(call(CHAN_OP_LISTEN, (uint32_t)sock, 1, 0, NULL, 0), -EBADF);
	finish();
}

/* Who says that others hold its socket, who are not there, keeps it no longer than it lives itself. */
static void a_socket_of_nobody(void)
{
	int64_t sock;

	start();
	sock = call(CHAN_OP_SOCKET, CHAN_NONE, AF_INET, SOCK_STREAM, NULL, 0);
	CU_ASSERT_FATAL(sock >= 0);
	chan_sock(c, (uint32_t)sock)->holders[0] = UINT64_C(1) << 9;
	chan_sock(c, (uint32_t)sock)->holders[1] = UINT64_MAX;
	at_add(&b.host->deaths[SLOT], 1);
	at_store(&b.host->slot[SLOT], CHAN_PROC_DYING);
	turn();
	turn();
	CU_ASSERT_EQUAL(b.service->nb_used, 0);
	finish();
}

/* What is told of a socket goes to itself, unless it was made as a part of one that its maker had. */
static void a_part_of_what_is_others(void)
{
	int64_t theirs, sock;

	start();
	theirs = call(CHAN_OP_SOCKET, CHAN_NONE, AF_INET, SOCK_STREAM, NULL, 0);
	CU_ASSERT_FATAL(theirs >= 0);
	chan_sock(c, (uint32_t)theirs)->holders[0] = UINT64_C(1) << 9;
	at_or(&b.host->live[0], UINT64_C(1) << 9);
	sock = call(CHAN_OP_SOCKET, (uint32_t)theirs, AF_INET, SOCK_STREAM, NULL, 0);
	CU_ASSERT_FATAL(sock >= 0);
	CU_ASSERT_EQUAL(service_sock(b.service, (uint32_t)sock)->primary, sock);
	CU_ASSERT_EQUAL(call(CHAN_OP_BIND, (uint32_t)theirs, 0, 0, NULL, 0), -EBADF);
	finish();
}

#define STUCK_S 10

/* An lcore that rings writes, and does not wait for whoever has made the other end block and filled it; nor does that one
 * hear what is for the next. */
static void a_queue_that_is_full_and_blocks(void)
{
	uint64_t full = UINT64_MAX - 1;
	int fd, next, queue;

	start();
	queue = host_queue(b.host, SLOT, &fd);
	CU_ASSERT_FATAL(queue >= 0 && fd >= 0);
	while (write(fd, &full, sizeof(full)) > 0)
		continue;
	CU_ASSERT_EQUAL(fcntl(fd, F_SETFL, O_RDWR), 0);
	alarm(STUCK_S);
	host_wake(b.host, (uint32_t)queue);
	alarm(0);
	host_queue_free(b.host, SLOT, (uint32_t)queue);
	CU_ASSERT_EQUAL(host_queue(b.host, SLOT, &next), queue);
	CU_ASSERT(read(next, &full, 1) < 0 && errno == EAGAIN);
	host_wake(b.host, (uint32_t)queue);
	CU_ASSERT_EQUAL(read(next, &full, sizeof(full)), 1);
	host_queue_free(b.host, SLOT, (uint32_t)queue);
	/* without anybody who reads */
	close(next);
	host_wake(b.host, (uint32_t)queue);
	finish();
	close(fd);
}

static void a_listener_in_its_own_queue(void)
{
	struct sockaddr_in a = bed_addr(&b, NEAR, 80);
	int64_t sock;
	uint32_t n;

	start();
	a = bed_addr(&b, NEAR, 80);
	sock = call(CHAN_OP_SOCKET, CHAN_NONE, AF_INET, SOCK_STREAM, NULL, 0);
	CU_ASSERT_FATAL(sock >= 0);
	CU_ASSERT_EQUAL(call(CHAN_OP_BIND, (uint32_t)sock, 0, 0, &a, sizeof(a)), 0);
	CU_ASSERT_EQUAL(call(CHAN_OP_LISTEN, (uint32_t)sock, 5, 0, NULL, 0), 0);
	chan_accept_words(c, (uint32_t)sock, &n)[0] = (uint32_t)sock;
	chan_sock(c, (uint32_t)sock)->accepted.head = 1;
	chan_sock(c, (uint32_t)sock)->holders[0] = CHAN_QUEUED;
	service_look(b.service, (uint32_t)sock);
	CU_ASSERT_EQUAL(b.service->nb_used, 0);
	finish();
}

/* ---- listeners that wait for free sockets ------------------------------------------------------ */

static uint32_t listener(uint16_t port)
{
	struct sockaddr_in a = bed_addr(&b, NEAR, port);
	int64_t sock = call(CHAN_OP_SOCKET, CHAN_NONE, AF_INET, SOCK_STREAM, NULL, 0);

	CU_ASSERT_FATAL(sock >= 0);
	CU_ASSERT_EQUAL(call(CHAN_OP_BIND, (uint32_t)sock, 0, 0, &a, sizeof(a)), 0);
	CU_ASSERT_EQUAL(call(CHAN_OP_LISTEN, (uint32_t)sock, 64, 0, NULL, 0), 0);
	return (uint32_t)sock;
}

static int connect_one(uint16_t port)
{
	struct sockaddr_in a = bed_addr(&b, NEAR, port);
	int fd = pc_socket(b.st[FAR], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	(void)pc_connect(b.st[FAR], fd, (struct sockaddr *)&a, sizeof(a));
	turn();
	turn();
	return fd;
}

static void connect_some(uint16_t port, int n)
{
	for (int i = 0; i < n; i++)
		(void)connect_one(port);
}

static uint64_t accepted(uint32_t sock)
{
	return chan_sock(c, sock)->accepted.head;
}

/* Closes one that nobody has accepted yet. */
static void free_one(uint32_t sock)
{
	uint32_t n, one = CHAN_NONE, *words = chan_accept_words(c, sock, &n);

	CU_ASSERT_FATAL(word_pop(&chan_sock(c, sock)->accepted, words, n, &one));
	chan_sock(c, one)->holders[0] = 0;
	post(one);
	turn();
	turn();
}

/* Each gets what comes free in its turn, wherever its socket lies; one that is closed leaves the others in order. */
static void listeners_that_wait(void)
{
	uint32_t l[3], nb_used, left;

	start();
	for (int i = 0; i < 3; i++)
		l[i] = listener((uint16_t)(80 + i));
	connect_some(80, (int)(c->socks_per_lcore - 3));
	CU_ASSERT_EQUAL(b.service->free, CHAN_NONE);
	for (int i = 0; i < 3; i++)
		connect_some((uint16_t)(80 + i), 4);
	CU_ASSERT_EQUAL(b.service->short_first, l[0]);
	CU_ASSERT_EQUAL(b.service->short_last, l[2]);
	nb_used = b.service->nb_used;
	for (uint64_t n = 1; n <= 2; n++) {
		for (int i = 0; i < 3; i++)
			free_one(l[0]);
		CU_ASSERT_EQUAL(accepted(l[0]), nb_used - 3 + n);
		CU_ASSERT_EQUAL(accepted(l[1]), n);
		CU_ASSERT_EQUAL(accepted(l[2]), n);
		CU_ASSERT_EQUAL(b.service->nb_used, nb_used);
	}
	/* the last and then the first go, with what has been accepted for them */
	for (int i = 2; i >= 1; i--) {
		chan_sock(c, l[i])->holders[SLOT / 64] = 0;
		post(l[i]);
		turn();
	}
	left = b.service->nb_used;
	CU_ASSERT_EQUAL(left, nb_used - 2 - 4 + 2); /* two of l[0]'s came in */
	CU_ASSERT_EQUAL(b.service->short_first, CHAN_NONE);
	CU_ASSERT_EQUAL(b.service->short_last, CHAN_NONE);
	finish();
}

/* Writes into the oldest connection that was accepted until its peer, which reads nothing, takes no more; and closes it. Returns its
 * socket. */
static uint32_t write_and_close(uint32_t sock)
{
	uint32_t n, one = CHAN_NONE, *words = chan_accept_words(c, sock, &n);
	static const uint8_t bytes[65536];
	struct fifo tx;

	CU_ASSERT_FATAL(word_pop(&chan_sock(c, sock)->accepted, words, n, &one));
	chan_sock(c, one)->holders[0] = UINT64_C(1) << SLOT;
	tx = chan_tx(c, one);
	for (int i = 0; i < 200; i++) {
		fifo_publish(&tx, fifo_write(&tx, 0, bytes, sizeof(bytes)));
		post(one);
		turn();
	}
	CU_ASSERT(fifo_pending(&tx) > 0);
	chan_sock(c, one)->holders[0] = 0;
	post(one);
	turn();
	CU_ASSERT(service_owns(b.service, one));
	return one;
}

/* Peers that read nothing do not keep the sockets of connections that the program has closed from others for ever. */
static void closed_ones_give_way(void)
{
	uint32_t l, used;

	start();
	l = listener(80);
	connect_some(80, 3);
	for (int i = 0; i < 3; i++)
		(void)write_and_close(l);
	for (int i = 0; i < 600; i++) { /* nobody has need of them */
		b.now += 19 * UINT64_C(1000000);
		turn();
	}
	used = b.service->nb_used;
	CU_ASSERT_EQUAL(b.service->nb_closing, 3);
	connect_some(80, (int)(c->socks_per_lcore - used + 3));
	for (int i = 0; i < 3000 && b.service->nb_closing > 0; i++) { /* from when somebody has */
		b.now += 19 * UINT64_C(1000000);
		turn();
	}
	CU_ASSERT_EQUAL(b.service->nb_used, c->socks_per_lcore);
	CU_ASSERT_EQUAL(b.service->nb_closing, 0);
	CU_ASSERT_EQUAL(accepted(l), c->socks_per_lcore - used + 3 + 3);
	finish();
}

/* A peer that reads steadily, however long it takes for a third of the send buffer, loses nothing of what was written. */
static void closed_ones_that_are_read_stay(void)
{
	char bytes[500];
	uint32_t l, one;
	int fd;

	start();
	l = listener(80);
	fd = connect_one(80);
	for (int i = 0; i < 5; i++)
		turn();
	one = write_and_close(l);
	connect_some(80, (int)(c->socks_per_lcore - b.service->nb_used + 1));
	CU_ASSERT_EQUAL(b.service->free, CHAN_NONE);
	for (int s = 0; s < 40; s++) {
		CU_ASSERT_EQUAL(pc_recv(b.st[FAR], fd, bytes, sizeof(bytes), 0), sizeof(bytes));
		b.now += UINT64_C(990000000);
		for (int i = 0; i < 10; i++)
			turn();
	}
	CU_ASSERT_EQUAL(b.service->nb_closing, 1);
	CU_ASSERT(service_owns(b.service, one) && service_sock(b.service, one)->closing);
	finish();
}

/* A queue in which somebody else's connection is written takes none along. */
static void a_connection_of_another_listener(void)
{
	uint32_t l[2], n, one;

	start();
	l[0] = listener(80);
	l[1] = listener(81);
	connect_some(80, 1);
	for (int i = 0; i < 5; i++)
		turn();
	CU_ASSERT_FATAL(accepted(l[0]) == 1);
	one = chan_accept_words(c, l[0], &n)[0];
	chan_accept_words(c, l[1], &n)[0] = one;
	chan_sock(c, l[1])->accepted.head = 1;
	CU_ASSERT_EQUAL(call(CHAN_OP_SHUTDOWN, l[1], SHUT_RDWR, 0, NULL, 0), 0);
	CU_ASSERT(service_owns(b.service, one) && chan_sock(c, one)->holders[0] == CHAN_QUEUED);
	CU_ASSERT_EQUAL(call(CHAN_OP_SHUTDOWN, l[0], SHUT_RDWR, 0, NULL, 0), 0);
	CU_ASSERT(!service_owns(b.service, one));
	finish();
}

/* ---- many ------------------------------------------------------------------------------------- */

static void write_nonsense(uint32_t sock)
{
	uint64_t *at = (uint64_t *)(void *)chan_sock(c, sock);
	size_t i = draw(sizeof(struct chan_sock) / 8);

	at[i] = draw(3) == 0 ? draw(16)
	        : draw(2)    ? ~UINT64_C(0)
	                     : (uint64_t)draw(1u << 24) << draw(40);
}

static void do_something(void)
{
	uint32_t sock = draw(c->nb_socks);
	struct sockaddr_in a = bed_addr(&b, (int)draw(2), (uint16_t)draw(100));
	uint8_t bytes[300];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)draw(256);
	if (draw(2))
		memcpy(bytes, &a, sizeof(a));
	switch (draw(8)) {
	case 0:
		(void)call(CHAN_OP_SOCKET, draw(4) ? CHAN_NONE : sock,
		           draw(4) ? AF_INET : (int)draw(12), draw(2) ? SOCK_STREAM : SOCK_DGRAM,
		           NULL, 0);
		break;
	case 1:
		(void)call(draw(16), sock, (int)draw(20), (int)draw(30), bytes, draw(40));
		break;
	case 2:
	case 3:
		write_nonsense(sock);
		break;
	case 4: {
		struct fifo tx = chan_tx(c, sock);

		(void)fifo_write(&tx, 0, bytes, draw(300));
		fifo_publish(&tx, draw(4) ? draw(300) : draw(1u << 20));
		break;
	}
	case 5:
		chan_post(c, SLOT, 0)->cell[draw(c->post_cells)].value = draw(1u << 20);
		break;
	default:
		post(draw(3) ? sock : draw(2) ? CHAN_POST_CALL | draw(64) : seed);
	}
	turn();
}

static void nonsense(void)
{
	for (uint32_t first = 1; first <= 20; first++) {
		seed = first;
		start();
		for (int i = 0; i < 400; i++)
			do_something();
		finish();
	}
}

static const struct unit_case cases[] = {
    {"numbers out of range", numbers_out_of_range},
    {"sockets that see what is others'", sockets_that_see_what_is_others},
    {"a full event queue", a_full_event_queue},
    {"a slot that says it is free", a_slot_that_says_it_is_free},
    {"a socket of somebody else", a_socket_of_somebody_else},
    {"a socket of nobody", a_socket_of_nobody},
    {"a part of what is others'", a_part_of_what_is_others},
    {"a queue that is full and blocks", a_queue_that_is_full_and_blocks},
    {"a listener in its own queue", a_listener_in_its_own_queue},
    {"listeners that wait for free sockets", listeners_that_wait},
    {"closed ones give way", closed_ones_give_way},
    {"closed ones that are read stay", closed_ones_that_are_read_stay},
    {"a connection of another listener", a_connection_of_another_listener},
    {"nonsense", nonsense},
};

int main(void)
{
	eal_start();
	pool = eal_pool("hostile", 8191);
	return unit_run("serve/hostile", cases, sizeof(cases) / sizeof(cases[0]));
}
