# SPDX-License-Identifier: BSD-2-Clause
"""Random firewall rules as percore and nft write them, and packets for them. In nft each rule is a chain
with a counter of its own, and the state of a packet, as percore has it, is a mark."""
import re
import socket
import struct

from twins import US
from walk import FRAGMENT, HOP_BY_HOP, ICMP, ICMP6, TCP

UDP, DESTINATION, CLOSED = 17, 60, 77
NETS = (("10.0.0.0/24", "10.0.0.0/16", "10.0.1.128/25", "10.0.0.1", "10.0.2.0/30", "10.0.0.2/31"),
        ("2001:db8:1::/48", "2001:db8:1::/64", "2001:db8:2::/47", "2001:db8:1::1", "2001:db8:2::8000/113"))
HOSTS = ([socket.inet_aton(f"10.0.{a}.{b}") for a in (0, 1, 2) for b in (1, 2, 3, 130)],
         [socket.inet_pton(socket.AF_INET6, f"2001:db8:{a}::{b}") for a in (1, 2) for b in ("1", "2", "1:1", "8000")])
PROTOCOLS = {"tcp": TCP, "udp": UDP, "icmp": ICMP, "icmp6": ICMP6, "253": 253}
STATES, FLAGS = {"new": 1, "established": 2, "related": 4, "invalid": 8}, "FSRPAUEW"
VERDICTS = {"pass": ["accept"], "drop": ["drop"],
            "reject": ["meta l4proto 253 drop", "meta l4proto tcp reject with tcp reset", "meta l4proto udp reject with icmpx port-unreachable",
                       "reject with icmpx admin-prohibited"]}
BEGIN = "table inet fw {\nchain pre {\ntype filter hook prerouting priority -100\nct state new accept\n}\n}\n"
# Known segments are not checked; nor is what is dropped as damaged, here marked by its DSCP. An echo request is always new.
HOOKS = """chain pre {
type filter hook prerouting priority -100
ct state new meta mark set 1
ct state established meta mark set 2
ct state related meta mark set 4
ct state invalid meta mark set 8
icmp type echo-request meta mark set 1
icmpv6 type echo-request meta mark set 1
}
chain in {
type filter hook input priority 0
iif lo accept
icmpv6 type { 133-137, 143 } accept
meta l4proto tcp meta mark 2 accept
"""


def some(rnd, items, most=3):
    return rnd.sample(list(items), rnd.randrange(1, most + 1))


def negated(rnd, items, share=0.2):
    """Returns a list in both languages, some with "not"."""
    no = rnd.random() < share
    return ("!" if no else "") + ",".join(map(str, items)), ("!= " if no else "") + "{ " + ", ".join(map(str, items)) + " }", no


def addresses(rnd):
    """Returns a condition on the source: for percore, and for nft by family (None: never)."""
    nets = some(rnd, NETS[0] + NETS[1])
    text, _, no = negated(rnd, nets, 0.25)
    nft = []
    for six in (False, True):
        mine = [a for a in nets if (":" in a) == six]
        nft.append(f"{'ip6' if six else 'ip'} saddr {'!= ' if no else ''}{{ {', '.join(mine)} }}" if mine else "" if no else None)
    return f" from {text}", nft


def conditions(rnd, protocols):
    """Returns those that depend on the protocols, in both languages."""
    ours, nft = "", []
    if protocols and set(protocols) <= {"tcp", "udp"} and rnd.random() < 0.6:
        text, items, _ = negated(rnd, rnd.choice(((7,), (7, CLOSED), ("0-1023",), ("1024-65535",), (9, "70-80"))))
        ours, nft = ours + f" to any port {text}", [*nft, f"th dport {items}"]
    if protocols in (["icmp"], ["icmp6"]) and rnd.random() < 0.6:
        text, items, _ = negated(rnd, some(rnd, (8, 0, 3, 11, 12) if protocols == ["icmp"] else (128, 129, 1, 2, 3, 4)))
        ours, nft = ours + f" icmp-type {text}", [*nft, f"{'icmp' if protocols == ['icmp'] else 'icmpv6'} type {items}"]
    if protocols == ["tcp"] and rnd.random() < 0.4:
        mask = rnd.choice(("SA", "FSRPAU", "S", "A", "PU", "EW", "SF"))
        these = "".join(c for c in mask if rnd.random() < 0.4)
        bits = [sum(1 << FLAGS.index(c) for c in x) for x in (mask, these)]
        ours, nft = ours + f" flags {these}/{mask}", [*nft, f"tcp flags & {bits[0]} == {bits[1]}"]
    if rnd.random() < 0.5:
        states = some(rnd, STATES)
        text, _, no = negated(rnd, states)
        ours, nft = ours + f" state {text}", [*nft, f"meta mark {'!= ' if no else ''}{{ {', '.join(str(STATES[s]) for s in states)} }}"]
    return ours, nft


