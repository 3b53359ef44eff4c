#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Set-up mistakes: each gives one line that says what is wrong and how to mend it, and status 2."""
import contextlib
import fcntl
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import bed

ADDR = ["--addr", "192.0.2.1/24"]
NULL = ["--vdev=net_null0"]


def table(tmp):
    """(what is wrong, EAL arguments, own arguments, what the line must name, environment)"""
    def config(text):
        name = os.path.join(tmp, f"c{len(os.listdir(tmp))}.ini")
        open(name, "w").write(text)
        return name

    echo = [
        ("an unknown option", NULL, [*ADDR, "--bogus"], "bogus"),
        ("an option without its argument", NULL, ["--addr"], "addr"),
        ("no address", NULL, [], "--addr"),
        ("a misspelt option in front of the dashes", [*NULL, "--adr", "192.0.2.1/24"], [], "unknown option --adr;"),
        ("an address in front of the dashes", [*NULL, *ADDR], [], "--addr is an option of percore-echo"),
        ("an address that is none", NULL, ["--addr", "192.0.2.300/24"], "192.0.2.300"),
        ("a prefix that is too long", NULL, ["--addr", "192.0.2.1/33"], "33"),
        ("a multicast address", NULL, ["--addr", "224.0.0.1/24"], "224.0.0.1"),
        ("an IPv6 address without a length", NULL, ["--addr", "2001:db8::1"], r"prefix length \(example: 2001:db8::1/64\)"),
        ("a MAC address that is none", NULL, [*ADDR, "--set", "net.mac=02:00:00:00:00"], "02:00:00:00:00.* not a unicast MAC"),
        ("a MAC address of a port that is not there", NULL, [*ADDR, "--set", "net.mac=1=02:00:00:00:00:01"], "net.mac.*the last port is 0"),
        ("a MAC address for the kernel's interface", ["--vdev=net_af_packet0,iface=lo"],
         [*ADDR, "--set", "net.mac=02:00:00:00:00:01"], "cannot change its MAC address; give its interface another: ip link"),
        ("a MAC address for a device that keeps its own", ["--vdev=net_memif0,role=server,socket-abstract=no,socket=" + tmp + "/m"],
         [*ADDR, "--set", "net.mac=02:00:00:00:00:01"], "cannot change its MAC address; give it one by mac=MAC"),
        ("an MTU beyond the ring's frames", ["--vdev=net_af_packet0,iface=lo"], [*ADDR, "--set", "port.mtu=9000"],
         "no room for an MTU of 9000 bytes: add framesz=9088,blocksz=2326528 to its --vdev"),
        ("an MTU beyond frames of a given size", ["--vdev=net_af_packet0,iface=lo,framesz=4096,blocksz=65536"],
         [*ADDR, "--set", "port.mtu=4013"], "add framesz=4112,blocksz=1052672 to its --vdev"),
        ("a gateway that is none", NULL, [*ADDR, "--gateway", "nowhere"], "nowhere"),
        ("our own address as the gateway", NULL, [*ADDR, "--gateway", "192.0.2.1"], "192.0.2.1: it is our own address"),
        ("a gateway beyond the network", NULL, [*ADDR, "--gateway", "198.51.100.1"], "198.51.100.1"),
        ("a port beyond 65535", NULL, [*ADDR, "--listen", "70000"], "70000"),
        ("a port that is no number", NULL, [*ADDR, "--listen", "http"], "http"),
        ("an unknown key", NULL, [*ADDR, "--set", "tcp.bogus=1"], "tcp.bogus"),
        ("a key without section", NULL, [*ADDR, "--set", "bogus=1"], "bogus"),
        ("a key without value", NULL, [*ADDR, "--set", "tcp.nagle"], "tcp.nagle"),
        ("a value that is no number", NULL, [*ADDR, "--set", "tcp.nagle=maybe"], "tcp.nagle"),
        ("a value beyond its limit", NULL, [*ADDR, "--set", "ip.ttl=256"], "ip.ttl.*255"),
        ("a value below its limit", NULL, [*ADDR, "--set", "tcp.retries=1"], "tcp.retries.*3"),
        ("values that contradict each other", NULL,
         [*ADDR, "--set", "tcp.port_first=5000", "--set", "tcp.port_last=4000"], "port_first"),
        ("more connections than memory", NULL, [*ADDR, "--set", "stack.max_connections=50000000"],
         "memory|max_connections"),
        ("a configuration file that is missing", NULL, [*ADDR, "-c", "/nonexistent.ini"],
         "/nonexistent.ini"),
        ("an unknown key in the file", NULL,
         [*ADDR, "-c", config("[tcp]\nnagle = 1\nbogus = 1\n")], r"bogus"),
        ("a value beyond its limit in the file", NULL,
         [*ADDR, "-c", config("[ip]\nttl = 999\n")], "ttl"),
        ("a line that makes no sense in the file", NULL, [*ADDR, "-c", config("[tcp]\nwhat\n")],
         r"\.ini"),
        ("less memory than the settings want", [*NULL, "-m", "64"],
         [*ADDR, "--set", "stack.max_connections=1000000"], "memory|MB"),
        ("no port", [], ADDR, "port|--vdev|-a"),
        ("a device that is unknown", ["--vdev=net_bogus0"], ADDR, "EAL|bogus|device|vdev"),
        ("a PCI address that is not there", ["-a", "0000:7f:1f.7"], ADDR, "port|-a|device"),
        ("an EAL option that is unknown", [*NULL, "--eal-bogus"], ADDR, "EAL|eal-bogus"),
        ("an lcore that is not there", [*NULL, "-l", "120"], ADDR, "lcore|EAL|-l"),
        ("one interface for two TAPs", ["--vdev=net_tap0,iface=pcnot2", "--vdev=net_tap1,iface=pcnot2"], ADDR,
         "two devices use the TAP interface pcnot2"),
        ("a misspelt argument of a TAP", ["--vdev=net_tap0,ifac=pcnot2"], ADDR, 'net_tap0,ifac=pcnot2: "ifac=pcnot2" is not an argument'),
        ("an argument of a TAP without its value", ["--vdev=net_tap0,iface"], ADDR, '"iface" is not an argument'),
        ("a device on an interface, without one", ["--vdev=net_af_packet0"], ADDR, "iface=NAME"),
        ("a memif whose socket is in a directory that is missing", ["--vdev=net_memif0,role=server,socket-abstract=no,socket=/nonexistent/m"],
         ADDR, "net_memif0: .*socket directory"),
        ("a memif without a role that it knows", ["--vdev=net_memif0,role=servant"], ADDR, "net_memif0: .*role: servant"),
        ("a NIC by the name of its interface", ["-a", "eth0"], ADDR, "-a a PCI address"),
        ("more ordinary memory than there is", [*NULL, "-m", "100000000"], ADDR, "lower -m"),
        ("more lcores than sockets of other processes can be on", [*NULL, f"--lcores=(0-16)@{min(os.sched_getaffinity(0))}", "-m", "1024"],
         [*ADDR, "--set", f"run.sockets={tmp}/s"], "17 lcores.*at most 16.*-l"),
        ("an interface that is no TAP", ["--vdev=net_tap0,iface=lo"], ADDR, "lo already.*not a TAP.*iface="),
    ]
    several = []
    if len(os.sched_getaffinity(0)) >= 2:
        cpus = sorted(os.sched_getaffinity(0))[:2]
        echo.append(("more lcores than queues",
                     ["--vdev=net_pcap0,iface=lo", "-l", f"{cpus[0]},{cpus[1]}"], ADDR,
                     "queue|lcore"))
        several = [(name, "more than one lcore", [*NULL, "-l", f"{cpus[0]},{cpus[1]}"], own, "one lcore.*-l") for name, own in (
            ("percore-load", [*ADDR, "--server", "192.0.2.2"]), ("percore-ping", [*ADDR, "--to", "192.0.2.2"]),
            ("percore-switch", []))]
    if os.geteuid() == 0:  # the TAP driver complains when it starts; that is not the cause
        echo.append(("a gateway beyond the network of a TAP", ["--vdev=net_tap0,iface=pcnot1"],
                     [*ADDR, "--gateway", "198.51.100.1"], "not on the network of any address$"))
    httpd = [
        ("a document root that is missing, in the file", NULL, [*ADDR, "-c", config("[http]\nroot = /nonexistent\n")], "/nonexistent"),
        ("a document root that is missing", NULL, [*ADDR, "--root", "/nonexistent"],
         "/nonexistent"),
        ("a document root that is a file", NULL, [*ADDR, "--root", "/etc/hostname"],
         "/etc/hostname"),
        ("a log in a directory that is missing", NULL, [*ADDR, "--access-log", "/nonexistent/log"], "/nonexistent/log: No such file"),
    ]
    load = [
        ("our own address as the server", NULL, [*ADDR, "--server", "192.0.2.1"], "--server is our own address"),
        ("an address by DHCP", NULL, ["--addr", "dhcp", "--server", "192.0.2.2"], "requires a stack"),
    ]
    switch = [
        ("firewall rules without a stack", [*NULL, "--vdev=net_null1"], ["--set", "firewall.rules=/nonexistent"], "programs with a stack"),
    ]
    ping = [
        ("a name that cannot be one", NULL, [*ADDR, "--to", "a..b", "--count", "1"], "a..b: Name or service not known"),
        ("a link-local address of a port that is not there", NULL, [*ADDR, "--to", "fe80::1%7", "--count", "1"], "there is no port 7"),
    ]
    link = [
        ("a link with one end", NULL, [], "even number"),
        ("a link whose other end is missing", [*NULL, "--vdev=net_null1", "--vdev=net_null2"], [], "even number"),
    ]
    return [("percore-link", *row) for row in link] + [("percore-echo", *row) for row in echo] + [("percore-httpd", *row) for row in httpd] + \
        [("percore-load", *row) for row in load] + [("percore-switch", *row) for row in switch] + [("percore-ping", *row) for row in ping] + several


