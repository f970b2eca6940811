"""The attributes of RFC 9464 and RFC 8598 as others encode them: dnspython the SvcParams, the openssl command the
digests of certificates, ldns the DS records (zone.py). Nothing here is shared with the project's own encoder and
decoder, so that these cannot be wrong together unnoticed.
"""

import ipaddress
import struct
import subprocess

import dns.rdata

from .util import CLEAN_ENV

DOMAIN, TRUST_ANCHOR, ENCDNS_IP4, ENCDNS_IP6, DIGEST_INFO = 25, 26, 27, 28, 29
HASHES = {"sha256": 2, "sha384": 3, "sha512": 4}


def svc_params(text: str) -> bytes:
    """SvcParams from RFC 9460's presentation format."""
    wire = dns.rdata.from_text("IN", "SVCB", f"1 . {text}").to_wire()
    return wire[3:]  # behind the priority and the root's name


def encdns(address: str, adn: str, params: str, priority: int = 1) -> tuple:
    """(type, value) of a resolver with one address."""
    packed = ipaddress.ip_address(address).packed
    kind = ENCDNS_IP4 if len(packed) == 4 else ENCDNS_IP6
    return kind, struct.pack("!HBB", priority, 1, len(adn)) + packed + adn.encode() + svc_params(params)


def spki_digest(certificate: str, algorithm: str) -> bytes:
    """The digest of a PEM certificate's SubjectPublicKeyInfo."""
    key = _openssl("x509", "-noout", "-pubkey", input=certificate.encode())
    info = _openssl("pkey", "-pubin", "-outform", "DER", input=key)
    return bytes.fromhex(_openssl("dgst", f"-{algorithm}", "-r", input=info).split()[0].decode())


def digest(certificate: str, adn: str = "", algorithm: str = "sha256") -> tuple:
    value = struct.pack("!BB", 1, len(adn)) + adn.encode() + struct.pack("!H", HASHES[algorithm])
    return DIGEST_INFO, value + spki_digest(certificate, algorithm)


def domain(name: str) -> tuple:
    return DOMAIN, name.encode()


def trust_anchor(ds: str) -> tuple:
    """From a DS record's data, the digest in hex digits as RFC 8598 has it."""
    tag, algorithm, digest_type, hexadecimal = ds.split()
    return TRUST_ANCHOR, struct.pack("!HBB", int(tag), int(algorithm), int(digest_type)) + hexadecimal.upper().encode()


def _openssl(*arguments, input: bytes) -> bytes:
    return subprocess.run(["openssl", *arguments], input=input, env=CLEAN_ENV, check=True, capture_output=True).stdout
