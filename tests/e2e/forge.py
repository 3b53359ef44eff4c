# SPDX-License-Identifier: BSD-2-Clause
"""Frames forged by a host on the link: neighbour discovery, ARP and ICMP about a good client and
about the program itself, groups, fragments that never fit, packets from unused addresses, odd
frames. scripts/attack has each of FORGERIES as "forge-" and its name; each is a function that
returns the next frames."""
import socket
import struct
import time

from walk import ARP, FRAGMENT, HOP_BY_HOP, ICMP, ICMP6, IPV4, IPV6, ROUTING, SYN, TCP, VLAN

UDP, IGMP, DESTINATION, NO_NEXT = 17, 2, 60, 59
ALL4, ALL6 = b"\xff" * 4, socket.inet_pton(socket.AF_INET6, "ff02::1")


class Forger:
    """Makes frames. eth: the header of a frame from the client to the program; hosts: addresses of
    program and client, by family."""

    def __init__(self, rnd, eth, port, program, client, checksum):
        self.rnd, self.port, self.checksum = rnd, port, checksum
        self.to, self.mine = eth[:6], eth[6:12]
        (self.s4, self.s6), (self.c4, self.c6) = program, client
        self.link_local = b"\xfe\x80" + bytes(6) + eth[:3].replace(b"\2", b"\0", 1) + b"\xff\xfe" + eth[3:6]

    def mac(self):
        """Returns a MAC address that is unused or invalid."""
        return self.rnd.choice((b"\2\0\0\0\0" + self.rnd.randbytes(1),) * 4 + (b"\xff" * 6, bytes(6), b"\1\0\x5e\0\0\1", b"\x33\x33\0\0\0\1", self.to))

    def ether(self, kind, data, to=None, source=None):
        return (to or self.to) + (source or self.mine) + kind + data

    def v4(self, proto, data, source=None, dest=None, options=b"", field=0, ident=None, ttl=64, **ether):
        options += bytes(-len(options) % 4)
        head = struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, (20 + len(options) + len(data)) & 0xffff,
                           self.rnd.getrandbits(16) if ident is None else ident, field, ttl, proto, 0, source or self.c4, dest or self.s4) + options
        return self.ether(IPV4, head[:10] + struct.pack("!H", self.checksum(head)) + head[12:] + data, **ether)

    def v6(self, following, data, source=None, dest=None, hops=64, **ether):
        return self.ether(IPV6, struct.pack("!IHBB", 6 << 28, len(data) & 0xffff, following, hops) + (source or self.c6) + (dest or self.s6) + data, **ether)

    def summed(self, proto, data, at, source, dest):
        pseudo = source + dest + (struct.pack("!II", len(data), proto) if len(source) == 16 else struct.pack("!HH", proto, len(data)))
        data = data[:at] + b"\0\0" + data[at + 2:]
        return data[:at] + struct.pack("!H", self.checksum((b"" if proto in (ICMP, IGMP) else pseudo) + data)) + data[at + 2:]

    def icmp6(self, data, source=None, dest=None, hops=255, options=None, **ether):
        source, dest = source or self.c6, dest or self.s6
        data = self.summed(ICMP6, data, 2, source, dest)
        if options is not None:
            return self.v6(HOP_BY_HOP, bytes((ICMP6, 0)) + options + data, source, dest, hops, **ether)
        return self.v6(ICMP6, data, source, dest, hops, **ether)

    def icmp4(self, data, **more):
        return self.v4(ICMP, self.summed(ICMP, data, 2, self.c4, self.s4), **more)

    def udp(self, source, dest, sport, dport, data=b"x" * 64, **more):
        s = self.summed(UDP, struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data, 6, source, dest)
        return (self.v6 if len(source) == 16 else self.v4)(UDP, s, source, dest, **more)

    def syn(self, source, dest, sport, dport, **more):
        s = struct.pack("!HHIIBBHHH", sport, dport, self.rnd.getrandbits(32), 0, 0x60, SYN, 65535, 0, 0) + b"\2\4\5\xb4"
        return (self.v6 if len(source) == 16 else self.v4)(TCP, self.summed(TCP, s, 16, source, dest), source, dest, **more)

    def quote(self, six):
        """Returns the beginning of a segment from the program to the client, as guessed by a blind
        attacker."""
        tcp = struct.pack("!HHIIBBHHH", self.port, self.rnd.randrange(32768, 61000), self.rnd.getrandbits(32), 0, 0x50, 16, 1000, 0, 0)
        if six:
            return struct.pack("!IHBB", 6 << 28, 1400, TCP, 64) + self.s6 + self.c6 + tcp
        return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 1400, 1, 0x4000, 64, TCP, 0, self.s4, self.c4) + tcp


