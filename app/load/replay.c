/* SPDX-License-Identifier: BSD-2-Clause */
/* Replay; see replay.h. */
#include "replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#define REPLAY_BURST 64u

/* ---- the file --------------------------------------------------------------------------------- */

/* Makes room for another frame of n bytes. Returns false if there is no memory. */
static bool make_room(struct replay *r, uint32_t n)
{
	void *p;

	if (r->nb_frames == r->room_frames) {
		const uint64_t room = r->room_frames == 0 ? 1024 : 2 * r->room_frames;

		p = realloc(r->frames, room * sizeof(*r->frames));
		if (p == NULL)
			return false;
		r->frames = p;
		r->room_frames = room;
	}
	if (r->nb_bytes + n > r->room_bytes) {
		const uint64_t room = RTE_MAX(2 * r->room_bytes, r->nb_bytes + n);

		p = realloc(r->bytes, room);
		if (p == NULL)
			return false;
		r->bytes = p;
		r->room_bytes = room;
	}
	return true;
}

static uint64_t time_of(const struct pcap_pkthdr *h)
{
	/* tv_usec contains nanoseconds, because the file was opened that way */
	return (uint64_t)h->ts.tv_sec * LOAD_SECOND_NS + (uint64_t)h->ts.tv_usec;
}

/* Stores a frame. Returns 0, or -1 with a line in why. */
static int add_frame(struct replay *r, const struct pcap_pkthdr *h, const uint8_t *data,
                     uint64_t first_ns, uint32_t most, char *why, size_t why_len)
{
	const uint32_t kept = RTE_MIN(h->caplen, h->len);
	const uint64_t at = time_of(h);
	struct replay_frame *f;

	if (h->len > most || h->len < RTE_ETHER_HDR_LEN) {
		snprintf(why, why_len,
		         "frame %" PRIu64 " has %u bytes; only %d to %u can be sent%s",
		         r->nb_frames + 1, h->len, RTE_ETHER_HDR_LEN, most,
		         h->len > most ? " (port.mtu)" : "");
		return -1;
	}
	if (!make_room(r, kept)) {
		snprintf(why, why_len, "not enough memory for the frames of the file");
		return -1;
	}
	f = &r->frames[r->nb_frames++];
	/* clocks may go back, and some tools write frames out of order: send those at once */
	f->at_ns = at > first_ns ? at - first_ns : 0;
	if (r->nb_frames > 1)
		f->at_ns = RTE_MAX(f->at_ns, f[-1].at_ns);
	f->off = r->nb_bytes;
	f->len = h->len;
	f->kept = kept;
	r->nb_cut += kept < h->len;
	memcpy(r->bytes + f->off, data, kept);
	r->nb_bytes += kept;
	return 0;
}

static int read_frames(struct replay *r, pcap_t *file, uint32_t most, char *why, size_t why_len)
{
	struct pcap_pkthdr *h;
	const uint8_t *data;
	uint64_t first = 0;
	int rc;

	if (pcap_datalink(file) != DLT_EN10MB) {
		snprintf(why, why_len, "the frames are not Ethernet: %s",
		         pcap_datalink_val_to_name(pcap_datalink(file)));
		return -1;
	}
	while ((rc = pcap_next_ex(file, &h, &data)) == 1) {
		if (r->nb_frames == 0)
			first = time_of(h);
		if (add_frame(r, h, data, first, most, why, why_len) != 0)
			return -1;
	}
	if (rc == PCAP_ERROR_BREAK && r->nb_frames > 0)
		return 0;
	snprintf(why, why_len, "%s",
	         rc == PCAP_ERROR_BREAK ? "no frames in the file" : pcap_geterr(file));
	return -1;
}

