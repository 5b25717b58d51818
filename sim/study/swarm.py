"""A swarm: random valid scenarios, each run by both engines with the audit after every tick.

A scenario is a sequence of choices. Whoever makes them decides what it is for: `Luck` makes them from a seed, and the
tests let hypothesis make them, which then also knows how to make a failing case smaller. What can be chosen is
read off the models: every mechanism of the catalogue is on in some cases and off in others, every parameter takes its
default, its bounds and what lies between, or what its model calls lively, so a new mechanism takes part from birth. On
top of that come the corners that no parameter names: a lone person, nobody who knows anybody, a star of friends, a shop
without goods or stock, a clock that ticks oddly, a horizon over a festival or a change of rules.
"""

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Protocol, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from sim import draws
from sim.config.load import load
from sim.config.model import FIRST_DAY, LAST_DAY, Scenario
from sim.config.sections import ALWAYS, PER_MERCHANT, PER_WORLD, known
from sim.errors import StudyError
from sim.params import Params
from sim.platform.rules import RuleSet
from sim.study.shrink import size
from sim.study.verify import Verdict, once, smallest
from sim.units import DAY, HOUR, MINUTE
from sim.words import ENGLISH, _, speaking
from sim.world.calendar import FESTIVALS
from sim.world.categories import CATEGORIES
from sim.world.params import GraphParams, GroupParams, PeopleParams, ProductParams

T = TypeVar("T")
TESTS = Path("tests", "study")  # of a checkout, for somebody who stands in it
REPLAY = "test_a_case_that_failed_once_fails_no_more"
FOUND = 300  # characters of what was found that are kept
SEEDS = "swarm_seeds.yaml"  # a line for each seed that ever failed; a test replays them
TICKS = tuple(step for step in range(DAY, MINUTE - 1, -1) if DAY % step == 0)
USUAL_TICKS = (6 * HOUR, 2 * HOUR, HOUR, 12 * HOUR, DAY)
_BOUNDS = ("ge", "gt", "le", "lt")
STEP = 1e-3  # how near a parameter comes to a bound that it must not reach
FINEST = 5 * MINUTE  # a finer clock costs seconds, so only very short scenarios have one
PATIENCE = 90  # days that anything may take by a clock of hours
MANY, FEW = (12, 30, 60, 12, 30, 60, 3), (2, 1, 3, 30)  # people
SHOPS = (1, 2, 3, 8)  # more than the six that a user keeps in mind
YEARS = (2024, 2025, 2026, 2033)  # 2033 has a leap month in an unusual place
ALIVE = ("people.browse", "people.buy")  # without them nobody comes, and nobody buys


