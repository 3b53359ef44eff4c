/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_RUN_H
#define PERCORE_RUN_H

/*
 * The framework for programs: from main() to one stack per lcore, and back again.
 *
 *   int main(int argc, char **argv)
 *   {
 *       const struct pc_run_app app = {.name = "echo", .start = start, .turn = turn};
 *
 *       return pc_run(argc, argv, &app, NULL);
 *   }
 *
 * pc_run reads the command line ([EAL options] -- [options]) and the config file, starts EAL and
 * the ports, makes a stack on each lcore with a queue pair of every port, and runs the loop on
 * each: pc_stack_poll, the program's turn, pc_stack_flush.  SIGINT and SIGTERM end it in an orderly
 * way, SIGUSR1 prints the counters.  An error at startup is reported in one line on stderr that
 * names the remedy; the exit status is 2.
 *
 * This is the only part of percore that reads a clock for a stack.
 *
 * In all callbacks, why is a buffer of why_len bytes for a one-line error message, without a line
 * end.
 */

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <percore/addr.h>
#include <percore/config.h>
#include <percore/port.h>
#include <percore/stack.h>

/**
 * The signal by which pc_run makes each thread of the program drop its privileges (run.privileges).
 * A thread that blocks signals must not block this one.
 */
#define PC_RUN_SIGNAL (SIGRTMAX - 1)

