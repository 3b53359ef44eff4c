#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Other projects' own tests of sockets, whose programs run on percore, loopback and all (percore-run --rule 'percore any').

CPython's are those of Debian's libpython3.*-testsuite. The others need a source: --redis DIR, where src/ has the programs or
links to them; --libuv DIR and --libevent DIR, where uv_run_tests and bin/regress were built; --node, --ruby and --perl DIR,
whose tests the installed node, ruby and perl run. What fails is run on the kernel too, and does not count if it fails there.
What is not there is skipped. Each takes minutes.
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
# Excluded: VSOCK's loopback is the kernel's own; the server of the POP test accepts TLS records
# only in one piece, as with an MTU of 65536; and an executed program sees the library's three
# descriptors.
NOT = ("*VSOCK*", "*TestPOP3_TLSClass.test_too_long_lines", "*test_pass_fds_redirected")
# writes to a socket whose peer has closed it, within one call of the loop, until it is notified: an
# lcore answers a little later
NOT_LIBUV = {"tcp_try_write_error"}
REDIS = ("unit/protocol unit/auth unit/networking unit/pubsub unit/multi unit/limits unit/querybuf unit/introspection unit/info "
         "unit/obuf-limits unit/maxmemory unit/wait unit/quit unit/type/list integration/redis-cli integration/redis-benchmark "
         "integration/replication integration/replication-2 integration/block-repl").split()


class Skip(Exception):
    """Something that a step needs is missing."""


def on_percore(build, tmp, words, cwd, limit):
    """Runs a program on a stack without a device, in a network namespace of its own. Returns its
    output."""
    run = [os.path.join(build, "app", "run", "percore-run"), "--lcores", "0@0", "--no-huge", "--no-shconf", "-m", "900", "--no-pci",
           "--no-telemetry", "--vdev=net_null0", "--addr", "192.0.2.1/24", "--set", "stack.max_connections=4000", "--set",
           "stack.max_udp_sockets=3000", "--socket", os.path.join(tmp, "stack"), "--rule", "percore any", "--"]
    return on_kernel(run + words, cwd, limit)


