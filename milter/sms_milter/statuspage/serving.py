"""Serves the status page until it is told to end: a door to uvicorn."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from datetime import datetime

import uvicorn

from sms_milter.config.schema import Configuration
from sms_milter.config.secrets import Passwords
from sms_milter.listening import http_place, listen, milter_place
from sms_milter.model import LoginRule
from sms_milter.observe import open_journal
from sms_milter.operate import Operator
from sms_milter.privileges import give_up_privileges
from sms_milter.statuspage.door import Door
from sms_milter.statuspage.readings import Asked
from sms_milter.statuspage.site import Site, Surroundings

_AT_ONCE = 32
_STOP_SECONDS = 5
_SOCKET_MODE = 0o660
_USUAL_RULE = LoginRule(10, 600.0, 1800.0)  # where limits.failed_logins is null


def serve(configuration: Configuration, queue: Asked, operator: Operator) -> None:
    """Listen where `web` says and answer until SIGTERM. Raises ConfigError and OSError."""
    page = configuration.web
    assert page is not None  # else there is nothing to serve
    if page.listen.startswith("unix:"):
        place = milter_place(page.listen, _SOCKET_MODE, configuration.user, page.socket_group)
    else:
        place = http_place(page.listen)
    listening = listen(place)
    give_up_privileges(configuration.user)
    journal = open_journal(configuration.log, "web")
    limit = configuration.limits.failed_logins
    door = Door(
        page.password_hash,
        Passwords(),
        queue,
        LoginRule(limit.count, limit.within, limit.block) if limit is not None else _USUAL_RULE,
        session_seconds=page.session,
        chance=os.urandom,
    )
    zone = datetime.now().astimezone().tzinfo
    assert zone is not None  # it was made aware of it
    site = Site(Surroundings(configuration, queue, operator, door, journal, zone, socket.gethostname()))
    server = uvicorn.Server(
        uvicorn.Config(
            site.app,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_AT_ONCE,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
    )
    where = f"{page.listen}{page.path}/"
    journal.info(f"status page at {where}")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn ends by it, and then sends it to us once more
    asyncio.run(server.serve(sockets=[listening]))
    journal.info("status page ended")
