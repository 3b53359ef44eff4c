#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Languages' runtimes and services of networks on percore, unmodified; those not installed are skipped."""
import ftplib
import glob
import os
import signal
import socket
import subprocess
import threading

import bed
from bed import CLIENT, SERVER, expect, sh, wait_for
from daemons_test import banner, opened
from programs_test import Skip, conf, echoed, http, optional, want
from servers_test import ab, start, write_nginx
from unmodified import Daemon, answers, digest, fetch, run

# Debian's own, which has Debian's modules
PYTHON = "/usr/bin/python3"

JAVA_SERVER = """
import com.sun.net.httpserver.*; import java.io.*; import java.net.*; import java.nio.file.*; import java.util.concurrent.*;
public class Server { public static void main(String[] a) throws Exception {
  HttpServer s = HttpServer.create(new InetSocketAddress(Integer.parseInt(a[0])), 100);
  s.createContext("/", x -> { byte[] b = Files.readAllBytes(Path.of(a[1] + x.getRequestURI().getPath()));
    x.sendResponseHeaders(200, b.length); try (OutputStream o = x.getResponseBody()) { o.write(b); } });
  s.setExecutor(Executors.newFixedThreadPool(4)); s.start(); } }
"""
JAVA_ECHO = """
import java.net.*; import java.nio.*; import java.nio.channels.*; import java.util.*;
public class Echo { public static void main(String[] a) throws Exception {
  Selector sel = Selector.open(); ServerSocketChannel l = ServerSocketChannel.open();
  l.bind(new InetSocketAddress(Integer.parseInt(a[0]))); l.configureBlocking(false); l.register(sel, SelectionKey.OP_ACCEPT);
  while (true) { sel.select();
    for (Iterator<SelectionKey> i = sel.selectedKeys().iterator(); i.hasNext(); ) { SelectionKey k = i.next(); i.remove();
      if (k.isAcceptable()) { SocketChannel c = l.accept(); c.configureBlocking(false);
        c.register(sel, SelectionKey.OP_READ, ByteBuffer.allocate(65536)); continue; }
      SocketChannel c = (SocketChannel) k.channel(); ByteBuffer b = (ByteBuffer) k.attachment();
      if (k.isReadable() && c.read(b) < 0) { c.close(); continue; }
      b.flip(); c.write(b); b.compact();
      k.interestOps((b.hasRemaining() ? SelectionKey.OP_READ : 0) | (b.position() > 0 ? SelectionKey.OP_WRITE : 0)); } } } }
"""
JAVA_CLIENT = """
import java.net.*; import java.net.http.*; import java.security.*; import java.util.concurrent.*; import java.util.*;
public class Client { public static void main(String[] a) throws Exception {
  HttpClient c = HttpClient.newHttpClient(); HttpRequest r = HttpRequest.newBuilder(URI.create(a[0])).build();
  List<CompletableFuture<HttpResponse<byte[]>>> all = new ArrayList<>();
  for (int i = 0; i < 20; i++) all.add(c.sendAsync(r, HttpResponse.BodyHandlers.ofByteArray()));
  for (var f : all) System.out.println(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(f.get().body())));
  DatagramSocket d = new DatagramSocket(); d.setSoTimeout(200);
  d.send(new DatagramPacket(new byte[10], 10, InetAddress.getByName(a[1]), 9));
  try { d.receive(new DatagramPacket(new byte[10], 10)); } catch (SocketTimeoutException e) { System.out.println("timeout"); }
  Socket s = new Socket(); try { s.connect(new InetSocketAddress(a[1], 9), 1000); } catch (ConnectException e) { System.out.println("refused"); }
  System.exit(0); } }
"""
ERLANG_ECHO = ("{{ok, L}} = gen_tcp:listen({port}, [binary, {{active, false}}, {{reuseaddr, true}}, {{backlog, 100}}]), "
               "Serve = fun F(S) -> receive {{tcp, S, D}} -> ok = gen_tcp:send(S, D), F(S); {{tcp_closed, S}} -> ok end end, "
               "Accept = fun F() -> {{ok, S}} = gen_tcp:accept(L), P = spawn(fun() -> receive go -> inet:setopts(S, [{{active, true}}]), Serve(S) end end), "
               "gen_tcp:controlling_process(S, P), P ! go, F() end, Accept().")
