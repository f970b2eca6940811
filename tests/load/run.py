"""One charon connects many times over to a gateway that has the plugin and to one that has not, in turns of a tenth of a
second: the machine's moods last longer, and hit both alike. From round to round the two change places.

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
AT_A_TIME = 50
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
class Fare:
    """How the crowd fared with one gateway in one round."""

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
    """A network of which the laptop is the crowd, with two gateways, all on one release."""

    def __init__(self, net, connects: int):
        self._crowd = net.laptop
        self._enterprises = [net.corp, net.add_enterprise()]
        self._connects = connects

    def round(self) -> tuple:
        """How the crowd fared without the plugin and with it."""
        self._enterprises.reverse()
        self._restart()
        gateways = [enterprise.gateway for enterprise in self._enterprises]
        before = [_cpu(gateway) for gateway in gateways]
        seconds, attributes = [0.0, 0.0], [0, 0]
        with _Reloading(gateways) as reloading:
            for first in range(0, self._connects, AT_A_TIME):
                for which, enterprise in enumerate(self._enterprises):
                    reloading.which = which
                    seconds[which] += self._connect(enterprise, min(AT_A_TIME, self._connects - first))
                    attributes[which] += self._received() - sum(attributes)
        return tuple(
            Fare(self._connects, vici.stats(gateway)[0], attributes[which], seconds[which], _cpu(gateway) - before[which],
                 reloading.counts[which])
            for which, gateway in enumerate(gateways))

    def memory(self) -> tuple:
        """Without the plugin and with it."""
        for enterprise in self._enterprises:
            enterprise.gateway.write(UNIT, EXACT)
            enterprise.gateway.systemctl("daemon-reload")
        self._restart()
        return tuple(self._memory(enterprise) for enterprise in self._enterprises)

    def _memory(self, enterprise) -> Memory:
        # What is made with the first ones, once.
        self._connect(enterprise, 50)
        self._disconnect(enterprise)
        before = _allocated(enterprise.gateway)
        self._connect(enterprise, self._connects)
        up = _allocated(enterprise.gateway)
        self._disconnect(enterprise)
        left = _allocated(enterprise.gateway)
        return Memory((up - before) / self._connects, (left - before) / self._connects)

    def _restart(self) -> None:
        """All charons, of which the second gateway's loads the plugin."""
        hosts = [self._crowd.host, *(enterprise.gateway for enterprise in self._enterprises)]
        for host, load, more in zip(hosts, (False, False, True), (SILENT, "", "")):
            host.write(FILE, SETTINGS % ("yes" if load else "no") + more)
            host.systemctl("reset-failed", "strongswan.service")
            host.systemctl("restart", "strongswan.service")
        for enterprise in self._enterprises:
            pins = f"sha256:{enterprise.good_credential.pin()}"
            resolvers = {name: {**kind(enterprise.plan), "addresses": enterprise.plan.resolver[0], "pins": pins}
                         for name, kind in (("dot", swanctl.dot), ("doh", swanctl.doh))}
            enterprise.configure(swanctl.gateway(
                enterprise.plan, (4,), pool_options={"addrs": POOL},
                encrypted_dns=swanctl.handing_out(enterprise.plan, resolvers=resolvers), **CONNECTION))
        self._crowd.configure(swanctl.laptop([enterprise.plan for enterprise in self._enterprises], (4,), **CONNECTION))

    def _connect(self, enterprise, connects: int) -> float:
        """So many IKE_SAs; how long it took."""
        with ThreadPoolExecutor(PARALLEL) as threads:
            began = time.monotonic()
            list(threads.map(lambda _: vici.initiate(self._crowd.host, enterprise.plan.name), range(connects)))
            return time.monotonic() - began

    def _disconnect(self, enterprise) -> None:
        vici.terminate(self._crowd.host, enterprise.plan.name)
        wait_for(lambda: vici.stats(enterprise.gateway)[0] == 0, "the end of all IKE_SAs", 60)

    def _received(self) -> int:
        """The attributes that the crowd was handed so far, by both gateways."""
        self._crowd.host.run("swanctl", "--reload-settings")
        return int(self._crowd.host.read(RECEIVED))


def _allocated(gateway) -> int:
    """What charon's memory comes to at rest: it frees an IKE_SA of 20 KiB after it has ceased to count it."""
    readings = []
    for _ in range(READINGS):
        time.sleep(READING_S)
        readings.append(vici.stats(gateway)[1])
    return min(readings)


