"""Spreading with numpy: blocks of the newly reached, of several replications side by side.

A node of a replication is one number, ``replication · n + node``. Within a step all that matters is sets, so
neither the blocks nor the order within them can change a result. Each step sorts whom it reached: that drops
repeats, and the next step reads memory in order.
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
FEW = 1_000  # stretches whose draws are taken several at once
BESIDE = 2**20  # nodes of all replications side by side
_GOLDEN, _TWO = np.array(draws.GOLDEN, np.uint64), np.array(2, np.uint64)
_TURNS = np.arange(1, 9, dtype=np.uint64) * _GOLDEN
_COIN = np.array(draws.purpose(COIN), np.uint64)
_ONLY = np.zeros((), np.int64)  # the level, where there is but one


class _Batch:
    """Some replications: how a number is a replication and a node, and who was reached so far."""

    def __init__(self, net: Network, keys: U64, tree: bool) -> None:
        self.named = tree or keys.size > 1  # who the sender is makes a difference
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
    batch = _Batch(net, keys, record == "tree")
    way: _Way = _Counts(batch, rule) if isinstance(rule, Needs) else (_Coins if rule.coins else _Skips)(batch, rule)
    new = np.concatenate([nodes + i * net.n for i, nodes in enumerate(seeds)])
    batch.seen[new] = True
    waves, parents = [new], [np.full(new.size, -1)]
    step = _step_with_parents if record == "tree" else _step
    while new.size and net.m and len(waves) <= steps:
        new, parent = step(batch, way, new)
        waves.append(new)
        parents.append(parent)
    return _told(batch, waves, parents, record)


def _step(batch: _Batch, way: _Way, senders: I64) -> tuple[I64, I64]:
    """Who is newly reached, each once."""
    found = []
    for at in range(0, senders.size, BLOCK):
        state, _ = way.touch(senders[at : at + BLOCK])
        state = np.sort(state[way.ready(state)])
        found.append(state.take(batch.fresh(state)))
    new = found[0] if len(found) == 1 else np.sort(np.concatenate(found))
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
        self._named = batch.named or self._thin

    def ready(self, state: Array) -> slice:
        return slice(None)

    def touch(self, sender: I64) -> tuple[Array, I64]:
        shift, node, word = self._batch.split(sender, SKIP)
        head = self._ties.head(node)
        on = _stretches(self._net.indptr.take(node), self._net.indptr[1:].take(node), word)
        on = on if self._named else on._replace(place=on.place[:0])
        found = list(self._hits(on, head))
        place, entry = (np.concatenate([hits[i] for hits in found]) for i in (0, 1))
        reached = self._net.indices.take(entry)
        if self._thin:
            word, level = (np.concatenate([hits[i] for hits in found]) for i in (3, 4))
            coin = uniform(draws.mix(word ^ _COIN))
            coin *= self._tables.bounds.take(level)
            kept = (coin < self._ties.chance(entry, reached, head.take(place) if head.size else head)).nonzero()[0]
            reached, place = reached.take(kept), place.take(kept)
        return self._batch.states(reached, shift, place), place

    def _hits(self, on: "_Stretches", head: F64) -> Iterator["_Stretches"]:
        """Stretches where a draw led to a success: at its entry, the word and the level drawn with."""
        moving, level = self._ties.moving, on.level
        while on.at.size:
            if self._thin and (moving or level is _ONLY):
                level = gaps.level(self._ties.bound(on.at, head.take(on.place) if head.size else head))
                on = on._replace(level=level)
            if on.at.size < FEW and not moving:
                on, left = self._several(on)
                yield on
                on = on.take(left)
            else:
                on = self._next(on)
                yield on
            on = on._replace(at=on.at + 1)

    def _gap(self, on: "_Stretches", room: I64) -> I64:
        """How far it is to the next success, as far as there is room."""
        draw = draws.mix(on.word)
        draw >>= _TWO
        return gaps.leap(self._tables, draw.view(np.int64), on.level, room)

    def _next(self, on: "_Stretches") -> "_Stretches":
        """The next success of each stretch that has one."""
        on, room = on._replace(word=on.word + _GOLDEN), on.end - on.at
        gap = self._gap(on, room)
        hit = (gap < room).nonzero()[0]
        out = on.take(hit)
        np.add(out.at, gap.take(hit), out.at)
        return out

    def _several(self, on: "_Stretches") -> tuple["_Stretches", I64]:
        """The next eight at once, and which of them have more behind them: calls cost more than draws here."""
        each = on.take(np.arange(on.at.size).repeat(_TURNS.size))
        each = each._replace(word=(on.word[:, None] + _TURNS).ravel())
        gap = self._gap(each, each.end - each.at) + 1
        at = each.at + gap.reshape(-1, _TURNS.size).cumsum(axis=1).ravel() - 1
        hit = (at < each.end).nonzero()[0]
        return each._replace(at=at).take(hit), (hit % _TURNS.size == _TURNS.size - 1).nonzero()[0]


class _Stretches(NamedTuple):
    """Parts of rows: the row's place if it matters, the first entry and the end, where the draws stand, the level."""

    place: I64
    at: I64
    end: I64
    word: U64
    level: I64

    def take(self, which: I64) -> "_Stretches":
        """Some of them."""
        place = self.place.take(which) if self.place.size else self.place
        level = self.level.take(which) if self.level.ndim else self.level
        return _Stretches(place, self.at.take(which), self.end.take(which), self.word.take(which), level)


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
    return _Stretches(place, start, end, word, _ONLY)


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
