#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Unmodified programs that drive their own stacks: percore-run --one-core, without a stack process."""
import hashlib
import os
import re
import signal
import socket
import subprocess
import time

import bed
from bed import CLIENT, PREFIX, SERVER, expect, sh, wait_for
from unmodified import Daemon, answers, fetch, make_files


def one_core(b, *words):
    """Returns the words that run a program with a stack of its own."""
    return ["ip", "netns", "exec", b.server_ns, os.path.join(b.build, "app", "run", "percore-run"), "--one-core",
            *b.eal(128), "--addr", f"{SERVER}/{PREFIX}", "--gateway", CLIENT, "--", *[str(w) for w in words]]


def has_device(b):
    """Says whether the program has made its interface; gives it the client's address."""
    if not os.path.exists("/sys/class/net/" + b.dev) and sh("ip", "link", "show", b.dev, check=False).returncode:
        return False
    if CLIENT not in sh("ip", "-4", "addr", "show", "dev", b.dev, check=False).stdout:
        b._setup_client()
    return True


class Program(Daemon):
    """A program with a stack of its own, in the background."""

    def __init__(self, b, words, ready, **kw):
        super().__init__(b, one_core(b, *words), lambda d: has_device(b) and ready(d), on_stack=False, **kw)


def start(b):
    b.root, b.sha = make_files(b)


def cpu_s(pid):
    """Returns the CPU seconds used by a process and its threads."""
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def redis(b, s):
    """redis-server: redis-benchmark, a value of 1 MB, a save in a forked child; it sleeps when nothing comes"""
    with Program(b, ["redis-server", "--port", "8301", "--protected-mode", "no", "--save", "", "--dir", b.tmp],
                 answers(8301)) as d:
        at = ["-h", SERVER, "-p", "8301"]
        out = sh("redis-benchmark", *at, "-t", "set,get,lrange_100", "-n", "5000", "-P", "16", "-q", timeout=60 * b.slow)
        expect(out.stdout.count("requests per second") >= 3, out.stdout)
        name = os.path.join(b.root, "big")
        sh("sh", "-c", f"redis-cli {' '.join(at)} -x set big <{name}")
        sh("redis-cli", *at, "bgsave")
        wait_for(lambda: "rdb_bgsave_in_progress:0" in sh("redis-cli", *at, "info", "persistence").stdout, 10 * b.slow,
                 "the save")
        expect("rdb_last_bgsave_status:ok" in sh("redis-cli", *at, "info", "persistence").stdout, "the save failed")
        got = sh("sh", "-c", f"redis-cli {' '.join(at)} --raw get big | head -c {1 << 20} | sha256sum").stdout
        expect(got.split()[0] == b.sha, "the SHA-256 differs")
        before = cpu_s(d.pid)
        time.sleep(1)
        used = cpu_s(d.pid) - before
        expect(used < 0.15 * b.slow, f"{used} s of the CPU in an idle second")
        # other tests may run in parallel: only what is in its own namespace counts
        names = sh("sh", "-c", f"cd /proc; for p in $(ip netns pids {b.server_ns}); do cat $p/comm; done", check=False).stdout
        expect("redis-server" in names and "percore-stack" not in names, f"there is a stack process: {names}")
        sh("redis-cli", *at, "shutdown", "nosave", check=False)
        status = d.end(0)
        expect(status == 0, f"status {status}\n{d.out()[-2000:]}")


def lighttpd(b, s):
    """lighttpd: files by SHA-256 with curl"""
    conf = os.path.join(b.tmp, "lighttpd.conf")
    open(conf, "w").write(f'server.document-root = "{b.root}"\nserver.port = 8302\n')
    with Program(b, ["lighttpd", "-D", "-f", conf], answers(8302)) as d:
        fetch(b, b.sha, 8302, 20)
        status = d.end(signal.SIGINT)
        expect(status == 0, f"status {status}\n{d.out()}")


