#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Other unmodified programs on percore: a mail server of many processes, runtimes, proxies, SIP, names over TLS; those not installed are skipped."""
import contextlib
import os
import shutil
import signal
import smtplib
import socket
import ssl
import struct
import subprocess
import threading

import bed
from bed import CLIENT, SERVER, expect, sh, wait_for
from daemons_test import banner, opened
from programs_test import Skip, certificate, conf, http, optional, want
from runtimes_test import returned
from servers_test import ab, start, write_nginx
from unmodified import Daemon, answers, fetch, run

MONO_ECHO = """
using System.Net; using System.Net.Sockets; using System.Threading.Tasks;
class Echo {
  static async Task Serve(TcpClient c) {
    var b = new byte[65536]; var s = c.GetStream(); int n;
    while ((n = await s.ReadAsync(b, 0, b.Length)) > 0) await s.WriteAsync(b, 0, n);
    c.Close();
  }
  static void Main(string[] a) {
    var l = new TcpListener(IPAddress.Any, int.Parse(a[0])); l.Start();
    for (;;) { var c = l.AcceptTcpClient(); Task.Run(() => Serve(c)); }
  }
}
"""
MONO_CLIENT = """
using System; using System.Net; using System.Security.Cryptography;
class Get { static void Main(string[] a) {
  for (int i = 0; i < 10; i++) { var d = new WebClient().DownloadData(a[0]);
    Console.WriteLine(BitConverter.ToString(SHA256.Create().ComputeHash(d)).Replace("-", "").ToLower()); } } }
"""
GRPC_SERVER = """
import grpc
from concurrent import futures
class H(grpc.GenericRpcHandler):
    def service(self, call):
        return grpc.stream_stream_rpc_method_handler(lambda it, c: (m[::-1] for m in it)) if call.method == '/t/many' else \\
            grpc.unary_unary_rpc_method_handler(lambda m, c: m[::-1])
s = grpc.server(futures.ThreadPoolExecutor(8), handlers=[H()])
s.add_insecure_port('0.0.0.0:%d')
s.start()
s.wait_for_termination()
"""
GRPC_CLIENT = """
import grpc
with grpc.insecure_channel('%s:%d') as c:
    one, many = c.unary_unary('/t/one'), c.stream_stream('/t/many')
    words = [b'%%d' %% i * 1000 for i in range(100)]
    print(all(one(w, timeout=20) == w[::-1] for w in words), list(many(iter(words), timeout=20)) == [w[::-1] for w in words])
"""
ASGI = """
async def app(scope, receive, send):
    if scope['type'] == 'http':
        body = open(%r + scope['path'], 'rb').read()
        await send({'type': 'http.response.start', 'status': 200, 'headers': [(b'content-length', b'%%d' %% len(body))]})
        await send({'type': 'http.response.body', 'body': body})
"""
PROLOG_HTTP = ":- use_module(library(http/thread_httpd)), use_module(library(http/http_dispatch)), use_module(library(http/http_files)). " \
              ":- http_handler(root(.), http_reply_from_files('%s', []), [prefix]). :- http_server(http_dispatch, [port('0.0.0.0':%d)]), thread_get_message(_)."
SBCL_ECHO = """
(require :sb-bsd-sockets)
(let ((l (make-instance 'sb-bsd-sockets:inet-socket :type :stream :protocol :tcp)))
  (setf (sb-bsd-sockets:sockopt-reuse-address l) t)
  (sb-bsd-sockets:socket-bind l #(0 0 0 0) %d)
  (sb-bsd-sockets:socket-listen l 8)
  (loop (let* ((c (sb-bsd-sockets:socket-accept l)) (b (make-array 65536 :element-type '(unsigned-byte 8))))
    (ignore-errors (loop (multiple-value-bind (x n) (sb-bsd-sockets:socket-receive c b nil) (declare (ignore x))
      (when (or (null n) (zerop n)) (return))
      (let ((at 0)) (loop while (< at n) do (incf at (sb-bsd-sockets:socket-send c (subseq b at n) nil)))))))
    (sb-bsd-sockets:socket-close c))))
"""


