"""The lines of docs/log.md as patterns, and those that the code can write, as far as it can be read off."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from itertools import product

from support.places import ROOT

DOCUMENT = ROOT / "docs" / "log.md"
_ROW = re.compile(r"^\| (info|warning|error|critical) \| `([^`]+[^` ])` \|", re.MULTILINE)
_SHORT = re.compile(r"^(MAIL|PART|ERRAND) is `([^`]+)`", re.MULTILINE)
_HOLE = re.compile(r"(?<![A-Za-z0-9])(?!PDUs|SMSC knows)(MTAID|[A-Z][A-Z_]*)(?![A-Za-z])")
_ONE_WORD = frozenset({"MTAID", "N", "ID", "ROLE", "PID", "PEER", "KIND", "SMSC"})
_LINK = re.compile(r"smsc=\S+ bind=\S+: ")
_PACKAGE = ROOT / "milter" / "sms_milter"
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_SEVERITIES = ("debug", "info", "warning", "error", "critical")
# Functions elsewhere that hand one of their arguments on as the status of a line.
_WRAPPERS = {"message": 1, "errand": 3}
_UNKNOWN = "\0"  # where the code puts in a value


@dataclass(frozen=True)
class Form:
    """One line of the document. `sample` is its status, with 9 for whatever differs."""

    severity: str
    written: str
    whole: re.Pattern[str]
    status: re.Pattern[str]
    sample: str

    @property
    def empty(self) -> bool:
        """Whether its status has no word of its own."""
        return not re.search(r"[a-z]{3}", self.sample)

    def covers(self, template: str) -> bool:
        """Whether the status that the code writes is of this form."""
        if self.status.fullmatch(template.replace(_UNKNOWN, "9")):
            return True
        pattern = ".+".join(map(re.escape, template.split(_UNKNOWN)))
        return bool(re.search(r"[a-z]{3}", template) and re.fullmatch(pattern, self.sample))


@cache
def forms() -> tuple[Form, ...]:
    text = DOCUMENT.read_text()
    short = dict(_SHORT.findall(text))
    found = []
    for severity, written in _ROW.findall(text):
        line = re.sub("|".join(short), lambda name: short[name[0]], written)
        status = _LINK.sub("", line).rpartition("status=")[2]
        sample = _HOLE.sub("9", status)
        found.append(Form(severity, written, _pattern(line), _pattern(status), sample))
    return tuple(found)


def _pattern(line: str) -> re.Pattern[str]:
    """Capitals become anything, pairs in square brackets may be missing; shadow mode has words of its own."""
    line = line.replace("[IP]", "\1")
    pieces = []
    for place, one in enumerate(_HOLE.split(line)):
        if place % 2:
            pieces.append(r"\S+?" if one in _ONE_WORD else ".*?")
        else:
            pieces.append(re.escape(one).replace(r"\[", "(?:").replace(r"\]", ")?"))
    pattern = "".join(pieces).replace(re.escape("\1"), r"\[[^]]*\]")
    if pattern.startswith(r"\S+?:\ client="):
        pattern = pattern.replace("status=", "status=(?:would be )?")
    return re.compile(pattern)


# --- what the code writes -----------------------------------------------------------------------------------


@cache
def templates() -> dict[str, str]:
    """Every status and text that the code gives the log, with \\0 for values; where it stands."""
    found: dict[str, str] = {}
    for path in sorted(_PACKAGE.rglob("*.py")):
        module = _Module(ast.parse(path.read_text()))
        for call, function in module.calls:
            for text in module.spoken(call, function):
                text = _LINK.sub("", text.removeprefix("would be "))
                if text.strip(_UNKNOWN + " "):
                    found.setdefault(text, f"{path.relative_to(ROOT)}:{call.lineno}")
    return found


class _Module:
    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._functions = {n.name: n for n in ast.walk(tree) if isinstance(n, _Function)}
        self.calls = [
            (node, function)
            for function in self._functions.values()
            for node in ast.walk(function)
            if isinstance(node, ast.Call)
        ]
        self._constants = {
            target.id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }

    def spoken(self, call: ast.Call, function: _Function) -> set[str]:
        """What this call says to the log, if it does."""
        given = [one.value for one in call.keywords if one.arg == "status"]
        name, owner = _name(call), ast.unparse(call.func)
        if name in _WRAPPERS and len(call.args) > _WRAPPERS[name]:
            given.append(call.args[_WRAPPERS[name]])
        if name in _SEVERITIES and owner.endswith(f"journal.{name}"):
            given += call.args
        return {text for one in given for text in self.texts(one, function)}

    def texts(self, node: ast.expr, function: _Function, depth: int = 0) -> set[str]:
        """What the expression may be, as text with holes."""
        if depth > 6:
            return {_UNKNOWN}

        def deeper(one: ast.expr) -> set[str]:
            return self.texts(one, function, depth + 1)

        match node:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.JoinedStr(values=values):
                return {"".join(parts) for parts in product(*map(deeper, values))}
            case ast.FormattedValue(value=value):
                return deeper(value)
            case ast.IfExp(body=body, orelse=other):
                return deeper(body) | deeper(other)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return {one + two for one in deeper(left) for two in deeper(right)}
            case ast.Subscript(value=ast.Name(id=name)) if isinstance(
                table := self._constants.get(name), ast.Dict
            ):
                return {text for value in table.values for text in deeper(value)}
            case ast.Call(func=ast.Name(id=name)) if name in self._functions and name.startswith("_"):
                return self._returned(name, depth)
            case ast.Name(id=name):
                return self._named(name, function, depth)
        return {_UNKNOWN}

    def _returned(self, name: str, depth: int) -> set[str]:
        function = self._functions[name]
        returns = [n.value for n in ast.walk(function) if isinstance(n, ast.Return) and n.value is not None]
        return {text for value in returns for text in self.texts(value, function, depth + 1)} or {_UNKNOWN}

    def _named(self, name: str, function: _Function, depth: int) -> set[str]:
        if name in self._constants:
            return self.texts(self._constants[name], function, depth + 1)
        assigned = [
            node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
        ]
        texts = {text for value in assigned for text in self.texts(value, function, depth + 1)}
        return texts | self._passed(name, function, depth) or {_UNKNOWN}

    def _passed(self, name: str, function: _Function, depth: int) -> set[str]:
        """What the functions of this module pass for a parameter."""
        names = [one.arg for one in function.args.args if one.arg != "self"]
        if name not in names:
            return set()
        place = names.index(name)
        return {
            text
            for call, caller in self.calls
            if _name(call) == function.name and len(call.args) > place
            for text in self.texts(call.args[place], caller, depth + 1)
        }


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
