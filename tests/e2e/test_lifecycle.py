"""The life of IKE_SAs and CHILD_SAs: names go on resolving, and resolved is not touched where nothing has changed."""

import contextlib
import subprocess
import time

import pytest

from expect import back_to, internal_names_fail, internal_names_resolve, no_leak
from testbed import swanctl
from testbed.util import wait_for

# A peer that is gone is given up in seconds, not minutes.
IMPATIENT = "charon-systemd {\n retransmit_tries = 3\n retransmit_timeout = 0.5\n retransmit_base = 1.5\n%s}\n"


class Loop:
    """Asks for a new internal name every 50 ms for as long as it is open."""

    def __init__(self, net):
        self._net = net

    def __enter__(self):
        from faults.steps import ASKER
        self._asker = self._net.laptop.host.popen("python3", "-c", ASKER, self._net.corp.plan.any, 0.05,
                                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._asker.stdout.readline().strip() == "asking"
        self.results = []
        return self

    def __exit__(self, *_):
        self._asker.stdin.close()
        self._asker.stdin = None
        plan = self._net.corp.plan
        lines = self._asker.communicate(timeout=20)[0].splitlines()
        self.results = [line.split(None, 1)[1] for line in lines if " " in line]
        self.answered = self.results.count(plan.names[f"intranet.{plan.domain}"][0])
        self.failed = len(self.results) - self.answered
        assert self.results, "nothing was asked"

    def answers_again(self, timeout: float = 30) -> None:
        name = f"intranet.{self._net.corp.plan.domain}"
        wait_for(lambda: self._net.laptop.lookup(name) == sorted(self._net.corp.plan.names[name]), "an answer", timeout)


@contextlib.contextmanager
def nothing_set_in_resolved(laptop):
    """No call that changes anything goes to resolved meanwhile."""
    monitor = laptop.host.popen("busctl", "monitor", "--match", "type='method_call',interface='org.freedesktop.resolve1"
                                ".Manager'", "org.freedesktop.resolve1", stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)
    time.sleep(0.5)
    yield
    time.sleep(0.5)
    laptop.host.send_signal(monitor, 15)
    calls = [line.strip() for line in monitor.communicate(timeout=10)[0].splitlines() if "Member=" in line]
    changing = [call for call in calls if "Member=SetLink" in call or "Member=RevertLink" in call
                or "Member=FlushCaches" in call]
    assert not changing, changing


def connect(net, gateway_settings=None, child=None, charon="", **settings):
    corp, laptop = net.corp, net.laptop
    laptop.host.write("/etc/strongswan.d/zz-lifecycle.conf", IMPATIENT % charon)
    corp.gateway.write("/etc/strongswan.d/zz-lifecycle.conf", IMPATIENT % charon)
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan)))
    laptop.configure(swanctl.laptop([corp.plan], child=child, **settings))
    laptop.connect("corp")
    laptop.wait_in_force("corp")
    internal_names_resolve(net, corp)


@pytest.fixture(autouse=True)
def patient_again(net):
    yield
    for host in (net.laptop.host, net.corp.gateway):
        host.remove("/etc/strongswan.d/zz-lifecycle.conf")


@pytest.mark.parametrize("what", [("--ike", "corp"), ("--child", "net")], ids=["ike", "child"])
@pytest.mark.parametrize("by", [pytest.param("laptop", marks=pytest.mark.kernel_esp), "gateway"])
def test_rekeying(net, what, by):
    """Not a query fails, and resolved is not touched."""
    connect(net)
    with net.watch() as watch, Loop(net) as loop, nothing_set_in_resolved(net.laptop):
        for _ in range(3):
            host = net.laptop.host if by == "laptop" else net.corp.gateway
            name = what[1] if by == "laptop" or what[1] != "corp" else "rw"
            host.run("swanctl", "--rekey", what[0], name)
            time.sleep(1)
    no_leak(net, watch.evidence())
    assert loop.failed == 0, f"{loop.failed} of {len(loop.results)} failed: {set(loop.results)}"
    net.laptop.disconnect("corp")


@pytest.mark.parametrize("order", ["make-before-break", "break-before-make"])
def test_reauthentication(net, order):
    charon = f" make_before_break = {'yes' if order.startswith('make') else 'no'}\n"
    connect(net, charon=charon)
    before = net.laptop.swanctl.sas("corp")
    with net.watch() as watch, Loop(net) as loop:
        net.laptop.host.run("swanctl", "--rekey", "--ike", "corp", "--reauth")
        wait_for(lambda: net.laptop.swanctl.sas("corp").split("\n")[0] != before.split("\n")[0], "a new IKE_SA")
        net.laptop.wait_in_force("corp")
        loop.answers_again(10)
        time.sleep(1)
    no_leak(net, watch.evidence())
    # Break before make is without a tunnel for an exchange or two.
    assert loop.failed <= (5 if order.startswith("make") else 40), (loop.failed, set(loop.results))
    net.laptop.disconnect("corp")


