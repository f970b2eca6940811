"""Tunnels whose ESP is the kernel's, as in an unmodified Debian: with policies alone, where the virtual IP is on the
physical link, which networkd manages; and with an XFRM interface."""

import ipaddress
import re

import pytest

from expect import (back_to, internal_names_fail, internal_names_resolve, no_leak, only_tls_to_the_resolver,
                    public_names_go_to_the_hotel)
from testbed import swanctl
from testbed.capture import DOH, ESP
from testbed.util import SOURCE, wait_for

pytestmark = [pytest.mark.kernel_esp(only=True), pytest.mark.one_release]

IKE = {500, 4500}


@pytest.fixture
def offered(net):
    """The gateway hands out its resolver over DoT."""
    net.corp.configure(swanctl.gateway(net.corp.plan, encrypted_dns=swanctl.handing_out(net.corp.plan)))
    return net.corp


def tunnel_and_nothing_else(net, evidence) -> None:
    """Between laptop and gateway the hotel saw IKE, and ESP that was not wrapped into UDP by charon."""
    gateway = {ipaddress.ip_address(address).packed for address in net.corp.plan.internet}
    seen = [packet for packet in evidence.packets if packet.host == net.hotel.name and packet.interface == "guest0"
            and {packet.source, packet.destination} & gateway]
    assert any(packet.protocol == ESP for packet in seen)
    other = [packet for packet in seen if packet.protocol != ESP and not IKE & {*packet.ports}]
    assert not other, "\n".join(str(packet) for packet in other)


def virtual_addresses(host, link: str) -> list:
    """What charon has put there."""
    return re.findall(r"inet6? (10\.20\.9\.\d+|2001:db8:20:9::[\da-f]+)/", host.output("ip", "address", "show", link))


@pytest.mark.parametrize("transport", ["dot", "doh"])
def test_policies(net, offered, transport):
    laptop, plan = net.laptop, net.corp.plan
    net.corp.configure(swanctl.gateway(plan, encrypted_dns=swanctl.handing_out(
        plan, resolvers={transport: getattr(swanctl, transport)(plan)})))
    laptop.configure(swanctl.laptop([plan]))
    before = laptop.resolvectl()
    with net.watch() as watch:
        laptop.connect("corp")
        status = laptop.wait_in_force("corp")
        assert sorted(virtual_addresses(laptop.host, "wifi0")) == sorted(status["virtual-ips"])
        assert "proto esp" in laptop.host.output("ip", "xfrm", "state")
        assert laptop.host.run("ip", "link", "show", "ipsec0", check=False).returncode
        internal_names_resolve(net, net.corp)
        public_names_go_to_the_hotel(net)
        laptop.disconnect("corp")
        back_to(net, before)
        evidence = watch.evidence()
    assert virtual_addresses(laptop.host, "wifi0") == []
    no_leak(net, evidence)
    tunnel_and_nothing_else(net, evidence)
    only_tls_to_the_resolver(net.corp, evidence, *([DOH] if transport == "doh" else []))


@pytest.fixture
def xfrm(net):
    """An XFRM interface as the manual says that it is made."""
    host = net.laptop.host
    files = re.findall(r"<!-- test: (/\S+) -->\n```\n(.*?)```", (SOURCE / "doc/operation.md").read_text(), re.S)
    assert len(files) == 3
    for path, text in files:
        host.write(path, text.replace("10.20.0.0/16", net.corp.plan.subnets[0]))
    host.run("networkctl", "reload")
    wait_for(lambda: "UP" in host.run("ip", "link", "show", "xfrm0", check=False).stdout, "xfrm0")
    host.systemctl("restart", "strongswan.service")
    yield
    host.remove(*(path for path, _ in files))
    host.run("networkctl", "reload")
    host.run("ip", "link", "delete", "xfrm0")
    host.systemctl("restart", "strongswan.service")


