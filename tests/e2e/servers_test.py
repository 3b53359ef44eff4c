#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Unmodified servers on percore, driven by the kernel's clients."""
import asyncio
import collections
import glob
import hashlib
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading

import bed
from bed import CLIENT, SERVER, expect, sh, wait_for
from unmodified import Daemon, answers, fetch, make_files, run, says, start_stack

NGINX = """
{user}
daemon off; master_process on; worker_processes 2; error_log {tmp}/nginx.log info; pid {tmp}/nginx.pid;
events {{ worker_connections 1024; }}
http {{ access_log off; client_body_temp_path {tmp}/b; proxy_temp_path {tmp}/p; fastcgi_temp_path {tmp}/f;
  uwsgi_temp_path {tmp}/u; scgi_temp_path {tmp}/s; keepalive_requests 100000; sendfile {sendfile};
  server {{ listen {port}; root {root}; location /up/ {{ proxy_pass http://127.0.0.1:8107/; }} location /version {{ return 200 "{version}\\n"; }} }} }}
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


def workers(b, s):
    """nginx, a worker for each of two CPUs: worker_cpu_affinity holds, and reuseport shares the connections out"""
    cpus = sorted(os.sched_getaffinity(0))[:2]
    if len(cpus) < 2:
        print("       skipped: there is one CPU")
        return
    conf, pids = write_nginx(b, "one"), os.path.join(b.tmp, "pids")
    text = open(conf).read().replace("access_log off", f"log_format pid $pid; access_log {pids} pid")
    text = text.replace("listen 8001", "listen 8001 reuseport")
    text = text.replace("worker_processes 2", "worker_processes 2; worker_cpu_affinity " + " ".join(f"{1 << cpu:b}" for cpu in cpus))
    open(conf, "w").write(text)
    with Daemon(b, ["nginx", "-c", conf], answers(8001)):
        ab(b, f"http://{SERVER}:8001/small", 2000, 20)
        wait_for(lambda: len(open(pids).read().split()) >= 2000, 5 * b.slow, "the log")
        count = collections.Counter(open(pids).read().split())
        places = sorted(sorted(os.sched_getaffinity(int(pid))) for pid in count)
    expect(places == [[cpu] for cpu in cpus], f"the workers run on {places}")
    expect(min(count.values()) >= 0.45 * sum(count.values()), f"connections of each worker: {count}")


def proxy(b, s):
    """nginx in front of a server of the kernel's at 127.0.0.1, which a rule of its own makes the kernel's"""
    inner = ["ip", "netns", "exec", b.server_ns, "python3", "-m", "http.server", "8107", "-d", b.root, "-b", "127.0.0.1"]
    with Daemon(b, inner, on_stack=False), Daemon(b, ["nginx", "-c", write_nginx(b, "one")], answers(8001)):
        wait_for(lambda: sh("curl", "-sSf", f"http://{SERVER}:8001/up/small", check=False).returncode == 0, 5 * b.slow,
                 "an answer")
        fetch(b, b.sha, 8001, 10, path="up/big")


def python(b, s):
    """python3 -m http.server"""
    with Daemon(b, ["python3", "-m", "http.server", "8002", "-d", b.root], answers(8002), stop=signal.SIGINT):
        fetch(b, b.sha, 8002, 10)


INHERITS = """
import socket, struct
s = socket.socket()
for name, value in (socket.SO_REUSEADDR, 1), (socket.SO_RCVTIMEO, struct.pack('ll', 90, 0)), (socket.SO_RCVLOWAT, 3), (socket.SO_SNDBUF, 30000):
    s.setsockopt(socket.SOL_SOCKET, name, value)
s.bind(('0.0.0.0', 8003))
s.listen(64)
while True:
    c = s.accept()[0]
    told = [*struct.unpack('ll', c.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, 16)), *(
        c.getsockopt(socket.SOL_SOCKET, name) for name in (socket.SO_RCVLOWAT, socket.SO_SNDBUF))]
    c.sendall(repr(told).encode())
    c.close()
