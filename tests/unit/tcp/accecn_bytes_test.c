/* SPDX-License-Identifier: BSD-2-Clause */

/* The byte counters of Accurate ECN (RFC 9768 section 3.2.3). What goes over the wire is in wire/accecn_option. */

#include "tcp/accecn_bytes.h"

#include "../unit.h"
#include "fixture.h"

#define FULL 1000u

enum { NOT_ECT, ECT1, ECT0, CE };

static struct accecn_bytes b;

/* a pure acknowledgement with room for so many bytes of options */
static struct tcp_seg ack_in(unsigned room)
{
	struct tcp_seg s = {.flags = TCP_ACK};

	accecn_bytes_fill(&b, &s, 0, room);
	return s;
}

/* a sender that the first option has reached */
static void sender(void)
{
	const struct tcp_seg s = {.accecn = TCP_ACCECN_0, .counter = {1, 0, 1}};

	accecn_bytes_begin(&b, false);
	accecn_bytes_meet(&b, &s);
	CU_ASSERT_EQUAL(b.heard, ACCECN_TRUSTED);
}

/* an acknowledgement of n segments, whose option has this ECEB; returns how many came marked */
static uint32_t marks(uint32_t n, uint32_t least, uint32_t ceb)
{
	const struct tcp_seg s = {.accecn = TCP_ACCECN_E0B_CEB,
	                          .counter = {1, ceb & TCP_COUNTER_MASK}};

	accecn_bytes_delivered(&b, n, n * FULL);
	if (accecn_bytes_runs_back(&b, &s))
		return UINT32_MAX;
	return accecn_bytes_marks(&b, &s, least, n, true);
}

/* ... that has no option */
static uint32_t marks_alone(uint32_t n, uint32_t least)
{
	const struct tcp_seg s = {.flags = TCP_ACK};

	accecn_bytes_delivered(&b, n, n * FULL);
	return accecn_bytes_marks(&b, &s, least, n, true);
}

/* 3.2.3.1: "it MUST encode the 24 least significant bits of the current value" */
static void least_significant(void)
{
	struct tcp_seg s;

	accecn_bytes_begin(&b, false);
	CU_ASSERT_EQUAL(ack_in(40).accecn, TCP_ACCECN_NONE);
	accecn_bytes_count(&b, CE, 0xffffff);
	accecn_bytes_count(&b, ECT0, 0xffffff);
	s = ack_in(40);
	CU_ASSERT(s.accecn == TCP_ACCECN_E0B_CEB && s.counter[TCP_E0B] == 0 &&
	          s.counter[TCP_CEB] == 0xffffff);
	accecn_bytes_count(&b, CE, 6);
	CU_ASSERT_EQUAL(ack_in(40).counter[TCP_CEB], 5);
	CU_ASSERT_EQUAL(ack_in(40).accecn, TCP_ACCECN_NONE);
}

/* 3.2.3.3: "provided that the counter(s) that have changed since the previous AccECN TCP option are not omitted", for each
 * set of those that have ever changed and of those that have now, in any room */
static void any_room(void)
{
	static const uint8_t bits[TCP_COUNTERS] = {ECT0, CE, ECT1};

	for (unsigned ever = 0; ever < 8; ever++) {
		for (unsigned now = 1; now < 8; now++) {
			for (unsigned room = 0; room <= 40; room += 4) {
				struct tcp_seg s;

				accecn_bytes_begin(&b, false);
				for (unsigned i = 0; i < TCP_COUNTERS; i++)
					if (ever & 1u << i)
						accecn_bytes_count(&b, bits[i], 100);
				(void)ack_in(40);
				for (unsigned i = 0; i < TCP_COUNTERS; i++)
					if (now & 1u << i)
						accecn_bytes_count(&b, bits[i], 10);
				s = ack_in(room);
				CU_ASSERT(tcp_accecn_space(s.accecn) <= room);
				for (unsigned i = 0; i < TCP_COUNTERS; i++) {
					const bool has =
					    tcp_accecn_has(s.accecn, (enum tcp_counter)i);

					/* all that has changed, or nothing at all */
					CU_ASSERT(has || s.accecn == TCP_ACCECN_NONE ||
					          !(now & 1u << i));
					CU_ASSERT(has || room < 12 || !((ever | now) & 1u << i));
				}
				CU_ASSERT_EQUAL(s.accecn != TCP_ACCECN_NONE,
				                room >= 12 || (room >= 8 && (now & 5) != 5));
				CU_ASSERT_EQUAL(b.news, s.accecn == TCP_ACCECN_NONE ? now : 0);
			}
		}
	}
}

