"""The default social graph for any number of people: the model of `sim.world.community` drawn with arrays only.

Circles never cross a region, so the graph is made by runs of whole regions, each finished (doubles dropped, rows
ordered) on its own; only ties with people anywhere are drawn beforehand. Memory is the finished graph plus a few
runs. Where numba is installed, `sim.fast.world` takes the same steps tie by tie.
"""

from dataclasses import dataclass

import numpy as np

from sim import draws, fast
from sim.kernels.threads import blocks, in_order
from sim.units import I32, I64, U64, Array
from sim.world.circles import KINDS, SHARE, Circles, whole_regions
from sim.world.graph import Growing, SocialGraph, Strength, by_strength, each_once, kept_bits
from sim.world.packing import field, shuffled, width
from sim.world.strength import CLOSENESS, LUCK, NOISE, STEPS, strength

_PAIRS = 65_536  # pairs decided together
_BLOCK = 65_536  # people
_CITY = len(SHARE)
_SLACK = 1.1  # entries reserved over those that people want
_TIE = "world.native/tie"

Ties = tuple[Array, Array, Strength]  # (u, v, strength) with u < v


def by_arrays(keys: U64, where: Circles) -> SocialGraph:
    """The community graph of the people with these keys."""
    runs = whole_regions(where.region)
    start, friend = _far(keys, where.far)

    def finished(run: tuple[int, int]) -> tuple[I64, I32]:
        first, last = run
        far = slice(start[first], start[last])
        owner = np.repeat(np.arange(first, last, dtype=np.int32), np.diff(start[first : last + 1]))
        return _rows(keys, where, first, last, owner, friend[far])

    out = Growing(keys.size, int(_SLACK * int(where.ties.sum(dtype=np.int64))))
    for degree, indices in in_order(finished, runs):
        out.add(degree, indices)
    return out.graph()


def _rows(keys: U64, where: Circles, first: int, last: int, row: I32, column: I32) -> tuple[I64, I32]:
    """Finished rows of the people first..last-1; (row, column) are their ties with people anywhere."""
    here, n = slice(first, last), last - first
    people = _Run(first, keys[here], where.ties[here])
    found = [people.circle(where.member[kind][here], kind) for kind in range(len(SHARE))]
    known = sum(np.bincount(end, minlength=n) for u, v, _ in found for end in (u, v))
    found.append(people.near(where.region[here], np.maximum(people.ties - where.far[here] - known, 0)))
    low, high = np.minimum(row, column), np.maximum(row, column)
    once = (row < column) | (column < first) | (column >= last)  # a tie between two of them is told by both
    low, high = low[once], high[once]
    return _ordered(
        (first, last, keys.size),
        np.concatenate([*(u + np.int32(first) for u, _, _ in found), low]),
        np.concatenate([*(v + np.int32(first) for _, v, _ in found), high]),
        np.concatenate([*(force for *_, force in found), strength(keys, low, high, CLOSENESS[_CITY], 0.0)]),
    )


def _ordered(span: tuple[int, int, int], low: Array, high: Array, force: Strength) -> tuple[I64, I32]:
    """The rows first..last-1 of n people: how many friends each has, and who, strongest first, each once."""
    first, last, n = span
    if fast.on():
        from sim.fast import world as twin

        lost = np.uint16((1 << 16 - kept_bits(n)) - 1)
        return twin.rows(first, last - first, low, high, force | lost)
    u, v, force = each_once(n, low, high, force)
    row, column, force = np.concatenate([u, v]), np.concatenate([v, u]), np.concatenate([force, force])
    mine = ((row >= first) & (row < last)).nonzero()[0]
    return by_strength(last - first, n, row[mine] - np.uint64(first), column[mine], force[mine])


