"""Build a world: people, ties, chat groups and the market, for one seed or several side by side."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from sim import draws
from sim.units import F64, I32, U64, Array
from sim.world.categories import CATEGORIES
from sim.world.circles import circles
from sim.world.community import by_networkx
from sim.world.graph import SocialGraph, stack
from sim.world.groups import groups_of
from sim.world.kept import Society, kept
from sim.world.merchants import Market, market
from sim.world.native import by_arrays
from sim.world.params import NATIVE_FROM, GraphParams, MerchantParams, WorldParams
from sim.world.people import people
from sim.world.sources import communities, outside, tied
from sim.world.world import World

_SMALL = 20_000  # people up to which many societies are kept


def build(params: WorldParams, merchants: Mapping[str, MerchantParams], seeds: Sequence[int]) -> World:
    """The worlds of these seeds, stacked; each is the one that its seed gives alone.

    Raises ValueError if the graph that the scenario names cannot be had (see `sim.world.sources.check`).
    """
    parts = [society(params, seed) for seed in seeds]
    there, worlds = market(merchants), len(seeds)
    m, p, v = len(there.merchant_names), len(there.product_names), there.variant_product.size
    return World(
        seeds=tuple(seeds),
        users=params.people.count,
        merchants=m,
        products=p,
        variants=v,
        categories=CATEGORIES,
        user_key=_keys(seeds, "user", params.people.count),
        merchant_key=_keys(seeds, "merchant", m),
        people={trait: _joined([part.people[trait] for part in parts]) for trait in parts[0].people},
        graph=stack([part.graph for part in parts]),
        groups=stack([part.groups for part in parts], columns=parts[0].members.rows),
        members=stack([part.members for part in parts], columns=params.people.count),
        merchant={name: _frozen(np.tile(column, worlds)) for name, column in there.merchant.items()},
        product={name: _frozen(column) for name, column in _products(there, seeds).items()},
        variant_start=_frozen(np.concatenate([[0], *(there.variant_start[1:] + w * v for w in range(worlds))])),
        variant_product=_frozen(np.concatenate([there.variant_product + np.int32(w * p) for w in range(worlds)])),
        merchant_names=there.merchant_names,
        product_names=there.product_names,
        variant_names=there.variant_names,
        merchant_keys=there.merchant_keys,
    )


def society(params: WorldParams, seed: int) -> Society:
    """People and ties of the lone world with this seed; kept, since strategies are compared in the same worlds."""
    return (_few if params.people.count > _SMALL else _many)(params, seed)


def _small(params: WorldParams, seed: int) -> Society:
    """A society small enough to be kept in a folder as well."""
    return kept(_made, params, seed)


def _made(params: WorldParams, seed: int) -> Society:
    keys = draws.keys(seed, "user", params.people.count)
    graph, community, position = _ties(params.graph, keys, seed)
    traits = people(seed, keys, community, params.people, position)
    groups, members = groups_of(seed, graph, params.groups)
    return Society({trait: _frozen(column) for trait, column in traits.items()}, graph, groups, members)


_many = lru_cache(maxsize=64)(_small)
_few = lru_cache(maxsize=1)(_made)


def _ties(params: GraphParams, keys: U64, seed: int) -> tuple[SocialGraph, I32, F64 | None]:
    """The graph, the community of each person, and where communities stand among city tiers."""
    if params.networkx is not None or params.file is not None:
        graph = tied(outside(params, keys.size, seed), keys)
        return graph, communities(graph, keys), None
    where = circles(seed, keys, params)
    native = params.engine == "native" or (params.engine == "auto" and keys.size >= NATIVE_FROM)
    return by_arrays(keys, where) if native else by_networkx(seed, keys, where), where.member[1], where.tier


def _products(there: Market, seeds: Sequence[int]) -> dict[str, Array]:
    """Product columns of all worlds."""
    m, p = len(there.merchant_names), len(there.product_names)
    out = {name: np.tile(column, len(seeds)) for name, column in there.product.items()}
    out["merchant"] = out["merchant"] + np.repeat(np.arange(len(seeds), dtype=np.int32) * m, p)
    return out


def _keys(seeds: Sequence[int], what: str, count: int) -> U64:
    return _joined([draws.keys(seed, what, count) for seed in seeds])


def _joined(parts: Sequence[Array]) -> Array:
    """The parts one after the other; one part is not copied."""
    return _frozen(parts[0] if len(parts) == 1 else np.concatenate(parts))


def _frozen(array: Array) -> Array:
    array.flags.writeable = False
    return array
