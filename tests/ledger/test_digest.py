"""The digest against plain Python integers, and what it must and must not depend on."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.draws import purpose
from sim.ledger.digest import Digest, name_hashes, row_hashes
from sim.ledger.schema import COLUMNS

MASK = 2**64 - 1
NAMES = {"channel": name_hashes(("store", "moments"))}


def mix(x: int) -> int:
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & MASK
    return x ^ (x >> 31)


def by_hand(table: str, row: dict[str, int]) -> int:
    total = int(purpose("ledger.digest/" + table))
    for name, value in row.items():
        word = (0 if value < 0 else int(purpose(("store", "moments")[value]))) if name == "channel" else value & MASK
        total += word * (int(purpose(f"ledger.digest/{table}.{name}")) | 1)
    return mix(mix(total & MASK))


def arrays(rows: list[dict[str, int]]) -> dict[str, Any]:
    return {name: np.array([row[name] for row in rows], COLUMNS[name][0]) for name in COLUMNS}


row_values = st.fixed_dictionaries(
    {
        name: st.integers(-1, 1) if name == "channel"
        else st.integers(int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
        for name, (dtype, _) in COLUMNS.items()
    }
)  # fmt: skip


@settings(max_examples=30)
@given(st.lists(row_values, min_size=1, max_size=5))
def test_hashes_are_the_formula(rows: list[dict[str, int]]) -> None:
    assert row_hashes("events", arrays(rows), NAMES).tolist() == [by_hand("events", row) for row in rows]


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_counts(name: str) -> None:
    row = dict.fromkeys(COLUMNS, 1)
    other = {**row, name: 0}
    a, b = row_hashes("events", arrays([row, other]), NAMES)
    assert a != b


def test_the_same_row_of_another_table_is_another_row() -> None:
    row = arrays([dict.fromkeys(COLUMNS, 1)])
    assert row_hashes("events", row, NAMES) != row_hashes("stock", row, NAMES)


hashed = st.lists(st.tuples(st.integers(0, 4), st.integers(0, MASK)), max_size=40)


def digest_of(pairs: list[tuple[int, int]], cut: int) -> Digest:
    digest = Digest()
    for part in (pairs[:cut], pairs[cut:]):
        digest.add(np.array([d for d, _ in part], np.int64), np.array([h for _, h in part], np.uint64))
    return digest


@given(hashed, st.randoms(), st.integers(0, 40), st.integers(0, 40))
def test_order_and_cuts_do_not_matter(pairs: list[tuple[int, int]], random: Any, cut: int, other: int) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)
    a, b = digest_of(pairs, cut), digest_of(shuffled, other)
    assert (a.total(), a.days()) == (b.total(), b.days())


@given(hashed)
def test_sums_are_those_of_whole_numbers(pairs: list[tuple[int, int]]) -> None:
    low = sum(h for _, h in pairs) & MASK
    high = sum(mix((h + 0x9E3779B97F4A7C15) & MASK) for _, h in pairs) & MASK
    assert digest_of(pairs, 0).total() == f"{high:016x}{low:016x}"


@given(hashed)
def test_days_add_up_to_the_total(pairs: list[tuple[int, int]]) -> None:
    digest = digest_of(pairs, len(pairs))
    low = sum(int(day[16:], 16) for day in digest.days().values()) & MASK
    high = sum(int(day[:16], 16) for day in digest.days().values()) & MASK
    assert digest.total() == f"{high:016x}{low:016x}"
    assert set(digest.days()) == {day for day, _ in pairs}


def test_a_row_twice_is_not_a_row_that_is_absent() -> None:
    assert digest_of([(0, 5), (0, 5)], 0).total() != digest_of([], 0).total()
