#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""ninja install into an empty place, and the README's program built there with pkg-config alone."""
import glob
import os
import re
import shlex
import shutil
import socket
import sys

import bed
from bed import SERVER, expect, sh

PORT = 7000


def install(b):
    """Installs, and compiles the README's program; returns its path and environment."""
    dest = os.path.join(b.tmp, "dest")
    sh("meson", "install", "-C", b.build, "--no-rebuild", "--destdir", dest, timeout=120)
    pc = glob.glob(dest + "/**/percore*.pc", recursive=True)
    names = sorted(map(os.path.basename, pc))
    expect(names == ["percore-go.pc", "percore-posix.pc", "percore-static.pc", "percore.pc"], f"installed are {names}")
    for name in pc:
        text = open(name).read()
        prefix = re.search(r"(?m)^prefix=(.*)$", text).group(1)
        open(name, "w").write(text.replace(f"prefix={prefix}", f"prefix={dest}{prefix}"))
    env = dict(os.environ, PKG_CONFIG_PATH=os.path.dirname(pc[0]),
               LD_LIBRARY_PATH=os.path.dirname(os.path.dirname(pc[0])))
    readme = open(os.path.join(bed.TOP, "README.md")).read()
    program = re.search(r"```c\n(.*?)^```", readme, re.M | re.S)
    expect(program, "README.md has no C program")
    source = os.path.join(b.tmp, "shout.c")
    open(source, "w").write(program.group(1))
    flags = shlex.split(sh("pkg-config", "--cflags", "--libs", "percore", env=env).stdout)
    more = ["-fsanitize=address,undefined"] if b.slow > 1 else []
    exe = os.path.join(b.tmp, "shout")
    sh("cc", "-Wall", "-Wextra", "-Werror", "-O2", *more, "-o", exe, source, *flags, env=env,
       timeout=120)
    for tool in ("percore-echo", "percore-httpd"):
        expect(glob.glob(f"{dest}{prefix}/bin/{tool}"), f"{tool} is not installed")
    pages = {os.path.basename(n) for n in glob.glob(f"{dest}{prefix}/share/man/man1/percore-*.1")}
    programs = {os.path.basename(n) + ".1" for n in glob.glob(f"{dest}{prefix}/bin/percore-*")}
    expect(pages == programs or b.slow > 1, f"manual pages are {pages}")
    printed = sh(f"{dest}{prefix}/bin/percore-run", "--one-core", "--print", "--", "true").stdout
    expect(printed.count(f"={dest}{prefix}/") == 2, f"percore-run does not find what is installed: {printed}")
    return exe, env, flags


def cplusplus(b, env, flags):
    """Checks that the public headers are valid C++ as well."""
    if shutil.which("c++"):
        source = os.path.join(b.tmp, "x.cc")
        open(source, "w").write("#include <percore/percore.h>\nint main() { return 0; }\n")
        sh("c++", "-fsyntax-only", "-Wall", source, *[f for f in flags if f[:2] == "-I"], "-include", "rte_config.h",
           "-march=corei7",
           env=env, timeout=60)


def needed(exe):
    """Returns the shared libraries of percore and DPDK that a program needs."""
    return set(re.findall(r"NEEDED +(lib(?:percore|rte_\w+)[\w.]*)", sh("objdump", "-p", exe).stdout))


def archives(b, env):
    """Checks percore linked into the program, with and without a shared DPDK; and percore/posix.h
    alone."""
    source, more = os.path.join(b.tmp, "shout.c"), ["-fsanitize=address,undefined"] if b.slow > 1 else []
    for static in (), ("--static",):
        if static and sh("pkg-config", "--exists", "libsystemd", check=False).returncode != 0:
            print("    libsystemd-dev is not installed: no program with DPDK in it")
            continue
        exe = os.path.join(b.tmp, "shout" + "".join(static))
        flags = shlex.split(sh("pkg-config", *static, "--cflags", "--libs", "percore-static", env=env).stdout)
        sh("cc", "-O2", *more, "-o", exe, source, *flags, env=env, timeout=120)
        left = needed(exe)
        expect(bool(left) != bool(static) and not any("percore" in n for n in left), f"{exe} needs {left}")
        p = b.spawn([exe, "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry", "-m", "256", "--vdev=net_null0,no-rx=1", "--",
                     "--addr", f"{SERVER}/24"], "shout")
        p.stop()
    exe = os.path.join(b.tmp, "thread_echo")
    flags = shlex.split(sh("pkg-config", "--cflags", "--libs", "percore-posix", env=env).stdout)
    sh("cc", "-O2", *more, "-o", exe, os.path.join(bed.TOP, "app/examples/thread_echo.c"), *flags, env=env, timeout=60)
    left = sh(exe, check=False, env={})
    expect(left.returncode == 2 and "PERCORE_SOCKET" in left.stderr and not needed(exe), f"{left} {needed(exe)}")


def start(b):
    exe, env, flags = install(b)
    cplusplus(b, env, flags)
    b.backend, backend = "none", b.backend  # there is no interface to set up
    archives(b, env)
    b.backend = backend
    p = b.spawn(["env", "LD_LIBRARY_PATH=" + env["LD_LIBRARY_PATH"], exe, *b.eal(), "--",
                 "--addr", f"{SERVER}/24"], "shout")
    return p


def shout(b, p):
    """the README's program, built against what is installed, serves"""
    with socket.create_connection((SERVER, PORT), 10) as c:
        c.settimeout(10)
        c.sendall(b"hello, percore\n")
        got = c.recv(100)
    expect(got == b"HELLO, PERCORE\n", f"it answered {got!r}")


if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("meson", "cc", "pkg-config", "ethtool")
    try:
        bed.main(args, [shout], start)
    except bed.Failure as e:
        print(f"FAILED {e}")
        sys.exit(1)
