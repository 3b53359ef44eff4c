#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""More unmodified programs on percore than the default run has time for; those not installed are skipped."""
import ftplib
import functools
import getpass
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading

import bed
from bed import CLIENT, SERVER, expect, sh, wait_for
from servers_test import ab, start, write_nginx
from unmodified import Daemon, answers, command, digest, fetch, has, run

NODE_CLUSTER = """
const cluster = require('cluster'), http = require('http');
if (cluster.isPrimary) { cluster.fork(); cluster.fork(); }
else http.createServer((q, r) => r.end('hello, percore\\n')).listen(%d);
"""
ASYNCIO = """
import asyncio
async def serve(r, w):
    while part := await r.read(65536):
        w.write(part); await w.drain()
    w.close()
async def main():
    s = await asyncio.start_server(serve, '0.0.0.0', %d)
    await s.serve_forever()
"""
SOCKETSERVER = """
import socketserver, shutil
class H(socketserver.StreamRequestHandler):
    def handle(self): shutil.copyfileobj(self.rfile, self.wfile, 1000)
class S(socketserver.{kind}TCPServer): allow_reuse_address = True
S(('0.0.0.0', %d), H).serve_forever()
"""
PYTHON_SERVERS = {
    "asyncio": ASYNCIO + "asyncio.run(main())",
    "uvloop": ASYNCIO + "import uvloop; uvloop.install(); asyncio.run(main())",
    "threads": SOCKETSERVER.format(kind="Threading"),
    "forks": SOCKETSERVER.format(kind="Forking"),
}


class Skip(Exception):
    pass


def want(*tools):
    missing = [t for t in tools if not shutil.which(t)]
    if missing:
        raise Skip(f"{', '.join(missing)} not installed")


def optional(step):
    """A step that says so when its programs are missing."""
    @functools.wraps(step)
    def tried(b, s):
        try:
            step(b, s)
        except Skip as e:
            print(f"       skipped: {e}")
    return tried


