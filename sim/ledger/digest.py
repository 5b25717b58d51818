"""The fingerprint of a ledger: equal for equal sets of rows, however they were ordered, cut into parts or recorded.

Each row is hashed to 64 bits: h = mix(mix(Σ aᵢ·xᵢ)) over its columns, with odd constants aᵢ from the columns' names
(multilinear hashing, Lemire and Kaser 2014); text enters as a hash of the text. A digest is the sum of h and the sum
of mix(h + γ), both mod 2⁶⁴. Kinds that are written only on request (details) are left out, so recording more does not
change it; what they count is in the daily counts, which have a digest of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sim.draws import mix, purpose
from sim.units import I64, U64, Array

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MASK = 2**64 - 1


def name_hashes(names: Sequence[str]) -> U64:
    """A 64-bit constant per name; the last entry, which code -1 picks, is 0."""
    return np.array([*(purpose(name) for name in names), 0], np.uint64)


def row_hashes(table: str, columns: Mapping[str, Array], names: Mapping[str, U64]) -> U64:
    """64 bits per row of a table. Columns in `names` are codes into its constants; all others are integers."""
    size = next(iter(columns.values())).size
    total = np.full(size, purpose("ledger.digest/" + table), np.uint64)
    for name, values in columns.items():
        words = names[name][values] if name in names else values.astype(np.int64, copy=False).view(np.uint64)
        total += words * (purpose(f"ledger.digest/{table}.{name}") | np.uint64(1))
    return mix(mix(total))


@dataclass(slots=True)
class Digest:
    """Sums of row hashes by day, added to as the run goes on."""

    sums: dict[int, tuple[int, int]] = field(default_factory=dict)

    def add(self, day: I64, hashes: U64) -> None:
        """Take in rows of these days."""
        if not day.size:
            return
        starts = np.diff(day, prepend=day[0] - 1).nonzero()[0]
        first = np.add.reduceat(hashes, starts)
        second = np.add.reduceat(mix(hashes + _GAMMA), starts)
        for when, a, b in zip(day[starts].tolist(), first.tolist(), second.tolist(), strict=True):
            low, high = self.sums.get(when, (0, 0))
            self.sums[when] = ((low + a) & _MASK, (high + b) & _MASK)

    def days(self) -> dict[int, str]:
        """The digest of each day that has rows."""
        return {day: _hex(*self.sums[day]) for day in sorted(self.sums)}

    def total(self) -> str:
        """The digest of the whole ledger, 32 hexadecimal digits."""
        return _hex(sum(low for low, _ in self.sums.values()), sum(high for _, high in self.sums.values()))


def _hex(low: int, high: int) -> str:
    return f"{high & _MASK:016x}{low & _MASK:016x}"
