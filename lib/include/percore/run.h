/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_RUN_H
#define PERCORE_RUN_H

/*
 * Running: from main() to one stack per lcore, and back.
 *
 * pc_run reads the command line ([EAL options] -- [options]) and the config file, starts EAL and the
 * ports, makes one stack on each lcore with a queue pair of every port, and on each lcore turns the
 * loop: poll, the program's turn, flush.  SIGINT and SIGTERM end it in order.  Everything that can
 * go wrong at start is one line on stderr that says what is wrong and how to mend it, and status 2.
 *
 * This is the only part of percore that reads a clock.
 */

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <percore/addr.h>
#include <percore/config.h>
#include <percore/port.h>
#include <percore/stack.h>

/** The signal by which pc_run makes each thread of the program give up its privileges (run.privileges): a
 * thread that blocks signals leaves this one open. */
#define PC_RUN_SIGNAL (SIGRTMAX - 1)

#ifdef __cplusplus
extern "C" {
#endif

/** One command-line option of a program, e.g. {"root", "DIR", "serve the files of DIR", ...}. */
struct pc_run_option {
	const char *name;     /**< long name without "--"; NULL ends a table */
	const char *argument; /**< what to call its argument in --help; NULL: it takes none */
	const char *help;     /**< a sentence */
	/** Takes the argument. Returns 0, or -1 with one line for a person in why. */
	int (*set)(void *app, const char *argument, char *why, size_t why_len);
	/** Instead of set: the "section.key" that the argument is the value of. */
	const char *key;
	char letter; /**< short name, which goes before those that all programs have; 0: none */
};

/** What a program without a stack is given on each lcore; it lives until its finish. */
struct pc_run_ports {
	struct pc_port *const *ports; /**< its queue pair of every port */
	unsigned nb_ports;
	struct rte_mempool *pool;      /**< its mbufs; stack.mbufs says how many there are */
	const struct pc_prefix *addr;  /**< the first --addr of port 0; NULL: none was given */
	const struct pc_addr *gateway; /**< NULL: none was given */
};

/** The callbacks of a program that deals with frames itself, so that no stack is made for it. */
struct pc_run_frames {
	/** Called on each lcore when its ports are up. Returns 0, or -1 with a line in why, which ends
	 * the program (and finish is not called for this worker). */
	int (*start)(void *app, const struct pc_run_ports *ports, uint64_t now_ns, void **worker,
	             char *why, size_t why_len);
	/** Called over and over; never blocks. Returns false when this worker's work is done. */
	bool (*turn)(void *worker, uint64_t now_ns);
	/** Instead of turn, for a program that goes on until it is stopped and has nothing to do until a frame comes:
	 * returns how many frames have come, or wait to be sent. While it is 0 the lcore idles as run.idle says. */
	unsigned (*serve)(void *worker, uint64_t now_ns);
	/** Called between turns, every run.stats_s seconds (--stats), and with asked when a SIGUSR1 has come:
	 * prints what there is to tell. May be NULL: then SIGUSR1 is not caught. */
	void (*report)(void *worker, uint64_t now_ns, bool asked);
	/** It wants frames as they are on the wire: every device hands over frames for any MAC address, and does nothing
	 * to them but send chains, whatever port.promiscuous and port.offloads say. */
	bool as_on_the_wire;
	/** Called once when a signal asked to stop: turn is to return false soon, and is called no
	 * more run.drain_ms after the signal. May be NULL: stop at once. */
	void (*drain)(void *worker, uint64_t now_ns);
	/** Called after the last turn. Returns 0, or -1 when pc_run is to return 1. */
	int (*finish)(void *worker, uint64_t now_ns);
};

/** A program that runs on percore. The callbacks of a worker run on its lcore only. */
struct pc_run_app {
	const char *name;    /**< e.g. "percore-echo"; used in messages */
	const char *summary; /**< what it does, a sentence for --help */
	const char *example; /**< its options in --help's example; NULL: an address alone */
	const struct pc_run_option *options; /**< its own options; may be NULL */
	/** Its own keys, e.g. section "http": --set http.key=value and the config file write into
	 * the struct at config; keys may be NULL. The caller sets the defaults beforehand. */
	const struct pc_config_key *keys;
	size_t nb_keys;
	void *config;
	/** Called before anything is read: gives keys of the stack other defaults in this program. May be NULL. */
	void (*defaults)(struct pc_stack_config *config);
	/** SIGINT, SIGTERM and SIGPIPE are the program's own, and SIGHUP where there is no config file: it ends
	 * when threads returns. */
	bool own_signals;
	/** Called once, on the main lcore, after arguments and before EAL: checks what was given.
	 * May be NULL. Returns 0, or -1 with a line in why. */
	int (*check)(void *app, char *why, size_t why_len);
	/** Instead of everything that follows: the program wants frames and no stack. */
	const struct pc_run_frames *frames;
	/** Called on a thread of its own when everything is up, with the process attached to the stacks: it and
	 * the threads that it makes use percore/posix.h. When it returns the program stops, and pc_run returns its
	 * value unless something else failed. start and turn may be NULL then. May be NULL. */
	int (*threads)(void *app);
	/** Called on each lcore when its stack is up: makes sockets. *worker is the worker's own
	 * state. Returns 0, or -1 with a line in why, which ends the program (and finish is not
	 * called for this worker). */
	int (*start)(void *app, struct pc_stack *st, void **worker, char *why, size_t why_len);
	/** Called on each turn, between poll and flush: serves what is ready. May be NULL when all is done by
	 * threads or other processes (run.sockets), and so may start. */
	void (*turn)(void *worker, struct pc_stack *st, uint64_t now_ns);
	/** Says when turn has something to do although nothing comes, ns as its now_ns; UINT64_MAX: never. Asked before an
	 * idle lcore sleeps. NULL: that is not known, and it looks once a millisecond or so. */
	uint64_t (*next_deadline)(void *worker, struct pc_stack *st);
	/** Called once when a signal asked to stop: closes listeners, lets requests end.
	 * May be NULL. */
	void (*drain)(void *worker, struct pc_stack *st, uint64_t now_ns);
	/** Says that nothing is left to do; asked on each turn after drain. May be NULL: stop at
	 * once. The loop ends anyway run.drain_ms after the signal. */
	bool (*drained)(void *worker, struct pc_stack *st);
	/** Called on each lcore after its loop, before its stack is destroyed. May be NULL. */
	void (*finish)(void *worker, struct pc_stack *st);
	/** Called on a thread of its own, on none of the lcores that carry data, at each SIGHUP, after the config files, if
	 * there are any: reads the program's own files again, and says what has changed. With it SIGHUP does not end a
	 * program that was given no config file. May be NULL. */
	void (*reload)(void *app);
	/** Called behind the counters that run.stats_s prints (--stats), the last time after all finish: prints the program's
	 * own, which other lcores may count on meanwhile, in the same form. May be NULL. */
	void (*report)(void *app, FILE *f);
};

/**
 * pc_run runs a program and returns its exit status: 0 after an orderly end, 1 when something failed
 * while it ran, 2 when it could not start. app_arg is handed to the callbacks as app.
 */
int pc_run(int argc, char **argv, const struct pc_run_app *app, void *app_arg);

/** A stack that the threads themselves drive. */
struct pc_drive;

/**
 * pc_drive_start starts EAL, the ports and one stack, as pc_run does with the same arguments, attaches the
 * process and returns: from then on each thread that would sleep in a call of percore/posix.h drives the stack, and no
 * second core is needed. No signal is caught. Returns NULL with one line for a person in why.
 */
struct pc_drive *pc_drive_start(int argc, char **argv, char *why, size_t why_len);

/** pc_drive_stop detaches the process and does what pc_drive_close does. */
void pc_drive_stop(struct pc_drive *drive);

struct pcx_driver; /* of percore/posix.h */

/**
 * pc_drive_open is pc_drive_start without the attaching, for a library that has the calls of percore/posix.h as a part
 * of its own: *driver, which lives as long as the drive, is for its pcx_set_driver, and *connection, which is the
 * caller's, for its pcx_attach_fd. EAL's threads are made in this call, with the signal mask of the caller.
 */
struct pc_drive *pc_drive_open(int argc, char **argv, const struct pcx_driver **driver,
                               int *connection, char *why, size_t why_len);

/**
 * pc_drive_close turns the stack until all sockets that were closed have sent what they had and all connections have
 * ended, for a second at most, and takes everything down. Nobody may be in a call on the stack.
 */
void pc_drive_close(struct pc_drive *drive);

/**
 * pc_run_wall_clock returns seconds since 1970, for Date headers and logs: a read of memory. It is 0
 * on a stack that pc_run does not drive.
 */
int64_t pc_run_wall_clock(const struct pc_stack *st);

#ifdef __cplusplus
}
#endif
#endif
