/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The resolver: c-ares on sockets of the stack.
 *
 * Overview: c-ares opens its sockets through our functions and reports which of them it watches;
 * each turn processes those that are ready. It measures its timeouts with the system's clock, so it
 * is also called from time to time when nothing has arrived.
 *
 * Ownership: a question is freed when it is answered, which c-ares promises to do exactly once for
 * each, even when its channel is destroyed.
 */
#include <percore/resolve.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ares.h>
#include <percore/socket.h>

#include "resolve/hosts.h"

#define SOCKETS_MAX 16 /* that c-ares has open at once */
#define SERVERS_MAX 8
#define DOMAINS_MAX 8
#define ADDRS_MAX   32
#define LOOK_NS     UINT64_C(50000000)

struct watched {
	int fd; /* 0: this slot is free */
	bool reads, writes;
};

struct pc_resolver {
	struct pc_stack *st;
	ares_channel channel;
	struct hosts hosts;
	unsigned asked; /* questions pending */
	uint64_t look_ns;
	struct watched watched[SOCKETS_MAX];
	struct pc_addr server[SERVERS_MAX]; /* those in use, if from the stack */
	unsigned nb_servers;
	char domain[DOMAINS_MAX][PC_DOMAIN_MAX + 1]; /* the search list in use, likewise */
	unsigned nb_domains;
};

struct question {
	struct pc_resolver *r;
	pc_resolved *done;
	void *arg;
	uint16_t port;
};

/* ---- sockets for c-ares ---------------------------------------------------------------------- */

static struct pc_stack *stack_of(void *user)
{
	return ((struct pc_resolver *)user)->st;
}

static ares_socket_t on_socket(int domain, int type, int protocol, void *user)
{
	return pc_socket(stack_of(user), domain, type, protocol);
}

static int on_close(ares_socket_t fd, void *user)
{
	return pc_close(stack_of(user), fd);
}

static int on_connect(ares_socket_t fd, const struct sockaddr *addr, ares_socklen_t len, void *user)
{
	struct sockaddr_in6 in6;
	struct pc_endpoint server;

	/* c-ares passes addresses only; a link-local one needs its interface */
	if (pc_endpoint_from_sockaddr(&server, addr, len) == 0 &&
	    pc_addr_is_link_local(&server.addr) && len <= sizeof(in6)) {
		memcpy(&in6, addr, len);
		in6.sin6_scope_id = pc_stack_dns_scope(stack_of(user), &server.addr);
		return pc_connect(stack_of(user), fd, (const struct sockaddr *)&in6, len);
	}
	return pc_connect(stack_of(user), fd, addr, len);
}

static ares_ssize_t on_recv(ares_socket_t fd, void *buf, size_t len, int flags,
                            struct sockaddr *from, ares_socklen_t *from_len, void *user)
{
	return pc_recvfrom(stack_of(user), fd, buf, len, flags, from, from_len);
}

static ares_ssize_t on_send(ares_socket_t fd, const struct iovec *iov, int n, void *user)
{
	return pc_writev(stack_of(user), fd, iov, n);
}

static const struct ares_socket_functions socket_functions = {
    .asocket = on_socket,
    .aclose = on_close,
    .aconnect = on_connect,
    .arecvfrom = on_recv,
    .asendv = on_send,
};

