"""Certificates for one run, made by the openssl command: good ones and the three bad kinds of the tests."""

import hashlib
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from .util import CLEAN_ENV, TestbedError

CONFIGURATION = """
[ca]
default_ca = here
[here]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = anything
unique_subject = no
[anything]
commonName = supplied
[req]
distinguished_name = empty
[empty]
"""


@dataclass(frozen=True)
class Credential:
    """A certificate with its key, both PEM."""

    certificate: str
    key: str

    def pin(self) -> str:
        """The SHA2-256 digest of its public key, in hex."""
        public = subprocess.run(["openssl", "pkey", "-pubout", "-outform", "DER"], input=self.key.encode(), check=True,
                                capture_output=True, env=CLEAN_ENV).stdout
        return hashlib.sha256(public).hexdigest()


class Authority:
    """A certificate authority that lives as long as this object."""

    def __init__(self, name: str):
        self._keep = tempfile.TemporaryDirectory(prefix="encdns-ca-")
        self._folder = Path(self._keep.name)
        (self._folder / "ca.cnf").write_text(CONFIGURATION)
        (self._folder / "index.txt").touch()
        (self._folder / "serial").write_text("1000\n")
        self._openssl("req", "-x509", "-config", "ca.cnf", *_NEW_KEY, "-keyout", "ca.key", "-out", "ca.pem",
                      "-days", "90", "-subj", f"/CN={name}",
                      "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign,cRLSign")
        self.certificate = (self._folder / "ca.pem").read_text()

    def issue(self, *names: str, expired: bool = False, common_name: str = None,
              days: int = 20) -> Credential:
        """A certificate with these names as subjectAltName: host names, or user@domain. The common name, which
        authenticates nothing, is the first of them unless given."""
        def alternative(name):
            return f"email:{name}" if "@" in name else f"DNS:{name}"

        (self._folder / "extensions").write_text(
            f"subjectAltName = {', '.join(alternative(name) for name in names)}\n"
            "keyUsage = digitalSignature\nextendedKeyUsage = serverAuth,clientAuth\n")
        now = datetime.now(timezone.utc)
        start, end = now - timedelta(days=10), now + timedelta(days=-1 if expired else days)
        self._openssl("req", "-new", "-config", "ca.cnf", *_NEW_KEY, "-keyout", "leaf.key", "-out", "leaf.csr",
                      "-subj", f"/CN={common_name or names[0]}")
        self._openssl("ca", "-config", "ca.cnf", "-batch", "-notext", "-cert", "ca.pem", "-keyfile", "ca.key",
                      "-in", "leaf.csr", "-out", "leaf.pem", "-extfile", "extensions",
                      "-startdate", _asn1(start), "-enddate", _asn1(end))
        return Credential((self._folder / "leaf.pem").read_text(), (self._folder / "leaf.key").read_text())

    def _openssl(self, *arguments) -> None:
        done = subprocess.run(["openssl", *arguments], cwd=self._folder, env=CLEAN_ENV,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise TestbedError(f"openssl {arguments[0]} failed:\n{done.stderr}")


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc")


def _asn1(moment: datetime) -> str:
    return moment.strftime("%Y%m%d%H%M%SZ")
