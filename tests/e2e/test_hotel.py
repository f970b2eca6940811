"""A hotel that claims the enterprise's names for itself."""

import pytest

from expect import back_to, internal_names_resolve, no_leak, public_names_go_to_the_hotel
from testbed import swanctl
from testbed.util import wait_for

pytestmark = pytest.mark.one_release


@pytest.mark.parametrize("claim", ["corp.example", "lab.corp.example", "corp.example lab.corp.example hotel.example"])
@pytest.mark.parametrize("when", ["before", "while"])
def test_a_hotel_that_claims_internal_domains(net, claim, when):
    """Claimed before the connection or while it is up: no internal query reaches the hotel, and at the end the hotel
    has its domains back."""
    corp, laptop = net.corp, net.laptop
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan)))
    laptop.configure(swanctl.laptop([corp.plan]))
    if when == "before":
        laptop.uplink(claim)
    before = laptop.resolvectl()
    with net.watch() as watch:
        laptop.connect("corp")
        laptop.wait_in_force("corp")
        if when == "while":
            laptop.uplink(claim, wait=False)
            wait_for(lambda: laptop.status()["other-links"] and not _internal(laptop), "the hotel's claim taken off")
        else:
            assert not _internal(laptop)
        internal_names_resolve(net, corp)
        public_names_go_to_the_hotel(net)
        laptop.disconnect("corp")
        if when == "before":
            back_to(net, before)
        else:
            wait_for(lambda: set(claim.split()) == set(_claims(laptop)), "the hotel's domains put back")
        evidence = watch.evidence()
    no_leak(net, evidence)


def _claims(laptop) -> list:
    return laptop.host.output("resolvectl", "domain", "wifi0").partition(":")[2].split()


def _internal(laptop) -> list:
    return [claim for claim in _claims(laptop) if "corp.example" in claim]
