"""The circles in which people know each other: family, work and school, and how many ties each person has.

People are numbered by workplace: a workplace is a run of consecutive users and some hundred workplaces make a region,
inside which families and school classes are drawn. Who belongs where depends on keys alone, not on what draws the
ties (`sim.world.community`, `sim.world.native`), and users added at the end change nobody's workplace.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from sim import draws
from sim.elementary import exp
from sim.kernels.threads import blocks, in_order
from sim.units import F64, I32, U64, Array
from sim.world.packing import shuffled
from sim.world.params import GraphParams
from sim.world.people import AGE_RANK
from sim.world.tables import normal_table

# Assumed, and set together so that local clustering is near 0.14 (facts: network.local_clustering) and degrees are as
# assortative as on Facebook (0.226: Ugander et al. 2011).
SHARE = {"family": 0.12, "work": 0.50, "school": 0.20}  # of a person's ties; what is left are acquaintances
FAR = 0.07  # share of a person's ties with people anywhere
DENSITY = {"work": 0.55, "school": 0.45}  # chance that two average members of a circle know each other
FAMILY_SIZE = 4
ALIKE = 0.7  # share of the variance of log ties that a workplace has in common
REGION = 400  # workplaces in a region

KINDS = (*SHARE, "city")
_RUN = 8_192  # people whose circles are drawn together
_BLOCK = 65_536  # people
_SMALLEST = 3  # people in a school class
_WHOLE = 2.0**20  # fixed point for exact sums
_PLASTIC = (0.7548776662466927, 0.5698402909980532)  # R2 low-discrepancy sequence (Roberts 2018)


@dataclass(frozen=True, slots=True)
class Circles:
    """Where n people belong. `member` holds one circle number per person for family, work and school."""

    ties: I32  # (n,) how many ties each person wants
    far: I32  # (n,) how many of them are with people anywhere
    member: tuple[I32, I32, I32]
    region: I32  # (n,) ascending
    tier: F64  # (workplaces,) evenly spread on [0, 1), to be cut into city tiers


def circles(seed: int, keys: U64, params: GraphParams) -> Circles:
    """Circles and wanted ties of the people with these keys.

    Log ties are normal: part of the deviation is common to a workplace, and busier people have larger workplaces,
    which gives both clustering and assortative degrees (Newman and Park 2003).
    """
    origin = draws.keys(seed, "circles", len(_PLASTIC))
    work, busy = _workplaces(origin[0], keys.size, params)
    region = work // np.int32(REGION)
    ties, far = _ties(keys, sqrt(ALIKE) * busy, work, params)
    school_size = max(_SMALLEST, SHARE["school"] * params.mean_degree / DENSITY["school"])
    return Circles(
        ties=ties,
        far=far,
        member=(
            _within(region, "world.circles/family", keys, FAMILY_SIZE),
            work,
            _within(region, AGE_RANK, keys, school_size),  # class mates are of an age
        ),
        region=region,
        tier=_spread(origin[1], int(work[-1]) + 1, _PLASTIC[1]),
    )


def whole_regions(region: I32) -> list[tuple[int, int]]:
    """All people in runs (first, last + 1) of whole regions."""
    cuts = [0]
    for end in np.cumsum(np.bincount(region)).tolist():
        if end - cuts[-1] >= _RUN:
            cuts.append(end)
    if cuts[-1] < region.size:
        cuts.append(region.size)
    return [*zip(cuts[:-1], cuts[1:], strict=True)]


def _ties(keys: U64, busy: F64, work: I32, params: GraphParams) -> tuple[I32, I32]:
    """How many ties each person wants, and how many of them with people anywhere."""
    cuts = blocks(keys.size, _BLOCK)
    table = normal_table()

    def wish(cut: slice) -> F64:
        own = draws.quantile(table, "world.circles/ties", keys[cut])
        return exp(params.degree_spread * (busy[work[cut]] + sqrt(1.0 - ALIKE) * own))

    wishes = list(in_order(wish, cuts))
    total = sum(int((part * _WHOLE).astype(np.int64).sum()) for part in wishes)  # of integers: alike everywhere
    scale = params.mean_degree * keys.size * _WHOLE / total

    def rounded(at: int) -> tuple[I32, I32]:
        ties = _whole(wishes[at] * scale, "world.circles/ties_rounding", keys[cuts[at]])
        ties = np.clip(ties, 1, min(params.cap, keys.size - 1))
        return ties, _whole(ties * FAR, "world.circles/far", keys[cuts[at]])

    both = list(in_order(rounded, range(len(cuts))))
    return np.concatenate([ties for ties, _ in both]), np.concatenate([far for _, far in both])


def _workplaces(origin: np.uint64, n: int, params: GraphParams) -> tuple[I32, F64]:
    """The workplace of each person, and how busy people are in each (standard normal over people).

    Sizes are lognormal and not rounded: a workplace holds the people between two points on the line of all people.
    """
    table, spread = normal_table(), sqrt(ALIKE) * params.degree_spread
    typical = SHARE["work"] * params.mean_degree / DENSITY["work"]
    mean_size = typical * float(exp(np.array(-spread * spread)))
    count = 64 + int(2 * n / mean_size)
    position = _spread(origin, count, _PLASTIC[0]) * (table.size - 1)
    low = position.astype(np.int64)
    standard = table[low] + (table[low + 1] - table[low]) * (position - low)
    busy = standard - spread  # people are more often in a large workplace, which brings their mean back to 0
    ends = np.cumsum(typical * exp(spread * busy - spread * spread / 2.0))
    first = np.clip(np.ceil(ends - 0.5), 0, n).astype(np.int64)  # the first person beyond each end
    first[-1] = n
    return np.repeat(np.arange(count, dtype=np.int32), np.diff(first, prepend=0)), busy


def _spread(origin: np.uint64, count: int, step: float) -> F64:
    """Evenly spread numbers on [0, 1) with a random start; number i does not depend on `count`."""
    turns = draws.uniform("world.circles/start", origin) + step * np.arange(1, count + 1)
    out: F64 = turns - np.floor(turns)
    return out


def _whole(values: Array, purpose: str, keys: U64) -> I32:
    """Whole numbers that are right on average."""
    return (values + draws.uniform(purpose, keys)).astype(np.int32)


def _within(region: I32, purpose: str, keys: U64, size: float) -> I32:
    """Cut each region into circles of about `size` people who are next to each other by luck."""
    counts = np.bincount(region)
    parts = np.maximum(1, np.floor(counts / size + 0.5)).astype(np.int64)
    before, start = np.cumsum(parts) - parts, np.cumsum(counts) - counts

    def cut(run: tuple[int, int]) -> I32:
        first, last = run
        here = region[first:last]
        order = shuffled(here, counts.size, draws.bits(purpose, keys[first:last]), region.size)
        place = np.arange(first, last) - start[here]
        out = np.empty(here.size, np.int32)
        out[order] = before[here] + place * parts[here] // counts[here]
        return out

    return np.concatenate(list(in_order(cut, whole_regions(region))))
