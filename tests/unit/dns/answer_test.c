/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers to questions, byte for byte as text. */
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "text.h"
#include "unit/unit.h"
#include "zonefile.h"

static const char parent[] =
    "$TTL 3600\n"
    "@ SOA ns1 hostmaster 5 7200 3600 1209600 300\n"
    "@ NS ns1\n"
    "@ NS ns2\n"
    "@ MX 10 mail\n"
    "@ MX 20 mail\n"
    "@ 60 TXT \"text\"\n"
    "ns1 A 192.0.2.1\n"
    "ns1 AAAA 2001:db8::1\n"
    "ns2 A 192.0.2.2\n"
    "mail A 192.0.2.3\n"
    "MiXed A 192.0.2.9\n"
    "www CNAME Web.example.\n"
    "web A 192.0.2.4\n"
    "web A 192.0.2.5\n"
    "web A 192.0.2.4\n" /* twice: once */
    "loop1 CNAME loop2\n"
    "loop2 CNAME loop1\n"
    "gone CNAME nowhere\n"
    "away CNAME www.elsewhere.test.\n"
    "down CNAME host.sub\n"
    "over CNAME host.child\n"
    "sub NS ns.sub\n"
    "sub NS ns1\n"
    "sub NS ns.other.test.\n"
    "sub DS 1 13 2 0102030405060708091011121314151617181920212223242526272829303132\n"
    "ns.sub A 192.0.2.10\n"
    "bare NS ns.bare\n"
    "ns.bare A 192.0.2.11\n"
    "*.wild A 192.0.2.20\n"
    "*.wild MX 10 mail\n"
    "is.wild TXT \"here\"\n"
    "*.alias CNAME web\n"
    "a.b.c A 192.0.2.30\n"
    "_sip._tcp SRV 0 5 5060 mail\n"
    "old DNAME new\n"
    "old TXT \"old\"\n"
    "x.new A 192.0.2.40\n"
    "up DNAME example.\n"
    "ring1 DNAME ring2\n"
    "ring2 DNAME ring1\n"
    "long DNAME aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.new\n"
    "*.cut NS ns1\n"
    "hidden MX 10 ns.sub\n"
    "guest MX 10 q.wild\n"
    "guest MX 20 q.old\n"
    "guest MX 30 q.is.wild\n"
    "unk TYPE65280 \\# 4 01020304\n"
    "child NS ns.child\n"
    "child DS 2 13 2 0102030405060708091011121314151617181920212223242526272829303132\n"
    "ns.child A 192.0.2.12\n";

static const char child[] = "$TTL 60\n"
                            "@ SOA ns hostmaster 7 7200 3600 1209600 3600\n"
                            "@ NS ns\n"
                            "ns A 192.0.2.12\n"
                            "host A 192.0.2.50\n";

static const char reverse[] = "$TTL 60\n"
                              "@ SOA ns1.example. hostmaster.example. 1 7200 3600 1209600 3600\n"
                              "@ NS ns1.example.\n"
                              "4 PTR web.example.\n";

/* a zone whose servers are in what it delegates */
static const char top[] = "$TTL 60\n"
                          "@ SOA ns.nic hostmaster 1 7200 3600 1209600 60\n"
                          "@ NS ns.nic\n"
                          "@ NS ns.moved\n"
                          "@ MX 10 ns.nic\n"
                          "nic NS ns.nic\n"
                          "ns.nic A 192.0.2.60\n"
                          "moved DNAME nic\n"
                          "ns.moved A 192.0.2.61\n"
                          "*.pool A 192.0.2.62\n"
                          "far NS ns.pool\n"
                          "far NS ns.moved\n";

#define SOA_TEXT "300 SOA ns1.example. hostmaster.example. 5 7200 3600 1209600 300\n"

static struct zones *zones;
static struct answer_config config = {.udp_max = 1232};
static struct counts counts;
static struct cookie_client client;
static struct answer answer;
static char text[TEXT_MAX];

static struct zone *parse(const char *name, const char *from)
{
	char why[ZONEFILE_WHY];
	struct zone *z = zonefile_parse(name, from, strlen(from), why);

