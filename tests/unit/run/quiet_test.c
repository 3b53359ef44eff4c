/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/quiet.h"

#include "common.h"

static void pick(const char *out, const char *err, char line[QUIET_LINE])
{
	struct quiet q;

	quiet_begin(&q);
	printf("%s", out);
	fprintf(stderr, "%s", err);
	quiet_end(&q, line);
}

static void the_line_that_says_most_is_picked(void)
{
	static const struct {
		const char *err, *line;
	} cases[] = {
	    {"", ""},
	    {"EAL: Detected CPU lcores: 2\nEAL: all is well\n", ""},
	    {"EAL: Detected CPU lcores: 2\nEAL: FATAL: Cannot get hugepage information.\n"
	     "EAL: Cannot get hugepage information.\n",
	     "Cannot get hugepage information."},
	    {"EAL: Physical addresses are unavailable, selecting IOVA as VA mode.\n"
	     "tun_alloc(): Unable to set TUNSETIFF for dtap%d: Operation not permitted\n"
	     "eth_dev_tap_create(): Unable to create TAP interface\n",
	     "Unable to set TUNSETIFF for dtap%d: Operation not permitted"},
	    {"test: unrecognized option '--foo'\n", "test: unrecognized option '--foo'"},
	    {"Usage:\n   an option that cannot be used with another\n", ""},
	    {"TELEMETRY: cannot start\n", ""},
	    {"rte_pmd_memif_probe(): Failed to register mp action callback: Operation not "
	     "supported\n"
	     "memif_set_role(): Unknown role: foo.\nEAL: Driver cannot attach the device (m)\n",
	     "Unknown role: foo."},
	};
	char line[QUIET_LINE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pick("Usage: something\n", cases[i].err, line);
		assert_text(line, cases[i].line);
	}
}

static void much_noise_does_no_harm(void)
{
	struct quiet q;
	char line[QUIET_LINE];

	quiet_begin(&q);
	for (int i = 0; i < 20000; i++)
		printf("EAL: this is line number %d\n", i);
	quiet_end(&q, line);
	CU_ASSERT_STRING_EQUAL(line, "");
}

static const struct unit_case cases[] = {
    {"the line that says most is picked", the_line_that_says_most_is_picked},
    {"much noise does no harm", much_noise_does_no_harm},
};

UNIT_MAIN("run/quiet", cases)
