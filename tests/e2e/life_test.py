#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Beginnings and ends: signals under load, kills, restarts, two at once; nothing is left behind."""
import contextlib
import fcntl
import os
import re
import signal
import socket
import struct
import subprocess
import termios
import time

import bed
from bed import SERVER, expect, sh, wait_for


def start(b):
    root = os.path.join(b.tmp, "root")
    os.mkdir(root)
    open(os.path.join(root, "index.html"), "w").write("hello\n" * 100)
    for name, size in (("400k.bin", 400 << 10), ("8m.bin", 8 << 20)):
        with open(os.path.join(root, name), "wb") as f:
            f.write(os.urandom(size))
    return root


def httpd(b, root, *more):
    return b.start("percore-httpd", "--listen", "80", "--root", root, *more)


def works():
    """Fetches the page. The kernel gives up on a neighbour after three seconds, for which a busy
    machine may stall."""
    return wait_for(lambda: sh("curl", "-sS", "--max-time", 10, f"http://{SERVER}/", check=False).stdout == "hello\n" * 100,
                    10, "the page")


def load(seconds):
    """Starts wrk, and waits until it is connected: connections to a server that has gone would wait
    for minutes."""
    w = subprocess.Popen(["wrk", "-t1", "-c50", f"-d{seconds}s", f"http://{SERVER}:80/"],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    wait_for(lambda: w.poll() is not None or
             sh("ss", "-Htn", "state", "established", "dst", f"{SERVER}:80").stdout.count("\n") >= 50, 20, "wrk to connect")
    return w


def finish_load(w):
    """Waits for the load, which must have been a real one."""
    out, _ = w.communicate(timeout=40)
    expect(w.returncode == 0 and " 0 requests in" not in out, f"wrk: {out}")


def devices(b):
    return sh("ip", "netns", "exec", b.server_ns, "ip", "-br", "link").stdout


def manager(b, root):
    """a service manager (NOTIFY_SOCKET) is told, once, when the program serves"""
    path = os.path.join(b.tmp, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as m:
        m.bind(path)
        m.settimeout(5 * b.slow)
        os.environ["NOTIFY_SOCKET"] = path
        try:
            p = httpd(b, root)
        finally:
            del os.environ["NOTIFY_SOCKET"]
        expect(m.recv(100) == b"READY=1", "it says something else")
        works()
        p.stop()
        m.setblocking(False)
        try:
            expect(False, f"and {m.recv(100)}")
        except BlockingIOError:
            pass


def term_under_load(b, root):
    """SIGTERM while wrk is at it: an orderly end, status 0"""
    p = httpd(b, root)
    w = load(2)
    time.sleep(0.5)
    p.signal(signal.SIGTERM)
    status = p.wait(15)
    finish_load(w)
    expect(status == 0, f"status {status}\n{p.tail()}")
    expect("pctap" not in devices(b), "the TAP port is still there")


def drain(b, root):
    """a download that is under way at SIGTERM is finished, a new connection is refused"""
    p = httpd(b, root)

    def refused():
        try:
            socket.create_connection((SERVER, 80), 1).close()
        except ConnectionRefusedError:
            return True
        except OSError:  # the process has gone
            pass
        return False

    with subprocess.Popen(["curl", "-sS", "--limit-rate", "4M", "--max-time", "30", f"http://{SERVER}/8m.bin"],
                          stdout=subprocess.PIPE) as download:
        got = download.stdout.read(1)
        p.signal(signal.SIGTERM)
        wait_for(lambda: refused() or not p.alive(), 20, "a connection to be refused while draining")
        expect(p.alive(), "no connection was refused while draining")
        got += download.stdout.read()
    status = p.wait(30)
    expect(got == open(os.path.join(root, "8m.bin"), "rb").read(), f"the download had {len(got)} bytes")
    expect(status == 0, f"status {status}\n{p.tail()}")


def drain_slow_reader(b, root):
    """a response that is all queued at SIGTERM still reaches a reader that takes its time"""
    p = httpd(b, root)
    with socket.socket() as c:
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        c.settimeout(10 * b.slow)
        c.connect((SERVER, 80))
        c.sendall(b"GET /400k.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        got = c.recv(1)
        p.signal(signal.SIGTERM)
        time.sleep(1)
        while part := c.recv(65536):
            got += part
            time.sleep(0.005)
    status = p.wait(15)
    expect(got.endswith(open(os.path.join(root, "400k.bin"), "rb").read()),
           f"the response had {len(got)} bytes")
    expect(status == 0, f"status {status}\n{p.tail()}")


def interrupt(b, root):
    """SIGINT (Ctrl-C) ends in order too, with idle connections open"""
    p = httpd(b, root)
    with socket.create_connection((SERVER, 80), 5), socket.create_connection((SERVER, 80), 5):
        p.signal(signal.SIGINT)
        status = p.wait(15)
    expect(status == 0, f"status {status}\n{p.tail()}")


def wake_ups(p):
    """Returns how often the main lcore has gone to sleep."""
    status = open(f"/proc/{p.pid}/status").read()
    return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", status, re.M).group(1))


def idle(b, root):
    """nothing to do: the lcore sleeps until frames interrupt it, and then it is there; alone, and serving processes"""
    for more in ([], ["--set", "run.sockets=" + os.path.join(b.tmp, "idle.sock")]):
        p = httpd(b, root, *more)
        expect(works(), "it does not serve")
        time.sleep(1)  # for the connection to end
        before = wake_ups(p)
        time.sleep(1)
        n = wake_ups(p) - before
        print(f"    {n} wake-ups in a second")
        # others do not interrupt
        expect(n < 150 or b.backend != "tap", "an idle lcore looks for frames")
        for _ in range(10):
            time.sleep(0.03)
            expect(works(), "a request that finds it asleep")
        p.stop()


def hang_up(b, root):
    """SIGHUP under load reads the config file again: what can change does, nothing stops"""
    ini = os.path.join(b.tmp, "hang-up.ini")
    write = lambda text: open(ini, "w").write(text)  # noqa: E731
    write("[tcp]\nmsl_ms = 1000\nsyn_cache = 1000\n")
    p = httpd(b, root, "-c", ini)
    w = load(2)
    time.sleep(0.5)
    write("[tcp]\nmsl_ms = 2000\nsyn_cache = 2000\n[http]\nrequests = 7\n")
    p.signal(signal.SIGHUP)
    bed.wait_for(lambda: "settings reloaded" in p.tail(), 10, "the settings to be read")
    for line in ("tcp.msl_ms = 2000 (was 1000)", "tcp.syn_cache = 2000 requires a restart; keeping 1000",
                 "http.requests = 7 requires a restart; keeping 0"):
        expect(line in p.tail(), f"no line \"{line}\" in\n{p.tail()}")
    write("[tcp]\nmsl_ms = 0\n")
    p.signal(signal.SIGHUP)
    bed.wait_for(lambda: "nothing changed" in p.tail(), 10, "the mistake to be told")
    expect(f"{ini}:2: tcp.msl_ms: 0 is out of range (10 to 240000 ms)" in p.tail(), p.tail())
    finish_load(w)
    expect(works(), "it does not serve any more")
    p.stop()


def report(b, root):
    """SIGUSR1 prints the counters, under load and from one that sleeps, and nothing stops"""
    p = httpd(b, root)
    w = load(1)
    time.sleep(0.3)
    p.signal(signal.SIGUSR1)
    bed.wait_for(lambda: "counters of percore-httpd" in p.out(), 10, "the counters")
    finish_load(w)
    time.sleep(1)
    p.signal(signal.SIGUSR1)
    bed.wait_for(lambda: "tcp_opened_passive" in p.out().split("counters of percore-httpd")[-1], 10, "the counters once more")
    expect(works(), "it does not serve any more")
    p.stop()


def output_that_nobody_reads(b, root):
    """nobody reads what SIGUSR1 prints to a pipe: the program serves on, and ends"""
    command = [b.path("percore-httpd"), *b.eal(), "--", "--addr", f"{SERVER}/24", "--listen", "80", "--root", root,
               "--stats", "1", *bed.FEW_MBUFS]
    p = subprocess.Popen(["ip", "netns", "exec", b.server_ns, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    try:
        for line in p.stdout:
            if line.endswith("ready\n"):
                break
        fcntl.fcntl(p.stdout, fcntl.F_SETPIPE_SZ, 4096)
        b._setup_client()
        for _ in range(6):
            expect(works(), "it does not serve")
            p.send_signal(signal.SIGUSR1)
            time.sleep(0.5)
        full = struct.unpack("i", fcntl.ioctl(p.stdout, termios.FIONREAD, bytes(4)))[0]
        expect(full > 500, f"the pipe has {full} bytes")
        for _ in range(3):
            expect(works(), "it stands still")
            p.send_signal(signal.SIGUSR1)
            time.sleep(0.2)
        p.send_signal(signal.SIGTERM)
        time.sleep(1)
        out, err = p.communicate(timeout=20 * b.slow)
        expect(p.returncode == 0 and "counters of percore-httpd" in out, f"status {p.returncode}\n{out}{err}")
    finally:
        p.kill()
        p.wait()


def log_that_nobody_reads(b, root):
    """nobody reads what the firewall logs to a pipe: the program serves on, what is under way at SIGTERM is finished, and it ends"""
    rules = os.path.join(b.tmp, "rules")
    with open(rules, "w", encoding="ascii") as f:
        f.write("drop in proto udp log\n")
    command = [b.path("percore-httpd"), *b.eal(), "--", "--addr", f"{SERVER}/24", "--listen", "80", "--root", root,
               "--set", f"firewall.rules={rules}", "--set", "firewall.log_rate=1000", *bed.FEW_MBUFS]
    p = subprocess.Popen(["ip", "netns", "exec", b.server_ns, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    try:
        for line in p.stdout:
            if line.endswith("ready\n"):
                break
        fcntl.fcntl(p.stdout, fcntl.F_SETPIPE_SZ, 4096)
        b._setup_client()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
            for _ in range(30):
                for _ in range(10):
                    u.sendto(b"x", (SERVER, 9))
                time.sleep(0.1)
        full = struct.unpack("i", fcntl.ioctl(p.stdout, termios.FIONREAD, bytes(4)))[0]
        expect(full > 200, f"the pipe has {full} bytes")
        expect(works(), "it does not serve")
        with socket.create_connection((SERVER, 80), 10 * b.slow) as c:
            c.sendall(b"GET /8m.bin HTTP/1.1\r\nHost: x\r\n\r\n")
            got = c.recv(1)
            p.send_signal(signal.SIGTERM)
            time.sleep(3)  # it has said that it is waiting
            while part := c.recv(1 << 16):
                got += part
        with open(os.path.join(root, "8m.bin"), "rb") as f:
            expect(got.endswith(f.read()), f"the response had {len(got)} bytes")
        try:
            status = p.wait(15 * b.slow)
        except subprocess.TimeoutExpired:
            raise bed.Failure("it does not end") from None
        expect(status == 0, f"status {status}\n{p.stderr.read()}")
    finally:
        p.kill()
        p.wait()


def hang_up_that_nobody_reads(b, root):
    """nobody reads what SIGHUP prints to a pipe: the file is read each time, and the program ends"""
    ini = os.path.join(b.tmp, "unread.ini")

    def write(text):
        with open(ini, "w", encoding="ascii") as f:
            f.write(text)

    def serves():
        try:
            socket.create_connection((SERVER, 80), 1).close()
        except OSError:
            return False
        return True

    write("[tcp]\nmsl_ms = 1000\n")
    command = [b.path("percore-httpd"), *b.eal(), "--", "--addr", f"{SERVER}/24", "--listen", "80", "--root", root, "-c", ini,
               *bed.FEW_MBUFS]
    r, w = os.pipe()
    # a pipe is opened anew, as the program's end of it must keep blocking
    filler = os.open(f"/proc/self/fd/{w}", os.O_WRONLY | os.O_NONBLOCK)
    p = subprocess.Popen(["ip", "netns", "exec", b.server_ns, *command], stdin=subprocess.DEVNULL, stdout=w, stderr=w)
    try:
        out = b""
        while b"ready\n" not in out:
            out += os.read(r, 4096)
        b._setup_client()
        expect(works(), "it does not serve")
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(filler, b"x")
        write("[tcp]\nmsl_ms = 2000\n")
        p.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        write(f"[net]\ndeny = {bed.CLIENT}\n")
        p.send_signal(signal.SIGHUP)
        wait_for(lambda: not serves(), 20, "the client to be denied")
        write("[tcp]\nmsl_ms = 3000\n")
        p.send_signal(signal.SIGHUP)
        wait_for(serves, 20, "the client to be served again")
        p.send_signal(signal.SIGTERM)
        try:
            status = p.wait(15 * b.slow)
        except subprocess.TimeoutExpired:
            raise bed.Failure("it does not end") from None
        expect(status == 0, f"status {status}")
    finally:
        p.kill()
        p.wait()
        for fd in (r, w, filler):
            os.close(fd)


def kill_and_restart(b, root):
    """after SIGKILL under load a restart takes no longer than a start"""
    begin = time.monotonic()
    p = httpd(b, root)
    first = time.monotonic() - begin
    w = load(1)
    time.sleep(0.5)
    p.kill()
    begin = time.monotonic()
    p = httpd(b, root)
    expect(works(), "the restarted program does not serve")
    seconds = time.monotonic() - begin
    finish_load(w)
    print(f"       {seconds:.1f} s until the first page, {first:.1f} s until ready before")
    expect(seconds < 10 * b.slow + 5 * first, f"{seconds:.1f} s until the first page")
    p.stop()


def crash(b, root):
    """after SIGSEGV the devices are the kernel's again and a restart works"""
    p = httpd(b, root)
    os.kill(p.pid, signal.SIGSEGV)
    p.process.wait(20)
    if b.backend == "tap":
        bed.wait_for(lambda: "pctap" not in devices(b), 5, "the TAP port to go")
    p = httpd(b, root)
    expect(works(), "the restarted program does not serve")
    p.stop()


def again(b, root):
    """six times start and stop"""
    for _ in range(int(6 / b.slow)):
        p = httpd(b, root)
        expect(works(), "it does not serve")
        p.stop()


def nobody_left(b, root):
    """no process and no device is left in the namespace"""
    left = []
    for pid in sh("ip", "netns", "pids", b.server_ns).stdout.split():
        try:
            left.append(open(f"/proc/{pid}/comm").read().strip())
        except FileNotFoundError:
            pass  # the ip command itself
    expect(not [name for name in left if name.startswith("percore")], f"processes {left}")
    expect("pctap" not in devices(b), devices(b))


STEPS = [manager, term_under_load, drain, drain_slow_reader, interrupt, idle, hang_up, report, output_that_nobody_reads, log_that_nobody_reads,
         hang_up_that_nobody_reads, kill_and_restart, crash, again, nobody_left]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("curl", "wrk", "ethtool")
    bed.main(args, STEPS, start)
