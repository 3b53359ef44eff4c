/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reassembly of datagrams.
 *
 * Overview: a table of ip.datagrams entries, found by a keyed hash of addresses, identification,
 * protocol and interface.  Fragments are kept as they arrived, in a list sorted by offset; when the
 * last one has arrived, their payloads are appended to the headers of the first.
 *
 * Life-cycle: open, until it is complete, ip.reassembly_ms (ip6.reassembly_ms) have passed, or it
 * is evicted for a newer one; or dead, once a fragment overlaps another: then its fragments are
 * dropped, and so are those that arrive later within that time (RFC 8200 section 4.5, RFC 5722), in
 * both families.
 *
 * Limits: ip.fragments mbufs in all, a quarter of them for one source (fw/source.h), and
 * ip.fragments_each fragments for one datagram.  When there is no room, the oldest datagram is
 * evicted: a genuine one is complete within milliseconds, so a flood of incomplete ones starves
 * itself first.
 *
 * Ownership: fragments are ours until the datagram is complete; the note of each (pkt.rx) says
 * where its payload is and where it belongs.
 *
 * Invariants: the lists are sorted and have no overlaps; bytes, n and mbufs are the sums over the
 * list; a dead datagram holds nothing; every entry in use is in one hash chain and in its family's
 * list by age.
 */

#include "ip/frag.h"

#include <string.h>

#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "base/pkt.h"
#include "fw/source.h"

#define SHARE  4    /* a source may hold 1/SHARE of ip.fragments */
#define SHARES 1024 /* number of per-source counters */
#define ECN    3    /* the field in tos (RFC 3168 section 5) */
#define ECN_CE 3

struct datagram {
	struct ip_pkt pkt; /* of the first fragment, or of another one until that arrives */
	uint64_t since_ns;
	struct rte_mbuf *head, *tail;
	uint32_t id;
	uint32_t len;   /* of the whole payload; 0: not yet known */
	uint32_t bytes; /* of payload received so far */
	uint32_t mbufs;
	uint16_t n;
	uint8_t ecn; /* a bit for each code point seen */
	uint8_t ttl; /* the lowest of all fragments */
	bool used, dead;
	uint32_t next;         /* in its hash chain, or among the free, index + 1; 0: the last */
	uint32_t newer, older; /* by age, index + 1 */
};

/** What the sources with the same hash hold; few share one, and an attacker cannot
 * choose with whom. */
struct share {
	uint32_t datagrams, mbufs;
};

struct frags {
	struct ctx *ctx;
	uint32_t nb, mask, free;
	uint32_t mbufs;
	uint32_t newest[2], oldest[2]; /* of IPv4, of IPv6 */
	struct hash_key key;
	struct share share[SHARES];
	uint32_t *bucket;
	struct datagram *datagram;
};

/* ---- the table ------------------------------------------------------------------------------- */

static uint32_t nb_frag_buckets(const struct pc_stack_config *cfg)
{
	return rte_align32pow2((uint32_t)cfg->ip_datagrams + 1);
}

uint64_t frags_footprint(const struct pc_stack_config *cfg)
{
	return sizeof(struct frags) + nb_frag_buckets(cfg) * sizeof(uint32_t) +
	       cfg->ip_datagrams * sizeof(struct datagram);
}

static void *alloc(const struct ctx *ctx, uint64_t n, size_t size)
{
	return rte_zmalloc_socket("frags", n * size, RTE_CACHE_LINE_SIZE, ctx->cfg.socket_id);
}

struct frags *frags_create(struct ctx *ctx)
{
	const struct pc_sip_key key = rng_key(&ctx->rng);
	struct frags *fr = alloc(ctx, 1, sizeof(*fr));

	if (fr == NULL)
		return NULL;
	fr->ctx = ctx;
	fr->nb = (uint32_t)ctx->cfg.ip_datagrams;
	fr->mask = nb_frag_buckets(&ctx->cfg) - 1;
	fr->key = (struct hash_key){.k = {key.k[0], key.k[1]}};
	fr->bucket = alloc(ctx, fr->mask + 1, sizeof(*fr->bucket));
	fr->datagram = alloc(ctx, fr->nb, sizeof(*fr->datagram));
	if (fr->bucket == NULL || fr->datagram == NULL) {
		frags_destroy(fr);
		return NULL;
	}
	for (uint32_t i = fr->nb; i > 0; i--) {
		fr->datagram[i - 1].next = fr->free;
		fr->free = i;
	}
	return fr;
}

