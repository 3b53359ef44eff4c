/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VLANs (IEEE 802.1Q): one port as several, each with the frames of one tag, or of two (QinQ).
 *
 * Overview: a trunk owns the port below and has a list of members.  A member that is polled and has
 * no frames waiting receives a burst from below and sorts it; frames of other members wait for
 * them. Tags are stripped and inserted here, by moving the two MAC addresses, unless the device has
 * already stripped one, or announces that it inserts them (PC_PORT_TX_VLAN, PC_PORT_TX_QINQ).  A
 * member without a tag gets untagged and priority-tagged frames (VLAN 0), and also, with their
 * tags, those of VLANs that have no member: the kernel may know them (exception path).
 *
 * Ownership: the trunk is freed, and closes the port below, with its last member.  Waiting frames
 * belong to the trunk.  TCP may still hold a frame that is sent, and finds its payload from the
 * end: tags go into the headroom in front.
 */
#include <errno.h>
#include <percore/port.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "base/pkt.h"
#include "base/port_info.h"

#define VLAN_BURST   64
#define VLAN_WAITING 512 /* frames that wait for one member; more are lost */
#define VLAN_TAG_LEN 4
#define VLAN_ID_MASK 0xfff
#define VLAN_ID_MAX  4094
#define VLAN_MACS    (2 * RTE_ETHER_ADDR_LEN)

/* The tags of a frame: outer and inner VLAN; 0: none. */
struct tags {
	uint16_t outer, inner;
	uint8_t len; /* bytes of them in the frame */
};

struct vlan_port {
	struct pc_port port;
	struct pc_trunk *trunk;
	struct tags tags;
	uint8_t bytes[2 * VLAN_TAG_LEN]; /* the tags as sent */
	bool open;
	struct pktq waiting;
	unsigned nb_waiting;
	uint64_t lost, refused; /* counted here, not below */
};

struct pc_trunk {
	struct pc_port *inner;
	unsigned n, nb_open;
	struct vlan_port member[PC_TRUNK_MEMBERS];
};

/* ---- receiving ------------------------------------------------------------------------------- */

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void write_tag(uint8_t *p, uint16_t type, uint16_t tci)
{
	p[0] = (uint8_t)(type >> 8);
	p[1] = (uint8_t)type;
	p[2] = (uint8_t)(tci >> 8);
	p[3] = (uint8_t)tci;
}

static bool is_tag(uint16_t type)
{
	return type == RTE_ETHER_TYPE_VLAN || type == RTE_ETHER_TYPE_QINQ;
}

/* Reads the tags of a frame, first those that the device has stripped. */
static struct tags read_tags(const struct rte_mbuf *m)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	uint16_t id[2] = {0};
	unsigned n = 0;
	struct tags t = {0};

	if (m->ol_flags & RTE_MBUF_F_RX_QINQ_STRIPPED)
		id[n++] = m->vlan_tci_outer & VLAN_ID_MASK;
	if (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)
		id[n++] = m->vlan_tci & VLAN_ID_MASK;
	for (uint32_t at = VLAN_MACS;
	     n < 2 && at + VLAN_TAG_LEN + 2u <= m->data_len && is_tag(get16(p + at));
	     at += VLAN_TAG_LEN) {
		id[n++] = get16(p + at + 2) & VLAN_ID_MASK;
		t.len = (uint8_t)(t.len + VLAN_TAG_LEN);
	}
	/* a tag of VLAN 0 is a priority and nothing else */
	t.outer = id[0] != 0 ? id[0] : id[1];
	t.inner = id[0] != 0 ? id[1] : 0;
	return t;
}

static struct vlan_port *member_of(struct pc_trunk *trunk, const struct tags *t)
{
	for (unsigned i = 0; i < trunk->n; i++) {
		struct vlan_port *v = &trunk->member[i];

		if (v->open && v->tags.outer == t->outer && v->tags.inner == t->inner)
			return v;
	}
	return NULL;
}

