/* SPDX-License-Identifier: BSD-2-Clause */

/* TCP headers and options; each case quotes its clause of RFC 9293 or RFC 7323, RFC 2018, RFC 9768. */

#include "wire/tcp.h"

#include "../unit.h"
#include "base/dice.h"
#include "exact.h"
#include "wire/cksum.h"

/* A header of 20 bytes and these options, padded by zeros to a multiple of 4. */
static size_t make(uint8_t p[TCP_HDR_MAX], const uint8_t *options, size_t len)
{
	const size_t hdr_len = TCP_HDR_LEN + (len + 3) / 4 * 4;

	memset(p, 0, TCP_HDR_MAX);
	wire_put16(p, 1000);
	wire_put16(p + 2, 80);
	wire_put32(p + 4, 0x01020304);
	wire_put32(p + 8, 0x05060708);
	p[12] = (uint8_t)(hdr_len / 4 << 4);
	p[13] = TCP_ACK | TCP_PSH;
	wire_put16(p + 14, 0xffff);
	wire_put16(p + 18, 0x1234);
	if (len > 0)
		memcpy(p + TCP_HDR_LEN, options, len);
	return hdr_len;
}

/* Parses a segment of these options and no payload, in memory of exactly its length. */
static struct tcp_seg parse(const uint8_t *options, size_t len)
{
	uint8_t p[TCP_HDR_MAX], *copy;
	const size_t hdr_len = make(p, options, len);
	struct tcp_seg seg;

	copy = exact_copy(p, hdr_len);
	memset(&seg, 0xa5, sizeof(seg));
	CU_ASSERT_EQUAL(tcp_parse(copy, (uint32_t)hdr_len, &seg), (int)hdr_len);
	free(copy);
	return seg;
}

#define PARSE(...) parse((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void test_header(void)
{
	uint8_t p[TCP_HDR_MAX];
	struct tcp_seg s;

	make(p, NULL, 0);
	CU_ASSERT_EQUAL(tcp_parse(p, 20 + 1460, &s), 20);
	CU_ASSERT(s.sport == 1000 && s.dport == 80);
	CU_ASSERT(s.seq == 0x01020304 && s.ack == 0x05060708);
	CU_ASSERT_EQUAL(s.len, 1460);
	CU_ASSERT_EQUAL(s.hdr_len, 20);
	CU_ASSERT_EQUAL(s.flags, TCP_ACK | TCP_PSH);
	CU_ASSERT_EQUAL(s.urg, 0x1234);
	CU_ASSERT(s.has == 0 && s.nb_sack == 0 && s.mss == 0 && s.wscale == 0);
	CU_ASSERT(s.tsval == 0 && s.tsecr == 0);
}

/* MUST-1: the window is unsigned. */
static void test_window_is_unsigned(void)
{
	const struct tcp_seg s = parse(NULL, 0);

	CU_ASSERT_EQUAL((int64_t)s.wnd, 65535);
}

/* Section 3.1: reserved bits are ignored when received and sent as zero. */
static void test_reserved_bits(void)
{
	uint8_t p[TCP_HDR_MAX];
	struct tcp_seg s;

	make(p, NULL, 0);
	p[12] |= 0x0e;
	CU_ASSERT_EQUAL(tcp_parse(p, 20, &s), 20);
	CU_ASSERT_EQUAL(s.flags, TCP_ACK | TCP_PSH);
	CU_ASSERT_EQUAL(s.has, 0);
	CU_ASSERT_EQUAL(tcp_write(p, &s), 20);
	CU_ASSERT_EQUAL(p[12], 0x50);
	p[12] |= 0x0f; /* RFC 9768: the last of them is a flag now */
	CU_ASSERT_EQUAL(tcp_parse(p, 20, &s), 20);
	CU_ASSERT_EQUAL(s.has, TCP_HAS_AE);
	CU_ASSERT_EQUAL(tcp_write(p, &s), 20);
	CU_ASSERT_EQUAL(p[12], 0x51);
}

static void test_short(void)
{
	uint8_t p[TCP_HDR_MAX];
	struct tcp_seg s;

	make(p, NULL, 0);
	for (uint32_t len = 0; len < 20; len++) {
		uint8_t *copy = exact_copy(p, len);

		CU_ASSERT_EQUAL(tcp_parse(copy, len, &s), WIRE_SHORT);
		free(copy);
	}
}

/* Every data offset against every segment length. */
static void test_data_offset(void)
{
	uint8_t p[TCP_HDR_MAX];
	struct tcp_seg s;

	for (unsigned offset = 0; offset < 16; offset++) {
		for (uint32_t len = 20; len <= 100; len++) {
			const bool good = offset >= 5 && offset * 4 <= len;
			uint8_t *copy;

			make(p, NULL, 0);
			p[12] = (uint8_t)(offset << 4);
			copy = exact_copy(p, len < 60 ? len : 60);
			CU_ASSERT_EQUAL(tcp_parse(copy, len, &s),
			                good ? (int)offset * 4 : WIRE_HEADER);
			if (good)
				CU_ASSERT_EQUAL(s.len, len - offset * 4);
			free(copy);
		}
	}
}

