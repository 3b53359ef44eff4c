#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Still more unmodified servers on percore: mail, chat, directories, relays, proxies; those not installed are skipped."""
import ftplib
import imaplib
import os
import poplib
import pwd
import shutil
import signal
import smtplib
import socket

import bed
from bed import CLIENT, SERVER, expect, sh, wait_for
from programs_test import Skip, certificate, conf, optional, want
from servers_test import ab, start, write_nginx
from unmodified import Daemon, answers, digest, fetch, run


def opened(b):
    """Opens a directory for servers that change their user."""
    os.chmod(b.tmp, 0o777)
    os.chmod(b.socket, 0o666)


def banner(port, word, b):
    def check(_=None):
        try:
            with socket.create_connection((SERVER, port), 1) as c:
                c.settimeout(2 * b.slow)
                return word in c.recv(1000)
        except OSError:
            return False
    return check


@optional
def apache_worker(b, s):
    """apache2 with the worker MPM: graceful reloads under load, and a graceful end"""
    want("apache2", "ab")
    modules = "/usr/lib/apache2/modules"
    words = ["apache2", "-DFOREGROUND", "-f", conf(b, "apache-worker.conf", f"""
ServerRoot {b.tmp}
ServerName percore
Listen 9201
PidFile {b.tmp}/worker.pid
ErrorLog {b.tmp}/worker.log
DefaultRuntimeDir {b.tmp}
Mutex file:{b.tmp} default
LoadModule mpm_worker_module {modules}/mod_mpm_worker.so
LoadModule authz_core_module {modules}/mod_authz_core.so
DocumentRoot {b.root}
User www-data
Group www-data
GracefulShutdownTimeout 3
""")]
    with Daemon(b, words, answers(9201)) as d:
        for _ in range(3):
            d.process.send_signal(signal.SIGUSR1)
            ab(b, f"http://{SERVER}:9201/small", 300, 10)
            fetch(b, b.sha, 9201, 10)
        expect(d.end(signal.SIGWINCH) == 0, d.out()[-2000:])


@optional
def haproxy_splice(b, s):
    """haproxy that splices (option splice-auto), and a reload that hands over its listener (-sf)"""
    want("haproxy", "nginx")
    path = conf(b, "splice.cfg", f"""
global
    maxconn 200
defaults
    mode tcp
    timeout connect 5s
    timeout client 10s
    timeout server 10s
    option splice-auto
listen l
    bind 0.0.0.0:9202
    server a {CLIENT}:9302
""")
    with Daemon(b, ["nginx", "-c", write_nginx(b, "spliced", 9302)], answers(9302, CLIENT), on_stack=False), \
            Daemon(b, ["haproxy", "-f", path, "-db"], answers(9202)) as d:
        fetch(b, b.sha, 9202, 30)
        with Daemon(b, ["haproxy", "-f", path, "-db", "-sf", d.pid], lambda n: d.process.poll() is not None):
            fetch(b, b.sha, 9202, 10)


@optional
def uwsgi(b, s):
    """uwsgi with two processes: 500 requests"""
    want("uwsgi")
    app = conf(b, "app.py", "def application(e, start):\n    start('200 OK', []); return [b'hello, percore\\n']\n")
    if not os.path.exists("/usr/lib/uwsgi/plugins/python3_plugin.so"):
        raise Skip("uwsgi-plugin-python3 not installed")
    with Daemon(b, ["uwsgi", "--plugin", "python3", "--http-socket", "0.0.0.0:9203", "--wsgi-file", app, "--master", "--processes", "2",
                    "--die-on-term"], answers(9203)) as d:
        ab(b, f"http://{SERVER}:9203/", 500, 10)
        d.end()


