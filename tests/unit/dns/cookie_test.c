/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS cookies: RFC 9018's own examples, ages, secrets. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cookie.h"
#include "unit/unit.h"

static struct cookie_secrets secrets;
static struct cookie_client client;
static uint8_t server[COOKIE_SERVER];

static size_t bytes_of(const char *hex, uint8_t *to)
{
	size_t n = 0;

	for (; hex[2 * n] != '\0'; n++)
		CU_ASSERT(sscanf(hex + 2 * n, "%2hhx", to + n) == 1);
	return n;
}

static void be(const char *addr, uint32_t now_s)
{
	client =
	    (struct cookie_client){.addr_len = strchr(addr, ':') != NULL ? 16 : 4, .now_s = now_s};
	CU_ASSERT(inet_pton(client.addr_len == 4 ? AF_INET : AF_INET6, addr, client.addr) == 1);
}

static void know(const char *first, const char *second)
{
	secrets.n = 1;
	CU_ASSERT(bytes_of(first, secrets.secret[0]) == COOKIE_SECRET);
	if (second != NULL)
		CU_ASSERT(bytes_of(second, secrets.secret[secrets.n++]) == COOKIE_SECRET);
}

static enum cookie_state judge(const char *option)
{
	uint8_t bytes[COOKIE_MAX];
	const size_t n = bytes_of(option, bytes);

	return cookie_judge(&secrets, &client, bytes, n, server);
}

static bool gives(const char *hex)
{
	uint8_t bytes[COOKIE_SERVER];

	return bytes_of(hex, bytes) == COOKIE_SERVER && memcmp(bytes, server, COOKIE_SERVER) == 0;
}

#define SECRET "e5e973e5a6b2a43f48e7dc849e37bfcf"
#define FIRST  "2464c4abcf10c957"

/* appendix A.1 and A.2 */
static void learning_and_renewing(void)
{
	know(SECRET, NULL);
	be("198.51.100.100", 1559731985);
	CU_ASSERT(judge(FIRST) == COOKIE_ONLY && gives("010000005cf79f111f8130c3eee29480"));
	be("198.51.100.100", 1559734385);
	CU_ASSERT(judge(FIRST "010000005cf79f111f8130c3eee29480") == COOKIE_GOOD);
	CU_ASSERT(gives("010000005cf7a871d4a564a1442aca77"));
}

/* appendix A.3: bytes that are reserved are part of what is hashed, whatever they are */
static void reserved_bytes(void)
{
	static const char *const had = "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5";

	know(SECRET, NULL);
	be("203.0.113.203", 1559727985);
	CU_ASSERT(judge(had) == COOKIE_GOOD);
	be("203.0.113.203", 1559734700); /* an hour and 52 minutes later */
	CU_ASSERT(judge(had) == COOKIE_BAD && gives("010000005cf7a9acf73a7810aca2381e"));
}

/* appendix A.4: IPv6, and a secret that has been rolled over */
static void rolled_over(void)
{
	static const char *const new = "445536bcd2513298075a5d379663c962",
	                         *const old = "dd3bdf9344b678b185a6f5cb60fca715",
	                         *const had = "22681ab97d52c298010000005cf7c57926556bd0934c72f8";

	know(new, old);
	be("2001:db8:220:1:59de:d0f4:8769:82b8", 1559741961);
	CU_ASSERT(judge(had) == COOKIE_GOOD && gives("010000005cf7c609a6bb79d16625507a"));
	know(new, NULL);
	CU_ASSERT(judge(had) == COOKIE_BAD && gives("010000005cf7c609a6bb79d16625507a"));
	/* a secret that is to come is taken, too */
	know(old, new);
	CU_ASSERT(judge(had) == COOKIE_GOOD && gives("010000005cf7c57926556bd0934c72f8"));
}

/* section 4.3: an hour, of which the first half leaves it as it is, and five minutes of clocks that differ */
static void ages(void)
{
	static const char *const had = FIRST "010000005cf79f111f8130c3eee29480";
	static const uint32_t at = 1559731985;
	static const struct {
		int32_t later;
		enum cookie_state state;
		bool same;
	} when[] = {
	    {0, COOKIE_GOOD, true},     {1800, COOKIE_GOOD, true}, {1801, COOKIE_GOOD, false},
	    {3600, COOKIE_GOOD, false}, {3601, COOKIE_BAD, false}, {-1, COOKIE_GOOD, false},
	    {-300, COOKIE_GOOD, false}, {-301, COOKIE_BAD, false}, {INT32_MAX, COOKIE_BAD, false}};

	know(SECRET, NULL);
	for (size_t i = 0; i < sizeof(when) / sizeof(when[0]); i++) {
		be("198.51.100.100", at + (uint32_t)when[i].later);
		CU_ASSERT(judge(had) == when[i].state);
		CU_ASSERT(gives("010000005cf79f111f8130c3eee29480") == when[i].same);
	}
}

