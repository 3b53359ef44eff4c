/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_THREADS_H
#define RUN_THREADS_H

/*
 * Sockets for threads and other processes (percore/posix.h), in addition to the program's work on
 * its lcores.
 *
 * If the settings (run.sockets) or the program (pc_run_app.threads) ask for them, there is a host;
 * each worker has a service, calls pc_service_turn after the program's turn, and sleeps so that a
 * client can wake it.
 */

#include "worker.h"

/** threads_setup creates the host, if it is needed. Returns 0, or -1 with a line in r->s->why. */
int threads_setup(struct run *r);

/** threads_add adds the worker's stack to the host; on the worker's lcore. Returns 0, or -1 with a
 * line in w->why. */
int threads_add(struct worker *w);

/** threads_begin starts the program's own thread, attached to the host, when all workers are up. */
int threads_begin(struct run *r);

/** threads_end tells the clients that the stacks are about to end, and waits a while for the
 * program's thread. threads_teardown frees the host, after the last turn. */
void threads_end(struct run *r);
void threads_teardown(struct run *r);

#endif
