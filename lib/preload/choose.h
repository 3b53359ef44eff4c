/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PRELOAD_CHOOSE_H
#define PRELOAD_CHOOSE_H

/*
 * Whose a socket is: attaching to the stack, and the rules.
 *
 * A process attaches when it first makes a socket that may be percore's, or an epoll set, or at its
 * start if a previous image has handed over sockets.  A new socket of AF_INET or AF_INET6 is
 * percore's; if the rules say otherwise when it gets a local address or a destination, a kernel
 * socket with the same options takes its number.
 */

#include <percore/posix.h>
#include <percore/rules.h>

/** choose_attach attaches this process, once. Returns whether it is attached; if not, one line on stderr has
 * said why. */
bool choose_attach(void);

/** choose_socket makes a socket, or returns -1 with errno. */
int choose_socket(int domain, int type, int protocol);

/** What a socket gets an address for: its own, its peer's, that of what is sent. */
enum choose_moment { CHOOSE_BIND, CHOOSE_CONNECT, CHOOSE_SEND };

/**
 * choose_address is told that a percore socket is to get an address or a destination. When the rules give it to the
 * kernel, and it is not in use as percore's, it is the kernel's on return. Returns whose it is.
 */
enum pcx_kind choose_address(int fd, enum choose_moment moment, const struct sockaddr *addr,
                             socklen_t len);

/** stdio_follow is told that the descriptors 0 to 2 may have changed hands: stdin, stdout and stderr follow them. */
void stdio_follow(void);

/** stdio_followed is that if a new descriptor is one of those, which it returns. */
static inline int stdio_followed(int fd)
{
	if (fd >= 0 && fd <= 2)
		stdio_follow();
	return fd;
}

#endif
