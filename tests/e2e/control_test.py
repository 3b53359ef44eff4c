#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-ctl changes routes and addresses of a running percore-httpd, under a transfer and for ping, and shows what it has.

The kernel is two gateways: the device itself, and a macvlan on it with a MAC address of its own, whose counter shows
by which of them packets come.
"""
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import bed
from bed import CLIENT, PREFIX, SERVER, expect, sh, wait_for

FAR = "203.0.113.1"
SECOND = "192.0.2.253"
SIZE = 36_000_000


class State:
    """The program, its control socket, and the file that it serves."""


def start(b):
    s = State()
    s.path = os.path.join(b.tmp, "control")
    data = os.urandom(1 << 20) * (SIZE >> 20)
    s.digest = hashlib.sha256(data).hexdigest()
    with open(os.path.join(b.tmp, "big"), "wb") as f:
        f.write(data)
    s.program = b.start("percore-httpd", "--listen", "80", "--root", b.tmp, "--set", f"run.control={s.path}")
    for name in ("all", "default", b.dev):
        for key, value in (("rp_filter", "0"), ("arp_ignore", "1"), ("arp_announce", "2")):
            with open(f"/proc/sys/net/ipv4/conf/{name}/{key}", "w", encoding="ascii") as f:
                f.write(value)
    with open("/proc/sys/net/ipv4/tcp_rmem", "w", encoding="ascii") as f:
        # when a route changes, only a small part of the file is in flight
        f.write("4096 131072 2000000")
    sh("ip", "link", "add", "link", b.dev, "name", "second", "type", "macvlan", "mode", "bridge")
    sh("ip", "addr", "add", f"{SECOND}/32", "dev", "second")
    sh("ip", "link", "set", "second", "up")
    sh("ip", "addr", "add", f"{FAR}/32", "dev", "lo")
    return s


def ctl(b, s, *words, status=0, options=()):
    """Returns the output of percore-ctl."""
    r = sh(b.path("percore-ctl"), *options, s.path, *words, check=False)
    expect(r.returncode == status, f"{words}: status {r.returncode}: {r.stdout}{r.stderr}")
    return r.stdout + r.stderr


def received(name):
    return json.loads(sh("ip", "-j", "-s", "link", "show", "dev", name).stdout)[0]["stats64"]["rx"]["bytes"]


def pings(addr, family="-4"):
    return sh("ping", family, "-n", "-c", 1, "-W", 1, addr, check=False).returncode == 0


def routes(b, s):
    """routes are shown, made, and refused with a reason"""
    text = ctl(b, s, "route", "show")
    expect(f"192.0.2.0/{PREFIX} port 0 connected\n" in text, text)
    expect(f"0.0.0.0/0 via {CLIENT} port 0\n" in text, text)
    expect("ERROR" not in ctl(b, s, "route", "add", "198.51.100.0/24", "via", CLIENT, "metric", "7"), "")
    text = ctl(b, s, "route")
    expect(f"198.51.100.0/24 via {CLIENT} port 0 metric 7\n" in text, text)
    text = ctl(b, s, "route", "add", "198.51.100.0/24", "via", CLIENT, status=1)
    expect("already exists" in text, text)
    text = ctl(b, s, "route", "add", "203.0.113.0/24", "via", "203.0.113.1", status=1)
    expect("not on the network of any address" in text, text)
    for words, line in ((("route", "del", "203.0.113.0/24"), "no such route"), (("neigh", "del", "192.0.2.99"), "no such entry"),
                        (("addr", "del", "203.0.113.1/24"), "no such address"), (("bogus",), "percore-ctl --help"),
                        (("addr", "add", "224.0.0.1/24"), "not the address of a host"), (("mtu", "set", "575"), "at least 576"),
                        (("mtu", "set", "1400", "port", "7"), "no such port"),
                        (("route", "add", "10.7.0.0/16", "via", CLIENT, "port", "7"), "no such port; the last one is port"),
                        (("neigh", "set", "192.0.2.99", "mac", "01:00:5e:00:00:01"), "MAC address"),
                        (("neigh", "del", "192.0.2.99", "port", "7"), "no such port"),
                        (("route", "add", "203.0.113.0/24", "via", CLIENT, "mtu", "551"), "at least 552"),
                        (("route", "replace", "203.0.113.0/24", "via", CLIENT, "weight", "257"), "at most 256")):
        text = ctl(b, s, *words, status=1)
        expect(line in text, f"{words}: {text}")
    text = ctl(b, s, "route", "add", "198.51.100.0/24", "over", CLIENT, status=1)
    expect('unexpected "over"' in text, text)
    # no room for the filter
    text = ctl(b, s, "capture", os.devnull, "count", "1".zfill(7979), "filter", "tcp", status=2)
    expect("Argument list too long" in text, text)
    ctl(b, s, "route", "del", "198.51.100.0/24")
    expect("198.51.100.0" not in ctl(b, s, "route"), "the route is still there")
    expect((os.stat(s.path).st_mode & 0o777) == 0o600, "everybody may change routes")


def transfer(b, s):
    """a transfer goes on while its route changes, and by the new way"""
    before = received("second")
    with subprocess.Popen(["curl", "-sS", "--interface", FAR, "--limit-rate", "12M", "--max-time", str(60 * b.slow),
                           f"http://{SERVER}/big"], stdout=subprocess.PIPE) as curl:
        digest = hashlib.sha256()
        got, changed = 0, 0
        while chunk := curl.stdout.read(1 << 16):
            digest.update(chunk)
            got += len(chunk)
            if changed == 0 and got > SIZE // 6:
                expect(received("second") - before < 100_000, "it came by the second gateway from the first")
                ctl(b, s, "route", "add", "203.0.113.0/24", "via", SECOND)
                changed = 1
            elif changed == 1 and got > SIZE // 2:
                ctl(b, s, "route", "replace", "203.0.113.0/24", "via", CLIENT, "mtu", "1000")
                changed, middle = 2, received("second")
        expect(curl.wait() == 0, "curl has failed")
    expect(digest.hexdigest() == s.digest, "the file differs")
    expect(middle - before > SIZE // 6, f"only {middle - before} bytes came by the second gateway")
    expect(received("second") - middle < SIZE // 4, "it went on by the second gateway")
    ctl(b, s, "route", "del", "203.0.113.0/24")


def addresses(b, s):
    """addresses of both families come, answer, and go"""
    with open(f"/proc/sys/net/ipv6/conf/{b.dev}/disable_ipv6", "w", encoding="ascii") as f:
        f.write("0")
    sh("ip", "addr", "add", "fd00:1::fe/64", "dev", b.dev, "nodad")
    expect(not pings("192.0.2.77"), "somebody has that address already")
    ctl(b, s, "addr", "add", "192.0.2.77/24")
    wait_for(lambda: pings("192.0.2.77"), 10 * b.slow, "an answer from the new address")
    ctl(b, s, "addr", "add", "fd00:1::77/64")
    wait_for(lambda: pings("fd00:1::77", "-6"), 10 * b.slow, "an answer over IPv6")
    text = ctl(b, s, "addr")
    expect("192.0.2.77/24 port 0\n" in text and "fd00:1::77/64 port 0\n" in text, text)
    ctl(b, s, "addr", "del", "192.0.2.77/24")
    ctl(b, s, "addr", "del", "fd00:1::77/64")
    ctl(b, s, "addr", "add", "fd00:1::fe/64")  # the kernel's
    wait_for(lambda: "fd00:1::fe/64 port 0 duplicate not-ready\n" in ctl(b, s, "addr"), 10 * b.slow, "the kernel's answer to a probe")
    ctl(b, s, "addr", "del", "fd00:1::fe/64")
    expect(not pings("192.0.2.77") and not pings("fd00:1::77", "-6"), "an address that was deleted answers")
    wait_for(lambda: pings(SERVER), 10 * b.slow, "an answer from the first address, which stays")


def denied(b, s):
    """nobody listens to a network, and then again"""
    ctl(b, s, "deny", "add", f"{CLIENT}/32")
    expect(not pings(SERVER), "somebody listens")
    ctl(b, s, "deny", "del", f"{CLIENT}/32")
    wait_for(lambda: pings(SERVER), 10 * b.slow, "somebody to listen again")


def shown(b, s):
    """sockets, neighbours, networks that are denied and counters are shown"""
    text = ctl(b, s, "socket", "show", "state", "listen")
    expect("[::]:80" in text and text.count("\n") == 1, text)
    with socket.create_connection((SERVER, 80), timeout=5 * b.slow) as conn:
        port = conn.getsockname()[1]
        wait_for(lambda: f"{SERVER}:80" in ctl(b, s, "socket", "show", "tcp", "state", "established", "port", str(port)),
                 5 * b.slow, "the connection among the sockets")
        text = ctl(b, s, "socket", "show", "peer", f"{CLIENT}/32", "state", "established")
        expect(f"{CLIENT}:{port}" in text and " lcore " in text and " mss " in text, text)
    expect(ctl(b, s, "socket", "show", "peer", "203.0.113.99/32") == "", "sockets of somebody else")
    mac = json.loads(sh("ip", "-j", "link", "show", "dev", b.dev).stdout)[0]["address"]
    text = ctl(b, s, "neigh")
    expect(f"{CLIENT} mac {mac} port 0" in text, text)
    ctl(b, s, "neigh", "set", "192.0.2.66", "mac", "02:00:00:00:00:66")
    expect("192.0.2.66 mac 02:00:00:00:00:66 port 0 reachable fixed\n" in ctl(b, s, "neigh", "show"), "what was set")
    ctl(b, s, "neigh", "del", "192.0.2.66")
    ctl(b, s, "deny", "add", "203.0.113.128/25")
    expect(ctl(b, s, "deny", "show") == "203.0.113.128/25\n", "what is denied")
    ctl(b, s, "deny", "del", "203.0.113.128/25")
    some, every = (ctl(b, s, "counters", "show", *w).splitlines() for w in ((), ("all",)))
    expect(any(line.startswith("rx_frames ") and int(line.split()[1]) > 100 for line in some), some)
    expect(len(every) > len(some) and any(line.endswith(" 0") for line in every), every)
    expect([line.split()[0] for line in every[-3:]] == ["tx_refused", "rx_lost", "rx_untrue"], f"what ports count: {every[-5:]}")
    expect("listeners 1 of " in ctl(b, s, "usage"), "what is in use")


def section(heading):
    """A section of docs/machine.md."""
    docs = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "machine.md")
    with open(docs, encoding="utf-8") as f:
        return f.read().partition(f"\n### {heading}\n")[2].partition("\n### ")[0]


def documented():
    """The keys of each list, as docs/machine.md has them: the code spans that are names, but for those in brackets."""
    rows = re.findall(r"^\| (?:\.\. each )?`([^`]+)` \| (.*) \|$", section("JSON"), re.M)
    return {command: re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)|with `all`", "", keys)) for command, keys in rows}


def no_number(key, value):
    """Is it a number that is written as a string, or anything else that a field cannot be?"""
    if isinstance(value, str):
        return value.isdecimal() and key not in ("entry", "cpu")
    return value is not None and not isinstance(value, (bool, int))


def check_rows(what, rows, keys):
    expect(isinstance(rows, list) and rows, f"{what}: {rows}")
    for row in rows:
        expect(list(row) == keys, f"{what}: {list(row)}, and documented are {keys}")
        wrong = {k: v for k, v in row.items() if not isinstance(v, list) and no_number(k, v)}
        expect(not wrong, f"{what}: {wrong}")


def in_json(b, s):
    """every list is JSON with the keys that are documented, and has the rows of the text"""
    keys = documented()
    rules = os.path.join(b.tmp, "few")
    with open(rules, "w", encoding="ascii") as f:
        f.write("table bad { 203.0.113.7 203.0.113.128/25 }\ntable web ports { 80 8000-8080 }\n"
                "drop in proto tcp from <bad> to port <web>\n")
    ctl(b, s, "firewall", "load", rules)
    ctl(b, s, "deny", "add", "203.0.113.128/25")
    with socket.create_connection((SERVER, 80), timeout=5 * b.slow):
        lists = {c: json.loads(ctl(b, s, *c.split(), options=["--json"])) for c in
                 (c.replace("NAME", "bad") for c in keys if c.endswith("show"))}
        established = json.loads(ctl(b, s, "socket", "show", "state", "established", options=["-j"]))
    lists["firewall table NAME show"] = lists.pop("firewall table bad show")
    expect(len(lists) == 12, list(lists))
    for command, rows in lists.items():
        check_rows(command, rows, [k for k in keys[command] if k != "driver_counters"])
    every = json.loads(ctl(b, s, "port", "show", "all", options=["--json"]))
    check_rows("port show all", every, keys["port show"])
    for nested in ("per_queue", "driver_counters"):
        check_rows(nested, every[0][nested], keys[nested])
    # what is in them
    lines = {c: ctl(b, s, *c.split()).splitlines() for c in ("route show", "addr show", "deny show", "usage show", "lcore show",
                                                             "firewall show", "firewall table show", "counters show all")}
    every = json.loads(ctl(b, s, "counters", "show", "all", options=["--json"]))
    for command, text in lines.items():
        expect(len(text) == len(lists.get(command, every)), f"{command}: {text} {lists.get(command)}")
    expect([c["name"] for c in every] == [line.split()[0] for line in lines["counters show all"]], "names of counters")
    expect({"network": "0.0.0.0/0", "via": CLIENT, "port": 0, "metric": 0, "mtu": None, "weight": 1, "connected": False,
            "learnt": False, "down": False} in lists["route show"], lists["route show"])
    expect(lists["deny show"] == [{"network": "203.0.113.128/25"}], lists["deny show"])
    expect(lists["firewall table NAME show"] == [{"entry": "203.0.113.7/32", "left_s": None},
                                                 {"entry": "203.0.113.128/25", "left_s": None}], "a table")
    expect(json.loads(ctl(b, s, "firewall", "table", "web", "show", options=["--json"])) ==
           [{"entry": "80", "left_s": None}, {"entry": "8000-8080", "left_s": None}], "a table of ports")
    expect(lists["firewall show"][0]["rule"] == "drop in proto tcp from <bad> to port <web>", lists["firewall show"])
    port, lcore = lists["port show"][0], lists["lcore show"][0]
    expect(port["link"] == "up" and port["per_queue"][0]["rx_frames"] > 0 and lcore["turns"] > lcore["busy_turns"] > 0, f"{port} {lcore}")
    expect(len(established) == 1 and established[0]["local"] == SERVER and established[0]["local_port"] == 80 and
           established[0]["remote"] == CLIENT and established[0]["mss"] > 0, established)
    ctl(b, s, "firewall", "flush")
    ctl(b, s, "deny", "del", "203.0.113.128/25")
    for command in ("firewall show", "deny show"):
        expect(json.loads(ctl(b, s, *command.split(), options=["--json"])) == [], f"{command}: an empty list")


def printed(b, s, heading):
    """Runs the commands of a section of docs/machine.md with this program's files. Returns the output."""
    tools = os.path.join(b.tmp, "tools")
    os.makedirs(tools, exist_ok=True)
    with open(os.path.join(tools, "percore-ctl"), "w", encoding="ascii") as f:
        f.write(f'#!/bin/sh\n"{b.path("percore-ctl")}" "$@"\n')
    os.chmod(f.name, 0o755)
    script = re.search(r"^```sh\n(.*?)^```", section(heading), re.M | re.S)[1]
    script = script.replace("/run/percore.ctl", s.path).replace("/var/lib/prometheus/node-exporter", b.tmp)
    return sh("bash", "-euo", "pipefail", "-c", script, env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}).stdout


