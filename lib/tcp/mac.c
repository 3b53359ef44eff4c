/* SPDX-License-Identifier: BSD-2-Clause */

/* The algorithms by nettle: its contexts are in memory of the caller, and nothing is allocated. */

#include "tcp/mac.h"

#include <assert.h>
#include <string.h>

#include <nettle/cmac.h>
#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <nettle/memops.h>

static_assert(sizeof(struct md5_ctx) <= sizeof(((struct mac *)0)->room) &&
                  sizeof(struct hmac_sha1_ctx) <= sizeof(((struct mac *)0)->room) &&
                  sizeof(struct hmac_sha256_ctx) <= sizeof(((struct mac *)0)->room) &&
                  sizeof(struct cmac_aes128_ctx) <= sizeof(((struct mac *)0)->room),
              "each context finds room");

bool mac_is_there(void)
{
	return true;
}

unsigned mac_size(enum mac_alg alg)
{
	static const uint8_t size[] = {[MAC_MD5] = MD5_DIGEST_SIZE,
	                               [MAC_HMAC_SHA1] = SHA1_DIGEST_SIZE,
	                               [MAC_HMAC_SHA256] = SHA256_DIGEST_SIZE,
	                               [MAC_CMAC_AES128] = CMAC128_DIGEST_SIZE};

	static_assert(SHA256_DIGEST_SIZE <= MAC_SIZE_MAX, "the largest");
	return size[alg];
}

void mac_begin(struct mac *c, enum mac_alg alg, const uint8_t *key, unsigned len)
{
	c->alg = alg;
	switch (alg) {
	case MAC_MD5:
		md5_init((void *)c->room);
		break;
	case MAC_HMAC_SHA1:
		hmac_sha1_set_key((void *)c->room, len, key);
		break;
	case MAC_HMAC_SHA256:
		hmac_sha256_set_key((void *)c->room, len, key);
		break;
	case MAC_CMAC_AES128:
		assert(len == MAC_CMAC_KEY);
		cmac_aes128_set_key((void *)c->room, key);
		break;
	}
}

void mac_update(struct mac *c, const void *p, size_t len)
{
	switch (c->alg) {
	case MAC_MD5:
		md5_update((void *)c->room, len, p);
		break;
	case MAC_HMAC_SHA1:
		hmac_sha1_update((void *)c->room, len, p);
		break;
	case MAC_HMAC_SHA256:
		hmac_sha256_update((void *)c->room, len, p);
		break;
	case MAC_CMAC_AES128:
		cmac_aes128_update((void *)c->room, len, p);
		break;
	}
}

void mac_end(struct mac *c, uint8_t *out, unsigned len)
{
	assert(len <= mac_size(c->alg));
	switch (c->alg) {
	case MAC_MD5:
		md5_digest((void *)c->room, len, out);
		break;
	case MAC_HMAC_SHA1:
		hmac_sha1_digest((void *)c->room, len, out);
		break;
	case MAC_HMAC_SHA256:
		hmac_sha256_digest((void *)c->room, len, out);
		break;
	case MAC_CMAC_AES128:
		cmac_aes128_digest((void *)c->room, len, out);
		break;
	}
	explicit_bzero(c, sizeof(*c));
}

bool mac_equal(const uint8_t *a, const uint8_t *b, unsigned len)
{
	return memeql_sec(a, b, len) != 0;
}
