"""charon held to the profile that strongSwan ships and Debian only complains by, with what our package adds to it. It takes
a kernel that has AppArmor: Debian's. That lets every process speak to D-Bus as it likes, so what the package adds for it is
compiled here, and not more."""

import re
import subprocess

import pytest

from expect import back_to, internal_names_fail, internal_names_resolve, no_leak
from testbed import swanctl

pytestmark = [pytest.mark.kernel_esp(only=True), pytest.mark.one_release]

FOLDER = "/etc/apparmor.d"
PROFILE = "usr.sbin.charon-systemd"
SECURITY = "/sys/kernel/security"


def parse(option: str, base) -> None:
    """With all that profiles can say; Debian's setting is what its oldest kernel understands."""
    newest = max((base / "abi").glob("[0-9].[0-9]"))
    subprocess.run(["apparmor_parser", option, "--skip-cache", "--policy-features", newest, "--base", base, base / PROFILE],
                   check=True)


def denied() -> list:
    """What charon was not let, by the kernel's own log."""
    log = subprocess.run(["dmesg"], capture_output=True, text=True, check=True).stdout
    return [line for line in log.splitlines() if 'apparmor="DENIED"' in line and "charon" in line]


@pytest.fixture
def enforce(net, tmp_path):
    """Enforces the profile, with some local part, on the charon that it starts anew."""
    host, base = net.laptop.host, tmp_path / "apparmor.d"
    subprocess.run(["cp", "-a", FOLDER, base], check=True)
    (base / "local").mkdir(exist_ok=True)
    (base / PROFILE).write_text(re.sub(r"complain, *", "", host.read(f"{FOLDER}/{PROFILE}")))
    (base / "abstractions/strongswan-encdns").write_text(host.read(f"{FOLDER}/abstractions/strongswan-encdns"))
    if subprocess.run(["mountpoint", "-q", SECURITY]).returncode:
        subprocess.run(["mount", "-t", "securityfs", "securityfs", SECURITY], check=True)
    enforced = False

    def start(local: str) -> None:
        nonlocal enforced
        (base / "local" / PROFILE).write_text(local)
        parse("--replace", base)
        enforced = True
        host.systemctl("restart", "strongswan.service")
        label = host.read(f"/proc/{host.main_pid('strongswan.service')}/attr/current")
        assert label.strip("\0\n") == "/usr/sbin/charon-systemd (enforce)"

    yield start
    if enforced:
        parse("--remove", base)
    host.systemctl("restart", "strongswan.service")


def test_enforced(net, enforce):
    laptop, plan = net.laptop, net.corp.plan
    net.corp.configure(swanctl.gateway(plan, encrypted_dns=swanctl.handing_out(plan)))
    laptop.configure(swanctl.laptop([plan], encrypted_dns={
        "laptop": {"accept-domains": [plan.domain], "on-disconnect": "block"}}))
    before = laptop.resolvectl()
    enforce("")
    assert any("/etc/swanctl" in line for line in denied()), "strongSwan's own profile is enough"
    refused = len(denied())
    enforce(laptop.host.read(f"{FOLDER}/local/{PROFILE}"))
    with net.watch() as watch:
        laptop.connect("corp")
        laptop.wait_in_force("corp")
        internal_names_resolve(net, net.corp)
        laptop.wait_guarded()
        # A link that is gone is one that encdnsd asks charon for.
        laptop.host.run("ip", "link", "delete", "encdns0")
        laptop.wait_guarded()
        internal_names_resolve(net, net.corp)
        laptop.disconnect("corp")
        internal_names_fail(net, net.corp)
        laptop.host.run("encdnsctl", "release", "corp")
        back_to(net, before)
        evidence = watch.evidence()
    assert denied()[refused:] == []
    no_leak(net, evidence)