def judge(build, name, eal, own, pattern, base=("--no-huge", "--no-shconf", "-m", "192"), **kw):
    """Returns what is wrong with the program's reaction, or None."""
    command = [os.path.join(build, "app", name.split("-")[1], name), *base, "--no-pci",
               "--no-telemetry", *eal]
    if not any(word.startswith(("-l", "--lcores")) for word in eal):
        command += ["-l", str(min(os.sched_getaffinity(0)))]
    if "-m" in eal:
        at = command.index("-m")
        del command[at:at + 2]
    if "-a" in eal:
        command.remove("--no-pci")
    try:
        r = subprocess.run([*command, "--", *own], capture_output=True, text=True, timeout=60,
                           stdin=subprocess.DEVNULL, **kw)
    except subprocess.TimeoutExpired:
        return "it runs"
    ours = [line for line in r.stderr.splitlines() if line.startswith(name + ":")]
    said = f"status {r.returncode}, stderr:\n{r.stderr[-1500:]}"
    if r.returncode != 2:
        return f"status {r.returncode} instead of 2; {said}"
    if len(ours) != 1:
        return f"{len(ours)} lines of {name} instead of one; {said}"
    if pattern and not re.search(pattern, ours[0]):
        return f"the line does not name {pattern}: {ours[0]}"
    others = [line for line in r.stderr.splitlines()
              if line and not line.startswith((name + ":", "EAL:", "ETHDEV:"))]
    if len(others) > 3:
        return f"much else on stderr: {said}"
    return None