/* A shared frame must not be written to. Returns the frame, or a copy if shared; NULL: no mbuf. */
static struct rte_mbuf *make_private(struct rte_mbuf *m)
{
	struct rte_mbuf *copy;

	if (rte_mbuf_refcnt_read(m) == 1 && RTE_MBUF_DIRECT(m))
		return m;
	copy = rte_pktmbuf_copy(m, m->pool, 0, UINT32_MAX);
	rte_pktmbuf_free(m);
	return copy;
}

/* Strips n bytes of tags from a frame. Returns it; NULL: no mbuf. */
static struct rte_mbuf *untag(struct rte_mbuf *m, uint8_t n)
{
	uint8_t *p;

	if (n == 0)
		return m;
	m = make_private(m);
	if (m == NULL)
		return NULL;
	p = rte_pktmbuf_mtod(m, uint8_t *);
	memmove(p + n, p, VLAN_MACS);
	rte_pktmbuf_adj(m, n);
	m->ol_flags &= ~(uint64_t)(RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_QINQ);
	return m;
}

static void lose(struct vlan_port *v)
{
	v->lost++;
	v->port.info.rx_lost++;
}

/* Inserts a tag after the addresses. Returns false if there is no room for it. */
static bool put_back(struct rte_mbuf *m, uint16_t type, uint16_t tci)
{
	uint8_t *p = (uint8_t *)rte_pktmbuf_prepend(m, VLAN_TAG_LEN);

	if (p == NULL)
		return false;
	memmove(p, p + VLAN_TAG_LEN, VLAN_MACS);
	write_tag(p + VLAN_MACS, type, tci);
	return true;
}

/* Restores the tags that the device has stripped from a frame. Returns it; NULL: no mbuf or no
 * room. */
static struct rte_mbuf *retag(struct rte_mbuf *m)
{
	const uint64_t flags = m->ol_flags;

	if ((flags & (RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ_STRIPPED)) == 0)
		return m;
	m = make_private(m);
	if (m == NULL)
		return NULL;
	if (((flags & RTE_MBUF_F_RX_VLAN_STRIPPED) == 0 ||
	     put_back(m, RTE_ETHER_TYPE_VLAN, m->vlan_tci)) &&
	    ((flags & RTE_MBUF_F_RX_QINQ_STRIPPED) == 0 ||
	     put_back(m, RTE_ETHER_TYPE_QINQ, m->vlan_tci_outer))) {
		m->ol_flags &= ~(uint64_t)(RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED |
		                           RTE_MBUF_F_RX_QINQ | RTE_MBUF_F_RX_QINQ_STRIPPED);
		return m;
	}
	rte_pktmbuf_free(m);
	return NULL;
}

/* Queues a frame for the member that it belongs to. */
static void sort(struct pc_trunk *trunk, struct rte_mbuf *m)
{
	static const struct tags none;
	const struct tags t = read_tags(m);
	struct vlan_port *own = member_of(trunk, &t);
	struct vlan_port *v = own != NULL ? own : member_of(trunk, &none);

	if (v == NULL || v->nb_waiting == VLAN_WAITING) {
		/* without a member: counted at the first one, where a user looks */
		lose(v != NULL ? v : &trunk->member[0]);
		rte_pktmbuf_free(m);
		return;
	}
	m = own != NULL ? untag(m, t.len) : retag(m);
	if (m == NULL) {
		lose(v);
		return;
	}
	pktq_push(&v->waiting, m);
	v->nb_waiting++;
}

/* Copies the state of the port below; its own losses are counted at the first member. */
static void follow(struct vlan_port *v)
{
	const struct pc_port_info *below = &v->trunk->inner->info;
	const bool first = v == &v->trunk->member[0];

	port_info_follow(&v->port.info, below);
	v->port.info.rx_lost = v->lost + (first ? below->rx_lost : 0);
	v->port.info.rx_untrue = first ? below->rx_untrue : 0;
	v->port.info.tx_refused = v->refused + (first ? below->tx_refused : 0);
}