def conf(b, name, text):
    path = os.path.join(b.tmp, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def echoed(b, port, count=200000):
    """Checks that a stream of random bytes comes back complete from there."""
    data, got = os.urandom(count), b""
    with socket.create_connection((SERVER, port), 5) as c:
        c.settimeout(10 * b.slow)
        sender = threading.Thread(target=lambda: (c.sendall(data), c.shutdown(socket.SHUT_WR)))
        sender.start()
        while part := c.recv(1 << 16):
            got += part
        sender.join()
    expect(got == data, f"{len(got)} of {len(data)} bytes came back")


def http(b, port, words, load=True, stop=signal.SIGTERM, path="big", status=None):
    with Daemon(b, words, answers(port), stop=stop) as d:
        fetch(b, b.sha, port, 20, path=path)
        if load:
            ab(b, f"http://{SERVER}:{port}/small", 500, 10, "-k")
            ab(b, f"http://{SERVER}:{port}/small", 200, 10)
        got = d.end()
        expect(status is None or got == status, f"status {got}\n{d.out()[-2000:]}")


def apache(b, mpm, port):
    want("apache2", "ab")
    modules = "/usr/lib/apache2/modules"
    http(b, port, ["apache2", "-DFOREGROUND", "-f", conf(b, f"apache-{mpm}.conf", f"""
ServerRoot {b.tmp}
ServerName percore
Listen {port}
PidFile {b.tmp}/apache.pid
ErrorLog {b.tmp}/apache.log
DefaultRuntimeDir {b.tmp}
Mutex file:{b.tmp} default
LoadModule mpm_{mpm}_module {modules}/mod_mpm_{mpm}.so
LoadModule authz_core_module {modules}/mod_authz_core.so
DocumentRoot {b.root}
User www-data
Group www-data
""")], status=0)


@optional
def apache_event(b, s):
    """apache2 with threads and epoll"""
    apache(b, "event", 9001)


@optional
def apache_prefork(b, s):
    """apache2 with processes that accept in turn"""
    apache(b, "prefork", 9002)


@optional
def node(b, s):
    """node: an HTTP server, and a cluster whose first process hands the others its connections"""
    want("node")
    program = "require('http').createServer((q, r) => require('fs').createReadStream('%s' + q.url).pipe(r)).listen(9003)"
    http(b, 9003, ["node", "-e", program % b.root])
    with Daemon(b, ["node", conf(b, "cluster.js", NODE_CLUSTER % 9004)], answers(9004)):
        ab(b, f"http://{SERVER}:9004/", 500, 10, "-k")
        ab(b, f"http://{SERVER}:9004/", 200, 10)


@optional
def php(b, s):
    """php -S"""
    want("php")
    http(b, 9005, ["php", "-S", f"{SERVER}:9005", "-t", b.root], stop=signal.SIGINT)


@optional
def ruby(b, s):
    """ruby -run -e httpd"""
    want("ruby")
    if sh("ruby", "-e", "require 'webrick'", check=False).returncode:
        raise Skip("webrick not installed")
    http(b, 9006, ["ruby", "-run", "-e", "httpd", b.root, "-p", "9006", "-b", "0.0.0.0"], stop=signal.SIGINT)


@optional
def h2o(b, s):
    """h2o"""
    want("h2o")
    http(b, 9007, ["h2o", "-c", conf(b, "h2o.conf", f"""
listen: {{ host: 0.0.0.0, port: 9007 }}
user: root
num-threads: 2
hosts: {{ default: {{ paths: {{ /: {{ file.dir: {b.root} }} }} }} }}
""")])


@optional
def nghttp2(b, s):
    """nghttpd, three threads; h2load in clear text and over TLS"""
    want("nghttpd", "h2load", "openssl")
    key, cert = certificate(b)
    with Daemon(b, ["nghttpd", "--no-tls", "-n", "3", "-d", b.root, "9008"], answers(9008)):
        out = sh("h2load", "-n", 2000, "-c", 10, "-m", 10, f"http://{SERVER}:9008/small", timeout=30 * b.slow).stdout
        expect("2000 succeeded, 0 failed" in out, out)
    with Daemon(b, ["nghttpd", "-n", "2", "-d", b.root, "9009", key, cert], answers(9009)):
        out = sh("h2load", "-n", 20, "-c", 2, f"https://{SERVER}:9009/big", timeout=30 * b.slow).stdout
        expect("20 succeeded, 0 failed" in out, out)


def certificate(b):
    key, cert = os.path.join(b.tmp, "key.pem"), os.path.join(b.tmp, "cert.pem")
    if not os.path.exists(cert):
        sh("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj",
           "/CN=percore")
    return key, cert


@optional
def openssl(b, s):
    """openssl s_server and s_client"""
    want("openssl")
    key, cert = certificate(b)
    with Daemon(b, ["openssl", "s_server", "-accept", "9010", "-key", key, "-cert", cert, "-WWW", "-quiet"],
                answers(9010), stop=signal.SIGKILL):
        c = ssl.create_default_context(cafile=cert)
        c.check_hostname = False
        with c.wrap_socket(socket.create_connection((SERVER, 9010), 5)) as t:
            t.settimeout(5 * b.slow)
            t.sendall(b"GET /../../../../etc/hostname HTTP/1.0\r\n\r\n")
            got = t.recv(100)
            expect(got.startswith(b"HTTP/1.0 "), f"{got}")
    with Daemon(b, ["openssl", "s_server", "-accept", f"{CLIENT}:9110", "-key", key, "-cert", cert, "-rev", "-quiet"],
                answers(9110, CLIENT), on_stack=False, stop=signal.SIGKILL):
        out = subprocess.run(["sh", "-c", "(echo hello; sleep 1) | " + " ".join(
            [*command(b), "openssl", "s_client", "-connect", f"{CLIENT}:9110", "-quiet", "-no_ign_eof"])],
            capture_output=True, text=True, timeout=20 * b.slow)
        expect("olleh" in out.stdout, out.stdout + out.stderr)


@optional
def stunnel(b, s):
    """stunnel4 in front of the kernel's HTTP server"""
    want("stunnel4", "openssl", "curl")
    key, cert = certificate(b)
    with Daemon(b, ["python3", "-m", "http.server", "9111", "-d", b.root, "-b", CLIENT], answers(9111, CLIENT), on_stack=False), \
            Daemon(b, ["stunnel4", conf(b, "stunnel.conf", f"""
foreground = yes
pid =
[s]
accept = 9011
connect = {CLIENT}:9111
key = {key}
cert = {cert}
""")], answers(9011)):
        for _ in range(5):
            expect(digest(["curl", "-sSfk", f"https://{SERVER}:9011/big"]) == b.sha, "the SHA-256 differs")


@optional
def squid(b, s):
    """squid: a proxy whose both sides are on the stack"""
    want("squid", "curl")
    os.chmod(b.tmp, 0o777)
    os.chmod(b.socket, 0o666)
    path = conf(b, "squid.conf", f"""
http_port 9012
http_access allow all
cache deny all
pid_filename {b.tmp}/squid.pid
access_log none
cache_log {b.tmp}/squid.log
coredump_dir {b.tmp}
shutdown_lifetime 0 seconds
netdb_filename none
""")
    with Daemon(b, ["python3", "-m", "http.server", "9112", "-d", b.root, "-b", CLIENT], answers(9112, CLIENT), on_stack=False), \
            Daemon(b, ["squid", "-N", "-n", b.tag, "-f", path], answers(9012)) as d:
        for _ in range(10):
            expect(digest(["curl", "-sSf", "-x", f"http://{SERVER}:9012", f"http://{CLIENT}:9112/big"]) == b.sha, "differs")
        d.end()


@optional
def varnish(b, s):
    """varnishd before the kernel's HTTP server"""
    want("varnishd")
    with Daemon(b, ["python3", "-m", "http.server", "9113", "-d", b.root, "-b", CLIENT], answers(9113, CLIENT), on_stack=False), \
            Daemon(b, ["varnishd", "-F", "-n", os.path.join(b.tmp, "varnish"), "-j", "none", "-a", ":9013", "-b", f"{CLIENT}:9113",
                       "-T", "none", "-s", "malloc,50M"], answers(9013)):
        fetch(b, b.sha, 9013, 20)


@optional
def mosquitto(b, s):
    """mosquitto: 500 messages from a publisher to two subscribers, one of them on the stack"""
    want("mosquitto", "mosquitto_pub", "mosquitto_sub")
    with Daemon(b, ["mosquitto", "-c", conf(b, "mosquitto.conf", "listener 9014\nallow_anonymous true\nuser root\n")], answers(9014)):
        at = ["-h", SERVER, "-p", "9014", "-t", "t"]
        sub = subprocess.Popen(["mosquitto_sub", *at, "-C", "500", "-q", "1"], stdout=subprocess.PIPE, text=True)
        wait_for(lambda: sh("mosquitto_sub", *at, "-W", "1", "-E", check=False).returncode == 0, 5 * b.slow, "the broker")
        sh("sh", "-c", "sleep 0.5; seq 500 | mosquitto_pub " + " ".join(at) + " -q 1 -l", timeout=20 * b.slow)
        out = sub.communicate(timeout=20 * b.slow)[0].split()
        expect(out == [str(i + 1) for i in range(500)], f"{len(out)} messages")
    with Daemon(b, ["mosquitto", "-c", conf(b, "mosquitto2.conf", "listener 9114\nallow_anonymous true\nuser root\n")],
                answers(9114, CLIENT), on_stack=False):
        for i in range(3):
            run(b, "mosquitto_pub", "-h", CLIENT, "-p", "9114", "-t", "t", "-q", "2", "-m", f"x{i}")


@optional
def sshd(b, s):
    """sshd, which runs itself anew for each connection: a command, 1 MB there and back, and ssh as client"""
    want("ssh", "ssh-keygen")
    if not os.path.exists("/usr/sbin/sshd"):
        raise Skip("sshd not installed")
    for name in ("host", "user"):
        sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.path.join(b.tmp, name))
    shutil.copy(os.path.join(b.tmp, "user.pub"), os.path.join(b.tmp, "keys"))
    os.makedirs("/run/sshd", exist_ok=True)
    os.chmod(b.tmp, 0o755)

    def config(port, where):
        return conf(b, f"sshd{port}.conf", f"""
Port {port}
ListenAddress {where}
HostKey {b.tmp}/host
AuthorizedKeysFile {b.tmp}/keys
StrictModes no
PidFile none
UsePAM no
PermitRootLogin yes
""")
    options = ["-F", "/dev/null", "-i", os.path.join(b.tmp, "user"), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
               "-o", "LogLevel=ERROR", "-o", "BatchMode=yes"]
    who = getpass.getuser()
    with Daemon(b, ["/usr/sbin/sshd", "-D", "-e", "-f", config(9015, "0.0.0.0")], answers(9015)) as d:
        at = ["ssh", *options, "-p", "9015", f"{who}@{SERVER}"]
        r = sh(*at, "echo hello; exit 7", check=False, timeout=20 * b.slow)
        expect(r.stdout == "hello\n" and r.returncode == 7, f"{r.stdout}{r.stderr}{d.out()[-2000:]}")
        name = os.path.join(b.root, "big")
        out = sh("sh", "-c", " ".join(at) + f" cat <{name} | sha256sum", timeout=30 * b.slow).stdout
        expect(out.split()[0] == b.sha, "the SHA-256 differs")
        r = sh(*at, "-tt", "tty && stty size", check=False, timeout=20 * b.slow)
        expect("/dev/pts/" in r.stdout, r.stdout + r.stderr)
    with Daemon(b, ["/usr/sbin/sshd", "-D", "-e", "-f", config(9115, CLIENT)], answers(9115, CLIENT), on_stack=False):
        r = run(b, "ssh", *options, "-p", "9115", f"{who}@{CLIENT}", "echo hello; exit 7", check=False)
        expect(r.stdout == "hello\n" and r.returncode == 7, r.stdout + r.stderr)


