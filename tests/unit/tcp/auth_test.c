/* SPDX-License-Identifier: BSD-2-Clause */
/* Signatures: the vectors of RFC 9235 for TCP-AO, and extensions of numbers. */

#include "tcp/auth_key.h"

#include <percore/tcp_ao.h>

#include "../unit.h"
#include "fixture.h"

/* RFC 9235 section 3.1: "testvector" is the master key; the client has KeyID 61, the server 84 */
#define CLIENT4 0x0a0b0c0d
#define SERVER4 0xac1b1c1d

/* the BGP OPEN that both sides send: autonomous system and identifier */
#define OPEN(as, id)                                                                            \
	"ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff 00 43 01 04 " as " 00 b4 " id          \
	" 26 02 06 01 04 00 01 00 01 02 02 80 00 02 02 02 00 02 02 42 00 02 06 41 04 00 00 " as \
	" 02 08 40 06 00 64 00 01 01 00"
#define OPEN_CLIENT4 OPEN("da bf", "0a 0b 0c 0d")
#define OPEN_SERVER4 OPEN("da c0", "ac 1b 1c 1d")
#define OPEN_CLIENT6 OPEN("fd e8", "01 01 01 79")
#define OPEN_SERVER6 OPEN("fd e8", "01 01 01 7a")

#define COVERS 0
#define OMITS  TCP_AO_KEYF_EXCLUDE_OPT

struct vector {
	const char *section;
	enum mac_alg alg;
	uint8_t flags;
	bool ip6, from_server;
	uint32_t client_isn, server_isn;
	const char *segment;
};

