/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The accounts of a stack's sockets; see account.h.
 *
 * Ownership: a socket has its account from tcb_alloc to tcb_free.  The free ones form a list, the
 * last freed first.
 */
#include "tcp/account.h"

#include <errno.h>
#include <string.h>

#include <rte_malloc.h>

#include "tcp/scoreboard.h"

#define SPENT_AT_ONCE_US (1u << 30)

static uint32_t nb_accounts(uint32_t n)
{
	return RTE_MIN(n, (uint32_t)ACCOUNTS_MAX);
}

uint64_t accounts_footprint(uint32_t n)
{
	return (uint64_t)(nb_accounts(n) + 1) * sizeof(struct tcp_account);
}

int accounts_init(struct accounts *a, uint32_t n, int socket_id)
{
	a->account = rte_zmalloc_socket("pc_accounts", accounts_footprint(n), RTE_CACHE_LINE_SIZE,
	                                socket_id);
	if (a->account == NULL)
		return -ENOMEM;
	a->free.n = nb_accounts(n);
	a->account[0].chrono = ACCOUNT_IDLE;
	return 0;
}

void accounts_fini(struct accounts *a)
{
	rte_free(a->account);
	*a = (struct accounts){0};
}

void account_open(struct tcp *tcp, struct tcb *t)
{
	struct accounts *all = &tcp->accounts;
	const uint32_t i = freelist_next(&all->free);
	struct tcp_account *a = &all->account[i];

	if (likely(i != 0))
		freelist_take(&all->free, a->next);
	t->account = (uint16_t)i;
	memset(a, 0, sizeof(*a));
	a->chrono = ACCOUNT_IDLE;
}

void account_renew(const struct tcp *tcp, const struct tcb *t)
{
	struct tcp_account *a = account_of(tcp, t);

	if (t->account == 0)
		return;
	*a = (struct tcp_account){
	    .chrono = ACCOUNT_IDLE, .copies = a->copies, .copies_told = a->copies_told};
}

void account_close(struct tcp *tcp, struct tcb *t)
{
	if (t->account == 0)
		return;
	account_of(tcp, t)->next = (uint16_t)freelist_give(&tcp->accounts.free, t->account);
	t->account = 0;
}

void account_busy(struct tcp_account *a)
{
	a->spent_us[ACCOUNT_BUSY] += a->busy_us;
	a->busy_us = 0;
}

/* when the sender became busy: data that was sent at once may be in flight, and has not started the
 * clock */
static uint32_t begun_us(const struct tcp *tcp, const struct tcb *t)
{
	const struct tcp_queues *q = tcp_queues_if(tcp, t);

	if (tcb_is_stashed(t))
		return t->sent_us;
	if (q == NULL || q->snd.head == NULL || q->snd.head == q->snd_next)
		return tcp->ctx->now_us;
	return scoreboard_sent_us(q, tcp->ctx->now_us);
}

void account_turn(const struct tcp *tcp, const struct tcb *t, enum account_chrono what)
{
	struct tcp_account *a = account_of(tcp, t);
	const uint32_t now_us = tcp->ctx->now_us;

	if (a->chrono == ACCOUNT_IDLE) {
		if (what == ACCOUNT_IDLE)
			return;
		account_busy(a);
		a->mark = (uint32_t)a->bytes_acked;
		a->chrono = what & 3u;
		a->chrono_us = a->mark_us = begun_us(tcp, t);
		return;
	}
	/* the clock wraps every 71 minutes, and a state may last longer */
	if (a->chrono == what && now_us - a->chrono_us < SPENT_AT_ONCE_US)
		return;
	a->spent_us[a->chrono] += now_us - a->chrono_us;
	a->chrono = what & 3u;
	if (what != ACCOUNT_IDLE)
		a->chrono_us = now_us;
	else
		a->busy_us = 0;
}

void account_rate(struct tcp_account *a, uint32_t bytes, uint32_t us, bool limited)
{
	if (us == 0 || (limited && (uint64_t)bytes * a->rate_us < (uint64_t)a->rate_bytes * us))
		return;
	a->rate_bytes = bytes;
	a->rate_us = us;
	a->rate_limited = limited;
}

void account_late(const struct tcp *tcp, const struct tcb *t, uint8_t segs)
{
	struct tcp_account *a = account_of(tcp, t);

	if (t->account == 0)
		return;
	if (segs > a->reordering)
		a->reordering = segs;
	if (a->reord_seen < UINT16_MAX)
		a->reord_seen++;
}

bool tcp_has_report(const struct tcp *tcp, const struct tcb *t)
{
	const struct tcp_account *a = account_of(tcp, t);

	return t->account != 0 && a->copies != a->copies_told;
}

void account_acked(const struct tcp *tcp, const struct tcb *t, uint32_t bytes)
{
	struct tcp_account *a = account_of(tcp, t);
	const uint32_t us = tcp->ctx->now_us - a->mark_us;
	const bool all = t->snd_bytes == 0;

	a->bytes_acked += bytes;
	if (us >= t->srtt_us && t->srtt_us != 0) {
		account_rate(a, (uint32_t)a->bytes_acked - a->mark, us, all);
		a->mark = (uint32_t)a->bytes_acked;
		a->mark_us = tcp->ctx->now_us;
	}
	if (all)
		account_turn(tcp, t, ACCOUNT_IDLE);
}
