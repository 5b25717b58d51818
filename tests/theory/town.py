"""Towns made for a theorem: the public run, in a world whose people and ties the test lays down."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.config.load import load
from sim.ledger.reader import Ledger
from sim.run import run
from sim.units import Array
from sim.world import build as building
from sim.world.categories import CATEGORIES
from sim.world.graph import SocialGraph
from tests.views import csr

SURE = 1 - 1e-12  # the most that a click rate may be
TEA = CATEGORIES.index("tea")
DRINKER, OTHER = np.eye(len(CATEGORIES))[[TEA, TEA - 1]]  # likes tea alone; likes only what nobody sells


def play(text: str, folder: Path, graph: SocialGraph | None = None, **traits: Any) -> Ledger:
    """Run a scenario with this graph, and with these traits (one value for all, or one per user)."""

    def build(*args: Any) -> Any:
        world = building.build(*args)
        given = {
            name: np.broadcast_to(value, column.shape).astype(column.dtype)
            for name, column in world.people.items()
            for value in [traits.get(name, column)]
        }
        product = {**world.product, "sharing": np.ones(world.products)}
        return replace(world, people=given, product=product, graph=world.graph if graph is None else graph)

    path = folder / "town.yaml"
    path.write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules[run.__module__], "build", build)
        (ledger,) = run(load(str(path)), out=[folder / "run"])
    return ledger


def tell(graph: SocialGraph, roots: Array, folder: Path, days: int, share: str, seed: int = 1) -> Ledger:
    """Each root orders tea once, on day 0, and shares it; who is told opens the page on the next day and forwards it.

    Everybody opens WeChat once a day, looks into Moments, notices everything and clicks. Roots like tea, so the store
    shows it to them and they buy it, as long as there is any: one piece each. Nobody else is shown it but by friends,
    and nobody else buys it.
    """
    users = graph.rows
    taste = np.broadcast_to(OTHER, (users, OTHER.size)).copy()
    taste[roots] = DRINKER
    return play(
        f"""
title: Who tells whom
seed: {seed}
horizon: {{start: 2025-03-03, days: {days}, tick: 1d}}
world:
  people: {{count: {users}}}
  graph: {{networkx: {{generator: empty_graph}}}}
  groups: {{per_person: 0}}
platform: {{rules: {{}}}}
people:
  browse: {{opens: 1, moments: 1}}
  buy: {{click_rates: {{}}, click_rate: {SURE}, click_weight: 0, taste_weight: 100, nothing: 0}}
  share: {{after_order: 1, after_parcel: 0, after_view: 0, {share}}}
merchants:
  tea_house:
    products: {{cake: {{category: tea, price: 90}}}}
    channels: {{store: {{discovery: 1, score_exponent: 0}}}}
    operations:
      inventory: {{opening: {roots.size}, reorder_point: 0, reorder_quantity: 0}}
      after_sale: {{return_rate: 0}}
""",
        folder,
        graph,
        taste=taste,
        activity=10,
        sociality=1,
        attention=100,
        tolerance=1e9,
    )


def shares(ledger: Ledger) -> tuple[Array, Array]:
    """Who shared, and in which generation of the cascade, row by row."""
    rows = ledger.query("select \"user\", detail, time // 86400 as day from events where kind = 'share'")
    who, generation, day = (rows[name].to_numpy().astype(np.int64) for name in ("user", "detail", "day"))
    assert (generation == day).all()
    return who, generation


def forest(trees: int, children: int, depth: int) -> SocialGraph:
    """Regular trees with ties from parent to child only; people of a tree in order of generation, its root first."""
    size = sum(children**level for level in range(depth + 1))
    inner = size - children**depth
    degree = np.where(np.arange(size) < inner, children, 0)
    child = np.arange(1, size)
    return csr(np.tile(degree, trees), (np.arange(trees)[:, None] * size + child).ravel())
