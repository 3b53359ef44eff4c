#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-httpd and nginx, on the kernel in a namespace of its own, serve the same directory and get the same
random requests, pipelined and cut into segments at random: they must answer alike. Where they are meant to
differ, the generator says what percore must answer and why."""
import concurrent.futures
import os
import random
import re
import socket
import subprocess
import time
from urllib.parse import unquote_to_bytes

import bed
from bed import SERVER, expect, sh, wait_for

NGINX, NEAR, PORT = "198.51.100.2", "198.51.100.1", 80
FILES = {"index.html": b"<h1>hello</h1>\n", "small.txt": bytes(range(100)), "empty.txt": b"", "a b.txt": b"space", "dir/index.html": b"in dir", "dir/x;y=1": b"semi",
         "\u00e4.txt": b"umlaut", "p%41.txt": b"percent", "q?.txt": b"mark", "plus+.txt": b"plus", "bare/x.txt": b"x", "back\\slash": b"back", "tilde~!$&'()*,:@": b"odd"}
AGO = 100000


def start(b):
    """Makes the directory, and starts both."""
    root = os.path.join(b.tmp, "root")
    old = int(time.time()) - AGO
    for name, content in FILES.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content)
        os.utime(path, (old, old))
    b.start("percore-httpd", "--listen", str(PORT), "--root", root, "--set", "tcp.source_connections=0")
    return root, old, nginx(b, root)


def nginx(b, root):
    there = b.tag + "n"
    b.add_namespace(there)
    sh("ip", "link", "add", "pcn0", "type", "veth", "peer", "name", "pcn1", "netns", there)
    for where, dev, address in ((b.client_ns, "pcn0", NEAR), (there, "pcn1", NGINX)):
        sh("ip", "-n", where, "addr", "add", f"{address}/24", "dev", dev)
        sh("ip", "-n", where, "link", "set", dev, "up")
    conf = os.path.join(b.tmp, "nginx.conf")
    with open(conf, "w", encoding="ascii") as f:
        f.write(f"""user root; daemon off; master_process off; error_log {b.tmp}/nginx.log; pid {b.tmp}/nginx.pid; events {{}}
