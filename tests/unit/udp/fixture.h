/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_UDP_FIXTURE_H
#define UNIT_UDP_FIXTURE_H

/* A UDP layer on a network of two ports, and what its tests say often. */

#include "../ip/net.h"
#include "udp/udp.h"

#define UDP_FIRST_FD 100

extern struct net net;
extern struct udp *udp;
extern struct events ev;

/** start makes the layer with its neighbours resolved; start_with leaves time to change settings,
 * between net_init and it. */
void start(void);
void start_with(void);

/** finish ends it and checks that no mbuf is missing. */
void finish(void);

/** endpoint makes an endpoint; address 0 is any. */
struct pc_endpoint endpoint(uint32_t addr_be, uint16_t port);

/** bound opens a socket and binds it. */
uint32_t bound(uint32_t addr_be, uint16_t port);

/** watch puts a socket into set 0 for EPOLLIN and EPOLLOUT. */
void watch(uint32_t index);

/** told takes the next descriptor of set 0 and says whether it is this socket's. */
bool told(uint32_t index);

/** receive gives in a datagram of len bytes and returns the verdict. */
int receive(uint32_t src_be, uint16_t sport, uint32_t dst_be, uint16_t dport, uint16_t len);

/** got takes the next datagram of a socket and says whether it is of len bytes from that sender. */
bool got(uint32_t index, uint32_t src_be, uint16_t sport, uint32_t len);

/** empty says that a socket has no datagram. */
bool empty(uint32_t index);

#endif
