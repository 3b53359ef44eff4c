/* SPDX-License-Identifier: BSD-2-Clause */
#include "batch.h"

#include "suite.h"

static struct batch batch;
static struct reply_stamp stamp;
static char all[65536];

static size_t fill(void)
{
	static const char body[] = "the body of the file";
	static const char head[] = "Content-Length: 20\r\n\r\n";
	static const struct file file = {
	    .head = head, .head_len = sizeof(head) - 1, .size = 20, .body = body};
	const struct http_request r = {0};
	const struct answer answers[] = {
	    {.status = 404},
	    {.status = 200, .file = &file, .len = 20},
	    {.status = 206, .file = &file, .off = 4, .len = 8},
	    {.status = 200, .file = &file, .len = 20, .no_body = true},
	};
	size_t len = 0;

	reply_stamp_set(&stamp, 1);
	batch_reset(&batch);
	for (size_t i = 0; i < ROWS(answers); i++)
		batch_add(&batch, &stamp, &answers[i], REPLY_KEEP, &r, NULL);
	for (unsigned i = 0; i < batch.nb_iov; i++) {
		memcpy(all + len, batch.iov[i].iov_base, batch.iov[i].iov_len);
		len += batch.iov[i].iov_len;
	}
	return len;
}

/* Wherever a send stops, what is left is put together right. */
static void any_part_can_be_continued(void)
{
	const size_t total = fill();
	char out[1024];

	CU_ASSERT(batch_bytes(&batch) == total && batch.n == 4);
	CU_ASSERT(batch_find(&batch, total, NULL) == 4);
	for (size_t sent = 0; sent < total; sent++) {
		struct batch_entry one, *e = &one;
		const unsigned i = batch_find(&batch, sent, e);
		const size_t begin = e->begin;
		size_t n = 0;

		CU_ASSERT_FATAL(i < 4 && begin <= sent && sent < e->end);
		CU_ASSERT(begin == batch.entries[i].begin && e->end == batch.entries[i].end);
		if (sent - begin < e->head_len) {
			int left = batch_copy_head(&batch, e, sent, out, sizeof(out));

			CU_ASSERT_FATAL(left > 0);
			n = (size_t)left;
			CU_ASSERT(batch_copy_head(&batch, e, sent, out, n) == left);
			CU_ASSERT(batch_copy_head(&batch, e, sent, out, n - 1) == -1);
		}
		if (e->file != NULL) {
			uint64_t off = e->off;

			if (sent - begin > e->head_len)
				off += sent - begin - e->head_len;
			memcpy(out + n, e->file->body + off, e->off + e->body_len - off);
			n += e->off + e->body_len - off;
		}
		CU_ASSERT(n == e->end - sent && memcmp(out, all + sent, n) == 0);
	}
}

/* What is sent again is what was sent, with a request and places of its own. */
static void repeats_a_response(void)
{
	static const char text[] = "GET";
	static const char body[] = "the body", head[] = "Content-Length: 8\r\n\r\n";
	static const struct file file = {
	    .head = head, .head_len = sizeof(head) - 1, .size = 8, .body = body};
	const struct answer a = {.status = 200, .file = &file, .len = 8};
	const struct http_request r = {.request_line = {0, 3}};
	static struct batch_ready ready;
	const struct batch_entry *e;
	struct batch_entry first;
	size_t len = 0;
	char out[1024];

	batch_reset(&batch);
	first = *batch_add(&batch, &stamp, &a, REPLY_KEEP, &r, NULL);
	for (unsigned i = 0; i < batch.nb_iov; len += batch.iov[i++].iov_len)
		memcpy(all + len, batch.iov[i].iov_base, batch.iov[i].iov_len);
	batch_gather(&batch, &ready, 7);
	CU_ASSERT(ready.len == len && ready.now == 7 && memcmp(ready.bytes, all, len) == 0);
	for (unsigned i = 1; i < 4; i++) {
		e = batch_repeat(&batch, &ready, text, 1);
		CU_ASSERT(batch.n == i + 1 && e->end == (i + 1) * len && e->request == text);
		CU_ASSERT(e->line.len == 3 && e->status == 200 && !e->close);
		CU_ASSERT(e->file == &file && e->head_len == first.head_len && e->body_len == 8);
		CU_ASSERT(e->nb_iov == 1 && batch.iov[e->first_iov].iov_len == len);
		CU_ASSERT(batch.iov[e->first_iov].iov_base == ready.bytes);
		/* stopped one byte before its body */
		CU_ASSERT(batch_copy_head(&batch, e, i * len + e->head_len - 1, out, sizeof(out)) ==
		              1 &&
		          out[0] == '\n');
	}
	CU_ASSERT(batch.responses == 4);
}

