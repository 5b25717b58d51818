"""Spreading with numpy: blocks of the newly reached, of several replications side by side.

A node of a replication is one number, ``replication · n + node``. Within a step all that matters is sets, so
neither the blocks nor the order within them can change a result.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np

from sim import draws
from sim.diffusion import gaps
from sim.diffusion.cascades import Reached
from sim.diffusion.gaps import STRETCH
from sim.diffusion.network import Network
from sim.diffusion.rules import COIN, NEED, NODE, SKIP, Chances, Needs, uniform
from sim.kernels.expand import expand
from sim.units import F64, I64, U64, Array, Bools

BLOCK = 32_768  # rows at a time: what they need stays in cache
BESIDE = 2**20  # nodes of all replications side by side
_GOLDEN, _TWO = np.array(draws.GOLDEN, np.uint64), np.array(2, np.uint64)
_COIN = np.array(draws.purpose(COIN), np.uint64)
_ONLY = np.zeros((), np.int64)  # the level, where there is but one


class _Batch:
    """Some replications: how a number is a replication and a node, and who was reached so far."""

    def __init__(self, net: Network, keys: U64) -> None:
        self.net, self.keys, self.n = net, keys, net.n
        self.seen = np.zeros(keys.size * net.n, np.bool_)

    def split(self, state: I64, name: str) -> tuple[I64, I64, U64]:
        """Shift to the replication (nothing if there is but one), node, and random bits of each."""
        if self.keys.size == 1:
            return np.zeros(0, np.int64), state, draws.bits(name, self.keys, state)
        replication, node = np.divmod(state, self.n)
        return replication * self.n, node, draws.bits(name, self.keys[replication], node)

    def states(self, node: Array, shift: I64, place: I64) -> Array:
        """These nodes in the replication of the sender at each place."""
        return node if self.keys.size == 1 else node + shift[place]

    def fresh(self, state: Array) -> I64:
        """The places of those that are not reached yet."""
        return (~self.seen.take(state)).nonzero()[0]


class _Way(Protocol):
    """How reached nodes reach others."""

    def touch(self, sender: I64) -> tuple[Array, I64]:
        """Whom these reach, with repeats, and the place in `sender` of who does it."""

    def ready(self, state: Array) -> Bools | slice:
        """Which of those that were touched are thereby reached, if they were not before."""


def spread(
    net: Network, rule: Chances | Needs, seeds: list[I64], keys: U64, record: str, steps: int
) -> Iterator[Reached]:
    """Replications with these seeds and keys, one by one in order."""
    batch = _Batch(net, keys)
    way: _Way = _Counts(batch, rule) if isinstance(rule, Needs) else (_Coins if rule.coins else _Skips)(batch, rule)
    new = np.concatenate([nodes + i * net.n for i, nodes in enumerate(seeds)])
    batch.seen[new] = True
    waves, parents = [new], [np.full(new.size, -1)]
    step = _step_with_parents if record == "tree" else _step
    while new.size and len(waves) <= steps:
        new, parent = step(batch, way, new)
        waves.append(new)
        parents.append(parent)
    return _told(batch, waves, parents, record)


def _step(batch: _Batch, way: _Way, senders: I64) -> tuple[I64, I64]:
    """Who is newly reached, each once."""
    found = []
    for at in range(0, senders.size, BLOCK):
        state, _ = way.touch(senders[at : at + BLOCK])
        state = state[way.ready(state)]
        found.append(state.take(batch.fresh(state)))
    new = np.sort(np.concatenate(found))  # for its own sake too: memory is then read in order
    new = new.take(np.diff(new, prepend=-1).nonzero()[0]).astype(np.int64)
    batch.seen[new] = True
    return new, np.zeros(0, np.int64)


def _step_with_parents(batch: _Batch, way: _Way, senders: I64) -> tuple[I64, I64]:
    """Who is newly reached, each once, and through whom: the sender whose event id is least."""
    touched = [way.touch(senders[at : at + BLOCK]) for at in range(0, senders.size, BLOCK)]
    state = np.concatenate([who for who, _ in touched]).astype(np.int64)
    by = np.concatenate([senders[place + i * BLOCK] for i, (_, place) in enumerate(touched)])
    ready = way.ready(state)
    state, by = state[ready], by[ready]
    fresh = batch.fresh(state)
    state, by = state[fresh], by[fresh]
    order = np.lexsort((batch.split(by, NODE)[2], state))
    order = order[np.diff(state[order], prepend=-1) != 0]
    batch.seen[state[order]] = True
    return state[order], by[order] % max(batch.n, 1)


class _Skips:
    """From success to success along rows, in stretches of at most 64 entries."""

    def __init__(self, batch: _Batch, rule: Chances) -> None:
        self._batch, self._net, self._ties, self._tables = batch, batch.net, _Ties(batch.net, rule), rule.tables()
        self._thin = rule.form != "number"

    def ready(self, state: Array) -> slice:
        return slice(None)

    def touch(self, sender: I64) -> tuple[Array, I64]:
        shift, node, word = self._batch.split(sender, SKIP)
        head = self._ties.head(node)
        found = list(self._hits(_stretches(self._net.indptr[node], self._net.indptr[node + 1], word), head))
        entry, place = (np.concatenate([hit[i] for hit in found]) for i in (0, 1))
        reached = self._net.indices.take(entry)
        if self._thin:
            word, level = np.concatenate([hit.word for hit in found]), np.concatenate([hit.level for hit in found])
            coin = uniform(draws.mix(word ^ _COIN))
            coin *= self._tables.bounds.take(level)
            kept = (coin < self._ties.chance(entry, reached, head.take(place) if head.size else head)).nonzero()[0]
            reached, place = reached.take(kept), place.take(kept)
        return self._batch.states(reached, shift, place), place

    def _hits(self, on: "_Stretches", head: F64) -> Iterator["_Hits"]:
        """The next success of each stretch, as long as there are any."""
        place, at, end, word = on
        level = _ONLY
        if self._thin:
            level = gaps.level(self._ties.bound(at, head.take(place) if head.size else head))
        while at.size:
            word = word + _GOLDEN
            room = end - at
            gap = gaps.leap(self._tables, (draws.mix(word) >> _TWO).view(np.int64), level, room)
            hit = (gap < room).nonzero()[0]
            at = at.take(hit)
            at += gap.take(hit)
            place, end, word = place.take(hit), end.take(hit), word.take(hit)
            level = level.take(hit) if self._thin else level
            yield _Hits(at, place, word, level)
            at = at + 1
            if self._ties.moving:
                level = gaps.level(self._ties.bound(at, head.take(place) if head.size else head))


class _Hits(NamedTuple):
    """Successes: the entry, the place of its sender, where the draw stood, and the level skipped at."""

    entry: I64
    place: I64
    word: U64
    level: I64


class _Stretches(NamedTuple):
    """Parts of rows: the place of the row, the first entry and the end, and where the draws begin."""

    place: I64
    at: I64
    end: I64
    word: U64


class _Coins:
    """A draw for every tie, addressed by sender and receiver."""

    def __init__(self, batch: _Batch, rule: Chances) -> None:
        self._batch, self._net, self._ties = batch, batch.net, _Ties(batch.net, rule)

    def ready(self, state: Array) -> slice:
        return slice(None)

    def touch(self, sender: I64) -> tuple[Array, I64]:
        shift, node, event = self._batch.split(sender, NODE)
        place, at = expand(self._net.indptr[node], self._net.indptr[node + 1])
        reached, head = self._net.indices[at], self._ties.head(node)
        coin = draws.uniform(COIN, event[place], reached)
        kept = coin < self._ties.chance(at, reached, head[place] if head.size else head)
        return self._batch.states(reached[kept], shift, place[kept]), place[kept]


class _Counts:
    """The parts of reached neighbours add up."""

    def __init__(self, batch: _Batch, rule: Needs) -> None:
        self._batch, self._net, self._part = batch, batch.net, rule.part
        node = np.arange(batch.n)
        self._need = np.concatenate([rule.of(draws.bits(NEED, key, node), node) for key in batch.keys])
        self._sum = np.zeros(self._need.size, np.int64)

    def ready(self, state: Array) -> Bools:
        out: Bools = self._sum[state] >= self._need[state]
        return out

    def touch(self, sender: I64) -> tuple[Array, I64]:
        shift, node, _ = self._batch.split(sender, NODE)
        place, at = expand(self._net.indptr[node], self._net.indptr[node + 1])
        state = self._batch.states(self._net.indices[at], shift, place)
        np.add.at(self._sum, state, self._part[at] if self._part.size else 1)
        return state, place


class _Ties:
    """Probabilities of ties and bounds on them, by place of the entry and the sender's factor."""

    def __init__(self, net: Network, rule: Chances) -> None:
        self._rule = rule
        self.moving = rule.form == "weight" or rule.layer.size > 0  # the bound falls along a row

    def head(self, node: I64) -> F64:
        """The senders' factors; empty if probabilities have none."""
        return self._rule.sender.take(node) if self._rule.form == "factored" else self._rule.sender

    def bound(self, at: I64, head: F64) -> F64:
        """What the probability is at most, from this entry to the end of its row."""
        rule = self._rule
        if rule.form == "number":
            return np.full(at.size, rule.p)
        if rule.form == "weight":
            return rule.weight.take(at, mode="clip")  # a row may be over, the last one too
        out: F64 = head * (rule.levels[rule.layer.take(at, mode="clip")] if rule.layer.size else rule.levels[0])
        return out

    def chance(self, at: I64, reached: Array, head: F64) -> F64:
        """The probability of each tie."""
        out = self.bound(at, head)
        if self._rule.form == "factored":
            out *= self._rule.receiver.take(reached)
        return out


