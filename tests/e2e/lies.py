# SPDX-License-Identifier: BSD-2-Clause
"""Peers that complete the handshake and then lie, each in its own way: about what they have
received, how much room they have, the time, the marks on packets. scripts/attack has each of LIES
as "lie-" and its name."""
import random
import select
import socket
import struct
import time

from walk import ACK, ARP, FIN, ICMP6, IPV4, IPV6, MODULUS, RST, SYN, TCP, URG

PSH, ECE, CWR, NS = 8, 0x40, 0x80, 0x100
HTTP = b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n"
ECHO = bytes(8000)
PEERS = 24
MSS, SACK_OK, SCALE = b"\2\4\5\xb4", b"\4\2\1\1", b"\3\3\7\1"


class Segment:
    """A received segment."""

    def __init__(self, f, at, end):
        self.seq, self.ack, offset, self.flags, self.window = struct.unpack("!IIBBH", f[at + 4:at + 16])
        self.data = f[at + 4 * (offset >> 4):end]
        self.tsval = 0
        found = f.find(b"\x08\x0a", at + 20, at + 4 * (offset >> 4))
        if found >= 0:
            self.tsval = int.from_bytes(f[found + 2:found + 6], "big")
        self.end = (self.seq + len(self.data) + (self.flags & FIN)) % MODULUS


