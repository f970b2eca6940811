"""encdnsctl check: nothing to say where all is fine, and every planted fault named as what it is."""

import json

import pytest

from testbed import swanctl
from testbed.ca import Authority
from testbed.util import SOURCE, wait_for

pytestmark = pytest.mark.one_release

FAULTS = [line.split(None, 3) for line in (SOURCE / "tests/check-faults").read_text().splitlines()
          if line and not line.startswith("#")]
PLUGIN = "/usr/lib/ipsec/plugins/libstrongswan-encdns.so"
LAPTOP_CONF = "/etc/swanctl/swanctl.conf"


def check(host, *arguments) -> dict:
    done = host.run("encdnsctl", "check", "--json", *arguments, check=False, timeout=90)
    report = json.loads(done.stdout)
    assert done.returncode == (1 if report["verdict"] == "broken" else 0)
    return report


def connected(net, connect=True, **offer):
    """A connection that works, or would."""
    corp, laptop = net.corp, net.laptop
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan, **offer)))
    laptop.configure(swanctl.laptop([corp.plan]))
    if connect:
        laptop.connect("corp")
        laptop.wait_settled("corp")


def certificate_on_gateway(net, name, credential):
    net.corp.gateway.write(f"/etc/swanctl/x509/{name}.pem", credential.certificate)


def resolver_of(plan, **settings) -> dict:
    return {"dot": {"adn": plan.adn, "addresses": plan.resolver, "alpn": "dot", **settings}}


def test_fine(net):
    connected(net)
    report = check(net.laptop.host)
    assert [finding for finding in report["findings"] if finding["verdict"] != "fine"] == []
    assert report["verdict"] == "fine"
    named = {finding["check"] for finding in report["findings"]}
    assert {"charon", "plugin", "resolve-plugin", "configuration", "encdnsd", "loaded", "resolved", "resolver", "state",
            "attributes", "domains", "link", "other-links", "servers", "answers"} == named


def test_fine_gateway(net):
    certificate_on_gateway(net, "dns", net.corp.good_credential)
    connected(net, connect=False, resolvers=resolver_of(net.corp.plan, certificates="dns.pem"))
    report = check(net.corp.gateway, "--gateway")
    # The test's certificates are good for less than the 30 days that are warned of.
    assert [finding for finding in report["findings"]
            if finding["verdict"] != "fine" and "expires in" not in finding["what"]] == []


def test_encdnsd_is_started_by_it(net):
    """The plugin needs a moment to announce itself to the one that was just started."""
    connected(net, connect=False)
    for _ in range(5):
        net.corp.gateway.systemctl("stop", "encdnsd.service")
        plugin = [finding for finding in check(net.corp.gateway, "--gateway")["findings"] if finding["check"] == "plugin"]
        assert [finding["verdict"] for finding in plugin] == ["fine"], plugin


def test_for_people(net):
    """Without a terminal: one finding on a line, what to do below it, no colours."""
    connected(net)
    net.corp.resolver.stop()
    done = net.laptop.host.run("encdnsctl", "check", "corp", check=False, timeout=90)
    assert done.returncode == 1
    assert "\033" not in done.stdout
    lines = done.stdout.splitlines()
    at = next(index for index, line in enumerate(lines) if line.split()[:2] == ["broken", "servers"])
    assert lines[at + 1].strip().startswith("->")
    on_terminal = net.laptop.host.run("script", "-qec", "TERM=xterm stty cols 60; TERM=xterm encdnsctl check corp",
                                      "/dev/null", check=False, timeout=90).stdout
    assert "\033[31m" in on_terminal
    plain = net.laptop.host.run("script", "-qec", "stty cols 60; NO_COLOR=1 TERM=xterm encdnsctl status", "/dev/null",
                                check=False, timeout=90).stdout
    assert "\033[3" not in plain and max(map(len, plain.splitlines())) <= 61


@pytest.mark.parametrize("fault, name, verdict, words", FAULTS, ids=[fault[0] for fault in FAULTS])
def test_fault(net, fault, name, verdict, words):
    try:
        host, arguments = PLANT[fault](net)
        findings = check(host, *arguments)["findings"]
    finally:
        clean_up(net)
    found = [finding for finding in findings if finding["check"] == name and finding["verdict"] == verdict]
    assert any(words in finding["what"] for finding in found), findings
    assert all(finding["advice"] for finding in found)


def test_every_fault_is_planted():
    assert set(PLANT) == {fault[0] for fault in FAULTS} and len(PLANT) >= 20


# Planting. Each says which host to check, and how.


def on_laptop(plant):
    def planted(net):
        arguments = plant(net)
        return net.laptop.host, arguments or ["corp"]
    return planted


def on_gateway(plant):
    def planted(net):
        plant(net)
        return net.corp.gateway, ["--gateway"]
    return planted


@on_laptop
def charon_stopped(net):
    connected(net)
    net.laptop.host.systemctl("stop", "strongswan.service")


@on_laptop
def plugin_not_loaded(net):
    net.laptop.host.shell("sed -i 's/load = yes/load = no/' /etc/strongswan.d/charon/encdns.conf")
    net.laptop.host.systemctl("restart", "strongswan.service")


@on_laptop
def plugin_replaced(net):
    connected(net)
    net.laptop.host.shell(f"cp {PLUGIN} {PLUGIN}.new; mv {PLUGIN}.new {PLUGIN}")


@on_laptop
def resolve_loaded(net):
    net.laptop.host.shell("mv /etc/strongswan.d/encdns-no-resolve.conf /root/")
    net.laptop.host.systemctl("restart", "strongswan.service")