@optional
def mono(b, s):
    """Mono: an echo server of tasks, and a client of the kernel's nginx"""
    want("mono", "mcs", "nginx")
    for name, text in (("Echo", MONO_ECHO), ("Get", MONO_CLIENT)):
        sh("mcs", "-out:" + os.path.join(b.tmp, name + ".exe"), conf(b, name + ".cs", text))
    with Daemon(b, ["mono", os.path.join(b.tmp, "Echo.exe"), "9501"], answers(9501)):
        returned(b, 9501, 2000000)
        returned(b, 9501)
    with Daemon(b, ["nginx", "-c", write_nginx(b, "mono", 9602)], answers(9602, CLIENT), on_stack=False):
        out = run(b, "mono", os.path.join(b.tmp, "Get.exe"), f"http://{CLIENT}:9602/big").stdout.split()
        expect(out == [b.sha] * 10, f"{out}")


@optional
def grpc(b, s):
    """gRPC: calls and streams, the server on the stack, and then the client"""
    python = "/usr/bin/python3"
    if sh(python, "-c", "import grpc", check=False).returncode:
        raise Skip("python3-grpcio not installed")
    with Daemon(b, [python, "-c", GRPC_SERVER % 9503], answers(9503)):
        out = sh(python, "-c", GRPC_CLIENT % (SERVER, 9503), timeout=60 * b.slow).stdout
        expect(out == "True True\n", out)
    with Daemon(b, [python, "-c", GRPC_SERVER % 9603], answers(9603, CLIENT), on_stack=False):
        out = run(b, python, "-c", GRPC_CLIENT % (CLIENT, 9603), timeout=60).stdout
        expect(out == "True True\n", out)


@optional
def asgi(b, s):
    """uvicorn with two workers, and daphne"""
    conf(b, "asgi_app.py", ASGI % b.root)
    os.environ["PYTHONPATH"] = b.tmp
    for name, port, words in (("uvicorn", 9504, ["--workers", "2", "--host", "0.0.0.0", "--port", "9504", "asgi_app:app"]),
                              ("daphne", 9505, ["-b", "0.0.0.0", "-p", "9505", "asgi_app:app"])):
        if shutil.which(name):
            http(b, port, [name, *words])
        else:
            print(f"       skipped: {name} not installed")


@optional
def prolog(b, s):
    """SWI-Prolog's HTTP server, of threads"""
    want("swipl")
    # its few threads wait for connections that stay open
    http(b, 9506, ["swipl", conf(b, "http.pl", PROLOG_HTTP % (b.root, 9506))], load=False, stop=signal.SIGKILL)


@optional
def lisp(b, s):
    """SBCL's sockets"""
    want("sbcl")
    with Daemon(b, ["sbcl", "--script", conf(b, "echo.lisp", SBCL_ECHO % 9507)], answers(9507)):
        returned(b, 9507)
        returned(b, 9507)


@optional
def nghttpx(b, s):
    """nghttpx in front of the kernel's nginx, in two threads"""
    want("nghttpx", "nginx", "ab")
    with Daemon(b, ["nginx", "-c", write_nginx(b, "behind", 9608)], answers(9608, CLIENT), on_stack=False), \
            Daemon(b, ["nghttpx", "--conf=/dev/null", "-n", "2", "-f0.0.0.0,9508;no-tls", f"-b{CLIENT},9608", "--no-ocsp"], answers(9508)):
        fetch(b, b.sha, 9508, 20)
        ab(b, f"http://{SERVER}:9508/small", 300, 10, "-k")