class Peer:
    """One connection to the program; a lie is a generator that is passed each received segment, or
    None if there is none."""

    def __init__(self, liars, source):
        self.liars, self.rnd, self.source = liars, liars.rnd, source
        self.port, self.snd, self.rcv, self.tsecr = self.rnd.randrange(1024, 65536), self.rnd.getrandbits(32), 0, 0
        self.tos, self.timestamps, self.request, self.lie, self.begun = 0, False, liars.request, None, time.monotonic()

    def send(self, flags=ACK, data=b"", seq=None, ack=None, window=65535, options=b"", urgent=0):
        """Sends a segment; omitted fields have honest values."""
        if self.timestamps and not options:
            options = b"\1\1" + stamp(int(time.monotonic() * 1000), self.tsecr)
        seq, ack = self.snd if seq is None else seq, self.rcv if ack is None else ack
        options += bytes(-len(options) % 4)
        s = struct.pack("!HHIIBBHHH", self.port, self.liars.port, seq % MODULUS, ack % MODULUS,
                        5 + len(options) // 4 << 4 | flags >> 8, flags & 255, window % 65536, 0, urgent) + options + data
        self.liars.out(self.source, TCP, s, 16, self.tos)

    def ask(self):
        self.send(ACK | PSH, self.request)
        self.snd = (self.snd + len(self.request)) % MODULUS

    def take(self, s):
        """Advances as an honest peer does, if s is the next segment in sequence."""
        if s and s.seq == self.rcv:
            self.rcv = s.end
        if s and s.tsval:
            self.tsecr = s.tsval


def stamp(val, ecr):
    return b"\x08\x0a" + struct.pack("!II", val % MODULUS, ecr % MODULUS)


def blocks(*pairs):
    return b"\1\1\5" + bytes((2 + 8 * len(pairs),)) + b"".join(struct.pack("!II", a % MODULUS, b % MODULUS) for a, b in pairs)


# ---- lies ----------------------------------------------------------------------------------------


def optimistic(c):
    """Acknowledges what has not come yet, a segment ahead each time, and sometimes what was never sent."""
    c.ask()
    while True:
        s = yield
        if s and s.data:
            c.take(s)
            c.send(ack=s.end + 1448 * c.rnd.randrange(4))
            c.rcv = s.end
        elif c.rnd.random() < 0.2:
            c.send(ack=c.rcv + c.rnd.choice((1448, 100000, 1 << 30)))


def division(c):
    """Acknowledges each byte of a segment for itself."""
    c.ask()
    while True:
        s = yield
        if s and s.seq == c.rcv and s.data:
            for at in range(1, len(s.data), 24):
                c.send(ack=s.seq + at)
            c.take(s)
            c.send()


def repeats(c):
    """Acknowledges the same a hundred times for each segment that comes."""
    c.ask()
    while True:
        s = yield
        for _ in range(100 if s and s.data else 0):
            c.send()
        if s and c.rnd.random() < 0.1:
            c.take(s)


def sack_all(c):
    """Says to have everything but the first segment, forgets it, says it again; also what was never sent, or long ago."""
    c.ask()
    top = None
    while True:
        s = yield
        top = s.end if s and s.data else top
        if top is None:
            continue
        kind = c.rnd.randrange(6)
        if kind < 3:
            c.send(options=blocks((c.rcv + 1, top)))
        elif kind == 3:
            c.send(options=blocks((top, top + 1), (top + 1000, top + (1 << 30)), (c.rcv - 5000, c.rcv - 1), (top, c.rcv)))
        elif kind == 4:
            c.send(options=blocks(*[(c.rcv + 2 * i + 1, c.rcv + 2 * i + 2) for i in range(4)]))
        elif c.rnd.random() < 0.2:
            c.take(s)
            c.send(ack=c.rcv + 1)
            c.rcv += 1


def reneging(c):
    """SACKs all but the first segment and then never speaks of it again."""
    c.ask()
    for _ in range(30):
        s = yield
        if s and s.data:
            c.send(options=blocks((c.rcv + 1448, max(s.end, c.rcv + 1449))))
    for _ in range(400):
        yield
    c.send(RST)


def window_games(c):
    """A window that opens and closes, shrinks, is one byte."""
    c.ask()
    while True:
        s = yield
        c.take(s)
        if s or c.rnd.random() < 0.3:
            c.send(window=c.rnd.choice((0, 0, 1, 1, 2, 536, 65535)))


def one_byte(c):
    """Room for one byte, always."""
    c.ask()
    while True:
        s = yield
        c.take(s)
        if s:
            c.send(window=1)


def never(c):
    """Asks and closes the window for ever; answers each probe."""
    c.ask()
    while True:
        s = yield
        if s:
            c.send(window=0)


def echo_of_the_future(c):
    """Timestamps that echo what was never sent, and that jump forth and back."""
    c.timestamps = True
    c.ask()
    while True:
        s = yield
        c.take(s)
        val = int(time.monotonic() * 1000) + c.rnd.choice((0, 0, 0, 1 << 30, 1 << 31, -1 << 20))
        c.send(options=b"\1\1" + stamp(val, c.rnd.choice((c.tsecr, c.tsecr + 1, c.tsecr + (1 << 30), c.tsecr - (1 << 25), 0, c.rnd.getrandbits(32)))))


def paws(c):
    """Sends data with a timestamp far ahead, then older ones, in and out of order."""
    c.timestamps, now = True, int(time.monotonic() * 1000)
    for i in range(200):
        data = c.request[:7]
        c.send(ACK | PSH, data, seq=c.snd + 7 * c.rnd.randrange(4), options=b"\1\1" + stamp(now + (1 << 30) * (i % 3), c.tsecr))
        c.take((yield))


def marks(c):
    """Everything is marked, and every acknowledgement says so: CE, ECE, CWR, NS in turn, ACE at random."""
    c.ask()
    while True:
        s = yield
        c.take(s)
        c.tos = c.rnd.choice((0, 1, 2, 3, 3, 3))
        c.send(ACK | c.rnd.choice((0, ECE, ECE, ECE | CWR, CWR, NS, NS | ECE | CWR)),
               options=b"\xac\x0b" + c.rnd.randbytes(9) + b"\1" if c.rnd.random() < 0.3 else b"")


def urgent(c):
    """Urgent pointers everywhere."""
    c.ask()
    while True:
        c.take((yield))
        data = c.request[:c.rnd.randrange(1, 9)]
        c.send(ACK | URG, data, urgent=c.rnd.choice((0, 1, 2, 5, 65535)))
        c.snd += len(data)


def gaps(c):
    """Every second byte of a window, from behind, and never the first."""
    while True:
        for at in range(c.rnd.randrange(3000, 60000), 0, -c.rnd.choice((2, 3, 100))):
            c.send(ACK, b"x", seq=c.snd + at)
            if at % 64 == 0:
                yield
        yield


def endings(c):
    """FINs early, twice, elsewhere, with data behind them; resets and SYNs that miss."""
    c.ask()
    for _ in range(100):
        c.take((yield))
        flags = c.rnd.choice((FIN | ACK, FIN | ACK, FIN, RST, SYN, SYN | ACK, SYN | FIN, ACK, 0, FIN | URG | PSH))
        c.send(flags, c.request[:c.rnd.choice((0, 0, 5))], seq=c.snd + c.rnd.choice((0, 1, 1, -1, 100, 70000)))


def time_wait(c):
    """Has its connection closed and then begins it again with numbers of all kinds, and resets it."""
    c.request = b"GET / HTTP/1.0\r\n\r\n"
    c.ask()
    c.send(FIN | ACK)
    c.snd += 1
    for _ in range(200):
        s = yield
        c.take(s)
        if s and s.data or s and s.flags & FIN:
            c.send()
        if c.rnd.random() < 0.2:
            c.send(c.rnd.choice((SYN, SYN, RST, ACK)), seq=c.snd + c.rnd.choice((1, -1, 1000, -100000, 1 << 31)), options=MSS)


def tiny_mss(c):
    """A peer whose segments are of one byte."""
    c.ask()
    while True:
        s = yield
        c.take(s)
        if s and s.data:
            c.send()


def flood_of_bytes(c):
    """One byte in each segment, as fast as they go, and nothing that comes is taken."""
    while True:
        for _ in range(20):
            c.send(ACK | PSH, b"G", window=1000)
            c.snd += 1
        yield


def malformed(c):
    """Options of lengths that cannot be, at every place."""
    c.ask()
    while True:
        c.take((yield))
        o = bytearray(c.rnd.choice((MSS, SACK_OK, SCALE, stamp(1, 2), blocks((1, 2), (3, 4)))) * 4)[:40]
        for _ in range(3):
            o[c.rnd.randrange(len(o))] = c.rnd.choice((0, 1, 2, 3, 4, 5, 8, 10, 34, 40, 172, 174, 254, 255))
        c.send(ACK, c.request[:4], options=bytes(o[:4 * c.rnd.randrange(1, 1 + len(o) // 4)]))


LIES = {f.__name__.replace("_", "-"): f for f in (
    optimistic, division, repeats, sack_all, reneging, window_games, one_byte, never, echo_of_the_future, paws, marks, urgent, gaps,
    endings, time_wait, tiny_mss, flood_of_bytes, malformed)}
OPENING = {"tiny-mss": b"\2\4\0\1", "malformed": MSS + SACK_OK + SCALE + b"\2\4\0\0"}

# ---- the wire ------------------------------------------------------------------------------------


class Liars:
    """Peers at addresses of their own over one raw socket."""

    def __init__(self, name, rnd, sock, eth, port, servers, checksum):
        self.name, self.rnd, self.sock, self.eth, self.port, self.servers, self.checksum = name, rnd, sock, eth, port, servers, checksum
        self.request = HTTP if port == 80 else ECHO[:1400]
        self.own = [socket.inet_aton(f"192.0.2.{i}") for i in range(100, 130)]
        self.own += [socket.inet_pton(socket.AF_INET6, f"fd00::{i:x}") for i in range(0x100, 0x120)]
        self.peers, self.opened, self.finished = {}, 0, 0

    def out(self, source, proto, s, at, tos=0):
        six = len(source) == 16
        pseudo = source + self.servers[six] + (struct.pack("!II", len(s), proto) if six else struct.pack("!HH", proto, len(s)))
        s = s[:at] + struct.pack("!H", self.checksum(pseudo + s)) + s[at + 2:]
        if six:
            head = struct.pack("!IHBB", 6 << 28 | tos << 20, len(s), proto, 64) + source + self.servers[1]
        else:
            head = struct.pack("!BBHHHBBH4s4s", 0x45, tos, 20 + len(s), 0, 0x4000, 64, proto, 0, source, self.servers[0])
            head = head[:10] + struct.pack("!H", self.checksum(head)) + head[12:]
        self.put(self.eth[:12] + (IPV6 if six else IPV4) + head + s)

    def put(self, f):
        try:
            self.sock.send(f)
        except OSError:
            time.sleep(0.0005)

    def neighbour(self, f):
        """Answers requests for the MAC address of one of the peers."""
        kind, mine = f[12:14], self.eth[6:12]
        if kind == ARP and f[20:22] == b"\0\1" and f[38:42] in self.own:
            self.put(f[6:12] + mine + ARP + f[14:20] + b"\0\2" + mine + f[38:42] + f[22:32])
        elif kind == IPV6 and f[20] == ICMP6 and f[54] == 135 and f[62:78] in self.own:
            m = b"\x88\0\0\0\x60\0\0\0" + f[62:78] + b"\2\1" + mine
            m = m[:2] + struct.pack("!H", self.checksum(f[62:78] + f[22:38] + struct.pack("!II", len(m), ICMP6) + m)) + m[4:]
            self.put(f[6:12] + mine + IPV6 + struct.pack("!IHBB", 6 << 28, len(m), ICMP6, 255) + f[62:78] + f[22:38] + m)

    def take(self, f):
        kind = f[12:14]
        if kind == IPV4 and f[23] == TCP:
            to, at, end = f[30:34], 14 + 4 * (f[14] & 15), 14 + int.from_bytes(f[16:18], "big")
        elif kind == IPV6 and f[20] == TCP:
            to, at, end = f[38:54], 54, 54 + int.from_bytes(f[18:20], "big")
        else:
            self.neighbour(f)
            return
        c = self.peers.get((to, int.from_bytes(f[at + 2:at + 4], "big")))
        if c is None:
            return
        s = Segment(f, at, end)
        if s.flags & RST:
            self.gone(c)
        elif c.lie is None and s.flags & SYN:
            c.rcv, c.snd, c.tsecr = (s.seq + 1) % MODULUS, (c.snd + 1) % MODULUS, s.tsval
            self.opened += 1
            c.send()
            c.lie = LIES[self.name](c)
            next(c.lie)
        elif c.lie is not None:
            self.step(c, s)

    def gone(self, c):
        self.peers.pop((c.source, c.port), None)
        self.finished += 1

    def step(self, c, s):
        try:
            c.lie.send(s)
        except StopIteration:
            self.gone(c)

    def begin(self):
        c = Peer(self, self.rnd.choice(self.own))
        self.peers[c.source, c.port] = c
        options = OPENING.get(self.name, MSS + SACK_OK + SCALE)
        if self.name in ("paws", "echo-of-the-future"):
            options += b"\1\1" + stamp(int(time.monotonic() * 1000), 0)
        c.send(SYN | (ECE | CWR | self.rnd.choice((0, NS)) if self.name == "marks" else 0), ack=0, options=options)

    def run(self, seconds):
        end = time.monotonic() + seconds
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.sock.setblocking(False)
        while (now := time.monotonic()) < end:
            if len(self.peers) < PEERS:
                self.begin()
            if select.select([self.sock], [], [], 0.002)[0]:
                self.receive()
            c = self.rnd.choice(list(self.peers.values()))
            if c.lie is not None:
                self.step(c, None)
            elif now - c.begun > 1:
                self.gone(c)
        for c in list(self.peers.values()):
            c.send(RST)

    def receive(self):
        try:
            for _ in range(64):
                f = self.sock.recv(65536)
                if f[6:12] == self.eth[:6]:
                    self.take(f)
        except BlockingIOError:
            pass


def lie(name, seed, sock, eth, port, servers, checksum, seconds):
    """Runs peers of one kind; says how many connections they had."""
    liars = Liars(name, random.Random(seed), sock, eth, port, servers, checksum)
    liars.run(seconds)
    print(f"       {liars.opened} connections opened, {liars.finished} ended before", flush=True)