#ifdef __cplusplus
extern "C" {
#endif

/** A command-line option of a program, e.g. {"root", "DIR", "serve the files of DIR", ...}. */
struct pc_run_option {
	const char *name;     /**< long name without "--"; NULL ends a table */
	const char *argument; /**< name of its argument in --help; NULL: it takes none */
	const char *help;     /**< a sentence for --help */
	/** Applies the option; argument is NULL if it takes none. Returns 0, or -1 with a message
	 * in why. */
	int (*set)(void *app, const char *argument, char *why, size_t why_len);
	/** Instead of set: the "section.key" to which the argument is assigned, or 1 if the option takes none. */
	const char *key;
	/** With key, for an argument in another unit: makes it the key's value. Returns 0, or -1 with
	 * a message in why. May be NULL. */
	int (*read)(const char *argument, uint64_t *value, char *why, size_t why_len);
	char letter; /**< short name; overrides one that all programs have; 0: none */
};

/** What a program without a stack gets on each lcore; valid until finish has been called. */
struct pc_run_ports {
	struct pc_port *const *ports; /**< its queue pair of every port */
	unsigned nb_ports;
	struct rte_mempool *pool;      /**< its mbufs; stack.mbufs is their number */
	const struct pc_prefix *addr;  /**< the first --addr of port 0; NULL: none was given */
	const struct pc_addr *gateway; /**< of the same family; NULL: none was given */
};

/** The callbacks of a program that works on frames, for which no stack is made. */
struct pc_run_frames {
	/** Called on each lcore when its ports are started; sets *worker, the state that is passed
	 * to the other callbacks. Returns 0, or -1 with a message in why, which ends the program
	 * (finish is then not called for this worker). */
	int (*start)(void *app, const struct pc_run_ports *ports, uint64_t now_ns, void **worker,
	             char *why, size_t why_len);
	/** Called repeatedly; it must not block. Returns false when this worker is done. */
	bool (*turn)(void *worker, uint64_t now_ns);
	/** Instead of turn, for a program that runs until it is stopped and only reacts to frames.
	 * Returns how many frames it has received, or has yet to send; while that is 0, the lcore
	 * idles as run.idle says. */
	unsigned (*serve)(void *worker, uint64_t now_ns);
	/** Prints statistics to f, which is in memory. Called on the main lcore between two turns,
	 * every run.stats_s seconds (--stats), and with asked set after SIGUSR1; not while earlier
	 * output has yet to be written because nobody reads it. NULL: there are none, and SIGUSR1
	 * is not caught. */
	void (*report)(void *worker, uint64_t now_ns, bool asked, FILE *f);
	/** The program handles frames as they are on the wire: devices are promiscuous and use no
	 * offload but sending chained mbufs, whatever port.promiscuous and port.offloads say. */
	bool as_on_the_wire;
	/** Called once after SIGINT or SIGTERM: turn should return false soon; it is called for
	 * another run.drain_ms at most. NULL: the worker stops at once. */
	void (*drain)(void *worker, uint64_t now_ns);
	/** Called on each lcore after its last turn. Returns 0, or -1 to make pc_run return 1. */
	int (*finish)(void *worker, uint64_t now_ns);
};

/** Takes a counter of a program: its name, and a sentence that says what has been counted. Both must
 * stay valid. */
typedef void pc_run_count(void *arg, const char *name, const char *sentence, uint64_t value);

/** A program on percore. The callbacks of a worker run on its lcore only. */
struct pc_run_app {
	const char *name;    /**< e.g. "percore-echo"; used in messages */
	const char *summary; /**< what it does, a sentence for --help */
	const char *example; /**< its options in the example of --help; NULL: only an address */
	/** EAL options of that example; NULL: one TAP. */
	const char *example_ports;
	const struct pc_run_option *options; /**< its own options; may be NULL */
	/** Its own keys, e.g. of section "http": --set http.key=value and the config file write to
	 * the struct at config, in which the caller has set the defaults. keys may be NULL. */
	const struct pc_config_key *keys;
	size_t nb_keys;
	void *config;
	/** Sets this program's own defaults of the stack's keys; called before anything is read.
	 * May be NULL. */
	void (*defaults)(struct pc_stack_config *config);
	/** The program handles SIGINT, SIGTERM, SIGUSR1 and SIGPIPE itself, and SIGHUP if there is
	 * no config file. It ends when threads returns. */
	bool own_signals;
	/** The program cannot distribute its work: with more than one lcore it does not start. */
	bool one_lcore;
	/** Checks the arguments; called once, on the main lcore, before EAL starts. Returns 0, or
	 * -1 with a message in why. May be NULL. */
	int (*check)(void *app, char *why, size_t why_len);
	/** Callbacks of a program that works on frames, without a stack; then the members below are
	 * ignored. NULL: the program has stacks. */
	const struct pc_run_frames *frames;
	/** The main function of a program made of threads: called on a thread of its own when
	 * everything is up, with the process attached to the stacks, so that it and the threads
	 * that it makes can use percore/posix.h. When it returns, the program stops, and pc_run
	 * returns its value unless something else failed. start and turn may then be NULL. May be
	 * NULL. */
	int (*threads)(void *app);
	/** Called on each lcore when its stack is up, to open sockets and set *worker, the state
	 * that is passed to the other callbacks. Returns 0, or -1 with a message in why, which ends
	 * the program (finish is then not called for this worker). */
	int (*start)(void *app, struct pc_stack *st, void **worker, char *why, size_t why_len);
	/** Called in each turn, between pc_stack_poll and pc_stack_flush, to serve what is ready;
	 * it must not block. turn and start may be NULL if threads or other processes
	 * (run.sockets) do all the work. */
	void (*turn)(void *worker, struct pc_stack *st, uint64_t now_ns);
	/** Returns the time, as now_ns, at which turn must be called even if nothing arrives;
	 * UINT64_MAX: never. Called before an idle lcore sleeps. NULL: unknown, and turn is called
	 * about once a millisecond. */
	uint64_t (*next_deadline)(void *worker, struct pc_stack *st);
	/** Called once after SIGINT or SIGTERM: closes listeners, lets requests end. May be
	 * NULL. */
	void (*drain)(void *worker, struct pc_stack *st, uint64_t now_ns);
	/** Returns true when nothing is left to do; called in each turn after drain, until then.
	 * NULL: nothing is left at once or, with threads or run.sockets, when the stack has no
	 * connections. The loops of all lcores end together, as frames of one's connections may
	 * arrive at another, and run.drain_ms after the signal in any case. */
	bool (*drained)(void *worker, struct pc_stack *st);
	/** Called on each lcore after its loop, before its stack is destroyed. May be NULL. */
	void (*finish)(void *worker, struct pc_stack *st);
	/** Reads the program's own files again and reports what has changed to out and err, which
	 * are written to stdout and stderr when it returns. Called at each SIGHUP, after the config
	 * file has been read, on a thread that is not an lcore. NULL: SIGHUP ends a program that
	 * has no config file. */
	void (*reload)(void *app, FILE *out, FILE *err);
	/** Tells the program's own counters, which are shown after those of the stack (run.stats_s,
	 * --stats, SIGUSR1, percore-ctl): calls count with arg for each, also those that are 0.
	 * Called on a thread that is not an lcore, while lcores are counting; the last time after
	 * all finish callbacks. May be NULL. */
	void (*counters)(void *app, pc_run_count *count, void *arg);
};

/**
 * pc_run runs a program and returns its exit status: 0 after an orderly end, 1 if something failed
 * while it ran, 2 if it could not start. app_arg is passed to the callbacks as app. Call it once in
 * a process: EAL cannot start again.
 */
int pc_run(int argc, char **argv, const struct pc_run_app *app, void *app_arg);

/** A stack that a program's own threads drive, without an lcore of its own. */
struct pc_drive;

/**
 * pc_drive_start starts EAL, the ports and one stack, as pc_run does with the same arguments,
 * attaches the process and returns. From then on, a thread that would sleep in a call of
 * percore/posix.h drives the stack instead, so no second core is needed. No signals are caught.
 * Returns NULL with a one-line error message in why (why_len bytes) if that fails.
 */
struct pc_drive *pc_drive_start(int argc, char **argv, char *why, size_t why_len);

/** pc_drive_stop detaches the process, which closes its sockets, and then is pc_drive_close. */
void pc_drive_stop(struct pc_drive *drive);

struct pcx_driver; /* of percore/posix.h */

/**
 * pc_drive_open is pc_drive_start without attaching, for a library that contains its own copy of
 * the calls of percore/posix.h: pass *driver, valid as long as the drive, to its pcx_set_driver,
 * and *connection, a descriptor that belongs to the caller, to its pcx_attach_fd. EAL's threads are
 * created by this call and inherit the caller's signal mask.
 */
struct pc_drive *pc_drive_open(int argc, char **argv, const struct pcx_driver **driver,
                               int *connection, char *why, size_t why_len);

/**
 * pc_drive_close drives the stack until all closed sockets have sent their data and all connections
 * have ended, but for a second at most, and frees everything. No thread may be in a call on the
 * stack.
 */
void pc_drive_close(struct pc_drive *drive);

/**
 * pc_run_wall_clock returns the time of day in seconds since 1970 (UTC), for Date headers and logs;
 * it only reads memory. It returns 0 for a stack that neither pc_run nor a pc_drive drives.
 */
int64_t pc_run_wall_clock(const struct pc_stack *st);

/** Where the lcores of this process run. */
struct pc_run_places {
	unsigned nb_lcores;
	int main_cpu;   /**< of the main lcore; -1: it has several */
	int main_node;  /**< its NUMA node */
	cpu_set_t cpus; /**< of all lcores */
};

/** pc_run_get_places fills *p; after EAL has been initialised, on any thread. */
void pc_run_get_places(struct pc_run_places *p);

#ifdef __cplusplus
}
#endif
#endif
