#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-httpd on a bond of two TAPs (DPDK's net_bonding). A bridge of the kernel joins them, which stands for switches:
it knows behind which of them it has heard our address. For 802.3ad the other end is a bond of percore's, too, of two
packet sockets, since few kernels that tests run on have bonds. To pull a cable, the carrier of a TAP is switched off."""
import contextlib
import json
import os
import socket
import subprocess
import time

import bed
from bed import CLIENT, PREFIX, SERVER, expect, sh, wait_for

MEMBERS = ("pcbond0", "pcbond1")
MAC = "02:00:00:00:00:99"
SERVER6 = "fd00:1::1"
MEGABYTES = 32
# what the argument that names a member is called
WORD = "slave" if sh("pkg-config", "--modversion", "libdpdk", check=False).stdout.startswith("22.") else "member"


def start(b):
    root = os.path.join(b.tmp, "root")
    os.mkdir(root)
    with open(os.path.join(root, "large"), "wb") as f:
        f.write(os.urandom(1 << 20) * MEGABYTES)
    b._setup_client = lambda: None  # the bed has no TAP here


@contextlib.contextmanager
def bond(b, options):
    """Starts percore-httpd on a bond."""
    eal = b.eal()[:-1]
    for i, member in enumerate(MEMBERS):
        eal.append(f"--vdev=net_tap{i},iface={member}")
    eal.append(f"--vdev=net_bonding0,{options},mac={MAC},{WORD}=net_tap0,{WORD}=net_tap1")
    p = b.spawn([b.path("percore-httpd"), *eal, "--", "--addr", f"{SERVER}/{PREFIX}", "--addr", f"{SERVER6}/64",
                 "--root", os.path.join(b.tmp, "root"), *bed.FEW_MBUFS, "--set", "run.idle=3"], "percore-httpd")
    for i, member in enumerate(MEMBERS):
        # the kernel's end of a TAP has the bond's address, too, and would keep the frames for
        # itself
        sh("ip", "link", "set", member, "address", f"02:00:00:00:01:0{i}", "up")
    try:
        yield p
    finally:
        p.stop()


@contextlib.contextmanager
def bridge():
    sh("ip", "link", "add", "pcbr", "type", "bridge")
    for member in MEMBERS:
        sh("ip", "link", "set", member, "master", "pcbr")
    sh("ip", "addr", "add", f"{CLIENT}/{PREFIX}", "dev", "pcbr")
    sh("ip", "link", "set", "pcbr", "up", "promisc", "on")
    try:
        yield
    finally:
        sh("ip", "link", "del", "pcbr")


def sent_by(member):
    """Returns the bytes that the kernel has received from a member of the bond."""
    return json.loads(sh("ip", "-s", "-j", "link", "show", member).stdout)[0]["stats64"]["rx"]["bytes"]


def where():
    """Returns the member behind which the bridge has learnt the bond's address."""
    entries = json.loads(sh("bridge", "-j", "fdb", "show", "br", "pcbr").stdout)
    return [e["ifname"] for e in entries if e["mac"] == MAC]


def operstate(member):
    return json.loads(sh("ip", "-j", "link", "show", member).stdout)[0]["operstate"].lower()


def carrier(member, on):
    """Pulls a cable, or plugs it in again; the kernel may take a second to act on that and to
    report it."""
    sh("ip", "link", "set", member, "carrier", "on" if on else "off")
    wait_for(lambda: operstate(member) == ("up" if on else "down"), 10, f"{member} to be told of its carrier")


def download(b, *options):
    return subprocess.Popen(["curl", "-sS", "--max-time", str(30 * b.slow), *options, f"http://{SERVER}/large"],
                            stdout=subprocess.PIPE)


def finish(b, c):
    got, _ = c.communicate()
    with open(os.path.join(b.tmp, "root", "large"), "rb") as f:
        expect(c.returncode == 0 and got == f.read(), f"curl: status {c.returncode}, {len(got)} bytes")


