/* SPDX-License-Identifier: BSD-2-Clause */
#include "bed.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <arpa/inet.h>

#include <percore/host.h>
#include <percore/percore.h>

#include "stack_on.h"

/* Overview: two tables of the same calls, and helpers that use only these tables. */

/* ---- the kernel ---- */

static int k_socket(struct bed *b, int side, int domain, int type, int protocol)
{
	(void)b, (void)side;
	return socket(domain, type | SOCK_NONBLOCK, protocol);
}

static int k_bind(struct bed *b, int side, int fd, const struct sockaddr *a, socklen_t len)
{
	(void)b, (void)side;
	return bind(fd, a, len);
}

static int k_listen(struct bed *b, int side, int fd, int backlog)
{
	(void)b, (void)side;
	return listen(fd, backlog);
}

static int k_accept(struct bed *b, int side, int fd, struct sockaddr *a, socklen_t *len)
{
	(void)b, (void)side;
	return accept4(fd, a, len, SOCK_NONBLOCK);
}

static int k_connect(struct bed *b, int side, int fd, const struct sockaddr *a, socklen_t len)
{
	(void)b, (void)side;
	return connect(fd, a, len);
}

static ssize_t k_recvfrom(struct bed *b, int side, int fd, void *p, size_t n, int flags,
                          struct sockaddr *a, socklen_t *len)
{
	(void)b, (void)side;
	return recvfrom(fd, p, n, flags, a, len);
}

static ssize_t k_sendto(struct bed *b, int side, int fd, const void *p, size_t n, int flags,
                        const struct sockaddr *a, socklen_t len)
{
	(void)b, (void)side;
	return sendto(fd, p, n, flags | MSG_NOSIGNAL, a, len);
}

static ssize_t k_readv(struct bed *b, int side, int fd, const struct iovec *v, int n)
{
	(void)b, (void)side;
	return readv(fd, v, n);
}

static ssize_t k_writev(struct bed *b, int side, int fd, const struct iovec *v, int n)
{
	(void)b, (void)side;
	return writev(fd, v, n);
}

static ssize_t k_recvmsg(struct bed *b, int side, int fd, struct msghdr *m, int flags)
{
	(void)b, (void)side;
	return recvmsg(fd, m, flags);
}

static ssize_t k_sendmsg(struct bed *b, int side, int fd, const struct msghdr *m, int flags)
{
	(void)b, (void)side;
	return sendmsg(fd, m, flags | MSG_NOSIGNAL);
}

static int k_shutdown(struct bed *b, int side, int fd, int how)
{
	(void)b, (void)side;
	return shutdown(fd, how);
}

static int k_close(struct bed *b, int side, int fd)
{
	(void)b, (void)side;
	return close(fd);
}

static int k_getsockopt(struct bed *b, int side, int fd, int level, int name, void *v,
                        socklen_t *len)
{
	(void)b, (void)side;
	return getsockopt(fd, level, name, v, len);
}

static int k_setsockopt(struct bed *b, int side, int fd, int level, int name, const void *v,
                        socklen_t len)
{
	(void)b, (void)side;
	return setsockopt(fd, level, name, v, len);
}

static int k_getsockname(struct bed *b, int side, int fd, struct sockaddr *a, socklen_t *len)
{
	(void)b, (void)side;
	return getsockname(fd, a, len);
}

static int k_getpeername(struct bed *b, int side, int fd, struct sockaddr *a, socklen_t *len)
{
	(void)b, (void)side;
	return getpeername(fd, a, len);
}

static int k_ioctl(struct bed *b, int side, int fd, unsigned long request, void *arg)
{
	(void)b, (void)side;
	return ioctl(fd, request, arg);
}

static int k_poll(struct bed *b, int side, struct pollfd *p, nfds_t n)
{
	(void)b, (void)side;
	return poll(p, n, 0);
}

static int k_epoll_create(struct bed *b, int side)
{
	(void)b, (void)side;
	return epoll_create1(0);
}

