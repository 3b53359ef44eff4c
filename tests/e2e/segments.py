# SPDX-License-Identifier: BSD-2-Clause
"""Random TCP segments for kernel_tcp_test.py. All numbers are relative to the initial sequence numbers of
both ends, so that a segment can be made for either stack; outline() makes answers comparable again."""
import struct
import zlib

from puppet import ECHO, KEEP, ONCE, SHUT, port
from twins import US, forger, host
from walk import ACK, FIN, RST, SYN, TCP, URG

PSH, ECE, CWR, AE = 8, 64, 128, 256
MODULUS, HALF = 1 << 32, 1 << 31
FAR = 20000  # beyond this, a number is one at the edge of the window, which each stack chooses
MSS, SCALE, SACK_OK, SACK, TS = 2, 3, 4, 5, 8


def signed(n):
    return (n + HALF) % MODULUS - HALF


def parse_options(o):
    """Returns the options of a well-formed segment by kind."""
    found = {}
    while o and o[0]:
        if o[0] == 1:
            o = o[1:]
        else:
            found[o[0]] = o[2:o[1]]
            o = o[o[1]:]
    return found


class Side:
    """What a case knows of one stack's end of the connection; numbers are relative."""

    def __init__(self, listening):
        self.port, self.iss, self.ack, self.end, self.fin, self.tsval, self.scale, self.wnd = listening, None, 0, 0, None, 0, 0, 0


class Segment:
    """edge: seq counts from the right edge of the window; bad: the checksum is wrong."""

    def __init__(self, flags, seq=0, ack=0, data=b"", wnd=65535, options=(), urg=0, edge=False, bad=False, offset=None, ecn=0):
        self.flags, self.seq, self.ack, self.data, self.wnd, self.options = flags, seq, ack, data, wnd, options
        self.urg, self.edge, self.bad, self.offset, self.ecn = urg, edge, bad, offset, ecn

    def __str__(self):
        names = "".join(c for i, c in enumerate("FSRPAUEWN") if self.flags >> i & 1)
        more = "".join(f" {k}={v}" for k, v in (("edge", self.edge), ("bad", self.bad), ("offset", self.offset), ("ecn", self.ecn), ("urg", self.urg)) if v)
        return f"{names or '-'} seq {self.seq} ack {self.ack} len {len(self.data)} wnd {self.wnd}{more} {list(self.options)}"

    def is_malformed(self, case):
        """Returns whether an option has a length that is too small or too large."""
        o = self._options(case, case.side)
        while o and o[0]:
            if o[0] == 1:
                o = o[1:]
                continue
            if len(o) < 2 or not 2 <= o[1] <= len(o):
                return True
            o = o[o[1]:]
        return False

    def _options(self, case, side):
        o = b""
        for kind, *values in self.options:
            if kind == "ts":
                o += struct.pack("!BBII", TS, 10, (case.ts0 + values[0]) % MODULUS, (side.tsval + values[1]) % MODULUS if values[1] is not None else 0)
            elif kind == "sack":
                o += bytes((SACK, 2 + 8 * len(values))) + b"".join(struct.pack("!II", *((n + (side.iss or 0)) % MODULUS for n in b)) for b in values)
            else:
                o += values[0]
        return (o + bytes(-len(o) % 4))[:40]

    def frame(self, case, side):
        o = self._options(case, side)
        seq = case.isn + self.seq + (side.ack + (side.wnd << side.scale) if self.edge else 0)
        ack = (self.ack + (side.iss or 0)) % MODULUS if self.flags & ACK or self.ack else 0
        offset = 5 + len(o) // 4 if self.offset is None else self.offset
        data = bytes((self.seq + i) * 167 % 251 for i in range(len(self.data))) if case.honest and not self.edge else self.data
        s = struct.pack("!HHIIBBHHH", case.port, side.port, seq % MODULUS, ack, offset << 4 | self.flags >> 8, self.flags & 255, self.wnd, 0, self.urg) + o + data
        f = forger(None)
        s = f.summed(TCP, s, 16, case.host, US[case.six])
        if self.bad:
            s = s[:16] + bytes((s[16] ^ 0x55,)) + s[17:]
        p = f.v6(TCP, s, case.host, US[1]) if case.six else f.v4(TCP, s, case.host, US[0], ident=1)
        if self.ecn and case.six:
            return p[:15] + bytes((p[15] | self.ecn << 4,)) + p[16:]
        if self.ecn:
            head = p[14:15] + bytes((self.ecn,)) + p[16:24] + b"\0\0" + p[26:34]
            return p[:14] + head[:10] + struct.pack("!H", f.checksum(head)) + head[12:] + p[34:]
        return p


