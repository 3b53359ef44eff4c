#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Processes of unmodified programs: percore-run from beginning to end, fork, exec, threads, kill -9 of either side."""
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import bed
from bed import CLIENT, PREFIX, SERVER, expect, sh, wait_for
from unmodified import Daemon, make_files, says, start_stack


def start(b):
    b.root, b.sha = make_files(b)
    return start_stack(b, "--set", f"run.control={b.tmp}/control")


def script(b, text, *more, **kw):
    """Runs a Python script on the stack, in the background."""
    return Daemon(b, ["python3", "-u", "-c", text, *more], **kw)


def refuses(port):
    """Waits until the stack refuses connections there."""
    try:
        socket.create_connection((SERVER, port), 10).close()
    except ConnectionRefusedError:
        return True
    return False


def inherited(b, s):
    """a listener and a connection go through fork and exec; close-on-exec ones do not"""
    text = """
import os, socket, sys
if sys.argv[1] == 'first':
    l = socket.create_server(('', 8201)); l.set_inheritable(True)
    hidden = socket.create_server(('', 8202))
    print('ready')
    c, _ = l.accept(); c.set_inheritable(True)
    os.execv(sys.executable, [sys.executable, '-u', '-c', open('/proc/self/cmdline').read().split('\\0')[3], 'second',
                              str(l.fileno()), str(c.fileno()), str(hidden.fileno())])
l, c = (socket.socket(fileno=int(n)) for n in sys.argv[2:4])
try:
    os.fstat(int(sys.argv[4])); c.sendall(b'not closed')
except OSError:
    pass
c.sendall(b'second image\\n')
if os.fork() == 0:
    c.sendall(b'child\\n'); d, _ = l.accept(); d.sendall(b'accepted by the child\\n'); os._exit(0)
os.wait(); c.sendall(b'parent\\n')
"""
    with script(b, text, "first", ready=says("ready")), socket.create_connection((SERVER, 8201), 5) as c:
        c.settimeout(10 * b.slow)
        f = c.makefile("rb")
        expect(f.readline() == b"second image\n", "the connection did not survive exec")
        expect(f.readline() == b"child\n", "the child has no connection")
        with socket.create_connection((SERVER, 8201), 5) as d:
            d.settimeout(10 * b.slow)
            expect(d.recv(100) == b"accepted by the child\n", "the child has no listener")
        expect(f.readline() == b"parent\n", "the parent has lost its connection")
        expect(f.read() == b"", "no end")
        expect(refuses(8202), "a close-on-exec listener is still there")


BUSY_EXEC = """
import os, socket, sys, threading, time
n = int(sys.argv[1])
l = socket.create_server(('', 8210)) if n == 0 else socket.socket(fileno=int(sys.argv[2]))
l.set_inheritable(True)
def work():
    while True:
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.sendto(b'x', (sys.argv[3], 9)); u.close()
if n < 15:
    for _ in range(8):
        threading.Thread(target=work, daemon=True).start()
    time.sleep(0.03)
    os.execv(sys.executable, [sys.executable, '-u', '-c', open('/proc/self/cmdline').read().split('\\0')[3], str(n + 1),
             str(l.fileno()), sys.argv[3]])
print('ready')
c, _ = l.accept(); c.sendall(b'still here')
"""


def busy_exec(b, s):
    """15 images of a program, each executed while eight threads of the one before are in calls"""
    with script(b, BUSY_EXEC, "0", "0", CLIENT, ready=says("ready"), within=40), socket.create_connection((SERVER, 8210), 5) as c:
        c.settimeout(10 * b.slow)
        expect(c.recv(100) == b"still here", "nothing came")


def past_static(b, s):
    """a program on the stack executes one that is linked statically, whose children are on the stack each by itself"""
    child = f"import socket, time; c = socket.create_connection(('{CLIENT}', 8220)); time.sleep(1.5); c.sendall(b'x'); assert c.recv(1) == b'x'"
    text = "import os, socket, sys; s = socket.socket(); a = sys.argv; os.execv(a[1], [a[1], a[2], '-c', a[3]])"
    program = os.path.join(b.build, "tests", "e2e", "static")

    def echo(c):
        with c:
            c.sendall(c.recv(1))
    with socket.create_server((CLIENT, 8220)) as listener:
        listener.settimeout(20 * b.slow)
        with script(b, text, program, sys.executable, child) as d:
            threads = [threading.Thread(target=echo, args=(listener.accept()[0],)) for _ in range(2)]
            for t in threads:
                t.start()
            expect(d.end(0) == 0, f"a child has lost its connection\n{d.out()}")
            for t in threads:
                t.join()