def _cpu(gateway) -> float:
    """Seconds that a gateway's charon has had of any CPU."""
    pid = gateway.main_pid("strongswan.service")
    return sum(int(line.split()[0]) for line in gateway.shell(f"cat /proc/{pid}/task/*/schedstat").splitlines()) / 1e9


class _Reloading:
    """swanctl --reload-settings every second, on the gateway whose turn it is, during a with statement."""

    def __init__(self, gateways):
        self._gateways = gateways
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.which = 0
        self.counts = [0, 0]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(RELOAD_S):
            which = self.which
            self._gateways[which].run("swanctl", "--reload-settings", check=False)
            self.counts[which] += 1


@dataclass(frozen=True)
class Result:
    """What came of it on one release, without the plugin (0) and with it (1)."""

    release: str
    rounds: tuple
    memory: tuple

    def median(self, figure: str, with_plugin: bool) -> float:
        return statistics.median(getattr(fares[with_plugin], figure) for fares in self.rounds)

    def ratio(self, figure: str) -> float:
        return statistics.median(getattr(with_plugin, figure) / getattr(without, figure)
                                 for without, with_plugin in self.rounds)

    @property
    def octets(self) -> tuple:
        """What the plugin has allocated for each IKE_SA, while it is up and when it has ended."""
        return self.memory[1].up - self.memory[0].up, self.memory[1].left - self.memory[0].left

    @property
    def lost(self) -> int:
        return sum(fare.connects - fare.established for fares in self.rounds for fare in fares)

    def lines(self) -> list:
        """The table, and a line that sums it up."""
        table = [f"{'gateway':<16}{'connects/s':>12}{'connects per CPU s':>20}{'established':>13}{'attributes':>12}"
                 f"{'reloads':>9}{'octets/IKE_SA':>15}"]
        for with_plugin, name in enumerate(("without plugin", "with plugin")):
            fares, memory = [fares[with_plugin] for fares in self.rounds], self.memory[with_plugin]
            table.append(f"{name:<16}{self.median('rate', with_plugin):>12.0f}{self.median('cpu_rate', with_plugin):>20.0f}"
                         f"{min(fare.established for fare in fares):>13}{min(fare.attributes for fare in fares):>12}"
                         f"{sum(fare.reloads for fare in fares):>9}{memory.up:>15.0f}")
        up, left = self.octets
        table.append(
            f"load: {self.ratio('rate'):.3f} of the connects per second without the plugin, {self.ratio('cpu_rate'):.3f} by "
            f"the gateway's CPU time; {up:.0f} octets per IKE_SA, {left:.0f} when it has ended; {self.lost or 'none'} lost")
        return [f"{self.release}: {line}" for line in table]

    def faults(self, judge_ratio: bool) -> list:
        """What is wrong, a sentence each."""
        up, left = self.octets
        faults = [f"{self.lost} IKE_SAs lost"] if self.lost else []
        for fares in self.rounds:
            for with_plugin, fare in enumerate(fares):
                if fare.attributes != with_plugin * ATTRIBUTES * fare.connects:
                    faults.append(f"{fare.attributes} attributes for {fare.connects} IKE_SAs")
        if up >= OCTETS_MAX:
            faults.append(f"{up:.0f} octets per IKE_SA")
        if left > LEFT_MAX:
            faults.append(f"{left:.0f} octets left of each IKE_SA")
        if judge_ratio:
            faults += [f"{self.ratio(figure):.3f} of the {name} without the plugin"
                       for figure, name in (("rate", "connects per second"), ("cpu_rate", "connects per second of CPU"))
                       if self.ratio(figure) < RATIO_MIN]
        return [f"{self.release}: {fault}" for fault in faults]


def run(release: str, connects: int, rounds: int) -> Result:
    installed = products({release})
    with Network(release, release, installed) as net, \
            ExtraPlugin(net.laptop.host, release, "crowd", CROWD):
        load = Load(net, connects)
        done = []
        for _ in range(rounds):
            done.append(load.round())
            for what, fare in zip(("without", "with"), done[-1]):
                say(f"{release}, {what} the plugin: {fare.rate:.0f} connects/s, {fare.cpu_rate:.0f} per CPU second")
        return Result(release, tuple(done), load.memory())
