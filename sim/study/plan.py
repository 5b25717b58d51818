"""Dividing a comparison among workers: which worlds run side by side, under which strategy, and where.

A batch of worlds costs a fixed price per tick, because numpy does, and a price per user. So a worker is better off with
one strategy in all worlds than with all strategies in half of them; but every worker builds the worlds that it
needs. Of the few sensible ways to cut, the one whose last worker is done first is taken. No way changes a result.
"""

from collections.abc import Iterator
from dataclasses import dataclass

MOST_SEEDS_ABREAST = 64  # worlds in one batch: as many as the world builder keeps
MOST_USERS_ABREAST = 400_000  # users in one batch, so that a worker stays under about half a gigabyte
FIXED = 50_000  # the fixed price of a tick, in users (measured: 2.2 s and 0.2 s per 5,000 users, for 10 days)
BUILDING = 22  # days that could be simulated while a world is built (measured: 0.45 s per 5,000 users)


@dataclass(frozen=True, slots=True)
class Piece:
    """One strategy in a batch of worlds, and the worker that does it."""

    strategy: int
    seeds: range
    lane: int


def pieces(seeds: int, strategies: int, users: int, days: int, workers: int) -> list[Piece]:
    """All strategies in all worlds, cut so that the last of the workers is done as early as can be."""
    fewest = -(-seeds // _abreast(users))
    ways = (
        _cut(seeds, strategies, batches, workers) for batches in range(fewest, min(seeds, fewest + 2 * workers) + 1)
    )
    return min(ways, key=lambda way: _last(way, users, days))


def soonest(seeds: int, strategies: int, users: int, workers: int) -> list[Piece]:
    """All strategies in one world, then in one more, in two, in four ...: the first results come soon."""
    runs = [(strategy, worlds) for worlds in doubling(seeds, users) for strategy in range(strategies)]
    return [Piece(strategy, worlds, at % workers) for at, (strategy, worlds) in enumerate(runs)]


def doubling(seeds: int, users: int) -> list[range]:
    """Worlds in batches of 1, 1, 2, 4, 8 ..., as many as a batch may hold, and the rest."""
    edges = [0, 1]
    while edges[-1] < seeds:
        edges.append(min(2 * edges[-1], seeds, edges[-1] + _abreast(users)))
    return [range(begin, end) for begin, end in zip(edges, edges[1:], strict=False)]


def spent(seeds: int, users: int, share: float) -> float:
    """The share of the price of batches that double, once that `share` of all days in all worlds is simulated."""
    batches = [len(worlds) for worlds in doubling(seeds, users)]
    whole, paid, left = sum(FIXED + worlds * users for worlds in batches), 0.0, share * seeds
    for worlds in batches:
        paid += min(1.0, left / worlds) * (FIXED + worlds * users)
        left = max(0.0, left - worlds)
    return paid / whole


def _abreast(users: int) -> int:
    """Worlds that a batch may hold."""
    return max(1, min(MOST_SEEDS_ABREAST, MOST_USERS_ABREAST // users))


def _cut(seeds: int, strategies: int, batches: int, workers: int) -> list[Piece]:
    """Worlds in batches of equal size or one less; the pieces, batch by batch, dealt out in equal runs."""
    edges = [batch * seeds // batches for batch in range(batches + 1)]
    count = batches * strategies
    return [
        Piece(
            index % strategies,
            range(edges[index // strategies], edges[index // strategies + 1]),
            index * workers // count,
        )
        for index in range(count)
    ]


def _last(way: list[Piece], users: int, days: int) -> int:
    """The price of the lane that costs most, in user-days."""
    return max(_price(lane, users, days) for lane in _lanes(way))


def _lanes(way: list[Piece]) -> Iterator[list[Piece]]:
    for lane in {piece.lane: None for piece in way}:
        yield [piece for piece in way if piece.lane == lane]


def _price(lane: list[Piece], users: int, days: int) -> int:
    worlds = {number for piece in lane for number in piece.seeds}
    return sum(days * (FIXED + len(piece.seeds) * users) for piece in lane) + BUILDING * users * len(worlds)
