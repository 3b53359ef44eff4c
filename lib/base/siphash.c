/* SPDX-License-Identifier: BSD-2-Clause */

/* SipHash-2-4 (Aumasson and Bernstein, 2012). */

#include <percore/siphash.h>

#include <endian.h>
#include <string.h>

static uint64_t rotl(uint64_t x, unsigned bits)
{
	return (x << bits) | (x >> (64 - bits));
}

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 = rotl(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	sip_round(s);
	s->v0 ^= word;
}

static __attribute__((always_inline)) inline uint64_t sip_hash(const struct pc_sip_key *key,
                                                               const void *data, size_t len)
{
	const unsigned char *p = data;
	struct sip s = {
	    .v0 = key->k[0] ^ UINT64_C(0x736f6d6570736575),
	    .v1 = key->k[1] ^ UINT64_C(0x646f72616e646f6d),
	    .v2 = key->k[0] ^ UINT64_C(0x6c7967656e657261),
	    .v3 = key->k[1] ^ UINT64_C(0x7465646279746573),
	};
	uint64_t word;
	size_t left = len;

	for (; left >= 8; left -= 8, p += 8) {
		memcpy(&word, p, 8);
		sip_word(&s, le64toh(word));
	}
	word = 0;
	if (left > 0)
		memcpy(&word, p, left);
	sip_word(&s, le64toh(word) | (uint64_t)len << 56);
	s.v2 ^= 0xff;
	for (unsigned i = 0; i < 4; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t pc_siphash24(const struct pc_sip_key *key, const void *data, size_t len)
{
	/* flows, of both families (tcp_secret), for each SYN: with a known length, nothing remains
	 * of the loop */
	if (len == 10)
		return sip_hash(key, data, 10);
	return len == 24 ? sip_hash(key, data, 24) : sip_hash(key, data, len);
}

struct pc_sip_key pc_sip_key_read(const uint8_t bytes[PC_SIP_KEY_BYTES])
{
	struct pc_sip_key key;

	memcpy(&key, bytes, sizeof(key));
	key.k[0] = le64toh(key.k[0]);
	key.k[1] = le64toh(key.k[1]);
	return key;
}
