"""The Debian packages on a host that has never seen them: installed, upgraded, removed, purged."""

import re
import shutil

import pytest

from testbed import roots
from testbed.build import Build
from testbed.host import Host
from testbed.util import SOURCE, wait_for

pytestmark = [pytest.mark.one_release, pytest.mark.not_sanitized("it installs the packages that users get")]

PACKAGES = ("strongswan-plugin-encdns", "encdns-client", "encdnsctl")
PROFILE = "/etc/apparmor.d/local/usr.sbin.charon-systemd"
CONFFILE = "/etc/strongswan.d/charon/encdns.conf"

# Users and groups stay, as Debian wants it; the rest is dpkg's, systemd's and the journal's own.
FILES = """
    find /etc /usr /var /run -xdev -not -type d -not -path '/etc/*-' -not -path '/etc/passwd' -not -path '/etc/group' \
        -not -path '/etc/*shadow' -not -path '/var/lib/dpkg/*' -not -path '/var/log/*' -not -path '/var/cache/*' \
        -not -path '/var/lib/apt/*' -not -path '/var/lib/systemd/*' -not -path '/run/systemd/*' -not -path '/run/dbus/*' \
        -not -path '/run/charon.*' -not -path '/run/log/*' -not -path '/run/user/*' -not -path '/run/dmeventd*' | sort
"""

ANCHORS = "/run/dnssec-trust-anchors.d/encdns.positive"


@pytest.fixture
def host(pytestconfig, tmp_path):
    """A Debian host with strongSwan and resolved, and the packages as files."""
    build = Build(pytestconfig.getoption("laptop_release"))
    build.ensure()
    (tmp_path / "debs").mkdir()
    for package in build.packages:
        shutil.copy(package, tmp_path / "debs")
    host = Host("fresh", [tmp_path, roots.host_root(build.release).ensure()])
    try:
        host.start()
        host.wait_booted()
        yield host
    finally:
        host.stop()


def apt(host, *arguments):
    host.run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--yes", "--quiet", *arguments, timeout=120)


def install(host, folder="/debs"):
    apt(host, "install", *host.shell(f"echo {folder}/*.deb").split())


def plugins(host) -> list:
    host.systemctl("restart", "strongswan.service")
    return host.output("swanctl", "--stats").partition("loaded plugins:")[2].split()


def anchors_read(host) -> str:
    """The trust anchors that resolved said last that it had read."""
    return host.journal("systemd-resolved.service").rpartition("Positive Trust Anchors:")[2]


def test_install_upgrade_remove_and_purge(host):
    before = host.shell(FILES).splitlines()
    profile = host.read(PROFILE)
    host.systemctl("start", "strongswan.service")
    charon = host.main_pid("strongswan.service")

    install(host)
    # The bus learns of its policy after the packages are configured, and so of the name that encdnsd may own.
    wait_for(lambda: host.active("encdnsd.service"), "encdnsd after the installation")
    assert host.systemctl("is-enabled", "encdnsd.service").stdout.strip() == "enabled"
    assert "no connection" in host.run("encdnsctl", "status", check=False).stdout
    assert host.main_pid("strongswan.service") == charon, "tunnels that are up stay up"
    assert {"encdns"} <= set(plugins(host)) and "resolve" not in plugins(host)
    assert host.read(PROFILE) == profile + "include if exists <abstractions/strongswan-encdns>\n"
    assert host.output("stat", "-c", "%U %a", f"/proc/{host.main_pid('encdnsd.service')}").split()[0] == "encdns"

    host.shell(f"echo '# mine' >>{CONFFILE}")
    newer(host)
    daemon = host.main_pid("encdnsd.service")
    install(host, "/newer")
    wait_for(lambda: host.active("encdnsd.service"), "encdnsd after the upgrade")
    assert host.main_pid("encdnsd.service") != daemon, "the new one runs"
    assert "# mine" in host.read(CONFFILE)
    assert host.read(PROFILE).count("strongswan-encdns") == 1
    for package in PACKAGES:
        assert host.output("dpkg-query", "-W", "-f", "${Version}", package).endswith("+newer")

    assert host.output("stat", "-c", "%U %a", ANCHORS).strip() == "encdns 644"
    host.run("ip", "link", "add", "encdns7", "type", "veth", "peer", "name", "encdns7p")
    host.systemctl("stop", "encdnsd.service")
    host.write(ANCHORS, f"corp.example. IN DS 1 13 2 {'ab' * 32}\n")
    host.systemctl("restart", "systemd-resolved.service")
    assert "corp.example" in anchors_read(host)
    apt(host, "remove", *PACKAGES)
    assert "corp.example" not in anchors_read(host)
    assert not host.active("encdnsd.service")
    assert host.run("ip", "link", "show", "encdns7", check=False).returncode != 0
    assert "encdns" not in plugins(host)
    assert "# mine" in host.read(CONFFILE)

    apt(host, "purge", *PACKAGES)
    assert host.read(PROFILE) == profile
    after = host.shell(FILES).splitlines()
    assert sorted(set(after) ^ set(before)) == []


def test_they_fit_this_strongswan_alone(host):
    """Debian's security updates of it go through, a new upstream version does not."""
    depends = host.output("dpkg-deb", "-f", *host.shell("echo /debs/strongswan-plugin-encdns_*.deb").split(), "Depends")
    have = host.output("dpkg-query", "-W", "-f", "${Version}", "strongswan-libcharon")
    upstream = have.partition("-")[0]
    clauses = [clause.split("(")[1].strip(" )").split() for clause in depends.split(",")
               if clause.strip().startswith("strongswan-libcharon ")]
    assert sorted(relation for relation, _ in clauses) == ["<<", ">="]

    def fits(version):
        return all(host.run("dpkg", "--compare-versions", version, relation.replace("<<", "lt").replace(">=", "ge"),
                            bound, check=False).returncode == 0 for relation, bound in clauses)

    assert fits(have)
    assert fits(f"{upstream}-99+deb99u9")
    *rest, last = upstream.split(".")
    assert not fits(".".join([*rest, str(int(last) + 1)]) + "-1")
    assert not fits(".".join([*rest, str(int(last) - 1)]) + "-9" if int(last) else "0-1")


def test_their_own_tests_pass(host):
    """Those of debian/tests, which Debian's machines run."""
    commands = re.findall(r"^Test-Command: (.+)$", (SOURCE / "debian/tests/control").read_text(), re.M)
    assert commands
    install(host)
    for command in commands:
        host.shell(command)


def newer(host):
    """The same packages under a higher version."""
    host.shell("""
        mkdir /newer
        for package in /debs/*.deb; do
            dpkg-deb -R "$package" /tmp/unpacked
            sed -i 's/^Version: .*/&+newer/; s/(= \\([^)]*\\))/(= \\1+newer)/' /tmp/unpacked/DEBIAN/control
            dpkg-deb -b /tmp/unpacked /newer/"$(basename "$package")"
            rm -rf /tmp/unpacked
        done
    """)
