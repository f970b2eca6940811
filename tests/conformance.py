#!/usr/bin/python3
"""Checks the table of what the standards ask of us, conformance.md beside this file: every row names at least one test,
every test that is named exists and is run, and no row is missing between the first and the last of its kind."""

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROW = re.compile(r"^\| ([A-Z])(\d+) \|(.*)\|(.*)\|(.*)\|$", re.M)
TEST = re.compile(r"(?:(unit|e2e)/)((?:\w+/)?\w+)\.(c|py)::(\w+)$")


def main() -> int:
    table = (HERE / "conformance.md").read_text()
    rows = [(kind, int(number), tests) for kind, number, _, _, tests in ROW.findall(table)]
    mistakes = [mistake for kind in sorted({kind for kind, _, _ in rows})
                for mistake in gaps(kind, [number for other, number, _ in rows if other == kind])]
    named = open_rows = 0
    for kind, number, tests in rows:
        names = re.findall(r"`([^`]+)`", tests)
        named += len(names)
        open_rows += not names
        mistakes += [f"{kind}{number}: {why}" for why in map(fault, names) if why]
    for mistake in mistakes:
        print(f"conformance.md: {mistake}", file=sys.stderr)
    print(f"conformance: {len(rows)} rows, {named} tests named, {open_rows or 'none'} open")
    return 1 if mistakes or open_rows or not rows else 0


def gaps(kind: str, numbers: list):
    """What is wrong with the numbering of one kind of row."""
    for number in range(1, max(numbers) + 1):
        count = numbers.count(number)
        if count != 1:
            yield f"{kind}{number} is there {count} times"


def fault(name: str):
    """Why there is no such test, or None."""
    match = TEST.match(name)
    if not match:
        return f"{name} is not written as unit/FOLDER/FILE.c::FUNCTION or e2e/FILE.py::FUNCTION"
    path = HERE / name.partition("::")[0]
    function = match[4]
    if not path.is_file():
        return f"there is no {name.partition('::')[0]}"
    text = path.read_text()
    if path.suffix == ".py":
        return None if re.search(rf"^def {function}\(", text, re.M) else f"there is no {name}"
    if not re.search(rf"^static void {function}\(void \*\*", text, re.M):
        return f"there is no {name}"
    if not re.search(rf"cmocka_unit_test\w*\(\s*{function}\b", text):
        return f"{name} is in no list of tests to run"
    makefile = (path.parent / "Makefile.am").read_text()
    return None if re.search(rf"^\t{path.stem}( \\)?$", makefile, re.M) else f"{path.stem} is not run by make check"


if __name__ == "__main__":
    sys.exit(main())