@optional
def dropbear(b, s):
    """dropbear: a command and 1 MB; dbclient on the stack"""
    want("dropbear", "dropbearkey", "ssh", "ssh-keygen")
    key = os.path.join(b.tmp, "db_host")
    sh("dropbearkey", "-t", "ed25519", "-f", key)
    home = os.path.join(b.tmp, "dbhome")
    os.makedirs(os.path.join(home, ".ssh"), mode=0o700, exist_ok=True)
    user = os.path.join(b.tmp, "db_user")
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", user)
    if not sh("dropbear", "-h", check=False).stderr.count("-D"):
        keys = os.path.join(os.path.expanduser("~"), ".ssh", "authorized_keys")
        if os.path.exists(keys):
            raise Skip("there is a list of authorized keys")
        os.makedirs(os.path.dirname(keys), mode=0o700, exist_ok=True)
        shutil.copy(user + ".pub", keys)
        os.chmod(keys, 0o600)
    else:
        keys = None
    try:
        options = ["-F", "/dev/null", "-i", user, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                   "-o", "LogLevel=ERROR", "-o", "BatchMode=yes"]
        with Daemon(b, ["dropbear", "-F", "-E", "-r", key, "-p", "9204"], answers(9204)) as d:
            at = ["ssh", *options, "-p", "9204", f"root@{SERVER}"]
            r = sh(*at, "echo hello; exit 7", check=False, timeout=20 * b.slow)
            expect(r.stdout == "hello\n" and r.returncode == 7, f"{r.stdout}{r.stderr}{d.out()[-2000:]}")
            name = os.path.join(b.root, "big")
            out = sh("sh", "-c", " ".join(at) + f" cat <{name} | sha256sum", timeout=30 * b.slow).stdout
            expect(out.split()[0] == b.sha, "the SHA-256 differs")
    finally:
        if keys:
            os.unlink(keys)


@optional
def proftpd(b, s):
    """proftpd: files by passive and by active FTP, up and down"""
    want("proftpd")
    os.chmod(b.tmp, 0o755)
    up = os.path.join(b.tmp, "ftp")
    os.makedirs(up, exist_ok=True)
    os.chmod(up, 0o777)
    shutil.copy(os.path.join(b.root, "big"), up)
    os.makedirs(os.path.join(b.tmp, "score"), mode=0o755)
    os.chmod(b.socket, 0o666)
    path = conf(b, "proftpd.conf", f"""
ServerName percore
ServerType standalone
Port 9205
UseIPv6 off
User nobody
Group nogroup
DefaultServer on
UseReverseDNS off
PidFile {b.tmp}/proftpd.pid
ScoreboardFile {b.tmp}/score/proftpd
DelayTable none
SystemLog {b.tmp}/score/log
WtmpLog off
AuthPAM off
AuthOrder mod_auth_unix.c
<Anonymous {up}>
  User nobody
  Group nogroup
  UserAlias anonymous nobody
  RequireValidShell off
  UseFtpUsers off
  <Limit WRITE>
    AllowAll
  </Limit>
</Anonymous>
""")
    data = open(os.path.join(b.root, "big"), "rb").read()
    with Daemon(b, ["proftpd", "-n", "-c", path], answers(9205)) as d:
        for passive in (True, False):
            with ftplib.FTP(timeout=10 * b.slow) as f:
                f.connect(SERVER, 9205)
                f.login("anonymous", "x@y")
                f.set_pasv(passive)
                got = []
                f.retrbinary("RETR big", got.append)
                expect(b"".join(got) == data, "the file differs")
                f.storbinary(f"STOR up{passive}", open(os.path.join(b.root, "big"), "rb"))
                expect(open(os.path.join(up, f"up{passive}"), "rb").read() == data, "what was stored differs")
        d.end()