	if (z == NULL)
		printf("%s\n", why);
	CU_ASSERT_FATAL(z != NULL);
	return z;
}

static void make_zones(void)
{
	struct zone *z[] = {parse("example", parent), parse("child.example.", child),
	                    parse("2.0.192.in-addr.arpa", reverse), parse("top", top)};

	zones = zones_make(z, 4);
	CU_ASSERT_FATAL(zones != NULL);
	for (int i = 0; i < 4; i++)
		zone_release(z[i]);
}

static const char *ask(const struct ask *a)
{
	static uint8_t out[ANSWER_MAX];
	uint8_t message[512];
	const size_t n = ask_write(a, message);
	struct answer_from from = {.tcp = a->tcp, .client = client};
	size_t len;

	answer = (struct answer){.out = out};
	len = answer_make(&config, zones, &from, message, n, &answer, &counts);
	if (len == 0)
		return "nothing\n";
	CU_ASSERT(out[0] == 0x12 && out[1] == 0x34);
	return text_of(out, len, text);
}

static void expect_at(int line, const struct ask *a, const char *expected)
{
	const char *got = ask(a);

	if (strcmp(got, expected) != 0)
		printf("line %d: got\n%sexpected\n%s", line, got, expected);
	CU_ASSERT(strcmp(got, expected) == 0);
}

#define EXPECT(expected, ...) expect_at(__LINE__, &(struct ask){__VA_ARGS__}, expected)

/* RFC 1035 section 3.4.1, 4.1.1: AA, RD copied, RA never */
static void addresses(void)
{
	EXPECT("NOERROR aa rd\nqd web.example. A\nan web.example. 3600 A 192.0.2.4\n"
	       "an web.example. 3600 A 192.0.2.5\n",
	       "web.example.", 1, .flags = 0x100);
	EXPECT("NOERROR aa\nqd ns1.example. AAAA\nan ns1.example. 3600 AAAA 2001:db8::1\n",
	       "ns1.example", 28);
	/* RFC 4035 section 3.1.6: AD and CD are not for an authoritative answer */
	EXPECT("NOERROR aa\nqd ns2.example. A\nan ns2.example. 3600 A 192.0.2.2\n", "ns2.example",
	       1, .flags = 0x30);
}

/* RFC 4343: names are the same in any case, and are told as they were asked */
static void letters(void)
{
	EXPECT("NOERROR aa\nqd wEB.exAMPLE. A\nan wEB.exAMPLE. 3600 A 192.0.2.4\n"
	       "an wEB.exAMPLE. 3600 A 192.0.2.5\n",
	       "wEB.exAMPLE", 1);
	EXPECT("NOERROR aa\nqd mixed.example. A\nan mixed.example. 3600 A 192.0.2.9\n",
	       "mixed.example", 1);
	/* what the zone file writes in data keeps its letters, as far as it is no pointer */
	EXPECT("NOERROR aa\nqd www.example. CNAME\nan www.example. 3600 CNAME Web.example.\n",
	       "www.example", 5);
}