# ---- neighbours ----------------------------------------------------------------------------------


def advertisements(f):
    """Neighbour advertisements for the client with a wrong link-layer address: all flags, solicited or not."""
    flags = f.rnd.choice((0x20, 0x20, 0x60, 0, 0x40, 0x80, 0xa0, 0xe0)) << 24
    option = f.rnd.choice((b"\2\1" + f.mac(),) * 5 + (b"", b"\2\0" + f.mac(), b"\2\2" + f.mac() + bytes(8), b"\1\1" + f.mac()))
    yield f.icmp6(struct.pack("!BBHI", 136, 0, 0, flags) + f.c6 + option, dest=f.rnd.choice((f.s6, ALL6)))


def advertisement_once(f):
    """One advertisement that replaces the client's link-layer address, each 0.7 s."""
    time.sleep(0.7)
    yield f.icmp6(struct.pack("!BBHI", 136, 0, 0, 0x20 << 24) + f.c6 + b"\2\1\2\0\0\0\0\x77")


def solicitations(f):
    """Solicitations in the client's name with a wrong link-layer address, and from nobody for the program's address."""
    kind = f.rnd.randrange(3)
    option = b"\1\1" + f.mac()
    if kind == 0:
        yield f.icmp6(bytes((135, 0, 0, 0)) + bytes(4) + f.s6 + option)
    elif kind == 1:
        yield f.icmp6(bytes((135, 0, 0, 0)) + bytes(4) + f.s6 + option, source=f.c6[:8] + f.rnd.randbytes(8))
    else:
        yield f.icmp6(bytes((135, 0, 0, 0)) + bytes(4) + f.s6, source=bytes(16), dest=ALL6[:11] + b"\1\xff" + f.s6[13:])


def own_address(f):
    """Says to be the program: advertisements and ARP for its addresses, to it and to all."""
    to = f.rnd.choice((None, b"\x33\x33\0\0\0\1"))
    yield f.icmp6(struct.pack("!BBHI", 136, 0, 0, 0x20 << 24) + f.s6 + b"\2\1" + f.mac(), source=f.s6, dest=ALL6, to=to)
    mac = f.mac()
    yield f.ether(ARP, struct.pack("!HHBBH", 1, 0x800, 6, 4, f.rnd.choice((1, 2))) + mac + f.s4 + bytes(6) + f.s4, to=f.rnd.choice((None, b"\xff" * 6)), source=mac)


def arp(f):
    """ARP for the client with wrong addresses, replies that nobody asked for, headers that lie."""
    head = struct.pack("!HHBBH", f.rnd.choice((1,) * 9 + (6, 0)), f.rnd.choice((0x800,) * 9 + (0x86dd,)), f.rnd.choice((6,) * 9 + (0, 8, 255)),
                       f.rnd.choice((4,) * 9 + (0, 16, 255)), f.rnd.choice((1, 2, 2, 2, 3, 8, 65535)))
    who = f.rnd.choice((f.c4, f.c4, f.c4, ALL4, bytes(4), b"\xe0\0\0\1", b"\x7f\0\0\1", f.s4[:3] + f.rnd.randbytes(1)))
    yield f.ether(ARP, head + f.mac() + who + f.to + f.s4, to=f.rnd.choice((None, b"\xff" * 6)))


def arp_once(f):
    """One reply that replaces the client's link-layer address, each 0.7 s."""
    time.sleep(0.7)
    yield f.ether(ARP, struct.pack("!HHBBH", 1, 0x800, 6, 4, 2) + b"\2\0\0\0\0\x77" + f.c4 + f.to + f.s4)