SERVER_SCRIPT = """
import socket, sys
l = socket.create_server(('', int(sys.argv[1]))); print('ready'); c, _ = l.accept(); print('accepted')
c.sendall(b'hello'); c.recv(1); print('received')
try:
    c.recv(1); print('end')
except OSError as e:
    print('errno', e.errno)
try:
    socket.socket(); print('made a socket')
except OSError as e:
    print('errno', e.errno)
"""


def kill_program(b, s):
    """kill -9 of a program resets its connections, and no others; its port is free at once"""
    with script(b, SERVER_SCRIPT, "8203", ready=says("ready")) as one, \
            script(b, SERVER_SCRIPT, "8204", ready=says("ready")) as two, \
            socket.create_connection((SERVER, 8203), 5) as c, socket.create_connection((SERVER, 8204), 5) as d:
        for x in (c, d):
            x.settimeout(10 * b.slow)
            expect(x.recv(5) == b"hello", "no hello")
        one.end(signal.SIGKILL)
        try:
            expect(c.recv(1) == b"", "bytes from a dead program")
        except ConnectionResetError:
            pass
        d.sendall(b"x")
        wait_for(lambda: "received" in two.out(), 5 * b.slow, "the other program's byte")
        wait_for(lambda: refuses(8203), 5 * b.slow, "the dead program's listener to go")
        with script(b, SERVER_SCRIPT, "8203", ready=says("ready")):
            pass


def privileges(b, s):
    """no thread of the stack keeps a capability that its ports do not need, those that serve clients included"""
    keep = 1 << 2 | (1 << 12 | 1 << 13 | 1 << 39 if b.backend == "af_xdp" else 0)
    tasks = f"/proc/{s.process.pid}/task"

    def kept():
        words = [open(f"{tasks}/{t}/status").read().split("CapEff:")[1].split()[0] for t in os.listdir(tasks)]
        expect(len(words) > 2, f"{len(words)} threads")
        return [w for w in words if int(w, 16) & ~keep]
    wait_for(lambda: not kept(), 10 * b.slow, "the capabilities to go")
    expect("dropped its privileges" not in s.out(), s.out())


def kill_stack(b, s):
    """kill -9 of the stack: calls fail with ENETDOWN, those that sleep too, and nothing hangs"""
    waiting = """
import select, socket, threading, errno
l = socket.create_server(('', 8206)); e = select.epoll(); e.register(l, select.EPOLLIN)
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('', 8206)); p = select.poll(); p.register(u, select.POLLIN)
def told(name, f):
    try:
        r = f(); l2 = l.accept() if name == 'epoll' else u.recv(1)
    except OSError as x:
        r = errno.errorcode[x.errno]
    print(name, r, flush=True)
for name, f in (('accept', l.accept), ('epoll', lambda: e.poll(30)), ('recv', lambda: u.recv(1)), ('poll', lambda: p.poll(30000))):
    threading.Thread(target=told, args=(name, f)).start()
import time; time.sleep(0.3); print('ready', flush=True)
"""
    with script(b, SERVER_SCRIPT, "8205", ready=says("ready")) as server, \
            script(b, waiting, ready=says("ready")) as sleepers, socket.create_connection((SERVER, 8205), 5) as c:
        c.sendall(b"x")
        wait_for(lambda: "received" in server.out(), 5 * b.slow, "the byte")
        s.process.send_signal(signal.SIGKILL)
        s.process.wait()
        status = server.process.wait(25 * b.slow)
        sleepers.process.wait(25 * b.slow)
        expect(status == 0 and server.out().count("errno 100") == 2, server.out())
        expect(sleepers.out().count("ENETDOWN") == 4, sleepers.out())


