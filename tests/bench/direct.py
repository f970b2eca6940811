"""Asks the upstream without a forwarder, one query at a time over one TLS connection: the round trip that each forwarder
adds its own part to. dnsperf 2.10 reads answers over TLS only with its next query, so its latencies are no use here.
"""

import socket
import ssl
import struct
import time

import peers


def query(identity: int, name: str) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", identity, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", 1, 1)


def over_dot(rate: int, seconds: int) -> list:
    """The seconds that each round trip took."""
    with _connect(peers.DOT_PORT, "dot") as connection:
        def ask(i: int) -> None:
            message = query(i & 0xffff, f"d{i}.{peers.ZONE}")
            connection.send(struct.pack("!H", len(message)) + message)
            connection.recv(4096)

        return _paced(ask, rate, seconds)


def over_doh(rate: int, seconds: int) -> list:
    with _connect(peers.DOH_PORT, "h2") as connection:
        frames = _Frames(connection)
        frames.begin()

        def ask(i: int) -> None:
            frames.request(2 * i + 1, query(0, f"d{i}.{peers.ZONE}"))

        return _paced(ask, rate, seconds)


ROUND_TRIPS = {"DoT": over_dot, "DoH": over_doh}


def _connect(port: int, alpn: str) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(peers.CA))
    context.set_alpn_protocols([alpn])
    raw = socket.create_connection(("127.0.0.1", port))
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(raw, server_hostname=peers.ADN)


def _paced(ask, rate: int, seconds: int) -> list:
    spent = []
    for i in range(seconds * rate):
        started = time.perf_counter()
        ask(i)
        spent.append(time.perf_counter() - started)
        time.sleep(max(0.0, 1 / rate - spent[-1]))
    return spent


class _Frames:
    """As much of HTTP/2 (RFC 9113) as one request at a time takes; fields are literals (RFC 7541 section 6.2.2)."""

    DATA, HEADERS, SETTINGS, WINDOW_UPDATE = 0, 1, 4, 8
    END_STREAM, ACK, END_HEADERS = 1, 1, 4

    def __init__(self, connection):
        self._connection = connection
        self._read = b""

    def begin(self) -> None:
        window = struct.pack("!L", 2**30)
        self._connection.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self._frame(self.SETTINGS, 0, 0)
                              + self._frame(self.SETTINGS, self.ACK, 0) + self._frame(self.WINDOW_UPDATE, 0, 0, window))

    def request(self, stream: int, body: bytes) -> None:
        fields = b"\x83\x87"  # :method POST, :scheme https
        for name, value in ((b"\x01", peers.ADN), (b"\x04", peers.DOHPATH), (b"\x0f\x10", "application/dns-message"),
                            (b"\x0f\x04", "application/dns-message"), (b"\x0f\x0d", str(len(body)))):
            fields += name + bytes([len(value)]) + value.encode()
        self._connection.send(self._frame(self.HEADERS, self.END_HEADERS, stream, fields)
                              + self._frame(self.DATA, self.END_STREAM, stream, body))
        while True:
            kind, flags, answered = self._next()
            if answered == stream and kind in (self.DATA, self.HEADERS) and flags & self.END_STREAM:
                return

    @staticmethod
    def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
        return struct.pack("!L", len(payload))[1:] + struct.pack("!BBL", kind, flags, stream) + payload

    def _next(self) -> tuple:
        self._fill(9)
        length = int.from_bytes(self._read[:3], "big")
        self._fill(9 + length)
        kind, flags, stream = struct.unpack("!BBL", self._read[3:9])
        self._read = self._read[9 + length:]
        return kind, flags, stream

    def _fill(self, length: int) -> None:
        while len(self._read) < length:
            received = self._connection.recv(65536)
            if not received:
                raise ConnectionError("the upstream has closed the connection")
            self._read += received
