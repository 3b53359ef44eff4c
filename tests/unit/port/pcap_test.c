/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <unistd.h>

#include "common.h"

static struct rte_mempool *pool;
static char path[] = "/tmp/percore-pcap-test-XXXXXX";

static void open_both(struct pc_port *e[2], uint32_t offloads, uint16_t capacity)
{
	const struct pc_wire_config wire = {
	    .pool = pool, .offloads = offloads, .capacity = capacity};
	struct pc_port *p;

	CU_ASSERT_FATAL(pc_port_wire(&wire, e) == 0);
	p = pc_port_pcap(e[0], path);
	CU_ASSERT_FATAL(p != NULL);
	e[0] = p;
}

static void the_file_holds_both_directions(void)
{
	struct rte_mbuf *m = make_frame(pool, 1, 60), *tail;
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *h;
	struct pc_port *e[2];
	const u_char *data;
	uint32_t n;
	pcap_t *f;

	open_both(e, PC_PORT_TX_MULTI_SEGS, 0);
	CU_ASSERT_EQUAL(port_tx(e[1], &m, 1, 0), 1);
	CU_ASSERT_EQUAL(port_rx(e[0], &m, 1, UINT64_C(1700000000123456789)), 1);
	rte_pktmbuf_free(m);
	m = make_frame(pool, 2, 40);
	tail = make_frame(pool, 3, 30);
	rte_pktmbuf_chain(m, tail);
	CU_ASSERT_EQUAL(port_tx(e[0], &m, 1, UINT64_C(1700000001000000001)), 1);
	pc_port_close(e[0]);
	pc_port_close(e[1]);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);

	f = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_EQUAL(pcap_datalink(f), DLT_EN10MB);
	CU_ASSERT_EQUAL(pcap_next_ex(f, &h, &data), 1);
	CU_ASSERT_EQUAL(h->ts.tv_sec, 1700000000);
	CU_ASSERT_EQUAL(h->ts.tv_usec, 123456789);
	CU_ASSERT_EQUAL(h->caplen, 60);
	CU_ASSERT_EQUAL(h->len, 60);
	memcpy(&n, data + 14, sizeof(n));
	CU_ASSERT_EQUAL(n, 1);
	CU_ASSERT_EQUAL(pcap_next_ex(f, &h, &data), 1);
	CU_ASSERT_EQUAL(h->ts.tv_usec, 1);
	CU_ASSERT_EQUAL(h->caplen, 70);
	memcpy(&n, data + 40 + 14, sizeof(n)); /* in the chain's second part */
	CU_ASSERT_EQUAL(n, 3);
	CU_ASSERT_EQUAL(pcap_next_ex(f, &h, &data), PCAP_ERROR_BREAK);
	pcap_close(f);
}

static int count_frames(void)
{
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *h;
	const u_char *data;
	int n = 0;
	pcap_t *f = pcap_open_offline(path, error);

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	while (pcap_next_ex(f, &h, &data) == 1)
		n++;
	pcap_close(f);
	return n;
}

/* /dev/full is a disk without room */
static void a_full_disk_is_reported(void)
{
	const struct pc_wire_config wire = {.pool = pool};
	struct rte_mbuf *m = make_frame(pool, 1, 60);
	struct pc_port *e[2], *p;

	CU_ASSERT_FATAL(pc_port_wire(&wire, e) == 0);
	p = pc_port_pcap(e[0], "/dev/full");
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(port_tx(p, &m, 1, 0), 1);
	CU_ASSERT_EQUAL(pc_port_pcap_flush(p), -ENOSPC);
	CU_ASSERT_EQUAL(pc_port_pcap_flush(p), -ENOSPC); /* still: what is missing stays so */
	pc_port_close(p);
	pc_port_close(e[1]);
	open_both(e, 0, 0);
	m = make_frame(pool, 1, 60);
	CU_ASSERT_EQUAL(port_tx(e[0], &m, 1, 0), 1);
	CU_ASSERT_EQUAL(pc_port_pcap_flush(e[0]), 0);
	CU_ASSERT_EQUAL(count_frames(), 1); /* while the port goes on */
	pc_port_close(e[0]);
	pc_port_close(e[1]);
}

