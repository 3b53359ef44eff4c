/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: coroutines live in an array and are known by index.  The runnable ones are in the ready
 * queue; the others wait for events on a socket (one list per descriptor), for another coroutine to
 * end, or just for a time, and the first two may have a deadline as well (the timer wheel).
 *
 * Life cycle: free -> ready -> (runs) -> waiting -> ready ... -> (ended, until joined) -> free.  A
 * coroutine runs only within pc_coros_turn or pc_coros_destroy, which no coroutine may call.
 *
 * A socket joins the epoll set, edge-triggered, at the first wait for it: a coroutine waits only
 * after a call has failed with EAGAIN, and everything that happens later is reported.  Closing a
 * socket removes it from the set.
 *
 * Invariants: a coroutine that waits for a socket stays in its descriptor's list, with fd set,
 * until it resumes: so if the socket is closed in between, and its number reused, the coroutine is
 * still found there.  A waiting coroutine is in no queue.  A ready one is in exactly one queue, and
 * its timer is off.
 */
#include "coro/coro.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <percore/epoll.h>

#define TICK_SHIFT     16 /* of timers: 65.536 us */
#define FARTHEST       (UINT64_C(1) << 30)
#define EVENTS         64
#define SMALLEST_STACK 8192
#define MOST           1000000

static int fail(int error)
{
	errno = error;
	return -1;
}

/* ---- queues ---------------------------------------------------------------------------------- */

static void push(struct pc_coros *cs, struct coro_queue *q, struct pc_coro *co)
{
	uint32_t self = (uint32_t)(co - cs->co) + 1;

	co->state = CORO_READY;
	co->next = 0;
	if (q->last != 0)
		cs->co[q->last - 1].next = self;
	else
		q->first = self;
	q->last = self;
}

static struct pc_coro *pop(struct pc_coros *cs, struct coro_queue *q)
{
	struct pc_coro *co;

	if (q->first == 0)
		return NULL;
	co = &cs->co[q->first - 1];
	q->first = co->next;
	if (q->first == 0)
		q->last = 0;
	return co;
}

/* moves all of b to the end of a */
static void append(struct pc_coros *cs, struct coro_queue *a, struct coro_queue *b)
{
	if (b->first == 0)
		return;
	if (a->last != 0)
		cs->co[a->last - 1].next = b->first;
	else
		a->first = b->first;
	a->last = b->last;
	*b = (struct coro_queue){0};
}

/* ---- waiting --------------------------------------------------------------------------------- */

static void arm(struct pc_coros *cs, struct pc_coro *co)
{
	uint64_t now = cs->now_ns >> TICK_SHIFT;
	uint64_t tick = (co->deadline_ns >> TICK_SHIFT) + 1;

	if (tick > now + FARTHEST)
		tick = now + FARTHEST; /* it is armed again when it fires */
	wheel_arm(&cs->wheel, (uint32_t)(co - cs->co), (uint32_t)tick);
}

void coro_leave_list(struct pc_coro *co)
{
	struct pc_coros *cs = co->set;
	uint32_t *link = &cs->waiting[co->fd];

	while (&cs->co[*link - 1] != co)
		link = &cs->co[*link - 1].wait_next;
	*link = co->wait_next;
	co->fd = 0;
}

void coro_wake(struct pc_coros *cs, struct pc_coro *co, enum coro_reason reason)
{
	if (co->state != CORO_WAITING)
		return;
	wheel_disarm(&cs->wheel, (uint32_t)(co - cs->co));
	co->reason = (uint8_t)reason;
	push(cs, &cs->ready, co);
}

void coro_wake_waiters(struct pc_coros *cs, int fd, uint32_t mask)
{
	for (uint32_t at = cs->waiting[fd]; at != 0; at = cs->co[at - 1].wait_next) {
		struct pc_coro *co = &cs->co[at - 1];
		const uint32_t news = mask & (co->events | EPOLLERR | EPOLLHUP);

		if (co->state != CORO_WAITING || news == 0)
			continue;
		co->events = news;
		coro_wake(cs, co, CORO_NEWS);
	}
}

