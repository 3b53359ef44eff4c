/* SPDX-License-Identifier: BSD-2-Clause */

/* Input of signed segments: which key each must be signed with, and the verdict (RFC 5925 section
 * 7.5). */

#include "base/seq.h"
#include "tcp/auth_key.h"
#include "tcp/tcp_conn.h"

/* ---- whose keys ------------------------------------------------------------------------------- */

static flow_ref listener_on(const struct tcp *tcp, const struct tcp_rx *rx, uint16_t port)
{
	const uint32_t binding = tcp_listener_for(tcp, rx, port);

	return binding != 0 ? flow_ref_make(FLOW_TCB, tcp->bind.binding[binding].tcb) : 0;
}

/* A segment that belongs to no connection is checked with the keys of a listener on its port. A
 * peer may also still have a connection that we opened to one of its ports; then a listener on that
 * same port number here has the key, as routers connect and listen on one port (as Linux). */
static flow_ref owner_for_none(const struct tcp *tcp, const struct tcp_rx *rx)
{
	flow_ref listener = listener_on(tcp, rx, rx->flow.lport);

	if (listener == 0 && (rx->seg.has & TCP_HAS_AUTH))
		listener = listener_on(tcp, rx, rx->seg.sport);
	return listener;
}

static bool is_syn(const struct tcp_rx *rx)
{
	return (rx->seg.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

/* A SYN may reopen a connection in TIME-WAIT, with the listener's current key. */
static flow_ref owner_for_waiting(const struct tcp *tcp, const struct tcp_rx *rx, flow_ref tw)
{
	const flow_ref listener = is_syn(rx) ? listener_on(tcp, rx, rx->flow.lport) : 0;

	return listener != 0 ? listener : tw;
}

/* The owner of the keys for a segment to what ref refers to; 0: none. */
static flow_ref owner_for(const struct tcp *tcp, flow_ref ref, const struct tcp_rx *rx)
{
	flow_ref owner = ref;

	if (flow_ref_kind(ref) == FLOW_SYN)
		owner = flow_ref_make(
		    FLOW_TCB, tcp->bind.binding[tcp->syn.entry[flow_ref_index(ref)].binding].tcb);
	else if (flow_ref_kind(ref) == FLOW_TW)
		owner = owner_for_waiting(tcp, rx, ref);
	else if (flow_ref_kind(ref) == FLOW_NONE)
		owner = owner_for_none(tcp, rx);
	if (flow_ref_kind(owner) == FLOW_TCB && !tcp_tcb(tcp, flow_ref_index(owner))->auth)
		return 0;
	return auth_first(&tcp->auth, owner) != NULL ? owner : 0;
}

/* ---- without a signature, and TCP-MD5 --------------------------------------------------------- */

/* Must all segments of a peer be signed with TCP-AO? */
static bool needs_ao(const struct auth *a, flow_ref owner, const struct pc_addr *peer)
{
	const struct auth_socket *s = auth_socket_of(a, owner);

	return s != NULL &&
	       (s->required || auth_find_ao(a, owner, peer, AUTH_ANY_ID, AUTH_ANY_ID) != NULL);
}

static int check_unsigned(struct tcp *tcp, flow_ref owner, const struct pc_addr *peer)
{
	if (needs_ao(&tcp->auth, owner, peer)) {
		auth_socket_of(&tcp->auth, owner)->not_signed++;
		return PC_DROP_TCP_AO_REQUIRED;
	}
	return auth_find_md5(&tcp->auth, owner, peer) == NULL ? VERDICT_DONE
	                                                      : PC_DROP_TCP_MD5_NOT_FOUND;
}

static int check_md5(struct tcp *tcp, flow_ref owner, const struct rte_mbuf *m,
                     const struct ip_pkt *p, const uint8_t *told)
{
	const struct auth_by by = {.key = owner != 0 ? auth_find_md5(&tcp->auth, owner, &p->src)
	                                             : NULL};

	/* a TCP-MD5 key for a whole network does not apply to a peer with TCP-AO */
	if (by.key == NULL || needs_ao(&tcp->auth, owner, &p->src))
		return PC_DROP_TCP_MD5_UNEXPECTED;
	if (told == NULL || !auth_verify(&by, &p->src, &p->dst, m, p->l4_off, p->l4_len, told))
		return PC_DROP_TCP_MD5_FAILURE;
	tcp->auth.by = by;
	return VERDICT_DONE;
}

/* ---- TCP-AO ----------------------------------------------------------------------------------- */

/* What the traffic keys for a segment and its answer are derived from. */
struct numbers {
	uint32_t iss, irs; /* ours and the peer's */
	uint64_t snd, rcv; /* auth_socket's */
	bool derived;      /* the keys already have their traffic keys */
};

/* For a segment of which we have no state: as for the ACK of a handshake with a SYN cookie, or as
 * for a SYN. */
static struct numbers numbers_of_none(const struct tcp_rx *rx)
{
	const struct tcp_seg *seg = &rx->seg;
	struct numbers n = {.irs = is_syn(rx) ? seg->seq : seg->seq - 1,
	                    .iss = seg->flags & TCP_ACK ? seg->ack - 1 : 0};

	n.snd = n.iss;
	n.rcv = n.irs;
	return n;
}

static struct numbers numbers_of_tcb(struct tcp *tcp, const struct tcb *t, const struct tcp_rx *rx)
{
	struct auth_socket *s = auth_socket_of(&tcp->auth, auth_owner(tcp, t));

	if (t->state == TCP_S_SYN_SENT)
		return (struct numbers){.iss = t->snd_una,
		                        .irs = rx->seg.seq, /* a SYN's, or a reset's as well */
		                        .snd = t->snd_una,
		                        .rcv = rx->seg.seq};
	s->snd = auth_extend(s->snd, t->snd_una);
	s->rcv = auth_extend(s->rcv, t->rcv_nxt);
	return (struct numbers){s->iss, s->irs, s->snd, s->rcv, true};
}

static struct numbers numbers_for(struct tcp *tcp, flow_ref ref, flow_ref owner,
                                  const struct tcp_rx *rx)
{
	const uint32_t index = flow_ref_index(ref);
	const struct auth_socket *s;
	const struct syn_entry *e;

	if (ref == owner && flow_ref_kind(ref) == FLOW_TCB)
		return numbers_of_tcb(tcp, tcp_tcb(tcp, index), rx);
	if (ref == owner && (s = auth_socket_of(&tcp->auth, owner)) != NULL)
		return (struct numbers){s->iss, s->irs, s->snd, s->rcv, true};
	if (flow_ref_kind(ref) != FLOW_SYN)
		return numbers_of_none(rx);
	e = &tcp->syn.entry[index];
	return (struct numbers){.iss = e->iss, .irs = e->irs, .snd = e->iss, .rcv = e->irs};
}

/* a listener does not ask for a key */
static bool is_listener(const struct tcp *tcp, flow_ref owner)
{
	return flow_ref_kind(owner) == FLOW_TCB &&
	       tcp_tcb(tcp, flow_ref_index(owner))->state == TCP_S_LISTEN;
}

/* How an answer is signed: with the key that the peer asks for, or else the one that it used. */
static void note_answer(struct tcp *tcp, flow_ref owner, const struct pc_addr *peer,
                        const struct auth_key *used, uint8_t rnext, const struct numbers *n)
{
	const struct auth_socket *s = auth_socket_of(&tcp->auth, owner);
	const struct auth_key *k = auth_find_ao(&tcp->auth, owner, peer, rnext, AUTH_ANY_ID);

	if (k == NULL)
		k = used;
	tcp->auth.by = (struct auth_by){.key = k,
	                                .traffic = n->derived ? k->traffic[AUTH_OUT] : NULL,
	                                .isn = n->iss,
	                                .peer_isn = n->irs,
	                                .seq = n->snd,
	                                .rnext = s->rnext != 0 && !is_listener(tcp, owner)
	                                             ? tcp->auth.key[s->rnext].rcv_id
	                                             : used->rcv_id};
}

static int check_ao(struct tcp *tcp, flow_ref ref, flow_ref owner, const struct rte_mbuf *m,
                    const struct ip_pkt *p, const struct tcp_rx *rx, const struct tcp_auth *opt,
                    const uint8_t *told)
{
	struct auth_socket *s = owner != 0 ? auth_socket_of(&tcp->auth, owner) : NULL;
	struct auth_key *k;
	struct numbers n;
	struct auth_by by;

	if (s == NULL)
		return PC_DROP_TCP_AO_KEY_NOT_FOUND;
	if (told == NULL) {
		s->bad++;
		return PC_DROP_TCP_AO_BAD;
	}
	k = auth_find_ao(&tcp->auth, owner, &p->src, AUTH_ANY_ID, opt->keyid);
	if (k == NULL) {
		s->not_found++;
		return PC_DROP_TCP_AO_KEY_NOT_FOUND;
	}
	n = numbers_for(tcp, ref, owner, rx);
	by = (struct auth_by){.key = k,
	                      .traffic = n.derived ? k->traffic[AUTH_IN] : NULL,
	                      .isn = n.irs,
	                      .peer_isn = n.iss,
	                      .seq = n.rcv};
	if (opt->len != k->mac_len ||
	    !auth_verify(&by, &p->src, &p->dst, m, p->l4_off, p->l4_len, told)) {
		s->bad++;
		k->bad++;
		return PC_DROP_TCP_AO_BAD;
	}
	s->good++;
	k->good++;
	if (n.derived)
		auth_ao_rotate(tcp, owner,
		               flow_ref_kind(ref) == FLOW_TCB ? tcp_tcb(tcp, flow_ref_index(ref))
		                                              : NULL,
		               opt->rnext);
	note_answer(tcp, owner, &p->src, k, opt->rnext, &n);
	return VERDICT_DONE;
}

/* ---- both ------------------------------------------------------------------------------------- */

/* RFC 5925 section 7.3: there is no key for this peer, so a signature cannot be verified. It may be
 * accepted as if it were not there, as by hosts that do not know the option. */
static bool may_be_ignored(const struct tcp *tcp, flow_ref owner, const struct pc_addr *peer)
{
	if (!tcp->ctx->cfg.tcp_ao_unmatched)
		return false;
	return owner == 0 || (!needs_ao(&tcp->auth, owner, peer) &&
	                      auth_find_md5(&tcp->auth, owner, peer) == NULL);
}

int auth_check(struct tcp *tcp, flow_ref ref, const struct rte_mbuf *m, const struct ip_pkt *p,
               struct tcp_rx *rx)
{
	const flow_ref owner = owner_for(tcp, ref, rx);
	struct tcp_auth opt = {0};
	const uint8_t *told;

	if (!(rx->seg.has & TCP_HAS_AUTH))
		return owner == 0 ? VERDICT_DONE : check_unsigned(tcp, owner, &p->src);
	told = tcp_find_auth(rte_pktmbuf_mtod_offset(m, const uint8_t *, p->l4_off),
	                     rx->seg.hdr_len, &opt);
	if (opt.kind == TCP_AUTH_MD5)
		return check_md5(tcp, owner, m, p, told);
	if (told != NULL && may_be_ignored(tcp, owner, &p->src)) {
		rx->seg.has &= (uint8_t)~TCP_HAS_AUTH;
		return VERDICT_DONE;
	}
	return check_ao(tcp, ref, owner, m, p, rx, &opt, told);
}

void auth_note_ids(const struct tcp *tcp, const struct tcp_rx *rx, struct syn_entry *e)
{
	const struct auth_by *by = auth_by_input(tcp, rx);

	if (likely(by == NULL) || by->key->kind != AUTH_AO)
		return;
	e->keyid = by->key->snd_id;
	e->rnext = by->rnext;
}
