/* SPDX-License-Identifier: BSD-2-Clause */
/* Socket options: those whose value is no int, and the calls; the others are a table (sock_opt_int.c). */
#include "sock/sock_opt.h"

#include <string.h>

#include "sock/tcp_info.h"
#include "tcp/cc.h"
#include "tcp/fastopen.h"
#include "tcp/tcp_conn.h"

static int set_linger(const struct sock_ref *ref, const struct linger *l)
{
	sock_set_flag(ref, TCB_LINGER, l->l_onoff);
	return sock_set_flag(ref, TCB_LINGER_0, l->l_onoff && l->l_linger == 0);
}

/* Linux: a name of at most 15 bytes, with or without its end; ENOENT for one that nobody has */
static int set_congestion(struct sockets *s, struct tcb *t, const char *name, socklen_t len)
{
	int index;

	if (len < 1)
		return -EINVAL;
	index = cc_find(name, strnlen(name, RTE_MIN((size_t)len, CC_NAME_MAX - 1u)));
	if (index < 0)
		return -ENOENT;
	cc_use(t, tcp_queues(s->tcp, t), (unsigned)index);
	return 0;
}

/* TCP_FASTOPEN_KEY, of the whole stack: a key, or a new one and an old one that is still good */
static int set_fastopen_key(struct sockets *s, const void *value, socklen_t len)
{
	const socklen_t size = sizeof(struct sip_key);

	if (len != size && len != 2 * size)
		return -EINVAL;
	fastopen_set_keys(s->tcp, value, len > size ? (const char *)value + size : NULL);
	return 0;
}

/* Linux: 32 bits, or 64 where there is room for them; all ones: unlimited */
static int set_max_pacing_rate(struct sockets *s, struct tcb *t, const void *value, socklen_t len)
{
	struct tcp_tuning want = *tcp_tuning(s->tcp, t);
	uint64_t rate = UINT64_MAX;
	uint32_t narrow;

	if (len < sizeof(narrow))
		return -EINVAL;
	if (len >= sizeof(rate)) {
		memcpy(&rate, value, sizeof(rate));
	} else {
		memcpy(&narrow, value, sizeof(narrow));
		if (narrow != UINT32_MAX)
			rate = narrow;
	}
	/* 0 would stop the connection for good: as slow as can be, as on Linux */
	want.max_pacing_rate = rate == UINT64_MAX ? 0 : RTE_MAX(rate, UINT64_C(1));
	return tcp_tune(s->tcp, t, &want);
}

static int copy_result(const void *from, size_t size, void *value, socklen_t *len)
{
	size_t n = RTE_MIN((size_t)*len, size);

	memcpy(value, from, n);
	*len = (socklen_t)n;
	return 0;
}

static int get_max_pacing_rate(struct sockets *s, const struct tcb *t, void *value, socklen_t *len)
{
	uint64_t rate = tcp_tuning(s->tcp, t)->max_pacing_rate;
	uint32_t narrow;

	if (rate == 0)
		rate = UINT64_MAX;
	narrow = (uint32_t)RTE_MIN(rate, (uint64_t)UINT32_MAX);
	return *len < sizeof(rate) ? copy_result(&narrow, sizeof(narrow), value, len)
	                           : copy_result(&rate, sizeof(rate), value, len);
}

int pc_getsockopt(struct pc_stack *st, int fd, int level, int name, void *value, socklen_t *len)
{
	struct sockets *s = sockets_of(st);
	const struct sock_option *o;
	struct sock_ref ref;
	int number;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	if ((int)*len < 0)
		return (int)sock_fail(-EINVAL);
	if (level == SOL_SOCKET && name == SO_LINGER) {
		struct linger l = {.l_onoff = sock_has_flag(&ref, TCB_LINGER)};

		return copy_result(&l, sizeof(l), value, len);
	}
	if (level == IPPROTO_TCP && name == TCP_INFO && ref.tcp != NULL) {
		struct tcp_info info;

		tcp_info_fill(s->tcp, ref.tcp, &info);
		return copy_result(&info, sizeof(info), value, len);
	}
	if (level == SOL_SOCKET && name == SO_MAX_PACING_RATE && ref.tcp != NULL)
		return get_max_pacing_rate(s, ref.tcp, value, len);
	if (level == IPPROTO_TCP && ref.udp != NULL)
		return (int)sock_fail(-EOPNOTSUPP);
	if (level == IPPROTO_TCP && name == TCP_FASTOPEN_KEY)
		return copy_result(s->tcp->fastopen.key,
		                   sizeof(struct sip_key) * (s->tcp->fastopen.has_backup ? 2 : 1),
		                   value, len);
	if (level == IPPROTO_TCP && name == TCP_CONGESTION) {
		char congestion[CC_NAME_MAX] = "";

		strcpy(congestion, cc_of(ref.tcp)->name);
		return copy_result(congestion, sizeof(congestion), value, len);
	}
	o = sock_option_find(&ref, level, name);
	if (o == NULL)
		return (int)sock_fail(-ENOPROTOOPT);
	number = o->get(s, &ref);
	if (number < 0)
		return (int)sock_fail(number);
	return copy_result(&number, sizeof(number), value, len);
}

int pc_setsockopt(struct pc_stack *st, int fd, int level, int name, const void *value,
                  socklen_t len)
{
	struct sockets *s = sockets_of(st);
	const struct sock_option *o;
	struct sock_ref ref;
	int number;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	if (level == SOL_SOCKET && name == SO_LINGER) {
		if (len < sizeof(struct linger))
			return (int)sock_fail(-EINVAL);
		return set_linger(&ref, value);
	}
	if (level == SOL_SOCKET && name == SO_MAX_PACING_RATE && ref.tcp != NULL)
		return (int)sock_fail(set_max_pacing_rate(s, ref.tcp, value, len));
	if (level == IPPROTO_TCP && name == TCP_CONGESTION && ref.tcp != NULL)
		return (int)sock_fail(set_congestion(s, ref.tcp, value, len));
	if (level == IPPROTO_TCP && name == TCP_FASTOPEN_KEY && ref.tcp != NULL)
		return (int)sock_fail(set_fastopen_key(s, value, len));
	o = sock_option_find(&ref, level, name);
	if (o == NULL || o->set == NULL)
		return (int)sock_fail(-ENOPROTOOPT);
	if (len < sizeof(number))
		return (int)sock_fail(-EINVAL);
	memcpy(&number, value, sizeof(number));
	return (int)sock_fail(o->set(s, &ref, number));
}