def check_metrics(text):
    """Checks what Prometheus demands of its text format. Returns the values."""
    values, kinds, family = {}, {}, None
    for line in text.splitlines():
        said = re.fullmatch(r"# HELP (\w+) .+", line)
        typed = re.fullmatch(r"# TYPE (\w+) (counter|gauge)", line)
        sample = re.fullmatch(r'((percore_[a-z0-9_]*)(?:\{[a-z]+="[^"\\]+"(?:,[a-z]+="[^"\\]+")*\})?) (\d+(?:\.\d+)?)', line)
        expect(said or typed or sample, f"neither a type nor a value: {line}")
        if said:
            expect(said[1] not in kinds, f"twice: {line}")
            family = said[1]
            kinds[family] = None
        elif typed:
            expect(typed[1] == family and (typed[2] == "counter") == family.endswith("_total"), line)
            kinds[family] = typed[2]
        else:
            expect(sample[2] == family and kinds[family] and sample[1] not in values, line)
            values[sample[1]] = float(sample[3])
    expect({name.partition("{")[0] for name in values} == set(kinds), "without a value")
    return values


def metrics(b, s):
    """metrics are what Prometheus can read; the recipes of docs/machine.md work as printed"""
    expect(pings(SERVER), "no answer")
    printed(b, s, "Prometheus")
    with open(os.path.join(b.tmp, "percore.prom"), encoding="ascii") as f:
        values = check_metrics(f.read())
    lcore = json.loads(ctl(b, s, "lcore", "show", options=["--json"]))[0]["lcore"]
    every = json.loads(ctl(b, s, "counters", "show", "all", options=["--json"]))
    expect({f"percore_{c['name']}_total" for c in every} <= {name.partition("{")[0] for name in values}, "counters are missing")
    expect(values[f'percore_rx_frames_total{{lcore="{lcore}"}}'] > 0, values)
    expect(values[f'percore_used{{lcore="{lcore}",what="listeners"}}'] == 1, values)
    expect(values[f'percore_limit{{lcore="{lcore}",what="listeners"}}'] > 1, values)
    expect([v > 0 for name, v in values.items() if name.startswith('percore_port_rx_frames_total{port="0",name=')] == [True], values)
    expect([v for name, v in values.items() if name.startswith('percore_port_up{port="0",')] == [1], values)
    if not shutil.which("jq"):
        print("    left out: jq is not installed")
        return
    expect(int(printed(b, s, "JSON")) > 0, "received frames, and no connection with retransmissions")


