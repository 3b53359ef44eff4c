/* SPDX-License-Identifier: BSD-2-Clause */
#include "report.h"

#include <inttypes.h>

static const char *const phase_names[] = {
    [PHASE_RESOLVE] = "resolve", [PHASE_LEARN] = "learn", [PHASE_OPEN] = "open",
    [PHASE_WARM] = "warm",       [PHASE_RUN] = "run",     [PHASE_SETTLE] = "settle",
    [PHASE_CHECK] = "check",     [PHASE_CLOSE] = "close", [PHASE_LINGER] = "linger",
    [PHASE_DONE] = "done",
};

/** Names of faults, and where they are counted. */
static const struct {
	const char *name, *sentence;
	size_t offset;
	bool bad;
} rows[] = {
    {"wrong", "wrong answers", offsetof(struct faults, wrong), true},
    {"checksum", "truncated frames or wrong checksums", offsetof(struct faults, checksum), true},
    {"reset", "connections that the server reset", offsetof(struct faults, reset), true},
    {"refused", "connections that the server refused", offsetof(struct faults, refused), true},
    {"dead", "connections that stopped answering", offsetof(struct faults, dead), true},
    {"timed_out", "connections that waited for load.answer_ms without an answer",
     offsetof(struct faults, timed_out), true},
    {"stuck", "connections without an answer at the end", offsetof(struct faults, stuck), true},
    {"lost", "frames or datagrams that did not come back", offsetof(struct faults, lost), true},
    {"closed", "connections that the server closed unexpectedly",
     offsetof(struct faults, unsolicited_fin), true},
    {"beyond", "segments beyond a window", offsetof(struct faults, beyond), true},
    {"retransmitted", "retransmissions", offsetof(struct faults, retransmitted), false},
    {"syn_retransmitted", "SYN retransmissions", offsetof(struct faults, syn_retransmitted), false},
    {"out_of_order", "out-of-order segments or frames", offsetof(struct faults, out_of_order),
     false},
    {"duplicate", "duplicate segments or frames", offsetof(struct faults, duplicate), false},
    {"stray", "frames that belong to no connection", offsetof(struct faults, stray), false},
    {"probes", "requests sent into a window that looked closed", offsetof(struct faults, probes),
     false},
    {"alarms", "retransmission time-outs in streams", offsetof(struct faults, alarms), false},
    {"unkept", "out-of-order segments not kept, for lack of room", offsetof(struct faults, unkept),
     false},
    {"half_open", "connections that the server still had", offsetof(struct faults, half_open),
     false},
};

#define NB_ROWS (sizeof(rows) / sizeof(rows[0]))

static uint64_t row_value(const struct load *l, size_t i)
{
	return *(const uint64_t *)((const char *)&l->faults + rows[i].offset);
}

static double per_second(uint64_t a, uint64_t b, double seconds)
{
	return seconds > 0 ? (double)(b - a) / seconds : 0;
}

/* The length of the run so far, in seconds. */
static double run_seconds(const struct load *l)
{
	uint64_t to = l->run_to != 0 ? l->run_to : l->now;

	return l->run_from != 0 ? (double)(to - l->run_from) / (double)LOAD_SECOND_NS : 0;
}

void report_progress(const struct load *l, FILE *f)
{
	const struct counts *a = &l->at_progress, *b = &l->n;
	/* more than a second, if we were not run at its end */
	const double s = (double)(l->now - l->progress_from) / (double)LOAD_SECOND_NS;
	uint64_t bad = 0;

	for (size_t i = 0; i < NB_ROWS; i++)
		bad += rows[i].bad ? row_value(l, i) : 0;
	fprintf(
	    f,
	    "%-7s %u open, %.0f answers/s, %.0f opened/s, rx %.0f tx %.0f frames/s, in %.2f out "
	    "%.2f Gb/s, p50 %.1f p99 %.1f us, %" PRIu64 " retransmitted, %" PRIu64
	    " timed out, %" PRIu64 " faults\n",
	    phase_names[l->phase], l->established, per_second(a->answers, b->answers, s),
	    per_second(a->opened, b->opened, s), per_second(a->rx_frames, b->rx_frames, s),
	    per_second(a->tx_frames, b->tx_frames, s),
	    per_second(a->payload_in, b->payload_in, s) * 8e-9,
	    per_second(a->payload_acked, b->payload_acked, s) * 8e-9,
	    (double)hist_quantile(&l->latency, 0.5) / 1e3,
	    (double)hist_quantile(&l->latency, 0.99) / 1e3,
	    l->faults.retransmitted + l->faults.syn_retransmitted, l->faults.timed_out, bad);
}

/* Shows what was learnt as the answer, so that the user can check it. */
static void report_answer(const struct answer *a, FILE *f)
{
	fprintf(f, "an answer is %u bytes: \"", a->total);
	for (uint32_t i = 0; i < RTE_MIN(a->total, 64u); i++)
		fprintf(f, a->bytes[i] >= ' ' && a->bytes[i] < 0x7f ? "%c" : "\\x%02x",
		        a->bytes[i]);
	fprintf(f, "%s\"\n", a->total > 64 ? "..." : "");
}