@pytest.mark.parametrize("address_on", ["xfrm0", "wifi0"])
def test_xfrm_interface(net, offered, xfrm, address_on):
    """The virtual IP on the interface, as we advise, and where charon puts it otherwise."""
    laptop, host, plan = net.laptop, net.laptop.host, net.corp.plan
    if address_on == "wifi0":
        host.remove("/etc/strongswan.d/xfrm.conf")
        host.systemctl("restart", "strongswan.service")
    laptop.configure(swanctl.laptop([plan], families=(4,), if_id_in=42, if_id_out=42))
    before = laptop.resolvectl()
    with net.watch() as watch:
        laptop.connect("corp")
        laptop.wait_in_force("corp")
        assert virtual_addresses(host, address_on)
        internal_names_resolve(net, net.corp)
        public_names_go_to_the_hotel(net)
        if address_on == "xfrm0":
            assert host.run("ping", "-c1", "-W20", plan.resolver[0]).returncode == 0
        host.run("ip", "link", "set", "xfrm0", "down")
        internal_names_fail(net, net.corp)
        host.run("ip", "link", "set", "xfrm0", "up")
        host.run("networkctl", "reconfigure", "xfrm0")
        wait_for(lambda: laptop.lookup(f"ci.lab.{plan.domain}"), "names again")
        laptop.disconnect("corp")
        back_to(net, before)
        evidence = watch.evidence()
    no_leak(net, evidence)
    tunnel_and_nothing_else(net, evidence)


@pytest.fixture
def networkd(net):
    """Debian's networkd, with no configuration but that of the uplink."""
    host, conf = net.laptop.host, "/etc/systemd/networkd.conf.d/testbed.conf"
    kept = host.read(conf)
    host.remove(conf)
    host.systemctl("restart", "systemd-networkd.service")
    yield host
    host.write(conf, kept)
    host.remove("/etc/systemd/network/10-wifi0.network.d")
    host.systemctl("restart", "systemd-networkd.service")


def test_networkd_told_to_keep_what_is_not_its_own(net, offered, networkd):
    """As the manual advises: names go on resolving while networkd reloads, reconfigures the link, and restarts."""
    laptop, host = net.laptop, networkd
    host.write("/etc/systemd/networkd.conf.d/keep.conf",
               "[Network]\nManageForeignRoutingPolicyRules=no\nManageForeignRoutes=no\n")
    host.write("/etc/systemd/network/10-wifi0.network.d/keep.conf", "[Network]\nKeepConfiguration=static\n")
    host.systemctl("restart", "systemd-networkd.service")
    laptop.uplink()
    laptop.configure(swanctl.laptop([net.corp.plan]))
    with net.watch() as watch:
        laptop.connect("corp")
        laptop.wait_in_force("corp")
        for command in ("networkctl reload", "networkctl reconfigure wifi0", "systemctl restart systemd-networkd"):
            host.run(*command.split())
            host.run("networkctl", "status", "wifi0")
            assert len(virtual_addresses(host, "wifi0")) == 2, command
            internal_names_resolve(net, net.corp)
        laptop.disconnect("corp")
        evidence = watch.evidence()
    host.remove("/etc/systemd/networkd.conf.d/keep.conf")
    no_leak(net, evidence)
    tunnel_and_nothing_else(net, evidence)


def test_networkd_takes_the_virtual_ip(net, offered, networkd):
    """As it does unless told otherwise: names fail, none leaks, and the next connection is as good as the first."""
    laptop, host = net.laptop, networkd
    laptop.configure(swanctl.laptop([net.corp.plan]))
    before = laptop.resolvectl()
    with net.watch() as watch:
        laptop.connect("corp")
        laptop.wait_in_force("corp")
        internal_names_resolve(net, net.corp)
        host.run("networkctl", "reconfigure", "wifi0")
        wait_for(lambda: virtual_addresses(host, "wifi0") == [], "networkd to take the virtual IP")
        internal_names_fail(net, net.corp)
        assert not laptop.status_of("corp")["in-force"]
        public_names_go_to_the_hotel(net)
        laptop.disconnect("corp")
        back_to(net, before)
        laptop.connect("corp")
        laptop.wait_in_force("corp")
        internal_names_resolve(net, net.corp)
        laptop.disconnect("corp")
        back_to(net, before)
        evidence = watch.evidence()
    no_leak(net, evidence)
    tunnel_and_nothing_else(net, evidence)
