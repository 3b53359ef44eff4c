/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that writes arbitrary data into the memory that it shares with a stack.
 *
 * The bytes of an input are operations: calls as made by a client, posts, data for the stack and
 * room for data from it, and words written anywhere into the segment except the payload. The other
 * machine echoes. After each operation both stacks are validated, and when the process is gone no
 * socket and no mbuf may be left.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <percore/percore.h>

#include "bed.h"
#include "eal.h"
#include "fuzz.h"
#include "serve/service.h"

#define SLOT    1
#define OPS_MAX 200
#define PORT    80
#define SOCKETS 8
#define ECHOES  4

struct world {
	struct bytes in;
	struct bed b;
	struct chan *c;
	int listener, echo[ECHOES]; /* of the other machine; -1: none */
};

static struct rte_mempool *pool;

/* ---- the other machine ----------------------------------------------------------------------- */

static void begin_echo(struct world *w)
{
	struct sockaddr_in a = bed_addr(&w->b, FAR, PORT);

	w->listener = pc_socket(w->b.st[FAR], AF_INET, SOCK_STREAM, 0);
	fuzz_check(w->listener >= 0);
	fuzz_check(pc_bind(w->b.st[FAR], w->listener, (struct sockaddr *)&a, sizeof(a)) == 0);
	fuzz_check(pc_listen(w->b.st[FAR], w->listener, ECHOES) == 0);
	memset(w->echo, -1, sizeof(w->echo));
}

static void echo_one(struct world *w, int *fd)
{
	char buf[2000];
	ssize_t n;

	if (*fd < 0)
		*fd = pc_accept(w->b.st[FAR], w->listener, NULL, NULL);
	if (*fd < 0)
		return;
	n = pc_recv(w->b.st[FAR], *fd, buf, sizeof(buf), 0);
	if (n > 0)
		pc_send(w->b.st[FAR], *fd, buf, (size_t)n, 0);
	if (n > 0 || (n < 0 && errno == EAGAIN))
		return;
	fuzz_check(pc_close(w->b.st[FAR], *fd) == 0);
	*fd = -1;
}

static void turn(struct world *w, uint64_t ns)
{
	w->b.now += ns;
	for (int side = 0; side < 2; side++) {
		pc_stack_poll(w->b.st[side], w->b.now);
		if (side == NEAR)
			pc_service_turn(w->b.service, w->b.now);
		else
			for (unsigned i = 0; i < ECHOES; i++)
				echo_one(w, &w->echo[i]);
		pc_stack_flush(w->b.st[side], w->b.now);
	}
}

/* ---- operations ------------------------------------------------------------------------------ */

static uint32_t a_socket(struct world *w)
{
	return take8(&w->in) % SOCKETS;
}

static void post(struct world *w, uint32_t value)
{
	(void)post_push(chan_post(w->c, SLOT, 0), w->c->post_cells, value);
}

static struct chan_call *prepare(struct world *w, uint32_t op)
{
	struct chan_call *call = &chan_proc(w->c, SLOT)->call[0];

	*call = (struct chan_call){.state = CHAN_CALL_POSTED, .op = op, .sock = a_socket(w)};
	return call;
}

static void op_call(struct world *w)
{
	struct chan_call *call = prepare(w, take8(&w->in) % 18);

	call->a = (int32_t)(take8(&w->in) & 0x80 ? take32(&w->in) : take8(&w->in) % 70u);
	call->b = (int32_t)(take8(&w->in) % 70u);
	call->len = take8(&w->in) % 40u;
	if (take8(&w->in) % 16 == 0)
		call->len = take32(&w->in);
	for (unsigned i = 0; i < 40; i++)
		call->data[i] = take8(&w->in);
	post(w, CHAN_POST_CALL);
}

static void op_socket(struct world *w)
{
	struct chan_call *call = prepare(w, CHAN_OP_SOCKET);

	call->sock = CHAN_NONE;
	call->a = take8(&w->in) % 2 ? AF_INET : AF_INET6;
	call->b = take8(&w->in) % 4 ? SOCK_STREAM : SOCK_DGRAM;
	post(w, CHAN_POST_CALL);
}

/* an address of either side, to bind, connect or send to */
static void op_name(struct world *w)
{
	const uint8_t how = take8(&w->in);
	struct sockaddr_in a = bed_addr(&w->b, how & 1, (uint16_t)(PORT + (how >> 2 & 3)));
	struct chan_call *call = prepare(w, how & 2 ? CHAN_OP_CONNECT : CHAN_OP_BIND);

	if ((how & 0x70) == 0x70)
		a.sin_family = AF_UNSPEC;
	call->len = sizeof(a);
	memcpy(call->data, &a, sizeof(a));
	post(w, CHAN_POST_CALL);
}

static void op_listen(struct world *w)
{
	prepare(w, CHAN_OP_LISTEN)->a = take8(&w->in);
	post(w, CHAN_POST_CALL);
}