/* MUST-4: "A TCP implementation MUST support ... EOL, NOP and MSS." */
static void test_must_4(void)
{
	struct tcp_seg s = PARSE(2, 4, 0x05, 0xb4);

	CU_ASSERT(s.has == TCP_HAS_MSS && s.mss == 1460);
	s = PARSE(1, 1, 1, 1);
	CU_ASSERT_EQUAL(s.has, 0);
	s = PARSE(0, 0, 0, 0);
	CU_ASSERT_EQUAL(s.has, 0);
	/* nothing counts after the end of the list */
	s = PARSE(0, 0, 0, 0, 2, 4, 0x05, 0xb4);
	CU_ASSERT_EQUAL(s.has, 0);
	s = PARSE(0, 2, 2, 4, 0x05, 0xb4, 1, 1); /* whatever it looks like */
	CU_ASSERT_EQUAL(s.has, 0);
	s = PARSE(1, 2, 4, 0x05, 0xb4, 0, 2, 4);
	CU_ASSERT(s.has == TCP_HAS_MSS && s.mss == 1460);
}

/* MUST-5: "A TCP implementation MUST be able to receive a TCP Option in any segment." */
static void test_must_5(void)
{
	const uint8_t options[] = {2, 4, 2, 0, 1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9};
	uint8_t p[TCP_HDR_MAX];

	for (unsigned flags = 0; flags < 256; flags++) {
		struct tcp_seg s;

		make(p, options, sizeof(options));
		p[13] = (uint8_t)flags;
		CU_ASSERT_EQUAL(tcp_parse(p, 1000, &s), 36);
		CU_ASSERT_EQUAL(s.flags, flags);
		CU_ASSERT_EQUAL(s.has, TCP_HAS_MSS | TCP_HAS_TS);
		CU_ASSERT(s.mss == 512 && s.tsval == 7 && s.tsecr == 9);
	}
}

/* MUST-6: "MUST ignore without error any TCP Option it does not implement", by its length. */
static void test_must_6(void)
{
	for (unsigned kind = 0; kind < 256; kind++) {
		for (unsigned len = 2; len <= 36; len++) {
			uint8_t options[40] = {0};
			struct tcp_seg s;

			if (kind <= 5 || kind == 8 || kind == 19 || kind == 29 || kind == 34)
				continue; /* known */
			options[0] = (uint8_t)kind;
			options[1] = (uint8_t)len;
			memset(options + 2, 2, len - 2);
			memcpy(options + len, (const uint8_t[]){2, 4, 0x12, 0x34}, 4);
			s = parse(options, len + 4);
			CU_ASSERT(s.has == TCP_HAS_MSS && s.mss == 0x1234);
		}
	}
}

/* MUST-7: "MUST be prepared to handle an illegal option length (e.g., zero)". For every kind. */
static void test_must_7(void)
{
	for (unsigned kind = 2; kind < 256; kind++) {
		for (unsigned len = 0; len < 256; len++) {
			uint8_t options[40];
			struct tcp_seg s;

			if (len >= 2 && len <= 36)
				continue; /* legal, or that of another kind: below */
			memset(options, 1, sizeof(options));
			memcpy(options, (const uint8_t[]){2, 4, 0x12, 0x34}, 4);
			options[4] = (uint8_t)kind;
			options[5] = (uint8_t)len;
			s = parse(options, sizeof(options));
			/* what came before it stays, what follows is not read */
			CU_ASSERT(s.has == TCP_HAS_MSS && s.mss == 0x1234);
		}
	}
}

/* MUST-7 again: known kinds with each length that is not theirs mean nothing and are passed over. */
static void test_wrong_length_of_known_kind(void)
{
	static const uint8_t kinds[] = {2, 3, 4, 5, 8};
	static const uint8_t lengths[] = {4, 3, 2, 0, 10};

	for (size_t i = 0; i < sizeof(kinds); i++) {
		for (unsigned len = 2; len <= 36; len++) {
			uint8_t options[40];
			struct tcp_seg s;

			if (len == lengths[i] || (kinds[i] == 5 && len > 2 && (len - 2) % 8 == 0))
				continue;
			memset(options, 1, sizeof(options));
			options[0] = kinds[i];
			options[1] = (uint8_t)len;
			if (len <= 37)
				memcpy(options + len, (const uint8_t[]){3, 3, 7}, 3);
			s = parse(options, sizeof(options));
			CU_ASSERT(s.has == TCP_HAS_WSCALE && s.wscale == 7 && s.nb_sack == 0);
		}
	}
}

/* The kind of an option is the header's last byte: there is no length to read. */
static void test_kind_at_the_end(void)
{
	for (unsigned kind = 0; kind < 256; kind++) {
		const uint8_t options[] = {1, 1, 1, (uint8_t)kind};

		CU_ASSERT_EQUAL(parse(options, 4).has, 0);
	}
}

