"""The configuration: reloads, mistakes of every kind, and what the README shows."""

import re

from expect import internal_names_resolve, no_leak, same
from testbed import swanctl
from testbed.util import SOURCE, wait_for

MISTAKES = {
    "corp.resolvers.dot.adn": "dns..corp.example",
    "corp.resolvers.dot.addresses": "10.20.0.530",
    "corp.resolvers.dot.alpn": "telnet",
    "corp.resolvers.dot.port": "85x",
    "corp.resolvers.dot.priority": "0",
    "corp.resolvers.doh.pins": "md5:00",
    "corp.domains": "-corp-.example",
    "corp.trust-anchors": '"corp.example 12345 eight 2 A1B2"',
    "laptop.require-encrypted": "perhaps",
    "laptop.without-domains": "some",
}


def test_reload_of_the_gateway(net):
    """A reload changes what the next connection gets, and leaves the one that is up alone."""
    corp, laptop = net.corp, net.laptop
    lab = f"lab.{corp.plan.domain}"
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan, domains=lab)))
    laptop.configure(swanctl.laptop([corp.plan]))
    laptop.connect("corp")
    laptop.wait_in_force("corp")
    name = f"intranet.{corp.plan.domain}"
    assert laptop.lookup(f"ci.{lab}") == same(corp.plan.names[f"ci.{lab}"])
    assert laptop.lookup(name) != same(corp.plan.names[name])
    net.hotel_dns.forget()
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan)))
    assert laptop.wait_in_force("corp")
    assert laptop.lookup(name) != same(corp.plan.names[name])
    net.hotel_dns.forget()
    with net.watch() as watch:
        laptop.disconnect("corp")
        wait_for(lambda: not laptop.links(), "the end of the connection")
        laptop.connect("corp")
        laptop.wait_in_force("corp")
        internal_names_resolve(net, corp)
        evidence = watch.evidence()
    no_leak(net, evidence)


def test_ten_mistakes_give_ten_messages_and_change_nothing(net):
    corp, laptop = net.corp, net.laptop
    good = swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan))
    corp.configure(good)
    mark = corp.gateway.cursor()
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=_nested(MISTAKES)))
    messages = corp.gateway.journal("strongswan.service", after=mark).splitlines()
    for path, value in MISTAKES.items():
        about = [line for line in messages if f"encrypted-dns.{path}:" in line]
        assert len(about) == 1, f"{path}: {about}"
        assert value.strip('"') in about[0]
    laptop.configure(swanctl.laptop([corp.plan]))
    laptop.connect("corp")
    laptop.wait_in_force("corp")
    internal_names_resolve(net, corp)


def test_a_syntax_error_gives_its_line_and_changes_nothing(net):
    corp, laptop = net.corp, net.laptop
    good = swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan))
    corp.configure(good)
    broken = good.replace("    corp {\n", "    corp {\n        domains corp.example\n")
    mark = corp.gateway.cursor()
    corp.gateway.write(corp.swanctl.FILE, broken)
    corp.gateway.run("swanctl", "--reload-settings")
    messages = corp.gateway.journal("strongswan.service", after=mark).splitlines()
    line = 1 + broken.splitlines().index("        domains corp.example")
    about = [message for message in messages if re.search(rf"^encdns: .*swanctl\.conf:{line}\b", message)]
    assert len(about) == 1, messages
    laptop.configure(swanctl.laptop([corp.plan]))
    laptop.connect("corp")
    laptop.wait_in_force("corp")
    internal_names_resolve(net, corp)


def test_the_readme_loads_as_it_stands(net):
    """Every block, and neither swanctl nor the plugin has anything to complain about."""
    gateway, laptop = net.corp.swanctl, net.laptop.swanctl
    connections = _block("gateway").partition("encrypted-dns {")[0]
    for swanctl_of, text in ((gateway, _block("gateway")), (gateway, connections + _block("resolvers")),
                             (laptop, _block("laptop"))):
        printed, said = _load(net, swanctl_of, text)
        assert "successfully loaded 1 connections" in printed
        assert "encrypted-dns." not in said, said


def test_the_documentation_loads_as_it_stands(net):
    sections = _blocks("section", *sorted((SOURCE / "doc").glob("*.md")))
    assert len(sections) >= 4
    for section in sections:
        _, said = _load(net, net.corp.swanctl, section)
        assert "encrypted-dns." not in said and "syntax error" not in said, said


def test_the_servers_take_what_the_documentation_says(net):
    host, file = net.corp.resolver_host, SOURCE / "doc/servers.md"
    checks = {"unbound": ["unbound-checkconf"], "dnsdist": ["dnsdist", "--check-config", "-C"]}
    for server, command in checks.items():
        for name, content in (("pem", net.corp.good_credential.certificate), ("key", net.corp.good_credential.key)):
            host.write(f"/etc/{server}/dns.{name}", content)
        blocks = _blocks(server, file)
        assert blocks
        if host.run("sh", "-c", f"command -v {command[0]}", check=False).returncode:
            # Debian testing has no dnsdist at times.
            assert server == "dnsdist"
            continue
        for block in blocks:
            host.write("/root/from-documentation.conf", block)
            host.run(*command, "/root/from-documentation.conf")


def test_the_readme_is_short():
    assert len(_block("gateway").splitlines()) <= 25
    assert len(_block("laptop").splitlines()) <= 15


def _blocks(kind: str, *files) -> list:
    return [block for file in files
            for block in re.findall(rf"<!-- test: {kind} -->\s*```[^\n]*\n(.*?)```", file.read_text(), re.S)]


def _block(kind: str) -> str:
    found = _blocks(kind, SOURCE / "README.md")
    assert len(found) == 1, f"README.md has no block marked <!-- test: {kind} -->, or several"
    return found[0]


def _load(net, swanctl_of, text: str) -> tuple:
    """Loads a configuration with whatever certificates it names; what swanctl and charon said."""
    host = swanctl_of.host
    named = re.findall(r"\bcerts\s*=\s*([\w.-]+)", text)
    named += [name for names in re.findall(r"\bcertificates\s*=\s*(.+)", text) for name in names.split(",")]
    missing = [name.strip() for name in named if not host.exists(f"/etc/swanctl/x509/{name.strip()}")]
    for name in missing:
        swanctl_of.own(name.removesuffix(".pem"), net.corp.authority.issue("anybody.example"))
    mark = host.cursor()
    printed = swanctl_of.load(text)
    said = host.journal("strongswan.service", after=mark)
    for name in missing:
        host.remove(f"/etc/swanctl/x509/{name}", f"/etc/swanctl/private/{name}")
    return printed, said


def _nested(flat: dict) -> dict:
    """The tree of sections for paths with dots; the resolvers get what they need beside the mistakes."""
    tree = {"corp": {"resolvers": {"doh": {"adn": "doh.corp.example", "addresses": "10.20.0.54", "alpn": "dot"}}}}
    for path, value in flat.items():
        *sections, key = path.split(".")
        place = tree
        for name in sections:
            place = place.setdefault(name, {})
        place[key] = value
    return tree
