/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_TASK_H
#define DNS_TASK_H

/* A response in progress: answer.c frames it, find.c fills it. */

#include "answer.h"
#include "out.h"
#include "query.h"

#define TASK_STEPS 16 /**< CNAMEs and DNAMEs followed at most */

struct task {
	const struct answer_config *config;
	const struct zones *zones;
	const struct rrset
	    *told; /**< its names' addresses belong in the additional section; NULL: none */
	const struct name *cut;                  /**< of a referral; NULL: not a referral */
	uint16_t answers, authority, additional; /**< records */
	uint16_t rcode;
	uint16_t nsid_len;
	enum cookie_state cookie;
	uint8_t server_cookie[COOKIE_SERVER];
	uint64_t subject; /* see struct answer */
	bool aa, truncated, referral, nodata;
	unsigned nb_steps;
	const struct name *step[TASK_STEPS]; /**< the owner of each CNAME or DNAME followed, */
	uint8_t step_len[TASK_STEPS];        /**< and the length of the name at that time */
	struct query q;
	struct out o;
};

static inline void task_init(struct task *t, const struct answer_config *config,
                             const struct zones *zones)
{
	t->config = config;
	t->zones = zones;
	t->told = NULL;
	t->cut = NULL;
	t->answers = t->authority = t->additional = 0;
	t->rcode = DNS_NOERROR;
	t->nsid_len = 0;
	t->cookie = COOKIE_NONE;
	t->subject = 0;
	t->aa = t->truncated = t->referral = t->nodata = false;
	t->nb_steps = 0;
}

/** find_all answers a question of class IN from the zones; q.name becomes the last name of a
 * chain. */
void find_all(struct task *t);

#endif