def limit(rnd, i):
    """Returns a limit, which no packet outlives: for percore, and for nft its sets and what leads to the verdict."""
    burst, per_source = rnd.choice((1, 2, 5)), rnd.random() < 0.5
    rate = f"limit rate 1/day burst {burst} packets"
    only_syns = f"meta l4proto tcp tcp flags & 2 == 0 goto v{i}"
    if not per_source:
        return f" limit 1/d burst {burst}", "", [only_syns, f"{rate} goto v{i}", "drop"]
    sets = "".join(f"set s{i}_{f} {{ type ipv{f}_addr; size 1000; flags dynamic; }}\n" for f in (4, 6))
    return f" limit 1/d per source burst {burst}", sets, [
        only_syns, f"meta nfproto ipv4 add @s{i}_4 {{ ip saddr {rate} }} goto v{i}",
        f"meta nfproto ipv6 add @s{i}_6 {{ ip6 saddr & ffff:ffff:ffff:ffff:: {rate} }} goto v{i}", "drop"]


def rule(rnd, i):
    """Returns a rule: for percore, and for nft its chains and what leads to them."""
    action = rnd.choice(("pass", "pass", "drop", "reject"))
    protocols = rnd.choice(([], ["tcp"], ["udp"], ["tcp", "udp"], ["icmp"], ["icmp6"], ["icmp", "icmp6"], ["253"]))
    ours, match, sets, body = action + " in", [], "", [f"goto v{i}"]
    if protocols:
        text, items, _ = negated(rnd, protocols, 0 if protocols[0].startswith("icmp") or len(protocols) == 1 else 0.3)
        for name, number in PROTOCOLS.items():
            items = re.sub(rf"\b{name}\b", str(number), items)
        ours, match = ours + f" proto {text}", [f"meta l4proto {items}"]
        if "!" in text:
            protocols = []
    sources = ["", ""]
    if rnd.random() < 0.5:
        text, sources = addresses(rnd)
        ours += text
    text, more = conditions(rnd, protocols)
    if action != "drop" and rnd.random() < 0.3:
        rate, sets, body = limit(rnd, i)
        text += rate
    only = {("icmp",): 0, ("icmp6",): 1}.get(tuple(protocols))
    jumps = [" ".join((f"meta nfproto ipv{6 if six else 4}", sources[six], *match, *more, f"goto r{i}"))
             for six in (0, 1) if sources[six] is not None and only in (None, six)]
    if not jumps:  # never matches, which percore refuses
        return rule(rnd, i)
    chains = [f"chain v{i} {{", *VERDICTS[action], "}", f"chain r{i} {{", f"counter name c{i}", *body, "}"]
    return ours + text, sets + f"counter c{i} {{ }}\n", chains, jumps


def draw(rnd):
    """Returns a set of rules for percore, the same for nft, and the names of the counters there, in percore's order."""
    rules = [rule(rnd, i) for i in range(rnd.choice((1, 2, 4, 8, 16)))]
    default = rnd.choice(tuple(VERDICTS))
    nft = ["flush ruleset", "table inet fw {", "counter rest { }", *(r[1] for r in rules), *(line for r in rules for line in r[2]), HOOKS,
           *(jump for r in rules for jump in r[3]), "counter name rest", *VERDICTS[default], "}", "}"]
    return "\n".join([f"default in {default}", *(r[0] for r in rules), ""]), "\n".join(nft) + "\n", [*(f"c{i}" for i in range(len(rules))), "rest"]


def counts(text, names):
    found = {m[1]: int(m[2]) for m in re.finditer(r"counter (\w+) \{\s*packets (\d+)", text)}
    return [found[name] for name in names]


def outline(proto, data):
    """Returns what must be the same of an answer: of TCP the flags, of errors type and code; None: nothing, for nft
    rejects no protocol whose checksum it cannot verify."""
    if proto == TCP:
        return proto, data[13]
    if (proto, data[0]) in ((ICMP, 3), (ICMP6, 1)) and data[14 if proto == ICMP6 else 17] == 253:
        return None
    return proto, data[:2] if proto in (ICMP, ICMP6) and data[0] not in (0, 129) else data


