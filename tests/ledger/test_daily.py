"""Daily counts against a dictionary."""

from collections import Counter
from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.ledger import daily
from sim.ledger.daily import DailyCounts
from sim.ledger.schema import Records
from sim.units import DAY

KINDS = ("visit", "order", "exposure")
row = st.tuples(
    st.integers(0, 2),  # kind
    st.integers(0, 3 * DAY),
    st.integers(0, 1),  # world
    st.integers(-1, 2),  # merchant
    st.integers(-1, 3),  # channel
    st.integers(-2, 5),
    st.integers(-1000, 10**12),
)


@given(st.lists(row, max_size=30), st.booleans(), st.sampled_from([0, daily.DENSE]))
def test_counts_are_those_of_a_dictionary(rows: list[tuple[int, ...]], measured: bool, dense: int) -> None:
    counts = DailyCounts(worlds=2, merchants=3, channels=4)
    want: Counter[tuple[int, ...]] = Counter()
    with patch.object(daily, "DENSE", dense):
        for kind, time, world, merchant, channel, quantity, amount in rows * 2:
            given_too = {"quantity": quantity, "amount": amount} if measured else {}
            one = Records(1, time=time, channel=channel, **given_too)
            counts.add(kind, one, np.array([world]), np.array([merchant], np.int32))
            cell = (world, time // DAY, kind, merchant, channel)
            for measure, value in ((0, 1), (1, quantity * measured), (2, amount * measured)):
                want[(*cell, measure)] += value
    got: Counter[tuple[int, ...]] = Counter()
    for world, table in enumerate(counts.tables(KINDS)):
        cells = list(zip(*(table[name].tolist() for name in ("day", "kind", "merchant", "channel")), strict=True))
        assert len(set(cells)) == len(cells)
        assert cells == sorted(cells, key=lambda c: (c[0], KINDS[c[1]], *c[2:]))
        for measure, name in enumerate(("count", "quantity", "amount")):
            got.update({(world, *cell, measure): int(v) for cell, v in zip(cells, table[name], strict=True)})
    assert {cell: value for cell, value in got.items() if value} == {c: v for c, v in want.items() if v}


def test_many_rows_of_one_kind_are_counted_at_once() -> None:
    counts = DailyCounts(worlds=1, merchants=1, channels=1)
    rows = Records(1_000, time=np.arange(1_000) * 200, channel=0, amount=3)
    counts.add(1, rows, np.zeros(1_000, np.int64), np.zeros(1_000, np.int32))
    (table,) = counts.tables(KINDS)
    assert table["day"].tolist() == [0, 1, 2]
    assert table["count"].tolist() == [432, 432, 136]
    assert table["amount"].tolist() == [1296, 1296, 408]
