/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_ND_H
#define WIRE_ND_H

/*
 * Neighbour Discovery messages (RFC 4861 section 4) with the options that a host uses, and
 * Multicast Listener Discovery messages (RFC 3810, RFC 2710). All of them are ICMPv6 messages.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/addr.h>

#include "wire/eth.h"
#include "wire/wire.h"

#define ND_RS       133
#define ND_RA       134
#define ND_NS       135
#define ND_NA       136
#define ND_REDIRECT 137

#define ND_HOPS         255 /* section 7.1: so the sender is on the link */
#define ND_PREFIXES_MAX 8   /* in one router advertisement; further ones are ignored */
#define ND_DNS_MAX      4   /* name servers in one router advertisement; further ones are ignored */
#define ND_SEARCHES_MAX 2   /* search lists, likewise */
#define ND_NONCE_LEN    6   /* RFC 3971 section 5.3.2: the minimum, which we send */
#define ND_MSG_MAX      48  /* maximum length of a message from nd_write */

/* flags of a neighbour advertisement */
#define ND_NA_ROUTER    0x80
#define ND_NA_SOLICITED 0x40
#define ND_NA_OVERRIDE  0x20

/* flags of a router advertisement */
#define ND_RA_MANAGED 0x80
#define ND_RA_OTHER   0x40

/* options that were present */
#define ND_HAS_SLLA  0x01 /* source link-layer address */
#define ND_HAS_TLLA  0x02 /* target link-layer address */
#define ND_HAS_MTU   0x04
#define ND_HAS_NONCE 0x08

/** The prefix information option (section 4.6.2). Lifetimes are in seconds; UINT32_MAX:
 * infinite. */
struct nd_prefix {
	struct pc_prefix prefix;
	bool on_link, autonomous;
	uint32_t valid_s, preferred_s;
};

/** A search list (RFC 8106 section 5.2), as encoded in the message (name.h), and its lifetime. */
struct nd_search {
	const uint8_t *names;
	uint32_t len; /* including the zeros that pad the option */
	uint32_t lifetime_s;
};

/** A message of any of the five types, in host byte order; fields that the type does not have are
 * 0. */
struct nd_msg {
	uint8_t type, code;
	uint8_t flags; /* NA: ND_NA_* */
	uint8_t has;   /* ND_HAS_* */
	uint8_t slla[ETH_ADDR_LEN], tlla[ETH_ADDR_LEN];
	uint8_t nonce[ND_NONCE_LEN];
	struct pc_addr target; /* NS, NA, redirect */
	struct pc_addr dest;   /* redirect: the destination */
	/* router advertisement */
	uint8_t hops;        /* 0: not given */
	uint8_t ra_flags;    /* ND_RA_* */
	int8_t preference;   /* -1, 0 or 1 (RFC 4191 section 2.2) */
	uint16_t lifetime_s; /* as a default router; 0: it is not one */
	uint32_t reachable_ms, retrans_ms;
	uint32_t mtu;
	uint8_t nb_prefixes;
	struct nd_prefix prefix[ND_PREFIXES_MAX];
	uint8_t nb_dns;             /* RFC 8106 section 5.1 */
	uint32_t dns_s[ND_DNS_MAX]; /* lifetimes; UINT32_MAX: infinite */
	struct pc_addr dns[ND_DNS_MAX];
	uint8_t nb_searches;
	struct nd_search search[ND_SEARCHES_MAX];
};

/**
 * nd_parse reads a message of len contiguous bytes, including its ICMPv6 header. Returns its
 * length; WIRE_SHORT; or WIRE_FORM for another type, an option whose length is 0 or beyond the
 * message (section 4.6), or a link-layer address that is not Ethernet's. The caller validates hop
 * limit, code, checksum and addresses.
 */
int nd_parse(const uint8_t *p, uint32_t len, struct nd_msg *m);

/**
 * nd_write writes a neighbour solicitation, neighbour advertisement or router solicitation, as m
 * says, with checksum 0. Returns its length, at most ND_MSG_MAX.
 */
uint16_t nd_write(uint8_t *p, const struct nd_msg *m);

/* ---- multicast listeners --------------------------------------------------------------------- */

#define MLD_QUERY     130
#define MLD_REPORT_V1 131
#define MLD_DONE_V1   132
#define MLD_REPORT    143

/* kinds of records (RFC 3810 section 5.2.12); a host that listens to all sources needs these */
#define MLD_IS_EXCLUDE 2 /* is a member, in response to a query */
#define MLD_TO_INCLUDE 3 /* has left */
#define MLD_TO_EXCLUDE 4 /* has joined */

#define MLD_V1_LEN     24
#define MLD_RECORD_LEN 20

/** A query in host byte order. */
struct mld_query {
	struct pc_addr group; /* unspecified: a general query */
	bool v1;              /* of version 1 (RFC 3810 section 8.1) */
	uint32_t delay_ms;    /* the maximum response delay */
};

/** mld_parse_query reads a query of len contiguous bytes. Returns its length or WIRE_SHORT. */
int mld_parse_query(const uint8_t *p, uint32_t len, struct mld_query *q);

/** mld_write_report writes a report with one record. Returns its length. */
uint16_t mld_write_report(uint8_t *p, uint8_t kind, const struct pc_addr *group);

/** mld_write_v1 writes a report or a done message of version 1. Returns its length. */
uint16_t mld_write_v1(uint8_t *p, uint8_t type, const struct pc_addr *group);

#endif
