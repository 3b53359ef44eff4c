/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_WORKER_H
#define RUN_WORKER_H

/*
 * Workers: one for each lcore, with its stack, its queue pair of every port, and its mbufs.
 *
 * Life cycle: the main lcore creates everything, launches the others, and works itself; when all
 * loops have ended, it destroys everything.  Only state, why, wanted and the counters of a stack
 * are ever read by another thread.
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

/** What changes for the stacks when the files have been read again. */
struct reload_batch {
	struct pc_stack_config from, to;
	const struct pc_prefix *denied; /* all of them */
	unsigned nb_denied;
};

struct worker {
	struct run *run;
	unsigned lcore, index;
	int thread; /* as the kernel numbers it, when it has started */
	struct pc_stack *st;
	struct rte_mempool *pool;
	struct pc_port *ports[PC_MAX_PORTS];   /* of the devices, then of VLANs */
	struct pc_run_ports frames;            /* what a program without a stack has been given */
	struct pc_port *devices[PC_MAX_PORTS]; /* below everything that is around them */
	struct pc_port *taps[PC_MAX_PORTS];    /* of exception.c */
	struct pc_port *pcaps[PC_MAX_PORTS];   /* those of ports that write run.pcap */
	bool pcap_told;                        /* that the file lacks frames */
	void *app;                             /* the program's own */
	struct idle idle;
	struct lcore_use use;
	struct pc_service *service;        /* for threads; NULL: nobody wants one */
	struct lease *lease;               /* of lease.c; NULL: no port wants one */
	uint64_t wall_next_ns;             /* when the next second of the day begins */
	const struct reload_batch *wanted; /* of reload.c; NULL: nothing, or done; atomic */
	int reload_rc;                     /* whether that went well */
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
	struct reload *reload; /* of the thread that reads the files again; NULL: there is none */
	pthread_t reloader;
	pthread_t reporter; /* if has_reporter */
	bool has_reporter;
	bool reporter_ends; /* atomic */
	sem_t report_given; /* to the reporter: */
	char *report_text;  /* NULL: nothing; atomic */
	size_t report_bytes;
	struct ctl *ctl; /* of the thread that serves run.control; NULL: nobody wants it */
	struct firewall
	    *firewall;        /* of firewall.c; NULL: there are no rules, and nobody can give any */
	struct pc_host *host; /* for threads; NULL: nobody wants it */
	pthread_t threads;    /* the program's own, if threads_run */
	bool threads_run;
	int threads_status;
	bool reload_ends; /* atomic */
	struct clock clock;
	uint64_t stats_next_ns; /* of a program without a stack */
	uint64_t mbufs_missing; /* when everything has been given back: a leak */
	unsigned nb_workers, nb_ports, nb_started;
	uint16_t port_ids[PC_MAX_PORTS];
	struct bond bonds[PC_MAX_PORTS];     /* what each port is a bond of; of the first worker */
	struct rejoin rejoins[PC_MAX_PORTS]; /* likewise */
	struct steer *steers[PC_MAX_PORTS];  /* NULL with one worker */
	bool link_up[PC_MAX_PORTS];          /* as the first worker has seen it; atomic */
	uint8_t link_moves[PC_MAX_PORTS];    /* of bonds, likewise */
	bool untrue_told[PC_MAX_PORTS];      /* that a device does not do what it announces */
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

/** worker_look_at_files writes what the files of run.pcap are owed, and tells, once, when one lacks frames. */
void worker_look_at_files(struct worker *w);

/**
 * worker_look_around is called in each turn. Once a second, and sooner while a link is down or is a bond's, it asks the system for the time
 * of day and the links, and writes what files are owed. Returns whether it has.
 */
bool worker_look_around(struct worker *w, uint64_t now);

/** worker_start_idling begins what idle_turn goes on with. */
void worker_start_idling(struct worker *w);

/** worker_lease is lease_start with a line in w->why when it fails. */
int worker_lease(struct worker *w);

/** worker_run is an lcore's life from the program's start to its finish. For rte_eal_remote_launch. */
int worker_run(void *worker);

/** setup_port_of returns the index of the port, of a device or of a VLAN, that is to have an address. */
unsigned setup_port_of(const struct run *r, const struct run_addr *a);

/** run_setup makes workers, ports and stacks. Returns 0, or -1 with a line in r->s->why. */
int run_setup(struct run *r);

/** run_teardown undoes run_setup, also a half-done one. */
void run_teardown(struct run *r);

/** run_loop launches the workers and is one. Returns 0, or -1 with a line in r->s->why. */
int run_loop(struct run *r);

/** worker_look_at_link asks a device for its link, on behalf of all workers; a memif's client looks for its server. */
void worker_look_at_link(struct run *r, unsigned p, uint64_t now);

#endif
