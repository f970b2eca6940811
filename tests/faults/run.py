"""Runs combinations on several networks side by side, and prints a line for each."""

import multiprocessing
import signal
import sys
import traceback

from testbed import swanctl
from testbed.build import products
from testbed.network import Network
from testbed.util import TestbedError, say

from .steps import IMPATIENT, Outcome, Run

LINE = "{:22} {:11} {:>6} {:>8} {:>13} {:>6}  {}"


def run(release: str, chosen, lanes: int = 2, verbose: bool = False, sanitizer: str = None) -> list:
    """Runs the chosen combinations; the outcomes, in the order in which they came."""
    build = products([release], sanitizer)
    work, results = multiprocessing.Queue(), multiprocessing.Queue()
    lanes = min(lanes, len(chosen))
    for index in range(len(chosen)):
        work.put(index)
    for _ in range(lanes):
        work.put(None)
    say(f"faults, {_what(release, sanitizer)}: {len(chosen)} combinations on {lanes} networks")
    workers = [multiprocessing.Process(target=_lane, args=(release, build, chosen, work, results, verbose, sanitizer))
               for _ in range(lanes)]
    for worker in workers:
        worker.start()
    print(LINE.format("fault", "step", "asked", "answered", "failed closed", "leaked", "afterwards"), flush=True)
    outcomes = []
    try:
        while len(outcomes) < len(chosen):
            outcomes.append(results.get())
            _show(outcomes[-1])
    finally:
        for worker in workers:
            worker.terminate() if len(outcomes) < len(chosen) else None
            worker.join()
    return outcomes


def _lane(release, build, chosen, work, results, verbose, sanitizer) -> None:
    """One network, on which combinations run one after the other. After one that failed it is booted anew."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    index = work.get()
    while index is not None:
        try:
            with Network(release, release, build, report=lambda _: None, sanitizer=sanitizer) as net:
                _impatient(net)
                while index is not None:
                    outcome = Run(net, *chosen[index])()
                    if not outcome.fine and verbose:
                        _explain(net)
                    results.put(outcome)
                    index = work.get()
                    if not outcome.fine:
                        break
        except TestbedError as error:
            if index is not None:
                results.put(_never_ran(chosen[index], str(error)))
                index = work.get()
        except Exception:
            if index is not None:
                results.put(_never_ran(chosen[index], traceback.format_exc()))
                index = work.get()


def _impatient(net) -> None:
    plan = net.corp.plan
    net.laptop.host.write("/etc/strongswan.d/zz-faults.conf", IMPATIENT)
    net.corp.gateway.write("/etc/strongswan.d/zz-faults.conf", IMPATIENT)
    net.corp.configure(swanctl.gateway(plan, encrypted_dns=swanctl.handing_out(plan)))


def _never_ran(combination, problem: str) -> Outcome:
    fault, step = combination
    return Outcome(fault.name, step.name, problem=problem)


def _show(outcome: Outcome) -> None:
    after = f"{outcome.after} after {outcome.seconds:.1f} s" if outcome.after else "wrong"
    print(LINE.format(outcome.fault, outcome.step, outcome.asked, outcome.answered, outcome.failed, outcome.leaked,
                      after if outcome.fine else f"{after}: FAILED"), flush=True)
    for line in [] if outcome.fine else outcome.problem.splitlines() + outcome.evidence:
        print(f"    {line}", flush=True)


def _explain(net) -> None:
    host = net.laptop.host
    for command in (["encdnsctl", "status"], ["ip", "-br", "link"], ["resolvectl", "status", "--no-pager"],
                    ["journalctl", "-q", "-o", "short-precise", "-n", "150", "-u", "encdnsd", "-u", "strongswan",
                     "-u", "systemd-resolved", "-u", "dbus", "-u", "polkit"]):
        done = host.run(*command, check=False)
        said = [line for line in (done.stdout + done.stderr).splitlines() if "failed to load" not in line]
        print(f"--- {' '.join(command)}\n" + "\n".join(said), file=sys.stderr, flush=True)


def _what(release: str, sanitizer: str) -> str:
    return f"{release}, {sanitizer} sanitizer" if sanitizer else release


def summary(release: str, outcomes, sanitizer: str = None) -> str:
    total = {name: sum(getattr(outcome, name) for outcome in outcomes)
             for name in ("asked", "answered", "failed", "leaked")}
    bad = sum(not outcome.fine for outcome in outcomes)
    return (f"faults, {_what(release, sanitizer)}: {len(outcomes)} combinations, {bad} failed; {total['asked']} asked, "
            f"{total['answered']} answered, {total['failed']} failed closed, {total['leaked']} leaked")
