/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_SETTINGS_H
#define RUN_SETTINGS_H

/*
 * Settings: everything that the command line and the config file say, in one struct.
 *
 * Keys with numeric values are in three tables: the stack's, run's own (RUN_KEYS) and the
 * program's. Other keys (addresses, gateways, file names) have a short table of their own.  Every
 * mistake leaves one line in why, which says where it is and what would be right.
 */

#include <limits.h>
#include <percore/run.h>
#include <stdio.h>

/* clang-format off */
#define RUN_KEYS(X) \
X(run, idle, 0, 0, 4, "mode", \
  "what an idle lcore does: 1: polls; 2: polls with short pauses; 3: sleeps between polls; 4: sleeps until a receive interrupt, or as 3 if a port has none; 0: 4 if all ports are the kernel's (tap, af_packet, af_xdp, pcap, virtio_user), else 2") \
X(run, idle_turns, 2000, 1, 1000000000, "turns", "turns without a frame before an lcore pauses or sleeps") \
X(run, idle_us, 0, 0, 100000, "us", \
  "longest sleep of idle mode 3, or of 4 if a port has no interrupts; a frame may wait that long; 0: 100, or 1000 for a single lcore on TAPs, which a frame wakes") \
X(run, privileges, 1, 0, 1, "mode", \
  "capabilities kept after startup: 0: all; 1: those that the ports and the served files need") \
X(run, seccomp, 0, 0, 1, "boolean", \
  "after startup, a seccomp filter ends the program if it makes a system call that percore's programs do not need") \
X(run, drain_ms, 5000, 0, 600000, "ms", "time for requests in progress when the program is stopped") \
X(run, stats_s, 0, 0, 86400, "s", "interval at which the counters are printed; they are also printed at the end; 0: never") \
X(run, sockets_max, 4096, 1, 1048576, "sockets", "sockets for threads and other processes (run.sockets) per lcore") \
X(port, rxd, 1024, 32, 32768, "descriptors", "length of each receive queue, adjusted to the device's limits") \
X(port, txd, 1024, 32, 32768, "descriptors", "length of each transmit queue, adjusted to the device's limits") \
X(port, mtu, 0, 0, 9702, "bytes", "MTU: largest IP packet; 0: the device's default") \
X(port, offloads, 1, 0, 1, "boolean", "let the device compute and verify checksums if it can") \
X(port, steer, 0, 0, 2, "mode", \
  "how frames are distributed over several lcores: 1: by the queue on which they arrive; 2: by a software hash of addresses and ports; 0: 2 for devices that may spread one connection over several queues (af_packet, tap), else 1") \
X(port, promiscuous, 0, 0, 1, "boolean", "receive frames for other MAC addresses too") \
X(exception, addrs, 1, 0, 1, "boolean", \
  "give the kernel's interface of the exception path the addresses of its port") \
X(ip6, dhcp, 1, 0, 3, "mode", \
  "DHCPv6 (RFC 8415) on ports with IPv6: 0: never; 1: as routers advertise it: name servers (flags O and M), and addresses on ports with slaac (flag M); 2: as 1, but name servers always; 3: addresses and name servers always")
/* clang-format on */

/* Those of them that take effect when a running program rereads its file. */
#define RUN_LIVE_KEYS(X) X(run, drain_ms) X(run, stats_s)

/** The settings of RUN_KEYS. */
struct run_config {
#define RUN_KEY_MEMBER(section, name, def, min, max, unit, sentence) uint64_t section##_##name;
	RUN_KEYS(RUN_KEY_MEMBER)
#undef RUN_KEY_MEMBER
};

enum run_steer { RUN_STEER_AUTO, RUN_STEER_QUEUE, RUN_STEER_FLOW };
enum run_idle { RUN_IDLE_AUTO, RUN_IDLE_SPIN, RUN_IDLE_PAUSE, RUN_IDLE_SLEEP, RUN_IDLE_INTERRUPT };

/** An address and the port that is to have it. */
struct run_addr {
	unsigned port;
	uint16_t vlan[2];        /* outer and inner tag; 0: none */
	struct pc_prefix prefix; /* of length 0: by router advertisement ("slaac"), or, */
	bool dhcp;               /* if this is set, by DHCP */
};

struct key_table {
	const struct pc_config_key *keys;
	size_t n;
	void *base; /* the struct that holds the values */
};

struct settings;
struct kept_text;

/** A key whose value is not a number. */
struct text_key {
	const char *section, *name, *sentence, *example;
	int (*set)(struct settings *s, const char *origin, const char *value);
	bool of_stack; /* a program without a stack has no such key */
};

#define SETTINGS_TABLES 3
#define SETTINGS_WHY    512
#define SETTINGS_DENIED 4096 /* prefixes of net.deny */

