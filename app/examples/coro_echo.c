/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coro_echo: an echo server on TCP port 7, written as if calls blocked.
 *
 * One coroutine accepts connections and spawns another for each.  A client that sends nothing for a
 * minute is disconnected.  It is started like every program on percore:
 *
 *   coro_echo --vdev=net_tap0 -- --addr 192.0.2.1/24
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <percore/percore.h>

#define PORT        7
#define PATIENCE_NS 60000000000

static int echo(struct pc_coro *co, void *arg)
{
	int fd = (int)(intptr_t)arg;
	char buf[8192];
	ssize_t n;

	pc_coro_set_timeout(co, PATIENCE_NS);
	while ((n = pc_coro_recv(co, fd, buf, sizeof(buf), 0)) > 0)
		if (pc_coro_send(co, fd, buf, (size_t)n, 0) != n)
			break;
	return pc_coro_close(co, fd);
}

static int serve(struct pc_coro *co, void *arg)
{
	int listener = (int)(intptr_t)arg, fd;

	while ((fd = pc_coro_accept(co, listener, NULL, NULL)) >= 0)
		if (pc_coro_spawn(pc_coro_set(co), echo, (void *)(intptr_t)fd, 0) == 0)
			pc_coro_close(co, fd);
	return pc_coro_close(co, listener);
}

static int start(void *app, struct pc_stack *st, void **worker, char *why, size_t why_len)
{
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	const struct pc_coro_config config = {.max = 4096, .stack_bytes = 16384};
	struct pc_coros *cs = pc_coros_create(st, &config);
	int fd = pc_socket(st, AF_INET6, SOCK_STREAM, 0);

	(void)app;
	if (cs == NULL || pc_bind(st, fd, (const struct sockaddr *)&any, sizeof(any)) != 0 ||
	    pc_listen(st, fd, 1024) != 0) {
		snprintf(why, why_len, "port %d: %s", PORT, strerror(errno));
		return -1;
	}
	pc_coro_spawn(cs, serve, (void *)(intptr_t)fd, 0);
	*worker = cs;
	return 0;
}

static void turn(void *worker, struct pc_stack *st, uint64_t now_ns)
{
	(void)st;
	pc_coros_turn(worker, now_ns);
}

static uint64_t next_deadline(void *worker, struct pc_stack *st)
{
	(void)st;
	return pc_coros_next_deadline(worker);
}

/* Received data is answered before the coroutines are cancelled. */
static void drain(void *worker, struct pc_stack *st, uint64_t now_ns)
{
	(void)st;
	pc_coros_turn(worker, now_ns);
	pc_coros_cancel(worker);
	pc_coros_turn(worker, now_ns);
}

/* Closed connections must have delivered their data, too: send buffers are freed with the stack. */
static bool drained(void *worker, struct pc_stack *st)
{
	struct pc_stack_usage usage;

	pc_stack_get_usage(st, &usage);
	return pc_coros_count(worker) == 0 && usage.connections == 0;
}

static void finish(void *worker, struct pc_stack *st)
{
	(void)st;
	pc_coros_destroy(worker);
}

int main(int argc, char **argv)
{
	const struct pc_run_app app = {
	    .name = "coro_echo",
	    .summary = "answers every byte with itself, by a coroutine for each client",
	    .start = start,
	    .turn = turn,
	    .next_deadline = next_deadline,
	    .drain = drain,
	    .drained = drained,
	    .finish = finish,
	};

	return pc_run(argc, argv, &app, NULL);
}
