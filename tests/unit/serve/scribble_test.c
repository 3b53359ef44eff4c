/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another process that has the segment mapped and writes into it at any time, also between two looks of the lcore.
 *
 * Where it writes into what is its own (its calls, its rings, its sockets and their fifos), another client of the channel goes on
 * undisturbed.  Where it writes anywhere, it may disturb other clients, whose memory that is; but not the lcore, the stack,
 * and what the program itself does with the stack.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <percore/percore.h>

#include "../../support/bed.h"
#include "../../support/eal.h"
#include "../unit.h"
#include "serve/service.h"

#define GOOD      2
#define PORT      80
#define ECHOES    16
#define SOCKETS   64
#define OWN       12 /* sockets of the scribbler, as far as it needs them */
#define RUN_NS    UINT64_C(1500000000)
#define STUCK_S   120
#define VALIDATED 64 /* turns between two validations */

static struct rte_mempool *pool;
static struct bed b;
static struct chan *c;
static uint32_t evil; /* the slot of the scribbler */

static uint64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- the scribbler ----------------------------------------------------------------------------- */

static uint64_t state = 88172645463325252;

static uint64_t draw(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % n;
}

static uint64_t some_value(void)
{
	switch (draw(6)) {
	case 0:
		return draw(16);
	case 1:
		return UINT64_MAX;
	case 2:
		return (uint64_t)1 << draw(64);
	case 3:
		return draw(c->nb_socks) | draw(c->nb_socks) << 32;
	case 4:
		return c->fifo_bytes + draw(64) - 32;
	default:
		return state;
	}
}

/* Writes into n bytes at p; or back and forth, to be met in between. */
static void scribble(void *p, size_t n)
{
	uint32_t *at = (uint32_t *)p + draw(n / sizeof(*at));
	const uint32_t was = at_peek(at), value = (uint32_t)some_value();

	at_put(at, value);
	for (uint64_t k = draw(4) == 0 ? draw(3000) : 0; k > 0; k--)
		at_put(at, k % 2 != 0 ? was : value);
	if (draw(2))
		at_put(at, was);
}

static void post(uint32_t proc, uint32_t value)
{
	(void)post_push(chan_post(c, proc, 0), c->post_cells, value);
	at_put(&chan_sock(c, value % c->nb_socks)->kicked, 0);
}

static void any_call(uint32_t own[OWN])
{
	const uint32_t k = (uint32_t)draw(CHAN_CALLS), i = (uint32_t)draw(OWN);
	struct chan_call *call = &chan_proc(c, evil)->call[k];
	const struct sockaddr_in a = bed_addr(&b, draw(4) ? FAR : NEAR, (uint16_t)(PORT + draw(4)));

	if (call->op == CHAN_OP_SOCKET && at_load(&call->state) == CHAN_CALL_DONE &&
	    (uint64_t)call->result < c->nb_socks)
		own[i] = (uint32_t)call->result;
	call->op = (uint32_t)draw(17);
	call->sock = own[draw(OWN)];
	call->a = draw(2) ? (int32_t)draw(8) : (int32_t)some_value();
	call->b = (int32_t)draw(60);
	call->len = draw(4) ? sizeof(a) : (uint32_t)some_value();
	memcpy(call->data, &a, sizeof(a));
	if (own[i] == CHAN_NONE) {
		call->op = CHAN_OP_SOCKET;
		call->a = draw(3) ? AF_INET : AF_INET6;
		call->b = draw(3) ? SOCK_STREAM : SOCK_DGRAM;
	} else if (call->op == CHAN_OP_SOCKET) {
		call->op = CHAN_OP_FLUSH; /* it is about the memory, and not about all sockets */
	}
	at_store(&call->state, CHAN_CALL_POSTED);
	post(evil, CHAN_POST_CALL | k);
}

/* A socket of its own: all but who holds it, or it would soon be another's. */
static void scribble_socket(uint32_t sock)
{
	struct chan_sock *s = chan_sock(c, sock);
	const size_t held = offsetof(struct chan_sock, holders);
	const size_t behind = offsetof(struct chan_sock, local);
	struct fifo tx = chan_tx(c, sock), rx = chan_rx(c, sock);

	switch (draw(5)) {
	case 0:
		scribble(s, held);
		break;
	case 1:
		scribble((uint8_t *)s + behind, sizeof(*s) - behind);
		break;
	case 2:
		scribble(draw(2) ? tx.bytes : rx.bytes, 4096);
		break;
	case 3:
		fifo_publish(&tx, (uint32_t)draw(5000));
		break;
	default:
		fifo_consume(&rx, (uint32_t)draw(5000));
	}
	post(evil, sock);
}

static void scribble_own(uint32_t own[OWN])
{
	const uint32_t sock = own[draw(OWN)];

	switch (draw(8)) {
	case 0:
		any_call(own);
		break;
	case 1: {
		struct chan_call *call = &chan_proc(c, evil)->call[draw(CHAN_CALLS)];

		/* what it asks for, but not for sockets without end */
		scribble(&call->sock, sizeof(*call) - offsetof(struct chan_call, sock));
		break;
	}
	case 2:
		scribble(chan_post(c, evil, 0)->cell, c->post_cells * sizeof(struct post_cell));
		break;
	case 3:
		post(evil, (uint32_t)some_value());
		break;
	default:
		if (sock != CHAN_NONE)
			scribble_socket(sock);
	}
}

