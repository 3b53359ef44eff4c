/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys for signed segments: TCP_MD5SIG and TCP_MD5SIG_EXT, with values checked as on Linux. */
#include <stddef.h>
#include <string.h>

#include "sock/sock_opt.h"
#include "tcp/auth_key.h"

/* a tcpm_flags bit, and the offset of tcpm_ifindex, which the C library's header lacks */
#define FLAG_IFINDEX 2
#define IFINDEX_AT   (offsetof(struct tcp_md5sig, tcpm_key) - sizeof(int))

#define IP4_BITS (128 - 32) /* in front of an IPv4 prefix */

static int read_addr(const struct tcb *t, const struct tcp_md5sig *k, struct pc_prefix *peers)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (k->tcpm_addr.ss_family != (t->flags & TCB_IP6 ? AF_INET6 : AF_INET))
		return -EINVAL;
	if (t->flags & TCB_IP6) {
		memcpy(&in6, &k->tcpm_addr, sizeof(in6));
		memcpy(&peers->addr, &in6.sin6_addr, sizeof(peers->addr));
	} else {
		memcpy(&in, &k->tcpm_addr, sizeof(in));
		peers->addr = pc_addr_ip4(in.sin_addr.s_addr);
	}
	peers->len = 128;
	return 0;
}

/* the prefix of an IPv4 address, in either family's form, counts IPv4's bits */
static int read_prefix(const struct tcp_md5sig *k, struct pc_prefix *peers)
{
	const bool ip4 = pc_addr_is_ip4(&peers->addr);

	if (k->tcpm_prefixlen > (ip4 ? 32 : 128))
		return -EINVAL;
	peers->len = (uint8_t)(k->tcpm_prefixlen + (ip4 ? IP4_BITS : 0));
	return 0;
}

/* on Linux this must be an L3 master device (VRF); none is one here */
static bool names_device(const struct tcp_md5sig *k)
{
	int index;

	memcpy(&index, (const char *)k + IFINDEX_AT, sizeof(index));
	return (k->tcpm_flags & FLAG_IFINDEX) && index != 0;
}

int sock_auth_set(struct sockets *s, struct tcb *t, int name, const void *value, socklen_t len)
{
	const bool extended = name == TCP_MD5SIG_EXT;
	struct pc_prefix peers;
	struct tcp_md5sig k;
	int err;

	if (!auth_is_there())
		return -ENOPROTOOPT;
	if (len < sizeof(k))
		return -EINVAL;
	memcpy(&k, value, sizeof(k));
	err = read_addr(t, &k, &peers);
	if (err == 0 && extended && (k.tcpm_flags & TCP_MD5SIG_FLAG_PREFIX))
		err = read_prefix(&k, &peers);
	if (err == 0 && ((extended && names_device(&k)) || k.tcpm_keylen > AUTH_KEY_MAX))
		err = -EINVAL;
	if (err == 0)
		err = auth_set(s->tcp, t, &peers, k.tcpm_key, k.tcpm_keylen);
	explicit_bzero(&k, sizeof(k));
	return err;
}

/* writes a key's address in the form of the socket's family */
static void write_addr(const struct tcb *t, const struct pc_prefix *peers, struct tcp_md5sig *k)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in = {.sin_family = AF_INET};

	k->tcpm_flags = TCP_MD5SIG_FLAG_PREFIX;
	k->tcpm_prefixlen = peers->len;
	if (pc_addr_is_ip4(&peers->addr))
		k->tcpm_prefixlen = (uint8_t)(peers->len - IP4_BITS);
	if (t->flags & TCB_IP6) {
		memcpy(&in6.sin6_addr, &peers->addr, sizeof(in6.sin6_addr));
		memcpy(&k->tcpm_addr, &in6, sizeof(in6));
	} else {
		in.sin_addr.s_addr = peers->addr.w[3];
		memcpy(&k->tcpm_addr, &in, sizeof(in));
	}
}

int pc_get_md5sig(struct pc_stack *st, int fd, unsigned n, struct tcp_md5sig *key)
{
	struct sockets *s = sockets_of(st);
	const struct auth_key *k;
	struct sock_ref ref;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	if (ref.tcp == NULL)
		return (int)sock_fail(-ENOPROTOOPT);
	k = auth_nth(s->tcp, ref.tcp, n);
	if (k == NULL)
		return (int)sock_fail(-ENOENT);
	*key = (struct tcp_md5sig){.tcpm_keylen = k->len};
	memcpy(key->tcpm_key, k->bytes, k->len);
	write_addr(ref.tcp, &k->peers, key);
	return 0;
}
