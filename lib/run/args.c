/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: getopt_long finds the options; they are noted in order and applied in a second pass,
 * after the config file, so that the command line overrides the file wherever -c stands.
 */
#include "args.h"

#include "eal.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ARGS_MAX_OPTIONS 64
#define ARGS_MAX         512
#define LETTERS_MAX      64

const struct common_option common_options[] = {
    {"config", "FILE", "read settings from FILE", 'c'},
    {"set", "SECTION.KEY=VALUE", "set a key, overriding the file; may be repeated", 0},
    {"addr", "[PORT[.VLAN[.VLAN]]=]CIDR",
     "address of port PORT (counted from 0, default 0) or of a VLAN on it, e.g. 10.0.0.1/24, or "
     "dhcp or slaac (see net.addr); may be repeated",
     0},
    {"gateway", "IP", "default gateway; one for each family, separated by a comma", 0},
    {"pcap", "FILE", "write every frame to FILE (one file per lcore and port if there are several)",
     0},
    {"stats", "SECONDS", "print non-zero counters every SECONDS and at the end; 0: never", 0},
    {"print-config", NULL, "print a config file with every key, its meaning and default", 0},
    {"help", NULL, "print this", 'h'},
    {"version", NULL, "print the version", 'V'},
    {0},
};

enum {
	OPT_CONFIG,
	OPT_SET,
	OPT_ADDR,
	OPT_GATEWAY,
	OPT_PCAP,
	OPT_STATS,
	OPT_PRINT,
	OPT_HELP,
	OPT_VERSION,
	OPT_COMMON
};

/* An option that was given: an index into common_options, or OPT_COMMON + an index into the
 * program's. */
struct given {
	int opt;
	const char *argument;
};

struct parse {
	struct settings *s;
	struct option options[ARGS_MAX_OPTIONS + 1];
	unsigned nb_given;
	struct given given[ARGS_MAX];
};

static void make_options(struct parse *p)
{
	const struct pc_run_option *own = p->s->app->options;
	int n = 0;

	for (; n < OPT_COMMON; n++)
		p->options[n] = (struct option){common_options[n].name,
		                                common_options[n].argument != NULL, NULL, 256 + n};
	for (; own != NULL && own->name != NULL && n < ARGS_MAX_OPTIONS; own++, n++)
		p->options[n] = (struct option){own->name, own->argument != NULL, NULL, 256 + n};
	p->options[n] = (struct option){0};
}

static bool is_named(const char *word, const char *name)
{
	const size_t n = strlen(name);

	return strncmp(word + 2, name, n) == 0 && (word[2 + n] == '\0' || word[2 + n] == '=');
}

static bool is_ours(const struct settings *s, const char *word)
{
	const struct pc_run_option *own = s->app->options;

	for (const struct common_option *o = common_options; o->name != NULL; o++)
		if (is_named(word, o->name))
			return true;
	for (; own != NULL && own->name != NULL; own++)
		if (is_named(word, own->name))
			return true;
	return false;
}

/* A common mistake: EAL's options belong before "--". */
static bool is_eal_option(const struct settings *s, const char *arg)
{
	static const char letters[] = "lamnd";

	if (arg[0] == '-' && arg[1] != '-')
		return strchr(letters, arg[1]) != NULL;
	return eal_knows(arg) && !is_ours(s, arg);
}

static int fail_unknown(struct settings *s, const char *arg)
{
	return settings_fail(s, "unknown option %s; see --help", arg);
}

static int fail_option(struct settings *s, int c, const char *arg)
{
	if (c == ':')
		return settings_fail(s, "option %s requires an argument; see --help", arg);
	if (is_eal_option(s, arg))
		return settings_fail(s,
		                     "%s is an EAL option and must come before \"--\" (example: %s "
		                     "--vdev=net_tap0,iface=percore0 -- --addr 10.0.0.1/24)",
		                     arg, s->app->name);
	return fail_unknown(s, arg);
}

static int find_letter(const struct settings *s, int c)
{
	const struct pc_run_option *own = s->app->options;

	for (int i = 0; own != NULL && own[i].name != NULL; i++)
		if (own[i].letter == c)
			return OPT_COMMON + i;
	for (int i = 0; i < OPT_COMMON; i++)
		if (common_options[i].letter == c)
			return i;
	return -1;
}

