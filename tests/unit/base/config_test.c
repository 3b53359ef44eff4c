/* SPDX-License-Identifier: BSD-2-Clause */

/* The key table, its limits, what values have to do with each other, and the "auto" values. */

#include <percore/config.h>

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../unit.h"

static uint64_t *value_at(struct pc_stack_config *c, const struct pc_config_key *key)
{
	return (uint64_t *)(void *)((char *)c + key->offset);
}

static void test_defaults(void)
{
	struct pc_stack_config c;
	char why[200] = "untouched";

	memset(&c, 0xa5, sizeof(c));
	pc_stack_config_init(&c);
	CU_ASSERT_EQUAL(c.tcp_initial_window, 10);
	CU_ASSERT_EQUAL(c.tcp_msl_ms, 30000);
	CU_ASSERT_EQUAL(c.stack_max_connections, 0);
	CU_ASSERT_EQUAL(c.socket_id, -1);
	CU_ASSERT_STRING_EQUAL(c.name, "");
	CU_ASSERT_EQUAL(pc_stack_config_check(&c, why, sizeof(why)), 0);
	CU_ASSERT_STRING_EQUAL(why, "untouched");
}

static void test_table(void)
{
	struct pc_stack_config c;
	const struct pc_config_key *keys;
	size_t n;

	pc_stack_config_init(&c);
	keys = pc_stack_config_keys(&n);
	CU_ASSERT(n > 40);
	for (size_t i = 0; i < n; i++) {
		CU_ASSERT_EQUAL(*value_at(&c, &keys[i]), keys[i].def);
		CU_ASSERT(keys[i].min <= keys[i].def && keys[i].def <= keys[i].max);
		CU_ASSERT(strlen(keys[i].unit) > 0 && strlen(keys[i].sentence) > 10);
		for (const char *p = keys[i].name; *p != '\0'; p++)
			CU_ASSERT(islower(*p) || isdigit(*p) || *p == '_');
		for (size_t j = 0; j < i; j++) {
			CU_ASSERT_NOT_EQUAL(keys[i].offset, keys[j].offset);
			CU_ASSERT(strcmp(keys[i].section, keys[j].section) != 0 ||
			          strcmp(keys[i].name, keys[j].name) != 0);
		}
	}
}

/* Each key beyond either limit is refused, and the line names it. */
static void test_limits(void)
{
	const struct pc_config_key *keys;
	struct pc_stack_config c;
	char why[300], name[64];
	size_t n;

	keys = pc_stack_config_keys(&n);
	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s.%s", keys[i].section, keys[i].name);
		pc_stack_config_init(&c);
		if (keys[i].min > 0) {
			*value_at(&c, &keys[i]) = keys[i].min - 1;
			CU_ASSERT_EQUAL(pc_stack_config_check(&c, why, sizeof(why)), -EINVAL);
			CU_ASSERT_PTR_NOT_NULL(strstr(why, name));
		}
		if (keys[i].max < UINT64_MAX) {
			*value_at(&c, &keys[i]) = keys[i].max + 1;
			CU_ASSERT_EQUAL(pc_stack_config_check(&c, why, sizeof(why)), -EINVAL);
			CU_ASSERT_PTR_NOT_NULL(strstr(why, name));
			CU_ASSERT_PTR_NULL(strchr(why, '\n'));
		}
	}
}

static void test_orders(void)
{
	struct pc_stack_config c;
	char why[300];

	pc_stack_config_init(&c);
	c.tcp_port_first = 50000;
	c.tcp_port_last = 50000;
	CU_ASSERT_EQUAL(pc_stack_config_check(&c, why, sizeof(why)), 0);
	c.tcp_port_last = 49999;
	CU_ASSERT_EQUAL(pc_stack_config_check(&c, why, sizeof(why)), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "tcp.port_first"));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "tcp.port_last"));
	CU_ASSERT_EQUAL(pc_stack_config_check(&c, NULL, 0), -EINVAL);

	pc_stack_config_init(&c);
	c.tcp_rto_min_ms = 2001;
	c.tcp_rto_max_ms = 2000;
	CU_ASSERT_EQUAL(pc_stack_config_check(&c, why, sizeof(why)), -EINVAL);
	c.tcp_rto_min_ms = 2000;
	CU_ASSERT_EQUAL(pc_stack_config_check(&c, why, sizeof(why)), 0);
	c.tcp_rto_initial_ms = 2001;
	CU_ASSERT_EQUAL(pc_stack_config_check(&c, why, sizeof(why)), -EINVAL);
}

/* An "auto" upper value is no limit; a set one is. */
static void test_order_with_auto(void)
{
	struct pc_stack_config c;
	char why[300];

	pc_stack_config_init(&c);
	CU_ASSERT_EQUAL(c.stack_mbufs, 0);
	CU_ASSERT_EQUAL(pc_stack_config_check(&c, why, sizeof(why)), 0);
	c.stack_mbufs = c.stack_rx_burst - 1;
	CU_ASSERT_EQUAL(pc_stack_config_check(&c, why, sizeof(why)), -EINVAL);
}

