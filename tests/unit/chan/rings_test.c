/* SPDX-License-Identifier: BSD-2-Clause */
/* Rings, fifos, locks and sleeps of the channel, used by several threads at once. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../files.h"
#include "../unit.h"
#include "chan/chan.h"
#include "chan/control.h"

#define THREADS 4
#define EACH    5000
#define CELLS   64

static void *aligned(size_t n)
{
	void *p = aligned_alloc(64, (n + 63) & ~(size_t)63);

	if (p == NULL)
		abort();
	return memset(p, 0, n);
}

static void run(unsigned n, void *(*what)(void *), pthread_t t[])
{
	for (uintptr_t i = 0; i < n; i++)
		if (pthread_create(&t[i], NULL, what, (void *)i) != 0)
			abort();
}

static void join(unsigned n, pthread_t t[])
{
	for (unsigned i = 0; i < n; i++)
		pthread_join(t[i], NULL);
}

/* ---- post ring: many producers, one consumer that sleeps -------------------------------------- */

static struct post_ring *post;
static struct chan_lcore lcore;

static void *produce_posts(void *arg)
{
	uint32_t me = (uint32_t)(uintptr_t)arg;

	for (uint32_t i = 0; i < EACH; i++) {
		while (!post_push(post, CELLS, me << 24 | i))
			sched_yield();
		if (at_load_sc(&lcore.armed)) {
			at_add(&lcore.seq, 1);
			futex_wake(&lcore.seq, 1);
		}
	}
	return NULL;
}

static void posts_come_once_and_in_order(void)
{
	uint32_t next[THREADS] = {0}, tail = 0, value, got = 0, wrong = 0;
	pthread_t t[THREADS];

	post = aligned(sizeof(*post) + CELLS * sizeof(post->cell[0]));
	post_init(post, CELLS);
	run(THREADS, produce_posts, t);
	while (got < THREADS * EACH) {
		uint32_t seen = at_load_sc(&lcore.seq);

		if (post_pop(post, CELLS, &tail, &value)) {
			wrong += next[value >> 24]++ != (value & 0xffffff);
			got++;
			continue;
		}
		at_store_sc(&lcore.armed, 1);
		if (!post_waiting(post, CELLS, tail))
			(void)futex_wait(&lcore.seq, seen,
			                 UINT64_MAX); /* a lost wake-up would hang here */
		at_store_sc(&lcore.armed, 0);
	}
	join(THREADS, t);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_FALSE(post_pop(post, CELLS, &tail, &value));
	free(post);
}

static void a_full_post_ring_says_so(void)
{
	uint32_t tail = 0, value;

	post = aligned(sizeof(*post) + CELLS * sizeof(post->cell[0]));
	post_init(post, CELLS);
	for (uint32_t i = 0; i < CELLS; i++)
		CU_ASSERT(post_push(post, CELLS, i));
	CU_ASSERT_FALSE(post_push(post, CELLS, 7));
	CU_ASSERT(post_pop(post, CELLS, &tail, &value));
	CU_ASSERT_EQUAL(value, 0);
	CU_ASSERT(post_push(post, CELLS, 8));
	free(post);
}

/* A thread that exec ends between taking a cell and filling it must not hold up the next image. */
static void a_cell_left_empty_is_filled(void)
{
	uint32_t tail = 0, value;

	post = aligned(sizeof(*post) + CELLS * sizeof(post->cell[0]));
	post_init(post, CELLS);
	for (uint32_t i = 0; i < CELLS + 3; i++) { /* somewhere in the second round */
		CU_ASSERT(post_push(post, CELLS, i));
		CU_ASSERT(post_pop(post, CELLS, &tail, &value));
	}
	CU_ASSERT(post_push(post, CELLS, 1));
	post->head += 2; /* taken, and left */
	CU_ASSERT(post_push(post, CELLS, 2));
	CU_ASSERT(post_pop(post, CELLS, &tail, &value));
	CU_ASSERT_FALSE(post_pop(post, CELLS, &tail, &value));
	post_mend(post, CELLS, 77);
	for (uint32_t i = 0; i < 2; i++) {
		CU_ASSERT(post_pop(post, CELLS, &tail, &value));
		CU_ASSERT_EQUAL(value, 77);
	}
	CU_ASSERT(post_pop(post, CELLS, &tail, &value));
	CU_ASSERT_EQUAL(value, 2);
	CU_ASSERT_FALSE(post_pop(post, CELLS, &tail, &value));
	free(post);
}

