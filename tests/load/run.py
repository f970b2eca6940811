"""One charon connects many times over to a gateway that has the plugin and to the same one without, in turns.

The gateway's CPU time is told beside the wall clock's, for the crowd needs about as much of the same machine. Each
IKE_SA is one of its own: without a CHILD_SA, of which the plugin knows nothing, but with a virtual IP and all that a
laptop asks for.
"""

import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from testbed import swanctl, vici
from testbed.build import products
from testbed.extra_plugin import ExtraPlugin
from testbed.network import Network
from testbed.util import say, wait_for

POOL = "10.128.0.0/12"
CONNECTION = {"unique": "never", "childless": "force"}
PARALLEL = 8
RELOAD_S = 1
# The gateway's resolver twice, its digest once, and its domain.
ATTRIBUTES = 4
RATIO_MIN = 0.97
OCTETS_MAX = 1024
# What may be left of each IKE_SA that has ended: nothing, but malloc's account has a grain.
LEFT_MAX = 16
READINGS, READING_S = 10, 0.1

RECEIVED = "/run/crowd"
CROWD = """
crowd {
    load = yes
    file = %s
}
""" % RECEIVED
FILE = "/etc/strongswan.d/zz-load.conf"
SETTINGS = """
charon {
    dos_protection = no
    reuse_ikesa = no
    install_virtual_ip = no
    ikesa_table_size = 1024
    ikesa_table_segments = 16
    threads = 32
}
charon-systemd {
    plugins {
        encdns {
            load = %s
        }
    }
}
"""
# What it says of each attribute that it does not know would be counted as the plugin's cost.
SILENT = """
charon-systemd {
    journal {
        default = -1
    }
}
"""
# malloc's account holds as used what its threads keep for themselves.
UNIT = "/run/systemd/system/strongswan.service.d/load.conf"
EXACT = "[Service]\nEnvironment=GLIBC_TUNABLES=glibc.malloc.tcache_count=0\n"


@dataclass(frozen=True)
class Turn:
    """How one crowd fared."""

    connects: int
    established: int
    attributes: int
    seconds: float
    cpu: float
    reloads: int

    @property
    def rate(self) -> float:
        return self.connects / self.seconds

    @property
    def cpu_rate(self) -> float:
        """Connects that the gateway manages in a second of one CPU."""
        return self.connects / self.cpu


@dataclass(frozen=True)
class Memory:
    """Octets that the gateway's charon has allocated for each IKE_SA: while it is up, and when it has ended."""

    up: float
    left: float


class Load:
    """A network of which the laptop is the crowd, on one release."""

    def __init__(self, net, connects: int):
        self._crowd, self._gateway = net.laptop.host, net.corp.gateway
        self._net = net
        self._connects = connects

    def turn(self, with_plugin: bool) -> Turn:
        self._restart(with_plugin)
        before = self._cpu()
        with _Reloading(self._gateway) as reloading:
            seconds = self._connect(self._connects)
        return Turn(self._connects, vici.stats(self._gateway)[0], self._received(), seconds, self._cpu() - before,
                    reloading.count)

    def memory(self, with_plugin: bool) -> Memory:
        self._gateway.write(UNIT, EXACT)
        self._gateway.systemctl("daemon-reload")
        try:
            self._restart(with_plugin)
            # What is made with the first ones, once.
            self._connect(50)
            self._disconnect()
            before = self._allocated()
            self._connect(self._connects)
            up = self._allocated()
            self._disconnect()
            left = self._allocated()
        finally:
            self._gateway.remove(UNIT)
            self._gateway.systemctl("daemon-reload")
        return Memory((up - before) / self._connects, (left - before) / self._connects)

    def _allocated(self) -> int:
        """What charon's memory comes to at rest: it frees an IKE_SA of 20 KiB after it has ceased to count it."""
        readings = []
        for _ in range(READINGS):
            time.sleep(READING_S)
            readings.append(vici.stats(self._gateway)[1])
        return min(readings)

    def _restart(self, with_plugin: bool) -> None:
        corp = self._net.corp
        for host, load, more in ((self._gateway, with_plugin, ""), (self._crowd, False, SILENT)):
            host.write(FILE, SETTINGS % ("yes" if load else "no") + more)
            host.systemctl("reset-failed", "strongswan.service")
            host.systemctl("restart", "strongswan.service")
        pins = f"sha256:{corp.good_credential.pin()}"
        resolvers = {name: {**kind(corp.plan), "addresses": corp.plan.resolver[0], "pins": pins}
                     for name, kind in (("dot", swanctl.dot), ("doh", swanctl.doh))}
        corp.configure(swanctl.gateway(
            corp.plan, (4,), pool_options={"addrs": POOL}, encrypted_dns=swanctl.handing_out(corp.plan, resolvers=resolvers),
            **CONNECTION))
        self._net.laptop.configure(swanctl.laptop([corp.plan], (4,), **CONNECTION))

    def _connect(self, connects: int) -> float:
        """So many IKE_SAs; how long it took."""
        with ThreadPoolExecutor(PARALLEL) as threads:
            began = time.monotonic()
            list(threads.map(lambda _: vici.initiate(self._crowd, "corp"), range(connects)))
            return time.monotonic() - began

    def _disconnect(self) -> None:
        vici.terminate(self._crowd, "corp")
        wait_for(lambda: vici.stats(self._gateway)[0] == 0, "the end of all IKE_SAs", 60)

    def _received(self) -> int:
        self._crowd.run("swanctl", "--reload-settings")
        return int(self._crowd.read(RECEIVED))

    def _cpu(self) -> float:
        """Seconds that the gateway's charon has had of any CPU."""
        pid = self._gateway.main_pid("strongswan.service")
        return sum(int(line.split()[0]) for line in
                   self._gateway.shell(f"cat /proc/{pid}/task/*/schedstat").splitlines()) / 1e9


