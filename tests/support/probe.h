/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SUPPORT_PROBE_H
#define SUPPORT_PROBE_H

/*
 * The probe: a port whose other end is the test.
 *
 * Frames that the stack sends are copied, their checksums completed if the probe offers that
 * offload, and kept in order with the time of sending; frames that the test injects are received by
 * the stack in the next burst. Unless switched off, ARP requests for every address are answered, so
 * that a test of TCP sees only TCP.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <percore/port.h>

#include "frame.h"

#define PROBE_MAC "\x02\x00\x00\x00\x00\x01" /* of the port */
#define PEER_MAC  "\x02\x00\x00\x00\x00\x02" /* of the peer that the test plays */

/** The behaviour of a probe. */
struct probe_config {
	uint32_t offloads; /* enum pc_port_offload that it offers */
	bool partial;      /* received frames are marked as good but without a transport checksum */
	uint16_t mtu;      /* 0: 1500 */
	uint16_t tx_limit; /* frames accepted per tx burst; 0: all */
	uint16_t rx_split; /* received frames are chains, with so many bytes first; 0: linear */
	bool ip6;          /* translates to IPv6 and back (frame6.h); answers and hides ND */
	struct rte_mempool *pool;
};

struct probe;

/** probe_open makes a probe. Exits if there is not enough memory. */
struct probe *probe_open(const struct probe_config *config);

/** probe_port returns the port to give to a stack; closing it frees the probe. */
struct pc_port *probe_port(struct probe *p);

/** probe_inject adds a frame to the stack's next receive burst. */
void probe_inject(struct probe *p, const struct frame *f);

/** probe_pending says how many injected frames the stack has not taken yet. */
unsigned probe_pending(const struct probe *p);

/**
 * probe_sent returns the oldest frame sent and not yet taken, or NULL; valid until the next turn.
 */
const struct frame *probe_sent(const struct probe *p);

/** probe_take removes the oldest frame sent. */
void probe_take(struct probe *p);

/** probe_answer_arp switches the answering (and hiding) of ARP; initially on. */
void probe_answer_arp(struct probe *p, bool on);

/** probe_limit_tx makes the port accept at most n frames per burst, or none (0). */
void probe_limit_tx(struct probe *p, uint16_t n);

/** probe_wrong returns what was wrong with a sent frame, from the NIC's point of view, or NULL. */
const char *probe_wrong(const struct probe *p);

#endif