http {{ access_log off; if_modified_since before; merge_slashes off; max_ranges 1; client_body_temp_path {b.tmp}/b; proxy_temp_path {b.tmp}/p; absolute_redirect off; default_type application/octet-stream; types {{ text/html html; text/plain txt; }}
  fastcgi_temp_path {b.tmp}/f; uwsgi_temp_path {b.tmp}/u; scgi_temp_path {b.tmp}/s; server {{ listen {NGINX}:{PORT}; root {root}; }} }}""")
    process = subprocess.Popen(["ip", "netns", "exec", there, "nginx", "-c", conf], stdin=subprocess.DEVNULL)
    b.programs.append(bed.Program(b, "nginx", process, os.devnull, os.devnull))
    wait_for(lambda: ":80" in sh("ip", "netns", "exec", there, "ss", "-ltn").stdout, 10 * b.slow, "nginx")
    return process


# ---- requests ------------------------------------------------------------------------------------


class Request:
    """A request at random, and what percore may or must answer where nginx differs."""

    def __init__(self, rnd, mtime):
        self.rnd, self.mtime, self.mays, self.musts, self.why, self.body = rnd, mtime, set(), set(), [], b""
        self.last = False  # what follows may be read differently
        self.method = rnd.choice([b"GET"] * 6 + [b"HEAD"] * 2 + [b"POST", b"PUT", b"OPTIONS", b"TRACE", b"DELETE", b"PATCH"])
        self.version, self.fields = rnd.choice([b"HTTP/1.1"] * 8 + [b"HTTP/1.0"]), []
        self.target = self.draw_target()
        self.host()
        for change in rnd.choices([self.nothing, self.condition, self.range, self.connection, self.length, self.chunked, self.expect, self.field,
                                   self.line], [4, 3, 3, 3, 2, 3, 1, 3, 1], k=rnd.choice([0, 1, 1, 2, 3])):
            change()
        if self.method not in (b"GET", b"HEAD"):
            self.may({405}, "405 before the target is looked up")
            if b"%" in self.target:
                self.may({400, 404}, "what is encoded decides")
        path = self.target.partition(b"?")[0]
        if re.search(rb"(?i)%([01].|7f)", path):
            self.may({400}, "encoded control characters")
        if b"%2f" in path.lower():
            self.may({404, 400}, "no file name contains a slash")
        if re.search(rb"(?i)(\.|%2e){2}", path):
            self.may({200, 206, 301, 304, 403, 404, 412, 416}, "nginx refuses what leads above the root; RFC 3986 section 5.2.4 stays there")
        if path.startswith(b"ftp:"):
            self.may({400}, "another scheme")
        if re.match(rb"(?i)https?://([^/]*[%+~!$&'()*,;]|[.]/)", path):
            self.may({200, 206, 301, 304, 403, 404, 412, 416}, "nginx accepts less in a host")
        if sum(n == b"Expect" for n, _ in self.fields) > 1:
            self.may({200, 206, 301, 304, 403, 404, 412, 416}, "Expect is a list")
        if len(path) > 8000:
            self.may({414}, "percore's limit, before other mistakes")
        if sum(len(n) + len(v) for n, v in self.fields) + len(path) > 8000:
            self.may({431}, "percore's limit")
        if b"empty.txt" in unquote_to_bytes(self.target) and any(n == b"Range" for n, _ in self.fields):
            self.may({416}, "nginx has no ranges of an empty file")
        if b"#" in self.target:
            self.may({400}, "a fragment is no part of a target")
        self.head = self.bytes()

    def may(self, statuses, why):
        """percore may answer one of these instead of what nginx says."""
        self.mays |= statuses
        self.why.append(why)

    def must(self, statuses, why):
        """percore must answer one of these, or what another must says, whatever nginx says."""
        self.musts |= statuses
        self.why.append(why)

    def allows(self, ours, theirs):
        if self.body and ours >= 400 and any(n == b"Expect" for n, _ in self.fields):
            return True  # at once, before the body
        if self.musts:
            return ours in self.musts | self.mays
        return ours == theirs or ours in self.mays

    def nothing(self):
        pass

    def draw_target(self):
        rnd = self.rnd
        name = rnd.choice([*FILES, "", "dir", "dir/", "bare/", "bare", "none", "dir/none", "small.txt/", "small.txt/x", ".hidden", ".well-known/x"])
        out = b"/"
        for c in name.encode():
            c = bytes((c,))
            if c == b"/":
                out += rnd.choice([b"/"] * 6 + [b"//", b"/./", b"/none/../", b"/../dir/", b"/.//", b"/%2e/", b"/x/%2E./"])
            elif c in b" %?" or c > b"~" or rnd.random() < 0.05:
                out += b"%" + (b"%02x" if rnd.random() < 0.5 else b"%02X") % ord(c)
            else:
                out += c
        if rnd.random() < 0.12:
            at = rnd.randrange(len(out) + 1)
            odd = rnd.choice([b"//", b"/.", b"/..", b"/../", b"%2F", b"%2f..", b"%00", b"%0a", b"%7f", b"%", b"%4", b"%zz", b"%80", b"\x80", b"\xff", b"#", b"#x", b"\\", b'"', b"<", b"{",
                              b"|", b"^", b"`", b"\t", b"\0", b"\x01", b"\x7f", b"?", b"??", b";", b"+", b"..", b"/...", b"/%2e%2e", b"a" * 9000])
            out = out[:at] + odd + out[at:]
        if rnd.random() < 0.1:
            out += rnd.choice([b"?", b"?a=b", b"?/../", b"?%00", b"?a?b", b"?%zz", b"?x#y"])
        if rnd.random() < 0.06:
            out = rnd.choice([b"http://x", b"HTTP://x:80", b"https://x", b"http://", b"http://[::1]:80", b"http://x:", b"ftp://x", b"http:/", b"x", b"http://u@x", b"http://x y"]) + out
        elif rnd.random() < 0.01:
            out = rnd.choice([b"*", b"x:80", b"http://x", b"http://x?y", b"", b"index.html", b"?"])
        return out

    def host(self):
        x = self.rnd.random()
        if x < 0.9 or (self.version == b"HTTP/1.0" and x < 0.95):
            self.fields.append((b"Host", self.rnd.choice([b"x", b"x", b"x:80", b"X.example.", b"[::1]", b"[::1]:80", b"192.0.2.1", b"x:", b" x "])))
        elif x < 0.92:
            pass
        elif x < 0.94:
            self.fields += [(b"Host", b"x"), (b"hOST", b"x")]
        else:
            self.fields.append((b"Host", self.rnd.choice([b"", b":80", b"x y", b"x,y", b"[::1", b"::1", b"x:a", b"x:99999", b"x:-1", b"x/y", b"a@x", b"x\\y", b"[x", b"%zz", b"x%41", b"_"])))
            self.may({400}, "a bad host, of which nginx accepts some")

    def date(self):
        t = self.mtime + self.rnd.choice([-86400, -1, 0, 0, 1, 3600])
        return time.strftime(self.rnd.choice(["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]), time.gmtime(t)).encode()

    def tag(self):
        return self.rnd.choice([b"TAG", b"TAG", b"W/TAG", b'"x"', b"*", b'"x", TAG', b'"x",W/TAG , "y"', b'"x,y", TAG', b", TAG,,", b"TAG x"[:3]])

    def condition(self):
        name = self.rnd.choice([b"If-Match", b"If-None-Match", b"If-Modified-Since", b"If-Unmodified-Since"])
        have = {n.lower() for n, _ in self.fields}
        other = {b"If-Match": b"if-unmodified-since", b"If-Unmodified-Since": b"if-match", b"If-None-Match": b"if-modified-since", b"If-Modified-Since": b"if-none-match"}[name]
        if other not in have and name.lower() not in have:  # nginx: not by RFC 9110 section 13.2.2
            self.fields.append((name, self.tag() if b"Match" in name else self.date()))

    def range(self):
        rnd = self.rnd
        if self.method != b"GET" or any(n == b"Range" for n, _ in self.fields):  # nginx: HEAD, too (14.2)
            return
        first, last = sorted((rnd.randrange(120), rnd.randrange(120)))
        part = rnd.choice([f"{first}-{last}", f"{first}-", f"-{last}", "0-99999999999999999999999", "99-", "100-", "0-0", " 0-1", "0-1,", "0-1,2-3", "99999999999999999999999-", "18446744073709551615-",
                           "0-18446744073709551616", "-0", "9223372036854775807-9223372036854775808"])
        if part.endswith(("999999", "551616")) or "," in part:
            self.may({200, 206}, "a large number is no error, nor is an empty element; several ranges may get the whole file (14.2)")
        self.fields.append((b"Range", (rnd.choice(["bytes=", "bytes=", "bytes=", "Bytes=", "lines=", "bytes"]) + part).encode()))
        if rnd.random() < 0.4:
            self.fields.append((b"If-Range", rnd.choice([b"TAG", b"W/TAG", b'"x"', self.date(), self.date()])))

    def connection(self):
        value = self.rnd.choice([b"close", b"keep-alive", b"Close", b"KEEP-ALIVE", b"close, x", b"x,close", b"keep-alive, close", b"", b"upgrade", b"TE,close", b"x-clos"])
        self.fields.append((b"Connection", value))

    def framed(self):
        return any(n.lower() in (b"content-length", b"transfer-encoding") for n, _ in self.fields)

    def length(self):
        rnd = self.rnd
        if self.framed():
            return
        n = rnd.choice([0, 1, 5, 100, 3000])
        self.body = rnd.choice([b"x", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"]) * n
        self.body = self.body[:n]
        self.fields.append((b"Content-Length", b"%d" % n))
        if rnd.random() < 0.25:
            bad = rnd.choice([b"-1", b"+%d" % n, b"0x%x" % n, b"%d, %d" % (n, n), b"%d %d" % (n, n), b"", b"a", b"%d." % n, b"18446744073709551616", b"18446744073709551617", b"9" * 40, b"1e1"])
            self.fields[-1] = b"Content-Length", bad
            self.last = True
            self.must({400, 413}, "a bad length")
        elif rnd.random() < 0.15:
            self.fields.append((b"Content-length", b"%d" % rnd.choice([n, n + 1])))
            self.must({400}, "two lengths")
            self.last = True

    def chunked(self):
        rnd = self.rnd
        if self.framed():
            return
        parts, good, kind = [], True, None
        for _ in range(rnd.choice([0, 1, 1, 2, 5])):
            data = rnd.randbytes(rnd.choice([1, 9, 10, 16, 255, 1000]))
            parts += [rnd.choice([b"%x", b"%X", b"%05x"]) % len(data), rnd.choice([b""] * 6 + [b";x", b";x=y", b';x="a b"', b' ; x = "y;"', b";;"]), b"\r\n", data, b"\r\n"]
        parts += [b"0", b"\r\n", rnd.choice([b""] * 4 + [b"X: y\r\n", b"Content-Length: 5\r\n"]), b"\r\n"]
        coding = rnd.choice([b"chunked"] * 8 + [b"Chunked", b"CHUNKED", b" chunked "])
        if rnd.random() < 0.25:
            good = False
            kind = rnd.randrange(4)
            if kind == 0:
                coding = rnd.choice([b"chunked, identity", b"identity", b"gzip, chunked", b"chunked, chunked", b"xchunked", b"chunkedx", b"chunked;q=1", b"", b",chunked", b"chunked,", b"\x0bchunked",
                                     b'"chunked"', b"gzip"])
            elif kind == 1:
                self.fields.append((b"Content-Length", b"5"))
            elif kind == 2:
                at = rnd.randrange(len(parts))
                parts[at] = rnd.choice([b"-1", b"0x5", b"+5", b" 5", b"\n", b"\r", b"", b"g", b"fffffffffffffffff1", b"7fffffffffffffff", b"5 ", b"\0", b"\r\r\n", b"5;\n"])
            else:
                self.fields.append((b"Transfer-Encoding", b"chunked"))
        if self.version == b"HTTP/1.0":
            good = False
        self.fields.append((b"Transfer-Encoding", coding))
        rnd.shuffle(self.fields)
        self.body = b"".join(parts)
        if not good:
            self.last = True
            if self.version == b"HTTP/1.0" or kind in (1, 3) or (kind == 2 and is_bad(self.body)):
                self.must({400, 413, 501}, "a body whose end is not certain")
            else:
                self.may({400, 501}, "a coding that is unknown, or not last")

    def expect(self):
        self.fields.append((b"Expect", self.rnd.choice([b"100-continue", b"100-Continue"])))

    def field(self):
        rnd = self.rnd
        odd = rnd.choice([(b"X", b"y"), (b"x-" + b"a" * 300, b"y"), (b"X", b"y" * 5000), (b"X", b"\x80\xff"), (b"X", b'"'), (b"X", b"a\tb"), (b"X_Y", b"z"), (b"X", b""), (b"!#$%&'*+-.^_`|~", b"z"), (b"Accept", b"*/*")])
        if rnd.random() < 0.35:
            odd = rnd.choice([(b"", b"x"), (b"X ", b"y"), (b"X\t", b"y"), (b" X", b"y"), (b"X", b"y\r\n folded"), (b"X", b"y\rz"), (b"X", b"y\nZ: a"), (b"X", b"\0"), (b"X", b"\x01"), (b"X", b"\x7f"), (b"X(", b"y"),
                              (b"X\x80", b"y"), (b"X/Y", b"z"), (b'"X"', b"y"), (b"X\0", b"y")])
            self.must({400}, "a bad field")
            self.last = True
        self.fields.insert(rnd.randrange(len(self.fields) + 1), odd)

    def line(self):
        rnd = self.rnd
        if rnd.random() < 0.5 and self.version == b"HTTP/1.1":
            self.version = rnd.choice([b"HTTP/1.2", b"HTTP/1.9", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/3.0", b"HTTP/1.10", b"HTTP/01.1", b"http/1.1", b"HTTP/1", b"HTTP/1.", b"HTTP/.1", b"HTTP /1.1", b"", b"HTTQ/1.1", b"HTTP/1.1 ",
                                       b" HTTP/1.1", b"HTTP/1.1\t", b"HTTP/1.1\0"])
        else:
            self.method = rnd.choice([b"get", b"BREW", b"GETS", b"", b" GET", b"GET ", b"GET\t", b"G\xc3T", b"G" * 40, b"\0", b"CONNECT", b"\r\nGET", b"\nGET", b"\r\n\r\nGET", b"GET\r\n", b"PRI", b"G-T", b"GE:T", b"M_X"])
            self.may({501}, "an unknown method")
        self.may({400, 505}, "a bad line")
        self.last = True

    def ends(self):
        """Returns whether the client asks for the connection's end."""
        said = b",".join(v.lower() for n, v in self.fields if n == b"Connection")
        return self.last or b"close" in said or (self.version == b"HTTP/1.0" and b"keep-alive" not in said)

    def bytes(self):
        lines = [b"%s %s %s" % (self.method, self.target, self.version)] + [n + b":" + self.rnd.choice([b" ", b" ", b"", b"  "]) + v for n, v in self.fields]
        return b"\r\n".join(lines) + b"\r\n\r\n"