@optional
def named(b, s):
    """named (bind9): 300 names over UDP and 20 over TCP, a reload"""
    want("named", "dig")
    zone = conf(b, "zone", "$TTL 60\n@ SOA ns a.b 1 60 60 60 60\n@ NS ns\nns A 192.0.2.53\n" +
                "".join(f"h{i} A 192.0.2.{i}\n" for i in range(200)))
    opened(b)
    os.chmod(zone, 0o644)
    path = conf(b, "named.conf", f"""
options {{ directory "{b.tmp}"; listen-on port 9206 {{ any; }}; listen-on-v6 {{ none; }}; recursion no; pid-file none;
  session-keyfile "{b.tmp}/session.key"; managed-keys-directory "{b.tmp}"; }};
controls {{ }};
zone "percore.test" {{ type primary; file "{zone}"; }};
""")
    with Daemon(b, ["named", "-f", "-g", "-n", "2", "-c", path],
                lambda d: "192.0.2.1\n" == sh("dig", "+short", "+time=1", "+tries=1", f"@{SERVER}", "-p", "9206", "h1.percore.test",
                                            check=False).stdout) as d:
        for i in range(0, 200, 10):
            for how in ("+notcp", "+tcp"):
                out = sh("dig", "+short", how, f"@{SERVER}", "-p", "9206", f"h{i}.percore.test", timeout=10 * b.slow).stdout
                expect(out == f"192.0.2.{i}\n", f"{how}: {out}")
        d.process.send_signal(signal.SIGHUP)
        out = sh("dig", "+short", "+tcp", f"@{SERVER}", "-p", "9206", "h7.percore.test", timeout=10 * b.slow).stdout
        expect(out == "192.0.2.7\n", out)
        expect(d.end() == 0, d.out()[-2000:])


@optional
def coturn(b, s):
    """turnserver: a relay over UDP and over TCP, by its own client"""
    want("turnserver", "turnutils_uclient", "turnutils_peer")
    words = ["turnserver", "-n", "-L", SERVER, "-p", "9207", "-a", "-u", "u:p", "-r", "percore", "--no-tls", "--no-dtls", "--no-cli",
             "--log-file", "stdout", "--pidfile", os.path.join(b.tmp, "turn.pid"), "--userdb", os.path.join(b.tmp, "turndb"),
             "--allow-loopback-peers", "--min-port", "9400", "--max-port", "9450"]
    with Daemon(b, ["turnutils_peer", "-L", CLIENT, "-p", "9307"], None, on_stack=False), Daemon(b, words, answers(9207)) as d:
        for more in ([], ["-t"]):
            out = sh("turnutils_uclient", *more, "-u", "u", "-w", "p", "-p", "9207", "-e", CLIENT, "-r", "9307", "-n", "20", "-c", SERVER,
                     check=False, timeout=40 * b.slow)
            expect("tot_send_msgs=20, tot_recv_msgs=20" in out.stdout, (out.stdout + out.stderr)[-1500:] + d.out()[-1500:])


@optional
def privoxy(b, s):
    """privoxy: a proxy, a thread per connection"""
    want("privoxy", "nginx", "curl")
    path = conf(b, "privoxy.conf", f"confdir {b.tmp}\nlogdir {b.tmp}\nlisten-address 0.0.0.0:9208\n")
    with Daemon(b, ["nginx", "-c", write_nginx(b, "private", 9308)], answers(9308, CLIENT), on_stack=False), \
            Daemon(b, ["privoxy", "--no-daemon", path], answers(9208)) as d:
        for _ in range(10):
            expect(digest(["curl", "-sSf", "-x", f"http://{SERVER}:9208", f"http://{CLIENT}:9308/big"]) == b.sha, d.out()[-2000:])


@optional
def dante(b, s):
    """danted: a SOCKS server of several processes that pass each other their connections"""
    want("danted", "nginx", "curl")
    opened(b)
    path = conf(b, "danted.conf", f"""
logoutput: stderr
internal: {SERVER} port = 9209
external: {SERVER}
socksmethod: none
clientmethod: none
user.privileged: root
user.unprivileged: nobody
client pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
socks pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
""")
    with Daemon(b, ["nginx", "-c", write_nginx(b, "socksed", 9309)], answers(9309, CLIENT), on_stack=False), \
            Daemon(b, ["danted", "-f", path, "-p", os.path.join(b.tmp, "danted.pid")], answers(9209)) as d:
        for _ in range(10):
            expect(digest(["curl", "-sSf", "--socks5", f"{SERVER}:9209", f"http://{CLIENT}:9309/big"]) == b.sha, d.out()[-2000:])


