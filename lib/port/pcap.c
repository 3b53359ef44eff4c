/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a port that writes its traffic to a file.  Each frame is written when it has been
 * received, or when the inner port has accepted it.
 *
 * Ownership: a frame that has been sent must not be read any more, so it is copied to a staging
 * buffer first.  Writing makes a system call now and then: this port is for debugging, not for
 * speed.
 */
#include <errno.h>
#include <pcap/pcap.h>
#include <percore/port.h>
#include <stdlib.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "base/port_info.h"

#define PCAP_SNAPLEN 65535
#define PCAP_BUFFER  (1 << 20)

struct pcap_port {
	struct pc_port port;
	struct pc_port *inner;
	pcap_t *pcap;
	pcap_dumper_t *dump;
	int error; /* errno of the first failed write */
	uint8_t frame[PCAP_SNAPLEN];
};

/* Describes a frame and copies it to the staging buffer. */
static struct pcap_pkthdr pcap_stage(struct pcap_port *p, const struct rte_mbuf *m, uint64_t now_ns)
{
	struct pcap_pkthdr h = {.len = m->pkt_len,
	                        .caplen = RTE_MIN(m->pkt_len, PCAP_SNAPLEN + 0u)};
	uint32_t off = 0, n;

	for (; m != NULL && off < h.caplen; m = m->next, off += n) {
		n = RTE_MIN((uint32_t)m->data_len, h.caplen - off);
		memcpy(p->frame + off, rte_pktmbuf_mtod(m, const uint8_t *), n);
	}
	h.ts.tv_sec = (time_t)(now_ns / 1000000000);
	/* nanoseconds, not microseconds: that is how the file was opened */
	h.ts.tv_usec = (suseconds_t)(now_ns % 1000000000);
	return h;
}

static void pcap_note_error(struct pcap_port *p)
{
	if (p->error == 0)
		p->error = errno != 0 ? errno : EIO;
}

/* Writes the frame that pcap_stage has described; libpcap does not report failures. */
static void pcap_write(struct pcap_port *p, const struct pcap_pkthdr *h)
{
	pcap_dump((u_char *)p->dump, h, p->frame);
	if (unlikely(ferror(pcap_dump_file(p->dump))))
		pcap_note_error(p);
}

static uint16_t pcap_rx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                              uint64_t now_ns)
{
	struct pcap_port *p = (struct pcap_port *)port;
	uint16_t got = p->inner->ops->rx_burst(p->inner, pkts, n, now_ns);
	struct pcap_pkthdr h;

	for (uint16_t i = 0; i < got; i++) {
		h = pcap_stage(p, pkts[i], now_ns);
		pcap_write(p, &h);
	}
	port_info_follow(&port->info, &p->inner->info);
	return got;
}

static uint16_t pcap_tx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                              uint64_t now_ns)
{
	struct pcap_port *p = (struct pcap_port *)port;
	struct pcap_pkthdr h;
	uint16_t i;

	for (i = 0; i < n; i++) {
		h = pcap_stage(p, pkts[i], now_ns);
		if (p->inner->ops->tx_burst(p->inner, &pkts[i], 1, now_ns) == 0)
			break;
		pcap_write(p, &h);
	}
	port_info_follow(&port->info, &p->inner->info);
	return i;
}

static uint64_t pcap_next_deadline(const struct pc_port *port)
{
	const struct pc_port *inner = ((const struct pcap_port *)port)->inner;

	return inner->ops->next_deadline != NULL ? inner->ops->next_deadline(inner) : UINT64_MAX;
}

/* Not written: it is reassembled from fragments that were. */
static bool pcap_pass(struct pc_port *port, uint16_t queue, struct rte_mbuf *m)
{
	struct pc_port *inner = ((struct pcap_port *)port)->inner;

	return inner->ops->pass != NULL && inner->ops->pass(inner, queue, m);
}

static void pcap_close_port(struct pc_port *port)
{
	struct pcap_port *p = (struct pcap_port *)port;

	pcap_dump_close(p->dump); /* writes what is buffered */
	pcap_close(p->pcap);
	pc_port_close(p->inner);
	free(p);
}

int pc_port_pcap_flush(struct pc_port *port)
{
	struct pcap_port *p = (struct pcap_port *)port;

	if (pcap_dump_flush(p->dump) != 0)
		pcap_note_error(p);
	return -p->error;
}

static const struct pc_port_ops pcap_ops = {
    .rx_burst = pcap_rx_burst,
    .tx_burst = pcap_tx_burst,
    .next_deadline = pcap_next_deadline,
    .pass = pcap_pass,
    .close = pcap_close_port,
};

/* Creates the file. Returns 0, or -errno with nothing left behind. */
static int pcap_open_file(struct pcap_port *p, const char *path)
{
	FILE *f = fopen(path, "wb");

	if (f == NULL)
		return -errno;
	setvbuf(f, NULL, _IOFBF, PCAP_BUFFER);
	p->pcap = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, PCAP_SNAPLEN,
	                                               PCAP_TSTAMP_PRECISION_NANO);
	if (p->pcap == NULL) {
		fclose(f);
		return -ENOMEM;
	}
	p->dump = pcap_dump_fopen(p->pcap, f);
	if (p->dump == NULL) {
		fclose(f);
		pcap_close(p->pcap);
		return -EIO;
	}
	return 0;
}

struct pc_port *pc_port_pcap(struct pc_port *inner, const char *path)
{
	struct pcap_port *p = calloc(1, sizeof(*p));
	int rc = p != NULL ? pcap_open_file(p, path) : -ENOMEM;

	if (rc != 0) {
		free(p);
		errno = -rc;
		return NULL;
	}
	p->port.ops = &pcap_ops;
	p->port.info = inner->info;
	/* the file must contain what is sent */
	p->port.info.offloads &=
	    ~(uint32_t)(PC_PORT_TX_IP4_CKSUM | PC_PORT_TX_TCP_CKSUM | PC_PORT_TX_UDP_CKSUM |
	                PC_PORT_TX_TSO | PC_PORT_TX_VLAN | PC_PORT_TX_QINQ);
	p->inner = inner;
	return &p->port;
}