def is_bad(body):
    """Returns whether a chunked body is invalid (RFC 9112 section 7.1), not only incomplete."""
    at = 0
    while True:
        end = body.find(b"\r\n", at)
        line = body[at:] if end < 0 else body[at:end]
        size = re.fullmatch(rb"([0-9A-Fa-f]+)[ \t]*(;[\t -~]*)?", line)
        if end < 0 or not size:
            return end >= 0
        at = end + 2 + int(size[1], 16)
        if int(size[1], 16) == 0:
            break
        if len(body) < at + 2 or body[at:at + 2] != b"\r\n":
            return len(body) >= at + 2
        at += 2
    return False


# ---- answers -------------------------------------------------------------------------------------


def talk(address, pieces):
    """Sends the pieces, one segment each, and half-closes; returns all that comes back."""
    got = b""
    with socket.create_connection((address, PORT), 20) as c:
        c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                c.sendall(piece)
                if len(pieces) > 1:
                    time.sleep(0.0005)
            c.shutdown(socket.SHUT_WR)
            while part := c.recv(65536):
                got += part
        except OSError:
            got += b"RESET"
    return got


class Answer:
    """One answer; raises ValueError unless its framing is right."""

    def __init__(self, data, at, bodyless):
        end = data.index(b"\r\n\r\n", at)
        lines = data[at:end].split(b"\r\n")
        status = re.fullmatch(rb"HTTP/1\.1 (\d\d\d) [ -~]+", lines[0])
        if not status:
            raise ValueError(lines[0])
        self.status, self.fields = int(status[1]), {}
        for line in lines[1:]:
            name, colon, value = line.partition(b": ")
            if not colon or not re.fullmatch(rb"[A-Za-z-]+", name) or name.lower() in self.fields:
                raise ValueError(line)
            self.fields[name.lower()] = value
        self.end, self.body = end + 4, b""
        length = int(self.fields.get(b"content-length", 0))
        if not bodyless and self.status >= 200 and self.status != 304:
            self.body = data[self.end:self.end + length]
            self.end += length
            if len(self.body) != length:
                raise ValueError("a body cut off")

    def closes(self):
        return self.fields.get(b"connection", b"").lower() == b"close"

    def essence(self):
        parts = [self.status]
        if self.status in (200, 206):
            parts += [self.body, self.fields.get(b"content-length"), self.fields.get(b"content-type", b"").split(b";")[0]]
        if self.status in (206, 416):
            parts.append(self.fields.get(b"content-range"))
        if self.status == 301:
            parts.append(b"/" + self.fields.get(b"location", b"").lstrip(b"/").rstrip(b"?"))  # //x would be another host
        return parts


