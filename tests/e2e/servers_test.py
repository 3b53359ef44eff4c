#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Unmodified servers on percore, driven by the kernel's clients."""
import os
import re
import signal
import socket
import threading

import bed
from bed import CLIENT, SERVER, expect, sh, wait_for
from unmodified import Daemon, answers, fetch, make_files, start_stack

NGINX = """
{user}
daemon off; master_process on; worker_processes 2; error_log {tmp}/nginx.log info; pid {tmp}/nginx.pid;
events {{ worker_connections 1024; }}
http {{ access_log off; client_body_temp_path {tmp}/b; proxy_temp_path {tmp}/p; fastcgi_temp_path {tmp}/f;
  uwsgi_temp_path {tmp}/u; scgi_temp_path {tmp}/s; keepalive_requests 100000; sendfile {sendfile};
  server {{ listen {port}; root {root}; location /version {{ return 200 "{version}\\n"; }} }} }}
"""


def start(b):
    b.root, b.sha = make_files(b)
    return start_stack(b)


def ab(b, url, n, c, *more):
    out = sh("ab", "-q", "-n", n, "-c", c, *more, url, timeout=60 * b.slow).stdout
    failed = re.search(r"Failed requests:\s+(\d+)", out)
    done = re.search(r"Complete requests:\s+(\d+)", out)
    expect(failed and failed.group(1) == "0" and done and int(done.group(1)) == n and
           "Non-2xx" not in out, out)


def write_nginx(b, version, port=8001, sendfile="on"):
    name = os.path.join(b.tmp, "nginx.conf")
    open(name, "w").write(NGINX.format(tmp=b.tmp, root=b.root, port=port, version=version, sendfile=sendfile,
                                       user="user root;"))
    return name


def version(port):
    with socket.create_connection((SERVER, port), 5) as c:
        c.settimeout(5)
        c.sendall(b"GET /version HTTP/1.0\r\n\r\n")
        data = b""
        while part := c.recv(4096):
            data += part
    return data.rsplit(b"\n", 2)[-2].decode() if data else ""


def nginx(b, s):
    """nginx, two workers: files by SHA-256, ab -k, a reload under load, SIGQUIT lets a download end"""
    conf = write_nginx(b, "one")
    with Daemon(b, ["nginx", "-c", conf], answers(8001)) as d:
        fetch(b, b.sha, 8001, 50)
        ab(b, f"http://{SERVER}:8001/small", 2000, 20, "-k")
        ab(b, f"http://{SERVER}:8001/small", 300, 10)
        expect(version(8001) == "one", "not the first configuration")
        load = threading.Thread(target=fetch, args=(b, b.sha, 8001, 30))
        load.start()
        write_nginx(b, "two")
        d.process.send_signal(signal.SIGHUP)
        wait_for(lambda: version(8001) == "two", 10 * b.slow, "the reloaded configuration")
        load.join()
        with socket.create_connection((SERVER, 8001), 5) as c:
            c.settimeout(10 * b.slow)
            c.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            got = c.recv(1000)
            status = d.process.send_signal(signal.SIGQUIT)
            while part := c.recv(1 << 16):
                got += part
        expect(len(got) > 1 << 20, f"{len(got)} bytes came of a download that had begun")
        status = d.end(0)
        expect(status == 0, f"status {status}")


def python(b, s):
    """python3 -m http.server"""
    with Daemon(b, ["python3", "-m", "http.server", "8002", "-d", b.root], answers(8002), stop=signal.SIGINT):
        fetch(b, b.sha, 8002, 10)


def lighttpd(b, s):
    """lighttpd: files by SHA-256, ab -k"""
    conf = os.path.join(b.tmp, "lighttpd.conf")
    open(conf, "w").write(f'server.document-root = "{b.root}"\nserver.port = 8003\n')
    with Daemon(b, ["lighttpd", "-D", "-f", conf], answers(8003)) as d:
        fetch(b, b.sha, 8003, 20)
        ab(b, f"http://{SERVER}:8003/small", 1000, 10, "-k")
        status = d.end(signal.SIGINT)
        expect(status == 0, f"status {status}\n{d.out()}")


