"""A gateway that sends broken attributes: every truncation of every kind, from a real responder. The IKE_SA stands,
and both daemons live."""

import struct

from codec.rules import ENCDNS_DIGEST_INFO, ENCDNS_IP4, ENCDNS_IP6, INTERNAL_DNS_DOMAIN, INTERNAL_DNSSEC_TA
from testbed import swanctl

# A reply must stay below charon's max_packet, 10,000 octets.
ENOUGH = 8000

ADN = b"dns.corp.example"
SVC_PARAMS = (struct.pack("!HHB3s", 1, 4, 3, b"dot") + struct.pack("!HHH", 3, 2, 853)
              + struct.pack("!HH", 7, 16) + b"/dns-query{?dns}")
VECTORS = (
    (ENCDNS_IP4, struct.pack("!HBB", 1, 2, len(ADN)) + bytes([10, 20, 0, 53, 10, 20, 0, 54]) + ADN + SVC_PARAMS),
    (ENCDNS_IP6, struct.pack("!HBB", 1, 1, len(ADN)) + bytes(range(16)) + ADN + SVC_PARAMS),
    (ENCDNS_DIGEST_INFO, struct.pack("!BB", 1, len(ADN)) + ADN + struct.pack("!H", 2) + bytes(range(32))),
    (INTERNAL_DNS_DOMAIN, b"corp.example"),
    (INTERNAL_DNSSEC_TA, struct.pack("!HBB", 12345, 8, 2) + b"A1" * 32),
)


def truncations() -> list:
    return [(kind, value[:length]) for kind, value in VECTORS for length in range(len(value) + 1)]


def batches(attributes) -> list:
    """The attributes in replies that fit."""
    found, size = [[]], 0
    for kind, value in attributes:
        size += 4 + len(value)
        if size > ENOUGH:
            found.append([])
            size = 4 + len(value)
        found[-1].append((kind, value))
    return found


def test_every_truncation_of_every_vector(net):
    corp, laptop = net.corp, net.laptop
    corp.configure(swanctl.gateway(corp.plan))
    laptop.configure(swanctl.laptop([corp.plan]))
    charon, sent, refused = laptop.host.main_pid("strongswan.service"), 0, 0
    for number, batch in enumerate(batches(truncations())):
        corp.hand_out(batch)
        mark = laptop.host.cursor()
        laptop.connect("corp")
        assert "ESTABLISHED" in laptop.swanctl.sas("corp"), f"reply {number}"
        said = laptop.host.journal("strongswan.service", after=mark)
        assert "parsed IKE_AUTH response" in said
        refused += len(laptop.wait_settled("corp").get("refused", []))
        assert laptop.host.run("ping", "-c1", "-W5", "-I", "ipsec0", corp.plan.resolver[0]).returncode == 0
        laptop.disconnect("corp")
        sent += len(batch)
    assert sent == sum(len(value) + 1 for _, value in VECTORS)
    assert refused, "encdnsd saw nothing malformed"
    assert laptop.host.main_pid("strongswan.service") == charon
    restarts = laptop.host.output("systemctl", "show", "--value", "-p", "NRestarts", "encdnsd.service").strip()
    assert restarts == "0"