def not_json(b, s):
    """what shows no list is refused, and an answer that is not whole is not passed off as whole"""
    text = ctl(b, s, "route", "add", "198.51.100.0/24", "via", CLIENT, options=["--json"], status=1)
    expect("only commands that show" in text and "198.51.100.0" not in ctl(b, s, "route"), text)
    expect("not with --json" in ctl(b, s, "top", "1", "1", options=["--json"], status=2), "top")
    expect("not with --json" in ctl(b, s, "capture", "-", options=["-j"], status=2), "capture")
    path = os.path.join(b.tmp, "another")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as another:
        another.bind(path)
        another.listen()
        for answer, status, out, err in (("ok\n[\n{}\n]\n", 0, [{}], ""), ("ok\n[\n]\nand 7 more\n", 1, [], "and 7 more\n"),
                                         ("ok\n[\n{},\n{", 2, None, "the answer is cut off\n"), ("error no\n", 1, None, "no\n")):
            with subprocess.Popen([b.path("percore-ctl"), "--json", path, "port", "show"], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True) as p:
                conn = another.accept()[0]
                expect(conn.recv(100).split() == [b"json", b"port", b"show"], "the command")
                conn.send(answer.encode())
                conn.close()
                got = p.communicate(timeout=10 * b.slow)
            expect(p.returncode == status and got[1].endswith(err) and (json.loads(got[0]) == out if got[0] else out is None),
                   f"{answer}: {p.returncode} {got}")


