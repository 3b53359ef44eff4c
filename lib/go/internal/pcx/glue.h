/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PCX_GLUE_H
#define PCX_GLUE_H

/*
 * A stack in a Go process: pc_run on a Go thread that is locked to its goroutine, and a thread of
 * pc_run's that only waits for the end, because all calls of the program come from Go's own
 * threads.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/** glue_run is pc_run; it returns when glue_stop has been called, or something failed. */
int glue_run(int argc, char **argv);

/** glue_wait_up waits until sockets can be made; false: pc_run has returned instead. */
bool glue_wait_up(void);

/** glue_stop ends glue_run. No socket is in use any more. */
void glue_stop(void);

/** glue_lcore_thread is the kernel's number of the thread of the main lcore, glue_lcore_cpu where it runs now, glue_lcore_numa
 * its NUMA node; glue_lcores says how many lcores there are, glue_cpus_left on how many CPUs Go's own threads run. */
int glue_lcore_thread(void);
int glue_lcore_cpu(void);
int glue_lcore_numa(void);
int glue_lcores(void);
int glue_cpus_left(void);

/* Calls of percore/posix.h without pointers to pointers, and with a negative errno as the result. */
long glue_recv(int fd, void *buf, size_t n, int flags);
long glue_send(int fd, const void *buf, size_t n, int flags);
long glue_recvmsg(int fd, void *buf, size_t n, void *oob, size_t oob_len, int flags, void *name,
                  int32_t out[3]);
long glue_sendmsg(int fd, const void *buf, size_t n, const void *oob, size_t oob_len,
                  const void *name, int name_len);
int glue_socket(int domain, int type, int protocol);
int glue_bind(int fd, const void *name, int len);
int glue_listen(int fd, int backlog);
int glue_accept(int fd, void *name);
int glue_connect(int fd, const void *name, int len);
int glue_shutdown(int fd, int how);
int glue_name(int fd, void *name, bool peer);
int glue_getsockopt(int fd, int level, int name, void *value, int len);
int glue_setsockopt(int fd, int level, int name, const void *value, int len);
int glue_close(int fd);
int glue_attach(const char *path);

/* The stack's addresses. */
struct glue_local {
	uint8_t is6, prefix, port, pad;
	uint8_t addr[16];
};
int glue_locals(struct glue_local *list, int n);

/* The set that tells of all sockets. */
int glue_epoll_create(void);
int glue_epoll_add(int ep, int fd, uint64_t id, bool kernels);
struct glue_event {
	uint64_t id;
	uint32_t events, pad;
};
int glue_epoll_wait(int ep, struct glue_event *events, int n);

#endif