static void others(void)
{
	char had[] = FIRST "010000005cf79f111f8130c3eee29480";

	know(SECRET, NULL);
	be("198.51.100.101", 1559731985); /* somebody else's */
	CU_ASSERT(judge(had) == COOKIE_BAD);
	be("198.51.100.100", 1559731985);
	CU_ASSERT(judge("2464c4abcf10c956010000005cf79f111f8130c3eee29480") == COOKIE_BAD);
	CU_ASSERT(judge(FIRST "020000005cf79f111f8130c3eee29480") == COOKIE_BAD);
	CU_ASSERT(judge(FIRST "010000005cf79f111f8130c3eee2948000") == COOKIE_BAD);
	CU_ASSERT(judge(FIRST "0100000000000000") == COOKIE_BAD);
	for (size_t i = strlen(had) - 16; had[i] != '\0'; i++) { /* each digit of the hash counts */
		const char was = had[i];

		had[i] = was == '7' ? '8' : '7';
		CU_ASSERT(judge(had) == COOKIE_BAD);
		had[i] = was;
	}
	CU_ASSERT(judge(had) == COOKIE_GOOD);
	client.addr_len = 0;
	CU_ASSERT(judge(had) == COOKIE_NONE);
	be("198.51.100.100", 1559731985);
	secrets.n = 0;
	CU_ASSERT(judge(had) == COOKIE_NONE);
}

/* RFC 7873 section 4 */
static void lengths(void)
{
	for (size_t n = 0; n < 64; n++)
		CU_ASSERT(cookie_is_whole(n) == (n == 8 || (n >= 16 && n <= 40)));
}

/* ---- secrets ------------------------------------------------------------------------------------ */

static char path[] = "/tmp/percore-cookie-XXXXXX", why[256];

static int read_text(const char *text)
{
	FILE *f = fopen(path, "w");

	CU_ASSERT_FATAL(f != NULL);
	fputs(text, f);
	fclose(f);
	return cookie_read(&secrets, path, why, sizeof(why));
}

static void files(void)
{
	const int fd = mkstemp(path);
	uint8_t first[COOKIE_SECRET];

	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
	CU_ASSERT(read_text("# ours\n\n  " SECRET "  # since June\r\n"
	                    "DD3BDF9344B678B185A6F5CB60FCA715") == 0);
	CU_ASSERT(secrets.n == 2 && bytes_of(SECRET, first) == COOKIE_SECRET);
	CU_ASSERT(memcmp(secrets.secret[0], first, COOKIE_SECRET) == 0);
	CU_ASSERT(secrets.secret[1][0] == 0xdd && secrets.secret[1][15] == 0x15);
	/* a line may be long */
	CU_ASSERT(
	    read_text(
	        "# the other servers of this name have the same secret, and it is changed "
	        "on all of them within the hour, of which README.txt beside it says more\n" SECRET
	        "\n") == 0 &&
	    secrets.n == 1);
	/* what cannot be read changes nothing */
	CU_ASSERT(read_text("\n# nothing\n") != 0 && strstr(why, "no secret in the file") != NULL);
	CU_ASSERT(read_text(SECRET "\ne5e9\n") != 0 && strstr(why, "32 hexadecimal") != NULL);
	CU_ASSERT(read_text("e5e973e5a6b2a43f48e7dc849e37bfcg\n") != 0);
	CU_ASSERT(read_text(SECRET "0\n") != 0 && read_text(SECRET SECRET "\n") != 0);
	CU_ASSERT(read_text(SECRET "\n" SECRET "\n" SECRET "\n" SECRET "\n") == 0 &&
	          secrets.n == 4);
	CU_ASSERT(read_text(SECRET "\n" SECRET "\n" SECRET "\n" SECRET "\n" SECRET) != 0);
	CU_ASSERT(secrets.n == 4);
	CU_ASSERT(chmod(path, 0644) == 0 && read_text(SECRET) != 0);
	CU_ASSERT(strstr(why, "accessible to everyone") != NULL && secrets.n == 4);
	CU_ASSERT(chmod(path, 0602) == 0 && read_text(SECRET) != 0);
	CU_ASSERT(strstr(why, "accessible to everyone") != NULL && secrets.n == 4);
	unlink(path);
	CU_ASSERT(cookie_read(&secrets, path, why, sizeof(why)) != 0);
	CU_ASSERT(strstr(why, "No such file") != NULL);
	CU_ASSERT(cookie_random(&secrets, why, sizeof(why)) == 0 && secrets.n == 1);
	CU_ASSERT(memcmp(secrets.secret[0], first, COOKIE_SECRET) != 0);
}

static const struct unit_case cases[] = {
    {"learning and renewing", learning_and_renewing},
    {"reserved bytes", reserved_bytes},
    {"rolled over", rolled_over},
    {"ages", ages},
    {"others", others},
    {"lengths", lengths},
    {"files", files},
};

UNIT_MAIN("dns cookies", cases)
