/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_RESOLVE_H
#define PERCORE_RESOLVE_H

/*
 * Asynchronous name resolution: getaddrinfo(3) with a callback.
 *
 * Queries use sockets of the stack. /etc/hosts and /etc/resolv.conf are read once, when the resolver is
 * made; name servers and a search list that the stack has learnt (pc_stack_get_dns, pc_stack_get_search) replace
 * those of resolv.conf. There is no cache. It exists only if percore was built with c-ares.
 */

#include <netdb.h>
#include <stdint.h>

#include <percore/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pc_resolver;

/**
 * The callback: status is 0 or one of EAI_*; addrs are the n addresses of the name (at least 1 if status is 0), in the
 * order in which they should be tried, valid until the callback returns.
 */
typedef void pc_resolved(void *arg, int status, const struct pc_endpoint *addrs, unsigned n);

/** pc_resolver_create makes a resolver on a stack; it takes memory from the system, and more for each
 * query. Returns NULL with errno ENOMEM or EIO (a file cannot be parsed). */
struct pc_resolver *pc_resolver_create(struct pc_stack *st);

/**
 * pc_getaddrinfo looks up the addresses of node, a name or a numeric address. service is a port as a
 * number, or NULL. hints (may be NULL) may have ai_family (AF_UNSPEC, AF_INET, AF_INET6) and in ai_flags
 * AI_NUMERICHOST. done is called once: within this call if no query is needed, else from
 * pc_resolver_turn or pc_resolver_destroy (EAI_AGAIN). Returns 0; or EAI_NONAME, EAI_SERVICE or EAI_FAMILY for bad
 * arguments, and done is not called.
 */
int pc_getaddrinfo(struct pc_resolver *r, const char *node, const char *service,
                   const struct addrinfo *hints, pc_resolved *done, void *arg);

/** pc_resolver_turn processes answers and time-outs; call it once per turn. */
void pc_resolver_turn(struct pc_resolver *r, uint64_t now_ns);

/** pc_resolver_destroy ends a resolver; pending queries fail. NULL is allowed. */
void pc_resolver_destroy(struct pc_resolver *r);

#ifdef __cplusplus
}
#endif
#endif
