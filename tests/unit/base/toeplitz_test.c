/* SPDX-License-Identifier: BSD-2-Clause */

/* The verification suite that NIC vendors use for RSS. */

#include "base/toeplitz.h"

#include <string.h>

#include "../unit.h"

static struct pc_port_rss make_rss(void)
{
	static const uint8_t key[40] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
	                                0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
	                                0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
	                                0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};
	struct pc_port_rss rss = {.nb_queues = 4, .reta_size = 128, .key_len = 40, .ports = true};

	memcpy(rss.key, key, sizeof(key));
	for (unsigned i = 0; i < 128; i++)
		rss.reta[i] = (uint16_t)(i % 4);
	return rss;
}

static struct pc_endpoint endpoint(const char *text, uint16_t port)
{
	struct pc_endpoint e = {.port = port};

	CU_ASSERT_EQUAL_FATAL(pc_addr_parse(text, &e.addr), 0);
	return e;
}

static const struct {
	const char *dst;
	uint16_t dport;
	const char *src;
	uint16_t sport;
	uint32_t hash, hash_ports;
} vectors[] = {
    {"161.142.100.80", 1766, "66.9.149.187", 2794, 0x323e8fc2, 0x51ccc178},
    {"65.69.140.83", 4739, "199.92.111.2", 14230, 0xd718262a, 0xc626b0ea},
    {"12.22.207.184", 38024, "24.19.198.95", 12898, 0xd2d0a5de, 0x5c2b394a},
    {"209.142.163.6", 2217, "38.27.205.30", 48228, 0x82989176, 0xafc7327f},
    {"202.188.127.2", 1303, "153.39.163.191", 44251, 0x5d1809c5, 0x10e828a2},
    {"3ffe:2501:200:3::1", 1766, "3ffe:2501:200:1fff::7", 2794, 0x2cc18cd5, 0x40207d3d},
    {"ff02::1", 4739, "3ffe:501:8::260:97ff:fe40:efab", 14230, 0x0f0c461c, 0xdde51bbf},
    {"fe80::200:f8ff:fe21:67cf", 38024, "3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251, 0x4b61e985,
     0x02d1feef},
};

static void test_vectors(void)
{
	const struct pc_port_rss rss = make_rss();

	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct pc_endpoint src = endpoint(vectors[i].src, vectors[i].sport);
		const struct pc_endpoint dst = endpoint(vectors[i].dst, vectors[i].dport);

		CU_ASSERT_EQUAL(toeplitz_hash(&rss, &src, &dst, false), vectors[i].hash);
		CU_ASSERT_EQUAL(toeplitz_hash(&rss, &src, &dst, true), vectors[i].hash_ports);
	}
}

static void test_queue(void)
{
	struct pc_port_rss rss = make_rss();
	const struct pc_endpoint src = endpoint("66.9.149.187", 2794);
	const struct pc_endpoint dst = endpoint("161.142.100.80", 1766);

	rss.reta[0x51ccc178 % 128] = 3;
	CU_ASSERT_EQUAL(toeplitz_queue(&rss, &src, &dst), 3);
	rss.ports = false;
	rss.reta[0x323e8fc2 % 128] = 2;
	CU_ASSERT_EQUAL(toeplitz_queue(&rss, &src, &dst), 2);
	rss.nb_queues = 1;
	CU_ASSERT_EQUAL(toeplitz_queue(&rss, &src, &dst), 0);
	rss.nb_queues = 4;
	rss.reta_size = 0;
	CU_ASSERT_EQUAL(toeplitz_queue(&rss, &src, &dst), 0);
}

/* The key 6d5a repeated hashes both directions alike (Woo and Park, 2012). */
static void test_symmetric_key(void)
{
	struct pc_port_rss rss = make_rss();

	for (unsigned i = 0; i < 40; i++)
		rss.key[i] = (i & 1) == 0 ? 0x6d : 0x5a;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct pc_endpoint src = endpoint(vectors[i].src, vectors[i].sport);
		const struct pc_endpoint dst = endpoint(vectors[i].dst, vectors[i].dport);

		CU_ASSERT_EQUAL(toeplitz_hash(&rss, &src, &dst, true),
		                toeplitz_hash(&rss, &dst, &src, true));
	}
}

static void test_short_and_long_keys(void)
{
	struct pc_port_rss rss = make_rss();
	const struct pc_endpoint src = endpoint("::1", 1), dst = endpoint("::2", 2);
	uint32_t hash;

	memset(rss.key, 0xff, sizeof(rss.key));
	for (unsigned len = 0; len <= PC_RSS_KEY_MAX; len++) {
		rss.key_len = (uint8_t)len;
		hash = toeplitz_hash(&rss, &src, &dst, true);
		if (len == 0)
			CU_ASSERT_EQUAL(hash, 0);
		if (len >= 40) /* four bits are set in the input */
			CU_ASSERT_EQUAL(hash, 0);
	}
}

static const struct unit_case cases[] = {
    {"RSS verification suite", test_vectors},
    {"queue", test_queue},
    {"symmetric key", test_symmetric_key},
    {"short and long keys", test_short_and_long_keys},
};

UNIT_MAIN("base/toeplitz", cases)
