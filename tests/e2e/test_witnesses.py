"""What we send and understand, in the words of programs that know nothing of us: wireshark's dissector on decrypted
IKE messages, dnspython's SvcParams, openssl's digests, ldns' DS records."""

import struct

import pytest

from expect import internal_names_resolve
from testbed import swanctl, wireshark, witness, zone
from testbed.capture import Capture

DOH = "doh.corp.example"
PLAIN_TYPES = {1, 3, 8, 10}  # addresses and plain DNS servers of both families


@pytest.fixture(scope="module")
def made(network):
    """A zone with its DS record, and a certificate besides the resolver's own."""
    corp = network.corp
    return zone.signed(zone.unsigned(corp.plan.domain, corp.plan.names)), corp.authority.issue(DOH)


def gateway(corp, **settings) -> str:
    return swanctl.gateway(corp.plan, **settings).replace(
        "version = 2", f"version = 2\n        proposals = {wireshark.PROPOSAL}")


def laptop_asks(corp, **options) -> str:
    return swanctl.laptop([corp.plan], proposals=wireshark.PROPOSAL, encrypted_dns={
        "laptop": {"accept-trust-anchors": corp.plan.domain, "hash-algorithms": "sha384, sha256", **options}})


# I1 to I4, R1 to R3, R7, R8
def test_wireshark_reads_what_we_send(net, made, pytestconfig):
    """Both directions of a configuration exchange, octet by octet."""
    corp, laptop = net.corp, net.laptop
    signed, other = made
    corp.serve(zone_files=[signed])
    corp.gateway.write("/etc/swanctl/x509/dot.pem", corp.good_credential.certificate)
    corp.gateway.write("/etc/swanctl/x509/doh.pem", other.certificate)
    v4, v6 = corp.plan.resolver
    corp.configure(gateway(corp, encrypted_dns={"corp": {
        "connections": "rw",
        "resolvers": {
            "dot": {"adn": corp.plan.adn, "addresses": [v4, v6], "alpn": "dot", "certificates": "dot.pem"},
            "doh": {"adn": DOH, "addresses": v4, "alpn": "h2", "dohpath": '"/dns-query{?dns}"', "port": "8443",
                    "priority": "2", "certificates": "doh.pem"}},
        "domains": [corp.plan.domain, "lab.example"],
        "trust-anchors": signed.anchor}}))
    with wireshark.KeySaver(laptop.host, pytestconfig.getoption("laptop_release")) as saver:
        laptop.configure(laptop_asks(corp))
        capture = Capture(laptop.host)
        try:
            laptop.connect("corp")
            laptop.wait_in_force("corp")
            internal_names_resolve(net, corp)
        finally:
            capture.stop()
        sent = wireshark.configurations(capture.path, saver.keys())
    assert [configuration.type for configuration in sent] == [wireshark.REQUEST, wireshark.REPLY]
    request, reply = ([attribute for attribute in configuration.attributes if attribute[0] not in PLAIN_TYPES]
                      for configuration in sent)
    assert sorted(request) == sorted([
        (witness.ENCDNS_IP4, b""), (witness.ENCDNS_IP6, b""),
        (witness.DIGEST_INFO, struct.pack("!BBHH", 2, 0, witness.HASHES["sha384"], witness.HASHES["sha256"])),
        (witness.DOMAIN, b""), (witness.TRUST_ANCHOR, b"")])
    anchored = [witness.domain(corp.plan.domain), witness.trust_anchor(signed.ds)]
    assert sorted(reply) == sorted([
        witness.encdns(v4, corp.plan.adn, "alpn=dot"), witness.encdns(v6, corp.plan.adn, "alpn=dot"),
        witness.encdns(v4, DOH, 'alpn=h2 port=8443 key7="/dns-query{?dns}"', 2),
        witness.digest(corp.good_credential.certificate, corp.plan.adn, "sha384"),
        witness.digest(other.certificate, DOH, "sha384"), *anchored, witness.domain("lab.example")])
    follows = reply.index(anchored[0]) + 1
    assert reply[follows:follows + 1] == anchored[1:]


# I6, I11, I13, I24, I25
def test_we_understand_what_others_encode(net, made):
    """A reply that no code of ours has touched: all of it counts."""
    corp, laptop = net.corp, net.laptop
    signed, other = made
    corp.serve(zone_files=[signed])
    v4, v6 = corp.plan.resolver
    corp.hand_out([
        witness.encdns(v4, DOH, 'alpn=h2 port=8443 key7="/q{?dns}" key65000=x', 7),
        witness.encdns(v4, corp.plan.adn, "mandatory=alpn,port alpn=dot,doq port=853", 3),
        witness.digest(other.certificate, DOH, "sha384"),
        witness.digest(other.certificate, corp.plan.adn),
        witness.digest(corp.good_credential.certificate, corp.plan.adn, "sha384"),
        witness.domain(corp.plan.domain), witness.trust_anchor(signed.ds)],
        [witness.encdns(v6, corp.plan.adn, "alpn=dot", 5)], gateway(corp))
    laptop.configure(laptop_asks(corp))
    laptop.connect("corp")
    laptop.wait_in_force("corp")
    internal_names_resolve(net, corp)
    status = laptop.status_of("corp")
    assert status["refused"] == []
    assert status["domains"] == [corp.plan.domain]
    tag, algorithm, digest_type, hexadecimal = signed.ds.split()
    assert [{key: anchor[key] for key in ("domain", "key-tag", "algorithm", "digest-type", "digest")}
            for anchor in status["trust-anchors"]] == [
        {"domain": corp.plan.domain, "key-tag": int(tag), "algorithm": int(algorithm),
         "digest-type": int(digest_type), "digest": hexadecimal.lower()}]
    pins = {name: witness.spki_digest(credential.certificate, name) for name, credential in
            (("sha256", other), ("sha384", corp.good_credential))}
    ours = [f"{name}:{value.hex()}" for name, value in pins.items()]
    assert [(server["adn"], server["addresses"], server["port"], server["transport"], server["priority"],
             server["dohpath"], sorted(pin.lower() for pin in server["pins"])) for server in status["servers"]] == [
        (corp.plan.adn, [v4], 853, "DoT", 3, None, ours),
        (corp.plan.adn, [v6], 853, "DoT", 5, None, ours),
        (DOH, [v4], 8443, "DoH", 7, "/q{?dns}", [f"sha384:{witness.spki_digest(other.certificate, 'sha384').hex()}"])]
    assert status["servers"][0]["authenticated-by"] == "digest"