def routers(f):
    """Advertisements of routers with extreme values, prefixes, MTUs, and their end; redirects of the client."""
    source = b"\xfe\x80" + bytes(13) + f.rnd.randbytes(1)
    options = [b"\5\1\0\0" + struct.pack("!I", f.rnd.choice((0, 68, 1280, 9000, 1 << 31))), b"\1\1" + f.mac(), b"\1\0" + bytes(6), b"\x19\0" + bytes(6),
               struct.pack("!BBBBIII", 3, 4, f.rnd.choice((0, 64, 128, 255)), 0xc0, f.rnd.choice((0, 1, 0xffffffff)), f.rnd.choice((0, 1, 0xffffffff)), 0)
               + f.rnd.choice((f.c6[:8] + bytes(8), f.rnd.randbytes(16))), b"\x18\2\x40\x18" + bytes(12), b"\x19\3\0\0\0\0\0\0" + f.c6]
    body = struct.pack("!BBHBBHII", 134, 0, 0, f.rnd.choice((0, 64, 255)), f.rnd.choice((0, 0xc0, 0x18)), f.rnd.choice((0, 0, 1, 65535)),
                       f.rnd.choice((0, 1, 0xffffffff)), f.rnd.choice((0, 1, 0xffffffff)))
    yield f.icmp6(body + b"".join(f.rnd.choices(options, k=f.rnd.randrange(6))), source=source, dest=ALL6)
    yield f.icmp6(struct.pack("!BBHI", 137, 0, 0, 0) + f.rnd.choice((source, f.s6, f.c6)) + f.c6 + b"\2\1" + f.mac(), source=source)


def groups(f):
    """Queries and reports of MLD and IGMP: no time to answer, sources without end, wrong lengths."""
    n = f.rnd.choice((0, 1, 80, 65535))
    alert = f.rnd.choice((b"\5\2\0\0\1\0", None, b"\1\4" + bytes(4)))
    body = struct.pack("!BBHHH", f.rnd.choice((130, 130, 131, 132, 143)), 0, 0, f.rnd.choice((0, 1, 10000, 0xffff)), 0) + f.rnd.choice((bytes(16), ALL6))
    yield f.icmp6(body + f.rnd.choice((b"", struct.pack("!BBH", 2, 1, n) + bytes(16 * min(n, 80)))), source=f.rnd.choice((f.link_local, b"\xfe\x80" + bytes(13) + b"\7")),
                  dest=ALL6, hops=1, options=alert)
    body = struct.pack("!BBH4s", f.rnd.choice((0x11, 0x11, 0x12, 0x16, 0x17, 0x22)), f.rnd.choice((0, 1, 255)), 0, f.rnd.choice((bytes(4), b"\xe0\0\0\1", b"\xe0\0\0\xfb")))
    body += f.rnd.choice((b"", struct.pack("!BBH", 2, 1, n) + bytes(4 * min(n, 300))))
    yield f.v4(IGMP, f.summed(IGMP, body, 2, f.c4, f.s4), dest=b"\xe0\0\0\1", options=f.rnd.choice((b"\x94\4\0\0", b"")), ttl=1, to=b"\1\0\x5e\0\0\1")


# ---- errors, addresses ---------------------------------------------------------------------------


def errors(f):
    """ICMP errors about the client's connections as a blind attacker guesses them: MTUs of all sizes, unreachable, quench, redirects; requests."""
    six = f.rnd.random() < 0.5
    mtu = f.rnd.choice((0, 1, 67, 68, 296, 552, 1279, 1280, 1499, 65535))
    quote = f.quote(six)[:f.rnd.choice((8, 20, 28, 40, 48, 60))]
    if six:
        yield f.icmp6(bytes(f.rnd.choice(((2, 0), (2, 0), (1, f.rnd.randrange(7)), (3, 0), (4, 0), (4, 2), (128, 0), (100, 0), (139, 0))) + (0, 0)) + struct.pack("!I", mtu) + quote, hops=64)
    else:
        yield f.icmp4(bytes(f.rnd.choice(((3, 4), (3, 4), (3, f.rnd.randrange(16)), (4, 0), (5, 1), (11, 1), (12, 0), (13, 0), (15, 0), (17, 0), (9, 0), (10, 0))) + (0, 0))
                      + struct.pack("!I", mtu) + quote + bytes(12))