def one_command(b, s):
    """percore-run starts a stack, hands on the exit status, and the stack ends after the program"""
    def here(*words):
        return ["ip", "netns", "exec", b.server_ns, os.path.join(b.build, "app", "run", "percore-run"), *b.eal(),
                "--addr", f"{SERVER}/{PREFIX}", *words]
    name = os.path.join(b.tmp, "own")
    text = "import os, socket, sys; socket.create_server(('', 80)); print(os.getpid()); sys.exit(7)"
    with subprocess.Popen(here("--socket", name, "--", "python3", "-c", text), stdout=subprocess.PIPE, text=True) as p:
        expect(int(p.stdout.readline()) == p.pid, "the program has another process id")
        expect(p.wait(20 * b.slow) == 7, f"status {p.returncode}")
    wait_for(lambda: not os.path.exists(name), 10 * b.slow, "the stack to end")
    bad = sh(*here("--set", "tcp.nonsense=1", "--", "true"), check=False)
    expect(bad.returncode == 2 and "tcp.nonsense" in bad.stderr and "failed to start" in bad.stderr, bad.stderr)
    with subprocess.Popen(here("--socket", name, "--", "sleep", "60")) as p:
        wait_for(lambda: os.path.exists(name), 20 * b.slow, "the stack to begin")
        time.sleep(0.5)
        p.terminate()
        expect(p.wait(10 * b.slow) == -signal.SIGTERM, f"status {p.returncode}")
    wait_for(lambda: not os.path.exists(name), 10 * b.slow, "the stack to end")


LAST_WORDS = """
import os, socket, sys, time
def child():
    for _ in range(100):
        try:
            c = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
            break
        except OSError:
            time.sleep(0.1)
    c.sendall(bytes(int(sys.argv[3])))
    os._exit(0)
for _ in range(int(sys.argv[4])):
    if os.fork() == 0:
        child()
    os.wait()
"""


def read_all(connections, size):
    for c in connections:
        got = 0
        while part := c.recv(65536):
            got += len(part)
        expect(got == size, f"{got} of {size} bytes")
        c.close()


