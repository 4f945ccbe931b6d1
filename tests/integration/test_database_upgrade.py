"""Upgrade in place beside PostgreSQL: a program comes only when the owner has made its tables."""

from __future__ import annotations

from support.places import folder, free_port
from support.postgres import Postgres
from support.postgres_roles import make_roles, make_tables, url_of
from support.service import Service


def test_a_version_whose_tables_are_not_there_is_not_begun() -> None:
    with Postgres() as server, folder("upgrade") as place:
        make_roles(server)
        with server.connection() as connection:
            connection.execute("CREATE DATABASE sms")
        make_tables(server, "sms")
        settings = {"milter": {"workers": 1}}
        queue = url_of(server, "sms", "intake")
        with (
            server.connection("sms") as connection,
            Service(place, free_port(), settings, queue=queue, roles=["milter"]) as service,
        ):
            connection.execute(
                "UPDATE schema_version SET added = added - 1"
            )  # as if we were the next version
            service.upgrade()
            assert "error: upgrade refused, version" in service.log
            assert "their owner must run `sms-milter queue migrate` first" in service.log
            connection.execute("UPDATE schema_version SET added = added + 1")
            service.upgrade()
            assert ": upgraded, version" in service.log
        server.kill()  # then nobody can tell, and it goes on
        with Service(place, free_port(), settings, queue=queue, roles=["milter"]) as service:
            service.upgrade()
            assert service.log.count(": upgraded, version") == 2
