#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-dns and nsd, on the kernel in a namespace of its own, serve the same random zones and get the same random
queries: they must answer alike. Where they are meant to differ, judge() says why."""
import os
import random
import re
import socket
import struct
import subprocess

import bed
from bed import SERVER, expect, sh, wait_for

NSD, NEAR = "198.51.100.2", "198.51.100.1"
TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "NAPTR": 35, "DNAME": 39, "DS": 43, "SVCB": 64, "CAA": 257, "TYPE65280": 65280}
NAMES = {v: k for k, v in TYPES.items()}
# where names are in the data of a type: octets before them, and how many
INSIDE = {"NS": (0, 1), "CNAME": (0, 1), "SOA": (0, 2), "PTR": (0, 1), "MX": (2, 1), "SRV": (6, 1), "DNAME": (0, 1)}
NOERROR, FORMERR, NXDOMAIN, NOTIMP, REFUSED, YXDOMAIN, BADVERS = 0, 1, 3, 4, 5, 6, 16
ANY, OPT = 255, 41


# ---- zones ---------------------------------------------------------------------------------------


class Zone:
    """A zone at random: text, and the names that are in it or near it."""

    def __init__(self, rnd, origin, child, others):
        self.rnd, self.origin, self.others = rnd, origin, others
        self.lines, self.names, self.dnames = [f"$TTL {rnd.choice([0, 300, 3600])}"], [origin], []
        minimum = rnd.choice([0, 60, 86400])
        self.add(origin, "SOA", f"{self.case('ns')} h\\.m {rnd.randrange(1 << 32)} 1 2 3 {minimum}", rnd.choice(["", "60", "7200"]))
        self.add(origin, "NS", self.target())
        kinds = {origin: "data"}
        if child:
            self.add(child, "NS", "elsewhere.example.", "30")
            kinds[child] = "cut"
        for _ in range(rnd.choice([2, 5, 12, 25])):
            owner = ".".join(rnd.choice(["a", "a", "b", "c", "*", "a\\.b", "\\000\\255", "x" * 63, "_s"]) for _ in range(rnd.choice([1, 1, 2, 2, 3, 4]))) + "." + origin
            if kinds.setdefault(owner, rnd.choice(["data"] * 5 + ["cname"] * 3 + ["cut", "dname"])) == "done":
                continue
            if any(owner.endswith("." + d) for d in self.dnames):
                continue  # nsd refuses what is below a DNAME
            if child and owner.endswith(child):
                continue  # for nsd these names would exist in the child, too, whose zone counts (RFC 1034 section 4.2)
            if kinds[owner] == "dname" and any(n.endswith("." + owner) for n in kinds):
                kinds[owner] = "data"
            if owner.startswith("*") and kinds[owner] in ("cut", "dname"):
                kinds[owner] = "data"  # undefined (RFC 4592 section 4)
            self.put(owner, kinds[owner])
            kinds[owner] = "data" if kinds[owner] == "data" else "done"

    def case(self, name):
        return "".join(c.upper() if self.rnd.random() < 0.1 else c for c in name)

    def add(self, owner, kind, data, ttl=None):
        ttl = self.rnd.choice(["", "", "", "5", "2147483647"]) if ttl is None else ttl
        self.names.append(owner)
        self.lines.append(f"{self.case(owner)} {ttl} IN {kind} {data}")

    def target(self):
        """Returns a name to point to, mostly one that there may be."""
        rnd = self.rnd
        return self.case(rnd.choice([rnd.choice(self.names), rnd.choice(self.names), "a." + rnd.choice(self.names).lstrip("*."), "b." + self.origin, "q.r." + rnd.choice(self.names).lstrip("*."),
                                     "out." + rnd.choice(self.others), "elsewhere.example.", "."]))

    def put(self, owner, kind):
        rnd = self.rnd
        if kind == "cname":
            self.add(owner, "CNAME", self.target())
        elif kind == "dname":
            self.dnames.append(owner)
            self.add(owner, "DNAME", rnd.choice([self.target(), "a." + self.origin, (("y" * 60 + ".") * 3) + "long." + self.origin]))
            if rnd.random() < 0.3:
                self.add(owner, "A", "192.0.2.9")
        elif kind == "cut":
            for _ in range(rnd.choice([1, 2])):
                server = rnd.choice(["ns." + owner, owner, "n.s." + owner, self.target()])
                self.add(owner, "NS", server, "30")
                if server.endswith(owner) and "*" not in server and rnd.random() < 0.8:
                    self.address(server)
            if rnd.random() < 0.4:
                self.add(owner, "DS", "1 8 2 " + "ab" * 32, "30")
        else:
            self.data(owner)

    def address(self, owner):
        if self.rnd.random() < 0.5:
            self.add(owner, "A", f"192.0.2.{self.rnd.randrange(256)}", "40")
        else:
            self.add(owner, "AAAA", f"2001:db8::{self.rnd.randrange(1, 65535):x}", "40")

    def data(self, owner):
        rnd = self.rnd
        kind = rnd.choice(["A", "A", "AAAA", "MX", "SRV", "TXT", "TYPE65280", "PTR", "NAPTR", "CAA", "SVCB"])
        for _ in range(rnd.choice([1, 1, 2, 3]) if kind not in ("SVCB",) else 1):
            self.add(owner, kind, {
                "A": lambda: f"192.0.2.{rnd.randrange(256)}", "AAAA": lambda: f"2001:db8::{rnd.randrange(1, 65535):x}", "MX": lambda: f"{rnd.randrange(65536)} {self.target()}",
                "SRV": lambda: f"1 {rnd.randrange(9)} 443 {self.target()}", "PTR": self.target, "TXT": lambda: rnd.choice(['"a" "b c"', '""', '"\\"\\\\\\000\\255"', "x y z", '"' + "t" * 255 + '" "u"']),
                "TYPE65280": lambda: rnd.choice(["\\# 0", "\\# 4 01020304", "\\# 3 ab cd ef"]), "NAPTR": lambda: '1 2 "u" "s" "!a!b!" .', "CAA": lambda: '0 issue "x;y"',
                "SVCB": lambda: "1 . alpn=h2 port=8443"}[kind](), "60")


def make_zones(seed):
    rnd = random.Random(seed)
    zones = {}
    origins = [f"z{i}.test." for i in range(args.zones)]
    for i, origin in enumerate(origins):
        child = f"c.{origin}" if i % 3 == 0 else None
        zones[origin] = Zone(rnd, origin, child, origins)
        if child:
            zones[child] = Zone(rnd, child, None, origins)
    return zones


def start(b):
    """Writes the zones and starts both servers."""
    where = os.path.join(b.tmp, "zones")
    os.mkdir(where)
    zones = make_zones(args.seed)
    for origin, z in zones.items():
        with open(f"{where}/{origin[:-1]}.zone", "w") as f:
            f.write("\n".join(z.lines) + "\n")
    b.start("percore-dns", "--zones", where, "--set", "dns.cookies=0")
    there = b.tag + "n"
    b.add_namespace(there)
    sh("ip", "link", "add", "pcn0", "type", "veth", "peer", "name", "pcn1", "netns", there)
    for ns, dev, address in ((b.client_ns, "pcn0", NEAR), (there, "pcn1", NSD)):
        sh("ip", "-n", ns, "addr", "add", f"{address}/24", "dev", dev)
        sh("ip", "-n", ns, "link", "set", dev, "up")
    with open(f"{b.tmp}/nsd.conf", "w") as f:
        f.write(f'server:\n ip-address: {NSD}\n username: ""\n chroot: ""\n zonesdir: "{where}"\n database: ""\n pidfile: "{b.tmp}/nsd.pid"\n xfrdfile: "{b.tmp}/xfrd"\n'
                f' zonelistfile: "{b.tmp}/list"\n server-count: 1\n rrl-ratelimit: 0\n minimal-responses: yes\n refuse-any: no\n logfile: "{b.tmp}/nsd.log"\nremote-control:\n control-enable: no\n')
        for origin in zones:
            f.write(f"zone:\n name: {origin}\n zonefile: {origin[:-1]}.zone\n")
    process = subprocess.Popen(["ip", "netns", "exec", there, "nsd", "-d", "-c", f"{b.tmp}/nsd.conf"], stdin=subprocess.DEVNULL)
    b.programs.append(bed.Program(b, "nsd", process, os.devnull, os.devnull))
    wait_for(lambda: ":53" in sh("ip", "netns", "exec", there, "ss", "-lun").stdout, 10 * b.slow, "nsd")
    log = open(f"{b.tmp}/nsd.log").read() if os.path.exists(f"{b.tmp}/nsd.log") else ""
    expect("error" not in log.lower(), log[:2000])
    return zones


# ---- messages ------------------------------------------------------------------------------------


def to_wire(name):
    labels = [re.sub(r"\\(\d{3}|.)", lambda m: chr(int(m[1])) if len(m[1]) == 3 else m[1], x).encode("latin1") for x in re.findall(r"((?:\\\d{3}|\\.|[^.\\])+)\.", name)]
    return b"".join(bytes((len(x),)) + x for x in labels) + b"\0"


def read_name(m, at):
    out, end = b"", None
    while True:
        n = m[at]
        if n >= 0xc0:
            end = end or at + 2
            at = struct.unpack("!H", m[at:at + 2])[0] & 0x3fff
        else:
            out += m[at:at + 1 + n]
            at += 1 + n
            if n == 0:
                return out.lower(), end or at


class Message:
    """An answer, with sets of records."""

    def __init__(self, m):
        self.id, self.flags, questions, *counts = struct.unpack("!6H", m[:12])
        self.rcode, self.aa, self.tc, at, self.opt = self.flags & 15, bool(self.flags & 0x400), bool(self.flags & 0x200), 12, None
        self.question, self.size = b"", len(m)
        for _ in range(questions):
            _, end = read_name(m, at)
            self.question, at = m[at:end + 4], end + 4
        self.sections, self.twice = [], False
        for count in counts:
            records = []
            for _ in range(count):
                owner, at = read_name(m, at)
                kind, klass, ttl, n = struct.unpack("!HHIH", m[at:at + 10])
                at += 10
                if kind == OPT:
                    self.opt = klass, ttl >> 16 & 255, ttl & 0xffff
                    self.rcode |= ttl >> 24 << 4
                else:
                    records.append((owner, kind, klass, ttl, self.data(m, kind, at, n)))
                at += n
            self.twice = self.twice or len(set(records)) < len(records)
            self.sections.append(set(records))
        expect(at == len(m), "trailing octets")
        self.answer, self.authority, self.additional = self.sections

    @staticmethod
    def data(m, kind, at, n):
        head, names = INSIDE.get(NAMES.get(kind), (n, 0))
        out, here = m[at:at + head], at + head
        for _ in range(names):
            name, here = read_name(m, here)
            out += name
        return out + m[here:at + n]

    def __str__(self):
        return f"rcode {self.rcode}{' aa' if self.aa else ''}{' tc' if self.tc else ''} opt {self.opt} " + " | ".join(
            ", ".join(f"{o} {t} {NAMES.get(k, k)} {d}" for o, k, _, t, d in sorted(s)) for s in self.sections)


class Query:
    """A query at random."""

    def __init__(self, rnd, zones):
        z = zones[rnd.choice(list(zones))]
        name = rnd.choice(z.names)
        for _ in range(rnd.choice([0, 0, 0, 1, 1, 2, 3])):
            name = rnd.choice(["a", "b", "c", "*", "q", "a\\.b", "ns", "_s", "\\000\\255", "y" * 60]) + "." + name
        if rnd.random() < 0.2:
            name = name.partition(".")[2] or "."
        if rnd.random() < 0.3:
            name = name.replace("*.", rnd.choice(["w.", "w.v."]))
        self.name = "".join(c.upper() if rnd.random() < 0.2 else c for c in name)
        self.kind = rnd.choice([*TYPES.values(), 1, 1, 5, 2, ANY, 43, 65281, 48, 46, 252 if rnd.random() < 0.1 else 1])
        self.klass = rnd.choice([1] * 40 + [3, 255, 4, 0])
        self.flags = rnd.choice([0, 0x100, 0x100, 0x10, 0x20, 0x40, 0x80, 0x400, 0x200])
        if rnd.random() < 0.02:
            self.flags |= rnd.choice([1, 2, 4, 5, 6, 15]) << 11
        self.edns, self.opt = rnd.random() < 0.6, b""
        if self.edns:
            options = rnd.choice([b""] * 5 + [b"\0\x0c\0\2\0\0", b"\xfd\xe9\0\3abc", b"\0\x08\0\4\0\1\0\0"])
            self.opt = b"\0" + struct.pack("!HHBBHH", OPT, rnd.choice([0, 512, 1232, 1232, 4096, 65535]), 0, rnd.choice([0] * 20 + [1, 255]), rnd.choice([0, 0, 0x8000, 0x1]), len(options)) + options

    def wire(self):
        q = to_wire(self.name)
        if len(q) > 255:
            return None
        return struct.pack("!6H", 0, self.flags, 1, 0, 0, int(self.edns)) + q + struct.pack("!HH", self.kind, self.klass) + self.opt

    def __str__(self):
        return f"{self.name} {NAMES.get(self.kind, self.kind)} class {self.klass} flags {self.flags:#x} opt {self.opt}"


def has_alias(a):
    return any(k in (5, 39) for _, k, *_ in a.answer)


def has_loop(a):
    """Returns whether CNAMEs of an answer lead to each other for ever."""
    to = {owner: data for owner, k, _, _, data in a.answer if k == 5}
    for name in to:
        for _ in to:
            name = to.get(name)
        if name in to:
            return True
    return False


def are_addresses(a):
    """Returns whether the additional section has only addresses of names that the answer mentions."""
    mentioned = b"\n".join(d.lower() for s in (a.answer, a.authority) for *_, d in s)
    return all(k in (1, 28) and owner in mentioned for owner, k, *_ in a.additional)


def judge(q, ours, theirs):
    """Returns what is wrong, or None."""
    if q.flags & 0x7800:
        return None if ours.rcode == NOTIMP else "not NOTIMP"
    if q.kind == 252 or q.klass not in (1, 3):
        return None if ours.rcode in (REFUSED, BADVERS) else "not REFUSED"
    if ours.question != theirs.question and theirs.question:
        return "the question differs"
    if ours.twice:
        return "a record twice"
    if ours.rcode == theirs.rcode == BADVERS:
        return None  # nsd copies TC from the query, and refuses no type or class before
    if ours.tc or theirs.tc:
        # the two compress differently
        return None if ours.tc == theirs.tc or q.kind == ANY or max(ours.size, theirs.size) > 400 else "TC"
    if q.kind == ANY and len({r[1] for r in ours.answer}) == 2 and ours.answer <= theirs.answer:
        return None  # DNAME and CNAME are an answer to ANY
    if q.kind == ANY and ours.answer and theirs.answer and q.klass == 1:  # each one RRset (RFC 8482)
        return None if ours.rcode == theirs.rcode and {r[0] for r in ours.answer} == {r[0] for r in theirs.answer} else "ANY differs"
    if ours.answer > theirs.answer and has_alias(theirs):
        return None  # percore follows into other zones
    if ours.answer < theirs.answer and has_loop(theirs):
        return None  # a wildcard that points to a name of its own
    if ours.rcode != theirs.rcode:
        return "the code differs"
    if ours.aa != theirs.aa and ours.rcode in (NOERROR, NXDOMAIN, YXDOMAIN):
        return "AA differs"
    if ours.answer != theirs.answer:
        return "the answer differs"
    if ours.authority != theirs.authority:
        return "authority differs"
    if (ours.opt is None) != (theirs.opt is None):
        return "OPT differs"
    referral = not ours.aa and any(k == 2 for _, k, *_ in ours.authority)
    more = {r for r in theirs.additional - ours.additional if r[3] != 60}  # that TTL: nsd makes glue from a wildcard below the cut
    if more or not ours.additional <= theirs.additional if referral else not (ours.additional >= theirs.additional and are_addresses(ours)):
        return "additional differs"
    return None


def ask(sockets, wire):
    got = []
    for s in sockets:
        s.send(wire)
    for s in sockets:
        try:
            while struct.unpack("!H", (m := s.recv(65535))[:2])[0] != struct.unpack("!H", wire[:2])[0]:
                pass
            got.append(m)
        except TimeoutError:
            got.append(None)
    return got


def connect():
    sockets = []
    for address in (SERVER, NSD):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.connect((address, 53))
        s.settimeout(2)
        sockets.append(s)
    return sockets


def alike(b, zones):
    """random queries about random zones: answered alike"""
    sockets = connect()
    wrong = []
    rnd = random.Random(args.seed)
    for n in range(args.cases):
        q = Query(rnd, zones)
        wire = q.wire()
        if wire is None:
            continue
        wire = struct.pack("!H", n & 0xffff) + wire[2:]
        got = ask(sockets, wire)
        if None in got:
            if got[0] is None or q.flags & 0x7800 == 0:
                wrong.append(f"{q}: silence {[g is None for g in got]}")
            continue
        ours, theirs = (Message(m) for m in got)
        what = judge(q, ours, theirs)
        if what:
            wrong.append(f"--seed {args.seed}, case {n}: {what}: {q}\n  percore {ours}\n  nsd     {theirs}")
    expect(not wrong, f"{len(wrong)} of {args.cases}\n" + "\n".join(wrong[:args.show]))


def damage(rnd, wire):
    """Returns a message that is damaged, mostly, and what was done to it."""
    w, end = bytearray(wire), read_name(wire, 12)[1] + 4
    kind = rnd.choice(["counts", "flip", "cut", "trailing", "pointer", "questions", "none", "label", "records", "opts", "response"])
    if kind == "counts":
        w[rnd.choice([5, 7, 9, 11])] = rnd.choice([0, 1, 2, 255])
    elif kind == "flip":
        w[rnd.randrange(12, len(w))] ^= 1 << rnd.randrange(8)
    elif kind == "cut":
        w = w[:rnd.randrange(len(w))]
    elif kind == "trailing":
        w += rnd.randbytes(rnd.choice([1, 2, 11, 300]))
    elif kind == "pointer":
        w[12:end - 4] = struct.pack("!H", 0xc000 | rnd.choice([0, 4, 12, end, 0x3fff]))
    elif kind == "questions":
        w[5] = 2
        w[end:end] = w[12:end]
    elif kind == "none":
        w[5] = 0
        del w[12:end]
    elif kind == "label":
        w[12] = rnd.choice([64, 0x80, 0x41, 0xbf])
    elif kind == "records":
        w[rnd.choice([7, 9])] += 1
        w[end:end] = b"\xc0\x0c" + struct.pack("!HHIH", rnd.choice([1, 16, 41, 6]), 1, 0, 4) + b"abcd"
    elif kind == "opts":
        w[11] += 1
        w += b"\0" + struct.pack("!HHIH", OPT, 1232, 0, rnd.choice([0, 0, 4, 1])) + rnd.choice([b"", b"", b"\0\1\0\0"])
        kind = "opts" if w[11] == 2 else "an OPT"
    else:
        w[2] |= 0x80
    return bytes(w), kind


def allows(kind, is_silent, ours, theirs):
    """Returns whether percore may answer so; REFUSED, NOTIMP and BADVERS may be for another reason, which the query has, too."""
    if is_silent or ours is None:
        return is_silent and ours is None
    if kind in ("trailing", "none", "questions", "opts"):  # nsd answers some of these
        return ours in (FORMERR, NOTIMP, BADVERS)
    # percore ignores records in a query that it knows nothing about
    return ours == theirs or ours in (FORMERR, REFUSED, NOTIMP, BADVERS) or kind in ("records", "flip")


def damaged(b, zones):
    """damaged messages: an error where nsd sees one, or silence"""
    sockets, wrong, rnd = connect(), [], random.Random(args.seed)
    sockets[1].settimeout(0.02)  # nsd's silence decides nothing
    for n in range(args.damaged):
        wire = Query(rnd, zones).wire()
        if wire is None:
            continue
        wire, kind = damage(rnd, struct.pack("!H", n & 0xffff) + wire[2:])
        if len(wire) < 2:
            continue
        is_silent = len(wire) < 12 or wire[2] >= 0x80
        sockets[0].settimeout(0.02 if is_silent else 2)
        ours, theirs = (m and Message(m).rcode for m in ask(sockets, wire))
        if not allows(kind, is_silent, ours, theirs):
            wrong.append(f"--seed {args.seed}, case {n}: {kind}: percore {ours}, nsd {theirs}: {wire.hex()}")
    expect(not wrong, f"{len(wrong)} of {args.damaged}\n" + "\n".join(wrong[:args.show]))


args = bed.arguments(__doc__, damaged=600, seed=1, zones=30, cases=4000, show=5)
bed.need("nsd", "ss")
bed.main(args, [alike, damaged], start)