/* An option that ends exactly with the header is whole; one byte more is not. */
static void test_end_of_header(void)
{
	struct tcp_seg s = PARSE(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2);

	CU_ASSERT_EQUAL(s.has, TCP_HAS_TS);
	s = PARSE(1, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0);
	CU_ASSERT_EQUAL(s.has, 0);
	s = PARSE(1, 1, 1, 1, 1, 2, 4, 9);
	CU_ASSERT_EQUAL(s.has, 0);
}

/* MUST-64: "MUST be prepared to process options even if they do not begin on a word boundary." */
static void test_must_64(void)
{
	for (unsigned nops = 0; nops < 28; nops++) {
		uint8_t options[40];
		struct tcp_seg s;

		memset(options, 1, sizeof(options));
		memcpy(options + nops, (const uint8_t[]){8, 10, 1, 2, 3, 4, 5, 6, 7, 8}, 10);
		s = parse(options, nops + 10);
		CU_ASSERT(s.has == TCP_HAS_TS && s.tsval == 0x01020304 && s.tsecr == 0x05060708);
	}
}

/* A defect of an earlier stack: a timestamp option directly after MSS was missed. */
static void test_timestamp_after_mss(void)
{
	const struct tcp_seg s = PARSE(2, 4, 5, 0xb4, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1);

	CU_ASSERT_EQUAL(s.has, TCP_HAS_MSS | TCP_HAS_TS);
	CU_ASSERT(s.mss == 1460 && s.tsval == 1 && s.tsecr == 2);
}

/* The SYN of Linux, of Windows and of macOS. */
static void test_common_syns(void)
{
	struct tcp_seg s = PARSE(2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7);

	CU_ASSERT_EQUAL(s.has, TCP_HAS_MSS | TCP_HAS_SACKOK | TCP_HAS_TS | TCP_HAS_WSCALE);
	CU_ASSERT(s.mss == 1460 && s.tsval == 1 && s.wscale == 7);
	s = PARSE(2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2);
	CU_ASSERT_EQUAL(s.has, TCP_HAS_MSS | TCP_HAS_SACKOK | TCP_HAS_WSCALE);
	CU_ASSERT(s.mss == 1460 && s.wscale == 8);
	s = PARSE(2, 4, 5, 0xb4, 1, 3, 3, 6, 1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 4, 2, 0, 0);
	CU_ASSERT_EQUAL(s.has, TCP_HAS_MSS | TCP_HAS_SACKOK | TCP_HAS_TS | TCP_HAS_WSCALE);
	CU_ASSERT(s.wscale == 6 && s.tsval == 9);
}

/* RFC 7323 appendix A layout, by the short way; and its look-alikes by the long one. */
static void test_timestamp_layouts(void)
{
	struct tcp_seg s = PARSE(1, 1, 8, 10, 0xff, 0xfe, 0xfd, 0xfc, 1, 2, 3, 4);

	CU_ASSERT(s.has == TCP_HAS_TS && s.tsval == 0xfffefdfc && s.tsecr == 0x01020304);
	s = PARSE(8, 10, 0xff, 0xfe, 0xfd, 0xfc, 1, 2, 3, 4, 1, 1);
	CU_ASSERT(s.has == TCP_HAS_TS && s.tsval == 0xfffefdfc && s.tsecr == 0x01020304);
	s = PARSE(8, 10, 0xff, 0xfe, 0xfd, 0xfc, 1, 2, 3, 4, 0, 0);
	CU_ASSERT(s.has == TCP_HAS_TS && s.tsval == 0xfffefdfc && s.tsecr == 0x01020304);
	s = PARSE(0, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2);
	CU_ASSERT_EQUAL(s.has, 0);
	s = PARSE(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 8, 10, 0, 0, 0, 3, 0, 0, 0, 4);
	CU_ASSERT(s.tsval == 3 && s.tsecr == 4); /* the last one counts */
}

/* RFC 2018 section 3: 1 to 4 blocks. */
static void test_sack(void)
{
	for (unsigned n = 1; n <= 4; n++) {
		uint8_t options[64] = {1, 1, 5, (uint8_t)(2 + 8 * n)};
		struct tcp_seg s;

		for (unsigned i = 0; i < n; i++) {
			wire_put32(options + 4 + 8 * i, 0xfffffff0 + i * 0x1000);
			wire_put32(options + 8 + 8 * i, 0xfffffff0 + i * 0x1000 + 0x800);
		}
		s = parse(options, 4 + 8 * n);
		CU_ASSERT(s.has == TCP_HAS_SACK && s.nb_sack == n);
		for (unsigned i = 0; i < n; i++) {
			CU_ASSERT_EQUAL(s.sack[i].start, 0xfffffff0 + i * 0x1000);
			CU_ASSERT_EQUAL(s.sack[i].end, 0xfffffff0 + i * 0x1000 + 0x800);
		}
	}
}