void coro_wake_closed(struct pc_coros *cs, int fd)
{
	for (uint32_t at = cs->waiting[fd]; at != 0; at = cs->co[at - 1].wait_next) {
		struct pc_coro *co = &cs->co[at - 1];

		coro_wake(cs, co, CORO_CLOSED);
		co->reason = CORO_CLOSED; /* even if it was woken for another reason */
	}
}

uint64_t coro_deadline(const struct pc_coro *co)
{
	uint64_t now = co->set->now_ns;

	return co->timeout_ns < UINT64_MAX - now ? now + co->timeout_ns : UINT64_MAX;
}

enum coro_reason coro_suspend(struct pc_coro *co, uint64_t deadline_ns)
{
	struct pc_coros *cs = co->set;

	assert(&cs->co[cs->running - 1] == co);
	co->state = CORO_WAITING;
	co->deadline_ns = deadline_ns;
	if (deadline_ns != UINT64_MAX)
		arm(cs, co);
	fiber_leave(&co->fiber, &cs->host);
	return (enum coro_reason)co->reason;
}

/* ---- a coroutine's life ---------------------------------------------------------------------- */

static void set_free(struct pc_coros *cs, struct pc_coro *co)
{
	co->state = CORO_FREE;
	co->generation++;
	co->next = cs->free;
	cs->free = (uint32_t)(co - cs->co) + 1;
}

/* The outermost function on a coroutine's stack. */
static void live(void *arg)
{
	struct pc_coro *co = arg;
	struct pc_coros *cs = co->set;

	fiber_begin(&co->fiber, &cs->host);
	co->result = co->fn(co, co->arg);
	cs->alive--;
	co->state = CORO_ENDED;
	if (co->joiner != 0)
		coro_wake(cs, &cs->co[co->joiner - 1], CORO_NEWS);
	else if (!co->joinable)
		set_free(cs, co);
	fiber_end(&co->fiber, &cs->host);
}

uint64_t pc_coro_spawn(struct pc_coros *cs, pc_coro_fn fn, void *arg, int flags)
{
	struct pc_coro *co;
	size_t bytes;
	void *stack;

	if (cs->free == 0 || cs->ending) {
		errno = cs->ending ? ECANCELED : EAGAIN;
		return 0;
	}
	co = &cs->co[cs->free - 1];
	cs->free = co->next;
	cs->alive++;
	co->fn = fn;
	co->arg = arg;
	co->timeout_ns = UINT64_MAX;
	co->joiner = 0;
	co->fd = 0;
	co->joinable = (flags & PC_CORO_JOINABLE) != 0;
	co->cancelled = false;
	stack = coro_stacks_get(&cs->stacks, (uint32_t)(co - cs->co), &bytes);
	fiber_make(&co->fiber, stack, bytes, live, co, cs->portable);
	push(cs, &cs->ready, co);
	return pc_coro_number(co);
}

static struct pc_coro *find(struct pc_coros *cs, uint64_t number)
{
	uint32_t i = (uint32_t)number - 1;

	if (i >= cs->n || cs->co[i].state == CORO_FREE || cs->co[i].generation != number >> 32)
		return NULL;
	return &cs->co[i];
}

int pc_coro_cancel(struct pc_coros *cs, uint64_t number)
{
	struct pc_coro *co = find(cs, number);

	if (co == NULL || co->state == CORO_ENDED)
		return fail(ESRCH);
	co->cancelled = true;
	coro_wake(cs, co, CORO_CANCELLED);
	return 0;
}

void pc_coros_cancel(struct pc_coros *cs)
{
	for (uint32_t i = 0; i < cs->n; i++) {
		if (cs->co[i].state == CORO_FREE || cs->co[i].state == CORO_ENDED)
			continue;
		cs->co[i].cancelled = true;
		coro_wake(cs, &cs->co[i], CORO_CANCELLED);
	}
}

