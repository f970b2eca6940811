"""Trust anchors from the gateway: what is signed with their keys validates, what is not is refused, and all of it is
gone at the end."""

import time

import pytest

from expect import assert_hotel_heard_nothing_of, back_to, internal_names_fail, internal_names_resolve, same
from testbed import swanctl, zone
from testbed.util import wait_for

pytestmark = pytest.mark.one_release

ANCHORS = "/run/dnssec-trust-anchors.d/encdns.positive"
OTHER = "plain.example"
OTHER_NAMES = {f"www.{OTHER}": ("10.20.0.81", "2001:db8:20::81")}
LONG_TEXT = " ".join(f'"{digit * 200}"' for digit in "0123456789" * 2)


@pytest.fixture(scope="module")
def corp_zone(network):
    """The enterprise's zone, signed: what it knows anyway, and a name whose answer is long."""
    plan = network.corp.plan
    return zone.signed(zone.unsigned(plan.domain, plan.names, [f"long.{plan.domain}. 30 IN TXT {LONG_TEXT}"]))


def connect(net, zones, anchors=(), domains=(), laptop=None) -> str:
    """Connects to a gateway that hands out these zones, anchors and domains; resolved's state before."""
    corp = net.corp
    corp.serve(zone_files=zones)
    offered = {"trust-anchors": list(anchors)} if anchors else {}
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(
        corp.plan, domains=[corp.plan.domain, *domains], **offered)))
    net.laptop.configure(swanctl.laptop([corp.plan], encrypted_dns={"laptop": {
        "accept-domains": [corp.plan.domain, *domains], "accept-trust-anchors": corp.plan.domain, **(laptop or {})}}))
    before = net.laptop.resolvectl()
    net.laptop.connect("corp")
    net.laptop.wait_in_force("corp")
    return before


def query(laptop, name: str, *options):
    return laptop.host.run("resolvectl", "query", "--cache=no", *options, name, check=False)


def is_authenticated(laptop, name: str, *options) -> bool:
    return "authenticated: yes" in query(laptop, name, *options).stdout


def anchors_end(laptop) -> None:
    """The file is empty, and resolved has read it."""
    wait_for(lambda: laptop.host.read(ANCHORS) == "" and not laptop.host.exists("/run/encdnsd/trust-anchors.pending"),
             "the end of the trust anchors", 15)
    shown = laptop.host.journal("systemd-resolved.service")
    assert "corp.example" not in shown.rpartition("Positive Trust Anchors:")[2]


# I24, I27
@pytest.mark.parametrize("algorithm, bits, digest", [
    (zone.ECDSA, None, "2"), (zone.RSA, 4096, "4"), (zone.ED25519, None, "1")])
def test_a_signed_zone_validates(net, algorithm, bits, digest):
    corp, laptop = net.corp, net.laptop
    made = zone.signed(zone.unsigned(corp.plan.domain, corp.plan.names, [
        f"long.{corp.plan.domain}. 30 IN TXT {LONG_TEXT}"]), algorithm, bits, digest)
    before = connect(net, [made], [made.anchor])
    internal_names_resolve(net, corp)
    for name in corp.plan.names:
        assert is_authenticated(laptop, name), name
    long = query(laptop, f"long.{corp.plan.domain}", "--type=TXT")
    assert "9" * 200 in long.stdout and "authenticated: yes" in long.stdout
    # That there is no such name is proven too.
    none = query(laptop, f"none.{corp.plan.domain}")
    assert none.returncode and "not found" in none.stderr, none.stderr
    status = laptop.status_of("corp")
    assert status["validated"]
    assert [(anchor["domain"], anchor["in-force"]) for anchor in status["trust-anchors"]] == [("corp.example", True)]
    said = laptop.host.run("encdnsctl", "status").stdout
    assert f"trust anchors: corp.example {' '.join(made.ds.split()[:3])}, in force" in said
    laptop.disconnect("corp")
    back_to(net, before)
    anchors_end(laptop)


def other_key(corp, good):
    return zone.signed(zone.unsigned(corp.plan.domain, corp.plan.names))


def tampered(corp, good):
    wrong = good
    for name in corp.plan.names:
        for address, instead in zip(corp.plan.names[name], ("10.20.0.66", "2001:db8:20::66")):
            wrong = zone.tampered(wrong, address, instead)
    return wrong


