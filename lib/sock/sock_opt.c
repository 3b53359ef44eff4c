/* SPDX-License-Identifier: BSD-2-Clause */
/* Socket options: the calls, and the options that are not ints; for ints see sock_opt_int.c. */
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

/* as on Linux, a name of at most 15 bytes, NUL-terminated or not; ENOENT if it is unknown */
static int set_congestion(struct sockets *s, struct tcb *t, const char *name, socklen_t len)
{
	int index;

	if (len < 1)
		return -EINVAL;
	index = cc_find(name, strnlen(name, RTE_MIN((size_t)len, CC_NAME_MAX - 1u)));
	if (index < 0)
		return -ENOENT;
	cc_use(t, tcp_queues_if(s->tcp, t), (unsigned)index);
	return 0;
}

/* TCP_FASTOPEN_KEY, for the whole stack: a key, or a new one and an old one still accepted */
static int set_fastopen_key(struct sockets *s, const void *value, socklen_t len)
{
	const socklen_t size = sizeof(struct pc_sip_key);

	if (len != size && len != 2 * size)
		return -EINVAL;
	fastopen_set_keys(s->tcp, value, len > size ? (const char *)value + size : NULL);
	return 0;
}

/* As on Linux, 32 bits, or 64 if len allows; all ones: unlimited. Datagrams are not paced, as on
 * Linux without a queueing discipline that paces. */
static int set_max_pacing_rate(struct sockets *s, const struct sock_ref *ref, const void *value,
                               socklen_t len)
{
	uint64_t rate = UINT64_MAX;
	struct tcp_tuning want;
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
	if (ref->udp != NULL) {
		ref->udp->paced = rate + 1;
		return 0;
	}
	want = *tcp_tuning(s->tcp, ref->tcp);
	want.max_pacing_rate = rate + 1;
	return tcp_tune(s->tcp, ref->tcp, &want);
}

static int copy_result(const void *from, size_t size, void *value, socklen_t *len)
{
	size_t n = RTE_MIN((size_t)*len, size);

	memcpy(value, from, n);
	*len = (socklen_t)n;
	return 0;
}

static int get_max_pacing_rate(struct sockets *s, const struct sock_ref *ref, void *value,
                               socklen_t *len)
{
	const uint64_t rate =
	    (ref->udp != NULL ? ref->udp->paced : tcp_tuning(s->tcp, ref->tcp)->max_pacing_rate) -
	    1;
	const uint32_t narrow = (uint32_t)RTE_MIN(rate, (uint64_t)UINT32_MAX);

	return *len < sizeof(rate) ? copy_result(&narrow, sizeof(narrow), value, len)
	                           : copy_result(&rate, sizeof(rate), value, len);
}

/* Reads an option whose value is an int; *err is 0 or a negative errno. */
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
	*err = number < 0 && level != IPPROTO_TCP ? number : 0; /* those of TCP have no errors */
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

/* Says whether an option can be set at all, whatever the value. */
static bool has_option(struct sockets *s, const struct sock_ref *ref, int level, int name)
{
	const struct sock_option *o = sock_option_find(ref, level, name);
	int number;

	return (o != NULL && o->set != NULL) || sock_kept_has(ref, level, name) ||
	       (ref->udp != NULL && sock_udp_get(s, ref, level, name, &number) != -ENOPROTOOPT);
}

/* whether an IPPROTO_IP option takes an empty value as 0, */
static bool takes_nothing(int name)
{
	const uint64_t names =
	    UINT64_C(1) << IP_TOS | UINT64_C(1) << IP_RECVOPTS | UINT64_C(1) << IP_RETOPTS |
	    UINT64_C(1) << IP_PKTINFO | UINT64_C(1) << IP_MTU_DISCOVER | UINT64_C(1) << IP_RECVERR |
	    UINT64_C(1) << IP_RECVTTL | UINT64_C(1) << IP_RECVTOS | UINT64_C(1) << IP_PASSSEC |
	    UINT64_C(1) << IP_RECVORIGDSTADDR | UINT64_C(1) << IP_CHECKSUM |
	    UINT64_C(1) << IP_RECVFRAGSIZE | UINT64_C(1) << IP_BIND_ADDRESS_NO_PORT |
	    UINT64_C(1) << IP_RECVERR_RFC4884;

	return name >= 0 && name < 64 && (names >> name & 1);
}

