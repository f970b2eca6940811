"""The steps that faults hit, and what must be true afterwards."""

import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from testbed import swanctl
from testbed.capture import Capture, Evidence
from testbed.network import HOTEL_EVERYTHING
from testbed.util import TestbedError, wait_for

CONNECTION = "corp"
ASKER = (Path(__file__).resolve().parent / "asker.py").read_text()
PAUSE = 0.03  # between two questions, s
RIGHT_WITHIN = 60.0  # of the fault's end, s
HIT_AFTER = 0.1  # a step is under way then, s
LOOK_ON = 0.5  # after all is right, s

# A peer that is gone is given up in seconds, not minutes.
IMPATIENT = "charon-systemd {\n retransmit_tries = 3\n retransmit_timeout = 0.5\n retransmit_base = 1.5\n}\n"


@dataclass
class Outcome:
    """What a combination came to."""

    fault: str
    step: str
    asked: int = 0
    answered: int = 0
    failed: int = 0
    leaked: int = 0
    after: str = ""
    seconds: float = 0
    problem: str = ""
    evidence: list = field(default_factory=list)

    @property
    def fine(self) -> bool:
        return not self.problem and self.leaked == 0


@dataclass(frozen=True)
class Step:
    """What the user does when the fault hits."""

    name: str
    on_disconnect: str
    begins: str  # "blocked": after an earlier connection, "up"
    command: tuple = ()
    # The fault hits when the command is done, not while it runs.
    done_first: bool = False
    # Nothing may be asked any more once the domains are free.
    asks_on: bool = True
    ends: tuple = ("up", "blocked")


INITIATE = ("swanctl", "--initiate", "--ike", CONNECTION, "--child", "net", "--timeout", "20")
TERMINATE = ("swanctl", "--terminate", "--ike", CONNECTION, "--timeout", "10")

STEPS = (
    # Names are blocked from the first to the last moment, so whatever the hotel sees is a leak.
    Step("connect", "block", "blocked", INITIATE),
    Step("connected", "block", "blocked", INITIATE, done_first=True),
    Step("use", "release", "up"),
    Step("disconnect", "release", "up", TERMINATE, asks_on=False, ends=("free", "blocked")),
    Step("block", "block", "up", TERMINATE, ends=("blocked",)),
)


def combinations(faults) -> list:
    """A fault that lasts through the whole step hits the same at its beginning and at its end."""
    return [(fault, step) for fault in faults for step in STEPS if not (fault.hold and step.done_first)]