static const struct vector vectors[] = {
    {"4.1.1", MAC_HMAC_SHA1, COVERS, false, false, 0xfbfbab5a, 0x11c14261,
     "e9 d7 00 b3 fb fb ab 5a 00 00 00 00 e0 02 ff ff ca c4 00 00 02 04 05 b4 01 03 03 08"
     "04 02 08 0a 00 15 5a b7 00 00 00 00 1d 10 3d 54 2e e4 37 c6 f8 ed e6 d7 c4 d6 02 e7"},
    {"4.1.2", MAC_HMAC_SHA1, COVERS, false, true, 0xfbfbab5a, 0x11c14261,
     "00 b3 e9 d7 11 c1 42 61 fb fb ab 5b e0 12 ff ff 37 76 00 00 02 04 05 b4 01 03 03 08"
     "04 02 08 0a 84 a5 0b eb 00 15 5a b7 1d 10 54 3d ee ab 0f e2 4c 30 10 81 51 16 b3 be"},
    {"4.1.3", MAC_HMAC_SHA1, COVERS, false, false, 0xfbfbab5a, 0x11c14261,
     "e9 d7 00 b3 fb fb ab 5b 11 c1 42 62 c0 18 01 04 a1 62 00 00 01 01 08 0a 00 15 5a c1"
     "84 a5 0b eb 1d 10 3d 54 70 64 cf 99 8c c6 c3 15 c2 c2 e2 bf" OPEN_CLIENT4},
    {"4.1.4", MAC_HMAC_SHA1, COVERS, false, true, 0xfbfbab5a, 0x11c14261,
     "00 b3 e9 d7 11 c1 42 62 fb fb ab 9e c0 18 01 00 40 0c 00 00 01 01 08 0a 84 a5 0b f5"
     "00 15 5a c1 1d 10 54 3d a6 3f 0e cb bb 2e 63 5c 95 4d ea c7" OPEN_SERVER4},
    {"4.2.1", MAC_HMAC_SHA1, OMITS, false, false, 0xcb0efbee, 0xacd5b5e1,
     "ff 12 00 b3 cb 0e fb ee 00 00 00 00 e0 02 ff ff 54 1f 00 00 02 04 05 b4 01 03 03 08"
     "04 02 08 0a 00 02 4c ce 00 00 00 00 1d 10 3d 54 80 af 3c fe b8 53 68 93 7b 8f 9e c2"},
    {"4.2.2", MAC_HMAC_SHA1, OMITS, false, true, 0xcb0efbee, 0xacd5b5e1,
     "00 b3 ff 12 ac d5 b5 e1 cb 0e fb ef e0 12 ff ff 38 8e 00 00 02 04 05 b4 01 03 03 08"
     "04 02 08 0a 57 67 72 f3 00 02 4c ce 1d 10 54 3d 09 30 6f 9a ce a6 3a 8c 68 cb 9a 70"},
    {"4.2.3", MAC_HMAC_SHA1, OMITS, false, false, 0xcb0efbee, 0xacd5b5e1,
     "ff 12 00 b3 cb 0e fb ef ac d5 b5 e2 c0 18 01 04 6c 45 00 00 01 01 08 0a 00 02 4c ce"
     "57 67 72 f3 1d 10 3d 54 71 06 08 cc 69 6c 03 a2 71 c9 3a a5" OPEN_CLIENT4},
    {"5.1.1", MAC_CMAC_AES128, COVERS, false, false, 0x787a1ddf, 0xfadd6de9,
     "c4 fa 00 b3 78 7a 1d df 00 00 00 00 e0 02 ff ff 5a 0f 00 00 02 04 05 b4 01 03 03 08"
     "04 02 08 0a 00 01 7e d0 00 00 00 00 1d 10 3d 54 e4 77 e9 9c 80 40 76 54 98 e5 50 91"},
    {"5.1.2", MAC_CMAC_AES128, COVERS, false, true, 0x787a1ddf, 0xfadd6de9,
     "00 b3 c4 fa fa dd 6d e9 78 7a 1d e0 e0 12 ff ff f3 f2 00 00 02 04 05 b4 01 03 03 08"
     "04 02 08 0a 93 f4 e9 e8 00 01 7e d0 1d 10 54 3d d6 ad a7 bc 4c dd 53 6d 17 69 db 5f"},
    {"5.1.3", MAC_CMAC_AES128, COVERS, false, false, 0x787a1ddf, 0xfadd6de9,
     "c4 fa 00 b3 78 7a 1d e0 fa dd 6d ea c0 18 01 04 95 05 00 00 01 01 08 0a 00 01 7e d0"
     "93 f4 e9 e8 1d 10 3d 54 77 41 27 42 fa 4d c4 33 ef f0 97 3e" OPEN_CLIENT4},
    {"5.1.4", MAC_CMAC_AES128, COVERS, false, true, 0x787a1ddf, 0xfadd6de9,
     "00 b3 c4 fa fa dd 6d ea 78 7a 1e 23 c0 18 01 00 e7 db 00 00 01 01 08 0a 93 f4 e9 e8"
     "00 01 7e d0 1d 10 54 3d f6 d9 65 a7 83 82 a7 48 45 f7 2d ac" OPEN_SERVER4},
    {"5.2.1", MAC_CMAC_AES128, OMITS, false, false, 0x389bed71, 0xd3844a6f,
     "da 1c 00 b3 38 9b ed 71 00 00 00 00 e0 02 ff ff 70 bf 00 00 02 04 05 b4 01 03 03 08"
     "04 02 08 0a 00 01 85 e1 00 00 00 00 1d 10 3d 54 c4 4e 60 cb 31 f7 c0 b1 de 3d 27 49"},
    {"5.2.3", MAC_CMAC_AES128, OMITS, false, false, 0x389bed71, 0xd3844a6f,
     "da 1c 00 b3 38 9b ed 72 d3 84 4a 70 c0 18 01 04 88 51 00 00 01 01 08 0a 00 01 85 e1"
     "ce 45 98 38 1d 10 3d 54 75 85 e9 e9 d5 c3 ec 85 7b 96 f8 37" OPEN_CLIENT4},
    {"6.1.1", MAC_HMAC_SHA1, COVERS, true, false, 0x176a833f, 0x3f51994b,
     "f7 e4 00 b3 17 6a 83 3f 00 00 00 00 e0 02 ff ff 47 21 00 00 02 04 05 a0 01 03 03 08"
     "04 02 08 0a 00 41 d0 87 00 00 00 00 1d 10 3d 54 90 33 ec 3d 73 34 b6 4c 5e dd 03 9f"},
    {"6.1.2", MAC_HMAC_SHA1, COVERS, true, true, 0x176a833f, 0x3f51994b,
     "00 b3 f7 e4 3f 51 99 4b 17 6a 83 40 e0 12 ff ff bf ec 00 00 02 04 05 a0 01 03 03 08"
     "04 02 08 0a bd 33 12 9b 00 41 d0 87 1d 10 54 3d f1 cb a3 46 c3 52 61 63 f7 1f 1f 55"},
    {"6.1.3", MAC_HMAC_SHA1, COVERS, true, false, 0x176a833f, 0x3f51994b,
     "f7 e4 00 b3 17 6a 83 40 3f 51 99 4c c0 18 01 00 32 9c 00 00 01 01 08 0a 00 41 d0 91"
     "bd 33 12 9b 1d 10 3d 54 bf 08 05 fe b4 ac 7b 16 3d 6f cd f2" OPEN_CLIENT6},
    {"6.2.2", MAC_HMAC_SHA1, OMITS, true, true, 0x020c1e69, 0xeba3734d,
     "00 b3 c6 cd eb a3 73 4d 02 0c 1e 6a e0 12 ff ff 77 4d 00 00 02 04 05 a0 01 03 03 08"
     "04 02 08 0a 5e c9 9b 70 00 9d b9 5b 1d 10 54 3d 3c 54 6b ad 97 43 f1 2d f8 b8 01 0d"},
    {"6.2.4", MAC_HMAC_SHA1, OMITS, true, true, 0x020c1e69, 0xeba3734d,
     "00 b3 c6 cd eb a3 73 4e 02 0c 1e ad c0 18 01 00 71 6a 00 00 01 01 08 0a 5e c9 9b 7a"
     "00 9d b9 65 1d 10 54 3d 55 9a 81 94 45 b4 fd e9 8d 9e 13 17" OPEN_SERVER6},
    {"7.1.2", MAC_CMAC_AES128, COVERS, true, true, 0x193cccec, 0xa6744ecb,
     "00 b3 f8 5a a6 74 4e cb 19 3c cc ed e0 12 ff ff ea bb 00 00 02 04 05 a0 01 03 03 08"
     "04 02 08 0a 71 da ab c8 13 e4 ab 99 1d 10 54 3d dc 28 43 a8 4e 78 a6 bc fd c5 ed 80"},
    {"7.1.4", MAC_CMAC_AES128, COVERS, true, true, 0x193cccec, 0xa6744ecb,
     "00 b3 f8 5a a6 74 4e cc 19 3c cd 30 c0 18 01 00 52 f4 00 00 01 01 08 0a 71 da ab d3"
     "13 e4 ab a3 1d 10 54 3d c1 06 9b 7d fd 3d 69 3a 6d f3 f2 89" OPEN_SERVER6},
    {"7.2.3", MAC_CMAC_AES128, OMITS, true, false, 0xb01da74a, 0xa6246145,
     "f2 88 00 b3 b0 1d a7 4b a6 24 61 46 c0 18 01 00 c3 6d 00 00 01 01 08 0a 14 27 5b 4f"
     "17 82 24 5b 1d 10 3d 54 29 0c f4 14 cc b4 7a 33 32 76 e7 f8" OPEN_CLIENT6},
};

