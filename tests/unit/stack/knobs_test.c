/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings that change while a stack runs. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <netinet/tcp.h>

#include <rte_malloc.h>

#include "fixture.h"

static struct box b;

static void open_box(void)
{
	box_init(&b);
	box_open(&b);
}

static uint64_t get(const char *key)
{
	char text[32] = "";

	CU_ASSERT_EQUAL(pc_stack_get(b.st, key, text, sizeof(text)), 0);
	return strtoull(text, NULL, 10);
}

static int set(const char *key, const char *value, char *why)
{
	errno = 0;
	why[0] = '\0';
	return pc_stack_set(b.st, key, value, why, 200) == 0 ? 0 : errno;
}

/* every key of the one list can be read, and set to what it is unless that is fixed */
static void test_every_key(void)
{
	const struct pc_config_key *key;
	char name[64], text[32], why[200];
	size_t n;

	open_box();
	key = pc_stack_config_keys(&n);
	for (; n > 0; n--, key++) {
		snprintf(name, sizeof(name), "%s.%s", key->section, key->name);
		CU_ASSERT_PTR_EQUAL(pc_stack_config_find(name), key);
		CU_ASSERT_EQUAL(pc_stack_get(b.st, name, text, sizeof(text)), 0);
		CU_ASSERT_EQUAL(set(name, text, why), 0);
	}
	box_close(&b);
}

static void test_limits(void)
{
	char why[200];

	open_box();
	CU_ASSERT_EQUAL(set("tcp.rto_min_ms", "50", why), 0);
	CU_ASSERT_EQUAL(get("tcp.rto_min_ms"), 50);
	CU_ASSERT_EQUAL(set("tcp.nagle", "off", why), 0);
	CU_ASSERT_EQUAL(get("tcp.nagle"), 0);
	CU_ASSERT_EQUAL(set("tcp.rto_min_ms", "0", why), EINVAL);
	CU_ASSERT_STRING_EQUAL(why, "tcp.rto_min_ms: 0 is out of range (1 to 60000 ms)");
	CU_ASSERT_EQUAL(set("tcp.rto_min_ms", "5x", why), EINVAL);
	CU_ASSERT_STRING_EQUAL(why, "tcp.rto_min_ms: \"5x\" is not a number from 1 to 60000 (ms)");
	CU_ASSERT_EQUAL(set("tcp.port_first", "65000", why), EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "leaves no ephemeral ports"));
	CU_ASSERT_EQUAL(set("tcp.no_such_key", "1", why), ENOENT);
	CU_ASSERT_STRING_EQUAL(why, "unknown key tcp.no_such_key");
	CU_ASSERT_EQUAL(set("nonsense", "1", why), ENOENT);
	CU_ASSERT_EQUAL(pc_stack_get(b.st, "nonsense", why, 200), -1);
	CU_ASSERT_EQUAL(pc_stack_get(b.st, "tcp.rcvbuf", why, 2), -1);
	CU_ASSERT_EQUAL(errno, ENOSPC);
	CU_ASSERT_EQUAL(get("tcp.rto_min_ms"), 50);
	box_close(&b);
}

/* of what tables were made does not change; to set it to what it is does no harm */
static void test_fixed(void)
{
	char why[200], text[32];

	open_box();
	CU_ASSERT_EQUAL(set("tcp.syn_cache", "9999", why), EPERM);
	CU_ASSERT_STRING_EQUAL(why, "tcp.syn_cache requires a restart to change");
	snprintf(text, sizeof(text), "%" PRIu64, get("tcp.syn_cache"));
	CU_ASSERT_EQUAL(set("tcp.syn_cache", text, why), 0);
	CU_ASSERT_EQUAL(set("stack.max_connections", "1", why), EPERM);
	box_close(&b);
}

