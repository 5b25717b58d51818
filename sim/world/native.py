"""The default social graph for any number of people: the model of `sim.world.community` drawn with arrays only.

Circles never cross a region, so the graph is made by runs of whole regions, each finished (doubles dropped, rows
ordered) before the next begins; only ties with people anywhere are drawn beforehand. Memory is the finished graph
plus one run.
"""

from dataclasses import dataclass

import numpy as np

from sim import draws
from sim.units import I32, I64, U64, Array
from sim.world.circles import KINDS, SHARE, Circles
from sim.world.graph import Layers, SocialGraph, Strength, by_strength, each_once
from sim.world.packing import shuffled
from sim.world.strength import CLOSENESS, strength

_RUN = 8_192  # people finished together
_PAIRS = 65_536  # pairs decided together
_CITY = len(SHARE)
_SLACK = 1.1  # entries reserved over those that people want


def by_arrays(keys: U64, where: Circles) -> SocialGraph:
    """The community graph of the people with these keys."""
    runs = _runs(where.region)
    row, column = _far(keys, where.far)
    cuts = np.searchsorted(row, runs)
    out = _Growing(keys.size, int(_SLACK * int(where.ties.sum(dtype=np.int64))))
    for i, (first, last) in enumerate(zip(runs[:-1], runs[1:], strict=True)):
        far = slice(cuts[i], cuts[i + 1])
        out.add(first, *_rows(keys, where, first, last, row[far], column[far]))
    return out.graph()


class _Growing:
    """A graph to which finished rows are added; pages that are reserved but not yet used cost no memory."""

    def __init__(self, rows: int, entries: int) -> None:
        self.indptr: I64 = np.zeros(rows + 1, np.int64)
        self.indices: I32 = np.empty(entries, np.int32)
        self.layer: Layers = np.empty(entries, np.uint8)
        self.used = 0

    def add(self, first: int, indptr: I64, indices: I32, layer: Layers) -> None:
        """Rows from number `first` on."""
        end = self.used + indices.size
        if end > self.indices.size:
            self._resize(2 * end)
        self.indptr[first + 1 : first + indptr.size] = indptr[1:] + self.used
        self.indices[self.used : end] = indices
        self.layer[self.used : end] = layer
        self.used = end

    def graph(self) -> SocialGraph:
        """What has been added."""
        self._resize(self.used)
        return SocialGraph(self.indptr, self.indices, self.layer)

    def _resize(self, entries: int) -> None:
        self.indices.resize(entries, refcheck=False)
        self.layer.resize(entries, refcheck=False)


def _runs(region: I32) -> list[int]:
    """First person of each run of whole regions, and the number of people."""
    cuts = [0]
    for end in np.cumsum(np.bincount(region)).tolist():
        if end - cuts[-1] >= _RUN:
            cuts.append(end)
    return cuts if cuts[-1] == region.size else [*cuts, int(region.size)]


def _rows(keys: U64, where: Circles, first: int, last: int, row: I32, column: I32) -> tuple[I64, I32, Layers]:
    """Finished rows of the people first..last-1; (row, column) are their ties with people anywhere, both ways."""
    here, n = slice(first, last), last - first
    people = _Run(first, keys[here], where.ties[here])
    found = [people.circle(where.member[kind][here], kind) for kind in range(len(SHARE))]
    known = sum(np.bincount(end, minlength=n) for u, v, _ in found for end in (u, v))
    found.append(people.near(where.region[here], np.maximum(people.ties - where.far[here] - known, 0)))
    low, high = np.minimum(row, column), np.maximum(row, column)
    far = strength(keys, low, high, CLOSENESS[_CITY], 0.0)
    u, v, force = each_once(
        keys.size,
        np.concatenate([*(u + first for u, _, _ in found), low]),
        np.concatenate([*(v + first for _, v, _ in found), high]),
        np.concatenate([*(force for _, _, force in found), far]),
    )
    row, column, force = np.concatenate([u, v]), np.concatenate([v, u]), np.concatenate([force, force])
    mine = ((row >= first) & (row < last)).nonzero()[0]
    return by_strength(n, keys.size, row[mine] - np.uint64(first), column[mine], force[mine])


