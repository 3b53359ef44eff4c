/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: the frames of a burst are processed in three passes: read and validate every header;
 * look up all sources and destinations at once, so that the cache misses overlap; then learn,
 * decide and queue, frame by frame.
 *
 * Ownership: a frame belongs to the switch from the port's rx_burst on, and to a queue (out.h) once
 * it is decided where it goes. A frame that is flooded is in several queues, by reference, and is
 * no longer written to: tags are changed before it is shared. If some ports need a tag and others
 * do not, there is one copy.
 *
 * Invariant: a received frame is counted in exactly one of SWITCH_ENDS.
 */
#include "forward.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "frame.h"
#include "out.h"

#define BURST     32
#define AHEAD     4
#define VID_MASK  0xfff
#define SECOND_NS UINT64_C(1000000000)

_Static_assert(2 * BURST <= FDB_BURST, "a burst is looked up at once");
_Static_assert(SWITCH_PORTS <= 16, "a port is a bit of 16");

struct vlan {
	uint16_t member, bare; /* ports as bits: in the VLAN; sending it untagged */
};

/* What is known about a frame while it is processed. */
struct frame {
	struct rte_mbuf *m;
	uint16_t vlan, tci;
	bool tagged;
	bool full;        /* it has two tags, or more, that are not ours */
	uint32_t payload; /* bytes after the header, our tag and at most two others */
};

struct vport {
	struct pc_port *port;
	struct out out;
	struct counts counts;
	uint16_t native;    /* VLAN of untagged frames; or NO_VLAN */
	uint8_t mirror;     /* or NO_PORT */
	uint64_t tokens_ns; /* credit for flooding, as time */
	uint64_t refilled_ns;
};

struct vswitch {
	struct fdb *fdb;
	struct rte_mempool *pool;
	unsigned n;
	uint16_t up;      /* ports with a link, as bits */
	uint16_t watches; /* ports that frames are mirrored to, as bits */
	uint16_t group_forward;
	uint64_t flood_ns; /* tokens_ns used by one flooded frame; 0: no limit */
	struct vport port[SWITCH_PORTS];
	struct vlan vlan[SWITCH_VLANS];
};

static void count(struct vswitch *s, unsigned port, enum count c)
{
	s->port[port].counts.value[c]++;
}

static void drop(struct vswitch *s, unsigned in, struct rte_mbuf *m, enum count c)
{
	count(s, in, c);
	rte_pktmbuf_free(m);
}

/* ---- headers --------------------------------------------------------------------------------- */

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static bool is_tag(uint16_t type)
{
	return type == RTE_ETHER_TYPE_VLAN || type == RTE_ETHER_TYPE_QINQ;
}

/* Reads the tag of a frame, if it has one, and the length of the rest. Returns COUNT_MAX, or
 * the reason to drop it. Tags of 802.1ad, and those after the first, are not ours: they pass
 * unchanged. */
static enum count read_tag(struct frame *f, const uint8_t *p)
{
	uint32_t header = FRAME_HDR, most;

	f->tci = 0;
	f->tagged = get16(p + 12) == RTE_ETHER_TYPE_VLAN;
	most = FRAME_HDR + (f->tagged ? 3 : 2) * FRAME_TAG;
	while (header < most && is_tag(get16(p + header - 2))) {
		header += FRAME_TAG;
		if (f->m->data_len < header)
			return COUNT_drop_runt;
	}
	if (f->tagged)
		f->tci = get16(p + FRAME_HDR);
	f->payload = f->m->pkt_len - header;
	f->full = header == most;
	return COUNT_MAX;
}

/* Says whether a frame, with or without our tag, fits a port, where a third tag counts as
 * payload. */
static bool fits(const struct vswitch *s, unsigned port, const struct frame *f, bool tagged)
{
	return f->payload + (f->full && tagged ? FRAME_TAG : 0) <= s->port[port].port->info.mtu;
}

/* The same for a port that it is to leave by, with or without a tag as its VLAN has it there. */
static bool fits_out(const struct vswitch *s, unsigned port, const struct frame *f)
{
	return fits(s, port, f, (s->vlan[f->vlan].bare & 1u << port) == 0);
}

/* ---- out ------------------------------------------------------------------------------------- */

