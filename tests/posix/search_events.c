/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of search.c with sets of epoll, in each other, and with descriptors of the kernel's in them. */

#include "search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MOST 32

static int draw_target(struct world *w, unsigned slot)
{
	const unsigned of = search_dice(w, 12);

	if (of == 0)
		return w->other[search_dice(w, OTHERS)];
	if (of <= 2)
		return w->ep[search_dice(w, SETS)];
	if (of == 3)
		return FIRST_NUMBER + (int)search_dice(w, SLOTS + OTHERS + SETS + 1);
	return w->fd[slot];
}

static uint32_t draw_events(struct world *w)
{
	static const uint32_t bits[] = {EPOLLIN, EPOLLIN, EPOLLOUT,     EPOLLRDHUP, EPOLLPRI,
	                                EPOLLET, EPOLLET, EPOLLONESHOT, EPOLLERR,   EPOLLHUP};
	uint32_t events = 0;

	for (unsigned i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (search_dice(w, 3) == 0)
			events |= bits[i];
	if (search_dice(w, 16) == 0)
		events |= EPOLLEXCLUSIVE;
	if (search_dice(w, 40) == 0)
		events |= EPOLLWAKEUP;
	if (search_dice(w, 40) == 0)
		events |= EPOLLRDNORM | EPOLLWRNORM;
	return events;
}

void search_epoll_ctl(struct world *w, unsigned slot)
{
	static const int ops[] = {EPOLL_CTL_ADD,
	                          EPOLL_CTL_ADD,
	                          EPOLL_CTL_ADD,
	                          EPOLL_CTL_MOD,
	                          EPOLL_CTL_MOD,
	                          EPOLL_CTL_DEL,
	                          0};
	const int fd = draw_target(w, slot);
	const unsigned set = search_dice(w, SETS);
	int op = SEARCH_PICK(w, ops);
	struct epoll_event e = {.events = draw_events(w), .data.u64 = (uint64_t)fd};

	if (op == 0 && search_dice(w, 8) > 0)
		op = EPOLL_CTL_ADD;
	bed_log(&w->l->bed, "set %u %d %d %x ", set, op, fd, e.events);
	live_log(w->l, "ctl", w->l->c->epoll_ctl(w->ep[set], op, fd, &e));
}

static int by_data(const void *x, const void *y)
{
	const struct epoll_event *a = x, *b = y;

	if (a->data.u64 == b->data.u64)
		return (a->events > b->events) - (a->events < b->events);
	return a->data.u64 > b->data.u64 ? 1 : -1;
}

/* Which event is first is not compared. */
static void wait_for(struct world *w, unsigned set)
{
	struct epoll_event e[MOST];
	const int n = w->l->c->epoll_wait(w->ep[set], e, MOST, 0);

	bed_log(&w->l->bed, " set %u: %d", set, n);
	qsort(e, n > 0 ? (size_t)n : 0, sizeof(e[0]), by_data);
	for (int i = 0; i < n; i++) {
		bed_log(&w->l->bed, " %d", (int)e[i].data.u64);
		bed_log_events(&w->l->bed, e[i].events);
		if (e[i].events & ~0x201fu)
			bed_log(&w->l->bed, " %x", e[i].events);
	}
	bed_log(&w->l->bed, "\n");
}

void search_epoll_wait(struct world *w, unsigned slot)
{
	const bool all = search_dice(w, 2) == 0;
	struct pollfd p[SETS];

	if (search_dice(w, 2) == 0) {
		for (unsigned i = 0; i < SETS; i++)
			p[i] = (struct pollfd){.fd = w->ep[i], .events = POLLIN | POLLOUT};
		bed_log(&w->l->bed, "poll sets %d:", w->l->c->poll(p, SETS, 0));
		for (unsigned i = 0; i < SETS; i++)
			bed_log(&w->l->bed, " %x", (unsigned)p[i].revents);
		bed_log(&w->l->bed, "\n");
	}
	wait_for(w, slot % SETS);
	for (unsigned i = 0; i < SETS && all; i++)
		if (i != slot % SETS)
			wait_for(w, i);
}

void search_epoll_renew(struct world *w, unsigned slot)
{
	const unsigned set = slot % SETS;

	live_log(w->l, "close set", w->l->c->close(w->ep[set]));
	w->ep[set] =
	    search_number(w, w->l->c->epoll_create1(0), FIRST_NUMBER + SLOTS + OTHERS + (int)set);
}

void search_other(struct world *w, unsigned slot)
{
	const int fd = w->other[slot % OTHERS];
	uint64_t n = 1;

	bed_log(&w->l->bed, "other %u ", slot % OTHERS);
	if (search_dice(w, 2) == 0)
		live_log(w->l, "read", w->l->c->read(fd, &n, sizeof(n)));
	else
		live_log(w->l, "write", w->l->c->write(fd, &n, sizeof(n)));
}
