# SPDX-License-Identifier: BSD-2-Clause
"""Twins: percore-echo and the kernel of the machine, each behind a TAP of its own in a network namespace of
its own, with the same MAC and IP addresses and the same echo services. Whatever is sent goes to both as
raw frames; what each answers is kept. All other hosts exist: their addresses are resolved to one MAC."""
import fcntl
import os
import socket
import struct
import threading
import time

import bed
from bed import sh
from forge import Forger

MAC, PEER = bytes.fromhex("020000000001"), bytes.fromhex("020000000099")
US = socket.inet_aton("192.0.2.1"), socket.inet_pton(socket.AF_INET6, "2001:db8::1")
GATEWAY = "192.0.2.254", "2001:db8::fe"
MARKER = 0xfffff0  # of the host whose datagrams are echoed behind all that was sent before
DISCOVERY = (133, 134, 135, 136, 143)
TUNSETIFF, TAP_WITHOUT_HEADER, OUTGOING = 0x400454ca, 0x1002, 4
NO_LIMITS = (("ipv4/icmp_ratemask", 0), ("ipv6/icmp/ratelimit", 0), ("ipv4/conf/all/rp_filter", 0), ("ipv4/conf/default/rp_filter", 0),
             ("ipv4/ipfrag_max_dist", 0), ("ipv4/ipfrag_time", 2), ("ipv6/ip6frag_time", 2), ("ipv6/conf/default/accept_dad", 0),
             ("ipv6/conf/default/router_solicitations", 0))


def checksum(b):
    b += bytes(len(b) % 2)
    s = sum(struct.unpack(f"!{len(b) // 2}H", b))
    s = (s & 0xffff) + (s >> 16)
    return ~(s + (s >> 16)) & 0xffff


def forger(rnd):
    return Forger(rnd, MAC + PEER, 7, US, tuple(host(0, six) for six in (False, True)), checksum)


def host(n, six):
    """Returns the address of a host behind the gateway."""
    return socket.inet_pton(socket.AF_INET6, "2001:db8:1::")[:12] + struct.pack("!I", n + 1) if six else struct.pack("!I", (10 << 24) + n + 1)


def read_ip(frame):
    """Returns destination, protocol and payload of a packet; None: of another kind."""
    if frame[12:14] == b"\x08\0":
        return frame[30:34], frame[23], frame[14 + (frame[14] & 15) * 4:14 + struct.unpack("!H", frame[16:18])[0]]
    if frame[12:14] == b"\x86\xdd":
        return frame[38:54], frame[20], frame[54:54 + struct.unpack("!H", frame[18:20])[0]]
    return None


class Twin:
    """One of the two."""

    def __init__(self, read, write):
        self.read, self.write, self.got = read, write, []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                frame = self.read()
            except OSError:
                return
            if frame is not None and not self._resolves(frame):
                self.got.append(frame)

    def _resolves(self, f):
        """Answers for all hosts but the twins. Returns whether this is about the link's addresses."""
        if f[12:14] == b"\x08\x06":
            if f[20:22] == b"\0\1" and f[38:42] != US[0]:
                self.write(f[6:12] + PEER + f[12:20] + b"\0\2" + PEER + f[38:42] + f[22:32])
            return True
        if f[12:14] != b"\x86\xdd" or (f[20] != 0 and (f[20] != 58 or f[54] not in DISCOVERY)):
            return False
        if f[20] == 58 and f[54] == 135 and f[62:78] != US[1]:
            to, who = f[22:38], f[62:78]
            body = struct.pack("!BBHI", 136, 0, 0, 0x60 << 24) + who + b"\2\1" + PEER
            body = body[:2] + struct.pack("!H", checksum(who + to + struct.pack("!II", len(body), 58) + body)) + body[4:]
            self.write(f[6:12] + PEER + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + who + to + body)
        return True

    def take(self):
        got, self.got = self.got, []
        return got


def packet_socket(dev):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
    s.bind((dev, 3))

    def read():
        frame, where = s.recvfrom(65536)
        return frame if where[2] != OUTGOING else None
    return Twin(read, s.send)


