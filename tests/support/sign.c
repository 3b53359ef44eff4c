/* SPDX-License-Identifier: BSD-2-Clause */
#include "sign.h"

#include <string.h>

#include <nettle/md5.h>

#include "frame6.h"
#include "wt_ip6.h"

/* Overview: the offsets are those of Ethernet without VLAN and IPv4 without options. */

#define IP  14
#define TCP 34
#define MD5 (TCP + 24)

/* RFC 2385 section 2.0, item by item */
static void digest_of(const struct frame *f, const char *password, uint8_t digest[16])
{
	const size_t len = f->len - (size_t)TCP, hdr = (size_t)(f->b[TCP + 12] >> 4) * 4;
	uint8_t pseudo[40] = {0};
	size_t n = 12;
	struct md5_ctx c;
	uint32_t ends[2];

	memcpy(ends, f->b + IP + 12, 8);
	if (wt_ip6) {
		const struct pc_addr src = addr6_of4(ends[0]), dst = addr6_of4(ends[1]);

		memcpy(pseudo, src.b, 16);
		memcpy(pseudo + 16, dst.b, 16);
		n = 40;
		pseudo[39] = 6;
		pseudo[34] = (uint8_t)(len >> 8);
		pseudo[35] = (uint8_t)len;
	} else {
		memcpy(pseudo, ends, 8);
		pseudo[9] = 6;
		pseudo[10] = (uint8_t)(len >> 8);
		pseudo[11] = (uint8_t)len;
	}
	md5_init(&c);
	md5_update(&c, n, pseudo);
	md5_update(&c, 16, f->b + TCP);
	md5_update(&c, 4, (const uint8_t[4]){0, 0, f->b[TCP + 18], f->b[TCP + 19]});
	md5_update(&c, len - hdr, f->b + TCP + hdr);
	md5_update(&c, strlen(password), (const uint8_t *)password);
	md5_digest(&c, 16, digest);
}

void wt_sum(struct frame *f)
{
	const uint16_t len = (uint16_t)(f->len - TCP);
	uint32_t ends[2], sum;
	uint16_t check;

	memcpy(ends, f->b + IP + 12, 8);
	memset(f->b + TCP + 16, 0, 2);
	sum = frame_sum(f->b + TCP, len, frame_l4_sum(ends[0], ends[1], 6, len));
	check = frame_fold(sum);
	f->b[TCP + 16] = (uint8_t)(check >> 8);
	f->b[TCP + 17] = (uint8_t)check;
}

void wt_sign(struct frame *f, const char *password)
{
	digest_of(f, password, f->b + MD5);
	wt_sum(f);
}

bool wt_is_signed(const struct frame *f, const char *password)
{
	static const uint8_t option[4] = {1, 1, 19, 18};
	uint8_t digest[16];

	if (f->len < MD5 + 16 || memcmp(f->b + MD5 - 4, option, 4) != 0)
		return false;
	digest_of(f, password, digest);
	return memcmp(f->b + MD5, digest, 16) == 0;
}
