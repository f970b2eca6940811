"""The DNS servers of the test network: unbound, answering from its own configuration and logging every query, and
dnsdist in front of it. Both speak DoT on port 853 and DoH on port 443.
"""

import re
from dataclasses import dataclass

BASE = """
server:
    username: unbound
    directory: "/etc/unbound"
    chroot: ""
    pidfile: ""
    use-syslog: no
    logfile: "/var/log/unbound/queries.log"
    log-queries: yes
    log-time-ascii: no
    verbosity: 1
    num-threads: 1
    module-config: "iterator"
    access-control: 0.0.0.0/0 allow
    access-control: ::/0 allow
    do-not-query-localhost: no
"""

LOG = "/var/log/unbound/queries.log"
DOHPATH = "/dns-query"
QUERY = re.compile(r"info: (\S+) (\S+)\. (\S+) IN$")


@dataclass(frozen=True)
class Query:
    """One line of a server's log: who asked for what."""

    client: str
    name: str
    type: str


class DnsServer:
    """unbound on one host. Names outside its zones all get the same addresses, so an answer tells who gave it."""

    def __init__(self, host, listen, everything, zones=None):
        """listen: addresses; everything: (IPv4, IPv6) for any name; zones: {domain: {name: (IPv4, IPv6)}}, where a name
        "*.below" stands for all names below.

        zones and zone_files, Zone objects, count from the next start on, the latter before zones of the same domain."""
        self.host = host
        self._listen = list(listen)
        self._everything = everything
        self.zones = zones or {}
        self.zone_files = []

    def start(self, credential=None, ports=(853, 443)) -> None:
        """(Re)starts the server; with a credential it serves DoT and DoH too, or only one of them."""
        lines = [BASE]
        lines += [f"    interface: {address}@53" for address in self._listen]
        if credential:
            self.host.write("/etc/unbound/tls.pem", credential.certificate)
            self.host.write("/etc/unbound/tls.key", credential.key)
            self.host.run("chown", "unbound:", "/etc/unbound/tls.key")
            lines += [f"    interface: {address}@{port}" for address in self._listen for port in ports]
            lines += ["    tls-service-pem: tls.pem", "    tls-service-key: tls.key", f"    http-endpoint: {DOHPATH}"]
        lines += ["    local-zone: . redirect"] + _records(".", self._everything)
        clauses = []
        for zone in self.zone_files:
            self.host.write(f"/etc/unbound/{zone.domain}.zone", zone.text)
            lines.append(f"    local-zone: {zone.domain}. transparent")
            clauses += ["auth-zone:", f"    name: {zone.domain}", f'    zonefile: "/etc/unbound/{zone.domain}.zone"',
                        "    for-downstream: yes", "    for-upstream: no", "    fallback-enabled: no"]
        for domain, names in self.zones.items():
            if any(zone.domain == domain for zone in self.zone_files):
                continue
            lines.append(f"    local-zone: {domain}. static")
            for name, addresses in names.items():
                if name.startswith("*."):
                    name = name[2:]
                    lines.append(f"    local-zone: {name}. redirect")
                lines += _records(f"{name}.", addresses)
        self.host.write("/etc/unbound/unbound.conf", "\n".join(lines + clauses) + "\n")
        self.host.shell("mkdir -p /var/log/unbound; chown unbound: /var/log/unbound")
        # Tests restart it more often than systemd's limit thinks healthy.
        self.host.systemctl("reset-failed", "unbound.service", check=False)
        self.host.systemctl("restart", "unbound.service")

    def stop(self) -> None:
        self.host.systemctl("stop", "unbound.service")

    def queries(self) -> list:
        """Every query since the last forget(), in order."""
        found = (QUERY.search(line) for line in self.host.shell(f"cat {LOG} 2>/dev/null || :").splitlines())
        return [Query(*match.groups()) for match in found if match]

    def names(self) -> set:
        """The names asked for since the last forget(), in lower case."""
        return {query.name.lower() for query in self.queries()}

    def forget(self) -> None:
        # unbound appends, so it goes on writing into the emptied file.
        self.host.shell(f"test ! -e {LOG} || truncate -s 0 {LOG}")


class Dnsdist:
    """dnsdist on the same host as a DnsServer and in front of it. Caches nothing."""

    def __init__(self, host, listen):
        self.host = host
        self._listen = list(listen)

    def start(self, credential, dot: bool = True, doh: bool = True) -> None:
        """(Re)starts it."""
        self.host.write("/etc/dnsdist/tls.pem", credential.certificate)
        self.host.write("/etc/dnsdist/tls.key", credential.key)
        files = '"/etc/dnsdist/tls.pem", "/etc/dnsdist/tls.key"'
        lines = ['setACL({"0.0.0.0/0", "::/0"})', 'setSecurityPollSuffix("")',
                 f'newServer("{self._listen[0]}:53"):setUp()']
        for address in self._listen:
            address = f"[{address}]" if ":" in address else address
            if dot:
                lines.append(f'addTLSLocal("{address}:853", {files})')
            if doh:
                lines.append(f'addDOHLocal("{address}:443", {files}, "{DOHPATH}")')
        self.host.write("/etc/dnsdist/dnsdist.conf", "\n".join(lines) + "\n")
        self.host.shell("chown _dnsdist /etc/dnsdist/tls.key /etc/dnsdist/dnsdist.conf")
        self.host.systemctl("reset-failed", "dnsdist.service", check=False)
        self.host.systemctl("restart", "dnsdist.service")

    def stop(self) -> None:
        self.host.systemctl("stop", "dnsdist.service")


def _records(name: str, addresses) -> list:
    return [f'    local-data: "{name} 30 IN {kind} {address}"'
            for kind, address in zip(("A", "AAAA"), addresses) if address]