@optional
def vsftpd(b, s):
    """vsftpd: files by passive and by active FTP; curl as FTP client on the stack"""
    want("vsftpd", "curl")
    path = conf(b, "vsftpd.conf", f"""
listen=YES
listen_port=9016
background=NO
anonymous_enable=YES
no_anon_password=YES
anon_root={b.root}
run_as_launching_user=YES
seccomp_sandbox=NO
pasv_min_port=9300
pasv_max_port=9320
secure_chroot_dir={b.root}
connect_from_port_20=NO
""")
    with Daemon(b, ["vsftpd", path], answers(9016)):
        for passive in (True, False):
            with ftplib.FTP(timeout=10 * b.slow) as f:
                f.connect(SERVER, 9016)
                f.login()
                f.set_pasv(passive)
                expect("big" in f.nlst(), "no list")
                got = []
                f.retrbinary("RETR big", got.append)
                expect(b"".join(got) == open(os.path.join(b.root, "big"), "rb").read(), "the file differs")


@optional
def ncat(b, s):
    """ncat -k -e, and ncat as client over UDP"""
    want("ncat")
    with Daemon(b, ["ncat", "-l", "-k", "-e", "/bin/cat", "0.0.0.0", "9017"], answers(9017)):
        for _ in range(3):  # it ends when its client has nothing more to send
            with socket.create_connection((SERVER, 9017), 5) as c:
                c.settimeout(5 * b.slow)
                data, got = os.urandom(60000), b""
                c.sendall(data)
                while len(got) < len(data):
                    got += c.recv(1 << 16)
                expect(got == data, "the bytes differ")