/* the first of a client need not have news */
static void first_of_a_client(void)
{
	static const uint8_t largest[] = {TCP_ACCECN_NONE, TCP_ACCECN_EMPTY, TCP_ACCECN_E0B_CEB,
	                                  TCP_ACCECN_0};

	for (unsigned room = 0; room <= 12; room += 4) {
		accecn_bytes_begin(&b, true);
		CU_ASSERT_EQUAL(ack_in(room).accecn, largest[room / 4]);
		CU_ASSERT_EQUAL(ack_in(40).accecn, TCP_ACCECN_NONE);
	}
}

/* 3.2.3.3: what should not wait for room: CE, another codepoint, 2^22 bytes */
static void urgent(void)
{
	accecn_bytes_begin(&b, false);
	accecn_bytes_count(&b, ECT0, 10);
	CU_ASSERT(b.urgent);
	(void)ack_in(40);
	CU_ASSERT_FALSE(b.urgent);
	accecn_bytes_count(&b, NOT_ECT, 10);
	accecn_bytes_count(&b, ECT0, 10);
	accecn_bytes_count(&b, ECT1, 0);
	CU_ASSERT_FALSE(b.urgent);
	accecn_bytes_count(&b, ECT0, 1u << 22);
	CU_ASSERT(b.urgent);
	(void)ack_in(4);
	CU_ASSERT(b.urgent);
	(void)ack_in(40);
	accecn_bytes_count(&b, ECT1, 1);
	CU_ASSERT(b.urgent);
	(void)ack_in(40);
	for (unsigned i = 0; i < 2; i++) {
		accecn_bytes_count(&b, CE, 1);
		CU_ASSERT(b.urgent);
		(void)ack_in(40);
	}
}

/* A.1: ECEB is a number modulo 2^24, as is what it grows by; s.ceb goes on */
static void wraps(void)
{
	uint32_t ceb = 0;

	sender();
	for (unsigned i = 0; i < 40; i++) {
		ceb += 1000 * FULL;
		CU_ASSERT_EQUAL(marks(1000, 1000 % 8, ceb), 1000);
	}
	CU_ASSERT_EQUAL(b.snd_ceb, 40 * 1000 * FULL);
	CU_ASSERT_EQUAL(marks(1, 0, ceb), 0);
	CU_ASSERT_EQUAL(marks(1, 0, ceb - 1), UINT32_MAX);
}

/* A.2.2: whatever part of the segments came marked, as often as ACE may have gone round */
static void every_number(void)
{
	for (uint32_t n = 1; n <= 200; n++) {
		uint32_t ceb = 0;

		sender();
		for (uint32_t marked = 0; marked <= n; marked += 1 + n / 40) {
			ceb += marked * FULL;
			CU_ASSERT_EQUAL(marks(n, marked % 8, ceb), marked);
		}
	}
}

/* ... and however long those are, as ACE counts and the bytes only say how often it has gone round */
static void every_length(void)
{
	for (uint32_t marked = 8; marked <= 24; marked++) {
		sender();
		CU_ASSERT_EQUAL(marks(40, marked % 8, marked * FULL - 3 * FULL), marked);
		sender();
		CU_ASSERT_EQUAL(marks(40, marked % 8, marked * FULL + 3 * FULL), marked);
	}
}

/* 3.2.3.2.2: text that was lost says nothing of an option that it had no room for */
static void trial_of_nothing(void)
{
	for (unsigned room = 0; room <= TCP_OPTIONS_MAX; room += TCP_OPTIONS_MAX) {
		struct tcp_seg s = {.flags = TCP_ACK};

		accecn_bytes_begin(&b, true);
		ack_in(TCP_OPTIONS_MAX);
		accecn_bytes_fill(&b, &s, FULL, room);
		accecn_bytes_resent(&b);
		CU_ASSERT_EQUAL(b.mute, room > 0);
	}
}

