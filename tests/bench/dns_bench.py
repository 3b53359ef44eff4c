#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Has dnsperf ask percore-dns, and knotd and nsd where they are installed, in turn: the same zone, one thread each, two veth pairs.

Prints queries per second, which on a machine with few CPUs tells of dnsperf as much as of the server, and the CPU time that the
server's process took for a query, the kernel's work in its calls included. Needs root and dnsperf.
"""
import argparse
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

NAMES = 100000
PERCORE, KERNEL = "10.53.0", "10.54.0"


def sh(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def write_files(d):
    with open(d + "/zone", "w") as f:
        f.write("$ORIGIN example.\n$TTL 3600\n@ SOA ns1 h 1 1 1 1 300\n@ NS ns1\nns1 A 10.0.0.1\n")
        f.writelines(f"h{i} A 10.{i >> 16}.{i >> 8 & 255}.{i & 255}\n" for i in range(NAMES))
    random.seed(1)
    with open(d + "/queries", "w") as f:
        f.writelines(f"{random.choice(('h',) * 10 + ('nx',))}{random.randrange(NAMES)}.example. A\n" for _ in range(22000))
    with open(d + "/knot.conf", "w") as f:
        f.write(f"server:\n    listen: {KERNEL}.1@54\n    rundir: {d}\n    udp-workers: 1\n    tcp-workers: 1\n"
                f"    background-workers: 1\ndatabase:\n    storage: {d}\nzone:\n  - domain: example\n    storage: {d}\n"
                f"    file: {d}/zone\n")
    with open(d + "/nsd.conf", "w") as f:
        f.write(f'server:\n ip-address: {KERNEL}.1\n username: ""\n chroot: ""\n zonesdir: "{d}"\n database: ""\n'
                f' pidfile: "{d}/nsd.pid"\n xfrdfile: "{d}/xfrd"\n zonelistfile: "{d}/list"\n server-count: 1\n'
                f' rrl-ratelimit: 0\nremote-control:\n control-enable: no\nzone:\n name: example\n zonefile: {d}/zone\n')


def make_net(server, client):
    for ns in (server, client):
        sh("ip", "netns", "add", ns)
        sh("ip", "-n", ns, "link", "set", "lo", "up")
    for ours, theirs, net in (("pcv0", "pcv1", PERCORE), ("pcv2", "pcv3", KERNEL)):
        sh("ip", "-n", client, "link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", server)
        sh("ip", "-n", client, "addr", "add", net + ".2/24", "dev", ours)
        sh("ip", "-n", client, "link", "set", ours, "up")
        sh("ip", "-n", server, "link", "set", theirs, "up")
    sh("ip", "-n", server, "addr", "add", KERNEL + ".1/24", "dev", "pcv3")
    sh("ip", "netns", "exec", client, "ethtool", "-K", "pcv0", "tx", "off", "gro", "off")


def cpu_seconds(name):
    """Returns the CPU seconds used by all processes of that name."""
    total = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            text = open(f"/proc/{pid}/stat").read()
        except OSError:
            continue
        if text[text.index("(") + 1:text.rindex(")")].startswith(name):
            words = text[text.rindex(")") + 2:].split()
            total += int(words[11]) + int(words[12])
    return total / os.sysconf("SC_CLK_TCK")


def measure(client, server, port, name, d, seconds):
    before = cpu_seconds(name)
    out = sh("ip", "netns", "exec", client, "dnsperf", "-s", server, "-p", str(port), "-d", d + "/queries", "-l", str(seconds),
             "-c", "4", "-T", "1", "-q", "200")
    n = int(re.search(r"Queries completed:\s+(\d+)", out).group(1))
    rate = float(re.search(r"Queries per second:\s+([\d.]+)", out).group(1))
    lost = int(re.search(r"Queries lost:\s+(\d+)", out).group(1))
    return rate, (cpu_seconds(name) - before) * 1e6 / max(n, 1), lost


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("--build", default="build")
    p.add_argument("--seconds", type=int, default=3)
    p.add_argument("--runs", type=int, default=5)
    args = p.parse_args()
    if os.geteuid() != 0 or not shutil.which("dnsperf"):
        print("dns_bench: needs root, for network namespaces, and dnsperf (apt-get install dnsperf)", file=sys.stderr)
        sys.exit(2)
    ns = [f"pcb{os.getpid()}{x}" for x in "sc"]
    d = tempfile.mkdtemp(prefix="percore-dns-")
    servers = [("percore-dns", PERCORE + ".1", 53, [
        os.path.abspath(args.build) + "/app/dns/percore-dns", "-l", "0", "--no-huge", "--no-shconf", "-m", "512", "--no-pci",
        "--vdev=net_af_packet0,iface=pcv1", "--", "--addr", PERCORE + ".1/24", "--zone", f"example={d}/zone"])]
    if shutil.which("knotd"):
        servers.append(("knotd", KERNEL + ".1", 54, ["knotd", "-c", d + "/knot.conf"]))
    if shutil.which("nsd"):
        servers.append(("nsd", KERNEL + ".1", 53, ["nsd", "-d", "-c", d + "/nsd.conf"]))
    processes, results = [], {s[0]: [] for s in servers}
    try:
        write_files(d)
        make_net(*ns)
        for *_, command in servers:
            processes.append(subprocess.Popen(["ip", "netns", "exec", ns[0], *command], stdin=subprocess.DEVNULL,
                                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        time.sleep(5)
        for _ in range(args.runs):
            for name, address, port, _ in servers:
                results[name].append(measure(ns[1], address, port, name, d, args.seconds))
    finally:
        for process in processes:
            process.terminate()
            process.wait()
        for name in ns:
            sh("ip", "netns", "del", name)
        shutil.rmtree(d)
    for name, rows in results.items():
        rate, cpu, _ = (statistics.median(x) for x in zip(*rows))
        print(f"{name:12} {rate:10.0f} queries/s, {cpu:5.1f} us of CPU time each, {sum(r[2] for r in rows)} lost")
    print(f"medians of {args.runs} runs of {args.seconds} s; load of the machine: {open('/proc/loadavg').read().split()[0]}")


main()
