"""The DNS servers of the test network: unbound, answering from its own configuration and logging every query."""

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
        """listen: addresses; everything: (IPv4, IPv6) for any name; zones: {domain: {name: (IPv4, IPv6)}}."""
        self.host = host
        self._listen = list(listen)
        self._everything = everything
        self._zones = zones or {}

    def start(self, credential=None, tls_port: int = 853) -> None:
        """(Re)starts the server; with a credential it serves DNS over TLS too."""
        lines = [BASE]
        lines += [f"    interface: {address}@53" for address in self._listen]
        if credential:
            self.host.write("/etc/unbound/tls.pem", credential.certificate)
            self.host.write("/etc/unbound/tls.key", credential.key)
            self.host.run("chown", "unbound:", "/etc/unbound/tls.key")
            lines += [f"    interface: {address}@{tls_port}" for address in self._listen]
            lines += [f"    tls-port: {tls_port}", "    tls-service-pem: tls.pem", "    tls-service-key: tls.key"]
        lines += ["    local-zone: . redirect"] + _records(".", self._everything)
        for domain, names in self._zones.items():
            lines.append(f"    local-zone: {domain}. static")
            for name, addresses in names.items():
                lines += _records(f"{name}.", addresses)
        self.host.write("/etc/unbound/unbound.conf", "\n".join(lines) + "\n")
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


def _records(name: str, addresses) -> list:
    return [f'    local-data: "{name} 30 IN {kind} {address}"'
            for kind, address in zip(("A", "AAAA"), addresses) if address]