def worked(b, s):
    """ports with the frames of each queue; CPU, thread and work of each lcore"""
    subprocess.run(["ping", "-n", "-i", "0.002", "-c", "150", "-q", SERVER], stdout=subprocess.DEVNULL, check=True)
    text = ctl(b, s, "port", "show")
    rx, tx = (int(re.search(rf"^  queue 0 lcore \d+ .*{way} frames (\d+)", text, re.M).group(1)) for way in ("rx", "tx"))
    expect(" driver net_" in text and " link up mac " in text and " queues 1" in text and rx > 100 and tx > 100, text)
    every = ctl(b, s, "port", "show", "all")
    good = re.search(r"^  rx_good_packets (\d+)$", every, re.M)  # of every device
    expect("_good_packets" not in text and good and int(good[1]) >= rx and " 0\n" not in every.partition("rx_good")[2], every)
    thread = re.search(r"^lcore \d+ cpu (\d+) node \d+ thread (\d+) .* busy-turns [1-9]\d* busy-ns [1-9]", ctl(b, s, "lcore", "show"))
    expect(thread is not None, "no lcore has done anything")
    with open(f"/proc/{s.program.pid}/task/{thread[2]}/status", encoding="ascii") as f:
        expect(f"Cpus_allowed_list:\t{thread[1]}\n" in f.read(), "the lcore runs elsewhere")
    with subprocess.Popen(["ping", "-n", "-i", "0.002", "-c", "10000", "-q", SERVER], stdout=subprocess.DEVNULL) as p:
        lines = ctl(b, s, "top", "1", "2").splitlines()
        p.terminate()
    expect(len(lines) == 6 and lines[1] == lines[4] and len(lines[1].split()) == 11, lines)
    lcore, _, _, busy, rx, tx, budget, stack, _, spare = lines[5].split()
    # frames of one second, not of the whole run; frames that waited while the machine stalled are
    # included
    expect(0 < float(busy) <= 100 and 100 < float(rx) < 2000 and float(tx) > 100, lines)
    expect(float(stack) > 0 and abs(float(budget) - float(stack) - float(spare)) <= 1, lines)
    expect("expected [SECONDS" in ctl(b, s, "top", "0", status=2), "no seconds")


