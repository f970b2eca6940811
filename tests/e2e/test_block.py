"""on-disconnect = block, encdnsctl block, and links that vanish: what keeps internal names from leaking outlives all but the user's word."""

import pytest

from expect import back_to, internal_names_fail, internal_names_resolve, no_leak, public_names_go_to_the_hotel
from testbed import swanctl
from testbed.util import wait_for

pytestmark = pytest.mark.one_release


@pytest.fixture
def blocked(net):
    """Connected once, then orderly disconnected, with on-disconnect = block."""
    corp, laptop = net.corp, net.laptop
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan)))
    laptop.configure(swanctl.laptop([corp.plan], encrypted_dns={
        "laptop": {"accept-domains": corp.plan.domain, "on-disconnect": "block"}}))
    laptop.before = laptop.resolvectl()
    laptop.connect("corp")
    laptop.wait_in_force("corp")
    laptop.disconnect("corp")
    wait_blocked(laptop)
    return laptop


def wait_blocked(laptop):
    wait_for(lambda: laptop.status_of("corp").get("state") == "blocked", "the block", 20)


def reboot(net, laptop):
    """As seen by the parts concerned: /run, the links and every process are new, /var stays. What is simulated is the
    rest: the kernel and the host's systemd go on."""
    host = laptop.host
    host.systemctl("stop", "strongswan.service", "encdnsd.service", "systemd-resolved.service")
    laptop.delete_links()
    host.systemctl("clean", "--what=fdstore", "encdnsd.service", check=False)
    host.shell("rm -rf /run/encdnsd /run/systemd/resolve/netif")
    host.systemctl("start", "systemd-resolved.service", "encdnsd.service", "strongswan.service")


def test_an_orderly_end_blocks(net, blocked):
    with net.watch() as watch:
        internal_names_fail(net, net.corp)
        public_names_go_to_the_hotel(net)
        shown = blocked.host.run("encdnsctl", "status", check=False)
        assert "encdnsctl release corp" in shown.stdout and shown.returncode == 1
        # Another connection lifts it by itself.
        blocked.connect("corp")
        blocked.wait_in_force("corp")
        internal_names_resolve(net, net.corp)
        blocked.disconnect("corp")
        wait_blocked(blocked)
        internal_names_fail(net, net.corp)
        no_leak(net, watch.evidence())
    blocked.host.run("encdnsctl", "release", "corp")
    back_to(net, blocked.before)
    assert not blocked.host.exists("/var/lib/encdnsd/blocks.json")


def test_a_block_survives_a_reboot(net, blocked):
    reboot(net, blocked)
    wait_blocked(blocked)
    net.hotel_dns.forget()
    internal_names_fail(net, net.corp)
    public_names_go_to_the_hotel(net)
    blocked.host.run("encdnsctl", "release", "corp")
    back_to(net, blocked.before)
    reboot(net, blocked)
    wait_for(lambda: blocked.status() and not blocked.status()["connections"], "a status with nothing in it")
    assert blocked.links() == []


def test_a_power_failure_while_connected_blocks(net, blocked):
    blocked.connect("corp")
    blocked.wait_in_force("corp")
    blocked.host.kill("encdnsd.service")
    blocked.host.kill("strongswan.service")
    reboot(net, blocked)
    wait_blocked(blocked)
    net.hotel_dns.forget()
    internal_names_fail(net, net.corp)
    blocked.connect("corp")
    blocked.wait_in_force("corp")
    internal_names_resolve(net, net.corp)


@pytest.mark.parametrize("full", [False, True], ids=["split", "full"])
def test_the_gateway_is_found_by_a_blocked_name(net, full):
    """What charon connects to is below the domain that is blocked, and a new charon does not know the address."""
    corp, laptop = net.corp, net.laptop
    name = f"vpn.{corp.plan.domain}"
    net.hotel_dns.zones[name] = {name: (corp.plan.internet[0], None)}
    net.hotel_dns.start()
    try:
        corp.configure(swanctl.gateway(corp.plan, full=full, encrypted_dns=swanctl.handing_out(corp.plan)))
        laptop.configure(swanctl.laptop([corp.plan], full=full, remote_addrs=name, encrypted_dns={
            "laptop": {"accept-domains": corp.plan.domain, "on-disconnect": "block"}}))
        before = laptop.resolvectl()
        laptop.connect("corp")
        laptop.wait_in_force("corp")
        laptop.disconnect("corp")
        wait_blocked(laptop)
        net.hotel_dns.forget()
        with net.watch() as watch:
            reboot(net, laptop)
            wait_blocked(laptop)
            internal_names_fail(net, corp)
            laptop.connect("corp")
            laptop.wait_in_force("corp")
            internal_names_resolve(net, corp)
            no_leak(net, watch.evidence())
        laptop.disconnect("corp")
        wait_blocked(laptop)
        laptop.host.run("encdnsctl", "release", "corp")
        back_to(net, before)
    finally:
        del net.hotel_dns.zones[name]
        net.hotel_dns.start()


