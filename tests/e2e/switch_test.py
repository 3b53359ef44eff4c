#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A switch and its many hosts: the kernel's bridge, which snoops on IGMP and MLD, and thousands of neighbours, more than
the table holds, all of which talk to a Python program on percore."""
import json
import os
import socket

import bed
import unmodified
from bed import CLIENT, PREFIX, SERVER, expect, sh, wait_for

NET4, NET6 = "10.9", "fd09:"
HOSTS = 2000  # per family; arp.entries is 1024 for both
GROUPS = {socket.AF_INET: "239.1.2.3", socket.AF_INET6: "ff15::77"}
PORT = 7000

# echoes datagrams; "join" and "leave" change its groups, and are answered
PROGRAM = f"""
import socket, struct, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", {PORT}))
four = struct.pack("=4s4si", socket.inet_aton("{GROUPS[socket.AF_INET]}"), bytes(4), 1)
six = socket.inet_pton(socket.AF_INET6, "{GROUPS[socket.AF_INET6]}") + struct.pack("=i", 1)
# as on Linux, a socket of AF_INET6 gets what others have joined of IPv4 only if it says so (IP_MULTICAST_ALL)
s.setsockopt(socket.IPPROTO_IP, 49, 1)
g = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print("ready", flush=True)
while True:
    data, peer = s.recvfrom(2000)
    if data in (b"join", b"leave"):
        add = data == b"join"
        g.setsockopt(socket.IPPROTO_IP, 35 if add else 36, four)
        s.setsockopt(socket.IPPROTO_IPV6, 20 if add else 21, six)
    s.sendto(data, peer)
"""


def start(b):
    b._setup_client = lambda: None  # the bridge is the client
    p = unmodified.start_stack(b, "--addr", f"{NET4}.255.1/16", "--addr", f"{NET6}:1/64")
    # it queries memberships every second: it has not seen reports sent before the port was the
    # bridge's
    sh("ip", "link", "add", "pcbr", "type", "bridge", "mcast_snooping", "1", "mcast_querier", "1",
       "mcast_last_member_interval", "20", "mcast_startup_query_interval", "100", "mcast_startup_query_count", "1000",
       "mcast_query_response_interval", "100")
    sh("ip", "link", "set", b.dev, "address", "02:00:00:00:01:00", "master", "pcbr", "up")
    sh("ip", "link", "set", "pcbr", "up")
    with open("/proc/sys/net/ipv6/conf/pcbr/disable_ipv6", "w", encoding="ascii") as f:
        f.write("0")
    sh("ip", "addr", "add", f"{CLIENT}/{PREFIX}", "dev", "pcbr")
    batch = os.path.join(b.tmp, "hosts")
    with open(batch, "w", encoding="ascii") as f:
        for i in range(HOSTS):
            f.write(f"addr add {host4(i)}/16 dev pcbr\naddr add {host6(i)}/64 dev pcbr nodad\n")
    sh("ip", "-batch", batch)
    # until duplicate address detection is over (RFC 4862 section 5.4), nothing can be sent from it
    wait_for(lambda: sh("ping", "-6", "-n", "-c", 1, "-W", 1, f"{NET6}:1", check=False).returncode == 0, 20 * b.slow,
             f"an answer from {NET6}:1")
    return p


def host4(i):
    return f"{NET4}.{i // 200}.{i % 200 + 1}"


def host6(i):
    return f"{NET6}:{i + 2:x}"


def program(b):
    return unmodified.Daemon(b, ["python3", "-c", PROGRAM], lambda d: "ready" in d.out())


def ask(b, family, to, text, source=None):
    """Sends a datagram to the program; returns its answer."""
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(2 * b.slow)
        if source:
            s.bind((source, 0))
        s.sendto(text, (to, PORT))
        return s.recv(2000)


def members(b):
    """Returns the groups that the bridge has learnt behind percore."""
    text = sh("bridge", "-j", "mdb", "show", "dev", "pcbr").stdout
    return {e["grp"] for part in json.loads(text) for e in part.get("mdb", []) if e["port"] == b.dev}


def snooping(b, _):
    """the bridge sees joins and leaves by IGMP and MLD, and sends there what goes to the groups"""
    with program(b):
        wait_for(lambda: any(g.startswith("ff02::1:ff") for g in members(b)), 10 * b.slow,
                 "a report of the addresses' own groups (RFC 4861 section 7.2.1)")
        expect(not members(b) & set(GROUPS.values()), members(b))
        expect(ask(b, socket.AF_INET, SERVER, b"join") == b"join", "no answer")
        wait_for(lambda: members(b) >= set(GROUPS.values()), 5 * b.slow, "reports of both groups")
        for family, group in GROUPS.items():
            with socket.socket(family, socket.SOCK_DGRAM) as s:
                s.settimeout(2 * b.slow)
                if family == socket.AF_INET:
                    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(CLIENT))
                    s.sendto(b"hello", (group, PORT))
                else:
                    s.bind((host6(0), 0))
                    s.sendto(b"hello", (group, PORT, 0, socket.if_nametoindex("pcbr")))
                expect(s.recv(100) == b"hello", f"nothing from {group}")
        expect(ask(b, socket.AF_INET, SERVER, b"leave") == b"leave", "no answer")
        wait_for(lambda: not members(b) & set(GROUPS.values()), 10 * b.slow, "the groups to be left")


def neighbours(b, _):
    """thousands of hosts of either family ask twice, more than the table holds, and each is answered"""
    with program(b):
        for _ in range(2):
            for i in range(HOSTS):
                text = b"%d" % i
                got = ask(b, socket.AF_INET, f"{NET4}.255.1", text, host4(i))
                expect(got == text, f"{host4(i)}: {got}")
                got = ask(b, socket.AF_INET6, f"{NET6}:1", text, host6(i))
                expect(got == text, f"{host6(i)}: {got}")


STEPS = [snooping, neighbours]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("bridge", "ping", "python3")
    bed.main(args, STEPS, start)
