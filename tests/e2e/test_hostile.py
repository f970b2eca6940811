"""Gateways, resolvers and users that mean harm. What is right goes on working, what is wrong is refused, and encdnsd takes
no more memory than its limits allow."""

import contextlib
import json
import struct
import textwrap

import expect
import pytest
from codec.rules import ENCDNS_DIGEST_INFO, ENCDNS_IP4, INTERNAL_DNS_DOMAIN, INTERNAL_DNSSEC_TA
from testbed import swanctl
from testbed.util import wait_for

pytestmark = pytest.mark.one_release

DOMAINS_MAX, RESOLVERS_MAX, REFUSALS_MAX, CONNECTIONS_MAX = 256, 32, 64, 64  # client-helper/bounds.h
RSS_MAX_KIB = 24 * 1024
DOT = struct.pack("!HHB3s", 1, 4, 3, b"dot")
# Below charon's max_packet, 10,000 octets, there is room for that much beside the rest of the message.
ENOUGH = 8000
RAISED = "charon {\n  max_packet = 65535\n}\n"
RAISED_ENOUGH = 60000


def resolver(adn: bytes, *addresses: bytes, priority: int = 2) -> tuple:
    return ENCDNS_IP4, struct.pack("!HBB", priority, len(addresses), len(adn)) + b"".join(addresses) + adn + DOT


def cut(attributes, size: int) -> list:
    """As many as fit."""
    found = []
    for kind, value in attributes:
        size -= 4 + len(value)
        if size < 0:
            break
        found.append((kind, value))
    return found


def domains():
    return ((INTERNAL_DNS_DOMAIN, b"d%d.corp.example" % i) for i in range(100_000))


def resolvers():
    return (resolver(b"r%d.example" % i, bytes([10, 20, 0, 1 + i % 200])) for i in range(100_000))


def addresses():
    """As many per attribute as its count can say."""
    return (resolver(b"many%d.example" % i, *(bytes([10, 20, i % 250, host]) for host in range(255)))
            for i in range(100_000))


def anchors():
    return ((INTERNAL_DNSSEC_TA, struct.pack("!HBB", i % 65536, 8, 2) + b"A1" * 32) for i in range(100_000))


def digests():
    """Of resolvers that the gateway does not have: one for its own would have to fit."""
    return ((ENCDNS_DIGEST_INFO, struct.pack("!BB", 1, 9) + b"x.example" + struct.pack("!H", 2) + i.to_bytes(32, "big"))
            for i in range(100_000))


def restart(host) -> None:
    # More often than systemd's limit thinks healthy.
    host.systemctl("reset-failed", "strongswan.service", check=False)
    host.systemctl("restart", "strongswan.service")


@contextlib.contextmanager
def larger_messages(net):
    hosts = (net.laptop.host, net.corp.gateway)
    for host in hosts:
        host.write("/etc/strongswan.d/zz-hostile.conf", RAISED)
        restart(host)
    try:
        yield
    finally:
        for host in hosts:
            host.remove("/etc/strongswan.d/zz-hostile.conf")
            restart(host)


def connect(net, attributes) -> dict:
    """The gateway hands out its own resolver and domain, and then these; the connection's status."""
    corp, laptop = net.corp, net.laptop
    address = bytes(int(octet) for octet in corp.plan.resolver[0].split("."))
    good = [resolver(corp.plan.adn.encode(), address, priority=1), (INTERNAL_DNS_DOMAIN, corp.plan.domain.encode())]
    corp.hand_out(good + attributes)
    laptop.configure(swanctl.laptop([corp.plan]))
    laptop.connect("corp")
    return laptop.wait_settled("corp")


def rss_kib(net) -> int:
    host = net.laptop.host
    status = host.read(f"/proc/{host.main_pid('encdnsd.service')}/status")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def stays_small(net) -> int:
    """A sanitizer's own memory is no fault of encdnsd."""
    rss = rss_kib(net)
    assert net.sanitized or rss < RSS_MAX_KIB
    return rss


@pytest.fixture
def unharmed(net, request, record_property):
    """Both daemons live through the test, and encdnsd stays small."""
    host = net.laptop.host
    before = host.main_pid("encdnsd.service")
    yield
    assert host.main_pid("encdnsd.service") == before
    assert host.active("strongswan.service")
    rss = stays_small(net)
    record_property(f"memory of encdnsd after {request.node.name}",
                    f"{rss} KiB, not judged with a sanitizer" if net.sanitized else f"{rss} KiB of at most {RSS_MAX_KIB}")


