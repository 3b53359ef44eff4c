#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Peers of a memif that come, send as fast as they can, and are gone in the middle of it, hundreds of times: percore-echo
must outlive them, and answer the one that comes after. Needs no root."""
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
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
    """A peer that has shaken hands; the server may not have noticed yet that the one before is gone."""
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
    """A peer that pings until so many answers are there."""
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


def main():
    args = bed.arguments(__doc__, rounds=1500, seed=1)
    with tempfile.TemporaryDirectory(prefix="percore-e2e-") as tmp, open(f"{tmp}/out", "w+") as out:
        path = f"{tmp}/memif.sock"
        server = subprocess.Popen(
            [f"{args.build}/app/echo/percore-echo", "-l", str(min(os.sched_getaffinity(0))), "--no-huge", "--no-shconf",
             "-m", "512", "--no-pci", "--no-telemetry", "--log-level=4", "--vdev=net_memif0,role=server,id=0,"
             f"socket={path},socket-abstract=no,mac=02:00:00:00:00:01", "--", "--addr", SERVER + "/24", "--listen", "7"],
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        status = 1
        try:
            bed.wait_for(lambda: server.poll() is not None or "ready" in open(f"{tmp}/out").read(), 30 * args.slow,
                         "percore-echo")
            begin = time.monotonic()
            come_and_go(path, args.rounds, random.Random(args.seed))
            stay(path, 20)
            print(f"{args.rounds} peers came and went in {time.monotonic() - begin:.1f} s", flush=True)
            server.terminate()
            status = server.wait(15 * args.slow)
            bed.expect(status == 0, f"percore-echo ended with status {status}")
        except (bed.Failure, OSError, subprocess.SubprocessError) as e:
            status = 1
            print(f"FAILED: {e}; status of percore-echo: {server.poll()}")
            print(open(f"{tmp}/out").read()[-4000:])
        finally:
            server.kill()
            server.wait()
    sys.exit(status)


main()