def martians(f):
    """SYNs, datagrams and pings from addresses that no peer can have, above all the program's own: an echo to itself would never end."""
    bad4 = (f.s4, b"\x7f\0\0\1", bytes(4), ALL4, b"\xe0\0\0\1", f.s4[:3] + b"\xff", f.s4[:3] + b"\0", b"\xf0\0\0\1")
    bad6 = (f.s6, bytes(15) + b"\1", bytes(16), ALL6, bytes(10) + b"\xff\xff" + f.c4, f.link_local)
    for source, dest in ((f.rnd.choice(bad4), f.rnd.choice((f.s4, f.s4, ALL4, f.s4[:3] + b"\xff", b"\xe0\0\0\1"))), (f.rnd.choice(bad6), f.rnd.choice((f.s6, f.s6, ALL6)))):
        port = f.rnd.choice((0, 7, 9, 19, 53, f.port))
        kind = f.rnd.randrange(4)
        if kind == 0:
            yield f.syn(source, dest, f.rnd.choice((0, f.port)), f.port)
        elif kind < 3:
            yield f.udp(source, dest, port, f.rnd.choice((port, 7, f.port, 9999)))
        elif len(source) == 4:
            yield f.v4(ICMP, f.summed(ICMP, b"\x08\0\0\0\0\1\0\1" + bytes(32), 2, source, dest), source, dest)
        else:
            yield f.icmp6(b"\x80\0\0\0\0\1\0\1" + bytes(32), source, dest, hops=64)


def echo_partners(f):
    """Datagrams from the echo port of others, and to all of them; checksums that are not there, lengths that lie."""
    six = f.rnd.random() < 0.5
    source, dest = (f.c6, f.s6) if six else (f.c4, f.s4)
    d = f.udp(source, dest, f.rnd.choice((7, 19, 0, 65535)), f.rnd.choice((7, 7, 9999)), bytes(f.rnd.randrange(200)))
    at = 14 + (40 if six else 20) + f.rnd.choice((4, 6))
    yield d if f.rnd.random() < 0.5 else d[:at] + f.rnd.choice((b"\0\0", b"\0\7", b"\0\x09", b"\xff\xff")) + d[at + 2:]


# ---- packets -------------------------------------------------------------------------------------


