"""Two connections whose gateways claim the same domain (RFC 8598, section 8)."""

import pytest

from expect import back_to, internal_names_resolve
from testbed import swanctl
from testbed.util import wait_for


def sections(net, branch, **settings) -> dict:
    """A laptop's section per connection, each of which takes whatever its gateway says."""
    return {enterprise.plan.name: {"connections": enterprise.plan.name, **settings} for enterprise in (net.corp, branch)}


@pytest.fixture
def rivals(net, branch):
    """Two gateways that both claim corp's domain; the second one has one of its own besides."""
    corp = net.corp.plan
    net.corp.configure(swanctl.gateway(corp, encrypted_dns=swanctl.handing_out(corp)))
    branch.configure(swanctl.gateway(branch.plan, encrypted_dns=swanctl.handing_out(
        branch.plan, domains=[f"lab.{corp.domain}", branch.plan.domain])))
    return branch


def test_who_comes_first_keeps_the_domain_until_it_goes(net, rivals):
    laptop, branch = net.laptop, rivals
    before = laptop.resolvectl()
    laptop.configure(swanctl.laptop([net.corp.plan, branch.plan], encrypted_dns=sections(net, branch)))
    for name in ("corp", "branch"):
        laptop.connect(name)
        laptop.wait_in_force(name)
    assert laptop.status_of("branch")["domains"] == [branch.plan.domain]
    refused, = laptop.status_of("branch")["refused"]
    assert refused["value"] == "lab.corp.example" and refused["why"].startswith("corp holds it")
    assert "branch: lab.corp.example is not taken" in laptop.host.output(
        "journalctl", "-q", "-u", "encdnsd", "-p", "warning", "-n", "20", "-o", "cat")
    internal_names_resolve(net, net.corp)
    # The holder releases it, and who waited has it.
    laptop.disconnect("corp")
    wait_for(lambda: "lab.corp.example" in laptop.status_of("branch")["domains"], "branch to get what it waited for")
    laptop.wait_in_force("branch")
    branch.resolver.forget()
    laptop.lookup("ci.lab.corp.example")
    assert "ci.lab.corp.example" in branch.resolver.names()
    laptop.disconnect("branch")
    back_to(net, before)


def test_one_organization_shares_its_domains(net, rivals):
    laptop, branch = net.laptop, rivals
    laptop.configure(swanctl.laptop([net.corp.plan, branch.plan],
                                    encrypted_dns=sections(net, branch, organization="Example Corp")))
    for name in ("corp", "branch"):
        laptop.connect(name)
        laptop.wait_in_force(name)
    assert laptop.status_of("branch")["domains"] == ["lab.corp.example", branch.plan.domain]
