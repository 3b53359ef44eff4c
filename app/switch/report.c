/* SPDX-License-Identifier: BSD-2-Clause */
#include "report.h"

#include <inttypes.h>

#define SECOND_NS UINT64_C(1000000000)

const char *count_name(enum count c)
{
	static const char *const names[] = {
#define SWITCH_COUNT_NAME(name, sentence) #name,
	    SWITCH_COUNTS(SWITCH_COUNT_NAME)
#undef SWITCH_COUNT_NAME
	};

	return names[c];
}

const char *count_sentence(enum count c)
{
	static const char *const sentences[] = {
#define SWITCH_COUNT_SENTENCE(name, sentence) sentence,
	    SWITCH_COUNTS(SWITCH_COUNT_SENTENCE)
#undef SWITCH_COUNT_SENTENCE
	};

	return sentences[c];
}

static void report_port(const struct vswitch *s, unsigned p, FILE *f)
{
	const struct pc_port_info *info = &vswitch_port(s, p)->info;
	const struct counts *n = vswitch_counts(s, p);

	fprintf(f, "port %u (%s, link %s, %" PRIu32 " stations):", p, info->name,
	        info->link_up ? "up" : "down", fdb_count_port(vswitch_fdb(s), (uint8_t)p));
	for (int c = 0; c < COUNT_MAX; c++)
		if (n->value[c] != 0)
			fprintf(f, " %s %" PRIu64, count_name((enum count)c), n->value[c]);
	fputc('\n', f);
}

void report_counts(const struct vswitch *s, FILE *f)
{
	fprintf(f, "switch: %" PRIu32 " stations\n", fdb_count(vswitch_fdb(s)));
	for (unsigned p = 0; vswitch_port(s, p) != NULL; p++)
		report_port(s, p, f);
	fflush(f);
}

void report_stations(const struct vswitch *s, unsigned max, uint64_t now_ns, FILE *f)
{
	const struct fdb *fdb = vswitch_fdb(s);
	struct fdb_station st;
	uint32_t at = 0;
	unsigned n = 0;

	for (; n < max && fdb_next(fdb, &at, &st); n++) {
		uint8_t m[6];

		fdb_key_mac(st.key, m);
		fprintf(f, "station %02x:%02x:%02x:%02x:%02x:%02x vlan %u port %u ", m[0], m[1],
		        m[2], m[3], m[4], m[5], fdb_key_vlan(st.key), st.port);
		if (st.is_static)
			fprintf(f, "static\n");
		else
			fprintf(f, "heard %" PRIu64 " s ago\n", (now_ns - st.seen_ns) / SECOND_NS);
	}
	if (n < fdb_count(fdb))
		fprintf(f, "and %" PRIu32 " more\n", fdb_count(fdb) - n);
	fflush(f);
}
