"""Networks whose hosts have nothing of ours but the packages as files, in /debs, and what is run there."""

import json
import re
import shutil
from contextlib import contextmanager

from testbed.build import Build
from testbed.network import Network
from testbed.util import SOURCE

README = (SOURCE / "README.md").read_text()


@contextmanager
def network(pytestconfig, folder, name, laptop_root=None):
    """A network of its own; laptop_root: a function that makes what the laptop boots from, of its release."""
    releases = [pytestconfig.getoption(f"--{side}-release") for side in ("laptop", "gateway")]
    layers = {release: folder / release for release in releases}
    for release, layer in layers.items():
        build = Build(release)
        build.ensure()
        (layer / "debs").mkdir(parents=True)
        for package in build.packages:
            shutil.copy(package, layer / "debs")
    root = laptop_root(releases[0]).ensure() if laptop_root else None
    with Network(*releases, layers, prefix=f"{name}-", laptop_root=root) as net:
        yield net


def install(host, whose: str) -> None:
    """What the README says, less the commands that its remarks give to the other side."""
    assert not host.exists("/usr/lib/ipsec/plugins/libstrongswan-encdns.so")
    block = re.search(r"^## Install it$.*?```sh\n(.*?)```", README, re.M | re.S).group(1)
    for command, _, remark in (line.partition("  # ") for line in block.splitlines()):
        if remark.strip() == whose or not remark.strip().startswith("a "):
            host.run("env", "DEBIAN_FRONTEND=noninteractive", "sh", "-euc", f"cd /debs; {command}", timeout=120)


def block(kind: str) -> str:
    """A block of configuration of the README."""
    return re.search(rf"<!-- test: {kind} -->\n```\n(.*?)```", README, re.S).group(1)


def findings(host, *arguments) -> list:
    """What encdnsctl check has to say that is not fine."""
    report = json.loads(host.run("encdnsctl", "check", "--json", *arguments, check=False, timeout=90).stdout)
    assert report["findings"]
    return [finding for finding in report["findings"] if finding["verdict"] != "fine"]
