/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINK_QUEUE 16384 /* frames that each direction holds, or as many as there are mbufs */
#define MTU_MIN    68    /* of IPv4 (RFC 791) */
#define MBUFS_MIN  128   /* the cache of an lcore takes most of fewer */

const char options_usage[] =
    "percore-link: emulates links with delay, losses and other faults between DPDK ports\n"
    "\n"
    "Usage: percore-link [EAL options] -- [options]\n"
    "\n"
    "Joins DPDK port 0 with port 1, 2 with 3 and so on by emulated links, with independent faults\n"
    "from one seed. Options after --ab apply to frames from the first port of a link to the\n"
    "second, options after --ba to the other direction, options before them to both.\n"
    "For example, 20 ms and 1 % loss each way between two interfaces (as root):\n"
    "\n"
    "  percore-link --no-huge --vdev=net_af_packet0,iface=eth1 --vdev=net_af_packet1,iface=eth2 "
    "\\\n"
    "      -- --delay 20ms --loss 1\n"
    "\n"
    "  --delay TIME          delay of each frame; TIME is 5ms, 200us or 1s\n"
    "  --jitter TIME         random additional delay, up to TIME; keeps the order\n"
    "  --rate RATE           bits per second; RATE is 20M, 500k or 1G, 1k at least\n"
    "  --queue TIME          frames that would wait longer for the wire of RATE are dropped\n"
    "  --loss PERCENT        frames that are lost\n"
    "  --burst PERCENT       frames with which a burst of losses begins (Gilbert-Elliott)\n"
    "  --burst-end PERCENT   frames of a burst after which it ends (20), not 0\n"
    "  --burst-loss PERCENT  frames of a burst that are lost (100), not 0\n"
    "  --ack-loss PERCENT    additional losses of packets of at most 92 bytes\n"
    "  --reorder PERCENT     frames that are delayed, behind later ones\n"
    "  --reorder-delay TIME  delay of these (1ms), not 0\n"
    "  --duplicate PERCENT   frames that arrive twice\n"
    "  --corrupt PERCENT     frames with one bit flipped\n"
    "  --mark PERCENT        ECN-capable packets that are marked (RFC 3168)\n"
    "  --mark-queue TIME     the same, for those that would wait longer for the wire of RATE\n"
    "  --mtu BYTES           larger IP packets are dropped; from 68 on\n"
    "  --mtu-icmp BYTES      the same, with an ICMP error to the sender\n"
    "  --seed N              the same seed and frames give the same faults (1)\n"
    "  --alike N             N consecutive links have the same faults (1)\n"
    "  --mbufs N             packet buffers of each link; all that is in flight must fit (16383)\n"
    "  -h, --help            this text\n"
    "  -V, --version         the version\n"
    "\n"
    "SIGINT, SIGTERM or SIGHUP ends it, and it prints its counters; SIGUSR1 prints them while it\n"
    "runs.\n";

struct unit {
	const char *name;
	double factor;
};

