"""INTERNAL_ENC_DNS, which came before RFC 9464, between two that give it the same private-use number."""

from expect import back_to, internal_names_fail, internal_names_resolve, no_leak, only_tls_to_the_resolver
from testbed import swanctl

NUMBER = 16400


def configure(net, **resolver):
    """A gateway whose resolver has IPv4 addresses, and a laptop that asks for IPv6 ones by RFC 9464: all that it
    gets is by INTERNAL_ENC_DNS."""
    plan = net.corp.plan
    net.corp.configure(swanctl.gateway(plan, encrypted_dns=swanctl.handing_out(plan, **{
        "internal-enc-dns": NUMBER,
        "resolvers": {"dot": {"adn": plan.adn, "addresses": plan.resolver[0], "alpn": "dot", **resolver}}})))
    net.laptop.configure(swanctl.laptop([plan], encrypted_dns={"laptop": {
        "accept-domains": plan.domain, "request": "ipv6", "internal-enc-dns": NUMBER}}))


def test_names_resolve(net):
    before = net.laptop.resolvectl()
    configure(net)
    with net.watch() as watch:
        net.laptop.connect("corp")
        server, = net.laptop.wait_in_force("corp")["servers"]
        assert server["adn"] == net.corp.plan.adn and server["priority"] == 65535
        internal_names_resolve(net, net.corp)
        net.laptop.disconnect("corp")
        back_to(net, before)
        evidence = watch.evidence()
    no_leak(net, evidence)
    only_tls_to_the_resolver(net.corp, evidence)


def test_the_gateway_cannot_send_queries_outside(net):
    configure(net, **{"outside-tunnel": "yes"})
    net.laptop.connect("corp")
    status = net.laptop.wait_settled("corp")
    assert not status["in-force"] and status["servers"] == []
    assert any(refused["attribute"] == "INTERNAL_ENC_DNS" and "outside the tunnel" in refused["why"]
               for refused in status["refused"])
    internal_names_fail(net, net.corp)
