/* SPDX-License-Identifier: BSD-2-Clause */
#include "common.h"

static char *print(void (*how)(const struct settings *s, FILE *f))
{
	struct settings *s = test_settings();
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	how(s, f);
	fclose(f);
	free(s);
	return text;
}

static void help_names_every_key_with_its_limits(void)
{
	char *text = print(help_print), want[256];
	struct settings *s = test_settings();

	for (unsigned t = 0; t < SETTINGS_TABLES; t++)
		for (size_t i = 0; i < s->tables[t].n; i++) {
			const struct pc_config_key *k = &s->tables[t].keys[i];

			snprintf(want, sizeof(want), "  %s.%s = %llu  (%llu to %llu %s)%s\n",
			         k->section, k->name, (unsigned long long)k->def,
			         (unsigned long long)k->min, (unsigned long long)k->max, k->unit,
			         settings_is_live(s, t, k) ? " *" : "");
			CU_ASSERT_PTR_NOT_NULL(strstr(text, want));
		}
	for (const struct common_option *o = common_options; o->name != NULL; o++) {
		snprintf(want, sizeof(want), "--%s", o->name);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, want));
	}
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "(1 to 60000 ms) *\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "(16 to 16000000 entries)\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "  -b, --answer N\n            the answer\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "  test.word\n            as --word\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "  net.addr\n"));
	free(s);
	free(text);
}

static void lines_fit_a_terminal(void)
{
	char *texts[] = {print(help_print), print(help_print_config)};

	for (int i = 0; i < 2; i++) {
		char *next = texts[i], *line;

		while ((line = strsep(&next, "\n")) != NULL) {
			CU_ASSERT(strlen(line) <= 100);
			CU_ASSERT(strlen(line) == 0 || line[strlen(line) - 1] != ' ');
		}
		free(texts[i]);
	}
}

static const struct unit_case cases[] = {
    {"help names every key with its limits", help_names_every_key_with_its_limits},
    {"lines fit a terminal", lines_fit_a_terminal},
};

UNIT_MAIN("run/help", cases)