static const struct unit times[] = {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"ns", 1}, {NULL, 0}};
static const struct unit rates[] = {{"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {NULL, 0}};
static const struct unit percents[] = {{"", 1e4}, {"%", 1e4}, {NULL, 0}}; /* in ppm */
static const struct unit counts[] = {{"", 1}, {NULL, 0}};

#define AT(member) \
	offsetof(struct pc_fault_config, member), sizeof(((struct pc_fault_config *)0)->member)

/* Options that set a member of the configuration of a direction. */
static const struct setting {
	const char *name;
	const struct unit *units;
	double min, max; /* where min is not 0, pc_port_fault would take 0 for its default */
	size_t offset, size;
} settings[] = {
    {"--delay", times, 0, 60e9, AT(delay_ns)},
    {"--jitter", times, 0, 60e9, AT(jitter_ns)},
    {"--rate", rates, 1e3, 1e12, AT(rate_bps)},
    {"--queue", times, 0, 60e9, AT(backlog_ns)},
    {"--loss", percents, 0, 1e6, AT(rx_loss_ppm)},
    {"--burst", percents, 0, 1e6, AT(burst_ppm)},
    {"--burst-end", percents, 1, 1e6, AT(burst_end_ppm)},
    {"--burst-loss", percents, 1, 1e6, AT(burst_loss_ppm)},
    {"--ack-loss", percents, 0, 1e6, AT(ack_loss_ppm)},
    {"--reorder", percents, 0, 1e6, AT(reorder_ppm)},
    {"--reorder-delay", times, 1, 60e9, AT(reorder_delay_ns)},
    {"--duplicate", percents, 0, 1e6, AT(duplicate_ppm)},
    {"--corrupt", percents, 0, 1e6, AT(corrupt_ppm)},
    {"--mark", percents, 0, 1e6, AT(mark_ppm)},
    {"--mark-queue", times, 0, 60e9, AT(mark_ns)},
    {"--mtu", counts, MTU_MIN, 65535, AT(mtu)},
    {"--mtu-icmp", counts, MTU_MIN, 65535, AT(mtu)},
};

/* Options of the program as a whole. */
static const struct setting others[] = {
    {"--seed", counts, 0, UINT32_MAX, 0, 0},
    {"--alike", counts, 1, UINT32_MAX, 0, 0},
    {"--mbufs", counts, MBUFS_MIN, UINT32_MAX, 0, 0},
};

/* Options that do nothing without another one. */
static const struct need {
	const char *name, *other;
} needs[] = {
    {"--queue", "--rate"},       {"--mark-queue", "--rate"},       {"--burst-end", "--burst"},
    {"--burst-loss", "--burst"}, {"--reorder-delay", "--reorder"},
};

static uint64_t round_off(double value)
{
	return (uint64_t)(value + 0.5);
}

/* Reads a number with a unit. Returns false if it is invalid, or not in [min,max] after
 * rounding. */
static bool read_number(const char *text, const struct unit *units, double min, double max,
                        double *value)
{
	char *rest;
	double n = strtod(text, &rest);

	if (rest == text || !(n >= 0))
		return false;
	for (const struct unit *u = units; u->name != NULL; u++)
		if (strcmp(rest, u->name) == 0) {
			*value = n * u->factor;
			if (!(*value <= max) ||
			    (units == counts && (double)round_off(*value) != *value))
				return false;
			return (double)round_off(*value) >= min;
		}
	return false;
}

static void put(struct pc_fault_config *f, const struct setting *s, double value)
{
	uint64_t n = round_off(value);
	uint8_t *member = (uint8_t *)f + s->offset;

	if (s->size == sizeof(uint64_t))
		memcpy(member, &n, sizeof(n));
	else if (s->size == sizeof(uint32_t))
		memcpy(member, &(uint32_t){(uint32_t)n}, sizeof(uint32_t));
	else
		memcpy(member, &(uint16_t){(uint16_t)n}, sizeof(uint16_t));
	if (s->offset == offsetof(struct pc_fault_config, mtu))
		f->mtu_icmp = strcmp(s->name, "--mtu-icmp") == 0;
}

static const struct setting *find_in(const struct setting *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	return NULL;
}

static const struct setting *find(const char *name)
{
	const struct setting *s = find_in(settings, sizeof(settings) / sizeof(settings[0]), name);

	return s != NULL ? s : find_in(others, sizeof(others) / sizeof(others[0]), name);
}

/* Takes an option without a value. Returns whether it was one. */
static bool take_word(struct options *o, const char *name, enum direction *which)
{
	if (strcmp(name, "--ab") == 0)
		*which = AB;
	else if (strcmp(name, "--ba") == 0)
		*which = BA;
	else if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		o->help = true;
	else if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		o->version = true;
	else
		return false;
	return true;
}

static void put_other(struct options *o, const char *name, uint32_t value)
{
	if (strcmp(name, "--mbufs") == 0)
		o->mbufs = value;
	else if (strcmp(name, "--alike") == 0)
		o->alike = value;
	else
		o->dir[AB].seed = o->dir[BA].seed = value;
}

/* Says what is wrong with the value of an option. Returns -1. */
static int refuse(const struct setting *s, const char *text, char *why, size_t len)
{
	const char *more = s->min > 0 ? "more than 0 and " : "";

	if (s->units == times)
		snprintf(why, len, "%s: \"%s\" is not a time of %sat most 60s (example: 5ms)",
		         s->name, text, more);
	else if (s->units == rates)
		snprintf(why, len, "%s: \"%s\" is not a rate from 1k to 1000G (example: 20M)",
		         s->name, text);
	else if (s->units == percents)
		snprintf(why, len, "%s: \"%s\" is not a percentage of %sat most 100 (example: 0.5)",
		         s->name, text, more);
	else
		snprintf(why, len, "%s: \"%s\" is not a whole number from %.0f to %.0f", s->name,
		         text, s->min, s->max);
	return -1;
}

/* Takes an option with a number. Returns 0, or -1 with one line in why. */
static int take_number(struct options *o, const struct setting *s, const char *text,
                       enum direction which, char *why, size_t why_len)
{
	double value;

	if (!read_number(text, s->units, s->min, s->max, &value))
		return refuse(s, text, why, why_len);
	if (s->size == 0)
		put_other(o, s->name, (uint32_t)value);
	for (int d = 0; s->size != 0 && d < BOTH; d++)
		if (which == BOTH || (int)which == d)
			put(&o->dir[d], s, value);
	return 0;
}

static bool has_word(int argc, char **argv, const char *word)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], word) == 0)
			return true;
	return false;
}

/* Looks for options without the one that they need. Returns as options_parse. */
static int check_needs(int argc, char **argv, char *why, size_t why_len)
{
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (has_word(argc, argv, needs[i].name) && !has_word(argc, argv, needs[i].other)) {
			snprintf(why, why_len, "%s has no effect without %s", needs[i].name,
			         needs[i].other);
			return -1;
		}
	return 0;
}

bool options_are_ours(const char *name)
{
	return find(name) != NULL || strcmp(name, "--ab") == 0 || strcmp(name, "--ba") == 0;
}

int options_parse(struct options *o, int argc, char **argv, char *why, size_t why_len)
{
	enum direction which = BOTH;

	*o = (struct options){.mbufs = 16383, .alike = 1};
	for (int d = 0; d < BOTH; d++)
		o->dir[d] = (struct pc_fault_config){.seed = 1, .queue = LINK_QUEUE};
	for (int i = 0; i < argc; i++) {
		const struct setting *s = find(argv[i]);

		if (take_word(o, argv[i], &which))
			continue;
		if (s == NULL) {
			snprintf(why, why_len, "unknown option %s; see --help", argv[i]);
			return -1;
		}
		if (++i == argc) {
			snprintf(why, why_len, "%s requires a value; see --help", s->name);
			return -1;
		}
		if (take_number(o, s, argv[i], which, why, why_len) != 0)
			return -1;
	}
	if (check_needs(argc, argv, why, why_len) != 0)
		return -1;
	for (int d = 0; d < BOTH; d++)
		if (o->mbufs > LINK_QUEUE)
			o->dir[d].queue = o->mbufs;
	return 0;
}