def balance(b, _):
    """by addresses and ports: it is one port, and transfers are spread over both members"""
    with bond(b, "mode=2,xmit_policy=l34") as p, bridge():
        ports = [line for line in p.out().splitlines() if line.startswith("port ")]
        expect(len(ports) == 1 and "net_bonding" in ports[0], p.out())
        for port in (40000, 40001):  # they differ in the last bit of the bond's hash
            finish(b, download(b, "--local-port", str(port)))
        sent = [sent_by(m) for m in MEMBERS]
        expect(min(sent) > MEGABYTES << 19, f"sent by the members: {sent}")
        carrier(MEMBERS[1], False)
        time.sleep(0.5 * b.slow)  # the bond checks every 10 ms
        wait_for(lambda: where() == [MEMBERS[0]], 15 * b.slow, "the first member to carry all")
        for port in (40002, 40003):
            finish(b, download(b, "--local-port", str(port)))
        expect(sent_by(MEMBERS[1]) < sent[1] + (1 << 20), "frames went by a member without a link")


def is_announced(listener, heard):
    """Notes the announcements received: ARP as in RFC 5227, and unsolicited advertisements."""
    own = socket.inet_aton(SERVER)
    with contextlib.suppress(BlockingIOError):
        while True:
            f = listener.recv(2000, socket.MSG_DONTWAIT)
            if f[12:14] == b"\x08\x06" and f[28:32] == own == f[38:42]:
                heard.add(SERVER)
            if f[12:14] == b"\x86\xdd" and f[20] == 58 and f[54] == 136:
                heard.add(socket.inet_ntop(socket.AF_INET6, f[62:78]))
    return heard >= {SERVER, SERVER6}


def failover(b, _):
    """active-backup: a member's link goes, and comes again; addresses are announced, a transfer goes on"""
    with bond(b, "mode=1,primary=net_tap0"), bridge(), \
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as listener:
        sh("ping", "-n", "-c", 3, "-i", "0.1", "-W", 2 * b.slow, SERVER)
        expect(where() == [MEMBERS[0]], f"heard by {where()}")
        listener.bind(("pcbr", 0))
        for now in (1, 0):  # no other traffic: only the announcement tells the bridge
            is_announced(listener, set())
            carrier(MEMBERS[0], on=now == 0)
            heard = set()
            wait_for(lambda: is_announced(listener, heard), 15 * b.slow, "announcements of both families")
            wait_for(lambda: where() == [MEMBERS[now]], 15 * b.slow, f"{MEMBERS[now]} to take over")
        c = download(b, "--limit-rate", "8M")
        time.sleep(0.5)
        carrier(MEMBERS[0], False)
        begin = sent_by(MEMBERS[1])
        finish(b, c)
        expect(sent_by(MEMBERS[1]) > begin + (MEGABYTES << 17), "the transfer did not go on by the other member")


def lacp(b, _):
    """802.3ad: both ends agree on an aggregate by LACP, and it carries packets"""
    with bond(b, "mode=4"):
        eal = ["--lcores", f"0@{min(os.sched_getaffinity(0))}", "--no-huge", "--no-shconf", "-m", "96", "--no-pci",
               "--no-telemetry"]
        for i, member in enumerate(MEMBERS):
            eal.append(f"--vdev=net_af_packet{i},iface={member}")
        eal.append(f"--vdev=net_bonding0,mode=4,mac=02:00:00:00:00:88,{WORD}=net_af_packet0,{WORD}=net_af_packet1")
        # it takes about two seconds, on a busy machine far longer: 802.3ad retries after 30 s
        p = b.spawn([b.path("percore-ping"), *eal, "--", "--addr", f"{CLIENT}/{PREFIX}", "--to", SERVER, "--count", "0",
                     "--interval", "100", "--timeout", "1000", "--size", "1400"], "percore-ping")
        wait_for(lambda: not p.alive() or p.out().count("1408 bytes from") >= 10, 60 * b.slow,
                 "answers by way of the aggregate")
        expect(p.alive(), f"percore-ping has ended by itself\n{p.tail()}")
        p.stop()


STEPS = [balance, failover, lacp]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("ping", "curl", "bridge")
    bed.main(args, STEPS, start)
