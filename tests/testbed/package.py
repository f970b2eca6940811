"""scripts/package: the Debian packages for each release, built against that release's strongSwan and looked at by
lintian."""

import argparse
import shutil
import sys
from pathlib import Path

from .build import Build
from .util import RELEASES, TestbedError, say


def main() -> int:
    parser = argparse.ArgumentParser(prog="package", description="Builds the Debian packages of strongswan-encdns.")
    parser.add_argument("--release", action="append", choices=RELEASES,
                        help="only for this Debian release (may be repeated)")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("packages"),
                        help="where to put them, in a folder for each release (default packages)")
    options = parser.parse_args()
    status = 0
    for release in options.release or RELEASES:
        try:
            build = Build(release)
            build.ensure()
            complaints = build.lintian()
            if complaints:
                say(f"lintian, {release}:\n{complaints}")
                status = 1
            target = options.folder / release
            target.mkdir(parents=True, exist_ok=True)
            for package in build.packages:
                print(shutil.copy(package, target))
        except (TestbedError, OSError) as error:
            print(f"package: {error}", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
