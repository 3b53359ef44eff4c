/* SPDX-License-Identifier: BSD-2-Clause */
#include "dname.h"

#include <stdio.h>
#include <string.h>

#include "../shared/hash_mix.h"

/* for all names in the program */
static struct hash_mix_key key = {{UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xff51afd7ed558ccd)}};

void dname_set_key(const uint64_t k[2])
{
	key = hash_mix_key_of(k);
}

/* Extends the hash of the labels to the right by a label of n bytes, its length included. Up to
 * eight bytes after the label may be read. */
static uint64_t hash_label(uint64_t h, const uint8_t *p, size_t n)
{
	uint64_t w;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&w, p, sizeof(w));
		h = hash_mix(&key, h ^ w);
	}
	memcpy(&w, p, sizeof(w));
	w &= (UINT64_C(1) << 8 * n) - 1;
	return hash_mix(&key, h ^ w ^ (uint64_t)n << 56);
}

/* Length bytes are less than 'A', so the name can be converted as a whole. */
static void copy_lower(uint8_t *to, const uint8_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)(from[i] + ((uint8_t)(from[i] - 'A') < 26 ? 'a' - 'A' : 0));
}

int dname_read(struct dname *n, const uint8_t *wire, size_t left)
{
	const size_t max = left < DNS_NAME_MAX ? left : DNS_NAME_MAX;
	unsigned labels = 0;
	size_t at = 0;

	for (;; at += 1u + wire[at], labels++) {
		if (at >= max || wire[at] > DNS_LABEL_MAX)
			return -1;
		n->at[labels] = (uint8_t)at;
		if (wire[at] == 0)
			break;
	}
	n->len = (uint8_t)(at + 1);
	n->labels = (uint8_t)labels;
	copy_lower(n->lower, wire, at + 1);
	memset(n->lower + at + 1, 0, 8);
	n->hash[labels] = key.k[1];
	for (unsigned i = labels; i-- > 0;)
		n->hash[i] = hash_label(n->hash[i + 1], n->lower + n->at[i], 1u + wire[n->at[i]]);
	return (int)at + 1;
}

char *dname_format(const uint8_t *wire, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	for (; wire[0] != 0 && n + 6 < size; wire += 1u + wire[0]) {
		for (unsigned i = 1; i <= wire[0] && n + 6 < size; i++) {
			const uint8_t c = wire[i];

			if (c == '.' || c == '\\' || c == '"')
				n += (size_t)snprintf(text + n, size - n, "\\%c", c);
			else if (c > ' ' && c < 127)
				text[n++] = (char)c;
			else
				n += (size_t)snprintf(text + n, size - n, "\\%03u", c);
		}
		text[n++] = '.';
		text[n] = '\0';
	}
	return n > 0 ? text : strcpy(text, ".");
}
