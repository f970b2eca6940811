"""DoT and DoH to real servers, authenticated by certificate or by digest; what happens when a server changes its key,
goes and comes back."""

import re

import pytest

from expect import (assert_hotel_heard_nothing_of, internal_names_fail, internal_names_resolve, no_leak,
                    only_tls_to_the_resolver, same)
from testbed import swanctl
from testbed.ca import Authority
from testbed.capture import DOH, DOT
from testbed.util import wait_for

pytestmark = pytest.mark.one_release

TRANSPORTS = {"DoT": (swanctl.dot, DOT), "DoH": (swanctl.doh, DOH)}


@pytest.fixture
def unbound(net):
    return net.corp.serve


@pytest.fixture
def dnsdist(net):
    """In place of unbound on the ports of DoT and DoH; unbound behind it."""
    def serve(credential=None, **settings):
        net.corp.resolver.start()
        net.corp.dnsdist.start(credential or net.corp.good_credential, **settings)
    yield serve
    net.corp.dnsdist.stop()


@pytest.fixture
def stranger(net):
    """Issues certificates for the resolver by an authority that no laptop trusts."""
    authority = Authority("somebody's own authority")
    return lambda: authority.issue(net.corp.plan.adn)


def connect(net, **resolvers):
    """Connects to a gateway that hands out these resolvers."""
    corp, laptop = net.corp, net.laptop
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan, resolvers=resolvers)))
    laptop.configure(swanctl.laptop([corp.plan]))
    laptop.connect("corp")
    laptop.wait_settled("corp")


def servers(net) -> list:
    return net.laptop.status_of("corp")["servers"]


def used(net) -> dict:
    """The server that is asked: of one that has IPv4 and IPv6 addresses the gateway sends two entries."""
    return next(server for server in servers(net) if server["in-use"])


def pins(*credentials) -> list:
    return [f"sha256:{credential.pin()}" for credential in credentials]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("program", ["unbound", "dnsdist"])
def test_transport(net, request, transport, program):
    corp = net.corp
    request.getfixturevalue(program)()
    entry, port = TRANSPORTS[transport]
    with net.watch() as watch:
        connect(net, one=entry(corp.plan))
        net.laptop.wait_in_force("corp")
        internal_names_resolve(net, corp)
        told = used(net)
        watch.note_interfaces()
        evidence = watch.evidence()
    assert (told["transport"], told["port"], told["state"]) == (transport, port, "connected")
    assert (told["authenticated-by"], told["tls-version"]) == ("certificate", "TLSv1.3")
    assert told["queries"] >= told["answers"] >= len(corp.plan.names)
    assert 0 < told["rtt-median-usec"] <= told["rtt-p99-usec"] and told["handshake-usec"] > 0
    # dnsdist closes what was idle for two seconds: asked again, it is connected again.
    line = f"{transport}, connected, in use, authenticated by certificate\n"
    said = wait_for(lambda: net.laptop.lookup(f"intranet.{corp.plan.domain}")
                    and (text := net.laptop.host.output("encdnsctl", "status")) and line in text and text, line)
    assert re.search(r"TLSv1\.3, \d+ queries, 0 failures, round trip [\d.]+ ms .*, handshake [\d.]+ ms\n", said)
    no_leak(net, evidence)
    only_tls_to_the_resolver(corp, evidence, port)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_pinned(net, stranger, transport):
    """A private authority that the laptop does not trust is no hindrance where the gateway sends digests."""
    corp = net.corp
    entry, port = TRANSPORTS[transport]
    credential = stranger()
    corp.serve(credential)
    corp.gateway.write("/etc/swanctl/x509/dns.pem", credential.certificate)
    with net.watch() as watch:
        connect(net, one=entry(corp.plan, certificates="dns.pem"))
        net.laptop.wait_in_force("corp")
        internal_names_resolve(net, corp)
        told = used(net)
        watch.note_interfaces()
        evidence = watch.evidence()
    assert (told["state"], told["authenticated-by"]) == ("connected", "digest")
    no_leak(net, evidence)
    only_tls_to_the_resolver(corp, evidence, port)


