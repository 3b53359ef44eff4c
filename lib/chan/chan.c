/* SPDX-License-Identifier: BSD-2-Clause */
#include "chan/chan.h"

#include <string.h>

#define FIFO_MIN (128u << 10)
#define FIFO_MAX (64u << 20)
#define PAGE     4096

static uint32_t power_of_two(uint32_t n)
{
	uint32_t p = 1;

	while (p < n)
		p *= 2;
	return p;
}

static uint64_t place(uint64_t *end, uint64_t bytes)
{
	uint64_t at = (*end + PAGE - 1) & ~(uint64_t)(PAGE - 1);

	*end = at + bytes;
	return at;
}

/* Computes sizes and offsets from the limits. */
static void compute(struct chan *c, const struct chan_limits *l)
{
	uint64_t end = sizeof(*c->head), socks = (uint64_t)l->nb_lcores * l->socks_per_lcore;
	uint64_t rings;

	c->nb_lcores = l->nb_lcores;
	c->socks_per_lcore = l->socks_per_lcore;
	c->nb_socks = (uint32_t)socks;
	c->fifo_bytes = l->fifo_bytes;
	c->post_cells = power_of_two(l->socks_per_lcore + CHAN_CALLS);
	c->queue_words = 2 * power_of_two(c->nb_socks < 16 ? 16 : c->nb_socks);
	c->proc_at = place(&end, CHAN_PROCS * sizeof(struct chan_proc));
	rings = (uint64_t)CHAN_PROCS * l->nb_lcores;
	c->post_at = place(
	    &end, rings * (sizeof(struct post_ring) + c->post_cells * sizeof(struct post_cell)));
	c->queue_at = place(&end, CHAN_QUEUES * sizeof(struct chan_queue));
	rings = (uint64_t)CHAN_QUEUES * l->nb_lcores;
	c->words_at =
	    place(&end, rings * (sizeof(struct word_ring) + c->queue_words * sizeof(uint32_t)));
	c->sock_at = place(&end, socks * sizeof(struct chan_sock));
	c->rx_at = place(&end, socks * l->fifo_bytes);
	c->tx_at = place(&end, socks * l->fifo_bytes);
	c->bytes = place(&end, 0);
}

static bool in_range(const struct chan_limits *l)
{
	return l->nb_lcores >= 1 && l->nb_lcores <= CHAN_MAX_LCORES && l->socks_per_lcore >= 1 &&
	       l->socks_per_lcore <= (1u << 20) && l->fifo_bytes >= FIFO_MIN &&
	       l->fifo_bytes <= FIFO_MAX && (l->fifo_bytes & (l->fifo_bytes - 1)) == 0;
}

uint64_t chan_bytes(const struct chan_limits *l)
{
	struct chan c;

	if (!in_range(l))
		return 0;
	compute(&c, l);
	return c.bytes;
}

void chan_make(struct chan_head *head, const struct chan_limits *l)
{
	head->nb_lcores = l->nb_lcores;
	head->socks_per_lcore = l->socks_per_lcore;
	head->fifo_bytes = l->fifo_bytes;
	at_store(&head->magic, CHAN_MAGIC);
}

bool chan_open(struct chan *c, void *segment, uint64_t bytes)
{
	struct chan_head *head = segment;
	struct chan_limits l;

	if (bytes < sizeof(*head) || at_load(&head->magic) != CHAN_MAGIC)
		return false;
	l = (struct chan_limits){at_peek(&head->nb_lcores), at_peek(&head->socks_per_lcore),
	                         at_peek(&head->fifo_bytes)};
	if (chan_bytes(&l) != bytes)
		return false;
	compute(c, &l);
	c->head = head;
	return true;
}