/* RFC 1035 section 3.3: other types; addresses of what they name come along */
static void types(void)
{
	EXPECT("NOERROR aa\nqd example. MX\nan example. 3600 MX 10 mail.example.\n"
	       "an example. 3600 MX 20 mail.example.\nar mail.example. 3600 A 192.0.2.3\n",
	       "example", 15);
	EXPECT("NOERROR aa\nqd example. TXT\nan example. 60 TXT 0474657874\n", "example", 16);
	EXPECT("NOERROR aa\nqd example. NS\nan example. 3600 NS ns1.example.\n"
	       "an example. 3600 NS ns2.example.\nar ns1.example. 3600 A 192.0.2.1\n"
	       "ar ns1.example. 3600 AAAA 2001:db8::1\nar ns2.example. 3600 A 192.0.2.2\n",
	       "example", 2);
	EXPECT("NOERROR aa\nqd example. SOA\nan example. 3600 SOA ns1.example. hostmaster.example. "
	       "5 7200 3600 "
	       "1209600 300\n",
	       "example", 6);
	EXPECT("NOERROR aa\nqd 4.2.0.192.in-addr.arpa. PTR\nan 4.2.0.192.in-addr.arpa. 60 PTR "
	       "web.example.\n",
	       "4.2.0.192.in-addr.arpa", 12);
	EXPECT("NOERROR aa\nqd _sip._tcp.example. SRV\nan _sip._tcp.example. 3600 SRV 0 5 5060 "
	       "mail.example.\n"
	       "ar mail.example. 3600 A 192.0.2.3\n",
	       "_sip._tcp.example", 33);
	/* what is below a delegation is not told as if it were ours */
	EXPECT("NOERROR aa\nqd hidden.example. MX\nan hidden.example. 3600 MX 10 ns.sub.example.\n",
	       "hidden.example", 15);
	/* but servers of the zone are found by their glue (RFC 9609 section 4.1); a DNAME hides it */
	EXPECT("NOERROR aa\nqd top. NS\nan top. 60 NS ns.nic.top.\nan top. 60 NS ns.moved.top.\n"
	       "ar ns.nic.top. 60 A 192.0.2.60\n",
	       "top", 2);
	EXPECT("NOERROR aa\nqd top. MX\nan top. 60 MX 10 ns.nic.top.\n", "top", 15);
	/* RFC 1034 section 4.3.2 step 6: by a wildcard, too */
	EXPECT("NOERROR aa\nqd guest.example. MX\nan guest.example. 3600 MX 10 q.wild.example.\n"
	       "an guest.example. 3600 MX 20 q.old.example.\n"
	       "an guest.example. 3600 MX 30 q.is.wild.example.\n"
	       "ar q.wild.example. 3600 A 192.0.2.20\n",
	       "guest.example", 15);
	/* RFC 3597 section 3 */
	EXPECT("NOERROR aa\nqd unk.example. TYPE65280\nan unk.example. 3600 TYPE65280 01020304\n",
	       "unk.example", 65280);
}

/* RFC 2308 section 2 and 3: the SOA, with the lesser of its TTL and its minimum */
static void negative(void)
{
	EXPECT("NXDOMAIN aa\nqd no.example. A\nns example. " SOA_TEXT, "no.example", 1);
	EXPECT("NXDOMAIN aa\nqd x.y.z.example. A\nns example. " SOA_TEXT, "x.y.z.example", 1);
	EXPECT("NOERROR aa\nqd web.example. AAAA\nns example. " SOA_TEXT, "web.example", 28);
	EXPECT("NXDOMAIN aa\nqd no.child.example. A\n"
	       "ns child.example. 60 SOA ns.child.example. hostmaster.child.example. 7 7200 3600 "
	       "1209600 3600\n",
	       "no.child.example", 1);
	/* RFC 8020, RFC 4592 section 2.2.2: what has something below it exists */
	EXPECT("NOERROR aa\nqd b.c.example. A\nns example. " SOA_TEXT, "b.c.example", 1);
	EXPECT("NOERROR aa\nqd _tcp.example. ANY\nns example. " SOA_TEXT, "_tcp.example", 255);
}