static void test_sack_without_blocks(void)
{
	const struct tcp_seg s = PARSE(1, 1, 5, 2);

	CU_ASSERT(s.has == 0 && s.nb_sack == 0);
}

/* RFC 7413 section 2: an even number of 4 to 16 bytes, or none: a request */
static void test_fast_open(void)
{
	for (unsigned len = 2; len <= 36; len++) {
		uint8_t options[40] = {34, (uint8_t)len, 1, 2, 3, 4};
		struct tcp_seg s = parse(options, 40);
		bool good = len == 2 || (len >= 6 && len <= 18 && len % 2 == 0);

		CU_ASSERT_EQUAL(s.has, good ? TCP_HAS_FASTOPEN : 0);
		CU_ASSERT(!good || s.cookie_len == len - 2);
		CU_ASSERT(!good || len == 2 || memcmp(s.cookie, options + 2, len - 2) == 0);
	}
}

/* what is written is read again, with every other option of a SYN beside it */
static void test_write_fast_open(void)
{
	for (uint8_t len = 0; len <= TCP_COOKIE_MAX; len = (uint8_t)(len + (len == 0 ? 4 : 2))) {
		struct tcp_seg s = {.has = TCP_HAS_MSS | TCP_HAS_SACKOK | TCP_HAS_TS |
		                           TCP_HAS_WSCALE | TCP_HAS_FASTOPEN,
		                    .flags = TCP_SYN,
		                    .cookie_len = len & 31u,
		                    .cookie = "0123456789abcde"},
		               b;
		uint8_t p[TCP_HDR_MAX];
		uint16_t n = tcp_write(p, &s);

		CU_ASSERT(n == tcp_hdr_len(&s) && n % 4 == 0 && n <= TCP_HDR_MAX);
		CU_ASSERT_EQUAL(tcp_parse(p, n, &b), n);
		CU_ASSERT(b.has == s.has && b.cookie_len == len);
		CU_ASSERT_EQUAL(memcmp(b.cookie, s.cookie, len), 0);
	}
}

/* RFC 9768 table 5; "if the AccECN Option is of any other length, implementations MUST use those whole 3-octet fields that fit
 * within the length and ignore the remainder" */
static void test_accecn(void)
{
	for (unsigned len = 2; len <= 38; len++) {
		uint8_t options[40] = {0, (uint8_t)len, 1, 2, 3, 0xff, 0xff, 0xff, 4, 5, 6};
		const unsigned n = len < 5 ? 0 : len < 8 ? 1 : len < 11 ? 2 : 3;
		const uint32_t ends[2] = {0x010203, 0x040506};

		for (unsigned order = 0; order < 2; order++) {
			const enum tcp_counter first = order == 0 ? TCP_E0B : TCP_E1B;
			struct tcp_seg s;

			options[0] = order == 0 ? 172 : 174;
			s = parse(options, 40);
			CU_ASSERT(s.has == 0 && s.accecn != TCP_ACCECN_NONE);
			CU_ASSERT_EQUAL(tcp_accecn_fields(s.accecn), n);
			CU_ASSERT_EQUAL(tcp_accecn_has(s.accecn, first), n > 0);
			CU_ASSERT_EQUAL(tcp_accecn_has(s.accecn, TCP_CEB), n > 1);
			CU_ASSERT_EQUAL(tcp_accecn_has(s.accecn, TCP_E1B - first), n > 2);
			CU_ASSERT(n < 1 || s.counter[first] == ends[0]);
			CU_ASSERT(n < 2 || s.counter[TCP_CEB] == 0xffffff);
			CU_ASSERT(n < 3 || s.counter[TCP_E1B - first] == ends[1]);
		}
	}
	CU_ASSERT_EQUAL(PARSE(1, 1, 1, 172).accecn, TCP_ACCECN_NONE);
	CU_ASSERT_EQUAL(PARSE(172, 5, 0, 0).accecn, TCP_ACCECN_NONE);
}

/* ... and as many SACK blocks as there is room for beside it */
static void test_write_accecn(void)
{
	for (unsigned accecn = TCP_ACCECN_NONE; accecn <= TCP_ACCECN_1; accecn++) {
		struct tcp_seg s = {.flags = TCP_ACK,
		                    .accecn = accecn & 7u,
		                    .counter = {0xfedcba, 0x000001, 0x800000},
		                    .nb_sack = 4},
		               b;
		uint8_t p[TCP_HDR_MAX];

		for (uint8_t has = 0; has < 4; has++) {
			const unsigned with = has & 1 ? TCP_NOP_NOP_TS_LEN : 0;
			const unsigned room = 40 - with - tcp_accecn_space(accecn);
			const unsigned blocks = has & 2 ? (room - 4) / 8 : 0;
			uint16_t n;

			s.has =
			    (uint8_t)((has & 1 ? TCP_HAS_TS : 0) | (has & 2 ? TCP_HAS_SACK : 0));
			n = tcp_write(p, &s);
			CU_ASSERT_EQUAL(n, 20 + with + tcp_accecn_space(accecn) +
			                       (blocks > 0 ? 4 + 8 * blocks : 0));
			CU_ASSERT_EQUAL(n, tcp_hdr_len(&s));
			CU_ASSERT_EQUAL(tcp_parse(p, n, &b), n);
			CU_ASSERT(b.has == s.has && b.accecn == accecn && b.nb_sack == blocks);
			for (unsigned i = 0; i < TCP_COUNTERS; i++)
				if (tcp_accecn_has(accecn, (enum tcp_counter)i))
					CU_ASSERT_EQUAL(b.counter[i], s.counter[i]);
		}
	}
}