@optional
def sockperf(b, s):
    """sockperf: ping-pong over UDP and TCP, both ways round"""
    want("sockperf")
    for more, port in (([], 9018), (["--tcp"], 9019)):
        with Daemon(b, ["sockperf", "server", "-i", SERVER, "-p", port, *more], answers(port) if more else None):
            wait_for(lambda: "Valid Duration" in sh("sockperf", "ping-pong", "-i", SERVER, "-p", port, "-t", 1, *more, check=False,
                                                    timeout=20 * b.slow).stdout, 10 * b.slow, "an answer")
        with Daemon(b, ["sockperf", "server", "-i", CLIENT, "-p", port + 100, *more], answers(port + 100, CLIENT) if more else None,
                    on_stack=False):
            out = run(b, "sockperf", "ping-pong", "-i", CLIENT, "-p", port + 100, "-t", 1, *more, check=False)
            expect("Valid Duration" in out.stdout and "# dropped messages = 0" in out.stdout, out.stdout + out.stderr)


@optional
def iperf2(b, s):
    """iperf 2, two streams with a thread each, both ways"""
    want("iperf")
    with Daemon(b, ["iperf", "-s", "-p", "9020"], answers(9020)):
        out = sh("iperf", "-c", SERVER, "-p", "9020", "-n", "20M", "-P", "2", timeout=30 * b.slow).stdout
        expect("SUM" in out, out)
    with Daemon(b, ["iperf", "-s", "-p", "9120", "-B", CLIENT], answers(9120, CLIENT), on_stack=False):
        out = run(b, "iperf", "-c", CLIENT, "-p", "9120", "-n", "20M", "-P", "2").stdout
        expect("SUM" in out, out)


