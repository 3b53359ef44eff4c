/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SUPPORT_BED_H
#define SUPPORT_BED_H

/*
 * A test bed: the same program of socket calls on the kernel and on percore.
 *
 * A bed has two sides, each with an address.  On the kernel both are in 127.0.0.0/8; on percore
 * each is a stack of its own at one end of a wire.  A program writes what it observes into the
 * bed's log; the logs of both beds must be the same.  All sockets are non-blocking.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <percore/posix.h>

enum {
	FAR, /* the program's counterpart */
	NEAR /* the side whose events are watched */
};

struct bed;
struct rte_mempool;

/** The calls, named and defined like the system's; side says which side fd belongs to. */
struct bed_calls {
	int (*socket)(struct bed *b, int side, int domain, int type, int protocol);
	int (*bind)(struct bed *b, int side, int fd, const struct sockaddr *a, socklen_t len);
	int (*listen)(struct bed *b, int side, int fd, int backlog);
	int (*accept)(struct bed *b, int side, int fd, struct sockaddr *a, socklen_t *len);
	int (*connect)(struct bed *b, int side, int fd, const struct sockaddr *a, socklen_t len);
	ssize_t (*recvfrom)(struct bed *b, int side, int fd, void *p, size_t n, int flags,
	                    struct sockaddr *a, socklen_t *len);
	ssize_t (*sendto)(struct bed *b, int side, int fd, const void *p, size_t n, int flags,
	                  const struct sockaddr *a, socklen_t len);
	ssize_t (*readv)(struct bed *b, int side, int fd, const struct iovec *v, int n);
	ssize_t (*writev)(struct bed *b, int side, int fd, const struct iovec *v, int n);
	ssize_t (*recvmsg)(struct bed *b, int side, int fd, struct msghdr *m, int flags);
	ssize_t (*sendmsg)(struct bed *b, int side, int fd, const struct msghdr *m, int flags);
	int (*shutdown)(struct bed *b, int side, int fd, int how);
	int (*close)(struct bed *b, int side, int fd);
	int (*getsockopt)(struct bed *b, int side, int fd, int level, int name, void *v,
	                  socklen_t *len);
	int (*setsockopt)(struct bed *b, int side, int fd, int level, int name, const void *v,
	                  socklen_t len);
	int (*getsockname)(struct bed *b, int side, int fd, struct sockaddr *a, socklen_t *len);
	int (*getpeername)(struct bed *b, int side, int fd, struct sockaddr *a, socklen_t *len);
	int (*ioctl)(struct bed *b, int side, int fd, unsigned long request, void *arg);
	int (*poll)(struct bed *b, int side, struct pollfd *p, nfds_t n);
	int (*epoll_create)(struct bed *b, int side);
	int (*epoll_ctl)(struct bed *b, int side, int ep, int op, int fd, struct epoll_event *e);
	int (*epoll_wait)(struct bed *b, int side, int ep, struct epoll_event *e, int n);
	int (*epoll_close)(struct bed *b, int side, int ep);
	/** Lets everything in flight arrive. */
	void (*settle)(struct bed *b);
};

struct bed {
	const struct bed_calls *call;
	const char *name;
	const char *ip[2];
	/* percore only */
	struct pc_stack *st[2];
	struct pc_port *port[2];
	uint64_t now;
	/* threads only */
	struct pc_host *host;
	struct pc_service *service;
	struct pcx_driver driver;
	/* what was observed */
	char *log;
	size_t log_len, log_size;
};

/**
 * bed_own_network gives the process a network namespace with only a loopback interface, so that
 * ports used by other programs, or by other tests at the same time, do not matter. Where that is
 * not permitted (it needs CAP_SYS_ADMIN), nothing changes. Call it before there are threads.
 */
void bed_own_network(void);

/** bed_kernel and bed_percore make a bed; bed_close ends it (the program closes its sockets). */
void bed_kernel(struct bed *b);
void bed_percore(struct bed *b, struct rte_mempool *pool);

/** bed_small is bed_percore with small tables, which are quick to create and validate. */
void bed_small(struct bed *b, struct rte_mempool *pool);

/**
 * bed_threads makes a bed whose near side is used through percore/posix.h; the caller drives the
 * stacks.
 */
void bed_threads(struct bed *b, struct rte_mempool *pool);
void bed_close(struct bed *b);

/** bed_log adds to the log. */
void bed_log(struct bed *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** bed_log_events adds the names of EPOLL* (which are POLL*) bits. */
void bed_log_events(struct bed *b, uint32_t events);

/** bed_errno returns the name of an errno. */
const char *bed_errno(int e);

/** bed_pair makes a connected TCP pair without Nagle: fd[FAR], fd[NEAR]. Aborts on failure. */
void bed_pair(struct bed *b, int fd[2]);

/** bed_send sends n bytes and logs the result; bed_recv receives up to n. At most 70000. */
void bed_send(struct bed *b, int side, int fd, size_t n);
void bed_recv(struct bed *b, int side, int fd, size_t n);

/** bed_listener makes a listener on the near side; *a becomes its address. */
int bed_listener(struct bed *b, int backlog, struct sockaddr_in *a);

/** bed_addr makes an address of a side. */
struct sockaddr_in bed_addr(const struct bed *b, int side, uint16_t port);

/**
 * bed_compare runs a program on both beds; threads selects bed_threads for percore's. Returns
 * whether the logs are equal; if not, prints both, beginning with the first line that differs.
 */
bool bed_compare(struct rte_mempool *pool, const char *name, void (*program)(struct bed *b),
                 bool threads);

/** A program to be compared. */
struct bed_case {
	const char *name;
	void (*program)(struct bed *b);
};

/** bed_main compares all programs as a CUnit suite and returns the exit status; --case TEXT selects
 * cases, --threads bed_threads. */
int bed_main(int argc, char **argv, const char *suite, const struct bed_case *cases, unsigned n);

#endif
