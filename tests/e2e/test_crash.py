"""What happens when a part dies while connected: internal names fail, they do not leak; and what comes back finds its
state again."""

import json
import subprocess
import time

import pytest

from expect import (assert_hotel_heard_nothing_of, back_to, internal_names_fail, internal_names_resolve, no_leak,
                    public_names_go_to_the_hotel)
from testbed import swanctl
from testbed.util import wait_for

pytestmark = pytest.mark.one_release


@pytest.fixture
def connected(net):
    """The laptop, connected and in force; the captures run, and nothing may have leaked by the end of the test."""
    corp, laptop = net.corp, net.laptop
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan)))
    laptop.configure(swanctl.laptop([corp.plan]))
    laptop.before = laptop.resolvectl()
    with net.watch() as watch:
        laptop.connect("corp")
        laptop.wait_in_force("corp")
        internal_names_resolve(net, corp)
        yield laptop
        assert_hotel_heard_nothing_of(net, corp)
        no_leak(net, watch.evidence())


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_encdnsd_ends(net, connected, how):
    laptop = connected
    # Masked, so that nothing brings it back before we have looked.
    laptop.host.systemctl("mask", "--runtime", "encdnsd.service")
    if how == "kill":
        laptop.host.kill("encdnsd.service")
    else:
        laptop.host.systemctl("stop", "encdnsd.service")
    wait_for(lambda: not laptop.host.active("encdnsd.service"), "the end of encdnsd")
    internal_names_fail(net, net.corp)
    laptop.host.systemctl("unmask", "--runtime", "encdnsd.service")
    laptop.host.systemctl("reset-failed", "encdnsd.service", check=False)
    laptop.host.systemctl("start", "encdnsd.service")
    laptop.wait_in_force("corp")
    internal_names_resolve(net, net.corp)
    public_names_go_to_the_hotel(net)
    laptop.disconnect("corp")
    back_to(net, laptop.before)


def test_the_status_is_told_by_the_next_encdnsd(connected):
    """Where the one that was asked ends before it has answered."""
    host = connected.host
    host.kill("encdnsd.service", "STOP")
    asking = host.popen("encdnsctl", "status", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(0.5)
    host.kill("encdnsd.service")
    answer, complaint = asking.communicate(timeout=30)
    assert answer, complaint
    assert [connection["name"] for connection in json.loads(answer)["connections"]] == ["corp"]


@pytest.mark.parametrize("how", [pytest.param("kill", marks=pytest.mark.kernel_esp), "stop"])
def test_charon_ends(net, connected, how):
    laptop = connected
    laptop.host.systemctl("mask", "--runtime", "strongswan.service")
    if how == "kill":
        laptop.host.kill("strongswan.service")
    else:
        laptop.host.systemctl("stop", "strongswan.service")
    wait_for(lambda: not laptop.host.active("strongswan.service"), "the end of charon")
    internal_names_fail(net, net.corp)
    public_names_go_to_the_hotel(net)
    laptop.host.systemctl("unmask", "--runtime", "strongswan.service")
    laptop.host.systemctl("reset-failed", "strongswan.service", check=False)
    laptop.host.systemctl("start", "strongswan.service")
    laptop.connect("corp")
    laptop.wait_in_force("corp")
    internal_names_resolve(net, net.corp)
    laptop.disconnect("corp")
    back_to(net, laptop.before)


def test_charon_ends_and_the_user_releases(net, connected):
    """Without a new connection the user gets the old state back by saying so."""
    laptop = connected
    laptop.host.kill("strongswan.service")
    laptop.host.systemctl("stop", "strongswan.service", check=False)
    wait_for(lambda: not laptop.host.active("strongswan.service"), "the end of charon")
    internal_names_fail(net, net.corp)
    laptop.host.systemctl("start", "strongswan.service")
    laptop.host.run("encdnsctl", "release", "corp")
    wait_for(lambda: laptop.links() == [], "the end of the link")
    back_to(net, laptop.before)


def test_resolved_restarts(net, connected):
    laptop = connected
    laptop.host.systemctl("restart", "systemd-resolved.service")
    laptop.wait_in_force("corp")
    internal_names_resolve(net, net.corp)
    laptop.disconnect("corp")
    back_to(net, laptop.before)


@pytest.mark.parametrize("left", ["encdns0", "encdns0g"])
def test_a_link_that_charon_left_behind_goes(net, connected, left):
    """It ended after encdnsd had let go of the link, and before it could remove it."""
    laptop = connected
    laptop.disconnect("corp")
    back_to(net, laptop.before)
    laptop.host.systemctl("stop", "strongswan.service")
    laptop.host.shell(f"ip link add {left} type veth peer name {left}p")
    laptop.host.run("ip", "link", "set", left, "alias", "corp")
    laptop.host.systemctl("start", "strongswan.service")
    back_to(net, laptop.before)


def test_another_program_fights_for_our_link(net, connected):
    """As long as it does, nothing leaks; when it gives up, the link is ours again."""
    laptop = connected
    laptop.host.shell("for i in $(seq 30); do resolvectl domain encdns0 '~other.example'; resolvectl dns encdns0 ''; done")
    wait_for(lambda: laptop.status_of("corp").get("in-force")
             and "~corp.example" in laptop.host.output("resolvectl", "domain", "encdns0"), "our settings again")
    internal_names_resolve(net, net.corp)
    laptop.disconnect("corp")
    back_to(net, laptop.before)
