"""The forwarders under measurement and the upstream that all of them ask. Runs inside the bench host.

Caches are off everywhere and names are unique, so that every query crosses TLS.
"""

import base64
import os
import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ADN = "dns.bench.example"
ZONE = "bench.example"
WORK = Path("/run/bench")
CA = WORK / "ca.pem"
DOHPATH = "/dns-query"
DOT_PORT, DOH_PORT = 853, 443


def make_certificates() -> None:
    """A CA and the upstream's certificate, for this run alone."""
    WORK.mkdir(parents=True, exist_ok=True)
    script = f"""
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem \
            -subj '/CN=bench CA' -addext keyUsage=critical,keyCertSign -days 2
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj '/CN=x'
        printf 'subjectAltName=DNS:{ADN}' >san
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out server.pem
        chmod a+r server.key
    """
    subprocess.run(["sh", "-euc", script], cwd=WORK, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@dataclass
class Peer:
    """One program: how it is started, and what runs of it."""

    name: str
    protocol: str  # "DoT" or "DoH"
    port: int
    command: list
    files: dict = field(default_factory=dict)
    environment: dict = field(default_factory=dict)
    process: subprocess.Popen = None

    @property
    def installed(self) -> bool:
        return Path(self.command[0]).exists()

    def start(self) -> None:
        for name, text in self.files.items():
            (WORK / name).write_text(text)
        log = open(WORK / f"{self.name}-{self.protocol}.log", "ab")
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=WORK,
                                        env={**os.environ, **self.environment})

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def cpu_seconds(self) -> float:
        """CPU time of all threads, as the scheduler counted it."""
        total = 0
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except FileNotFoundError:
                pass
        return total / 1e9

    def rss_kib(self) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0


def upstream() -> Peer:
    """unbound, answering every name below the zone out of memory, over DoT and DoH."""
    config = f"""
server:
    interface: 127.0.0.1@{DOT_PORT}
    interface: 127.0.0.1@{DOH_PORT}
    interface: 127.0.0.1@5300
    tls-service-key: {WORK}/server.key
    tls-service-pem: {WORK}/server.pem
    http-endpoint: {DOHPATH}
    http-max-streams: 1000
    http-nodelay: yes
    incoming-num-tcp: 200
    num-threads: 1
    so-reuseport: no
    use-syslog: no
    do-daemonize: no
    chroot: ""
    username: ""
    pidfile: ""
    log-queries: no
    minimal-responses: yes
    local-zone: "." static
    local-zone: {ZONE} redirect
    local-data: "{ZONE} 3600 IN A 10.20.0.80"
remote-control:
    control-enable: no
"""
    return Peer("upstream", "both", 5300, ["/usr/sbin/unbound", "-d", "-c", f"{WORK}/upstream.conf"],
                {"upstream.conf": config})


def _encdnsd(protocol: str, port: int) -> Peer:
    resolver = f"adn={ADN} addresses=127.0.0.1 ca={CA}"
    if protocol == "DoT":
        resolver += f" alpn=dot port={DOT_PORT}"
    else:
        resolver += f" alpn=h2 port={DOH_PORT} dohpath={DOHPATH}{{?dns}}"
    return Peer("encdnsd", protocol, port,
                ["/usr/sbin/encdnsd", "--standalone", "--listen", f"127.0.0.1:{port}", "--resolver", resolver])


def _unbound(port: int) -> Peer:
    config = f"""
server:
    interface: 127.0.0.1@{port}
    num-threads: 1
    module-config: "iterator"
    msg-cache-size: 0
    rrset-cache-size: 0
    num-queries-per-thread: 4096
    outgoing-range: 8192
    do-not-query-localhost: no
    tls-cert-bundle: {CA}
    use-syslog: no
    do-daemonize: no
    chroot: ""
    username: ""
    pidfile: ""
remote-control:
    control-enable: no
forward-zone:
    name: "."
    forward-tls-upstream: yes
    forward-no-cache: yes
    forward-addr: 127.0.0.1@{DOT_PORT}#{ADN}
"""
    return Peer("unbound", "DoT", port, ["/usr/sbin/unbound", "-d", "-c", f"{WORK}/unbound.conf"],
                {"unbound.conf": config})


def _stubby(port: int) -> Peer:
    config = f"""
resolution_type: GETDNS_RESOLUTION_STUB
dns_transport_list: [GETDNS_TRANSPORT_TLS]
tls_authentication: GETDNS_AUTHENTICATION_REQUIRED
tls_ca_file: "{CA}"
tls_query_padding_blocksize: 128
round_robin_upstreams: 0
idle_timeout: 30000
listen_addresses: [127.0.0.1@{port}]
upstream_recursive_servers:
  - address_data: 127.0.0.1
    tls_port: {DOT_PORT}
    tls_auth_name: "{ADN}"
"""
    return Peer("stubby", "DoT", port, ["/usr/bin/stubby", "-C", f"{WORK}/stubby.yml"], {"stubby.yml": config})


def _dnsdist(protocol: str, port: int) -> Peer:
    path = f', dohPath="{DOHPATH}"' if protocol == "DoH" else ""
    upstream_port = DOT_PORT if protocol == "DoT" else DOH_PORT
    config = f"""
setLocal("127.0.0.1:{port}")
setACL("127.0.0.0/8")
setSecurityPollSuffix("")
newServer({{address="127.0.0.1:{upstream_port}", tls="openssl", subjectName="{ADN}", caStore="{CA}",
    validateCertificates=true{path}}}):setUp()
"""
    name = f"dnsdist-{protocol}.conf"
    return Peer("dnsdist", protocol, port, ["/usr/bin/dnsdist", "--supervised", "-C", f"{WORK}/{name}"], {name: config})


def _dnss(port: int) -> Peer:
    return Peer("dnss", "DoH", port, [
        "/usr/bin/dnss", "-enable_dns_to_https", f"-dns_listen_addr=127.0.0.1:{port}", "-enable_cache=false",
        f"-https_upstream=https://{ADN}:{DOH_PORT}{DOHPATH}", f"-https_client_cafile={CA}"])


def _stamp() -> str:
    """The DNS stamp of the upstream for dnscrypt-proxy: DoH, no pinned certificate."""
    def counted(text: str) -> bytes:
        return bytes([len(text)]) + text.encode()

    raw = b"\x02" + struct.pack("<Q", 0) + counted(f"127.0.0.1:{DOH_PORT}") + b"\x00" + counted(ADN) + counted(DOHPATH)
    return "sdns://" + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _dnscrypt_proxy(port: int) -> Peer:
    config = f"""
listen_addresses = ['127.0.0.1:{port}']
server_names = ['bench']
max_clients = 10000
cache = false
ignore_system_dns = true
bootstrap_resolvers = ['127.0.0.1:5300']
netprobe_timeout = 0
log_level = 2
[static.'bench']
stamp = '{_stamp()}'
"""
    return Peer("dnscrypt-proxy", "DoH", port, ["/usr/sbin/dnscrypt-proxy", "-config", f"{WORK}/dnscrypt.toml"],
                {"dnscrypt.toml": config}, {"SSL_CERT_FILE": str(CA)})


def forwarders(protocol: str) -> list:
    """All forwarders for one protocol; ours is the first."""
    if protocol == "DoT":
        return [_encdnsd("DoT", 5301), _unbound(5302), _stubby(5303), _dnsdist("DoT", 5304)]
    return [_encdnsd("DoH", 5311), _dnsdist("DoH", 5312), _dnss(5313), _dnscrypt_proxy(5314)]