static uint16_t vlan_rx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                              uint64_t now_ns)
{
	struct vlan_port *v = (struct vlan_port *)port;
	struct pc_port *inner = v->trunk->inner;
	uint16_t got = 0;

	if (v->nb_waiting == 0) {
		struct rte_mbuf *burst[VLAN_BURST];
		const uint16_t k = inner->ops->rx_burst(
		    inner, burst, (uint16_t)RTE_MIN((int)n, VLAN_BURST), now_ns);

		for (uint16_t i = 0; i < k; i++)
			sort(v->trunk, burst[i]);
	}
	for (; got < n && v->nb_waiting > 0; v->nb_waiting--)
		pkts[got++] = pktq_pop(&v->waiting);
	follow(v);
	return got;
}

/* ---- sending --------------------------------------------------------------------------------- */

/* Returns the offload request that makes the device insert a member's tags; 0: it cannot. */
static uint64_t request(const struct vlan_port *v)
{
	const uint32_t offloads = v->trunk->inner->info.offloads;

	if (v->tags.inner == 0)
		return (offloads & PC_PORT_TX_VLAN) != 0 ? RTE_MBUF_F_TX_VLAN : 0;
	return (offloads & PC_PORT_TX_QINQ) != 0 ? RTE_MBUF_F_TX_VLAN | RTE_MBUF_F_TX_QINQ : 0;
}

/* Inserts a member's tags into a frame. Returns false if there is no room for them. */
static bool insert(const struct vlan_port *v, struct rte_mbuf *m)
{
	const uint8_t n = v->tags.len;
	uint8_t *p;

	p = (uint8_t *)rte_pktmbuf_prepend(m, n);
	if (p == NULL)
		return false;
	memmove(p, p + n, VLAN_MACS);
	memcpy(p + VLAN_MACS, v->bytes, n);
	m->l2_len = (uint16_t)((m->l2_len + n) & 0x7f);
	return true;
}

/* Tags a frame, by the device or here. Returns false if there is no room for the tags. */
static bool tag(const struct vlan_port *v, struct rte_mbuf *m)
{
	const uint64_t flags = request(v);

	if (v->tags.len == 0)
		return true;
	if (flags == 0)
		return insert(v, m);
	m->ol_flags |= flags;
	m->vlan_tci = v->tags.inner != 0 ? v->tags.inner : v->tags.outer;
	m->vlan_tci_outer = v->tags.outer;
	return true;
}

/* Removes the tags again: the port did not accept the frame, which will be passed down anew. */
static void take_back(const struct vlan_port *v, struct rte_mbuf *m)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	const uint8_t n = v->tags.len;

	if (n == 0)
		return;
	if ((m->ol_flags & RTE_MBUF_F_TX_VLAN) != 0) {
		m->ol_flags &= ~(uint64_t)(RTE_MBUF_F_TX_VLAN | RTE_MBUF_F_TX_QINQ);
		return;
	}
	memmove(p + n, p, VLAN_MACS);
	rte_pktmbuf_adj(m, n);
	m->l2_len = (uint16_t)((m->l2_len - n) & 0x7f);
}

static uint16_t vlan_tx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                              uint64_t now_ns)
{
	struct vlan_port *v = (struct vlan_port *)port;
	struct pc_port *inner = v->trunk->inner;
	uint16_t ready, sent;

	for (ready = 0; ready < n && tag(v, pkts[ready]); ready++)
		;
	sent = ready > 0 ? inner->ops->tx_burst(inner, pkts, ready, now_ns) : 0;
	for (uint16_t i = sent; i < ready; i++)
		take_back(v, pkts[i]);
	if (sent == ready && ready < n) {
		/* without headroom, it would wait for ever */
		rte_pktmbuf_free(pkts[sent++]);
		v->refused++;
	}
	follow(v);
	return sent;
}

