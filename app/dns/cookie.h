/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_COOKIE_H
#define DNS_COOKIE_H

/*
 * DNS cookies (RFC 7873), as in RFC 9018.
 *
 * A client that returns a server's cookie has received a response from it, so its address is not
 * spoofed.  Nothing is stored: a cookie is a keyed hash of the client's cookie, the time and the
 * client's address.  Servers with the same secret accept each other's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COOKIE_CLIENT  8  /**< bytes of a client's cookie */
#define COOKIE_SERVER  16 /**< bytes of ours, after it */
#define COOKIE_MIN     16 /**< bytes of both, at least (RFC 7873 section 4) */
#define COOKIE_MAX     40
#define COOKIE_SECRET  16 /* PC_SIP_KEY_BYTES */
#define COOKIE_SECRETS 4

/** The client, and the time. */
struct cookie_client {
	uint8_t addr[16]; /**< in network order */
	uint8_t addr_len; /**< 4 or 16; 0: unknown, so no cookies */
	uint32_t now_s;   /**< since 1970, modulo 2^32 */
};

/** The secrets that cookies are made with. Zeroed: no cookies. */
struct cookie_secrets {
	unsigned n;
	uint8_t secret[COOKIE_SECRETS]
	              [COOKIE_SECRET]; /**< the first makes cookies, all are accepted */
};

enum cookie_state {
	COOKIE_NONE, /**< no cookie, or cookies are off */
	COOKIE_ONLY, /**< the client's alone: it has none of ours yet */
	COOKIE_BAD,  /**< the server's part is not ours, or too old */
	COOKIE_GOOD,
};

/** cookie_is_whole says whether an option of len bytes can be a cookie. */
static inline bool cookie_is_whole(size_t len)
{
	return len == COOKIE_CLIENT || (len >= COOKIE_MIN && len <= COOKIE_MAX);
}

/** cookie_judge judges an option of len bytes, for which cookie_is_whole is true, and writes the
 * server's cookie that the client is to use from now on: the one that it has, if that is still
 * young. */
enum cookie_state cookie_judge(const struct cookie_secrets *s, const struct cookie_client *client,
                               const uint8_t *option, size_t len, uint8_t server[COOKIE_SERVER]);

/** cookie_random makes one random secret. Returns 0, or -1 with a line in why. */
int cookie_random(struct cookie_secrets *s, char *why, size_t why_len);

/** cookie_read reads secrets from a file, a line of 32 hexadecimal digits each, with comments after
 * #. Returns 0, or -1 with a line in why; *s is then unchanged. */
int cookie_read(struct cookie_secrets *s, const char *path, char *why, size_t why_len);

#endif
