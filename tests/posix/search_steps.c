/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of search.c that make, name, connect and end sockets, and what is drawn for all steps. */

#include "search.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

unsigned search_dice(struct world *w, unsigned n)
{
	w->random = w->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(w->random >> 33) % n;
}

int search_number(struct world *w, int fd, int to)
{
	if (fd < 0 || w->l->c->dup2(fd, to) != to)
		abort();
	w->l->c->close(fd);
	return to;
}

void search_settle(struct world *w)
{
	const struct timespec ts = {.tv_nsec = 20000};

	if (w->l->bed.host != NULL)
		live_sleep(0);
	else
		nanosleep(&ts, NULL);
}

/* ---- addresses -------------------------------------------------------------------------------- */

static const struct {
	int family;
	const char *ip;
} places[] = {
    {AF_INET, "127.0.0.1"},    {AF_INET, "0.0.0.0"},           {AF_INET6, "::1"},
    {AF_INET6, "::"},          {AF_INET6, "::ffff:127.0.0.1"}, {AF_INET6, "::ffff:0.0.0.0"},
    {AF_INET, "198.51.100.9"}, {AF_INET6, "2001:db8::9"},      {AF_INET6, "::ffff:198.51.100.9"},
    {AF_UNSPEC, ""},
};

static int domain_of(struct world *w, unsigned slot)
{
	int domain = AF_INET;
	socklen_t len = sizeof(domain);

	if (w->fd[slot] >= 0)
		(void)w->l->c->getsockopt(w->fd[slot], SOL_SOCKET, SO_DOMAIN, &domain, &len);
	return domain;
}

static unsigned draw_place(struct world *w, unsigned slot)
{
	static const unsigned ip6[] = {2, 2, 2, 3, 4, 5};

	if (search_dice(w, 12) == 0)
		return search_dice(w, sizeof(places) / sizeof(places[0]));
	if (domain_of(w, slot) == AF_INET)
		return search_dice(w, 3) == 0;
	return SEARCH_PICK(w, ip6);
}

static in_port_t draw_port(struct world *w)
{
	const unsigned slot = search_dice(w, SLOTS);
	union place p = {.in.sin_port = 0};
	socklen_t len = sizeof(p);

	switch (search_dice(w, 8)) {
	case 0:
		return 0;
	case 1:
		return htons((uint16_t)(w->base + PORTS - 1));
	case 2:
	case 3:
		if (w->fd[slot] >= 0)
			(void)w->l->c->getsockname(w->fd[slot], &p.sa, &len);
		return p.in.sin_port;
	default:
		return htons((uint16_t)(w->base + search_dice(w, PORTS - 2)));
	}
}

socklen_t search_place(struct world *w, unsigned slot, union place *p)
{
	static const socklen_t wrong[] = {0, 1, 2, 15, 16, 24, 27, 28, sizeof(*p)};
	const unsigned i = draw_place(w, slot);
	socklen_t len = sizeof(p->in);

	memset(p, 0, sizeof(*p));
	p->sa.sa_family = (sa_family_t)places[i].family;
	p->in.sin_port = draw_port(w); /* at the same place for both families */
	if (places[i].family == AF_INET6) {
		(void)inet_pton(AF_INET6, places[i].ip, &p->in6.sin6_addr);
		len = sizeof(p->in6);
	} else if (places[i].family == AF_INET) {
		(void)inet_pton(AF_INET, places[i].ip, &p->in.sin_addr);
	}
	if (search_dice(w, 30) == 0)
		len = SEARCH_PICK(w, wrong);
	return len;
}

void search_log_port(struct world *w, in_port_t port_be)
{
	const uint16_t port = ntohs(port_be);
	unsigned i = 0;

	if (port == 0 || (port >= w->base && port < w->base + PORTS)) {
		bed_log(&w->l->bed, port == 0 ? "0" : "p%d", port - w->base);
		return;
	}
	while (i < w->n_chosen && w->chosen[i] != port)
		i++;
	if (i == w->n_chosen && i < CHOSEN)
		w->chosen[w->n_chosen++] = port;
	bed_log(&w->l->bed, "e%u", i);
}

void search_log_ip(struct world *w, int family, const void *addr)
{
	char text[INET6_ADDRSTRLEN] = "";

	bed_log(&w->l->bed, "%s", inet_ntop(family, addr, text, sizeof(text)));
}