static struct share *share_of(struct frags *fr, const struct pc_addr *src)
{
	const struct fw_source s = fw_source_of(src);
	const uint64_t v[3] = {s.name, s.is_link_local, 0};

	return &fr->share[hash24(&fr->key, v) % SHARES];
}

/* Frees the fragments of a datagram, counting each one unless counter is 0. */
static void free_fragments(struct frags *fr, struct datagram *d, int counter)
{
	for (struct rte_mbuf *m = d->head, *next; m != NULL; m = next) {
		next = pkt_of(m)->next;
		rte_pktmbuf_free(m);
		if (counter != 0)
			ctx_count(fr->ctx, counter);
	}
	fr->mbufs -= d->mbufs;
	share_of(fr, &d->pkt.src)->mbufs -= d->mbufs;
	d->head = d->tail = NULL;
	d->n = 0;
	d->mbufs = d->bytes = 0;
}

void frags_destroy(struct frags *fr)
{
	for (uint32_t i = 0; fr->datagram != NULL && i < fr->nb; i++)
		if (fr->datagram[i].used)
			free_fragments(fr, &fr->datagram[i], 0);
	rte_free(fr->bucket);
	rte_free(fr->datagram);
	rte_free(fr);
}

static unsigned family_of(const struct datagram *d)
{
	return pc_addr_is_ip4(&d->pkt.dst) ? 0 : 1;
}

static uint32_t *frag_bucket_of(const struct frags *fr, const struct ip_pkt *p, uint32_t id)
{
	const uint64_t v[3] = {p->src.q[0] ^ p->dst.q[1], p->src.q[1] ^ p->dst.q[0],
	                       (uint64_t)id << 32 | (uint32_t)p->netif << 8 |
	                           (pc_addr_is_ip4(&p->dst) ? p->proto : 0)};

	return &fr->bucket[hash24(&fr->key, v) & fr->mask];
}

/* For IPv6 the identification is shared by all protocols (RFC 8200 section 4.5). */
static bool is_of(const struct datagram *d, const struct ip_pkt *p, uint32_t id)
{
	return d->id == id && (d->pkt.proto == p->proto || !pc_addr_is_ip4(&p->dst)) &&
	       d->pkt.netif == p->netif && pc_addr_equal(&d->pkt.src, &p->src) &&
	       pc_addr_equal(&d->pkt.dst, &p->dst);
}

static struct datagram *find(const struct frags *fr, const struct ip_pkt *p, uint32_t id)
{
	for (uint32_t i = *frag_bucket_of(fr, p, id); i != 0; i = fr->datagram[i - 1].next)
		if (is_of(&fr->datagram[i - 1], p, id))
			return &fr->datagram[i - 1];
	return NULL;
}

/* Removes a datagram that no longer holds anything from the table. */
static void release(struct frags *fr, struct datagram *d)
{
	const uint32_t self = (uint32_t)(d - fr->datagram) + 1;
	const unsigned family = family_of(d);
	uint32_t *link = frag_bucket_of(fr, &d->pkt, d->id);

	while (*link != self)
		link = &fr->datagram[*link - 1].next;
	*link = d->next;
	*(d->newer != 0 ? &fr->datagram[d->newer - 1].older : &fr->newest[family]) = d->older;
	*(d->older != 0 ? &fr->datagram[d->older - 1].newer : &fr->oldest[family]) = d->newer;
	share_of(fr, &d->pkt.src)->datagrams--;
	*d = (struct datagram){.next = fr->free};
	fr->free = self;
}

static struct datagram *oldest(const struct frags *fr)
{
	const uint32_t a = fr->oldest[0], b = fr->oldest[1];

	if (a == 0 || b == 0)
		return a + b != 0 ? &fr->datagram[a + b - 1] : NULL;
	return fr->datagram[a - 1].since_ns <= fr->datagram[b - 1].since_ns ? &fr->datagram[a - 1]
	                                                                    : &fr->datagram[b - 1];
}

/* Drops a datagram and everything it holds. */
static void evict(struct frags *fr, struct datagram *d)
{
	free_fragments(fr, d, PC_DROP_FRAG_LIMIT);
	release(fr, d);
}

/* Says whether a datagram must be evicted to make room for a new one of n mbufs. */
static bool is_full(const struct frags *fr, uint32_t n)
{
	return fr->free == 0 || fr->mbufs + n > fr->ctx->cfg.ip_fragments;
}