int pc_coro_detach(struct pc_coros *cs, uint64_t number)
{
	struct pc_coro *co = find(cs, number);

	if (co == NULL)
		return fail(ESRCH);
	if (!co->joinable || co->joiner != 0)
		return fail(EINVAL);
	co->joinable = false;
	if (co->state == CORO_ENDED)
		set_free(cs, co);
	return 0;
}

/* Waits for another coroutine to end. Returns 0 or an errno. */
static int wait_for_end(struct pc_coro *co, struct pc_coro *other)
{
	enum coro_reason reason;

	if (co->cancelled)
		return ECANCELED;
	other->joiner = (uint32_t)(co - co->set->co) + 1;
	reason = coro_suspend(co, coro_deadline(co));
	/* even if this was woken for another reason, the other may have ended meanwhile */
	if (other->state == CORO_ENDED)
		return 0;
	other->joiner = 0;
	return reason == CORO_CANCELLED ? ECANCELED : ETIMEDOUT;
}

int pc_coro_join(struct pc_coro *co, uint64_t number, int *result)
{
	struct pc_coro *other = find(co->set, number);
	int error = 0;

	if (other == NULL)
		return fail(ESRCH);
	if (other == co)
		return fail(EDEADLK);
	if (!other->joinable || other->joiner != 0)
		return fail(EINVAL);
	if (other->state != CORO_ENDED)
		error = wait_for_end(co, other);
	if (error != 0)
		return fail(error);
	if (result != NULL)
		*result = other->result;
	set_free(co->set, other);
	return 0;
}

int pc_coro_yield(struct pc_coro *co)
{
	struct pc_coros *cs = co->set;

	assert(&cs->co[cs->running - 1] == co);
	if (co->cancelled)
		return fail(ECANCELED);
	push(cs, &cs->yielded, co);
	fiber_leave(&co->fiber, &cs->host);
	return co->cancelled ? fail(ECANCELED) : 0;
}

int pc_coro_sleep(struct pc_coro *co, uint64_t ns)
{
	uint64_t now = co->set->now_ns;

	if (co->cancelled ||
	    coro_suspend(co, ns < UINT64_MAX - now ? now + ns : UINT64_MAX) == CORO_CANCELLED)
		return fail(ECANCELED);
	return 0;
}

void pc_coro_set_timeout(struct pc_coro *co, uint64_t ns)
{
	co->timeout_ns = ns;
}

bool pc_coro_is_cancelled(const struct pc_coro *co)
{
	return co->cancelled;
}

uint64_t pc_coro_number(const struct pc_coro *co)
{
	return (uint64_t)co->generation << 32 | (uint32_t)(co - co->set->co + 1);
}

struct pc_coros *pc_coro_set(const struct pc_coro *co)
{
	return co->set;
}

struct pc_stack *pc_coro_stack(const struct pc_coro *co)
{
	return co->set->st;
}

uint64_t pc_coro_now_ns(const struct pc_coro *co)
{
	return co->set->now_ns;
}

/* ---- the set --------------------------------------------------------------------------------- */

static void take_events(struct pc_coros *cs)
{
	struct epoll_event ev[EVENTS];
	int n;

	do {
		n = pc_epoll_wait(cs->st, cs->epoll, ev, EVENTS);
		for (int i = 0; i < n; i++)
			coro_wake_waiters(cs, ev[i].data.fd, ev[i].events);
	} while (n == EVENTS);
}

static void fire_timers(struct pc_coros *cs)
{
	uint32_t i;

	while ((i = wheel_pop(&cs->wheel, (uint32_t)(cs->now_ns >> TICK_SHIFT))) != WHEEL_NONE) {
		if (cs->co[i].deadline_ns > cs->now_ns)
			arm(cs, &cs->co[i]);
		else
			coro_wake(cs, &cs->co[i], CORO_TIMEOUT);
	}
}

/* Resumes ready coroutines, at most budget times: coroutines that keep waking each other must not
 * starve the stack. */
static void run_ready(struct pc_coros *cs, uint64_t budget)
{
	struct pc_coro *co;

	assert(cs->running == 0);
	while (budget-- > 0 && (co = pop(cs, &cs->ready)) != NULL) {
		cs->running = (uint32_t)(co - cs->co) + 1;
		fiber_enter(&cs->host, &co->fiber);
	}
	cs->running = 0;
}