def capture(b, s, name, *words):
    """Starts a capture; it has begun when its file has a header."""
    path = os.path.join(b.tmp, name)
    # pylint: disable=consider-using-with
    p = subprocess.Popen([b.path("percore-ctl"), s.path, "capture", path, *words], stderr=subprocess.PIPE, text=True)
    wait_for(lambda: os.path.exists(path) and os.path.getsize(path) > 0 or p.poll() is not None, 5 * b.slow, "a file")
    return p, path


def frames_of(path, *words):
    return sh("tcpdump", "-nn", "-r", path, *words).stdout.splitlines()


def captured(b, s):
    """frames are captured, both ways and by a filter, while a file is served"""
    every, path = capture(b, s, "every.pcap", "filter", "tcp", "port", "80")
    text = ctl(b, s, "capture", os.path.join(b.tmp, "no.pcap"), status=1)
    expect("another capture is running" in text, text)
    digest = hashlib.sha256(subprocess.run(["curl", "-sS", "--max-time", str(60 * b.slow), f"http://{SERVER}/big"],
                                           stdout=subprocess.PIPE, check=True).stdout).hexdigest()
    expect(digest == s.digest, "the file differs")
    wait_for(lambda: pings(SERVER), 10 * b.slow, "an answer")
    time.sleep(0.2)
    every.send_signal(signal.SIGINT)
    told = every.communicate(timeout=10 * b.slow)[1]
    expect(every.returncode == 0, told)
    lines = frames_of(path)
    found = re.search(r"(\d+) frames captured, (\d+) dropped", told)
    expect(found and int(found[1]) == len(lines) > 100, f"{told}: {len(lines)} in the file")
    expect(any("Flags [S]," in line for line in lines) and any("Flags [S.]," in line for line in lines), "a handshake")
    expect(not any("ICMP" in line for line in lines), "what the filter does not want")
    stamps = [float(line.split()[0]) for line in frames_of(path, "-tt")]
    back = [f"{a:f} {b:f}" for a, b in zip(stamps, stamps[1:]) if b < a]
    expect(not back, f"{len(back)} of {len(stamps)} stamps are before the one before, the first of them {back[:1]}")
    expect(abs(stamps[-1] - time.time()) < 60, f"a frame of {stamps[-1]:f} at {time.time():f}")
    few, path = capture(b, s, "few.pcap", "count", "3", "snaplen", "60", "filter", "icmp")
    for _ in range(3):
        pings(SERVER)
    told = few.communicate(timeout=10 * b.slow)[1]
    expect(few.returncode == 0 and "3 frames captured, 0 dropped" in told, told)
    expect(len(frames_of(path)) == 3 and os.path.getsize(path) == 24 + 3 * (16 + 60), "three frames of 60 bytes")
    for word, kind in (("in", "ICMP echo request"), ("out", "ICMP echo reply")):
        few, path = capture(b, s, f"{word}.pcap", "count", "2", "direction", word, "filter", "icmp")
        for _ in range(2):
            pings(SERVER)
        few.communicate(timeout=10 * b.slow)
        lines = frames_of(path)
        expect(len(lines) == 2 and all(kind in line for line in lines), f"{word}: {lines}")
    hung, path = capture(b, s, "hung.pcap", "filter", "icmp")
    pings(SERVER)
    time.sleep(0.2)
    hung.send_signal(signal.SIGHUP)
    told = hung.communicate(timeout=10 * b.slow)[1]
    expect(hung.returncode == 0 and " frames captured, " in told and len(frames_of(path)) >= 2, f"{hung.returncode}: {told}")
    for word in ("up",), ():
        text = ctl(b, s, "capture", "-", "direction", *word, status=1)
        expect(f'in or out, not "{"".join(word)}"' in text, text)
    text = ctl(b, s, "capture", "-", "filter", "sideways", status=1)
    expect("filter: " in text, text)
    text = ctl(b, s, "capture", "-", "filter", " or ".join(f"tcp port {i}" for i in range(1, 600, 2)), status=1)
    expect("room for 256" in text, text)
    text = ctl(b, s, "capture", "-", "filter", "ip6", "protochain", "6", status=1)
    expect("protochain is not supported" in text, text)
    text = ctl(b, s, "capture", "-", "port", "9", status=1)
    expect("no such port" in text, text)
    # a client that is killed, or does not read, must not disturb others
    dead, _ = capture(b, s, "dead.pcap")
    dead.kill()
    dead.communicate()
    wait_for(lambda: ctl(b, s, "usage").find("udp-sockets 0 of") >= 0, 5 * b.slow, "the end of it")
    wait_for(lambda: pings(SERVER), 10 * b.slow, "an answer after that")


