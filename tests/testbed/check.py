"""scripts/check: every test, on every release, and one line at the end that says how many passed."""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from faults.faults import FAULTS
from faults.run import run as run_faults
from faults.run import summary as summary_of_faults
from faults.steps import combinations
from load.run import run as run_load
from soak.run import run as run_soak

from . import machine
from .build import GCC, VARIANTS, Build, products
from .host import remove_stale_cgroups
from .sanitizers import SANITIZERS
from .util import RELEASES, SOURCE, STARTED, TestbedError, say

# Of each kind, valid and mutated, in every run; more: PYTHONPATH=tests python3 -m codec --count N.
RANDOM_ATTRIBUTES = 20000
# In every run, on one release: some 3 minutes on two quiet cores, for the virtual machine's processor is emulated.
IN_THE_MACHINE = "test_apparmor or test_kernel_esp and not doh and not wifi0"
MACHINE_SECONDS = 900
CROSS_PAIRS = (("forky", "bookworm"), ("bookworm", "forky"))
# The end-to-end tests that run with a sanitizer every time, on hosts of one release; about 4 minutes.
SANITIZED_RELEASE = "trixie"
SANITIZED_TESTS = {"address": ("-m", "not one_release", "-k", "not test_lifecycle"),
                   "thread": ("-k", "test_two_enterprises_at_once or test_rekeying or test_reauthentication")}

ENDS_OF_PYTEST = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)


class Tally:
    """What passed, failed and was skipped so far."""

    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []
        self.figures = []

    def failure(self, what: str) -> None:
        self.failed.append(what)
        say(f"FAILED: {what}")

    def figure(self, what: str) -> None:
        """A number that people want to see, told at the end."""
        self.figures.append(what)
        say(what)


def main() -> int:
    options = _options()
    tally = Tally()
    releases = options.release or list(RELEASES)
    pairs = [(release, release) for release in releases] + (list(CROSS_PAIRS) if not options.release else [])
    variants = (GCC,) if options.quick else VARIANTS
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    remove_stale_cgroups()
    _shell_scripts(tally)
    for release in releases:
        _unit_tests(tally, release, variants)
        _packages(tally, release)
    _conformance(tally)
    _random_attributes(tally, Build(releases[0], variants[-1]))
    if not options.quick and not options.unit:
        _distribution(tally, releases[0])
    if not options.unit:
        for release in releases if not options.tests else ():
            _soak(tally, release)
        if not options.tests:
            _load(tally, "trixie" if "trixie" in releases else releases[0])
        for laptop, gateway in pairs:
            if not _late(tally, options, f"end to end, {laptop} laptop, {gateway} gateway"):
                _end_to_end(tally, laptop, gateway, options.tests)
        if not options.tests and not options.quick and not _late(tally, options, "sanitizers"):
            _sanitizers(tally, releases, options.sanitizers)
        if not _late(tally, options, "the kernel's ESP"):
            _kernel_esp(tally, releases, options)
    if options.faults:
        for release in releases:
            _faults(tally, release)
    else:
        tally.skipped.append("the matrix of faults: it takes long; --faults, or scripts/faults")
    return _conclude(tally)


def _options():
    parser = argparse.ArgumentParser(prog="check", description="Runs every test of strongswan-encdns.")
    parser.add_argument("--release", action="append", choices=RELEASES,
                        help="only this Debian release (may be repeated)")
    parser.add_argument("--quick", action="store_true", help="build with gcc only, and without sanitizers")
    parser.add_argument("--faults", action="store_true", help="the matrix of faults as well, see scripts/faults")
    parser.add_argument("--sanitizers", action="store_true",
                        help="all end-to-end tests and the matrix of faults with sanitizers as well")
    parser.add_argument("--machine", action="store_true",
                        help="all tests for the kernel's ESP, in virtual machines with every release's kernel")
    parser.add_argument("--minutes", type=float, metavar="N",
                        help="begin no further end-to-end tests after so long; they are told as skipped")
    parser.add_argument("--unit", action="store_true", help="unit tests only")
    parser.add_argument("tests", nargs="*", metavar="-- PYTEST",
                        help="arguments for pytest, to choose end-to-end tests: -- -k split")
    return parser.parse_args()


def _late(tally: Tally, options, what: str) -> bool:
    """Whether it is too late to begin with something; then it is skipped."""
    if options.minutes is None or time.monotonic() - STARTED < 60 * options.minutes:
        return False
    tally.skipped.append(f"{what}: not begun within {options.minutes:g} minutes")
    return True


