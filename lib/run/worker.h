/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_WORKER_H
#define RUN_WORKER_H

/*
 * Workers: one for each lcore, with its stack, its queue pair of every port, and its mbufs.
 *
 * Life cycle: the main lcore creates everything, launches the other lcores, and then works as one
 * of them; when all loops have ended, it destroys everything.  Other threads only ever read a
 * worker's state, why and wanted, and its stack's counters.
 */

#include <pthread.h>
#include <semaphore.h>

#include <percore/host.h>

#include <rte_common.h>

#include "bond.h"
#include "clock.h"
#include "eal.h"
#include "exception.h"
#include "idle.h"
#include "rejoin.h"
#include "settings.h"
#include "steer.h"
#include "use.h"

enum worker_state { WORKER_NEW, WORKER_UP, WORKER_FAILED };

struct firewall;
struct run;
struct reload;

/** The changes for the stacks after the files have been reread. */
struct reload_batch {
	struct pc_stack_config from, to;
	const struct pc_prefix *denied; /* the whole new list */
	unsigned nb_denied;
};

struct worker {
	struct run *run;
	unsigned lcore, index;
	int thread; /* the kernel's ID of its thread, once it has started */
	struct pc_stack *st;
	struct rte_mempool *pool;
	struct pc_port *ports[PC_MAX_PORTS];   /* of the devices, then of VLANs */
	struct pc_run_ports frames;            /* for a program without a stack */
	struct pc_port *devices[PC_MAX_PORTS]; /* the innermost ports */
	struct pc_port *taps[PC_MAX_PORTS];    /* of exception.c */
	struct pc_port *pcaps[PC_MAX_PORTS];   /* the layers that write run.pcap */
	bool pcap_told;                        /* it was reported that the file lacks frames */
	void *app;                             /* the program's own */
	struct idle idle;
	struct lcore_use use;
	struct pc_service *service;        /* for threads; NULL: not wanted */
	struct lease *lease;               /* of lease.c; NULL: no port uses DHCP */
	uint64_t wall_next_ns;             /* when the next second of the day begins */
	const struct reload_batch *wanted; /* of reload.c; NULL: nothing, or done; atomic */
	int reload_rc;                     /* the result of applying it */
	bool drained;                      /* see run.nb_drained */
	int state;                         /* enum worker_state; atomic */
	int status;                        /* of a program without a stack, at its end: 0 or -1 */
	char why[256];
} __rte_cache_aligned;

/** A VLAN of a port. */
struct run_vlan {
	unsigned port;
	uint16_t tag[2]; /* outer, inner */
};

struct run {
	struct settings *s;
	const struct pc_run_app *app;
	struct eal eal;
	int argc;
	char **argv;
	struct reload *reload; /* of the thread that rereads the files; NULL: there is none */
	pthread_t reloader;
	pthread_t reporter; /* if has_reporter */
	bool has_reporter;
	bool reporter_ends; /* atomic */
	sem_t report_given; /* to the reporter: */
	char *report_text;  /* NULL: nothing; atomic */
	size_t report_bytes;
	struct ctl *ctl;           /* of the thread that serves run.control; NULL: there is none */
	struct firewall *firewall; /* of firewall.c; NULL: no rules, and no way to load any */
	struct pc_host *host;      /* for threads; NULL: not wanted */
	pthread_t threads;         /* the program's own, if threads_run */
	bool threads_run;
	int threads_status;
	bool reload_ends; /* atomic */
	struct clock clock;
	uint64_t stats_next_ns; /* of a program without a stack */
	uint64_t mbufs_missing; /* after everything was freed: leaked */
	unsigned nb_workers, nb_ports, nb_started;
	unsigned nb_drained; /* workers without open connections, as the program stops; atomic */
	uint16_t port_ids[PC_MAX_PORTS];
	struct bond bonds[PC_MAX_PORTS];     /* the members of each port; for the first worker */
	struct rejoin rejoins[PC_MAX_PORTS]; /* likewise */
	struct steer *steers[PC_MAX_PORTS];  /* NULL with one worker */
	bool link_up[PC_MAX_PORTS];          /* as last seen by the first worker; atomic */
	uint8_t link_moves[PC_MAX_PORTS];    /* of bonds, likewise */
	bool untrue_told[PC_MAX_PORTS];      /* a device's broken offload was reported */
	struct lease_board *board;           /* of lease.c */
	struct exception_taps taps;
	unsigned nb_vlans; /* their ports follow those of the devices */
	struct run_vlan vlans[PC_MAX_PORTS];
	struct worker *workers[RTE_MAX_LCORE];
};

/** frames_start, frames_work and frames_finish are the life of a worker without a stack. */
int frames_start(struct worker *w);
void frames_work(struct worker *w);
void frames_finish(struct worker *w);

/** worker_look_at_files flushes the files of run.pcap, and reports, once, if one lacks frames. */
void worker_look_at_files(struct worker *w);

/**
 * worker_look_around is called in each turn. Once a second, and more often while a link is down or
 * is a bond's, it reads the time of day and the links, and flushes files. Returns whether it has.
 */
bool worker_look_around(struct worker *w, uint64_t now);

/** worker_start_idling prepares for idle_turn. */
void worker_start_idling(struct worker *w);

/** worker_lease is lease_start with a line in w->why if it fails. */
int worker_lease(struct worker *w);

/** worker_run runs an lcore from the program's start function to its finish function. For
 * rte_eal_remote_launch. */
int worker_run(void *worker);

/** setup_port_of returns the index of the port, of a device or a VLAN, that an address is for. */
unsigned setup_port_of(const struct run *r, const struct run_addr *a);

/** run_setup creates workers, ports and stacks. Returns 0, or -1 with a line in r->s->why. */
int run_setup(struct run *r);

/** run_teardown undoes run_setup, also one that failed half-way. */
void run_teardown(struct run *r);

/** run_loop launches the workers and runs one itself. Returns 0, or -1 with a line in r->s->why. */
int run_loop(struct run *r);

/** worker_look_at_link checks a device's link on behalf of all workers; a memif client then looks
 * for its server. */
void worker_look_at_link(struct run *r, unsigned p, uint64_t now);

#endif