/* RFC 1034 section 3.6.2, RFC 6604 */
static void aliases(void)
{
	EXPECT("NOERROR aa\nqd www.example. A\nan www.example. 3600 CNAME Web.example.\n"
	       "an Web.example. 3600 A 192.0.2.4\nan Web.example. 3600 A 192.0.2.5\n",
	       "www.example", 1);
	EXPECT("NOERROR aa\nqd www.example. AAAA\nan www.example. 3600 CNAME Web.example.\nns "
	       "example. " SOA_TEXT,
	       "www.example", 28);
	EXPECT("NXDOMAIN aa\nqd gone.example. A\nan gone.example. 3600 CNAME nowhere.example.\nns "
	       "example. " SOA_TEXT,
	       "gone.example", 1);
	EXPECT("NOERROR aa\nqd away.example. A\nan away.example. 3600 CNAME www.elsewhere.test.\n",
	       "away.example", 1);
	EXPECT("NOERROR aa\nqd loop1.example. A\nan loop1.example. 3600 CNAME loop2.example.\n"
	       "an loop2.example. 3600 CNAME loop1.example.\n",
	       "loop1.example", 1);
	/* into another zone of ours, and to the servers of one that is not */
	EXPECT("NOERROR aa\nqd over.example. A\nan over.example. 3600 CNAME host.child.example.\n"
	       "an host.child.example. 60 A 192.0.2.50\n",
	       "over.example", 1);
	EXPECT("NOERROR aa\nqd down.example. A\nan down.example. 3600 CNAME host.sub.example.\n"
	       "ns sub.example. 3600 NS ns.sub.example.\nns sub.example. 3600 NS ns1.example.\n"
	       "ns sub.example. 3600 NS ns.other.test.\nar ns.sub.example. 3600 A 192.0.2.10\n"
	       "ar ns1.example. 3600 A 192.0.2.1\nar ns1.example. 3600 AAAA 2001:db8::1\n",
	       "down.example", 1);
}

#define SUB_REFERRAL                                                                      \
	"ns sub.example. 3600 NS ns.sub.example.\nns sub.example. 3600 NS ns1.example.\n" \
	"ns sub.example. 3600 NS ns.other.test.\nar ns.sub.example. 3600 A 192.0.2.10\n"  \
	"ar ns1.example. 3600 A 192.0.2.1\nar ns1.example. 3600 AAAA 2001:db8::1\n"

/* RFC 1034 section 4.3.2 step 3b: no AA, the servers, and their glue */
static void referrals(void)
{
	EXPECT("NOERROR\nqd sub.example. A\n" SUB_REFERRAL, "sub.example", 1);
	EXPECT("NOERROR\nqd a.b.sub.example. A\n" SUB_REFERRAL, "a.b.sub.example", 1);
	EXPECT("NOERROR\nqd sub.example. NS\n" SUB_REFERRAL, "sub.example", 2);
	EXPECT("NOERROR\nqd sub.example. ANY\n" SUB_REFERRAL, "sub.example", 255);
	/* the address of a wildcard, and one that a DNAME hides */
	EXPECT("NOERROR\nqd x.far.top. A\nns far.top. 60 NS ns.pool.top.\n"
	       "ns far.top. 60 NS ns.moved.top.\nar ns.pool.top. 60 A 192.0.2.62\n",
	       "x.far.top", 1);
	/* glue is not for us to answer */
	EXPECT("NOERROR\nqd ns.sub.example. A\n" SUB_REFERRAL, "ns.sub.example", 1);
	EXPECT("NOERROR\nqd x.sub.example. DS\n" SUB_REFERRAL, "x.sub.example", 43);
}

/* RFC 4035 section 3.1.4.1: of a delegation's DS the zone above knows, also if the one below is here, too */
static void signers(void)
{
	EXPECT("NOERROR aa\nqd sub.example. DS\n"
	       "an sub.example. 3600 DS "
	       "00010d020102030405060708091011121314151617181920212223242526272829303132\n",
	       "sub.example", 43);
	EXPECT("NOERROR aa\nqd bare.example. DS\nns example. " SOA_TEXT, "bare.example", 43);
	EXPECT("NOERROR aa\nqd child.example. DS\n"
	       "an child.example. 3600 DS "
	       "00020d020102030405060708091011121314151617181920212223242526272829303132\n",
	       "child.example", 43);
	EXPECT("NOERROR aa\nqd example. DS\nns example. " SOA_TEXT, "example", 43);
}