def read(data, requests, strict=True):
    """Returns the final answers, and whether the peer reset."""
    answers, at, n = [], 0, 0
    reset = data.endswith(b"RESET")
    data = data[:-5] if reset else data
    while at < len(data):
        try:
            a = Answer(data, at, n < len(requests) and requests[n].method.strip() == b"HEAD")
        except ValueError:
            if strict and not reset:
                raise
            return answers, True
        at = a.end
        if a.status >= 200:
            answers.append(a)
            n += 1
    return answers, reset


def draw(rnd, mtime):
    return [Request(rnd, mtime) for _ in range(rnd.choice([1, 1, 2, 3, 5]))]


def stream(requests, tag):
    return b"".join(r.head.replace(b"TAG", tag) + r.body for r in requests)


def cut(rnd, data):
    """Cuts a stream into segments."""
    cuts = sorted(rnd.randrange(1, len(data)) for _ in range(rnd.choice([0, 0, 1, 2, 6]))) if len(data) > 1 else []
    return [data[a:z] for a, z in zip([0, *cuts], [*cuts, len(data)]) if z > a]


def judge(requests, ours, reset, theirs, broken):
    """Returns what is wrong, or None."""
    for n, r in enumerate(requests):
        us, them = (a[n] if n < len(a) else None for a in (ours, theirs))
        if us is None and them is None or them is None and (broken or theirs and (theirs[-1].closes() or theirs[-1].status == 412)):
            return None  # nginx may reset before its last answers are read
        if us is None:
            return None if r.last or ours and ours[-1].closes() or reset else f"request {n}: no answer, nginx {them.essence()}"
        if not r.allows(us.status, them and them.status):
            return f"request {n}: {us.essence()}, nginx {them and them.essence()} {r.why}"
        if r.last or r.musts or not them or r.mays and us.status != them.status and us.closes():
            return None
        if us.status == them.status and us.essence() != them.essence():
            return f"request {n}: {us.essence()}, nginx {them.essence()} {r.why}"
        if us.closes() != them.closes() and (r.ends() or us.status >= 400 or us.status != them.status):
            return None  # percore stays where the next request is known to begin, and ends after 400 and any "close"
        if us.closes() != them.closes():
            return f"request {n}: closes {us.closes()}, nginx {them.closes()}"
        if r.ends() and not us.closes():
            return f"request {n}: does not close"
        if us.closes():
            return "an answer after the last" if n + 1 < len(ours) else None
    return "more answers than requests" if len(ours) > len(requests) else None


