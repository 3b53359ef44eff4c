/* SPDX-License-Identifier: BSD-2-Clause */
/* Socket options, row by row: default, what may be set, what is refused. */

#include "fixture.h"

enum { TCP = 1, UDP = 2, BOTH = 3 };

static const struct row {
	int on, level, name;
	int def;   /* of a fresh TCP socket */
	int value; /* that can be set and is then read */
	int bad;   /* that is refused with EINVAL; the same as value: none is */
} rows[] = {
    {BOTH, SOL_SOCKET, SO_REUSEADDR, 0, 1, 1},
    {BOTH, SOL_SOCKET, SO_REUSEPORT, 0, 1, 1},
    {TCP, SOL_SOCKET, SO_KEEPALIVE, 0, 1, 1},
    {BOTH, SOL_SOCKET, SO_BROADCAST, 0, 1, 1},
    {TCP, SOL_SOCKET, SO_SNDBUF, 524288, 100000, 100000},
    {TCP, SOL_SOCKET, SO_RCVBUF, 524288, 100000, 100000},
    {BOTH, IPPROTO_IP, IP_TTL, 64, 7, 256},
    {BOTH, IPPROTO_IP, IP_TTL, 64, 255, 0},
    {BOTH, IPPROTO_IP, IP_TOS, 0, 0x10, 0x10},
    {TCP, IPPROTO_TCP, TCP_NODELAY, 0, 1, 1},
    {TCP, IPPROTO_TCP, TCP_CORK, 0, 1, 1},
    {TCP, IPPROTO_TCP, TCP_QUICKACK, 1, 0, 0},
    {TCP, IPPROTO_TCP, TCP_MAXSEG, 536, 1000, 63},
    {TCP, IPPROTO_TCP, TCP_MAXSEG, 536, 64, 32768},
    {TCP, IPPROTO_TCP, TCP_KEEPIDLE, 7200, 60, 0},
    {TCP, IPPROTO_TCP, TCP_KEEPINTVL, 75, 5, 32768},
    {TCP, IPPROTO_TCP, TCP_KEEPCNT, 9, 3, 128},
    {TCP, IPPROTO_TCP, TCP_USER_TIMEOUT, 0, 30000, -1},
    {TCP, IPPROTO_TCP, TCP_RTO_MAX_MS, 120000, 1000, 999},
    {TCP, IPPROTO_TCP, TCP_RTO_MIN_US, 200000, 4000, 200001},
    {TCP, IPPROTO_TCP, TCP_DELACK_MAX_US, 40000, 200000, 200001},
};

static int get(int fd, int level, int name)
{
	int value = -77;
	socklen_t len = sizeof(value);

	CU_ASSERT_EQUAL(pc_getsockopt(us, fd, level, name, &value, &len), 0);
	CU_ASSERT_EQUAL(len, sizeof(value));
	return value;
}

static int set(int fd, int level, int name, int value)
{
	return pc_setsockopt(us, fd, level, name, &value, sizeof(value));
}

static void check_row(const struct row *r, int fd, bool def)
{
	if (def)
		CU_ASSERT_EQUAL(get(fd, r->level, r->name), r->def);
	CU_ASSERT_EQUAL(set(fd, r->level, r->name, r->value), 0);
	CU_ASSERT_EQUAL(get(fd, r->level, r->name), r->value);
	if (r->bad != r->value) {
		FAILS(set(fd, r->level, r->name, r->bad), EINVAL);
		CU_ASSERT_EQUAL(get(fd, r->level, r->name), r->value);
	}
	/* those of IP may be bytes, too */
	if (r->level != IPPROTO_IP)
		FAILS(pc_setsockopt(us, fd, r->level, r->name, &r->value, 3), EINVAL);
	/* nothing at all is 0 with some (posix/options) */
	if (r->level != IPPROTO_IP || r->name != IP_TOS)
		FAILS(pc_setsockopt(us, fd, r->level, r->name, &r->value, 0), EINVAL);
}

static void test_rows(void)
{
	start();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = rows[i].on & TCP ? tcp_fd() : -1, udp = rows[i].on & UDP ? udp_fd() : -1;

		if (fd > 0)
			check_row(&rows[i], fd, true);
		if (udp > 0)
			check_row(&rows[i], udp, false);
		if (fd > 0)
			pc_close(us, fd);
		if (udp > 0)
			pc_close(us, udp);
	}
	finish();
}

