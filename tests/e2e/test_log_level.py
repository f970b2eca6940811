"""The level of encdnsd's log at run time: by encdnsctl, and by systemd's own tool."""

import pytest

from testbed import swanctl

pytestmark = pytest.mark.one_release

ENCDNSD = "encdnsd.service"


def test_log_level(net):
    corp, laptop = net.corp, net.laptop
    host = laptop.host
    assert host.output("encdnsctl", "log-level") == "info\n"
    assert host.output("systemctl", "service-log-level", ENCDNSD) == "info\n"

    def connect() -> str:
        """Connects; what the journal got meanwhile."""
        after = host.cursor()
        laptop.connect("corp")
        laptop.wait_in_force("corp")
        assert laptop.lookup(f"intranet.{corp.plan.domain}")
        laptop.disconnect("corp")
        return host.journal(ENCDNSD, after=after)

    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan)))
    laptop.configure(swanctl.laptop([corp.plan]))
    said = connect()
    assert "corp: in-force" in said and "Apply" not in said

    host.run("encdnsctl", "log-level", "debug")
    assert host.output("systemctl", "service-log-level", ENCDNSD) == "debug\n"
    said = connect()
    assert "Apply by :1." in said and f"{corp.plan.adn} (DoT) connected" in said
    # The resolver's own name is no query.
    assert "intranet" not in said

    host.systemctl("service-log-level", ENCDNSD, "err")
    assert host.output("encdnsctl", "log-level", "--json").split() == ["{", '"log-level":"err"', "}"]
    assert connect() == ""

    wrong = host.run("encdnsctl", "log-level", "loud", check=False)
    assert wrong.returncode == 2 and "no log level" in wrong.stderr
    assert host.output("encdnsctl", "log-level") == "err\n"


def test_a_level_for_good(net):
    host = net.laptop.host
    host.write("/run/systemd/system/encdnsd.service.d/level.conf", "[Service]\nEnvironment=ENCDNSD_LOG_LEVEL=warning\n")
    try:
        host.systemctl("daemon-reload")
        host.systemctl("restart", ENCDNSD)
        assert host.output("encdnsctl", "log-level") == "warning\n"
    finally:
        host.remove("/run/systemd/system/encdnsd.service.d")
        host.systemctl("daemon-reload")
