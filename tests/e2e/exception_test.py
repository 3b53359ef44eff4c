#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""One address, two stacks: percore-httpd serves port 80, and the kernel behind it, by the exception path, all the rest."""
import hashlib
import json
import os
import re
import socket
import subprocess

import bed
from bed import CLIENT, SERVER, expect, sh, wait_for

SERVER6, CLIENT6 = "fd00::1", "fd00::2"
TAP = "pcx0"
SIZE = 8_000_000

ECHO = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 5000))
while True:
    data, who = s.recvfrom(65536)
    s.sendto(data, who)
"""


class State:
    """What the servers serve."""


def inside(b, *command, **kw):
    """Runs a command with the sockets of the server's kernel."""
    return sh("ip", "netns", "exec", b.server_ns, *command, **kw)


def start(b):
    s = State()
    s.root = os.path.join(b.tmp, "root")
    os.mkdir(s.root)
    data = os.urandom(SIZE)
    s.digest = hashlib.sha256(data).hexdigest()
    with open(os.path.join(s.root, "big"), "wb") as f:
        f.write(data)
    inside(b, "sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/default/disable_ipv6")
    # a packet socket gives percore copies of frames that the kernel gets, too; a device taken from
    # the kernel would not
    inside(b, "nft", "add table netdev taken; add chain netdev taken in { type filter hook ingress device pcv1 priority 0; policy drop; }")
    s.program = b.start("percore-httpd", "--listen", "80", "--root", s.root, "--addr", f"{SERVER6}/64", "--set",
                        f"exception.iface={TAP[:-1]}")
    with open(f"/proc/sys/net/ipv6/conf/{b.dev}/disable_ipv6", "w", encoding="ascii") as f:
        f.write("0")
    sh("ip", "-6", "addr", "replace", f"{CLIENT6}/64", "dev", b.dev, "nodad")
    s.servers = [subprocess.Popen(["ip", "netns", "exec", b.server_ns, "python3", *words], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                 for words in (["-m", "http.server", "22", "--bind", "::", "-d", s.root], ["-c", ECHO])]
    return s


def get(host, port):
    """Returns the SHA-256 of the file from a server's port."""
    r = subprocess.run(["curl", "-sS", "--max-time", "60", f"http://{host}:{port}/big"], capture_output=True, check=False)
    expect(r.returncode == 0, f"curl {host} {port}: {r.stderr.decode()}")
    return hashlib.sha256(r.stdout).hexdigest()


def interface(b, s):
    """ip shows the interface with the port's MAC address and our addresses"""
    link = json.loads(inside(b, "ip", "-j", "addr", "show", "dev", TAP).stdout)[0]
    mac = re.search(r"port 0: .* MAC ([0-9a-f:]+)", s.program.out()).group(1)
    expect(link["address"] == mac and link["mtu"] == 1500 and "UP" in link["flags"], link)
    addrs = {f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"]}
    expect({f"{SERVER}/24", f"{SERVER6}/64"} <= addrs, addrs)
    expect(f"port 0 that percore does not handle go to the kernel through {TAP}" in s.program.out(), s.program.out())


def both(b, s):
    """port 80 is percore's and port 22 the kernel's, at the same address of both families"""
    wait_for(lambda: sh("curl", "-sS", "--max-time", 2, f"http://{SERVER}:22/", check=False).returncode == 0, 10 * b.slow,
             "the kernel's server")
    for host in (SERVER, f"[{SERVER6}]"):
        for port, name in ((80, "percore"), (22, "SimpleHTTP")):
            head = sh("curl", "-sSI", "--max-time", 10, f"http://{host}:{port}/big").stdout
            expect(name in head, f"{host} {port}: {head}")
            expect(get(host, port) == s.digest, f"{host} {port}: the file differs")


def closed(b, s):
    """who has a port neither here nor there is told so by the kernel, once"""
    out = sh("nmap", "-n", "-Pn", "-p", "21-23,79-81", "-T4", "--max-retries", 3, *bed.NMAP_PATIENCE, SERVER,
             timeout=100).stdout
    ports = re.findall(r"(?m)^(\d+)/tcp\s+(\S+)", out)
    expect(ports == [("21", "closed"), ("22", "open"), ("23", "closed"), ("79", "closed"), ("80", "open"), ("81", "closed")], out)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
        c.settimeout(10)
        c.connect((SERVER, 5001))
        c.send(b"?")
        try:
            c.recv(1)
            expect(False, "somebody answers")
        except ConnectionRefusedError:
            pass


def upload(b, s):
    """a stream goes up to the kernel while percore serves another"""
    code = ("import socket, hashlib, sys; l = socket.create_server(('', 5001)); c, _ = l.accept(); h = hashlib.sha256()\n"
            "while d := c.recv(65536): h.update(d)\n"
            "print(h.hexdigest())")
    with open(os.path.join(s.root, "big"), "rb") as f:
        data = f.read()

    def connected():
        try:
            return socket.create_connection((SERVER, 5001), 10)
        except OSError:
            return None
    up = subprocess.Popen(["ip", "netns", "exec", b.server_ns, "python3", "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        c = wait_for(connected, 10 * b.slow, "the kernel to listen")
        c.settimeout(60)
        c.sendall(data[:SIZE // 2])
        expect(get(SERVER, 80) == s.digest, "the file differs")
        c.sendall(data[SIZE // 2:])
        c.close()
        expect(up.communicate(timeout=60)[0].strip() == s.digest, "the kernel got something else")
    finally:
        up.kill()
        up.wait()


def datagrams(b, s):
    """datagrams of 1 to 60,000 bytes, the larger ones in fragments, come back from a socket of the kernel's"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
        c.settimeout(1)
        c.connect((SERVER, 5000))
        for size in [n for n in (1, 1472, 1473, 9000, 30001, 60000) if n <= b.largest4]:
            data = os.urandom(size)

            def back():
                c.send(data)
                try:
                    return c.recv(65536) == data
                except TimeoutError:
                    return False
            wait_for(back, 10 * b.slow, f"{size} bytes to come back")


def outbound(b, s):
    """the kernel itself pings and fetches by the same device"""
    for options in ([CLIENT], ["-6", CLIENT6]):
        bed.ping_all(20, *options, run=lambda *command: inside(b, *command))
    with subprocess.Popen(["python3", "-m", "http.server", "8307", "-d", s.root], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(lambda: inside(b, "curl", "-sS", "--max-time", 2, "-o", "/dev/null", f"http://{CLIENT}:8307/",
                                    check=False).returncode == 0, 10 * b.slow, "the client's server")
            got = inside(b, "sh", "-c", f"curl -sS --max-time 60 http://{CLIENT}:8307/big | sha256sum").stdout.split()[0]
        finally:
            server.kill()
    expect(got == s.digest, "the file differs")


def two_ports(b, s):
    """the interface of each port has the port's addresses, all of them, and none of another's"""
    want = ({"198.51.100.1/30", "198.51.100.77/25", "192.0.2.65/28"}, {"203.0.113.1/24"})
    words = [f"--addr={i}={a}" for i, addrs in enumerate(want) for a in sorted(addrs)]
    p = subprocess.Popen(["ip", "netns", "exec", b.server_ns, b.path("percore-echo"), "--no-huge", "--no-shconf", "-m", "128",
                          "--no-pci", "--no-telemetry", "--vdev=net_null0,no-rx=1", "--vdev=net_null1,no-rx=1", "--", *words,
                          "--set", "exception.iface=pcz"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)

    def has(i):
        r = inside(b, "ip", "-4", "-j", "addr", "show", "dev", f"pcz{i}", check=False)
        links = json.loads(r.stdout) if r.returncode == 0 else []  # none, as it has no address yet
        return {f"{a['local']}/{a['prefixlen']}" for link in links for a in link.get("addr_info", [])}
    try:
        wait_for(lambda: (has(0), has(1)) == want, 30 * b.slow, "the addresses of both interfaces")
    finally:
        p.terminate()
        p.wait()


def mistakes(b, s):
    """a name that is taken is told in a line, with status 2, and the one who has it goes on"""
    r = inside(b, b.path("percore-echo"), "--no-huge", "--no-shconf", "-m", "128", "--no-pci", "--no-telemetry",
               "--vdev=net_null0", "--", "--addr", "198.51.100.1/24", "--set", f"exception.iface={TAP[:-1]}", check=False)
    expect(r.returncode == 2 and f"interface {TAP} already exists" in r.stderr, f"{r.returncode}: {r.stderr}")
    expect(get(SERVER, 22) == s.digest, "the kernel's server is gone")


def end(b, s):
    """the interface goes with the program"""
    for p in s.servers:
        p.kill()
        p.wait()
    s.program.stop()
    expect(inside(b, "ip", "link", "show", "dev", TAP, check=False).returncode != 0, "it is still there")


STEPS = [interface, both, closed, upload, datagrams, outbound, two_ports, mistakes, end]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("ethtool", "curl", "nmap", "nft")
    bed.main(args, STEPS, start)
