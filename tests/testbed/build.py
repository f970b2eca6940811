"""The project, built in a build root of some release: out of tree, from a copy of the source, and kept under a hash of
source and root, so that the same source is built once. The source tree itself is never written to.

What hosts run are the Debian packages, installed by dpkg; the other variants are there for their unit tests.
"""

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from . import roots, sanitizers
from .sanitizers import Sanitizer
from .util import CLEAN_ENV, HERE, SOURCE, TestbedError, cache, hold, in_use, locked, say

# What the compiled product does not depend on.
NOT_COMPILED = ("doc/", "tests/testbed/", "tests/codec/", "tests/mutations/", "tests/e2e/", "tests/faults/",
                "tests/bench/", "tests/soak/", "tests/load/", "scripts/", ".ci/", "README.md")


@dataclass(frozen=True)
class Variant:
    """One way to build; no options of its own: by debian/rules, as packages."""

    name: str
    options: tuple
    sanitizer: Optional[Sanitizer] = None


GCC = Variant("gcc", ())
CLANG = Variant("clang", ("CC=clang",))
SANITIZED = Variant("sanitized", ("CC=gcc", "--enable-sanitizers"))
VARIANTS = (GCC, CLANG, SANITIZED)
# Packages for hosts, with sanitizers; the one above has no packages, but unit tests.
SANITIZED_PACKAGES = {name: Variant(name, (), sanitizer) for name, sanitizer in sanitizers.SANITIZERS.items()}

# The product is laid out as a package would lay it out.
LAYOUT = ("--prefix=/usr", "--sysconfdir=/etc", "--localstatedir=/var", "--runstatedir=/run")
HEADERS = "--with-strongswan-headers=/usr/src/strongswan"


class BuildError(TestbedError):
    """The project does not build; the text ends with what the compiler said."""


@dataclass(frozen=True)
class Result:
    """What `make check` came to: how many cases passed, and what failed."""

    passed: int
    failed: tuple


