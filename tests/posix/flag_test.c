/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every flag that a message can be sent and received with, one by one, on a socket in every state: what is returned,
 * what the message's own flags say, whether a signal comes, and what the far side gets.
 */
#include "subject.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define FLAGS 32
#define BYTES 7

static char buf[100];
static volatile sig_atomic_t signals;

static void on_signal(int number)
{
	(void)number;
	signals++;
}

static void begin(struct live *l, size_t state, int bit, struct subject *s)
{
	subject_make(l, state, s);
	signals = 0;
	bed_log(&l->bed, "%s, %x: ", subject_states[state].name, 1u << bit);
}

static void log_call(struct live *l, long rc, const struct msghdr *m)
{
	bed_log(&l->bed, "%ld %s, flags %x, signals %d\n", rc, rc == -1 ? bed_errno(errno) : "",
	        (unsigned)m->msg_flags, (int)signals);
}

static int flags_of(int bit)
{
	return (int)(1u << bit) | MSG_DONTWAIT;
}

static void try_recv(struct live *l, size_t state, int bit)
{
	struct iovec v = {buf, BYTES};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	struct subject s;

	begin(l, state, bit, &s);
	log_call(l, l->c->recvmsg(s.fd, &m, flags_of(bit)), &m);
	subject_poll(l, &s);
	subject_close(l, &s);
}

static void try_send(struct live *l, size_t state, int bit, bool named)
{
	struct sockaddr_in to = bed_addr(&l->bed, FAR, 9);
	struct iovec v = {buf, BYTES};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	struct subject s;

	begin(l, state, bit, &s);
	if (named) {
		m.msg_name = &to;
		m.msg_namelen = sizeof(to);
	}
	log_call(l, l->c->sendmsg(s.fd, &m, flags_of(bit)), &m);
	if (s.far >= 0 && !named) {
		live_sleep(1);
		bed_log(&l->bed, "  %s, %x: far %ld\n", subject_states[state].name, 1u << bit,
		        (long)l->bed.call->recvfrom(&l->bed, FAR, s.far, buf, sizeof(buf), 0, NULL,
		                                    NULL));
	}
	subject_close(l, &s);
}

static void with_signals(void (*action)(int))
{
	struct sigaction a = {.sa_handler = action};

	(void)sigaction(SIGPIPE, &a, NULL);
}

static void received(struct live *l)
{
	for (size_t state = 0; state < SUBJECT_STATES; state++)
		for (int bit = 0; bit < FLAGS; bit++)
			try_recv(l, state, bit);
}

static void sent(struct live *l, bool named)
{
	with_signals(on_signal);
	for (size_t state = 0; state < SUBJECT_STATES; state++)
		for (int bit = 0; bit < FLAGS; bit++)
			try_send(l, state, bit, named);
	with_signals(SIG_DFL);
}

static void sent_to_peer(struct live *l)
{
	sent(l, false);
}

static void sent_to_name(struct live *l)
{
	sent(l, true);
}

static const struct live_case cases[] = {
    {"received", received},
    {"sent to the peer", sent_to_peer},
    {"sent to a name", sent_to_name},
};

LIVE_MAIN("posix/flag", cases)