def fragments4(f):
    """Overlaps, holes, ends before beginnings, tiny pieces, pieces beyond 64 KB, of data that would be right."""
    s = f.summed(UDP, struct.pack("!HHHH", 5000, 7, 1208, 0) + bytes(1200), 6, f.c4, f.s4)
    ident, kind = f.rnd.getrandbits(16), f.rnd.randrange(7)
    pieces = (((0, 40, 1), (24, 1208, 0)), ((0, 1200, 1), (8, 32, 0)), ((0, 1208, 1),), ((1200, 1208, 0),), ((65528, 65528 + 1400, 0), (0, 8, 1)),
              ((0, 8, 1), (8, 16, 1), (16, 24, 1)), ((0, 8, 1), (0, 8, 1), (8, 1208, 0), (8, 1000, 0)))[kind]
    for at, end, more in pieces:
        yield f.v4(UDP, (s + bytes(1400))[at % 1208:at % 1208 + end - at], ident=ident, field=at // 8 | more << 13 | f.rnd.choice((0, 0, 0, 0x8000, 0x4000)))


def fragments6(f):
    """The same with extension headers: atomic ones, such with a header of a fragment inside, not a multiple of eight, chains cut off."""
    s = f.summed(UDP, struct.pack("!HHHH", 5000, 7, 808, 0) + bytes(800), 6, f.c6, f.s6)
    ident, kind = f.rnd.getrandbits(32), f.rnd.randrange(8)

    def piece(at, data, more, following=UDP, inner=b""):
        return f.v6(FRAGMENT, struct.pack("!BBHI", following, 0, at | more, ident) + inner + data)
    if kind == 0:
        yield piece(0, s, 0)
    elif kind == 1:
        yield from (piece(0, s[:400], 1), piece(392, s[392:], 0))
    elif kind == 2:
        yield from (piece(0, s[:401], 1), piece(400, s[400:], 0))
    elif kind == 3:
        yield from (piece(0, s, 0, FRAGMENT, struct.pack("!BBHI", UDP, 0, 0, ident)), piece(0, s, 1, FRAGMENT, struct.pack("!BBHI", UDP, 0, 8, ident)))
    elif kind == 4:
        yield from (piece(0, bytes((UDP, f.rnd.choice((0, 1, 255)))) + bytes(6), 1, DESTINATION), piece(8, s, 0, DESTINATION))
    elif kind == 5:
        yield piece(65528, s, 0)
    elif kind == 6:
        yield from (piece(0, b"", 1), piece(0, b"", 0), piece(8, b"", 0))
    else:
        yield piece(0, s[:8 * f.rnd.randrange(1, 100)], 1, f.rnd.choice((UDP, TCP, ICMP6, NO_NEXT, 255)))


def headers6(f):
    """Chains of extension headers: long, in each order, with options that ask for errors, routing types, lengths beyond the packet."""
    kinds = f.rnd.choices((HOP_BY_HOP, ROUTING, DESTINATION, DESTINATION, 135, 139, 140, 51, 50, 253), k=f.rnd.choice((1, 2, 8, 9, 40)))
    if f.rnd.random() < 0.6:
        kinds = [k for k in kinds if k in (ROUTING, DESTINATION)] or [DESTINATION]
    chain, last = b"", f.rnd.choice((TCP, UDP, ICMP6, NO_NEXT, 255, IGMP))
    for following in [*kinds[1:], last]:
        body = f.rnd.choice((b"\1\4" + bytes(4), b"\xc2\4\xff\xff\xff\xff", b"\x9e\4abcd", b"\xde\4abcd", b"\4\3\0\1\0\0", b"\0" * 6, b"\1\xff" + bytes(4)))
        chain += bytes((following, f.rnd.choice((0,) * 12 + (1, 2, 255)))) + body
    body = f.syn(f.c6, f.s6, f.rnd.randrange(1024, 65536), f.port)[54:]
    yield f.v6(kinds[0], chain + body[:f.rnd.choice((24, 24, 24, 4, 0))], dest=f.rnd.choice((f.s6, f.s6, f.s6, ALL6)))


def options4(f):
    """Every option of IPv4 with every length, on SYNs and pings."""
    o = bytearray()
    while len(o) < f.rnd.randrange(2, 38):
        o += bytes((f.rnd.choice((0, 1, 7, 68, 130, 131, 134, 136, 137, 148, f.rnd.randrange(256))), f.rnd.choice((0, 1, 2, 3, 4, 7, 8, 11, 39, 40, 255)))) + f.rnd.randbytes(f.rnd.randrange(4))
    o = bytes(o[:40])
    yield f.syn(f.c4, f.s4, f.rnd.randrange(1024, 65536), f.port, options=o)
    yield f.icmp4(b"\x08\0\0\0\0\1\0\1" + bytes(32), options=o)


def ethernet(f):
    """Frames cut anywhere, padded, tagged once, twice and eight times, LLC, slow protocols, flow control, from impossible senders."""
    d = f.rnd.choice((f.syn(f.c4, f.s4, 1024, f.port), f.syn(f.c6, f.s6, 1024, f.port), f.udp(f.c4, f.s4, 1024, 7)))
    kind = f.rnd.randrange(8)
    tag = f.rnd.choice((VLAN, b"\x88\xa8", b"\x91\0")) + struct.pack("!H", f.rnd.choice((0, 0x2000, 1, 4095)))
    if kind == 0:
        yield d[:f.rnd.randrange(14, len(d))]
    elif kind == 1:
        yield d + bytes(f.rnd.choice((1, 2, 3, 46, 1400)))
    elif kind == 2:
        yield d[:12] + tag * f.rnd.choice((1, 1, 2, 8, 300)) + d[12:]
    elif kind == 3:
        yield d[:12] + struct.pack("!H", f.rnd.randrange(1536)) + d[14:]
    elif kind == 4:
        yield d[:12] + f.rnd.choice((b"\x88\x08", b"\x88\x09", b"\x88\x47", b"\x88\x63", b"\x88\xcc", b"\x88\xe5", b"\x08\0\0\0")) + d[14:]
    elif kind == 5:
        yield d[:6] + f.rnd.choice((b"\xff" * 6, d[:6], bytes(6), b"\1\0\x5e\0\0\1")) + d[12:]
    elif kind == 6:
        yield f.rnd.choice((b"\xff" * 6, b"\1\0\x5e\0\0\1", b"\x33\x33\0\0\0\1", b"\2" + f.rnd.randbytes(5))) + d[6:]
    else:
        at = f.rnd.choice((14, 15, 16, 17, 18, 20, 23, 46, 47, 54))
        yield d[:at] + f.rnd.randbytes(1) + d[at + 1:]


FORGERIES = {f.__name__.replace("_", "-"): f for f in (
    advertisements, advertisement_once, solicitations, own_address, arp, arp_once, routers, groups, errors, martians, echo_partners, fragments4, fragments6,
    headers6, options4, ethernet)}


def frames(name, forger):
    """Frames of one kind without end."""
    while True:
        yield from FORGERIES[name](forger)
