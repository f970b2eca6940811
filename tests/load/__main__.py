"""scripts/load: the whole of it; scripts/check runs a smaller one."""

import argparse
import sys

from testbed.host import remove_stale_cgroups
from testbed.util import RELEASES

from .run import run


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="load", description="Connects a crowd of laptops to two gateways, with the plugin and without, in turns.")
    parser.add_argument("--connects", type=int, default=1000, help="IKE_SAs with each in a round (default 1000)")
    parser.add_argument("--rounds", type=int, default=7, help="how often (default 7)")
    parser.add_argument("--release", choices=RELEASES, default="trixie", help="Debian release (default trixie)")
    options = parser.parse_args()
    remove_stale_cgroups()
    result = run(options.release, options.connects, options.rounds)
    faults = result.faults(judge_ratio=True)
    print("\n".join((*result.lines(), *faults)))
    print("failed" if faults else "as fast as without the plugin, small, and none lost")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