/* and an IPPROTO_IPV6 one any value shorter than an int */
static bool takes_less(int name)
{
	return name == IPV6_AUTOFLOWLABEL || name == IPV6_DONTFRAG || name == IPV6_RECVFRAGSIZE;
}

/* As on Linux, IPPROTO_IP options are read from an int or a byte. */
static int read_number(int level, int name, const void *value, socklen_t len, int *number)
{
	*number = 0;
	if (len >= sizeof(*number))
		memcpy(number, value, sizeof(*number));
	else if (level == IPPROTO_IP && len >= 1)
		*number = *(const uint8_t *)value;
	else if (!(level == IPPROTO_IP && takes_nothing(name)) &&
	         !(level == IPPROTO_IPV6 && takes_less(name)))
		return -EINVAL;
	return 0;
}

/* ---- SO_TIMESTAMP_NEW and its kin ------------------------------------------------------------ */

/* Returns the old form of an option, which is identical where time_t has 64 bits; else name. */
static int old_name(int level, int name)
{
	if (level != SOL_SOCKET)
		return name;
	switch (name) {
	case SO_TIMESTAMP_NEW:
		return SO_TIMESTAMP_OLD;
	case SO_TIMESTAMPNS_NEW:
		return SO_TIMESTAMPNS_OLD;
	case SO_TIMESTAMPING_NEW:
		return SO_TIMESTAMPING_OLD;
	default:
		return name;
	}
}

static bool is_about_time(int level, int name)
{
	return level == SOL_SOCKET && (name == SO_TIMESTAMP_OLD || name == SO_TIMESTAMPNS_OLD ||
	                               name == SO_TIMESTAMPING_OLD);
}

/* Timestamp messages have the type of the option set last. */
static void note_time(const struct sock_ref *ref, bool is_new)
{
	if (ref->udp == NULL)
		return;
	if (is_new)
		ref->udp->tell |= UDP_TELL_NEW;
	else
		ref->udp->tell &= (uint16_t)~UDP_TELL_NEW;
}

/* Whether an option reads as off because its other form was set. */
static bool has_other_form(const struct sock_ref *ref, int old, bool is_new)
{
	return ref->udp != NULL && (old == SO_TIMESTAMP_OLD || old == SO_TIMESTAMPNS_OLD) &&
	       is_new != ((ref->udp->tell & UDP_TELL_NEW) != 0);
}