/* The letters for getopt; of two equal ones it takes the first. */
static void list_letters(const struct settings *s, char text[LETTERS_MAX])
{
	const struct pc_run_option *own = s->app->options;
	size_t n = 2;

	memcpy(text, "+:", n);
	for (; own != NULL && own->name != NULL && n < LETTERS_MAX - 8; own++) {
		if (own->letter == 0)
			continue;
		text[n++] = own->letter;
		if (own->argument != NULL)
			text[n++] = ':';
	}
	strcpy(text + n, "c:hV");
}

/* Notes the options in argv, whose first element is skipped. */
static int collect(struct parse *p, int argc, char **argv)
{
	char letters[LETTERS_MAX];
	int c, at, i;

	list_letters(p->s, letters);
	optind = 0; /* GNU: start afresh */
	opterr = 0;
	for (;;) {
		at = optind > 0 ? optind : 1;
		c = getopt_long(argc, argv, letters, p->options, NULL);
		if (c == -1)
			break;
		if (c == '?' || c == ':')
			return fail_option(p->s, c, argv[at]);
		i = c >= 256 ? c - 256 : find_letter(p->s, c);
		if (p->nb_given == ARGS_MAX)
			return settings_fail(p->s, "too many options (at most %d)", ARGS_MAX);
		p->given[p->nb_given++] = (struct given){i, optarg};
	}
	if (optind < argc)
		return settings_fail(p->s, "unexpected argument \"%s\"; see --help", argv[optind]);
	return 0;
}

/* An option that sets a key. */
static int apply_key(struct settings *s, const struct pc_run_option *o, const char *argument)
{
	char why[256] = "", section[64], origin[64], number[24];
	const char *dot = strchr(o->key, '.');
	uint64_t value;

	snprintf(section, sizeof(section), "%.*s", (int)(dot - o->key), o->key);
	snprintf(origin, sizeof(origin), "--%s", o->name);
	if (o->argument == NULL) {
		argument = "1";
	} else if (o->read != NULL) {
		if (o->read(argument, &value, why, sizeof(why)) != 0)
			return settings_fail(s, "--%s: %s", o->name, why);
		snprintf(number, sizeof(number), "%" PRIu64, value);
		argument = number;
	}
	return settings_set(s, origin, section, dot + 1, argument);
}

/* ---- options of the program's that files have, too ------------------------------------------------ */

/* A line of a file, which is gone when the program uses what its option was given. */
struct kept_text {
	struct kept_text *next; /* what was said before */
	const struct pc_run_option *option;
	char text[];
};

static const char *keep(struct settings *s, const struct pc_run_option *o, const char *text)
{
	const size_t size = strlen(text) + 1;
	struct kept_text *k = malloc(sizeof(*k) + size);

	if (k == NULL)
		return NULL;
	memcpy(k->text, text, size);
	k->option = o;
	k->next = s->kept;
	s->kept = k;
	return k->text;
}

void args_forget(struct settings *s)
{
	struct kept_text *k, *next;

	for (k = s->kept; k != NULL; k = next) {
		next = k->next;
		free(k);
	}
	s->kept = NULL;
}

const char *args_changed(const struct settings *from, const struct settings *to)
{
	const struct kept_text *a = from->kept, *b = to->kept;

	for (; a != NULL && b != NULL; a = a->next, b = b->next)
		if (a->option != b->option || strcmp(a->text, b->text) != 0)
			return b->option->name;
	return a != NULL ? a->option->name : b != NULL ? b->option->name : NULL;
}

bool args_is_key(const struct pc_run_app *app, const struct pc_run_option *o)
{
	return o->set != NULL && o->argument != NULL && app->nb_keys > 0;
}

/* An option's name as a key: file_name for file-name. */
static bool is_key_name(const char *option, const char *name)
{
	for (; *option != '\0'; option++, name++)
		if (*name != (*option == '-' ? '_' : *option))
			return false;
	return *name == '\0';
}

