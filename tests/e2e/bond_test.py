#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-httpd on a bond of two TAPs (DPDK's net_bonding, balance by addresses and ports), which a bridge of the kernel
joins."""
import json
import os
import subprocess

import bed
from bed import CLIENT, PREFIX, SERVER, expect, sh

MEMBERS = ("pcbond0", "pcbond1")
MEGABYTES = 32


def start(b):
    root = os.path.join(b.tmp, "root")
    os.mkdir(root)
    with open(os.path.join(root, "large"), "wb") as f:
        f.write(os.urandom(1 << 20) * MEGABYTES)
    eal = b.eal()[:-1]
    for i, member in enumerate(MEMBERS):
        eal.append(f"--vdev=net_tap{i},iface={member}")
    eal.append("--vdev=net_bonding0,mode=2,xmit_policy=l34,mac=02:00:00:00:00:99,slave=net_tap0,slave=net_tap1")
    b._setup_client = lambda: None  # there is no TAP of the bed's
    p = b.spawn([b.path("percore-httpd"), *eal, "--", "--addr", f"{SERVER}/{PREFIX}", "--root", root], "percore-httpd")
    sh("ip", "link", "add", "pcbr", "type", "bridge")
    for i, member in enumerate(MEMBERS):
        # the kernel's end of a TAP has the bond's address, too, which would keep the frames for itself
        sh("ip", "link", "set", member, "address", f"02:00:00:00:01:0{i}")
        sh("ip", "link", "set", member, "master", "pcbr", "up")
    sh("ip", "addr", "add", f"{CLIENT}/{PREFIX}", "dev", "pcbr")
    sh("ip", "link", "set", "pcbr", "up")
    return p


def one_port(b, p):
    """the bond is the one port, its members are none"""
    ports = [line for line in p.out().splitlines() if line.startswith("port ")]
    expect(len(ports) == 1 and "net_bonding" in ports[0], p.out())


def sent_by(member):
    """Bytes that the kernel has got by a member of the bond."""
    return json.loads(sh("ip", "-s", "-j", "link", "show", member).stdout)[0]["stats64"]["rx"]["bytes"]


def transfer(b, p):
    """transfers are spread over both members, and complete"""
    sh("ping", "-n", "-c", 3, "-i", "0.1", "-W", 2, SERVER)
    for port in (40000, 40001): # which differ in the last bit of the bond's hash
        with subprocess.Popen(["curl", "-sS", "--max-time", str(30 * b.slow), "--local-port", str(port),
                               f"http://{SERVER}/large"], stdout=subprocess.PIPE) as c:
            got = c.stdout.read()
        with open(os.path.join(b.tmp, "root", "large"), "rb") as f:
            expect(c.returncode == 0 and got == f.read(), f"curl: status {c.returncode}, {len(got)} bytes")
    sent = [sent_by(m) for m in MEMBERS]
    expect(min(sent) > MEGABYTES << 19, f"sent by the members: {sent}")


STEPS = [one_port, transfer]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("ping", "curl")
    bed.main(args, STEPS, start)
