"""As much of strongSwan's vici protocol as it takes to load a pool with attributes of any bytes, which swanctl.conf
cannot express.
"""

import socket
import struct

from .util import TestbedError

CMD_REQUEST, CMD_RESPONSE = 0, 1
SECTION_START, SECTION_END, KEY_VALUE, LIST_START, LIST_ITEM, LIST_END = range(1, 7)


def load_pool(host, name: str, addresses: str, attributes) -> None:
    """Loads a pool that hands out attributes, (type, value) in this order, values as bytes."""
    message = _named(SECTION_START, name) + _named(KEY_VALUE, "addrs") + _value(addresses.encode())
    for kind, value in attributes:
        message += _named(LIST_START, str(kind)) + bytes([LIST_ITEM]) + _value(value) + bytes([LIST_END])
    _request(host, "load-pool", message + bytes([SECTION_END]))


def unload_pool(host, name: str) -> None:
    _request(host, "unload-pool", _named(KEY_VALUE, "name") + _value(name.encode()))


def _request(host, command: str, message: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(f"/proc/{host.pid}/root/run/charon.vici")
        packet = _named(CMD_REQUEST, command) + message
        connection.sendall(struct.pack("!I", len(packet)) + packet)
        reply = _receive(connection, struct.unpack("!I", _receive(connection, 4))[0])
    if reply[:1] != bytes([CMD_RESPONSE]) or b"\x07success\x00\x03yes" not in reply:
        raise TestbedError(f"{host.name}: vici {command}: {reply!r}")


def _receive(connection, length: int) -> bytes:
    data = b""
    while len(data) < length:
        piece = connection.recv(length - len(data))
        if not piece:
            raise TestbedError("charon closed its vici socket")
        data += piece
    return data


def _named(kind: int, name: str) -> bytes:
    return bytes([kind, len(name)]) + name.encode()


def _value(value: bytes) -> bytes:
    return struct.pack("!H", len(value)) + value