def _stretches(start: I64, stop: I64, word: U64) -> _Stretches:
    """Rows cut into stretches: the first of each row, then the others of long ones."""
    place, end = np.arange(start.size), np.minimum(start + STRETCH, stop)
    long = (end < stop).nonzero()[0]
    if long.size:
        owner, rank = expand(np.ones_like(long), (stop[long] - start[long] + STRETCH - 1) // STRETCH)
        more, rank = long[owner], rank * STRETCH
        at = start[more] + rank
        place, start, word = (
            np.concatenate([place, more]),
            np.concatenate([start, at]),
            np.concatenate([word, word[more] + rank.view(np.uint64) * _GOLDEN]),
        )
        end = np.concatenate([end, np.minimum(at + STRETCH, stop[more])])
    return _Stretches(place, start, end, word)


def _told(batch: _Batch, waves: list[I64], parents: list[I64], record: str) -> Iterator[Reached]:
    """Replications, as they are recorded."""
    n = max(batch.n, 1)
    curves = np.stack([np.bincount(wave // n, minlength=batch.keys.size) for wave in waves], axis=1)
    if record == "reach":
        yield from (Reached(np.trim_zeros(curve, "b")) for curve in curves)
        return
    time, parent = (np.full(batch.seen.size, -1, np.int32) for _ in range(2))
    for step, (wave, by) in enumerate(zip(waves, parents, strict=True)):
        time[wave] = step
        parent[wave] = by if by.size else -1
    for i, curve in enumerate(curves):
        rows = slice(i * batch.n, (i + 1) * batch.n)
        node = (time[rows] >= 0).nonzero()[0].astype(np.int32)
        through = parent[rows][node] if record == "tree" else None
        yield Reached(np.trim_zeros(curve, "b"), node, time[rows][node], through)
