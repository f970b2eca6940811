"""As much of strongSwan's vici protocol as it takes to load a pool with attributes of any bytes, which swanctl.conf
cannot express, and to have a thousand IKE_SAs without a process for each.
"""

import re
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


def initiate(host, connection: str) -> bool:
    """Has charon establish an IKE_SA of a connection, and waits for it."""
    return _SUCCESS in _exchange(host, "initiate", _named(KEY_VALUE, "ike") + _value(connection.encode()), 60)


def terminate(host, connection: str) -> None:
    """Has charon end all IKE_SAs of a connection."""
    _exchange(host, "terminate", _named(KEY_VALUE, "ike") + _value(connection.encode())
              + _named(KEY_VALUE, "timeout") + _value(b"-1"))


def stats(host) -> tuple:
    """How many IKE_SAs are established, and how many octets of memory are in use by malloc's own account."""
    reply = _exchange(host, "stats", b"")
    total, half_open, used = (int(re.search(section + rb".*?\x03" + bytes([len(key)]) + key + rb"..(\d+)", reply, re.S)[1])
                              for section, key in ((b"ikesas", b"total"), (b"ikesas", b"half-open"), (b"mallinfo", b"used")))
    return total - half_open, used


_SUCCESS = b"\x07success\x00\x03yes"


def _request(host, command: str, message: bytes) -> None:
    reply = _exchange(host, command, message)
    if _SUCCESS not in reply:
        raise TestbedError(f"{host.name}: vici {command}: {reply!r}")


def _exchange(host, command: str, message: bytes, timeout: float = 10) -> bytes:
    try:
        reply = _ask(host, command, message, timeout)
    except TimeoutError:
        raise TestbedError(f"{host.name}: vici {command}: no answer within {timeout:g} s") from None
    if reply[:1] != bytes([CMD_RESPONSE]):
        raise TestbedError(f"{host.name}: vici {command}: {reply!r}")
    return reply


def _ask(host, command: str, message: bytes, timeout: float) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        # Whoever has a timeout by now does not wait for a place in charon's short queue.
        connection.connect(f"/proc/{host.pid}/root/run/charon.vici")
        connection.settimeout(timeout)
        packet = _named(CMD_REQUEST, command) + message
        connection.sendall(struct.pack("!I", len(packet)) + packet)
        return _receive(connection, struct.unpack("!I", _receive(connection, 4))[0])


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
