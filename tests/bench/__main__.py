"""scripts/bench: boots a host that has all the forwarders, lets measure.py run in it, and prints what came out."""

import argparse
import json
import statistics
import sys
from pathlib import Path

from testbed import roots
from testbed.build import Build
from testbed.host import Host, remove_stale_cgroups
from testbed.util import HERE as TESTBED
from testbed.util import say

HERE = Path(__file__).resolve().parent
RELEASE = "trixie"  # the first Debian that has all the peers
PACKAGES = """
    systemd systemd-sysv dbus iproute2 openssl python3 ca-certificates dnsperf
    libnghttp2-14 libjson-c5 libpsl5t64 libidn2-0 libssl3t64
    unbound stubby dnsdist dnss dnscrypt-proxy
""".split()

# Row title, path into a round's result, unit, and whether less is better.
FIGURES = (
    ("100 outstanding: queries per second", ("load100", "qps"), "q/s", False),
    ("100 outstanding: CPU per query", ("load100", "cpu_us"), "us", True),
    ("100 outstanding: lost", ("load100", "lost"), "", True),
    ("10 outstanding: queries per second", ("load10", "qps"), "q/s", False),
    ("10 outstanding: CPU per query", ("load10", "cpu_us"), "us", True),
    ("10 outstanding: lost", ("load10", "lost"), "", True),
    ("200 q/s: median latency", ("paced", "median_us"), "us", True),
    ("200 q/s: added to direct", ("paced", "added_us"), "us", True),
    ("200 q/s: 99th percentile", ("paced", "p99_us"), "us", True),
    ("RSS, idle", ("rss_idle_kib",), "KiB", True),
    ("RSS, after the load", ("load10", "rss_kib"), "KiB", True),
    ("start to first answer", ("first_answer_s",), "s", True),
    ("answer after a server restart", ("after_restart_s",), "s", True),
)


def main() -> int:
    options = _options()
    remove_stale_cgroups()
    root = roots.Root("bench", RELEASE, tuple(PACKAGES), TESTBED / "hooks" / "bench-root")
    layers = [Build(RELEASE).ensure(), root.ensure()]
    host = Host("bench", layers)
    try:
        host.start()
        host.wait_booted()
        for module in ("peers.py", "measure.py"):
            host.write(f"/bench/{module}", (HERE / module).read_text())
        say(f"measuring {' and '.join(options.protocol)}: {options.rounds} rounds, {options.seconds} s each")
        process = host.run("python3", "/bench/measure.py", options.rounds, options.seconds, *options.protocol,
                           timeout=options.rounds * len(options.protocol) * (60 + 25 * options.seconds))
    finally:
        host.stop()
    results = json.loads(process.stdout)
    for protocol, entry in results.items():
        _summarise(entry)
        _print(protocol, entry)
    Path(options.json).write_text(json.dumps(results, indent=1) + "\n")
    say(f"all rounds are in {options.json}")
    return 0


def _options():
    parser = argparse.ArgumentParser(prog="bench", description="Measures the forwarder beside its peers.")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured (default 3)")
    parser.add_argument("--seconds", type=int, default=5, help="length of one measurement (default 5)")
    parser.add_argument("--protocol", action="append", choices=("DoT", "DoH"), help="only this one")
    parser.add_argument("--json", default="bench.json", help="where all figures go (default bench.json)")
    options = parser.parse_args()
    options.protocol = options.protocol or ["DoT", "DoH"]
    return options


def _summarise(entry: dict) -> None:
    """Adds the medians over the rounds, and the latency that each forwarder adds to asking the upstream directly."""
    for index, direct in enumerate(entry["direct_latency"]):
        for rounds in entry["peers"].values():
            paced = rounds[index].get("paced") if rounds else None
            if paced and paced["median_us"] is not None:
                paced["added_us"] = paced["median_us"] - direct["median_us"]
    entry["medians"] = {
        name: {title: _median(rounds, path) for title, path, _, _ in FIGURES}
        for name, rounds in entry["peers"].items() if rounds}
    entry["direct_qps"] = statistics.median(item["qps"] for item in entry["direct"])


def _median(rounds: list, path: tuple):
    values = []
    for value in rounds:
        for key in path:
            value = (value or {}).get(key)
        values.append(value)
    # A figure that one round could not have is no figure.
    return None if None in values else statistics.median(values)


def _print(protocol: str, entry: dict) -> None:
    names = list(entry["medians"])
    print(f"\n{protocol}: medians; dnsperf straight to the upstream: {entry['direct_qps']:,.0f} q/s")
    if entry["missing"]:
        print(f"not installed, not measured: {', '.join(entry['missing'])}")
    print(f"{'':38}" + "".join(f"{name:>15}" for name in names) + f"{'to the best':>13}")
    for title, _, unit, less in FIGURES:
        row = [entry["medians"][name][title] for name in names]
        cells = "".join(f"{'failed' if value is None else _number(value):>15}" for value in row)
        print(f"{title + (f', {unit}' if unit else ''):38}{cells}{_ratio(names, row, less):>13}")


def _ratio(names: list, row: list, less: bool) -> str:
    """Ours to the best peer's."""
    others = [value for name, value in zip(names, row) if name != "encdnsd" and value is not None]
    if "encdnsd" not in names or not others:
        return ""
    ours, best = row[names.index("encdnsd")], min(others) if less else max(others)
    return f"{ours / best:.2f}" if ours is not None and best else ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
