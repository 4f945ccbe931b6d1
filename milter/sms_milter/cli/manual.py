"""The manual pages, written from what the commands and the settings declare.

    python -m sms_milter.cli.manual DIRECTORY

writes sms-milter.8, sms-milter-queue.8 and sms-milter.yaml.5 there, in roff (man(7)). Packages do so
when they are built; there is no copy that could grow old.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import typer
import typer.main
from pydantic import BaseModel
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from sms_milter.cli import app
from sms_milter.cli.common import EX_CONFIG, EX_NOINPUT, EX_OSERR, EX_UNAVAILABLE, EX_USAGE
from sms_milter.config.describe import default_of, meaning, sections, type_of
from sms_milter.config.schema import Setting, declared, limits_of

_SHOWN_APART = "queue"  # the group of commands that has a page of its own

_DESCRIPTION = """\
.B sms\\-milter
attaches to Postfix or Sendmail as a milter.
While the SMTP client is still connected it checks who sends and what is sent; what is wrong is refused
with the right reply code, what is right is stored durably and submitted to an SMSC over SMPP 3.4.
Mail without SMS recipients is never touched.
.PP
A reply of 250 means that every SMS of the mail is on stable storage.
"""

_SIGNALS = """\
.SH SIGNALS
The supervisor,
.BR "sms\\-milter run" ,
takes
.TP
.B SIGTERM
Ends: what is on its way is answered or marked first.
.TP
.B SIGHUP
Reads the configuration again, without losing a connection or a bind.
A file with faults changes nothing, and the log says so.
"""

_EXITS = {
    0: "Done; of preview: there is a verdict, whatever it is.",
    EX_USAGE: "The command line is wrong.",
    EX_NOINPUT: "A file to read is not there.",
    EX_UNAVAILABLE: "The queue, or what was asked for in it, is not there.",
    EX_OSERR: "The system refused something.",
    EX_CONFIG: "The configuration has faults; each was printed with its place.",
}

_KINDS = {"str": "text", "path": "file", "int": "number", "float": "number"}  # as typer calls them; as we do


def pages() -> dict[str, str]:
    """The pages by file name."""
    return {
        "sms-milter.8": _service_page(),
        f"sms-milter-{_SHOWN_APART}.8": _queue_page(),
        "sms-milter.yaml.5": _settings_page(),
    }


# --- roff ---------------------------------------------------------------------------------------------------


def _text(text: str) -> str:
    """Ordinary text: its hyphens, backslashes and leading dots mean themselves; `code` is bold."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    plain = re.sub(r"`([^`]+)`", r"\\fB\1\\fR", plain)
    plain = re.sub(r"[^\x00-\x7f]", lambda found: f"\\[u{ord(found[0]):04X}]", plain)
    return "\n".join(f"\\&{line}" if line[:1] in ".'" else line for line in plain.splitlines())


def _head(name: str, section: int, purpose: str) -> Iterator[str]:
    yield f'.TH {_text(name.upper())} {section} "" "sms\\-milter {version("sms-milter")}"'
    yield ".nh"
    yield ".SH NAME"
    yield f"{_text(name)} \\- {_text(purpose)}"


def _entry(term: str, *paragraphs: str) -> Iterator[str]:
    yield ".TP"
    yield term
    first, *others = [paragraph for paragraph in paragraphs if paragraph] or [""]
    yield _text(first)
    for one in others:
        yield ".IP"
        yield _text(one)


# --- commands -----------------------------------------------------------------------------------------------


def _commands(group: TyperGroup) -> Iterator[tuple[str, TyperCommand]]:
    """All commands below a group by what one types behind its name, those of groups too."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from ((f"{name} {below}", one) for below, one in _commands(command))
        elif isinstance(command, TyperCommand):
            yield name, command


def _synopsis(command: TyperCommand) -> str:
    words = []
    for one in command.params:
        if isinstance(one, TyperArgument):
            name = _text(one.metavar or (one.name or "").upper())
            word = f"\\fI{name}\\fR" + (" ..." if one.nargs == -1 else "")
            words.append(word if one.required else f"[{word}]")
    options = any(isinstance(one, TyperOption) for one in command.params)
    return " ".join(["[\\fIoption\\fR ...]"] * options + words)


def _command(name: str, command: TyperCommand) -> Iterator[str]:
    context = typer.Context(command, info_name=name)
    yield f'.SS "sms\\-milter {_text(name)}"'
    yield f"\\fB{_text(name)}\\fR {_synopsis(command)}".rstrip()
    yield ".PP"
    yield _text(_help(command.help or ""))
    for one in command.params:
        record = None if "--help" in one.opts else one.get_help_record(context)
        if record is not None:
            yield from _entry(_term(record[0]), _help(record[1]))
    if command.epilog:
        before, _, table = command.epilog.partition("\b")
        yield from (".PP", _text(_help(before)), ".PP", ".nf", _text(table.strip("\n")), ".fi")


def _term(term: str) -> str:
    """An option with its value, or an argument: what is typed as it stands is bold."""
    words = []
    for word in term.split():
        kind = re.fullmatch(r"<(list\[)?(\w+)\]?>", word)
        shown = f"{_KINDS.get(kind[2], kind[2])}{' ...' if kind[1] else ''}" if kind else word
        words.append(f"\\f{'B' if word.startswith('-') else 'I'}{_text(shown)}\\fR")
    return " ".join(words)


def _help(text: str) -> str:
    return " ".join(text.replace("\b", " ").split())


def _root() -> TyperGroup:
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    return root


def _service_page() -> str:
    lines = [
        *_head("sms-milter", 8, "mail becomes SMS inside the SMTP dialogue"),
        ".SH SYNOPSIS",
        "\\fBsms\\-milter\\fR \\fIcommand\\fR [\\fIoption\\fR ...] [\\fIargument\\fR ...]",
        ".SH DESCRIPTION",
        _DESCRIPTION.rstrip(),
        ".SH COMMANDS",
    ]
    for name, command in _commands(_root()):
        if not name.startswith(f"{_SHOWN_APART} "):
            lines += _command(name, command)
    lines += [f'.SS "sms\\-milter {_SHOWN_APART}"', "What waits, went and came back: see", _queue_reference()]
    lines += [_SIGNALS.rstrip(), *_around()]
    return "\n".join(lines) + "\n"


def _queue_page() -> str:
    group = _root().commands[_SHOWN_APART]
    assert isinstance(group, TyperGroup)
    lines = [
        *_head(f"sms-milter-{_SHOWN_APART}", 8, "look into the queue of sms-milter, and change what waits"),
        ".SH SYNOPSIS",
        f"\\fBsms\\-milter {_SHOWN_APART}\\fR \\fIcommand\\fR [\\fIoption\\fR ...] [\\fIargument\\fR ...]",
        ".SH DESCRIPTION",
        _text(group.help or ""),
        ".SH COMMANDS",
    ]
    for name, command in _commands(group):
        lines += _command(f"{_SHOWN_APART} {name}", command)
    return "\n".join([*lines, *_around()]) + "\n"


def _queue_reference() -> str:
    return f".BR sms\\-milter\\-{_SHOWN_APART} (8)."


def _around() -> Iterator[str]:
    yield ".SH EXIT STATUS"
    for code, meant in _EXITS.items():
        yield from _entry(str(code), meant)
    yield ".PP"
    yield _text("`doctor` has the exit codes of a Nagios plug-in instead: 0 to 3.")
    yield ".SH ENVIRONMENT"
    yield from _entry(
        "\\fBSMS_MILTER_CONFIG\\fR", "The configuration file, where `--config` does not name one."
    )
    yield from _ending()


def _ending() -> Iterator[str]:
    yield ".SH FILES"
    yield from _entry("/etc/sms\\-milter/sms\\-milter.yaml", "The configuration.")
    yield ".SH SEE ALSO"
    yield ".BR sms\\-milter (8),"
    yield f".BR sms\\-milter\\-{_SHOWN_APART} (8),"
    yield ".BR sms\\-milter.yaml (5),"
    yield ".BR postconf (5)"


# --- settings -----------------------------------------------------------------------------------------------


def _settings_page() -> str:
    lines = [
        *_head("sms-milter.yaml", 5, "the configuration of sms-milter"),
        ".SH DESCRIPTION",
        _text(
            "The file is YAML. `sms-milter check` names every fault in it with its line. Sizes take KB, MB,"
            " GB (1024-based), durations s, m, h, d. A secret NAME may be given as NAME_file: a file whose"
            " first line is the secret."
        ),
    ]
    for path, section in sections():
        lines += [f'.SH "{_text(path.replace("`", "") or "THE FILE")}"', *_settings(section)]
    return "\n".join([*lines, *_ending()]) + "\n"


def _settings(section: type[BaseModel]) -> Iterator[str]:
    for one in declared(section).values():
        yield from _entry(f"\\fB{_text(one.name)}\\fR", meaning(one), _form(one))


def _form(setting: Setting) -> str:
    limits = limits_of(setting)
    default = "required" if setting.required else f"default {default_of(setting)}"
    return "; ".join(filter(None, (type_of(setting.annotation), limits, default)))


def main(arguments: list[str]) -> int:
    """Writes the pages."""
    if len(arguments) != 1:
        print("usage: python -m sms_milter.cli.manual DIRECTORY", file=sys.stderr)
        return EX_USAGE
    for name, page in pages().items():
        Path(arguments[0], name).write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
