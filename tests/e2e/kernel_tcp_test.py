#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A program on percore and one on the kernel (puppet.py) get the same random TCP segments in every state, and
must answer alike, one segment at a time. Where Linux differs from the RFCs, known() and silent() have why."""
import random
import struct
import time

import bed
import puppet
from bed import expect
from segments import AE, CWR, Case, Segment, outline, signed
from twins import US, Twins, forger, host
from walk import ACK, FIN, ICMP, RST, SYN, TCP

LIMITS = (("ipv4/tcp_invalid_ratelimit", 0), ("ipv4/tcp_challenge_ack_limit", 0x7fffffff), ("ipv4/tcp_early_retrans", 0), ("ipv4/tcp_ecn", 2), ("ipv4/tcp_syncookies", 0),
          ("ipv4/tcp_max_syn_backlog", 65536), ("core/somaxconn", 65536), ("ipv4/tcp_rfc1337", 1), ("ipv4/tcp_recovery", 0), ("ipv4/tcp_no_metrics_save", 1))
SETTINGS = ("tcp.challenge_acks=1000000", "tcp.tlp=0", "tcp.rto_initial_ms=60000", "tcp.rto_min_ms=60000", "tcp.delack_ms=0", "tcp.syn_cookies=0", "tcp.rack=0", "tcp.initial_window=64")
BATCH, STEPS = 40, 9


def start(b):
    more = [w for s in SETTINGS for w in ("--set", s)]
    twins = Twins(b, *more, program="tests/e2e/puppet", limits=LIMITS, route=("quickack", "1", "initcwnd", "64", "rto_min", "60s"), services=puppet.Puppet)
    bed.enter("/run/netns/" + twins.ns)  # where its program makes sockets
    return twins


def mark(twins):
    """Waits until both have done what the frames before ask for: answered two pings after these, with the
    programs' turns between them."""
    f = forger(None)
    for _ in range(3):
        twins.keep.step()
        twins.marks += 1
        data = b"\0\0\0\0mark" + struct.pack("!I", twins.marks)
        ping = f.v4(ICMP, f.summed(ICMP, b"\x08\0\0\0" + data, 2, host(0, False), US[0]), host(0, False), ident=1)
        for twin in twins.each:
            for _ in range(20):
                twin.write(ping)
                end = time.monotonic() + 1
                while not (there := any(data[4:] in frame for frame in twin.got[-400:])) and time.monotonic() < end:
                    time.sleep(0.0003)
                if there:
                    break
            expect(there, "no answer to a ping")


def play(twins, cases):
    """Plays cases in step, each until its twins differ; returns these with what differs."""
    wrong = []
    for step in range(STEPS):
        sent = {}
        for case in cases:
            if step == 0 and case.active:
                f = forger(None)
                frames = [f.udp(case.host, US[case.six], case.port, 7, bytes((case.kind,)), **({} if case.six else {"ident": 1}))] * 2
                sent[case.host] = case, None
            else:
                s = case.open() if step == 0 else case.answer_syn() if step == 1 and case.active else case.draw()
                frames = [s.frame(case, side) for side in case.sides]
                sent[case.host] = case, s
            for twin, frame in zip(twins.each, frames):
                twin.write(frame)
        mark(twins)
        answers = [{}, {}]
        for twin, d in zip(twins.each, answers):
            for frame in twin.take():
                six = frame[12:14] == b"\x86\xdd"
                at = 54 if six else 34
                if frame[20 if six else 23] == TCP:
                    who, size = (frame[38:54], struct.unpack("!H", frame[18:20])[0]) if six else (frame[30:34], struct.unpack("!H", frame[16:18])[0] - 20)
                    d.setdefault(who, []).append(frame[at:at + size])
        for who, (case, s) in sent.items():
            case.recent_ack = case.side.ack
            has_syn = s is None or (s.flags & (SYN | RST) == SYN and not s.bad)
            kernel, percore = (outline(case, side, d.get(who, []), has_syn) for side, d in zip(case.sides, answers))
            case.log.append(f"{s or 'connect'}\n        kernel {kernel}\n        percore {percore}")
            if kernel != percore:
                why = known(case, s, kernel, percore)
                if not why:
                    wrong.append(case)
                cases = [c for c in cases if c is not case]
            elif s and silent(case, s):
                cases = [c for c in cases if c is not case]
            if s:
                case.note(s, kernel)
    return wrong