@pytest.mark.parametrize("raised", [False, True], ids=["10000", "65535"])
@pytest.mark.parametrize("kind", [domains, resolvers, addresses, anchors, digests], ids=lambda kind: kind.__name__)
def test_a_message_full_of(net, unharmed, kind, raised):
    attributes = cut(kind(), RAISED_ENOUGH if raised else ENOUGH)
    with larger_messages(net) if raised else contextlib.nullcontext():
        status = connect(net, attributes)
        assert status["in-force"], status
        assert len(status["domains"]) <= DOMAINS_MAX and len(status["servers"]) <= RESOLVERS_MAX
        assert len(status["refused"]) <= REFUSALS_MAX
        if kind is domains:
            taken = len(status["domains"]) + len(status["refused"]) + status["refused-left-out"]
            assert taken == 1 + len(attributes)
            assert "one too many" in str(status["refused"])
        expect.internal_names_resolve(net, net.corp)


NAMES = (
    b"evil\x1b[31m.corp.example", b"new\nline.example", b"nul\0.example", b"%s%n%x%p.example", b"a b.example",
    b"\xff\xfe.example", "cоrp.example".encode(), b"..", b"." * 255, b"-.example", b"*.example", b"a" * 64 + b".example",
    b"a." * 127 + b"example", b"$(reboot).example", b"'\"<&>.example", b"x" * 5000)


def test_names_that_are_none(net, unharmed):
    mark = net.laptop.host.cursor()
    attributes = ([(INTERNAL_DNS_DOMAIN, name) for name in NAMES]
                  + [resolver(name, bytes([10, 20, 0, 54])) for name in NAMES if len(name) < 256])
    status = connect(net, attributes)
    assert status["in-force"], status
    assert status["domains"] == [net.corp.plan.domain]
    assert [server["adn"] for server in status["servers"]] == [net.corp.plan.adn]
    assert len(status["refused"]) + status["refused-left-out"] == len(attributes)
    said = (net.laptop.host.journal("encdnsd.service", "strongswan.service", after=mark)
            + net.laptop.host.output("encdnsctl", "status") + str(status))
    assert not any(character in said for character in "\x1b\0")
    expect.internal_names_resolve(net, net.corp)


def usual(net) -> dict:
    net.corp.configure(swanctl.gateway(net.corp.plan, encrypted_dns=swanctl.handing_out(net.corp.plan)))
    net.laptop.configure(swanctl.laptop([net.corp.plan]))
    net.laptop.connect("corp")
    return net.laptop.wait_in_force("corp")


def listening_at(status) -> tuple:
    address, _, port = status["listen"].rpartition(":")
    return address.strip("[]"), int(port)


@contextlib.contextmanager
def running(host, user: str, script: str, *arguments):
    """A Python script of that user on the host. It says when it has begun, and is told to end."""
    command = ["python3", "-c", textwrap.dedent(script), *arguments]
    process = host.popen("setpriv", f"--reuid={user}", f"--regid={'nogroup' if user == 'nobody' else user}",
                         "--clear-groups", *command, stdin=-1, stdout=-1, text=True)
    try:
        assert process.stdout.readline() == "begun\n"
        yield process
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


FLOOD = """
    import os, socket, struct, sys, threading
    address = sys.argv[1], int(sys.argv[2])
    asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    def send():
        for i in range(10 ** 9):
            name = b"".join(bytes([len(label)]) + label for label in (b"f%d" % i, *sys.argv[3].encode().split(b".")))
            query = struct.pack("!6H", i & 0xffff, 0x0100, 1, 0, 0, 0) + name + b"\\0" + struct.pack("!2H", 1, 1)
            try:
                asker.sendto((query, os.urandom(i % 1400), b"")[i % 3], address)
            except OSError:
                pass
    threading.Thread(target=send, daemon=True).start()
    print("begun", flush=True)
    sys.stdin.read()
    os._exit(0)
"""


def test_a_user_floods_the_port(net, unharmed):
    status = usual(net)
    with running(net.laptop.host, "nobody", FLOOD, *map(str, listening_at(status)), net.corp.plan.domain):
        wait_for(lambda: net.laptop.status_of("corp")["counters"]["dropped"] > 10_000, "the flood")
        stays_small(net)
    wait_for(lambda: net.laptop.status_of("corp")["counters"]["in-flight"] == 0, "the end of what is in flight")
    expect.internal_names_resolve(net, net.corp)


CONNECTIONS = """
    import resource, socket, sys
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    address, held = (sys.argv[1], int(sys.argv[2])), []
    for _ in range(10_000):
        asker = socket.socket()
        asker.settimeout(1)
        try:
            asker.connect(address)
            asker.send(b"\\xff")
        except OSError:
            pass
        held.append(asker)
        if len(held) > 900:
            held.pop(0).close()
    print("begun", flush=True)
    sys.stdin.read()
"""