/* two limits may move beyond each other at once, but not one after the other */
static void test_at_once(void)
{
	struct pc_stack_config cfg;
	char why[200];

	open_box();
	cfg = *pc_stack_get_config(b.st);
	cfg.tcp_port_first = 1024;
	cfg.tcp_port_last = 2000;
	CU_ASSERT_EQUAL(set("tcp.port_last", "2000", why), EINVAL);
	CU_ASSERT_EQUAL(set("tcp.rcvbuf_min", "1048576", why), EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "keep more than it may hold"));
	CU_ASSERT_EQUAL(set("tcp.sndbuf_min", "1048576", why), EINVAL);
	CU_ASSERT_EQUAL(pc_stack_reconfigure(b.st, &cfg, why, sizeof(why)), 0);
	CU_ASSERT_EQUAL(get("tcp.port_first"), 1024);
	CU_ASSERT_EQUAL(get("tcp.port_last"), 2000);
	cfg.tcp_retries = 0;
	cfg.tcp_port_first = 1500;
	CU_ASSERT_EQUAL(pc_stack_reconfigure(b.st, &cfg, why, sizeof(why)), -1);
	CU_ASSERT_EQUAL(get("tcp.port_first"), 1024);
	box_close(&b);
}

/* sockets have the new defaults; a value of a socket's own stays */
static void test_sockets(void)
{
	int old, own, fresh, v = 77;
	socklen_t len = sizeof(v);
	char why[200];

	open_box();
	old = pc_socket(b.st, AF_INET, SOCK_STREAM, 0);
	own = pc_socket(b.st, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(pc_setsockopt(b.st, own, IPPROTO_TCP, TCP_KEEPIDLE, &v, sizeof(v)), 0);
	CU_ASSERT_EQUAL(set("tcp.keepalive_idle_ms", "5000", why), 0);
	CU_ASSERT_EQUAL(set("tcp.nagle", "no", why), 0);
	fresh = pc_socket(b.st, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(pc_getsockopt(b.st, old, IPPROTO_TCP, TCP_KEEPIDLE, &v, &len), 0);
	CU_ASSERT_EQUAL(v, 5);
	CU_ASSERT_EQUAL(pc_getsockopt(b.st, own, IPPROTO_TCP, TCP_KEEPIDLE, &v, &len), 0);
	CU_ASSERT_EQUAL(v, 77);
	CU_ASSERT_EQUAL(pc_getsockopt(b.st, fresh, IPPROTO_TCP, TCP_NODELAY, &v, &len), 0);
	CU_ASSERT_EQUAL(v, 1);
	CU_ASSERT_EQUAL(pc_getsockopt(b.st, old, IPPROTO_TCP, TCP_NODELAY, &v, &len), 0);
	CU_ASSERT_EQUAL(v, 0);
	box_close(&b);
}

/* what only some settings need is there once they are made; without it they are not */
static void test_memory(void)
{
	void *taken[64];
	unsigned n = 0;
	uint64_t before;
	char why[200];

	open_box();
	before = box_allocated();
	CU_ASSERT_EQUAL(set("tcp.ecn", "1", why), 0);
	CU_ASSERT_EQUAL(box_allocated(), before);
	for (size_t size = 256u << 20; size >= 64 && n < RTE_DIM(taken);) {
		taken[n] = rte_malloc("rest", size, 0);
		if (taken[n] != NULL)
			n++;
		else
			size /= 2;
	}
	CU_ASSERT_EQUAL(set("tcp.ecn", "3", why), ENOMEM);
	CU_ASSERT_STRING_EQUAL(why, "not enough memory for the new settings");
	CU_ASSERT_EQUAL(get("tcp.ecn"), 1);
	while (n > 0)
		rte_free(taken[--n]);
	CU_ASSERT_EQUAL(set("tcp.ecn", "3", why), 0);
	CU_ASSERT(box_allocated() >= before + 32 * b.cfg.stack_max_connections);
	before = box_allocated();
	CU_ASSERT_EQUAL(set("tcp.ecn", "2", why), 0); /* connections may have it */
	CU_ASSERT_EQUAL(set("tcp.ecn", "5", why), 0);
	CU_ASSERT_EQUAL(box_allocated(), before);
	box_close(&b);
}

static const struct unit_case cases[] = {
    {"every key can be read", test_every_key}, {"limits and mistakes", test_limits},
    {"what cannot change", test_fixed},        {"several at once", test_at_once},
    {"defaults of sockets", test_sockets},     {"memory for new settings", test_memory},
};

int main(void)
{
	return box_program("knobs", cases, RTE_DIM(cases));
}
