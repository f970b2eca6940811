"""Asks one query at a time, a forwarder over UDP or the upstream itself over one TLS connection: the round trip that each
forwarder adds its own part to. dnsperf 2.10 reads answers over TLS only with its next query, so its latencies are no use
here.
"""

import socket
import ssl
import struct
import time

import peers

RATE = 200  # queries per second
TIMEOUT = 5


def query(identity: int, name: str) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", identity, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", 1, 1)


def round_trips(asker, first: int, count: int) -> list:
    """The seconds that each of so many queries took, RATE of them per second."""
    spent = []
    for i in range(first, first + count):
        started = time.perf_counter()
        asker.ask(i)
        spent.append(time.perf_counter() - started)
        time.sleep(max(0.0, 1 / RATE - spent[-1]))
    return spent


class _Asker:
    """Has a connection, as long as a with statement lasts."""

    def __init__(self, connection):
        self._connection = connection

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.close()


class OverUDP(_Asker):
    """Asks a forwarder."""

    def __init__(self, port: int):
        super().__init__(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self._connection.settimeout(TIMEOUT)
        self._connection.connect(("127.0.0.1", port))

    def ask(self, i: int) -> None:
        identity = i & 0xffff
        self._connection.send(query(identity, f"u{i}.{peers.ZONE}"))
        # What comes late, of an earlier one, is not the answer.
        while int.from_bytes(self._connection.recv(4096)[:2], "big") != identity:
            pass


class _OverTLS(_Asker):
    """Asks the upstream."""

    port = alpn = None

    def __init__(self):
        context = ssl.create_default_context(cafile=str(peers.CA))
        context.set_alpn_protocols([self.alpn])
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(context.wrap_socket(raw, server_hostname=peers.ADN))


class OverDoT(_OverTLS):
    port, alpn = peers.DOT_PORT, "dot"

    def ask(self, i: int) -> None:
        message = query(i & 0xffff, f"d{i}.{peers.ZONE}")
        self._connection.send(struct.pack("!H", len(message)) + message)
        self._connection.recv(4096)


class OverDoH(_OverTLS):
    port, alpn = peers.DOH_PORT, "h2"

    def __init__(self):
        super().__init__()
        self._frames = _Frames(self._connection)
        self._frames.begin()

    def ask(self, i: int) -> None:
        self._frames.request(2 * i + 1, query(0, f"d{i}.{peers.ZONE}"))


DIRECT = {"DoT": OverDoT, "DoH": OverDoH}


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