@optional
def names(b, s):
    """dnsmasq, unbound, nsd and knotd: names over UDP and TCP by the kernel's dig; dig and dnsperf on the stack"""
    want("dig")
    zone = conf(b, "zone", """$ORIGIN percore.test.
@ 60 IN SOA ns hostmaster 1 60 60 60 60
@ 60 IN NS ns
ns 60 IN A 192.0.2.1
a 60 IN A 192.0.2.77
""")
    servers = {
        "dnsmasq": (9021, ["dnsmasq", "-k", "-p", "9021", "-R", "-h", "--host-record=a.percore.test,192.0.2.77", "-C", "/dev/null", "-u",
                           "root", "--pid-file", "--log-facility=-"]),
        "unbound": (9022, ["unbound", "-d", "-d", "-c", conf(b, "unbound.conf", f"""
server:
  interface: 0.0.0.0@9022
  access-control: 0.0.0.0/0 allow
  username: ""
  chroot: ""
  directory: "{b.tmp}"
  pidfile: ""
  use-syslog: no
  num-threads: 2
  do-ip6: no
  local-zone: "percore.test." static
  local-data: "a.percore.test. 60 IN A 192.0.2.77"
""")]),
        "nsd": (9023, ["nsd", "-d", "-c", conf(b, "nsd.conf", f"""
server:
  ip-address: 0.0.0.0@9023
  username: ""
  zonesdir: "{b.tmp}"
  database: ""
  pidfile: "{b.tmp}/nsd.pid"
  xfrdfile: "{b.tmp}/xfrd"
  zonelistfile: "{b.tmp}/zl"
  xfrdir: "{b.tmp}"
  server-count: 2
remote-control:
  control-enable: no
zone:
  name: percore.test
  zonefile: {zone}
""")]),
        "knotd": (9024, ["knotd", "-c", conf(b, "knot.conf", f"""
server:
  listen: 0.0.0.0@9024
  rundir: {b.tmp}
database:
  storage: {b.tmp}
control:
  listen: {b.tmp}/knot.sock
zone:
  - domain: percore.test
    file: {zone}
    zonefile-sync: -1
""")]),
    }
    for name, (port, words) in servers.items():
        if not shutil.which(name):
            print(f"       skipped: {name} not installed")
            continue
        with Daemon(b, words, answers(port)) as d:
            # dnsmasq closes connections to an address that is on none of the kernel's interfaces
            for more in ([], ["+tcp"])[:1 if name == "dnsmasq" else 2]:
                r = sh("dig", "+short", "+tries=5", "+time=2", *more, "-p", port, f"@{SERVER}", "a.percore.test", check=False)
                expect(r.stdout == "192.0.2.77\n", f"{name} {more}: {r.stdout}{d.out()[-1500:]}")
    if has("dnsmasq"):
        with Daemon(b, [w.replace("9021", "9121") for w in servers["dnsmasq"][1]], answers(9121, CLIENT), on_stack=False):
            for more in ([], ["+tcp"]):
                out = run(b, "dig", "+short", *more, "-p", "9121", f"@{CLIENT}", "a.percore.test").stdout
                expect(out == "192.0.2.77\n", f"dig on the stack {more}: {out}")
            if has("dnsperf"):
                out = run(b, "dnsperf", "-s", CLIENT, "-p", "9121", "-n", "500", "-Q", "500", "-l", "3", "-d", conf(b, "q", "a.percore.test A\n")).stdout
                expect(re.search(r"Queries completed: +[1-9]\d+ \(100.00%\)", out), out)