static uint16_t read_hex(const char *text, uint8_t *to)
{
	uint16_t n = 0;

	for (; *text != '\0'; text++) {
		if (*text == ' ')
			continue;
		to[n++] = (uint8_t)strtoul((const char[3]){text[0], text[1], '\0'}, NULL, 16);
		text++;
	}
	return n;
}

static struct pc_addr end_of(const struct vector *v, bool server)
{
	struct pc_addr a = {.b = {0xfd, [15] = server ? 2 : 1}};

	return v->ip6 ? a : pc_addr_ip4(rte_cpu_to_be_32(server ? SERVER4 : CLIENT4));
}

/* the segment in mbufs of at most part bytes, behind off others */
static struct rte_mbuf *segment_of(const uint8_t *bytes, uint16_t len, uint16_t off)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(net.pool), *rest = rte_pktmbuf_alloc(net.pool);
	const uint16_t first = (bytes[12] >> 4) * 4;

	memset(rte_pktmbuf_append(m, off), 0xa5, off);
	memcpy(rte_pktmbuf_append(m, first), bytes, first);
	memcpy(rte_pktmbuf_append(rest, len - first), bytes + first, len - first);
	CU_ASSERT_EQUAL(rte_pktmbuf_chain(m, rest), 0);
	return m;
}

