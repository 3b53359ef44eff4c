/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_ARGS_H
#define RUN_ARGS_H

/* The command line: [EAL options] -- [options].  Without "--", all options are ours. */

#include "settings.h"

enum args_action { ARGS_RUN, ARGS_HELP, ARGS_VERSION, ARGS_PRINT_CONFIG };

struct args {
	enum args_action action;
	int nb_eal; /* argv[1] to argv[nb_eal] are EAL's */
};

/** An option that every program has. */
struct common_option {
	const char *name, *argument, *help;
	char letter; /* 0: none */
};

/** common_options ends with an entry without name. */
extern const struct common_option common_options[];

/**
 * args_parse reads a command line, and the config file that it names, into s: the file first, then
 * the options in their order. Returns 0, or -1 with a line in s->why.
 */
int args_parse(struct settings *s, int argc, char **argv, struct args *args);

/**
 * args_check is settings_check for a command line. If something is missing and there is an option
 * before the "--" that EAL does not know, it reports that option instead: EAL itself complains only
 * when it starts. Returns 0, or -1 with a line in s->why.
 */
int args_check(struct settings *s, int nb_eal, char **argv);

/** args_is_key says whether an option of the program's is also a key of its section: if it has an
 * argument that it takes itself. */
bool args_is_key(const struct pc_run_app *app, const struct pc_run_option *o);

/** args_option_of_key finds the option that a key stands for, file_name for file-name; NULL: none. */
const struct pc_run_option *args_option_of_key(const struct pc_run_app *app, const char *section,
                                               const char *name);

/** args_set_own gives the program what a file says to its option; in a second reading it only notes
 * it. Returns 0, or -1 with a line in s->why. */
int args_set_own(struct settings *s, const char *origin, const struct pc_run_option *o,
                 const char *value);

/** args_changed returns the name of an option that the files of one say otherwise than those of the
 * other; NULL: none. */
const char *args_changed(const struct settings *from, const struct settings *to);

/** args_forget frees what args_set_own has given to the program, which points at it until it ends. */
void args_forget(struct settings *s);

/** help_print writes the usage, every option and every key. */
void help_print(const struct settings *s, FILE *f);

/** help_print_config writes a config file with every key at its default, commented out. */
void help_print_config(const struct settings *s, FILE *f);

#endif