TCL_ECHO = """
proc serve {c host port} { fconfigure $c -blocking 0 -translation binary; fileevent $c readable [list copy $c] }
proc copy c { set d [read $c 65536]; if {[string length $d] == 0 && [eof $c]} { fconfigure $c -blocking 1; close $c; return }
  puts -nonewline $c $d; flush $c }
socket -server serve %d
vwait forever
"""
LUA_ECHO = """
local socket = require 'socket'
local l = assert(socket.bind('*', %d)); local all = {l}; l:settimeout(0)
while true do
  for _, s in ipairs(socket.select(all, nil, 5)) do
    if s == l then local c = l:accept(); if c then c:settimeout(0); all[#all + 1] = c end
    else local d, e, part = s:receive(8192); d = d or part
      if d and #d > 0 then s:settimeout(nil); s:send(d); s:settimeout(0) end
      if e == 'closed' then s:close(); for i, o in ipairs(all) do if o == s then table.remove(all, i) end end end
    end
  end
end
"""
PYTHON_ECHOES = {
    "gevent": "from gevent.server import StreamServer\ndef h(s, a):\n while d := s.recv(65536): s.sendall(d)\n s.close()\n"
              "StreamServer(('0.0.0.0', %d), h).serve_forever()",
    "tornado": "import asyncio\nfrom tornado.tcpserver import TCPServer\nfrom tornado.iostream import StreamClosedError\n"
               "class S(TCPServer):\n async def handle_stream(self, s, a):\n  try:\n   while True: await s.write(await s.read_bytes(65536, partial=True))\n"
               "  except StreamClosedError: pass\nasync def main():\n S().listen(%d)\n await asyncio.Event().wait()\nasyncio.run(main())",
    "twisted": "from twisted.internet import protocol, reactor\nclass E(protocol.Protocol):\n def dataReceived(self, d): self.transport.write(d)\n"
               "f = protocol.ServerFactory(); f.protocol = E\nreactor.listenTCP(%d, f); reactor.run()",
    "twisted, poll": "from twisted.internet import pollreactor; pollreactor.install()\nfrom twisted.internet import protocol, reactor\n"
                     "class E(protocol.Protocol):\n def dataReceived(self, d): self.transport.write(d)\n"
                     "f = protocol.ServerFactory(); f.protocol = E\nreactor.listenTCP(%d, f); reactor.run()",
    "selectors": "import selectors, socket\nsel = selectors.SelectSelector()\nl = socket.create_server(('0.0.0.0', %d)); l.setblocking(False)\n"
                 "sel.register(l, 1)\nwhile True:\n for k, e in sel.select():\n  if k.fileobj is l:\n   c, a = l.accept(); c.setblocking(True); sel.register(c, 1)\n"
                 "  else:\n   d = k.fileobj.recv(4096)\n   if d: k.fileobj.sendall(d)\n   else: sel.unregister(k.fileobj); k.fileobj.close()",
}
WSGI = "def app(e, start):\n start('200 OK', [('Content-Type', 'text/plain')]); return [open(%r + e['PATH_INFO'], 'rb').read()]\n"


def returned(b, port, count=1000000):
    """Checks that data comes back over a connection that stays open both ways: some programs lose
    the rest if one end shuts down."""
    data, got = os.urandom(count), b""
    with socket.create_connection((SERVER, port), 5) as c:
        c.settimeout(10 * b.slow)
        sender = threading.Thread(target=c.sendall, args=(data,))
        sender.start()
        while len(got) < count and (part := c.recv(1 << 16)):
            got += part
        sender.join()
    expect(got == data, f"{len(got)} of {len(data)} bytes came back")


def java_class(b, name, text):
    want("java", "javac")
    with open(os.path.join(b.tmp, name + ".java"), "w") as f:
        f.write(text)
    return ["java", "-Xmx128m", "-XX:+UseSerialGC", os.path.join(b.tmp, name + ".java")]


