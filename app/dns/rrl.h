/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_RRL_H
#define DNS_RRL_H

/*
 * Response rate limiting: a limited number of responses of one kind, about one name, to one network
 * per second.
 *
 * It is for queries with a spoofed source: a victim that is flooded with our responses gets few of
 * them. A resolver does not send the same query again and again; one in the network of a victim is
 * told, now and then, to retry in a way that shows that its address is its own (slip). The table is
 * bounded, and takes no memory after the start. One lcore.
 */

#include <percore/addr.h>
#include <percore/siphash.h>

#include "answer.h"

#define RRL_EXEMPT 64

struct rrl_config {
	uint64_t rate;    /**< responses per second; 0: no limit */
	uint64_t slip;    /**< one in so many is sent cut; 0: none */
	uint64_t entries; /**< size of the table, at least */
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

/** rrl_judge decides what becomes of a response to an address. */
enum rrl_verdict rrl_judge(struct rrl *r, const struct pc_addr *to, const struct answer *a,
                           uint64_t now_ns);

#endif
