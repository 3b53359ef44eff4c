#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Jumbo frames: percore-echo with an MTU of 9,000 bytes and the kernel, over net_af_packet."""
import json
import os
import socket
import threading

import bed
from bed import SERVER, expect, sh

SERVER6, CLIENT6, MTU = "fd00::1", "fd00::2", 9000


def start(b):
    for ns, dev in ((b.client_ns, b.dev), (b.server_ns, "pcv1")):
        sh("ip", "-n", ns, "link", "set", dev, "mtu", MTU)
    eal = b.eal()
    # a frame of the ring has room for 80 bytes and the packet, and the ring has no gaps between its
    # blocks
    eal[-1] += ",framesz=9088,blocksz=290816,framecnt=256"
    b.spawn([b.path("percore-echo"), *eal, "--", "--addr", f"{SERVER}/24", "--addr", f"{SERVER6}/64", "--set",
             f"port.mtu={MTU}", *bed.FEW_MBUFS], "percore-echo")
    with open(f"/proc/sys/net/ipv6/conf/{b.dev}/disable_ipv6", "w", encoding="ascii") as f:
        f.write("0")
    sh("ip", "-6", "addr", "replace", f"{CLIENT6}/64", "dev", b.dev, "nodad")
    bed.wait_for(lambda: sh("ping", "-6", "-n", "-c", 1, "-W", 1, SERVER6, check=False).returncode == 0,
                 20 * b.slow, "an answer from fd00::1")


def frames(b, which):
    """Returns the packets and bytes that the client's device has seen."""
    stats = json.loads(sh("ip", "-s", "-j", "link", "show", b.dev).stdout)[0]["stats64"][which]
    return stats["packets"], stats["bytes"]


def ping(b, s):
    """echo requests that just fit, not to be fragmented"""
    for family, addr, headers in ((4, SERVER, 28), (6, SERVER6, 48)):
        sh("ping", f"-{family}", "-n", "-c", 3, "-i", "0.1", "-W", 2 * b.slow, "-M", "do", "-s", MTU - headers, addr)


def datagrams(b, s):
    """datagrams of 8,900 bytes and of the largest size in one frame come back"""
    for family, addr, headers in ((socket.AF_INET, SERVER, 28), (socket.AF_INET6, SERVER6, 48)):
        with socket.socket(family, socket.SOCK_DGRAM) as c:
            c.settimeout(3 * b.slow)
            for size in (1, 1472, 8900, MTU - headers):
                data = os.urandom(size)
                c.sendto(data, (addr, 7))
                expect(c.recv(65536) == data, f"{size} bytes: others came back")


def stream(b, s):
    """8 MB there and back in large segments both ways"""
    for addr, headers in ((SERVER, 52), (SERVER6, 72)):
        before = [frames(b, which) for which in ("rx", "tx")]
        data = os.urandom(8 << 20)
        with socket.create_connection((addr, 7), timeout=20 * b.slow) as c:
            mss = c.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
            expect(mss == MTU - headers, f"the segment size is {mss}")
            sender = threading.Thread(target=c.sendall, args=(data,))
            sender.start()
            got = bytearray()
            while len(got) < len(data):
                piece = c.recv(1 << 20)
                expect(piece, f"the end after {len(got)} bytes")
                got += piece
            sender.join()
        expect(bytes(got) == data, "other bytes came back")
        for which, (packets, octets) in zip(("rx", "tx"), before):
            now = frames(b, which)
            mean = (now[1] - octets) / (now[0] - packets)
            expect(mean > 3000, f"{which}: frames of {mean:.0f} bytes on average")


STEPS = [ping, datagrams, stream]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("ping", "ethtool")
    bed.main(args, STEPS, start)
