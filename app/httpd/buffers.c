/* SPDX-License-Identifier: BSD-2-Clause */
#include "buffers.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int buffers_init(struct buffers *p, uint32_t n, uint32_t capacity)
{
	const size_t line = 64;

	*p = (struct buffers){.capacity = capacity};
	p->stride = (sizeof(struct buffer) + capacity + line - 1) / line * line;
	p->base = aligned_alloc(line, n * p->stride);
	if (p->base == NULL)
		return -ENOMEM;
	for (uint32_t i = n; i > 0; i--) {
		buffers_get(p, i)->next = p->free;
		p->free = i;
	}
	return 0;
}

void buffers_fini(struct buffers *p)
{
	free(p->base);
}

uint32_t buffers_take(struct buffers *p, uint32_t owner)
{
	const uint32_t number = p->free;
	struct buffer *b;

	if (number == 0)
		return 0;
	b = buffers_get(p, number);
	p->free = b->next;
	b->next = 0;
	b->prev = p->newest;
	b->owner = owner;
	b->len = b->done = 0;
	b->in_body = false;
	http_request_init(&b->request);
	if (p->newest != 0)
		buffers_get(p, p->newest)->next = number;
	else
		p->oldest = number;
	p->newest = number;
	p->used++;
	return number;
}

void buffers_give(struct buffers *p, uint32_t number)
{
	struct buffer *b = buffers_get(p, number);

	assert(p->used > 0);
	if (b->next != 0)
		buffers_get(p, b->next)->prev = b->prev;
	else
		p->newest = b->prev;
	if (b->prev != 0)
		buffers_get(p, b->prev)->next = b->next;
	else
		p->oldest = b->next;
	b->next = p->free;
	p->free = number;
	p->used--;
}
