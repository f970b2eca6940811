"""What encdnsd may do, and who may tell it to: on hosts with the real dbus-daemon and the real polkit."""

import re

import pytest

from testbed import swanctl
from testbed.util import wait_for

pytestmark = pytest.mark.one_release

SCORE_MAX = 1.1  # what a daemon that talks to the Internet can get to
ENCDNSD = ("org.strongswan.EncDns1", "/org/strongswan/EncDns1", "org.strongswan.EncDns1.Manager")
RESOLVED = ("org.freedesktop.resolve1", "/org/freedesktop/resolve1", "org.freedesktop.resolve1.Manager")
NETWORKD = ("org.freedesktop.network1", "/org/freedesktop/network1", "org.freedesktop.network1.Manager")
SYSTEMD = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")


def call_as(host, user: str, *call):
    """A D-Bus call by a user who cannot be asked for a password."""
    return host.run("setpriv", f"--reuid={user}", f"--regid={user if user != 'nobody' else 'nogroup'}", "--clear-groups",
                    "busctl", "call", *call, check=False)


@pytest.mark.not_sanitized("its sandbox is open for the sanitizer")
def test_the_sandbox(net, record_property):
    shown = net.laptop.host.output("systemd-analyze", "security", "--no-pager", "encdnsd.service")
    score = float(re.search(r"exposure level for encdnsd\.service: ([\d.]+)", shown).group(1))
    record_property("sandbox of encdnsd", f"{score} of at most {SCORE_MAX}")
    assert score <= SCORE_MAX, shown


def test_encdnsd_has_no_privileges(net):
    host = net.laptop.host
    status = dict(line.split(":\t", 1) for line in
                  host.read(f"/proc/{host.main_pid('encdnsd.service')}/status").splitlines() if ":\t" in line)
    assert "0" not in status["Uid"].split()
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == 0, kind
    assert status["NoNewPrivs"] == "1"


@pytest.mark.parametrize("user", ["nobody", "encdns"])
@pytest.mark.parametrize("call", [
    ("Apply", "sa{sv}", "corp", "0"), ("Announce", "a{sv}", "0"), ("Remove", "ss", "corp", "orderly"),
    ("Block", "s", "corp"), ("Release", "s", "corp"), ("Adopt", "ssi", "corp", "encdns0", "1")], ids=lambda call: call[0])
def test_only_root_tells_encdnsd_what_to_do(net, call, user):
    done = call_as(net.laptop.host, user, *ENCDNSD, *call)
    assert done.returncode != 0 and "denied" in done.stderr.lower(), done
    assert call_as(net.laptop.host, user, *ENCDNSD, "Describe").returncode == 0


@pytest.mark.parametrize("user", ["nobody", "encdns"])
def test_only_root_sets_the_log_level(net, user):
    level = (ENCDNSD[0], "/org/freedesktop/LogControl1", "org.freedesktop.DBus.Properties")
    name = ("org.freedesktop.LogControl1", "LogLevel")
    done = call_as(net.laptop.host, user, *level, "Set", "ssv", *name, "s", "debug")
    assert done.returncode != 0 and "denied" in done.stderr.lower(), done
    assert call_as(net.laptop.host, user, *level, "Get", "ss", *name).stdout == 'v s "info"\n'


def test_encdnsd_s_own_calls_pass(net):
    """Those that its rules name, on a link of its own; and it needs no others to get a connection in force."""
    corp, laptop = net.corp, net.laptop
    corp.configure(swanctl.gateway(corp.plan, encrypted_dns=swanctl.handing_out(corp.plan)))
    laptop.configure(swanctl.laptop([corp.plan]))
    laptop.connect("corp")
    laptop.wait_in_force("corp")
    index = str(laptop.status_of("corp")["ifindex"])
    for name, arguments in (("SetLinkDomains", ("ia(sb)", index, "1", "corp.example", "true")),
                            ("SetLinkDefaultRoute", ("ib", index, "false")), ("FlushCaches", ())):
        done = call_as(laptop.host, "encdns", *RESOLVED, name, *arguments)
        assert done.returncode == 0, (name, done.stderr)
        if name != "FlushCaches":  # which everybody may where it is no action of its own
            refused = call_as(laptop.host, "nobody", *RESOLVED, name, *arguments)
            assert refused.returncode != 0, name
    wait_for(lambda: laptop.status_of("corp")["in-force"], "the DNS in force still")


@pytest.mark.parametrize("call", [
    (*SYSTEMD, "StopUnit", "ss", "systemd-networkd.service", "replace"),
    (*SYSTEMD, "RestartUnit", "ss", "dbus.service", "replace"),
    (*NETWORKD, "Reload"),
    (*RESOLVED, "SetLinkDNSSEC", "is", "1", "no")], ids=lambda call: call[3])
def test_encdnsd_may_do_nothing_else(net, call):
    done = call_as(net.laptop.host, "encdns", *call)
    assert done.returncode != 0, done
