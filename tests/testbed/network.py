"""The network of the tests:

    laptop --(guest Wi-Fi)-- hotel --(the Internet)-- gateway --(enterprise network)-- resolver

The hotel routes, and its resolver answers any name with an address of its own, as a captive portal does, and logs
who asks. The enterprise's resolver does the same behind the gateway, over DoT, and knows the internal names.
All of it is IPv4 and IPv6. A second enterprise can be added beside the first.
"""

import ipaddress
import json
import re
import subprocess
from dataclasses import dataclass

from . import roots, sanitizers, swanctl, vici
from .ca import Authority
from .capture import ESP, Capture, Evidence
from .dnsserver import Dnsdist, DnsServer
from .host import Host, remove_stale_cgroups
from .swanctl import Swanctl
from .util import CLEAN_ENV, TestbedError, say, wait_for

HOTEL = ("198.51.100.1", "2001:db8:51::1")
LAPTOP = ("198.51.100.10", "2001:db8:51::10")
HOTEL_EVERYTHING = ("198.51.100.80", "2001:db8:51::80")


@dataclass(frozen=True)
class Plan:
    """The numbers and names of one enterprise."""

    name: str
    number: int

    @property
    def domain(self) -> str:
        return f"{self.name}.example"

    @property
    def adn(self) -> str:
        return f"dns.{self.domain}"

    @property
    def gateway_id(self) -> str:
        return f"vpn.{self.name}.test"

    @property
    def internet(self) -> tuple:
        """The gateway's outer addresses; the hotel's end of that link has .1 and ::1."""
        return f"203.0.{112 + self.number}.2", f"2001:db8:a{self.number}::2"

    @property
    def subnets(self) -> tuple:
        return f"10.{20 * self.number}.0.0/24", f"2001:db8:{20 * self.number}::/64"

    @property
    def pools(self) -> tuple:
        return f"10.{20 * self.number}.9.0/24", f"2001:db8:{20 * self.number}:9::/112"

    @property
    def resolver(self) -> tuple:
        return self._inside(53)

    @property
    def resolver_octets(self) -> tuple:
        return tuple(ipaddress.ip_address(address).packed for address in self.resolver)

    @property
    def lan(self) -> tuple:
        return self._inside(1)

    @property
    def everything(self) -> tuple:
        return self._inside(99)

    @property
    def names(self) -> dict:
        """The internal names of the domain and of lab below it."""
        return {f"intranet.{self.domain}": self._inside(80), f"mail.{self.domain}": self._inside(25),
                f"ci.lab.{self.domain}": self._inside(90)}

    @property
    def any(self) -> str:
        """All names below it are internal ones: for asking what no cache can know."""
        return f"any.{self.domain}"

    def _inside(self, host: int) -> tuple:
        return f"10.{20 * self.number}.0.{host}", f"2001:db8:{20 * self.number}::{host}"


class Enterprise:
    """A gateway and the resolver behind it."""

    def __init__(self, plan: Plan, gateway: Host, resolver_host: Host):
        self.plan = plan
        self.gateway = gateway
        self.resolver_host = resolver_host
        self.swanctl = Swanctl(gateway)
        self.authority = Authority(f"{plan.name} test authority")
        self.resolver = DnsServer(resolver_host, plan.resolver, plan.everything, {
            plan.domain: {**plan.names, f"*.{plan.any}": plan.names[f"intranet.{plan.domain}"]}})
        self.dnsdist = Dnsdist(resolver_host, plan.resolver)
        self.good_credential = self.authority.issue(plan.adn)

    def configure(self, text: str) -> str:
        """Loads a swanctl.conf on the gateway."""
        return self.swanctl.load(text)

    def hand_out(self, attributes, attributes6=(), text: str = None) -> None:
        """Loads the usual swanctl.conf on the gateway, or text, with pools that hand out attributes of any bytes."""
        self.configure("")
        for family, addresses, handed in zip((4, 6), self.plan.pools, (attributes, attributes6)):
            vici.load_pool(self.gateway, f"rw-v{family}", addresses, handed)
        self.gateway.write(self.swanctl.FILE, text or swanctl.gateway(self.plan))
        self.gateway.run("swanctl", "--load-conns")

    def serve(self, credential=None, zone_files=()) -> None:
        """(Re)starts the resolver, with the good certificate and the plan's names unless told otherwise."""
        self.resolver.zone_files = list(zone_files)
        self.resolver.start(credential or self.good_credential)


