/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SIM_CONFIG_BED_H
#define SIM_CONFIG_BED_H

/*
 * A stack alone on a link under a virtual clock, with a model around it: what searches for defects in
 * how an interface is configured (leases.c, leases6.c, routers.c, neighbours.c) has in common.
 *
 * The model hears each frame that the stack sends at once, and says frames that arrive after a delay;
 * it is told when one arrives. The clock goes from one event to the next: of the stack, of a client
 * that runs on it, of frames under way, and of the model. So what is due and not announced is late.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/percore.h>

#include "frame.h"
#include "probe.h"

#define US     UINT64_C(1000)
#define MS     UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)
#define HOUR   (3600 * SECOND)
#define NEVER  UINT64_MAX

struct bed;

/** What a model does; members may be NULL. */
struct bed_model {
	const char *name;
	/** A frame of the stack, as it is sent; also while the link is down. */
	void (*hear)(struct bed *b, const struct frame *f);
	/** The frame that was said with this tag is received. */
	void (*arrived)(struct bed *b, unsigned tag);
	/** The turn of a client that runs on the stack, and when it has the next one. */
	void (*client)(struct bed *b);
	uint64_t (*client_next)(struct bed *b);
	/** What is due in the model at b->now; then the invariants are checked. */
	void (*due)(struct bed *b);
	void (*check)(struct bed *b);
	/** When something is next due in the model. */
	uint64_t (*next)(struct bed *b);
};

/** A frame under way. */
struct bed_post {
	uint64_t at_ns;
	unsigned tag;
	struct frame f;
};

struct bed {
	const struct bed_model *model;
	uint64_t seed, random, now;
	uint64_t frames;      /* sent by the stack */
	uint64_t most_frames; /* after so many bed_run returns early; 0: it does not */
	struct pc_stack_config cfg;
	struct pc_stack *st;
	struct probe *probe;
	struct rte_mempool *pool;
	struct bed_post *post;
	unsigned nb_posts, posts_size;
	bool failed;
};

/** bed_draw returns a number from low to high; bed_chance is true in so many of 100 cases. */
uint64_t bed_draw(struct bed *b, uint64_t low, uint64_t high);
bool bed_chance(struct bed *b, unsigned percent);

/** bed_fail notes that an invariant is violated, and prints the first one. */
void bed_fail(struct bed *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** bed_log prints what happens, if one seed was asked for. */
void bed_log(struct bed *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** bed_open makes the stack from b->cfg, which bed_begin sets to the defaults. */
void bed_begin(struct bed *b, const struct bed_model *model, uint64_t seed,
               struct rte_mempool *pool);
void bed_open(struct bed *b);

/** bed_say has a frame arrive after a delay, with a tag for the model, even while the link is down. */
void bed_say(struct bed *b, const struct frame *f, uint64_t delay_ns, unsigned tag);

/** bed_link takes the link up or down; frames under way are lost. */
void bed_link(struct bed *b, bool up);
bool bed_is_up(const struct bed *b);

/** bed_run lets time pass until an end, or a failure; bed_turn does what is due now. */
void bed_run(struct bed *b, uint64_t end_ns);
void bed_turn(struct bed *b);

/** bed_close destroys the stack, and checks that nothing is left. Returns whether all was well. */
bool bed_close(struct bed *b);

/** bed_seconds turns a time into seconds, to print. */
double bed_seconds(uint64_t ns);

/** bed_main runs seeds: FIRST [LAST]; one alone is printed in detail. Returns the exit status. */
int bed_main(int argc, char **argv, uint64_t last,
             bool (*run)(uint64_t seed, struct rte_mempool *pool));

#endif
