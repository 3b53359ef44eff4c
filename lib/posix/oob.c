/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Urgent bytes of a stream (tcp(7), SO_OOBINLINE and MSG_OOB), as Linux's tcp_recvmsg() handles
 * them.
 *
 * Every byte is in the rx fifo, the urgent one too.  The lcore publishes its value (urgent) as soon
 * as the stack has it, and its position (rx_mark) when it puts the byte into the fifo, before the
 * byte can be read.  Whether a read passes over it is decided at the time of the read.
 *
 * A mark ends when the reader is past it; then the byte is forgotten, unless the lcore has set
 * another meanwhile.
 */
#include "posix/client.h"
#include "posix/reader.h"
#include "posix/user.h"

static bool is_inline(const struct chan_sock *s)
{
	return (at_load(&s->tells) & CHAN_TELL_INLINE) != 0;
}

/* The position where a reader at pos really is: after bytes that are passed over. */
static uint64_t behind_holes(const struct chan_sock *s, uint64_t pos)
{
	const uint64_t end = at_load(&s->rx_hole_end);

	return pos < end && pos >= at_load(&s->rx_hole) ? end : pos;
}

struct oob_view oob_look(const struct chan_sock *s, uint32_t skip)
{
	const uint64_t pos = at_load(&s->rx.tail) + skip, at = behind_holes(s, pos);
	const uint64_t mark = at_load(&s->rx_mark); /* the position plus one; 0: none */
	struct oob_view v = {.most = SIZE_MAX, .hole = (uint32_t)(at - pos)};

	v.at_mark = mark == at + 1;
	if (v.at_mark && !is_inline(s))
		v.hole++;
	else if (mark > at + 1)
		v.most = mark - 1 - at;
	return v;
}

uint64_t oob_bytes(const struct chan_sock *s, uint64_t bytes)
{
	const struct oob_view v = oob_look(s, 0);

	if (v.at_mark && !is_inline(s))
		return 0;
	bytes -= v.hole < bytes ? v.hole : bytes;
	return v.most < bytes && !is_inline(s) ? v.most : bytes;
}

void oob_passed(struct chan_sock *s)
{
	uint32_t urgent = at_load(&s->urgent);
	const uint64_t mark = at_load(&s->rx_mark);

	if (urgent != 0 && mark != 0 && mark - 1 < at_load(&s->rx.tail))
		(void)at_cas(&s->urgent, &urgent, urgent & ~(CHAN_URGENT_ONE - 1));
}

bool oob_is_told(const struct chan_sock *s)
{
	return (at_load(&s->urgent) & CHAN_URGENT_HERE) != 0;
}

ssize_t oob_take(struct chan_sock *s, const struct iovec *v, size_t n, int flags)
{
	uint32_t urgent = at_load(&s->urgent);
	uint32_t taken;

	do {
		const uint32_t state = urgent & CHAN_URGENT_STATE;

		if (is_inline(s) || state == CHAN_URGENT_TAKEN)
			return -EINVAL;
		if (state == 0 && !(at_load(&s->flags) & CHAN_PRI))
			return -EINVAL;
		if (state == 0)
			return at_load(&s->flags) & (CHAN_RX_END | CHAN_RX_SHUT) ? 0 : -EAGAIN;
		taken = (urgent & ~(CHAN_URGENT_ONE - 1)) | CHAN_URGENT_TAKEN;
	} while (!(flags & MSG_PEEK) && !at_cas(&s->urgent, &urgent, taken));
	while (n > 0 && v->iov_len == 0)
		v++, n--;
	if (n == 0)
		return 0;
	if (!(flags & MSG_TRUNC) && !user_may_be(v->iov_base, 1))
		return -EFAULT;
	if (!(flags & MSG_TRUNC))
		*(uint8_t *)v->iov_base = (uint8_t)urgent;
	return 1;
}