class Laptop:
    """The laptop's side, as its user has it: swanctl, names, and what encdnsctl tells."""

    def __init__(self, host: Host):
        self.host = host
        self.swanctl = Swanctl(host)

    def configure(self, text: str) -> str:
        return self.swanctl.load(text)

    def connect(self, name: str, child: str = "net") -> None:
        self.swanctl.initiate(child, name)

    def disconnect(self, name: str) -> None:
        self.swanctl.terminate(name)

    def trust(self, name: str, certificate: str) -> None:
        """Adds an authority to the system's trust store, without update-ca-certificates' work on all the others."""
        self.host.write(f"/etc/ssl/certs/{name}.pem", certificate)
        self.host.shell(f"cd /etc/ssl/certs; ln -sf {name}.pem $(openssl x509 -noout -hash -in {name}.pem).0; "
                        f"cat {name}.pem >>ca-certificates.crt")

    def lookup(self, name: str) -> list:
        """What any program on the laptop gets for a name: addresses, or nothing."""
        answer = self.host.run("resolvectl", "query", "--legend=no", "--cache=no", name, check=False)
        return sorted({word for line in answer.stdout.splitlines() for word in line.split() if _is_address(word)})

    def status(self) -> dict:
        """encdnsctl status, from its JSON."""
        return json.loads(self.host.run("encdnsctl", "status", "--json", check=False).stdout)

    def status_of(self, name: str) -> dict:
        """What the status says of one connection; empty: it does not know it."""
        connections = self.status().get("connections", [])
        return next((connection for connection in connections if connection["name"] == name), {})

    def wait_in_force(self, name: str) -> dict:
        """Waits until a connection's DNS is in force; its status."""
        wait_for(lambda: self.status_of(name).get("in-force"), f"the DNS of {name} in force", 30)
        return self.status_of(name)

    def wait_settled(self, name: str) -> dict:
        """Waits until a connection's DNS is as far as it gets, in force or failing; its status."""
        wait_for(lambda: self.status_of(name).get("state") not in (None, "waiting", "applying"),
                 f"an end to the setting up of {name}", 30)
        return self.status_of(name)

    def links(self, pattern: str = r"encdns\d+") -> list:
        """The names of the links that DNS hangs on (where they are veth pairs, of the ends that it hangs on)."""
        return [link["ifname"] for link in json.loads(self.host.output("ip", "-j", "link"))
                if re.fullmatch(pattern, link["ifname"])]

    def delete_links(self) -> None:
        """Those and their guards, as a reboot does; charon and encdnsd are to be stopped before."""
        for link in self.links(r"encdns\d+g?"):
            self.host.run("ip", "link", "delete", link)

    def wait_guarded(self, link: str = "encdns0") -> None:
        """resolved has the same on the link and on its guard."""
        def domains(name: str) -> str:
            return self.host.run("resolvectl", "domain", name, check=False).stdout.partition(":")[2].strip()

        wait_for(lambda: domains(link) and domains(link) == domains(f"{link}g"), f"{link} and its guard", 20)

    def resolvectl(self) -> str:
        """resolved's whole view, for comparing before and after; without which of its servers it asked last, and
        with the links by name, not by number, for a new charon makes a new ipsec0."""
        # It fails where a link goes while it looks.
        shown = self.host.run("resolvectl", "status", "--no-pager", check=False).stdout
        sections = [re.sub(r"^Link \d+ ", "Link ", section) for section in shown.strip().split("\n\n")]
        return "\n\n".join("\n".join(line.strip() for line in section.splitlines() if "Current DNS Server" not in line)
                           for section in sorted(sections))

    def uplink(self, domains: str = "", wait: bool = True) -> None:
        """What the hotel hands out: address, router, resolver, and the domains that it claims."""
        self.host.write("/etc/systemd/network/10-wifi0.network", UPLINK.format(
            ipv4=LAPTOP[0], ipv6=LAPTOP[1], hotel4=HOTEL[0], hotel6=HOTEL[1], domains=domains))
        self.host.run("networkctl", "reload")
        self.host.run("networkctl", "reconfigure", "wifi0")
        if not wait:
            return
        wait_for(lambda: "routable" in self.host.output("networkctl", "--no-pager", "status", "wifi0")
                 and f"\n{domains}" in "\n" + " ".join(
                     self.host.output("resolvectl", "domain", "wifi0").partition(":")[2].split()),
                 "the laptop's uplink")


