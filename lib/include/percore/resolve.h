/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_RESOLVE_H
#define PERCORE_RESOLVE_H

/*
 * Asynchronous name resolution: getaddrinfo(3) with a callback.
 *
 * Queries use sockets of the stack.  /etc/hosts and /etc/resolv.conf are read once, when the
 * resolver is created; name servers and a search list that the stack has learnt (pc_stack_get_dns,
 * pc_stack_get_search) replace those of resolv.conf.  There is no cache.  These calls exist only if
 * percore was built with c-ares.
 */

#include <netdb.h>
#include <stdint.h>

#include <percore/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A resolver, used by one thread: that of its stack. */
struct pc_resolver;

/**
 * The callback: status is 0 or one of EAI_*; addrs are the n addresses of the name (1 to 32 if
 * status is 0), with the port of the query, in the order in which they should be tried (RFC 6724),
 * valid until the callback returns.
 */
typedef void pc_resolved(void *arg, int status, const struct pc_endpoint *addrs, unsigned n);

/**
 * pc_resolver_create makes a resolver on a stack; it takes memory from the system, and more for
 * each query. Returns NULL with errno ENOMEM or EIO (c-ares cannot be initialised).
 */
struct pc_resolver *pc_resolver_create(struct pc_stack *st);

/**
 * pc_getaddrinfo looks up the addresses of node, a name or a numeric address; the strings are
 * copied. service is a decimal port number, or NULL for 0. Of hints (may be NULL), ai_family
 * (AF_UNSPEC, AF_INET, AF_INET6) and AI_NUMERICHOST in ai_flags are used.
 *
 * Returns 0, and done is called once: within this call if no query is needed, otherwise from
 * pc_resolver_turn, or from pc_resolver_destroy with EAI_AGAIN. Or returns EAI_NONAME (no name, or
 * a numeric address of another family), EAI_SERVICE, EAI_FAMILY or EAI_MEMORY, and done is not
 * called.
 */
int pc_getaddrinfo(struct pc_resolver *r, const char *node, const char *service,
                   const struct addrinfo *hints, pc_resolved *done, void *arg);

/**
 * pc_resolver_turn processes answers and time-outs; call it once per turn, with the turn's time.
 */
void pc_resolver_turn(struct pc_resolver *r, uint64_t now_ns);

/** pc_resolver_destroy ends a resolver; pending queries fail with EAI_AGAIN. NULL is allowed. */
void pc_resolver_destroy(struct pc_resolver *r);

#ifdef __cplusplus
}
#endif
#endif
