"""Random attributes: valid ones with what they mean, encoded here and, their SvcParams, by dnspython; and what becomes of
them when octets change on the way."""

import ipaddress
import string
import struct
from dataclasses import dataclass
from random import Random

import dns.name
import dns.rdataclass
import dns.rdatatype
from dns.rdtypes import svcbbase
from dns.rdtypes.IN.SVCB import SVCB

from . import rules

TEMPLATES = ("/dns-query{?dns}", "/{dns}", "/q{?a,dns,b*}", "/x/{+y:3}/doh{&dns*}", "/caf\u00e9{?dns}", "/%41{;dns}?z=1")
COMMON_ALPN = (b"dot", b"h2", b"h3", b"doq", b"http/1.1")


@dataclass
class Attribute:
    kind: int
    message: str
    value: bytes
    # What it means, as encdnsctl writes it; None: whatever rules.decode() says.
    meaning: dict = None

    @property
    def line(self) -> str:
        return f"{self.kind} {self.message} {self.value.hex()}"


def valid(random: Random) -> Attribute:
    """A valid attribute with its meaning, which comes from what was encoded, not from decoding it again."""
    kind, message = random.choice(rules.TYPES), random.choice(("request", "reply"))
    if message == "request" and kind != rules.ENCDNS_DIGEST_INFO and random.random() < 0.05:
        return Attribute(kind, message, b"", {"type": kind, "empty": True})
    value, meaning = {
        rules.INTERNAL_DNS_DOMAIN: _domain, rules.INTERNAL_DNSSEC_TA: _anchor, rules.ENCDNS_IP4: _resolver4,
        rules.ENCDNS_IP6: _resolver6, rules.ENCDNS_DIGEST_INFO: _digest if message == "reply" else _algorithms,
    }[kind](random, message)
    return Attribute(kind, message, value, {"type": kind, **meaning})


def mutated(random: Random) -> Attribute:
    """A valid attribute after one to three mishaps."""
    attribute = valid(random)
    value = bytearray(attribute.value)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        random.choice(MISHAPS)(random, value)
    if random.random() < 0.1:
        attribute.message = random.choice(("request", "reply"))
    if random.random() < 0.05:
        attribute.kind = random.choice(rules.TYPES + (24, 30, 32767))
    return Attribute(attribute.kind, attribute.message, bytes(value[:65535]))


def _label(random: Random, inner: str) -> str:
    length = random.choice((1, 2, 3, 5, 8, 13, 63)) if random.random() < 0.9 else random.randint(1, 63)
    edge = inner.replace("-", "")
    text = "".join(random.choices(inner, k=length))
    return random.choice(edge) + text[1:-1] + (random.choice(edge) if length > 1 else "")


def _name(random: Random, host: bool) -> str:
    if not host and random.random() < 0.01:
        return "."
    inner = string.ascii_letters + string.digits + "-" + ("" if host else "_")
    labels = [_label(random, inner) for _ in range(random.choice((1, 2, 2, 3, 3, 4, 9)))]
    if host and labels[-1].isdigit():
        labels.append("example")
    while len(".".join(labels)) > 253:
        labels.pop(0)
    return ".".join(labels) + ("." if random.random() < 0.1 else "")


def _adn(random: Random) -> str:
    # The length has 8 bits.
    return _name(random, host=True)


def _domain(random: Random, _message: str):
    domain = _name(random, host=False)
    return domain.encode(), {"domain": domain}


def _anchor(random: Random, _message: str):
    kind, length = random.choice(list(rules.DS_DIGESTS.items()))
    tag, number, digest = random.getrandbits(16), random.getrandbits(8), random.randbytes(length)
    written = random.choice((digest, digest.hex().encode(), digest.hex().upper().encode()))
    return struct.pack("!HBB", tag, number, kind) + written, {
        "key-tag": tag, "algorithm": number, "digest-type": kind, "digest": digest.hex()}


def _algorithms(random: Random, _message: str):
    count = random.choice((1, 2, 3, 3, 255, random.randint(1, 255)))
    listed = [random.choice((2, 3, 4, 5, random.getrandbits(16))) for _ in range(count)]
    return struct.pack(f"!BB{count}H", count, 0, *listed), {
        "algorithms": [rules.HASHES[number][0] if number in rules.HASHES else number for number in listed]}


def _digest(random: Random, _message: str):
    adn = _adn(random) if random.random() < 0.6 else ""
    number = random.choice((2, 2, 3, 4, 5, random.getrandbits(16)))
    name, length = rules.HASHES.get(number, (number, random.randint(0, 80)))
    digest = random.randbytes(length)
    return struct.pack("!BB", 1, len(adn)) + adn.encode() + struct.pack("!H", number) + digest, {
        "adn": adn, "algorithm": name, "digest": digest.hex()}


