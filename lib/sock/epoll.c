/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epoll and poll.
 *
 * A wait asks each socket for its events at that moment; the ring only says which sockets to ask.
 * A level-triggered socket that is reported goes to the end of the ring, so that all get their
 * turn; the next wait drops it from the ring if it has nothing more to report.
 */
#include <percore/epoll.h>

#include "sock/sock.h"

static bool is_set(const struct sockets *s, int epfd)
{
	return epfd >= 1 && (uint32_t)epfd < s->first_udp && s->ev->set[epfd - 1].used;
}

/* EINVAL for an open socket, EBADF for anything else */
static int no_set(struct sockets *s, int epfd)
{
	struct sock_ref ref;

	return (int)sock_fail(sock_find(s, epfd, &ref) ? -EINVAL : -EBADF);
}

int pc_epoll_create(struct pc_stack *st)
{
	struct sockets *s = sockets_of(st);

	for (uint32_t i = 0; i < s->ev->nb_sets; i++) {
		if (!s->ev->set[i].used) {
			s->ev->set[i].used = true;
			return (int)i + 1;
		}
	}
	return (int)sock_fail(-EMFILE);
}

/* queues a socket if an event of interest is pending */
static void push_if_ready(struct sockets *s, struct pollable *p, const struct sock_ref *ref,
                          uint32_t fd)
{
	if (sock_mask(s, ref) & (p->interest | EPOLLERR | EPOLLHUP))
		event_push(s->ev, p, fd);
}

int pc_epoll_ctl(struct pc_stack *st, int epfd, int op, int fd, struct epoll_event *event)
{
	struct sockets *s = sockets_of(st);
	struct sock_ref ref;
	struct pollable *p;

	if (!sock_find(s, fd, &ref)) /* sets are not nested */
		return (int)sock_fail(is_set(s, fd) && is_set(s, epfd) ? -EINVAL : -EBADF);
	if (!is_set(s, epfd))
		return no_set(s, epfd);
	p = ref.tcp != NULL ? &ref.tcp->poll : &ref.udp->poll;
	switch (op) {
	case EPOLL_CTL_ADD:
		if (p->set != 0)
			return (int)sock_fail(p->set == epfd ? -EEXIST : -EBUSY);
		break;
	case EPOLL_CTL_MOD:
	case EPOLL_CTL_DEL:
		if (p->set != epfd)
			return (int)sock_fail(-ENOENT);
		break;
	default:
		return (int)sock_fail(-EINVAL);
	}
	if (op == EPOLL_CTL_DEL) {
		p->set = 0;
		return 0;
	}
	if ((p->flags & POLLABLE_QUEUED) && p->ring != epfd)
		event_withdraw(s->ev, p, (uint32_t)fd);
	p->set = (uint8_t)epfd;
	p->interest = event->events;
	p->data = event->data.u64;
	p->flags &= (uint16_t)~POLLABLE_SPENT;
	push_if_ready(s, p, &ref, (uint32_t)fd);
	return 0;
}

/* Finds a popped descriptor's socket. Returns its membership, or NULL if it is not open. */
static struct pollable *find_member(struct sockets *s, uint32_t fd, struct sock_ref *ref)
{
	struct pollable *p;

	*ref = (struct sock_ref){.index = fd - s->first_tcp};
	if (likely(fd > s->first_tcp)) {
		ref->tcp = tcp_tcb(s->tcp, ref->index);
		p = &ref->tcp->poll;
		p->flags &= (uint16_t)~POLLABLE_QUEUED;
		return (ref->tcp->flags & TCB_OPEN) && ref->tcp->state != TCP_S_FREE ? p : NULL;
	}
	p = sock_pollable(s, fd);
	p->flags &= (uint16_t)~POLLABLE_QUEUED;
	return sock_find(s, (int)fd, ref) ? p : NULL;
}

/* handles one socket from the ring; returns whether it has something to report */
static bool report(struct sockets *s, uint32_t set, uint32_t fd, struct epoll_event *event)
{
	struct sock_ref ref;
	struct pollable *p = find_member(s, fd, &ref);
	uint32_t mask;

	if (p == NULL || p->set == 0)
		return false;
	assert(p->set == set + 1);
	mask = sock_mask(s, &ref) & (p->interest | EPOLLERR | EPOLLHUP);
	if (mask == 0 || (p->flags & POLLABLE_SPENT))
		return false;
	if (p->interest & EPOLLONESHOT)
		p->flags |= POLLABLE_SPENT;
	else if (!(p->interest & EPOLLET))
		event_push(s->ev, p, fd);
	event->events = mask;
	event->data.u64 = p->data;
	return true;
}

int pc_epoll_wait(struct pc_stack *st, int epfd, struct epoll_event *events, int maxevents)
{
	struct sockets *s = sockets_of(st);
	uint32_t set = (uint32_t)epfd - 1, left, fd;
	int n = 0;

	if (!is_set(s, epfd))
		return no_set(s, epfd);
	if (maxevents <= 0)
		return (int)sock_fail(-EINVAL);
	/* sockets that go to the end of the ring wait for the next call */
	for (left = event_count(s->ev, set); left > 0 && n < maxevents; left--)
		if (event_pop(s->ev, set, &fd))
			n += report(s, set, fd, &events[n]);
	return n;
}

int pc_epoll_close(struct pc_stack *st, int epfd)
{
	struct sockets *s = sockets_of(st);
	/* no TCB beyond this has ever been in a set */
	const uint32_t end = s->first_tcp + s->tcp->free_tcbs.touched + 1;
	uint32_t queued;

	if (!is_set(s, epfd))
		return (int)sock_fail(-EBADF);
	while (event_pop(s->ev, (uint32_t)epfd - 1, &queued))
		sock_pollable(s, queued)->flags &= (uint16_t)~POLLABLE_QUEUED;
	for (uint32_t fd = s->first_udp; fd < end; fd++) {
		struct pollable *p = sock_pollable(s, fd);

		if (p != NULL && p->set == epfd)
			p->set = 0;
	}
	s->ev->set[epfd - 1].used = false;
	return 0;
}

static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT && POLLERR == EPOLLERR &&
                  POLLHUP == EPOLLHUP && POLLRDHUP == EPOLLRDHUP,
              "poll and epoll have the same bits");

int pc_poll(struct pc_stack *st, struct pollfd *fds, nfds_t n)
{
	struct sockets *s = sockets_of(st);
	int ready = 0;

	for (nfds_t i = 0; i < n; i++) {
		const uint32_t always = POLLERR | POLLHUP;
		struct sock_ref ref;
		uint32_t mask;

		fds[i].revents = 0;
		if (fds[i].fd < 0)
			continue;
		if (!sock_find(s, fds[i].fd, &ref)) {
			fds[i].revents = POLLNVAL;
		} else {
			mask = sock_mask(s, &ref) & ((uint32_t)(uint16_t)fds[i].events | always);
			fds[i].revents = (short)mask;
		}
		ready += fds[i].revents != 0;
	}
	return ready;
}
