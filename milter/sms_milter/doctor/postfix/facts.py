"""Postfix's settings as its own postconf(1) prints them, and how its parameters are written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

_CHROOT_BY_DEFAULT_BELOW = 1  # compatibility_level, master(5)


@dataclass(frozen=True, slots=True)
class Service:
    """A line of master.cf. `settings` are its `-o` options; `name/kind` is how postconf -P calls it."""

    name: str
    kind: str
    chroot: bool
    command: str
    settings: Mapping[str, str]

    @property
    def label(self) -> str:
        """Its name for postconf -M and -P."""
        return f"{self.name}/{self.kind}"


@dataclass(frozen=True, slots=True)
class PostfixFacts:
    """One Postfix instance.

    `main` has every parameter, expanded. `routes`: what transport_maps has for each of our domains, "" for
    nothing. `classes`: which parameters (mydestination …) hold each of our domains. `client_tables`: the keys
    and results of each table of smtpd_milter_maps, None where they could not be listed.
    """

    directory: str
    main: Mapping[str, str]
    services: tuple[Service, ...]
    routes: Mapping[str, str] = field(default_factory=dict)
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    client_tables: Mapping[str, tuple[tuple[str, str], ...] | None] = field(default_factory=dict)

    def value(self, service: Service | None, name: str) -> str:
        """What a service sees as that parameter; of no service, what main.cf or the default says."""
        own = {} if service is None else service.settings
        return own.get(name, self.main.get(name, ""))

    def service(self, name: str, kind: str = "unix") -> Service | None:
        """The service of that name."""
        return next((one for one in self.services if (one.name, one.kind) == (name, kind)), None)

    @property
    def version(self) -> tuple[int, int]:
        """Such as (3, 7)."""
        numbers = re.match(r"(\d+)\.(\d+)", self.main.get("mail_version", ""))
        return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)

    def command(self, program: str, *arguments: str) -> str:
        """A command line for this instance."""
        instance = () if self.directory == "/etc/postfix" else ("-c", self.directory)
        return shlex.join((program, *instance, *arguments))

    def change(self, service: Service | None, name: str, value: str) -> str:
        """The commands that give a service, or main.cf, another value and make it count."""
        if service is None:
            written = self.command("postconf", "-e", f"{name}={value}")
        else:  # postconf -P takes no white space; Postfix reads lists without it just as well
            written = self.command("postconf", "-P", f"{service.label}/{name}={''.join(value.split())}")
        return f"{written} && {self.command('postfix', 'reload')}"

    def change_where_set(self, service: Service, name: str, value: str) -> str:
        """As `change`, in the place where the service has its value from."""
        return self.change(service if name in service.settings else None, name, value)


def parse(directory: str, main: str, services: str, settings: str) -> PostfixFacts:
    """From what `postconf -x`, `postconf -M` and `postconf -Px` print."""
    parameters = dict(_assignments(main))
    level = re.match(r"\d+", parameters.get("compatibility_level", ""))
    chroot_by_default = level is None or int(level[0]) < _CHROOT_BY_DEFAULT_BELOW
    own: dict[str, dict[str, str]] = {}
    for path, value in _assignments(settings):
        label, _, name = path.rpartition("/")
        own.setdefault(label, {})[name] = value
    found = []
    for line in services.splitlines():
        words = line.split(None, 8)
        if len(words) < 8:
            continue
        name, kind, _, _, chroot, _, _, command = words[:8]
        jailed = chroot_by_default if chroot == "-" else chroot == "y"
        found.append(Service(name, kind, jailed, command, own.get(f"{name}/{kind}", {})))
    return PostfixFacts(directory, parameters, tuple(found))


def _assignments(text: str) -> list[tuple[str, str]]:
    pairs = (line.partition(" =") for line in text.splitlines() if " =" in line)
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def items(value: str) -> list[str]:
    """The items of a list: commas or white space stand between them, and inside braces they do not count."""
    found, depth, word = [], 0, ""
    for character in value:
        depth += (character == "{") - (character == "}")
        if depth == 0 and (character == "," or character.isspace()):
            found.append(word)
            word = ""
        else:
            word += character
    return [one for one in (*found, word) if one]


@dataclass(frozen=True, slots=True)
class MilterEntry:
    """One milter of smtpd_milters: `{ inet:127.0.0.1:8891, default_action=tempfail }`, or an address."""

    written: str
    address: str
    own: Mapping[str, str]

    def rewritten(self, **changes: str) -> str:
        """The same milter with other settings of its own."""
        pairs = (f"{name}={value}" for name, value in {**self.own, **changes}.items())
        return "{ " + ", ".join((self.address, *pairs)) + " }"


def milters(value: str) -> list[MilterEntry]:
    """What smtpd_milters lists, in its order."""
    found = []
    for written in items(value):
        address, *pairs = items(written[1:-1]) if written.startswith("{") else [written]
        settings = (pair.partition("=") for pair in pairs)
        found.append(MilterEntry(written, address, {name: setting for name, _, setting in settings}))
    return found