@optional
def mariadb(b, s):
    """mariadbd: tables made, filled and read by the kernel's client; the client on the stack"""
    want("mariadbd", "mariadb", "mariadb-install-db")
    data = os.path.join(b.tmp, "db")

    def words(port, where):
        return ["mariadbd", "--no-defaults", "-u", "root", f"--datadir={data}", "--port", port, f"--bind-address={where}",
                f"--socket={b.tmp}/db{port}.sock", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0"]
    sh("mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db", "-u", "root", timeout=100 * b.slow)
    sql = "create database d; use d; create table t (i int, x text); insert into t select seq, repeat('x', 1000) from seq_1_to_2000; " \
          "select count(*), sum(length(x)) from t"
    for port, where, on_stack in ((9025, SERVER, True), (9125, CLIENT, False)):
        with Daemon(b, words(port, where), answers(port, where), on_stack=on_stack) as d:
            sh("mariadb", "-u", "root", "-S", f"{b.tmp}/db{port}.sock", "-e",
               "create or replace user u@'%' identified by ''; grant all on *.* to u@'%'; drop database if exists d")
            at = ["mariadb", "--no-defaults", "-u", "u", "-h", where, "-P", port, "--protocol=tcp", "-N", "-e", sql]
            r = sh(*at, timeout=30 * b.slow) if on_stack else run(b, *at)
            expect(r.stdout.split() == ["2000", "2000000"], r.stdout + r.stderr)
            d.end(seconds=20)


@optional
def tftp(b, s):
    """in.tftpd: a file, each transfer from a process of its own"""
    want("in.tftpd", "curl")
    with Daemon(b, ["in.tftpd", "-L", "-a", "0.0.0.0:9026", "-u", "root", "-s", b.root]):
        wait_for(lambda: sh("curl", "-sS", "--max-time", 3, f"tftp://{SERVER}:9026/small", check=False).stdout == "hello, percore\n",
                 10 * b.slow, "the file")
        expect(digest(["curl", "-sSf", f"tftp://{SERVER}:9026/big"]) == b.sha, "the SHA-256 differs")


@optional
def rsync(b, s):
    """rsync --daemon, and rsync as client on the stack"""
    want("rsync")
    for port, where, on_stack in ((9027, SERVER, True), (9127, CLIENT, False)):
        path = conf(b, f"rsyncd{port}.conf", f"""
port = {port}
address = {where}
use chroot = no
uid = root
gid = root
pid file = {b.tmp}/rsync{port}.pid
[www]
path = {b.root}
read only = yes
""")
        with Daemon(b, ["rsync", "--daemon", "--no-detach", f"--config={path}"], answers(port, where), on_stack=on_stack) as d:
            to = os.path.join(b.tmp, f"copy{port}")
            words = ["rsync", "-a", f"rsync://{where}:{port}/www/", to + "/"]
            r = sh(*words, timeout=30 * b.slow, check=False) if on_stack else run(b, *words, check=False)
            expect(r.returncode == 0, r.stderr + d.out())
            expect(digest(["cat", os.path.join(to, "big")]) == b.sha, "the SHA-256 differs")


@optional
def git(b, s):
    """git daemon, and a clone by git on the stack"""
    want("git")
    repo = os.path.join(b.tmp, "repo")
    sh("git", "init", "-q", repo)
    shutil.copy(os.path.join(b.root, "big"), repo)
    sh("git", "-C", repo, "add", "big")
    sh("git", "-C", repo, "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "x")
    for port, where, on_stack in ((9028, SERVER, True), (9128, CLIENT, False)):
        words = ["git", "daemon", "--export-all", f"--base-path={b.tmp}", f"--port={port}", f"--listen={where}", "--reuseaddr"]
        with Daemon(b, words, answers(port, where), on_stack=on_stack) as d:
            to = os.path.join(b.tmp, f"clone{port}")
            words = ["git", "clone", "-q", f"git://{where}:{port}/repo", to]
            r = sh(*words, timeout=30 * b.slow, check=False) if on_stack else run(b, *words, check=False)
            expect(r.returncode == 0, r.stderr + d.out())
            expect(digest(["cat", os.path.join(to, "big")]) == b.sha, "the SHA-256 differs")


@optional
def python_servers(b, s):
    """Python's asyncio, uvloop, and socketserver with threads and with forks"""
    for i, (name, text) in enumerate(PYTHON_SERVERS.items()):
        port = 9030 + i
        if name == "uvloop" and sh("/usr/bin/python3", "-c", "import uvloop", check=False).returncode:
            print("       skipped: uvloop not installed")
            continue
        try:
            with Daemon(b, ["/usr/bin/python3", "-c", text % port], answers(port)):
                for _ in range(3):
                    echoed(b, port)
        except bed.Failure as e:
            raise bed.Failure(f"{name}: {e}") from None


@optional
def gunicorn(b, s):
    """gunicorn with three worker processes"""
    want("gunicorn", "ab")
    conf(b, "app.py", "def app(e, start):\n    start('200 OK', [('Content-Length', '3')])\n    return [b'hi\\n']\n")
    with Daemon(b, ["gunicorn", "-w", "3", "-b", "0.0.0.0:9040", "--chdir", b.tmp, "app:app"], answers(9040)) as d:
        ab(b, f"http://{SERVER}:9040/", 300, 10)
        expect(d.end() == 0, d.out()[-2000:])


@optional
def beanstalkd(b, s):
    """beanstalkd: 200 jobs put, taken and deleted"""
    want("beanstalkd")
    with Daemon(b, ["beanstalkd", "-p", "9041"], answers(9041)), socket.create_connection((SERVER, 9041), 5) as c:
        c.settimeout(5 * b.slow)
        f = c.makefile("rwb")
        for i in range(200):
            f.write(b"put 0 0 10 5\r\n%05d\r\n" % i)
        f.flush()
        for i in range(200):
            expect(f.readline().startswith(b"INSERTED"), "not inserted")
        for i in range(200):
            f.write(b"reserve\r\n")
            f.flush()
            number = f.readline().split()[1]
            expect(f.readline() == b"%05d\r\n" % i, "not in order")
            f.write(b"delete %s\r\n" % number)
            f.flush()
            expect(f.readline() == b"DELETED\r\n", "not deleted")


@optional
def siege(b, s):
    """siege, perl and busybox wget as clients of the kernel's nginx"""
    want("siege", "nginx", "perl")
    with Daemon(b, ["nginx", "-c", write_nginx(b, "one", 9142)], answers(9142, CLIENT), on_stack=False):
        r = run(b, "siege", "-b", "-c", "5", "-r", "40", f"http://{CLIENT}:9142/small", check=False, env=dict(os.environ, HOME=b.tmp))
        expect(re.search(r'[Ff]ailed.transactions"?:\s+0', r.stdout + r.stderr), r.stdout + r.stderr)
        out = run(b, "perl", "-MHTTP::Tiny", "-MDigest::SHA=sha256_hex", "-e",
                  f'print sha256_hex(HTTP::Tiny->new->get("http://{CLIENT}:9142/big")->{{content}})').stdout
        expect(out == b.sha, out)
        if has("busybox"):
            expect(run(b, "busybox", "wget", "-q", "-O", "-", f"http://{CLIENT}:9142/small").stdout == "hello, percore\n" or
                   "statically" in sh("file", "-L", shutil.which("busybox")).stdout, "busybox")


@optional
def tinyproxy(b, s):
    """tinyproxy, which fetches from the kernel's nginx over the stack"""
    want("tinyproxy", "nginx")
    words = ["tinyproxy", "-d", "-c", conf(b, "tinyproxy.conf", "Port 9044\nListen 0.0.0.0\nTimeout 20\nMaxClients 20\n")]
    with Daemon(b, ["nginx", "-c", write_nginx(b, "behind", 9144)], answers(9144, CLIENT), on_stack=False), Daemon(b, words, answers(9044)) as d:
        for _ in range(10):
            expect(digest(["curl", "-sSf", "-x", f"http://{SERVER}:9044", f"http://{CLIENT}:9144/big"]) == b.sha, d.out()[-2000:])


@optional
def ngircd(b, s):
    """ngircd: two users say something to each other"""
    want("ngircd")
    os.chmod(b.tmp, 0o777)
    os.chmod(b.socket, 0o666)  # it changes its user
    words = ["ngircd", "-n", "-f", conf(b, "ngircd.conf", """[Global]
Name = irc.percore.test
Ports = 9045
Listen = 0.0.0.0
[Options]
DNS = no
Ident = no
PAM = no
[Limits]
MaxConnectionsIP = 0
MaxPenaltyTime = 0
""")]
    with Daemon(b, words, answers(9045)) as d:
        users = [socket.create_connection((SERVER, 9045), 5).makefile("rwb") for _ in range(2)]
        for i, u in enumerate(users):
            u.write(b"NICK user%d\r\nUSER u 0 * :u\r\n" % i)
            u.flush()
            expect(any(b" 001 " in u.readline() for _ in range(20)), d.out()[-2000:])
        for i in range(100):
            users[0].write(b"PRIVMSG user1 :number %d\r\n" % i)
        users[0].flush()
        got = []
        while len(got) < 100:
            line = users[1].readline()
            expect(line, f"{len(got)} messages{d.out()[-2000:]}")
            if b"PRIVMSG" in line:
                got.append(line)
        expect(got[-1].rstrip().endswith(b":number 99"), got[-1])


STEPS = [apache_event, apache_prefork, node, php, ruby, h2o, nghttp2, openssl, stunnel, squid, varnish, mosquitto, sshd, vsftpd, ncat,
         sockperf, iperf2, names, mariadb, tftp, rsync, git, python_servers, gunicorn, beanstalkd, siege, tinyproxy, ngircd]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("ethtool", "curl", "ab")
    bed.main(args, STEPS, start)