@optional
def postfix(b, s):
    """postfix: master, smtpd and local delivery are processes that pass each other connections; 20 mails over 4 connections"""
    want("postfix", "postmap")
    opened(b)
    home = os.path.join(b.tmp, "postfix")
    for d in ("spool", "data", "conf", "mail"):
        os.makedirs(os.path.join(home, d))
    os.chmod(home + "/mail", 0o777)
    shutil.chown(home + "/data", "postfix")
    with open("/etc/postfix/master.cf.proto" if os.path.exists("/etc/postfix/master.cf.proto") else "/usr/share/postfix/master.cf.dist") as f:
        lines = [w for w in f.read().splitlines() if not w.startswith("smtp      inet")]
    lines = [w if w.startswith((" ", "#")) or not w else w.split() for w in lines]
    lines = [" ".join([*w[:4], "n", *w[5:]]) if isinstance(w, list) and len(w) > 7 else w if isinstance(w, str) else " ".join(w) for w in lines]
    conf(b, "postfix/conf/master.cf", "9509 inet n - n - - smtpd\n" + "\n".join(lines) + "\n")
    conf(b, "postfix/conf/main.cf", f"""
compatibility_level = 3.6
queue_directory = {home}/spool
data_directory = {home}/data
mail_spool_directory = {home}/mail/
myhostname = percore.test
mydestination = percore.test
inet_interfaces = all
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
mailbox_command =
maillog_file = /dev/stdout
default_privs = nobody
""")
    with Daemon(b, ["postfix", "-c", home + "/conf", "start-fg"], banner(9509, b"220", b)) as d:
        for i in range(4):
            with smtplib.SMTP(SERVER, 9509, timeout=20 * b.slow) as m:
                for k in range(5):
                    m.sendmail("a@example.net", ["nobody@percore.test"], f"Subject: {i}.{k}\r\n\r\nhello\r\n")
        new = home + "/mail/nobody/new"
        wait_for(lambda: os.path.isdir(new) and len(os.listdir(new)) == 20, 20 * b.slow, "the mails" + d.out()[-2000:])
        subprocess.run(["postfix", "-c", home + "/conf", "stop"], capture_output=True, timeout=20 * b.slow, check=False)


