/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * percore-switch: an Ethernet switch between DPDK ports.
 *
 * It runs on percore's ports without a stack (pc_run_frames), on one lcore: forward.c decides what
 * happens to a frame, fdb.c remembers where stations are, frame.c changes tags, out.c sends,
 * config.c parses the settings of ports.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include <percore/run.h>

#include "forward.h"
#include "report.h"

#define STATIONS_SHOWN 1000

struct program {
	struct switch_config config;
	struct vswitch *vswitch;
};

static int set_access(void *app, const char *text, char *why, size_t len)
{
	return switch_config_access(&((struct program *)app)->config, text, why, len);
}

static int set_trunk(void *app, const char *text, char *why, size_t len)
{
	return switch_config_trunk(&((struct program *)app)->config, text, why, len);
}

static int set_native(void *app, const char *text, char *why, size_t len)
{
	return switch_config_native(&((struct program *)app)->config, text, why, len);
}

static int set_static(void *app, const char *text, char *why, size_t len)
{
	return switch_config_static(&((struct program *)app)->config, text, why, len);
}

static int set_mirror(void *app, const char *text, char *why, size_t len)
{
	return switch_config_mirror(&((struct program *)app)->config, text, why, len);
}

static const struct pc_run_option options[] = {
    {.name = "access",
     .argument = "PORT=VLAN",
     .set = set_access,
     .help = "access port: PORT, counted from 0, carries VLAN untagged"},
    {.name = "trunk",
     .argument = "PORT=VLANS",
     .set = set_trunk,
     .help = "trunk: PORT carries these VLANs tagged, e.g. 10,20-29. A port with neither option "
             "carries all VLANs tagged, and untagged frames separately"},
    {.name = "native",
     .argument = "PORT=VLAN",
     .set = set_native,
     .help = "VLAN of untagged frames on trunk PORT (default: they are dropped)"},
    {.name = "static",
     .argument = "PORT=MAC[.VLAN]",
     .set = set_static,
     .help = "static MAC table entry on PORT, e.g. 0=02:00:00:00:00:01.10"},
    {.name = "mirror",
     .argument = "PORT=TO",
     .set = set_mirror,
     .help = "mirror the traffic of PORT, in both directions, to port TO, which takes no part in "
             "switching"},
    {.name = "age",
     .argument = "SECONDS",
     .key = "switch.age_s",
     .help = "forget a station that has been silent for this long; 0: never"},
    {0},
};

static const struct pc_config_key keys[] = {
#define SWITCH_KEY(section, name, def, min, max, unit, sentence) \
	{#section, #name, unit, sentence, def, min, max, offsetof(struct switch_config, name)},
    SWITCH_KEYS(SWITCH_KEY)
#undef SWITCH_KEY
};

static int check(void *app, char *why, size_t len)
{
	return switch_config_check(&((struct program *)app)->config, why, len);
}

static int start(void *app, const struct pc_run_ports *ports, uint64_t now_ns, void **worker,
                 char *why, size_t len)
{
	struct program *p = app;

	(void)now_ns;
	if (ports->addr != NULL) {
		snprintf(why, len, "--addr: a switch has no addresses");
		return -1;
	}
	if (getrandom(&p->config.seed, sizeof(p->config.seed), 0) != sizeof(p->config.seed)) {
		snprintf(why, len, "cannot get random numbers");
		return -1;
	}
	p->vswitch =
	    vswitch_create(&p->config, ports->ports, ports->nb_ports, ports->pool, why, len);
	*worker = p->vswitch;
	return p->vswitch != NULL ? 0 : -1;
}

static unsigned turn(void *worker, uint64_t now_ns)
{
	return vswitch_turn(worker, now_ns);
}

static void report(void *worker, uint64_t now_ns, bool asked, FILE *f)
{
	report_counts(worker, f);
	if (asked)
		report_stations(worker, STATIONS_SHOWN, now_ns, f);
}

static int finish(void *worker, uint64_t now_ns)
{
	(void)now_ns;
	report_counts(worker, stdout);
	vswitch_destroy(worker);
	return 0;
}

static const struct pc_run_frames frames = {
    .start = start,
    .serve = turn,
    .report = report,
    .finish = finish,
    .as_on_the_wire = true,
};

int main(int argc, char **argv)
{
	static struct program program;
	const struct pc_run_app app = {
	    .name = "percore-switch",
	    .summary = "a learning Ethernet switch with VLANs between DPDK ports, without copies",
	    .example_ports = "--vdev=net_af_packet0,iface=eth1 --vdev=net_af_packet1,iface=eth2",
	    .example = "--age 300",
	    .options = options,
	    .keys = keys,
	    .nb_keys = sizeof(keys) / sizeof(keys[0]),
	    .config = &program.config,
	    .one_lcore = true,
	    .check = check,
	    .frames = &frames,
	};

	switch_config_init(&program.config);
	return pc_run(argc, argv, &app, &program);
}
