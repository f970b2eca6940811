"""README.md from its first command to its last, on hosts that have strongSwan and resolved and nothing of ours: packages,
the gateway's lines and the laptop's, a connection, and encdnsctl check with nothing to say on both sides."""

import pytest

from expect import internal_names_fail, internal_names_resolve, public_names_go_to_the_hotel
from fresh import block, findings, install, network
from testbed.dnsserver import DnsServer
from testbed.network import HOTEL, HOTEL_EVERYTHING
from testbed.util import wait_for

pytestmark = [pytest.mark.one_release, pytest.mark.not_sanitized("it installs the packages that users get")]


@pytest.fixture
def fresh(pytestconfig, tmp_path):
    with network(pytestconfig, tmp_path, "fresh") as net:
        yield net


def test_the_readme_from_its_first_command_to_its_last(fresh):
    corp, laptop = fresh.corp, fresh.laptop
    install(corp.gateway, "a gateway")
    install(laptop.host, "a laptop")

    # What the README takes for granted: certificates of an authority that both trust, and that the gateway's name is known
    # outside.
    name = "vpn.example.net"
    corp.swanctl.own("gateway", corp.authority.issue("vpn.corp.example"))
    laptop.swanctl.own("laptop", corp.authority.issue("laptop@corp.example"))
    corp.gateway.write("/usr/local/share/ca-certificates/corp.crt", corp.authority.certificate)
    corp.gateway.run("update-ca-certificates")
    corp.serve(corp.authority.issue(corp.plan.adn, days=60))
    fresh.hotel_dns = DnsServer(fresh.hotel, HOTEL, HOTEL_EVERYTHING, {name: {name: corp.plan.internet}})
    fresh.hotel_dns.start()

    corp.configure(block("gateway"))
    laptop.configure(block("laptop"))
    laptop.host.run("swanctl", "--initiate", "--child", "corp")
    laptop.wait_in_force("corp-vpn")
    fresh.hotel_dns.forget()
    internal_names_resolve(fresh, corp)
    public_names_go_to_the_hotel(fresh)
    assert findings(laptop.host) == []
    assert findings(corp.gateway, "--gateway") == []

    # charon dies, and what was internal fails until it is back; the gateway's own name is not.
    charon = laptop.host.main_pid("strongswan.service")
    laptop.host.kill("strongswan.service")
    wait_for(lambda: laptop.status_of("corp-vpn").get("state") == "blocked", "the block")
    wait_for(lambda: laptop.host.main_pid("strongswan.service") not in (0, charon)
             and laptop.host.active("strongswan.service"), "another charon")
    internal_names_fail(fresh, corp)
    laptop.host.run("swanctl", "--initiate", "--child", "corp")
    laptop.wait_in_force("corp-vpn")
    internal_names_resolve(fresh, corp)