static void test_why_is_cut(void)
{
	struct pc_stack_config c;
	char why[8];

	pc_stack_config_init(&c);
	c.ip_ttl = 0;
	memset(why, 'x', sizeof(why));
	CU_ASSERT_EQUAL(pc_stack_config_check(&c, why, sizeof(why)), -EINVAL);
	CU_ASSERT_STRING_EQUAL(why, "ip.ttl:");
	CU_ASSERT_EQUAL(pc_stack_config_check(&c, why, 0), -EINVAL);
}

static void test_other_members(void)
{
	struct pc_stack_config c;
	char why[300];

	pc_stack_config_init(&c);
	memset(c.name, 'n', sizeof(c.name));
	CU_ASSERT_EQUAL(pc_stack_config_check(&c, why, sizeof(why)), -EINVAL);
	c.name[31] = '\0';
	CU_ASSERT_EQUAL(pc_stack_config_check(&c, why, sizeof(why)), 0);
	c.socket_id = -2;
	CU_ASSERT_EQUAL(pc_stack_config_check(&c, why, sizeof(why)), -EINVAL);
}

static void test_fit(void)
{
	static const struct {
		uint64_t bytes, connections, mbufs, time_wait;
	} fits[] = {
	    {0, 64, 8255, 4096},
	    {57600, 64, 8191, 4096},
	    {90000, 100, 8191, 4096},
	    {UINT64_C(36) << 20, 41943, 9313, 41943},
	    {UINT64_C(192) << 20, 223696, 49669, 223696},
	    {UINT64_C(256) << 20, 298261, 65535, 262144},
	    {UINT64_C(64) << 30, 1048576, 65535, 262144},
	    {UINT64_MAX, 1048576, 65535, 262144},
	};

	for (size_t i = 0; i < sizeof(fits) / sizeof(fits[0]); i++) {
		struct pc_stack_config c;

		pc_stack_config_init(&c);
		pc_stack_config_fit(&c, fits[i].bytes);
		CU_ASSERT_EQUAL(c.stack_max_connections, fits[i].connections);
		CU_ASSERT_EQUAL(c.stack_mbufs, fits[i].mbufs);
		CU_ASSERT_EQUAL(c.tcp_time_wait, fits[i].time_wait);
		CU_ASSERT_EQUAL(pc_stack_config_check(&c, NULL, 0), 0);
	}
}

/* What was set stays; what is computed follows from it. */
static void test_fit_keeps(void)
{
	struct pc_stack_config c;

	pc_stack_config_init(&c);
	c.stack_max_connections = 10000000;
	c.tcp_time_wait = 7;
	pc_stack_config_fit(&c, 0);
	CU_ASSERT_EQUAL(c.stack_max_connections, 10000000);
	CU_ASSERT_EQUAL(c.stack_mbufs, 65535);
	CU_ASSERT_EQUAL(c.tcp_time_wait, 7);
	CU_ASSERT_EQUAL(c.stack_seed, 0); /* "auto", but not of memory */
}

/* A key that stands for a choice takes its words, and its numbers; no other key takes words. */
static void test_words(void)
{
	const struct pc_config_key *key = pc_stack_config_find("tcp.congestion");
	static const char *const names[] = {"reno", "cubic", "dctcp", "bbr"};
	uint64_t v;

	CU_ASSERT_PTR_NOT_NULL_FATAL(key);
	for (unsigned i = 0; i < 4; i++) {
		v = 99;
		CU_ASSERT_EQUAL(pc_config_key_parse(key, names[i], &v, NULL, 0), 0);
		CU_ASSERT_EQUAL(v, i);
	}
	CU_ASSERT_EQUAL(pc_config_key_parse(key, "BBR", &v, NULL, 0), 0);
	CU_ASSERT_EQUAL(pc_config_key_parse(key, "2", &v, NULL, 0), 0);
	CU_ASSERT_EQUAL(v, 2);
	CU_ASSERT_EQUAL(pc_config_key_parse(key, "4", &v, NULL, 0), -EINVAL);
	CU_ASSERT_EQUAL(pc_config_key_parse(key, "vegas", &v, NULL, 0), -EINVAL);
	CU_ASSERT_EQUAL(pc_config_key_parse(key, "cubi", &v, NULL, 0), -EINVAL);
	CU_ASSERT_EQUAL(pc_config_key_parse(key, "", &v, NULL, 0), -EINVAL);
	key = pc_stack_config_find("tcp.msl_ms");
	CU_ASSERT_EQUAL(pc_config_key_parse(key, "ms", &v, NULL, 0), -EINVAL);
}

static const struct unit_case cases[] = {
    {"defaults", test_defaults},
    {"key table", test_table},
    {"limits of every key", test_limits},
    {"values that must be in order", test_orders},
    {"order with an automatic value", test_order_with_auto},
    {"the reason is cut to its room", test_why_is_cut},
    {"name and NUMA node", test_other_members},
    {"fit to memory", test_fit},
    {"fit keeps what is set", test_fit_keeps},
    {"words for a choice", test_words},
};

UNIT_MAIN("base/config", cases)
