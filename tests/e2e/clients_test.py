#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Unmodified clients on percore, against the kernel's servers; and what goes to the kernel instead."""
import contextlib
import hashlib
import ipaddress
import os
import re
import socket
import threading

import bed
from bed import CLIENT, PREFIX, SERVER, expect, sh, wait_for
from unmodified import Daemon, answers, command, digest, make_files, run, start_stack

WEB = 8101
BROADCAST = str(ipaddress.ip_interface(f"{SERVER}/{PREFIX}").network.broadcast_address)


def start(b):
    b.root, b.sha = make_files(b)
    return start_stack(b, "--addr", "2001:db8::1/64")


def web(b):
    conf = os.path.join(b.tmp, "nginx.conf")
    open(conf, "w").write(f"""user root; daemon off; worker_processes 1; error_log {b.tmp}/nginx.log;
pid {b.tmp}/nginx.pid; events {{}}
http {{ access_log off; client_body_temp_path {b.tmp}/b; proxy_temp_path {b.tmp}/p; fastcgi_temp_path {b.tmp}/f;
  uwsgi_temp_path {b.tmp}/u; scgi_temp_path {b.tmp}/s; server {{ listen {WEB}; root {b.root}; }} }}""")
    return Daemon(b, ["nginx", "-c", conf], answers(WEB, CLIENT), on_stack=False)


URL = f"http://{CLIENT}:{WEB}/"


def fetchers(b, s):
    """curl, wget and python3's http.client: a file by SHA-256; wrk and ab: no failure"""
    with web(b):
        expect(digest(command(b, "curl", "-sS", URL + "big")) == b.sha, "curl: the SHA-256 differs")
        expect(digest(command(b, "wget", "-qO-", URL + "big")) == b.sha, "wget: the SHA-256 differs")
        script = (f"import http.client, sys; c = http.client.HTTPConnection('{CLIENT}', {WEB}, timeout=10)\n"
                  "for _ in range(20):\n c.request('GET', '/small'); assert c.getresponse().read() == b'hello, percore\\n'\n"
                  "c.request('GET', '/big'); sys.stdout.buffer.write(c.getresponse().read())")
        expect(digest(command(b, "python3", "-c", script)) == b.sha, "http.client: the SHA-256 differs")
        out = run(b, "wrk", "-t", "2", "-c", "10", "-d", "1", URL + "small").stdout
        expect(re.search(r"[1-9]\d* requests in", out) and "errors" not in out, out)
        out = run(b, "ab", "-q", "-k", "-n", "500", "-c", "10", URL + "small").stdout
        expect(re.search(r"Failed requests:\s+0\b", out) and "Complete requests:      500" in out, out)


def stdin(b, s):
    """nc and socat: a megabyte from stdin arrives by SHA-256, and the answer is printed"""
    name = os.path.join(b.root, "big")
    for words in (["nc", "-N", CLIENT, "8102"], ["socat", "-", f"TCP:{CLIENT}:8102"]):
        got = hashlib.sha256()
        with socket.create_server((CLIENT, 8102), reuse_port=True) as listener:
            def serve():
                c, peer = listener.accept()
                with c:
                    while part := c.recv(1 << 16):
                        got.update(part)
                    c.sendall(peer[0].encode())
            server = threading.Thread(target=serve)
            server.start()
            out = sh(*command(b, *words), timeout=20 * b.slow, stdin=open(name))
            server.join()
        expect(got.hexdigest() == b.sha, f"{words[0]}: the SHA-256 differs")
        expect(out.stdout == SERVER, f"{words[0]}: printed {out.stdout!r}")


def redis(b, s):
    """redis-cli and redis-benchmark against the kernel's redis-server"""
    with Daemon(b, ["redis-server", "--port", "8103", "--bind", CLIENT, "--protected-mode", "no", "--save", "",
                    "--dir", b.tmp], answers(8103, CLIENT), on_stack=False):
        at = ["-h", CLIENT, "-p", "8103"]
        expect(run(b, "redis-cli", *at, "ping").stdout == "PONG\n", "no PONG")
        out = run(b, "redis-benchmark", *at, "-t", "set,get", "-n", "3000", "-P", "16", "-q").stdout
        expect(out.count("requests per second") >= 2, out)