class _Reloading:
    """swanctl --reload-settings every second, during a with statement."""

    def __init__(self, host):
        self._host = host
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.count = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(RELOAD_S):
            self._host.run("swanctl", "--reload-settings", check=False)
            self.count += 1


@dataclass(frozen=True)
class Result:
    """What came of it on one release, without the plugin (0) and with it (1)."""

    release: str
    turns: tuple
    memory: tuple

    def median(self, figure: str, with_plugin: bool) -> float:
        return statistics.median(getattr(turn, figure) for turn in self.turns[with_plugin])

    def ratio(self, figure: str) -> float:
        """The median over the pairs of turns that followed each other: the machine's moods last longer than a turn."""
        return statistics.median(getattr(with_plugin, figure) / getattr(without, figure)
                                 for without, with_plugin in zip(*self.turns))

    @property
    def octets(self) -> tuple:
        """What the plugin has allocated for each IKE_SA, while it is up and when it has ended."""
        return self.memory[1].up - self.memory[0].up, self.memory[1].left - self.memory[0].left

    @property
    def lost(self) -> int:
        return sum(turn.connects - turn.established for turns in self.turns for turn in turns)

    def lines(self) -> list:
        """The table, and a line that sums it up."""
        table = [f"{'gateway':<16}{'connects/s':>12}{'connects per CPU s':>20}{'established':>13}{'attributes':>12}"
                 f"{'reloads':>9}{'octets/IKE_SA':>15}"]
        for with_plugin, name in enumerate(("without plugin", "with plugin")):
            turns, memory = self.turns[with_plugin], self.memory[with_plugin]
            table.append(f"{name:<16}{self.median('rate', with_plugin):>12.0f}{self.median('cpu_rate', with_plugin):>20.0f}"
                         f"{min(turn.established for turn in turns):>13}{min(turn.attributes for turn in turns):>12}"
                         f"{sum(turn.reloads for turn in turns):>9}{memory.up:>15.0f}")
        up, left = self.octets
        table.append(
            f"load: {self.ratio('rate'):.3f} of the connects per second without the plugin, {self.ratio('cpu_rate'):.3f} by "
            f"the gateway's CPU time; {up:.0f} octets per IKE_SA, {left:.0f} when it has ended; {self.lost or 'none'} lost")
        return [f"{self.release}: {line}" for line in table]

    def faults(self, judge_ratio: bool) -> list:
        """What is wrong, a sentence each."""
        up, left = self.octets
        faults = [f"{self.lost} IKE_SAs lost"] if self.lost else []
        for with_plugin, turns in enumerate(self.turns):
            for turn in turns:
                if turn.attributes != with_plugin * ATTRIBUTES * turn.connects:
                    faults.append(f"{turn.attributes} attributes for {turn.connects} IKE_SAs")
        if up >= OCTETS_MAX:
            faults.append(f"{up:.0f} octets per IKE_SA")
        if left > LEFT_MAX:
            faults.append(f"{left:.0f} octets left of each IKE_SA")
        if judge_ratio:
            faults += [f"{self.ratio(figure):.3f} of the {name} without the plugin"
                       for figure, name in (("rate", "connects per second"), ("cpu_rate", "connects per second of CPU"))
                       if self.ratio(figure) < RATIO_MIN]
        return [f"{self.release}: {fault}" for fault in faults]


def run(release: str, connects: int, turns: int) -> Result:
    installed = products({release})
    with Network(release, release, installed) as net, \
            ExtraPlugin(net.laptop.host, release, "crowd", CROWD):
        load = Load(net, connects)
        done = ([], [])
        for number in range(turns):
            # Whoever comes first finds another machine than who comes second.
            for with_plugin in (number % 2 == 0, number % 2 != 0):
                done[with_plugin].append(load.turn(with_plugin))
                turn = done[with_plugin][-1]
                say(f"{release}, {'with' if with_plugin else 'without'} the plugin: {turn.rate:.0f} connects/s, "
                    f"{turn.cpu_rate:.0f} per CPU second")
        return Result(release, done, tuple(load.memory(with_plugin) for with_plugin in (False, True)))
