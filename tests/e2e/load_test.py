#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-load: against percore's programs over shared memory, against the kernel over TAP, and what it
says about mistakes. The steps over TAP need root and are left out without."""
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import bed

SERVER, FIRST = "192.0.2.1", "192.0.2.2"
SERVER6, FIRST6 = "2001:db8::1", "2001:db8::2"
# each server serves its rows one after the other
ROWS = {
    "echo": [
        ("echo", []),
        ("echo", ["--depth", "4", "--size", "2000", "--set", "load.timestamps=1"]),
        ("echo", ["--rate", "2000"]),
        ("echo", ["--set", "load.loss_ppm=5000"]),
        ("connrate", []),
        ("hold", ["--conns", "2000", "--set", "load.check_all=1", "--set", "load.sample=1000"]),
        ("bulk-in", ["--conns", "2"]),
        ("bulk-out", ["--conns", "2"]),
        ("bulk-in", ["--conns", "2", "--set", "load.loss_ppm=10000"]),
        ("bulk-out", ["--conns", "2", "--set", "load.loss_ppm=10000", "--set", "load.timestamps=1"]),
        ("udp", ["--depth", "2"]),
        ("echo", ["--sizes", "1-200:9,2000-9000:1", "--depth", "2"]),
        ("echo", ["--conns", "500", "--busy", "10", "--slow", "20"]),
        ("ask", ["--port", "7", "--ask", "GET percore   \\r\\n", "--slow", "5"]),
        ("echo", ["--rate", "5000", "--burst", "10"]),
        ("echo", ["--set", "load.loss_in_ppm=5000"]),
    ],
    "httpd": [
        ("http", ["--path", "/file", "--depth", "4"]),
        ("connrate", ["--http", "1", "--path", "/file", "--port", "80"]),
    ],
    "null": [
        ("echo", []),
        ("ping", ["--size", "1518"]),
    ],
    "echo6": [
        ("echo", []),
        ("connrate", []),
    ],
    "httpd6": [
        ("http", ["--path", "/file"]),
    ],
}


def eal(tmp, role, mac, cpu):
    return ["-l", str(cpu), "--no-huge", "--no-shconf", "-m", "512", "--no-pci", "--no-telemetry",
            "--log-level=4", f"--vdev=net_memif0,role={role},id=0,socket={tmp}/memif.sock,"
            f"socket-abstract=no,mac={mac}"]


def result(out):
    lines = [x for x in out.splitlines() if x.startswith("{")]
    bed.expect(lines, "no result: " + out[-2000:])
    return json.loads(lines[-1])


def server_command(args, tmp, kind, cpu):
    # waiting for the next load, it leaves the CPU to others
    common = eal(tmp, "server", "02:00:00:00:00:01", cpu) + ["--", "--set", "run.idle=3"]
    address = ["--addr", SERVER6 + "/64" if kind.endswith("6") else SERVER + "/24"]
    if kind == "null":
        return [f"{args.build}/app/load/percore-load", *common, "--mode", "null"]
    if kind.startswith("httpd"):
        os.makedirs(f"{tmp}/root", exist_ok=True)
        with open(f"{tmp}/root/file", "wb") as f:
            f.write(os.urandom(700))
        return [f"{args.build}/app/httpd/percore-httpd", *common, *address, "--root", f"{tmp}/root", *bed.FEW_MBUFS]
    return [f"{args.build}/app/echo/percore-echo", *common, *address, "--listen", "7", "--discard", "9",
            "--source", "19", *bed.FEW_MBUFS]


@contextlib.contextmanager
def serving(args, tmp, kind, cpu):
    """A server that is ready."""
    with open(f"{tmp}/out", "w+", encoding="utf-8") as out:
        server = subprocess.Popen(server_command(args, tmp, kind, cpu), stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            bed.wait_for(lambda: server.poll() is not None or "ready" in open(f"{tmp}/out").read(), 40 * args.slow, kind)
            yield
        finally:
            server.kill()
            server.wait()


def drive(args, tmp, kind, mode, options, cpu):
    """Runs one load, and returns how it has ended."""
    first, server = (FIRST6 + "/64", SERVER6) if kind.endswith("6") else (FIRST + "/24", SERVER)
    return subprocess.run(
        [f"{args.build}/app/load/percore-load", *eal(tmp, "client", "02:00:00:00:00:02", cpu), "--", "--addr", first,
         "--server", server, "--mode", mode, "--conns", "20", "--seconds", "0.2", "--warm", "0.05", *bed.FEW_MBUFS, *options],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=40 * args.slow)


def over_memif(args):
    """Every mode over shared memory"""
    cpus = sorted(os.sched_getaffinity(0))
    for kind, rows in ROWS.items():
        with tempfile.TemporaryDirectory(prefix="percore-e2e-") as tmp, serving(args, tmp, kind, cpus[0]):
            for mode, options in rows:
                r = drive(args, tmp, kind, mode, options, cpus[-1])
                title = f"{mode} {' '.join(options)} on {kind}"
                bed.expect(r.returncode == 0, f"{title}: status {r.returncode}\n{r.stdout[-1500:]}{r.stderr[-1500:]}")
                row = result(r.stdout)
                bed.expect(row["ok"] and row["answers_s"] + row["in_gbps"] + row["out_gbps"] > 0, f"{title}: {row}")


def mistakes(args):
    """Each mistake gives one line and status 2"""
    rows = [
        (["--mode", "nonsense"], 'unknown mode "nonsense"'),
        (["--server", "nobody"], "not an IPv4 or IPv6 unicast address"),
        (["--sizes", "5-"], "not a distribution of sizes"),
        (["--mode", "http", "--sizes", "5-9"], "valid only with echoes"),
        (["--mode", "ask", "--ask", "PING\\r\\n"], "power of two"),
        (["--mode", "ask", "--ask", "\\q"], "not a valid escape"),
        (["--mode", "ask", "--ask", "PING"], "--port"),
        (["--mode", "ask", "--port", "7"], "--ask"),
        (["--ask", "PING"], "mode ask"),
        (["--mode", "connrate", "--depth", "2"], "--depth is valid only with"),
        (["--mode", "bulk-in", "--http", "1"], "connrate and hold"),
        (["--set", "load.close=1"], "mode connrate"),
        (["--set", "load.answer_ms=240001"], "240000"),
        (["--mode", "hold", "--busy", "5"], "--busy is valid only with"),
        (["--busy", "60", "--slow", "10"], "--conns minus --slow"),
        (["--mode", "connrate", "--slow", "5"], "--slow is valid only with"),
        (["--slow", "64"], "leaves no connection"),
        (["--burst", "5"], "--burst requires a --rate"),
        (["--burst", "5", "--rate", "100"], "multiple of --burst"),
        (["--set", "load.skew=100"], "mode hold"),
        (["--addr", "2001:db8::2/64", "--server", "192.0.2.9"], "different address families"),
        (["--addr", "2001:db8::2/64", "--server", "2001:db8::1", "--flood", "syn"], "requires an IPv4 --server"),
        (["--server", "192.0.2.9"], "requires --addr"),
        (["--addr", "192.0.2.2/24"], "--server"),
        (["--addr", "192.0.2.2/24", "--server", "198.51.100.1"], "--gateway"),
        (["--addr", "192.0.2.2/24", "--server", "192.0.2.9", "--rate", "5", "--depth", "2"], "--depth"),
        (["--mode", "tx", "--size", "20"], "64 to 1518"),
        (["--conns", "0"], "conns"),
        (["--path", "no-slash"], "not an absolute path"),
        (["--path", "/index.html"], "valid only with HTTP"),
        (["--mode", "bulk-out", "--rate", "5"], "--rate is not valid with modes hold"),
        (["--mode", "hold", "--rate", "5"], "load.sample"),
        (["--mode", "pong", "--rate", "5"], "--rate is not valid"),
        (["--mac", "00:00:00:00:00:00"], "not a MAC address"),
        (["--addr", "192.0.2.2/24", "--server", "192.0.2.255"], "addresses of hosts"),
        (["--addr", "192.0.2.0/24", "--server", "192.0.2.9"], "addresses of hosts"),
    ]
    def judge(row):
        options, words = row
        r = subprocess.run([f"{args.build}/app/load/percore-load", "-l", "0", "--no-huge", "--no-shconf", "-m", "256",
                            "--no-pci", "--vdev=net_null0", "--", *options], stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=60 * args.slow)
        bed.expect(r.returncode == 2 and words in r.stderr and len(r.stderr.strip().splitlines()) == 1,
                   f"{' '.join(options)}: status {r.returncode}: {r.stderr}")

    with ThreadPoolExecutor(2 * len(os.sched_getaffinity(0))) as pool:
        list(pool.map(judge, rows))


def nobody(args):
    """A server that does not answer ends it with status 1 and a line that says so"""
    r = subprocess.run([f"{args.build}/app/load/percore-load", "-l", "0", "--no-huge", "-m", "256", "--no-pci",
                        "--vdev=net_ring0", "--", "--addr", "192.0.2.2/24", "--server", SERVER, "--set",
                        "load.wait_ms=300"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       timeout=60 * args.slow)
    bed.expect(r.returncode == 1 and "ARP" in r.stderr, f"status {r.returncode}: {r.stderr}")


def full_disk(args):
    """A result that cannot be written ends it with status 1 and a line that says so"""
    with open("/dev/full", "w") as full:
        r = subprocess.run([f"{args.build}/app/load/percore-load", "-l", "0", "--no-huge", "--no-shconf", "-m", "256", "--no-pci",
                            "--vdev=net_null0", "--", "--mode", "tx", "--warm", "0", "--seconds", "0.1"],
                           stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60 * args.slow)
    bed.expect(r.returncode == 1 and "cannot write the result" in r.stderr, f"status {r.returncode}: {r.stderr}")


def full_pipe():
    """Returns the two ends of a full pipe."""
    end, out = os.pipe()
    again = os.open(f"/proc/self/fd/{out}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        while True:
            os.write(again, b"x" * 4096)
    except BlockingIOError:
        os.close(again)
    return end, out


def asked(args):
    """SIGUSR1 has it tell what it does, and go on; lines that nobody reads hold nothing up"""
    end, out = full_pipe()
    try:
        p = subprocess.Popen([f"{args.build}/app/load/percore-load", "-l", "0", "--no-huge", "--no-shconf", "-m", "256", "--no-pci",
                              "--vdev=net_null0", "--", "--mode", "tx", "--rate", "1000", "--warm", "0", "--seconds", "2"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=out, text=True)
        patience = threading.Timer(60 * args.slow, p.kill)
        patience.start()
        try:
            text = ""
            while not text.endswith("ready\n"):
                line = p.stdout.readline()
                bed.expect(line, "it does not start: " + text)
                text += line
            time.sleep(0.5)
            p.send_signal(signal.SIGUSR1)
            told = p.stdout.readline()
            rest = p.stdout.read()
            p.wait()
        finally:
            patience.cancel()
            p.kill()
            p.wait()
    finally:
        os.close(end)
        os.close(out)
    bed.expect(p.returncode == 0 and told.startswith("tx: run, for "), f"status {p.returncode}: {told}{rest}")
    bed.expect(rest.count("\ntx: ") + rest.startswith("tx: ") == 2, f"no result of both: {told}{rest}")
    row = result(rest)
    bed.expect(rest.endswith("}\n") and row["ok"] and 1.9 < row["seconds"] < 2.5 and row["tx_frames_s"] > 900, f"{row}")


def frames_at(args, rate):
    """Sends frames to a TAP in a namespace for 2 s; returns the reported rate, and the kernel's
    count."""
    ns = f"pcl{os.getpid()}"
    bed.sh("ip", "netns", "add", ns)
    try:
        bed.sh("ip", "netns", "exec", ns, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", check=False)
        process = subprocess.Popen(
            ["ip", "netns", "exec", ns, f"{args.build}/app/load/percore-load", "-l",
             str(sorted(os.sched_getaffinity(0))[-1]), "--no-huge", "--no-shconf", "-m", "256", "--no-pci",
             "--vdev=net_tap0,iface=pcload0", "--", "--mode", "tx", "--rate", str(rate), "--seconds", "1",
             "--warm", "1"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True)
        path = "/sys/class/net/pcload0/statistics/rx_packets"
        count = 0
        while process.poll() is None:
            r = bed.sh("ip", "netns", "exec", ns, "cat", path, check=False)
            count = int(r.stdout) if r.returncode == 0 else count
        out, err = process.communicate()
        bed.expect(process.returncode == 0, f"status {process.returncode}: {err}")
        return result(out)["tx_frames_s"], count
    finally:
        bed.sh("ip", "netns", "del", ns, check=False)


def over_tap(args):
    """Frames at a rate, counted by the kernel: within 1 %"""
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        print("    left out: needs root and /dev/net/tun")
        return
    for _ in range(3):  # another process may run on the core at the end of the second
        rate, count = frames_at(args, 20000)
        if abs(rate - 20000) <= 200:
            break
    bed.expect(abs(rate - 20000) <= 200, f"{rate} frames/s instead of 20000")
    # 2 s in total; the counter is last read a little early
    bed.expect(35000 <= count <= 40400, f"the kernel has counted {count}")


SILENT = "import socket, time; s = socket.create_server(('', 7), backlog=1000); print('ready', flush=True); time.sleep(3600)"


def silent(args):
    """A server of the kernel that acknowledges and never answers: connections time out and are replaced"""
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        print("    left out: needs root and /dev/net/tun")
        return
    ns = f"pcs{os.getpid()}"
    run = ("ip", "netns", "exec", ns)
    bed.sh("ip", "netns", "add", ns)
    processes = []
    try:
        bed.sh(*run, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", check=False)
        processes.append(subprocess.Popen([*run, sys.executable, "-c", SILENT], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True))
        bed.expect(processes[0].stdout.readline() == "ready\n", "the silent server does not start")
        processes.append(subprocess.Popen(
            [*run, f"{args.build}/app/load/percore-load", "-l", str(sorted(os.sched_getaffinity(0))[-1]), "--no-huge", "--no-shconf",
             "-m", "256", "--no-pci", "--vdev=net_tap0,iface=pcload1", "--", "--addr", FIRST + "/24", "--server", SERVER, "--mode",
             "connrate", "--conns", "20", "--seconds", "2", "--set", "load.answer_ms=300"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        bed.wait_for(lambda: processes[1].poll() is not None or bed.sh(
            *run, "ip", "addr", "replace", SERVER + "/24", "dev", "pcload1", check=False).returncode == 0, 30 * args.slow, "the TAP")
        bed.sh(*run, "ip", "link", "set", "pcload1", "up")
        out, err = processes[1].communicate(timeout=60 * args.slow)
        row = result(out)
        bed.expect(processes[1].returncode == 1 and row["timed_out"] >= 60 and row["answers_s"] == 0 and row["latency_us"]["p50"] >= 300000,
                   f"status {processes[1].returncode}: {row}\n{err}")
        bed.expect(" timed out, " in err and f"FAULT: {row['timed_out']} connections that waited" in out, out + err)
    finally:
        for process in processes:
            process.kill()
            process.wait()
        bed.sh("ip", "netns", "del", ns, check=False)


def main():
    args = bed.arguments(__doc__)
    failed = 0
    for step in (mistakes, nobody, full_disk, asked, over_memif, over_tap, silent):
        if args.only and args.only not in step.__name__:
            continue
        try:
            step(args)
            verdict = "ok"
        except (bed.Failure, subprocess.SubprocessError, OSError, ValueError) as e:
            failed += 1
            verdict = "FAILED"
            print(f"    {e}")
        print(f"{verdict:6} {step.__name__}: {step.__doc__}", flush=True)
    sys.exit(1 if failed else 0)


main()
