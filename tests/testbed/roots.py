"""Debian root file systems, one pair per release: a *build* root, in which the project is compiled against that
release's own strongSwan, and a *host* root, from which test hosts boot.

mmdebstrap makes them out of packages alone. They are kept in the cache folder under a name that holds a hash of
what goes into them, so a changed list or hook makes a new one and drops the old.
"""

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .util import HERE, TestbedError, cache, hold, in_use, locked, say

BUILD_PACKAGES = """
    gcc clang libclang-rt-dev llvm make autoconf automake libtool pkgconf libc6-dev file xz-utils bzip2 patch ca-certificates
    libsystemd-dev libssl-dev libnghttp2-dev libjson-c-dev libpsl-dev libidn2-dev libcmocka-dev
    valgrind python3 openssl mandoc man-db groff-base debhelper dpkg-dev lintian zsh
    libstrongswan libcharon-extra-plugins libstrongswan-standard-plugins charon-systemd
""".split()

HOST_PACKAGES = """
    systemd systemd-sysv systemd-resolved dbus polkitd
    charon-systemd strongswan-swanctl libcharon-extra-plugins libstrongswan-standard-plugins
    libnghttp2-14 libjson-c5 libpsl5 libidn2-0 publicsuffix
    unbound dnsdist openssl ca-certificates iproute2 nftables iputils-ping tcpdump procps knot-dnsutils
    python3-minimal python3-dnspython valgrind libc6-dbg
""".split()

# What runs the test bed in a virtual machine, and the kernel of that.
MACHINE_PACKAGES = """
    linux-image-cloud-amd64 initramfs-tools udev kmod apparmor
    python3 python3-pytest python3-dnspython iproute2 util-linux util-linux-extra openssl
""".split()

NETWORK_MANAGER = "network-manager network-manager-strongswan".split()


@dataclass(frozen=True)
class Root:
    """One root file system: what it is made of, and where it is once ensure() has returned."""

    kind: str
    release: str
    packages: tuple
    hook: Path

    @property
    def key(self) -> str:
        recipe = json.dumps([self.kind, self.release, self.packages, self.hook.read_text()])
        return hashlib.sha256(recipe.encode()).hexdigest()[:12]

    @property
    def path(self) -> Path:
        return cache() / "roots" / f"{self.kind}-{self.release}-{self.key}"

    def ensure(self) -> Path:
        """Makes the root where it is missing, and keeps it from being dropped while this process lives."""
        roots = cache() / "roots"
        with locked(roots / f"{self.kind}-{self.release}.lock"):
            if not self.path.is_dir():
                self._drop_others(roots)
                self._make()
            hold(self.path)
        return self.path

    def drop(self) -> None:
        _remove(self.path)

    def _make(self) -> None:
        say(f"making the {self.kind} root for {self.release} (kept in {cache()})")
        unfinished = self.path.with_suffix(".new")
        _remove(unfinished)
        unfinished.mkdir(parents=True)
        log = cache() / "roots" / f"{self.kind}-{self.release}.log"
        command = [
            "mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory",
            f"--include={','.join(self.packages)}",
            # A release under development that is mirrored as it was one day has a Release file past its date.
            '--aptopt=Acquire::Check-Valid-Until "false"',
            f"--customize-hook={self.hook}",
            self.release, str(unfinished),
        ]
        with open(log, "wb") as output:
            status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output).returncode
        if status:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            _remove(unfinished)
            raise TestbedError(f"mmdebstrap failed for {self.release}, see {log}:\n{tail}")
        unfinished.rename(self.path)

    def _drop_others(self, roots: Path) -> None:
        for other in roots.glob(f"{self.kind}-{self.release}-*"):
            if other.is_dir() and not in_use(other):
                _remove(other)


def build_root(release: str) -> Root:
    return Root("build", release, tuple(BUILD_PACKAGES), HERE / "hooks" / "build-root")


def host_root(release: str) -> Root:
    return Root("host", release, tuple(HOST_PACKAGES), HERE / "hooks" / "host-root")


def network_manager_root(release: str) -> Root:
    """A host root of whose network NetworkManager is in charge; for the one test that asks for it."""
    return Root("nm", release, tuple(HOST_PACKAGES + NETWORK_MANAGER), HERE / "hooks" / "host-root")


def machine_root(release: str) -> Root:
    """What a virtual machine boots, in which hosts are: with Debian's kernel."""
    return Root("machine", release, tuple(MACHINE_PACKAGES), HERE / "hooks" / "machine-root")


def ensure_pair(release: str) -> tuple:
    """Both roots of a release, with the same strongSwan in them: the daemon refuses a plugin of another version."""
    build, host = build_root(release), host_root(release)
    paths = build.ensure(), host.ensure()
    if strongswan_version(paths[0]) != strongswan_version(paths[1]):
        say(f"{release} has got a new strongSwan since its roots were made: making both again")
        build.drop()
        host.drop()
        paths = build.ensure(), host.ensure()
    return paths


def strongswan_version(root: Path) -> str:
    return installed_version(root, "libstrongswan").partition("-")[0]


def installed_version(root: Path, package: str) -> str:
    """The version of an installed package, from dpkg's own status file."""
    for paragraph in (root / "var/lib/dpkg/status").read_text(errors="replace").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " ")
        if fields.get("Package") == package:
            return fields["Version"]
    raise TestbedError(f"{root} has no package {package}")


def _remove(root: Path) -> None:
    # A mount that somebody forgot inside must not be emptied along with the root.
    mounts = Path("/proc/self/mounts").read_text()
    if any(line.split()[1].startswith(f"{root}/") for line in mounts.splitlines()):
        raise TestbedError(f"something is mounted below {root}: unmount it first")
    shutil.rmtree(root, ignore_errors=True)
    used = root.with_suffix(".used")
    if used.exists():
        os.unlink(used)