@optional
def slapd(b, s):
    """slapd: 200 entries added and found"""
    want("slapd", "ldapadd", "ldapsearch")
    db = os.path.join(b.tmp, "ldap")
    os.makedirs(db, exist_ok=True)
    path = conf(b, "slapd.conf", f"""
include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {b.tmp}/slapd.pid
database mdb
maxsize 10000000
suffix dc=percore
rootdn cn=root,dc=percore
rootpw secret
directory {db}
""")
    with Daemon(b, ["slapd", "-d", "0", "-f", path, "-h", f"ldap://{SERVER}:9210/"], answers(9210)) as d:
        entries = "dn: dc=percore\nobjectClass: organization\nobjectClass: dcObject\no: p\ndc: percore\n\n" + "".join(
            f"dn: cn=n{i},dc=percore\nobjectClass: device\ncn: n{i}\n\n" for i in range(200))
        ldif = conf(b, "entries.ldif", entries)
        at = ["-x", "-H", f"ldap://{SERVER}:9210/", "-D", "cn=root,dc=percore", "-w", "secret"]
        sh("ldapadd", *at, "-f", ldif, timeout=20 * b.slow)
        out = sh("ldapsearch", *at, "-LLL", "-b", "dc=percore", "objectClass=device", "cn", timeout=20 * b.slow).stdout
        expect(out.count("cn: n") == 200, f"{out.count('cn: n')} entries")
        expect(d.end(signal.SIGINT) == 0, d.out()[-2000:])


@optional
def pgbouncer(b, s):
    """pgbouncer: its console over the stack"""
    want("pgbouncer", "psql")
    opened(b)
    path = conf(b, "pgbouncer.ini", f"""
[databases]
[pgbouncer]
listen_addr = 0.0.0.0
listen_port = 9211
unix_socket_dir =
auth_type = any
admin_users = u
logfile = {b.tmp}/pgbouncer.log
pidfile = {b.tmp}/pgbouncer.pid
user = nobody
""")
    with Daemon(b, ["pgbouncer", path], answers(9211)) as d:
        for _ in range(5):
            out = sh("psql", "-h", SERVER, "-p", "9211", "-U", "u", "-d", "pgbouncer", "-c", "show clients", check=False, timeout=10 * b.slow)
            expect(out.returncode == 0 and "application_name" in out.stdout, out.stdout + out.stderr + d.out()[-2000:])


@optional
def hitch(b, s):
    """hitch: TLS before the kernel's nginx"""
    want("hitch", "openssl", "nginx", "curl")
    key, cert = certificate(b)
    pem = conf(b, "hitch.pem", open(key).read() + open(cert).read())
    path = conf(b, "hitch.conf", f'frontend = "[0.0.0.0]:9212"\nbackend = "[{CLIENT}]:9312"\npem-file = "{pem}"\nworkers = 2\nuser = "nobody"\n')
    with Daemon(b, ["nginx", "-c", write_nginx(b, "hitched", 9312)], answers(9312, CLIENT), on_stack=False), \
            Daemon(b, ["hitch", f"--config={path}"], answers(9212)) as d:
        for _ in range(10):
            expect(digest(["curl", "-sSfk", f"https://{SERVER}:9212/big"]) == b.sha, d.out()[-2000:])


@optional
def exim(b, s):
    """exim4: 20 mails come in, each delivered by a process of its own"""
    want("exim4")
    mail = os.path.join(b.tmp, "mail")
    os.makedirs(mail, exist_ok=True)
    opened(b)
    os.chmod(mail, 0o777)
    path = conf(b, "exim.conf", f"""
exim_user = Debian-exim
exim_group = Debian-exim
spool_directory = {b.tmp}/spool
log_file_path = {b.tmp}/exim-%s.log
deliver_drop_privilege
smtp_accept_queue_per_connection = 0
primary_hostname = percore.test
domainlist local_domains = percore.test
acl_smtp_rcpt = ok
host_lookup =
rfc1413_query_timeout = 0s
begin acl
ok:
  accept
begin routers
here:
  driver = accept
  domains = +local_domains
  transport = file
begin transports
file:
  driver = appendfile
  file = {mail}/box
""")
    os.chmod(path, 0o644)
    shutil.chown(path, "root", "root")
    with Daemon(b, ["exim4", "-C", path, "-bdf", "-q1h", "-oX", "9213", "-oP", os.path.join(b.tmp, "exim.pid")],
                banner(9213, b"220", b)) as d:
        with smtplib.SMTP(SERVER, 9213, timeout=10 * b.slow) as m:
            for i in range(20):
                m.sendmail("a@percore.test", ["u@percore.test"], f"Subject: {i}\r\n\r\nhello {i}\r\n" + "x" * 70 + "\r\n")
        wait_for(lambda: os.path.exists(mail + "/box") and open(mail + "/box").read().count("Subject:") == 20, 10 * b.slow,
                 "the mails" + d.out()[-1000:])