def echo_services():
    """Answers on the ports of percore-echo in this namespace."""
    udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    udp.bind(("::", 7))
    tcp = socket.create_server(("::", 7), family=socket.AF_INET6, backlog=1000, dualstack_ipv6=True)

    def run():
        while True:
            try:
                udp.sendto(*udp.recvfrom(65536))
            except OSError:  # an ICMP error
                pass
    threading.Thread(target=run, daemon=True).start()
    return udp, tcp


class Twins:
    """limits: more settings of the kernel, route: of its routes; services: the kernel's program."""

    def __init__(self, b, *options, program="percore-echo", limits=(), route=(), services=echo_services):
        self.limits, self.route, self.services = (*NO_LIMITS, *limits), route, services
        self.percore = b.start(program, "--addr", f"{socket.inet_ntop(socket.AF_INET6, US[1])}/64", "--gateway", GATEWAY[1], "--set", "ip6.dad=0",
                               "--set", "net.mac=" + MAC.hex(":"), "--set", "icmp.error_rate=1000000", "--set", "ip.options=1", "--set", "ip.reassembly_ms=2000",
                               "--set", "ip6.reassembly_ms=2000", "--set", "ip.fragments=4000", "--set", "ip.datagrams=4000", *options)
        sh("ip", "addr", "flush", "dev", b.dev)
        sh("ip", "link", "set", b.dev, "arp", "off")
        p = packet_socket(b.dev)
        self.ns = b.tag + "k"
        b.add_namespace(self.ns)
        k = self._kernel()
        bed.enter("/run/netns/" + b.client_ns)
        self.each = k, p
        f = forger(None)
        for six in (False, True):
            self.send([f.udp(host(0, six), US[six], 9, 7, **({} if six else {"ident": 1}))])
        self.marks = 0
        self.settle(0.5, marked=False)
        self.answers()

    def _kernel(self):
        bed.enter("/run/netns/" + self.ns)
        for name, value in self.limits:
            path = "/proc/sys/net/" + name
            if os.path.exists(path):
                with open(path, "w") as f:
                    f.write(str(value))
        fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"twin", TAP_WITHOUT_HEADER))
        sh("ip", "link", "set", "lo", "up")
        sh("ip", "link", "set", "twin", "address", MAC.hex(":"))
        sh("ip", "addr", "add", "192.0.2.1/24", "dev", "twin")
        sh("ip", "link", "set", "twin", "up")
        sh("ip", "addr", "add", "2001:db8::1/64", "dev", "twin", "nodad")
        for family, via in zip(("-4", "-6"), GATEWAY):
            sh("ip", family, "route", "add", "default", "via", via, *self.route)
        self.keep = self.services()
        return Twin(lambda: os.read(fd, 65536), lambda frame: os.write(fd, frame))

    def send(self, frames):
        for frame in frames:
            for twin in self.each:
                twin.write(frame)

    def mark(self):
        """Waits until both echo services have done what was sent before."""
        self.marks += 1
        f, data = forger(None), b"mark" + struct.pack("!I", self.marks)
        frame = f.udp(host(MARKER, False), US[0], 9, 7, data, ident=self.marks & 0xffff)
        for twin in self.each:
            for _ in range(100):  # a busy machine may lose a frame
                twin.write(frame)
                end = time.monotonic() + 0.3
                while not (there := any(data in frame for frame in twin.got[-1000:])) and time.monotonic() < end:
                    time.sleep(0.001)
                if there:
                    break

    def settle(self, seconds=0.2, marked=True):
        """Waits until neither has sent anything for that long. marked: the echo services can be reached."""
        before = None
        if marked:
            self.mark()
        while before != (now := [len(t.got) for t in self.each]):
            before = now
            time.sleep(seconds)

    def answers(self):
        """Returns by twin, and by destination, the sorted protocols and payloads of all answers."""
        out = []
        for twin in self.each:
            d = {}
            for frame in twin.take():
                packet = read_ip(frame)
                if packet and packet[0] != host(MARKER, False):
                    d.setdefault(packet[0], set()).add(packet[1:])
            out.append(d)
        return out