def cut_off(b, s):
    """a capture whose program is gone, or whose disk is full, is not passed off as whole"""
    path = os.path.join(b.tmp, "gone")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as gone:
        gone.bind(path)
        gone.listen()
        for end, status, told in ((b"", 2, "the end is missing"), (b"s1 frames captured, 0 dropped\n", 0, "1 frames captured")):
            with subprocess.Popen([b.path("percore-ctl"), path, "capture", os.path.join(b.tmp, "cut.pcap")], stderr=subprocess.PIPE,
                                  text=True) as p:
                conn = gone.accept()[0]
                conn.recv(100)
                for packet in (b"ok\n", b"d1234", end):
                    if packet:
                        conn.send(packet)
                conn.close()
                err = p.communicate(timeout=10 * b.slow)[1]
            expect(p.returncode == status and told in err, f"{p.returncode}: {err}")
    text = ctl(b, s, "capture", "/dev/full", status=2)
    expect("/dev/full: No space left" in text, text)


def link(b, s):
    """a link that comes up again: the address is announced"""
    if b.backend != "tap":
        return  # with other drivers, links are always up
    # not bound to a device: bind() removes the socket from the list of taps for an RCU grace
    # period, and an announcement is sent only once
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806)) as tap:
        sh("ip", "link", "set", b.dev, "down")
        wait_for(lambda: " link down " in ctl(b, s, "port", "show"), 10 * b.slow, "the link to be seen down")
        sh("ip", "link", "set", b.dev, "up")
        tap.settimeout(5 * b.slow)
        ours = socket.inet_aton(SERVER)
        while True:
            arp = tap.recv(100)
            if arp[28:32] == ours and arp[38:42] == ours:
                break
    wait_for(lambda: pings(SERVER), 5 * b.slow, "an answer after that")


