/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_RUN_COMMON_H
#define UNIT_RUN_COMMON_H

/* What the tests of run/ share: a program to configure. */

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit.h"
#include "run/args.h"

/** The settings of the program that the tests pretend to be. */
struct test_config {
	uint64_t answer;
	char word[32];
};

static struct test_config test_config;

static inline int test_set_word(void *app, const char *argument, char *why, size_t why_len)
{
	struct test_config *c = app;

	if (strlen(argument) >= sizeof(c->word)) {
		snprintf(why, why_len, "\"%s\" is too long", argument);
		return -1;
	}
	strcpy(c->word, argument);
	return 0;
}

static const struct pc_config_key test_keys[] = {
    {"test", "answer", "number", "the answer to everything", 42, 1, 100,
     offsetof(struct test_config, answer)},
};

static inline int test_read_dozens(const char *argument, uint64_t *value, char *why, size_t why_len)
{
	*value = 12 * (uint64_t)atoi(argument);
	if (*value > 0)
		return 0;
	snprintf(why, why_len, "\"%s\" is not a number of dozens", argument);
	return -1;
}

static const struct pc_run_option test_options[] = {
    {.name = "answer", .argument = "N", .help = "the answer", .key = "test.answer", .letter = 'b'},
    {.name = "word", .argument = "WORD", .help = "a word", .set = test_set_word},
    {.name = "dozens",
     .argument = "N",
     .help = "the answer",
     .key = "test.answer",
     .read = test_read_dozens},
    {.name = "one", .help = "the least answer", .key = "test.answer"},
    {0},
};

static const struct pc_run_app test_app = {
    .name = "test",
    .summary = "does nothing",
    .options = test_options,
    .keys = test_keys,
    .nb_keys = 1,
    .config = &test_config,
};

/** test_settings returns fresh defaults; the caller frees them. */
static inline struct settings *test_settings(void)
{
	struct settings *s = malloc(sizeof(*s));

	test_config = (struct test_config){.answer = 42};
	settings_init(s, &test_app, &test_config);
	return s;
}

/** same_text compares two strings and shows them when they differ. */
static inline int same_text(const char *got, const char *want)
{
	if (strcmp(got, want) == 0)
		return 1;
	printf("\n  got:  %s\n  want: %s\n", got, want);
	return 0;
}

#define assert_text(got, want) CU_ASSERT(same_text(got, want))

#endif