static void a_refused_frame_is_written_once_it_is_taken(void)
{
	struct rte_mbuf *m[3], *got;
	struct pc_port *e[2];

	open_both(e, 0, 2);
	for (uint32_t i = 0; i < 3; i++)
		m[i] = make_frame(pool, i, 60);
	CU_ASSERT_EQUAL(port_tx(e[0], m, 3, 0), 2);
	CU_ASSERT_EQUAL(port_tx(e[0], m + 2, 1, 0), 0);
	CU_ASSERT_EQUAL(port_rx(e[1], &got, 1, 0), 1);
	rte_pktmbuf_free(got);
	CU_ASSERT_EQUAL(port_tx(e[0], m + 2, 1, 0), 1);
	pc_port_close(e[0]);
	pc_port_close(e[1]);
	CU_ASSERT_EQUAL(count_frames(), 3);
}

static void checksums_are_left_to_software(void)
{
	struct pc_port *e[2];

	open_both(e, PC_PORT_TX_IP4_CKSUM | PC_PORT_TX_TCP_CKSUM | PC_PORT_TX_MULTI_SEGS, 0);
	CU_ASSERT_EQUAL(e[0]->info.offloads, PC_PORT_TX_MULTI_SEGS);
	CU_ASSERT_EQUAL(e[0]->ops->next_deadline(e[0]), UINT64_MAX);
	pc_port_close(e[0]);
	pc_port_close(e[1]);
}

/* frames of a VLAN are written with the tag that they are sent with, also where the device would insert it */
static void tags_are_left_to_software(void)
{
	const struct pc_wire_config wire = {.pool = pool};
	struct pc_port *e[2], *p, *vlan;
	struct rte_mbuf *m = make_frame(pool, 1, 60), *got;

	CU_ASSERT_FATAL(pc_port_wire(&wire, e) == 0);
	e[0]->info.offloads = PC_PORT_TX_VLAN | PC_PORT_TX_QINQ;
	p = pc_port_pcap(e[0], path);
	CU_ASSERT_FATAL(p != NULL);
	vlan = pc_trunk_port(pc_trunk_create(p), 7, 0);
	CU_ASSERT_FATAL(vlan != NULL);
	CU_ASSERT_EQUAL(vlan->ops->tx_burst(vlan, &m, 1, 0), 1);
	CU_ASSERT_EQUAL_FATAL(e[1]->ops->rx_burst(e[1], &got, 1, 0), 1);
	CU_ASSERT_EQUAL(got->pkt_len, 64);
	CU_ASSERT_EQUAL(memcmp(rte_pktmbuf_mtod_offset(got, char *, 12), "\x81\0\0\7", 4), 0);
	rte_pktmbuf_free(got);
	pc_port_close(vlan);
	pc_port_close(e[1]);
}

/* a device whose checksums turn out wrong is believed no more than without the file */
static void the_port_below_is_followed(void)
{
	const struct pc_wire_config wire = {.pool = pool,
	                                    .offloads = PC_PORT_RX_IP4_CKSUM | PC_PORT_RX_L4_CKSUM};
	struct pc_port *e[2], *p;

	CU_ASSERT_FATAL(pc_port_wire(&wire, e) == 0);
	p = pc_port_pcap(e[0], path);
	CU_ASSERT_FATAL(p != NULL);
	CU_ASSERT(layer_follows(p, e[0]));
	pc_port_close(p);
	pc_port_close(e[1]);
}

static void a_file_that_cannot_be_made_is_an_error(void)
{
	const struct pc_wire_config wire = {.pool = pool};
	struct pc_port *e[2];

	CU_ASSERT_FATAL(pc_port_wire(&wire, e) == 0);
	CU_ASSERT_PTR_NULL(pc_port_pcap(e[0], "/nonexistent/file.pcap"));
	CU_ASSERT_EQUAL(errno, ENOENT);
	pc_port_close(e[0]);
	pc_port_close(e[1]);
}

static const struct unit_case cases[] = {
    {"the file holds both directions", the_file_holds_both_directions},
    {"a full disk is reported", a_full_disk_is_reported},
    {"a refused frame is written once it is taken", a_refused_frame_is_written_once_it_is_taken},
    {"checksums are left to software", checksums_are_left_to_software},
    {"tags are left to software", tags_are_left_to_software},
    {"the port below is followed", the_port_below_is_followed},
    {"a file that cannot be made is an error", a_file_that_cannot_be_made_is_an_error},
};

int main(void)
{
	int fd = mkstemp(path), rc;

	if (fd < 0)
		return 1;
	close(fd);
	eal_start();
	pool = eal_pool("pcap", 1023);
	rc = unit_run("port/pcap", cases, sizeof(cases) / sizeof(cases[0]));
	unlink(path);
	return rc;
}