def test_a_user_opens_ten_thousand_connections(net, unharmed):
    status = usual(net)
    host = net.laptop.host
    with running(host, "nobody", CONNECTIONS, *map(str, listening_at(status))):
        open_now = len(host.shell(f"ls /proc/{host.main_pid('encdnsd.service')}/fd").split())
        assert open_now < 64 + 40
        expect.internal_names_resolve(net, net.corp)


JUNK = (("Apply", "sa{sv}", "corp", "1", "attributes", "s", "x" * 10_000), ("Apply", "s", "%n" * 5_000),
        ("Remove", "ss", "corp", "no-such-end"), ("Release", "s", "\x1b[31m"), ("Adopt", "ssi", "corp", "../../etc", "-1"),
        ("Announce", "ay", "3", "0", "255", "1"), ("NoSuchMethod",))


@pytest.mark.parametrize("user", ["root", "nobody"])
def test_a_user_calls_with_junk(net, unharmed, user):
    before = usual(net)
    host = net.laptop.host
    group = "root" if user == "root" else "nogroup"
    for call in JUNK:
        done = host.run("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "busctl", "call",
                        "org.strongswan.EncDns1", "/org/strongswan/EncDns1", "org.strongswan.EncDns1.Manager", *call,
                        check=False)
        assert done.returncode != 0, (call[0], done)
    after = net.laptop.wait_in_force("corp")
    assert (after["domains"], after["link"]) == (before["domains"], before["link"])
    expect.internal_names_resolve(net, net.corp)


def test_more_connections_than_anybody_has(net):
    """As many are blocked as there may be, and one more; then one is to be connected."""
    host = net.laptop.host
    blocks = [{"connection": f"c{i}", "domains": [f"d{i}.example"]} for i in range(CONNECTIONS_MAX + 1)]
    host.systemctl("stop", "strongswan.service", "encdnsd.service")
    host.run("ip", "link", "add", "encdns90", "type", "veth", "peer", "name", "encdns90p")
    try:
        host.write("/var/lib/encdnsd/blocks.json", json.dumps(blocks))
        host.systemctl("start", "encdnsd.service")
        assert len(net.laptop.status()["connections"]) == CONNECTIONS_MAX
        index = host.read("/sys/class/net/encdns90/ifindex").strip()
        done = host.run("busctl", "call", "org.strongswan.EncDns1", "/org/strongswan/EncDns1",
                        "org.strongswan.EncDns1.Manager", "Apply", "sa{sv}", "one-more", "2", "link", "s", "encdns90",
                        "ifindex", "i", index, check=False)
        assert done.returncode and f"there are {CONNECTIONS_MAX} connections already" in done.stderr, done
        stays_small(net)
    finally:
        host.systemctl("stop", "encdnsd.service")
        host.run("ip", "link", "delete", "encdns90")
        host.remove("/var/lib/encdnsd/blocks.json")
        host.systemctl("start", "encdnsd.service", "strongswan.service")


ANSWERS = """
    import os, socket, ssl, struct, sys, threading
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/etc/unbound/tls.pem", "/etc/unbound/tls.key")
    listener = socket.create_server(("::", 853), family=socket.AF_INET6, dualstack_ipv6=True)
    message = struct.pack("!H", 65535) + os.urandom(2) + b"\\x81\\x80\\0\\1" + bytes(65529)
    def answer(connection):
        try:
            connection = context.wrap_socket(connection, server_side=True)
            while True:
                connection.sendall(message)
        except OSError:
            pass
    def serve():
        while True:
            threading.Thread(target=answer, args=[listener.accept()[0]], daemon=True).start()
    threading.Thread(target=serve, daemon=True).start()
    print("begun", flush=True)
    sys.stdin.read()
    os._exit(0)
"""


def test_a_resolver_answers_for_ever(net, unharmed):
    """64 KiB at a time, whatever was asked. Names fail, nothing grows, and with a good resolver they are back."""
    usual(net)
    net.corp.resolver.stop()
    with running(net.corp.resolver_host, "root", ANSWERS):
        expect.internal_names_fail(net, net.corp)
        expect.public_names_go_to_the_hotel(net)
        stays_small(net)
    net.corp.serve()
    name = next(iter(net.corp.plan.names))
    wait_for(lambda: net.laptop.lookup(name), "an answer of the good resolver", 65)
    expect.internal_names_resolve(net, net.corp)
