/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SWITCH_CONFIG_H
#define SWITCH_CONFIG_H

/*
 * The settings of percore-switch: numbers in one list, as percore/config.h explains, and the
 * settings of each port.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <percore/stack.h>

/* clang-format off */
#define SWITCH_KEYS(X) \
X(switch, entries, 8192, 16, 1000000, "stations", "size of the MAC table: stations, by MAC address and VLAN") \
X(switch, port_entries, 0, 0, 1000000, "stations", "stations of one port, at most, so that one port cannot fill the table; 0: an equal share") \
X(switch, age_s, 300, 0, 1000000, "s", "ageing time: a station that is silent for this long is forgotten (IEEE 802.1Q 8.8.3); 0: never") \
X(switch, flood_rate, 0, 0, 100000000, "frames/s", "storm control: flooded frames of one port, at most; 0: no limit") \
X(switch, group_forward, 0, 0, 65535, "bits", "bit N: forward frames to 01:80:c2:00:00:0N, as Linux's group_fwd_mask")
/* clang-format on */

#define SWITCH_PORTS  PC_MAX_PORTS
#define SWITCH_VLANS  4096
#define SWITCH_STATIC 256
#define NO_VLAN       UINT16_MAX /* untagged frames are dropped */
#define NO_PORT       UINT8_MAX

/** Which VLANs a port has. */
enum port_mode {
	PORT_OPEN,   /* all; untagged frames are separate, as if in a VLAN 0 */
	PORT_ACCESS, /* one, untagged: the native one */
	PORT_TRUNK,  /* those in vlans, tagged, and the native one, if any, untagged */
};

struct port_config {
	enum port_mode mode;
	bool native_given;
	uint16_t native;
	uint8_t mirror; /* port to which its received and sent frames are copied; or NO_PORT */
	uint64_t vlans[SWITCH_VLANS / 64];
};

/** A station that has been assigned to a port. */
struct static_config {
	uint8_t mac[6];
	uint16_t vlan;
	uint8_t port;
};

struct switch_config {
#define SWITCH_KEY_MEMBER(section, name, def, min, max, unit, sentence) uint64_t name;
	SWITCH_KEYS(SWITCH_KEY_MEMBER)
#undef SWITCH_KEY_MEMBER
	uint32_t seed; /* secret of the table's hash */
	unsigned nb_static;
	unsigned nb_named; /* one more than the highest port that a setting names */
	struct port_config port[SWITCH_PORTS];
	struct static_config station[SWITCH_STATIC];
};

/** switch_config_init sets the defaults. */
void switch_config_init(struct switch_config *c);

/*
 * switch_config_access ("PORT=VLAN"), _trunk ("PORT=VLAN,FIRST-LAST,..."), _native ("PORT=VLAN"),
 * _static ("PORT=MAC[.VLAN]") and _mirror ("PORT=PORT") process one setting each. They return 0, or
 * -1 with one line in why.
 */
int switch_config_access(struct switch_config *c, const char *text, char *why, size_t len);
int switch_config_trunk(struct switch_config *c, const char *text, char *why, size_t len);
int switch_config_native(struct switch_config *c, const char *text, char *why, size_t len);
int switch_config_static(struct switch_config *c, const char *text, char *why, size_t len);
int switch_config_mirror(struct switch_config *c, const char *text, char *why, size_t len);

/** switch_config_check says whether the settings are consistent. Returns 0, or -1 with one line in
 * why. */
int switch_config_check(const struct switch_config *c, char *why, size_t len);

/** port_config_has says whether a port is in a VLAN (0: untagged frames on open ports). */
bool port_config_has(const struct port_config *p, unsigned vlan);

/** port_config_sends_bare says whether a port sends frames of a VLAN that it is in untagged. */
bool port_config_sends_bare(const struct port_config *p, unsigned vlan);

#endif