def not_signed(corp, good):
    return zone.unsigned(corp.plan.domain, corp.plan.names)


@pytest.mark.parametrize("kind", [other_key, tampered, not_signed])
def test_what_does_not_validate_is_refused(net, corp_zone, kind):
    corp, laptop = net.corp, net.laptop
    before = connect(net, [kind(corp, corp_zone)], [corp_zone.anchor])
    internal_names_fail(net, corp)
    said = query(laptop, f"mail.{corp.plan.domain}").stderr
    assert "DNSSEC validation failed" in said, said
    # With the zone put right, the same connection works.
    corp.serve(zone_files=[corp_zone])
    laptop.host.run("resolvectl", "flush-caches")
    wait_for(lambda: is_authenticated(laptop, f"mail.{corp.plan.domain}"), "an answer that validates", 20)
    laptop.disconnect("corp")
    back_to(net, before)


# I24, I26
@pytest.mark.parametrize("insecure", [True, False])
def test_a_domain_without_an_anchor(net, corp_zone, insecure):
    """Beside a signed zone it is not answered, unless the laptop's owner says that nobody signs it."""
    corp, laptop = net.corp, net.laptop
    plain = zone.unsigned(OTHER, OTHER_NAMES)
    options = {"insecure-domains": OTHER} if insecure else {}
    before = connect(net, [corp_zone, plain], [corp_zone.anchor, zone.signed(plain).anchor], [OTHER], options)
    internal_names_resolve(net, corp)
    assert is_authenticated(laptop, f"mail.{corp.plan.domain}")
    for name, addresses in OTHER_NAMES.items():
        assert laptop.lookup(name) == (same(addresses) if insecure else [])
        assert not is_authenticated(laptop, name)
        assert name not in net.hotel_dns.names()
    status = laptop.status_of("corp")
    assert status["insecure-domains"] == ([OTHER] if insecure else [])
    refused = [(entry["attribute"], entry["why"]) for entry in status["refused"] if OTHER in entry["value"]]
    assert refused == [("INTERNAL_DNSSEC_TA", "accept-trust-anchors does not list its domain")]
    laptop.disconnect("corp")
    back_to(net, before)
    anchors_end(laptop)


def test_what_others_have_set_survives(net, corp_zone):
    """resolved is reloaded or restarted for the anchors; a link that another program has set up over D-Bus keeps all
    that it was given, and so does networkd's."""
    laptop = net.laptop
    host = laptop.host

    def settings():
        return "".join(host.output("resolvectl", what, link) for link in ("other0", "wifi0") for what in (
            "dns", "domain", "default-route", "llmnr", "mdns", "dnsovertls", "dnssec", "nta"))

    host.run("ip", "link", "add", "other0", "type", "veth", "peer", "name", "other1")
    try:
        # Without IPv6 nothing about them changes by itself.
        host.shell("sysctl -qw net.ipv6.conf.other0.disable_ipv6=1 net.ipv6.conf.other1.disable_ipv6=1; "
                   "ip link set other0 up; ip link set other1 up; ip address add 192.0.2.10/24 dev other0")
        host.shell("resolvectl dns other0 192.0.2.1 192.0.2.2:5353; resolvectl domain other0 search.test '~route.test'; "
                   "resolvectl dnssec other0 allow-downgrade; resolvectl nta other0 nta.test; "
                   "resolvectl default-route other0 no; resolvectl llmnr other0 no")
        laptop.uplink("hotel.example")
        before = laptop.resolvectl()
        given = settings()
        assert "route.test" in given and "nta.test" in given and "hotel.example" in given
        connect(net, [corp_zone], [corp_zone.anchor])
        assert settings() == given
        laptop.disconnect("corp")
        anchors_end(laptop)
        back_to(net, before)
        assert settings() == given
    finally:
        host.run("ip", "link", "delete", "other0")


def test_encdnsd_is_killed(net, corp_zone):
    corp, laptop = net.corp, net.laptop
    before = connect(net, [corp_zone], [corp_zone.anchor])
    laptop.host.kill_for_another("encdnsd.service")
    laptop.wait_in_force("corp")
    internal_names_resolve(net, corp)
    assert is_authenticated(laptop, f"mail.{corp.plan.domain}")
    laptop.disconnect("corp")
    back_to(net, before)
    anchors_end(laptop)


