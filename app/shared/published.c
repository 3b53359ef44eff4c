/* SPDX-License-Identifier: BSD-2-Clause */
#include "published.h"

#include <string.h>

void published_begin(struct published *p, const void *table)
{
	memset(p, 0, sizeof(*p));
	pthread_mutex_init(&p->lock, NULL);
	atomic_init(&p->current, table);
	atomic_init(&p->generation, 1);
}

void published_end(struct published *p)
{
	pthread_mutex_destroy(&p->lock);
}

struct published_reader *published_attach(struct published *p)
{
	struct published_reader *reader = p->readers, *const end = reader + PUBLISHED_READERS;

	pthread_mutex_lock(&p->lock);
	while (reader < end && atomic_load(&reader->seen) != 0)
		reader++;
	if (reader < end)
		atomic_store(&reader->seen, atomic_load(&p->generation));
	pthread_mutex_unlock(&p->lock);
	return reader < end ? reader : NULL;
}

void published_leave(struct published_reader *reader)
{
	atomic_store_explicit(&reader->seen, 0, memory_order_release);
}

const void *published_replace(struct published *p, const void *table, uint64_t *generation)
{
	const void *old;

	pthread_mutex_lock(&p->lock);
	old = atomic_exchange(&p->current, table);
	*generation = atomic_fetch_add(&p->generation, 1) + 1;
	pthread_mutex_unlock(&p->lock);
	return old;
}

bool published_is_left(struct published *p, uint64_t generation)
{
	bool left = true;

	pthread_mutex_lock(&p->lock);
	for (unsigned i = 0; i < PUBLISHED_READERS; i++) {
		const uint64_t seen =
		    atomic_load_explicit(&p->readers[i].seen, memory_order_acquire);

		left = left && (seen == 0 || seen >= generation);
	}
	pthread_mutex_unlock(&p->lock);
	return left;
}
