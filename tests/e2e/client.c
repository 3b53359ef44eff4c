/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of percore-echo that embeds percore: it starts EAL itself, creates a stack on the first
 * DPDK port, and drives it with its own loop and clock.
 *
 * Usage: client [EAL options] -- OWN-CIDR SERVER PORT CONNECTIONS ECHOES BYTES SECONDS
 *
 * It opens that many connections at once, sends a message of BYTES on each ECHOES times, each after
 * the echo of the previous one, and compares every byte. Status 0: every byte came back, and every
 * mbuf was freed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <percore/percore.h>
#include <rte_eal.h>
#include <rte_mbuf.h>

#define MESSAGE_MAX 16384

struct conn {
	uint32_t sent, got, left; /* bytes of this message, messages to go */
};

struct client {
	struct pc_stack *st;
	int epoll;
	struct sockaddr_in server;
	uint32_t nb_conns, echoes, bytes, opened, done;
	struct conn *conns;
	int *fds;
	char pattern[2 * MESSAGE_MAX];
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int fail(const char *what, uint32_t i)
{
	fprintf(stderr, "client: connection %u: %s: %s\n", i, what, strerror(errno));
	return -1;
}

/* Opens up to n more connections. */
static int open_some(struct client *c, uint32_t n)
{
	for (; n > 0 && c->opened < c->nb_conns; n--, c->opened++) {
		struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLET,
		                         .data.u32 = c->opened};
		int fd = pc_socket(c->st, AF_INET, SOCK_STREAM, 0);

		if (fd < 0)
			return fail("pc_socket", c->opened);
		c->fds[c->opened] = fd;
		c->conns[c->opened].left = c->echoes;
		if (pc_epoll_ctl(c->st, c->epoll, EPOLL_CTL_ADD, fd, &ev) != 0)
			return fail("pc_epoll_ctl", c->opened);
		if (pc_connect(c->st, fd, (struct sockaddr *)&c->server, sizeof(c->server)) != 0 &&
		    errno != EINPROGRESS)
			return fail("pc_connect", c->opened);
	}
	return 0;
}

/* The contents of message k of connection i: a window of the pattern. */
static const char *message(const struct client *c, uint32_t i)
{
	return c->pattern + (i * 31 + c->conns[i].left * 7) % MESSAGE_MAX;
}

static int receive(struct client *c, uint32_t i)
{
	struct conn *n = &c->conns[i];
	char buf[MESSAGE_MAX];
	ssize_t got;

	while ((got = pc_recv(c->st, c->fds[i], buf, sizeof(buf), 0)) > 0) {
		if (n->got + (size_t)got > n->sent ||
		    memcmp(buf, message(c, i) + n->got, (size_t)got) != 0) {
			errno = EBADMSG;
			return fail("other bytes came back", i);
		}
		n->got += (uint32_t)got;
	}
	if (got == 0 || errno != EAGAIN)
		return fail("the connection ended early", i);
	return 0;
}

static int serve(struct client *c, uint32_t i)
{
	struct conn *n = &c->conns[i];
	int error;
	socklen_t len = sizeof(error);

	if (c->fds[i] == 0)
		return 0;
	if (pc_getsockopt(c->st, c->fds[i], SOL_SOCKET, SO_ERROR, &error, &len) != 0 ||
	    error != 0) {
		errno = error;
		return fail("connect", i);
	}
	for (;;) {
		while (n->sent < c->bytes) {
			ssize_t put = pc_send(c->st, c->fds[i], message(c, i) + n->sent,
			                      c->bytes - n->sent, 0);
			if (put < 0 && (errno == EAGAIN || errno == ENOTCONN))
				break;
			if (put < 0)
				return fail("pc_send", i);
			n->sent += (uint32_t)put;
		}
		if (receive(c, i) != 0)
			return -1;
		if (n->got < c->bytes)
			return 0;
		n->sent = n->got = 0;
		if (--n->left == 0) {
			pc_close(c->st, c->fds[i]);
			c->fds[i] = 0;
			c->done++;
			return 0;
		}
	}
}

static int turn(struct client *c)
{
	struct epoll_event ev[64];
	int n;

	pc_stack_poll(c->st, now_ns());
	if (open_some(c, 16) != 0)
		return -1;
	n = pc_epoll_wait(c->st, c->epoll, ev, 64);
	for (int k = 0; k < n; k++)
		if (serve(c, ev[k].data.u32) != 0)
			return -1;
	pc_stack_flush(c->st, now_ns());
	return 0;
}

