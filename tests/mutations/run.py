#!/usr/bin/python3
"""Takes behaviours out of the code, one by one, and sees whether the tests notice.

    tests/mutations/run.py [--only TEXT] [CONFIGURE-OPTION...]

Each .patch here begins with the rows of ../conformance.md that it breaks and the test that has to fail for it. It is
applied to a copy of the source, what changed is built, and that test's program is run. The options are configure's, as
for any other build (--with-strongswan-headers=DIR).
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
# Seconds that a program may take: what loops for ever shows nothing.
PATIENCE = 300


class Trouble(Exception):
    """Something other than a mutation that was caught or survived; the text says what."""


@dataclass
class Mutation:
    path: Path
    rows: str
    folder: str
    program: str
    function: str

    @staticmethod
    def read(path: Path) -> "Mutation":
        match = re.match(r"Row: (.+)\nTest: unit/(\w+)/(\w+)\.c::(\w+)\n\n--- a/", path.read_text())
        if not match:
            raise Trouble(f"{path.name} does not begin with Row: and Test: unit/FOLDER/FILE.c::FUNCTION")
        return Mutation(path, *match.groups())


class Copy:
    """The source, copied, configured and built out of tree."""

    def __init__(self, folder: Path, options: list):
        self.source, self.out = folder / "source", folder / "out"
        self.out.mkdir()
        listed = subprocess.run(["git", "-c", "safe.directory=*", "-C", SOURCE, "ls-files", "-z", "--cached", "--others",
                                 "--exclude-standard"], check=True, capture_output=True).stdout
        for name in filter(None, listed.decode().split("\0")):
            if (SOURCE / name).is_file():
                target = self.source / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes((SOURCE / name).read_bytes())
                target.chmod((SOURCE / name).stat().st_mode)
        self._must(["autoreconf", "-fi"], self.source)
        self._must([self.source / "configure", "-q", *options, "CFLAGS=-O0 -g"], self.out)
        self._must(["make", "-s", f"-j{os.cpu_count()}"], self.out)

    def build(self) -> bool:
        """What has changed, libraries and all."""
        return all(subprocess.run(["make", "-s", f"-j{os.cpu_count()}", "-C", self.out / folder], capture_output=True,
                                  stdin=subprocess.DEVNULL).returncode == 0
                   for folder in ("wire", "plugin", "client-helper"))

    def fails(self, mutation: Mutation) -> bool:
        """Runs the program; does the function fail, or the program end within it?"""
        folder = self.out / "tests/unit" / mutation.folder
        log = folder / f"{mutation.program}.log"
        log.unlink(missing_ok=True)
        done = subprocess.run(["timeout", str(PATIENCE), "make", "-s", "-C", folder, "check", f"TESTS={mutation.program}",
                               f"check_PROGRAMS={mutation.program}"], capture_output=True, stdin=subprocess.DEVNULL)
        if done.returncode == 124:
            raise Trouble(f"{mutation.program} does not end")
        said = log.read_text(errors="replace") if log.exists() else ""
        function = re.escape(mutation.function)
        if not re.search(rf"^\[ RUN +\] {function}$", said, re.M):
            raise Trouble(f"{mutation.program} did not get to {mutation.function}:\n{said[-2000:]}")
        return not re.search(rf"^\[ +OK \] {function}$", said, re.M)

    @staticmethod
    def _must(command: list, folder: Path) -> None:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise Trouble(f"{command[0]} failed:\n{(done.stdout + done.stderr)[-3000:]}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Sees whether the tests notice what is taken out of the code.")
    parser.add_argument("--only", default="", metavar="TEXT", help="only mutations with that in their name")
    options, configure = parser.parse_known_args()
    wanted = [path for path in sorted(HERE.glob("*.patch")) if options.only in path.name]
    with tempfile.TemporaryDirectory(prefix="encdns-mutations-") as folder:
        try:
            return try_all([Mutation.read(path) for path in wanted], Copy(Path(folder), configure))
        except Trouble as trouble:
            print(f"mutations: {trouble}", file=sys.stderr)
            return 1


def try_all(mutations: list, copy: Copy) -> int:
    for first in {(mutation.folder, mutation.program, mutation.function): mutation for mutation in mutations}.values():
        if copy.fails(first):
            raise Trouble(f"{first.program}: {first.function} fails without any mutation")
    results = []
    for mutation in mutations:
        results.append(try_one(mutation, copy))
        print(f"{results[-1]:<16} {mutation.rows:<4} {mutation.path.stem}", flush=True)
    rows = {row for mutation in mutations for row in mutation.rows.split()}
    caught = results.count("caught")
    print(f"mutations: {len(results)} of {len(rows)} rows, {caught} caught, {len(results) - caught} not")
    return 0 if results and caught == len(results) else 1


def try_one(mutation: Mutation, copy: Copy) -> str:
    touched = [copy.source / name for name in re.findall(r"^\+\+\+ b/(.+)$", mutation.path.read_text(), re.M)]
    before = [path.read_bytes() for path in touched]
    try:
        applied = subprocess.run(["patch", "-p1", "-s", "-f", "-r-", "--no-backup-if-mismatch", "-i", mutation.path],
                                 cwd=copy.source, capture_output=True, stdin=subprocess.DEVNULL)
        if applied.returncode:
            return "DOES NOT APPLY"
        if not copy.build():
            return "DOES NOT BUILD"
        return "caught" if copy.fails(mutation) else "SURVIVED"
    except Trouble as trouble:
        return f"TROUBLE: {trouble}"
    finally:
        for path, content in zip(touched, before):
            path.write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