/* Whether a frame, which may still be too short for its headers, fits a port. */
static bool fits_mirror(const struct vswitch *s, unsigned port, struct rte_mbuf *m)
{
	struct frame f = {.m = m};

	return m->data_len < FRAME_HDR ||
	       read_tag(&f, rte_pktmbuf_mtod(m, const uint8_t *)) != COUNT_MAX ||
	       fits(s, port, &f, f.tagged);
}

/* Also queues the frame at the mirror port, if there is one. */
static void reflect(struct vswitch *s, unsigned port, struct rte_mbuf *m, uint64_t now_ns)
{
	const unsigned to = s->port[port].mirror;

	if (likely(to == NO_PORT))
		return;
	if ((s->up & 1u << to) == 0) {
		count(s, to, COUNT_tx_link);
	} else if (!fits_mirror(s, to, m)) {
		count(s, to, COUNT_tx_mtu);
	} else if (out_is_full(&s->port[to].out, now_ns)) {
		count(s, to, COUNT_tx_queue_full);
	} else {
		frame_share(m, 1);
		out_put(&s->port[to].out, m, now_ns);
	}
}

static void put(struct vswitch *s, unsigned port, struct rte_mbuf *m, uint64_t now_ns)
{
	reflect(s, port, m, now_ns);
	out_put(&s->port[port].out, m, now_ns);
}

static struct frame_tag tag_for(const struct frame *f, bool wants)
{
	return (struct frame_tag){
	    .has = f->tagged,
	    .wants = wants,
	    .old_tci = f->tci,
	    .tci = (uint16_t)((f->tci & ~VID_MASK) | f->vlan),
	};
}

static void forward(struct vswitch *s, unsigned in, const struct frame *f, unsigned to,
                    uint64_t now_ns)
{
	const uint16_t bit = (uint16_t)(1u << to);
	const struct vlan *v = &s->vlan[f->vlan];
	const struct frame_tag tag = tag_for(f, (v->bare & bit) == 0);
	struct rte_mbuf *m;
	enum count why;

	if (unlikely((s->up & bit) == 0)) {
		drop(s, in, f->m, COUNT_drop_link);
	} else if (unlikely(!fits_out(s, to, f))) {
		drop(s, in, f->m, COUNT_drop_mtu);
	} else if (unlikely(out_is_full(&s->port[to].out, now_ns))) {
		count(s, to, COUNT_tx_queue_full);
		drop(s, in, f->m, COUNT_drop_queue);
	} else if (unlikely((m = frame_retag(f->m, &tag, s->pool, &why)) == NULL)) {
		count(s, in, why);
	} else {
		put(s, to, m, now_ns);
		count(s, in, COUNT_forwarded);
	}
}

/* ---- flooding -------------------------------------------------------------------------------- */

/* Uses a flooded frame's share of its port's credit, which is at most one second. Returns whether
 * there was enough. */
static bool may_flood(struct vswitch *s, unsigned in, uint64_t now_ns)
{
	struct vport *p = &s->port[in];

	if (s->flood_ns == 0)
		return true;
	p->tokens_ns = RTE_MIN(p->tokens_ns + (now_ns - p->refilled_ns), SECOND_NS);
	p->refilled_ns = now_ns;
	if (p->tokens_ns < s->flood_ns)
		return false;
	p->tokens_ns -= s->flood_ns;
	return true;
}

/* Returns which of some ports accept another frame of this size, and counts the others. */
static uint16_t ready(struct vswitch *s, const struct frame *f, uint16_t ports, uint64_t now_ns)
{
	for (unsigned p = 0; p < s->n; p++) {
		const uint16_t bit = (uint16_t)(1u << p);

		if ((ports & bit) == 0)
			continue;
		if (fits_out(s, p, f) && !out_is_full(&s->port[p].out, now_ns))
			continue;
		count(s, p, fits_out(s, p, f) ? COUNT_tx_queue_full : COUNT_tx_mtu);
		ports &= (uint16_t)~bit;
	}
	return ports;
}

/* Queues one frame at some ports, at least one; its tag is right for all of them. If m is NULL, it
 * is counted as lost. */
static void spread(struct vswitch *s, struct rte_mbuf *m, uint16_t ports, uint64_t now_ns)
{
	if (m != NULL)
		frame_share(m, (int16_t)(__builtin_popcount(ports) - 1));
	for (unsigned p = 0; p < s->n; p++) {
		if ((ports & 1u << p) == 0)
			continue;
		if (m != NULL)
			put(s, p, m, now_ns);
		else
			count(s, p, COUNT_tx_no_mbuf);
	}
}

