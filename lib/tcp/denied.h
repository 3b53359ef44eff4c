/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_DENIED_H
#define TCP_DENIED_H

/* The end of connections with those who have been denied (ip/deny.h). */

struct tcp;

/** denied_begin is called when the list of the denied has grown: all connections are to be looked at. */
void denied_begin(struct tcp *tcp);

/** denied_sweep looks at some of them, in each turn. */
void denied_sweep(struct tcp *tcp);

#endif
