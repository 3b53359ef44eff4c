#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The examples that use percore/posix.h, processes of their own beside one that has the stack."""
import hashlib
import os
import resource
import signal
import socket
import subprocess
import threading
import time

import bed
from bed import CLIENT, SERVER, expect, wait_for
from echoes import many_at_once, outnumber, there_and_back


def stack(b):
    return os.path.join(b.tmp, "stack")


def start(b):
    return b.start("percore-echo", "--listen", "9", "--set", "run.sockets=" + stack(b),
                   "--set", "run.idle=2")  # waking a sleeping lcore takes a system call


class Example:
    """A running example."""

    def __init__(self, b, name, *args, stdin=subprocess.PIPE, **more):
        env = {**os.environ, "PERCORE_SOCKET": stack(b), **more}
        self.p = subprocess.Popen([os.path.join(b.build, "app", "examples", name), *args], env=env,
                                  stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.b = b

    def __enter__(self):
        line = self.p.stdout.readline()
        expect(line == b"ready\n", f"it says {line} {self.p.stderr.read() if not line else ''}")
        return self

    def __exit__(self, *_):
        self.p.kill()
        self.p.communicate()


def check_echo(b, port, clients=100, size=2 << 20):
    data = os.urandom(size)
    got = there_and_back(port, data, 20 * b.slow)
    expect(hashlib.sha256(got).digest() == hashlib.sha256(data).digest(),
           f"{len(got)} of {size} bytes came back")
    many_at_once(port, clients, 10 * b.slow)


def blocking(b, s):
    """thread_echo: a thread for each of 100 clients, a stream by SHA-256"""
    with Example(b, "thread_echo", "7"):
        check_echo(b, 7)


def level(b, s):
    """epoll_echo, level-triggered; the kernel's descriptor in its set ends it"""
    with Example(b, "epoll_echo", "7") as e:
        check_echo(b, 7)
        stdin, e.p.stdin = e.p.stdin, None
        stdin.close()
        expect(e.p.wait(5) == 0, "the end of standard input did not end it")


def edge(b, s):
    """epoll_echo, edge-triggered"""
    with Example(b, "epoll_echo", "7", "et"):
        check_echo(b, 7)


def polling(b, s):
    """poll_echo"""
    with Example(b, "poll_echo", "7"):
        check_echo(b, 7)


def datagrams(b, s):
    """udp_receiver: who sends, and how much"""
    with Example(b, "udp_receiver", "5000") as e:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
            for size in (0, 1, 1472):
                c.sendto(bytes(size), (SERVER, 5000))
            c.sendto(b"end", (SERVER, 5000))
            out = e.p.stdout.read().decode().split("\n")
            who = f"{CLIENT}:{c.getsockname()[1]}"
        expect(out == [f"{who} {n} bytes" for n in (0, 1, 1472, 3)] + [""], f"it says {out}")
    with Example(b, "udp_receiver", "5000", "text") as e:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
            for text in (b"", b"hello", b"end"):
                c.sendto(text, (SERVER, 5000))
            out = e.p.stdout.read().decode().split("\n")
        expect([line.partition(" ")[2] for line in out] == ["0 bytes: ", "5 bytes: hello", "3 bytes: end", ""], f"it says {out}")


def client(b, s):
    """tcp_client connects to the kernel: a stream there and back; a refused connection"""
    with socket.create_server((CLIENT, 0)) as server:
        port = str(server.getsockname()[1])
        data = os.urandom(1 << 20)

        def serve():
            c, _ = server.accept()
            with c:
                while part := c.recv(1 << 20):
                    c.sendall(part)

        t = threading.Thread(target=serve)
        t.start()
        e = Example(b, "tcp_client", CLIENT, port)
        got, err = e.p.communicate(data, timeout=20 * b.slow)
        t.join()
        expect(e.p.returncode == 0 and got == data, f"{len(got)} bytes came back, {err}")
    e = Example(b, "tcp_client", CLIENT, port)
    _, err = e.p.communicate(b"", timeout=10)
    expect(e.p.returncode == 2 and b"refused" in err, f"status {e.p.returncode}, {err}")


def busy(b, s):
    """no system call per request: strace counts those of epoll_echo under load"""
    with Example(b, "epoll_echo", "7", PERCORE_SPIN_US="2000") as e:
        many = [socket.create_connection((SERVER, 7), 10) for _ in range(16)]
        count = subprocess.Popen(["strace", "-c", "-f", "-p", str(e.p.pid)], stderr=subprocess.PIPE,
                                 text=True)
        time.sleep(0.3)  # it attaches
        requests, until = 0, time.monotonic() + 1.5
        while time.monotonic() < until:
            for c in many:
                c.sendall(b"x" * 100)
            for c in many:
                got = 0
                while got < 100:
                    part = c.recv(100)
                    expect(part, "the server has closed a connection")
                    got += len(part)
            requests += len(many)
        count.send_signal(signal.SIGINT)
        report = count.communicate(timeout=10)[1]
        calls = [line.split() for line in report.splitlines() if line.endswith("total")]
        expect(calls, f"strace says {report}")
        n = int(calls[0][3])
        print(f"    {requests} requests, {n} system calls")
        expect(n < requests / 2, report)


def idle(b, s):
    """a server that waits takes no CPU: under 1 % of two seconds"""
    with Example(b, "epoll_echo", "7") as e, Example(b, "thread_echo", "8") as t:
        time.sleep(0.2)

        def ticks(p):
            fields = open(f"/proc/{p.p.pid}/stat").read().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])

        before = [ticks(e), ticks(t)]
        time.sleep(2)
        used = [ticks(p) - n for p, n in zip((e, t), before)]
        limit = 2 * os.sysconf("SC_CLK_TCK") / 100
        expect(max(used) <= limit, f"{used} ticks of the CPU")