static struct rte_mbuf *retag(struct vswitch *s, struct rte_mbuf *m, const struct frame *f,
                              bool wants)
{
	const struct frame_tag tag = tag_for(f, wants);
	enum count why;

	return m == NULL ? NULL : frame_retag(m, &tag, s->pool, &why);
}

static void flood(struct vswitch *s, unsigned in, const struct frame *f, uint64_t now_ns)
{
	const struct vlan *v = &s->vlan[f->vlan];
	uint16_t to = v->member & s->up & (uint16_t) ~(1u << in), bare;

	if (unlikely(to == 0)) {
		drop(s, in, f->m, COUNT_drop_nowhere);
		return;
	}
	if (unlikely(!may_flood(s, in, now_ns))) {
		drop(s, in, f->m, COUNT_drop_storm);
		return;
	}
	count(s, in, COUNT_flooded);
	to = ready(s, f, to, now_ns);
	bare = to & v->bare;
	if (to == 0) {
		rte_pktmbuf_free(f->m);
	} else if (bare == 0 || bare == to) {
		spread(s, retag(s, f->m, f, bare == 0), to, now_ns);
	} else {
		/* ports that need the other form get a copy, made before the frame is shared */
		struct rte_mbuf *copy = rte_pktmbuf_copy(f->m, s->pool, 0, UINT32_MAX);

		copy = retag(s, copy, f, !f->tagged);
		spread(s, retag(s, f->m, f, f->tagged), f->tagged ? to & (uint16_t)~bare : bare,
		       now_ns);
		spread(s, copy, f->tagged ? bare : to & (uint16_t)~bare, now_ns);
	}
}

/* ---- in -------------------------------------------------------------------------------------- */

/* Whether a group address is one of those that stay on their link: 01:80:c2:00:00:0X. */
static bool is_reserved(const struct vswitch *s, const uint8_t *mac)
{
	static const uint8_t link_local[5] = {0x01, 0x80, 0xc2, 0x00, 0x00};

	return memcmp(mac, link_local, sizeof(link_local)) == 0 && mac[5] < 16 &&
	       (s->group_forward >> mac[5] & 1) == 0;
}

/* Finds the VLAN of a frame (IEEE 802.1Q 8.6.1, 8.6.2). Returns as read_tag. */
static enum count find_vlan(const struct vswitch *s, unsigned in, struct frame *f)
{
	f->vlan = f->tci & VID_MASK;
	/* a tag with VLAN 0 only has a priority */
	if (f->vlan == 0) {
		f->vlan = s->port[in].native;
		return f->vlan == NO_VLAN ? COUNT_drop_untagged : COUNT_MAX;
	}
	if ((s->vlan[f->vlan].member & 1u << in) == 0)
		return COUNT_drop_vlan;
	return COUNT_MAX;
}

/* Checks a frame's header. Returns COUNT_MAX, or the reason to drop it. */
static enum count classify(const struct vswitch *s, unsigned in, struct frame *f, uint64_t *keys)
{
	const uint8_t *p = rte_pktmbuf_mtod(f->m, const uint8_t *);
	enum count why;

	if (unlikely((s->watches & 1u << in) != 0))
		return COUNT_drop_mirror;
	if (unlikely(f->m->data_len < FRAME_HDR))
		return COUNT_drop_runt;
	why = read_tag(f, p);
	if (unlikely(why != COUNT_MAX))
		return why;
	if (unlikely(!fits(s, in, f, f->tagged)))
		return COUNT_drop_oversize;
	if (unlikely(is_reserved(s, p)))
		return COUNT_drop_reserved;
	why = find_vlan(s, in, f);
	if (unlikely(why != COUNT_MAX))
		return why;
	keys[0] = fdb_key(p + 6, f->vlan);
	keys[1] = fdb_key(p, f->vlan);
	if (unlikely((p[6] & 1) != 0 || keys[0] == (uint64_t)f->vlan << 48))
		return COUNT_drop_source;
	return COUNT_MAX;
}