/* RFC 4592 */
static void wildcards(void)
{
	EXPECT("NOERROR aa\nqd any.wild.example. A\nan any.wild.example. 3600 A 192.0.2.20\n",
	       "any.wild.example", 1);
	EXPECT("NOERROR aa\nqd a.b.wild.example. A\nan a.b.wild.example. 3600 A 192.0.2.20\n",
	       "a.b.wild.example", 1);
	EXPECT(
	    "NOERROR aa\nqd any.wild.example. MX\nan any.wild.example. 3600 MX 10 mail.example.\n"
	    "ar mail.example. 3600 A 192.0.2.3\n",
	    "any.wild.example", 15);
	EXPECT("NOERROR aa\nqd any.wild.example. TXT\nns example. " SOA_TEXT, "any.wild.example",
	       16);
	EXPECT("NOERROR aa\nqd *.wild.example. A\nan *.wild.example. 3600 A 192.0.2.20\n",
	       "*.wild.example", 1);
	/* section 2.2.1: what exists, and what is below it, is not the wildcard's */
	EXPECT("NOERROR aa\nqd is.wild.example. A\nns example. " SOA_TEXT, "is.wild.example", 1);
	EXPECT("NXDOMAIN aa\nqd x.is.wild.example. A\nns example. " SOA_TEXT, "x.is.wild.example",
	       1);
	EXPECT("NOERROR aa\nqd wild.example. A\nns example. " SOA_TEXT, "wild.example", 1);
	/* section 4.2: it delegates nothing */
	EXPECT("NOERROR aa\nqd x.cut.example. A\nns example. " SOA_TEXT, "x.cut.example", 1);
	EXPECT("NOERROR aa\nqd *.cut.example. A\nns example. " SOA_TEXT, "*.cut.example", 1);
	/* section 3.2 */
	EXPECT("NOERROR aa\nqd q.alias.example. A\nan q.alias.example. 3600 CNAME web.example.\n"
	       "an web.example. 3600 A 192.0.2.4\nan web.example. 3600 A 192.0.2.5\n",
	       "q.alias.example", 1);
}

/* RFC 6672 */
static void redirections(void)
{
	EXPECT("NOERROR aa\nqd x.old.example. A\nan old.example. 3600 DNAME new.example.\n"
	       "an x.old.example. 3600 CNAME x.new.example.\nan x.new.example. 3600 A 192.0.2.40\n",
	       "x.old.example", 1);
	EXPECT("NXDOMAIN aa\nqd y.x.old.example. A\nan old.example. 3600 DNAME new.example.\n"
	       "an y.x.old.example. 3600 CNAME y.x.new.example.\nns example. " SOA_TEXT,
	       "y.x.old.example", 1);
	/* the CNAME is an answer to who asks for one */
	EXPECT("NOERROR aa\nqd y.x.old.example. CNAME\nan old.example. 3600 DNAME new.example.\n"
	       "an y.x.old.example. 3600 CNAME y.x.new.example.\n",
	       "y.x.old.example", 5);
	EXPECT("NOERROR aa\nqd x.old.example. ANY\nan old.example. 3600 DNAME new.example.\n"
	       "an x.old.example. 3600 CNAME x.new.example.\n",
	       "x.old.example", 255);
	/* section 3.2: not the owner itself */
	EXPECT("NOERROR aa\nqd old.example. TXT\nan old.example. 3600 TXT 036f6c64\n",
	       "old.example", 16);
	EXPECT("NOERROR aa\nqd old.example. A\nns example. " SOA_TEXT, "old.example", 1);
	EXPECT("NOERROR aa\nqd old.example. DNAME\nan old.example. 3600 DNAME new.example.\n",
	       "old.example", 39);
	/* the same one twice, of which one is enough; and in a circle */
	EXPECT("NOERROR aa\nqd web.up.up.example. A\nan up.example. 3600 DNAME example.\n"
	       "an web.up.up.example. 3600 CNAME web.up.example.\n"
	       "an web.up.example. 3600 CNAME web.example.\nan web.example. 3600 A 192.0.2.4\n"
	       "an web.example. 3600 A 192.0.2.5\n",
	       "web.up.up.example", 1);
	EXPECT("NOERROR aa\nqd x.ring1.example. A\nan ring1.example. 3600 DNAME ring2.example.\n"
	       "an x.ring1.example. 3600 CNAME x.ring2.example.\n"
	       "an ring2.example. 3600 DNAME ring1.example.\n"
	       "an x.ring2.example. 3600 CNAME x.ring1.example.\n",
	       "x.ring1.example", 1);
	/* section 2.2: too long a name, to the byte: the target of long.example has 238 */
	for (int n = 1; n <= 40; n++) {
		char name[64] = {0};

		memset(name, 'x', (size_t)n);
		strcat(name, ".long.example");
		(void)ask(&(struct ask){name, 1, .tcp = true});
		CU_ASSERT(strstr(text, " DNAME ") != NULL);
		CU_ASSERT((strncmp(text, "YXDOMAIN aa\n", 12) == 0) == (n + 1 + 238 > 255));
		CU_ASSERT((strstr(text, " CNAME ") != NULL) == (n + 1 + 238 <= 255));
	}
}

