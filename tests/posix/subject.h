/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POSIX_SUBJECT_H
#define POSIX_SUBJECT_H

/* Sockets in every state, for programs that make every call on them. */

#include <netinet/in.h>

#include "live.h"

/** A socket of the near side, not blocking, and what it needs of the far side. */
struct subject {
	int fd, far;
	struct sockaddr_in self;
};

/** A state, and how a socket is brought into it; what goes wrong aborts. */
struct subject_state {
	const char *name;
	void (*make)(struct live *l, struct subject *s);
};

/** The states: those before a connection, connections, those that are over, datagrams. */
#define SUBJECT_STATES      18
#define SUBJECT_CONNECTIONS 5
#define SUBJECT_ENDED       9
#define SUBJECT_DATAGRAMS   13
extern const struct subject_state subject_states[SUBJECT_STATES];

/** subject_make makes the socket of a state, subject_close closes it and its peer. */
void subject_make(struct live *l, size_t state, struct subject *s);
void subject_close(struct live *l, struct subject *s);

/** subject_poll logs what poll() says of it. */
void subject_poll(struct live *l, const struct subject *s);

#endif