void search_log_place(struct world *w, const union place *p, socklen_t len)
{
	bed_log(&w->l->bed, "<%u ", len);
	if (p->sa.sa_family == AF_INET && len >= sizeof(p->in)) {
		search_log_ip(w, AF_INET, &p->in.sin_addr);
		bed_log(&w->l->bed, " ");
		search_log_port(w, p->in.sin_port);
	} else if (p->sa.sa_family == AF_INET6 && len >= sizeof(p->in6)) {
		search_log_ip(w, AF_INET6, &p->in6.sin6_addr);
		bed_log(&w->l->bed, " ");
		search_log_port(w, p->in.sin_port);
		bed_log(&w->l->bed, " %u %u", p->in6.sin6_scope_id, p->in6.sin6_flowinfo);
	} else {
		bed_log(&w->l->bed, "family %u", p->sa.sa_family);
	}
	bed_log(&w->l->bed, "> ");
}

/* ---- making and ending ------------------------------------------------------------------------ */

static void shut(struct world *w, unsigned slot)
{
	if (w->fd[slot] < 0)
		return;
	live_log(w->l, "close", w->l->c->close(w->fd[slot]));
	w->fd[slot] = -1;
	search_settle(w);
}

/* Without Nagle: when a held segment leaves depends on when it is acknowledged. */
static void make(struct world *w, unsigned slot, int domain, bool stream)
{
	const int one = 1;

	shut(w, slot);
	w->stream[slot] = stream;
	w->spent[slot] = w->tried[slot] = false;
	w->fd[slot] = search_number(
	    w, w->l->c->socket(domain, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK, 0),
	    FIRST_NUMBER + (int)slot);
	if (stream)
		(void)w->l->c->setsockopt(w->fd[slot], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	bed_log(&w->l->bed, "%s %s ", domain == AF_INET ? "ip4" : "ip6", stream ? "tcp" : "udp");
}

static void open_slot(struct world *w, unsigned slot)
{
	make(w, slot, search_dice(w, 2) == 0 ? AF_INET : AF_INET6, search_dice(w, 2) == 0);
	bed_log(&w->l->bed, "open\n");
}

static void close_slot(struct world *w, unsigned slot)
{
	shut(w, slot);
}

static unsigned another(struct world *w, unsigned slot)
{
	return (slot + 1 + search_dice(w, SLOTS - 1)) % SLOTS;
}

static void dup_slot(struct world *w, unsigned slot)
{
	const unsigned to = another(w, slot);
	const int fd = w->l->c->dup(w->fd[slot]);

	bed_log(&w->l->bed, "dup to %u ", to);
	shut(w, to);
	w->stream[to] = w->stream[slot];
	w->spent[to] = w->spent[slot] = true;
	w->fd[to] = search_number(w, fd, FIRST_NUMBER + (int)to);
}

static void put_accepted(struct world *w, unsigned to, int fd)
{
	shut(w, to);
	w->stream[to] = true;
	w->spent[to] = false;
	w->tried[to] = true;
	w->fd[to] = search_number(w, fd, FIRST_NUMBER + (int)to);
}

static void accept_slot(struct world *w, unsigned slot)
{
	static const socklen_t lens[] = {sizeof(union place), sizeof(union place), 28, 16, 8, 0};
	union place p = {.sa.sa_family = 77};
	socklen_t len = SEARCH_PICK(w, lens);
	const int fd = w->l->c->accept4(w->fd[slot], &p.sa, &len, SOCK_NONBLOCK);

	live_log(w->l, "accept", fd < 0 ? fd : 0);
	if (fd < 0)
		return;
	search_log_place(w, &p, len);
	put_accepted(w, another(w, slot), fd);
	bed_log(&w->l->bed, "\n");
}

/* Two connected sockets, over any address that is local. */
static void pair_slots(struct world *w, unsigned slot)
{
	const unsigned to = another(w, slot);
	const bool stream = search_dice(w, 3) > 0;
	const int domain = search_dice(w, 2) == 0 ? AF_INET : AF_INET6;
	union place p = {.sa.sa_family = (sa_family_t)domain};
	socklen_t len = domain == AF_INET ? sizeof(p.in) : sizeof(p.in6);
	int fd;

	if (domain == AF_INET)
		p.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		(void)inet_pton(AF_INET6, search_dice(w, 3) > 0 ? "::1" : "::ffff:127.0.0.1",
		                &p.in6.sin6_addr);
	make(w, slot, domain, stream);
	make(w, to, domain, stream);
	bed_log(&w->l->bed, "pair with %u\n", to);
	fd = w->fd[to];
	if (w->l->c->bind(fd, &p.sa, len) != 0 || w->l->c->getsockname(fd, &p.sa, &len) != 0 ||
	    (stream && w->l->c->listen(fd, 1) != 0))
		abort();
	(void)w->l->c->connect(w->fd[slot], &p.sa, len);
	search_settle(w);
	if (stream) {
		put_accepted(w, to, w->l->c->accept4(fd, NULL, NULL, SOCK_NONBLOCK));
		return;
	}
	len = sizeof(p);
	(void)w->l->c->getsockname(w->fd[slot], &p.sa, &len);
	if (search_dice(w, 2) == 0)
		live_log(w->l, "connect", w->l->c->connect(fd, &p.sa, len));
}

/* ---- names ------------------------------------------------------------------------------------ */

/* The first connect() after an attempt has succeeded says so here even if the peer has reset the connection since. And a
 * connection that is over has its port still, on Linux it has none. */
static bool is_over(struct world *w, unsigned slot)
{
	struct pollfd p = {.fd = w->fd[slot], .events = POLLRDHUP};

	return w->stream[slot] && w->l->c->poll(&p, 1, 0) == 1 && p.revents & (POLLHUP | POLLERR) &&
	       p.revents & (POLLRDHUP | POLLERR);
}

static void bind_slot(struct world *w, unsigned slot)
{
	union place p;
	socklen_t len = search_place(w, slot, &p);

	if (IN6_IS_ADDR_V4MAPPED(&p.in6.sin6_addr) && p.in6.sin6_addr.s6_addr[12] == 0)
		p.in6.sin6_addr = in6addr_any; /* :: is what both are here */
	if (is_over(w, slot)) {
		bed_log(&w->l->bed, "nothing\n");
		return;
	}
	search_log_place(w, &p, len);
	live_log(w->l, "bind", w->l->c->bind(w->fd[slot], &p.sa, len));
}

/* On Linux a socket that is connected to an IPv6 address and then to a mapped one keeps the first one's address. */
static bool reconnects(struct world *w, unsigned slot, const union place *p)
{
	union place peer;
	socklen_t len = sizeof(peer);

	return !w->stream[slot] && p->sa.sa_family != AF_UNSPEC &&
	       w->l->c->getpeername(w->fd[slot], &peer.sa, &len) == 0 &&
	       peer.sa.sa_family == AF_INET6 && search_is_mapped(p) != search_is_mapped(&peer);
}

static void connect_slot(struct world *w, unsigned slot)
{
	union place p;
	int rc;
	socklen_t len = search_place(w, slot, &p);

	if (p.in.sin_port == 0) /* which refuses at once here; datagrams cannot be sent to it */
		p.in.sin_port = htons(w->base);
	/* docs/not-implemented.md: a socket that has listened connects, connect(AF_UNSPEC) of an accepted one, and of one
	 * with data that MSG_MORE holds back */
	if (is_over(w, slot) || w->spent[slot] || reconnects(w, slot, &p) ||
	    (w->stream[slot] && p.sa.sa_family == AF_UNSPEC)) {
		bed_log(&w->l->bed, "nothing\n");
		return;
	}
	search_log_place(w, &p, len);
	rc = w->l->c->connect(w->fd[slot], &p.sa, len);
	live_log(w->l, "connect", rc);
	w->tried[slot] = true;
	w->spent[slot] |= p.sa.sa_family == AF_UNSPEC;
	if (rc != 0)
		search_bind_after_all(w, slot);
}

static void listen_slot(struct world *w, unsigned slot)
{
	if (w->spent[slot] || (w->stream[slot] && w->tried[slot]))
		return;
	live_log(w->l, "listen", w->l->c->listen(w->fd[slot], 1 + (int)search_dice(w, 4)));
	w->spent[slot] = true;
}

static void names_of(struct world *w, unsigned slot)
{
	static const socklen_t lens[] = {sizeof(union place), sizeof(union place), 28, 16, 8, 0};

	for (int i = 0; i < 2; i++) {
		union place p = {.sa.sa_family = 77};
		socklen_t len = SEARCH_PICK(w, lens);

		live_log(w->l, i == 0 ? "name" : "peer",
		         (i == 0 ? w->l->c->getsockname : w->l->c->getpeername)(w->fd[slot], &p.sa,
		                                                                &len));
		search_log_place(w, &p, len);
	}
	bed_log(&w->l->bed, "\n");
}

static void shutdown_slot(struct world *w, unsigned slot)
{
	const int how = (int)search_dice(w, 4) - (search_dice(w, 8) == 0);

	bed_log(&w->l->bed, "%d ", how);
	live_log(w->l, "shutdown", w->l->c->shutdown(w->fd[slot], how));
	w->spent[slot] |= !w->stream[slot];
}

static void linger_slot(struct world *w, unsigned slot)
{
	const struct linger now = {.l_onoff = 1};

	live_log(w->l, "linger",
	         w->l->c->setsockopt(w->fd[slot], SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	shut(w, slot);
}

static void ask_slot(struct world *w, unsigned slot)
{
	static const unsigned long requests[] = {FIONREAD, SIOCATMARK, FIONREAD};
	const unsigned long request = SEARCH_PICK(w, requests);
	int value = -5;

	bed_log(&w->l->bed, "%lx ", request);
	live_log(w->l, "ioctl", w->l->c->ioctl(w->fd[slot], request, &value));
	bed_log(&w->l->bed, "%d\n", value);
	live_log(w->l, "F_GETFL", w->l->c->fcntl(w->fd[slot], F_GETFL, 0));
	live_log(w->l, "F_GETFD", w->l->c->fcntl(w->fd[slot], F_GETFD, 0));
}

/* ---- all of them ------------------------------------------------------------------------------ */

enum { TCP, UDP, EVENTS, OPTIONS, THEMES };

static const struct {
	void (*step)(struct world *w, unsigned slot);
	uint8_t weight[THEMES];
	bool anew; /* makes the socket of its slot */
} steps[] = {
    {open_slot, {4, 6, 2, 6}, true},           {pair_slots, {8, 6, 8, 6}, true},
    {close_slot, {3, 3, 3, 2}, false},         {dup_slot, {1, 1, 3, 1}, false},
    {linger_slot, {2, 1, 1, 1}, false},        {bind_slot, {8, 12, 1, 3}, false},
    {connect_slot, {10, 10, 2, 3}, false},     {listen_slot, {6, 1, 2, 1}, false},
    {accept_slot, {8, 1, 2, 1}, false},        {names_of, {4, 6, 0, 1}, false},
    {shutdown_slot, {4, 3, 4, 2}, false},      {ask_slot, {2, 2, 0, 2}, false},
    {search_send, {10, 20, 12, 8}, false},     {search_recv, {10, 20, 10, 10}, false},
    {search_set_option, {2, 2, 1, 24}, false}, {search_get_option, {2, 2, 1, 24}, false},
    {search_tell, {0, 8, 0, 8}, false},        {search_epoll_ctl, {3, 3, 22, 0}, false},
    {search_epoll_wait, {2, 2, 14, 0}, true},  {search_epoll_renew, {0, 0, 2, 0}, true},
    {search_other, {0, 0, 4, 0}, true},
};

#define KINDS (sizeof(steps) / sizeof(steps[0]))

static unsigned draw_step(struct world *w, unsigned theme)
{
	unsigned sum = 0, at, i = 0;

	for (unsigned k = 0; k < KINDS; k++)
		sum += steps[k].weight[theme];
	for (at = search_dice(w, sum); at >= steps[i].weight[theme]; i++)
		at -= steps[i].weight[theme];
	return i;
}

static void log_poll(struct world *w)
{
	struct pollfd p[SLOTS];

	for (unsigned i = 0; i < SLOTS; i++)
		p[i] = (struct pollfd){.fd = w->fd[i],
		                       .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP};
	bed_log(&w->l->bed, " poll %d:", w->l->c->poll(p, SLOTS, 0));
	for (unsigned i = 0; i < SLOTS; i++) {
		bed_log(&w->l->bed, " %u", i);
		bed_log_events(&w->l->bed, (uint16_t)p[i].revents);
	}
	bed_log(&w->l->bed, "\n");
}

void search_step(struct world *w, uint64_t seed, unsigned step)
{
	unsigned slot, i;

	w->random = seed * 0x9e3779b97f4a7c15u + step * 0xbf58476d1ce4e5b9u;
	for (unsigned k = 0; k < 3; k++)
		(void)search_dice(w, 1);
	i = draw_step(w, seed % THEMES);
	slot = search_dice(w, SLOTS);
	if (w->fd[slot] < 0 && !steps[i].anew)
		i = search_dice(w, 2); /* open one, or a pair */
	bed_log(&w->l->bed, "#%u: %u ", step, slot);
	errno = 0;
	steps[i].step(w, slot);
	search_settle(w);
	log_poll(w);
}
