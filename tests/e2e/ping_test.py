#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-ping asks the kernel, by address and by name: dnsmasq answers for the name, over DHCP's word."""
import os
import re
import subprocess

import bed
from bed import CLIENT, PREFIX, SERVER, expect, sh

SERVER6, CLIENT6 = "fd00:1::1", "fd00:1::fe"


def start(b):
    return None


def ping(b, *options, addr=f"{SERVER}/{PREFIX}"):
    """Runs percore-ping to its end; returns status and output."""
    command = ["ip", "netns", "exec", b.server_ns, b.path("percore-ping"), *b.eal(), "--", "--addr", addr,
               *options]
    with open(os.path.join(b.tmp, "ping.out"), "w+", encoding="utf-8") as out:
        p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        if b.backend == "tap":
            bed.wait_for(lambda: os.path.exists(f"/sys/class/net/{b.dev}") or p.poll() is not None,
                         20 * b.slow, "the TAP")
            b._setup_client()
        status = p.wait(40 * b.slow)
        out.seek(0)
        return status, out.read()


def answers(b, _):
    """ten answers, as ping(8) prints them"""
    status, text = ping(b, "--to", CLIENT, "--count", "10", "--interval", "50")
    expect(status == 0, text)
    expect(f"PING {CLIENT} ({CLIENT}) 56(84) bytes of data." in text, text)
    expect(len(re.findall(rf"^64 bytes from {CLIENT}: icmp_seq=\d+ ttl=64 time=[\d.]+ ms$", text, re.M)) == 10,
           text)
    expect("10 packets transmitted, 10 received, 0% packet loss" in text, text)
    expect(re.search(r"rtt min/avg/max/mdev = [\d.]+/[\d.]+/[\d.]+/[\d.]+ ms", text), text)


def answers6(b, _):
    """the same over IPv6"""
    with open(f"/proc/sys/net/ipv6/conf/{b.dev}/disable_ipv6", "w", encoding="ascii") as f:
        f.write("0")
    sh("ip", "addr", "add", f"{CLIENT6}/64", "dev", b.dev, "nodad")
    status, text = ping(b, "--to", CLIENT6, "--count", "5", "--interval", "50", "--size", "1000",
                        addr=f"{SERVER6}/64")
    expect(status == 0 and f"PING {CLIENT6}({CLIENT6}) 1000 data bytes" in text, text)
    expect(len(re.findall(rf"^1008 bytes from {CLIENT6}: icmp_seq=\d+ ttl=64 time=", text, re.M)) == 5, text)


def letters(b, _):
    """the options of ping(8): a size that fits and one that does not with -M do, and in fragments without"""
    for size, mode, status, said in ((1472, "do", 0, "3 received"), (1473, "do", 1, "Message too long"),
                                     (1473, "dont", 0, "3 received")):
        got, text = ping(b, "--to", CLIENT, "-c", "3", "-i", "0.05", "-W", "5", "-t", "9", "-q", "-s", str(size),
                         "-M", mode)
        expect(got == status and said in text and "bytes from" not in text, f"{size} {mode}: {got}: {text}")


def leased(b, _):
    """a name while the address is still to be leased: the server comes with the address, and so does the domain"""
    server = subprocess.Popen(["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
                               "--user=root", "--pid-file=", f"--address=/kernel.example/{CLIENT}", "--no-ping", "--local=/example/",
                               "--dhcp-range=192.0.2.100,192.0.2.110,255.255.255.0,2m",
                               "--dhcp-option=option:domain-search,none.example,example",
                               f"--dhcp-leasefile={b.tmp}/leases"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        status, text = ping(b, "--to", "kernel", "-c", "2", "-i", "0.05", addr="dhcp")
        expect(status == 0 and f"PING kernel ({CLIENT})" in text and "2 received" in text, f"{status}: {text}")
    finally:
        server.terminate()
        server.wait(10)


def nobody(b, _):
    """nobody answers: status 1"""
    status, text = ping(b, "--to", "192.0.2.77", "--count", "2", "--interval", "50", "--timeout", "500")
    expect(status == 1 and "2 packets transmitted, 0 received" in text, text)
    expect("100% packet loss" in text, text)


def name(b, _):
    """the address of a name, by dnsmasq; a name that nobody has"""
    with open(os.path.join(b.tmp, "resolv.conf"), "w", encoding="utf-8") as f:
        f.write(f"nameserver {CLIENT}\noptions timeout:1 attempts:2\n")
    folder = f"/etc/netns/{b.server_ns}"
    os.makedirs(folder)
    os.rename(os.path.join(b.tmp, "resolv.conf"), folder + "/resolv.conf")
    with open(folder + "/hosts", "w", encoding="utf-8") as f:
        f.write(f"{CLIENT} in-hosts\n")
    server = subprocess.Popen(["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
                               "--user=root", "--pid-file=", f"--address=/kernel.example/{CLIENT}"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for host in ("kernel.example", "in-hosts"):
            status, text = ping(b, "--to", host, "--count", "2", "--interval", "50")
            expect(status == 0 and f"PING {host} ({CLIENT})" in text, text)
        status, text = ping(b, "--to", "nobody.example", "--count", "2")
        expect(status == 2 and "nobody.example: " in text, f"status {status}: {text}")
    finally:
        server.terminate()
        server.wait(10)
        os.unlink(folder + "/resolv.conf")
        os.unlink(folder + "/hosts")
        os.rmdir(folder)


def routes(b, _):
    """traceroute and tracepath towards percore, in both families"""
    program = b.spawn([b.path("percore-echo"), *b.eal(), "--", "--addr",
                       f"{SERVER}/{PREFIX},{SERVER6}/64"], "percore-echo")
    bed.wait_for(lambda: sh("ping", "-6", "-c", "1", "-W", "1", SERVER6, check=False).returncode == 0,
                 10 * b.slow, "an answer over IPv6")
    for family, addr in (("-4", SERVER), ("-6", SERVER6)):
        for how in ([], ["-I"], ["-T", "-p", "7"]):
            text = sh("traceroute", family, "-n", "-q", "1", "-m", "3", *how, addr).stdout
            expect(re.search(rf"^ 1  {addr}  [\d.]+ ms$", text, re.M), text)
        text = sh("tracepath", family, "-n", addr).stdout
        expect("Resume: pmtu 1500 hops 1 back 1" in text, text)
    program.stop()
    b.programs.remove(program)


STEPS = [answers, answers6, letters, leased, nobody, name, routes]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("dnsmasq", "ethtool", "ping", "traceroute", "tracepath")
    bed.main(args, STEPS, start)
