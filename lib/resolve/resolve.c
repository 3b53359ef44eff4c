/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The resolver: c-ares on sockets of the stack.
 *
 * Overview: c-ares opens its sockets through our functions and reports which of them it watches;
 * each turn processes those that are ready. It measures its timeouts with the system's clock, so it
 * is also called from time to time when nothing has arrived.
 *
 * Settings: a channel of c-ares cannot change its servers while questions are pending, nor its
 * search list at all. So when either changes, a second channel takes the questions from then on, and
 * the first one goes on until its own are answered; a resolver that is never idle would otherwise
 * use the old servers for ever (RFC 8106 section 5.1 allows it for their lifetime).
 *
 * Ownership: a question is freed when it is answered, which c-ares promises to do exactly once for
 * each, even when its channel is destroyed.
 */
#include <percore/resolve.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CARES_NO_DEPRECATED /* Debian 12's version does not have what 1.34 prefers */
#include <ares.h>
#include <percore/socket.h>

#include "resolve/hosts.h"

#define SOCKETS_MAX 16 /* that a channel has open at once */
#define SERVERS_MAX 8
#define DOMAINS_MAX 8
#define ADDRS_MAX   32
#define LOOK_NS     UINT64_C(50000000)

#define CHANNELS 2

struct channel {
	struct pc_resolver *r;
	ares_channel ares; /* NULL: not made yet */
	unsigned asked;    /* questions pending, the one whose callback runs included */
};

struct watched {
	int fd; /* 0: this slot is free */
	struct channel *channel;
	bool reads, writes;
};

/** What the stack knows of name servers and domains; unused parts are zero. */
struct settings {
	unsigned nb_servers, nb_domains; /* 0: those of resolv.conf */
	struct pc_addr server[SERVERS_MAX];
	char domain[DOMAINS_MAX][PC_DOMAIN_MAX + 1];
};

struct pc_resolver {
	struct pc_stack *st;
	struct hosts hosts;
	struct channel channel[CHANNELS];
	struct channel *current;  /* that of new questions */
	struct settings settings; /* of the current channel */
	uint64_t look_ns;
	struct watched watched[CHANNELS * SOCKETS_MAX];
};

struct question {
	struct channel *channel;
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
	struct channel *c = user;
	struct pc_resolver *r = c->r;
	struct watched *w = NULL;

