"""
What an address may ask, as models that check it: the pages, the files and the API share them.

A name that is neither an option nor, where there are filters, a field is refused with the
nearest one. Options of lists begin with ``_``, so that no field can ever clash with one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.datastructures import MultiDict

from salt_ext.store import FilterError
from salt_ext.words.nearest import unknown

AS_OF = "_as_of"
"""The option of every page that can show the past; those that cannot leave it out."""

LIMIT = 100
MAX_LIMIT = 1000

Model = TypeVar("Model", bound="Asked")


class Asked(BaseModel):
    """An address without any option."""

    # What else is given :func:`read` refuses. Here extra="forbid" would win over "allow" of
    # Filtered, wherever that is not the last of several bases.
    model_config = ConfigDict(frozen=True, populate_by_name=True)

    @classmethod
    def options(cls) -> list[str]:
        """Return the names of all options, as they stand in an address."""
        return [one.alias or name for name, one in cls.model_fields.items()]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """What is asked as parameters of an address; what is as usual is left out."""
        given: list[tuple[str, str]] = []
        for name, one in type(self).model_fields.items():
            value = getattr(self, name)
            if value != one.get_default(call_default_factory=True):
                given += [(one.alias or name, text) for text in _texts(value)]
        extra = self.model_extra or {}
        return [(name, text) for name in extra for text in _texts(extra[name])] + given

    @property
    def key(self) -> str:
        """The question without its pages as one text, by which an answer is kept."""
        # Several views call their model "Asked".
        return f"{type(self).__module__}.{type(self).__qualname__} {self.whole.pairs}"

    @property
    def whole(self: Model) -> Model:
        """The same question without its pages: for a file."""
        fields = type(self).model_fields
        usual: dict[str, Any] = {
            name: fields[name].default for name in ("limit", "cursor", "start") if name in fields
        }
        return self.model_copy(update=usual)

    def but(self: Model, **changed: Any) -> Model:
        """Return the same question with other values of some options, from its first page on."""
        fields = type(self).model_fields
        begin: dict[str, Any] = {
            name: fields[name].default for name in ("cursor", "start") if name in fields
        }
        return self.model_copy(update={**begin, **changed})

    def at(self: Model, cursor: str) -> Model:
        """Return the same question from another page on."""
        if "start" in type(self).model_fields:
            return self.model_copy(update={"start": int(cursor)})
        return self.model_copy(update={"cursor": cursor})


class Limited(Asked):
    """The first rows of a list."""

    limit: int = Field(
        LIMIT, alias="_limit", ge=1, le=MAX_LIMIT, description="How many rows at most."
    )


class Paged(Limited):
    """A list in pages, each of which says where the next one begins."""

    cursor: str = Field(
        "", alias="_from", max_length=2000, description="What the last page gave as its next one."
    )


class Numbered(Limited):
    """A list in pages that is short enough to be counted from its beginning."""

    start: int = Field(
        0, alias="_from", ge=0, le=10_000_000, description="How many rows to leave out."
    )


class Past(Asked):
    """A question that can be asked about the past too: see :mod:`webui.timemode`."""

    as_of: str = Field(
        "",
        alias="_as_of",
        max_length=200,
        description="As it was then: 7d, 2026-11-01 or the name of a snapshot.",
    )


class Filtered(Asked):
    """
    A question about those assets that fit its filters.

    Whatever is no option is the name of a field, with ``__`` and a comparison behind it.
    """

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)

    @property
    def filters(self) -> dict[str, str | list[str]]:
        """The filters, in the grammar of the store; a repeated field means either value."""
        return dict(self.model_extra or {})


def read(model: type[Model], args: MultiDict[str, str]) -> Model:
    """Return what an address asks. Raises :class:`FilterError` with a sentence for people."""
    has_filters = issubclass(model, Filtered)
    options = model.options()
    given: dict[str, Any] = {}
    for name, values in args.lists():
        is_field = has_filters and name not in model.model_fields and not name.startswith("_")
        if f"_{name}" == AS_OF:
            raise FilterError(unknown("option", name, dict.fromkeys((*options, AS_OF))))
        if name not in options and not is_field:
            raise FilterError(unknown("option", name, options))
        if name not in options:
            given[name] = values if len(values) > 1 else values[0]
        elif _takes_many(model, name):
            given[name] = values
        elif len(values) > 1:
            raise FilterError(f"{name} is given {len(values)} times: give it once")
        else:
            given[name] = values[0]
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise FilterError(_sentence(error)) from None


def _takes_many(model: type[Asked], option: str) -> bool:
    [field] = [one for name, one in model.model_fields.items() if (one.alias or name) == option]
    return isinstance(field.get_default(call_default_factory=True), tuple)


def _texts(value: Any) -> list[str]:
    if isinstance(value, (list, tuple)):
        return [str(one) for one in value]
    return [str(value).lower() if isinstance(value, bool) else str(value)]


def _sentence(error: ValidationError) -> str:
    """Return the first thing that is wrong, in words."""
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else "the address"
    bounds: Mapping[str, Any] = first.get("ctx", {})
    if first["type"] == "literal_error":
        return f"{name} is {first['input']!r}, but it must be one of {bounds['expected']}"
    message = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return f"{name} is {str(first['input'])[:100]!r}, but it must be {message}"
