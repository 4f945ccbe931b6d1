"""An authority that issues certificates to the clients of the tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Authority:
    """`certificate` is its own, for those who trust it."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory, self._name = directory, name
        self.certificate, self._key = directory / f"{name}.ca.pem", directory / f"{name}.ca.key"
        out = ("-keyout", str(self._key), "-out", str(self.certificate))
        _openssl("req", "-x509", *_KEY, "-days", "2", "-subj", f"/O=Tests/CN={name}", *out)

    def issue(self, name: str) -> Path:
        """A certificate with its key in one file."""
        stem = "".join(one if one.isalnum() else "-" for one in f"{self._name} {name}")
        subject = "/O=Tests/CN=" + name.replace("+", "\\+")  # else it would join two names
        key, request, made = (self._directory / f"{stem}.{end}" for end in ("key", "csr", "pem"))
        _openssl("req", *_KEY, "-subj", subject, "-keyout", str(key), "-out", str(request))
        signed = ("-CA", str(self.certificate), "-CAkey", str(self._key), "-CAcreateserial", "-days", "2")
        _openssl("x509", "-req", "-in", str(request), *signed, "-out", str(made))
        made.write_text(made.read_text() + key.read_text())
        return made


def fingerprint(certificate: Path) -> str:
    """By SHA-256, as openssl prints it."""
    printed = _openssl("x509", "-in", str(certificate), "-noout", "-fingerprint", "-sha256")
    return printed.partition("=")[2].strip()


def _openssl(*arguments: str) -> str:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True).stdout