class Traffic:
    """Packets that begin flows, continue them, or quote them in errors. Ports are used once."""

    def __init__(self, rnd, f, port):
        self.looks_back = False  # the next packet's state depends on answers to earlier ones
        self.rnd, self.f, self.first, self.port, self.quotable, self.flows = rnd, f, port, port, [], []

    def draws(self, proto, data):
        """Says whether an answer is about these packets: others are SYN-ACKs sent again."""
        return proto != TCP or self.first < struct.unpack("!H", data[2:4])[0] <= self.port

    def _wrap(self, proto, data, source, six):
        """Sends some in two fragments, or behind extension headers or options."""
        rnd, ours, least = self.rnd, US[six], 24 if proto == TCP else 8
        if len(data) > least and rnd.random() < 0.15:
            ident = rnd.getrandbits(16)
            pieces = [(0, data[:least], 1), (least, data[least:], 0)]
            rnd.shuffle(pieces)
            if six:
                return [self.f.v6(FRAGMENT, struct.pack("!BBHI", proto, 0, at | more, ident) + piece, source, ours) for at, piece, more in pieces]
            return [self.f.v4(proto, piece, source, ours, ident=ident, field=at // 8 | more << 13) for at, piece, more in pieces]
        if not six:
            return [self.f.v4(proto, data, source, ours, options=rnd.choice((b"",) * 9 + (b"\1\1\1\0",)))]
        for header in rnd.choice(((),) * 8 + ((HOP_BY_HOP,), (DESTINATION,), (DESTINATION, HOP_BY_HOP))):
            data, proto = bytes((proto, 0)) + b"\1\4\0\0\0\0" + data, header
        return [self.f.v6(proto, data, source, ours)]

    def _segment(self, source, six, to, flags):
        s = struct.pack("!HHIIBBHHH", self.port, to, self.rnd.getrandbits(32), self.rnd.getrandbits(32) if flags & 16 else 0, 0x60, flags, 65535, 0, 0)
        return self._wrap(TCP, self.f.summed(TCP, s + b"\2\4\5\xb4", 16, source, US[six]), source, six)

    def _datagram(self, source, six, sport, to, data):
        s = struct.pack("!HHHH", sport, to, 8 + len(data), 0) + data
        return self._wrap(UDP, self.f.summed(UDP, s, 6, source, US[six]), source, six)

    def _icmp(self, source, six, data):
        proto = ICMP6 if six else ICMP
        return self._wrap(proto, self.f.summed(proto, data, 2, source, US[six]), source, six)

    def _error(self, source, six):
        """An error about what we have sent, or not, from its destination or another host."""
        rnd, peer = self.rnd, source
        proto, inner = rnd.choice((TCP, UDP)), struct.pack("!HHI", 7, self.port, 0)
        if self.quotable and rnd.random() < 0.8:
            peer, six, proto, inner = rnd.choice(self.quotable)
        quoted = (self.f.v6 if six else self.f.v4)(proto, inner + bytes(12), rnd.choice((US[six],) * 9 + (peer,)), peer)[14:]
        if rnd.random() < 0.2:
            quoted = quoted[:rnd.choice((39, 40, 42) if six else (19, 20, 22))]
        kind = rnd.choice(((1, 4), (1, 0), (3, 0), (4, 1)) if six else ((3, 3), (3, 1), (11, 0), (12, 0)))
        return self._icmp(rnd.choice((peer, peer, rnd.choice(HOSTS[six]))), six, bytes((*kind, 0, 0)) + bytes(4) + quoted)

    def next(self):
        rnd, six = self.rnd, self.rnd.randrange(2)
        source, to = rnd.choice(HOSTS[six]), rnd.choice((7, 7, 7, CLOSED, 9))
        self.port += 1
        kind = rnd.choice(("syn", "stray", "new", "again", "error", "error", "echo", "reply", "other"))
        self.looks_back = kind in ("again", "error")
        if kind == "syn":
            self.quotable.append((source, six, TCP, struct.pack("!HHI", to, self.port, 0)))
            return self._segment(source, six, to, rnd.choice((2, 2, 0xc2, 0x42, 0x0a)))
        if kind == "stray":  # resets are not checked
            return self._segment(source, six, to, rnd.choice((0, 1, 3, 8, 0x10, 0x11, 0x12, 0x13, 0x18, 0x29, 0x3b, 0xc0)))
        if kind == "new" or (kind == "again" and not self.flows):
            self.flows.append((source, six, self.port, to))
            if to == 7:
                self.quotable.append((source, six, UDP, struct.pack("!HHHH", 7, self.port, 28, 0)))
            return self._datagram(*self.flows[-1], rnd.randbytes(rnd.choice((0, 5, 100))))
        if kind == "again":
            return self._datagram(*rnd.choice(self.flows), b"again")
        if kind == "error":
            return self._error(source, six)
        if kind == "echo":
            name = rnd.randbytes(4)
            self.quotable.append((source, six, ICMP6 if six else ICMP, bytes((129 if six else 0, 0, 0, 0)) + name))
            return self._icmp(source, six, bytes((128 if six else 8, 0, 0, 0)) + name + b"echo")
        if kind == "reply":
            return self._icmp(source, six, bytes((129 if six else 0, 0, 0, 0)) + rnd.randbytes(8))
        return [(self.f.v6 if six else self.f.v4)(253, rnd.randbytes(24), source, US[six])]