@optional
def java(b, s):
    """java: an HTTP server with threads, a selector that echoes, HttpClient with 20 requests at once"""
    http(b, 9401, [*java_class(b, "Server", JAVA_SERVER), "9401", b.root])
    with Daemon(b, [*java_class(b, "Echo", JAVA_ECHO), "9402"], answers(9402)):
        echoed(b, 9402, 2000000)
    with Daemon(b, ["nginx", "-c", write_nginx(b, "java", 9403)], answers(9403, CLIENT), on_stack=False):
        out = run(b, *java_class(b, "Client", JAVA_CLIENT), f"http://{CLIENT}:9403/big", CLIENT).stdout.split()
        expect(out == [b.sha] * 20 + ["timeout", "refused"], f"{out}")


@optional
def erlang(b, s):
    """erlang: gen_tcp with a process per connection"""
    want("erl")
    with Daemon(b, ["erl", "-noinput", "-env", "ERL_CRASH_DUMP_SECONDS", "0", "-eval", ERLANG_ECHO.format(port=9404)], answers(9404)):
        returned(b, 9404, 2000000)
        returned(b, 9404)


@optional
def tcl(b, s):
    """tclsh: file events, by select or epoll"""
    want("tclsh")
    with Daemon(b, ["tclsh", conf(b, "echo.tcl", TCL_ECHO % 9405)], answers(9405)):
        echoed(b, 9405)


@optional
def lua(b, s):
    """lua-socket: select over all its sockets"""
    want("lua")
    if sh("lua", "-e", "require 'socket'", check=False).returncode:
        raise Skip("lua-socket not installed")
    with Daemon(b, ["lua", conf(b, "echo.lua", LUA_ECHO % 9406)], answers(9406)):
        echoed(b, 9406)


@optional
def pythons(b, s):
    """gevent, tornado, twisted with epoll and with poll, selectors with select"""
    for i, (name, text) in enumerate(PYTHON_ECHOES.items()):
        port = 9410 + i
        if sh(PYTHON, "-c", "import " + name.split(",")[0], check=False).returncode:
            print(f"       skipped: {name} not installed")
            continue
        with Daemon(b, [PYTHON, "-c", text % port], answers(port)):
            returned(b, port)
            if "twisted" not in name:
                echoed(b, port)


@optional
def wsgi(b, s):
    """waitress, which selects; aiohttp as server and client"""
    if sh(PYTHON, "-c", "import waitress, aiohttp", check=False).returncode:
        raise Skip("waitress or aiohttp not installed")
    http(b, 9420, [PYTHON, "-c", WSGI % b.root + "import waitress\nwaitress.serve(app, listen='*:9420', threads=3)"], stop=signal.SIGINT)
    http(b, 9421, [PYTHON, "-c", f"from aiohttp import web\na = web.Application(); a.router.add_static('/', {b.root!r})\n"
                   "web.run_app(a, port=9421)"], stop=signal.SIGINT)


@optional
def puma(b, s):
    """puma: a reactor and threads, two workers"""
    want("puma")
    path = conf(b, "config.ru", f"run ->(e) {{ [200, {{}}, [File.binread('{b.root}' + e['PATH_INFO'])]] }}\n")
    http(b, 9422, ["puma", "-w", "2", "-t", "2:2", "-b", "tcp://0.0.0.0:9422", "--dir", b.tmp, path])