class Run:
    """One combination, on a network where nothing is connected."""

    def __init__(self, net, fault, step):
        self.net = net
        self.fault = fault
        self.step = step
        self.outcome = Outcome(fault.name, step.name)
        self._asker = None
        self._capture = None

    def __call__(self) -> Outcome:
        outcome = self.outcome
        try:
            self._prepare()
            self._watch()
            self._hit()
            begun = time.monotonic()
            outcome.after = self._settle()
            outcome.seconds = time.monotonic() - begun
            self._usable_again(outcome.after)
            time.sleep(LOOK_ON)
            self._count()
            self._back_to_nothing()
        except (TestbedError, OSError, subprocess.SubprocessError, ValueError) as error:
            outcome.problem = f"{type(error).__name__}: {error}" if not isinstance(error, TestbedError) else str(error)
            print(traceback.format_exc(), file=sys.stderr) if not isinstance(error, TestbedError) else None
            self._count()
        finally:
            self._end()
        findings = self.net.findings()
        if findings:
            outcome.problem = "\n".join([outcome.problem, *findings]).strip()
        return outcome

    # The states, as the laptop's user sees them

    def _status(self) -> dict:
        """Nothing where nobody can be asked."""
        try:
            return self.net.laptop.status_of(CONNECTION)
        except ValueError:
            return {}

    def _is_up(self) -> bool:
        return self._status().get("in-force", False) and self._resolves()

    def _is_blocked(self) -> bool:
        return self._status().get("state") == "blocked" and not self._lookup()

    def _is_free(self) -> bool:
        laptop = self.net.laptop
        return laptop.links(r"encdns.*") == [] and not self._status() and laptop.resolvectl() == self._before

    def _lookup(self) -> list:
        return self.net.laptop.lookup(f"intranet.{self.net.corp.plan.domain}")

    def _resolves(self) -> bool:
        plan = self.net.corp.plan
        return self._lookup() == sorted(plan.names[f"intranet.{plan.domain}"])

    def _has_tunnel(self) -> bool:
        sas = self.net.laptop.host.run("swanctl", "--list-sas", "--ike", CONNECTION, check=False).stdout
        return "ESTABLISHED" in sas and "INSTALLED" in sas

    # The course of a combination

    def _prepare(self) -> None:
        net, plan = self.net, self.net.corp.plan
        net.start_daemons()
        net.laptop.configure(swanctl.laptop(
            [plan], dpd_delay="2s", keyingtries=0, child={"dpd_action": "restart"},
            encrypted_dns={"laptop": {"accept-domains": plan.domain, "on-disconnect": self.step.on_disconnect}}))
        self._before = net.laptop.resolvectl()
        net.laptop.connect(CONNECTION)
        wait_for(self._is_up, "the connection before the fault", 30)
        if self.step.begins == "blocked":
            net.laptop.disconnect(CONNECTION)
            wait_for(self._is_blocked, "the block before the fault")

    def _watch(self) -> None:
        self._capture = Capture(self.net.hotel)
        self._asker = self.net.laptop.host.popen(
            "python3", "-c", ASKER, self.net.corp.plan.any, PAUSE,
            stdin=subprocess.PIPE, stdout=(output := tempfile.TemporaryFile()))
        self._answers = output
        self._wait_for_asker("asking")
        time.sleep(10 * PAUSE)

    def _said(self) -> list:
        return os.pread(self._answers.fileno(), 1 << 26, 0).decode().splitlines()

    def _wait_for_asker(self, word: str) -> None:
        wait_for(lambda: word in self._said(), f"the asker's word that it is {word}", pause=0.01)

    def _hit(self) -> None:
        fault, step, host = self.fault, self.step, self.net.laptop.host
        try:
            if fault.hold:
                fault.inject(self.net)
            if not step.asks_on:
                self._asker.stdin.close()
                self._wait_for_asker("stopped")
            command = host.popen(*step.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) \
                if step.command else None
            if not fault.hold:
                if command and step.done_first:
                    command.wait(30)
                else:
                    time.sleep(HIT_AFTER)
                fault.inject(self.net)
            if fault.during:
                time.sleep(1)
                fault.during(self.net)
            time.sleep(fault.hold)
        finally:
            if fault.mend:
                fault.mend(self.net)
        if command:
            command.wait(45)

    def _settle(self) -> str:
        """Waits until the state is right: what it says is true, and it is one that the step may end in."""
        def right():
            tunnel = self._has_tunnel()
            if tunnel and "up" in self.step.ends:
                return "up" if self._is_up() else None
            if tunnel:
                return None
            if self._is_blocked():
                return "blocked"
            return "free" if "free" in self.step.ends and self._is_free() else None

        wanted = [self.step.ends[0]]
        if self.fault.fatal or self.step.command == INITIATE:
            wanted = self.step.ends
        return wait_for(lambda: right() in wanted and right(), f"{' or '.join(wanted)} after the fault", RIGHT_WITHIN)

    def _usable_again(self, state: str) -> None:
        """A block is no dead end."""
        if state == "blocked" and "up" in self.step.ends:
            wait_for(lambda: self.net.laptop.host.run(*INITIATE, check=False).returncode == 0,
                     "a new connection after the fault", 30, 1)
            wait_for(self._is_up, "the new connection's DNS", 30)

    def _back_to_nothing(self) -> None:
        """Everything is as it was before the first connection."""
        laptop = self.net.laptop
        if self._has_tunnel():
            laptop.disconnect(CONNECTION)
        if self.step.on_disconnect == "block" or self._status().get("state") == "blocked":
            wait_for(self._is_blocked, "the block at the end")
            laptop.host.run("encdnsctl", "release", CONNECTION)
        try:
            wait_for(self._is_free, "the state before the connection")
        except TestbedError as error:
            raise TestbedError(f"{error}: before\n{self._before}\nafter\n{laptop.resolvectl()}\n"
                               f"{laptop.links()}, {json.dumps(self._status())}") from None

    def _count(self) -> None:
        """Ends the asking and the capture, and counts, once."""
        outcome = self.outcome
        if not self._asker:
            return
        if not self._asker.stdin.closed:
            self._asker.stdin.close()
        self._asker.wait(20)
        self._asker = None
        results = [line.split(None, 1)[1] for line in self._said() if " " in line]
        plan = self.net.corp.plan
        ours, hotels = plan.names[f"intranet.{plan.domain}"][0], HOTEL_EVERYTHING[0]
        outcome.asked = len(results)
        outcome.answered = results.count(ours)
        self._capture.stop()
        evidence = Evidence(self._capture.packets(), lambda _: False)
        seen = evidence.leaks([plan.domain], [plan.adn])
        # A question and its answer are one leak.
        asked = [packet for packet in seen if packet.source_port != 53]
        outcome.leaked = max(len(asked), results.count(hotels))
        outcome.failed = outcome.asked - outcome.answered - results.count(hotels)
        outcome.evidence = [str(packet) for packet in seen[:5]]
        stray = [packet for packet in evidence.packets if packet.destination in plan.resolver_octets]
        if stray and not outcome.problem:
            outcome.problem = f"{len(stray)} packets to the resolver outside the tunnel, the first: {stray[0]}"
        strange = set(results) - {ours, hotels, "SERVFAIL", "REFUSED", "refused", "silent"}
        if strange and not outcome.problem:
            outcome.problem = f"answers that nobody should have given: {strange}"
        if not outcome.asked:
            outcome.problem = outcome.problem or "nothing was asked"

    def _end(self) -> None:
        if self._asker:
            self._asker.kill()
            self._asker.wait()
        if self._capture:
            self._capture.stop()