static void try_vector(const struct vector *v)
{
	const struct pc_addr src = end_of(v, v->from_server), dst = end_of(v, !v->from_server);
	struct auth_key key = {.kind = AUTH_AO,
	                       .alg = (uint8_t)v->alg,
	                       .flags = v->flags,
	                       .mac_len = 12,
	                       .len = 10,
	                       .bytes = "testvector"};
	struct auth_by by = {.key = &key,
	                     .isn = v->from_server ? v->server_isn : v->client_isn,
	                     .peer_isn = v->from_server ? v->client_isn : v->server_isn};
	struct tcp_auth option;
	struct rte_mbuf *m;
	const uint8_t *told;
	uint8_t bytes[200], *l4;
	uint16_t len = read_hex(v->segment, bytes);

	by.seq = by.isn;
	auth_prepare(&key);
	m = segment_of(bytes, len, 20);
	l4 = rte_pktmbuf_mtod_offset(m, uint8_t *, 20);
	told = tcp_find_auth(l4, (l4[12] >> 4) * 4u, &option);
	CU_ASSERT_PTR_NOT_NULL_FATAL(told);
	CU_ASSERT(option.kind == TCP_AUTH_AO && option.len == 12);
	CU_ASSERT_EQUAL(option.keyid, v->from_server ? 84 : 61);
	if (!auth_verify(&by, &src, &dst, m, 20, len, told)) {
		printf("vector %s of RFC 9235\n", v->section);
		CU_FAIL("wrong");
	}
	/* neither with another number, nor another text, nor another key; a checksum does not count */
	l4[16] ^= 1;
	CU_ASSERT(auth_verify(&by, &src, &dst, m, 20, len, told));
	l4[4] ^= 1;
	CU_ASSERT_FALSE(auth_verify(&by, &src, &dst, m, 20, len, told));
	l4[4] ^= 1;
	l4[20] ^= 1; /* of the first option */
	CU_ASSERT_EQUAL(auth_verify(&by, &src, &dst, m, 20, len, told), v->flags == OMITS);
	l4[20] ^= 1;
	key.bytes[0] ^= 1;
	CU_ASSERT_FALSE(auth_verify(&by, &src, &dst, m, 20, len, told));
	rte_pktmbuf_free(m);
}

static void test_vectors(void)
{
	start();
	if (auth_is_there())
		for (size_t i = 0; i < RTE_DIM(vectors); i++)
			try_vector(&vectors[i]);
	finish();
}

static void test_extend(void)
{
	const uint64_t k = UINT64_C(1) << 32;

	CU_ASSERT_EQUAL(auth_extend(0xfffffff0, 0xfffffff1), 0xfffffff1);
	CU_ASSERT_EQUAL(auth_extend(0xfffffff0, 5), k + 5);
	CU_ASSERT_EQUAL(auth_extend(k + 5, 0xfffffff0), 0xfffffff0);
	CU_ASSERT_EQUAL(auth_extend(7 * k + 5, 0xfffffff0), 6 * k + 0xfffffff0);
	CU_ASSERT_EQUAL(auth_extend(7 * k + 0x80000000, 0), 7 * k);
	CU_ASSERT_EQUAL(auth_extend(7 * k + 0x80000001, 0), 8 * k);
	/* before the ISN */
	CU_ASSERT_EQUAL(auth_extend(0, 0xffffffff) >> 32, UINT32_MAX);
}

static const struct unit_case cases[] = {
    {"RFC 9235 4 to 7: vectors of both algorithms, over IPv4 and IPv6", test_vectors},
    {"RFC 5925 6.2: sequence number extensions", test_extend},
};
TCP_UNIT_MAIN("tcp/auth")
