/* SPDX-License-Identifier: BSD-2-Clause */
#include "sign.h"

#include <string.h>

#include <nettle/aes.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

#include "frame6.h"
#include "wt_ip6.h"

/*
 * TCP-AO (RFC 5925, RFC 5926), deliberately independent of lib/tcp: HMAC (RFC 2104) and CMAC (RFC
 * 4493) are built from the plain hash and cipher, over one buffer with all signed data.
 *
 * The offsets are those of Ethernet without VLAN and IPv4 without options.
 */

#define IP  14
#define TCP 34
#define AO  (TCP + 20)

struct bytes {
	size_t n;
	uint8_t b[FRAME_MAX + 128];
};

static void add(struct bytes *x, const void *p, size_t n)
{
	memcpy(x->b + x->n, p, n);
	x->n += n;
}

static void add_number(struct bytes *x, uint32_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x->b[x->n++] = (uint8_t)(value >> 8 * (n - 1 - i));
}

/* ---- HMAC and CMAC --------------------------------------------------------------------------- */

static size_t hash(enum wt_ao_alg alg, const struct bytes *x, uint8_t out[32])
{
	struct sha256_ctx two;
	struct sha1_ctx one;

	if (alg == WT_AO_SHA1) {
		sha1_init(&one);
		sha1_update(&one, x->n, x->b);
		sha1_digest(&one, 20, out);
		return 20;
	}
	sha256_init(&two);
	sha256_update(&two, x->n, x->b);
	sha256_digest(&two, 32, out);
	return 32;
}

static size_t hmac(enum wt_ao_alg alg, const uint8_t *key, size_t len, const struct bytes *text,
                   uint8_t out[32])
{
	struct bytes x = {0};
	uint8_t pad[64] = {0};
	size_t size;

	if (len > sizeof(pad)) {
		add(&x, key, len);
		hash(alg, &x, pad);
	} else {
		memcpy(pad, key, len);
	}
	x.n = 0;
	for (int i = 0; i < 64; i++)
		add_number(&x, pad[i] ^ 0x36u, 1);
	add(&x, text->b, text->n);
	size = hash(alg, &x, out);
	x.n = 0;
	for (int i = 0; i < 64; i++)
		add_number(&x, pad[i] ^ 0x5cu, 1);
	add(&x, out, size);
	return hash(alg, &x, out);
}

/* RFC 4493 section 2.3: one step of the subkeys */
static void twice(uint8_t k[16])
{
	const uint8_t carry = k[0] >> 7;

	for (int i = 0; i < 15; i++)
		k[i] = (uint8_t)(k[i] << 1 | k[i + 1] >> 7);
	k[15] = (uint8_t)(k[15] << 1 ^ (carry ? 0x87 : 0));
}

static size_t cmac(const uint8_t key[16], const struct bytes *text, uint8_t out[32])
{
	uint8_t k[16] = {0}, last[16] = {0}, x[16] = {0};
	const size_t blocks = text->n == 0 ? 1 : (text->n + 15) / 16;
	const size_t rest = text->n - 16 * (blocks - 1);
	struct aes128_ctx aes;

	aes128_set_encrypt_key(&aes, key);
	aes128_encrypt(&aes, 16, k, k);
	twice(k);
	memcpy(last, text->b + 16 * (blocks - 1), rest);
	if (rest < 16) {
		last[rest] = 0x80;
		twice(k);
	}
	for (size_t i = 0; i < blocks; i++) {
		for (int j = 0; j < 16; j++)
			x[j] ^= i + 1 < blocks ? text->b[16 * i + (size_t)j] : last[j] ^ k[j];
		aes128_encrypt(&aes, 16, x, x);
	}
	memcpy(out, x, 16);
	return 16;
}

static size_t mac(enum wt_ao_alg alg, const uint8_t *key, size_t len, const struct bytes *text,
                  uint8_t out[32])
{
	return alg == WT_AO_CMAC ? cmac(key, text, out) : hmac(alg, key, len, text, out);
}

/* ---- signed data ----------------------------------------------------------------------------- */

