"""The main job: connect, and internal names resolve through the enterprise's DoT server and nowhere else."""

import pytest

from expect import (PUBLIC, assert_hotel_heard_nothing_of, back_to, internal_names_resolve, no_leak,
                    only_tls_to_the_resolver, public_names_go_to_the_hotel, same)
from testbed import swanctl

FAMILIES = [pytest.param((4,), id="ipv4"), pytest.param((6,), id="ipv6"),
            pytest.param((4, 6), id="both", marks=pytest.mark.kernel_esp)]


@pytest.mark.parametrize("families", FAMILIES)
def test_split_tunnel(net, families):
    corp, laptop = net.corp, net.laptop
    corp.configure(swanctl.gateway(corp.plan, families, encrypted_dns=swanctl.handing_out(corp.plan)))
    laptop.configure(swanctl.laptop([corp.plan], families))
    before = laptop.resolvectl()
    with net.watch() as watch:
        laptop.connect("corp")
        status = laptop.wait_in_force("corp")
        internal_names_resolve(net, corp)
        public_names_go_to_the_hotel(net)
        watch.note_interfaces()
        laptop.disconnect("corp")
        back_to(net, before)
        evidence = watch.evidence()
    assert status["mode"] == "split"
    no_leak(net, evidence)
    only_tls_to_the_resolver(corp, evidence)


def test_split_tunnel_over_ipv6(net):
    """The tunnel's outer addresses are IPv6."""
    corp, laptop = net.corp, net.laptop
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan)))
    laptop.configure(swanctl.laptop([corp.plan], outer=6))
    with net.watch() as watch:
        laptop.connect("corp")
        laptop.wait_in_force("corp")
        internal_names_resolve(net, corp)
        evidence = watch.evidence()
    no_leak(net, evidence)


@pytest.mark.parametrize("families", FAMILIES)
def test_full_tunnel(net, families):
    """Every name goes to the enterprise, the domains that it names make no difference."""
    corp, laptop = net.corp, net.laptop
    corp.configure(swanctl.gateway(corp.plan, families, full=True, encrypted_dns=swanctl.handing_out(corp.plan)))
    laptop.configure(swanctl.laptop([corp.plan], families, full=True))
    before = laptop.resolvectl()
    laptop.connect("corp")
    status = laptop.wait_in_force("corp")
    assert status["mode"] == "full"
    net.hotel_dns.forget()
    with net.watch() as watch:
        internal_names_resolve(net, corp)
        assert laptop.lookup(PUBLIC) == same(corp.plan.everything)
        evidence = watch.evidence()
    assert PUBLIC in corp.resolver.names()
    assert net.hotel_dns.names() == set()
    no_leak(net, evidence)
    assert not evidence.readable([PUBLIC], evidence.outside())
    laptop.disconnect("corp")
    back_to(net, before)


def test_gateway_without_encrypted_dns(net):
    """A gateway that has never heard of RFC 9464: its resolver is asked inside the tunnel, in the clear as it offers
    it, for its domains only."""
    corp, laptop = net.corp, net.laptop
    corp.configure(swanctl.gateway(corp.plan, pool_options={"dns": corp.plan.resolver[0], "25": corp.plan.domain}))
    laptop.configure(swanctl.laptop([corp.plan]))
    before = laptop.resolvectl()
    with net.watch() as watch:
        laptop.connect("corp")
        laptop.wait_in_force("corp")
        internal_names_resolve(net, corp)
        public_names_go_to_the_hotel(net)
        laptop.disconnect("corp")
        back_to(net, before)
        evidence = watch.evidence()
    outside = evidence.readable([corp.plan.domain], evidence.outside())
    assert not outside, "\n".join(str(packet) for packet in outside)
    inside = evidence.readable([corp.plan.domain], evidence.inside())
    assert inside and all(53 in packet.ports for packet in inside)


def test_gateway_without_encrypted_dns_is_refused_where_it_is_required(net):
    corp, laptop = net.corp, net.laptop
    corp.configure(swanctl.gateway(corp.plan, pool_options={"dns": corp.plan.resolver[0], "25": corp.plan.domain}))
    laptop.configure(swanctl.laptop([corp.plan], encrypted_dns={
        "laptop": {"connections": "corp", "require-encrypted": "yes"}}))
    laptop.connect("corp")
    for name in corp.plan.names:
        assert laptop.lookup(name) != same(corp.plan.names[name])
    assert corp.resolver.names() == set()


@pytest.mark.kernel_esp
def test_two_enterprises_at_once(net, branch):
    """Names never cross, neither on the way nor at the resolvers."""
    laptop, both = net.laptop, [net.corp, branch]
    before = laptop.resolvectl()
    for enterprise in both:
        enterprise.configure(swanctl.gateway(enterprise.plan, encrypted_dns=swanctl.handing_out(enterprise.plan)))
    laptop.configure(swanctl.laptop([enterprise.plan for enterprise in both]))
    with net.watch() as watch:
        for enterprise in both:
            laptop.connect(enterprise.plan.name)
            laptop.wait_in_force(enterprise.plan.name)
        for enterprise in both:
            internal_names_resolve(net, enterprise)
        public_names_go_to_the_hotel(net)
        assert len(laptop.links()) == 2
        for here, other in (both, both[::-1]):
            assert not any(name.endswith(other.plan.domain) for name in here.resolver.names())
        # One ends, the other stays.
        laptop.disconnect("corp")
        branch.resolver.forget()
        internal_names_resolve(net, branch)
        laptop.disconnect("branch")
        back_to(net, before)
        evidence = watch.evidence()
    no_leak(net, evidence)
    for enterprise in both:
        only_tls_to_the_resolver(enterprise, evidence)


@pytest.mark.kernel_esp
def test_the_gateway_ends_the_connection(net):
    """An orderly end by the peer releases the domains just as the user's own does."""
    corp, laptop = net.corp, net.laptop
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan)))
    laptop.configure(swanctl.laptop([corp.plan]))
    before = laptop.resolvectl()
    laptop.connect("corp")
    laptop.wait_in_force("corp")
    corp.swanctl.terminate("rw")
    back_to(net, before)


def test_nothing_cached_survives(net):
    """An internal name that was resolved is not answered from a cache once the tunnel is down."""
    corp, laptop = net.corp, net.laptop
    name = f"intranet.{corp.plan.domain}"
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan)))
    laptop.configure(swanctl.laptop([corp.plan]))
    before = laptop.resolvectl()
    laptop.connect("corp")
    laptop.wait_in_force("corp")
    internal = same(corp.plan.names[name])
    assert laptop.host.output("resolvectl", "query", "--legend=no", name)
    assert laptop.lookup(name) == internal
    assert_hotel_heard_nothing_of(net, corp)
    laptop.disconnect("corp")
    back_to(net, before)
    cached = laptop.host.run("resolvectl", "query", "--legend=no", name, check=False).stdout
    assert not any(address in cached for address in internal)