const struct pc_run_option *args_option_of_key(const struct pc_run_app *app, const char *section,
                                               const char *name)
{
	const struct pc_run_option *o = app->options;

	if (app->nb_keys == 0 || strcmp(section, app->keys[0].section) != 0)
		return NULL;
	for (; o != NULL && o->name != NULL; o++)
		if (args_is_key(app, o) && is_key_name(o->name, name))
			return o;
	return NULL;
}

int args_set_own(struct settings *s, const char *origin, const struct pc_run_option *o,
                 const char *value)
{
	char why[256] = "";

	value = keep(s, o, value);
	if (value == NULL)
		return settings_fail(s, "%s: not enough memory", origin);
	if (s->again || o->set(s->app_arg, value, why, sizeof(why)) == 0)
		return 0;
	return settings_fail(s, "%s: %s", origin, why);
}

static int apply_own(struct settings *s, const struct given *g)
{
	const struct pc_run_option *o = &s->app->options[g->opt - OPT_COMMON];
	char why[256] = "";

	if (o->key != NULL)
		return apply_key(s, o, g->argument);
	if (s->again)
		return 0;
	if (o->set(s->app_arg, g->argument, why, sizeof(why)) == 0)
		return 0;
	return settings_fail(s, "--%s: %s", o->name, why);
}

/* Addresses on the command line replace those of the file, as the value of any key does. */
static int apply_addr(struct settings *s, const char *argument)
{
	if (!s->addrs_given)
		s->nb_addrs = 0;
	s->addrs_given = true;
	return settings_add_addrs(s, "--addr", argument);
}

static int apply(struct settings *s, const struct given *g)
{
	switch (g->opt) {
	case OPT_SET:
		return settings_assign(s, g->argument);
	case OPT_ADDR:
		return apply_addr(s, g->argument);
	case OPT_GATEWAY:
		return settings_set_gateway(s, "--gateway", g->argument);
	case OPT_PCAP:
		return settings_set_pcap(s, "--pcap", g->argument);
	case OPT_STATS:
		return settings_set(s, "--stats", "run", "stats_s", g->argument);
	case OPT_CONFIG:
	case OPT_PRINT:
	case OPT_HELP:
	case OPT_VERSION:
		return 0;
	default:
		return apply_own(s, g);
	}
}

static bool has(const struct parse *p, int opt)
{
	for (unsigned i = 0; i < p->nb_given; i++)
		if (p->given[i].opt == opt)
			return true;
	return false;
}

/* Files first, in order; then options, in order. */
static int apply_all(struct parse *p)
{
	for (unsigned i = 0; i < p->nb_given; i++) {
		if (p->given[i].opt != OPT_CONFIG)
			continue;
		p->s->nb_files++;
		if (settings_load(p->s, p->given[i].argument) != 0)
			return -1;
	}
	for (unsigned i = 0; i < p->nb_given; i++)
		if (apply(p->s, &p->given[i]) != 0)
			return -1;
	return 0;
}

int args_parse(struct settings *s, int argc, char **argv, struct args *args)
{
	struct parse p = {.s = s};
	int dashes = 0, rc;

	for (int i = 1; i < argc && dashes == 0; i++)
		if (strcmp(argv[i], "--") == 0)
			dashes = i;
	args->nb_eal = dashes > 0 ? dashes - 1 : 0;
	make_options(&p);
	rc = collect(&p, argc - dashes, argv + dashes);
	opterr = 1; /* EAL uses getopt, too, and must report options it does not know */
	if (has(&p, OPT_HELP))
		args->action = ARGS_HELP;
	else if (has(&p, OPT_VERSION))
		args->action = ARGS_VERSION;
	else if (has(&p, OPT_PRINT))
		args->action = ARGS_PRINT_CONFIG;
	else
		args->action = ARGS_RUN;
	if (rc != 0)
		return -1;
	return args->action == ARGS_RUN ? apply_all(&p) : 0;
}

int args_check(struct settings *s, int nb_eal, char **argv)
{
	if (settings_check(s) == 0)
		return 0;
	for (int i = 1; i <= nb_eal; i++) {
		if (strncmp(argv[i], "--", 2) != 0 || eal_knows(argv[i]))
			continue;
		return is_ours(s, argv[i])
		           ? settings_fail(s, "%s is an option of %s and must come after \"--\"",
		                           argv[i], s->app->name)
		           : fail_unknown(s, argv[i]);
	}
	return -1;
}