def silent(case, s):
    """Returns whether the stacks' states differ although neither has answered."""
    ts = [o[1] for o in s.options if o[0] == "ts"]
    if case.ts and not s.flags & RST and not ts:
        return True  # RFC 7323 3.2: dropped without a timestamp
    if s.flags & ACK and s.ack <= 0 and (s.data or s.flags & FIN):
        return True  # RFC 5961 5.2: MAX.SND.WND, see below
    if s.flags & RST and case.ended and s.seq == case.recent_ack - 1:
        return True  # RFC 5961 3.2; Linux accepts the number of the FIN
    if s.edge and s.data and s.seq + len(s.data) > 0:
        return True  # what is beyond the edge is trimmed; Linux may keep it
    # RFC 7323 5.2: "regardless of their timestamp"; Linux drops it in SYN-RECEIVED
    return not case.opened and s.flags & RST and ts


def known(case, s, kernel, percore):
    """Returns why this difference is right."""
    if s is None:
        return None
    case.cwr = case.cwr or bool(s.flags & CWR)
    case.narrow = case.narrow or s.wnd < 65535
    old = any(o[0] == "ts" and o[1] < max(percore.get("tsecr", o[1]), kernel.get("tsecr", o[1])) for o in s.options)
    ts = any(o[0] == "ts" for o in s.options)
    differ = {k for k in kernel.keys() | percore.keys() if kernel.get(k) != percore.get(k)}
    ack, syn, rst, fin = (bool(s.flags & f) for f in (ACK, SYN, RST, FIN))
    case.stamped = case.stamped or (ts and ack and s.ack < max(case.una, 1))

    def bare(answer):
        return "seq" in answer

    reasons = (
        (case.ts and not rst and not syn and not ts and not percore, "RFC 7323 3.2: silently drop what lacks a timestamp"),
        (ack and s.ack <= 0 and bare(kernel) and (case.opened or "rst" not in percore), "RFC 5961 5.2: MAX.SND.WND; Linux also looks at what it has sent, since 6.7"),
        (ack and s.ack <= 0 and bare(percore) and "ack" in kernel, "RFC 5961 5.2, which Linux does not look at in its fast path"),
        (ack and (s.ack <= 0 or s.ack > max(case.una, 1)) and case.active and "rst" in percore, "RFC 9293 3.10.7.4: an unacceptable acknowledgement in SYN-RECEIVED, also of an active open"),
        (ack and s.ack > case.una and not kernel and bare(percore), "RFC 9293 3.10.7.4: an acknowledgement of what was never sent; Linux since 7.1"),
        (not case.opened and "rst" in kernel and (s.ack != 1 or syn) and bare(percore), "RFC 9293 3.10.7.4, 5961 4.2: in SYN-RECEIVED, too, the sequence number is checked first"),
        (rst and (signed(s.seq - case.recent_ack) < 0 or s.edge) and bare(kernel) and not percore, "RFC 5961 3.2: only its sequence number counts for a RST, not its data"),
        (rst and ts and not case.opened and not kernel, "RFC 7323 5.2: a RST regardless of its timestamp, in SYN-RECEIVED, too"),
        (not ack and not rst and not syn and not kernel and bare(percore), "RFC 9293 3.10.7.4: the sequence number is checked first"),
        (not ack and bare(kernel) and not percore, "RFC 9293 3.10.7.4: what has no acknowledgement is dropped"),
        (case.kind == puppet.ONCE and fin and not s.data and "rst" in kernel and bare(percore), "RFC 9293 3.6.1: data for a program that has closed; a FIN alone is none"),
        (case.narrow and not kernel and "data" in percore, "how much fits into a small window"),
        (case.narrow and not percore and "data" in kernel and not s.data, "RFC 9293 3.10.7.4: SND.WL1, that of the newest segment; Linux's can go back"),
        (case.narrow and not percore and bare(kernel) and s.wnd > 0, "an opened window has what it had refused sent again, with the acknowledgement"),
        (case.narrow and differ <= {"seq", "sack"}, "RFC 9293 3.4: SND.NXT, even if the peer shrinks its window"),
        (old and ack and not kernel and bare(percore) and not s.data, "RFC 7323 5.3: R1) send an acknowledgement"),
        (old and case.ended and bare(kernel) and not percore, "RFC 9293 3.10.7.4: TIME-WAIT acknowledges what arrives again"),
        (case.active and syn and ack and (s.data or fin) and case.recent_ack <= 1, "RFC 9293 3.10.7.3: data of a SYN-ACK is processed; Linux waits for its retransmission"),
        ("fin" in percore and "fin" not in kernel, "a FIN that does not fit into the window"),
        (differ - ({"sack"} if fin else set()) <= {"data", "seq", "fin"} and case.narrow, "how much fits into a small window"),
        (s.edge and s.seq >= 0 and not kernel and bare(percore), "RFC 9293 3.10.7.4: beyond the right edge is outside the window"),
        (s.edge and bare(percore) and ("rst" in kernel or case.narrow and "data" in kernel), "the same, also of data for a program that has closed"),
        (differ == {"sack"} and (s.edge or old or fin or case.ended), "RFC 2018 3: blocks of data; Linux counts a FIN, and what it will drop"),
        (not kernel.keys() - {"rst"} and bare(percore) and case.ended and (s.data or fin), "RFC 9293 3.10.7.4: text after a FIN is ignored"),
        (case.ended and differ <= {"ack", "fin", "seq"} and kernel.get("ack") == percore.get("ack", 0) + 1, "the latest early FIN is remembered, not all"),
        (case.early and differ <= {"ack", "data", "fin", "seq"} and percore.get("ack", 0) > kernel.get("ack", 0), "an early FIN is not the peer's if there is data beyond it"),
        (syn and ts and not ack and "syn" in percore and bare(kernel), "RFC 6191 2: the first timestamp reopens TIME-WAIT"),
        (s.is_malformed(case) and not kernel, "a wrong length ends the options; Linux drops the segment since 6.7"),
        ((differ <= {"tsecr", "sack"} and not case.opened) or (case.again and old and bare(percore)), "RFC 7323 4.3: TS.Recent also from a SYN that is sent again"),
        (differ == {"tsecr"} and case.ended, "RFC 7323 4.3: in TIME-WAIT, TS.Recent only from who acknowledges all, also with its FIN"),
        (differ == {"seq"} and case.active and not case.opened, "SND.NXT of a simultaneous open after a RST outside the window"),
        (differ == {"syn"} and s.flags & AE and s.ecn, "RFC 3168 6.1.1: a SYN is not ECN-capable"),
        ((case.stamped or ts and s.ack < case.una) and (differ == {"tsecr"} or differ <= {"tsecr", "sack"} and s.edge or differ <= {"tsecr", "data"} and case.narrow), "RFC 7323 4.3: TS.Recent also from a segment with an old acknowledgement"),
        (differ == {"ece"} and (case.cwr or not s.data), "RFC 3168 6.1.3: CWR ends ECE, CE begins it, whatever the segment has"))
    return next((why for is_so, why in reasons if is_so), None)


