/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Constant tables of what percore/counters.def says about each counter.
 *
 * A counter's name is its id in lower case.  The preprocessor cannot make that, and nobody should
 * have to type it twice, so the compiler converts it character by character.
 */

#include <percore/stats.h>

#include <assert.h>

#define COUNTER_NAME_MAX 32

#define CHAR(s, i)    ((i) < sizeof(s) ? (s)[(i) < sizeof(s) ? (i) : 0] : '\0')
#define LOWER(s, i)   ((char)(CHAR(s, i) >= 'A' && CHAR(s, i) <= 'Z' ? CHAR(s, i) + 32 : CHAR(s, i)))
#define LOWER4(s, i)  LOWER(s, i), LOWER(s, (i) + 1), LOWER(s, (i) + 2), LOWER(s, (i) + 3)
#define LOWER16(s, i) LOWER4(s, i), LOWER4(s, (i) + 4), LOWER4(s, (i) + 8), LOWER4(s, (i) + 12)

struct counter_text {
	char name[COUNTER_NAME_MAX];
	const char *sentence;
	enum pc_severity severity;
};

static const struct counter_text counters[PC_COUNTER_MAX] = {
#define PC_COUNTER(id_, severity_, sentence_)                        \
	[PC_##id_] = {.name = {LOWER16(#id_, 0), LOWER16(#id_, 16)}, \
	              .sentence = sentence_,                         \
	              .severity = severity_},
#include <percore/counters.def>
#undef PC_COUNTER
};

#define PC_COUNTER(id_, severity_, sentence_) \
	static_assert(sizeof(#id_) <= COUNTER_NAME_MAX, "the name of a counter is too long");
#include <percore/counters.def>
#undef PC_COUNTER

const char *pc_counter_name(enum pc_counter c)
{
	return (unsigned)c < PC_COUNTER_MAX ? counters[c].name : NULL;
}

const char *pc_counter_sentence(enum pc_counter c)
{
	return (unsigned)c < PC_COUNTER_MAX ? counters[c].sentence : NULL;
}

enum pc_severity pc_counter_severity(enum pc_counter c)
{
	return (unsigned)c < PC_COUNTER_MAX ? counters[c].severity : PC_SEV_ERROR;
}