def no_output(build):
    """Returns what is wrong with where a program prints that was started without a standard output,
    or None."""
    with tempfile.TemporaryDirectory() as tmp:
        log = os.path.join(tmp, "log")
        command = [os.path.join(build, "app/httpd/percore-httpd"), "--no-huge", "--no-shconf", "-m", "192", "--no-pci",
                   "--no-telemetry", "-l", str(min(os.sched_getaffinity(0))), "--vdev=net_bogus0", "--", *ADDR, "--root", tmp,
                   "--access-log", log]
        r = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60,
                           preexec_fn=lambda: os.close(1))
        text = open(log).read()
    return None if r.returncode == 2 and text == "" else f"status {r.returncode}, the access log has {text!r}\n{r.stderr}"


@contextlib.contextmanager
def taken(name):
    """A TAP that another process has open."""
    with open("/dev/net/tun", "r+b", buffering=0) as tun:
        fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", name.encode(), 0x0002 | 0x1000 | 0x0100))  # TAP, NO_PI, MULTI_QUEUE
        subprocess.run(["ip", "link", "set", name, "up"], check=True)
        yield


def nobody_there(build):
    """Returns what is wrong with percore-ctl's reaction to a path without a program, or None."""
    r = subprocess.run([os.path.join(build, "app/ctl/percore-ctl"), "counters", "show"], capture_output=True, text=True)
    if r.returncode != 2 or not re.fullmatch(r"percore-ctl: counters: .*run\.control.*\n", r.stderr):
        return f"status {r.returncode}, stderr:\n{r.stderr}"
    return None


