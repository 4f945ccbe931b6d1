"""The pages and forms of the site, one function for each request: a door to Starlette and Jinja2."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any
from urllib.parse import parse_qs, quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from sms_milter import __version__
from sms_milter.config.schema import Configuration
from sms_milter.errors import QueueUnavailable
from sms_milter.logline import clean, line, place
from sms_milter.model import Deed, Selection
from sms_milter.operate import Operator
from sms_milter.ports import Journal
from sms_milter.statuspage import figures, headline, history, smscs, words
from sms_milter.statuspage.door import Blocked, Door, Session
from sms_milter.statuspage.guard import Guard
from sms_milter.statuspage.readings import Asked, Reader

_COOKIE = "sms-milter"
_MOST_FOUND = 50
_DONE = {Deed.HOLD: "held", Deed.RELEASE: "released", Deed.RETRY: "to be sent now", Deed.CANCEL: "cancelled"}
_REFRESH_SECONDS = 5

Answer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the site needs from the world."""

    configuration: Configuration
    queue: Asked
    operator: Operator
    door: Door
    journal: Journal
    zone: tzinfo
    host_name: str
    clock: Callable[[], float] = time.time


class Site:
    """The status page. `app` is to be served."""

    def __init__(self, around: Surroundings) -> None:
        page = around.configuration.web
        assert page is not None  # else nobody serves it
        self._around, self._root = around, page.path
        self._reader = Reader(around.queue, around.configuration.accounts, around.clock)
        self._templates = Environment(
            loader=PackageLoader("sms_milter.statuspage"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        routes: list[BaseRoute] = [
            Route("/", self._seen(self._overview)),
            Route("/live", self._seen(self._live)),
            Route("/messages", self._seen(self._messages)),
            Route("/messages/{message_id}", self._seen(self._message)),
            Route("/messages/{message_id}/{deed}", self._change, methods=["POST"]),
            Route("/login", self._login_form, methods=["GET"]),
            Route("/login", self._login, methods=["POST"]),
            Route("/logout", self._logout, methods=["POST"]),
            Mount("/static", StaticFiles(packages=[("sms_milter.statuspage", "static")])),
        ]
        if self._root:
            routes = [Mount(self._root, routes=routes)]
        starlette = Starlette(
            routes=routes,
            exception_handlers={
                404: self._nothing_here,
                QueueUnavailable: self._queue_away,
                Exception: self._unforeseen,
            },
        )
        self.app = Guard(starlette, page.hosts)

    # --- who looks ------------------------------------------------------------------------------------------

    def _session(self, request: Request) -> Session | None:
        return self._around.door.session(request.cookies.get(_COOKIE, ""), self._around.clock())

    def _seen(self, answer: Callable[[Request, Session], Response]) -> Answer:
        """Only for who has logged in; in a thread, because the queue may keep one waiting."""

        async def endpoint(request: Request) -> Response:
            session = self._session(request)
            if session is None:
                return RedirectResponse(f"{self._root}/login", 303)
            return await run_in_threadpool(answer, request, session)

        return endpoint

    async def _form(self, request: Request) -> dict[str, str] | None:
        """The fields of a form of ours; None for one that was made elsewhere."""
        body = (await request.body()).decode("utf-8", "replace")
        fields = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
        token = request.cookies.get(_COOKIE, "")
        ours = bool(token) and self._around.door.is_form_of(token, fields.get("token", ""))
        return fields if ours else None

    async def _login_form(self, request: Request) -> Response:
        if self._session(request) is not None:
            return RedirectResponse(f"{self._root}/", 303)
        return self._login_page(request)

    def _login_page(self, request: Request, trouble: str = "", status: int = 200) -> Response:
        token = self._around.door.token()
        response = self._page("login.html", token, trouble=trouble, status=status, inside=False)
        return self._with_cookie(request, response, token)

    async def _login(self, request: Request) -> Response:
        form = await self._form(request)
        if form is None:
            return self._login_page(request, "The form was too old. Please try again.", 403)
        client = _client(request)
        shown = f"[{clean(client)}]"
        now = self._around.clock()
        try:
            token = await run_in_threadpool(self._around.door.enter, form.get("password", ""), client, now)
        except Blocked:
            self._around.journal.warning(
                line("", client=shown, status="status page: too many wrong passwords")
            )
            return self._login_page(request, "Too many wrong passwords. Please try again later.", 429)
        if token is None:
            self._around.journal.warning(line("", client=shown, status="status page: wrong password"))
            return self._login_page(request, "The password is wrong.", 403)
        self._around.journal.info(line("", client=shown, status="status page: logged in"))
        return self._with_cookie(request, RedirectResponse(f"{self._root}/", 303), token)

    async def _logout(self, request: Request) -> Response:
        if await self._form(request) is None:
            return self._refused()
        self._around.door.leave(request.cookies.get(_COOKIE, ""))
        response = RedirectResponse(f"{self._root}/login", 303)
        response.delete_cookie(_COOKIE, path=f"{self._root}/", httponly=True, samesite="strict")
        return response

    def _with_cookie(self, request: Request, response: Response, token: str) -> Response:
        page = self._around.configuration.web
        assert page is not None
        response.set_cookie(
            _COOKIE,
            token,
            max_age=int(page.session),
            path=f"{self._root}/",
            secure=request.headers.get("x-forwarded-proto", "").lower() == "https",
            httponly=True,
            samesite="strict",
        )
        return response

    # --- what is shown --------------------------------------------------------------------------------------

    def _overview(self, request: Request, session: Session) -> Response:
        return self._shown(request, session, "overview.html", **self._figures())

    def _live(self, request: Request, session: Session) -> Response:
        """The part of the page that changes, for those who keep it open; its word waits for a page."""
        del session
        return self._shown(request, None, "live.html", **self._figures())

    def _figures(self) -> dict[str, Any]:
        readings = self._reader.read()
        cards = smscs.cards(readings, list(self._around.configuration.smscs))
        lines, more = figures.accounts(readings)
        level, in_short, sentences = headline.headline(readings, cards)
        return {
            "level": level,
            "headline": in_short,
            "sentences": sentences,
            "flow": figures.flow(readings, self._around.zone),
            "backlog": figures.backlog(readings),
            "age_names": figures.AGE_NAMES,
            "smscs": cards,
            "accounts": lines,
            "more_accounts": more,
            "read": words.day_and_clock(readings.at, self._around.zone),
            "read_at": words.machine(readings.at),
        }

    def _messages(self, request: Request, session: Session) -> Response:
        asked = request.query_params.get("q", "")[:200]
        name, number = history.sought(asked)
        rows = self._around.queue.find_messages(name, number, _MOST_FOUND) if name or number else []
        return self._shown(
            request,
            session,
            "messages.html",
            asked=asked,
            found=history.found(rows, self._around.zone),
            most=_MOST_FOUND,
        )

    def _message(self, request: Request, session: Session) -> Response:
        message_id = _message_id(request)
        mail = None if message_id is None else self._around.queue.show_message(message_id)
        if mail is None:
            return self._trouble("There is no such message (any more).", 404)
        told = history.story(mail, self._around.clock(), self._around.zone)
        return self._shown(request, session, "message.html", story=told, asked=told.to)

    # --- what is done ---------------------------------------------------------------------------------------

    async def _change(self, request: Request) -> Response:
        session = self._session(request)
        form = await self._form(request)
        if session is None or form is None:
            return self._refused()
        try:
            deed = Deed(request.path_params["deed"])
        except ValueError:
            return self._trouble("There is nothing like that to do.", 404)
        message_id = _message_id(request)
        whole_mail = form.get("scope") == "mail"
        done = None
        if message_id is not None:
            done = await run_in_threadpool(self._do, deed, message_id, whole_mail)
        if done is None:
            return self._trouble("There is no such message (any more).", 404)
        session.word = done
        return RedirectResponse(f"{self._root}/messages/{message_id}", 303)

    def _do(self, deed: Deed, message_id: int, whole_mail: bool) -> str | None:
        """Do it as `sms-milter queue` does; what was done, in words."""
        mail = self._around.queue.show_message(message_id)
        if mail is None:
            return None
        wanted = Selection(name=str(mail["queue_id"])) if whole_mail else Selection(message_id=message_id)
        count, asked = self._around.operator.change(deed, wanted, self._around.clock())
        self._reader.forget()
        told = [f"{words.sms(count)} {_DONE[deed]}."] if count or not asked else []
        if asked:
            told.append(
                f"The SMSC will be asked to cancel {words.sms(asked)}; this page tells whether it could."
            )
        return " ".join(told)

    # --- pages ----------------------------------------------------------------------------------------------

    def _shown(self, request: Request, session: Session | None, template: str, **values: Any) -> Response:
        word = ""
        if session is not None:
            word, session.word = session.word, ""
        return self._page(template, request.cookies.get(_COOKIE, ""), word=word, **values)

    def _page(self, template: str, token: str, *, status: int = 200, **values: Any) -> Response:
        values = {"asked": "", "word": "", "inside": True, **values}
        octets = self._templates.get_template(template).render(
            root=self._root,
            token=self._around.door.form_token(token),
            host_name=self._around.host_name,
            version=__version__,
            refresh_seconds=_REFRESH_SECONDS,
            quote=quote,
            **values,
        )
        return HTMLResponse(octets, status)

    def _trouble(self, what: str, status: int) -> Response:
        return self._page("trouble.html", "", what=what, status=status, inside=False)

    def _refused(self) -> Response:
        return self._trouble("The form was not made for you, or is too old. Nothing was changed.", 403)

    async def _nothing_here(self, request: Request, error: Exception) -> Response:
        del request, error
        return self._trouble("There is nothing here.", 404)

    async def _queue_away(self, request: Request, error: Exception) -> Response:
        del request
        return self._trouble(f"The queue is not available: {error}.", 503)

    async def _unforeseen(self, request: Request, error: Exception) -> Response:
        del request, error
        self._around.journal.error(line("", status=f"status page failed ({place()})"))
        return PlainTextResponse("Something went wrong; the log says where.\n", 500)


def _client(request: Request) -> str:
    """Who asks, as the reverse proxy says that is the only one to connect from elsewhere."""
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return forwarded[:64] or (request.client.host if request.client else "") or "local"


def _message_id(request: Request) -> int | None:
    """The number in the address; None where no message has such a one."""
    written = request.path_params["message_id"]
    fits = written.isascii() and written.isdecimal() and len(written) < 19  # 63 bits
    return int(written) if fits else None
