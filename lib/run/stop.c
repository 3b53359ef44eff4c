/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A signal handler has no argument, so this file holds the variables of percore that are neither
 * constant nor part of a struct: how often an end was asked for, how often a look at the files, and whether a report.
 */
#include "stop.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t stop_count;
static volatile sig_atomic_t report_asked;
static sem_t hangups;

static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP};
#define NB_STOP_SIGNALS (sizeof(stop_signals) / sizeof(stop_signals[0]))

/* What a program in another language has of its own comes back at the end. A handler of ours runs on the stack that the
 * thread has for signals, if it has one: such a program's own stacks may be too small. */
static struct sigaction before[NB_STOP_SIGNALS], pipe_before;

static void on_signal(int sig)
{
	(void)sig;
	/* whoever asks a third time has waited long enough */
	if (stop_count >= STOP_NOW)
		_exit(1);
	stop_count++;
}

void stop_catch(void)
{
	const struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	stop_count = 0;
	for (size_t i = 0; i < NB_STOP_SIGNALS; i++) {
		sigaction(stop_signals[i], NULL, &before[i]);
		/* a hang-up that a parent has ignored (nohup) stays ignored; an interrupt does not, as
		 * shells ignore it for whatever a script starts in the background */
		if (stop_signals[i] != SIGHUP || before[i].sa_handler != SIG_IGN)
			sigaction(stop_signals[i], &sa, NULL);
	}
	/* a reader of our output that goes away must not keep us from cleaning up */
	sigaction(SIGPIPE, &ignore, &pipe_before);
}

void stop_forget(void)
{
	stop_count = 0;
}

static void on_hangup(int sig)
{
	int saved = errno;

	(void)sig;
	(void)sem_post(&hangups);
	errno = saved;
}

void hangup_catch(void)
{
	struct sigaction sa = {.sa_handler = on_hangup, .sa_flags = SA_RESTART | SA_ONSTACK};

	(void)sem_init(&hangups, 0, 0);
	sigaction(SIGHUP, &sa, NULL);
}

void hangup_wait(void)
{
	while (sem_wait(&hangups) != 0 && errno == EINTR)
		continue;
}

void hangup_wake(void)
{
	(void)sem_post(&hangups);
}

static void on_report(int sig)
{
	(void)sig;
	report_asked = 1;
}

void report_catch(void)
{
	struct sigaction sa = {.sa_handler = on_report, .sa_flags = SA_RESTART | SA_ONSTACK};

	report_asked = 0;
	sigaction(SIGUSR1, &sa, NULL);
}

bool report_wanted(void)
{
	if (report_asked == 0)
		return false;
	report_asked = 0;
	return true;
}

void stop_release(void)
{
	for (size_t i = 0; i < NB_STOP_SIGNALS; i++)
		sigaction(stop_signals[i], &before[i], NULL);
	sigaction(SIGPIPE, &pipe_before, NULL);
}

int stop_wanted(void)
{
	return stop_count;
}

void stop_ask(int n)
{
	if (stop_count < n)
		stop_count = n;
}