@pytest.mark.kernel_esp
def test_the_laptop_moves(net):
    """MOBIKE: another address, or another family, which charon tries as well; the same IKE_SA."""
    connect(net)
    host = net.laptop.host
    with net.watch() as watch, Loop(net) as loop:
        host.shell("ip address add 198.51.100.77/24 dev wifi0; ip address delete 198.51.100.10/24 dev wifi0; "
                   "ip route replace default via 198.51.100.1")
        wait_for(lambda: "198.51.100.10[" not in net.laptop.swanctl.sas("corp"), "the IKE_SA at another address", 30)
        assert "corp: #1, ESTABLISHED" in net.laptop.swanctl.sas("corp")
        loop.answers_again()
        assert net.laptop.status_of("corp")["in-force"]
        time.sleep(1)
    no_leak(net, watch.evidence())
    assert loop.answered > 20
    net.laptop.disconnect("corp")


@contextlib.contextmanager
def unreachable(net):
    """Nothing gets to the gateway."""
    net.hotel.run("nft", "-f", "-", input="table inet off {\nchain f {\ntype filter hook forward priority 0\n"
                  f"ip daddr {net.corp.plan.internet[0]} drop\n}}\n}}\n")
    try:
        yield
    finally:
        net.hotel.run("nft", "delete", "table", "inet", "off")


@pytest.mark.parametrize("how", ["stopped", "killed", "unreachable"])
def test_the_gateway_goes_and_comes_back(net, how):
    """DPD with restart: closed meanwhile, and back without help."""
    connect(net, child={"dpd_action": "restart"}, dpd_delay="1s")
    gateway = net.corp.gateway
    with net.watch() as watch, Loop(net) as loop:
        if how == "unreachable":
            with unreachable(net):
                wait_for(lambda: net.laptop.status_of("corp").get("state") == "blocked", "the loss noticed", 30)
                internal_names_fail(net, net.corp)
        else:
            gateway.systemctl("mask", "--runtime", "strongswan.service")
            gateway.kill("strongswan.service") if how == "killed" else gateway.systemctl("stop", "strongswan.service")
            time.sleep(3)
            internal_names_fail(net, net.corp) if how == "killed" else None
            gateway.systemctl("unmask", "--runtime", "strongswan.service")
            gateway.systemctl("reset-failed", "strongswan.service", check=False)
            # A charon without its configuration yet refuses, after which the laptop's does not try again.
            with unreachable(net):
                gateway.systemctl("start", "strongswan.service")
        if how == "stopped":
            # That was an orderly end by the peer.
            wait_for(lambda: not net.laptop.links(), "the orderly end")
            return
        wait_for(lambda: net.laptop.status_of("corp").get("in-force"), "the connection by itself", 60)
        loop.answers_again()
    no_leak(net, watch.evidence())
    assert loop.answered and loop.failed
    net.laptop.disconnect("corp")


def test_a_child_that_comes_later(net):
    """An IKE_SA without CHILD_SA is no connection yet; with one, it is."""
    corp, laptop = net.corp, net.laptop
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan)))
    laptop.configure(swanctl.laptop([corp.plan]))
    before = laptop.resolvectl()
    laptop.host.run("swanctl", "--initiate", "--ike", "corp")
    if "INSTALLED" not in laptop.swanctl.sas("corp"):
        assert laptop.links() == []
    laptop.connect("corp")
    laptop.wait_in_force("corp")
    internal_names_resolve(net, corp)
    # It goes and comes again, in the same IKE_SA.
    laptop.host.run("swanctl", "--terminate", "--child", "net")
    time.sleep(1)
    internal_names_fail(net, corp)
    laptop.connect("corp")
    laptop.wait_in_force("corp")
    internal_names_resolve(net, corp)
    laptop.disconnect("corp")
    back_to(net, before)


def test_a_gateway_that_narrows_full_to_split(net):
    """What was negotiated counts, not what was asked for."""
    corp, laptop = net.corp, net.laptop
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan)))
    laptop.configure(swanctl.laptop([corp.plan], full=True))
    laptop.connect("corp")
    status = laptop.wait_in_force("corp")
    assert status["mode"] == "split" and status["domains"] == [corp.plan.domain]
    internal_names_resolve(net, corp)
    laptop.disconnect("corp")
