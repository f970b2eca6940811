"""What most of the end-to-end tests expect, said once."""

from testbed.capture import DOH, DOT, ESP
from testbed.network import HOTEL_EVERYTHING
from testbed.util import TestbedError, wait_for

PUBLIC = "www.example.org"


def same(addresses) -> list:
    return sorted(addresses)


def internal_names_resolve(net, enterprise) -> None:
    """Every internal name gives the enterprise's answer, and only the enterprise's resolver was asked."""
    for name, addresses in enterprise.plan.names.items():
        assert net.laptop.lookup(name) == same(addresses), name
    asked = enterprise.resolver.names()
    assert set(enterprise.plan.names) <= asked
    assert_hotel_heard_nothing_of(net, enterprise)


def public_names_go_to_the_hotel(net) -> None:
    assert net.laptop.lookup(PUBLIC) == same(HOTEL_EVERYTHING)
    assert PUBLIC in net.hotel_dns.names()
    for enterprise in net.enterprises.values():
        assert all(_below(name, enterprise.plan.domain) for name in enterprise.resolver.names())


def assert_hotel_heard_nothing_of(net, enterprise) -> None:
    heard = [name for name in net.hotel_dns.names() if _below(name, enterprise.plan.domain)]
    assert not heard, f"the hotel's resolver was asked for {heard}"


def internal_names_fail(net, enterprise) -> None:
    """No internal name gives any answer, and the hotel hears of none."""
    for name in enterprise.plan.names:
        assert net.laptop.lookup(name) == [], name
    assert_hotel_heard_nothing_of(net, enterprise)


def no_leak(net, evidence) -> None:
    """No internal name and no ADN outside the tunnel, and no internal name in clear text inside it; and the captures
    did see what they had to see."""
    plans = [enterprise.plan for enterprise in net.enterprises.values()]
    leaks = evidence.leaks([plan.domain for plan in plans], [plan.adn for plan in plans])
    assert not leaks, "\n".join(str(packet) for packet in leaks)
    seen_on = {(packet.host, packet.interface) for packet in evidence.packets
               if 4500 in packet.ports or packet.protocol == ESP}
    assert {("laptop", "wifi0"), ("hotel", "guest0")} <= seen_on, "the captures saw no tunnel"


def only_tls_to_the_resolver(enterprise, evidence, port: int = DOT) -> None:
    """What goes into the enterprise's network to its resolver is DNS over TLS and nothing else."""
    gateway = enterprise.gateway.name
    ports = {packet.destination_port for packet in evidence.packets
             if packet.host == gateway and packet.interface == "lan0" and packet.protocol in (6, 17)
             and any(packet.destination == address for address in enterprise.plan.resolver_octets)}
    # The kernel may still be closing a connection of the test before.
    assert port in ports and ports <= {DOT, DOH}


def back_to(net, before: str) -> None:
    """resolved's state is what it was, and no link of ours is left."""
    try:
        wait_for(lambda: net.laptop.resolvectl() == before, "resolvectl's output as before", 30)
    except TestbedError:
        assert net.laptop.resolvectl() == before
    assert net.laptop.links(r"encdns.*") == []


def _below(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")
