/* SPDX-License-Identifier: BSD-2-Clause */
/* /etc/hosts: an address, then its names, on each line; "#" begins a comment. */
#include "resolve/hosts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define FILE_MAX (1 << 20)

static int add(struct hosts *h, const struct pc_addr *addr, const char *name)
{
	struct host *more = realloc(h->host, (h->n + 1) * sizeof(*more));

	if (more == NULL)
		return -ENOMEM;
	h->host = more;
	h->host[h->n++] = (struct host){.addr = *addr, .name = name};
	return 0;
}

static int parse_line(struct hosts *h, char *line)
{
	char *next = line, *word;
	struct pc_addr addr;
	bool known = false;
	int rc = 0;

	line[strcspn(line, "#")] = '\0';
	while (rc == 0 && (word = strsep(&next, " \t\r")) != NULL) {
		if (*word == '\0')
			continue;
		if (known)
			rc = add(h, &addr, word);
		else if (pc_addr_parse(word, &addr) != 0)
			break;
		known = true;
	}
	return rc;
}

int hosts_parse(struct hosts *h, char *text)
{
	char *line;
	int rc = 0;

	*h = (struct hosts){.text = text};
	while (rc == 0 && (line = strsep(&text, "\n")) != NULL)
		rc = parse_line(h, line);
	return rc;
}

int hosts_read(struct hosts *h, const char *path)
{
	FILE *f = fopen(path, "re");
	char *text;
	size_t n;

	*h = (struct hosts){0};
	if (f == NULL)
		return 0;
	text = malloc(FILE_MAX + 1);
	if (text == NULL) {
		fclose(f);
		return -ENOMEM;
	}
	n = fread(text, 1, FILE_MAX, f);
	text[n] = '\0';
	fclose(f);
	return hosts_parse(h, text);
}

unsigned hosts_find(const struct hosts *h, const char *name, int family, struct pc_addr *addr,
                    unsigned n)
{
	unsigned found = 0;

	for (size_t i = 0; i < h->n && found < n; i++) {
		const bool ip4 = pc_addr_is_ip4(&h->host[i].addr);

		if (strcasecmp(h->host[i].name, name) == 0 &&
		    (family == AF_UNSPEC || (family == AF_INET) == ip4))
			addr[found++] = h->host[i].addr;
	}
	return found;
}

void hosts_free(struct hosts *h)
{
	free(h->host);
	free(h->text);
}
