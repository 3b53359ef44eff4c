/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals of a thread that drives the stack in a call that waits.
 *
 * Overview: a thread that sleeps in the kernel is interrupted by a signal; one that turns the stack is not, its handler just
 * runs in between.  So signals are held back while it turns, and looked at between two turns, when nothing of the stack
 * or of ours is under way: those that wait are let through, and the wait ends as the kernel's would have (signal(7)).  A
 * handler may therefore leave the call for good, and a signal that ends the process lets its sockets be closed first.
 *
 * Not held are the stack's own signals (struct pcx_driver), which end its sleep when frames come, and those that an
 * instruction of the thread's raises.
 */
#include "posix/client.h"

#include <poll.h>
#include <string.h>
#include <time.h>

#define END_PATIENCE_S 1

static void to_hold(sigset_t *set)
{
	static const int raised[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
	const sigset_t *own = client.driver != NULL ? client.driver->own_signals : NULL;

	(void)sigfillset(set);
	for (size_t i = 0; i < sizeof(raised) / sizeof(raised[0]); i++)
		(void)sigdelset(set, raised[i]);
	for (int sig = 1; own != NULL && sig < _NSIG; sig++)
		if (sigismember(own, sig) == 1)
			(void)sigdelset(set, sig);
}

void held_begin(struct held *h, const sigset_t *mask)
{
	sigset_t all;

	if (h->on)
		return;
	to_hold(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &h->before);
	h->open = mask != NULL ? *mask : h->before;
	h->on = true;
}

void held_end(struct held *h)
{
	if (h->on)
		(void)pthread_sigmask(SIG_SETMASK, &h->before, NULL);
	h->on = false;
}

/* ---- those that wait -------------------------------------------------------------------------- */

enum { IGNORED, RESTARTS, INTERRUPTS, ENDS };

static int effect_of_default(int sig)
{
	switch (sig) {
	case SIGCHLD:
	case SIGCONT:
	case SIGURG:
	case SIGWINCH:
	case SIGSTOP:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		return IGNORED;
	default:
		return ENDS;
	}
}

static int effect_of(int sig)
{
	struct sigaction sa;

	if (sigaction(sig, NULL, &sa) != 0)
		return IGNORED;
	if (!(sa.sa_flags & SA_SIGINFO) && sa.sa_handler == SIG_IGN)
		return IGNORED;
	if (!(sa.sa_flags & SA_SIGINFO) && sa.sa_handler == SIG_DFL)
		return effect_of_default(sig);
	return sa.sa_flags & SA_RESTART ? RESTARTS : INTERRUPTS;
}

/* Leaves in *waiting those that are not blocked by the program. Returns the strongest effect; -1: there is none. */
static int look(const sigset_t *open, sigset_t *waiting)
{
	int most = -1;

	if (sigpending(waiting) != 0)
		return -1;
	for (int sig = 1; sig < _NSIG; sig++) {
		int effect;

		if (sigismember(waiting, sig) != 1)
			continue;
		if (sigismember(open, sig) == 1) {
			(void)sigdelset(waiting, sig);
			continue;
		}
		effect = effect_of(sig);
		most = effect > most ? effect : most;
	}
	return most;
}

int held_look(struct held *h, bool always)
{
	const struct timespec none = {0};
	sigset_t waiting, mask = h->open;
	int effect = h->on ? look(&h->open, &waiting) : -1;
	bool ran;

	if (effect < 0)
		return 0;
	if (effect == ENDS)
		client_end();
	/* another one may come just now, which would have ended the wait: it stays until it is looked at */
	if (effect == RESTARTS && !always)
		for (int sig = 1; sig < _NSIG; sig++)
			if (sigismember(&waiting, sig) != 1)
				(void)sigaddset(&mask, sig);
	ran = sys(ppoll, NULL, 0, &none, &mask, SYS_SIGSET_BYTES) < 0 && errno == EINTR;
	return ran && (always ? effect != IGNORED : effect == INTERRUPTS) ? -EINTR : 0;
}

/* ---- the end ---------------------------------------------------------------------------------- */

void client_end(void)
{
	const struct pcx_driver *d = client.driver;
	struct timespec until;

	if (d == NULL || d->end == NULL || client.ended)
		return;
	for (uint32_t fd = 0; fd < at_load(&client.end_fds); fd++)
		if (pcx_kind((int)fd) != PCX_KERNEL)
			(void)pcx_close((int)fd);
	/* of those in a call, the call has them still */
	for (uint32_t i = 0; i < client.chan->nb_socks; i++)
		if (at_load(&chan_sock(client.chan, i)->holders[client.proc / 64]) >>
		        (client.proc % 64) &
		    1)
			release_socket(i);
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += END_PATIENCE_S;
	/* taken for good where a handler of signals has left a call, or is in one */
	if (pthread_mutex_timedlock(&client.drive, &until) != 0)
		return;
	client.ended = true;
	d->end(d->arg);
}
