/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_COUNTS_H
#define DNS_COUNTS_H

/* What percore-dns counts on each lcore: X(name, sentence). */

#include <stdint.h>

/* clang-format off */
#define DNS_COUNTS(X) \
X(dns_udp, "messages over UDP") \
X(dns_tcp, "messages over TCP") \
X(dns_dropped, "messages without an answer: shorter than a header, responses, or from a port that no client uses") \
X(dns_noerror, "answers NOERROR") \
X(dns_nodata, "answers NOERROR without data: the name has no record of that type") \
X(dns_referrals, "answers NOERROR that are referrals to the servers of a delegated zone") \
X(dns_formerr, "answers FORMERR: malformed messages") \
X(dns_nxdomain, "answers NXDOMAIN: names that do not exist") \
X(dns_notimp, "answers NOTIMP: opcodes other than QUERY, and types that are not implemented") \
X(dns_refused, "answers REFUSED: zones and classes that are not served here") \
X(dns_yxdomain, "answers YXDOMAIN: names that a DNAME makes too long") \
X(dns_badvers, "answers BADVERS: versions of EDNS other than 0") \
X(dns_badcookie, "answers BADCOOKIE to messages without a question, with an invalid server cookie") \
X(dns_truncated, "answers with TC: too long for UDP, so that the client retries over TCP") \
X(dns_edns, "queries with EDNS") \
X(dns_cookies, "queries with a cookie") \
X(dns_cookies_good, "queries with a valid server cookie") \
X(dns_rrl_dropped, "UDP answers beyond dns.rrl_rate that were dropped") \
X(dns_rrl_slipped, "UDP answers beyond dns.rrl_rate that were sent with TC or BADCOOKIE, or are errors") \
X(dns_unsent, "UDP answers that could not be sent") \
X(dns_connections, "TCP connections") \
X(dns_idle, "TCP connections closed after dns.idle_ms without a query") \
X(dns_broken, "TCP connections closed for malformed input")
/* clang-format on */

struct counts {
#define DNS_COUNT_MEMBER(name, sentence) uint64_t name;
	DNS_COUNTS(DNS_COUNT_MEMBER)
#undef DNS_COUNT_MEMBER
};

#endif
