"""Who people are: fixed traits, each drawn from the person's own key."""

from collections import deque
from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np

from sim import draws, fast
from sim.elementary import exp
from sim.kernels.threads import blocks, in_order
from sim.units import F64, I32, U64, Array
from sim.world.categories import CATEGORIES, taste_share
from sim.world.params import PeopleParams
from sim.world.tables import beta_table, gamma_table, lognormal_table, normal_table

# name -> (dtype, unit, meaning, source)
TRAITS: Mapping[str, tuple[Any, str, str, str]] = {
    "age": (np.int8, "years", "age, 18 to 80", "assumed"),
    "tier": (np.int8, "1..4", "tier of the home city, 1 is the largest", "assumed"),
    "income": (np.float32, "relative, mean 1", "income, lognormal", "assumed"),
    "taste": (np.float32, "share, sums to 1", "liking of each category, shape (users, categories)", "assumed"),
    "price_sensitivity": (np.float32, "relative, mean 1", "weight of price in a choice", "assumed"),
    "activity": (np.float32, "relative, mean 1", "how often she shops by phone", "assumed"),
    "sociality": (np.float32, "relative, mean 1", "urge to share", "assumed"),
    "generosity": (np.float32, "relative, mean 1", "urge to give", "assumed"),
    "birthday": (np.int16, "day of the year, 0..364", "birthday, 0 is 1 January", "assumed uniform"),
    "attention": (np.float32, "things", "how many things she notices in a session", "assumed"),
    "tolerance": (
        np.float32, "messages a week", "messages from one merchant that she bears before she mutes it",
        "facts: private_domain.disable_push_hazard",
    ),
}  # fmt: skip

AGE_RANK = "world.people/age"  # the draw that orders people by age
NEVER = 1e9  # tolerance of those who never mute
_YOUNGEST, _OLDEST = 18, 80
_AGE_EVENNESS = 3.2  # sum of the beta distribution's two shapes
_TIER_INCOME = (1.45, 1.10, 0.90, 0.72)  # income by city tier, relative (assumed)
_ATTENTION_SHAPE = 6.0
_BLOCK = 32_768
_TASTE = "world.people/taste"
_LEAST = 1e-6  # nobody is quite without taste


def people(
    seed: int, keys: U64, community: I32, params: PeopleParams, tier_position: F64 | None = None
) -> dict[str, Array]:
    """Traits of the people with these keys; `community` (n,) numbers the circle whose taste they share.

    `tier_position` (communities,) places communities on [0, 1), to be cut by the shares of city tiers.
    """
    count = int(community.max(initial=-1)) + 1
    origin = draws.keys(seed, "community", count)
    position = draws.uniform("world.people/tier", origin) if tier_position is None else tier_position
    tier = _tier(position, params)[community]
    out: dict[str, Array] = {name: np.empty(keys.size, dtype) for name, (dtype, *_) in TRAITS.items()}
    out["taste"] = np.empty((keys.size, len(CATEGORIES)), np.float32)
    liking = _common_taste(origin, params)

    def fill(block: slice) -> None:
        _fill_taste(keys[block], liking, community[block], params, out["taste"][block])
        for name, values in _traits(keys[block], tier[block], params).items():
            out[name][block] = values

    deque(in_order(fill, blocks(keys.size, _BLOCK)), maxlen=0)
    return out


def age(keys: U64, mean: float = 38.0) -> F64:
    """Age in years, beta on 18 to 80."""
    position = (mean - _YOUNGEST) / (_OLDEST - _YOUNGEST)
    table = beta_table(_AGE_EVENNESS * position, _AGE_EVENNESS * (1.0 - position))
    return _YOUNGEST + (_OLDEST - _YOUNGEST) * draws.quantile(table, AGE_RANK, keys)


def _traits(keys: U64, tier: Array, params: PeopleParams) -> dict[str, Array]:
    def gamma(name: str, shape: float) -> F64:
        return draws.quantile(gamma_table(shape), f"world.people/{name}", keys)

    least = min(1.0, params.attention)  # whoever opens WeChat notices something
    rich = draws.quantile(normal_table(), "world.people/income", keys)
    own = draws.quantile(normal_table(), "world.people/price_sensitivity", keys)
    wary = params.price_income * rich + sqrt(1.0 - params.price_income * params.price_income) * own
    return {
        "age": age(keys, params.age_mean),
        "tier": tier,
        "income": _tier_income(params)[tier - 1] * _mean_one(rich, params.income_spread),
        "price_sensitivity": _mean_one(wary, params.price_spread),
        "activity": gamma("activity", params.activity_shape),
        "sociality": gamma("sociality", params.sociality_shape),
        "generosity": gamma("generosity", params.generosity_shape),
        "birthday": draws.below("world.people/birthday", keys, 365),
        "attention": least + (params.attention - least) * gamma("attention", _ATTENTION_SHAPE),
        "tolerance": _tolerance(keys, params),
    }


def _mean_one(normal: F64, spread: float) -> F64:
    """Lognormal with mean 1 from standard normals."""
    return exp(spread * normal - spread * spread / 2.0)


def _tier(position: F64, params: PeopleParams) -> Array:
    """City tiers 1..4 from positions on [0, 1)."""
    shares = params.tier_shares
    cuts = np.array([shares[0], shares[0] + shares[1], shares[0] + shares[1] + shares[2]])
    return (1 + np.searchsorted(cuts, position, side="right")).astype(np.int8)


def _tier_income(params: PeopleParams) -> F64:
    """Mean income by tier; 1 over all people."""
    mean = sum(share * income for share, income in zip(params.tier_shares, _TIER_INCOME, strict=True))
    return np.array(_TIER_INCOME) / (mean if mean > 0 else 1.0)


def _common_taste(origin: U64, params: PeopleParams) -> F64:
    """What a community likes: the average taste times a lognormal factor per category; (communities, C)."""
    table = lognormal_table(params.homophily)
    factor = draws.quantile(table, "world.people/community", origin[:, None], np.arange(len(CATEGORIES)))
    return factor * taste_share()


def _fill_taste(keys: U64, common: F64, community: I32, params: PeopleParams, out: Array) -> None:
    """A person's taste: what her community likes times her own gamma factor per category; rows sum to 1."""
    table = gamma_table(1.0 / params.taste_spread)
    if fast.on():
        from sim.fast import world as twin

        twin.taste(keys, draws.purpose(_TASTE), community, common, table, _LEAST, out)
        return
    liking = common[community] * draws.quantile(table, _TASTE, keys[:, None], np.arange(len(CATEGORIES)))
    liking += _LEAST
    total = liking[:, 0].copy()
    for column in range(1, len(CATEGORIES)):
        total += liking[:, column]
    np.divide(liking, total[:, None], out=liking)
    out[:] = liking


def _tolerance(keys: U64, params: PeopleParams) -> F64:
    """Messages a week that a person bears: 1, 2 to 5, 6 to 10 or any number."""
    once, few, many = params.tolerance
    luck = draws.uniform("world.people/tolerance", keys)
    spot = draws.below("world.people/tolerance_step", keys, 20)
    return np.select(
        [luck < once, luck < once + few, luck < once + few + many],
        [np.ones(keys.size), 2.0 + spot % 4, 6.0 + spot % 5],
        NEVER,
    )
