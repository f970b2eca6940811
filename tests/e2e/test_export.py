"""encdnsctl export and pin: what other clients are given, held against what their makers document."""

import json
import plistlib

import pytest

from fresh import findings
from testbed import swanctl
from testbed.util import wait_for

pytestmark = pytest.mark.one_release

# developer.apple.com/documentation/devicemanagement: TopLevel, CommonPayloadKeys, DNSSettings.
APPLE_PROFILE = {"PayloadContent", "PayloadDisplayName", "PayloadIdentifier", "PayloadType", "PayloadUUID", "PayloadVersion"}
APPLE_PAYLOAD = APPLE_PROFILE - {"PayloadContent"} | {"DNSSettings"}
APPLE_DNS = {"DNSProtocol", "ServerAddresses", "ServerName", "ServerURL", "SupplementalMatchDomains"}
# mozilla.github.io/policy-templates: DNSOverHTTPS.
FIREFOX = {"Enabled": bool, "ProviderURL": str, "Locked": bool, "ExcludedDomains": list, "Fallback": bool}
# chromeenterprise.google/policies: DnsOverHttpsMode, DnsOverHttpsTemplates.
CHROME_MODES = {"off", "automatic", "secure"}


@pytest.fixture
def offer(net):
    """A gateway with a DoT and a DoH resolver, or what of it a test asks for."""
    plan = net.corp.plan
    dot = {"adn": plan.adn, "addresses": plan.resolver, "alpn": "dot"}
    doh = {"adn": f"doh.{plan.domain}", "addresses": plan.resolver[0], "alpn": "h2", "port": "8443",
           "dohpath": '"/dns-query{?dns}"', "priority": "2"}

    def configure(**chosen):
        resolvers = {name: settings for name, settings in (("dot", dot), ("doh", doh)) if chosen.get(name, True)}
        net.corp.configure(swanctl.gateway(plan, encrypted_dns=swanctl.handing_out(plan, resolvers=resolvers)))
        return plan
    return configure


def export(net, name, check=True):
    return net.corp.gateway.run("encdnsctl", "export", "--format", name, check=check)


def profile_of(net) -> dict:
    profile = plistlib.loads(export(net, "mobileconfig").stdout.encode())
    assert set(profile) <= APPLE_PROFILE and profile["PayloadType"] == "Configuration"
    payload, = profile["PayloadContent"]
    assert set(payload) <= APPLE_PAYLOAD and payload["PayloadType"] == "com.apple.dnsSettings.managed"
    assert set(payload["DNSSettings"]) <= APPLE_DNS
    assert payload["PayloadUUID"] != profile["PayloadUUID"] and len(payload["PayloadUUID"]) == 36
    return payload["DNSSettings"]


def test_apple_by_dot(net, offer):
    plan = offer()
    assert profile_of(net) == {"DNSProtocol": "TLS", "ServerAddresses": list(plan.resolver), "ServerName": plan.adn,
                               "SupplementalMatchDomains": [plan.domain]}


def test_apple_by_doh(net, offer):
    plan = offer(dot=False)
    assert profile_of(net) == {"DNSProtocol": "HTTPS", "ServerAddresses": [plan.resolver[0]],
                               "ServerURL": f"https://doh.{plan.domain}:8443/dns-query",
                               "SupplementalMatchDomains": [plan.domain]}


def test_firefox(net, offer):
    plan = offer()
    done = export(net, "firefox")
    policy = json.loads(done.stdout)
    assert set(policy) == {"policies"} and set(policy["policies"]) == {"DNSOverHTTPS"}
    doh = policy["policies"]["DNSOverHTTPS"]
    assert all(isinstance(value, FIREFOX[key]) for key, value in doh.items())
    assert doh["ProviderURL"] == f"https://doh.{plan.domain}:8443/dns-query" and doh["Enabled"] and doh["Locked"]
    assert "every name" in done.stderr


def test_chrome(net, offer):
    plan = offer()
    policy = json.loads(export(net, "chrome").stdout)
    assert policy["DnsOverHttpsMode"] in CHROME_MODES
    assert policy == {"DnsOverHttpsMode": "secure",
                      "DnsOverHttpsTemplates": f"https://doh.{plan.domain}:8443/dns-query{{?dns}}"}


def test_what_cannot_be_exported(net, offer):
    offer(doh=False)
    done = export(net, "firefox", check=False)
    assert done.returncode == 1 and done.stdout == "" and "no DoH resolver" in done.stderr
    assert export(net, "windows", check=False).returncode == 2
    net.corp.gateway.shell("sed -i 's/alpn = dot/alpn = dto/' /etc/swanctl/swanctl.conf")
    done = export(net, "mobileconfig", check=False)
    assert done.returncode == 1 and done.stdout == "" and "encrypted-dns.corp.resolvers.dot.alpn" in done.stderr


def test_pin(net):
    """From a file and from the server, as openssl computes it; and the gateway takes it."""
    corp, gateway = net.corp, net.corp.gateway
    gateway.write("/root/dns.pem", corp.good_credential.certificate)
    expected = gateway.shell("openssl x509 -in /root/dns.pem -noout -pubkey | openssl pkey -pubin -outform der | "
                             "openssl dgst -sha256 -r | cut -c1-64").strip()
    gateway.shell("openssl x509 -in /root/dns.pem -outform der -out /root/dns.der")
    for what in ("/root/dns.pem", "/root/dns.der", f"{corp.plan.resolver[0]}:853", f"[{corp.plan.resolver[1]}]:853"):
        pins = json.loads(gateway.output("encdnsctl", "pin", "--json", what))["pins"]
        assert pins[0].lower() == f"sha256:{expected}", what
        assert [pin.partition(":")[0] for pin in pins] == ["sha256", "sha384", "sha512"]
    line = next(line for line in gateway.output("encdnsctl", "pin", "/root/dns.pem").splitlines()
                if not line.startswith("#"))
    resolvers = {"dot": {"adn": corp.plan.adn, "addresses": corp.plan.resolver, "alpn": "dot",
                         "pins": line.partition(" = ")[2]}}
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan, resolvers=resolvers)))
    # What charon has loaded reaches encdnsd on a way of its own.
    wait_for(lambda: findings(gateway, "--gateway") == [], "nothing to complain of")
    for bad in ("/root/nothing.pem", "/etc/passwd", "127.0.0.1:1", "a:b:0x"):
        done = gateway.run("encdnsctl", "pin", bad, check=False)
        assert done.returncode in (1, 2) and done.stdout == "" and done.stderr, bad