def clear(twins, cases):
    """Ends all connections."""
    for case in cases:
        for twin, side in zip(twins.each, case.sides):
            twin.write(Segment(RST, side.ack).frame(case, side))
    mark(twins)
    twins.keep.close_all()
    mark(twins)
    for twin in twins.each:
        twin.take()


def segments(b, twins):
    """random segments in all states"""
    who = 1
    for first in range(args.first, args.cases, BATCH):
        left = list(range(first, min(first + BATCH, args.cases)))
        for last in (False, False, True):  # a busy machine may lose a frame, or be late
            cases = []
            for n in left:
                cases.append(Case(n, random.Random(args.seed * 1000003 + n), who))
                who += 1
            wrong = play(twins, list(cases))
            clear(twins, cases)
            left = [c.n for c in wrong]
            if not left:
                break
        for c in wrong:
            print(f"--seed {args.seed}, case {c.n}: kind {c.kind}{' active' if c.active else ''} v{6 if c.six else 4}\n    " + "\n    ".join(c.log))
            failed.append(c.n)
    expect(not failed, f"{len(failed)} cases differ: {failed}")


failed = []
if __name__ == "__main__":
    args = bed.arguments(__doc__, seed=1, cases=300, first=0)
    bed.need()
    bed.main(args, [segments], start)