/* where a header with these options has its signature; -1: nowhere, or not one alone */
static int find_auth(const uint8_t *options, unsigned len)
{
	uint8_t p[TCP_HDR_MAX] = {[12] = (uint8_t)((5 + len / 4) << 4)};
	const uint8_t *at;
	struct tcp_auth a;
	struct tcp_seg s;
	uint8_t *exact;
	int off;

	memcpy(p + TCP_HDR_LEN, options, len);
	exact = exact_copy(p, TCP_HDR_LEN + len);
	CU_ASSERT_EQUAL(tcp_parse(exact, TCP_HDR_LEN + len, &s), (int)(TCP_HDR_LEN + len));
	at = tcp_find_auth(exact, TCP_HDR_LEN + len, &a);
	off = at != NULL ? (int)(at - exact) : -1;
	CU_ASSERT(off < 0 || (s.has & TCP_HAS_AUTH));
	free(exact);
	return off;
}

static void test_find_md5(void)
{
	static const uint8_t usual[20] = {1, 1, 19, 18}, late[40] = {2, 4, 5, 0xb4, [4] = 19, 18};
	static const uint8_t twice[40] = {19, 18, [18] = 19, 18, [36] = 1, 1, 1, 1};
	static const uint8_t small[20] = {1, 1, 19, 16}, large[20] = {19, 19, [19] = 1};
	static const uint8_t both[40] = {1, 1, 19, 18, [20] = 19, 2, 1, 1};
	static const uint8_t behind_end[24] = {0, 0, 0, 0, 1, 1, 19, 18};
	static const uint8_t past[20] = {1, 1, 1, 1, 19, 18}, alone[4] = {1, 1, 1, 19};

	CU_ASSERT_EQUAL(find_auth(usual, sizeof(usual)), TCP_AUTH_OFF);
	CU_ASSERT_EQUAL(find_auth(late, sizeof(late)), TCP_HDR_LEN + 6);
	CU_ASSERT_EQUAL(find_auth(twice, sizeof(twice)), -1);
	CU_ASSERT_EQUAL(find_auth(both, sizeof(both)), -1);
	CU_ASSERT_EQUAL(find_auth(small, sizeof(small)), -1);
	CU_ASSERT_EQUAL(find_auth(large, sizeof(large)), -1);
	CU_ASSERT_EQUAL(find_auth(behind_end, sizeof(behind_end)), -1);
	CU_ASSERT_EQUAL(find_auth(past, sizeof(past)), -1);
	CU_ASSERT_EQUAL(find_auth(alone, sizeof(alone)), -1);
}

static void test_write_md5(void)
{
	struct tcp_seg s = {.has = TCP_HAS_AUTH | TCP_HAS_MSS | TCP_HAS_SACKOK | TCP_HAS_TS |
	                           TCP_HAS_WSCALE,
	                    .flags = TCP_SYN},
	               b;
	uint8_t p[TCP_HDR_MAX];

	memset(p, 0xa5, sizeof(p));
	CU_ASSERT_EQUAL(tcp_write(p, &s), TCP_HDR_MAX); /* just as much as there is room for */
	CU_ASSERT_EQUAL(tcp_hdr_len(&s), TCP_HDR_MAX);
	CU_ASSERT_EQUAL(tcp_parse(p, TCP_HDR_MAX, &b), TCP_HDR_MAX);
	CU_ASSERT_EQUAL(b.has, s.has);
	CU_ASSERT_PTR_EQUAL(tcp_find_auth(p, TCP_HDR_MAX, &(struct tcp_auth){0}), p + TCP_AUTH_OFF);
	/* two SACK blocks beside it, none beside timestamps, too */
	s.has = TCP_HAS_AUTH | TCP_HAS_SACK;
	s.nb_sack = 4;
	CU_ASSERT_EQUAL(tcp_write(p, &s), 20 + 20 + 4 + 2 * 8);
	s.has |= TCP_HAS_TS;
	CU_ASSERT_EQUAL(tcp_write(p, &s), 20 + 20 + 12);
}

