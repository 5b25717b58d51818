"""Shipped scenarios made small and eager, so that in a few days everything happens; what a change of them touches."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sim import draws
from sim.config.load import load
from sim.config.model import Scenario
from sim.config.shipped import names
from sim.contract import View
from sim.ledger.reader import Ledger
from sim.run import run
from sim.study.shrink import resized, soon
from sim.units import HOUR, I64, Array, Bools
from sim.world.build import build
from sim.world.graph import SocialGraph
from sim.world.world import World

PEOPLE, DAYS, TICK = 120, 7, 6 * HOUR
EVERYTHING = "everything"  # a scenario beside the shipped ones, with whatever they leave off, and short of goods
CASES = (*names(), EVERYTHING)
_EVERYTHING = """
title: Everything at once, and too little of it
extends: base
horizon: {start: 2025-01-20, days: 7, tick: 2h}
merchants:
  tea_house:
    channels:
      store: {}
      mini_program: {scan: 0.1}
      service_account: {follow_prompt: 1}
      groups: {posts_per_week: 7, joining: 0.8}
      moments: {posts_per_week: 7}
    offers: {gift_packet: {occasion_page: true, hook_price: 59}, coupon: {min_spend: 60, pool_per_month: 12}}
    operations: {inventory: {opening: 1, reorder_point: 1, reorder_quantity: 2, lead_days: 1, cover_days: 0}}
