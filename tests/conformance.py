#!/usr/bin/python3
"""Checks two tables, and a list, against the tests and the code.

conformance.md beside this file, what the standards ask of us: every row names at least one test, every test that is named
exists and is run, and no row is missing between the first and the last of its kind.

../doc/limits.md: every limit of the three headers has a row with its value, and likewise a test.

../conf/apparmor-strongswan-encdns: it lets the plugin call and hear what it calls and hears, and no more. No kernel of
Debian's would tell: they leave the bus to dbus-daemon alone.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROW = re.compile(r"^\| ([A-Z])(\d+) \|(.*)\|(.*)\|(.*)\|$", re.M)
TEST = re.compile(r"(?:(unit|e2e)/)((?:\w+/)?\w+)\.(c|py)::(\w+)$")
# The names that are limits, and not sizes of buffers that follow from them.
HEADERS = {"client-helper/bounds.h": r"LIMIT_\w+", "wire/bounds.h": r"\w+_MAX", "plugin/encdns_bounds.h": r"\w+_MAX"}
LIMIT = re.compile(r"^\| `(\w+)` \| ([^|]+) \|[^|]+\| ([^|]+) \|$", re.M)
UNITS = {"": 1, "KiB": 1024, "MiB": 1024 ** 2, "ms": 1_000, "s": 1_000_000}


def main() -> int:
    return max(check_conformance(), check_limits(), check_apparmor())


def check_conformance() -> int:
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
    tell("conformance.md", mistakes)
    print(f"conformance: {len(rows)} rows, {named} tests named, {open_rows or 'none'} open")
    return 1 if mistakes or open_rows or not rows else 0


def check_limits() -> int:
    named, limits = 0, {}
    for header, names in HEADERS.items():
        limits |= values((HERE.parent / header).read_text(), names)
    rows = {name: (value, re.findall(r"`([^`]+)`", tests))
            for name, value, tests in LIMIT.findall((HERE.parent / "doc/limits.md").read_text())}
    mistakes = [f"{name} has no row" for name in limits.keys() - rows.keys()]
    mistakes += [f"{name} is in no header" for name in rows.keys() - limits.keys()]
    for name in limits.keys() & rows.keys():
        value, tests = rows[name]
        named += len(tests)
        if amount(value) != limits[name]:
            mistakes.append(f"{name} is {limits[name]}, not {value}")
        mistakes += [f"{name}: {why}" for why in map(fault, tests) if why]
        if not tests:
            mistakes.append(f"{name} has no test")
    tell("doc/limits.md", sorted(mistakes))
    print("limits: " + ", ".join(f"{name} {value}" for name, (value, _) in rows.items()))
    print(f"limits: {len(limits)}, {named} tests named, {len(mistakes) or 'none'} wrong or without one")
    return 1 if mistakes or not limits else 0


def check_apparmor() -> int:
    code = "".join(path.read_text() for path in sorted((HERE.parent / "plugin").glob("*.c")))
    profile = (HERE.parent / "conf/apparmor-strongswan-encdns").read_text()
    mistakes = []
    for direction, members in (("send", r'prepare\(this(?:->helper)?, "(\w+)"'), ("receive", r'HELPER_INTERFACE, "(\w+)"')):
        used = set(re.findall(members, code))
        rule = re.search(rf"^dbus {direction}\n(?:\t.*\n)*?\tinterface=org\.strongswan\S*\n\tmember={{?([\w,]+)}}?,$", profile, re.M)
        allowed = set(rule[1].split(",")) if rule else set()
        mistakes += [f"{direction}: {member}" for member in sorted(used ^ allowed)] if used else [f"{direction}: none found"]
    tell("conf/apparmor-strongswan-encdns", mistakes)
    return 1 if mistakes else 0


def values(header: str, names: str) -> dict:
    """The limits that a header defines, in whichever of C's two ways."""
    code = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
    found = {}
    for name, value in re.findall(rf"^(?:#define\s+|\t)({names})\s+(?:=\s*)?([^,\n\\]+)", code, re.M):
        found[name] = eval(value.replace("(uint64_t)", ""), {"__builtins__": {}}, found)
    return found


def amount(text: str):
    match = re.fullmatch(r"([\d.,]+) ?(\w*)", text.strip())
    return float(match[1].replace(",", "")) * UNITS.get(match[2], 0) if match else None


def tell(table: str, mistakes: list) -> None:
    for mistake in mistakes:
        print(f"{table}: {mistake}", file=sys.stderr)


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
