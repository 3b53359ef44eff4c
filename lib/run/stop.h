/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_STOP_H
#define RUN_STOP_H

/*
 * Signals: SIGINT, SIGTERM and SIGHUP ask for an end; a second one for an immediate end.  A program
 * with a config file reads it again on SIGHUP instead.
 */

#include <stdbool.h>

enum { STOP_NO, STOP_DRAIN, STOP_NOW };

/** stop_catch installs the handlers and forgets earlier signals. */
void stop_catch(void);

/** stop_forget forgets earlier signals, those for reports too, and installs nothing. */
void stop_forget(void);

/** stop_release gives back all signals that this file has taken to whoever had them before. */
void stop_release(void);

/** stop_wanted returns STOP_NO, STOP_DRAIN or STOP_NOW; cheap enough for every turn. */
int stop_wanted(void);

/** stop_ask does what n signals would. */
void stop_ask(int n);

/** hangup_catch makes SIGHUP wake hangup_wait instead of asking for an end, before or after stop_catch. */
void hangup_catch(void);

/** hangup_wait waits for a SIGHUP, or returns at once when some came since the last call. */
void hangup_wait(void);

/** hangup_wake does what a SIGHUP would. */
void hangup_wake(void);

/** report_catch makes SIGUSR1 ask for a report, before or after stop_catch. */
void report_catch(void);

/** report_wanted says whether one has come since the last call. */
bool report_wanted(void);

/** report_wait waits for one, at most so many milliseconds. Returns whether one has come since the last call. */
bool report_wait(unsigned ms);

/** report_wake does what a SIGUSR1 would. */
void report_wake(void);

#endif
