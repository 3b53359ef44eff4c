/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_TASK_H
#define DNS_TASK_H

/* A response in progress: answer.c frames it, find.c fills it. */

#include "answer.h"
#include "out.h"
#include "query.h"

#define TASK_STEPS 16 /**< CNAMEs and DNAMEs that are followed */

struct task {
	const struct answer_config *config;
	const struct zones *zones;
	const struct rrset
	    *told; /**< whose names' addresses belong into the additional section; NULL: none */
	const struct name *cut;                  /**< of a referral; NULL: it is none */
	uint16_t answers, authority, additional; /**< records */
	uint16_t rcode;
	uint16_t nsid_len;
	enum cookie_state cookie;
	uint8_t server_cookie[COOKIE_SERVER];
	uint64_t subject; /* see struct answer */
	bool aa, truncated, referral, nodata;
	unsigned nb_steps;
	const struct name *step[TASK_STEPS]; /**< whose CNAME or DNAME has been followed, */
	uint8_t step_len[TASK_STEPS];        /**< for a name of how many bytes */
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

/** find_all answers the question of class IN from the zones; q.name becomes the last name of a chain. */
void find_all(struct task *t);

#endif
