"""OpenDKIM from Debian, before us in the chain of milters: signs for one domain, examines others' mail."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from support.places import accepts, free_port, wait_until
from support.requirements import program

SIGNED = "customer.example"  # the domain that it signs for
_CONFIGURATION = """
Mode sv
Domain {domain}
Selector test
KeyFile {key}
RequireSafeKeys no
InternalHosts 0.0.0.0/0
ExternalIgnoreList 0.0.0.0/0
Socket inet:{port}@127.0.0.1
AuthservID mx.sms.test
AlwaysAddARHeader yes
Syslog no
"""


@dataclass
class OpenDkim:
    """Listens while it is entered."""

    directory: Path
    port: int = 0

    def __enter__(self) -> OpenDkim:
        self.port = free_port()
        key, configuration = self.directory / "dkim.key", self.directory / "opendkim.conf"
        subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
        configuration.write_text(_CONFIGURATION.format(domain=SIGNED, key=key, port=self.port))
        self._process = subprocess.Popen([program("opendkim"), "-f", "-x", str(configuration)])
        wait_until(lambda: accepts(self.port), "OpenDKIM to listen")
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.kill()  # libmilter takes five seconds to stop
        self._process.wait()