@optional
def dovecot(b, s):
    """dovecot: 20 mails put and read by IMAP, and read by POP3; its processes pass each other connections"""
    want("dovecot")
    home = os.path.join(b.tmp, "dovecot")
    os.makedirs(home + "/run", exist_ok=True)
    os.makedirs(home + "/mail", exist_ok=True)
    opened(b)
    os.chmod(home + "/mail", 0o777)
    who = pwd.getpwnam("nobody")
    path = conf(b, "dovecot.conf", f"""
base_dir = {home}/run
log_path = /dev/stderr
protocols = imap pop3
listen = 0.0.0.0
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{home}/mail/%u
first_valid_uid = 1
first_valid_gid = 1
passdb {{
  driver = static
  args = password=p
}}
userdb {{
  driver = static
  args = uid={who.pw_uid} gid={who.pw_gid} home={home}/mail/%u
}}
service imap-login {{
  inet_listener imap {{
    port = 9214
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = 9215
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
""")
    with Daemon(b, ["dovecot", "-F", "-c", path], banner(9214, b"OK", b)) as d:
        m = imaplib.IMAP4(SERVER, 9214, timeout=10 * b.slow)
        m.login("u", "p")
        for i in range(20):
            m.append("INBOX", None, None, f"Subject: {i}\r\n\r\nhello {i}\r\n".encode() + b"x" * 5000)
        expect(m.select("INBOX")[1] == [b"20"], d.out()[-2000:])
        expect(len(m.fetch("1:20", "(RFC822)")[1]) == 40, "mails are missing")
        m.logout()
        p = poplib.POP3(SERVER, 9215, timeout=10 * b.slow)
        p.user("u")
        p.pass_("p")
        expect(p.stat()[0] == 20, d.out()[-2000:])
        p.quit()
        d.end()


@optional
def prosody(b, s):
    """prosody: a stream of XMPP is opened and answered, by ten clients"""
    want("prosody")
    opened(b)
    path = conf(b, "prosody.lua", f"""
run_as_root = true
daemonize = false
data_path = "{b.tmp}"
pidfile = "{b.tmp}/prosody.pid"
c2s_ports = {{ 9216 }}
interfaces = {{ "0.0.0.0" }}
modules_enabled = {{ "saslauth"; "disco"; }}
modules_disabled = {{ "s2s"; "tls"; "posix"; "http"; }}
c2s_require_encryption = false
log = {{ info = "*console" }}
VirtualHost "percore.test"
""")
    with Daemon(b, ["prosody", "--config", path, "-F"], answers(9216)) as d:
        for _ in range(10):
            with socket.create_connection((SERVER, 9216), 5) as c:
                c.settimeout(5 * b.slow)
                c.sendall(b"<?xml version='1.0'?><stream:stream to='percore.test' xmlns='jabber:client' "
                          b"xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>")
                got = b""
                while b"</stream:features>" not in got and b"<stream:features/>" not in got:
                    part = c.recv(4096)
                    expect(part, f"{got}{d.out()[-2000:]}")
                    got += part


@optional
def monit(b, s):
    """monit: its page"""
    want("monit", "curl")
    path = conf(b, "monitrc", f"set daemon 30\nset httpd port 9217\n allow 0.0.0.0/0.0.0.0\n allow \"admin\":\"monit\"\nset idfile {b.tmp}/monit.id\n"
                f"set statefile {b.tmp}/monit.state\nset pidfile {b.tmp}/monit.pid\n")
    os.chmod(path, 0o600)
    with Daemon(b, ["monit", "-I", "-c", path], answers(9217)) as d:
        for _ in range(5):
            out = sh("curl", "-sSf", "-u", "admin:monit", f"http://{SERVER}:9217/", timeout=10 * b.slow).stdout
            expect("Monit" in out, d.out()[-2000:])


