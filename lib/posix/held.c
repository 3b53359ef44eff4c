/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals of a thread that drives the stack in a waiting call.
 *
 * Overview: a signal interrupts a thread that sleeps in the kernel, but not one that runs turns of
 * the stack: its handler simply runs in between.  So signals are held back during a turn and looked
 * at between two turns, when neither the stack nor this library is in the middle of anything:
 * pending ones are let through, and the wait ends if the kernel's would have ended (signal(7)).  A
 * handler may therefore leave the call for good, and a signal that ends the process has its sockets
 * closed first.
 *
 * Signals not held back are the stack's own (struct pcx_driver), which end its sleep when frames
 * arrive, and those raised by an instruction of the thread.
 */
#include "posix/client.h"
#include "posix/wait.h"

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

/* ---- pending signals -------------------------------------------------------------------------- */

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

/* Sets *waiting to the pending signals that the program does not block. Returns the strongest
 * effect among them, or -1 if there are none. */
static int look_at_signals(const sigset_t *open, sigset_t *waiting)
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
	int effect = h->on ? look_at_signals(&h->open, &waiting) : -1;
	bool ran;

	if (effect < 0)
		return 0;
	if (effect == ENDS)
		client_end();
	/* another signal, which would end the wait, may arrive just now: it stays pending until the
	 * next look */
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
	/* a socket in use by a call is still held */
	for (uint32_t i = 0; i < client.chan->nb_socks; i++)
		if (at_load(&chan_sock(client.chan, i)->holders[client.proc / 64]) >>
		        (client.proc % 64) &
		    1)
			release_socket(i);
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += END_PATIENCE_S;
	/* never unlocked if a signal handler has left a call, or runs inside one */
	if (pthread_mutex_timedlock(&client.drive, &until) != 0)
		return;
	client.ended = true;
	d->end(d->arg);
}
