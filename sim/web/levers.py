"""Levers: the parameters of a scenario as sliders, switches and choices, those that its strategies touch first."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil, floor, isclose, log10
from typing import Any, Literal

from sim.config import sources
from sim.config.model import Scenario
from sim.config.node import plain
from sim.config.parameters import Parameter, parameters
from sim.words import _, told

EVERYONE = ""  # whose lever it is, if it moves the market under all strategies
STEPS = 100  # of a slider from end to end, at least half as many
FOUND = 12  # parameters that a search names
Kind = Literal["slider", "number", "switch", "choice"]


@dataclass(frozen=True, slots=True)
class Lever:
    """A parameter that can be set, in the market or in what one strategy changes of it."""

    parameter: Parameter
    strategy: str
    kind: Kind
    low: float | None = None
    high: float | None = None
    step: float | None = None

    @property
    def path(self) -> str:
        """Where it stands in the scenario."""
        return self.parameter.path

    @property
    def key(self) -> tuple[str, str]:
        """Whose it is, and its path."""
        return self.strategy, self.path

    def allowed(self, value: Any) -> bool:
        """Whether it may stand at this value, as far as it knows by itself."""
        if self.kind == "switch":
            return isinstance(value, bool)
        if self.kind == "choice":
            return value in self.parameter.choices
        low, high = self.parameter.low, self.parameter.high
        return (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and (low is None or value >= low)
            and (high is None or value <= high)
        )

    def fitted(self, value: Any) -> Any:
        """A value that came from a slider or a number field, as the parameter holds it: whole numbers stay whole."""
        if self.kind in ("slider", "number") and value is not None:
            number = float(f"{value:.10g}")
            return int(round(number)) if isinstance(self.parameter.value, int) else number
        return value

    def refused(self, value: Any) -> str:
        """Why it may not stand at this value, and at which it may."""
        low, high = self.parameter.low, self.parameter.high
        least = "" if low is None else _("at least {low}", low=f"{low:g}")
        most = "" if high is None else _("at most {high}", high=f"{high:g}")
        may = _(", ").join(filter(None, (least, most)))
        return _("{what}: {value} cannot stand there; {may}", what=told(self.parameter.doc), value=value, may=may)


@dataclass(frozen=True, slots=True)
class Group:
    """Levers that belong together: what one strategy changes, prices, or those of one mechanism."""

    name: str  # of the strategy, or the key of the mechanism, such as people.gift
    merchant: str
    levers: tuple[Lever, ...]
    first: bool  # whether it is shown without being asked for


def groups(scenario: Scenario, source: str) -> list[Group]:
    """All levers worth offering: what strategies state, the merchant's prices, then its mechanisms and the market's."""
    market = usable(parameters(scenario))
    own = {name: usable(parameters(strategy)) for name, strategy in scenario.strategies.items()}
    out = []
    for name, paths in stated(source).items():
        levers = [lever(own[name][path], name) for path in paths if path in own.get(name, {})]
        if levers:
            out.append(Group(name, "", tuple(levers), True))
    goods = f"merchants.{scenario.focal}.products."
    prices = [lever(p) for path, p in market.items() if path.startswith(goods) and path.endswith(".price")]
    out.append(Group("price", scenario.focal, tuple(prices), True))
    return [*out, *_mechanisms(scenario, market, own)]


def _mechanisms(
    scenario: Scenario, market: Mapping[str, Parameter], own: Mapping[str, Mapping[str, Parameter]]
) -> Iterator[Group]:
    """The mechanisms of the merchant, with those that only a strategy switches on, then those of the market."""
    shop = f"merchants.{scenario.focal}."
    for section in (f"{shop}channels.", f"{shop}offers.", f"{shop}operations.", "people.", "platform.", "world."):
        merchant = scenario.focal if section.startswith(shop) else ""
        found: dict[str, list[Lever]] = {}
        for strategy, known in [(EVERYONE, market), *own.items()]:
            for path, parameter in known.items():
                if path.startswith(section) and path.count(".") > section.count("."):
                    name = path[len(section) :].split(".")[0]
                    levers = found.setdefault(name, [])
                    if all(each.path != path for each in levers):
                        levers.append(lever(parameter, strategy))
        key = section.removeprefix(shop)
        yield from (Group(f"{key}{name}", merchant, tuple(levers), False) for name, levers in found.items())


def usable(known: Mapping[str, Parameter]) -> dict[str, Parameter]:
    """The parameters that a lever can move: numbers, switches and choices. How many people is asked elsewhere."""
    return {
        path: each
        for path, each in known.items()
        if (each.number or isinstance(each.value, bool) or each.choices) and path != "world.people.count"
    }


def lever(parameter: Parameter, strategy: str = EVERYONE) -> Lever:
    """The lever of a parameter."""
    if isinstance(parameter.value, bool):
        return Lever(parameter, strategy, "switch")
    if parameter.choices:
        return Lever(parameter, strategy, "choice")
    ends = parameter.span or _from_zero(parameter)
    if ends is None:
        return Lever(parameter, strategy, "number")
    return Lever(parameter, strategy, "slider", *_scale(ends, parameter))


def _from_zero(parameter: Parameter) -> tuple[float, float] | None:
    """The whole range of what is off now, if that has two ends near each other."""
    low, high = parameter.low, parameter.high
    return (low, high) if low is not None and high is not None and 0 < high - low <= STEPS else None


def _scale(ends: tuple[float, float], parameter: Parameter) -> tuple[float, float, float]:
    """Round ends a little beyond those given, but inside the bounds, and the step: 1, 2 or 5 of a power of ten."""
    rough = (ends[1] - ends[0]) / STEPS
    power = 10.0 ** floor(log10(rough))
    step = next(times * power for times in (1, 2, 5, 10) if times * power >= rough * 0.999)
    if isinstance(parameter.value, int):
        step = float(max(1, round(step)))
    low, high = floor(ends[0] / step + 1e-9) * step, ceil(ends[1] / step - 1e-9) * step
    low = low if parameter.low is None else max(low, parameter.low)
    high = high if parameter.high is None else min(high, parameter.high)
    low, high, step = (float(f"{value:.10g}") for value in (low, high, step))
    return low, high, step


def stated(source: str) -> dict[str, tuple[str, ...]]:
    """The paths at which each strategy of a scenario states a value itself."""
    tree, _ = sources.read(source)
    holder = tree.child("strategies") if tree is not None else None
    if holder is None:
        return {}
    return {
        name: tuple(
            dict.fromkeys(path for key, value in patch.items() if key != "extends" for path, _ in _leaves(key, value))
        )
        for name, patch in (plain(holder) or {}).items()
        if isinstance(patch, Mapping)
    }


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, below in value.items():
            yield from _leaves(f"{path}.{name}", below)
    else:
        yield path, value


def search(known: Iterable[Parameter], words: str, said: Mapping[str, str]) -> list[Parameter]:
    """The parameters whose path, or what is `said` of them by path, holds all the words; those that begin so first."""
    wanted = words.lower().replace("_", " ").split()
    if not wanted:
        return []
    ranked = []
    for each in known:
        name = each.path.lower().replace("_", " ").replace(".", " ")
        text = f"{name} {said.get(each.path, each.doc).lower()}"
        if all(word in text for word in wanted):
            ranked.append((wanted[0] not in name.split()[-1:], each.path.startswith("merchants."), each.path, each))
    return [each for *_, each in sorted(ranked, key=lambda found: found[:3])][:FOUND]


def at(found: Lever, value: Any) -> Lever:
    """The lever with a range that holds a value, typed into its field."""
    if found.kind != "slider" or found.low is None or found.high is None or value is None:
        return found
    return replace(found, low=min(found.low, value), high=max(found.high, value))


def same(one: Any, other: Any) -> bool:
    """Whether two values of a parameter are the same, numbers but for rounding."""
    if isinstance(one, bool) or isinstance(other, bool) or not isinstance(one, int | float):
        return bool(one == other)
    return isinstance(other, int | float) and isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
