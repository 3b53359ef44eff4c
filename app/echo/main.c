/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * percore-echo: a small but complete program on percore, and a good place to start reading.
 *
 * main() passes a table of callbacks to pc_run, which starts DPDK and makes a stack on each lcore.
 * There start() opens the sockets and an epoll set; then, in each turn, the stack receives frames,
 * turn() serves the sockets that have events (services.c), and the stack sends what was written.
 * No call ever blocks.  On Ctrl-C, drain() closes everything, and the program ends when drained()
 * says that all connections have ended.
 */
#include <errno.h>
#include <stdlib.h>

#include "services.h"

/* The keys of section [echo]: X(name, default, min, max, unit, sentence). */
/* clang-format off */
#define ECHO_KEYS(X) \
X(listen, 7, 0, 65535, "port", "TCP and UDP port of the echo service; 0: none") \
X(discard, 0, 0, 65535, "port", "TCP and UDP port of the discard service, which reads and discards; 0: none") \
X(source, 0, 0, 65535, "port", \
  "TCP port of the source service, which sends without end: byte n is n mod 256; 0: none")
/* clang-format on */

struct config {
#define ECHO_KEY_MEMBER(name, def, min, max, unit, sentence) uint64_t name;
	ECHO_KEYS(ECHO_KEY_MEMBER)
#undef ECHO_KEY_MEMBER
};

static const struct pc_config_key keys[] = {
#define ECHO_KEY(name, def, min, max, unit, sentence) \
	{"echo", #name, unit, sentence, def, min, max, offsetof(struct config, name)},
    ECHO_KEYS(ECHO_KEY)
#undef ECHO_KEY
};

static const struct pc_run_option options[] = {
    {.name = "listen",
     .argument = "PORT",
     .key = "echo.listen",
     .help = "echo on TCP and UDP port PORT (default 7; 0: none)"},
    {.name = "discard",
     .argument = "PORT",
     .key = "echo.discard",
     .help = "read and discard on TCP and UDP port PORT"},
    {.name = "source",
     .argument = "PORT",
     .key = "echo.source",
     .help = "send bytes 0, 1, ... 255, 0, ... on TCP port PORT"},
    {0},
};

static int open_service(struct server *sv, uint64_t port, enum kind service, char *why, size_t len)
{
	/* over UDP, a spoofed request would flood a victim */
	if (port == 0 || (service_open(sv, SOCK_STREAM, port, service) == 0 &&
	                  (service == SOURCE || service_open(sv, SOCK_DGRAM, port, service) == 0)))
		return 0;
	snprintf(why, len, "cannot listen on port %u: %s", (unsigned)port, strerror(errno));
	return -1;
}

static void finish(void *worker, struct pc_stack *st)
{
	struct server *sv = worker;

	service_close_all(sv);
	pc_epoll_close(st, sv->epoll);
	free(sv);
}

static int start(void *app, struct pc_stack *st, void **worker, char *why, size_t why_len)
{
	const struct config *config = app;
	const uint32_t n = pc_fd_limit(st);
	struct server *sv = calloc(1, sizeof(*sv) + n * sizeof(sv->socks[0]));

	if (sv == NULL) {
		snprintf(why, why_len, "not enough memory for %u sockets", n);
		return -1;
	}
	sv->st = st;
	sv->nb_socks = n;
	sv->epoll = pc_epoll_create(st);
	for (size_t i = 0; i < sizeof(sv->pattern); i++)
		sv->pattern[i] = (uint8_t)i;
	if (open_service(sv, config->listen, ECHO, why, why_len) != 0 ||
	    open_service(sv, config->discard, DISCARD, why, why_len) != 0 ||
	    open_service(sv, config->source, SOURCE, why, why_len) != 0) {
		finish(sv, st);
		return -1;
	}
	*worker = sv;
	return 0;
}

static void turn(void *worker, struct pc_stack *st, uint64_t now_ns)
{
	struct server *sv = worker;
	(void)st;
	(void)now_ns;
	service_turn(sv);
}

/* The program has nothing to do of its own: only frames and the stack's timers wake it. */
static uint64_t next_deadline(void *worker, struct pc_stack *st)
{
	(void)worker;
	(void)st;
	return UINT64_MAX;
}

static void drain(void *worker, struct pc_stack *st, uint64_t now_ns)
{
	(void)st;
	(void)now_ns;
	service_close_all(worker);
}

static bool drained(void *worker, struct pc_stack *st)
{
	struct pc_stack_usage usage;

	(void)worker;
	pc_stack_get_usage(st, &usage);
	return usage.connections == 0;
}

/* An idle client only loses its connection, and only when the room is needed for another. */
static void stack_defaults(struct pc_stack_config *config)
{
	config->tcp_give_way_ms = 1000;
}

int main(int argc, char **argv)
{
	struct config config = {.listen = 7};
	const struct pc_run_app app = {
	    .name = "percore-echo",
	    .summary = "echoes every byte and datagram",
	    .options = options,
	    .keys = keys,
	    .nb_keys = sizeof(keys) / sizeof(keys[0]),
	    .config = &config,
	    .defaults = stack_defaults,
	    .start = start,
	    .turn = turn,
	    .next_deadline = next_deadline,
	    .drain = drain,
	    .drained = drained,
	    .finish = finish,
	};

	return pc_run(argc, argv, &app, &config);
}
