"""scripts/soak: the whole of it; scripts/check runs a smaller one."""

import argparse
import sys

from testbed.host import remove_stale_cgroups
from testbed.util import RELEASES

from .run import PROTOCOLS, run


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="soak", description="Counts the answers of every query while the server behind encdnsd is restarted.")
    parser.add_argument("--queries", type=int, default=1_000_000, help="how many (default 1,000,000)")
    parser.add_argument("--restarts", type=int, default=10, help="of the server meanwhile (default 10)")
    parser.add_argument("--outstanding", type=int, default=4096, help="queries at a time (default 4096)")
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
