"""The circles in which people know each other: family, work and school, and how many ties each person has.

People are numbered by workplace: work circles are runs of consecutive users, twenty of them make a region, and
families and school classes are drawn inside a region. Who belongs where depends on keys alone, never on the engine
that draws the ties (`sim.world.community`), and users added at the end change nobody's workplace.
"""

from dataclasses import dataclass

import numpy as np

from sim import draws
from sim.elementary import exp
from sim.units import F64, I32, I64, U64
from sim.world.packing import shuffled
from sim.world.people import AGE_RANK
from sim.world.params import GraphParams
from sim.world.tables import normal_table

# share of a person's ties in each kind of circle, and the chance that two average members know each other; the rest
# are acquaintances. Assumed; set so that local clustering is near 0.14 (facts: network.local_clustering).
SHARE = {"family": 0.12, "work": 0.50, "school": 0.20}
DENSITY = {"work": 0.55, "school": 0.45}
KINDS = (*SHARE, "city")
FAMILY_SIZE = 4
ALIKE = 0.7  # share of the variance of log ties that a workplace has in common: makes degrees assortative (assumed)
REGION = 400  # workplaces in a region
FAR = 0.07  # share of a person's ties with people anywhere (assumed)

_SMALLEST = 3  # people in a workplace or class
_PLASTIC = (0.7548776662466927, 0.5698402909980532)  # R2 low-discrepancy sequence (Roberts 2018)


@dataclass(frozen=True, slots=True)
class Circles:
    """Where n people belong. `member` holds one circle number per person for family, work and school."""

    ties: I32  # (n,) how many ties each person wants
    far: I32  # (n,) how many of them are with people anywhere
    member: tuple[I32, I32, I32]
    region: I32  # (n,)
    tier: F64  # (workplaces,) uniform on [0, 1): evenly spread, to be cut into city tiers


def circles(seed: int, keys: U64, params: GraphParams) -> Circles:
    """Circles and wanted ties of the people with these keys.

    Log ties are normal: part of the deviation is common to a workplace, and larger workplaces have busier people,
    which gives both clustering and assortative degrees (Newman and Park 2003).
    """
    n = keys.size
    origin = draws.keys(seed, "circles", 2)
    work, common = _workplaces(origin, n, params)
    region = work // np.int32(REGION)
    own = draws.quantile(normal_table(), "world.circles/ties", keys)
    deviation = params.degree_spread * (ALIKE**0.5 * common[work] + (1.0 - ALIKE) ** 0.5 * own)
    wanted = params.mean_degree * exp(deviation - params.degree_spread**2 / 2.0)
    whole = np.floor(wanted + draws.uniform("world.circles/round", keys))
    ties = np.clip(whole, 1, min(params.cap, n - 1)).astype(np.int32)
    far = np.floor(ties * FAR + draws.uniform("world.circles/far", keys)).astype(np.int32)
    luck = draws.bits("world.circles/shuffle", keys)
    cohort = draws.bits(AGE_RANK, keys)  # class mates are of an age
    school_size = max(_SMALLEST, SHARE["school"] * params.mean_degree / DENSITY["school"])
    return Circles(
        ties=ties,
        far=far,
        member=(_within(region, luck, FAMILY_SIZE), work, _within(region, cohort, school_size)),
        region=region,
        tier=_spread(origin[1], int(work[-1]) + 1, 1),
    )


def _spread(origin: np.uint64, count: int, axis: int) -> F64:
    """Evenly spread numbers on [0, 1) with a random start; number i does not depend on `count`."""
    start = draws.uniform("world.circles/start", origin, axis)[0]
    turns = start + _PLASTIC[axis] * np.arange(1, count + 1)
    return turns - np.floor(turns)


def _workplaces(origin: U64, n: int, params: GraphParams) -> tuple[I32, F64]:
    """The workplace of each person, and how busy people are in each (standard normal over people).

    Sizes are lognormal and not rounded: workplace c holds the people between two points on the line of all people.
    """
    table, spread = normal_table(), ALIKE**0.5 * params.degree_spread
    typical = SHARE["work"] * params.mean_degree / DENSITY["work"]
    count = 64 + int(2 * n / (typical * float(exp(np.float64(-spread * spread)))))
    position = _spread(origin[0], count, 0) * (table.size - 1)
    low = position.astype(np.int64)
    standard = table[low] + (table[low + 1] - table[low]) * (position - low)
    busy = standard - spread  # people are more often in a large workplace, which brings their mean back to 0
    ends = np.cumsum(typical * exp(spread * busy - spread**2 / 2.0))
    number = np.searchsorted(ends, np.arange(n) + 0.5, side="right").astype(np.int32)
    return number, busy


def _within(region: I32, score: U64, size: float) -> I32:
    """Cut each region into circles of about `size` people who are next to each other by score."""
    counts = np.bincount(region)
    order = shuffled(region, counts.size, score)
    start = np.cumsum(counts) - counts
    parts = np.maximum(1, np.floor(counts / size + 0.5)).astype(np.int64)
    place = np.arange(region.size) - np.repeat(start, counts)
    label = np.repeat(np.cumsum(parts) - parts, counts) + place * np.repeat(parts, counts) // np.repeat(counts, counts)
    out = np.empty(region.size, np.int32)
    out[order] = label
    return out
