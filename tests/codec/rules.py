"""The attributes by RFC 7296 (section 3.15.1), RFC 8598 (section 4), RFC 9464 (section 3), with SvcParams by RFC 9460
(section 2.2), dohpath by RFC 9461 (section 5) and RFC 6570: octets to the JSON object that encdnsctl writes, or Refused."""

import ipaddress
import re
import struct

INTERNAL_DNS_DOMAIN, INTERNAL_DNSSEC_TA, ENCDNS_IP4, ENCDNS_IP6, ENCDNS_DIGEST_INFO = range(25, 30)
TYPES = (INTERNAL_DNS_DOMAIN, INTERNAL_DNSSEC_TA, ENCDNS_IP4, ENCDNS_IP6, ENCDNS_DIGEST_INFO)

MANDATORY, ALPN, NO_DEFAULT_ALPN, PORT, IPV4HINT, ECH, IPV6HINT, DOHPATH, INVALID = (*range(8), 65535)
KEY_NAMES = {ALPN: "alpn", NO_DEFAULT_ALPN: "no-default-alpn", PORT: "port", DOHPATH: "dohpath"}

# IKEv2 hash algorithms, and the digest types of DS records, with the length of their digests.
HASHES = {2: ("sha256", 32), 3: ("sha384", 48), 4: ("sha512", 64)}
DS_DIGESTS = {1: 20, 2: 32, 4: 48}

# What no RFC limits, and we do.
LIST_MAX = 16
DOHPATH_MAX = 1024


class Refused(Exception):
    """The rules refuse it."""


class Octets:
    """Reads from the front."""

    def __init__(self, data: bytes):
        self.data = data

    def take(self, length: int) -> bytes:
        if length > len(self.data):
            raise Refused("cut off")
        taken, self.data = self.data[:length], self.data[length:]
        return taken

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def rest(self) -> bytes:
        return self.take(len(self.data))


def refuse_unless(condition, why: str) -> None:
    if not condition:
        raise Refused(why)


def decode(kind: int, message: str, value: bytes) -> dict:
    """The value of an attribute as encdnsctl's JSON object."""
    if kind not in TYPES:
        refuse_unless(not value, "not one of ours")
        return {"type": kind, "empty": True}
    if not value and message == "request" and kind != ENCDNS_DIGEST_INFO:
        return {"type": kind, "empty": True}
    octets = Octets(value)
    if kind == INTERNAL_DNS_DOMAIN:
        found = {"domain": name(octets.rest(), host=False)}
    elif kind == INTERNAL_DNSSEC_TA:
        found = anchor(octets)
    elif kind == ENCDNS_DIGEST_INFO:
        found = digest(octets) if message == "reply" else algorithms(octets)
    else:
        found = resolver(octets, 4 if kind == ENCDNS_IP4 else 16, message)
    return {"type": kind, **found}


def name(octets: bytes, host: bool) -> str:
    """A name in presentation format and A-labels; one dot at its end is fine. host: not a domain, of which there are more."""
    if octets == b"." and not host:
        return "."
    bare = octets[:-1] if octets.endswith(b".") else octets
    refuse_unless(0 < len(bare) <= 253, "length of a name")
    labels = bare.split(b".")
    letters = rb"[A-Za-z0-9]" if host else rb"[A-Za-z0-9_]"
    for label in labels:
        refuse_unless(len(label) <= 63 and re.fullmatch(rb"(?:%b(?:(?:%b|-)*%b)?)" % (letters, letters, letters), label),
                      "label")
    refuse_unless(not host or not labels[-1].isdigit(), "an address")
    return octets.decode()


def algorithm(number: int):
    return HASHES[number][0] if number in HASHES else number


def algorithms(octets: Octets) -> dict:
    count = octets.number(1)
    refuse_unless(count and octets.number(1) == 0, "counts")
    listed = [algorithm(octets.number(2)) for _ in range(count)]
    refuse_unless(not octets.data, "too long")
    return {"algorithms": listed}


def digest(octets: Octets) -> dict:
    count, length = octets.number(1), octets.number(1)
    refuse_unless(count == 1, "count")
    adn = octets.take(length)
    adn = name(adn, host=True) if adn else ""
    number, found = octets.number(2), octets.rest()
    refuse_unless(number not in HASHES or len(found) == HASHES[number][1], "length of a digest")
    return {"adn": adn, "algorithm": algorithm(number), "digest": found.hex()}


