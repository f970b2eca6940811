"""A test host: a Debian system booted by its own systemd in namespaces, on a throw-away overlay.

It goes when stop() is called, and also when the process that started it dies by whatever signal: the kernel then
kills the host's PID 1 and with it everything inside.
"""

import json
import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path

from .util import CLEAN_ENV, HERE, PATIENCE, TestbedError, cache, wait_for


class Host:
    """One booted host. run() and its relatives act inside it; environment: what its commands get beside the usual."""

    def __init__(self, name: str, layers: list, environment: dict = None):
        self.name = name
        self._environment = {**CLEAN_ENV, **(environment or {})}
        self._layers = ":".join(str(layer) for layer in layers)
        self._process = None
        self._pid = None
        self._console = None

    def start(self) -> None:
        """Starts booting; wait_booted() waits for the end of it, so that several can boot at once."""
        mountpoint = cache() / "mnt"
        self._console = tempfile.TemporaryFile()
        # The boot must be started by the main thread: setpriv's signal comes when the starting *thread* ends.
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", HERE / "boot-host",
             self.name, self.cgroup, mountpoint, self._layers],
            stdin=subprocess.DEVNULL, stdout=self._console, stderr=self._console, env=CLEAN_ENV,
        )

    def wait_booted(self, timeout: float = 60) -> None:
        self._pid = wait_for(self._find_systemd, f"{self.name}: systemd", timeout)

        def state():
            if self._process.poll() is not None:
                raise TestbedError(f"{self.name} died while booting:\n{self.console()}")
            command = ["systemctl", "is-system-running", "--wait"]
            return self.run(*command, check=False, timeout=timeout).stdout.strip()

        # Until the manager's socket is there the answer is empty or "offline".
        final = wait_for(lambda: state() in ("running", "degraded") and state(), f"{self.name}: boot", timeout, 0.3)
        if final == "degraded":
            failed = self.run("systemctl", "list-units", "--failed", "--plain", "--no-legend").stdout
            raise TestbedError(f"{self.name} came up with failed units:\n{failed}")

    def stop(self) -> None:
        if self._process is None:
            return
        if self._pid:
            try:
                os.kill(self._pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = self._pid = None
        remove_cgroup(self.cgroup)

    @property
    def cgroup(self) -> Path:
        return cgroup_root() / f"{_cgroup_prefix()}{os.getpid()}-{_start_time(os.getpid())}-{self.name}"

    @property
    def pid(self) -> int:
        """The PID of the host's systemd, as the machine sees it."""
        return self._pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def console(self) -> str:
        self._console.seek(0)
        return self._console.read().decode(errors="replace")

    # Commands

    def popen(self, *command, **kwargs) -> subprocess.Popen:
        """Starts a command inside; it dies with the host, and with the calling process."""
        enter = ["setpriv", "--pdeathsig", "KILL", "nsenter", "-t", str(self._pid),
                 "-m", "-r", "-u", "-i", "-n", "-p", "-C", "--wdns=/", "--", "setpriv", "--pdeathsig", "KILL"]
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(enter + [str(word) for word in command], env=self._environment, **kwargs)

    @staticmethod
    def send_signal(process: subprocess.Popen, number: int) -> None:
        """Signals a command that popen() started: what that returned is nsenter, the command is its child."""
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(child), number)

    def run(self, *command, check: bool = True, timeout: float = 60, input: str = None):
        """Runs a command inside; text in and out. With check, a failure raises with all that it said."""
        process = self.popen(*command, stdin=subprocess.PIPE if input is not None else subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
        try:
            stdout, stderr = process.communicate(input, timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise TestbedError(f"{self.name}: {_join(command)}: not within {timeout:g} s") from None
        if check and process.returncode:
            said = "\n".join((stdout + stderr).splitlines()[-20:])
            raise TestbedError(f"{self.name}: {_join(command)}: exit status {process.returncode}\n{said}")
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)

    def output(self, *command, **kwargs) -> str:
        return self.run(*command, **kwargs).stdout

    def shell(self, script: str, **kwargs) -> str:
        return self.output("sh", "-euc", script, **kwargs)

    # Files. They go through a process inside, for links in the root must be followed there.

    def write(self, path: str, text: str, mode: str = "0644") -> None:
        script = 'mkdir -p "$(dirname "$1")"; rm -f "$1"; umask 077; cat >"$1"; chmod "$2" "$1"'
        self.run("sh", "-euc", script, "write", path, mode, input=text)

    def read(self, path: str) -> str:
        return self.output("cat", path)

    def exists(self, path: str) -> bool:
        return self.run("test", "-e", path, check=False).returncode == 0

    def remove(self, *paths: str) -> None:
        self.run("rm", "-rf", *paths)

    # Services

    def systemctl(self, *arguments, check: bool = True, timeout: float = 90):
        return self.run("systemctl", *arguments, check=check, timeout=timeout)

    def active(self, unit: str) -> bool:
        return self.systemctl("is-active", "--quiet", unit, check=False).returncode == 0

    def main_pid(self, unit: str) -> int:
        """The main process of a unit, as the host numbers it; 0: none."""
        return int(self.systemctl("show", "--value", "-p", "MainPID", unit).stdout)

    def kill(self, unit: str, signal_name: str = "KILL") -> None:
        self.systemctl("kill", "--kill-who=main", f"--signal={signal_name}", unit)

    def kill_for_another(self, unit: str) -> None:
        """Kills the main process of a unit, and waits until systemd has started the next."""
        killed = self.main_pid(unit)
        self.kill(unit)
        wait_for(lambda: self.main_pid(unit) not in (0, killed), f"{self.name}: another {unit}")

    def cursor(self) -> str:
        """A point in the journal, for journal(after=...)."""
        self.run("journalctl", "--sync", check=False)
        shown = self.output("journalctl", "-n0", "--show-cursor", "-q")
        return shown.strip().rpartition("cursor: ")[2]

    def journal(self, *units: str, after: str = None) -> str:
        """The journal of some units (all: none named) as text, from a cursor on."""
        self.run("journalctl", "--sync", check=False)
        command = ["journalctl", "-q", "--no-pager"]
        if not after:
            return self.output(*command, "-o", "cat", *(f"--unit={unit}" for unit in units))
        # With --unit too, Debian 12's skips the unit's first entry after the cursor.
        shown = self.output(*command, "-o", "json", f"--after-cursor={after}", "--output-fields=MESSAGE,UNIT,_SYSTEMD_UNIT")
        entries = [json.loads(line) for line in shown.splitlines()]
        return "".join(f"{_text(entry.get('MESSAGE'))}\n" for entry in entries
                       if not units or {entry.get("UNIT"), entry.get("_SYSTEMD_UNIT")} & set(units))

    def _find_systemd(self):
        if self._process.poll() is not None:
            raise TestbedError(f"{self.name} did not boot:\n{self.console()}")
        task = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        try:
            for child in task.read_text().split():
                if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                    return int(child)
        except FileNotFoundError:
            pass
        return None


def _text(field) -> str:
    """A field of the journal as JSON has it: octets where it holds any that do not print."""
    return bytes(field).decode(errors="replace") if isinstance(field, list) else field or ""


def _cgroup_prefix() -> str:
    """Names the PID namespace, too: what a test bed in another one is called by its PID says nothing here."""
    return f"encdns-testbed-{os.stat('/proc/self/ns/pid').st_ino}-"


def cgroup_root() -> Path:
    """The cgroup2 tree; on machines with both versions it has a folder of its own."""
    unified = Path("/sys/fs/cgroup/unified")
    return unified if unified.is_dir() else Path("/sys/fs/cgroup")


def remove_cgroup(top: Path) -> None:
    """Kills what is left in a cgroup and takes the tree away, children first."""
    if not top.is_dir():
        return
    kill_file = top / "cgroup.kill"
    if kill_file.exists():
        kill_file.write_text("1")

    def gone():
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                return False
        return True

    wait_for(gone, f"removal of {top}", 10)


def remove_stale_cgroups() -> None:
    """Takes away the cgroups of test beds whose process was killed before it could."""
    for group in cgroup_root().glob(f"{_cgroup_prefix()}*"):
        owner = re.match(rf"{_cgroup_prefix()}(\d+)-(\d+)-", group.name)
        if owner and _start_time(int(owner[1])) != owner[2]:
            remove_cgroup(group)


def _start_time(pid: int) -> str:
    """Tells a process from a later one with the same PID; empty where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _join(command) -> str:
    return " ".join(str(word) for word in command)
