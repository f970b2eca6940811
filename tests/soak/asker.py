"""Runs inside the soak's host: asks encdnsd, restarts the server behind it meanwhile, and counts the answers of every
single query. Prints what came of it as JSON.

asker.py PROTOCOL QUERIES RESTARTS OUTSTANDING
"""

import collections
import json
import re
import select
import signal
import socket
import struct
import sys
import threading
import time
from pathlib import Path

import peers

SOCKETS = 16
ZONES = 250  # each with an address of its own, so that an answer tells which name it is for
PATIENCE = 6  # seconds; the forwarder promises an answer within 5
DOWN = 0.3  # seconds that the server is away
REST = 0.02  # seconds until what got SERVFAIL is replaced by the next, else an outage would eat up all queries
SO_RCVBUFFORCE = 33


class Asker:
    """Keeps a number of queries outstanding until enough were asked."""

    def __init__(self, port: int, queries: int, outstanding: int):
        self._queries = queries
        self._outstanding = outstanding
        self._suffixes = [b"".join(_label(word) for word in f"z{i}.{peers.ZONE}".split(".")) + b"\0\0\1\0\1"
                          for i in range(ZONES)]
        self._sockets = {}
        self._epoll = select.epoll()
        for _ in range(SOCKETS):
            asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            # What is lost here would be counted as the forwarder's.
            asker.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
            asker.connect(("127.0.0.1", port))
            self._sockets[asker.fileno()] = asker
            self._epoll.register(asker, select.EPOLLIN)
        self._order = list(self._sockets)
        self._pending = {}  # (descriptor, id) to (number, time), in the order of asking
        self._resting = collections.deque()  # until when
        self._last = {}  # (descriptor, id) to the number that had it last
        self.asked = self.good = self.servfail = self.lost = self.twice = self.foreign = 0
        self.longest = 0.0

    def run(self) -> None:
        while self.asked < self._queries or self._pending:
            now = time.monotonic()
            while self._resting and self._resting[0] < now:
                self._resting.popleft()
            while self.asked < self._queries and len(self._pending) + len(self._resting) < self._outstanding:
                self._ask()
            for descriptor, _ in self._epoll.poll(REST):
                self._read(descriptor)
            self._give_up()
        # Late ones and second ones.
        end = time.monotonic() + 2
        while time.monotonic() < end:
            for descriptor, _ in self._epoll.poll(0.1):
                self._read(descriptor)

    def _question(self, number: int) -> bytes:
        return b"\x08n%07d" % number + self._suffixes[number % ZONES]

    def _ask(self) -> None:
        number = self.asked
        descriptor = self._order[number % SOCKETS]
        key = descriptor, number // SOCKETS & 0xffff
        self._sockets[descriptor].send(struct.pack("!6H", key[1], 0x0100, 1, 0, 0, 0) + self._question(number))
        self._pending[key] = number, time.monotonic()
        self._last[key] = number
        self.asked += 1

    def _read(self, descriptor: int) -> None:
        receive = self._sockets[descriptor].recv
        now = time.monotonic()
        try:
            while True:
                self._take(descriptor, receive(65535), now)
        except BlockingIOError:
            pass

    def _take(self, descriptor: int, answer: bytes, now: float) -> None:
        key = descriptor, answer[0] << 8 | answer[1]
        number, asked = self._pending.pop(key, (None, now))
        if number is None:
            self.twice += 1
            number = self._last.get(key, -1)
        question = self._question(number)
        rcode = answer[3] & 15
        mine = answer[12:12 + len(question)] == question
        if rcode == 0:
            mine = mine and answer[-4:] == _address(number)
        if not mine or rcode not in (0, 2):
            self.foreign += 1
        elif rcode == 0:
            self.good += 1
        else:
            self.servfail += 1
            self._resting.append(now + REST)
        self.longest = max(self.longest, now - asked)

    def _give_up(self) -> None:
        limit = time.monotonic() - PATIENCE
        while self._pending:
            key = next(iter(self._pending))
            if self._pending[key][1] > limit:
                break
            del self._pending[key]
            self.lost += 1


class Restarts(threading.Thread):
    """Restarts the server, in turns by asking it to end and by killing it, spread evenly over the queries."""

    def __init__(self, upstream, asker: Asker, queries: int, count: int):
        super().__init__(daemon=True)
        self._upstream = upstream
        self._asker = asker
        self._marks = [queries * (i + 1) // (count + 1) for i in range(count)]
        self.done = 0

    def run(self) -> None:
        for mark in self._marks:
            good = self._asker.good
            while self._asker.asked < mark or self._asker.good == good:
                time.sleep(0.005)
            if self.done % 2:
                self._upstream.process.send_signal(signal.SIGKILL)
            self._upstream.stop()
            time.sleep(DOWN)
            self._upstream.start()
            self.done += 1


def _label(word: str) -> bytes:
    return bytes([len(word)]) + word.encode()


def _address(number: int) -> bytes:
    return bytes([10, 20, 1, number % ZONES])


def upstream():
    """The benchmark's unbound, with a zone for every address."""
    server = peers.upstream()
    lines = ["server:"]
    for i in range(ZONES):
        address = ".".join(str(octet) for octet in _address(i))
        lines += [f"    local-zone: z{i}.{peers.ZONE} redirect", f'    local-data: "z{i}.{peers.ZONE} 60 IN A {address}"']
    server.files["upstream.conf"] += "\n".join(lines) + "\n"
    return server


def dropped(port: int) -> int:
    """Datagrams that the kernel had no room for in the forwarder's socket."""
    line = re.search(rf"^ *\d+: \w+:{port:04X} .* (\d+) *$", Path("/proc/net/udp").read_text(), re.M)
    return int(line.group(1)) if line else -1


def wait_answered(forwarder) -> None:
    """Until the first good answer; a forwarder that ends says why in its log."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(0.2)
        asker.connect(("127.0.0.1", forwarder.port))
        for _ in range(100):
            try:
                asker.send(struct.pack("!6H", 1, 0x0100, 1, 0, 0, 0) + b"".join(
                    _label(word) for word in f"first.{peers.ZONE}".split(".")) + b"\0\0\1\0\1")
                if asker.recv(65535)[3] & 15 == 0:
                    return
            except OSError:
                pass
            time.sleep(0.1)
    sys.exit(f"{' '.join(forwarder.command)}: no answer\n" +
             "".join(log.read_text(errors="replace") for log in peers.WORK.glob("*.log")))


def main() -> None:
    protocol, queries, restarts, outstanding = sys.argv[1], *(int(word) for word in sys.argv[2:])
    peers.make_certificates()
    server, forwarder = upstream(), peers.forwarders(protocol)[0]
    server.start()
    forwarder.start()
    wait_answered(forwarder)
    asker = Asker(forwarder.port, queries, outstanding)
    thread = Restarts(server, asker, queries, restarts)
    thread.start()
    began = time.monotonic()
    asker.run()
    seconds = time.monotonic() - began - 2
    json.dump({
        "asked": asker.asked, "good": asker.good, "servfail": asker.servfail, "lost": asker.lost,
        "twice": asker.twice, "foreign": asker.foreign, "longest_s": asker.longest, "seconds": seconds,
        "restarts": thread.done, "dropped_by_kernel": dropped(forwarder.port), "rss_kib": forwarder.rss_kib(),
        "alive": forwarder.process.poll() is None}, sys.stdout)
    forwarder.stop()
    thread.join(10)
    server.stop()


if __name__ == "__main__":
    main()
