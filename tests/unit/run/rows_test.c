/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of fields, as text and in JSON. */
#include "run/rows.h"

#include <stdlib.h>
#include <string.h>

#include "../unit.h"

static char *text;

/* Writes a list in one of both ways. Returns it; valid until the next call. */
static const char *written(void (*write)(struct rows *o), bool is_json)
{
	struct rows o = {.is_json = is_json};
	size_t n;

	free(text);
	text = NULL;
	o.f = open_memstream(&text, &n);
	CU_ASSERT_PTR_NOT_NULL_FATAL(o.f);
	rows_open(&o);
	write(&o);
	rows_close(&o);
	(void)fclose(o.f);
	return text;
}

static void write_nothing(struct rows *o)
{
	(void)o;
}

static void test_empty(void)
{
	CU_ASSERT_STRING_EQUAL(written(write_nothing, false), "ok\n");
	CU_ASSERT_STRING_EQUAL(written(write_nothing, true), "ok\n[\n]\n");
}

static void write_row(struct rows *o, uint64_t v, bool is_there)
{
	row_begin(o);
	row_text(o, "name", "", is_there ? "one" : NULL);
	row_text_wide(o, "left", " ", -6, "two");
	row_text_wide(o, "right", "|", 6, "three");
	row_number(o, "number", " number ", v);
	row_number_wide(o, "wide", " ", 4, 7);
	row_number(o, "unsaid", NULL, 8);
	row_text(o, NULL, " ", "said");
	row_optional(o, "optional", " optional ", is_there, 9);
	row_thousandths(o, "rtt_us", " rtt ", " ms", is_there, 12034);
	row_flag(o, "flag", " flag", is_there);
	row_end(o);
}

static void write_fields(struct rows *o)
{
	write_row(o, UINT64_MAX, true);
	write_row(o, 0, false);
}

/* The same fields in the same order, but in JSON each in every row. */
static void test_fields(void)
{
	CU_ASSERT_STRING_EQUAL(written(write_fields, false),
	                       "ok\n"
	                       "one two   | three number 18446744073709551615    7 said optional 9 "
	                       "rtt 12.034 ms flag\n"
	                       " two   | three number 0    7 said\n");
	CU_ASSERT_STRING_EQUAL(
	    written(write_fields, true),
	    "ok\n[\n"
	    "{\"name\":\"one\",\"left\":\"two\",\"right\":\"three\",\"number\":"
	    "18446744073709551615,"
	    "\"wide\":7,\"unsaid\":8,\"optional\":9,\"rtt_us\":12034,\"flag\":true},\n"
	    "{\"name\":null,\"left\":\"two\",\"right\":\"three\",\"number\":0,"
	    "\"wide\":7,\"unsaid\":8,\"optional\":null,\"rtt_us\":null,\"flag\":false}\n"
	    "]\n");
}

static void write_nested(struct rows *o)
{
	for (unsigned i = 0; i < 2; i++) {
		row_begin(o);
		row_number(o, "port", "port ", i);
		row_list_begin(o, "queues");
		for (unsigned k = 0; k < 2 * i; k++) {
			row_begin(o);
			row_number(o, "queue", "\n  queue ", k);
			row_number(o, "frames", " frames ", 5);
			row_end(o);
		}
		row_list_end(o);
		row_text(o, "last", "\n  ", "x");
		row_end(o);
	}
}

static void test_nested(void)
{
	CU_ASSERT_STRING_EQUAL(written(write_nested, false),
	                       "ok\nport 0\n  x\n"
	                       "port 1\n  queue 0 frames 5\n  queue 1 frames 5\n  x\n");
	CU_ASSERT_STRING_EQUAL(written(write_nested, true),
	                       "ok\n[\n{\"port\":0,\"queues\":[],\"last\":\"x\"},\n"
	                       "{\"port\":1,\"queues\":[{\"queue\":0,\"frames\":5},"
	                       "{\"queue\":1,\"frames\":5}],\"last\":\"x\"}\n]\n");
}

static const char *string;

static void write_string(struct rows *o)
{
	row_begin(o);
	row_text(o, "s", "", string);
	row_end(o);
}

/* RFC 8259 section 7: quotation mark, reverse solidus and control characters are escaped, and
 * section 8.1: everything is UTF-8, whatever the bytes are. */
static void test_strings(void)
{
	static const struct {
		const char *in, *out;
	} strings[] = {
	    {"", ""},
	    {"a b/c", "a b/c"},
	    {"say \"no\" \\ yes", "say \\\"no\\\" \\\\ yes"},
	    {"a\tb\r\n\x01\x1f\x7f", "a\\u0009b\\u000d\\u000a\\u0001\\u001f\x7f"},
	    /* the first and last of each length, and around the surrogates */
	    {"\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf"},
	    {"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
	     "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"},
	    {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
	    /* not the shortest form, surrogates, beyond U+10FFFF, no beginning */
	    {"\xc0\x80", "\\ufffd\\ufffd"},
	    {"\xc1\xbf", "\\ufffd\\ufffd"},
	    {"\xe0\x9f\xbf", "\\ufffd\\ufffd\\ufffd"},
	    {"\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"},
	    {"\xf0\x8f\xbf\xbf", "\\ufffd\\ufffd\\ufffd\\ufffd"},
	    {"\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
	    {"\xf5\xff\x80", "\\ufffd\\ufffd\\ufffd"},
	    /* cut off */
	    {"a\xe4", "a\\ufffd"},
	    {"a\xe4\xbd", "a\\ufffd\\ufffd"},
	    {"\xf0\x90\x80\"", "\\ufffd\\ufffd\\ufffd\\\""},
	};
	char wanted[128];

	for (unsigned i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		string = strings[i].in;
		snprintf(wanted, sizeof(wanted), "ok\n[\n{\"s\":\"%s\"}\n]\n", strings[i].out);
		CU_ASSERT_STRING_EQUAL(written(write_string, true), wanted);
		snprintf(wanted, sizeof(wanted), "ok\n%s\n", strings[i].in);
		CU_ASSERT_STRING_EQUAL(written(write_string, false), wanted);
	}
	free(text);
	text = NULL;
}

static const struct unit_case cases[] = {
    {"an empty list", test_empty},
    {"fields", test_fields},
    {"lists within rows", test_nested},
    {"strings", test_strings},
};

UNIT_MAIN("run/rows", cases)