static void op_write(struct world *w)
{
	static const uint8_t data[4000];
	const uint32_t sock = a_socket(w), n = take16(&w->in) % sizeof(data);
	struct fifo tx = chan_tx(w->c, sock);
	const uint32_t room = fifo_room(&tx);

	if (n > room)
		return;
	(void)fifo_write(&tx, 0, data, n);
	fifo_publish(&tx, n);
	post(w, sock);
}

/* the header of a datagram made up by the client */
static void op_datagram(struct world *w)
{
	const struct sockaddr_in a = bed_addr(&w->b, take8(&w->in) & 1, PORT);
	struct chan_dgram d = {.len = take16(&w->in), .control_len = take8(&w->in)};
	const uint32_t sock = a_socket(w);
	struct fifo tx = chan_tx(w->c, sock);

	if (take8(&w->in) % 8 == 0)
		d.len = take32(&w->in);
	d.addr.len = take8(&w->in) % 2 ? sizeof(a) : take8(&w->in);
	memcpy(d.addr.sa, &a, sizeof(a));
	(void)fifo_write(&tx, 0, (const uint8_t *)&d, sizeof(d));
	fifo_publish(&tx, take8(&w->in) % 4 ? (uint32_t)sizeof(d) + d.len % 4096 : take32(&w->in));
	post(w, sock);
}

static void op_read(struct world *w)
{
	const uint32_t sock = a_socket(w);
	struct fifo rx = chan_rx(w->c, sock);

	fifo_consume(&rx, take16(&w->in));
	post(w, sock);
}

static void op_post(struct world *w)
{
	post(w, take8(&w->in) % 2 ? a_socket(w) : take32(&w->in));
}

/* any word of a socket's struct */
static void op_scribble(struct world *w)
{
	uint32_t *words = (uint32_t *)(void *)chan_sock(w->c, a_socket(w));
	const uint32_t at = take16(&w->in) % (sizeof(struct chan_sock) / sizeof(*words));

	words[at] = take8(&w->in) % 2 ? take8(&w->in) : take32(&w->in);
}

/* any word before the payload */
static void op_anywhere(struct world *w)
{
	uint32_t *words = (uint32_t *)(void *)w->c->head;

	words[take32(&w->in) % (w->c->rx_at / sizeof(*words))] = take32(&w->in);
}

static void op_accepted(struct world *w)
{
	uint32_t n, *words = chan_accept_words(w->c, a_socket(w), &n);

	words[take16(&w->in) % n] = take8(&w->in);
}

static void op_sweep(struct world *w)
{
	const uint32_t sock = a_socket(w);

	if (service_owns(w->b.service, sock))
		service_look(w->b.service, sock);
}

static void op_time(struct world *w)
{
	turn(w, UINT64_C(1000) << take8(&w->in) % 32);
}

static void (*const ops[])(struct world *w) = {
    op_call, op_socket,   op_name,     op_listen, op_write,    op_datagram, op_read,
    op_post, op_scribble, op_anywhere, op_sweep,  op_accepted, op_time};

/* ---- the world ------------------------------------------------------------------------------- */

static void open_world(struct world *w)
{
	const struct pc_host_config hc = {.nb_lcores = 1, .max_sockets = SOCKETS};

	bed_small(&w->b, pool);
	w->b.host = pc_host_create(&hc);
	fuzz_check(w->b.host != NULL);
	w->b.service = pc_host_add(w->b.host, 0, w->b.st[NEAR]);
	fuzz_check(w->b.service != NULL);
	w->c = w->b.host->chan;
	/* an attached process, without an actual process */
	at_store(&w->b.host->slot[SLOT], CHAN_PROC_LIVE);
	at_or(&w->b.host->live[0], UINT64_C(1) << SLOT);
	begin_echo(w);
}

/* The process dies, and a sweep examines what it held. */
static void close_world(struct world *w)
{
	for (uint32_t i = 0; i < w->c->nb_socks; i++)
		memset(chan_sock(w->c, i)->holders, 0, sizeof(chan_sock(w->c, i)->holders));
	at_add(&w->b.host->deaths[SLOT], 1);
	at_store(&w->b.host->slot[SLOT], CHAN_PROC_DYING);
	for (uint32_t i = 0; i < w->c->nb_socks; i++)
		if (service_owns(w->b.service, i))
			service_look(w->b.service, i);
	for (unsigned i = 0; i < 5; i++)
		turn(w, 1000000);
	for (uint32_t i = 0; i < w->c->nb_socks; i++)
		fuzz_check(!service_owns(w->b.service, i));
	pc_host_destroy(w->b.host);
	w->b.host = NULL;
	bed_close(&w->b);
	fuzz_check(eal_in_use(pool) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	eal_start();
	pool = eal_pool("channel", 8191);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;

	w = (struct world){.in = {data, size}};
	open_world(&w);
	for (unsigned n = 0; n < OPS_MAX && w.in.left > 0; n++) {
		const uint8_t op = take8(&w.in);

		ops[op % (sizeof(ops) / sizeof(ops[0]))](&w);
		if (op & 0x80)
			continue; /* the next operation is in the same turn */
		turn(&w, 1000000);
		for (int side = 0; side < 2; side++)
			fuzz_check(pc_stack_validate(w.b.st[side], stderr) == 0);
	}
	close_world(&w);
	return 0;
}
