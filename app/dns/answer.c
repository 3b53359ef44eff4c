/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: query_read judges the message; find_all walks the zones as RFC 1034 section 4.3.2 says, along CNAMEs and
 * DNAMEs, and writes what it finds; finish writes the header, whose counts are known by then, and OPT.
 *
 * What must be there and does not fit (an answer, a referral with the glue that it needs) makes the answer one of a
 * question and TC: who asks comes again over TCP, and must not use what is truncated (RFC 2181 section 9).
 */
#include "answer.h"

#include <string.h>

#include "out.h"
#include "query.h"
#include "task.h"

#define OPT_LEN 11 /* without options */

/* ---- the answer as a whole ---------------------------------------------------------------------- */

static size_t opt_len(const struct task *t)
{
	if (!t->q.edns)
		return 0;
	return OPT_LEN + (t->nsid_len > 0 ? 4u + t->nsid_len : 0);
}

/* RFC 6891 section 6.1: its class is what we take, its TTL the upper bits of the code, the version, and DO. */
static void put_opt(struct task *t)
{
	uint8_t *p = t->o.p + t->o.len;

	*p++ = 0;
	p = dns_put16(p, DNS_OPT);
	p = dns_put16(p, t->config->udp_max);
	*p++ = (uint8_t)(t->rcode >> 4);
	*p++ = 0;
	p = dns_put16(p, t->q.dnssec_ok ? 0x8000 : 0);
	p = dns_put16(p, t->nsid_len > 0 ? 4u + t->nsid_len : 0);
	if (t->nsid_len > 0) {
		p = dns_put16(p, DNS_OPT_NSID);
		p = dns_put16(p, t->nsid_len);
		memcpy(p, t->config->identity, t->nsid_len);
		p += t->nsid_len;
	}
	t->o.len = (uint32_t)(p - t->o.p);
	t->additional++;
}

/* Header and question; the rest goes behind them. */
static void begin(struct task *t, uint8_t *out, bool tcp)
{
	uint32_t limit = tcp ? DNS_MESSAGE_MAX : DNS_UDP_MIN;

	if (!tcp && t->q.edns && t->q.udp_size > limit)
		limit = t->q.udp_size < t->config->udp_max ? t->q.udp_size : t->config->udp_max;
	if (t->q.nsid && t->q.edns && t->config->identity != NULL)
		t->nsid_len = (uint16_t)strlen(t->config->identity);
	out_begin(&t->o, out, limit - (uint32_t)opt_len(t));
	t->o.len = DNS_HDR_LEN + t->q.question_len;
	memcpy(out, t->q.wire, t->o.len);
}

static size_t finish(struct task *t)
{
	uint8_t *p = t->o.p;

	if (t->truncated) {
		t->o.len = DNS_HDR_LEN + t->q.question_len;
		t->answers = t->authority = t->additional = 0;
	}
	if (t->q.edns)
		put_opt(t);
	dns_put16(p + 2, DNS_QR | (t->q.flags & (DNS_OPCODE | DNS_RD)) | (t->aa ? DNS_AA : 0) |
	                     (t->truncated ? DNS_TC : 0) | (t->rcode & 15u));
	dns_put16(p + 4, t->q.question_len > 0);
	dns_put16(p + 6, t->answers);
	dns_put16(p + 8, t->authority);
	dns_put16(p + 10, t->additional);
	return t->o.len;
}

static void count(const struct task *t, struct counts *n)
{
	n->dns_edns += t->q.edns;
	n->dns_truncated += t->truncated;
	switch (t->rcode) {
	case DNS_NOERROR:
		n->dns_noerror++;
		n->dns_referrals += t->referral;
		n->dns_nodata += t->nodata;
		break;
	case DNS_FORMERR:
		n->dns_formerr++;
		break;
	case DNS_NXDOMAIN:
		n->dns_nxdomain++;
		break;
	case DNS_NOTIMP:
		n->dns_notimp++;
		break;
	case DNS_YXDOMAIN:
		n->dns_yxdomain++;
		break;
	case DNS_BADVERS:
		n->dns_badvers++;
		break;
	default:
		n->dns_refused++;
	}
}

/* ---- what is asked ------------------------------------------------------------------------------ */

/* Class CHAOS: who we are, if we are to tell. */
static void answer_chaos(struct task *t)
{
	static const struct {
		uint8_t name[20];
		bool version;
	} names[] = {
	    {"\7version\4bind", true},
	    {"\7version\6server", true},
	    {"\2id\6server", false},
	    {"\10hostname\4bind", false},
	};
	const char *text = NULL;
	size_t len;
	uint8_t *p;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp((const char *)names[i].name, (const char *)t->q.name.lower) == 0)
			text = names[i].version ? t->config->version : t->config->identity;
	if (text == NULL || (t->q.type != DNS_TXT && t->q.type != DNS_ANY)) {
		t->rcode = DNS_REFUSED;
		return;
	}
	len = strlen(text);
	p = out_header(&t->o, DNS_TXT, 0, (struct out_owner){NULL, DNS_HDR_LEN});
	dns_put16(p - 6, DNS_CH);
	p = dns_put16(p, (unsigned)len + 1);
	*p++ = (uint8_t)len;
	memcpy(p, text, len);
	t->o.len += (uint32_t)len + 1;
	t->answers = 1;
	t->aa = true;
}

static void answer_query(struct task *t)
{
	if (t->q.type == DNS_MAILA || t->q.type == DNS_MAILB)
		t->rcode = DNS_NOTIMP;
	else if (t->q.type >= DNS_TKEY && t->q.type <= DNS_AXFR)
		t->rcode = DNS_REFUSED;
	else if (t->q.class == DNS_CH)
		answer_chaos(t);
	else if (t->q.class != DNS_IN)
		t->rcode = DNS_REFUSED;
	else
		find_all(t);
}

size_t answer_make(const struct answer_config *config, const struct zones *zones,
                   const uint8_t *query, size_t len, bool tcp, uint8_t *out, struct counts *counts)
{
	struct task t;
	enum query_verdict v = query_read(&t.q, query, len);

	if (v == QUERY_DROP) {
		counts->dns_dropped++;
		return 0;
	}
	task_init(&t, config, zones);
	begin(&t, out, tcp);
	switch (v) {
	case QUERY_OK:
		answer_query(&t);
		break;
	case QUERY_NOTIMP:
		t.rcode = DNS_NOTIMP;
		break;
	case QUERY_BADVERS:
		t.rcode = DNS_BADVERS;
		break;
	default:
		t.rcode = DNS_FORMERR;
	}
	count(&t, counts);
	return finish(&t);
}