def test_a_lost_connection_is_forgotten_by_a_reboot(net):
    """What was not asked to stay does not."""
    corp, laptop = net.corp, net.laptop
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan)))
    laptop.configure(swanctl.laptop([corp.plan]))
    before = laptop.resolvectl()
    laptop.connect("corp")
    laptop.wait_in_force("corp")
    laptop.host.kill("strongswan.service")
    wait_blocked(laptop)
    reboot(net, laptop)
    back_to(net, before)


@pytest.mark.parametrize("state", ["up", "blocked"])
def test_a_deleted_link_leaks_nothing(net, blocked, state):
    """Whichever of the two it is, names keep their way by the other, and it comes back."""
    expected = internal_names_resolve if state == "up" else internal_names_fail
    if state == "up":
        blocked.connect("corp")
        blocked.wait_in_force("corp")
    with net.watch() as watch:
        for link in ("encdns0", "encdns0g", "encdns0"):
            blocked.wait_guarded()
            net.hotel_dns.forget()
            blocked.host.run("ip", "link", "delete", link)
            expected(net, net.corp)
        blocked.wait_guarded()
        if state == "blocked":
            blocked.connect("corp")
        blocked.wait_in_force("corp")
        internal_names_resolve(net, net.corp)
        blocked.disconnect("corp")
        wait_blocked(blocked)
        internal_names_fail(net, net.corp)
        watch.note_interfaces()
        no_leak(net, watch.evidence())
    blocked.host.run("encdnsctl", "release", "corp")
    back_to(net, blocked.before)


def test_a_link_deleted_without_charon_is_told(net, blocked):
    """Nobody can make another. One of the two is enough; without both the state says that names leak. It ends when
    charon is there."""
    blocked.wait_guarded()
    blocked.host.systemctl("stop", "strongswan.service")
    net.hotel_dns.forget()
    blocked.host.run("ip", "link", "delete", "encdns0")
    internal_names_fail(net, net.corp)
    assert blocked.status_of("corp")["state"] == "blocked"
    blocked.host.run("ip", "link", "delete", "encdns0g")
    wait_for(lambda: blocked.status_of("corp").get("state") == "leaking", "the word that names leak", 15)
    blocked.host.systemctl("start", "strongswan.service")
    wait_blocked(blocked)
    blocked.wait_guarded()
    net.hotel_dns.forget()
    internal_names_fail(net, net.corp)


@pytest.fixture
def up(net):
    """Connected, with on-disconnect = release."""
    corp, laptop = net.corp, net.laptop
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan)))
    laptop.configure(swanctl.laptop([corp.plan]))
    laptop.before = laptop.resolvectl()
    laptop.connect("corp")
    laptop.wait_in_force("corp")
    return laptop


def test_what_is_up_is_blocked_and_released(net, up):
    up.host.run("encdnsctl", "block", "corp")
    status = up.status_of("corp")
    assert status["state"] == "blocked" and status["reason"] == "encdnsctl block asked for it"
    net.hotel_dns.forget()
    net.corp.resolver.forget()
    with net.watch() as watch:
        internal_names_fail(net, net.corp)
        public_names_go_to_the_hotel(net)
        assert net.corp.resolver.names() == set()
        # Neither encdnsd's end nor what the plugin tells it again lifts it.
        up.host.kill_for_another("encdnsd.service")
        wait_for(lambda: up.status_of("corp").get("virtual-ips"), "the plugin to apply it again", 20)
        wait_blocked(up)
        internal_names_fail(net, net.corp)
        assert "ESTABLISHED" in up.swanctl.sas("corp")
        up.host.run("encdnsctl", "release", "corp")
        up.wait_in_force("corp")
        internal_names_resolve(net, net.corp)
        watch.note_interfaces()
        no_leak(net, watch.evidence())
    up.disconnect("corp")
    back_to(net, up.before)


def test_it_outlives_the_connection_but_not_the_next(net, up):
    up.host.run("encdnsctl", "block")
    up.disconnect("corp")
    wait_blocked(up)
    net.hotel_dns.forget()
    internal_names_fail(net, net.corp)
    reboot(net, up)
    wait_blocked(up)
    internal_names_fail(net, net.corp)
    up.connect("corp")
    up.wait_in_force("corp")
    internal_names_resolve(net, net.corp)
    up.disconnect("corp")
    back_to(net, up.before)


def test_a_lost_connection_that_is_blocked_survives_a_reboot(net, up):
    up.host.kill("strongswan.service")
    wait_blocked(up)
    up.host.run("encdnsctl", "block", "corp")
    reboot(net, up)
    wait_blocked(up)
    net.hotel_dns.forget()
    internal_names_fail(net, net.corp)
    up.host.run("encdnsctl", "release", "corp")
    back_to(net, up.before)


def test_nothing_to_block(net):
    for arguments, words in ((["corp"], "there is no connection of that name"), ([], "no connection has domains")):
        done = net.laptop.host.run("encdnsctl", "block", *arguments, check=False)
        assert done.returncode == 1 and words in done.stderr
    assert net.laptop.host.run("encdnsctl", "block", "corp", "branch", check=False).returncode == 2
