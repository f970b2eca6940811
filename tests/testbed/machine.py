"""A virtual machine that runs end-to-end tests with Debian's own kernel, which has what a kernel made for something
smaller may not: ESP, and XFRM interfaces. The hosts in it boot from the same roots, in the same way.

It has one disk, made for one run: a machine root, and in it a host root, the product as it is installed, and the source.
Its processors are emulated, for virtual machines have no others everywhere; so it is slow, and has one bound of time.
"""

import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from . import roots
from .build import Build, source_files
from .util import CLEAN_ENV, HERE, SOURCE, TestbedError, cache, locked, say

MARK = "mark.kernel_esp"
MEMORY = 3072
DISK = "4G"

# Together with a processor without vector instructions, six times as many programs started in a second.
FASTER = "mitigations=off norandmaps"

# Everything is mounted into its place in a copy-on-write view of the machine root, and mke2fs takes that.
IMAGE = """
machine=$1 host=$2 layer=$3 release=$4 files=$5 image=$6
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o "lowerdir=$machine,upperdir=/mnt/upper,workdir=/mnt/work" overlay /mnt/root
cd /mnt/root
mkdir -p "cache/roots/${host##*/}" "installed/$release" source
mount --bind "$host" "cache/roots/${host##*/}"
mount --bind "$layer" "installed/$release"
mount --bind "$files" source
rm -f "$image"
truncate -s "$7" "$image"
mke2fs -q -t ext4 -O ^has_journal -m 0 -d . "$image"
"""


def run(release: str, arguments, report: Path, seconds: float) -> int:
    """Runs pytest on the end-to-end tests with the kernel's ESP and further arguments; its exit status. What it says goes
    to our output, its report in JUnit's format to a file."""
    machine = roots.machine_root(release).ensure()
    build = Build(release)
    build.ensure()
    image = cache() / "machines" / f"{release}.image"
    with locked(image.with_suffix(".lock")):
        try:
            _make_image(image, machine, build, release, arguments)
            say(f"starting a virtual machine with the kernel of {release}")
            _boot(machine, image, seconds)
            _take(image, "/result/report.xml", report)
            with tempfile.NamedTemporaryFile("r") as status:
                _take(image, "/result/status", status.name)
                return int(status.read() or 1)
        finally:
            image.unlink(missing_ok=True)


def _make_image(image: Path, machine: Path, build: Build, release: str, arguments) -> None:
    with tempfile.TemporaryDirectory(prefix="encdns-machine-") as folder:
        for name in source_files():
            target = Path(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(SOURCE / name, target)
        # The others need not be read.
        tests = [path.name for path in sorted(Path(folder, "tests/e2e").glob("test_*.py")) if MARK in path.read_text()]
        Path(folder, "arguments").write_text(shlex.join(
            [f"--laptop-release={release}", f"--gateway-release={release}", "--kernel-esp", "--installed=/installed",
             *tests, *map(str, arguments)]))
        done = subprocess.run(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private", "sh", "-euc", IMAGE,
             "image", machine, roots.host_root(release).ensure(), build.layer, release, folder, image, DISK],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, env=CLEAN_ENV)
    if done.returncode:
        raise TestbedError(f"the disk of the virtual machine: {done.stderr}")


def _boot(machine: Path, image: Path, seconds: float) -> None:
    kernel, initrd = (next((machine / "boot").glob(f"{name}-*")) for name in ("vmlinuz", "initrd.img"))
    sys.stdout.flush()
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "qemu64",
         "-smp", "2", "-m", str(MEMORY), "-nic", "none", "-display", "none", "-serial", "stdio", "-no-reboot",
         "-drive", f"file={image},format=raw,if=virtio,cache=unsafe", "-kernel", kernel, "-initrd", initrd,
         "-append", f"root=/dev/vda rw quiet console=ttyS0 panic=-1 init=/source/tests/testbed/machine-init {FASTER}"],
        stdin=subprocess.DEVNULL, env=CLEAN_ENV)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        raise TestbedError(f"the virtual machine with {image.stem}: not within {seconds:g} s") from None
    finally:
        process.kill()
        process.wait()


def _take(image: Path, path: str, target) -> None:
    """Copies a file out of the disk; what is not there makes an empty one."""
    Path(target).touch()
    subprocess.run(["debugfs", "-R", f"dump {path} {target}", image], capture_output=True, env=CLEAN_ENV)
