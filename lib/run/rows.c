/* SPDX-License-Identifier: BSD-2-Clause */
#include "rows.h"

#include <inttypes.h>
#include <stddef.h>

/* ---- strings of JSON ------------------------------------------------------------------------- */

/* Returns the length of the sequence of UTF-8 that a text begins with (RFC 3629 section 4); 0: it is
 * none. */
static unsigned utf8_len(const unsigned char *s)
{
	const unsigned n = s[0] < 0x80                    ? 1
	                   : s[0] >= 0xc2 && s[0] <= 0xdf ? 2
	                   : s[0] >= 0xe0 && s[0] <= 0xef ? 3
	                   : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
	                                                  : 0;

	for (unsigned i = 1; i < n; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0; /* also at the NUL */
	/* not the shortest form; a surrogate; beyond U+10FFFF */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/* RFC 8259 section 7. Bytes that are not UTF-8, which section 8.1 requires, become U+FFFD. */
static void put_string(FILE *f, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	fputc('"', f);
	while (*s != '\0') {
		const unsigned n = utf8_len(s);

		if (n == 0)
			fputs("\\ufffd", f);
		else if (*s < 0x20)
			fprintf(f, "\\u%04x", *s);
		else
			fprintf(f, "%s%.*s", *s == '"' || *s == '\\' ? "\\" : "", (int)n,
			        (const char *)s);
		s += n > 0 ? n : 1;
	}
	fputc('"', f);
}

/* ---- fields ---------------------------------------------------------------------------------- */

/* Writes what precedes a value. Returns whether it is to be written. */
static bool begin_field(struct rows *o, const char *key, const char *before)
{
	if (!o->is_json) {
		fputs(before != NULL ? before : "", o->f);
		return before != NULL;
	}
	if (key == NULL)
		return false;
	fprintf(o->f, "%s\"%s\":", o->is_after ? "," : "", key);
	o->is_after = true;
	return true;
}

/* a value that does not exist */
static void put_none(struct rows *o, const char *key)
{
	if (begin_field(o, key, NULL))
		fputs("null", o->f);
}

void row_text_wide(struct rows *o, const char *key, const char *before, int width, const char *v)
{
	if (v == NULL)
		put_none(o, key);
	else if (begin_field(o, key, before)) {
		if (o->is_json)
			put_string(o->f, v);
		else
			fprintf(o->f, "%*s", width, v);
	}
}

void row_text(struct rows *o, const char *key, const char *before, const char *v)
{
	row_text_wide(o, key, before, 0, v);
}

void row_number_wide(struct rows *o, const char *key, const char *before, int width, uint64_t v)
{
	if (begin_field(o, key, before))
		fprintf(o->f, "%*" PRIu64, o->is_json ? 0 : width, v);
}

void row_number(struct rows *o, const char *key, const char *before, uint64_t v)
{
	row_number_wide(o, key, before, 0, v);
}

void row_optional(struct rows *o, const char *key, const char *before, bool exists, uint64_t v)
{
	if (exists)
		row_number(o, key, before, v);
	else
		put_none(o, key);
}

void row_thousandths(struct rows *o, const char *key, const char *before, const char *unit,
                     bool exists, uint64_t v)
{
	if (o->is_json || !exists)
		row_optional(o, key, before, exists, v);
	else
		fprintf(o->f, "%s%" PRIu64 ".%03u%s", before, v / 1000, (unsigned)(v % 1000), unit);
}

void row_flag(struct rows *o, const char *key, const char *word, bool v)
{
	if (begin_field(o, key, v ? word : NULL) && o->is_json)
		fputs(v ? "true" : "false", o->f);
}

/* ---- rows ------------------------------------------------------------------------------------ */

void row_begin(struct rows *o)
{
	if (!o->is_json)
		return;
	fprintf(o->f, "%s%s{", o->is_after ? "," : "", o->depth == 0 ? "\n" : "");
	o->is_after = false;
}

void row_end(struct rows *o)
{
	if (o->is_json)
		fputc('}', o->f);
	else if (o->depth == 0)
		fputc('\n', o->f);
	o->is_after = true;
}

void row_list_begin(struct rows *o, const char *key)
{
	if (begin_field(o, key, NULL))
		fputc('[', o->f);
	o->is_after = false;
	o->depth++;
}

void row_list_end(struct rows *o)
{
	if (o->is_json)
		fputc(']', o->f);
	o->is_after = true;
	o->depth--;
}

void rows_open(struct rows *o)
{
	fputs(o->is_json ? "ok\n[" : "ok\n", o->f);
}

void rows_close(struct rows *o)
{
	if (o->is_json)
		fputs("\n]\n", o->f);
}
