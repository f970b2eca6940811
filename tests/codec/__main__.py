"""Has encdnsctl and the second codec agree: on random valid attributes, and on what becomes of them when octets change.

    python3 -m codec [--count N] [--seed S] COMMAND...

COMMAND is what runs encdnsctl, which is called with decode and encode behind it. Of each kind N attributes are tried.
"""

import argparse
import ipaddress
import json
import random
import subprocess
import sys
import time

from . import rules
from .generate import mutated, valid

BATCH = 20000
SHOWN = 10


class Disagreement(Exception):
    """encdnsctl did not do what it has to; the text says what."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="codec", description="Compares encdnsctl decode and encode with a codec of its own.")
    parser.add_argument("--count", type=int, default=20000, help="attributes of each kind (default 20000)")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32, help="of the random numbers (default: the clock)")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what runs encdnsctl")
    options = parser.parse_args()
    if not options.command:
        parser.error("no COMMAND that runs encdnsctl")
    print(f"codec: seed {options.seed}", flush=True)
    dice = random.Random(options.seed)
    try:
        for kind, make, check in (("valid", valid, check_valid), ("mutated", mutated, check_mutated)):
            tally = {}
            for start in range(0, options.count, BATCH):
                attributes = [make(dice) for _ in range(min(BATCH, options.count - start))]
                check(options.command, attributes, tally)
            counts = ", ".join(f"{number} {what}" for what, number in sorted(tally.items()))
            print(f"codec: {options.count} {kind} attributes: {counts}", flush=True)
    except Disagreement as disagreement:
        print(f"codec: with seed {options.seed}: {disagreement}", file=sys.stderr)
        return 1
    return 0


def check_valid(command, attributes, tally) -> None:
    """They decode to what was encoded; and encoded again, those that have one form only are the same octets."""
    complaints, again = [], []
    for attribute, said in zip(attributes, decode(command, attributes)):
        if said != attribute.meaning:
            complaints.append(f"{attribute.line}\n  means     {attribute.meaning}\n  encdnsctl {said}")
        elif has_one_form(attribute):
            again.append((attribute, json.dumps({"message": attribute.message, **said})))
    complain(complaints)
    count(tally, "decoded to the same", len(attributes))
    written = run(command, "encode", [line for _, line in again])
    complain([f"{attribute.line}\n  encdnsctl encodes {line}" for (attribute, _), line in zip(again, written)
              if line != attribute.value.hex()])
    count(tally, "encoded to the same", len(again))


def check_mutated(command, attributes, tally) -> None:
    """They are refused, or decode to what the second decoder says."""
    complaints = []
    for attribute, said in zip(attributes, decode(command, attributes)):
        try:
            expected = rules.decode(attribute.kind, attribute.message, attribute.value)
        except rules.Refused as refused:
            expected = refused
        if isinstance(expected, dict):
            fine = said == expected
            count(tally, "decoded to the same", fine)
        else:
            fine = list(said) == ["error"] and said["error"]
            count(tally, "refused by both", bool(fine))
        if not fine:
            complaints.append(f"{attribute.line}\n  expected  {expected!r}\n  encdnsctl {said}")
    complain(complaints)


def has_one_form(attribute) -> bool:
    """A trailing dot is not sent, a digest of an anchor in upper case only."""
    names = [attribute.meaning.get(member, "") for member in ("adn", "domain")]
    if any(name.endswith(".") and name != "." for name in names):
        return False
    return attribute.kind != rules.INTERNAL_DNSSEC_TA or not attribute.value or \
        attribute.value[4:] == attribute.meaning["digest"].upper().encode()


def decode(command, attributes) -> list:
    said = [json.loads(line) for line in run(command, "decode", [attribute.line for attribute in attributes])]
    for one in said:
        if "addresses" in one:
            # There is more than one way to write an IPv6 address.
            one["addresses"] = [str(ipaddress.ip_address(address)) for address in one["addresses"]]
    return said


def run(command, verb: str, lines: list) -> list:
    """What encdnsctl writes, one line for each."""
    done = subprocess.run([*command, verb], input="".join(f"{line}\n" for line in lines).encode(), capture_output=True)
    written = done.stdout.decode().split("\n")[:-1]
    if done.returncode or done.stderr or len(written) != len(lines):
        raise Disagreement(f"{verb} ended with status {done.returncode} after {len(written)} of {len(lines)} lines:\n"
                           f"{done.stderr.decode(errors='replace')[-4000:]}")
    return written


def count(tally: dict, what: str, number: int) -> None:
    tally[what] = tally.get(what, 0) + number


def complain(complaints: list) -> None:
    if complaints:
        raise Disagreement("\n".join([f"{len(complaints)} disagreements", *complaints[:SHOWN]]))


if __name__ == "__main__":
    sys.exit(main())
