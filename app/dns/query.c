/* SPDX-License-Identifier: BSD-2-Clause */
#include "query.h"

#include <string.h>

#include "cookie.h"

#define OPT_DO 0x8000 /* in the second half of the TTL */

/* The rest of a message. */
struct rest {
	const uint8_t *p, *end;
};

static size_t left(const struct rest *r)
{
	return (size_t)(r->end - r->p);
}

/* Skips a name, which may end in a pointer; its target does not matter. Returns whether it is
 * complete. */
static bool skip_name(struct rest *r)
{
	for (size_t n = 0; left(r) > 0 && n < DNS_NAME_MAX;) {
		const uint8_t c = *r->p;

		if (c >= 0xc0) {
			if (left(r) < 2)
				return false;
			r->p += 2;
			return true;
		}
		if (c > DNS_LABEL_MAX || left(r) < 1u + c)
			return false;
		r->p += 1u + c;
		n += 1u + c;
		if (c == 0)
			return true;
	}
	return false;
}

/* RFC 7873 section 5.2: the first of several counts. */
static void take_cookie(struct query *q, const uint8_t *p, size_t len)
{
	if (q->cookie_len > 0 || q->cookie_wrong)
		return;
	q->cookie_wrong = !cookie_is_whole(len);
	if (q->cookie_wrong)
		return;
	q->cookie = p;
	q->cookie_len = (uint8_t)len;
}

/* RFC 6891 section 6.1.2: options, each with a code and a length. Returns whether they fill the
 * record. */
static bool read_options(struct query *q, struct rest r)
{
	while (left(&r) > 0) {
		if (left(&r) < 4 || left(&r) - 4 < dns_get16(r.p + 2))
			return false;
		if (dns_get16(r.p) == DNS_OPT_NSID)
			q->nsid = true;
		else if (dns_get16(r.p) == DNS_OPT_COOKIE)
			take_cookie(q, r.p + 4, dns_get16(r.p + 2));
		r.p += 4u + dns_get16(r.p + 2);
	}
	return true;
}

/* Processes one record. OPT is in the additional section, has the root as its owner, and occurs
 * once only (RFC 6891 section 6.1.1). */
static bool read_record(struct query *q, struct rest *r, bool additional, unsigned *version)
{
	const uint8_t *owner = r->p, *fixed;
	uint16_t len;

	if (!skip_name(r) || left(r) < DNS_RR_LEN)
		return false;
	fixed = r->p;
	len = dns_get16(fixed + 8);
	r->p += DNS_RR_LEN;
	if (left(r) < len)
		return false;
	r->p += len;
	if (dns_get16(fixed) != DNS_OPT)
		return true;
	if (!additional || owner[0] != 0 || q->edns)
		return false;
	q->edns = true;
	q->udp_size = dns_get16(fixed + 2);
	*version = fixed[5];
	q->dnssec_ok = (dns_get16(fixed + 6) & OPT_DO) != 0;
	return *version != 0 || read_options(q, (struct rest){fixed + DNS_RR_LEN, r->p});
}

static bool read_question(struct query *q, struct rest *r)
{
	const int n = dname_read(&q->name, r->p, left(r));

	if (n < 0 || left(r) - (size_t)n < 4)
		return false;
	q->type = dns_get16(r->p + n);
	q->class = dns_get16(r->p + n + 2);
	q->question_len = (uint16_t)(n + 4);
	r->p += n + 4;
	return true;
}

static enum query_verdict read_records(struct query *q, struct rest *r)
{
	const unsigned before = (unsigned)dns_get16(q->wire + 6) + dns_get16(q->wire + 8);
	const unsigned n = before + dns_get16(q->wire + 10);
	unsigned version = 0;

	for (unsigned i = 0; i < n; i++)
		if (!read_record(q, r, i >= before, &version)) {
			q->edns = false;
			return QUERY_FORMERR;
		}
	if (left(r) > 0) {
		q->edns = false;
		return QUERY_FORMERR;
	}
	return version == 0 ? QUERY_OK : QUERY_BADVERS;
}

static enum query_verdict judge_question(const struct query *q, unsigned questions)
{
	if (questions == 0)
		return q->cookie_len > 0 ? QUERY_COOKIE : QUERY_FORMERR;
	return q->type == 0 || q->type == DNS_OPT ? QUERY_FORMERR : QUERY_OK;
}

enum query_verdict query_read(struct query *q, const uint8_t *wire, size_t len)
{
	struct rest r = {wire + DNS_HDR_LEN, wire + len};
	enum query_verdict v;
	unsigned questions;

	if (len < DNS_HDR_LEN || len > DNS_MESSAGE_MAX || (dns_get16(wire + 2) & DNS_QR) != 0)
		return QUERY_DROP;
	q->wire = wire;
	q->flags = dns_get16(wire + 2);
	q->question_len = 0;
	q->udp_size = 0;
	q->edns = q->dnssec_ok = q->nsid = q->cookie_wrong = false;
	q->cookie_len = 0;
	questions = dns_get16(wire + 4);
	v = questions == 0 || (questions == 1 && read_question(q, &r)) ? QUERY_OK : QUERY_FORMERR;
	if (v == QUERY_OK)
		v = read_records(q, &r);
	/* RFC 6891 section 6.1.1: this answer has OPT, too, if the message has */
	if ((q->flags & DNS_OPCODE) != 0)
		return QUERY_NOTIMP;
	return v == QUERY_OK ? judge_question(q, questions) : v;
}
