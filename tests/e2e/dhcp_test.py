#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-echo leases its address from dnsmasq, is reached by it, and gives it back; of IPv6 it makes its own address,
and asks dnsmasq by stateless DHCPv6 for the name servers."""
import os
import re
import select
import socket
import struct
import threading

import bed
from bed import expect, sh, wait_for
from dnsmasq import DNS6, Dnsmasq


SOL_PACKET, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING, TP_STATUS_VLAN_VALID = 263, 8, 23, 1 << 4


VLAN = 0  # the tag; 0: none


class State:
    """The server, the program, and the address."""


def tag(outer, inner, vlan):
    """Carries frames between an interface and the VLAN of another, as a VLAN interface would; not every kernel has
    these."""
    aux = struct.Struct("IIIHHHH")  # struct tpacket_auxdata
    ends = [socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) for _ in range(2)]
    for end, dev in zip(ends, (outer, inner)):
        end.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        end.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        end.bind((dev, 0))
    while True:
        for end in select.select(ends, [], [])[0]:
            try:
                frame, items, _, _ = end.recvmsg(65536, socket.CMSG_SPACE(aux.size))
            except OSError:
                return  # the interface has been removed
            status, tci = aux.unpack(items[0][2])[0], aux.unpack(items[0][2])[5]
            try:
                if end is ends[1]:
                    ends[0].send(frame[:12] + struct.pack("!HH", 0x8100, vlan) + frame[12:])
                elif status & TP_STATUS_VLAN_VALID and tci & 0xfff == vlan:
                    ends[1].send(frame)
            except OSError:
                pass  # the interface is being removed


def start(b):
    s = State()
    where = f"0.{VLAN}=" if VLAN else ""
    s.program = b.spawn([b.path("percore-echo"), *b.eal(), "--", "--addr", where + "dhcp", "--addr",
                         where + "slaac"], "percore-echo")
    s.dev = b.dev
    if VLAN:
        s.dev = "pcvlan"
        sh("ip", "link", "add", s.dev, "type", "veth", "peer", "name", "pcuntagged")
        for dev in (b.dev, "pcuntagged"):
            sh("ip", "addr", "flush", "dev", dev)
            sh("ip", "link", "set", dev, "up")
        sh("ethtool", "-K", s.dev, "tx", "off", check=False)
        threading.Thread(target=tag, args=(b.dev, "pcuntagged", VLAN), daemon=True).start()
        sh("ip", "addr", "replace", f"{bed.CLIENT}/{bed.PREFIX}", "dev", s.dev)
        sh("ip", "link", "set", s.dev, "up")
    s.server = Dnsmasq(b, s.dev, "--dhcp-range=192.0.2.100,192.0.2.110,255.255.255.0,2m", "--no-ping",
                       "--dhcp-range=fd00::,ra-stateless,64", "--dhcp-option=option6:domain-search,example.org",
                       "--dhcp-option=option:dns-server,192.0.2.254")
    return s


def lease(b, s):
    """an address is leased, and the program says so"""
    said = wait_for(lambda: re.search(r"leased (\S+)/24 from 192.0.2.254 for 120 s", s.program.out()),
                    12 * b.slow, "a lease")
    s.addr = said.group(1)
    expect(s.server.has_leased(s.addr), f"{s.addr} is not in dnsmasq's file")


def reach(b, s):
    """datagrams from so many ports that every lcore gets some, none lost, by the leased address; and ping"""
    for _ in range(1 if b.lcores == 1 else 16):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
            c.settimeout(5 * b.slow)
            c.sendto(b"hello", (s.addr, 7))
            expect(c.recv(100) == b"hello", "the echo differs")
    sh("ping", "-n", "-c", 3, "-i", "0.1", "-W", 5 * b.slow, s.addr)


def inform(b, s):
    """the name server of DHCPv6 is known, and the address made of the router's prefix answers"""
    said = wait_for(lambda: re.search(r"(\S+) announced 1 name servers: (\S+)", s.program.out()),
                    12 * b.slow, "an answer by DHCPv6")
    expect(said.group(2) == DNS6, said.group(0))
    out = sh("ip", "neigh", "show", s.addr, "dev", s.dev).stdout
    mac = [int(x, 16) for x in re.search(r"lladdr (\S+)", out).group(1).split(":")]
    low = [mac[0] ^ 2, *mac[1:3], 0xff, 0xfe, *mac[3:]]
    addr = "fd00::" + ":".join(f"{low[i] << 8 | low[i + 1]:x}" for i in range(0, 8, 2))
    wait_for(lambda: sh("ping", "-6", "-n", "-c", 1, "-W", 1, addr, check=False).returncode == 0, 12 * b.slow,
             f"an answer from {addr}")