static void on_state(void *user, ares_socket_t fd, int reads, int writes)
{
	struct pc_resolver *r = user;
	struct watched *w = NULL;

	for (unsigned i = 0; i < SOCKETS_MAX; i++)
		if (r->watched[i].fd == fd || (w == NULL && r->watched[i].fd == 0))
			w = &r->watched[i];
	if (w != NULL)
		*w = (struct watched){
		    .fd = reads || writes ? fd : 0, .reads = reads != 0, .writes = writes != 0};
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Makes a channel with r's search list, or resolv.conf's if r has none. Returns 0 or ARES_E*. */
static int make_channel(struct pc_resolver *r, ares_channel *channel)
{
	char network_only[] = "b"; /* /etc/hosts is read here, once */
	char *domains[DOMAINS_MAX];
	struct ares_options o = {.lookups = network_only,
	                         .sock_state_cb = on_state,
	                         .sock_state_cb_data = r,
	                         .domains = domains,
	                         .ndomains = (int)r->nb_domains};
	int rc;

	for (unsigned i = 0; i < r->nb_domains; i++)
		domains[i] = r->domain[i];
	rc = ares_init_options(channel, &o,
	                       ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB |
	                           (r->nb_domains > 0 ? ARES_OPT_DOMAINS : 0));
	if (rc == ARES_SUCCESS)
		ares_set_socket_functions(*channel, &socket_functions, r);
	return rc;
}

struct pc_resolver *pc_resolver_create(struct pc_stack *st)
{
	struct pc_resolver *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	r->st = st;
	if (hosts_read(&r->hosts, "/etc/hosts") != 0 || ares_library_init(ARES_LIB_INIT_ALL) != 0) {
		hosts_free(&r->hosts);
		free(r);
		errno = ENOMEM;
		return NULL;
	}
	if (make_channel(r, &r->channel) != ARES_SUCCESS) {
		ares_library_cleanup();
		hosts_free(&r->hosts);
		free(r);
		errno = EIO;
		return NULL;
	}
	return r;
}

void pc_resolver_destroy(struct pc_resolver *r)
{
	if (r == NULL)
		return;
	ares_destroy(r->channel);
	ares_library_cleanup();
	hosts_free(&r->hosts);
	free(r);
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* A c-ares channel's search list is fixed when it is made, so a new list needs a new channel. */
static void use_domains(struct pc_resolver *r)
{
	char domain[DOMAINS_MAX][PC_DOMAIN_MAX + 1] = {0};
	unsigned n = pc_stack_get_search(r->st, domain, DOMAINS_MAX);
	ares_channel channel;

	n = n < DOMAINS_MAX ? n : DOMAINS_MAX;
	if (n == r->nb_domains && memcmp(domain, r->domain, sizeof(domain)) == 0)
		return;
	memcpy(r->domain, domain, sizeof(domain));
	r->nb_domains = n;
	if (make_channel(r, &channel) != ARES_SUCCESS) {
		r->nb_domains = DOMAINS_MAX + 1; /* retry with the next question */
		return;
	}
	ares_destroy(r->channel);
	r->channel = channel;
	r->nb_servers = 0;
}

/* Name servers learned from the network take precedence over resolv.conf. */
static void use_servers(struct pc_resolver *r)
{
	struct ares_addr_node node[SERVERS_MAX];
	struct pc_addr server[SERVERS_MAX];
	unsigned n = pc_stack_get_dns(r->st, server, SERVERS_MAX);

	n = n < SERVERS_MAX ? n : SERVERS_MAX;
	if (n == 0 || (n == r->nb_servers && memcmp(server, r->server, n * sizeof(server[0])) == 0))
		return;
	memset(node, 0, sizeof(node));
	for (unsigned i = 0; i < n; i++) {
		node[i].next = i + 1 < n ? &node[i + 1] : NULL;
		node[i].family = pc_addr_is_ip4(&server[i]) ? AF_INET : AF_INET6;
		if (node[i].family == AF_INET)
			node[i].addr.addr4.s_addr = pc_addr_get_ip4(&server[i]);
		else
			memcpy(&node[i].addr.addr6, server[i].b, sizeof(server[i].b));
	}
	if (ares_set_servers(r->channel, node) != ARES_SUCCESS)
		return; /* retry with the next question */
	memcpy(r->server, server, sizeof(server));
	r->nb_servers = n;
}

static int error_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return 0;
	case ARES_ENOTFOUND:
	case ARES_EBADNAME:
		return EAI_NONAME;
	case ARES_ENODATA:
		return EAI_NODATA;
	case ARES_ENOMEM:
		return EAI_MEMORY;
	case ARES_ESERVFAIL:
	case ARES_ETIMEOUT:
	case ARES_ECONNREFUSED:
	case ARES_ECANCELLED:
	case ARES_EDESTRUCTION:
		return EAI_AGAIN;
	default:
		return EAI_FAIL;
	}
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *result)
{
	struct question *q = arg;
	struct pc_endpoint addr[ADDRS_MAX];
	unsigned n = 0;

	(void)timeouts;
	for (const struct ares_addrinfo_node *node = result != NULL ? result->nodes : NULL;
	     node != NULL && n < ADDRS_MAX; node = node->ai_next) {
		if (pc_endpoint_from_sockaddr(&addr[n], node->ai_addr, node->ai_addrlen) != 0)
			continue;
		addr[n++].port = q->port;
	}
	if (result != NULL)
		ares_freeaddrinfo(result);
	q->r->asked--;
	if (status == ARES_SUCCESS && n == 0)
		status = ARES_ENODATA;
	pc_stack_sort(q->r->st, addr, n);
	q->done(q->arg, error_of(status), addr, n);
	free(q);
}