@optional
def nbd(b, s):
    """nbd-server: a block device's greeting"""
    want("nbd-server")
    disk = os.path.join(b.tmp, "disk")
    open(disk, "wb").truncate(1 << 20)
    with Daemon(b, ["nbd-server", "-C", "/dev/null", "9218", disk, "-d"], banner(9218, b"NBDMAGIC", b)):
        pass


@optional
def icecast(b, s):
    """icecast2: its status page"""
    want("icecast2", "curl")
    opened(b)
    path = conf(b, "icecast.xml", f"""<icecast><limits><clients>10</clients><sources>2</sources></limits>
<authentication><source-password>x</source-password><admin-user>a</admin-user><admin-password>x</admin-password></authentication>
<hostname>percore</hostname><listen-socket><port>9219</port></listen-socket>
<paths><basedir>/usr/share/icecast2</basedir><logdir>{b.tmp}</logdir><webroot>/usr/share/icecast2/web</webroot>
<adminroot>/usr/share/icecast2/admin</adminroot></paths><logging><errorlog>-</errorlog></logging>
<security><chroot>0</chroot><changeowner><user>nobody</user><group>nogroup</group></changeowner></security></icecast>""")
    with Daemon(b, ["icecast2", "-c", path], answers(9219)) as d:
        for _ in range(5):
            out = sh("curl", "-sSf", f"http://{SERVER}:9219/status-json.xsl", timeout=10 * b.slow).stdout
            expect("icestats" in out, d.out()[-2000:])


@optional
def gearman(b, s):
    """gearmand: its administrative protocol, 100 questions"""
    want("gearmand")
    with Daemon(b, ["gearmand", "-p", "9220", "-L", "0.0.0.0", "-l", "stderr", "-u", "root", "-P", os.path.join(b.tmp, "g.pid")],
                answers(9220)) as d, socket.create_connection((SERVER, 9220), 5) as c:
        c.settimeout(5 * b.slow)
        f = c.makefile("rwb")
        for _ in range(100):
            f.write(b"version\r\n")
            f.flush()
            expect(f.readline().startswith(b"OK "), d.out()[-2000:])


@optional
def downloads(b, s):
    """aria2c with five connections, axel with four and lftp with three fetch from the kernel's nginx"""
    with Daemon(b, ["nginx", "-c", write_nginx(b, "downloads", 9321)], answers(9321, CLIENT), on_stack=False):
        url = f"http://{CLIENT}:9321/big"
        for tool, words in (("aria2c", ["-q", "-x5", "-s5", "-k1M", "-d", b.tmp, "-o", "by-aria2c", url]),
                            ("axel", ["-q", "-n", "4", "-o", os.path.join(b.tmp, "by-axel"), url]),
                            ("lftp", ["-c", f"pget -n 3 {url} -o {b.tmp}/by-lftp"])):
            if not shutil.which(tool):
                print(f"       skipped: {tool} not installed")
                continue
            run(b, tool, *words)
            expect(digest(["cat", os.path.join(b.tmp, "by-" + tool)]) == b.sha, f"{tool}: the SHA-256 differs")


@optional
def sslh(b, s):
    """sslh: a connection that begins with HTTP is joined to nginx"""
    want("sslh", "nginx", "curl")
    words = ["sslh", "-f", "-p", "0.0.0.0:9222", "--http", f"{CLIENT}:9322", "-u", "nobody"]
    opened(b)
    with Daemon(b, ["nginx", "-c", write_nginx(b, "sslh", 9322)], answers(9322, CLIENT), on_stack=False), \
            Daemon(b, words, answers(9222)):
        fetch(b, b.sha, 9222, 10)


STEPS = [apache_worker, haproxy_splice, uwsgi, dropbear, proftpd, named, coturn, privoxy, dante, slapd, pgbouncer, hitch, exim, dovecot,
         prosody, monit, nbd, icecast, gearman, downloads, sslh]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("ethtool", "curl", "ab")
    bed.main(args, STEPS, start)
