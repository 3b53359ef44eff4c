/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Zero copy: the mbuf that the device has filled is the one that the program gets, and what the program sends leaves from
 * where it lies, when it is repeated, too.
 *
 * A layer around the server's port notes which mbufs have come, and looks from which address the last byte of each message
 * leaves; it loses one in LOSE. Messages are told apart by the number that they begin with.
 *
 *   PERCORE_RUNS=100000 unit_stack_loan        that many turns, of 16 messages of 1,400 bytes
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "pair.h"

#define RUNS  4000
#define LOSE  499
#define SLOTS (1 << 20) /* a power of two; more than are answered while one is repeated */
#define CAME  4096      /* likewise; mbufs that have come lately */

struct layer {
	struct pc_port port;
	struct pc_port *below;
};

static const struct rte_mbuf *came[CAME];
static const uint8_t *lent[SLOTS]; /* the end of the message of a number */
static unsigned nb_came;
static uint64_t messages, copies, strangers, lost;

/* ---- the layer ------------------------------------------------------------------------------- */

static uint16_t receive(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns)
{
	struct pc_port *below = ((struct layer *)port)->below;
	const uint16_t got = below->ops->rx_burst(below, pkts, n, now_ns);

	for (uint16_t i = 0; i < got; i++)
		came[nb_came++ % CAME] = pkts[i];
	return got;
}

/* Looks at a frame that may be a message. Returns whether it is to be lost. */
static bool look(struct rte_mbuf *m)
{
	const struct rte_mbuf *last = rte_pktmbuf_lastseg(m);
	uint8_t bytes[sizeof(uint64_t)];
	const uint8_t *p;
	uint64_t number;

	if (m->pkt_len < PAIR_SIZE)
		return false;
	p = rte_pktmbuf_read(m, m->pkt_len - PAIR_SIZE, sizeof(bytes), bytes);
	memcpy(&number, p, sizeof(number));
	if (memcmp(p, "hello", 6) == 0)
		return false; /* the greeting is a copy */
	if (lent[number % SLOTS] != rte_pktmbuf_mtod(last, const uint8_t *) + last->data_len)
		copies++;
	return ++messages % LOSE == 0;
}

static uint16_t pass_on(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns)
{
	struct pc_port *below = ((struct layer *)port)->below;
	uint16_t sent = 0;

	for (uint16_t i = 0; i < n; i++) {
		if (look(pkts[i])) {
			lost++;
			rte_pktmbuf_free(pkts[i]);
		} else if (below->ops->tx_burst(below, &pkts[i], 1, now_ns) != 1) {
			break;
		}
		sent++;
	}
	return sent;
}

static void end(struct pc_port *port)
{
	pc_port_close(((struct layer *)port)->below);
	free(port);
}

static struct pc_port *wrap(struct pc_port *below)
{
	static const struct pc_port_ops ops = {
	    .rx_burst = receive, .tx_burst = pass_on, .close = end};
	struct layer *l = calloc(1, sizeof(*l));

	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	l->port = (struct pc_port){.ops = &ops, .info = below->info};
	l->below = below;
	return &l->port;
}

/* ---- the program ------------------------------------------------------------------------------ */

/* What it has got is an mbuf that came, and is lent to the stack. */
static void received(const struct rte_mbuf *m)
{
	bool known = false;
	uint64_t number;

	for (unsigned i = 0; i < CAME && !known; i++)
		known = came[(nb_came - 1 - i) % CAME] == m;
	strangers += !known;
	CU_ASSERT_EQUAL(m->pkt_len, PAIR_SIZE);
	memcpy(&number, rte_pktmbuf_mtod(m, const void *), sizeof(number));
	lent[number % SLOTS] = rte_pktmbuf_mtod(m, const uint8_t *) + m->data_len;
}

static void test_loans(void)
{
	const char *runs = getenv("PERCORE_RUNS");
	const uint64_t turns = runs != NULL ? strtoull(runs, NULL, 10) : RUNS;
	uint64_t again;
	struct pair p = {.now_ns = MS, .size = PAIR_SIZE, .wrap = wrap, .received = received};

	pair_make(&p, "loan");
	for (uint64_t i = 0; i < turns; i++)
		pair_turn(&p);
	CU_ASSERT(messages > turns);
	CU_ASSERT(lost > 0);
	again = pc_stack_counters(p.server.st)->value[PC_TCP_RETRANSMITS];
	CU_ASSERT(again + PAIR_CONNS >= lost);
	CU_ASSERT_EQUAL(strangers, 0);
	CU_ASSERT_EQUAL(copies, 0);
	printf("%" PRIu64 " messages of %d bytes received and sent, %" PRIu64
	       " of them again: %" PRIu64 " copied on the way in, %" PRIu64 " on the way out\n",
	       messages, PAIR_SIZE, again, strangers, copies);
	pair_close(&p);
}

int main(void)
{
	static const struct unit_case cases[] = {
	    {"mbufs are lent to the program, and by it", test_loans},
	};

	return box_program("stack/loan", cases, sizeof(cases) / sizeof(cases[0]));
}