/* what is not ours, and what nobody here does */
static void refusals(void)
{
	EXPECT("REFUSED rd\nqd www.elsewhere.test. A\n", "www.elsewhere.test", 1, .flags = 0x100);
	EXPECT("REFUSED\nqd . NS\n", ".", 2);
	EXPECT("REFUSED\nqd example. A not IN\n", "example", 1, .class = 3);
	EXPECT("REFUSED\nqd example. A not IN\n", "example", 1, .class = 255);
	EXPECT("REFUSED\nqd example. TYPE252\n", "example", 252, .tcp = true);
	EXPECT("REFUSED\nqd example. TYPE251\n", "example", 251);
	EXPECT("NOTIMP\nqd example. TYPE254\n", "example", 254);
	EXPECT("NOTIMP opcode=5\nqd example. SOA\n", "example", 6, .flags = 5 << 11);
	EXPECT("NOTIMP opcode=4\nqd example. SOA\n", "example", 6, .flags = 4 << 11);
	EXPECT("NOTIMP opcode=4\nqd example. SOA\nopt 1232\n", "example", 6, .flags = 4 << 11,
	       .udp_size = 4096);
	EXPECT("nothing\n", "example", 6, .flags = 0x8000);
	EXPECT("FORMERR\nqd example. TYPE41\n", "example", 41);
	EXPECT("FORMERR\nqd example. TYPE0\n", "example", 0);
}

/* RFC 8482 section 4.1: one RRset */
static void any(void)
{
	EXPECT("NOERROR aa\nqd web.example. ANY\nan web.example. 3600 A 192.0.2.4\n"
	       "an web.example. 3600 A 192.0.2.5\n",
	       "web.example", 255);
	EXPECT("NOERROR aa\nqd www.example. ANY\nan www.example. 3600 CNAME Web.example.\n",
	       "www.example", 255);
	EXPECT("NOERROR aa\nqd ns1.example. ANY\nan ns1.example. 3600 A 192.0.2.1\n", "ns1.example",
	       255);
}

/* RFC 6891 */
static void edns(void)
{
	EXPECT("NOERROR aa\nqd ns2.example. A\nan ns2.example. 3600 A 192.0.2.2\nopt 1232\n",
	       "ns2.example", 1, .udp_size = 4096);
	/* RFC 3225 section 3 */
	EXPECT("NOERROR aa\nqd ns2.example. A\nan ns2.example. 3600 A 192.0.2.2\nopt 1232 do\n",
	       "ns2.example", 1, .udp_size = 512, .dnssec_ok = true);
	EXPECT("REFUSED\nqd a.test. A\nopt 1232\n", "a.test", 1, .udp_size = 1);
	/* section 6.1.3 */
	EXPECT("NOERROR\nqd ns2.example. A\nopt 1232 high=1\n", "ns2.example", 1, .udp_size = 4096,
	       .version = 1);
}

/* RFC 5001, RFC 4892: only if we are told to */
static void identity(void)
{
	EXPECT("NOERROR aa\nqd ns2.example. A\nan ns2.example. 3600 A 192.0.2.2\nopt 1232\n",
	       "ns2.example", 1, .udp_size = 4096, .nsid = true);
	EXPECT("REFUSED\nqd id.server. TXT not IN\n", "id.server", 16, .class = 3);
	config.identity = "here";
	EXPECT("NOERROR aa\nqd ns2.example. A\nan ns2.example. 3600 A 192.0.2.2\nopt 1232 3=here\n",
	       "ns2.example", 1, .udp_size = 4096, .nsid = true);
	EXPECT("NOERROR aa\nqd ID.Server. TXT not IN\nan ID.Server. 0 CH TXT 0468657265\n",
	       "ID.Server", 16, .class = 3);
	EXPECT("REFUSED\nqd version.bind. TXT not IN\n", "version.bind", 16, .class = 3);
	config.version = "1";
	EXPECT("NOERROR aa\nqd version.bind. TXT not IN\nan version.bind. 0 CH TXT 0131\n",
	       "version.bind", 16, .class = 3);
	config.identity = config.version = NULL;
}

