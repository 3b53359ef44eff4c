/* SPDX-License-Identifier: BSD-2-Clause */

/* Keys for signed segments: reading them, and copying them to another socket. */

#include <assert.h>
#include <netinet/tcp.h>
#include <string.h>

#include <percore/tcp_ao.h>

#include "posix/client.h"
#include "posix/sock.h"
#include "posix/user.h"

bool option_is_key(int level, int name)
{
	return level == IPPROTO_TCP && (name == TCP_MD5SIG || name == TCP_MD5SIG_EXT ||
	                                (name >= TCP_AO_ADD_KEY && name <= TCP_AO_INFO));
}

int64_t sock_key(uint32_t sock, int32_t n, struct tcp_md5sig *key)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	struct call c = {.op = CHAN_OP_MD5SIG,
	                 .sock = sock,
	                 .a = n,
	                 .out = key,
	                 .out_len = sizeof(*key),
	                 .secret = true};

	return at_load(&s->keys) ? call_lcore(s->lcore, &c) : -ENOENT;
}

int64_t sock_ao_key(uint32_t sock, const struct tcp_ao_getsockopt *question, int32_t n,
                    struct tcp_ao_getsockopt *key)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	struct call c = {.op = CHAN_OP_AO_KEY,
	                 .sock = sock,
	                 .a = n,
	                 .in = question,
	                 .in_len = sizeof(*question),
	                 .out = key,
	                 .out_len = sizeof(*key),
	                 .secret = true};

	static_assert(sizeof(*key) <= CHAN_CALL_DATA, "a key is the answer to one call");
	return call_lcore(s->lcore, &c);
}

bool sock_nth_ao_key(uint32_t sock, int32_t n, struct tcp_ao_add *key)
{
	const struct tcp_ao_getsockopt all = {.get_all = 1};
	struct tcp_ao_getsockopt k;

	if (!at_load(&chan_sock(client.chan, sock)->keys) || sock_ao_key(sock, &all, n, &k) <= n)
		return false;
	*key = (struct tcp_ao_add){.addr = k.addr,
	                           .set_current = k.is_current,
	                           .set_rnext = k.is_rnext,
	                           .prefix = k.prefix,
	                           .sndid = k.sndid,
	                           .rcvid = k.rcvid,
	                           .maclen = k.maclen,
	                           .keyflags = k.keyflags,
	                           .keylen = k.keylen};
	memcpy(key->alg_name, k.alg_name, sizeof(k.alg_name));
	memcpy(key->key, k.key, sizeof(k.key));
	explicit_bzero(&k, sizeof(k));
	return true;
}

bool sock_ao_info(uint32_t sock, struct tcp_ao_info_opt *info)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	struct call c = {.op = CHAN_OP_GETSOCKOPT,
	                 .sock = sock,
	                 .a = IPPROTO_TCP,
	                 .b = TCP_AO_INFO,
	                 .out = info,
	                 .out_len = sizeof(*info)};

	return at_load(&s->keys) && call_lcore(s->lcore, &c) == 0;
}

static int64_t copy_ao(uint32_t from, uint32_t to)
{
	struct tcp_ao_info_opt info;
	struct tcp_ao_add key;
	int64_t rc = 0;

	for (int32_t n = 0; rc == 0 && sock_nth_ao_key(from, n, &key); n++)
		rc = call_sock(to, CHAN_OP_SETSOCKOPT, IPPROTO_TCP, TCP_AO_ADD_KEY, &key,
		               sizeof(key));
	explicit_bzero(&key, sizeof(key));
	if (rc == 0 && sock_ao_info(from, &info))
		rc = call_sock(to, CHAN_OP_SETSOCKOPT, IPPROTO_TCP, TCP_AO_INFO, &info,
		               sizeof(info));
	return rc;
}

int64_t sock_copy_keys(uint32_t from, uint32_t to)
{
	struct tcp_md5sig key;
	int64_t rc = 0;

	for (int32_t n = 0; rc == 0; n++) {
		rc = sock_key(from, n, &key);
		if (rc == 0)
			rc = call_sock(to, CHAN_OP_SETSOCKOPT, IPPROTO_TCP, TCP_MD5SIG_EXT, &key,
			               sizeof(key));
	}
	explicit_bzero(&key, sizeof(key));
	return rc == -ENOENT ? copy_ao(from, to) : rc;
}

/* Copies the keys that fit to value, each of them by way of key. Returns how many there are, or -errno. */
static int64_t copy_ao_keys(uint32_t sock, char *value, size_t step,
                            const struct tcp_ao_getsockopt *question, struct tcp_ao_getsockopt *key)
{
	const size_t size = step < sizeof(*key) ? step : sizeof(*key);
	int64_t found;
	uint32_t n = 0;

	do {
		found = sock_ao_key(sock, question, (int32_t)n, key);
		if (found < 0)
			return found;
		if (n >= (uint64_t)found || n >= question->nkeys)
			break;
		if (user_out(value + n * step, (uint32_t)size) != 0)
			return -EFAULT;
		memcpy(value + n * step, key, size);
	} while (++n < (uint64_t)found && n < question->nkeys);
	return found;
}

/* As in the kernel, value is an array and *len the size of one element. */
int64_t sock_get_ao_keys(uint32_t sock, void *value, socklen_t *len)
{
	struct tcp_ao_getsockopt question = {0}, key;
	const size_t step = *len, size = step < sizeof(key) ? step : sizeof(key);
	int64_t found;
	uint32_t n;

	if (step == 0)
		return -EINVAL;
	found = user_in(value, (uint32_t)size);
	if (found < 0)
		return found;
	memcpy(&question, value, size);
	found = copy_ao_keys(sock, value, step, &question, &key);
	explicit_bzero(&key, sizeof(key));
	if (found < 0)
		return found;
	n = (uint32_t)found;
	if (size >= offsetof(struct tcp_ao_getsockopt, nkeys) + sizeof(n))
		memcpy((char *)value + offsetof(struct tcp_ao_getsockopt, nkeys), &n, sizeof(n));
	*len = sizeof(key);
	return 0;
}