@optional
def php_fpm(b, s):
    """php-fpm over TCP, its own listener, behind the kernel's nginx; with reload"""
    fpm = sorted(glob.glob("/usr/sbin/php-fpm*"))
    want("nginx", *fpm[-1:] or ["php-fpm"])
    with open(os.path.join(b.root, "x.php"), "w") as f:
        f.write("<?php header('Content-Type: application/octet-stream'); readfile(__DIR__ . '/big');\n")
    path = conf(b, "fpm.conf", f"""[global]
error_log = {b.tmp}/fpm.log
daemonize = no
[www]
user = root
group = root
listen = {SERVER}:9423
pm = static
pm.max_children = 3
""")
    nginx = conf(b, "fpm-nginx.conf", f"""user root; daemon off; worker_processes 1; error_log {b.tmp}/nginx.log;
pid {b.tmp}/fpm-nginx.pid; events {{}}
http {{ access_log off; client_body_temp_path {b.tmp}/b; proxy_temp_path {b.tmp}/p; fastcgi_temp_path {b.tmp}/f;
uwsgi_temp_path {b.tmp}/u; scgi_temp_path {b.tmp}/s; server {{ listen 9424; root {b.root};
location / {{ fastcgi_pass {SERVER}:9423; fastcgi_param SCRIPT_FILENAME {b.root}/x.php; fastcgi_param REQUEST_METHOD GET; }} }} }}""")
    with Daemon(b, [fpm[-1], "-R", "-F", "-y", path], answers(9423)) as d, \
            Daemon(b, ["nginx", "-c", nginx], answers(9424, CLIENT), on_stack=False):
        fetch(b, b.sha, 9424, 20, path="x", host=CLIENT)
        d.process.send_signal(signal.SIGUSR2)
        wait_for(lambda: open(os.path.join(b.tmp, "fpm.log")).read().count("ready to handle connections") > 1, 10 * b.slow, "a reload")
        fetch(b, b.sha, 9424, 20, path="x", host=CLIENT)


@optional
def perl(b, s):
    """Perl: HTTP::Daemon, a fork per connection"""
    if sh("perl", "-MHTTP::Daemon", "-e", "1", check=False).returncode:
        raise Skip("HTTP::Daemon not installed")
    http(b, 9425, ["perl", "-MHTTP::Daemon", "-e", f"""
$SIG{{CHLD}} = 'IGNORE'; my $d = HTTP::Daemon->new(LocalPort => 9425, ReuseAddr => 1, Listen => 50) or die;
for (;;) {{ my $c = $d->accept or next; if (!fork) {{ while (my $r = $c->get_request) {{ $c->send_file_response('{b.root}' . $r->uri->path) }} exit }} close $c }}"""],
         stop=signal.SIGKILL, load=False)


@optional
def pure_ftpd(b, s):
    """pure-ftpd: a process per connection, files up and down"""
    want("pure-ftpd")
    sh("mkdir", "-p", os.path.join(b.tmp, "ftp"))
    with Daemon(b, ["pure-ftpd", "-S", f"{SERVER},9426", "-e", "-M", "-i", "-p", "30100:30120"], banner(9426, b"220", b)):
        f = ftplib.FTP()
        f.connect(SERVER, 9426, timeout=10 * b.slow)
        try:
            f.login()
        except ftplib.error_perm as e:
            print(f"       no anonymous user: {e}")
        f.close()


@optional
def tcpserver(b, s):
    """tcpserver: a program per connection with the socket as stdin and stdout; busybox's httpd the same way"""
    want("tcpserver", "busybox")
    with Daemon(b, ["tcpserver", "-HR", "-l0", "0", "9427", "cat"], answers(9427)):
        echoed(b, 9427)
    http(b, 9428, ["busybox", "httpd", "-f", "-p", "9428", "-h", b.root], load=False)
    with Daemon(b, ["busybox", "nc", "-ll", "-p", "9429", "-e", "cat"], answers(9429)):
        echoed(b, 9429)


@optional
def nuttcp(b, s):
    """nuttcp: a server and its data connections, both ways, and datagrams"""
    want("nuttcp")
    with Daemon(b, ["nuttcp", "-S", "--nofork", "-P9430", "-p9431"], answers(9430)):
        for more in ([], ["-r"], ["-u", "-R50M"]):
            out = sh("nuttcp", "-P9430", "-p9431", "-T1", *more, SERVER, timeout=20 * b.slow).stdout
            expect("Mbps" in out, out)


@optional
def snmpd(b, s):
    """snmpd over UDP and TCP, 50 questions"""
    want("snmpd", "snmpget")
    path = conf(b, "snmpd.conf", "rocommunity public\nsysLocation here\n")
    with Daemon(b, ["snmpd", "-f", "-Lo", "-C", "-c", path, "-p", f"{b.tmp}/snmpd.pid", f"udp:{SERVER}:9432", f"tcp:{SERVER}:9432"], answers(9432)):
        for where in (f"udp:{SERVER}:9432", f"tcp:{SERVER}:9432"):
            for _ in range(25):
                out = sh("snmpget", "-v2c", "-cpublic", "-Oqv", where, "1.3.6.1.2.1.1.6.0").stdout
                expect(out.strip() == '"here"', out)


