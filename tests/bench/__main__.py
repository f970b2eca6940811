"""scripts/bench: boots a host that has all the forwarders, lets measure.py run in it, and prints what came out."""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from testbed import roots
from testbed.build import Build
from testbed.host import Host, remove_stale_cgroups
from testbed.util import HERE as TESTBED
from testbed.util import TestbedError, say

HERE = Path(__file__).resolve().parent
OURS = "encdnsd"
RELEASE = "trixie"  # the first Debian that has all the peers
PACKAGES = """
    systemd systemd-sysv dbus iproute2 openssl python3 ca-certificates dnsperf
    libnghttp2-14 libjson-c5 libpsl5t64 libidn2-0 libssl3t64
    unbound stubby dnsdist dnss dnscrypt-proxy
""".split()

# Row title, path into a turn's result, unit, and whether less is better.
FIGURES = (
    ("100 outstanding: queries per second", ("load100", "qps"), "q/s", False),
    ("100 outstanding: CPU per query", ("load100", "cpu_us"), "us", True),
    ("100 outstanding: lost", ("load100", "lost"), "", True),
    ("10 outstanding: queries per second", ("load10", "qps"), "q/s", False),
    ("10 outstanding: CPU per query", ("load10", "cpu_us"), "us", True),
    ("10 outstanding: lost", ("load10", "lost"), "", True),
    ("200 q/s: median latency", ("median_us",), "us", True),
    ("200 q/s: 99th percentile", ("p99_us",), "us", True),
    ("200 q/s: median added to direct", ("added_us",), "us", True),
    ("start to first answer", ("first_answer_s",), "s", True),
    ("answer after a server restart", ("after_restart_s",), "s", True),
    ("RSS, idle", ("rss_idle_kib",), "KiB", True),
    ("RSS, after the load", ("load10", "rss_kib"), "KiB", True),
)
MOMENTS = {("first_answer_s",), ("after_restart_s",)}  # measured one by one
LATENCY = {("median_us",), ("p99_us",), ("added_us",)}  # measured with all of them up
DIRECT = {("load100", "qps"), ("load10", "qps"), ("load100", "lost"), ("load10", "lost"), ("median_us",), ("p99_us",)}

# What encdnsd's figure must be to the best peer's: at least, where more is better, else at most.
RATIOS = {
    "DoT": {("load100", "qps"): 1.3, ("load10", "qps"): 1.3, ("load100", "cpu_us"): 0.65, ("load10", "cpu_us"): 0.65,
            ("added_us",): 0.65, ("first_answer_s",): 1.0, ("after_restart_s",): 1.0},
    "DoH": {("load100", "qps"): 1.4, ("load10", "qps"): 1.4, ("load100", "cpu_us"): 0.6, ("load10", "cpu_us"): 0.6,
            ("added_us",): 0.5, ("first_answer_s",): 1.0, ("after_restart_s",): 1.0},
}
IDLE_KIB, LOADED_KIB, GROWTH_KIB = 8 * 1024, 16 * 1024, 256


def main() -> int:
    options = _options()
    machine = _machine()
    remove_stale_cgroups()
    root = roots.Root("bench", RELEASE, tuple(PACKAGES), TESTBED / "hooks" / "bench-root")
    layers = [Build(RELEASE).ensure(), root.ensure()]
    host = Host("bench", layers)
    try:
        host.start()
        host.wait_booted()
        for module in ("peers.py", "askers.py", "measure.py"):
            host.write(f"/bench/{module}", (HERE / module).read_text())
        say(f"measuring {' and '.join(options.protocol)}: {options.seconds} s for each figure")
        output = _measure(host, options)
    finally:
        host.stop()
    results = json.loads(output)
    for protocol, entry in results.items():
        _summarise(protocol, entry)
        _print(protocol, entry)
    print(f"\nmeasured with {machine['cpus']} CPUs, load {machine['load_before']:.1f} before the start")
    Path(options.json).write_text(json.dumps({"machine": machine, "protocols": results}, indent=1) + "\n")
    say(f"all turns are in {options.json}")
    return 0


def _measure(host, options) -> str:
    """What measure.py prints; its progress goes to stderr. The limit is for a program that hangs, not for a slow one."""
    limit = len(options.protocol) * (1800 + 60 * options.seconds)
    process = host.popen("python3", "/bench/measure.py", options.seconds, *options.protocol, stdout=subprocess.PIPE,
                         text=True)
    output, _ = process.communicate(timeout=limit)
    if process.returncode:
        raise TestbedError(f"measuring failed with exit status {process.returncode}")
    return output


def _options():
    parser = argparse.ArgumentParser(prog="bench", description="Measures the forwarder beside its peers.")
    parser.add_argument("--seconds", type=int, default=15, help="for how long each figure is measured (default 15)")
    parser.add_argument("--protocol", action="append", choices=("DoT", "DoH"), help="only this one")
    parser.add_argument("--json", default="bench.json", help="where all figures go (default bench.json)")
    options = parser.parse_args()
    options.protocol = options.protocol or ["DoT", "DoH"]
    return options


