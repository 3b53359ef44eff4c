/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POSIX_SEARCH_H
#define POSIX_SEARCH_H

/* Calls at random on sockets that talk to each other over loopback (search.c). */

#include <netinet/in.h>
#include <stdint.h>

#include "live.h"

#define SLOTS  6 /* sockets, */
#define OTHERS 2 /* descriptors of the kernel's, */
#define SETS   3 /* and sets of epoll */
#define PORTS  6 /* that programs choose; nobody binds the last one */
#define CHOSEN 64

/** What both sides do in the same way: descriptors by slot (-1: none), and the ports that were seen. */
struct world {
	struct live *l;
	uint64_t random; /* of this step */
	uint16_t base;   /* the first of PORTS */
	int fd[SLOTS], other[OTHERS], ep[SETS];
	bool stream[SLOTS];
	/* a stream has listened or been dissolved, a datagram socket been shut down */
	bool spent[SLOTS];
	/* has tried to connect, or was connected: newer kernels do not let it listen any more */
	bool tried[SLOTS];
	uint16_t chosen[CHOSEN]; /* by the stack, in the order in which they were seen */
	unsigned n_chosen;
	unsigned stamp; /* of the last bytes sent */
};

/** The first descriptors' numbers: those of slots, then of others, then of sets. */
#define FIRST_NUMBER 600

/** Addresses of every kind, by any family. */
union place {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage any;
};

/** search_dice returns a number below n. */
unsigned search_dice(struct world *w, unsigned n);

/** search_pick returns one of n numbers. */
#define SEARCH_PICK(w, list) ((list)[search_dice(w, sizeof(list) / sizeof((list)[0]))])

/** search_number gives a descriptor a number that is the same on both sides. */
int search_number(struct world *w, int fd, int to);

/** search_settle lets arrive what was sent. */
void search_settle(struct world *w);

/** search_place draws an address, which mostly suits the socket of a slot. Returns its length. */
socklen_t search_place(struct world *w, unsigned slot, union place *p);

/** search_is_mapped says whether an address is one of IPv4, perhaps mapped. */
bool search_is_mapped(const union place *p);

/** search_log_place logs an address with the names of ports. */
void search_log_place(struct world *w, const union place *p, socklen_t len);
void search_log_ip(struct world *w, int family, const void *addr);

/** search_log_port logs the name of a port, given in network byte order. */
void search_log_port(struct world *w, in_port_t port_be);

/** search_bind_after_all gives a datagram socket a port on percore's side: a call that failed leaves it without one there,
 * on Linux it has one. */
void search_bind_after_all(struct world *w, unsigned slot);

/** The steps: each makes a call or some with a slot. */
void search_send(struct world *w, unsigned slot);
void search_recv(struct world *w, unsigned slot);
void search_set_option(struct world *w, unsigned slot);
void search_get_option(struct world *w, unsigned slot);
void search_tell(struct world *w, unsigned slot); /* options that add control messages */
void search_epoll_ctl(struct world *w, unsigned slot);
void search_epoll_wait(struct world *w, unsigned slot);
void search_epoll_renew(struct world *w, unsigned slot);
void search_other(struct world *w, unsigned slot);

/** search_step makes the step of this number. */
void search_step(struct world *w, uint64_t seed, unsigned step);

#endif
