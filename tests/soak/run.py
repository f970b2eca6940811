"""Boots a host with encdnsd and unbound and lets asker.py run in it, once per protocol."""

import json
from pathlib import Path

from testbed import roots
from testbed.build import Build
from testbed.host import Host
from testbed.util import SOURCE, say

HERE = Path(__file__).resolve().parent
PROTOCOLS = ("DoT", "DoH")


def run(release: str, queries: int, restarts: int, outstanding: int = 4096, protocols=PROTOCOLS) -> list:
    """What was wrong, a sentence each; empty: every query got one answer, and its own."""
    faults = []
    host = Host("soak", [Build(release).ensure(), roots.host_root(release).ensure()])
    try:
        host.start()
        host.wait_booted()
        host.write("/soak/asker.py", (HERE / "asker.py").read_text())
        host.write("/soak/peers.py", (SOURCE / "tests/bench/peers.py").read_text())
        for protocol in protocols:
            process = host.run("python3", "/soak/asker.py", protocol, queries, restarts, outstanding,
                               timeout=120 + queries / 1000)
            result = json.loads(process.stdout)
            say(f"{release}, {protocol}: " + ", ".join(
                f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}"
                for key, value in result.items()))
            faults += [f"{release}, {protocol}: {fault}" for fault in _faults(result, queries, restarts)]
    finally:
        host.stop()
    return faults


def _faults(result: dict, queries: int, restarts: int) -> list:
    faults = [f"{result[kind]} {kind}" for kind in ("lost", "twice", "foreign") if result[kind]]
    if result["good"] + result["servfail"] != queries:
        faults.append(f"{result['good']} and {result['servfail']} SERVFAIL are not {queries}")
    if result["good"] < queries // 4:
        faults.append(f"only {result['good']} good answers")
    if result["restarts"] != restarts:
        faults.append(f"the server was restarted {result['restarts']} times, not {restarts}")
    if not result["alive"]:
        faults.append("encdnsd has ended")
    return faults
