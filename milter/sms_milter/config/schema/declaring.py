"""How a setting is declared and read back, and how its values are put in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from sms_milter.config.values import Expects, number_of

REQUIRED: Any = PydanticUndefined


CHOICE = "outlet"  # the setting whose value says which section it is


def setting(
    default: Any,
    *,
    at_least: str | float | None = None,
    at_most: str | float | None = None,
    longest: int | None = None,
    doc: str,
    secret: bool = False,
    in_force: bool | tuple[str, ...] = True,
    example: Any = None,
    name: str | None = None,
) -> Any:
    """The declaration of one setting: a pydantic Field.

    `default` and the limits are written as a postmaster writes them ("10MB", "30s", 5); REQUIRED has no
    default; `longest` limits text, in characters. Limits need a type over int, float or str. `secret`
    settings may be given as NAME_file too and are never shown. `in_force` False: accepted but without
    effect in this version; a tuple names the values that do have effect. `example` stands in the annotated
    example instead of the default. `name` is the written name where Python forbids it.
    """
    return Field(
        default,
        alias=name,
        description=doc,
        ge=None if at_least is None else number_of(at_least),
        le=None if at_most is None else number_of(at_most),
        max_length=longest,
        repr=not secret,
        validate_default=True,
        json_schema_extra={
            "at_least": at_least,
            "at_most": at_most,
            "longest": longest,
            "secret": secret,
            "in_force": list(in_force) if isinstance(in_force, tuple) else in_force,
            "example": example,
        },
    )


def nothing_is_empty(value: object) -> object:
    """A heading with nothing below it means its defaults."""
    return {} if value is None else value


class Section(BaseModel):
    """A group of settings. Frozen; unknown names are refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True, protected_namespaces=()
    )

    @model_validator(mode="before")
    @classmethod
    def _heading_alone(cls, data: object) -> object:
        return nothing_is_empty(data)


@dataclass(frozen=True, eq=False)
class Setting:
    """One declaration, read back. `name` is the written one, `attribute` the model's; limits as declared."""

    name: str
    attribute: str
    annotation: Any
    default: Any
    doc: str
    at_least: str | float | None = None
    at_most: str | float | None = None
    longest: int | None = None
    secret: bool = False
    in_force: bool | tuple[str, ...] = True
    example: Any = None

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is REQUIRED

    @cached_property
    def checked_default(self) -> Any:
        """The default as the model holds it: a number for "10MB"."""
        return TypeAdapter(self.annotation).validate_python(self.default)

    def acts(self, value: object) -> bool:
        """Whether a checked value, given in the file, has the effect that it promises."""
        if isinstance(self.in_force, bool):
            return self.in_force or value == self.checked_default
        return value in self.in_force


@lru_cache(maxsize=256)
def declared(model: type[BaseModel]) -> Mapping[str, Setting]:
    """The settings of a section by their written names, in order."""
    settings = (_read_back(attribute, field) for attribute, field in model.model_fields.items())
    return {one.name: one for one in settings if one is not None}


def _read_back(attribute: str, field: FieldInfo) -> Setting | None:
    extra = field.json_schema_extra
    if not isinstance(extra, dict):
        return None
    known: dict[str, Any] = dict(extra)
    if isinstance(known["in_force"], list):
        known["in_force"] = tuple(known["in_force"])
    annotation = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    return Setting(
        field.alias or attribute, attribute, annotation, field.default, field.description or "", **known
    )


def bare(annotation: Any) -> Any:
    """An annotation without Annotated and without `| None`."""
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    choices = [choice for choice in get_args(annotation) if choice is not type(None)]
    return bare(choices[0]) if len(choices) == 1 and type(None) in get_args(annotation) else annotation


def inside(annotation: Any) -> Any:
    """What the items of a list or the values of a mapping are declared as; None for anything else."""
    plain = bare(annotation)
    if get_origin(plain) is tuple:
        return get_args(plain)[0]
    if get_origin(plain) is dict:
        return get_args(plain)[1]
    return None


def variants(annotation: Any) -> Mapping[str, type[BaseModel]]:
    """The sections that an annotation leaves the choice of, by the value of `outlet`; empty without one."""
    return {
        get_args(choice.model_fields[CHOICE].annotation)[0]: choice
        for choice in get_args(_without_metadata(annotation))
        if section_of(choice) is not None and CHOICE in choice.model_fields
    }


def section_of(annotation: Any) -> type[BaseModel] | None:
    """The section that an annotation names, if it names one."""
    plain = bare(annotation)
    return plain if isinstance(plain, type) and issubclass(plain, BaseModel) else None


_PLAIN_WORDS: dict[Any, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def expected(annotation: Any, setting: Setting | None = None) -> str:
    """What a value must look like, limits included, in a postmaster's words."""
    words = _kind(annotation)
    limits = limits_of(setting) if setting is not None else ""
    if limits:
        plain = " " if limits.startswith("from") else " of "
        words += (plain if words in _PLAIN_WORDS.values() else ", ") + limits
    return f"{words}, or null" if _may_be_null(annotation) else words


def limits_of(setting: Setting) -> str:
    """The limits of a setting in words; empty without any."""
    if setting.longest is not None:
        return f"at most {setting.longest} characters"
    least, most = setting.at_least, setting.at_most
    if least is not None and most is not None:
        return f"from {least} to {most}"
    if least is not None:
        return f"at least {least}"
    return f"at most {most}" if most is not None else ""


def _may_be_null(annotation: Any) -> bool:
    said = any(isinstance(note, Expects) for note in getattr(annotation, "__metadata__", ()))
    return not said and type(None) in get_args(_without_metadata(annotation))


def _without_metadata(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _kind(annotation: Any) -> str:
    for note in getattr(annotation, "__metadata__", ()):
        if isinstance(note, Expects):
            return note.words
    plain = _without_metadata(annotation)
    choices = [choice for choice in get_args(plain) if choice is not type(None)]
    if get_origin(plain) is Literal:
        return " or ".join(filter(None, (", ".join(choices[:-1]), choices[-1])))
    if get_origin(plain) is tuple:
        return "a list"
    if get_origin(plain) is dict or section_of(plain) is not None:
        return "settings below it"
    return _PLAIN_WORDS[plain] if plain in _PLAIN_WORDS else _kind(choices[0])
