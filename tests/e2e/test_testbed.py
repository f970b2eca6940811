"""The test bed's own tests: its evidence must show a leak where there is one, or the others prove nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from testbed import host, swanctl
from testbed.util import SOURCE, wait_for

pytestmark = pytest.mark.one_release

LONELY_HOST = """
import sys, time
from testbed import host, roots
lonely = host.Host("lonely", [roots.host_root(sys.argv[1]).ensure()])
lonely.start()
lonely.wait_booted()
print(lonely.pid, lonely.cgroup, flush=True)
time.sleep(600)
"""


def test_a_query_to_the_hotel_is_seen(net):
    with net.watch() as watch:
        net.laptop.lookup("INTRANET.corp.example")
        evidence = watch.evidence()
    seen_on = {(packet.host, packet.interface) for packet in evidence.leaks(["corp.example"])}
    assert seen_on == {("laptop", "wifi0"), ("hotel", "guest0")}
    assert "intranet.corp.example" in net.hotel_dns.names()


def test_a_client_hello_outside_the_tunnel_is_seen(net):
    net.hotel_dns.start(net.corp.good_credential)
    with net.watch() as watch:
        net.laptop.host.run("kdig", "@198.51.100.1", "+tls", f"+tls-sni={net.corp.plan.adn}", "www.example.org")
        evidence = watch.evidence()
    net.hotel_dns.start()
    assert evidence.leaks([], [net.corp.plan.adn])


def test_clear_text_inside_the_tunnel_is_seen_and_tls_is_not(net):
    net.corp.configure(swanctl.gateway(net.corp.plan))
    net.laptop.configure(swanctl.laptop([net.corp.plan]))
    net.laptop.connect("corp")
    resolver = net.corp.plan.resolver[0]
    with net.watch() as watch:
        net.laptop.host.run("kdig", f"@{resolver}", "+tls", f"+tls-sni={net.corp.plan.adn}", "mail.corp.example")
        evidence = watch.evidence()
    assert not evidence.leaks(["corp.example"], [net.corp.plan.adn])
    with net.watch() as watch:
        net.laptop.host.run("kdig", f"@{resolver}", "mail.corp.example")
        evidence = watch.evidence()
    seen_on = {(packet.host, packet.interface) for packet in evidence.leaks(["corp.example"])}
    assert seen_on == {("laptop", "ipsec0"), ("corp-gw", "ipsec0"), ("corp-gw", "lan0")}


def test_the_machine_stays_as_it_is(net, machine):
    """The hosts' interfaces never appear on the machine, and its name resolution is its own."""
    assert machine() == machine.before


def _has_ended(pid: str) -> bool:
    """Also where nobody has asked for its exit status: the first process of a container may not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_hosts_go_with_their_runner(pytestconfig):
    """Even where the runner is killed and cannot clean up."""
    release = pytestconfig.getoption("laptop_release")
    runner = subprocess.Popen([sys.executable, "-c", LONELY_HOST, release], cwd=SOURCE / "tests",
                              stdout=subprocess.PIPE, text=True)
    pid, cgroup = runner.stdout.readline().split()
    os.kill(runner.pid, signal.SIGKILL)
    runner.wait()
    wait_for(lambda: _has_ended(pid), "the end of the host")
    host.remove_stale_cgroups()
    assert not Path(cgroup).exists()