def _shell_scripts(tally: Tally) -> None:
    scripts = [path for folder in ("scripts", ".ci", "debian", "man", "tests/testbed", "tests/testbed/hooks")
               for path in sorted((SOURCE / folder).iterdir())
               if path.is_file() and path.open("rb").read(9) in (b"#!/bin/sh", b"#!/bin/ba")]
    done = subprocess.run(["shellcheck", *scripts], capture_output=True, text=True)
    if done.returncode:
        tally.failure(f"shellcheck:\n{done.stdout}")
    else:
        tally.passed += 1
        say(f"shellcheck: {len(scripts)} scripts, nothing to say")


def _unit_tests(tally: Tally, release: str, variants) -> None:
    for variant in variants:
        try:
            result = Build(release, variant).check()
        except TestbedError as error:
            tally.failure(str(error))
            continue
        tally.passed += result.passed
        for failure in result.failed:
            tally.failure(failure)
        say(f"unit tests, {release}, {variant.name}: {result.passed} passed, {len(result.failed)} failed")


def _conformance(tally: Tally) -> None:
    """Here too, for make check sees the end-to-end tests as they were when it was built."""
    done = subprocess.run([SOURCE / "tests/conformance.py"], capture_output=True, text=True)
    if done.returncode:
        tally.failure(f"conformance:\n{done.stdout}{done.stderr}")
    else:
        tally.passed += 1
        for line in done.stdout.splitlines():
            tally.figure(line)


def _random_attributes(tally: Tally, build: Build) -> None:
    try:
        command = build.command("client-helper/encdnsctl")
    except TestbedError as error:
        tally.failure(f"random attributes: {error}")
        return
    done = subprocess.run(["/usr/bin/python3", "-m", "codec", "--count", str(RANDOM_ATTRIBUTES), *command],
                          env={**os.environ, "PYTHONPATH": str(SOURCE / "tests")}, capture_output=True, text=True)
    if done.returncode:
        tally.failure(f"random attributes:\n{done.stdout}{done.stderr}")
        return
    tally.passed += 1
    for line in done.stdout.splitlines():
        say(line)


def _packages(tally: Tally, release: str) -> None:
    try:
        complaints = Build(release).lintian()
    except TestbedError as error:
        complaints = str(error)
    if complaints:
        tally.failure(f"lintian, {release}:\n{complaints}")
    else:
        tally.passed += 1
        say(f"lintian, {release}: nothing to say")


def _distribution(tally: Tally, release: str) -> None:
    try:
        Build(release).make("distcheck")
        tally.passed += 1
        say(f"make distcheck, {release}: fine")
    except TestbedError as error:
        tally.failure(str(error))


def _soak(tally: Tally, release: str) -> None:
    try:
        faults = run_soak(release, queries=50_000, restarts=2)
    except TestbedError as error:
        faults = [f"{release}: {error}"]
    for fault in faults:
        tally.failure(f"soak, {fault}")
    tally.passed += not faults


def _load(tally: Tally, release: str) -> None:
    """Whether any is lost, and the memory; the ratio is told, but judged by scripts/load, on a quiet machine."""
    try:
        result = run_load(release, connects=500, rounds=2)
    except TestbedError as error:
        tally.failure(f"load, {release}: {error}")
        return
    for line in result.lines():
        tally.figure(line)
    faults = result.faults(judge_ratio=False)
    for fault in faults:
        tally.failure(f"load, {fault}")
    tally.passed += not faults


def _sanitizers(tally: Tally, releases, everything: bool) -> None:
    if everything:
        for release in releases:
            for sanitizer in SANITIZERS:
                _end_to_end(tally, release, release, (), sanitizer)
                _faults(tally, release, sanitizer)
        return
    if SANITIZED_RELEASE in releases:
        for sanitizer, tests in SANITIZED_TESTS.items():
            _end_to_end(tally, SANITIZED_RELEASE, SANITIZED_RELEASE, tests, sanitizer)
    tally.skipped.append("sanitizers: other end-to-end tests, releases and the matrix of faults: they take long; --sanitizers")


