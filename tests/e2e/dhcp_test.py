#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-echo leases its address from dnsmasq, is reached by it, and gives it back."""
import os
import re
import signal
import socket
import subprocess

import bed
from bed import expect, sh, wait_for


class State:
    """The server, the program, and the address."""


def start(b):
    s = State()
    s.leases = os.path.join(b.tmp, "leases")
    s.program = b.spawn([b.path("percore-echo"), *b.eal(), "--", "--addr", "dhcp"], "percore-echo")
    s.log = os.path.join(b.tmp, "dnsmasq.log")
    with open(s.log, "w", encoding="utf-8") as log:
        s.dnsmasq = subprocess.Popen(
            ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--port=0",
             f"--interface={b.dev}", "--bind-interfaces", "--user=root", "--pid-file=", "--log-dhcp",
             "--dhcp-range=192.0.2.100,192.0.2.110,255.255.255.0,2m", "--no-ping",
             "--dhcp-option=option:dns-server,192.0.2.254", f"--dhcp-leasefile={s.leases}"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    return s


def leases(s):
    if not os.path.exists(s.leases):
        return ""
    with open(s.leases, encoding="utf-8") as f:
        return f.read()


def lease(b, s):
    """an address is leased, and the program says so"""
    said = wait_for(lambda: re.search(r"has leased (\S+)/24 from 192.0.2.254 for 120 s", s.program.out()),
                    12 * b.slow, "a lease")
    s.addr = said.group(1)
    expect(s.addr in leases(s), f"{s.addr} is not in dnsmasq's file: {leases(s)}")


def reach(b, s):
    """ping and a datagram, by the leased address"""
    sh("ping", "-n", "-c", 3, "-i", "0.1", "-W", 2, s.addr)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
        c.settimeout(3 * b.slow)
        c.sendto(b"hello", (s.addr, 7))
        expect(c.recv(100) == b"hello", "the echo differs")


def release(b, s):
    """at its end the program gives the address back"""
    try:
        s.program.stop()
        wait_for(lambda: s.addr not in leases(s), 3 * b.slow, "the lease to end")
    finally:
        s.dnsmasq.send_signal(signal.SIGTERM)
        s.dnsmasq.wait(10)


STEPS = [lease, reach, release]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("dnsmasq", "ping", "ethtool")
    bed.main(args, STEPS, start)
