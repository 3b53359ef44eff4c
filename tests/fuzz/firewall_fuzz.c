/* SPDX-License-Identifier: BSD-2-Clause */
/* Firewall rules: any text is either accepted, or rejected with a single line that fits into its
 * buffer; and accepted rules are consistent. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "fw/rules.h"

#define MAX 1000

static void check_rules(const struct fw_rules *r, size_t size)
{
	uint32_t last = 0;

	fuzz_check(r->n >= 2 && r->nb_entries <= MAX);
	for (uint32_t i = 0; i < r->n; i++) {
		const struct fw_rule *rule = &r->rule[i];

		fuzz_check(rule->action <= FW_REJECT && rule->dir <= FW_OUT);
		fuzz_check(strlen(rule->text) <= size || rule->line == 0);
		fuzz_check((rule->limit.packets == 0) == (rule->limit.burst == 0));
		fuzz_check((rule->source_limit.packets == 0) == (rule->source_limit.burst == 0));
		fuzz_check((rule->fills == FW_FILLS_NOTHING) == (rule->timeout_s == 0));
		fuzz_check(!rule->handshakes ||
		           (rule->source_limit.packets != 0 && rule->action == FW_PASS));
		fuzz_check(!rule->flushes || (rule->handshakes && rule->fills == FW_OVERLOADS));
		fuzz_check(rule->fills == FW_FILLS_NOTHING ||
		           (rule->table < r->tables.n && rule->dir == FW_IN &&
		            r->tables.table[rule->table].ports == NULL));
	}
	for (uint32_t i = 0; i < r->nb_entries; i++) {
		const struct fw_entry *e = &r->entry[i];

		fuzz_check(e->rule >= last && e->rule < r->n - 2);
		last = e->rule;
		fuzz_check(e->families != 0 && e->states != 0 && e->src.len <= 128 &&
		           e->dst.len <= 128);
		fuzz_check(e->sport.first <= e->sport.last && e->dport.first <= e->dport.last);
		fuzz_check(e->proto.first <= e->proto.last &&
		           e->icmp_type.first <= e->icmp_type.last &&
		           e->netif.first <= e->netif.last && (e->flags & ~e->flags_mask) == 0);
		fuzz_check(e->cond < r->nb_conds);
		for (unsigned k = 0; e->cond != 0 && k < FW_ASKS; k++)
			fuzz_check(
			    (r->cond[e->cond].ask[k].value & ~r->cond[e->cond].ask[k].mask) == 0);
	}
}

static void check_tables(const struct fw_tables *t)
{
	uint32_t total = 0;

	fuzz_check(t->n <= FW_TABLES);
	for (unsigned i = 0; i < t->n; i++) {
		fuzz_check(memchr(t->table[i].name, '\0', FW_TABLE_NAME) != NULL);
		fuzz_check(t->table[i].ports == NULL || t->table[i].n == 0);
		for (uint32_t k = 0; k < t->table[i].n; k++)
			fuzz_check(t->table[i].prefix[k].len <= 128);
		total += t->table[i].n;
	}
	fuzz_check(total == t->total && total <= MAX);
}

/* the only files that exist, each with the text itself */
static char *read_file(void *arg, const char *path, size_t *len, char *why, size_t why_len)
{
	const struct pc_firewall_args *a = arg;
	char *copy = strcmp(path, "/f") == 0 || strcmp(path, "/etc/services") == 0
	                 ? malloc(a->len + 1)
	                 : NULL;

	if (copy == NULL) {
		snprintf(why, why_len, "%s: there is none", path);
		return NULL;
	}
	memcpy(copy, a->text, a->len);
	*len = a->len;
	return copy;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

/* Reads rules; the files that they name contain text. */
static void read_rules(const char *rules, size_t len, const struct pc_firewall_args *text)
{
	static const char *const names[] = {"net_tap0"};
	const struct pc_firewall_args args = {.text = rules,
	                                      .len = len,
	                                      .name = "f",
	                                      .max_rules = MAX,
	                                      .max_addrs = MAX,
	                                      .nb_ports = 1,
	                                      .port_names = names,
	                                      .read_file = read_file,
	                                      .read_arg = (void *)(uintptr_t)text};
	struct fw_rules r;
	char why[100] = "";
	const int rc = fw_rules_read(&r, &args, why, sizeof(why));

	fuzz_check(rc == 0 || rc == -EINVAL || rc == -ENOSPC);
	fuzz_check(memchr(why, '\0', sizeof(why)) != NULL);
	fuzz_check((rc == 0) == (why[0] == '\0') && strchr(why, '\n') == NULL);
	if (rc == 0) {
		check_rules(&r, len);
		check_tables(&r.tables);
		fw_rules_free(&r);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char table[] = "table a file /f", ports[] = "table a ports file /f";
	static const char rule[] = "pass in proto tcp to port http";
	const struct pc_firewall_args text = {.text = (const char *)data, .len = size};

	read_rules(text.text, size, &text);
	read_rules(table, sizeof(table) - 1, &text);
	read_rules(ports, sizeof(ports) - 1, &text);
	read_rules(rule, sizeof(rule) - 1, &text);
	return 0;
}