static void add_ends(struct bytes *x, const struct frame *f)
{
	uint32_t ends[2];

	memcpy(ends, f->b + IP + 12, 8);
	for (int i = 0; i < 2; i++) {
		const struct pc_addr a = addr6_of4(ends[i]);

		if (wt_ip6)
			add(x, a.b, 16);
		else
			add(x, &ends[i], 4);
	}
}

/* RFC 5926 section 3.1.1 */
static size_t traffic_key(const struct frame *f, const struct wt_ao *ao, uint32_t isn,
                          uint32_t peer_isn, uint8_t out[32])
{
	static const uint8_t zero[16];
	struct bytes x = {0}, master = {0};
	uint8_t short_key[32];

	add(&master, ao->key, ao->len != 0 ? ao->len : strlen(ao->key));
	if (ao->alg == WT_AO_CMAC && master.n != 16) {
		cmac(zero, &master, short_key);
		master.n = 0;
		add(&master, short_key, 16);
	}
	add_number(&x, 1, 1);
	add(&x, "TCP-AO", 6);
	add_ends(&x, f);
	add(&x, f->b + TCP, 4);
	add_number(&x, isn, 4);
	add_number(&x, peer_isn, 4);
	add_number(&x, ao->alg == WT_AO_SHA1 ? 160 : ao->alg == WT_AO_CMAC ? 128 : 256, 2);
	return mac(ao->alg, master.b, master.n, &x, out);
}

static uint8_t mac_len(const struct wt_ao *ao)
{
	return ao->mac_len != 0 ? ao->mac_len : 12;
}

/* RFC 5925 section 5.1 */
static void digest_of(const struct frame *f, const struct wt_ao *ao, uint32_t isn,
                      uint32_t peer_isn, uint32_t sne, uint8_t out[32])
{
	const size_t len = f->len - (size_t)TCP, hdr = (size_t)(f->b[TCP + 12] >> 4) * 4;
	const bool is_syn = (f->b[TCP + 13] & 0x12) == 0x02;
	uint8_t header[60], key[32];
	struct bytes x = {0};
	size_t key_len;

	memcpy(header, f->b + TCP, hdr);
	memset(header + 16, 0, 2);
	memset(header + 24, 0, mac_len(ao));
	key_len = traffic_key(f, ao, isn, is_syn ? 0 : peer_isn, key);
	add_number(&x, sne, 4);
	add_ends(&x, f);
	if (wt_ip6) {
		add_number(&x, (uint32_t)len, 4);
		add_number(&x, 6, 4);
	} else {
		add_number(&x, 6, 2);
		add_number(&x, (uint32_t)len, 2);
	}
	add(&x, header, ao->omit ? 24u + mac_len(ao) : hdr);
	add(&x, f->b + TCP + hdr, len - hdr);
	mac(ao->alg, key, key_len, &x, out);
}

struct tcp_auth wt_ao_option(const struct wt_ao *ao)
{
	return (struct tcp_auth){
	    .kind = TCP_AUTH_AO, .len = mac_len(ao), .keyid = ao->id, .rnext = ao->rnext};
}

void wt_sign_ao(struct frame *f, const struct wt_ao *ao, uint32_t isn, uint32_t peer_isn,
                uint32_t sne)
{
	uint8_t digest[32];

	digest_of(f, ao, isn, peer_isn, sne, digest);
	memcpy(f->b + AO + 4, digest, mac_len(ao));
	wt_sum(f);
}

bool wt_is_signed_ao(const struct frame *f, const struct wt_ao *ao, uint32_t isn, uint32_t peer_isn,
                     uint32_t sne)
{
	const uint8_t option[4] = {29, (uint8_t)(4 + mac_len(ao)), ao->id, ao->rnext};
	uint8_t digest[32];

	if (f->len < AO + 4 + mac_len(ao) || memcmp(f->b + AO, option, 4) != 0)
		return false;
	digest_of(f, ao, isn, peer_isn, sne, digest);
	return memcmp(f->b + AO + 4, digest, mac_len(ao)) == 0;
}