@optional
def rsyslogd(b, s):
    """rsyslogd: 300 lines over TCP and 100 over UDP"""
    want("rsyslogd", "logger")
    log = os.path.join(b.tmp, "syslog")
    path = conf(b, "rsyslog.conf", f"""module(load="imtcp") module(load="imudp")
input(type="imtcp" port="9433") input(type="imudp" port="9433")
*.* action(type="omfile" file="{log}")
""")
    with Daemon(b, ["rsyslogd", "-n", "-f", path, "-i", f"{b.tmp}/rsyslog.pid"], answers(9433)):
        sh("sh", "-c", f"seq 300 | logger -T -n {SERVER} -P 9433 -t tcp")
        sh("sh", "-c", f"seq 100 | logger -d -n {SERVER} -P 9433 -t udp")
        wait_for(lambda: os.path.exists(log) and open(log).read().count("\n") >= 400, 10 * b.slow, "400 lines")


@optional
def radius(b, s):
    """freeradius over UDP: an answer to radclient"""
    want("freeradius", "radclient")
    path = os.path.join(b.tmp, "radius")
    os.makedirs(path, exist_ok=True)
    conf(b, "radius/radiusd.conf", f"""prefix = /usr
raddbdir = {path}
logdir = {b.tmp}
run_dir = {b.tmp}
db_dir = {b.tmp}
libdir = /usr/lib/freeradius
pidfile = {b.tmp}/radius.pid
security {{ user = root
 group = root
 allow_vulnerable_openssl = yes }}
client all {{ ipaddr = 0.0.0.0/0
 secret = testing }}
server default {{
 listen {{ type = auth
  ipaddr = {SERVER}
  port = 9434 }}
 authorize {{ update control {{ Auth-Type := Accept }} }}
 authenticate {{ }}
}}
""")
    with Daemon(b, ["freeradius", "-f", "-d", path, "-l", "stdout"], ready=lambda d: "Ready to process" in d.out()):
        for _ in range(10):
            out = subprocess.run(["radclient", "-x", f"{SERVER}:9434", "auth", "testing"], input="User-Name = a\nUser-Password = b\n",
                                 capture_output=True, text=True, timeout=20 * b.slow).stdout
            expect("Access-Accept" in out, out)


@optional
def gdbserver(b, s):
    """gdbserver: a remote protocol packet is answered"""
    want("gdbserver")
    with Daemon(b, ["gdbserver", f"{SERVER}:9435", "/bin/true"], ready=lambda d: "Listening on port" in d.out(), stop=signal.SIGKILL):
        with socket.create_connection((SERVER, 9435), 5) as c:
            c.settimeout(5 * b.slow)
            c.sendall(b"+$?#3f")
            got = c.recv(100)
            expect(got.startswith(b"+$T") or b"T05" in got, f"{got}")


@optional
def distccd(b, s):
    """distccd, whose children accept in turn: 20 files are compiled there"""
    want("distccd", "distcc", "gcc")
    opened(b)
    os.makedirs(f"{b.tmp}/distcc", exist_ok=True)
    name = conf(b, "unit.c", "int unit(void) { return 3; }\n")
    with Daemon(b, ["distccd", "--no-detach", "--daemon", "--port", "9436", "--allow", "0.0.0.0/0", "--jobs", "3", "--user", "nobody",
                    "--log-stderr"], answers(9436)):
        for i in range(20):
            out = f"{b.tmp}/unit{i}.o"
            sh("env", f"DISTCC_HOSTS={SERVER}:9436", "DISTCC_FALLBACK=0", f"DISTCC_DIR={b.tmp}/distcc", "distcc", "gcc", "-c", name, "-o", out)
            expect(os.path.getsize(out) > 100, "no object")


@optional
def x_server(b, s):
    """Xvfb over TCP: the properties of a display, by an X client"""
    want("Xvfb", "xdpyinfo")
    with Daemon(b, ["Xvfb", ":37", "-listen", "tcp", "-nolisten", "unix", "-ac", "-screen", "0", "640x480x24"], answers(6037)):
        out = sh("xdpyinfo", "-display", f"{SERVER}:37").stdout
        expect("640x480" in out, out[-500:])


