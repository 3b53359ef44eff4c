/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_CTRL_THREAD_H
#define RUN_CTRL_THREAD_H

#include <pthread.h>

/**
 * ctrl_thread_start starts a control thread: it runs on the CPUs that EAL was given, without those
 * of its lcores unless there are no others. name has at most 15 bytes. The caller joins the thread
 * with pthread_join. Returns 0, or a negative errno.
 */
int ctrl_thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg);

#endif