/* Makes an entry for a new datagram, evicting the oldest if there is none free. Returns NULL when
 * its source already has its share of them. */
static struct datagram *begin(struct frags *fr, const struct ip_pkt *p, uint32_t id)
{
	uint32_t self, *chain;
	struct datagram *d;
	unsigned family;

	if (fr->free == 0) {
		if (share_of(fr, &p->src)->datagrams > fr->nb / SHARE)
			return NULL;
		evict(fr, oldest(fr));
	}
	self = fr->free;
	d = &fr->datagram[self - 1];
	fr->free = d->next;
	chain = frag_bucket_of(fr, p, id);
	*d = (struct datagram){
	    .pkt = *p, .id = id, .since_ns = fr->ctx->now_ns, .used = true, .next = *chain};
	*chain = self;
	family = family_of(d);
	d->older = fr->newest[family];
	*(d->older != 0 ? &fr->datagram[d->older - 1].newer : &fr->oldest[family]) = self;
	fr->newest[family] = self;
	share_of(fr, &p->src)->datagrams++;
	return d;
}

/* ---- limits ---------------------------------------------------------------------------------- */

/* Says whether a source already holds its share. */
static bool is_greedy(struct frags *fr, const struct pc_addr *src, uint32_t more)
{
	return share_of(fr, src)->mbufs + more > (uint32_t)fr->ctx->cfg.ip_fragments / SHARE;
}

/* Says whether a source's fragment of n mbufs would be refused whatever was evicted for it. */
static bool is_refused(struct frags *fr, const struct pc_addr *src, uint32_t n)
{
	return fr->ctx->mbufs_low || n > fr->ctx->cfg.ip_fragments || is_greedy(fr, src, n);
}

/* Makes room for a fragment of n mbufs. Returns false if that is impossible. */
static bool make_room(struct frags *fr, const struct datagram *d, uint32_t n)
{
	const uint32_t max = (uint32_t)fr->ctx->cfg.ip_fragments;

	if (d->n >= fr->ctx->cfg.ip_fragments_each || is_refused(fr, &d->pkt.src, n))
		return false;
	while (fr->mbufs + n > max) {
		struct datagram *victim = oldest(fr);

		if (victim == d)
			return false;
		evict(fr, victim);
	}
	return true;
}

void frags_relieve(struct frags *fr, uint32_t most)
{
	while (fr->mbufs > most)
		evict(fr, oldest(fr));
}

/* ---- a fragment's place ---------------------------------------------------------------------- */

static uint32_t off_of(const struct rte_mbuf *m)
{
	return pkt_of_const(m)->rx.seq;
}

static uint32_t payload_end(const struct rte_mbuf *m)
{
	return pkt_of_const(m)->rx.seq + pkt_of_const(m)->rx.len;
}

/* Finds the fragment that the new one follows (NULL: none). Returns VERDICT_DONE or a drop. */
static int find_place(const struct datagram *d, const struct frag *f, struct rte_mbuf **after)
{
	const uint32_t end = f->off + f->len;
	struct rte_mbuf *m = d->tail != NULL && off_of(d->tail) < f->off ? d->tail : NULL;
	struct rte_mbuf *next = m != NULL ? NULL : d->head;

	for (; next != NULL && off_of(next) < f->off; next = pkt_of(next)->next)
		m = next;
	*after = m;
	if (next != NULL && off_of(next) == f->off && payload_end(next) == end &&
	    f->more == (end != d->len))
		return PC_DROP_FRAG_DUPLICATE;
	if ((m != NULL && payload_end(m) > f->off) || (next != NULL && off_of(next) < end))
		return PC_DROP_FRAG_OVERLAP;
	/* the end is where the last fragment says, and nothing is beyond it */
	if (d->len != 0 && (f->more ? end >= d->len : end != d->len))
		return PC_DROP_FRAG_OVERLAP;
	if (!f->more && d->tail != NULL && payload_end(d->tail) > end)
		return PC_DROP_FRAG_OVERLAP;
	return VERDICT_DONE;
}