def memcached(b, s):
    """memcached -t 1, whose two threads share the stack: 500 values"""
    with Program(b, ["memcached", "-u", "root", "-t", "1", "-p", "8303", "-U", "0"], answers(8303)), \
            socket.create_connection((SERVER, 8303), 5) as c:
        c.settimeout(10 * b.slow)
        f = c.makefile("rwb")
        for i in range(500):
            f.write(b"set k%d 0 0 5\r\nv%04d\r\nget k%d\r\n" % (i, i, i))
        f.flush()
        for i in range(500):
            got = b"".join(f.readline() for _ in range(4))
            expect(got == b"STORED\r\nVALUE k%d 0 5\r\nv%04d\r\nEND\r\n" % (i, i), f"{i}: {got}")


def python(b, s):
    """python3 -m http.server, a thread per connection: several at a time"""
    with Program(b, ["python3", "-m", "http.server", "8304", "-d", b.root], answers(8304), stop=signal.SIGINT):
        names = [os.path.join(b.tmp, f"one{i}") for i in range(8)]
        urls = [w for n in names for w in ("-o", n, f"http://{SERVER}:8304/big")]
        sh("curl", "-sSf", "--parallel", "--parallel-immediate", *urls, timeout=30 * b.slow)
        for name in names:
            expect(hashlib.sha256(open(name, "rb").read()).hexdigest() == b.sha, "the SHA-256 differs")


def iperf3(b, s):
    """iperf3 -s: 10 MB each way"""
    with Program(b, ["iperf3", "-s", "-p", "8305"], answers(8305)):
        for how in (["-n", "10M"], ["-R", "-n", "10M"]):
            # between two tests it closes its listener and opens another
            wait_for(lambda: "receiver" in sh("iperf3", "-c", SERVER, "-p", "8305", *how, check=False,
                                              timeout=20 * b.slow).stdout, 8 * b.slow, "a test with " + " ".join(how))


def clients(b, s):
    """curl, wget and socat fetch from the kernel's server, and end in order"""
    server = ["python3", "-m", "http.server", "8306", "-d", b.root]
    got = os.path.join(b.tmp, "fetched")
    with Daemon(b, server, answers(8306, "127.0.0.1"), on_stack=False):
        url = f"http://{CLIENT}:8306/big"
        request = f"printf 'GET /big HTTP/1.0\\r\\n\\r\\n' | socat -t 5 - TCP:{CLIENT}:8306 | tail -c {1 << 20} >{got}"
        for words in (["curl", "-sSf", "--retry", "5", "--retry-connrefused", "-o", got, url],
                      ["wget", "-q", "-T", "10", "-O", got, url], ["sh", "-c", request]):
            with Program(b, words, lambda d: True) as d:
                status = d.end(0, 15)
            expect(status == 0, f"{words[0]}: status {status}\n{d.out()[-2000:]}")
            expect(hashlib.sha256(open(got, "rb").read()).hexdigest() == b.sha, f"{words[0]}: the SHA-256 differs")


FORKS = """
import os, socket, errno
l = socket.create_server(('', 8307)); print('ready', flush=True)
c, _ = l.accept()
def told(f):
    try:
        return f() or 'nothing'
    except OSError as e:
        return errno.errorcode[e.errno]
print('message', told(lambda: socket.send_fds(socket.socketpair()[0], [b'x'], [c.fileno()])), flush=True)
pid = os.fork()
if pid == 0:
    c.setblocking(False)
    print('child', told(lambda: c.send(b'x')), told(lambda: c.recv(1)), told(socket.socket), flush=True)
    c.close(); l.close(); os._exit(0)
os.waitpid(pid, 0)
c.settimeout(10)
while data := c.recv(1000):
    c.sendall(data)
c.sendall(b'end' * 100000)
"""