@dataclass(frozen=True, slots=True)
class _Run:
    """People from number `first` on: their keys and wanted ties. Ties are numbered from 0."""

    first: int
    keys: U64
    ties: I32

    def circle(self, label: I32, kind: int) -> Ties:
        """Ties inside the circles of one kind: a coin for every pair of members."""
        if not fast.on():
            return self._circle(label, kind)
        from sim.fast import world as twin

        purposes = draws.purpose(_TIE), draws.purpose(LUCK)
        kinds, share, close = len(KINDS), SHARE[KINDS[kind]], CLOSENESS[kind]
        return twin.circle(self.keys, *purposes, self.ties, label, self.first, share, kind, kinds, close, NOISE, STEPS)

    def _circle(self, label: I32, kind: int) -> Ties:
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
    ) -> Ties:
        """Decide all pairs whose first member, in the order of circles, is in `cut`."""
        count = partners[cut]
        left = np.repeat(np.arange(cut.start, cut.stop), count)
        right = left + 1 + np.arange(left.size) - np.repeat(np.cumsum(count) - count, count)
        u, v = order[left], order[right]
        know = np.minimum(weight[right] * share[left], 1.0)
        hit = draws.chance(_TIE, self.keys[u], know, (v + self.first) * len(KINDS) + kind).nonzero()[0]
        u, v, common = u[hit], v[hit], know[hit] * friends[left[hit]]
        return u, v, strength(self.keys, u, v, CLOSENESS[kind], common, self.first)

    def near(self, region: I32, halves: Array) -> Ties:
        """Half-ties paired at random within each region; an odd one is dropped."""
        if fast.on():
            return self._near(region - region[0], halves)
        person, nth = _halves(halves)
        place = region[person] - region[0]
        count = np.bincount(place)
        order = shuffled(place, count.size, draws.bits("world.native/near", self.keys[person], nth))
        odd = (np.cumsum(count) - 1)[count % 2 == 1]
        one, two = _pairs(person[np.delete(order, odd)])
        real = one != two
        u, v = np.minimum(one, two)[real], np.maximum(one, two)[real]
        return u, v, strength(self.keys, u, v, CLOSENESS[_CITY], 0.0, self.first)

    def _near(self, place: I32, halves: Array) -> Ties:
        from sim.fast import world as twin

        mine, which = width(int(halves.sum())), width(int(place[halves > 0].max(initial=-1)) + 1)
        ask = draws.purpose("world.native/near")
        person, packed = twin.half_ties(self.keys, ask, halves, place, mine, 64 - mine - which)
        packed.sort()
        return twin.paired(self.keys, draws.purpose(LUCK), person, place, packed, mine, self.first, NOISE, STEPS)


def _far(keys: U64, halves: I32) -> tuple[I64, I32]:
    """Ties with people anywhere, both ways: where each person's begin, and whom they lead to."""
    person = np.repeat(np.arange(keys.size, dtype=np.int32), halves)
    luck = np.concatenate(list(in_order(lambda cut: _far_luck(keys[cut], halves[cut]), blocks(keys.size, _BLOCK))))
    one, two = _pairs(person[shuffled(np.zeros(person.size, np.uint8), 1, luck)])
    real = one != two
    one, two = one[real], two[real]
    across = width(keys.size)
    packed = np.empty(2 * one.size, np.uint64)
    for half, (row, column) in zip((packed[: one.size], packed[one.size :]), ((one, two), (two, one)), strict=True):
        half[:] = row
        half <<= np.uint64(across)
        half |= column.astype(np.uint64)
    packed.sort()
    start = np.concatenate(
        [[0], np.cumsum(np.bincount(one, minlength=keys.size) + np.bincount(two, minlength=keys.size))]
    )
    return start, field(packed, 0, across).astype(np.int32)


def _far_luck(keys: U64, halves: I32) -> U64:
    person, nth = _halves(halves)
    return draws.bits("world.native/far", keys[person], nth)


def _halves(count: Array) -> tuple[I64, I64]:
    """The person of each half-tie, and its number among hers."""
    person = np.repeat(np.arange(count.size), count)
    return person, np.arange(person.size) - np.repeat(np.cumsum(count) - count, count)


def _pairs(person: Array) -> tuple[Array, Array]:
    """Neighbours in the list as pairs; the last of an odd number stays alone."""
    even = person.size // 2 * 2
    return person[:even:2], person[1:even:2]


def _blocks(count: I64) -> list[slice]:
    """Runs of positions that together have about `_PAIRS` pairs."""
    total = np.cumsum(count)
    cuts = np.searchsorted(total, np.arange(_PAIRS, int(total[-1]) + _PAIRS, _PAIRS)) + 1
    ends = np.unique(np.minimum(cuts, count.size)).tolist() or [count.size]
    return [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