def _machine() -> dict:
    """What the figures depend on beside the programs."""
    return {
        "cpus": os.cpu_count(),
        "kernel": os.uname().release,
        "load_before": os.getloadavg()[0],
        "tcp_congestion_control": Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip(),
    }


def _summarise(protocol: str, entry: dict) -> None:
    """Adds the medians over the turns and the verdicts."""
    entry["medians"] = {name: {title: _median(_turns(entry, name, path), path) for title, path, _, _ in FIGURES}
                        for name in entry["peers"]}
    entry["direct_medians"] = {title: _median(_turns(entry, "direct", path), path) for title, path, _, _ in FIGURES
                               if path in DIRECT}
    entry["ratios"] = {title: _ratio(entry["medians"], title, less) for title, _, _, less in FIGURES}
    entry["verdicts"] = [*_ratio_verdicts(protocol, entry), *_absolute_verdicts(entry)]


def _turns(entry: dict, name: str, path: tuple) -> list:
    """Where a figure of a forwarder, or of asking directly, is found."""
    if path in LATENCY:
        return [entry["latency"][name]]
    if name == "direct":
        return entry["direct"]
    return entry["moments" if path in MOMENTS else "peers"][name]


def _median(turns: list, path: tuple):
    values = []
    for value in turns:
        for key in path:
            value = (value or {}).get(key)
        values.append(value)
    # A figure that one turn could not have is no figure.
    return None if None in values else statistics.median(values)


def _ratio(medians: dict, title: str, less: bool):
    """Ours to the best peer's, and which peer that is; None: one of them has no figure."""
    others = {name: figures[title] for name, figures in medians.items() if name != OURS and figures[title] is not None}
    ours = medians.get(OURS, {}).get(title)
    if ours is None or not others:
        return None
    best = (min if less else max)(others, key=others.get)
    return {"ratio": ours / others[best], "best": best} if others[best] else None


def _verdict(what: str, holds: bool, found: str) -> dict:
    return {"what": what, "holds": holds, "found": found}


def _ratio_verdicts(protocol: str, entry: dict) -> list:
    verdicts = []
    for title, path, _, less in FIGURES:
        if path not in RATIOS[protocol]:
            continue
        target, found = RATIOS[protocol][path], entry["ratios"][title]
        what = f"{title}: {'at most' if less else 'at least'} {target:g} times the best peer's"
        if found is None:
            verdicts.append(_verdict(what, False, "not measured"))
            continue
        holds = found["ratio"] <= target if less else found["ratio"] >= target
        verdicts.append(_verdict(what, holds, f"{found['ratio']:.2f} times {found['best']}'s"))
    return verdicts


def _absolute_verdicts(entry: dict) -> list:
    lost = sum(each[load]["lost"] + each[load]["failed"] if load in each else 1
               for each in entry["peers"][OURS] for load in ("load100", "load10"))
    memory = entry["memory"]
    first, second = memory["after_kib"]
    return [
        _verdict("no query lost or failed with 100 and with 10 outstanding", lost == 0, f"{lost}"),
        _verdict("RSS idle: at most 8 MiB", memory["idle_kib"] <= IDLE_KIB, f"{memory['idle_kib'] / 1024:.1f} MiB"),
        _verdict("RSS after a million queries, 4,096 in flight: at most 16 MiB", first <= LOADED_KIB,
                 f"{first / 1024:.1f} MiB"),
        _verdict("RSS flat over the second million", second - first <= GROWTH_KIB, f"{second - first:+,} KiB"),
    ]


def _print(protocol: str, entry: dict) -> None:
    names = list(entry["medians"])
    print(f"\n{protocol}: medians")
    if entry["missing"]:
        print(f"not installed, not measured: {', '.join(entry['missing'])}")
    print(f"{'':40}" + "".join(f"{name:>15}" for name in ("direct", *names)) + f"{'ours/best':>13}")
    for title, _, unit, _ in FIGURES:
        row = [entry["medians"][name][title] for name in names]
        direct = entry["direct_medians"]
        cells = f"{_number(direct[title]) if title in direct else '':>15}"
        cells += "".join(f"{_number(value):>15}" for value in row)
        found = entry["ratios"][title]
        ratio = f"{found['ratio']:.2f}" if found else ""
        print(f"{title + (f', {unit}' if unit else ''):40}{cells}{ratio:>13}".rstrip())
    print()
    for verdict in entry["verdicts"]:
        print(f"{'holds' if verdict['holds'] else 'FAILS':7}{verdict['what']}: {verdict['found']}")


def _number(value) -> str:
    if value is None:
        return "failed"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
