"""Hosts whose encdnsd, encdnsctl and plugin are built with sanitizers, and what these have found.

The packages are built by debian/rules as ever, with gcc's sanitizers among dpkg's build flags. The runtimes come from the
build root. charon is Debian's own, so it has the plugin's runtime preloaded. What they find goes to files, one per process,
in FINDINGS; Network.findings() reads them.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

FINDINGS = "/var/log/findings"
LIBRARIES = Path("usr/lib/x86_64-linux-gnu")

# Nothing of it in a process without a sanitizer. An exit as ever after what could go on, so that neither systemd nor a test
# takes it for something else: the findings are what fails.
COMMON = f"log_exe_name=1:exitcode=0:log_path={FINDINGS}/found"


@dataclass(frozen=True)
class Sanitizer:
    """One kind of hosts. features: of dpkg's build flags; runtimes: the libraries, that to be preloaded first;
    environment: of all processes."""

    name: str
    features: str
    runtimes: tuple
    environment: dict

    @property
    def build_options(self) -> str:
        """For DEB_BUILD_OPTIONS; symbols stay in the files, where the runtimes find them."""
        return f"nostrip sanitize={self.features}"


# Added to dpkg's build flags. Fortified functions escape the runtimes. charon unloads its plugins before it ends, and leaks
# are looked for later.
FLAGS = {"CPPFLAGS": "-U_FORTIFY_SOURCE", "CFLAGS": "-fno-sanitize-recover=all", "LDFLAGS": "-Wl,-z,nodelete"}

ADDRESS = Sanitizer("address", "+address,+undefined", ("libasan.so", "libubsan.so"), {
    # An abort for what cannot go on. charon has handlers of its own, which say less. A library between us and malloc has
    # no frame pointers. Our code halts all the same, as it is built to; charon does not, or what is KNOWN would end it.
    "ASAN_OPTIONS": f"{COMMON}:abort_on_error=1:halt_on_error=0:handle_segv=2:handle_sigbus=2:handle_sigill=2:"
                    "handle_abort=2:detect_stack_use_after_return=1:fast_unwind_on_malloc=0",
    # gcc's writes to no file beside the other sanitizer's: it aborts, and the other writes down where.
    "UBSAN_OPTIONS": "abort_on_error=1",
})
THREAD = Sanitizer("thread", "+thread", ("libtsan.so",), {
    # Accesses by charon itself are not seen; its mutexes, condition variables and threads are. It cancels threads within
    # system calls, at which the runtime gives up when charon ends: no abort, for that is an end like any other.
    "TSAN_OPTIONS": f"{COMMON}:ignore_noninstrumented_modules=1:second_deadlock_stack=1",
})
SANITIZERS = {sanitizer.name: sanitizer for sanitizer in (ADDRESS, THREAD)}

# In a stack of charon's.
OURS = re.compile(r"\bencdns_|libstrongswan-encdns")

# OpenSSL keeps names and algorithms for good, in charon from the first key that we have it read.
KEPT = re.compile(r"^    #1 .*libcrypto\.so", re.M)
# From 3.6 on it keeps its providers likewise, which strongSwan's plugin loads when it starts: in our reader of
# swanctl.conf, too.
PROVIDERS = re.compile(r" in openssl_plugin_create ")
# strongSwan's own: mem_pool.c hands an element of an array to the very array_insert() that moves the array, when it gives
# the address of a connection to the one that replaces it (make before break); 5.9.8 to 6.1.0.
KNOWN = re.compile(r"heap-use-after-free.*\n.*\n    #0 \S+ in (?:__interceptor_)?memcpy .*\n"
                   r"    #1 \S+ .*libcharon\.so.*\n    #2 \S+ .*libstrongswan-vici\.so")

MANAGER = """
[Manager]
DefaultEnvironment={environment}
"""
CHARON = """
[Service]
ExecStart=
ExecStart=/usr/bin/env LD_PRELOAD={preload} /usr/sbin/charon-systemd
"""
# Of the sandbox what the runtimes need: to write down what they found, to stop the threads before leaks are looked for, and
# addresses that are not random. The thread that stops the others waits for ever now and then, before leaks are looked for.
ENCDNSD = f"""
[Service]
TimeoutStopSec=20
ReadWritePaths={FINDINGS}
SystemCallFilter=ptrace process_vm_readv personality
LockPersonality=no
"""


def equip(layer: Path, build_root: Path, sanitizer: Sanitizer) -> None:
    """Adds the runtimes and what the units need to a layer in which the packages are installed."""
    libraries = layer / LIBRARIES
    libraries.mkdir(parents=True, exist_ok=True)
    for runtime in sanitizer.runtimes:
        for file in sorted((build_root / LIBRARIES).glob(f"{runtime}.*")):
            shutil.copy2(file, libraries / file.name, follow_symlinks=False)
    preload = Path("/") / LIBRARIES / next(
        file.name for file in libraries.glob(f"{sanitizer.runtimes[0]}.*") if re.fullmatch(r".*\.so\.\d+", file.name))
    environment = " ".join(f'"{name}={value}"' for name, value in sanitizer.environment.items())
    for path, text in (("system.conf.d", MANAGER.format(environment=environment)),
                       ("system/strongswan.service.d", CHARON.format(preload=preload)),
                       ("system/encdnsd.service.d", ENCDNSD)):
        folder = layer / "etc/systemd" / path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "sanitizer.conf").write_text(text)
    (layer / FINDINGS[1:]).mkdir(parents=True)
    (layer / FINDINGS[1:]).chmod(0o1777)


def read(host) -> list:
    """Takes what was found on a host, a text for each file; nobody may be writing there any more."""
    found = []
    for name in host.shell(f"ls {FINDINGS}").split():
        finding = of_ours(name, host.read(f"{FINDINGS}/{name}"))
        if finding:
            found.append(f"{host.name}: {name}\n{finding}")
        host.remove(f"{FINDINGS}/{name}")
    return found


def of_ours(name: str, text: str) -> str:
    """What concerns us of a file. charon's own leaks, races and locks do not; a wrong use of memory does in any case, as
    nobody knows whose it is, unless it is KNOWN."""
    in_charon = ".charon" in name
    found = []
    for report in re.split(r"^=+\n", text, flags=re.M):
        if "ERROR: LeakSanitizer" in report:
            leaks = [leak for leak in report.split("\n\n") if " leak of " in leak and not PROVIDERS.search(leak)]
            found += [leak for leak in leaks if not in_charon or OURS.search(leak) and not KEPT.search(leak)]
        elif not in_charon or OURS.search(report) or "ERROR: AddressSanitizer" in report and not KNOWN.search(report):
            found.append(report)
    return "\n".join(found).strip()
