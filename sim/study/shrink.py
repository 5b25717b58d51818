"""Make a case smaller as long as it shows the same: fewer days, people, shops, mechanisms and parameters."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

from sim.config.model import Scenario
from sim.config.sections import ALWAYS, PER_MERCHANT, PER_WORLD
from sim.errors import StudyError
from sim.params import Params
from sim.words import _
from sim.world.params import GraphParams, PeopleParams

NEEDED = ("people.browse", *ALWAYS)  # without them nothing happens, or nothing may


class Found(Protocol):
    """What a case shows."""

    @property
    def day(self) -> int:
        """The day on which it shows."""

    @property
    def sort(self) -> str:
        """What sort of thing it is; a smaller case must show the same sort."""


F = TypeVar("F", bound=Found)


def shrunk(
    scenario: Scenario,
    first: F,
    found: Callable[[Scenario], F | None],
    told: Callable[[str], None] = lambda step: None,
) -> tuple[Scenario, F]:
    """The smallest case found in which `found` finds the same sort of thing as in the first."""
    small = scenario
    for step in _steps(scenario):
        for smaller in step(small, first):
            told(_("{sort}; trying {size}", sort=_(first.sort), size=size(smaller)))
            again = found(smaller)
            if again is not None and again.sort == first.sort:
                small, first = smaller, again
                break
    return small, first


def resized(scenario: Scenario, users: int | None = None, days: int | None = None) -> Scenario:
    """The scenario with fewer or more people and days. A graph from a file has as many people as it has."""
    if users is not None:
        if scenario.world.graph.file is not None:
            raise StudyError(_("the people of this scenario are those of its graph file; leave out --users"))
        people = scenario.world.people.model_copy(update={"count": users})
        world = {"people": people, "graph": _rescaled(scenario.world.graph, users - scenario.world.people.count)}
        scenario = scenario.model_copy(update={"world": scenario.world.model_copy(update=world)})
    if days is not None:
        scenario = scenario.model_copy(update={"horizon": scenario.horizon.model_copy(update={"days": days})})
    return scenario


def soon(scenario: Scenario) -> Scenario:
    """The scenario with what merchants do on a certain date done on the second day, so that a short run sees it."""
    merchants = {}
    for name, merchant in scenario.merchants.items():
        sections = {folder: {k: _soon(p) for k, p in getattr(merchant, folder).items()} for folder in PER_MERCHANT}
        merchants[name] = merchant.model_copy(update=sections)
    return scenario.model_copy(update={"merchants": merchants})


def _soon(params: Params) -> Params:
    """The same parameters with their first date or day moved."""
    fields = type(params).model_fields
    moved = (
        {"first_day": 1}
        if "first_day" in fields
        else {"start": None, "day": 1}
        if {"start", "day"} <= {*fields}
        else {}
    )
    return params.model_copy(update=moved)


def _rescaled(graph: GraphParams, more: int) -> GraphParams:
    """The same graph for more or fewer people: a generator that is told `n` is told so many more."""
    if graph.networkx is None or not isinstance(n := graph.networkx.arguments.get("n"), int):
        return graph
    return graph.model_copy(update={"networkx": graph.networkx.model_copy(update={"n": n + more})})


Step = Callable[[Scenario, Found], Iterator[Scenario]]  # smaller cases to try, the boldest first


def _fewer_days(scenario: Scenario, first: Found) -> Iterator[Scenario]:
    for days in sorted({1, first.day + 1, scenario.horizon.days // 2}):
        if 0 < days < scenario.horizon.days:
            yield resized(scenario, days=days)


def _fewer_people(scenario: Scenario, first: Found) -> Iterator[Scenario]:
    count = scenario.world.people.count
    if scenario.world.graph.file is None:
        for users in dict.fromkeys((1, 2, count // 16, count // 8, count // 4, count // 2)):
            if 0 < users < count:
                yield resized(scenario, users=users)


def _fewer_shops(scenario: Scenario, first: Found) -> Iterator[Scenario]:
    """One shop alone, or the first half of them."""
    shops = list(scenario.merchants.items())
    if len(shops) > 1:
        for kept in (*([shop] for shop in shops), shops[: len(shops) // 2]):
            yield scenario.model_copy(update={"merchants": dict(kept), "strategies": {}, "compare": None})


def _steps(scenario: Scenario) -> Iterator[Step]:
    """What to try, one after the other, each on the smallest case so far."""
    yield from (_fewer_days, _fewer_people, _fewer_shops)
    yield from (partial(_plain_world, part) for part in ("people", "graph", "groups"))
    for folder in PER_WORLD:
        yield from (partial(_simpler, None, folder, name) for name in getattr(scenario, folder))
    for shop, merchant in scenario.merchants.items():
        yield partial(_fewer_products, shop)
        for folder in PER_MERCHANT:
            yield from (partial(_simpler, shop, folder, name) for name in getattr(merchant, folder))


def _plain_world(part: str, scenario: Scenario, first: Found) -> Iterator[Scenario]:
    """People, ties or groups with their defaults."""
    there = getattr(scenario.world, part)
    plain = type(there)(count=there.count) if isinstance(there, PeopleParams) else type(there)()
    if plain != there:
        yield scenario.model_copy(update={"world": scenario.world.model_copy(update={part: plain})})


def _simpler(shop: str | None, folder: str, name: str, scenario: Scenario, first: Found) -> Iterator[Scenario]:
    """A mechanism of the world or of a shop switched off, if that can be, or else with its defaults."""
    holder = scenario if shop is None else scenario.merchants.get(shop)
    section: dict[str, Params] = dict(getattr(holder, folder, {}))
    if name not in section:
        return
    simpler = [{**section, name: type(section[name])()}]
    if f"{folder}.{name}" not in NEEDED:
        simpler.insert(0, {key: params for key, params in section.items() if key != name})
    for changed in simpler:
        if changed != section:
            yield _with(scenario, shop, {folder: changed})


def _fewer_products(shop: str, scenario: Scenario, first: Found) -> Iterator[Scenario]:
    """One of a shop's products alone."""
    products = scenario.merchants[shop].products if shop in scenario.merchants else {}
    if len(products) > 1:
        for product in products.items():
            yield _with(scenario, shop, {"products": dict([product])})


def _with(scenario: Scenario, shop: str | None, changes: Mapping[str, Any]) -> Scenario:
    """The scenario, or one of its shops, changed."""
    if shop is None:
        return scenario.model_copy(update=changes)
    merchants = {**scenario.merchants, shop: scenario.merchants[shop].model_copy(update=changes)}
    return scenario.model_copy(update={"merchants": merchants})


def size(scenario: Scenario) -> str:
    """How large a scenario is, in words."""
    on = len(scenario.people) + len(scenario.platform)
    on += sum(len(m.channels) + len(m.offers) + len(m.operations) for m in scenario.merchants.values())
    people, days = scenario.world.people.count, scenario.horizon.days
    return _("{people:,} people × {days} days, {on} mechanisms on", people=people, days=days, on=on)
