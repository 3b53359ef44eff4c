/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_STOP_H
#define RUN_STOP_H

/*
 * Signals: SIGINT, SIGTERM and SIGHUP ask the program to stop; a second one, to stop immediately.
 * A program with a config file rereads it on SIGHUP instead.
 */

#include <stdbool.h>

enum { STOP_NO, STOP_DRAIN, STOP_NOW };

/** stop_catch installs the handlers and forgets earlier signals. */
void stop_catch(void);

/** stop_forget forgets earlier signals, including those for reports, and installs nothing. */
void stop_forget(void);

/** stop_release restores the previous handlers of all signals that this file has taken. */
void stop_release(void);

/** stop_wanted returns STOP_NO, STOP_DRAIN or STOP_NOW; cheap enough for every turn. */
int stop_wanted(void);

/** stop_ask has the effect of n signals. */
void stop_ask(int n);

/** hangup_catch makes SIGHUP wake hangup_wait instead of stopping the program; before or after
 * stop_catch. */
void hangup_catch(void);

/** hangup_wait waits for a SIGHUP, or returns at once if any arrived since the last call. */
void hangup_wait(void);

/** hangup_wake has the effect of a SIGHUP. */
void hangup_wake(void);

/** report_catch makes SIGUSR1 ask for a report; before or after stop_catch. */
void report_catch(void);

/** report_wanted says whether a SIGUSR1 has arrived since the last call. */
bool report_wanted(void);

/** report_wait waits for one, for at most ms milliseconds. Returns whether one has arrived since
 * the last call. */
bool report_wait(unsigned ms);

/** report_wake has the effect of a SIGUSR1. */
void report_wake(void);

#endif