"""


def inherits(b, s):
    """connections have their listener's settings, on whichever lcore they are"""
    def tell(_=None):
        try:
            with socket.create_connection((SERVER, 8003), 5) as c:
                c.settimeout(5 * b.slow)
                return c.recv(100)
        except OSError:
            return b""
    with Daemon(b, ["python3", "-c", INHERITS], tell):  # when it has told, it listens on all lcores
        for _ in range(20):
            told = tell()
            expect(told == b"[90, 0, 3, 60000]", f"{told}")


def lighttpd(b, s):
    """lighttpd: files by SHA-256, ab -k"""
    conf = os.path.join(b.tmp, "lighttpd.conf")
    open(conf, "w").write(f'server.document-root = "{b.root}"\nserver.port = 8003\n')
    with Daemon(b, ["lighttpd", "-D", "-f", conf], answers(8003)) as d:
        fetch(b, b.sha, 8003, 20)
        ab(b, f"http://{SERVER}:8003/small", 1000, 10, "-k")
        status = d.end(signal.SIGINT)
        expect(status == 0, f"status {status}\n{d.out()}")


# a CGI program: the SHA-256 of what it is sent and, later, lines whose length nobody has said
CGI = """
echo 'Content-Type: text/plain'; echo
sha256sum; sleep 0.1; seq 20000
"""