/* ---- word ring: one producer, many consumers -------------------------------------------------- */

static struct word_ring words;
static uint32_t word[CELLS];
static uint8_t taken[EACH];
static uint32_t nb_taken;

static void *consume_words(void *arg)
{
	uint32_t value;

	(void)arg;
	while (at_load(&nb_taken) < EACH)
		if (word_pop(&words, word, CELLS, &value)) {
			__atomic_fetch_add(&taken[value], 1, __ATOMIC_RELAXED);
			at_add(&nb_taken, 1);
		} else {
			sched_yield();
		}
	return NULL;
}

static void words_are_taken_once(void)
{
	pthread_t t[THREADS];
	unsigned wrong = 0;

	run(THREADS, consume_words, t);
	for (uint32_t i = 0; i < EACH;)
		if (word_push(&words, word, CELLS, i))
			i++;
		else
			sched_yield();
	join(THREADS, t);
	for (unsigned i = 0; i < EACH; i++)
		wrong += taken[i] != 1;
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(word_count(&words), 0);
}

/* ---- fifo ------------------------------------------------------------------------------------- */

#define FIFO  4096
#define BYTES 500000

static struct chan_fifo position;
static uint8_t memory[FIFO];
static const struct fifo fifo = {&position, memory, FIFO};

static void *produce_bytes(void *arg)
{
	uint8_t chunk[700];
	uint32_t done = 0, n = 1;

	(void)arg;
	while (done < BYTES) {
		uint32_t put;

		n = n * 1103515245 + 12345;
		for (uint32_t i = 0; i < sizeof(chunk); i++)
			chunk[i] = (uint8_t)((done + i) * 7);
		put = fifo_write(&fifo, 0, chunk,
		                 1 + n % 700 < BYTES - done ? 1 + n % 700 : BYTES - done);
		fifo_publish(&fifo, put);
		done += put;
		if (put == 0) /* both may have to share a CPU with others */
			sched_yield();
	}
	return NULL;
}

static void bytes_come_in_order(void)
{
	uint32_t done = 0, wrong = 0, n = 5;
	uint8_t chunk[900];
	pthread_t t[1];

	run(1, produce_bytes, t);
	while (done < BYTES) {
		uint32_t got;

		n = n * 1103515245 + 12345;
		got = fifo_read(&fifo, 0, chunk, 1 + n % 900);
		for (uint32_t i = 0; i < got; i++)
			wrong += chunk[i] != (uint8_t)((done + i) * 7);
		fifo_consume(&fifo, got);
		done += got;
		if (got == 0)
			sched_yield();
	}
	join(1, t);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(fifo_used(&fifo), 0);
}