@on_laptop
def key_misspelt(net):
    connected(net)
    net.laptop.host.shell(f"sed -i 's/accept-domains/accept-domain/' {LAPTOP_CONF}")


@on_laptop
def no_section(net):
    net.laptop.configure(swanctl.laptop([net.corp.plan]).partition("encrypted-dns")[0])


@on_laptop
def not_reloaded(net):
    connected(net)
    net.laptop.host.shell(f"sleep 0.1; echo '# changed' >>{LAPTOP_CONF}")


@on_laptop
def encdnsd_masked(net):
    net.laptop.host.systemctl("mask", "--runtime", "encdnsd.service")
    net.laptop.host.systemctl("stop", "encdnsd.service")


@on_laptop
def resolved_stopped(net):
    net.laptop.host.systemctl("mask", "--runtime", "systemd-resolved.service")
    net.laptop.host.systemctl("stop", "systemd-resolved.service")


@on_laptop
def resolv_conf_elsewhere(net):
    connected(net)
    net.laptop.host.shell("mv /etc/resolv.conf /root/; echo nameserver 198.51.100.1 >/etc/resolv.conf")
    wait_for(lambda: not net.laptop.status()["resolved"]["fit"], "encdnsd to notice")


@on_laptop
def firefox_own_dns(net):
    policy = {"policies": {"DNSOverHTTPS": {"Enabled": True, "ProviderURL": "https://doh.example/dns-query"}}}
    net.laptop.host.write("/etc/firefox/policies/policies.json", json.dumps(policy))


@on_laptop
def chromium_own_dns(net):
    net.laptop.host.write("/etc/chromium/policies/managed/dns.json", json.dumps({"DnsOverHttpsMode": "secure"}))


@on_laptop
def not_connected(net):
    connected(net, connect=False)


@on_laptop
def connection_lost(net):
    connected(net)
    net.laptop.host.systemctl("mask", "--runtime", "strongswan.service")
    net.laptop.host.kill("strongswan.service")
    wait_for(lambda: net.laptop.status_of("corp").get("state") == "blocked", "the block")


@on_laptop
def domain_refused(net):
    connected(net, connect=False)
    net.laptop.configure(swanctl.laptop([net.corp.plan], encrypted_dns={"laptop": {"accept-domains": "other.example"}}))
    net.laptop.connect("corp")
    net.laptop.wait_settled("corp")


no_domain_left = domain_refused


@on_laptop
def nothing_encrypted(net):
    plan = net.corp.plan
    net.corp.configure(swanctl.gateway(plan, pool_options={"dns": plan.resolver[0], "25": plan.domain}))
    net.laptop.configure(swanctl.laptop([plan], encrypted_dns={"laptop": {"require-encrypted": "yes"}}))
    net.laptop.connect("corp")
    net.laptop.wait_settled("corp")


@on_laptop
def link_down(net):
    connected(net)
    net.laptop.host.run("ip", "link", "set", "encdns0", "down")
    wait_for(lambda: net.laptop.status_of("corp").get("state") != "in-force", "encdnsd to notice")


@on_laptop
def domain_claimed(net):
    net.laptop.host.write("/run/systemd/resolved.conf.d/claim.conf", "[Resolve]\nDomains=lab.corp.example\n")
    net.laptop.host.systemctl("restart", "systemd-resolved.service")
    connected(net)


@on_laptop
def unknown_authority(net):
    net.corp.serve(Authority("nobody knows it").issue(net.corp.plan.adn))
    connected(net)


@on_laptop
def certificate_expired(net):
    net.corp.serve(net.corp.authority.issue(net.corp.plan.adn, expired=True))
    connected(net)


@on_laptop
def certificate_of_another(net):
    net.corp.serve(net.corp.authority.issue("www.corp.example"))
    connected(net)


@on_laptop
def key_without_digest(net):
    certificate_on_gateway(net, "other", net.corp.authority.issue(net.corp.plan.adn))
    connected(net, resolvers=resolver_of(net.corp.plan, certificates="other.pem"))


@on_laptop
def resolver_down(net):
    connected(net)
    net.corp.resolver.stop()


@on_gateway
def gateway_wrong_key(net):
    certificate_on_gateway(net, "other", net.corp.authority.issue(net.corp.plan.adn))
    connected(net, connect=False, resolvers=resolver_of(net.corp.plan, certificates="other.pem"))


@on_gateway
def gateway_expires_soon(net):
    certificate_on_gateway(net, "dns", net.corp.good_credential)
    connected(net, connect=False, resolvers=resolver_of(net.corp.plan, certificates="dns.pem"))


@on_gateway
def gateway_public_suffix(net):
    connected(net, connect=False, domains="corp.example, co.uk")


@on_gateway
def gateway_unreachable(net):
    connected(net, connect=False, resolvers=resolver_of(net.corp.plan, addresses="10.20.0.77"))


PLANT = {fault[0]: globals()[fault[0].replace("-", "_")] for fault in FAULTS}


def clean_up(net):
    """What the fixture's own reset does not know of."""
    host = net.laptop.host
    host.shell("""
        systemctl --quiet unmask --runtime systemd-resolved.service encdnsd.service strongswan.service
        sed -i 's/load = no/load = yes/' /etc/strongswan.d/charon/encdns.conf
        test ! -e /root/encdns-no-resolve.conf || mv /root/encdns-no-resolve.conf /etc/strongswan.d/
        test ! -h /root/resolv.conf || { rm -f /etc/resolv.conf; mv /root/resolv.conf /etc/; }
        rm -rf /etc/firefox /etc/chromium /run/systemd/resolved.conf.d/claim.conf
    """)