def _outline_syn(case, side, flags, seq, o):
    if side.iss != seq:
        side.iss, side.end, side.fin = seq, 1, None
        case.opened, case.ended, case.una = False, False, 0
    side.scale = o[SCALE][0] if SCALE in o and case.scaled else 0
    if case.active and flags & ACK:  # of a simultaneous open
        return (SYN | ACK, o.get(MSS))
    return (flags & (SYN | ACK | ECE | CWR), o.get(MSS), SCALE in o, SACK_OK in o, TS in o, 34 in o)


def _blocks(case, side, o):
    """Returns the SACK blocks, without reports of duplicates."""
    blocks = [tuple(signed(x - case.isn) for x in struct.unpack("!II", o[n:n + 8])) for n in range(0, len(o), 8)]
    held = {(a, z) for a, z in blocks if a > side.ack and not any((a, z) != b and b[0] <= a and z <= b[1] for b in blocks)}
    return {(a, z) if a < side.ack + FAR else ("far", z - a) for a, z in held}


def outline(case, side, segments, has_syn):
    """Returns what a stack has answered to one step, without what time-outs retransmit, and notes its state."""
    out, data, ack = {}, {}, None
    for s in segments:
        sport, _, seq, a, off, flags, wnd = struct.unpack("!HHIIBBH", s[:16])
        o, payload = parse_options(s[20:off >> 2]), s[off >> 2:]
        relative = signed(a - case.isn) if flags & ACK else None
        side.port = sport
        if flags & RST:
            out.setdefault("rst", set()).add("a number of the connection" if case.opened else 0 if seq == 0 else signed(seq - (side.iss or 0)))
            continue
        if flags & SYN:
            if has_syn or side.iss is None:
                out.setdefault("syn", set()).add((*_outline_syn(case, side, flags, seq, o), relative))
                ack = relative
            side.ack, side.wnd = relative or 0, wnd
            if TS in o:
                side.tsval = struct.unpack("!I", o[TS][:4])[0]
            continue
        at = signed(seq - (side.iss or 0))
        again = (payload or flags & FIN) and at + len(payload) <= side.end and (not flags & FIN or side.fin == at + len(payload))
        if again and relative == side.ack:
            continue
        for i, c in enumerate(payload):
            if at + i >= side.end:
                data[at + i] = c
        side.end = max(side.end, at + len(payload))
        if flags & FIN and side.fin is None:
            side.fin = out["fin"] = at + len(payload)
        if not payload and not flags & FIN:
            out.setdefault("seq", set()).add(at)
        ack = relative
        side.ack, side.wnd = relative, wnd << 0
        out["ece"] = out.get("ece", False) or bool(flags & ECE)
        if SACK in o and (blocks := _blocks(case, side, o[SACK])):
            out["sack"] = blocks
        if TS in o:
            val, ecr = struct.unpack("!II", o[TS])
            if case.opened:  # before, Linux only takes what a SYN-ACK had
                side.tsval = val
            out["tsecr"] = signed(ecr - case.ts0)
    if "seq" in out:  # of bare acknowledgements, while data is sent beside them
        out["seq"] = max(out["seq"])
        if data or "fin" in out:
            del out["seq"]
    if data:
        out["data"] = min(data), len(data), zlib.crc32(bytes(c for _, c in sorted(data.items()))) if case.honest else None
    if ack is not None:
        out["ack"] = ack
    return out


# ---- drawing -------------------------------------------------------------------------------------


def syn_options(rnd):
    """Returns the options of a SYN, and whether they ask for timestamps, SACK and scaling in a regular way."""
    o, pad = [], ("raw", b"\1")
    if rnd.random() < 0.85:
        o.append(("raw", struct.pack("!BBH", MSS, 4, rnd.choice((0, 1, 48, 64, 87, 88, 536, 1220, 1460, 1460, 1460, 8960, 65535)))))
    if rnd.random() < 0.6:
        o.append(("raw", bytes((SACK_OK, 2))))
    if rnd.random() < 0.6:
        o.append(("ts", 0, rnd.choice((None, None, 5))))
    if rnd.random() < 0.6:
        o.append(("raw", bytes((SCALE, 3, rnd.choice((0, 1, 7, 7, 13, 14, 15, 16, 255))))))
    if rnd.random() < 0.1:
        o.append(("raw", rnd.choice((b"\x22\2", b"\x22\4", b"\x22\6abcd", b"\xfe\4\xf9\x89"))))
    if rnd.random() < 0.25:
        o.append(("raw", rnd.choice((b"\2\3\5", b"\2\4", b"\2\0", b"\3\2", b"\3\4\1\1", b"\4\3\0", b"\x08\x0a\0", b"\x08\x09" + bytes(7), b"\xfd\0", b"\xfd\1", b"\xfd\xff", b"\xfd",
                                     b"\2\4\2\x18", b"\3\3\2", b"\0", b"\1\1\1", b"\5\x0a" + bytes(8), b"\xfd\2", b"\x1e\4\0\1"))))
    if rnd.random() < 0.5:
        rnd.shuffle(o)
    return [x for y in o for x in ((pad, y) if rnd.random() < 0.2 else (y,))]