static void learn(struct vswitch *s, unsigned in, uint64_t key, int32_t slot, uint64_t now_ns)
{
	static const enum count counts[] = {
	    [FDB_NEW] = COUNT_learnt,          [FDB_MOVED] = COUNT_moved,
	    [FDB_LIMIT] = COUNT_learn_limit,   [FDB_FULL] = COUNT_learn_full,
	    [FDB_STATIC] = COUNT_learn_static,
	};
	const enum fdb_learnt what = fdb_learn(s->fdb, key, slot, (uint8_t)in, now_ns);

	if (unlikely(what != FDB_KNOWN))
		count(s, in, counts[what]);
}

static void decide(struct vswitch *s, unsigned in, const struct frame *f, int32_t slot,
                   uint64_t now_ns)
{
	const int to = fdb_port(s->fdb, slot, now_ns); /* a group address is never in the table */

	if (to == FDB_NONE)
		flood(s, in, f, now_ns);
	else if (unlikely(to == (int)in))
		drop(s, in, f->m, COUNT_drop_hairpin);
	else
		forward(s, in, f, (unsigned)to, now_ns);
}

/* Restores a frame to its form on the wire, and mirrors it. Returns false if it has been
 * dropped. */
static bool admit(struct vswitch *s, unsigned in, struct frame *f, uint64_t now_ns)
{
	enum count why;

	s->port[in].counts.value[COUNT_rx_bytes] += f->m->pkt_len;
	if (unlikely(frame_asks(f->m))) {
		f->m = frame_mend(f->m, s->pool, &why);
		if (f->m == NULL) {
			count(s, in, why);
			return false;
		}
	}
	frame_forget_flags(f->m);
	reflect(s, in, f->m, now_ns);
	return true;
}

static void work(struct vswitch *s, unsigned in, struct rte_mbuf **pkts, unsigned n,
                 uint64_t now_ns)
{
	struct frame frame[BURST];
	uint64_t keys[2 * BURST];
	int32_t slot[2 * BURST];
	unsigned good = 0;
	enum count why;

	for (unsigned i = 0; i < n && i < AHEAD; i++)
		rte_prefetch0(rte_pktmbuf_mtod(pkts[i], void *));
	for (unsigned i = 0; i < n; i++) {
		struct frame *f = &frame[good];

		if (i + AHEAD < n)
			rte_prefetch0(rte_pktmbuf_mtod(pkts[i + AHEAD], void *));
		f->m = pkts[i];
		if (unlikely(!admit(s, in, f, now_ns)))
			continue;
		why = classify(s, in, f, &keys[(size_t)2 * good]);
		if (likely(why == COUNT_MAX))
			good++;
		else
			drop(s, in, f->m, why);
	}
	fdb_find(s->fdb, keys, 2 * good, slot);
	for (unsigned i = 0; i < good; i++) {
		learn(s, in, keys[(size_t)2 * i], slot[(size_t)2 * i], now_ns);
		decide(s, in, &frame[i], slot[(size_t)2 * i + 1], now_ns);
	}
}

/* ---- a turn ---------------------------------------------------------------------------------- */

/* Follows link changes. Stations behind a port that has lost its link are forgotten, as they may
 * appear elsewhere. */
static void follow_links(struct vswitch *s)
{
	for (unsigned p = 0; p < s->n; p++) {
		const uint16_t bit = (uint16_t)(1u << p);
		const bool up = s->port[p].port->info.link_up;

		if (likely(up == ((s->up & bit) != 0)))
			continue;
		s->up = (uint16_t)(s->up ^ bit);
		if (!up)
			s->port[p].counts.value[COUNT_flushed] += fdb_flush(s->fdb, (uint8_t)p);
	}
}

unsigned vswitch_turn(struct vswitch *s, uint64_t now_ns)
{
	struct rte_mbuf *pkts[BURST];
	unsigned busy = 0;

	follow_links(s);
	fdb_age(s->fdb, now_ns);
	for (unsigned p = 0; p < s->n; p++) {
		struct pc_port *port = s->port[p].port;
		const uint16_t n = port->ops->rx_burst(port, pkts, BURST, now_ns);

		if (n == 0)
			continue;
		s->port[p].counts.value[COUNT_rx_frames] += n;
		work(s, p, pkts, n, now_ns);
		busy += n;
	}
	for (unsigned p = 0; p < s->n; p++) {
		if (s->port[p].out.n == 0)
			continue;
		out_flush(&s->port[p].out, now_ns);
		busy += s->port[p].out.n;
	}
	return busy;
}

/* ---- making ---------------------------------------------------------------------------------- */