static int read_port(const char *service, uint16_t *port)
{
	char *end;
	unsigned long v;

	*port = 0;
	if (service == NULL)
		return 0;
	v = strtoul(service, &end, 10);
	if (service[0] < '0' || service[0] > '9' || *end != '\0' || v > UINT16_MAX)
		return EAI_SERVICE;
	*port = (uint16_t)v;
	return 0;
}

/* Resolves without a query: an address, or a name in /etc/hosts. Returns how many addresses. */
static unsigned find_here(const struct pc_resolver *r, const char *node, int family,
                          struct pc_endpoint *to)
{
	struct pc_addr addr[ADDRS_MAX];
	unsigned n = 0;

	if (pc_addr_parse(node, &addr[0]) == 0)
		n = family == AF_UNSPEC || (family == AF_INET) == pc_addr_is_ip4(&addr[0]);
	else
		n = hosts_find(&r->hosts, node, family, addr, ADDRS_MAX);
	for (unsigned i = 0; i < n; i++)
		to[i].addr = addr[i];
	pc_stack_sort(r->st, to, n);
	return n;
}

static int ask(struct pc_resolver *r, const char *node, int family, uint16_t port,
               pc_resolved *done, void *arg)
{
	const struct ares_addrinfo_hints hints = {
	    /* sorting would consult the kernel's routes, which are not ours */
	    .ai_flags = ARES_AI_NOSORT,
	    .ai_family = family,
	    .ai_socktype = SOCK_STREAM};
	struct question *q = malloc(sizeof(*q));

	if (q == NULL)
		return EAI_MEMORY;
	*q = (struct question){.r = r, .done = done, .arg = arg, .port = port};
	if (r->asked == 0) {
		use_domains(r);
		use_servers(r);
	}
	r->asked++;
	ares_getaddrinfo(r->channel, node, NULL, &hints, on_answer, q);
	return 0;
}

int pc_getaddrinfo(struct pc_resolver *r, const char *node, const char *service,
                   const struct addrinfo *hints, pc_resolved *done, void *arg)
{
	const int family = hints != NULL ? hints->ai_family : AF_UNSPEC;
	struct pc_endpoint known[ADDRS_MAX];
	struct pc_addr literal;
	uint16_t port;
	bool number;
	unsigned n;
	int err;

	if (family != AF_UNSPEC && family != AF_INET && family != AF_INET6)
		return EAI_FAMILY;
	err = read_port(service, &port);
	if (err != 0)
		return err;
	if (node == NULL || node[0] == '\0')
		return EAI_NONAME;
	number = pc_addr_parse(node, &literal) == 0;
	if (!number && hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0)
		return EAI_NONAME;
	n = find_here(r, node, family, known);
	for (unsigned i = 0; i < n; i++)
		known[i].port = port;
	if (n > 0) {
		done(arg, 0, known, n);
		return 0;
	}
	return number ? EAI_NONAME : ask(r, node, family, port, done, arg);
}

/* ---- the turn -------------------------------------------------------------------------------- */

void pc_resolver_turn(struct pc_resolver *r, uint64_t now_ns)
{
	if (r->asked == 0)
		return;
	for (unsigned i = 0; i < SOCKETS_MAX; i++) {
		const struct watched w = r->watched[i];
		struct pollfd p = {.fd = w.fd,
		                   .events =
		                       (short)((w.reads ? POLLIN : 0) | (w.writes ? POLLOUT : 0))};

		if (w.fd == 0 || pc_poll(r->st, &p, 1) <= 0)
			continue;
		ares_process_fd(r->channel,
		                p.revents & (POLLIN | POLLERR | POLLHUP) ? w.fd : ARES_SOCKET_BAD,
		                p.revents & POLLOUT ? w.fd : ARES_SOCKET_BAD);
	}
	if (now_ns >= r->look_ns) {
		r->look_ns = now_ns + LOOK_NS;
		ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	}
}
