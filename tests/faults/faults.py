"""What can break, how it is broken, and how it is mended where it does not mend itself."""

import time
from dataclasses import dataclass
from typing import Callable, Optional

from testbed.util import TestbedError, wait_for


@dataclass(frozen=True)
class Fault:
    """One fault. Those with a hold are there before the step begins, and mended when they have been there that long;
    the others hit while the step is under way."""

    name: str
    inject: Callable
    mend: Optional[Callable] = None
    hold: float = 0
    # Looks while it is there; raises where something is wrong.
    during: Optional[Callable] = None
    # Takes the tunnel with it, and nobody but the user brings it back.
    fatal: bool = False


def _kill(unit: str, number: str = "KILL") -> Callable:
    return lambda net: net.laptop.host.kill(unit, number)


def _restart(unit: str) -> Callable:
    return lambda net: net.laptop.host.systemctl("restart", unit)


def _delete_link(net) -> None:
    # In some steps there is none yet, or none any more.
    net.laptop.host.run("ip", "link", "delete", "encdns0", check=False)


def _delete_tunnel(net) -> None:
    net.laptop.host.run("ip", "link", "delete", "ipsec0", check=False)


def _rotate_certificate(net) -> None:
    net.corp.serve(net.corp.authority.issue(net.corp.plan.adn))


def _expire_certificate(net) -> None:
    net.corp.serve(net.corp.authority.issue(net.corp.plan.adn, expired=True))


def _serve(net) -> None:
    net.corp.serve()


def _stop_resolver(net) -> None:
    net.corp.resolver.stop()


def _kill_gateway(net) -> None:
    """As a power failure does, for a while: systemd would have it back in a tenth of a second."""
    net.corp.gateway.systemctl("mask", "--runtime", "strongswan.service")
    net.corp.gateway.kill("strongswan.service")


def _start_gateway(net) -> None:
    net.corp.gateway.systemctl("unmask", "--runtime", "strongswan.service")
    net.corp.gateway.systemctl("reset-failed", "strongswan.service", check=False)
    net.corp.gateway.systemctl("start", "strongswan.service")


def _fill_run(net) -> None:
    """Leaves not a page of /run: what is written there fails, and so does every new file's content."""
    net.laptop.host.shell("mount -o remount,size=16m /run; cat /dev/zero >/run/filler 2>/dev/null || :; "
                          "if echo x >/run/probe; then exit 1; fi 2>/dev/null; rm -f /run/probe")


def _empty_run(net) -> None:
    net.laptop.host.shell("rm -f /run/filler; mount -o remount,size=64m /run")


def _drop(host: str, rule: str) -> Callable:
    """Loses packets without a word."""
    def inject(net):
        _host(net, host).run("nft", "-f", "-", input="table inet fault {\nchain forward {\n"
                             f"type filter hook forward priority 0\n{rule.format(plan=net.corp.plan)}\n}}\n}}\n")
    return inject


def _undrop(host: str) -> Callable:
    return lambda net: _host(net, host).run("nft", "delete", "table", "inet", "fault", check=False)


def _host(net, name: str):
    return {"hotel": net.hotel, "gateway": net.corp.gateway}[name]


def _uplink(state: str) -> Callable:
    return lambda net: net.laptop.host.run("ip", "link", "set", "wifi0", state)


def _suspend(net) -> None:
    """Every process of the laptop stands still; meanwhile the gateway has given it up, and the resolver has forgotten
    its connections."""
    freeze(net.laptop.host, True)
    _LOSE_EVERYTHING(net)
    net.corp.gateway.run("swanctl", "--terminate", "--ike", "rw", "--force", check=False)
    net.corp.serve()


def _resume(net) -> None:
    _undrop("hotel")(net)
    freeze(net.laptop.host, False)


def freeze(host, frozen: bool) -> None:
    """Freezes a host's processes, or lets them go on."""
    (host.cgroup / "cgroup.freeze").write_text(f"{int(frozen)}\n")
    wait_for(lambda: f"frozen {int(frozen)}" in (host.cgroup / "cgroup.events").read_text(), "the freezing of a host")


def _charon_notices_nothing(net) -> None:
    """Its IKE threads work as ever."""
    begun = time.monotonic()
    sas = net.laptop.swanctl.sas()
    if "ESTABLISHED" in sas:
        net.laptop.host.run("swanctl", "--rekey", "--child", "net")
    if time.monotonic() - begun > 3:
        raise TestbedError(f"charon took {time.monotonic() - begun:.1f} s for a rekeying")


def _take_a_breath(net) -> None:
    time.sleep(4)


_LOSE_EVERYTHING = _drop("hotel", "drop")
TO_RESOLVER = "ip daddr {plan.resolver[0]} drop\nip6 daddr {plan.resolver[1]} drop"
TO_GATEWAY = "ip daddr {plan.internet[0]} drop\nip6 daddr {plan.internet[1]} drop"

FAULTS = (
    Fault("charon killed", _kill("strongswan.service"), fatal=True),
    Fault("charon restarted", _restart("strongswan.service"), fatal=True),
    Fault("encdnsd killed", _kill("encdnsd.service")),
    Fault("encdnsd restarted", _restart("encdnsd.service")),
    Fault("resolved killed", _kill("systemd-resolved.service")),
    Fault("resolved restarted", _restart("systemd-resolved.service")),
    # resolved never joins a new bus, so its user interface is dead until somebody restarts it; it resolves all the same.
    Fault("dbus killed", _kill("dbus.service"), mend=_restart("systemd-resolved.service"), during=_take_a_breath),
    Fault("polkit killed", _kill("polkit.service")),
    Fault("networkd restarted", _restart("systemd-networkd.service")),
    Fault("link deleted", _delete_link),
    Fault("tunnel deleted", _delete_tunnel, mend=_restart("strongswan.service"), fatal=True),
    Fault("certificate rotated", _rotate_certificate, mend=_serve),
    Fault("gateway killed", _kill_gateway, mend=_start_gateway),
    Fault("encdnsd stopped", _kill("encdnsd.service", "STOP"), _kill("encdnsd.service", "CONT"), hold=30,
          during=_charon_notices_nothing),
    Fault("resolved stopped", _kill("systemd-resolved.service", "STOP"), _kill("systemd-resolved.service", "CONT"),
          hold=6),
    Fault("run full", _fill_run, _empty_run, hold=3),
    Fault("resolver down", _stop_resolver, _serve, hold=3),
    Fault("resolver unreachable", _drop("gateway", TO_RESOLVER), _undrop("gateway"), hold=6),
    Fault("certificate expired", _expire_certificate, _serve, hold=3),
    # Longer than charon tries to reestablish it for the first time.
    Fault("gateway unreachable", _drop("hotel", TO_GATEWAY), _undrop("hotel"), hold=15),
    Fault("uplink lost", _uplink("down"), _uplink("up"), hold=3),
    Fault("suspended", _suspend, _resume, hold=4),
)
