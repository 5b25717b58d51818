"""Build a world: people, ties, chat groups and the market, for one seed or several side by side."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from sim import draws
from sim.units import Array
from sim.world.categories import CATEGORIES
from sim.world.circles import circles
from sim.world.community import by_networkx
from sim.world.graph import SocialGraph, stack
from sim.world.groups import groups_of
from sim.world.merchants import Market, market
from sim.world.native import by_arrays
from sim.world.params import NATIVE_FROM, MerchantParams, WorldParams
from sim.world.people import people
from sim.world.world import World

Society = tuple[Mapping[str, Array], SocialGraph, SocialGraph, SocialGraph]  # traits, friends, groups, members


def build(params: WorldParams, merchants: Mapping[str, MerchantParams], seeds: Sequence[int]) -> World:
    """The worlds of these seeds, stacked; each is the one that its seed gives alone."""
    parts = [society(params, seed) for seed in seeds]
    there = market(merchants)
    users, groups = params.people.count, parts[0][3].rows
    worlds = len(seeds)
    m, p, v = len(there.merchant_names), len(there.product_names), there.variant_product.size
    return World(
        seeds=tuple(seeds),
        users=users,
        merchants=m,
        products=p,
        variants=v,
        categories=CATEGORIES,
        user_key=_keys(seeds, "user", users),
        merchant_key=_keys(seeds, "merchant", m),
        people=_read_only({name: np.concatenate([part[0][name] for part in parts]) for name in parts[0][0]}),
        graph=stack([part[1] for part in parts]),
        groups=stack([part[2] for part in parts], columns=groups),
        members=stack([part[3] for part in parts], columns=users),
        merchant=_read_only({name: np.tile(column, worlds) for name, column in there.merchant.items()}),
        product=_read_only(_products(there, seeds)),
        variant_start=np.concatenate([[0], *(there.variant_start[1:] + w * v for w in range(worlds))]),
        variant_product=np.concatenate([there.variant_product + np.int32(w * p) for w in range(worlds)]),
        merchant_names=there.merchant_names,
        product_names=there.product_names,
    )


@lru_cache(maxsize=64)
def society(params: WorldParams, seed: int) -> Society:
    """People and ties of the lone world with this seed; kept, since strategies are compared in the same worlds."""
    keys = draws.keys(seed, "user", params.people.count)
    where = circles(seed, keys, params.graph)
    graph = by_arrays(keys, where) if params.people.count >= NATIVE_FROM else by_networkx(seed, keys, where)
    traits = people(seed, keys, where.member[1], params.people, where.tier)
    groups, members = groups_of(seed, graph, params.groups)
    return _read_only(traits), graph, groups, members


def _keys(seeds: Sequence[int], what: str, count: int) -> Array:
    return np.concatenate([draws.keys(seed, what, count) for seed in seeds])


def _products(there: Market, seeds: Sequence[int]) -> dict[str, Array]:
    """Product columns of all worlds, with a key for each product."""
    m, p = len(there.merchant_names), len(there.product_names)
    out = {name: np.tile(column, len(seeds)) for name, column in there.product.items()}
    out["merchant"] = out["merchant"] + np.repeat(np.arange(len(seeds), dtype=np.int32) * m, p)
    out["key"] = _keys(seeds, "product", p)
    return out


def _read_only(columns: Mapping[str, Array]) -> Mapping[str, Array]:
    for array in columns.values():
        array.flags.writeable = False
    return columns