/* an exchange of small messages stays in the first bytes; a peek consumes nothing; damage is seen */
static void fifo_details(void)
{
	struct chan_fifo p = {0};
	const struct fifo f = {&p, memory, FIFO};
	struct iovec v[2];
	uint8_t b[4096];

	for (int i = 0; i < 1000; i++) {
		CU_ASSERT_EQUAL(fifo_space(&f, 0, 100, v), 1);
		CU_ASSERT_PTR_EQUAL(v[0].iov_base, memory);
		fifo_publish(&f, 100);
		CU_ASSERT_EQUAL(fifo_read(&f, 0, b, 60), 60);
		CU_ASSERT_EQUAL(fifo_read(&f, 60, b, 4096), 40);
		fifo_consume(&f, 100);
	}
	CU_ASSERT_EQUAL(fifo_write(&f, 0, b, 4096), 4096);
	fifo_publish(&f, 4096);
	CU_ASSERT_EQUAL(fifo_space(&f, 0, 1, v), 0);
	fifo_consume(&f, 1000);
	CU_ASSERT_EQUAL(fifo_write(&f, 900, b, 4096), 100);
	p.tail += 100000; /* what a client could do */
	CU_ASSERT_EQUAL(fifo_room(&f), 0);
	CU_ASSERT_EQUAL(fifo_data(&f, 0, 1, v), 0);
}

/* what goes round the end is two pieces, of which none reaches beyond it */
static void fifo_goes_round(void)
{
	struct chan_fifo p = {0};
	const struct fifo f = {&p, memory, FIFO};
	struct iovec v[2];
	uint8_t b[4000] = {0};

	CU_ASSERT_EQUAL(fifo_write(&f, 0, b, 4000), 4000);
	fifo_publish(&f, 4000);
	fifo_consume(&f, 3900);
	CU_ASSERT_EQUAL(fifo_space(&f, 0, 200, v), 2);
	CU_ASSERT(v[0].iov_base == memory + 4000 && v[0].iov_len == FIFO - 4000);
	CU_ASSERT(v[1].iov_base == memory && v[1].iov_len == 200 - (FIFO - 4000));
	fifo_publish(&f, 200);
	fifo_consume(&f, 100);
	CU_ASSERT_EQUAL(fifo_data(&f, 0, FIFO, v), 2);
	CU_ASSERT(v[0].iov_base == memory + 4000 && v[0].iov_len == FIFO - 4000);
	CU_ASSERT(v[1].iov_base == memory && v[1].iov_len == 200 - (FIFO - 4000));
}

/* ---- lock ------------------------------------------------------------------------------------- */

static uint32_t lock;
static unsigned long counted; /* under lock */

static void *count(void *arg)
{
	for (int i = 0; i < EACH; i++) {
		lock_take(&lock, (uint32_t)(uintptr_t)arg);
		counted++;
		lock_give(&lock);
	}
	return NULL;
}

static void a_lock_serialises(void)
{
	pthread_t t[THREADS];

	run(THREADS, count, t);
	join(THREADS, t);
	CU_ASSERT_EQUAL(counted, THREADS * EACH);
	CU_ASSERT_EQUAL(lock, 0);
}

static void *wait_for_dead(void *arg)
{
	(void)arg;
	lock_take(&lock, 2);
	lock_give(&lock);
	return NULL;
}

static void a_dead_holder_is_put_away(void)
{
	pthread_t t[1];

	lock_take(&lock, 9);
	run(1, wait_for_dead, t);
	usleep(2000);
	lock_break(&lock, 8);
	CU_ASSERT_NOT_EQUAL(at_load(&lock), 0);
	lock_break(&lock, 9);
	join(1, t);
	CU_ASSERT_EQUAL(lock, 0);
}

/* ---- the segment ------------------------------------------------------------------------------ */

static void a_segment_is_checked(void)
{
	const struct chan_limits l = {
	    .nb_lcores = 2, .socks_per_lcore = 8, .fifo_bytes = 128 << 10};
	struct chan_head *head = aligned(sizeof(*head));
	struct chan_limits bad = l;
	uint64_t bytes = chan_bytes(&l);
	struct chan c;

	CU_ASSERT(bytes > 16 * 2 * (128 << 10));
	CU_ASSERT_FALSE(chan_open(&c, head, bytes));
	chan_make(head, &l);
	CU_ASSERT(chan_open(&c, head, bytes));
	CU_ASSERT_EQUAL(c.nb_socks, 16);
	CU_ASSERT_FALSE(chan_open(&c, head, bytes + 4096));
	CU_ASSERT_FALSE(chan_open(&c, head, 10));
	head->socks_per_lcore++;
	CU_ASSERT_FALSE(chan_open(&c, head, bytes));
	head->fifo_bytes = 100000;
	CU_ASSERT_FALSE(chan_open(&c, head, bytes));
	bad.fifo_bytes = 100000;
	CU_ASSERT_EQUAL(chan_bytes(&bad), 0);
	bad = l;
	bad.nb_lcores = CHAN_MAX_LCORES + 1;
	CU_ASSERT_EQUAL(chan_bytes(&bad), 0);
	free(head);
}

