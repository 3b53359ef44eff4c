/* SPDX-License-Identifier: BSD-2-Clause */
/* Socket options: those whose value is no int, and the calls; the others are a table (sock_opt_int.c). */
#include "sock/sock_opt.h"

#include <string.h>

#include "sock/sock_opt_kept.h"
#include "sock/sock_raw.h"
#include "sock/sock_udp.h"
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

/* An option whose value is an int; *err is 0 or why there is none. */
static int get_number(struct sockets *s, const struct sock_ref *ref, int level, int name, int *err)
{
	const struct sock_option *o;
	int number = 0;

	*err = ref->udp != NULL ? sock_udp_get(s, ref, level, name, &number) : -ENOPROTOOPT;
	if (*err == -ENOPROTOOPT && ref->udp != NULL)
		*err = sock_group_get(s, ref, level, name, &number);
	if (*err == -ENOPROTOOPT)
		*err = sock_kept_get(s, ref, level, name, &number);
	if (*err != -ENOPROTOOPT)
		return number;
	o = sock_option_find(ref, level, name);
	if (o == NULL)
		return 0;
	number = o->get(s, ref);
	*err = number < 0 ? number : 0;
	return number;
}

static int set_number(struct sockets *s, const struct sock_ref *ref, int level, int name,
                      int number)
{
	const struct sock_option *o;
	int err = ref->udp != NULL ? sock_udp_set(s, ref, level, name, number) : -ENOPROTOOPT;

	if (err == -ENOPROTOOPT)
		err = sock_kept_set(s, ref, level, name, number);
	if (err != -ENOPROTOOPT)
		return err;
	o = sock_option_find(ref, level, name);
	return o != NULL && o->set != NULL ? o->set(s, ref, number) : -ENOPROTOOPT;
}

/* Says whether an option can be set at all, before its value is looked at. */
static bool has_option(struct sockets *s, const struct sock_ref *ref, int level, int name)
{
	const struct sock_option *o = sock_option_find(ref, level, name);
	int number;

	return (o != NULL && o->set != NULL) || sock_kept_has(ref, level, name) ||
	       (ref->udp != NULL && sock_udp_get(s, ref, level, name, &number) != -ENOPROTOOPT);
}

/* Linux reads the options of IPPROTO_IP from an int or from a byte. */
static int read_number(int level, const void *value, socklen_t len, int *number)
{
	if (len >= sizeof(*number))
		memcpy(number, value, sizeof(*number));
	else if (level == IPPROTO_IP && len >= 1)
		*number = *(const uint8_t *)value;
	else
		return -EINVAL;
	return 0;
}

int pc_getsockopt(struct pc_stack *st, int fd, int level, int name, void *value, socklen_t *len)
{
	struct sockets *s = sockets_of(st);
	struct sock_ref ref;
	int number, err;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	if ((int)*len < 0)
		return (int)sock_fail(-EINVAL);
	if (level == SOL_SOCKET && name == SO_LINGER) {
		struct linger l = {.l_onoff = sock_has_flag(&ref, TCB_LINGER)};

		return copy_result(&l, sizeof(l), value, len);
	}
	if (level == IPPROTO_TCP && name == TCP_INFO && ref.tcp != NULL) {
		tcp_info_copy(s->tcp, ref.tcp, value, len);
		return 0;
	}
	if (level == SOL_SOCKET && name == SO_MAX_PACING_RATE && ref.tcp != NULL)
		return get_max_pacing_rate(s, ref.tcp, value, len);
	if ((level == IPPROTO_TCP && ref.udp != NULL) ||
	    (level == IPPROTO_IPV6 && !sock_is_ip6(&ref)))
		return (int)sock_fail(sock_is_ip6(&ref) ? -ENOPROTOOPT : -EOPNOTSUPP);
	if (level == IPPROTO_TCP && name == TCP_FASTOPEN_KEY)
		return copy_result(s->tcp->fastopen.key,
		                   sizeof(struct sip_key) * (s->tcp->fastopen.has_backup ? 2 : 1),
		                   value, len);
	if (level == IPPROTO_TCP && name == TCP_CONGESTION) {
		char congestion[CC_NAME_MAX] = "";

		strcpy(congestion, cc_of(ref.tcp)->name);
		return copy_result(congestion, sizeof(congestion), value, len);
	}
	err = sock_told_get(st, fd, &ref, level, name, value, len);
	if (err != -ENOPROTOOPT)
		return (int)sock_fail(err);
	number = get_number(s, &ref, level, name, &err);
	if (err != 0)
		return (int)sock_fail(err);
	if (level == IPPROTO_IP && *len > 0 && *len < sizeof(number) && number >= 0 &&
	    number <= 255) {
		const uint8_t byte = (uint8_t)number;

		return copy_result(&byte, sizeof(byte), value, len);
	}
	return copy_result(&number, sizeof(number), value, len);
}

/* Linux: past the system's limit, for the privileged. Here the limits are the configuration's for everybody. */
static int unforced(int level, int name)
{
	if (level != SOL_SOCKET)
		return name;
	return name == SO_RCVBUFFORCE ? SO_RCVBUF : name == SO_SNDBUFFORCE ? SO_SNDBUF : name;
}

int pc_setsockopt(struct pc_stack *st, int fd, int level, int name, const void *value,
                  socklen_t len)
{
	struct sockets *s = sockets_of(st);
	struct sock_ref ref;
	int number, err;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	name = unforced(level, name);
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
	if (ref.udp != NULL) {
		err = sock_group_set(s, &ref, level, name, value, len);
		if (err == -ENOPROTOOPT)
			err = sock_raw_set(s, &ref, level, name, value, len);
		if (err != -ENOPROTOOPT)
			return (int)sock_fail(err);
	}
	err = sock_told_set(&ref, level, name, value, len);
	if (err != -ENOPROTOOPT)
		return (int)sock_fail(err);
	if (!has_option(s, &ref, level, name))
		return (int)sock_fail(-ENOPROTOOPT);
	err = read_number(level, value, len, &number);
	return (int)sock_fail(err != 0 ? err : set_number(s, &ref, level, name, number));
}
