"""Plugins of charon that only tests have, tests/savekeys and tests/crowd: built, and put on a host."""

import base64

from .build import Build


class ExtraPlugin:
    """One of them, on a host as long as a with statement lasts. charon is restarted by whoever opens it."""

    def __init__(self, host, release: str, name: str, configuration: str):
        self._host = host
        build = Build(release)
        build.make(f"libstrongswan-{name}.la", f"tests/{name}")
        self._built = build.out / f"tests/{name}/.libs/libstrongswan-{name}.so"
        self._plugin = f"/usr/lib/ipsec/plugins/libstrongswan-{name}.so"
        self._file = f"/etc/strongswan.d/charon/{name}.conf"
        self._configuration = configuration

    def __enter__(self):
        self._host.run("sh", "-euc", 'base64 -d >"$1"', "install", self._plugin,
                       input=base64.b64encode(self._built.read_bytes()).decode())
        self._host.write(self._file, self._configuration)
        return self

    def __exit__(self, *_):
        self._host.remove(self._plugin, self._file)