def _resolver4(random: Random, message: str):
    return _resolver(random, message, 4)


def _resolver6(random: Random, message: str):
    return _resolver(random, message, 16)


def _resolver(random: Random, message: str, length: int):
    least = 0 if message == "request" else 1
    count = random.choice((least, 1, 1, 2, 3)) if random.random() < 0.98 else 255
    addresses = [random.randbytes(length) for _ in range(count)]
    adn = _adn(random) if least or random.random() < 0.7 else ""
    priority = random.randint(1, 65535)
    params, encoded = _params(random) if random.random() < 0.85 else ({}, b"")
    meaning = {"priority": priority}
    if addresses:
        meaning["addresses"] = [str(ipaddress.ip_address(address)) for address in addresses]
    if adn:
        meaning["adn"] = adn
    if params:
        meaning["params"] = params
    return struct.pack("!HBB", priority, count, len(adn)) + b"".join(addresses) + adn.encode() + encoded, meaning


def _params(random: Random):
    """SvcParams: their meaning, and dnspython's encoding."""
    meaning, params = {}, {}
    if random.random() < 0.9:
        ids = [random.choice(COMMON_ALPN) if random.random() < 0.8 else random.randbytes(random.choice((1, 7, 255)))
               for _ in range(random.choice((1, 1, 2, 3, 16)))]
        meaning["alpn"] = [one.decode("latin-1") for one in ids]
        params[rules.ALPN] = svcbbase.ALPNParam(ids)
        if random.random() < 0.2:
            meaning["no-default-alpn"] = True
            params[rules.NO_DEFAULT_ALPN] = None
    if random.random() < 0.5:
        meaning["port"] = random.randint(1, 65535)
        params[rules.PORT] = svcbbase.PortParam(meaning["port"])
    if random.random() < 0.5:
        meaning["dohpath"] = random.choice(TEMPLATES)
        params[rules.DOHPATH] = svcbbase.GenericParam(meaning["dohpath"].encode())
    if params and random.random() < 0.2:
        listed = sorted(random.sample(sorted(params), random.randint(1, len(params))))
        meaning["mandatory"] = [rules.KEY_NAMES[key] for key in listed]
        params[rules.MANDATORY] = svcbbase.MandatoryParam(listed)
    for key in random.sample(range(8, 65535), random.choice((0, 0, 0, 1, 2, 16))):
        value = random.randbytes(random.choice((0, 1, 4, 60)))
        meaning[f"key{key}"] = value.hex()
        params[key] = svcbbase.GenericParam(value) if value else None
    record = SVCB(dns.rdataclass.IN, dns.rdatatype.SVCB, 1, dns.name.root, params)
    # In front of them: the priority, and the root as target.
    return meaning, record.to_wire()[3:]


def _flip(random: Random, value: bytearray) -> None:
    if value:
        value[random.randrange(len(value))] ^= 1 << random.randrange(8)


def _replace(random: Random, value: bytearray) -> None:
    if value:
        value[random.randrange(len(value))] = random.choice((0, 1, 0x2e, 0x2d, 0x5f, 0x25, 0x7b, 0x7d, 0xff, random.getrandbits(8)))


def _count(random: Random, value: bytearray) -> None:
    """The octets in front, where counts and lengths are, one more or less."""
    if value:
        index = random.randrange(min(len(value), 6))
        value[index] = (value[index] + random.choice((-1, 1))) & 0xff


def _insert(random: Random, value: bytearray) -> None:
    index = random.randint(0, len(value))
    value[index:index] = random.randbytes(random.choice((1, 1, 2, 4)))


def _delete(random: Random, value: bytearray) -> None:
    index = random.randint(0, len(value))
    del value[index:index + random.choice((1, 1, 2, 4))]


def _truncate(random: Random, value: bytearray) -> None:
    del value[random.randint(0, len(value)):]


def _append(random: Random, value: bytearray) -> None:
    """A SvcParam at the end, maybe out of order, maybe one that is not allowed."""
    key = random.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 65535, random.getrandbits(16)))
    content = random.choice((b"", b"\x00\x01", b"\x02h2", b"\x03\x55", b"/{?dns}", b"/{dns:3}", b"//x{dns}", random.randbytes(5)))
    value += struct.pack("!HH", key, len(content)) + content


def _repeat(random: Random, value: bytearray) -> None:
    start = random.randint(0, len(value))
    piece = value[start:start + random.randint(1, 40)]
    value[start:start] = piece


MISHAPS = (_flip, _flip, _replace, _replace, _count, _insert, _delete, _truncate, _append, _repeat)