static void messages_carry_descriptors(void)
{
	uint32_t word_ = 7, got = 0;
	int pair[2], pipes[2], fd = -1;

	CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0 && pipe(pipes) == 0);
	CU_ASSERT_EQUAL(control_send(pair[0], &word_, sizeof(word_), pipes[1]), 0);
	CU_ASSERT_EQUAL(control_recv(pair[1], &got, sizeof(got), &fd), 0);
	CU_ASSERT_EQUAL(got, 7);
	CU_ASSERT_EQUAL(write(fd, "x", 1), 1);
	CU_ASSERT_EQUAL(read(pipes[0], &got, 1), 1);
	CU_ASSERT_EQUAL(control_send(pair[0], "ab", 2, -1), 0);
	CU_ASSERT_EQUAL(control_recv(pair[1], &got, sizeof(got), NULL), -EBADMSG);
	close(pair[0]);
	CU_ASSERT_EQUAL(control_recv(pair[1], &got, sizeof(got), NULL), -ECONNRESET);
	close(pair[1]);
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
}

/* whoever may attach cannot leave descriptors open at the other end that it knows nothing of */
static void no_descriptor_is_left(void)
{
	const uint32_t word_ = 7;
	uint32_t got = 0;
	int pair[2], fd = -1, *where[2] = {&fd, NULL};
	unsigned before;

	CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	before = files_count();
	for (unsigned nb = 1; nb <= 2; nb++) {
		for (int i = 0; i < 2; i++) {
			CU_ASSERT(files_send(pair[0], &word_, sizeof(word_), nb));
			CU_ASSERT_EQUAL(control_recv(pair[1], &got, sizeof(got), where[i]), 0);
			CU_ASSERT(got == 7 && (where[i] == NULL || (fd >= 0 && close(fd) == 0)));
			CU_ASSERT_EQUAL(files_count(), before);
			CU_ASSERT(files_send(pair[0], &word_, 2, nb));
			CU_ASSERT_EQUAL(control_recv(pair[1], &got, sizeof(got), where[i]),
			                -EBADMSG);
			CU_ASSERT_EQUAL(files_count(), before);
			CU_ASSERT(files_send(pair[0], &word_, 0, nb));
			CU_ASSERT_EQUAL(control_recv(pair[1], &got, sizeof(got), where[i]),
			                -ECONNRESET);
			CU_ASSERT(files_count() == before && (where[i] == NULL || fd == -1));
		}
	}
	close(pair[0]);
	close(pair[1]);
}

static const struct unit_case cases[] = {
    {"posts come once and in order", posts_come_once_and_in_order},
    {"a full post ring says so", a_full_post_ring_says_so},
    {"a cell left empty is filled", a_cell_left_empty_is_filled},
    {"words are taken once", words_are_taken_once},
    {"bytes come in order", bytes_come_in_order},
    {"fifo details", fifo_details},
    {"a fifo goes round its end", fifo_goes_round},
    {"a lock serialises", a_lock_serialises},
    {"a dead holder is put away", a_dead_holder_is_put_away},
    {"a segment is checked", a_segment_is_checked},
    {"messages carry descriptors", messages_carry_descriptors},
    {"no descriptor is left", no_descriptor_is_left},
};

UNIT_MAIN("chan/rings", cases)