@dataclass(frozen=True, slots=True)
class _Run:
    """People from number `first` on: their keys and wanted ties. Ties are (u, v, strength), u < v, from 0."""

    first: int
    keys: U64
    ties: I32

    def circle(self, label: I32, kind: int) -> tuple[I64, I64, Strength]:
        """Ties inside the circles of one kind: a coin for every pair of members."""
        order = np.argsort(label, kind="stable")
        place = label[order] - label.min()
        weight = SHARE[KINDS[kind]] * self.ties[order]
        size = np.bincount(place)
        total, square = np.bincount(place, weight), np.bincount(place, weight * weight)
        partners = np.cumsum(size)[place] - np.arange(order.size) - 1
        total = np.maximum(total, 1e-9)  # of a circle in which nobody wants a tie
        share, friends = weight / total[place], square[place] / total[place]
        parts = [self._coins(order, weight, share, friends, partners, cut, kind) for cut in _blocks(partners)]
        u, v, force = (np.concatenate(column) for column in zip(*parts, strict=True))
        return u, v, force

    def _coins(
        self, order: I64, weight: Array, share: Array, friends: Array, partners: I64, cut: slice, kind: int
    ) -> tuple[I64, I64, Strength]:
        """Decide all pairs whose first member, in the order of circles, is in `cut`."""
        count = partners[cut]
        left = np.repeat(np.arange(cut.start, cut.stop), count)
        right = left + 1 + np.arange(left.size) - np.repeat(np.cumsum(count) - count, count)
        u, v = np.minimum(order[left], order[right]), np.maximum(order[left], order[right])
        know = np.minimum(weight[right] * share[left], 1.0)
        index = (v + self.first) * len(KINDS) + kind
        hit = draws.chance("world.native/tie", self.keys[u], know, index).nonzero()[0]
        u, v, common = u[hit], v[hit], know[hit] * friends[left[hit]]
        return u, v, strength(self.keys, u, v, CLOSENESS[kind], common, self.first)

    def near(self, region: I32, halves: Array) -> tuple[I64, I64, Strength]:
        """Half-ties paired at random within each region; an odd one is dropped."""
        person, nth = _halves(halves)
        place = region[person] - region[0]
        count = np.bincount(place)
        order = shuffled(place, count.size, draws.bits("world.native/near", self.keys[person], nth))
        odd = (np.cumsum(count) - 1)[count % 2 == 1]
        one, two = _pairs(person[np.delete(order, odd)])
        real = one != two
        u, v = np.minimum(one, two)[real], np.maximum(one, two)[real]
        return u, v, strength(self.keys, u, v, CLOSENESS[_CITY], 0.0, self.first)


def _far(keys: U64, halves: I32) -> tuple[I32, I32]:
    """Ties with people anywhere, both ways, ordered by row."""
    person, nth = _halves(halves)
    luck = draws.bits("world.native/far", keys[person], nth)
    one, two = _pairs(person[shuffled(np.zeros(person.size, np.uint8), 1, luck)])
    real = one != two
    row, column = np.concatenate([one[real], two[real]]), np.concatenate([two[real], one[real]])
    by_row = np.argsort(row, kind="stable")
    return row[by_row].astype(np.int32), column[by_row].astype(np.int32)


def _halves(count: Array) -> tuple[I64, I64]:
    """The person of each half-tie, and its number among hers."""
    person = np.repeat(np.arange(count.size), count)
    return person, np.arange(person.size) - np.repeat(np.cumsum(count) - count, count)


def _pairs(person: I64) -> tuple[I64, I64]:
    """Neighbours in the list as pairs; the last of an odd number stays alone."""
    even = person.size // 2 * 2
    return person[:even:2], person[1:even:2]


def _blocks(count: I64) -> list[slice]:
    """Runs of positions that together have about `_PAIRS` pairs."""
    total = np.cumsum(count)
    cuts = np.searchsorted(total, np.arange(_PAIRS, int(total[-1]) + _PAIRS, _PAIRS)) + 1
    ends = np.unique(np.minimum(cuts, count.size)).tolist() or [count.size]
    return [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
