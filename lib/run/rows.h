/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_ROWS_H
#define RUN_ROWS_H

/*
 * Lists that the control socket shows: rows of fields, which are written either as a line of text
 * each or, for scripts, as a JSON array of objects (RFC 8259).
 *
 * A list is described once, field by field.  Each has a key for JSON, and what precedes its value
 * in text; without a key (NULL) it is in text only, and without the latter in JSON only.  In JSON
 * every row has all of its keys: a value that does not exist is null.
 *
 * The array ends with the first line that is "]"; a line after it says why it is incomplete.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** An answer being written. Zeroed but for f and is_json: nothing yet. */
struct rows {
	FILE *f;
	bool is_json;
	bool is_after;  /* JSON: the next element or member follows another one */
	unsigned depth; /* of lists within rows */
};

/** rows_open begins an answer that is not an error, rows_close ends its list. */
void rows_open(struct rows *o);
void rows_close(struct rows *o);

/** row_begin begins a row, row_end ends it. */
void row_begin(struct rows *o);
void row_end(struct rows *o);

/** row_list_begin begins a list within a row, row_list_end ends it. In text its rows are parts of
 * the same row. */
void row_list_begin(struct rows *o, const char *key);
void row_list_end(struct rows *o);

/** row_text writes a field; NULL: it has no value. row_text_wide does so with a minimum width in
 * text; negative: left-justified. */
void row_text_wide(struct rows *o, const char *key, const char *before, int width, const char *v);
void row_text(struct rows *o, const char *key, const char *before, const char *v);

/** row_number and row_number_wide write numbers, row_optional one that may not exist. */
void row_number_wide(struct rows *o, const char *key, const char *before, int width, uint64_t v);
void row_number(struct rows *o, const char *key, const char *before, uint64_t v);
void row_optional(struct rows *o, const char *key, const char *before, bool exists, uint64_t v);

/** row_thousandths writes a number that may not exist, in text as one of a unit that is a thousand
 * times as large. */
void row_thousandths(struct rows *o, const char *key, const char *before, const char *unit,
                     bool exists, uint64_t v);

/** row_flag writes true or false; in text, a word if it is true. */
void row_flag(struct rows *o, const char *key, const char *word, bool v);

#endif
