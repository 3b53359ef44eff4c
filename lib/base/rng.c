/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/rng.h"

void rng_init(struct rng *rng, const struct pc_sip_key *key)
{
	*rng = (struct rng){.key = *key};
}

void rng_seed(struct rng *rng, uint64_t seed)
{
	const struct pc_sip_key key = {{seed, ~seed}};

	rng_init(rng, &key);
}

uint64_t rng_next(struct rng *rng)
{
	const uint64_t n = rng->n++;

	return pc_siphash24(&rng->key, &n, sizeof(n));
}

struct pc_sip_key rng_key(struct rng *rng)
{
	struct pc_sip_key key;

	key.k[0] = rng_next(rng);
	key.k[1] = rng_next(rng);
	return key;
}
