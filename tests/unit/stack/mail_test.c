/* SPDX-License-Identifier: BSD-2-Clause */

/* The mailbox: results under their numbers, and many threads that post while the stack's takes. scripts/races runs this
 * under ThreadSanitizer. */

#include "stack/mail.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include <rte_memory.h>

#include "../../support/eal.h"
#include "../unit.h"

#define POSTERS 3
#define EACH    2000u

static struct mail *mail;
static atomic_uint posting; /* posters that are not done */

/* What the stack is in this test: touched by the thread that takes, and nobody else. */
static struct taken {
	unsigned calls, last[POSTERS];
	bool disorder;
} taken;

struct letter {
	unsigned from, number;
};

static int take(struct pc_stack *st, const void *data)
{
	struct taken *t = (struct taken *)(void *)st;
	const struct letter *l = data;

	t->calls++;
	t->disorder |= l->number != t->last[l->from] + 1;
	t->last[l->from] = l->number;
	return (int)(l->from * EACH + l->number);
}

static void begin(void)
{
	mail = mail_create(SOCKET_ID_ANY);
	CU_ASSERT_PTR_NOT_NULL_FATAL(mail);
	taken = (struct taken){.calls = 0};
}

static void end(void)
{
	mail_free(mail);
}

static void take_all(void)
{
	mail_take(mail, (struct pc_stack *)(void *)&taken);
}

static void results_come_under_their_numbers(void)
{
	const struct letter a = {0, 1}, b = {1, 1};
	uint64_t first, second;
	int result = 0;

	begin();
	CU_ASSERT_FALSE(mail_is_there(mail));
	first = mail_post(mail, take, &a, sizeof(a));
	second = mail_post(mail, take, &b, sizeof(b));
	CU_ASSERT(first != 0 && second != 0 && first != second);
	CU_ASSERT_TRUE(mail_is_there(mail));
	CU_ASSERT_FALSE(mail_posted(mail, first, &result));
	take_all();
	CU_ASSERT_FALSE(mail_is_there(mail));
	CU_ASSERT(mail_posted(mail, second, &result) && result == (int)EACH + 1);
	CU_ASSERT(mail_posted(mail, first, &result) && result == 1);
	end();
}

static void what_does_not_fit_is_refused(void)
{
	static const char large[PC_POST_MAX + 1];
	struct letter l = {0, 0};

	begin();
	CU_ASSERT_EQUAL(mail_post(mail, take, large, sizeof(large)), 0);
	CU_ASSERT_EQUAL(errno, EINVAL);
	for (l.number = 1; l.number <= PC_POSTS; l.number++)
		CU_ASSERT(mail_post(mail, take, &l, sizeof(l)) != 0);
	CU_ASSERT_EQUAL(mail_post(mail, take, &l, sizeof(l)), 0);
	CU_ASSERT_EQUAL(errno, EAGAIN);
	take_all();
	CU_ASSERT_EQUAL(taken.calls, PC_POSTS);
	CU_ASSERT(mail_post(mail, take, &l, sizeof(l)) != 0);
	end();
}

/* who finds no room takes no result's place away, however often he tries */
static void a_full_mailbox_keeps_its_results(void)
{
	struct letter l = {0, 0};
	uint64_t first = 0;
	int result = 0;

	begin();
	for (l.number = 1; l.number <= PC_POSTS; l.number++) {
		const uint64_t ticket = mail_post(mail, take, &l, sizeof(l));

		first = l.number == 1 ? ticket : first;
	}
	CU_ASSERT_EQUAL(mail_post(mail, take, &l, sizeof(l)), 0);
	take_all();
	CU_ASSERT(mail_post(mail, take, &l, sizeof(l)) != 0);
	take_all();
	CU_ASSERT(mail_posted(mail, first, &result) && result == 1);
	end();
}

/* nobody asks for a result for so long that others have its place */
static void old_results_are_stale(void)
{
	struct letter l = {0, 1};
	uint64_t first;
	int result = 0;

	begin();
	first = mail_post(mail, take, &l, sizeof(l));
	for (l.number = 2; l.number <= 2 * PC_POSTS + 3; l.number++) {
		take_all();
		CU_ASSERT(mail_post(mail, take, &l, sizeof(l)) != 0);
	}
	take_all();
	CU_ASSERT(mail_posted(mail, first, &result));
	CU_ASSERT_EQUAL(result, -ESTALE);
	end();
}

/* ---- threads ---------------------------------------------------------------------------------- */

static void *post(void *arg)
{
	struct letter l = {.from = (unsigned)(uintptr_t)arg};
	uintptr_t wrong = 0;

	for (l.number = 1; l.number <= EACH; l.number++) {
		uint64_t ticket;
		int result = 0;

		while ((ticket = mail_post(mail, take, &l, sizeof(l))) == 0)
			sched_yield();
		if (l.number % 8 != 0) /* most lose patience */
			continue;
		while (!mail_posted(mail, ticket, &result))
			sched_yield();
		wrong += result != (int)(l.from * EACH + l.number) && result != -ESTALE;
	}
	posting--;
	return (void *)wrong;
}

static void threads_post_at_once(void)
{
	pthread_t t[POSTERS];
	void *wrong;

	begin();
	posting = POSTERS;
	for (uintptr_t i = 0; i < POSTERS; i++)
		CU_ASSERT_FATAL(pthread_create(&t[i], NULL, post, (void *)i) == 0);
	while (posting > 0) {
		take_all();
		sched_yield();
	}
	for (unsigned i = 0; i < POSTERS; i++) {
		pthread_join(t[i], &wrong);
		CU_ASSERT_PTR_NULL(wrong);
	}
	take_all();
	CU_ASSERT_EQUAL(taken.calls, POSTERS * EACH);
	CU_ASSERT_FALSE(taken.disorder);
	end();
}

static const struct unit_case cases[] = {
    {"results come under their numbers", results_come_under_their_numbers},
    {"what does not fit is refused", what_does_not_fit_is_refused},
    {"a full mailbox keeps its results", a_full_mailbox_keeps_its_results},
    {"old results are stale", old_results_are_stale},
    {"threads post at once", threads_post_at_once},
};

int main(void)
{
	eal_start();
	return unit_run("stack/mail", cases, sizeof(cases) / sizeof(cases[0]));
}
