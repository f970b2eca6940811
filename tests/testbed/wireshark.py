"""What wireshark's dissector makes of IKE messages that a capture holds, with the keys that tests/savekeys writes."""

import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from .extra_plugin import ExtraPlugin
from .util import CLEAN_ENV, TestbedError

# What tests/savekeys knows how to write down.
PROPOSAL = "aes128-sha256-ecp256"
KEYS = "/run/savekeys"
CONFIGURATION = """
savekeys {
    load = yes
    file = %s
}
"""
REQUEST, REPLY = 1, 2


@dataclass(frozen=True)
class Configuration:
    """A configuration payload: its type, and its attributes (type, value) in order."""

    type: int
    attributes: tuple


class KeySaver:
    """charon on a host, restarted with the plugin that saves keys, until the end of a with statement."""

    def __init__(self, host, release: str):
        self._host = host
        self._plugin = ExtraPlugin(host, release, "savekeys", CONFIGURATION % KEYS)

    def __enter__(self):
        self._plugin.__enter__()
        self._host.systemctl("restart", "strongswan.service")
        return self

    def __exit__(self, *_):
        self._plugin.__exit__()
        self._host.remove(KEYS)
        self._host.systemctl("restart", "strongswan.service")

    def keys(self) -> str:
        return self._host.read(KEYS)


def configurations(capture: Path, keys: str) -> list:
    """The configuration payloads of a capture's IKE_AUTH messages, as tshark dissects them."""
    with tempfile.TemporaryDirectory(prefix="encdns-wireshark-") as folder:
        (Path(folder) / "ikev2_decryption_table").write_text(keys)
        done = subprocess.run(["tshark", "-r", capture, "-Y", "isakmp.exchangetype == 35", "-T", "pdml"],
                              env={**CLEAN_ENV, "HOME": folder, "WIRESHARK_CONFIG_DIR": folder},
                              stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode:
        raise TestbedError(f"tshark failed:\n{done.stderr.decode(errors='replace')}")
    found = []
    for packet in ElementTree.fromstring(done.stdout).iter("packet"):
        payloads = [field for field in packet.iter("field") if field.get("name") == "isakmp.cfg.type"]
        parents = {child: parent for parent in packet.iter() for child in parent}
        for kind in payloads:
            found.append(Configuration(int(kind.get("value"), 16), tuple(_attributes(parents[kind]))))
    return found


def _attributes(payload):
    for attribute in payload.iter("field"):
        if attribute.get("name") != "isakmp.cfg.attr":
            continue
        fields = {field.get("name"): field for field in attribute.iter("field")}
        kind = fields["isakmp.cfg.attr.type"]
        value = fields.get("isakmp.cfg.attr.value")
        yield int(kind.get("value"), 16), bytes.fromhex(value.get("value")) if value is not None else b""
