"""Runs the measurements inside the bench host and prints them as JSON; scripts/bench makes the table.

measure.py ROUNDS SECONDS PROTOCOL...
"""

import json
import re
import socket
import ssl
import statistics
import struct
import subprocess
import sys
import time
from pathlib import Path

import peers

NAMES = peers.WORK / "names"
N_NAMES = 2_000_000
RATE = 200  # queries per second of the latency measurement
QUERY_TIMEOUT = 5


def write_names() -> None:
    with open(NAMES, "w") as file:
        for i in range(N_NAMES):
            file.write(f"n{i:07d}.{peers.ZONE} A\n")


def query(identity: int, name: str) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", identity, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", 1, 1)


def answered(port: int, timeout: float) -> bool:
    """Does the forwarder answer one query with an address?"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(timeout)
        asker.connect(("127.0.0.1", port))
        try:
            asker.send(query(1, f"probe{time.monotonic_ns()}.{peers.ZONE}"))
            answer = asker.recv(4096)
        except OSError:
            return False
    return len(answer) > 12 and answer[3] & 15 == 0 and answer[7] > 0


def until_answered(port: int, since: float, limit: float = 30) -> float:
    """Seconds since a moment until the first answer, or None."""
    while time.monotonic() - since < limit:
        if answered(port, 0.25):
            return time.monotonic() - since
        time.sleep(0.002)
    return None


def dnsperf(port: int, *options: str, mode: str = "udp") -> str:
    command = ["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-m", mode, "-d", str(NAMES), "-t", str(QUERY_TIMEOUT),
               *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=300).stdout


def number(text: str, label: str) -> float:
    found = re.search(rf"{label}:\s+([0-9.]+)", text)
    return float(found.group(1)) if found else 0.0


def closed_loop(peer, outstanding: int, seconds: int) -> dict:
    cpu = peer.cpu_seconds()
    text = dnsperf(peer.port, "-q", str(outstanding), "-c", "1", "-l", str(seconds))
    cpu = peer.cpu_seconds() - cpu
    completed = number(text, "Queries completed")
    codes = re.search(r"NOERROR (\d+)", text)
    good = int(codes.group(1)) if codes else 0
    return {
        "qps": number(text, "Queries per second"),
        "cpu_us": cpu / completed * 1e6 if completed else None,
        "lost": int(number(text, "Queries lost")),
        "failed": int(completed) - good,
        "rss_kib": peer.rss_kib(),
    }


def latencies(text: str) -> dict:
    values = sorted(float(found) for found in re.findall(r"^> \S+ \S+ \S+ ([0-9.]+)$", text, re.M))
    if not values:
        return {"median_us": None, "p99_us": None}
    return {"median_us": statistics.median(values) * 1e6, "p99_us": values[int(len(values) * 0.99)] * 1e6}


def paced(peer, seconds: int) -> dict:
    return latencies(dnsperf(peer.port, "-v", "-Q", str(RATE), "-q", "100", "-c", "1", "-l", str(seconds)))


def direct_latency(seconds: int) -> dict:
    """One query at a time over one DoT connection to the upstream, with TCP_NODELAY, at the same rate."""
    context = ssl.create_default_context(cafile=str(peers.CA))
    raw = socket.create_connection(("127.0.0.1", peers.DOT_PORT))
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    values = []
    with context.wrap_socket(raw, server_hostname=peers.ADN) as connection:
        for i in range(seconds * RATE):
            message = query(i & 0xffff, f"d{i}.{peers.ZONE}")
            started = time.perf_counter()
            connection.send(struct.pack("!H", len(message)) + message)
            connection.recv(4096)
            spent = time.perf_counter() - started
            values.append(spent)
            time.sleep(max(0.0, 1 / RATE - spent))
    values.sort()
    return {"median_us": statistics.median(values) * 1e6, "p99_us": values[int(len(values) * 0.99)] * 1e6}


def direct(protocol: str, seconds: int) -> dict:
    """dnsperf straight to the upstream: what no forwarder can be faster than."""
    mode, port = ("tls", peers.DOT_PORT) if protocol == "DoT" else ("doh", peers.DOH_PORT)
    options = ["-O", f"doh-uri=https://localhost{peers.DOHPATH}"] if mode == "doh" else []
    text = dnsperf(port, "-q", "100", "-c", "1", "-l", str(seconds), *options, mode=mode)
    return {"qps": number(text, "Queries per second"), "lost": int(number(text, "Queries lost"))}


def start_to_first_answer(peer) -> float:
    started = time.monotonic()
    peer.start()
    return until_answered(peer.port, started)


def after_restart(peer, upstream) -> float:
    """The upstream goes away under a connection in use and comes back: seconds until the next answer after that."""
    answered(peer.port, 2)
    upstream.stop()
    answered(peer.port, 0.25)
    upstream.start()
    wait_upstream()
    return until_answered(peer.port, time.monotonic())


def wait_upstream() -> None:
    if until_answered(5300, time.monotonic()) is None:
        sys.exit(f"the upstream does not answer: {(peers.WORK / 'upstream-both.log').read_text()}")


def measure(peer, upstream, seconds: int) -> dict:
    """One round of everything for one forwarder. A figure that could not be had is None, never left out."""
    result = {"first_answer_s": start_to_first_answer(peer)}
    if result["first_answer_s"] is None:
        peer.stop()
        return result
    result["rss_idle_kib"] = peer.rss_kib()
    result["load100"] = closed_loop(peer, 100, seconds)
    result["load10"] = closed_loop(peer, 10, seconds)
    result["paced"] = paced(peer, seconds)
    result["after_restart_s"] = after_restart(peer, upstream)
    peer.stop()
    return result


def main() -> None:
    rounds, seconds, protocols = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    peers.make_certificates()
    write_names()
    with open("/etc/hosts", "a") as hosts:
        hosts.write(f"127.0.0.1 {peers.ADN}\n")
    upstream = peers.upstream()
    upstream.start()
    wait_upstream()
    results = {}
    for protocol in protocols:
        forwarders = peers.forwarders(protocol)
        missing = [peer.name for peer in forwarders if not peer.installed]
        entry = results[protocol] = {"missing": missing, "direct": [], "direct_latency": [],
                                     "peers": {peer.name: [] for peer in forwarders}}
        # Rounds on the outside: the machine's moods hit all peers alike.
        for _ in range(rounds):
            entry["direct"].append(direct(protocol, seconds))
            entry["direct_latency"].append(direct_latency(seconds))
            for peer in forwarders:
                if peer.installed:
                    print(f"{protocol} {peer.name}", file=sys.stderr, flush=True)
                    entry["peers"][peer.name].append(measure(peer, upstream, seconds))
    upstream.stop()
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
