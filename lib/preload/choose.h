/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PRELOAD_CHOOSE_H
#define PRELOAD_CHOOSE_H

/*
 * Who owns a socket: attaching to the stack, and the rules.
 *
 * A process attaches when it first creates an epoll set, or a socket that may be percore's, or at
 * its start if the previous image has handed over sockets.  A new socket of AF_INET or AF_INET6 is
 * percore's; if the rules decide otherwise when it gets a local address or a destination, a kernel
 * socket with the same options replaces it under the same number.
 */

#include <percore/posix.h>
#include <percore/rules.h>

/** choose_attach attaches this process, once. Returns whether it is attached; if not, a line on
 * stderr has said why. */
bool choose_attach(void);

/** choose_socket creates a socket, percore's or the kernel's. Returns it, or -1 with errno. */
int choose_socket(int domain, int type, int protocol);

/** What an address is for: the socket's own, its peer's, or the destination of a message. */
enum choose_moment { CHOOSE_BIND, CHOOSE_CONNECT, CHOOSE_SEND };

/** choose_address is called before a percore socket gets an address or a destination. If the rules
 * give it to the kernel, and it is not in use as percore's, it is a kernel socket on return.
 * Returns whose it is. */
enum pcx_kind choose_address(int fd, enum choose_moment moment, const struct sockaddr *addr,
                             socklen_t len);

/** stdio_follow is called when descriptors 0 to 2 may have changed owner: stdin, stdout and stderr
 * follow them. */
void stdio_follow(void);

/** stdio_flush sends what streams on percore sockets still buffer. */
void stdio_flush(void);

/** stdio_followed does so if a new descriptor is one of these. Returns the descriptor. */
static inline int stdio_followed(int fd)
{
	if (fd >= 0 && fd <= 2)
		stdio_follow();
	return fd;
}

#endif