class Chooser(Protocol):
    """Who makes the choices; of what is offered, the first is the plainest."""

    def integer(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""

    def real(self, low: float, high: float) -> float:
        """A number from `low` to `high`."""

    def choice(self, options: Sequence[T]) -> T:
        """One of the options."""


class Luck:
    """Choices that descend from a seed: addressed draws, one after the other."""

    def __init__(self, seed: int) -> None:
        self._key = draws.keys(seed, "swarm", 1)
        self._made = 0

    def real(self, low: float, high: float) -> float:
        """A number from `low` to `high`."""
        self._made += 1
        return low + (high - low) * float(draws.uniform("study.swarm/choice", self._key, self._made)[0])

    def integer(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return min(low + int(self.real(0.0, 1.0) * (high - low + 1)), high)

    def choice(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self.integer(0, len(options) - 1)]


def swarm(
    seeds: Iterable[int], folder: Path, told: Callable[[str], None] = lambda step: None, *, audited: int = 1
) -> Iterator[tuple[int, Verdict]]:
    """The verdict on the case of each seed, audited every so many ticks.

    A case that fails is written into the folder at once, and again when it has been made small.
    """
    for seed in seeds:
        made = case(seed)
        told(_("seed {seed}: {what}", seed=seed, what=size(made)))
        verdict = once(made, made.seed, audited)
        if not verdict.equal:
            keep(seed, verdict, folder)
            verdict = smallest(verdict, told, audited=audited)
            keep(seed, verdict, folder)
        yield seed, verdict


def place() -> Path:
    """Where failing cases are kept: among the tests of the checkout that one stands in, else among the runs."""
    return TESTS if (TESTS / SEEDS).is_file() else Path("runs")


def kept(seed: int, folder: Path) -> Path:
    """The scenario file of a failing case."""
    return folder / "swarm" / f"seed-{seed}.yaml"


def keep(seed: int, verdict: Verdict, folder: Path) -> None:
    """Write the case as a scenario file, and a line on it into the list of seeds, in the place of an older one."""
    found = store(verdict, kept(seed, folder), f"Seed {seed} of the swarm.")
    seeds = folder / SEEDS
    listed = seeds.read_text(encoding="utf-8").splitlines(keepends=True) if seeds.exists() else []
    others = [line for line in listed if not line.startswith(f"- {{seed: {seed},")]
    line = yaml.safe_dump({"seed": seed, "found": found}, sort_keys=False, default_flow_style=True, width=1_000)
    seeds.write_text(f"{''.join(others)}- {line}", encoding="utf-8")


def store(verdict: Verdict, file: Path, title: str) -> str:
    """Write the case of a verdict as a scenario file that can be run; what it shows, in a line, is returned."""
    if verdict.scenario is None:
        raise StudyError(_("a verdict without a case cannot be written down"))
    with speaking(ENGLISH):  # the file is for everybody
        shown = f"{size(verdict.scenario)}: {' '.join(str(verdict.difference).split())}"[:FOUND]
    file.parent.mkdir(parents=True, exist_ok=True)
    case = verdict.scenario.model_copy(update={"seed": verdict.seed})
    file.write_text(f"# {title} {shown}\n{written(case)}", encoding="utf-8")
    return shown


def replay(seed: int, folder: Path) -> str:
    """How to run a case that was kept once more: by a command, and among the tests if it is kept there."""
    lines = [_("once more: wxsim verify {file}", file=kept(seed, folder))]
    if folder == TESTS:
        test = f"{TESTS / 'test_swarm.py'}::{REPLAY}[{kept(seed, folder).stem}]"
        lines.append(_('as a test: pytest "{test}"', test=test))
    return "\n".join(lines)


# ----------------------------------------------------------------------------------------------------- the cases


def case(seed: int) -> Scenario:
    """The scenario of a seed."""
    return scenario(Luck(seed))


def scenario(choose: Chooser) -> Scenario:
    """The scenario that the chooser makes, loaded and checked as any file."""
    return loaded(text(document(choose)))


def loaded(written: str) -> Scenario:
    """The scenario of a text."""
    with tempfile.TemporaryDirectory(prefix="wxsim-swarm-") as folder:
        path = Path(folder) / "case.yaml"
        path.write_text(written, encoding="utf-8")
        return load(path)


def text(stated: Mapping[str, Any]) -> str:
    """A scenario as the text of a file."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    out: str = yaml.dump(dict(stated), Dumper=dumper, sort_keys=False, allow_unicode=True, width=120)
    return out


def written(smallest: Scenario) -> str:
    """A scenario as a file that states what was stated, and no defaults."""
    stated = smallest.model_dump(mode="json", exclude_unset=True, exclude_none=True, exclude={"strategies", "compare"})
    return text(stated)


# ------------------------------------------------------------------------------------------------- the scenario


def document(choose: Chooser) -> dict[str, Any]:
    """A whole scenario as its file states it."""
    days = choose.integer(1, 4)
    start = _start(choose, days)
    tick = _tick(choose, days)
    making = _Making(choose, start, days, PATIENCE * tick // HOUR, lively=choose.choice((False, True, True, True)))
    return {
        "title": "A case of the swarm",
        "horizon": {"start": start, "days": days, "tick": tick},
        "seed": choose.choice((1, 0, 2**63 - 1, choose.integer(2, 10**9))),
        "record": choose.choice(("orders", "all")),
        "world": making.world(),
        **{folder: making.section(folder) for folder in PER_WORLD},
        "merchants": {f"shop_{number}": making.merchant() for number in range(choose.choice(SHOPS))},
    }


def _tick(choose: Chooser, days: int) -> int:
    """Seconds of a tick: a usual one, or any that divides a day."""
    ticks = choose.choice((USUAL_TICKS, TICKS))
    return choose.choice([tick for tick in ticks if tick >= FINEST or days == 1])


def _start(choose: Chooser, days: int) -> date:
    """The first day: on an ordinary date, just before a festival or a dated rule, at an end of the calendar."""
    ruled = [field.default for field in RuleSet.model_fields.values() if field.annotation is date]
    festive = [choose.choice(FESTIVALS).of(choose.choice(YEARS))]
    ordinary = [date(2025, 3, 3) + timedelta(days=choose.integer(0, 700))]
    day: date = choose.choice(choose.choice((ordinary, ruled, festive, [FIRST_DAY, LAST_DAY])))
    return min(max(day - timedelta(days=choose.integer(0, days)), FIRST_DAY), LAST_DAY)


@dataclass(frozen=True, slots=True)
class _Making:
    """A scenario in the making."""

    choose: Chooser
    start: date
    days: int
    patience: int  # days that anything may take, so that a fine clock need not tick for a year
    lively: bool

    def world(self) -> dict[str, Any]:
        """People, and how they know each other."""
        count = self.choose.choice(MANY if self.lively else FEW)
        return {
            "people": {**self.params(PeopleParams), "count": count},
            "graph": self.choose.choice((self.params(GraphParams), {"networkx": self._generator(count)})),
            "groups": self.params(GroupParams),
        }

    def _generator(self, count: int) -> dict[str, Any]:
        """A graph by networkx: one person whom all others know, nobody who knows anybody, and so on."""
        choices: list[dict[str, Any]] = [
            {"generator": "star_graph", "n": count - 1},
            {"generator": "empty_graph"},
            {"generator": "path_graph"},
            {"generator": "complete_graph"},
            {"generator": "gnp_random_graph", "p": self.choose.real(0.0, 0.5)},
        ]
        return self.choose.choice(choices)

    def merchant(self) -> dict[str, Any]:
        """A shop: perhaps without goods, or without a single piece of them."""
        sections = {folder: self.section(folder) for folder in PER_MERCHANT}
        if self.choose.choice((*[False] * 7, True) if self.lively else (False, True)):
            sections["operations"]["inventory"] = {"opening": 0, "reorder_quantity": 0, "cover_days": 0}
        goods = self.choose.choice((1, 2, 3, 2, 3, 1, 3, 0) if self.lively else (1, 0))
        return {"products": {f"product_{number}": self._product() for number in range(goods)}, **sections}

    def _product(self) -> dict[str, Any]:
        styles = [f"style_{number}" for number in range(self.choose.integer(1, 3))]
        stated = {**self.params(ProductParams), **self._hints(ProductParams)}
        return {**stated, "category": self.choose.choice(CATEGORIES), "variants": styles}

    def section(self, folder: str) -> dict[str, Any]:
        """Mechanisms of a folder, each on or off."""
        switch = (False, *[True] * 7) if self.lively else (False, True)
        return {
            name: {**self.params(params), **self._hints(params)}
            for name, params in known(folder).items()
            if f"{folder}.{name}" in (*ALWAYS, *(ALIVE if self.lively else ())) or self.choose.choice(switch)
        }

    def _hints(self, model: type[Params]) -> dict[str, Any]:
        """Where much happens there is much to differ about: values that the model itself calls lively."""
        hints = model.lively if self.lively else {}
        return {name: deepcopy(self.choose.choice(values)) for name, values in hints.items()}  # a list is written out

    # --------------------------------------------------------------------------------------------- by metadata

    def params(self, model: type[Params]) -> dict[str, Any]:
        """What a file could state of a model: nothing, some of its parameters, or most."""
        often = self.choose.choice((0, 0, 1) if self.lively else (0, 1, 3))  # fields in four
        out: dict[str, Any] = {}
        for name, field in model.model_fields.items():
            if field.is_required() or self.choose.integer(0, 3) < often:
                tried = {**out, name: self._value(field)}
                out = tried if field.is_required() or _valid(model, tried) else out
        return out

    def _value(self, field: FieldInfo) -> Any:
        """A value within a field's bounds, often at them; its default where its type has no values to make up."""
        default = None if field.is_required() else field.get_default(call_default_factory=True)
        bounds = _bounds(field.metadata)
        extra = field.json_schema_extra
        if "le" in bounds and isinstance(extra, dict) and extra.get("unit") == "days":
            bounds["le"] = max(min(bounds["le"], self.patience), bounds.get("ge", bounds.get("gt", 0) + 1))
        return self._of(field.annotation, default, bounds)

    def _of(self, kind: Any, default: Any, bounds: Mapping[str, float]) -> Any:
        origin, inner = get_origin(kind), get_args(kind)
        if origin in (Union, UnionType):
            return self.choose.choice((default, self._of(inner[0], default, bounds)))
        if origin is Annotated:
            return self._of(inner[0], default, _bounds(inner[1:]))
        if origin is Literal:
            return self.choose.choice(inner)
        if origin is dict:
            return {key: self._share(value) for key, value in default.items()}
        if origin is tuple:
            return self._several(inner, default)
        if kind is bool:
            return not default
        if kind is date:
            return self.start + timedelta(days=self.choose.integer(-1, self.days + 1))
        return self._number(kind, default, bounds) if kind in (int, float) else default

    def _several(self, inner: tuple[Any, ...], default: tuple[Any, ...] | None) -> list[Any]:
        """A list of parts, none of those that stand there, or as many shares."""
        if inner[-1] is not Ellipsis:
            return [self._share(value) for value in default or ()]
        if isinstance(inner[0], type) and issubclass(inner[0], Params):
            return [self.params(inner[0]) for _ in range(self.choose.integer(0, 2))]
        return list(self.choose.choice((default or (), ())))

    def _share(self, default: float) -> float:
        return self._number(float, default, {"ge": 0.0, "le": 1.0})

    def _number(self, kind: type, default: float | None, bounds: Mapping[str, float]) -> float:
        """The lowest or highest that is allowed, something near the default, or anything in between."""
        step = 1 if kind is int else STEP
        low = bounds.get("ge", bounds["gt"] + step if "gt" in bounds else default or 0)
        high = bounds.get("le", bounds["lt"] - step if "lt" in bounds else max(low, default or 0))
        near = min(max((low if default is None else default) * self.choose.real(0.5, 1.5), low), high)
        found = self.choose.choice((near, low, high, self.choose.real(low, high)))
        return round(found) if kind is int else float(f"{found:.6g}")


def _bounds(metadata: Iterable[Any]) -> dict[str, float]:
    """The bounds that a field's metadata state: ge, gt, le, lt."""
    return {name: getattr(part, name) for part in metadata for name in _BOUNDS if hasattr(part, name)}


def _valid(model: type[Params], stated: Mapping[str, Any]) -> bool:
    """Whether a file may state that."""
    try:
        model.model_validate_json(json.dumps(stated, default=str), strict=True)
    except ValidationError:
        return False
    return True