def on_kernel(words, cwd, limit):
    r = sh("unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *words, cwd=cwd, check=False, timeout=limit)
    return r.returncode, r.stdout + r.stderr


def both(args, tmp, words, cwd, limit, failures):
    """Runs a suite on percore, and on the kernel if there are failures; failures(output) returns
    their names. Returns the output."""
    _, out = on_percore(args.build, tmp, words, cwd, limit)
    bad = set(failures(out))
    if bad:
        bad -= set(failures(on_kernel(words, cwd, limit)[1]))
    expect(not bad, f"on percore only: {sorted(bad)}" + out[-1500:])
    return out


def source(args, name, path):
    """Returns the directory of an option, if path is in it."""
    where = getattr(args, name)
    if not where or not os.path.exists(os.path.join(where, path)):
        raise Skip(f"--{name} DIR does not name one with {path}")
    return os.path.abspath(where)


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
    source(args, "redis", "tests/test_helper.tcl")
    if not shutil.which("tclsh"):
        raise Skip("tclsh is not installed")
    words = ["tclsh", "tests/test_helper.tcl", "--clients", "1", "--timeout", "300"]
    status, out = on_percore(args.build, tmp, words + [w for name in REDIS for w in ("--single", name)], args.redis, 1500 * args.slow)
    out = re.sub(r"\x1b\[[\d;]*m", "", out)
    expect(status == 0 and "All tests passed" in out, "\n".join(re.findall(r"\[err\].*", out)) + out[-1500:])
    return f"{out.count('[ok]')} tests"


def libuv(args, tmp):
    """libuv's tests: TCP, UDP, poll, processes, threads, signals"""
    where = source(args, "libuv", "uv_run_tests")
    os.environ["UV_RUN_AS_ROOT"] = "1"
    out = both(args, tmp, [os.path.join(where, "uv_run_tests")], os.path.join(where, ".."), 400 * args.slow,
               lambda text: set(re.findall(r"^not ok \d+ - (\S+)", text, re.M)) - NOT_LIBUV)
    ran = len(re.findall(r"^ok ", out, re.M))
    expect(ran > 300, out[-500:])
    return f"{ran} tests"


def libevent(args, tmp):
    """libevent's regress: event loops, buffers, listeners, HTTP, DNS, TLS"""
    where = source(args, "libevent", "bin/regress")
    out = both(args, tmp, [os.path.join(where, "bin", "regress")], where, 600 * args.slow,
               lambda text: set(re.findall(r"\[(\S+) FAILED\]", text)) - set(re.findall(r"\[RETRYING (\S+)", text)))
    ran = len(re.findall(r"^\S+: \[?.*OK$", out, re.M))
    expect(ran > 200, out[-500:])
    return f"{ran} tests"


def node(args, tmp):
    """Node.js's tests of net, dgram, http, tls and cluster, a process each"""
    where = os.path.join(source(args, "node", "test/parallel"), "test", "parallel")
    if not shutil.which("node"):
        raise Skip("node is not installed")
    names = sorted(n for n in os.listdir(where) if re.match(r"test-(net|dgram|http|tls|cluster)-.*\.js$", n))
    only, both_fail = [], 0
    for name in names:
        with open(os.path.join(where, name), encoding="utf-8") as f:
            flags = re.findall(r"^// Flags: (.*)", f.read(), re.M)
        words = ["timeout", "60", "node", *(flags[0].split() if flags else []), name]
        if on_percore(args.build, tmp, words, where, 90 * args.slow)[0] == 0:
            continue
        if on_kernel(words, where, 90 * args.slow)[0] == 0:
            only.append(name)
        else:
            both_fail += 1
    expect(not only, f"on percore only: {only}")
    return f"{len(names) - both_fail} tests passed, {both_fail} fail on the kernel too"


def ruby(args, tmp):
    """Ruby's tests of sockets and of Net::HTTP"""
    where = source(args, "ruby", "test/socket/test_socket.rb")
    if not shutil.which("ruby"):
        raise Skip("ruby is not installed")
    words = ["ruby", "-W0", "-I", "tool/lib", "-r", "./tool/lib/envutil.rb", "tool/test/runner.rb", "--ruby", "ruby",
             "test/socket", "test/net"]
    out = both(args, tmp, words, where, 400 * args.slow, lambda text: re.findall(r"^ *\d+\) (?:Failure|Error):\n(\S+#\w+)", text, re.M))
    ran = re.findall(r"^(\d+) tests, ", out, re.M)
    expect(ran and int(ran[-1]) > 100, out[-500:])
    return f"{ran[-1]} tests"


def perl(args, tmp):
    """Perl's tests of IO::Socket::IP and IO::Socket"""
    where, total = source(args, "perl", "cpan/IO-Socket-IP/t"), 0
    for name, pattern in (("cpan/IO-Socket-IP", r"\d\d.*\.t"), ("dist/IO", r"(cachepropagate-(tcp|udp)|io_(multihomed|poll|sel|sock|udp))\.t")):
        folder = os.path.join(where, name)
        tests = sorted("t/" + t for t in os.listdir(os.path.join(folder, "t")) if re.fullmatch(pattern, t))
        out = both(args, tmp, ["perl", "-MTest::Harness", "-e", "runtests(@ARGV)", *tests], folder, 300 * args.slow,
                   lambda text: re.findall(r"^(t/\S+) +\(Wstat", text, re.M))
        total += int(re.findall(r"Tests=(\d+)", out)[-1])
    return f"{total} tests"


def main():
    args = bed.arguments(__doc__, redis="", libuv="", libevent="", node="", ruby="", perl="")
    bed.need("unshare", "ethtool")
    failed = 0
    for step in (cpython, redis, libuv, libevent, node, ruby, perl):
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
