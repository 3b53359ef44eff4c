/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of the firewall: whatever is in a text, it is read or refused by one line that ends within its room; and what is read
 * holds together. */
#include <errno.h>
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
		fuzz_check((rule->rate == 0) == (rule->burst == 0));
	}
	for (uint32_t i = 0; i < r->nb_entries; i++) {
		const struct fw_entry *e = &r->entry[i];

		fuzz_check(e->rule >= last && e->rule < r->n - 2);
		last = e->rule;
		fuzz_check(e->families != 0 && e->states != 0 && e->src.len <= 128 &&
		           e->dst.len <= 128);
		fuzz_check(e->sport.first <= e->sport.last && e->dport.first <= e->dport.last);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fw_rules r;
	char why[100] = "";
	const int rc = fw_rules_read(&r, "f", (const char *)data, size, MAX, why, sizeof(why));

	fuzz_check(rc == 0 || rc == -EINVAL || rc == -ENOSPC);
	fuzz_check(memchr(why, '\0', sizeof(why)) != NULL);
	fuzz_check((rc == 0) == (why[0] == '\0') && strchr(why, '\n') == NULL);
	if (rc == 0) {
		check_rules(&r, size);
		fw_rules_free(&r);
	}
	return 0;
}