def fork(b, s):
    """a forked child's sockets fail with ENETDOWN, as does sending one to another process, and the parent's do not; what was
    written before exit() arrives"""
    with Program(b, ["python3", "-u", "-c", FORKS], lambda d: "ready" in d.out()) as d, \
            socket.create_connection((SERVER, 8307), 5) as c:
        c.settimeout(10 * b.slow)
        wait_for(lambda: "child" in d.out(), 10 * b.slow, "the child")
        expect("message ENETDOWN\nchild ENETDOWN ENETDOWN ENETDOWN\n" in d.out(), d.out())
        c.sendall(b"hello")
        expect(c.recv(100) == b"hello", "the parent does not answer")
        c.shutdown(socket.SHUT_WR)
        got = b""
        while part := c.recv(1 << 16):
            got += part
        expect(got == b"end" * 100000, f"{len(got)} bytes came before the end")
        expect(d.end(0) == 0, d.out())


LAST_LINE = """
import ctypes, socket, sys
c = socket.create_connection((sys.argv[1], 8310))
libc = ctypes.CDLL(None); libc.fdopen.restype = ctypes.c_void_p
f = ctypes.c_void_p(libc.fdopen(c.fileno(), b'w'))
libc.fputs(b'the last line', f); libc.exit(0)
"""


def last_line(b, s):
    """what a stream of stdio buffers at exit() arrives"""
    with socket.create_server(("", 8310)) as listener, \
            Program(b, ["python3", "-u", "-c", LAST_LINE, CLIENT], lambda d: True) as d:
        listener.settimeout(10 * b.slow)
        with listener.accept()[0] as c:
            c.settimeout(10 * b.slow)
            got = b""
            while part := c.recv(100):
                got += part
        expect(got == b"the last line", f"{got} came before the end")
        expect(d.end(0) == 0, d.out())


ENDS = """
import os, signal, socket, sys
class Late(Exception): pass
def late(*a): raise Late
l = socket.create_server(('', 8309)); print('ready', flush=True)
c, _ = l.accept()
signal.signal(signal.SIGALRM, late)
signal.setitimer(signal.ITIMER_REAL, 0.1)
try:
    c.recv(1)
except Late:
    c.sendall(b'interrupted')
if sys.argv[1] == 'exit':
    os._exit(0)
c.recv(1)
"""


def ends(b, s):
    """a signal interrupts a call; peers hear of the end by _exit(), and by a signal while the program waits"""
    for how in ("exit", "signal"):
        with Program(b, ["python3", "-u", "-c", ENDS, how], lambda d: "ready" in d.out()) as d, \
                socket.create_connection((SERVER, 8309), 5) as c:
            c.settimeout(5 * b.slow)
            expect(c.recv(100) == b"interrupted", f"{how}: the call goes on")
            if how == "signal":
                # it waits again: outside such a call, the signal would simply end it
                time.sleep(0.3)
                d.process.send_signal(signal.SIGTERM)
            expect(c.recv(100) == b"", f"{how}: no end")
            status = d.end(0)
            expect(status == (0 if how == "exit" else -signal.SIGTERM), f"{how}: status {status}\n{d.out()}")


def mistakes(b, s):
    """a stack that cannot be had: a line says why, and socket() fails with ENETDOWN"""
    words = one_core(b, "python3", "-c", "import socket; socket.socket()")
    for option, text in ((f"--addr=192.0.2.300/24", "192.0.2.300"), ("-l0,1", "use one lcore")):
        out = sh(*words[:words.index("--one-core") + 1], option,
                 *[w for w in words[words.index("--one-core") + 1:] if not option.startswith("-l") or
                   not w.startswith("--lcores") and not re.fullmatch(r"\d+@\d+", w)], check=False)
        expect(out.returncode == 1 and text in out.stderr and "Network is down" in out.stderr, out.stderr)


STEPS = [redis, lighttpd, memcached, python, iperf3, clients, fork, last_line, ends, mistakes]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("ethtool", "curl", "wget", "lighttpd", "memcached", "redis-server", "iperf3", "socat")
    bed.main(args, STEPS, start)
