#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The firewall of percore-echo as a client finds it: 200 probes of TCP and UDP over both families against a table, other rules
under a transfer, what percore-ctl says and refuses, and what is logged.
"""
import errno
import os
import re
import select
import signal
import socket
import subprocess
import time

import bed
from bed import CLIENT, SERVER, expect, sh, wait_for

SERVER6, CLIENT6 = "fd00::1", "fd00::2"
OPEN, CLOSED, FILTERED = "open", "closed", "filtered"
WAIT = 0.6  # seconds that a probe waits for an answer
ROUNDS = 3  # attempts before a probe counts as unanswered, since frames get lost

# ports, and the result of a probe from an allowed address and from port 8000: clients do not use
# 8000-9999 by default (bed.py)
RULES = f"""
# what a client of this test may
default in drop log
pass in state established,related
pass in proto icmp icmp-type echo-request limit 1000/s
pass in proto icmp6 icmp-type echo-request,listener-query
drop in proto tcp,udp from port 8000-8099
pass in proto tcp to port 7,9,19
pass in proto udp to {SERVER},{SERVER6} port 7
pass in proto tcp,udp to port 100-119
reject in proto tcp,udp to port 120-139
drop in proto tcp,udp from {CLIENT},{CLIENT6} to port 140
pass in inet proto tcp,udp to port 141
reject in inet6 proto tcp,udp to port 141
reject out proto tcp to port 25
"""


class State:
    """The program, its control socket and its rules."""


def ctl(b, s, *words, status=0):
    """Returns the output of percore-ctl."""
    r = sh(b.path("percore-ctl"), s.path, *words, check=False)
    expect(r.returncode == status, f"{words}: status {r.returncode}: {r.stdout}{r.stderr}")
    return r.stdout + r.stderr


def write(b, name, text):
    path = os.path.join(b.tmp, name)
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    return path


def start(b):
    s = State()
    s.path = os.path.join(b.tmp, "control")
    s.rules = write(b, "rules", RULES)
    s.config = write(b, "config.ini", f"[firewall]\nrules = {s.rules}\nlog_rate = 1000\n[icmp]\nerror_rate = 100000\n")
    s.program = b.start("percore-echo", "-c", s.config, "--listen", "7", "--discard", "9", "--source", "19",
                        "--set", f"run.control={s.path}", "--addr", f"{SERVER6}/64", "--gateway", CLIENT6)
    with open(f"/proc/sys/net/ipv6/conf/{b.dev}/disable_ipv6", "w", encoding="ascii") as f:
        f.write("0")
    sh("ip", "-6", "addr", "replace", f"{CLIENT6}/64", "dev", b.dev, "nodad")
    for family, addr in (("-4", SERVER), ("-6", SERVER6)):
        wait_for(lambda: sh("ping", family, "-n", "-c", 1, "-W", 1, addr, check=False).returncode == 0,
                 20 * b.slow, f"an answer from {addr}")
    return s


# ---- probes -------------------------------------------------------------------------------------


class Probe:
    """A TCP connection, or a datagram, to a port."""

    def __init__(self, family, kind, sport, dport):
        self.kind, self.what = kind, (family, kind, sport, dport)
        self.s = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6,
                               socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
        self.s.setblocking(False)
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sport:
            self.s.bind(("", sport))
        self.state = None
        error = self.s.connect_ex((SERVER if family == 4 else SERVER6, dport))
        expect(error in (0, errno.EINPROGRESS), os.strerror(error))

    def ask(self):
        if self.kind == "udp" and self.state is None:
            try:
                self.s.send(b"probe")
            except ConnectionRefusedError:
                self.state = CLOSED

    def look(self):
        if self.kind == "tcp":
            error = self.s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self.state = OPEN if error == 0 else CLOSED if error == errno.ECONNREFUSED else FILTERED
            return
        try:
            self.state = OPEN if self.s.recv(100) else FILTERED
        except ConnectionRefusedError:
            self.state = CLOSED
        except BlockingIOError:
            pass


def ask(b, table, wait=WAIT):
    """Returns the results of the probes that are answered."""
    probes = [Probe(*what) for what in table]
    waiting = select.epoll()
    by_fd = {p.s.fileno(): p for p in probes}
    for p in probes:
        waiting.register(p.s, select.EPOLLOUT if p.kind == "tcp" else select.EPOLLIN)
        p.ask()
    end = time.monotonic() + wait * b.slow
    while (left := end - time.monotonic()) > 0 and any(p.state is None for p in probes):
        for fd, _ in waiting.poll(left):
            by_fd[fd].look()
            if by_fd[fd].state is not None:
                waiting.unregister(fd)
    for p in probes:
        p.s.close()
    return {p.what: p.state for p in probes if p.state is not None}


def probe(b, table):
    """Returns the results of the probes of a table."""
    found = {}
    for _ in range(ROUNDS):
        found.update(ask(b, [what for what in table if what not in found]))
    return {what: found.get(what, FILTERED) for what in table}


def expected(family, kind, sport, dport):
    """Returns the result that RULES and the listeners should give."""
    if sport:
        return FILTERED
    if dport == 7 or (kind == "tcp" and dport in (9, 19)):
        return OPEN
    if 100 <= dport < 140 or (dport == 141):
        return CLOSED
    return FILTERED


def table(b, s):
    """200 probes find what the rules say"""
    ports = [7, 9, 19, *range(100, 142), 65535, 1]  # 47 ports
    cases = [(family, kind, 0, port) for family in (4, 6) for kind in ("tcp", "udp") for port in ports]
    # ... and from a port that is refused: to an open one, a closed one, and a rejected one
    cases += [(family, kind, 8000 + i, port) for family in (4, 6) for kind in ("tcp", "udp")
              for i, port in enumerate((7, 100, 120))]
    expect(len(cases) == 200, str(len(cases)))
    found = probe(b, cases)
    wrong = [f"{what}: {found[what]}, not {expected(*what)}" for what in cases if found[what] != expected(*what)]
    expect(not wrong, "\n".join(wrong))


def shown(b, s):
    """the rules are shown with their hits; packets are logged"""
    lines = ctl(b, s, "firewall", "show").splitlines()
    written = [re.sub(r"\s+", " ", line.split("#")[0]).strip() for line in RULES.splitlines()]
    written = [line for line in written if line]
    expect([line.split(None, 2)[2] for line in lines] == [*written[1:], written[0], "default out pass"], str(lines))
    hits = {line.split(None, 2)[2]: int(line.split()[0]) for line in lines}
    expect(hits["pass in proto tcp to port 7,9,19"] >= 6, str(hits))
    expect(hits["drop in proto tcp,udp from port 8000-8099"] >= 12, str(hits))
    expect(hits["default in drop log"] > 0 and hits["reject out proto tcp to port 25"] == 0, str(hits))
    counters = dict(line.split() for line in ctl(b, s, "counters").splitlines())
    expect(int(counters["drop_firewall"]) >= 60 and int(counters["firewall_rejected"]) >= 80, str(counters))
    line = f"percore-echo: firewall: lcore 0: drop in by line 3, port 0: tcp {CLIENT}:"
    wait_for(lambda: line in s.program.out(), 5 * b.slow, "a line about a packet")


def reload(b, s):
    """a transfer goes on when rules come that let nobody in; mistakes change nothing"""
    none = write(b, "none", "default in drop\ndefault out drop\n")
    bad = write(b, "bad", "pass in\npass in proto tcp to prot 80\n")
    with socket.create_connection((SERVER, 19), timeout=10 * b.slow) as c:
        c.recv(1)
        ctl(b, s, "firewall", "check", none)
        ctl(b, s, "firewall", "check", bad, status=1)
        text = ctl(b, s, "firewall", "load", bad, status=1)
        expect(f'{bad}:2: "prot" is not an address or network' in text, text)
        expect("default in drop log" in ctl(b, s, "firewall", "show"), "the rules are gone")
        for i in range(5):
            ctl(b, s, "firewall", "load", none if i % 2 == 0 else s.rules)
            for _ in range(50):
                expect(c.recv(65536), "the transfer has ended")
        expect(probe(b, [(4, "tcp", 0, 7), (6, "udp", 0, 7)]) == {(4, "tcp", 0, 7): FILTERED, (6, "udp", 0, 7): FILTERED},
               "who is not let in was")
        for _ in range(50):
            expect(c.recv(65536), "the transfer has ended")
    ctl(b, s, "firewall", "flush")
    expect("everything passes" in ctl(b, s, "firewall", "show"), "there are rules")
    expect(probe(b, [(4, "tcp", 8001, 7), (6, "udp", 0, 101)]) == {(4, "tcp", 8001, 7): OPEN, (6, "udp", 0, 101): CLOSED},
           "without rules")
    text = ctl(b, s, "firewall", "load", os.path.join(b.tmp, "missing"), status=2)
    expect("missing: No such file" in text, text)
    text = ctl(b, s, "firewall", "load", "/dev/null", status=1)
    expect("/dev/null: not a regular file" in text, text)
    with open(s.rules, encoding="ascii") as f:
        r = subprocess.run([b.path("percore-ctl"), s.path, "firewall", "load", "-"], stdin=f, timeout=30, check=False)
    expect(r.returncode == 0 and "8000-8099" in ctl(b, s, "firewall", "show"), "rules by stdin")
    ctl(b, s, "firewall", "load", write(b, "rules of today", "drop in proto udp to port 4711\n"))
    expect("4711" in ctl(b, s, "firewall", "show"), "a name with blanks")
    text = ctl(b, s, "firewall", "check", write(b, "of tomorrow", "eject in\n"), status=1)
    expect("/of_tomorrow:1: " in text, text)
    ctl(b, s, "firewall", "load", s.rules)


def seven(b):
    """Returns what a client finds at port 7: TCP over IPv4, UDP over IPv6."""
    found = probe(b, [(4, "tcp", 0, 7), (6, "udp", 0, 7)])
    return [found[(4, "tcp", 0, 7)], found[(6, "udp", 0, 7)]]


def change(b, s, *words, status=0):
    """Returns what percore-ctl prints about a change of a table."""
    return ctl(b, s, "firewall", "table", *words, status=status).strip()


def tables(b, s):
    """addresses come into a table and leave it, a hundred thousand at once, during a transfer"""
    name = ctl(b, s, "port", "show").split()[2]
    addrs = write(b, "addrs", f"# one in a line\n{SERVER}/32\n2001:db8::/32\n")
    many = write(b, "many", "".join(f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}\n" for i in range(0, 200000, 2)))
    rules = write(b, "tables", f"table bad file {addrs}\ntable ours {{\n  {CLIENT}, {CLIENT6}/64\n}}\n"
                  f"drop in on {name} from <bad>\ndrop in proto tcp,udp from !<ours>,{SERVER}\n")
    ctl(b, s, "firewall", "load", rules)
    expect(seven(b) == [OPEN, OPEN], "others than those in the table are dropped")
    with socket.create_connection((SERVER, 19), timeout=10 * b.slow) as c:
        c.recv(1)
        expect(change(b, s, "bad", "add", CLIENT, "fd00::/64", "2001:db8::/32") == "2 added", "what was there is not counted")
        expect(seven(b) == [FILTERED, FILTERED], "who is in the table is let in")
        expect(change(b, s, "bad", "add", "file", many) == "100000 added", "many")
        expect(change(b, s, "bad", "delete", CLIENT, CLIENT) == "1 deleted", "one of them")
        expect(seven(b) == [OPEN, FILTERED], "who has left the table is not let in")
        expect(c.recv(65536), "the transfer has ended")
    shown = ctl(b, s, "firewall", "table", "bad", "show").split()
    expect(len(shown) == 100003 and shown[0] == "10.0.0.0/32" and shown[-1] == "fd00::/64", f"{len(shown)}: {shown[-1]}")
    expect(change(b, s, "bad", "replace", CLIENT6) == "1 in it", "one")
    expect(seven(b) == [OPEN, FILTERED], "another one")
    # for a time: the entry leaves by itself
    expect(change(b, s, "bad", "add", CLIENT, "for", "2s") == "1 added", "for a time")
    expect(change(b, s, "bad", "test", CLIENT).startswith(f"{CLIENT}/32 # "), "it is not in the table")
    expect(change(b, s, "bad", "test", CLIENT6) == f"{CLIENT6}/128", "the other one is not in the table")
    wait_for(lambda: sh(b.path("percore-ctl"), s.path, "firewall", "table", "bad", "test", CLIENT, check=False).returncode == 1, 30,
             "its time is not over")
    expect(seven(b) == [OPEN, FILTERED], "whose time is over is not let in")
    expect(change(b, s, "bad", "add", "file", addrs, "for", "1h") == "2 added", "a file for a time")
    text = ctl(b, s, "firewall", "table", "bad", "test", CLIENT, status=1)
    expect(f'{CLIENT} is not in table "bad"' in text, text)
    text = ctl(b, s, "firewall", "table", "bad", "add", CLIENT, "for", "10", status=1)
    expect('"10" is not a time' in text, text)
    # from a pipe, and none
    r = subprocess.run([b.path("percore-ctl"), s.path, "firewall", "table", "bad", "replace", "file", "-"],
                       input="10.0.0.1 10.0.0.2\n" * 20000, capture_output=True, text=True, timeout=30, check=False)
    expect(r.returncode == 0 and r.stdout == "2 in it\n", r.stdout + r.stderr)
    change(b, s, "bad", "replace")
    # not in our table
    change(b, s, "ours", "delete", CLIENT)
    expect(seven(b) == [FILTERED, OPEN], "who is in neither list is let in")
    expect(ctl(b, s, "firewall", "table", "show") == "bad 0\nours 1\n", "sizes")
    text = ctl(b, s, "firewall", "table", "bad", "add", "10.0.0.1", "10.0.0.256", status=1)
    expect('command:2: "10.0.0.256" is not an address or network' in text, text)
    text = ctl(b, s, "firewall", "table", "worse", "show", status=1)
    expect('no table "worse"' in text, text)
    text = ctl(b, s, "firewall", "table", "bad", "add", "file", os.path.join(b.tmp, "missing"), status=2)
    expect("missing: No such file" in text, text)
    text = ctl(b, s, "firewall", "load", write(b, "bad", "\ntable x file /nowhere/addrs\n"), status=1)
    expect("bad:2: /nowhere/addrs: No such file" in text, text)
    ctl(b, s, "firewall", "load", s.rules)


def ports(b, s):
    """ports by the name of their service, and ports that come into a table and leave it"""
    echo = "echo" if os.path.exists("/etc/services") else 7
    ctl(b, s, "firewall", "load", write(b, "ports", f"table open ports {{ 9 }}\npass in proto tcp to port <open>\n"
                                        f"pass in proto udp to port {echo}\ndefault in drop\n"))
    expect(seven(b) == [FILTERED, OPEN], "what is in no table is open")
    expect(change(b, s, "open", "add", "1-100", "9") == "99 added", "what was there is not counted")
    expect(seven(b) == [OPEN, OPEN], "what is in the table is closed")
    expect(change(b, s, "open", "delete", "7", "200") == "1 deleted", "one of them")
    expect(seven(b) == [FILTERED, OPEN], "what has left the table is open")
    expect(ctl(b, s, "firewall", "table", "open", "show") == "1-6\n8-100\n", "ranges")
    text = change(b, s, "open", "replace", "80", CLIENT, status=1)
    expect(f'command:2: "{CLIENT}" is not a port' in text, text)
    text = ctl(b, s, "firewall", "load", write(b, "bad", "pass in proto tcp to port no-such-service\n"), status=1)
    expect('bad:1: ' in text and "/etc/services" in text, text)
    ctl(b, s, "firewall", "load", s.rules)


def sources(b, s):
    """each source has its own limit; a rule that asks for the flags of a SYN finds it"""
    ctl(b, s, "firewall", "load", write(b, "limits", f"pass in proto tcp to port 7 flags S/SAFR limit 1/s per source burst 3\n"
                                        f"pass in proto udp from {CLIENT6}\ndefault in drop\n"))
    found = [probe_once(b, 5) for _ in range(3)]
    expect(found == [OPEN] * 3, str(found))

    def one_too_many():
        probe_once(b, WAIT)
        counters = dict(line.split() for line in ctl(b, s, "counters").splitlines())
        return int(counters.get("firewall_source_limited", 0)) > 0
    wait_for(one_too_many, 20 * b.slow, "one that is too many")
    ctl(b, s, "firewall", "load", s.rules)


def overload(b, s):
    """who opens connections too fast is blocked, shown, and let in again by percore-ctl"""
    ctl(b, s, "firewall", "load", write(b, "overload", "table bad\ndrop in from <bad>\npass in proto tcp to port 7 "
                                        "limit 1/s per source burst 3 overload <bad> timeout 1h\ndefault in drop\n"))
    for _ in range(10):
        ask(b, [(4, "tcp", 0, 7)] * 4)
        if ctl(b, s, "firewall", "table", "bad", "show"):
            break
    shown = ctl(b, s, "firewall", "table", "bad", "show")
    expect(re.fullmatch(f"{CLIENT}/32 # (3600|35[0-9]{{2}}) s\n", shown), shown)
    expect(probe_once(b, WAIT) == FILTERED and ctl(b, s, "firewall", "table", "show") == "bad 1\n", "who is in the table is let in")
    ctl(b, s, "firewall", "load", os.path.join(b.tmp, "overload"))
    expect(probe_once(b, WAIT) == FILTERED, "other rules have not taken it over")
    expect(change(b, s, "bad", "delete", CLIENT) == "1 deleted", "it was not there")
    expect(probe_once(b, 5) == OPEN, "who has left the table is not let in")
    counters = dict(line.split() for line in ctl(b, s, "counters").splitlines())
    expect(int(counters["firewall_learnt"]) > 0, str(counters))
    ctl(b, s, "firewall", "load", s.rules)


def echoes(c):
    """Says whether a connection to port 7 echoes."""
    try:
        c.connect((SERVER, 7))
        c.sendall(b"x")
        return c.recv(1) == b"x"
    except OSError:
        return False


def handshakes(b, s):
    """who completes too many handshakes is refused, blocked, and loses all connections"""
    def counted(name):
        return int(dict(line.split() for line in ctl(b, s, "counters").splitlines()).get(name, 0))

    ctl(b, s, "firewall", "load", write(b, "handshakes", "table bad\ndrop in from <bad>\npass in proto tcp to port 7 limit 1/h "
                                        "per source handshakes burst 3 overload <bad> timeout 1h flush\ndefault in drop\n"))
    kept = []
    while len(kept) < 30 and not ctl(b, s, "firewall", "table", "bad", "show"):
        c = socket.socket()
        c.settimeout(5 * b.slow)
        if echoes(c):
            kept.append(c)
        else:
            c.close()
    expect(3 <= len(kept) < 30, f"{len(kept)} connections")
    expect(probe_once(b, WAIT) == FILTERED, "who is in the table is let in")
    wait_for(lambda: counted("firewall_flushed") >= len(kept), 10 * b.slow, "the end of the connections")
    expect(counted("firewall_flushed") == len(kept), "more connections ended than there were")
    expect(change(b, s, "bad", "delete", CLIENT) == "1 deleted", "it was not there")
    ctl(b, s, "firewall", "load", s.rules)
    for c in kept:
        c.close()


def probe_once(b, wait):
    """Returns the result of one TCP connection to port 7; its SYN may be retransmitted."""
    return ask(b, [(4, "tcp", 0, 7)], wait).get((4, "tcp", 0, 7), FILTERED)


def hangup(b, s):
    """SIGHUP reads the file again, if it is right; what was put into a table that it leaves open stays"""
    write(b, "rules", "table kept\ntable bad { 192.0.2.77 }\n")
    ctl(b, s, "firewall", "load", s.rules)
    change(b, s, "kept", "add", "192.0.2.1")
    change(b, s, "bad", "add", "192.0.2.1")
    write(b, "rules", "table bad { 192.0.2.78 }\ntable kept\ndefault in drop\npass in proto tcp to port 9\n")
    s.program.signal(signal.SIGHUP)
    wait_for(lambda: "reloaded the rules" in s.program.out(), 10 * b.slow, "a line that says so")
    expect("to port 9\n" in ctl(b, s, "firewall", "show"), "other rules")
    expect(ctl(b, s, "firewall", "table", "kept", "show") == "192.0.2.1/32\n", "what was put into it is lost")
    expect(ctl(b, s, "firewall", "table", "bad", "show") == "192.0.2.78/32\n", "it is not what the file says")
    write(b, "rules", "accept in\n")
    s.program.signal(signal.SIGHUP)
    wait_for(lambda: '"accept" is not "pass", "drop" or "reject"' in s.program.err(), 10 * b.slow, "a line that says why not")
    expect("to port 9\n" in ctl(b, s, "firewall", "show"), "the rules are gone")


def end(b, s):
    """a program does not start with rules that are wrong"""
    s.program.stop()
    r = sh(b.path("percore-echo"), *b.eal(), "--", "--addr", f"{SERVER}/24", "-c", s.config, check=False)
    expect(r.returncode == 2 and f'{s.rules}:1: "accept" is not "pass", "drop" or "reject"' in r.stderr, r.stdout + r.stderr)


STEPS = [table, shown, reload, tables, ports, sources, overload, handshakes, hangup, end]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("ethtool", "ping")
    bed.main(args, STEPS, start)
