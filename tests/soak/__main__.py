"""scripts/soak: boots a host with encdnsd and unbound and lets asker.py run in it. Also part of scripts/check."""

import argparse
import json
import sys
from pathlib import Path

from testbed import roots
from testbed.build import Build
from testbed.host import Host, remove_stale_cgroups
from testbed.util import RELEASES, SOURCE, say

HERE = Path(__file__).resolve().parent
PROTOCOLS = ("DoT", "DoH")


def run(release: str, queries: int, restarts: int, outstanding: int = 400, protocols=PROTOCOLS) -> list:
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


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="soak", description="Counts the answers of every query while the server behind encdnsd is restarted.")
    parser.add_argument("--queries", type=int, default=1_000_000, help="how many (default 1,000,000)")
    parser.add_argument("--restarts", type=int, default=10, help="of the server meanwhile (default 10)")
    parser.add_argument("--outstanding", type=int, default=400, help="queries at a time (default 400)")
    parser.add_argument("--release", choices=RELEASES, default="trixie", help="Debian release (default trixie)")
    parser.add_argument("--protocol", action="append", choices=PROTOCOLS, help="only this one")
    options = parser.parse_args()
    remove_stale_cgroups()
    faults = run(options.release, options.queries, options.restarts, options.outstanding,
                 options.protocol or PROTOCOLS)
    for fault in faults:
        print(fault)
    print("failed" if faults else "every query got one answer, and its own")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