UPLINK = """
[Match]
Name=wifi0
[Network]
LinkLocalAddressing=no
IPv6AcceptRA=no
LLMNR=no
DNS={hotel4}
DNS={hotel6}
Domains={domains}
[Address]
Address={ipv4}/24
[Address]
Address={ipv6}/64
DuplicateAddressDetection=none
[Route]
Gateway={hotel4}
[Route]
Gateway={hotel6}
"""


class Network:
    """Boots the hosts, joins them, and starts what runs on them. A context manager.

    products maps a release to a folder that is laid over its hosts, with the product installed; none for a release
    means plain Debian there. prefix: of the hosts' names, which are to be different in networks of one process.
    laptop_root: what the laptop boots from, instead of its release's host root. sanitizer: that of the products, if any.
    kernel_esp: charon leaves ESP to the kernel, as it does where nobody has configured anything else.
    """

    def __init__(self, laptop_release: str = "trixie", gateway_release: str = "trixie", products: dict = None,
                 report=say, prefix: str = "", laptop_root=None, sanitizer: str = None, kernel_esp: bool = False):
        self._releases = {"laptop": laptop_release, "gateway": gateway_release}
        self._products = products or {}
        self._report = report
        self._prefix = prefix
        self._laptop_root = laptop_root
        self._sanitizer = sanitizers.SANITIZERS[sanitizer] if sanitizer else None
        self._kernel_esp = kernel_esp
        self._hosts = []
        self._captures = []
        self.enterprises = {}
        self.corp = None
        self.laptop = None
        self.hotel = None
        self.hotel_dns = None

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for host in self._hosts:
            host.stop()
        self._hosts.clear()

    def _start(self) -> None:
        remove_stale_cgroups()
        self._report(f"booting a {self._releases['laptop']} laptop and a {self._releases['gateway']} gateway")
        laptop = self._boot("laptop", self._releases["laptop"], self._laptop_root)
        self.hotel = self._boot("hotel", self._releases["gateway"])
        self.corp = self._boot_enterprise(Plan("corp", 1))
        for host in self._hosts:
            host.wait_booted()
        self._report("joining the hosts")
        _router(self.hotel)
        _join(laptop, "wifi0", self.hotel, "guest0")
        _address(self.hotel, "guest0", HOTEL)
        self.hotel_dns = DnsServer(self.hotel, HOTEL, HOTEL_EVERYTHING)
        self.hotel_dns.start()
        self.laptop = Laptop(laptop)
        self._choose_esp(laptop)
        if laptop.exists("/usr/sbin/encdnsd"):
            # As a package does when it is installed.
            laptop.systemctl("enable", "--now", "encdnsd.service")
        self.laptop.uplink()
        self._attach(self.corp)

    def reset(self) -> None:
        """Nothing connected, nothing configured, every service running."""
        laptop = self.laptop.host
        laptop.systemctl("unmask", "--runtime", "encdnsd.service", "strongswan.service")
        laptop.systemctl("stop", "strongswan.service")
        laptop.systemctl("stop", "encdnsd.service")
        self.laptop.delete_links()
        # It would want them back.
        laptop.shell("rm -f /run/encdnsd/*.json /var/lib/encdnsd/*.json")
        laptop.write(Swanctl.FILE, "")
        laptop.systemctl("reset-failed")
        laptop.systemctl("restart", "systemd-resolved.service")
        self.laptop.uplink()
        self.start_daemons()
        for enterprise in self.enterprises.values():
            enterprise.gateway.run("swanctl", "--terminate", "--ike", "rw", "--force", check=False)
            enterprise.configure("")
            enterprise.serve()
            enterprise.resolver.forget()
        self.hotel_dns.forget()

    def start_daemons(self) -> None:
        # More often than systemd's limit thinks healthy.
        self.laptop.host.systemctl("reset-failed", "encdnsd.service", "strongswan.service", check=False)
        self.laptop.host.systemctl("start", "encdnsd.service", "strongswan.service")
        for enterprise in self.enterprises.values():
            enterprise.gateway.systemctl("reset-failed", "strongswan.service", check=False)
            enterprise.gateway.systemctl("start", "strongswan.service")

    @property
    def sanitized(self) -> bool:
        """Whether there is a sanitizer: memory and time are then no measure."""
        return self._sanitizer is not None

    def findings(self) -> list:
        """What sanitizers have found since the hosts were booted or this was last asked. The daemons end for it, as leaks
        are looked for when a process ends; start_daemons() has them back."""
        if not self.sanitized:
            return []
        for host in [self.laptop.host] + [enterprise.gateway for enterprise in self.enterprises.values()]:
            # One after the other, or the plugin has encdnsd started again.
            for unit in ("strongswan.service", "encdnsd.service"):
                host.systemctl("stop", unit, check=False)
                if host.output("systemctl", "show", "-P", "Result", unit).strip() == "timeout":
                    self._report(f"{host.name}: {unit} was not searched for leaks, as its sanitizer hangs")
        return [finding for host in self._hosts for finding in sanitizers.read(host)]

    def add_enterprise(self, name: str = "branch") -> Enterprise:
        """Boots a second enterprise beside the first."""
        self._report(f"booting the enterprise {name}")
        enterprise = self._boot_enterprise(Plan(name, 1 + len(self.enterprises)))
        enterprise.gateway.wait_booted()
        enterprise.resolver_host.wait_booted()
        self._attach(enterprise)
        return enterprise

    def _boot(self, name: str, release: str, root=None) -> Host:
        layers = [root or roots.host_root(release).ensure()]
        if release in self._products:
            layers.insert(0, self._products[release])
        host = Host(self._prefix + name, layers, self._sanitizer and self._sanitizer.environment)
        self._hosts.append(host)
        host.start()
        return host

    def _boot_enterprise(self, plan: Plan) -> Enterprise:
        release = self._releases["gateway"]
        return Enterprise(plan, self._boot(f"{plan.name}-gw", release), self._boot(f"{plan.name}-dns", release))

    def _attach(self, enterprise: Enterprise) -> None:
        plan, gateway, resolver = enterprise.plan, enterprise.gateway, enterprise.resolver_host
        self._choose_esp(gateway)
        provider = tuple(str(ipaddress.ip_address(address) - 1) for address in plan.internet)
        _router(gateway)
        _join(self.hotel, f"wan-{plan.name}", gateway, "wan0")
        _address(self.hotel, f"wan-{plan.name}", provider)
        _address(gateway, "wan0", plan.internet, default=provider)
        _join(gateway, "lan0", resolver, "lan0")
        _address(gateway, "lan0", plan.lan)
        _address(resolver, "lan0", plan.resolver, default=plan.lan)
        enterprise.swanctl.trust(plan.name, enterprise.authority.certificate)
        enterprise.swanctl.own("gateway", enterprise.authority.issue(plan.gateway_id))
        enterprise.serve()
        self.laptop.swanctl.trust(plan.name, enterprise.authority.certificate)
        self.laptop.swanctl.own(plan.name, enterprise.authority.issue(f"laptop@{plan.domain}"))
        self.laptop.trust(plan.name, enterprise.authority.certificate)
        self.enterprises[plan.name] = enterprise

    def _choose_esp(self, host: Host) -> None:
        if self._kernel_esp:
            host.shell("sed -i '/^charon-systemd/,$d' /etc/strongswan.d/testbed.conf")
            host.systemctl("restart", "strongswan.service")

    def watch(self) -> "Watch":
        """Captures on the laptop, the hotel and the gateways, for a with statement."""
        return Watch(self, [self.laptop.host, self.hotel] + [e.gateway for e in self.enterprises.values()])

    def is_inside(self, packet) -> bool:
        """The decrypted end of the tunnel and the enterprise's own network, where internal names may be seen
        inside TLS; everything else is outside."""
        gateways = {e.gateway.name for e in self.enterprises.values()}
        return packet.interface.startswith(("ipsec", "xfrm")) or \
            packet.interface == "lan0" and packet.host in gateways or \
            packet.incoming and packet.host in gateways | {self.laptop.host.name} and self._is_decrypted(packet)

    def _is_decrypted(self, packet) -> bool:
        """Where the kernel does ESP without an interface for it, a packet comes in by the outer one twice, the second
        time in clear. What does so without having been ESP, the hotel has seen as well, and there it counts."""
        return self._kernel_esp and packet.protocol != ESP and any(
            ipaddress.ip_address(address) in pool for address in (packet.source, packet.destination)
            for enterprise in self.enterprises.values() for pool in map(ipaddress.ip_network, enterprise.plan.pools))


