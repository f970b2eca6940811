"""Runs on the laptop: asks systemd-resolved for names that nobody has asked for before, at an even pace, and prints
what came of each: "NAME RESULT", RESULT being an address, a code ("SERVFAIL"), "refused" or "silent".

Prints "asking" when it begins. Stops asking when its standard input ends, prints "stopped", and goes when the last
answer is in.
"""

import select
import socket
import struct
import sys
import time

RESOLVED = ("127.0.0.53", 53)
PATIENCE = 6.0
CODES = {0: "empty", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}


def question(number: int, name: str) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", number & 0xFFFF, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", 1, 1)


def result(answer: bytes) -> str:
    """The address of an answer with one record, else what its header says."""
    flags, _, records = struct.unpack_from("!3H", answer, 2)
    if flags & 15 == 0 and records:
        return socket.inet_ntoa(answer[-4:] if not struct.unpack_from("!H", answer, 10)[0] else answer[-15:-11])
    return CODES.get(flags & 15, f"code {flags & 15}")


def main(domain: str, pause: float) -> None:
    waiting, number, due, asking = {}, 0, time.monotonic(), True
    poll = select.poll()
    poll.register(0, select.POLLIN | select.POLLHUP)
    print("asking", flush=True)
    while asking or waiting:
        now = time.monotonic()
        if asking and now >= due:
            due = max(due + pause, now)
            number += 1
            name = f"n{number}.{domain}"
            asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            asker.connect(RESOLVED)
            poll.register(asker, select.POLLIN)
            waiting[asker.fileno()] = asker, name, now + PATIENCE
            try:
                asker.send(question(number, name))
            except OSError:
                pass  # the error comes again from recv()
        for fd in [fd for fd, (_, _, end) in waiting.items() if end <= now]:
            asker, name, _ = waiting.pop(fd)
            print(name, "silent", flush=True)
            poll.unregister(fd)
            asker.close()
        for fd, _ in poll.poll(max(0, min(pause, due - time.monotonic()) if asking else pause) * 1000):
            if fd == 0:
                asking = False
                print("stopped", flush=True)
                poll.unregister(0)
                continue
            asker, name, _ = waiting.pop(fd)
            try:
                print(name, result(asker.recv(4096)), flush=True)
            except OSError:
                print(name, "refused", flush=True)
            poll.unregister(fd)
            asker.close()


main(sys.argv[1], float(sys.argv[2]))
