#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-echo leases its IPv6 address from dnsmasq, as the router's M flag says, is reached by it on every lcore, and
gives it back."""
import os
import re
import signal
import socket
import subprocess

import bed
from bed import expect, sh, wait_for

ROUTER6, DNS6 = "fd00::254", "fd00::53"


class State:
    """The server, the program, and the address."""


def start(b):
    s = State()
    s.leases = os.path.join(b.tmp, "leases")
    s.program = b.spawn([b.path("percore-echo"), *b.eal(), "--", "--addr", "slaac"], "percore-echo")
    with open(f"/proc/sys/net/ipv6/conf/{b.dev}/disable_ipv6", "w", encoding="ascii") as f:
        f.write("0")
    sh("ip", "-6", "addr", "replace", f"{ROUTER6}/64", "dev", b.dev, "nodad")
    with open(os.path.join(b.tmp, "dnsmasq.log"), "w", encoding="utf-8") as log:
        s.dnsmasq = subprocess.Popen(
            ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--port=0",
             f"--interface={b.dev}", "--bind-interfaces", "--user=root", "--pid-file=", "--log-dhcp",
             "--enable-ra", "--dhcp-range=fd00::100,fd00::1ff,64,2m",
             f"--dhcp-option=option6:dns-server,[{DNS6}]", f"--dhcp-leasefile={s.leases}"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    return s


def leases(s):
    if not os.path.exists(s.leases):
        return ""
    with open(s.leases, encoding="utf-8") as f:
        return f.read()


def lease(b, s):
    """an address is leased, with a name server, and the program says so"""
    said = wait_for(lambda: re.search(r"has leased (fd00::1\w\w) from fe80:\S+ for 1[12]\d s", s.program.out()),
                    20 * b.slow, "a lease")
    s.addr = said.group(1)
    expect(f" {s.addr} " in leases(s), f"{s.addr} is not in dnsmasq's file: {leases(s)}")
    expect(f"of 1 name servers: {DNS6}" in s.program.out(), s.program.out())


def reach(b, s):
    """ping, and datagrams from so many ports that every lcore gets some, by the leased address"""
    wait_for(lambda: sh("ping", "-6", "-n", "-c", 1, "-W", 1, s.addr, check=False).returncode == 0, 12 * b.slow,
             f"an answer from {s.addr}")
    for _ in range(16):
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as c:
            c.connect((s.addr, 7))
            c.settimeout(3 * b.slow)
            asker = bed.Asker(c)
            asker.ask(b"hello", lambda got: got == b"hello")


def release(b, s):
    """at its end the program gives the address back"""
    try:
        s.program.stop()
        wait_for(lambda: s.addr not in leases(s), 3 * b.slow, "the lease to end")
    finally:
        s.dnsmasq.send_signal(signal.SIGTERM)
        s.dnsmasq.wait(10)


if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("dnsmasq", "ping")
    bed.main(args, [lease, reach, release], start)