static uint64_t vlan_next_deadline(const struct pc_port *port)
{
	const struct vlan_port *v = (const struct vlan_port *)port;
	const struct pc_port *inner = v->trunk->inner;

	if (v->nb_waiting > 0)
		return 0;
	return inner->ops->next_deadline != NULL ? inner->ops->next_deadline(inner) : UINT64_MAX;
}

/* Passes a frame to the port below, with its tags restored. */
static bool vlan_pass(struct pc_port *port, uint16_t queue, struct rte_mbuf *m)
{
	struct vlan_port *v = (struct vlan_port *)port;
	struct pc_port *inner = v->trunk->inner;

	if (inner->ops->pass == NULL || (v->tags.len != 0 && !insert(v, m)))
		return false;
	if (inner->ops->pass(inner, queue, m))
		return true;
	take_back(v, m);
	return false;
}

/* ---- making ---------------------------------------------------------------------------------- */

static void vlan_close(struct pc_port *port)
{
	struct vlan_port *v = (struct vlan_port *)port;
	struct pc_trunk *trunk = v->trunk;

	pktq_free(&v->waiting);
	v->nb_waiting = 0;
	v->open = false;
	if (--trunk->nb_open != 0)
		return;
	pc_port_close(trunk->inner);
	rte_free(trunk);
}

static const struct pc_port_ops vlan_ops = {
    .rx_burst = vlan_rx_burst,
    .tx_burst = vlan_tx_burst,
    .next_deadline = vlan_next_deadline,
    .pass = vlan_pass,
    .close = vlan_close,
};

struct pc_trunk *pc_trunk_create(struct pc_port *inner)
{
	struct pc_trunk *trunk = rte_zmalloc_socket("pc_trunk", sizeof(*trunk), RTE_CACHE_LINE_SIZE,
	                                            inner->info.socket_id);

	if (trunk == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	trunk->inner = inner;
	return trunk;
}

/* Writes a tag of 802.1Q, preceded by one of 802.1ad if there are two. */
static void write_tags(struct vlan_port *v)
{
	const bool two = v->tags.inner != 0;

	if (v->tags.outer == 0)
		return;
	write_tag(v->bytes, two ? RTE_ETHER_TYPE_QINQ : RTE_ETHER_TYPE_VLAN, v->tags.outer);
	if (two)
		write_tag(v->bytes + VLAN_TAG_LEN, RTE_ETHER_TYPE_VLAN, v->tags.inner);
	v->tags.len = (uint8_t)(two ? 2 * VLAN_TAG_LEN : VLAN_TAG_LEN);
}

static int check(struct pc_trunk *trunk, const struct tags *t)
{
	if (t->outer > VLAN_ID_MAX || t->inner > VLAN_ID_MAX || (t->outer == 0 && t->inner != 0))
		return EINVAL;
	if (member_of(trunk, t) != NULL)
		return EEXIST;
	return trunk->n == PC_TRUNK_MEMBERS ? ENOSPC : 0;
}

struct pc_port *pc_trunk_port(struct pc_trunk *trunk, uint16_t outer, uint16_t inner)
{
	const struct tags t = {.outer = outer, .inner = inner};
	struct vlan_port *v = &trunk->member[trunk->n];
	const int rc = check(trunk, &t);
	size_t len;

	if (rc != 0) {
		errno = rc;
		return NULL;
	}
	v->port.ops = &vlan_ops;
	v->port.info = trunk->inner->info;
	len = strlen(v->port.info.name);
	if (outer != 0)
		snprintf(v->port.info.name + len, sizeof(v->port.info.name) - len,
		         inner != 0 ? ".%u.%u" : ".%u", outer, inner);
	v->trunk = trunk;
	v->tags = t;
	v->open = true;
	write_tags(v);
	trunk->n++;
	trunk->nb_open++;
	return &v->port;
}