static int k_epoll_ctl(struct bed *b, int side, int ep, int op, int fd, struct epoll_event *e)
{
	(void)b, (void)side;
	return epoll_ctl(ep, op, fd, e);
}

static int k_epoll_wait(struct bed *b, int side, int ep, struct epoll_event *e, int n)
{
	(void)b, (void)side;
	return epoll_wait(ep, e, n, 0);
}

static void k_settle(struct bed *b)
{
	(void)b;
	usleep(2000);
}

static const struct bed_calls kernel = {
    k_socket, k_bind,         k_listen,     k_accept,      k_connect,     k_recvfrom,
    k_sendto, k_readv,        k_writev,     k_recvmsg,     k_sendmsg,     k_shutdown,
    k_close,  k_getsockopt,   k_setsockopt, k_getsockname, k_getpeername, k_ioctl,
    k_poll,   k_epoll_create, k_epoll_ctl,  k_epoll_wait,  k_close,       k_settle,
};

/* ---- percore ---- */

static int p_socket(struct bed *b, int side, int domain, int type, int protocol)
{
	return pc_socket(b->st[side], domain, type, protocol);
}

static int p_bind(struct bed *b, int side, int fd, const struct sockaddr *a, socklen_t len)
{
	return pc_bind(b->st[side], fd, a, len);
}

static int p_listen(struct bed *b, int side, int fd, int backlog)
{
	return pc_listen(b->st[side], fd, backlog);
}

static int p_accept(struct bed *b, int side, int fd, struct sockaddr *a, socklen_t *len)
{
	return pc_accept(b->st[side], fd, a, len);
}

static int p_connect(struct bed *b, int side, int fd, const struct sockaddr *a, socklen_t len)
{
	return pc_connect(b->st[side], fd, a, len);
}

static ssize_t p_recvfrom(struct bed *b, int side, int fd, void *p, size_t n, int flags,
                          struct sockaddr *a, socklen_t *len)
{
	return pc_recvfrom(b->st[side], fd, p, n, flags, a, len);
}

static ssize_t p_sendto(struct bed *b, int side, int fd, const void *p, size_t n, int flags,
                        const struct sockaddr *a, socklen_t len)
{
	return pc_sendto(b->st[side], fd, p, n, flags, a, len);
}

static ssize_t p_readv(struct bed *b, int side, int fd, const struct iovec *v, int n)
{
	return pc_readv(b->st[side], fd, v, n);
}

static ssize_t p_writev(struct bed *b, int side, int fd, const struct iovec *v, int n)
{
	return pc_writev(b->st[side], fd, v, n);
}

static ssize_t p_recvmsg(struct bed *b, int side, int fd, struct msghdr *m, int flags)
{
	return pc_recvmsg(b->st[side], fd, m, flags);
}

static ssize_t p_sendmsg(struct bed *b, int side, int fd, const struct msghdr *m, int flags)
{
	return pc_sendmsg(b->st[side], fd, m, flags);
}

static int p_shutdown(struct bed *b, int side, int fd, int how)
{
	return pc_shutdown(b->st[side], fd, how);
}

static int p_close(struct bed *b, int side, int fd)
{
	return pc_close(b->st[side], fd);
}

static int p_getsockopt(struct bed *b, int side, int fd, int level, int name, void *v,
                        socklen_t *len)
{
	return pc_getsockopt(b->st[side], fd, level, name, v, len);
}

static int p_setsockopt(struct bed *b, int side, int fd, int level, int name, const void *v,
                        socklen_t len)
{
	return pc_setsockopt(b->st[side], fd, level, name, v, len);
}

static int p_getsockname(struct bed *b, int side, int fd, struct sockaddr *a, socklen_t *len)
{
	return pc_getsockname(b->st[side], fd, a, len);
}

static int p_getpeername(struct bed *b, int side, int fd, struct sockaddr *a, socklen_t *len)
{
	return pc_getpeername(b->st[side], fd, a, len);
}

static int p_ioctl(struct bed *b, int side, int fd, unsigned long request, void *arg)
{
	return pc_ioctl(b->st[side], fd, request, arg);
}

