/* SPDX-License-Identifier: BSD-2-Clause */
#include "sizes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define PARTS_MAX  64u
#define WEIGHT_MAX 1000000u

struct part {
	uint32_t low, high, weight;
};

/* Reads a number in [1,max]. Returns what follows it, or NULL. */
static const char *read_number(const char *p, uint32_t max, uint32_t *n)
{
	unsigned long v;
	char *end;

	if (*p < '0' || *p > '9')
		return NULL;
	errno = 0;
	v = strtoul(p, &end, 10);
	if (errno != 0 || v < 1 || v > max)
		return NULL;
	*n = (uint32_t)v;
	return end;
}

/* LOW, LOW-HIGH, LOW:WEIGHT or LOW-HIGH:WEIGHT. Returns what follows, or NULL. */
static const char *read_part(const char *p, struct part *part)
{
	*part = (struct part){.weight = 1};
	p = read_number(p, SIZES_MAX, &part->low);
	part->high = part->low;
	if (p != NULL && *p == '-')
		p = read_number(p + 1, SIZES_MAX, &part->high);
	if (p != NULL && *p == ':')
		p = read_number(p + 1, WEIGHT_MAX, &part->weight);
	return p != NULL && part->high >= part->low ? p : NULL;
}

/* Returns the number of parts; 0: the text is malformed. */
static uint32_t read_parts(const char *p, struct part *parts)
{
	uint32_t n = 0;

	while (n < PARTS_MAX) {
		p = read_part(p, &parts[n++]);
		if (p == NULL)
			return 0;
		if (*p == '\0')
			return n;
		if (*p++ != ',')
			return 0;
	}
	return 0;
}

/* Fills the steps [from,end) with the lengths of a part. */
static void fill_lengths(struct sizes *s, const struct part *part, uint32_t from, uint32_t end)
{
	uint64_t span = part->high - part->low + 1;

	for (uint32_t i = from; i < end; i++)
		s->steps[i] = part->low + (uint32_t)(span * (2 * (uint64_t)(i - from) + 1) /
		                                     (2 * (uint64_t)(end - from)));
}

int sizes_parse(struct sizes *s, const char *text, char *why, size_t why_len)
{
	struct part parts[PARTS_MAX];
	uint32_t n = read_parts(text, parts), from = 0, end;
	uint64_t total = 0, sum = 0, before = 0;

	if (n == 0) {
		snprintf(why, why_len,
		         "\"%s\" is not a distribution of sizes: LOW-HIGH, or "
		         "SIZE:WEIGHT,SIZE:WEIGHT,...",
		         text);
		return -1;
	}
	*s = (struct sizes){.min = UINT32_MAX};
	for (uint32_t i = 0; i < n; i++)
		total += parts[i].weight;
	for (uint32_t i = 0; i < n; i++, from = end) {
		before += parts[i].weight;
		end = (uint32_t)(SIZES_STEPS * before / total);
		fill_lengths(s, &parts[i], from, end);
	}
	for (uint32_t i = 0; i < SIZES_STEPS; i++) {
		sum += s->steps[i];
		s->min = s->steps[i] < s->min ? s->steps[i] : s->min;
		s->max = s->steps[i] > s->max ? s->steps[i] : s->max;
	}
	s->mean = (double)sum / SIZES_STEPS;
	return 0;
}