def anchor(octets: Octets) -> dict:
    tag, number, kind, found = octets.number(2), octets.number(1), octets.number(1), octets.rest()
    refuse_unless(kind in DS_DIGESTS, "digest type")
    if len(found) == 2 * DS_DIGESTS[kind]:
        refuse_unless(re.fullmatch(rb"[0-9A-Fa-f]*", found), "hex")
        found = bytes.fromhex(found.decode())
    refuse_unless(len(found) == DS_DIGESTS[kind], "length of a digest")
    return {"key-tag": tag, "algorithm": number, "digest-type": kind, "digest": found.hex()}


def resolver(octets: Octets, length: int, message: str) -> dict:
    priority, count, adn_length = octets.number(2), octets.number(1), octets.number(1)
    addresses = [str(ipaddress.ip_address(octets.take(length))) for _ in range(count)]
    adn = octets.take(adn_length)
    refuse_unless(priority, "priority")
    refuse_unless(message == "request" or (addresses and adn), "no address, or no name")
    found = {"priority": priority}
    if addresses:
        found["addresses"] = addresses
    if adn:
        found["adn"] = name(adn, host=True)
    params = svcparams(octets)
    if params:
        found["params"] = params
    return found


def svcparams(octets: Octets) -> dict:
    raw, last = {}, -1
    while octets.data:
        key, length = octets.number(2), octets.number(2)
        refuse_unless(key > last, "order")
        raw[key] = octets.take(length)
        last = key
    refuse_unless(not raw.keys() & {IPV4HINT, IPV6HINT, INVALID}, "a key that is not allowed")
    refuse_unless(sum(key not in KEY_NAMES and key != MANDATORY for key in raw) <= LIST_MAX, "too many keys")
    refuse_unless(NO_DEFAULT_ALPN not in raw or ALPN in raw, "no-default-alpn alone")
    found = {}
    for key, value in raw.items():
        found[KEY_NAMES.get(key, f"key{key}" if key else "mandatory")] = READERS.get(key, bytes.hex)(value)
    for wanted in found.get("mandatory", []):
        refuse_unless(wanted in KEY_NAMES.values() and wanted in found, "mandatory, and absent or unknown")
    return found


def read_mandatory(value: bytes) -> list:
    refuse_unless(value and len(value) % 2 == 0 and len(value) <= 2 * LIST_MAX, "length of mandatory")
    listed = [number for number, in struct.iter_unpack("!H", value)]
    refuse_unless(listed == sorted(set(listed)) and MANDATORY not in listed, "order of mandatory")
    return [KEY_NAMES.get(key, f"key{key}") for key in listed]


def read_alpn(value: bytes) -> list:
    octets, listed = Octets(value), []
    while octets.data:
        one = octets.take(octets.number(1))
        refuse_unless(one, "empty protocol id")
        listed.append(one.decode("latin-1"))
    refuse_unless(0 < len(listed) <= LIST_MAX, "number of protocol ids")
    return listed


def read_no_default_alpn(value: bytes) -> bool:
    refuse_unless(not value, "a value")
    return True


def read_port(value: bytes) -> int:
    refuse_unless(len(value) == 2 and any(value), "port")
    return int.from_bytes(value, "big")


VARNAME = r"(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})(?:\.?(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2}))*"
VARSPEC = rf"{VARNAME}(?::[1-9][0-9]{{0,3}}|\*)?"
EXPRESSION = rf"\{{[+./;?&]?{VARSPEC}(?:,{VARSPEC})*\}}"
LITERAL = r"[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2}|[^\x00-\x7f]"
TEMPLATE = re.compile(rf"/(?!/)(?:{LITERAL}|{EXPRESSION})*")


def read_dohpath(value: bytes) -> str:
    """A relative URI template with the variable dns; what it expands to is a path, not another host."""
    refuse_unless(0 < len(value) <= DOHPATH_MAX, "length of dohpath")
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise Refused("UTF-8") from error
    refuse_unless(TEMPLATE.fullmatch(text), "template")
    variables = [variable for expression in re.findall(r"\{[+./;?&]?([^}]*)\}", text) for variable in expression.split(",")]
    refuse_unless(any(re.fullmatch(r"dns\*?", variable) for variable in variables), "no variable dns")
    refuse_unless(not any(variable.startswith("dns:") for variable in variables), "a prefix of dns")
    return text


READERS = {MANDATORY: read_mandatory, ALPN: read_alpn, NO_DEFAULT_ALPN: read_no_default_alpn, PORT: read_port,
           DOHPATH: read_dohpath}
