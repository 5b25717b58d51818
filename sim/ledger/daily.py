"""Counts by day, merchant, channel and kind: always complete, even where single rows are not written."""

from collections.abc import Sequence

import numpy as np

from sim.ledger.schema import Records
from sim.units import DAY, I64, Array

DENSE = 1 << 16  # cells that are counted in a dense array without asking how many rows there are


class DailyCounts:
    """Adds up rows, quantities and fen by cell: a (day, world, merchant, channel), where -1 (none) is one too."""

    def __init__(self, worlds: int, merchants: int, channels: int) -> None:
        self._worlds = worlds
        self._merchants = merchants + 1
        self._channels = channels + 1
        self._kinds: list[int] = []
        self._cells: list[I64] = []
        self._sums: list[I64] = []  # (3, cells): count, quantity, amount

    def add(self, kind: int, rows: Records, world: Array, merchant: Array) -> None:
        """Count rows of one kind; `merchant` is the local number."""
        cell = (rows.time // DAY * self._worlds + world) * self._merchants + merchant + 1
        cell = cell * self._channels + (rows.channel.astype(np.int64) + 1)
        cells, place = _places(cell)
        sums = np.zeros((3, cells.size), np.int64)
        sums[0] = np.bincount(place, minlength=cells.size)
        for row, name in ((1, "quantity"), (2, "amount")):
            if rows.given(name):  # exact: a block's sums stay far below 2**53
                sums[row] = np.bincount(place, getattr(rows, name), cells.size).astype(np.int64)
        used = sums[0].nonzero()[0]
        self._kinds.append(kind)
        self._cells.append(cells[used])
        self._sums.append(sums[:, used])

    def tables(self, kinds: Sequence[str]) -> list[dict[str, Array]]:
        """Each world's counts, ordered by (day, kind's name, merchant, channel)."""
        rank = np.argsort(np.argsort(np.array(kinds, str))) if kinds else np.zeros(0, np.int64)
        by_rank = np.argsort(rank)
        kind = np.repeat(np.array(self._kinds, np.int64), [cells.size for cells in self._cells])
        cell = np.concatenate([np.zeros(0, np.int64), *self._cells])
        sums = np.concatenate([np.zeros((3, 0), np.int64), *self._sums], axis=1)
        shape = (self._worlds, self._merchants, self._channels)
        day, within = np.divmod(cell, shape[0] * shape[1] * shape[2])
        world, merchant, channel = np.unravel_index(within, shape)
        key = np.stack([world, day, rank[kind], merchant, channel])
        cells, place = np.unique(key, axis=1, return_inverse=True)
        total = np.zeros((3, cells.shape[1]), np.int64)
        for row in range(3):
            np.add.at(total[row], place.reshape(-1), sums[row])
        bounds = np.searchsorted(cells[0], np.arange(self._worlds + 1))
        return [
            {
                "day": cells[1, a:b],
                "kind": by_rank[cells[2, a:b]],
                "merchant": cells[3, a:b] - 1,
                "channel": cells[4, a:b] - 1,
                "count": total[0, a:b],
                "quantity": total[1, a:b],
                "amount": total[2, a:b],
            }
            for a, b in zip(bounds[:-1], bounds[1:], strict=True)
        ]


def _places(cell: I64) -> tuple[I64, I64]:
    """The distinct cells (or a dense run of them), and where each row's cell stands among them."""
    low, high = int(cell.min()), int(cell.max())
    if high - low <= DENSE + 4 * cell.size:
        return np.arange(low, high + 1), cell - low
    return np.unique(cell, return_inverse=True)
