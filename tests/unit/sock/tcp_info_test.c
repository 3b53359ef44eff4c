/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP_INFO in Linux's layout. */

#include "fixture.h"

static struct tcp_info info_of(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0xff, sizeof(info));
	CU_ASSERT_EQUAL(pc_getsockopt(us, fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	CU_ASSERT_EQUAL(len, sizeof(info));
	return info;
}

static void test_states(void)
{
	struct tcp_info i;
	int fd, far;

	start();
	CU_ASSERT_EQUAL(info_of(tcp_fd()).tcpi_state, TCP_CLOSE);
	fd = pair(&far);
	i = info_of(fd);
	CU_ASSERT_EQUAL(i.tcpi_state, TCP_ESTABLISHED);
	CU_ASSERT_EQUAL(i.tcpi_options & 7, TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE);
	CU_ASSERT_EQUAL(i.tcpi_snd_mss, 1448);
	CU_ASSERT_EQUAL(i.tcpi_pmtu, 1500);
	CU_ASSERT_EQUAL(i.tcpi_advmss, 1448);
	CU_ASSERT_EQUAL(i.tcpi_snd_cwnd, 10);
	CU_ASSERT_EQUAL(i.tcpi_ca_state, TCP_CA_Open);
	CU_ASSERT_EQUAL(i.tcpi_unacked, 0);
	CU_ASSERT(i.tcpi_rtt > 0 && i.tcpi_rto >= 200000);
	CU_ASSERT_EQUAL(i.tcpi_snd_ssthresh, 0x7fffffff);
	CU_ASSERT_EQUAL(pc_close(peer, far), 0);
	settle();
	CU_ASSERT_EQUAL(info_of(fd).tcpi_state, TCP_CLOSE_WAIT);
	finish();
}

static void test_under_way(void)
{
	static char bytes[10000];
	int fd, far;

	start();
	fd = pair(&far);
	CU_ASSERT_EQUAL(pc_send(us, fd, bytes, sizeof(bytes), 0), (ssize_t)sizeof(bytes));
	tcp_flush(us->tcp);
	CU_ASSERT(info_of(fd).tcpi_unacked >= 6);
	settle();
	CU_ASSERT_EQUAL(info_of(fd).tcpi_unacked, 0);
	finish();
}

static void test_lengths(void)
{
	unsigned char part[8] = {0};
	socklen_t len = 4;
	int fd, far;

	start();
	fd = pair(&far);
	part[4] = 77;
	CU_ASSERT_EQUAL(pc_getsockopt(us, fd, IPPROTO_TCP, TCP_INFO, part, &len), 0);
	CU_ASSERT_EQUAL(len, 4);
	CU_ASSERT_EQUAL(part[0], TCP_ESTABLISHED);
	CU_ASSERT_EQUAL(part[4], 77);
	FAILS(pc_getsockopt(us, udp_fd(), IPPROTO_TCP, TCP_INFO, part, &len), EOPNOTSUPP);
	FAILS(pc_setsockopt(us, fd, IPPROTO_TCP, TCP_INFO, part, 4), ENOPROTOOPT);
	finish();
}

static const struct unit_case cases[] = {
    {"states and what was negotiated", test_states},
    {"segments under way", test_under_way},
    {"lengths", test_lengths},
};

SOCK_UNIT_MAIN("tcp_info")
