"""Timers against a sorted list."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.kernels.timers import Timers
from sim.ledger.schema import Records

TICK = 100
dues = st.lists(st.tuples(st.sampled_from(["parcel", "gift"]), st.integers(0, 999)), max_size=40)


def fill(timers, rows, batches):
    for batch in np.array_split(np.arange(len(rows)), batches):
        for kind in ("parcel", "gift"):
            chosen = [rows[i] for i in batch if rows[i][0] == kind]
            timers.add(kind, Records(len(chosen), time=[r[1] for r in chosen], event=[r[2] for r in chosen]))


@given(dues, st.integers(1, 5), st.randoms(use_true_random=False))
def test_everything_falls_due_in_its_tick_in_order(due, batches, random):
    rows = [(kind, time, number + 1) for number, (kind, time) in enumerate(due)]
    shuffled = random.sample(rows, len(rows))
    timers = Timers(TICK, Records.concat)
    fill(timers, shuffled, batches)
    assert timers.pending() == len(rows)
    assert timers.last() == max((time // TICK for _, time, _ in rows), default=-1)
    for tick in range(10):
        found = timers.due(tick)
        assert list(found) == sorted(found)
        for kind in ("parcel", "gift"):
            expected = sorted((t, e) for k, t, e in rows if k == kind and t // TICK == tick)
            got = found.get(kind, Records(0))
            assert list(zip(got.time.tolist(), got.event.tolist(), strict=True)) == expected
    assert timers.pending() == 0
    assert timers.last() == -1


def test_rows_added_between_ticks_keep_their_columns():
    timers = Timers(TICK, Records.concat)
    timers.add("gift", Records(2, time=[250, 120], event=[1, 2], amount=[7, 8]))
    assert timers.due(0) == {}
    timers.add("gift", Records(1, time=150, event=9, user=4))
    found = timers.due(1)["gift"]
    assert found.amount.tolist() == [8, 0]
    assert found.user.tolist() == [-1, 4]
    assert (timers.pending(), timers.last()) == (1, 2)


@pytest.mark.parametrize("tick", [0, 5])
def test_no_rows_no_bucket(tick):
    timers = Timers(TICK, Records.concat)
    timers.add("gift", Records(0))
    assert timers.due(tick) == {}
    assert timers.last() == -1


def test_rows_of_one_kind_are_taken_as_they_were_added() -> None:
    timers = Timers(60, Records.concat)
    timers.add("plan", Records(3, time=[70, 61, 5], event=[3, 2, 9]))
    timers.add("plan", Records(1, time=[60], event=[1]))
    timers.add("refund", Records(1, time=[60], event=[4]))
    assert timers.take(1, "plan").event.tolist() == [3, 2, 1]
    assert timers.take(1, "plan").n == 0
    assert timers.pending() == 2
    assert {kind: rows.event.tolist() for kind, rows in timers.due(1).items()} == {"refund": [4]}
