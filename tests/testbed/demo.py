"""scripts/demo: the story of one connection, told in a page of which every line was checked."""

import argparse
import os
import sys
import textwrap

from . import swanctl
from .build import products
from .network import Network
from .util import RELEASES, TestbedError, wait_for

DEBIAN = {"bookworm": "Debian 12", "trixie": "Debian 13", "forky": "Debian testing"}
PUBLIC = "www.weather.example"


class Story:
    """Prints chapters and checked lines, and remembers whether all of them held."""

    def __init__(self):
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._good, self._bad, self._strong, self._plain = \
            ("\033[32m", "\033[31m", "\033[1m", "\033[0m") if colour else ("", "", "", "")
        self.checks = 0
        self.failures = 0

    def chapter(self, title: str) -> None:
        print(f"\n{self._strong}{title}{self._plain}", flush=True)

    def text(self, text: str) -> None:
        print(textwrap.indent(text.rstrip(), "    "), flush=True)

    def check(self, holds: bool, text: str, otherwise: str = "") -> None:
        """One line of the story: true, or told as it was instead."""
        self.checks += 1
        if holds:
            print(f"  {self._good}\N{CHECK MARK}{self._plain} {text}", flush=True)
        else:
            self.failures += 1
            print(f"  {self._bad}\N{BALLOT X}{self._plain} {text}\n      {otherwise}", flush=True)

    def end(self) -> int:
        if self.failures:
            print(f"\n{self._bad}{self.failures} of {self.checks} lines did not hold.{self._plain}")
            return 1
        print(f"\n{self._good}All {self.checks} lines were checked and hold.{self._plain}")
        return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="demo", description="A laptop connects; the story is told and checked.")
    parser.add_argument("--laptop", choices=RELEASES, default="trixie", help="the laptop's Debian (default trixie)")
    parser.add_argument("--gateway", choices=RELEASES, default="bookworm", help="the gateway's (default bookworm)")
    options = parser.parse_args()
    try:
        installed = products({options.laptop, options.gateway})
        with Network(options.laptop, options.gateway, installed) as network:
            return tell(network, options)
    except TestbedError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


def tell(network: Network, options) -> int:
    story = Story()
    plan, laptop, corp = network.corp.plan, network.laptop, network.corp
    internal, addresses = next(iter(plan.names.items()))
    everything_internal = list(plan.names) + [plan.domain]

    print(f"""
   laptop                 hotel                        gateway                enterprise
  {DEBIAN[options.laptop]:<14} ─── guest Wi-Fi ─── Internet ─── {DEBIAN[options.gateway]:<14} ─── {plan.adn}
  swanctl, resolved   answers every name         vpn.{plan.domain}         {plan.resolver[0]}, DoT
                      itself, logs who asks""")

    before = settings(laptop)
    offer = swanctl.handing_out(plan)
    corp.configure(swanctl.gateway(plan, encrypted_dns=offer))
    laptop.configure(swanctl.laptop([plan], encrypted_dns={"laptop": {"accept-domains": plan.domain}}))

    story.chapter("The gateway's swanctl.conf says, besides its connections and pools")
    story.text(swanctl.section("encrypted-dns", offer))
    story.chapter("The laptop's")
    story.text(swanctl.section("encrypted-dns", {"laptop": {"accept-domains": plan.domain}}))

    network.hotel_dns.forget()
    corp.resolver.forget()
    with network.watch() as watch:
        story.chapter("$ swanctl --initiate --child net")
        laptop.connect(plan.name)
        connection = wait_for(lambda: in_force(laptop, plan.name), "the connection's DNS", 15)
        servers = connection["servers"]
        offered = {address for server in servers for address in server["addresses"]}
        story.check(offered == set(plan.resolver) and {server["adn"] for server in servers} == {plan.adn},
                    f"the gateway handed out {servers[0]['adn']} at {', '.join(sorted(offered))}, "
                    f"{servers[0]['transport']} on port {servers[0]['port']}", str(servers))
        story.check(connection["domains"] == [plan.domain],
                    f"and {plan.domain} as internal: a {connection['mode']} tunnel", str(connection["domains"]))
        story.check(connection["link"] == "encdns0" and "encdns0" in laptop.resolvectl(),
                    f"resolved asks {connection['link']} for it, behind which encdnsd listens", laptop.resolvectl())

        story.chapter(f"$ getent ahosts {internal}; getent ahosts {PUBLIC}")
        got = laptop.lookup(internal)
        story.check(got == sorted(addresses), f"{internal}: {', '.join(got) or 'nothing'}", f"not {addresses}")
        wire = [query for query in corp.resolver.queries() if query.name == internal]
        story.check(bool(wire), f"{plan.adn} was asked for it, by the virtual IP "
                    f"{wire[0].client if wire else '?'}", "its log says: not asked")
        got = laptop.lookup(PUBLIC)
        story.check(bool(got) and PUBLIC in network.hotel_dns.names(),
                    f"{PUBLIC}: {', '.join(got) or 'nothing'}, from the hotel's resolver", "which was not asked")
        status = in_force(laptop, plan.name) or {"servers": []}
        used = next((server for server in status["servers"] if server["in-use"]), {})
        story.check(used.get("authenticated-by") == "certificate",
                    f"the resolver proved to be {plan.adn}: {used.get('tls-version')}, certificate checked", str(used))

        story.chapter("What the hotel saw")
        asked = network.hotel_dns.names()
        story.check(not any(name == plan.domain or name.endswith(f".{plan.domain}") for name in asked),
                    f"its resolver was asked for {', '.join(sorted(asked)) or 'nothing'}", "an internal name among them")
        watch.note_interfaces()

        story.chapter("$ swanctl --terminate --ike corp")
        laptop.disconnect(plan.name)
        wait_for(lambda: "encdns0" not in laptop.resolvectl(), "the end of the connection's DNS", 15)
        story.check(settings(laptop) == before, "resolved is as it was before", settings(laptop))
        story.check(laptop.links(r"encdns.*") == [], "the link encdns0 and its guard are gone",
                    "there is " + ", ".join(laptop.links(r"encdns.*")))
    evidence = watch.evidence()

    story.chapter("What the packet captures hold (laptop, hotel and gateway, every interface but lo)")
    tunnel = [packet for packet in evidence.outside() if packet.host == network.hotel.name and 4500 in packet.ports]
    tls = [packet for packet in evidence.inside() if 853 in packet.ports]
    leaks = evidence.leaks(everything_internal, [plan.adn])
    story.check(bool(tunnel), f"{len(tunnel)} packets of the tunnel passed the hotel, all of them ESP or IKE in UDP",
                "no tunnel was seen")
    story.check(bool(tls), f"{len(tls)} packets of DNS over TLS inside it", "none")
    story.check(not leaks, "0 packets with an internal name or the resolver's name outside the tunnel, "
                "and no internal name in clear text inside it", "\n      ".join(map(str, leaks[:5])))
    seen = evidence.readable([PUBLIC])
    story.check(bool(seen), f"{PUBLIC} is there to be read in {len(seen)} packets, so the search does find names",
                "but even that was not found")
    return story.end()


def settings(laptop) -> str:
    """resolved's view, less the line that tells which of the servers was asked last."""
    return "\n".join(line for line in laptop.resolvectl().splitlines() if "Current DNS Server" not in line)


def in_force(laptop, name: str):
    """The connection from the laptop's status once it is in force."""
    for connection in laptop.status().get("connections", []):
        if connection["name"] == name and connection["in-force"]:
            return connection
    return None


if __name__ == "__main__":
    sys.exit(main())
