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
    abreast = max(1, min(MOST_SEEDS_ABREAST, MOST_USERS_ABREAST // users))
    fewest = -(-seeds // abreast)
    ways = (
        _cut(seeds, strategies, batches, workers) for batches in range(fewest, min(seeds, fewest + 2 * workers) + 1)
    )
    return min(ways, key=lambda way: _last(way, users, days))


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
