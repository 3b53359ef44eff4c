#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-httpd serves unmodified clients: curl, wrk, ab, Python's http.client."""
import hashlib
import http.client
import os
import random
import re
import shutil
import socket
import subprocess
import time
from email.utils import formatdate

import bed
from bed import CLIENT, SERVER, expect, sh, wait_for

URL = f"http://{SERVER}"


def make_root(b, megabytes):
    root = os.path.join(b.tmp, "root")
    os.mkdir(root)
    files = {"index.html": b"<h1>hello</h1>\n", "small.txt": b"0123456789" * 10, "empty.txt": b""}
    os.mkdir(os.path.join(root, "dir"))
    files["dir/index.html"] = b"<p>dir</p>\n"
    files["1m.bin"] = os.urandom(1 << 20)
    for name, content in files.items():
        with open(os.path.join(root, name), "wb") as f:
            f.write(content)
    old = int(time.time()) - 100000  # conditions may refer to later dates
    os.utime(os.path.join(root, "small.txt"), (old, old))
    digest = hashlib.sha256()
    block = os.urandom(1 << 24)
    with open(os.path.join(root, "big.bin"), "wb") as f:
        for i in range(megabytes // 16):
            part = i.to_bytes(16, "big") + block[16:]
            f.write(part)
            digest.update(part)
    return root, files, digest.hexdigest()


def start(b):
    root, files, digest = make_root(b, args.megabytes)
    b.start("percore-httpd", "--listen", "80", "--root", root)
    return {"root": root, "files": files, "digest": digest}


def curl(*words, timeout=60):
    """Returns curl's output, with line ends converted to Python's; a transfer that stalls for 8 s
    fails."""
    return sh("curl", "-sS", "--max-time", str(timeout), "--speed-limit", "1", "--speed-time", "8",
              *words, timeout=timeout + 10).stdout


def raw(request, seconds=10):
    """Sends bytes on a connection of its own; returns everything up to the end of the stream."""
    with socket.create_connection((SERVER, 80), seconds) as s:
        s.settimeout(seconds)
        s.sendall(request)
        got = b""
        while part := s.recv(65536):
            got += part
        return got


def get(b, s):
    """curl fetches files whole and right"""
    for name, content in s["files"].items():
        out = os.path.join(b.tmp, "got")
        head = curl("-D", "-", "-o", out, f"{URL}/{name}")
        expect(head.startswith("HTTP/1.1 200"), f"{name}: {head}")
        expect(open(out, "rb").read() == content, f"{name} differs")
    expect(curl(f"{URL}/") == "<h1>hello</h1>\n", "the index of /")
    expect(curl("-L", f"{URL}/dir/") == "<p>dir</p>\n", "the index of /dir/")
    expect(curl("-o", "/dev/null", "-w", "%{http_code}", f"{URL}/healthz") == "200", "/healthz")
    mime = curl("-o", "/dev/null", "-w", "%{content_type}", f"{URL}/index.html")
    expect(mime.startswith("text/html"), f"type of index.html: {mime}")


def head(b, s):
    """HEAD answers like GET, without a body"""
    out = curl("-I", f"{URL}/1m.bin")
    expect(re.search(r"(?i)^content-length: 1048576\r?$", out, re.M), out)
    answer = raw(b"HEAD /small.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    expect(answer.endswith(b"\r\n\r\n"), f"a body after HEAD: {answer!r}")


def ranges(b, s):
    """single byte ranges"""
    data = s["files"]["small.txt"].decode()
    for spec, want in (("0-9", data[:10]), ("90-", data[90:]), ("-5", data[-5:]),
                       ("50-1000", data[50:])):
        got = curl("-D", "-", "-r", spec, f"{URL}/small.txt")
        expect(got.startswith("HTTP/1.1 206") and got.endswith("\n\n" + want), f"{spec}: {got}")
    got = curl("-i", "-r", "200-300", f"{URL}/small.txt")
    expect(got.startswith("HTTP/1.1 416"), got)
    curl("-r", "1000-500999", "-o", os.path.join(b.tmp, "part"), f"{URL}/1m.bin")
    expect(open(os.path.join(b.tmp, "part"), "rb").read() == s["files"]["1m.bin"][1000:501000],
           "the middle of 1m.bin differs")


def conditional(b, s):
    """ETag and Last-Modified save the transfer"""
    answer = curl("-I", f"{URL}/1m.bin")
    etag = re.search(r"(?im)^etag: (\S+)", answer)
    modified = re.search(r"(?im)^last-modified: (.*?)\r?$", answer)
    expect(etag and modified, answer)
    for field in (f"If-None-Match: {etag.group(1)}", f"If-Modified-Since: {modified.group(1)}"):
        got = curl("-i", "-H", field, f"{URL}/1m.bin")
        expect(got.startswith("HTTP/1.1 304"), f"{field}: {got[:200]}")
    got = curl("-o", "/dev/null", "-w", "%{http_code}", "-H", 'If-None-Match: "other"',
               f"{URL}/1m.bin")
    expect(got == "200", got)


def answer_of(c, method, fields):
    """Returns the answer to one request: status, the headers about the part, and the body if there
    may be one."""
    c.putrequest(method, "/small.txt", skip_accept_encoding=True)
    for name, value in fields:
        c.putheader(name, value)
    c.endheaders()
    r = c.getresponse()
    body = r.read()
    if r.status == 412:
        c.close()  # nginx does, although it says keep-alive
    return (r.status, r.getheader("Content-Range"), *((r.getheader("Content-Length"), body) if r.status in (200, 206) else ()))


def some_fields(rng, mtime):
    """Returns random conditions and a random range; TAG stands for the file's own. Cases in which
    nginx differs from RFC 9110 are left out: If-Match with If-Unmodified-Since and If-None-Match
    with If-Modified-Since (13.2.2), invalid dates, HEAD with ranges (14.2), and ranges that are
    invalid or end before they begin (14.1.1)."""
    def tag():
        return rng.choice(["TAG", "TAG", "W/TAG", '"x"', "*", '"x", TAG', '"x",W/TAG , "y"'])

    def date():
        return formatdate(mtime + rng.choice([-86400, -1, 0, 0, 1, 3600]), usegmt=True)
    fields = []
    if rng.random() < 0.4:
        fields.append(rng.choice([("If-Match", tag()), ("If-Unmodified-Since", date())]))
    if rng.random() < 0.4:
        fields.append(rng.choice([("If-None-Match", tag()), ("If-Modified-Since", date())]))
    method = rng.choice(["GET", "GET", "GET", "HEAD"])
    if method == "GET" and rng.random() < 0.7:
        first, last = sorted((rng.randrange(120), rng.randrange(120)))
        part = rng.choice([f"{first}-{last}", f"{first}-", f"-{last}", "0-99999999", "99-", "100-"])
        fields.append(("Range", rng.choice(["bytes=", "bytes=", "bytes=", "Bytes=", "lines="]) + part))
        if rng.random() < 0.4:
            fields.append(("If-Range", rng.choice(["TAG", "W/TAG", '"x"', date(), date()])))
    rng.shuffle(fields)
    return method, fields


def beside_nginx(b, s):
    """conditions and ranges: 600 requests at random are answered as nginx answers them"""
    if not shutil.which("nginx") or b.backend != "tap":
        return
    mtime = int(os.stat(os.path.join(s["root"], "small.txt")).st_mtime)
    conf = os.path.join(b.tmp, "nginx.conf")
    with open(conf, "w", encoding="ascii") as f:
        f.write(f"""user root; daemon off; master_process off; error_log {b.tmp}/nginx.log; pid {b.tmp}/nginx.pid; events {{}}
http {{ access_log off; if_modified_since before; keepalive_requests 10000; client_body_temp_path {b.tmp}/b; proxy_temp_path {b.tmp}/p;
  fastcgi_temp_path {b.tmp}/f; uwsgi_temp_path {b.tmp}/u; scgi_temp_path {b.tmp}/s; server {{ listen {CLIENT}:8090; root {s["root"]}; }} }}""")
    with subprocess.Popen(["nginx", "-c", conf], stdin=subprocess.DEVNULL) as nginx:
        try:
            wait_for(lambda: ":8090" in sh("ss", "-ltn").stdout, 10 * b.slow, "nginx")
            both = [http.client.HTTPConnection(SERVER, 80, 10), http.client.HTTPConnection(CLIENT, 8090, 10)]
            tags = []
            for c in both:
                c.request("HEAD", "/small.txt")
                r = c.getresponse()
                tags.append(r.getheader("ETag"))
                r.read()
            rng = random.Random(9110)
            for _ in range(600):
                method, fields = some_fields(rng, mtime)
                ours, theirs = (answer_of(c, method, [(n, v.replace("TAG", t)) for n, v in fields]) for c, t in zip(both, tags))
                expect(ours == theirs, f"{method} {fields}: {ours}, nginx: {theirs}")
        finally:
            nginx.kill()


def errors(b, s):
    """what is not there or not allowed gets its status, and nothing outside the root is shown"""
    table = [(["/nothing"], "404"), (["-X", "POST", "-d", "x", "/index.html"], "405"),
             (["-X", "BREW", "/"], "501"), (["--path-as-is", "/../../../../etc/passwd"], "40[034]"),
             (["/%2e%2e/%2e%2e/etc/passwd"], "40[034]"), (["/..%2f..%2fetc/passwd"], "40[034]"),
             (["/" + "a" * 20000], "414")]
    for words, want in table:
        words = [URL + w if w.startswith("/") else w for w in words]
        got = curl("-o", "/dev/null", "-w", "%{http_code}", *words)
        expect(re.fullmatch(want, got), f"{words[-1][:60]}: {got}, not {want}")
    for request, want in (
            (b"GET / HTTP/1.1\r\n\r\n", b"400"),
            (b"GET / HTTP/3.9\r\nHost: x\r\n\r\n", b"505"),
            (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"
             b"\r\n0\r\n\r\n", b"400"),
            (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", b"400"),
            (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 100000 + b"\r\n\r\n", b"431")):
        try:
            got = raw(request)
        except ConnectionResetError:
            expect(want == b"431", f"reset instead of {want}")
            continue
        expect(got.startswith(b"HTTP/1.1 " + want), f"{request[:70]!r}: {got[:80]!r}, not {want}")


def keep_alive(b, s):
    """one connection serves many requests, pipelined ones too, and bytes that trickle in"""
    c = http.client.HTTPConnection(SERVER, 80, timeout=10)
    for _ in range(100):
        c.request("GET", "/small.txt")
        expect(c.getresponse().read() == s["files"]["small.txt"], "a response differs")
    c.close()
    one = b"GET /small.txt HTTP/1.1\r\nHost: x\r\n\r\n"
    got = raw(one * 49 + one.replace(b"Host", b"Connection: close\r\nHost"))
    expect(got.count(b"HTTP/1.1 200") == 50, f"{got.count(b'HTTP/1.1 200')} of 50 pipelined answers")
    with socket.create_connection((SERVER, 80), 10) as c:
        c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in one.replace(b"Host", b"Connection: close\r\nHost"):
            c.send(bytes([byte]))
        got = b""
        while part := c.recv(65536):
            got += part
    expect(got.startswith(b"HTTP/1.1 200"), f"a request in single bytes: {got[:80]!r}")


def half_close(b, s):
    """a client that shuts its side down after the request still gets the whole answer"""
    with socket.create_connection((SERVER, 80), 10) as c:
        c.settimeout(20 * b.slow)
        c.sendall(b"GET /1m.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        c.shutdown(socket.SHUT_WR)
        got = b""
        while part := c.recv(1 << 20):
            got += part
    expect(got.endswith(s["files"]["1m.bin"]), f"only {len(got)} bytes")


def slow_reader(b, s):
    """a reader that pauses with a closed window gets every byte"""
    with socket.socket() as c:
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        c.settimeout(20 * b.slow)
        c.connect((SERVER, 80))
        c.sendall(b"GET /1m.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        bed.time.sleep(3)
        got = b""
        while part := c.recv(1 << 16):
            got += part
    expect(got.endswith(s["files"]["1m.bin"]), f"only {len(got)} bytes")


def big(b, s):
    """a large download has the right SHA-256"""
    begin = bed.time.monotonic()
    out = sh("sh", "-c", f"curl -sS --speed-limit 1 --speed-time 8 --max-time {int(170 * b.slow)} {URL}/big.bin | sha256sum",
             timeout=180 * b.slow).stdout.split()[0]
    seconds = bed.time.monotonic() - begin
    print(f"       {args.megabytes} MiB in {seconds:.1f} s, "
          f"{args.megabytes * 8.388608 / 1000 / seconds:.2f} Gbit/s")
    expect(out == s["digest"], "the SHA-256 differs")


def ab_check(out, n):
    text = out.stdout
    for field, want in (("Complete requests", n), ("Failed requests", 0)):
        m = re.search(rf"{field}:\s+(\d+)", text)
        expect(m and int(m.group(1)) == want, f"{field} is not {want}\n{text}{out.stderr}")
    expect("Non-2xx" not in text, text)
    print("       " + re.search(r"Requests per second:\s+\S+", text).group(0))


def ab_keep(b, s):
    """ab -k: no request fails"""
    n = int(20000 / b.slow)
    ab_check(sh("ab", "-q", "-k", "-n", n, "-c", 50, f"{URL}/small.txt", timeout=120), n)


def ab_new(b, s):
    """ab with a connection for each request: none fails"""
    n = int(5000 / b.slow)
    ab_check(sh("ab", "-q", "-n", n, "-c", 50, f"{URL}/small.txt", timeout=120), n)


def wrk(b, s):
    """wrk: no socket error, no wrong status"""
    # with a port, since otherwise wrk looks it up in /etc/services, which a small system lacks
    out = sh("wrk", "-t1", "-c100", "-d4s", f"{URL}:80/small.txt", timeout=60).stdout
    expect("Socket errors" not in out and "Non-2xx" not in out, out)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
    print(f"       {rate:.0f} requests/s")
    expect(rate > 100, f"only {rate} requests/s")


def loss(b, s):
    """under 2 % random loss both ways a download and 200 requests come through"""
    b.lose(2)
    try:
        out = os.path.join(b.tmp, "got")
        curl("-o", out, f"{URL}/1m.bin", timeout=60)
        expect(open(out, "rb").read() == s["files"]["1m.bin"], "1m.bin differs")
        ab_check(sh("ab", "-q", "-n", 200, "-c", 50, "-s", 60, f"{URL}/small.txt", timeout=120), 200)
        expect(sum(b.lost()) > 0, "nothing was lost; the test tested nothing")
    finally:
        b.heal()


STEPS = [get, head, ranges, conditional, beside_nginx, errors, keep_alive, half_close, slow_reader, big, ab_keep,
         ab_new, wrk, loss]

if __name__ == "__main__":
    args = bed.arguments(__doc__, megabytes=64)
    bed.need("curl", "ab", "wrk", "nft", "ethtool")
    bed.main(args, STEPS, start)