static int p_poll(struct bed *b, int side, struct pollfd *p, nfds_t n)
{
	return pc_poll(b->st[side], p, n);
}

static int p_epoll_create(struct bed *b, int side)
{
	return pc_epoll_create(b->st[side]);
}

static int p_epoll_ctl(struct bed *b, int side, int ep, int op, int fd, struct epoll_event *e)
{
	return pc_epoll_ctl(b->st[side], ep, op, fd, e);
}

static int p_epoll_wait(struct bed *b, int side, int ep, struct epoll_event *e, int n)
{
	return pc_epoll_wait(b->st[side], ep, e, n);
}

static int p_epoll_close(struct bed *b, int side, int ep)
{
	return pc_epoll_close(b->st[side], ep);
}

/* 60 ms, in steps of one: longer than any delayed acknowledgement. */
static void p_settle(struct bed *b)
{
	for (unsigned ms = 0; ms < 60; ms++, b->now += 1000000) {
		unsigned frames;

		do {
			frames = 0;
			for (int side = 0; side < 2; side++) {
				pc_stack_flush(b->st[side], b->now);
				frames += pc_stack_poll(b->st[side], b->now);
				pc_stack_flush(b->st[side], b->now);
			}
		} while (frames != 0);
	}
	for (int side = 0; side < 2; side++)
		if (pc_stack_validate(b->st[side], stderr) != 0)
			abort();
}

static const struct bed_calls percore_calls = {
    p_socket, p_bind,         p_listen,     p_accept,      p_connect,     p_recvfrom,
    p_sendto, p_readv,        p_writev,     p_recvmsg,     p_sendmsg,     p_shutdown,
    p_close,  p_getsockopt,   p_setsockopt, p_getsockname, p_getpeername, p_ioctl,
    p_poll,   p_epoll_create, p_epoll_ctl,  p_epoll_wait,  p_epoll_close, p_settle,
};

/* ---- beds ---- */

void bed_own_network(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	if (unshare(CLONE_NEWNET) != 0)
		return;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) != 0)
		abort();
	close(fd);
}

void bed_kernel(struct bed *b)
{
	signal(SIGPIPE, SIG_IGN);
	*b = (struct bed){.call = &kernel, .name = "kernel", .ip = {"127.0.0.2", "127.0.0.3"}};
}

static void make_stacks(struct bed *b, struct rte_mempool *pool, const struct pc_stack_config *cfg)
{
	struct pc_wire_config wc = {.pool = pool};

	*b = (struct bed){.call = &percore_calls,
	                  .name = "percore",
	                  .ip = {"10.0.0.1", "10.0.0.2"},
	                  .now = 1000000000};
	if (pc_port_wire(&wc, b->port) != 0)
		abort();
	for (int side = 0; side < 2; side++)
		b->st[side] =
		    stack_on(cfg, pool, b->port[side], side == FAR ? "10.0.0.1/24" : "10.0.0.2/24");
	p_settle(b);
}

static struct pc_stack_config configure(uint32_t connections)
{
	struct pc_stack_config cfg;

	pc_stack_config_init(&cfg);
	cfg.stack_seed = 1;
	cfg.stack_max_connections = connections;
	cfg.arp_entries = 16;
	return cfg;
}

void bed_percore(struct bed *b, struct rte_mempool *pool)
{
	const struct pc_stack_config cfg = configure(2100);

	make_stacks(b, pool, &cfg);
}

void bed_small(struct bed *b, struct rte_mempool *pool)
{
	struct pc_stack_config cfg = configure(16);

	cfg.ip_fragments = 64;
	cfg.ip_routes = 16;
	cfg.ip_deny_entries = 0;
	cfg.tcp_destinations = 16;
	cfg.tcp_syn_cache = 16;
	cfg.tcp_time_wait = 16;
	make_stacks(b, pool, &cfg);
}

/* ---- threads: the near side uses percore/posix.h, the calling thread drives the stacks ---- */