static int run(struct client *c, uint64_t seconds)
{
	uint64_t begin = now_ns(), end = begin + seconds * 1000000000;
	struct pc_stack_usage usage;

	while (c->done < c->nb_conns) {
		if (turn(c) != 0)
			return 1;
		if (now_ns() > end) {
			fprintf(stderr, "client: %u of %u connections were done in %llu s\n",
			        c->done, c->nb_conns, (unsigned long long)seconds);
			return 1;
		}
	}
	printf("%u connections, %u echoes of %u bytes each, in %.2f s\n", c->nb_conns, c->echoes,
	       c->bytes, (double)(now_ns() - begin) / 1e9);
	do { /* let the closing handshakes finish */
		if (turn(c) != 0)
			return 1;
		pc_stack_get_usage(c->st, &usage);
	} while (usage.connections > 0 && now_ns() < end);
	if (usage.connections > 0) {
		fprintf(stderr, "client: %u connections did not close\n", usage.connections);
		return 1;
	}
	return pc_stack_validate(c->st, stderr) != 0;
}

static int set_up(struct client *c, char **words, struct rte_mempool *pool, struct pc_port **port)
{
	struct pc_ethdev_config eth = {.pools = &pool};
	struct pc_stack_config cfg;
	struct pc_prefix own;
	char why[256] = "";

	pc_stack_config_init(&cfg);
	cfg.stack_max_connections = c->nb_conns + 16;
	cfg.tcp_msl_ms = 10;
	if (pc_prefix_parse(words[0], &own) != 0 ||
	    inet_pton(AF_INET, words[1], &c->server.sin_addr) != 1)
		return fail("addresses", 0);
	c->server.sin_family = AF_INET;
	c->server.sin_port = htons((uint16_t)atoi(words[2]));
	if (pc_ethdev_start(0, &eth, why, sizeof(why)) != 0) {
		fprintf(stderr, "client: %s\n", why);
		return -1;
	}
	*port = pc_port_ethdev(0, 0, pool);
	c->st = pc_stack_create(&cfg, pool);
	if (*port == NULL || c->st == NULL || pc_stack_add_port(c->st, *port) < 0 ||
	    pc_stack_add_addr(c->st, 0, &own) != 0)
		return fail("setting up", 0);
	c->epoll = pc_epoll_create(c->st);
	return 0;
}

int main(int argc, char **argv)
{
	struct client c = {0};
	struct rte_mempool *pool;
	struct pc_port *port = NULL;
	int status = 1, n = rte_eal_init(argc, argv);
	unsigned in_use;

	if (n < 0 || argc - n != 8) {
		fprintf(stderr, "usage: client [EAL options] -- OWN-CIDR SERVER PORT CONNECTIONS "
		                "ECHOES BYTES SECONDS\n");
		return 2;
	}
	argv += n + 1;
	c.nb_conns = (uint32_t)atoi(argv[3]);
	c.echoes = (uint32_t)atoi(argv[4]);
	c.bytes = (uint32_t)atoi(argv[5]);
	c.conns = calloc(c.nb_conns, sizeof(*c.conns));
	c.fds = calloc(c.nb_conns, sizeof(*c.fds));
	for (size_t i = 0; i < sizeof(c.pattern); i++)
		c.pattern[i] = (char)(i * 2654435761u >> 13);
	pool = rte_pktmbuf_pool_create("client", 32767, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
	                               SOCKET_ID_ANY);
	if (pool == NULL || c.conns == NULL || c.fds == NULL || c.bytes > MESSAGE_MAX)
		return 1;
	if (set_up(&c, argv, pool, &port) == 0)
		status = run(&c, (uint64_t)atoi(argv[6]));
	pc_stack_destroy(c.st);
	pc_port_close(port);
	pc_ethdev_stop(0);
	in_use = rte_mempool_in_use_count(pool);
	if (in_use != 0) {
		fprintf(stderr, "client: %u mbufs are lost\n", in_use);
		status = 1;
	}
	free(c.conns);
	free(c.fds);
	rte_eal_cleanup();
	return status;
}