static void scribble_anywhere(uint32_t own[OWN])
{
	const uint32_t sock = (uint32_t)draw(c->nb_socks);
	uint32_t n;

	switch (draw(5)) {
	case 0:
		scribble(c->head, c->rx_at);
		break;
	case 1:
		scribble(chan_sock(c, sock), sizeof(struct chan_sock));
		post(draw(2) ? evil : GOOD, sock);
		break;
	case 2:
		scribble(chan_accept_words(c, sock, &n), 64);
		break;
	case 3:
		scribble(chan_proc(c, draw(2) ? evil : GOOD), sizeof(struct chan_proc));
		break;
	default:
		scribble_own(own);
	}
}

static pid_t start_scribbler(void (*write_some)(uint32_t own[OWN]), uint64_t seed)
{
	const pid_t parent = getpid(), child = fork();
	uint32_t own[OWN];

	if (child != 0)
		return child;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	state += seed;
	memset(own, 0xff, sizeof(own));
	for (;;)
		write_some(own);
}

/* ---- the machines ------------------------------------------------------------------------------ */

static int far_listener, echo[ECHOES];

static int listener(int side, uint16_t port)
{
	const struct sockaddr_in a = bed_addr(&b, side, port);
	const int fd = pc_socket(b.st[side], AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_FATAL(pc_bind(b.st[side], fd, (const struct sockaddr *)&a, sizeof(a)) == 0);
	CU_ASSERT_FATAL(pc_listen(b.st[side], fd, ECHOES) == 0);
	return fd;
}

static void echo_one(int *fd)
{
	char buf[2000];
	ssize_t n;

	if (*fd < 0)
		*fd = pc_accept(b.st[FAR], far_listener, NULL, NULL);
	if (*fd < 0)
		return;
	n = pc_recv(b.st[FAR], *fd, buf, sizeof(buf), 0);
	if (n > 0)
		(void)pc_send(b.st[FAR], *fd, buf, (size_t)n, MSG_NOSIGNAL);
	if (n > 0 || (n < 0 && errno == EAGAIN))
		return;
	(void)pc_close(b.st[FAR], *fd);
	*fd = -1;
}

static void turn(void)
{
	b.now += 100000;
	for (int side = 0; side < 2; side++) {
		pc_stack_poll(b.st[side], b.now);
		if (side == NEAR)
			pc_service_turn(b.service, b.now);
		for (int i = 0; side == FAR && i < ECHOES; i++)
			echo_one(&echo[i]);
		pc_stack_flush(b.st[side], b.now);
	}
}

/* ---- the program's own connection, by calls of the stack ---------------------------------------- */

struct stream {
	uint64_t sent, received;
	int fd;
	uint32_t sock;
};

static uint8_t byte_at(uint64_t position)
{
	return (uint8_t)(position * 31 + (position >> 8));
}

static uint32_t fill(const struct stream *t, uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		p[i] = byte_at(t->sent + i);
	return n;
}

static void check(struct stream *t, const uint8_t *p, uint32_t n)
{
	uint32_t wrong = 0;

	for (uint32_t i = 0; i < n; i++)
		wrong += p[i] != byte_at(t->received + i);
	CU_ASSERT_EQUAL(wrong, 0);
	t->received += n;
}

static void program_turn(struct stream *t)
{
	uint8_t buf[700];
	ssize_t n = pc_recv(b.st[NEAR], t->fd, buf, sizeof(buf), 0);

	if (n > 0)
		check(t, buf, (uint32_t)n);
	else
		CU_ASSERT(n < 0 && errno == EAGAIN);
	if (t->sent != t->received)
		return;
	n = pc_send(b.st[NEAR], t->fd, buf, fill(t, buf, sizeof(buf)), 0);
	if (n > 0)
		t->sent += (uint64_t)n;
}

static void program_begin(struct stream *t)
{
	const struct sockaddr_in a = bed_addr(&b, FAR, PORT);

	*t = (struct stream){.fd = pc_socket(b.st[NEAR], AF_INET, SOCK_STREAM, 0)};
	CU_ASSERT(pc_connect(b.st[NEAR], t->fd, (const struct sockaddr *)&a, sizeof(a)) != 0);
	for (int i = 0; i < 10; i++)
		turn();
}

/* ---- a client of the channel -------------------------------------------------------------------- */

static int64_t call(enum chan_op op, uint32_t sock, int32_t x, int32_t y, const void *data,
                    uint32_t len)
{
	struct chan_call *k = &chan_proc(c, GOOD)->call[0];

	*k = (struct chan_call){.op = op, .sock = sock, .a = x, .b = y, .len = len};
	if (data != NULL)
		memcpy(k->data, data, len);
	at_store(&k->state, CHAN_CALL_POSTED);
	(void)post_push(chan_post(c, GOOD, 0), c->post_cells, CHAN_POST_CALL | 0);
	for (int i = 0; i < 100 && at_load(&k->state) != CHAN_CALL_DONE; i++)
		turn();
	return at_load(&k->state) == CHAN_CALL_DONE ? k->result : -ETIME;
}

static void client_begin(struct stream *t)
{
	const struct sockaddr_in a = bed_addr(&b, FAR, PORT);
	const int64_t sock = call(CHAN_OP_SOCKET, CHAN_NONE, AF_INET, SOCK_STREAM, NULL, 0);

	CU_ASSERT_FATAL(sock >= 0);
	*t = (struct stream){.sock = (uint32_t)sock};
	CU_ASSERT_EQUAL(call(CHAN_OP_CONNECT, t->sock, 0, 0, &a, sizeof(a)), -EINPROGRESS);
	for (int i = 0; i < 10; i++)
		turn();
	CU_ASSERT_EQUAL(at_load(&chan_sock(c, t->sock)->state), CHAN_CONNECTED);
}

static void client_turn(struct stream *t)
{
	const struct fifo rx = chan_rx(c, t->sock), tx = chan_tx(c, t->sock);
	uint8_t buf[700];
	uint32_t n;

	n = fifo_read(&rx, 0, buf, sizeof(buf));
	check(t, buf, n);
	fifo_consume(&rx, n);
	if (t->sent == t->received) {
		n = fifo_write(&tx, 0, buf, fill(t, buf, sizeof(buf)));
		fifo_publish(&tx, n);
		t->sent += n;
	}
	chan_kick(c, GOOD, t->sock);
}

/* ---- a run --------------------------------------------------------------------------------------- */

static void begin(void)
{
	const struct pc_host_config hc = {.nb_lcores = 1, .max_sockets = SOCKETS};

	bed_small(&b, pool);
	b.host = pc_host_create(&hc);
	CU_ASSERT_FATAL(b.host != NULL);
	b.service = pc_host_add(b.host, 0, b.st[NEAR]);
	CU_ASSERT_FATAL(b.service != NULL);
	c = b.host->chan;
	evil = 1;
	/* processes that have attached; the control thread is not needed */
	for (uint32_t p = evil; p <= GOOD; p++) {
		at_store(&b.host->slot[p], CHAN_PROC_LIVE);
		at_or(&b.host->live[0], UINT64_C(1) << p);
	}
	far_listener = listener(FAR, PORT);
	memset(echo, -1, sizeof(echo));
}

static void die(uint32_t proc)
{
	at_add(&b.host->deaths[proc], 1);
	at_store(&b.host->slot[proc], CHAN_PROC_DYING);
	turn();
	at_and(&b.host->live[0], ~(UINT64_C(1) << proc));
	at_store(&b.host->slot[proc], CHAN_PROC_FREE);
}

/* all that was there is gone, in three seconds: two sweeps */
static void finish(struct stream *program, uint32_t left)
{
	for (int i = 0; i < 3; i++) {
		b.now += UINT64_C(1000000000);
		turn();
	}
	CU_ASSERT_EQUAL(b.service->nb_used, left);
	(void)pc_close(b.st[NEAR], program->fd);
	if (left > 0)
		die(GOOD);
	for (int side = 0; side < 2; side++)
		CU_ASSERT_EQUAL(pc_stack_validate(b.st[side], stderr), 0);
	pc_host_destroy(b.host);
	b.host = NULL;
	bed_close(&b);
}

static void run(void (*write_some)(uint32_t own[OWN]), uint64_t seed, bool undisturbed)
{
	const uint64_t end = wall_ns() + RUN_NS;
	struct stream program, client;
	int status, turns = 0;
	pid_t child;

	begin();
	program_begin(&program);
	client_begin(&client);
	child = start_scribbler(write_some, seed);
	CU_ASSERT_FATAL(child > 0);
	alarm(STUCK_S);
	for (; wall_ns() < end; turns++) {
		turn();
		program_turn(&program);
		if (undisturbed)
			client_turn(&client);
		for (int side = 0; turns % VALIDATED == 0 && side < 2; side++)
			CU_ASSERT_EQUAL_FATAL(pc_stack_validate(b.st[side], stderr), 0);
	}
	kill(child, SIGKILL);
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CU_ASSERT(program.received > 10 * 700);
	CU_ASSERT(!undisturbed || client.received > 10 * 700);
	die(evil);
	if (!undisturbed)
		die(GOOD);
	finish(&program, undisturbed ? 1 : 0);
	alarm(0);
}

static void into_its_own(void)
{
	run(scribble_own, 1, true);
}

static void anywhere(void)
{
	run(scribble_anywhere, 2, false);
}

static const struct unit_case cases[] = {
    {"into what is its own", into_its_own},
    {"anywhere", anywhere},
};

int main(void)
{
	eal_start();
	pool = eal_pool("scribble", 8191);
	return unit_run("serve/scribble", cases, sizeof(cases) / sizeof(cases[0]));
}
