# SPDX-License-Identifier: BSD-2-Clause
"""Peers of both families that know the sequence numbers of their connections, and send what nearly
fits: segments in and out of order, flags, options, SACK blocks and windows at random, fragments,
extension headers, tags, ICMP errors that quote what was received. scripts/attack has it as
"walk"."""
import socket
import struct
import time

REQUESTS = [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n", b"HEAD /big.bin HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /big.bin HTTP/1.1\r\nHost: x\r\nRange: bytes=0-5,7-9,-3\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n", b"\r\n\r\n", b"\0" * 40,
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n", b"A: " + b"b" * 900 + b"\r\n",
    b"GET /" + b"%41" * 400 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
OPTIONS4 = [b""] * 6 + [b"\1\1\1\0", b"\x94\4\0\0", b"\7\7\4\0\0\0\0\0", b"\x44\x0c\5\0" + bytes(8), b"\x83\7\4\1\2\3\4\0", b"\7\0\0\0"]
OPTIONS6 = [b"\1\4\0\0\0\0", b"\5\2\0\0\1\0", bytes(6), b"\xc2\4\0\1\0\0", b"\x1e\4abcd", b"\x9e\4abcd", b"\1\xffabcd"]
IPV4, IPV6, VLAN, ARP = b"\x08\0", b"\x86\xdd", b"\x81\0", b"\x08\6"
FIN, SYN, RST, ACK, URG = 1, 2, 4, 16, 32
HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION, TCP, ICMP, ICMP6 = 0, 43, 44, 60, 6, 1, 58
MODULUS = 1 << 32


class Peer:
    """One end of a connection, as far as its peer has told."""

    def __init__(self, rnd, source):
        self.source, self.six, self.port = source, len(source) == 16, rnd.randrange(1024, 65536)
        self.snd = rnd.choice((rnd.getrandbits(32), MODULUS - 1, MODULUS - 16, 0, (1 << 31) - 1))
        self.rcv = self.acked = self.tsecr = 0
        self.timestamps, self.first, self.quote = False, None, b""


class Walk:
    """Makes frames, and processes those received. checksum: the Internet checksum function."""

    def __init__(self, rnd, eth, port, servers, checksum):
        self.rnd, self.eth, self.port, self.servers, self.checksum = rnd, eth, port, servers, checksum
        self.own = [socket.inet_aton(f"192.0.2.{i}") for i in range(70, 90)]
        self.own += [socket.inet_pton(socket.AF_INET6, f"fd00::{i:x}") for i in range(0x70, 0x90)]
        self.peers = {}

    # ---- segments

    def options(self, c, syn):
        r, o = self.rnd, b""
        if syn:
            if r.random() < 0.9:
                o += struct.pack("!BBH", 2, 4, r.choice((0, 1, 64, 536, 1460, 1460, 8960, 65535)))
            if r.random() < 0.7:
                o += b"\4\2"
            if r.random() < 0.7:
                o += bytes((3, 3, r.choice((0, 1, 7, 7, 14, 15, 255))))
            c.timestamps = c.timestamps or r.random() < 0.7
        if c.timestamps and r.random() < 0.97:
            now = int(time.monotonic() * 1000) + r.choice((0, 0, 0, 0, 0, 0, -100000, 1 << 31, 5000))
            o += b"\1\1\10\12" + struct.pack("!II", now % MODULUS, 0 if syn else c.tsecr)
        if not syn and r.random() < 0.3:
            blocks = b""
            for _ in range(r.randrange(1, 5)):
                at = c.acked + r.randrange(20000) if r.random() < 0.8 else r.getrandbits(32)
                blocks += struct.pack("!II", at % MODULUS, (at + r.randrange(5000)) % MODULUS)
            o += b"\1\1\5" + bytes((2 + len(blocks),)) + blocks
        if r.random() < 0.1:
            o += bytes((r.choice((0, 1, 2, 3, 5, 8, 19, 28, 30, 34, 172, 174, 254, r.randrange(256))),
                        r.choice((0, 1, 2, 3, 4, 6, 10, 18, 40, 255)))) + r.randbytes(r.randrange(4))
        return (o + bytes(-len(o) % 4))[:40]

    def segment(self, c, seq, ack, flags, data=b"", syn=False):
        r, options = self.rnd, self.options(c, syn)
        s = struct.pack("!HHIIBBHHH", c.port, self.port, seq % MODULUS, ack % MODULUS, 5 + len(options) // 4 << 4 | flags >> 8, flags & 255,
                        r.choice((0, 1, 100, 1000, 8000, 65535, 65535, 65535)), 0, r.choice((0, 1, 5, 65535, len(data)))) + options + data
        return self.packets(c, TCP, s, 16)

    def icmp(self, c):
        """Returns an error about what was received last, possibly changed, and truncated
        anywhere."""
        r, quote = self.rnd, bytearray(c.quote)
        for _ in range(r.choice((0, 0, 1, 3)) if quote else 0):
            quote[r.randrange(len(quote))] = r.randrange(256)
        quote = bytes(quote[:r.choice((0, 8, 28, 28, 40, 48, 60, 576, 1200))])
        kinds = ((1, r.randrange(8)), (2, 0), (2, 0), (3, 0), (4, 1), (137, 0)) if c.six else ((3, 4), (3, 4), (3, r.randrange(16)), (5, 1), (11, 0), (12, 0))
        mtu = r.choice((0, 1, 68, 552, 1279, 1280, 1400, 1500, 65535))
        return self.packets(c, ICMP6 if c.six else ICMP, bytes((*r.choice(kinds), 0, 0)) + struct.pack("!I", mtu) + quote, 2)

    # ---- packets

    def packets(self, c, proto, s, at):
        """Returns frames with a transport's header and data; its checksum is stored at offset
        at."""
        pseudo = b"" if proto == ICMP else c.source + self.servers[c.six] + struct.pack("!II", len(s), proto)
        s = s[:at] + struct.pack("!H", self.checksum(pseudo + s)) + s[at + 2:]
        return [self.frame(*p) for p in (self.packets6 if c.six else self.packets4)(c, proto, s)]

    def pieces(self, s):
        """Returns one piece, or fragments that may overlap, lack one, be duplicated, and in any
        order: offset, bytes, more."""
        r = self.rnd
        if len(s) <= 32 or r.random() > 0.07:
            return [(0, s, 0)]
        cut = 8 * r.randrange(1, len(s) // 8)
        out = [(0, s[:cut], 1), (cut, s[cut:], 0)]
        if r.random() < 0.2:
            out.append((cut - 8, s[cut - 8:cut + 8], 1))
        if r.random() < 0.2:
            out.pop(r.randrange(len(out)))
        if r.random() < 0.3:
            out.append(r.choice(out))
        r.shuffle(out)
        return out

    def packets4(self, c, proto, s):
        r, options, ident = self.rnd, self.rnd.choice(OPTIONS4), self.rnd.randrange(65536)
        for at, piece, more in self.pieces(s):
            h = struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, r.randrange(4), 20 + len(options) + len(piece), ident,
                            at // 8 | more << 13, 64, proto, 0, c.source, self.servers[0]) + options
            yield IPV4, h[:10] + struct.pack("!H", self.checksum(h)) + h[12:] + piece

    def packets6(self, c, proto, s):
        r, headers, chain = self.rnd, self.rnd.choices((HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION), k=self.rnd.choice((0, 0, 0, 0, 1, 2, 9))), b""
        for kind, following in zip(headers, [*headers[1:], proto]):
            if kind == FRAGMENT:
                chain += struct.pack("!BBHI", following, 0, r.choice((0, 0, 0, 1, 8, 9)), r.getrandbits(32))
            elif kind == ROUTING:
                chain += bytes((following, 0, r.choice((0, 2, 3, 4, 99)), r.choice((0, 0, 0, 1)))) + bytes(4)
            else:
                chain += bytes((following, 0)) + r.choice(OPTIONS6)
        first, ident = [*headers, proto][0], r.getrandbits(32)
        pieces = [(0, s, 0)] if headers else self.pieces(s)
        for at, piece, more in pieces:
            body, kind = chain + piece, first
            if len(pieces) > 1:
                body, kind = struct.pack("!BBHI", first, 0, at | more, ident) + piece, FRAGMENT
            yield IPV6, struct.pack("!IHBB", 6 << 28 | r.randrange(4) << 20, len(body), kind, 64) + c.source + self.servers[1] + body

    def frame(self, kind, packet):
        r = self.rnd
        tag = VLAN + struct.pack("!H", r.choice((0, 0, 1, 4095, r.randrange(65536)))) if r.random() < 0.02 else b""
        f = self.eth[:12] + tag + kind + packet
        if r.random() < 0.03:
            f += r.randbytes(r.randrange(20))
        return f[:r.randrange(14, len(f) + 1)] if r.random() < 0.01 else f

    # ---- steps

    def begin(self):
        r, c = self.rnd, Peer(self.rnd, self.rnd.choice(self.own))
        self.peers[c.source, c.port] = c
        data = r.choice(REQUESTS) if r.random() < 0.05 else b""
        c.first = self.segment(c, c.snd, 0, SYN | r.choice((0, 0, 0, 0xc0, 0x1c0, FIN, 8, URG)), data, syn=True)
        c.snd += 1
        return c.first

    def step(self):
        """Returns the next frames of one peer."""
        r = self.rnd
        if len(self.peers) < 60 or r.random() < 0.02:
            return self.begin()
        key = r.choice(list(self.peers))
        c = self.peers[key]
        if r.random() < 0.02:
            del self.peers[key]
        if c.rcv == 0:
            return c.first
        if r.random() < 0.1:
            return self.icmp(c)
        seq = c.snd + r.choice((0,) * 12 + (1, -1, 10, 1000, -1000, 30000, 100000, 1 << 31, r.getrandbits(32)))
        ack = c.rcv + r.choice((0,) * 12 + (-1, 1, -1000, -20000, 1000, 1 << 31, c.acked - c.rcv, r.getrandbits(32)))
        flags = ACK if r.random() < 0.85 else r.randrange(512)
        flags |= r.choice((0,) * 30 + (FIN, FIN, SYN, RST, URG, URG, 0x40, 0x80, 0x100, 0x1c0))
        data = r.choice(REQUESTS) if r.random() < 0.6 else r.randbytes(r.randrange(1300)) if r.random() < 0.1 else b""
        if seq == c.snd and flags & ACK and not flags & (SYN | RST):
            c.snd += len(data) + (flags & FIN)
        if ack == c.rcv:
            c.acked = ack
        return self.segment(c, seq, ack, flags, data, syn=bool(flags & SYN))

    def take(self, f):
        """Returns the answers to a frame."""
        kind = f[12:14]
        if kind == ARP and f[20:22] == b"\0\1" and f[38:42] in self.own:
            return [f[6:12] + self.eth[6:12] + ARP + f[14:20] + b"\0\2" + self.eth[6:12] + f[38:42] + f[22:32]]
        if kind == IPV6 and f[20] == ICMP6 and f[54] == 135 and f[62:78] in self.own:
            m = b"\x88\0\0\0\x60\0\0\0" + f[62:78] + b"\2\1" + self.eth[6:12]
            m = m[:2] + struct.pack("!H", self.checksum(f[62:78] + f[22:38] + struct.pack("!II", len(m), ICMP6) + m)) + m[4:]
            return [f[6:12] + self.eth[6:12] + IPV6 + struct.pack("!IHBB", 6 << 28, len(m), ICMP6, 255) + f[62:78] + f[22:38] + m]
        if kind == IPV4 and f[23] == TCP:
            at, to, end = 14 + 4 * (f[14] & 15), f[30:34], 14 + int.from_bytes(f[16:18], "big")
        elif kind == IPV6 and f[20] == TCP:
            at, to, end = 54, f[38:54], 54 + int.from_bytes(f[18:20], "big")
        else:
            return []
        port, seq, offset, flags = struct.unpack("!2xHI4xBB", f[at:at + 14])
        c = self.peers.get((to, port))
        return self.take_segment(c, f, at, end, seq, offset, flags) if c else []

    def take_segment(self, c, f, at, end, seq, offset, flags):
        c.quote = f[14:]
        found = f.find(b"\x08\x0a", at + 20, at + 4 * (offset >> 4))
        if found >= 0:
            c.tsecr = int.from_bytes(f[found + 2:found + 6], "big")
        if flags & RST:
            del self.peers[c.source, c.port]
            return []
        if flags & SYN:
            c.rcv = c.acked = seq + 1
            return self.segment(c, c.snd, c.rcv, ACK)
        n = end - at - 4 * (offset >> 4) + (flags & FIN)
        if (seq + n - c.rcv) % MODULUS < 1 << 31:
            c.rcv = (seq + n) % MODULUS
        if n == 0 or self.rnd.random() < 0.3:
            return []
        c.acked = c.rcv
        return self.segment(c, c.snd, c.rcv, ACK)


def walk(w, s, seconds):
    """Lets peers walk over a raw socket."""
    end = time.monotonic() + seconds
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    s.setblocking(False)
    while time.monotonic() < end:
        out = [f for _ in range(3) for f in w.step()]
        try:
            for _ in range(64):
                f = s.recv(2048)
                if f[6:12] == w.eth[:6]:
                    out += w.take(f)
        except BlockingIOError:
            pass
        for f in out:
            try:
                s.send(f[:1514])
            except OSError:
                time.sleep(0.001)
