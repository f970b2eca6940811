"""Runs the measurements inside the bench host and prints them as JSON; scripts/bench makes the table.

measure.py SECONDS PROTOCOL...

All forwarders are up at the same time and take turns, so short that the machine has one mood for all of them.
"""

import contextlib
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

import askers
import peers

NAMES = peers.WORK / "names"
N_NAMES = 1_000_000  # more than any forwarder is asked in one measurement
TURN = 50  # queries of the latency measurement, until the next is asked; the load changes by the second
QUERY_TIMEOUT = 5
STARTS = 30  # starts and restarts of each: a few milliseconds each, of which the scheduler has its share
SETTLE = 1.5  # seconds after the first answer until a program counts as idle
OUTSTANDING = (100, 10)
IN_FLIGHT = 4096
IN_FLIGHT_PER_ASKER = 256  # so many answers fit an asker's receive buffer


def write_names() -> None:
    with open(NAMES, "w") as file:
        for i in range(N_NAMES):
            file.write(f"n{i:07d}.{peers.ZONE} A\n")


def answered(port: int, timeout: float) -> bool:
    """Does the forwarder answer one query with an address?"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(timeout)
        asker.connect(("127.0.0.1", port))
        try:
            asker.send(askers.query(1, f"probe{time.monotonic_ns()}.{peers.ZONE}"))
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


def generator_alone() -> None:
    """One CPU for dnsperf, whose threads do not interrupt each other there.

    dnsperf wakes its sending thread before it counts what it has received. Interrupted in between, it takes all queries
    for outstanding and waits for 100 ms, unless further answers come meanwhile: with few outstanding, a forwarder that
    answers all of them at once would be measured by these pauses.
    """
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def dnsperf(port: int, *options: str, mode: str = "udp", outstanding: int, clients: int = 1) -> str:
    command = ["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-m", mode, "-d", str(NAMES), "-t", str(QUERY_TIMEOUT),
               "-q", str(outstanding), "-c", str(clients), *options]
    if mode == "doh":
        command += ["-O", f"doh-uri=https://localhost{peers.DOHPATH}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=300,
                          preexec_fn=generator_alone if outstanding <= 10 else None).stdout


def number(text: str, label: str) -> float:
    found = re.search(rf"{label}:\s+([0-9.]+)", text)
    return float(found.group(1)) if found else 0.0


@contextlib.contextmanager
def all_up(forwarders: list):
    """Has all of them running and connected. Yields those that answer."""
    try:
        yield [peer for peer in forwarders if start_to_first_answer(peer) is not None]
    finally:
        for peer in forwarders:
            peer.stop()


def closed_loop(port: int, outstanding: int, mode: str = "udp") -> dict:
    text = dnsperf(port, "-l", "1", mode=mode, outstanding=outstanding)
    completed = int(number(text, "Queries completed"))
    codes = re.search(r"NOERROR (\d+)", text)
    return {
        "qps": number(text, "Queries per second"),
        "lost": int(number(text, "Queries lost")),
        "completed": completed,
        "failed": completed - (int(codes.group(1)) if codes else 0),
    }


def through(peer, outstanding: int) -> dict:
    cpu = peer.cpu_seconds()
    result = closed_loop(peer.port, outstanding)
    cpu = peer.cpu_seconds() - cpu
    return {
        **result,
        "cpu_us": cpu / result["completed"] * 1e6 if result["completed"] else None,
        "rss_kib": peer.rss_kib(),
    }


def loads(protocol: str, forwarders: list, seconds: int) -> tuple:
    """The turns of the upstream without a forwarder, which is what none can be better than, and those of each forwarder.
    One that does not answer has one without figures."""
    mode, port = ("tls", peers.DOT_PORT) if protocol == "DoT" else ("doh", peers.DOH_PORT)
    direct, turns = [], {peer.name: [] for peer in forwarders}
    with all_up(forwarders) as up:
        time.sleep(SETTLE)
        idle = {peer.name: peer.rss_kib() for peer in up}
        for _ in range(seconds):
            direct.append({f"load{n}": closed_loop(port, n, mode) for n in OUTSTANDING})
            for peer in up:
                loaded = {f"load{n}": through(peer, n) for n in OUTSTANDING}
                turns[peer.name].append({"rss_idle_kib": idle[peer.name], **loaded})
    return direct, {name: its or [{}] for name, its in turns.items()}


def latency(protocol: str, forwarders: list, seconds: int) -> dict:
    """The upstream is asked directly and through each forwarder; what a forwarder adds is told by turns that followed
    each other. Of one that fails to answer there is nothing."""
    spent = {name: [] for name in ("direct", *(peer.name for peer in forwarders))}
    with all_up(forwarders) as up, contextlib.ExitStack() as stack:
        who = {"direct": stack.enter_context(askers.DIRECT[protocol]())}
        who.update((peer.name, stack.enter_context(askers.OverUDP(peer.port))) for peer in up)
        for first in range(0, seconds * askers.RATE, TURN):
            for name in list(who):
                try:
                    spent[name].append(askers.round_trips(who[name], first, TURN))
                except OSError as error:
                    tell(f"{name}: {error}")
                    del who[name]
    return {name: _latency(turns, spent["direct"]) if name in who else {} for name, turns in spent.items()}


def _latency(turns: list, direct: list) -> dict:
    every = sorted(sum(turns, []))
    added = [statistics.median(through) - statistics.median(straight) for through, straight in zip(turns, direct)]
    return {"median_us": statistics.median(every) * 1e6, "p99_us": every[len(every) * 99 // 100] * 1e6,
            "added_us": statistics.median(added) * 1e6}


def memory(peer) -> dict:
    """RSS before, after one and after two million queries with as many in flight as encdnsd takes."""
    peer.start()
    until_answered(peer.port, time.monotonic())
    time.sleep(SETTLE)
    result = {"idle_kib": peer.rss_kib(), "after_kib": [], "lost": 0}
    clients = IN_FLIGHT // IN_FLIGHT_PER_ASKER
    for _ in range(2):
        text = dnsperf(peer.port, "-n", "1", outstanding=IN_FLIGHT, clients=clients)
        result["after_kib"].append(peer.rss_kib())
        result["lost"] += int(number(text, "Queries lost"))
    peer.stop()
    return result


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


def moments(peer, upstream) -> dict:
    """The short ones, measured often. A figure that could not be had is None, never left out."""
    result = {"first_answer_s": start_to_first_answer(peer)}
    if result["first_answer_s"] is not None:
        result["after_restart_s"] = after_restart(peer, upstream)
    peer.stop()
    return result


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    seconds, protocols = int(sys.argv[1]), sys.argv[2:]
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
        forwarders = [peer for peer in forwarders if peer.installed]
        entry = results[protocol] = {"missing": missing, "moments": {peer.name: [] for peer in forwarders}}
        tell(f"{protocol}: load")
        entry["direct"], entry["peers"] = loads(protocol, forwarders, seconds)
        tell(f"{protocol}: latency")
        entry["latency"] = latency(protocol, forwarders, seconds)
        tell(f"{protocol}: {STARTS} starts of each, and restarts of the upstream")
        for index in range(STARTS):
            # Who comes after whom matters: a program that has just ended is still being cleared away.
            first = index % len(forwarders)
            for peer in forwarders[first:] + forwarders[:first]:
                entry["moments"][peer.name].append(moments(peer, upstream))
        tell(f"{protocol}: two million queries for encdnsd's memory")
        entry["memory"] = memory(forwarders[0])
    upstream.stop()
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
