import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from sim import draws
from sim.units import Array
from sim.world import build as module
from sim.world.build import build, society
from sim.world.graph import SocialGraph
from sim.world.params import MerchantParams, ProductParams, WorldParams
from sim.world.world import World
from tests.world.measures import layers

MARKET = {
    "tea_house": MerchantParams(products={"oolong": ProductParams(variants=("tin", "box")), "cup": ProductParams()}),
    "baker": MerchantParams(products={"cake": ProductParams(category="food")}),
}
SOURCES = [
    {"people": {"count": 300}},
    {"people": {"count": 300}, "graph": {"engine": "native"}},
    {"people": {"count": 300}, "graph": {"networkx": {"generator": "powerlaw_cluster_graph", "m": 4, "p": 0.3}}},
]


def arrays(world: World) -> dict[str, Array]:
    """Every per-world array of a world, by name."""
    out = {"user_key": world.user_key, "merchant_key": world.merchant_key}
    for table in ("people", "merchant", "product"):
        out |= {f"{table}.{name}": column for name, column in getattr(world, table).items()}
    return out


def rows(graph: SocialGraph, start: int, count: int, offset: int) -> list[tuple[list[int], list[int]]]:
    """Entries, counted from `offset`, and layers of some rows."""
    layer = layers(graph)
    cuts = graph.indptr[start : start + count + 1].tolist()
    return [
        ((graph.indices[a:b] - offset).tolist(), layer[a:b].tolist()) for a, b in zip(cuts[:-1], cuts[1:], strict=True)
    ]


@pytest.mark.parametrize("params", SOURCES)
def test_stacked_worlds_are_the_lone_worlds(params: dict[str, Any]) -> None:
    both = build(WorldParams(**params), MARKET, [4, 9])
    assert (both.count, both.n, both.m, both.products, both.variants) == (2, 600, 4, 3, 4)
    for number, seed in enumerate((4, 9)):
        lone = build(WorldParams(**params), MARKET, [seed])
        for name, column in arrays(lone).items():
            size = column.shape[0]
            part = arrays(both)[name][number * size : (number + 1) * size]
            part = part - number * both.merchants if name == "product.merchant" else part
            assert np.array_equal(part, column), name
        g = lone.members.rows
        assert rows(both.graph, number * 300, 300, number * 300) == rows(lone.graph, 0, 300, 0)
        assert rows(both.groups, number * 300, 300, number * g) == rows(lone.groups, 0, 300, 0)
        assert rows(both.members, number * g, g, number * 300) == rows(lone.members, 0, g, 0)
        start = both.variant_start[number * 3 : number * 3 + 4] - number * 4
        assert start.tolist() == lone.variant_start.tolist()
        owner = both.variant_product[number * 4 : number * 4 + 4] - number * 3
        assert owner.tolist() == lone.variant_product.tolist()


def test_keys_are_hashes_of_seed_and_number() -> None:
    world = build(WorldParams(people={"count": 50}), MARKET, [4, 9])
    assert np.array_equal(world.user_key, np.concatenate([draws.keys(4, "user", 50), draws.keys(9, "user", 50)]))
    assert np.unique(world.user_key).size == 100
    assert world.local_user(np.array([0, 49, 50, 99])).tolist() == [0, 49, 0, 49]


@pytest.mark.slow
def test_products_keep_their_numbers_when_another_shop_lists_one_more() -> None:
    more = {**MARKET, (first := next(iter(MARKET))): MARKET[first].model_copy(deep=True)}
    more[first].products["one_more"] = ProductParams(price=9)
    before, after = build(WorldParams(), MARKET, [4, 9]), build(WorldParams(), more, [4, 9])
    kept = np.array([name != "one_more" for name in after.product_names] * 2)
    assert kept.sum() == len(before.product_names) * 2
    assert before.product["number"].tolist() == after.product["number"][kept].tolist()
    assert np.unique(after.product["number"]).size == len(after.product_names)


def test_societies_are_kept_for_the_next_strategy() -> None:
    params = WorldParams(people={"count": 60})
    assert society(params, 1) is society(WorldParams(people={"count": 60}), 1)
    assert society(params, 1) is not society(params, 2)
    one = build(params, MARKET, [1])
    other = build(params, {"baker": MARKET["baker"]}, [1])
    assert one.graph is other.graph
    assert one.people["taste"] is other.people["taste"]


def test_two_generators_with_other_arguments_are_two_worlds() -> None:
    def ties(m: int) -> int:
        graph = {"networkx": {"generator": "barabasi_albert_graph", "m": m}}
        return build(WorldParams(people={"count": 60}, graph=graph), MARKET, [1]).graph.indices.size

    assert (ties(2), ties(3)) == (2 * 2 * 58, 2 * 3 * 57)


def test_engine_is_chosen_by_size(monkeypatch: pytest.MonkeyPatch) -> None:
    def ties(count: int, engine: str) -> list[int]:
        graph: SocialGraph = module._made(WorldParams(people={"count": count}, graph={"engine": engine}), 1).graph
        out: list[int] = graph.indices.tolist()
        return out

    assert ties(80, "auto") == ties(80, "networkx") != ties(80, "native")
    monkeypatch.setattr(module, "NATIVE_FROM", 80)
    assert ties(80, "auto") == ties(80, "native")


def test_nothing_in_a_world_can_be_written() -> None:
    world = build(WorldParams(people={"count": 50}), MARKET, [1, 2])
    every = [*arrays(world).values(), world.variant_start, world.variant_product]
    every += [getattr(graph, name) for graph in (world.graph, world.groups, world.members)
              for name in ("indptr", "indices")]  # fmt: skip
    assert not any(array.flags.writeable for array in every)


def test_a_world_of_the_wrong_size_is_refused() -> None:
    graph = {"networkx": {"generator": "karate_club_graph"}}
    with pytest.raises(ValueError, match="34 people"):
        build(WorldParams(people={"count": 35}, graph=graph), MARKET, [1])


def test_importing_the_world_brings_in_no_heavy_library() -> None:
    heavy = "{'networkx', 'scipy', 'borax'}"
    code = f"import sys, sim.world.build, sim.world.calendar; print({heavy} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