static void test_find_ao(void)
{
	static const uint8_t usual[16] = {29, 16, 7, 9}, late[24] = {2, 4, 5, 0xb4, 29, 14, 1, 2};
	static const uint8_t twice[32] = {29, 16, 7, 9, [16] = 29, 16, 7, 9};
	static const uint8_t both[36] = {29, 16, 7, 9, [16] = 1, 1, 19, 18};
	static const uint8_t small[4] = {29, 3, 1, 1}, bare[4] = {29, 4, 7, 9};
	static const uint8_t past[8] = {29, 16, 7, 9};
	uint8_t p[TCP_HDR_MAX] = {[12] = 0xf0};
	struct tcp_auth a;

	CU_ASSERT_EQUAL(find_auth(usual, sizeof(usual)), TCP_AUTH_OFF);
	CU_ASSERT_EQUAL(find_auth(late, sizeof(late)), TCP_HDR_LEN + 8);
	CU_ASSERT_EQUAL(find_auth(twice, sizeof(twice)), -1);
	CU_ASSERT_EQUAL(find_auth(both, sizeof(both)), -1);
	CU_ASSERT_EQUAL(find_auth(small, sizeof(small)), -1);
	CU_ASSERT_EQUAL(find_auth(bare, sizeof(bare)), TCP_HDR_LEN + 4);
	CU_ASSERT_EQUAL(find_auth(past, sizeof(past)), -1);
	memcpy(p + TCP_HDR_LEN, late, sizeof(late));
	CU_ASSERT_PTR_EQUAL(tcp_find_auth(p, TCP_HDR_MAX, &a), p + TCP_HDR_LEN + 8);
	CU_ASSERT(a.kind == TCP_AUTH_AO && a.len == 10 && a.keyid == 1 && a.rnext == 2);
}

static void test_write_ao(void)
{
	struct tcp_seg s = {.has = TCP_HAS_AUTH | TCP_HAS_TS | TCP_HAS_SACK,
	                    .nb_sack = 4,
	                    .auth = {TCP_AUTH_AO, 12, 7, 9}},
	               b;
	uint8_t p[TCP_HDR_MAX];
	struct tcp_auth a;

	for (uint8_t len = 0; len <= 16; len++) {
		s.auth.len = len;
		memset(p, 0xa5, sizeof(p));
		/* one SACK block beside timestamps, up to the usual length */
		CU_ASSERT_EQUAL(tcp_write(p, &s), 20 + (4 + len + 3) / 4 * 4 + 12 +
		                                      (len <= 4    ? 20
		                                       : len <= 12 ? 12
		                                                   : 0));
		CU_ASSERT_EQUAL(tcp_hdr_len(&s), (p[12] >> 4) * 4);
		CU_ASSERT_EQUAL(tcp_parse(p, tcp_hdr_len(&s), &b), tcp_hdr_len(&s));
		CU_ASSERT(b.has & TCP_HAS_AUTH);
		CU_ASSERT_PTR_EQUAL(tcp_find_auth(p, tcp_hdr_len(&s), &a), p + TCP_AUTH_OFF);
		CU_ASSERT_EQUAL(memcmp(&a, &s.auth, sizeof(a)), 0);
	}
}

/* ---- writing --------------------------------------------------------------------------------- */

static struct tcp_seg make_seg(uint8_t has, uint8_t nb_sack)
{
	struct tcp_seg s = {
	    .sport = 80,
	    .dport = 50000,
	    .seq = 0xfffffffe,
	    .ack = 0x80000000,
	    .wnd = 0xfffe,
	    .urg = 3,
	    .flags = TCP_ACK,
	    .has = has,
	    .mss = 1460,
	    .wscale = 7,
	    .tsval = 0xa1a2a3a4,
	    .tsecr = 0xb1b2b3b4,
	    .nb_sack = nb_sack,
	};

	for (unsigned i = 0; i < TCP_SACK_BLOCKS; i++) {
		s.sack[i].start = 100 * i + 1;
		s.sack[i].end = 100 * i + 50;
	}
	return s;
}

/*
 * Every set of options and number of blocks: what is written is parsed again to the same, its length
 * is known before, a multiple of 4, nothing is written past it.
 *
 * MUST-68: every option but EOL and NOP has a length byte; MUST-69: no padding but zeros after EOL
 * (there is none: NOPs fill up).  The walk below knows nothing but that.
 */
static void test_write_every_set(void)
{
	for (unsigned has = 0; has < 32; has++) {
		for (uint8_t blocks = 0; blocks <= 4; blocks++) {
			const struct tcp_seg s = make_seg((uint8_t)has, blocks);
			uint8_t p[TCP_HDR_MAX + 4];
			struct tcp_seg b;
			uint16_t len, at = TCP_HDR_LEN;

			memset(p, 0xa5, sizeof(p));
			len = tcp_write(p, &s);
			CU_ASSERT(len == tcp_hdr_len(&s) && len % 4 == 0 && len <= 60);
			CU_ASSERT_EQUAL(p[len], 0xa5);
			CU_ASSERT(p[16] == 0 && p[17] == 0);
			while (at < len) {
				CU_ASSERT_NOT_EQUAL(p[at], 0);
				CU_ASSERT(p[at] == 1 || p[at + 1] >= 2);
				at = (uint16_t)(at + (p[at] == 1 ? 1 : p[at + 1]));
			}
			CU_ASSERT_EQUAL(at, len);
			CU_ASSERT_EQUAL(tcp_parse(p, len + 10u, &b), len);
			CU_ASSERT(b.sport == s.sport && b.dport == s.dport && b.seq == s.seq);
			CU_ASSERT(b.ack == s.ack && b.wnd == s.wnd && b.urg == s.urg);
			CU_ASSERT(b.flags == s.flags && b.len == 10);
			CU_ASSERT_EQUAL(b.has & ~TCP_HAS_SACK, s.has & ~TCP_HAS_SACK);
			CU_ASSERT_EQUAL((b.has & TCP_HAS_SACK) != 0,
			                (s.has & TCP_HAS_SACK) != 0 && blocks > 0);
			CU_ASSERT(b.nb_sack <= blocks);
			for (unsigned i = 0; i < b.nb_sack; i++)
				CU_ASSERT(b.sack[i].start == s.sack[i].start &&
				          b.sack[i].end == s.sack[i].end);
		}
	}
}