def iperf3(b, s):
    """iperf3 -c: 40 MB each way, and datagrams"""
    with Daemon(b, ["iperf3", "-s", "-B", CLIENT, "-p", "8104"], on_stack=False,
                ready=lambda d: sh("ss", "-ltn").stdout.find(":8104") > 0):
        for how in (["-n", "40M"], ["-R", "-n", "40M"], ["-u", "-b", "100M", "-n", "4M"]):
            # it refuses or resets clients that connect before it has seen the end of the previous
            # test
            wait_for(lambda: "receiver" in sh(*command(b, "iperf3", "-c", CLIENT, "-p", "8104", *how), check=False,
                                              timeout=20 * b.slow).stdout, 8 * b.slow, "a test with " + " ".join(how))


def kernels(b, s):
    """127.0.0.1, with its options, AF_UNIX, pipes and files are the kernel's, and what a rule says; a server stays where it is"""
    script = f"""
import fcntl, os, signal, socket, struct, threading
def there_and_back(family, addr):
    l = socket.socket(family); l.bind(addr); l.listen()
    c = socket.socket(family); c.connect(l.getsockname())
    a, _ = l.accept(); c.sendall(b'x'); assert a.recv(1) == b'x'
    return os.readlink('/proc/self/fd/%d' % l.fileno())
there_and_back(socket.AF_INET, ('127.0.0.1', 0))
there_and_back(socket.AF_UNIX, '{b.tmp}/unix%d' % os.getpid())
r, w = os.pipe(); os.write(w, b'y'); assert os.read(r, 1) == b'y'
a, b = socket.socketpair(); a.send(b'z'); assert b.recv(1) == b'z'
def dgram(addr=None):
    d = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); d.settimeout(5)
    d.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1); d.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 50000)
    if addr: d.bind(addr)
    return d
k, u = dgram(('127.0.0.1', 0)), dgram(); u.sendto(b'q', k.getsockname())
assert k.recvmsg(9, 99)[1] and k.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 100000, 'options'
def group(*addrs):
    return struct.pack('=I4x', 1) + b''.join(struct.pack('=HH4s120x', socket.AF_INET, 0, socket.inet_aton(a)) for a in addrs)
g = dgram()
g.setsockopt(socket.IPPROTO_IP, 42, group('239.9.9.1'))  # MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP, and what leaves them
g.setsockopt(socket.IPPROTO_IP, 46, group('239.9.9.2', '192.0.2.9'))
g.bind(('127.0.0.1', 0))
g.setsockopt(socket.IPPROTO_IP, 45, group('239.9.9.1'))
g.setsockopt(socket.IPPROTO_IP, 47, group('239.9.9.2', '192.0.2.9'))
a = dgram(); again = a.dup()  # what was set, on every descriptor, before the address is known
a.setsockopt(socket.SOL_SOCKET, 42, 0)  # SO_PEEK_OFF
signals = []; signal.signal(signal.SIGUSR1, lambda *_: signals.append(1))
fcntl.fcntl(a, fcntl.F_SETOWN, os.getpid()); fcntl.fcntl(a, 10, signal.SIGUSR1)  # F_SETSIG
fcntl.fcntl(a, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC | os.O_APPEND)
a.bind(('127.0.0.1', 0)); assert again.getsockname() == a.getsockname(), 'a duplicate'
assert again.getsockopt(socket.SOL_SOCKET, 42) == 0, 'SO_PEEK_OFF'
assert fcntl.fcntl(again, fcntl.F_GETFL) & os.O_APPEND and not signals, 'flags'
u = dgram(); u.sendto(b's', a.getsockname()); assert signals, 'no signal'
for n, addr in enumerate(('{SERVER}', '0.0.0.0')):
    server = dgram((addr, 8107 + n))
    for i in range(2):
        u = dgram(); u.sendto(b'r', ('{SERVER}', 8107 + n)); assert server.recv(9) == b'r'
        server.sendto(b's', ('127.0.0.1', 9))
c = socket.socket(); c.settimeout(5); c.connect(('{CLIENT}', 8105)); print(c.getsockname()[0])
"""
    with socket.create_server((CLIENT, 8105)) as listener:
        out = run(b, "python3", "-c", script).stdout
        expect(out == f"{SERVER}\n", f"connected from {out}")
        out = run(b, "python3", "-c", script, rules=[f"kernel tcp connect {CLIENT} port 8105"]).stdout
        expect(out == f"{CLIENT}\n" or b.backend != "tap", f"with a rule: connected from {out}")
        listener.close()


