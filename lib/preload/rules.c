/* SPDX-License-Identifier: BSD-2-Clause */
#include <percore/rules.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS    8
#define MAX_RULE 256

static int complain(char *why, size_t why_len, const char *rule, const char *what)
{
	snprintf(why, why_len, "rule \"%s\": %s", rule, what);
	errno = EINVAL;
	return -1;
}

/* Reads "80" or "80-90". */
static bool read_ports(struct pc_rule *r, const char *text)
{
	unsigned long first, last;
	char *end;

	first = last = strtoul(text, &end, 10);
	if (*end == '-' && end != text) {
		text = end + 1;
		last = strtoul(text, &end, 10);
	}
	if (end == text || *end != '\0' || *text == '-' || *text == '+' || last > 65535 ||
	    first > last)
		return false;
	r->first = (uint16_t)first;
	r->last = (uint16_t)last;
	return true;
}

/* Reads "any" or a network, whose host bits are ignored. */
static bool read_net(struct pc_rule *r, const char *text)
{
	if (strcmp(text, "any") == 0)
		return true;
	r->any = false;
	return pc_prefix_parse(text, &r->net) == 0;
}

/* Reads the words after the first, up to NULL. Returns the first wrong one, or NULL. */
static const char *read_words(struct pc_rule *r, char *const *word)
{
	if (*word != NULL && strcmp(*word, "tcp") == 0)
		r->protocol = IPPROTO_TCP, word++;
	else if (*word != NULL && strcmp(*word, "udp") == 0)
		r->protocol = IPPROTO_UDP, word++;
	if (*word != NULL && strcmp(*word, "bind") == 0)
		r->moment = PC_RULE_BIND, word++;
	else if (*word != NULL && strcmp(*word, "connect") == 0)
		r->moment = PC_RULE_CONNECT, word++;
	if (*word != NULL && strcmp(*word, "port") != 0) {
		if (!read_net(r, *word))
			return *word;
		word++;
	}
	if (*word == NULL)
		return NULL;
	if (strcmp(*word, "port") != 0 || word[1] == NULL || !read_ports(r, word[1]))
		return word[1] != NULL ? word[1] : *word;
	return word[2];
}

/* Reads one rule; an empty one is ignored. */
static int add_rule(struct pc_rules *rules, const char *text, char *why, size_t why_len)
{
	struct pc_rule r = {.any = true, .last = 65535};
	char copy[MAX_RULE], message[64], *word[WORDS + 1] = {NULL}, *save = NULL;
	const char *wrong;
	int n = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *w = strtok_r(copy, " \t\r", &save); w != NULL && n < WORDS;
	     w = strtok_r(NULL, " \t\r", &save))
		word[n++] = w;
	if (n == 0)
		return 0;
	if (strcmp(word[0], "kernel") == 0)
		r.verdict = PC_RULE_KERNEL;
	else if (strcmp(word[0], "percore") != 0)
		return complain(why, why_len, text, "expected \"kernel\" or \"percore\" first");
	wrong = read_words(&r, word + 1);
	if (wrong != NULL) {
		snprintf(message, sizeof(message), "unexpected \"%.40s\"", wrong);
		return complain(why, why_len, text, message);
	}
	if (rules->n == PC_MAX_RULES) {
		snprintf(why, why_len, "too many rules (at most %d)", PC_MAX_RULES);
		errno = ENOSPC;
		return -1;
	}
	rules->rule[rules->n++] = r;
	return 0;
}

int pc_rules_add(struct pc_rules *rules, const char *text, char *why, size_t why_len)
{
	unsigned before = rules->n;
	char rule[MAX_RULE];

	while (*text != '\0') {
		size_t all = strcspn(text, ";\n"), n = strcspn(text, "#;\n");

		if (text[n] == '#') /* a comment: up to the end of the line */
			all = strcspn(text, "\n");
		snprintf(rule, sizeof(rule), "%.*s", (int)n, text);
		if (add_rule(rules, rule, why, why_len) != 0) {
			rules->n = before;
			return -1;
		}
		text += all;
		text += *text != '\0';
	}
	return 0;
}

/* A network contains only addresses of its own family, though mapped IPv4 is part of ::/0. */
static bool is_in(const struct pc_prefix *net, const struct pc_addr *addr)
{
	bool ip4 = net->len >= 96 && pc_addr_is_ip4(&net->addr);

	return ip4 == pc_addr_is_ip4(addr) && pc_prefix_contains(net, addr);
}

static bool fits(const struct pc_rule *r, int protocol, enum pc_rule_moment moment,
                 const struct pc_endpoint *e)
{
	return (r->protocol == 0 || r->protocol == protocol) &&
	       (r->moment == PC_RULE_ALWAYS || r->moment == moment) &&
	       (r->any || is_in(&r->net, &e->addr)) && e->port >= r->first && e->port <= r->last;
}

enum pc_rule_verdict pc_rules_decide(const struct pc_rules *rules, int protocol,
                                     enum pc_rule_moment moment, const struct pc_endpoint *e)
{
	for (unsigned i = 0; i < rules->n; i++)
		if (fits(&rules->rule[i], protocol, moment, e))
			return (enum pc_rule_verdict)rules->rule[i].verdict;
	/* the unspecified address as a destination means this machine */
	if (pc_addr_is_loopback(&e->addr) ||
	    (moment == PC_RULE_CONNECT && pc_addr_is_any(&e->addr)))
		return PC_RULE_KERNEL;
	return PC_RULE_PERCORE;
}