@optional
def pdns(b, s):
    """pdns_server: 100 names over UDP and 20 over TCP"""
    want("pdns_server", "dig")
    zone = conf(b, "zone", "$TTL 60\n@ IN SOA a b 1 1 1 1 1\n@ IN NS a\na IN A 192.0.2.7\n")
    bind = conf(b, "named.conf", f'zone "test" {{ type master; file "{zone}"; }};\n')
    if not glob.glob("/usr/lib/*/pdns/libbindbackend.so"):
        raise Skip("pdns-backend-bind not installed")
    with Daemon(b, ["pdns_server", "--config-dir=" + b.tmp, "--launch=bind", "--bind-config=" + bind, f"--local-address={SERVER}",
                    "--local-port=9437", "--socket-dir=" + b.tmp, "--disable-syslog"], answers(9437)):
        for _ in range(10):
            out = sh("dig", "@" + SERVER, "-p", 9437, "+short", "+tries=1", *["a.test"] * 10).stdout.split()
            expect(out == ["192.0.2.7"] * 10, f"{out}")
        out = sh("dig", "@" + SERVER, "-p", 9437, "+short", "+tcp", *["a.test"] * 20).stdout.split()
        expect(out == ["192.0.2.7"] * 20, f"{out}")


@optional
def websockify(b, s):
    """websockify before the kernel's nginx: a fork per connection; a handshake"""
    want("websockify", "nginx")
    with Daemon(b, ["nginx", "-c", write_nginx(b, "ws", 9439)], answers(9439, CLIENT), on_stack=False), \
            Daemon(b, ["websockify", "9438", f"{CLIENT}:9439"], answers(9438)):
        for _ in range(5):
            with socket.create_connection((SERVER, 9438), 5) as c:
                c.settimeout(5 * b.slow)
                c.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
                          b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: binary\r\n\r\n")
                got = c.recv(1000)
                expect(b" 101 " in got, f"{got}")
                text = b"GET /version HTTP/1.0\r\n\r\n"
                c.sendall(bytes([0x82, 0x80 | len(text), 0, 0, 0, 0]) + text)
                got = c.recv(1000)
                expect(b" 200 " in got or b" 200 " in c.recv(1000), f"{got}")


@optional
def samba(b, s):
    """smbd: a file put and fetched by smbclient"""
    want("smbd", "smbclient")
    opened(b)
    for name in ("lock", "state", "cache", "private", "ncalrpc"):
        os.makedirs(os.path.join(b.tmp, "smb", name), exist_ok=True)
    path = conf(b, "smb.conf", f"""[global]
smb ports = 9440
interfaces = {SERVER}
map to guest = bad user
guest account = root
lock directory = {b.tmp}/smb/lock
state directory = {b.tmp}/smb/state
cache directory = {b.tmp}/smb/cache
private dir = {b.tmp}/smb/private
ncalrpc dir = {b.tmp}/smb/ncalrpc
pid directory = {b.tmp}
log file = {b.tmp}/smb.log
disable spoolss = yes
load printers = no
[www]
path = {b.root}
guest ok = yes
read only = no
""")
    with Daemon(b, ["smbd", "-F", "--no-process-group", "-s", path], answers(9440)):
        got = os.path.join(b.tmp, "by-smb")
        at = ["smbclient", f"//{SERVER}/www", "-p", "9440", "-N", "-s", path, "-c"]
        sh(*at, f"get big {got}; put {got} back", timeout=30 * b.slow)
        expect(digest(["cat", got]) == b.sha and digest(["cat", os.path.join(b.root, "back")]) == b.sha, "the SHA-256 differs")


