"""The way to PostgreSQL is encrypted, and the server at its end the one that it should be: the service with a
URL as docs/postgresql-deployment.md has it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from support.authority import Authority
from support.places import folder, wait_until
from support.postfix import Postfix
from support.postgres import Postgres
from support.postgres_roles import make_roles, make_tables
from support.requirements import missing
from support.secrecy import DATABASE_PASSWORD
from support.service import USER, Service
from support.smsc import Smsc
from support.smtp_dialogue import SmtpDialogue

pytestmark = [pytest.mark.mta, pytest.mark.smsc]

SERVER, ANOTHER = "db.example.com", "db2.example.com"


@dataclass
class Secured:
    """A service that is not started, beside Postfix and a PostgreSQL that lets nobody in without TLS."""

    place: Path
    postgres: Postgres
    smsc: Smsc
    service: Service
    port: int

    def use(self, host: str, authority: Path) -> None:
        """Let the service believe that the server is called `host`, and trust this authority."""
        passwords = self.place / "db.pass"
        passwords.write_text(f"*:*:sms:mx1:{DATABASE_PASSWORD}\n")
        passwords.chmod(0o600)
        shutil.chown(passwords, USER or None, None if USER else 0)
        where = f"mx1@{host}:{self.postgres.port}/sms?hostaddr=127.0.0.1&connect_timeout=10"
        files = f"sslmode=verify-full&sslrootcert={authority}&passfile={passwords}"
        self.service.configure({"queue": f"postgresql://{where}&{files}"})

    def send(self) -> str:
        """The reply to a mail."""
        client = SmtpDialogue(self.port)
        client.greet(as_client="192.0.2.10")
        mail = b"Message-ID: <one@customer.example>\r\nSubject: Hi\r\n\r\n"
        replies = client.mail("bob@customer.example", ["447973100000@sms.example.com"], mail)
        client.close()
        return next((reply for reply in replies if reply[0] in "45"), replies[-1])


@pytest.fixture
def secured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Secured]:
    if why := missing("postfix"):
        pytest.skip(why)
    tmp_path.chmod(0o700)
    monkeypatch.setenv("HOME", str(tmp_path))  # root's home is closed to others, libpq looks there
    with ExitStack() as stack:
        place = stack.enter_context(folder("tls"))
        certificate = Authority(place, "ours").issue(SERVER)
        postgres = stack.enter_context(Postgres(tls=(certificate, certificate)))
        make_roles(postgres)
        with postgres.connection() as connection:
            connection.execute("CREATE DATABASE sms")
            groups = "sms_milter_intake, sms_milter_dispatch"
            connection.execute(f"CREATE ROLE mx1 LOGIN PASSWORD '{DATABASE_PASSWORD}' IN ROLE {groups}")
        make_tables(postgres, "sms")
        smsc = stack.enter_context(Smsc())
        service = Service(place, smsc.port, {"milter": {"workers": 1}}, roles=["milter", "dispatch"])
        stack.callback(service.stop)
        (place / "mta").mkdir()
        postfix = stack.enter_context(Postfix(place / "mta", {"sms": service.for_postfix}))
        yield Secured(place, postgres, smsc, service, postfix.ports["sms"])


def logged(service: Service, after: int, *words: str) -> bool:
    """Whether one line of the log, behind so much of it, has all of these words."""
    return any(all(one in line for one in words) for line in service.log[after:].splitlines())


def test_only_the_right_server_is_told_anything(secured: Secured) -> None:
    service = secured.service
    ours, others = (secured.place / "ours.ca.pem", Authority(secured.place, "others").certificate)
    name = f'server certificate for "{SERVER}" does not match host name "{ANOTHER}"'
    for host, authority, why in ((SERVER, others, "certificate verify failed"), (ANOTHER, ours, name)):
        secured.use(host, authority)
        said = len(service.log)
        service.start()
        assert secured.send().startswith("451 4.3.0")
        for told in ("queue not available, mail is deferred (", "queue not available, trying again ("):
            wait_until(partial(logged, service, said, told, why), f"a line that says {why}")
        service.stop()
    secured.use(SERVER, ours)
    with service:
        assert secured.send().startswith("250")
        wait_until(lambda: secured.smsc.received, "the SMS to go out")
        with secured.postgres.connection() as connection:
            rows = connection.execute(
                "SELECT ssl, count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                " WHERE usename = 'mx1' GROUP BY ssl"
            ).fetchall()
        assert [encrypted for encrypted, _ in rows] == [True]
    assert DATABASE_PASSWORD not in service.log
    assert "Traceback" not in service.log