/* Several at once are as many, each of which can be gone on with. */
static void repeats_several(void)
{
	static const char body[] = "the body", head[] = "Content-Length: 8\r\n\r\n";
	static const struct file file = {
	    .head = head, .head_len = sizeof(head) - 1, .size = 8, .body = body};
	const struct answer a = {.status = 200, .file = &file, .len = 8};
	const struct http_request r = {0};
	static struct batch_ready ready;
	struct batch_entry *e, one;
	const struct iovec *v;
	uint32_t len;

	batch_reset(&batch);
	batch_add(&batch, &stamp, &a, REPLY_KEEP, &r, NULL)->input_end = 100;
	batch_gather(&batch, &ready, 7);
	len = ready.len;
	e = batch_repeat(&batch, &ready, NULL, 5);
	e->request_len = 10;
	e->input_end = 150;
	v = &batch.iov[e->first_iov];
	CU_ASSERT(batch.n == 2 && batch.responses == 6 && batch_bytes(&batch) == 6 * len);
	CU_ASSERT(v->iov_len == 5 * len && batch.nb_iov == e->first_iov + 1u);
	for (unsigned i = 0; i < 5; i++)
		CU_ASSERT(memcmp((char *)v->iov_base + i * len, ready.bytes, len) == 0);
	CU_ASSERT(batch_find(&batch, 6 * len, NULL) == 6);
	for (uint32_t sent = 0; sent < 6 * len; sent++) {
		CU_ASSERT(batch_find(&batch, sent, &one) == sent / len);
		CU_ASSERT(one.begin == sent / len * len && one.end == one.begin + len);
		CU_ASSERT(one.input_end == 100 + sent / len * 10 && one.times == 1);
	}
	/* what is ready is as much as there is room for */
	batch_reset(&batch);
	e = batch_repeat(&batch, &ready, NULL, batch_repeat_max(&ready));
	CU_ASSERT(e->end <= BATCH_READY_BYTES && e->end + len > BATCH_READY_BYTES);
}

static void gathers_only_what_is_short(void)
{
	static char body[BATCH_READY_MAX];
	const struct file file = {
	    .head = "\r\n", .head_len = 2, .size = sizeof(body), .body = body};
	const struct answer a = {.status = 200, .file = &file, .len = sizeof(body)};
	const struct http_request r = {0};
	static struct batch_ready ready = {.len = 1};

	batch_reset(&batch);
	batch_add(&batch, &stamp, &a, REPLY_KEEP, &r, NULL);
	batch_gather(&batch, &ready, 7);
	CU_ASSERT(ready.len == 0);
}

static void room(void)
{
	const struct http_request r = {0};
	const struct answer a = {.status = 404};
	unsigned n = 0;

	batch_reset(&batch);
	while (batch_has_room(&batch, 4096)) {
		batch_add(&batch, &stamp, &a, REPLY_KEEP, &r, NULL);
		n++;
	}
	CU_ASSERT(n == BATCH_MAX);
	batch_reset(&batch);
	CU_ASSERT(batch_has_room(&batch, 16384));
}

static const struct unit_case cases[] = {
    {"any part can be continued", any_part_can_be_continued},
    {"repeats a response", repeats_a_response},
    {"repeats several", repeats_several},
    {"gathers only what is short", gathers_only_what_is_short},
    {"room", room},
};

UNIT_MAIN("app/batch", cases)
