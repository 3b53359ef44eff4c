/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: query_read checks the message; find_all walks the zones as RFC 1034 section 4.3.2 says,
 * along CNAMEs and DNAMEs, and writes what it finds; finish writes the header, whose counts are
 * known by then, and OPT.
 *
 * If something that must be in the response does not fit (an answer, or a referral with the glue
 * that it needs), the response has only the question and TC: the client retries over TCP, and must
 * not use what is truncated (RFC 2181 section 9).
 */
#include "answer.h"

#include <string.h>

#include "out.h"
#include "query.h"
#include "task.h"

#define OPT_LEN    11 /* without options */
#define OPTION_HDR 4u

/* ---- the answer as a whole ------------------------------------------------------------------- */

static unsigned options_len(const struct task *t)
{
	return (t->nsid_len > 0 ? OPTION_HDR + t->nsid_len : 0u) +
	       (t->cookie != COOKIE_NONE ? OPTION_HDR + COOKIE_CLIENT + COOKIE_SERVER : 0u);
}

static unsigned opt_len(const struct task *t)
{
	return t->q.edns ? OPT_LEN + options_len(t) : 0;
}

static uint8_t *put_option(uint8_t *p, unsigned code, const void *bytes, size_t n)
{
	p = dns_put16(p, code);
	p = dns_put16(p, (unsigned)n);
	memcpy(p, bytes, n);
	return p + n;
}

/* RFC 6891 section 6.1: the class is the size that we accept; the TTL holds the upper bits of the
 * code, the version, and DO. */
static void put_opt(struct task *t)
{
	uint8_t *p = t->o.p + t->o.len;

	*p++ = 0;
	p = dns_put16(p, DNS_OPT);
	p = dns_put16(p, t->config->udp_max);
	*p++ = (uint8_t)(t->rcode >> 4);
	*p++ = 0;
	p = dns_put16(p, t->q.dnssec_ok ? 0x8000 : 0);
	p = dns_put16(p, options_len(t));
	if (t->nsid_len > 0)
		p = put_option(p, DNS_OPT_NSID, t->config->identity, t->nsid_len);
	if (t->cookie != COOKIE_NONE) {
		uint8_t both[COOKIE_CLIENT + COOKIE_SERVER];

		memcpy(both, t->q.cookie, COOKIE_CLIENT);
		memcpy(both + COOKIE_CLIENT, t->server_cookie, COOKIE_SERVER);
		p = put_option(p, DNS_OPT_COOKIE, both, sizeof(both));
	}
	t->o.len = (uint32_t)(p - t->o.p);
	t->additional++;
}

/* Begins the response with header and question. */
static void begin(struct task *t, uint8_t *out, const struct answer_from *from)
{
	uint32_t limit = from->tcp ? DNS_MESSAGE_MAX : DNS_UDP_MIN;

	if (!from->tcp && t->q.edns && t->q.udp_size > limit)
		limit = t->q.udp_size < t->config->udp_max ? t->q.udp_size : t->config->udp_max;
	if (t->q.nsid && t->q.edns && t->config->identity != NULL)
		t->nsid_len = (uint16_t)strlen(t->config->identity);
	if (t->q.edns && t->q.cookie_len > 0)
		t->cookie = cookie_judge(&t->zones->cookies, &from->client, t->q.cookie,
		                         t->q.cookie_len, t->server_cookie);
	out_begin(&t->o, out, limit - (uint32_t)opt_len(t));
	t->o.len = DNS_HDR_LEN + t->q.question_len;
	memcpy(out, t->q.wire, t->o.len);
}

static size_t finish_answer(struct task *t)
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
	n->dns_cookies += t->cookie != COOKIE_NONE;
	n->dns_cookies_good += t->cookie == COOKIE_GOOD;
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
	case DNS_BADCOOKIE:
		n->dns_badcookie++;
		break;
	default:
		n->dns_refused++;
	}
}

/* ---- what is asked --------------------------------------------------------------------------- */

/* Class CHAOS: our identity or version, if configured. */
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

/* RFC 7873 sections 5.2.2 and 5.4: a malformed cookie, and a message without a question that only
 * asks for a cookie. */
static enum query_verdict judge_cookie(const struct task *t, enum query_verdict v)
{
	const bool served = t->zones->cookies.n > 0;

	if (v == QUERY_OK && t->q.cookie_wrong && served)
		return QUERY_FORMERR;
	return v == QUERY_COOKIE && t->cookie == COOKIE_NONE ? QUERY_FORMERR : v;
}

static void answer_by(struct task *t, enum query_verdict v)
{
	switch (judge_cookie(t, v)) {
	case QUERY_OK:
		answer_query(t);
		break;
	case QUERY_COOKIE:
		t->rcode = t->cookie == COOKIE_BAD ? DNS_BADCOOKIE : DNS_NOERROR;
		break;
	case QUERY_NOTIMP:
		t->rcode = DNS_NOTIMP;
		break;
	case QUERY_BADVERS:
		t->rcode = DNS_BADVERS;
		break;
	default:
		t->rcode = DNS_FORMERR;
	}
}

static enum answer_kind kind_of(const struct task *t)
{
	if (t->rcode == DNS_NXDOMAIN)
		return ANSWER_NXDOMAIN;
	if (t->rcode != DNS_NOERROR)
		return ANSWER_ERROR;
	return t->referral ? ANSWER_REFERRAL : t->nodata ? ANSWER_NODATA : ANSWER_DATA;
}

size_t answer_make(const struct answer_config *config, const struct zones *zones,
                   const struct answer_from *from, const uint8_t *query, size_t len,
                   struct answer *a, struct counts *counts)
{
	struct task t;
	enum query_verdict v = query_read(&t.q, query, len);

	a->len = 0;
	if (v == QUERY_DROP) {
		counts->dns_dropped++;
		return 0;
	}
	task_init(&t, config, zones);
	begin(&t, a->out, from);
	answer_by(&t, v);
	count(&t, counts);
	a->kind = kind_of(&t);
	a->cookie = t.cookie;
	a->subject = t.subject;
	a->question_len = t.q.question_len;
	a->opt_len = (uint16_t)opt_len(&t);
	a->len = finish_answer(&t);
	return a->len;
}

void answer_cut(struct answer *a)
{
	const size_t head = DNS_HDR_LEN + (size_t)a->question_len;
	const bool knows = a->cookie != COOKIE_NONE;
	uint8_t *p = a->out, *opt = p + head;
	const unsigned flags = dns_get16(p + 2) & (DNS_QR | DNS_OPCODE | DNS_RD);

	memmove(opt, p + a->len - a->opt_len, a->opt_len);
	a->len = head + a->opt_len;
	dns_put16(p + 2, flags | (knows ? DNS_BADCOOKIE & 15u : (unsigned)DNS_TC));
	dns_put16(p + 6, 0);
	dns_put16(p + 8, 0);
	dns_put16(p + 10, a->opt_len > 0);
	if (a->opt_len > 0)
		opt[5] = knows ? DNS_BADCOOKIE >> 4 : 0; /* the upper bits of the code */
}