#define CLIENT "2464c4abcf10c957"
#define SERVER "010000005cf79f111f8130c3eee29480"
#define NS2    "qd ns2.example. A\nan ns2.example. 3600 A 192.0.2.2\n"

/* RFC 7873 section 5.2, with the secret and the cookies of RFC 9018 appendix A.1 */
static void cookies(void)
{
	static const uint8_t secret[COOKIE_SECRET] = {0xe5, 0xe9, 0x73, 0xe5, 0xa6, 0xb2,
	                                              0xa4, 0x3f, 0x48, 0xe7, 0xdc, 0x84,
	                                              0x9e, 0x37, 0xbf, 0xcf};

	/* where there are none they are options as others */
	EXPECT("NOERROR aa\n" NS2 "opt 1232\n", "ns2.example", 1, .udp_size = 4096,
	       .cookie = CLIENT);
	EXPECT("NOERROR aa\n" NS2 "opt 1232\n", "ns2.example", 1, .udp_size = 4096, .cookie = "24");
	EXPECT("FORMERR\nopt 1232\n", "", .udp_size = 4096, .no_question = true, .cookie = CLIENT);
	zones->cookies.n = 1;
	memcpy(zones->cookies.secret[0], secret, sizeof(secret));
	client =
	    (struct cookie_client){.addr = {198, 51, 100, 100}, .addr_len = 4, .now_s = 1559731985};
	counts = (struct counts){0};
	EXPECT("NOERROR aa\n" NS2 "opt 1232\n", "ns2.example", 1, .udp_size = 4096);
	EXPECT("NOERROR aa\n" NS2 "opt 1232 10=" CLIENT SERVER "\n", "ns2.example", 1,
	       .udp_size = 4096, .cookie = CLIENT);
	CU_ASSERT(answer.cookie == COOKIE_ONLY);
	EXPECT("NOERROR aa\n" NS2 "opt 1232 10=" CLIENT SERVER "\n", "ns2.example", 1,
	       .udp_size = 4096, .cookie = CLIENT SERVER);
	CU_ASSERT(answer.cookie == COOKIE_GOOD);
	EXPECT("NOERROR aa\n" NS2 "opt 1232 10=" CLIENT SERVER "\n", "ns2.example", 1,
	       .udp_size = 4096, .cookie = CLIENT "0102030405060708");
	CU_ASSERT(answer.cookie == COOKIE_BAD);
	EXPECT("FORMERR\nqd ns2.example. A\nopt 1232\n", "ns2.example", 1, .udp_size = 4096,
	       .cookie = CLIENT "01");
	CU_ASSERT(counts.dns_cookies == 3 && counts.dns_cookies_good == 1);
	/* section 5.4 */
	EXPECT("NOERROR\nopt 1232 10=" CLIENT SERVER "\n", "", .udp_size = 4096,
	       .no_question = true, .cookie = CLIENT);
	EXPECT("NOERROR\nopt 1232 10=" CLIENT SERVER "\n", "", .udp_size = 4096,
	       .no_question = true, .cookie = CLIENT SERVER);
	EXPECT("?\nopt 1232 high=1 10=" CLIENT SERVER "\n", "", .udp_size = 4096,
	       .no_question = true, .cookie = CLIENT "0102030405060708");
	CU_ASSERT(counts.dns_badcookie == 1);
	EXPECT("FORMERR\nopt 1232\n", "", .udp_size = 4096, .no_question = true);
}

static const char *cut(const struct ask *a)
{
	(void)ask(a);
	answer_cut(&answer);
	return text_of(answer.out, answer.len, text);
}