def _faults(tally: Tally, release: str, sanitizer: str = None) -> None:
    try:
        outcomes = run_faults(release, combinations(FAULTS), sanitizer=sanitizer)
    except TestbedError as error:
        tally.failure(f"faults, {release}: {error}")
        return
    for outcome in outcomes:
        if outcome.fine:
            tally.passed += 1
        else:
            tally.failure(f"faults, {release}: {outcome.fault}, {outcome.step}: {outcome.leaked} leaked {outcome.problem}")
    say(summary_of_faults(release, outcomes, sanitizer))


def _end_to_end(tally: Tally, laptop: str, gateway: str, arguments, sanitizer: str = None) -> None:
    what = f"end to end, {laptop} laptop, {gateway} gateway" + (f", {sanitizer} sanitizer" if sanitizer else "")
    say(what)
    try:
        products({laptop, gateway}, sanitizer)
    except TestbedError as error:
        tally.failure(f"{what}: {error}")
        return
    with tempfile.TemporaryDirectory(prefix="encdns-check-") as folder:
        report = Path(folder) / "report.xml"
        status = _run_pytest(
            f"--junitxml={report}", f"--laptop-release={laptop}", f"--gateway-release={gateway}",
            *([f"--sanitizer={sanitizer}"] if sanitizer else []),
            *([] if laptop == gateway else ["-m", "not one_release"]), SOURCE / "tests/e2e", *arguments)
        if status not in ENDS_OF_PYTEST:
            tally.failure(f"{what}: pytest ended with status {status}")
        if not report.exists():
            return
        _read_report(tally, what, report)
    if laptop != gateway:
        tally.skipped.append(f"{what}: what concerns one release alone, and was run in its own pair")


def _kernel_esp(tally: Tally, releases, options) -> None:
    """On one release what no other kind of tunnel shows; the rest when asked for."""
    if options.machine:
        for release in releases:
            _in_machine(tally, release, options.tests)
        return
    one = "trixie" if "trixie" in releases else releases[0]
    rest = "all tests with the kernel's ESP on every release: they take long; --machine"
    if options.quick or options.tests:
        tally.skipped.append(rest)
        return
    tally.skipped.append(f"{rest}; of them {IN_THE_MACHINE} were run, on {one}")
    _in_machine(tally, one, ["-k", IN_THE_MACHINE])


def _in_machine(tally: Tally, release: str, arguments) -> None:
    what = f"the kernel's ESP, {release}"
    say(what)
    with tempfile.TemporaryDirectory(prefix="encdns-check-") as folder:
        report = Path(folder) / "report.xml"
        try:
            status = machine.run(release, arguments, report, MACHINE_SECONDS)
        except TestbedError as error:
            tally.failure(f"{what}: {error}")
            return
        if status not in ENDS_OF_PYTEST or not report.stat().st_size:
            tally.failure(f"{what}: pytest ended with status {status}")
        else:
            _read_report(tally, what, report)


def _run_pytest(*arguments) -> int:
    """Runs pytest to its end; where we are told to stop, so is it, and it takes its hosts down first."""
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", "/usr/bin/python3", "-m", "pytest", "-p", "no:cacheprovider", "-o", "junit_family=xunit1", "-v",
         "--tb=short", "--no-header", *arguments], cwd=SOURCE / "tests", stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(SOURCE / "tests")})
    try:
        return process.wait()
    except KeyboardInterrupt:
        # It has got the same Ctrl-C.
        process.wait()
        raise
    except SystemExit:
        process.terminate()
        process.wait()
        raise


def _read_report(tally: Tally, what: str, report: Path) -> None:
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{what}: {case.get('classname', '').rpartition('.')[2]}.{case.get('name')}"
        skipped = case.find("skipped")
        for figure in case.iter("property"):
            tally.figure(f"{what}: {figure.get('name')}: {figure.get('value')}")
        if case.find("failure") is not None or case.find("error") is not None:
            tally.failed.append(name)
        elif skipped is not None:
            tally.skipped.append(f"{name}: {skipped.get('message')}")
        else:
            tally.passed += 1


def _conclude(tally: Tally) -> int:
    for figure in tally.figures:
        print(figure)
    for failure in tally.failed:
        print(f"failed: {failure}")
    for skip in tally.skipped:
        print(f"skipped: {skip}")
    if not tally.passed and not tally.failed:
        tally.failed.append("nothing was tested")
    line = f"{tally.passed} passed, {len(tally.failed)} failed"
    print(line + (f", {len(tally.skipped)} skipped" if tally.skipped else ""))
    return 1 if tally.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        remove_stale_cgroups()