static void insert(struct frags *fr, struct datagram *d, struct rte_mbuf *m, const struct ip_pkt *p,
                   const struct frag *f, struct rte_mbuf *after)
{
	struct pkt *note = pkt_of(m);
	struct rte_mbuf **link = after != NULL ? &pkt_of(after)->next : &d->head;

	note->rx.seq = f->off;
	note->rx.len = f->len;
	note->rx.l3_off = f->data_off;
	note->next = *link;
	*link = m;
	if (note->next == NULL)
		d->tail = m;
	if (f->off == 0)
		d->pkt = *p;
	if (!f->more)
		d->len = f->off + f->len;
	if (d->n == 0 || p->ttl < d->ttl)
		d->ttl = p->ttl;
	d->bytes += f->len;
	d->n++;
	d->mbufs += m->nb_segs;
	fr->mbufs += m->nb_segs;
	share_of(fr, &p->src)->mbufs += m->nb_segs;
}

/*
 * RFC 3168 section 5.3: a mark in any fragment marks the datagram, but fragments with an
 * ECN-capable code point must not be mixed with those without; Linux drops the same combinations.
 */
static bool ecn_is_mixed(uint8_t seen)
{
	return (seen & 1) != 0 && seen != 1;
}

/* ---- joining --------------------------------------------------------------------------------- */

/* Removes n bytes from the front of a packet, which has more; segments that become empty are
 * freed. */
static struct rte_mbuf *behead(struct rte_mbuf *m, uint32_t n)
{
	const uint32_t pkt_len = m->pkt_len - n;
	uint16_t nb_segs = m->nb_segs;

	while (n >= m->data_len) {
		struct rte_mbuf *next = m->next;

		n -= m->data_len;
		rte_pktmbuf_free_seg(m);
		m = next;
		nb_segs--;
	}
	m->data_off = (uint16_t)(m->data_off + n);
	m->data_len = (uint16_t)(m->data_len - n);
	m->pkt_len = pkt_len;
	m->nb_segs = nb_segs;
	return m;
}

/* Appends m to first, whose last segment is last. Whatever fits into that segment is copied, so
 * that a datagram of tiny fragments does not keep an mbuf for each. Returns the last segment. */
static struct rte_mbuf *append(struct rte_mbuf *first, struct rte_mbuf *last, struct rte_mbuf *m)
{
	first->pkt_len += m->pkt_len;
	if (m->nb_segs == 1 && m->data_len <= rte_pktmbuf_tailroom(last)) {
		memcpy(rte_pktmbuf_mtod_offset(last, char *, last->data_len),
		       rte_pktmbuf_mtod(m, char *), m->data_len);
		last->data_len = (uint16_t)(last->data_len + m->data_len);
		rte_pktmbuf_free(m);
		return last;
	}
	first->nb_segs = (uint16_t)(first->nb_segs + m->nb_segs);
	last->next = m;
	return rte_pktmbuf_lastseg(m);
}

/* Makes one packet of a complete datagram and frees its entry. */
static struct rte_mbuf *join(struct frags *fr, struct datagram *d, struct ip_pkt *first)
{
	struct rte_mbuf *whole = d->head, *last = rte_pktmbuf_lastseg(whole);

	for (struct rte_mbuf *m = pkt_of(whole)->next, *next; m != NULL; m = next) {
		next = pkt_of(m)->next;
		last = append(whole, last, behead(m, pkt_of(m)->rx.l3_off));
	}
	*first = d->pkt;
	first->ttl = d->ttl;
	if (d->ecn & 1u << ECN_CE)
		first->tos |= ECN_CE;
	fr->mbufs -= d->mbufs;
	ctx_add(fr->ctx, PC_RX_TAKEN, d->n - 1u);
	share_of(fr, &d->pkt.src)->mbufs -= d->mbufs;
	d->head = NULL;
	release(fr, d);
	ctx_count(fr->ctx, PC_IP_REASSEMBLED);
	return whole;
}

int frags_add(struct frags *fr, struct rte_mbuf *m, const struct ip_pkt *p, const struct frag *f,
              struct rte_mbuf **whole, struct ip_pkt *first)
{
	struct datagram *d = find(fr, p, f->id);
	struct rte_mbuf *after;
	int verdict;

