#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-echo and the kernel get the same random frames (twins.py), and must answer alike: fragments, bad
datagrams, path MTU errors, and all kinds of packets through the same firewall rules, in nft on the kernel's
side. Where Linux differs from the RFCs, a model of these counts."""
import random
import struct
import subprocess
import time

import bed
import rulesets
from bed import expect, sh
from twins import US, Twins, forger, host
from walk import FRAGMENT, HOP_BY_HOP, ICMP, ICMP6

UDP, DESTINATION, CLOSED = 17, 60, 77
PAD = b"\1\4\0\0\0\0"


def start(b):
    return Twins(b, "--set", f"run.control={b.tmp}/ctl")


def draw(n):
    """Returns the random numbers of a case; --seed changes them all."""
    return random.Random(args.seed * 1000003 + n)


def echo_request(f, six, n, data, code=0):
    body = bytes((128 if six else 8, code, 0, 0)) + struct.pack("!I", n) + data
    return f.summed(ICMP6 if six else ICMP, body, 2, host(n, six), US[six])


def packet(f, six, proto, data, n, **more):
    return (f.v6 if six else f.v4)(proto, data, host(n, six), US[six], **more)


# ---- fragments -----------------------------------------------------------------------------------


def cut(rnd, data):
    """Cuts a payload into (offset, bytes, more), and changes some."""
    cuts = sorted({8 * rnd.randrange(1, max(2, len(data) // 8 + 1)) for _ in range(rnd.choice((1, 1, 2, 3, 6, 12)))})
    cuts = [0, *(c for c in cuts if c < len(data)), len(data)]
    pieces = [(a, data[a:z], z < len(data)) for a, z in zip(cuts, cuts[1:])]
    for _ in range(rnd.choice((0, 0, 1, 1, 2, 3))):
        at, piece, more = rnd.choice(pieces)
        last = max(pieces)
        new = rnd.choice((
            (at, piece, more), (at, rnd.randbytes(len(piece)), more), (min(at + 8, 65528), piece, more), (max(0, at - 8), piece, more), (at, piece, not more),
            (at, piece[:8], True), (at, b"", True), (at, b"", False), (at, piece + b"odd", True), (at, piece[:-1], more), (0, data, False),
            (min(last[0] + 8, 65528), b"tail", False), (last[0], last[1], True), (65528, bytes(rnd.choice((1, 8, 16))), rnd.random() < 0.5), None))
        if new is not None:
            pieces.insert(rnd.randrange(len(pieces) + 1), new)
        elif len(pieces) > 1:
            pieces.remove((at, piece, more))
    if rnd.random() < 0.5:
        rnd.shuffle(pieces)
    return pieces


def reassemble(pieces, six):
    """Models RFC 815, RFC 5722 and RFC 8200 section 4.5: returns the datagrams that become complete, whether the
    time of another runs out with its first fragment there, and whether Linux does all of this in the same way."""
    whole, kept, end, dead, usual = [], [], 0, False, True
    for at, data, more in pieces:
        z = at + len(data)
        if at == 0 and not more:
            whole.append(data)
            continue
        if not data or (more and len(data) % 8) or z + (0 if six else 20) > 65535:
            usual = False
            continue
        if any((a, len(d), m) == (at, len(data), more) for a, d, m in kept) and not dead:
            continue
        bad = any(a < z and at < a + len(d) for a, d, m in kept) or (end and (z >= end if more else z != end))
        if bad or (not more and any(a + len(d) > z for a, d, m in kept)):
            dead, usual = True, False
        if dead:
            continue
        kept.append((at, data, more))
        end = end if more else z
        if end and sum(len(d) for _, d, _ in kept) == end:
            whole.append(b"".join(d for _, d, _ in sorted(kept)))
            kept, end = [], 0
    return whole, not dead and any(at == 0 for at, _, _ in kept), usual


def is_datagram(f, d, n, six):
    size = struct.unpack("!H", d[4:6])[0] if len(d) >= 8 else 0
    return 8 <= size <= len(d) and f.summed(UDP, d[:size], 6, host(n, six), US[six])[6:8] == d[6:8]


def fragments(b, twins):
    """random fragments: the datagrams that a model of the RFCs says, and the errors; Linux's as well where it follows them"""
    cases = {}
    for n in range(args.cases):
        rnd = draw(n)
        f, six = forger(rnd), rnd.random() < 0.5
        data = f.udp(host(n, six), US[six], 1024 + n, 7, struct.pack("!I", n) + rnd.randbytes(rnd.choice((0, 9, 100, 1000))))[54 if six else 34:]
        pieces = cut(rnd, data)
        cases[host(n, six)] = n, six, pieces
        for at, piece, more in pieces:
            if six:
                twins.send([packet(f, six, FRAGMENT, struct.pack("!BBHI", UDP, 0, at | more, n) + piece, n)])
            else:
                twins.send([packet(f, six, UDP, piece, n, ident=n, field=at // 8 | more << 13)])
        if n % 20 == 0:
            time.sleep(0.02)
    time.sleep(3)
    twins.settle()
    kernel, percore = twins.answers()
    for who, (n, six, pieces) in cases.items():
        whole, late, usual = reassemble(pieces, six)
        f = forger(None)
        want = {d[8:struct.unpack("!H", d[4:6])[0]] for d in whole if is_datagram(f, d, n, six)}
        got = percore.get(who, set())
        what = f"--seed {args.seed}, case {n}: {[(at, len(d), more) for at, d, more in pieces]}"
        expect({d[8:] for p, d in got if p == UDP} == want, f"{what}\n{got} instead of {want}")
        expect(any(p != UDP and d[:2] in (b"\x0b\1", b"\3\1") for p, d in got) == late, f"{what}\n{got}: time exceeded")
        expect(not usual or got == kernel.get(who, set()), f"{what}\npercore {got}\nkernel {kernel.get(who)}")


# ---- errors --------------------------------------------------------------------------------------


OPTIONS4 = (b"\1", b"\x94\4\0\0", b"\x9e\4aa", b"\x82\x0b" + bytes(9), b"\x9e\0", b"\x9e\1", b"\x9e\x20", b"\x9e")
OPTIONS6 = (PAD, b"\x1e\4abcd", b"\x5e\4abcd", b"\x9e\4abcd", b"\xde\4abcd", b"\1\5\0\0\0\0", b"\1\xff\0\0\0\0", b"\1\3\0\0\0\x9e", b"\4\1\0\1\1\0")


def bad_datagram(rnd, f, six, n):
    """Returns a frame that asks for an error, or must not have one."""
    size = rnd.choice((0, 1, 8, 100, 519, 520, 528, 529, 576, 1183, 1192, 1193, 1232, 1400))
    data, group, more = rnd.randbytes(size), rnd.random() < 0.1, {}
    proto, body = rnd.choice((
        (UDP, f.udp(host(n, six), US[six], 1024 + n, CLOSED, data)[54 if six else 34:]), (253, data), (ICMP6 if six else ICMP, echo_request(f, six, n, data, rnd.choice((0, 0, 1)))),
        (ICMP6 if six else ICMP, f.summed(ICMP6 if six else ICMP, bytes((rnd.choice((1, 2, 3, 4, 100, 127, 160) if six else (3, 4, 5, 11, 12, 2, 40)), 0, 0, 0)) + bytes(4) + data, 2,
                                          host(n, six), US[six]))))
    kind = rnd.randrange(5)
    if kind == 0 and len(body) > 8:
        body = body[:2] + rnd.choice((b"\0\0", b"\xff\xfe")) + body[4:8] + b"x" + body[9:]
    elif kind < 3 and six:
        for _ in range(rnd.choice((1, 1, 2, 3))):
            following = rnd.choice((DESTINATION, DESTINATION, HOP_BY_HOP, 59))
            body, proto = bytes((proto, rnd.choice((0,) * 8 + (1, 255)))) + rnd.choice(OPTIONS6) + body, following
    elif kind < 3:
        options = b"".join(rnd.choices(OPTIONS4, k=rnd.choice((1, 2, 3))))[:40]
        more["options"] = options + b"\1" * (-len(options) % 4)
    if group and not six:  # a frame for all with a packet for one: RFC 1122 section 3.3.6, while Linux answers echo requests
        more["to"] = b"\xff" * 6
    return packet(f, six, proto, body, n, **more, **({} if six else {"ident": n}))


def errors(b, twins):
    """random bad datagrams: the same errors, with the same quotes"""
    frames = {}
    for n in range(args.cases * 2):
        rnd = draw(n)
        six = rnd.random() < 0.5
        frame = bad_datagram(rnd, forger(rnd), six, n)
        if len(frame) <= 1514:
            frames[host(n, six)] = n, frame
            twins.send([frame])
        if n % 20 == 0:
            time.sleep(0.02)
    for last in (False, False, True):  # a busy machine may lose a frame
        twins.settle()
        kernel, percore = twins.answers()
        for who, (n, frame) in list(frames.items()):
            got, want = percore.get(who), kernel.get(who) if frame[0] & 1 == 0 else None
            if got == want:
                del frames[who]
            else:
                expect(not last, f"--seed {args.seed}, case {n}: {frame.hex()}\npercore {got}\nkernel {want}")
                twins.send([frame])


# ---- path MTU ------------------------------------------------------------------------------------


def too_big(rnd, f, six, n):
    """Returns an error about an echo of ours, and whether it may be believed as Linux does."""
    sport, quoted, peer, field, lies = 7, US[six], host(n, six), 0x4000, rnd.choice(("", "", "", "closed", "source", "peer", "short", "offset"))
    if lies == "closed":
        sport = CLOSED
    elif lies == "source":
        quoted = quoted[:-1] + b"\x33"
    elif lies == "peer":
        peer = host(n + 1, six)
    elif lies == "offset":
        field = 100
    inner = struct.pack("!HHHH", sport, 1024 + n, 1408, 0) + bytes(rnd.choice((0, 40, 400)))
    if six:
        quote = struct.pack("!IHBB", 6 << 28, 1408, UDP, 64) + quoted + peer + inner
    else:
        quote = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 1428, 1, field, 64, UDP, 0, quoted, peer) + inner
    if lies == "short":
        quote = quote[:rnd.choice((0, 39, 40, 43) if six else (0, 19, 20, 23))]
    mtu = rnd.choice((0, 68, 551, 552, 576, 1000, 1279, 1280, 1300, 1400, 1499, 1500, 9000, 65535))
    body = struct.pack("!BBHI", 2, 0, 0, mtu) if six else struct.pack("!BBHHH", 3, 4, 0, 0, mtu)
    return packet(f, six, ICMP6 if six else ICMP, f.summed(ICMP6 if six else ICMP, body + quote, 2, host(n, six), US[six]), n), lies != "source" and (six or lies != "offset")


def path_mtu(b, twins):
    """errors about path MTUs with random quotes: echoes are cut alike afterwards, and what quotes no packet of ours is ignored"""
    for first in range(0, args.cases // 2, 8):
        cases = []
        for n in range(first, first + 8):
            rnd = draw(n)
            f, six = forger(rnd), rnd.random() < 0.5
            cases.append((n, six, f.udp(host(n * 2, six), US[six], 1024 + n * 2, 7, bytes(1400)), *too_big(rnd, f, six, n * 2)))
        for what in (2, 3, 2):
            for case in cases:
                twins.send([case[what]])
            twins.settle(0.1)
            if what == 3:
                twins.answers()
        kernel, percore = [{who: max(len(d) for _, d in got) for who, got in t.items()} for t in twins.answers()]
        for n, six, _, frame, alike in cases:
            got, want = percore.get(host(n * 2, six)), kernel.get(host(n * 2, six)) if alike else 1408
            expect(got == want, f"--seed {args.seed}, case {n}: {frame.hex()}\nlargest {got}, not {want}")


# ---- firewall ------------------------------------------------------------------------------------


def firewall(b, twins):
    """random rules in percore and in nft: each rule counts as many of the same packets, and the answers are the same"""
    ctl = [b.path("percore-ctl"), f"{b.tmp}/ctl", "firewall"]
    nft = ["ip", "netns", "exec", twins.ns, "nft"]
    if subprocess.run([*nft, "-f", "-"], input=rulesets.BEGIN, text=True, capture_output=True).returncode != 0:
        print("    not run: no nft, or no connection tracking in this kernel")
        return
    sh("ip", "netns", "exec", twins.ns, "sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_loose=0", "net.netfilter.nf_conntrack_tcp_timeout_close=0")
    for n in range(args.rulesets):
        rnd = draw(n)
        rules, nft_rules, names = rulesets.draw(rnd)
        with open(f"{b.tmp}/rules", "w") as f:
            f.write(rules)
        sh(*ctl, "flush")
        sh(*ctl, "load", f"{b.tmp}/rules")
        r = subprocess.run([*nft, "-f", "-"], input=nft_rules, text=True, capture_output=True)
        expect(r.returncode == 0, r.stderr + nft_rules)
        twins.answers()
        traffic = rulesets.Traffic(rnd, forger(rnd), 1024 + n * 100)
        for _ in range(60):
            frames = traffic.next()
            if traffic.looks_back:  # at what was answered
                twins.settle(0.03, marked=False)
            twins.send(frames)
            time.sleep(0.002)
        twins.settle(0.3, marked=False)
        percore = [int(line.split()[0]) for line in sh(*ctl, "show").stdout.splitlines() if line.strip()][:len(names)]
        kernel = rulesets.counts(sh(*nft, "list", "counters").stdout, names)
        what = f"--seed {args.seed}, rules {n}:\n{rules}percore {percore}\nkernel  {kernel}\n"
        expect(percore == kernel, what)
        got, want = [{who: {rulesets.outline(*x) for x in a if traffic.draws(*x)} - {None} for who, a in t.items()} for t in reversed(twins.answers())]
        got, want = [{who: a for who, a in t.items() if a} for t in (got, want)]
        expect(got == want, what + f"percore {got}\nkernel {want}")


if __name__ == "__main__":
    args = bed.arguments(__doc__, seed=1, cases=300, rulesets=8)
    bed.need("nft")
    bed.main(args, [fragments, errors, path_mtu, firewall], start)
