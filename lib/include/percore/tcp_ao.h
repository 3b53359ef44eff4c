/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_TCP_AO_H
#define PERCORE_TCP_AO_H

/*
 * TCP-AO (RFC 5925) as in linux/tcp.h since Linux 6.7, and in newer versions of the C library's
 * netinet/tcp.h (where alg_name is of int8_t and uint8_t), for machines whose headers are older.
 * Names, values and layouts are the kernel's. A program that also includes linux/tcp.h has to do so
 * first.
 */

#include <stdint.h>
#include <sys/socket.h>
#ifndef _UAPI_LINUX_TCP_H
#include <netinet/tcp.h>
#endif

/* options of IPPROTO_TCP */
#ifndef TCP_AO_ADD_KEY
#define TCP_AO_ADD_KEY 38 /**< struct tcp_ao_add */
#endif
#ifndef TCP_AO_DEL_KEY
#define TCP_AO_DEL_KEY 39 /**< struct tcp_ao_del */
#endif
#ifndef TCP_AO_INFO
#define TCP_AO_INFO 40 /**< struct tcp_ao_info_opt, set and get */
#endif
#ifndef TCP_AO_GET_KEYS
#define TCP_AO_GET_KEYS 41 /**< struct tcp_ao_getsockopt [], get only */
#endif

#ifndef TCP_AO_MAXKEYLEN
#define TCP_AO_MAXKEYLEN 80
#endif

#ifndef TCP_AO_KEYF_EXCLUDE_OPT
#define TCP_AO_KEYF_IFINDEX     (1 << 0) /**< ifindex is valid */
#define TCP_AO_KEYF_EXCLUDE_OPT (1 << 1) /**< the MAC does not cover other TCP options */

/** TCP_AO_ADD_KEY: a key (master key tuple, RFC 5925 section 3.1). */
struct tcp_ao_add {
	struct sockaddr_storage addr; /**< of the peers; the port is 0 */
	char alg_name[64];            /**< "hmac(sha1)", "hmac(sha256)", "cmac(aes128)" */
	int32_t ifindex;
	uint32_t set_current : 1, /**< sign with it at once */
	    set_rnext : 1,        /**< ask the peer to sign with it */
	    reserved : 30;        /**< 0 */
	uint16_t reserved2;       /**< 0 */
	uint8_t prefix;           /**< length of the prefix of addr, in bits */
	uint8_t sndid;            /**< KeyID of segments sent (SendID) */
	uint8_t rcvid;            /**< KeyID of segments received (RecvID) */
	uint8_t maclen;           /**< bytes of a MAC; 0: 12 */
	uint8_t keyflags;         /**< TCP_AO_KEYF_* */
	uint8_t keylen;           /**< bytes of key */
	uint8_t key[TCP_AO_MAXKEYLEN];
} __attribute__((aligned(8)));

/** TCP_AO_DEL_KEY: the key to remove, and those to use instead. */
struct tcp_ao_del {
	struct sockaddr_storage addr;
	int32_t ifindex;
	uint32_t set_current : 1, /**< current_key is valid */
	    set_rnext : 1,        /**< rnext is valid */
	    del_async : 1,        /**< listeners only */
	    reserved : 29;        /**< 0 */
	uint16_t reserved2;       /**< 0 */
	uint8_t prefix;
	uint8_t sndid;
	uint8_t rcvid;
	uint8_t current_key; /**< sndid of the key to sign with */
	uint8_t rnext;       /**< rcvid of the key to ask the peer for */
	uint8_t keyflags;
} __attribute__((aligned(8)));

/** TCP_AO_INFO: the state of a socket. */
struct tcp_ao_info_opt {
	uint32_t set_current : 1, /**< current_key is valid */
	    set_rnext : 1,        /**< rnext is valid */
	    ao_required : 1,      /**< unsigned segments are dropped */
	    set_counters : 1,     /**< set only: the counters are valid */
	    accept_icmps : 1,     /**< ICMP errors are not ignored */
	    reserved : 27;        /**< 0 */
	uint16_t reserved2;       /**< 0 */
	uint8_t current_key;      /**< sndid of the key that signs */
	uint8_t rnext;            /**< rcvid of the key that the peer is asked for */
	uint64_t pkt_good;
	uint64_t pkt_bad;
	uint64_t pkt_key_not_found;
	uint64_t pkt_ao_required;
	uint64_t pkt_dropped_icmp;
} __attribute__((aligned(8)));

/** TCP_AO_GET_KEYS: in the first element, a query; then, in each, a key that matches it. */
struct tcp_ao_getsockopt {
	struct sockaddr_storage addr; /**< in: only keys for this peer; out: peers */
	char alg_name[64];            /**< out */
	uint8_t key[TCP_AO_MAXKEYLEN];
	uint32_t nkeys;          /**< in: length of the array; out, in the first: matching keys */
	uint16_t is_current : 1, /**< in: only the key that signs; out: it signs */
	    is_rnext : 1,        /**< in: only the key asked for; out: the peer is asked for it */
	    get_all : 1,         /**< in: all keys; the other criteria are 0 then */
	    reserved : 13;       /**< 0 */
	uint8_t sndid;           /**< in, with addr: only keys with this one */
	uint8_t rcvid;           /**< in, with addr: only keys with this one */
	uint8_t prefix;          /**< of addr, in bits */
	uint8_t maclen;          /**< out */
	uint8_t keyflags;        /**< in: 0 or TCP_AO_KEYF_IFINDEX; out: those of the key */
	uint8_t keylen;          /**< out */
	int32_t ifindex;
	uint64_t pkt_good; /**< out */
	uint64_t pkt_bad;  /**< out */
} __attribute__((aligned(8)));
#endif

#endif
