/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_SOCK_FIXTURE_H
#define UNIT_SOCK_FIXTURE_H

/* Two stacks at the ends of a wire: socket calls on both sides, in one thread. */

#include <errno.h>
#include <string.h>

#include <percore/epoll.h>
#include <percore/socket.h>
#include <percore/stack.h>

#include "../../support/eal.h"
#include "../two.h"
#include "stack/stack.h"

extern struct rte_mempool *pool;
extern struct pc_stack *us, *peer; /* which is tested, and which it talks to */
extern struct pc_stack_config cfg;

/** start makes both stacks (2 sets, 3 UDP sockets, 8 connections, 2 listeners). */
void start(void);
void start_with_udp(uint32_t n); /* UDP sockets; else 3 */

/** finish ends them and checks that no mbuf is missing. */
void finish(void);

/** settle lets everything under way arrive. */
void settle(void);

/** addr_of makes an address. */
struct sockaddr_in addr_of(uint32_t be, uint16_t port);

/** tcp_socket_of and udp_socket_of open a socket of ours. */
int tcp_fd(void);
int udp_fd(void);

/** bind_fd binds a socket of ours to any address. */
int bind_fd(int fd, uint16_t port);

/** pair connects a new socket of the peer's to a listener of ours; *far is the peer's. Returns ours. */
int pair(int *far);

/** SOCK_UNIT_MAIN makes main of an array named cases. */
#define SOCK_UNIT_MAIN(name) UNIT_MAIN_OF(sock_program, name)

int sock_program(const char *name, const struct unit_case *cases, size_t n);

#endif
