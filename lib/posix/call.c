/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls to lcores: a block of the process slot is filled in, posted and waited for. */
#include "posix/client.h"
#include "posix/sock.h"
#include "posix/wait.h"

#include <sched.h>
#include <string.h>

#define SPINS 1000

/* Returns NULL if the host is gone: then no block will become free. */
static struct chan_call *take_block(uint32_t *index)
{
	struct chan_proc *p = chan_proc(client.chan, client.proc);

	while (!client_is_down()) {
		for (uint32_t i = 0; i < CHAN_CALLS; i++) {
			uint32_t expected = CHAN_CALL_FREE;

			if (at_load(&p->call[i].state) == CHAN_CALL_FREE &&
			    at_cas(&p->call[i].state, &expected, CHAN_CALL_POSTED)) {
				*index = i;
				return &p->call[i];
			}
		}
		(void)sched_yield(); /* more threads than blocks */
	}
	return NULL;
}

/* Returns false if the host is gone. */
static bool wait_answer(struct chan_call *c)
{
	for (int i = 0; i < SPINS && !client.driver; i++) {
		if (at_load(&c->state) == CHAN_CALL_DONE)
			return true;
		at_relax();
	}
	while (client.driver != NULL && at_load(&c->state) != CHAN_CALL_DONE)
		client_drive_or_sleep(now_ns() + 100000);
	at_store_sc(&c->armed, 1);
	while (at_load_sc(&c->state) != CHAN_CALL_DONE) {
		if (client_is_down())
			return false;
		/* the host's exit does not change the word, so its wake-up may precede the sleep */
		(void)client_sleep(CHAN_NONE, &c->state, CHAN_CALL_POSTED, UINT64_MAX - 1);
	}
	return true;
}

int64_t call_lcore(uint32_t lcore, struct call *call)
{
	struct chan *chan = client.chan;
	struct chan_call *c;
	uint32_t index;
	int64_t result;

	c = take_block(&index);
	if (c == NULL)
		return -ENETDOWN;
	at_store(&c->armed, 0);
	c->op = call->op;
	c->sock = call->sock;
	c->a = call->a;
	c->b = call->b;
	c->c = call->c;
	c->len = call->in != NULL ? call->in_len : call->out_len;
	if (call->in != NULL)
		memcpy(c->data, call->in,
		       call->in_len < CHAN_CALL_DATA ? call->in_len : CHAN_CALL_DATA);
	while (!post_push(chan_post(chan, client.proc, lcore), chan->post_cells,
	                  CHAN_POST_CALL | index))
		if (client_is_down())
			return -ENETDOWN;
	chan_wake_lcore(chan, lcore);
	if (!wait_answer(c))
		return -ENETDOWN; /* the block stays with the lcore for good */
	result = c->result;
	if (call->out != NULL && result >= 0) {
		uint32_t n = c->len < CHAN_CALL_DATA ? c->len : CHAN_CALL_DATA;

		memcpy(call->out, c->data, n < call->out_len ? n : call->out_len);
		call->out_len = c->len;
	}
	if (call->secret)
		explicit_bzero(c->data, sizeof(c->data));
	at_store(&c->state, CHAN_CALL_FREE);
	return result;
}

int64_t call_sock(uint32_t sock, enum chan_op op, int32_t a, int32_t b, const void *in,
                  uint32_t in_len)
{
	struct call c = {.op = op,
	                 .sock = sock,
	                 .a = a,
	                 .b = b,
	                 .in = in,
	                 .in_len = in_len,
	                 .secret = op == CHAN_OP_SETSOCKOPT && option_is_key(a, b)};

	return call_lcore(chan_sock(client.chan, sock)->lcore, &c);
}