class Case:
    """One connection. kind: what the stacks' programs do; active: they open it."""

    def __init__(self, n, rnd, who):
        self.n, self.rnd, self.six = n, rnd, rnd.random() < 0.5
        self.host, self.port = host(who, self.six), rnd.randrange(1024, 65536)
        self.isn = rnd.choice((rnd.getrandbits(32), 0, MODULUS - 1, MODULUS - 5, HALF - 3))
        self.ts0 = rnd.choice((rnd.getrandbits(32), 1, MODULUS - 3, HALF))
        self.kind, self.active = rnd.choice((ECHO, ECHO, KEEP, ONCE, SHUT)), rnd.random() < 0.4
        self.sides = [Side(port(self.kind)) for _ in range(2)]
        self.honest = rnd.random() < 0.8  # it does not send other bytes again
        self.ts, self.scaled, self.now, self.log, self.recent_ack = False, False, 0, [], 0
        self.options, self.small, self.narrow, self.cwr, self.stamped, self.again, self.early = [], *[False] * 6
        self.opened, self.ended, self.wnd, self.una = False, False, 0, 0

    def note(self, s, answer):
        """Remembers what a segment has done at both stacks."""
        side, ts = self.side, any(o[0] == "ts" for o in s.options)
        self.again = self.again or bool(ts and s.flags & SYN and not self.opened and self.ts)
        self.stamped = self.stamped or bool(ts and s.flags & ACK and s.ack < max(self.una, 1))
        if side.iss is not None and side.ack and s.flags & (SYN | RST | ACK) == ACK and not s.bad and s.offset is None and s.ack == 1 and (not answer or answer.get("ack", 0) > self.recent_ack):
            self.opened = True
        if s.flags & SYN and s.flags & ACK and answer.get("ack", 0) > 0 and self.active:
            self.opened = True
        self.ended = self.ended or bool(s.flags & FIN)
        self.early = self.early or bool(s.flags & FIN and answer.get("ack", 0) <= s.seq + len(s.data))
        self.ts = self.ts or bool(s.flags & SYN and not self.opened and ts)
        self.cwr = self.cwr or bool(s.flags & CWR)
        self.narrow = self.narrow or s.wnd < 65535 or self.small
        self.wnd, self.una = s.wnd, max(self.una, s.ack) if s.flags & ACK and s.ack <= side.end + 1 else self.una

    @property
    def side(self):
        return self.sides[0]

    def _ts(self):
        r = self.rnd
        self.now += r.choice((0, 10, 10))
        if r.random() < (0.93 if self.ts else 0.03):
            return [("raw", b"\1\1"), ("ts", self.now + r.choice((0,) * 20 + (-5, -1000, 1000, -HALF + 10000, HALF - 10000)), r.choice((0,) * 12 + (-1, -100, 1, 1000, HALF, None)) if self.opened else 0)]
        return []

    def open(self):
        """Draws the SYN, or a SYN-ACK."""
        r = self.rnd
        self.options = syn_options(r)
        self.ts = any(o[0] == "ts" or o[1][:2] == b"\x08\x0a" for o in self.options)
        self.small = any(o[0] == "raw" and o[1][:2] == b"\2\4" and o[1][2:] < b"\0\x60" for o in self.options)
        self.scaled = any(o[0] == "raw" and o[1][:2] == bytes((SCALE, 3)) for o in self.options)
        flags = SYN | r.choice((0,) * 6 + (ECE | CWR,) * 2 + (PSH, URG, ECE, CWR))
        if r.random() < 0.03:
            flags |= r.choice((FIN, RST, ACK, FIN | PSH | URG))
        if self.kind in (ONCE, SHUT):  # a mark ends what comes first
            flags &= ~URG
        data = r.randbytes(r.choice((1, 10, 400))) if r.random() < 0.08 else b""
        return Segment(flags, data=data, wnd=r.choice((0, 1, 100, 1000, 65535, 65535, 65535)), options=self.options, urg=r.choice((0, 0, 1, 2, 9)) if flags & URG else 0,
                       bad=r.random() < 0.02, ecn=r.choice((0,) * 10 + (1, 2, 3)))

    def answer_syn(self):
        """Draws what follows a SYN of the stacks."""
        r, s = self.rnd, self.open()
        kind = r.random()
        if kind < 0.6:
            s.flags, s.ack = (s.flags & ~CWR) | ACK, 1
            s.options = self.options = [("ts", 0, 0) if o[0] == "ts" else o for o in s.options]
        elif kind < 0.75:
            s.flags, s.ack = s.flags | ACK, r.choice((0, 2, -1, HALF, 1 + HALF, 1000))
        elif kind < 0.9:  # simultaneous open; Linux does not do ECN then
            s.flags &= ~(ECE | CWR)
        else:
            s = Segment(r.choice((RST, RST | ACK, ACK, FIN, FIN | ACK, ACK | URG, 0)), seq=r.choice((0, 1, 5)), ack=r.choice((0, 1, 1, 1, 2, -1)), data=r.choice((b"", b"abc")), options=self._ts())
        return s

    def draw(self):
        """Draws the next segment."""
        r, side = self.rnd, self.side
        if side.iss is None:
            if not self.active and r.random() < 0.4:
                return self.open()
            return Segment(r.choice((ACK, ACK, RST, RST | ACK, FIN, FIN | ACK, 0, SYN | ACK, URG, PSH)), seq=r.choice((0, 1, 100)), ack=r.choice((0, 1, 77, HALF)),
                           data=r.choice((b"", b"", b"abc")), options=self._ts())
        if r.random() < 0.55:
            return self._sane()
        return self._odd()

    def _sane(self):
        r, side = self.rnd, self.side
        data = r.randbytes(r.choice((0, 1, 5, 100, 1000)))
        ack = side.end + (side.fin is not None and side.fin == side.end)
        flags = ACK | (PSH if data else 0) | (FIN if r.random() < 0.15 else 0)
        return Segment(flags, max(side.ack, 1) + r.choice((0,) * 9 + (1, 10)), ack, data, r.choice((65535,) * 8 + (100, 0, 1)), self._ts(), ecn=r.choice((0,) * 6 + (2, 3)))

    def _odd(self):
        r, side = self.rnd, self.side
        flags = r.choice((ACK,) * 8 + (RST, RST, RST | ACK, SYN, SYN | ACK, FIN, FIN | ACK, FIN | ACK, 0, ACK | URG, ACK | PSH | URG, r.getrandbits(8), r.getrandbits(9), SYN | FIN, SYN | RST, ACK | ECE, ACK | CWR))
        if self.kind in (ONCE, SHUT):
            flags &= ~URG
        edge = self.opened and r.random() < 0.25 and not flags & SYN
        if edge:
            seq = r.choice((0, -1, 1, -2, -10, 10, 100, HALF // 2))
        else:
            seq = max(side.ack, 1) + r.choice((0,) * 8 + (1, 1, -1, -1, 2, -2, 5, -5, 30, -30, 100, -100, 1000, -1000, -60000, HALF, HALF - 1, -HALF + 1, -side.ack, -side.ack - 1, -side.ack + 1))
        ack = side.end + r.choice((0,) * 10 + (1, 1, -1, 2, -2, -side.end, -side.end + 1, -100, 100, 30000, -65535, -65536, -200, -70000, HALF, HALF - 1, -HALF + 1))
        data = r.randbytes(r.choice((0, 0, 1, 5, 30, 100, 1000)))
        options = self._ts()
        if r.random() < 0.2:
            blocks = []
            for _ in range(r.choice((1, 1, 2, 3))):
                at = side.end + r.choice((0, -1, -5, -50, 1, 10, -side.end, 1000, HALF))
                blocks.append((at, at + r.choice((0, 1, 5, 50, 1000, -1, -50, HALF))))
            options = [*options[:2], ("raw", b"\1\1"), ("sack", *blocks)]
        elif r.random() < 0.08:
            options = [*options, ("raw", r.choice((b"\xfd\0", b"\xfd\1", b"\xfd\xff", b"\x08\x0a\0\0", b"\x08\x09" + bytes(7), b"\2\4\0\1", b"\3\3\5", b"\4\2", b"\5\2", b"\5\x09" + bytes(7), b"\0", b"\x1e\3\0", b"\x22\4")))]
        return Segment(flags, seq, ack, data, r.choice((65535, 65535, 0, 1, 100, 10000)), options, r.choice((0, 1, 2, 50, len(data), 65535)) if flags & URG else 0, edge,
                       r.random() < 0.04, r.choice((0, 1, 4, 15)) if r.random() < 0.03 and len(data) < 20 else None, r.choice((0,) * 6 + (2, 3)))