"""
_LIVELY: Mapping[str, Mapping[str, Any]] = {  # channels that a small town would hardly use
    "promoters": {"join": 1.0, "effort": 1.0},
    "template_messages": {"order_consent": 1.0, "restock_consent": 1.0},
}
PRIVATE = (  # kinds of rows that move nothing that others could see or want
    "visit", "exposure", "view", "share", "notice", "opened", "bounced", "mini_program_added", "member_joined",
    "message_dropped", "mute", "pinned",
)  # fmt: skip


@cache
def small(name: str) -> Scenario:
    """The strategy of a shipped scenario with the most mechanisms, made small and eager; records everything."""
    scenario = _everything() if name == EVERYTHING else load(name)
    richest = max(scenario.strategies.values(), key=mechanisms, default=scenario)
    return eager(soon(sized(richest, PEOPLE, DAYS, TICK))).model_copy(update={"record": "all"})


def sized(scenario: Scenario, people: int, days: int, tick: int) -> Scenario:
    """The scenario with so many people, days and seconds per tick.

    A graph file has the people that it has: on it there are fewer days, and fewer of its people look each day.
    """
    if scenario.world.graph.file is None:
        scenario = resized(scenario, people, days)
    else:
        scenario = tuned(resized(scenario, None, max(days // 3, 1)), "people.browse", opens=0.1)
    return scenario.model_copy(update={"horizon": scenario.horizon.model_copy(update={"tick": tick})})


def _everything() -> Scenario:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "everything.yaml"
        path.write_text(_EVERYTHING, "utf-8")
        return load(path)


def mechanisms(scenario: Scenario) -> int:
    """How many mechanisms are on."""
    parts = [len(m.channels) + len(m.offers) + len(m.operations) for m in scenario.merchants.values()]
    return len(scenario.people) + len(scenario.platform) + sum(parts)


def eager(scenario: Scenario) -> Scenario:
    """The scenario with people who look, buy, give and share readily."""
    if scenario.world.graph.file is None:
        scenario = tuned(scenario, "people.browse", opens=0.9)
    scenario = tuned(scenario, "people.buy", click_weight=2.0)
    scenario = tuned(scenario, "people.gift", everyday=0.1)
    scenario = tuned(scenario, "people.share", after_order=0.5, after_view=0.2)
    for key, merchant in scenario.merchants.items():
        lively = {
            name: params.model_copy(update=_LIVELY[name]) if name in _LIVELY else params
            for name, params in merchant.channels.items()
        }
        scenario = merchant_changed(scenario, key, channels=lively)
    return tuned(scenario, "platform.rivals", attraction=1.0)


def tuned(scenario: Scenario, key: str, **params: Any) -> Scenario:
    """The scenario with other parameters of a mechanism, which is left off where it is off."""
    section, name = key.split(".")
    mechanism = getattr(scenario, section)
    if name not in mechanism:
        return scenario
    changed = mechanism[name].model_copy(update=params)
    return scenario.model_copy(update={section: {**mechanism, name: changed}})


def without(scenario: Scenario, *keys: str) -> Scenario:
    """The scenario with some mechanisms of people or the platform switched off."""
    for section in ("people", "platform"):
        kept = {name: p for name, p in getattr(scenario, section).items() if f"{section}.{name}" not in keys}
        scenario = scenario.model_copy(update={section: kept})
    return scenario


def merchant_changed(scenario: Scenario, key: str, **update: Any) -> Scenario:
    """The scenario with some fields of a merchant replaced."""
    changed = scenario.merchants[key].model_copy(update=update)
    return scenario.model_copy(update={"merchants": {**scenario.merchants, key: changed}})


def ledger_of(scenario: Scenario, folder: Path, **how: Any) -> Ledger:
    """The ledger of one run into a new folder below `folder`."""
    (ledger,) = run(scenario, out=[folder / str(len(list(folder.iterdir())))], **how)
    return ledger


# --------------------------------------------------------------------------------------------------- other worlds


def ledger_in(world: World, scenario: Scenario, folder: Path, patch: pytest.MonkeyPatch) -> Ledger:
    """The ledger of a run in a world made by hand."""
    with patch.context() as here:
        here.setattr(import_module("sim.run"), "build", lambda *_: world)
        return ledger_of(scenario, folder)


def world_of(scenario: Scenario) -> World:
    """The world that a run of the scenario would build."""
    return build(scenario.world, scenario.merchants, (scenario.seed,))


@dataclass(frozen=True, slots=True)
class Reseated(World):
    """A world whose people sit in other rows; each keeps her number, which names her in draws."""

    number: I64 = field(default_factory=lambda: np.zeros(0, np.int64))

    def local_user(self, user: Array) -> Array:
        """The number that each person has kept."""
        return self.number[user]


def reseated(world: World, old: I64) -> Reseated:
    """The same people and ties with person `old[i]` in row i."""
    new = np.argsort(old)
    groups = _rows(world.groups, old)
    return _changed(
        world,
        Reseated,
        number=old,
        user_key=world.user_key[old],
        people={trait: values[old] for trait, values in world.people.items()},
        graph=_relabelled(_rows(world.graph, old), new),
        groups=groups,
        members=groups.inverse(world.members.rows),
    )


def grown(world: World, **traits: Any) -> World:
    """The same world and one person more, with no ties: traits are those of person 0 unless given."""
    (seed,) = world.seeds
    people = {trait: np.concatenate([values, values[:1]]) for trait, values in world.people.items()}
    for trait, value in traits.items():
        people[trait][-1] = value
    alone = {name: _with_empty_row(getattr(world, name)) for name in ("graph", "groups")}
    key = draws.keys(seed, "user", world.users + 1)
    return _changed(world, World, users=world.users + 1, user_key=key, people=people, **alone)


def _changed(world: World, kind: type, **columns: Any) -> Any:
    return kind(**{name: getattr(world, name) for name in World.__dataclass_fields__} | columns)


def _rows(graph: SocialGraph, row: I64) -> SocialGraph:
    """The rows of a graph in another order, each as it stands."""
    entries = [np.arange(graph.indptr[i], graph.indptr[i + 1]) for i in row.tolist()]
    at = np.concatenate([np.zeros(0, np.int64), *entries])
    return SocialGraph(np.concatenate([[0], np.cumsum(graph.degree[row])]), graph.indices[at])


def _relabelled(graph: SocialGraph, new: I64) -> SocialGraph:
    return SocialGraph(graph.indptr, new[graph.indices].astype(np.int32))


def _with_empty_row(graph: SocialGraph) -> SocialGraph:
    return SocialGraph(np.append(graph.indptr, graph.indptr[-1]), graph.indices)


# --------------------------------------------------------------------------------------------- what people do not see


def ample(scenario: Scenario) -> Scenario:
    """The scenario with so much of everything that nobody takes the last piece or coupon."""
    for key, merchant in scenario.merchants.items():
        shelves = merchant.operations["inventory"].model_copy(update={"opening": 1_000_000})
        offers = dict(merchant.offers)
        if "coupon" in offers:
            offers["coupon"] = offers["coupon"].model_copy(update={"pool_per_month": 1_000_000})
        operations = {**merchant.operations, "inventory": shelves}
        scenario = merchant_changed(scenario, key, operations=operations, offers=offers)
    return scenario


def still_market(patch: pytest.MonkeyPatch) -> None:
    """Let nobody see what others do to the market: sales, scores, shelves and groups look as on the first morning.

    What is left between people are the messages that they send each other.
    """
    begin = View.__init__

    def blindly(self: View, *args: Any, **named: Any) -> None:
        begin(self, *args, **named)
        shared = {t: {c: a.copy() for c, a in self.state[t].items()} for t in ("merchant", "product", "variant")}
        shared["variant"]["stock"][:] = 1_000_000
        self.state = {**self.state, **shared}

    patch.setattr(View, "__init__", blindly)


# ------------------------------------------------------------------------------------------------ what a change touches


@dataclass(frozen=True, slots=True)
class Rows:
    """Columns of a ledger's events as arrays, in its order."""

    columns: Mapping[str, Array]

    @classmethod
    def of(cls, ledger: Ledger) -> "Rows":
        """The events of a ledger."""
        table = ledger.events
        return cls({name: plain(table[name]) for name in table.column_names})

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    def __len__(self) -> int:
        return int(self["time"].size)

    def take(self, mask: Bools) -> "Rows":
        """These rows."""
        return Rows({name: column[mask] for name, column in self.columns.items()})


