/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A signal handler has no argument, so this file has the only variables of percore that are neither
 * constant nor part of a struct: how often a stop was requested, requests to reread the files, and
 * requests for reports.
 */
#include "stop.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stop_count;
static sem_t hangups, reports;

/* The previous handlers, restored at the end. */
static struct {
	int sig;
	struct sigaction before;
} taken[5];
static unsigned nb_taken;

/* Our handlers run on the thread's alternate signal stack, if it has one: threads of another
 * language's runtime may have stacks that are too small. */
static void take(int sig, void (*handler)(int), int flags)
{
	const struct sigaction sa = {.sa_handler = handler, .sa_flags = flags | SA_ONSTACK};
	unsigned i = 0;

	while (i < nb_taken && taken[i].sig != sig)
		i++;
	if (i == nb_taken) {
		taken[nb_taken++].sig = sig;
		sigaction(sig, NULL, &taken[i].before);
	}
	sigaction(sig, &sa, NULL);
}

static bool has_handler(int sig, void (*handler)(int))
{
	struct sigaction sa;

	return sigaction(sig, NULL, &sa) == 0 && sa.sa_handler == handler;
}

static void on_hangup(int sig)
{
	int saved = errno;

	(void)sig;
	(void)sem_post(&hangups);
	errno = saved;
}

static void on_signal(int sig)
{
	(void)sig;
	/* a third signal: the user has waited long enough */
	if (stop_count >= STOP_NOW)
		_exit(1);
	stop_count++;
}

void stop_catch(void)
{
	stop_forget();
	take(SIGINT, on_signal, 0);
	take(SIGTERM, on_signal, 0);
	/* SIGHUP stays ignored if the parent ignores it (nohup); SIGINT does not, as shells ignore
	 * it for background commands of scripts */
	if (!has_handler(SIGHUP, SIG_IGN) && !has_handler(SIGHUP, on_hangup))
		take(SIGHUP, on_signal, 0);
	/* if the reader of our output goes away, we must still clean up */
	take(SIGPIPE, SIG_IGN, 0);
}

void stop_forget(void)
{
	stop_count = 0;
	(void)sem_init(&reports, 0, 0);
}

void hangup_catch(void)
{
	(void)sem_init(&hangups, 0, 0);
	take(SIGHUP, on_hangup, SA_RESTART);
}

void hangup_wait(void)
{
	while (sem_wait(&hangups) != 0 && errno == EINTR)
		continue;
	/* one reload serves all signals received until it begins */
	while (sem_trywait(&hangups) == 0)
		continue;
}

void hangup_wake(void)
{
	(void)sem_post(&hangups);
}

static void on_report(int sig)
{
	int saved = errno;

	(void)sig;
	(void)sem_post(&reports);
	errno = saved;
}

void report_catch(void)
{
	take(SIGUSR1, on_report, SA_RESTART);
}

bool report_wanted(void)
{
	bool any = false;

	while (sem_trywait(&reports) == 0)
		any = true;
	return any;
}

bool report_wait(unsigned ms)
{
	struct timespec until;
	bool any;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	any = sem_clockwait(&reports, CLOCK_MONOTONIC, &until) == 0;
	return report_wanted() || any; /* one report serves all requests received so far */
}

void report_wake(void)
{
	(void)sem_post(&reports);
}

void stop_release(void)
{
	while (nb_taken > 0) {
		nb_taken--;
		sigaction(taken[nb_taken].sig, &taken[nb_taken].before, NULL);
	}
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