/* Whether a level belongs to another protocol's sockets. */
static bool is_others(const struct sock_ref *ref, int level)
{
	switch (level) {
	case SOL_SOCKET:
	case IPPROTO_IP:
		return false;
	case IPPROTO_IPV6:
		return !sock_is_ip6(ref);
	case IPPROTO_TCP:
		return ref->tcp == NULL;
	case IPPROTO_UDP:
		return ref->tcp != NULL;
	default: /* raw and packet sockets have levels of their own */
		return ref->tcp != NULL || ref->udp->kind == UDP_DATAGRAM;
	}
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
	if (level == IPPROTO_TCP && sock_is_ao(name) && ref.tcp != NULL)
		return (int)sock_fail(sock_ao_get(s, ref.tcp, name, value, len));
	if (level == SOL_SOCKET && name == SO_MAX_PACING_RATE)
		return get_max_pacing_rate(s, &ref, value, len);
	if (is_others(&ref, level))
		return (int)sock_fail(sock_is_ip6(&ref) ? -ENOPROTOOPT : -EOPNOTSUPP);
	if (level == IPPROTO_TCP && name == TCP_FASTOPEN_KEY)
		return copy_result(
		    s->tcp->fastopen.key,
		    sizeof(struct pc_sip_key) * (s->tcp->fastopen.has_backup ? 2 : 1), value, len);
	if (level == IPPROTO_TCP && name == TCP_CONGESTION) {
		char congestion[CC_NAME_MAX] = "";

		strcpy(congestion, cc_of(ref.tcp)->name);
		return copy_result(congestion, sizeof(congestion), value, len);
	}
	err = sock_group_get_filter(s, &ref, level, name, value, len);
	if (err == -ENOPROTOOPT)
		err = sock_told_get(st, fd, &ref, level, old_name(level, name), value, len);
	if (err == -ENOPROTOOPT)
		err = sock_plain_get(&ref, level, name, value, len);
	if (err != -ENOPROTOOPT)
		return (int)sock_fail(err);
	if (ref.udp != NULL) {
		const int old = old_name(level, name);

		if (is_about_time(level, old) && has_other_form(&ref, old, old != name)) {
			number = 0;
			return copy_result(&number, sizeof(number), value, len);
		}
		name = old;
	}
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

/* On Linux, SO_*BUFFORCE lets the privileged exceed the system's limit. Here the configuration's
 * limits apply to all. */
static int unforced(int level, int name)
{
	if (level != SOL_SOCKET)
		return name;
	return name == SO_RCVBUFFORCE ? SO_RCVBUF : name == SO_SNDBUFFORCE ? SO_SNDBUF : name;
}

/* As on Linux, the length is checked first, whatever the name. */
static bool needs_int(const struct sock_ref *ref, int level, int name)
{
	switch (level) {
	case SOL_SOCKET:
		return name != SO_BINDTODEVICE;
	case IPPROTO_TCP:
		return ref->tcp != NULL && name != TCP_CONGESTION && name != TCP_ULP &&
		       name != TCP_FASTOPEN_KEY;
	case IPPROTO_UDP:
		return ref->udp != NULL && ref->udp->kind == UDP_DATAGRAM;
	default:
		return false;
	}
}

static int set_int(struct sockets *s, const struct sock_ref *ref, int level, int name,
                   const void *value, socklen_t len)
{
	const int old =
	    ref->udp != NULL || name == SO_TIMESTAMPING_NEW ? old_name(level, name) : name;
	int number, err;

	if (!has_option(s, ref, level, old))
		return -ENOPROTOOPT;
	err = read_number(level, old, value, len, &number);
	if (err == 0)
		err = set_number(s, ref, level, old, number);
	if (err == 0 && is_about_time(level, old))
		note_time(ref, old != name);
	return err;
}

int pc_setsockopt(struct pc_stack *st, int fd, int level, int name, const void *value,
                  socklen_t len)
{
	struct sockets *s = sockets_of(st);
	struct sock_ref ref;
	int err;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	name = unforced(level, name);
	if (len < sizeof(int) && needs_int(&ref, level, name))
		return (int)sock_fail(-EINVAL);
	if (level == SOL_SOCKET && name == SO_LINGER) {
		if (len < sizeof(struct linger))
			return (int)sock_fail(-EINVAL);
		return set_linger(&ref, value);
	}
	if (level == SOL_SOCKET && name == SO_MAX_PACING_RATE)
		return (int)sock_fail(set_max_pacing_rate(s, &ref, value, len));
	if (level == IPPROTO_TCP && name == TCP_CONGESTION && ref.tcp != NULL)
		return (int)sock_fail(set_congestion(s, ref.tcp, value, len));
	if (level == IPPROTO_TCP && name == TCP_FASTOPEN_KEY && ref.tcp != NULL)
		return (int)sock_fail(set_fastopen_key(s, value, len));
	if (level == IPPROTO_TCP && (name == TCP_MD5SIG || name == TCP_MD5SIG_EXT) &&
	    ref.tcp != NULL)
		return (int)sock_fail(sock_auth_set(s, ref.tcp, name, value, len));
	if (level == IPPROTO_TCP && sock_is_ao(name) && ref.tcp != NULL)
		return (int)sock_fail(sock_ao_set(s, ref.tcp, name, value, len));
	if (ref.udp != NULL) {
		err = sock_group_set(s, &ref, level, name, value, len);
		if (err == -ENOPROTOOPT)
			err = sock_raw_set(s, &ref, level, name, value, len);
		if (err != -ENOPROTOOPT)
			return (int)sock_fail(err);
	}
	err = sock_told_set(&ref, level, name, value, len);
	if (err == -ENOPROTOOPT)
		err = sock_plain_set(&ref, level, name, value, len);
	if (err != -ENOPROTOOPT)
		return (int)sock_fail(err);
	return (int)sock_fail(set_int(s, &ref, level, name, value, len));
}
