/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports as they are written: numbers, ranges, and names of services.
 *
 * Names are those of /etc/services, services(5), which is read when the first name occurs. The file
 * is parsed here and not with getservbyname(), which may load a library (nsswitch.conf(5)); that is
 * not allowed once run.seccomp is in force.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fw/draft.h"

#define SERVICES "/etc/services"

/* ---- services -------------------------------------------------------------------------------- */

struct word {
	const char *text;
	size_t len; /* 0: there is no word */
};

/* The next word of a line; the line ends with the text or at a comment. */
static struct word next_word_of_ports(const char **line)
{
	struct word w = {.text = *line + strspn(*line, " \t\r")};

	w.len = strcspn(w.text, " \t\r\n#");
	*line = w.text + w.len;
	return w;
}

/* NULL: this was the last */
static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end != NULL ? end + 1 : NULL;
}

static bool is_word(struct word w, const char *text)
{
	return strlen(text) == w.len && memcmp(w.text, text, w.len) == 0;
}

/* The port in "80/tcp"; -1: the protocol is neither TCP nor UDP. */
static int parse_port(struct word w)
{
	const size_t digits = strspn(w.text, "0123456789");
	const struct word proto = {.text = w.text + digits + 1,
	                           .len = digits < w.len ? w.len - digits - 1 : 0};
	unsigned long port;

	if (digits == 0 || digits > 5 || digits >= w.len || w.text[digits] != '/')
		return -1;
	port = strtoul(w.text, NULL, 10);
	return port <= UINT16_MAX && (is_word(proto, "tcp") || is_word(proto, "udp")) ? (int)port
	                                                                              : -1;
}

/* The port in a line "NAME PORT/PROTOCOL [ALIAS]..." if it has this name, or else -1. */
static int match(const char *line, const char *name)
{
	struct word w = next_word_of_ports(&line);
	const int port = parse_port(next_word_of_ports(&line));

	for (; port >= 0 && w.len > 0; w = next_word_of_ports(&line))
		if (is_word(w, name))
			return port;
	return -1;
}

static int read_services(struct reader *d)
{
	size_t len;
	char *text = fw_read_file(d, SERVICES, &len), *longer;

	if (text == NULL)
		return -EINVAL;
	longer = realloc(text, len + 1);
	if (longer == NULL) {
		free(text);
		return -ENOMEM;
	}
	longer[len] = '\0';
	d->services = longer;
	return 0;
}

/* The port of a service. Returns 0, -ENOENT, -ENOMEM, or the result of fw_fail. */
static int find_service(struct reader *d, const char *name, struct fw_range *r)
{
	const int rc = d->services != NULL ? 0 : read_services(d);
	int port = -1;

	if (rc != 0)
		return rc;
	for (const char *line = d->services; port < 0 && line != NULL; line = next_line(line))
		port = match(line, name);
	if (port < 0)
		return -ENOENT;
	*r = (struct fw_range){(uint16_t)port, (uint16_t)port};
	return 0;
}

/* ---- ports ----------------------------------------------------------------------------------- */

/* Reads "80" or "8000-8080". Returns whether it is one of these. */
static bool read_numbers(const char *item, struct fw_range *r)
{
	const char *dash = strchr(item, '-');
	const size_t n = dash != NULL ? (size_t)(dash - item) : strlen(item);
	unsigned long first, last;
	char word[8];

	snprintf(word, sizeof(word), "%.*s", (int)(n < sizeof(word) ? n : 7), item);
	if (n >= sizeof(word) || !fw_is_number(word, UINT16_MAX, &first) ||
	    !fw_is_number(dash != NULL ? dash + 1 : item, UINT16_MAX, &last) || first > last)
		return false;
	*r = (struct fw_range){(uint16_t)first, (uint16_t)last};
	return true;
}

/* names of services contain a letter, RFC 6335 5.1 */
static bool has_letter(const char *item)
{
	return strpbrk(item, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL;
}

int fw_read_port(struct reader *d, const char *item, struct fw_range *r)
{
	const bool is_name = has_letter(item);
	int rc;

	if (read_numbers(item, r))
		return 0;
	rc = is_name ? find_service(d, item, r) : -ENOENT;
	if (rc != -ENOENT)
		return rc;
	if (d->is_foreign)
		return fw_fail(d, "an entry is not a port or range (example: 80 or 8000-8080)");
	return is_name
	           ? fw_fail(d, "\"%s\" is not a port (example: 80) or a service in " SERVICES,
	                     item)
	           : fw_fail(d, "\"%s\" is not a port or range (example: 80 or 8000-8080)", item);
}
