/* SPDX-License-Identifier: BSD-2-Clause */
#include "buffers.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int buffers_init(struct buffers *p, uint32_t n, uint32_t capacity)
{
	const size_t line = 64;

	*p = (struct buffers){.capacity = capacity, .n = n};
	p->stride = (sizeof(struct buffer) + capacity + line - 1) / line * line;
	p->base = aligned_alloc(line, n * p->stride);
	return p->base != NULL ? 0 : -ENOMEM;
}

void buffers_fini(struct buffers *p)
{
	free(p->base);
}

/* Takes a buffer that was never used only as a last resort: its memory is not allocated yet. */
static uint32_t take_free(struct buffers *p)
{
	const uint32_t number = p->free;

	if (number != 0)
		p->free = buffers_get(p, number)->next;
	else if (p->touched < p->n)
		return ++p->touched;
	return number;
}

uint32_t buffers_take(struct buffers *p, uint32_t owner)
{
	const uint32_t number = take_free(p);
	struct buffer *b;

	if (number == 0)
		return 0;
	b = buffers_get(p, number);
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