	for (unsigned i = 0; i < CHANNELS * SOCKETS_MAX; i++)
		if (r->watched[i].fd == fd || (w == NULL && r->watched[i].fd == 0))
			w = &r->watched[i];
	if (w != NULL)
		*w = (struct watched){.fd = reads || writes ? fd : 0,
		                      .channel = c,
		                      .reads = reads != 0,
		                      .writes = writes != 0};
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Makes c-ares's part of a channel, with a search list or that of resolv.conf. Returns 0 or
 * ARES_E*. */
static int make_ares(struct channel *c, const struct settings *s, ares_channel *ares)
{
	char network_only[] = "b"; /* /etc/hosts is read here, once */
	char domain[DOMAINS_MAX][PC_DOMAIN_MAX + 1], *domains[DOMAINS_MAX];
	struct ares_options o = {.lookups = network_only,
	                         .sock_state_cb = on_state,
	                         .sock_state_cb_data = c,
	                         .domains = domains,
	                         .ndomains = (int)s->nb_domains};
	int options = ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB, rc;

	if (s->nb_domains > 0)
		options |= ARES_OPT_DOMAINS;
#ifdef ARES_OPT_QUERY_CACHE /* c-ares 1.31: none, as before; programs that cache know best what */
	o.qcache_max_ttl = 0;
	options |= ARES_OPT_QUERY_CACHE;
#endif
	memcpy(domain, s->domain, sizeof(domain));
	for (unsigned i = 0; i < s->nb_domains; i++)
		domains[i] = domain[i];
	rc = ares_init_options(ares, &o, options);
	if (rc == ARES_SUCCESS)
		ares_set_socket_functions(*ares, &socket_functions, c->r);
	return rc;
}

/* Name servers learnt from the network take precedence over resolv.conf. */
static int set_servers(ares_channel ares, const struct settings *s)
{
	struct ares_addr_node node[SERVERS_MAX];

	if (s->nb_servers == 0)
		return ARES_SUCCESS;
	memset(node, 0, sizeof(node));
	for (unsigned i = 0; i < s->nb_servers; i++) {
		node[i].next = i + 1 < s->nb_servers ? &node[i + 1] : NULL;
		node[i].family = pc_addr_is_ip4(&s->server[i]) ? AF_INET : AF_INET6;
		if (node[i].family == AF_INET)
			node[i].addr.addr4.s_addr = pc_addr_get_ip4(&s->server[i]);
		else
			memcpy(&node[i].addr.addr6, s->server[i].b, sizeof(s->server[i].b));
	}
	return ares_set_servers(ares, node);
}

/* Opens a channel that has no questions pending, with settings which it keeps. Returns 0 or
 * ARES_E*; then the channel is as before. */
static int open_channel(struct channel *c, const struct settings *s)
{
	ares_channel ares;
	int rc = make_ares(c, s, &ares);

	if (rc != ARES_SUCCESS)
		return rc;
	rc = set_servers(ares, s);
	if (rc != ARES_SUCCESS) {
		ares_destroy(ares);
		return rc;
	}
	if (c->ares != NULL)
		ares_destroy(c->ares);
	c->ares = ares;
	return ARES_SUCCESS;
}

struct pc_resolver *pc_resolver_create(struct pc_stack *st)
{
	struct pc_resolver *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	r->st = st;
	for (unsigned i = 0; i < CHANNELS; i++)
		r->channel[i].r = r;
	r->current = &r->channel[0];
	if (hosts_read(&r->hosts, "/etc/hosts") != 0 || ares_library_init(ARES_LIB_INIT_ALL) != 0) {
		hosts_free(&r->hosts);
		free(r);
		errno = ENOMEM;
		return NULL;
	}
	if (open_channel(r->current, &r->settings) != ARES_SUCCESS) {
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
	for (unsigned i = 0; i < CHANNELS; i++)
		if (r->channel[i].ares != NULL)
			ares_destroy(r->channel[i].ares);
	ares_library_cleanup();
	hosts_free(&r->hosts);
	free(r);
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* Reads what the stack knows now. Without any name server the last ones are kept. */
static void read_settings(const struct pc_resolver *r, struct settings *s)
{
	memset(s, 0, sizeof(*s));
	s->nb_domains = pc_stack_get_search(r->st, s->domain, DOMAINS_MAX);
	s->nb_domains = s->nb_domains < DOMAINS_MAX ? s->nb_domains : DOMAINS_MAX;
	s->nb_servers = pc_stack_get_dns(r->st, s->server, SERVERS_MAX);
	s->nb_servers = s->nb_servers < SERVERS_MAX ? s->nb_servers : SERVERS_MAX;
	if (s->nb_servers != 0)
		return;
	s->nb_servers = r->settings.nb_servers;
	memcpy(s->server, r->settings.server, sizeof(s->server));
}

static bool are_same_domains(const struct settings *a, const struct settings *b)
{
	return a->nb_domains == b->nb_domains &&
	       memcmp(a->domain, b->domain, sizeof(a->domain)) == 0;
}

/* Gives a channel without pending questions other settings. Returns 0 or ARES_E*. */
static int change_settings(struct channel *c, const struct settings *was, const struct settings *s)
{
	if (c == c->r->current && are_same_domains(was, s))
		return set_servers(c->ares, s);
	return open_channel(c, s);
}

/* Chooses the channel of a new question: another one if the settings have changed. If that fails, or
 * questions are pending on both, the next question tries it again. */
static struct channel *choose_channel(struct pc_resolver *r)
{
	struct channel *next = r->current;
	struct settings s;

	read_settings(r, &s);
	if (memcmp(&s, &r->settings, sizeof(s)) == 0)
		return next;
	if (next->asked != 0)
		next = next == &r->channel[0] ? &r->channel[1] : &r->channel[0];
	if (next->asked != 0 || change_settings(next, &r->settings, &s) != ARES_SUCCESS)
		return r->current;
	r->settings = s;
	r->current = next;
	return next;
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
	if (status == ARES_SUCCESS && n == 0)
		status = ARES_ENODATA;
	pc_stack_sort(q->channel->r->st, addr, n);
	q->done(q->arg, error_of(status), addr, n);
	q->channel
	    ->asked--; /* now, because c-ares still uses the channel if another question follows */
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

/* Says whether a name is "localhost" or ends in ".localhost", with or without a final dot. */
static bool is_localhost(const char *node)
{
	static const char last[] = "localhost";
	const size_t len = sizeof(last) - 1;
	size_t n = strlen(node);

	n -= n > 0 && node[n - 1] == '.';
	return n >= len && strncasecmp(node + n - len, last, len) == 0 &&
	       (n == len || node[n - len - 1] == '.');
}

/* RFC 6761 section 6.3: such names are this host, whatever name servers say, and are not asked of
 * them. */
static unsigned find_localhost(const char *node, int family, struct pc_addr addr[2])
{
	unsigned n = 0;

	if (!is_localhost(node))
		return 0;
	if (family != AF_INET)
		addr[n++] = (struct pc_addr){.b = {[15] = 1}};
	if (family != AF_INET6)
		addr[n++] = pc_addr_ip4(htonl(INADDR_LOOPBACK));
	return n;
}

/* Resolves without a query: an address, a name in /etc/hosts, or localhost. Returns how many
 * addresses. */
static unsigned find_here(const struct pc_resolver *r, const char *node, int family,
                          struct pc_endpoint *to)
{
	struct pc_addr addr[ADDRS_MAX];
	unsigned n = 0;

	if (pc_addr_parse(node, &addr[0]) == 0)
		n = family == AF_UNSPEC || (family == AF_INET) == pc_addr_is_ip4(&addr[0]);
	else
		n = hosts_find(&r->hosts, node, family, addr, ADDRS_MAX);
	if (n == 0)
		n = find_localhost(node, family, addr);
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
	struct channel *c;

	if (q == NULL)
		return EAI_MEMORY;
	c = choose_channel(r);
	*q = (struct question){.channel = c, .done = done, .arg = arg, .port = port};
	c->asked++;
	ares_getaddrinfo(c->ares, node, NULL, &hints, on_answer, q);
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

/* Processes what has arrived at a socket. */
static void look_at(struct pc_resolver *r, const struct watched *w)
{
	struct pollfd p = {.fd = w->fd,
	                   .events = (short)((w->reads ? POLLIN : 0) | (w->writes ? POLLOUT : 0))};

	if (w->fd == 0 || pc_poll(r->st, &p, 1) <= 0)
		return;
	ares_process_fd(w->channel->ares,
	                p.revents & (POLLIN | POLLERR | POLLHUP) ? w->fd : ARES_SOCKET_BAD,
	                p.revents & POLLOUT ? w->fd : ARES_SOCKET_BAD);
}

static bool is_idle(const struct pc_resolver *r)
{
	for (unsigned i = 0; i < CHANNELS; i++)
		if (r->channel[i].asked != 0)
			return false;
	return true;
}

void pc_resolver_turn(struct pc_resolver *r, uint64_t now_ns)
{
	if (is_idle(r))
		return;
	for (unsigned i = 0; i < CHANNELS * SOCKETS_MAX; i++) {
		const struct watched w = r->watched[i];

		look_at(r, &w);
	}
	if (now_ns < r->look_ns)
		return;
	r->look_ns = now_ns + LOOK_NS;
	for (unsigned i = 0; i < CHANNELS; i++)
		if (r->channel[i].asked != 0)
			ares_process_fd(r->channel[i].ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}