/* ... also when options are few: each is for all since the last */
static void few_options(void)
{
	sender();
	CU_ASSERT_EQUAL(marks_alone(20, 0), 0);
	CU_ASSERT_EQUAL(marks_alone(20, 4), 4);
	CU_ASSERT_EQUAL(marks(20, 2, 30 * FULL), 26);
	CU_ASSERT_EQUAL(marks_alone(20, 4), 4);
	CU_ASSERT_EQUAL(marks(1, 0, 34 * FULL), 0);
	/* more than ACE could tell of, by what was delivered, there is not */
	CU_ASSERT_EQUAL(marks(7, 3, 100 * FULL), 3);
}

/* marks of what has no text are in ACE alone */
static void without_text(void)
{
	sender();
	CU_ASSERT_EQUAL(marks(0, 3, 0), 3);
	CU_ASSERT_EQUAL(marks(2, 5, FULL), 5);
	CU_ASSERT_FALSE(b.odd);
}

/* 3.2.3.2.5: contradictions, but where ACE may have gone round nearly */
static void contradictions(void)
{
	sender();
	CU_ASSERT_EQUAL(marks(3, 0, 10), 0);
	CU_ASSERT(b.odd);
	CU_ASSERT_EQUAL(marks(3, 1, 10 + FULL), 1);
	CU_ASSERT_FALSE(b.odd);
	CU_ASSERT_EQUAL(marks(4, 0, 20 + FULL), 0);
	CU_ASSERT_FALSE(b.odd);
	CU_ASSERT_EQUAL(marks_alone(1, 1), 1);
	CU_ASSERT_EQUAL(marks(1, 0, 20 + 2 * FULL), 0);
	CU_ASSERT_FALSE(b.odd);
}

/* 3.2.3.3: one should come in 2^22 bytes: else they come no more, and what ACE says is taken for the safest likely */
static void no_more(void)
{
	sender();
	for (unsigned i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL(marks_alone(2, 0), 0);
	CU_ASSERT_EQUAL(b.heard, ACCECN_TRUSTED);
	CU_ASSERT_EQUAL(marks_alone(16, 0), 0);
	for (unsigned i = 0; i < 1100; i++)
		CU_ASSERT_EQUAL(marks_alone(2, 0), 0);
	CU_ASSERT_EQUAL(b.heard, ACCECN_ABSENT);
	CU_ASSERT_EQUAL(marks_alone(16, 0), 16);
	CU_ASSERT_EQUAL(marks_alone(15, 4), 12);
	CU_ASSERT_EQUAL(marks_alone(7, 0), 0);
	/* what comes at last counts from there on */
	CU_ASSERT_EQUAL(marks(2, 1, 5000 * FULL), 1);
	CU_ASSERT_EQUAL(b.heard, ACCECN_TRUSTED);
	CU_ASSERT_EQUAL(marks(16, 0, 5008 * FULL), 8);
}

/* 3.2.2.5.2: where we send nothing that may be marked, no wrap is likely */
static void not_capable(void)
{
	for (int capable = 0; capable <= 1; capable++) {
		const struct tcp_seg s = {.flags = TCP_ACK};

		accecn_bytes_begin(&b, false);
		accecn_bytes_meet(&b, &s);
		for (unsigned i = 0; i < 40; i++)
			CU_ASSERT_EQUAL(marks_alone(2, 0), 0);
		accecn_bytes_delivered(&b, 10, 10 * FULL);
		CU_ASSERT_EQUAL(accecn_bytes_marks(&b, &s, 0, 10, capable), capable ? 8 : 0);
	}
}

static const struct unit_case cases[] = {
    {"RFC 9768 3.2.3.1: 24 bits", least_significant},
    {"RFC 9768 3.2.3.3: counters that have changed, in any room", any_room},
    {"RFC 9768 3.2.3.2.1: a client's first", first_of_a_client},
    {"RFC 9768 3.2.3.3: what is urgent", urgent},
    {"RFC 9768 A.1: ECEB wraps", wraps},
    {"RFC 9768 A.2.2: any number of marks", every_number},
    {"RFC 9768 A.2.2: segments of other lengths", every_length},
    {"RFC 9768 A.2.2: few options", few_options},
    {"RFC 9768 3.2.3.2.2: a first text without the option", trial_of_nothing},
    {"RFC 9768 3.2.3.2.5: marks of what has no text", without_text},
    {"RFC 9768 3.2.3.2.5: contradictions", contradictions},
    {"RFC 9768 3.2.3.3: options come no more", no_more},
    {"RFC 9768 3.2.2.5.2: nothing that may be marked", not_capable},
};

TCP_UNIT_MAIN("accecn_bytes")
