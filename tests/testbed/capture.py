"""Packet captures as evidence: tcpdump on every interface of some hosts, and a reader that looks for names.

A name counts as seen in whatever form it is readable: as text, or as a DNS name on the wire, in any mixture of case,
also where TCP cut it in two.
"""

import json
import signal
import struct
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass

from .util import TestbedError, wait_for

TCP, UDP, ESP = 6, 17, 50
DOT, DOH = 853, 443
LINUX_SLL2 = 276
OUTGOING = 4


@dataclass(frozen=True)
class Packet:
    """One IP packet as one interface saw it. Ports are 0 where there are none."""

    host: str
    interface: str
    source: bytes
    destination: bytes
    protocol: int
    source_port: int
    destination_port: int
    payload: bytes
    incoming: bool

    @property
    def ports(self) -> tuple:
        return self.source_port, self.destination_port

    def __str__(self):
        kind = {TCP: "TCP", UDP: "UDP"}.get(self.protocol, f"protocol {self.protocol}")
        return f"{self.host}/{self.interface}: {kind} {self.source_port} > {self.destination_port}, " \
               f"{len(self.payload)} octets: {self.payload[:60]!r}"


class Capture:
    """tcpdump on all interfaces of one host, those that appear later included."""

    def __init__(self, host):
        self.host = host
        self._file = tempfile.NamedTemporaryFile(prefix=f"encdns-{host.name}-", suffix=".pcap")
        self._names = {}
        self._tcpdump = host.popen(
            # Immediate mode reserves a whole snapshot length in the buffer for every packet.
            "tcpdump", "-i", "any", "-y", "LINUX_SLL2", "-n", "-U", "-s", "16384", "-B", "131072", "--immediate-mode",
            "-Z", "root", "-w", "-", stdout=self._file, stderr=(errors := tempfile.TemporaryFile()))
        self._errors = errors
        wait_for(lambda: "listening on" in self._complaints(), f"tcpdump on {host.name}")
        self.note_interfaces()

    def note_interfaces(self) -> None:
        """Packets carry interface numbers; their names are asked for while the interfaces are there."""
        for link in json.loads(self.host.output("ip", "-j", "link")):
            self._names[link["ifindex"]] = link["ifname"]

    def stop(self) -> None:
        if self._tcpdump is None:
            return
        if self.host.running and self._tcpdump.poll() is None:
            self.note_interfaces()
            time.sleep(0.3)
            self.host.send_signal(self._tcpdump, signal.SIGINT)
        self._tcpdump.wait(10)
        self._tcpdump = None
        if "\n0 packets dropped by kernel" not in self._complaints():
            raise TestbedError(f"the capture on {self.host.name} is not complete: {self._complaints()}")

    @property
    def path(self) -> str:
        """The file, for as long as this object lives."""
        return self._file.name

    def packets(self):
        """The IP packets seen so far, on every interface but lo."""
        with open(self._file.name, "rb") as stream:
            data = stream.read()
        if struct.unpack_from("<I", data, 20)[0] != LINUX_SLL2:
            raise TestbedError("tcpdump wrote another link type than asked for")
        offset = 24
        while offset + 16 <= len(data):
            length, whole = struct.unpack_from("<II", data, offset + 8)
            frame = data[offset + 16:offset + 16 + length]
            offset += 16 + length
            if len(frame) == length:
                packet = self._parse(frame)
                if not packet or packet.interface == "lo":
                    continue
                if length < whole:
                    raise TestbedError(f"the capture kept only {length} of the {whole} octets of {packet}")
                yield packet

    def _parse(self, frame: bytes):
        ethertype, _, ifindex, _, kind = struct.unpack_from("!HHIHB", frame)
        network = frame[20:]
        if ethertype == 0x0800 and len(network) >= 20:
            total, protocol = struct.unpack_from("!H", network, 2)[0], network[9]
            source, destination = network[12:16], network[16:20]
            transport = network[(network[0] & 15) * 4:total]
        elif ethertype == 0x86DD and len(network) >= 40:
            total, protocol = struct.unpack_from("!HB", network, 4)
            source, destination = network[8:24], network[24:40]
            transport = network[40:40 + total]
        else:
            return None
        ports, payload = (0, 0), transport
        if protocol == UDP and len(transport) >= 8:
            ports, payload = struct.unpack_from("!HH", transport), transport[8:]
        elif protocol == TCP and len(transport) >= 20:
            ports, payload = struct.unpack_from("!HH", transport), transport[(transport[12] >> 4) * 4:]
        interface = self._names.get(ifindex, f"interface {ifindex}")
        return Packet(self.host.name, interface, source, destination, protocol, *ports, payload,
                      kind != OUTGOING)

    def _complaints(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")


class Evidence:
    """What several hosts saw together, and the questions that the tests ask of it."""

    def __init__(self, packets, inside):
        """inside(packet) tells whether an interface carries what only the enterprise may see."""
        self.packets = list(packets)
        self._inside = inside

    def outside(self) -> list:
        return [packet for packet in self.packets if not self._inside(packet)]

    def inside(self) -> list:
        return [packet for packet in self.packets if self._inside(packet)]

    def leaks(self, names, adns=()) -> list:
        """Where a name or an ADN could be read that must not be: anything outside the tunnel; inside it all but the
        ADN in the TLS handshake of the connection to a resolver."""
        found = _readable(self.outside(), list(names) + list(adns))
        tls, other = [], []
        for packet in self.inside():
            (tls if packet.protocol == TCP and {DOT, DOH} & {*packet.ports} else other).append(packet)
        return found + _readable(other, list(names) + list(adns)) + _readable(tls, names, ignoring=adns)

    def readable(self, names, packets=None) -> list:
        return _readable(self.packets if packets is None else packets, names)


def _readable(packets, names, ignoring=()) -> list:
    needles = [form for name in names for form in _forms(name)]
    masks = sorted((form for name in ignoring for form in _forms(name)), key=len, reverse=True)
    flows = defaultdict(list)
    for packet in packets:
        flows[packet.host, packet.interface, packet.source, packet.destination, packet.protocol,
              packet.ports].append(packet)
    found = []
    for flow in flows.values():
        if flow[0].protocol == TCP:
            pieces = [(b"".join(packet.payload for packet in flow), flow[0])]
        else:
            pieces = [(packet.payload, packet) for packet in flow]
        for data, packet in pieces:
            data = data.lower()
            for mask in masks:
                data = data.replace(mask, b"\0" * len(mask))
            if any(needle in data for needle in needles):
                found.append(packet)
    return found


def _forms(name: str) -> tuple:
    labels = name.lower().rstrip(".").encode().split(b".")
    return b".".join(labels), b"".join(bytes([len(label)]) + label for label in labels)
