/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_TCP_AO_H
#define PERCORE_TCP_AO_H

/*
 * TCP-AO (RFC 5925) as linux/tcp.h has it since Linux 6.7, for machines whose headers are older: names, values and layouts
 * are the kernel's.  A program that includes linux/tcp.h does so first.
 */

#include <stdint.h>
#include <sys/socket.h>

/* options of IPPROTO_TCP */
#ifndef TCP_AO_ADD_KEY
#define TCP_AO_ADD_KEY 38 /**< struct tcp_ao_add */
#endif
#ifndef TCP_AO_DEL_KEY
#define TCP_AO_DEL_KEY 39 /**< struct tcp_ao_del */
#endif
#ifndef TCP_AO_INFO
#define TCP_AO_INFO 40 /**< struct tcp_ao_info_opt, also read */
#endif
#ifndef TCP_AO_GET_KEYS
#define TCP_AO_GET_KEYS 41 /**< struct tcp_ao_getsockopt [], only read */
#endif

#ifndef TCP_AO_MAXKEYLEN
#define TCP_AO_MAXKEYLEN 80
#endif

#ifndef TCP_AO_KEYF_EXCLUDE_OPT
#define TCP_AO_KEYF_IFINDEX     (1 << 0) /**< ifindex counts */
#define TCP_AO_KEYF_EXCLUDE_OPT (1 << 1) /**< other options are not signed */

/** A key (MKT). */
struct tcp_ao_add {
	struct sockaddr_storage
	    addr;          /**< peers: an address, port 0, and the length of its prefix */
	char alg_name[64]; /**< "hmac(sha1)", "hmac(sha256)", "cmac(aes128)" */
	int32_t ifindex;
	uint32_t set_current : 1, /**< sign by it at once */
	    set_rnext : 1,        /**< ask the peer to sign by it */
	    reserved : 30;        /**< 0 */
	uint16_t reserved2;       /**< 0 */
	uint8_t prefix;
	uint8_t sndid;  /**< KeyID of what is sent */
	uint8_t rcvid;  /**< KeyID of what is received */
	uint8_t maclen; /**< bytes of a signature; 0: 12 */
	uint8_t keyflags;
	uint8_t keylen;
	uint8_t key[TCP_AO_MAXKEYLEN];
} __attribute__((aligned(8)));

/** Which key is taken away, and which are used instead. */
struct tcp_ao_del {
	struct sockaddr_storage addr;
	int32_t ifindex;
	uint32_t set_current : 1, /**< current_key counts */
	    set_rnext : 1,        /**< rnext counts */
	    del_async : 1,        /**< only of listeners */
	    reserved : 29;        /**< 0 */
	uint16_t reserved2;       /**< 0 */
	uint8_t prefix;
	uint8_t sndid;
	uint8_t rcvid;
	uint8_t current_key; /**< a sndid */
	uint8_t rnext;       /**< a rcvid */
	uint8_t keyflags;
} __attribute__((aligned(8)));

/** What a socket does. */
struct tcp_ao_info_opt {
	uint32_t set_current : 1, /**< current_key counts */
	    set_rnext : 1,        /**< rnext counts */
	    ao_required : 1,      /**< nothing is taken that is not signed */
	    set_counters : 1,     /**< the counters count */
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

/** A question for keys, and a key. */
struct tcp_ao_getsockopt {
	struct sockaddr_storage addr; /**< in: only those for this peer; out: peers */
	char alg_name[64];            /**< out */
	uint8_t key[TCP_AO_MAXKEYLEN];
	uint32_t nkeys;          /**< in: of the array; out: how many there are, in the first */
	uint16_t is_current : 1, /**< in: only what signs; out: it does */
	    is_rnext : 1,        /**< in: only what is asked for; out: it is */
	    get_all : 1,         /**< in: all, whatever else is asked for */
	    reserved : 13;       /**< 0 */
	uint8_t sndid;
	uint8_t rcvid;
	uint8_t prefix;
	uint8_t maclen;   /**< out */
	uint8_t keyflags; /**< in: TCP_AO_KEYF_IFINDEX */
	uint8_t keylen;   /**< out */
	int32_t ifindex;
	uint64_t pkt_good; /**< out */
	uint64_t pkt_bad;  /**< out */
} __attribute__((aligned(8)));
#endif

#endif
