"""What pydantic found wrong, as faults that teach: the place, what is wrong, what to write instead."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from sim.config import schema
from sim.config.advice import did_you_mean, listed, parted
from sim.config.node import Node, Place, join, nearest
from sim.config.sections import ALWAYS, PER_MERCHANT, PER_WORLD
from sim.errors import Fault
from sim.words import _, marked

Loc = tuple[str | int, ...]
_KINDS: Mapping[type, str] = {
    bool: marked("{value} is a switch"),
    int: marked("{value} is a number"),
    float: marked("{value} is a fraction"),
    str: marked("{value} is a text"),
    list: marked("{value} is a list"),
}
_OUT_OF_RANGE = frozenset(
    {
        "greater_than", "greater_than_equal", "less_than", "less_than_equal", "multiple_of", "too_short", "too_long",
        "string_too_short", "string_too_long",
    }
)  # fmt: skip


def translate(errors: Iterable[ErrorDetails], root: Node) -> list[Fault]:
    """One fault per error, at the place of the key or value to blame."""
    return [_fault(error, root) for error in errors]


def _fault(error: ErrorDetails, root: Node) -> Fault:
    loc, kind = error["loc"], error["type"]
    node, rest = nearest(root, loc)
    if kind == "missing":
        where = join(node.key.where, loc[-1]) if rest else node.key.where
        return node.key.fault(_("is missing"), _("write {wanted}", wanted=_wanted(loc)), where=where)
    if kind == "extra_forbidden":
        return _unknown(loc, node.key)
    if "[key]" in loc:
        return node.key.fault(
            _("{value} is not a name", value=_shown(loc[-2])), _("write letters, digits, _ and -, such as tea_house")
        )
    if kind == "value_error":
        place = node.key if isinstance(node.value, Mapping) else node.place
        return place.fault(*_own_words(error))
    return node.place.fault(*_misfit(loc, kind, error["input"]))


def _misfit(loc: Loc, kind: str, value: Any) -> tuple[str, str]:
    """What is wrong with a value that does not fit, and what fits."""
    if kind in ("literal_error", "enum"):
        options = [str(option) for part in schema.variants(schema.at(loc)) for option in _options(part)]
        return _("{value} is not known here", value=_shown(value)), did_you_mean(str(value), options)
    if value is False and ".".join(map(str, loc[-2:])) in ALWAYS:
        return _("cannot be switched off"), _("leave it out, or state its parameters")
    instead = _("write {wanted}", wanted=_wanted(loc))
    if kind in _OUT_OF_RANGE:
        return _("{value} is out of range", value=_shown(value)), instead
    if kind.startswith("date") and isinstance(value, str):
        return _("{value} is not a date", value=_shown(value)), instead
    return _mistaken(value), instead


def _unknown(loc: Loc, key: Place) -> Fault:
    """A word that is not known; the nearest one, or those that are."""
    word = str(loc[-1])
    in_section = loc[0] in PER_WORLD if len(loc) == 2 else len(loc) == 4 and loc[2] in PER_MERCHANT
    said = marked('unknown parameter "{word}"') if len(loc) > 2 else marked('unknown key "{word}"')
    said = marked('unknown mechanism "{word}"') if in_section else said
    return key.fault(_(said, word=word), did_you_mean(word, schema.keys(loc[:-1])))


def _own_words(error: ErrorDetails) -> tuple[str, str]:
    """The words of a model's own check, ``what is wrong; what to write instead``."""
    wrong, instead = parted(str(error["ctx"]["error"]))
    known = re.fullmatch(_("one of {known}", known="(.+)"), instead)
    if known and isinstance(error["input"], str):
        instead = did_you_mean(error["input"], known[1].split(", "))
    return wrong, instead


def _mistaken(value: Any) -> str:
    """What a value of the wrong type is."""
    if value is None:
        return _("is empty")
    said = _KINDS.get(type(value), marked("is a mapping"))
    return _(said, value=_shown(value))


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else text[:37] + "..."


# ------------------------------------------------------------------------------------------- what is wanted


def _wanted(loc: Loc) -> str:
    """What may stand at a path: its type and range, then unit and default."""
    part = schema.at(loc)
    shapes = list(dict.fromkeys(text for variant in schema.variants(part) if (text := _shape(variant))))
    default = part.get("default")
    notes = [_(part["unit"])] if part.get("unit") else []
    notes += [_("default {value}", value=_shown(default))] if default not in (None, "", {}) else []
    wanted = _(" or ").join(shapes or [_("a value")])
    return _("{wanted} ({notes})", wanted=wanted, notes=_("; ").join(notes)) if notes else wanted


def _shape(part: Mapping[str, Any]) -> str:
    if options := _options(part):
        shown = listed(str(option) for option in options)
        return _("one of {known}", known=shown) if len(options) > 1 else str(options[0])
    kind = part.get("type")
    if kind == "string":
        named = {"date": marked("a date such as 2025-01-06"), "path": marked("a path")}.get(part.get("format", ""))
        return _(named or (marked("a time such as 30m, 1h or 1d") if "pattern" in part else marked("a text")))
    names = {
        "boolean": marked("true or false"),
        "integer": marked("a whole number"),
        "number": marked("a number"),
        "array": marked("a list"),
        "object": marked("a mapping"),
    }
    return _(names.get(str(kind), "")) + _range(part)


def _options(part: Mapping[str, Any]) -> list[Any]:
    return [part["const"]] if "const" in part else list(part.get("enum", ()))


def _range(part: Mapping[str, Any]) -> str:
    """The range in words: `` from 0 to 1``, `` above 0 and at most 5``."""
    low, above = part.get("minimum"), part.get("exclusiveMinimum")
    high, below = part.get("maximum"), part.get("exclusiveMaximum")
    if low is not None and high is not None:
        return _(" from {low} to {high}", low=_number(low), high=_number(high))
    ends = (
        (low, marked("at least {end}")),
        (above, marked("above {end}")),
        (high, marked("at most {end}")),
        (below, marked("below {end}")),
    )
    said = [_(word, end=_number(end)) for end, word in ends if end is not None]
    fewest, most = (part.get(f"{end}Items", part.get(f"{end}Properties")) for end in ("min", "max"))
    if fewest is not None or most is not None:
        many = marked("of {fewest} or more entries") if most is None else marked("of {fewest} to {most} entries")
        said.append(_(many, fewest=fewest or 0, most=most))
    return " " + _(" and ").join(said) if said else ""


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"