static void test_read_only(void)
{
	int fd, udp, far;

	start();
	fd = pair(&far);
	udp = udp_fd();
	CU_ASSERT_EQUAL(get(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	CU_ASSERT_EQUAL(get(udp, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
	CU_ASSERT_EQUAL(get(fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
	CU_ASSERT_EQUAL(get(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
	CU_ASSERT_EQUAL(get(udp, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
	CU_ASSERT_EQUAL(get(fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
	CU_ASSERT_EQUAL(get(fd, SOL_SOCKET, SO_ERROR), 0);
	FAILS(set(fd, SOL_SOCKET, SO_TYPE, 1), ENOPROTOOPT);
	FAILS(set(fd, SOL_SOCKET, SO_ERROR, 1), ENOPROTOOPT);
	FAILS(set(fd, SOL_SOCKET, 9999, 1), ENOPROTOOPT);
	FAILS(set(fd, 9999, 1, 1), ENOPROTOOPT);
	finish();
}

/* As on Linux, SO_RCVLOWAT of a stream is at most half of its largest buffer, which is the doubled SO_RCVBUF. */
static void test_lowat(void)
{
	int fd, udp;

	start();
	fd = tcp_fd();
	udp = udp_fd();
	CU_ASSERT_EQUAL(set(fd, SOL_SOCKET, SO_RCVLOWAT, -1), 0);
	CU_ASSERT_EQUAL(get(fd, SOL_SOCKET, SO_RCVLOWAT), 3 * 1024 * 1024);
	CU_ASSERT_EQUAL(set(fd, SOL_SOCKET, SO_RCVBUF, 10000), 0);
	CU_ASSERT_EQUAL(set(fd, SOL_SOCKET, SO_RCVLOWAT, 10001), 0);
	CU_ASSERT_EQUAL(get(fd, SOL_SOCKET, SO_RCVLOWAT), 10000);
	CU_ASSERT_EQUAL(set(fd, SOL_SOCKET, SO_RCVLOWAT, 0), 0);
	CU_ASSERT_EQUAL(get(fd, SOL_SOCKET, SO_RCVLOWAT), 1);
	CU_ASSERT_EQUAL(set(udp, SOL_SOCKET, SO_RCVLOWAT, -1), 0);
	CU_ASSERT_EQUAL(get(udp, SOL_SOCKET, SO_RCVLOWAT), INT32_MAX);
	finish();
}

static void test_lengths(void)
{
	unsigned char one[4] = {9, 9, 9, 9};
	socklen_t len = 1;
	int fd;

	start();
	fd = tcp_fd();
	CU_ASSERT_EQUAL(set(fd, IPPROTO_IP, IP_TTL, 7), 0);
	CU_ASSERT_EQUAL(pc_getsockopt(us, fd, IPPROTO_IP, IP_TTL, one, &len), 0);
	CU_ASSERT_EQUAL(len, 1);
	CU_ASSERT(one[0] == 7 && one[1] == 9);
	len = (socklen_t)-1;
	FAILS(pc_getsockopt(us, fd, IPPROTO_IP, IP_TTL, one, &len), EINVAL);
	finish();
}

static void test_linger(void)
{
	struct linger l = {.l_onoff = 1, .l_linger = 0};
	socklen_t len = sizeof(l);
	int far, fd, value;

	start();
	fd = pair(&far);
	FAILS(pc_setsockopt(us, fd, SOL_SOCKET, SO_LINGER, &l, 4), EINVAL);
	CU_ASSERT_EQUAL(pc_setsockopt(us, fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
	l.l_onoff = 0;
	CU_ASSERT_EQUAL(pc_getsockopt(us, fd, SOL_SOCKET, SO_LINGER, &l, &len), 0);
	CU_ASSERT_EQUAL(l.l_onoff, 1);
	CU_ASSERT_EQUAL(pc_close(us, fd), 0); /* resets */
	settle();
	len = sizeof(value);
	CU_ASSERT_EQUAL(pc_getsockopt(peer, far, SOL_SOCKET, SO_ERROR, &value, &len), 0);
	CU_ASSERT_EQUAL(value, ECONNRESET);
	finish();
}

/* what is set on a listener goes to what it accepts */
static void test_inherited(void)
{
	int listening, fd, far;

	start();
	fd = pair(&far);
	listening = 7; /* the first TCP descriptor */
	CU_ASSERT_EQUAL(get(listening, SOL_SOCKET, SO_ACCEPTCONN), 1);
	CU_ASSERT_EQUAL(set(listening, IPPROTO_TCP, TCP_NODELAY, 1), 0);
	CU_ASSERT_EQUAL(set(listening, IPPROTO_TCP, TCP_KEEPIDLE, 33), 0);
	CU_ASSERT_EQUAL(set(listening, SOL_SOCKET, SO_SNDBUF, 9000), 0);
	CU_ASSERT_EQUAL(get(fd, IPPROTO_TCP, TCP_NODELAY), 0);
	fd = pair(&far);
	CU_ASSERT_EQUAL(get(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	CU_ASSERT_EQUAL(get(fd, IPPROTO_TCP, TCP_KEEPIDLE), 33);
	CU_ASSERT_EQUAL(get(fd, SOL_SOCKET, SO_SNDBUF), 9000);
	finish();
}

static const struct unit_case cases[] = {
    {"each option that can be set", test_rows},
    {"options that are read only, and unknown ones", test_read_only},
    {"lengths", test_lengths},
    {"SO_RCVLOWAT", test_lowat},
    {"SO_LINGER", test_linger},
    {"inherited from the listener", test_inherited},
};

SOCK_UNIT_MAIN("sock_opt")