def guest(s, command=None):
    """A client that does not read, and may not send anything."""
    c = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    c.connect(s.path)
    if command:
        c.send(command)
    return c


def seconds(call):
    begin = time.monotonic()
    call()
    return time.monotonic() - begin


def unread(b, s):
    """who says nothing, or does not read a long list, keeps nobody else waiting for long"""
    rules = os.path.join(b.tmp, "rules")
    with open(rules, "w", encoding="ascii") as f:
        for i in range(8000):
            f.write(f"drop in proto tcp from 10.9.{i // 250}.{i % 250} to port 1000-1100\n")
    ctl(b, s, "firewall", "load", rules)
    alone = seconds(lambda: ctl(b, s, "usage"))
    silent = [guest(s) for _ in range(5)]
    took = seconds(lambda: ctl(b, s, "usage"))
    expect(took < 3 * b.slow + 10 * alone, f"{took:.1f} s behind those who say nothing, {alone:.1f} s without")
    with guest(s, b"firewall show"):
        time.sleep(0.2)
        took = seconds(lambda: ctl(b, s, "usage"))
        expect(took < 8 * b.slow + 10 * alone, f"{took:.1f} s behind one who does not read")
    # smaller and larger than an output buffer
    for words in (("route", "show"), ("firewall", "show")):
        with open("/dev/full", "w", encoding="ascii") as full:
            r = subprocess.run([b.path("percore-ctl"), s.path, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        expect(r.returncode == 2 and "No space left" in r.stderr, f"{words} on a full disk: status {r.returncode}: {r.stderr}")
    # percore-ctl keeps what a pager has not read yet
    with subprocess.Popen([b.path("percore-ctl"), s.path, "firewall", "show"], stdout=subprocess.PIPE) as pager:
        time.sleep(0.5)
        took = seconds(lambda: ctl(b, s, "usage"))
        expect(took < 3 * b.slow + 10 * alone, f"{took:.1f} s behind a pager")
        time.sleep(6)
        expect(pager.stdout.read().count(b"\n") == 8002, "not the whole list")
        expect(pager.wait() == 0, "the status")
    for c in silent:
        c.close()


def end(b, s):
    """the socket goes with the program, and so do who captures and who does not read"""
    last, _ = capture(b, s, "last.pcap")
    with guest(s, b"firewall show"), guest(s):
        time.sleep(0.2)
        s.program.stop()
    told = last.communicate(timeout=10 * b.slow)[1]
    expect(last.returncode == 0 and "frames captured" in told, told)
    expect(not os.path.exists(s.path), "the socket is left")
    text = ctl(b, s, "route", status=2)
    expect("No such file" in text, text)


STEPS = [routes, transfer, addresses, denied, shown, in_json, metrics, not_json, worked, captured, cut_off, link, unread, end]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("ethtool", "ping", "curl", "tcpdump")
    bed.main(args, STEPS, start)