@contextlib.contextmanager
def echo_server(port):
    """The kernel's, for as many clients as come."""
    def echo(c):
        try:
            while part := c.recv(1 << 16):
                c.sendall(part)
        except OSError:  # closed with unread bytes
            pass
        c.close()

    def serve(listener):
        try:
            while True:
                threading.Thread(target=echo, args=(listener.accept()[0],), daemon=True).start()
        except OSError:
            pass
    with socket.create_server((CLIENT, port)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield
        listener.shutdown(socket.SHUT_RDWR)


def calls(b, s):
    """unusual calls: by number, stdio, vectors, select, sendfile, vfork, exec, posix_spawn, system, popen, sandboxes, limits, closing everything"""
    program = [os.path.join(b.build, "tests", "e2e", "calls"), CLIENT, "8106"]
    with echo_server(8106):
        kernel = sh(*program).stdout.splitlines()
        percore = run(b, *program).stdout.splitlines()
    expect(len(kernel) > 35, "\n".join(kernel))
    for one, other in zip(kernel, percore):
        expect(one == other, f"the kernel: {one}; percore: {other}")
    expect(len(kernel) == len(percore), "\n".join(percore))


# Binds each address of percore0, and prints what getifaddrs() says about it.
ADDRESSES = """
import ctypes, socket, struct, time
class Entry(ctypes.Structure):
    _fields_ = [('next', ctypes.c_void_p), ('name', ctypes.c_char_p), ('flags', ctypes.c_uint)] + [
        (n, ctypes.c_void_p) for n in ('addr', 'mask', 'broadcast', 'data')]
libc = ctypes.CDLL(None)
def entries():
    first = at = ctypes.c_void_p()
    libc.getifaddrs(ctypes.byref(first))
    while at:
        e = Entry.from_address(at if isinstance(at, int) else at.value)
        yield e
        at = e.next
    libc.freeifaddrs(first)
def show():
    for e in entries():
        family = ctypes.c_ushort.from_address(e.addr).value if e.addr and e.name == b'percore0' else 0
        if family == socket.AF_INET:
            address, broadcast = (socket.inet_ntoa(ctypes.string_at(a + 4, 4)) if a else None for a in (e.addr, e.broadcast))
            socket.socket().bind((address, 0))
            yield address, bool(e.flags & 2), broadcast
        elif family == socket.AF_INET6:
            raw = ctypes.string_at(e.addr, 28)
            address, scope = socket.inet_ntop(family, raw[8:24]), struct.unpack('=I', raw[24:])[0]
            socket.socket(family).bind((address, 0, 0, scope))
            yield address.split(':')[0], scope
for _ in range(100):  # until the link-local address is known to be unique
    found = sorted(map(str, show()))
    if len(found) == 3:
        break
    time.sleep(0.1)
print(*found, *(socket.if_nametoindex(n) for n in ('percore0', 'lo')))
try:
    socket.if_nametoindex('percore1')
except OSError:
    print("refused")
"""


def addresses(b, s):
    """getifaddrs(): the stack's addresses can be bound; link-local ones have their scope, IPv4 a broadcast address, interfaces a number"""
    out = run(b, "python3", "-c", ADDRESSES).stdout
    expect(out == f"('{SERVER}', True, '{BROADCAST}') ('2001', 0) ('fe80', 1) 1 1\nrefused\n", out)


DIAL = f"""
import os, resource, socket
def dial():
    c = socket.create_connection(('{CLIENT}', 8109)); c.sendall(b'x'); assert c.recv(1) == b'x'
    return c
"""


def few_descriptors(b, s):
    """100 descriptors: who closes all of them stays on the stack, also behind an exec"""
    close = DIAL + "dial().detach(); os.closerange(3, 999); dial(); print('still there')"
    lower = DIAL + f"dial(); resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100)); os.execvp('python3', ['python3', '-c', {close!r}])"
    with echo_server(8109):
        for limit, script in (("100", close), ("999", lower)):
            out = run(b, "prlimit", "--nofile=" + limit, "python3", "-c", script, check=False)
            expect(out.stdout == "still there\n", f"{out.stdout}{out.stderr}")


STEPS = [calls, few_descriptors, addresses, fetchers, stdin, redis, iperf3, kernels]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("ethtool", "curl", "wget", "wrk", "ab", "nc", "nginx", "redis-server", "iperf3", "socat")
    bed.main(args, STEPS, start)