class Build:
    """The project in one release's build root, in one variant."""

    def __init__(self, release: str, variant: Variant = GCC):
        self.release = release
        self.variant = variant
        self._root, self._host_root = roots.ensure_pair(release)
        self._files = source_files()
        self.folder = cache() / "builds" / f"{release}-{variant.name}-{self._key()}"

    @property
    def install(self) -> Path:
        """The files of the product: a DESTDIR tree."""
        return self.folder / "install"

    @property
    def packages(self) -> list:
        """The Debian packages, without debug symbols."""
        return sorted(self.folder.glob("*.deb"))

    @property
    def layer(self) -> Path:
        """What dpkg made of a host root when it installed the packages there."""
        return self.folder / "layer"

    @property
    def out(self) -> Path:
        """The build tree."""
        return self.folder / ("out" if self.variant.options else "source/build")

    def ensure(self) -> Path:
        """Builds and installs where that is not done yet; the DESTDIR tree."""
        family = f"{self.release}-{self.variant.name}"
        with locked(cache() / "builds" / f"{family}.lock"):
            if not (self.folder / "built").exists():
                for old in (cache() / "builds").glob(f"{family}-*"):
                    if old.is_dir() and not in_use(old):
                        shutil.rmtree(old)
                        old.with_suffix(".used").unlink(missing_ok=True)
                shutil.rmtree(self.folder, ignore_errors=True)
                self._build()
            hold(self.folder)
        return self.install

    def check(self) -> Result:
        """Runs the unit tests."""
        self.ensure()
        log = self.folder / "check.log"
        status = self._run(f"make -k -j{os.cpu_count()} check", log)
        passed, failed = 0, []
        for report in sorted(self.out.rglob("*.trs")):
            count, bad = _cases(report)
            passed += count
            failed += [f"{self.release}, {self.variant.name}: {case}" for case in bad]
        if status and not failed:
            failed.append(f"{self.release}, {self.variant.name}: make check, see {log}:\n{_tail(log)}")
        return Result(passed, tuple(failed))

    def command(self, path: str) -> list:
        """How to run a program of the build folder, "client-helper/encdnsctl"."""
        self.ensure()
        return ["setpriv", "--pdeathsig", "KILL", HERE / "in-root", self._root, self.folder,
                self.out.relative_to(self.folder) / path]

    def make(self, target: str, folder: str = ".") -> None:
        """Runs another target of a folder's Makefile."""
        self.ensure()
        self._must(f"make -j{os.cpu_count()} -C {folder} {target}", f"{target}.log")

    def lintian(self) -> str:
        """What lintian has to say against the packages; empty: neither errors nor warnings."""
        self.ensure()
        log = self.folder / "lintian.log"
        names = " ".join(package.name for package in self.packages)
        status = self._run(f"cd ../.. && lintian --allow-root --fail-on=error,warning {names}", log)
        return f"{_tail(log)}\n(exit status {status})" if status else ""

    def _build(self) -> None:
        say(f"building for {self.release} with {self.variant.name}")
        for name in self._files:
            target = self.folder / "source" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(SOURCE / name, target)
        self.install.mkdir()
        if self.variant.options:
            self._configure_and_make()
        else:
            self._package()
        (self.folder / "built").touch()

    def _configure_and_make(self) -> None:
        self.out.mkdir()
        options = " ".join((*LAYOUT, HEADERS, "--enable-werror", *self.variant.options))
        self._must("cd ../source && autoreconf -fi", "autoreconf.log")
        self._must(f"../source/configure {options} --libdir=/usr/lib/$(gcc -print-multiarch)", "configure.log")
        self._must(f"make -j{os.cpu_count()}", "make.log")
        self._must("make install DESTDIR=/build/install", "install.log")
        _merge_usr(self.install)

    def _package(self) -> None:
        self.out.mkdir()
        options = f"nocheck werror parallel={os.cpu_count()}"
        flags = ""
        if self.variant.sanitizer:
            options += f" {self.variant.sanitizer.build_options}"
            flags = " ".join(f"DEB_{name}_APPEND='{value}'" for name, value in sanitizers.FLAGS.items())
        self._must(f"cd .. && {flags} DEB_BUILD_OPTIONS='{options}' dpkg-buildpackage --build=binary --no-sign "
                   "--ignore-builtin-builddeps", "package.log")
        # Debug symbols go with the files, for valgrind; their package is called .ddeb elsewhere than in Debian.
        symbols = [package.rename(package.with_suffix(".symbols")) for package in self.folder.glob("*-dbgsym_*")]
        for package in self.packages + symbols:
            self._must(f"dpkg-deb -x ../../{package.name} /build/install", "extract.log")
        _merge_usr(self.install)
        self._install_on_host_root()

    def _install_on_host_root(self) -> None:
        names = " ".join(f"/build/{package.name}" for package in self.packages)
        log = self.folder / "dpkg.log"
        # The runtimes of sanitizers come as files.
        force = "--force-depends" if self.variant.sanitizer else ""
        with open(log, "wb") as output:
            status = subprocess.run(
                ["setpriv", "--pdeathsig", "KILL", HERE / "in-root", "--keep", self.layer, self._host_root, self.folder,
                 "sh", "-c", f"dpkg {force} --install {names}"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=CLEAN_ENV).returncode
        if status:
            raise BuildError(f"{self.release}: the packages do not install, see {log}:\n{_tail(log)}")
        if (self.install / "usr/lib/debug").is_dir():
            shutil.copytree(self.install / "usr/lib/debug", self.layer / "usr/lib/debug", dirs_exist_ok=True)
        if self.variant.sanitizer:
            sanitizers.equip(self.layer, self._root, self.variant.sanitizer)

    def _must(self, command: str, log: str) -> None:
        if self._run(command, self.folder / log):
            raise BuildError(f"{self.release}, {self.variant.name}: {command} failed, see {self.folder / log}:\n"
                             f"{_tail(self.folder / log)}")

    def _run(self, command: str, log: Path) -> int:
        with open(log, "wb") as output:
            return subprocess.run(
                ["setpriv", "--pdeathsig", "KILL", HERE / "in-root", self._root, self.folder,
                 "sh", "-c", f"cd {self.out.relative_to(self.folder)} && {command}"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=CLEAN_ENV).returncode

    def _key(self) -> str:
        used = self._root.name + ("" if self.variant.options else f" {self._host_root.name}")
        digest = hashlib.sha256(f"{used} {self.variant}".encode())
        if self.variant.sanitizer:
            digest.update(Path(sanitizers.__file__).read_bytes())
        for name in self._files:
            if not name.startswith(NOT_COMPILED):
                content = (SOURCE / name).read_bytes()
                digest.update(f"{name} {len(content)} ".encode() + content)
        return digest.hexdigest()[:12]


def products(releases, sanitizer: str = None) -> dict:
    """The packages, installed, for each release, for Network; sanitizer: "address", "thread", or none."""
    variant = SANITIZED_PACKAGES[sanitizer] if sanitizer else GCC
    builds = [Build(release, variant) for release in sorted(set(releases))]
    for build in builds:
        build.ensure()
    return {build.release: build.layer for build in builds}


def source_files() -> list:
    """The files of the tree as they are: what git tracks, and what it does not ignore."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", SOURCE, "ls-files", "-z", "--cached", "--others",
         "--exclude-standard"], check=True, capture_output=True).stdout
    names = sorted({name.decode() for name in listed.split(b"\0") if name})
    return [name for name in names if (SOURCE / name).is_file()]


def _merge_usr(tree: Path) -> None:
    """Debian 12 names /lib for units; on a host /lib is a link, which a folder laid over it would hide."""
    for name in ("lib", "bin", "sbin"):
        if (tree / name).is_dir():
            shutil.copytree(tree / name, tree / "usr" / name, dirs_exist_ok=True, symlinks=True)
            shutil.rmtree(tree / name)


def _cases(report: Path) -> tuple:
    """(passed, names of the failed) of one test program: its cases where cmocka names them, else the program."""
    result = re.search(r"^:global-test-result: (\w+)", report.read_text(), re.M).group(1)
    log = report.with_suffix(".log").read_text(errors="replace")
    passed = len(re.findall(r"^\[       OK \]", log, re.M))
    failed = sorted(set(re.findall(r"^\[  FAILED  \] (?!\d+ test|tests:)(\S+)", log, re.M)))
    if result == "PASS":
        return passed or 1, []
    program = report.stem
    return passed, [f"{program}: {case}" for case in failed] or [f"{program}: {result}\n{_tail_of(log)}"]


def _tail(path: Path) -> str:
    return _tail_of(path.read_text(errors="replace"))


def _tail_of(text: str) -> str:
    return "\n".join(text.splitlines()[-25:])