class Watch:
    """While it is open, packets are recorded; evidence() tells what was seen so far."""

    def __init__(self, network: Network, hosts):
        self._network = network
        self._hosts = hosts
        self._captures = []

    def __enter__(self):
        try:
            for host in self._hosts:
                self._captures.append(Capture(host))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for capture in self._captures:
            capture.stop()

    def note_interfaces(self) -> None:
        """To be called while interfaces are there that go before the watch ends."""
        for capture in self._captures:
            capture.note_interfaces()

    def evidence(self) -> Evidence:
        """Ends the recording, and what it holds."""
        self.__exit__()
        packets = (packet for capture in self._captures for packet in capture.packets())
        return Evidence(packets, self._network.is_inside)


def _in_network(host: Host, *command) -> None:
    """Runs the machine's ip command in a host's network namespace; interfaces never pass through the machine's own."""
    done = subprocess.run(["nsenter", "-t", str(host.pid), "-n", "ip", *command], env=CLEAN_ENV,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise TestbedError(f"{host.name}: ip {' '.join(command)}: {done.stderr}")


def _join(one: Host, one_name: str, other: Host, other_name: str) -> None:
    _in_network(one, "link", "add", one_name, "type", "veth", "peer", "name", other_name, "netns", str(other.pid))
    _in_network(one, "link", "set", one_name, "up")
    _in_network(other, "link", "set", other_name, "up")


def _address(host: Host, interface: str, addresses, default=()) -> None:
    for address in addresses:
        prefix = 64 if ":" in address else 24
        extra = ["nodad"] if ":" in address else []
        _in_network(host, "address", "add", f"{address}/{prefix}", "dev", interface, *extra)
    for router in default:
        _in_network(host, "route", "add", "default", "via", router)


def _router(host: Host) -> None:
    host.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")


def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return False
    return True