static int t_socket(struct bed *b, int side, int domain, int type, int protocol)
{
	return side == FAR ? p_socket(b, side, domain, type, protocol)
	                   : pcx_socket(domain, type | SOCK_NONBLOCK, protocol);
}

static int t_bind(struct bed *b, int side, int fd, const struct sockaddr *a, socklen_t len)
{
	return side == FAR ? p_bind(b, side, fd, a, len) : pcx_bind(fd, a, len);
}

static int t_listen(struct bed *b, int side, int fd, int backlog)
{
	return side == FAR ? p_listen(b, side, fd, backlog) : pcx_listen(fd, backlog);
}

static int t_accept(struct bed *b, int side, int fd, struct sockaddr *a, socklen_t *len)
{
	return side == FAR ? p_accept(b, side, fd, a, len) : pcx_accept4(fd, a, len, SOCK_NONBLOCK);
}

static int t_connect(struct bed *b, int side, int fd, const struct sockaddr *a, socklen_t len)
{
	return side == FAR ? p_connect(b, side, fd, a, len) : pcx_connect(fd, a, len);
}

static ssize_t t_recvfrom(struct bed *b, int side, int fd, void *p, size_t n, int flags,
                          struct sockaddr *a, socklen_t *len)
{
	return side == FAR ? p_recvfrom(b, side, fd, p, n, flags, a, len)
	                   : pcx_recvfrom(fd, p, n, flags, a, len);
}

static ssize_t t_sendto(struct bed *b, int side, int fd, const void *p, size_t n, int flags,
                        const struct sockaddr *a, socklen_t len)
{
	return side == FAR ? p_sendto(b, side, fd, p, n, flags, a, len)
	                   : pcx_sendto(fd, p, n, flags | MSG_NOSIGNAL, a, len);
}

static ssize_t t_readv(struct bed *b, int side, int fd, const struct iovec *v, int n)
{
	return side == FAR ? p_readv(b, side, fd, v, n) : pcx_readv(fd, v, n);
}

static ssize_t t_writev(struct bed *b, int side, int fd, const struct iovec *v, int n)
{
	return side == FAR ? p_writev(b, side, fd, v, n) : pcx_writev(fd, v, n);
}

static ssize_t t_recvmsg(struct bed *b, int side, int fd, struct msghdr *m, int flags)
{
	return side == FAR ? p_recvmsg(b, side, fd, m, flags) : pcx_recvmsg(fd, m, flags);
}

static ssize_t t_sendmsg(struct bed *b, int side, int fd, const struct msghdr *m, int flags)
{
	return side == FAR ? p_sendmsg(b, side, fd, m, flags)
	                   : pcx_sendmsg(fd, m, flags | MSG_NOSIGNAL);
}

static int t_shutdown(struct bed *b, int side, int fd, int how)
{
	return side == FAR ? p_shutdown(b, side, fd, how) : pcx_shutdown(fd, how);
}

static int t_close(struct bed *b, int side, int fd)
{
	return side == FAR ? p_close(b, side, fd) : pcx_close(fd);
}

static int t_getsockopt(struct bed *b, int side, int fd, int level, int name, void *v,
                        socklen_t *len)
{
	return side == FAR ? p_getsockopt(b, side, fd, level, name, v, len)
	                   : pcx_getsockopt(fd, level, name, v, len);
}

static int t_setsockopt(struct bed *b, int side, int fd, int level, int name, const void *v,
                        socklen_t len)
{
	return side == FAR ? p_setsockopt(b, side, fd, level, name, v, len)
	                   : pcx_setsockopt(fd, level, name, v, len);
}

static int t_getsockname(struct bed *b, int side, int fd, struct sockaddr *a, socklen_t *len)
{
	return side == FAR ? p_getsockname(b, side, fd, a, len) : pcx_getsockname(fd, a, len);
}

static int t_getpeername(struct bed *b, int side, int fd, struct sockaddr *a, socklen_t *len)
{
	return side == FAR ? p_getpeername(b, side, fd, a, len) : pcx_getpeername(fd, a, len);
}