def test_private_authority(net, stranger):
    """The same authority without digests: only where the laptop names it for the connection."""
    corp, laptop = net.corp, net.laptop
    authority = Authority("the resolvers' own authority")
    laptop.host.write("/etc/swanctl/x509ca/dns.pem", authority.certificate)
    corp.serve(authority.issue(corp.plan.adn))
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan)))
    section = {"accept-domains": corp.plan.domain}
    try:
        for extra, works in (({}, False), ({"ca-certificates": "dns.pem"}, True)):
            laptop.configure(swanctl.laptop([corp.plan], encrypted_dns={"laptop": {**section, **extra}}))
            laptop.connect("corp")
            laptop.wait_settled("corp")
            (internal_names_resolve if works else internal_names_fail)(net, corp)
            laptop.disconnect("corp")
        corp.serve(stranger())
        laptop.connect("corp")
        laptop.wait_settled("corp")
        internal_names_fail(net, corp)
    finally:
        laptop.host.remove("/etc/swanctl/x509ca/dns.pem")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_rollover(net, stranger, transport):
    """The server changes from the first key to the second under a connection in use."""
    corp, laptop = net.corp, net.laptop
    first, second = stranger(), stranger()
    corp.serve(first)
    connect(net, one=TRANSPORTS[transport][0](corp.plan, pins=pins(first, second)))
    laptop.wait_in_force("corp")
    internal_names_resolve(net, corp)
    corp.serve(second)
    wait_for(lambda: laptop.lookup(f"mail.{corp.plan.domain}"), "an answer under the second key", 10)
    internal_names_resolve(net, corp)
    assert used(net)["authenticated-by"] == "digest"


def test_digest_mismatch(net, stranger):
    """Final for that server until the IKE_SA ends, however often it is asked and whatever the server does then."""
    corp, laptop = net.corp, net.laptop
    expected, other = stranger(), stranger()
    corp.serve(other)
    mark = laptop.host.cursor()
    with net.watch() as watch:
        connect(net, one=swanctl.dot(corp.plan, pins=pins(expected)))
        internal_names_fail(net, corp)
        for told in servers(net):
            assert (told["state"], told["in-use"]) == ("refused", False)
            assert told["authenticated-by"] is None
        assert laptop.wait_settled("corp")["state"] == "failing"
        for said in (told["last-error"], laptop.host.run("encdnsctl", "status", check=False).stdout,
                     laptop.host.journal("encdnsd.service", after=mark)):
            assert f"does not match the gateway's digest: its SHA2-256 digest is {other.pin()}" in said
        corp.serve(expected)
        internal_names_fail(net, corp)
        assert corp.resolver.names() == set()
        laptop.disconnect("corp")
        laptop.connect("corp")
        laptop.wait_settled("corp")
        laptop.wait_in_force("corp")
        internal_names_resolve(net, corp)
        watch.note_interfaces()
        evidence = watch.evidence()
    no_leak(net, evidence)


def test_good_certificate_does_not_help_against_a_digest(net, stranger):
    corp = net.corp
    connect(net, one=swanctl.doh(corp.plan, pins=pins(stranger())))
    internal_names_fail(net, corp)
    assert {told["state"] for told in servers(net)} == {"refused"}


def test_failover(net, dnsdist):
    """From the first service priority to the second and back."""
    corp, laptop = net.corp, net.laptop
    corp.resolver.start(corp.good_credential, ports=(DOH,))
    corp.dnsdist.start(corp.good_credential, doh=False)
    through_dnsdist = {*corp.plan.resolver}

    def asked_by_dnsdist(name: str) -> bool:
        assert laptop.lookup(name) == same(corp.plan.names[name])
        return corp.resolver.queries()[-1].client in through_dnsdist

    intranet = f"intranet.{corp.plan.domain}"
    with net.watch() as watch:
        connect(net, first=swanctl.dot(corp.plan, priority=1), second=swanctl.doh(corp.plan, priority=2))
        laptop.wait_in_force("corp")
        # The second may be connected before the first is.
        wait_for(lambda: asked_by_dnsdist(intranet), "an answer by the first priority", 15)
        corp.dnsdist.stop()
        assert not asked_by_dnsdist(intranet)
        assert (used(net)["transport"], used(net)["state"]) == ("DoH", "connected")
        for told in servers(net):
            if told["transport"] == "DoT":
                assert told["state"] == "failed" and "refused" in told["last-error"]
        corp.dnsdist.start(corp.good_credential, doh=False)
        wait_for(lambda: asked_by_dnsdist(intranet), "the way back to the first priority", 15)
        internal_names_resolve(net, corp)
        watch.note_interfaces()
        evidence = watch.evidence()
    no_leak(net, evidence)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("program", ["unbound", "dnsdist"])
def test_server_restarts(net, request, transport, program):
    """Under a connection in use: the next answer comes as soon as the server is there again."""
    corp, laptop = net.corp, net.laptop
    serve = request.getfixturevalue(program)
    serve()
    connect(net, one=TRANSPORTS[transport][0](corp.plan))
    laptop.wait_in_force("corp")
    for _ in range(3):
        internal_names_resolve(net, corp)
        serve()
        wait_for(lambda: laptop.lookup(f"mail.{corp.plan.domain}"), "an answer after the restart", 3)
    assert_hotel_heard_nothing_of(net, corp)
    assert used(net)["state"] == "connected"
