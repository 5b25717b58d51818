"""The parameters of a scenario, each with its path, value, unit, range and source; and the scenario with others.

A path is that of the scenario file, with dots: ``people.gift.everyday``, ``merchants.tea_house.products.puer.price``;
``merchants.*.offers.coupon.value`` is that of every merchant that has it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from sim.config import misfit
from sim.config.advice import did_you_mean
from sim.config.model import Scenario
from sim.errors import StudyError
from sim.words import _

ASSUMED = "assumed"
_NUMBERS = (bool, int, float)  # a bool is an int, too


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a scenario. `low` and `high` are what it may be at all, None where nothing bounds it.

    `choices` are the words that it is one of, if it is.
    """

    path: str
    value: Any
    unit: str
    source: str
    doc: str
    low: float | None
    high: float | None
    choices: tuple[str, ...] = ()

    @property
    def number(self) -> bool:
        """Whether it is a number that may be varied (not a switch)."""
        return isinstance(self.value, int | float) and not isinstance(self.value, bool)

    @property
    def span(self) -> tuple[float, float] | None:
        """The range in which a study varies it: half to twice its value (of a share: of its odds), inside its bounds.

        None for what is no number, and for 0: what is off stays off.
        """
        if not self.number or not self.value:
            return None
        value = float(self.value)
        if (self.low, self.high) == (0.0, 1.0):
            odds = value / (1.0 - value) if value < 1.0 else None
            ends = (odds / 2 / (1 + odds / 2), 2 * odds / (1 + 2 * odds)) if odds else (0.5, 1.0)
        else:
            ends = (min(value / 2, value * 2), max(value / 2, value * 2))
        low = ends[0] if self.low is None else max(ends[0], self.low)
        high = ends[1] if self.high is None else min(ends[1], self.high)
        if isinstance(self.value, int):
            low, high = float(-(-low // 1)), float(high // 1)
        return (low, high) if low < high else None


def parameters(scenario: Scenario) -> dict[str, Parameter]:
    """Every parameter of a scenario by its path, mechanisms that are on in the order of the catalogue."""
    out: dict[str, Parameter] = {}
    for section in ("world", "people", "platform"):
        out |= _under(section, getattr(scenario, section))
    for name, merchant in scenario.merchants.items():
        out |= _under(f"merchants.{name}", merchant)
    return out


def patched(scenario: Scenario, values: Mapping[str, Any], *, where_there: bool = False) -> Scenario:
    """The scenario with other values at these paths, its strategies left out; people stay used to its own prices.

    Raises StudyError for a value that may not stand there, or a path that leads nowhere; `where_there` leaves it out.
    """
    content = scenario.model_copy(update={"strategies": {}}).resolved()
    for path, value in values.items():
        for holder, key in _places(content, path, where_there):
            if key == "price" and holder.get("customary_price") is None and value != holder["price"]:
                holder["customary_price"] = holder["price"]
            holder[key] = value
    try:
        return Scenario.model_validate_json(json.dumps(content), strict=True)
    except ValidationError as invalid:
        raise StudyError(_("; ").join(_fault(error, values) for error in invalid.errors(include_url=False))) from None


def leads(scenario: Scenario, path: str) -> bool:
    """Whether a path leads to a parameter of this scenario; StudyError if no scenario could have it."""
    try:
        return any(True for _ in _places(scenario.resolved(), path))
    except StudyError:
        return False


def _under(path: str, part: Any) -> Iterator[tuple[str, Parameter]] | dict[str, Parameter]:
    """The parameters of a part of a scenario, to any depth."""
    out: dict[str, Parameter] = {}
    if isinstance(part, BaseModel):
        for name, field in type(part).model_fields.items():
            value, below = getattr(part, name), f"{path}.{name}"
            if isinstance(value, BaseModel | Mapping) and not _is_leaf(field):
                out |= _under(below, value)
            else:
                out[below] = _parameter(below, value, field)
    elif isinstance(part, Mapping):
        for name, value in part.items():
            out |= _under(f"{path}.{name}", value)
    return out


def _is_leaf(field: FieldInfo) -> bool:
    """Whether a field is a parameter by itself, though a mapping."""
    extra = field.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("unit")) and extra["unit"] != "products"


def _parameter(path: str, value: Any, field: FieldInfo) -> Parameter:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    low = high = None
    for bound in field.metadata:
        if isinstance(bound, Ge | Gt):
            low = float(bound.ge if isinstance(bound, Ge) else bound.gt)  # type: ignore[arg-type]
        elif isinstance(bound, Le | Lt):
            high = float(bound.le if isinstance(bound, Le) else bound.lt)  # type: ignore[arg-type]
    unit, source = str(extra.get("unit", "")), str(extra.get("source", ASSUMED))
    words = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    return Parameter(path, value, unit, source, field.description or "", low, high, words)


def _places(content: dict[str, Any], path: str, where_there: bool = False) -> Iterator[tuple[Any, str]]:
    """Where a path leads: the mapping that holds the value, and its key. StudyError if it leads nowhere."""
    *way, last = path.split(".")
    holders: list[tuple[Any, str]] = [(content, "")]
    for depth, step in enumerate(way):
        holders = [(below, name) for holder, name in holders for below in _below(holder, step)]
        if not holders and not where_there:
            raise StudyError(_astray(content, path, way[: depth + 1]))
    found = [holder for holder, _ in holders if isinstance(holder, dict) and last in holder]
    if not found and not where_there:
        raise StudyError(_astray(content, path, [*way, last]))
    yield from ((holder, last) for holder in found)


def _below(holder: Any, step: str) -> list[Any]:
    if not isinstance(holder, dict):
        return []
    return [*holder.values()] if step == "*" else [holder[step]] if step in holder else []


def _astray(content: Any, path: str, way: Sequence[str]) -> str:
    """What is wrong with a path whose last step leads nowhere."""
    known: set[str] = set()
    holders = [content]
    for step in way[:-1]:
        holders = [below for holder in holders for below in _below(holder, step)]
    for holder in holders:
        known |= {*holder} if isinstance(holder, dict) else set()
    advice = did_you_mean(way[-1], sorted(known))
    return _("{path}: there is no {word!r} here; {advice}", path=path, word=way[-1], advice=advice)


def _fault(error: Any, values: Mapping[str, Any]) -> str:
    where = ".".join(str(step) for step in error["loc"])
    stated = next((path for path in values if path.split(".")[-1] == where.split(".")[-1]), where)
    return _("{path}: {value!r} cannot stand there; {said}", path=stated, value=error["input"], said=misfit.said(error))