static int t_ioctl(struct bed *b, int side, int fd, unsigned long request, void *arg)
{
	return side == FAR ? p_ioctl(b, side, fd, request, arg) : pcx_ioctl(fd, request, arg);
}

static int t_poll(struct bed *b, int side, struct pollfd *p, nfds_t n)
{
	return side == FAR ? p_poll(b, side, p, n) : pcx_poll(p, n, 0);
}

static int t_epoll_create(struct bed *b, int side)
{
	return side == FAR ? p_epoll_create(b, side) : pcx_epoll_create1(0);
}

static int t_epoll_ctl(struct bed *b, int side, int ep, int op, int fd, struct epoll_event *e)
{
	return side == FAR ? p_epoll_ctl(b, side, ep, op, fd, e) : pcx_epoll_ctl(ep, op, fd, e);
}

static int t_epoll_wait(struct bed *b, int side, int ep, struct epoll_event *e, int n)
{
	return side == FAR ? p_epoll_wait(b, side, ep, e, n) : pcx_epoll_wait(ep, e, n, 0);
}

static int t_epoll_close(struct bed *b, int side, int ep)
{
	return side == FAR ? p_epoll_close(b, side, ep) : pcx_close(ep);
}

static unsigned t_turn(void *bed)
{
	struct bed *b = bed;
	unsigned n = pc_stack_poll(b->st[NEAR], b->now);

	n += pc_service_turn(b->service, b->now);
	pc_stack_flush(b->st[NEAR], b->now);
	return n;
}

static void t_sleep(void *bed, uint64_t deadline_ns)
{
	(void)bed, (void)deadline_ns;
}

/* Like p_settle, but also until the service has nothing left to do. */
static void t_settle(struct bed *b)
{
	for (unsigned ms = 0; ms < 60; ms++, b->now += 1000000) {
		unsigned n;

		do {
			n = t_turn(b);
			pc_stack_flush(b->st[FAR], b->now);
			n += pc_stack_poll(b->st[FAR], b->now);
			pc_stack_flush(b->st[FAR], b->now);
		} while (n != 0);
	}
	for (int side = 0; side < 2; side++)
		if (pc_stack_validate(b->st[side], stderr) != 0)
			abort();
}

static const struct bed_calls thread_calls = {
    t_socket, t_bind,         t_listen,     t_accept,      t_connect,     t_recvfrom,
    t_sendto, t_readv,        t_writev,     t_recvmsg,     t_sendmsg,     t_shutdown,
    t_close,  t_getsockopt,   t_setsockopt, t_getsockname, t_getpeername, t_ioctl,
    t_poll,   t_epoll_create, t_epoll_ctl,  t_epoll_wait,  t_epoll_close, t_settle,
};

void bed_threads(struct bed *b, struct rte_mempool *pool)
{
	const struct pc_host_config hc = {.nb_lcores = 1, .max_sockets = 2100};

	bed_percore(b, pool);
	b->call = &thread_calls;
	b->name = "threads";
	b->host = pc_host_create(&hc);
	b->service = b->host != NULL ? pc_host_add(b->host, 0, b->st[NEAR]) : NULL;
	b->driver = (struct pcx_driver){.arg = b, .turn = t_turn, .sleep = t_sleep};
	pcx_set_driver(&b->driver);
	if (b->service == NULL || pcx_attach_fd(pc_host_connect(b->host)) != 0)
		abort();
}

void bed_close(struct bed *b)
{
	if (b->host != NULL) {
		pcx_detach();
		pcx_set_driver(NULL);
		pc_host_destroy(b->host);
	}
	for (int side = 0; side < 2; side++)
		pc_stack_destroy(b->st[side]);
	for (int side = 0; side < 2; side++)
		pc_port_close(b->port[side]);
	free(b->log);
}

struct sockaddr_in bed_addr(const struct bed *b, int side, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	a.sin_addr.s_addr = inet_addr(b->ip[side]);
	return a;
}