def remember(b, s):
    """with run.leases, after a kill and after a stop, the address is asked for first; run.seccomp lets it be written"""
    s.program.stop()
    wait_for(lambda: not s.server.has_leased(s.addr), 3 * b.slow, "the lease to end")
    state = os.path.join(b.tmp, "state", "leases")
    os.mkdir(os.path.dirname(state))
    command = [b.path("percore-echo"), *b.eal(), "--", "--addr", "dhcp", "--set", f"run.leases={state}"]
    if b.seccomp:
        command += ["--set", "run.seccomp=1"]
    for how in ("first", "killed", "stopped"):
        s.program = b.spawn(command, "percore-echo")
        said = wait_for(lambda: re.search(r"leased (\S+)/24 from", s.program.out()), 12 * b.slow, "a lease")
        expect(said.group(1) == s.addr, f"{said.group(1)} instead of {s.addr}")
        with open(state, encoding="ascii") as f:
            line = f.read()
        expect(f" {s.addr} " in line and os.stat(state).st_mode & 0o777 == 0o600, line)
        with open(s.server.log, encoding="utf-8") as f:
            log = f.read().split("DHCPRELEASE")[-1]
        expect(log.count("DHCPDISCOVER(") == 1, f"it was not asked for first: {log}")
        if how == "first":
            s.program.kill()
            continue
        s.program.stop()
        expect(s.server.has_leased(s.addr), "it was given back")
    s.program = b.spawn([b.path("percore-echo"), *b.eal(), "--", "--addr", "dhcp"], "percore-echo")
    wait_for(lambda: f"leased {s.addr}" in s.program.out(), 12 * b.slow, "a lease")


def release(b, s):
    """at its end the program gives the address back"""
    try:
        s.program.stop()
        wait_for(lambda: not s.server.has_leased(s.addr), 3 * b.slow, "the lease to end")
    finally:
        s.server.stop()


def unwritable(b, s):
    """run.leases that could not be written, as on a full disk, is written with the next change, and the mistake told once"""
    if s.program.alive():  # with --only
        s.program.stop()
        s.server.stop()
    folder = os.path.join(b.tmp, "state")
    state = os.path.join(folder, "leases")
    control = os.path.join(b.tmp, "control")
    os.mkdir(folder)
    program = b.spawn([b.path("percore-echo"), *b.eal(), "--", "--addr", "dhcp", "--set", f"run.leases={state}",
                       "--set", f"run.control={control}"], "percore-echo")
    server = Dnsmasq(b, b.dev, "--dhcp-range=192.0.2.100,192.0.2.110,255.255.255.0,2m", "--no-ping")

    def answers():
        with open(server.log, encoding="utf-8") as f:
            return f.read().count("DHCPACK(")

    def leased_again():
        before = answers()
        sh("ip", "link", "set", b.dev, "down")
        wait_for(lambda: " link down " in sh(b.path("percore-ctl"), control, "port", "show").stdout, 10 * b.slow, "no link")
        sh("ip", "link", "set", b.dev, "up")
        wait_for(lambda: answers() > before, 20 * b.slow, "another answer")

    def written():
        if not os.path.exists(state):
            return False
        with open(state, encoding="ascii") as f:
            return " 192.0.2." in f.read()

    try:
        wait_for(written, 12 * b.slow, "a lease to be noted")
        os.rename(folder, folder + ".away")
        for _ in range(2):
            leased_again()
        wait_for(lambda: "run.leases: cannot write" in program.err(), 5 * b.slow, "the mistake to be told")
        expect(program.err().count("cannot write") == 1, program.err())
        os.mkdir(folder)
        leased_again()
        wait_for(written, 5 * b.slow, "the lease to be noted again")
        program.stop()
    finally:
        server.stop()


STEPS = [lease, reach, inform, release]

if __name__ == "__main__":
    args = bed.arguments(__doc__, vlan=0)
    VLAN = args.vlan
    bed.need("dnsmasq", "ping", "ethtool")
    if args.backend != "tap":  # a TAP disappears with its program
        STEPS.insert(3, remember)
    elif VLAN == 0:  # the others' links are always up
        STEPS.append(unwritable)
    bed.main(args, STEPS, start)