@optional
def kamailio(b, s):
    """kamailio: SIP over UDP and TCP, answered by processes that share their sockets"""
    want("kamailio")
    path = conf(b, "kamailio.cfg", f"""
listen=udp:{SERVER}:9510
listen=tcp:{SERVER}:9510
children=3
tcp_children=2
log_stderror=yes
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "sl.so"
loadmodule "pv.so"
request_route {{ sl_send_reply("200", "Well"); }}
""")
    ask = (f"OPTIONS sip:a@{SERVER}:9510 SIP/2.0\r\nVia: SIP/2.0/{{}} {CLIENT}:{{}};branch=z9hG4bK{{}}\r\nFrom: <sip:b@x>;tag=1\r\n"
           "To: <sip:a@x>\r\nCall-ID: {}@x\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
    os.makedirs("/run/kamailio", exist_ok=True)
    with Daemon(b, ["kamailio", "-DD", "-f", path, "-Y", b.tmp, "-m", "64", "-M", "8"], answers(9510)) as d:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u, socket.create_connection((SERVER, 9510), 5) as t:
            u.bind((CLIENT, 0))
            u.settimeout(5 * b.slow)
            t.settimeout(5 * b.slow)
            for i in range(50):
                u.sendto(ask.format("UDP", u.getsockname()[1], i, i).encode(), (SERVER, 9510))
                got = u.recv(2000)
                expect(got.startswith(b"SIP/2.0 200 Well"), f"{got}{d.out()[-1000:]}")
                t.sendall(ask.format("TCP", t.getsockname()[1], f"t{i}", f"t{i}").encode())
                got = t.recv(2000)
                expect(got.startswith(b"SIP/2.0 200 Well"), f"{got}{d.out()[-1000:]}")


@optional
def mumble(b, s):
    """mumble-server: TLS over TCP, and pings over UDP"""
    want("murmurd")
    opened(b)
    path = conf(b, "mumble.ini", f"database={b.tmp}/mumble.sqlite\nlogfile=\nhost={SERVER}\nport=9511\nallowping=True\n")
    version = b"\x08\x80\x88\x04"
    with Daemon(b, ["murmurd", "-fg", "-ini", path], answers(9511)) as d:
        for _ in range(5):
            with trusting().wrap_socket(socket.create_connection((SERVER, 9511), 5)) as t:
                t.settimeout(5 * b.slow)
                t.sendall(struct.pack(">HI", 0, len(version)) + version)
                expect(t.recv(2) == b"\0\0", "no version")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
            u.settimeout(5 * b.slow)
            u.sendto(struct.pack(">IQ", 0, 77), (SERVER, 9511))
            got = u.recv(100)
            expect(len(got) == 24 and got[4:12] == struct.pack(">Q", 77), f"{got}")
        expect(d.end() == 0, d.out()[-1000:])


def trusting():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def resolver(b):
    """Starts a name server over TLS on the kernel's side, with one address for every name; returns
    its listener."""
    key, cert = certificate(b)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    listener = socket.create_server((CLIENT, 0))

    def serve(plain):
        with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as c, c.makefile("rb") as f:
            while size := f.read(2):
                q = f.read(struct.unpack(">H", size)[0])
                end = q.index(b"\0", 12) + 5
                a = (q[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + q[12:end] + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" +
                     socket.inet_aton("203.0.113.7"))
                c.sendall(struct.pack(">H", len(a)) + a)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener


@optional
def stubby(b, s):
    """stubby: questions over UDP and TCP, asked on over TLS"""
    want("stubby", "openssl")
    query = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\0\0\1\0\1"

    def asked(kind):
        try:
            with socket.socket(socket.AF_INET, kind) as c:
                c.settimeout(5 * b.slow)
                c.connect((SERVER, 9512))
                c.send(query if kind == socket.SOCK_DGRAM else struct.pack(">H", len(query)) + query)
                return socket.inet_aton("203.0.113.7") in c.recv(1000)
        except OSError:
            return False

    with resolver(b) as upstream:
        path = conf(b, "stubby.yml", f"""
resolution_type: GETDNS_RESOLUTION_STUB
dns_transport_list: [GETDNS_TRANSPORT_TLS]
tls_authentication: GETDNS_AUTHENTICATION_NONE
listen_addresses: [{SERVER}@9512]
upstream_recursive_servers: [{{address_data: {CLIENT}, tls_port: {upstream.getsockname()[1]}}}]
""")
        with Daemon(b, ["stubby", "-C", path], lambda _: asked(socket.SOCK_DGRAM)):
            for _ in range(20):
                expect(asked(socket.SOCK_DGRAM) and asked(socket.SOCK_STREAM), "no answer")


@optional
def trafficserver(b, s):
    """trafficserver: a proxy with threads of its own and a cache, as somebody else"""
    want("traffic_server", "nginx", "curl")
    home = os.path.join(b.tmp, "ats")
    shutil.copytree("/etc/trafficserver", home)
    opened(b)
    conf(b, "ats/records.config", """
CONFIG proxy.config.http.server_ports STRING 9513
CONFIG proxy.config.url_remap.remap_required INT 1
CONFIG proxy.config.admin.user_id STRING nobody
CONFIG proxy.config.exec_thread.autoconfig INT 0
CONFIG proxy.config.exec_thread.limit INT 2
CONFIG proxy.config.log.logging_enabled INT 0
""")
    conf(b, "ats/remap.config", f"map / http://{CLIENT}:9523/\n")
    conf(b, "ats/storage.config", f"{home} 16M\n")
    names = ("prefix", "exec_prefix", "sysconfdir", "datadir", "includedir", "localstatedir", "runtimedir", "logdir", "cachedir")
    conf(b, "ats/runroot.yaml", "".join(f"{n}: {home}\n" for n in names) + "bindir: /usr/bin\nsbindir: /usr/sbin\n"
         "libdir: /usr/lib/trafficserver\nlibexecdir: /usr/lib/trafficserver/modules\n")
    sh("chown", "-R", "nobody", home)
    with Daemon(b, ["nginx", "-c", write_nginx(b, "ats", 9523)], answers(9523, CLIENT), on_stack=False), \
            Daemon(b, ["traffic_server", f"--run-root={home}/runroot.yaml"], answers(9513)) as d:
        fetch(b, b.sha, 9513, 20)
        ab(b, f"http://{SERVER}:9513/small", 300, 10, "-k")
        expect(d.end() == 0, d.out()[-1000:])


STEPS = [mono, grpc, asgi, prolog, lisp, nghttpx, postfix, kamailio, mumble, stubby, trafficserver]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("ethtool", "curl", "ab", "nginx")
    bed.main(args, STEPS, start)