int bed_listener(struct bed *b, int backlog, struct sockaddr_in *a)
{
	socklen_t len = sizeof(*a);
	int fd = b->call->socket(b, NEAR, AF_INET, SOCK_STREAM, 0), one = 1;

	*a = bed_addr(b, NEAR, 0);
	b->call->setsockopt(b, NEAR, fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || b->call->bind(b, NEAR, fd, (struct sockaddr *)a, len) != 0 ||
	    b->call->listen(b, NEAR, fd, backlog) != 0 ||
	    b->call->getsockname(b, NEAR, fd, (struct sockaddr *)a, &len) != 0)
		abort();
	return fd;
}

void bed_pair(struct bed *b, int fd[2])
{
	struct sockaddr_in a;
	int l = bed_listener(b, 5, &a), one = 1;

	fd[FAR] = b->call->socket(b, FAR, AF_INET, SOCK_STREAM, 0);
	b->call->connect(b, FAR, fd[FAR], (struct sockaddr *)&a, sizeof(a));
	b->call->settle(b);
	fd[NEAR] = b->call->accept(b, NEAR, l, NULL, NULL);
	if (fd[NEAR] < 0)
		abort();
	b->call->close(b, NEAR, l);
	for (int side = 0; side < 2; side++)
		b->call->setsockopt(b, side, fd[side], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	b->call->settle(b);
}

void bed_log(struct bed *b, const char *format, ...)
{
	va_list args;
	int n;

	if (b->log_size - b->log_len < 1000) {
		b->log_size = 2 * b->log_size + 4000;
		b->log = realloc(b->log, b->log_size);
		if (b->log == NULL)
			abort();
	}
	va_start(args, format);
	n = vsnprintf(b->log + b->log_len, 1000, format, args);
	va_end(args);
	b->log_len += (size_t)(n < 1000 ? n : 999);
}

void bed_log_events(struct bed *b, uint32_t events)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {{EPOLLIN, "IN"},   {EPOLLPRI, "PRI"},  {EPOLLOUT, "OUT"},    {EPOLLERR, "ERR"},
	             {EPOLLHUP, "HUP"}, {POLLNVAL, "NVAL"}, {EPOLLRDHUP, "RDHUP"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (events & names[i].bit)
			bed_log(b, " %s", names[i].name);
}

const char *bed_errno(int e)
{
	return e == 0 ? "0" : strerrorname_np(e);
}

void bed_send(struct bed *b, int side, int fd, size_t n)
{
	static const char buf[70000];

	errno = 0;
	bed_log(b, "send %zu: %zd", n, b->call->sendto(b, side, fd, buf, n, 0, NULL, 0));
	bed_log(b, " %s\n", bed_errno(errno));
}

void bed_recv(struct bed *b, int side, int fd, size_t n)
{
	static char buf[70000];

	errno = 0;
	bed_log(b, "recv %zu: %zd", n, b->call->recvfrom(b, side, fd, buf, n, 0, NULL, NULL));
	bed_log(b, " %s\n", bed_errno(errno));
}

static void print_difference(const struct bed *k, const struct bed *p)
{
	size_t same = 0, line = 0;

	while (same < k->log_len && same < p->log_len && k->log[same] == p->log[same]) {
		if (k->log[same++] == '\n')
			line = same;
	}
	fprintf(stderr, "-- kernel\n%.*s\n-- percore\n%.*s\n--\n", 1500, k->log + line, 1500,
	        p->log + line);
}

bool bed_compare(struct rte_mempool *pool, const char *name, void (*program)(struct bed *b),
                 bool threads)
{
	struct bed k, p;
	bool same;

	bed_kernel(&k);
	program(&k);
	bed_log(&k, "\n");
	(threads ? bed_threads : bed_percore)(&p, pool);
	program(&p);
	bed_log(&p, "\n");
	same = k.log_len == p.log_len && memcmp(k.log, p.log, k.log_len) == 0;
	if (!same) {
		fprintf(stderr, "\n%s: kernel and percore differ:\n", name);
		print_difference(&k, &p);
	}
	bed_close(&k);
	bed_close(&p);
	return same;
}