def killed(b, s):
    """kill -9 of a client resets only what it held; its port is free again"""
    with Example(b, "epoll_echo", "7") as victim, Example(b, "thread_echo", "8"):
        with socket.create_connection((SERVER, 7), 10) as a, \
                socket.create_connection((SERVER, 8), 10) as other:
            for c in (a, other):
                c.settimeout(10)
                c.sendall(b"x")
                expect(c.recv(1) == b"x", "no echo")
            victim.p.send_signal(signal.SIGKILL)
            try:
                expect(a.recv(1) == b"", "bytes of a dead process")
            except ConnectionResetError:
                pass
            other.sendall(b"y")
            expect(other.recv(1) == b"y", "the other process has lost its connection")
        victim.p.wait()

        def again():
            e = Example(b, "epoll_echo", "7")
            line = e.p.stdout.readline()
            e.p.kill()
            e.p.communicate()
            return line == b"ready\n"

        wait_for(again, 10, "the port of a dead process")


def stopped(b, s):
    """a client that is stopped (SIGSTOP) holds nobody up"""
    with Example(b, "epoll_echo", "7") as one, Example(b, "thread_echo", "8"):
        with socket.create_connection((SERVER, 7), 10) as a:
            one.p.send_signal(signal.SIGSTOP)
            a.settimeout(0.2)
            try:
                while True:
                    a.sendall(bytes(65536))  # until all buffers are full
            except TimeoutError:
                pass
            check_echo(b, 8, clients=10)
            one.p.send_signal(signal.SIGCONT)


def few_descriptors(b, s):
    """more clients than descriptors: those that wait are served when others have gone"""
    for name, *more in (("thread_echo",), ("poll_echo",), ("epoll_echo",), ("epoll_echo", "et")):
        with Example(b, name, "7", *more) as e:
            outnumber(e.p.pid, 7, 10 * b.slow)
            expect(e.p.poll() is None, f"{name} has ended")


def stack_ends(b, s):
    """kill -9 of the stack: who waits gets ENETDOWN"""
    with Example(b, "thread_echo", "7") as t, Example(b, "epoll_echo", "8") as e:
        time.sleep(0.2)
        s.signal(signal.SIGKILL)
        _, err = t.p.communicate(timeout=10)
        expect(t.p.returncode == 1 and b"Network is down" in err, f"thread_echo: {err}")
        try:
            e.p.wait(3)
        except subprocess.TimeoutExpired:
            raise bed.Failure("epoll_echo waits for ever") from None
        s.process.wait(30)  # its sockets are closed before the process has gone completely


STEPS = [blocking, level, edge, polling, datagrams, client, busy, idle, killed, stopped,
         few_descriptors, stack_ends]

if __name__ == "__main__":
    arguments = bed.arguments(__doc__)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    bed.need("ethtool", "strace")
    # two lcores take both processors of a small machine, where threads sleep and are woken
    bed.main(arguments, [step for step in STEPS if step is not busy or arguments.lcores == 1], start)
