/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SWITCH_FDB_H
#define SWITCH_FDB_H

/*
 * The filtering database (IEEE 802.1Q section 8.8): which station, a MAC address in a VLAN, is
 * behind which port.
 *
 * It is bounded: a maximum number of stations in total, and behind each port. When it is full, it
 * learns nothing new and forgets nothing old, so that no station can displace the entries of
 * others; but a station that is heard behind a full port is no longer where it was, and is
 * forgotten there. Time is always an argument. One lcore.
 */

#include <stdbool.h>
#include <stdint.h>

#define FDB_BURST 64 /* keys of one fdb_find */
#define FDB_NONE  (-1)

struct fdb;

struct fdb_config {
	uint32_t entries;
	uint32_t port_entries; /* learnt stations behind one port; static ones do not count */
	uint64_t age_ns;       /* 0: entries do not age */
	uint32_t seed;         /* secret of the hash */
	int socket_id;         /* NUMA node; -1: any */
};

/** What fdb_learn has done with a station. */
enum fdb_learnt { FDB_KNOWN, FDB_NEW, FDB_MOVED, FDB_LIMIT, FDB_FULL, FDB_STATIC };

/** An entry, for display. */
struct fdb_station {
	uint64_t key;
	uint64_t seen_ns;
	uint8_t port;
	bool is_static;
};

/** fdb_key returns the key of the station whose MAC address is at the front of 8 readable bytes. */
static inline uint64_t fdb_key(const void *mac, uint16_t vlan)
{
	uint64_t word;

	__builtin_memcpy(&word, mac, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (word & UINT64_C(0xffffffffffff)) | (uint64_t)vlan << 48;
#else
	return word >> 16 | (uint64_t)vlan << 48;
#endif
}

/** fdb_key_mac and fdb_key_vlan return the parts of a key. */
void fdb_key_mac(uint64_t key, uint8_t mac[6]);

static inline uint16_t fdb_key_vlan(uint64_t key)
{
	return (uint16_t)(key >> 48);
}

/** fdb_create makes a table. Returns NULL with errno on failure. */
struct fdb *fdb_create(const struct fdb_config *config);

/** fdb_destroy frees it; NULL is allowed. */
void fdb_destroy(struct fdb *f);

/*
 * fdb_find looks up n keys, at most FDB_BURST: slot[i] is for fdb_port and fdb_learn, and valid
 * until fdb_age or fdb_flush is called; negative: not found.
 */
void fdb_find(const struct fdb *f, const uint64_t *keys, unsigned n, int32_t *slot);

/**
 * fdb_port returns the port of a station by its slot, or FDB_NONE if it was not found or is too
 * old.
 */
int fdb_port(const struct fdb *f, int32_t slot, uint64_t now_ns);

/*
 * fdb_learn notes that a station was heard behind a port; slot is what fdb_find returned for it.
 */
enum fdb_learnt fdb_learn(struct fdb *f, uint64_t key, int32_t slot, uint8_t port, uint64_t now_ns);

/**
 * fdb_add_static adds a station that does not move or age. Returns 0, or -1 with errno ENOSPC or
 * EEXIST.
 */
int fdb_add_static(struct fdb *f, uint64_t key, uint8_t port);

/** fdb_age removes old entries, a few in each call; call it in every turn. */
void fdb_age(struct fdb *f, uint64_t now_ns);

/** fdb_flush removes the stations learnt behind a port. Returns how many. */
uint32_t fdb_flush(struct fdb *f, uint8_t port);

/*
 * fdb_count returns how many stations there are, as fdb_next tells them; fdb_count_port returns how
 * many have been learnt behind a port.
 */
uint32_t fdb_count(const struct fdb *f);
uint32_t fdb_count_port(const struct fdb *f, uint8_t port);

/*
 * fdb_next writes the first station in a slot from *at on, and moves *at past it. Returns false if
 * there are no more.
 */
bool fdb_next(const struct fdb *f, uint32_t *at, struct fdb_station *s);

/** fdb_validate says whether all counts match the entries; for tests. */
bool fdb_validate(const struct fdb *f);

#endif
