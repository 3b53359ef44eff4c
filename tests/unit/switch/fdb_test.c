/* SPDX-License-Identifier: BSD-2-Clause */
/* The table alone: against a plain list of what it should hold, over a random sequence of all that can be done to it. */
#include "bed.h"

#define STATIONS 600
#define ENTRIES  256
#define EACH     80
#define AGE      (5 * BED_SECOND)

static struct model {
	int port; /* -1: not there */
	bool is_static;
	uint64_t seen;
} model[STATIONS];

static uint32_t state;

static unsigned pick(unsigned n)
{
	state = state * 1664525 + 1013904223;
	return (state >> 8) % n;
}

static bool is_there(unsigned i, uint64_t now)
{
	return model[i].port >= 0 && (model[i].is_static || now - model[i].seen < AGE);
}

static void keys_can_be_taken_apart(void)
{
	const uint8_t mac[8] = {2, 3, 4, 5, 6, 7, 8, 9};
	const uint64_t key = fdb_key(mac, 0xabc);
	uint8_t back[6];

	fdb_key_mac(key, back);
	CU_ASSERT_EQUAL(memcmp(back, mac, sizeof(back)), 0);
	CU_ASSERT_EQUAL(fdb_key_vlan(key), 0xabc);
}

static void hear(struct fdb *f, unsigned i, unsigned port, uint64_t now)
{
	const uint64_t key = bed_key(1000 + i, 7);
	int32_t slot;
	enum fdb_learnt got;

	fdb_find(f, &key, 1, &slot);
	CU_ASSERT_EQUAL(fdb_port(f, slot, now), is_there(i, now) ? model[i].port : FDB_NONE);
	got = fdb_learn(f, key, slot, (uint8_t)port, now);
	switch (got) {
	case FDB_KNOWN:
		CU_ASSERT(is_there(i, now) && model[i].port == (int)port);
		break;
	case FDB_NEW:
		CU_ASSERT(!is_there(i, now));
		break;
	case FDB_MOVED:
		CU_ASSERT(is_there(i, now) && model[i].port != (int)port && !model[i].is_static);
		break;
	case FDB_STATIC:
		CU_ASSERT(model[i].is_static && model[i].port != (int)port);
		return;
	case FDB_LIMIT: /* wherever it was, it is not there any more */
		CU_ASSERT_EQUAL(fdb_count_port(f, (uint8_t)port), EACH);
		model[i].port = -1;
		return;
	case FDB_FULL:
		CU_ASSERT(fdb_count(f) <= ENTRIES); /* those that have left take room too */
		return;
	}
	if (!model[i].is_static)
		model[i] = (struct model){.port = (int)port, .seen = now};
}

static void flush(struct fdb *f, unsigned port)
{
	const uint32_t before = fdb_count_port(f, (uint8_t)port);

	CU_ASSERT_EQUAL(fdb_flush(f, (uint8_t)port), before);
	for (unsigned i = 0; i < STATIONS; i++)
		if (model[i].port == (int)port && !model[i].is_static)
			model[i].port = -1;
}

static void it_holds_what_it_should(void)
{
	const struct fdb_config config = {
	    .entries = ENTRIES, .port_entries = EACH, .age_ns = AGE, .seed = 5, .socket_id = -1};
	struct fdb *f = fdb_create(&config);
	uint64_t now = BED_SECOND;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	state = 1;
	for (unsigned i = 0; i < STATIONS; i++)
		model[i] = (struct model){.port = -1};
	for (unsigned i = 0; i < 10; i++) {
		model[i] = (struct model){.port = (int)i % 4, .is_static = true};
		CU_ASSERT_EQUAL(fdb_add_static(f, bed_key(1000 + i, 7), (uint8_t)(i % 4)), 0);
	}
	FAILS(fdb_add_static(f, bed_key(1000, 7), 1), EEXIST);
	for (unsigned n = 0; n < 40000; n++) {
		hear(f, pick(STATIONS), pick(4), now);
		now += pick(20) * 1000000;
		fdb_age(f, now);
		if (pick(5000) == 0)
			flush(f, pick(4));
		if (n % 500 == 0)
			CU_ASSERT_TRUE_FATAL(fdb_validate(f));
	}
	now += 100 * BED_SECOND;
	fdb_age(f, now);
	CU_ASSERT_EQUAL(fdb_count(f), 10); /* the static ones */
	CU_ASSERT_TRUE(fdb_validate(f));
	fdb_destroy(f);
}

/* As many as it is made for go in, whatever their hashes. */
static void it_can_be_full(void)
{
	static const uint32_t sizes[] = {16, 100, 1000, 8192};

	for (size_t k = 0; k < ROWS(sizes); k++) {
		const struct fdb_config config = {
		    .entries = sizes[k], .port_entries = sizes[k], .socket_id = -1};
		struct fdb *f = fdb_create(&config);
		uint32_t at = 0, n = 0;
		struct fdb_station st;

		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		for (unsigned i = 0; i < sizes[k]; i++)
			CU_ASSERT_EQUAL(fdb_learn(f, bed_key(0x1000 + i, 1), -1, 2, 5), FDB_NEW);
		CU_ASSERT_EQUAL(fdb_learn(f, bed_key(1, 1), -1, 2, 5), FDB_LIMIT);
		CU_ASSERT_EQUAL(fdb_learn(f, bed_key(1, 1), -1, 3, 5), FDB_FULL);
		CU_ASSERT_EQUAL(fdb_learn(f, bed_key(0x1000, 1), -1, 2, 6), FDB_KNOWN);
		FAILS(fdb_add_static(f, bed_key(1, 1), 3), ENOSPC);
		while (fdb_next(f, &at, &st))
			n++;
		CU_ASSERT_EQUAL(n, sizes[k]);
		CU_ASSERT_TRUE(fdb_validate(f));
		fdb_destroy(f);
	}
}