int replay_read(struct replay *r, const char *path, uint32_t most, char *why, size_t why_len)
{
	char error[PCAP_ERRBUF_SIZE];
	uint64_t last;
	pcap_t *file;
	int rc;

	file = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, error);
	if (file == NULL) {
		snprintf(why, why_len, "%s", error);
		return -1;
	}
	rc = read_frames(r, file, most, why, why_len);
	pcap_close(file);
	if (rc != 0)
		return -1;
	/* the next pass begins after the mean time between two frames */
	last = r->frames[r->nb_frames - 1].at_ns;
	r->period_ns = last + (r->nb_frames > 1 ? last / (r->nb_frames - 1) : 0);
	return 0;
}

void replay_fini(struct replay *r)
{
	free(r->frames);
	free(r->bytes);
}

/* ---- when ------------------------------------------------------------------------------------- */

uint64_t replay_due(const struct replay *r, const struct load_config *c, uint64_t n)
{
	unsigned __int128 ns;

	if (c->rate > 0)
		return (uint64_t)((unsigned __int128)n * LOAD_SECOND_NS / c->rate);
	if (c->speed == 0)
		return 0;
	ns = (unsigned __int128)(n / r->nb_frames) * r->period_ns +
	     r->frames[n % r->nb_frames].at_ns;
	return (uint64_t)(ns * 100 / c->speed);
}

/* ---- sending ---------------------------------------------------------------------------------- */

static struct replay *replay_of(const struct load *l)
{
	return l->engine_state;
}

static bool has_ended(struct load *l)
{
	const struct replay *r = replay_of(l);

	return r->next == r->nb_frames * l->config->loops;
}

/* Returns false if there is no mbuf. */
static bool send_replayed(struct load *l, const struct replay *r, const struct replay_frame *f)
{
	struct rte_mbuf *m = out_mbuf(&l->out);
	struct rte_ether_hdr *eth;

	if (m == NULL)
		return false;
	eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	memcpy(eth, r->bytes + f->off, f->kept);
	memset((uint8_t *)eth + f->kept, 0, f->len - f->kept);
	if (l->wire.resolved && f->kept >= RTE_ETHER_HDR_LEN) {
		eth->dst_addr = l->wire.peer_mac;
		eth->src_addr = l->wire.mac;
	}
	out_push(&l->out, m, f->len);
	return true;
}

static void replay_step(struct load *l)
{
	struct replay *r = replay_of(l);

	if (!l->measuring)
		return;
	if (r->from == 0)
		r->from = l->now;
	for (unsigned k = 0; k < REPLAY_BURST && !has_ended(l); k++) {
		const uint64_t due = r->from + replay_due(r, l->config, r->next);

		if (due > l->now || out_backlog(&l->out) >= OUT_BURST_MAX ||
		    !send_replayed(l, r, &r->frames[r->next % r->nb_frames]))
			return;
		r->next++;
		l->n.answers++;
		if (l->config->rate > 0 || l->config->speed > 0)
			hist_add(&l->latency, l->now - due);
	}
}

static int replay_init(struct load *l, char *why, size_t why_len)
{
	struct replay *r = calloc(1, sizeof(*r));
	char text[200];
	uint32_t most;

	l->engine_state = r;
	if (r == NULL) {
		snprintf(why, why_len, "out of memory");
		return -1;
	}
	most = RTE_MIN((uint32_t)(rte_pktmbuf_data_room_size(l->out.pool) - RTE_PKTMBUF_HEADROOM),
	               (uint32_t)l->out.port->info.mtu + RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN);
	if (replay_read(r, l->config->file, most, text, sizeof(text)) != 0) {
		snprintf(why, why_len, "--file %s: %s", l->config->file, text);
		return -1;
	}
	if (r->nb_cut > 0)
		printf("note: %" PRIu64 " of %" PRIu64
		       " frames are truncated in the file; the missing bytes are sent as zeros\n",
		       r->nb_cut, r->nb_frames);
	return 0;
}

static void fini(struct load *l)
{
	if (replay_of(l) != NULL)
		replay_fini(replay_of(l));
}

const struct plan plan_replay = {
    .step = replay_step, .answered = load_no_answer, .ended = has_ended};
const struct engine engine_replay = {.init = replay_init, .input = load_ignore, .fini = fini};