def chunked(b, s):
    """lighttpd and a CGI program: a request and answers in chunks, two on one connection"""
    root, data = os.path.join(b.tmp, "cgi"), os.urandom(200_000)
    os.mkdir(root)
    open(os.path.join(root, "sum.cgi"), "w").write(CGI)
    sent = os.path.join(root, "sent")
    open(sent, "wb").write(data)
    conf = os.path.join(b.tmp, "cgi.conf")
    open(conf, "w").write(f'server.document-root = "{root}"\nserver.port = 8032\nserver.modules = ("mod_cgi")\n'
                          'cgi.assign = (".cgi" => "/bin/sh")\nserver.stream-response-body = 1\n')
    url, body = f"http://{SERVER}:8032/sum.cgi", f"{hashlib.sha256(data).hexdigest()}  -\n" + "".join(f"{i + 1}\n" for i in range(20000))
    with Daemon(b, ["lighttpd", "-D", "-f", conf], answers(8032)):
        text = sh("curl", "-sSi", "-H", "Transfer-Encoding: chunked", "-H", "Expect:", "--data-binary", "@" + sent, "-w",
                  "\\nconnections %{num_connects}\\n", url, url, timeout=30 * b.slow).stdout
    expect(text.count("Transfer-Encoding: chunked") == 2 and text.count(body) == 2, text[:1000])
    expect(re.findall(r"^connections (\d)", text, re.M) == ["1", "0"], "not one connection")


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
        status = d.end(0)
        expect(status == 0, f"status {status}\n{d.out()[-2000:]}")


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
    """iperf3 -s: 40 MB each way over TCP, and datagrams"""
    with Daemon(b, ["iperf3", "-s", "-p", "8007"], answers(8007)):
        for how in (["-n", "40M"], ["-R", "-n", "40M"], ["-u", "-b", "100M", "-n", "4M"]):
            # between two tests it closes its listener and opens another
            wait_for(lambda: "receiver" in sh("iperf3", "-c", SERVER, "-p", "8007", *how, check=False,
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


def system_calls(b, s):
    """redis-server under strace: while it is busy, no request makes a system call"""
    with Daemon(b, ["redis-server", "--port", "8016", "--protected-mode", "no", "--save", "", "--dir", b.tmp],
                answers(8016)) as d:
        log = os.path.join(b.tmp, "strace")
        trace = subprocess.Popen(["strace", "-f", "-c", "-o", log, "-p", str(d.pid)], stderr=subprocess.PIPE, text=True)
        expect("attached" in trace.stderr.readline(), "strace does not attach")
        sh("redis-benchmark", "-h", SERVER, "-p", "8016", "-t", "get", "-n", "50000", "-c", "20", "-P", "16",
           "-q", timeout=60 * b.slow)
        trace.send_signal(signal.SIGINT)
        trace.wait()
        calls = {m[1]: int(m[0]) for m in re.findall(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)(?:\s+\d+)?\s+(\w+)$",
                                                    open(log).read(), re.M)}
        moving = sum(calls.get(c, 0) for c in ("write", "writev", "sendto", "sendmsg", "recvfrom", "recvmsg", "readv"))
        print(f"       50,000 requests, {calls.get('total')} system calls, to sleep and wake up; {moving} that move bytes")
        expect(moving < 200 and calls["total"] < 25000, f"{calls}")


def replication(b, s):
    """a redis-server on the stack follows one of the kernel's, and the other way round"""
    def server(port, on_stack, *more):
        return Daemon(b, ["redis-server", "--port", port, "--protected-mode", "no", "--save", "", "--dir", b.tmp,
                          "--repl-diskless-sync-delay", "0", *more], answers(port, SERVER if on_stack else CLIENT), on_stack=on_stack)

    def cli(host, port, *words):
        return sh("redis-cli", "-h", host, "-p", port, *words).stdout.strip()
    with server(8010, True) as _, server(8110, False, "--replicaof", SERVER, "8010"), \
            server(8011, True, "--replicaof", CLIENT, "8110"):
        sh("redis-benchmark", "-h", SERVER, "-p", "8010", "-t", "set", "-r", "1000", "-n", "3000", "-P", "16", "-q")
        n = cli(SERVER, 8010, "dbsize")
        for host, port in ((CLIENT, 8110), (SERVER, 8011)):
            wait_for(lambda: cli(host, port, "dbsize") == n, 10 * b.slow, f"{n} keys at {host}")
        expect(int(n) > 500, f"{n} keys")


ZMQ = """
import sys, zmq
c = zmq.Context(); n = 20000; what, host = sys.argv[1:3]
def connected(kind, port):
    s = c.socket(kind); s.setsockopt(zmq.RCVTIMEO, 20000); s.connect(f'tcp://{host}:{port}'); return s
if what == 'server':
    rep, pub, go = c.socket(zmq.REP), c.socket(zmq.XPUB), c.socket(zmq.REP)
    pub.setsockopt(zmq.SNDHWM, 0)
    for s, port in ((rep, 8012), (pub, 8013), (go, 8014)):
        s.bind(f'tcp://*:{port}')
    for i in range(500):
        rep.send(rep.recv())
    assert pub.recv() == b'\\x01'  # the subscription is there: from now on nothing is lost
    for i in range(n):
        pub.send(b'%d' % i)
    go.recv(); go.send(b'')
else:
    req = connected(zmq.REQ, 8012)
    for i in range(500):
        req.send(b'%d' % i); assert req.recv() == b'%d' % i
    sub, go = connected(zmq.SUB, 8013), connected(zmq.REQ, 8014)
    sub.setsockopt(zmq.RCVHWM, 0); sub.setsockopt(zmq.SUBSCRIBE, b'')
    for i in range(n):
        assert sub.recv() == b'%d' % i, i
    go.send(b''); go.recv(); print('all')
c.destroy(1000)
"""


def zeromq(b, s):
    """libzmq, a server and then a client on the stack: REQ/REP and 20,000 messages of PUB/SUB in order"""
    if sh("/usr/bin/python3", "-c", "import zmq", check=False).returncode:
        print("       skipped: python3-zmq is not installed")
        return
    python = ["/usr/bin/python3", "-c", ZMQ]
    with Daemon(b, [*python, "server", "-"], answers(8014)) as d:
        expect(sh(*python, "client", SERVER, timeout=30 * b.slow).stdout == "all\n", "not all")
        status = d.end(0)
        expect(status == 0, f"the server's status is {status}\n{d.out()}")
    with Daemon(b, [*python, "server", "-"], answers(8014, CLIENT), on_stack=False):
        expect(run(b, *python, "client", CLIENT).stdout == "all\n", "not all")


# like the gateway of a game server: one thread, edge-triggered epoll, many short messages, each
# after its length
GATE = """
import select, socket, struct
listener = socket.create_server(('0.0.0.0', 8031), backlog=1024)
listener.setblocking(False)
epoll, conns = select.epoll(), {}
epoll.register(listener, select.EPOLLIN | select.EPOLLET)
print('listens', flush=True)
def accept():
    while True:
        c = listener.accept()[0]
        c.setblocking(False)
        conns[c.fileno()] = c, bytearray(), bytearray()
        epoll.register(c, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
def receive(c, got):
    while part := c.recv(65536):
        got += part
def answer(c, got, out):
    while len(got) >= 2 and len(got) >= (end := 2 + struct.unpack_from('>H', got)[0]):
        out += got[:2] + got[2:end][::-1]
        del got[:end]
    while out:
        del out[:c.send(out)]
def attempt(f, *args):
    try:
        f(*args)
        return True
    except BlockingIOError:
        return False
while True:
    for fd, _ in epoll.poll():
        if fd == listener.fileno():
            attempt(accept)
            continue
        ended = attempt(receive, *conns[fd][:2])
        if attempt(answer, *conns[fd]) and ended:
            conns.pop(fd)[0].close()
"""


async def talk(seed, messages):
    """A client of the gate: sends messages in pieces, many before the first answer has come."""
    r = random.Random(seed)
    bodies = [r.randbytes(r.choice((0, 1, 8, 40, 40, 300, 1400, 5000))) for _ in range(messages)]
    stream = b"".join(struct.pack(">H", len(body)) + body for body in bodies)
    reader, writer = await asyncio.open_connection(SERVER, 8031)

    async def send():
        at = 0
        while at < len(stream):
            n = r.choice((1, 3, 100, 1460, 20000))
            writer.write(stream[at:at + n])
            at += n
            await writer.drain()
        writer.write_eof()

    task = asyncio.ensure_future(send())
    for i, body in enumerate(bodies):
        n, = struct.unpack(">H", await reader.readexactly(2))
        expect(await reader.readexactly(n) == body[::-1], f"client {seed}: answer {i} differs")
    await task
    expect(await reader.read() == b"", f"client {seed}: something is behind the last answer")
    writer.close()


def gate(b, s):
    """a gate, edge-triggered, with messages behind their lengths: 200 clients, 20,000 messages in order"""
    async def all_clients():
        await asyncio.wait_for(asyncio.gather(*(talk(i, 100) for i in range(200))), 60 * b.slow)

    # until listen() returns, only one of two lcores may accept connections
    with Daemon(b, ["/usr/bin/python3", "-c", GATE], says("listens")) as d:
        asyncio.run(all_clients())
        expect(d.process.poll() is None, d.out())


def postgresql(b, s):
    """PostgreSQL: pgbench makes its tables and runs 4 clients"""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if not found or sh("id", "postgres", check=False).returncode:
        print("       skipped: postgresql is not installed")
        return
    binaries, data = os.path.dirname(found[-1]), os.path.join(b.tmp, "pg")
    os.mkdir(data)
    shutil.chown(data, "postgres")
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    sh(*as_user, os.path.join(binaries, "initdb"), "-D", data, "-A", "trust", "--no-sync", cwd="/")
    with open(os.path.join(data, "pg_hba.conf"), "a") as f:
        f.write("host all all 0.0.0.0/0 trust\n")
    os.chmod(b.socket, 0o666)
    with Daemon(b, [*as_user, os.path.join(binaries, "postgres"), "-D", data, "-c", "listen_addresses=0.0.0.0",
                    "-p", "8015", "-k", "", "-F"], answers(8015), stop=signal.SIGINT) as d:
        at = ["-h", SERVER, "-p", "8015", "-U", "postgres"]
        wait_for(lambda: sh("psql", *at, "-c", "select 1", check=False).returncode == 0, 10 * b.slow, "a query")
        sh("pgbench", *at, "-i", "-q", "postgres", timeout=30 * b.slow)
        out = sh("pgbench", *at, "-c", "4", "-t", "50", "postgres", timeout=30 * b.slow).stdout
        expect("200/200" in out, out)
        status = d.end()
        expect(status == 0, f"status {status}\n{d.out()[-2000:]}")


STEPS = [nginx, workers, proxy, system_calls, replication, zeromq, gate, postgresql, python, inherits, lighttpd, chunked, memcached, redis, haproxy, iperf3, socat]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("ethtool", "curl", "ab", "nginx", "lighttpd", "memcached", "redis-server", "haproxy", "iperf3", "socat",
             "strace")
    bed.main(args, STEPS, start)