static void test_write_layouts(void)
{
	static const uint8_t syn[] = {2,    4,    5,    0xb4, 4,    2,    8, 10, 0xa1, 0xa2,
	                              0xa3, 0xa4, 0xb1, 0xb2, 0xb3, 0xb4, 1, 3,  3,    7};
	static const uint8_t ts[] = {1, 1, 8, 10, 0xa1, 0xa2, 0xa3, 0xa4, 0xb1, 0xb2, 0xb3, 0xb4};
	static const uint8_t sackok[] = {1, 1, 4, 2};
	uint8_t p[TCP_HDR_MAX];
	struct tcp_seg s = make_seg(TCP_HAS_MSS | TCP_HAS_SACKOK | TCP_HAS_TS | TCP_HAS_WSCALE, 0);

	CU_ASSERT_EQUAL(tcp_write(p, &s), 40);
	CU_ASSERT_EQUAL(memcmp(p + 20, syn, sizeof(syn)), 0);
	s.has = TCP_HAS_TS;
	CU_ASSERT_EQUAL(tcp_write(p, &s), 32);
	CU_ASSERT_EQUAL(memcmp(p + 20, ts, sizeof(ts)), 0);
	s.has = TCP_HAS_SACKOK;
	CU_ASSERT_EQUAL(tcp_write(p, &s), 24);
	CU_ASSERT_EQUAL(memcmp(p + 20, sackok, sizeof(sackok)), 0);
}

/* RFC 2018 section 3: three blocks beside timestamps, four without. */
static void test_write_sack_room(void)
{
	struct tcp_seg s = make_seg(TCP_HAS_SACK, 4), b;
	uint8_t p[TCP_HDR_MAX];

	CU_ASSERT_EQUAL(tcp_write(p, &s), 56);
	tcp_parse(p, 56, &b);
	CU_ASSERT_EQUAL(b.nb_sack, 4);
	s.has = TCP_HAS_SACK | TCP_HAS_TS;
	CU_ASSERT_EQUAL(tcp_write(p, &s), 60);
	tcp_parse(p, 60, &b);
	CU_ASSERT_EQUAL(b.nb_sack, 3);
	s.nb_sack = 0;
	CU_ASSERT_EQUAL(tcp_write(p, &s), 32);
}

/* ---- anything at all ------------------------------------------------------------------------- */

static void test_random_bytes(void)
{
	struct dice dice;

	dice_seed(&dice, 1);
	for (unsigned i = 0; i < 200000; i++) {
		const uint32_t len = dice_below(&dice, 70);
		uint8_t bytes[TCP_HDR_MAX], *p;
		struct tcp_seg s;
		int ret;

		for (unsigned j = 0; j < sizeof(bytes); j++) {
			const uint64_t r = dice_next(&dice);

			bytes[j] =
			    (uint8_t)(r & 0x100 ? r & 0xf : r); /* plausible kinds, lengths */
		}
		if (i % 4 != 0)
			bytes[12] = (uint8_t)((5 + dice_below(&dice, 11)) << 4);
		p = exact_copy(bytes, len < TCP_HDR_MAX ? len : TCP_HDR_MAX);
		ret = tcp_parse(p, len, &s);
		CU_ASSERT(ret == WIRE_SHORT || ret == WIRE_HEADER ||
		          (ret >= 20 && (uint32_t)ret <= len && s.len == len - (uint32_t)ret));
		CU_ASSERT(ret < 0 || s.nb_sack <= TCP_SACK_BLOCKS);
		if (ret > 0 && tcp_find_auth(p, (unsigned)ret, &(struct tcp_auth){0}) != NULL)
			CU_ASSERT(s.has & TCP_HAS_AUTH);
		free(p);
	}
}