static void report_faults(const struct load *l, FILE *f)
{
	for (size_t i = 0; i < NB_ROWS; i++)
		if (row_value(l, i) != 0)
			fprintf(f, "%s%" PRIu64 " %s\n", rows[i].bad ? "FAULT: " : "",
			        row_value(l, i), rows[i].sentence);
	if (l->out.no_mbuf != 0)
		fprintf(f, "%" PRIu64 " frames were not sent: not enough mbufs (stack.mbufs)\n",
		        l->out.no_mbuf);
	if (l->n.overrun != 0)
		fprintf(f, "%" PRIu64 " requests were due but never sent: the rate is too high\n",
		        l->n.overrun);
}

void report_state(const struct load *l, FILE *f)
{
	fprintf(f, "%s: %s, for %.3f s, %u connections open\n", l->mode->name,
	        phase_names[l->phase], (double)(l->now - l->phase_since) / (double)LOAD_SECOND_NS,
	        l->established);
	if (l->run_from != 0)
		report_summary(l, f);
	else
		report_faults(l, f);
}

void report_summary(const struct load *l, FILE *f)
{
	const struct counts *a = &l->at_run, *b = l->run_to != 0 ? &l->at_end : &l->n;
	double s = run_seconds(l);

	fprintf(f,
	        "%s: %.3f s, %.0f answers/s, %.0f connections/s, rx %.0f tx %.0f frames/s, in %.3f "
	        "out %.3f Gb/s\n",
	        l->mode->name, s, per_second(a->answers, b->answers, s),
	        per_second(a->closed, b->closed, s), per_second(a->rx_frames, b->rx_frames, s),
	        per_second(a->tx_frames, b->tx_frames, s),
	        per_second(a->payload_in, b->payload_in, s) * 8e-9,
	        per_second(a->payload_acked, b->payload_acked, s) * 8e-9);
	if (l->talk == &talk_ask)
		report_answer(&l->answer, f);
	if (l->flood != NULL)
		fprintf(f,
		        "flood %s: %.0f frames/s, %.0f more that the port did not take, %.0f "
		        "answers/s\n",
		        l->config->flood, per_second(a->flood_sent, b->flood_sent, s),
		        per_second(a->flood_refused, b->flood_refused, s),
		        per_second(a->flood_back, b->flood_back, s));
	if (l->config->slow > 0)
		fprintf(f, "slow readers: %" PRIu64 " beside these, %.0f answers/s, %.0f bytes/s\n",
		        l->config->slow, per_second(a->slow_answers, b->slow_answers, s),
		        per_second(a->slow_in, b->slow_in, s));
	if (l->latency.n > 0)
		fprintf(f, "latency: p50 %.2f, p90 %.2f, p99 %.2f, p99.9 %.2f, max %.2f us, %s%s\n",
		        (double)hist_quantile(&l->latency, 0.5) / 1e3,
		        (double)hist_quantile(&l->latency, 0.9) / 1e3,
		        (double)hist_quantile(&l->latency, 0.99) / 1e3,
		        (double)hist_quantile(&l->latency, 0.999) / 1e3,
		        (double)l->latency.max / 1e3,
		        l->mode->engine == &engine_replay ? "how late frames were sent"
		        : l->config->rate > 0             ? "from when each request was due"
		                                          : "from when a request was sent",
		        l->faults.timed_out > 0 ? "; for time-outs, how long they waited" : "");
	if (l->stalls.n > 0)
		fprintf(f,
		        "the generator itself stalled %" PRIu64
		        " times for more than 20 us, %.3f %% of the time, at most %.1f us\n",
		        l->stalls.n, s > 0 ? (double)l->stalls.sum_ns / 1e7 / s : 0,
		        (double)l->stalls.max_ns / 1e3);
	report_faults(l, f);
}

static void json_text(FILE *f, const char *name, const char *text)
{
	fprintf(f, "\"%s\":\"", name);
	for (; text != NULL && *text != '\0'; text++)
		if (*text == '"' || *text == '\\')
			fprintf(f, "\\%c", *text);
		else if ((unsigned char)*text >= ' ')
			fputc(*text, f);
	fprintf(f, "\",");
}

static void json_rates(const struct load *l, FILE *f, double s)
{
	const struct counts *a = &l->at_run, *b = &l->at_end;

	fprintf(
	    f,
	    "\"answers_s\":%.1f,\"connections_s\":%.1f,\"rx_frames_s\":%.1f,\"tx_frames_s\":%.1f,",
	    per_second(a->answers, b->answers, s), per_second(a->closed, b->closed, s),
	    per_second(a->rx_frames, b->rx_frames, s), per_second(a->tx_frames, b->tx_frames, s));
	fprintf(f, "\"in_gbps\":%.4f,\"out_gbps\":%.4f,",
	        per_second(a->payload_in, b->payload_in, s) * 8e-9,
	        per_second(a->payload_acked, b->payload_acked, s) * 8e-9);
}