def one(n, tags, mtime):
    rnd = random.Random(args.seed * 1000003 + n)
    requests = draw(rnd, mtime)
    got = []
    for address, tag in zip((SERVER, NGINX), tags):
        got.append(talk(address, cut(rnd, stream(requests, tag))))
    try:
        ours, reset = read(got[0], requests)
        early = any(r.ends() for r in requests[:-1])  # RFC 9112 section 9.6: a client that asked to close must not send more
        wrong = "a reset" if reset and not early else judge(requests, ours, reset, *read(got[1], requests, False))
    except ValueError as e:
        wrong = f"malformed: {e!r}"
    return wrong and f"--seed {args.seed} --first {n}: {wrong}\n{stream(requests, tags[0])[:3000]}\n{got[0][:600]}\n{got[1][:600]}"


def alike(b, s):
    """requests at random, of every kind, valid or not: answered alike"""
    _, mtime, _ = s
    tags = [re.search(rb"(?i)etag: (\S+)", talk(a, [b"HEAD /small.txt HTTP/1.1\r\nHost: x\r\n\r\n"]))[1] for a in (SERVER, NGINX)]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        wrong = [w for w in pool.map(lambda n: one(n, tags, mtime), range(args.first, args.first + args.cases)) if w]
    expect(not wrong, f"{len(wrong)} of {args.cases}\n" + "\n\n".join(wrong[:args.show]))


args = bed.arguments(__doc__, seed=1, first=0, cases=1000, show=5)
bed.need("nginx", "ss")
bed.main(args, [alike], start)
