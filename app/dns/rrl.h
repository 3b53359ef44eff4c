/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_RRL_H
#define DNS_RRL_H

/*
 * Response rate limiting: a network gets so many answers of one kind about one name in a second.
 *
 * It is for queries whose source is forged: who is flooded with our answers gets few of them.  A resolver that asks for the same
 * again and again is no resolver; one that is in the network of a victim is told, now and then, to ask in a way that shows that
 * its address is its own (slip).  A bounded table, which takes no memory after its start; one lcore.
 */

#include <percore/addr.h>
#include <percore/siphash.h>

#include "answer.h"

#define RRL_EXEMPT 64

struct rrl_config {
	uint64_t rate;    /**< answers/s; 0: no limit */
	uint64_t slip;    /**< one of so many; 0: none */
	uint64_t entries; /**< at least */
	uint8_t len4, len6;
	unsigned nb_exempt;
	struct pc_prefix exempt[RRL_EXEMPT]; /**< networks without a limit */
	struct pc_sip_key key;               /**< random */
};

enum rrl_verdict { RRL_SEND, RRL_SLIP, RRL_DROP };

struct rrl;

/** rrl_create makes a table; config must outlive it. Returns NULL without memory. */
struct rrl *rrl_create(const struct rrl_config *config);

/** rrl_free frees it; NULL is allowed. */
void rrl_free(struct rrl *r);

/** rrl_judge says what becomes of an answer to an address. */
enum rrl_verdict rrl_judge(struct rrl *r, const struct pc_addr *to, const struct answer *a,
                           uint64_t now_ns);

#endif
