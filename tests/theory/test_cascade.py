"""Sharing as an independent cascade (Kempe, Kleinberg and Tardos 2003) on small graphs, by exact enumeration.

Who shares gives each friend one chance to see it, tie by tie; who has seen it shares with her own chance. Adding up
all 2^ties graphs of live ties gives the exact chance that a person shares, however much the ways to her overlap.

On a graph in layers, where all ways to a person are equally long, everything that she sees of a product comes on one
day, and the model is the textbook's. In a circle of friends news comes back: the simulator lets a person who is told
again on another day see and share it again. There the cascade on the graph unrolled in time, (person, day) to
(friend, next day), is exact; it is enumerated one day at a time, over all sets of people who shared on that day.

*Made neutral:* as in `test_branching`; beyond that ties are in different layers, so that chances differ by tie.
"""

import itertools
import math

import numpy as np
import pytest

from tests.theory.chance import agrees_share
from tests.theory.town import shares, tell
from tests.views import csr

pytestmark = pytest.mark.slow  # `make test` runs it

COPIES = 4_000
FORWARD, REACH = 0.7, 0.8
LAYERS = (1.0, 0.8, 0.6, 0.4)  # chances of ties relative to the closest
SHARE = f"surfaces: [0, 0, 1], moments_reach: {REACH}, forward: {FORWARD}, moments_layers: {list(LAYERS)}"

Ties = dict[tuple[int, int], int]  # (who shares, who may see it) -> layer

LAYERED: Ties = {(0, 1): 0, (0, 2): 1, (0, 3): 3, (1, 4): 2, (2, 4): 0, (2, 5): 1, (3, 5): 0, (4, 6): 1, (5, 6): 0}
FRIENDS = {(0, 1): 0, (1, 2): 1, (0, 2): 2, (2, 3): 0, (3, 4): 3, (1, 4): 1}  # a triangle and a square, arm in arm
CIRCLE: Ties = FRIENDS | {(v, u): layer for (u, v), layer in FRIENDS.items()}


def sees(layer: int) -> float:
    """Chance that a tie of this layer carries what is shared."""
    return REACH * LAYERS[layer]


def copies(ties: Ties):
    """Many copies of the small graph side by side."""
    people = 1 + max(itertools.chain(*ties))
    rows = [[v for u, v in sorted(ties) if u == person] for person in range(people)]
    layers = [layer for _, layer in sorted(ties.items())]
    step = people * np.arange(COPIES)[:, None]
    degree = np.tile([len(row) for row in rows], COPIES)
    return csr(degree, (step + np.concatenate(rows)).ravel(), np.tile(layers, COPIES)), people


def simulate(ties: Ties, days: int, folder) -> np.ndarray:
    """Whether each person of each copy shared on each day, shape (copies, people, days)."""
    graph, people = copies(ties)
    who, day = shares(tell(graph, np.arange(COPIES) * people, folder, days, SHARE))
    out = np.zeros((COPIES, people, days), np.bool_)
    out[who // people, who % people, day] = True
    assert out.sum() == who.size and out[:, 0, 0].all()
    return out


def live_edges(ties: Ties) -> dict[frozenset[int], float]:
    """The distribution of who ever shares, from person 0: all graphs of live ties, all sets of willing people."""
    people = set(itertools.chain(*ties)) - {0}
    out: dict[frozenset[int], float] = {}
    for live in itertools.product((False, True), repeat=len(ties)):
        weight = math.prod(
            sees(layer) if on else 1 - sees(layer) for layer, on in zip(ties.values(), live, strict=True)
        )
        open_ties = [tie for tie, on in zip(ties, live, strict=True) if on]
        for willing, chance in subsets(people, FORWARD):
            active, before = {0}, set()
            while active != before:
                before, active = active, active | {v for u, v in open_ties if u in active and v in willing}
            out[frozenset(active)] = out.get(frozenset(active), 0.0) + weight * chance
    return out


def subsets(people: set[int], chance: float):
    """All sets of people, each in it with this chance."""
    for inside in itertools.product((False, True), repeat=len(people)):
        yield (
            {person for person, there in zip(sorted(people), inside, strict=True) if there},
            math.prod(chance if there else 1 - chance for there in inside),
        )


def next_day(ties: Ties, active: frozenset[int]) -> dict[frozenset[int], float]:
    """The distribution of who shares tomorrow if these share today."""
    told: dict[int, float] = {}
    for (u, v), layer in ties.items():
        if u in active:
            told[v] = 1 - (1 - told.get(v, 0.0)) * (1 - sees(layer))
    out: dict[frozenset[int], float] = {}
    people = sorted(told)
    for shared in itertools.product((False, True), repeat=len(people)):
        chance = math.prod(
            FORWARD * told[p] if on else 1 - FORWARD * told[p] for p, on in zip(people, shared, strict=True)
        )
        out[frozenset(p for p, on in zip(people, shared, strict=True) if on)] = chance
    return out


def unrolled(ties: Ties, days: int) -> list[dict[frozenset[int], float]]:
    """The distribution of who shares on each day."""
    out = [{frozenset({0}): 1.0}]
    for _ in range(days - 1):
        tomorrow: dict[frozenset[int], float] = {}
        for active, weight in out[-1].items():
            for after, chance in next_day(ties, active).items():
                tomorrow[after] = tomorrow.get(after, 0.0) + weight * chance
        out.append(tomorrow)
    return out


def check(chance: dict[frozenset[int], float], shared: np.ndarray, within: float) -> None:
    """How often each set of people shared, as far as it is not rare, and each person."""
    assert math.isclose(math.fsum(chance.values()), 1.0)
    for people, wanted in chance.items():
        if wanted * COPIES > 100 and wanted < 1:
            hits = (shared == np.isin(np.arange(shared.shape[1]), list(people))).all(axis=1).sum()
            agrees_share(hits, COPIES, wanted, within)
    for person in range(shared.shape[1]):
        wanted = math.fsum(p for people, p in chance.items() if person in people)
        if 0.02 < wanted < 1:
            agrees_share(shared[:, person].sum(), COPIES, wanted, within)


def test_on_a_layered_graph_each_set_of_people_shares_with_the_chance_of_the_live_edge_graphs(tmp_path):
    shared = simulate(LAYERED, 4, tmp_path).any(axis=2)
    chance = live_edges(LAYERED)
    assert len(chance) > 20
    check(chance, shared, within=0.45)


def test_in_a_circle_of_friends_the_cascade_is_that_of_the_graph_unrolled_in_time(tmp_path):
    days = 5
    shared = simulate(CIRCLE, days, tmp_path)
    for day, chance in enumerate(unrolled(CIRCLE, days)):
        check(chance, shared[:, :, day], within=0.45)
    assert shared[:, 0, 1:].any()  # news comes back