struct settings {
	const struct pc_run_app *app;
	void *app_arg;
	struct pc_stack_config stack;
	struct run_config run;
	struct key_table tables[SETTINGS_TABLES];
	unsigned nb_addrs;
	unsigned nb_files; /* -c */
	bool again; /* a second reading, while the program runs: its own options stay as they are */
	bool addrs_given; /* on the command line: they replace those of the file */
	struct run_addr addrs[PC_MAX_ADDRS];
	uint32_t macs_given; /* bit N: port N has a MAC address */
	uint8_t mac[PC_MAX_PORTS][6];
	unsigned nb_gateways;
	struct pc_addr gateway[2]; /* at most one of each family */
	unsigned nb_denied;
	struct pc_prefix denied[SETTINGS_DENIED];
	char eal[1024], eal_words[1024]; /* EAL's options, and eal_join's copy, split into words */
	char pcap[PATH_MAX];             /* empty: none */
	char sockets[108];               /* UNIX socket where other processes attach; empty: none */
	char leases[PATH_MAX];           /* file that remembers leases; empty: none */
	char control[108];               /* UNIX socket for commands (ctl.h); empty: none */
	char firewall[PATH_MAX];         /* file of rules (firewall.h); empty: none */
	char exception[11]; /* prefix of the names of the kernel's interfaces; empty: none */
	struct kept_text
	    *kept; /* what files say to the program's own options, for as long as it runs */
	char why[SETTINGS_WHY];
};

/** settings_defaults sets the stack's keys to the program's defaults. */
void settings_defaults(const struct pc_run_app *app, struct pc_stack_config *config);

/** settings_init sets everything to its default. */
void settings_init(struct settings *s, const struct pc_run_app *app, void *app_arg);

/** settings_is_live says whether a key of tables[table] can change while the program runs. */
bool settings_is_live(const struct settings *s, unsigned table, const struct pc_config_key *key);

/** settings_fail writes a line for the user to s->why and returns -1. */
int settings_fail(struct settings *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** The exit status of a program that cannot start as it is set up. */
#define EXIT_SETUP 2

/** settings_set sets a key; origin says where it was found, e.g. "a.ini:3". Returns 0 or -1. */
int settings_set(struct settings *s, const char *origin, const char *section, const char *name,
                 const char *value);

/** settings_assign sets a key from the "section.key=value" of --set. Returns 0 or -1. */
int settings_assign(struct settings *s, const char *text);

/** settings_add_addrs adds the addresses of a list "[PORT[.VLAN[.VLAN]]=]CIDR,...". Returns 0 or
 * -1. */
int settings_add_addrs(struct settings *s, const char *origin, const char *list);

/** settings_add_macs sets the MAC addresses of a list "[PORT=]MAC,...". Returns 0 or -1. */
int settings_add_macs(struct settings *s, const char *origin, const char *list);

/** settings_set_gateway sets the default gateway of a family, or both: "10.0.0.254,fd00::fe".
 * Returns 0 or -1. */
int settings_set_gateway(struct settings *s, const char *origin, const char *value);

/** settings_add_denied adds the prefixes of a list to the denied ones. Returns 0 or -1. */
int settings_add_denied(struct settings *s, const char *origin, const char *list);

/** settings_set_pcap sets the name of the capture file. Returns 0 or -1. */
int settings_set_pcap(struct settings *s, const char *origin, const char *value);

/** settings_set_eal sets the options of EAL. Returns 0 or -1. */
int settings_set_eal(struct settings *s, const char *origin, const char *value);

/** settings_set_sockets sets the name of the UNIX socket for other processes. Returns 0 or -1. */
int settings_set_sockets(struct settings *s, const char *origin, const char *value);

/** settings_set_control sets the name of the UNIX socket for commands. Returns 0 or -1. */
int settings_set_control(struct settings *s, const char *origin, const char *value);

/** settings_set_exception sets the prefix of the names of the kernel's interfaces. Returns 0 or
 * -1. */
int settings_set_exception(struct settings *s, const char *origin, const char *value);

/** settings_set_leases sets the name of the file that remembers leases. Returns 0 or -1. */
int settings_set_leases(struct settings *s, const char *origin, const char *value);

/** settings_set_firewall sets the name of the file of rules. Returns 0 or -1. */
int settings_set_firewall(struct settings *s, const char *origin, const char *value);

/** settings_check checks that everything is consistent and nothing is missing. Returns 0 or -1. */
int settings_check(struct settings *s);

/** settings_text_keys returns the table of keys that are not numbers, and its length in *n. */
const struct text_key *settings_text_keys(size_t *n);

/** settings_has_key says whether the program has one of these keys. */
bool settings_has_key(const struct settings *s, const struct text_key *key);

/** settings_load reads a config file. Returns 0 or -1. */
int settings_load(struct settings *s, const char *path);

#endif