/* the short way writes what the long way does, and knows the sum of it */
static void test_write_plain(void)
{
	struct dice dice;

	dice_seed(&dice, 12);
	for (unsigned i = 0; i < 1000; i++) {
		const bool has_ts = i % 2 != 0;
		const struct tcp_plain s = {
		    .sport = (uint16_t)dice_next(&dice),
		    .dport = (uint16_t)dice_next(&dice),
		    .wnd = (uint16_t)dice_next(&dice),
		    .flags = (uint8_t)dice_next(&dice),
		    .has_ts = has_ts,
		    .seq = (uint32_t)dice_next(&dice),
		    .ack = (uint32_t)dice_next(&dice),
		    .tsval = (uint32_t)dice_next(&dice),
		    .tsecr = (uint32_t)dice_next(&dice),
		};
		const struct tcp_seg same = {
		    .sport = s.sport,
		    .dport = s.dport,
		    .wnd = s.wnd,
		    .flags = s.flags,
		    .seq = s.seq,
		    .ack = s.ack,
		    .has = has_ts ? TCP_HAS_TS : 0,
		    .tsval = s.tsval,
		    .tsecr = s.tsecr,
		};
		uint8_t p[TCP_HDR_MAX], q[TCP_HDR_MAX];
		const uint64_t sum = tcp_write_plain(p, s);
		const uint16_t len = tcp_write(q, &same);

		CU_ASSERT_EQUAL(tcp_plain_len(has_ts), len);
		CU_ASSERT_EQUAL(memcmp(p, q, len), 0);
		CU_ASSERT_EQUAL(cksum_fold_be(sum), cksum_fold_be(cksum_add(0, q, len)));
	}
}

static void test_write_usual(void)
{
	for (unsigned has = 0; has <= TCP_USUAL_OPTIONS; has++) {
		struct tcp_seg s = {
		    .sport = 1, .dport = 0xfffe, .seq = 0x12345678, .ack = 0xfedcba98};
		uint8_t p[TCP_HDR_MAX], q[TCP_HDR_MAX];
		uint16_t len, want;
		uint64_t sum;

		if ((has & ~(unsigned)TCP_USUAL_OPTIONS) != 0)
			continue;
		s.has = (uint8_t)has;
		s.flags = TCP_SYN | TCP_ACK | TCP_ECE;
		s.wnd = 0xfff0;
		s.mss = 1460;
		s.wscale = 14;
		s.tsval = 0xaabbccdd;
		s.tsecr = 0x11223344;
		CU_ASSERT(tcp_is_usual(&s));
		sum = tcp_write_usual(p, &s, &len);
		want = tcp_write(q, &s);
		CU_ASSERT_EQUAL(len, want);
		CU_ASSERT_EQUAL(memcmp(p, q, want), 0);
		CU_ASSERT_EQUAL(cksum_fold_be(sum), cksum_fold_be(cksum_add(0, q, want)));
	}
	CU_ASSERT(!tcp_is_usual(&(struct tcp_seg){.has = TCP_HAS_MSS | TCP_HAS_AE}));
	CU_ASSERT(!tcp_is_usual(&(struct tcp_seg){.has = TCP_HAS_FASTOPEN}));
	CU_ASSERT(!tcp_is_usual(&(struct tcp_seg){.accecn = TCP_ACCECN_0}));
}

static const struct unit_case cases[] = {
    {"header", test_header},
    {"MUST-1: the window is unsigned", test_window_is_unsigned},
    {"reserved bits", test_reserved_bits},
    {"every short length", test_short},
    {"every data offset", test_data_offset},
    {"MUST-4: EOL, NOP and MSS", test_must_4},
    {"MUST-5: options in any segment", test_must_5},
    {"MUST-6: unknown options", test_must_6},
    {"MUST-7: illegal lengths", test_must_7},
    {"MUST-7: wrong lengths of known kinds", test_wrong_length_of_known_kind},
    {"a kind at the very end", test_kind_at_the_end},
    {"options at the end of the header", test_end_of_header},
    {"MUST-64: no word boundaries", test_must_64},
    {"timestamp directly after MSS", test_timestamp_after_mss},
    {"SYNs of common systems", test_common_syns},
    {"timestamp layouts", test_timestamp_layouts},
    {"SACK", test_sack},
    {"SACK without blocks", test_sack_without_blocks},
    {"RFC 7413 2: Fast Open", test_fast_open},
    {"write Fast Open", test_write_fast_open},
    {"RFC 9768 3.2.3: byte counters", test_accecn},
    {"RFC 9768 3.2.3: write byte counters", test_write_accecn},
    {"RFC 2385 3.0: find a signature", test_find_md5},
    {"RFC 2385 3.0: leave room for a signature", test_write_md5},
    {"RFC 5925 2.2: find a signature, and none of several", test_find_ao},
    {"RFC 5925 2.2: leave room for a signature of any length", test_write_ao},
    {"MUST-68, MUST-69: write every set of options", test_write_every_set},
    {"write the usual layouts", test_write_layouts},
    {"write as many SACK blocks as fit", test_write_sack_room},
    {"write the plain header", test_write_plain},
    {"write the usual options and their sum", test_write_usual},
    {"random bytes", test_random_bytes},
};

UNIT_MAIN("wire/tcp", cases)
