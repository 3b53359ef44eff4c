/* SPDX-License-Identifier: BSD-2-Clause */
/* What --help and --print-config print: both are generated from the tables that the parsers use. */
#include <string.h>

#include "args.h"

#define HELP_WIDTH 96

/* Prints text in lines of HELP_WIDTH, each after the prefix; the first line begins at column. */
static void print_wrapped(FILE *f, const char *text, const char *prefix, size_t column)
{
	size_t n;

	while (*text != '\0') {
		n = strcspn(text, " ");
		if (column > strlen(prefix) && column + 1 + n > HELP_WIDTH) {
			fputc('\n', f);
			column = 0;
		} else if (column > strlen(prefix)) {
			column += (size_t)fprintf(f, " ");
		}
		if (column == 0)
			column = (size_t)fprintf(f, "%s", prefix);
		column += (size_t)fprintf(f, "%.*s", (int)n, text);
		text += n;
		text += strspn(text, " ");
	}
	fputc('\n', f);
}

static void print_option(FILE *f, char letter, const char *name, const char *argument,
                         const char *help)
{
	if (letter != 0)
		fprintf(f, "  -%c, ", letter);
	else
		fprintf(f, "      ");
	fprintf(f, "--%s%s%s\n", name, argument != NULL ? " " : "",
	        argument != NULL ? argument : "");
	print_wrapped(f, help, "            ", 0);
}

/* The default of a key; the program may have its own for keys of the stack. */
static uint64_t default_of(const struct settings *s, unsigned table, const struct pc_config_key *k)
{
	struct pc_stack_config config;
	uint64_t value = k->def;

	if (s->tables[table].base != &s->stack)
		return value;
	settings_defaults(s->app, &config);
	memcpy(&value, (const char *)&config + k->offset, sizeof(value));
	return value;
}

static void print_key(FILE *f, const struct settings *s, unsigned table,
                      const struct pc_config_key *k)
{
	fprintf(f, "  %s.%s = %llu  (%llu to %llu %s)%s\n", k->section, k->name,
	        (unsigned long long)default_of(s, table, k), (unsigned long long)k->min,
	        (unsigned long long)k->max, k->unit, settings_is_live(s, table, k) ? " *" : "");
	print_wrapped(f, k->sentence, "            ", 0);
}

static void print_examples(const struct pc_run_app *app, FILE *f)
{
	const char *name = app->name,
	           *options = app->example != NULL ? app->example : "--addr 10.0.0.1/24";

	if (app->example_ports != NULL) {
		fprintf(f, "For example (as root):\n\n  %s %s -- %s\n\n", name, app->example_ports,
		        options);
		return;
	}
	fprintf(f,
	        "For example, on a TAP interface named percore0 (as root):\n\n"
	        "  %s --vdev=net_tap0,iface=percore0 -- %s &\n"
	        "  ip address add 10.0.0.2/24 dev percore0\n\n",
	        name, options);
	if (app->frames == NULL && !app->one_lcore)
		fprintf(f,
		        "and on NICs that scripts/devbind has bound, with two lcores:\n\n"
		        "  %s -l 1,2 -a 0000:03:00.0 -- %s --gateway 10.0.0.254\n\n",
		        name, options);
}

static void print_usage(const struct settings *s, FILE *f)
{
	const char *name = s->app->name;

	fprintf(f, "%s:", name);
	print_wrapped(f, s->app->summary, "  ", strlen(name) + 1);
	fprintf(f,
	        "\nUsage: %s [EAL options] -- [options]\n"
	        "       %s [options]\n\n",
	        name, name);
	print_examples(s->app, f);
	print_wrapped(
	    f,
	    "Unless EAL's options say otherwise, it runs on one lcore, in hugepages if any are "
	    "free and in ordinary memory if not, leaves no files (unless --proc-type is given, "
	    "for other processes to find), and with --vdev leaves PCI devices alone. \"-h --\" "
	    "prints EAL's options.",
	    "", 0);
}

/* Says whether the program uses a letter itself. */
static bool is_taken(const struct pc_run_app *app, char letter)
{
	for (const struct pc_run_option *own = app->options; own != NULL && own->name != NULL;
	     own++)
		if (own->letter == letter)
			return true;
	return false;
}

/* The key that stands for an option of the program's. */
static void print_own_key(FILE *f, const struct pc_run_option *o)
{
	for (const char *c = o->name; *c != '\0'; c++)
		fputc(*c == '-' ? '_' : *c, f);
}

