"""Ten connects under valgrind: neither charon nor encdnsd loses memory of ours."""

import re

import pytest

from expect import internal_names_resolve
from testbed import swanctl

pytestmark = [pytest.mark.one_release, pytest.mark.not_sanitized("valgrind and a sanitizer exclude each other")]

VALGRIND = "/usr/bin/valgrind --quiet --leak-check=full --show-leak-kinds=definite --keep-debuginfo=yes --num-callers=40"
# What the sandbox of a unit forbids and valgrind must do.
DROP_IN = """
[Service]
ExecStart=
ExecStart={valgrind} {command}
MemoryDenyWriteExecute=no
SystemCallFilter=
SystemCallArchitectures=
RestrictAddressFamilies=
WatchdogSec=0
TimeoutStartSec=120
TimeoutStopSec=120
"""
OURS = re.compile(r"libstrongswan-encdns|encdns_|encdnsd\.c")


@pytest.fixture
def under_valgrind(net):
    host = net.laptop.host
    units = ("strongswan.service", "encdnsd.service")
    for unit in units:
        started = host.output("systemctl", "cat", unit)
        command = re.findall(r"^ExecStart=(.+)$", started, re.M)[-1]
        host.write(f"/run/systemd/system/{unit}.d/valgrind.conf", DROP_IN.format(valgrind=VALGRIND, command=command))
    host.systemctl("daemon-reload")
    host.systemctl("stop", *units)
    mark = host.cursor()
    host.systemctl("start", *units)
    yield mark
    for unit in units:
        host.remove(f"/run/systemd/system/{unit}.d/valgrind.conf")
    host.systemctl("daemon-reload")


def test_no_leak_over_ten_connects(net, under_valgrind):
    corp, laptop = net.corp, net.laptop
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan)))
    laptop.configure(swanctl.laptop([corp.plan]))
    for _ in range(10):
        laptop.connect("corp")
        laptop.wait_in_force("corp")
        internal_names_resolve(net, corp)
        laptop.disconnect("corp")
    for unit in ("strongswan.service", "encdnsd.service"):
        assert "valgrind" in laptop.host.read(f"/proc/{laptop.host.main_pid(unit)}/cmdline"), unit
        laptop.host.systemctl("stop", unit, timeout=150)
        said = laptop.host.journal(unit, after=under_valgrind)
        ours = [record for record in _records(said) if OURS.search(record)]
        assert not ours, "\n\n".join(ours)


def _records(journal: str) -> list:
    """valgrind's complaints, a paragraph each."""
    lines = [line for line in journal.splitlines() if re.match(r"==\d+==", line)]
    text = "\n".join(re.sub(r"^==\d+== ?", "", line) for line in lines)
    return [record for record in text.split("\n\n") if record.strip()]
