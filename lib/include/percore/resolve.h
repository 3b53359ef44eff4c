/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_RESOLVE_H
#define PERCORE_RESOLVE_H

/*
 * Names to addresses, without waiting: getaddrinfo(3) with a callback.
 *
 * Questions go out by sockets of the stack. /etc/hosts and /etc/resolv.conf are read when the resolver is
 * made and not again; name servers and a search list that the stack has learnt (pc_stack_get_dns,
 * pc_stack_get_search) take the place of those of resolv.conf. There is no cache. It is there where percore was built with c-ares.
 */

#include <netdb.h>
#include <stdint.h>

#include <percore/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pc_resolver;

/**
 * An answer: status is 0 or one of EAI_*, addrs the n addresses that the name has (n at least 1 if status is
 * 0), in the order in which they should be tried; they live until the function returns.
 */
typedef void pc_resolved(void *arg, int status, const struct pc_endpoint *addrs, unsigned n);

/** pc_resolver_create makes a resolver on a stack; it takes memory from the system, and more for each
 * question. Returns NULL with errno ENOMEM or EIO (a file cannot be understood). */
struct pc_resolver *pc_resolver_create(struct pc_stack *st);

/**
 * pc_getaddrinfo asks for the addresses of node, a name or the text of an address. service is a port as a
 * number, or NULL. Of hints (may be NULL) ai_family counts (AF_UNSPEC, AF_INET, AF_INET6) and of ai_flags
 * AI_NUMERICHOST. done is called once: from within this call if nobody needs to be asked, else from
 * pc_resolver_turn or pc_resolver_destroy (EAI_AGAIN). Returns 0, or EAI_NONAME, EAI_SERVICE, EAI_FAMILY
 * for what cannot be asked, and done is not called then.
 */
int pc_getaddrinfo(struct pc_resolver *r, const char *node, const char *service,
                   const struct addrinfo *hints, pc_resolved *done, void *arg);

/** pc_resolver_turn takes in answers and gives up what nobody has answered; call it once per turn. */
void pc_resolver_turn(struct pc_resolver *r, uint64_t now_ns);

/** pc_resolver_destroy ends a resolver; what is not answered fails. NULL is allowed. */
void pc_resolver_destroy(struct pc_resolver *r);

#ifdef __cplusplus
}
#endif
#endif
