/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_DNS_TEXT_H
#define UNIT_DNS_TEXT_H

/*
 * Answers as text, to be compared with what is expected, and questions as messages.
 *
 * This reads messages by code of its own, so that it checks what the server writes: every pointer leads back to a name that
 * stands in front of it, every count and length is right, nothing is left over.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_MAX (1 << 18)

/**
 * text_of writes an answer as text: its code and flags in small letters, then a line for each record behind the letters of
 * its section, e.g.
 *
 *     NOERROR aa
 *     qd www.example. A
 *     an www.example. 3600 A 192.0.2.1
 *     opt 1232
 *
 * Returns text, or a line that begins with "!" and says what is wrong with the message.
 */
const char *text_of(const uint8_t *message, size_t len, char text[TEXT_MAX]);

/** A question. */
struct ask {
	const char *name; /**< with or without its final dot; without escapes */
	uint16_t type;
	uint16_t flags;    /**< of the header */
	uint16_t class;    /**< 0: IN */
	uint16_t udp_size; /**< 0: no EDNS */
	uint8_t version;   /**< of EDNS */
	bool dnssec_ok, nsid, tcp;
	bool no_question;
	const char *cookie; /**< as hexadecimal digits; NULL: none */
};

/** ask_write writes the message. Returns its bytes. */
size_t ask_write(const struct ask *a, uint8_t message[512]);

#endif
