/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_TCP_FIXTURE_H
#define UNIT_TCP_FIXTURE_H

/*
 * A TCP layer on a network of two fake ports, and what its tests say often.
 *
 * conn() makes an established connection out of nothing, with sequence numbers that are known: ours
 * begin at ISS, the peer's at IRS.  Payload bytes are a function of their sequence number, so what is
 * sent and received can be verified without being written down.
 */

#include "../ip/net.h"
#include "tcp/tcp.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_rx.h"

#define TCP_FIRST_FD 100
#define ISS          1000u
#define IRS          5000u
#define LPORT        80
#define MSS          1460u

extern struct net net;
extern struct tcp *tcp;
extern struct events ev;

/** The segment and payload that sent() or next_segment() took last. */
extern struct frame_info got;

/** start makes a small layer (64 connections, 16 half-open, 16 in TIME-WAIT) with its neighbours
 * resolved; start_with leaves time to change settings, between prepare and it. */
void start(void);
void prepare(void);
void start_with(void);

/** finish validates and ends it, and checks that no mbuf is missing. */
void finish(void);

/** count reads a counter. */
uint64_t count(enum pc_counter c);

/** byte_at is the payload byte of a sequence number. */
static inline uint8_t byte_at(uint32_t seq)
{
	return (uint8_t)(seq * 7 + (seq >> 8));
}

/** payload fills len bytes that begin at seq. */
void payload(void *to, uint32_t seq, uint32_t len);

/** is_payload says whether len bytes are those that begin at seq. */
bool is_payload(const void *p, uint32_t seq, uint32_t len);

/** payload_mbuf makes a packet of payload in mbufs of at most part bytes; 0: as they come. */
struct rte_mbuf *payload_mbuf(uint32_t seq, uint32_t len, uint32_t part);

/** conn makes an established connection with these TCB_OPT_*, open, watched by set 0 (edges). */
struct tcb *conn(uint8_t opt);

/** listener makes a listening socket. */
struct tcb *listener(uint16_t port, int backlog);

/** receive gives a segment from a port of NET_PEER to one of ours in; its verdict. The payload's
 * length is s.len. */
int receive(uint16_t pport, uint16_t lport, struct tcp_seg s);

/** receive_mbuf does that with a frame in mbufs of `first` and `rest` bytes. */
int receive_mbuf(uint16_t pport, uint16_t lport, struct tcp_seg s, uint16_t first, uint16_t rest);

/** input gives in a segment of a connection. */
int input(struct tcb *t, struct tcp_seg s); /* a turn of its own */

/** input_data gives in len bytes from seq on, with an ACK of everything sent. */
int input_data(struct tcb *t, uint32_t seq, uint32_t len);

/** input_ack gives in an acknowledgement without data; the window is 65535. */
int input_ack(struct tcb *t, uint32_t ack);

/** turn flushes what is to be sent. */
void turn(void);

/** pass lets ms go by, in turns of 1 ms. */
void pass(uint64_t ms);

/** next_segment takes the next TCP segment that was sent into `got`. Returns false when none was. */
bool next_segment(void);

/** sent says whether the next segment is this one, its payload verified. */
bool sent(uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len);

/** silent says that nothing more was sent. */
bool silent(void);

/** forget takes everything that was sent. */
void forget(void);

/** write sends len bytes of payload, in the calls' own order, and returns what tcp_send says. */
ssize_t write_bytes(struct tcb *t, uint32_t len);

/** read_bytes receives up to len bytes and verifies them to begin at seq. */
ssize_t read_bytes(struct tcb *t, uint32_t seq, uint32_t len);

/** told takes events from set 0 and says whether this socket was among them. */
bool told(struct tcb *t);

/** clean says whether tcp_validate has nothing to report. */
bool clean(void);

#define SEG(...) ((struct tcp_seg){__VA_ARGS__})

/** TCP_UNIT_MAIN makes main of an array named cases. */
#define TCP_UNIT_MAIN(name) UNIT_MAIN_OF(net_program, name)

#endif