static void add_port(struct vswitch *s, unsigned p, struct pc_port *port,
                     const struct switch_config *c)
{
	const struct port_config *pc = &c->port[p];
	struct vport *v = &s->port[p];

	v->port = port;
	v->out.port = port;
	v->out.counts = &v->counts;
	v->mirror = pc->mirror;
	v->native = pc->mode != PORT_OPEN && pc->native == 0 ? NO_VLAN : pc->native;
	v->tokens_ns = SECOND_NS;
	if (port->info.link_up)
		s->up |= (uint16_t)(1u << p);
	if (pc->mirror != NO_PORT)
		s->watches |= (uint16_t)(1u << pc->mirror);
	for (unsigned i = 0; i < SWITCH_VLANS; i++) {
		if (!port_config_has(pc, i))
			continue;
		s->vlan[i].member |= (uint16_t)(1u << p);
		if (port_config_sends_bare(pc, i))
			s->vlan[i].bare |= (uint16_t)(1u << p);
	}
}

static int add_stations(struct vswitch *s, const struct switch_config *c, char *why, size_t len)
{
	for (unsigned i = 0; i < c->nb_static; i++) {
		const struct static_config *st = &c->station[i];
		uint8_t mac[8] = {0};

		memcpy(mac, st->mac, sizeof(st->mac));
		if (fdb_add_static(s->fdb, fdb_key(mac, st->vlan), st->port) == 0)
			continue;
		snprintf(why, len, "--static: a station %s",
		         errno == EEXIST ? "is given twice" : "does not fit in the table");
		return -1;
	}
	return 0;
}

static int make_table(struct vswitch *s, const struct switch_config *c, int socket_id, char *why,
                      size_t len)
{
	const struct fdb_config config = {
	    .entries = (uint32_t)c->entries,
	    .port_entries = (uint32_t)(c->port_entries != 0 ? c->port_entries : c->entries / s->n),
	    .age_ns = c->age_s * SECOND_NS,
	    .seed = c->seed,
	    .socket_id = socket_id,
	};

	s->fdb = fdb_create(&config);
	if (s->fdb != NULL)
		return add_stations(s, c, why, len);
	snprintf(why, len,
	         "not enough memory for a table of %" PRIu64 " stations: lower switch.entries",
	         c->entries);
	return -1;
}

struct vswitch *vswitch_create(const struct switch_config *config, struct pc_port *const *ports,
                               unsigned n, struct rte_mempool *pool, char *why, size_t why_len)
{
	struct vswitch *s;

	if (n < 2 || n > SWITCH_PORTS || config->nb_named > n) {
		if (n < 2)
			snprintf(why, why_len,
			         "a switch needs at least two ports (EAL options --vdev, -a)");
		else
			snprintf(why, why_len,
			         "a setting refers to port %u, but the last port is %u",
			         config->nb_named - 1, n - 1);
		return NULL;
	}
	s = rte_zmalloc_socket("vswitch", sizeof(*s), RTE_CACHE_LINE_SIZE,
	                       ports[0]->info.socket_id);
	if (s == NULL) {
		snprintf(why, why_len, "out of memory");
		return NULL;
	}
	s->n = n;
	s->pool = pool;
	s->group_forward = (uint16_t)config->group_forward;
	s->flood_ns = config->flood_rate == 0 ? 0 : SECOND_NS / config->flood_rate;
	for (unsigned p = 0; p < n; p++)
		add_port(s, p, ports[p], config);
	for (unsigned v = 0; v < SWITCH_VLANS; v++)
		s->vlan[v].member &= (uint16_t)~s->watches;
	if (make_table(s, config, ports[0]->info.socket_id, why, why_len) != 0) {
		vswitch_destroy(s);
		return NULL;
	}
	return s;
}

void vswitch_destroy(struct vswitch *s)
{
	if (s == NULL)
		return;
	for (unsigned p = 0; p < s->n; p++)
		out_drop(&s->port[p].out, COUNT_tx_stuck);
	fdb_destroy(s->fdb);
	rte_free(s);
}

const struct counts *vswitch_counts(const struct vswitch *s, unsigned port)
{
	return &s->port[port].counts;
}

const struct pc_port *vswitch_port(const struct vswitch *s, unsigned port)
{
	return port < s->n ? s->port[port].port : NULL;
}

const struct fdb *vswitch_fdb(const struct vswitch *s)
{
	return s->fdb;
}
