"""scripts/faults: the matrix, or what is chosen of it."""

import argparse
import signal
import sys

from testbed.host import remove_stale_cgroups
from testbed.sanitizers import SANITIZERS
from testbed.util import RELEASES

from .faults import FAULTS
from .run import run, summary
from .steps import STEPS, combinations


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    remove_stale_cgroups()
    chosen = [(fault, step) for fault, step in combinations(FAULTS)
              if (not options.fault or fault.name in options.fault) and (not options.step or step.name in options.step)]
    if not chosen:
        print("there is no such combination", file=sys.stderr)
        return 2
    failed = 0
    for release in options.release or ["trixie"]:
        outcomes = run(release, chosen, options.lanes, options.verbose, options.sanitizer)
        bad = [outcome for outcome in outcomes if not outcome.fine]
        failed += len(bad)
        print(summary(release, outcomes, options.sanitizer))
    return 1 if failed else 0


def _options():
    parser = argparse.ArgumentParser(
        prog="faults", description="Breaks something at each step of a connection, and counts what leaks.")
    parser.add_argument("--release", action="append", choices=RELEASES, help="may be repeated; default: trixie")
    parser.add_argument("--fault", action="append", choices=[fault.name for fault in FAULTS], help="only this one")
    parser.add_argument("--step", action="append", choices=[step.name for step in STEPS], help="only this one")
    parser.add_argument("--lanes", type=int, default=2,
                        help="networks side by side (default: 2; a machine runs out of inotify instances at about 15 hosts)")
    parser.add_argument("--sanitizer", choices=list(SANITIZERS), help="on hosts that are built with it")
    parser.add_argument("--verbose", action="store_true", help="tell what the daemons said where something fails")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        remove_stale_cgroups()