def interrupted(build):
    """Returns what is wrong with how a program ends that is interrupted while it waits for a TAP,
    or None."""
    command = [os.path.join(build, "app/echo/percore-echo"), "--no-huge", "--no-shconf", "-m", "192", "--no-pci", "--no-telemetry",
               "-l", str(min(os.sched_getaffinity(0))), "--vdev=net_tap0,iface=pcnot3", "--", *ADDR]
    with taken("pcnot3"), subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as p:
        said = p.stderr.readline()
        p.terminate()
        said += p.stderr.read()
        p.wait()
    if p.returncode != 2 or not re.fullmatch(r"TAP: pcnot3 is in use by another program; waiting up to \d+ s\npercore-echo: TAP interface pcnot3 is in use.*\n", said):
        return f"status {p.returncode}, stderr:\n{said}"
    return None


def busy(build):
    with taken("pcnot3"):
        return judge(build, "percore-echo", ["--vdev=net_tap0,iface=pcnot3"], ADDR, "pcnot3 is in use by another program.*iface=")


def main():
    args = bed.arguments(__doc__)
    failed = 0
    with tempfile.TemporaryDirectory() as tmp:
        rows = [(n, what, lambda n=n, e=e, o=o, p=p: judge(args.build, n, e, o, p))
                for n, what, e, o, p in table(tmp)]
        rows.append(("percore-ctl", "a command without a path", lambda: nobody_there(args.build)))
        rows.append(("percore-httpd", "no standard output", lambda: no_output(args.build)))
        if os.geteuid() == 0:
            # a copy, as an ordinary user may have no access to the build directory
            for name in ("echo", "httpd"):
                copy = os.path.join(tmp, "app", name)
                os.makedirs(copy)
                shutil.copy(os.path.join(args.build, "app", name, f"percore-{name}"), copy)
            os.chmod(tmp, 0o755)
            closed = os.path.join(tmp, "closed")
            os.mkdir(closed, 0o700)

            def nobody():
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            rows.append(("percore-echo", "no permission for a TAP port", lambda: judge(
                tmp, "percore-echo", ["--vdev=net_tap0,iface=pcnot0"], ADDR,
                "root|permission|CAP_NET_ADMIN", preexec_fn=nobody)))
            rows.append(("percore-httpd", "a document root that it may not read", lambda: judge(
                tmp, "percore-httpd", NULL, [*ADDR, "--root", closed], "closed.*let the user", preexec_fn=nobody)))
            rows.append(("percore-echo", "a TAP that another program has", lambda: busy(args.build)))
            rows.append(("percore-echo", "... and a signal while it is waited for", lambda: interrupted(args.build)))
        for name, what, check in rows:
            fault = check()
            failed += fault is not None
            print(f"{'ok' if fault is None else 'FAILED':6} {name}: {what}", flush=True)
            if fault:
                print("    " + fault.rstrip("\n").replace("\n", "\n    "))
    sys.exit(1 if failed else 0)


try:
    main()
except (OSError, PermissionError) as e:
    if os.geteuid() == 0:
        raise
    bed.skip(str(e))
