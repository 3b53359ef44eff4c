/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: DPDK's TAP driver creates an interface with several queues, or attaches to an existing
 * one. So if two programs were given the same name, the kernel would spread the frames of one
 * interface over both, and neither would notice. A TAP that was created in advance belongs to no
 * program, and has no carrier. If the owner is about to end, as a stack process does whose last
 * client has gone, we wait for it.
 */
#include "taps.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stop.h"

#define ENDING_MS   15000 /* long enough for a program to end even on a busy machine */
#define PATIENCE_MS 1000  /* ... and usually enough; then a message says what we wait for */
#define LOOK_MS     50

/* The name of a TAP's interface, which may be the driver's default. Returns whether it is valid. */
static bool name_of(const char *device, unsigned n, char name[IFNAMSIZ])
{
	const char *iface = strstr(device, ",iface=");
	const int len = iface != NULL ? snprintf(name, IFNAMSIZ, "%.*s",
	                                         (int)strcspn(iface + 7, ","), iface + 7)
	                              : snprintf(name, IFNAMSIZ, "dtap%u", n);

	return len > 0 && len < IFNAMSIZ;
}

static bool is_tap(int fd, const char *name)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq req = {.ifr_data = (void *)&info};

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	return ioctl(fd, SIOCETHTOOL, &req) == 0 && strcmp(info.driver, "tun") == 0;
}

static bool has_carrier(int fd, const char *name)
{
	struct ifreq req = {0};

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	return ioctl(fd, SIOCGIFFLAGS, &req) == 0 && (req.ifr_flags & IFF_RUNNING) != 0;
}

/* Says whether another program has the TAP, and keeps it. */
static bool is_in_use(int fd, const char *name)
{
	for (unsigned ms = 0; has_carrier(fd, name); ms += LOOK_MS) {
		if (ms >= ENDING_MS || stop_wanted() != STOP_NO)
			return true;
		if (ms == PATIENCE_MS)
			fprintf(stderr,
			        "TAP: %s is in use by another program; waiting up to %u s\n", name,
			        ENDING_MS / 1000);
		(void)usleep(LOOK_MS * 1000);
	}
	return false;
}

static int check_interface(struct settings *s, int fd, const char *name)
{
	struct ifreq req = {0};

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFFLAGS, &req) != 0)
		return 0; /* there is no such interface */
	if (!is_tap(fd, name))
		return settings_fail(s,
		                     "interface %s already exists and is not a TAP: choose another "
		                     "name (iface=), or use it with net_af_packet",
		                     name);
	if (is_in_use(fd, name))
		return settings_fail(s,
		                     "TAP interface %s is in use by another program: stop it, or "
		                     "choose another name (iface=)",
		                     name);
	return 0;
}

static int check_name(const struct taps *t, struct settings *s, const char *name)
{
	int fd, rc;

	for (unsigned i = 0; i < t->n; i++)
		if (strcmp(t->names[i], name) == 0)
			return settings_fail(
			    s,
			    "two devices use the TAP interface %s: give each its own name (iface=)",
			    name);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	rc = check_interface(s, fd, name);
	close(fd);
	return rc;
}

/* The driver ignores all of its arguments, without a word, if it does not know one. */
static int check_arguments(struct settings *s, const char *device)
{
	static const char *const known[] = {"iface=", "mac=", "remote=", "persist"};

	for (const char *a = strchr(device, ','); a != NULL; a = strchr(a, ',')) {
		unsigned i = 0;

		a++;
		while (i < sizeof(known) / sizeof(known[0]) &&
		       strncmp(a, known[i], strlen(known[i])) != 0)
			i++;
		if (i == sizeof(known) / sizeof(known[0]))
			return settings_fail(s,
			                     "%s: \"%.*s\" is not an argument of net_tap (example: "
			                     "net_tap0,iface=percore0)",
			                     device, (int)strcspn(a, ","), a);
	}
	return 0;
}

int taps_add(struct taps *t, struct settings *s, const char *device)
{
	char name[IFNAMSIZ];

	if (strncmp(device, "net_tap", 7) != 0)
		return 0;
	if (check_arguments(s, device) != 0)
		return -1;
	if (t->n == PC_MAX_PORTS || !name_of(device, t->n, name))
		return 0;
	if (check_name(t, s, name) != 0)
		return -1;
	memcpy(t->names[t->n++], name, sizeof(name));
	return 0;
}