static void print_own_keys(FILE *f, const struct pc_run_app *app)
{
	const struct pc_run_option *o = app->options;

	for (; o != NULL && o->name != NULL; o++) {
		if (!args_is_key(app, o))
			continue;
		fprintf(f, "  %s.", app->keys[0].section);
		print_own_key(f, o);
		fprintf(f, "\n            as --%s\n", o->name);
	}
}

void help_print(const struct settings *s, FILE *f)
{
	const struct pc_run_option *own = s->app->options;
	size_t n;
	const struct text_key *text = settings_text_keys(&n);

	print_usage(s, f);
	fprintf(f, "\nOptions:\n");
	for (; own != NULL && own->name != NULL; own++)
		print_option(f, own->letter, own->name, own->argument, own->help);
	for (const struct common_option *o = common_options; o->name != NULL; o++)
		print_option(f, is_taken(s->app, o->letter) ? 0 : o->letter, o->name, o->argument,
		             o->help);
	fprintf(f, "\nKeys of the config file and of --set, with their defaults and limits (* "
	           "marks those\n"
	           "that change in a running program when SIGHUP makes it read its file again):\n");
	for (unsigned t = SETTINGS_TABLES; t-- > 0;)
		for (size_t i = 0; i < s->tables[t].n; i++)
			print_key(f, s, t, &s->tables[t].keys[i]);
	print_own_keys(f, s->app);
	for (size_t i = 0; i < n; i++) {
		if (!settings_has_key(s, &text[i]))
			continue;
		fprintf(f, "  %s.%s\n", text[i].section, text[i].name);
		print_wrapped(f, text[i].sentence, "            ", 0);
	}
}

static void print_section(FILE *f, const char *section, const char **last)
{
	if (*last == NULL || strcmp(section, *last) != 0)
		fprintf(f, "\n[%s]\n", section);
	*last = section;
}

/* The keys of one section that are not numbers. */
static void print_text_keys(FILE *f, const struct settings *s, const char *section)
{
	size_t n;
	const struct text_key *k = settings_text_keys(&n);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(k[i].section, section) != 0 || !settings_has_key(s, &k[i]))
			continue;
		fputc('\n', f);
		print_wrapped(f, k[i].sentence, "# ", 0);
		fprintf(f, "#%s = %s\n", k[i].name, k[i].example);
	}
}

/* The program's own options, with what their arguments are called as examples. */
static void print_own_options(FILE *f, const struct pc_run_app *app)
{
	const struct pc_run_option *o = app->options;

	for (; o != NULL && o->name != NULL; o++) {
		if (!args_is_key(app, o))
			continue;
		fputc('\n', f);
		print_wrapped(f, o->help, "# ", 0);
		fputc('#', f);
		print_own_key(f, o);
		fprintf(f, " = %s\n", o->argument);
	}
}

static void print_table(FILE *f, const struct settings *s, unsigned table)
{
	const struct key_table *t = &s->tables[table];
	const struct pc_config_key *k = t->keys;
	const char *last = NULL;

	for (size_t i = 0; i < t->n; i++, k++) {
		print_section(f, k->section, &last);
		fputc('\n', f);
		print_wrapped(f, k->sentence, "# ", 0);
		fprintf(f, "# %llu to %llu %s%s\n#%s = %llu\n", (unsigned long long)k->min,
		        (unsigned long long)k->max, k->unit,
		        settings_is_live(s, table, k) ? "; SIGHUP applies it" : "", k->name,
		        (unsigned long long)default_of(s, table, k));
		/* after the last key of the section */
		if (i + 1 == t->n || strcmp(k->section, k[1].section) != 0)
			print_text_keys(f, s, k->section);
		if (t->keys == s->app->keys && i + 1 == t->n)
			print_own_options(f, s->app);
	}
}

void help_print_config(const struct settings *s, FILE *f)
{
	fprintf(
	    f,
	    "# Settings of %s (-c FILE): every key, commented out, at its default (or with an\n"
	    "# example, where there is none).\n"
	    "# Printed by \"%s --print-config\"; options on the command line override this file.\n"
	    "# SIGHUP makes a running program read it again: keys marked \"SIGHUP applies it\"\n"
	    "# change at once, the others need a restart.\n",
	    s->app->name, s->app->name);
	fprintf(f, "\n[net]\n");
	print_text_keys(f, s, "net");
	for (unsigned t = SETTINGS_TABLES; t-- > 0;)
		print_table(f, s, t);
}