def memcached(b, s):
    """memcached, four threads: 2,000 values by the text protocol"""
    with Daemon(b, ["memcached", "-u", "root", "-p", "8004", "-U", "0"], answers(8004)):
        with socket.create_connection((SERVER, 8004), 5) as c:
            c.settimeout(10 * b.slow)
            f = c.makefile("rwb")
            for i in range(2000):
                value = b"%d" % i * 50
                f.write(b"set k%d 0 0 %d noreply\r\n%s\r\n" % (i, len(value), value))
            for i in range(2000):
                f.write(b"get k%d\r\n" % i)
            f.flush()
            for i in range(2000):
                expect(f.readline().startswith(b"VALUE k%d " % i), f"value {i} is missing")
                expect(f.readline() == b"%d" % i * 50 + b"\r\n", f"value {i} differs")
                expect(f.readline() == b"END\r\n", "no END")


def redis(b, s):
    """redis-server: redis-benchmark -P 16, redis-cli, a value of 1 MB there and back"""
    with Daemon(b, ["redis-server", "--port", "8005", "--protected-mode", "no", "--save", "", "--dir", b.tmp],
                answers(8005)) as d:
        at = ["-h", SERVER, "-p", "8005"]
        out = sh("redis-benchmark", *at, "-t", "set,get,lrange_100,incr,lpush,mset", "-n", "5000", "-P", "16",
                 "-q", timeout=60 * b.slow)
        expect(out.stdout.count("requests per second") >= 6, out.stdout)
        name = os.path.join(b.root, "big")
        sh("sh", "-c", f"redis-cli {' '.join(at)} -x set big <{name}")
        got = sh("sh", "-c", f"redis-cli {' '.join(at)} --raw get big | head -c {1 << 20} | sha256sum").stdout
        expect(got.split()[0] == b.sha, "the SHA-256 differs")
        sh("redis-cli", *at, "shutdown", "nosave", check=False)
        expect(d.end(0) == 0, "it did not end in order")


def haproxy(b, s):
    """haproxy between the kernel's curl and the kernel's HTTP server"""
    conf = os.path.join(b.tmp, "haproxy.cfg")
    open(conf, "w").write(f"""global
  maxconn 500
defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
frontend f
  bind {SERVER}:8006
  default_backend k
backend k
  server s {CLIENT}:8106
""")
    with Daemon(b, ["python3", "-m", "http.server", "8106", "-d", b.root, "-b", CLIENT], answers(8106, CLIENT),
                on_stack=False), \
            Daemon(b, ["haproxy", "-db", "-f", conf], answers(8006)):
        fetch(b, b.sha, 8006, 10)


def iperf3(b, s):
    """iperf3 -s: a second each way over TCP, and datagrams"""
    with Daemon(b, ["iperf3", "-s", "-p", "8007"], answers(8007)):
        for how in ([], ["-R"], ["-u", "-b", "20M"]):
            # between two tests it closes its listener and makes another
            wait_for(lambda: "receiver" in sh("iperf3", "-c", SERVER, "-p", "8007", "-t", "1", *how, check=False,
                                              timeout=20 * b.slow).stdout, 8 * b.slow, "a test with " + " ".join(how))


def socat(b, s):
    """socat: a stream echoed by a forked child each, datagrams too; nc -l takes a file"""
    with Daemon(b, ["socat", "TCP-LISTEN:8008,fork,reuseaddr", "EXEC:cat"], answers(8008)):
        data = os.urandom(200000)
        for _ in range(3):
            with socket.create_connection((SERVER, 8008), 5) as c:
                c.settimeout(10 * b.slow)
                sender = threading.Thread(target=lambda c=c: (c.sendall(data), c.shutdown(socket.SHUT_WR)))
                sender.start()
                got = b""
                while part := c.recv(1 << 16):
                    got += part
                sender.join()
            expect(got == data, f"{len(got)} of {len(data)} bytes came back")
    with Daemon(b, ["socat", "UDP-RECVFROM:8009,fork,reuseaddr", "EXEC:cat"]), \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
        u.settimeout(0.5)

        def heard(_=None):
            u.sendto(b"x" * 500, (SERVER, 8009))
            try:
                return u.recv(2000) == b"x" * 500
            except OSError:
                return False
        wait_for(heard, 10 * b.slow, "a datagram to come back")


STEPS = [nginx, python, lighttpd, memcached, redis, haproxy, iperf3, socat]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("ethtool", "curl", "ab", "nginx", "lighttpd", "memcached", "redis-server", "haproxy", "iperf3", "socat")
    bed.main(args, STEPS, start)