/* As in the stack, time goes on from where it was when the caller's clock is set back. */
static void advance(struct pc_coros *cs, uint64_t given_ns)
{
	if (given_ns < cs->given_ns)
		cs->behind_ns += cs->given_ns - given_ns;
	cs->given_ns = given_ns;
	cs->now_ns = given_ns + cs->behind_ns;
}

void pc_coros_turn(struct pc_coros *cs, uint64_t now_ns)
{
	if (!cs->begun) /* the wheel's time starts at the first turn */
		wheel_init(&cs->wheel, &cs->co[0].timer, sizeof(cs->co[0]),
		           (uint32_t)(now_ns >> TICK_SHIFT));
	cs->begun = true;
	advance(cs, now_ns);
	append(cs, &cs->ready, &cs->yielded);
	take_events(cs);
	fire_timers(cs);
	run_ready(cs, 2 * (uint64_t)cs->n);
}

uint64_t pc_coros_next_deadline(const struct pc_coros *cs)
{
	uint64_t now = cs->now_ns >> TICK_SHIFT;
	uint32_t tick;

	if (cs->ready.first != 0 || cs->yielded.first != 0)
		return 0;
	if (!wheel_next(&cs->wheel, &tick))
		return UINT64_MAX;
	return ((now + (uint32_t)(tick - (uint32_t)now)) << TICK_SHIFT) - cs->behind_ns;
}

uint32_t pc_coros_count(const struct pc_coros *cs)
{
	return cs->alive;
}

void pc_coro_config_init(struct pc_coro_config *config)
{
	*config = (struct pc_coro_config){.max = 1024, .stack_bytes = 65536};
}

static struct pc_coros *take_memory(const struct pc_coro_config *config, uint32_t nb_fds)
{
	struct pc_coros *cs = calloc(1, sizeof(*cs) + config->max * sizeof(cs->co[0]));

	if (cs == NULL)
		return NULL;
	cs->waiting = calloc(nb_fds, sizeof(cs->waiting[0]));
	if (cs->waiting == NULL ||
	    coro_stacks_init(&cs->stacks, config->max, config->stack_bytes) != 0) {
		free(cs->waiting);
		free(cs);
		return NULL;
	}
	cs->n = config->max;
	cs->nb_fds = nb_fds;
	return cs;
}

struct pc_coros *pc_coros_create(struct pc_stack *st, const struct pc_coro_config *config)
{
	struct pc_coro_config defaults;
	struct pc_coros *cs;
	int epoll;

	pc_coro_config_init(&defaults);
	if (config == NULL)
		config = &defaults;
	if (config->max < 1 || config->max > MOST || config->stack_bytes < SMALLEST_STACK) {
		errno = EINVAL;
		return NULL;
	}
	epoll = pc_epoll_create(st);
	if (epoll < 0)
		return NULL;
	cs = take_memory(config, pc_fd_limit(st));
	if (cs == NULL) {
		pc_epoll_close(st, epoll);
		errno = ENOMEM;
		return NULL;
	}
	cs->st = st;
	cs->epoll = epoll;
	cs->portable = fiber_must_be_portable();
	for (uint32_t i = cs->n; i-- > 0;) {
		cs->co[i].set = cs;
		set_free(cs, &cs->co[i]);
	}
	wheel_init(&cs->wheel, &cs->co[0].timer, sizeof(cs->co[0]), 0);
	return cs;
}

void pc_coros_destroy(struct pc_coros *cs)
{
	if (cs == NULL)
		return;
	cs->ending = true;
	append(cs, &cs->ready, &cs->yielded);
	pc_coros_cancel(cs);
	run_ready(cs, UINT64_MAX);
	assert(cs->alive == 0);
	for (uint32_t i = 0; i < cs->n; i++)
		fiber_forget(&cs->co[i].fiber);
	pc_epoll_close(cs->st, cs->epoll);
	coro_stacks_fini(&cs->stacks);
	free(cs->waiting);
	free(cs);
}