def last_words(b, s):
    """what a program has written before it ends arrives, even if the peer takes longer than a stack without programs waits"""
    size, name = 150000, os.path.join(b.tmp, "last")
    n = 8  # with two lcores, half of them have their frames arrive at the other one's queue
    s.kill()  # the device is needed
    with socket.socket() as listener, contextlib.ExitStack() as connections:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        listener.bind(("", 0))
        listener.listen()
        listener.settimeout(20 * b.slow)
        with subprocess.Popen(["ip", "netns", "exec", b.server_ns, os.path.join(b.build, "app", "run", "percore-run"), *b.eal(),
                               "--addr", f"{SERVER}/{PREFIX}", "--socket", name, "--set", f"run.control={name}.control", "--",
                               "python3", "-c", LAST_WORDS, CLIENT,
                               str(listener.getsockname()[1]), str(size), str(n)]) as p:
            wait_for(lambda: os.path.exists(name), 20 * b.slow, "the stack to begin")
            if b.backend == "tap":
                b._setup_client()
            peers = [connections.enter_context(listener.accept()[0]) for _ in range(n)]
            for c in peers:
                c.settimeout(10 * b.slow)
            expect(p.wait(10 * b.slow) == 0, f"status {p.returncode}")
            shown = sh(b.path("percore-ctl"), name + ".control", "socket", "show").stdout
            on = {int(port): lcore for port, lcore in re.findall(rf":(\d+) .*{CLIENT}:.* lcore (\d+)", shown)}
            peers.sort(key=lambda c: on[c.getpeername()[1]])
            time.sleep(4)
            read_all(peers[:n // 2], size)
            time.sleep(1)  # the last lcore's connections are still open as the others' have ended
            read_all(peers[n // 2:], size)
    wait_for(lambda: not os.path.exists(name), 10 * b.slow, "the stack to end")


def lcores_in_turn(b, s):
    """processes that make one connection each use all lcores"""
    text = "import socket, sys, time; c = socket.create_connection((sys.argv[1], sys.argv[2])); print('connected'); time.sleep(60)"
    with socket.create_server((CLIENT, 0)) as peer, contextlib.ExitStack() as programs:
        port = peer.getsockname()[1]
        for _ in range(2 * b.lcores):
            programs.enter_context(script(b, text, CLIENT, port, ready=says("connected")))
        shown = sh(b.path("percore-ctl"), f"{b.tmp}/control", "socket", "show").stdout
        on = re.findall(rf"{CLIENT}:{port}\b.* lcore (\d+)", shown)
        expect(len(on) == 2 * b.lcores and len(set(on)) == b.lcores, f"lcores {on}\n{shown}")


def tidy(b, s):
    """percore-run with SIGCHLD ignored; --print leaves nothing; sockets of stacks that were killed go; --rules DIR"""
    home = os.path.join(b.tmp, "home")
    os.mkdir(home)

    def here(*words, run=home, **kw):
        # each user other than root has a place of his own
        return sh("ip", "netns", "exec", b.server_ns, "env", "XDG_RUNTIME_DIR=" + run, "setpriv", "--reuid=65534",
                  os.path.join(b.build, "app", "run", "percore-run"), *words, "--", "true", check=False, **kw)
    os.chown(home, 65534, -1)
    out = here("--no-huge", "--print")
    expect(out.returncode == 0 and "/percore/run-" in out.stdout, f"{out.returncode} {out.stdout}{out.stderr}")
    expect(os.listdir(home) == [], f"--print leaves {os.listdir(home)}")
    for run in ("", "run/user"):  # no absolute path: as if there were none
        out = here("--no-huge", "--print", run=run)
        expect(out.returncode == 0 and " /tmp/percore-65534/run-" in out.stdout, f"{run}: {out.returncode} {out.stdout}{out.stderr}")
    bad = here("--rules", b.tmp, "--print")
    expect(bad.returncode == 2 and "directory" in bad.stderr, f"{bad.returncode} {bad.stderr}")
    os.mkdir(os.path.join(home, "percore"), 0o700)
    os.chown(os.path.join(home, "percore"), 65534, -1)
    name = os.path.join(home, "percore", "run-999999999")
    socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).bind(name)
    here("--set", "tcp.nonsense=1")
    expect(not os.path.exists(name), "the socket of a killed stack stays")
    started = sh("ip", "netns", "exec", b.server_ns, "env", "--ignore-signal=SIGCHLD",
                 os.path.join(b.build, "app", "run", "percore-run"), *b.eal(), "--addr", f"{SERVER}/{PREFIX}",
                 "--socket", os.path.join(b.tmp, "ignored"), "--", "true", check=False)
    expect(started.returncode == 0, f"with SIGCHLD ignored: {started.returncode} {started.stderr}")


def types(b, s):
    """--proc-type: whoever comes first starts the stack, the others use it; strict ones say what is missing"""
    def here(kind, *words):
        return ["ip", "netns", "exec", b.server_ns, "env", "XDG_RUNTIME_DIR=" + b.tmp,
                os.path.join(b.build, "app", "run", "percore-run"), *b.eal(), "--addr", f"{SERVER}/{PREFIX}",
                "--proc-type=" + kind, "--proc-id=0", "--socket", os.path.join(b.tmp, "typed"), "--", *words]
    lonely = sh(*here("secondary", "true"), check=False)
    expect(lonely.returncode == 2 and "no stack process is listening" in lonely.stderr, lonely.stderr)
    text = "import socket, sys, time; l = socket.create_server(('', int(sys.argv[1]))); print('bound', flush=True); time.sleep(60)"
    both = [subprocess.Popen(here(kind, "python3", "-c", text, port), stdout=subprocess.PIPE, text=True)
            for kind, port in (("auto", "81"),)]
    try:
        expect(both[0].stdout.readline() == "bound\n", "the first has no stack")
        both.append(subprocess.Popen(here("auto", "python3", "-c", text, "82"), stdout=subprocess.PIPE, text=True))
        expect(both[1].stdout.readline() == "bound\n", "the second has no stack")
        second = sh(*here("primary", "true"), check=False)
        expect(second.returncode == 2 and "already listening" in second.stderr, f"a second primary: {second}")
        busy = sh(*here("secondary", "python3", "-c", text, "81"), check=False)
        expect("Address already in use" in busy.stderr, f"it is on another stack: {busy.stderr}")
    finally:
        for p in both:
            p.terminate()
            p.wait()
    wait_for(lambda: not os.path.exists(os.path.join(b.tmp, "typed")), 10 * b.slow, "the stack to end")


STEPS = [inherited, busy_exec, past_static, kill_program, privileges, lcores_in_turn, kill_stack, one_command, last_words, tidy, types]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("ethtool")
    bed.main(args, STEPS, start)
