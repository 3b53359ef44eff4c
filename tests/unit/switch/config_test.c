/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said of ports, and what a person is told when it is wrong. */
#include "bed.h"

#include "report.h"

static char why[200];
static struct switch_config config;

/* Takes a command line of "--access 1=10" and the like. Returns what the first that fails says, or the check. */
static int take(const char *line)
{
	static const struct {
		const char *name;
		int (*set)(struct switch_config *, const char *, char *, size_t);
	} options[] = {
	    {"access", switch_config_access}, {"trunk", switch_config_trunk},
	    {"native", switch_config_native}, {"static", switch_config_static},
	    {"mirror", switch_config_mirror},
	};
	char copy[300], *save;

	switch_config_init(&config);
	snprintf(copy, sizeof(copy), "%s", line);
	why[0] = '\0';
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		const char *argument = strtok_r(NULL, " ", &save);

		for (size_t i = 0; i < ROWS(options); i++)
			if (strcmp(options[i].name, word) == 0 &&
			    options[i].set(&config, argument, why, sizeof(why)) != 0)
				return -1;
	}
	return switch_config_check(&config, why, sizeof(why));
}

static void what_is_right_is_taken(void)
{
	CHECK_ROW(take("access 0=1 access 15=4094 trunk 1=10,20-22 trunk 1=40 native 1=50 static "
	               "1=02:00:00:00:00:01.20 mirror 0=14 mirror 1=14") == 0,
	          why);
	CU_ASSERT_EQUAL(config.nb_named, 16);
	for (unsigned v = 0; v < SWITCH_VLANS; v++) {
		const bool has = v == 10 || (v >= 20 && v <= 22) || v == 40 || v == 50;

		CU_ASSERT_EQUAL(port_config_has(&config.port[1], v), has);
		CU_ASSERT_EQUAL(port_config_has(&config.port[0], v), v == 1);
		CU_ASSERT_EQUAL(port_config_has(&config.port[2], v), v < 4095);
	}
	CU_ASSERT_TRUE(port_config_sends_bare(&config.port[1], 50));
	CU_ASSERT_FALSE(port_config_sends_bare(&config.port[1], 10));
	CU_ASSERT_TRUE(port_config_sends_bare(&config.port[0], 1));
	CU_ASSERT_EQUAL(config.station[0].vlan, 20);
	CHECK_ROW(take("native 1=5 trunk 1=10") == 0, why); /* in any order */
	CHECK_ROW(take("static 3=02:00:00:00:00:01") == 0, why);
}

static void mistakes_are_told(void)
{
	static const struct {
		const char *line, *says;
	} wrong[] = {
	    {"access 10", "does not begin with PORT="},
	    {"access x=10", "does not begin with PORT="},
	    {"access 16=10", "0 to 15"},
	    {"access 1=", "does not begin with PORT="},
	    {"access 1=0", "is not a VLAN ID from 1 to 4094"},
	    {"access 1=4095", "is not a VLAN ID"},
	    {"access 1=10,11", "is not a VLAN ID"},
	    {"access 1=10 access 1=11", "already"},
	    {"access 1=10 trunk 1=11", "already"},
	    {"trunk 1=11 access 1=10", "already"},
	    {"trunk 1=10-", "is not a list of VLAN IDs"},
	    {"trunk 1=10,,11", "is not a list of VLAN IDs"},
	    {"trunk 1=20-10", "is not a list of VLAN IDs"},
	    {"trunk 1=10-20-30", "is not a list of VLAN IDs"},
	    {"trunk 1=1-4095", "is not a list of VLAN IDs"},
	    {"native 1=10", "is not a --trunk"},
	    {"access 1=10 native 1=10", "is not a --trunk"},
	    {"trunk 1=10 native 1=20 native 1=21", "already"},
	    {"static 1=02:00:00:00:00", "is not a station"},
	    {"static 1=03:00:00:00:00:01", "is not a station"},
	    {"static 1=00:00:00:00:00:00", "is not a station"},
	    {"static 1=02:00:00:00:00:01.0", "is not a VLAN ID"},
	    {"access 1=10 static 1=02:00:00:00:00:01", "does not have VLAN 0"},
	    {"access 1=10 static 1=02:00:00:00:00:01.11", "does not have VLAN 11"},
	    {"mirror 1=1", "is not another port"},
	    {"mirror 1=x", "is not another port"},
	    {"mirror 1=2 mirror 1=3", "already"},
	    {"mirror 1=2 mirror 2=3", "is itself mirrored"},
	    {"mirror 1=2 static 2=02:00:00:00:00:01", "is a mirror"},
	};

	for (size_t i = 0; i < ROWS(wrong); i++) {
		CHECK_ROW(take(wrong[i].line) == -1, wrong[i].line);
		CHECK_ROW(strstr(why, wrong[i].says) != NULL, wrong[i].line);
	}
	CHECK_ROW(take("") == 0, why);
	config.port_entries = config.entries + 1;
	CU_ASSERT_EQUAL(switch_config_check(&config, why, sizeof(why)), -1);
}

static void create(unsigned n, const char *says)
{
	struct pc_port *ports[BED_PORTS];

	for (unsigned i = 0; i < BED_PORTS; i++)
		ports[i] = &bed.port[i].port;
	bed.s = vswitch_create(&config, ports, n, bed.pool, why, sizeof(why));
	CU_ASSERT_PTR_NULL(bed.s);
	CHECK_ROW(strstr(why, says) != NULL, why);
}

static void ports_must_be_there(void)
{
	bed_begin();
	CU_ASSERT_EQUAL(take("access 4=10"), 0);
	create(4, "refers to port 4, but the last port is 3");
	CU_ASSERT_EQUAL(take("mirror 0=4"), 0);
	create(4, "refers to port 4");
	CU_ASSERT_EQUAL(take(""), 0);
	create(1, "two ports");
	CU_ASSERT_EQUAL(take("static 1=02:00:00:00:00:01 static 2=02:00:00:00:00:01"), 0);
	create(4, "given twice");
}

static void what_is_counted_is_shown(void)
{
	static char text[4000];
	FILE *f = fmemopen(text, sizeof(text), "w");

	bed_begin();
	CU_ASSERT_EQUAL(
	    switch_config_static(&bed.config, "3=02:00:00:00:00:07.10", why, sizeof(why)), 0);
	bed_make();
	bed_send(0, 0, 1);
	bed_send(1, 1, 2);
	bed.now += 7 * BED_SECOND;
	report_counts(bed.s, f);
	report_stations(bed.s, 1000, bed.now, f);
	report_stations(bed.s, 1, bed.now, f);
	fclose(f);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "switch: 3 stations\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(
	    text, "port 0 (bed0, link up, 1 stations): rx_frames 1 rx_bytes 64 flooded 1 learnt 1 "
	          "tx_frames 1 tx_bytes 64\n"));
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(text, "station 02:00:00:00:00:01 vlan 0 port 0 heard 7 s ago\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "station 02:00:00:00:00:07 vlan 10 port 3 static\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "and 2 more\n"));
	for (int c = 0; c < COUNT_MAX; c++)
		CU_ASSERT(count_name((enum count)c)[0] != '\0' &&
		          count_sentence((enum count)c)[0] != '\0');
	bed_end();
}

int main(void)
{
	static const struct unit_case cases[] = {
	    {"what is right is taken", what_is_right_is_taken},
	    {"mistakes are told", mistakes_are_told},
	    {"ports must be there", ports_must_be_there},
	    {"what is counted is shown", what_is_counted_is_shown},
	};

	return bed_run("switch/config", cases, ROWS(cases));
}
