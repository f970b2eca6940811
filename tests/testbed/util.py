"""What the test bed's modules share: where things are kept, progress, locks, waiting."""

import fcntl
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
RELEASES = ("bookworm", "trixie", "forky")

# Nothing of the caller's environment reaches a host: proxies and certificate paths of the machine would.
CLEAN_ENV = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    "HOME": "/root",
}

STARTED = time.monotonic()

# What every bound of time is multiplied by: a virtual machine whose processors are emulated has other clocks.
PATIENCE = float(os.environ.get("ENCDNS_PATIENCE", "1"))


class TestbedError(Exception):
    """Something that the test bed needs did not work; the text says what and where to look."""

    __test__ = False


def cache() -> Path:
    path = Path(os.environ.get("ENCDNS_CACHE", "/var/cache/strongswan-encdns"))
    path.mkdir(parents=True, exist_ok=True)
    return path


def say(text: str) -> None:
    """Prints one line of progress."""
    print(f"[{time.monotonic() - STARTED:6.1f} s] {text}", file=sys.stderr, flush=True)


@contextmanager
def locked(path: Path, shared: bool = False):
    """Holds a lock on a file between processes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as handle:
        fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield handle


def wait_for(condition, what: str, timeout: float = 30, pause: float = 0.1):
    """Calls condition() until it returns something true, and returns that."""
    deadline = time.monotonic() + timeout * PATIENCE
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TestbedError(f"{what}: not within {timeout:g} s")
        time.sleep(pause)


_held = {}


def hold(folder: Path) -> None:
    """Marks a kept folder as used for as long as this process lives."""
    if folder not in _held:
        _held[folder] = open(folder.with_suffix(".used"), "a")
        fcntl.flock(_held[folder], fcntl.LOCK_SH)


def in_use(folder: Path) -> bool:
    """Whether any process holds the folder."""
    with open(folder.with_suffix(".used"), "a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