/* The walk comes by every entry within its time, also if it is called often. */
static void what_is_old_goes_by_and_by(void)
{
	const struct fdb_config config = {
	    .entries = 1000, .port_entries = 1000, .age_ns = AGE, .socket_id = -1};
	struct fdb *f = fdb_create(&config);
	uint64_t now = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	for (unsigned i = 0; i < 1000; i++)
		(void)fdb_learn(f, bed_key(0x1000 + i, 1), -1, 2, now);
	for (; now < AGE; now += 1000000)
		fdb_age(f, now);
	CU_ASSERT_EQUAL(fdb_count(f), 1000);
	for (; now < AGE + BED_SECOND; now += 1000000)
		fdb_age(f, now);
	CU_ASSERT(fdb_count(f) > 500 && fdb_count(f) < 900);
	for (; now < AGE + 5 * BED_SECOND; now += 1000000)
		fdb_age(f, now);
	CU_ASSERT_EQUAL(fdb_count(f), 0);
	fdb_destroy(f);
}

/* Who was silent for too long and comes back is no more than he was, before the walk comes by and where a port is full. */
static void who_comes_back_is_learnt(void)
{
	const struct fdb_config config = {
	    .entries = 10, .port_entries = 1, .age_ns = AGE, .socket_id = -1};
	struct fdb *f = fdb_create(&config);

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_EQUAL(fdb_learn(f, bed_key(0x1000, 1), -1, 2, 0), FDB_NEW);
	CU_ASSERT_EQUAL(fdb_learn(f, bed_key(0x1001, 1), -1, 2, 0), FDB_LIMIT);
	CU_ASSERT_EQUAL(fdb_learn(f, bed_key(0x1000, 1), -1, 2, AGE), FDB_NEW);
	CU_ASSERT_EQUAL(fdb_learn(f, bed_key(0x1000, 1), -1, 2, AGE + 1), FDB_KNOWN);
	CU_ASSERT_EQUAL(fdb_count_port(f, 2), 1);
	CU_ASSERT_TRUE(fdb_validate(f));
	fdb_destroy(f);
}

/* Who has moved to a port that learns no more is sent nothing by the old one, though nothing grows old. */
static void who_moves_to_a_full_port_has_left(void)
{
	const struct fdb_config config = {.entries = 10, .port_entries = 1, .socket_id = -1};
	const uint64_t key = bed_key(0x1000, 1);
	struct fdb *f = fdb_create(&config);
	struct fdb_station st;
	uint32_t at = 0;
	int32_t slot;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_EQUAL(fdb_learn(f, key, -1, 2, 0), FDB_NEW);
	CU_ASSERT_EQUAL(fdb_learn(f, bed_key(0x1001, 1), -1, 3, 0), FDB_NEW);
	fdb_find(f, &key, 1, &slot);
	CU_ASSERT_EQUAL(fdb_learn(f, key, slot, 3, 0), FDB_LIMIT);
	CU_ASSERT_EQUAL(fdb_port(f, slot, 0), FDB_NONE);
	CU_ASSERT(fdb_next(f, &at, &st) && st.port == 3 && !fdb_next(f, &at, &st));
	CU_ASSERT_EQUAL(fdb_count(f), 1);
	CU_ASSERT_EQUAL(fdb_count_port(f, 2), 0);
	CU_ASSERT_TRUE(fdb_validate(f));
	/* it comes back, or elsewhere, and it is taken out if it does neither */
	CU_ASSERT_EQUAL(fdb_learn(f, key, slot, 2, 0), FDB_NEW);
	CU_ASSERT_EQUAL(fdb_port(f, slot, 0), 2);
	CU_ASSERT_EQUAL(fdb_learn(f, key, slot, 3, 0), FDB_LIMIT);
	CU_ASSERT_EQUAL(fdb_learn(f, key, slot, 4, 0), FDB_NEW);
	CU_ASSERT_EQUAL(fdb_port(f, slot, 0), 4);
	CU_ASSERT_EQUAL(fdb_learn(f, key, slot, 3, 0), FDB_LIMIT);
	CU_ASSERT_EQUAL(fdb_learn(f, key, slot, 3, 0), FDB_LIMIT);
	CU_ASSERT_EQUAL(fdb_count(f), 1);
	fdb_age(f, 5 * BED_SECOND);
	CU_ASSERT_EQUAL(fdb_count(f), 1);
	CU_ASSERT_EQUAL(fdb_count_port(f, 4), 0);
	CU_ASSERT_TRUE(fdb_validate(f));
	fdb_destroy(f);
}

int main(void)
{
	static const struct unit_case cases[] = {
	    {"keys can be taken apart", keys_can_be_taken_apart},
	    {"it holds what it should", it_holds_what_it_should},
	    {"it can be full", it_can_be_full},
	    {"what is old goes by and by", what_is_old_goes_by_and_by},
	    {"who comes back is learnt", who_comes_back_is_learnt},
	    {"who moves to a full port has left", who_moves_to_a_full_port_has_left},
	};

	return bed_run("switch/fdb", cases, ROWS(cases));
}
