"""The same through NetworkManager: a laptop whose network and whose VPN nmcli makes, with charon-nm."""

import pytest

from expect import (assert_hotel_heard_nothing_of, internal_names_fail, internal_names_resolve,
                    public_names_go_to_the_hotel)
from fresh import findings, install, network
from testbed import swanctl
from testbed.network import HOTEL, LAPTOP
from testbed.roots import network_manager_root
from testbed.util import wait_for

pytestmark = [pytest.mark.one_release, pytest.mark.not_sanitized("it installs the packages that users get")]

# The test bed's kernel has no ESP; the mark keeps charon's own packets out of the tunnel.
IN_USER_SPACE = """
charon-nm {
	# not the one that charon clears away when it stops
	routing_table = 210
	routing_table_prio = 210
	plugins {
		kernel-libipsec {
			load = yes
			allow_peer_ts = yes
		}
		kernel-netlink {
			fwmark = !0x42
		}
		socket-default {
			fwmark = 0x42
		}
	}
}
"""


@pytest.fixture
def managed(pytestconfig, tmp_path):
    """Networked by NetworkManager; the packages come when it runs."""
    with network(pytestconfig, tmp_path, "nm", network_manager_root) as net:
        host = net.laptop.host
        host.systemctl("disable", "--now", "systemd-networkd.socket", "systemd-networkd.service", "strongswan.service")
        host.run("nmcli", "connection", "add", "type", "ethernet", "con-name", "wifi", "ifname", "wifi0",
                 "ipv4.method", "manual", "ipv4.addresses", f"{LAPTOP[0]}/24", "ipv4.gateway", HOTEL[0],
                 "ipv4.dns", HOTEL[0], "ipv6.method", "disabled")
        host.run("nmcli", "connection", "up", "wifi")
        install(net.corp.gateway, "a gateway")
        install(host, "a laptop")
        host.systemctl("stop", "strongswan.service")
        listed = host.shell("sed 's/kernel-netlink/kernel-libipsec &/' /etc/strongswan.d/encdns-charon-nm.conf")
        assert "kernel-libipsec" in listed
        host.write("/etc/strongswan.d/testbed-nm.conf", listed + IN_USER_SPACE)
        yield net


def managed_links(host) -> list:
    """Those of ours that NetworkManager has a hand in."""
    devices = [line.split(":") for line in host.output("nmcli", "-t", "-f", "DEVICE,STATE", "device").splitlines()]
    assert devices
    return [device for device, state in devices if device.startswith("encdns") and state != "unmanaged"]


def hand_out(enterprise) -> None:
    plan = enterprise.plan
    enterprise.configure(swanctl.gateway(plan, families=(4,), encrypted_dns=swanctl.handing_out(
        plan, resolvers={"dot": swanctl.dot(plan, addresses=plan.resolver[0])})))


def add_vpn(host, plan) -> None:
    """NetworkManager's connection corp-vpn."""
    settings = {
        "address": plan.internet[0], "certificate": "/etc/swanctl/x509ca/corp.pem", "remote-identity": plan.gateway_id,
        "method": "key", "usercert": "/etc/swanctl/x509/corp.pem", "userkey": "/etc/swanctl/private/corp.pem",
        "local-identity": f"laptop@{plan.domain}", "virtual": "yes", "remote-ts": plan.subnets[0]}
    host.run("nmcli", "connection", "add", "type", "vpn", "con-name", "corp-vpn", "vpn-type", "strongswan", "vpn.data",
             ", ".join(f"{name}={value}" for name, value in settings.items()))


def test_by_nmcli(managed, pytestconfig):
    corp, laptop, host = managed.corp, managed.laptop, managed.laptop.host
    plan = corp.plan
    hand_out(corp)
    host.write("/etc/swanctl/swanctl.conf", swanctl.section("encrypted-dns", {"laptop": {"accept-domains": plan.domain}}))
    add_vpn(host, plan)

    host.run("nmcli", "connection", "up", "corp-vpn")
    laptop.wait_in_force("corp-vpn")
    managed.hotel_dns.forget()
    internal_names_resolve(managed, corp)
    public_names_go_to_the_hotel(managed)
    assert findings(host) == []
    assert managed_links(host) == []

    # NetworkManager sets resolved anew, with a domain that would take our names.
    host.run("nmcli", "connection", "modify", "wifi", "ipv4.dns-search", f"lab.{plan.domain}")
    host.run("nmcli", "device", "reapply", "wifi0")
    if pytestconfig.getoption("--laptop-release") != "forky":  # whose NetworkManager keeps a reapplied domain to itself
        wait_for(lambda: laptop.status()["other-links"], "encdnsd to notice")
    laptop.wait_in_force("corp-vpn")
    internal_names_resolve(managed, corp)
    assert_hotel_heard_nothing_of(managed, corp)
    host.run("nmcli", "connection", "modify", "wifi", "ipv4.dns-search", "")
    host.run("nmcli", "device", "reapply", "wifi0")

    host.run("nmcli", "connection", "down", "corp-vpn")
    wait_for(lambda: not laptop.status()["connections"], "the end of the connection's DNS")
    assert laptop.links() == []


def test_beside_charon(managed):
    """One connection is charon-nm's, the other charon's: neither daemon touches what is the other's."""
    corp, laptop, host = managed.corp, managed.laptop, managed.laptop.host
    branch = managed.add_enterprise()
    install(branch.gateway, "a gateway")
    for enterprise in (corp, branch):
        hand_out(enterprise)
    host.systemctl("start", "strongswan.service")
    laptop.configure(swanctl.laptop([branch.plan], families=(4,), encrypted_dns={
        "laptop": {"accept-domains": [corp.plan.domain, branch.plan.domain]}}))
    add_vpn(host, corp.plan)

    host.run("nmcli", "connection", "up", "corp-vpn")
    laptop.connect("branch")

    def both_resolve():
        for name, enterprise in (("corp-vpn", corp), ("branch", branch)):
            laptop.wait_in_force(name)
            internal_names_resolve(managed, enterprise)
        assert len(laptop.links()) == 2

    both_resolve()

    def delete_the_links():
        for link in laptop.links():
            host.run("ip", "link", "delete", link)
        for link in ("encdns0", "encdns1"):
            laptop.wait_guarded(link)

    # Each daemon makes its own connection's link.
    for _ in range(5):
        delete_the_links()
        both_resolve()
    # For a connection whose charon has ended, one of those that are there does it.
    host.systemctl("restart", "strongswan.service")
    wait_for(lambda: laptop.status_of("branch").get("state") == "blocked", "the block of branch")
    for _ in range(5):
        delete_the_links()
        internal_names_fail(managed, branch)
        internal_names_resolve(managed, corp)
        assert len(laptop.links()) == 2
    laptop.connect("branch")
    both_resolve()
    laptop.disconnect("branch")
    wait_for(lambda: len(laptop.links()) == 1, "the end of branch's DNS")
    internal_names_resolve(managed, corp)
    host.run("nmcli", "connection", "down", "corp-vpn")
    wait_for(lambda: laptop.links() == [], "the end of the other's")
