"""The way of rows into files: hash, put in canonical order, split by world, cut into parts.

Rows stand in the order (tick, time, event id, hash), so the files do not depend on the order of mechanisms, nor on how
many worlds ran side by side.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from sim.ledger.digest import Digest, name_hashes, row_hashes
from sim.ledger.parquet import SCHEMAS, TEXT, to_arrow, write_whole
from sim.units import DAY, I64, U64, Array, Bools

Names = Mapping[str, Sequence[str]]


class Parts:
    """One table of one world, gathered in memory and written in parts of exactly `part_rows` (the last is shorter)."""

    def __init__(self, folder: Path, table: str, names: Names, part_rows: int) -> None:
        self.rows = 0
        self._folder = folder / table
        self._table = table
        self._names = names
        self._part_rows = part_rows
        self._pieces: list[dict[str, Array]] = []
        self._pending = 0
        self._written = 0

    def add(self, columns: dict[str, Array], start: int, stop: int) -> None:
        """Append rows [start, stop) of the columns, which must not change afterwards."""
        if start == stop:
            return
        self._pieces.append({name: column[start:stop] for name, column in columns.items()})
        self._pending += stop - start
        self.rows += stop - start
        while self._pending >= self._part_rows:
            self._write(self._part_rows)

    def close(self) -> None:
        """Write what is left."""
        if self._pending:
            self._write(self._pending)

    def _write(self, size: int) -> None:
        whole = {name: np.concatenate([piece[name] for piece in self._pieces]) for name in SCHEMAS[self._table].names}
        part = to_arrow(self._table, {name: column[:size] for name, column in whole.items()}, self._names)
        self._folder.mkdir(exist_ok=True)
        write_whole(self._folder / f"part-{self._written:05d}.parquet", part)
        self._written += 1
        self._pending -= size
        self._pieces = [{name: column[size:].copy() for name, column in whole.items()}] if self._pending else []


class Stream:
    """One table of all worlds."""

    def __init__(self, table: str, folders: Sequence[Path], digests: Sequence[Digest], names: Names, rows: int) -> None:
        self.parts = [Parts(folder, table, names, rows) for folder in folders]
        self._table = table
        self._digests = digests
        self._columns = SCHEMAS[table].names
        self._hashes = {field.name: name_hashes(names[field.name]) for field in SCHEMAS[table] if field.type == TEXT}

    def add(self, world: Array, tick: Array, columns: Mapping[str, Array], digested: Bools | None = None) -> None:
        """Take in rows of whole ticks, already with local numbers; `digested` marks those that the digest counts."""
        hashes = row_hashes(self._table, {name: columns[name] for name in self._columns}, self._hashes)
        order = canonical_order(world, tick, columns["time"], columns["event"], hashes)
        ordered = {name: columns[name][order] for name in self._columns}
        hashes, day = hashes[order], ordered["time"] // DAY
        bounds = np.searchsorted(world[order], np.arange(len(self.parts) + 1)).tolist()
        for at, (start, stop) in enumerate(zip(bounds, bounds[1:], strict=False)):
            self.parts[at].add(ordered, start, stop)
            keep = slice(start, stop) if digested is None else start + (digested[order[start:stop]]).nonzero()[0]
            self._digests[at].add(day[keep], hashes[keep])

    def close(self) -> None:
        """Write what is left of every world."""
        for parts in self.parts:
            parts.close()


def canonical_order(world: Array, tick: Array, time: I64, event: U64, hashes: U64) -> I64:
    """Positions in the order (world, tick, time, event id, hash): sorted by second, then ties put right."""
    low, first = int(time.min()), int(tick.min())
    seconds, ticks = int(time.max()) - low + 1, int(tick.max()) - first + 1
    second = (world.astype(np.int64) * ticks + (tick - first)) * seconds + (time - low)
    order = np.argsort(second)
    second = second[order]
    same = second[1:] == second[:-1]
    tied = np.zeros(time.size, np.bool_)
    tied[1:] = same
    tied[:-1] |= same
    at = tied.nonzero()[0]
    rows = order[at]
    order[at] = rows[np.lexsort((hashes[rows], event[rows], second[at]))]
    return order