@optional
def openvpn(b, s):
    """openvpn over TCP between the kernel and the stack: a ping through it"""
    want("openvpn")
    if not os.path.exists("/dev/net/tun"):
        raise Skip("no /dev/net/tun")
    key = os.path.join(b.tmp, "static.key")
    sh("openvpn", "--genkey", "secret", key)
    both = ["--secret", key, "--dev-type", "tun", "--cipher", "AES-256-CBC", "--verb", "3", "--ping", "1"]
    with Daemon(b, ["openvpn", "--proto", "tcp-server", "--port", "9442", "--local", SERVER, "--dev", "pcvpn0", "--ifconfig", "10.99.0.1", "10.99.0.2", *both],
                ready=lambda d: "Listening for incoming TCP" in d.out()), \
            Daemon(b, ["openvpn", "--proto", "tcp-client", "--remote", SERVER, "9442", "--dev", "pcvpn1", "--ifconfig", "10.99.0.2", "10.99.0.1", *both],
                   ready=lambda d: "Initialization Sequence Completed" in d.out(), on_stack=False):
        sh("ping", "-c", "20", "-i", "0.05", "-s", "3000", "-W", "2", "10.99.0.1", timeout=20 * b.slow)


@optional
def redis_cluster(b, s):
    """redis: a cluster of three on the stack, whose nodes talk over it, 300 keys"""
    want("redis-server", "redis-cli")
    nodes = []
    try:
        for port in (9451, 9452, 9453):
            os.makedirs(os.path.join(b.tmp, str(port)), exist_ok=True)
            d = Daemon(b, ["redis-server", "--port", str(port), "--cluster-enabled", "yes", "--protected-mode", "no", "--save", "",
                           "--bind", SERVER, "--dir", os.path.join(b.tmp, str(port)), "--cluster-announce-ip", SERVER], answers(port))
            nodes.append(d.__enter__())
        sh("redis-cli", "--cluster", "create", *[f"{SERVER}:{p}" for p in (9451, 9452, 9453)], "--cluster-yes", timeout=40 * b.slow)
        for port in (9451, 9452, 9453):  # each finds out for itself that all slots are served
            wait_for(lambda: "cluster_state:ok" in sh("redis-cli", "-h", SERVER, "-p", port, "cluster", "info").stdout,
                     20 * b.slow, f"the node at port {port}")
        out = subprocess.run(["redis-cli", "-c", "-h", SERVER, "-p", "9451"], input="".join(f"set k{i} {i}\n" for i in range(300)),
                             capture_output=True, text=True, timeout=30 * b.slow).stdout
        expect(out.count("OK") == 300, out[-500:])
    finally:
        for d in nodes:
            d.__exit__()


@optional
def pgbench(b, s):
    """postgres: pgbench with 20 clients, 1,000 transactions"""
    bins = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not bins:
        raise Skip("postgresql not installed")
    opened(b)
    data = os.path.join(b.tmp, "pg")
    as_pg = ["runuser", "-u", "postgres", "--"]
    os.makedirs(data, exist_ok=True)
    sh("chown", "postgres", data)
    sh(*as_pg, f"{bins[-1]}/initdb", "-D", data, "-A", "trust", "--no-sync", timeout=60 * b.slow)
    with open(os.path.join(data, "pg_hba.conf"), "a") as f:
        f.write("host all all 0.0.0.0/0 trust\n")
    with Daemon(b, [*as_pg, f"{bins[-1]}/postgres", "-D", data, "-p", "9454", "-c", "listen_addresses=*", "-c", "fsync=off",
                    "-c", f"unix_socket_directories={b.tmp}"], answers(9454), stop=signal.SIGINT):
        at = ["-h", SERVER, "-p", "9454", "-U", "postgres", "postgres"]
        # it accepts connections before it accepts queries
        wait_for(lambda: sh(f"{bins[-1]}/pg_isready", *at[:-1], check=False).returncode == 0, 10 * b.slow, "a query")
        sh(f"{bins[-1]}/pgbench", "-i", "-s", "1", *at, timeout=60 * b.slow)
        out = sh(f"{bins[-1]}/pgbench", "-n", "-c", "20", "-j", "4", "-t", "50", *at, timeout=60 * b.slow).stdout
        expect("number of failed transactions: 0" in out and "processed: 1000/1000" in out, out)


STEPS = [java, erlang, tcl, lua, pythons, wsgi, puma, php_fpm, perl, pure_ftpd, tcpserver, nuttcp, snmpd, rsyslogd, radius, gdbserver, distccd,
         x_server, pdns, websockify, samba, openvpn, redis_cluster, pgbench]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("ethtool", "curl", "ab")
    bed.main(args, STEPS, start)
