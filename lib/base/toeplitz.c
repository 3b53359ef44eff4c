/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Toeplitz: each set bit of the input, from the left, contributes (by xor) the 32 bits of the key
 * that start at its position.  It runs when a connection is opened, once per port tried, so working
 * bit by bit is fast enough, and keys of any length need no table.
 */

#include "base/toeplitz.h"

#include <assert.h>
#include <string.h>

/* Two IPv6 addresses and two ports. */
#define INPUT_MAX 36

static uint8_t key_byte(const struct pc_port_rss *rss, size_t i)
{
	/* a key that is too short for the input counts as ending in zeros */
	return i < rss->key_len ? rss->key[i] : 0;
}

static uint32_t toeplitz_bytes(const struct pc_port_rss *rss, const uint8_t *in, size_t len)
{
	uint64_t window = 0; /* the key's next 40 bits, left-aligned to bit 39 */
	uint32_t hash = 0;

	for (size_t i = 0; i < 4; i++)
		window = window << 8 | key_byte(rss, i);
	for (size_t i = 0; i < len; i++) {
		window = window << 8 | key_byte(rss, i + 4);
		for (unsigned bit = 0; bit < 8; bit++)
			if ((in[i] >> (7 - bit) & 1) != 0)
				hash ^= (uint32_t)(window >> (8 - bit));
	}
	return hash;
}

static size_t put_addr(uint8_t *out, const struct pc_addr *a, bool ip4)
{
	const size_t len = ip4 ? 4 : 16;

	memcpy(out, a->b + 16 - len, len);
	return len;
}

static size_t put_port(uint8_t *out, uint16_t port)
{
	out[0] = (uint8_t)(port >> 8);
	out[1] = (uint8_t)port;
	return 2;
}

uint32_t toeplitz_hash(const struct pc_port_rss *rss, const struct pc_endpoint *src,
                       const struct pc_endpoint *dst, bool with_ports)
{
	const bool ip4 = pc_addr_is_ip4(&src->addr) && pc_addr_is_ip4(&dst->addr);
	uint8_t in[INPUT_MAX];
	size_t len = 0;

	len += put_addr(in, &src->addr, ip4);
	len += put_addr(in + len, &dst->addr, ip4);
	if (with_ports) {
		len += put_port(in + len, src->port);
		len += put_port(in + len, dst->port);
	}
	assert(len <= sizeof(in));
	return toeplitz_bytes(rss, in, len);
}

uint16_t toeplitz_queue(const struct pc_port_rss *rss, const struct pc_endpoint *src,
                        const struct pc_endpoint *dst)
{
	if (rss->nb_queues <= 1 || rss->reta_size == 0)
		return 0;
	return rss->reta[toeplitz_hash(rss, src, dst, rss->ports) % rss->reta_size];
}
