"""Resolvers that cannot prove who they are get no question, and nobody else gets it instead."""

import pytest

from expect import back_to, internal_names_fail, internal_names_resolve, no_leak, public_names_go_to_the_hotel
from testbed import swanctl
from testbed.ca import Authority
from testbed.util import wait_for


def wrong_name(corp):
    return corp.authority.issue("other.corp.test"), "name"


def common_name_only(corp):
    return corp.authority.issue("other.corp.test", common_name=corp.plan.adn), "name"


def expired(corp):
    return corp.authority.issue(corp.plan.adn, expired=True), "expired"


def unknown_issuer(corp):
    return Authority("somebody's own authority").issue(corp.plan.adn), "trust store"


@pytest.mark.parametrize("kind", [wrong_name, common_name_only, expired, unknown_issuer])
def test_bad_certificate(net, kind):
    """No answer, a readable reason, nothing to the hotel; also where the gateway offers the same server unencrypted."""
    corp, laptop = net.corp, net.laptop
    credential, reason = kind(corp)
    corp.serve(credential)
    corp.configure(swanctl.gateway(corp.plan, pool_options={"dns": corp.plan.resolver[0], "25": corp.plan.domain},
                                   encrypted_dns=swanctl.handing_out(corp.plan)))
    laptop.configure(swanctl.laptop([corp.plan]))
    before = laptop.resolvectl()
    with net.watch() as watch:
        laptop.connect("corp")
        laptop.wait_settled("corp")
        internal_names_fail(net, corp)
        assert corp.resolver.names() == set()
        said = laptop.host.run("encdnsctl", "status", check=False).stdout.lower()
        assert reason in said, said
        public_names_go_to_the_hotel(net)
        # With the certificate put right, the same connection works.
        corp.serve()
        wait_for(lambda: laptop.lookup(f"mail.{corp.plan.domain}"), "an answer after the certificate was put right", 70)
        internal_names_resolve(net, corp)
        laptop.disconnect("corp")
        back_to(net, before)
        evidence = watch.evidence()
    no_leak(net, evidence)


def test_resolver_down(net):
    """No resolver, no answer: not from the hotel either."""
    corp, laptop = net.corp, net.laptop
    corp.resolver.stop()
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan)))
    laptop.configure(swanctl.laptop([corp.plan]))
    with net.watch() as watch:
        laptop.connect("corp")
        laptop.wait_settled("corp")
        internal_names_fail(net, corp)
        public_names_go_to_the_hotel(net)
        evidence = watch.evidence()
    no_leak(net, evidence)


def test_resolver_outside_the_tunnel_is_refused(net):
    """A client hello to it would show the ADN to the hotel."""
    corp, laptop = net.corp, net.laptop
    outside = {"dot": {"adn": corp.plan.adn, "addresses": "198.51.100.1", "alpn": "dot"}}
    net.hotel_dns.start(corp.good_credential)
    try:
        corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan, resolvers=outside)))
        laptop.configure(swanctl.laptop([corp.plan]))
        with net.watch() as watch:
            laptop.connect("corp")
            laptop.wait_settled("corp")
            internal_names_fail(net, corp)
            evidence = watch.evidence()
        no_leak(net, evidence)
    finally:
        net.hotel_dns.start()
