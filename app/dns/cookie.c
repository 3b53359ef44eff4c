/* SPDX-License-Identifier: BSD-2-Clause */
#include "cookie.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <percore/siphash.h>

#include "wire.h"

/* Layout of a server's cookie: version, three reserved bytes, time, hash. */
#define VERSION  1
#define TIME_OFF 4
#define HASH_OFF 8

/* RFC 9018 section 4.3 */
#define OLD_S    3600 /* no longer accepted */
#define YOUNG_S  1800 /* returned as it is */
#define FUTURE_S 300  /* how far the clocks of two servers may differ */

/* RFC 9018 section 4.4. The part of server before its hash must be filled in. */
static void put_hash(const uint8_t secret[COOKIE_SECRET], const struct cookie_client *client,
                     const uint8_t *option, const uint8_t *server, uint8_t *hash)
{
	uint8_t text[COOKIE_CLIENT + HASH_OFF + sizeof(client->addr)];
	const struct pc_sip_key key = pc_sip_key_read(secret);
	uint64_t h;

	memcpy(text, option, COOKIE_CLIENT);
	memcpy(text + COOKIE_CLIENT, server, HASH_OFF);
	memcpy(text + COOKIE_CLIENT + HASH_OFF, client->addr, client->addr_len);
	h = pc_siphash24(&key, text, (size_t)COOKIE_CLIENT + HASH_OFF + client->addr_len);
	for (unsigned i = 0; i < 8; i++)
		hash[i] = (uint8_t)(h >> 8 * i);
}

static void make_cookie(const struct cookie_secrets *s, const struct cookie_client *client,
                        const uint8_t *option, uint8_t server[COOKIE_SERVER])
{
	memset(server, 0, TIME_OFF);
	server[0] = VERSION;
	dns_put32(server + TIME_OFF, client->now_s);
	put_hash(s->secret[0], client, option, server, server + HASH_OFF);
}

/* Says whether one secret has made the cookie, in a time that does not reveal where hashes
 * differ. */
static bool is_of(const uint8_t secret[COOKIE_SECRET], const struct cookie_client *client,
                  const uint8_t *option)
{
	const uint8_t *server = option + COOKIE_CLIENT;
	uint8_t hash[COOKIE_SERVER - HASH_OFF], differ = 0;

	put_hash(secret, client, option, server, hash);
	for (unsigned i = 0; i < sizeof(hash); i++)
		differ |= hash[i] ^ server[HASH_OFF + i];
	return differ == 0;
}

/* Says whether a server's cookie is one of ours. *age_s is its age, negative if it was made by a
 * clock that is ahead of ours. */
static bool is_ours(const struct cookie_secrets *s, const struct cookie_client *client,
                    const uint8_t *option, size_t len, int32_t *age_s, bool *first)
{
	const uint8_t *server = option + COOKIE_CLIENT;

	if (len != COOKIE_CLIENT + COOKIE_SERVER || server[0] != VERSION)
		return false;
	*age_s = (int32_t)(client->now_s - dns_get32(server + TIME_OFF)); /* RFC 1982 */
	if (*age_s > OLD_S || *age_s < -FUTURE_S)
		return false;
	for (unsigned i = 0; i < s->n; i++) {
		*first = i == 0;
		if (is_of(s->secret[i], client, option))
			return true;
	}
	return false;
}

enum cookie_state cookie_judge(const struct cookie_secrets *s, const struct cookie_client *client,
                               const uint8_t *option, size_t len, uint8_t server[COOKIE_SERVER])
{
	enum cookie_state state = COOKIE_ONLY;
	bool first = false;
	int32_t age_s = 0;

	if (s->n == 0 || client->addr_len == 0)
		return COOKIE_NONE;
	if (len > COOKIE_CLIENT)
		state = is_ours(s, client, option, len, &age_s, &first) ? COOKIE_GOOD : COOKIE_BAD;
	if (state == COOKIE_GOOD && first && age_s >= 0 && age_s <= YOUNG_S)
		memcpy(server, option + COOKIE_CLIENT, COOKIE_SERVER);
	else
		make_cookie(s, client, option, server);
	return state;
}

/* ---- secrets --------------------------------------------------------------------------------- */

int cookie_random(struct cookie_secrets *s, char *why, size_t why_len)
{
	if (getrandom(s->secret[0], COOKIE_SECRET, 0) != COOKIE_SECRET) {
		snprintf(why, why_len, "cannot get random numbers: %s", strerror(errno));
		return -1;
	}
	s->n = 1;
	return 0;
}

static int digit_of(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* Reads a line, stripped of everything around its digits. Returns whether it is a secret. */
static bool read_secret(const char *line, uint8_t secret[COOKIE_SECRET])
{
	if (strlen(line) != 2 * COOKIE_SECRET)
		return false;
	for (unsigned i = 0; i < 2 * COOKIE_SECRET; i += 2) {
		if (!isxdigit((unsigned char)line[i]) || !isxdigit((unsigned char)line[i + 1]))
			return false;
		secret[i / 2] = (uint8_t)(digit_of(line[i]) << 4 | digit_of(line[i + 1]));
	}
	return true;
}

/* Returns what is wrong with a line, or NULL. */
static const char *take_line(char *line, struct cookie_secrets *s)
{
	char *text = line + strspn(line, " \t");

	text[strcspn(text, "# \t\r\n")] = '\0';
	if (*text == '\0')
		return NULL;
	if (s->n == COOKIE_SECRETS)
		return "too many secrets (at most 4)";
	return read_secret(text, s->secret[s->n++])
	           ? NULL
	           : "a line is not a secret of 32 hexadecimal digits";
}

/* Returns what is wrong with a file, or NULL. */
static const char *read_secrets(FILE *f, struct cookie_secrets *s)
{
	const char *wrong = NULL;
	char *line = NULL;
	size_t size = 0;

	while (wrong == NULL && getline(&line, &size, f) >= 0)
		wrong = take_line(line, s);
	free(line);
	if (wrong == NULL && ferror(f))
		wrong = "read error";
	if (wrong == NULL && s->n == 0)
		wrong = "no secret in the file";
	return wrong;
}

int cookie_read(struct cookie_secrets *s, const char *path, char *why, size_t why_len)
{
	struct cookie_secrets new = {0};
	const char *wrong = NULL;
	FILE *f = fopen(path, "re");
	struct stat st;

	if (f == NULL || fstat(fileno(f), &st) != 0)
		wrong = strerror(errno);
	else if ((st.st_mode & (S_IROTH | S_IWOTH)) != 0)
		wrong = "file is accessible to everyone; run: chmod o= FILE";
	else
		wrong = read_secrets(f, &new);
	if (wrong == NULL)
		*s = new;
	else
		snprintf(why, why_len, "%s: %s", path, wrong);
	if (f != NULL)
		(void)fclose(f);
	return wrong == NULL ? 0 : -1;
}
