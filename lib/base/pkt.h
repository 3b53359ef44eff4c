/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_PKT_H
#define BASE_PKT_H

/*
 * The note that percore keeps in an mbuf: 24 bytes of its dynamic fields, at an offset that is
 * fixed at compile time and registered with rte_mbuf_dynfield_register_offset, so that the mbufs of
 * any pool have it.
 *
 * It is valid only while the mbuf is in a queue of the stack: tx in a send queue, rx in a receive
 * or out-of-order queue.  The owner of the queue owns the notes of its mbufs.
 */

#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

struct pkt {
	struct rte_mbuf *next; /* in the queue; m->next is the next mbuf of the same packet */
	union {
		struct {
			union {
				struct {
					uint32_t sent_us; /* when it was last sent */
					uint32_t cookie;  /* for the owner of the queue */
				};
				struct rte_mbuf
				    *run; /* replaces both while SACKed (scoreboard.h) */
			};
			uint32_t seq;  /* of the first payload byte */
			uint16_t len;  /* payload bytes */
			uint8_t flags; /* of the owner of the queue */
			uint8_t sends; /* how often it was sent; stays at 255 */
		} tx;
		struct {
			uint32_t seq;    /* of the first payload byte */
			uint32_t len;    /* payload bytes not yet read */
			uint16_t l3_off; /* of the IP header, from buf_addr (datagrams) */
			uint8_t flags;   /* of the owner of the queue */
			uint8_t netif;
			uint32_t cookie;
		} rx;
	};
};

#define PKT_OFFSET 104

static_assert(sizeof(struct pkt) == 24, "the note takes 24 bytes");
static_assert(PKT_OFFSET >= offsetof(struct rte_mbuf, dynfield1) &&
                  PKT_OFFSET + sizeof(struct pkt) <= sizeof(struct rte_mbuf),
              "the note lies in the dynamic fields");

/** pkt_register reserves the note in every mbuf. Returns 0 or -EEXIST; may be called again. */
int pkt_register(void);

/** pkt_of returns the note of an mbuf. */
static inline struct pkt *pkt_of(struct rte_mbuf *m)
{
	return (struct pkt *)(void *)((char *)m + PKT_OFFSET);
}

static inline const struct pkt *pkt_of_const(const struct rte_mbuf *m)
{
	return (const struct pkt *)(const void *)((const char *)m + PKT_OFFSET);
}

/** A first-in first-out queue of packets, linked through their notes. */
struct pktq {
	struct rte_mbuf *head, *tail;
};

static inline void pktq_push(struct pktq *q, struct rte_mbuf *m)
{
	pkt_of(m)->next = NULL;
	if (q->head == NULL)
		q->head = m;
	else
		pkt_of(q->tail)->next = m;
	q->tail = m;
}

static inline struct rte_mbuf *pktq_pop(struct pktq *q)
{
	struct rte_mbuf *m = q->head;

	if (m != NULL) {
		q->head = pkt_of(m)->next;
		if (q->head == NULL)
			q->tail = NULL;
	}
	return m;
}

/** pktq_free empties a queue and frees its packets. */
void pktq_free(struct pktq *q);

#endif