def test_charon_is_killed(net, corp_zone):
    """The names stay blocked, and so do the anchors, until the user releases them."""
    corp, laptop = net.corp, net.laptop
    before = connect(net, [corp_zone], [corp_zone.anchor])
    laptop.host.kill("strongswan.service")
    laptop.host.systemctl("stop", "strongswan.service", check=False)
    internal_names_fail(net, corp)
    laptop.host.systemctl("start", "strongswan.service")
    laptop.host.run("encdnsctl", "release", "corp")
    back_to(net, before)
    anchors_end(laptop)


def test_what_is_left_behind_is_cleared(net, corp_zone):
    """Both daemons gone, the link and all that encdnsd knew as well: its next start takes the anchors out."""
    laptop = net.laptop
    before = connect(net, [corp_zone], [corp_zone.anchor])
    laptop.host.systemctl("stop", "encdnsd.service")
    laptop.host.kill("strongswan.service")
    laptop.host.systemctl("stop", "strongswan.service", check=False)
    assert "corp.example. IN DS" in laptop.host.read(ANCHORS)
    laptop.delete_links()
    laptop.host.systemctl("clean", "--what=runtime", "encdnsd.service")
    laptop.host.systemctl("start", "encdnsd.service")
    anchors_end(laptop)
    laptop.host.systemctl("start", "strongswan.service")
    back_to(net, before)


def test_anchors_that_cannot_be_put_in_force(net, corp_zone):
    """No anchor, no answer: what the gateway's resolver says is not believed without."""
    corp, laptop = net.corp, net.laptop
    rule = "/etc/polkit-1/rules.d/00-test.rules"
    laptop.host.write(rule, 'polkit.addRule(function(action) {\n'
                      '\tif (action.id == "org.freedesktop.systemd1.manage-units") return polkit.Result.NO;\n});\n')
    laptop.host.systemctl("restart", "polkit.service")
    try:
        corp.serve(zone_files=[corp_zone])
        corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(
            corp.plan, **{"trust-anchors": corp_zone.anchor})))
        laptop.configure(swanctl.laptop([corp.plan], encrypted_dns={"laptop": {
            "accept-trust-anchors": corp.plan.domain}}))
        reason = "trust anchors: systemd refuses: polkit has no rules for encdnsd"
        # Who reads that it is the anchors relies on it that names have stopped going elsewhere.
        laptop.host.kill("systemd-resolved.service", "STOP")
        laptop.connect("corp")
        until = time.monotonic() + 2
        while time.monotonic() < until:
            assert laptop.status_of("corp").get("reason") != reason
        laptop.host.kill("systemd-resolved.service", "CONT")
        wait_for(lambda: laptop.status_of("corp").get("reason") == reason, "the failure in the status", 15)
        internal_names_fail(net, corp)
        assert laptop.status_of("corp")["state"] == "waiting"
    finally:
        laptop.host.kill("systemd-resolved.service", "CONT")
        laptop.host.remove(rule)
        laptop.host.systemctl("restart", "polkit.service")
    wait_for(lambda: laptop.status_of("corp").get("in-force"), "another attempt", 60)
    assert is_authenticated(laptop, f"mail.{corp.plan.domain}")
    assert_hotel_heard_nothing_of(net, corp)


def test_encdnsd_may_reload_resolved_and_nothing_else(net):
    host = net.laptop.host
    call = ["busctl", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
            "org.freedesktop.systemd1.Manager"]

    def allowed(method, unit):
        done = host.run("setpriv", "--reuid=encdns", "--regid=encdns", "--clear-groups", *call, method, "ss", unit,
                        "replace", check=False)
        assert not done.returncode or "authentication required" in done.stderr.lower() or \
            "access denied" in done.stderr.lower(), done.stderr
        return not done.returncode

    assert allowed("ReloadOrTryRestartUnit", "systemd-resolved.service")
    assert not allowed("RestartUnit", "systemd-resolved.service")
    assert not allowed("StopUnit", "systemd-resolved.service")
    assert not allowed("ReloadOrTryRestartUnit", "systemd-networkd.service")


@pytest.mark.not_sanitized("its sandbox is open for the sanitizer")
def test_the_unit_stays_locked_in(net):
    score = net.laptop.host.output("systemd-analyze", "security", "--no-pager", "encdnsd.service").splitlines()[-1]
    assert float(score.split(":")[1].split()[0]) <= 1.1, score
