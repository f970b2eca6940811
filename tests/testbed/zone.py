"""DNS zones as text, signed with keys made for one run: by ldns, which shares no code with what is tested."""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .util import CLEAN_ENV, TestbedError

# The names that DNSSEC's algorithms have in ldns.
RSA, ECDSA, ED25519 = "RSASHA256", "ECDSAP256SHA256", "ED25519"


@dataclass(frozen=True)
class Zone:
    """A zone file, and the DS record's data of the key that signed it (None: nobody did)."""

    domain: str
    text: str
    ds: str = None

    @property
    def anchor(self) -> str:
        """As swanctl.conf's trust-anchors has it."""
        return f'"{self.domain} {self.ds}"'


def unsigned(domain: str, names: dict, extra=()) -> Zone:
    """A zone with addresses, {name: (IPv4, IPv6)}, and more lines."""
    lines = [f"{domain}. 30 IN SOA ns.{domain}. nobody.{domain}. 1 3600 600 86400 30",
             f"{domain}. 30 IN NS ns.{domain}.", f"ns.{domain}. 30 IN A 192.0.2.53"]
    for name, addresses in names.items():
        lines += [f"{name}. 30 IN {kind} {address}" for kind, address in zip(("A", "AAAA"), addresses)]
    return Zone(domain, "\n".join([*lines, *extra]) + "\n")


def signed(zone: Zone, algorithm: str = ECDSA, bits: int = None, digest: str = "2") -> Zone:
    """The zone, signed with a new key. digest: the number of the DS record's digest type."""
    with tempfile.TemporaryDirectory(prefix="encdns-zone-") as folder:
        (Path(folder) / "zone").write_text(zone.text)
        size = ("-b", str(bits)) if bits else ()
        key = _run(folder, "ldns-keygen", "-a", algorithm, *size, "-k", zone.domain).strip()
        _run(folder, "ldns-signzone", "-f", "signed", "-o", zone.domain, "zone", key)
        record = _run(folder, "ldns-key2ds", "-n", f"-{digest}", f"{key}.key").split()
        data = record[record.index("DS") + 1:]
        return Zone(zone.domain, (Path(folder) / "signed").read_text(), " ".join([*data[:3], "".join(data[3:])]))


def tampered(zone: Zone, address: str, instead: str) -> Zone:
    """The zone with an address in it replaced, and its signature left as it was."""
    text = zone.text.replace(f"\t{address}\n", f"\t{instead}\n")
    if text == zone.text:
        raise TestbedError(f"{zone.domain} has no {address}")
    return Zone(zone.domain, text, zone.ds)


def _run(folder: str, *command) -> str:
    done = subprocess.run(command, cwd=folder, env=CLEAN_ENV, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise TestbedError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