def first_difference(one: Rows, other: Rows) -> tuple[Any, Any] | None:
    """The first row in which two tables differ; None if they are the same. Both are in a ledger's order."""
    for i in range(min(len(one), len(other))) if not _equal(one, other) else ():
        left, right = ({name: column[i] for name, column in rows.columns.items()} for rows in (one, other))
        if left != right:
            return left, right
    return None if len(one) == len(other) else (len(one), len(other))


def _equal(one: Rows, other: Rows) -> bool:
    return all(np.array_equal(column, other[name]) for name, column in one.columns.items())


def plain(column: pa.ChunkedArray) -> Array:
    """A column as an array; texts as themselves, with an empty one for none."""
    if not pa.types.is_dictionary(column.type):
        return np.asarray(column.to_numpy())
    codes = column.combine_chunks()
    words = np.array([*codes.dictionary.to_pylist(), ""])
    return np.asarray(words[codes.indices.fill_null(-1).to_numpy(zero_copy_only=False)])


def touched(runs: Sequence[Rows], roots: Callable[[Rows], Bools]) -> list[Bools]:
    """Which rows of some runs descend from their root rows, in any of the runs; one mask per run.

    A row descends from a root if it is one, if its cause does, or if its user has come into touch with such a row in
    this tick or before: her life may be another from then on.
    """
    masks = [roots(rows).copy() for rows in runs]
    since = np.full(1 + max(int(max(rows["user"].max(), rows["peer"].max())) for rows in runs), np.iinfo(np.int64).max)
    events: set[int] = set()
    size = -1
    while size < (size := sum(int(mask.sum()) for mask in masks)):
        for rows, mask in zip(runs, masks, strict=True):
            someone = mask & (rows["user"] >= 0)
            np.minimum.at(since, rows["user"][someone], rows["tick"][someone])
            events.update(rows["event"][mask].tolist())
        known = np.fromiter(events, np.uint64, len(events))
        for rows, mask in zip(runs, masks, strict=True):
            mask |= np.isin(rows["cause"], known) | np.isin(rows["event"], known)
            mask |= (rows["user"] >= 0) & (rows["tick"] >= since[rows["user"]])
    return masks


def shared_from(runs: Sequence[Rows], masks: Sequence[Bools]) -> int:
    """The first tick in which a touched row of somebody moves what others see or want; a late one if there is none."""
    ticks = [
        rows["tick"][mask & (rows["user"] >= 0) & ~np.isin(rows["kind"], PRIVATE)]
        for rows, mask in zip(runs, masks, strict=True)
    ]
    return int(min((tick.min() for tick in ticks if tick.size), default=np.iinfo(np.int32).max))
