/* SPDX-License-Identifier: BSD-2-Clause */
#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum target { OURS, STACKS };

struct option {
	const char *name;
	char letter;
	bool argument;
	enum target target;
};

/* Options of percore-run itself, and those of every program that runs on percore. */
static const struct option options[] = {
    {"attach", 0, true, OURS},     {"socket", 0, true, OURS},     {"rule", 0, true, OURS},
    {"rules", 0, true, OURS},      {"proc-type", 0, true, OURS},  {"proc-id", 0, true, OURS},
    {"conf", 0, true, STACKS},     {"verbose", 'v', false, OURS}, {"print", 0, false, OURS},
    {"one-core", 0, false, OURS},  {"help", 'h', false, OURS},    {"version", 'V', false, OURS},
    {"config", 'c', true, STACKS}, {"set", 0, true, STACKS},      {"addr", 0, true, STACKS},
    {"gateway", 0, true, STACKS},  {"pcap", 0, true, STACKS},     {"stats", 0, true, STACKS},
};

static int complain(char *why, size_t why_len, const char *format, const char *what)
{
	snprintf(why, why_len, format, what);
	return -1;
}

/* Finds an option by a word like --name, --name=value or -n; *value becomes what follows "=". */
static const struct option *find(char *word, char **value)
{
	size_t n;

	*value = NULL;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		const struct option *o = &options[i];

		if (o->letter != 0 && word[0] == '-' && word[1] == o->letter && word[2] == '\0')
			return o;
		n = strlen(o->name);
		if (strncmp(word, "--", 2) != 0 || strncmp(word + 2, o->name, n) != 0)
			continue;
		if (word[2 + n] == '=')
			*value = word + 3 + n;
		if (word[2 + n] == '\0' || word[2 + n] == '=')
			return o;
	}
	return NULL;
}

static int add_rules(struct plan *p, const char *text, char *why, size_t why_len)
{
	size_t n = strlen(p->rules);

	if (pc_rules_add(&p->checked, text, why, why_len) != 0)
		return -1;
	if ((size_t)snprintf(p->rules + n, sizeof(p->rules) - n, "%s\n", text) >=
	    sizeof(p->rules) - n)
		return complain(why, why_len, "rules are too long at \"%.40s\"", text);
	return 0;
}

static int read_rules(struct plan *p, const char *name, char *why, size_t why_len)
{
	char text[PLAN_RULES];
	FILE *f = fopen(name, "re");
	int error = f == NULL ? errno : 0;
	size_t n = 0;

	if (f != NULL) {
		n = fread(text, 1, sizeof(text), f);
		error = ferror(f) ? errno : n == sizeof(text) ? EFBIG : 0;
		fclose(f);
	}
	if (error != 0) {
		snprintf(why, why_len, "--rules %s: %s", name,
		         error == EFBIG ? "file is too long" : strerror(error));
		return -1;
	}
	text[n] = '\0';
	return add_rules(p, text, why, why_len);
}

static int set_type(struct plan *p, const char *value, char *why, size_t why_len)
{
	static const char *const names[] = {"", "primary", "secondary", "auto"};

	for (int i = PLAN_PRIMARY; i <= PLAN_AUTO; i++)
		if (strcmp(value, names[i]) == 0) {
			p->type = (enum plan_type)i;
			return 0;
		}
	return complain(why, why_len,
	                "--proc-type: \"%s\" is not \"primary\", \"secondary\" or \"auto\"", value);
}

static int take_ours(struct plan *p, const struct option *o, char *value, char *why, size_t why_len)
{
	if (strcmp(o->name, "rule") == 0)
		return add_rules(p, value, why, why_len);
	if (strcmp(o->name, "rules") == 0)
		return read_rules(p, value, why, why_len);
	if (strcmp(o->name, "proc-type") == 0)
		return set_type(p, value, why, why_len);
	if (strcmp(o->name, "attach") == 0)
		p->attach = value;
	else if (strcmp(o->name, "socket") == 0)
		p->socket = value;
	else if (strcmp(o->name, "one-core") == 0)
		p->one_core = true;
	else if (strcmp(o->name, "verbose") == 0)
		p->verbose = true;
	else if (strcmp(o->name, "print") == 0)
		p->action = PLAN_PRINT;
	else if (o->letter != 0)
		p->action = o->letter == 'h' ? PLAN_HELP : PLAN_VERSION;
	return 0;
}

static int take_words(char **list, size_t *n, char *word, char *value)
{
	if (*n + 2 > PLAN_WORDS)
		return -1;
	list[(*n)++] = word;
	if (value != NULL)
		list[(*n)++] = value;
	return 0;
}

/* Takes a word, and its argument if that is a separate word. */
static int take(struct plan *p, const struct option *o, char *word, char *value, bool apart)
{
	static char config[] = "--config"; /* --conf is an alias of it */

	if (o == NULL)
		return take_words(p->eal, &p->nb_eal, word, NULL);
	if (strcmp(o->name, "conf") == 0)
		return take_words(p->stack, &p->nb_stack, config, value);
	return take_words(p->stack, &p->nb_stack, word, apart ? value : NULL);
}

/* Takes words up to "--". Returns how many, without it; -1: an error. first: EAL's are allowed. */
static int take_section(struct plan *p, char **argv, bool first, char *why, size_t why_len)
{
	int i;

	for (i = 0; argv[i] != NULL && strcmp(argv[i], "--") != 0; i++) {
		char *word = argv[i], *value;
		bool apart = false;
		const struct option *o = find(word, &value);

		if (o != NULL && o->argument && value == NULL) {
			value = argv[++i];
			apart = true;
			if (value == NULL || strcmp(value, "--") == 0)
				return complain(why, why_len,
				                "option %s requires an argument; see --help", word);
		}
		if (o == NULL && !first)
			return complain(why, why_len, "unknown option %s; see --help", word);
		if (o != NULL && o->target == OURS) {
			if (take_ours(p, o, value, why, why_len) != 0)
				return -1;
		} else if (take(p, o, word, value, apart) != 0) {
			return complain(why, why_len, "too many arguments at %s", word);
		}
		if (p->action == PLAN_HELP || p->action == PLAN_VERSION)
			return i;
	}
	return i;
}

int plan_make(struct plan *p, char **argv, char *why, size_t why_len)
{
	int n;

	memset(p, 0, sizeof(*p));
	n = take_section(p, ++argv, true, why, why_len);
	if (n >= 0 && argv[n] != NULL && argv[n + 1] != NULL && argv[n + 1][0] == '-') {
		argv += n + 1;
		n = take_section(p, argv, false, why, why_len);
	}
	if (n < 0)
		return -1;
	if (p->action == PLAN_HELP || p->action == PLAN_VERSION)
		return 0;
	if (argv[n] == NULL || argv[n + 1] == NULL)
		return complain(
		    why, why_len, "%s",
		    "missing program after \"--\" (example: percore-run "
		    "--vdev=net_tap0,iface=percore0 --addr 192.0.2.1/24 -- redis-server)");
	p->program = argv + n + 1;
	if (p->attach != NULL && (p->nb_eal > 0 || p->nb_stack > 0))
		return complain(why, why_len,
		                "%s cannot be used with --attach, which uses a running stack",
		                p->nb_eal > 0 ? p->eal[0] : p->stack[0]);
	if (p->one_core && (p->attach != NULL || p->socket != NULL || p->type != PLAN_ANY))
		return complain(
		    why, why_len,
		    "--one-core runs the stack inside the program and cannot be combined with %s",
		    p->attach != NULL   ? "--attach"
		    : p->socket != NULL ? "--socket"
		                        : "--proc-type");
	return 0;
}
