"""Fixtures of the end-to-end tests: one booted network per run, brought back to a known state before each test."""

import os
import signal
from pathlib import Path

import pytest

pytest.register_assert_rewrite("expect")

from testbed import build  # noqa: E402
from testbed.network import Network  # noqa: E402
from testbed.sanitizers import SANITIZERS  # noqa: E402
from testbed.util import RELEASES  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--laptop-release", choices=RELEASES, default="trixie")
    parser.addoption("--gateway-release", choices=RELEASES, default="trixie")
    parser.addoption("--sanitizer", choices=list(SANITIZERS), help="on hosts that are built with it")
    parser.addoption("--kernel-esp", action="store_true", help="leave ESP to the kernel, which has to have it")
    parser.addoption("--installed", metavar="FOLDER", help="the product as it is installed, by release; not built")


def pytest_configure(config):
    config.addinivalue_line("markers", "one_release: the laptop's and the gateway's releases do not meet in it")
    config.addinivalue_line("markers", "not_sanitized(reason): what it asks does not hold with a sanitizer")
    config.addinivalue_line("markers", "kernel_esp(only): is run with the kernel's ESP too, or with nothing else")
    # So that a terminated run takes its hosts down in order, as an interrupted one does.
    # SystemExit would be one test's failure.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", 143))


def pytest_collection_modifyitems(config, items):
    """With --kernel-esp what is marked for it, otherwise all but what is for nothing else."""
    def wanted(item):
        mark = item.get_closest_marker("kernel_esp")
        return mark is not None if config.getoption("kernel_esp") else not (mark and mark.kwargs.get("only"))

    config.hook.pytest_deselected(items=[item for item in items if not wanted(item)])
    items[:] = [item for item in items if wanted(item)]
    if not config.getoption("sanitizer"):
        return
    for item in items:
        for mark in item.iter_markers("not_sanitized"):
            item.add_marker(pytest.mark.skip(reason=f"not with a sanitizer: {mark.args[0]}"))


class Machine:
    """What the test bed must leave alone on the machine that it runs on."""

    def __init__(self):
        self.before = self()

    def __call__(self):
        return sorted(os.listdir("/sys/class/net")), Path("/etc/resolv.conf").read_bytes(), os.uname().nodename


@pytest.fixture(scope="session")
def machine():
    return Machine()


@pytest.fixture(scope="session")
def network(pytestconfig, machine):
    laptop, gateway = pytestconfig.getoption("laptop_release"), pytestconfig.getoption("gateway_release")
    installed, sanitizer = pytestconfig.getoption("installed"), pytestconfig.getoption("sanitizer")
    products = {release: Path(installed, release) for release in (laptop, gateway)} if installed else \
        build.products([laptop, gateway], sanitizer)
    with Network(laptop, gateway, products, sanitizer=sanitizer,
                 kernel_esp=pytestconfig.getoption("kernel_esp")) as network:
        yield network


@pytest.fixture
def net(network, request):
    """The network with nothing connected, nothing configured, and nothing in the logs."""
    request.node.network = network
    try:
        network.reset()
        yield network
    finally:
        findings = network.findings()
        if findings:
            pytest.fail("\n\n".join(findings), pytrace=False)


@pytest.fixture
def branch(net):
    """The second enterprise."""
    return net.enterprises.get("branch") or net.add_enterprise("branch")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds what the daemons said to the report of a test that failed."""
    outcome = yield
    report = outcome.get_result()
    network = getattr(item, "network", None)
    if report.failed and network and network.laptop.host.running:
        for host, command in (
                (network.laptop.host, ["encdnsctl", "status"]),
                (network.laptop.host, ["resolvectl", "status", "--no-pager"]),
                (network.laptop.host, ["journalctl", "-q", "-o", "short-precise", "-n", "60", "-u", "encdnsd",
                                       "-u", "systemd-resolved", "-u", "systemd-networkd", "-u", "dbus", "-u", "polkit"]),
                (network.laptop.host, ["journalctl", "-q", "-u", "strongswan", "-o", "cat", "-n", "160"]),
                (network.corp.gateway, ["journalctl", "-q", "-u", "strongswan", "-o", "cat", "-n", "160"])):
            done = host.run(*command, check=False)
            # charon names every plugin that it looked for in vain, each time.
            said = [line for line in (done.stdout + done.stderr).splitlines() if "failed to load" not in line]
            report.sections.append((f"{host.name}: {' '.join(command)}", "\n".join(said[-80:])))