	*whole = NULL;
	/* a flood of fragments only ever starts datagrams */
	if (d == NULL && is_full(fr, m->nb_segs) && !ctx_may_answer(fr->ctx))
		return PC_DROP_BUSY;
	if (d == NULL && !is_refused(fr, &p->src, m->nb_segs))
		d = begin(fr, p, f->id);
	if (d == NULL || d->dead)
		return d == NULL ? PC_DROP_FRAG_LIMIT : PC_DROP_FRAG_DEAD;
	verdict = find_place(d, f, &after);
	if (verdict == VERDICT_DONE) {
		d->ecn |= (uint8_t)(1u << (p->tos & ECN));
		if (ecn_is_mixed(d->ecn))
			verdict = PC_DROP_FRAG_ECN;
	}
	if (verdict == PC_DROP_FRAG_OVERLAP || verdict == PC_DROP_FRAG_ECN) {
		free_fragments(fr, d, verdict);
		d->dead = true;
	}
	if (verdict != VERDICT_DONE)
		return verdict;
	if (!make_room(fr, d, m->nb_segs)) {
		if (d->n == 0) /* an empty entry would only take the place of others */
			release(fr, d);
		return PC_DROP_FRAG_LIMIT;
	}
	insert(fr, d, m, p, f, after);
	if (d->bytes == d->len)
		*whole = join(fr, d, first);
	return VERDICT_DONE;
}

/* ---- time ------------------------------------------------------------------------------------ */

static uint64_t end_ns(const struct frags *fr, unsigned family)
{
	const struct pc_stack_config *cfg = &fr->ctx->cfg;
	const uint64_t ms = family == 0 ? cfg->ip_reassembly_ms : cfg->ip6_reassembly_ms;

	return fr->oldest[family] == 0
	           ? UINT64_MAX
	           : fr->datagram[fr->oldest[family] - 1].since_ns + ms * 1000000;
}

uint64_t frags_due(const struct frags *fr)
{
	return RTE_MIN(end_ns(fr, 0), end_ns(fr, 1));
}

bool frags_expire(struct frags *fr, struct rte_mbuf **first, struct ip_pkt *p)
{
	const unsigned family = end_ns(fr, 0) <= fr->ctx->now_ns ? 0 : 1;
	struct datagram *d;

	if (end_ns(fr, family) > fr->ctx->now_ns)
		return false;
	d = &fr->datagram[fr->oldest[family] - 1];
	*first = NULL;
	if (d->head != NULL && off_of(d->head) == 0) {
		*first = d->head;
		*p = d->pkt;
		d->head = pkt_of(*first)->next;
	}
	free_fragments(fr, d, PC_DROP_FRAG_TIMEOUT);
	release(fr, d);
	return true;
}

/* ---- invariants ------------------------------------------------------------------------------ */

uint32_t frags_mbufs(const struct frags *fr)
{
	return fr->mbufs;
}

uint32_t frags_held(const struct frags *fr)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < fr->nb; i++)
		n += fr->datagram[i].used ? fr->datagram[i].n : 0;
	return n;
}

static unsigned validate_datagram(const struct frags *fr, const struct datagram *d)
{
	uint32_t n = 0, bytes = 0, mbufs = 0, end = 0;
	unsigned bad = find(fr, &d->pkt, d->id) != d;

	for (const struct rte_mbuf *m = d->head; m != NULL; m = pkt_of_const(m)->next) {
		bad += off_of(m) < end ||
		       m->pkt_len != pkt_of_const(m)->rx.l3_off + pkt_of_const(m)->rx.len;
		end = payload_end(m);
		bytes += pkt_of_const(m)->rx.len;
		mbufs += m->nb_segs;
		n++;
	}
	bad += d->dead && d->head != NULL;
	bad += d->tail != NULL && payload_end(d->tail) != end;
	return bad + (n != d->n) + (bytes != d->bytes) + (mbufs != d->mbufs);
}

unsigned frags_validate(const struct frags *fr)
{
	uint32_t mbufs = 0, used = 0, listed = 0, steps = 0, shared = 0, held = 0;
	unsigned bad = 0;

	for (uint32_t i = 0; i < SHARES; i++) {
		shared += fr->share[i].datagrams;
		held += fr->share[i].mbufs;
	}
	for (uint32_t i = 0; i < fr->nb; i++) {
		if (!fr->datagram[i].used)
			continue;
		used++;
		mbufs += fr->datagram[i].mbufs;
		bad += validate_datagram(fr, &fr->datagram[i]);
	}
	for (unsigned family = 0; family < 2; family++)
		for (uint32_t i = fr->oldest[family]; i != 0 && steps <= fr->nb; steps++) {
			listed++;
			i = fr->datagram[i - 1].newer;
		}
	return bad + (mbufs != fr->mbufs) + (listed != used) + (shared != used) + (held != mbufs);
}
