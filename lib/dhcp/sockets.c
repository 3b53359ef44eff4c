/* SPDX-License-Identifier: BSD-2-Clause */

/* The sockets of the DHCP client; see sockets.h. */

#include "dhcp/sockets.h"

#include <string.h>

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <percore/socket.h>

#define CLIENT_PORT 68
#define ETHER_ARP   0x0806

#define FRAME_LEN 60
#define ARP_END   42 /* where the packet ends in its frame */

/* ---- messages -------------------------------------------------------------------------------- */

int messages_open(struct pc_stack *st, int port)
{
	const struct sockaddr_in any = {.sin_family = AF_INET,
	                                .sin_port = __builtin_bswap16(CLIENT_PORT)};
	const int fd = pc_socket(st, AF_INET, SOCK_DGRAM, 0), ifindex = port + 1, on = 1;

	if (fd < 0)
		return -1;
	pc_setsockopt(st, fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	pc_setsockopt(st, fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	if (pc_setsockopt(st, fd, SOL_SOCKET, SO_BINDTOIFINDEX, &ifindex, sizeof(ifindex)) == 0 &&
	    pc_bind(st, fd, (const struct sockaddr *)&any, sizeof(any)) == 0)
		return fd;
	pc_close(st, fd);
	return -1;
}

void messages_send(struct pc_stack *st, int fd, uint32_t src_be, uint32_t dst_be, const void *data,
                   size_t len)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = __builtin_bswap16(DHCP_SERVER_PORT),
	                         .sin_addr.s_addr = dst_be};
	struct iovec v = {(void *)(uintptr_t)data, len};
	union {
		char b[CMSG_SPACE(sizeof(struct in_pktinfo))];
		struct cmsghdr h;
	} item = {.h = {CMSG_LEN(sizeof(struct in_pktinfo)), IPPROTO_IP, IP_PKTINFO}};
	const struct in_pktinfo pi = {.ipi_spec_dst.s_addr = src_be};
	struct msghdr m = {
	    .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &v, .msg_iovlen = 1};

	memcpy(CMSG_DATA(&item.h), &pi, sizeof(pi));
	if (src_be != 0) {
		m.msg_control = &item;
		m.msg_controllen = sizeof(item);
	}
	(void)pc_sendmsg(st, fd, &m, 0); /* a message that cannot be sent is retransmitted later */
}

/* ---- is an address free? --------------------------------------------------------------------- */

int trial_open(struct pc_stack *st, int port)
{
	const struct sockaddr_ll any = {.sll_family = AF_PACKET,
	                                .sll_ifindex = port + 1,
	                                .sll_protocol = __builtin_bswap16(ETHER_ARP)};
	const int fd = pc_socket(st, AF_PACKET, SOCK_RAW, __builtin_bswap16(ETHER_ARP));

	if (fd >= 0)
		pc_bind(st, fd, (const struct sockaddr *)&any, sizeof(any));
	return fd;
}

void trial_send(struct pc_stack *st, const struct trial *p)
{
	uint8_t f[FRAME_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0,
	                        0,    8,    6,    0,    1,    8,    0, 6, 4, 0, 1};
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = p->port + 1};

	memcpy(f + 6, p->mac, 6);
	memcpy(f + 22, p->mac, 6);
	memcpy(f + 38, &p->addr_be, 4);
	pc_sendto(st, p->fd, f, sizeof(f), 0, (const struct sockaddr *)&to, sizeof(to));
}

static bool is_claim(const struct trial *p, const uint8_t *f, ssize_t len)
{
	static const uint8_t none[4];

	if (len < ARP_END || memcmp(f + 22, p->mac, 6) == 0)
		return false;
	if (memcmp(f + 28, &p->addr_be, 4) == 0)
		return true;
	return f[21] == 1 && memcmp(f + 28, none, 4) == 0 && memcmp(f + 38, &p->addr_be, 4) == 0;
}

bool trial_is_answered(struct pc_stack *st, const struct trial *p)
{
	uint8_t f[FRAME_LEN];
	ssize_t n;

	while ((n = pc_recv(st, p->fd, f, sizeof(f), 0)) >= 0)
		if (is_claim(p, f, n))
			return true;
	return false;
}
