#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Peers of a memif that come, send as fast as they can, and are gone in the middle of it, hundreds of times: percore-echo
must outlive them, and answer the one that comes after. And a server that is killed and comes back to its client. Needs no
root."""
import os
import random
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import bed
import memif_peer

SERVER, OWN = "192.0.2.1", "192.0.2.2"
SERVER_MAC, OWN_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff


def arp(op=1):
    return b"\xff" * 6 + OWN_MAC + struct.pack("!HHHBBH6s4s6s4s", 0x806, 1, 0x800, 6, 4, op, OWN_MAC,
                                               socket.inet_aton(OWN), bytes(6), socket.inet_aton(SERVER))


def ping(n, size=150):
    body = struct.pack("!BBHHH", 8, 0, 0, 7, n & 0xffff) + bytes(size)
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), n & 0xffff, 0, 64, 1, 0, socket.inet_aton(OWN),
                         socket.inet_aton(SERVER))
    return SERVER_MAC + OWN_MAC + b"\x08\x00" + header[:10] + struct.pack("!H", checksum(header)) + header[12:] + body


def come(path, image=None):
    """Connects a peer that has completed the handshake; the server may not have noticed yet that
    the previous one has gone."""
    end = time.monotonic() + 5
    while True:
        try:
            return memif_peer.Peer(path, buffer=256, image=image)
        except (ConnectionError, BrokenPipeError):
            bed.expect(time.monotonic() < end, "the server takes no peer any more")
            time.sleep(0.0002)


def come_and_go(path, rounds, dice):
    first = come(path)
    first.send([arp()] + [ping(i) for i in range(1023)])
    image = first.memory[:]
    first.close()
    for n in range(rounds):
        try:
            peer = come(path, image)
        except bed.Failure as e:
            raise bed.Failure(f"after {n} peers: {e}") from e
        try:
            peer.connect()
            end = time.perf_counter() + dice.choice((0, 0.00005, 0.0002, 0.001)) * dice.random()
            while time.perf_counter() < end:
                pass
        finally:
            peer.close()


def stay(path, answers):
    """Runs a peer that pings until it has received so many answers."""
    peer = come(path)
    peer.connect()
    end = time.monotonic() + 20
    got = n = 0
    while got < answers:
        bed.expect(time.monotonic() < end, f"{got} of {answers} pings were answered")
        n += peer.send([arp(), ping(n)])
        time.sleep(0.001)
        got += sum(frame[12:14] == b"\x08\x00" and frame[34] == 0 for frame in peer.receive())
    peer.close()


class Echo:
    """percore-echo on one end of a memif; it sleeps between polls, unless idle is 2."""

    def __init__(self, args, tmp, role, n, stats_s=3600, idle=3):
        self.out = f"{tmp}/{role}.out"
        cpus = sorted(os.sched_getaffinity(0))
        self.process = subprocess.Popen(
            [f"{args.build}/app/echo/percore-echo", "-l", str(cpus[n % len(cpus)]), "--no-huge", "--no-shconf", "-m", "320",
             "--no-pci", "--no-telemetry", f"--vdev=net_memif0,role={role},id=0,socket={tmp}/memif.sock,"
             f"socket-abstract=no,mac=02:00:00:00:00:0{n}", "--", "--addr", f"192.0.2.{n}/24", "--listen", "7", "--set",
             f"run.stats_s={stats_s}", "--set", f"run.idle={idle}", *bed.FEW_MBUFS],
            stdin=subprocess.DEVNULL, stdout=open(self.out, "w"), stderr=subprocess.STDOUT)
        try:
            bed.wait_for(lambda: self.process.poll() is not None or "ready" in self.said(), 30 * args.slow, "percore-echo")
            bed.expect(self.process.poll() is None, f"percore-echo ended: {self.said()}")
        except bed.Failure:
            self.kill()
            raise

    def said(self):
        return open(self.out).read()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def counts(self):
        """Returns how often it has printed its counters, and the last ones."""
        prints = self.said().split("counters of percore-echo:\n")
        return len(prints) - 1, {m[2]: int(m[1]) for m in re.finditer(r"^ +(\d+) (\w+) ", prints[-1], re.M)}

    def end(self):
        """Ends it properly, and returns its counters."""
        self.process.terminate()
        status = self.process.wait(45)
        bed.expect(status == 0, f"percore-echo ended with status {status}")
        return {m[2]: int(m[1]) for m in re.finditer(r"^ +(\d+) (\w+) ", self.said(), re.M)}


def clients(args, tmp):
    """Clients that are gone in the middle of a burst."""
    server = Echo(args, tmp, "server", 1, idle=2)
    try:
        begin = time.monotonic()
        come_and_go(f"{tmp}/memif.sock", args.rounds, random.Random(args.seed))
        stay(f"{tmp}/memif.sock", 20)
        print(f"{args.rounds} clients came and went in {time.monotonic() - begin:.1f} s", flush=True)
        server.end()
    finally:
        server.kill()


def servers(args, tmp):
    """A server that is killed, and comes back where its socket still lies, twice. A client that comes first is told."""
    try:
        Echo(args, tmp, "client", 2).kill()
        raise bed.Failure("a client has started without a server")
    except bed.Failure as e:
        bed.expect("start the server first" in str(e), str(e))
    both = [Echo(args, tmp, "server", 1, stats_s=1), Echo(args, tmp, "client", 2, stats_s=1)]
    looks = lambda: both[1].counts()[0]  # noqa: E731 - it looks at its link once a second, as it prints its counters

    def look(times):
        printed = looks()
        bed.wait_for(lambda: looks() >= printed + times, 30 * args.slow, "the client to look at its link")

    try:
        # the link may have come up before or after its first check
        bed.wait_for(lambda: both[0].counts()[1].get("rx_frames", 0) > 0, 30 * args.slow, "frames of the client")
        look(2)
        before = both[1].counts()[1].get("links_up", 0)
        for n in (1, 2):
            both[0].kill()
            look(2)
            both[0] = Echo(args, tmp, "server", 1, stats_s=1)
            bed.wait_for(lambda: both[1].counts()[1].get("links_up", 0) >= before + n, 30 * args.slow, "the client's link to come up")
            bed.wait_for(lambda: both[0].counts()[1].get("rx_frames", 0) > 0, 30 * args.slow, "frames of the client")
        heard, seen = both[0].end(), both[1].end()
        again = seen["links_up"] - before
        bed.expect(again == 2, f"the client's link came up again {again} times, not twice")
        bed.expect(heard["rx_frames"] > 0, "the server that came back heard nothing of the client")
        print("a client has found its server again, twice", flush=True)
    finally:
        for end in both:
            end.kill()


def load(args, tmp):
    """percore-load finds a server that was killed in the middle and comes back."""
    server = Echo(args, tmp, "server", 1, stats_s=1)
    words = [f"{args.build}/app/load/percore-load", "-l", str(max(os.sched_getaffinity(0))), "--no-huge", "--no-shconf", "-m", "320",
             "--no-pci", "--no-telemetry", f"--vdev=net_memif0,role=client,id=0,socket={tmp}/memif.sock,socket-abstract=no", "--",
             "--addr", "192.0.2.2/24", "--server", "192.0.2.1", "--mode", "connrate", "--conns", "4", "--seconds", "60"]
    try:
        with open(f"{tmp}/load.out", "w") as out, subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out) as client:
            try:
                bed.wait_for(lambda: "tcp_opened_passive" in server.said(), 30 * args.slow, "connections to the first server")
                server.kill()
                time.sleep(0.6 * args.slow)
                server = Echo(args, tmp, "server", 1, stats_s=1)
                bed.wait_for(lambda: "tcp_opened_passive" in server.said(), 30 * args.slow, "connections to the server that came back")
            finally:
                client.kill()
        server.end()
        print("percore-load has found a server that came back", flush=True)
    finally:
        server.kill()


def ends(args, tmp):
    """Servers that are stopped while clients come and go, which their driver hears of in another thread."""
    stop = threading.Event()

    def visit():
        while not stop.is_set():
            try:
                memif_peer.Peer(f"{tmp}/memif.sock", buffer=256).close()
            except OSError:
                time.sleep(0.0002)

    visitors = [threading.Thread(target=visit) for _ in range(2)]
    for v in visitors:
        v.start()
    try:
        for _ in range(args.ends):
            server = Echo(args, tmp, "server", 1, idle=2)
            try:
                server.end()
            finally:
                server.kill()
    finally:
        stop.set()
        for v in visitors:
            v.join()
    print(f"{args.ends} servers ended in order while clients came and went", flush=True)


def main():
    args = bed.arguments(__doc__, rounds=250, ends=6, seed=1)
    for step in (clients, servers, load, ends):
        if args.only and args.only not in step.__name__:
            continue
        with tempfile.TemporaryDirectory(prefix="percore-e2e-") as tmp:
            try:
                step(args, tmp)
            except (bed.Failure, OSError, KeyError, subprocess.SubprocessError) as e:
                print(f"FAILED: {step.__name__}: {e!r}")
                for name in os.listdir(tmp):
                    if name.endswith(".out"):
                        print(f"{name}:\n{open(tmp + '/' + name).read()[-3000:]}")
                sys.exit(1)


main()