static void json_flood(const struct load *l, FILE *f, double s)
{
	const struct counts *a = &l->at_run, *b = &l->at_end;

	if (l->flood == NULL)
		return;
	json_text(f, "flood", l->config->flood);
	fprintf(f, "\"flood_s\":%.1f,\"flood_refused_s\":%.1f,\"flood_back_s\":%.1f,",
	        per_second(a->flood_sent, b->flood_sent, s),
	        per_second(a->flood_refused, b->flood_refused, s),
	        per_second(a->flood_back, b->flood_back, s));
}

/* The parts that not every load has. */
static void json_parties(const struct load *l, FILE *f, double s)
{
	const struct counts *a = &l->at_run, *b = &l->at_end;

	if (l->config->sizes != NULL)
		fprintf(f, "\"size_mean\":%.1f,\"size_max\":%u,", l->config->sizes->mean,
		        l->config->sizes->max);
	if (l->config->burst > 1)
		fprintf(f, "\"burst\":%" PRIu64 ",", l->config->burst);
	if (l->config->busy > 0)
		fprintf(f, "\"busy\":%u,", l->nb_busy);
	if (l->config->skew > 0)
		fprintf(f, "\"skew\":%.2f,", (double)l->config->skew / 100);
	if (l->config->slow > 0)
		fprintf(f, "\"slow\":%" PRIu64 ",\"slow_answers_s\":%.1f,\"slow_bytes_s\":%.1f,",
		        l->config->slow, per_second(a->slow_answers, b->slow_answers, s),
		        per_second(a->slow_in, b->slow_in, s));
}

static void json_latency(const struct load *l, FILE *f)
{
	static const struct {
		const char *name;
		double q;
	} quantiles[] = {
	    {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"p9999", 0.9999}};

	fprintf(f, "\"latency_us\":{\"n\":%" PRIu64 ",\"mean\":%.3f,", l->latency.n,
	        hist_mean(&l->latency) / 1e3);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		fprintf(f, "\"%s\":%.3f,", quantiles[i].name,
		        (double)hist_quantile(&l->latency, quantiles[i].q) / 1e3);
	fprintf(f, "\"max\":%.3f},", (double)l->latency.max / 1e3);
}

static double share(uint64_t a, uint64_t b, double seconds)
{
	return seconds > 0 ? (double)(b - a) / 1e9 / seconds : 0;
}

void report_json(const struct load *l, FILE *f)
{
	const struct load_config *c = l->config;
	double s = run_seconds(l), opening = (double)l->opened_after_ns / 1e9;

	fputc('{', f);
	json_text(f, "label", c->label);
	json_text(f, "mode", l->mode->name);
	json_text(f, "error", l->why);
	fprintf(f,
	        "\"conns\":%" PRIu64 ",\"size\":%" PRIu64 ",\"depth\":%" PRIu64 ",\"rate\":%" PRIu64
	        ",\"seconds\":%.4f,",
	        c->conns, c->size, c->depth, c->rate, s);
	json_rates(l, f, s);
	json_flood(l, f, s);
	json_parties(l, f, s);
	json_latency(l, f);
	fprintf(f, "\"open_seconds\":%.4f,\"open_s\":%.1f,\"peak\":%u,\"asked_once\":%" PRIu64 ",",
	        opening, opening > 0 ? (double)c->conns / opening : 0, l->peak, l->asked_once);
	for (size_t i = 0; i < NB_ROWS; i++)
		fprintf(f, "\"%s\":%" PRIu64 ",", rows[i].name, row_value(l, i));
	fprintf(f, "\"overrun\":%" PRIu64 ",\"no_mbuf\":%" PRIu64 ",\"overflowed\":%" PRIu64 ",",
	        l->n.overrun, l->out.no_mbuf, l->out.lost);
	fprintf(f, "\"own_run\":%.3f,\"own_wait\":%.3f,\"server_run\":%.3f,\"server_wait\":%.3f,",
	        share(l->own[0].run, l->own[1].run, s), share(l->own[0].wait, l->own[1].wait, s),
	        share(l->server[0].run, l->server[1].run, s),
	        share(l->server[0].wait, l->server[1].wait, s));
	fprintf(f, "\"stalls\":%" PRIu64 ",\"stalled\":%.5f,\"stall_max_us\":%.1f,", l->stalls.n,
	        s > 0 ? (double)l->stalls.sum_ns / 1e9 / s : 0, (double)l->stalls.max_ns / 1e3);
	fprintf(f, "\"connection_bytes\":%zu,\"ok\":%s}\n", sizeof(struct client),
	        load_has_fault(l) ? "false" : "true");
	fflush(f);
}
