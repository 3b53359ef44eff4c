#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Other projects' own tests of sockets, whose programs run on percore, loopback and all (percore-run --rule 'percore any').

CPython's are those of Debian's libpython3.*-testsuite; redis's need its source: --redis DIR, where src/ has the programs or
links to them. What is not there is skipped. Both take minutes.
"""
import os
import re
import shutil
import sys
import tempfile

import bed
from bed import Failure, expect, sh

PYTHON = "/usr/bin/python3"
MODULES = ("select poll epoll selectors socket socketserver timeout asyncore asynchat ftplib httplib httpservers smtplib smtpd imaplib "
           "poplib nntplib telnetlib xmlrpc docxmlrpc urllib2_localnet wsgiref logging os ssl multiprocessing_fork asyncio subprocess "
           "signal eintr threading pty").split()
# Why not: VSOCK's is the kernel's own loopback; the server of the POP test takes TLS records in one piece only, as over an MTU of
# 65536; and a program that is executed sees the library's two descriptors
NOT = ("*VSOCK*", "*TestPOP3_TLSClass.test_too_long_lines", "*test_pass_fds_redirected")
REDIS = ("unit/protocol unit/auth unit/networking unit/pubsub unit/multi unit/limits unit/querybuf unit/introspection unit/info "
         "unit/obuf-limits unit/maxmemory unit/wait unit/quit unit/type/list integration/redis-cli integration/redis-benchmark "
         "integration/replication integration/replication-2 integration/block-repl").split()


class Skip(Exception):
    """What a step needs is not there."""


def on_percore(build, tmp, words, cwd, limit):
    """Runs a program on a stack without a device, in a network namespace of its own. Returns its output."""
    run = [os.path.join(build, "app", "run", "percore-run"), "--lcores", "0@0", "--no-huge", "--no-shconf", "-m", "900", "--no-pci",
           "--no-telemetry", "--vdev=net_null0", "--addr", "192.0.2.1/24", "--set", "stack.max_connections=4000", "--socket",
           os.path.join(tmp, "stack"), "--rule", "percore any", "--"]
    r = sh("unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *run, *words, cwd=cwd, check=False,
           timeout=limit)
    return r.returncode, r.stdout + r.stderr


def cpython(args, tmp):
    """CPython's tests of sockets and of what is made of them"""
    if sh(PYTHON, "-c", "import test.test_socket", check=False).returncode != 0:
        raise Skip("libpython3-testsuite is not installed")
    ignore = [w for name in NOT for w in ("-i", name)]
    total, bad = 0, []
    for name in MODULES:
        if sh(PYTHON, "-c", f"import test.test_{name}", check=False).returncode != 0:
            continue
        status, out = on_percore(args.build, tmp, [PYTHON, "-m", "test", "-v", *ignore, "test_" + name], tmp, 400 * args.slow)
        ran = re.findall(r"^Ran (\d+) tests?", out, re.M)
        print(f"    test_{name}: {ran[-1] if ran else 'no'} tests, status {status}", flush=True)
        total += int(ran[-1]) if ran else 0
        if status != 0:
            bad.append(f"test_{name}: " + ", ".join(re.findall(r"^(?:ERROR|FAIL): (\S+)", out, re.M)) + out[-500:])
    expect(not bad, "\n".join(bad))
    return f"{total} tests"


def redis(args, tmp):
    """redis's tests: protocol, clients, limits, replication"""
    if not args.redis or not os.path.exists(os.path.join(args.redis, "tests", "test_helper.tcl")):
        raise Skip("--redis DIR does not name a source of redis")
    if not shutil.which("tclsh"):
        raise Skip("tclsh is not installed")
    words = ["tclsh", "tests/test_helper.tcl", "--clients", "1", "--timeout", "300"]
    status, out = on_percore(args.build, tmp, words + [w for name in REDIS for w in ("--single", name)], args.redis, 1500 * args.slow)
    out = re.sub(r"\x1b\[[\d;]*m", "", out)
    expect(status == 0 and "All tests passed" in out, "\n".join(re.findall(r"\[err\].*", out)) + out[-1500:])
    return f"{out.count('[ok]')} tests"


def main():
    args = bed.arguments(__doc__, redis="")
    bed.need("unshare", "ethtool")
    failed = 0
    for step in (cpython, redis):
        if args.only and args.only not in step.__name__:
            continue
        with tempfile.TemporaryDirectory(prefix="percore-suites-") as tmp:
            try:
                print(f"ok     {step.__name__}: {step.__doc__}: {step(args, tmp)}", flush=True)
            except Skip as e:
                print(f"skip   {step.__name__}: {e}", flush=True)
            except Failure as e:
                failed += 1
                print(f"FAILED {step.__name__}: {e}", flush=True)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