/* What is left of an answer that is one too many. */
static void cut_short(void)
{
	const struct ask plain = {"sub.example", 1, .flags = 0x100},
	                 edns = {"no.example", 1, .udp_size = 4096},
	                 knows = {"web.example", 1, .udp_size = 4096, .cookie = CLIENT};

	CU_ASSERT(strcmp(cut(&plain), "NOERROR tc rd\nqd sub.example. A\n") == 0);
	/* of a name that is not there nothing is said that a resolver could keep */
	CU_ASSERT(strcmp(cut(&edns), "NOERROR tc\nqd no.example. A\nopt 1232\n") == 0);
	CU_ASSERT(strcmp(cut(&knows),
	                 "?\nqd web.example. A\nopt 1232 high=1 10=" CLIENT SERVER "\n") == 0);
	zones->cookies.n = 0;
}

static uint64_t subject(const char *name, uint16_t type)
{
	(void)ask(&(struct ask){name, type});
	return answer.subject;
}

/* A limit counts answers that are alike. */
static void subjects(void)
{
	uint64_t wild, apex;

	wild = subject("a.wild.example", 1);
	CU_ASSERT(answer.kind == ANSWER_DATA && subject("b.wild.example", 1) == wild);
	CU_ASSERT(subject("web.example", 1) != wild);
	CU_ASSERT(subject("www.example", 1) != subject("web.example", 1)); /* the alias's own */
	apex = subject("no.example", 1);
	CU_ASSERT(answer.kind == ANSWER_NXDOMAIN && subject("nor.this.example", 1) == apex);
	CU_ASSERT(subject("web.example", 28) == apex && answer.kind == ANSWER_NODATA);
	CU_ASSERT(subject("a.sub.example", 1) == subject("b.sub.example", 1));
	CU_ASSERT(answer.kind == ANSWER_REFERRAL && answer.subject != apex);
	CU_ASSERT(subject("a.old.example", 1) == subject("b.old.example", 1));
	(void)subject("elsewhere.test", 1);
	CU_ASSERT(answer.kind == ANSWER_ERROR);
}

static void counted(void)
{
	counts = (struct counts){0};
	EXPECT("REFUSED\nqd a.test. A\nopt 1232\n", "a.test", 1, .udp_size = 1);
	(void)ask(&(struct ask){"no.example", 1});
	(void)ask(&(struct ask){"web.example", 1});
	(void)ask(&(struct ask){"web.example", 28});
	(void)ask(&(struct ask){"x.sub.example", 1});
	(void)ask(&(struct ask){"web.example", 1, .flags = 0x8000});
	(void)ask(&(struct ask){"web.example", 0});
	(void)ask(&(struct ask){"web.example", 1, .flags = 4 << 11});
	(void)ask(&(struct ask){"web.example", 1, .udp_size = 4096, .version = 9});
	CU_ASSERT(counts.dns_refused == 1 && counts.dns_edns == 2 && counts.dns_nxdomain == 1);
	CU_ASSERT(counts.dns_noerror == 3 && counts.dns_nodata == 1 && counts.dns_referrals == 1);
	CU_ASSERT(counts.dns_dropped == 1 && counts.dns_formerr == 1 && counts.dns_notimp == 1);
	CU_ASSERT(counts.dns_badvers == 1 && counts.dns_truncated == 0);
}

static void end_zones(void)
{
	zones_free(zones);
}

static const struct unit_case cases[] = {
    {"zones are read", make_zones},
    {"addresses", addresses},
    {"letters", letters},
    {"types", types},
    {"negative answers", negative},
    {"aliases", aliases},
    {"referrals", referrals},
    {"DS", signers},
    {"wildcards", wildcards},
    {"DNAME", redirections},
    {"refusals", refusals},
    {"ANY", any},
    {"EDNS", edns},
    {"cookies", cookies},
    {"cut short", cut_short},
    {"subjects", subjects},
    {"identity", identity},
    {"counters", counted},
    {"zones are freed", end_zones},
};

UNIT_MAIN("dns answers", cases)
