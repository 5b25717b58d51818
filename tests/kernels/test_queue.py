"""Queues against a shopkeeper who serves one request at a time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.kernels import queue


def serve(item, quantity, available):
    left, granted = list(available), []
    for what, asked in zip(item, quantity, strict=True):
        ok = asked <= 0 or asked <= left[what]
        granted.append(ok)
        left[what] -= asked if ok else 0
    return granted, left


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(-3, 5)), max_size=40),
    st.lists(st.integers(-2, 30), min_size=5, max_size=5),
)
def test_first_come_first_served(requests, available):
    item = np.array([i for i, _ in requests], np.int32)
    quantity = np.array([q for _, q in requests], np.int32)
    expected, left = serve(item.tolist(), quantity.tolist(), available)
    granted = queue.first_come(item, quantity, np.array(available, np.int64))
    assert granted.dtype == np.bool_
    assert granted.tolist() == expected
    taken = np.bincount(item, np.where(granted, quantity, 0), 5)
    assert (np.array(available) - taken).tolist() == left


def test_many_buyers_and_one_scarce_item():
    rng = np.random.default_rng(3)
    item, quantity = rng.integers(0, 50, 3_000), rng.integers(1, 4, 3_000)
    available = np.full(50, 10_000)
    available[7] = 20
    granted = queue.first_come(item, quantity, available)
    assert granted[item != 7].all()
    assert granted.tolist() == serve(item.tolist(), quantity.tolist(), available.tolist())[0]


@given(
    st.lists(st.sampled_from([1, 2, 5, 2**63, 2**64 - 1]), max_size=20),
    st.sets(st.sampled_from([1, 3, 5, 2**63, 2**64 - 1])),
)
def test_the_first_on_an_open_subject_wins(subjects, opened):
    won, expected = set(), []
    for subject in subjects:
        expected.append(subject in opened and subject not in won)
        won.add(subject)
    granted = queue.first_wins(np.array(subjects, np.uint64), np.array(sorted(opened), np.uint64))
    assert granted.tolist() == expected


@given(st.lists(st.integers(0, 3), max_size=30), st.lists(st.integers(0, 99), min_size=4, max_size=4))
def test_tickets_count_on_in_order(item, issued):
    expected, following = [], list(issued)
    for what in item:
        expected.append(following[what])
        following[what] += 1
    assert queue.tickets(np.array(item, np.int64), np.array(issued)).tolist() == expected


def test_no_requests():
    none = np.zeros(0, np.int64)
    assert queue.first_come(none, none, none).size == 0
    assert queue.first_come(none, none, np.array([3])).size == 0
    assert queue.first_wins(none.astype(np.uint64), np.array([3], np.uint64)).size == 0
    assert queue.tickets(none, np.array([3])).size == 0
