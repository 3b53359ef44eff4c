#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-echo leases its IPv6 address from dnsmasq, as the router's M flag says, is reached by it on every lcore, and
gives it back."""
import re
import socket

import bed
from bed import expect, sh, wait_for
from dnsmasq import DNS6, Dnsmasq


class State:
    """The server, the program, and the address."""


def start(b):
    s = State()
    s.program = b.spawn([b.path("percore-echo"), *b.eal(), "--", "--addr", "slaac"], "percore-echo")
    s.server = Dnsmasq(b, b.dev, "--dhcp-range=fd00::100,fd00::1ff,64,2m")
    return s


def lease(b, s):
    """an address is leased, with a name server, and the program says so"""
    said = wait_for(lambda: re.search(r"leased (fd00::1\w\w) from fe80:\S+ for 1[12]\d s", s.program.out()),
                    20 * b.slow, "a lease")
    s.addr = said.group(1)
    expect(s.server.has_leased(s.addr), f"{s.addr} is not in dnsmasq's file")
    expect(f"announced 1 name servers: {DNS6}" in s.program.out(), s.program.out())


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
        wait_for(lambda: not s.server.has_leased(s.addr), 3 * b.slow, "the lease to end")
    finally:
        s.server.stop()


if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("dnsmasq", "ping")
    bed.main(args, [lease, reach, release], start)
